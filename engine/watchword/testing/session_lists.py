"""Sessions for tests: spoken in words, or drawn by hypothesis, reachable and hostile ones, with the flow's own metadata."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION
from watchword.algebra.flow import Flow, ReadRound, Round
from watchword.algebra.session_notation import parse_session
from watchword.analysis.state_space import next_rounds, sending_steps
from watchword.runtime.wire import write_metadata

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

SIGNIN = "0123456789abcdef"
_MOST_ROUNDS = 24

FOREIGN: Mapping[str, Round] = {
    "unknown host round": Round("ADMIN_NO_SRP_AUTH", result=True),
    "unknown name": Round("PASSKEY", result=True),
    "no name": Round("", result=True),
    "name in lower case": Round("custom_challenge", result=True),
    "null metadata": Round(derivative.CUSTOM, result=True),
    "empty metadata": Round(derivative.CUSTOM, True, ""),
    "the guide's metadata": Round(derivative.CUSTOM, True, "CAPTCHA_CHALLENGE"),
    "metadata that is no text": Round(derivative.CUSTOM, True, 7),
}
"""Rounds that no flow of Watchword's has, whatever it is."""

_NO_RESULTS: tuple[object, ...] = (None, "true", "True", 1, 0, "", 1.0)
_OTHER_FIELDS = ({"v": "1"}, {"asked": ""}, {"flow": "0" * 16}, {"step": ""}, {"signin": ""})


def metadata(made_by: Flow, step: str, before: str = "-", **fields: str) -> str:
    """Return what Create of the flow *made_by* writes for *step* after a round that ended as *before*; *fields* override."""
    values = {
        "v": derivative.FORMAT,
        "flow": made_by.fingerprint,
        "facts": "0" * len(made_by.conditions),
        "step": step,
        "asked": "1",
        "before": before,
        "signin": SIGNIN,
        "claim": "c1a1",
        "issued": "1700000000",
        "carry": "",
        **fields,
    }
    return write_metadata(values)


def recorded(made_by: Flow, reads: Sequence[ReadRound], **fields: str) -> tuple[Round, ...]:
    """Return the rounds that a host has on its list after *reads*; *fields* override the metadata of every round."""
    rounds: list[Round] = []
    before = "-"
    for read in reads:
        if read.name != derivative.CUSTOM:
            rounds.append(Round(read.name, read.right))
            before = "-"
        else:
            asked = {"asked": "0"} if read.use == derivative.UNASKED else {}
            offered = read.use == derivative.OFFERED
            step = derivative.SELECT if offered else read.step
            rounds.append(Round(read.name, read.right, metadata(made_by, step, before, **asked, **fields)))
            before = "choice" if read.step == derivative.SELECT else read.ending
    return tuple(rounds)


def session_from_text(
    flow: Flow,
    words: str,
    *,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    known: bool = True,
    enrolled: Collection[str] = (),
) -> tuple[Round, ...]:
    """Return the session that *words* tell: ``"srp_a+ password_verifier+ email_otp- email_otp+"``.

    A word is a step's name, a host round's in lower case, or ``select``, and then ``+`` (right), ``-`` (wrong), ``~``
    (resend) or ``!`` (could not be asked); ``select:card+`` is a choice that was answered for `card`. *attributes*, *client*, *known* and the kinds *enrolled* decide the flow's
    conditions.

    Raises:
        ConfigurationError: for a word that is no round; the message lists what there is.
    """
    outcomes = derivative.outcomes_of(flow.conditions, attributes or {}, client, known, enrolled)
    return recorded(flow, parse_session(words, flow.steps), facts=derivative.facts_of(outcomes))


