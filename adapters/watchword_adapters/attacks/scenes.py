"""Scenes: in which circumstances a step is reached, and by which moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import eq
from typing import Literal

from attrs import field, frozen

from watchword import derive
from watchword.blocks import Step
from watchword.challenge import Sends
from watchword.exploration import every_outcome
from watchword.flow import Decision, Flow, IssueTokens, Present, ReadRound

Move = tuple[Literal["srp", "password", "choose", "right", "wrong"], str]

APP = "4f8k2m9q1r7s3t5v6w0x2y4z8a"
_MOST_SCENES = 4
_MOST_STATES = 4000


@frozen
class Scene:
    """Who signs in where: *attributes* and the app *client* decide the flow's conditions. *moves* pass the flow."""

    number: int
    attributes: Mapping[str, str]
    client: str
    outcomes: tuple[bool, ...]
    moves: tuple[Move, ...]

    @property
    def plain(self) -> bool:
        """Whether the app client is an ordinary one, so that every host can play the scene."""
        return self.client == APP


@frozen
class Target:
    """A step, and the *moves* that lead from the beginning to its first challenge, past *proven* factors.

    *charged* says whether guesses at it are charged to a budget: none are at a puzzle, and at what nobody can guess.
    """

    step: Step
    scene: Scene = field(repr=False)
    moves: tuple[Move, ...]
    proven: int = 0
    charged: bool = True

    @property
    def sends(self) -> bool:
        """Whether its challenge goes out as a message."""
        return isinstance(self.step.kind, Sends)

    @property
    def puzzles(self) -> bool:
        """Whether it is a puzzle: sends nothing and proves nothing."""
        return not self.sends and not self.step.kind.proves

    @property
    def open(self) -> bool:
        """Whether somebody who does not exist comes as far: by no attribute (see WW202), and past no factor of a kind."""
        return self.proven == 0 and not self.scene.attributes

    @property
    def srp(self) -> bool:
        """Whether a password comes first."""
        return ("srp", "") in self.moves


def scenes_of(flow: Flow) -> Iterator[Scene]:
    """Give a scene for each way in which the conditions of *flow* may hold, a few at most."""
    for number, outcomes in enumerate(every_outcome(flow)):
        if number == _MOST_SCENES:
            return
        attributes: dict[str, str] = {}
        client = APP
        for condition, holds in zip(flow.conditions, outcomes, strict=True):
            if holds and condition[0] == "client":
                client = condition[1]
            elif holds:
                attributes[condition[1]] = condition[2]
        actual = derive.outcomes_of(flow.conditions, attributes, client, True)
        moves = _moves(flow.given(*actual), lambda decision: isinstance(decision, IssueTokens))
        if moves is not None:
            yield Scene(number, attributes, client, actual, moves)


def targets_of(flow: Flow, scenes: tuple[Scene, ...]) -> Iterator[Target]:
    """Give each step of *flow* in the first of *scenes* in which it can be reached."""
    for name, step in flow.steps.items():
        for scene in scenes:
            moves = _moves(flow.given(*scene.outcomes), partial(eq, Present(name)))
            if moves is not None:
                yield Target(step, scene, moves, _factors(flow, scene, moves), bool(flow.limits.guesses_at(step.kind)))
                break


def _factors(flow: Flow, scene: Scene, moves: tuple[Move, ...]) -> int:
    """Return how many right answers of *moves* prove something (the password is not counted)."""
    state, count, choice = flow.given(*scene.outcomes), 0, None
    for move, what in moves:
        decision = state.decide(choice)
        if move == "right" and isinstance(decision, Present):
            count += bool(flow.steps[decision.step].kind.proves)
        state, choice = state.after(_read(move, decision)), what or None
    return count


def _read(move: str, decision: Decision) -> ReadRound:
    """Return the round that *move* makes where *decision* was asked."""
    step = decision.step if isinstance(decision, Present) else ""
    match move:
        case "srp":
            return ReadRound.host(derive.SRP_A)
        case "password":
            return ReadRound.host(derive.PASSWORD_VERIFIER)
        case _:
            return ReadRound.custom(step, right=move == "right")


def _moves(flow: Flow, wanted: Callable[[Decision], bool]) -> tuple[Move, ...] | None:
    """Return the fewest moves that lead to a decision that is *wanted*; None if none do."""
    opened = flow.after(ReadRound.host(derive.SRP_A))
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
        if decision.step == derive.PASSWORD_VERIFIER:
            yield ("password", ""), ReadRound.host(decision.step), None
    elif decision.choices:
        for choice in decision.choices:
            yield ("choose", choice), ReadRound.custom(derive.SELECT, right=False), choice
    else:
        yield ("right", ""), ReadRound.custom(decision.step, right=True), None
        yield ("wrong", ""), ReadRound.custom(decision.step, right=False), None
