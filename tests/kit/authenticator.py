"""A software authenticator with the browser around it: it makes registrations and assertions, right ones or odd in one thing."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any

from attrs import define, field
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import CoseKey

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80

_CURVES = {
    **dict.fromkeys((-7, -9), (ec.SECP256R1, hashes.SHA256)),
    **dict.fromkeys((-35, -51), (ec.SECP384R1, hashes.SHA384)),
    **dict.fromkeys((-36, -52), (ec.SECP521R1, hashes.SHA512)),
    -47: (ec.SECP256K1, hashes.SHA256),
}


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of unpadded base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_key(algorithm: int) -> Any:
    """Return a private key for *algorithm*."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm][0]())
    if algorithm in {-8, -19}:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == -53:
        return ed448.Ed448PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


@define
class Authenticator:
    """One credential on one device. Each fact may be changed between two ceremonies."""

    algorithm: int = -7
    id: bytes = b"\x01" * 32
    rp_id: str = "example.com"
    origin: str = "https://example.com"
    flags: int = UP | UV
    count: int = 0
    user_handle: bytes | None = None
    aaguid: bytes = bytes(16)
    key: Any = field(default=None)

    def __attrs_post_init__(self) -> None:
        self.key = self.key or new_key(self.algorithm)

    @property
    def public_key(self) -> CoseKey:
        """The public key in COSE form."""
        return CoseKey.for_alg(self.algorithm).from_cryptography_key(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Return a signature by the credential's key."""
        if self.algorithm in _CURVES:
            return self.key.sign(message, ec.ECDSA(_CURVES[self.algorithm][1]()))
        if self.algorithm == -257:
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == -37:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
            return self.key.sign(message, pss, hashes.SHA256())
        return self.key.sign(message)

    def client_data(self, type_: str, challenge: bytes, /, **odd: Any) -> bytes:
        """Return the client data as a browser writes them; *odd* members come on top."""
        members = {
            "type": type_,
            "challenge": encode(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        } | odd
        return json.dumps(members, separators=(",", ":")).encode()

    def data(self, *, attested: bool = False, extensions: Any = None, public_key: Any = None) -> bytes:
        """Return the authenticator data."""
        flags = self.flags | (AT if attested else 0) | (ED if extensions is not None else 0)
        data = hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.count)
        if attested:
            key = dict(self.public_key) if public_key is None else public_key
            data += self.aaguid + struct.pack(">H", len(self.id)) + self.id + cbor.encode(key)
        return data + (b"" if extensions is None else cbor.encode(extensions))

    def register(
        self,
        challenge: bytes,
        /,
        *,
        type: str = "webauthn.create",  # noqa: A002
        fmt: str = "none",
        statement: Any = None,
        data: bytes | None = None,
        client_data: bytes | None = None,
        **odd: Any,
    ) -> dict[str, Any]:
        """Return a registration in the flat form; *odd* are members of the client data."""
        data = self.data(attested=True) if data is None else data
        client = self.client_data(type, challenge, **odd) if client_data is None else client_data
        if fmt == "packed" and statement is None:
            signature = self.sign(data + hashlib.sha256(client).digest())
            statement = {"alg": self.algorithm, "sig": signature}
        attested = cbor.encode({"fmt": fmt, "attStmt": {} if statement is None else statement, "authData": data})
        return {
            "attestationObjectB64": encode(attested),
            "clientDataJSON_B64": encode(client),
            "transports": ["internal", "hybrid"],
        }

    def use(
        self,
        challenge: bytes,
        /,
        *,
        type: str = "webauthn.get",  # noqa: A002
        data: bytes | None = None,
        client_data: bytes | None = None,
        **odd: Any,
    ) -> dict[str, Any]:
        """Return an assertion in the flat form; *odd* are members of the client data."""
        data = self.data() if data is None else data
        client = self.client_data(type, challenge, **odd) if client_data is None else client_data
        return {
            "credentialIdB64": encode(self.id),
            "authenticatorDataB64": encode(data),
            "clientDataJSON_B64": encode(client),
            "signatureB64": encode(self.sign(data + hashlib.sha256(client).digest())),
            "userHandleB64": None if self.user_handle is None else encode(self.user_handle),
        }


def standard_form(flat: dict[str, Any]) -> dict[str, Any]:
    """Return an answer in the form that `PublicKeyCredential.toJSON()` gives."""
    names = {
        "authenticatorDataB64": "authenticatorData",
        "clientDataJSON_B64": "clientDataJSON",
        "signatureB64": "signature",
        "userHandleB64": "userHandle",
        "attestationObjectB64": "attestationObject",
        "transports": "transports",
    }
    id_ = flat.get("credentialIdB64")
    if id_ is None:
        data = cbor.decode(decode(flat["attestationObjectB64"]))["authData"]
        id_ = encode(data[55 : 55 + int.from_bytes(data[53:55], "big")])
    response = {names[name]: value for name, value in flat.items() if name in names}
    return {"id": id_, "rawId": id_, "type": "public-key", "response": response, "clientExtensionResults": {}}
