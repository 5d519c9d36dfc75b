"""Rules of Create and Verify, each of which a small change to the source once broke without a test that noticed."""

import json
from typing import ClassVar

import pytest
from attrs import evolve, frozen

from kit.engine_host import ANN, KEY, Host, Mail, Post, Riddle, world
from watchword import Challenge, Flow, UnavailableError, User, named, one_of, sequence
from watchword.algebra.evaluation import AnswerRequest
from watchword.runtime.keyring import Keyring
from watchword.runtime.wire import read_private_parameters
from watchword_plugins.srp import Srp

KNOWN = User("ann", ANN)
RIDDLE = Flow(Riddle())


def asked(flow=RIDDLE, **settings):
    """Return a host that has just been asked the first challenge of *flow*."""
    host = Host(world(flow, **settings), KNOWN)
    host.next()
    return host


def rounds(host):
    """Return the rounds whose answers were recorded."""
    return host.world.ledger._rounds.records


def reason(host):
    """Return the last reason that the audit was given."""
    return host.world.events.events[-1].detail["reason"]


# --- Verify -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "believed"), [(5, True), (6, False)])
def test_a_challenge_from_the_future_is_believed_for_five_seconds(back, believed):
    """Two hosts' clocks may differ by so much; a challenge issued later than that is not even charged."""
    host = asked()
    host.world.clock.set_by(-back)
    assert believed == host.verify("fish").right
    assert believed == bool(rounds(host))


@pytest.mark.parametrize(("length", "why"), [(1024, "wrong"), (1025, "malformed")])
def test_an_answer_has_at_most_1024_characters(length, why):
    """The longest is shown to the kind, and charged; one character more is neither."""
    host = asked()
    host.verify("x" * length)
    assert why == reason(host)
    assert (why == "wrong") == bool(rounds(host))


@pytest.mark.parametrize(("length", "why"), [(1024, "expired"), (1025, "malformed")])
def test_an_answer_that_is_late_and_long_is_called_by_its_worse_fault(length, why):
    """Late is said of what could have been an answer only."""
    host = asked()
    host.world.clock.advance(180 + 16)
    host.verify("x" * length)
    assert why == reason(host)


@pytest.mark.parametrize("order", [1, -1])
def test_an_answer_is_judged_by_the_flow_that_asked(order):
    """Of the flow and the one before it: whichever has the lower fingerprint."""
    flows = [Flow(named(name, Riddle()), name="acme") for name in ("one", "other")]
    before, now = sorted(flows, key=lambda flow: flow.fingerprint)[::order]
    host = asked(before)
    later = world(now, previous=(before,), ledger=host.world.ledger)
    private = host.pending[0].private
    assert later.engine.verify(AnswerRequest("pool_1", "client", KNOWN, "fish", private)).right is True


@pytest.mark.parametrize(("after", "recorded"), [(180 + 15, True), (180 + 16, False)])
def test_a_late_answer_is_recorded_for_as_long_as_the_host_may_call_again(after, recorded):
    """Within the lease after the challenge's end the answer is expired, and recorded; from its end on nothing is."""
    host = asked()
    host.world.clock.advance(after)
    assert host.verify("fish").right is False
    assert "expired" == reason(host)
    assert recorded == bool(rounds(host))


def test_what_was_answered_is_kept_three_leases_beyond_the_challenge():
    """The record of a round and the mark of its claim outlive every call that may still come, of who shares the claim too."""
    host = asked()
    parameters, _ = read_private_parameters(host.pending[0].private)
    host.verify("fish")
    marks = host.world.ledger._marks.records
    assert [parameters.expires + 48] == [each.until for each in rounds(host).values()]
    assert [parameters.expires + 48] == [each.until for each in marks.values()]


def test_the_budget_of_guesses_says_whether_a_factor_was_proven_before():
    """Strangers draw on ``first``; who has passed a step that proves something draws on a budget of their own."""
    host = asked(Flow(sequence(Riddle(), named("second", Riddle(answer="cat")))))
    host.verify("dog")
    host.next()
    host.answers("fish")
    host.verify("dog")
    key = host.world.engine.user_key("pool_1", KNOWN)
    assert {f"guess:{key}:riddle:first", f"guess:{key}:riddle:proven"} == set(host.world.ledger._budgets.records)


def test_a_challenge_is_judged_by_the_flow_that_asked_it():
    """Of a flow and the one before it, whichever has the lower fingerprint: each challenge is answered by its own."""
    one, other = Flow(Riddle(answer="fish")), Flow(Riddle(answer="cat"))
    for now, before in ((one, other), (other, one)):
        host = asked(before)
        engine = evolve(host.world.engine, flow=now, previous=(before,))
        right = before.steps["riddle"].kind.answer
        assert engine.verify(AnswerRequest("pool_1", "client", KNOWN, right, host.pending[0].private)).right is True


