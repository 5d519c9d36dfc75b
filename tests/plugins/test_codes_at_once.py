"""One code in 64 sign-ins at once: exactly one of them is let in, and no other right answer is lost."""

from __future__ import annotations

from typing import Any

import pytest

from watchword import Flow, Limits
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.testing import FlowUser
from watchword.testing.flow_user import TEST_POOL
from watchword.testing.ledger_calls import at_once
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp

pyotp = pytest.importorskip("pyotp")

LIMITS = Limits(guesses="100/h")
STORES = {
    "memory": lambda folder: MemoryCredentials(),
    "sqlite": lambda folder: SqliteCredentials(str(folder / "c.db")),
}


@pytest.fixture(params=STORES)
def store(request: Any, tmp_path: Any) -> Any:
    """A store of credentials in this process, and one in a file."""
    return STORES[request.param](tmp_path)


def user_of(kind: Any, store: Any) -> FlowUser:
    """Somebody who signs in by *kind* alone."""
    return FlowUser(Flow(kind, limits=LIMITS), ledger=MemoryLedger(), credentials=store)


def accepted(user: FlowUser, answers: list[str]) -> list[bool]:
    """Give each of *answers* in a sign-in of its own, all at once; return which are right."""
    made = [user.engine.create(SessionRequest(TEST_POOL, user.client, user.user())) for _ in answers]
    requests = [
        AnswerRequest(TEST_POOL, user.client, user.user(), answer, challenge.private)
        for answer, challenge in zip(answers, made, strict=True)
    ]
    return at_once(lambda number: user.engine.verify(requests[number]).right, times=len(requests))


def test_one_step_lets_one_in(store: Any) -> None:
    """Of 64 who show the code of one step at once; a day later another is good, once again."""
    user = user_of(Totp(), store)
    app = pyotp.TOTP(user.enrol("totp", lambda shown: pyotp.TOTP(shown["secret"]).at(user.clock.now()))["secret"])
    for _ in range(2):
        user.clock.advance(86_400)
        code = app.at(user.clock.now())
        assert 1 == sum(accepted(user, [code] * 64))


def test_one_recovery_code_lets_one_in(store: Any) -> None:
    """Of 64 at once."""
    user = user_of(RecoveryCodes(), store)
    codes = user.enrol("recovery_codes", lambda shown: shown["codes"].split()[0])["codes"].split()
    assert 1 == sum(accepted(user, [codes[3]] * 64))
    assert not user.engine.verify(_again(user, codes[3])).right


def test_ten_recovery_codes_let_ten_in(store: Any) -> None:
    """Each of the ten in two sign-ins, and 44 others that are wrong, at once: whoever loses the race to another code is judged again."""
    user = user_of(RecoveryCodes(), store)
    codes = user.enrol("recovery_codes", lambda shown: shown["codes"].split()[0])["codes"].split()
    answers = [*codes, *codes, *["0" * 16] * 44]
    right = accepted(user, answers)
    assert sorted(codes) == sorted(code for code, each in zip(answers, right, strict=True) if each)


def _again(user: FlowUser, answer: str) -> AnswerRequest:
    made = user.engine.create(SessionRequest(TEST_POOL, user.client, user.user()))
    return AnswerRequest(TEST_POOL, user.client, user.user(), answer, made.private)
