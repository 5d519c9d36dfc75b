"""The kinds that come along are written as those of strangers are: by what is public, and the engine knows none of them."""

import ast

import pytest

from programs.house import HOUSE

OWN = "watchword_plugins"
DOORS = {"watchword", "watchword.contract"}
KINDS = sorted(name.partition(".")[2] for name in HOUSE.trees if name.startswith(f"{OWN}.") and name.count(".") == 1)


def asked_for(module):
    """The modules of Watchword that *module* imports, whole names."""
    nodes = list(ast.walk(HOUSE.trees[module]))
    names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.partition(".")[0].startswith("watchword")}


@pytest.mark.parametrize("module", sorted(name for name in HOUSE.trees if name.startswith(OWN)))
def test_our_kinds_import_what_strangers_import(module):
    """Two modules of the engine, and what is their own."""
    assert set() == {name for name in asked_for(module) if name.partition(".")[0] != OWN} - DOORS


def test_the_engine_names_none_of_our_kinds():
    """No rule of the engine is for a kind by its name, but for the password, whose rounds the host runs itself."""
    ours = {*KINDS} - {"srp", "webauthn"}
    named = {
        f"{module}: {node.value}"
        for module, tree in HOUSE.trees.items()
        if module.partition(".")[0] == "watchword" and not module.startswith("watchword.testing")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ours
    }
    assert set() == named
