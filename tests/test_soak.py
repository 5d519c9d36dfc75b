"""A few seconds of the soak: every sort of sign-in, on threads, with each ledger that stands alone."""

import re
import subprocess
import sys

import pytest
from attrs import evolve

from programs import soak
from watchword_adapters.ledgers import memory as memory_module
from watchword_adapters.ledgers.memory import MemoryLedger

pytestmark = pytest.mark.exhaustive

PAUSE = 8.0
"""Hours, so that a day is over after four rounds."""


def soaked(ledger, sign_ins=240, tell=None):
    """Soak a ledger in memory; return whether all is well, and what was said."""
    said = []
    soak.tracemalloc.start()
    try:
        outcome = soak.soak("memory", ledger, soak.check_memory, None, sign_ins, pause=PAUSE)
    finally:
        soak.tracemalloc.stop()
    return soak.shown(outcome, said.append), " ".join(said)


def test_nothing_fails_and_memory_stays_flat():
    """No error, nothing twice, budgets kept, memory flat; as a command, since what a test run keeps is memory too."""
    command = [sys.executable, soak.__file__, "--sign-ins", "180", "--pause", str(PAUSE)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert 0 == run.returncode, run.stdout + run.stderr
    for ledger in ("memory", "SQLite"):
        assert re.search(rf"^{ledger}: 180 sign-ins \(.*\d+ fail, \d+ tokens\)", run.stdout, re.MULTILINE)
    assert 2 == run.stdout.count("growing by")


def test_a_ledger_that_throws_nothing_away_shows(monkeypatch):
    """Memory that grows with every sign-in is told, and is no success."""
    monkeypatch.setattr(memory_module._Shelf, "sweep", lambda self, now: [])
    well, said = soaked(MemoryLedger())
    assert not well
    assert "memory grows" in said


def test_a_ledger_that_evaluates_every_answer_shows():
    """Several answers to one challenge, each of them charged as if it were the first."""

    class Generous(MemoryLedger):
        def charge(self, request, **settings):
            return super().charge(evolve(request, round_id=request.round_id + request.answer), **settings)

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
