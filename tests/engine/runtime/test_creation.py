"""Create: at most one message, however often the host calls; the same for users who do not exist."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import ClassVar

import pytest
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY, OLD_KEY, DeadLedger, Host, Mail, Post, Puzzle, Riddle, world
from watchword import (
    Challenge,
    ConfigurationError,
    Email,
    FailAuthentication,
    Flow,
    IssueTokens,
    Limits,
    ProtocolError,
    UnavailableError,
    User,
    all_of,
    at_least,
    fallback,
    named,
    one_of,
    sequence,
)
from watchword.algebra.derivative import CUSTOM, read_metadata
from watchword.algebra.evaluation import SessionRequest
from watchword.algebra.flow import Round
from watchword.errors import TryLaterError
from watchword.runtime.keyring import Keyring
from watchword.runtime.wire import read_private_parameters, reference
from watchword.testing.time import SeededRandom
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.email_otp import EmailOtp

KNOWN = User("ann", ANN)
NOBODY = User("nobody", {}, known=False)
MAIL = Flow(Mail())


def test_a_challenge_says_what_the_client_needs():
    """Public parameters: kind, step, tries left, expiry, when to send again, reference; all text."""
    host = Host(world(MAIL), KNOWN)
    public = host.next().public
    assert {
        "destination": "a***@e***",
        "kind": "mail",
        "step": "mail",
        "attempts_left": "3",
        "expires_at": "1800000180",
        "resend_after": "1800000060",
        "ref": reference(read_private_parameters(host.pending[0].private)[0].claim),
    } == public


def test_create_three_times_with_one_event_sends_one_mail_with_one_code():
    """A host calls again with an identical event: one mail, one code, one reference; the times are those of the last call."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    made = []
    for _ in range(3):
        made.append(host.next())
        here.clock.advance(5)
    assert 1 == len(here.post.sent)
    for seconds, each in zip((0, 5, 11), made, strict=True):
        times = {"expires_at": f"{1800000180 + seconds}", "resend_after": f"{1800000060 + seconds}"}
        assert {**made[0].public, **times} == each.public
    code = here.post.code
    host.pending[:] = [made[0]]
    assert IssueTokens() == host.answers(code)
    assert ["authn_code_sent", "authn_login_success"] == here.events.names()


def test_create_many_times_at_once_sends_one_mail():
    """The claim is atomic: parallel calls with one event share it."""
    here = world(MAIL, pad_to=0.0)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: here.engine.create(Host(here, KNOWN).request()), range(64)))
    assert 1 == len(here.post.sent)
    assert 1 == len({tuple(sorted(each.public.items())) for each in made})
    assert 64 == len({each.private["round"] for each in made})


def test_after_the_lease_a_new_sign_in_gets_its_own_mail():
    """Sharing ends with the lease of 16 s."""
    here = world(MAIL)
    Host(here, KNOWN).next()
    here.clock.advance(16)
    Host(here, KNOWN).next()
    assert 2 == len(here.post.sent)
    assert here.post.sent[0].text != here.post.sent[1].text


def test_two_users_never_share_a_claim():
    """The claim is kept by user."""
    here = world(MAIL)
    Host(here, KNOWN).next()
    Host(here, User("bob", {**ANN, "sub": "bob", "email": "bob@example.com"})).next()
    assert ["ann@example.com", "bob@example.com"] == [each.to for each in here.post.sent]


def test_a_wrong_answer_sends_nothing_and_keeps_code_and_expiry():
    """A wrong answer is no reason for a mail: same claim, same code, one try less."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    first = host.next()
    here.clock.advance(30)
    again = host.answers("wrong")
    assert 1 == len(here.post.sent)
    assert "wrong" == again.public["error"]
    assert "2" == again.public["attempts_left"]
    assert first.public["expires_at"] == again.public["expires_at"]
    assert IssueTokens() == host.answers(here.post.code)


@pytest.mark.parametrize("late", [180, 195.9, 196, 600])
@pytest.mark.parametrize("right", [True, False])
def test_an_answer_to_an_expired_code_costs_no_try_and_brings_another_code(late, right):
    """After the lifetime nothing is compared: the next challenge says why, sends at once, and takes no try and no guess."""
    here = world(Flow(Mail(), limits=Limits(guesses="1/day")))
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(late)
    again = host.answers(here.post.code if right else "00000000")
    assert ("expired", "3") == (again.public["error"], again.public["attempts_left"])
    assert 2 == len(here.post.sent)
    assert "2" == host.answers("00000000").public["attempts_left"], "the one guess of the day is still there"
    assert IssueTokens() == host.answers(here.post.code), "and Define reads the late round as Create did"


def test_an_answer_that_was_compared_in_time_costs_its_try_whenever_create_runs():
    """A guess in the last moment is a guess: it brings no other code by itself, but one can be asked for at once."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(179.4)
    verdict = host.verify("00000000")
    here.clock.advance(0.2)
    host.session.append(Round(CUSTOM, verdict.right, host.pending[0].metadata))
    again = host.next()
    assert ("expired", "2") == (again.public["error"], again.public["attempts_left"])
    assert 1 == len(here.post.sent)
    assert "2" == host.answers("", action="resend").public["attempts_left"]
    assert IssueTokens() == host.answers(here.post.code)


