"""The blocks of a flow, and their translation into the nested tuples that `derivative` interprets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.contract.kinds import HostRun, Kind
from watchword.contract.powers import Powers, is_host_run, is_kind, lacked_by_kind, powers_of
from watchword.errors import ConfigurationError

STEP_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)
MESSAGES = 3
"""How many messages one step sends in one sign-in: the first, and two that the client asks for."""


@frozen
class AttributeCondition:
    """The condition that the user's attribute *name* is *value*."""

    name: str
    value: str


@frozen
class ClientCondition:
    """The condition that the sign-in comes through the app client *id*."""

    id: str


Condition: TypeAlias = AttributeCondition | ClientCondition


@frozen
class InSequence:
    """All parts, in this order."""

    parts: tuple[Block, ...]


@frozen
class OneOf:
    """The one option that the user chooses."""

    options: tuple[Block, ...]


@frozen
class AtLeast:
    """*count* of the options, in the order that the user chooses."""

    count: int
    options: tuple[Block, ...]


@frozen
class Fallback:
    """The parts in this order, each only when the one before has failed: tries used up, or not to be asked."""

    parts: tuple[Block, ...]


@frozen
class When:
    """One block or the other, by a condition. Without *otherwise*: nothing is asked when the condition does not hold."""

    condition: Condition
    then: Block
    otherwise: Block | None


@frozen
class Named:
    """A kind under another name than its own."""

    name: str
    kind: Kind


Block: TypeAlias = Kind | HostRun | InSequence | OneOf | AtLeast | Fallback | When | Named


def sequence(*parts: Block) -> InSequence:
    """Return the block that asks for all *parts*, in this order."""
    return InSequence(_blocks("sequence", parts))


def one_of(*options: Block) -> OneOf:
    """Return the block that asks for one of *options*: the user chooses, and the first answered round pins the choice."""
    return OneOf(_blocks("one_of", options))


def all_of(*options: Block) -> AtLeast:
    """Return the block that asks for all *options*, in the order that the user chooses."""
    options = _blocks("all_of", options)
    return AtLeast(len(options), options)


def at_least(count: int, *options: Block) -> AtLeast:
    """Return the block that asks for *count* of *options*, in the order that the user chooses."""
    options = _blocks("at_least", options)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(options):
        raise ConfigurationError(
            f"at_least: {count!r} of {len(options)} cannot be asked: the count is 1 to {len(options)}"
        )
    return AtLeast(count, options)


def fallback(*parts: Block) -> Fallback:
    """Return the block that asks for the next of *parts* only when the one before has failed.

    It has when its tries are used up, or when it cannot be asked: its courier is down, or its message budget is empty.
    """
    return Fallback(_blocks("fallback", parts))


def when(condition: Condition, then: Block, otherwise: Block | None = None) -> When:
    """Return the block that asks for *then* if *condition* holds, else for *otherwise*.

    Without *otherwise* it stands directly in a `sequence` only: no other block may pass without a round.
    """
    if not isinstance(condition, AttributeCondition | ClientCondition):
        raise ConfigurationError(f"when: {condition!r} is no condition: use attribute(name, value) or client(id)")
    _blocks("when", (then,) if otherwise is None else (then, otherwise))
    return When(condition, then, otherwise)


def named(name: str, kind: Kind) -> Named:
    """Return the step of *kind* under *name*, which must differ from every other step's in the flow."""
    if not is_kind(kind):
        raise ConfigurationError(f"named({name!r}, …): only a kind of challenge can be named, this is {kind!r}")
    return Named(name, kind)


def attribute(name: str, value: str) -> AttributeCondition:
    """Return the condition that the user's attribute *name*, such as ``custom:tier``, is exactly *value*.

    Take no attribute that users can change, see `watchword.algebra.attributes`: then they choose for themselves.
    """
    if not (isinstance(name, str) and name and isinstance(value, str)):
        raise ConfigurationError("attribute(name, value) takes two texts, such as attribute('custom:tier', 'gold')")
    return AttributeCondition(name, value)


def client(id: str) -> ClientCondition:  # noqa: A002 - the user's word
    """Return the condition that the sign-in comes through the app client *id*."""
    if not (isinstance(id, str) and id):
        raise ConfigurationError("client(id) takes the id of an app client")
    return ClientCondition(id)


def children(block: Block) -> tuple[Block, ...]:
    """Return the blocks that *block* is made of, in the order in which they are written; a kind is made of none."""
    match block:
        case InSequence(parts) | Fallback(parts) | OneOf(parts) | AtLeast(_, parts):
            return parts
        case When(_, then, otherwise):
            return (then,) if otherwise is None else (then, otherwise)
        case Named(_, kind):
            return (kind,)
        case _:
            return ()


def kinds_in(block: Block) -> tuple[Kind | HostRun, ...]:
    """Return every kind in *block*, those that the host runs too, in the order in which they are written."""
    if isinstance(block, InSequence | Fallback | OneOf | AtLeast | When | Named):
        return tuple(kind for each in children(block) for kind in kinds_in(each))
    return (block,)


def map_kinds(block: Block, change: Callable[[Kind], Kind]) -> Block:
    """Return *block* with each kind replaced by *change* of it. Kinds that the host runs stay."""

    def changed(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(map_kinds(each, change) for each in blocks)

    match block:
        case InSequence(parts) | Fallback(parts):
            return evolve(block, parts=changed(parts))
        case OneOf(options) | AtLeast(_, options):
            return evolve(block, options=changed(options))
        case When(condition, then, otherwise):
            return When(condition, map_kinds(then, change), None if otherwise is None else map_kinds(otherwise, change))
        case Named(name, kind):
            return Named(name, change(kind))
        case _:
            return block if is_host_run(block) else change(block)


def _blocks(word: str, parts: tuple[Block, ...]) -> tuple[Block, ...]:
    if not parts:
        raise ConfigurationError(f"{word}() is empty: give it a block at least")
    for part in parts:
        if isinstance(part, type):
            raise ConfigurationError(f"{word}: {part.__name__} is a class: write {part.__name__}()")
        of_blocks = isinstance(part, InSequence | OneOf | AtLeast | Fallback | When | Named)
        if not (of_blocks or is_kind(part) or is_host_run(part)):
            lacking = ", ".join(lacked_by_kind(part))
            if lacking:
                raise ConfigurationError(
                    f"{word}: {type(part).__name__} has no {lacking}: a kind has kind, proves, create and verify"
                )
            raise ConfigurationError(f"{word}: {part!r} is no block: use a kind, or sequence, one_of, all_of, …")
    return parts


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
    _blocks("Flow", (block,))
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
