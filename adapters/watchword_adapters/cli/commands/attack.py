"""`watchword attack`: a corpus of attacks on a flow and its kinds, and how many of them succeeded."""

from __future__ import annotations

import argparse
import json
import secrets

from watchword.loading.registry import Registry
from watchword_adapters.cli.commands.check import positive
from watchword_adapters.cli.flow_argument import add_flow, attributes_of, read_flow
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.extras import demand
from watchword_adapters.userpool.sign_in.signing_keys import SIGNING

_EPILOG = """\
The attacks go through all three hosts: Lambda triggers, a local user pool and plain functions. The clock is virtual:
nothing sleeps, and nothing is sent. An attack succeeds if it gets tokens that the flow does not allow, gets a wrong answer
accepted, gets more guesses compared or messages sent than the budgets allow, reads a secret, finds out who exists, gets an
error text other than the fixed ones, takes too long, or ends the process. The status is 1 if one succeeded, 2 if the flow cannot be read, else 0.

example:
  watchword attack docs/examples/flows/srp_then_code.toml
  watchword attack flow.toml --cases 100000 --seed 20260101 --json
  watchword attack flow.toml --attribute custom:customer_number=20384812"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword attack`."""
    parser.description = "Attack a flow with over a hundred families of attacks and some ten thousand cases, and count those that succeed."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument(
        "--cases", type=positive, default=10_000, metavar="N", help="about how many attacks to try (%(default)s)"
    )
    parser.add_argument(
        "--seed", default="", metavar="S", help="repeat the run of this seed (drawn and printed if not given)"
    )
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an attribute that a kind needs, for every user in the attacks; {user} stands for the user's name; may be given again",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Attack the flow; return 1 if an attack succeeded."""
    demand("the local user pool", *SIGNING)
    from watchword_adapters.attacks import FAMILIES, attack  # noqa: PLC0415 - after it is known to be possible

    seed = arguments.seed or secrets.token_hex(4)
    attributes = attributes_of(arguments.attribute)
    registry = Registry()
    outcome = attack(
        read_flow(arguments, registry),
        cases=arguments.cases,
        seed=seed,
        attributes=attributes,
        progress=Progress("attacks tried"),
        registry=registry,
    )
    successes = [each for told in outcome.told.values() for each in told]
    if arguments.json:
        told = {
            "families": len(outcome.by_family),
            "cases": outcome.cases,
            "succeeded": outcome.successes,
            "bound_95": outcome.bound,
            "by_family": dict(outcome.by_family),
            "seed": seed,
            "untried": dict(outcome.untried),
            "successes": [
                {
                    "family": each.family,
                    "run": each.run,
                    "case": each.case,
                    "expected": each.expected,
                    "seen": list(each.seen),
                    "test": each.as_test(arguments.flow, attributes),
                }
                for each in successes
            ],
        }
        print(json.dumps(told, indent=2))
        return 1 if outcome.successes else 0
    screen = Terminal()
    rows = [("FAMILY", "CASES", "SUCCEEDED", "ATTACK")]
    rows += [
        (each.id, f"{outcome.by_family[each.id]:,}", str(outcome.succeeded.get(each.id, 0)), each.title)
        for each in FAMILIES
        if each.id in outcome.by_family
    ]
    screen.table(rows)
    screen.line()
    if outcome.elsewhere:
        screen.line(
            f"Tried on a flow of built-in kinds, since this one has no such step: {', '.join(outcome.elsewhere)}",
            "quiet",
        )
    for name, why in outcome.untried.items():
        screen.line(f"Not tried: {name}, {why}", "quiet")
    for each in successes:
        for number, line in enumerate(str(each).splitlines()):
            screen.line(line, "bad" if number == 0 else "plain")
        screen.line("a test that tries it again, for pytest in this folder:", "quiet")
        screen.line()
        print(each.as_test(arguments.flow, attributes))
    screen.line(
        f"{len(outcome.by_family)} families, {outcome.cases:,} cases, {outcome.successes} succeeded. "
        f"95 % upper bound: {outcome.bound:.2e}. Seed: {seed}",
        "bad" if outcome.successes else "good",
    )
    return 1 if outcome.successes else 0
