"""Sessions are told in words and understood again, round by round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.sessions import session
from watchword import ConfigurationError, Flow, ReadRound, named, sequence
from watchword.algebra import derivative
from watchword.algebra.session_notation import HOST_WORDS, MAX_SESSION_TEXT, format_round, parse_session
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

HOSTS = (derivative.SRP_A, derivative.PASSWORD_VERIFIER, derivative.NEW_PASSWORD, *derivative.HOSTED)
# A step may have any name of this form but `select`, also that of a host round.
STEPS = st.lists(
    st.from_regex(r"[a-z][a-z0-9_]{1,8}", fullmatch=True) | st.sampled_from([*HOST_WORDS, "email_otp"]), unique=True
).filter(lambda names: "select" not in names and not any(name.startswith("step_") for name in names))


@st.composite
def told(draw):
    """Draw the names of a flow's steps and some rounds of it."""
    steps = draw(STEPS)
    kinds = [
        st.builds(ReadRound.host, st.sampled_from(HOSTS), right=st.booleans()),
        st.just(ReadRound.custom(derivative.SELECT, right=False)),
    ]
    if steps:
        answers = st.builds(ReadRound.custom, st.sampled_from(steps), right=st.booleans())
        resends = st.builds(lambda step: ReadRound.custom(step, right=False, use="resend"), st.sampled_from(steps))
        kinds += [answers, resends]
    return steps, tuple(draw(st.lists(st.one_of(kinds), max_size=8)))


@given(told())
def test_what_is_said_is_heard(case):
    """Every row of rounds, also where a step has the name of a host round, is the same after it was spoken."""
    steps, rounds = case
    assert rounds == parse_session(" ".join(map(format_round, rounds)), steps)


def test_a_session_is_spoken_as_it_is_written_everywhere():
    """The words of the documents, one by one."""
    words = "srp_a+ password_verifier+ sms_mfa+ select- email_otp- email_otp~ email_otp+"
    expected = (
        ReadRound("SRP_A", "", "answer", True),
        ReadRound("PASSWORD_VERIFIER", "", "answer", True),
        ReadRound("SMS_MFA", "", "answer", True),
        ReadRound("CUSTOM_CHALLENGE", "select", "choice", False),
        ReadRound("CUSTOM_CHALLENGE", "email_otp", "answer", False),
        ReadRound("CUSTOM_CHALLENGE", "email_otp", "resend", False),
        ReadRound("CUSTOM_CHALLENGE", "email_otp", "answer", True),
    )
    assert expected == parse_session(words, ["email_otp"])
    assert words.split() == [format_round(read) for read in expected]


def test_the_hosts_email_otp_and_a_step_of_that_name_are_two_words():
    """Cognito's own EMAIL_OTP round has the name of our kind in upper case."""
    ours, hosts = parse_session("email_otp+ host_email_otp+", ["email_otp"])
    assert ReadRound.custom("email_otp", right=True) == ours
    assert ReadRound.host("EMAIL_OTP") == hosts


def test_a_step_with_the_name_of_a_host_round_is_not_taken_for_it():
    """Otherwise a spoken session would prove a password that nobody gave."""
    step = ReadRound.custom("password_verifier", right=True)
    assert "step_password_verifier+" == format_round(step)
    assert (step,) == parse_session("step_password_verifier+", ["password_verifier"])
    assert (ReadRound.host("PASSWORD_VERIFIER"),) == parse_session("password_verifier+", ["password_verifier"])


def test_words_lead_a_flow_to_where_its_session_leads():
    """Folding what was heard comes to the same state as judging the session list of the same words."""
    flow = Flow(sequence(Srp(), EmailOtp(), named("again", EmailOtp())))
    words = "srp_a+ password_verifier+ new_password_required+ sms_mfa+ email_otp- email_otp~ email_otp+ again-"
    left = flow
    for read in parse_session(words, flow.steps):
        left = left.after(read)
    assert derivative.evaluate_session(session(words, flow), [flow.program], {}, "", True, None, None)[1] == left.state


@pytest.mark.parametrize("result", [True, False, None, 1, "true"])
def test_only_true_is_spoken_as_right(result):
    """Also for rounds that no host writes, and for names that nobody knows."""
    sign = "+" if result is True else "-"
    assert f"code{sign}" == format_round(ReadRound(derivative.CUSTOM, "code", "answer", result))
    assert f"passkey{sign}" == format_round(ReadRound("PASSKEY", "", "answer", result))


@pytest.mark.parametrize(
    "word", ["code", "code*", "+", "cod+", "CODE+", "srp_a~", "SRP_A+", "email_otp+", "step_code+", "step_srp_a+", "é+"]
)
def test_a_word_that_is_none_is_refused_with_all_that_there_are(word):
    """No sign, another sign, no name, an unknown name, a resend of a host round."""
    with pytest.raises(ConfigurationError) as refused:
        parse_session(f"code+ {word} code-", ["code"])
    assert repr(word) in str(refused.value)
    assert "code, select, select:code, srp_a, password_verifier" in str(refused.value)


def test_a_session_that_is_far_too_long_is_refused():
    """Without reading it; the longest that is allowed is read."""
    longest = "code- " * (MAX_SESSION_TEXT // 6)
    assert MAX_SESSION_TEXT // 6 == len(parse_session(longest, ["code"]))
    with pytest.raises(ConfigurationError, match=f"has {10**6} characters, {MAX_SESSION_TEXT} at most"):
        parse_session("+" * 10**6, ["code"])
