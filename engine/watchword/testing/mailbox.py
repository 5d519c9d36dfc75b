"""A courier for tests: it keeps what it is given, and reads the code from the last message."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from watchword.contract.kinds import Email
from watchword.contract.members import ANY_CHANNEL
from watchword.contract.ports import Courier, Receipt
from watchword.errors import UnavailableError
from watchword.runtime.wire import reference

_ALONE = re.compile(r"^\s*([0-9A-Z]{4,})\s*$", re.MULTILINE)
LINK = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,63}:/[^\s<>\"#]{0,2000}#[^\s<>\"]+")
"""What is a link in a message: an address with a ``#`` and more."""

_ANYWHERE = re.compile(r"\b[0-9A-Z]{4,}\b")


class Mailbox:
    """A `Courier` that keeps messages of any channel: `messages` holds them, oldest first. Set `down` to have it fail.

    *through* is a courier that each message goes to first; what that one refuses is not kept.
    """

    channel: ClassVar[str] = ANY_CHANNEL

    def __init__(self, through: Courier | None = None) -> None:
        self._through = through
        self.messages: list[Any] = []
        self.down = False

    def __repr__(self) -> str:
        return f"Mailbox({len(self.messages)} messages)"

    @property
    def floor(self) -> float:
        """0: keeping a message takes no time that could tell anything."""
        return 0.0

    def send(self, letter: Any, within: float) -> Receipt:
        """Keep *letter*.

        Raises:
            UnavailableError: if there is no time left, or `down` is set: the message certainly did not leave; or if the
                courier behind it refuses it.
        """
        if self.down or not within > 0:
            raise UnavailableError("the mailbox takes nothing", undelivered=True, reason="unreachable")
        receipt = self._through.send(letter, within) if self._through else Receipt(letter.id)
        self.messages.append(letter)
        return receipt

    @property
    def link(self) -> str:
        """The link in the last message: the first address with a ``#``.

        Raises:
            AssertionError: if no message was sent, or the last one holds no link.
        """
        assert self.messages, "no message was sent"
        found = LINK.search("\n".join(self.messages[-1].texts()))
        assert found, "the last message holds no link: read messages[-1].text"
        return found[0]

    @property
    def code(self) -> str:
        """The code in the last message: four or more digits or capitals, first of all such as have a line to themselves.

        Raises:
            AssertionError: if no message was sent, or the last one holds no code.
        """
        assert self.messages, "no message was sent"
        letter = self.messages[-1]
        ref = reference(letter.id)  # looks like a code, and is none
        text = letter.text if isinstance(letter, Email) else "\n".join(letter.texts())
        for pattern in (_ALONE, _ANYWHERE):
            code = next((found for found in pattern.findall(text) if found != ref), None)
            if code is not None:
                return str(code)
        raise AssertionError("the last message holds no code: read messages[-1].text")
