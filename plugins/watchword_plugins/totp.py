"""Codes of an authenticator app: time-based one-time passwords (TOTP, RFC 6238)."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from attrs import Attribute, evolve, field, frozen

from watchword import Challenge, CreateRequest, User, Verdict, VerifyRequest, hookimpl, typed_code
from watchword.contract import (
    BeginRequest,
    CompleteRequest,
    Enrolment,
    Factor,
    KindRequest,
    NewCredential,
    RegisterKind,
    line,
    refused,
    whole_number,
)

_SECRET_BYTES = 20  # RFC 4226 4, R6: 128 bits at least, 160 recommended
_LONGEST_ACCOUNT = 128
_DIGITS = frozenset("0123456789")


def _issuer(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    line(64)(instance, attribute, value)
    if ":" in value:  # an app takes what is before the colon for the issuer
        raise refused(instance, attribute, "must hold no colon")


@frozen
class Totp:
    """Ask for the code that an authenticator app shows.

    A user enrols by a URI, which apps read from a QR code, and by typing the first code. The secret is derived from a root
    key: nothing secret is stored. Each time step counts once, over all sign-ins: RFC 6238 5.2 demands it.

    Apps know six digits every 30 seconds, by SHA-1. Several take no notice of other values, so keep the defaults unless you
    choose the app. Who changes ``digits`` or ``period`` makes everybody enrol again.

    Attributes:
        digits: length of the code, 6 to 8.
        period: seconds of a time step, 15 to 120 (NIST SP 800-63B-4 3.1.4.1: at most two minutes).
        drift: by how many steps the clocks of app and server may differ, 0 to 2. RFC 6238 5.2 recommends one.
        issuer: your name, as apps show it; one line of at most 64 characters, without a colon.
        attempts: tries per sign-in, 1 to 5.
        lifetime: seconds for an answer, 60 to 600.
    """

    kind: ClassVar[str] = "totp"
    proves = frozenset[Factor]({"possession"})
    remembers: ClassVar[Literal["one", "many"]] = "one"
    methods: ClassVar[tuple[str, ...]] = ("otp",)
    called: ClassVar[Mapping[str, str]] = {
        "ar": "تطبيق مصادقة",
        "de": "Authenticator-App",
        "en": "authenticator app",
        "es": "aplicación de autenticación",
        "fr": "application d'authentification",
        "it": "app di autenticazione",
        "ja": "認証アプリ",
        "nl": "authenticator-app",
        "pl": "aplikacja uwierzytelniająca",
        "pt-br": "aplicativo autenticador",
    }
    requires_create: ClassVar[tuple[str, ...]] = ("pyotp",)
    requires_verify: ClassVar[tuple[str, ...]] = ("pyotp",)
    extra: ClassVar[str] = "watchword[totp]"
    cosmetic: ClassVar[frozenset[str]] = frozenset({"issuer"})

    digits: int = field(default=6, validator=whole_number(6, 8))
    period: int = field(default=30, validator=whole_number(15, 120))
    drift: int = field(default=1, validator=whole_number(0, 2))
    issuer: str = field(default="", validator=_issuer)
    attempts: int = field(default=3, validator=whole_number(1, 5))
    lifetime: int = field(default=180, validator=whole_number(60, 600))

    def create(self, request: CreateRequest) -> Challenge:
        """Ask for the code. Everybody is asked alike, whoever has enrolled."""
        return self.offer(request)

    def offer(self, request: CreateRequest) -> Challenge:
        """Ask for the code where the client may answer another option instead."""
        return Challenge(public={"digits": str(self.digits)})

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed code: right once, at a time step after the last that was used."""
        code = self._read(request.answer)
        if code is None:
            return Verdict(right=False, reason="malformed")
        if not request.credentials:
            # As much work as for somebody who has enrolled. Whatever comes of it is not right.
            self._matched(request, request.pseudonym("nobody"), request.root_key, code)
            return Verdict(right=False, reason="no_credential")
        reason = "wrong"
        for credential in request.credentials:
            step = self._matched(request, credential.id, credential.state.get("root", ""), code)
            last = _last_step(credential.state)
            if step is None or last is None:
                continue
            if step > last:
                return Verdict(right=True, use=evolve(credential, state={**credential.state, "step": str(step)}))
            reason = "step_used"
        return Verdict(right=False, reason=reason)

    def begin(self, request: BeginRequest) -> Enrolment:
        """Show the secret: as a URI for a QR code, and in base32 for typing."""
        from pyotp.totp import TOTP  # noqa: PLC0415 - only enrolment and Verify need it

        secret = _secret(request, request.id, request.root_key)
        name, issuer = _account(request.user), self.issuer or None
        app = TOTP(secret, digits=self.digits, interval=self.period, name=name, issuer=issuer)
        return Enrolment(
            public={
                "otpauth_uri": app.provisioning_uri(),
                "secret": secret,
                "digits": str(self.digits),
                "period": str(self.period),
            },
            private={"id": request.id, "root": request.root_key},
        )

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        """Take the first code. Its time step counts as used."""
        code = self._read(request.answer)
        if code is None:
            return Verdict(right=False, reason="malformed")
        id_, root = request.private.get("id", ""), request.private.get("root", "")
        step = self._matched(request, id_, root, code)
        if step is None:
            return Verdict(right=False, reason="wrong")
        return NewCredential(id_, {"root": root, "step": str(step)}, request.label)

    def guess_probability(self) -> float:
        """Return the chance of one guess: as many codes are right at once as there are steps within the drift."""
        return (2 * self.drift + 1) / 10.0**self.digits

    def _read(self, answer: object) -> str | None:
        """Return the code that *answer* stands for, or None if it cannot be one."""
        # Before pyotp sees it: its own comparison takes full-width digits.
        code = typed_code(answer)
        return code if code is not None and len(code) == self.digits and set(code) <= _DIGITS else None

    def _matched(self, request: KindRequest, id_: str, root: str, code: str) -> int | None:
        """Return the last time step within the drift at which *code* is right; None if there is none."""
        from pyotp.hotp import HOTP  # noqa: PLC0415 - only enrolment and Verify need it

        app, now = HOTP(_secret(request, id_, root), digits=self.digits), int(request.now // self.period)
        steps = range(max(0, now - self.drift), now + self.drift + 1)
        # All are compared, so that the time tells nothing. The last one counts: were the first of two alike taken, the same
        # code would be right again.
        found = [step for step in steps if hmac.compare_digest(app.at(step), code)]
        return found[-1] if found else None


def _secret(request: KindRequest, id_: str, root: str) -> str:
    """Return the secret of the credential *id_*, in base32."""
    return b32encode(request.derive(id_, root)[:_SECRET_BYTES]).decode("ascii")


def _last_step(state: Mapping[str, str]) -> int | None:
    """Return the last time step that was used; None if it cannot be read, and then nothing is right."""
    text = state.get("step", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _account(user: User) -> str:
    """Return the name under which an app keeps the secret: an address that is the user's own, or the user's name.

    Nothing else that a user or a stranger wrote: no colon, which would name an issuer, no path, and only what can be seen.
    """
    address = user.attributes.get("email", "") if user.attributes.get("email_verified", "").lower() == "true" else ""
    for name in (address, user.name if user.known else ""):
        if 0 < len(name) <= _LONGEST_ACCOUNT and name.isprintable() and not set(name) & {":", "/"}:
            return name
    return "account"


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Totp`."""
    register(Totp)
