"""`watchword diff`: in what two flows differ, and what that means for who gets in, before the new one is deployed."""

from __future__ import annotations

import argparse
import json
import shlex

from watchword.algebra.flow import Flow
from watchword.algebra.session_notation import parse_session
from watchword.analysis.difference import TOKENS, Difference, Divergence, difference
from watchword.analysis.findings import Finding
from watchword.analysis.state_space import MAX_STATES
from watchword.errors import ConfigurationError
from watchword_adapters.cli.commands.check import as_command, positive
from watchword_adapters.cli.difference_json import WRITTEN_OTHERWISE, difference_as_json, factors_words, session_words
from watchword_adapters.cli.flow_argument import flow_named
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal

_EPILOG = """\
Each line has the decision of OLD and the decision of NEW, for the shortest session that shows it. Below it are the commands
that explain it. As with diff(1), the status is 0 if there is no difference, 1 if there is one, 2 if a flow cannot be read.

example:
  watchword diff docs/examples/flows/email_code.toml docs/examples/flows/srp_then_code.toml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword diff`."""
    parser.description = "Compare two flows: who gets in that did not before, what is asked instead, what is weaker, and whether sign-ins under way continue."
    parser.epilog = _EPILOG
    parser.add_argument("old", metavar="OLD", help="the flow that is deployed: a TOML file, or module:attribute")
    parser.add_argument("new", metavar="NEW", help="its replacement")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--limit",
        type=positive,
        default=MAX_STATES,
        metavar="N",
        help="examine at most N pairs of states (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the difference; return 1 if there is one."""
    old, new = flow_named(arguments.old, "OLD"), flow_named(arguments.new, "NEW")
    found = difference(old, new, limit=arguments.limit, progress=Progress("pairs of states walked"))
    if arguments.json:
        print(json.dumps(difference_as_json(found), indent=2))
    else:
        _tell(found, Terminal(), arguments.old, arguments.new)
    return 0 if found.nothing else 1


def _tell(found: Difference, screen: Terminal, old: str, new: str) -> None:
    if found.nothing:
        screen.line("no difference", "good")
        return
    for each in found.divergences:
        style = "bad" if each.new == TOKENS else "warning"
        screen.line(f"after {session_words(each)}: OLD: {each.old}; NEW: {each.new}", style)
        for flow, named in ((found.old, old), (found.new, new)):
            if _speaks(flow, each):
                screen.line(f"        {_command(flow, each, named)}")
    weakest = tuple(" or ".join(map(factors_words, each)) or "nothing: nobody gets in" for each in found.weakest)
    if weakest[0] != weakest[1]:
        screen.line(f"the weakest paths prove: OLD: {weakest[0]}; NEW: {weakest[1]}", "warning")
    for change in found.changes:
        screen.line(f"{change.what}: OLD: {change.old or '-'}; NEW: {change.new or '-'}")
    if found.written_otherwise:
        screen.line(WRITTEN_OTHERWISE)
    if found.survives:
        screen.line("sign-ins under way go on: the fingerprints are the same", "good")
    else:
        command = shlex.join(("watchword", "build", new, "--previous", old))
        screen.line(f"sign-ins under way are refused, unless NEW is built with OLD: {command}", "warning")


def _speaks(flow: Flow, each: Divergence) -> bool:
    """Say whether *flow* has every step of the session, and offers those that are answered in a choice: `explain` takes no others."""
    try:
        parse_session(" ".join(each.session), flow.steps, flow.offered)
    except ConfigurationError:
        return False
    return True


def _command(flow: Flow, each: Divergence, named: str) -> str:
    looked_at = {condition[1] for condition in flow.conditions if condition[0] == "attribute"}
    attributes = {name: value for name, value in each.attributes.items() if name in looked_at}
    kinds = {condition[1] for condition in flow.conditions if condition[0] == "enrolled"}
    enrolled = tuple(kind for kind in each.enrolled if kind in kinds)
    return as_command(Finding("", "note", "", each.session, attributes, each.client, enrolled=enrolled), named)
