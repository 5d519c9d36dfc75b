"""The advice as a whole: no flow is too odd for it, and its sentences say no more than what was read."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.checked_flows import BROKEN, SOUND, Letter
from kit.random_flows import flows
from watchword import Flow, one_of, sequence
from watchword.algebra import derivative
from watchword.algebra.flow import IssueTokens, Present, ReadRound
from watchword_adapters.advice.advice import advice_as_json, advise
from watchword_adapters.advice.monthly_cost import Usage, effort_of
from watchword_adapters.advice.native_facts import PASSKEY_FOR_BOTH
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))


def walked(flow, outcomes, draw):
    """The rounds of a sign-in with each answer right at once: those of the flow's own, and those by the password."""
    here, own, passwords, choice = flow.given(*outcomes), 0, 0, None
    opened = here.after(ReadRound.host(derivative.SRP_A))
    if opened.decide() == Present(derivative.PASSWORD_VERIFIER, host=True):
        # The client's opening decides; where there is no other way, it must be this one.
        here = opened if not isinstance(here.decide(), Present) or draw(st.booleans()) else here
    for _ in range(99):
        match here.decide(choice):
            case IssueTokens():
                return own, passwords
            case Present(step, host=True):
                passwords += step == derivative.PASSWORD_VERIFIER
                here, choice = here.after(ReadRound.host(step)), None
            case Present(_, choices=(_, *_) as choices):
                own += 1
                here, choice = (
                    here.after(ReadRound.custom(derivative.SELECT, right=False)),
                    draw(st.sampled_from(choices)),
                )
            case Present(step):
                own += 1
                here, choice = here.after(ReadRound.custom(step, right=True)), None
            case _:
                break
    raise AssertionError("the sign-in does not end with tokens")


@given(flow=flows(), data=st.data())
def test_no_way_through_a_flow_is_dearer_than_the_one_that_is_reckoned(flow, data):
    """Whatever the user chooses, and whatever conditions hold, there are not more rounds."""
    outcomes = data.draw(st.tuples(*(st.booleans() for _ in flow.conditions)))
    own, passwords = walked(flow, outcomes, data.draw)
    effort = effort_of(flow)
    assert (0, 0, own) <= effort.weight[:3]
    assert passwords <= 1


@given(flow=flows(remembering=True), users=st.integers(0, 10**10))
def test_every_flow_gets_an_advice(flow, users):
    """What covers it all lacks nothing; what lacks something has words for it; JSON holds no more than JSON can."""
    advice = advise(flow, Usage(users, Decimal(3)))
    told = json.loads(json.dumps(advice_as_json(advice)))
    assert ("all" == told["covers"]) == (bool(advice.reach.ways) and not advice.reach.lacking)
    assert (told["tier"] is None) == (told["monthly"]["native"] is None) == ("nothing" == told["covers"])
    assert all(way.steps for way in advice.reach.ways)
    assert told["only_custom"] or not flow.steps


@pytest.mark.parametrize("flow", [*BROKEN.values(), *SOUND.values()], ids=[*BROKEN, *SOUND])
def test_flows_that_a_check_refuses_get_an_advice_too(flow):
    """The advice does not judge whether a flow is sound."""
    flow = flow if isinstance(flow, Flow) else flow[0]
    assert advise(flow, Usage(1)).summary


def test_a_passkey_beside_two_factors_says_what_it_needs():
    """A pool that demands a second factor takes a passkey for both, by a setting of its own."""
    flow = Flow(one_of(sequence(Srp(), Totp()), PASSKEY))
    assert any(PASSKEY_FOR_BOTH in each for each in advise(flow, Usage(1)).native_words)
    assert not any(PASSKEY_FOR_BOTH in each for each in advise(Flow(PASSKEY), Usage(1)).native_words)


@pytest.mark.parametrize(
    ("users", "said"),
    [(10_000, "costs 5.46 dollars more"), (100_000, "dollars less"), (10, "dollars more")],
)
def test_the_cheaper_one_is_named(users, said):
    """Few users are free on either side, and many are cheaper on Lite."""
    advice = advise(Flow(EmailOtp()), Usage(users, Decimal(0)))
    assert said in advice.difference


def test_what_has_no_price_is_said_beside_the_difference():
    """A plugin's own channel costs what nobody here knows: the difference is without it."""
    told = advise(Flow(sequence(Letter("letter"), EmailOtp())), Usage(1)).difference
    assert told.startswith("Without what has no price, a month")


def test_nothing_native_has_nothing_to_compare():
    """There is no price to be cheaper than."""
    assert "" == advise(Flow(Totp()), Usage(1)).difference
