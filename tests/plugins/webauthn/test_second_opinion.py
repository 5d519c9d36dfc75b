"""py_webauthn as a second opinion on ceremonies that our own authenticator makes. Each difference has its reason."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

pytest.importorskip("fido2.webauthn")
pytest.importorskip("webauthn")

import webauthn
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from kit.authenticator import Authenticator, standard_form
from kit.odd_ceremonies import CASES, CHALLENGE, DEVICE, EXPECTED, HANDLE, made_by, reasons
from kit.w3c_vectors import ROOT_CERTIFICATE, VECTORS, assertion_of, expected_by, known_from, registration_of
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential, read_assertion, read_registration
from watchword_plugins.webauthn.public_keys import encoded

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
