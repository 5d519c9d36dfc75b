"""A code by e-mail: proves that the user can read the mailbox of a verified address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import Attribute, field, frozen

from watchword import (
    Challenge,
    ConfigurationError,
    CreateRequest,
    Email,
    User,
    Verdict,
    VerifyRequest,
    hookimpl,
    typed_code,
)
from watchword.contract import Factor, RegisterKind, choice, flag, line, refused, whole_number

if TYPE_CHECKING:
    from pathlib import Path
    from string import Template

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

_PARTS = ("subject.txt", "txt", "html")
_PLACEHOLDERS = {
    "subject.txt": frozenset({"minutes", "ref", "app"}),  # no code: subjects show on locked screens
    "txt": frozenset({"code", "minutes", "ref", "app"}),
    "html": frozenset({"code", "minutes", "ref", "app"}),
}
_MOST_TEMPLATE_BYTES = 100_000
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_LONGEST_PATH = 4096  # of Linux
_LONGEST_LOCALE = 35  # RFC 5646 4.4.1


def _locale(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or len(value) > _LONGEST_LOCALE or not _LOCALE.fullmatch(value):
        raise refused(instance, attribute, 'must be a language tag in lower case, such as "en" or "pt-br"')


def _folder(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None and (not isinstance(value, str) or not 0 < len(value) <= _LONGEST_PATH or "\0" in value):
        raise refused(
            instance, attribute, "must be the path of a folder, or be left out for the templates that come along"
        )


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
    cosmetic: ClassVar[frozenset[str]] = frozenset({"templates", "locale", "app", "always_show_destination"})

    length: int = field(default=8, validator=whole_number(6, 12))
    alphabet: str = field(default="digits", validator=choice(*ALPHABETS))
    attempts: int = field(default=3, validator=whole_number(1, 10))
    lifetime: int = field(default=180, validator=whole_number(60, 600))
    resend_after: int = field(default=60, validator=whole_number(16, 600))
    templates: str | None = field(default=None, validator=_folder)
    locale: str = field(default="en", validator=_locale)
    app: str = field(default="", validator=line(64))
    verified_only: bool = field(default=True, validator=flag())
    always_show_destination: bool = field(default=False, validator=flag())

    def prepare(self) -> None:
        """Read and check the templates.

        Raises:
            ConfigurationError: if a template is missing, too big, outside its folder, or has a placeholder that there
                is not; it names the file.
        """
        if self.locale not in self._shelf:
            raise ConfigurationError(
                f'{self.kind}: locale is "{self.locale}", but there are templates for {", ".join(sorted(self._shelf))} '
                f"only; choose one of these, or add {', '.join(f'{self.locale}.{part}' for part in _PARTS)}"
            )

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

        subject, text, html = self._shelf[self._language(request.user)]
        values = {"code": code, "minutes": str(self.lifetime // 60), "ref": request.ref, "app": self.app}
        return Email(
            to=address,
            subject=" ".join(subject.substitute(values).split()),  # one line, whatever the template is
            text=text.substitute(values),
            html=html.substitute({name: escape(value) for name, value in values.items()}),
        )

    def _language(self, user: User) -> str:
        """Return the language for *user*: always one that was read already, so that no attribute names a file."""
        wanted = user.attributes.get("locale", "")[:_LONGEST_LOCALE].lower().replace("_", "-")
        for language in (wanted, wanted.partition("-")[0], self.locale):
            if language in self._shelf:
                return language
        return min(self._shelf)

    @cached_property
    def _shelf(self) -> Mapping[str, tuple[Template, Template, Template]]:
        """Subject, text and HTML by language."""
        return _read_templates(self.templates)


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


def _read_templates(folder: str | None) -> Mapping[str, tuple[Template, Template, Template]]:
    from pathlib import Path  # noqa: PLC0415 - only Create needs it

    shipped = Path(__file__).with_name("templates")
    root = shipped if folder is None else Path(folder)
    try:
        root = root.resolve()
        found = root.is_dir()
    except (OSError, ValueError):  # a name that is too long, a folder that cannot be entered, half a surrogate pair
        found = False
    if not found:
        raise ConfigurationError(f"email_otp: templates: {str(folder)[-200:]!r} is no folder; give the path of one")
    languages = sorted({file.name.partition(".")[0] for part in _PARTS for file in root.glob(f"*.{part}")})
    if not languages:
        raise ConfigurationError(
            f"email_otp: templates: {folder!r} holds no templates; add en.subject.txt, en.txt and en.html"
        )
    shelf: dict[str, tuple[Template, Template, Template]] = {}
    for language in languages:
        if not _LOCALE.fullmatch(language):
            raise ConfigurationError(
                f"email_otp: templates: {language!r} is no language tag; name files as en.txt or pt-br.txt, in lower case"
            )
        subject, text, html = (_read_template(root, f"{language}.{part}", _PLACEHOLDERS[part]) for part in _PARTS)
        shelf[language] = (subject, text, html)
    return shelf


def _read_template(root: Path, name: str, allowed: frozenset[str]) -> Template:
    from string import Template  # noqa: PLC0415 - only Create needs it

    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise ConfigurationError(f"email_otp: template {name} is a link out of its folder; put the file itself there")
    if not file.is_file():
        raise ConfigurationError(f"email_otp: template {name} is missing; add it to {root}")
    if file.stat().st_size > _MOST_TEMPLATE_BYTES:
        raise ConfigurationError(f"email_otp: template {name} has more than {_MOST_TEMPLATE_BYTES} bytes; shorten it")
    try:
        template = Template(file.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"email_otp: template {name} is not UTF-8; save it as UTF-8") from error
    if not template.is_valid():
        raise ConfigurationError(f"email_otp: template {name} has a lone $; write $$ for a dollar sign")
    found = set(template.get_identifiers())
    listed = ", ".join(f"${placeholder}" for placeholder in sorted(allowed))
    for placeholder in sorted(found - allowed):
        raise ConfigurationError(f"email_otp: template {name} has ${placeholder}; there is only {listed}")
    if "code" in allowed - found:
        raise ConfigurationError(f"email_otp: template {name} has no $code; nobody could sign in")
    return template


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `EmailOtp`."""
    register(EmailOtp)
