"""An API as a Lambda function: what it runs on, and its handler."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchword.algebra.flow import Flow
from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError
from watchword.runtime.engine import Engine
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.rest.exchange import HttpApi, HttpReply, RefusedRequest
from watchword_adapters.rest.pool_tokens import ON_THIS_MACHINE, FetchedKeys, KeySet, PoolTokens, issuer_of
from watchword_adapters.rest.proxy_events import event_of_reply, request_of

ProxyHandler = Callable[[object, object], dict[str, Any]]
"""A handler for API Gateway, with either payload format, and for function URLs."""


def _engine_of(settings: HostSettings, flow: Flow | str | os.PathLike[str]) -> Engine:
    """Return the engine of *flow*, prepared.

    Raises:
        ConfigurationError: if a setting is missing or wrong.
    """
    engine = settings.engine(settings.flows(flow, ()))
    engine.prepare(settings.schemes_of, signs_in=False)
    return engine


def _pool_and_clients(
    settings: HostSettings, pool: str | None, clients: Sequence[str] | None
) -> tuple[str, Sequence[str]]:
    """Return the id of the user pool and those of its app clients: as given, or else as the environment of *settings* says.

    Raises:
        ConfigurationError: if no pool is named.
    """
    said = settings.environment
    pool = said.get("WATCHWORD_POOL", "") if pool is None else pool
    if not pool:
        raise ConfigurationError("the user pool is not named: set WATCHWORD_POOL to its id, or pass pool=")
    return pool, said.get("WATCHWORD_CLIENTS", "").split() if clients is None else clients


def host_of(
    settings: HostSettings,
    flow: Flow | str | os.PathLike[str],
    pool: str | None,
    clients: Sequence[str] | None,
    public_keys: KeySet | None,
) -> tuple[Engine, str, PoolTokens]:
    """Return what an API of *flow* runs on: its engine, the id of the user pool, and what checks the tokens of callers.

    Raises:
        ConfigurationError: if a setting is missing or wrong.
    """
    pool, clients = _pool_and_clients(settings, pool, clients)
    engine = _engine_of(settings, flow)
    return engine, pool, tokens_of(engine.clock, pool, clients, public_keys, settings.environment)


def tokens_of(
    clock: Clock,
    pool: str,
    clients: Sequence[str],
    public_keys: KeySet | None,
    environment: Mapping[str, str],
) -> PoolTokens:
    """Return what checks the tokens of *pool* for the app clients whose ids are *clients*.

    The public keys are fetched from the pool if *public_keys* is None: from where *environment* says that AWS is, if that
    is an emulator on this machine, since boto3 asks for users there too.

    Raises:
        ConfigurationError: if *clients* is no list, or is empty.
    """
    if isinstance(clients, str) or not clients:
        raise ConfigurationError(
            "clients= is a list of the ids of app clients, one or more: no client is trusted unnamed"
        )
    issuer = issuer_of(pool)
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    home = f"{endpoint.rstrip('/')}/{pool}" if endpoint.startswith(ON_THIS_MACHINE) else issuer
    return PoolTokens(issuer, frozenset(clients), public_keys or FetchedKeys(home, clock), clock)


def proxy_handler(api: HttpApi, base_path: str, refused: Callable[[RefusedRequest], HttpReply]) -> ProxyHandler:
    """Return the handler of *api*, whose paths begin below *base_path*; *refused* replies to what is no request."""

    def handler(event: object, context: object = None) -> dict[str, Any]:
        try:
            request = request_of(event, base_path)
        except RefusedRequest as error:
            return event_of_reply(refused(error))
        return event_of_reply(api(request))

    return handler
