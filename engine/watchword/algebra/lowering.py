"""The translation of blocks into steps, conditions and the nested tuples that `derivative` interprets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import (
    STEP_NAME,
    AskFirst,
    AtLeast,
    AttributeCondition,
    Block,
    ClientCondition,
    Condition,
    Enrol,
    EnrolledCondition,
    Fallback,
    InSequence,
    Named,
    OneOf,
    When,
    expect_blocks,
    kinds_in,
)
from watchword.contract.kinds import Factor, HostRun, Kind
from watchword.contract.powers import Powers, is_host_run, powers_of
from watchword.errors import ConfigurationError

MESSAGES = 3
"""How many messages one step sends in one sign-in: the first, and two that the client asks for."""


@frozen
class Step:
    """One named challenge of a flow: its *kind*, and the *powers* that were read of it when the flow was made.

    A step that *enrols* asks for a credential of the kind only if the user has one; else the user enrols one.
    """

    name: str
    kind: Kind
    powers: Powers = field(eq=False, repr=False)
    enrols: bool = False

    @property
    def proves(self) -> frozenset[Factor]:
        """The factors that a right answer proves: none if it *enrols*, since whoever came so far can enrol."""
        return frozenset[Factor]() if self.enrols else self.kind.proves

    @property
    def attempts(self) -> int:
        """Tries in one sign-in."""
        return self.powers.attempts

    @property
    def lifetime(self) -> int:
        """Seconds for an answer."""
        return self.powers.lifetime

    @property
    def offered(self) -> bool:
        """Whether a client may answer the step in a select round: a link only where it signs in anywhere."""
        return self.powers.offers and not self.enrols and self.powers.opens in {"", "anywhere"}


@frozen(eq=False, repr=False)
class Lowered:
    """A block, lowered: its steps by name, its conditions in order, its body."""

    steps: Mapping[str, Step]
    conditions: tuple[tuple[str, ...], ...]
    body: derivative.Body


def lower(block: Block) -> Lowered:
    """Lower *block*.

    Raises:
        ConfigurationError: if two steps share a name, `Srp`, `enrol` or `enrolled` stands where it cannot, or something
            could pass unasked.
    """
    expect_blocks("Flow", (block,))
    lowering = _Lowering()
    body = lowering.lower(block, head=True, skippable=False)
    undecided = _after(block, _Before()).undecided
    if undecided:
        raise ConfigurationError(
            f"when(enrolled({undecided!r}), …): if it does not hold, the flow could be passed before Watchword has asked "
            "anything, and only then it can look up what is enrolled: give it an otherwise=, or put a step behind it"
        )
    return Lowered(lowering.steps, tuple(lowering.conditions), body)


@frozen(eq=False, repr=False)
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
            case Enrol(kind):
                return self._step(f"enrol_{kind.kind}", block)
            case AskFirst(step):
                return ("ask", *self.lower(step, head=False, skippable=False)[1:])
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
        lowered = condition_as_tuple(condition)
        if lowered not in self.conditions:
            self.conditions.append(lowered)
        yes = self.lower(then, head=head, skippable=False)
        no = derivative.PASSED if otherwise is None else self.lower(otherwise, head=head, skippable=False)
        return ("when", self.conditions.index(lowered), yes, no)

    def _step(self, name: str, asked: Kind | Enrol) -> derivative.Body:
        enrols = isinstance(asked, Enrol)
        kind = asked.kind if isinstance(asked, Enrol) else asked
        check_name("step", name)
        check_name("kind", kind.kind)
        if name in self.steps:
            raise ConfigurationError(f"two steps are named {name!r}: give one another name with named('…', …)")
        powers = powers_of(kind)
        if powers.links and not powers.sends:
            raise ConfigurationError(
                f"kind {kind.kind!r} has redirects and opens but no channel: a link goes out in a message"
            )
        if powers.offers and powers.sends and not powers.links:
            raise ConfigurationError(
                f"kind {kind.kind!r} has both offer and channel: an offer has no message, so take one of them away"
            )
        self.steps[name] = Step(name, kind, powers, enrols)
        return ("step", name, powers.attempts, derivative.REQUESTS)


@frozen(eq=False, repr=False)
class _Before:
    """What holds on every path to a place in a flow.

    A factor is *proven*; a step of the flow's own was *asked*; a round was *begun* that the flow asked for itself, a choice or a
    step. If *undecided* names a kind, the user may have come there because nothing of that kind is enrolled, and nothing was asked,
    so that nobody has looked up whether it is.
    """

    proven: bool = False
    asked: bool = False
    begun: bool = False
    undecided: str = ""


def _after(block: Block, before: _Before) -> _Before:
    """Return what holds once *block* is passed, by every path through it.

    Raises:
        ConfigurationError: if it enrols, or asks what is enrolled, where no factor is proven.
    """
    match block:
        case InSequence(parts):
            for part in parts:
                before = _after(part, before)
            return before
        case Fallback(options):
            # What comes in place of the first comes behind a round of it, if only one that says that it cannot be asked.
            later = evolve(before, begun=True)
            return _either(_after(option, later if place else before) for place, option in enumerate(options))
        case OneOf(options):
            chosen = _with_choice(options, before)
            return _either(_after(option, chosen) for option in options)
        case AtLeast(count, options):
            chosen = _with_choice(options, before)
            passed = [_after(option, chosen) for option in options]
            return _Before(before.proven or sum(not each.proven for each in passed) < count, asked=True, begun=True)
        case When(condition, then, otherwise):
            left_out = before
            if isinstance(condition, EnrolledCondition):
                _expect_proof(
                    f"when(enrolled({condition.kind!r}), …): strangers would learn who has enrolled it", before
                )
                left_out = before if before.asked else evolve(before, undecided=condition.kind)
            return _either((_after(then, before), _after(otherwise, before) if otherwise else left_out))
        case Enrol(kind):
            _expect_proof(f"enrol({type(kind).__name__}()): strangers would enrol for a user", before)
            return _Before(before.proven, asked=True, begun=True)
        case Named(_, inner):
            return _after(inner, before)
        case AskFirst(inner):
            return _after(inner, evolve(before, begun=True))
        case _:
            if is_host_run(block):
                return _Before(proven=True)  # it comes before everything else
            if powers_of(block).links and not before.begun:
                raise ConfigurationError(
                    f"{type(block).__name__}(…): a link is good in the sign-in that asked for it, and there is none yet when a "
                    f"flow begins with it: write ask_first({type(block).__name__}(…)), in TOML "
                    f'ask_first = {{ kind = "{block.kind}", … }}, or put another step or a choice before it'
                )
            return _Before(before.proven or bool(block.proves), asked=True, begun=True)


def _with_choice(options: tuple[Block, ...], before: _Before) -> _Before:
    """Return what holds where one of *options* begins. Who signs in without a password is not offered those that begin with it."""
    asks = sum(not any(map(is_host_run, kinds_in(option))) for option in options) > 1
    return evolve(before, begun=before.begun or asks)


def _either(passed: Iterable[_Before]) -> _Before:
    ways = tuple(passed)
    undecided = next((each.undecided for each in ways if each.undecided), "")
    proven, asked, begun = (all(getattr(each, name) for each in ways) for name in ("proven", "asked", "begun"))
    return _Before(proven, asked, begun, undecided)


def _expect_proof(what: str, before: _Before) -> None:
    if not before.proven:
        raise ConfigurationError(
            f"{what}, unless a factor is proven before it on every path: put a step that proves one, or Srp(), before it"
        )


def condition_as_tuple(condition: Condition) -> tuple[str, ...]:
    """Return *condition* as `derivative` reads it."""
    match condition:
        case AttributeCondition(name, value):
            return ("attribute", name, value)
        case ClientCondition(id_):
            return ("client", id_)
        case EnrolledCondition(kind):
            return ("enrolled", kind)
        case _:
            assert_never(condition)


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
