"""The settings of user pool and app client that a flow needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from watchword.algebra.flow import Flow
from watchword.analysis.assurance import recovery_channels
from watchword.contract.members import settings_of

LONGEST_SESSION = 15
"""Minutes: Cognito's sessions are valid for no more."""
CUSTOM_ATTRIBUTE = re.compile(r"custom:[\w-]{1,20}", re.ASCII)
"""The name of a custom attribute."""
_SHORTEST_SESSION = 3
_HARMLESS = ("email", "name", "nickname", "picture", "profile", "website")


def session_minutes(flow: Flow) -> int:
    """Return the least validity of the client's sessions, 3 to 15 minutes, in which every step's time fits."""
    longest = 0
    for step in flow.steps.values():
        longest = max(longest, step.lifetime)
        if step.powers.sends:
            longest = max(longest, step.powers.resend_after + 1)
    return min(LONGEST_SESSION, max(_SHORTEST_SESSION, -(-longest // 60)))


def write_attributes(decided: Collection[str], written: Iterable[str] = ("email",)) -> list[str]:
    """Return those of *written* that an app client may write: what it may write, users may, so none that is *decided* by."""
    # An empty list would let the client write every standard attribute.
    harmless = next((name for name in _HARMLESS if name not in decided), _HARMLESS[0])
    return [name for name in written if name not in decided] or [harmless]


def conditions_on_attributes(flow: Flow) -> tuple[str, ...]:
    """Return the names of the attributes that *flow* decides by."""
    return tuple(dict.fromkeys(condition[1] for condition in flow.conditions if condition[0] == "attribute"))


def attributes_read(flow: Flow) -> tuple[str, ...]:
    """Return the names of the attributes that *flow* decides by, and of custom ones that settings of its kinds name."""
    decided = conditions_on_attributes(flow)
    return tuple(dict.fromkeys((*decided, *(name for step in flow.steps.values() for name in _custom_in(step.kind)))))


def _custom_in(value: object) -> Iterator[str]:
    """Give the names of custom attributes in *value*: a text, several, or the settings of a kind."""
    if isinstance(value, str):
        if CUSTOM_ATTRIBUTE.fullmatch(value):
            yield value
    elif isinstance(value, tuple | frozenset | list):
        for each in cast("Iterable[object]", value):
            yield from _custom_in(each)
    else:
        for each in settings_of(value).values():
            yield from _custom_in(each)


def pool_needs(flows: Collection[Flow]) -> dict[str, Any]:
    """Return what all of *flows* need of the pool and its client, as a `Manifest` has it."""
    return {
        "attributes": tuple(sorted({name for flow in flows for name in attributes_read(flow)})),
        "session_minutes": max(map(session_minutes, flows)),
        "recovery": tuple(sorted({channel for flow in flows for channel in recovery_channels(flow)})),
    }
