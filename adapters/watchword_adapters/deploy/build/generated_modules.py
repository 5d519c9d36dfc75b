"""Writes the modules that a build generates: a fixed text, into which values go as literals and in no other way."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from watchword.errors import ConfigurationError


def written(pattern: str, values: Mapping[str, object]) -> bytes:
    """Return the module *pattern* with *values* in it: its line ``NAME = ...`` becomes ``NAME = `` and the value's literal.

    What was written is parsed, and must be the *pattern* with these values and nothing else. So a text of a flow, whatever
    is in it, stays a text.

    Raises:
        ConfigurationError: if a value is no plain one.
    """
    text = pattern
    for name, value in values.items():
        text = text.replace(f"\n{name} = ...\n", f"\n{name} = {_literal(value)}\n")
    tree, expected = ast.parse(text), ast.parse(pattern)
    taken = {name: _take(tree, name) for name in values}
    for name in values:
        _take(expected, name)
    same = ast.dump(tree) == ast.dump(expected)
    if not same or any(repr(ast.literal_eval(node)) != repr(values[name]) for name, node in taken.items()):
        raise ConfigurationError(
            "the generated module does not have the intended values, which is a defect: report it, with the flow"
        )
    return text.encode()


def _literal(value: object) -> str:
    text = ascii(value)
    try:
        same = repr(ast.literal_eval(text)) == repr(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        same = False
    if not same:
        raise ConfigurationError("a step's settings are no plain values, so the flow cannot be written down for Define")
    return text


def _take(tree: ast.Module, name: str) -> ast.expr:
    """Return the value that *tree* gives to *name*, and leave nothing in its place."""
    (found,) = [
        each
        for each in tree.body
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id == name
    ]
    value, found.value = found.value, ast.Constant(...)
    return value
