"""The users whom attacks play have numbers that the flow writes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Flow, named, one_of, sequence
from watchword.contract.kinds import is_telephone_number
from watchword_adapters.attacks import FAMILIES, attack
from watchword_adapters.attacks.devices.telephone_numbers import allowed_prefixes, number_under, telephone_of
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

PREFIXES = st.from_regex(r"\A\+(1|7|49|598|8816)[0-9]{2,11}\Z", fullmatch=True)


@given(PREFIXES, st.text(max_size=40))
def test_a_number_is_one_under_its_prefix(prefix, name):
    """Whatever the prefix and the name are."""
    number = number_under(prefix, name)
    assert is_telephone_number(number)
    assert number.startswith(prefix)


@given(st.lists(PREFIXES, min_size=1, max_size=4), st.text(max_size=40))
def test_a_kind_writes_to_the_number(prefixes, name):
    """It begins with one of the prefixes that the kind lists, however these are called."""
    kind = SmsOtp(countries=tuple(prefixes))
    assert tuple(prefixes) == allowed_prefixes(kind)
    assert telephone_of(Flow(kind), name)["phone_number"].startswith(tuple(prefixes))


def test_the_number_fits_as_many_kinds_as_can_be():
    """Where two kinds list different countries, it is in those that both list."""
    flow = Flow(one_of(SmsOtp(countries=("+43", "+49")), named("other", SmsOtp(countries=("+31", "+49")))))
    assert telephone_of(flow, "ann")["phone_number"].startswith("+49")


def test_users_have_different_numbers():
    """An alias is one user's."""
    numbers = {telephone_of(Flow(EmailOtp()), f"user{number}")["phone_number"] for number in range(500)}
    assert 500 == len(numbers)


@pytest.mark.parametrize(
    "flow",
    [
        Flow(SmsOtp(length=8, countries=("+4917", "+43"))),
        Flow(sequence(Srp(), SmsOtp(countries=("+8816",), verified_only=False))),
        Flow(sequence(EmailOtp(), SmsOtp(countries=("+44",)))),
    ],
    ids=["alone", "behind a password", "behind a mail"],
)
def test_a_flow_by_sms_needs_no_attributes(flow):
    """`watchword attack FLOW` has a right answer to each challenge without being told a number."""
    few = tuple(each for each in FAMILIES if each.id in {"S-01", "M-11", "M-12"})
    outcome = attack(flow, cases=40, families=few)
    assert ({}, {}, ()) == (dict(outcome.succeeded), dict(outcome.untried), outcome.elsewhere)
