"""The two ceremonies of Web Authentication as values: what the relying party expects, and what a client has answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from watchword_plugins.webauthn.encoding import end_of_cbor, from_base64url, read_json_object
from watchword_plugins.webauthn.public_keys import is_sound

if TYPE_CHECKING:
    from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

LONGEST_ANSWER = 16_384
"""Characters of an answer. The longest of the W3C's vectors, with an RSA key and its certificate, has 2,300."""

MOST_ID_BYTES = 1023
"""Bytes of a credential id (W3C, 7.1 step 25)."""

MOST_HANDLE_BYTES = 64
"""Bytes of a user handle (W3C, 5.4.3)."""

_MOST_TRANSPORTS = 8
_TRANSPORT = re.compile(r"[a-z][a-z0-9-]{0,19}")
_ATTESTED, _EXTENDED = 0x40, 0x80
_FLAGS_AT, _AAGUID_AT = 32, 37
_ID_AT = _AAGUID_AT + 18  # after the AAGUID and the length of the id

_CLIENT_NAMES = {
    "credentialIdB64": "id",
    "clientDataJSON_B64": "clientDataJSON",
    "attestationObjectB64": "attestationObject",
    "authenticatorDataB64": "authenticatorData",
    "signatureB64": "signature",
    "userHandleB64": "userHandle",
    "transports": "transports",
}
"""The members of the flat form that amazon-cognito-passwordless-auth sends, with the names of the standard."""


@frozen
class KnownCredential:
    """What the relying party keeps of a credential: the credential record of the standard. *verified* is uvInitialized."""

    id: bytes
    public_key: bytes
    sign_count: int = 0
    backup_eligible: bool = False
    verified: bool = False
    user_handle: bytes = field(default=b"", repr=False)


@frozen
class Expected:
    """What the relying party expects of a ceremony.

    *nameless* are those of *challenges* that were given out before anybody had said who they are. *known* are the credentials of
    the user who takes part. *allowed* are the ids that were offered; empty if each of the user's may come. *top_origins* are the pages that may embed the ceremony. *strict_counts* refuses a sign count that
    has not grown.
    """

    rp_id: str
    origins: tuple[str, ...]
    challenges: tuple[bytes, ...]
    nameless: tuple[bytes, ...] = ()
    top_origins: tuple[str, ...] = ()
    verification: bool = True
    algorithms: tuple[int, ...] = ()
    known: tuple[KnownCredential, ...] = ()
    allowed: tuple[bytes, ...] = ()
    strict_counts: bool = True

    def credential_with(self, id: bytes) -> KnownCredential | None:  # noqa: A002 - the standard's name
        """Return the user's credential that has *id*, if there is one."""
        return next((each for each in self.known if each.id == id), None)


@frozen
class ClientData:
    """What the browser says of the ceremony. *digest* is what the authenticator has signed of it."""

    type: str
    challenge: bytes
    origin: str
    cross_origin: bool
    top_origin: str | None
    digest: bytes


@frozen
class Registration:
    """The answer to a request for a new credential."""

    client: ClientData
    data: AuthenticatorData
    credential: AttestedCredentialData
    attestation: AttestationObject
    transports: tuple[str, ...] = ()


@frozen
class Assertion:
    """The answer to a request to prove possession of a credential."""

    client: ClientData
    data: AuthenticatorData
    credential_id: bytes
    signature: bytes
    user_handle: bytes | None = field(default=None, repr=False)


Answer = Registration | Assertion


