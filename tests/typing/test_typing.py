"""Kinds of each form pass both type checkers in strict mode, and what is no power passes neither."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from runpy import run_path
from shutil import which

import pytest

from watchword.contract.powers import powers_of

pytestmark = pytest.mark.exhaustive

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
FILES = ("kinds_of_each_form.py", "no_powers.py")


@cache
def said_by(checker: str) -> str:
    """Run *checker* once on both files; return what it says."""
    program = which(checker, path=BIN)
    if program is None:
        pytest.skip(f"{checker} is not installed: pip install 'watchword[dev]'")
    files = [str(HERE / name) for name in FILES]
    commands = {
        "mypy": [program, "--strict", "--no-error-summary", "--cache-dir", "/dev/null", *files],
        "pyright": [program, "--pythonpath", sys.executable, "--project", str(HERE / "pyrightconfig.json")],
    }
    ran = subprocess.run(
        commands[checker], cwd=HERE.parents[1], capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return ran.stdout


def refused(checker: str, file: str) -> list[int]:
    """Return the lines of *file* that *checker* refuses."""
    found = re.findall(rf"{re.escape(file)}:(\d+)(?::\d+)?:? (?:- )?error", said_by(checker))
    return sorted({int(line) for line in found})


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_kind_of_each_form_is_a_kind(checker):
    """In the class, as a property, as a setting; with every power and with none."""
    assert [] == refused(checker, "kinds_of_each_form.py")


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_what_is_no_power_is_refused(checker):
    """Also a setting of that name."""
    lines = (HERE / "no_powers.py").read_text("utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if "# refused" in line] == refused(checker, "no_powers.py")


def test_what_type_checkers_take_for_a_power_the_engine_takes():
    """The same kinds, read by the table."""
    flow = run_path(str(HERE / "kinds_of_each_form.py"))["flow"]
    read = {step.kind.kind: powers_of(step.kind) for step in flow.steps.values()}
    assert {"by_setting", "every_power"} == {name for name, powers in read.items() if powers.sends}
    assert {"every_power"} == {name for name, powers in read.items() if powers.prepares or powers.extra}
    assert {"by_setting"} == {name for name, powers in read.items() if powers.permissions}
