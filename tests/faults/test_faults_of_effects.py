"""The fault matrix of kinds that remember: each fault at each call of ledger and store in Verify, before, during and after it; or it hangs.

No right answer is lost, nobody gets in who should not, nothing is used twice, and the host has its answer in time.
"""

from itertools import product

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kit.faults import DEADLINE, LEDGER_FAULTS, MOMENTS, SERVICE_FAULTS, Faulty, Plan, Report
from kit.remembering_host import NAMED, POOL, STRANGER, Home, Spied
from kit.remembering_kinds import KINDS, ONCE
from watchword.algebra.evaluation import AnswerRequest
from watchword_adapters.ledgers.memory import MemoryLedger

pytestmark = pytest.mark.exhaustive

REPORT = Report()
PORTS = ("ledger", "store")
ANY_MOMENT = (*MOMENTS, "hung")


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what all of it came to."""
    yield
    print(f"\nfaults of effects: {REPORT.line()}, used twice {REPORT.counts['used twice']:,}")


def faults_of(make_ports):
    """All of them in memory; of other ports one that says so and one that does not, since the port that fails is the same."""
    return LEDGER_FAULTS if isinstance(make_ports()[0], MemoryLedger) else ("throttled", "response lost")


class Trial:
    """A host whose ports fail as told, and what is asked of it."""

    def __init__(self, kind, make_ports, where):
        ledger, store = make_ports()
        self.home, self.where = Home(kind, ledger=ledger, store=store), where
        self.home.start(lambda port, _: Faulty(port, self.home.clock))
        REPORT.counts["injections"] += 1

    def expect(self, held, what):
        REPORT.expect(held, what, self.where)

    def plan(self, plan=None):
        """Begin to fail, or end it."""
        for name in PORTS:
            port = getattr(self.home, name)
            port.calls, port.plan = [], plan if plan is not None and plan.port == name else None

    def told(self, made, answer, **named):
        """What the host is told: None if the call failed."""
        began = self.home.clock.monotonic()
        try:
            return self.home.verify(made, answer, **named)
        except Exception:  # noqa: BLE001 - a fault of a port
            return None
        finally:
            self.expect(self.home.clock.monotonic() - began <= DEADLINE + 1e-6, "late")

    def ends_well(self, made, answer, other, *, right):
        """Have the host call again, when all is well: the answer has one end, and another round gets what the kind allows."""
        again = [self.told(made, answer) for _ in range(2)]
        self.expect(again == [right, right], "lost" if right else "fail-open")
        self.expect(self.told(made, f"{answer} not") is False, "fail-open")
        if right:
            twice = self.told(other, answer)
            self.expect(twice is (self.home.kind.kind not in ONCE), "used twice" if twice else "lost")
            most = {"keys": 0, "uses": 2}.get(self.home.kind.kind, 1)
            self.expect(self.home.owned[0].version == most, "used twice")
        else:
            self.expect(self.home.owned[0].version == 0, "fail-open")
            if self.home.kind.kind != "steps":
                self.expect(self.told(other, self.home.answer) is True, "lost")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("moment", ANY_MOMENT)
@pytest.mark.parametrize("right", [True, False])
def test_a_fault_in_verify(make_ports, kind, port, moment, right):
    """At each call, of the first one or of a repeat. A call that failed is made again, and has the end that it should have."""
    for fault, repeat, call in product(faults_of(make_ports), (False, True), range(4)):
        trial = Trial(kind, make_ports, f"{kind.kind} {right}, {port} {call} {moment}, {fault}, {repeat}")
        made, other = trial.home.ask(), trial.home.ask()
        answer = trial.home.answer if right else "wrong"
        if repeat:
            trial.expect(trial.told(made, answer) is right, "lost" if right else "fail-open")
        trial.plan(Plan(fault, port, call, moment, LEDGER_FAULTS[fault]))
        first = trial.told(made, answer)
        trial.plan()
        trial.expect(first in {None, right}, "lost" if right else "fail-open")
        trial.ends_well(made, answer, other, right=right)

    assert [] == REPORT.take()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("moment", ANY_MOMENT)
def test_a_fault_while_two_race(make_ports, kind, port, moment):
    """A rival writes just before the write that fails: of what is good once, one of them is right in the end."""
    for fault, call in product(faults_of(make_ports), range(5)):
        trial = Trial(kind, make_ports, f"race {kind.kind}, {port} {call} {moment}, {fault}")
        home = trial.home
        made, rival, answer, told = home.ask(), home.ask(), home.answer, []
        # The rival's own process meets no fault.
        theirs = evolve(home.engine, ledger=home.inner[0], credentials=home.inner[1])
        asked = AnswerRequest(POOL, "app", NAMED, answer, rival.private)
        home.store.inner = Spied(home.store.inner, [])
        home.store.inner.meanwhile["swap"] = lambda theirs=theirs, asked=asked, told=told: told.append(
            theirs.verify(asked).right
        )
        trial.plan(Plan(fault, port, call, moment, LEDGER_FAULTS[fault]))
        first = trial.told(made, answer)
        trial.plan()
        again = [trial.told(made, answer) for _ in range(2)]
        trial.expect(again[0] is again[1] and first in {None, again[0]}, "lost")
        right = [each for each in (again[0], *told) if each]
        trial.expect(right and (kind.kind in ONCE or all((again[0], *told))), "lost")
        trial.expect(len(right) == 1 or kind.kind not in ONCE, "used twice")

    assert [] == REPORT.take()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("moment", ANY_MOMENT)
def test_a_fault_for_somebody_unknown(make_ports, kind, port, moment):
    """Never right, and never a write."""
    for call in range(3):
        plan = Plan("throttled", port, call, moment, LEDGER_FAULTS["throttled"])
        trial = Trial(kind, make_ports, f"unknown {kind.kind}, {port} {call} {moment}")
        made, other = trial.home.ask(STRANGER), trial.home.ask()
        trial.plan(plan)
        answers = [trial.told(made, trial.home.answer, user=STRANGER)]
        trial.plan()
        answers += [trial.told(made, trial.home.answer, user=STRANGER) for _ in range(2)]
        trial.expect(not any(answers), "fail-open")
        trial.expect(trial.told(other, trial.home.answer) is True, "lost")

    assert [] == REPORT.take()


@pytest.mark.parametrize("kind", [KINDS["steps"], KINDS["codes"], KINDS["uses"]], ids=lambda kind: kind.kind)
@pytest.mark.parametrize("fault", SERVICE_FAULTS)
@pytest.mark.parametrize("times", [1, 40])
def test_a_fault_of_the_service(aws, make_far_ports, kind, fault, times):
    """At each request to DynamoDB, of ledger and store: one, which a second try may mend, and one that stays."""
    for right, passed in product((True, False), range(6)):
        trial = Trial(kind, make_far_ports, f"{kind.kind} {right}, {fault} after {passed}, {times} times")
        made, other = trial.home.ask(), trial.home.ask()
        answer = trial.home.answer if right else "wrong"
        aws.faults[:] = ["pass"] * passed + [SERVICE_FAULTS[fault]] * times
        first = trial.told(made, answer)
        aws.faults.clear()
        trial.expect(first in {None, right}, "lost" if right else "fail-open")
        trial.ends_well(made, answer, other, right=right)

    assert [] == REPORT.take()


def test_nothing_was_lost_used_twice_or_let_in():
    """Hundreds of injections, when the whole of this file runs; the other counts stay at nothing."""
    if REPORT.counts["injections"] < 1000:
        pytest.skip("only a part of this file ran")

    assert {"injections"} == {name for name, count in REPORT.counts.items() if count}


class SignIns(RuleBasedStateMachine):
    """Sign-ins with one credential, in any order, with any faults; each call that fails is made again, before or after others.

    The model is who has which answer: of the kinds whose answers are good once, one round each.
    """

    @initialize(name=st.sampled_from([*KINDS]))
    def begin(self, name):
        self.kind = KINDS[name]
        self.home = Home(self.kind)
        self.home.start(lambda port, _: Faulty(port, self.home.clock))
        self.answers = self.home.answers[:4]
        self.rounds, self.given, self.ended, self.waiting = [], {}, {}, {}

    def call(self, number, answer, plan=None):
        for name in PORTS:
            port = getattr(self.home, name)
            port.calls, port.plan = [], plan if plan is not None and plan.port == name else None
        try:
            return self.home.verify(self.rounds[number], answer)
        except Exception:  # noqa: BLE001 - a fault of a port
            assert plan is not None
            return None
        finally:
            for name in PORTS:
                getattr(self.home, name).plan = None

    @rule()
    def asks(self):
        if len(self.rounds) < 8:
            self.rounds.append(self.home.ask())

    @precondition(lambda self: self.rounds)
    @rule(
        data=st.data(),
        port=st.sampled_from(PORTS),
        at=st.integers(0, 4),
        moment=st.sampled_from(ANY_MOMENT),
        fault=st.sampled_from([*LEDGER_FAULTS]),
    )
    def answers_while_a_port_fails(self, data, port, at, moment, fault):
        number = data.draw(st.integers(0, len(self.rounds) - 1))
        answer = self.given.get(number) or data.draw(st.sampled_from([*self.answers, "wrong"]))
        self.given[number] = answer
        said = self.call(number, answer, Plan(fault, port, at, moment, LEDGER_FAULTS[fault]))
        self.note(number, said)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def the_host_calls_again(self, data):
        number = data.draw(st.sampled_from([*self.waiting]))
        self.note(number, self.call(number, self.given[number]))

    @precondition(lambda self: self.rounds)
    @rule(data=st.data())
    def another_answer_is_refused(self, data):
        number = data.draw(st.integers(0, len(self.rounds) - 1))
        if self.ended.get(number) is not None:
            assert self.call(number, "another") is False

    def note(self, number, said):
        """Compare what the host was told with what it was told before, and with what others were."""
        if said is None:
            self.waiting[number] = True
            return
        self.waiting.pop(number, None)
        # Wrong stays wrong, and right right.
        assert self.ended.setdefault(number, said) is said
        answer = self.given[number]
        if said:
            assert answer in self.answers
        elif answer in self.answers:
            # Wrong, since somebody else has this answer, or for a count one as high: or will have it, when they are called again.
            assert self.kind.kind in ONCE
            others = {each for other, each in self.given.items() if other != number and each in self.answers}
            assert answer in others or (self.kind.kind == "counts" and max(others, default="") > answer), "lost"

    @invariant()
    def nothing_is_used_twice(self):
        if not hasattr(self, "kind") or self.kind.kind not in ONCE:
            return
        won = [self.given[number] for number, said in self.ended.items() if said]
        assert len(won) == len(set(won))

    def teardown(self):
        """When all faults are over, each answer has an end; and of each code that was answered somebody was right."""
        if not hasattr(self, "kind"):
            return
        for number in [*self.waiting]:
            self.note(number, self.call(number, self.given[number]))
        for number, said in self.ended.items():
            assert said is self.call(number, self.given[number])
        if self.kind.kind in {"codes", "steps"}:
            given = {answer for number, answer in self.given.items() if answer in self.answers}
            assert given == {self.given[number] for number, said in self.ended.items() if said}


TestSignIns = SignIns.TestCase
TestSignIns.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
