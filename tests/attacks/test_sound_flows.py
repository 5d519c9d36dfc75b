"""No false alarm: nothing succeeds on any sound flow, whatever its conditions, its settings and its kinds need.

Some flows here are errors to `watchword check`, for what users can change (WW104) or for how a sole factor is guessed (WW107). None
gives tokens for a puzzle alone (WW101), but for the one that says so: that shows who exists.
"""

import re
import string
import sys
import types
from importlib.resources import files

import pytest

from kit.checked_flows import SOUND
from kit.fobs import Fob
from kit.messages import Text
from kit.paths import ROOT
from watchword import (
    Challenge,
    Flow,
    Limits,
    Verdict,
    ask_first,
    attribute,
    client,
    enrol,
    enrolled,
    fallback,
    named,
    one_of,
    sequence,
    typed_code,
    when,
)
from watchword.contract import is_telephone_number
from watchword_adapters.attacks import FAMILIES, attack
from watchword_adapters.attacks.arena.sample_kinds import SampleOffer, SampleQuestion, offering_flow
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

pytestmark = pytest.mark.exhaustive

GOLD, EU, VERIFIED = attribute("custom:tier", "gold"), attribute("custom:region", "eu"), "email_verified"
NUMBER = {"custom:customer_number": "20384812", "phone_number": "+15550100", "phone_number_verified": "true"}


def module(name, source):
    """The module of *source*, as if it were installed."""
    made = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), vars(made))
    return made


def tutorials_kind():
    """The kind that the tutorial makes, from the page."""
    page = (ROOT / "docs" / "tutorial" / "write-a-plugin.md").read_text()
    blocks = re.findall(r"```python\n(# file: \S+/watchword_customer_number\.py\n.*?)```", page, re.DOTALL)
    return module("watchword_customer_number", blocks[0]).CustomerNumber


def scaffolds_kind():
    """The kind that `watchword new plugin` makes."""
    template = (files("watchword_adapters") / "scaffolds" / "plugin" / "module.py.template").read_text()
    said = {"kind": "doorbell", "class": "Doorbell", "module": "watchword_doorbell"}
    return module("watchword_doorbell", string.Template(template).safe_substitute(said)).Doorbell


class Texted:
    """A code by text message, to a verified number."""

    kind = "texted"
    proves = frozenset({"possession"})
    channel = "sms"
    resend_after = 60

    def create(self, request):
        """Send eight digits, but to nobody whose number is none or not verified."""
        code, known = request.code("0123456789", 8), request.user.attributes
        number = known.get("phone_number", "") if known.get("phone_number_verified") == "true" else ""
        messages = (Text(number, code),) if is_telephone_number(number) and not request.again else ()
        return Challenge(private={"digest": request.seal(code)}, messages=messages)

    def verify(self, request):
        """Compare them."""
        return Verdict(request.matches(request.private.get("digest"), typed_code(request.answer)))

    def guess_probability(self):
        """Of eight digits."""
        return 1e-8


CustomerNumber, Doorbell = tutorials_kind(), scaffolds_kind()
SHORT = EmailOtp(length=6)
PASSKEY = Passkey("example.com", ("https://example.com",))

