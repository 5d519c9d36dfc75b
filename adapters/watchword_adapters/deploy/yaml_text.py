"""Writes plain values as YAML, for people to read; and reads YAML where a reader is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from watchword.errors import ConfigurationError

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


def load(text: str, name: str) -> Any:
    """Return the value of *text*, JSON or YAML, with CloudFormation's short forms in long; *name* is for errors.

    Raises:
        ConfigurationError: if it is neither, or is YAML and nothing is installed that reads it.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    try:
        import yaml  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - only for templates in YAML
    except ImportError:
        raise ConfigurationError(f"{name} is no JSON; to read YAML: pip install pyyaml") from None
    reader: Any = yaml

    class Loader(reader.SafeLoader):  # type: ignore[misc]
        """Knows the tags of CloudFormation."""

    def short_form(loader: Any, tag: str, node: Any) -> dict[str, Any]:
        kind = type(node).__name__
        value: Any
        if kind == "ScalarNode":
            value = loader.construct_scalar(node)
        elif kind == "SequenceNode":
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if tag == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}

    Loader.add_multi_constructor("!", short_form)
    try:
        return reader.load(text, Loader)
    except (reader.YAMLError, RecursionError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigurationError(f"{name}{where} is neither JSON nor YAML") from None
