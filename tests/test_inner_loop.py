"""A bare pytest is the inner loop; `pytest --all` runs everything, and so does continuous integration, in two runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kit.paths import ROOT
from kit.programs import DEMANDED, find_program

pytestmark = pytest.mark.exhaustive

LINE = "pytestmark = pytest.mark." + "exhaustive"
MARKED = sorted(
    path
    for path in (ROOT / "tests").rglob("test_*.py")
    if re.search(LINE.replace("= ", r"= (\[\s*)?"), path.read_text(), re.MULTILINE)
)


def collected(*arguments):
    """The test files that pytest collects, and what it says at the end."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return set(re.findall(r"^(\S+\.(?:py|md)): \d+$", run.stdout, re.MULTILINE)), run


FOLDER = ROOT / "tests" / "attacks"
"""A folder with files of both sorts."""


def names(paths):
    return {path.relative_to(ROOT).as_posix() for path in paths}


def test_exhaustive_files_are_left_out_unless_all_are_asked_for():
    """Of a folder the others run; with --all every one; and the run says that some were left out."""
    everything = names(FOLDER.glob("test_*.py"))
    exhaustive = everything & names(MARKED)
    assert exhaustive
    assert everything - exhaustive
    found, run = collected("tests/attacks")
    assert everything - exhaustive == found
    assert "pytest --all runs" in run.stdout
    found, run = collected("--all", "tests/attacks")
    assert everything == found
    assert "pytest --all runs" not in run.stdout


def test_an_exhaustive_file_that_is_named_runs():
    """Whoever names it wants it."""
    file = "tests/attacks/test_oracle.py"
    assert file in names(MARKED)
    assert collected(file)[0] == {file}


def test_what_is_left_out_is_not_even_imported(tmp_path):
    """Importing takes long too: the mark is read, not run."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_long.py").write_text(f"import pytest\n\n{LINE}\nraise SystemExit('imported')\n")
    (tmp_path / "test_short.py").write_text("def test_short():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--strict-markers"]
    run = subprocess.run([*command, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, True) == (run.returncode, "1 passed" in run.stdout), run.stdout
    run = subprocess.run([*command, "--all", "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 0 != run.returncode
    assert "imported" in run.stdout + run.stderr


PROPERTIES = """
from hypothesis import given, settings, strategies as st

drawn = {"default": 0, "own": 0}

@given(st.integers())
def test_default(number):
    drawn["default"] += 1

@settings(max_examples=40)
@given(st.integers())
def test_own(number):
    drawn["own"] += 1

def test_both():
    print(drawn)
"""


@pytest.mark.parametrize(
    ("arguments", "drawn"),
    [
        ([], (25, 10)),
        (["--all"], (100, 40)),
        (["test_properties.py"], (100, 40)),
    ],
)
@pytest.mark.parametrize("cores", ["0", "1"])
def test_the_inner_loop_draws_a_quarter_of_the_examples(tmp_path, arguments, drawn, cores):
    """Of each property, also where it says how many; in workers too; and never where the file is named."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = test_properties.py\naddopts = --dist=loadfile\n")
    (tmp_path / "test_properties.py").write_text(PROPERTIES)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", cores, "-rP", *arguments]
    run = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    default, own = drawn
    assert str({"default": default, "own": own}) in run.stdout, run.stdout + run.stderr


PLAIN = "def test_plain():\n    pass\n\n\nclass TestPlain:\n    def test_in_class(self):\n        pass\n"


