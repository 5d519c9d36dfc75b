"""`watchword check`: the findings on a flow, each with a session that shows it, before anybody deploys it."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping, Sequence

import attrs

from watchword.algebra.flow import Flow
from watchword.analysis.checks import check, unproven
from watchword.analysis.findings import Finding, Report, summary_of
from watchword.analysis.state_space import MAX_STATES
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.cli.figure_rows import figure_rows
from watchword_adapters.cli.flow_argument import add_flow, minutes_given, read_flow
from watchword_adapters.cli.messages.message_costs import (
    MessageCost,
    costs_as_json,
    message_costs,
    read_prices,
    rows_of,
)
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal

_STYLES = {"error": "bad", "warning": "warning", "note": ""}
_QUICK = 10_000
"""The most states to walk for one warning: some tenths of a second."""
_EPILOG = """\
EXPR is made of knowledge, possession, inherence, names of kinds and password, with and, or and brackets. Below a finding
is a command that explains the shortest session that shows it. Each code has a heading in
docs/reference/findings.md. The status is 1 if there is an error (with --strict: or a warning that is not accepted), 2 if the
flow cannot be read, else 0.

example:
  watchword check docs/examples/flows/srp_then_code.toml --require "knowledge and possession\""""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword check`."""
    parser.description = "Examine every state of a flow: can it be cheated, where does it get stuck, what does it cost?"
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("--require", metavar="EXPR", help="what every path to tokens must prove")
    parser.add_argument(
        "--session-minutes",
        type=minutes_given,
        default=3,
        metavar="N",
        help="how long the app client's sessions are valid, 3 to 15 minutes (%(default)s)",
    )
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="PRICE",
        help="the US dollars for one part of a message, as in sms=0.08, or the URL of a courier, whose max_price is for a whole message; "
        "several URLs as WATCHWORD_COURIER takes them; may be given again",
    )
    parser.add_argument("--strict", action="store_true", help="treat warnings like errors: end with status 1")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--limit", type=positive, default=MAX_STATES, metavar="N", help="examine at most N states (%(default)s)"
    )


def positive(text: str) -> int:
    """Return the whole number that *text* says, 1 or more."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no whole number from 1 on")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts; return 1 if one is an error, or with --strict a warning."""
    if arguments.require is not None and not arguments.require.strip():
        raise ConfigurationError("--require is empty, so it requires nothing: write an expression, or leave it out")
    registry = Registry()
    flow = read_flow(arguments, registry)
    prices = read_prices(arguments.price, registry)
    unseen = _look_at_settings(flow)
    report = check(
        flow,
        require=arguments.require or "",
        session_minutes=arguments.session_minutes,
        limit=arguments.limit,
        progress=Progress("states walked"),
    )
    costs = message_costs(flow, report.figures, prices)
    if arguments.json:
        print(json.dumps(report_as_json(report, unseen, costs), indent=2))
    else:
        _tell(report, unseen, costs, Terminal(), arguments)
    return 1 if report.errors or (arguments.strict and report.warnings) else 0


def _look_at_settings(flow: Flow) -> dict[str, str]:
    """Have each kind look at what its settings name; return why that could not be done here, by the names of the steps.

    Raises:
        ConfigurationError: if a kind refuses its settings.
    """
    unseen: dict[str, str] = {}
    for step in flow.steps.values():
        if not step.powers.prepares:
            continue
        missing = step.powers.remedy()
        if missing:
            unseen[step.name] = f"a module is missing here: {missing}"
            continue
        try:
            step.powers.prepare()
        except ConfigurationError as error:
            raise ConfigurationError(f"step {step.name!r}: {error}") from error
        except Exception as error:  # noqa: BLE001 - a kind may look for something that is only where it runs
            unseen[step.name] = f"that ended with {type(error).__name__} here"
    return unseen


def report_as_json(report: Report, unseen: Mapping[str, str], costs: Sequence[MessageCost] = ()) -> dict[str, object]:
    """Return *report* for `json.dumps`, with the steps whose settings are *unseen*, and what messages cost."""
    return {
        "flow": report.flow.name,
        "states": report.states,
        "transitions": report.transitions,
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "message": each.message,
                "session": None if each.session is None else list(each.session),
                "attributes": dict(each.attributes),
                "client": each.client,
                "enrolled": list(each.enrolled),
                "choice": each.choice,
            }
            for each in report.findings
        ],
        "figures": {**attrs.asdict(report.figures), "channels": costs_as_json(costs)},
        "unseen": dict(unseen),
    }


def as_command(finding: Finding, flow: str) -> str:
    """Return the command that explains the session of *finding*; *flow* is how the flow is named on the command line."""
    words = ["watchword", "explain", flow, *_option("--session", " ".join(finding.session or ()))]
    for name, value in finding.attributes.items():
        words += _option("--attribute", f"{name}={value}")
    words += _option("--client", finding.client) if finding.client else ()
    for kind in finding.enrolled:
        words += ("--enrolled", kind)
    words += _option("--choice", finding.choice) if finding.choice else ()
    return shlex.join(words)


def _option(name: str, value: str) -> tuple[str, ...]:
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


def warn_of_bare_tokens(flow: Flow, screen: Terminal) -> None:
    """Warn of a *flow* that issues tokens without a proof of who signs in; a big one is left to `watchword check`."""
    try:
        finding = unproven(flow, limit=_QUICK)
    except ConfigurationError:
        screen.line(f'the flow "{flow.name}" has many states: let watchword check walk them', "quiet")
        return
    if finding is not None:
        screen.line(f'warning: the flow "{flow.name}": {finding.message}', "warning")


def _tell(
    report: Report,
    unseen: Mapping[str, str],
    costs: Sequence[MessageCost],
    screen: Terminal,
    arguments: argparse.Namespace,
) -> None:
    for each in report.findings:
        screen.line(f"{each.severity:<7} {each.code}  {each.message}", _STYLES[each.severity])
        if each.session is not None:
            screen.line(f"        {as_command(each, arguments.flow)}")
    for name, why in unseen.items():
        screen.line(f"unseen  step {name!r}: what its settings name was not looked at: {why}", "warning")
    screen.line()
    screen.table(
        [
            ("FIGURE", ""),
            *figure_rows(report),
            *rows_of(costs),
        ]
    )
    screen.line()
    walked = f"{report.states:,} states and {report.transitions:,} transitions"
    if report.errors:
        screen.line(f'"{report.flow.name}" is not sound: {_count(report.errors, "error")} in {walked}', "bad")
        return
    warned = report.warnings
    told = f", but --strict refuses {_count(warned, 'warning')}" if warned and arguments.strict else ""
    proved = "; ".join(summary_of(report, arguments.require or ""))
    style = "bad" if told else "good"
    screen.line(f'"{report.flow.name}" is sound{told}. Proved over {walked}: {proved}', style)


def _count(findings: tuple[Finding, ...], word: str) -> str:
    return f"{len(findings)} {word}{'s' * (len(findings) > 1)}"
