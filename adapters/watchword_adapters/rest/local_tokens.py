"""The access tokens of a local user pool, and who holds one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from watchword.errors import UnavailableError
from watchword_adapters.rest.access_tokens import AccessTokensOfPools
from watchword_adapters.rest.callers import Callers
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set

if TYPE_CHECKING:
    from watchword_adapters.userpool import LocalUserPool


def tokens_of_local_pool(pool: LocalUserPool) -> PoolTokens:
    """Return what checks the tokens of *pool*, with its own keys; it knows which were revoked."""

    def key(kid: str) -> Mapping[str, Any] | None:
        return key_set(pool.jwks()).get(kid)

    return PoolTokens(pool.issuer, frozenset({pool.client_id}), key, pool.clock, pool.has_ended)


def callers_of_local_pool(pool: LocalUserPool) -> Callers:
    """Return who holds the access tokens of *pool*."""
    return Callers(tokens_of_local_pool(pool), lambda token: pool.get_user(AccessToken=token))


@define(eq=False)
class LocalAccessTokens:
    """The access tokens of the local *pool* that runs the triggers: it is made after them, and put in here then."""

    pool: LocalUserPool | None = field(default=None, repr=False)

    def __call__(self, token: str, *, pool: str, client: str, sub: str, within: float) -> bool:
        """Say whether *token* is an access token of the user *sub* in the app *client* of *pool*, as `AccessTokens` does."""
        local = self.pool
        if local is None:
            raise UnavailableError("the local pool is not there yet", reason="internal")
        known = AccessTokensOfPools(lambda pool, client: callers_of_local_pool(local))
        return local.pool_id == pool and known(token, pool=pool, client=client, sub=sub, within=within)
