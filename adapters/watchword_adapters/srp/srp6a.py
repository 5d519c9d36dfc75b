"""SRP-6a as Amazon Cognito's clients speak it: both sides, pure arithmetic.

The group is RFC 3526 group 15 (3072 bits) with g = 2, where RFC 5054 takes 5; every hash is SHA-256 over integers
padded as Java's ``BigInteger.toByteArray`` does; the key is one block of HKDF. Stock SRP libraries differ in each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from attrs import field, frozen

from watchword.contract.ports import Random
from watchword.errors import ProtocolError, UnavailableError

N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
"""The modulus: RFC 3526 section 4, the 3072-bit MODP group."""

G = 2
"""The generator."""

HEX_DIGITS = 1024
"""The most hexadecimal digits that a number of the other side may have: bounded before it is parsed."""

_EXPONENT_BYTES = 32  # RFC 5054 section 2.5.3: 256 bits or more; it also matches the strength of a 3072-bit group
_SALT_BYTES = 16
_WIDTH = 384  # bytes of a number below N
_DRAWS = 64
_STUCK = "the random source gives no usable number; check the Random port"
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)


@frozen
class Verifier:
    """What a server keeps in place of a password: *salt* in minimal lower-case hexadecimal, *value* = g^x mod N."""

    salt: str = field(repr=False)
    value: int = field(repr=False)


@frozen
class PasswordExchange:
    """The server's half of one password check: made by `draw_exchange`, used once.

    *client_public* is A, *public* is B, *private* is b and *scramble* is u of the papers.
    """

    verifier: Verifier
    client_public: int
    public: int
    private: int = field(repr=False)
    scramble: int = field(repr=False)


def padded(number: int) -> bytes:
    """Return *number* (0 or more) big-endian in as few bytes as hold it and a leading zero bit."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def to_hex(number: int) -> str:
    """Return *number* in lower-case hexadecimal without leading zeros, as it goes over the wire."""
    return f"{number:x}"


def from_hex(text: object, name: str) -> int:
    """Read the hexadecimal number that the other side sent under *name*.

    Raises:
        ProtocolError: if it is not a string of 1 to 1024 hexadecimal digits.
    """
    if not isinstance(text, str) or len(text) > HEX_DIGITS or not _HEX.fullmatch(text):
        raise ProtocolError(f"{name} must be a hexadecimal number of at most {HEX_DIGITS} digits")
    return int(text, 16)


def public_from_hex(text: object, name: str) -> int:
    """Read a public number, A or B.

    Raises:
        ProtocolError: if it is malformed, or is 0 mod N, which would give the secret away (RFC 5054 section 2.5.4).
    """
    number = from_hex(text, name)
    if number % N == 0:
        raise ProtocolError(f"{name} must not be 0 modulo N")
    return number


def pool_name(pool_id: str) -> str:
    """Return the part of a pool id that is hashed: between its first and its second underscore."""
    parts = pool_id.split("_")
    if len(parts) < 2 or not parts[1]:
        raise ProtocolError("a pool id has the form region_name, for example us-east-1_AbCdEf123")
    return parts[1]


def secret_exponent(pool_id: str, user_id: str, password: str, salt: str) -> int:
    """Return x, which a client computes from the password and a server never keeps.

    *user_id* is USER_ID_FOR_SRP, never the alias that was typed; *salt* is hexadecimal.
    """
    inner = _hash(_utf8(f"{pool_name(pool_id)}{user_id}:{password}"))
    return _number(padded(from_hex(salt, "SALT")), inner)


def make_verifier(pool_id: str, user_id: str, password: str, salt: str) -> Verifier:
    """Return the verifier of a password under *salt* (hexadecimal, see `draw_salt`)."""
    exponent = secret_exponent(pool_id, user_id, password, salt)
    return Verifier(to_hex(from_hex(salt, "SALT")), _power(G, exponent))


def draw_salt(random: Random) -> str:
    """Return a new salt of 16 bytes whose first is not 00.

    JavaScript clients print the salt anew from a number and others hash the string as sent: with leading zeros
    they would disagree, and one user in 512 could never sign in.

    Raises:
        UnavailableError: if *random* gives nothing usable.
    """
    for _ in range(_DRAWS):
        salt = random.bytes(_SALT_BYTES)
        if salt[0]:
            return to_hex(int.from_bytes(salt, "big"))
    raise UnavailableError(_STUCK)


