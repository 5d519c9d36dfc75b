"""The kind passkey: what it asks, what it enrols, and whom it lets in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from attrs import evolve

pytest.importorskip("fido2.webauthn")

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.webauthn import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

from kit.authenticator import BE, BS, UP, UV, Authenticator, decode, encode, new_key, standard_form
from watchword import ConfigurationError, Verdict
from watchword.contract import Credential, NewCredential
from watchword.contract.credentials import MAX_CREDENTIAL_STATE, MAX_CREDENTIALS
from watchword.runtime.creation import flaw_of
from watchword.testing import (
    ANN,
    NOBODY,
    KindContract,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    verify_request,
)
from watchword_plugins.passkey import Passkey
from watchword_plugins.webauthn import steps
from watchword_plugins.webauthn.public_keys import ALGORITHMS, verifies

PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com", "https://login.example.com"))
HANDLE = f"s|{ANN.id}".encode()
KEY = new_key(-7)


def device(**facts: Any) -> Authenticator:
    """A device of Ann's."""
    return Authenticator(**{"key": KEY, "user_handle": HANDLE, **facts})


def options_of(made: Any) -> dict[str, Any]:
    """The options that the client is shown."""
    return json.loads(made.public["options"])


def enrolled(kind: Passkey = PASSKEY, by: Authenticator | None = None, form: Any = dict, **how: Any) -> Any:
    """What comes of an enrolment: a Credential, or the Verdict."""
    begun = kind.begin(begin_request(kind, **how))
    by = by or device()
    answer = form(by.register(decode(options_of(begun)["challenge"]), fmt="packed"))
    made = kind.complete(complete_request(kind, begun, json.dumps(answer), **how))
    return enrolled_credential(kind, made) if isinstance(made, NewCredential) else made


def signed_in(
    credentials: Any, by: Authenticator | None = None, kind: Passkey = PASSKEY, form: Any = dict, **odd: Any
) -> Verdict:
    """What the kind says of an assertion by a device."""
    challenge = kind.create(create_request(kind, credentials=credentials))
    answer = (by or device()).use(decode(options_of(challenge)["challenge"]), **odd)
    return kind.verify(verify_request(kind, challenge, json.dumps(form(answer)), credentials=credentials))


ENROLLED: Credential = enrolled()


class TestPasskey(KindContract):
    kind = PASSKEY
    refused = (
        *(
            {"rp_id": odd}
            for odd in ("", "Example.com", "example", "https://example.com", "example.com:1", "127.0.0.1")
        ),
        *(
            {"rp_id": odd}
            for odd in ("a" * 64 + ".com", "example.com.", "-a.com", "exämple.com", "a." * 127 + "com", 1)
        ),
        *(
            {"origins": (odd,)}
            for odd in ("", "example.com", "https://example.com/", "https://Example.com", "*", "null")
        ),
        *({"origins": (odd,)} for odd in ("http://example.com", "https://example.com:443", "http://localhost:80", 1)),
        *({"origins": (odd,)} for odd in ("https://*.example.com", "https://a@example.com", "android:apk-key-hash:")),
        *({"origins": odd} for odd in ((), [], "https://example.com", ("https://a.com",) * 2, None)),
        {"origins": tuple(f"https://a{n}.com" for n in range(33))},
        {"origins": ("https://" + ".".join(["a" * 60] * 5),)},
        *({"top_origins": odd} for odd in (("*",), ("android:apk-key-hash:" + "A" * 43,), "https://example.com", (1,))),
        *({"algorithms": odd} for odd in ((), (-7, -7), (7,), ("-7",), (True,), (-7.0,), -7, (-49,), (None,))),
        *({"decoys": odd} for odd in ((), ("15:usb",), ("1024:usb",), ("20",), ("20:usb,",), ("20:USB",), "20:usb")),
        *({"decoys": odd} for odd in (("20:a",) * 33, (20,))),
        *({"user_verification": "never"}, {"sign_count": "ignore"}, {"list_credentials": "sometimes"}),
        *({"resident_key": ""}, {"attachment": "usb"}, {"rp_name": "a\nb"}, {"lifetime": 601}, {"attempts": 6}),
    )

    def right(self, request: Any, challenge: Any) -> str:
        return json.dumps(device(rp_id=self.kind.rp_id).use(decode(options_of(challenge)["challenge"])))

    def completes(self, request: Any, enrolment: Any) -> str:
        return json.dumps(
            device(rp_id=self.kind.rp_id).register(decode(options_of(enrolment)["challenge"]), fmt="packed")
        )


