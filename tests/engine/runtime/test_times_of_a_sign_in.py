"""Times of one's own: what a sign-in is shown is reckoned from its own begin, whoever else began when, and its code keeps them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.broken_code import broken
from kit.engine_host import ANN, Host, Mail, world
from watchword import Flow, IssueTokens, Limits, User
from watchword.contract.ports import LEASE, ChargeRequest
from watchword.runtime import delivery, situation, verification

KNOWN, NOBODY = User("ann", ANN), User("nobody", {}, known=False)
PLENTY = Limits(guesses="100/day", messages="1000/day")
FLOW = Flow(Mail(lifetime=180, resend_after=60), limits=PLENTY)

waits = st.sampled_from([1, 2, 5, 9, 15, 16, 17, 44, 60, 61, 120, 179, 180, 181])
tales = st.lists(st.tuples(waits, st.sampled_from(["wrong", "resend", "nothing"])), max_size=6)
begins = st.sampled_from([0, 1, 7, 14, 15, 16, 17, 30, 59, 170, 200])


class SignIn:
    """A sign-in that is told in acts at given seconds, and all that its client sees."""

    def __init__(self, here, user):
        self.host = Host(here, user)
        self.began = here.clock.now()
        self.seen = []
        self.sees(self.host.next())

    def acts(self, act):
        if act != "nothing" and self.host.pending:
            self.sees(self.host.answers("00000000", "resend" if act == "resend" else None))

    def sees(self, reply):
        if not hasattr(reply, "public"):
            self.host.pending.clear()
            self.seen.append(reply)
            return
        clock = self.host.world.clock
        public = {**reply.public, "answered after": clock.now() - self.began}
        for name in {"expires_at", "resend_after"} & public.keys():
            public[name] = int(public[name]) - int(self.began)
        self.seen.append(public)

    @property
    def tale(self):
        """What was seen, with the references told by when they first came."""
        refs = []
        told = []
        for each in self.seen:
            if isinstance(each, dict):
                refs += [each["ref"]] if each["ref"] not in refs else []
                told.append({**each, "ref": refs.index(each["ref"])})
            else:
                told.append(each)
        return told


def told(user, own, other=None, before=0):
    """The tale of a sign-in that begins at second 1000, with another one that began *before* it, or with none."""
    here = world(FLOW)
    start = here.clock.now()
    plan = [(1000.5, "own", "begin")]
    at = 1000.5
    for wait, act in own:
        at += wait
        plan.append((at, "own", act))
    if other is not None:
        at = 1000 - before
        plan.append((at, "other", "begin"))
        for wait, act in other:
            at += wait
            plan.append((at, "other", act))
    sign_ins = {}
    for moment, who, act in sorted(plan):
        here.clock.advance(start + moment - here.clock.now())
        if act == "begin":
            sign_ins[who] = SignIn(here, user)
        else:
            sign_ins[who].acts(act)
    return sign_ins["own"].tale


@given(tales, tales, begins)
@settings(max_examples=200)
def test_nothing_that_is_shown_depends_on_when_another_sign_in_began(own, other, before):
    """Beside one that began earlier, within the lease or beyond, or beside none: the same is shown, at the same times.

    Wrong answers and requests of either change nothing of it, and it is the same for somebody unknown.
    """
    alone = told(KNOWN, own)
    assert alone == told(KNOWN, own, other, before)
    assert alone == told(NOBODY, own, other, before)
    assert alone == told(NOBODY, own)


def shared(seconds, user=KNOWN, calls=1, flow=FLOW):
    """Two sign-ins that share a message, so many seconds apart; the host calls Create for the later one so often."""
    here = world(flow)
    first = Host(here, user)
    first.next()
    here.clock.advance(seconds - 0.5)
    second = Host(here, user)
    for _ in range(calls):
        second.next()
    assert 1 == len({each.pending[0].public["ref"] for each in (first, second)})
    return here, first, second


@given(
    seconds=st.sampled_from([0.5, 1, 7, 13, 15.4]),
    which=st.sampled_from([0, 1]),
    calls=st.sampled_from([1, 2]),
    wrong=st.integers(0, 1),
    left=st.sampled_from([100, 1, 0.001, 0, -0.001, -1, -15, -40]),
)
@settings(max_examples=200)
def test_a_code_is_right_until_the_time_that_its_sign_in_showed(seconds, which, calls, wrong, left):
    """For the one that the message went out for and for the other; wrong answers put nothing off."""
    calls = calls if seconds < 10 else 1
    here, *hosts = shared(seconds, calls=calls)
    host, code = hosts[which], here.post.code
    expires = host.pending[0].public["expires_at"]
    for _ in range(wrong):
        assert expires == host.answers("00000000").public["expires_at"]
    here.clock.advance(int(expires) - left - here.clock.now())
    reply = host.answers(code)
    if left > 0:
        assert IssueTokens() == reply
    else:
        assert ("expired", 2) == (reply.public["error"], len(here.post.sent))
        assert IssueTokens() == host.answers(here.post.code)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("at", [20, 179.9])
@pytest.mark.parametrize("later", [180, 190, 195.9, 200, 211])
def test_a_code_that_was_used_is_right_in_no_sign_in_that_is_shown_a_later_time(which, at, later):
    """Either may use it; the other one is asked anew, up to the end of its own time and after it."""
    here, *hosts = shared(15.4)
    code = here.post.code
    began = int(hosts[0].pending[0].private["issued"])
    here.clock.advance(began + at - here.clock.now())
    assert hosts[which].verify(code).right
    here.clock.advance(began + later - here.clock.now())
    assert not hosts[1 - which].verify(code).right


def test_the_marks_of_a_code_outlive_each_sign_in_that_shares_it():
    """A ledger that forgets to the second forgets nothing too early: two leases after the end of the last sign-in."""
    here, first, second = shared(15.4)
    assert first.verify(here.post.code).right
    last = int(second.pending[0].public["expires_at"])
    assert all(each.until >= last + 2 * LEASE for each in here.ledger._marks.records.values())


@pytest.mark.parametrize("calls", [1, 2])
def test_an_own_try_of_a_shared_message_is_good_until_the_end_that_was_shown(calls):
    """With the guesses of the day used up, the code works in its last second, in the sign-in that came last."""
    flow = Flow(Mail())
    here, _, host = shared(10, calls=calls, flow=flow)
    owner = here.engine.user_key("pool_1", KNOWN)
    for number in range(10):
        request = ChargeRequest(
            f"filled {number}",
            "answer",
            key=f"guess:{owner}:mail:first",
            owner=owner,
            claim_id="",
            limits=flow.limits.guesses,
            keep=here.clock.now() + 1000,
            now=here.clock.now(),
        )
        here.ledger.charge(request, within=1.0)
    here.clock.advance(int(host.pending[0].public["expires_at"]) - 0.001 - here.clock.now())
    assert host.verify(here.post.code).right


BROKEN = {
    "the time is that of the claim": (
        situation.Situation.issued_to_sign_in,
        "int(self.now if noted is None else noted)",
        "claim_time(claim) if noted is None else int(noted)",
    ),
    "who shares a message is answered at once": (delivery.pad_duration, "if not claim.slot:", "if not claim.sends:"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_sign_in_that_shows_another_one_is_caught(name):
    """The rule above tells code that is broken on purpose from what is shipped."""
    alone = told(KNOWN, [])
    assert alone == told(KNOWN, [], [], 7)
    with broken(*BROKEN[name]):
        assert alone == told(KNOWN, [])
        assert alone != told(KNOWN, [], [], 7)


def test_marks_that_are_kept_for_one_sign_in_alone_are_caught():
    """Kept by the time of who used the code, the mark would end before the last who shares it could answer."""
    with broken(verification._Case.keep.fget, "3 * LEASE", "2 * LEASE"), pytest.raises(AssertionError):
        test_the_marks_of_a_code_outlive_each_sign_in_that_shares_it()
