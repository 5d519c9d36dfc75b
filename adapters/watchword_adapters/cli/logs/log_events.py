"""Find Lambda events in logs: lines with a prefix, replies of CloudWatch Logs, prints of Python and Node.js."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from json import JSONDecodeError
from typing import cast

from attrs import frozen

REMEDY = "log the event as JSON, by print(json.dumps(event)) or console.log(JSON.stringify(event))"
"""What to do so that an event in a log can be read."""

_EVENT = "triggerSource"
"""The field by which an event is known. A text without this word holds none."""
_DEEPEST = 12
"""Texts around one event. Each of them doubles the escapes of the one inside it, so a real log has far fewer."""
_ENVELOPES = ("events", "logEvents", "results", "message", "@message", "event", "msg", "record")
"""Fields of replies of CloudWatch Logs and of log lines: an object with one of them need not hold an event."""
_TRIES = 3
"""How many beginnings in a row are tried in vain: a prefix may hold some, and each try may read to the end."""
_NESTED = 50
_READ_AGAIN = 2
"""How often, on average, each sign of a text may be read in vain: what begins like an event and is none may have no end."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\+\s*(?=['"`]))
    |(?P<cut>\[(?:Object|Array|Circular[^\]\n]{0,9})\])
    |(?P<note>\[Object:\ null\ prototype\])
    |(?P<mark>[{}\[\](),:])
    |(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\\n]|\\.)*`)
    |(?P<number>-?\d[\d.eE+-]*)
    |(?P<word>[A-Za-z_$][\w$]*)""",
    re.VERBOSE | re.ASCII,
)
_BEGINNING = re.compile(r"""(?<![^\s:=(\[,])"(?:[^"\\\n]|\\.)*"|\{|\[(?=\s*(?:["'{\[]|\Z))""")
"""A JSON text, or what begins an object or a list; no prefix such as ``[INFO]`` or ``[2024-05-01]``."""
_JSON = re.compile(r"""[\[\s]*(?:\{\s*["}]|["\]\dtfn-])""")
"""How JSON begins, and most of what Python and Node.js print does not."""
_FIELD = re.compile(rf"""{_EVENT}(?:\Z|["'`\\]*\s*(?:\Z|:\s*(?:\Z|\\*["'`])))""")
"""The field of an event in any form, with its text or cut off: no words about it, such as ``triggerSource: Define…``."""
_KEY = re.compile(r"\s*:")
_WORDS = {
    "true": "True",
    "false": "False",
    "null": "None",
    "undefined": "None",
    "True": "True",
    "False": "False",
    "None": "None",
}


class UnreadableError(ValueError):
    """Raised if a log holds what may be an event and cannot be read; says the line and the remedy."""

    def __init__(self, line: int, why: str) -> None:
        """Take the number of the line and what is wrong there."""
        super().__init__(f"line {line}: {why}: {REMEDY}")
        self.why = why


def is_envelope(value: object) -> bool:
    """Say whether *value* is something that events come in, and no event."""
    fields = _fields(value)
    if fields is None:
        return isinstance(value, str)
    return _EVENT not in fields and any(name in fields for name in _ENVELOPES)


