"""N: the ledger: concurrent calls, stale reads, entries that are lost or forged."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from watchword.contract.ports import ChargeRequest, Clock, Ledger, Limit
from watchword.errors import UnavailableError
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import FunctionsVisit, reached
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.aws_lambda import TriggerError
from watchword_adapters.functions import SignedIn
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.ledgers.sqlite import SqliteLedger

_LIMITS = (Limit(10, 86_400),)


@contextmanager
def _ledgers(clock: Clock) -> Generator[tuple[tuple[Ledger, Ledger, Path | None], ...]]:
    """Give each sort of ledger, twice opened where there is a file."""
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        path = Path(folder) / "ledger.db"
        memory, one, other = MemoryLedger(), SqliteLedger(path, clock=clock), SqliteLedger(path, clock=clock)
        try:
            yield (memory, memory, None), (one, other, path)
        finally:
            one.close()
            other.close()


@family("N-01", "one claim, guess or use by many at once", share=0.5)
def calls_at_once(arena: Arena) -> Cases:
    """One of them is first; of eight guesses three are paid for, if there is room for three."""
    with _ledgers(arena.clock) as ledgers, ThreadPoolExecutor(8) as threads:
        for number in range(6):
            for one, other, _ in ledgers:
                race = _Race((one, other) * 4, str(number), arena.clock.now())
                one.put(f"handle{number}", "x", expires=race.now + 99, within=3)
                for way, most in ((race.claims, 1), (race.consumes, 1), (race.takes, 1), (race.charges, 3)):
                    yield sum(threads.map(way, range(8))) != most


@frozen
class _Race:
    """Eight calls at once, through both openings of a ledger; each says whether it had what only some may have."""

    ledgers: Sequence[Ledger]
    name: str
    now: float

    def claims(self, place: int) -> bool:
        return self.ledgers[place].claim(f"key{self.name}", "c", lease=16, now=self.now, within=3).fresh

    def consumes(self, place: int) -> bool:
        claim = f"claim{self.name}"
        return self.ledgers[place].consume(claim, by=f"round{place}", refund="b", keep=self.now + 99, within=3)

    def takes(self, place: int) -> bool:
        return self.ledgers[place].take(f"handle{self.name}", now=self.now, within=3) is not None

    def charges(self, place: int) -> bool:
        request = ChargeRequest(
            f"r{self.name}-{place}",
            "a",
            key=f"b{self.name}",
            owner="o",
            claim_id="",
            limits=(Limit(3, 60),),
            keep=self.now + 99,
            now=self.now,
        )
        return self.ledgers[place].charge(request, within=3).outcome == "charged"


@family("N-02", "reading what was written by another a moment ago")
def fresh_reading(arena: Arena) -> Cases:
    """Through another connection too, at once."""
    with _ledgers(arena.clock) as ledgers:
        for number in range(12):
            for one, other, _ in ledgers:
                now = arena.clock.now()
                one.put(f"k{number}", "old", expires=now + 9, within=1)
                one.put(f"k{number}", "new", expires=now + 9, within=1)
                yield other.peek(f"k{number}", now=now, within=1) != "new"
                yield other.take(f"k{number}", now=now, within=1) != "new"
                yield one.peek(f"k{number}", now=now, within=1) is not None
                one.consume(f"c{number}", by="r1", refund="b", keep=now + 9, within=1)
                yield other.consume(f"c{number}", by="r2", refund="b", keep=now + 9, within=1)


@family("N-03", "entries that vanish between Create and Verify")
def vanished(arena: Arena) -> Cases:
    """Whatever is gone, a code is good once at most, and only as long as it was said to be."""
    while True:
        arena.renew()
        target = arena.target()
        one = reached(arena, target)
        if not one.private:
            yield False
            continue
        shared = [dict(one.private)]
        for _ in range(2):
            made = arena.call("create", one.create_event())["privateChallengeParameters"]
            if made["claim"] == one.private["claim"]:
                shared.append(made)
        arena.books.inner = MemoryLedger()
        yield sum(arena.accepts(one.person, private, one.right) for private in shared) > 1
        arena.clock.advance(target.step.lifetime)
        arena.books.inner = MemoryLedger()
        arena.accepted.clear()
        yield arena.accepts(one.person, one.private, one.right)


@family("N-04", "another's entry under one's own key", share=0.5)
def pasted_entries(arena: Arena) -> Cases:
    """A handle's state names its user: whoever pastes it goes on with that user's sign-in, not with one's own."""
    while True:
        arena.renew()
        target = arena.target()
        scene = target.scene
        if not scene.plain:
            yield False
            continue
        mine: FunctionsVisit = reached(arena, target, door="functions")
        theirs: FunctionsVisit = reached(arena, target, "bob", door="functions")
        if not mine.public or not theirs.public:
            yield False
            continue
        values = arena.books.inner._values.records  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        keys = list(values)[-2:]
        values[keys[0]], values[keys[1]] = values[keys[1]], values[keys[0]]
        right = mine.right
        reply: Any = arena.sign_in.respond(mine.token, right or "")
        yield isinstance(reply, SignedIn) and (reply.name != theirs.person.name or mine.right != theirs.right)


@family("N-05", "numbers stored as text, and rows of other types")
def other_types(arena: Arena) -> Cases:
    """A row that Watchword did not write is an outage, not a chance."""
    tables = {"claims": "until", "tries": "until", "rounds": "at", "entries": "at", "marks": "until", "vals": "until"}
    for value in ("soon", b"x", None, -5, "NaN", 1e999):
        with _ledgers(arena.clock) as ledgers:
            ledger, _, path = ledgers[1]
            assert path is not None
            now = arena.clock.now()
            ledger.claim("k", "c", lease=16, now=now, within=1)
            ledger.settle("k", "c", "sent", own_until=now + 99, within=1)
            ledger.consume("c", by="r", refund="b", keep=now + 99, within=1)
            ledger.put("v", "x", expires=now + 99, within=1)
            _charged(ledger, "r", now)
            with closing(sqlite3.connect(path)) as connection, connection:
                for table, column in tables.items():
                    connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))  # noqa: S608 - from above
            # Null is not let in, so then the rows are as they were.
            yield _answered(partial(_charged, ledger, "r2", now)) == "charged" and value is not None
            yield _answered(partial(ledger.consume, "c", by="r2", refund="b", keep=9e9, within=1)) is True
            yield _answered(partial(ledger.take, "v", now=now, within=1)) == "x" and value is not None


@family("N-06", "two regions with a table each")
def two_regions(arena: Arena) -> Cases:
    """What was asked for in one is good for nothing in the other, whose pool is another: the key may be the same."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        if not one.private:
            yield False
            continue
        here = arena.books.inner
        there = {"region": "eu-west-1", "userPoolId": "eu-west-1_AbCdEf123"}
        arena.books.inner = MemoryLedger()
        yield arena.accepts(one.person, one.private, one.right, **there)
        try:
            made = arena.call("create", {**one.create_event(), **there})["privateChallengeParameters"]
        except TriggerError:
            yield False
            continue
        yield made["claim"] == one.private["claim"]
        arena.books.inner = here
        yield arena.accepts(one.person, made, arena.right_of(made))


def _charged(ledger: Ledger, round_id: str, now: float) -> str:
    request = ChargeRequest(round_id, "a", "b", owner="o", claim_id="c", limits=_LIMITS, keep=now + 99, now=now)
    return ledger.charge(request, within=1).outcome


def _answered(call: Any) -> Any:
    try:
        return call()
    except UnavailableError:
        return None


FAMILIES = families_in(globals())
