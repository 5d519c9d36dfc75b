"""The system's time and randomness, and the threads on which it runs what may hang."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import TIMEOUT_MAX, Lock, Thread
from typing import Any, TypeVar

from watchword.errors import UnavailableError

T = TypeVar("T")


class SystemClock:
    """The `Clock` of this machine."""

    def now(self) -> float:
        """Return the epoch time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Wait until `monotonic` reads *moment*; return at once if it does already."""
        while (left := moment - time.monotonic()) > 0:
            time.sleep(left)

    def call(self, work: Callable[[], T], within: float) -> T:
        """Return what *work* returns, or raise what it raises, if it ends within *within* seconds.

        It runs on a thread of its own, so that the caller has an answer in time whatever *work* does; that costs some
        hundredths of a millisecond. *within* may be 0: then *work* is begun, and nobody waits for it. What is late is
        left behind on its thread. If it is the engine's, it has read the deadline by the time it wakes, so nothing is
        sent and no answer is accepted any more.

        It cannot help where *work* never lets another thread run: code that holds the interpreter's lock, such as a
        regular expression that backtracks, stops this thread too.

        Raises:
            UnavailableError: if it does not end in time; with ``undelivered=True`` if there is no thread to begin it on.
        """
        try:
            worker = _idle.pop()
        except IndexError:
            worker = _begun()
        job = _Job(work)
        worker.jobs.put(job)
        if not job.done.acquire(timeout=min(max(within, 0.0), TIMEOUT_MAX)):
            raise UnavailableError(
                f"the call did not end within {within} s: look for a kind, ledger or courier that hangs",
                reason="timeout",
            )
        if job.raised is not None:
            raise job.raised
        return job.returned  # type: ignore[no-any-return]


class _Job:
    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        # Tracing and logging in the host keep what they know of the call in its context.
        self.context: Context = copy_context()
        self.done = Lock()
        self.done.acquire()
        self.returned: Any = None
        self.raised: BaseException | None = None

    def run(self) -> None:
        try:
            self.returned = self.context.run(self.work)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self.raised = error


class _Worker:
    """A thread that is kept: handing a call to it takes a third of the time of starting one."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        Thread(target=self._work, name="watchword-call", daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self.jobs.get()
            job.run()
            _idle.append(self)
            job.done.release()
            del job  # keep nothing of this call while waiting for the next


def _begun() -> _Worker:
    try:
        return _Worker()
    except RuntimeError:
        raise UnavailableError(
            "there was no thread for the call: earlier ones may never have ended", undelivered=True, reason="setup"
        ) from None


_idle: list[_Worker] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads do not survive a fork


class SystemRandom:
    """The `Random` of the operating system, fit for secrets (OWASP ASVS 5.0, 11.5.1)."""

    def bytes(self, count: int) -> bytes:
        """Return *count* random bytes.

        Raises:
            UnavailableError: if the operating system has none to give; nothing else takes their place.
        """
        try:
            drawn = secrets.token_bytes(count)
        except (OSError, NotImplementedError) as error:
            raise UnavailableError("the operating system gave no random bytes", reason="internal") from error
        if len(drawn) != count:
            raise UnavailableError("the operating system gave too few random bytes", reason="internal")
        return drawn
