"""The telephone numbers of the users whom attacks play, from those that a flow writes to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import cast

from watchword.algebra.flow import Flow
from watchword.contract.kinds import Kind
from watchword.contract.members import settings_of

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}", re.ASCII)
_NORTH_AMERICA = "+1"
_USUAL, _MOST = 11, 15
"""The digits of a number: ITU-T E.164 allows fifteen, with the country's."""


def allowed_prefixes(kind: Kind) -> tuple[str, ...]:
    """Return the prefixes that *kind* lists in a setting, such as ``("+49", "+43")``; none if it lists none."""
    for value in settings_of(kind).values():
        listed = tuple(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else ()
        if listed and all(map(_PREFIX.fullmatch, listed)):
            return listed
    return ()


def telephone_of(flow: Flow, name: str) -> Mapping[str, str]:
    """Return the attributes of user *name* who has a verified number that as many kinds of *flow* as can be write to."""
    lists = [prefixes for step in flow.steps.values() if (prefixes := allowed_prefixes(step.kind))]
    numbers = [number_under(prefix, name) for prefix in chain.from_iterable(lists)] or [
        number_under(_NORTH_AMERICA, name)
    ]
    number = max(numbers, key=lambda each: sum(each.startswith(prefixes) for prefixes in lists))
    return {"phone_number": number, "phone_number_verified": "true"}


def number_under(prefix: str, name: str) -> str:
    """Return the number of *name* that begins with *prefix*."""
    rest = max(6, _USUAL - (len(prefix) - 1))
    digits = "".join(_digits(name))[: min(rest, _MOST - (len(prefix) - 1))]
    return prefix + digits


def _digits(name: str) -> Iterator[str]:
    for byte in hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest():
        yield str(byte % 10)
