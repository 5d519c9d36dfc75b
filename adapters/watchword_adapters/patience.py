"""One call on a thread of its own, so that the host has an answer in time whatever a plugin does."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from threading import TIMEOUT_MAX, Thread
from typing import TypeVar

from watchword.errors import UnavailableError

T = TypeVar("T")


def in_time(work: Callable[[], T], seconds: float) -> T:
    """Return what *work* returns, or raise what it raises, if it ends within *seconds*.

    What does not end in time is left behind on its thread, and what it returns later is thrown away. The engine has
    read its own deadline by then, so nothing is sent and no answer is accepted any more.

    It costs a thread, under a tenth of a millisecond. It cannot help where *work* never lets another thread run: code
    that holds the interpreter's lock, such as a regular expression that backtracks, stops this one too.

    Raises:
        UnavailableError: if it does not end, or if there is no thread for it.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            raised.append(error)

    # Tracing and logging in the host keep what they know of the call in its context.
    thread = Thread(target=copy_context().run, args=(run,), name="watchword-call", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise UnavailableError(
            "there was no thread for the call: earlier ones may never have ended", reason="setup"
        ) from None
    thread.join(min(seconds, TIMEOUT_MAX))
    if returned:
        return returned[0]
    if raised:
        raise raised[0]
    raise UnavailableError(
        f"the call did not end within {seconds} s: look for a kind, ledger or courier that hangs", reason="timeout"
    )
