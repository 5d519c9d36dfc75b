"""The engine: define, create and verify for one flow, with the ports that a host brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import field, frozen

from watchword.algebra.evaluation import AnswerRequest, Evaluation, SessionRequest, closing_event, evaluate
from watchword.algebra.flow import Decision
from watchword.contract.kinds import Verdict
from watchword.contract.ports import LEASE, Courier
from watchword.contract.powers import powers_of_courier
from watchword.errors import ConfigurationError, UnavailableError, reason_of
from watchword.runtime.services import Deadline, Services, usage_marks
from watchword.runtime.wire import claim_of

if TYPE_CHECKING:
    from watchword.algebra.lowering import Step
    from watchword.runtime.creation import CreatedChallenge
    from watchword.runtime.sign_ins.evidence import Evidence

USAGE_MARK_LIFETIME = 90 * 86_400
"""How long a ledger keeps the mark that it is used with a key and for a pool, in seconds."""

USAGE_MARK_INTERVAL = 86_400
"""How often an engine writes that mark, in seconds."""

USAGE_MARK_RESERVE = 1.5
"""Seconds of the deadline that must be left after writing marks; a slow call writes none."""


@frozen
class Engine(Services):
    """Define, create and verify for one flow."""

    _marked: dict[str, float] = field(factory=dict[str, float], init=False, eq=False, repr=False)

    def prepare(
        self,
        schemes: Callable[[str], Sequence[str]] = lambda _: (),
        *,
        creates: bool = True,
        verifies: bool = True,
        signs_in: bool = True,
    ) -> None:
        """Check and set up what is needed: each step's extra, and for Create its own `prepare`, a courier for its channel, a store of credentials.

        A courier's `prepare`, if it has one, makes what the first message would have to wait for. *schemes* tells for a
        channel without a courier which URLs could name one. A function that only verifies, or only *creates*, needs no more than that:
        *verifies* says whether answers are judged here, and *signs_in* whether they are of sign-ins, and not of enrolments alone.

        Raises:
            ConfigurationError: if something is missing; the message says what to install or to set.
        """
        for flow in self.flows:
            for step in flow.steps.values():
                _demand_modules(step, creates=creates, verifies=verifies)
                if step.powers.with_token and verifies and signs_in and self.tokens is None:
                    raise ConfigurationError(
                        f"the answers of step {step.name!r} come with an access token, and this host knows of none: pass tokens=, "
                        "which says whether a text is one"
                    )
        if not creates:
            return
        for flow in self.flows:
            for step in flow.steps.values():
                _prepare(step, self.couriers, schemes)
                if step.powers.remembers and self.credentials is None:
                    raise ConfigurationError(
                        f"kind {step.kind.kind!r} remembers what users enrolled, and there is no store of it: set WATCHWORD_CREDENTIALS or pass credentials="
                    )
            asked = next((condition[1] for condition in flow.conditions if condition[0] == "enrolled"), None)
            if asked is not None and self.credentials is None:
                raise ConfigurationError(
                    f"the flow asks whether {asked!r} is enrolled, and there is no store that knows: set WATCHWORD_CREDENTIALS or pass credentials="
                )
        for courier in self.couriers.values():
            powers_of_courier(courier).set_up(f"courier {type(courier).__name__}")

    def define(self, request: SessionRequest) -> Decision:
        """Return what comes next for the session of *request*. The end of a sign-in is recorded."""
        evaluation = evaluate(request, self.flows)
        self.record_end(request, evaluation)
        return evaluation.decision

    def record_end(self, request: SessionRequest, evaluation: Evaluation) -> None:
        """Record the end of a sign-in, if *evaluation* of *request* is one."""
        ended = closing_event(request, evaluation)
        if ended is not None:
            self.record(ended[0], self.user_key(request.pool, request.user), claim=evaluation.claim, **ended[1])

    def create(self, request: SessionRequest) -> CreatedChallenge:
        """Return the challenge for the step that the session of *request* has come to; see `watchword.runtime.creation.create`.

        Create and Verify call kinds, couriers and ledgers, any of which may hang: they end in time all the same.
        """
        from watchword.runtime.creation import create  # noqa: PLC0415 - a host that only defines loads neither

        deadline = Deadline.starting(self)

        def work() -> CreatedChallenge:
            created = create(self, request, deadline)
            self._leave_marks(request.pool, deadline)
            return created

        return self.clock.call(work, self.deadline)

    def verify(self, request: AnswerRequest) -> Verdict:
        """Return whether the answer of *request* is right; see `watchword.runtime.verification.verify`. An outage is recorded."""
        from watchword.runtime.verification import verify  # noqa: PLC0415

        deadline = Deadline.starting(self)
        try:
            return self.clock.call(lambda: verify(self, request, deadline), self.deadline)
        except UnavailableError as error:
            user = self.user_key(request.pool, request.user)
            raise self.record_outage(error, user, claim=claim_of(request.private)) from None

    def find_evidence(self, request: SessionRequest) -> Evidence | None:
        """Return what was passed in the sign-in that the client of *request* said; None if that is doubtful. Never raise.

        A failure costs the evidence and is recorded: tokens are issued without it.
        """
        from watchword.runtime.sign_ins.evidence import find_evidence  # noqa: PLC0415

        deadline = Deadline.starting(self)
        try:
            return self.clock.call(lambda: find_evidence(self, request, deadline), self.deadline)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - nobody is locked out because a claim cannot be read
            self.record("sys_evidence_failed", "", step="pre_token", **reason_of(error))
            return None

    def _leave_marks(self, pool: str, deadline: Deadline) -> None:
        """Mark the ledger as used with this key and for *pool*, once a day: so an operator's mistake in either is told."""
        now = self.clock.now()
        if now < self._marked.get(pool, 0.0) + USAGE_MARK_INTERVAL:
            return
        # A challenge that was made is not lost for a mark.
        with suppress(Exception):
            for mark in usage_marks(self.keyring, pool).values():
                self.ledger.put(
                    mark, "1", expires=now + USAGE_MARK_LIFETIME, within=deadline.left(but=USAGE_MARK_RESERVE)
                )
            self._marked[pool] = now


def _demand_modules(step: Step, *, creates: bool, verifies: bool) -> None:
    """Demand what the kind's extra brings: without it Create would be an outage, and every answer wrong."""
    powers = step.powers
    required = (*(powers.requires_create if creates else ()), *(powers.requires_verify if verifies else ()))
    missing = powers.remedy(required)
    if missing:
        modules = ", ".join(dict.fromkeys(required))
        raise ConfigurationError(
            f"kind {step.kind.kind!r} needs {modules}, and not all of that is installed: {missing}"
        )


def _prepare(step: Step, couriers: Mapping[str, Courier], schemes: Callable[[str], Sequence[str]]) -> None:
    name, powers = step.kind.kind, step.powers
    if powers.sends and powers.channel not in couriers:
        installed = ", ".join(f"{scheme}:" for scheme in schemes(powers.channel))
        if not installed:
            remedy = "install one for WATCHWORD_COURIER"
        elif couriers:
            remedy = f"add to WATCHWORD_COURIER, with a space between, a URL of {installed}"
        else:
            remedy = f"set WATCHWORD_COURIER to a URL of {installed}"
        raise ConfigurationError(
            f"kind {name!r} sends by {powers.channel!r} and no courier does: {remedy}, or pass courier="
        )
    if powers.sends and powers.resend_after < LEASE:
        raise ConfigurationError(
            f"kind {name!r}: resend_after is {powers.resend_after} s, at least {LEASE} s are needed: a host may call again "
            "for so long"
        )
    powers.set_up(f"kind {name!r}")
