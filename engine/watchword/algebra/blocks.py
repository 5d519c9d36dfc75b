"""The blocks of a flow: the values that it is built of, and the functions that make them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias, cast

from attrs import evolve, frozen

from watchword.contract.kinds import HostRun, Kind
from watchword.contract.powers import is_host_run, is_kind, lacked_by_kind, powers_of
from watchword.errors import ConfigurationError

STEP_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}", re.ASCII)


@frozen
class AttributeCondition:
    """The condition that the user's attribute *name* is *value*."""

    name: str
    value: str


@frozen
class ClientCondition:
    """The condition that the sign-in comes through the app client *id*."""

    id: str


@frozen
class EnrolledCondition:
    """The condition that the user has a credential of the kind named *kind*."""

    kind: str


Condition: TypeAlias = AttributeCondition | ClientCondition | EnrolledCondition


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
class Enrol:
    """A step that enrols a credential of *kind*, or asks for one if the user has one."""

    kind: Kind


@frozen
class Named:
    """A kind, or its enrolment, under another name than its own."""

    name: str
    kind: Kind | Enrol


@frozen
class AskFirst:
    """A step that is presented only after the client has chosen it, or has answered a select round that names it alone."""

    step: Kind | Named


Combination: TypeAlias = InSequence | OneOf | AtLeast | Fallback | When | Named | Enrol | AskFirst
Block: TypeAlias = Kind | HostRun | Combination


def sequence(*parts: Block) -> InSequence:
    """Return the block that asks for all *parts*, in this order."""
    return InSequence(expect_blocks("sequence", parts))


def one_of(*options: Block) -> OneOf:
    """Return the block that asks for one of *options*: the user chooses, and the first answered round pins the choice."""
    return OneOf(expect_blocks("one_of", options))


def all_of(*options: Block) -> AtLeast:
    """Return the block that asks for all *options*, in the order that the user chooses."""
    options = expect_blocks("all_of", options)
    return AtLeast(len(options), options)


def at_least(count: int, *options: Block) -> AtLeast:
    """Return the block that asks for *count* of *options*, in the order that the user chooses."""
    options = expect_blocks("at_least", options)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(options):
        raise ConfigurationError(
            f"at_least: {count!r} of {len(options)} cannot be asked: the count is 1 to {len(options)}"
        )
    return AtLeast(count, options)


def fallback(*parts: Block) -> Fallback:
    """Return the block that asks for the next of *parts* only when the one before has failed.

    It has when its tries are used up, or when it cannot be asked: its courier is down, or its message budget is empty.
    """
    return Fallback(expect_blocks("fallback", parts))


def when(condition: Condition, then: Block, otherwise: Block | None = None) -> When:
    """Return the block that asks for *then* if *condition* holds, else for *otherwise*.

    Without *otherwise* it stands directly in a `sequence` only: no other block may pass without a round.
    """
    if not isinstance(condition, Condition):
        raise ConfigurationError(
            f"when: {_called(condition)} is no condition: use attribute(name, value), client(id) or enrolled(kind)"
        )
    expect_blocks("when", (then,) if otherwise is None else (then, otherwise))
    return When(condition, then, otherwise)


def named(name: str, kind: Kind | Enrol) -> Named:
    """Return the step of *kind* under *name*, which must differ from every other step's in the flow.

    *kind* may be `enrol` of a kind.
    """
    if not (isinstance(kind, Enrol) or is_kind(kind)):
        raise ConfigurationError(f"named({name!r}, …): only a kind of challenge can be named, this is {_called(kind)}")
    return Named(name, kind)


def enrol(kind: Kind) -> Enrol:
    """Return the step that enrols a credential of *kind*; it is named ``enrol_`` and the kind's name, or as `named` says.

    Who has a credential of the kind already is asked for that. Either way the step proves nothing. A factor must be proven
    before it on every path.
    """
    expect_blocks("enrol", (kind,))
    if not is_kind(kind):
        raise ConfigurationError(f"enrol: only a kind of challenge can be enrolled, this is {_called(kind)}")
    if not powers_of(kind).enrols:
        raise ConfigurationError(
            f"enrol: the kind {kind.kind!r} enrols nothing: it has no begin and complete; write it as a step of its own"
        )
    return Enrol(kind)