def sessions(
    flow: Flow,
    *,
    hostile: bool | None = None,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    enrolled: Collection[str] = (),
) -> SearchStrategy[tuple[Round, ...]]:
    """Return a hypothesis strategy for sessions of *flow*.

    With ``hostile=False`` they are such as a truthful host may have, at any point of a sign-in. With ``hostile=True``
    none is worth tokens: a sign-in that is not finished, or one with a round that is foreign, of another sign-in or
    flow, given twice, or right only in form, or with the password left out. By default both. *attributes*,
    *client* and the kinds *enrolled* decide the flow's conditions.
    """
    from hypothesis import strategies as st  # noqa: PLC0415 - whoever draws nothing needs no hypothesis

    outcomes = derivative.outcomes_of(flow.conditions, attributes or {}, client, known=True, enrolled=enrolled)

    @st.composite
    def drawn(draw: DrawFn) -> tuple[Round, ...]:
        spoilt = draw(st.booleans()) if hostile is None else hostile
        walk = _walk(draw, flow, outcomes, most_right=spoilt)
        if spoilt:
            return _spoilt(draw, flow, walk)
        rounds = walk.rounds[: draw(st.integers(0, len(walk.rounds)))]
        # What a choice was answered for is told by the next metadata, or by a client, of whom a session does not tell.
        while any(map(_is_answered_choice, rounds[-1:])):
            rounds = rounds[:-1]
        return rounds

    return drawn()


def _is_answered_choice(last: Round) -> bool:
    return last.result is True and (derivative.read_metadata(last.metadata) or {}).get("step") == derivative.SELECT


def events(flow: Flow, *, hostile: bool | None = None) -> SearchStrategy[dict[str, Any]]:
    """Return a hypothesis strategy for events of Cognito's Define trigger; *hostile* is as for `sessions`.

    Attributes and app client are drawn so that each condition of *flow* holds in some events and not in others. A
    hostile event may be a sign-in of somebody who does not exist, whatever its session.
    """
    from hypothesis import strategies as st  # noqa: PLC0415

    @st.composite
    def drawn(draw: DrawFn) -> dict[str, Any]:
        attributes, client = {"sub": "11111111-2222-4333-8444-555555555555"}, "app-client"
        enrolled: list[str] = []
        for condition in flow.conditions:
            if draw(st.booleans()):
                if condition[0] == "enrolled":
                    enrolled.append(condition[1])
                elif condition[0] == "client":
                    client = condition[1]
                else:
                    attributes[condition[1]] = condition[2]
        spoilt = draw(st.booleans()) if hostile is None else hostile
        unknown = spoilt and draw(st.integers(0, 3)) == 0
        if unknown:
            # Even a list that a finished sign-in would leave: there is nobody to give tokens to.
            attributes.clear()
            outcomes = derivative.outcomes_of(flow.conditions, attributes, client, known=False)
            rounds = _walk(draw, flow, outcomes, most_right=True).rounds
        else:
            rounds = draw(sessions(flow, hostile=spoilt, attributes=attributes, client=client, enrolled=enrolled))
        said = draw(st.sampled_from([None, {}, {ACTION: "resend"}, {"attempts": "99", "admin": "true"}]))
        return _define_event(rounds, attributes, client, said, unknown=unknown)

    return drawn()


@frozen
class _Walk:
    """A sign-in from its beginning to its end or near it; *worth* is how many of its rounds are worth tokens first."""

    rounds: tuple[Round, ...]
    worth: int
    facts: str


def _walk(draw: DrawFn, flow: Flow, outcomes: Sequence[bool], *, most_right: bool) -> _Walk:
    """Draw a walk; with *most_right* three of four go straight to the end, since only there one fault decides."""
    from hypothesis import strategies as st  # noqa: PLC0415

    state, sending = derivative.begin(flow.program, outcomes), sending_steps(flow)
    reads: list[ReadRound] = []
    worth: int | None = None
    lucky = draw(st.sampled_from((True, True, True, False) if most_right else (True, False)))
    while len(reads) < _MOST_ROUNDS:
        options = next_rounds(state, sending, flow.offered)
        right = tuple((name, asked, use, result) for name, asked, use, result in options if result is True)
        if right and (lucky or draw(st.booleans())):
            options = right
        if not options:
            break
        step = draw(st.sampled_from(options))
        state = derivative.after(state, *step)
        name, asked, use, result = step
        reads.append(ReadRound(name, asked, use, result))  # pyright: ignore[reportArgumentType]
        if worth is None and derivative.decide(state)[0] == "tokens":
            worth = len(reads)
    facts = derivative.facts_of(tuple(outcomes))
    rounds = recorded(flow, reads, facts=facts)
    return _Walk(rounds, len(rounds) + 1 if worth is None else worth, facts)


