"""The clock of a local run: it can be put forward, and no call is late by it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from attrs import define, field

T = TypeVar("T")


@define
class ForwardClock:
    """A `Clock` that tells the system's time, and can be put forward.

    Limits of time are the host's, and no host waits here. So they pass by this clock alone, and a slow machine plays the
    same sign-in as a fast one.
    """

    _ahead: float = field(default=0.0, init=False)
    _waited: float = field(default=0.0, init=False)

    def now(self) -> float:
        """Return the epoch time in seconds, as far ahead as was said."""
        return time.time() + self._ahead

    def monotonic(self) -> float:
        """Return seconds on a clock that moves by `sleep_until` alone."""
        return self._waited

    def sleep_until(self, moment: float) -> None:
        """Have `monotonic` read *moment*, at once."""
        self._waited = max(self._waited, moment)

    def call(self, work: Callable[[], T], within: float) -> T:
        """Return what *work* returns, or raise what it raises; it runs at once, on the thread that calls."""
        # A context of its own, as on a thread.
        return copy_context().run(work)

    def forward(self, seconds: float) -> None:
        """Put the clock forward by *seconds*."""
        self._ahead += seconds