def read_registration(text: object) -> Registration | None:
    """Return the registration in the JSON *text*, in the standard's form or the flat one; None if it is malformed anywhere."""
    members = _members_of(text)
    raw = from_base64url(members.get("attestationObject"))
    client = _client_data(members)
    transports = _transports(members.get("transports"))
    if raw is None or client is None or transports is None or end_of_cbor(raw) != len(raw):
        return None
    from fido2.webauthn import AttestationObject  # noqa: PLC0415 - heavy

    try:
        # The library parses what was looked through; what it does with members that are missing or of another type differs.
        attestation = AttestationObject(raw)
    except Exception:  # noqa: BLE001 - bytes of a stranger in a parser
        return None
    data = attestation.auth_data
    credential = data.credential_data
    if (
        type(cast("object", attestation.fmt)) is not str
        or not _is_well_formed(bytes(data))
        or credential is None
        or not credential.credential_id
        or not is_sound(credential.public_key)
        or ("id" in members and from_base64url(members["id"]) != credential.credential_id)
    ):
        return None
    return Registration(client, data, credential, attestation, transports)


def read_assertion(text: object) -> Assertion | None:
    """Return the assertion in the JSON *text*, in the standard's form or the flat one; None if it is malformed anywhere."""
    members = _members_of(text)
    raw, signature, id_ = (from_base64url(members.get(name)) for name in ("authenticatorData", "signature", "id"))
    client = _client_data(members)
    # Null is allowed: an authenticator that keeps no user handle gives none.
    handle = from_base64url(members.get("userHandle"))
    odd = members.get("userHandle") is not None and not (handle and len(handle) <= MOST_HANDLE_BYTES)
    if client is None or not raw or not signature or not id_ or odd or not _is_well_formed(raw):
        return None
    from fido2.webauthn import AuthenticatorData  # noqa: PLC0415 - heavy

    try:
        data = AuthenticatorData(raw)
    except Exception:  # noqa: BLE001 - bytes of a stranger in a parser
        return None
    return Assertion(client, data, id_, signature, handle)


def _members_of(text: object) -> Mapping[str, Any]:
    """Return the members of an answer under the names of the standard; nothing if *text* is none."""
    whole = read_json_object(text) if isinstance(text, str) and len(text) <= LONGEST_ANSWER else None
    if whole is None:
        return {}
    if "response" not in whole:
        return {name: whole[flat] for flat, name in _CLIENT_NAMES.items() if flat in whole}
    inner = whole["response"]
    if not isinstance(inner, dict) or whole.get("type") != "public-key" or whole.get("rawId") != whole.get("id"):
        return {}
    return {**cast("Mapping[str, Any]", inner), "id": whole.get("id")}


def _client_data(members: Mapping[str, Any]) -> ClientData | None:
    raw = from_base64url(members.get("clientDataJSON"))
    said = read_json_object(raw) if raw else None
    if raw is None or said is None:
        return None
    type_, origin, top_origin = said.get("type"), said.get("origin"), said.get("topOrigin")
    cross_origin, challenge = said.get("crossOrigin", False), from_base64url(said.get("challenge"))
    if (
        not isinstance(type_, str)
        or not isinstance(origin, str)
        or not isinstance(cross_origin, bool)
        or not (top_origin is None or isinstance(top_origin, str))
        or challenge is None
    ):
        return None
    return ClientData(type_, challenge, origin, cross_origin, top_origin, sha256(raw).digest())


def _transports(given: object) -> tuple[str, ...] | None:
    """Return the transports that can be passed on, each once; None if *given* is no list of texts."""
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in cast("list[object]", given)):
        return None
    words = dict.fromkeys(word for word in cast("list[str]", given) if _TRANSPORT.fullmatch(word))
    return tuple(words)[:_MOST_TRANSPORTS]


def _is_well_formed(data: bytes) -> bool:
    """Say whether the authenticator data are exactly as long as their flags and lengths say, and hold sound CBOR alone."""
    if len(data) < _AAGUID_AT:
        return False
    flags, end = data[_FLAGS_AT], _AAGUID_AT
    if flags & _ATTESTED:
        end = _ID_AT + int.from_bytes(data[_ID_AT - 2 : _ID_AT], "big")
        end = end_of_cbor(data, end) or len(data) + 1
    if flags & _EXTENDED:
        end = end_of_cbor(data, end) or len(data) + 1
    return end == len(data)
