"""Print to the terminal: plain lines, or in colour where rich is installed and a person looks on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"title": "bold", "warning": "yellow", "good": "green", "bad": "red", "quiet": "dim"}


def _console() -> Console | None:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or find_spec("rich") is None:
        return None
    from rich.console import Console  # noqa: PLC0415 - only where it is installed

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@frozen
class Terminal:
    """Where a command prints. Control characters in what it is given are never passed on to the terminal."""

    _rich: Console | None = field(factory=_console)

    def line(self, text: str = "", style: str = "") -> None:
        """Print *text* on one line, whatever is in it; *style* is one of title, warning, good, bad, quiet, or nothing."""
        text = one_line(text)
        if self._rich is None:
            print(text, flush=True)
        else:
            self._rich.print(text, style=_STYLES.get(style))

    def lines(self, text: str, style: str = "") -> None:
        """Print *text* with the line ends that it has: only what nobody else has a part in."""
        for line in text.split("\n"):
            self.line(line, style)

    def pane(self, title: str, text: str, indent: str = "") -> None:
        """Print *text* with a rule on its left and *title* above it."""
        self.line(f"{indent}+-- {title}", "quiet")
        for line in text.strip().splitlines():
            self.line(f"{indent}|   {line}".rstrip())

    def table(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Print *rows*, the first of which is the head, in columns."""
        widths = [max(len(one_line(row[place])) for row in rows) for place in range(len(rows[0]))]
        for number, row in enumerate(rows):
            cells = (one_line(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line("  ".join(cells).rstrip(), "" if number else "title")


def one_line(text: str) -> str:
    """Return *text* as `printable` does, its line ends among the control characters: nobody forges a line of ours."""
    return printable(text).replace("\n", "?")


def printable(text: str) -> str:
    """Return *text* with every control character, but line ends and tabs, shown as a question mark."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)
