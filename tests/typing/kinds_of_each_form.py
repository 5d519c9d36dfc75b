"""Kinds of each form, for type checkers only: what is assigned here must be what it is said to be."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from watchword import (
    Challenge,
    CreateRequest,
    Flow,
    Kind,
    Verdict,
    VerifyRequest,
    enrol,
    enrolled,
    fallback,
    named,
    sequence,
    when,
)
from watchword.contract.kinds import Factor, HostRun
from watchword.contract.ports import Permission
from watchword.contract.powers import (
    Enrols,
    Guessable,
    NeedsModules,
    NeedsPermissions,
    Offers,
    Prepares,
    Remembers,
    Sends,
)
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp


class Plain:
    """Without settings; everything stands in the class."""

    kind: ClassVar[str] = "plain"
    proves = frozenset[Factor]()
    cognitive: ClassVar[bool] = True

    def create(self, request: CreateRequest) -> Challenge:
        """Ask."""
        return Challenge(private={"digest": request.seal(request.code("abc", 20))})

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge."""
        return Verdict(right=request.matches(request.private.get("digest"), request.answer))


@frozen
class BySetting:
    """Which factors it proves, a setting decides; so does what it may do on AWS, and how soon it sends again."""

    kind: ClassVar[str] = "by_setting"
    channel: ClassVar[str] = "sms"
    cosmetic: ClassVar[frozenset[str]] = frozenset({"region"})

    bound: bool = True
    region: str = "eu-west-1"
    attempts: int = 5
    resend_after: int = field(default=60)

    @property
    def proves(self) -> frozenset[Factor]:
        """A phone that is bound to its user, or nothing."""
        return frozenset[Factor]({"possession"}) if self.bound else frozenset[Factor]()

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Sending, in the region."""
        return (Permission(("sms-voice:SendTextMessage",), (f"arn:aws:sms-voice:{self.region}:*:*",)),)

    def create(self, request: CreateRequest) -> Challenge:
        """Ask."""
        return Challenge()

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge."""
        return Verdict(right=False)


@frozen
class WithEveryPower:
    """Every power that there is, as methods and in the class."""

    kind: ClassVar[str] = "every_power"
    proves = frozenset[Factor]({"knowledge", "possession"})
    channel: ClassVar[str] = "email"
    requires_create: ClassVar[tuple[str, ...]] = ("json",)
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "acme[json]"

    resend_after: int = 60
    permissions: tuple[Permission, ...] = ()

    def prepare(self) -> None:
        """Set it up."""

    def guess_probability(self) -> float:
        """Return a chance."""
        return 1e-6

    def create(self, request: CreateRequest) -> Challenge:
        """Ask."""
        return Challenge()

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge."""
        return Verdict(right=False)


@frozen
class WithSettingsNamedLikeMembers:
    """Settings that mean something else by the words of powers."""

    kind: ClassVar[str] = "homonyms"
    proves = frozenset[Factor]({"knowledge"})

    channel: str = "general"
    extra: str = "with cheese"
    prepare: bool = False

    def create(self, request: CreateRequest) -> Challenge:
        """Ask."""
        return Challenge()

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge."""
        return Verdict(right=False)


kinds: tuple[Kind, ...] = (
    Plain(),
    BySetting(),
    WithEveryPower(),
    WithSettingsNamedLikeMembers(),
    Captcha(),
    EmailOtp(),
    Totp(),
    RecoveryCodes(),
)
host_run: HostRun = Srp()
senders: tuple[Sends, ...] = (BySetting(), WithEveryPower(), EmailOtp())
needing_modules: tuple[NeedsModules, ...] = (WithEveryPower(), Captcha(), ProofOfWork())
needing_permissions: tuple[NeedsPermissions, ...] = (BySetting(), WithEveryPower())
preparing: tuple[Prepares, ...] = (WithEveryPower(), Captcha(), EmailOtp(), ProofOfWork())
remembering: tuple[Remembers, ...] = (Totp(), RecoveryCodes())
enrolling: tuple[Enrols, ...] = (Totp(), RecoveryCodes())
offering: tuple[Offers, ...] = (Totp(),)
guessable: tuple[Guessable, ...] = (WithEveryPower(), Captcha(), EmailOtp(), ProofOfWork())
flow = Flow(
    sequence(Srp(), named("first", Plain()), fallback(BySetting(), WithEveryPower()), WithSettingsNamedLikeMembers())
)
remembered = Flow(
    sequence(
        Srp(),
        when(enrolled("totp"), named("app", Totp()), otherwise=enrol(Totp())),
        named("spare", enrol(RecoveryCodes())),
    )
)
