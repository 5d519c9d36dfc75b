"""An outage leaves a sign-in of plain functions where it was: the same answer may be sent again with the same token."""

from threading import Barrier, Lock, Thread
from typing import ClassVar

import pytest
from attrs import define, field, frozen

from kit.engine_host import ANN, KEY, Mail, Post, Riddle
from watchword import Flow, Limits, UnavailableError, Verdict, sequence
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.functions import Asked, Refused, SignedIn, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.srp.client import SrpClient
from watchword_plugins.srp import Srp

STAMP = 1_800_000_000
DOWN = Refused("UNAVAILABLE")
EXPIRED = Refused("EXPIRED")


@define
class Outage:
    """Which calls fail, how often yet, and which answers were compared."""

    call: str = ""
    times: int = 0
    error: Exception = field(factory=lambda: UnavailableError("away"))
    compared: list[str] = field(factory=list)
    lock: Lock = field(factory=Lock)

    def strike(self, call):
        """Fail if *call* is one that does now."""
        with self.lock:
            if call != self.call or not self.times:
                return
            self.times -= 1
        raise self.error


@frozen(eq=False)
class Watched(Riddle):
    """A riddle whose place may be away, and which keeps what it compared."""

    kind: ClassVar[str] = "watched"
    cosmetic: ClassVar[frozenset[str]] = frozenset({"outage"})

    outage: Outage = field(factory=Outage)

    def verify(self, request):
        self.outage.strike("verify")
        self.outage.compared.append(request.answer)
        return Verdict(request.matches(request.private.get("digest"), request.answer))


class Frail(MemoryLedger):
    """A ledger of which one call may be away: before it writes, or after."""

    def __init__(self, outage):
        super().__init__()
        self.outage = outage

    def charge(self, *given, **named):
        self.outage.strike("charge")
        charge = super().charge(*given, **named)
        self.outage.strike("charge, written")
        return charge

    def consume(self, *given, **named):
        self.outage.strike("consume")
        consumed = super().consume(*given, **named)
        self.outage.strike("consume, written")
        return consumed

    def put(self, key, value, **named):
        self.outage.strike(f"put {key.partition(':')[0]}")
        super().put(key, value, **named)

    def take(self, key, **named):
        self.outage.strike("take")
        return super().take(key, **named)


class Courier(Post):
    """A courier that may be away."""

    def __init__(self, outage):
        super().__init__()
        self.outage = outage

    channel = "email"

    def send(self, message, within):
        self.outage.strike("send")
        return super().send(message, within)


@frozen
class Book:
    """Users in a dict that may be away."""

    outage: Outage
    records: dict = field(factory=dict)

    def find(self, name):
        self.outage.strike("find")
        return self.records.get(name)


@frozen
class Place:
    """A host of plain functions over ports that may be away."""

    host: SignIn
    outage: Outage
    clock: VirtualClock
    post: Post
    events: MemoryAudit


def place(flow=None, **limits):
    """Return a host with the user ann; without a *flow* it is a riddle, then a mail."""
    outage = Outage()
    clock, post, events, book = VirtualClock(), Courier(outage), MemoryAudit(), Book(outage)
    host = SignIn(
        flow or Flow(sequence(Watched(outage=outage), Mail()), limits=Limits(**limits)),
        users=book,
        key=KEY,
        courier=post,
        ledger=Frail(outage),
        clock=clock,
        random=SeededRandom(),
        audit=events,
        environment={},
    )
    salt, verifier = host.verifier("ann", "Passw0rd!x")
    book.records["ann"] = UserRecord(ANN, salt, verifier)
    return Place(host, outage, clock, post, events)


def strike(here, call, times=1, error=None):
    """Let the next *times* of *call* fail."""
    here.outage.call, here.outage.times = call, times
    if error is not None:
        here.outage.error = error


CALLS = [
    "find",
    "verify",
    "charge",
    "charge, written",
    "consume",
    "consume, written",
    "send",
    "put handle",
]


