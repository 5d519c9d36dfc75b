"""Proof of work: what it draws, which answers it takes, and that nobody passes without the work."""

from __future__ import annotations

import base64
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Flow, one_of, sequence
from watchword.contract.kinds import Challenge
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError
from watchword.testing import ANN, NOBODY, FlowUser, create_request, recorded_codes, verify_request
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.proof_of_work import ProofOfWork, _refuse_old_altcha

altcha = pytest.importorskip("altcha")

EASY = ProofOfWork(cost=1000, work=10)
IN_MEMORY = ProofOfWork(algorithm="SCRYPT", cost=1024, work=10)
LONGER = ProofOfWork(algorithm="PBKDF2/SHA-512", cost=1000, work=10)
KINDS = [EASY, LONGER, IN_MEMORY]


def make(kind: ProofOfWork = EASY, **how: Any) -> Challenge:
    return kind.create(create_request(kind, **how))


def shown(challenge: Challenge) -> dict[str, Any]:
    """The challenge that the client sees."""
    return json.loads(challenge.public["challenge"])


def solved(challenge: Challenge) -> dict[str, Any]:
    """The payload that the library makes of a challenge, by working."""
    read = altcha.Challenge.from_dict(shown(challenge))
    return altcha.Payload(read, altcha.solve_challenge(read)).to_dict()


def encoded(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def judged(challenge: Challenge, answer: Any, kind: ProofOfWork = EASY, **how: Any) -> str:
    """``right``, or the reason why not."""
    verdict = kind.verify(verify_request(kind, challenge, answer, **how))
    return "right" if verdict.right else verdict.reason


# The protocol


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.algorithm)
def test_who_works_passes(kind: ProofOfWork) -> None:
    """The library's own solution is right, with the time that it took and without."""
    challenge = make(kind)
    payload = solved(challenge)
    assert judged(challenge, encoded(payload), kind) == "right"
    del payload["solution"]["time"]
    assert judged(challenge, encoded(payload), kind) == "right"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.algorithm)
def test_the_library_says_the_same(kind: ProofOfWork) -> None:
    """With the secret that signs a challenge, it verifies the signature and the solution, and nothing that differs in one of them."""
    with recorded_codes() as drawn:
        challenge = make(kind)
    secret, right = bytes.fromhex(drawn[0].text[80:]), drawn[-1].text
    assert altcha.verify_solution(right, secret).verified
    assert encoded(solved(challenge)) != right
    assert judged(challenge, right, kind) == "right"
    for path, value in (
        ("challenge.parameters.cost", 1),
        ("challenge.parameters.keyPrefix", ""),
        ("solution.counter", 0),
    ):
        forged = encoded(changed(json.loads(base64.b64decode(right)), path, value))
        assert not altcha.verify_solution(forged, secret).verified
        assert judged(challenge, forged, kind) == "wrong"


def test_the_challenge_is_as_set() -> None:
    """Algorithm, cost, a prefix of half the key, and no time at which it expires: the engine does that."""
    parameters = shown(make(ProofOfWork(cost=2000)))["parameters"]
    assert parameters | {"nonce": "", "salt": "", "keyPrefix": ""} == {
        "algorithm": "PBKDF2/SHA-256",
        "cost": 2000,
        "keyLength": 32,
        "keyPrefix": "",
        "nonce": "",
        "salt": "",
    }
    assert [16, 16, 16] == [len(bytes.fromhex(parameters[name])) for name in ("nonce", "salt", "keyPrefix")]
    assert {"memoryCost": 8, "parallelism": 1, "cost": 1024}.items() <= shown(make(IN_MEMORY))["parameters"].items()


def test_no_more_work_than_twice_the_average() -> None:
    """Numbers are drawn evenly from 0 to twice the work, so that quitting early saves an attacker nothing."""
    counters = [solved(make(claim=str(number)))["solution"]["counter"] for number in range(60)]
    assert max(counters) < 2 * EASY.work
    assert len(set(counters)) > EASY.work
    assert 0.7 * EASY.work < sum(counters) / len(counters) < 1.3 * EASY.work


def test_it_draws_from_its_claim_alone() -> None:
    """The same claim gives the same challenge, another claim or user another one in every part."""
    assert make() == make()
    ones, others = shown(make()), (shown(make(claim="claim-2")), shown(make(user=NOBODY)))
    for other in others:
        assert ones["signature"] != other["signature"]
        assert all(ones["parameters"][name] != other["parameters"][name] for name in ("nonce", "salt", "keyPrefix"))


