"""Codes of an authenticator app: the standards' vectors, each step once, and what enrolment shows."""

from __future__ import annotations

import subprocess
import sys
from base64 import b32decode, b32encode
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.programs import find_program
from watchword import Flow, User, Verdict, load_flow
from watchword.contract import Credential, NewCredential, powers_of
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing import (
    ANN,
    NOBODY,
    NOW,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    hostile_answers,
    verify_request,
)
from watchword_plugins.totp import Totp

pyotp = pytest.importorskip("pyotp")

STEP = int(NOW) // 30
RFC_SECRET = b"12345678901234567890"
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
"""RFC 4226, appendix D: counts 0 to 9."""
RFC_6238 = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]
"""RFC 6238, appendix B: SHA-1, eight digits."""


def with_secret(request: Any, secret: bytes) -> Any:
    """Return *request* as it is where root key and id derive *secret*."""
    return evolve(request, methods=evolve(request.methods, derive=lambda id_, root: secret.ljust(32, b"?")))


def secret_of(kind: Totp) -> str:
    """Return the secret that Ann is shown."""
    return kind.begin(begin_request(kind)).public["secret"]


def code_at(kind: Totp, step: int) -> str:
    """Return what Ann's app shows at *step*."""
    return str(pyotp.HOTP(secret_of(kind), digits=kind.digits).at(step))


def enrolled(kind: Totp, step: int = 0) -> Credential:
    """Return Ann's credential, whose last used step is *step*."""
    begun = kind.begin(begin_request(kind))
    new = kind.complete(complete_request(kind, begun, code_at(kind, STEP)))
    assert isinstance(new, NewCredential)
    credential = enrolled_credential(kind, new)
    return evolve(credential, state={**credential.state, "step": str(step)})


def judged(kind: Totp, answer: Any, credential: Credential | None, now: float = NOW) -> Verdict:
    """Return what the kind says of *answer*, from somebody with *credential*."""
    owned = (credential,) if credential else ()
    return kind.verify(verify_request(kind, {}, answer, now=now, credentials=owned))


# The standards