def test_late_answers_cost_no_try_as_often_as_a_step_takes_resend_requests():
    """Rounds stay bounded: beyond five a late answer costs a try; and no more than three messages are sent."""
    here = world(Flow(Mail(), limits=Limits(messages="100/day")))
    host = Host(here, KNOWN)
    host.next()
    left = []
    for _ in range(7):
        here.clock.advance(200)
        again = host.answers("00000000").public
        left.append(again["attempts_left"])
        assert "expired" == again["error"]
    assert ["3", "3", "3", "3", "3", "2", "1"] == left
    assert 3 == len(here.post.sent)
    assert FailAuthentication("tries_used_up") == host.answers("00000000")


def test_a_dead_code_can_be_sent_anew_at_once():
    """There is no cool-down after a code that somebody has used."""
    here = world(MAIL)
    one, other = Host(here, KNOWN), Host(here, KNOWN)
    one.next()
    other.next()
    assert IssueTokens() == one.answers(here.post.code)
    again = other.answers("", action="resend")
    assert ("error" not in again.public, "3", 2) == (True, again.public["attempts_left"], len(here.post.sent))
    assert IssueTokens() == other.answers(here.post.code)


@pytest.mark.parametrize("right", [True, False])
def test_an_answer_to_a_code_that_was_used_elsewhere_brings_another_code(right):
    """Two tabs share one mail; when one has used its code, the other is told that it is dead and gets a mail of its own."""
    here = world(MAIL)
    one, other = Host(here, KNOWN), Host(here, KNOWN)
    one.next()
    other.next()
    code = here.post.code
    assert IssueTokens() == one.answers(code)
    again = other.answers(code if right else "00000000")
    assert ("expired", "3") == (again.public["error"], again.public["attempts_left"])
    assert IssueTokens() == other.answers(here.post.code)


def test_an_empty_budget_keeps_a_sign_in_whose_code_is_dead():
    """Nothing can be sent, and the client is told so; later it can."""
    here = world(Flow(Mail(), limits=Limits(messages="1/h")))
    one, other = Host(here, KNOWN), Host(here, KNOWN)
    one.next()
    other.next()
    one.answers(here.post.code)
    assert "try_later" == other.answers("00000000").public["error"]
    here.clock.advance(3600)
    other.answers("", action="resend")
    assert IssueTokens() == other.answers(here.post.code)


@frozen
class FailsTheThirdTime(Mail):
    """A kind that makes two challenges and then raises."""

    made: list = field(factory=list, eq=False, repr=False)
    cosmetic: ClassVar[frozenset[str]] = frozenset({"made"})

    def create(self, request):
        self.made.append(request.ref)
        if len(self.made) > 2:
            raise KeyError("third")
        return Mail.create(self, request)


def test_a_kind_that_fails_for_the_older_code_is_recorded_before_the_padding_and_told_after_it():
    """An empty budget brings the older code once more; if the kind cannot, the call ends, in the same time as any other."""
    here = world(Flow(FailsTheThirdTime(), limits=Limits(messages="1/h")))
    host = Host(here, KNOWN)
    shown = host.next().public["ref"]
    here.clock.advance(60)
    began = here.clock.monotonic()

    with pytest.raises(UnavailableError, match="'mail' raised KeyError") as failure:
        host.answers("", action="resend")

    assert shown == failure.value.ref
    assert ["excess_rate_limit_exceeded", "sys_kind_failed"] == here.events.names()[1:]
    assert {here.clock.now() - here.post.floor} == {event.at for event in here.events.events[1:]}
    assert here.post.floor == here.clock.monotonic() - began
    assert 1 == len(here.post.sent)


def test_a_puzzle_is_new_on_every_call():
    """A kind that sends nothing draws a new secret each time: a new seal even for the same text."""
    here = world(Flow(Puzzle()))
    host = Host(here, KNOWN)
    first = host.next()
    again = host.answers("no")
    assert "wrong" == again.public["error"]
    assert first.private["digest"] != again.private["digest"]
    assert host.next().private["digest"] != again.private["digest"]
    assert [] == here.post.sent


def test_a_late_answer_to_a_puzzle_is_called_expired():
    """The error tells late from wrong, and nothing was compared that could cost a try."""
    here = world(Flow(Puzzle()))
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(180)
    again = host.answers("fish")
    assert ("expired", "3") == (again.public["error"], again.public["attempts_left"])


def test_a_resend_before_the_cool_down_sends_nothing_and_keeps_the_code():
    """resend_after is kept to, and says when the next one goes out; asking early costs nothing."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    first = host.next()
    here.clock.advance(30)
    again = host.answers("", action="resend")
    assert 1 == len(here.post.sent)
    assert "3" == again.public["attempts_left"]
    assert first.public["resend_after"] == again.public["resend_after"]
    assert IssueTokens() == host.answers(here.post.code)


def test_a_resend_sends_a_new_code_and_spends_the_old_one():
    """OWASP: a resend is a new code that takes the place of the old one; it is no guess and costs no try."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    host.next()
    old = here.post.code
    here.clock.advance(60)
    again = host.answers(old, action="resend")
    assert 2 == len(here.post.sent)
    assert "3" == again.public["attempts_left"]
    assert "error" not in again.public
    assert old != here.post.code
    assert host.verify(old).right is False
    assert IssueTokens() == host.answers(here.post.code) or host.session


PLENTY = Limits(messages="100/day")


def test_a_step_sends_three_messages_and_says_that_no_more_come():
    """The first and two beyond it. A further request costs no try, keeps the code and says why nothing comes."""
    here = world(Flow(Mail(), limits=PLENTY))
    host = Host(here, KNOWN)
    shown = [host.next().public]
    for _ in range(4):
        here.clock.advance(60)
        shown.append(host.answers("", action="resend").public)
    assert 3 == len(here.post.sent)
    assert ["3"] * 5 == [each["attempts_left"] for each in shown]
    assert [None, None, None, "resends_used_up", "resends_used_up"] == [each.get("error") for each in shown]
    assert [True, True, False, False, False] == ["resend_after" in each for each in shown], "no further press sends"
    assert IssueTokens() == host.answers(here.post.code)