def test_the_answer_fits_what_is_read() -> None:
    """The longest payload of a client is far below the limit."""
    longest = ProofOfWork(algorithm="SCRYPT", cost=32_768, work=100_000)
    with recorded_codes() as drawn:
        make(longest)
    assert len(drawn[-1].text) < powers_of(longest).longest_answer / 2


# Settings


def test_scrypt_has_defaults_of_its_own() -> None:
    """Its cost is no number of iterations; the defaults are such that a try takes milliseconds."""
    assert (ProofOfWork().cost, ProofOfWork().work) == (5000, 1000)
    assert (ProofOfWork(algorithm="SCRYPT").cost, ProofOfWork(algorithm="SCRYPT").work) == (4096, 100)


@pytest.mark.parametrize("cost", [1023, 1025, 3000, 65_536, 4096.0, True, "4096"])
def test_the_cost_of_scrypt_is_a_power_of_two(cost: Any) -> None:
    """The message says from where to where."""
    with pytest.raises(
        ConfigurationError, match="cost must be a power of two from 1024 to 32768 with the algorithm SCRYPT"
    ):
        ProofOfWork(algorithm="SCRYPT", cost=cost)


def test_difficulty_may_change_in_the_midst_of_a_sign_in() -> None:
    """Neither the flow nor Verify reads it: what was asked counts."""
    challenge = make()
    harder = ProofOfWork(algorithm="SCRYPT", cost=2048, work=50)
    assert judged(challenge, encoded(solved(challenge)), harder) == "right"
    assert Flow(sequence(EASY, EmailOtp())).fingerprint == Flow(sequence(harder, EmailOtp())).fingerprint


@pytest.fixture
def unlooked() -> Iterator[None]:
    """Nobody has looked at the version so far."""
    _refuse_old_altcha.cache_clear()
    yield
    _refuse_old_altcha.cache_clear()


@pytest.mark.usefixtures("unlooked")
@pytest.mark.parametrize(
    ("installed", "told"),
    [("2.0.2", "2.0.2"), ("1.0", "1.0"), ("0.9.1", "0.9.1"), ("2", "2"), ("x.y", "x.y"), (None, "an unknown version")],
)
def test_an_older_library_is_refused(monkeypatch: pytest.MonkeyPatch, installed: str | None, told: str) -> None:
    """Before 2.1 it takes answers without work. A host and the kind alone say the version and the command."""

    def version(name: str) -> str:
        assert name == "altcha"
        if installed is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(importlib.metadata, "version", version)
    said = []
    for ask in (
        lambda: FlowUser(Flow(sequence(EASY, EmailOtp())), ledger=MemoryLedger()),
        lambda: EASY.create(create_request(EASY)),
    ):
        with pytest.raises(ConfigurationError) as caught:
            ask()
        said.append(str(caught.value))
    for each in said:
        assert f"proof_of_work needs altcha 2.1 or newer, and {told} is installed" in each
        assert "pip install --upgrade 'watchword[proof-of-work]'" in each


