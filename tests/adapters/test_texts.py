"""No text raises: half a surrogate pair, controls and other odd signs are refused, or are one more text, at every entrance."""

import json

import pytest

from kit.entrances import entrances
from watchword import Flow
from watchword.testing.time import VirtualClock
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.cli import main
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.ledgers.sqlite import SqliteLedger
from watchword_adapters.srp import srp6a
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

ODD = (
    "\ud800",
    "a\udfff" * 8,
    "\udcff",
    "\0",
    "\r\n",
    "\u2028",
    "\u202e",
    "\U0001f600",
    "ﬁ",
    "",
    "{0.__class__}",
    "%s",
)
PUBLIC = srp6a.to_hex(srp6a.client_public(12345))
KEY = bytes(range(32))


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_no_text_raises_at_an_entrance(text):
    """Of the triggers, of plain functions, and of all that is read: a refusal at most, and one that can be shown."""
    for entrance in entrances():
        try:
            entrance.enter(entrance.given(text))
        except TriggerError as error:
            assert str(error).isascii()
        except Exception as error:
            raise AssertionError(f"{entrance.name} raised") from error


class Everybody:
    """Whoever it is, there is such a user."""

    def find(self, name):
        """Return the user."""
        attributes = {"sub": name or "nobody", "email": "ann@example.com", "email_verified": "true", "name": name}
        return UserRecord(attributes, salt="ab", verifier="cd")


@pytest.mark.parametrize("ledger", ["memory", "SQLite"])
@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_a_name_of_any_signs_begins_a_sign_in(text, ledger, tmp_path):
    """Also where the user is known by it, with a password, and in a ledger that keeps text on a disk."""
    clock = VirtualClock()
    kept = MemoryLedger() if ledger == "memory" else SqliteLedger(str(tmp_path / "ledger.db"), clock=clock)
    for flow in (Flow(EmailOtp()), Flow(Srp())):
        host = SignIn(flow, users=Everybody(), key=KEY, courier=Outbox(), ledger=kept, clock=clock, environment={})
        salt, verifier = host.verifier(text, text)
        assert salt
        assert verifier
        asked = host.begin(text, srp_a=PUBLIC if not flow.steps else None)
        if text:
            assert host.respond(asked.token, {"PASSWORD_CLAIM_SIGNATURE": text, "TIMESTAMP": text})


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_no_text_raises_in_the_local_pool(text):
    """Its operations answer with the service's own errors."""
    pool = LocalUserPool(*triggers(Flow(EmailOtp()), key=KEY, courier=Outbox(), environment={}))
    pool.add_user("ann", attributes={"email": "ann@example.com", "email_verified": "true"})
    calls = {
        "initiate_auth": {"ClientId": pool.client_id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": text}},
        "respond_to_auth_challenge": {
            "ClientId": pool.client_id,
            "ChallengeName": "CUSTOM_CHALLENGE",
            "Session": text,
            "ChallengeResponses": {"USERNAME": text, "ANSWER": text},
        },
        "sign_up": {"ClientId": pool.client_id, "Username": text, "Password": text},
        "forgot_password": {"ClientId": pool.client_id, "Username": text},
        "confirm_sign_up": {"ClientId": pool.client_id, "Username": text, "ConfirmationCode": text},
        "admin_get_user": {"UserPoolId": pool.pool_id, "Username": text},
        "get_user": {"AccessToken": text},
    }
    for operation, request in calls.items():
        try:
            getattr(pool, operation)(**request)
        except ClientError as error:
            assert json.dumps(str(error))


@pytest.mark.parametrize("text", ODD, ids=ascii)
@pytest.mark.parametrize(
    "arguments",
    [
        ["unlock", "TEXT", "--pool", "us-east-1_Abc"],
        ["unlock", "TEXT", "--name", "--pool", "us-east-1_Abc"],
        ["unlock", "ann", "--pool", "TEXT"],
        ["who", "TEXT", "--pool", "us-east-1_Abc"],
        ["who", "ann", "--name", "--pool", "us-east-1_Abc", "--digest", "TEXT"],
        ["check", "TEXT"],
        ["explain", "flow.toml", "TEXT"],
        ["graph", "flow.toml", "-o", "TEXT/x"],
        ["replay", "TEXT"],
        ["template", "flow.toml", "--courier", "TEXT", "-o", "out"],
        ["doctor", "flow.toml", "--template", "TEXT"],
        ["preview", "email_otp", "--set", "app=TEXT", "--locale", "TEXT"],
        ["preview", "email_otp", "--set", "app=TEXT", "--json"],
        ["preview", "email_otp", "--lint", "--templates", "TEXT"],
        ["preview", "TEXT", "--set", "TEXT", "--flow", "flow.toml", "-o", "TEXT"],
        ["build", "flow.toml", "--ledger", "TEXT", "-o", "TEXT/dist"],
        ["TEXT"],
    ],
    ids=" ".join,
)
def test_no_text_raises_on_the_command_line(arguments, text, tmp_path, monkeypatch, capsys):
    """Bytes of a file's name that are no UTF-8 come in as halves of surrogate pairs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.toml").write_text('[[steps]]\nkind = "captcha"\n')
    ledger = tmp_path / "ledger.db"
    SqliteLedger(str(ledger))
    ledger.touch()
    monkeypatch.setenv("WATCHWORD_KEY", "VHdvIGJpcmRzIGFuZCBvbmUgc3RvbmUsIGEgcmVhbCBrZXk=")
    monkeypatch.setenv("WATCHWORD_LEDGER", f"sqlite:///{ledger}")
    try:
        status = main([each.replace("TEXT", text) for each in arguments])
    except SystemExit as ended:
        status = ended.code
    assert status in (0, 1, 2)
    capsys.readouterr().out.encode()
