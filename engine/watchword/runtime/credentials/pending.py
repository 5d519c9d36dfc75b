"""Enrolments that are pending: what the ledger keeps, locked, between begin and complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from attrs import field, frozen

from watchword.contract.credentials import Credential
from watchword.runtime.credentials.handles import slot_of
from watchword.runtime.keyring import length_prefixed, lock_state, unlock_state
from watchword.runtime.services import Services

ENROLMENT_LIFETIME = 600
"""Seconds from the begin of an enrolment in which it can be completed."""

_STATE = "enrolment"


@frozen
class PendingEnrolment:
    """An enrolment between begin and complete.

    *id* is for the new credential, and *claim* names the enrolment. *answer* is the digest of the answer that completed it, and
    *written* what that wrote (id, label, time), so that the same answer gets the same reply again.
    """

    owner: str
    name: str = field(repr=False)
    kind: str
    id: str
    claim: str
    expires: float
    private: Mapping[str, str] = field(repr=False)
    answer: str = ""
    written: tuple[str, str, int] = ("", "", 0)

    @property
    def completed(self) -> Credential:
        """The credential that was written, as far as its user is told of it."""
        id_, label, created = self.written
        return Credential(id_, self.owner, self.kind, label, created)

    def digest(self, answer: str) -> str:
        """Return what stands for *answer*."""
        return digest_of(self.claim, answer)

    def round(self, answer: str = "") -> str:
        """Return the round in whose name the answer with this digest is judged and written, or how all of them begin."""
        return digest_of(self.claim)[:16] + answer[:32]

    def wrote(self, credential: Credential) -> bool:
        """Say whether this enrolment wrote *credential*, for whichever answer."""
        begin = self.round()
        return any(each.startswith(begin) for each in credential.rounds)


def digest_of(*texts: str) -> str:
    """Return a digest of *texts*, in hexadecimal digits."""
    return hashlib.sha256(length_prefixed(*texts)).hexdigest()


def keep_pending(
    services: Services, binding: tuple[str, str], handle: str, pending: PendingEnrolment, *, within: float
) -> None:
    """Keep *pending* under a digest of *handle*, locked, until its time is over. *binding* is the pool and the client."""
    values = (pending.owner, pending.name, pending.kind, pending.id, pending.claim, pending.expires)
    text = json.dumps([*values, dict(pending.private), pending.answer, pending.written])
    locked = lock_state(services.keyring, _STATE, _context(binding, handle), text)
    services.ledger.put(slot_of(handle, _STATE), locked, expires=pending.expires, within=within)


def find_pending(
    services: Services, binding: tuple[str, str], handle: object, *, within: float
) -> PendingEnrolment | None:
    """Return the enrolment of *handle*; None if there is none such for this *binding*, or its time is over."""
    now = services.clock.now()
    kept = services.ledger.peek(slot_of(handle, _STATE), now=now, within=within)
    text = None if kept is None else unlock_state(services.keyring, _STATE, _context(binding, str(handle)), kept)
    if text is None:
        return None
    owner, name, kind, id_, claim, expires, private, answer, written = json.loads(text)
    pending = PendingEnrolment(owner, name, kind, id_, claim, expires, private, answer, tuple(written))
    return pending if now < pending.expires else None


def _context(binding: tuple[str, str], handle: str) -> str:
    return json.dumps([*binding, handle])
