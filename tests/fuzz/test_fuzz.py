"""The fuzz targets hold on what they begin with, on drawn bytes, and in a few seconds of fuzzing by coverage."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import targets  # found by the line above

pytestmark = pytest.mark.exhaustive

RUN = Path(__file__).parent / "run.py"
needs_atheris = pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Let no target silence the log for the tests that come after."""
    monkeypatch.setattr(targets.logging, "disable", lambda level: None)


def run(*arguments):
    """Run the command as its users do."""
    command = [sys.executable, str(RUN), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_target_holds_where_fuzzing_begins_and_on_drawn_bytes(name):
    """Without atheris: the seeds, what comes close to them, and a hundred draws."""
    target = targets.target_of(name)
    for seed in target.seeds:
        for data in (seed, seed[:-1], seed + b"\xff", seed[::-1], bytes(255 - byte for byte in seed)):
            target.run(data)

    @settings(max_examples=100)
    @given(st.binary(max_size=300))
    def drawn(data):
        target.run(data)

    drawn()


@needs_atheris
def test_a_few_seconds_of_fuzzing_by_coverage_find_nothing(tmp_path):
    """All targets in one process; the long command is `python tests/fuzz/run.py --seconds N`."""
    ended = run("--target", "everything", "--seconds", 3, "--corpus", tmp_path, "--found", tmp_path / "found")
    assert 0 == ended.returncode, ended.stdout
    inputs, branches = map(int, re.search(r"(\d+) inputs, +(\d+) branches", ended.stdout).groups())
    assert inputs > len(targets.TARGETS)
    assert branches > 100


@needs_atheris
def test_a_finding_is_reported_with_the_line_that_repeats_it(tmp_path):
    """The exit status is 1, the input is kept, and `--repeat` shows the same error."""
    ended = run("--target", "caught", "--seconds", 20, "--corpus", tmp_path, "--found", tmp_path / "found")
    assert 1 == ended.returncode
    artefact = re.search(r"--repeat caught (\S+)", ended.stdout)[1]
    again = run("--repeat", "caught", artefact)
    assert 1 == again.returncode
    assert "AssertionError" in again.stderr
    assert 0 == run("--repeat", "require", artefact).returncode
