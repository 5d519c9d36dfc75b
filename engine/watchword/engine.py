"""The engine: define, create and verify for one flow, over the ports that a host brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import field, frozen

from watchword.challenge import User, Verdict
from watchword.errors import ConfigurationError, ProtocolError, UnavailableError, WatchwordError, reason_of
from watchword.flow import Decision, Flow, expect_flow, expect_flows
from watchword.keyring import Key, Ring
from watchword.ports import Audit, AuditEvent, Clock, Courier, Ledger, Random
from watchword.powers import powers_of_courier
from watchword.travel import claim_of, reference
from watchword.turn import Answer, Judgement, Turn, ending, judge

if TYPE_CHECKING:
    from watchword.blocks import Step
    from watchword.creation import Created

DEADLINE = 3.5
"""Seconds for one call, of the five after which Cognito calls again."""

MARKED = 90 * 86_400
"""Seconds for which a ledger is marked as used with a key and for a pool."""

MARK_EACH = 86_400
"""Seconds after which an engine marks its ledger again."""

SPARE = 1.5
"""Seconds of the deadline that the marks are not given: a slow call goes without."""

LEASE = 16
"""Seconds in which the host may call again with the same event: three calls of five seconds, and one."""


def folded(name: str) -> str:
    """Return *name* in small letters, the same for all spellings of it in a user pool that is not case sensitive."""
    return name.lower()


def answer_time(flow: Flow) -> int:
    """Return for how many seconds a message of *flow* may be answered, from when it was claimed; 0 where none is sent."""
    times = [step.lifetime + LEASE for step in flow.steps.values() if step.powers.sends]
    return max(times, default=0)


def own_tries(flow: Flow) -> int:
    """Return in how many sign-ins one message of *flow* may be tried beside the budget of guesses."""
    return flow.limits.own_tries(answer_time(flow))


@frozen
class Engine:
    """One flow and the ports it runs on.

    *previous* are flows whose sessions may still be under way; *couriers* go by channel; *pad_to* is the least number
    of seconds that a call takes in which a message could be sent (the courier's own floor if None); *deadline* the seconds
    that a call may take; *fold* returns the same text for all spellings by which the host finds the same user.
    """

    flow: Flow = field(converter=expect_flow)
    previous: tuple[Flow, ...] = field(default=(), kw_only=True, converter=expect_flows)
    keyring: Ring = field(kw_only=True)
    ledger: Ledger = field(kw_only=True, repr=False)
    couriers: Mapping[str, Courier] = field(factory=dict[str, Courier], kw_only=True, repr=False)
    clock: Clock = field(kw_only=True, repr=False)
    random: Random = field(kw_only=True, repr=False)
    audit: Audit | None = field(default=None, kw_only=True, repr=False)
    pad_to: float | None = field(default=None, kw_only=True)
    deadline: float = field(default=DEADLINE, kw_only=True)
    fold: Callable[[str], str] = field(default=folded, kw_only=True)
    _marked: dict[str, float] = field(factory=dict[str, float], init=False, eq=False, repr=False)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """The flow and the previous ones."""
        return (self.flow, *self.previous)

    def prepare(self) -> None:
        """Check and set up what Create needs: each step's extra, its own `prepare`, a courier for its channel.

        A courier's `prepare`, if it has one, makes what the first message would have to wait for.

        Raises:
            ConfigurationError: if something is missing; the message says what to install or to set.
        """
        for flow in self.flows:
            for step in flow.steps.values():
                _prepare(step, self.couriers)
        for courier in self.couriers.values():
            powers_of_courier(courier).prepare()

    def define(self, turn: Turn) -> Decision:
        """Return what comes next for the session of *turn*."""
        judgement = judge(turn, self.flows)
        self.remember(turn, judgement)
        return judgement.decision

    def create(self, turn: Turn) -> Created:
        """Return the challenge for the step that the session of *turn* has come to; see `watchword.creation.create`.

        Create and Verify call kinds, couriers and ledgers, any of which may hang: they end in time all the same.
        """
        from watchword.creation import create  # noqa: PLC0415 - a host that only defines loads neither

        deadline = Deadline.starting(self)

        def work() -> Created:
            created = create(self, turn, deadline)
            self._leave_marks(turn.pool, deadline)
            return created

        return self.clock.call(work, self.deadline)

    def verify(self, answer: Answer) -> Verdict:
        """Return whether *answer* is right; see `watchword.verification.verify`. An outage is recorded."""
        from watchword.verification import verify  # noqa: PLC0415

        deadline = Deadline.starting(self)
        try:
            return self.clock.call(lambda: verify(self, answer, deadline), self.deadline)
        except UnavailableError as error:
            user = self.user_key(answer.pool, answer.user)
            raise self.recorded(error, user, claim=claim_of(answer.private)) from None

    def _leave_marks(self, pool: str, deadline: Deadline) -> None:
        """Mark the ledger as used with this key and for *pool*, once a day: so an operator's mistake in either is told."""
        now = self.clock.now()
        if now < self._marked.get(pool, 0.0) + MARK_EACH:
            return
        # A challenge that was made is not lost for a mark.
        with suppress(Exception):
            for mark in marks(self.keyring, pool).values():
                self.ledger.put(mark, "1", expires=now + MARKED, within=deadline.left(but=SPARE))
            self._marked[pool] = now

    def remember(self, turn: Turn, judgement: Judgement) -> None:
        """Record the end of a sign-in, if *judgement* is one."""
        ended = ending(turn, judgement)
        if ended is not None:
            self.record(ended[0], self.user_key(turn.pool, turn.user), claim=judgement.claim, **ended[1])

    def failed(self, error: BaseException, user: str = "", *, claim: str, step: str = "") -> str:
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

    def recorded(self, error: UnavailableError, user: str, *, claim: str, step: str = "") -> UnavailableError:
        """Record *error* as `failed` does; return one that says so: a port may raise the same error again."""
        copy = UnavailableError(str(error), undelivered=error.undelivered, reason=error.reason, code=error.code)
        copy.ref = self.failed(error, user, claim=claim, step=step)
        return copy

    def user_key(self, pool: str, user: User) -> str:
        """Return the keyed digest that stands for *user* in budgets; see `user_key`."""
        return user_key(self.keyring, pool, user, self.fold)

    def slot(self, turn: Turn | Answer, user: str, step: str, sharing: str = "first") -> str:
        """Return the ledger's key for the claim of *step*: the one of all first challenges, or that of a sign-in."""
        return self.keyring.lasting.digest("dated claim", turn.pool, turn.client, user, step, sharing)

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


@frozen
class Deadline:
    """The time that one call has left."""

    clock: Clock
    started: float
    seconds: float

    @classmethod
    def starting(cls, engine: Engine) -> Deadline:
        """Return the deadline of a call of *engine* that begins now.

        It starts before the clock's own limit, so that what wakes after that was given up finds no time left.
        """
        return cls(engine.clock, engine.clock.monotonic(), engine.deadline)

    def left(self, *, but: float = 0.0) -> float:
        """Return the seconds left, *but* so many that something else will need.

        Raises:
            UnavailableError: if there are none.
        """
        left = self.started + self.seconds - self.clock.monotonic() - but
        if left <= 0:
            raise UnavailableError(f"the call took more than {self.seconds} s", undelivered=True, reason="timeout")
        return left


def marks(keyring: Ring, pool: str) -> dict[str, str]:
    """Return the keys of the marks in a ledger that is used: of the oldest *key* of the ring, and of the *pool*."""
    lasting = keyring.lasting
    return {"key": f"used:{lasting.id}", "pool": f"used:{lasting.digest('pool', pool)}"}


def user_key(keyring: Ring, pool: str, user: User, fold: Callable[[str], str] = folded) -> str:
    """Return the keyed digest that stands for *user* of *pool*: by ``sub``, or by the name as *fold* has it if unknown.

    A host that takes two spellings for one user does so whether there is such a user or not: *fold* is the host's.

    Raises:
        ConfigurationError: for a known user without ``sub``, whose budgets would begin anew with each spelling.
    """
    named = ("sub", identity(user.attributes)) if user.known else ("name", fold(user.name))
    return keyring.lasting.digest("user", pool, *named)


def identity(attributes: Mapping[str, str]) -> str:
    """Return what stays the same of a known user whatever is typed: the attribute ``sub``.

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


def _prepare(step: Step, couriers: Mapping[str, Courier]) -> None:
    from importlib.util import find_spec  # noqa: PLC0415 - only Create's set-up looks for extras

    name, powers = step.kind.kind, step.powers
    for module in powers.requires_create:
        if find_spec(module) is None:
            raise ConfigurationError(f"kind {name!r} needs the module {module}: pip install '{powers.extra}'")
    if powers.sends and powers.channel not in couriers:
        raise ConfigurationError(
            f"kind {name!r} sends by {powers.channel!r} and no courier does: set WATCHWORD_COURIER or pass courier="
        )
    if powers.sends and powers.resend_after < LEASE:
        raise ConfigurationError(
            f"kind {name!r}: resend_after is {powers.resend_after} s, at least {LEASE} s are needed: a host may call again "
            "for so long"
        )
    powers.prepare()
