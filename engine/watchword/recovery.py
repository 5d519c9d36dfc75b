"""Password recovery is a door past the flow: where one channel would give both the password and the code behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from watchword.blocks import AtLeast, Block, Fallback, InSequence, Named, OneOf, When
from watchword.challenge import HostRun, Kind
from watchword.flow import Flow
from watchword.powers import powers_of

_PASSWORD = ""  # no channel has this name

# What the ways through a block prove, one set for each way: the password, or possession by a channel.
_Ways = frozenset[frozenset[str]]
_NOTHING: _Ways = frozenset({frozenset[str]()})


def recovery_channels(flow: Flow) -> tuple[str, ...]:
    """Return the channels by which *flow*'s password must not be recovered, such as ``email``; none if any will do.

    On some path of the flow the user proves a password by `Srp` and possession by a message of that channel. Whoever
    reads these messages could have the password reset, and then needs nothing else.
    """
    ways = _ways(flow.body)
    return tuple(sorted({channel for way in ways if _PASSWORD in way for channel in way - {_PASSWORD}}))


def _ways(block: Block) -> _Ways:
    match block:
        case InSequence(parts):
            return _all_of(map(_ways, parts))
        case OneOf(parts) | Fallback(parts):
            return frozenset[frozenset[str]]().union(*map(_ways, parts))
        case AtLeast(count, options):
            return _some_of(count, [_ways(option) for option in options])
        case When(_, then, otherwise):
            return _ways(then) | (_NOTHING if otherwise is None else _ways(otherwise))
        case Named(_, kind):
            return _ways(kind)
        case HostRun():
            return frozenset({frozenset({_PASSWORD})})  # Srp is the only one that a flow may hold
        case Kind():
            channel = powers_of(block).channel if block.proves else ""
            return frozenset({frozenset({channel})}) if channel else _NOTHING
        case _:
            assert_never(block)


def _all_of(parts: Iterable[_Ways]) -> _Ways:
    ways: _Ways = _NOTHING
    for part in parts:
        ways = frozenset({way | more for way in ways for more in part})
    return ways


def _some_of(count: int, options: list[_Ways]) -> _Ways:
    # After each option: the ways in which so many of those before it are passed.
    passed: list[_Ways] = [_NOTHING, *(frozenset[frozenset[str]]() for _ in range(count))]
    for option in options:
        for number in range(count, 0, -1):
            passed[number] |= _all_of((passed[number - 1], option))
    return passed[count]
