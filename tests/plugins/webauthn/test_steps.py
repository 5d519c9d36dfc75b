"""Each step of Web Authentication Level 3, 7.1 and 7.2, both ways; and the W3C's own vectors."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

import pytest
from attrs import evolve

pytest.importorskip("fido2.webauthn")

from kit.authenticator import BE, BS, UP, UV, Authenticator, new_key, standard_form
from kit.w3c_vectors import VECTORS, assertion_of, expected_by, known_from, registration_of
from watchword_plugins.webauthn.ceremonies import Expected, KnownCredential, read_assertion, read_registration
from watchword_plugins.webauthn.public_keys import ALGORITHMS, encoded
from watchword_plugins.webauthn.steps import CEREMONY_STEPS, failures, steps_of

CHALLENGE = b"c" * 24
HANDLE = b"0-sub-0"
KEY, OTHER_KEY = new_key(-7), new_key(-7)


def device(**facts: Any) -> Authenticator:
    """An authenticator as the relying party expects it, but for *facts*."""
    return Authenticator(**{"key": KEY, "user_handle": HANDLE, "count": 7, **facts})


KNOWN = KnownCredential(device().id, encoded(device().public_key), 6, verified=True, user_handle=HANDLE)
EXPECTED = Expected("example.com", ("https://example.com",), (CHALLENGE,), algorithms=(-7,))


def failed(answer: dict[str, Any], expected: Expected, ceremony: str) -> list[tuple[int, str]]:
    """The numbers and the reasons of the steps that *answer* fails, in either form of JSON."""
    read = read_registration if ceremony == "registration" else read_assertion
    found = []
    for form in (answer, standard_form(answer)):
        parsed = read(json.dumps(form))
        assert parsed is not None, "malformed"
        found.append([(getattr(step, ceremony), step.reason) for step in failures(expected, parsed)])
    assert found[0] == found[1]
    return found[0]


REGISTRATIONS: dict[tuple[int, str], list[tuple[Authenticator, dict[str, Any], dict[str, Any]]]] = {
    (7, "wrong_type"): [(device(), {"type": "webauthn.get"}, {}), (device(), {"type": "WebAuthn.Create"}, {})],
    (8, "wrong_challenge"): [
        (device(), {"challenge": "Y2M"}, {}),
        (device(), {"challenge": ""}, {"challenges": (b"", CHALLENGE)}),
        (device(), {}, {"challenges": ()}),
    ],
    (9, "wrong_origin"): [
        (device(origin=origin), {}, {})
        for origin in (
            *("https://login.example.com", "http://example.com", "https://example.com:8443", "https://example.com/"),
            *("https://EXAMPLE.com", "https://example.com.evil.org", "android:apk-key-hash:AAAA", "", "\ud800"),
        )
    ],
    (10, "embedded"): [(device(), {"crossOrigin": True}, {})],
    (11, "wrong_top_origin"): [
        (device(), {"topOrigin": "https://example.com"}, {}),
        (device(), {"topOrigin": "https://evil.org", "crossOrigin": True}, {"top_origins": ("https://shop.example",)}),
    ],
    (14, "wrong_rp_id"): [(device(rp_id="login.example.com"), {}, {}), (device(rp_id=""), {}, {})],
    (15, "user_absent"): [(device(flags=UV), {}, {})],
    (16, "user_not_verified"): [(device(flags=UP), {}, {})],
    (17, "wrong_backup_state"): [(device(flags=UP | UV | BS), {}, {})],
    (20, "algorithm_not_offered"): [(device(), {}, {"algorithms": (-8, -257)})],
    (21, "unknown_format"): [(device(), {"fmt": "made-up"}, {}), (device(), {"fmt": "None"}, {})],
    (22, "wrong_attestation"): [
        (device(), {"fmt": "none", "statement": {"sig": b"x"}}, {}),
        (device(), {"fmt": "packed", "statement": {"alg": -7, "sig": b"x"}}, {}),
        *((device(), {"fmt": "packed", "statement": odd}, {}) for odd in ({}, [], "x", 1)),
        (device(), {"fmt": "packed", "statement": {"alg": -257, "sig": b"x"}}, {}),
        *((device(), {"fmt": fmt, "statement": {}}, {}) for fmt in ("tpm", "android-key", "apple", "fido-u2f")),
        *(
            (device(), {"fmt": fmt, "statement": {"ver": "2.0", "alg": -7, "sig": b"x", "x5c": [b"0"]}}, {})
            for fmt in ("tpm", "android-key", "android-safetynet", "apple", "fido-u2f", "packed")
        ),
        (device(), {"fmt": "compound", "statement": {"0": "x"}}, {}),
    ],
    (25, "id_too_long"): [(device(id=b"i" * 1024), {}, {})],
    (26, "known_credential"): [(device(), {}, {"known": (KNOWN,)})],
}
"""What fails one step of 7.1 alone: a device, how it answers, and what is expected otherwise than usual."""

ASSERTIONS: dict[tuple[int, str], list[tuple[Authenticator, dict[str, Any], dict[str, Any]]]] = {
    (5, "not_offered"): [(device(), {}, {"allowed": (b"another",)})],
    (6, "unknown_credential"): [(device(id=b"\x02" * 32), {}, {}), (device(), {}, {"known": ()})],
    (6, "wrong_user_handle"): [(device(user_handle=b"another"), {}, {})],
    (6, "no_user_handle"): [(device(user_handle=None), {}, {"nameless": (b"another", CHALLENGE)})],
    (10, "wrong_type"): [(device(), {"type": "webauthn.create"}, {}), (device(), {"type": "payment.get"}, {})],
    (11, "wrong_challenge"): REGISTRATIONS[8, "wrong_challenge"],
    (12, "wrong_origin"): REGISTRATIONS[9, "wrong_origin"],
    (13, "embedded"): REGISTRATIONS[10, "embedded"],
    (14, "wrong_top_origin"): REGISTRATIONS[11, "wrong_top_origin"],
    (15, "wrong_rp_id"): REGISTRATIONS[14, "wrong_rp_id"],
    (16, "user_absent"): REGISTRATIONS[15, "user_absent"],
    (17, "user_not_verified"): REGISTRATIONS[16, "user_not_verified"],
    (17, "never_verified"): [(device(), {}, {"known": (evolve(KNOWN, verified=False),)})],
    (18, "wrong_backup_state"): REGISTRATIONS[17, "wrong_backup_state"],
    (19, "changed_backup_eligibility"): [
        (device(flags=UP | UV | BE), {}, {}),
        (device(flags=UP | UV | BE | BS), {}, {}),
        (device(), {}, {"known": (evolve(KNOWN, backup_eligible=True),)}),
    ],
    (21, "wrong_signature"): [
        (device(key=OTHER_KEY), {}, {}),
        (device(algorithm=-35, key=new_key(-35)), {}, {}),
    ],
    (22, "possible_clone"): [
        (device(count=6), {}, {}),
        (device(count=5), {}, {}),
        (device(count=0), {}, {}),
    ],
}
"""What fails one step of 7.2 alone."""


def cases(table: Any) -> list[Any]:
    """Each case of *table*, under its step."""
    return [
        pytest.param(step, *case, id=f"{step[0]}-{step[1]}-{number}")
        for step, found in table.items()
        for number, case in enumerate(found)
    ]


@pytest.mark.parametrize(("step", "made_by", "how", "otherwise"), cases(REGISTRATIONS))
def test_a_registration_fails_the_step_that_it_breaks_and_no_other(step, made_by, how, otherwise):
    """So each step is needed: without it this registration would pass."""
    assert [step] == failed(made_by.register(CHALLENGE, **how), evolve(EXPECTED, **otherwise), "registration")


@pytest.mark.parametrize(("step", "made_by", "how", "otherwise"), cases(ASSERTIONS))
def test_an_assertion_fails_the_step_that_it_breaks_and_no_other(step, made_by, how, otherwise):
    """So each step is needed: without it this assertion would pass."""
    expected = evolve(EXPECTED, **{"known": (KNOWN,), **otherwise})
    assert [step] == failed(made_by.use(CHALLENGE, **how), expected, "assertion")


def test_each_step_that_is_checked_has_a_case():
    """And nothing has one that is no step."""
    for ceremony, table in (("registration", REGISTRATIONS), ("assertion", ASSERTIONS)):
        checked = {(getattr(step, ceremony), step.reason) for step in steps_of(ceremony) if step.check}
        assert checked == set(table)


@pytest.mark.parametrize(("ceremony", "last"), [("registration", 29), ("assertion", 25)])
def test_the_table_has_each_number_of_the_standard(ceremony, last):
    """7.1 has 29 steps and 7.2 has 25."""
    numbers = [getattr(step, ceremony) for step in steps_of(ceremony)]
    assert sorted(numbers) == numbers
    assert [*range(1, last + 1)] == sorted(set(numbers))


def test_a_step_says_who_sees_to_it():
    """What is checked has a reason, and what is not checked has none, or is malformed."""
    for step in CEREMONY_STEPS:
        assert (step.check is not None) == (step.by == "check")
        assert bool(step.reason) == (step.by == "check") or step.by == "reading"


PASSING = [
    *((device(user_handle=None), {}, {}), (device(count=0), {}, {"known": (evolve(KNOWN, sign_count=0),)})),
    (device(), {}, {"allowed": (b"another", device().id)}),
    (device(), {}, {"nameless": (CHALLENGE,)}),
    (device(user_handle=None), {}, {"nameless": (b"another",)}),
    (device(), {}, {"challenges": (b"another", CHALLENGE)}),
    (device(), {"crossOrigin": True}, {"top_origins": ("https://shop.example",)}),
    (device(), {"crossOrigin": True, "topOrigin": "https://shop.example"}, {"top_origins": ("https://shop.example",)}),
    (device(origin="android:apk-key-hash:AAAA"), {}, {"origins": ("https://example.com", "android:apk-key-hash:AAAA")}),
    (device(flags=UP), {}, {"verification": False, "known": (evolve(KNOWN, verified=False),)}),
    (device(flags=UP | UV | BE | BS), {}, {"known": (evolve(KNOWN, backup_eligible=True),)}),
    (device(flags=UP | UV | BE), {}, {"known": (evolve(KNOWN, backup_eligible=True),)}),
    (device(count=6), {}, {"strict_counts": False}),
    (device(), {"other_members": {"may": ["come"]}}, {}),
]


@pytest.mark.parametrize(("made_by", "how", "otherwise"), PASSING)
def test_nothing_that_the_lists_allow_is_refused(made_by, how, otherwise):
    """The same facts pass a registration, as far as they say anything of one."""
    expected = evolve(EXPECTED, **{"known": (KNOWN,), **otherwise})
    assert [] == failed(made_by.use(CHALLENGE, **how), expected, "assertion")
    assert [] == failed(made_by.register(CHALLENGE, **how), evolve(expected, known=()), "registration")


@pytest.mark.parametrize("length", [1, 16, 1023])
def test_an_id_may_have_up_to_1023_bytes(length):
    """Of any length until then."""
    assert [] == failed(device(id=b"i" * length).register(CHALLENGE), EXPECTED, "registration")


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_w3c_pass(name):
    """Each registration, and the assertion with the credential that it makes."""
    vector = VECTORS[name]
    registration, assertion = registration_of(vector), assertion_of(vector)
    assert [] == failed(registration, expected_by(vector["reg"]), "registration")
    assert [] == failed(assertion, expected_by(vector["auth"], known=(known_from(vector),)), "assertion")


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_is_good_for_one_challenge_at_one_place(name):
    """With the challenge of the other ceremony, another RP id or no page that may embed it, the W3C's vectors fail."""
    vector = VECTORS[name]
    assertion, known = assertion_of(vector), (known_from(vector),)
    strict = evolve(expected_by(vector["auth"], known=known), top_origins=())
    embedded = [(13, "embedded")] * ("crossOrigin" in name or "topOrigin" in name)
    top = [(14, "wrong_top_origin")] * ("topOrigin" in name)
    assert embedded + top == failed(assertion, strict, "assertion")
    assert [(11, "wrong_challenge")] == failed(assertion, expected_by(vector["reg"], known=known), "assertion")


