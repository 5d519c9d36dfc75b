"""Requests as the engine makes them, for calling a kind by hand: real keyed digests under a key that is only for tests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define, evolve

from watchword.algebra.lowering import Step
from watchword.contract.credentials import Credential, Enrolment, NewCredential
from watchword.contract.enrolments import BeginRequest, CompleteRequest
from watchword.contract.kinds import (
    Challenge,
    CreateRequest,
    RequestMethods,
    User,
    VerifyRequest,
)
from watchword.contract.powers import powers_of
from watchword.errors import UnavailableError
from watchword.runtime.keyring import Key, Keyring
from watchword.runtime.sign_ins.tickets import Tickets
from watchword.runtime.wire import new_claim, reference
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
    id="11111111-1111-4111-8111-111111111111",
)
"""Somebody who exists and can receive messages."""

NOBODY = User(name="nobody", known=False, key="0" * 64, id="00000000-0000-4000-8000-000000000000")
"""Somebody who does not exist."""

ENROLMENT = "0123456789abcdef" * 2
"""The id that an enrolment has for its new credential in tests."""

SIGN_IN = "fedcba9876543210" * 2
"""The id of the sign-in in tests."""


def access_token(sub: str = ANN.id) -> str:
    """Return what counts in tests as an access token of the user whose id is *sub*, in whichever pool and app client."""
    return f"access.token.{sub}"


def knows_access_token(token: str, *, pool: str, client: str, sub: str, within: float) -> bool:
    """Say whether *token* is the `access_token` of the user *sub*: the port of a host in tests."""
    return token == access_token(sub)


_KEY: Key = recording_ring(Keyring.of(bytes(range(32)))).current


@define
class _Secrets:
    """What stands behind the methods of a request: the engine's arithmetic for one challenge (*claim*) of one user, at *now*.

    Tickets are those of the sign-in *signin*.
    """

    asked: Any
    user: User
    claim: str
    now: float = NOW
    signin: str = SIGN_IN

    @property
    def kind(self) -> str:
        return str(self.asked.kind)

    def code(self, alphabet: str, length: int) -> str:
        return _KEY.choose(f"code {self.kind}", f"{self.user.key}/{self.claim}", alphabet, length)

    def seal(self, answer: str) -> str:
        return _KEY.digest(f"seal {self.kind}", self.user.key, self.claim, answer)

    def same(self, expected: str, digest: str) -> bool:
        return hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), digest.encode("ascii"))

    def pseudonym(self, value: str) -> str:
        return _KEY.digest(f"mark/{self.kind}", value)

    def derive(self, id_: str, root: str) -> bytes:
        if root != _KEY.id:
            raise UnavailableError("the root key of a credential is gone", reason="key_gone")
        return bytes.fromhex(_KEY.digest(f"credential/{self.kind}", self.user.id, id_))

    def methods(self, credentials: Sequence[Credential]) -> RequestMethods:
        given = tuple(credentials)
        made = RequestMethods(
            self.code, self.seal, self.same, self.pseudonym, self.derive, lambda: given, root_key=_KEY.id
        )
        if powers_of(self.asked).with_token:
            made = evolve(made, is_access_token=access_token(self.user.id).__eq__)
        if not powers_of(self.asked).links:
            return made
        return evolve(made, ticket=self.ticket, redeem=partial(self._tickets.verdict, now=self.now))

    def ticket(self) -> str:
        issued = int(self.now)
        claim = new_claim(_KEY, hashlib.sha256(self.claim.encode()).hexdigest()[:32], issued)
        expires = issued + powers_of(self.asked).lifetime
        return self._tickets.write(_KEY, claim, self.user.name, issued=issued, expires=expires)

    @property
    def _tickets(self) -> Tickets:
        step = Step(self.kind, self.asked, powers_of(self.asked))
        return Tickets(Keyring((_KEY,)).find, ("pool", "client", self.user.key), step, self.signin)


def create_request(
    kind: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
    again: bool = False,
    carry: Mapping[str, str] | None = None,
    proven: bool = False,
    credentials: Sequence[Credential] = (),
    redirect: str = "",
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
        credentials: what the user has enrolled for the kind.
        redirect: the name that the client said for where a link is to lead.
    """
    secrets = _Secrets(kind, user, claim, now)
    return CreateRequest(
        step=kind.kind,
        user=user,
        now=now,
        expires=int(now) + powers_of(kind).lifetime,
        ref=reference(claim),
        again=again,
        carry=dict(carry or {}),
        proven=proven,
        round=claim,
        redirect=redirect,
        methods=secrets.methods(credentials),
    )


def verify_request(
    kind: Any,
    challenge: Challenge | Mapping[str, str],
    answer: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
    credentials: Sequence[Credential] = (),
    signin: str = SIGN_IN,
) -> VerifyRequest:
    """Return a request to judge *answer* to *challenge* (or to its private parameters), as the engine would make it.

    *user* and *claim* must be those that the challenge was created with. *answer* may be of any type, to try what a
    kind does with it. With another *signin* it comes from another browser: a ticket of `create_request` is another sign-in's.
    """
    secrets = _Secrets(kind, user, claim, now, signin)
    private = challenge.private if isinstance(challenge, Challenge) else challenge
    return VerifyRequest(
        step=kind.kind,
        user=user,
        now=now,
        answer=answer,
        private=dict(private),
        round=claim,
        methods=secrets.methods(credentials),
    )


def begin_request(
    kind: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
    again: bool = False,
    carry: Mapping[str, str] | None = None,
    credentials: Sequence[Credential] = (),
) -> BeginRequest:
    """Return a request to begin an enrolment for *kind*, as the engine would make it; see `create_request`."""
    secrets = _Secrets(kind, user, claim, now)
    return BeginRequest(
        kind.kind,
        user,
        now,
        ENROLMENT,
        reference(claim),
        again,
        dict(carry or {}),
        round=claim,
        methods=secrets.methods(credentials),
    )


def complete_request(
    kind: Any,
    enrolment: Enrolment | Mapping[str, str],
    answer: Any,
    *,
    user: User = ANN,
    claim: str = "claim-1",
    now: float = NOW,
    label: str = "",
    credentials: Sequence[Credential] = (),
) -> CompleteRequest:
    """Return a request to judge *answer* to *enrolment* (or to its private parameters), as the engine would make it."""
    secrets = _Secrets(kind, user, claim, now)
    private = enrolment.private if isinstance(enrolment, Enrolment) else enrolment
    return CompleteRequest(
        kind.kind,
        user,
        now,
        ENROLMENT,
        answer,
        dict(private),
        label,
        round=claim,
        methods=secrets.methods(credentials),
    )


def enrolled_credential(kind: Any, new: NewCredential, *, user: User = ANN, now: float = NOW) -> Credential:
    """Return the credential that the engine makes of *new*, which `complete` of *kind* gave for *user*."""
    return Credential(new.id, f"pool#{user.id}", kind.kind, new.label, int(now), state=new.state)
