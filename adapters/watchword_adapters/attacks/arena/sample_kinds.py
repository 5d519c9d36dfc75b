"""Sample kinds and flows, for attacks that the given flow offers no target for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, ClassVar, cast

from attrs import frozen

from watchword import enrol, named, one_of, sequence
from watchword.algebra.flow import Flow
from watchword.contract.kinds import Challenge, CreateRequest, Factor, Verdict, VerifyRequest
from watchword.loading.registry import Registry


@frozen
class SampleQuestion:
    """A question with a secret answer."""

    kind: ClassVar[str] = "question"
    proves = frozenset[Factor]({"knowledge"})

    attempts: int = 3
    lifetime: int = 180

    def create(self, request: CreateRequest) -> Challenge:
        """Ask."""
        return Challenge(private={"digest": request.seal(request.code("abcdefghij", 12))})

    def verify(self, request: VerifyRequest) -> Verdict:
        """Compare."""
        return Verdict(right=request.matches(request.private.get("digest"), request.answer))


@frozen
class SampleOffer(SampleQuestion):
    """A question that a choice offers."""

    kind: ClassVar[str] = "offer"

    def offer(self, request: CreateRequest) -> Challenge:
        """Ask at once."""
        return self.create(request)


def offering_flow() -> Flow:
    """Return a flow with a choice of which two options are offered, and one is not."""
    return Flow(one_of(SampleOffer(), named("other", SampleOffer()), SampleQuestion()), name="offering")


def holding_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a password, then an app, a passkey or a recovery code; *registry* finds them."""
    srp, codes = (cast("Any", registry.find_kind(name)) for name in ("srp", "recovery_codes"))
    options: list[Any] = [codes()]
    if find_spec("pyotp"):
        options.append(cast("Any", registry.find_kind("totp"))())
    if find_spec("fido2"):
        options.append(cast("Any", registry.find_kind("passkey"))("example.com", ("https://example.com",)))
    return Flow(sequence(srp(), one_of(*options) if len(options) > 1 else options[0]), name="holding")


def enrolling_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a password, a mailed code, and the enrolment of recovery codes; *registry* finds them."""
    srp, email_otp, codes = (cast("Any", registry.find_kind(name)) for name in ("srp", "email_otp", "recovery_codes"))
    return Flow(sequence(srp(), email_otp(length=6), enrol(codes())), name="enrolling")


def own_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a password, a CAPTCHA (where its extra is installed) and a code by e-mail; *registry* finds them."""
    srp, captcha, email_otp = (cast("Any", registry.find_kind(name)) for name in ("srp", "captcha", "email_otp"))
    drawn = [captcha()] if find_spec("captcha") and find_spec("PIL") else []
    return Flow(sequence(srp(), *drawn, email_otp()), name="shipped")


def linking_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a link for the browser that asked, or one that opens anywhere; *registry* finds it."""
    magic_link = cast("Any", registry.find_kind("magic_link"))
    redirects = {"web": "https://app.example/sign-in", "other": "https://other.example/sign-in"}
    return Flow(
        one_of(magic_link(redirects=redirects), named("anywhere", magic_link(redirects=redirects, opens="anywhere"))),
        name="linking",
    )


def texting_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a code by SMS to two countries, bound to an origin; *registry* finds it."""
    sms_otp = cast("Any", registry.find_kind("sms_otp"))
    return Flow(
        sms_otp(length=8, countries=("+49", "+4312"), origin="https://example.com", app="Example"), name="texting"
    )


def working_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: work (where its extra is installed), then a code by e-mail; *registry* finds them."""
    proof_of_work, email_otp = (cast("Any", registry.find_kind(name)) for name in ("proof_of_work", "email_otp"))
    return Flow(sequence(proof_of_work(), email_otp()) if find_spec("altcha") else email_otp(), name="working")


def step_up_flow(registry: Registry) -> Flow:
    """Return a flow of what is shipped: a code by SMS that counts with an access token alone; *registry* finds it."""
    sms_otp = cast("Any", registry.find_kind("sms_otp"))
    return Flow(sms_otp(length=8, countries=("+49",), with_token=True), name="step_up")
