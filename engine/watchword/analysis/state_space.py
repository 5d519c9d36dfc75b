"""Explore every state of a flow: each answer right or wrong, each resend request, choice and condition."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import TypeAlias

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.flow import Flow, ReadRound, Use, expect_flow
from watchword.algebra.session_notation import format_round
from watchword.errors import ConfigurationError

MAX_STATES = 1_000_000
_PROGRESS_EVERY = 20_000

_HOST_ROUNDS = (derivative.NEW_PASSWORD, *derivative.SRP_ROUNDS)

# In these phases only the flow says what may come: the client has opened, and the host adds no round of its own.
_FLOW_ALONE = (derivative.OPEN, derivative.CUSTOMISED)
_WRAPPERS = ("sequence", "fallback", "chosen")

RoundTuple = tuple[str, str, Use, bool]
_Surroundings: TypeAlias = tuple[object, ...]
_Given: TypeAlias = tuple[RoundTuple, ReadRound]
_Follower: TypeAlias = tuple[ReadRound, int]


@contextmanager
def collector_paused() -> Generator[None, None, None]:
    """Pause Python's garbage collector: it would look at all states again and again, and all are kept."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            # The collector would look at everything that was made as soon as it is back. To freeze and unfreeze moves
            # it to the oldest generation instead. What the program has frozen itself would be thawed by this.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@frozen
class Exploration:
    """What `explore` found.

    *states* are in the order of their distance from a beginning; *onward* holds for each the rounds that may follow
    and the numbers of the states to which they lead; *beginnings* gives for each outcome of the conditions where the
    sign-in begins. *came_from* is for each state a shortest way back: the state before it and the round between.
    """

    flow: Flow
    states: tuple[derivative.State, ...] = field(repr=False)
    onward: tuple[tuple[_Follower, ...], ...] = field(repr=False)
    beginnings: tuple[tuple[tuple[bool, ...], int], ...]
    came_from: tuple[tuple[int, ReadRound] | None, ...] = field(repr=False)

    @property
    def transitions(self) -> int:
        """How many rounds lead from state to state."""
        return sum(map(len, self.onward))

    def shortest(self, state: int) -> tuple[str, ...]:
        """Return the shortest session, in words, that leads to *state*."""
        words: list[str] = []
        step = self.came_from[state]
        while step is not None:
            words.append(format_round(step[1]))
            step = self.came_from[step[0]]
        return tuple(reversed(words))

    def outcomes_at(self, state: int) -> tuple[bool, ...]:
        """Return outcomes of the conditions for which the shortest session that leads to *state* begins."""
        step = self.came_from[state]
        while step is not None:
            state = step[0]
            step = self.came_from[state]
        return next(outcomes for outcomes, number in self.beginnings if number == state)

    def forwards(self) -> list[int]:
        """Return the states in an order in which each comes after all that lead to it."""
        waiting = [0] * len(self.states)
        for followers in self.onward:
            for _, target in followers:
                waiting[target] += 1
        ready = [number for number, count in enumerate(waiting) if not count]
        # Every round uses something up, so no state comes back: each is ready when all that lead to it are done.
        for number in ready:
            for _, target in self.onward[number]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        return ready

    def longest(self) -> int:
        """Return the number of rounds in the longest path from a beginning to an end."""
        depth = [0] * len(self.states)
        for number in self.forwards():
            for _, target in self.onward[number]:
                depth[target] = max(depth[target], depth[number] + 1)
        return max(depth)

    def passed(self) -> Iterator[int]:
        """Give the states in which the flow is passed."""
        return (number for number, state in enumerate(self.states) if state[0] == derivative.PASSED)


@collector_paused()
def explore(flow: Flow, *, limit: int = MAX_STATES, progress: Callable[[int], None] | None = None) -> Exploration:
    """Walk every reachable state of *flow*; equal states merge.

    The rounds that a host puts in by itself (MFA, devices) change nothing of what is left to do and are left out.

    *limit* is the most states to walk (a million); *progress* is called with their number now and then.

    Raises:
        ConfigurationError: if there are more states than *limit*.
    """
    expect_flow(flow)
    walk = _Walk(flow, limit)
    beginnings: list[tuple[tuple[bool, ...], int]] = []
    for outcomes in every_outcome(flow):
        if len(beginnings) >= limit:
            raise _too_many(flow, limit, "outcomes of its conditions: ask by fewer attributes")
        beginnings.append((outcomes, walk.number_of(derivative.begin(flow.program, outcomes), None)))
    onward: list[tuple[_Follower, ...]] = []
    for number, _ in enumerate(walk.states):  # which grows while it is walked
        onward.append(walk.onward(number))
        if progress is not None and len(onward) % _PROGRESS_EVERY == 0:
            progress(len(onward))
    return Exploration(flow, tuple(walk.states), tuple(onward), tuple(beginnings), tuple(walk.came_from))


