"""The trace of a call tells a session by the signs of `explain`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.sessions import results, session
from watchword import Flow, sequence
from watchword.algebra.session_notation import HOST_WORDS
from watchword_adapters.cli.local.call_recording import TriggerCall, trigger_lines
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

FLOW = Flow(sequence(Srp(), Captcha(), EmailOtp()))
WORDS = st.lists(st.sampled_from([f"{step}{sign}" for step in ("captcha", "email_otp") for sign in "+-~!"]), max_size=6)
ANSWERED = {"issueTokens": False, "failAuthentication": True}


def told(words, **request):
    """Return the line of Define for the session that *words* tell."""
    rounds = results(session(" ".join(words), FLOW))
    (line,) = trigger_lines(TriggerCall("define", {"request": {"session": rounds, **request}}, ANSWERED))
    return line


@given(WORDS)
def test_each_round_has_the_sign_that_explain_takes(words):
    """Right, wrong, a resend, a step that could not be asked; of the last round the action tells."""
    words = ["srp_a+", "password_verifier+", *words]
    expected = " ".join(HOST_WORDS.get(word[:-1], word[:-1]) + word[-1] for word in words)
    action = {"watchword_action": "resend"} if words[-1].endswith("~") else {}
    assert f"define  session [{expected}]  ->  fail" == told(words, clientMetadata=action)


@pytest.mark.parametrize(
    "metadata", [None, {}, [], "resend", {"watchword_action": None}, {"watchword_action": "other"}]
)
def test_without_the_action_the_last_round_is_an_answer(metadata):
    """Whatever the client sent in its place."""
    assert "define  session [captcha+ email_otp-]  ->  fail" == told(
        ["captcha+", "email_otp-"], clientMetadata=metadata
    )


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("resend", "verify  a resend is asked for  ->  no answer"),
        ("", "verify  answer 123  ->  wrong"),
    ],
)
def test_a_resend_is_no_wrong_answer(action, line):
    """Verify says false to Cognito, and nothing was compared."""
    request = {"challengeAnswer": "123", "clientMetadata": {"watchword_action": action}}
    assert [line] == trigger_lines(TriggerCall("verify", {"request": request}, {"answerCorrect": False}))
