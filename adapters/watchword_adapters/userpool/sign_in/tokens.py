"""Tokens as Cognito makes them: RS256 access and ID tokens, opaque refresh tokens, and their revocation."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from watchword.contract.ports import Clock, Random
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.api.schema import is_true
from watchword_adapters.userpool.directory.records import Grant, PoolUser
from watchword_adapters.userpool.directory.user_store import Keeper, NothingKept
from watchword_adapters.userpool.directory.users import new_uuid
from watchword_adapters.userpool.sign_in.account_triggers import SCOPE, Claims, Customized
from watchword_adapters.userpool.sign_in.signing_keys import kept_signing_keys, signing_keys

_TO_BOOLEAN = frozenset({"email_verified", "phone_number_verified"})


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
        keeper: Keeper | None = None,
    ) -> None:
        self._client_id = client_id
        self.issuer = issuer
        self._access_seconds = access_seconds
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._keeper = keeper or NothingKept()
        self._keys = signing_keys if keeper is None else cache(lambda: kept_signing_keys(keeper))
        self._by_refresh: OrderedDict[str, Grant] = (
            OrderedDict()
        )  # by the token's digest; by age: all live equally long
        self._by_origin: dict[str, tuple[str, Grant]] = {}
        self._by_sub: dict[str, set[str]] = {}
        for digest, grant in self._keeper.grants():
            self._remember(digest, grant)

    def issue(self, user: PoolUser, customized: Customized) -> dict[str, Any]:
        """Return the AuthenticationResult of a new sign-in."""
        now = self._clock.now()
        grant = Grant(
            sub=user.sub,
            username=user.username,
            origin_jti=new_uuid(self._random),
            event_id=new_uuid(self._random),
            auth_time=int(now),
            expires=now + self._refresh_seconds,
        )
        refresh = base64.urlsafe_b64encode(self._random.bytes(96)).decode()  # 96 bytes need no padding
        digest = _digest(refresh)
        with self._lock:
            self._forget_expired(now)
            self._keeper.keep_grant(digest, grant)
            self._remember(digest, grant)
        return {**self._result(user, grant, now, customized), "RefreshToken": refresh}

    def refresh(
        self, token: str, user_of: Callable[[str], PoolUser | None], customized: Callable[[PoolUser], Customized]
    ) -> dict[str, Any]:
        """Return a new AuthenticationResult without a refresh token; ``auth_time`` and ``origin_jti`` stay.

        Raises:
            NotAuthorizedException: if the token is unknown, expired or revoked, or its user is gone.
        """
        now = self._clock.now()
        grant = self._by_refresh.get(_digest(token))
        user = None if grant is None else user_of(grant.username)
        if grant is None or user is None or user.sub != grant.sub:
            raise errors.NotAuthorizedException("Invalid Refresh Token")
        if grant.revoked:
            raise errors.NotAuthorizedException("Refresh Token has been revoked")
        if now >= grant.expires:
            raise errors.NotAuthorizedException("Refresh Token has expired")
        return self._result(user, grant, now, customized(user))

    def username_of_refresh(self, token: str) -> str | None:
        """Return whose refresh token this is, or None."""
        grant = self._by_refresh.get(_digest(token))
        return None if grant is None else grant.username

    def username_of_access(self, token: str) -> str:
        """Return whose access token this is.

        Raises:
            NotAuthorizedException: if it is malformed, not ours, expired or revoked.
        """
        _, key = self._keys()
        claims = key.claims(token)
        if claims is None or claims.get("token_use") != "access" or claims.get("iss") != self.issuer:
            raise errors.NotAuthorizedException("Invalid Access Token")
        _, grant = self._by_origin.get(claims["origin_jti"], ("", None))
        if grant is None or claims["client_id"] != self._client_id:
            raise errors.NotAuthorizedException("Invalid Access Token")
        if grant.revoked:
            raise errors.NotAuthorizedException("Access Token has been revoked")
        if self._clock.now() >= claims["exp"]:
            raise errors.NotAuthorizedException("Access Token has expired")
        if SCOPE not in claims["scope"].split():
            raise errors.NotAuthorizedException("Access Token does not have required scopes")
        return grant.username

    def is_revoked(self, origin: object) -> bool:
        """Say whether the tokens with the ``origin_jti`` *origin* were revoked, or were never issued."""
        _, grant = self._by_origin.get(str(origin), ("", None))
        return grant is None or grant.revoked

    def revoke(self, token: str) -> None:
        """Revoke a refresh token and every token that came from it; an unknown one is no error (RFC 7009).

        Raises:
            UnsupportedTokenTypeException: if it is an access or ID token.
        """
        if token.count(".") == 2:
            raise errors.UnsupportedTokenTypeException("Unsupported Token Type")
        digest = _digest(token)
        with self._lock:
            grant = self._by_refresh.get(digest)
            if grant is not None:
                self._revoke(digest, grant)

    def revoke_all(self, sub: str) -> None:
        """Revoke every token of a user."""
        with self._lock:
            for origin in self._by_sub.get(sub, ()):
                self._revoke(*self._by_origin[origin])

    def jwks(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517)."""
        return {"keys": [dict(key.jwk) for key in self._keys()]}

    def _remember(self, digest: str, grant: Grant) -> None:
        self._by_refresh[digest] = grant
        self._by_origin[grant.origin_jti] = (digest, grant)
        self._by_sub.setdefault(grant.sub, set()).add(grant.origin_jti)

    def _revoke(self, digest: str, grant: Grant) -> None:
        if not grant.revoked:
            grant.revoked = True
            self._keeper.keep_grant(digest, grant)

    def _forget_expired(self, now: float) -> None:
        while self._by_refresh:
            digest, grant = next(iter(self._by_refresh.items()))
            if now < grant.expires + self._access_seconds:
                return
            self._keeper.drop_grant(digest)
            del self._by_refresh[digest], self._by_origin[grant.origin_jti]
            mine = self._by_sub[grant.sub]
            mine.discard(grant.origin_jti)
            if not mine:
                del self._by_sub[grant.sub]

    def _result(self, user: PoolUser, grant: Grant, now: float, customized: Customized) -> dict[str, Any]:
        id_key, access_key = self._keys()
        shared = {
            "sub": user.sub,
            "iss": self.issuer,
            "origin_jti": grant.origin_jti,
            "event_id": grant.event_id,
            "auth_time": grant.auth_time,
            "exp": int(now) + self._access_seconds,
            "iat": int(now),
        }
        groups = customized.groups
        shown = {"cognito:groups": list(groups.names)} if groups.names else {}
        roles = {"cognito:roles": list(groups.roles)} if groups.roles else {}
        preferred = {"cognito:preferred_role": groups.preferred_role} if groups.preferred_role else {}
        access = {
            **shared,
            **shown,
            "client_id": self._client_id,
            "token_use": "access",
            "scope": " ".join(customized.scopes),
            "jti": new_uuid(self._random),
            "username": user.username,
        }
        identity = {
            **{name: is_true(value) if name in _TO_BOOLEAN else value for name, value in user.attributes.items()},
            **shared,
            **shown,
            **roles,
            **preferred,
            "aud": self._client_id,
            "cognito:username": user.username,
            "token_use": "id",
            "jti": new_uuid(self._random),
        }
        return {
            "AccessToken": access_key.token(_changed(access, customized.access)),
            "ExpiresIn": self._access_seconds,
            "TokenType": "Bearer",
            "IdToken": id_key.token(_changed(identity, customized.id)),
        }


def _changed(claims: Mapping[str, Any], change: Claims) -> dict[str, Any]:
    merged = {**claims, **change.added}
    return {name: value for name, value in merged.items() if name not in change.suppressed}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
