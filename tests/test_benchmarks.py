"""The benchmarks run and print what they promise; how fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kit.checked_flows import BROKEN, SOUND
from kit.chromium import find_browser
from kit.programs import find_node

pytestmark = pytest.mark.exhaustive

BENCHMARKS = Path(__file__).parent / "benchmarks"
YARDSTICKS = {
    "artefact": {"by hand", "define"},
    "cold_start": {"bare interpreter", "by hand"},
    "decisions": {"by hand, 1 round", "by hand, 5 rounds", "by hand, 50 rounds", "two RS256 signatures"},
    "local_pool": {"two RS256 signatures"},
    "checks": {"explore, eight in any order", f"{len(BROKEN)} listed", f"{len(SOUND)} listed"},
    "captcha": {"library, 240x80 png", "library, 160x60 png"},
    "credentials": {
        "two RS256 signatures",
        "sign-in, Watchword",
        "pyotp, Verify",
        "fido2, Verify",
        "code by mail, Verify",
    },
    "studio": {"edit, captcha_only"},
    "passkeys": {"first verdict, py_webauthn", "none-es256, py_webauthn"},
    "sign_in_form": {"a page with text", "size"},
}
IN_A_BROWSER = {"sign_in_form"}


def run(name, *arguments):
    """Run a benchmark as its users do."""
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", YARDSTICKS)
def test_a_benchmark_prints_json_and_compares_with_every_yardstick(name):
    """Nothing but JSON on standard output; every value is positive, and every ratio says against what of the same run."""
    if name in IN_A_BROWSER:
        find_browser()
        find_node("playwright-core")
    ended = run(name, "--quick", "--json")
    assert 0 == ended.returncode, ended.stderr
    printed = json.loads(ended.stdout)
    rows = printed["rows"]
    assert {"benchmark", "rows", "machine"} == set(printed)
    assert name == printed["benchmark"]
    assert {"python", "cpu_count"} == set(printed["machine"])
    assert all({"name", "value", "unit", "ratio", "against", "target"} == set(row) for row in rows)
    assert [] == [row["name"] for row in rows if not row["value"] > 0]
    assert [] == [row["name"] for row in rows if (row["ratio"] is None) != (not row["against"])]
    assert any(row["target"] for row in rows)
    assert YARDSTICKS[name] <= {row["against"] for row in rows}


@pytest.mark.parametrize("rounds", ["0", "-1", "two", "10001"])
def test_a_number_of_rounds_that_is_none_is_refused_by_name(rounds):
    """The message names the value and what is allowed."""
    ended = run("captcha", "--rounds", rounds)
    assert 2 == ended.returncode
    assert f"{rounds!r} is no number from 1 to 10000" in ended.stderr


def test_the_benchmark_of_the_checks_counts_the_flows():
    """What it prints are the numbers of the flows to tell apart, and a time for every example flow."""
    ended = run("checks", "--quick", "--json")
    assert 0 == ended.returncode, ended.stderr
    rows = {row["name"]: row for row in json.loads(ended.stdout)["rows"]}
    for name, listed in (("broken flows caught", BROKEN), ("sound flows not flagged", SOUND)):
        assert (len(listed), 1.0) == (rows[name]["value"], rows[name]["ratio"])
    examples = BENCHMARKS.parents[1] / "docs" / "examples" / "flows"
    assert {f"check, {path.stem}" for path in examples.glob("*.toml")} < set(rows)
    assert all(row["value"] > 0 for row in rows.values())
