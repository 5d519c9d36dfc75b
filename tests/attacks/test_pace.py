"""What is slow is slow on a busy machine too, and what is not is not."""

import time

import pytest

from watchword_adapters.attacks.arena import cpu_timing


@pytest.fixture
def processor(monkeypatch):
    """A processor whose time passes by what is done: the yardstick takes as many seconds as *processor* holds first."""
    now, yardstick = [0.0], [0.01]
    monkeypatch.setattr(time, "thread_time", lambda: now[0])
    monkeypatch.setattr(cpu_timing, "_work", lambda: now.__setitem__(0, now[0] + yardstick[0]))
    return now, yardstick


def takes(now, *seconds):
    """A call that takes so long, the last of them ever after."""
    left = list(seconds)

    def call():
        now[0] += left.pop(0) if len(left) > 1 else left[0]

    return call


@pytest.mark.parametrize(
    ("yardstick", "seconds", "expected"),
    [
        (0.01, [0.049], False),
        (0.01, [0.051], True),
        (0.001, [0.051], True),
        (0.02, [0.099], False),
        (0.02, [0.101], True),
    ],
)
def test_a_slower_machine_has_more_time_and_a_faster_one_no_less(processor, yardstick, seconds, expected):
    """Fifty milliseconds where the yardstick takes ten; twice as many where it takes twenty."""
    processor[1][0] = yardstick
    assert expected == cpu_timing.slow(takes(processor[0], *seconds))


def test_one_quick_time_is_enough(processor):
    """The least of five: a pause of the machine is no attack."""
    assert not cpu_timing.slow(takes(processor[0], 1, 1, 1, 1, 0.01))
    assert cpu_timing.slow(takes(processor[0], 1, 1, 1, 1, 1, 0.01))


def test_the_yardstick_takes_time():
    """It is real work."""
    assert cpu_timing._seconds_of(cpu_timing._work) > 0