class _Walk:
    """The states found so far, numbered, and where rounds led from them.

    It takes long to derive a whole body and to look it up. But a round changes only the step or the choice that is
    awaited, and not the rest of the body, its surroundings. In the same surroundings,

    * rounds that leave the same of a step lead to the same state;
    * an answer to a choice leads to the same state, whatever was asked or shown before.

    So the walk remembers where these led, and derives only what it has not met.
    """

    def __init__(self, flow: Flow, limit: int) -> None:
        self.states: list[derivative.State] = []
        self.came_from: list[tuple[int, ReadRound] | None] = []
        self._flow, self._limit = flow, limit
        self._numbers: dict[derivative.State, int] = {}
        self._following = _Following(sending_steps(flow), flow.offered)
        self._left: defaultdict[_Surroundings, dict[derivative.Body, int]] = defaultdict(dict)
        self._answered: dict[_Surroundings, tuple[_Follower, ...]] = {}

    def number_of(self, state: derivative.State, way: tuple[int, ReadRound] | None) -> int:
        """Return the number of *state*, to which *way* leads."""
        number = self._numbers.setdefault(state, len(self.states))
        if number == len(self.states):
            if number >= self._limit:
                raise _too_many(self._flow, self._limit, "states: let users choose among fewer")
            self.states.append(state)
            self.came_from.append(way)
        return number

    def onward(self, number: int) -> tuple[_Follower, ...]:
        """Return the rounds that may follow the state of this *number*, and where each leads."""
        state = self.states[number]
        if state[2] not in _FLOW_ALONE:
            return self._after_each(number, self._following[_awaited(state)])
        part, around = _parted(state)
        if part[0] == "step":
            return self._after_step(number, part, around)
        if part[0] == "choose":
            return self._after_choice(number, around)
        return self._after_each(number, self._following[_awaited(state)])

    def _after_each(self, number: int, rounds: tuple[_Given, ...]) -> tuple[_Follower, ...]:
        state = self.states[number]
        return tuple((read, self.number_of(derivative.after(state, *given), (number, read))) for given, read in rounds)

    def _after_step(self, number: int, step: derivative.Body, around: _Surroundings) -> tuple[_Follower, ...]:
        left = self._left[around]
        followers: list[_Follower] = []
        for given, read, then in self._following.what_is_left_of(step):
            target = left.get(then)
            if target is None:
                left[then] = target = self.number_of(derivative.after(self.states[number], *given), (number, read))
            followers.append((read, target))
        return tuple(followers)

    def _after_choice(self, number: int, around: _Surroundings) -> tuple[_Follower, ...]:
        names = _awaited(self.states[number])
        answers = self._following[names[:-1] if names[-1] == derivative.SELECT else names]
        answered = self._answered.get(around)
        if answered is None:
            self._answered[around] = answered = self._after_each(number, answers)
        return answered + self._after_each(number, self._following[names][len(answers) :])


def _parted(state: derivative.State) -> tuple[derivative.Body, _Surroundings]:
    """Return the step or the choice that *state* waits for, and what has no part in an answer to it."""
    part, unwanted, phase, hosts = state
    around: _Surroundings = (unwanted, phase, hosts)
    while part[0] in _WRAPPERS:
        if part[0] == "chosen":
            _, need, inner, rest, requests = part
            around = (around, need, rest, requests)
        else:
            tag, inner, rest = part
            around = (around, tag, rest)
        part = inner
    if part[0] == "choose":
        _, need, options, _, _, requests = part
        around = (around, need, options, requests)
    return part, around


class _Following(dict[tuple[str, ...], tuple[_Given, ...]]):
    """The rounds that may follow where these names are awaited: few combinations, each of which many states share."""

    def __init__(self, sending: Collection[str], offered: Collection[str]) -> None:
        super().__init__()
        self._sending, self._offered = sending, offered
        self._reads: dict[RoundTuple, ReadRound] = {}
        self._left: dict[derivative.Body, tuple[tuple[RoundTuple, ReadRound, derivative.Body], ...]] = {}

    def __missing__(self, awaited: tuple[str, ...]) -> tuple[_Given, ...]:
        rounds = _rounds_of_each(awaited, self._sending, self._offered)
        self[awaited] = found = tuple((given, self._reads.setdefault(given, ReadRound(*given))) for given in rounds)
        return found

    def what_is_left_of(self, step: derivative.Body) -> tuple[tuple[RoundTuple, ReadRound, derivative.Body], ...]:
        """Return the rounds that may follow where *step* is awaited, and what each leaves of it."""
        left = self._left.get(step)
        if left is None:
            rounds = self[(step[1],)]
            left = tuple((given, read, derivative.step_body(step, *given[1:])) for given, read in rounds)
            self._left[step] = left
        return left


