"""A user sets up an app while signing in, and signs in with it, over the Lambda triggers and real SRP: `password_and_app.toml`."""

import json

import pyotp
import pytest

from kit.paths import FLOWS
from watchword.testing import SeededRandom
from watchword_adapters.srp.client import SrpClient

FLOW = FLOWS / "password_and_app.toml"


class Browser:
    """A client of the pool."""

    def __init__(self, pool, clock):
        self.pool, self.clock, self.reply = pool, clock, {}

    def begins(self):
        """Give the password."""
        pool = self.pool
        client = SrpClient(pool.pool_id, "ann", "Passw0rd!x", SeededRandom("client"))
        parameters = client.auth_parameters()
        self.reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)
        self.responds(client.answer(self.shown, self.clock.now()))
        return self.shown

    def answers(self, text):
        """Answer a step."""
        self.responds({"ANSWER": text})
        return self.shown

    def responds(self, responses):
        """Respond to the challenge at hand."""
        self.reply = self.pool.respond_to_auth_challenge(
            ClientId=self.pool.client_id,
            ChallengeName=self.reply["ChallengeName"],
            Session=self.reply["Session"],
            ChallengeResponses={"USERNAME": "ann", **responses},
        )

    @property
    def shown(self):
        """The public parameters; nothing if there are tokens."""
        return self.reply.get("ChallengeParameters", {})

    @property
    def tokens(self):
        """Whether there are tokens."""
        return "AuthenticationResult" in self.reply


@pytest.fixture
def browser(local_pool, frozen_clock):
    """A client of a pool with the flow."""
    return Browser(local_pool(FLOW), frozen_clock)


def test_an_app_is_set_up_in_a_sign_in_and_asked_for_in_the_next(browser, outbox, frozen_clock):
    """By way of the mail the first time, and past it afterwards; a wrong answer changes nothing of what was scanned."""
    assert "email_otp" == browser.begins()["step"]
    shown = browser.answers(outbox.code)
    assert ("enrol_totp", "1") == (shown["step"], shown["enrol"])
    app = pyotp.TOTP(shown["secret"])
    again = browser.answers("000000")
    assert ("wrong", app.secret) == (again["error"], again["secret"])
    browser.answers(app.at(int(frozen_clock.now())))
    assert browser.tokens
    frozen_clock.advance(60)
    shown = browser.begins()
    assert "totp" == shown["step"]
    assert app.secret not in json.dumps(browser.reply)
    browser.answers(app.at(int(frozen_clock.now())))
    assert browser.tokens


def test_two_sign_ins_at_once_set_up_one_app(browser, outbox, frozen_clock):
    """The slower one is asked for the app of the other: who began early does not take its place."""
    slower = Browser(browser.pool, frozen_clock)
    slower.begins()
    theirs = pyotp.TOTP(slower.answers(outbox.code)["secret"])
    frozen_clock.advance(1)
    browser.begins()
    ours = pyotp.TOTP(browser.answers(outbox.code)["secret"])
    assert ours.secret != theirs.secret
    browser.answers(ours.at(int(frozen_clock.now())))
    assert browser.tokens
    shown = slower.answers(theirs.at(int(frozen_clock.now())))
    assert "wrong" == shown["error"]
    assert "enrol" not in shown
    assert "wrong" == slower.answers(theirs.at(int(frozen_clock.now())))["error"]
    frozen_clock.advance(60)
    slower.answers(ours.at(int(frozen_clock.now())))
    assert slower.tokens


def test_nothing_is_set_up_by_who_has_the_password_alone(browser):
    """The mail comes first; its code is not guessed."""
    browser.begins()
    assert "email_otp" == browser.answers("000000")["step"]
    assert "secret" not in browser.shown
