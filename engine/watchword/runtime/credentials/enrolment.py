"""Enrolment outside a sign-in: whoever is signed in begins one, gets a handle, and completes it with an answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from attrs import evolve, field, frozen

from watchword.algebra.lowering import Step
from watchword.contract.credentials import LONGEST_LABEL, Credential, Credentials, Enrolment
from watchword.contract.enrolments import BeginRequest, CompleteRequest
from watchword.contract.kinds import Challenge, RequestMethods, User
from watchword.contract.ports import LEASE, Limit
from watchword.contract.powers import MAX_LONGEST_ANSWER
from watchword.errors import (
    ConfigurationError,
    ProtocolError,
    TryLaterError,
    UnavailableError,
    checked_word,
)
from watchword.runtime.creation import begin_with_kind
from watchword.runtime.credentials.effects import RoundAnswer, judge
from watchword.runtime.credentials.handles import draw_handle
from watchword.runtime.credentials.notices import send_notice
from watchword.runtime.credentials.pending import (
    ENROLMENT_LIFETIME,
    PendingEnrolment,
    digest_of,
    find_pending,
    keep_pending,
)
from watchword.runtime.keyring import Key
from watchword.runtime.services import Deadline, Services, owner_of
from watchword.runtime.wire import new_claim, reference

ENROLMENT_ANSWERS = 5
"""How many different answers one enrolment takes."""

ENROLMENT_LIMITS = (Limit(20, 3600),)
"""How many enrolments one user may begin: each is an entry of the ledger."""


_CONFLICTS = frozenset({"known_credential", "too_many"})


@frozen
class Completion:
    """What became of an answer to an enrolment, or of another change: it is false unless it was made, to *credential*.

    *reason* says why not: ``wrong``; ``expired``, where the handle is none of this user's that is still good;
    ``guesses_used_up`` after five different answers; ``used_before``, where another answer has completed it; ``known_credential``,
    where somebody has this very credential; ``too_many``, where the user has as many as one may have. Of a removal it may be
    ``unknown``, or ``last_way``, where no way to sign in would be left. *ref* is the reference of the change, as the audit has it.
    """

    credential: Credential | None = None
    reason: str = ""
    ref: str = ""

    def __bool__(self) -> bool:
        """Say whether it succeeded, so that a program which only asks ``if`` takes no refusal for a success."""
        return self.credential is not None


def enrolling_step(services: Services, kind: str) -> Step:
    """Return the step of the flow by whose settings users enrol for the kind called *kind*.

    Of several it is the first that enrols in the sign-in, so that users see the same in both places; else the first that asks.

    Raises:
        ProtocolError: if there is none.
    """
    steps = [step for step in services.flow.steps.values() if step.kind.kind == kind and step.powers.enrols]
    if steps:
        return next((step for step in steps if step.enrols), steps[0])
    known = ", ".join(enrolling_kinds(services))
    there = f"they do for {known}" if known else "no kind of its steps can be enrolled"
    # Of anything else not even its text is made: it may be huge, or deep.
    asked: object = kind
    shown = repr(asked[:40]) if isinstance(asked, str) else f"a kind of type {type(asked).__name__}"
    raise ProtocolError(f"nobody enrols for {shown} by the flow {services.flow.name!r}; {there}")


def enrolling_kinds(services: Services) -> tuple[str, ...]:
    """Return the kinds for which users enrol by the flow, in alphabetical order."""
    return tuple(sorted({step.kind.kind for step in services.flow.steps.values() if step.powers.enrols}))


def begin_enrolment(services: Services, pool: str, client: str, user: User, kind: str) -> Enrolment:
    """Begin to enrol *user* for *kind*: return what to show (``public``), and the ``handle`` by which to complete it.

    *user* must have signed in, as the caller knows; *client* is the app client, or a fixed word where there is none.
    The handle is good for ten minutes, for this pool, client and user.

    Raises:
        ProtocolError: if the flow has no such kind, or there is no such user.
        ConfigurationError: if there is no store of credentials.
        TryLaterError: if the user has begun too many enrolments.
        UnavailableError: if a port or the kind fails; nothing is then begun.
    """
    deadline, step = Deadline.starting(services), enrolling_step(services, kind)
    store_of(services)
    if not user.known:
        raise ProtocolError("there is no such user: only who has signed in can enrol")
    return services.clock.call(lambda: _begin(services, (pool, client), user, step, deadline), services.deadline)


def complete_enrolment(  # noqa: PLR0917 - who, by what, with what: in the order in which they are said
    services: Services,
    pool: str,
    client: str,
    user: User,
    handle: object,
    answer: object,
    label: str = "",
    *,
    kind: str | None = None,
) -> Completion:
    """Complete the enrolment of *handle* with *answer*; the new credential is called *label*.

    With *kind* the enrolment must be one for that. Five different answers are compared at most; the same one again costs nothing,
    and after a success it reads the same success. A handle of another user, client or kind is as unknown as an old one.

    Raises:
        ProtocolError: if *label* is no line of at most 64 characters.
        UnavailableError: if a port or the kind fails; then the same answer may be sent again, and nothing is half-enrolled.
    """
    checked_label(label)
    deadline = Deadline.starting(services)

    def work() -> Completion:
        seen = services.as_kinds_see(pool, user)
        pending = find_pending(services, (pool, client), handle, within=deadline.left())
        key = services.key_of(pending.claim) if pending else None
        theirs = pending is not None and user.known and pending.owner == owner_of(pool, seen)
        if pending is None or key is None or not theirs or kind not in {None, pending.kind}:
            services.record("authn_enrolment_fail", seen.key, reason="expired")
            return Completion(reason="expired")
        digest = pending.digest(answer) if isinstance(answer, str) and len(answer) <= MAX_LONGEST_ANSWER else ""
        given = _Answer(services, (pool, client), seen, deadline, str(handle), pending, key, answer, digest, label)
        return given.completion()

    return services.clock.call(work, services.deadline)


def name_behind(services: Services, pool: str, client: str, handle: object) -> str | None:
    """Return the name of the user who began the enrolment of *handle*; None if there is none such."""
    pending = find_pending(services, (pool, client), handle, within=services.deadline)
    return pending.name if pending else None


def checked_label(label: object) -> str:
    """Return *label*, which a user gave.

    Raises:
        ProtocolError: if it is no line of at most 64 characters.
    """
    if not isinstance(label, str) or len(label) > LONGEST_LABEL or not label.isprintable():
        raise ProtocolError(f"a label is one line of at most {LONGEST_LABEL} characters")
    return label


def store_of(services: Services) -> Credentials:
    """Return the store of what users enrolled.

    Raises:
        ConfigurationError: if there is none.
    """
    if services.credentials is None:
        raise ConfigurationError(
            "there is no store of what users enrolled: set WATCHWORD_CREDENTIALS or pass credentials="
        )
    return services.credentials


def _begin(services: Services, binding: tuple[str, str], user: User, step: Step, deadline: Deadline) -> Enrolment:
    pool, kind = binding[0], step.kind.kind
    seen, now, key = services.as_kinds_see(pool, user), services.clock.now(), services.keyring.current
    handle, drawn = draw_handle(services.random), services.random.bytes(32).hex()
    claim = new_claim(key, drawn[:32], now)
    budget, within = f"enrolments:{seen.key}", deadline.left()
    if not services.ledger.count(budget, event=claim, owner=seen.key, limits=ENROLMENT_LIMITS, now=now, within=within):
        services.record("excess_rate_limit_exceeded", seen.key, claim=claim, kind=kind)
        raise TryLaterError("this user has begun too many enrolments", reason="throttled")
    request = BeginRequest(
        step.name,
        seen,
        now,
        drawn[32:],
        reference(claim),
        round=claim,
        within=deadline.left(),
        methods=services.methods_of(pool, seen, step, deadline, claim=claim, key=key),
    )
    begun = _begun(services, step, request, claim)
    expires = now + ENROLMENT_LIFETIME
    pending = PendingEnrolment(owner_of(pool, seen), user.name, kind, request.id, claim, expires, begun.private)
    keep_pending(services, binding, handle, pending, within=deadline.left())
    return Enrolment(begun.public, handle=handle)


def _begun(services: Services, step: Step, request: BeginRequest, claim: str) -> Challenge:
    """Ask the kind of *step* to begin; raise UnavailableError if it makes nothing that can be used."""
    begun = begin_with_kind(step, request)
    if isinstance(begun, Challenge):
        return begun
    services.record("sys_kind_failed", request.user.key, claim=claim, step=step.name, what=begun.what, **begun.why)
    what, reason, code = f"kind {step.kind.kind!r} {begun.what}", begun.why["reason"], begun.why.get("code", "")
    error = UnavailableError(what, undelivered=True, reason=reason, code=code)
    error.ref = request.ref
    raise error


@frozen(eq=False)
class _Answer:
    """One answer to an enrolment of *user* (as kinds see them), which is *pending*; *key* made its claim."""

    services: Services
    binding: tuple[str, str]
    user: User
    deadline: Deadline
    handle: str = field(repr=False)
    pending: PendingEnrolment
    key: Key = field(repr=False)
    text: object = field(repr=False)
    digest: str
    label: str

    def completion(self) -> Completion:
        """Count the answer, have the kind judge it, and write what it gives: in this order."""
        pending = self.pending
        step = enrolling_step(self.services, pending.kind)
        if not isinstance(self.text, str) or len(self.text) > step.powers.longest_answer:
            return self.refused("wrong", "malformed")
        if pending.answer:
            # The same answer has the same end, and no other one may have another.
            same = pending.answer == self.digest
            return self.succeeded(pending.completed) if same else self.refused("used_before")
        if not self.counted():
            return self.refused("guesses_used_up")
        verdict = judge(self.services, self.as_round_answer(step, self.text), self.deadline)
        if verdict.use is not None:
            return self.finished(verdict.use)
        reason = checked_word(verdict.reason, "wrong")
        if reason in _CONFLICTS and self.was_written():
            reason = "used_before"
        return self.refused(reason if reason in {*_CONFLICTS, "used_before"} else "wrong", reason)

    def as_round_answer(self, step: Step, text: str) -> RoundAnswer:
        """Return the answer as the engine judges it: each in a round of its own, which a repeat has too."""
        pool, pending = self.binding[0], self.pending
        return RoundAnswer(
            pool,
            self.user,
            pending.kind,
            step.powers.remembers,
            pending.round(self.digest),
            lambda owned: self.services.methods_of(
                pool, self.user, step, self.deadline, claim=pending.claim, key=self.key, owned=owned
            ),
            lambda methods: self.asked(step, text, methods),
            enrols=True,
            label=self.label,
            replaces=True,
            may_write=self.wins,
        )

    def succeeded(self, credential: Credential) -> Completion:
        return Completion(credential, ref=reference(self.pending.claim))

    def refused(self, reason: str, word: str = "") -> Completion:
        """Record why the answer enrols nothing, in the kind's own *word* if it has one."""
        pending = self.pending
        detail = {"kind": pending.kind, "reason": word or reason}
        self.services.record("authn_enrolment_fail", self.user.key, claim=pending.claim, **detail)
        return Completion(reason=reason, ref=reference(pending.claim))

    @property
    def budget(self) -> str:
        """The budget of the enrolment's answers."""
        return f"enrolment answers:{digest_of(self.pending.claim)}"

    def counted(self) -> bool:
        """Count the answer, unless it was counted; return False if there were five others."""
        # The window is longer than the enrolment lives, so none of its answers leaves it before.
        return self.services.ledger.count(
            self.budget,
            event=self.digest,
            owner=self.user.key,
            limits=(Limit(ENROLMENT_ANSWERS, ENROLMENT_LIFETIME + 2 * LEASE),),
            now=self.services.clock.now(),
            within=self.deadline.left(),
        )

    def was_written(self) -> bool:
        """Say whether this enrolment has written a credential, for any answer."""
        owned = store_of(self.services).list(self.pending.owner, within=self.deadline.left())
        return any(map(self.pending.wrote, owned))

    def asked(self, step: Step, text: str, methods: RequestMethods) -> object:
        """Ask the kind; return what it says."""
        pending = self.pending
        request = CompleteRequest(
            step.name,
            self.user,
            self.services.clock.now(),
            pending.id,
            text,
            pending.private,
            self.label,
            round=pending.round(self.digest),
            within=self.deadline.left(),
            methods=methods,
        )
        return cast("Callable[[CompleteRequest], object]", step.powers.complete)(request)

    def wins(self, wanted: Credential) -> bool:
        """Say whether the answer may write: one enrolment, one credential. Of several right answers that bring others, one wins."""
        keep, by = self.pending.expires + 2 * LEASE, digest_of(wanted.id)
        return self.services.ledger.consume(
            f"{self.pending.claim} enrolment", by=by, refund=self.budget, keep=keep, within=self.deadline.left()
        )

    def finished(self, written: Credential) -> Completion:
        """Record what was *written*, leave a mark, so that a repeat reads the same, and tell the user."""
        services, pending = self.services, self.pending
        detail = {"action": "credential_added", "kind": pending.kind}
        services.record("user_updated", self.user.key, claim=pending.claim, **detail)
        mark = (written.id, written.label, written.created)
        done = evolve(pending, private={}, answer=self.digest, written=mark)
        with suppress(Exception):  # the credential is there; without the mark a repeat finds it by its round
            keep_pending(services, self.binding, self.handle, done, within=self.deadline.left())
        send_notice(services, self.user, "added", pending.kind, claim=pending.claim, deadline=self.deadline)
        return self.succeeded(written)
