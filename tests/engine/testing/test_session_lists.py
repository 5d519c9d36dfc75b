"""Sessions spoken and drawn: reachable ones are a truthful host's, hostile ones are never worth tokens."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from kit.random_flows import APP, TIER, Password, Quiz, flows
from oracles.block_player import decision as played
from watchword import ConfigurationError, Flow, IssueTokens, Present, Round, all_of, named, sequence, when
from watchword.algebra import derivative
from watchword.testing import decision_after, events, session_from_text, sessions
from watchword_adapters.aws_lambda import triggers
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

BOTH = Flow(sequence(Srp(), EmailOtp(length=6)), name="both")
TIERED = Flow(sequence(Password(), when(TIER, named("gold", Quiz())), when(APP, named("app", Quiz())), Quiz()))
WIDE = Flow(all_of(named("one", Quiz()), named("two", Quiz()), Quiz()))
SOME = settings(max_examples=150, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
KEY = bytes(range(32))
FINDING = settings(max_examples=3000, phases=[Phase.generate])


def tokens(flow, rounds):
    """Whether *flow* issues tokens after *rounds*, for somebody without attributes."""
    return isinstance(decision_after(flow, rounds), IssueTokens)


# Spoken


def test_words_become_the_rounds_of_a_host():
    """Host rounds carry no metadata; the flow's own carry what its Create writes, with the end of the round before."""
    rounds = session_from_text(BOTH, "srp_a+ password_verifier+ email_otp~ email_otp- email_otp+")
    assert (Round("SRP_A", True), Round("PASSWORD_VERIFIER", True)) == rounds[:2]
    assert [False, False, True] == [each.result for each in rounds[2:]]
    read = [derivative.read_metadata(each.metadata) for each in rounds[2:]]
    assert ["-", "resend", "answer"] == [fields["before"] for fields in read]
    assert {BOTH.fingerprint} == {fields["flow"] for fields in read}


def test_conditions_are_recorded_as_the_user_is():
    """Attributes and app client decide them; of somebody unknown only the client counts."""
    told = {"attributes": {"custom:tier": "gold"}, "client": "app-1"}
    for known, facts in ((True, "11"), (False, "01")):
        (last,) = session_from_text(TIERED, "quiz+", known=known, **told)
        assert facts == derivative.read_metadata(last.metadata)["facts"]


def test_a_word_that_is_none_is_refused():
    """The message lists what there is."""
    with pytest.raises(ConfigurationError, match="email_otp"):
        session_from_text(BOTH, "emial_otp+")


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ("", "fail"),
        ("srp_a+", Present("PASSWORD_VERIFIER", host=True)),
        ("srp_a+ password_verifier+", Present("email_otp")),
        ("srp_a+ password_verifier+ email_otp~ email_otp~ email_otp~", Present("email_otp")),
        ("srp_a+ password_verifier+ email_otp- email_otp- email_otp-", "fail"),
        ("srp_a+ password_verifier+ email_otp+", IssueTokens()),
        ("email_otp+", "fail"),
    ],
)
def test_a_session_in_words_is_judged(words, decision):
    """As Define judges it; a resend in the last place is told by the client, as a host would."""
    made = decision_after(BOTH, words)
    assert decision == made or (decision == "fail" and "FailAuthentication" in repr(made))


def test_a_session_is_judged_for_the_user_it_is_of():
    """Conditions go by the user's attributes, and nobody unknown gets tokens."""
    gold = {"custom:tier": "gold"}
    words = "srp_a+ password_verifier+"
    assert Present("gold") == decision_after(TIERED, words, attributes=gold)
    assert Present("quiz") == decision_after(TIERED, words)
    assert IssueTokens() == decision_after(TIERED, f"{words} quiz+")
    assert IssueTokens() != decision_after(TIERED, f"{words} quiz+", known=False)


# Drawn


@SOME
@given(st.data())
def test_no_hostile_session_of_any_flow_gets_tokens(data):
    """Neither from the interpreter nor from the second one that shares no code with it."""
    flow = data.draw(flows(conditions=False))
    rounds = data.draw(sessions(flow, hostile=True))
    assert not tokens(flow, rounds)
    assert ("tokens",) != played(flow, [(each.name, each.result, each.metadata) for each in rounds])


@SOME
@given(st.data())
def test_no_hostile_event_gets_tokens_from_the_trigger(data):
    """The same through Cognito's event, with conditions, client metadata and users who do not exist."""
    flow = data.draw(flows())
    event = data.draw(events(flow, hostile=True))
    response = triggers(flow, key=KEY, courier="console:", environment={}).define(event)["response"]
    assert response["issueTokens"] is False


