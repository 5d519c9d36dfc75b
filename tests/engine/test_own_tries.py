"""Own tries: with an empty budget a delivered code works once, for whoever can read the message, whatever strangers and hosts do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_host import ANN, Host, Mail, Riddle, world
from watchword import Flow, IssueTokens, Limits, User, sequence

KNOWN, NOBODY = User("ann", ANN), User("nobody", {}, known=False)
SHARERS = 6


def exhausted(user=KNOWN, guesses="1/day", flow=None):
    """A world in which the guesses of *user* are used up, and no claim is held."""
    here = world(flow or Flow(Mail(), limits=Limits(guesses=guesses, messages="10/day")), pad_to=0.0)
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
    locked = here.events.names.count("authn_login_lock")
    hosts = [Host(here, user) for _ in range(sign_ins)]
    for host in hosts:
        host.next()
    for host in hosts:
        host.verify("00000000")
    assert max(0, sign_ins - SHARERS) == here.events.names.count("authn_login_lock") - locked
    for host in hosts:
        host.next()
        host.verify("11111111")
    tried = min(sign_ins, SHARERS)
    assert sign_ins + sign_ins - tried >= here.events.names.count("authn_login_lock") - locked - tried


def test_a_sign_in_has_one_try_in_all_its_rounds():
    """The try goes with the sign-in: a second answer finds nothing to pay with."""
    here = exhausted()
    begin(here, 1)
    sharer = begin(here, 1)
    before = here.events.names.count("authn_login_lock")
    sharer.answers("00000000")
    assert before == here.events.names.count("authn_login_lock")
    sharer.answers(here.post.code)
    assert before + 1 == here.events.names.count("authn_login_lock")


def test_a_day_has_no_more_guesses_than_the_ceiling():
    """NIST SP 800-63B-4 3.2.2: however many share each message of a day, a hundred at most are compared."""
    seen = []

    class Counting(Mail):
        def verify(self, request):
            seen.append(request.answer)
            return super().verify(request)

    for guesses, messages, most in (("10/day", "10/day", 70), ("50/day", "10/day", 100), ("90/day", "10/day", 100)):
        seen.clear()
        flow = Flow(Counting(), limits=Limits(guesses=guesses, messages=messages))
        here = world(flow)
        for _ in range(10):
            hosts = [Host(here, KNOWN) for _ in range(12)]
            for host in hosts:
                host.next()
            for host in hosts:
                host.answers("00000000")
            here.clock.advance(200)
        assert 10 < len(seen) <= most


def test_a_message_that_nobody_knows_was_sent_brings_no_try_to_who_shares_it():
    """A claim whose message was never counted must not bring guesses: no message, no try."""
    here = exhausted()
    here.post.failing = TimeoutError()
    first = Host(here, KNOWN)
    with pytest.raises(Exception, match="courier"):
        first.next()
    here.post.failing = None
    sharer = begin(here, 1)
    before = here.events.names.count("authn_login_lock")
    sharer.answers("00000000")
    assert before + 1 == here.events.names.count("authn_login_lock")


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


def test_limits_that_leave_no_room_leave_one_try():
    """A hundred guesses a day and ten messages: each message has the one try of the call that made its claim."""
    assert [6, 6, 5, 1, 1] == [
        Limits(guesses=guesses, messages="10/day").own_tries
        for guesses in ("10/day", "40/day", "50/day", "90/day", "100/day")
    ]
    here = exhausted(flow=Flow(Mail(), limits=Limits(guesses="100/day", messages="10/day")))
    assert IssueTokens() == begin(here, 3).answers(here.post.code), "the budget is not empty"


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
