"""A few seconds of the soak: every sort of sign-in, on threads, with each ledger that stands alone."""

import pytest

import soak
from watchword_adapters.ledgers import memory as memory_module
from watchword_adapters.ledgers.memory import MemoryLedger


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch):
    """Let eight hours pass between two rounds, so that a day is over after four."""
    monkeypatch.setattr(soak, "PAUSE", 8 * 3600.0)
    monkeypatch.setattr(soak, "STEADY", 4)


def soaked(ledger, sign_ins=240, tell=None):
    """Soak a ledger in memory; return whether all is well, and what was said."""
    said = []
    soak.tracemalloc.start()
    try:
        outcome = soak.soak("memory", ledger, soak.check_memory, None, sign_ins)
    finally:
        soak.tracemalloc.stop()
    return soak.shown(outcome, said.append), " ".join(said)


def test_nothing_fails_and_memory_stays_flat(tmp_path):
    """No error, nothing twice, budgets kept, memory flat: in memory and in SQLite."""
    outcomes = soak.soak_all(None, 160, tmp_path)
    assert ["memory", "SQLite"] == [each.ledger for each in outcomes]
    for outcome in outcomes:
        said = []
        assert soak.shown(outcome, said.append), said
        assert 160 == outcome.sign_ins == sum(outcome.ends.values())
        assert {"tokens", "fail"} <= set(outcome.ends)
        assert len(outcome.memory) == outcome.crowds == 8


def test_a_ledger_that_throws_nothing_away_shows(monkeypatch):
    """Memory that grows with every sign-in is told, and is no success."""
    monkeypatch.setattr(memory_module._Shelf, "sweep", lambda self, now: [])
    well, said = soaked(MemoryLedger())
    assert not well
    assert "memory grows" in said


def test_a_ledger_that_evaluates_every_answer_shows():
    """Several answers to one challenge, each of them charged as if it were the first."""

    class Generous(MemoryLedger):
        def charge(self, round_id, answer, **settings):
            return super().charge(round_id + answer, answer, **settings)

    well, said = soaked(Generous(), 40)
    assert not well
    assert "second answers were refused" in said


def test_a_ledger_that_forgets_claims_shows():
    """A host's retry then sends again."""

    class Forgetful(MemoryLedger):
        def claim(self, key, claim_id, **settings):
            return super().claim(key + claim_id, claim_id, **settings)

    well, _ = soaked(Forgetful(), 100)
    assert not well
