"""Attestation statements: whether one is what its format demands. Whose certificate signed it is not asked: none is trusted."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from hashlib import new as new_hash
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from fido2.webauthn import AuthenticatorData

    from watchword_plugins.webauthn.ceremonies import Registration

FORMATS: Final = frozenset(
    {"none", "packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound"}
)
"""The formats of W3C, section 8."""

_CHALLENGE_OID = "1.3.6.1.4.1.11129.2.1.17"
_AIK_OID = "2.23.133.8.3"
# KeyDescription of Android: tags of authorization lists, and values of them.
_PURPOSE, _ALL_APPLICATIONS, _ORIGIN = 1, 600, 702
_INTEGER, _GENERATED, _SIGN = 2, b"\x00", b"\x02"
_CERTIFY = b"\xffTCG\x80\x17"  # TPM_GENERATED_VALUE, TPM_ST_ATTEST_CERTIFY
_SKIPPED = 25  # clockInfo and firmwareVersion, which W3C, 8.3 ignores
_FEWEST_IN_COMPOUND = 2
_HASHES = {-7: "sha256", -257: "sha256", -37: "sha256", -35: "sha384", -36: "sha512"}
"""The hash of each algorithm that a TPM's attestation key signs with."""


def is_correct(registration: Registration) -> bool:
    """Say whether the statement of *registration* passes the verification procedure of its format (W3C, section 8)."""
    attestation = registration.attestation
    return _is_correct(attestation.fmt, attestation.att_stmt, registration.data, registration.client.digest)


def _is_correct(format_: str, statement: object, data: AuthenticatorData, digest: bytes) -> bool:
    if format_ == "compound":
        return _is_compound(statement, data, digest)
    if not isinstance(statement, dict):
        return False
    try:
        _OWN.get(format_, _by_library(format_))(cast("Mapping[str, Any]", statement), data, digest)
    except Exception:  # noqa: BLE001 - a statement of a stranger: what is wrong with it may show anywhere
        return False
    return True


def _by_library(format_: str) -> Callable[[Mapping[str, Any], AuthenticatorData, bytes], object]:
    from fido2.attestation.base import Attestation  # noqa: PLC0415 - heavy

    return Attestation.for_type(format_)().verify


def _is_compound(statement: object, data: AuthenticatorData, digest: bytes) -> bool:
    """Say whether each of two or more statements is correct (W3C, 8.9); none is compound in its turn."""
    parts = cast("list[object]", statement) if isinstance(statement, list) else []
    return len(parts) >= _FEWEST_IN_COMPOUND and all(_is_part(part, data, digest) for part in parts)


def _is_part(part: object, data: AuthenticatorData, digest: bytes) -> bool:
    if not isinstance(part, dict):
        return False
    read = cast("Mapping[str, object]", part)
    format_ = read.get("fmt")
    return (
        isinstance(format_, str)
        and format_ in FORMATS - {"compound"}
        and _is_correct(format_, read.get("attStmt"), data, digest)
    )


def _android_key(statement: Mapping[str, Any], data: AuthenticatorData, digest: bytes) -> None:
    """Raise unless the credential's own key signed, and its certificate was made for this ceremony (W3C, 8.4)."""
    certificate = _first_certificate(statement)
    key = data.credential_data.public_key  # type: ignore[union-attr]
    if key[3] != statement["alg"] or type(key).from_cryptography_key(certificate.public_key()) != key:
        raise ValueError("the certificate is of another key")
    key.verify(bytes(data) + digest, statement["sig"])
    described = next(each for each in certificate.extensions if each.oid.dotted_string == _CHALLENGE_OID)
    _check_description(described.value.public_bytes(), digest)


