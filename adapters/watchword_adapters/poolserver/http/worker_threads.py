"""Worker threads for calls that may wait, so that the event loop does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_Job = Callable[[], None]


class Workers:
    """As many threads as there are calls at the same time, at most *limit*; they are kept for later calls.

    They are daemons: a trigger that hangs does not hold up the end of the process.
    """

    def __init__(self, limit: int = 128) -> None:
        self._limit = limit
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._threads = 0
        self._open = 0  # calls that are not done; only the event loop touches it

    async def run(self, call: Callable[[], T]) -> T:
        """Return what *call* returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: BaseException | None) -> None:
            self._open -= 1
            if done.done():  # the server is ending
                return
            if error is None:
                done.set_result(result)  # type: ignore[arg-type]
            else:
                done.set_exception(error)

        def job() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = call()
            except BaseException as raised:  # noqa: BLE001 - it is raised again where it is waited for
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(finish, result, error)

        self._open += 1
        self._jobs.put(job)
        if self._threads < min(self._open, self._limit):
            self._threads += 1
            threading.Thread(target=self._work, name=f"pool-server-{self._threads}", daemon=True).start()
        return await done

    def _work(self) -> None:
        while True:
            self._jobs.get()()
