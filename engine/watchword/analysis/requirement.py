"""What a flow must prove, as an expression: ``knowledge and (possession or inherence)``."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TypeAlias

from watchword.errors import ConfigurationError

Requirement: TypeAlias = str | tuple[str, tuple["Requirement", ...]]
"""A term, or ``("and" | "or", parts)``."""

_TOKEN = re.compile(r"\s*(?:([a-z][a-z0-9_]*)|([()]))", re.ASCII)
MAX_REQUIREMENT = 500
MAX_NESTING = 50


def parse_requirement(text: str) -> Requirement:
    """Return what *text* requires.

    Terms are the three factors, names of kinds, and ``password`` for the kind ``srp``; ``and`` binds closer than ``or``.

    Raises:
        ConfigurationError: if *text* is no such expression; the message shows where.
    """
    if len(text) > MAX_REQUIREMENT:
        raise ConfigurationError(f"require is longer than {MAX_REQUIREMENT} characters")
    words: list[str] = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise ConfigurationError(f"require: {text[place:].strip()[:20]!r} cannot be read; {_FORM}")
        words.append(match[1] or match[2])
        place = match.end()
        # The reading below calls itself for every bracket, so the depth is limited where Python's would not show a remedy.
        if words.count("(") - words.count(")") > MAX_NESTING:
            raise ConfigurationError(f"require has more than {MAX_NESTING} brackets inside one another: write fewer")
    read, rest = _either(words, text)
    if rest:
        raise ConfigurationError(f"require: {rest[0]!r} comes unexpectedly in {text!r}; {_FORM}")
    return read


_FORM = "write terms with and, or, ( and ): knowledge and (possession or inherence)"


def _either(words: list[str], text: str) -> tuple[Requirement, list[str]]:
    return _joined("or", words, text)


def _joined(word: str, words: list[str], text: str) -> tuple[Requirement, list[str]]:
    part, rest = _part(word, words, text)
    parts = [part]
    while rest and rest[0] == word:
        part, rest = _part(word, rest[1:], text)
        parts.append(part)
    return (parts[0] if len(parts) == 1 else (word, tuple(parts))), rest


def _part(word: str, words: list[str], text: str) -> tuple[Requirement, list[str]]:
    if word == "or":
        return _joined("and", words, text)
    if not words or words[0] in {"and", "or", ")"}:
        raise ConfigurationError(f"require: a term is missing in {text!r}; {_FORM}")
    if words[0] != "(":
        return words[0], words[1:]
    inner, rest = _either(words[1:], text)
    if not rest or rest[0] != ")":
        raise ConfigurationError(f"require: a ) is missing in {text!r}; {_FORM}")
    return inner, rest[1:]


def terms(requirement: Requirement) -> tuple[str, ...]:
    """Return the terms of *requirement*, each once."""
    if isinstance(requirement, str):
        return (requirement,)
    return tuple(dict.fromkeys(term for part in requirement[1] for term in terms(part)))


def is_met(requirement: Requirement, proven: Collection[str]) -> bool:
    """Say whether *proven* meets *requirement*."""
    if isinstance(requirement, str):
        return requirement in proven
    verdicts = (is_met(part, proven) for part in requirement[1])
    return all(verdicts) if requirement[0] == "and" else any(verdicts)


def spelt(requirement: Requirement, *, inner: bool = False) -> str:
    """Return *requirement* as text again."""
    if isinstance(requirement, str):
        return requirement
    text = f" {requirement[0]} ".join(spelt(part, inner=True) for part in requirement[1])
    return f"({text})" if inner else text
