"""A message of a plugin's own, for another channel than e-mail."""

from typing import ClassVar

from attrs import frozen


@frozen
class Text:
    """One text to a telephone number."""

    channel: ClassVar[str] = "sms"

    to: str
    said: str
    id: str = ""

    def texts(self) -> tuple[str, ...]:
        """Return the one text."""
        return (self.said,)


TEXT = Text("+15555550100", "Your code is 12345678.", "0123456789abcdef0123456789abcdef")
