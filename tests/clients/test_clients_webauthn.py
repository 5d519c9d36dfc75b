"""@simplewebauthn/server as a second opinion on ceremonies; `tests/clients/install` brings it. Each difference has its reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("fido2.webauthn")

from kit.authenticator import encode, standard_form
from kit.odd_ceremonies import CASES, CHALLENGE, EXPECTED, made_by, reasons
from kit.programs import find_node
from watchword_plugins.webauthn.ceremonies import read_assertion, read_registration

pytestmark = pytest.mark.exhaustive

HERE = Path(__file__).parent

NOT_ASKED = {
    "embedded": "it does not read crossOrigin",
    "wrong_user_handle": "it leaves the user handle to its caller",
    "changed_backup_eligibility": "it is not given what was stored",
    "known_credential": "it leaves the uniqueness of ids to its caller",
    "id_too_long": "it does not count the bytes of an id",
}
"""Steps that it does not take, in either ceremony, and why."""


@pytest.fixture(autouse=True)
def _package():
    """Nothing here runs without it."""
    find_node("@simplewebauthn/server")


def second_opinions(ceremonies):
    """What it says of each."""
    ended = subprocess.run(
        ["node", HERE / "second_opinion.mjs"], input=json.dumps(ceremonies), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def judged(answer, known=None):
    """What is asked of it."""
    expected = {
        "challenge": encode(CHALLENGE),
        "origins": EXPECTED.origins,
        "rpId": EXPECTED.rp_id,
        "algorithms": EXPECTED.algorithms,
    }
    credential = known and {"id": encode(known.id), "counter": known.sign_count, "publicKey": encode(known.public_key)}
    return {"answer": standard_form(answer), "expected": expected, "known": credential}


def test_assertions_are_judged_alike():
    """All with up to two deviations: it refuses where ours does, unless every reason is one that it does not ask for."""
    made, ours = [], []
    for deviations in CASES:
        device, odd = made_by(deviations)
        answer = device.use(CHALLENGE, **odd)
        found = reasons(answer, EXPECTED, read_assertion)
        # Of a credential that is unknown ours asks no more: the key and the count are that credential's.
        if "unknown_credential" not in found:
            made.append(judged(answer, EXPECTED.known[0]))
            ours.append((deviations, found))
    for theirs, (deviations, found) in zip(second_opinions(made), ours, strict=True):
        assert theirs == (found <= NOT_ASKED.keys()), deviations


@pytest.mark.parametrize("fmt", ["none", "packed"])
def test_registrations_are_judged_alike(fmt):
    """It reads topOrigin in assertions alone."""
    made, ours = [], []
    for deviations in CASES:
        device, odd = made_by(deviations)
        answer = device.register(CHALLENGE, fmt=fmt, **odd)
        made.append(judged(answer))
        ours.append((deviations, reasons(answer, EXPECTED, read_registration)))
    not_asked = NOT_ASKED.keys() | {"wrong_top_origin"}
    for theirs, (deviations, found) in zip(second_opinions(made), ours, strict=True):
        assert theirs == (found <= not_asked), deviations
