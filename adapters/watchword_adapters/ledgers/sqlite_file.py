"""A SQLite file of Watchword's: opened when needed, one transaction at a time, every fault told in one way."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

from attrs import frozen

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError, UnavailableError

_APPLICATION = 0x57415443  # "WATC", in the header of the file: https://sqlite.org/pragma.html#pragma_application_id
_VERSION = 1
_MISTAKEN = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN})
"""SQLite's codes for a path that names something else: no database, or no file."""

_ROUND = 0.1
"""How many seconds one round of waiting lasts at most. After each the clock is asked whether there is time for another."""

T = TypeVar("T")


@frozen
class Contents:
    """What one sort of store keeps in a file.

    *word* is what the file is called in messages. *schema* makes its tables and indexes, of which the table *first* tells
    whether they are there. *sweeps* are deletions of what is over, each with its grace in seconds; they take the time as
    their one parameter. Several sorts of store may share a file.
    """

    word: str
    first: str
    schema: str
    sweeps: tuple[tuple[str, float], ...] = ()


def tampered_row() -> sqlite3.DataError:
    """Return the error for a row that cannot be read: `SqliteFile` tells it as a fault of the file."""
    return sqlite3.DataError("it holds a row that Watchword did not write")


_opening = Lock()
"""Held while a file is created and first locked: closing any descriptor of a file drops the process's locks on it."""

_files: weakref.WeakSet[SqliteFile] = weakref.WeakSet()


