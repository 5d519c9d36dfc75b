"""Settings: what a host passes or its environment says, as the ports that an engine needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from watchword.errors import ConfigurationError
from watchword.flow import Flow
from watchword.ports import Audit, AuditEvent, Clock, Courier, Ledger, Random
from watchword_adapters.in_lambda import runs_in_lambda

# A function that only defines loads this module too: what it does not need is imported where it is used.
if TYPE_CHECKING:
    from watchword.engine import Engine
    from watchword.keyring import Ring
    from watchword.registry import Registry

Keys: TypeAlias = "bytes | str | Sequence[bytes] | Ring"
Couriers: TypeAlias = Courier | str | Mapping[str, Courier | str]

PROCESS_ONLY = "process-only"


def keyring_of(
    key: Keys | None, environment: Mapping[str, str], clock: Clock | None = None, *, root_key: Keys | None = None
) -> Ring:
    """Return the ring of *key*, or of ``WATCHWORD_KEY``; with *root_key*, or ``WATCHWORD_ROOT_KEY``, kept apart in it.

    Both are base64, newest first, with commas between; or where the keys are kept (see `watchword_adapters.keys`): then
    they are fetched now, and those that rotate again by *clock* when they are old. Without a root key the oldest key is
    the root.

    Raises:
        ConfigurationError: if there is no key, or one is weak or cannot be read.
    """
    if key is None:
        key = environment.get("WATCHWORD_KEY", "")
    if root_key is None:
        root_key = environment.get("WATCHWORD_ROOT_KEY", "").strip() or None
    if isinstance(key, str) and isinstance(root_key, str):
        from watchword_adapters.clock import SystemClock  # noqa: PLC0415
        from watchword_adapters.keys import keyring_from  # noqa: PLC0415

        return keyring_from(key, clock or SystemClock(), root_key)
    rotating = _ring(key, clock)
    return rotating if root_key is None else _rooted(root_key, rotating)


def _rooted(root_key: Keys, rotating: Ring) -> Ring:
    from watchword.keyring import Keyring, Ring, RootedRing  # noqa: PLC0415

    if isinstance(root_key, Ring):
        return RootedRing(root_key, rotating)
    if isinstance(root_key, str):
        from watchword_adapters.keys import root_keyring_from  # noqa: PLC0415

        return RootedRing(root_keyring_from(root_key), rotating)
    try:
        return RootedRing(Keyring.of(root_key), rotating)
    except ConfigurationError as error:
        raise ConfigurationError(f"root_key: {error}") from None


def _ring(key: Keys, clock: Clock | None) -> Ring:
    if not isinstance(key, str):
        from watchword.keyring import Keyring, Ring  # noqa: PLC0415

        return key if isinstance(key, Ring) else Keyring.of(key)
    from watchword_adapters.clock import SystemClock  # noqa: PLC0415
    from watchword_adapters.keys import keyring_from  # noqa: PLC0415

    return keyring_from(key, clock or SystemClock())


def registry_of(registry: Registry | None) -> Registry:
    """Return *registry*, or one of everything that is installed."""
    if registry is not None:
        return registry
    from watchword.registry import Registry  # noqa: PLC0415

    return Registry()


def ledger_of(ledger: Ledger | str | None, environment: Mapping[str, str], registry: Registry | None = None) -> Ledger:
    """Return the ledger that *ledger* or ``WATCHWORD_LEDGER`` names; one in memory outside Lambda, if none does.

    The ledger of a URL is found by *registry*.
    A ledger's `prepare`, if it has one, makes what the first call would have to wait for.

    Raises:
        ConfigurationError: if it cannot be set up; in Lambda, for a ledger that other containers cannot see, unless written ``process-only``.
    """
    if ledger is None:
        ledger = environment.get("WATCHWORD_LEDGER", "").strip() or None
    alone = ledger == PROCESS_ONLY
    if alone:
        ledger = None
    if isinstance(ledger, str):
        ledger = registry_of(registry).find_ledger(ledger)
    if ledger is None:
        from watchword_adapters.ledgers.memory import MemoryLedger  # noqa: PLC0415

        ledger = MemoryLedger()
    if runs_in_lambda(environment) and not alone:
        _demand_shared(ledger)
    prepare = getattr(type(ledger), "prepare", None)
    if prepare is not None:
        prepare(ledger)
    return ledger


def _demand_shared(ledger: Ledger) -> None:
    """Raise ConfigurationError unless *ledger* says that all processes share it."""
    reach: object = getattr(ledger, "reach", None)
    if reach == "everywhere":
        return
    name = type(ledger).__name__
    if reach not in ("process", "machine"):
        raise ConfigurationError(
            f'the ledger {name} does not say which processes share it: give it reach = "everywhere" if all do, '
            'or "machine" or "process"'
        )
    raise ConfigurationError(
        "in Lambda the ledger must be shared by all containers, or every container has budgets of its own: "
        f"{name} is shared within one {reach} only; "
        "set WATCHWORD_LEDGER=dynamodb://table, or WATCHWORD_LEDGER=process-only if one container is all there is"
    )


def couriers_of(
    courier: Couriers | None, environment: Mapping[str, str], registry: Registry | None = None
) -> dict[str, Courier]:
    """Return the couriers by channel: of *courier*, or of ``WATCHWORD_COURIER`` (a URL, for e-mail).

    The courier of a URL is found by *registry*.
    """
    if courier is None:
        courier = environment.get("WATCHWORD_COURIER", "").strip() or {}
    by_channel = courier if isinstance(courier, Mapping) else {"email": courier}
    return {
        channel: registry_of(registry).find_courier(each) if isinstance(each, str) else each
        for channel, each in by_channel.items()
    }


def flow_of(flow: Flow | str | os.PathLike[str], registry: Registry | None = None) -> Flow:
    """Return *flow*, read from its file if that is what was given; then *registry* finds its kinds."""
    if isinstance(flow, Flow):
        return flow
    if isinstance(flow, str | os.PathLike):
        from watchword.flow_file import find_flow  # noqa: PLC0415 - a flow written in Python needs no reader

        return find_flow(os.fspath(flow), registry)
    raise ConfigurationError(f"{flow!r} is no flow: pass a Flow, a TOML file's path, or 'module:attribute'")


def flows_of(
    flow: Flow | str | os.PathLike[str],
    previous: Sequence[Flow | str | os.PathLike[str]],
    registry: Registry | None = None,
) -> tuple[Flow, ...]:
    """Return *flow* and the *previous* ones, read from their files where that is what was given.

    *registry* finds the kinds of those that are read.

    Raises:
        ConfigurationError: if one is no flow, or *previous* is no list.
    """
    if isinstance(previous, str | os.PathLike | Flow):
        raise ConfigurationError(f"previous is {type(previous).__name__}: pass a list, previous=[…]")
    return tuple(flow_of(each, registry) for each in (flow, *previous))


def engine_of(
    flow: Flow,
    *,
    previous: Sequence[Flow] = (),
    key: Keys | None = None,
    root_key: Keys | None = None,
    ledger: Ledger | str | None = None,
    courier: Couriers | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    audit: Audit | None = None,
    pad_to: float | None = None,
    environment: Mapping[str, str] | None = None,
    creates: bool = True,
    fold: Callable[[str], str] | None = None,
    registry: Registry | None = None,
) -> Engine:
    """Return an engine for *flow* over what is given, or else over what the environment says.

    What is named by a URL is found by *registry*, and the plugins that it has loaded may observe.
    One environment serves all functions: without *creates* (in Verify) no courier is looked at, and none of the
    environment's where no flow sends anything. Names are folded by *fold*, or else as in a user pool.
    """
    from watchword.engine import Engine, folded  # noqa: PLC0415
    from watchword_adapters.audit import StructuredLog  # noqa: PLC0415
    from watchword_adapters.clock import SystemClock, SystemRandom  # noqa: PLC0415

    environment = os.environ if environment is None else environment
    registry = registry_of(registry)
    if pad_to is not None and not 0 <= pad_to <= 3:
        raise ConfigurationError(f"pad_to is {pad_to}: it must be from 0 to 3 seconds, inside the deadline")
    return Engine(
        flow,
        previous=tuple(previous),
        keyring=keyring_of(key, environment, clock, root_key=root_key),
        ledger=ledger_of(ledger, environment, registry),
        couriers=couriers_of(courier, environment, registry)
        if creates and (courier or _sends((flow, *previous)))
        else {},
        clock=clock or SystemClock(),
        random=random or SystemRandom(),
        audit=_observed(audit or StructuredLog(), registry, (flow, *previous)),  # after all that is found by a URL
        pad_to=pad_to,
        fold=fold or folded,
    )


def _sends(flows: Sequence[Flow]) -> bool:
    return any(step.powers.sends for flow in flows for step in flow.steps.values())


@frozen
class _Observer:
    observe: Callable[[AuditEvent], None]

    def record(self, event: AuditEvent) -> None:
        self.observe(event)


def _observed(audit: Audit, registry: Registry, flows: Sequence[Flow]) -> Audit:
    """Return *audit* with the `observe` hooks of the plugins that are in use behind it."""
    from watchword.blocks import kinds_in  # noqa: PLC0415
    from watchword_adapters.audit import AuditFanOut  # noqa: PLC0415

    kinds = [kind for flow in flows for kind in kinds_in(flow.body)]
    behind = [_Observer(observe) for observe in registry.observers(kinds)]
    return AuditFanOut((audit, *behind)) if behind else audit