@pytest.mark.parametrize("call", CALLS)
def test_the_same_answer_goes_on_after_an_outage(call):
    """Wherever the call ended, the sign-in is at the same challenge, and goes on to its end."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, call)
    assert DOWN == here.host.respond(asked.token, "fish")
    here.clock.advance(61)  # While a courier is down nobody is asked for its message.
    again = here.host.respond(asked.token, "fish")
    assert "mail" == again.step
    assert isinstance(here.host.respond(again.token, here.post.code), SignedIn)
    assert EXPIRED == here.host.respond(asked.token, "fish")


@pytest.mark.parametrize("call", ["find", "verify", "charge", "charge, written", "put handle"])
def test_a_wrong_answer_stays_wrong_after_an_outage(call):
    """The same wrong answer again costs one try and one guess, as without the outage."""
    here = place(guesses="2/1h")
    asked = here.host.begin("ann")
    for left in ("2", "1"):
        strike(here, call)
        assert DOWN == here.host.respond(asked.token, "cat")
        asked = here.host.respond(asked.token, "cat")
        assert ("watched", left) == (asked.step, asked.public["attempts_left"])
    here.host.respond(asked.token, "fish")
    assert "guesses_used_up" in [event.detail.get("reason") for event in here.events.events]


AFTER_COMPARING = ["send", "consume", "consume, written", "put handle"]


@pytest.mark.parametrize("call", AFTER_COMPARING)
def test_another_answer_is_not_compared_after_an_outage(call):
    """One round has one comparison: what is sent in place of the first answer is wrong, unseen."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, call)
    assert DOWN == here.host.respond(asked.token, "fish")
    here.clock.advance(61)
    again = here.host.respond(asked.token, "another")
    assert ("watched", "wrong") == (again.step, again.public["error"])
    assert ["fish"] == here.outage.compared
    assert "second_answer" == here.events.events[-1].detail["reason"]


def test_a_right_answer_in_place_of_a_wrong_one_is_not_compared():
    """An outage after a wrong answer is no second guess."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, "put handle")
    assert DOWN == here.host.respond(asked.token, "cat")
    assert "watched" == here.host.respond(asked.token, "fish").step
    assert ["cat"] == here.outage.compared


def test_an_empty_budget_of_messages_leaves_the_sign_in_where_it_was():
    """TRY_LATER is no end either: the same answer goes on when there is room."""
    here = place(messages="1/1min")
    here.host.respond(here.host.begin("ann").token, "fish")
    here.clock.advance(20)
    asked = here.host.begin("ann")
    assert Refused("TRY_LATER") == here.host.respond(asked.token, "fish")
    here.clock.advance(40)
    assert "mail" == here.host.respond(asked.token, "fish").step
    assert ["fish", "fish"] == here.outage.compared  # a repeat of what was accepted is not compared again


@pytest.mark.parametrize("again", ["resend", "answer"])
def test_a_resend_that_fails_takes_nothing_away(again):
    """After an outage the resend may be asked for again, or the message that came before may be answered."""
    here = place(Flow(Mail()))
    asked = here.host.begin("ann")
    code = here.post.code
    here.clock.advance(60)
    strike(here, "put handle")
    assert DOWN == here.host.respond(asked.token, action="resend")
    if again == "resend":
        asked = here.host.respond(asked.token, action="resend")
        code = here.post.code
    assert isinstance(here.host.respond(asked.token, code), SignedIn)


def test_an_outage_does_not_lengthen_a_challenge():
    """The token is good until the same moment as before."""
    here = place()
    asked = here.host.begin("ann")
    here.clock.advance(179)
    strike(here, "verify")
    assert DOWN == here.host.respond(asked.token, "fish")
    here.clock.advance(1)
    assert EXPIRED == here.host.respond(asked.token, "fish")


def test_whatever_a_store_of_users_raises_the_sign_in_stays():
    """The program sees its own error, and the same answer goes on afterwards."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, "find", error=OSError("no route"))
    with pytest.raises(OSError, match="no route"):
        here.host.respond(asked.token, "fish")
    assert "mail" == here.host.respond(asked.token, "fish").step


