"""An authenticator that others wrote enrols and signs in: soft-webauthn, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

pytest.importorskip("fido2.webauthn")

from kit.engine_host import ANN, Host, Riddle, world
from kit.paths import ROOT
from kit.programs import go_without
from watchword import Flow, IssueTokens, User, enrol, sequence
from watchword_adapters.credentials import MemoryCredentials
from watchword_plugins.passkey import Passkey

ORIGIN = "https://example.com"
# soft-webauthn verifies no user.
PASSKEY = Passkey(rp_id="example.com", origins=(ORIGIN,), user_verification="discouraged")
FLOW = Flow(sequence(Riddle(), enrol(PASSKEY), PASSKEY))


@pytest.fixture
def device():
    """A device: call it with what is asked for, the options that were shown, and the origin of the page."""
    variable = "WATCHWORD_SOFT_WEBAUTHN"
    python = os.environ.get(variable) or go_without(f"{variable} names no Python with soft-webauthn")
    with subprocess.Popen(
        [python, ROOT / "tests/programs/soft_authenticator.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def call(what, shown, origin=ORIGIN):
            process.stdin.write(json.dumps({"call": what, "options": json.loads(shown), "origin": origin}) + "\n")
            process.stdin.flush()
            return process.stdout.readline()

        yield call
        process.stdin.close()


def begun(store):
    """A sign-in of Ann that has come to the passkey."""
    host = Host(world(FLOW, credentials=store), User("ann", ANN))
    host.next()
    return host, host.answers("fish")


def test_a_device_by_others_enrols_and_signs_in(device):
    """At each sign-in anew, with a count that grows."""
    store = MemoryCredentials()
    host, asked = begun(store)
    asked = host.answers(device("create", asked.public["options"]))
    for _ in range(3):
        assert "passkey" == asked.public["step"]
        assert isinstance(host.answers(device("get", asked.public["options"])), IssueTokens)
        host, asked = begun(store)
        asked = host.answers(device("get", asked.public["options"]))
    (credential,) = store.list(f"pool_1#{ANN['sub']}", within=1.0)
    assert "6" == credential.state["sign_count"]


def test_its_answers_are_good_for_one_page_and_one_challenge(device):
    """Another origin is wrong, and so is an answer to the challenge before."""
    store = MemoryCredentials()
    host, asked = begun(store)
    assert (
        "enrol_passkey"
        == host.answers(device("create", asked.public["options"], "https://evil.example")).public["step"]
    )
    host, asked = begun(store)
    asked = host.answers(device("create", asked.public["options"]))
    old = device("get", asked.public["options"])
    asked = host.answers(device("get", asked.public["options"], "https://evil.example"))
    assert ("passkey", "wrong") == (asked.public["step"], asked.public["error"])
    assert "wrong" == host.answers(old).public["error"]
