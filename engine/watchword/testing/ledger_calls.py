"""The calls of a ledger as its contract makes them: short, and from many threads at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from watchword.contract.ports import Charge, ChargeRequest, Claim, Ledger, Limit
from watchword.errors import UnavailableError
from watchword.testing.requests import NOW

DAY_SECONDS = 86400
TEN_A_DAY = (Limit(10, DAY_SECONDS),)
THREADS = 64

_Result = TypeVar("_Result")


class LedgerCalls:
    """The words in which the contract of a ledger is written. *within* is how many seconds a call may take."""

    within: float = 3600.0

    def _claim(self, ledger: Ledger, claim_id: str, *, key: str = "key", now: float = NOW) -> Claim:
        return ledger.claim(key, claim_id, lease=16, now=now, within=self.within)

    def _sent(self, ledger: Ledger, claim_id: str) -> None:
        ledger.settle("key", claim_id, "sent", own_until=NOW + 180, within=self.within)

    def _charge(
        self,
        ledger: Ledger,
        round_id: str,
        answer: str = "answer",
        *,
        key: str = "budget",
        owner: str = "ann",
        claim_id: str = "",
        limits: Sequence[Limit] = TEN_A_DAY,
        keep: float = NOW + 600,
        now: float = NOW,
        within: float | None = None,
    ) -> Charge:
        request = ChargeRequest(round_id, answer, key, owner, claim_id, limits, keep, now)
        return ledger.charge(request, within=self.within if within is None else within)

    def _forgive(self, ledger: Ledger, round_id: str, *, claim_id: str = "") -> None:
        ledger.forgive(round_id, key="budget", claim_id=claim_id, within=self.within)

    def _count(
        self, ledger: Ledger, event: str, limits: Sequence[Limit], *, now: float = NOW, within: float | None = None
    ) -> bool:
        within = self.within if within is None else within
        return ledger.count("messages", event=event, owner="ann", limits=limits, now=now, within=within)

    def _consume(self, ledger: Ledger, claim_id: str, by: str, *, slot: str = "") -> bool:
        return ledger.consume(claim_id, by=by, refund="budget", keep=NOW + 600, slot=slot, within=self.within)

    def _peek(self, ledger: Ledger, *, now: float = NOW) -> str | None:
        return ledger.peek("h", now=now, within=self.within)

    def _exhaust(self, ledger: Ledger, *, key: str = "budget", owner: str = "ann", now: float = NOW) -> None:
        for number in range(10):
            self._charge(ledger, f"fill-{key}-{number}", key=key, owner=owner, now=now)

    def _left(self, ledger: Ledger, *, key: str = "budget", now: float = NOW) -> int:
        """Return how many guesses there are in the budget, by using them up."""
        outcomes = [self._charge(ledger, f"left-{key}-{n}", key=key, now=now).outcome for n in range(11)]
        return outcomes.count("charged")


def unavailable(call: Callable[[], Any]) -> bool:
    """Say whether *call* raises UnavailableError."""
    try:
        call()
    except UnavailableError:
        return True
    return False


_PATIENT = 3600.0
"""Seconds for which threads wait for one another, and a call may take, on however slow a machine."""


def at_once(call: Callable[[int], _Result], *, times: int = THREADS) -> list[_Result]:
    """Call *call* *times* times from 64 threads that begin together; return the results in order."""
    start = Barrier(THREADS)

    def first(number: int) -> _Result:
        if number < THREADS:
            start.wait(_PATIENT)
        return call(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(first, range(times)))
