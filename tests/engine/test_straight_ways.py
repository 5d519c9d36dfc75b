"""The code reads a session once and with names, and Create and Verify are straight ways: rules that the source is searched for."""

import ast
from pathlib import Path

import pytest

from kit.engine_host import ANN, Host, Mail, Riddle, world
from kit.paths import ROOT
from watchword import Flow, UnavailableError, User, fallback
from watchword.algebra import derivative, evaluation
from watchword.runtime import creation, delivery, engine, services, situation, verification

KNOWN = User("ann", ANN)
MODULES = (creation, delivery, engine, services, situation, evaluation, verification)
LONGEST = 45
SESSIONS = {"rounds", "_rounds", "session", "_session", "reads", "_read"}
"""What a list of rounds is called."""
ROUNDS = {"round", "round_", "last", "before_last"}
"""What a round is called."""
READERS = {"derivative.py", "situation.py"}
"""The derivative, which knows tuples only, and the reader, which alone says which round is which."""


def called(node):
    """Return the name that *node* is written with, that of the list for ``reversed(rounds)``."""
    while isinstance(node, ast.Call) and node.args:
        node = node.args[-1]
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_number(node):
    """Say whether *node* is a whole number, below zero or not."""
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def each_of(loop):
    """Return the names that stand for one round each in *loop*."""
    loops = loop.generators if hasattr(loop, "generators") else [loop] if isinstance(loop, ast.For) else []
    return {one.target.id for one in loops if isinstance(one.target, ast.Name) and called(one.iter) in SESSIONS}


def indexed(node, rounds=frozenset(ROUNDS)):
    """Give each place below *node* where a list of rounds, or a round, is indexed by a number."""
    rounds = rounds | each_of(node)
    if isinstance(node, ast.Subscript) and is_number(node.slice) and called(node.value) in SESSIONS | rounds:
        yield ast.unparse(node)
    for child in ast.iter_child_nodes(node):
        yield from indexed(child, rounds)


def functions(module):
    """Give each function of *module* with its lines."""
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("package", ["engine", "plugins", "adapters"])
def test_no_round_is_indexed_by_a_number(package):
    """A stranger who reads `last.use` need not know the order of a tuple."""
    found = {
        f"{path.relative_to(ROOT)}: {place}"
        for path in (ROOT / package).rglob("*.py")
        if path.name not in READERS
        for place in indexed(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set() == found


@pytest.mark.parametrize(
    "line",
    [
        "rounds[-1]",
        "last[1]",
        "judgement.rounds[0]",
        "any(each[4] for each in rounds)",
        "next(each[4] for each in reversed(self.judgement.rounds) if each[1] == step)",
        "for each in turn.session:\n    each[2]",
        "{round_[0]: 1}",
    ],
)
def test_an_index_is_found(line):
    """In each form in which one was written once."""
    assert list(indexed(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    ["rounds[:-1]", "rounds[place]", "last['claim']", "[each[1] for each in conditions], [each for each in rounds]"],
)
def test_what_is_no_index_of_a_round_by_a_number_is_left_alone(line):
    """Parts of a list, a place that was counted, a name, and other tuples."""
    assert not list(indexed(ast.parse(line)))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_function_fits_a_screen(module):
    """45 lines at most, the docstring among them."""
    assert [] == [(name, lines) for name, lines in functions(module) if lines > LONGEST]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_nothing_is_steered_by_finally_or_by_a_context_manager_of_its_own(module):
    """What must happen on every way out stands on the way: errors are values until then."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try) and node.finalbody]
    assert "contextmanager" not in {called(node) for node in ast.walk(tree)}


def test_a_session_is_folded_once_in_one_create(monkeypatch):
    """One derivative a round; one more where the last is read otherwise, and one to see whether there is another way."""
    calls = []
    for name in ("begin", "after"):
        shipped = getattr(derivative, name)

        def counted(*given, name=name, shipped=shipped):
            calls.append(name)
            return shipped(*given)

        monkeypatch.setattr(derivative, name, counted)
    here = world(Flow(fallback(Mail(), Riddle())))
    host = Host(here, KNOWN)
    host.next()
    for _ in range(3):
        # The code is dead, so its answer is read as a resend request.
        here.clock.advance(200)
        host.answers("00000000")
        calls.clear()
        here.engine.create(host.turn())
        assert ["begin"] + ["after"] * (len(host.session) + 1) == calls
    here.clock.advance(1000)
    here.post.failing = UnavailableError("down", undelivered=True)
    host.session.clear()
    calls.clear()

    assert "unavailable" == here.engine.create(host.turn()).public["error"]
    assert ["begin", "after"] == calls


@pytest.mark.parametrize(
    "module", [services, situation, delivery, creation, verification], ids=lambda each: each.__name__
)
def test_what_the_engine_runs_on_does_not_know_it(module):
    """So that nobody goes round in a circle, not even for a type."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    assert engine.__name__ not in {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
