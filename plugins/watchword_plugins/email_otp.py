"""A code by e-mail: proves that the user can read the mailbox of a verified address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from attrs import field, frozen

from watchword import (
    Challenge,
    CreateRequest,
    Email,
    User,
    Verdict,
    VerifyRequest,
    hookimpl,
    typed_code,
)
from watchword.contract import Factor, RegisterKind, choice, flag, line, whole_number
from watchword_plugins.texts.settings import folder, locale

if TYPE_CHECKING:
    from watchword_plugins.texts.templates import Shelf

ALPHABETS: Mapping[str, str] = {
    "digits": "0123456789",
    # RFC 8628 6.1: no vowels, so no words; no look-alikes.
    "letters": "BCDFGHJKLMNPQRSTVWXZ",
}


# RFC 5321 4.1.2, narrowed: a dot-atom without "%", "!" and "?" (routes, encoded words), at a host name of two labels or more.
_ATOM = r"[A-Za-z0-9#$&'*+/=^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64

_PLACEHOLDERS = {
    "subject.txt": frozenset({"minutes", "ref", "app"}),  # no code: subjects show on locked screens
    "txt": frozenset({"code", "minutes", "ref", "app"}),
    "html": frozenset({"code", "minutes", "ref", "app"}),
}


# Not slotted: the templates are kept in the instance, and are read once.
@frozen(slots=False)
class EmailOtp:
    """Ask for a code that goes out by e-mail.

    An answer may hold spaces and hyphens anywhere; letters may be in upper or lower case. Everything else that is not a
    symbol of the alphabet, and every character outside ASCII (full-width digits too), is a wrong answer.

    Nobody gets mail whose address is not verified or is not exactly one plain address; such a user, and one who does
    not exist, is asked for a code all the same, and none is right. Addresses are ASCII: an international domain is
    written as ``xn--…``. NIST SP 800-63B-4 3.1.3.1 does not admit e-mail as an authenticator: no AAL is reached by it.

    Attributes:
        length: symbols of the code, 6 to 12. Take 8 or more where the code is the only factor.
        alphabet: ``digits``, or ``letters``: the 20 consonants of RFC 8628 6.1. Both give 19.9 bits or more.
        attempts: tries per sign-in, 1 to 10.
        lifetime: seconds for an answer, 60 to 600 (NIST SP 800-63B-4: invalid after 10 minutes).
        resend_after: seconds before another message may be asked for, 16 to 600.
        templates: path of a folder with your own ``en.subject.txt``, ``en.txt`` and ``en.html``, and so for each
            language; placeholders are ``$code`` (not in the subject), ``$minutes``, ``$ref`` and ``$app``.
        locale: language for users whose attribute ``locale`` asks for none that is there.
        app: name of the application, for the templates; may be empty.
        verified_only: send only where ``email_verified`` is true.
        always_show_destination: show the masked address also before a factor is proven. Only where nobody can sign in
            by an alias, an address or a telephone number, and every name is one that its user chose: otherwise one
            request tells a stranger who exists.
    """

    kind: ClassVar[str] = "email_otp"
    proves = frozenset[Factor]({"possession"})
    channel: ClassVar[str] = "email"
    methods: ClassVar[tuple[str, ...]] = ("otp", "email")
    cosmetic: ClassVar[frozenset[str]] = frozenset({"templates", "locale", "app", "always_show_destination"})

    length: int = field(default=8, validator=whole_number(6, 12))
    alphabet: str = field(default="digits", validator=choice(*ALPHABETS))
    attempts: int = field(default=3, validator=whole_number(1, 10))
    lifetime: int = field(default=180, validator=whole_number(60, 600))
    resend_after: int = field(default=60, validator=whole_number(16, 600))
    templates: str | None = field(default=None, validator=folder())
    locale: str = field(default="en", validator=locale())
    app: str = field(default="", validator=line(64))
    verified_only: bool = field(default=True, validator=flag())
    always_show_destination: bool = field(default=False, validator=flag())

    def prepare(self) -> None:
        """Read and check the templates.

        Raises:
            ConfigurationError: if a template is missing, too big, outside its folder, or has a placeholder that there
                is not; it names the file.
        """
        self._shelf.check(self.locale)

    def create(self, request: CreateRequest) -> Challenge:
        """Make the code and the message that carries it; no message for a user who cannot receive one."""
        code = request.code(ALPHABETS[self.alphabet], self.length)
        address = self._address(request.user)
        destination = request.carry.get("destination", "") if request.again else ""
        destination = destination or self._shown(request, address)
        return Challenge(
            public={"destination": destination},
            # What is sealed for somebody who gets no message holds a colon, and no answer that is read does.
            private={"digest": request.seal(code if address else f"unsent:{code}")},
            carry={"destination": destination},
            messages=(self._message(request, address, code),) if address and not request.again else (),
            reason="" if address else self._why_none(request.user),
        )

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed code."""
        code = self._read(request.answer)
        if code is None:
            return Verdict(right=False, reason="malformed")
        if request.matches(request.private.get("digest"), code):
            return Verdict(right=True)
        return Verdict(right=False, reason="wrong")

    def guess_probability(self) -> float:
        """Return the chance of one guess: one in as many codes as there are."""
        return float(len(ALPHABETS[self.alphabet])) ** -self.length

    def _read(self, answer: object) -> str | None:
        """Return the code that *answer* stands for, or None if it cannot be one."""
        code = typed_code(answer)
        return (
            code
            if code is not None and len(code) == self.length and set(code) <= set(ALPHABETS[self.alphabet])
            else None
        )

    def _address(self, user: User) -> str:
        """Return the address that may be written to, or nothing."""
        address = user.attributes.get("email", "")
        # Cognito writes "true", other hosts "True".
        verified = user.attributes.get("email_verified", "").lower() == "true"
        return address if user.known and (verified or not self.verified_only) and _is_address(address) else ""

    def _why_none(self, user: User) -> str:
        """Return the word for the audit that says why *user* gets no mail."""
        if not user.known:
            return ""
        address = user.attributes.get("email", "")
        if not _is_address(address):
            return "unusable_address" if address else "no_address"
        return "unverified_address"

    def _shown(self, request: CreateRequest, address: str) -> str:
        """Return the destination that the client may see: nothing while strangers look on."""
        user = request.user
        if request.proven and not user.known:
            # No host lets it come to this; if one does, it looks as it does for a user.
            return _masked(user.name if _is_address(user.name) else _made_up(request))
        if request.proven:
            known = address or user.attributes.get("email", "")
            return _masked(known) if _is_address(known) else ""
        if not self.always_show_destination:
            return ""
        # Who typed an address expects to see that one, whoever it belongs to and wherever mail would go.
        return _masked(user.name if _is_address(user.name) else address or _made_up(request))

    def _message(self, request: CreateRequest, address: str, code: str) -> Email:
        from html import escape  # noqa: PLC0415 - only Create needs it

        subject, text, html = self._shelf.templates[self._shelf.language_of(request.user, self.locale)]
        values = {"code": code, "minutes": str(self.lifetime // 60), "ref": request.ref, "app": self.app}
        return Email(
            to=address,
            subject=" ".join(subject.substitute(values).split()),  # one line, whatever the template is
            text=text.substitute(values),
            html=html.substitute({name: escape(value) for name, value in values.items()}),
        )

    @cached_property
    def _shelf(self) -> Shelf:
        """Subject, text and HTML by language."""
        from watchword_plugins.texts.templates import read_shelf  # noqa: PLC0415 - only Create needs it

        return read_shelf(self.kind, self.templates, "templates", _PLACEHOLDERS)


def _is_address(value: str) -> bool:
    """Say whether *value* is exactly one plain address (RFC 5321 4.5.3.1 for the lengths)."""
    # Length first: the pattern never runs over a long text.
    return (
        len(value) <= _LONGEST_ADDRESS
        and _ADDRESS.fullmatch(value) is not None
        and len(value.partition("@")[0]) <= _LONGEST_LOCAL_PART
    )


def _masked(address: str) -> str:
    """Return ``a***@e***`` for ann@example.com, as Cognito does."""
    local, _, domain = address.lower().partition("@")
    return f"{local[0]}***@{domain[0]}***"


def _made_up(request: CreateRequest) -> str:
    """Return an address to be masked for a user who gets no message: stable, and as plausible as can be.

    Somebody whose address is not verified expects to see it all the same.
    """
    if _is_address(request.user.attributes.get("email", "")):
        return request.user.attributes["email"]
    # All spellings by which the host finds one user have one key, whether anybody has the name or not.
    number = int(request.pseudonym(request.user.key)[:12], 16)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"{letters[number % 26]}@{letters[number // 26 % 26]}"


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `EmailOtp`."""
    register(EmailOtp)
