"""The operator's own files that are shipped with a function."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from watchword.algebra.flow import Flow
from watchword.contract.kinds import Kind
from watchword.contract.members import settings_of
from watchword.errors import ConfigurationError
from watchword_adapters.deploy.packages.forbidden_files import included, refuse_secrets


def shipped_files(include: Iterable[Path], flows: Sequence[Flow]) -> dict[str, bytes]:
    """Return the files that *include* names; each file that a kind of *flows* names must be among them.

    Raises:
        ConfigurationError: if one is not, or if a file holds a secret.
    """
    here = Path.cwd()
    shipped = {name: data for path in include for name, data in included(path, here)}
    refuse_secrets(shipped)
    for flow in flows:
        for step in flow.steps.values():
            for setting, path in _paths(step.kind):
                if Path(path).is_absolute():
                    raise ConfigurationError(
                        f"step {step.name!r}: {setting} is {path!r}, which is on this machine alone: give a path below {here}"
                    )
                if not _at(path, shipped):
                    raise ConfigurationError(
                        f"step {step.name!r}: {setting} is {path!r}: ship it with --include {path}"
                    )
    return shipped


def _at(path: str, names: Iterable[str]) -> set[str]:
    """Return those of *names* that are *path*, or below it."""
    name = os.path.normpath(path).replace(os.sep, "/")
    return {each for each in names if each == name or each.startswith(f"{name}/")}


def cosmetic_files(flows: Sequence[Flow], names: Iterable[str]) -> set[str]:
    """Return those of *names* that cosmetic settings name and no others do: neither the flow nor Verify reads them."""
    shown, read = set[str](), set[str]()
    for step in (step for flow in flows for step in flow.steps.values()):
        for setting, path in _paths(step.kind):
            (shown if setting in step.powers.cosmetic else read).update(_at(path, names))
    return shown - read


def _paths(kind: Kind) -> list[tuple[str, str]]:
    """Return the settings of *kind* that name files or folders which are there, and what they name."""
    found: list[tuple[str, str]] = []
    for name, value in settings_of(kind).items():
        texts: list[Any] = [*value] if isinstance(value, tuple) else [value]
        found += [(name, text) for text in texts if isinstance(text, str) and _exists(text)]
    return found


def _exists(path: str) -> bool:
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):
        return False  # too long, or with a null character: no path at all