class TestPasskeyWithLists(TestPasskey):
    kind = Passkey(
        rp_id="localhost",
        origins=["http://localhost:5173", "https://example.com", "android:apk-key-hash:" + "A" * 43],
        user_verification="preferred",
        top_origins=["https://shop.example"],
        algorithms=[*ALGORITHMS],
        sign_count="report",
        list_credentials="always",
        decoys=["32:internal,hybrid"],  # as Ann's
        resident_key="discouraged",
        attachment="platform",
        rp_name="Example",
    )

    def test_nobody_looks_like_somebody(self) -> None:
        """Here in members and lengths: base64url has hyphens by chance, and how many decoys there are is drawn by name."""
        shown = []
        for how in ({}, {"credentials": ()}, {"user": NOBODY}):
            options = options_of(self._made(**how).challenge)
            listed = [(len(each.pop("id")), each) for each in options.pop("allowCredentials")]
            shown.append((len(options.pop("challenge")), options, listed[0]))
        assert [shown[0]] * 3 == shown

    test_who_has_enrolled_is_not_shown = test_nobody_looks_like_somebody


# Enrolling


def test_what_begin_shows_is_the_standard_s_form():
    """A browser reads it with `parseCreationOptionsFromJSON`; python-fido2 reads the same form."""
    begun = PASSKEY.begin(begin_request(PASSKEY, user=evolve(ANN, attributes={**ANN.attributes, "name": "Ann A."})))
    options = options_of(begun)
    read = PublicKeyCredentialCreationOptions.from_dict(options)
    assert {"id": "example.com", "name": "example.com"} == options["rp"]
    assert ("ann@example.com", "Ann A.", HANDLE) == (read.user.name, read.user.display_name, read.user.id)
    assert len(read.challenge) == 24
    assert [-8, -7, -257] == [each["alg"] for each in options["pubKeyCredParams"]]
    assert (300_000, "none", []) == (options["timeout"], options["attestation"], options["excludeCredentials"])
    assert {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"} == options[
        "authenticatorSelection"
    ]


def test_a_long_name_is_cut():
    """A device may cut it at 64 bytes anyway, in the middle of a character."""
    begun = PASSKEY.begin(begin_request(PASSKEY, user=evolve(ANN, name="n" * 100, attributes={"name": "N" * 100})))
    user = options_of(begun)["user"]
    assert ("n" * 64, "N" * 64) == (user["name"], user["displayName"])


def test_nobody_guesses_a_signature():
    """As likely as breaking the weakest key."""
    assert PASSKEY.guess_probability() == 2**-112


def test_settings_reach_the_options():
    """The name of the site, the device, and how it keeps the key."""
    kind = TestPasskeyWithLists.kind
    options = options_of(kind.begin(begin_request(kind)))
    assert {"id": "localhost", "name": "Example"} == options["rp"]
    assert {
        "authenticatorAttachment": "platform",
        "residentKey": "discouraged",
        "requireResidentKey": False,
        "userVerification": "preferred",
    } == options["authenticatorSelection"]


def test_a_device_that_has_one_already_makes_no_second():
    """The ids of the user's passkeys are excluded, with their transports."""
    begun = PASSKEY.begin(begin_request(PASSKEY, credentials=(ENROLLED,)))
    expected = {"type": "public-key", "id": encode(device().id), "transports": ["internal", "hybrid"]}
    assert [expected] == options_of(begun)["excludeCredentials"]


@pytest.mark.parametrize(
    ("name", "sub", "handle"),
    [
        (ANN.id, ANN.id, ANN.id),
        ("22222222-2222-4222-8222-222222222222", ANN.id, "u|22222222-2222-4222-8222-222222222222"),
        ("ann@example.com", ANN.id, f"s|{ANN.id}"),
        ("ann", "", "u|ann"),
        ("ann\ud800", "", "u|ann?"),
        ("a" * 100, "", "u|" + "a" * 62),
    ],
)
def test_a_user_handle_leads_to_the_name_of_a_sign_in_and_holds_no_address(name, sub, handle):
    """The passwordless client signs in without a name by it; it has 64 bytes at most."""
    begun = PASSKEY.begin(begin_request(PASSKEY, user=evolve(ANN, name=name, id=sub)))
    assert handle.encode() == decode(options_of(begun)["user"]["id"])