@pytest.mark.parametrize("cores", ["0", "1"])
def test_the_rest_is_all_that_the_inner_loop_leaves_out(tmp_path, cores):
    """The exhaustive files, and the properties with all their examples; what ran in full does not run again."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = .\naddopts = --dist=loadfile --strict-markers\n")
    (tmp_path / "test_properties.py").write_text(
        PROPERTIES.replace("def test_both", "@given(st.just(1))\ndef test_both")
    )
    (tmp_path / "test_properties.py").write_text(PROPERTIES.replace("test_both()", "test_both(capsys)"))
    (tmp_path / "test_plain.py").write_text(PLAIN)
    (tmp_path / "test_long.py").write_text(f"import pytest\n\n{LINE}\n\n\n{PLAIN.replace('plain', 'long')}")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", cores, "-rp"]
    ran = {}
    for option in ((), ("--rest",), ("--all",)):
        run = subprocess.run(
            [*command, *option], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert 0 == run.returncode, run.stdout + run.stderr
        ran[option] = {*re.findall(r"^PASSED (\S+)", run.stdout, re.MULTILINE)}
    properties = {f"test_properties.py::test_{name}" for name in ("default", "own")}
    assert {each for each in ran["--rest",] if "long" in each} | properties == ran["--rest",]
    assert ran[()] & ran["--rest",] == properties
    assert ran[()] | ran["--rest",] == ran["--all",]


def test_a_page_can_be_marked_too():
    """Some pages run pytest many times."""
    found, _ = collected("docs/how-to")
    assert "docs/how-to/unit-test-a-flow-policy.md" not in found
    assert "docs/how-to/check-a-flow.md" in found


def test_the_mark_is_of_a_whole_file():
    """On a single test, or written otherwise, it would leave nothing out."""
    for path in (ROOT / "tests").rglob("*.py"):
        if "node_modules" not in path.parts and path != Path(__file__):
            marks = re.findall(r"mark\.exhaustive", path.read_text())
            assert len(marks) == (path in MARKED), path


def test_readme_has_the_inner_loop_and_continuous_integration_runs_both():
    """README's test line is a bare pytest; `.ci/run` runs it, and after it what it leaves out."""
    readme = (ROOT / "README.md").read_text()
    assert len(re.findall(r"^python3 -m venv .* -m pytest$", readme, re.MULTILINE)) == 1
    assert "pytest --all" in readme
    steps = (ROOT / ".ci" / "run").read_text()
    assert steps.index('bash -euo pipefail -c "${lines[0]}"') < steps.index("-m pytest --rest")


def test_programs_of_others_are_demanded_by_continuous_integration_alone():
    """Elsewhere a test without its program is skipped. No test asks in a way of its own, so none is passed over there."""
    steps = (ROOT / ".ci" / "run").read_text()
    assert f"export {DEMANDED}=1\n" in steps
    for path in (ROOT / "tests").rglob("*.py"):
        if "node_modules" not in path.parts and path.name != "programs.py":
            source = path.read_text()
            assert not re.search(r"skip(if)?\([^)]*which\(", source), path
            for name in re.findall(r"find_program\(\"(\w+)\"", source):
                assert name in steps, name


@pytest.mark.parametrize("demanded", ["1", ""])
def test_a_test_without_its_program_is_skipped_or_fails_where_it_is_demanded(monkeypatch, demanded):
    """And says what to do."""
    monkeypatch.setenv(DEMANDED, demanded)
    with pytest.raises(pytest.fail.Exception if demanded else pytest.skip.Exception) as ended:
        find_program("no-such-program", remedy="write it")
    assert "no-such-program is not on the path: write it" in str(ended.value)


@pytest.mark.parametrize("given", ["", "-n0", "-n1"])
def test_a_bare_run_goes_over_all_cores_unless_it_says_otherwise(tmp_path, given):
    """A number of processes that is given is kept, and coverage, which sees one process only, gets one."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_short.py").write_text(
        "import os\n\n\ndef test_short():\n    print('worker', os.environ.get('PYTEST_XDIST_WORKER_COUNT', 'none'))\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rP", *filter(None, [given])]
    kept = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}

    def workers(**more):
        run = subprocess.run(
            command, cwd=tmp_path, env=environment(**kept, **more), capture_output=True, text=True, check=True
        )
        return re.search(r"^worker (\w+)$", run.stdout, re.MULTILINE)[1]

    assert {"": "2", "-n0": "none", "-n1": "1"}[given] == workers()
    if not given:
        assert "none" == workers(COVERAGE_RUN="true")


def environment(**more):
    """The environment of this run, without its own settings for pytest and coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    return {**kept, **more}
