"""What messages of a channel are called in a sentence: no other place says "mail" for what may be an SMS."""

from __future__ import annotations

from collections.abc import Iterable

_WORDS = {"email": "mail", "sms": "SMS"}


def word_for(channel: str) -> str:
    """Return what messages of *channel* are called: ``mail``, ``SMS``, or ``messages by 'push'``."""
    return _WORDS.get(channel) or f"messages by {channel!r:.40}"


def word_for_one(channel: str) -> str:
    """Return what one message of *channel* is called: ``mail``, ``SMS``, or ``message by 'push'``."""
    return _WORDS.get(channel) or f"message by {channel!r:.40}"


def words_for(channels: Iterable[str]) -> str:
    """Return what messages of *channels* are called together; ``messages`` if there are none."""
    return " and ".join(word_for(each) for each in sorted({*channels})) or "messages"
