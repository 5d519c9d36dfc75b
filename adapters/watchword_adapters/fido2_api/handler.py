"""The passwordless client's API for passkeys as a Lambda function behind API Gateway, or with a function URL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from watchword.algebra.flow import Flow
from watchword.contract.ports import Audit, Clock, Ledger, Random
from watchword_adapters.fido2_api.api import Fido2Api
from watchword_adapters.host_settings import Couriers, HostSettings, Keys
from watchword_adapters.rest.exchange import refusing_reply
from watchword_adapters.rest.lambda_function import ProxyHandler, host_of, proxy_handler
from watchword_adapters.rest.pool_tokens import KeySet

if TYPE_CHECKING:
    from watchword.contract.credentials import Credentials
    from watchword.loading.registry import Registry


def fido2_handler(
    flow: Flow | str | os.PathLike[str],
    *,
    pool: str | None = None,
    clients: Sequence[str] | None = None,
    base_path: str = "",
    public_keys: KeySet | None = None,
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

    *pool* is the id of the user pool (``WATCHWORD_POOL``), *clients* are the ids of the app clients whose ID tokens count
    (``WATCHWORD_CLIENTS``, with spaces between). *base_path* is what stands
    before the API's own paths, such as ``/fido2``. *public_keys* finds the pool's public keys; they are fetched from the pool, if that is
    None. The others are those of `watchword_adapters.aws_lambda.triggers`, and must be the same: the triggers accept what this
    function has registered and given out. Notices go by the courier for e-mail, if there is one.

    Raises:
        ConfigurationError: if a setting is missing or wrong, or the flow has no passkey; the message says what to set.
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
    engine, pool, tokens = host_of(settings, flow, pool, clients, public_keys)
    return proxy_handler(
        Fido2Api(engine, pool, tokens), base_path, lambda refused: refusing_reply(refused.status, str(refused))
    )
