"""Flows that a check must tell apart: deliberately unsound ones, each with the finding that catches it, and sound ones."""

from typing import ClassVar

from attrs import frozen

from watchword import (
    Flow,
    Limits,
    all_of,
    ask_first,
    at_least,
    attribute,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.contract.kinds import Challenge, Verdict
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.srp import Srp

REDIRECTS = {"web": "https://app.example/sign-in"}


@frozen
class Toy:
    """A kind that only has facts: what it is called, what it proves, how it is guessed, whom it shuts out."""

    kind: str
    proves: frozenset[str] = frozenset()
    chance: float | None = None
    cognitive: bool = False
    attempts: int = 3
    lifetime: int = 180

    def create(self, request):
        """Make nothing."""
        return Challenge()

    def verify(self, request):
        """Refuse."""
        return Verdict(right=False)

    def guess_probability(self):
        """Return 1 where nothing was said, as for a kind without this method."""
        return 1.0 if self.chance is None else self.chance


@frozen
class Letter(Toy):
    """The same, sending a message."""

    channel: ClassVar[str] = "post"

    resend_after: int = 60


@frozen
class Silent:
    """A factor of which nobody says how it is guessed."""

    kind: ClassVar[str] = "silent"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})

    def create(self, request):
        """Make nothing."""
        return Challenge()

    def verify(self, request):
        """Refuse."""
        return Verdict(right=False)


WORK = Toy("proof_of_work")
PIN = Toy("pin", frozenset({"knowledge"}), 1e-4)
TOTP = Toy("totp", frozenset({"possession"}), 3e-6)
PASSKEY = Toy("passkey", frozenset({"possession"}), 2.0**-128)
FACE = Toy("face", frozenset({"inherence"}), 1e-9)
RECOVERY = Toy("recovery_code", frozenset({"knowledge"}), 2.0**-64, attempts=5)
GOLD = attribute("custom:tier", "gold")
BOTH = "knowledge and possession"

BROKEN = {
    # name: (flow, what is asked of the check, the finding, the shortest session that shows it)
    "CAPTCHA alone, as in many tutorials": (Flow(Captcha()), {}, "WW101", "captcha+"),
    "proof of work alone": (Flow(WORK), {}, "WW101", "proof_of_work+"),
    "CAPTCHA and proof of work": (Flow(sequence(Captcha(), WORK)), {}, "WW101", "captcha+ proof_of_work+"),
    "a CAPTCHA instead of the code": (Flow(one_of(EmailOtp(), Captcha())), {}, "WW101", "captcha+"),
    "a CAPTCHA instead of the password": (Flow(one_of(Srp(), Captcha())), {}, "WW101", "captcha+"),
    "any one of a CAPTCHA and a code": (Flow(at_least(1, Captcha(), EmailOtp())), {}, "WW101", "captcha+"),
    "two of three, two of which prove nothing": (
        Flow(at_least(2, Captcha(), WORK, EmailOtp())),
        {},
        "WW101",
        "captcha+ proof_of_work+",
    ),
    "a CAPTCHA when the code fails": (
        Flow(fallback(EmailOtp(attempts=1), Captcha())),
        {},
        "WW101",
        "email_otp- captcha+",
    ),
    "nothing proven for everybody else": (
        Flow(when(client("kiosk"), EmailOtp(), otherwise=Captcha())),
        {},
        "WW101",
        "captcha+",
    ),
    "the code only for gold": (Flow(sequence(Captcha(), when(GOLD, EmailOtp()))), {}, "WW101", "captcha+"),
    "a kind that is called as a factor and proves none": (Flow(Toy("possession")), {}, "WW101", "possession+"),
    "password alone where two factors are required": (
        Flow(Srp(), require=BOTH),
        {},
        "WW102",
        "srp_a+ password_verifier+",
    ),
    "code alone on one path": (
        Flow(one_of(sequence(Srp(), EmailOtp(length=6)), named("code", EmailOtp())), require=BOTH),
        {},
        "WW102",
        "code+",
    ),
    "the second factor fails over to a CAPTCHA": (
        Flow(sequence(Srp(), fallback(EmailOtp(attempts=2), Captcha()))),
        {"require": BOTH},
        "WW102",
        "srp_a+ password_verifier+ email_otp! captcha+",
    ),
    "the second factor only for gold": (
        Flow(sequence(Srp(), when(GOLD, EmailOtp(length=6)))),
        {"require": BOTH},
        "WW102",
        "srp_a+ password_verifier+",
    ),
    "two codes of one factor": (
        Flow(sequence(EmailOtp(), named("again", EmailOtp()))),
        {"require": BOTH},
        "WW102",
        "email_otp+ again+",
    ),
    "one kind where another is required": (
        Flow(one_of(PASSKEY, EmailOtp())),
        {"require": "passkey or password"},
        "WW102",
        "email_otp+",
    ),
    "asking by the language that users set": (
        Flow(when(attribute("locale", "de"), EmailOtp(), otherwise=sequence(Captcha(), named("code", EmailOtp())))),
        {},
        "WW104",
        "email_otp+",
    ),
    "asking by the telephone number": (
        Flow(sequence(Srp(), when(attribute("phone_number", "+49"), EmailOtp(), otherwise=TOTP))),
        {},
        "WW104",
        "srp_a+ password_verifier+ email_otp+",
    ),
    "asking by a custom attribute": (
        Flow(sequence(Srp(), when(GOLD, EmailOtp(), otherwise=TOTP))),
        {},
        "WW204",
        None,
    ),
    "sending again after the session": (Flow(EmailOtp(resend_after=200)), {}, "WW106", None),
    "sending again when the session ends": (
        Flow(sequence(Srp(), EmailOtp(resend_after=300, lifetime=300))),
        {"session_minutes": 5},
        "WW106",
        None,
    ),
    "sending again after the code is dead": (Flow(EmailOtp(lifetime=60, resend_after=90)), {}, "WW208", None),
    "waiting for an answer longer than the session": (Flow(EmailOtp(lifetime=600)), {}, "WW205", None),
    "a link that is good longer than the session": (
        Flow(ask_first(MagicLink(redirects=REDIRECTS, lifetime=600))),
        {"session_minutes": 5},
        "WW111",
        None,
    ),
    "a link that signs a scanner in": (
        Flow(ask_first(MagicLink(redirects=REDIRECTS, opens="anywhere"))),
        {},
        "WW212",
        None,
    ),
    "a hundred thousand messages a day": (
        Flow(sequence(Srp(), EmailOtp()), limits=Limits(messages="100000/day")),
        {},
        "WW209",
        None,
    ),
    "a code to the mailbox that recovers the password": (
        Flow(sequence(Srp(), Captcha(), one_of(TOTP, EmailOtp(length=6)))),
        {},
        "WW207",
        "srp_a+ password_verifier+ captcha+ email_otp+",
    ),
    "six digits alone": (Flow(EmailOtp(length=6)), {}, "WW107", "email_otp+"),
    "four digits alone": (Flow(PIN), {}, "WW107", "pin+"),
    "four digits behind a CAPTCHA": (Flow(sequence(Captcha(), PIN)), {}, "WW107", "captcha+ pin+"),
    "four digits when the code fails": (
        Flow(fallback(EmailOtp(attempts=1), PIN)),
        {},
        "WW107",
        "email_otp- pin+",
    ),
    "six digits, or a CAPTCHA": (Flow(one_of(Captcha(), EmailOtp(length=6))), {}, "WW107", "email_otp+"),
    "six digits on the way without the password": (
        Flow(one_of(Srp(), EmailOtp(length=6))),
        {},
        "WW107",
        "email_otp+",
    ),
    "a factor of which nobody says how it is guessed": (Flow(Silent()), {}, "WW107", "silent+"),
    "seven digits and fifty guesses a day": (
        Flow(EmailOtp(length=7), limits=Limits(guesses="50/day")),
        {},
        "WW107",
        "email_otp+",
    ),
    "mail to whoever names a user": (Flow(EmailOtp()), {}, "WW201", ""),
    "mail after wrong answers": (
        Flow(fallback(PASSKEY, EmailOtp())),
        {},
        "WW201",
        "passkey- passkey- passkey-",
    ),
    "what is asked tells who exists": (
        Flow(sequence(when(GOLD, Captcha()), PASSKEY)),
        {},
        "WW202",
        "",
    ),
    "no way around the CAPTCHA": (
        Flow(sequence(Srp(), Captcha(), EmailOtp())),
        {},
        "WW203",
        "srp_a+ password_verifier+ captcha+ email_otp+",
    ),
    "no way around the CAPTCHA in one app": (
        Flow(sequence(when(client("kiosk"), Captcha()), PASSKEY)),
        {},
        "WW203",
        "captcha+ passkey+",
    ),
}

