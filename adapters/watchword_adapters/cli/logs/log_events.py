"""Find Lambda events in logs: lines with a prefix, replies of CloudWatch Logs, prints of Python and Node.js."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import cast

REMEDY = "log the event as JSON, by print(json.dumps(event)) or console.log(JSON.stringify(event))"
"""What to do so that an event in a log can be read."""

_DEEPEST = 6
"""Envelopes around one event: a reply of CloudWatch Logs, its list, an entry, Lambda's JSON line, and a text in it."""
_LISTS = ("events", "logEvents", "results")  # filter-log-events and get-log-events, a subscription, Logs Insights
_TEXTS = ("message", "@message", "event", "msg")
_TRIES = 3
"""How many braces of a line are tried: a prefix may hold some, and each try may read to the end."""
_NESTED = 50
_READ_AGAIN = 2
"""How often, on average, each sign of a text may be read in vain: what begins like an event and is none may have no end."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<cut>\[(?:Object|Array|Circular[^\]\n]{0,9})\])
    |(?P<note>\[Object:\ null\ prototype\])
    |(?P<mark>[{}\[\](),:])
    |(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\\n]|\\.)*`)
    |(?P<number>-?\d[\d.eE+-]*)
    |(?P<word>[A-Za-z_$][\w$]*)""",
    re.VERBOSE | re.ASCII,
)
_JSON_LIST = re.compile(r"""\[\s*(?:[\[{"\d]|\Z)""")
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


def is_envelope(value: object) -> bool:
    """Say whether *value* is something that events come in, and no event."""
    fields = _fields(value)
    if fields is None:
        return isinstance(value, str)
    return "triggerSource" not in fields and any(name in fields for name in (*_LISTS, *_TEXTS))


def _fields(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def unwrapped(value: object, depth: int = 0) -> Iterator[object]:
    """Give the events in *value*: an event, or what it comes in; nothing for a message that holds none."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield from events_in(value, depth + 1)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from unwrapped(each, depth + 1)
    elif (fields := _fields(value)) is not None:
        if "triggerSource" in fields:
            yield value
        elif fields.get("field") == "@message":  # Logs Insights gives each row as a list of fields
            yield from unwrapped(fields.get("value"), depth + 1)
        else:
            for name in (*_LISTS, *_TEXTS):
                yield from unwrapped(fields.get(name), depth + 1)


def events_in(text: str, depth: int = 0) -> Iterator[object]:
    """Give the events in a *text* of a log, whatever stands before, between and behind them.

    Raises:
        UnreadableError: if an event is cut off, or in a form that cannot be read.
    """
    place, line = 0, 1
    left = _READ_AGAIN * len(text) + 10_000
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        begins = end - len(text[place:end].lstrip())
        if _JSON_LIST.match(text, begins, end):
            raise UnreadableError(line, "no JSON")
        read = False
        for brace in _braces(text, place, end):
            found, value, after = _read_at(text, brace, line)
            if not found:
                left -= after - brace
                if brace == begins or left < 0:
                    raise UnreadableError(line, "no JSON")
                continue
            inside = list(unwrapped(value, depth))
            if not inside and "triggerSource" in text[after:end]:
                continue
            yield from inside
            read, next_place = True, text.find("\n", after) + 1 or len(text)
            line += text.count("\n", place, next_place)
            place = next_place
            break
        if not read:
            if "triggerSource" in text[place:end]:
                raise UnreadableError(line, "an event that is cut off, or in a form that cannot be read")
            line, place = line + 1, end


def _braces(text: str, place: int, end: int) -> Iterator[int]:
    """Give where an object, or a text with one in it, may begin between *place* and *end*."""
    for _ in range(_TRIES):
        place = text.find("{", place, end)
        if place < 0:
            return
        # A JSON text that holds an event begins with its quote.
        quoted = place > 0 and text[place - 1] == '"' and '\\"' in text[place:end]
        yield place - 1 if quoted else place
        place += 1


def _read_at(text: str, place: int, line: int) -> tuple[bool, object, int]:
    """Return whether JSON or a printed object begins at *place*, its value, and how far the text was read."""
    try:
        return (True, *cast("tuple[object, int]", json.JSONDecoder().raw_decode(text, place)))
    except JSONDecodeError as error:
        reached = error.pos
    except (ValueError, RecursionError):
        reached = place
    if text[place] != "{":
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
