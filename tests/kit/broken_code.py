"""Deliberately broken code: one function of what is shipped, with a piece of its source replaced for a while."""

import inspect
import textwrap
from contextlib import contextmanager


@contextmanager
def broken(function, old, new):
    """Have *function* run with *old* in its source replaced by *new*."""
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    assert 1 == source.count(old), "the twin is out of date"
    source = source[source.index("def ") :].replace(old, new)
    space = {}
    exec(
        compile("from __future__ import annotations\n" + source, function.__code__.co_filename, "exec"),
        function.__globals__,
        space,
    )
    before, function.__code__ = function.__code__, space[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = before
