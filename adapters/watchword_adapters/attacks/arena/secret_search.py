"""Search what was handed out, logged or stored for a secret."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from watchword.testing.leaks import reveals

SHORTEST_SECRET = 4
"""A shorter text stands in others by chance."""
_DIGESTS = re.compile(r"\b(?:[0-9a-f]{16,}|[0-9]{10})\b")
_LONG = 300


def without_digests(text: str) -> str:
    """Return *text* without the ids, digests and times in it, whose digits may be a secret's by chance."""
    return _DIGESTS.sub("-", text)


def stands_in(secret: str, texts: Sequence[str]) -> bool:
    """Say whether *secret* can be read from one of *texts*: as it is, in base64, or by a digest that needs no key."""
    if len(secret) < SHORTEST_SECRET:
        return False
    small = [text for text in texts if len(text) < _LONG]
    small += [inside for text in small for inside in _inside(text)]
    whole = "\n".join(small)
    return (
        _hashed(whole, secret)
        or reveals(without_digests(whole), secret)
        or any(reveals(text, secret) for text in texts if len(text) >= _LONG)
    )


def _hashed(text: str, secret: str) -> bool:
    """Say whether a digest of *secret* that needs no key stands in *text*."""
    ways = ("md5", "sha1", "sha256", "sha512")
    return any(
        hashlib.new(way, plain.encode(), usedforsecurity=False).hexdigest() in text
        for way in ways
        for plain in {secret, secret.upper(), secret.lower()}
    )


def _inside(text: str) -> Iterator[str]:
    """Give what is written in base64 in a text, or in one of its fields."""
    for field_ in text.split(";"):
        value = field_.partition("=")[2] or field_
        try:
            yield base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
        except ValueError:
            continue


class _KeptLines(logging.Handler):
    """Keeps what is logged in a list."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.lines.append(record.getMessage())


@contextmanager
def listening(lines: list[str]) -> Generator[None]:
    """Keep in *lines* what anybody logs meanwhile, at DEBUG: Watchword's own logger too, which passes nothing on during a run."""
    root = logging.getLogger()
    heard = [root, *(each for each in (logging.getLogger("watchword"),) if not each.propagate)]
    handler, level = _KeptLines(lines), root.level
    root.setLevel(logging.DEBUG)
    for logger in heard:
        logger.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(level)
        for logger in heard:
            logger.removeHandler(handler)
