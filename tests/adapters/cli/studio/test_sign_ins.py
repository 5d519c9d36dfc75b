"""Where a sign-in at the studio is, and what is right there now: by session, at the pool's clock, as `check` assumes."""

from types import SimpleNamespace

import pytest

from kit.studio import answered, begun, called
from watchword_adapters.cli.local import forward_clock
from watchword_adapters.cli.studio.workshop import PASSWORD, Workshop
from watchword_adapters.clock import SystemRandom
from watchword_adapters.srp import SrpClient
from watchword_adapters.userpool import ClientError

TWO = 'name = "two"\n[[steps]]\nkind = "captcha"\n[[steps]]\nkind = "email_otp"\n'
CHOICE = 'name = "either"\n[[steps]]\none_of = [{kind = "email_otp"}, {kind = "sms_otp", countries = ["+49"]}]\n'
FALLBACK = 'name = "fall"\n[[steps]]\nfallback = [{kind = "email_otp"}, {kind = "sms_otp", countries = ["+49"]}]\n'
KEPT = """name = "kept"
[[steps]]
kind = "email_otp"
[[steps]]
when = { enrolled = "KIND" }
then = { kind = "KIND" }
otherwise = { enrol = { kind = "KIND" } }
"""


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """The clock goes by `forward` alone."""
    monkeypatch.setattr(forward_clock, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))


@pytest.fixture
def made(tmp_path):
    """Make a workshop of a text."""

    def made(text, **settings):
        file = tmp_path / "flow.toml"
        file.write_text(text)
        return Workshop(file, **settings)

    return made


def right(workshop, reply):
    """What is right in the session of *reply* now."""
    found = workshop.sign_ins.answer(reply["Session"])
    return found and found["text"]


def place(workshop):
    """Where the sign-in is by the last run of Define: the node, the node that it came from, and the flow."""
    last = [each for each in workshop.since(0)["events"] if each["trigger"] == "define" and not each["error"]][-1]
    return last["node"], last["came"], last["flow"] == workshop.good.flow.fingerprint


def test_what_is_right_is_right_for_one_session_and_ends_with_it(made):
    """Two sign-ins at the same step each have their own; what was answered is over, and so is a sign-in that has its tokens."""
    workshop = made(TWO)
    one, other = begun(workshop), begun(workshop)
    assert right(workshop, one) != right(workshop, other)
    code = answered(workshop, one, right(workshop, one))
    assert right(workshop, one) is None
    assert right(workshop, other) is not None
    done = answered(workshop, code, right(workshop, code))
    assert "AuthenticationResult" in done
    assert right(workshop, code) is None
    assert workshop.since(0, [one["Session"], other["Session"], "none"])["answers"][::2] == [None, None]


@pytest.mark.parametrize("minutes", [3, 4])
def test_nothing_is_right_when_the_session_is_over(made, minutes):
    """After the minutes that `check` assumes, at which the pool takes no answer either."""
    workshop = made(TWO.replace('kind = "captcha"', 'kind = "captcha"\nlifetime = 600'), session_minutes=minutes)
    assert any(f"over after {60 * minutes} s" in each.message for each in workshop.good.report.findings)
    for forward, is_taken in ((60 * minutes - 1, True), (60 * minutes, False)):
        reply = begun(workshop)
        workshop.clock.forward(forward)
        found = right(workshop, reply)
        assert (found is not None) == is_taken
        then = answered(workshop, reply, found or "-")
        assert isinstance(then, ClientError) != is_taken
    last = workshop.since(0)["events"][-1]
    assert (last["trigger"], last["error"]) == ("host", "Invalid session for the user, session is expired.")


def test_nothing_is_right_for_a_code_that_is_dead_or_was_not_sent_or_for_nobody(made):
    """Its lifetime is over, its channel is stopped, or there is no such user."""
    workshop = made(FALLBACK.replace('{kind = "email_otp"}', '{kind = "email_otp", lifetime = 60}'))
    reply = begun(workshop)
    workshop.clock.forward(60)
    assert right(workshop, reply) is None
    workshop.set_host(stopped={"email": True}, forward=3600)
    reply = begun(workshop)
    assert reply["ChallengeParameters"]["error"] == "unavailable"
    assert right(workshop, reply) is None
    assert right(workshop, begun(workshop, "nobody")) is None


