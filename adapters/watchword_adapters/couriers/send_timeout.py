"""Try to send once, within a time limit, whatever the server does."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from threading import Lock

from watchword.contract.ports import Clock, Receipt
from watchword.errors import UnavailableError


class GivenUpError(Exception):
    """Raised where the message is sent if nobody waits for it any more."""


class Attempt:
    """What the one who sends and the one who waits for it have in common.

    It is *committed* from the moment on from which the carrier may take the message; before that it can be given up,
    and then the message certainly does not leave. It is *addressed* from the moment on from which the carrier knows the
    recipient: whatever fails after that, the recipient may be the cause.
    """

    def __init__(self, clock: Clock, within: float) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + within
        self._lock = Lock()
        self._given_up = False
        self._socket: socket.socket | None = None
        self.committed = False
        self.addressed = False
        self.stage = "starting"

    def enter(self, stage: str, at_most: float) -> float:
        """Note the *stage* of the dialogue; return for how many seconds it may wait, *at_most* or what is left.

        Raises:
            GivenUpError: if there is no time left.
        """
        self.stage = stage
        left = min(at_most, self._deadline - self._clock.monotonic())
        if left <= 0:
            raise GivenUpError
        return left

    def watch(self, connection: socket.socket) -> None:
        """Have *connection* cut when the attempt is given up."""
        with self._lock:
            self._socket = connection
            if self._given_up:
                raise GivenUpError

    def commit(self) -> None:
        """Take the step after which the message may have left.

        Raises:
            GivenUpError: if the attempt was given up before: then the step must not be taken.
        """
        with self._lock:
            if self._given_up:
                raise GivenUpError
            self.committed = True

    def give_up(self) -> None:
        """Stop the attempt, unless it is committed, and cut its connection."""
        with self._lock:
            self._given_up = True
            connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                # Of the plain socket, also under TLS: the other thread may be using the TLS object.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def send_within(clock: Clock, within: float, carrier: str, work: Callable[[Attempt], Receipt]) -> Receipt:
    """Return what *work* returns, if it does within *within* seconds by *clock*.

    Sockets have time limits of their own for each step, but looking up a name has none, and a carrier that answers a
    byte at a time meets every one of them: so the whole is limited here.

    Raises:
        UnavailableError: if *work* fails or is late, naming the *carrier* and the stage; ``undelivered=True`` unless
            it was committed. What *work* raised is not chained to it: it may quote the address.
    """
    if not within > 0:
        raise UnavailableError(f"there was no time left to send by {carrier}", undelivered=True, reason="timeout")
    attempt = Attempt(clock, within)

    def run() -> Receipt | BaseException:
        try:
            return work(attempt)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            return error

    try:
        outcome = clock.call(run, within)
    except UnavailableError as error:
        if error.undelivered:
            raise UnavailableError(
                f"there was no thread to send by {carrier}", undelivered=True, reason="setup"
            ) from None
        outcome = GivenUpError()
    finally:
        attempt.give_up()
    return _judge(outcome, attempt, within, carrier)


def _judge(result: Receipt | BaseException, attempt: Attempt, within: float, carrier: str) -> Receipt:
    if isinstance(result, Receipt):
        return result
    if isinstance(result, UnavailableError):
        raise UnavailableError(
            f"{carrier} {result}",
            undelivered=result.undelivered,
            refused=result.refused or attempt.addressed,
            reason=result.reason,
            code=result.code,
        )
    late = isinstance(result, GivenUpError)
    what = f"did not answer within {within:.3g} seconds" if late else type(result).__name__
    raise UnavailableError(
        f"{carrier} failed at {attempt.stage}: {what}",
        undelivered=not attempt.committed,
        refused=attempt.addressed,
        reason="timeout" if late else _reason(result),
        code="" if late else type(result).__name__,
    )


def _reason(error: BaseException) -> str:
    """Return the reason word for *error*, which the standard library raised."""
    if isinstance(error, TimeoutError):
        return "timeout"
    # A certificate that is not trusted is an OSError too: what answered is not the service.
    return "unreachable" if isinstance(error, OSError) else "unknown"
