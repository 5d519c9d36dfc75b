"""The engine: define, create and verify for one flow, over the services that a host brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import field, frozen

from watchword.algebra.evaluation import Answer, Turn, closing_event, judge
from watchword.algebra.flow import Decision
from watchword.contract.kinds import Verdict
from watchword.contract.ports import LEASE, Courier
from watchword.contract.powers import powers_of_courier
from watchword.errors import ConfigurationError, UnavailableError
from watchword.runtime.services import Deadline, Services, marks
from watchword.runtime.wire import claim_of

if TYPE_CHECKING:
    from watchword.algebra.blocks import Step
    from watchword.runtime.creation import Created

MARKED = 90 * 86_400
"""Seconds for which a ledger is marked as used with a key and for a pool."""

MARK_EACH = 86_400
"""Seconds after which an engine marks its ledger again."""

SPARE = 1.5
"""Seconds of the deadline that the marks are not given: a slow call goes without."""


@frozen
class Engine(Services):
    """The three decisions, on the services of one flow."""

    _marked: dict[str, float] = field(factory=dict[str, float], init=False, eq=False, repr=False)

    def prepare(self, schemes: Callable[[str], Sequence[str]] = lambda _: ()) -> None:
        """Check and set up what Create needs: each step's extra, its own `prepare`, a courier for its channel.

        A courier's `prepare`, if it has one, makes what the first message would have to wait for. *schemes* tells for a
        channel without a courier which URLs could name one.

        Raises:
            ConfigurationError: if something is missing; the message says what to install or to set.
        """
        for flow in self.flows:
            for step in flow.steps.values():
                _prepare(step, self.couriers, schemes)
        for courier in self.couriers.values():
            powers_of_courier(courier).prepare()

    def define(self, turn: Turn) -> Decision:
        """Return what comes next for the session of *turn*. The end of a sign-in is recorded."""
        judgement = judge(turn, self.flows)
        ended = closing_event(turn, judgement)
        if ended is not None:
            self.record(ended[0], self.user_key(turn.pool, turn.user), claim=judgement.claim, **ended[1])
        return judgement.decision

    def create(self, turn: Turn) -> Created:
        """Return the challenge for the step that the session of *turn* has come to; see `watchword.runtime.creation.create`.

        Create and Verify call kinds, couriers and ledgers, any of which may hang: they end in time all the same.
        """
        from watchword.runtime.creation import create  # noqa: PLC0415 - a host that only defines loads neither

        deadline = Deadline.starting(self)

        def work() -> Created:
            created = create(self, turn, deadline)
            self._leave_marks(turn.pool, deadline)
            return created

        return self.clock.call(work, self.deadline)

    def verify(self, answer: Answer) -> Verdict:
        """Return whether *answer* is right; see `watchword.runtime.verification.verify`. An outage is recorded."""
        from watchword.runtime.verification import verify  # noqa: PLC0415

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


def _prepare(step: Step, couriers: Mapping[str, Courier], schemes: Callable[[str], Sequence[str]]) -> None:
    name, powers = step.kind.kind, step.powers
    missing = powers.remedy(verify=False)
    if missing:
        modules = ", ".join(powers.requires_create)
        raise ConfigurationError(f"kind {name!r} needs {modules}, and not all of that is installed: {missing}")
    if powers.sends and powers.channel not in couriers:
        installed = ", ".join(f"{scheme}:" for scheme in schemes(powers.channel))
        remedy = f"set WATCHWORD_COURIER to a URL of {installed}" if installed else "install one for WATCHWORD_COURIER"
        raise ConfigurationError(
            f"kind {name!r} sends by {powers.channel!r} and no courier does: {remedy}, or pass courier="
        )
    if powers.sends and powers.resend_after < LEASE:
        raise ConfigurationError(
            f"kind {name!r}: resend_after is {powers.resend_after} s, at least {LEASE} s are needed: a host may call again "
            "for so long"
        )
    powers.prepare()
