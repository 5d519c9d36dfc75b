"""Time and randomness: of the system, and of tests."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import UnavailableError
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.clock import SystemClock, SystemRandom


def test_the_system_clock_tells_the_time():
    """Epoch seconds and monotonic seconds are those of the machine."""
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    assert abs(clock.monotonic() - time.monotonic()) < 5
    assert clock.monotonic() <= clock.monotonic()


def test_waiting_ends_at_the_moment_and_not_before():
    """A moment that is over costs nothing; one ahead is reached."""
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep_until(before - 1000)
    clock.sleep_until(before + 0.005)
    assert before + 0.005 <= clock.monotonic() < before + 5


def test_system_randomness_has_the_length_asked_for():
    """Each draw is new and of the right length."""
    random = SystemRandom()
    assert [len(random.bytes(count)) for count in (0, 1, 16, 1000)] == [0, 1, 16, 1000]
    assert len({random.bytes(16) for _ in range(100)}) == 100


@pytest.mark.parametrize("failing", [OSError("no entropy"), NotImplementedError()])
def test_without_randomness_nothing_is_made_up(monkeypatch, failing):
    """If the system gives no randomness, the call fails closed (F-21)."""

    def token_bytes(count):
        raise failing

    monkeypatch.setattr("watchword_adapters.clock.secrets.token_bytes", token_bytes)
    with pytest.raises(UnavailableError, match="no random bytes"):
        SystemRandom().bytes(16)


def test_too_little_randomness_is_refused(monkeypatch):
    """A short draw is not used."""
    monkeypatch.setattr("watchword_adapters.clock.secrets.token_bytes", lambda count: b"x")
    with pytest.raises(UnavailableError, match="too few"):
        SystemRandom().bytes(16)


def test_a_virtual_clock_moves_when_told():
    """Both of its times move together, and waiting moves them at once."""
    clock = VirtualClock(1000.0)
    start = clock.monotonic()
    clock.advance(5)
    clock.sleep_until(start + 7)
    clock.sleep_until(start + 6)
    assert (clock.now(), clock.monotonic() - start, clock.slept) == (1007.0, 7.0, 2.0)


def test_a_virtual_clock_can_be_put_right():
    """Setting the time back, as an operator would, leaves the monotonic time alone; time itself never goes back."""
    clock = VirtualClock(1000.0)
    start = clock.monotonic()
    clock.set_by(-600)
    assert (clock.now(), clock.monotonic()) == (400.0, start)
    with pytest.raises(ValueError, match="set_by"):
        clock.advance(-1)
    assert repr(clock) == "VirtualClock(400.0)"


@given(st.lists(st.integers(0, 100), max_size=10))
def test_seeded_bytes_are_the_same_in_every_run(counts):
    """The stream depends on the seed alone, not on the sizes in which it is drawn."""
    random = SeededRandom("a")
    drawn = b"".join(random.bytes(count) for count in counts)
    assert drawn == SeededRandom("a").bytes(sum(counts))
    assert sum(counts) < 16 or drawn != SeededRandom("b").bytes(sum(counts))


def test_a_seed_shows_in_repr():
    """A failing test can be repeated."""
    assert repr(SeededRandom("a")) == "SeededRandom('a')"
