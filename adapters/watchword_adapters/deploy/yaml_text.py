"""Writes plain values as YAML, for people to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*", re.ASCII)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def dump(value: Mapping[str, Any]) -> str:
    """Return *value*, made of mappings, lists, texts, numbers and booleans, as YAML."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in cast("Mapping[str, Any]", value).items():
            yield from _under(f"{_scalar(key)}:", each)
    else:
        for item in value:
            inner = list(_lines(item)) if _is_nested(item) else [_scalar(item)]
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list) and bool(cast("Any", value))


def _under(head: str, value: Any) -> Iterator[str]:
    if _is_nested(value):
        yield head
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # JSON is YAML, but for signs that it writes as two: YAML has an escape of eight digits.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(sign if " " <= sign <= "~" else f"\\U{ord(sign):08x}" for sign in text)
