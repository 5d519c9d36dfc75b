"""Lead a session through the diagram: at which node each of its rounds leaves the sign-in, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from watchword.algebra import derivative
from watchword.algebra.evaluation import CHOICE, SessionRequest, evaluate
from watchword.algebra.flow import Flow
from watchword.algebra.session_notation import parse_session
from watchword.analysis.diagram import FAIL, place_of
from watchword.analysis.explanation import ExplainedRound, explain, explain_request
from watchword.analysis.state_space import Exploration, must_choose
from watchword.errors import ConfigurationError

_OPENING = (derivative.SRP_A, derivative.NEW_PASSWORD)

Stop = Mapping[str, str]
"""One stop on the way: the *word* of a round, how it was *read*, the *node* that it leads to, and *why*."""


def played_words(
    exploration: Exploration,
    words: Sequence[str],
    *,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    choice: str = "",
    enrolled: Collection[str] = (),
) -> list[Stop]:
    """Return the session of *words*, stop by stop, as `explain` tells it. A word that is none of the flow's ends it."""
    flow = exploration.flow
    text = " ".join(_readable(flow, words))
    given = attributes or {}
    told = explain(flow, text, attributes=given, client=client, choice=choice or None, enrolled=enrolled)
    outcomes = derivative.outcomes_of(flow.conditions, given, client, True, enrolled)
    rounds = [(each.name, each.step, each.use, each.right) for each in parse_session(text, flow.steps, flow.offered)]
    return list(_stops(exploration, derivative.begin(flow.program, outcomes), rounds, told.rounds, choice))


def played_request(exploration: Exploration, request: SessionRequest) -> tuple[str, str, list[Stop]]:
    """Return the decision on *request*, why it is so, and its session, stop by stop; a round that the flow did not make fails."""
    flow = exploration.flow
    told = explain_request(request, (flow,))
    choice = request.client_metadata.get(CHOICE, "")
    evaluation = evaluate(request, (flow,))
    rounds = [(each.name, each.step, each.use, each.right) for each in evaluation.rounds]
    stops = list(_stops(exploration, evaluation.begin, rounds, told.rounds, choice))
    if told.decision == "fail" and stops[-1]["node"] != FAIL:
        last = next(iter(told.rounds[len(rounds) :]), None)
        stops.append(_stop(last.word if last else "", last.read if last else "the sign-in ends", FAIL, told.reason))
    return told.decision, told.reason, stops


def _stops(
    exploration: Exploration,
    begin: derivative.State,
    rounds: Sequence[tuple[str, str, str, object]],
    told: Sequence[ExplainedRound],
    choice: str,
) -> Iterator[Stop]:
    states = derivative.fold(begin, [(*each, None) for each in rounds])
    # Whether the host asks, a state does not say: the next round does, or at the end the decision.
    decided, _, asked = (told[-1].decision if told else "").partition(" ")
    hosts = [*(name for name, *_ in rounds), asked if decided == "host" else ""]
    nodes = [
        f"host_{host.lower()}" if host in _OPENING and then[0] != derivative.BROKEN else place_of(exploration, state)
        for state, then, host in zip(states, [*states[1:], states[-1]], hosts, strict=True)
    ]
    wishes = [*_wishes(rounds), choice]
    yield _stop("", "the sign-in begins", nodes[0], "")
    if wishes[0] and must_choose(begin):
        yield _stop("", "chosen", f"step_{wishes[0]}", "")
    for each, state, node, wish in zip(told, states[1:], nodes[1:], wishes[1:], strict=False):
        yield _stop(each.word, each.read, node, f"{each.decision}: {each.reason}")
        if wish and must_choose(state):
            yield _stop("", "chosen", f"step_{wish}", "")


def _wishes(rounds: Sequence[tuple[str, str, str, object]]) -> Iterator[str]:
    """Give for each round the step that the client chose before it, if it was a step's."""
    for name, step, use, _ in rounds:
        yield step if name == derivative.CUSTOM and step != derivative.SELECT and use != derivative.OFFERED else ""


def _stop(word: str, read: str, node: str, why: str) -> Stop:
    return {"word": word, "read": read, "node": node, "why": why}


def _readable(flow: Flow, words: Sequence[str]) -> Sequence[str]:
    """Return *words* up to the first that is none of *flow*."""
    for count in range(len(words), 0, -1):
        try:
            parse_session(" ".join(words[:count]), flow.steps, flow.offered)
        except ConfigurationError:
            continue
        return words[:count]
    return ()
