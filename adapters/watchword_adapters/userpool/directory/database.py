"""A pool's users, groups, keys and refresh tokens in a SQLite file, so that they outlive the process."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

from attrs import asdict

from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.directory.records import Code, Grant, Group, PoolUser

_APPLICATION = 0x57415450  # "WATP", in the header of the file: https://sqlite.org/pragma.html#pragma_application_id
_VERSION = 2
_GROUPS = "CREATE TABLE groups (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE users (username TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE grants (digest TEXT PRIMARY KEY, expires REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
{_GROUPS}
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
# Version 1 had no groups; what users have gained since has defaults.
_FROM_VERSION_1 = f"""
BEGIN IMMEDIATE;
{_GROUPS}
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class Database:
    """A `Keeper` in the SQLite file *path*, for the pool *pool_id* alone and for one process at a time.

    The file holds private keys and password verifiers: it is made readable by its owner only.

    Raises:
        ConfigurationError: if the file cannot be used, is another pool's, or another process has it open.
    """

    def __init__(self, path: str | os.PathLike[str], pool_id: str) -> None:
        self.path = Path(path)
        self._lock = Lock()
        try:
            # Made before SQLite would make it, since SQLite asks for no permissions.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(f"the database {self.path} cannot be opened: {error.strerror}") from None
        self._connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=0.2)
        try:
            self._open(pool_id)
        except sqlite3.OperationalError as error:
            self.close()
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise ConfigurationError(f"the database {self.path} is in use: end the process that has it") from None
            raise ConfigurationError(f"the database {self.path} cannot be used: {error}") from None
        except sqlite3.DatabaseError:
            self.close()
            raise self._foreign() from None
        except ConfigurationError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()

    def users(self) -> Sequence[PoolUser]:
        """Return all users."""
        with self._turn() as connection:
            return [_user(json.loads(body)) for (body,) in connection.execute("SELECT body FROM users")]

    def keep_users(self, users: Sequence[PoolUser]) -> None:
        """Keep all *users*, or none, each in place of what was kept under that user name."""
        rows = [(user.username, json.dumps(asdict(user))) for user in users]
        with self._turn() as connection:
            # One statement is one transaction.
            places = ", ".join(["(?, ?)"] * len(rows))
            connection.execute(f"REPLACE INTO users VALUES {places}", tuple(chain.from_iterable(rows)))  # noqa: S608 - placeholders

    def drop_user(self, username: str) -> None:
        """Forget a user."""
        with self._turn() as connection:
            connection.execute("DELETE FROM users WHERE username = ?", (username,))

    def grants(self) -> Sequence[tuple[str, Grant]]:
        """Return all grants with the digests of their refresh tokens, the first to expire first."""
        with self._turn() as connection:
            rows = connection.execute("SELECT digest, body FROM grants ORDER BY expires")
            return [(digest, Grant(**json.loads(body))) for digest, body in rows]

    def keep_grant(self, digest: str, grant: Grant) -> None:
        """Keep *grant* in place of what was kept under *digest*."""
        with self._turn() as connection:
            connection.execute(
                "REPLACE INTO grants VALUES (?, ?, ?)", (digest, grant.expires, json.dumps(asdict(grant)))
            )

    def drop_grant(self, digest: str) -> None:
        """Forget a grant."""
        with self._turn() as connection:
            connection.execute("DELETE FROM grants WHERE digest = ?", (digest,))

    def groups(self) -> Sequence[Group]:
        """Return all groups."""
        with self._turn() as connection:
            return [Group(**json.loads(body)) for (body,) in connection.execute("SELECT body FROM groups")]

    def keep_group(self, group: Group) -> None:
        """Keep *group* in place of what was kept under its name."""
        with self._turn() as connection:
            connection.execute("REPLACE INTO groups VALUES (?, ?)", (group.name, json.dumps(asdict(group))))

    def drop_group(self, name: str, users: Sequence[PoolUser]) -> None:
        """Forget a group, and keep all *users*, who were in it: both, or neither."""
        with self._turn() as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:  # commits, or rolls back
                rows = ((user.username, json.dumps(asdict(user))) for user in users)
                connection.executemany("REPLACE INTO users VALUES (?, ?)", rows)
                connection.execute("DELETE FROM groups WHERE name = ?", (name,))

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return the secret called *name*; have it made and kept if there is none."""
        with self._turn() as connection:
            row = connection.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
            if row is not None:
                return bytes(row[0])
            value = make()
            connection.execute("INSERT INTO secrets VALUES (?, ?)", (name, value))
            return value

    def _open(self, pool_id: str) -> None:
        connection = self._connection
        # Exclusive: a second process would overwrite what this one holds in memory.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if marks == [0, 0] and empty:
            connection.executescript(_SCHEMA)
        elif marks == [_APPLICATION, 1]:
            connection.executescript(_FROM_VERSION_1)
        elif marks != [_APPLICATION, _VERSION]:
            raise self._foreign()
        kept = self.secret("pool id", pool_id.encode).decode()
        if kept != pool_id:
            raise ConfigurationError(
                f"the database {self.path} is that of the pool {kept}: give that pool id, or another file, "
                "since passwords are bound to the pool"
            )

    def _foreign(self) -> ConfigurationError:
        return ConfigurationError(f"{self.path} is no database of a local pool: give another file")

    @contextmanager
    def _turn(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise UnavailableError(f"the database {self.path} failed: {type(error).__name__}") from error


def _user(body: dict[str, Any]) -> PoolUser:
    verifier = body.pop("verifier")
    codes = {purpose: Code(**code) for purpose, code in body.pop("codes").items()}
    return PoolUser(**body, verifier=None if verifier is None else srp6a.Verifier(**verifier), codes=codes)
