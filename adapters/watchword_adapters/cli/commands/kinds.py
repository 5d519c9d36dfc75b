"""`watchword kinds`: the kinds of challenge that are installed, who brings each, and what it proves."""

from __future__ import annotations

import argparse
import json

from attrs import evolve

from watchword.contract import powers_of
from watchword.errors import ConfigurationError
from watchword.loading.flow_file import make_kind
from watchword.loading.registry import InstalledKind, Registry
from watchword_adapters.cli.messages.made_up_message import made_up_settings
from watchword_adapters.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword kinds`."""
    parser.description = (
        "List the kinds of challenge that are installed: the distribution of each, what it proves, and what is missing."
    )
    parser.epilog = "example:\n  watchword kinds --json"
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """List the kinds. One that cannot be used is listed as such; the status is 0 all the same."""
    registry = Registry()
    installed = [_set_up(each, registry) for each in registry.installed_kinds()]
    if arguments.json:
        print(json.dumps([_as_json(each) for each in installed], indent=2))
        return 0
    screen = Terminal()
    rows = [("KIND", "PROVES", "FROM", "STATE")]
    rows += [
        (each.name, _proves(each), f"{each.distribution} {each.version}".strip(), _state(each)) for each in installed
    ]
    screen.table(rows)
    for each in installed:
        if each.error:
            screen.line()
            screen.line(f"{each.name} is broken: {each.error}", "bad")
        elif each.remedy:
            screen.line()
            screen.line(f"{each.name} needs more than is installed: {each.remedy}", "warning")
    return 0


def _set_up(kind: InstalledKind, registry: Registry) -> InstalledKind:
    """Return *kind*, with the reason if it cannot be set up as far as its settings are known: a library that is too old, for example."""
    if kind.error or kind.remedy:
        return kind
    try:
        found = registry.find_kind(kind.name)
        powers = powers_of(make_kind(found, made_up_settings(found, {})))
    except ConfigurationError:
        return kind  # it needs settings that nobody can make up
    try:
        powers.prepare()
    except ConfigurationError as error:
        return evolve(kind, error=str(error))
    except (Exception, SystemExit):  # noqa: BLE001 - a kind may look for something that is only where it runs
        return kind
    return kind


def _as_json(kind: InstalledKind) -> dict[str, object]:
    return {
        "name": kind.name,
        "distribution": kind.distribution,
        "version": kind.version,
        "module": kind.module,
        "proves": None if kind.proves is None else sorted(kind.proves),
        "remedy": kind.remedy,
        "error": kind.error,
        "usable": not (kind.remedy or kind.error),
    }


def _proves(kind: InstalledKind) -> str:
    if kind.error:
        return "?"
    return "as its settings say" if kind.proves is None else ", ".join(sorted(kind.proves)) or "nothing"


def _state(kind: InstalledKind) -> str:
    if kind.error:
        return "broken"
    return "incomplete" if kind.remedy else "ready"
