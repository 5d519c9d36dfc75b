"""A passkey: the user's device signs a challenge for this site, and for no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from attrs import Attribute, evolve, field, frozen

from watchword import Challenge, CreateRequest, User, Verdict, VerifyRequest, hookimpl
from watchword.contract import (
    BeginRequest,
    CompleteRequest,
    Credential,
    Enrolment,
    Factor,
    NewCredential,
    RegisterKind,
    choice,
    line,
    refused,
    whole_number,
)
from watchword_plugins.texts.settings import names_what_it_needs
from watchword_plugins.webauthn.ceremonies import (
    LONGEST_ANSWER,
    MOST_HANDLE_BYTES,
    MOST_ID_BYTES,
    Expected,
    KnownCredential,
    read_assertion,
    read_registration,
)
from watchword_plugins.webauthn.encoding import from_base64url, to_base64url
from watchword_plugins.webauthn.public_keys import ALGORITHMS, encoded
from watchword_plugins.webauthn.steps import failures, has_grown

if TYPE_CHECKING:
    from watchword_plugins.webauthn.ceremonies import Registration

_SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CHALLENGE_SYMBOLS = 32  # 24 bytes; W3C, 13.4.3: 16 or more

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_RP_ID = re.compile(rf"localhost|(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")
_LONGEST_RP_ID = 253
# As a browser writes an origin (in lower case, without a path), and as Android writes that of an app.
_WEB_ORIGIN = re.compile(
    rf"https://{_HOST}(?::(?!443\Z)[1-9][0-9]{{0,4}})?|http://(?:{_LABEL}\.)*localhost(?::(?!80\Z)[1-9][0-9]{{0,4}})?"
)
_APP_ORIGIN = re.compile(r"android:apk-key-hash(?:-sha256)?:[A-Za-z0-9_-]{27,43}")
_MOST_ORIGINS, _LONGEST_ORIGIN = 32, 300
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DECOY = re.compile(r"(1[6-9]|[2-9][0-9]|[1-9][0-9]{2,3}):((?:[a-z-]+(?:,[a-z-]+)*)?)")
_MOST_DECOYS = 32
_LONGEST_USER_NAME = 64  # characters; an authenticator may cut a name at 64 bytes (W3C, 6.4.1)
_PSEUDONYM = 32  # bytes


def _as_tuple(value: Sequence[Any]) -> tuple[Any, ...]:
    # Whatever is no list is left for the validator to refuse.
    return tuple(value) if isinstance(value, list) else cast("tuple[Any, ...]", value)


def _rp_id(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or len(value) > _LONGEST_RP_ID or not _RP_ID.fullmatch(value):
        wanted = 'must be a domain in lower case, such as "example.com", or "localhost"'
        raise refused(instance, attribute, f"{wanted}, not {_shown(value)}")


def _shown(value: object) -> str:
    return repr(value)[:80]


def _odd_origin(value: object, *forms: re.Pattern[str]) -> str:
    """Return what of *value* is no origin in one of *forms*, or is there twice; *value* if it is no list; empty if all is well."""
    if not isinstance(value, tuple):
        return _shown(value)
    origins = cast("tuple[object, ...]", value)
    if len(origins) > _MOST_ORIGINS:
        return _shown(origins)
    for number, each in enumerate(origins):
        fits = isinstance(each, str) and len(each) <= _LONGEST_ORIGIN and any(form.fullmatch(each) for form in forms)
        if not fits or each in origins[:number]:
            return _shown(each)
    return ""


def _origins(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    odd = _odd_origin(value, _WEB_ORIGIN, _APP_ORIGIN) if value else _shown(value)
    if odd:
        raise refused(
            instance,
            attribute,
            f'must be a list of 1 to {_MOST_ORIGINS} origins, each once and as a browser writes it, such as "https://example.com" '
            '(in lower case, without a path or a default port; http for localhost alone), or "android:apk-key-hash:…", '
            f"not {odd}",
        )


def _top_origins(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    odd = _odd_origin(value, _WEB_ORIGIN)
    if odd:
        wanted = f'must be a list of at most {_MOST_ORIGINS} origins of pages, such as ["https://shop.example"]'
        raise refused(instance, attribute, f"{wanted}, not {odd}")


def _algorithms(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    numbers = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    if not numbers or len(set(numbers)) < len(numbers) or not all(type(n) is int and n in ALGORITHMS for n in numbers):
        listed = ", ".join(f"{number} ({name})" for number, name in ALGORITHMS.items())
        raise refused(instance, attribute, f"must be a list of numbers of COSE, each once, of {listed}")


def _decoys(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    texts = cast("tuple[str, ...]", value) if isinstance(value, tuple) else ()
    found = [_DECOY.fullmatch(each) if isinstance(cast("object", each), str) else None for each in texts]
    if not found or len(found) > _MOST_DECOYS or not all(each and int(each[1]) <= MOST_ID_BYTES for each in found):
        raise refused(
            instance,
            attribute,
            f"must be a list of 1 to {_MOST_DECOYS} texts, each the bytes of an id (16 to {MOST_ID_BYTES}), a colon and its "
            'transports, such as ["20:hybrid,internal", "48:nfc,usb"]',
        )


@names_what_it_needs
@frozen
class Passkey:
    """Ask for a signature by a passkey: a key pair that the user's device made for this site.

    The checks are those of Web Authentication Level 3, 7.1 and 7.2, step by step. Attestation is not asked for.

    What it proves follows *user_verification*. A signature proves possession. If verification is required, the device
    has also asked for a PIN or for a finger or a face. Which of them it does not say, and who fails with the finger may
    give the PIN: so this counts as knowledge. That makes two factors, as a multi-factor cryptographic authenticator is
    (NIST SP 800-63B-4, 3.1.7), and never a third beside a password.

    Attributes:
        rp_id: the domain that passkeys are made for: that of the sign-in page, or one above it.
        origins: the pages and apps that may ask for passkeys, to the letter; no sub-domain is implied.
        user_verification: ``required``, ``preferred`` or ``discouraged``.
        top_origins: pages of other origins that may embed the sign-in page; () refuses to be embedded.
        algorithms: numbers of COSE for new keys, the most wanted first.
        sign_count: ``refuse`` an assertion whose sign count has not grown, or only ``report`` it to the audit.
        list_credentials: when the ids of the user's passkeys are told to the client: ``after_factor``, ``always``, with decoys
            for users without one, or ``never``. A passkey that is discoverable needs no list.
        decoys: the mix that decoys are drawn from: the length of an id in bytes, a colon, and its transports.
        resident_key: whether new passkeys are discoverable: ``required``, ``preferred`` or ``discouraged``.
        attachment: ``platform`` or ``cross-platform`` to enrol such devices alone; empty for any.
        rp_name: what the device calls the site; *rp_id* if empty.
        attempts: tries per sign-in, 1 to 5.
        lifetime: seconds for an answer, 60 to 600 (W3C, 15.1: 300 to 600).
    """

    kind: ClassVar[str] = "passkey"
    remembers: ClassVar[str] = "many"
    methods: ClassVar[tuple[str, ...]] = ("pop", "user")
    called: ClassVar[Mapping[str, str]] = {
        "ar": "مفتاح مرور",
        "de": "Passkey",
        "en": "passkey",
        "es": "llave de acceso",
        "fr": "clé d'accès",
        "it": "passkey",
        "ja": "パスキー",
        "nl": "passkey",
        "pl": "klucz dostępu",
        "pt-br": "chave de acesso",
    }
    longest_answer: ClassVar[int] = LONGEST_ANSWER
    requires_create: ClassVar[tuple[str, ...]] = ()
    requires_verify: ClassVar[tuple[str, ...]] = ("fido2", "cryptography")
    extra: ClassVar[str] = "watchword[passkey]"
    cosmetic: ClassVar[frozenset[str]] = frozenset(
        {"list_credentials", "decoys", "resident_key", "attachment", "rp_name"}
    )

    rp_id: str = field(validator=_rp_id)
    origins: tuple[str, ...] = field(converter=_as_tuple, validator=_origins)
    user_verification: str = field(default="required", validator=choice("required", "preferred", "discouraged"))
    top_origins: tuple[str, ...] = field(default=(), converter=_as_tuple, validator=_top_origins)
    algorithms: tuple[int, ...] = field(default=(-8, -7, -257), converter=_as_tuple, validator=_algorithms)
    sign_count: str = field(default="refuse", validator=choice("refuse", "report"))
    list_credentials: str = field(default="after_factor", validator=choice("after_factor", "always", "never"))
    decoys: tuple[str, ...] = field(
        default=("20:hybrid,internal", "16:hybrid,internal", "32:internal", "48:nfc,usb"),
        converter=_as_tuple,
        validator=_decoys,
    )
    resident_key: str = field(default="required", validator=choice("required", "preferred", "discouraged"))
    attachment: str = field(default="", validator=choice("", "platform", "cross-platform"))
    rp_name: str = field(default="", validator=line(64))
    attempts: int = field(default=3, validator=whole_number(1, 5))
    lifetime: int = field(default=300, validator=whole_number(60, 600))

    @property
    def proves(self) -> frozenset[Factor]:
        """Possession; and knowledge, if the device has to verify the user."""
        verified = self.user_verification == "required"
        return frozenset[Factor]({"possession", "knowledge"} if verified else {"possession"})

    def create(self, request: CreateRequest) -> Challenge:
        """Make a challenge, with the ids of the user's passkeys where they may be told."""
        return self._challenge(request, tuple(self._listed(request)))

    def offer(self, request: CreateRequest) -> Challenge:
        """Make a challenge for whichever passkey of the user the device finds by itself."""
        return self._challenge(request, ())

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judge an assertion, in the form of the passwordless client or of `toJSON()`."""
        answer = read_assertion(request.answer)
        if answer is None:
            return Verdict(right=False, reason="malformed")
        own = from_base64url(request.private.get("challenge"))
        bound = own is not None and request.matches(own.hex(), "challenge")
        issued = tuple(each for each in map(from_base64url, request.issued) if each)
        challenges = (*((own,) if own and bound else ()), *issued)
        expected = evolve(self._expected(challenges, request.credentials), nameless=issued)
        # All steps, whichever fails: the time does not tell.
        failed = next(iter(tuple(failures(expected, answer))), None)
        if failed is not None:
            return Verdict(right=False, reason=failed.reason)
        if not has_grown(expected, answer):
            # The greater count is kept, or a clone could set it back.
            return Verdict(right=True, reason="possible_clone")
        used = next(each for each in request.credentials if from_base64url(each.id) == answer.credential_id)
        counted = {"sign_count": str(answer.data.counter), "backed_up": _word(answer.data.is_backed_up())}
        changed = counted != {name: used.state.get(name) for name in counted}
        return Verdict(right=True, use=evolve(used, state={**used.state, **counted}) if changed else None)

    def begin(self, request: BeginRequest) -> Enrolment:
        """Make the options with which the client creates a passkey."""
        challenge = request.code(_SYMBOLS, _CHALLENGE_SYMBOLS)
        user, handle = request.user, to_base64url(_user_handle(request.user))
        name = _cut(user.attributes.get("email") or user.name)
        selection = {
            "residentKey": self.resident_key,
            "requireResidentKey": self.resident_key == "required",
            "userVerification": self.user_verification,
        }
        options = {
            "rp": {"id": self.rp_id, "name": self.rp_name or self.rp_id},
            "user": {"id": handle, "name": name, "displayName": _cut(user.attributes.get("name") or name)},
            "challenge": challenge,
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in self.algorithms],
            "timeout": self.lifetime * 1000,
            "excludeCredentials": [_descriptor(each) for each in request.credentials],
            "authenticatorSelection": selection
            | ({"authenticatorAttachment": self.attachment} if self.attachment else {}),
            "attestation": "none",
        }
        return Enrolment(public={"options": _as_json(options)}, private={"challenge": challenge, "user_handle": handle})

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        """Judge a registration, in the form of the passwordless client or of `toJSON()`."""
        answer = read_registration(request.answer)
        if answer is None:
            return Verdict(right=False, reason="malformed")
        given = from_base64url(request.private.get("challenge"))
        expected = self._expected((given,) if given else (), request.credentials)
        failed = next(failures(expected, answer), None)
        if failed is not None:
            return Verdict(right=False, reason=failed.reason)
        return NewCredential(
            id=to_base64url(answer.credential.credential_id),
            state=_state_of(answer, self.rp_id, request.private.get("user_handle", "")),
            label=request.label,
        )

    def guess_probability(self) -> float:
        """Return the chance of one forged signature: an RSA key of 2,048 bits, the weakest that is taken, has 112 bits of security."""
        return 2.0**-112

    def _challenge(self, request: CreateRequest, listed: tuple[Mapping[str, Any], ...]) -> Challenge:
        # A keyed digest of the round: nobody can foresee it, and no other round has it.
        challenge = to_base64url(bytes.fromhex(request.seal("challenge")))
        options = {
            "challenge": challenge,
            "timeout": self.lifetime * 1000,
            "rpId": self.rp_id,
            "allowCredentials": listed,
            "userVerification": self.user_verification,
        }
        return Challenge(public={"options": _as_json(options)}, private={"challenge": challenge})

    def _listed(self, request: CreateRequest) -> Iterator[Mapping[str, Any]]:
        """Give the passkeys that are told to the client: before a factor is proven, something of the same look for everybody."""
        if self.list_credentials == "never" or (self.list_credentials == "after_factor" and not request.proven):
            return
        known = request.credentials
        yield from map(_descriptor, known)
        if not known and not request.proven:
            yield from self._made_up(request)

    def _made_up(self, request: CreateRequest) -> Iterator[Mapping[str, Any]]:
        """Give one or two passkeys that nobody has, the same each time for one name."""
        # All spellings by which the host finds one user have one key, whether anybody has the name or not.
        drawn = _stretched(request, "decoys", 3)
        for number in range(2 if drawn[0] % 4 == 0 else 1):
            length, _, transports = self.decoys[drawn[number + 1] % len(self.decoys)].partition(":")
            id_ = to_base64url(_stretched(request, f"decoy {number}", int(length)))
            yield _described(id_, transports)

    def _expected(self, challenges: tuple[bytes, ...], credentials: Sequence[Credential]) -> Expected:
        return Expected(
            rp_id=self.rp_id,
            origins=self.origins,
            challenges=challenges,
            top_origins=self.top_origins,
            verification=self.user_verification == "required",
            algorithms=self.algorithms,
            known=tuple(known for known in map(_known, credentials) if known is not None),
            strict_counts=self.sign_count == "refuse",
        )


def _state_of(answer: Registration, rp_id: str, user_handle: str) -> Mapping[str, str]:
    """Return what is kept of a new passkey: the credential record of the standard."""
    data = answer.data
    return {
        "public_key": to_base64url(encoded(answer.credential.public_key)),
        "sign_count": str(data.counter),
        "user_verified": _word(data.is_user_verified()),
        "backup_eligible": _word(data.is_backup_eligible()),
        "backed_up": _word(data.is_backed_up()),
        "transports": ",".join(answer.transports),
        "aaguid": str(answer.credential.aaguid),
        "user_handle": user_handle,
        "rp_id": rp_id,
    }


def _known(credential: Credential) -> KnownCredential | None:
    """Return what is known of *credential*; None if somebody has put something else into the store."""
    state = credential.state
    id_, key = from_base64url(credential.id), from_base64url(state.get("public_key"))
    count, handle = state.get("sign_count", ""), from_base64url(state.get("user_handle"))
    if not id_ or not key or handle is None or not re.fullmatch("[0-9]{1,10}", count):
        return None
    return KnownCredential(
        id=id_,
        public_key=key,
        sign_count=int(count),
        backup_eligible=state.get("backup_eligible") == "true",
        verified=state.get("user_verified") == "true",
        user_handle=handle,
    )


def _descriptor(credential: Credential) -> Mapping[str, Any]:
    return _described(credential.id, credential.state.get("transports", ""))


def _described(id_: str, transports: str) -> Mapping[str, Any]:
    described: dict[str, Any] = {"type": "public-key", "id": id_}
    return described | ({"transports": transports.split(",")} if transports else {})


def _user_handle(user: User) -> bytes:
    """Return what a discoverable passkey tells of its user when nobody has typed a name.

    It has to lead to the name that a sign-in begins with: the ``sub`` is that name itself (its user pool signs in by address), or
    the name is a UUID as well. A name of any other form may be an address, which a handle must not hold (W3C, 14.6.1).
    """
    by_name = _UUID.fullmatch(user.name) or not user.id
    text = user.id if user.id == user.name else f"u|{user.name}" if by_name else f"s|{user.id}"
    return text.encode("utf-8", "replace")[:MOST_HANDLE_BYTES]


def _stretched(request: CreateRequest, about: str, length: int) -> bytes:
    """Return *length* bytes that belong to the user's name and never change."""
    blocks = range(-(-length // _PSEUDONYM))
    texts = (request.pseudonym(f"{about}/{block}/{request.user.key}") for block in blocks)
    return b"".join(map(bytes.fromhex, texts))[:length]


def _word(fact: bool) -> str:
    return "true" if fact else "false"


def _cut(text: str) -> str:
    return text[:_LONGEST_USER_NAME]


def _as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Passkey`."""
    register(Passkey)
