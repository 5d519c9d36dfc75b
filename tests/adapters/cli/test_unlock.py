"""`watchword unlock`: a user who used up the budgets can sign in again, and nobody else is touched."""

from __future__ import annotations

import base64
import json

import pytest

from watchword import Flow, Limits
from watchword.runtime import unlocking
from watchword.testing.time import VirtualClock
from watchword_adapters.cli import main
from watchword_adapters.couriers import Outbox
from watchword_adapters.functions import Asked, Refused, SignIn, UserRecord
from watchword_adapters.ledgers import SqliteLedger
from watchword_plugins.email_otp import EmailOtp

KEY = bytes(range(32))
REALM = "local_watchword"
SUB = "7c1f0a52-0000-4000-8000-93a1f1d7c1aa"


class Ann:
    """A directory with one user."""

    def find(self, name):
        """Return the user, or None."""
        attributes = {"sub": SUB, "email": "ann@example.com", "email_verified": "true"}
        return UserRecord(attributes) if name == "ann" else None


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let the command, which measures by the system's clock, wait for the file however slow the machine is."""
    monkeypatch.setattr(unlocking, "DEADLINE", 3600.0)


@pytest.fixture
def clock():
    """A clock that stands still unless it is put forward."""
    return VirtualClock()


@pytest.fixture
def sign_in(tmp_path, monkeypatch, clock):
    """Return a sign-in that sends one mail a day to everybody, over a SQLite ledger that the environment names."""
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("WATCHWORD_KEY", base64.b64encode(KEY).decode())
    monkeypatch.setenv("WATCHWORD_LEDGER", f"sqlite:///{path}")
    ledger = SqliteLedger(path, clock=clock)
    flow = Flow(EmailOtp(), limits=Limits(messages="1/day"))
    yield SignIn(flow, users=Ann(), key=KEY, courier=Outbox(), ledger=ledger, clock=clock)
    ledger.close()


def fail(sign_in: SignIn, name: str) -> None:
    """Begin as *name* and answer wrong: that is one message and one guess, each in a budget of its own."""
    asked = sign_in.begin(name)
    assert isinstance(asked, Asked)
    assert isinstance(sign_in.respond(asked.token, "00000000"), Asked)


def test_the_budgets_of_a_sub_are_emptied(sign_in, capsys):
    """By sub, as in the attributes: how many there were is printed, and the second time there is nothing left."""
    fail(sign_in, "ann")
    fail(sign_in, "bob")
    assert 0 == main(["unlock", SUB, "--pool", REALM])
    out, err = capsys.readouterr()
    assert "budgets emptied: 3\n" == out
    event = json.loads(err)
    assert ("authz_admin", {"action": "unlock", "budgets": "3"}) == (event["event"], event["detail"])
    assert SUB not in err
    assert 0 == main(["unlock", SUB, "--pool", REALM, "--sub"])
    assert "nothing to empty" in capsys.readouterr().out


def test_the_budgets_of_an_unknown_name_are_emptied(sign_in, capsys):
    """By name, as it was typed: somebody who does not exist has budgets too."""
    fail(sign_in, "ann")
    fail(sign_in, "bob")
    assert 0 == main(["unlock", "bob", "--name", "--pool", REALM, "--json"])
    assert {"budgets": 2} == json.loads(capsys.readouterr().out)
    assert 0 == main(["unlock", "ann", "--name", "--pool", REALM, "--json"])
    assert {"budgets": 0} == json.loads(capsys.readouterr().out)


def test_an_unlocked_user_is_sent_a_message_again(sign_in, clock):
    """Refused before, asked after: the whole point of it."""
    fail(sign_in, "ann")
    clock.advance(60)
    assert Refused("TRY_LATER") == sign_in.begin("ann")
    assert 0 == main(["unlock", SUB, "--pool", REALM])
    assert isinstance(sign_in.begin("ann"), Asked)


