"""Attestation statements of TPMs and of Android, whose procedures are ours: each demand of sections 8.3 and 8.4, both ways."""

from __future__ import annotations

import hashlib
import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("fido2.attestation")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from kit.authenticator import Authenticator, new_key
from watchword_plugins.webauthn.attestation import is_correct
from watchword_plugins.webauthn.ceremonies import read_registration

CHALLENGE = b"c" * 24
DEVICE, OTHER = Authenticator(), Authenticator()
DIGEST = hashlib.sha256(DEVICE.client_data("webauthn.create", CHALLENGE)).digest()
SIGNED = DEVICE.data(attested=True) + DIGEST
AIK = {-7: new_key(-7), -257: new_key(-257), -35: new_key(-35), -36: new_key(-36)}
HASHES = {-7: hashes.SHA256(), -257: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512(), -37: hashes.SHA256()}

AIK_PURPOSE = x509.ObjectIdentifier("2.23.133.8.3")
KEY_DESCRIPTION = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
MAKER = x509.SubjectAlternativeName([x509.DNSName("tpm.example")])


def certificate(key: Any, extensions: Any, subject: str = "") -> bytes:
    """A certificate for *key*, signed by itself: nobody asks who has signed it."""
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)] if subject else []
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2050, 1, 1, tzinfo=UTC))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def signature(key: Any, algorithm: int, message: bytes) -> bytes:
    """A signature by *key*."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), HASHES[algorithm])
    return key.sign(message, ec.ECDSA(HASHES[algorithm]))


# TPM


def sized(data: bytes) -> bytes:
    """The bytes behind their length."""
    return struct.pack(">H", len(data)) + data


def public_area(device: Authenticator) -> bytes:
    """How a TPM describes the key of *device*: ECC, SHA-256, for signing, on P-256."""
    point = device.key.public_key().public_numbers()
    head = struct.pack(">HHI", 0x0023, 0x000B, 1 << 18) + sized(b"")
    curve = struct.pack(">HHHH", 0x0010, 0x0010, 0x0003, 0x0010)
    return head + curve + sized(point.x.to_bytes(32, "big")) + sized(point.y.to_bytes(32, "big"))


def tpm(**odd: Any) -> dict[str, Any]:
    """A statement of a TPM; what *odd* names is as it says."""
    algorithm = odd.get("alg", -7)
    key = AIK.get(algorithm, AIK[-7])
    area = odd.get("area", public_area(DEVICE))
    digest = hashlib.new(HASHES[algorithm].name, odd.get("signed", SIGNED)).digest()
    name = odd.get("name", b"\x00\x0b" + hashlib.sha256(area).digest())
    information = (
        odd.get("magic", b"\xffTCG\x80\x17")
        + sized(b"qualified signer")
        + sized(odd.get("extra", digest))
        + odd.get("clock", b"\x33" * 17)
        + b"f" * 8
        + sized(name)
        + sized(b"qualified name")
    )
    information = odd.get("information", information)
    extensions = odd.get(
        "extensions",
        (MAKER, x509.ExtendedKeyUsage([AIK_PURPOSE]), x509.BasicConstraints(ca=False, path_length=None)),
    )
    chain = odd.get("x5c", [certificate(key, extensions, odd.get("subject", ""))])
    statement = {
        "ver": odd.get("ver", "2.0"),
        "alg": algorithm,
        "x5c": chain,
        "sig": odd.get("sig", signature(key, algorithm, information)),
        "certInfo": information,
        "pubArea": area,
    }
    return {name: value for name, value in statement.items() if name != odd.get("without")}


def passes(fmt: str, statement: dict[str, Any]) -> bool:
    """Whether the statement is correct."""
    read = read_registration(json.dumps(DEVICE.register(CHALLENGE, fmt=fmt, statement=statement)))
    assert read is not None
    return is_correct(read)


@pytest.mark.parametrize("algorithm", AIK)
def test_a_tpm_may_sign_with_each_algorithm_that_has_a_hash(algorithm):
    """And the digest that it signs is by that hash."""
    assert passes("tpm", tpm(alg=algorithm))


PURPOSE, NO_AUTHORITY = x509.ExtendedKeyUsage([AIK_PURPOSE]), x509.BasicConstraints(ca=False, path_length=None)


@pytest.mark.parametrize(
    "odd",
    [
        *({"without": name} for name in ("ver", "alg", "x5c", "sig", "certInfo", "pubArea")),
        *({"ver": odd} for odd in ("1.2", 2, b"2.0")),
        *({"area": odd} for odd in (public_area(OTHER), public_area(DEVICE)[:-1], public_area(DEVICE) + b"\0", b"")),
        *({"magic": odd} for odd in (b"\xffTCG\x80\x18", b"\xffTCH\x80\x17", b"")),
        *({"extra": odd} for odd in (b"", b"\0" * 32, b"\xff" * 32, hashlib.sha1(SIGNED).digest())),
        {"signed": SIGNED[:-1]},
        *({"name": odd} for odd in (b"", b"\x00\x0b" + b"\0" * 32, b"\x00\x0b" + b"\xff" * 32)),
        {"name": b"\x00\x04" + hashlib.sha1(public_area(DEVICE)).digest()},
        *({"information": odd} for odd in (b"", b"\xffTCG\x80\x17", b"\xffTCG\x80\x17" + b"\xff" * 60)),
        {"clock": b"\x33" * 16},
        {"sig": b""},
        {"sig": signature(AIK[-7], -7, b"another")},
        *({"x5c": odd} for odd in ([], [b""], [b"0"], "x", b"x", [1])),
        {"subject": "tpm"},
        {"extensions": (PURPOSE, NO_AUTHORITY)},
        {"extensions": (MAKER, NO_AUTHORITY)},
        {"extensions": (MAKER, PURPOSE)},
        {"extensions": (MAKER, x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), NO_AUTHORITY)},
        {"extensions": (MAKER, PURPOSE, x509.BasicConstraints(ca=True, path_length=None))},
    ],
)
def test_what_a_tpm_states_has_to_be_right_in_each_part(odd):
    """Version, key, magic, type, digest, name, signature, and what its certificate has (8.3, 8.3.1)."""
    assert not passes("tpm", tpm(**odd))


def test_the_clock_of_a_tpm_is_ignored():
    """And its firmware: a part that the standard does not look at is not looked at."""
    for clock in (b"\0" * 17, b"\xff" * 17):
        assert passes("tpm", tpm(clock=clock))


# Android


def der(tag: bytes, *parts: bytes) -> bytes:
    """An item of DER."""
    content = b"".join(parts)
    size = len(content)
    return tag + (bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")) + content


def integer(value: int) -> bytes:
    """A whole number of DER."""
    return der(b"\x02", bytes([value]))


def purposes(*values: int) -> bytes:
    """The purposes of a key in an authorization list."""
    return der(b"\xa1", der(b"\x31", *map(integer, values)))


ORIGIN, ALL_APPLICATIONS = b"\xbf\x85\x3e", b"\xbf\x84\x58"


def description(challenge: bytes, software: bytes, hardware: bytes) -> bytes:
    """A KeyDescription."""
    level = der(b"\x0a", b"\x01")
    head = (integer(3), level, integer(4), level, der(b"\x04", challenge), der(b"\x04"))
    return der(b"\x30", *head, der(b"\x30", software), der(b"\x30", hardware))


def android(**odd: Any) -> dict[str, Any]:
    """A statement of Android's key store; what *odd* names is as it says."""
    by = odd.get("by", DEVICE)
    hardware = purposes(2, 3) + der(b"\xbf\x85\x3e", integer(0)) + der(b"\xbf\x83\x77", b"x" * 200)
    lists = odd.get("software", b""), odd.get("hardware", hardware)
    described = odd.get("description", description(odd.get("challenge", DIGEST), *lists))
    extensions = odd.get("extensions", (x509.UnrecognizedExtension(KEY_DESCRIPTION, described),))
    statement = {
        "alg": odd.get("alg", -7),
        "sig": odd.get("sig", by.sign(odd.get("signed", SIGNED))),
        "x5c": odd.get("x5c", [certificate(by.key, extensions, "Android Keystore Key")]),
    }
    return {name: value for name, value in statement.items() if name != odd.get("without")}


