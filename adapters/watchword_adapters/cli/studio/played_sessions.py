"""Lead a session through the diagram: at which node each of its rounds leaves the sign-in, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import CHOICE, SessionRequest, evaluate
from watchword.algebra.flow import Flow, Present
from watchword.algebra.session_notation import parse_session
from watchword.analysis.diagram import FAIL, TOKENS, place_of
from watchword.analysis.explanation import ExplainedRound, explain, explain_request
from watchword.analysis.state_space import Exploration, must_choose, upcoming
from watchword.errors import ConfigurationError
from watchword_adapters.drawing.layout import BEGIN

_OPENING = (derivative.SRP_A, derivative.NEW_PASSWORD)

Stop = Mapping[str, str]
"""One stop on the way: the *word* of a round, how it was *read*, the *node* that it leads to, *why*, and the node that it *came* from
along an arrow, or nothing where there is no arrow for it: a round that breaks a sign-in is none of the flow's."""


@frozen
class PlayedRequest:
    """A request of Define or Create: by which flow it is judged, its session stop by stop, and what is to be chosen from."""

    exploration: Exploration = field(repr=False)
    stops: Sequence[Stop]
    choices: tuple[str, ...] = ()


def played_words(
    exploration: Exploration,
    words: Sequence[str],
    *,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    choice: str = "",
    enrolled: Collection[str] = (),
) -> list[Stop]:
    """Return the session of *words*, stop by stop, as `explain` tells it. A word that is none of the flow's breaks it."""
    flow = exploration.flow
    readable = _readable(flow, words)
    text = " ".join(readable)
    given = attributes or {}
    told = explain(flow, text, attributes=given, client=client, choice=choice or None, enrolled=enrolled)
    outcomes = derivative.outcomes_of(flow.conditions, given, client, True, enrolled)
    rounds = [(each.name, each.step, each.use, each.right) for each in parse_session(text, flow.steps, flow.offered)]
    stops = list(_stops(exploration, derivative.begin(flow.program, outcomes), rounds, told.rounds, choice))
    if len(readable) < len(words) and stops[-1]["node"] not in {TOKENS, FAIL}:
        stops.append(_stop(words[len(readable)], "a round that the flow does not have", FAIL, "it breaks the sign-in"))
    return stops


def played_request(
    explorations: Sequence[Exploration], request: SessionRequest, enrolled: Collection[str] = ()
) -> PlayedRequest:
    """Return *request* as the flow that it belongs to judges it, the first of *explorations* being of the flow in use.

    *enrolled* are the kinds that the user has a credential of: before the first challenge no request says so. A round that this flow
    did not make fails.
    """
    flows = tuple(each.flow for each in explorations)
    told, evaluation = explain_request(request, flows), evaluate(request, flows, enrolled)
    exploration = explorations[flows.index(evaluation.flow)]
    choice = request.client_metadata.get(CHOICE, "")
    rounds = [(each.name, each.step, each.use, each.right) for each in evaluation.rounds]
    stops = list(_stops(exploration, evaluation.begin, rounds, told.rounds, choice))
    if told.decision == "fail" and stops[-1]["node"] != FAIL:
        last = next(iter(told.rounds[len(rounds) :]), None)
        stops.append(_stop(last.word if last else "", last.read if last else "the sign-in ends", FAIL, told.reason))
    decision = evaluation.decision
    choices = decision.choices if isinstance(decision, Present) and not decision.host else ()
    return PlayedRequest(exploration, stops, choices)


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
    # Nor does it say what the client chose.
    wishes = [
        wish if wish in upcoming(state) else "" for state, wish in zip(states, [*_wishes(rounds), choice], strict=True)
    ]
    nodes = [
        f"host_{host.lower()}"
        if host in _OPENING and then[0] != derivative.BROKEN
        else f"step_{wish}"
        if wish and not must_choose(state)
        else place_of(exploration, state)
        for state, then, host, wish in zip(states, [*states[1:], states[-1]], hosts, wishes, strict=True)
    ]
    node = BEGIN
    for place, (state, wish) in enumerate(zip(states[: len(told) + 1], wishes, strict=False)):
        if place == 0:
            yield _stop("", "the sign-in begins", nodes[0], "", node)
        else:
            each = told[place - 1]
            moved = state[0] != derivative.BROKEN and state != states[place - 1]
            yield _stop(each.word, each.read, nodes[place], f"{each.decision}: {each.reason}", node if moved else "")
        node = nodes[place]
        if wish and must_choose(state):
            yield _stop("", "chosen", f"step_{wish}", "", node)
            node = f"step_{wish}"


def _wishes(rounds: Sequence[tuple[str, str, str, object]]) -> Iterator[str]:
    """Give for each round the step that the client chose before it, if it was a step's."""
    for name, step, use, _ in rounds:
        yield step if name == derivative.CUSTOM and step != derivative.SELECT and use != derivative.OFFERED else ""


def _stop(word: str, read: str, node: str, why: str, came: str = "") -> Stop:
    return {"word": word, "read": read, "node": node, "why": why, "came": came}


def _readable(flow: Flow, words: Sequence[str]) -> Sequence[str]:
    """Return *words* up to the first that is none of *flow*."""
    for count in range(len(words), 0, -1):
        try:
            parse_session(" ".join(words[:count]), flow.steps, flow.offered)
        except ConfigurationError:
            continue
        return words[:count]
    return ()
