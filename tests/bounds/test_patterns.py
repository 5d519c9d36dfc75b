"""Every regular expression of the three packages, on hostile text: the work grows with the text and no faster."""

import ast
import re
from pathlib import Path

import pytest

from kit.patterns import PATTERNS, calls_of_re, hostile, modules, slow

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize(("where", "pattern", "method"), PATTERNS, ids=[f"{each[0]} {each[2]}" for each in PATTERNS])
def test_a_pattern_is_linear_on_hostile_text(where, pattern, method):
    """100,000 characters of every sort of repetition, with a beginning that fits and an end that does not."""
    text = slow(pattern, method, hostile())
    assert text is None, f"{where} takes too long on {len(text)} characters like {text[:40]!r}"


def test_patterns_that_explode_are_caught():
    """The measure finds exponential and quadratic work."""
    letters = [lambda size: "a" * size + "!"]
    assert slow(re.compile("(a+)+$"), "match", [lambda size: "a" * min(size, 18) + "!"]) is not None
    assert slow(re.compile(r"(a|b|ab)*c"), "match", [lambda size: "ab" * (min(size, 30) // 2)]) is not None
    assert slow(re.compile(r"a*a*b"), "match", letters) is not None
    assert slow(re.compile(r"a*b"), "search", letters) is not None
    assert slow(re.compile(r"a*b"), "match", letters) is None


def test_every_pattern_of_the_source_is_tried():
    """Each `re.compile` stands in a module's globals, where it is found; what is put together at run time is listed here."""
    put_together = {
        "watchword.loading.flow_file": 3,  # names of settings that a flow, and a block, has, and of classes
        "watchword.testing.leaks": 1,  # a secret, escaped
        "watchword_adapters.cli.commands.trace": 1,  # the reference that is looked for
        "watchword_adapters.userpool.settings": 1,  # the pool's own ids
    }
    texts = {pattern.pattern for _, pattern, _ in PATTERNS}
    loose = {}
    for module in modules():
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))
        outer = {
            id(node)
            for statement in tree.body
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
            for node in ast.walk(statement)
        }
        for call in calls_of_re(tree):
            literal = isinstance(call.args[0], ast.Constant) and call.args[0].value in texts
            if not literal and not (call.func.attr == "compile" and id(call) in outer):
                loose[module.__name__] = loose.get(module.__name__, 0) + 1
    assert {} == {name: count for name, count in loose.items() if put_together.get(name) != count}
    assert len(PATTERNS) > 20
