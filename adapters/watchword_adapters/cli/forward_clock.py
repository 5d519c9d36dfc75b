"""The system's clock, which can be put forward, so that hours pass at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import define, field

from watchword_adapters.clock import SystemClock

T = TypeVar("T")


@define
class ForwardClock:
    """A `Clock` that runs as the system's does, and can be put forward."""

    _ahead: float = field(default=0.0, init=False)
    _system: SystemClock = field(factory=SystemClock, init=False)

    def now(self) -> float:
        """Return the epoch time in seconds, as far ahead as was said."""
        return self._system.now() + self._ahead

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return self._system.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Wait until `monotonic` reads *moment*."""
        self._system.sleep_until(moment)

    def call(self, work: Callable[[], T], within: float) -> T:
        """Return what *work* returns, or raise what it raises, if it ends within *within* real seconds."""
        return self._system.call(work, within)

    def forward(self, seconds: float) -> None:
        """Put the clock forward by *seconds*."""
        self._ahead += seconds
