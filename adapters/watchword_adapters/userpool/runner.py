"""Runs a trigger beside the caller, so that one that hangs, or calls back into the pool, harms nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Call = Callable[[], Any]

Runner = Callable[[Call, float], Any]
"""Makes a call, which never raises, and returns what it returns; raises TimeoutError if it takes longer than so many seconds."""


def run_in_thread(call: Call, within: float) -> Any:
    """Make *call* in another thread and wait *within* seconds for it.

    A late thread is left to itself, as Cognito leaves a Lambda function.

    Raises:
        TimeoutError: if it is late.
    """
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _Worker()
    return worker.make(call, within)


class _Job:
    def __init__(self, call: Call) -> None:
        self.call = call
        self.done = threading.Lock()
        self.done.acquire()
        self.result: Any = None


class _Worker:
    """A thread that is kept: handing a call to it takes a third of the time of starting one."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        threading.Thread(target=self._work, name="userpool-trigger", daemon=True).start()

    def make(self, call: Call, within: float) -> Any:
        job = _Job(call)
        self._jobs.put(job)
        if not job.done.acquire(timeout=within):
            raise TimeoutError
        return job.result

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            job.result = job.call()
            _idle.append(self)
            job.done.release()
            del job  # keep nothing of this call while waiting for the next


_idle: list[_Worker] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads do not survive a fork
