"""Requests as the engine makes them, for calling a kind by hand: real keyed digests under a key that is only for tests."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from attrs import define

from watchword.contract.kinds import Challenge, CreateRequest, User, VerifyRequest
from watchword.contract.powers import powers_of
from watchword.runtime.keyring import Key, Keyring
from watchword.runtime.wire import reference
from watchword.testing.code_tap import recording_ring

NOW = 1_800_000_000.0
"""When tests take place, in epoch seconds."""

ANN = User(
    name="ann",
    attributes={
        "email": "ann@example.com",
        "email_verified": "true",
        "phone_number": "+15555550100",
        "phone_number_verified": "true",
        "locale": "en",
    },
    key="1" * 64,
)
"""Somebody who exists and can receive messages."""

NOBODY = User(name="nobody", known=False, key="0" * 64)
"""Somebody who does not exist."""

_KEY: Key = recording_ring(Keyring.of(bytes(range(32)))).current


@define
class _Secrets:
    """What stands behind the methods of a request: the engine's arithmetic for one challenge (*claim*) of one user."""

    kind: str
    user: User
    claim: str

    def code(self, alphabet: str, length: int) -> str:
        return _KEY.choose(f"code {self.kind}", f"{self.user.key}/{self.claim}", alphabet, length)

    def seal(self, answer: str) -> str:
        return _KEY.digest(f"seal/{self.kind}", self.user.key, self.claim, answer)

    def mark(self, value: str) -> str:
        return _KEY.digest(f"mark/{self.kind}", value)

    def same(self, expected: str, digest: str) -> bool:
        return hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), digest.encode("ascii"))


def create_request(
    kind: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
    again: bool = False,
    carry: Mapping[str, str] | None = None,
    proven: bool = False,
) -> CreateRequest:
    """Return a request to create a challenge of *kind*, as the engine would make it. Its codes are recorded by `recorded_codes`.

    Args:
        kind: an instance of the kind.
        user: who signs in.
        claim: names the challenge; the same name gives the same codes, digests and reference.
        now: epoch seconds.
        again: whether the round before was this step, answered wrong.
        carry: what the challenge of the round before handed on.
        proven: whether a factor was proven before in this sign-in.
    """
    secrets = _Secrets(kind.kind, user, claim)
    return CreateRequest(
        step=kind.kind,
        user=user,
        now=now,
        expires=int(now) + powers_of(kind).lifetime,
        ref=reference(claim),
        again=again,
        carry=dict(carry or {}),
        proven=proven,
        code=secrets.code,
        seal=secrets.seal,
        mark=secrets.mark,
    )


def verify_request(
    kind: Any,
    challenge: Challenge | Mapping[str, str],
    answer: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
) -> VerifyRequest:
    """Return a request to judge *answer* to *challenge* (or to its private parameters), as the engine would make it.

    *user* and *claim* must be those that the challenge was created with. *answer* may be of any type, to try what a
    kind does with it.
    """
    secrets = _Secrets(kind.kind, user, claim)
    private = challenge.private if isinstance(challenge, Challenge) else challenge
    return VerifyRequest(
        step=kind.kind,
        user=user,
        now=now,
        answer=answer,
        private=dict(private),
        seal=secrets.seal,
        same=secrets.same,
    )
