"""The pytest plugin that comes along: fixtures for tests of flows.

It imports nothing but pytest until a fixture is asked for: what is loaded before coverage begins would not be measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from watchword.testing import FlowUser, Mailbox, VirtualClock
    from watchword_adapters.userpool import LocalUserPool

if "watchword.testing" not in sys.modules:
    # Its assertions are a test's own: a contract that fails shows the values.
    pytest.register_assert_rewrite("watchword.testing")


@pytest.fixture
def frozen_clock() -> VirtualClock:
    """A clock that stands still until `advance` moves it; `flow_user` and `local_pool` go by it."""
    from watchword.testing import VirtualClock  # noqa: PLC0415

    return VirtualClock()


@pytest.fixture
def outbox() -> Mailbox:
    """Where `flow_user` and `local_pool` send messages; `code` is the code in the last one."""
    from watchword.testing import Mailbox  # noqa: PLC0415
    from watchword_adapters.couriers import Outbox  # noqa: PLC0415

    return Mailbox(through=Outbox())


@pytest.fixture
def flow_user(outbox: Mailbox, frozen_clock: VirtualClock) -> Callable[..., FlowUser]:
    """Make a user of a flow: ``flow_user(flow, known=True, attributes={…})``.

    The flow is a `Flow`, the path of a TOML file or ``module:attribute``; the rest is as for `FlowUser`. All users of
    one test share the ledger, the store of credentials, the outbox and the clock.
    """
    from watchword.testing import FlowUser, SeededRandom  # noqa: PLC0415
    from watchword_adapters.credentials import MemoryCredentials  # noqa: PLC0415
    from watchword_adapters.host_settings import HostSettings  # noqa: PLC0415
    from watchword_adapters.ledgers import MemoryLedger  # noqa: PLC0415

    world = {
        "ledger": MemoryLedger(),
        "credentials": MemoryCredentials(),
        "outbox": outbox,
        "clock": frozen_clock,
        "random": SeededRandom(),
    }

    def make(flow: Any, **settings: Any) -> FlowUser:
        given: dict[str, Any] = {**world, **settings}
        return FlowUser(HostSettings().flow(flow), **given)

    return make


@pytest.fixture
def local_pool(outbox: Mailbox, frozen_clock: VirtualClock) -> Callable[..., LocalUserPool]:
    """Make a local user pool that runs the triggers of a flow: ``local_pool(flow, session_minutes=15)``.

    The flow is a `Flow`, the path of a TOML file or ``module:attribute``; the rest is as for `LocalUserPool`. The user
    ``ann`` is in it, with the password and the attributes of a `FlowUser`, where the flow sends SMS a verified number
    that it writes to, and what ``attributes=`` adds. Messages go to `outbox`.
    """
    from watchword.testing import SeededRandom  # noqa: PLC0415
    from watchword.testing.flow_user import ATTRIBUTES, TEST_PASSWORD  # noqa: PLC0415
    from watchword_adapters.audit import NoAudit  # noqa: PLC0415
    from watchword_adapters.aws_lambda import triggers  # noqa: PLC0415
    from watchword_adapters.cli.local.local_run import reachable  # noqa: PLC0415
    from watchword_adapters.credentials import MemoryCredentials  # noqa: PLC0415
    from watchword_adapters.host_settings import HostSettings  # noqa: PLC0415
    from watchword_adapters.ledgers import MemoryLedger  # noqa: PLC0415
    from watchword_adapters.rest.local_tokens import LocalAccessTokens  # noqa: PLC0415
    from watchword_adapters.userpool import LocalUserPool  # noqa: PLC0415

    def make(flow: Any, *, attributes: Mapping[str, str] | None = None, **settings: Any) -> LocalUserPool:
        flow = HostSettings().flow(flow)
        tokens = LocalAccessTokens()
        made = triggers(
            flow,
            tokens=tokens,
            key=bytes(range(32)),
            ledger=MemoryLedger(),
            courier=outbox,
            credentials=MemoryCredentials(),
            clock=frozen_clock,
            random=SeededRandom(),
            audit=NoAudit(),
            environment={},
        )
        given: dict[str, Any] = {"clock": frozen_clock, "pre_token_generation": made.pre_token, **settings}
        pool = tokens.pool = LocalUserPool(*made, **given)
        usual = {name: value for name, value in ATTRIBUTES.items() if name != "sub"}
        ann = {**usual, **reachable(flow, "ann", ATTRIBUTES["email"]), **(attributes or {})}
        pool.add_user("ann", password=TEST_PASSWORD, attributes=ann)
        return pool

    return make
