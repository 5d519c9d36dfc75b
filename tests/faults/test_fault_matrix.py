"""The fault matrix: each fault at each call of each port, before, during and after it, in Create and in Verify.

Whatever fails, nothing is lost for good, nothing is sent twice, nobody gets in who should not, the client is told one of
the fixed texts, and the host has its answer in time.
"""

from contextlib import suppress
from functools import partial

import pytest
from attrs import evolve

from kit.faults import (
    COURIER_FAULTS,
    FLOWS,
    LEDGER_FAULTS,
    MOMENTS,
    JumpingClock,
    Plan,
    PoorRandom,
    RaisingSink,
    Report,
    Trial,
    host_repeats,
    inject_into_create,
)
from watchword import ConfigurationError, Verdict, named, sequence
from watchword.errors import UnavailableError
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.sample_kinds import SampleQuestion
from watchword_adapters.attacks.families.plugins import Spoilt
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.ledgers.memory import MemoryLedger

pytestmark = pytest.mark.exhaustive

JUMPS = (-3600, 3600, -86_400, 86_400, -1, 0.5)
REPORT = Report()


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what all of it came to."""
    yield
    print(f"\nfaults: {REPORT.line()}")


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("fault", LEDGER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_ledger_faults_in_create(make_ledger, fault, moment, flow):
    """At each call of the ledger in Create, of a first and of another code."""
    for resend in (False, True):
        for call in range(5):
            inject_into_create(
                REPORT, make_ledger, Plan(fault, "ledger", call, moment, LEDGER_FAULTS[fault]), flow, resend
            )

    assert [] == REPORT.take()


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("fault", COURIER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_courier_faults_in_create(make_ledger, fault, moment, flow):
    """Refused, lost on the way, accepted without an answer, slower than there is time."""
    make = COURIER_FAULTS[fault]
    if moment != "before" and getattr(make(), "undelivered", False):
        make = COURIER_FAULTS["no answer"]  # what was accepted is never called undelivered
    for resend in (False, True):
        inject_into_create(REPORT, make_ledger, Plan(fault, "courier", 0, moment, make), flow, resend)

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", LEDGER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("right", [True, False])
def test_ledger_faults_in_verify(make_any_ledger, fault, moment, right):
    """At each call in Verify; the host calls again, and the first answer is charged once and judged once."""
    for call in range(2 if right else 1):
        where = f"{fault}, verify {right}, {call} {moment}"
        trial = Trial(REPORT, where, "code", make_any_ledger)
        trial.timed(trial.begin)
        one, arena = trial.visit, trial.arena
        answer = one.right if right else wrong_answer(one.right, arena.draw)
        private = dict(one.private)
        trial.plan(Plan(fault, "ledger", call, moment, LEDGER_FAULTS[fault]))
        judged = len(arena.notes.judged)
        answers = []
        trial.timed(partial(trial.shows, private, answer, answers))
        trial.expect(answers == [False] or right, "fail-open")
        if call == 0:
            trial.expect(len(arena.notes.judged) == judged, "uncharged")
        trial.heal()
        trial.ends_well(private, answer, right=right)

    assert [] == REPORT.take()


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_clock_that_jumps_inside_a_call(make_ledger, seconds):
    """At each reading, in Create and in Verify: no longer life, no bigger budget, and it passes."""
    for call in range(14):
        trial = Trial(
            REPORT, f"a jump of {seconds} s at {call}", "code", make_ledger, clock=JumpingClock(call, seconds)
        )
        trial.timed(trial.begin)
        if trial.visit.public:
            one = trial.visit
            trial.timed(partial(one.answer, wrong_answer(one.right, trial.arena.draw)))
            trial.expect(not one.tokens, "fail-open")
            if one.public:
                trial.timed(lambda one=one: one.answer(one.right or ""))
        # A clock that was a day ahead has filled the windows of that day; otherwise the next sign-in goes well.
        trial.recovers(wait=61 if seconds > -3600 else 90_000)

    assert [] == REPORT.take()


@pytest.mark.parametrize("how", ["raises", "short", "none"])
def test_randomness_that_fails(make_ledger, how):
    """No other source is taken in its place; the call ends, and the next one goes well."""
    for call in range(4):
        where = f"no randomness: {how} at {call}"
        trial = Trial(REPORT, where, "code", make_ledger, random=lambda inner, call=call: PoorRandom(inner, call, how))
        trial.timed(trial.begin)
        trial.recovers()

    assert [] == REPORT.take()


@pytest.mark.parametrize(
    "error", [ValueError, KeyError, OSError, SystemExit, KeyboardInterrupt, RecursionError, MemoryError, GeneratorExit]
)
@pytest.mark.parametrize("part", ["create", "verify"])
def test_kinds_that_fail(make_ledger, error, part):
    """Contained; nothing is sent for what a kind could not make, and nobody gets in."""
    broken = [True]

    def spoil(kind):
        def fails(request):
            if broken[0]:
                raise error("words that nobody should read")
            return getattr(kind, part)(request)

        return Spoilt(kind, fails if part == "create" else None, fails if part == "verify" else None)

    for flow in FLOWS:
        broken[0] = True
        trial = Trial(REPORT, f"{error.__name__} in {part}", flow, make_ledger, spoil=spoil)
        trial.timed(trial.begin)
        if part == "create":
            trial.expect(not trial.post.accepted and not trial.visit.public, "fail-open")
        elif trial.visit.public:
            one = trial.visit
            trial.timed(lambda one=one: one.answer(one.right or ""))
            trial.expect(not one.tokens, "fail-open")
        broken[0] = False
        trial.recovers(wait=61)

    assert [] == REPORT.take()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("right", [True, False])
def test_a_kind_that_is_unavailable_in_verify(make_any_ledger, times, right):
    """An outage of what a kind compares with: the host is told, nothing is charged, and the answer counts later."""
    down = [True] * times

    def spoil(kind):
        def fails(request):
            if down:
                down.pop()
                raise UnavailableError("words that nobody should read")
            return kind.verify(request)

        return Spoilt(kind, None, fails)

    trial = Trial(REPORT, f"unavailable {times} {right}", "code", make_any_ledger, spoil=spoil)
    trial.timed(trial.begin)
    one = trial.visit
    private, answers = dict(one.private), []
    answer = one.right if right else wrong_answer(one.right, trial.arena.draw)
    for _ in range(times):
        trial.timed(partial(trial.shows, private, answer, answers))
    trial.expect(not any(answers), "fail-open")
    trial.ends_well(private, answer, right=right)

    assert [] == REPORT.take()


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_ledger_that_fails_while_an_outage_is_forgiven(make_any_ledger, at, moment):
    """The charge stays or is gone, as a whole; the right answer is right as soon as both are back."""
    down = [True]

    def spoil(kind):
        def fails(request):
            if down:
                down.pop()
                raise UnavailableError("down")
            return kind.verify(request)

        return Spoilt(kind, None, fails)

    trial = Trial(REPORT, f"forgiven {at} {moment}", "code", make_any_ledger, spoil=spoil)
    trial.timed(trial.begin)
    private, right, answers = dict(trial.visit.private), trial.visit.right, []
    trial.plan(Plan("throttled", "ledger", at, moment, lambda: UnavailableError("throttled")))
    trial.timed(partial(trial.shows, private, right, answers))
    trial.expect(not any(answers), "fail-open")
    trial.heal()
    down.clear()
    trial.ends_well(private, right, right=True)

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", LEDGER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("right", [True, False])
def test_a_ledger_that_fails_while_a_repeat_is_recorded(make_any_ledger, fault, moment, right):
    """At each call of a host's repeat: what was judged stays judged, and the right answer is right again."""
    for call in range(2 if right else 1):
        where = f"{fault}, repeat {right}, {call} {moment}"
        trial = Trial(REPORT, where, "code", make_any_ledger)
        trial.timed(trial.begin)
        answer = trial.visit.right if right else wrong_answer(trial.visit.right, trial.arena.draw)
        private, first, repeated = dict(trial.visit.private), [], []
        trial.timed(partial(trial.shows, private, answer, first))
        trial.expect(first == [right], "lost" if right else "fail-open")
        trial.plan(Plan(fault, "ledger", call, moment, LEDGER_FAULTS[fault]))
        trial.timed(partial(trial.shows, private, answer, repeated))
        trial.expect(right or not any(repeated), "fail-open")
        trial.heal()
        trial.ends_well(private, answer, right=right)

    assert [] == REPORT.take()


