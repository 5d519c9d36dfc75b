"""The lists of users that the support desk gives: who stays, who goes, and who is called otherwise by now."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO, cast
from unicodedata import category

from watchword.errors import ConfigurationError

_LONGEST = 2048
_ODD = frozenset(",;=\"'{}")
"""What a line of a table or of JSON has, and no sub."""


def checked_sub(text: str) -> str:
    """Return *text* if it can be a sub, or raise ConfigurationError."""
    if not 1 <= len(text) <= _LONGEST or text.split() != [text] or any(category(sign) == "Cc" for sign in text):
        raise ConfigurationError(f"{text[:60]!r} is no sub: 1 to {_LONGEST} characters without spaces")
    return text


def listed_subs(name: str) -> frozenset[str]:
    """Return the subs in the file *name*, one a line; ``-`` is standard input.

    Raises:
        ConfigurationError: if it cannot be read, is empty, or holds anything else.
    """
    with opened(name) as lines:
        found = [checked_sub(line.strip()) for line in lines if line.strip()]
    if not found:
        raise ConfigurationError(f"{name} has no sub in it: write one a line")
    if odd := next((each for each in found if set(each) & _ODD), None):
        raise ConfigurationError(f"{name}: {odd[:60]!r} is no sub: write one a line, and nothing else")
    return frozenset(found)


def new_subs(given: Sequence[str]) -> Mapping[str, str]:
    """Return the new subs by the old ones, empty for a user who is left out.

    Each of *given* is ``OLD=NEW``, or a file with one such pair a line.

    Raises:
        ConfigurationError: if a file cannot be read, if a user is named twice, or if two would become one.
    """
    pairs: list[str] = []
    for each in given:
        if "=" in each:
            pairs.append(each)
            continue
        with opened(each) as lines:
            pairs += [line.strip() for line in lines if line.strip()]
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (word.strip() for word in pair.partition("="))
        if not equals or checked_sub(old) in found:
            raise ConfigurationError(f"--subs {pair[:60]!r}: write OLD=NEW, and each old sub once")
        found[old] = checked_sub(new) if new else ""
    news = [new for new in found.values() if new]
    if len(news) != len(set(news)):
        double = next(new for new in news if news.count(new) > 1)
        raise ConfigurationError(f"--subs: two users would become {double[:60]!r}: give each a sub of their own")
    return found


def read_as(stream: TextIO, *, errors: str) -> None:
    """Have *stream* read UTF-8 like a file, with *errors*: by itself it reads what the locale of a machine says."""
    with suppress(AttributeError):  # of a stream that has its text already
        cast("Any", stream).reconfigure(encoding="utf-8-sig", errors=errors)


@contextmanager
def opened(name: str) -> Generator[Iterable[str]]:
    """Open the file *name*, or standard input for ``-``. A mark at the beginning, as Windows writes one, is no text."""
    if name == "-":
        read_as(sys.stdin, errors="strict")
    try:
        with nullcontext(sys.stdin) if name == "-" else Path(name).open(encoding="utf-8-sig") as file:
            yield file
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise ConfigurationError(f"{name} cannot be read: {said}") from None
