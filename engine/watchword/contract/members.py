"""The members of powers: what each is called, and what it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import attrs

from watchword.contract.ports import Permission


@attrs.frozen
class Member:
    """One member: which values *fit*, in words *wanted*, and whether it may be a *setting* (a field of the attrs class)."""

    name: str
    fits: Callable[[object], bool]
    wanted: str
    setting: bool = False


def is_text(value: object) -> bool:
    """Say whether *value* is text, and not empty."""
    return isinstance(value, str) and bool(value)


def are_texts(value: object) -> bool:
    """Say whether *value* is a tuple of texts."""
    return isinstance(value, tuple) and all(map(is_text, cast("tuple[object, ...]", value)))


def are_words(value: object) -> bool:
    """Say whether *value* is a frozenset of texts."""
    return isinstance(value, frozenset) and all(map(is_text, cast("frozenset[object]", value)))


def are_permissions(value: object) -> bool:
    """Say whether *value* is a tuple of `Permission`."""
    return isinstance(value, tuple) and all(isinstance(each, Permission) for each in cast("tuple[object, ...]", value))


def is_flag(value: object) -> bool:
    """Say whether *value* is True or False."""
    return isinstance(value, bool)


def whole_number_from(low: int, high: int | None = None) -> Callable[[object], bool]:
    """Return what says whether a value is a whole number from *low* to *high*, both included."""

    def fits(value: object) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and low <= cast("int", value) and (high is None or cast("int", value) <= high)

    return fits