@pytest.mark.parametrize("fault", LEDGER_FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("right", [True, False])
def test_a_repeat_that_fails_to_be_recorded_while_the_first_call_is_under_way(make_any_ledger, fault, moment, right):
    """The first call ends in an outage and forgives: recorded or not, the repeat leaves the round to be judged."""
    meanwhile = []

    def spoil(kind):
        def fails(request):
            if meanwhile:
                meanwhile.pop()()
                raise UnavailableError("down")
            return kind.verify(request)

        return Spoilt(kind, None, fails)

    trial = Trial(REPORT, f"{fault}, overlapping {right} {moment}", "code", make_any_ledger, spoil=spoil)
    trial.timed(trial.begin)
    answer = trial.visit.right if right else wrong_answer(trial.visit.right, trial.arena.draw)
    private, answers = dict(trial.visit.private), []

    def repeats():
        trial.plan(Plan(fault, "ledger", 0, moment, LEDGER_FAULTS[fault]))
        with suppress(Exception):
            trial.shows(private, answer, answers)
        trial.heal()

    meanwhile.append(repeats)
    # The repeat may use up the time of both.
    trial.timed(partial(trial.shows, private, answer, answers), late=7)
    trial.expect(not any(answers), "fail-open")
    trial.ends_well(private, answer, right=right)

    assert [] == REPORT.take()


@pytest.mark.parametrize("answer", [None, True, "right", Verdict(right=1), {"right": True}])
def test_kinds_that_answer_nonsense(make_ledger, answer):
    """Of the wrong type is wrong."""
    trial = Trial(REPORT, "nonsense", "code", make_ledger, spoil=lambda kind: Spoilt(kind, None, lambda _: answer))
    trial.timed(trial.begin)
    one = trial.visit
    trial.timed(lambda: one.answer(one.right or ""))
    trial.expect(not one.tokens, "fail-open")

    assert [] == REPORT.take()


def test_a_sink_that_fails_changes_nothing(make_ledger):
    """What cannot be written down happens all the same."""
    for flow in FLOWS:
        trial = Trial(REPORT, "a sink that raises", flow, make_ledger, audit=RaisingSink())
        trial.recovers()

    assert [] == REPORT.take()


@pytest.mark.parametrize("when", ["one after the other", "overlapping", "after the lease"])
def test_create_called_three_times(make_any_ledger, when):
    """One mail and one code, as long as the lease; after it another sign-in has its own."""
    trial = Trial(REPORT, f"two at once, {when}", "code", make_any_ledger)
    claims = []
    if when == "overlapping":
        # The second and third call come while the first one sends.
        send, inner = trial.post.send, []

        def sending(message, within):
            if not inner:
                inner.append(True)
                event = trial.arena.event("create", trial.arena.person(), {"session": []})
                for _ in range(2):
                    made = trial.arena.call("create", event)
                    claims.append(made["privateChallengeParameters"]["claim"])
            return send(message, within)

        trial.post.send = sending
    trial.timed(trial.begin)
    claims.append(trial.visit.private["claim"])
    if when != "overlapping":
        for _ in range(2):
            if when == "after the lease":
                trial.clock.advance(17)
            claims.append(host_repeats(trial.visit))
    trial.judged()
    sent = 3 if when == "after the lease" else 1
    trial.expect(len(set(claims)) == sent, "lost")
    trial.expect(len(trial.post.accepted) == sent, "sent twice")

    assert [] == REPORT.take()


@pytest.mark.parametrize("seconds", [600, 3600])
def test_a_function_that_is_frozen_between_two_calls(make_ledger, seconds):
    """The time that passed is seen: the call ends, nothing is sent twice, and the next one goes well."""
    for call in range(3):
        trial = Trial(REPORT, f"frozen for {seconds} s at {call}", "code", make_ledger)
        inner = trial.ledger.inner

        class Frozen:
            calls = 0

            def __getattr__(self, name, inner=inner, call=call, clock=trial.clock):
                def called(*given, **named):
                    Frozen.calls += 1
                    answer = getattr(inner, name)(*given, **named)
                    if Frozen.calls == call + 1:
                        clock.advance(seconds)
                    return answer

                return called

        trial.ledger.inner = Frozen()
        trial.timed(trial.begin, late=seconds + 3.5)
        trial.recovers()

    assert [] == REPORT.take()


@pytest.mark.parametrize(
    "settings", [{"key": None}, {"key": b"short"}, {"key": b"\0" * 32}, {"key": "no base64 at all!"}, {"courier": None}]
)
def test_a_host_that_is_half_set_up_does_not_start(settings):
    """One error when the triggers are made, which names what is missing and shows none of it."""
    given = {"key": bytes(range(32)), "courier": object(), "ledger": MemoryLedger(), "environment": {}, **settings}
    with pytest.raises(ConfigurationError) as raised:
        triggers(FLOWS["code"], **given)
    REPORT.counts["injections"] += 1

    assert "\n" not in str(raised.value)
    assert "no base64 at all!" not in str(raised.value)


def test_two_versions_serve_one_session(make_ledger):
    """A session that one version began is ended by the other, forward and back, as long as each knows both flows."""
    trial = Trial(REPORT, "two versions", "code", make_ledger)
    arena = trial.arena
    changed = evolve(arena.flow, body=sequence(arena.flow.body, named("second", SampleQuestion())))
    new = arena.made_with(flow=changed, previous=[arena.flow])
    trial.timed(trial.begin)
    one = trial.visit
    request = {"privateChallengeParameters": dict(one.private), "challengeAnswer": one.right}
    right = arena.call("verify", arena.event("verify", one.person, request), new)["answerCorrect"]
    trial.expect(right, "lost")
    one.rounds.append(
        {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": right, "challengeMetadata": one.metadata}
    )
    with suppress(Exception):
        decided = arena.call("define", arena.event("define", one.person, {"session": one.rounds}), new)
        trial.expect(decided["issueTokens"] is True, "lost")
    # And a session that the new version began means nothing to one that does not know it.
    arena.flows = (arena.flow,)
    fresh = new.create(arena.event("create", arena.person("bob"), {"session": []}), None)["response"]
    session = [
        {
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": True,
            "challengeMetadata": fresh["challengeMetadata"],
        }
    ]
    trial.expect(not arena.issues(arena.person("bob"), session), "fail-open")

    assert [] == REPORT.take()


def test_as_much_was_injected_as_is_promised():
    """Four hundred at least, when the whole of this file runs."""
    if REPORT.counts["injections"] < 100:
        pytest.skip("only a part of this file ran")

    assert REPORT.counts["injections"] >= 400
    assert {"injections"} == {name for name, count in REPORT.counts.items() if count}
