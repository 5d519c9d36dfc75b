"""Verify: an answer is charged before it is compared, accepted once, false to anything malformed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import ClassVar

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import ANN, KEY, OLD_KEY, DeadLedger, Host, Mail, Puzzle, Riddle, world
from watchword import Flow, IssueTokens, Limits, UnavailableError, User, Verdict, named, sequence
from watchword.algebra.evaluation import AnswerRequest
from watchword.errors import ConfigurationError
from watchword.runtime.wire import read_private_parameters
from watchword.testing.time import SeededRandom
from watchword_adapters.ledgers.memory import MemoryLedger

KNOWN = User("ann", ANN)
MAIL = Flow(Mail())
RIDDLE = Flow(Riddle())


def asked(flow=RIDDLE, user=KNOWN, **settings):
    """Return a host that has just been asked the first challenge of *flow*."""
    host = Host(world(flow, **settings), user)
    host.next()
    return host


def altered(host, **private):
    """Return a Verify call of *host* with some private parameters replaced (None removes one)."""
    kept = {**host.pending[0].private, **private}
    kept = {key: value for key, value in kept.items() if value is not None}
    return AnswerRequest("pool_1", host.client, host.user, "fish", kept)


def test_the_right_answer_is_right_and_the_wrong_one_is_not():
    """The plain case, with its audit."""
    host = asked()
    assert host.verify("cat").right is False
    assert ["authn_login_fail"] == host.world.events.names()
    assert asked().verify("fish").right is True


@pytest.mark.parametrize("answer", [None, 1, True, [], ["fish"], {"a": "fish"}, b"fish", "fish" * 300])
def test_an_answer_that_is_no_text_or_huge_is_wrong(answer):
    """Nothing but text of at most 1024 characters is shown to a kind, and nothing is raised."""
    host = asked()
    assert host.verify(answer).right is False
    assert "malformed" == host.world.events.events[-1].detail["reason"]


@pytest.mark.parametrize(
    "name",
    [
        "v",
        "flow",
        "kind",
        "step",
        "round",
        "claim",
        "issued",
        "expires",
        "proven",
        "own",
        "enrols",
        "passed",
        "ends",
        "seal",
        "digest",
    ],
)
@pytest.mark.parametrize("value", [None, "", "x", "1", "0", 7, "é" * 5, "9" * 13])
def test_altered_private_parameters_are_refused(name, value):
    """Every private parameter is sealed: removed, emptied or changed, the answer is wrong, and nothing is raised."""
    host = asked()
    if host.pending[0].private[name] == value:
        return
    assert host.world.engine.verify(altered(host, **{name: value})).right is False


def test_without_a_challenge_nothing_is_right():
    """Verify without Create: no private parameters never match a missing answer."""
    host = asked()
    for private in ({}, {"answer": ""}, {"digest": ""}):
        for answer in (None, "", "fish"):
            assert host.world.engine.verify(AnswerRequest("pool_1", "client", KNOWN, answer, private)).right is False


def test_a_challenge_is_bound_to_pool_client_and_user():
    """ASVS 5.0 6.6.2: the same private parameters mean nothing to another pool, app client or user."""
    host = asked()
    engine, private = host.world.engine, host.pending[0].private
    for pool, client, user in (
        ("pool_2", "client", KNOWN),
        ("pool_1", "other", KNOWN),
        ("pool_1", "client", User("bob", {"sub": "bob"})),
        ("pool_1", "client", User("ann", ANN, known=False)),
    ):
        assert engine.verify(AnswerRequest(pool, client, user, "fish", private)).right is False
    assert engine.verify(AnswerRequest("pool_1", "client", KNOWN, "fish", private)).right is True


def test_a_challenge_of_an_unknown_flow_or_key_is_refused():
    """Another flow's private parameters, and those of a key that has left the ring, match nothing."""
    host = asked()
    call = altered(host)
    assert world(Flow(Riddle(attempts=2)), ledger=host.world.ledger).engine.verify(call).right is False
    assert world(RIDDLE, key=OLD_KEY, ledger=host.world.ledger).engine.verify(call).right is False
    after = world(Flow(Riddle(attempts=2)), previous=(RIDDLE,), key=[OLD_KEY, KEY], ledger=host.world.ledger)
    assert after.engine.verify(call).right is True, "an older key still reads"
    host = asked()
    call = altered(host)
    after = world(Flow(Riddle(attempts=2)), previous=(RIDDLE,), ledger=host.world.ledger)
    assert after.engine.verify(call).right is True


