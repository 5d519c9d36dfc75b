"""The lockout of password sign-in: five failures are free, then 1 s, 2 s, 4 s … up to 15 minutes."""

from __future__ import annotations

import threading

from attrs import define

from watchword.contract.ports import Clock

_FREE_FAILURES = 5
_LONGEST_LOCK = 900


@define
class _Failures:
    count: int = 0
    last: float = 0.0


class Lockouts:
    """Who failed how often, by user name; names that nobody has are treated alike. Every method is atomic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, _Failures] = {}

    def is_locked(self, username: str) -> bool:
        """Say whether password sign-in is locked for now; trying meanwhile does not lengthen it."""
        with self._lock:
            failures = self._failures.get(username)
            if failures is None or failures.count < _FREE_FAILURES:
                return False
            seconds = min(1 << min(failures.count - _FREE_FAILURES, 10), _LONGEST_LOCK)
            return self._clock.now() < failures.last + seconds

    def count_failure(self, username: str) -> None:
        """Remember a wrong password."""
        now = self._clock.now()
        with self._lock:
            if len(self._failures) > 10_000:  # names are free to invent
                self._failures = {k: f for k, f in self._failures.items() if now < f.last + _LONGEST_LOCK}
            failures = self._failures.setdefault(username, _Failures())
            failures.count = 1 if now > failures.last + _LONGEST_LOCK else failures.count + 1
            failures.last = now

    def forget(self, username: str) -> None:
        """Start over: after a right password, or for a user who is gone."""
        with self._lock:
            self._failures.pop(username, None)
