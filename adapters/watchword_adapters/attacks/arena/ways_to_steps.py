"""Find the ways to each step of a flow: for which user and client, and by which answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from operator import eq
from typing import Literal

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.flow import Decision, Flow, IssueTokens, Present, ReadRound
from watchword.algebra.lowering import Step
from watchword.analysis.state_space import every_outcome
from watchword.contract.kinds import Kind
from watchword.testing.requests import NOBODY
from watchword_adapters.attacks.arena.kind_probe import Probe, probed

Move = tuple[Literal["srp", "password", "choose", "right", "wrong"], str]

APP = "4f8k2m9q1r7s3t5v6w0x2y4z8a"
_MOST_SCENES = 4
_MOST_OUTCOMES = 64
_MOST_STATES = 4000


@frozen
class Circumstances:
    """Who signs in where: *attributes* and the app *client* decide the flow's conditions. *moves* pass the flow.

    *denied* are the values that attributes must not have, since the conditions on them do not hold. *enrolled* are the kinds for
    which they have enrolled.
    """

    number: int
    attributes: Mapping[str, str]
    client: str
    outcomes: tuple[bool, ...]
    moves: tuple[Move, ...]
    denied: tuple[tuple[str, str], ...] = ()
    enrolled: frozenset[str] = frozenset()

    def of(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes of somebody in this scene who has *own* ones otherwise."""
        held = {**own, **self.attributes}
        for name, value in self.denied:
            if held.get(name) == value:
                held[name] = "false" if value == "true" else f"other.{value}"
        return held

    @property
    def plain(self) -> bool:
        """Whether the app client is an ordinary one, so that every host can play the scene."""
        return self.client == APP


@frozen
class AttackTarget:
    """A step, and the *moves* that lead from the beginning to its first challenge, past *proven* factors.

    *charged* says whether guesses at it are charged to a budget: none are at a puzzle, and at what nobody can guess. *draws*
    says whether each challenge asks for another answer, *common* whether somebody unknown can answer rightly as well. *enrolling* says
    whether the challenge is the beginning of an enrolment, *works* whether it asks for work by the protocol of ALTCHA.
    """

    step: Step
    scene: Circumstances = field(repr=False)
    moves: tuple[Move, ...]
    proven: int = 0
    charged: bool = True
    draws: bool = True
    common: bool = True
    enrolling: bool = False
    works: bool = False

    @property
    def sends(self) -> bool:
        """Whether its challenge goes out as a message."""
        return self.step.powers.sends

    @property
    def offered(self) -> bool:
        """Whether it can be answered in the choice that leads to it."""
        return self.step.offered and self.moves[-1:] == (("choose", self.step.name),)

    @property
    def emails(self) -> bool:
        """Whether it goes out by e-mail: another channel has neither headers nor addresses of that form."""
        return self.step.powers.channel == "email"

    @property
    def texts(self) -> bool:
        """Whether it goes out by SMS, to a telephone number."""
        return self.step.powers.channel == "sms"

    @property
    def wants_token(self) -> bool:
        """Whether an answer comes with an access token."""
        return self.step.powers.with_token

    @property
    def puzzles(self) -> bool:
        """Whether it is a puzzle: sends nothing and proves nothing."""
        return not self.sends and not self.step.kind.proves

    @property
    def held(self) -> bool:
        """Whether it asks for what the user has enrolled."""
        return bool(self.step.powers.remembers) and not self.enrolling

    @property
    def open(self) -> bool:
        """Whether somebody who does not exist comes as far: by no attribute (see WW202), with nothing enrolled, and past no factor of a kind."""
        return self.proven == 0 and not self.scene.attributes and not self.scene.enrolled

    @property
    def srp(self) -> bool:
        """Whether a password comes first."""
        return ("srp", "") in self.moves


def circumstances_of(flow: Flow) -> Iterator[Circumstances]:
    """Give a scene for each way in which the conditions of *flow* may hold: a few, and whatever reaches another step."""
    reached: set[str] = set()
    for number, (outcomes, enrolled) in enumerate(islice(_outcomes(flow), _MOST_OUTCOMES)):
        attributes: dict[str, str] = {}
        denied: list[tuple[str, str]] = []
        client = APP
        for condition, holds in zip(flow.conditions, outcomes, strict=True):
            if condition[0] == "client":
                client = condition[1] if holds else client
            elif holds and condition[0] == "attribute":
                attributes[condition[1]] = condition[2]
            elif condition[0] == "attribute":
                denied.append((condition[1], condition[2]))
        state = flow.given(*outcomes)
        moves = _moves(state, lambda decision: isinstance(decision, IssueTokens))
        more = {
            name
            for name in flow.steps
            if _named(flow, name, enrolled) not in reached and _moves(state, partial(eq, Present(name)))
        }
        if moves is not None and (number < _MOST_SCENES or more):
            reached |= {_named(flow, name, enrolled) for name in more}
            yield Circumstances(number, attributes, client, outcomes, moves, tuple(denied), enrolled)


