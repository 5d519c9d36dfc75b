"""The access tokens of user pools, for answers that come with one: signed by the pool, for this user and app client, and good now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

from watchword.contract.ports import AccessTokens, Clock
from watchword_adapters.extras import demand
from watchword_adapters.rest.callers import Callers, get_user_of
from watchword_adapters.rest.exchange import HttpRequest, RefusedRequest
from watchword_adapters.rest.lambda_function import tokens_of
from watchword_adapters.rest.pool_tokens import READING


@frozen(eq=False)
class AccessTokensOfPools:
    """The access tokens of the user pools that *find* gives what is known of: it is asked with a pool and an app client."""

    find: Callable[[str, str], Callers] = field(repr=False)

    def __call__(self, token: str, *, pool: str, client: str, sub: str, within: float) -> bool:
        """Say whether *token* is an access token of the user *sub* in the app *client* of *pool*, not expired and not revoked.

        Raises:
            UnavailableError: if the pool's keys cannot be had, or the pool cannot be asked.
        """
        callers = self.find(pool, client)
        # Whatever list the pool's APIs have, the token must be of the app client that signs in now.
        callers = evolve(callers, tokens=evolve(callers.tokens, clients=frozenset({client})))
        try:
            caller = callers.caller_of(HttpRequest("POST", "/", headers={"authorization": f"Bearer {token}"}))
        except RefusedRequest:
            return False
        return caller.user.attributes.get("sub") == sub


def access_tokens_of(clock: Clock, environment: Mapping[str, str]) -> AccessTokens:
    """Return the access tokens of user pools on AWS, or where *environment* says that AWS is. Keys and connections are kept.

    Raises:
        ConfigurationError: if what reads tokens is not installed.
    """
    demand("the check of access tokens", *READING, "boto3", extra="api")
    kept: dict[str, Callers] = {}

    def find(pool: str, client: str) -> Callers:
        if pool not in kept:
            tokens = tokens_of(clock, pool, [client], None, environment)
            kept[pool] = Callers(tokens, get_user_of(pool))
        return kept[pool]

    return AccessTokensOfPools(find)