@pytest.mark.usefixtures("unlooked")
@pytest.mark.parametrize("installed", ["2.1", "2.1.0", "2.10.0", "2.3.0rc1", "3.0"])
def test_newer_libraries_are_taken(monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    """By number, not by letter."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: installed)
    EASY.prepare()


# Attacks


def changed(payload: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of *payload* with another *value* at *path*."""
    copy = json.loads(json.dumps(payload))
    *way, last = path.split(".")
    place = copy
    for name in way:
        place = place[name]
    place[last] = value
    return copy


FORGERIES = [
    *product(
        ("solution.counter",),
        (0, -1, 2**32, 2**64, 10**400, 1.0, "1", True, None, [], {}, float("inf")),
    ),
    *product(("solution.derivedKey",), ("", "00" * 32, "AB" * 32, None, 0, [], {}, "\ud800")),
    *product(("challenge.signature",), ("", "0" * 64, None, 0, [], {})),
    *product(
        ("challenge.parameters",),
        (None, [], {}, "", {"algorithm": "SHA-256", "cost": 1, "nonce": "", "salt": "", "keyPrefix": ""}),
    ),
    *product(("challenge.parameters.cost",), (1, 0, -1, 999, 1000.0, "1000", True)),
    *product(("challenge.parameters.keyPrefix",), ("", "0", "00")),
    *product(("challenge.parameters.keyLength",), (0, 1, 16)),
    *product(("challenge.parameters.algorithm",), ("SHA-256", "PBKDF2/SHA-512", "NONE", None)),
    *product(("challenge.parameters.nonce", "challenge.parameters.salt"), ("", "00" * 16)),
    ("challenge.parameters.expiresAt", 10**10),
    ("challenge.parameters.expiresAt", None),
    ("challenge.parameters.keySignature", "0" * 64),
    ("challenge.parameters.counterMode", "string"),
    ("challenge.parameters.data", {"round": "other"}),
]


@pytest.mark.parametrize(("path", "value"), FORGERIES)
def test_a_changed_payload_is_wrong(path: str, value: Any) -> None:
    """Each value counts: of the challenge, since another one would be easier, and of the solution."""
    challenge = make()
    assert judged(challenge, encoded(changed(solved(challenge), path, value))) in {"wrong", "malformed"}


def test_a_challenge_of_ones_own_is_wrong() -> None:
    """With little work or none, and with parts of ours."""
    challenge = make()
    own = altcha.create_challenge("PBKDF2/SHA-256", 1, counter=0, hmac_secret="mine").to_dict()
    for forged in (own, shown(challenge) | {"parameters": own["parameters"]}, shown(challenge) | {"signature": "00"}):
        read = altcha.Challenge.from_dict(forged)
        prefix = read.parameters.key_prefix
        read.parameters.key_prefix = ""
        solution = altcha.solve_challenge(read)
        read.parameters.key_prefix = prefix
        assert judged(challenge, altcha.Payload(read, solution).to_base64()) == "wrong"


def test_no_work_is_wrong() -> None:
    """The key of any number but the one is wrong: altcha 2.0 takes each of them, since it never looks at the prefix."""
    challenge = make()
    right = solved(challenge)
    parameters = altcha.ChallengeParameters.from_dict(right["challenge"]["parameters"])
    nonce, salt = bytes.fromhex(parameters.nonce), bytes.fromhex(parameters.salt)
    for counter in {*range(2 * EASY.work + 2), 2**32 - 1} - {right["solution"]["counter"]}:
        key = altcha.derive_key_pbkdf2(parameters, salt, nonce + counter.to_bytes(4, "big"))
        worked = changed(right, "solution", {"counter": counter, "derivedKey": key.hex()})
        assert judged(challenge, encoded(worked)) == "wrong"


def test_a_solution_is_good_for_one_round_of_one_user() -> None:
    """In another round, of the same sign-in or another one, of the same user or another one, it is wrong."""
    challenge = make()
    answer = encoded(solved(challenge))
    for claim, user in product(("claim-1", "claim-2"), (ANN, NOBODY)):
        same = (claim, user) == ("claim-1", ANN)
        other = make(claim=claim, user=user)
        assert judged(other, answer, claim=claim, user=user) == ("right" if same else "wrong")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def _without_time(solution: dict[str, Any]) -> dict[str, Any]:
    """How long it took is not judged, so any digits of it are right."""
    return {name: value for name, value in solution.items() if name != "time"}


LIKE_A_PAYLOAD = st.fixed_dictionaries(
    {},
    optional={
        "challenge": ODD | st.fixed_dictionaries({}, optional={"parameters": ODD, "signature": ODD}),
        "solution": ODD | st.fixed_dictionaries({}, optional={"counter": ODD, "derivedKey": ODD}),
    },
)
CHALLENGE = make()
SOLVED = solved(CHALLENGE)
RIGHT = encoded({**SOLVED, "solution": _without_time(SOLVED["solution"])})


@given(st.binary(max_size=300) | ODD.map(json.dumps).map(str.encode) | LIKE_A_PAYLOAD.map(json.dumps).map(str.encode))
def test_whatever_is_encoded_is_wrong(decoded: bytes) -> None:
    """Nothing raises, and nothing is right."""
    assert judged(CHALLENGE, base64.b64encode(decoded).decode()) in {"wrong", "malformed"}


@given(st.text(max_size=80), st.integers(0, len(RIGHT)), st.integers(0, 4))
def test_whatever_is_put_into_a_right_answer_is_wrong(text: str, place: int, left_out: int) -> None:
    """The right answer has one spelling: that which the widget writes."""
    answer = RIGHT[:place] + text + RIGHT[place + left_out :]
    if answer != RIGHT:
        assert judged(CHALLENGE, answer) in {"wrong", "malformed"}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1500,
        '{"challenge":' * 110,
        "9" * 1500,
        '{"solution":{"counter":1e999,"derivedKey":""}}',
        '{"solution":{"counter":' + "9" * 1400 + "}}",
        "NaN",
        '"\\ud800"',
        "\ufeff{}",
    ],
)
def test_deep_and_huge_json_is_malformed(text: str) -> None:
    """As long as an answer may be, and without a traceback."""
    assert judged(CHALLENGE, base64.b64encode(text.encode()).decode()) == "malformed"