@pytest.mark.parametrize("form", [dict, standard_form])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_enrolled_signs_in(algorithm, form):
    """With each algorithm, in both forms of JSON."""
    kind = evolve(PASSKEY, algorithms=(algorithm,))
    by = Authenticator(algorithm=algorithm, user_handle=HANDLE)
    credential = enrolled(kind, by, form)
    assert signed_in((credential,), by, kind, form) == Verdict(right=True)


def test_what_is_kept_is_the_credential_record():
    """Nothing else, and no secret."""
    by = device(flags=UP | UV | BE | BS, count=5, aaguid=bytes(range(16)))
    credential = enrolled(by=by)
    assert encode(by.id) == credential.id
    assert {
        "sign_count": "5",
        "user_verified": "true",
        "backup_eligible": "true",
        "backed_up": "true",
        "transports": "internal,hybrid",
        "aaguid": "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "user_handle": encode(HANDLE),
        "rp_id": "example.com",
    } == {name: value for name, value in credential.state.items() if name != "public_key"}


def test_the_label_is_the_user_s():
    """As the request has it."""
    begun = PASSKEY.begin(begin_request(PASSKEY))
    answer = json.dumps(device().register(decode(options_of(begun)["challenge"])))
    made = PASSKEY.complete(complete_request(PASSKEY, begun, answer, label="my phone"))
    assert isinstance(made, NewCredential)
    assert made.label == "my phone"


def test_the_longest_credential_can_be_kept():
    """With the longest key, handle, transports and count."""
    by = device(flags=UP | UV | BE, count=2**32 - 1, id=b"i" * 1023)
    data = by.data(attested=True, public_key={1: 3, 3: -257, -1: b"\xff" * 512, -2: b"\x7f\xff\xff\xff"})
    begun = PASSKEY.begin(begin_request(PASSKEY, user=evolve(ANN, name="n" * 200, id="")))
    answer = by.register(decode(options_of(begun)["challenge"]), data=data)
    answer["transports"] = [f"{n}".rjust(20, "t") for n in range(9)]
    made = PASSKEY.complete(complete_request(PASSKEY, begun, json.dumps(answer)))
    assert isinstance(made, NewCredential)
    assert sum(len(name) + len(value) for name, value in made.state.items()) < MAX_CREDENTIAL_STATE


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (device(origin="https://evil.org"), "wrong_origin"),
        (device(rp_id="evil.org"), "wrong_rp_id"),
        (device(flags=UP), "user_not_verified"),
        (Authenticator(algorithm=-35), "algorithm_not_offered"),
        (device(id=b"i" * 1024), "id_too_long"),
    ],
)
def test_an_enrolment_that_fails_a_step_gives_its_reason(by, reason):
    """And no credential."""
    assert enrolled(by=by) == Verdict(right=False, reason=reason)


def test_an_enrolment_is_good_for_its_challenge_alone():
    """Another one's answer, a missing challenge and nonsense are wrong."""
    begun, other = (PASSKEY.begin(begin_request(PASSKEY, claim=claim)) for claim in ("claim-1", "claim-2"))
    answer = json.dumps(device().register(decode(options_of(begun)["challenge"])))
    for private in (other.private, {}, {"challenge": ""}, {"challenge": "\ud800"}):
        verdict = PASSKEY.complete(complete_request(PASSKEY, private, answer))
        assert verdict == Verdict(right=False, reason="wrong_challenge")
    for odd in (None, "", "x", json.dumps(device().use(b"c" * 24))):
        verdict = PASSKEY.complete(complete_request(PASSKEY, begun, odd))
        assert verdict == Verdict(right=False, reason="malformed")


def test_a_passkey_is_enrolled_once():
    """The user's own is known here; somebody else's is refused by the store."""
    verdict = enrolled(credentials=(ENROLLED,))
    assert verdict == Verdict(right=False, reason="known_credential")


# Being asked


@pytest.mark.parametrize("user", [ANN, NOBODY])
def test_nobody_is_told_what_is_enrolled_before_a_factor_is_proven(user):
    """Neither that there is a passkey nor that there is none; an offer never tells."""
    for credentials in ((), (ENROLLED,)):
        for make, proven in ((PASSKEY.create, False), (PASSKEY.offer, False), (PASSKEY.offer, True)):
            made = make(create_request(PASSKEY, user=user, credentials=credentials, proven=proven))
            options = options_of(made)
            assert options | {"challenge": ""} == {
                "challenge": "",
                "timeout": 300_000,
                "rpId": "example.com",
                "allowCredentials": [],
                "userVerification": "required",
            }
            assert len(PublicKeyCredentialRequestOptions.from_dict(options).challenge) == 32


