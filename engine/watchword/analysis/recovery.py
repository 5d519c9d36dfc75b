"""Password recovery is a door past the flow: where one channel would give both the password and the code behind it."""

from __future__ import annotations

from collections.abc import Iterable

from watchword.algebra.blocks import AtLeast, Block, Fallback, InSequence, Named, OneOf, Step, When
from watchword.algebra.flow import Flow
from watchword.contract.powers import is_host_run

_PASSWORD = ""  # no channel has this name

# What the ways through a block prove, one set for each way: the password, or possession by a channel.
_Ways = frozenset[frozenset[str]]
_NOTHING: _Ways = frozenset({frozenset[str]()})


def recovery_channels(flow: Flow) -> tuple[str, ...]:
    """Return the channels by which *flow*'s password must not be recovered, such as ``email``; none if any will do.

    On some path of the flow the user proves a password by `Srp` and possession by a message of that channel. Whoever
    reads these messages could have the password reset, and then needs nothing else.
    """
    ways = _ways(flow, flow.body)
    return tuple(sorted({channel for way in ways if _PASSWORD in way for channel in way - {_PASSWORD}}))


def _ways(flow: Flow, block: Block) -> _Ways:
    match block:
        case InSequence(parts):
            return _all_of(_ways(flow, part) for part in parts)
        case OneOf(parts) | Fallback(parts):
            return frozenset[frozenset[str]]().union(*(_ways(flow, part) for part in parts))
        case AtLeast(count, options):
            return _some_of(count, [_ways(flow, option) for option in options])
        case When(_, then, otherwise):
            return _ways(flow, then) | (_NOTHING if otherwise is None else _ways(flow, otherwise))
        case Named(name, _):
            return _sent(flow.steps[name])
        case _ if is_host_run(block):
            return frozenset({frozenset({_PASSWORD})})  # Srp is the only one that a flow may hold
        case _:
            return _sent(flow.steps[block.kind])


def _sent(step: Step) -> _Ways:
    return frozenset({frozenset({step.powers.channel})}) if step.kind.proves and step.powers.sends else _NOTHING


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
