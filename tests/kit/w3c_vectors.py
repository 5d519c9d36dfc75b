"""The test vectors of Web Authentication Level 3: fifteen registrations, each with an assertion."""

from __future__ import annotations

import json
from ssl import DER_cert_to_PEM_cert
from typing import Any

from fido2.webauthn import AttestationObject

from kit.authenticator import encode
from kit.paths import ROOT
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential
from watchword_plugins.webauthn.public_keys import ALGORITHMS, encoded

# Copyright © 2026 World Wide Web Consortium; W3C software and document licence. From w3c/webauthn, #sctn-test-vectors.
_FILE = ROOT / "tests" / "plugins" / "webauthn" / "w3c_vectors.json"
_READ: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))

VECTORS: dict[str, Any] = {each["id"].removeprefix("sctn-test-vectors-"): each for each in _READ["v"]}
ROOT_CERTIFICATE = DER_cert_to_PEM_cert(bytes.fromhex(_READ["root"])).encode()
"""Of the authority that signs the attestation of the vectors."""


def expected_by(part: dict[str, Any], **settings: Any) -> Expected:
    """Return what the relying party of the vectors expects; some are embedded in a page of https://example.com."""
    return Expected(
        rp_id="example.org",
        origins=("https://example.org",),
        challenges=(bytes.fromhex(part["challenge"]),),
        top_origins=("https://example.com",),
        algorithms=tuple(ALGORITHMS),
        verification=False,
        **settings,
    )


def registration_of(vector: dict[str, Any]) -> dict[str, Any]:
    """Return the registration in the flat form."""
    part = vector["reg"]
    return {
        "attestationObjectB64": encode(bytes.fromhex(part["attestationObject"])),
        "clientDataJSON_B64": encode(bytes.fromhex(part["clientDataJSON"])),
    }


def assertion_of(vector: dict[str, Any]) -> dict[str, Any]:
    """Return the assertion in the flat form."""
    part = vector["auth"]
    return {
        "credentialIdB64": encode(bytes.fromhex(vector["reg"]["credential_id"])),
        "authenticatorDataB64": encode(bytes.fromhex(part["authenticatorData"])),
        "clientDataJSON_B64": encode(bytes.fromhex(part["clientDataJSON"])),
        "signatureB64": encode(bytes.fromhex(part["signature"])),
        "userHandleB64": None,
    }


def known_from(vector: dict[str, Any]) -> KnownCredential:
    """Return the credential that the registration makes."""
    data = AttestationObject(bytes.fromhex(vector["reg"]["attestationObject"])).auth_data
    assert data.credential_data is not None
    return KnownCredential(
        id=data.credential_data.credential_id,
        public_key=encoded(data.credential_data.public_key),
        sign_count=data.counter,
        backup_eligible=data.is_backup_eligible(),
        verified=data.is_user_verified(),
    )