def test_ids_are_listed_behind_a_factor():
    """Those of the user alone, and none for who has none."""
    listed = [{"type": "public-key", "id": ENROLLED.id, "transports": ["internal", "hybrid"]}]
    for kind, expected in ((PASSKEY, listed), (evolve(PASSKEY, list_credentials="never"), [])):
        for credentials, shown in (((ENROLLED,), expected), ((), [])):
            made = kind.create(create_request(kind, credentials=credentials, proven=True))
            assert shown == options_of(made)["allowCredentials"]


def test_decoys_look_like_the_app_s_own_mix():
    """One or two for each name, the same each time, of the lengths and transports that the setting gives."""
    kind = evolve(PASSKEY, list_credentials="always", decoys=("20:hybrid,internal", "64:", "1023:usb"))
    users = [evolve(NOBODY, name=f"u{number}", key=f"{number:064}") for number in range(200)]
    shown = [options_of(kind.create(create_request(kind, user=user)))["allowCredentials"] for user in users]
    again = [options_of(kind.create(create_request(kind, user=user, claim="b")))["allowCredentials"] for user in users]
    assert shown == again
    assert {1, 2} == {len(each) for each in shown}
    every = [each for each in shown for each in each]
    assert len({each["id"] for each in every}) == len(every)
    mix = {(len(decode(each["id"])), tuple(each.get("transports", ()))) for each in every}
    assert {(20, ("hybrid", "internal")), (64, ()), (1023, ("usb",))} == mix


def test_decoys_are_the_same_for_somebody_without_a_passkey_and_for_nobody():
    """And behind a factor there are none: then the user is told the truth."""
    kind = evolve(PASSKEY, list_credentials="always")
    somebody = evolve(ANN, key=NOBODY.key)
    for user in (somebody, NOBODY):
        made = options_of(kind.create(create_request(kind, user=user)))["allowCredentials"]
        assert made == options_of(kind.create(create_request(kind, user=NOBODY)))["allowCredentials"] != []
    assert [] == options_of(kind.create(create_request(kind, user=somebody, proven=True)))["allowCredentials"]
    real = options_of(kind.create(create_request(kind, credentials=(ENROLLED,))))["allowCredentials"]
    assert [ENROLLED.id] == [each["id"] for each in real]


@pytest.mark.parametrize(
    ("by", "credentials", "reason"),
    [
        (device(key=new_key(-7)), (ENROLLED,), "wrong_signature"),
        (device(id=b"made up" * 4), (ENROLLED,), "unknown_credential"),
        (device(), (), "unknown_credential"),
        (device(user_handle=b"another"), (ENROLLED,), "wrong_user_handle"),
        (device(origin="https://evil.org"), (ENROLLED,), "wrong_origin"),
        (device(origin="https://evil.org"), (), "unknown_credential"),
    ],
)
def test_a_wrong_answer_is_as_much_work_whoever_has_the_id(monkeypatch, by, credentials, reason):
    """One signature is compared each time: whether an id is a decoy cannot be told by the time of the answer."""
    compared = []

    def noted(*given):
        compared.append(given)
        return verifies(*given)

    monkeypatch.setattr(steps, "verifies", noted)
    assert Verdict(right=False, reason=reason) == signed_in(credentials, by)
    assert 1 == len(compared)


def test_the_key_that_stands_for_none_is_sound_and_lets_nobody_in():
    """Whoever has its private half, which is 1, is nobody's device."""
    one = ec.derive_private_key(1, ec.SECP256R1())
    assert verifies(steps._NOBODYS_KEY, b"message", one.sign(b"message", ec.ECDSA(hashes.SHA256())))
    assert Verdict(right=False, reason="unknown_credential") == signed_in((), device(key=one))


def test_a_decoy_lets_nobody_in():
    """Nobody has its key, and it is no credential."""
    kind = evolve(PASSKEY, list_credentials="always")
    made = kind.create(create_request(kind, user=NOBODY))
    options = options_of(made)
    by = device(id=decode(options["allowCredentials"][0]["id"]))
    answer = json.dumps(by.use(decode(options["challenge"])))
    verdict = kind.verify(verify_request(kind, made, answer, user=NOBODY))
    assert verdict == Verdict(right=False, reason="unknown_credential")


