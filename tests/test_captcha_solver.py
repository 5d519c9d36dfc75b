"""What a solver of CAPTCHAs comes to is counted rightly, and the page says what was measured."""

import sys
from contextlib import contextmanager

import pytest

from programs import captcha_solver
from programs.captcha_solver import measure, published, wilson
from watchword.testing import recorded_codes
from watchword_plugins.captcha import Captcha


def test_who_reads_nothing_solves_nothing():
    """Nor does who raises."""

    def raises(picture):
        raise ValueError(len(picture))

    for read in (lambda picture: "", raises):
        outcome = measure(Captcha(), read, 3)
        assert (0, 3) == (outcome.solved, outcome.pictures)
        assert 0 == outcome.in_all_tries


def test_who_knows_every_answer_solves_all(monkeypatch):
    """Small letters and blanks around are forgiven; the picture that is handed over is the one that was drawn."""
    texts, pictures = [], []

    @contextmanager
    def noted():
        with recorded_codes() as codes:
            texts.append(codes)
            yield codes

    monkeypatch.setattr(captcha_solver, "recorded_codes", noted)

    def read(picture):
        pictures.append(picture)
        return f" {texts[-1][-1].text.lower()}\n"

    outcome = measure(Captcha(), read, 4)

    assert 4 == outcome.solved
    assert 1 == outcome.in_all_tries
    assert all(each[8:12] == b"WEBP" for each in pictures)
    assert 4 == len(set(pictures))


@pytest.mark.parametrize(
    ("solved", "pictures", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (88, 200, 0.3730, 0.5093)]
)
def test_the_interval_is_wilsons(solved, pictures, low, high):
    """Against values reckoned by hand."""
    assert (low, high) == pytest.approx(wilson(solved, pictures), abs=5e-4)


def test_the_page_tells_what_was_measured():
    """Of two hundred pictures at least."""
    solved, pictures = published()
    assert 200 <= pictures
    assert 0 < solved < pictures


@pytest.mark.parametrize("solver", ["no-such-distribution", "attrs"])
def test_without_the_solver_the_remedy_is_said(solver, monkeypatch, capsys):
    """One version, the one that the figure was measured with: neither none nor another will do."""
    monkeypatch.setattr(captcha_solver, "SOLVER", solver)
    monkeypatch.setattr(sys, "argv", ["captcha_solver.py"])

    assert 2 == captcha_solver.main()
    assert f"pip install {solver}==0.1.0" in capsys.readouterr().err
