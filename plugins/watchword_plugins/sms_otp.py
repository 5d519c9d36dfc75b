"""A code by SMS: proves that the user can read the messages of a verified telephone number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from attrs import Attribute, evolve, field, frozen

from watchword import (
    Challenge,
    ConfigurationError,
    CreateRequest,
    Sms,
    User,
    Verdict,
    VerifyRequest,
    hookimpl,
)
from watchword.contract import Factor, RegisterKind, flag, is_telephone_number, line, refused, whole_number
from watchword_plugins.texts.codes import chance_of_code, code_challenge, judge_code
from watchword_plugins.texts.settings import folder, locale, names_what_it_needs

if TYPE_CHECKING:
    from watchword_plugins.texts.templates import Shelf

_PLACEHOLDERS = {"txt": frozenset({"code", "minutes", "ref", "app"})}
_MOST_PARTS = 4
"""Parts of one text: each is paid for."""

_CODES = """
1 20 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243
244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 27 290 291 297 298
299 30 31 32 33 34 350 351 352 353 354 355 356 357 358 359 36 370 371 372 373 374 375 376 377 378 380 381 382 383 385
386 387 389 39 40 41 420 421 423 43 44 45 46 47 48 49 500 501 502 503 504 505 506 507 508 509 51 52 53 54 55 56 57 58
590 591 592 593 594 595 596 597 598 599 60 61 62 63 64 65 66 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686
687 688 689 690 691 692 7 800 808 81 82 84 850 852 853 855 856 86 870 878 880 881 882 883 886 888 90 91 92 93 94 95 960
961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 98 992 993 994 995 996 998
"""
_COUNTRY_CODES = frozenset(_CODES.split())
"""The country codes that are in use (ITU-T E.164, list annexed to Operational Bulletin 1114)."""
_SERVICES = {"800": "freephone", "808": "shared cost", "979": "premium rate"}
"""Those that are for services and have no telephones (ITU-T E.169.1 to E.169.3)."""

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}", re.ASCII)
_MOST_COUNTRIES = 250

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}", re.ASCII)
_LONGEST_ORIGIN = 300
_LONGEST_WITH_TOKEN = 8192


def _as_prefixes(value: Sequence[str]) -> tuple[str, ...]:
    # Whatever is no list is left for the validator to refuse.
    return tuple(value) if isinstance(value, list) else cast("tuple[str, ...]", value)


def _prefixes(instance: Any, attribute: Attribute[Any], value: object) -> None:
    prefixes = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    if not 0 < len(prefixes) <= _MOST_COUNTRIES:
        raise refused(instance, attribute, 'must list the country prefixes that are written to, such as ["+49", "+43"]')
    for prefix in prefixes:
        if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
            raise refused(instance, attribute, f'has {prefix!r:.40}; write a plus sign and digits, such as "+49"')
        if why := _why_no_country(prefix[1:]):
            raise refused(instance, attribute, f"has {prefix!r}, {why}")


def _why_no_country(digits: str) -> str:
    """Return why numbers that begin with *digits* are not those of one country; nothing if they are."""
    code = next((digits[:length] for length in (1, 2, 3) if digits[:length] in _COUNTRY_CODES), "")
    if code in _SERVICES:
        return f"which is the international service {_SERVICES[code]!r} (ITU-T E.164) and no country; leave it out"
    if code:
        return ""
    if any(each.startswith(digits) for each in _COUNTRY_CODES):
        return "with which several countries begin; write out each"
    return "which no country has as its code (ITU-T E.164); look for a digit too much or too few"


def _origin(instance: Any, attribute: Attribute[Any], value: object) -> None:
    if value == "":
        return
    if not isinstance(value, str) or len(value) > _LONGEST_ORIGIN or not _HOST.fullmatch(_host(value)):
        raise refused(
            instance,
            attribute,
            'must be an origin such as "https://example.com", in lower case, without port and path; browsers know no other',
        )


def _host(origin: str) -> str:
    return origin.removeprefix("https://")


# Not slotted: the templates are kept in the instance, and are read once.
@names_what_it_needs
@frozen(slots=False)
class SmsOtp:
    """Ask for a code that goes out by SMS.

    An answer may hold spaces and hyphens anywhere. Everything else that is no ASCII digit is a wrong answer.

    Nobody gets a message whose number is not verified, is not exactly one number in E.164, or begins with none of *countries*.
    Such a user, and one who does not exist, is asked for a code all the same, and none is right. NIST SP 800-63B-4
    3.1.3.3 restricts the telephone network as a channel: offer another kind too.

    Attributes:
        length: digits of the code, 6 to 10. Take 8 or more where the code is the only factor.
        countries: prefixes of the numbers that are written to, such as ``("+49", "+43")``; there is no default, since every
            country that nobody needs is one where strangers can have you pay. ``+1`` is all of the North American Numbering Plan,
            the Caribbean too, and ``+7`` is Russia and Kazakhstan; a longer prefix such as ``+1212`` narrows it.
        attempts: tries per sign-in, 1 to 10.
        lifetime: seconds for an answer, 60 to 600 (NIST SP 800-63B-4: invalid after 10 minutes).
        resend_after: seconds before another message may be asked for, 16 to 600.
        origin: the site for which browsers fill the code in, such as ``https://example.com``; the last line of the text says it
            (WICG, Origin-bound one-time codes).
        templates: path of a folder with your own ``en.txt``, and so for each language; placeholders are ``$code``, with which
            it begins, ``$minutes``, ``$ref`` and ``$app``.
        locale: language for users whose attribute ``locale`` asks for none that is there.
        app: name of the application, for the templates; may be empty.
        verified_only: send only where ``phone_number_verified`` is true.
        with_token: take a code only with an access token of the same user, app client and user pool, as a step-up of somebody who is
            signed in: an answer is then JSON, ``{"jwt": <access token>, "secretCode": <code>}``.
    """

    kind: ClassVar[str] = "sms_otp"
    proves = frozenset[Factor]({"possession"})
    channel: ClassVar[str] = "sms"
    methods: ClassVar[tuple[str, ...]] = ("otp", "sms")
    cosmetic: ClassVar[frozenset[str]] = frozenset({"templates", "locale", "app", "origin"})

    length: int = field(default=6, validator=whole_number(6, 10))
    countries: tuple[str, ...] = field(
        converter=_as_prefixes, validator=_prefixes, kw_only=True, metadata={"example": ("+1",)}
    )
    attempts: int = field(default=3, validator=whole_number(1, 10))
    lifetime: int = field(default=180, validator=whole_number(60, 600))
    resend_after: int = field(default=60, validator=whole_number(16, 600))
    origin: str = field(default="", validator=_origin)
    templates: str | None = field(default=None, validator=folder())
    locale: str = field(default="en", validator=locale())
    app: str = field(default="", validator=line(64))
    verified_only: bool = field(default=True, validator=flag())
    with_token: bool = field(default=False, validator=flag())

    @property
    def longest_answer(self) -> int:
        """An access token has 1,100 characters, and more for whoever is in many groups."""
        return _LONGEST_WITH_TOKEN if self.with_token else 1024

    def prepare(self) -> None:
        """Read and check the templates.

        Raises:
            ConfigurationError: if a template is missing, too big, outside its folder, has a placeholder that there is not,
                does not begin with the code, or makes a text of more than four parts; it names the file.
        """
        from watchword.contract import SmsSize  # noqa: PLC0415 - only Create needs it

        self._shelf.check(self.locale)
        for language, (template,) in self._shelf.templates.items():
            name = f"{self.kind}: template {language}.txt"
            if not template.template.lstrip().startswith(("$code", "${code}")):
                raise ConfigurationError(
                    f"{name} does not begin with $code; begin with it, since a notice shows the beginning"
                )
            parts = SmsSize.of(self._text(language, "0" * self.length, "B" * 8)).parts
            if parts > _MOST_PARTS:
                raise ConfigurationError(
                    f"{name} makes a text of {parts} parts, of which each is paid for; shorten it to {_MOST_PARTS}"
                )

    def create(self, request: CreateRequest) -> Challenge:
        """Make the code and the message that carries it; no message for a user who cannot receive one."""
        reason = self._why_none(request.user)
        write = partial(self._message, request) if request.user.known and not reason else None
        made = code_challenge(request, "digits", self.length, shown=_shown(request), write=write, reason=reason)
        return evolve(made, public={**made.public, "with_token": "1"}) if self.with_token else made

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge the typed code."""
        answer = request.answer_with_token() if self.with_token else request.answer
        return judge_code(request, answer, "digits", self.length)

    def guess_probability(self) -> float:
        """Return the chance of one guess: one in as many codes as there are."""
        return chance_of_code("digits", self.length)

    def _why_none(self, user: User) -> str:
        """Return the word for the audit that says why *user*, who exists, gets no message; nothing if they get one."""
        if not user.known:
            return ""
        number = user.attributes.get("phone_number", "")
        if not is_telephone_number(number):
            return "unusable_number" if number else "no_number"
        # Cognito writes "true", other hosts "True".
        if self.verified_only and user.attributes.get("phone_number_verified", "").lower() != "true":
            return "unverified_number"
        return "" if number.startswith(self.countries) else "country_not_allowed"

    def _message(self, request: CreateRequest, code: str) -> Sms:
        language = self._shelf.language_of(request.user, self.locale)
        text = self._text(language, code, request.ref)
        return Sms(request.user.attributes["phone_number"], text, expires=request.expires)

    def _text(self, language: str, code: str, ref: str) -> str:
        (template,) = self._shelf.templates[language]
        values = {"code": code, "minutes": str(self.lifetime // 60), "ref": ref, "app": self.app}
        text = "\n".join(each.strip() for each in template.substitute(values).strip().splitlines())
        # WICG, Origin-bound one-time codes: the last line, and nothing behind it.
        return f"{text}\n\n@{_host(self.origin)} #{code}" if self.origin else text

    @cached_property
    def _shelf(self) -> Shelf:
        """The text by language."""
        from watchword_plugins.texts.templates import read_shelf  # noqa: PLC0415 - only Create needs it

        return read_shelf(self.kind, self.templates, "templates/sms", _PLACEHOLDERS)


def _shown(request: CreateRequest) -> str:
    """Return the destination that the client may see: nothing while strangers look on."""
    if not request.proven:
        return ""
    if not request.user.known:
        # No host lets it come to this; if one does, it looks as it does for a user.
        return _masked(f"{int(request.pseudonym(request.user.key)[:12], 16) % 10_000:04}")
    number = request.user.attributes.get("phone_number", "")
    return _masked(number) if is_telephone_number(number) else ""


def _masked(number: str) -> str:
    """Return ``+*******0100`` for +15555550100. Every number has the same shape."""
    return f"+*******{number[-4:]}"


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `SmsOtp`."""
    register(SmsOtp)
