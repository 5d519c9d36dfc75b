"""The APIs beside a local pool: what they run on, and how they know the pool's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import define

from watchword.contract.credentials import Credentials
from watchword.runtime.services import Services
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.rest.exchange import HttpApi, HttpReply, HttpRequest
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set
from watchword_adapters.userpool import LocalUserPool

CREDENTIALS_PATH = "/credentials"
FIDO2_PATH = "/fido2"


def local_credentials(database: str | None) -> Credentials:
    """Return the store of what users enrol at a local pool: in memory, or in a file beside the *database* of the pool."""
    if database is None:
        return MemoryCredentials()
    return SqliteCredentials(f"{database}.credentials")


@define
class LocalServices:
    """What the triggers that are served run on, as of the last time that their flow was read."""

    services: Services | None = None

    def credentials_api(self, pool: LocalUserPool) -> HttpApi:
        """Return the API by which users enrol, list, rename and remove. Pages of this machine may call it."""
        from watchword_adapters.credentials_api import CredentialsApi  # noqa: PLC0415
        from watchword_adapters.credentials_api.callers import Callers  # noqa: PLC0415

        callers = Callers(_tokens_of(pool), lambda token: pool.get_user(AccessToken=token))

        def api(request: HttpRequest) -> HttpReply:
            assert self.services is not None
            origin = request.headers.get("origin", "")
            origins = frozenset({origin} if _is_of_this_machine(origin) else ())
            return CredentialsApi(self.services, pool.pool_id, callers, origins)(request)

        return api

    def fido2_api(self, pool: LocalUserPool) -> HttpApi:
        """Return the API for passkeys that the passwordless client calls."""
        from watchword_adapters.fido2_api import Fido2Api  # noqa: PLC0415 - only for a dialect

        tokens = _tokens_of(pool)

        def api(request: HttpRequest) -> HttpReply:
            assert self.services is not None
            return Fido2Api(self.services, pool.pool_id, tokens)(request)

        return api


def _tokens_of(pool: LocalUserPool) -> PoolTokens:
    def key(kid: str) -> Mapping[str, Any] | None:
        return key_set(pool.jwks()).get(kid)

    return PoolTokens(pool.issuer, frozenset({pool.client_id}), key, pool.clock, pool.has_ended)


def _is_of_this_machine(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:
        return False
