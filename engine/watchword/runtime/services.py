"""What Define, Create and Verify share: flows, ports, the digest of a user, the deadline of a call."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Flow, expect_flow, expect_flows
from watchword.contract.kinds import RequestMethods, User
from watchword.contract.ports import AccessTokens, Audit, AuditEvent, Clock, Courier, Ledger, Random
from watchword.errors import ConfigurationError, ProtocolError, UnavailableError, WatchwordError, reason_of
from watchword.runtime.keyring import Key, Ring
from watchword.runtime.wire import answer_seal, reference

if TYPE_CHECKING:
    from watchword.algebra.lowering import Step
    from watchword.contract.credentials import Credential, Credentials

DEADLINE = 3.5
"""Seconds for one call. After five, Cognito calls again."""


def fold_name(name: str) -> str:
    """Return *name* in small letters, the same for all spellings of it in a user pool that is not case sensitive."""
    return name.lower()


@frozen
class Services:
    """One flow and the ports it runs on.

    *previous* are flows whose sessions may still be under way; *couriers* go by channel; *pad_to* is the least number
    of seconds that a call takes in which a message could be sent (the courier's own floor if None); *credentials* are what
    users enrolled, None where no kind of the flow remembers; *tokens* knows access tokens, None where no answer comes with one; *deadline* the seconds that a call may take; *fold* returns the same text for all spellings by which the host finds the same user.
    *keeps_evidence* says that a sign-in which is passed is noted for a minute, so that its tokens can tell what was proven.
    """

    flow: Flow = field(converter=expect_flow)
    previous: tuple[Flow, ...] = field(default=(), kw_only=True, converter=expect_flows)
    keyring: Ring = field(kw_only=True)
    ledger: Ledger = field(kw_only=True, repr=False)
    couriers: Mapping[str, Courier] = field(factory=dict[str, Courier], kw_only=True, repr=False)
    clock: Clock = field(kw_only=True, repr=False)
    random: Random = field(kw_only=True, repr=False)
    audit: Audit | None = field(default=None, kw_only=True, repr=False)
    credentials: Credentials | None = field(default=None, kw_only=True, repr=False)
    tokens: AccessTokens | None = field(default=None, kw_only=True, repr=False)
    pad_to: float | None = field(default=None, kw_only=True)
    deadline: float = field(default=DEADLINE, kw_only=True)
    fold: Callable[[str], str] = field(default=fold_name, kw_only=True)
    keeps_evidence: bool = field(default=False, kw_only=True)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """The flow and the previous ones."""
        return (self.flow, *self.previous)

    def user_key(self, pool: str, user: User) -> str:
        """Return the keyed digest that stands for *user* in budgets; see `user_key`."""
        return user_key(self.keyring, pool, user, self.fold)

    def as_kinds_see(self, pool: str, user: User) -> User:
        """Return *user* as kinds see them: nothing is known of somebody unknown, who has a made-up id all the same."""
        attributes = user.attributes if user.known else dict[str, str]()
        made_up = "" if user.known else made_up_id(self.keyring.root_key, pool, self.fold(user.name))
        return User(user.name, attributes, user.known, self.user_key(pool, user), made_up or identity(user.attributes))

    def owned_by(self, pool: str, user: User, deadline: Deadline) -> tuple[Credential, ...]:
        """Return what *user*, as kinds see them, has enrolled; nothing where there is no store.

        The store is asked for somebody unknown too, so that the time of the answer does not tell who exists.
        """
        if self.credentials is None:
            return ()
        return self.credentials.list(owner_of(pool, user), within=deadline.left())

    def credentials_of(self, pool: str, user: User, kind: str, deadline: Deadline) -> tuple[Credential, ...]:
        """Return what *user*, as kinds see them, has enrolled for *kind*, as `owned_by` does."""
        return tuple(each for each in self.owned_by(pool, user, deadline) if each.kind == kind)

    def enrolment_id(self, signin: str, step: str, user: str) -> str:
        """Return the id for what *user* enrols at *step* in the sign-in *signin*: the same in all rounds, and unguessable."""
        return self.keyring.root_key.digest("enrolment", signin, step, user)[:32]

    def methods_of(
        self,
        pool: str,
        user: User,
        step: Step,
        deadline: Deadline,
        *,
        claim: str,
        key: Key,
        owned: Callable[[], tuple[Credential, ...]] | None = None,
    ) -> RequestMethods:
        """Return what is behind a request to the kind of *step* for *user*, as kinds see them, about *claim*, which *key* made.

        *owned* returns what the user has enrolled, of whatever kind; the store is read for it if it is None.
        """
        ring, kind = self.keyring, step.kind.kind
        read = owned or (lambda: self.owned_by(pool, user, deadline))

        def derive(id_: str, root: str) -> bytes:
            key = ring.find(root)
            if key is None:
                raise UnavailableError(f"the root key of a credential of kind {kind!r} is gone", reason="key_gone")
            return bytes.fromhex(key.digest(f"credential {kind}", owner_of(pool, user), id_))

        return RequestMethods(
            code=lambda alphabet, length: key.choose(
                f"code {kind}", f"{claim} {user.key} {step.name}", alphabet, length
            ),
            seal=lambda answer: answer_seal(key, step, claim, user.key, answer),
            same=lambda one, other: hmac.compare_digest(_bytes(one), _bytes(other)),
            pseudonym=lambda value: ring.root_key.digest(f"mark {kind}", value),
            derive=derive,
            credentials=cache(lambda: tuple(each for each in read() if each.kind == kind)),
            root_key=ring.newest_root_key.id,
        )

    def slot(self, request: SessionRequest | AnswerRequest, user: str, step: str, sharing: str = "first") -> str:
        """Return the ledger's key for the claim of *step*: the one of all first challenges, or that of a sign-in."""
        return self.keyring.root_key.digest("dated claim", request.pool, request.client, user, step, sharing)

    def key_of(self, claim: str) -> Key | None:
        """Return the key that *claim* was made with, or None if it has left the ring."""
        return self.keyring.find(claim[:8])

    def record(self, name: str, user: str, *, claim: str = "", **detail: str) -> None:
        """Hand an event to the audit; a sink that fails changes nothing."""
        if self.audit is None:
            return
        ref = reference(claim) if claim else ""
        event = AuditEvent(name, self.clock.now(), self.flow.name, user, ref, detail)
        with suppress(Exception):  # ASVS 5.0 16.5: the decision stands whatever the log does
            self.audit.record(event)

    def record_failure(self, error: BaseException, user: str = "", *, claim: str, step: str = "") -> str:
        """Record that a call ended with *error*, unless that is done; return the reference that the client is told.

        It is the reference of *claim*, or of a random text where the call came to no challenge.
        """
        if isinstance(error, WatchwordError) and error.ref:
            return error.ref
        detail = {"step": step} if step else {}
        # The caller's fault is no failure of the system, and counts into no alarm.
        name = "sys_call_refused" if isinstance(error, ProtocolError) else "sys_call_failed"
        self.record(name, user, claim=claim, **detail, **reason_of(error))
        return reference(claim)

    def record_outage(self, error: UnavailableError, user: str, *, claim: str, step: str = "") -> UnavailableError:
        """Record *error* as `record_failure` does; return one that says so: a port may raise the same error again."""
        copy = UnavailableError(str(error), undelivered=error.undelivered, reason=error.reason, code=error.code)
        copy.ref = self.record_failure(error, user, claim=claim, step=step)
        return copy


@frozen
class Deadline:
    """The time that one call has left."""

    clock: Clock
    started: float
    seconds: float

    @classmethod
    def starting(cls, services: Services) -> Deadline:
        """Return the deadline of a call of *services* that begins now.

        It starts before the clock's own limit, so that what wakes after that was given up finds no time left.
        """
        return cls(services.clock, services.clock.monotonic(), services.deadline)

    def left(self, *, but: float = 0.0) -> float:
        """Return the seconds left, without *but* seconds that something else needs.

        Raises:
            UnavailableError: if there are none.
        """
        left = self.started + self.seconds - self.clock.monotonic() - but
        if left <= 0:
            raise UnavailableError(f"the call took more than {self.seconds} s", undelivered=True, reason="timeout")
        return left


def usage_marks(keyring: Ring, pool: str) -> dict[str, str]:
    """Return the keys of the marks in a ledger that is used: of the oldest *key* of the ring, and of the *pool*."""
    root_key = keyring.root_key
    return {"key": f"used:{root_key.id}", "pool": f"used:{root_key.digest('pool', pool)}"}


def owner_of(pool: str, user: User) -> str:
    """Return the owner of the credentials of *user*, as kinds see them: the pool and the user's id, in clear, for operators."""
    return f"{pool}#{user.id}"


def made_up_id(root_key: Key, pool: str, name: str) -> str:
    """Return an id for somebody unknown called *name*, as folded: in the shape of a ``sub``, a UUID of version 4 (RFC 9562)."""
    drawn = root_key.digest("made-up id", pool, name)
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[12:15]}-{'89ab'[int(drawn[15], 16) % 4]}{drawn[16:19]}-{drawn[19:31]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def user_key(keyring: Ring, pool: str, user: User, fold: Callable[[str], str] = fold_name) -> str:
    """Return the keyed digest that stands for *user* of *pool*: by ``sub``, or by the name as *fold* has it if unknown.

    A host that takes two spellings for one user does so whether there is such a user or not: *fold* is the host's.

    Raises:
        ConfigurationError: for a known user without ``sub``, whose budgets would begin anew with each spelling.
    """
    named = ("sub", identity(user.attributes)) if user.known else ("name", fold(user.name))
    return keyring.root_key.digest("user", pool, *named)


def identity(attributes: Mapping[str, str]) -> str:
    """Return the attribute ``sub`` of a known user, which stays the same whatever name was typed.

    Raises:
        ConfigurationError: if there is none.
    """
    sub: object = attributes.get("sub")
    if not isinstance(sub, str) or not sub:
        raise ConfigurationError(
            "a known user has no sub: give each one an attribute 'sub', a text that is nobody else's and never changes, "
            "such as the key of its row; without it every spelling of a name would have budgets of its own"
        )
    return sub
