"""A known user has one identity, whatever is typed: it is demanded at first sight, and every budget is kept by it."""

import base64
import itertools
import logging

import pytest

from kit.hosts import event
from watchword import ConfigurationError, Flow
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import PASSWORD_LIMITS, Refused, SignedIn, SignIn, UserRecord
from watchword_adapters.srp import srp6a
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

KEY = bytes(range(32))
REALM = "local_watchword"
MAIL = {"email": "ann@example.com", "email_verified": "true"}
STAMP = "Tue Apr 25 10:17:45 UTC 2017"


class Folding:
    """Finds users without regard to case."""

    def __init__(self):
        self.rows = {}

    def find(self, name):
        """Return the user."""
        return self.rows.get(name.casefold())


def answered(host, typed, password):
    """Sign in by a client that types a name in any spelling and hashes the one under which the password was set."""
    private = 987654321
    asked = host.begin(typed, srp_a=srp6a.to_hex(srp6a.client_public(private)))
    exponent = srp6a.secret_exponent(REALM, "ann", password, asked.public["SALT"])
    key = srp6a.client_key(private=private, server_public=int(asked.public["SRP_B"], 16), exponent=exponent)
    block = base64.b64decode(asked.public["SECRET_BLOCK"])
    signed = srp6a.signature(key, REALM, typed, block, STAMP)
    return host.respond(asked.token, {"PASSWORD_CLAIM_SIGNATURE": signed, "TIMESTAMP": STAMP})


def test_no_spelling_has_a_budget_of_its_own():
    """Wrong passwords of all spellings count together; then even the right one is refused, in any of them."""
    users, audit = Folding(), MemoryAudit()
    host = SignIn(
        Flow(Srp()), users=users, key=KEY, audit=audit, clock=VirtualClock(), random=SeededRandom(), environment={}
    )
    salt, verifier = host.verifier("ann", "Passw0rd!x")
    users.rows["ann"] = UserRecord({"sub": "u-1", **MAIL}, salt=salt, verifier=verifier)
    assert isinstance(answered(host, "ANN", "Passw0rd!x"), SignedIn)
    for typed in map("".join, itertools.product("aA", "nN", "nN")):
        assert Refused() == answered(host, typed, "wrong")
    compared = [event for event in audit.events if event.detail.get("reason") == "password"]
    assert PASSWORD_LIMITS[0].count == len(compared)
    assert {compared[0].user} == {event.user for event in audit.events if event.user}
    assert all(isinstance(answered(host, typed, "Passw0rd!x"), Refused) for typed in ("ann", "Ann", "ANN"))


@pytest.mark.parametrize("attributes", [MAIL, {**MAIL, "sub": ""}, {}])
def test_a_record_without_sub_is_refused_where_it_is_made(attributes):
    """The program's author reads what to do."""
    with pytest.raises(ConfigurationError, match="a known user has no sub: give each one an attribute 'sub'"):
        UserRecord(attributes)


@pytest.mark.parametrize("flow", [Flow(EmailOtp()), Flow(Srp())], ids=["mail", "password"])
def test_a_user_without_sub_never_signs_in_and_the_log_says_why(flow, caplog):
    """Whatever object stands for the user: nothing is sent, nothing compared, and a stranger sees a fixed text."""

    class Bare:
        attributes = MAIL
        salt, verifier = "ab", "cd"

    class Users:
        def find(self, name):
            return Bare() if name == "made elsewhere" else UserRecord(MAIL)

    box = Outbox()
    host = SignIn(flow, users=Users(), key=KEY, courier=box, environment={})
    public = None if flow.steps else srp6a.to_hex(srp6a.client_public(5))
    for name in ("made elsewhere", "made here"):
        caplog.clear()
        with caplog.at_level(logging.ERROR, "watchword"):
            assert Refused("NOT_CONFIGURED") == host.begin(name, srp_a=public)
        assert "a known user has no sub: give each one" in caplog.text
    assert not box.messages


@pytest.mark.parametrize("attributes", [MAIL, {**MAIL, "sub": ""}, {**MAIL, "sub": None}, {}, None])
def test_an_event_without_sub_is_taken_for_one_of_somebody_unknown(attributes):
    """A user pool sends one of everybody who is there: nothing is mailed, and the sign-in looks as any other."""
    box = Outbox()
    made = triggers(Flow(EmailOtp()), key=KEY, courier=box, environment={})

    def asked(given, *, missing):
        asked_of = event("create", user=given, userNotFound=missing, challengeName="CUSTOM_CHALLENGE", session=[])
        return made.create(asked_of, None)["response"]["publicChallengeParameters"]

    assert asked(attributes, missing=False)["ref"] == asked({}, missing=True)["ref"]
    assert not box.messages
    right = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": None}
    passed = event("define", user=attributes, session=[right])
    assert made.define(passed, None)["response"]["issueTokens"] is False
