"""The ledger in a file: SQLite, for many processes on one machine."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from watchword.contract.hookspecs import RegisterLedger, hookimpl
from watchword.contract.ports import Charge, ChargeRequest, Claim, ClaimState, Clock, Ledger, Limit, Reach
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers.sliding_window import GRACE, has_room, largest_count, longest_window
from watchword_adapters.ledgers.sqlite_file import Contents, SqliteFile, path_from_url, tampered_row

_UNPAID, _BY_BUDGET, _BY_OWN_TRY, _FOR_GOOD = 0, 1, 2, 3
"""How a round was paid for, as it is written in the file; for good, whichever way, once its answer was repeated."""

_SWEPT_AT_ONCE = 32

_SCHEMA = """
CREATE TABLE claims (key TEXT PRIMARY KEY, claim_id TEXT, issued INTEGER, state TEXT, until REAL) WITHOUT ROWID;
CREATE TABLE tries (claim_id TEXT PRIMARY KEY, used INTEGER, until REAL) WITHOUT ROWID;
CREATE TABLE rounds (round_id TEXT PRIMARY KEY, answer TEXT, paid INTEGER, at REAL, until REAL) WITHOUT ROWID;
CREATE TABLE entries (id INTEGER PRIMARY KEY, budget TEXT, event TEXT, owner TEXT, at REAL, until REAL);
CREATE TABLE marks (claim_id TEXT PRIMARY KEY, round_id TEXT, until REAL) WITHOUT ROWID;
CREATE TABLE vals (key TEXT PRIMARY KEY, value TEXT, until REAL) WITHOUT ROWID;
CREATE INDEX entries_by_budget ON entries (budget, at);
CREATE INDEX entries_by_owner ON entries (owner);
CREATE INDEX claims_by_end ON claims (until);
CREATE INDEX tries_by_end ON tries (until);
CREATE INDEX rounds_by_end ON rounds (until);
CREATE INDEX entries_by_end ON entries (until);
CREATE INDEX marks_by_end ON marks (until);
CREATE INDEX vals_by_end ON vals (until);
"""

_SWEEPS = tuple(
    (f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE until <= ? LIMIT {_SWEPT_AT_ONCE})", grace)  # noqa: S608
    for table, key, grace in (
        ("claims", "key", GRACE),
        ("tries", "claim_id", GRACE),
        ("rounds", "round_id", GRACE),
        ("entries", "id", GRACE),
        ("marks", "claim_id", GRACE),
        ("vals", "key", 0.0),  # Values may be sensitive: they go when their time is over.
    )
)

_CONTENTS = Contents("ledger", "claims", _SCHEMA, _SWEEPS)


class SqliteLedger:
    """A `Ledger` in the file *path*, safe for many processes and threads of one machine (not for network drives).

    The file and its tables are made on first use, readable by its owner alone. It holds digests, ids and times, and
    what was `put`. Every write is one ``BEGIN IMMEDIATE`` transaction in write-ahead mode: a process that dies leaves
    the state before or after, never one in between, and what was answered is on the disk.

    *clock* tells how long a call has taken; the system's unless given.
    """

    reach: Reach = "machine"

    def __init__(self, path: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        self._file = SqliteFile(path, clock or SystemClock(), _CONTENTS)

    def __repr__(self) -> str:
        return f"SqliteLedger({str(self._file.path)!r})"

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        self._file.close()

    def claim(self, key: str, claim_id: str, *, lease: float, now: float, within: float) -> Claim:
        """Take *key* for *lease* seconds, or return the claim that holds it."""
        with self._file.writing(within, now) as connection:
            row = connection.execute(
                "SELECT claim_id, issued, state, until FROM claims WHERE key = ?", (key,)
            ).fetchone()
            if row is not None and now < _number(row[3]):
                return Claim(_text(row[0]), int(_number(row[1])), _state(row[2]), fresh=False)
            connection.execute(
                "REPLACE INTO claims VALUES (?, ?, ?, 'sending', ?)", (key, claim_id, int(now), now + lease)
            )
            return Claim(claim_id, int(now), "sending", fresh=True)

    def settle(
        self, key: str, claim_id: str, state: Literal["sent", "unsent"], *, own_until: float, within: float
    ) -> None:
        """Say what became of the message of *claim_id*; ``sent`` is final and gives the claim its own try."""
        with self._file.writing(within) as connection:
            connection.execute(
                "UPDATE claims SET state = ? WHERE key = ? AND claim_id = ? AND state <> 'sent'", (state, key, claim_id)
            )
            if state == "sent":
                connection.execute("INSERT INTO tries VALUES (?, 0, ?) ON CONFLICT DO NOTHING", (claim_id, own_until))

    def resume(self, key: str, claim_id: str, *, within: float) -> bool:
        """Turn the claim from ``unsent`` back to ``sending``; True for exactly one caller."""
        with self._file.writing(within) as connection:
            cursor = connection.execute(
                "UPDATE claims SET state = 'sending' WHERE key = ? AND claim_id = ? AND state = 'unsent'",
                (key, claim_id),
            )
            return cursor.rowcount == 1

    def charge(self, request: ChargeRequest, *, within: float) -> Charge:
        """Record the answer as the one to its round, and charge one guess for it."""
        round_id, now = request.round_id, request.now
        with self._file.writing(within, now) as connection:
            row = connection.execute(
                "SELECT answer, paid, at, until FROM rounds WHERE round_id = ?", (round_id,)
            ).fetchone()
            if row is not None and now < _number(row[3]):
                at = _number(row[2])
                paid = _payment(row[1])
                if paid == _UNPAID:
                    return Charge("exhausted", at)
                if _text(row[0]) != request.answer:
                    return Charge("refused", at)
                if paid != _FOR_GOOD:
                    connection.execute("UPDATE rounds SET paid = ? WHERE round_id = ?", (_FOR_GOOD, round_id))
                return Charge("repeated", at)
            if self._add(connection, request.key, round_id, owner=request.owner, limits=request.limits, now=now):
                paid = _BY_BUDGET
            else:
                paid = _BY_OWN_TRY if self._use_own_try(connection, request.claim_id, now) else _UNPAID
            connection.execute(
                "REPLACE INTO rounds VALUES (?, ?, ?, ?, ?)", (round_id, request.answer, paid, now, request.keep)
            )
            return Charge("charged" if paid else "exhausted", now)

    def forgive(self, round_id: str, *, key: str, claim_id: str, within: float) -> None:
        """Take back the record of *round_id* that was not repeated, and its guess in the budget *key* or the claim's own try."""
        with self._file.writing(within) as connection:
            row = connection.execute("SELECT paid FROM rounds WHERE round_id = ?", (round_id,)).fetchone()
            paid = _UNPAID if row is None else _payment(row[0])
            if paid in {_UNPAID, _FOR_GOOD}:
                return
            connection.execute("DELETE FROM rounds WHERE round_id = ?", (round_id,))
            if paid == _BY_OWN_TRY:
                connection.execute("UPDATE tries SET used = 0 WHERE claim_id = ?", (claim_id,))
            self._refund(connection, key, round_id)

    def count(self, key: str, *, event: str, owner: str, limits: Sequence[Limit], now: float, within: float) -> bool:
        """Count *event* in the budget *key* if there is room; the same event again is free."""
        with self._file.writing(within, now) as connection:
            rows = connection.execute("SELECT at FROM entries WHERE budget = ? AND event = ?", (key, event))
            window = longest_window(limits)
            if any(not now - _number(at) >= window for (at,) in rows.fetchall()):
                return True
            return self._add(connection, key, event, owner=owner, limits=limits, now=now)

    def consume(self, claim_id: str, *, by: str, refund: str, keep: float, within: float, slot: str = "") -> bool:
        """Use up *claim_id* in the name of round *by*; the win takes its guess back and frees the key *slot*."""
        with self._file.writing(within) as connection:
            row = connection.execute("SELECT round_id, until FROM marks WHERE claim_id = ?", (claim_id,)).fetchone()
            if row is not None:
                _number(row[1])
                return _text(row[0]) == by
            connection.execute("INSERT INTO marks VALUES (?, ?, ?)", (claim_id, by, keep))
            connection.execute("DELETE FROM claims WHERE key = ? AND claim_id = ?", (slot, claim_id))
            self._refund(connection, refund, by)
            return True

    def consumed(self, claim_id: str, *, by: str | None = None, within: float) -> bool:
        """Return whether a round, or the round *by*, has used up *claim_id*."""
        with self._file.reading(within) as connection:
            row = connection.execute("SELECT round_id FROM marks WHERE claim_id = ?", (claim_id,)).fetchone()
            return row is not None and by in {None, _text(row[0])}

    def put(self, key: str, value: str, *, expires: float, within: float) -> None:
        """Keep *value* under *key* until *expires*."""
        with self._file.writing(within) as connection:
            connection.execute("REPLACE INTO vals VALUES (?, ?, ?)", (key, value, expires))

    def peek(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key*, or None."""
        with self._file.reading(within) as connection:
            return self._value(connection, key, now)

    def take(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key* and remove it, for exactly one caller."""
        with self._file.writing(within, now) as connection:
            value = self._value(connection, key, now)
            if value is not None:
                connection.execute("DELETE FROM vals WHERE key = ?", (key,))
            return value

    def forget(self, owner: str, *, within: float) -> int:
        """Empty every budget of *owner*; return how many had something in them."""
        with self._file.writing(within) as connection:
            (emptied,) = connection.execute(
                "SELECT COUNT(DISTINCT budget) FROM entries WHERE owner = ?", (owner,)
            ).fetchone()
            connection.execute("DELETE FROM entries WHERE owner = ?", (owner,))
            return int(emptied)

    def _add(
        self, connection: sqlite3.Connection, key: str, event: str, *, owner: str, limits: Sequence[Limit], now: float
    ) -> bool:
        if not limits:
            return True
        rows = connection.execute("SELECT at, id FROM entries WHERE budget = ? ORDER BY at, id", (key,)).fetchall()
        if not has_room([_number(at) for at, _ in rows], limits, now):
            return False
        cursor = connection.execute(
            "INSERT INTO entries (budget, event, owner, at, until) VALUES (?, ?, ?, ?, ?)",
            (key, event, owner, now, now + longest_window(limits)),
        )
        kept = sorted([*rows, (now, cursor.lastrowid)])
        surplus = kept[: -largest_count(limits)]
        connection.executemany("DELETE FROM entries WHERE id = ?", [(number,) for _, number in surplus])
        return True

    def _refund(self, connection: sqlite3.Connection, key: str, event: str) -> None:
        connection.execute(
            "DELETE FROM entries WHERE id = "
            "(SELECT id FROM entries WHERE budget = ? AND event = ? ORDER BY at DESC, id LIMIT 1)",
            (key, event),
        )

    def _use_own_try(self, connection: sqlite3.Connection, claim_id: str, now: float) -> bool:
        row = connection.execute("SELECT used, until FROM tries WHERE claim_id = ?", (claim_id,)).fetchone()
        if row is None:
            return False
        used, until = _flag(row[0]), _number(row[1])
        if used or not now < until:
            return False
        connection.execute("UPDATE tries SET used = 1 WHERE claim_id = ?", (claim_id,))
        return True

    def _value(self, connection: sqlite3.Connection, key: str, now: float) -> str | None:
        row = connection.execute("SELECT value, until FROM vals WHERE key = ?", (key,)).fetchone()
        return _text(row[0]) if row is not None and now < _number(row[1]) else None


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise tampered_row()
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise tampered_row()
    return value


def _payment(value: Any) -> int:
    if type(value) is not int or value not in (_UNPAID, _BY_BUDGET, _BY_OWN_TRY, _FOR_GOOD):
        raise tampered_row()
    return value


def _flag(value: Any) -> bool:
    if type(value) is not int or value not in (0, 1):
        raise tampered_row()
    return value == 1


def _state(value: Any) -> ClaimState:
    if value == "sending":
        return "sending"
    if value == "sent":
        return "sent"
    if value == "unsent":
        return "unsent"
    raise tampered_row()


@hookimpl
def register_ledgers(register: RegisterLedger) -> None:
    """Register ``sqlite:///relative.db`` and ``sqlite:////absolute.db``."""
    register("sqlite", _from_url)


def _from_url(url: str) -> Ledger:
    return SqliteLedger(path_from_url(url, "ledger"))