SOUND = {
    # name: (flow, what is asked of the check)
    "password": (Flow(Srp()), {"require": "password"}),
    "code of eight digits": (Flow(EmailOtp()), {"require": "possession"}),
    "password, then code": (Flow(sequence(Srp(), EmailOtp(length=6))), {"require": BOTH}),
    "password, CAPTCHA, code": (Flow(sequence(Srp(), Captcha(), EmailOtp(length=6)), require=BOTH), {}),
    "CAPTCHA, then code": (Flow(sequence(Captcha(), EmailOtp())), {"require": "captcha and possession"}),
    "CAPTCHA or proof of work, then code": (Flow(sequence(one_of(Captcha(), WORK), EmailOtp())), {}),
    "password or code": (Flow(one_of(Srp(), EmailOtp())), {"require": "knowledge or possession"}),
    "password and short code, or long code": (
        Flow(one_of(sequence(Srp(), named("short", EmailOtp(length=6))), EmailOtp())),
        {"require": "possession"},
    ),
    "passkey, else recovery code": (Flow(fallback(PASSKEY, RECOVERY)), {"require": "passkey or recovery_code"}),
    "any two of three factors": (
        Flow(sequence(Srp(), at_least(2, EmailOtp(length=6), TOTP, FACE))),
        {"require": "knowledge and (possession or inherence)"},
    ),
    "all in any order": (Flow(all_of(PIN, TOTP, EmailOtp(length=6))), {"require": BOTH}),
    "more for one app": (
        Flow(sequence(Srp(), when(client("admin"), PASSKEY, otherwise=EmailOtp(length=6)))),
        {"require": BOTH},
    ),
    "two apps, each with its own way": (
        # Nobody comes through both, so nobody gets through on the two CAPTCHAs.
        Flow(
            sequence(
                when(client("web"), Captcha(), otherwise=EmailOtp()),
                when(client("kiosk"), WORK, otherwise=named("code", EmailOtp())),
            )
        ),
        {},
    ),
    "more for gold, with the attribute looked after": (
        Flow(
            sequence(Srp(), when(GOLD, PASSKEY, otherwise=EmailOtp(length=6))),
            accept={"WW204": "no client may write it", "WW202": "behind the password"},
        ),
        {"require": BOTH},
    ),
    "old clients that always send SRP_A": (Flow(EmailOtp(), unwanted_srp="ignore"), {"require": "possession"}),
    "a guest book, knowingly": (Flow(Captcha(), accept={"WW101": "it opens a guest book only"}), {}),
}
