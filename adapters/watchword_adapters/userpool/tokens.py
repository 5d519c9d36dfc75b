"""Tokens as Cognito makes them: RS256 access and ID tokens, opaque refresh tokens, and their revocation."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from attrs import define, field, frozen

from watchword.ports import Clock, Random
from watchword_adapters.userpool import errors
from watchword_adapters.userpool.schema import is_true
from watchword_adapters.userpool.users import User, new_uuid

_SCOPE = "aws.cognito.signin.user.admin"
_TO_BOOLEAN = frozenset({"email_verified", "phone_number_verified"})


@frozen
class SigningKey:
    """An RSA key, parsed once: *sign* makes a signature, *check* says whether one is good, *jwk* is the public half."""

    header: str
    jwk: Mapping[str, str]
    sign: Callable[[bytes], bytes] = field(repr=False)
    check: Callable[[bytes, bytes], bool] = field(repr=False)


@define
class _Grant:
    """One sign-in: what its refresh token and all tokens from it hang on."""

    sub: str
    username: str
    origin_jti: str
    event_id: str
    auth_time: int
    expires: float
    revoked: bool = False


class Tokens:
    """The tokens of one pool and app client."""

    def __init__(
        self,
        *,
        client_id: str,
        issuer: str,
        access_seconds: int,
        refresh_seconds: int,
        clock: Clock,
        random: Random,
    ) -> None:
        self._client_id = client_id
        self.issuer = issuer
        self._access_seconds = access_seconds
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._by_refresh: OrderedDict[str, _Grant] = OrderedDict()  # by age: all live equally long
        self._by_origin: dict[str, _Grant] = {}
        self._by_sub: dict[str, set[str]] = {}

    def issue(self, user: User) -> dict[str, Any]:
        """Return the AuthenticationResult of a new sign-in."""
        now = self._clock.now()
        grant = _Grant(
            sub=user.sub,
            username=user.username,
            origin_jti=new_uuid(self._random),
            event_id=new_uuid(self._random),
            auth_time=int(now),
            expires=now + self._refresh_seconds,
        )
        refresh = _base64url(self._random.bytes(96))
        with self._lock:
            self._forget_expired(now)
            self._by_refresh[refresh] = grant
            self._by_origin[grant.origin_jti] = grant
            self._by_sub.setdefault(user.sub, set()).add(grant.origin_jti)
        return {**self._result(user, grant, now), "RefreshToken": refresh}

    def refresh(self, token: str, user_of: Callable[[str], User | None]) -> dict[str, Any]:
        """Return a new AuthenticationResult without a refresh token; ``auth_time`` and ``origin_jti`` stay.

        Raises:
            NotAuthorizedException: if the token is unknown, expired or revoked, or its user is gone.
        """
        now = self._clock.now()
        grant = self._by_refresh.get(token)
        user = None if grant is None else user_of(grant.username)
        if grant is None or user is None or user.sub != grant.sub:
            raise errors.NotAuthorizedException("Invalid Refresh Token")
        if grant.revoked:
            raise errors.NotAuthorizedException("Refresh Token has been revoked")
        if now >= grant.expires:
            raise errors.NotAuthorizedException("Refresh Token has expired")
        return self._result(user, grant, now)

    def username_of_refresh(self, token: str) -> str | None:
        """Return whose refresh token this is, or None."""
        grant = self._by_refresh.get(token)
        return None if grant is None else grant.username

    def username_of_access(self, token: str) -> str:
        """Return whose access token this is.

        Raises:
            NotAuthorizedException: if it is malformed, not ours, expired or revoked.
        """
        claims = self._claims(token)
        if claims is None or claims.get("token_use") != "access" or claims.get("iss") != self.issuer:
            raise errors.NotAuthorizedException("Invalid Access Token")
        grant = self._by_origin.get(claims["origin_jti"])
        if grant is None or claims["client_id"] != self._client_id:
            raise errors.NotAuthorizedException("Invalid Access Token")
        if grant.revoked:
            raise errors.NotAuthorizedException("Access Token has been revoked")
        if self._clock.now() >= claims["exp"]:
            raise errors.NotAuthorizedException("Access Token has expired")
        return grant.username

    def revoke(self, token: str) -> None:
        """Revoke a refresh token and every token that came from it; an unknown one is no error (RFC 7009).

        Raises:
            UnsupportedTokenTypeException: if it is an access or ID token.
        """
        if token.count(".") == 2:
            raise errors.UnsupportedTokenTypeException("Unsupported Token Type")
        with self._lock:
            grant = self._by_refresh.get(token)
            if grant is not None:
                grant.revoked = True

    def revoke_all(self, sub: str) -> None:
        """Revoke every token of a user."""
        with self._lock:
            for origin in self._by_sub.get(sub, ()):
                self._by_origin[origin].revoked = True

    def jwks(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517)."""
        return {"keys": [dict(key.jwk) for key in signing_keys()]}

    def _forget_expired(self, now: float) -> None:
        while self._by_refresh:
            token, grant = next(iter(self._by_refresh.items()))
            if now < grant.expires + self._access_seconds:
                return
            del self._by_refresh[token], self._by_origin[grant.origin_jti]
            mine = self._by_sub[grant.sub]
            mine.discard(grant.origin_jti)
            if not mine:
                del self._by_sub[grant.sub]

    def _result(self, user: User, grant: _Grant, now: float) -> dict[str, Any]:
        id_key, access_key = signing_keys()
        shared = {
            "sub": user.sub,
            "iss": self.issuer,
            "origin_jti": grant.origin_jti,
            "event_id": grant.event_id,
            "auth_time": grant.auth_time,
            "exp": int(now) + self._access_seconds,
            "iat": int(now),
        }
        access = {
            **shared,
            "client_id": self._client_id,
            "token_use": "access",
            "scope": _SCOPE,
            "jti": new_uuid(self._random),
            "username": user.username,
        }
        identity = {
            **{name: is_true(value) if name in _TO_BOOLEAN else value for name, value in user.attributes.items()},
            **shared,
            "aud": self._client_id,
            "cognito:username": user.username,
            "token_use": "id",
            "jti": new_uuid(self._random),
        }
        return {
            "AccessToken": _jwt(access, access_key),
            "ExpiresIn": self._access_seconds,
            "TokenType": "Bearer",
            "IdToken": _jwt(identity, id_key),
        }

    def _claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that our own access key signed, or None."""
        _, key = signing_keys()
        head, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        if head != key.header or not _signed(f"{head}.{payload}", signature, key):
            return None
        return cast("dict[str, Any]", json.loads(_unbase64url(payload)))


def _signed(message: str, signature: str, key: SigningKey) -> bool:
    try:
        return key.check(_unbase64url(signature), message.encode())
    except ValueError:
        return False


def _jwt(claims: Mapping[str, Any], key: SigningKey) -> str:
    message = f"{key.header}.{_base64url(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{message}.{_base64url(key.sign(message.encode()))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_making = threading.Lock()


def signing_keys() -> tuple[SigningKey, SigningKey]:
    """Return the keys of ID and access tokens: made on first use, then kept as long as the process lives."""
    with _making:
        return _make_keys()


@cache
def _make_keys() -> tuple[SigningKey, SigningKey]:
    return _make_key(), _make_key()


def _make_key() -> SigningKey:
    # Imported here: who never gets as far as a token needs no cryptography.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key()
    scheme, digest = padding.PKCS1v15(), SHA256()
    numbers = public.public_numbers()
    modulus = _base64url(numbers.n.to_bytes(256, "big"))
    kid = base64.b64encode(hashlib.sha256(modulus.encode()).digest()).decode()

    def check(signature: bytes, message: bytes) -> bool:
        try:
            public.verify(signature, message, scheme, digest)
        except InvalidSignature:
            return False
        return True

    return SigningKey(
        header=_base64url(json.dumps({"kid": kid, "alg": "RS256"}, separators=(",", ":")).encode()),
        jwk={"alg": "RS256", "e": "AQAB", "kid": kid, "kty": "RSA", "n": modulus, "use": "sig"},
        sign=lambda message: private.sign(message, scheme, digest),
        check=check,
    )
