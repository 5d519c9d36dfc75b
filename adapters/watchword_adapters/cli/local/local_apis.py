"""The APIs beside a local pool: what they run on, and how they know the pool's tokens."""

from __future__ import annotations

from attrs import define

from watchword.runtime.services import Services
from watchword_adapters.rest.exchange import HttpApi, HttpReply, HttpRequest
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set
from watchword_adapters.userpool import LocalUserPool

FIDO2_PATH = "/fido2"


@define
class LocalServices:
    """What the triggers that are served run on, as of the last time that their flow was read."""

    services: Services | None = None

    def fido2_api(self, pool: LocalUserPool) -> HttpApi:
        """Return the API for passkeys that the passwordless client calls."""
        from watchword_adapters.dialects.fido2_api import Fido2Api  # noqa: PLC0415 - only for a dialect

        tokens = PoolTokens(
            pool.issuer,
            frozenset({pool.client_id}),
            lambda kid: key_set(pool.jwks()).get(kid),
            pool.clock,
            pool.has_ended,
        )

        def api(request: HttpRequest) -> HttpReply:
            assert self.services is not None
            return Fido2Api(self.services, pool.pool_id, tokens)(request)

        return api
