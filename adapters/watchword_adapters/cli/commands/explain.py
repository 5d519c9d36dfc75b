"""`watchword explain`: why a session, told in words, gets the decision that it gets."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import attrs

from watchword.algebra.flow import Flow
from watchword.analysis.explanation import Explanation, explain
from watchword.errors import ConfigurationError
from watchword_adapters.cli.flow_argument import add_flow, attributes_of, read_flow
from watchword_adapters.cli.terminal import Terminal

_EPILOG = """\
WORDS are rounds, oldest first: a step's name, a host round's in lower case (srp_a, password_verifier,
new_password_required, sms_mfa, …) or select, each with + (right), - (wrong), ~ (asked for another message) or ! (could not
be asked). --session "" is the beginning.

example:
  watchword explain docs/examples/flows/srp_then_code.toml --session "srp_a+ password_verifier+ email_otp-\""""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword explain`."""
    parser.description = "Explain round by round why a flow decides as it does after a session."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("--session", required=True, metavar="WORDS", help="the rounds so far")
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an attribute of the user, for flows that look at it; may be given again",
    )
    parser.add_argument("--client", default="", metavar="ID", help="the app client, for flows that look at it")
    parser.add_argument(
        "--enrolled",
        action="append",
        default=[],
        metavar="KIND",
        help="a kind that the user had enrolled when the sign-in began, for flows that ask; may be given again",
    )
    parser.add_argument("--unknown-user", action="store_true", help="the user does not exist")
    parser.add_argument("--choice", metavar="STEP", help="the step that the client asks for now")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; the status is 0 whatever was decided."""
    flow = read_flow(arguments)
    if arguments.choice is not None and arguments.choice not in flow.steps:
        raise ConfigurationError(f"--choice {arguments.choice[:60]!r}: the flow's steps are {', '.join(flow.steps)}")
    explanation = explain(
        flow,
        arguments.session,
        attributes=_attributes(arguments.attribute, flow),
        client=arguments.client,
        known=not arguments.unknown_user,
        choice=arguments.choice,
        enrolled=_enrolled(arguments.enrolled, flow),
    )
    if arguments.json:
        print(json.dumps(explanation_as_json(explanation), indent=2))
    else:
        print_explanation(explanation, Terminal())
    return 0


def _attributes(texts: Sequence[str], flow: Flow) -> dict[str, str]:
    """Return the attributes that *texts* give; one that *flow* never looks at is a mistake, most likely in its name."""
    known = dict.fromkeys([*(each[1] for each in flow.conditions if each[0] == "attribute"), "cognito:user_status"])
    given = attributes_of(texts)
    for name in given:
        if name not in known:
            raise ConfigurationError(f"--attribute {name[:60]}: this flow looks at {', '.join(known)} only")
    return given


def _enrolled(kinds: Sequence[str], flow: Flow) -> tuple[str, ...]:
    """Return *kinds*; one that *flow* never asks for is a mistake."""
    asked = dict.fromkeys(condition[1] for condition in flow.conditions if condition[0] == "enrolled")
    for kind in kinds:
        if kind not in asked:
            told = (
                f"this flow asks for {', '.join(asked)} only"
                if asked
                else "this flow asks for nothing that is enrolled"
            )
            raise ConfigurationError(f"--enrolled {kind[:60]}: {told}")
    return tuple(kinds)


def explanation_as_json(explanation: Explanation) -> dict[str, object]:
    """Return *explanation* for `json.dumps`."""
    return {
        "decision": explanation.decision,
        "reason": explanation.reason,
        "rounds": [attrs.asdict(each) for each in explanation.rounds],
    }


def print_explanation(explanation: Explanation, screen: Terminal) -> None:
    """Print *explanation* for a person."""
    for number, each in enumerate(explanation.rounds, 1):
        screen.line(f"{number:>2}. {each.word}  {each.read}")
        screen.line(f"    left      {each.left}", "quiet")
        budget = ", ".join(
            f"{step}: tries {tries}, requests for another one {each.resends[step]}"
            for step, tries in each.tries.items()
        )
        if budget:
            screen.line(f"    budget    {budget}", "quiet")
        screen.line(f"    decision  {each.decision}: {each.reason}")
    style = {"tokens": "good", "fail": "bad"}.get(explanation.decision, "title")
    screen.line(f"decision: {explanation.decision}", style)
    screen.line(f"because:  {explanation.reason}")
