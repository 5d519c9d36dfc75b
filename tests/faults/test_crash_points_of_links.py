"""Crash points of tickets, which use up two claims: the process dies at each call of Verify, and the host calls again."""

import pytest

from kit.deaths import Deaths, Killed, Mortal
from kit.engine_host import ANN, KEY
from watchword import Flow, User, ask_first
from watchword.algebra import derivative
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Round
from watchword.errors import UnavailableError
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing import Mailbox
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_plugins.magic_link import MagicLink

pytestmark = pytest.mark.exhaustive

USER = User("ann", ANN)
MOST_POINTS = 12


class Process:
    """A host whose process may die and be started again; ledger, mailbox and clock outlive it."""

    def __init__(self, make_ledger, opens):
        kind = MagicLink(redirects={"web": "https://app.example/"}, opens=opens, verified_only=False)
        self.flow, self.clock, self.random = Flow(ask_first(kind)), VirtualClock(), SeededRandom("links")
        self.ledger, self.mailbox = make_ledger(), Mailbox()
        self.start()

    def start(self, step=None):
        """Start anew; die at point *step*."""
        self.deaths = Deaths(step)
        self.engine = Engine(
            self.flow,
            keyring=Keyring.of(KEY),
            ledger=Mortal(self.ledger, self.deaths),
            couriers={"email": self.mailbox},
            clock=self.clock,
            random=self.random,
            audit=MemoryAudit(),
        )

    def create(self, *before, **said):
        """Ask once more in the sign-in whose challenges were those *before*."""
        session = tuple(Round(derivative.CUSTOM, False, each.metadata) for each in before)
        metadata = {f"watchword_{name}": text for name, text in said.items()}
        return self.engine.create(SessionRequest("pool_1", "client", USER, session, metadata))

    def asked(self):
        """A sign-in with two messages: its challenges, and the ticket of each message."""
        begun = self.create()
        first = self.create(begun, choice="magic_link")
        ticket = self.ticket
        self.clock.advance(61)
        second = self.create(begun, first, action="resend")
        assert ticket != self.ticket
        return second, (ticket, self.ticket)

    @property
    def ticket(self):
        """That of the last message."""
        return self.mailbox.link.partition("#")[2]

    def verify(self, made, answer):
        """What the host is told."""
        return self.engine.verify(AnswerRequest("pool_1", "client", USER, answer, made.private)).right


def dies(process, step, made, answer):
    """Have *process* die at *step* of a call; whether it came so far."""
    process.start(step)
    try:
        process.verify(made, answer)
    except (Killed, UnavailableError):
        return True
    finally:
        process.start()
    return False


@pytest.mark.parametrize("opens", ["same_browser", "anywhere"])
def test_a_death_between_the_two_claims_of_a_ticket_lets_nobody_in_twice(make_any_ledger, opens):
    """The host's repeat is right; after it neither ticket, nor the code beside them, is good for anybody."""
    for step in range(MOST_POINTS):
        process = Process(make_any_ledger, opens)
        made, (older, newer) = process.asked()
        code = process.mailbox.code
        other = process.create(process.create(), choice="magic_link")
        died = dies(process, step, made, older)
        assert [True, True] == [process.verify(made, older) for _ in range(2)], step
        for answer in (newer, code, f"{older} "):
            assert not process.verify(made, answer), step
        assert not process.verify(other, older), step
        if not died:
            break
    assert step >= 3


def test_a_death_at_a_ticket_of_another_browser_uses_nothing_up(make_any_ledger):
    """The repeat is wrong, as the call before was; whoever asked for the link is let in by it."""
    for step in range(MOST_POINTS):
        process = Process(make_any_ledger, "same_browser")
        made, (older, newer) = process.asked()
        other = process.create(process.create(), choice="magic_link")
        died = dies(process, step, other, newer)
        assert [False, False] == [process.verify(other, newer) for _ in range(2)], step
        assert process.verify(made, newer if step % 2 else older), step
        if not died:
            break
    assert step >= 3