@pytest.mark.parametrize(("now", "code"), RFC_6238)
def test_the_vectors_of_rfc_6238(now: int, code: str) -> None:
    """Appendix B, for SHA-1: the code is right at its time, and its step is what counts as used."""
    kind = Totp(digits=8, drift=0)
    request = verify_request(kind, {}, code, now=now, credentials=(enrolled(Totp()),))
    verdict = kind.verify(with_secret(request, RFC_SECRET))
    assert verdict.right
    assert verdict.use is not None
    assert str(now // 30) == verdict.use.state["step"]


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_the_library_passes_all_vectors_of_rfc_6238(digest: str) -> None:
    """18 of 18: what is left to the library is right, for the digests that no app asks for as well."""
    import hashlib

    length = {"sha1": 20, "sha256": 32, "sha512": 64}[digest]
    expected = {
        "sha1": [code for _, code in RFC_6238],
        "sha256": ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"],
        "sha512": ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"],
    }[digest]
    secret = b32encode((RFC_SECRET * 4)[:length]).decode()
    app = pyotp.TOTP(secret, digits=8, digest=getattr(hashlib, digest))
    assert expected == [app.at(now) for now, _ in RFC_6238]


@pytest.mark.parametrize("count", range(10))
def test_the_vectors_of_rfc_4226(count: int) -> None:
    """Appendix D: six digits, at the step of that number."""
    kind = Totp(drift=0)
    owned = enrolled(Totp(), step=0)
    request = verify_request(kind, {}, RFC_4226[count], now=count * 30, credentials=(owned,))
    verdict = kind.verify(with_secret(request, RFC_SECRET))
    # Step 0, of 1970, is the one that a state without any use names.
    assert (count > 0, "" if count else "step_used") == (verdict.right, verdict.reason)


@pytest.mark.parametrize(("digits", "period", "now"), [(6, 30, 1_800_000_000), (8, 60, 1_999_999_999), (7, 15, 1)])
def test_oathtool_shows_the_same_code(digits: int, period: int, now: int) -> None:
    """A program of others, in C, given the secret that the user types."""
    kind = Totp(digits=digits, period=period, drift=0)
    oathtool = find_program("oathtool", remedy="apt-get install oathtool")
    command = [oathtool, "--totp", "-b", f"-d{digits}", f"-s{period}s", "--now", f"@{now}", secret_of(kind)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert isinstance(
        kind.complete(complete_request(kind, kind.begin(begin_request(kind)), shown, now=now)), NewCredential
    )


# Each step once


@pytest.mark.parametrize("drift", [0, 1, 2])
def test_a_code_counts_within_the_drift_alone(drift: int) -> None:
    """So many steps either way, to the second at which a step ends."""
    kind = Totp(drift=drift)
    owned = enrolled(kind)
    for step in range(STEP - 4, STEP + 5):
        for now in (STEP * 30, STEP * 30 + 29.999):
            assert (abs(step - STEP) <= drift) is judged(kind, code_at(kind, step), owned, now).right


@given(st.lists(st.tuples(st.integers(-3, 3) | st.sampled_from([-1000, 1000]), st.integers(-2, 2)), max_size=12))
def test_the_steps_that_are_used_only_grow(uses: list[tuple[int, int]]) -> None:
    """Whatever the clock does, also where it is set back or leaps ahead: a code is right if its step is near and above the last used."""
    kind, credential, now, last = Totp(), enrolled(Totp()), STEP, 0
    for moved, off in uses:
        now += moved
        verdict = judged(kind, code_at(kind, now + off), credential, now * 30)
        assert (abs(off) <= 1 and now + off > last) is verdict.right
        if verdict.right:
            assert verdict.use is not None
            credential, last = verdict.use, now + off
            assert str(last) == credential.state["step"]


def test_a_code_is_right_once() -> None:
    """RFC 6238 5.2: the verifier must not accept it a second time, not even a step later while it is within the drift."""
    kind = Totp()
    verdict = judged(kind, code_at(kind, STEP), enrolled(kind))
    assert verdict.right
    for later in (0, 1, 29, 30, 59):
        again = judged(kind, code_at(kind, STEP), verdict.use, NOW + later)
        assert (False, "step_used") == (again.right, again.reason)


def test_the_step_of_enrolment_is_used() -> None:
    """The code that completes an enrolment signs nobody in."""
    kind = Totp()
    new = kind.complete(complete_request(kind, kind.begin(begin_request(kind)), code_at(kind, STEP)))
    assert isinstance(new, NewCredential)
    assert "step_used" == judged(kind, code_at(kind, STEP), enrolled_credential(kind, new)).reason
    assert judged(kind, code_at(kind, STEP + 1), enrolled_credential(kind, new)).right


def test_of_two_steps_with_one_code_the_last_is_used() -> None:
    """Were it the first, the same code would be right again."""
    kind, owned = Totp(), enrolled(Totp())
    start = next(step for step in range(ALIKE, 10**7) if code_at_fast(step) == code_at_fast(step + 1))
    verdict = judged(kind, code_at_fast(start), owned, start * 30)
    assert verdict.use is not None
    assert str(start + 1) == verdict.use.state["step"]
    assert not judged(kind, code_at_fast(start), verdict.use, start * 30).right


def code_at_fast(step: int) -> str:
    """Return what Ann's app shows at *step*, without enrolling first."""
    import hashlib
    import hmac

    digest = hmac.digest(_RAW, step.to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


_RAW = b32decode(secret_of(Totp()))
ALIKE = 29_724
"""The first step whose code is that of the next one too, by the key of the test kit."""


def test_all_credentials_are_looked_at() -> None:
    """A store may have two for a while; the one whose code it is, is used."""
    kind, first = Totp(), enrolled(Totp())
    second, secret = evolve(first, id="f" * 32), kind.begin(evolve(begin_request(kind), id="f" * 32)).public["secret"]
    for owned in ((first, second), (second, first)):
        verdict = kind.verify(verify_request(kind, {}, pyotp.HOTP(secret).at(STEP), credentials=owned))
        assert verdict.use is not None
        assert "f" * 32 == verdict.use.id


# What is typed


def test_spaces_as_apps_show_them_do_not_count() -> None:
    """Apps write codes in two groups."""
    kind = Totp()
    code = code_at(kind, STEP)
    assert judged(kind, f"{code[:3]} {code[3:]}", enrolled(kind)).right


@pytest.mark.parametrize("base", [0x660, 0x966, 0xFF10, 0x1D7CE])
def test_digits_of_other_scripts_are_wrong(base: int) -> None:
    """The library's own comparison would take the full-width ones."""
    kind = Totp()
    odd = code_at(kind, STEP).translate({48 + digit: base + digit for digit in range(10)})
    assert "malformed" == judged(kind, odd, enrolled(kind)).reason
    verdict = kind.complete(complete_request(kind, kind.begin(begin_request(kind)), odd))
    assert Verdict(right=False, reason="malformed") == verdict


def test_hostile_answers_enrol_nobody() -> None:
    """Each is a wrong answer; none raises."""
    kind = Totp()
    begun = kind.begin(begin_request(kind))
    for answer in hostile_answers(code_at(kind, STEP)):
        verdict = kind.complete(complete_request(kind, begun, answer))
        assert isinstance(verdict, Verdict)
        assert not verdict.right


def test_reasons_say_what_was_wrong() -> None:
    """One word each, for the audit."""
    kind = Totp()
    owned = enrolled(kind, STEP)
    assert "step_used" == judged(kind, code_at(kind, STEP), owned).reason
    assert "wrong" == judged(kind, code_at(kind, STEP + 7), owned).reason
    assert "no_credential" == judged(kind, code_at(kind, STEP), None).reason
    for answer in ("12345", "1234567", "ABCDEF", "12345A"):
        assert "malformed" == judged(kind, answer, owned).reason


# Who has not enrolled


@pytest.mark.parametrize("user", [ANN, NOBODY])
def test_who_has_not_enrolled_does_the_same_work_and_is_never_right(user: User) -> None:
    """A secret is derived and as many codes are compared, and not even the code of the made-up secret is right."""
    kind, derived = Totp(), []
    request = verify_request(kind, {}, code_at(kind, STEP), user=user)
    real = request.methods.derive

    def derive(id_: str, root: str) -> bytes:
        derived.append((id_, root))
        return real(id_, root)

    assert not kind.verify(evolve(request, methods=evolve(request.methods, derive=derive))).right
    assert [(request.pseudonym("nobody"), request.root_key)] == derived
    made_up = b32encode(real(*derived[0])[:20]).decode()
    verdict = kind.verify(verify_request(kind, {}, pyotp.HOTP(made_up).at(STEP), user=user))
    assert Verdict(right=False, reason="no_credential") == verdict


def test_everybody_is_asked_alike() -> None:
    """Enrolled or not, known or not; and so for an offer, which reads no store."""
    kind = Totp()
    requests = [create_request(kind, user=user) for user in (ANN, NOBODY)]
    requests += [create_request(kind, credentials=(enrolled(kind),))]
    made = [ask(request) for ask in (kind.create, kind.offer) for request in requests]
    assert [made[0]] * 6 == made
    assert {"digits": "6"} == dict(made[0].public)


@pytest.mark.parametrize("step", ["", "-1", "1.0", "x", "\u0661", None])
def test_a_state_that_cannot_be_read_lets_nobody_in(step: str | None) -> None:
    """Nobody gets in by a record that was written by hand."""
    kind, owned = Totp(), enrolled(Totp())
    state = {name: text for name, text in {**owned.state, "step": step}.items() if text is not None}
    assert not judged(kind, code_at(kind, STEP), evolve(owned, state=state)).right


def test_a_root_key_that_is_gone_is_no_wrong_answer() -> None:
    """UnavailableError: the operator has taken away what the code is compared with."""
    with pytest.raises(UnavailableError):
        judged(Totp(), "123456", evolve(enrolled(Totp()), state={"root": "gone", "step": "0"}))


# Enrolment


def test_the_secret_is_derived_and_nowhere_stored() -> None:
    """160 bits for the app; what is kept names the root key and the last step alone."""
    kind = Totp()
    begun = kind.begin(begin_request(kind))
    request = begin_request(kind)
    assert request.derive(request.id, request.root_key)[:20] == b32decode(begun.public["secret"])
    assert {"id": request.id, "root": request.root_key} == dict(begun.private)
    assert {} == dict(begun.carry)
    assert {"root": request.root_key, "step": "0"} == dict(enrolled(kind).state)
    assert begun == kind.begin(begin_request(kind, again=True, claim="claim-2")), "a second round shows another secret"


@pytest.mark.parametrize("issuer", ["", "Acme & Söhne"])
@pytest.mark.parametrize(("digits", "period"), [(6, 30), (8, 60)])
def test_the_uri_is_read_back_by_the_library(issuer: str, digits: int, period: int) -> None:
    """Secret, digits, period, issuer and account come out as they went in."""
    kind = Totp(digits=digits, period=period, issuer=issuer)
    begun = kind.begin(begin_request(kind))
    assert begun.public["otpauth_uri"].isascii()
    read = pyotp.parse_uri(begun.public["otpauth_uri"])
    assert (begun.public["secret"], digits, period) == (read.secret, read.digits, read.interval)
    assert ("ann@example.com", issuer or None) == (read.name, read.issuer)


@pytest.mark.parametrize(
    ("user", "account"),
    [
        (ANN, "ann@example.com"),
        (evolve(ANN, attributes={"email": "eve@example.com"}), "ann"),  # nobody has verified it
        (evolve(ANN, attributes={"email": "eve@example.com", "email_verified": "false"}), "ann"),
        (evolve(ANN, attributes={"email": "eve@example.com", "email_verified": "yes"}), "ann"),
        (evolve(ANN, name="a", attributes={}), "a"),
        (evolve(ANN, name="a" * 128, attributes={}), "a" * 128),
        (evolve(ANN, name="+1555", attributes={}), "+1555"),
        (evolve(ANN, name="Bank: x", attributes={}), "account"),  # would be an issuer
        (evolve(ANN, name="a\nb", attributes={}), "account"),
        (evolve(ANN, name="\u202etxt", attributes={}), "account"),
        (evolve(ANN, name="\ud800", attributes={}), "account"),
        (evolve(ANN, name="", attributes={}), "account"),
        (evolve(ANN, name="a" * 129, attributes={}), "account"),
        (evolve(ANN, name="a/b", attributes={}), "account"),
        (evolve(ANN, name="a?secret=b&c#d%25é", attributes={}), "a?secret=b&c#d%25é"),
        (NOBODY, "account"),
    ],
)
def test_the_account_is_the_users_own(user: User, account: str) -> None:
    """A verified address, or the user's name if it can be shown; it is one part of the path, whatever it holds."""
    kind = Totp(issuer="Acme")
    uri = kind.begin(begin_request(kind, user=user)).public["otpauth_uri"]
    parts = urlsplit(uri)
    assert ("otpauth", "totp", "") == (parts.scheme, parts.netloc, parts.fragment)
    assert f"/Acme:{account}" == unquote(parts.path)
    assert account == pyotp.parse_uri(uri).name


def test_two_users_have_two_secrets() -> None:
    """And so have two credentials of one user."""
    kind = Totp()
    request = begin_request(kind)
    secrets = {
        kind.begin(each).public["secret"]
        for each in (request, begin_request(kind, user=NOBODY), evolve(request, id="f" * 32))
    }
    assert 3 == len(secrets)


# What it says of itself


def test_it_says_what_it_proves_and_how_easy_a_guess_is() -> None:
    """Possession, by one right code in so many, for each step within the drift."""
    assert {"possession"} == Totp().proves
    assert 3e-6 == Totp().guess_probability()
    assert 1e-8 == Totp(digits=8, drift=0).guess_probability()
    powers = powers_of(Totp())
    assert ("one", True, True, False) == (powers.remembers, powers.enrols, powers.offers, powers.backup)


@pytest.mark.parametrize(
    "setting", [{"issuer": "Acme: x"}, {"issuer": "a\nb"}, {"digits": 5}, {"drift": 3}, {"period": 121}]
)
def test_settings_are_refused(setting: dict[str, Any]) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match=f"totp: {next(iter(setting))} "):
        Totp(**setting)


@pytest.mark.parametrize(
    ("setting", "low", "high", "default"),
    [
        ("digits", 6, 8, 6),
        ("period", 15, 120, 30),
        ("drift", 0, 2, 1),
        ("attempts", 1, 5, 3),
        ("lifetime", 60, 600, 180),
    ],
)
def test_numbers_have_bounds(setting: str, low: int, high: int, default: int) -> None:
    """The least and the most are taken, and what is beyond them is not."""
    assert default == getattr(Totp(), setting)
    for value in (low, high):
        assert value == getattr(Totp(**{setting: value}), setting)
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigurationError, match=f"totp: {setting} must be a whole number from {low} to {high}"):
            Totp(**{setting: value})


def test_an_issuer_has_up_to_64_characters() -> None:
    """And one more is refused."""
    assert 64 == len(Totp(issuer="a" * 64).issuer)
    with pytest.raises(ConfigurationError, match="totp: issuer "):
        Totp(issuer="a" * 65)


def test_the_issuer_is_no_part_of_the_fingerprint() -> None:
    """A new name of the application ends no sign-in."""
    assert Flow(Totp()).fingerprint == Flow(Totp(issuer="Acme")).fingerprint
    assert Flow(Totp()).fingerprint != Flow(Totp(digits=8)).fingerprint


def test_a_file_asks_for_it(tmp_path: Any) -> None:
    """By the name of the kind."""
    file = tmp_path / "flow.toml"
    file.write_text('[[steps]]\nkind = "totp"\nissuer = "Acme"\n')
    assert Flow(Totp(issuer="Acme")) == load_flow(str(file))


def test_the_module_does_without_the_library() -> None:
    """Importing it, and asking for the code, loads nothing of pyotp."""
    program = (
        "import sys; from watchword_plugins.totp import Totp; from watchword.testing import create_request; "
        "Totp().create(create_request(Totp())); print('pyotp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "False" == done.stdout.strip()
