"""Couriers that send nothing: one keeps messages in memory, one prints them."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any, ClassVar, TextIO

from watchword.contract.hookspecs import RegisterCourier, hookimpl
from watchword.contract.kinds import Email
from watchword.contract.members import ANY_CHANNEL
from watchword.contract.ports import Courier, Receipt
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.couriers.envelope import refuse_unfit


class Outbox:
    """A `Courier` for tests and the local pool: `messages` holds what was sent, oldest first. It carries any channel."""

    channel: ClassVar[str] = ANY_CHANNEL

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def __repr__(self) -> str:
        return f"Outbox({len(self.messages)} messages)"

    @property
    def floor(self) -> float:
        """0: keeping a message takes no time that could tell anything."""
        return 0.0

    def send(self, letter: Any, within: float) -> Receipt:
        """Keep *letter*.

        Raises:
            UnavailableError: if it is unfit to be sent, or if there is no time left.
        """
        _refuse_late(within)
        refuse_unfit(letter)
        self.messages.append(letter)
        return Receipt(letter.id)


class ConsoleCourier:
    """A `Courier` that prints messages, codes and all, to *stream* (standard output if None): for development alone.

    It carries any channel.
    """

    channel: ClassVar[str] = ANY_CHANNEL

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = Lock()

    def __repr__(self) -> str:
        return "ConsoleCourier()"

    @property
    def floor(self) -> float:
        """0: printing takes no time that could tell anything."""
        return 0.0

    def send(self, letter: Any, within: float) -> Receipt:
        """Print *letter*; control characters are shown as escapes, so that it cannot play tricks on a terminal.

        Raises:
            UnavailableError: if it is unfit to be sent, there is no time left, or the stream cannot be written to.
        """
        _refuse_late(within)
        refuse_unfit(letter)
        stream = self._stream or sys.stdout
        heads, body = [f"To: {letter.to}"], letter.texts()
        if isinstance(letter, Email):
            heads, body = [*heads, f"Subject: {letter.subject}"], (letter.text,)
        lines = [*heads, "", *(line for text in body for line in text.splitlines())]
        shown = "".join(f"| {_shown(line)}".rstrip() + "\n" for line in lines)
        encoding = getattr(stream, "encoding", None) or "utf-8"
        failure = ""
        try:
            with self._lock:
                stream.write(f"\n{shown}\n".encode(encoding, "backslashreplace").decode(encoding))
                stream.flush()
        except (OSError, ValueError, LookupError) as error:
            failure = type(error).__name__
        if failure:
            raise UnavailableError(f"the console could not be written to: {failure}", reason="internal", code=failure)
        return Receipt(letter.id)


def _shown(line: str) -> str:
    return "".join(each if each.isprintable() or each == "\u00a0" else ascii(each)[1:-1] for each in line)


def _refuse_late(within: float) -> None:
    if not within > 0:
        raise UnavailableError("there was no time left to send", undelivered=True, reason="timeout")


@hookimpl
def register_couriers(register: RegisterCourier) -> None:
    """Register ``console:``."""
    register("console", _from_url, ANY_CHANNEL)


def _from_url(url: str) -> Courier:
    if url.partition(":")[2]:
        raise ConfigurationError("the URL console: takes nothing after the colon; write it as console:")
    return ConsoleCourier()
