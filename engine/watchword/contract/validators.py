"""Validators for the settings of a kind. A bad value is a ConfigurationError that names the setting and what it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import Attribute

from watchword.contract.members import name_of
from watchword.errors import ConfigurationError

Validator = Callable[[Any, "Attribute[Any]", Any], None]


def whole_number(low: int, high: int) -> Validator:
    """Return a validator for a whole number from *low* to *high*. True and False are refused."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refused(instance, attribute, f"must be a whole number from {low} to {high}, not {_shown(value)}")

    return validate


def choice(*words: str) -> Validator:
    """Return a validator for one of *words*."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            listed = " or ".join(f'"{word}"' for word in words)
            raise refused(instance, attribute, f"must be {listed}, not {_shown(value)}")

    return validate


def flag() -> Validator:
    """Return a validator for True or False."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, bool):
            raise refused(instance, attribute, f"must be true or false, not {_shown(value)}")

    return validate


def line(longest: int) -> Validator:
    """Return a validator for a text of one line, at most *longest* characters, without control characters."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        # str.isprintable is False for control characters, every line end (NEL, U+2028) and the bidi controls.
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            raise refused(instance, attribute, f"must be one line of at most {longest} printable characters")

    return validate


def refused(instance: Any, attribute: Attribute[Any], why: str) -> ConfigurationError:
    """Return the error for a setting: the kind (or the class) of *instance*, the setting's name, and *why*."""
    return ConfigurationError(f"{name_of(instance)}: {attribute.name} {why}")


def _shown(value: object) -> str:
    """Return *value* as it was written, if that is short; else its type. Who writes a flow in TOML knows no types of Python."""
    plain = value is None or isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 10**12)
    # A text may be huge: of the rest of it no other form is made.
    return repr(value[:40] if isinstance(value, str) else value)[:40] if plain else type(value).__name__