def test_an_unknown_user_is_never_right():
    """Even the right answer of somebody who does not exist is refused."""
    host = asked(user=User("nobody", {}, known=False))
    assert host.verify("fish").right is False


def test_the_same_answer_again_gives_the_same_verdict_and_one_charge():
    """A host's retry: right stays right, wrong stays wrong, charged once, told once."""
    host = asked(Flow(Riddle(), limits=Limits(guesses="1/day")))
    assert [True] * 3 == [host.verify("fish").right for _ in range(3)]
    assert [] == host.world.events.names()
    other = asked(Flow(Riddle(), limits=Limits(guesses="1/day")))
    assert [False] * 3 == [other.verify("cat").right for _ in range(3)]
    assert ["authn_login_fail"] == other.world.events.names()


def test_a_retry_across_the_expiry_keeps_its_verdict():
    """The first answer's time counts, so a host's retry reads as the first call did."""
    host = asked()
    host.world.clock.advance(179)
    assert host.verify("fish").right is True
    host.world.clock.advance(6)
    assert host.verify("fish").right is True
    host.world.clock.advance(20)
    assert host.verify("fish").right is False


def test_an_expired_answer_is_wrong():
    """At its expiry an answer stops counting, whatever the store still holds."""
    for late in (180, 181, 197, 86_400):
        host = asked()
        host.world.clock.advance(late)
        assert host.verify("fish").right is False
        assert "expired" == host.world.events.events[-1].detail["reason"]


def test_a_challenge_from_the_future_is_not_believed():
    """A clock set back by more than five seconds never lengthens a life."""
    host = asked()
    host.world.clock.set_by(-6)
    assert host.verify("fish").right is False
    host.world.clock.set_by(2)
    assert host.verify("fish").right is True


def test_a_second_answer_to_a_round_is_refused_unevaluated():
    """One answer for each round: the right one after a wrong one is too late, and is told as reuse."""
    host = asked()
    host.verify("cat")
    assert host.verify("fish").right is False
    assert ["authn_login_fail", "authn_token_reuse"] == host.world.events.names()


def test_64_copies_of_one_event_at_once_are_one_verdict_and_one_charge():
    """Concurrency: one guess is charged, every copy reads the same."""
    for answer, right in (("fish", True), ("cat", False)):
        host = asked(Flow(Riddle(), limits=Limits(guesses="1/day")))
        with ThreadPoolExecutor(16) as pool:
            verdicts = list(pool.map(lambda _, host=host, answer=answer: host.verify(answer).right, range(64)))
        assert [right] * 64 == verdicts
        again = Host(host.world, KNOWN)
        again.next()
        assert again.verify("fish").right is right, (
            "a right answer takes its charge back; a wrong one used up the budget"
        )


def test_64_sign_ins_that_share_a_claim_are_accepted_once():
    """Single use: the first right answer consumes the claim, whichever sign-in it is of."""
    here = world(MAIL, pad_to=0.0)
    hosts = [Host(here, KNOWN) for _ in range(64)]
    for host in hosts:
        host.next()
    assert 1 == len(here.post.sent)
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda host: host.verify(here.post.code).right, hosts))
    assert 1 == sum(verdicts)
    winner = hosts[verdicts.index(True)]
    assert winner.verify(here.post.code).right is True
    assert {"authn_token_reuse"} == set(here.events.names()) - {"authn_code_sent", "authn_login_lock"}


