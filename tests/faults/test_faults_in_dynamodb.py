"""The fault matrix over DynamoDB, on an emulator on loopback: faults of a ledger that is far away, and of the service itself."""

from functools import partial

import pytest

from kit.faults import (
    COURIER_FAULTS,
    LEDGER_FAULTS,
    MOMENTS,
    SERVICE_FAULTS,
    Plan,
    Report,
    Trial,
    host_repeats,
    inject_into_create,
)
from watchword_adapters.attacks.arena.kind_probe import wrong_answer

pytestmark = pytest.mark.exhaustive

REPORT = Report()


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what all of it came to."""
    yield
    print(f"\nfaults in DynamoDB: {REPORT.line()}")


@pytest.mark.parametrize("fault", LEDGER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_ledger_faults_in_create(make_far_ledger, fault, moment):
    """At each call of the ledger in Create."""
    for call in range(3):
        inject_into_create(REPORT, make_far_ledger, Plan(fault, "ledger", call, moment, LEDGER_FAULTS[fault]))

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", COURIER_FAULTS)
def test_courier_faults_in_create(make_far_ledger, fault):
    """Refused, or lost on the way; in a first code, and in another one."""
    for resend in (False, True):
        inject_into_create(
            REPORT, make_far_ledger, Plan(fault, "courier", 0, "before", COURIER_FAULTS[fault]), "code", resend
        )

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
@pytest.mark.parametrize("passed", [0, 1, 2])
@pytest.mark.parametrize("times", [1, 40])
def test_faults_of_the_service_in_create(aws, make_far_ledger, fault, passed, times):
    """One, which a second try may mend, and one that stays; after it is over the same person signs in."""
    trial = Trial(REPORT, f"{fault} after {passed}, {times} times", "code", make_far_ledger)
    aws.faults[:] = ["pass"] * passed + [SERVICE_FAULTS[fault]] * times
    trial.timed(trial.begin)
    aws.faults.clear()
    if not trial.visit.public and trial.visit.refused is not None:
        for _ in range(2):
            host_repeats(trial.visit)
            trial.judged()
    trial.expect(len(trial.post.accepted) <= 1, "sent twice")
    trial.recovers(wait=61)

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("times", [1, 40])
def test_faults_of_the_service_in_verify(aws, make_far_ledger, fault, right, times):
    """Nobody gets in by one; a right answer that it hit is right for the host's repeat, once and for all."""
    trial = Trial(REPORT, f"{fault} in verify {right}, {times} times", "code", make_far_ledger)
    trial.timed(trial.begin)
    one, arena = trial.visit, trial.arena
    answer = one.right if right else wrong_answer(one.right, arena.draw)
    private, answers = dict(one.private), []
    aws.faults[:] = [SERVICE_FAULTS[fault]] * times
    trial.timed(partial(trial.shows, private, answer, answers))
    aws.faults.clear()
    trial.expect(right or answers == [False], "fail-open")
    trial.ends_well(private, answer, right=right)

    assert [] == REPORT.take()


def test_nothing_was_lost_sent_twice_or_let_in():
    """A hundred and more injections, when the whole of this file runs; the other counts stay at nothing."""
    if REPORT.counts["injections"] < 50:
        pytest.skip("only a part of this file ran")

    assert REPORT.counts["injections"] >= 100
    assert {"injections"} == {name for name, count in REPORT.counts.items() if count}
