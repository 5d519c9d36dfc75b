"""The argument FLOW of commands: a TOML file or ``module:attribute``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from watchword.algebra.flow import Flow
from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry


def minutes_given(text: str) -> int:
    """Return the minutes that *text*, the value of ``--session-minutes``, says."""
    if text not in map(str, range(3, 16)):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no whole number from 3 to 15")
    return int(text)


def add_flow(parser: argparse.ArgumentParser) -> None:
    """Add FLOW to *parser*."""
    parser.add_argument("flow", metavar="FLOW", help="a TOML file, or module:attribute of a Flow in Python")


def read_flow(arguments: argparse.Namespace, registry: Registry | None = None) -> Flow:
    """Return the flow that FLOW names; *registry* finds its kinds.

    Raises:
        ConfigurationError: if there is none, or it is wrong.
    """
    return flow_named(str(arguments.flow), "FLOW", registry)


def flow_named(reference: str, argument: str, registry: Registry | None = None) -> Flow:
    """Return the flow that *reference*, given as *argument*, names.

    Modules are found in the current folder too, as with ``python -m``.

    Raises:
        ConfigurationError: if there is none, or it is wrong.
    """
    if not reference:
        raise ConfigurationError(f"{argument} is empty: give a TOML file, or module:attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return find_flow(reference, registry)


def attributes_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the attributes that options ``--attribute NAME=VALUE`` give.

    Raises:
        ConfigurationError: if one is not of this form, or an attribute is given twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ConfigurationError(f"--attribute {text[:60]!r}: write NAME=VALUE, such as custom:tier=gold")
        if name in given:
            raise ConfigurationError(f"--attribute {text[:60]!r}: {name[:60]} is given twice")
        given[name] = value
    return given
