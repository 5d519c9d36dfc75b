"""`watchword replay`: why captured Lambda events get the decisions that they get, with their secrets taken out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve

from watchword.algebra.derivative import CUSTOM, SELECT
from watchword.algebra.flow import Flow
from watchword.analysis.explanation import REASON_TEXTS, Explanation, explain_request
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword_adapters.cli.commands.explain import explanation_as_json, print_explanation
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.logs.captured_events import RULES, CapturedAnswer, CapturedEvent, read_events
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.dialects.dialect import DIALECTS, find_dialect

_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999, after which there is no date to print."""

_EPILOG = """\
FILE holds events of Define, Create and Verify as Lambda gets them: one event, a JSON array, one event per line, or a CloudWatch
log. These values are removed when the file is read, and are never printed:
{rules}
For an event of Verify the command says what can be known without the key: whether the challenge has the form that Create
writes, and until when it was valid. The decision is then "wrong" or "undecided".

example:
  watchword replay flow.toml event.json --previous flow-of-last-week.toml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword replay`."""
    parser.description = "Explain the decision for captured events of the Lambda triggers."
    parser.epilog = _EPILOG.format(rules="\n".join(f"  {rule}: {what}" for rule, what in RULES.items()))
    add_flow(parser)
    parser.add_argument("events", metavar="FILE", help="the captured event, or a file of many")
    parser.add_argument(
        "--previous",
        action="append",
        default=[],
        metavar="FLOW",
        help="a flow that was deployed before, as in triggers(flow, previous=[…]); may be given again",
    )
    parser.add_argument("--dialect", choices=DIALECTS, help="the client whose words the events have")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain every event; the status is 0 whatever was decided."""
    registry = Registry()
    flow = read_flow(arguments, registry)
    flows = (flow, *(find_flow(each, registry) for each in arguments.previous))
    dialect = find_dialect(arguments.dialect, flows) if arguments.dialect else None
    progress = Progress("events replayed")
    rules: Counter[str] = Counter()
    told: list[tuple[CapturedEvent, Explanation]] = []
    for number, captured in enumerate(read_events(Path(arguments.events), flows, dialect), 1):
        told.append((captured, _explained(captured, flows)))
        rules.update(captured.rules)
        progress(number)
    if arguments.json:
        objects = [explanation_as_json(explanation) for _, explanation in told]
        print(json.dumps(objects[0] if len(objects) == 1 else objects, indent=2))
    else:
        screen = Terminal()
        for number, (captured, explanation) in enumerate(told, 1):
            screen.line(f"event {number} of {len(told)}: {captured.trigger}", "title")
            print_explanation(explanation, screen)
            screen.line()
    if rules:
        counted = ", ".join(f"{rule} ({rules[rule]})" for rule in RULES if rule in rules)
        print(f"taken out on reading: {counted}", file=sys.stderr)
    return 0


def _explained(captured: CapturedEvent, flows: Sequence[Flow]) -> Explanation:
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