def test_500_guesses_over_parallel_sessions_are_not_more_than_the_budget():
    """RFC 4226 7.3: the limit is across sessions; a kind that sends nothing evaluates exactly its budget."""
    seen = []

    class Counting(Riddle):
        def verify(self, request):
            seen.append(request.answer)
            return super().verify(request)

    here = world(Flow(Counting()))
    hosts = [Host(here, KNOWN) for _ in range(500)]
    for host in hosts:
        host.next()
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda each: each[1].verify(f"guess {each[0]}").right, enumerate(hosts)))
    assert not any(verdicts)
    assert 10 == len(seen)
    assert 490 == here.events.names().count("authn_login_lock")
    last = Host(here, KNOWN)
    last.next()
    assert last.verify("fish").right is False
    here.clock.advance(86_400)
    last = Host(here, KNOWN)
    last.next()
    assert last.verify("fish").right is True


def test_a_delivered_code_works_although_others_used_up_the_guesses():
    """A message that was sent brings one try of its own: nobody can void it by guessing elsewhere."""
    here = world(Flow(Mail(), limits=Limits(messages="20/day")))
    victim = Host(here, KNOWN)
    victim.next()
    code = here.post.code
    for client in range(20):
        stranger = Host(here, KNOWN, client=f"client{client}")
        here.clock.advance(1)
        try:
            stranger.next()
        except UnavailableError:
            continue
        for _ in range(3):
            stranger.answers("00000000")
    assert "authn_login_lock" in here.events.names()
    assert IssueTokens() == victim.answers(code)


def test_who_shares_a_claim_cannot_use_the_own_try_of_another():
    """Each sign-in has its own: those who begin beside it, however many, take none away from who was there before."""
    here = world(MAIL, pad_to=0.0)
    victim = Host(here, KNOWN)
    victim.next()
    strangers = [Host(here, KNOWN) for _ in range(50)]
    for stranger in strangers:
        stranger.next()
        for _ in range(3):
            stranger.answers("00000000")
    assert 1 == len(here.post.sent)
    assert "authn_login_lock" in here.events.names()
    assert IssueTokens() == victim.answers(here.post.code)


def test_the_own_try_outlives_a_wrong_answer():
    """It is kept with the claim: a user who mistypes first still has it when strangers have used up the budget."""
    here = world(MAIL)
    victim = Host(here, KNOWN)
    victim.next()
    victim.answers("00000000")
    for _ in range(10):
        stranger = Host(here, KNOWN)
        stranger.next()
        stranger.answers("00000000")
    assert IssueTokens() == victim.answers(here.post.code)


def test_a_message_behind_another_step_has_its_own_try():
    """Claims behind a first challenge are never shared."""
    here = world(Flow(sequence(Puzzle(), Mail()), limits=Limits(guesses="1/day")))
    host = Host(here, KNOWN)
    host.next()
    host.answers("fish")
    host.answers("00000000")
    assert IssueTokens() == host.answers(here.post.code)


def test_the_own_try_is_one():
    """When the budget is empty, a sent message pays for one answer and no more."""
    here = world(Flow(Mail(attempts=3), limits=Limits(guesses="1/day")))
    host = Host(here, KNOWN)
    host.next()
    host.answers("1")
    host.answers("2")
    assert "authn_login_lock" not in here.events.names()
    host.answers("3")
    assert "authn_login_lock" in here.events.names()


def test_right_answers_cost_nothing():
    """A user who signs in a hundred times a day never meets the guess budget."""
    here = world(RIDDLE)
    for _ in range(100):
        host = Host(here, KNOWN)
        host.next()
        assert IssueTokens() == host.answers("fish")


def test_the_success_of_one_user_frees_no_guess_of_another():
    """R-07: a right answer takes back its own charge only."""
    here = world(Flow(Riddle(), limits=Limits(guesses="2/day")))
    bob = User("bob", {"sub": "bob"})
    for _ in range(2):
        host = Host(here, KNOWN)
        host.next()
        host.verify("cat")
    host = Host(here, bob)
    host.next()
    assert host.verify("fish").right is True
    host = Host(here, KNOWN)
    host.next()
    assert host.verify("fish").right is False


