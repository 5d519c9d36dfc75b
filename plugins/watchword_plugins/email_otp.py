"""A code by e-mail: proves that the user can read the mailbox of a verified address."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from attrs import field, frozen

from watchword import (
    Challenge,
    CreateRequest,
    Email,
    Verdict,
    VerifyRequest,
    hookimpl,
)
from watchword.contract import Factor, RegisterKind, choice, flag, line, whole_number
from watchword_plugins.texts.codes import ALPHABETS, chance_of_code, code_challenge, judge_code
from watchword_plugins.texts.mail import (
    address_of,
    is_plain_address,
    made_up,
    masked_address,
    shown_address,
    why_no_mail,
    write_mail,
)
from watchword_plugins.texts.settings import folder, locale

if TYPE_CHECKING:
    from watchword_plugins.texts.templates import Shelf

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
        address = address_of(request.user, verified_only=self.verified_only)
        shown, write = self._shown(request, address), partial(self._message, request, address) if address else None
        reason = "" if address else why_no_mail(request.user)
        return code_challenge(request, self.alphabet, self.length, shown=shown, write=write, reason=reason)

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed code."""
        return judge_code(request, request.answer, self.alphabet, self.length)

    def guess_probability(self) -> float:
        """Return the chance of one guess: one in as many codes as there are."""
        return chance_of_code(self.alphabet, self.length)

    def _shown(self, request: CreateRequest, address: str) -> str:
        """Return the destination that the client may see."""
        user = request.user
        if request.proven or not self.always_show_destination:
            return shown_address(request, address)
        # Who typed an address expects to see that one, whoever it belongs to and wherever mail would go.
        return masked_address(user.name if is_plain_address(user.name) else address or made_up(request))

    def _message(self, request: CreateRequest, address: str, code: str) -> Email:
        templates = self._shelf.templates[self._shelf.language_of(request.user, self.locale)]
        values = {"code": code, "minutes": str(self.lifetime // 60), "ref": request.ref, "app": self.app}
        return write_mail(address, templates, values)

    @cached_property
    def _shelf(self) -> Shelf:
        """Subject, text and HTML by language."""
        from watchword_plugins.texts.templates import read_shelf  # noqa: PLC0415 - only Create needs it

        return read_shelf(self.kind, self.templates, "templates", _PLACEHOLDERS)


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `EmailOtp`."""
    register(EmailOtp)
