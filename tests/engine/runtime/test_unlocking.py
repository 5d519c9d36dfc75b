"""Unlocking: a user's budgets are emptied, nobody else's, and that is recorded once."""

from __future__ import annotations

import pytest

from kit.engine_host import ANN as ATTRIBUTES
from kit.engine_host import Host, Riddle, world
from watchword import Flow
from watchword.contract.kinds import User
from watchword.contract.ports import Limit
from watchword.errors import UnavailableError
from watchword.runtime.keyring import Keyring
from watchword.runtime.services import user_key
from watchword.runtime.unlocking import never_used, unlock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers import MemoryLedger

RING = Keyring.of([bytes(range(32)), bytes(range(1, 33))])
ANN = User("ann", {"sub": "1"})
POOL = "us-east-1_A"
KNOWN = User("ann", ATTRIBUTES)


def used_up(ledger, owner: str, budget: str) -> bool:
    """Count one event in *budget*, which has room for one; say whether there was none."""
    return not ledger.count(
        budget, event="e" + budget, owner=owner, limits=[Limit(1, 60)], now=1.0, within=1.0
    ) or not ledger.count(budget, event="f" + budget, owner=owner, limits=[Limit(1, 60)], now=1.0, within=1.0)


def test_every_budget_of_the_user_is_emptied_and_counted():
    """Guesses and messages alike: after it there is room again, and the number of budgets is returned."""
    ledger = MemoryLedger()
    owner = user_key(RING, POOL, ANN)
    assert used_up(ledger, owner, "guess")
    assert used_up(ledger, owner, "message")
    assert 2 == unlock(ANN, pool=POOL, keyring=RING, ledger=ledger, clock=SystemClock())
    assert ledger.count("guess", event="g", owner=owner, limits=[Limit(1, 60)], now=1.0, within=1.0)
    assert 1 == unlock(ANN, pool=POOL, keyring=RING, ledger=ledger, clock=SystemClock())


@pytest.mark.parametrize(
    ("user", "pool"),
    [
        (User("ann", {"sub": "2"}), POOL),
        (ANN, "us-east-1_B"),
        (User("ann", known=False), POOL),
        (User("1", known=False), POOL),
    ],
)
def test_nobody_elses_budgets_are_touched(user: User, pool: str):
    """Another sub, another pool, or an unknown user of the same name is another owner."""
    ledger = MemoryLedger()
    assert used_up(ledger, user_key(RING, POOL, ANN), "guess")
    assert 0 == unlock(user, pool=pool, keyring=RING, ledger=ledger, clock=SystemClock())


def test_a_name_is_unlocked_as_unknown_users_are_charged():
    """An unknown user is owned by the name in any spelling; the attributes of such a user count for nothing."""
    assert user_key(RING, POOL, User("bob", known=False)) == user_key(
        RING, POOL, User("bob", {"sub": "1"}, known=False)
    )
    assert user_key(RING, POOL, User("bob", known=False)) == user_key(RING, POOL, User("BoB", known=False))
    assert user_key(RING, POOL, User("bob", known=False)) != user_key(RING, POOL, User("rob", known=False))


def test_a_key_added_in_front_finds_the_same_budgets():
    """Rotation: the oldest key names users, so a new one in front changes nothing."""
    assert user_key(RING, POOL, ANN) == user_key(Keyring.of(bytes(range(1, 33))), POOL, ANN)


def test_it_is_recorded_as_one_event_without_personal_data():
    """One authz_admin event, with the keyed digest of the user and the number of budgets."""
    audit, ledger = MemoryAudit(), MemoryLedger()
    used_up(ledger, user_key(RING, POOL, ANN), "guess")
    unlock(ANN, pool=POOL, keyring=RING, ledger=ledger, clock=SystemClock(), audit=audit)
    (event,) = audit.events
    assert ("authz_admin", user_key(RING, POOL, ANN)) == (event.name, event.user)
    assert {"action": "unlock", "budgets": "1"} == dict(event.detail)


def test_a_ledger_is_marked_with_its_key_and_its_pools_once_a_day():
    """Unused, used with another key, for another pool, used: told apart for 90 days after the last challenge."""
    here = world(Flow(Riddle()))

    def never(pool="pool_1", key=RING):
        return never_used(pool=pool, keyring=key, ledger=here.ledger, clock=here.clock)

    other = Keyring.of(bytes(range(2, 34)))
    ring = here.engine.keyring
    assert ["key", "key"] == [never(key=ring), never(key=other)]
    Host(here, KNOWN).next()
    assert [None, "key", "pool"] == [never(key=ring), never(key=other), never("pool_2", ring)]
    here.clock.advance(80 * 86_400)
    Host(here, KNOWN).next()
    here.clock.advance(80 * 86_400)
    assert never(key=ring) is None
    here.clock.advance(10 * 86_400)
    assert "key" == never(key=ring)


def test_a_ledger_that_takes_no_mark_costs_no_challenge():
    """The marks are for operators: a challenge that was made is presented, and the next one tries to mark again."""

    class Unmarked(MemoryLedger):
        puts = 0

        def put(self, *_, **__):
            self.puts += 1
            raise UnavailableError("full")

    here = world(Flow(Riddle()), ledger=Unmarked())
    for puts in (1, 2):
        assert Host(here, KNOWN).next().public["step"] == "riddle"
        assert puts == here.ledger.puts


def test_an_audit_that_fails_does_not_undo_it():
    """What was forgotten is reported as forgotten, whatever the sink does."""

    class Broken:
        def record(self, event):
            raise OSError("disk full")

    ledger = MemoryLedger()
    used_up(ledger, user_key(RING, POOL, ANN), "guess")
    assert 1 == unlock(ANN, pool=POOL, keyring=RING, ledger=ledger, clock=SystemClock(), audit=Broken())


def test_a_ledger_that_fails_leaves_no_record():
    """Nothing was forgotten, so nothing is said to have been."""

    class Dead(MemoryLedger):
        def forget(self, owner, *, within):
            raise UnavailableError("the ledger is down")

    audit = MemoryAudit()
    with pytest.raises(UnavailableError):
        unlock(ANN, pool=POOL, keyring=RING, ledger=Dead(), clock=SystemClock(), audit=audit)
    assert [] == audit.events
