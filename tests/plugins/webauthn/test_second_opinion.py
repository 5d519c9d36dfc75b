"""py_webauthn as a second opinion on ceremonies that our own authenticator makes. Each difference has its reason."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
from attrs import evolve

pytest.importorskip("fido2.webauthn")
pytest.importorskip("webauthn")

import webauthn
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from kit.authenticator import BE, BS, UP, UV, Authenticator, new_key, standard_form
from kit.w3c_vectors import ROOT_CERTIFICATE, VECTORS, assertion_of, expected_by, known_from, registration_of
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential, read_assertion, read_registration
from watchword_plugins.webauthn.public_keys import encoded
from watchword_plugins.webauthn.steps import failures

CHALLENGE, HANDLE = b"c" * 24, b"handle"
KEY, OTHER_KEY = new_key(-7), new_key(-7)
DEVICE = {"key": KEY, "count": 7, "user_handle": HANDLE}
EXPECTED = Expected(
    "example.com",
    ("https://example.com", "https://shop.example.com"),
    (CHALLENGE,),
    algorithms=(-7, -8, -257),
    known=(KnownCredential(b"\x01" * 32, encoded(Authenticator(**DEVICE).public_key), 6, True, True, HANDLE),),
)

NOT_ASKED = {
    "embedded": "it does not read crossOrigin",
    "wrong_top_origin": "it does not read topOrigin",
    "wrong_user_handle": "it leaves the user handle to its caller",
    "unknown_credential": "it is given the key by its caller",
    "changed_backup_eligibility": "it is not given what was stored",
    "known_credential": "it leaves the uniqueness of ids to its caller",
    "id_too_long": "it does not count the bytes of an id",
}
"""Steps that py_webauthn does not take, and why."""

DEVIATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another listed origin": ({"origin": "https://shop.example.com"}, {}),
    "a sub-domain": ({"origin": "https://login.example.com"}, {}),
    "another origin": ({"origin": "https://evil.org"}, {}),
    "another rp id": ({"rp_id": "evil.org"}, {}),
    "absent": ({"flags": UV | BE}, {}),
    "not verified": ({"flags": UP | BE}, {}),
    "backed up": ({"flags": UP | UV | BE | BS}, {}),
    "not eligible": ({"flags": UP | UV}, {}),
    "backed up and not eligible": ({"flags": UP | UV | BS}, {}),
    "an equal count": ({"count": 6}, {}),
    "a lower count": ({"count": 1}, {}),
    "no count": ({"count": 0}, {}),
    "no handle": ({"user_handle": None}, {}),
    "a foreign handle": ({"user_handle": b"eve"}, {}),
    "another id": ({"id": b"\x02" * 16}, {}),
    "a long id": ({"id": b"\x02" * 1024}, {}),
    "another key": ({"key": OTHER_KEY}, {}),
    "another type": ({}, {"type": "payment.get"}),
    "another challenge": ({}, {"challenge": "Y2M"}),
    "embedded": ({}, {"crossOrigin": True}),
    "a top origin": ({}, {"topOrigin": "https://evil.org"}),
    "more members": ({}, {"other": {"x": [1]}}),
}
"""How a ceremony may differ from what is expected: the facts of the device, and members of the client data."""

CASES = [set(chosen) for count in (0, 1, 2) for chosen in combinations(DEVIATIONS, count)]


def made_by(deviations: set[str]) -> tuple[Authenticator, dict[str, Any]]:
    """The device and the client data with all *deviations*; flags and the like come from the last."""
    facts, odd = {**DEVICE, "flags": UP | UV | BE}, {}
    for name in DEVIATIONS:
        if name in deviations:
            facts |= DEVIATIONS[name][0]
            odd |= DEVIATIONS[name][1]
    return Authenticator(**facts), odd


def second_opinion_on_assertion(answer: dict[str, Any], expected: Expected, known: KnownCredential) -> bool:
    """Whether py_webauthn accepts the assertion."""
    try:
        webauthn.verify_authentication_response(
            credential=standard_form(answer),
            expected_challenge=expected.challenges[0],
            expected_rp_id=expected.rp_id,
            expected_origin=list(expected.origins),
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=expected.verification,
        )
    except WebAuthnException:
        return False
    return True


def second_opinion_on_registration(answer: dict[str, Any], expected: Expected) -> bool:
    """Whether py_webauthn accepts the registration."""
    try:
        webauthn.verify_registration_response(
            credential=standard_form(answer),
            expected_challenge=expected.challenges[0],
            expected_rp_id=expected.rp_id,
            expected_origin=list(expected.origins),
            require_user_verification=expected.verification,
            pem_root_certs_bytes_by_fmt={each: [ROOT_CERTIFICATE] for each in AttestationFormat},
            supported_pub_key_algs=[
                COSEAlgorithmIdentifier(each) for each in expected.algorithms if each in {*COSEAlgorithmIdentifier}
            ],
        )
    except WebAuthnException:
        return False
    return True


def reasons(answer: dict[str, Any], expected: Expected, read: Any) -> set[str]:
    """Why ours refuses."""
    parsed = read(json.dumps(answer))
    assert parsed is not None
    return {step.reason for step in failures(expected, parsed)}


def test_assertions_are_judged_alike():
    """All with up to two deviations: it refuses where ours does, unless every reason is one that it does not ask for."""
    met = set[str]()
    for deviations in CASES:
        device, odd = made_by(deviations)
        answer = device.use(CHALLENGE, **odd)
        ours = reasons(answer, EXPECTED, read_assertion)
        # Of a credential that is unknown ours asks no more: the key and the count are that credential's.
        if "unknown_credential" in ours:
            continue
        met |= ours
        theirs = second_opinion_on_assertion(answer, EXPECTED, EXPECTED.known[0])
        assert theirs == (ours <= NOT_ASKED.keys()), deviations
    assert met >= {"embedded", "wrong_top_origin", "wrong_user_handle", "changed_backup_eligibility", "possible_clone"}


@pytest.mark.parametrize("fmt", ["none", "packed"])
def test_registrations_are_judged_alike(fmt):
    """All with up to two deviations, with and without a statement."""
    met = set[str]()
    for deviations in CASES:
        device, odd = made_by(deviations)
        answer = device.register(CHALLENGE, fmt=fmt, **odd)
        ours = reasons(answer, EXPECTED, read_registration)
        met |= ours
        assert second_opinion_on_registration(answer, EXPECTED) == (ours <= NOT_ASKED.keys()), deviations
    assert met >= {"embedded", "wrong_top_origin", "known_credential", "id_too_long", "wrong_backup_state"}


@pytest.mark.parametrize("algorithm", [-8, -257, -7, -36, -37])
def test_keys_are_judged_alike(algorithm):
    """Those of each algorithm that it knows."""
    device = Authenticator(algorithm=algorithm, **{**DEVICE, "key": None})
    expected = evolve(EXPECTED, algorithms=(algorithm,), known=())
    registration, assertion = device.register(CHALLENGE, fmt="packed"), device.use(CHALLENGE)
    known = KnownCredential(device.id, encoded(device.public_key), 6, verified=True, user_handle=HANDLE)
    assert set() == reasons(registration, expected, read_registration)
    assert set() == reasons(assertion, evolve(expected, known=(known,)), read_assertion)
    assert second_opinion_on_registration(registration, expected)
    assert second_opinion_on_assertion(assertion, expected, known)


REFUSED_BY_IT = {
    "packed-es384": "it does not know -35",
    "packed-ed448": "it does not know -53",
    "tpm-es256": "it knows the makers of TPMs, and the test vector's is none",
    "android-key-es256": "it demands Google's root certificate",
    "fido-u2f-es256": "it demands that the AAGUID is zero, which section 8.6 does not",
}
"""Vectors of the W3C that py_webauthn refuses, and why; ours accepts each."""


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_judged_alike_but_for_five(name):
    """Registrations; and assertions, if it can read the key."""
    vector = VECTORS[name]
    registration, known = registration_of(vector), known_from(vector)
    try:
        accepted = second_opinion_on_registration(registration, expected_by(vector["reg"]))
    except ValueError:
        accepted = False
    assert accepted == (name not in REFUSED_BY_IT)
    if name not in {"packed-es384", "packed-ed448"}:
        assert second_opinion_on_assertion(assertion_of(vector), expected_by(vector["auth"]), known)
