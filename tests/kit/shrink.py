"""Shrinks every real limit outside `tests/bounds`: what fails then would fail on a slow machine.

`pytest --shrink 250` makes a limit of 30 seconds one of 0.12: as if the machine were 250 times slower, but only for those
who wait. It reaches the limits of this process: of locks, threads, events, sockets, SQLite, asyncio, other processes,
and the system's clock.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import socket
import sqlite3
import subprocess
import threading
from concurrent.futures import Future

import pytest

from kit.paths import TESTS

BOUNDS = TESTS / "bounds"


class Shrink:
    """The plugin: divides limits by *times* while a test outside of `tests/bounds` runs."""

    def __init__(self, times: float) -> None:
        self.times = times
        self.shrinking = False
        self._patches = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        """Take hold of everything that takes a limit."""
        from watchword_adapters.clock import SystemClock
        from watchword_adapters.ledgers.sqlite_file import SqliteFile

        self._take(threading.Event, "wait", "timeout")
        self._take(threading.Condition, "wait", "timeout")
        self._take(threading.Thread, "join", "timeout")
        self._take(threading.Barrier, "wait", "timeout")
        self._take(Future, "result", "timeout")
        self._take(subprocess.Popen, "wait", "timeout")
        self._take(subprocess.Popen, "communicate", "timeout")
        self._take(socket.socket, "settimeout", "value", given=lambda it, value: None)
        self._take(asyncio, "wait_for", "timeout")
        self._take(asyncio, "timeout", "delay")
        self._take(asyncio.BaseEventLoop, "call_later", "delay")
        self._take(sqlite3, "connect", "timeout", given=lambda database, timeout=5.0: None)
        self._take(SystemClock, "call", "within")
        self._take(SqliteFile, "_turn", "within", only=lambda file: isinstance(file._clock, SystemClock))

    def pytest_sessionfinish(self) -> None:
        """Let go."""
        self._patches.undo()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """Shrink while a test and its fixtures run."""
        self.shrinking = not item.path.is_relative_to(BOUNDS)
        try:
            return (yield)
        finally:
            self.shrinking = False

    def _take(self, owner, name, parameter, given=None, only=lambda owner: True):
        original = getattr(owner, name)
        parameters = list(inspect.signature(given or original).parameters)
        place = parameters.index(parameter)

        @functools.wraps(original)
        def shrunk(*positional, **named):
            if self.shrinking and only(positional[0] if positional else None):
                if len(positional) > place:
                    positional = (*positional[:place], self._of(positional[place]), *positional[place + 1 :])
                elif parameter in named:
                    named[parameter] = self._of(named[parameter])
            return original(*positional, **named)

        self._patches.setattr(owner, name, shrunk)

    def _of(self, limit):
        return limit / self.times if isinstance(limit, int | float) and limit > 0 else limit
