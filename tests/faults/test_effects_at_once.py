"""Sixty-four sign-ins with one credential at once: as many are accepted as the kind allows, and no right answer is lost."""

from collections import Counter
from contextlib import suppress

import pytest

from kit.remembering_host import NAMED, OWNER, POOL, Home
from kit.remembering_kinds import KINDS, Codes, Counts, Keys, Steps, Uses, enrolled
from watchword.algebra.evaluation import AnswerRequest
from watchword.errors import UnavailableError
from watchword.testing.ledger_calls import THREADS, at_once

pytestmark = pytest.mark.exhaustive


def told(home, made, answer):
    """What the client is told in the end: a host calls three times, and a call that failed says nothing."""
    for _ in range(3):
        with suppress(UnavailableError):
            return home.engine.verify(AnswerRequest(POOL, "app", NAMED, answer, made.private)).right
    return None


def signed_in(home, answers):
    """Have 64 sign-ins answer at once, the first with the first of *answers* and so on; return what each is told."""
    made = [home.ask() for _ in range(THREADS)]
    given = [answers[number % len(answers)] for number in range(THREADS)]
    right = at_once(lambda number: told(home, made[number], given[number]))
    # The host calls once more: each is told the same.
    assert right == [told(home, each, answer) for each, answer in zip(made, given, strict=True)]
    return Counter(answer for answer, each in zip(given, right, strict=True) if each)


def test_of_one_step_one_is_accepted(make_any_ports):
    """A code of an authenticator app counts once, over all sign-ins."""
    ledger, store = make_any_ports()
    home = Home(Steps(), ledger=ledger, store=store)
    assert {home.answer: 1} == signed_in(home, [home.answer])
    assert 1 == home.owned[0].version


def test_of_each_code_one_is_accepted(make_any_ports):
    """Ten codes, ten sign-ins: who loses a race with another code is judged again, and right."""
    ledger, store = make_any_ports()
    home = Home(Codes(), ledger=ledger, store=store)
    answers = home.answers
    assert dict.fromkeys(answers, 1) == signed_in(home, answers)
    assert sorted(home.owned[0].state["used"].split()) == [str(number) for number in range(10)]
    assert 10 == home.owned[0].version


def test_a_count_only_grows(make_any_ports):
    """Each count once at most; the highest is always accepted, since nothing was above it."""
    ledger, store = make_any_ports()
    home = Home(Counts(), ledger=ledger, store=store)
    accepted = signed_in(home, home.answers)
    assert {1} == set(accepted.values())
    assert home.answers[-1] in accepted
    assert len(accepted) == home.owned[0].version


@pytest.mark.parametrize("kind", [Uses(), Keys()], ids=["uses", "keys"])
def test_where_nothing_forbids_it_all_are_accepted(make_any_ports, kind):
    """No right answer is lost in a race."""
    ledger, store = make_any_ports()
    home = Home(kind, ledger=ledger, store=store)
    assert {home.answer: THREADS} == signed_in(home, [home.answer])
    assert home.owned[0].version == (THREADS if kind.kind == "uses" else 0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_64_calls_of_one_round_are_one(make_any_ports, kind):
    """However often the host repeats, and however much at once: all of them are right, and one wrote."""
    ledger, store = make_any_ports()
    home = Home(kind, ledger=ledger, store=store)
    made, answer = home.ask(), home.answer
    assert [True] * THREADS == at_once(lambda _: told(home, made, answer))
    assert home.owned[0].version == (kind.kind != "keys")


def test_users_do_not_stand_in_each_others_way(make_any_ports):
    """Two credentials of one user are used at once: neither loses."""
    ledger, store = make_any_ports()
    home = Home(Uses(), "one", "two", ledger=ledger, store=store)
    others = enrolled(Uses(), f"{OWNER}x", "three")
    assert home.add(others)
    answers = ["one same", "two same", "three same"]
    accepted = signed_in(home, answers)
    assert {"one same", "two same"} == set(accepted)
    assert sum(accepted.values()) == sum(each.version for each in home.owned)
    assert sum(accepted.values()) == len([n for n in range(THREADS) if n % 3 < 2])
