"""`watchword check`: the verdicts on a flow, each with its evidence, before anybody deploys it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import attrs

from watchword.exploration import MAX_STATES
from watchword.verdicts import CODES, MAX_SOLE_FACTOR, Report, check
from watchword_adapters.cli.flow_argument import add_flow, read_flow
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.screen import Screen

_STYLES = {"error": "bad", "warning": "warning", "note": ""}
_EPILOG = """\
EXPR is made of knowledge, possession, inherence, names of kinds and password, with and, or and brackets. Under a verdict
stands the shortest session that shows it; watchword explain FLOW --session tells more about it. Each code has its heading
in docs/reference/findings.md. The status is 1 if there is an error, 2 if the flow cannot be read, else 0.

example:
  watchword check docs/examples/flows/srp_then_code.toml --require "knowledge and possession\""""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword check`."""
    parser.description = "Walk every state of a flow and say whether it can be cheated, where it sticks, what it costs."
    parser.epilog = _EPILOG
    add_flow(parser)
    parser.add_argument("--require", default="", metavar="EXPR", help="what every path to tokens must prove")
    parser.add_argument(
        "--session-minutes",
        type=float,
        default=3,
        metavar="N",
        help="how long the app client's sessions are valid, 3 to 15 minutes (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--limit", type=positive, default=MAX_STATES, metavar="N", help="walk at most so many states (%(default)s)"
    )


def positive(text: str) -> int:
    """Return the whole number that *text* says, 1 or more."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no whole number from 1 on")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts; return 1 if one is an error."""
    report = check(
        read_flow(arguments),
        require=arguments.require,
        session_minutes=arguments.session_minutes,
        limit=arguments.limit,
        progress=Progress("states walked"),
    )
    if arguments.json:
        print(json.dumps(as_json(report), indent=2))
    else:
        _tell(report, Screen(), arguments.require)
    return 1 if report.errors else 0


def as_json(report: Report) -> dict[str, object]:
    """Return *report* for `json.dumps`."""
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
            }
            for each in report.findings
        ],
        "figures": attrs.asdict(report.figures),
    }


def _tell(report: Report, screen: Screen, require: str) -> None:
    for each in report.findings:
        screen.line(f"{each.severity:<7} {each.code}  {each.message}", _STYLES[each.severity])
        if each.session is not None:
            screen.line(f'        session "{" ".join(each.session)}"')
    figures = report.figures
    screen.line()
    screen.table(
        [
            ("FIGURE", ""),
            ("longest path", f"{figures.longest_path} rounds"),
            ("guessed in a sign-in", f"{figures.guess_per_sign_in:.1e}"),
            ("guessed in a user-day", f"{figures.guess_per_user_day:.1e}"),
            ("guessed in a user-year", f"{figures.guess_per_user_year:.1e}"),
            ("messages in a sign-in", f"{figures.messages_per_sign_in} at most"),
            ("messages in a user-day", f"{figures.messages_per_user_day} at most"),
            ("sign-ins that lock mail", str(figures.sign_ins_to_lock_mail or "none")),
        ]
    )
    screen.line()
    walked = f"{report.states:,} states and {report.transitions:,} transitions"
    if report.errors:
        count = len(report.errors)
        screen.line(f'"{report.flow.name}" is not sound: {count} error{"s" * (count > 1)} in {walked}', "bad")
        return
    proved = "; ".join(_proved(report, require))
    screen.line(f'"{report.flow.name}" is sound. Proved over {walked}: {proved}', "good")


def _proved(report: Report, require: str) -> Iterator[str]:
    """Give what holds in every state walked; a finding that was accepted is named, and nothing is claimed of it."""
    found = {each.code for each in report.findings}
    required = " and ".join(f"({text})" for text in (report.flow.require, require) if text.strip())
    claims = {
        "WW101": "tokens need proof of who signs in",
        "WW102": f"every path meets {required}" if required else "",
        "WW103": "no resend and no choice weakens it",
        "WW104": "no condition asks by what users can change",
        "WW105": f"every state ends, after {report.figures.longest_path} rounds at most",
        "WW106": "every resend comes within the session",
        "WW107": f"no sole factor is guessed above {MAX_SOLE_FACTOR:g} a user-day",
    }
    yield from (claim for code, claim in claims.items() if claim and code not in found)
    accepted = [code for code in CODES if code in found and code in report.flow.accept]
    if accepted:
        yield f"accepted: {', '.join(accepted)}"
