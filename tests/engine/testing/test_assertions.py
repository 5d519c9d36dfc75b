"""`assert_flow`: sound flows pass, and the failure of an unsound one can be pasted into a test."""

import pytest

from kit.checked_flows import PASSKEY, PIN
from watchword import ConfigurationError, Flow, IssueTokens, attribute, client, one_of, sequence, when
from watchword.testing import assert_flow, decision_after
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

BOTH = Flow(sequence(Srp(), EmailOtp(length=6)), name="both")


def test_a_sound_flow_passes():
    """With what it proves required, and without; warnings and notes are no errors."""
    assert_flow(BOTH)
    assert_flow(BOTH, "knowledge and possession", session_minutes=3)
    assert_flow(Flow(EmailOtp()))


def test_an_unsound_flow_fails_with_the_shortest_session_that_shows_it():
    """As a call of `decision_after`, with the attributes and the app client that the conditions need."""
    tier, kiosk = attribute("custom:tier", "it's gold"), client("kiosk")
    for second in (Captcha(), when(tier, Captcha(), PIN), when(kiosk, when(tier, Captcha(), PIN), PASSKEY)):
        flow = Flow(one_of(sequence(Srp(), EmailOtp(length=6)), second), name="acme", accept={"WW107": "here"})
        with pytest.raises(AssertionError) as failure:
            assert_flow(flow)
        told = str(failure.value)
        assert told.startswith("flow 'acme' is not sound: 1 error\n  WW101 tokens are issued although")
        (pasted,) = [line.partition("shortest session: ")[2] for line in told.splitlines() if "shortest" in line]
        assert IssueTokens() == eval(pasted, {"decision_after": decision_after, "flow": flow})


def test_every_error_is_listed():
    """A flow that is wrong in two ways is told both."""
    with pytest.raises(AssertionError, match=r"2 errors\n  WW101 .*\n.*captcha\+'\)\n  WW102 .*possession"):
        assert_flow(Flow(Captcha()), "possession")


def test_what_is_required_must_be_proved_on_every_path():
    """A code alone is no password."""
    with pytest.raises(AssertionError, match=r"WW102 .*\n +shortest session: decision_after\(flow, 'email_otp\+'\)"):
        assert_flow(Flow(EmailOtp()), "knowledge")


def test_the_sessions_validity_counts():
    """A resend that comes after three minutes comes too late, and after fifteen in time."""
    flow = Flow(EmailOtp(resend_after=200))
    with pytest.raises(AssertionError, match="WW106"):
        assert_flow(flow)
    assert_flow(flow, session_minutes=15)


def test_what_cannot_be_read_is_no_verdict():
    """A misspelt requirement is a mistake of the test."""
    with pytest.raises(ConfigurationError, match="mailbox"):
        assert_flow(BOTH, "mailbox")