@pytest.mark.parametrize("name", [name for name in VECTORS if not name.startswith("none")])
def test_a_statement_is_good_for_one_ceremony_alone(name):
    """With the client data of another ceremony (here with padding, in the other alphabet) each format fails its procedure: the signature covers them."""
    vector = VECTORS[name]
    registration = registration_of(vector)
    other = json.loads(bytes.fromhex(vector["reg"]["clientDataJSON"])) | {"extra": 1}
    client_data = json.dumps(other).encode()
    swapped = registration | {"clientDataJSON_B64": b64encode(client_data).decode()}
    assert [(22, "wrong_attestation")] == failed(swapped, expected_by(vector["reg"]), "registration")


def test_statements_in_one_are_each_correct():
    """A compound statement (8.9) passes if both of its parts do, and there are two."""
    answer = device().register(CHALLENGE, fmt="packed")
    client = hashlib.sha256(device().client_data("webauthn.create", CHALLENGE)).digest()
    part = {
        "fmt": "packed",
        "attStmt": {"alg": -7, "sig": device().sign(device().data(attested=True) + client)},
    }
    empty = {"fmt": "none", "attStmt": {}}
    assert [] == failed(answer, EXPECTED, "registration")
    for parts, passes in (
        *(([part, empty], True), ([part], False), ([], False), ([part, {"fmt": "compound", "attStmt": [part]}], False)),
        *(([part, {}], False), ([part, "packed"], False), ([part, {"fmt": "made-up", "attStmt": {}}], False)),
    ):
        found = failed(device().register(CHALLENGE, fmt="compound", statement=parts), EXPECTED, "registration")
        assert passes == (found == []), parts


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_that_can_be_offered_works(algorithm):
    """A key of it is enrolled, attests to itself, and signs in."""
    made_by = Authenticator(algorithm=algorithm)
    expected = evolve(EXPECTED, algorithms=(algorithm,))
    assert [] == failed(made_by.register(CHALLENGE, fmt="packed"), expected, "registration")
    known = KnownCredential(made_by.id, encoded(made_by.public_key), verified=True)
    assert [] == failed(made_by.use(CHALLENGE), evolve(expected, known=(known,)), "assertion")
    assert len(encoded(made_by.public_key)) < 600