def test_base64_has_one_spelling() -> None:
    """Neither the alphabet of URLs, nor without padding, nor with line ends, nor with bits that do not count."""
    payload = solved(CHALLENGE)
    texts = (encoded({**payload, "more": "?" * number}) for number in range(3))
    odd = next(text for text in texts if text.endswith("=="))
    assert judged(CHALLENGE, odd) == "right"
    for answer in (
        odd.rstrip("="),
        odd + "=",
        odd + "\n",
        " " + odd,
        odd[:76] + "\n" + odd[76:],
        odd[:-3] + chr(ord(odd[-3]) + 1) + "==",
        odd.encode(),
    ):
        assert judged(CHALLENGE, answer) == "malformed"


# In a flow


def work(public: Mapping[str, str]) -> str:
    """What a browser answers."""
    return encoded(solved(Challenge(public)))


def test_work_comes_before_the_message() -> None:
    """Nothing is sent until the work is done; somebody unknown is asked alike, goes on, and gets no tokens."""
    flow = Flow(sequence(EASY, EmailOtp()))
    for known in (True, False):
        user = FlowUser(flow, ledger=MemoryLedger(), known=known)
        sign_in = user.signs_in().is_asked("proof_of_work", attempts_left=3)
        assert [] == list(user.outbox.messages)
        sign_in.answers(work(sign_in.public)).is_asked("email_otp")
        assert len(user.outbox.messages) == int(known)


def test_each_try_is_another_challenge() -> None:
    """A wrong answer costs a try; the solution of the round before is wrong, and three tries are all."""
    user = FlowUser(Flow(sequence(EASY, EmailOtp())), ledger=MemoryLedger())
    sign_in = user.signs_in()
    first = work(sign_in.public)
    sign_in.answers("").is_asked("proof_of_work", attempts_left=2, error="wrong")
    sign_in.answers(first).is_asked("proof_of_work", attempts_left=1, error="wrong")
    sign_in.answers(first).is_refused("tries_used_up")
    assert [] == list(user.outbox.messages)


def test_a_repeat_of_verify_is_right() -> None:
    """The host may call again; the solution stays the one of its round."""
    user = FlowUser(Flow(sequence(EASY, EmailOtp())), ledger=MemoryLedger())
    sign_in = user.signs_in()
    answer = work(sign_in.public)
    sign_in.answers(answer).is_asked("email_otp").host_retries()
    user.signs_in().answers(answer).is_asked("proof_of_work", error="wrong")


def test_a_test_signs_in_without_the_work() -> None:
    """The right answer is known where it was drawn, however much work it takes to find it."""
    hard = ProofOfWork(cost=5000, work=100_000)
    user = FlowUser(Flow(sequence(hard, EmailOtp())), ledger=MemoryLedger())
    sign_in = user.signs_in().is_asked("proof_of_work")
    sign_in.answers_wrongly().is_asked("proof_of_work", attempts_left=2)
    sign_in.answers_rightly().is_asked("email_otp").answers_rightly().gets_tokens()


def test_late_work_is_told_as_such() -> None:
    """The engine expires it, and a late answer costs no try."""
    user = FlowUser(Flow(sequence(ProofOfWork(lifetime=30), EmailOtp())), ledger=MemoryLedger())
    sign_in = user.signs_in().waits(31).answers_rightly()
    sign_in.is_asked("proof_of_work", attempts_left=3, error="expired")


def test_it_is_offered_in_a_choice() -> None:
    """The browser works while the user looks at the options; the offer is as good as the challenge."""
    offer = powers_of(EASY).offer
    assert offer is not None
    assert offer(create_request(EASY)) == make()


def test_an_offer_is_no_answer_to_the_choice() -> None:
    """The answer to what is offered goes with the choice; answered by itself, a choice has no right answer."""
    user = FlowUser(Flow(sequence(one_of(EASY, Captcha()), EmailOtp())), ledger=MemoryLedger())
    sign_in = user.signs_in().is_asked("select", offers="proof_of_work")
    with pytest.raises(AssertionError, match="nothing tells what is right here"):
        sign_in.answers_rightly()
    offered = json.loads(sign_in.public["offer_proof_of_work"])
    sign_in.answers_offer("proof_of_work", work(offered)).is_asked("email_otp")
