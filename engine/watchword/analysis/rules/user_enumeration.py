"""Find out whether a stranger can tell an unknown user from a known one by the challenges of a flow."""

from __future__ import annotations

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.flow import ReadRound
from watchword.algebra.session_notation import format_round
from watchword.analysis.state_space import Exploration


@frozen
class VisibleDifference:
    """After *session*, a user for whom *outcomes* hold gets another challenge than a user who does not exist."""

    outcomes: tuple[bool, ...]
    session: tuple[str, ...]


def first_difference(exploration: Exploration) -> VisibleDifference | None:
    """Return the shortest session after which the two differ, or None if no stranger ever sees a difference.

    A stranger opens as they like, chooses, asks for resends, answers wrongly, and passes what proves nothing. To the
    client they differ by the step, by the choices, or by the tries that are left.
    """
    conditions = exploration.flow.conditions
    starts = dict(exploration.beginnings)
    found: list[VisibleDifference] = []
    for outcomes, known in exploration.beginnings:
        # Somebody unknown has no attributes; the app client is the same for both.
        decoy = tuple(held and condition[0] == "client" for held, condition in zip(outcomes, conditions, strict=True))
        if decoy != outcomes:
            session = _parting(exploration, starts[decoy], known)
            if session is not None:
                found.append(VisibleDifference(outcomes, session))
    return min(found, key=lambda each: len(each.session), default=None)


def _parting(exploration: Exploration, decoy: int, known: int) -> tuple[str, ...] | None:
    came: dict[tuple[int, int], tuple[str, ...]] = {(decoy, known): ()}
    queue = [(decoy, known)]
    for pair in queue:
        session = came[pair]
        if _shown(exploration, pair[0]) != _shown(exploration, pair[1]):
            return session
        beside = dict(exploration.onward[pair[1]])
        for read, target in exploration.onward[pair[0]]:
            there = (target, beside.get(read, target))
            if read in beside and there not in came and _possible(exploration, read):
                came[there] = (*session, format_round(read))
                queue.append(there)
    return None


def _possible(exploration: Exploration, read: ReadRound) -> bool:
    """Say whether a stranger can bring *read* about."""
    if read.right is not True or read.name == derivative.SRP_A:
        return True
    step = exploration.flow.steps.get(read.step)
    return step is not None and not step.proves


def _shown(exploration: Exploration, number: int) -> object:
    """Return what a client sees in a state: the decision and, of the step asked for, the tries left; also by SRP."""
    state = exploration.states[number]
    decided = derivative.decide(state)
    step = derivative.find(state[0], decided[1]) if decided[0] == "present" else None
    opens = state[2] == derivative.CLOSED and derivative.SRP_A in derivative.heads(state[0])
    return decided[:2] if decided[0] != "fail" else ("fail",), step and step[2], opens