def test_budgets_are_kept_over_app_clients_and_by_kind_and_proof():
    """Guesses are charged per user, kind, and whether a factor is proven already; the app client makes no difference."""
    limits = Limits(guesses="1/day")
    here = world(Flow(sequence(Riddle(), named("second", Riddle())), limits=limits))
    first = Host(here, KNOWN, client="a")
    first.next()
    first.verify("cat")
    other = Host(here, KNOWN, client="b")
    other.next()
    assert other.verify("fish").right is False
    here.clock.advance(86_400)
    host = Host(here, KNOWN)
    host.next()
    host.answers("fish")
    host.verify("cat")
    again = Host(here, KNOWN)
    again.next()
    assert again.verify("fish").right is True, "guesses after a proven factor are another budget"


@pytest.mark.parametrize("user", [KNOWN, User("nobody", {}, known=False)])
def test_no_number_of_wrong_puzzles_refuses_a_right_one(user):
    """Strangers who fail a puzzle lock nobody out of it, nor out of a factor; each sign-in has its tries."""
    here = world(Flow(sequence(Puzzle(), Riddle()), limits=Limits(guesses="1/day")))
    for _ in range(100):
        host = Host(here, user)
        host.next()
        assert [False, False, False] == [host.verify(answer).right for answer in ("cat", "cat", "fish")]
    host = Host(here, user)
    host.next()
    assert [True, True, False] == [host.verify(answer).right for answer in ("fish", "fish", "cat")]
    plain = Host(world(RIDDLE, ledger=here.ledger, clock=here.clock, random=SeededRandom("x")), KNOWN)
    plain.next()
    assert plain.verify("fish").right is True


def test_a_resend_is_never_evaluated_nor_charged():
    """Wanting a new code is no guess, even with the right code beside it."""
    host = asked(MAIL)
    for _ in range(30):
        assert host.verify(host.world.post.code, action="resend").right is False
    assert host.verify(host.world.post.code).right is True


def test_an_unknown_action_is_no_action():
    """Only `resend` is read; anything else leaves an answer an answer."""
    host = asked()
    assert host.verify("fish", action="skip").right is True


def test_a_dead_ledger_compares_nothing():
    """R-09: no charge, no comparison."""
    seen = []

    class Counting(Riddle):
        def verify(self, request):
            seen.append(request.answer)
            return super().verify(request)

    flow = Flow(Counting())
    host = asked(flow)
    dead = world(flow, ledger=DeadLedger())
    with pytest.raises(UnavailableError):
        Host(dead, KNOWN, pending=host.pending).verify("fish")
    assert [] == seen


@pytest.mark.parametrize(
    "verdict", [None, True, 1, "yes", Verdict(right=1), Verdict(right="true"), Verdict(right=False, reason=7)]
)
def test_nonsense_from_a_kind_is_a_wrong_answer(verdict):
    """Only Verdict(right=True) is right."""

    class Odd(Riddle):
        def verify(self, request):
            return verdict

    host = asked(Flow(Odd()))
    assert host.verify("fish").right is False
    assert "kind_failed" == host.world.events.events[-1].detail["reason"]


@pytest.mark.parametrize(("reason", "word"), [("possible_clone", "possible_clone"), ("no word!", "right"), ("", None)])
def test_a_right_answer_may_have_something_to_tell(reason, word):
    """It is told to the audit, once however often the host repeats, and the answer is right all the same."""

    class Telling(Riddle):
        def verify(self, request):
            return Verdict(right=True, reason=reason)

    host = asked(Flow(Telling()))
    assert [True, True] == [host.verify("fish").right for _ in range(2)]
    told = [event for event in host.world.events.events if event.name == "authn_login_notice"]
    assert [word] * (word is not None) == [event.detail["reason"] for event in told]


@pytest.mark.parametrize(
    "error", [ValueError("secret"), SystemExit(0), RecursionError(), MemoryError(), KeyboardInterrupt()]
)
def test_whatever_a_kind_raises_is_a_wrong_answer(error):
    """A plugin that raises is named in the audit by the error's type, never by its text."""

    class Broken(Riddle):
        def verify(self, request):
            raise error

    host = asked(Flow(Broken()))
    assert host.verify("fish").right is False
    assert f"kind_failed_{type(error).__name__}" == host.world.events.events[-1].detail["reason"]


