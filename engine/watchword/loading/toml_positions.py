"""Find the line of each key in a TOML text, and how deep the text nests, from its tokens alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from attrs import define, field

Path: TypeAlias = tuple[str | int, ...]
"""The path to a value: keys of tables and places in arrays."""

# What is between quotes, and comments. A string that its line does not end goes on to the end of the text: no parser comes past it.
# So few of them are so short that the scan is quick, whatever the text is.
_QUOTED = re.compile(
    r"""
    ( "{3} (?: [^\\] | \\. )*? (?: "{3,5} | \Z )
    | \'{3} .*? (?: \'{3,5} | \Z )
    | " (?: (?: [^"\\\n] | \\[^\n] )* " | .* )
    | \' (?: [^'\n]* \' | .* )
    | \#[^\n]* (?: \n[ \t\r]*\#[^\n]* )*
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_APART = str.maketrans({**{mark: f" {mark} " for mark in "[]{}.,=\n"}, "\t": " ", "\r": " "})
_END = ""


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for place, piece in enumerate(_QUOTED.split(text)):
        # Every other piece is one that the pattern found.
        for token in (piece,) if place % 2 else piece.translate(_APART).split(" "):
            if token and token[0] != "#":
                yield token, line
            line += token.count("\n")


def too_deep(text: str, most: int) -> int | None:
    """Return the line on which brackets, or a dotted key, go deeper than *most*; None if they never do.

    It takes any text, TOML or not, in linear time. (A parser may recurse for every bracket, and may copy a dotted key
    for each of its parts.)
    """
    brackets = dots = 0
    before = ""
    for token, line in _tokens(text):
        brackets = max(0, brackets + (token in {"[", "{"}) - (token in {"]", "}"}))
        if token == ".":  # noqa: S105 - a token of TOML
            dots += 1
        elif before != ".":
            dots = 0
        if max(brackets, dots) > most:
            return line
        before = token
    return None


def lines_of(text: str) -> Mapping[Path, int]:
    """Return the line of every key and array element of *text*, which a TOML parser has accepted before."""
    outline = _Outline([*_tokens(text), (_END, 0)])
    outline.read()
    return outline.lines


@define
class _Outline:
    tokens: list[tuple[str, int]]
    lines: dict[Path, int] = field(factory=dict[Path, int])
    tables: dict[Path, int] = field(factory=dict[Path, int])
    """How many tables each array of tables has by now."""
    at: int = 0

    def read(self) -> None:
        base: Path = ()
        while self.next() != _END:
            if self.next() == "\n":
                self.take()
            elif self.next() == "[":
                base = self.header()
            else:
                self.pair(base)

    def next(self) -> str:
        return self.tokens[self.at][0]

    def take(self) -> str:
        token = self.next()
        self.at += token != _END
        return token

    def header(self) -> Path:
        _, line = self.tokens[self.at]
        self.take()
        array = self.next() == "["
        if array:
            self.take()
        key = self.key()
        while self.next() not in {"\n", _END}:
            self.take()
        path: Path = ()
        for place, part in enumerate(key, start=1):
            path = (*path, part)
            self.lines.setdefault(path, line)
            if array and place == len(key):
                self.tables[path] = self.tables.get(path, 0) + 1
            if path in self.tables:
                path = (*path, self.tables[path] - 1)
        self.lines.setdefault(path, line)
        return path

    def key(self) -> Path:
        parts = [_unquoted(self.take())]
        while self.next() == ".":
            self.take()
            parts.append(_unquoted(self.take()))
        return tuple(parts)

    def pair(self, base: Path) -> None:
        _, line = self.tokens[self.at]
        path = base
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.take()  # the equals sign
        self.value(path)

    def value(self, path: Path) -> None:
        if self.next() == "[":
            self.take()
            place = 0
            while self.next() not in {"]", _END}:
                if self.next() in {",", "\n"}:
                    place += self.take() == ","
                else:
                    self.lines[*path, place] = self.tokens[self.at][1]
                    self.value((*path, place))
            self.take()
        elif self.next() == "{":
            self.take()
            while self.next() not in {"}", _END}:
                if self.next() in {",", "\n"}:
                    self.take()
                else:
                    self.pair(path)
            self.take()
        else:
            while self.next() not in {",", "]", "}", "\n", _END}:
                self.take()


def _unquoted(token: str) -> str:
    return str(tomllib.loads(f"key = {token}")["key"]) if token[:1] in {'"', "'"} else token
