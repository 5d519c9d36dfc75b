"""Crash points of kinds that remember: the process dies at each call of ledger and store in Verify, and the host calls again.

Between charge, list, judgement, write and mark: the same round reads right again, and every other round is wrong.
"""

from collections import Counter
from functools import partial

import pytest
from attrs import evolve

from kit.deaths import Deaths, Killed, Mortal
from kit.engine_host import Host, Riddle, world
from kit.remembering_host import NAMED, OWNER, Home
from kit.remembering_kinds import KINDS, ONCE
from watchword import Flow, IssueTokens, enrol, sequence
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.testing import FlowUser
from watchword.testing.flow_user import TEST_POOL
from watchword_adapters.credentials import MemoryCredentials
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp

pyotp = pytest.importorskip("pyotp")

pytestmark = pytest.mark.exhaustive

COUNTS = Counter()
LONG = 3600.0


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what all of it came to."""
    yield
    print(f"\ncrash points of effects: {', '.join(f'{name} {count:,}' for name, count in sorted(COUNTS.items()))}")


def killed(home, step, act):
    """Have *act* done by a process that dies at its *step*th point, if it has so many; return whether it died, and the points."""
    deaths = Deaths(step)
    home.start(Mortal, deaths)
    try:
        act()
    except Killed:
        COUNTS["crashes"] += 1
        return True, deaths.points
    finally:
        home.start()
    return False, deaths.points


def deaths_of(home, act, most=40):
    """The points that *act* passes in a process that lives."""
    died, points = killed(home, most, act)
    assert not died
    return points


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_points_are_those_that_the_order_names(make_any_ports, kind):
    """Charge, list, write, mark: a death is tried before and after each of them."""
    ledger, store = make_any_ports()
    home = Home(kind, ledger=ledger, store=store)
    made = home.ask()
    calls = ["charge", "list", *([] if kind.kind == "keys" else ["swap"]), "consume"]
    points = deaths_of(home, partial(home.verify, made, home.answer))
    assert [f"{moment} {name}" for name in calls for moment in ("before", "after")] == points


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_killed_anywhere_the_same_round_reads_right_and_every_other_wrong(make_any_ports, kind):
    """The host calls three times in all: the process dies in the first call, or in the first two, at any two points.

    Two deaths are tried in memory, where all others do the same in less time.
    """
    seconds = (None, *range(10)) if isinstance(make_any_ports()[1], MemoryCredentials) else (None,)
    for first in range(8):
        for second in seconds:
            ledger, store = make_any_ports()
            home = Home(kind, ledger=ledger, store=store)
            made, other, third = home.ask(), home.ask(), home.ask()
            answers, where = home.answers, (first, second)
            died, _ = killed(home, first, partial(home.verify, made, answers[0]))
            if not died:
                break
            if second is not None:
                died, _ = killed(home, second, partial(home.verify, made, answers[0]))
                if not died:
                    break
            right = [home.verify(made, answers[0]) for _ in range(3)]
            COUNTS["lost"] += right != [True] * 3
            assert [True] * 3 == right, where
            again = home.verify(other, answers[0])
            COUNTS["used twice"] += again and kind.kind in ONCE
            assert again is (kind.kind not in ONCE), where
            assert not home.verify(made, "another answer"), where
            assert home.owned[0].version == {"keys": 0, "uses": 2}.get(kind.kind, 1), where
            if len(answers) > 1:
                assert home.verify(third, answers[1]), where
    assert 0 == COUNTS["lost"] + COUNTS["used twice"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_rival_between_two_calls_of_one_round_gets_what_the_first_call_did_not_write(make_any_ports, kind):
    """Another round answers the same after the death, before the host calls again: of the two exactly one is right."""
    for step in range(8):
        ledger, store = make_any_ports()
        home = Home(kind, ledger=ledger, store=store)
        made, rival, answer = home.ask(), home.ask(), home.answer
        died, points = killed(home, step, partial(home.verify, made, answer))
        if not died:
            break
        right = [home.verify(rival, answer), home.verify(made, answer)]
        if kind.kind in ONCE:
            COUNTS["used twice"] += sum(right) > 1
            COUNTS["lost"] += not any(right)
            assert right == ([False, True] if "after swap" in points else [True, False]), step
        else:
            assert [True, True] == right, step
        assert right == [home.verify(rival, answer), home.verify(made, answer)], step


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_wrong_answer_stays_wrong_wherever_the_process_died(make_any_ports, kind):
    """And writes nothing."""
    for step in range(6):
        ledger, store = make_any_ports()
        home = Home(kind, ledger=ledger, store=store)
        made, before = home.ask(), home.owned
        killed(home, step, partial(home.verify, made, "wrong"))
        assert [False] * 3 == [home.verify(made, "wrong") for _ in range(3)]
        assert not home.verify(made, home.answer) or step == 0  # nothing was recorded
        assert step == 0 or before == home.owned


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_killed_anywhere_an_enrol_step_enrols_once(make_any_ports, kind):
    """The credential is there once, the round reads right, and the sign-in goes on."""
    step, died = 0, True
    while died:
        ledger, store = make_any_ports()
        here = world(Flow(sequence(Riddle(), enrol(kind))), ledger=ledger, credentials=store)
        host = Host(here, NAMED)
        host.next()
        asked = host.answers("fish")
        answer = f"enrol {asked.public['id']}"
        deaths = Deaths(step)
        mortal = world(
            here.engine.flow, ledger=Mortal(ledger, deaths), credentials=Mortal(store, deaths), clock=here.clock
        )
        dying = Host(mortal, NAMED, host.session, host.pending)
        died = False
        try:
            dying.verify(answer)
        except Killed:
            died = True
            COUNTS["crashes"] += 1
        assert [True] * 2 == [host.verify(answer).right for _ in range(2)]
        assert IssueTokens() == host.answers(answer)
        (owned,) = store.list(OWNER, within=LONG)
        assert (host.pending[0].private["round"],) == owned.rounds
        step += 1
    # charge, list, add, consume
    assert 9 == step


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_killed_anywhere_an_enrolment_outside_a_sign_in_enrols_once(make_any_ports, kind):
    """Begun once, completed by whoever calls again with the same answer."""
    step, died = 0, True
    while died:
        ledger, store = make_any_ports()
        here = world(Flow(sequence(Riddle(), enrol(kind))), ledger=ledger, credentials=store).engine
        begun = begin_enrolment(here, "pool_1", "app", NAMED, kind.kind)
        answer = f"enrol {begun.public['id']}"
        deaths = Deaths(step)
        mortal = world(here.flow, ledger=Mortal(ledger, deaths), credentials=Mortal(store, deaths)).engine
        died = False
        try:
            complete_enrolment(mortal, "pool_1", "app", NAMED, begun.handle, answer, "mine")
        except Killed:
            died = True
            COUNTS["crashes"] += 1
        done = [complete_enrolment(here, "pool_1", "app", NAMED, begun.handle, answer, "mine") for _ in range(2)]
        assert [True, True] == [bool(each) for each in done], (deaths.points, done)
        (owned,) = store.list(OWNER, within=LONG)
        assert "mine" == owned.label
        step += 1
    # peek, count, list, consume, add, put
    assert step >= 13, deaths.points


def totp_code(user):
    """Enrol an app; return a code of it, of a later day."""
    app = pyotp.TOTP(user.enrol("totp", lambda shown: pyotp.TOTP(shown["secret"]).at(user.clock.now()))["secret"])
    user.clock.advance(86_400)
    return app.at(user.clock.now())


def recovery_code(user):
    """Draw codes; return one."""
    return user.enrol("recovery_codes", lambda shown: shown["codes"].split()[0])["codes"].split()[3]


@pytest.mark.parametrize(("kind", "set_up"), [(Totp(), totp_code), (RecoveryCodes(), recovery_code)])
def test_killed_anywhere_a_code_of_the_shipped_kinds_counts_once(make_any_ports, kind, set_up):
    """The round reads right again, and the code is wrong in any other."""
    step, died = 0, True
    while died:
        ledger, store = make_any_ports()
        user = FlowUser(Flow(kind), ledger=ledger, credentials=store)
        code, deaths = set_up(user), Deaths(step)
        mortal = evolve(user.engine, ledger=Mortal(ledger, deaths), credentials=Mortal(store, deaths))
        made, other = (
            AnswerRequest(TEST_POOL, user.client, user.user(), code, challenge.private)
            for challenge in (user.engine.create(SessionRequest(TEST_POOL, user.client, user.user())) for _ in range(2))
        )
        died = False
        try:
            assert mortal.verify(made).right
        except Killed:
            died = True
            COUNTS["crashes"] += 1
        assert [True, True, False, True] == [user.engine.verify(each).right for each in (made, made, other, made)]
        step += 1
    # charge, list, swap, consume
    assert 9 == step


def test_nothing_was_lost_and_nothing_was_used_twice():
    """Five hundred deaths and more, when the whole of this file runs."""
    if COUNTS["crashes"] < 500:
        pytest.skip("only a part of this file ran")

    assert (0, 0) == (COUNTS["lost"], COUNTS["used twice"])