@pytest.mark.parametrize("user", [KNOWN, NOBODY], ids=["known", "unknown"])
def test_a_press_that_sends_nothing_costs_nothing(user):
    """Early presses, in any number that a step takes, leave the message that they asked for to a later press."""
    here = world(Flow(Mail(), limits=PLENTY))
    host = Host(here, user)
    first = host.next().public
    for wait in (10, 10, 10, 10):
        here.clock.advance(wait)
        early = host.answers("", action="resend").public
        assert first == early
    here.clock.advance(21)
    late = host.answers("", action="resend").public
    assert ("3", None) == (late["attempts_left"], late.get("error"))
    assert first["ref"] != late["ref"], "another message"
    assert "resend_after" not in late, "the step takes no sixth request"
    assert (2 if user.known else 0) == len(here.post.sent)
    assert FailAuthentication("tries_used_up") == host.answers("", action="resend")


@given(waits=st.lists(st.sampled_from([1, 16, 30, 59, 60, 61, 130]), max_size=6), retries=st.integers(0, 2))
@settings(max_examples=60)
def test_a_message_goes_out_exactly_when_the_client_was_told_that_it_would(waits, retries):
    """`resend_after` tells: a press before it, or where it is missing, sends nothing; a press after it sends one message.

    A host that calls Create again changes nothing of it.
    """
    here = world(Flow(Mail(lifetime=600), limits=PLENTY))
    host = Host(here, KNOWN)
    shown = host.next().public
    for place, wait in enumerate(waits):
        here.clock.advance(wait)
        sent = len(here.post.sent)
        due = "resend_after" in shown and here.clock.now() >= int(shown["resend_after"])
        reply = host.answers("", action="resend")
        if place == 5:
            assert FailAuthentication("tries_used_up") == reply
            break
        for _ in range(retries):
            first, reply = reply, host.next(action="resend")
            assert first.public["ref"] == reply.public["ref"]
        assert due == (len(here.post.sent) > sent) == (reply.public["ref"] != shown["ref"])
        assert len(here.post.sent) - sent <= 1
        shown = reply.public
        assert "3" == shown["attempts_left"]


@pytest.mark.parametrize("block", [sequence, one_of, all_of, fallback])
def test_each_step_that_sends_has_messages_of_its_own(block):
    """What the one has sent keeps nothing from the other, whatever joins them."""
    here = world(Flow(block(named("one", Mail(attempts=1)), named("two", Mail())), limits=PLENTY))
    host = Host(here, KNOWN)
    host.next(choice="one")
    for _ in range(2):
        here.clock.advance(60)
        host.answers("", action="resend", choice="one")
    assert 3 == len(here.post.sent)
    if block is one_of:
        host.answers("", action="resend", choice="two")
    else:
        host.answers("no" if block is fallback else here.post.code)
    assert 4 == len(here.post.sent)
    here.clock.advance(60)
    again = host.answers("", action="resend", choice="two")
    assert (5, None) == (len(here.post.sent), again.public.get("error"))


def test_a_choice_is_told_to_nobody():
    """Choosing is no failure: Verify says false and audits nothing."""
    here = world(Flow(one_of(Riddle(), Mail())))
    host = Host(here, KNOWN)
    host.next()
    host.answers("", choice="riddle")
    assert [] == here.events.names()


def test_a_courier_leaves_time_to_write_down_what_became_of_the_message():
    """The courier is given less than the deadline, so a slow one never leaves the ledger without time."""
    given = []

    class Slow(Post):
        channel = "email"

        def send(self, message, within):
            given.append(within)
            return super().send(message, within)

    Host(world(MAIL, post=Slow()), KNOWN).next()
    assert [pytest.approx(3.1)] == given

    class Late(Mail):
        def create(self, request):
            clock.advance(3.2)
            return super().create(request)

    here = world(Flow(Late()))
    clock = here.clock
    with pytest.raises(UnavailableError):
        Host(here, KNOWN).next()
    assert [] == here.post.sent


