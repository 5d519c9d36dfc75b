"""The fault matrix has teeth: code that handles a fault wrongly, and the count that shows it."""

from contextlib import suppress

import pytest

from kit.broken_code import broken
from kit.faults import Plan, Report, Trial, inject_into_create
from watchword.errors import UnavailableError
from watchword.runtime import delivery, verification
from watchword_adapters import aws_lambda
from watchword_adapters.attacks.arena.attacked_host import wrong_answer
from watchword_adapters.ledgers.memory import MemoryLedger

pytestmark = pytest.mark.exhaustive


def found(plan):
    """What an injection into Create shows."""
    report = Report()
    with suppress(AttributeError):
        inject_into_create(report, MemoryLedger, plan)
    return {name for name, count in report.counts.items() if count}


LOST_ANSWER = Plan("no answer", "courier", 0, "after", lambda: UnavailableError("read timeout"))
DEAD_LEDGER = Plan("table missing", "ledger", 0, "before", lambda: KeyError("table"))

TWINS = {
    "a mail without an answer is sent again": (
        delivery._courier_failed,
        "    if undelivered:\n",
        "    if True:\n",
        LOST_ANSWER,
        "sent twice",
    ),
    "every repeat sends": (
        delivery._claim_in_ledger,
        "    if claim.fresh:\n",
        "    if True:\n",
        LOST_ANSWER,
        "sent twice",
    ),
    "the text of a failure gets out": (
        aws_lambda.Triggers._refused,
        'f"{text} (ref {ref})"',
        "reason",
        DEAD_LEDGER,
        "other text",
    ),
    "a courier is given more time than there is": (
        delivery._hand_to_courier,
        "within = deadline.left(but=SETTLE_RESERVE)",
        "within = 60.0",
        Plan("slow", "courier", 0, "during", OSError),
        "late",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_fault_that_is_handled_wrongly_is_counted(name):
    """Under its own name."""
    function, old, new, plan, count = TWINS[name]
    with broken(function, old, new):
        assert count in found(plan)


@pytest.mark.parametrize("name", TWINS)
def test_the_same_fault_counts_nothing_in_what_is_shipped(name):
    """Nothing but the injection itself."""
    assert {"injections"} == found(TWINS[name][3])


def test_a_guess_that_is_compared_without_a_charge_is_seen():
    """An engine that goes on without its ledger."""
    go_on = (
        "    try:\n        return _charge_and_compare(services, case, text, deadline)\n"
        "    except Exception:\n        return _compare(case, text, now)"
    )
    with broken(verification.verify, "    return _charge_and_compare(services, case, text, deadline)", go_on):
        trial = Trial(Report(), "twin", "code", MemoryLedger)
        one = trial.begin()
        trial.plan(Plan("down", "ledger", 0, "before", lambda: UnavailableError("down")))
        judged = len(trial.arena.notes.judged)
        trial.arena.accepts(one.person, dict(one.private), wrong_answer(one.right, trial.arena.draw))

    assert len(trial.arena.notes.judged) > judged