def _fields(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def unwrapped(value: object, depth: int = 0) -> Iterator[object]:
    """Give the events in *value*, however they are nested: in objects, in lists and in texts, in any order.

    Nothing is given for a value that holds none. *depth* is how many texts are around *value*.

    Raises:
        UnreadableError: if a text holds what may be an event and cannot be read.
    """
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if _EVENT in value:
                yield from events_in(value, depth + 1)
        elif isinstance(value, list | tuple):
            waiting += reversed(cast("Sequence[object]", value))
        elif (fields := _fields(value)) is not None:
            if _EVENT in fields:
                yield value
            elif set(fields) == {"field", "value"} and fields["field"] != "@message":
                continue  # Logs Insights gives a row as fields: others are parts of the message, or about it
            else:
                waiting += reversed(list(fields.values()))


def events_in(text: str, depth: int = 0) -> Iterator[object]:
    """Give the events in a *text* of a log, whatever is before, between and behind them.

    Raises:
        UnreadableError: if an event is cut off, or in a form that cannot be read.
    """
    if depth > _DEEPEST:
        raise UnreadableError(1, f"an event in more than {_DEEPEST} texts, one in the other")
    left = _READ_AGAIN * len(text) + 10_000
    place, end, line, doubtful = 0, 0, 1, False
    while place < len(text):
        if place >= end:
            end, doubtful = text.find("\n", place) + 1 or len(text), False
        found, in_vain = _first_value(text, place, end, line)
        left -= sum(reached - start for start, reached in in_vain)
        if left < 0:
            raise UnreadableError(line, "no JSON")
        # Words of a prefix are no event. What follows a beginning that cannot be read is a part of one, perhaps.
        unread = text[place if doubtful or not in_vain else in_vain[0][0] : found.start if found else end]
        doubtful = doubtful or bool(in_vain)
        if (doubtful and _EVENT in unread) or (found is None and _FIELD.search(unread)):
            raise UnreadableError(line, "an event that is cut off, or in a form that cannot be read")
        if found is None:
            place, line = end, line + 1
            continue
        try:
            yield from unwrapped(found.value, depth)
        except UnreadableError as error:
            raise UnreadableError(line, f"in a text there, {error.why}") from None
        # More may be on the same line.
        line += text.count("\n", place, found.end)
        place = found.end


@frozen
class _Found:
    """A value of a text: where it begins and where it ends."""

    value: object
    start: int
    end: int


def _first_value(text: str, place: int, end: int, line: int) -> tuple[_Found | None, Sequence[tuple[int, int]]]:
    """Return the first value that begins between *place* and *end*, and what was read in vain before: from where, and how far."""
    new_line = place == 0 or text[place - 1] == "\n"
    begins = end - len(text[place:end].lstrip()) if new_line else -1
    in_vain: list[tuple[int, int]] = []
    for _ in range(_TRIES):
        start = _beginning(text, place, end)
        if start < 0:
            break
        found, value, after = _read_at(text, start, line)
        if found:
            return _Found(value, start, after), in_vain
        if start == begins:
            raise UnreadableError(line, "no JSON")
        in_vain.append((start, after))
        place = start + 1
    return None, in_vain


def _beginning(text: str, place: int, end: int) -> int:
    """Return where an object, a list or a text with an event in it may begin between *place* and *end*; -1 if nowhere."""
    for match in _BEGINNING.finditer(text, place, end):
        written = match.group()
        if written[0] != '"' or ("{" in written and _EVENT in written):
            return match.start()
    return -1


def _read_at(text: str, place: int, line: int) -> tuple[bool, object, int]:
    """Return whether JSON or a printed object begins at *place*, its value, and how far the text was read."""
    reached = place
    if _JSON.match(text, place):  # An error costs as much as all of the text before it.
        try:
            return (True, *cast("tuple[object, int]", json.JSONDecoder().raw_decode(text, place)))
        except JSONDecodeError as error:
            reached = error.pos
        except (ValueError, RecursionError):
            pass
    if text[place] == '"':
        return False, None, reached
    found, value, after = _printed_at(text, place, line)
    return found, value, max(after, reached)


def _printed_at(text: str, place: int, line: int) -> tuple[bool, object, int]:
    """Return whether Python or Node.js printed an object at *place*, the object, and how far the text was read."""
    parts: list[str] = []
    depth = 0
    while match := _TOKEN.match(text, place):
        place, written = match.end(), match.group()
        match match.lastgroup:
            case "cut":
                raise UnreadableError(line, f"Node.js printed {written} in place of what is nested there")
            case "mark":
                depth += 1 if written in "{[(" else -(written in "}])")
                parts.append(written)
            case "word":
                key = _KEY.match(text, place) is not None
                if not key and written not in _WORDS:
                    return False, None, place
                parts.append(repr(written) if key else _WORDS[written])
            case "text":
                parts.append(repr(written[1:-1]) if written[0] == "`" else written)
            case "number":
                parts.append(written)
            case _:
                continue
        if depth > _NESTED:
            return False, None, place
        if depth == 0:
            break
    try:
        return True, cast("object", ast.literal_eval("".join(parts))), place
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False, None, place
