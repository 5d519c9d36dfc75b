"""Say whether some way through a flow is left for a user, by what the user has enrolled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import AskFirst, AtLeast, Block, Enrol, Fallback, InSequence, Named, OneOf, When
from watchword.algebra.flow import Flow
from watchword.algebra.lowering import condition_as_tuple
from watchword.contract.powers import is_host_run, powers_of

_Ways: TypeAlias = frozenset[frozenset[str]]
"""What the user may have enrolled after a block was passed, one set for each way; no way if it cannot be."""


def can_pass(flow: Flow, attributes: Mapping[str, str], client: str, enrolled: Collection[str]) -> bool:
    """Say whether a user of these *attributes* can pass *flow* through the app client *client* with the kinds *enrolled*.

    A step of a kind that remembers needs a credential of that kind, which a step before it may enrol. What else a step
    needs, such as an address, is taken to be there. In doubt the answer is no: a way on which users must pass some options of
    `at_least` in a certain order does not count.
    """
    outcomes = derivative.outcomes_of(flow.conditions, attributes, client, True, enrolled)
    held = frozenset(each for each, outcome in zip(flow.conditions, outcomes, strict=True) if outcome)
    return bool(_Reader(held).passed(flow.body, frozenset(enrolled)))


@frozen
class _Reader:
    held: frozenset[tuple[str, ...]]

    def passed(self, block: Block, owned: frozenset[str]) -> _Ways:
        match block:
            case InSequence(parts):
                ways: _Ways = frozenset({owned})
                for part in parts:
                    ways = _union(self.passed(part, each) for each in ways)
                return ways
            case OneOf(options) | Fallback(options):
                return _union(self.passed(option, owned) for option in options)
            case AtLeast(count, options):
                return frozenset({owned} if sum(bool(self.passed(each, owned)) for each in options) >= count else ())
            case When(condition, then, otherwise):
                taken = then if condition_as_tuple(condition) in self.held else otherwise
                return frozenset({owned}) if taken is None else self.passed(taken, owned)
            case Named(_, inner) | AskFirst(inner):
                return self.passed(inner, owned)
            case Enrol(kind):
                return frozenset({owned | {kind.kind}})
            case _:
                needed = not is_host_run(block) and bool(powers_of(block).remembers) and block.kind not in owned
                return frozenset(() if needed else {owned})


def _union(ways: Iterable[_Ways]) -> _Ways:
    return frozenset[frozenset[str]]().union(*ways)
