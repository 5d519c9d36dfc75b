"""Validators for what every kind with templates can be set to."""

from __future__ import annotations

import re
from typing import Any

from attrs import Attribute

from watchword.contract import Validator, refused

LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
"""A language tag in lower case."""

LONGEST_LOCALE = 35  # RFC 5646 4.4.1
_LONGEST_PATH = 4096  # of Linux


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
