"""The state of plain functions: who reads the ledger learns nothing of it, who writes there gains nothing."""

import base64
import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from kit.engine_host import ANN
from watchword import Flow, sequence
from watchword.runtime.keyring import Keyring
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, Refused, SignedIn, SignIn, UserRecord
from watchword_adapters.ledgers.sqlite import SqliteLedger
from watchword_adapters.srp import srp6a
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

KEY = bytes(range(32))
PRIVATE = 987654321
STAMP = "Tue Apr 25 10:17:45 UTC 2017"


class Users:
    """Ann, and nobody else."""

    def __init__(self):
        self.rows = {}

    def find(self, name):
        """Return the user."""
        return self.rows.get(name)


class Stage:
    """A host of plain functions on a ledger that somebody else reads, and writes."""

    def __init__(self, path, flow, key=KEY):
        self.path, self.users, self.clock = path, Users(), VirtualClock()
        self.host = SignIn(
            flow,
            users=self.users,
            key=key,
            courier=Outbox(),
            ledger=SqliteLedger(str(path), clock=self.clock),
            clock=self.clock,
            audit=MemoryAudit(),
            environment={},
        )
        salt, verifier = self.host.verifier("ann", "Passw0rd!x")
        self.users.rows["ann"] = UserRecord(ANN, salt=salt, verifier=verifier)

    def begun(self):
        """Begin with a password."""
        return self.host.begin("ann", srp_a=srp6a.to_hex(srp6a.client_public(PRIVATE)))

    def answer(self, asked, key=None):
        """Answer by the password, or with a session *key* that was found elsewhere."""
        if key is None:
            x = srp6a.secret_exponent("local_watchword", "ann", "Passw0rd!x", asked.public["SALT"])
            key = srp6a.client_key(private=PRIVATE, server_public=int(asked.public["SRP_B"], 16), exponent=x)
        block = base64.b64decode(asked.public["SECRET_BLOCK"])
        signed = srp6a.signature(key, "local_watchword", "ann", block, STAMP)
        return {"PASSWORD_CLAIM_SIGNATURE": signed, "TIMESTAMP": STAMP}

    def read(self, token):
        """Return what the ledger keeps for *token*."""
        with closing(sqlite3.connect(self.path)) as reader:
            return reader.execute("SELECT value FROM vals WHERE key = ?", (row(token),)).fetchone()[0]

    def write(self, token, text):
        """Put *text* there."""
        with closing(sqlite3.connect(self.path)) as writer, writer:
            writer.execute("REPLACE INTO vals VALUES (?, ?, ?)", (row(token), text, self.clock.now() + 100))


def row(token):
    """The ledger's key of a token, which anybody can compute who has the token."""
    return "handle:" + hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture
def stage(tmp_path):
    """A flow of two factors."""
    return Stage(tmp_path / "ledger.db", Flow(sequence(Srp(), EmailOtp())))


def test_who_reads_the_ledger_finds_no_name_no_step_and_no_key(stage):
    """Not with the token in hand either; and the file holds no word of it."""
    asked = stage.begun()
    kept = stage.read(asked.token)
    exponent = srp6a.secret_exponent("local_watchword", "ann", "Passw0rd!x", asked.public["SALT"])
    key = srp6a.client_key(private=PRIVATE, server_public=int(asked.public["SRP_B"], 16), exponent=exponent)
    hidden = base64.urlsafe_b64decode(kept[8:])
    for secret in (
        b"ann",
        b"PASSWORD_VERIFIER",
        b"SRP_A",
        key,
        key.hex().encode(),
        asked.public["SECRET_BLOCK"].encode(),
    ):
        assert secret not in kept.encode()
        assert secret not in hidden
    assert key.hex().encode() not in stage.path.read_bytes()
    assert isinstance(stage.host.respond(asked.token, stage.answer(asked)), Asked)


def forged():
    """The state in which a password is asked for, with a session key of the writer's own."""
    block = base64.b64encode(b"b" * 32).decode()
    private = {"key": "00" * 16, "block": block}
    return json.dumps(["ann", [["SRP_A", True, None]], "PASSWORD_VERIFIER", private, None, 4_000_000_000.0])


def test_who_writes_to_the_ledger_passes_no_step(stage):
    """A state that was not locked with the host's key is none; the host's key would make it one."""
    stage.begun()
    ours, theirs = Keyring.of(KEY).current, Keyring.of(hashlib.sha256(b"theirs").digest()).current
    by_theirs, by_ours = (key.lock("sign-in of plain functions", "forged", forged()) for key in (theirs, ours))
    signed = srp6a.signature(b"\0" * 16, "local_watchword", "ann", b"b" * 32, STAMP)
    for text in (forged(), ours.id + forged(), ours.id + by_theirs, by_theirs, theirs.id + by_theirs, by_ours, ""):
        stage.write("forged", text)
        reply = stage.host.respond("forged", {"PASSWORD_CLAIM_SIGNATURE": signed, "TIMESTAMP": STAMP})
        assert Refused("EXPIRED") == reply
    stage.write("forged", ours.id + by_ours)
    reply = stage.host.respond("forged", {"PASSWORD_CLAIM_SIGNATURE": signed, "TIMESTAMP": STAMP})
    assert isinstance(reply, Asked)


def test_a_state_is_good_for_its_token_alone(stage):
    """Ann's state behind the password cannot be put in place of somebody else's before it."""
    first, second = stage.begun(), stage.begun()
    behind = stage.host.respond(first.token, stage.answer(first))
    assert isinstance(behind, Asked)
    stage.write(second.token, stage.read(behind.token))
    assert Refused("EXPIRED") == stage.host.respond(second.token, "12345678")


def test_a_state_is_read_as_long_as_its_key_is_in_the_ring(tmp_path):
    """A rotation breaks no sign-in; a key that is gone does."""
    new, path, flow = hashlib.sha256(b"new").digest(), tmp_path / "ledger.db", Flow(Srp())
    before = Stage(path, flow)
    asked, late = before.begun(), before.begun()
    for keys, token, expected in (((new, KEY), asked, SignedIn), ((new,), late, Refused)):
        after = Stage(path, flow, keys)
        after.users = after.host._users = before.users
        assert isinstance(after.host.respond(token.token, before.answer(token)), expected)