def test_a_ledger_that_is_away_first_keeps_the_token():
    """What could not be taken is still there."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, "take")
    assert DOWN == here.host.respond(asked.token, "fish")
    assert "mail" == here.host.respond(asked.token, "fish").step


def test_a_ledger_that_stays_away_loses_the_token_at_most():
    """The call ends with the outage, and the token is EXPIRED: no second error, and nothing is accepted."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, "put handle", 2)
    assert DOWN == here.host.respond(asked.token, "fish")
    assert EXPIRED == here.host.respond(asked.token, "fish")


def opened(here, password="Passw0rd!x"):
    """Open a sign-in with a password; return the challenge and the answer to it."""
    client = SrpClient(here.host.realm, "ann", password, SeededRandom("client"))
    asked = here.host.begin("ann", srp_a=client.auth_parameters()["SRP_A"])
    return asked, client.answer(asked.public, STAMP)


@pytest.mark.parametrize("call", [call for call in CALLS if call not in {"verify", "send"}])
def test_a_password_goes_on_after_an_outage_and_is_free(call):
    """A right password is no guess, however often an outage cut it short."""
    here = place(Flow(sequence(Srp(), Riddle())))
    for _ in range(7):
        asked, answer = opened(here)
        strike(here, call)
        assert DOWN == here.host.respond(asked.token, answer)
        assert "riddle" == here.host.respond(asked.token, answer).step
        assert EXPIRED == here.host.respond(asked.token, answer)


def test_a_password_goes_on_after_the_next_step_could_not_be_asked():
    """The mail that comes after the password could not be sent; then it can."""
    here = place(Flow(sequence(Srp(), Mail())))
    asked, answer = opened(here)
    strike(here, "send")
    assert DOWN == here.host.respond(asked.token, answer)
    here.clock.advance(61)
    again = here.host.respond(asked.token, answer)
    assert isinstance(here.host.respond(again.token, here.post.code), SignedIn)


def test_a_wrong_password_stays_wrong_after_an_outage_and_costs_one_guess():
    """Five wrong passwords and no more, each cut short once."""
    here = place(Flow(sequence(Srp(), Mail())))
    for number in range(6):
        asked, answer = opened(here, "wrong")
        strike(here, "charge, written")
        assert DOWN == here.host.respond(asked.token, answer)
        assert Refused() == here.host.respond(asked.token, answer)
        assert ("passwords_used_up" == here.events.events[-1].detail["reason"]) == (number == 5)
        assert EXPIRED == here.host.respond(asked.token, answer)


@pytest.mark.parametrize(("first", "second"), [("Passw0rd!x", "wrong"), ("wrong", "Passw0rd!x")])
def test_another_password_is_not_compared_after_an_outage(first, second):
    """One challenge has one password: another one, right or wrong, is refused."""
    here = place(Flow(sequence(Srp(), Mail())))
    asked, answer = opened(here, first)
    other = SrpClient(here.host.realm, "ann", second, SeededRandom("client")).answer(asked.public, STAMP)
    strike(here, "charge, written")
    assert DOWN == here.host.respond(asked.token, answer)
    assert Refused() == here.host.respond(asked.token, other)
    assert ("authn_token_reuse", "second_answer") == (
        here.events.events[-1].name,
        here.events.events[-1].detail["reason"],
    )


@pytest.mark.parametrize("call", ["verify", "charge, written", "consume", "send", "put handle"])
@pytest.mark.parametrize("answer", ["fish", "fish {}"], ids=["one answer", "twenty answers"])
def test_twenty_calls_with_one_token_over_an_outage_are_judged_once_at_most(call, answer):
    """All send at once, while the first calls fail: one reply at most goes on, and one answer at most is compared."""
    here = place()
    asked = here.host.begin("ann")
    strike(here, call, 1 if call == "put handle" else 3)
    barrier, replies = Barrier(20), []

    def send(number):
        barrier.wait()
        replies.append(here.host.respond(asked.token, answer.format(number)))

    threads = [Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 20 == len(replies)
    assert 1 >= sum(isinstance(reply, Asked) for reply in replies)
    assert {DOWN, EXPIRED} >= {reply for reply in replies if not isinstance(reply, Asked)}
    assert 1 >= len(set(here.outage.compared))
