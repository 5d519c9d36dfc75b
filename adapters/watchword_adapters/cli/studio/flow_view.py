"""What the studio shows of a flow's text: the diagram, the findings beside their lines, the figures; or why it is no flow."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

from watchword.algebra.flow import Flow
from watchword.analysis.checks import check
from watchword.analysis.diagram import collapsed
from watchword.analysis.findings import Finding, Report, summary_of
from watchword.analysis.state_space import Exploration
from watchword.errors import ConfigurationError
from watchword.loading.flow_file import flow_from_text
from watchword.loading.registry import Registry
from watchword.loading.toml_positions import lines_of
from watchword_adapters.cli.figure_rows import figure_rows
from watchword_adapters.cli.messages.message_costs import MessagePrice, message_costs, rows_of
from watchword_adapters.cli.studio.played_sessions import Stop, played_words
from watchword_adapters.drawing.svg import svg
from watchword_adapters.poolserver.pages import needs_password

MOST_WALKED = 20_000
"""The most states that are walked while somebody types."""

_MOST_STEPS = 60

_LINE = re.compile(r", line (\d+): ")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_AT_END = "(at end of document)"
_QUOTED = re.compile(r"'([a-z][a-z0-9_]{1,31})'")


@frozen
class FlowView:
    """A text that was read: its *flow* and what `check` says of it, or the *error* and its *line* (the first if it has none).

    *too_large* says that it is a flow, with too many steps or states for the studio.
    """

    text: str = field(repr=False)
    flow: Flow | None = None
    report: Report | None = field(default=None, repr=False)
    error: str = ""
    line: int = 1
    too_large: bool = False

    def shown(self) -> dict[str, Any]:
        """Return it for the page."""
        if self.flow is None or self.report is None:
            return {"error": self.error, "line": self.line, "too_large": self.too_large}
        report = self.report
        lines = step_lines(self.text)
        return {
            "name": self.flow.name,
            "flow": self.flow.fingerprint,
            "steps": {
                name: {"kind": step.kind.kind, "line": lines.get(name, 0)} for name, step in self.flow.steps.items()
            },
            **drawn(report.exploration),
            "findings": [_finding(each, report.exploration, lines) for each in report.findings],
            "figures": list(figure_rows(report)),
            "states": report.states,
            "sound": not report.errors,
            "summary": "" if report.errors else "; ".join(summary_of(report)),
            "password": report.password,
            "needs_password": needs_password(self.flow),
        }


def view_of(text: str, path: Path, registry: Registry, session_minutes: float = 3) -> FlowView:
    """Return what *text*, the content of the file at *path*, is; kinds are found by *registry*. It never raises.

    *session_minutes* is how long the host waits for an answer.
    """
    try:
        flow = flow_from_text(text, path, registry)
    except ConfigurationError as error:
        said = str(error).removeprefix(f"{path}").lstrip(", :")
        found = _LINE.search(str(error)) or _AT_LINE.search(said)
        last = len(text.split("\n")) if said.endswith(_AT_END) else 1
        return FlowView(
            text, error=re.sub("^(is no TOML|has more)", r"it \1", said), line=int(found[1]) if found else last
        )
    if len(flow.steps) > _MOST_STEPS:
        return FlowView(text, error=f"it has {len(flow.steps)} steps, {_MOST_STEPS} at most are shown", too_large=True)
    try:
        return FlowView(text, flow, check(flow, session_minutes=session_minutes, limit=MOST_WALKED))
    except ConfigurationError as error:
        return FlowView(text, error=str(error), too_large=True)


def money_of(view: FlowView, prices: Mapping[str, MessagePrice]) -> list[tuple[str, str]]:
    """Return the rows that tell what the messages of the flow of *view* cost at these *prices*.

    This takes longer than all else: a kind writes its messages in each language.
    """
    if view.flow is None or view.report is None:
        return []
    channels = {each.channel for each in view.report.figures.channels}
    used = {channel: price for channel, price in prices.items() if channel in channels}
    return list(rows_of(message_costs(view.flow, view.report.figures, used)))


def drawn(exploration: Exploration) -> dict[str, str]:
    """Return the diagram for the page, or why there is none."""
    try:
        return {"svg": svg(collapsed(exploration), style=False), "undrawn": ""}
    except ConfigurationError as error:
        return {"svg": "", "undrawn": str(error)}


@lru_cache(maxsize=8)
def step_lines(text: str) -> Mapping[str, int]:
    """Return the line on which each step of the flow *text* begins."""
    try:
        tables = dict(_steps(tomllib.loads(text), ()))
    except (ValueError, RecursionError):
        return {}
    lines = lines_of(text)
    return {
        name: next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), 0)
        for name, path in tables.items()
    }


def _steps(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Give the names of the steps in *value*, with where each stands."""
    if isinstance(value, list):
        for place, each in enumerate(cast("list[object]", value)):
            yield from _steps(each, (*path, place))
    if not isinstance(value, dict):
        return
    table = cast("dict[str, object]", value)
    enrolled = table.get("enrol")
    if isinstance(table.get("kind"), str):
        yield str(table.get("name", table["kind"])), path
    elif isinstance(enrolled, dict):
        kind = cast("dict[str, object]", enrolled).get("kind")
        yield str(table.get("name", f"enrol_{kind}")), path
    else:
        for key, each in table.items():
            yield from _steps(each, (*path, key))


def _finding(finding: Finding, exploration: Exploration, lines: Mapping[str, int]) -> dict[str, Any]:
    """Return *finding* with the line of the first step that it names, else of what it is about."""
    named = [name for name in _QUOTED.findall(finding.message) if name in lines]
    played = [word.rstrip("+-~!").rpartition(":")[2] for word in finding.session or ()]
    where = next((lines[name] for name in (*named, *(name for name in played if name in lines))), 0)
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "line": where,
        "rounds": None if finding.session is None else _played(finding, exploration),
    }


def _played(finding: Finding, exploration: Exploration) -> list[Stop]:
    return played_words(
        exploration,
        finding.session or (),
        attributes=finding.attributes,
        client=finding.client,
        choice=finding.choice,
        enrolled=finding.enrolled,
    )
