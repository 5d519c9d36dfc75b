"""Check the tokens of a user pool: the signature by its public keys, and the claims that say for whom and for what a token is."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Literal, cast

from attrs import field, frozen

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.extras import demand
from watchword_adapters.rest.exchange import RefusedRequest

FRESH = 300
"""Seconds for which a sign-in counts as fresh: whoever adds or removes something has signed in no longer ago."""

READING = ("cryptography", "jwt")
"""What reading a token needs."""

ON_THIS_MACHINE = "http://127.0.0.1:"
"""How the address of a pool on this machine begins."""

_SKEW = 5  # seconds that two clocks may differ
_LONGEST_TOKEN = 16_384
_LONGEST_KEYS = 65_536
_FETCH_SECONDS = 2.0
_FETCH_INTERVAL = 60.0
_KEPT_SECONDS = 3600.0

TokenUse = Literal["id", "access"]
KeySet = Callable[[str], Mapping[str, Any] | None]
"""Finds the public key (RFC 7517) that has an id, or None."""


@frozen
class PoolTokens:
    """The tokens that one user pool issues to some of its app clients.

    *issuer* is the pool's, such as ``https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123``; *clients* are the ids of the app
    clients whose tokens count; *keys* finds the pool's public keys. *revoked* says of the claims of a good token whether it was
    revoked, where that can be known.
    """

    issuer: str
    clients: frozenset[str]
    keys: KeySet = field(repr=False)
    clock: Clock = field(repr=False)
    revoked: Callable[[Mapping[str, Any]], bool] = field(default=lambda claims: False, repr=False)

    def claims(self, request_header: str, use: TokenUse) -> Mapping[str, Any]:
        """Return the claims of the token in an Authorization header (RFC 6750), which must be for *use*.

        Raises:
            RefusedRequest: with 401 if it is missing, forged, expired or revoked, or of another pool or app; with 400 if it is
                a good token for another use.
            UnavailableError: if the keys cannot be had.
        """
        scheme, _, token = request_header[: 2 * _LONGEST_TOKEN].partition(" ")
        claims = self._signed(token.strip()) if scheme.lower() == "bearer" else None
        now = self.clock.now()
        if claims is None or claims.get("iss") != self.issuer or not _is_current(claims, now):
            raise RefusedRequest(401, "Unauthorized")
        found = claims.get("token_use")
        client = claims.get("aud") if found == "id" else claims.get("client_id") if found == "access" else None
        if not isinstance(client, str) or client not in self.clients or self.revoked(claims):
            raise RefusedRequest(401, "Unauthorized")
        if found != use:
            raise RefusedRequest(400, f"Use your {'ID' if use == 'id' else use} token to access this API")
        return claims

    def is_fresh(self, claims: Mapping[str, Any]) -> bool:
        """Say whether the sign-in of *claims* is at most `FRESH` seconds old. A refresh makes no sign-in fresh: its time stays.

        A sign-in that is yet to come would be fresh for as long as the token is good.
        """
        at, now = claims.get("auth_time"), self.clock.now()
        return _is_time(at) and now - FRESH - 1 < cast("int", at) <= now + _SKEW

    def _signed(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of *token* if one of the pool's keys has signed it."""
        demand("the check of tokens", *READING, extra="api")
        from jwt import PyJWK, PyJWS, PyJWTError, get_unverified_header  # noqa: PLC0415 - heavy

        if not token or len(token) > _LONGEST_TOKEN:
            return None
        try:
            kid = get_unverified_header(token).get("kid")
            key = self.keys(kid) if isinstance(kid, str) else None
            # The key says the algorithm, not the token (RFC 8725, 3.1).
            payload = PyJWS().decode(token, PyJWK(dict(key), "RS256"), ["RS256"]) if key else b""
            claims: object = json.loads(payload)
        except (PyJWTError, ValueError, RecursionError):  # ValueError: no UTF-8, or no JSON
            return None
        return cast("Mapping[str, Any]", claims) if isinstance(claims, dict) else None


class FetchedKeys:
    """The public keys of a pool, from ``/.well-known/jwks.json`` below its issuer.

    They are fetched when a key is asked for that is not known, and at most once a minute: a token of a stranger, who may name any
    key, cannot make the function ask again and again. After an hour they are fetched anew: a key that the pool has taken away counts
    no more, however long the function lives.
    """

    def __init__(self, issuer: str, clock: Clock) -> None:
        if not issuer.startswith(("https://", ON_THIS_MACHINE)):
            raise ConfigurationError(f"the issuer is {issuer!r:.120}: it begins with https://")
        self._address = f"{issuer}/.well-known/jwks.json"
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Mapping[str, Any]] = {}
        self._asked = float("-inf")

    def __call__(self, kid: str) -> Mapping[str, Any] | None:
        """Return the key that has the id *kid*.

        Raises:
            UnavailableError: if no key is known and none can be fetched.
        """
        with self._lock:
            now = self._clock.monotonic()
            wait = _KEPT_SECONDS if kid in self._known else _FETCH_INTERVAL if self._known else 0.0
            if now >= self._asked + wait:
                self._asked = now
                self._known = key_set(self._fetched()) or self._known
            return self._known.get(kid)

    def _fetched(self) -> object:
        try:
            with urllib.request.urlopen(self._address, timeout=_FETCH_SECONDS) as response:  # noqa: S310 - https, see above
                return json.loads(response.read(_LONGEST_KEYS))
        except (OSError, HTTPException, ValueError) as error:
            if self._known:
                return None
            raise UnavailableError(
                f"the keys of the user pool cannot be fetched from {self._address}: {type(error).__name__}",
                reason="unreachable",
            ) from None


def key_set(document: object) -> dict[str, Mapping[str, Any]]:
    """Return the keys of a JWKS *document* by their ids."""
    keys: object = cast("Mapping[str, Any]", document).get("keys") if isinstance(document, Mapping) else None
    listed = cast("list[object]", keys) if isinstance(keys, list) else []
    found = [cast("Mapping[str, Any]", key) for key in listed if isinstance(key, Mapping)]
    return {key["kid"]: key for key in found if isinstance(key.get("kid"), str)}


def issuer_of(pool: str) -> str:
    """Return the issuer of the user pool whose id is *pool*.

    Raises:
        ConfigurationError: if it is no id of a pool.
    """
    region, _, rest = pool.partition("_")
    if not region.replace("-", "").isalnum() or not rest.isalnum():
        raise ConfigurationError(f"{pool!r:.80} is no id of a user pool: it has the form eu-west-1_Abc123")
    return f"https://cognito-idp.{region}.amazonaws.com/{pool}"


def _is_current(claims: Mapping[str, Any], now: float) -> bool:
    ends, issued, sub = claims.get("exp"), claims.get("iat"), claims.get("sub")
    return _is_time(ends) and _is_time(issued) and bool(sub) and isinstance(sub, str) and issued - _SKEW <= now < ends  # type: ignore[operator]


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