def test_android_states_that_the_key_was_made_for_this_ceremony():
    """By a certificate of that key, which holds the hash of the client data. Both lists count, and may be empty."""
    assert passes("android-key", android())
    assert passes("android-key", android(hardware=b""))
    assert passes("android-key", android(hardware=b"", software=purposes(2) + der(ORIGIN, integer(0))))


@pytest.mark.parametrize(
    "odd",
    [
        *({"without": name} for name in ("alg", "sig", "x5c")),
        *({"alg": odd} for odd in (-257, -35, 5, "x")),
        {"by": OTHER},
        {"x5c": [certificate(OTHER.key, ())]},
        {"sig": OTHER.sign(SIGNED)},
        {"signed": SIGNED + b"x"},
        *({"challenge": odd} for odd in (b"\0" * 32, b"", DIGEST + b"x", b"x" + DIGEST)),
        *({where: der(ORIGIN, integer(1))} for where in ("software", "hardware")),
        *({where: purposes(3)} for where in ("software", "hardware")),
        *({where: purposes()} for where in ("software", "hardware")),
        *({where: der(ALL_APPLICATIONS, b"\5\0")} for where in ("software", "hardware")),
        {"software": der(ORIGIN)},
        *(
            {"description": odd}
            for odd in (b"", b"\x30", b"\x30\x80", b"\x30\x05\x04\x20" + DIGEST, b"\x1f", b"\x1f\xff")
        ),
        {"description": description(DIGEST, b"", b"")[:-1]},
        {"description": description(DIGEST, b"", b"") + b"\0\0"},
        {"description": der(b"\x30", der(b"\x04", DIGEST))},
        {"description": der(b"\x30", der(b"\x04", DIGEST), der(b"\x04"), der(b"\x30"), der(b"\x30"))},
        {"extensions": ()},
        {"extensions": (MAKER,)},
        *({"x5c": odd} for odd in ([], [b"0"], "x")),
    ],
)
def test_what_android_states_has_to_be_right_in_each_part(odd):
    """Algorithm, key, signature and challenge (8.4)."""
    assert not passes("android-key", android(**odd))