def test_a_resend_called_three_times_sends_one_mail():
    """A host's retry of a resend is a repeat of its claim."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(60)
    host.answers("", action="resend")
    for _ in range(2):
        here.clock.advance(5)
        host.next(action="resend")
    assert 2 == len(here.post.sent)


def test_an_unknown_user_gets_the_same_shape_the_same_pace_and_no_mail():
    """ASVS 5.0 6.3.8: nobody can tell who exists, by keys, by texts or by time."""
    here, there = world(MAIL), world(MAIL)
    known, unknown = Host(here, KNOWN).next(), Host(there, NOBODY).next()
    assert known.public.keys() == unknown.public.keys()
    assert known.private.keys() == unknown.private.keys()
    assert len(known.metadata) == len(unknown.metadata)
    assert (1, 0) == (len(here.post.sent), len(there.post.sent))
    assert here.clock.slept == there.clock.slept == 0.5


@pytest.mark.parametrize("user", [KNOWN, NOBODY], ids=["known", "unknown"])
def test_pad_to_sets_the_pace(user):
    """pad_to is the least time of a call in which a message could be sent."""
    here = world(MAIL, pad_to=1.5)
    Host(here, user).next()
    assert 1.5 == here.clock.slept


class FailsAt(MemoryLedger):
    """A ledger of which the calls named *name* fail with *error*."""

    def __init__(self, name, error):
        super().__init__()

        def fail(*_, **__):
            raise error

        setattr(self, name, fail)


@pytest.mark.parametrize("error", [UnavailableError("down"), KeyError("table"), SystemExit(1)], ids=repr)
@pytest.mark.parametrize(
    ("user", "call", "failing"),
    [
        (KNOWN, "count", None),
        (KNOWN, "settle", None),
        (KNOWN, "settle", UnavailableError("no", undelivered=True)),
        (KNOWN, "settle", UnavailableError("no", refused=True)),
        (KNOWN, "put", UnavailableError("no")),
        (KNOWN, "put", KeyError("no")),
        (NOBODY, "count", None),
        (NOBODY, "peek", None),
        (NOBODY, "settle", None),
    ],
)
def test_whatever_fails_while_a_message_is_delivered_the_call_takes_its_time(user, call, failing, error):
    """Also what no port may raise: nobody can tell by the time where it failed, nor for whom."""
    here = world(MAIL, ledger=FailsAt(call, error), post=Post(failing))

    with pytest.raises(type(error)):
        Host(here, user).next()

    assert here.post.floor == here.clock.slept


def test_a_kind_that_writes_to_unknown_users_reaches_nobody():
    """Whatever a kind makes, nothing is sent to a user who does not exist."""

    class Eager(Mail):
        def create(self, request):
            return evolve(super().create(request), messages=(Email("nobody@example.com", "s", "t"),))

    here = world(Flow(Eager()))
    Host(here, NOBODY).next()
    assert [] == here.post.sent


@pytest.mark.parametrize("user", [KNOWN, NOBODY], ids=["known", "unknown"])
def test_an_empty_message_budget_says_try_later(user):
    """Three mails in fifteen minutes; the fourth sign-in is told to try later, unknown users too."""
    here = world(MAIL)
    for _ in range(3):
        Host(here, user).next()
        here.clock.advance(20)
    with pytest.raises(TryLaterError):
        Host(here, user).next()
    assert 3 * user.known == len(here.post.sent)
    assert "excess_rate_limit_exceeded" in here.events.names()
    here.clock.advance(900)
    assert Host(here, user).next().public


def test_an_empty_budget_on_a_resend_keeps_the_sign_in():
    """Nothing is lost: the code that was sent before is still good."""
    here = world(Flow(Mail(), limits=Limits(messages="1/day")))
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(60)
    again = host.answers("", action="resend")
    assert "try_later" == again.public["error"]
    assert IssueTokens() == host.answers(here.post.code)


def test_mails_of_who_proved_a_factor_are_counted_apart():
    """Strangers cannot use up the mails of somebody who knows the riddle; a puzzle does not open that budget."""
    limits = Limits(messages="1/day")
    here = world(Flow(sequence(Riddle(), Mail()), limits=limits))
    stranger = world(MAIL, ledger=here.ledger, post=here.post)
    Host(stranger, KNOWN).next()
    host = Host(here, KNOWN)
    host.next()
    host.answers("fish")
    assert 2 == len(here.post.sent)
    flow = Flow(sequence(Puzzle(), Mail()), limits=limits)
    puzzled = Host(world(flow, ledger=here.ledger, post=here.post, random=SeededRandom("other")), KNOWN)
    puzzled.next()
    with pytest.raises(TryLaterError):
        puzzled.answers("fish")


def test_a_mail_that_certainly_did_not_leave_is_sent_by_the_next_call():
    """A failed send marks the claim unsent and never deletes it: same code, counted once."""
    here = world(Flow(Mail(), limits=Limits(messages="1/day")), post=Post(UnavailableError("down", undelivered=True)))
    host = Host(here, KNOWN)
    with pytest.raises(UnavailableError):
        host.next()
    here.post.failing = None
    here.clock.advance(5)
    host.next()
    assert IssueTokens() == host.answers(here.post.code)
    assert 1 == len(here.post.sent)


@pytest.mark.parametrize("failing", [UnavailableError("timed out"), RuntimeError("bug"), TimeoutError()])
def test_a_mail_that_may_have_left_is_not_sent_again_inside_the_lease(failing):
    """Nobody knows whether it left: the retry presents the same challenge and sends nothing."""
    here = world(MAIL, post=Post(failing))
    host = Host(here, KNOWN)
    with pytest.raises(UnavailableError, match="courier"):
        host.next()
    here.post.failing = None
    assert host.next().public
    assert [] == here.post.sent
    here.clock.advance(16)
    assert Host(here, KNOWN).next().public
    assert 1 == len(here.post.sent)


def test_while_a_courier_is_down_unknown_users_are_refused_alike():
    """After a failure of the courier, those whom nothing would be sent to see the same for a minute."""
    here = world(MAIL, post=Post(UnavailableError("down", undelivered=True)))
    with pytest.raises(UnavailableError):
        Host(here, KNOWN).next()
    with pytest.raises(UnavailableError):
        Host(here, NOBODY).next()
    here.clock.advance(61)
    assert Host(here, NOBODY).next().public


class Silent(Mail):
    """A kind that makes no message, and says why."""

    reason = "unverified_address"

    def create(self, request):
        return evolve(super().create(request), messages=(), reason=self.reason)


@pytest.mark.parametrize(
    ("said", "recorded"),
    [("unverified_address", "unverified_address"), ("", "no_message"), ("ann@example.com", "no_message")],
)
def test_a_user_who_gets_no_message_leaves_a_trace_for_the_operator(said, recorded, monkeypatch):
    """Silence towards the client; one event with a word and the reference on the screen, however often the host calls."""
    monkeypatch.setattr(Silent, "reason", said)
    here = world(Flow(Silent()))
    public = Host(here, KNOWN).next().public
    Host(here, KNOWN).next()
    (event,) = here.events.events
    assert ("authn_code_withheld", public["ref"], recorded) == (event.name, event.ref, event.detail["reason"])


def test_somebody_unknown_leaves_no_such_trace():
    """Nobody looks for a message that a stranger's guess of a name did not bring."""
    here = world(Flow(Silent()))
    Host(here, NOBODY).next()
    assert [] == here.events.events


