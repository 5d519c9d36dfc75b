"""Whether somebody exists cannot be told by the clock on the wall either."""

import math

import pytest

from programs.enumeration import FLOOR, FLOWS, Study

pytestmark = pytest.mark.exhaustive


def test_a_hundred_sign_ins_in_real_time():
    """Mails that take their time, clocks that nobody moves. So few bear wider limits: four standard deviations of a fair coin."""
    study = Study(FLOWS["code"], FLOOR, 50, threads=10)
    figures = study.figures()
    widest = 0.5 + 4 * math.sqrt((1 / 50 + 1 / 50) / 12)

    assert {"known": 50, "unknown": 0} == figures["mails"]
    assert min(*study.times["create"][True], *study.times["create"][False]) >= FLOOR
    for what in study.times:
        assert figures[what]["bodies"] == 1
        assert figures[what]["auc"] <= widest
