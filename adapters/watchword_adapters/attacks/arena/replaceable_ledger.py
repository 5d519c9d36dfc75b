"""A ledger for attacks: it can be replaced by an empty one, and records its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchword.contract.ports import Ledger


class ReplaceableLedger:
    """A ledger that can be put away for an empty one, and tells what was asked of it."""

    def __init__(self, make: Callable[[], Ledger]) -> None:
        self._make = make
        self.inner: Any = make()
        self.calls: list[str] = []
        self.used_up: list[str] = []
        self.written: list[str] = []

    def renew(self) -> None:
        """Begin with an empty one."""
        self.inner = self._make()
        self.calls.clear()
        self.used_up.clear()
        self.written.clear()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        def called(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            self.written.extend(str(each) for each in (*given, *named.values()))
            answer = method(*given, **named)
            # What was answered too late is marked as well, and is no success.
            if name == "consume" and answer is True and " late " not in str(given[0]):
                self.used_up.append(str(given[0]))
            return answer

        return called
