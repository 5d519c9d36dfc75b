"""Why a captured event gets the decision that it gets, and whether that is what its trigger answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve

from watchword.algebra.derivative import CUSTOM, SELECT
from watchword.algebra.flow import Flow
from watchword.analysis.explanation import REASON_TEXTS, Explanation, explain_request
from watchword_adapters.cli.logs.captured_events import CapturedAnswer, CapturedEvent

_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999, after which there is no date to print."""


def explain_event(captured: CapturedEvent, flows: Sequence[Flow]) -> Explanation:
    """Tell why *captured* gets its decision, by the one of *flows* that it belongs to; of an event of Verify what can be known without the key."""
    if captured.tried is not None:
        decision, reason = _verdict(captured.tried, flows)
        correct = captured.response.get("answerCorrect")
        seen = "" if correct is None else f"; the captured response says {'right' if correct is True else 'wrong'}"
        return Explanation(decision, reason + seen, ())
    assert captured.request is not None
    explanation = explain_request(captured.request, flows)
    seen = _otherwise(captured, explanation)
    return evolve(explanation, reason=explanation.reason + seen) if seen else explanation


def _otherwise(captured: CapturedEvent, explanation: Explanation) -> str:
    """Return what to say if the response captured with the event is not what the flow decides."""
    response = captured.response
    if not response:
        return ""
    if response.get("failAuthentication") is True:
        answered = "fail"
    elif response.get("issueTokens") is True:
        answered = "tokens"
    else:
        answered = f"to present {str(response.get('challengeName'))[:40]}"
    word, _, name = explanation.decision.partition(" ")
    ours = f"to present {name if word == 'host' else CUSTOM}" if word in {"present", "select", "host"} else word
    return "" if answered == ours else f"; but the response captured with the event is {answered}"


def _verdict(tried: CapturedAnswer, flows: Sequence[Flow]) -> tuple[str, str]:
    """Return what Verify decides, as far as it can be told without the key, and why."""
    parameters = tried.parameters
    if parameters is None:
        return "wrong", (
            "no_challenge: the private parameters are not of the form that Create writes; "
            "check that the pool's Create trigger is Watchword's"
        )
    flow = next((each for each in flows if each.fingerprint == parameters.flow), None)
    if flow is None:
        return "wrong", f"no_challenge: the challenge was made by another flow; {REASON_TEXTS['unknown_flow']}"
    step = flow.steps.get(tried.offered or parameters.step)
    if parameters.step == SELECT and tried.offered in flow.offered and step is not None:
        expires = parameters.issued + step.lifetime
        parameters = evolve(parameters, step=step.name, kind=step.kind.kind, expires=expires)
    if parameters.step == SELECT:
        return (
            "wrong",
            "a choice was asked for; Verify says false to it, and Define reads the choice from client metadata",
        )
    if step is None or step.kind.kind != parameters.kind:
        return "wrong", "no_challenge: the flow has no such step of that kind, so its Create did not write this"
    about = f"step {step.name} of kind {step.kind.kind}, made {_time(parameters.issued)}, counts until {_time(parameters.expires)}"
    if tried.action:
        return "wrong", f"the client asked for another message, which is no guess and costs none: {about}"
    if tried.answered != "text":
        return "wrong", f"malformed: the answer is {tried.answered}: {about}"
    if not tried.known:
        return "wrong", f"unknown_user: {about}; {REASON_TEXTS['unknown_user']}"
    return "undecided", (
        f"the challenge is well-formed: {about}; whether its seal is genuine, the answer right and the guess paid for, "
        "only Verify can tell, with the key and the ledger"
    )


def _time(seconds: int) -> str:
    if seconds > _LAST_SECOND:
        return f"at second {seconds}"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
