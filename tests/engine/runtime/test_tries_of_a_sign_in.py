"""Own tries: with an empty budget a delivered code works once, for whoever can read the message, whatever strangers and hosts do."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, Host, Mail, Riddle, world
from watchword import Flow, IssueTokens, Limits, User, named, one_of, sequence
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Round, own_tries
from watchword.algebra.limits import MAX_GUESSES
from watchword.analysis.metrics import DAY, guesses_per_day
from watchword.contract.ports import Limit
from watchword.errors import TryLaterError
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

KNOWN, NOBODY = User("ann", ANN), User("nobody", {}, known=False)
SHARERS = 6
ROOM = Limits(guesses="1/day", messages=["4/h", "4/day"])
"""Limits under which all six that share a message have a try: 1 + 6 * (4 + 4) guesses are fewer than fifty."""


def exhausted(user=KNOWN, flow=None):
    """A world in which the guesses of *user* are used up, and no claim is held."""
    here = world(flow or Flow(Mail(), limits=ROOM), pad_to=0.0)
    host = Host(here, user)
    host.next()
    for _ in range(3):
        host.answers("00000000")
    here.clock.advance(200)
    return here


def begin(here, calls, user=KNOWN):
    """Begin a sign-in; the host calls Create so often, and its last response counts."""
    host = Host(here, user)
    for _ in range(calls):
        host.next()
        here.clock.advance(0.5)
    return host


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=8),
    st.integers(0, 1),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_who_reads_the_message_has_a_try_whoever_began_beside(calls, later, earlier, repeats, chance):
    """At most one stranger before, any number after, each call of the host up to three times, wrong answers in any order."""
    here = exhausted()
    strangers = [begin(here, repeats) for _ in range(earlier)]
    reader = begin(here, calls)
    strangers += [begin(here, times) for times, _ in later]
    chance.shuffle(strangers)
    sent = len(here.post.sent)
    for stranger in strangers:
        stranger.answers("00000000")
    assert IssueTokens() == reader.answers(
        next(m.text for m in here.post.sent if m.id == reader.pending[0].private["claim"])
    )
    assert sent == len(here.post.sent)


@pytest.mark.parametrize("user", [KNOWN, NOBODY])
@pytest.mark.parametrize("sign_ins", [1, 6, 7, 40])
def test_one_message_is_tried_in_six_sign_ins_at_most(user, sign_ins):
    """Once in each; whoever begins later has the budget alone. Nothing tells who exists."""
    here = exhausted(user)
    locked = here.events.names().count("authn_login_lock")
    hosts = [Host(here, user) for _ in range(sign_ins)]
    for host in hosts:
        host.next()
    for host in hosts:
        host.verify("00000000")
    assert max(0, sign_ins - SHARERS) == here.events.names().count("authn_login_lock") - locked
    for host in hosts:
        host.next()
        host.verify("11111111")
    tried = min(sign_ins, SHARERS)
    assert sign_ins + sign_ins - tried >= here.events.names().count("authn_login_lock") - locked - tried


def test_a_sign_in_has_one_try_in_all_its_rounds():
    """The try goes with the sign-in: a second answer finds nothing to pay with."""
    here = exhausted()
    begin(here, 1)
    sharer = begin(here, 1)
    before = here.events.names().count("authn_login_lock")
    sharer.answers("00000000")
    assert before == here.events.names().count("authn_login_lock")
    sharer.answers(here.post.code)
    assert before + 1 == here.events.names().count("authn_login_lock")


LIMIT = st.builds(Limit, st.integers(1, 100), st.sampled_from([1, 60, 900, 3600, DAY, 30 * DAY]))


@given(st.lists(LIMIT, min_size=1, max_size=3), st.lists(LIMIT, min_size=1, max_size=3), st.integers(30, 600))
def test_no_limits_let_a_kind_be_guessed_more_than_a_hundred_times_a_day(guesses, messages, lifetime):
    """NIST SP 800-63B-4 3.2.2, as the figures reckon: both budgets of a kind, and the own tries of every message."""
    flow = Flow(Mail(lifetime=lifetime), limits=Limits(guesses=guesses, messages=messages))
    assert 2 * guesses_per_day(flow, flow.steps["mail"]) <= MAX_GUESSES
    assert 0 <= own_tries(flow) <= SHARERS


def wrong_answers(limits, moments, sign_ins=8):
    """Return when answers were compared, if strangers, half of whom know the password, begin so many sign-ins at *moments*.

    Every other one answers wrongly at once, the others at the last moment.
    """
    compared = []

    class Noting(Mail):
        def verify(self, request):
            compared.append(here.clock.now())
            return super().verify(request)

    flow = Flow(
        one_of(named("code", Noting(attempts=5)), sequence(Srp(), named("second", Noting(attempts=5)))), limits=limits
    )
    here = world(flow, pad_to=0.0)
    password = (Round("SRP_A", True), Round("PASSWORD_VERIFIER", True))
    start = here.clock.now()
    for moment in moments:
        here.clock.advance(max(0.0, start + moment - here.clock.now()))
        asked = []
        for rounds in (), password:
            with suppress(TryLaterError):
                asked += [here.engine.create(SessionRequest("pool", "app", KNOWN, rounds)) for _ in range(sign_ins)]
        for later in (0.0, flow.steps["code"].lifetime - 1.0):
            here.clock.advance(later)
            for number, challenge in enumerate(asked):
                if (later == 0.0) == (number % 2 == 0):
                    here.engine.verify(AnswerRequest("pool", "app", KNOWN, "00000000", challenge.private))
    return compared


@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(messages="10/day"),
        Limits(guesses="100/day"),
        Limits(guesses="40/day", messages="5/day"),
        Limits(guesses="5/h", messages="3/h"),
        Limits(messages=["20/h", "1000/day"]),
        Limits(guesses="1/day", messages="999999/s"),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "moments",
    [
        [240 * number for number in range(2 * 360)],
        # At the end of one day, and when the next one has just begun.
        [*range(0, 2400, 240), *range(DAY, DAY + 2400, 240)],
        [*range(DAY - 4800, DAY + 4800, 200)],
    ],
    ids=["steady", "two bursts", "one burst"],
)
def test_no_day_has_more_guesses_than_the_ceiling(limits, moments):
    """NIST SP 800-63B-4 3.2.2, with the real engine: in any 24 hours, at one mailbox, before a factor and behind one."""
    compared = wrong_answers(limits, moments)
    assert 1 < max(sum(first <= each < first + DAY for each in compared) for first in compared) <= MAX_GUESSES


def test_a_message_that_nobody_knows_was_sent_brings_no_try_to_who_shares_it():
    """A claim whose message was never counted must not bring guesses: no message, no try."""
    here = exhausted()
    here.post.failing = TimeoutError()
    first = Host(here, KNOWN)
    with pytest.raises(Exception, match="courier"):
        first.next()
    here.post.failing = None
    sharer = begin(here, 1)
    before = here.events.names().count("authn_login_lock")
    sharer.answers("00000000")
    assert before + 1 == here.events.names().count("authn_login_lock")


def test_who_sends_what_another_call_could_not_has_a_try():
    """The repeat of a call whose message certainly did not leave sends it, and has a try of it."""
    from watchword import UnavailableError

    here = exhausted()
    here.post.failing = UnavailableError("down", undelivered=True)
    host = Host(here, KNOWN)
    with pytest.raises(UnavailableError):
        host.next()
    here.post.failing = None
    host.next()
    assert IssueTokens() == host.answers(here.post.code)


def test_limits_that_leave_no_room_leave_no_try():
    """Fewer tries where more messages or guesses are allowed, and none where not one fits under the ceiling."""
    assert [6, 3, 2, 1, 1, 0, 0] == [
        own_tries(Flow(Mail(), limits=Limits(guesses=guesses, messages=messages)))
        for guesses, messages in (
            ("1/day", "4/day"),
            ("10/day", ["3/15min", "5/h", "10/day"]),
            ("10/day", "10/day"),
            ("30/day", "10/day"),
            ("10/day", "20/day"),
            ("10/day", "21/day"),
            ("100/day", "1/day"),
        )
    ]


@pytest.mark.parametrize("place", [lambda mail: mail, lambda mail: sequence(Riddle(), mail)])
@pytest.mark.parametrize("calls", [1, 3])
def test_a_message_without_tries_is_answered_by_the_budget_alone(place, calls):
    """Where the limits leave no room, the code works as long as guesses are left, and not beyond."""
    here = world(Flow(place(Mail()), limits=Limits(guesses="2/day", messages="1000/day")))
    for tried in range(3):
        host = begin(here, 1)
        if host.pending[0].public["kind"] == "riddle":
            host.answers("fish")
            for _ in range(calls):
                host.next()
        else:
            host = begin(here, calls)
        locked = here.events.names().count("authn_login_lock")
        host.verify("00000000")
        assert (tried == 2) == (here.events.names().count("authn_login_lock") > locked)
        here.clock.advance(200)


def test_behind_a_step_of_its_own_nobody_shares():
    """Each sign-in has a message of its own there, and its try, as often as the host calls."""
    here = world(Flow(sequence(Riddle(), Mail()), limits=Limits(guesses="1/day", messages="10/day")))
    host = Host(here, KNOWN)
    host.next()
    host.answers("fish")
    for _ in range(2):
        host.next()
    host.answers("00000000")
    assert IssueTokens() == host.answers(here.post.code)