def _too_many(flow: Flow, limit: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"flow {flow.name!r} has more than {limit} {what}, or raise the limit")


def every_outcome(flow: Flow) -> Iterator[tuple[bool, ...]]:
    """Give every combination of the outcomes of *flow*'s conditions that can occur, none of them holding first."""
    return every_outcome_of(flow.conditions)


def every_outcome_of(conditions: Sequence[tuple[str, ...]]) -> Iterator[tuple[bool, ...]]:
    """Give every combination of the outcomes of *conditions* that can occur.

    An attribute has one value and a sign-in one app client, so of several conditions on the same one at most one holds.
    A user may have enrolled any kinds.
    """
    subjects: dict[tuple[str, ...], list[int]] = {}
    for place, condition in enumerate(conditions):
        subjects.setdefault(condition if condition[0] == "enrolled" else condition[:-1], []).append(place)
    held = product(*((-1, *places) for places in reversed(subjects.values())))
    return (tuple(place in places for place in range(len(conditions))) for places in held)


def sending_steps(flow: Flow) -> frozenset[str]:
    """Return the names of the steps of *flow* that send a message: these may turn out to be impossible to ask."""
    return frozenset(step.name for step in flow.steps.values() if step.powers.sends)


def upcoming(state: derivative.State) -> tuple[str, ...]:
    """Return the names of the rounds that may come next, as far as the flow asks for them."""
    body = body_at(state)
    return derivative.heads(body) if body else ()


def must_choose(state: derivative.State) -> bool:
    """Say whether the client must choose what comes next, or answer a select round first."""
    body = body_at(state)
    return bool(body) and derivative.head(body)[0] in {"choose", "ask"} and derivative.shown(body) is None


def body_at(state: derivative.State) -> derivative.Body:
    """Return what is left in *state* if the client goes on as it is; nothing if it cannot."""
    body = derivative.without_srp(state[0]) if state[2] == derivative.CLOSED else state[0]
    return body or ()


def next_rounds(state: derivative.State, sending: Collection[str], offered: Collection[str]) -> tuple[RoundTuple, ...]:
    """Return every round that a truthful host could add to *state*: (name, step, use, right).

    *sending* are the steps that send, see `sending_steps`: in any state their courier may be down, or their budget empty.
    *offered* are those that a select round offers.
    """
    return _rounds_of_each(_awaited(state), sending, offered)


def _awaited(state: derivative.State) -> tuple[str, ...]:
    """Return the names of the steps and of the host's rounds that may come in *state*."""
    body, unwanted, phase, hosts = state
    early: tuple[str, ...] = ()
    if (
        phase == derivative.PROVEN
        and derivative.NEW_PASSWORD not in hosts
        and body not in (derivative.FAILED, derivative.BROKEN)
    ):
        early = (derivative.NEW_PASSWORD,)
    if body in derivative.ENDS:
        return early
    free: derivative.Body | None = body
    if phase == derivative.CLOSED:
        if derivative.SRP_A in derivative.heads(body) or unwanted == "ignore":
            early = (derivative.SRP_A,)
        free = derivative.without_srp(body)
    if free is None:
        return early
    names = derivative.heads(free)
    if derivative.shown(free) is None and derivative.asks(free):
        return (*early, *names, derivative.SELECT)
    return early + names


def _rounds_of_each(
    awaited: tuple[str, ...], sending: Collection[str], offered: Collection[str]
) -> tuple[RoundTuple, ...]:
    """Return the rounds by which those that are *awaited* may come, with each right answer just before the wrong one."""
    asked = tuple(given for name in awaited for given in _rounds_of(name, sending))
    answered = [name for name in awaited if name in offered] if awaited[-1:] == (derivative.SELECT,) else []
    rounds: list[RoundTuple] = [
        (derivative.CUSTOM, name, "offered", right) for name in answered for right in (True, False)
    ]
    return asked + tuple(rounds)


def _rounds_of(name: str, sending: Collection[str]) -> tuple[RoundTuple, ...]:
    """Return the rounds by which *name*, which is awaited, may come."""
    if name in _HOST_ROUNDS:
        return ((name, "", "answer", True),)
    if name == derivative.SELECT:
        return ((derivative.CUSTOM, name, "choice", False),)
    asked: tuple[tuple[Use, bool], ...] = (("answer", True), ("answer", False), ("resend", False))
    unasked: tuple[tuple[Use, bool], ...] = (("unasked", False),) if name in sending else ()
    return tuple((derivative.CUSTOM, name, use, right) for use, right in asked + unasked)