@pytest.mark.parametrize("kind", ["a_kind", "zz_kind"])
def test_a_challenge_of_another_kind_than_the_steps_is_none(kind):
    """Even one that is sealed with our key."""
    host = asked()
    parameters, own = read_private_parameters(host.pending[0].private)
    engine = host.world.engine
    binding = ("pool_1", "client", engine.user_key("pool_1", KNOWN))
    for name, right in ((kind, False), ("riddle", True)):
        private = evolve(parameters, kind=name).write(Keyring.of(KEY).current, binding, own)
        assert right == engine.verify(AnswerRequest("pool_1", "client", KNOWN, "fish", private)).right


def test_a_choice_is_told_by_its_text():
    """Hosts hand over texts that they have read, which are equal to ours and not the same object."""
    host = asked()
    kind = json.loads('"select"')
    assert host.world.engine.verify(AnswerRequest("pool_1", "client", KNOWN, "fish", {"kind": kind})).right is False
    assert [] == host.world.events.names()


# --- Create -------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_in_mind_for_a_lease_beyond_its_code():
    """The own try of a message is good for as long as an answer to it may be recorded."""
    host = asked(Flow(Mail()))
    parameters, _ = read_private_parameters(host.pending[0].private)
    assert [parameters.expires + 16] == [each.until for each in host.world.ledger._tries.records.values()]


def test_a_choice_waits_for_a_second_and_is_no_answer():
    """What is sealed for a select round ends one second after it was made."""
    host = asked(Flow(one_of(Riddle(), Mail())))
    parameters, _ = read_private_parameters(host.pending[0].private)
    assert "select" == parameters.step
    assert parameters.issued + 1 == parameters.expires


def test_the_budget_of_messages_says_whether_a_factor_was_proven_before():
    """Strangers cannot use up the messages of somebody who has passed a step."""
    for flow, answer, word in ((Flow(Mail()), None, "first"), (Flow(sequence(Riddle(), Mail())), "fish", "proven")):
        host = asked(flow)
        if answer:
            host.answers(answer)
        budgets = [key for key in host.world.ledger._budgets.records if key.startswith("message:")]
        assert [word] * 2 == [key.rpartition(":")[2] for key in budgets]  # the user's, and the address's


@frozen
class Wordy(Riddle):
    """A kind whose private parameters are as many as it is told."""

    kind: ClassVar[str] = "wordy"

    names: int = 1
    size: int = 0

    def create(self, request):
        return Challenge(private={f"{number:04}": "x" * self.size for number in range(self.names)})


@pytest.mark.parametrize(
    ("names", "size", "fits"), [(1, 4092, True), (1, 4093, False), (1024, 0, True), (1025, 0, False)]
)
def test_names_and_values_count_together(names, size, fits):
    """4,096 characters of private parameters, the names among them."""
    if fits:
        assert asked(Flow(Wordy(names=names, size=size))).pending
    else:
        with pytest.raises(UnavailableError):
            asked(Flow(Wordy(names=names, size=size)))


@pytest.mark.parametrize(("after", "refused"), [(59, True), (60, False)])
def test_a_courier_is_taken_to_be_down_for_a_minute(after, refused):
    """Whoever would be sent nothing is refused as long as whoever would be; the minute begins with the call that failed."""
    here = world(Flow(Mail()), post=Post(UnavailableError("down", undelivered=True)))
    began = here.clock.now()
    with pytest.raises(UnavailableError):
        Host(here, KNOWN).next()
    here.clock.advance(began + after - here.clock.now())
    nobody = Host(here, User("nobody", {}, known=False))
    if refused:
        with pytest.raises(UnavailableError):
            nobody.next()
    else:
        assert nobody.next().public


def test_the_message_that_nobody_gets_counts_as_sent():
    """So that a repeat of the host's goes the same way for those who do not exist."""
    here = world(Flow(Mail()))
    assert Host(here, User("nobody", {}, known=False)).next().public
    assert ["sent"] == [each.state for each in here.ledger._holders.records.values()]


@pytest.mark.parametrize("given", [b"", bytes(15), bytes(17), "x" * 16, None])
def test_randomness_is_sixteen_bytes_or_none(given):
    """Nothing was sent, and the next call may do better."""

    class Other:
        def bytes(self, count):
            return given

    with pytest.raises(UnavailableError, match="randomness") as raised:
        Host(world(Flow(Mail()), random=Other()), KNOWN).next()
    assert raised.value.undelivered is True


@pytest.mark.parametrize("begins", [0, 20, 44, 63])
@pytest.mark.parametrize(("after", "mails"), [(59, 1), (60, 2)])
def test_a_resend_is_sent_when_the_cool_down_is_over(begins, after, mails):
    """To the second, whenever it began."""
    here = world(Flow(Mail()))
    here.clock.advance(begins)
    host = Host(here, KNOWN)
    began = int(host.next().private["issued"])
    here.clock.advance(began + after - here.clock.now())
    host.answers("", action="resend")
    assert mails == len(here.post.sent)


def test_behind_a_password_too_a_wrong_answer_sends_nothing():
    """The round before is the last of the session, not its first."""
    here = world(Flow(sequence(Srp(), Mail())))
    host = Host(here, KNOWN)
    host.host_round("SRP_A")
    host.host_round("PASSWORD_VERIFIER")
    asked = host.answers("wrong")
    assert ("wrong", 1) == (asked.public["error"], len(here.post.sent))
    assert "2" == asked.public["attempts_left"]
