"""A folder that is empty, an environment that has what `pip install 'watchword[all]'` gives, and nothing of the checkout."""

import os
import sys
from pathlib import Path

import pytest
from pages import Reader

CHECKOUT = Path(__file__).parents[2]
WHEELS = os.environ.get("WATCHWORD_WHEELS", "")
"""The folder with the wheels of Watchword and of all that it needs; `.ci/wheel` makes it."""


def pytest_configure(config):
    """Refuse to run anywhere else than in an environment that `.ci/wheel` made."""
    if not WHEELS or not list(Path(WHEELS).glob("watchword-*.whl")):
        raise pytest.UsageError("WATCHWORD_WHEELS names no folder with Watchword's wheel: run .ci/wheel")


@pytest.fixture(scope="session")
def outside():
    """The environment variables of somebody who has this environment activated, and nothing else."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "VIRTUAL_ENV": sys.prefix,
        # What the pages install comes from this folder: the wheel under test, and the versions that were fetched with it.
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": WHEELS,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_QUIET": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
    }


@pytest.fixture
def reader(tmp_path, outside):
    """Somebody in an empty folder."""
    with Reader(tmp_path, outside) as somebody:
        yield somebody