class Down(Riddle):
    """A riddle whose store is down as often as *outages* says."""

    outages: ClassVar[list] = []

    def verify(self, request):
        if self.outages:
            raise UnavailableError("the store that knows 'fish' is down", reason=self.outages.pop(), code="E503")
        return super().verify(request)


@pytest.mark.parametrize("outages", [1, 2, 3])
@pytest.mark.parametrize(("again", "right"), [("fish", True), ("cat", False), ("first", False)])
def test_an_outage_in_a_kind_is_no_answer(outages, again, right):
    """Nothing was compared: it is UNAVAILABLE, the guess is given back, and the round takes the same or another answer."""
    Down.outages[:] = ["unreachable"] * outages
    host = asked(Flow(Down(), limits=Limits(guesses="1/day")))
    for _ in range(outages):
        with pytest.raises(UnavailableError) as raised:
            host.verify("first")
        assert ("unreachable", "E503", "UNAVAILABLE") == (raised.value.reason, raised.value.code, raised.value.text)
        assert "fish" not in str(raised.value)
    assert host.verify(again).right is right
    assert host.verify("another").right is False
    events = [(event.name, event.detail.get("reason")) for event in host.world.events.events]
    assert [("sys_call_failed", "unreachable")] * outages == events[:outages]
    assert "guesses_used_up" not in dict(events).values()


def test_an_outage_gives_a_messages_own_try_back():
    """Whatever paid for the answer is there again."""

    class DownMail(Mail):
        down: ClassVar[list] = [True]

        def verify(self, request):
            if self.down and self.down.pop():
                raise UnavailableError("down")
            return super().verify(request)

    here = world(Flow(DownMail(), limits=Limits(guesses="1/day")))
    host = Host(here, KNOWN)
    host.next()
    DownMail.down[:] = []
    host.answers("00000000")
    DownMail.down[:] = [True]
    with pytest.raises(UnavailableError):
        host.verify(here.post.code)
    assert IssueTokens() == host.answers(here.post.code)


def test_an_outage_of_a_repeat_gives_nothing_back():
    """The first call may have compared: the answer stays the one of its round, and it may be sent again."""
    Down.outages[:] = []
    host = asked(Flow(Down(), limits=Limits(guesses="1/day")))
    assert host.verify("cat").right is False
    Down.outages[:] = ["unreachable"]
    with pytest.raises(UnavailableError):
        host.verify("cat")
    assert host.verify("fish").right is False
    again = Host(host.world, KNOWN)
    again.next()
    assert again.verify("fish").right is False, "the guess is still charged"


class Paused(Riddle):
    """A riddle: whoever judges waits where *script* says, and then meets an outage or compares; *compared* lists the answers."""

    script: ClassVar[list] = []
    compared: ClassVar[list] = []

    def verify(self, request):
        down, meanwhile = self.script.pop(0)
        meanwhile()
        if down:
            raise UnavailableError("down")
        self.compared.append(request.answer)
        return super().verify(request)


@pytest.mark.parametrize("first_down", [False, True])
@pytest.mark.parametrize("second_down", [False, True])
@pytest.mark.parametrize("when", ["before the charge", "while the kind judges", "before it is forgiven", "after"])
def test_no_interleaving_of_two_calls_compares_without_a_charge(first_down, second_down, when):
    """Two calls of one event, and the second whole at each point of the first: what was compared, once or twice, is charged."""
    Paused.compared[:] = []

    class Between(MemoryLedger):
        """Lets the second call in before one of the first call's writes."""

        def charge(self, *given, **named):
            second("before the charge")
            return super().charge(*given, **named)

        def forgive(self, *given, **named):
            second("before it is forgiven")
            super().forgive(*given, **named)

    waiting = [when]

    def second(point):
        if waiting == [point]:
            waiting.clear()
            Paused.script.insert(0, (second_down, lambda: None))
            with suppress(UnavailableError):
                host.verify("cat")

    host = Host(world(Flow(Paused(), limits=Limits(guesses="1/day")), ledger=Between()), KNOWN)
    host.next()
    Paused.script[:] = [(first_down, lambda: second("while the kind judges"))]
    with suppress(UnavailableError):
        host.verify("cat")
    second("after")
    assert not waiting or not first_down
    compared = len(Paused.compared)
    later = Host(host.world, KNOWN)
    later.next()
    Paused.script[:] = [(False, lambda: None)]
    later.verify("dog")
    assert (compared == 0) or "dog" not in Paused.compared


