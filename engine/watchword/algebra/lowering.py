"""The translation of blocks into steps, conditions and the nested tuples that `derivative` interprets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import (
    AtLeast,
    Block,
    ClientCondition,
    Condition,
    Fallback,
    InSequence,
    Named,
    OneOf,
    When,
    expect_blocks,
)
from watchword.contract.kinds import HostRun, Kind
from watchword.contract.powers import Powers, is_host_run, powers_of
from watchword.errors import ConfigurationError

STEP_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
MESSAGES = 3
"""How many messages one step sends in one sign-in: the first, and two that the client asks for."""


@frozen
class Step:
    """One named challenge of a flow: its *kind*, and the *powers* that were read of it when the flow was made."""

    name: str
    kind: Kind
    powers: Powers = field(eq=False, repr=False)

    @property
    def attempts(self) -> int:
        """Tries in one sign-in."""
        return self.powers.attempts

    @property
    def lifetime(self) -> int:
        """Seconds for an answer."""
        return self.powers.lifetime


@frozen
class Lowered:
    """A block, lowered: its steps by name, its conditions in order, its body."""

    steps: Mapping[str, Step]
    conditions: tuple[tuple[str, ...], ...]
    body: derivative.Body


def lower(block: Block) -> Lowered:
    """Lower *block*.

    Raises:
        ConfigurationError: if two steps share a name, `Srp` stands where it cannot, or something could pass unasked.
    """
    expect_blocks("Flow", (block,))
    lowering = _Lowering()
    body = lowering.lower(block, head=True, skippable=False)
    return Lowered(lowering.steps, tuple(lowering.conditions), body)


@frozen
class _Lowering:
    steps: dict[str, Step] = field(factory=dict[str, Step])
    conditions: list[tuple[str, ...]] = field(factory=list[tuple[str, ...]])

    def lower(self, block: Block, *, head: bool, skippable: bool) -> derivative.Body:
        match block:
            case InSequence(parts):
                return self._sequence(parts, head=head, skippable=skippable)
            case OneOf(options):
                bodies = tuple(self.lower(option, head=head, skippable=False) for option in options)
                if sum(map(_opens_with_srp, bodies)) > 1:
                    raise ConfigurationError(
                        "one_of: two options begin with Srp(), so the opening cannot tell them apart: "
                        "write sequence(Srp(), one_of(…))"
                    )
                return _choose(0, bodies)
            case AtLeast(count, options):
                return _choose(count, tuple(self.lower(option, head=False, skippable=False) for option in options))
            case Fallback(parts):
                bodies = tuple(self.lower(part, head=False, skippable=False) for part in parts)
                return bodies[0] if len(bodies) == 1 else ("fallback", bodies[0], bodies[1:])
            case When(condition, then, otherwise):
                return self._when(condition, then, otherwise, head=head, skippable=skippable)
            case Named(name, kind):
                return self._step(name, kind)
            case _:
                return _prelude(block, head=head) if is_host_run(block) else self._step(block.kind, block)

    def _sequence(self, parts: tuple[Block, ...], *, head: bool, skippable: bool) -> derivative.Body:
        bodies = [self.lower(part, head=head and not place, skippable=True) for place, part in enumerate(parts)]
        if not skippable and all(map(_may_vanish, bodies)):
            raise ConfigurationError(
                "sequence: every part may be skipped, so it could pass without a round: give one `when` an otherwise="
            )
        return bodies[0] if len(bodies) == 1 else ("sequence", bodies[0], tuple(bodies[1:]))

    def _when(
        self, condition: Condition, then: Block, otherwise: Block | None, *, head: bool, skippable: bool
    ) -> derivative.Body:
        if otherwise is None and not skippable:
            raise ConfigurationError(
                "when: without otherwise= it could pass without a round: that is allowed directly in a sequence only"
            )
        lowered = (
            ("client", condition.id)
            if isinstance(condition, ClientCondition)
            else ("attribute", condition.name, condition.value)
        )
        if lowered not in self.conditions:
            self.conditions.append(lowered)
        yes = self.lower(then, head=head, skippable=False)
        no = derivative.PASSED if otherwise is None else self.lower(otherwise, head=head, skippable=False)
        return ("when", self.conditions.index(lowered), yes, no)

    def _step(self, name: str, kind: Kind) -> derivative.Body:
        check_name("step", name)
        check_name("kind", kind.kind)
        if name in self.steps:
            raise ConfigurationError(f"two steps are named {name!r}: give one another name with named('…', …)")
        powers = powers_of(kind)
        self.steps[name] = Step(name, kind, powers)
        return ("step", name, powers.attempts, derivative.REQUESTS)


def check_name(word: str, name: object) -> None:
    """Refuse a *name* that no step or kind (*word* says which) can have.

    Raises:
        ConfigurationError: if it is none, or one that the engine uses itself.
    """
    if not isinstance(name, str) or not STEP_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no {word} name: write 2 to 32 of a-z, 0-9 and _, beginning with a letter"
        )
    if name in {derivative.SELECT, derivative.UNASKED}:
        raise ConfigurationError(f"{name!r} is reserved for rounds of the engine: take another {word} name")


def _choose(need: int, options: tuple[derivative.Body, ...]) -> derivative.Body:
    return options[0] if len(options) == 1 else ("choose", need, options, derivative.ASKS, None, derivative.REQUESTS)


def _prelude(block: HostRun, *, head: bool) -> derivative.Body:
    if block.host_rounds != (derivative.SRP_A, derivative.PASSWORD_VERIFIER):
        raise ConfigurationError(f"{block!r}: the host's own rounds {block.host_rounds} cannot be asked for by a flow")
    if not head:
        raise ConfigurationError(
            "Srp() stands where it cannot: Cognito offers SRP before anything else only, so it is the flow itself, the "
            "first of a sequence, or an option of a one_of or when that stands there"
        )
    return ("srp", 0)


def _opens_with_srp(body: derivative.Body) -> bool:
    if body[0] == "when":
        return _opens_with_srp(body[2]) or _opens_with_srp(body[3])
    if body[0] == "sequence":
        # Behind a `when` that may vanish, nothing is at the head any more.
        return _opens_with_srp(body[1])
    return derivative.SRP_A in derivative.heads(body) or (body[0] == "choose" and any(map(_opens_with_srp, body[2])))


def _may_vanish(body: derivative.Body) -> bool:
    if body[0] == "when":
        return body[3] == derivative.PASSED or _may_vanish(body[2]) or _may_vanish(body[3])
    return body[0] == "sequence" and all(map(_may_vanish, (body[1], *body[2])))
