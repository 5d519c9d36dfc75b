"""The ledger of one process: dictionaries behind a lock."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Generic, Literal, Protocol, TypeVar

from attrs import define, evolve, field, frozen

from watchword.contract.hookspecs import RegisterLedger, hookimpl
from watchword.contract.ports import Charge, ChargeRequest, Claim, ClaimState, Ledger, Limit, Reach
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.ledgers.sliding_window import GRACE, has_room, largest_count, longest_window

_SWEPT_AT_ONCE = 4
"""How many records that are over a call removes from a shelf. It adds two at most, so a shelf never outgrows its use."""


@define
class _Holder:
    claim_id: str
    issued: int
    state: ClaimState
    until: float


@define
class _Try:
    used: bool
    until: float


@frozen
class _Round:
    answer: str
    paid: bool
    own: bool
    at: float
    until: float
    repeated: bool = False


@frozen
class _Entry:
    at: float
    event: str
    owner: str


@define
class _Budget:
    key: str
    until: float
    entries: list[_Entry] = field(factory=list[_Entry])
    owners: set[str] = field(factory=set[str])


@frozen
class _Mark:
    by: str
    until: float


@frozen
class _Value:
    text: str
    until: float


class _Dated(Protocol):
    @property
    def until(self) -> float: ...


_Record = TypeVar("_Record", bound=_Dated)


@define
class _Shelf(Generic[_Record]):
    """Records by key, each good until its time; *grace* seconds after that it may be swept away."""

    grace: float
    records: dict[str, _Record] = field(factory=dict[str, _Record], init=False)
    due: list[tuple[float, str]] = field(factory=list[tuple[float, str]], init=False)

    def live(self, key: str, now: float) -> _Record | None:
        record = self.records.get(key)
        return record if record is not None and now < record.until else None

    def keep(self, key: str, record: _Record) -> None:
        if key not in self.records:
            heapq.heappush(self.due, (record.until + self.grace, key))
        self.records[key] = record

    def sweep(self, now: float) -> list[_Record]:
        """Remove a few records whose grace is over at *now*, and return them."""
        swept: list[_Record] = []
        for _ in range(_SWEPT_AT_ONCE):
            if not self.due or self.due[0][0] > now:
                break
            _, key = heapq.heappop(self.due)
            record = self.records.get(key)
            if record is None:
                continue
            if record.until + self.grace > now:  # Kept again since, for longer.
                heapq.heappush(self.due, (record.until + self.grace, key))
            else:
                swept.append(self.records.pop(key))
        return swept


class MemoryLedger:
    """A `Ledger` in the memory of this process, safe for threads.

    What is over is removed as calls go by, so memory stays flat. Nothing outlives the process, and no other process
    sees it: the default outside Lambda, and no place for budgets that must hold across several processes.
    """

    reach: Reach = "process"

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = _Shelf[_Holder](GRACE)
        self._tries = _Shelf[_Try](GRACE)
        self._rounds = _Shelf[_Round](GRACE)
        self._budgets = _Shelf[_Budget](GRACE)
        self._owned: dict[str, set[str]] = {}
        self._marks = _Shelf[_Mark](GRACE)
        # Values may be sensitive: they are gone when their time is over.
        self._values = _Shelf[_Value](0.0)

    def __repr__(self) -> str:
        return "MemoryLedger()"

    def claim(self, key: str, claim_id: str, *, lease: float, now: float, within: float) -> Claim:
        """Take *key* for *lease* seconds, or return the claim that holds it."""
        with self._turn(within):
            self._holders.sweep(now)
            holder = self._holders.live(key, now)
            if holder is not None:
                return Claim(holder.claim_id, holder.issued, holder.state, fresh=False)
            holder = _Holder(claim_id, int(now), "sending", now + lease)
            self._holders.keep(key, holder)
            return Claim(claim_id, holder.issued, "sending", fresh=True)

    def settle(
        self, key: str, claim_id: str, state: Literal["sent", "unsent"], *, own_until: float, within: float
    ) -> None:
        """Say what became of the message of *claim_id*; ``sent`` is final and gives the claim its own try."""
        with self._turn(within):
            holder = self._holders.records.get(key)
            if holder is not None and holder.claim_id == claim_id and holder.state != "sent":
                holder.state = state
            if state == "sent" and claim_id not in self._tries.records:
                self._tries.keep(claim_id, _Try(used=False, until=own_until))

    def resume(self, key: str, claim_id: str, *, within: float) -> bool:
        """Turn the claim from ``unsent`` back to ``sending``; True for exactly one caller."""
        with self._turn(within):
            holder = self._holders.records.get(key)
            if holder is None or holder.claim_id != claim_id or holder.state != "unsent":
                return False
            holder.state = "sending"
            return True

    def charge(self, request: ChargeRequest, *, within: float) -> Charge:
        """Record the answer as the one to its round, and charge one guess for it."""
        round_id, now = request.round_id, request.now
        with self._turn(within):
            self._rounds.sweep(now)
            self._tries.sweep(now)
            self._marks.sweep(now)
            self._sweep_budgets(now)
            known = self._rounds.live(round_id, now)
            if known is not None:
                if not known.paid:
                    return Charge("exhausted", known.at)
                if known.answer != request.answer:
                    return Charge("refused", known.at)
                self._rounds.keep(round_id, evolve(known, repeated=True))
                return Charge("repeated", known.at)
            paid = self._add(request.key, round_id, request.owner, request.limits, now)
            own = not paid and self._use_own_try(request.claim_id, now)
            self._rounds.keep(round_id, _Round(request.answer, paid or own, own, now, request.keep))
            return Charge("charged" if paid or own else "exhausted", now)

    def forgive(self, round_id: str, *, key: str, claim_id: str, within: float) -> None:
        """Take back the record of *round_id* that was not repeated, and its guess in the budget *key* or the claim's own try."""
        with self._turn(within):
            known = self._rounds.records.get(round_id)
            if known is None or not known.paid or known.repeated:
                return
            del self._rounds.records[round_id]
            own = self._tries.records.get(claim_id)
            if known.own and own is not None:
                own.used = False
            self._refund(key, round_id)

    def count(self, key: str, *, event: str, owner: str, limits: Sequence[Limit], now: float, within: float) -> bool:
        """Count *event* in the budget *key* if there is room; the same event again is free."""
        with self._turn(within):
            self._sweep_budgets(now)
            window = longest_window(limits)
            if any(entry.event == event and not now - entry.at >= window for entry in self._entries(key)):
                return True
            return self._add(key, event, owner, limits, now)

    def consume(self, claim_id: str, *, by: str, refund: str, keep: float, within: float, slot: str = "") -> bool:
        """Use up *claim_id* in the name of round *by*; the win takes its guess back and frees the key *slot*."""
        with self._turn(within):
            mark = self._marks.records.get(claim_id)
            if mark is not None:
                return mark.by == by
            self._marks.keep(claim_id, _Mark(by, keep))
            holder = self._holders.records.get(slot)
            if holder is not None and holder.claim_id == claim_id:
                del self._holders.records[slot]
            self._refund(refund, by)
            return True

    def consumed(self, claim_id: str, *, by: str | None = None, within: float) -> bool:
        """Return whether a round, or the round *by*, has used up *claim_id*."""
        with self._turn(within):
            mark = self._marks.records.get(claim_id)
            return mark is not None and by in {None, mark.by}

    def put(self, key: str, value: str, *, expires: float, within: float) -> None:
        """Keep *value* under *key* until *expires*."""
        with self._turn(within):
            self._values.keep(key, _Value(value, expires))

    def peek(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key*, or None."""
        with self._turn(within):
            self._values.sweep(now)
            value = self._values.live(key, now)
            return None if value is None else value.text

    def take(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key* and remove it, for exactly one caller."""
        with self._turn(within):
            self._values.sweep(now)
            value = self._values.live(key, now)
            if value is None:
                return None
            del self._values.records[key]
            return value.text

    def forget(self, owner: str, *, within: float) -> int:
        """Empty every budget of *owner*; return how many had something in them."""
        with self._turn(within):
            emptied = 0
            for key in self._owned.pop(owner, set[str]()):
                entries = self._entries(key)
                others = [entry for entry in entries if entry.owner != owner]
                emptied += len(others) < len(entries)
                entries[:] = others
            return emptied

    @contextmanager
    def _turn(self, within: float) -> Generator[None]:
        if not within > 0:
            raise UnavailableError("the ledger in memory was given no time", reason="timeout")
        with self._lock:  # Nothing waits while it has the lock, so nobody waits for the lock long.
            yield

    def _entries(self, key: str) -> list[_Entry]:
        budget = self._budgets.records.get(key)
        return [] if budget is None else budget.entries

    def _refund(self, key: str, event: str) -> None:
        entries = self._entries(key)
        newest = max((entry for entry in entries if entry.event == event), key=lambda entry: entry.at, default=None)
        if newest is not None:
            entries.remove(newest)

    def _add(self, key: str, event: str, owner: str, limits: Sequence[Limit], now: float) -> bool:
        if not limits:
            return True
        entries = self._entries(key)
        if not has_room([entry.at for entry in entries], limits, now):
            return False
        window = longest_window(limits)
        until = now + window
        budget = self._budgets.records.get(key)
        if budget is None:
            budget = _Budget(key, until)
            self._budgets.keep(key, budget)
        budget.until = max(budget.until, until)
        budget.entries.append(_Entry(now, event, owner))
        budget.entries.sort(key=lambda entry: entry.at)
        # As many as decide, and none that even a clock set back by the grace would find in a window.
        del budget.entries[: -largest_count(limits)]
        budget.entries[:] = [entry for entry in budget.entries if not now - entry.at >= window + GRACE]
        budget.owners.add(owner)
        self._owned.setdefault(owner, set()).add(key)
        return True

    def _sweep_budgets(self, now: float) -> None:
        for budget in self._budgets.sweep(now):
            for owner in budget.owners:
                keys = self._owned.get(owner, set[str]())
                keys.discard(budget.key)
                if not keys:
                    self._owned.pop(owner, None)

    def _use_own_try(self, claim_id: str, now: float) -> bool:
        own = self._tries.live(claim_id, now)
        if own is None or own.used:
            return False
        own.used = True
        return True


@hookimpl
def register_ledgers(register: RegisterLedger) -> None:
    """Register ``memory:``."""
    register("memory", _from_url)


def _from_url(url: str) -> Ledger:
    if url.partition(":")[2]:
        raise ConfigurationError("the ledger URL memory: takes nothing after the colon; write it as memory:")
    return MemoryLedger()
