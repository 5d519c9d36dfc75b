"""The file that a command writes: never one that it reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from watchword.errors import ConfigurationError


def refuse_overwriting(output: Path | None, inputs: Iterable[Path]) -> None:
    """Refuse an *output* that is one of the *inputs*, by whatever name; call it before any work is done.

    Raises:
        ConfigurationError: if it is one.
    """
    for each in inputs:
        if output is not None and output.exists() and each.exists() and output.samefile(each):
            raise ConfigurationError(
                f"{output} is read by this command: it would be overwritten; write to another file"
            )


def flow_files(reference: str) -> tuple[Path, ...]:
    """Return the file of the flow that *reference* names, a TOML file or ``module:attribute``, once it was read."""
    module, colon, _ = reference.partition(":")
    loaded = sys.modules.get(module) if colon else None
    source = getattr(loaded, "__file__", None)
    return (Path(source),) if source else (Path(reference),)


def write(text: str, output: Path | None) -> None:
    """Write *text* to *output*, or print it if there is none.

    Raises:
        ConfigurationError: if it cannot be written there.
    """
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from None