def steps_in(flow: Flow, scene: Circumstances) -> frozenset[str]:
    """Return the steps of *flow* that can be asked for in *scene*."""
    state = flow.given(*scene.outcomes)
    return frozenset(name for name in flow.steps if _moves(state, partial(eq, Present(name))) is not None)


def _named(flow: Flow, step: str, enrolled: frozenset[str]) -> str:
    """Return *step*, with a mark if whoever has *enrolled* is asked there for that in place of an enrolment."""
    asks = flow.steps[step].enrols and flow.steps[step].kind.kind in enrolled
    return f"{step}, enrolled" if asks else step


def _outcomes(flow: Flow) -> Iterator[tuple[tuple[bool, ...], frozenset[str]]]:
    """Give the outcomes of the conditions of *flow*, each with the kinds that a user has enrolled then.

    Kinds that no condition asks for are enrolled. Where one can be enrolled in a step, others have not done so: they come first.
    """
    asked = {condition[1] for condition in flow.conditions if condition[0] == "enrolled"}
    free = {step.kind.kind for step in flow.steps.values() if step.powers.remembers} - asked
    open_ = free & {step.kind.kind for step in flow.steps.values() if step.enrols}
    for less in (open_, frozenset[str]()) if open_ else (frozenset[str](),):
        for outcomes in every_outcome(flow):
            both = zip(flow.conditions, outcomes, strict=True)
            holding = {condition[1] for condition, holds in both if condition[0] == "enrolled" and holds}
            yield outcomes, frozenset(holding | (free - less))


def targets_of(flow: Flow, scenes: tuple[Circumstances, ...], kinds: Mapping[str, Kind]) -> Iterator[AttackTarget]:
    """Give each step of *flow* in the first of *scenes* in which it can be reached; *kinds* are those of its steps.

    A step that enrols is given twice: in a scene where the user has enrolled, and in one where not.
    """
    probes = {name: probed(kind, NOBODY) for name, kind in kinds.items()}
    given: set[str] = set()
    for name, step in flow.steps.items():
        for scene in scenes:
            moves = _moves(flow.given(*scene.outcomes), partial(eq, Present(name)))
            called = _named(flow, name, scene.enrolled)
            if moves is None or called in given:
                continue
            given.add(called)
            enrolling = step.enrols and called == name
            # To enrol costs nothing.
            charged = bool(flow.limits.guesses_at(step)) and not enrolling
            proven = _factors(flow, scene, moves, probes)
            common = probes[name].right is not None
            probe = probes[name]
            yield AttackTarget(step, scene, moves, proven, charged, probe.draws, common, enrolling, probe.works)


def _factors(flow: Flow, scene: Circumstances, moves: tuple[Move, ...], probes: Mapping[str, Probe]) -> int:
    """Return how many right answers of *moves* nobody unknown gives (the password is not counted)."""
    state, count, choice = flow.given(*scene.outcomes), 0, None
    for move, what in moves:
        decision = state.decide(choice)
        if move == "right" and isinstance(decision, Present):
            count += bool(flow.steps[decision.step].proves) or probes[decision.step].right is None
        state, choice = state.after(_read(move, decision)), what or None
    return count


def _read(move: str, decision: Decision) -> ReadRound:
    """Return the round that *move* makes where *decision* was asked."""
    step = decision.step if isinstance(decision, Present) else ""
    match move:
        case "srp":
            return ReadRound.host(derivative.SRP_A)
        case "password":
            return ReadRound.host(derivative.PASSWORD_VERIFIER)
        case _:
            return ReadRound.custom(step, right=move == "right")


def _moves(flow: Flow, wanted: Callable[[Decision], bool]) -> tuple[Move, ...] | None:
    """Return the fewest moves that lead to a decision that is *wanted*; None if none do."""
    opened = flow.after(ReadRound.host(derivative.SRP_A))
    waiting: deque[tuple[Flow, Decision, tuple[Move, ...]]] = deque(
        [(flow, flow.decide(), ()), (opened, opened.decide(), (("srp", ""),))]
    )
    seen: set[object] = set()
    while waiting and len(seen) < _MOST_STATES:
        state, decision, moves = waiting.popleft()
        if wanted(decision):
            return moves
        if (state.state, decision) in seen or not isinstance(decision, Present):
            continue
        seen.add((state.state, decision))
        for move, read, choice in _next_moves(decision):
            after = state.after(read)
            waiting.append((after, after.decide(choice), (*moves, move)))
    return None


def _next_moves(decision: Present) -> Iterator[tuple[Move, ReadRound, str | None]]:
    if decision.host:
        if decision.step == derivative.PASSWORD_VERIFIER:
            yield ("password", ""), ReadRound.host(decision.step), None
    elif decision.choices:
        for choice in decision.choices:
            yield ("choose", choice), ReadRound.custom(derivative.SELECT, right=False), choice
    else:
        yield ("right", ""), ReadRound.custom(decision.step, right=True), None
        yield ("wrong", ""), ReadRound.custom(decision.step, right=False), None