def test_as_many_credentials_as_a_user_may_have_can_be_shown():
    """With the longest ids, in a challenge and in an enrolment."""
    many = tuple(evolve(ENROLLED, id=encode(bytes([n]) * 1023)) for n in range(MAX_CREDENTIALS))
    assert not flaw_of(PASSKEY.create(create_request(PASSKEY, credentials=many, proven=True)), "")
    assert len(PASSKEY.begin(begin_request(PASSKEY, credentials=many)).public["options"]) < 100_000


def test_each_round_has_a_challenge_of_its_own():
    """As has each user; 16 bytes are the least that the standard allows."""
    users = (ANN, evolve(ANN, key="2" * 64))
    made = {
        options_of(PASSKEY.create(create_request(PASSKEY, user=user, claim=f"claim-{n}")))["challenge"]
        for n in range(20)
        for user in users
    }
    assert len(made) == 40
    assert all(len(decode(each)) >= 16 for each in made)


# Signing in


def test_one_of_many_passkeys_signs_in():
    """Whichever it is."""
    others = [enrolled(by=Authenticator(id=bytes([n]) * 16, user_handle=HANDLE)) for n in range(3)]
    for place in range(4):
        assert signed_in((*others[:place], ENROLLED, *others[place:])).right


def test_the_credential_of_another_user_is_unknown():
    """Even with a right signature."""
    assert signed_in(()) == Verdict(right=False, reason="unknown_credential")


@pytest.mark.parametrize(
    ("by", "odd", "reason"),
    [
        (device(origin="https://login.example.com"), {}, ""),
        (device(user_handle=None), {}, ""),
        (device(origin="https://evil.example.com"), {}, "wrong_origin"),
        (device(), {"crossOrigin": True}, "embedded"),
        (device(), {"topOrigin": "https://shop.example"}, "wrong_top_origin"),
        (device(), {"challenge": "Y2M"}, "wrong_challenge"),
        (device(user_handle=b"s|eve"), {}, "wrong_user_handle"),
        (device(flags=UP), {}, "user_not_verified"),
        (device(flags=UP | UV | BE), {}, "changed_backup_eligibility"),
        (device(key=new_key(-7)), {}, "wrong_signature"),
    ],
)
def test_a_sign_in_that_fails_a_step_gives_its_reason(by, odd, reason):
    """For the audit alone."""
    assert signed_in((ENROLLED,), by, **odd) == Verdict(right=not reason, reason=reason)


def test_a_key_that_never_verified_its_user_is_no_second_factor():
    """Who steals a key without a PIN can set one: UV counts only if it was there from the beginning (uvInitialized)."""
    lax = evolve(PASSKEY, user_verification="preferred")
    unverified = enrolled(lax, device(flags=UP))
    assert signed_in((unverified,), device(flags=UP), lax).right
    assert signed_in((unverified,), device(), lax).right
    assert signed_in((unverified,), device()) == Verdict(right=False, reason="never_verified")


def test_what_it_proves_follows_the_setting():
    """A third factor is never proven, and a second one only where it is demanded."""
    assert {"possession", "knowledge"} == PASSKEY.proves
    for word in ("preferred", "discouraged"):
        assert {"possession"} == evolve(PASSKEY, user_verification=word).proves


def test_a_challenge_that_the_host_gave_out_before_is_as_good():
    """A sign-in without a user name begins with it. What the host gives out is nothing to anybody else."""
    made = PASSKEY.create(create_request(PASSKEY))
    answer = json.dumps(device().use(b"from the endpoint"))
    request = verify_request(PASSKEY, made, answer, credentials=(ENROLLED,))
    assert PASSKEY.verify(request) == Verdict(right=False, reason="wrong_challenge")
    assert PASSKEY.verify(evolve(request, issued=(encode(b"another"), encode(b"from the endpoint")))).right
    for odd in ("", "é", "A"):
        assert not PASSKEY.verify(evolve(request, issued=(odd,))).right
    # Then the passkey has to say whose it is (7.2 step 6).
    silent = json.dumps(device(user_handle=None).use(b"from the endpoint"))
    request = evolve(request, answer=silent, issued=(encode(b"from the endpoint"),))
    assert PASSKEY.verify(request) == Verdict(right=False, reason="no_user_handle")


# Sign counts and backups


