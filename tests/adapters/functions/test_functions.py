"""Plain functions: a flow without Cognito, with handles that work once."""

import pytest
from attrs import frozen

from kit.engine_host import ANN, KEY, DeadLedger, Mail, Post, Puzzle, Riddle
from watchword import ConfigurationError, Flow, Limits, UnavailableError, all_of, named, one_of, sequence
from watchword.errors import FAILURE_TEXTS
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.functions import Asked, Refused, SignedIn, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.srp.client import SrpClient
from watchword_plugins.srp import Srp

STAMP = 1_800_000_000


class Book:
    """Users in a dict."""

    def __init__(self):
        self.records = {}

    def find(self, name):
        return self.records.get(name)


@frozen
class Place:
    """A sign-in host over fakes."""

    sign_in: SignIn
    post: Post
    clock: VirtualClock
    events: MemoryAudit


def place(flow, **settings):
    """Return a host for *flow* with the user ann, whose password is Passw0rd!x."""
    post, clock, events, book = Post(), VirtualClock(), MemoryAudit(), Book()
    settings = {"key": KEY, "ledger": MemoryLedger(), "random": SeededRandom(), **settings}
    sign_in = SignIn(flow, users=book, courier=post, clock=clock, audit=events, environment={}, **settings)
    salt, verifier = sign_in.verifier("ann", "Passw0rd!x")
    book.records["ann"] = UserRecord(ANN, salt, verifier)
    return Place(sign_in, post, clock, events)


def test_a_sign_in_without_cognito():
    """Begin, answer, signed in: with the steps passed and the factors proved."""
    here = place(Flow(sequence(Puzzle(), Mail())))
    asked = here.sign_in.begin("ann")
    assert isinstance(asked, Asked)
    assert "puzzle" == asked.step
    asked = here.sign_in.respond(asked.token, "fish")
    assert "mail" == asked.step
    done = here.sign_in.respond(asked.token, here.post.code)
    assert SignedIn("ann", ANN, ("puzzle", "mail"), frozenset({"possession"})) == done


def opened(here, name="ann", password="Passw0rd!x"):
    """Open a sign-in with a password; return what comes after the password was answered."""
    client = SrpClient(here.sign_in.realm, name, password, SeededRandom("client"))
    asked = here.sign_in.begin(name, srp_a=client.auth_parameters()["SRP_A"])
    assert "PASSWORD_VERIFIER" == asked.step
    return asked, client.answer(asked.public, STAMP)


def test_a_password_by_srp_comes_first():
    """The password never crosses the wire; a wrong one ends the sign-in with nothing said."""
    here = place(Flow(sequence(Srp(), Mail())))
    asked, answer = opened(here)
    asked = here.sign_in.respond(asked.token, answer)
    assert "mail" == asked.step
    done = here.sign_in.respond(asked.token, here.post.code)
    assert frozenset({"knowledge", "possession"}) == done.factors
    asked, answer = opened(here, password="wrong")
    assert Refused() == here.sign_in.respond(asked.token, answer)
    assert "password" == here.events.events[-1].detail["reason"]


@pytest.mark.parametrize("name", ["ann", "nobody"])
@pytest.mark.parametrize(
    "answer", ["", "x", {}, {"PASSWORD_CLAIM_SIGNATURE": "é", "TIMESTAMP": "x"}, {"TIMESTAMP": 1}, None, [1]]
)
def test_a_password_answer_that_is_none_is_refused(name, answer):
    """Whatever is sent in place of a proof is a wrong password."""
    here = place(Flow(sequence(Srp(), Mail())))
    asked, _ = opened(here, name)
    assert Refused() == here.sign_in.respond(asked.token, answer)


def test_wrong_passwords_are_charged():
    """Five wrong passwords in a quarter of an hour, then even the right one is not looked at; right ones are free."""
    here = place(Flow(Srp()))
    for _ in range(20):
        asked, answer = opened(here)
        assert isinstance(here.sign_in.respond(asked.token, answer), SignedIn)
    for _ in range(5):
        asked, answer = opened(here, password="wrong")
        here.sign_in.respond(asked.token, answer)
    asked, answer = opened(here)
    assert Refused() == here.sign_in.respond(asked.token, answer)
    assert "passwords_used_up" == here.events.events[-1].detail["reason"]
    here.clock.advance(900)
    asked, answer = opened(here)
    assert isinstance(here.sign_in.respond(asked.token, answer), SignedIn)


def test_an_unknown_user_sees_the_same_and_never_gets_in():
    """Same shapes, a salt that stays the same, no mail, no end."""
    here = place(Flow(sequence(Srp(), Mail())))
    known, _ = opened(here)
    one, answer = opened(here, "nobody")
    two, _ = opened(here, "nobody")
    assert known.public.keys() == one.public.keys()
    assert one.public["SALT"] == two.public["SALT"]
    assert Refused() == here.sign_in.respond(one.token, answer)
    plain = place(Flow(Mail()))
    assert plain.sign_in.begin("ann").public.keys() == plain.sign_in.begin("nobody").public.keys()
    assert 1 == len(plain.post.sent)