def test_an_empty_budget_on_a_resend_is_recorded_under_the_reference_on_the_screen():
    """The sign-in goes on with the older code; its reference is the one that the event has."""
    here = world(Flow(Mail(), limits=Limits(messages="1/day")))
    host = Host(here, KNOWN)
    host.next()
    here.clock.advance(61)
    kept = host.answers("-", action="resend")
    event = next(each for each in here.events.events if each.name == "excess_rate_limit_exceeded")
    assert ("try_later", event.ref) == (kept.public["error"], kept.public["ref"])


REFUSED = UnavailableError("refused", undelivered=True, refused=True, reason="recipient_refused", code="550 5.1.1")


@pytest.mark.parametrize("undelivered", [True, False])
def test_a_refused_message_looks_sent_and_marks_nothing(undelivered):
    """Who has an address that is refused is asked as everybody is; nobody else notices, and the audit says why."""
    here = world(MAIL, post=Post(evolve_error(REFUSED, undelivered=undelivered)))
    refused = Host(here, KNOWN).next()
    assert {*refused.public} == {*Host(here, NOBODY).next().public}
    assert [] == here.post.sent
    (event,) = here.events.events
    assert ("sys_message_refused", refused.public["ref"]) == (event.name, event.ref)
    assert ("recipient_refused", "550 5.1.1") == (event.detail["reason"], event.detail["code"])


def test_a_refused_message_is_not_sent_again_by_the_host():
    """The host calls again with the same event: the same challenge, and the carrier is not asked twice."""
    here = world(MAIL, post=Post(REFUSED))
    first, second = Host(here, KNOWN).next(), Host(here, KNOWN).next()
    assert first.public == second.public
    assert ["sys_message_refused"] == here.events.names()


def test_an_outage_in_one_pool_says_nothing_of_another():
    """Pools that share a ledger: what failed in one marks no channel of the other as down."""
    here = world(MAIL, post=Post(UnavailableError("down", undelivered=True)))
    with pytest.raises(UnavailableError):
        Host(here, KNOWN).next()
    request = SessionRequest("pool_2", "client", NOBODY)
    assert here.engine.create(request).public["step"] == "mail"


def evolve_error(error, **changes):
    facts = {"undelivered": error.undelivered, "refused": error.refused, "reason": error.reason, "code": error.code}
    return UnavailableError(str(error), **{**facts, **changes})


def test_a_dead_ledger_ends_closed_and_sends_nothing():
    """No claim, no message."""
    here = world(MAIL, ledger=DeadLedger())
    with pytest.raises(UnavailableError):
        Host(here, KNOWN).next()
    assert [] == here.post.sent


def test_a_call_that_took_too_long_sends_nothing():
    """The deadline of 3.5 s is looked at before each port is called."""

    class Slow(Mail):
        def create(self, request):
            clock.advance(4)
            return super().create(request)

    here = world(Flow(Slow()))
    clock = here.clock
    with pytest.raises(UnavailableError, match=r"3\.5 s"):
        Host(here, KNOWN).next()
    assert [] == here.post.sent


def test_a_short_source_of_randomness_ends_closed():
    """RNG failure: no fallback."""

    class Short:
        def bytes(self, count):
            return b"x"

    with pytest.raises(UnavailableError, match="randomness"):
        Host(world(MAIL, random=Short()), KNOWN).next()


BAD = {
    "nothing": None,
    "no Challenge": {"public": {}},
    "a number": Challenge(public={"n": 1}),
    "a public of its own": Challenge(public={"kind": "x"}),
    "USERNAME": Challenge(public={"USERNAME": "x"}),
    "a private of its own": Challenge(private={"round": "x"}),
    "an odd reason": Challenge(reason=1),
    "no mapping": Challenge(public=[("a", "b")]),
    "too much": Challenge(public={"a": "x" * 131_073}),
    "too much private": Challenge(private={"a": "x" * 5000}),
    "too much carry": Challenge(carry={"a": "x" * 257}),
    "two messages": Challenge(messages=(Email("a", "b", "c"), Email("a", "b", "c"))),
    "odd messages": Challenge(messages=["x"]),
}