def test_a_kind_sees_its_own_parameters_only():
    """No kind sees the engine's private parameters, and a missing expected value never matches."""
    seen = []

    class Looking(Riddle):
        def verify(self, request):
            seen.append((dict(request.private), request.matches(None, ""), request.matches("", "")))
            return super().verify(request)

    host = asked(Flow(Looking()))
    host.verify("fish")
    assert [({"digest": host.pending[0].private["digest"]}, False, False)] == seen


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30) | st.integers() | st.none(), max_size=15), st.text())
def test_no_private_parameters_make_verify_raise(private, answer):
    """Whatever stands there, the answer is wrong."""
    here = world(RIDDLE)
    assert here.engine.verify(AnswerRequest("pool_1", "client", KNOWN, answer, private)).right is False


def test_private_parameters_hold_nothing_to_steal():
    """L-04: the secret is in no parameter and no metadata, only a keyed digest of it."""
    host = asked(MAIL)
    code = host.world.post.code
    text = repr(host.pending[0]) + repr(dict(host.pending[0].private)) + host.pending[0].metadata + repr(host.world)
    assert code not in text
    assert "ann@example.com" not in text
    assert 64 == len(host.pending[0].private["digest"])


def test_every_bit_of_the_seal_counts():
    """S-11: flipping any character of the seal refuses the answer."""
    host = asked()
    seal = host.pending[0].private["seal"]
    for place in range(len(seal)):
        flipped = seal[:place] + ("0" if seal[place] != "0" else "1") + seal[place + 1 :]
        assert host.world.engine.verify(altered(host, seal=flipped)).right is False


def test_swapping_bytes_between_neighbouring_fields_breaks_the_seal():
    """S-12: fields are joined with their lengths, so text moved from one to the next is another seal."""
    host = asked()
    parameters, _ = read_private_parameters(host.pending[0].private)
    moved = altered(host, round=parameters.round[:-1], step=parameters.step)
    assert host.world.engine.verify(moved).right is False
    other = altered(host, digest=None, diges="t" + host.pending[0].private["digest"])
    assert host.world.engine.verify(other).right is False


def test_a_sink_that_fails_changes_nothing():
    """ASVS 5.0 16.5: the decision stands whatever the log does; without a sink there is none."""

    class Broken:
        def record(self, event):
            raise RuntimeError("full")

    host = asked()
    for audit in (Broken(), None):
        quiet = evolve(host.world.engine, audit=audit)
        assert quiet.verify(altered(host)).right is True


def test_an_event_holds_no_personal_data():
    """Audit events: the user as a keyed digest, the reference that the user saw, short facts."""
    host = asked(MAIL)
    host.answers("my wrong guess")
    host.answers(host.world.post.code)
    assert ["authn_code_sent", "authn_login_fail", "authn_login_successafterfail"] == host.world.events.names()
    text = repr(host.world.events.events)
    for canary in ("ann@example.com", "'ann'", ANN["sub"], host.world.post.code, "my wrong guess", KEY.hex()):
        assert canary not in text
    assert {host.pending[0].public["ref"]} == {event.ref for event in host.world.events.events}


def test_too_many_wrong_answers_end_with_their_own_event():
    """The end of a sign-in is told once, with its reason."""
    host = asked()
    for _ in range(3):
        host.answers("cat")
    assert ["authn_login_fail"] * 3 + ["authn_login_fail_max"] == host.world.events.names()


def test_a_weak_alphabet_is_refused():
    """A code needs at least two symbols, at most 256."""
    key = world(RIDDLE).engine.keyring.current
    for alphabet in ("", "a", "x" * 257):
        with pytest.raises(ConfigurationError, match="symbols"):
            key.choose("p", "s", alphabet, 4)
