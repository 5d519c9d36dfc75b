"""Check sender and recipient of a message: one address and one line each (RFC 5321)."""

from __future__ import annotations

import re
import unicodedata

from attrs import frozen

from watchword.contract.kinds import Email, Message, is_telephone_number
from watchword.errors import ConfigurationError, UnavailableError

# The dot-atom of RFC 5322 3.2.3, in ASCII: no quotes, comments, groups or lists, where parsers disagree.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LONGEST_SENDER = 998  # RFC 5322 2.1.1: no line of a message is longer
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")


def is_address(text: str) -> bool:
    """Say whether *text* is exactly one plain address, at most 254 characters long (RFC 5321 4.5.3.1)."""
    return _ADDRESS.fullmatch(text) is not None


def is_line(text: str) -> bool:
    """Say whether *text* is one line: no control character, none of Unicode's line ends, no lone surrogate."""
    # What is printable holds none of these, and is told at once.
    return text.isprintable() or not any(
        unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") for character in text
    )


def refuse_unfit(letter: Message, channel: str = "") -> None:
    """Refuse a *letter* that could say more to the carrier than its texts: before anything is opened.

    If *channel* is given, only that channel's messages pass.

    Raises:
        UnavailableError: with ``undelivered=True``, and ``refused=True`` but for another channel. The message names the part, never what it holds.
    """
    if channel and letter.channel != channel:
        _refuse(f"is for the channel {letter.channel[:20]!r}, and this courier carries {channel!r}", "setup")
    lines = [("id", letter.id), ("recipient", letter.to)]
    texts = [("text", text) for text in letter.texts()]
    if isinstance(letter, Email):
        lines.append(("subject", letter.subject))
        texts = [("text", letter.text), ("html", letter.html)]
    for part, text in lines:
        if not is_line(text):
            reason = "recipient_refused" if part == "recipient" else "message_refused"
            _refuse(f"has a control character or a line end in its {part}", reason)
    if not letter.to or (letter.channel == "email" and not is_address(letter.to)):
        _refuse("has a recipient that is not exactly one plain address", "recipient_refused")
    if letter.channel == "sms" and not is_telephone_number(letter.to):
        _refuse("has a recipient that is not exactly one number in E.164", "recipient_refused")
    for part, text in texts:
        if not _is_text(text):
            _refuse(f"has a {part} that is no text: half of a surrogate pair")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(what: str, reason: str = "message_refused") -> None:
    refused = reason != "setup"
    raise UnavailableError(f"the message {what}; nothing was sent", undelivered=True, refused=refused, reason=reason)


@frozen
class Sender:
    """From whom messages come: an *address*, and the *name* that may stand in front of it."""

    address: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Sender:
        """Return the sender that ``a@b.c`` or ``Name <a@b.c>`` says.

        Raises:
            ConfigurationError: if it says none, or more than one.
        """
        named = _NAMED.fullmatch(text) if len(text) <= _LONGEST_SENDER else None
        name, address = (named[1].strip().strip('"'), named[2]) if named else ("", text)
        if not is_address(address) or not is_line(name):
            raise ConfigurationError(
                "a courier needs the sender (from) as one plain address, such as no-reply@example.com, "
                "or as a name and an address, such as Acme <no-reply@example.com>"
            )
        return cls(address, name)

    def header(self) -> str:
        """Return the sender as a header field's value, in ASCII (RFC 2047)."""
        from email.utils import formataddr  # noqa: PLC0415 - heavy

        return formataddr((self.name, self.address))