def ask_first(step: Kind | Named) -> AskFirst:
    """Return the block that asks for *step*, but asks the client first, in a select round with this one option.

    Whatever the client answers there, the step comes next. No such round comes where the client has chosen the step in the
    round before. So nothing goes out that nobody has asked for, and a client can say something before a message is made.
    """
    if not (isinstance(step, Named) or is_kind(step)):
        raise ConfigurationError(
            f"ask_first: {_called(step)} is no step: give it a kind of challenge, or named('…', …)"
        )
    return AskFirst(step)


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


def enrolled(kind: str) -> EnrolledCondition:
    """Return the condition that the user has a credential of the kind named *kind*.

    The first Create of a sign-in reads whether it holds, and it stays so until the sign-in is over. A factor must be
    proven before it is asked on every path: strangers would learn who has enrolled what.
    """
    if not (isinstance(kind, str) and STEP_NAME.fullmatch(kind)):
        given = kind if isinstance(kind, str) else "something of another type"
        raise ConfigurationError(f"enrolled({given!r}) takes the name of a kind, such as enrolled('totp')")
    return EnrolledCondition(kind)


def children(block: Block) -> tuple[Block, ...]:
    """Return the blocks that *block* is made of, in the order in which they are written; a kind is made of none."""
    match block:
        case InSequence(parts) | Fallback(parts) | OneOf(parts) | AtLeast(_, parts):
            return parts
        case When(_, then, otherwise):
            return (then,) if otherwise is None else (then, otherwise)
        case Named(_, kind) | Enrol(kind):
            return (kind,)
        case AskFirst(step):
            return (step,)
        case _:
            return ()


def kinds_in(block: Block) -> tuple[Kind | HostRun, ...]:
    """Return every kind in *block*, those that the host runs too, in the order in which they are written."""
    if isinstance(block, Combination):
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
            return Named(name, Enrol(change(kind.kind)) if isinstance(kind, Enrol) else change(kind))
        case Enrol(kind):
            return Enrol(change(kind))
        case AskFirst(step):
            return AskFirst(cast("Kind | Named", map_kinds(step, change)))
        case _:
            return block if is_host_run(block) else change(block)


def expect_blocks(word: str, parts: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return *parts*, if all are blocks and there is one at least; *word* names the block that they are parts of.

    Raises:
        ConfigurationError: if they are not.
    """
    if not parts:
        raise ConfigurationError(f"{word}() is empty: give it a block at least")
    for part in parts:
        if isinstance(part, type):
            raise ConfigurationError(f"{word}: {part.__name__} is a class: write {part.__name__}()")
        of_blocks = isinstance(part, Combination)
        if not (of_blocks or is_kind(part) or is_host_run(part)):
            lacking = ", ".join(lacked_by_kind(part))
            if lacking:
                raise ConfigurationError(
                    f"{word}: {type(part).__name__} has no {lacking}: a kind has kind, proves, create and verify"
                )
            raise ConfigurationError(f"{word}: {_called(part)} is no block: use a kind, or sequence, one_of, all_of, …")
    return parts


def _called(given: object) -> str:
    """Return what *given* is called where a flow is written: in a message nobody wants to read all settings of all parts."""
    match given:
        case InSequence() | OneOf() | AtLeast() | Fallback() | When() | Named() | AskFirst():
            return f"{_WORDS[type(given)]}(…)"
        case Enrol(kind):
            return f"enrol({type(kind).__name__}(…))"
        case _ if isinstance(given, type):
            return given.__name__
        case _ if is_kind(given) or is_host_run(given):
            return f"{type(given).__name__}(…)"
        case _:
            return repr(given)[:80]


_WORDS = {
    InSequence: "sequence",
    OneOf: "one_of",
    AtLeast: "at_least",
    Fallback: "fallback",
    When: "when",
    Named: "named",
    AskFirst: "ask_first",
}
