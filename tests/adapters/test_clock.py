"""Time and randomness: of the system, and of tests."""

import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.threaded_clock import ThreadedClock
from watchword.contract.ports import Clock
from watchword.errors import UnavailableError
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.cli.local.forward_clock import ForwardClock
from watchword_adapters.clock import SystemClock, SystemRandom


def test_the_system_clock_tells_the_time():
    """Epoch seconds and monotonic seconds are those of the machine."""
    clock = SystemClock()
    for ours, theirs in ((clock.now, time.time), (clock.monotonic, time.monotonic)):
        assert theirs() <= ours() <= theirs()


def test_system_randomness_has_the_length_asked_for():
    """Each draw is new and of the right length."""
    random = SystemRandom()
    assert [len(random.bytes(count)) for count in (0, 1, 16, 1000)] == [0, 1, 16, 1000]
    assert len({random.bytes(16) for _ in range(100)}) == 100


@pytest.mark.parametrize("failing", [OSError("no entropy"), NotImplementedError()])
def test_without_randomness_nothing_is_made_up(monkeypatch, failing):
    """If the system gives no randomness, the call fails closed."""

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


CLOCKS = [SystemClock, ForwardClock, VirtualClock, ThreadedClock]

LONG = 3600.0
"""Seconds in which a call ends on any machine."""


@pytest.mark.parametrize("make", CLOCKS)
def test_every_clock_is_a_clock(make):
    """The port, by its members; `monotonic` never goes back, and waiting reaches its moment."""
    clock: Clock = make()
    before = clock.monotonic()
    clock.sleep_until(before - 1000)
    clock.sleep_until(before + 0.002)
    assert before + 0.002 <= clock.monotonic()
    assert {name for name in vars(Clock) if not name.startswith("_")} <= set(dir(clock))


@pytest.mark.parametrize("make", CLOCKS)
@pytest.mark.parametrize("within", [LONG, math.inf])
def test_what_a_call_returns_and_raises_comes_through(make, within):
    """Values and errors alike, those that are no Exception too."""
    clock, returned = make(), object()
    assert clock.call(lambda: returned, within) is returned
    assert clock.call(lambda: None, within) is None
    for error in (
        ZeroDivisionError("own"),
        UnavailableError("own"),
        TimeoutError("own"),
        SystemExit(3),
        GeneratorExit(),
    ):
        with pytest.raises(type(error)) as caught:
            clock.call(partial(raising, error), within)
        assert caught.value is error


def raising(error):
    raise error


@pytest.mark.parametrize("make", CLOCKS)
def test_a_call_sees_the_context_of_its_caller_and_keeps_its_own(make):
    """So a host's tracing knows of the call, and a call leaks nothing into the next."""
    traced = ContextVar("traced", default="nothing")
    traced.set("the caller's")

    def work():
        seen = traced.get()
        traced.set("the call's own")
        return seen

    assert make().call(work, LONG) == "the caller's"
    assert make().call(work, LONG) == traced.get() == "the caller's"


@pytest.mark.parametrize("make", CLOCKS)
def test_calls_may_be_nested_and_made_by_many_threads(make):
    """A trigger calls the engine, which calls a courier; each in its own time."""
    clock = make()

    def nested(number):
        return clock.call(lambda: clock.call(lambda: clock.call(lambda: number, LONG), LONG), LONG)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(nested, range(200))) == list(range(200))


@pytest.mark.parametrize("make", [VirtualClock, ThreadedClock])
@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_a_virtual_call_is_late_by_the_virtual_clock_alone(make, ends):
    """To the moment it is in time; a moment later what it returns or raises is thrown away."""
    clock = make()

    def work(seconds):
        clock.advance(seconds)
        if ends == "raises":
            raise ZeroDivisionError
        return "done"

    with pytest.raises(ZeroDivisionError) if ends == "raises" else nullcontext():
        assert clock.call(lambda: work(3.5), 3.5) == "done"
    with pytest.raises(UnavailableError, match=r"did not end within 3\.5 s") as caught:
        clock.call(lambda: work(3.501), 3.5)
    assert not caught.value.undelivered


def test_nothing_that_is_played_on_this_machine_is_late():
    """However slow the machine is: a call has no limit, and no time passes that a deadline could be reckoned by."""
    clock = ForwardClock()
    before = clock.monotonic()
    assert clock.call(threading.get_ident, 0.0) == threading.get_ident()
    assert before == clock.monotonic()


def test_a_virtual_call_runs_on_the_thread_of_its_caller():
    """So no test waits for a thread."""
    assert VirtualClock().call(threading.get_ident, 1.0) == threading.get_ident()


def test_a_system_call_runs_beside_its_caller_on_threads_that_are_kept():
    """Starting a thread takes three times as long as handing a call to one."""
    clock = SystemClock()
    threads = {clock.call(threading.current_thread, LONG) for _ in range(20)}
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_a_system_call_with_no_time_is_begun_and_not_waited_for():
    """Fetching keys anew is nobody's to wait for."""
    ended, release = threading.Event(), threading.Event()

    def work():
        release.wait()
        ended.set()

    with pytest.raises(UnavailableError, match="did not end within") as caught:
        SystemClock().call(work, 0.0)
    assert not caught.value.undelivered
    assert not ended.is_set()
    release.set()
    ended.wait()


def test_without_a_thread_a_call_was_never_begun(monkeypatch):
    """A process that can start no more threads is unavailable, and the message says why."""

    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("watchword_adapters.clock._idle", [])
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(UnavailableError, match="there was no thread for the call") as caught:
        SystemClock().call(int, LONG)
    assert caught.value.undelivered


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    """Those of its parent do not come along."""
    clock = SystemClock()
    assert clock.call(lambda: 7, LONG) == 7
    child = os.fork()
    if not child:
        os._exit(clock.call(lambda: 7, LONG))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


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