def test_the_right_code_of_an_app_is_shown_at_the_enrolment_and_after(made):
    """By the pool's clock; a code that was used is not right again, so that of the next period is shown."""
    pytest.importorskip("pyotp")
    workshop = made(KEPT.replace("KIND", "totp"))
    for forward in (0, 0, 30, 3600, 0):
        workshop.clock.forward(forward)
        reply = begun(workshop)
        reply = answered(workshop, reply, right(workshop, reply))
        found = workshop.sign_ins.answer(reply["Session"])
        assert workshop.clock.now() < found["until"] <= workshop.clock.now() + 30
        assert "AuthenticationResult" in answered(workshop, reply, found["text"])
    reply = begun(workshop)
    reply = answered(workshop, reply, right(workshop, reply))
    assert right(workshop, reply) is None  # that of the next period was used too: none is right before this one is over
    workshop.clock.forward(30)
    assert right(workshop, reply)


def test_a_recovery_code_that_was_not_used_is_shown(made):
    """Of those that the user was shown at the enrolment."""
    workshop = made(KEPT.replace("KIND", "recovery_codes"))
    shown = []
    for _ in range(3):
        reply = begun(workshop)
        reply = answered(workshop, reply, right(workshop, reply))
        shown.append(right(workshop, reply))
        assert "AuthenticationResult" in answered(workshop, reply, shown[-1])
    assert shown[0] == shown[1] != shown[2]  # the first one showed that they were saved


def test_a_sign_in_comes_along_the_arrows_that_it_went(made):
    """Not from where another sign-in was; what breaks one comes along none; and a choice says what is to be chosen from."""
    workshop = made(TWO)
    for _ in range(2):
        begun(workshop)
        assert place(workshop) == ("step_captcha", "[*]", True)
    reply = answered(workshop, begun(workshop), "wrong")
    assert place(workshop) == ("step_captcha", "step_captcha", True)
    answered(workshop, reply, right(workshop, reply))
    assert place(workshop) == ("step_email_otp", "step_captcha", True)
    workshop = made(CHOICE)
    reply = begun(workshop)
    last = workshop.since(0)["events"][0]
    assert (last["node"], last["choices"]) == ("choose_email_otp", ("email_otp", "sms_otp"))
    reply = answered(workshop, reply, watchword_choice="sms_otp")
    assert place(workshop) == ("step_sms_otp", "choose_email_otp", True)
    answered(workshop, reply, watchword_action="resend", watchword_choice="email_otp")
    assert place(workshop)[:2] == ("step_email_otp", "step_sms_otp")


def test_a_sign_in_is_followed_under_the_flow_that_it_began_with(made):
    """Also after an edit: that it goes by another flow than the one that is drawn is told."""
    workshop = made(TWO)
    reply = begun(workshop)
    reply = answered(workshop, reply, right(workshop, reply))
    workshop.edit(TWO.replace('kind = "captcha"', 'kind = "captcha"\nattempts = 1'))
    answered(workshop, reply, "wrong")
    assert place(workshop) == ("step_email_otp", "step_email_otp", False)


def test_a_sign_in_is_where_what_its_user_has_enrolled_leads_it(made):
    """Also at the first step behind a password, when the event of Define does not say it yet."""
    workshop = made(KEPT.replace("KIND", "totp"))
    reply = begun(workshop)
    reply = answered(workshop, reply, right(workshop, reply))
    answered(workshop, reply, right(workshop, reply))
    workshop.edit(KEPT.replace("KIND", "totp").replace("email_otp", "srp"))
    srp = SrpClient(workshop.pool.pool_id, "ann", PASSWORD, random=SystemRandom())
    reply = begun(workshop, **srp.auth_parameters())
    assert place(workshop) == ("host_password_verifier", "host_srp_a", True)
    responses = srp.answer(reply["ChallengeParameters"], now=workshop.clock.now())
    given = {"ClientId": "studio", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses}
    reply = called(workshop, "RespondToAuthChallenge", Session=reply["Session"], **given)
    assert reply["ChallengeParameters"]["step"] == "totp"
    assert place(workshop) == ("step_totp", "host_password_verifier", True)


def test_a_channel_is_stopped_without_the_others(made):
    """So that a fallback from one to the other can be tried."""
    workshop = made(FALLBACK)
    assert workshop.since(0)["channels"] == {"email": False, "sms": False}
    workshop.set_host(stopped={"email": True})
    assert workshop.since(0)["channels"] == {"email": True, "sms": False}
    reply = answered(workshop, begun(workshop))
    assert reply["ChallengeParameters"]["step"] == "sms_otp"
    assert "AuthenticationResult" in answered(workshop, reply, right(workshop, reply))
    assert [each.channel for each in workshop.inspector.mails] == ["sms"]
