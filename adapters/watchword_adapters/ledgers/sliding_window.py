"""Sliding windows: whether a budget has room, by the times of its entries."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.contract.ports import Limit

GRACE = 3600.0
"""Seconds for which what is over is remembered all the same.

A clock that runs an hour ahead by mistake and is set back then still finds every answer, mark and guess.
"""


def has_room(times: Sequence[float], limits: Sequence[Limit], now: float) -> bool:
    """Say whether one more entry at *now* keeps to all of *limits*.

    *times* are those of the entries so far, epoch seconds. One at `t` stops counting at `t + seconds`; one that lies
    in the future counts.
    """
    # "not >=" and not "<": should the clock ever give a NaN, then everything counts.
    return all(sum(not now - at >= limit.seconds for at in times) < limit.count for limit in limits)


def longest_window(limits: Sequence[Limit]) -> int:
    """Return after how many seconds an entry stops counting under each of *limits*."""
    return max((limit.seconds for limit in limits), default=0)


def largest_count(limits: Sequence[Limit]) -> int:
    """Return how many entries of a budget must be kept.

    The newest so many decide: if an older one is still in a window, then so are all of these, and the budget is
    empty anyway. So the list stays short, and setting the clock back makes no room.
    """
    return max((limit.count for limit in limits), default=0)
