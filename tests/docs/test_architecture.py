"""The page on the architecture says what the code does: the drawing, the modules of each room, the calls of each event."""

import ast
import re

import pytest

from kit.paths import DOCS
from programs.house import HOUSE, LAYERS, part_of

PAGE = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
WAYS = {
    title: re.findall(r"^\d+\. `([\w.]+)`", text, re.MULTILINE)
    for title, text in re.findall(r"^### (\w+):.*?\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def home_of(dotted):
    """The module that *dotted*, a function or a method, is in."""
    return next(module for module in sorted(HOUSE.trees, reverse=True) if dotted.startswith(f"{module}."))


def is_defined(dotted):
    """Say whether there is such a function, or such a method of a class."""
    module = home_of(dotted)
    *owner, name = dotted.removeprefix(f"{module}.").split(".")
    body = HOUSE.trees[module].body
    for each in owner:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == each), [])
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in body)


def called_in(module):
    """The names of what is called, or handed on as a function, in *module*."""
    nodes = list(ast.walk(HOUSE.trees[module]))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def test_the_drawing_is_that_of_today():
    """Whoever changes an arrow draws anew: `python tests/programs/house.py --draw`."""
    assert HOUSE.drawing() == re.findall(r"```mermaid\n(.*?)\n```", PAGE, re.DOTALL)[0]


@pytest.mark.parametrize("room", [room for floor in LAYERS for room in floor if room not in {"errors", "testing"}])
def test_each_module_of_a_room_is_in_its_row(room):
    """The table names what each room holds, and nothing else."""
    row = re.search(rf"^\| `{room}` \|(.*)\|$", PAGE, re.MULTILINE)
    modules = {name.rpartition(".")[2] for name in HOUSE.trees if part_of(f"watchword.{room}", name)}
    assert modules == set(re.findall(r"`(\w+)`", row[1]))


def test_there_is_a_way_for_each_event():
    """Three functions, three lists."""
    assert ["Define", "Create", "Verify"] == list(WAYS)


@pytest.mark.parametrize("event", WAYS)
def test_each_hop_is_called_by_one_before_it(event):
    """It exists, and the module of an earlier hop calls it."""
    way = WAYS[event]
    assert [] == [hop for hop in way if not is_defined(hop)]
    for place, hop in enumerate(way[1:], 1):
        earlier = {name for before in way[:place] for name in called_in(home_of(before))}
        assert hop.rpartition(".")[2] in earlier, hop


def test_the_packages_of_the_adapters_are_in_the_table():
    """Each room below them, by its name."""
    table = PAGE.partition("## Adapters")[2]
    ours = {
        name.rpartition(".")[2]
        for name in HOUSE.trees
        if name.startswith("watchword_adapters.") and HOUSE.is_package(name)
    }
    assert set() == ours - set(re.findall(r"`(\w+)`", table))
