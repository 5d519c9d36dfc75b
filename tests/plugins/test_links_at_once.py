"""One link in 64 sign-ins at once: exactly one of them is let in, by the link or by the code beside it."""

import pytest

from watchword import Flow, Limits, ask_first
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.testing import FlowUser
from watchword.testing.flow_user import TEST_POOL
from watchword.testing.ledger_calls import at_once
from watchword_adapters.ledgers import MemoryLedger, SqliteLedger
from watchword_plugins.magic_link import MagicLink

LEDGERS = {"memory": lambda folder: MemoryLedger(), "sqlite": lambda folder: SqliteLedger(str(folder / "l.db"))}


@pytest.mark.parametrize("ledger", LEDGERS)
def test_one_link_lets_one_in(ledger, tmp_path):
    """Of 64 browsers that open it at once, where it opens anywhere; the code of the mail is used up with it."""
    kind = MagicLink(redirects={"web": "https://app.example/"}, opens="anywhere")
    user = FlowUser(Flow(ask_first(kind), limits=Limits(guesses="100/h")), ledger=LEDGERS[ledger](tmp_path))
    asked = user.signs_in().chooses("magic_link")
    ticket, code = user.outbox.link.partition("#")[2], user.outbox.code
    made = [user.engine.create(SessionRequest(TEST_POOL, user.client, user.user())) for _ in range(64)]
    said = {"watchword_choice": "magic_link", "watchword_action": "answer"}
    requests = [AnswerRequest(TEST_POOL, user.client, user.user(), ticket, each.private, said) for each in made]
    assert 1 == sum(at_once(lambda number: user.engine.verify(requests[number]).right, times=64))
    asked.answers(code).is_asked("magic_link")
