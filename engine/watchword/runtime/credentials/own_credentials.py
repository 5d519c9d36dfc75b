"""What users do with credentials that they have: look at them, call them something else, remove them."""

from __future__ import annotations

from contextlib import suppress

from attrs import evolve, frozen

from watchword.algebra.ways import can_pass
from watchword.contract.credentials import Credential
from watchword.contract.kinds import User
from watchword.errors import UnavailableError
from watchword.runtime.credentials.enrolment import Completion, checked_label, store_of
from watchword.runtime.credentials.notices import send_notice
from watchword.runtime.services import Deadline, Services, owner_of
from watchword.runtime.wire import new_claim, reference

REMOVAL_LEASE = 10.0
"""Seconds for which one removal keeps others of the same user out: two at once could leave no way to sign in."""


def list_credentials(services: Services, pool: str, user: User) -> tuple[Credential, ...]:
    """Return what *user* has enrolled, oldest first.

    Raises:
        UnavailableError: if the store fails.
    """
    owner, deadline = owner_of(pool, services.as_kinds_see(pool, user)), Deadline.starting(services)
    return services.clock.call(lambda: store_of(services).list(owner, within=deadline.left()), services.deadline)


def remove_credential(
    services: Services, pool: str, client: str, user: User, credential_id: object, *, kind: str | None = None
) -> Completion:
    """Remove the credential *credential_id* of *user*, and tell them by mail; with *kind* only if it is of that kind.

    The completion holds the credential that is gone, or the reason: ``unknown``, or ``last_way``, where the user could not sign in
    through *client* any more. A user who cannot sign in even with it may remove it.

    Raises:
        UnavailableError: if a port fails, or another removal is under way; then nothing is removed, or the call may be repeated.
    """
    change = _Change(services, pool, client, user, Deadline.starting(services), _new_claim(services))
    return services.clock.call(lambda: change.removal(credential_id, kind), services.deadline)


def rename_credential(
    services: Services, pool: str, user: User, credential_id: object, label: str, *, kind: str | None = None
) -> Completion:
    """Call the credential *credential_id* of *user* by the name *label*; with *kind* only if it is of that kind.

    Raises:
        ProtocolError: if *label* is no line of at most 64 characters.
        UnavailableError: if the store fails, or others write the credential again and again.
    """
    checked_label(label)
    change = _Change(services, pool, "", user, Deadline.starting(services), _new_claim(services))
    return services.clock.call(lambda: change.renaming(credential_id, label, kind), services.deadline)


def _new_claim(services: Services) -> str:
    return new_claim(services.keyring.current, services.random.bytes(16).hex(), services.clock.now())


@frozen(eq=False)
class _Change:
    """One change by *user*, under the reference of *claim*."""

    services: Services
    pool: str
    client: str
    user: User
    deadline: Deadline
    claim: str

    @property
    def seen(self) -> User:
        return self.services.as_kinds_see(self.pool, self.user)

    def owned(self) -> tuple[Credential, ...]:
        return store_of(self.services).list(owner_of(self.pool, self.seen), within=self.deadline.left())

    def found(self, owned: tuple[Credential, ...], credential_id: object, kind: str | None) -> Credential | None:
        return next((each for each in owned if each.id == credential_id and kind in {None, each.kind}), None)

    def removal(self, credential_id: object, kind: str | None) -> Completion:
        """Keep other removals out, and remove."""
        ledger, now = self.services.ledger, self.services.clock.now()
        slot = f"removal:{self.seen.key}"
        if not ledger.claim(slot, self.claim, lease=REMOVAL_LEASE, now=now, within=self.deadline.left()).fresh:
            raise UnavailableError("another credential of this user is being removed", undelivered=True, reason="busy")
        try:
            done = self.removed(credential_id, kind)
        finally:
            with suppress(Exception):  # it ends by itself
                keep, within = now + REMOVAL_LEASE, self.deadline.left()
                ledger.consume(self.claim, by=self.claim, refund=slot, keep=keep, slot=slot, within=within)
        if done.credential is not None:
            self.recorded("credential_removed", done.credential.kind)
            send_notice(
                self.services, self.seen, "removed", done.credential.kind, claim=self.claim, deadline=self.deadline
            )
        return done

    def removed(self, credential_id: object, kind: str | None) -> Completion:
        owned = self.owned()
        gone = self.found(owned, credential_id, kind)
        if gone is None:
            return Completion(reason="unknown")
        before, after = {each.kind for each in owned}, {each.kind for each in owned if each is not gone}
        flow, attributes = self.services.flow, self.user.attributes
        if can_pass(flow, attributes, self.client, before) and not can_pass(flow, attributes, self.client, after):
            detail = {"action": "credential_removed", "kind": gone.kind, "reason": "last_way"}
            self.services.record("authz_fail", self.seen.key, claim=self.claim, **detail)
            return Completion(reason="last_way", ref=reference(self.claim))
        if not store_of(self.services).remove(gone.owner, gone.kind, gone.id, within=self.deadline.left()):
            return Completion(reason="unknown")
        return Completion(gone, ref=reference(self.claim))

    def renaming(self, credential_id: object, label: str, kind: str | None) -> Completion:
        """Write the label; a race that another write wins is run again."""
        lost: Credential | None = None
        while (old := self.found(self.owned(), credential_id, kind)) is not None:
            if old == lost:
                raise UnavailableError("the store refuses a write that nothing is against", reason="internal")
            new = evolve(old, label=label)
            if store_of(self.services).swap(new, version=old.version, within=self.deadline.left()):
                self.recorded("credential_renamed", old.kind)
                return Completion(new, ref=reference(self.claim))
            lost = old
        return Completion(reason="unknown")

    def recorded(self, action: str, kind: str) -> None:
        self.services.record("user_updated", self.seen.key, claim=self.claim, action=action, kind=kind)
