"""Measure whether a call is slow: in processor time, relative to the speed of this machine at this moment."""

from __future__ import annotations

import time
from collections.abc import Callable

_TRIES = 5
_YARDSTICK = 0.01
"""Seconds that the yardstick takes on the processor for which the bounds are meant, where it does nothing else."""


def slow(call: Callable[[], object], seconds: float = 0.05) -> bool:
    """Say whether *call* takes more than *seconds* of the processor, each time of five.

    A machine that is slower than the one the bounds are meant for, or that is busy (its processors share caches and memory), is given
    as much more time as it takes for a piece of work whose time is known: a busy machine is no attack.
    """
    return all(_seconds_of(call) > seconds * max(1.0, _seconds_of(_work) / _YARDSTICK) for _ in range(_TRIES))


def _seconds_of(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


def _work() -> list[str]:
    """Make and drop some ninety thousand objects, as reading what is too large does."""
    return ["".join(("x", str(number))) for number in range(30_000)]