def _check_description(data: bytes, digest: bytes) -> None:
    """Raise unless a KeyDescription is for this ceremony, and its key was made in the device, to sign, for one app.

    The W3C's own vector has empty authorization lists. So origin and purpose count where they are there.
    """
    ((_, whole),) = _der_items(data)
    members = _der_items(whole)
    challenge, software, hardware = (members[place][1] for place in (4, 6, 7))
    lists = [(number, content) for part in (software, hardware) for number, content in _der_items(part)]
    found = {number for number, _ in lists}
    origins = [content for number, content in lists if number == _ORIGIN]
    purposes = [each for number, content in lists if number == _PURPOSE for _, each in _der_items(content)]
    if (
        challenge != digest
        or _ALL_APPLICATIONS in found
        or any(_der_items(each) != [(_INTEGER, _GENERATED)] for each in origins)
        or any((_INTEGER, _SIGN) not in _der_items(each) for each in purposes)
    ):
        raise ValueError("the certificate was made for another ceremony, or for another use")


def _der_items(data: bytes) -> list[tuple[int, bytes]]:
    """Return the number of the tag and the content of each item of DER in *data*."""
    items: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        number, at = data[at] & 0x1F, at + 1
        if number == 0x1F:
            number = 0
            while data[at] & 0x80:
                number, at = number << 7 | data[at] & 0x7F, at + 1
            number, at = number << 7 | data[at], at + 1
        size, at = data[at], at + 1
        if size & 0x80:
            length = size & 0x7F
            size, at = int.from_bytes(data[at : at + length], "big"), at + length
        if at + size > len(data):
            raise ValueError("cut off")
        items.append((number, data[at : at + size]))
        at += size
    return items


def _tpm(statement: Mapping[str, Any], data: AuthenticatorData, digest: bytes) -> None:
    """Raise unless a TPM's key signed that it holds the credential's key, for this ceremony (W3C, 8.3).

    The library's procedure refuses what the standard ignores: it demands that one byte of clockInfo is 0 or 1.
    """
    from fido2.attestation.tpm import TpmPublicFormat  # noqa: PLC0415 - heavy
    from fido2.cose import CoseKey  # noqa: PLC0415 - heavy

    certificate, information = _first_certificate(statement), cast("bytes", statement["certInfo"])
    _check_certificate_of_tpm(certificate)
    area = TpmPublicFormat.parse(statement["pubArea"])
    key = data.credential_data.public_key  # type: ignore[union-attr]
    if statement["ver"] != "2.0" or type(key).from_cryptography_key(area.public_key()) != key:
        raise ValueError("of another version, or another key")
    rest = information.removeprefix(_CERTIFY)
    _, rest = _sized(rest)  # qualifiedSigner
    extra, rest = _sized(rest)
    name, _ = _sized(rest[_SKIPPED:])
    signer = CoseKey.for_alg(statement["alg"])
    signed = new_hash(_HASHES[statement["alg"]], bytes(data) + digest).digest()
    if not information.startswith(_CERTIFY) or extra != signed or name != area.name():
        raise ValueError("it certifies something else")
    signer.from_cryptography_key(certificate.public_key()).verify(information, statement["sig"])


def _check_certificate_of_tpm(certificate: Certificate) -> None:
    """Raise unless *certificate* is one of a TPM's attestation key (W3C, 8.3.1)."""
    from cryptography import x509  # noqa: PLC0415 - heavy

    extensions = certificate.extensions
    extensions.get_extension_for_class(x509.SubjectAlternativeName)
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if (
        certificate.version != x509.Version.v3
        or len(certificate.subject)
        or extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        or _AIK_OID not in {each.dotted_string for each in purposes}
    ):
        raise ValueError("no certificate of an attestation key")


def _first_certificate(statement: Mapping[str, Any]) -> Certificate:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - heavy

    return load_der_x509_certificate(statement["x5c"][0])


def _sized(data: bytes) -> tuple[bytes, bytes]:
    """Return the text at the beginning of *data*, which has its length before it, and the rest."""
    (size,) = struct.unpack_from(">H", data)
    if size + 2 > len(data):
        raise ValueError("cut off")
    return data[2 : size + 2], data[size + 2 :]


_OWN: Final[Mapping[str, Callable[[Mapping[str, Any], AuthenticatorData, bytes], object]]] = {
    "android-key": _android_key,
    "tpm": _tpm,
}
"""Formats that the library does not verify as the standard has it."""