def test_another_key_finds_nothing(sign_in, monkeypatch, capsys):
    """Users stand in the ledger under digests made with the key of the triggers."""
    fail(sign_in, "ann")
    monkeypatch.setenv("WATCHWORD_KEY", base64.b64encode(bytes(range(1, 33))).decode())
    assert 2 == main(["unlock", SUB, "--pool", REALM, "--json"])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert "WATCHWORD_KEY" in err


def test_nothing_found_is_told_by_its_cause(sign_in, monkeypatch, capsys):
    """A wrong key, a wrong pool, a name in place of a sub, a sub in place of a name, and nothing counted: five answers."""
    fail(sign_in, "ann")
    assert 2 == main(["unlock", SUB, "--pool", "us-east-1_Wrong"])
    pool = capsys.readouterr().err
    said = []
    for arguments in (["ann"], [SUB.replace("7", "8")], ["nobody", "--name"]):
        assert 0 == main(["unlock", *arguments, "--pool", REALM])
        said.append(capsys.readouterr().out)
    monkeypatch.setenv("WATCHWORD_KEY", base64.b64encode(bytes(range(1, 33))).decode())
    assert 2 == main(["unlock", SUB, "--pool", REALM])
    key = capsys.readouterr().err
    assert 5 == len({pool, key, *said})
    assert "us-east-1_Wrong" in pool
    assert "the oldest of WATCHWORD_ROOT_KEY, or of WATCHWORD_KEY without it" in key
    assert ["look like a sub" in each for each in said] == [True, False, False]


def test_a_root_key_is_enough(sign_in, monkeypatch, capsys):
    """It names users: an operator needs no key that codes are derived from, and another one says so."""
    fail(sign_in, "ann")
    monkeypatch.setenv("WATCHWORD_ROOT_KEY", base64.b64encode(bytes(range(1, 33))).decode())
    assert 2 == main(["unlock", SUB, "--pool", REALM])
    monkeypatch.setenv("WATCHWORD_ROOT_KEY", base64.b64encode(KEY).decode())
    monkeypatch.delenv("WATCHWORD_KEY")
    capsys.readouterr()
    assert 0 == main(["unlock", SUB, "--pool", REALM, "--json"])
    assert '"budgets": 0' not in capsys.readouterr().out


def test_a_key_added_in_front_is_no_wrong_key(sign_in, monkeypatch, capsys):
    """The oldest key names users: after a rotation everything is found as before."""
    fail(sign_in, "ann")
    keys = (bytes(range(1, 33)), KEY)
    monkeypatch.setenv("WATCHWORD_KEY", ",".join(base64.b64encode(each).decode() for each in keys))
    assert 0 == main(["unlock", SUB.replace("7", "8"), "--pool", REALM])
    assert "nothing to empty" in capsys.readouterr().out


def test_a_ledger_named_on_the_command_line_goes_first(sign_in, monkeypatch, tmp_path, capsys):
    """--ledger is used in place of WATCHWORD_LEDGER."""
    fail(sign_in, "ann")
    monkeypatch.setenv("WATCHWORD_LEDGER", "sqlite:///nowhere.db")
    assert 0 == main(["unlock", SUB, "--pool", REALM, "--json", "--ledger", f"sqlite:///{tmp_path / 'ledger.db'}"])
    assert {"budgets": 3} == json.loads(capsys.readouterr().out)


def test_a_file_that_is_no_ledger_is_said_to_be_none(sign_in, tmp_path, capsys):
    """One line, a status other than 0, and the file is left as it is."""
    wrong = tmp_path / "notes.txt"
    wrong.write_text("not a database, but long enough to be looked at as one " * 40)
    before = wrong.read_bytes()
    assert 0 != main(["unlock", SUB, "--pool", REALM, "--ledger", f"sqlite:///{wrong}"])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert err.startswith("watchword: error: ")
    assert before == wrong.read_bytes()