def test_a_token_works_once():
    """A handle that is used again, rolled back, invented or odd is EXPIRED, and yields no second guess."""
    here = place(Flow(Riddle()))
    first = here.sign_in.begin("ann")
    second = here.sign_in.respond(first.token, "cat")
    for token in (first.token, "x", "", None, 7, "é", "x" * 1000):
        assert Refused("EXPIRED") == here.sign_in.respond(token, "fish")
    assert isinstance(here.sign_in.respond(second.token, "fish"), SignedIn)
    assert Refused("EXPIRED") == here.sign_in.respond(second.token, "fish")


def test_a_token_lives_as_long_as_the_host_says():
    """Each challenge has its own clock."""
    here = place(Flow(Riddle(lifetime=600)), minutes=5)
    asked = here.sign_in.begin("ann")
    here.clock.advance(299)
    asked = here.sign_in.respond(asked.token, "cat")
    here.clock.advance(300)
    assert Refused("EXPIRED") == here.sign_in.respond(asked.token, "fish")


def test_resend_and_choice_go_through():
    """`action` and `choice` are what client metadata is in Cognito."""
    here = place(Flow(one_of(Riddle(), Mail())))
    asked = here.sign_in.begin("ann")
    assert ("select", "riddle,mail") == (asked.step, asked.public["choices"])
    asked = here.sign_in.respond(asked.token, choice="mail")
    here.clock.advance(60)
    asked = here.sign_in.respond(asked.token, action="resend")
    assert 2 == len(here.post.sent)
    assert isinstance(here.sign_in.respond(asked.token, here.post.code), SignedIn)


def test_too_many_wrong_answers_are_refused():
    """The end of a flow is a refusal without a text."""
    here = place(Flow(Riddle(attempts=1)))
    assert Refused() == here.sign_in.respond(here.sign_in.begin("ann").token, "cat")


def test_failures_are_fixed_texts():
    """A dead courier, an empty budget, a dead ledger, a bad request: one of the five, and no exception."""
    here = place(Flow(Mail(), limits=Limits(messages="1/day")))
    here.post.failing = UnavailableError("down", undelivered=True)
    assert Refused("UNAVAILABLE") == here.sign_in.begin("ann")
    here.post.failing = None
    here.clock.advance(61)
    here.sign_in.begin("ann")
    here.clock.advance(20)
    assert Refused("TRY_LATER") == here.sign_in.begin("ann")
    assert Refused("UNAVAILABLE") == place(Flow(Riddle()), ledger=DeadLedger()).sign_in.begin("ann")
    srp = place(Flow(sequence(Srp(), Riddle())))
    for name, srp_a in (
        ("", None),
        ("x" * 129, None),
        (7, None),
        ("ann", ""),
        ("ann", "0"),
        ("ann", "zz"),
        ("ann", "f" * 2000),
    ):
        assert Refused("BAD_REQUEST") == srp.sign_in.begin(name, srp_a=srp_a)
    assert Refused() == srp.sign_in.begin("ann"), "the flow begins with a password"
    assert {"TRY_LATER", "UNAVAILABLE", "BAD_REQUEST", "EXPIRED"} < set(FAILURE_TEXTS)


def test_a_user_who_must_change_the_password_cannot_here():
    """NEW_PASSWORD_REQUIRED is Cognito's own round."""
    here = place(Flow(sequence(Srp(), Mail())))
    record = here.sign_in._users.records["ann"]
    changed = {**ANN, "cognito:user_status": "RESET_REQUIRED"}
    here.sign_in._users.records["ann"] = UserRecord(changed, record.salt, record.verifier)
    asked, answer = opened(here)
    assert Refused("NOT_CONFIGURED") == here.sign_in.respond(asked.token, answer)


def test_a_user_without_a_password_cannot_open_with_one():
    """A record without a verifier is answered like somebody unknown."""
    here = place(Flow(sequence(Srp(), Mail())))
    here.sign_in._users.records["ann"] = UserRecord(ANN)
    asked, answer = opened(here)
    assert Refused() == here.sign_in.respond(asked.token, answer)


def test_a_sign_in_that_grows_without_end_is_stopped():
    """What is kept in the ledger is bounded."""
    steps = [named(f"riddle{number}", Riddle(attempts=10)) for number in range(40)]
    here = place(Flow(all_of(*steps), limits=Limits(guesses="100/day")))
    reply = here.sign_in.begin("ann")
    for _ in range(1000):
        here.clock.advance(2)
        if isinstance(reply, Refused):
            break
        reply = here.sign_in.respond(reply.token, "cat", choice=reply.public.get("choices", "").split(",")[0])
    assert isinstance(reply, Refused)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"minutes": 0}, "1 to 15"),
        ({"minutes": 16}, "1 to 15"),
        ({"realm": "x"}, "place_name"),
        ({"realm": "place_name#a"}, "no #"),
    ],
)
def test_a_wrong_setting_is_named(settings, words):
    """Settings are checked when the host is made."""
    with pytest.raises(ConfigurationError, match=words):
        place(Flow(Riddle()), **settings)


def test_nothing_of_a_sign_in_shows():
    """repr of replies and of the host holds neither token nor address nor code."""
    here = place(Flow(Mail()))
    asked = here.sign_in.begin("ann")
    done = here.sign_in.respond(asked.token, here.post.code)
    text = repr([asked, done, here.sign_in, UserRecord(ANN, "aa", "bb")])
    for canary in (asked.token, here.post.code, "ann@example.com", "aa", "bb"):
        assert f"'{canary}'" not in text
