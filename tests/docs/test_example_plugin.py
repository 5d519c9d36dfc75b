"""The example plugin as a stranger's distribution: built, installed, found, and tested by its own tests."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kit.paths import EXAMPLES

pytestmark = pytest.mark.exhaustive

EXAMPLE = EXAMPLES / "plugin"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]


def run(*command, **environment):
    """What *command* prints; what it complains about fails the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    done = subprocess.run([*map(str, command)], env=kept | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the example, so that building leaves nothing behind."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "dist", "build")
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "plugin", ignore=ignored))


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory):
    """The example's wheel, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(*PIP, "wheel", "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", folder, project)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder with nothing but the installed example."""
    folder = tmp_path_factory.mktemp("site")
    run(*PIP, "install", "--no-index", "--no-deps", "--target", folder, wheel)
    return folder


def test_the_wheel_holds_one_module_and_one_entry_point(wheel):
    """Tests and flows stay out; the entry point is named as the kind."""
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if ".dist-info/" not in name]
        entry_points = archive.read("watchword_riddle-0.1.0.dist-info/entry_points.txt").decode()

    assert ["watchword_riddle.py"] == files
    assert ["[watchword]", "riddle = watchword_riddle"] == entry_points.split("\n")[:2]


def test_an_installed_kind_is_found_by_a_flow(site, project):
    """`kind = "riddle"` is all that a flow needs to say."""
    program = (
        "import sys; from watchword import load_flow, sequence; from watchword_plugins.srp import Srp; "
        "flow = load_flow(sys.argv[1]); from watchword_riddle import Riddle; "
        "assert flow.body == sequence(Srp(), Riddle('What has keys and opens no lock?', 'a piano')), flow; "
        "print(*flow.steps)"
    )

    assert "riddle\n" == run(sys.executable, "-W", "error", "-c", program, project / "flow.toml", PYTHONPATH=str(site))


def test_an_installed_kind_is_listed_with_its_distribution(site):
    """The operator sees whose code takes part in the sign-in."""
    program = (
        "from watchword.loading.registry import Registry; "
        "print(*((k.distribution, k.version, k.error) for k in Registry().installed_kinds() if k.name == 'riddle'))"
    )

    assert "('watchword-riddle', '0.1.0', '')\n" == run(sys.executable, "-c", program, PYTHONPATH=str(site))


def test_a_kind_that_is_not_installed_is_not_found(project):
    """The example is on nobody's path by accident: the tests above owe everything to its installation."""
    program = (
        "import sys; from watchword import ConfigurationError, load_flow\n"
        "try: load_flow(sys.argv[1])\n"
        "except ConfigurationError as error: print(error)"
    )
    told = run(sys.executable, "-c", program, project / "flow.toml", PYTHONPATH="")

    assert "line 7: steps[1].kind: no kind 'riddle' is installed" in told


def test_the_example_passes_its_own_tests(site, project):
    """Among them is the contract suite that every kind must pass."""
    command = (sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "-q")
    told = run(*command, "--rootdir", project, "-c", os.devnull, project / "tests", PYTHONPATH=str(site))

    assert " passed" in told
    assert " failed" not in told


def test_the_flow_in_the_readme_is_the_flow_that_is_tested():
    """A reader who copies the block gets what the tests have seen."""
    block = EXAMPLE.joinpath("README.md").read_text().split("```toml\n")[1].split("```")[0]

    assert block in EXAMPLE.joinpath("flow.toml").read_text()


def test_the_kind_is_short():
    """A new kind is some twenty lines of code; what is longer is no first example."""
    source = EXAMPLE.joinpath("watchword_riddle.py").read_text()
    body = source[source.index("@frozen") : source.index("def folded")]
    lines = [line for line in body.splitlines() if line.strip() and not line.strip().startswith(("#", '"""'))]

    assert len(lines) <= 20
