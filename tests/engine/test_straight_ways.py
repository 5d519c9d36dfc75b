"""Create and Verify are straight ways: rules that the source is searched for."""

import ast
from pathlib import Path

import pytest

from kit.engine_host import ANN, Host, Mail, Riddle, world
from programs.house import LONGEST_FUNCTION, called
from watchword import Flow, UnavailableError, User, fallback
from watchword.algebra import derivative, evaluation
from watchword.runtime import creation, delivery, engine, services, situation, verification

KNOWN = User("ann", ANN)
MODULES = (creation, delivery, engine, services, situation, evaluation, verification)


def functions(module):
    """Give each function of *module* with its lines."""
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_function_fits_a_screen(module):
    """45 lines at most, the docstring among them."""
    assert [] == [(name, lines) for name, lines in functions(module) if lines > LONGEST_FUNCTION]


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
        here.engine.create(host.request())
        assert ["begin"] + ["after"] * (len(host.session) + 1) == calls
    here.clock.advance(1000)
    here.post.failing = UnavailableError("down", undelivered=True)
    host.session.clear()
    calls.clear()

    assert "unavailable" == here.engine.create(host.request()).public["error"]
    assert ["begin", "after"] == calls


@pytest.mark.parametrize(
    "module", [services, situation, delivery, creation, verification], ids=lambda each: each.__name__
)
def test_what_the_engine_runs_on_does_not_know_it(module):
    """So that nobody goes round in a circle, not even for a type."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    assert engine.__name__ not in {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
