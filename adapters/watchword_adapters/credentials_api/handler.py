"""The API of credentials as a Lambda function behind API Gateway, or with a function URL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from watchword.algebra.flow import Flow
from watchword.contract.ports import Audit, Clock, Ledger, Random
from watchword.errors import ConfigurationError
from watchword_adapters.credentials_api.api import CredentialsApi, error_reply
from watchword_adapters.host_settings import Couriers, HostSettings, Keys
from watchword_adapters.rest.callers import Callers, GetUser, get_user_of
from watchword_adapters.rest.lambda_function import ProxyHandler, host_of, proxy_handler
from watchword_adapters.rest.pool_tokens import KeySet

if TYPE_CHECKING:
    from watchword.contract.credentials import Credentials
    from watchword.loading.registry import Registry


def credentials_handler(
    flow: Flow | str | os.PathLike[str],
    *,
    pool: str | None = None,
    clients: Sequence[str] | None = None,
    origins: Sequence[str] | None = None,
    base_path: str = "/credentials",
    public_keys: KeySet | None = None,
    get_user: GetUser | None = None,
    key: Keys | None = None,
    root_key: Keys | None = None,
    ledger: Ledger | str | None = None,
    courier: Couriers | None = None,
    credentials: Credentials | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    audit: Audit | None = None,
    environment: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> ProxyHandler:
    """Return the handler of a Lambda function that serves the API of *flow*: call it once, at the top of the module.

    *pool* is the id of the user pool (``WATCHWORD_POOL``), *clients* are the ids of the app clients whose access tokens count
    (``WATCHWORD_CLIENTS``, with spaces between), *origins* those of the pages that may call (``WATCHWORD_ORIGINS``). List only
    clients that sign in by this flow: whoever has a fresh token of one can add a way in. *base_path* is what stands before the API's own
    paths. *public_keys* finds the pool's public keys, which are fetched from the pool if it is None; *get_user* calls GetUser,
    which takes boto3 if it is None. The others are those of `watchword_adapters.aws_lambda.triggers`, and must be the same.

    Raises:
        ConfigurationError: if a setting is missing or wrong; the message says what to set.
    """
    settings = HostSettings(
        key=key,
        root_key=root_key,
        ledger=ledger,
        courier=courier,
        credentials=credentials,
        clock=clock,
        random=random,
        audit=audit,
        environment=environment,
        registry=registry,
    )
    allowed = _origins(settings.environment.get("WATCHWORD_ORIGINS", "").split() if origins is None else origins)
    engine, pool, tokens = host_of(settings, flow, pool, clients, public_keys)
    callers = Callers(tokens, get_user or get_user_of(pool))
    return proxy_handler(CredentialsApi(engine, pool, callers, allowed), base_path, error_reply)


def _origins(given: Sequence[str]) -> frozenset[str]:
    if isinstance(given, str):
        raise ConfigurationError("origins= is a list of origins, such as ['https://app.example']")
    for each in given:
        scheme, _, rest = each.partition("://")
        if scheme not in {"http", "https"} or not rest or "/" in rest or "*" in rest:
            raise ConfigurationError(
                f"{each!r:.120} is no origin: write scheme and host, such as https://app.example, and no path"
            )
    return frozenset(given)
