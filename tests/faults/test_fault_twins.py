"""The fault matrix has teeth: code that handles a fault wrongly, and the count that shows it."""

from contextlib import suppress
from functools import partial

import pytest

from kit.broken_code import broken
from kit.deaths import Deaths, Killed, Mortal
from kit.faults import Plan, Report, Trial, inject_into_create
from kit.remembering_host import Home
from kit.remembering_kinds import Codes, Uses
from watchword.errors import UnavailableError
from watchword.runtime import delivery, verification
from watchword.runtime.credentials import effects
from watchword_adapters import aws_lambda
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
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
        "    except Exception:\n        return _compare(services, case, text, Charge('charged', now), deadline)"
    )
    with broken(verification.verify, "    return _charge_and_compare(services, case, text, deadline)", go_on):
        trial = Trial(Report(), "twin", "code", MemoryLedger)
        one = trial.begin()
        trial.plan(Plan("down", "ledger", 0, "before", lambda: UnavailableError("down")))
        judged = len(trial.arena.notes.judged)
        trial.arena.accepts(one.person, dict(one.private), wrong_answer(one.right, trial.arena.draw))

    assert len(trial.arena.notes.judged) > judged


# Kinds that remember: what goes wrong, in which order

EFFECT_TWINS = {
    "the claim is used up before the write": (
        verification._charge_and_compare,
        "        verdict = _compare(",
        "        _accept(services, case, None, deadline)\n        verdict = _compare(",
        "used twice",
    ),
    "a round is not found in the store": (
        effects._done,
        "and answer.round in each.rounds",
        "and answer.round in ()",
        "lost",
    ),
    "a round is not written down": (
        effects._used_credential,
        "(*meant.rounds, answer.round)[-KEPT_ROUNDS:]",
        "meant.rounds",
        "lost",
    ),
    "a lost race is taken for a write": (
        effects.judge,
        "wanted is None or _is_written(services, answer, wanted, owned, deadline)",
        "wanted is None or (_is_written(services, answer, wanted, owned, deadline), True)[1]",
        "used twice",
    ),
    "who loses a race is wrong": (
        effects.judge,
        "        if answer.enrols:\n",
        "        return Verdict(right=False)\n        if answer.enrols:\n",
        "lost",
    ),
    "nothing is written": (
        effects.judge,
        "wanted is None or _is_written(services, answer, wanted, owned, deadline)",
        "True",
        "used twice",
    ),
}


def lost_and_used_twice():
    """What becomes of one code, and of uses of which each is right: with a death at each point, and with a rival in a race."""
    found = set()
    for step in range(8):
        home = Home(Codes())
        made, rival, other, answer = home.ask(), home.ask(), home.ask(), home.answer
        home.start(Mortal, Deaths(step))
        with suppress(Killed):
            home.verify(made, answer)
        home.start()
        found |= {"lost"} if not home.verify(made, answer) else set()
        found |= {"used twice"} if home.verify(rival, answer) else set()
        found |= {"lost"} if not home.verify(other, home.answers[1]) else set()
    for kind, most in ((Codes(), 1), (Uses(), 2)):
        home = Home(kind)
        made, rival, answer, right = home.ask(), home.ask(), home.answer, []
        home.store.meanwhile["swap"] = partial(
            lambda home, rival, answer, right: right.append(home.verify(rival, answer)), home, rival, answer, right
        )
        right.append(home.verify(made, answer))
        found |= {"used twice"} if sum(right) > most else {"lost"} if sum(right) < most else set()
    return found


@pytest.mark.parametrize("name", EFFECT_TWINS)
def test_a_write_in_the_wrong_order_is_seen(name):
    """Deaths and races show each of them."""
    function, old, new, what = EFFECT_TWINS[name]
    with broken(function, old, new):
        assert what in lost_and_used_twice()


def test_what_is_shipped_loses_nothing_and_uses_nothing_twice():
    """The same deaths and races find nothing."""
    assert set() == lost_and_used_twice()
