"""Programs that others wrote and that tests run. A test without its program is skipped, and fails where all are demanded."""

import os
import shutil

import pytest

from kit.paths import TESTS

CLIENTS = TESTS / "clients"
DEMANDED = "WATCHWORD_REQUIRE_PROGRAMS"
"""The variable by which continuous integration demands every program: there, nothing is skipped for want of one."""


def find_program(*names, remedy):
    """The path of the first of *names* that is installed; without any, what `go_without` does."""
    path = next(filter(None, map(shutil.which, names)), None)
    return path or go_without(f"{names[0]} is not on the path: {remedy}")


def go_without(reason):
    """Skip the test for this *reason*, or fail it where all programs are demanded."""
    if os.environ.get(DEMANDED) == "1":
        pytest.fail(f"{DEMANDED} is set, and {reason}")
    pytest.skip(reason)


def find_node(*packages):
    """The path of Node.js, with these npm packages beside the tests of clients."""
    node = find_program("node", remedy="install Node.js 20 or newer")
    missing = [name for name in packages if not (CLIENTS / "node_modules" / name).exists()]
    return go_without(f"{missing[0]} is not installed: run tests/clients/install") if missing else node
