"""Time and chance for tests: a clock that moves when told, and bytes that are the same in every run."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from hashlib import sha256
from threading import Lock
from typing import TypeVar

from watchword.errors import UnavailableError
from watchword.testing.requests import NOW

T = TypeVar("T")


class VirtualClock:
    """A `Clock` that stands still until it is moved; nothing ever sleeps.

    *now* is the epoch time, in seconds, at which it begins. `slept` is how many seconds `sleep_until` has waited.
    """

    def __init__(self, now: float = NOW) -> None:
        self._lock = Lock()
        self._now = now
        self._monotonic = 1000.0
        self.slept = 0.0

    def __repr__(self) -> str:
        return f"VirtualClock({self._now})"

    def now(self) -> float:
        """Return the epoch time in seconds."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return self._monotonic

    def sleep_until(self, moment: float) -> None:
        """Let time pass until `monotonic` reads *moment*; do nothing if it does already."""
        with self._lock:
            wait = moment - self._monotonic
            if wait > 0:
                self._now += wait
                self._monotonic = moment
                self.slept += wait

    def call(self, work: Callable[[], T], within: float) -> T:
        """Return what *work* returns, or raise what it raises, unless more than *within* seconds of this clock pass meanwhile.

        It runs at once, on the thread that calls: how long it takes by any other clock does not matter.

        Raises:
            UnavailableError: if so much time passed.
        """
        end = self._monotonic + within
        try:
            # A context of its own, as on a thread.
            return copy_context().run(work)
        finally:
            if self._monotonic > end:
                raise UnavailableError(f"the call did not end within {within} s", reason="timeout")

    def advance(self, seconds: float) -> None:
        """Let *seconds* (0 or more) pass."""
        if seconds < 0:
            raise ValueError("time does not go back: use set_by for a clock that is put right")
        with self._lock:
            self._now += seconds
            self._monotonic += seconds

    def set_by(self, seconds: float) -> None:
        """Set the epoch time forward by *seconds*, or back if negative, while no time passes: a clock that is put right."""
        with self._lock:
            self._now += seconds


class SeededRandom:
    """A `Random` for tests: the same *seed* gives the same bytes in every run. Never fit for secrets."""

    def __init__(self, seed: str = "watchword") -> None:
        self._seed = seed
        self._lock = Lock()
        self._blocks = 0
        self._left = b""

    def __repr__(self) -> str:
        return f"SeededRandom({self._seed!r})"

    def bytes(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        with self._lock:
            while len(self._left) < count:
                self._left += sha256(f"{self._blocks}:{self._seed}".encode()).digest()
                self._blocks += 1
            taken, self._left = self._left[:count], self._left[count:]
            return taken
