"""What is shared has one place: a name is imported from where it is defined, and threads are started where that is said."""

import ast

import pytest

from kit.paths import ROOT
from programs.house import HOUSE

STARTS = {
    "watchword.testing.couriers": "sends from many threads at once, and has one hang that the test ends",
    "watchword.testing.ledger_calls": "races for budgets and claims",
    "watchword_adapters.attacks.families.answers": "races for one answer",
    "watchword_adapters.attacks.families.credential_stores": "races for one credential",
    "watchword_adapters.attacks.families.held_credentials": "races for one use",
    "watchword_adapters.attacks.families.rate_limits": "races for budgets",
    "watchword_adapters.attacks.families.ledgers": "races for budgets in each ledger",
    "watchword_adapters.attacks.families.tickets": "races for one ticket",
    "watchword_adapters.cli.commands.studio": "opens the browser",
    "watchword_adapters.cli.commands.serve": "opens the browser, and looks for changes of files",
    "watchword_adapters.clock": "runs what may hang, in time: `Clock.call`",
    "watchword_adapters.aws.keys_in_aws": "asks for two secrets at once, under the time limits of the client",
    "watchword_adapters.poolserver.http.server": "serves",
    "watchword_adapters.poolserver.http.worker_threads": "serves",
}
"""The modules that start threads, and what for. One alone limits the time of a call."""


def defined(tree):
    """The names that a module defines, or lists in `__all__` as its own."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=listed)):
                names |= {each.value for each in listed}
    return names


def imports(tree):
    """The names that a module imports from others of the three packages: module and name."""
    return {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in HOUSE.paths
        for alias in node.names
    }


def readers():
    yield from HOUSE.trees.items()
    for path in (ROOT / "tests").rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def test_each_name_is_imported_from_where_it_is_defined():
    """Or from where `__all__` offers it: no module keeps a name that it has not defined for others to find."""
    homes = {name: defined(tree) for name, tree in HOUSE.trees.items()}
    stray = {
        f"{reader}: {module}.{name}"
        for reader, tree in readers()
        for module, name in imports(tree)
        if name not in homes[module] and f"{module}.{name}" not in HOUSE.paths
    }
    assert set() == stray


@pytest.mark.parametrize("name", sorted({*HOUSE.paths, *STARTS}))
def test_threads_are_started_where_that_is_said(name):
    """What may hang runs through the clock, whose time is virtual in tests: no module limits calls by threads of its own."""
    starts = any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", None))
        in {"Thread", "Timer", "ThreadPoolExecutor", "start_new_thread", "run_in_executor", "to_thread"}
        for node in ast.walk(HOUSE.trees[name])
    )
    assert (name in STARTS) is starts
