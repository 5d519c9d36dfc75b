"""The text of a template: JSON or YAML is read within bounds, YAML is written."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from watchword.errors import ConfigurationError
from watchword_adapters.extras import missing_extra

MOST_BYTES = 1024 * 1024
"""CloudFormation's own limit for templates in S3."""
MOST_VALUES = 200_000
"""Values in a template, each alias of YAML written out. A template of a megabyte has some ten thousands."""
MOST_LEVELS = 100
"""Levels of values in values. CloudFormation has no use for a fourth of them."""

_NUMBERS: dict[str, tuple[re.Pattern[str], type[int | float]]] = {
    "tag:yaml.org,2002:int": (re.compile(r"-?(?:0|[1-9][0-9]{0,3999})\Z", re.ASCII), int),
    "tag:yaml.org,2002:float": (re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}\Z", re.ASCII), float),
}
"""The numbers that a template needs. YAML 1.1 has more: base 60, which takes quadratic time to read, and hex without end."""


def read_template_text(path: Path) -> Any:
    """Return the value of the template at *path*.

    Raises:
        ConfigurationError: if it cannot be read, is too big, or is neither JSON nor YAML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or type(error).__name__}") from None
    if len(data) > MOST_BYTES:
        raise ConfigurationError(f"{path} is bigger than a template may be ({MOST_BYTES:,} bytes)")
    return parse_template_text(data.decode("utf-8-sig", "replace"), str(path))


def parse_template_text(text: str, name: str) -> Any:
    """Return the value of *text*, JSON or YAML, with CloudFormation's short forms in long; *name* is for errors.

    Raises:
        ConfigurationError: if it is neither, has more values or levels than a template, or is YAML and nothing is
            installed that reads it.
    """
    if text.lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            _measure(value, name)
            return value
    reader = _pyyaml(f"{name} is no JSON, and reading YAML")
    try:
        # The events show the size before anything is built, which would write the aliases out.
        _count(reader.parse(text, Loader=_safe(reader)), name)
        return reader.load(text, Loader=_loader(reader))
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - PyYAML lets out what its constructors meet: KeyError, IndexError, …
        mark: Any = getattr(error, "problem_mark", None)
        where = f", line {min(mark.line, text.count(chr(10))) + 1}" if mark is not None else ""
        raise ConfigurationError(f"{name}{where} is neither JSON nor YAML") from None


def template_as_yaml(document: Mapping[str, Any]) -> str:
    """Return *document*, made of mappings, lists, texts, numbers and booleans, as YAML for people to read.

    Raises:
        ConfigurationError: if nothing is installed that writes YAML.
    """
    writer = _pyyaml("writing YAML")
    plain: Any = writer.SafeDumper

    class Dumper(plain):  # type: ignore[misc]
        """Writes out what occurs twice: an anchor would send the reader elsewhere."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    # No line is folded: a line of the template is a line to search for.
    return cast("str", writer.dump(document, Dumper=Dumper, sort_keys=False, width=sys.maxsize))


def _pyyaml(what: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped, unused-ignore] # noqa: PLC0415 - only for templates in YAML
    except ImportError:
        raise missing_extra(what, "yaml") from None
    return yaml


def _measure(value: object, name: str) -> None:
    """Refuse a *value* of JSON with too many values or levels."""
    level, values = [value], 0
    for _ in range(MOST_LEVELS):
        values += len(level)
        if values > MOST_VALUES:
            raise _too_many_values(name)
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (cast("dict[str, object]", each).values() if isinstance(each, dict) else cast("Any", each))
        ]
        if not level:
            return
    raise _too_many_levels(name)


def _count(events: Any, name: str) -> None:
    """Refuse *events* of YAML with too many values, aliases written out, or levels."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []  # the anchors of what encloses an event, and the values before each
    values = 0
    for event in events:
        kind = type(event).__name__
        anchor: str | None = getattr(event, "anchor", None)
        if kind in {"SequenceStartEvent", "MappingStartEvent"}:
            open_.append((anchor, values))
            values += 1
            if len(open_) > MOST_LEVELS:
                raise _too_many_levels(name)
        elif kind in {"SequenceEndEvent", "MappingEndEvent"}:
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = values - before
        elif kind == "AliasEvent":
            if any(anchor == each for each, _ in open_):
                raise ConfigurationError(f"{name}, line {event.start_mark.line + 1}: *{anchor} contains itself")
            values += sizes.get(anchor or "", 1)
        elif kind == "ScalarEvent":
            values += 1
            if anchor is not None:
                sizes[anchor] = 1
        if values > MOST_VALUES:
            raise _too_many_values(name)


def _too_many_values(name: str) -> ConfigurationError:
    return ConfigurationError(f"{name} has more than {MOST_VALUES:,} values, each alias written out: it is no template")


def _too_many_levels(name: str) -> ConfigurationError:
    return ConfigurationError(f"{name} has more than {MOST_LEVELS} levels of values in values: it is no template")


def _safe(reader: Any) -> Any:
    """Return PyYAML's safe loader, the one in C where it is built."""
    return getattr(reader, "CSafeLoader", reader.SafeLoader)


def _loader(reader: Any) -> Any:
    class Loader(_safe(reader)):  # type: ignore[misc]
        """Knows the tags of CloudFormation, which has no dates, and decimal numbers alone."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's way to say it
            sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":int", ":float"))]
            for sign, resolvers in reader.SafeLoader.yaml_implicit_resolvers.items()
        }

    Loader.add_multi_constructor("!", _short_form)
    for tag, (pattern, _) in _NUMBERS.items():
        Loader.add_implicit_resolver(tag, pattern, list("-0123456789"))
        Loader.add_constructor(tag, _number)
    return Loader


def _number(loader: Any, node: Any) -> Any:
    """Return a decimal number; whatever else is tagged as one is the text that it is."""
    written = loader.construct_scalar(node)
    pattern, made_of = _NUMBERS[node.tag]
    return made_of(written) if isinstance(written, str) and pattern.match(written) else written


def _short_form(loader: Any, tag: str, node: Any) -> dict[str, Any]:
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
