"""How far native sign-in reaches into a flow: what is said of each block, and that a step more never makes it reach further."""

from __future__ import annotations

from itertools import count, product
from typing import ClassVar

import pytest
from attrs import frozen

from kit.engine_host import Riddle
from watchword import (
    Flow,
    Limits,
    all_of,
    ask_first,
    at_least,
    attribute,
    client,
    enrol,
    enrolled,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword_adapters.advice.native_facts import TIERS
from watchword_adapters.advice.native_reach import reach_into
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
TOUCH = Passkey(rp_id="example.com", origins=("https://example.com",), user_verification="preferred")
SMS = SmsOtp(countries=("+49",))


@frozen
class TheirTotp(Riddle):
    """A kind of somebody else, by a name of ours."""

    kind: ClassVar[str] = "totp"


def reach(*parts):
    """How far native sign-in reaches into the flow of *parts*, one behind the other."""
    return reach_into(Flow(sequence(*parts)))


def challenges(found):
    """The native challenges of each way."""
    return [" ".join(each.challenge.name for each in way.steps) for way in found.ways]


@pytest.mark.parametrize(
    ("parts", "native", "tier"),
    [
        ((Srp(),), ["PASSWORD_SRP"], "Lite"),
        ((EmailOtp(),), ["EMAIL_OTP"], "Essentials"),
        ((SMS,), ["SMS_OTP"], "Essentials"),
        ((PASSKEY,), ["WEB_AUTHN"], "Essentials"),
        ((Srp(), SMS), ["PASSWORD_SRP SMS_MFA"], "Lite"),
        ((Srp(), Totp()), ["PASSWORD_SRP SOFTWARE_TOKEN_MFA"], "Lite"),
        ((Srp(), EmailOtp()), ["PASSWORD_SRP EMAIL_OTP"], "Essentials"),
        ((Srp(), enrol(Totp())), ["PASSWORD_SRP MFA_SETUP"], "Lite"),
        (
            (Srp(), when(enrolled("totp"), Totp(), enrol(Totp()))),
            ["PASSWORD_SRP SOFTWARE_TOKEN_MFA", "PASSWORD_SRP MFA_SETUP"],
            "Lite",
        ),
        ((one_of(EmailOtp(), SMS, PASSKEY),), ["EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"], "Essentials"),
        ((at_least(1, EmailOtp(), SMS),), ["EMAIL_OTP", "SMS_OTP"], "Essentials"),
        ((ask_first(EmailOtp()),), ["EMAIL_OTP"], "Essentials"),
        (
            (one_of(sequence(Srp(), Totp()), PASSKEY),),
            ["PASSWORD_SRP SOFTWARE_TOKEN_MFA", "WEB_AUTHN"],
            "Essentials",
        ),
        (
            (Srp(), one_of(Totp(), SMS)),
            ["PASSWORD_SRP SOFTWARE_TOKEN_MFA", "PASSWORD_SRP SMS_MFA"],
            "Lite",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_native_sign_in_can_do_whole(parts, native, tier):
    """First factors, a second one behind the password, a choice, and MFA for those who have set it up."""
    found = reach(*parts)
    assert ("all", (), native, tier) == (found.covers, found.lacking, challenges(found), found.tier)
    assert all(way.whole for way in found.ways)


@pytest.mark.parametrize(
    ("parts", "native", "said"),
    [
        ((Captcha(), EmailOtp()), ["EMAIL_OTP"], "captcha: Cognito has no CAPTCHA in a sign-in"),
        ((Srp(), PASSKEY), ["PASSWORD_SRP"], "passkey: a native passkey is a first factor"),
        (
            (Srp(), SmsOtp(countries=("+49",), with_token=True)),
            ["PASSWORD_SRP"],
            "sms_otp: an answer with an access token: natively that is a step-up",
        ),
        ((Srp(), RecoveryCodes()), ["PASSWORD_SRP"], "recovery_codes: Cognito has no recovery codes"),
        ((EmailOtp(), Totp()), ["EMAIL_OTP"], "totp: a second factor that is not behind the password"),
        ((EmailOtp(), SMS), ["EMAIL_OTP"], "sms_otp: a second factor that is not behind the password"),
        ((Srp(), EmailOtp(), Totp()), ["PASSWORD_SRP EMAIL_OTP"], "totp: a third factor"),
        ((EmailOtp(), enrol(Totp())), ["EMAIL_OTP"], "enrol_totp: MFA_SETUP"),
        ((EmailOtp(), enrol(PASSKEY)), ["EMAIL_OTP"], "enrol_passkey: natively a user enrols this after a sign-in"),
        ((EmailOtp(), enrol(RecoveryCodes())), ["EMAIL_OTP"], "enrol_recovery_codes: Cognito has no recovery codes"),
        ((Srp(), named("first", Riddle())), ["PASSWORD_SRP"], "first: the kind riddle is of a plugin"),
        ((Srp(), TheirTotp()), ["PASSWORD_SRP"], "totp: the kind totp is of a plugin"),
        ((fallback(EmailOtp(), SMS),), ["EMAIL_OTP", "SMS_OTP"], "email_otp, then sms_otp: the next one when"),
        ((all_of(EmailOtp(), SMS),), ["EMAIL_OTP", "SMS_OTP"], "2 of email_otp, sms_otp, in the order"),
        ((Srp(), ask_first(EmailOtp())), ["PASSWORD_SRP EMAIL_OTP"], "email_otp: asked first"),
        (
            (Srp(), when(attribute("custom:tier", "gold"), Totp())),
            ["PASSWORD_SRP SOFTWARE_TOKEN_MFA", "PASSWORD_SRP"],
            "a rule by the attribute custom:tier = gold",
        ),
        ((when(client("app"), EmailOtp(), SMS),), ["EMAIL_OTP", "SMS_OTP"], "a rule by the app client app"),
        (
            (Srp(), when(enrolled("passkey"), PASSKEY, EmailOtp())),
            ["PASSWORD_SRP EMAIL_OTP"],
            "a rule by whether passkey is enrolled",
        ),
        (
            (Srp(), when(enrolled("totp"), SMS, enrol(Totp()))),
            ["PASSWORD_SRP SMS_MFA", "PASSWORD_SRP MFA_SETUP"],
            "a rule by whether totp is enrolled",
        ),
        (
            (one_of(sequence(Srp(), named("short", EmailOtp(length=6))), EmailOtp()),),
            ["PASSWORD_SRP EMAIL_OTP", "EMAIL_OTP"],
            "a second factor behind the password beside a sign-in by one code alone",
        ),
        (
            (one_of(sequence(Srp(), Totp()), TOUCH),),
            ["PASSWORD_SRP SOFTWARE_TOKEN_MFA", "WEB_AUTHN"],
            "a second factor behind the password beside a sign-in by one code alone",
        ),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else None,
)
def test_what_only_custom_authentication_can(parts, native, said):
    """The steps and rules that native sign-in lacks are named, with why; what is left of each way is told."""
    found = reach(*parts)
    assert ("part", native) == (found.covers, challenges(found))
    assert any(each.startswith(said) for each in found.lacking), found.lacking


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((all_of(EmailOtp(), SMS),), [False, False]),
        ((Captcha(), EmailOtp()), [False]),
        ((one_of(sequence(EmailOtp(), Totp()), SMS),), [False, True]),
        ((Srp(), one_of(SMS, RecoveryCodes())), [True]),
    ],
    ids=range(4),
)
def test_what_is_left_of_a_way_is_not_the_way(parts, whole):
    """A way is told as whole only if nothing of it is missing; less of a way that is told already is not told."""
    assert whole == [way.whole for way in reach(*parts).ways]


@pytest.mark.parametrize("part", [Captcha(), Totp(), Riddle()], ids=lambda kind: kind.kind)
def test_nothing_is_nothing(part):
    """There is no tier for what native sign-in cannot do."""
    found = reach(part)
    assert ("nothing", (), None) == (found.covers, found.ways, found.tier)
    assert found.lacking


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EmailOtp(length=6), "length: 6 symbols: native codes have 8"),
        (EmailOtp(alphabet="letters"), "alphabet: letters: native codes are digits"),
        (EmailOtp(templates="mails"), "templates: your own mails in each language"),
        (SMS, "length: 6 digits: Cognito has no setting"),
        (SMS, "countries: only to numbers in +49"),
        (PASSKEY, "algorithms: keys of other algorithms"),
        (
            Passkey(rp_id="example.com", origins=("https://example.com",), user_verification="discouraged"),
            "user_verification: discouraged: native passkeys know required and preferred",
        ),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_settings_that_cognito_does_not_let_you_set(kind, said):
    """They are told, and make no step less native."""
    found = reach(kind)
    assert "all" == found.covers
    assert any(each.startswith(f"{kind.kind}, {said}") for each in found.settings), found.settings


def test_settings_of_an_app():
    """Behind the password too."""
    found = reach(Srp(), Totp(digits=8, period=60))
    assert [each.partition(":")[0] for each in found.settings[:2]] == ["totp, digits", "totp, period"]


def test_settings_that_are_cognitos_own_are_not_told():
    """Eight digits by mail and six of an app are what Cognito has."""
    for found in (reach(EmailOtp(length=8)), reach(Srp(), Totp())):
        assert not any("length" in each or "digits" in each for each in found.settings)


def test_budgets_and_tries_are_told():
    """Guesses that are bounded over all sign-ins are the flow's own, as it writes them."""
    flow = Flow(EmailOtp(attempts=2), limits=Limits(guesses="7/day", messages=["2/90s", "5/2h"]))
    told = " ".join(reach_into(flow).settings)
    assert "7/day wrong answers and 2/90s, 5/2h messages" in told
    assert "email_otp 2 in 180 s" in told
    assert "messages" not in " ".join(reach(Srp(), Totp()).settings)
    assert () == reach_into(Flow(Srp())).settings


def blocks(prefix):
    """Blocks of each form, each with names of its own that begin with *prefix*, and none with the password at its head."""
    fresh = count()

    def step(kind):
        return named(f"{prefix}_{next(fresh)}", kind)

    kinds = [EmailOtp(), SMS, PASSKEY, TOUCH, Totp(), RecoveryCodes(), Captcha(), Riddle()]
    return [
        *map(step, kinds),
        one_of(step(EmailOtp()), step(PASSKEY)),
        one_of(step(Totp()), step(Captcha())),
        fallback(step(SMS), step(Totp())),
        all_of(step(EmailOtp()), step(Totp())),
        when(attribute("custom:tier", "gold"), step(EmailOtp()), step(SMS)),
        ask_first(step(SMS)),
    ]


@pytest.mark.parametrize("head", [(), (Srp(),)], ids=["alone", "behind the password"])
def test_a_step_more_never_makes_native_sign_in_do_more(head):
    """Behind a flow, or beside it as an option: what was lacking is lacking still, and the tier is no cheaper.

    A password before it is another matter: an app's code is native behind one.
    """
    for first, second in product(blocks("first"), blocks("second")):
        alone = reach(*head, first)
        for more in (reach(*head, first, second), reach(*head, one_of(first, second))):
            assert set(alone.lacking) <= set(more.lacking)
            assert "all" == alone.covers or "all" != more.covers
            assert alone.tier is None or TIERS.index(alone.tier) <= TIERS.index(more.tier)


def test_a_big_flow_is_read_at_once():
    """Ten choices of five: ten million ways, of which a few hundred differ natively."""
    fresh = count()
    choice = [EmailOtp(), SMS, PASSKEY, Totp(), Captcha()]
    flow = Flow(sequence(*(one_of(*(named(f"step_{next(fresh)}", kind) for kind in choice)) for _ in range(10))))
    found = reach_into(flow)
    assert "part" == found.covers
    assert len(found.ways) < 100
