"""A folder that is empty, an environment that has what `pip install 'watchword[all]'` gives, and nothing of the checkout."""

import os
import sys
from pathlib import Path

import pytest
from pages import Reader

CHECKOUT = Path(__file__).parents[2]
sys.path.append(str(CHECKOUT / "tests"))  # for the emulator of AWS, which the other tests use too
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


@pytest.fixture
def cloud(tmp_path_factory):
    """The endpoint of an emulator of AWS, as empty as a new account: the page names its stack."""
    from kit.emulator import emulator
    from kit.programs import find_program

    find_program("aws", remedy="give the package awscli a venv of its own")
    with emulator(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield endpoint


@pytest.fixture
def deployer(tmp_path, outside, cloud):
    """Somebody in an empty folder whose command line of AWS talks to the emulator."""
    settings = {
        "AWS_ENDPOINT_URL": cloud,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BUCKET": f"zips-{os.urandom(4).hex()}",
        "SENDER": "login@example.com",
    }
    with Reader(tmp_path, outside | settings) as somebody:
        yield somebody
