"""Codes that go out in messages: the challenge that sends one, and the verdict on what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchword import Challenge, CreateRequest, Verdict, VerifyRequest, typed_code
from watchword.contract import Message

ALPHABETS: Mapping[str, str] = {
    "digits": "0123456789",
    # RFC 8628 6.1: no vowels, so no words; no look-alikes.
    "letters": "BCDFGHJKLMNPQRSTVWXZ",
}


def code_challenge(
    request: CreateRequest,
    alphabet: str,
    length: int,
    *,
    shown: str,
    write: Callable[[str], Message] | None,
    reason: str,
) -> Challenge:
    """Return the challenge whose code of *length* symbols of *alphabet* goes out in the message that *write* makes of it.

    Without *write* there is nobody to send to, for the *reason* that the audit is told; the client sees the same. *shown* is the
    destination that it may see; what it saw in the round before stays.
    """
    code = request.code(ALPHABETS[alphabet], length)
    destination = (request.carry.get("destination", "") if request.again else "") or shown
    return Challenge(
        public={"destination": destination},
        # What is sealed for somebody who gets no message holds a colon, and no answer that is read does.
        private={"digest": request.seal(code if write else f"unsent:{code}")},
        carry={"destination": destination},
        messages=(write(code),) if write and not request.again else (),
        reason=reason,
    )


def judge_code(request: VerifyRequest, answer: object, alphabet: str, length: int) -> Verdict:
    """Judge *answer* as the code of *length* symbols of *alphabet* that the challenge of *request* has sealed."""
    code = typed_code(answer)
    if code is None or len(code) != length or not set(code) <= set(ALPHABETS[alphabet]):
        return Verdict(right=False, reason="malformed")
    if request.matches(request.private.get("digest"), code):
        return Verdict(right=True)
    return Verdict(right=False, reason="wrong")


def chance_of_code(alphabet: str, length: int) -> float:
    """Return the chance of one guess: one in as many codes as there are."""
    return float(len(ALPHABETS[alphabet])) ** -length
