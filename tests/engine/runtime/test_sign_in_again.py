"""Sign in, sign out, sign in again: a sign-in that begins after the right answer gets a code that works, whatever ran beside it."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, Host, Mail, Riddle, world
from watchword import Flow, IssueTokens, Limits, User, sequence

KNOWN = User("ann", ANN)
FLOW = Flow(Mail(), limits=Limits(guesses="100/day", messages="1000/day"))


def begun(here):
    """A sign-in, and the code that its user reads."""
    host = Host(here, KNOWN)
    host.next()
    return host, here.post.code


def test_a_sign_in_begun_after_the_right_answer_gets_a_new_code_at_once():
    """Ten times within the lease of one claim: ten mails, ten codes, ten sign-ins."""
    here = world(FLOW)
    codes = []
    for _ in range(10):
        host, code = begun(here)
        codes.append(code)
        assert IssueTokens() == host.answers(code)
        here.clock.advance(1)
    assert 10 == len(set(codes)) == len(here.post.sent)


def test_new_mails_stay_within_the_budget():
    """What is freed is the claim, and not the budget of messages."""
    here = world(Flow(Mail()))
    for _ in range(3):
        host, code = begun(here)
        assert IssueTokens() == host.answers(code)
    assert 3 == len(here.post.sent)
    host = Host(here, KNOWN)
    try:
        host.next()
    except Exception as error:  # noqa: BLE001
        assert "TryLaterError" == type(error).__name__
    assert 3 == len(here.post.sent)


def test_a_host_that_repeats_create_during_the_right_answer_of_another_tab_gets_a_code_that_works():
    """The last response counts: it is of the new claim, and so is the mail."""
    here = world(FLOW)
    tab, code = begun(here)
    repeated = Host(here, KNOWN)
    repeated.next()
    assert IssueTokens() == tab.answers(code)
    repeated.next()
    assert 2 == len(here.post.sent)
    assert IssueTokens() == repeated.answers(here.post.code)


def test_a_right_answer_that_the_host_repeats_frees_no_newer_claim():
    """The first Verify comes again after the next Create: it is right again, and the newer claim stays one claim."""
    here = world(FLOW)
    first, code = begun(here)
    assert first.verify(code).right
    second, newer = begun(here)
    assert first.verify(code).right
    third, same = begun(here)
    assert (newer, 2) == (same, len(here.post.sent))
    assert second.verify(newer).right
    assert not third.verify(newer).right


def test_a_code_behind_another_step_frees_its_claim_too():
    """Claims of later steps are each sign-in's own; the right answer to one leaves those of others alone."""
    here = world(Flow(sequence(Riddle(), Mail()), limits=Limits(guesses="100/day", messages="1000/day")))
    hosts = []
    for _ in range(3):
        host = Host(here, KNOWN)
        host.next()
        host.answers("fish")
        hosts.append((host, here.post.code))
    assert [IssueTokens()] * 3 == [host.answers(code) for host, code in hosts]


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_right_answer_to_a_code_that_was_used_elsewhere_costs_no_guess(repeats):
    """However often the host shows it to Verify: the budget of the day is as it was, and the user goes on with a new code."""
    here = world(Flow(Mail(), limits=Limits(guesses="2/day")))
    first, code = begun(here)
    second, _ = begun(here)
    assert IssueTokens() == first.answers(code)
    for _ in range(repeats - 1):
        assert not second.verify(code).right
    asked = second.answers(code)
    assert ("expired", "3") == (asked.public["error"], asked.public["attempts_left"])
    for _ in range(2):
        assert "authn_login_lock" not in here.events.names()
        second.answers("00000000")
    assert IssueTokens() == second.answers(here.post.code), "by the try of its own"
    assert "authn_login_lock" not in here.events.names()


def test_a_wrong_answer_to_a_code_that_was_used_elsewhere_is_a_guess():
    """It was compared: it costs a guess of the day as any other, though no try."""
    here = world(Flow(Mail(), limits=Limits(guesses="1/day")))
    first, code = begun(here)
    second, _ = begun(here)
    assert IssueTokens() == first.answers(code)
    asked = second.answers("00000000").public
    assert ("expired", "3") == (asked["error"], asked["attempts_left"])
    second.answers("00000000")
    assert "authn_login_lock" not in here.events.names(), "that was the try of the new message"
    second.answers("00000000")
    assert "authn_login_lock" in here.events.names()


def test_what_a_used_code_is_given_back_for_is_one_right_answer_of_a_sign_in():
    """Where no further message may go out, the same dead code answered again is charged."""
    here = world(Flow(Mail(), limits=Limits(guesses="1/day", messages="1/day")))
    first, code = begun(here)
    second, _ = begun(here)
    assert IssueTokens() == first.answers(code)
    assert "try_later" == second.answers(code).public["error"]
    for _ in range(2):
        assert "authn_login_lock" not in here.events.names()
        second.answers(code)
    second.answers(code)
    assert "authn_login_lock" in here.events.names()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "repeat create", "right", "verify right", "wrong", "resend", "wait"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


@given(ACTS)
def test_whatever_ran_before_a_new_sign_in_is_asked_for_a_code_that_works(acts):
    """Tabs, repeats of the host, wrong answers and resends in any order: the next sign-in is right with the newest mail."""
    here = world(FLOW)
    hosts = _ran(here, acts)
    host, code = begun(here)
    if host.pending[0].public["ref"] in {each.pending[0].public["ref"] for each in hosts}:
        code = next(each.text for each in reversed(here.post.sent) if each.id == host.pending[0].private["claim"])
    assert IssueTokens() == host.answers(code)


def _ran(here, acts):
    """Do *acts* and return the sign-ins that they began."""
    hosts = []
    for act, which in acts:
        if act == "wait":
            here.clock.advance([1, 7, 16, 200][which])
        elif act == "begin" or not hosts:
            hosts.append(begun(here)[0])
        else:
            _act(here, hosts, act, which % len(hosts))
    return hosts


def _act(here, hosts, act, place):
    host = hosts[place]
    claim = host.pending[0].private["claim"]
    code = next(each.text for each in here.post.sent if each.id == claim)
    if act == "repeat create":
        if not host.session:
            host.next()
    elif act == "verify right":
        host.verify(code)
    else:
        answered = host.answers(
            {"right": code, "wrong": "wrong", "resend": ""}[act], "resend" if act == "resend" else None
        )
        if not hasattr(answered, "private"):
            hosts[place] = begun(here)[0]


@given(ACTS)
def test_no_answer_is_right_twice(acts):
    """Whatever ran, each code was accepted in one round and no other."""
    here = world(FLOW)
    accepted = {}
    engine = here.engine

    class Watched:
        def __getattr__(self, name):
            return getattr(engine, name)

        def verify(self, answer):
            verdict = engine.verify(answer)
            if verdict.right:
                accepted.setdefault(answer.private["claim"], set()).add(answer.private["round"])
            return verdict

    here = evolve(here, engine=Watched())
    _ran(here, acts)
    assert all(1 == len(rounds) for rounds in accepted.values())