class SqliteFile:
    """The file *path* and the connection to it, for all threads of this process.

    One connection, because SQLite lets one writer in at a time anyway, and threads that wait for a lock wake when it
    is free, where those that wait for the file poll.
    """

    def __init__(self, path: str | os.PathLike[str], clock: Clock, contents: Contents) -> None:
        if str(path) in ("", ":memory:"):
            raise ConfigurationError(
                f"SQLite needs the path of a file for the {contents.word}; in memory there is memory:"
            )
        self.path = Path(path)
        self._contents = contents
        self._clock = clock
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._calls = 0
        _files.add(self)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._drop()

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        with self._lock:
            self._drop()

    def begin_anew(self) -> None:
        """Leave the open file alone and open it again at the next call: for a child process, after a fork."""
        _left_open.append(self._connection)
        self._connection = None
        self._lock = Lock()

    @contextmanager
    def writing(self, within: float, now: float | None = None) -> Generator[sqlite3.Connection]:
        """Run the block as one transaction, alone among all processes; if *now* is given, sweep away a little first."""
        with self._turn(within) as (connection, deadline):
            self._patiently(connection, deadline, lambda: connection.execute("BEGIN IMMEDIATE"))
            if now is not None:
                # One table at each call, in turn; a call adds fewer rows than a sweep removes.
                sweeps = self._contents.sweeps
                statement, grace = sweeps[self._calls % len(sweeps)]
                self._calls += 1
                connection.execute(statement, (now - grace,))
            yield connection
            if self._clock.monotonic() > deadline:
                raise self._late(within)  # Rolled back.
            connection.execute("COMMIT")

    @contextmanager
    def reading(self, within: float) -> Generator[sqlite3.Connection]:
        """Run the block on the file as it is at one moment, whoever writes meanwhile."""
        with self._turn(within) as (connection, deadline):
            self._patiently(connection, deadline, lambda: self._begin_reading(connection))
            yield connection

    @contextmanager
    def _turn(self, within: float) -> Generator[tuple[sqlite3.Connection, float]]:
        """Give the connection to one thread; whatever goes wrong is rolled back and told as UnavailableError."""
        deadline = self._clock.monotonic() + within
        if not within > 0:
            raise self._late(within)
        while not self._lock.acquire(timeout=self._round(deadline)):
            if self._clock.monotonic() >= deadline:
                raise self._late(within)
        try:
            connection = self._open(deadline)
            try:
                yield connection, deadline
            finally:
                if connection.in_transaction:
                    connection.rollback()
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            self._drop()
            raise self._failed(error, within) from error
        finally:
            self._lock.release()

    def _patiently(self, connection: sqlite3.Connection, deadline: float, work: Callable[[], T]) -> T:
        """Return what *work* returns; begin it anew while another process has the file, until *deadline*.

        SQLite's own time limit is real time, so it limits one round only; how long all of them may last, the clock says.
        """
        while True:
            connection.execute(f"PRAGMA busy_timeout = {int(self._round(deadline) * 1000)}")
            try:
                return work()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or self._clock.monotonic() >= deadline:
                    raise
            if connection.in_transaction:
                connection.rollback()
            time.sleep(0.002)  # SQLite does not wait by itself where two processes change the mode at once.

    def _round(self, deadline: float) -> float:
        return min(max(deadline - self._clock.monotonic(), 0.001), _ROUND)

    def _open(self, deadline: float) -> sqlite3.Connection:
        connection = self._connection
        if connection is None:
            with _opening:
                connection = self._connect()
            try:
                self._set_up(connection, deadline)
                connection.execute("PRAGMA synchronous = FULL")
            except BaseException:
                connection.close()  # Rolls back.
                raise
            self._connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise UnavailableError(
                f"the {self._contents.word} file {self.path} cannot be made ({error.strerror}): "
                "name a place in a folder that exists and that this process may write to",
                reason="setup",
                code=type(error).__name__,
            ) from error
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )

    def _set_up(self, connection: sqlite3.Connection, deadline: float) -> None:
        def known() -> bool:
            self._begin_reading(connection)  # So that what is read of the file is of one moment.
            found = self._known(connection)
            connection.execute("COMMIT")
            return found

        if self._patiently(connection, deadline, known):
            return
        self._patiently(connection, deadline, lambda: connection.execute("PRAGMA journal_mode = WAL"))
        self._patiently(connection, deadline, lambda: connection.execute("BEGIN IMMEDIATE"))
        if not self._known(connection):  # Another process may have been faster.
            for statement in self._contents.schema.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")

    @staticmethod
    def _begin_reading(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")
        connection.execute("PRAGMA application_id").fetchone()  # Reads the file: BEGIN alone does not.

    def _known(self, connection: sqlite3.Connection) -> bool:
        """Say whether the file has the tables already; False if it is empty, or has those of another sort of store."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master").fetchall()}
        if (application, version) == (_APPLICATION, _VERSION):
            return self._contents.first in names
        if application == _APPLICATION:
            raise UnavailableError(
                f"the {self._contents.word} file {self.path} is of format {version}, this Watchword reads format {_VERSION}: "
                "use the version that made it, or another file",
                reason="setup",
            )
        if application or version or names:
            raise UnavailableError(
                f"the file {self.path} is a database of something else: name another file", reason="setup"
            )
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _late(self, within: float) -> UnavailableError:
        return UnavailableError(
            f"the {self._contents.word} file {self.path} did not answer within {within} seconds", reason="timeout"
        )

    def _failed(self, error: Exception, within: float) -> UnavailableError:
        text = str(error)
        if "locked" in text:
            return UnavailableError(
                f"the {self._contents.word} file {self.path} was locked by another process for longer than {within} seconds",
                reason="busy",
            )
        remedy = "see that it is a file of Watchword's, that this process may write to it and its folder, and that the disk has room"
        return UnavailableError(
            f"the {self._contents.word} file {self.path} failed ({text}): {remedy}",
            reason="setup" if getattr(error, "sqlite_errorcode", None) in _MISTAKEN else "internal",
            code=type(error).__name__,
        )


def path_from_url(url: str, word: str) -> str:
    """Return the path in ``sqlite:///relative.db`` or ``sqlite:////absolute.db``; *word* is whose URL it is.

    Raises:
        ConfigurationError: if *url* holds anything else.
    """
    rest = url.partition(":")[2]
    path = rest.removeprefix("///")
    if path == rest or not path or path.startswith(":") or "?" in path or "#" in path:
        raise ConfigurationError(
            f"the {word} URL sqlite: needs a file and nothing else: "
            "sqlite:///relative.db, or sqlite:////absolute/path.db with a fourth slash"
        )
    return path


_left_open: list[sqlite3.Connection | None] = []
"""Connections of the parent process. Closing one in the child could take the parent's locks and journal away."""


def _begin_anew_in_child() -> None:
    """Have a forked child open every file anew: a connection must not be used across a fork (sqlite.org/howtocorrupt.html)."""
    global _opening  # noqa: PLW0603
    _opening = Lock()
    for file in _files:
        file.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)
