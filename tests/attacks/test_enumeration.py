"""Whether somebody exists cannot be told: two thousand sign-ins of known and two thousand of unknown users, interleaved.

Here on a virtual clock; a hundred in real time are in `tests/bounds`, and `python tests/programs/enumeration.py` does all of it in real time.
"""

import json
import math
import subprocess
import sys

import pytest

from programs import enumeration
from programs.enumeration import EACH, FLOOR, FLOWS, HIGHEST_AUC, LOWEST_P, MAILING, Study, auc, ks_p, problems

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module", params=FLOWS)
def study(request):
    """One flow, padded as it is shipped."""
    return Study(FLOWS[request.param], FLOOR)


def test_what_is_said_is_the_same(study):
    """One body for all of either sort, and the same one."""
    for what in ("create", "verify"):
        assert 1 == len(study.bodies[what][True])
        assert study.bodies[what][True] == study.bodies[what][False]


def test_time_tells_nothing(study):
    """AUC at most 0.53, p at least 0.001; the figures are printed."""
    for what, times in study.times.items():
        assert (EACH, EACH) == (len(times[True]), len(times[False]))
        area, p = auc(times[True], times[False]), ks_p(times[True], times[False])
        print(f"{study.flow.name}, {what}: AUC {area:.3f}, KS p {p:.3f}")
        assert area <= HIGHEST_AUC
        assert p >= LOWEST_P


def test_nobody_unknown_is_mailed(study):
    """Every known user once where the first challenge is a mail, every other never."""
    assert {True: EACH if study.flow.name in MAILING else 0, False: 0} == study.mailed


def test_without_a_floor_the_same_measure_tells_them_apart():
    """The measure has teeth."""
    study = Study(FLOWS["code"], 0.0, 400)
    times = study.times["create"]

    assert auc(times[True], times[False]) > 0.9
    assert ks_p(times[True], times[False]) < 1e-6


def test_the_command_prints_what_it_measured():
    """As JSON, and with the exit status of its verdict."""
    command = [sys.executable, enumeration.__file__, "--virtual", "--each", "100", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(ended.stdout)

    assert ended.returncode == bool(told["problems"])
    assert set(FLOWS) == set(told["flows"])
    for name, figures in told["flows"].items():
        assert {"known": 100 if name in MAILING else 0, "unknown": 0} == figures["mails"]
        assert all(figures[what]["bodies"] == 1 and 0.5 <= figures[what]["auc"] < 0.7 for what in ("create", "verify"))


def test_what_tells_users_apart_is_named():
    """Each of the figures, and the mails."""
    good = {"auc": 0.5, "ks_p": 0.5, "bodies": 1}
    mails = {"known": 5, "unknown": 0}

    assert [] == problems({"create": good, "verify": good, "mails": mails}, 5)
    for field, value in (("auc", 0.6), ("ks_p", 0.0001), ("bodies", 2)):
        assert 1 == len(problems({"create": good, "verify": {**good, field: value}, "mails": mails}, 5))
    assert 1 == len(problems({"create": good, "verify": good, "mails": {"known": 5, "unknown": 1}}, 5))


@pytest.mark.parametrize(
    ("ones", "others", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0.5),
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 1.0),
        ([1, 3], [2, 4], 0.75),
        ([1, 1], [1, 2], 0.75),
    ],
)
def test_the_measure_of_area(ones, others, expected):
    """Against cases that can be counted by hand; which of the two is greater does not matter."""
    assert expected == pytest.approx(auc(ones, others))


def test_the_measure_of_kolmogorov_and_smirnov():
    """Near 1 for equal samples, near 0 for unequal ones; 0.05 at the tabled 1.36 times the square root of 2/n."""
    same = list(range(2000))
    shifted = [value + 1.358 * math.sqrt(2 / 2000) * 2000 for value in same]

    assert ks_p(same, same) == 1.0
    assert ks_p(same, [value + 1000 for value in same]) < 1e-9
    assert ks_p(same, shifted) == pytest.approx(0.05, abs=0.01)
