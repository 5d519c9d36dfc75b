"""What kinds can be set to: validators for those with templates, and the error for a setting that is not given."""

from __future__ import annotations

import re
from functools import wraps
from typing import Any, TypeVar

from attrs import NOTHING, Attribute, fields

from watchword import ConfigurationError
from watchword.contract import Validator, refused

_Kind = TypeVar("_Kind", bound=type[Any])

LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
"""A language tag in lower case."""

LONGEST_LOCALE = 35  # RFC 5646 4.4.1
_LONGEST_PATH = 4096  # of Linux


def names_what_it_needs(kind: _Kind) -> _Kind:
    """Have the attrs class *kind* refuse what lacks a setting with the words that a flow in TOML is refused with.

    Python's own TypeError tells of arguments of ``__init__``.
    """
    made = kind.__init__
    settings = [each for each in fields(kind) if each.init]
    by_place = [str(each.alias) for each in settings if not each.kw_only]
    needed = [str(each.alias) for each in settings if each.default is NOTHING]

    @wraps(made)
    def make(self: Any, *values: Any, **named: Any) -> None:
        if missing := [each for each in needed if each not in named and each not in by_place[: len(values)]]:
            raise ConfigurationError(f"{kind.kind} needs {', '.join(missing)}")
        made(self, *values, **named)

    kind.__init__ = make
    return kind


def locale() -> Validator:
    """Return a validator for a language tag in lower case."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, str) or len(value) > LONGEST_LOCALE or not LOCALE.fullmatch(value):
            raise refused(instance, attribute, 'must be a language tag in lower case, such as "en" or "pt-br"')

    return validate


def folder() -> Validator:
    """Return a validator for the path of a folder of templates, or None."""

    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= _LONGEST_PATH or "\0" in value):
            raise refused(
                instance, attribute, "must be the path of a folder, or be left out for the templates that come along"
            )

    return validate
