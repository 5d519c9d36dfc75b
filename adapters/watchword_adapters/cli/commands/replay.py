"""`watchword replay`: why captured Lambda events get the decisions that they get, with their secrets taken out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from watchword.analysis.explanation import Explanation
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword_adapters.cli.commands.explain import explanation_as_json, print_explanation
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.logs.captured_events import RULES, CapturedEvent, read_events
from watchword_adapters.cli.logs.event_explanation import explain_event
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.dialects.dialect import DIALECTS, find_dialect

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
        told.append((captured, explain_event(captured, flows)))
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