FLOWS = {
    **{f"sound: {name}": flow for name, (flow, _) in SOUND.items() if flow.steps},
    "the flow of `watchword new flow`": Flow(sequence(Srp(), SHORT)),
    "the tutorial's kind": Flow(sequence(CustomerNumber(), EmailOtp())),
    "the tutorial's kind behind a password": Flow(sequence(Srp(), CustomerNumber(), SHORT)),
    "the scaffold's kind": Flow(sequence(Doorbell(), EmailOtp())),
    "a code for gold": Flow(sequence(Srp(), when(GOLD, SHORT))),
    "a password for all but gold": Flow(when(GOLD, EmailOtp(), otherwise=sequence(Srp(), named("second", SHORT)))),
    "a puzzle for gold": Flow(sequence(when(GOLD, Doorbell()), EmailOtp())),
    "two conditions": Flow(sequence(Srp(), when(GOLD, SHORT), when(EU, Doorbell()))),
    "a condition in a condition": Flow(
        sequence(Srp(), when(GOLD, when(EU, SHORT, otherwise=named("first", SHORT)), otherwise=named("other", SHORT)))
    ),
    "a verified address": Flow(when(attribute(VERIFIED, "true"), EmailOtp(), otherwise=SampleQuestion())),
    "an unverified address": Flow(sequence(Srp(), when(attribute(VERIFIED, "false"), Doorbell(), otherwise=SHORT))),
    "somebody's address": Flow(
        sequence(Srp(), when(attribute("email", "ann@example.com"), SHORT, otherwise=Doorbell()))
    ),
    "a puzzle in one app": Flow(sequence(when(client("kiosk"), Captcha()), EmailOtp())),
    "a way out": Flow(fallback(EmailOtp(), SampleQuestion())),
    "a choice": Flow(one_of(EmailOtp(), sequence(Doorbell(), named("code", EmailOtp())))),
    "one try": Flow(EmailOtp(attempts=1)),
    "one try, then another mail": Flow(fallback(EmailOtp(attempts=1), named("second", EmailOtp()))),
    "one try, no other mail": Flow(
        fallback(EmailOtp(attempts=1), named("second", EmailOtp())), limits=Limits(messages="1/day")
    ),
    "ten tries, large budgets": Flow(
        EmailOtp(attempts=10, lifetime=600, resend_after=16), limits=Limits(guesses="100/day", messages="50/day")
    ),
    "small budgets": Flow(EmailOtp(length=12), limits=Limits(guesses="1/day", messages="1/day")),
    "a few guesses and messages": Flow(EmailOtp(length=12), limits=Limits(guesses="2/day", messages="5/day")),
    "offers": offering_flow(),
    "an offer or a code": Flow(sequence(Srp(), one_of(SampleOffer(), SHORT))),
    "asked first": Flow(ask_first(EmailOtp())),
    "a text message": Flow(Texted()),
    "a code by SMS": Flow(SmsOtp(length=8, countries=("+1",))),
    "a step-up by SMS": Flow(ask_first(SmsOtp(length=8, countries=("+1",), with_token=True))),
    "a code by SMS behind a password": Flow(sequence(Srp(), SmsOtp(countries=("+1",)))),
    "a text message after an e-mail": Flow(sequence(EmailOtp(), Texted())),
    "a link": Flow(ask_first(MagicLink(redirects={"web": "https://app.example/sign-in"}))),
    "a link that opens anywhere, or a code": Flow(
        one_of(MagicLink(redirects={"web": "https://app.example/sign-in"}, opens="anywhere"), EmailOtp())
    ),
    "a short life": Flow(EmailOtp(lifetime=60, resend_after=16)),
    "an app": Flow(sequence(Srp(), Totp())),
    "a passkey": Flow(PASSKEY),
    "a passkey or a code": Flow(one_of(PASSKEY, EmailOtp())),
    "an app or a recovery code": Flow(sequence(Srp(), one_of(Totp(), RecoveryCodes()))),
    "nothing but an enrolment behind the password": Flow(sequence(Srp(), enrol(RecoveryCodes()))),
    "a passkey, enrolled in a step": Flow(sequence(Srp(), SHORT, enrol(PASSKEY))),
    "what is enrolled, one after the other": Flow(
        sequence(
            EmailOtp(),
            when(
                enrolled("passkey"),
                PASSKEY,
                otherwise=when(enrolled("totp"), Totp(), otherwise=enrol(RecoveryCodes())),
            ),
        )
    ),
    "a stranger's kind that remembers": Flow(
        sequence(EmailOtp(), when(enrolled("fob"), Fob(), otherwise=enrol(Fob())))
    ),
    "letters, unverified": Flow(sequence(Srp(), EmailOtp(length=6, alphabet="letters", verified_only=False))),
}


@pytest.mark.parametrize("name", FLOWS)
def test_nothing_succeeds_on_a_sound_flow(name):
    """Every family is tried, and what succeeds is told in full."""
    outcome = attack(FLOWS[name], cases=1, seed=name, attributes=NUMBER)

    assert "" == "\n\n".join(str(each) for told in outcome.told.values() for each in told)
    assert {} == dict(outcome.untried)
    assert {each.id for each in FAMILIES} == outcome.by_family.keys()


def test_users_may_all_be_given_the_same_address():
    """An alias signs one user in, so the local pool of the attacks has none of what all users were given."""
    shared = {"phone_number": "+15550100", "phone_number_verified": "true", "email": "ann@example.com"}

    assert {} == attack(Flow(sequence(Srp(), SHORT)), cases=1, attributes=shared).succeeded
