"""What users hold to answer with: an authenticator app, a list of codes, a device with a passkey, or what they were shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, cast

from attrs import define, field, frozen

_DRIFT = (0, 1, -1)
_VERIFIED = 0x05  # the flags UP and UV
_ATTESTED = 0x40
_OKP, _EC2, _RSA = 1, 2, 3
_ALGORITHMS = (-8, -7, -257)


class RightText(str):
    """A right answer. *others* are right at the same moment; *wrong* are some that are not, where a change of one letter may make none."""

    __slots__ = ("__dict__",)
    others: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = ()

    @classmethod
    def first_of(cls, answers: Sequence[str], wrong: tuple[str, ...] = ()) -> Self:
        """Return the first of *answers*."""
        first = answers[0]
        made = cls(first)
        made.others = frozenset(answers)
        made.wrong = first.wrong if isinstance(first, RightText) else wrong
        return made


class Device(Protocol):
    """Something that a user holds for one credential."""

    def answers(self, public: Mapping[str, str], now: float) -> Sequence[str]:
        """Return what may be the right answer to a challenge that shows *public*, the likeliest first."""
        ...


@frozen
class AuthenticatorApp:
    """Shows a code every *period* seconds (RFC 6238), with a drift of one step."""

    secret: str = field(repr=False)
    digits: int = 6
    period: int = 30

    def answers(self, public: Mapping[str, str], now: float) -> Sequence[str]:
        """Return the code of now, of the step after, and of the one before."""
        return tuple(self.code(int(now // self.period) + drift) for drift in _DRIFT)

    def code(self, step: int) -> str:
        """Return the code of a time step (RFC 4226 5.3)."""
        digest = hmac.digest(base64.b32decode(self.secret), struct.pack(">Q", max(0, step)), "sha1")
        number = int.from_bytes(digest[digest[-1] & 15 :][:4]) & 0x7FFFFFFF
        return str(number % 10**self.digits).zfill(self.digits)


@frozen
class ShownTexts:
    """Texts that the user was shown at the enrolment, each of which may be an answer: a list of codes, or a word."""

    texts: tuple[str, ...] = field(repr=False)

    def answers(self, public: Mapping[str, str], now: float) -> Sequence[str]:
        """Return all of them."""
        return self.texts


@define
class PasskeyDevice:
    """One passkey: a key pair for a site, with the browser around it. It needs the extra ``passkey``.

    Each assertion has a sign count that is greater than the one before. *registered* is the challenge that enrolled it.
    """

    rp_id: str
    origin: str
    algorithm: int
    id: bytes
    user_handle: str
    key: Any = field(repr=False)
    count: int = 0
    registered: str = ""

    def answers(self, public: Mapping[str, str], now: float) -> Sequence[str]:
        """Return an assertion for the challenge among the options that *public* has."""
        options = _object(public.get("options"))
        challenge = options.get("challenge")
        if not isinstance(challenge, str):
            return ()
        self.count += 1
        others = (_changed(challenge), _changed(challenge[::-1]))
        wrong = tuple(self.assertion(each, self.count) for each in others)
        return (RightText.first_of([self.assertion(challenge, self.count)], wrong),)

    def assertion(self, challenge: str, count: int, **odd: str | None) -> str:
        """Return an assertion for *challenge*, in the flat form; *odd* replaces members of it."""
        client, data = self._client("webauthn.get", challenge), self._data(count)
        members = {
            "credentialIdB64": _base64url(self.id),
            "authenticatorDataB64": _base64url(data),
            "clientDataJSON_B64": _base64url(client),
            "signatureB64": _base64url(self._signed(data + hashlib.sha256(client).digest())),
            "userHandleB64": self.user_handle,
        }
        return json.dumps({**members, **odd}, separators=(",", ":"))

    def registration(self, challenge: str) -> str:
        """Return the answer that enrols it, in the flat form."""
        from fido2 import cbor  # noqa: PLC0415 - an extra

        attested = struct.pack(">16xH", len(self.id)) + self.id + cbor.encode(self._public_key())
        statement: Any = {"fmt": "none", "attStmt": {}, "authData": self._data(0, attested)}
        members = {
            "attestationObjectB64": _base64url(cbor.encode(statement)),
            "clientDataJSON_B64": _base64url(self._client("webauthn.create", challenge)),
            "transports": ["internal"],
        }
        return json.dumps(members, separators=(",", ":"))

    def _client(self, ceremony: str, challenge: str) -> bytes:
        said = {"type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said, separators=(",", ":")).encode()

    def _data(self, count: int, attested: bytes = b"") -> bytes:
        flags = _VERIFIED | (_ATTESTED if attested else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, count) + attested

    def _signed(self, message: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415

        match self.algorithm:
            case -8:
                return cast("bytes", self.key.sign(message))
            case -7:
                return cast("bytes", self.key.sign(message, ec.ECDSA(hashes.SHA256())))
            case _:
                return cast("bytes", self.key.sign(message, padding.PKCS1v15(), hashes.SHA256()))

    def _public_key(self) -> dict[int, object]:
        """Return the public key in COSE form (RFC 9053)."""
        public = self.key.public_key()
        match self.algorithm:
            case -8:
                return {1: _OKP, 3: -8, -1: 6, -2: public.public_bytes_raw()}
            case -7:
                numbers = public.public_numbers()
                return {1: _EC2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
            case _:
                numbers = public.public_numbers()
                return {1: _RSA, 3: -257, -1: numbers.n.to_bytes(256), -2: numbers.e.to_bytes(3)}


def _changed(challenge: str) -> str:
    """Return another challenge than *challenge*."""
    return ("B" if challenge.startswith("A") else "A") + challenge[1:]


def new_device(
    id_: str, public: Mapping[str, str], now: float, origins: Sequence[str], seed: bytes
) -> tuple[str, Device, Sequence[str]] | None:
    """Return what a user takes who begins to enrol and is shown *public*: its id, itself, and what may complete the enrolment.

    *id_* is for a credential that has no id of its own; *origins* are the pages that a passkey may be used on. The same *seed*
    makes the same keys. None if a passkey is wanted that cannot be made here.
    """
    if "options" in public:
        return _new_passkey(_object(public["options"]), origins, seed)
    if "secret" in public and "otpauth_uri" in public:
        app = AuthenticatorApp(public["secret"], int(public.get("digits", "6")), int(public.get("period", "30")))
        return id_, app, app.answers(public, now)
    texts = tuple(part for text in public.values() for part in (text, *text.split()))
    return id_, ShownTexts(tuple(dict.fromkeys(texts))), texts


def _new_passkey(
    options: Mapping[str, Any], origins: Sequence[str], seed: bytes
) -> tuple[str, PasskeyDevice, Sequence[str]] | None:
    try:
        wanted = [each["alg"] for each in options["pubKeyCredParams"]]
        algorithm = next(each for each in _ALGORITHMS if each in wanted)
        rp_id, handle, challenge = options["rp"]["id"], options["user"]["id"], options["challenge"]
        key = _new_key(algorithm, seed)
    except (KeyError, TypeError, StopIteration, ImportError):
        return None
    origin = next((each for each in origins if each.startswith("http")), f"https://{rp_id}")
    device = PasskeyDevice(rp_id, origin, algorithm, seed[:16] + b"passkey", handle, key)
    device.registered = challenge
    right = RightText.first_of([device.registration(challenge)], (device.registration(_changed(challenge)),))
    return _base64url(device.id), device, (right,)


def _new_key(algorithm: int, seed: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - an extra

    match algorithm:
        case -8:
            return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        case -7:
            return ec.derive_private_key(int.from_bytes(seed[:31]) + 1, ec.SECP256R1())
        case _:
            return rsa.generate_private_key(65537, 2048)


def _base64url(data: bytes) -> str:
    """Return *data* in base64url, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _object(text: object) -> Mapping[str, Any]:
    read: object = json.loads(text) if isinstance(text, str) else None
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else {}
