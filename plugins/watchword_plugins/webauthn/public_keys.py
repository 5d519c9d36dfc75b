"""Public keys in COSE form: which ones are sound, and whether they verify a signature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from fido2.cose import CoseKey

_KTY, _ALG, _CRV, _X, _Y = 1, 3, -1, -2, -3
_N, _E = -1, -2
_OKP, _EC2, _RSA = 1, 2, 3

ALGORITHMS: Final[Mapping[int, str]] = {
    -7: "ES256",
    -8: "EdDSA",
    -9: "ESP256",
    -19: "Ed25519",
    -35: "ES384",
    -36: "ES512",
    -37: "PS256",
    -47: "ES256K",
    -51: "ESP384",
    -52: "ESP512",
    -53: "Ed448",
    -257: "RS256",
}
"""The algorithms that can be offered, by their number at IANA. Keys of ML-DSA are longer than what is kept of a credential."""

_CURVES: Final[Mapping[int, tuple[int, int]]] = {
    **dict.fromkeys((-7, -9), (1, 32)),
    **dict.fromkeys((-35, -51), (2, 48)),
    **dict.fromkeys((-36, -52), (3, 66)),
    -47: (8, 32),
    **dict.fromkeys((-8, -19), (6, 32)),
    -53: (7, 57),
}
"""The curve of an algorithm, and how many bytes a coordinate has."""

_EDWARDS = frozenset({-8, -19, -53})
_RSA_BITS = (2048, 4096)  # NIST SP 800-131A: 2,048 or more; a key longer than 4,096 is not kept
_MOST_EXPONENT_BYTES = 4


def is_sound(key: CoseKey) -> bool:
    """Say whether *key* has the members of its algorithm and no other, of the right size, and can verify a signature.

    W3C, 6.5.1: a credential's key holds its algorithm, what the type of key requires, and nothing optional.
    """
    members = cast("Mapping[object, Any]", key)
    algorithm: object = members.get(_ALG)
    if algorithm in _CURVES and type(algorithm) is int:
        curve, size = _CURVES[algorithm]
        edwards = algorithm in _EDWARDS
        names = {_KTY, _ALG, _CRV, _X} if edwards else {_KTY, _ALG, _CRV, _X, _Y}
        coordinates = (_X,) if edwards else (_X, _Y)
        sound = (
            set(members) == names
            and members[_KTY] == (_OKP if edwards else _EC2)
            and type(members[_CRV]) is int  # True is 1
            and members[_CRV] == curve
            and all(type(members[name]) is bytes and len(members[name]) == size for name in coordinates)
        )
    elif algorithm in ALGORITHMS:
        fewest, most = _RSA_BITS
        sound = (
            set(members) == {_KTY, _ALG, _N, _E}
            and members[_KTY] == _RSA
            and type(members[_N]) is bytes
            and len(members[_N]) <= most // 8
            and fewest <= int.from_bytes(members[_N], "big").bit_length()
            and type(members[_E]) is bytes
            and 0 < len(members[_E]) <= _MOST_EXPONENT_BYTES
        )
    else:
        return False
    return sound and _verified(key, b"", b"\0") is False


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether *signature* is one of *message* by the owner of *public_key*, the CBOR of a key."""
    from fido2 import cbor  # noqa: PLC0415 - heavy
    from fido2.cose import CoseKey  # noqa: PLC0415 - heavy

    try:
        key = CoseKey.parse(cast("Any", cbor).decode(public_key))
    except Exception:  # noqa: BLE001 - somebody has put something else into the store
        return False
    return _verified(key, message, signature) is True


def encoded(key: CoseKey) -> bytes:
    """Return *key* as CBOR, which `verifies` takes."""
    from fido2.cbor import encode  # noqa: PLC0415 - heavy

    return encode(dict(key))


def _verified(key: CoseKey, message: bytes, signature: bytes) -> bool | None:
    """Say whether *signature* is right; None if *key* can verify none, such as one with a point off its curve."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - heavy

    try:
        key.verify(message, signature)
    except InvalidSignature:
        return False
    except Exception:  # noqa: BLE001 - a key of a stranger in a library
        return None
    return True
