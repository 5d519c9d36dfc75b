"""A plugin may hang, loop, exit, recurse or return nonsense: the call ends closed and in time."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

import pytest
from attrs import evolve, field, frozen

from kit import hosts
from kit.engine_host import ANN, KEY, Mail, Post, Riddle
from watchword import Challenge, Flow, Verdict, sequence
from watchword.contract.kinds import Email
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters import clock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.functions import Refused, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger

event = partial(hosts.event, response={"answerCorrect": True, "issueTokens": True})
"""What stands in the response already means nothing."""

SOON = 0.05
"""The deadline that these tests set, in real seconds."""

PATIENT = 20.0
"""Real seconds after which a call that should have ended counts as hung, on however slow a machine."""


@frozen
class Odd(Riddle):
    """A riddle that does as it is told: *creating* and *verifying* are called first, and what they return, if anything, is the answer."""

    kind: ClassVar[str] = "odd"
    cosmetic: ClassVar[frozenset[str]] = frozenset({"creating", "verifying"})

    creating: object = field(default=None, eq=False, repr=False)
    verifying: object = field(default=None, eq=False, repr=False)

    def create(self, request):
        done = self.creating(request) if self.creating else None
        return super().create(request) if done is None else done

    def verify(self, request):
        done = self.verifying(request) if self.verifying else None
        return super().verify(request) if done is None else done


def made(flow, deadline=SOON, **settings):
    """Return the triggers of *flow* with a short deadline, on the system's clock."""
    settings = {"courier": Post(), "ledger": MemoryLedger(), "audit": MemoryAudit(), **settings}
    return with_deadline(triggers(flow, key=KEY, random=SeededRandom(), environment={}, **settings), deadline)


def with_deadline(t, deadline):
    """Return the triggers *t* with another deadline."""
    return evolve(t, engine=evolve(t._engine, deadline=deadline))


def ends_closed(call, *arguments):
    """Call, and demand that it ends in good time with the fixed text."""
    began = time.monotonic()
    with pytest.raises(TriggerError, match=r"^UNAVAILABLE \(ref [B-Z]{8}\)$"):
        call(*arguments)
    assert time.monotonic() - began < PATIENT


def busy():
    """Return how many calls of the system's clock have not ended."""
    return sum(thread.name == "watchword-call" for thread in threading.enumerate()) - len(clock._idle)


@contextmanager
def hanging():
    """Give the ways of never coming back, by name; whoever was caught in one goes on when the block ends."""
    over = threading.Event()

    def sleeps(_):
        over.wait()

    def loops(_):
        while not over.is_set():
            pass

    def waits_for_a_lock(_):
        lock = threading.Lock()
        lock.acquire()
        while not lock.acquire(timeout=SOON) and not over.is_set():
            pass

    try:
        yield {each.__name__: each for each in (sleeps, loops, waits_for_a_lock)}, over
    finally:
        over.set()
        until = time.monotonic() + PATIENT
        while busy() and time.monotonic() < until:
            time.sleep(0.001)
        assert not busy(), "a call never ended"


@pytest.mark.parametrize("way", ["sleeps", "loops", "waits_for_a_lock"])
def test_a_kind_that_never_comes_back_ends_the_call_in_time(way):
    """In create and in verify, whether it gives the processor away or not: UNAVAILABLE, and no word of what it did."""
    with hanging() as (ways, _):
        ends_closed(made(Flow(Odd(creating=ways[way]))).create, event("create"))
        t = made(Flow(Odd(verifying=ways[way])))
        private = made(Flow(Odd()), deadline=PATIENT).create(event("create"))["response"]["privateChallengeParameters"]
        ends_closed(t.verify, event("verify", privateChallengeParameters=private, challengeAnswer="fish"))


def test_plain_functions_have_the_same_deadline():
    """A sign-in without Cognito ends with the same text when a kind hangs."""

    class Book:
        def find(self, name):
            return UserRecord(ANN)

    def host(kind):
        made = SignIn(
            Flow(kind),
            users=Book(),
            key=KEY,
            courier=Post(),
            random=SeededRandom(),
            audit=MemoryAudit(),
            environment={},
        )
        return hurried(made, SOON)

    def hurried(made, deadline):
        made._engine = evolve(made._engine, deadline=deadline)
        return made

    with hanging() as (ways, _):
        assert Refused("UNAVAILABLE") == host(Odd(creating=ways["sleeps"])).begin("ann")
        here = hurried(host(Odd(verifying=ways["sleeps"])), PATIENT)
        token = here.begin("ann").token
        assert Refused("UNAVAILABLE") == hurried(here, SOON).respond(token, "fish")


def test_a_call_that_was_given_up_sends_nothing_when_it_wakes():
    """The engine reads its own deadline after a kind returns: a message is not sent seconds after its call ended."""
    post = Post()

    @frozen
    class Late(Mail):
        kind: ClassVar[str] = "late"

        def create(self, request):
            wait(request)
            return Challenge(messages=(Email("ann@example.com", "Your code", "1"),))

    with hanging() as (ways, over):
        wait = ways["sleeps"]
        ends_closed(made(Flow(Late()), courier=post).create, event("create"))
        over.set()
    assert [] == post.sent