@pytest.mark.parametrize(
    ("stored", "sent", "right", "kept"),
    [
        (0, 0, True, None),
        (0, 1, True, "1"),
        (5, 6, True, "6"),
        (5, 2**32 - 1, True, "4294967295"),
        (5, 5, False, None),
        (5, 4, False, None),
        (5, 0, False, None),
    ],
)
def test_a_sign_count_must_grow_unless_nothing_is_counted(stored, sent, right, kept):
    """Equal or lower may be a clone; 0 and 0 write nothing."""
    credential = enrolled(by=device(count=stored))
    strict = signed_in((credential,), device(count=sent))
    assert (right, "" if right else "possible_clone") == (strict.right, strict.reason)
    lenient = signed_in((credential,), device(count=sent), evolve(PASSKEY, sign_count="report"))
    assert (True, "" if right else "possible_clone") == (lenient.right, lenient.reason)
    for verdict in (strict, lenient):
        assert kept == (verdict.use.state["sign_count"] if verdict.use else None)


def test_the_one_write_is_the_credential_that_was_used():
    """With all else as it was."""
    credential = enrolled(by=device(count=1))
    use = signed_in((credential,), device(count=2)).use
    assert use == evolve(credential, state={**credential.state, "sign_count": "2"})


def test_a_backup_is_noted():
    """Once, when it has changed; eligibility never does."""
    credential = enrolled(by=device(flags=UP | UV | BE))
    backed_up = device(flags=UP | UV | BE | BS)
    use = signed_in((credential,), backed_up).use
    assert use is not None
    assert (use.state["backed_up"], use.state["backup_eligible"]) == ("true", "true")
    assert signed_in((use,), backed_up) == Verdict(right=True)


@pytest.mark.parametrize("name", ["public_key", "sign_count", "user_handle", "user_verified"])
@pytest.mark.parametrize("odd", ["", "é", "-1", "1e3", "AAAA", "9" * 11, None])
def test_what_somebody_else_put_into_the_store_lets_nobody_in(name, odd):
    """Nothing is raised either, and the other passkeys of the user work."""
    state = {key: value for key, value in ENROLLED.state.items() if key != name}
    broken = evolve(ENROLLED, state=state if odd is None else {**state, name: odd})
    assert not signed_in((broken,)).right
    assert not signed_in((evolve(ENROLLED, id=odd or "é"),)).right
    other = Authenticator(id=b"o" * 16, user_handle=HANDLE)
    assert signed_in((broken, enrolled(by=other)), other).right


# What it loads


def test_a_challenge_and_the_options_need_no_library():
    """Only what judges an answer loads fido2, and only when there is one that can be read."""
    program = """
import sys
from watchword.testing import begin_request, create_request, verify_request
from watchword_plugins.passkey import Passkey
kind = Passkey(rp_id="example.com", origins=["https://example.com"])
made = kind.create(create_request(kind))
kind.begin(begin_request(kind))
print(*sorted({name.split(".")[0] for name in sys.modules} & {"fido2", "cryptography"}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_flow_file_can_ask_for_it(tmp_path):
    """By its name, with lists as TOML has them."""
    from watchword import load_flow

    path = tmp_path / "flow.toml"
    path.write_text('[[steps]]\nkind = "passkey"\nrp_id = "example.com"\norigins = ["https://example.com"]\n')
    step = load_flow(path).steps["passkey"]
    assert step.kind == Passkey(rp_id="example.com", origins=("https://example.com",))
    path.write_text('[[steps]]\nkind = "passkey"\nrp_id = "example.com"\n')
    with pytest.raises(ConfigurationError, match="origins"):
        load_flow(path)


ORIGIN = "https://example.com"


@pytest.mark.parametrize(
    ("setting", "value", "culprit"),
    [
        ("rp_id", "Example.com", "'Example.com'"),
        ("rp_id", None, "None"),
        ("origins", (ORIGIN, "http://example.com"), "'http://example.com'"),
        ("origins", (ORIGIN, "https://example.com/"), "'https://example.com/'"),
        ("origins", (ORIGIN, ORIGIN), f"'{ORIGIN}'"),
        ("origins", ORIGIN, f"'{ORIGIN}'"),
        ("origins", (ORIGIN, 5), "5"),
        ("origins", (), "()"),
        ("origins", ("x" * 1000,), f"'{'x' * 79}"),
        ("top_origins", ("*",), "'*'"),
    ],
)
def test_a_domain_and_an_origin_that_are_none_are_named(setting: str, value: object, culprit: str) -> None:
    """Of a list of many, the one that is wrong."""
    settings: dict[str, Any] = {"rp_id": "example.com", "origins": (ORIGIN,), setting: value}
    with pytest.raises(ConfigurationError) as error:
        Passkey(**settings)
    assert str(error.value).startswith(f"passkey: {setting} must be ")
    assert str(error.value).endswith(f", not {culprit}")
