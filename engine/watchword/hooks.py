"""The hook specification: what a plugin can register, and the marker with which it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pluggy

from watchword.ports import AuditEvent, Courier, Ledger

PROJECT = "watchword"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's hooks: ``@watchword.hookimpl``."""


class RegisterKind(Protocol):
    """Takes the class of a kind of challenge."""

    def __call__(self, kind: type[Any], /) -> None:
        """Register *kind* under the name that it carries."""
        ...


class RegisterCourier(Protocol):
    """Takes the factory of a courier."""

    def __call__(self, scheme: str, factory: Callable[[str], Courier], /) -> None:
        """Register *factory*, which makes a courier of a URL, under the URL's *scheme*."""
        ...


class RegisterLedger(Protocol):
    """Takes the factory of a ledger."""

    def __call__(self, scheme: str, factory: Callable[[str], Ledger], /) -> None:
        """Register *factory*, which makes a ledger of a URL, under the URL's *scheme*."""
        ...


@hookspec
def register_kinds(register: RegisterKind) -> None:
    """Call ``register(KindClass)`` for the kind of challenge that this module brings."""


@hookspec
def register_couriers(register: RegisterCourier) -> None:
    """Call ``register(scheme, factory)``; ``factory(url)`` returns a `Courier`."""


@hookspec
def register_ledgers(register: RegisterLedger) -> None:
    """Call ``register(scheme, factory)``; ``factory(url)`` returns a `Ledger`."""


@hookspec
def observe(event: AuditEvent) -> None:
    """See every audit event, after it was recorded. What it raises changes nothing."""
