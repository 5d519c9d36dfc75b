"""The credentials in a file: SQLite, for many processes on one machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

from watchword.contract.credentials import Credential, Credentials
from watchword.contract.hookspecs import RegisterCredentials, hookimpl
from watchword.contract.ports import Clock, Reach
from watchword.errors import ConfigurationError
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers.sqlite_file import Contents, SqliteFile, path_from_url, tampered_row

_PAGE = 200
"""Credentials that `everything` reads at a time: writers wait for no longer than that."""

_SCHEMA = """
CREATE TABLE credentials (place INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    label TEXT, created INTEGER, used INTEGER, state TEXT, version INTEGER, rounds TEXT, UNIQUE (kind, id));
CREATE INDEX credentials_by_owner ON credentials (owner, place);
"""
_CONTENTS = Contents("credentials", "credentials", _SCHEMA)

_COLUMNS = "id, owner, kind, label, created, used, state, version, rounds"
_ONE = "owner = ? AND kind = ? AND id = ?"


class SqliteCredentials:
    """`Credentials` in the file *path*, safe for many processes and threads of one machine (not for network drives).

    The file and its table are made on first use, readable by its owner alone. It may be the file of a `SqliteLedger` too:
    the tables are apart, and nothing that empties the ledger touches the credentials. Every write is one ``BEGIN IMMEDIATE``
    transaction in write-ahead mode: a process that dies leaves the state before or after, never one in between, and what was
    answered is on the disk.

    *clock* tells how long a call has taken; the system's unless given.
    """

    reach: Reach = "machine"

    def __init__(self, path: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        self._file = SqliteFile(path, clock or SystemClock(), _CONTENTS)

    def __repr__(self) -> str:
        return f"SqliteCredentials({str(self._file.path)!r})"

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        self._file.close()

    def list(self, owner: str, *, within: float) -> tuple[Credential, ...]:
        """Return the credentials of *owner*, oldest first."""
        with self._file.reading(within) as connection:
            query = f"SELECT {_COLUMNS} FROM credentials WHERE owner = ? ORDER BY place"  # noqa: S608 - constants
            return tuple(map(_read, connection.execute(query, (owner,)).fetchall()))

    def add(self, credential: Credential, *, replace: bool, most: int, within: float) -> bool:
        """Add *credential*; return False, and change nothing, if its id is known for its kind or its owner has *most*."""
        owner, kind = credential.owner, credential.kind
        with self._file.writing(within) as connection:
            known = connection.execute("SELECT 1 FROM credentials WHERE kind = ? AND id = ?", (kind, credential.id))
            if known.fetchone() is not None:
                return False
            kinds = connection.execute("SELECT kind FROM credentials WHERE owner = ?", (owner,)).fetchall()
            if sum(not (replace and each == kind) for (each,) in kinds) >= most:
                return False
            if replace:
                connection.execute("DELETE FROM credentials WHERE owner = ? AND kind = ?", (owner, kind))
            row = _row(credential, credential.version)
            connection.execute(
                f"INSERT INTO credentials ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (credential.id, owner, kind, *row),
            )
            return True

    def swap(self, credential: Credential, *, version: int, within: float) -> bool:
        """Put *credential* in place of the stored one if that has *version*; return False if it has another, or is gone."""
        with self._file.writing(within) as connection:
            cursor = connection.execute(
                "UPDATE credentials SET label = ?, created = ?, used = ?, state = ?, version = ?, rounds = ? "  # noqa: S608
                f"WHERE {_ONE} AND version = ?",
                (*_row(credential, version + 1), credential.owner, credential.kind, credential.id, version),
            )
            return cursor.rowcount == 1

    def remove(self, owner: str, kind: str, id: str, *, within: float) -> bool:  # noqa: A002 - the field's word
        """Remove a credential; return False if there is none such."""
        with self._file.writing(within) as connection:
            cursor = connection.execute(f"DELETE FROM credentials WHERE {_ONE}", (owner, kind, id))  # noqa: S608
            return cursor.rowcount == 1

    def everything(self, *, within: float) -> Iterator[Credential]:
        """Yield every credential of every owner, oldest first; each page of them may take *within* seconds.

        What is added or removed meanwhile may be among them or not.
        """
        last = 0
        while True:
            with self._file.reading(within) as connection:
                query = f"SELECT place, {_COLUMNS} FROM credentials WHERE place > ? ORDER BY place LIMIT {_PAGE}"  # noqa: S608
                rows = connection.execute(query, (last,)).fetchall()
                page = [_read(row[1:]) for row in rows]
            if not page:
                return
            yield from page
            last = rows[-1][0]


def _row(credential: Credential, version: int) -> tuple[object, ...]:
    return (
        credential.label,
        int(credential.created),
        int(credential.used),
        json.dumps(dict(credential.state), separators=(",", ":")),
        version,
        json.dumps(credential.rounds, separators=(",", ":")),
    )


def _read(row: tuple[Any, ...]) -> Credential:
    each, owner, kind, label, created, used, state, version, rounds = row
    if not all(isinstance(text, str) for text in (each, owner, kind, label, state, rounds)):
        raise tampered_row()
    if not all(type(number) is int and number >= 0 for number in (created, used, version)):
        raise tampered_row()
    try:
        kept, listed = json.loads(state), json.loads(rounds)
        if not isinstance(kept, Mapping) or not isinstance(listed, list):
            raise tampered_row()
        texts = [text for text in cast("list[object]", listed) if isinstance(text, str)]
        if len(texts) != len(cast("list[object]", listed)):
            raise tampered_row()
        return Credential(
            *(each, owner, kind, label, created, used),
            state=cast("Mapping[str, str]", kept),
            version=version,
            rounds=tuple(texts),
        )
    except (ValueError, RecursionError, ConfigurationError):
        raise tampered_row() from None


@hookimpl
def register_credentials(register: RegisterCredentials) -> None:
    """Register ``sqlite:///relative.db`` and ``sqlite:////absolute.db``."""
    register("sqlite", _from_url)


def _from_url(url: str) -> Credentials:
    return SqliteCredentials(path_from_url(url, "credentials"))
