"""The commands know that a choice can be answered for an option that it offers."""

import io
import json

import pytest

from kit.engine_host import ANN, Host, world
from kit.offering_flows import OFFERING
from watchword import User
from watchword_adapters.cli import main
from watchword_adapters.cli.local.call_recording import TriggerCall, trigger_lines

FLOW = "kit.offering_flows:OFFERING"


def verify_event(**said):
    """Return an event of Verify for the first select round of the flow."""
    host = Host(world(OFFERING), User("ann", ANN))
    return {
        "version": "1",
        "triggerSource": "VerifyAuthChallengeResponse_Authentication",
        "region": "us-east-1",
        "userPoolId": "pool_1",
        "userName": "ann",
        "callerContext": {"awsSdkVersion": "1", "clientId": "client"},
        "request": {
            "userAttributes": ANN,
            "privateChallengeParameters": dict(host.next().private),
            "challengeAnswer": "fish",
            "clientMetadata": {f"watchword_{name}": text for name, text in said.items()},
        },
        "response": {},
    }


@pytest.mark.parametrize(
    ("said", "decision", "told"),
    [
        ({"action": "answer", "choice": "card"}, "undecided", "step card of kind card, made "),
        ({"action": "answer", "choice": "riddle"}, "wrong", "a choice was asked for"),
        ({"choice": "card"}, "wrong", "a choice was asked for"),
    ],
)
def test_replay_tells_an_answer_to_an_offer_from_a_choice(said, decision, told, tmp_path, capsys):
    """By what Create wrote and the client said."""
    file = tmp_path / "event.json"
    file.write_text(json.dumps(verify_event(**said)))
    assert 0 == main(["replay", FLOW, str(file), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert decision == shown["decision"]
    assert told in shown["reason"]


def test_a_trace_names_the_option_that_was_answered():
    """Of Verify and of Define, in the words of `explain`."""
    event = verify_event(action="answer", choice="card")
    (line,) = trigger_lines(TriggerCall("verify", event, {"answerCorrect": True}))
    assert "verify  answer fish to card, which was offered  ->  right" == line
    plain = verify_event(action="answer", choice="riddle")
    (line,) = trigger_lines(TriggerCall("verify", plain, {"answerCorrect": False}))
    assert "verify  answer fish  ->  wrong" == line
    metadata = Host(world(OFFERING), User("ann", ANN)).next().metadata
    rounds = [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": metadata}]
    request = {"session": rounds, "clientMetadata": {"watchword_action": "answer", "watchword_choice": "card"}}
    (line,) = trigger_lines(TriggerCall("define", {"request": request}, {"issueTokens": True}))
    assert "define  session [select:card+]  ->  issue tokens" == line


def test_try_answers_an_offer(monkeypatch, capsys):
    """With the option and the answer in one line; what is not offered is no answer."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n:answer riddle fish\n:answer card fish\n"))
    assert 0 == main(["try", FLOW])
    out = capsys.readouterr().out
    assert "offered to be answered at once: card" in out
    assert "Signed in." in out


def test_explain_takes_an_answered_choice(capsys):
    """The word that a trace tells."""
    assert 0 == main(["explain", FLOW, "--session", "select:card- card+"])
    assert "answered card at once: wrong" in capsys.readouterr().out


def test_a_driven_sign_in_answers_an_offer(flow_user):
    """And fails the test where there is none."""
    flow_user(OFFERING).signs_in().answers_offer("card", "fish").gets_tokens()
    signed = flow_user(OFFERING).signs_in().answers_offer("other", "fish").is_asked("other", attempts_left=2)
    assert "select:other-" == signed.session
    signed.answers("bird").gets_tokens()
    with pytest.raises(AssertionError, match="'riddle' is not offered here"):
        flow_user(OFFERING).signs_in().answers_offer("riddle", "fish")