def _spoilt(draw: DrawFn, flow: Flow, walk: _Walk) -> tuple[Round, ...]:
    """Return a session that is made of *walk* and is not worth tokens."""
    from hypothesis import strategies as st  # noqa: PLC0415

    rounds = walk.rounds
    place = draw(st.integers(0, len(rounds)))
    ways: dict[str, Callable[[], tuple[Round, ...]]] = {
        "unfinished": lambda: rounds[: min(place, walk.worth - 1)],
        "foreign": lambda: (*rounds[:place], draw(st.sampled_from(list(FOREIGN.values()))), *rounds[place:]),
    }
    ignored = flow.unwanted_srp == "ignore" and not _takes_srp(flow, walk.facts)
    opening = next((each.name for each in rounds), derivative.SRP_A)
    if opening != derivative.SRP_A and not ignored:
        ways["bare SRP_A"] = lambda: (Round(derivative.SRP_A, result=True), *rounds)
    if place < len(rounds):
        own = rounds[place]

        def replaced(other: Round) -> tuple[Round, ...]:
            return (*rounds[:place], other, *rounds[place + 1 :])

        ways["right in form"] = lambda: replaced(evolve(own, result=draw(st.sampled_from(_NO_RESULTS))))
        if own.result is True:
            ways["twice"] = lambda: (*rounds[: place + 1], *rounds[place:])
        if own.name == derivative.PASSWORD_VERIFIER:
            ways["no password"] = lambda: (*rounds[:place], *rounds[place + 1 :])
            ways["wrong password"] = lambda: replaced(evolve(own, result=False))
        if own.name == derivative.CUSTOM:
            alone = sum(each.name == derivative.CUSTOM for each in rounds) == 1
            ways["forged"] = lambda: replaced(
                evolve(own, metadata=_forged(draw, flow, str(own.metadata), walk.facts, alone=alone))
            )
    return ways[draw(st.sampled_from(sorted(ways)))]()


def _takes_srp(flow: Flow, facts: str) -> bool:
    return derivative.SRP_A in derivative.heads(derivative.begin(flow.program, tuple(fact == "1" for fact in facts))[0])


def _forged(draw: DrawFn, flow: Flow, text: str, facts: str, *, alone: bool) -> str:
    """Return the metadata *text* with one field that *flow* never writes there; *alone* it may be of any sign-in."""
    from hypothesis import strategies as st  # noqa: PLC0415

    fields = derivative.read_metadata(text) or {}
    others = [*_OTHER_FIELDS, {"facts": facts + "1"}]
    if not alone:
        others.append({"signin": SIGNIN[::-1]})
    other = draw(st.sampled_from(others))
    return metadata(flow, **{**fields, **other})


def _define_event(
    rounds: Sequence[Round],
    attributes: Mapping[str, str],
    client: str,
    said: Mapping[str, str] | None,
    *,
    unknown: bool,
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "userAttributes": dict(attributes),
        "session": [
            {"challengeName": each.name, "challengeResult": each.result, "challengeMetadata": each.metadata}
            for each in rounds
        ],
        "userNotFound": unknown,
    }
    if said is not None:
        request["clientMetadata"] = dict(said)
    return {
        "version": "1",
        "triggerSource": "DefineAuthChallenge_Authentication",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "request": request,
        "response": {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    }