@pytest.mark.parametrize("made", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("kind", [Puzzle, Mail])
def test_nonsense_from_a_kind_ends_closed(kind, made):
    """A plugin that returns nonsense is named in the audit, and the sign-in ends without a message."""

    class Bad(kind):
        def create(self, request):
            return made

    here = world(Flow(Bad()))
    with pytest.raises(UnavailableError, match=kind.kind):
        Host(here, KNOWN).next()
    assert ["sys_kind_failed"] == here.events.names()
    assert [] == here.post.sent


def test_a_message_of_a_kind_that_does_not_send_is_refused():
    """A kind without a channel cannot send past the budget."""

    class Sneaky(Puzzle):
        def create(self, request):
            return Challenge(messages=(Email("a@example.com", "s", "t"),))

    here = world(Flow(Sneaky()))
    with pytest.raises(UnavailableError, match="channel"):
        Host(here, KNOWN).next()


@pytest.mark.parametrize("error", [ValueError("secret 123"), SystemExit(1), RecursionError(), KeyboardInterrupt()])
def test_whatever_a_kind_raises_the_message_says_only_its_type(error):
    """An exception's text may hold a secret: it is never handed on."""

    class Broken(Puzzle):
        def create(self, request):
            raise error

    with pytest.raises(UnavailableError) as caught:
        Host(world(Flow(Broken())), KNOWN).next()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert type(error).__name__ in str(caught.value)


def test_create_out_of_turn_is_refused():
    """Create makes a challenge only where the flow has come to one."""
    here = world(MAIL)
    host = Host(here, KNOWN)
    host.next()
    host.answers(here.post.code)
    with pytest.raises(ProtocolError):
        here.engine.create(host.request())


def test_a_choice_is_asked_for_and_then_kept():
    """A select round lists the options; the choice comes with it and the option is made."""
    here = world(Flow(one_of(Riddle(), Mail())))
    host = Host(here, KNOWN)
    select = host.next()
    assert ("select", "riddle,mail") == (select.public["kind"], select.public["choices"])
    assert host.verify("fish").right is False
    chosen = host.answers("", choice="mail")
    assert "mail" == chosen.public["step"]
    assert IssueTokens() == host.answers(here.post.code)
    assert "choice" == read_metadata(host.session[1].metadata)["before"]


def test_changing_the_choice_before_answering_costs_no_mail_twice():
    """Coming back to a step inside its cool-down shows the code that was sent before."""
    here = world(Flow(one_of(Riddle(), Mail())))
    host = Host(here, KNOWN)
    host.next()
    host.answers("", choice="mail")
    host.answers("", action="resend", choice="riddle")
    again = host.answers("", action="resend", choice="mail")
    assert "mail" == again.public["step"]
    assert 1 == len(here.post.sent)
    assert IssueTokens() == host.answers(here.post.code)


def test_carry_comes_back_to_the_kind():
    """What a kind hands on in the metadata is there when the step is made again."""
    seen = []

    class Carrying(Puzzle):
        def create(self, request):
            seen.append((dict(request.carry), request.again))
            return evolve(super().create(request), carry={"n": str(len(seen))})

    host = Host(world(Flow(Carrying())), KNOWN)
    host.next()
    host.answers("no")
    host.answers("no")
    assert [({}, False), ({"n": "1"}, True), ({"n": "2"}, True)] == seen


def test_a_claim_outlives_a_new_key():
    """Rotation: a key put in front makes new challenges; those under way are finished with the old one."""
    here = world(MAIL, key=OLD_KEY)
    host = Host(here, KNOWN)
    host.next()
    rotated = world(MAIL, key=[KEY, OLD_KEY], ledger=here.ledger, post=here.post)
    moved = Host(rotated, KNOWN, session=host.session, pending=host.pending)
    assert "wrong" == moved.answers("no").public["error"]
    assert IssueTokens() == moved.answers(here.post.code)
    assert Host(rotated, KNOWN).next().public["ref"]


def test_a_claim_whose_key_has_left_the_ring_ends_closed():
    """Without its key a code cannot be made again."""
    here = world(MAIL, key=[OLD_KEY, KEY])
    Host(here, KNOWN).next()
    with pytest.raises(UnavailableError, match="ring"):
        Host(world(MAIL, key=KEY, ledger=here.ledger), KNOWN).next()


def test_a_wrong_answer_after_its_key_left_the_ring_gets_a_new_challenge():
    """The old code can never be right again, so a new one is made."""
    here = world(MAIL, key=[OLD_KEY, KEY])
    host = Host(here, KNOWN)
    host.next()
    moved = Host(world(MAIL, key=KEY, ledger=here.ledger, post=here.post), KNOWN, host.session, host.pending)
    assert "error" not in moved.answers("no").public
    assert IssueTokens() == moved.answers(here.post.code)


@given(st.text(max_size=2000) | st.none() | st.integers())
def test_no_metadata_makes_create_crash(text):
    """Whatever stands in the metadata, Create refuses it as a protocol error or reads it; nothing else comes out."""
    host = Host(world(MAIL), KNOWN)
    created = host.next()
    from watchword.algebra.flow import Round

    host.session.append(Round("CUSTOM_CHALLENGE", False, text))
    assert isinstance(host.next(), FailAuthentication)
    with pytest.raises(ProtocolError):
        host.world.engine.create(host.request())
    assert created


@given(st.text(alphabet="ABCabc019-_=é", max_size=60))
def test_a_carry_that_cannot_be_read_is_no_carry(text):
    """The carry is the kind's own affair: unreadable, it is empty."""
    host = Host(world(Flow(Puzzle())), KNOWN)
    host.next()
    metadata = host.pending[0].metadata
    host.pending[0] = evolve(host.pending[0], metadata=f"{metadata.rpartition(';')[0]};{text}")
    assert host.answers("no").public


def test_set_up_names_what_is_missing():
    """ConfigurationError: an extra that is not installed, a channel without a courier, a cool-down inside the lease."""

    class Needy(Puzzle):
        requires_verify = ()
        extra = "watchword[needy]"

    for module in ("no_such_module", "no_such_module.part", "json.no_such_part"):
        needy = type("Needy", (Needy,), {"requires_create": (module,)})
        with pytest.raises(ConfigurationError, match=r"kind 'puzzle' .* pip install 'watchword\[needy\]'"):
            world(Flow(needy())).engine.prepare()
    schemes = lambda channel: {"email": ["ses", "smtp"]}.get(channel, ())  # noqa: E731
    with pytest.raises(
        ConfigurationError, match="no courier does: set WATCHWORD_COURIER to a URL of ses:, smtp:, or pass"
    ):
        evolve(world(MAIL).engine, couriers={}).prepare(schemes)
    with pytest.raises(ConfigurationError, match="does: add to WATCHWORD_COURIER, with a space between, a URL of ses:"):
        evolve(world(MAIL).engine, couriers={"sms": world(MAIL).engine.couriers["email"]}).prepare(schemes)
    with pytest.raises(ConfigurationError, match="no courier does: install one for WATCHWORD_COURIER"):
        evolve(world(MAIL).engine, couriers={"sms": world(MAIL).engine.couriers["email"]}).prepare()
    with pytest.raises(ConfigurationError, match="resend_after"):
        world(Flow(Mail(resend_after=5))).engine.prepare()


@pytest.mark.parametrize(
    ("lacking", "whole"),
    [("requires_create", {"verifies": True, "creates": False}), ("requires_verify", {"verifies": False})],
)
def test_whoever_only_creates_or_only_verifies_needs_no_more_than_that(lacking, whole):
    """And a host that does both needs what both require: without it every answer would be wrong, and nobody would know why."""

    class Needy(Puzzle):
        requires_create = requires_verify = ("json",)
        extra = "watchword[needy]"

    engine = world(Flow(type("Needy", (Needy,), {lacking: ("json", "no_such_module")})())).engine
    engine.prepare(**whole)
    with pytest.raises(ConfigurationError, match=r"'puzzle' needs json, no_such_module, and .* 'watchword\[needy\]'"):
        engine.prepare()


def test_set_up_prepares_couriers():
    """What a first message would wait for, a courier makes in Create's set-up; one without `prepare` needs none."""

    class Ready(Post):
        prepared = 0

        def prepare(self):
            self.prepared += 1

    here = world(MAIL, post=Ready())
    here.engine.prepare()
    assert 1 == here.post.prepared
    world(MAIL).engine.prepare()


def test_set_up_prepares_each_kind_once_per_step():
    """A kind's own `prepare` runs in Create's set-up, for previous flows as well."""
    prepared = []

    class Ready(Puzzle):
        def prepare(self):
            prepared.append(self)

    here = world(Flow(Ready()), previous=(Flow(sequence(Ready(), named("second", Ready()))),))
    here.engine.prepare()
    assert 3 == len(prepared)


# --- a step that cannot be asked ----------------------------------------------------------------------------------

DOWN = UnavailableError("no route", undelivered=True, reason="unreachable")
TIMED_OUT = UnavailableError("no answer", reason="timeout")
HELP = named("help", Riddle(attempts=2))
WAYS = {
    "fallback": fallback(Mail(), HELP),
    "one_of": one_of(Mail(), HELP),
    "at_least": at_least(1, Mail(), HELP),
    "first of a sequence in a fallback": fallback(sequence(Mail(), named("more", Riddle())), HELP),
}
NO_WAYS = {
    "alone": Mail(),
    "first of a sequence": sequence(Mail(), HELP),
    "last of a fallback": fallback(named("before", Riddle(attempts=1)), Mail()),
    "all_of": all_of(Mail(), HELP),
}


def cannot_send(here, why, user):
    """Make sure that nothing can be sent to *user*: another one has found the courier down, or the budget is empty."""
    if why == "empty budget":
        Host(here, user).next(choice="mail")
    else:
        here.post.failing = DOWN if why == "courier down" else TIMED_OUT
        with suppress(UnavailableError):
            Host(here, User("finder", {**ANN, "sub": "finder"})).next(choice="mail")
    here.clock.advance(20)


WHY = ["empty budget", "courier down", "courier too slow"]
EITHER_USER = pytest.mark.parametrize("user", [KNOWN, NOBODY], ids=["known", "unknown"])


@EITHER_USER
@pytest.mark.parametrize("why", WHY)
@pytest.mark.parametrize("way", WAYS)
def test_a_step_that_cannot_be_asked_goes_on_with_what_the_flow_has_instead(way, why, user):
    """It says `unavailable`, takes no right answer, charges none; any response brings the other way."""
    here = world(Flow(WAYS[way], limits=Limits(messages="1/h")))
    cannot_send(here, why, user)
    sent, charged = len(here.post.sent), here.events.names().count("authn_login_fail")
    host = Host(here, user)
    shown = host.next(choice="mail").public
    assert ("mail", "0", "unavailable") == (shown["step"], shown["attempts_left"], shown["error"])
    assert "resend_after" not in shown
    assert {"destination", "kind", "step", "attempts_left", "expires_at", "ref", "error"} == shown.keys()
    assert not host.verify("00000000").right
    asked = host.answers("-")
    assert ("help", "2", None) == (asked.public["step"], asked.public["attempts_left"], asked.public.get("error"))
    assert (sent, charged) == (len(here.post.sent), here.events.names().count("authn_login_fail"))
    ended = host.answers("fish")
    assert IssueTokens() == ended if user.known else "1" == ended.public["attempts_left"]


@EITHER_USER
@pytest.mark.parametrize("why", WHY)
@pytest.mark.parametrize("way", NO_WAYS)
def test_where_the_flow_has_no_other_way_the_sign_in_ends_at_once(way, why, user):
    """With the text that says why, and with nothing lost: a challenge that nobody can answer would help nobody."""
    here = world(Flow(NO_WAYS[way], limits=Limits(messages="1/h")))
    if why == "empty budget":
        host = Host(here, user)
        host.next(choice="mail")
        if way == "last of a fallback":
            host.answers("no")
    else:
        cannot_send(here, why, KNOWN)
        if way == "last of a fallback":
            first = Host(here, User("finder", {**ANN, "sub": "finder"}))
            first.next()
            with pytest.raises(UnavailableError):
                first.answers("no")
    here.clock.advance(20)
    host = Host(here, user)
    with pytest.raises(TryLaterError if why == "empty budget" else UnavailableError):
        host.next(choice="mail")
        host.answers("no")


@pytest.mark.parametrize("action", [None, "resend"])
def test_any_response_to_what_was_not_asked_is_read_alike(action):
    """Answer, resend request or choice: Define, Create and Verify agree that the step has failed."""
    here = world(Flow(fallback(Mail(), HELP)), post=Post(DOWN))
    host = Host(here, KNOWN)
    host.next()
    assert "help" == host.answers((here.post.sent and "x") or "00000000", action=action).public["step"]
    assert "unasked" == read_metadata(host.pending[0].metadata)["before"]
    assert "1" == read_metadata(host.pending[0].metadata)["asked"]
    assert IssueTokens() == host.answers("fish")


def test_a_host_that_retries_may_find_the_courier_up_again():
    """Of what is made twice the host takes the last: it was asked then, and one message went out."""
    here = world(Flow(fallback(Mail(), HELP)), post=Post(DOWN))
    host = Host(here, KNOWN)
    assert "unavailable" == host.next().public["error"]
    here.post.failing = None
    again = host.next().public
    assert ("mail", "3", None, 1) == (again["step"], again["attempts_left"], again.get("error"), len(here.post.sent))
    assert IssueTokens() == host.answers(here.post.code)


@EITHER_USER
@pytest.mark.parametrize("why", WHY)
def test_a_resend_that_cannot_be_sent_keeps_the_code_that_may_still_be_good(why, user):
    """Nothing is lost: neither the sign-in, nor a try, nor the other way."""
    here = world(Flow(fallback(Mail(), HELP), limits=Limits(messages="1/h" if why == "empty budget" else "9/h")))
    host = Host(here, user)
    host.next()
    here.clock.advance(41)
    if why != "empty budget":
        cannot_send(here, why, user)
    else:
        here.clock.advance(20)
    again = host.answers("", action="resend").public
    told = "try_later" if why == "empty budget" else "unavailable"
    assert ("mail", "3", told) == (again["step"], again["attempts_left"], again["error"])
    if user.known:
        assert IssueTokens() == host.answers(here.post.sent[0].text)


@EITHER_USER
def test_a_code_that_is_dead_and_cannot_be_sent_anew_makes_way(user):
    """There is nothing to keep then."""
    here = world(Flow(fallback(Mail(), HELP), limits=Limits(messages="1/h")))
    host = Host(here, user)
    host.next()
    here.clock.advance(200)
    assert "unavailable" == host.answers("", action="resend").public["error"]
    assert "help" == host.answers("-").public["step"]


def test_a_refused_recipient_looks_sent_and_is_asked():
    """It says nothing of the channel: nobody is taken to another way by an address that nothing can be sent to."""
    here = world(
        Flow(fallback(Mail(), HELP)), post=Post(UnavailableError("no such box", refused=True, undelivered=True))
    )
    shown = Host(here, KNOWN).next().public
    assert ("mail", "3", None) == (shown["step"], shown["attempts_left"], shown.get("error"))


def test_a_ledger_that_is_down_is_no_courier_that_is_down():
    """Without a ledger nothing can be bounded, so the sign-in ends."""
    with pytest.raises(UnavailableError):
        Host(world(Flow(fallback(Mail(), HELP)), ledger=DeadLedger()), KNOWN).next()


@pytest.mark.parametrize(
    "place", [lambda mail: mail, lambda mail: sequence(Riddle(), mail), lambda mail: fallback(mail, Riddle())]
)
@pytest.mark.parametrize("host_calls", [1, 2])
@pytest.mark.parametrize("wrong", [1, 2])
def test_a_key_that_leaves_the_ring_brings_a_new_message(place, host_calls, wrong):
    """The code at hand can be right no more, so the kind is asked as for a first message, and for unknown users too."""
    shown = []
    for user in (KNOWN, NOBODY):
        here = world(Flow(place(EmailOtp())), pad_to=0.0)
        rings = [Keyring.of([current, OLD_KEY]) for current in (KEY, bytes(range(200, 232)))]
        host = Host(evolve(here, engine=evolve(here.engine, keyring=rings[0])), user)
        first = host.next()
        if first.public["kind"] == "riddle":
            # Nobody unknown passes a factor.
            if user is NOBODY:
                continue
            host.answers("fish")
        for _ in range(wrong - 1):
            host.answers("00000000")
        here.clock.advance(20)
        after = Host(evolve(here, engine=evolve(here.engine, keyring=rings[1])), user, host.session, host.pending)
        asked = after.answers("00000000")
        for _ in range(host_calls - 1):
            asked = after.next()
        public = {name: value for name, value in asked.public.items() if name != "ref"}
        assert "email_otp" == public["kind"]
        assert "error" not in public
        shown.append(public)
        if user is KNOWN:
            assert 2 == len(here.post.sent)
            code = next(word for word in here.post.sent[-1].text.split() if word.isdigit() and len(word) == 8)
            assert IssueTokens() == after.answers(code)
    assert shown[0] == shown[-1]
