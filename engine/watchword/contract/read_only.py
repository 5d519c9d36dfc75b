"""Read-only copies of the mappings that program, engine and kinds hand each other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def read_only(mapping: Mapping[str, str]) -> Mapping[str, str]:
    """Return a read-only copy of *mapping*; return anything else as it is."""
    return MappingProxyType(dict(mapping)) if isinstance(mapping, Mapping) else mapping  # pyright: ignore[reportUnnecessaryIsInstance]


def read_only_values(mapping: Mapping[str, object]) -> Mapping[str, object]:
    """Return the same for values of any kind."""
    return MappingProxyType(dict(mapping)) if isinstance(mapping, Mapping) else mapping  # pyright: ignore[reportUnnecessaryIsInstance]
