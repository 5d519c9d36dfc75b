"""The hooks that a plugin implements to register kinds, couriers, ledgers and stores of credentials, and their marker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from watchword.contract.ports import AuditEvent, Courier, Ledger

if TYPE_CHECKING:
    from watchword.contract.credentials import Credentials

PROJECT = "watchword"

_IMPL: Mapping[str, bool | None] = {
    **dict.fromkeys(("wrapper", "hookwrapper", "optionalhook", "tryfirst", "trylast"), False),
    "specname": None,
}
_SPEC: Mapping[str, bool | None] = {
    "firstresult": False,
    "historic": False,
    "warn_on_impl": None,
    "warn_on_impl_args": None,
}
"""What pluggy's own markers write to a function."""

_Hook = TypeVar("_Hook", bound=Callable[..., object])


def hookimpl(function: _Hook) -> _Hook:
    """Mark *function* as one of the hooks of a plugin: ``@watchword.hookimpl``."""
    # pluggy stays out: kinds are imported by programs that look up no plugin.
    setattr(function, f"{PROJECT}_impl", dict(_IMPL))
    return function


def _hookspec(function: _Hook) -> _Hook:
    setattr(function, f"{PROJECT}_spec", dict(_SPEC))
    return function


class RegisterKind(Protocol):
    """Takes the class of a kind of challenge."""

    def __call__(self, kind: type[Any], /) -> None:
        """Register *kind* under the name that it carries."""
        ...


class RegisterCourier(Protocol):
    """Takes the factory of a courier."""

    def __call__(self, scheme: str, factory: Callable[[str], Courier], channel: str = "email", /) -> None:
        """Register *factory*, which makes a courier of a URL, under the URL's *scheme*. It carries *channel*."""
        ...


class RegisterLedger(Protocol):
    """Takes the factory of a ledger."""

    def __call__(self, scheme: str, factory: Callable[[str], Ledger], /) -> None:
        """Register *factory*, which makes a ledger of a URL, under the URL's *scheme*."""
        ...


class RegisterCredentials(Protocol):
    """Takes the factory of a store of credentials."""

    def __call__(self, scheme: str, factory: Callable[[str], Credentials], /) -> None:
        """Register *factory*, which makes a store of a URL, under the URL's *scheme*."""
        ...


@_hookspec
def register_kinds(register: RegisterKind) -> None:
    """Call ``register(KindClass)`` for the kind of challenge that this module brings."""


@_hookspec
def register_couriers(register: RegisterCourier) -> None:
    """Call ``register(scheme, factory)``; ``factory(url)`` returns a `Courier`."""


@_hookspec
def register_ledgers(register: RegisterLedger) -> None:
    """Call ``register(scheme, factory)``; ``factory(url)`` returns a `Ledger`."""


@_hookspec
def register_credentials(register: RegisterCredentials) -> None:
    """Call ``register(scheme, factory)``; ``factory(url)`` returns a store of `Credentials`."""


@_hookspec
def observe(event: AuditEvent) -> None:
    """See every audit event, after it was recorded. What it raises changes nothing."""


def own_plugin(kind: object) -> ModuleType | None:
    """Return the module of the class of *kind* if it is the plugin that registers it; None if that is another, or none."""
    module = sys.modules.get(type(kind).__module__)
    hook, taken = getattr(module, "register_kinds", None), list[object]()
    if _is_hook(hook):
        with suppress(Exception):  # of a stranger; who asks for the kind by its name is told
            cast("Callable[..., None]", hook)(register=taken.append)
    return module if type(kind) in taken else None


def observes(module: ModuleType) -> bool:
    """Say whether the plugin *module* sees audit events."""
    return _is_hook(getattr(module, "observe", None))


def _is_hook(function: object) -> bool:
    return hasattr(function, f"{PROJECT}_impl")