def test_a_right_answer_that_was_given_up_is_accepted_by_the_retry_and_only_by_it():
    """What wakes too late consumes nothing; the host's next call with the same answer finds everything in place."""
    ledger = MemoryLedger()
    # The verdict is read at the retry from the same kind, so the kind must hang for the first call only.
    with hanging() as (ways, over):
        kind = Odd(verifying=lambda request: None if over.is_set() else ways["sleeps"](request))
        t = made(Flow(kind), ledger=ledger)
        private = with_deadline(t, PATIENT).create(event("create"))["response"]["privateChallengeParameters"]
        answered = event("verify", privateChallengeParameters=private, challengeAnswer="fish")
        ends_closed(t.verify, answered)
        over.set()
    assert {} == ledger._marks.records
    assert {"answerCorrect": True} == with_deadline(t, PATIENT).verify(answered)["response"]


def exits(_):
    sys.exit(0)


def interrupts(_):
    raise KeyboardInterrupt


def recurses(request):
    return recurses(request)


def runs_out_of_memory(_):
    raise MemoryError


def closes_a_generator(_):
    raise GeneratorExit


@pytest.mark.parametrize("way", [exits, interrupts, recurses, runs_out_of_memory, closes_a_generator])
def test_a_kind_that_exits_or_recurses_ends_closed(way):
    """SystemExit, KeyboardInterrupt, RecursionError and their like: create is UNAVAILABLE, verify is a wrong answer."""
    ends_closed(made(Flow(Odd(creating=way)), deadline=PATIENT).create, event("create"))
    t = made(Flow(Odd(verifying=way)), deadline=PATIENT)
    private = t.create(event("create"))["response"]["privateChallengeParameters"]
    answered = event("verify", privateChallengeParameters=private, challengeAnswer="fish")
    assert {"answerCorrect": False} == t.verify(answered)["response"]


class Yes:
    """Something that says yes to everything."""

    right = True
    reason = ""

    def __bool__(self):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    "nonsense",
    [
        True,
        1,
        "right",
        {"right": True},
        (True, ""),
        Yes(),
        Verdict,
        Verdict(1),
        Verdict(Yes()),
        Verdict(right=True, reason=7),
    ],
)
def test_a_verdict_that_is_none_is_a_wrong_answer(nonsense):
    """Only a Verdict whose `right` is True lets anybody in; what merely looks true does not."""
    t = made(Flow(Odd(verifying=lambda _: nonsense)), deadline=PATIENT)
    private = t.create(event("create"))["response"]["privateChallengeParameters"]
    answered = event("verify", privateChallengeParameters=private, challengeAnswer="fish")
    assert {"answerCorrect": False} == t.verify(answered)["response"]


@pytest.mark.parametrize(
    "nonsense",
    [
        *(True, 1, "x", {}, [], Challenge, Yes()),
        *(Challenge(public=None), Challenge(public={"a": 1}), Challenge(private={1: "a"}), Challenge(carry=["a"])),
        *(Challenge(public={"step": "other"}), Challenge(private={"seal": "x"}), Challenge(public={"error": "x"})),
        *(Challenge(messages=None), Challenge(messages=["x"]), Challenge(messages=(Email("a@b.c", "s", "t"),))),
        *(
            Challenge(public={"a": "x" * 10_000_000}),
            Challenge(private={"a": "x" * 5000}),
            Challenge(carry={"a": "x" * 2000}),
        ),
    ],
)
def test_a_challenge_that_is_none_ends_the_sign_in(nonsense):
    """Wrong types, reserved names, too much text, a message without a channel: UNAVAILABLE."""
    ends_closed(made(Flow(Odd(creating=lambda _: nonsense)), deadline=PATIENT).create, event("create"))


def test_a_challenge_nested_without_end_ends_the_sign_in():
    """100,000 lists inside one another are not text; nothing tries to read them."""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    ends_closed(
        made(Flow(Odd(creating=lambda _: Challenge(public={"a": deep}))), deadline=PATIENT).create, event("create")
    )


def test_the_engines_own_deadline_is_the_default():
    """Nobody has to set anything: 3.5 of the five seconds after which Cognito calls again."""
    given = []

    class Clock(VirtualClock):
        def call(self, work, within):
            given.append(within)
            return super().call(work, within)

    t = triggers(Flow(sequence(Odd(), Mail())), key=KEY, courier=Post(), clock=Clock(), environment={})
    t.create(event("create"))
    assert [3.5] == given


HOLDS_THE_LOCK = """
import re, sys
from watchword_adapters.audit import MemoryAudit
sys.path[:0] = {path!r}
from attrs import evolve
from kit.engine_host import KEY, Post
from bounds.test_plugin_deadline import Odd, event, made
from watchword import Flow

kind = Odd(creating=lambda _: re.match("(a+)+$", "a" * 64 + "b"))
print("calling", flush=True)
print(made(Flow(kind)).create(event("create")), flush=True)
"""


def test_code_that_holds_the_interpreters_lock_is_ended_by_the_host_without_an_answer():
    """A regular expression that backtracks cannot be stopped in process: the deadline passes and nothing is said.

    The host stops the process, as Lambda does at the function's timeout; what it has been given by then is nothing.
    """
    script = HOLDS_THE_LOCK.format(path=sys.path)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert b"calling\n" == process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(10 * SOON)
        process.kill()
        said, errors = process.communicate(timeout=PATIENT)
    assert (b"", b"") == (said, errors)
