"""The keys that sign the local pool's tokens: RS256 by PyJWT, made once, published as a JWKS."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from watchword.errors import ConfigurationError
from watchword_adapters.extras import demand

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from watchword_adapters.userpool.directory.user_store import Keeper

SIGNING = ("cryptography", "jwt")
"""What signing needs. It is imported inside: who never gets as far as a token needs none of it."""


@frozen
class SigningKey:
    """An RSA key that signs tokens and reads its own; *jwk* is its public half (RFC 7517)."""

    jwk: Mapping[str, str]
    private: RSAPrivateKey = field(repr=False)

    def token(self, claims: Mapping[str, Any]) -> str:
        """Return *claims* as a signed token. Cognito: the header has kid and alg, and no typ."""
        from jwt import PyJWS  # noqa: PLC0415

        payload = json.dumps(claims, separators=(",", ":")).encode()
        return PyJWS().encode(payload, self.private, "RS256", {"kid": self.jwk["kid"], "typ": None})

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a *token* that this key has signed, or None. Times are the pool's to judge."""
        from jwt import InvalidTokenError, PyJWS  # noqa: PLC0415

        try:
            payload = PyJWS().decode(token, self.private.public_key(), ["RS256"])
        except (InvalidTokenError, ValueError):  # ValueError: a text that has no UTF-8
            return None
        return cast("dict[str, Any]", json.loads(payload))


_making = threading.Lock()


def signing_keys() -> tuple[SigningKey, SigningKey]:
    """Return the keys of ID and access tokens: made on first use, then kept as long as the process lives."""
    with _making:
        return _make_keys()


@cache
def _make_keys() -> tuple[SigningKey, SigningKey]:
    demand("the local user pool", *SIGNING)
    return signing_key(new_private_key()), signing_key(new_private_key())


def kept_signing_keys(keeper: Keeper) -> tuple[SigningKey, SigningKey]:
    """Return the keys of ID and access tokens that *keeper* has; they are made once."""
    demand("the local user pool", *SIGNING)
    with _making:
        id_key, access_key = (signing_key(keeper.secret(name, new_private_key)) for name in ("id key", "access key"))
    return id_key, access_key


def new_private_key() -> bytes:
    """Return a new RSA private key in DER (PKCS #8)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signing_key(der: bytes) -> SigningKey:
    """Return the key in *der*, parsed.

    Raises:
        ConfigurationError: if it is no RSA key.
    """
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

    try:
        private = load_der_private_key(der, None)
    except ValueError:
        private = None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ConfigurationError("a kept signing key is damaged: remove the database, and sign in anew")
    numbers = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = base64.b64encode(hashlib.sha256(numbers["n"].encode()).digest()).decode()
    public = {"alg": "RS256", "e": numbers["e"], "kid": kid, "kty": "RSA", "n": numbers["n"], "use": "sig"}
    return SigningKey(public, private)