@SOME
@given(st.data())
def test_a_reachable_session_is_understood(data):
    """Whatever a truthful host may have, no round of it is foreign to the flow."""
    flow = data.draw(flows())
    rounds = data.draw(sessions(flow, hostile=False, attributes={"custom:tier": "gold"}, client="app-1"))
    decision = decision_after(flow, rounds, attributes={"custom:tier": "gold"}, client="app-1")
    assert getattr(decision, "reason", "") not in {
        *("broken", "foreign_metadata", "mixed_sessions", "facts_changed", "unknown_flow")
    }


@pytest.mark.parametrize("flow", [BOTH, TIERED, WIDE], ids=["both", "tiered", "wide"])
def test_the_interesting_sessions_are_drawn(flow):
    """Tokens are reached among the reachable; among all, long ones, failed ones and unfinished ones."""
    drawn = sessions(flow, hostile=False)
    find(drawn, lambda rounds: tokens(flow, rounds), settings=FINDING)
    find(drawn, lambda rounds: any(each.result is False for each in rounds), settings=FINDING)
    find(sessions(flow), lambda rounds: tokens(flow, rounds), settings=FINDING)
    with pytest.raises(NoSuchExample):
        find(sessions(flow, hostile=True), lambda rounds: tokens(flow, rounds), settings=settings(max_examples=300))


def test_a_drawn_session_is_bounded():
    """However long the flow is."""
    flow = Flow(sequence(*(named(f"s{number}", Quiz()) for number in range(40))))
    assert 24 == len(find(sessions(flow, hostile=False), lambda rounds: len(rounds) >= 24, settings=FINDING))


def hostile_in(flow, is_so):
    """Find a hostile session of which *is_so*."""
    return find(sessions(flow, hostile=True), is_so, settings=FINDING)


def written(read):
    """Return the fields of a round's metadata."""
    return derivative.read_metadata(read.metadata) or {}


def test_every_sort_of_attack_is_drawn():
    """Foreign rounds, bare SRP_A, a code without the password, odd results, doubles, and forged metadata."""
    passing = session_from_text(BOTH, "srp_a+ password_verifier+ email_otp+")
    names = ["SRP_A", "CUSTOM_CHALLENGE"]
    hostile_in(BOTH, lambda rounds: any(each.name == "PASSKEY" for each in rounds))
    hostile_in(BOTH, lambda rounds: rounds == passing[:1])
    hostile_in(BOTH, lambda rounds: [each.name for each in rounds] == names and rounds[1].result is True)
    hostile_in(BOTH, lambda rounds: any(each.result == "true" for each in rounds))
    hostile_in(BOTH, lambda rounds: [each.name for each in rounds].count("PASSWORD_VERIFIER") == 2)
    hostile_in(BOTH, lambda rounds: "0000000000000000" in {written(each).get("flow") for each in rounds})
    hostile_in(BOTH, lambda rounds: any(each.name == "PASSWORD_VERIFIER" and not each.result for each in rounds))


@settings(max_examples=100)
@given(events(TIERED))
def test_events_are_cognitos(event):
    """JSON, with the fields that Define is given, and for nobody else's trigger."""
    assert event == json.loads(json.dumps(event))
    assert {"userAttributes", "session", "userNotFound"} <= event["request"].keys()
    assert event["triggerSource"].startswith("DefineAuthChallenge")


def test_events_reach_every_outcome_of_the_conditions():
    """With and without each attribute and client; and users who do not exist, among the hostile alone."""

    def seen(event):
        request = event["request"]
        return ("custom:tier" in request["userAttributes"], event["callerContext"]["clientId"] == "app-1")

    for outcome in ((False, False), (True, False), (False, True), (True, True)):
        find(events(TIERED, hostile=False), lambda event, outcome=outcome: seen(event) == outcome, settings=FINDING)
    find(
        events(TIERED, hostile=True),
        lambda event: event["request"]["userNotFound"] and event["request"]["session"],
        settings=FINDING,
    )
    with pytest.raises(NoSuchExample):
        find(
            events(TIERED, hostile=False),
            lambda event: event["request"]["userNotFound"],
            settings=settings(max_examples=100),
        )


def test_a_flow_that_takes_anything_would_be_found_out():
    """The strategies have teeth: a judge that reads a bare SRP_A as a password gives tokens to a hostile session."""

    def careless(rounds):
        asked = [each.name for each in rounds if each.result]
        return "SRP_A" in asked and asked[-1] == "CUSTOM_CHALLENGE"

    hostile_in(BOTH, careless)


def test_nobody_needs_hypothesis_who_draws_nothing():
    """The kit loads it when a strategy is asked for."""
    program = "import sys, watchword.testing; assert 'hypothesis' not in sys.modules; print('fine')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "fine\n" == done.stdout, done.stderr