def made_up_verifier(key: bytes, pool_id: str, name: str) -> Verifier:
    """Return the verifier of a user who does not exist: always the same one for *name*, and no password fits it.

    It costs no exponentiation, like looking up a real one (RFC 5054 section 2.5.1.3).
    """
    seed = hmac.digest(key, _utf8(f"srp:{pool_id}:{name}"), "sha512")
    salt = bytes([seed[0] or 1]) + seed[1:_SALT_BYTES]
    # Half a kilobyte taken mod N: near enough to uniform, and no discrete logarithm is known to anybody.
    wide = b"".join(hmac.digest(seed, bytes([block]), "sha512") for block in range(8))
    return Verifier(salt.hex().lstrip("0"), int.from_bytes(wide, "big") % N)


def draw_exchange(verifier: Verifier, client_public: int, random: Random) -> PasswordExchange:
    """Draw the server's secret b and return the exchange; send ``to_hex(exchange.public)`` as SRP_B.

    b is drawn again until u's first byte is not 00: one known client hashes u at full width where the others
    hash the number, and would fail once in 512 sign-ins.

    Raises:
        ProtocolError: if *client_public* is 0 mod N.
        UnavailableError: if *random* gives nothing usable.
    """
    if client_public % N == 0:
        raise ProtocolError("SRP_A must not be 0 modulo N")
    for _ in range(_DRAWS):
        exchange = exchange_of(verifier, client_public, int.from_bytes(random.bytes(_EXPONENT_BYTES), "big"))
        if exchange.public and exchange.scramble >> 248:
            return exchange
    raise UnavailableError(_STUCK)


def exchange_of(verifier: Verifier, client_public: int, private: int) -> PasswordExchange:
    """Return the exchange for a given b: the arithmetic of `draw_exchange` without its drawing."""
    public = (_MULTIPLIER * verifier.value + _power(G, private)) % N
    return PasswordExchange(verifier, client_public, public, private, scramble(client_public, public))


def scramble(client_public: int, server_public: int) -> int:
    """Return u, the hash of both public numbers."""
    return _number(padded(client_public), padded(server_public))


def server_key(exchange: PasswordExchange) -> bytes:
    """Return the 16-byte session key that only somebody who knows the password shares."""
    base = exchange.client_public * _power(exchange.verifier.value, exchange.scramble) % N
    return _derived(exchange.scramble, _power(base, exchange.private))


def client_public(private: int) -> int:
    """Return A for the client's secret a; send it with `to_hex` as SRP_A."""
    return _power(G, private)


def client_key(*, private: int, server_public: int, exponent: int) -> bytes:
    """Return the client's session key from its secret a, the server's B and x (see `secret_exponent`).

    Raises:
        ProtocolError: if B or u is 0, which an honest server never sends.
    """
    u = scramble(client_public(private), server_public)
    if server_public % N == 0 or u == 0:
        raise ProtocolError("SRP_B must not be 0 modulo N")
    base = (server_public - _MULTIPLIER * _power(G, exponent)) % N
    return _derived(u, _power(base, private + u * exponent))


def signature(key: bytes, pool_id: str, user_id: str, block: bytes, timestamp: str) -> str:
    """Return PASSWORD_CLAIM_SIGNATURE in base64.

    *block* is the decoded SECRET_BLOCK; *timestamp* is hashed as it was sent, its age is the caller's business.
    """
    message = _utf8(pool_name(pool_id) + user_id) + block + _utf8(timestamp)
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def same_signature(expected: str, claimed: str) -> bool:
    """Compare two signatures in constant time; anything odd is simply another signature."""
    return hmac.compare_digest(expected.encode(), claimed.encode("utf-8", "replace"))


def same_verifier(one: Verifier, other: Verifier) -> bool:
    """Compare two verifiers in constant time."""
    return hmac.compare_digest(one.value.to_bytes(_WIDTH, "big"), other.value.to_bytes(_WIDTH, "big"))


def _utf8(text: str) -> bytes:
    # JSON can carry half of a surrogate pair: such a text is another text, and no reason to stop.
    return text.encode("utf-8", "surrogatepass")


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _number(*parts: bytes) -> int:
    return int.from_bytes(_hash(*parts), "big")


_MULTIPLIER = _number(padded(N), padded(G))


def _derived(u: int, secret: int) -> bytes:
    extracted = hmac.digest(padded(u), padded(secret), "sha256")
    return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]


@cache
def _power_mod() -> Callable[[int, int, int], Any]:
    try:
        return import_module("gmpy2").powmod  # type: ignore[no-any-return]
    except ImportError:
        return pow


def _power(base: int, exponent: int) -> int:
    """Return base^exponent mod N, by gmpy2 (about eight times as fast) where it is installed."""
    return int(_power_mod()(base, exponent, N))
