"""The APIs beside a local pool: what they run on, and how they know the pool's tokens."""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import define, field

from watchword.contract.credentials import Credentials
from watchword.runtime.services import Services
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.rest.exchange import HttpApi, HttpReply, HttpRequest, refusing_reply
from watchword_adapters.rest.local_tokens import LocalAccessTokens, callers_of_local_pool, tokens_of_local_pool
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger

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
    tokens: LocalAccessTokens = field(factory=LocalAccessTokens)
    pre_token: AnyTrigger | None = None

    def token_trigger(self) -> dict[str, AnyTrigger]:
        """Return the trigger that tells in tokens what was passed; nothing where the triggers are somebody else's."""

        def latest(event: object, context: object) -> object:
            assert self.pre_token is not None
            return self.pre_token(event, context)

        return {"pre_token_generation": latest} if self.pre_token else {}

    def credentials_api(self, pool: LocalUserPool) -> HttpApi:
        """Return the API by which users enrol, list, rename and remove. Pages of this machine may call it."""
        from watchword_adapters.credentials_api import CredentialsApi  # noqa: PLC0415

        callers = callers_of_local_pool(pool)

        def api(request: HttpRequest) -> HttpReply:
            assert self.services is not None
            origin = request.headers.get("origin", "")
            origins = frozenset({origin} if _is_of_this_machine(origin) else ())
            return CredentialsApi(self.services, pool.pool_id, callers, origins)(request)

        return api

    def fido2_api(self, pool: LocalUserPool) -> HttpApi:
        """Return the API for passkeys that the passwordless client calls."""
        from watchword_adapters.dialects.passwordless import passkey_of  # noqa: PLC0415 - only for a dialect
        from watchword_adapters.fido2_api import Fido2Api  # noqa: PLC0415 - as above

        tokens = tokens_of_local_pool(pool)

        def api(request: HttpRequest) -> HttpReply:
            assert self.services is not None
            if passkey_of(self.services.flow) is None:
                return refusing_reply(404, "Not found")
            return Fido2Api(self.services, pool.pool_id, tokens)(request)

        return api


def _is_of_this_machine(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:
        return False
