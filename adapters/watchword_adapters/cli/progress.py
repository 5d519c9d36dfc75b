"""Report the progress of a long command on stderr; nothing in the first second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from attrs import define, field

_EVERY = 1.0
"""Seconds before the first line, and between lines."""


@define
class Progress:
    """Counts *what*, such as ``states walked``."""

    what: str
    _now: Callable[[], float] = field(default=time.monotonic, alias="now")
    _told: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin the first second."""
        self._told = self._now()

    def __call__(self, number: int) -> None:
        """Say that there are *number* by now, if it is time to."""
        now = self._now()
        if now - self._told >= _EVERY:
            self._told = now
            print(f"{number:,} {self.what} …", file=sys.stderr, flush=True)
