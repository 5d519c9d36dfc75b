"""A link and a code in one mail: proves that the user can read the mailbox of a verified address."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import Attribute, evolve, field, frozen

from watchword import Challenge, CreateRequest, Email, Verdict, VerifyRequest, hookimpl
from watchword.contract import Factor, RegisterKind, choice, flag, line, refused, whole_number
from watchword_plugins.texts.codes import ALPHABETS, chance_of_code, code_challenge, judge_code
from watchword_plugins.texts.mail import address_of, shown_address, why_no_mail, write_mail
from watchword_plugins.texts.redirects import as_redirects, is_app_scheme, pairs_of, redirects_by_name
from watchword_plugins.texts.settings import folder, locale, names_what_it_needs

if TYPE_CHECKING:
    from watchword_plugins.texts.templates import Shelf

_SHIPPED = {"same_browser": "templates/link", "anywhere": "templates/link_anywhere"}
_PLACEHOLDERS = {
    "subject.txt": frozenset({"minutes", "ref", "app"}),  # neither code nor link: subjects show on locked screens
    "txt": frozenset({"link", "code", "minutes", "ref", "app"}),
    "html": frozenset({"link", "code", "minutes", "ref", "app"}),
}


def _opens(instance: MagicLink, attribute: Attribute[Any], value: Any) -> None:
    choice("same_browser", "anywhere")(instance, attribute, value)
    if value == "anywhere" and any(map(is_app_scheme, instance.redirects.values())):
        # RFC 8252 8.1: several apps may claim one scheme, and the link alone would sign any of them in.
        why = 'must be "same_browser" with an app\'s own scheme, which any app may claim; or lead to https:// alone'
        raise refused(instance, attribute, why)


# Not slotted: the templates are kept in the instance, and are read once.
@names_what_it_needs
@frozen(slots=False)
class MagicLink:
    """Ask for a click on a link that goes out by e-mail, or for the code beside it.

    The link is good in the sign-in that asked for it, whose browser holds its session; elsewhere the page that it leads to says
    to type the code where the sign-in began. Programs that visit links in mail before their reader does use nothing up. An answer
    is the link's ticket, which is all behind the ``#``, or the code; line ends and spaces in a ticket do not count, nor does a
    ``#`` or an address before it.

    Nobody gets mail whose address is not verified or is not exactly one plain address; such a user, and one who does
    not exist, is asked all the same, and nothing is right. NIST SP 800-63B-4 3.1.3.1 does not admit e-mail as an authenticator:
    no AAL is reached by it.

    Attributes:
        redirects: where a link leads, by name; a client names one (``watchword_redirect``), and the first is taken if it names
            none. ``https://``, or ``http://`` on this machine, or the scheme of an app such as ``com.example.app:/sign-in``.
        opens: ``same_browser``, or ``anywhere``: the link alone signs in, in whatever browser it is opened. Its page has to wait for
            a click then, or a program that visits links signs in.
        length: symbols of the code, 6 to 12. Take 8 or more where the kind is the only factor.
        alphabet: ``digits``, or ``letters``: the 20 consonants of RFC 8628 6.1. Both give 19.9 bits or more.
        attempts: tries per sign-in, 1 to 10.
        lifetime: seconds for an answer, 60 to 600 (NIST SP 800-63B-4: invalid after 10 minutes).
        resend_after: seconds before another message may be asked for, 16 to 600.
        templates: path of a folder with your own ``en.subject.txt``, ``en.txt`` and ``en.html``, and so for each
            language, which say where the link works; placeholders are ``$link`` and ``$code`` (not in the subject), ``$minutes``, ``$ref`` and ``$app``.
        locale: language for users whose attribute ``locale`` asks for none that is there.
        app: name of the application, for the templates; may be empty.
        verified_only: send only where ``email_verified`` is true.
    """

    kind: ClassVar[str] = "magic_link"
    proves = frozenset[Factor]({"possession"})
    channel: ClassVar[str] = "email"
    methods: ClassVar[tuple[str, ...]] = ("link", "email")
    longest_answer: ClassVar[int] = 2048
    cosmetic: ClassVar[frozenset[str]] = frozenset({"redirects", "templates", "locale", "app"})

    redirects: Mapping[str, str] = field(
        converter=as_redirects,
        validator=redirects_by_name,
        eq=pairs_of,
        kw_only=True,
        metadata={"example": {"web": "https://app.example/sign-in"}},
    )
    opens: Literal["same_browser", "anywhere"] = field(default="same_browser", validator=_opens)
    length: int = field(default=8, validator=whole_number(6, 12))
    alphabet: str = field(default="digits", validator=choice(*ALPHABETS))
    attempts: int = field(default=3, validator=whole_number(1, 10))
    lifetime: int = field(default=180, validator=whole_number(60, 600))
    resend_after: int = field(default=60, validator=whole_number(16, 600))
    templates: str | None = field(default=None, validator=folder())
    locale: str = field(default="en", validator=locale())
    app: str = field(default="", validator=line(64))
    verified_only: bool = field(default=True, validator=flag())

    def prepare(self) -> None:
        """Read and check the templates.

        Raises:
            ConfigurationError: if a template is missing, too big, outside its folder, lacks ``$link`` or ``$code``, or has a
                placeholder that there is not; it names the file.
        """
        self._shelf.check(self.locale)

    def create(self, request: CreateRequest) -> Challenge:
        """Make the code, and the message with it and the link; no message for a user who cannot receive one."""
        address = address_of(request.user, verified_only=self.verified_only)
        shown, write = shown_address(request, address), partial(self._message, request, address) if address else None
        reason = "" if address else why_no_mail(request.user)
        made = code_challenge(request, self.alphabet, self.length, shown=shown, write=write, reason=reason)
        return evolve(made, public={**made.public, "link": self.opens})

    def offer(self, request: CreateRequest) -> Challenge:
        """Ask for the ticket of a link that was sent before: no code is right here."""
        return Challenge(public={"link": self.opens})

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the ticket of a link, or the typed code."""
        answer: object = request.answer
        if isinstance(answer, str) and "." in answer:  # a code has no dot
            return request.redeem(answer)
        return judge_code(request, answer, self.alphabet, self.length)

    def guess_probability(self) -> float:
        """Return the chance of one guess at the code; nobody guesses a ticket."""
        return chance_of_code(self.alphabet, self.length)

    def _message(self, request: CreateRequest, address: str, code: str) -> Email:
        redirect = self.redirects[request.redirect or next(iter(self.redirects))]
        values = {
            # In the fragment, which no browser sends to any server: not the page's own, and in no Referer.
            "link": f"{redirect}#{request.ticket()}",
            "code": code,
            "minutes": str(self.lifetime // 60),
            "ref": request.ref,
            "app": self.app,
        }
        templates = self._shelf.templates[self._shelf.language_of(request.user, self.locale)]
        return write_mail(address, templates, values)

    @cached_property
    def _shelf(self) -> Shelf:
        """Subject, text and HTML by language."""
        from watchword_plugins.texts.templates import read_shelf  # noqa: PLC0415 - only Create needs it

        return read_shelf(self.kind, self.templates, _SHIPPED[self.opens], _PLACEHOLDERS)


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `MagicLink`."""
    register(MagicLink)
