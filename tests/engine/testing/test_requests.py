"""The requests of the test kit do the arithmetic that the engine's do."""

from __future__ import annotations

from attrs import evolve

from watchword.contract.kinds import Challenge
from watchword.testing import ANN, NOBODY, NOW, create_request, hostile_answers, verify_request
from watchword.testing.code_tap import DrawnCode, recorded_codes
from watchword_plugins.email_otp import EmailOtp

KIND = EmailOtp()


def test_the_same_claim_gives_the_same_secrets() -> None:
    """Codes and digests depend on claim, user and kind, and on nothing else."""
    request = create_request(KIND)
    same = create_request(KIND, now=NOW + 100, again=True, carry={"a": "b"})
    others = [create_request(KIND, claim="other"), create_request(KIND, user=NOBODY)]
    assert same.code("0123456789", 12) == request.code("0123456789", 12)
    assert same.seal("x") == request.seal("x")
    for other in others:
        assert other.code("0123456789", 12) != request.code("0123456789", 12)
        assert other.seal("x") != request.seal("x")
    assert request.pseudonym("x") == others[0].pseudonym("x") == others[1].pseudonym("x") != request.pseudonym("y")
    assert len(request.pseudonym("x")) == 64


def test_codes_are_heard() -> None:
    """Every code that a kind asks for, with its alphabet."""
    with recorded_codes() as codes:
        code = create_request(KIND).code("ab", 20)
    assert [DrawnCode(KIND.kind, code, "ab")] == codes
    assert set(code) == {"a", "b"}


def test_requests_carry_what_they_are_given() -> None:
    """The fields are those of a real request."""
    request = create_request(KIND, user=NOBODY, now=5.5, again=True, carry={"a": "b"})
    assert (request.step, request.user, request.now, request.expires) == ("email_otp", NOBODY, 5.5, 185)
    assert (request.again, request.carry, len(request.ref)) == (True, {"a": "b"}, 8)
    judged = verify_request(KIND, Challenge(private={"a": "b"}), "x", user=NOBODY, now=6.0)
    assert (judged.step, judged.user, judged.now, judged.answer) == ("email_otp", NOBODY, 6.0, "x")
    assert judged.private == verify_request(KIND, {"a": "b"}, "x").private == {"a": "b"}


def test_a_sealed_answer_matches_for_the_same_claim_and_user_alone() -> None:
    """What create sealed, verify of the same claim and user matches; odd expected values never do."""
    sealed = create_request(KIND).seal("x")
    assert verify_request(KIND, {}, "x").matches(sealed, "x")
    assert not verify_request(KIND, {}, "x").matches(sealed, "y")
    assert not verify_request(KIND, {}, "x", claim="other").matches(sealed, "x")
    assert not verify_request(KIND, {}, "x", user=evolve(ANN, key="2")).matches(sealed, "x")
    assert not any(verify_request(KIND, {}, "x").matches(odd, "x") for odd in (None, "", "é", "\ud800"))


def test_there_are_sixty_hostile_answers_and_none_is_right() -> None:
    """Whatever the right answer is, the corpus is long, and holds no other spelling of it."""
    for right in ("12345678", "ACDEFG", "a piano", "S", "true", "0", "KISS me-quickly"):
        answers = hostile_answers(right)
        assert len(answers) >= 60
        texts = [answer for answer in answers if isinstance(answer, str)]
        assert len(texts) >= 60
        assert any(text == "anything" and hash(text) != hash("anything") for text in texts), (
            "one agrees with everything"
        )
        plain = right.replace(" ", "").replace("-", "").lower()
        assert not any(text.isascii() and "".join(text.split()).replace("-", "").lower() == plain for text in texts)
    near = hostile_answers("12345678")
    assert all(one in near for one in (12345678, "12345679", "".join(chr(0xFF10 + int(digit)) for digit in "12345678")))
    assert "\u017f" in hostile_answers("S")
