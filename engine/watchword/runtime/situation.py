"""Read a session for Create, once, and give each fact that Create needs a name."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import Evaluation, SessionRequest, evaluate
from watchword.algebra.flow import Flow, Present, ReadRound
from watchword.algebra.lowering import Step
from watchword.contract.ports import LEASE
from watchword.errors import ProtocolError, UnavailableError
from watchword.runtime.services import Deadline, Services, owner_of
from watchword.runtime.wire import BEGUN, OTHER_BROWSER, claim_time, late_answer_key, other_browser_key, read_carry


@frozen(eq=False, repr=False)
class EarlierChallenge:
    """The last challenge that was made for a step in this sign-in: its *claim*, and when the sign-in came to it."""

    claim: str
    issued: int
    metadata: Mapping[str, str] = field(repr=False)

    @property
    def carry(self) -> dict[str, str]:
        """The carry that the kind wrote into it for its next challenge."""
        return read_carry(self.metadata)


@frozen(eq=False, repr=False)
class Situation:
    """One call of Create, with a name for each fact.

    *step_name* names the step that comes next, or is ``select`` where the client must choose one of *choices*. *user* is the
    digest that stands for the user, *signin* the id of the sign-in, *round* a new id for this call and *now* its time;
    *proven* says whether a factor is proven.
    *rounds* are the session, *state_before* is the state before the last of them and *state* the one after it.
    *code_is_dead* says that no answer to the last challenge of the step can be right any more: its code was used, or its time is
    over. *answered_dead_code* says that the client has just answered it all the same, *answered_elsewhere* that it has answered with
    the ticket of another sign-in. *enrols* says that the step begins an
    enrolment.
    """

    request: SessionRequest
    evaluation: Evaluation
    step_name: str
    choices: tuple[str, ...]
    rounds: tuple[ReadRound, ...]
    state_before: derivative.State
    state: derivative.State
    user: str
    signin: str
    round: str
    now: float
    proven: bool
    code_is_dead: bool = False
    answered_dead_code: bool = False
    answered_elsewhere: bool = False
    enrols: bool = False

    @property
    def flow(self) -> Flow:
        """The flow that the session belongs to."""
        return self.evaluation.flow

    @property
    def step(self) -> Step:
        """The step that comes next."""
        return self.flow.steps[self.step_name]

    @property
    def binding(self) -> tuple[str, str, str]:
        """What the private parameters are sealed to: pool, app client and user."""
        return self.request.pool, self.request.client, self.user

    @property
    def first_metadata(self) -> Mapping[str, str] | None:
        """The metadata of the first challenge of this sign-in; None if there was none."""
        return next((each.metadata for each in self.rounds if each.metadata), None)

    @property
    def last_round(self) -> ReadRound | None:
        """The round just answered, if it was one of the flow's own."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].metadata else None

    @property
    def earlier_challenge(self) -> EarlierChallenge | None:
        """The last challenge of the step that comes next; None if this is its first."""
        written = [each.metadata for each in self.rounds if each.metadata and each.step == self.step_name]
        if not written:
            return None
        claim = written[-1]["claim"]
        return EarlierChallenge(claim, self.issued_to_sign_in(claim, written[-1]["issued"]), written[-1])

    @property
    def carry(self) -> dict[str, str]:
        """What the last challenge of the step handed on: of an enrolment to an enrolment, of a challenge to a challenge."""
        earlier = self.earlier_challenge
        carried = earlier.carry if earlier else {}
        return carried if bool(carried.pop(BEGUN, "")) == self.enrols else {}

    @property
    def message_claims(self) -> frozenset[str]:
        """The claims of the challenges that were made for the step in this sign-in: each claim is one message."""
        return frozenset(
            each.metadata["claim"] for each in self.rounds if each.metadata and each.step == self.step_name
        )

    @property
    def was_answered(self) -> bool:
        """Whether the last round was an answer to this step. Since the step is asked again, the answer was wrong."""
        last = self.last_round
        return last is not None and last.step == self.step_name and last.is_answer

    @property
    def error(self) -> str:
        """The word that tells the client why the step is asked again; empty if no answer was wrong."""
        if self.answered_dead_code:
            return "expired"
        return OTHER_BROWSER if self.answered_elsewhere else "wrong" if self.was_answered else ""

    @property
    def attempts_left(self) -> int:
        """How many answers the step still takes."""
        standing = derivative.find(self.state[0], self.step_name)
        return standing[2] if standing else 0

    @property
    def resends_open(self) -> bool:
        """Whether the step still takes a resend request."""
        standing = derivative.find(self.state[0], self.step_name)
        return bool(standing and standing[3])

    @property
    def has_another_way(self) -> bool:
        """Whether the flow goes on if the step cannot be asked."""
        left = derivative.after(self.state, derivative.CUSTOM, self.step_name, derivative.UNASKED, False)[0]
        return left not in derivative.ENDS

    def passing_steps(self, kind: str) -> tuple[str, ...]:
        """Return the steps of which a right answer to a challenge of *kind* passes the flow: nothing has to follow."""
        if kind == derivative.UNASKED:
            return ()
        chooses = kind == derivative.SELECT
        names = [name for name in self.choices if name in self.flow.offered] if chooses else [self.step_name]
        use = derivative.OFFERED if chooses else "answer"
        return tuple(
            name
            for name in names
            if derivative.after(self.state, derivative.CUSTOM, name, use, True)[0] == derivative.PASSED
        )

    def issued_to_sign_in(self, claim: str, noted: str | None = None) -> int:
        """Return when this sign-in got *claim*: the time *noted* in its metadata, or now if this call is the first.

        Whatever is noted, that is at most the lease after the claim was made: no metadata puts off when a code ends.
        """
        try:
            at = int(self.now if noted is None else noted)
        except ValueError:
            at = 0
        return min(at, claim_time(claim) + LEASE)

    def excused(self) -> Situation:
        """Return this situation without the answer of the last round: with a resend request, or with the choice alone."""
        last = self.rounds[-1]
        offered = last.use == derivative.OFFERED
        last = evolve(last, step=derivative.SELECT, use="choice") if offered else evolve(last, use="resend")
        state = derivative.after(self.state_before, last.name, last.step, last.use, last.right)
        return evolve(self, rounds=(*self.rounds[:-1], last), state=state)


def read_situation(services: Services, request: SessionRequest, deadline: Deadline) -> Situation:
    """Read the session of *request* and return the situation.

    Raises:
        ProtocolError: if its session has come to no step of the flow's own.
        UnavailableError: if there is no randomness, or the store of credentials fails.
    """
    evaluation = evaluate(request, services.flows, _enrolled_kinds(services, request, deadline))
    decision = evaluation.decision
    if not isinstance(decision, Present) or decision.host:
        raise ProtocolError("Create was called, but the flow has come to no challenge of its own")
    fresh = _fresh(services)
    at = Situation(
        request,
        evaluation,
        step_name=decision.step,
        choices=decision.choices,
        rounds=evaluation.rounds,
        state_before=evaluation.before,
        state=evaluation.state,
        user=services.user_key(request.pool, request.user),
        signin=fresh,
        round=fresh,
        now=services.clock.now(),
        proven=bool(evaluation.factors),
    )
    return evolve(at, signin=at.first_metadata["signin"]) if at.first_metadata else at


def _enrolled_kinds(services: Services, request: SessionRequest, deadline: Deadline) -> frozenset[str]:
    """Return the kinds that the user has a credential of, if this is the first challenge and the flow asks for them.

    The store is read for somebody unknown too, so that the time of the answer does not tell who exists.
    """
    asks = any(condition[0] == "enrolled" for condition in services.flow.conditions)
    if not asks or any(each.name == derivative.CUSTOM for each in request.session):
        return frozenset()
    if services.credentials is None:
        # Nobody passes as one who has enrolled nothing because a host was set up wrongly.
        raise UnavailableError("there is no store of credentials", undelivered=True, reason="internal")
    user = services.as_kinds_see(request.pool, request.user)
    owned = services.credentials.list(owner_of(request.pool, user), within=deadline.left())
    return frozenset(each.kind for each in owned) if user.known else frozenset()


def _fresh(services: Services) -> str:
    """Return a new id of 128 random bits (ASVS 5.0 11.5.1)."""
    drawn = services.random.bytes(16)
    if not isinstance(drawn, bytes) or len(drawn) != 16:
        raise UnavailableError("the source of randomness gave too little", undelivered=True, reason="internal")
    return drawn.hex()


def with_dead_code(services: Services, at: Situation, deadline: Deadline) -> Situation:
    """Return *at*, with a note if the code of the last challenge is dead: used, or expired.

    Whoever answers a dead code wants another one, whether or not the client said so. So that round is read as a resend
    request from here on, which costs no try and sends at once: unless Verify may have compared the answer, or no resend
    is left. A select round that was answered too late is read as the choice alone.
    """
    earlier = at.earlier_challenge
    if earlier is None:
        return at
    over = earlier.issued + at.step.lifetime
    # What sends nothing draws a secret for each call: nobody else can use it up.
    used = at.step.powers.sends and services.ledger.consumed(earlier.claim, within=deadline.left())
    if at.now < over and not used:
        return at
    at = evolve(at, code_is_dead=True, answered_dead_code=at.was_answered)
    # Verify compares nothing and calls no ledger when the lease after the end is over.
    if not at.answered_dead_code or not (
        used
        or at.now >= over + LEASE
        or services.ledger.consumed(late_answer_key(earlier.claim, at.signin), within=deadline.left())
    ):
        return at
    excused = at.excused()
    return excused if derivative.find(excused.state[0], at.step_name) else at


def with_other_browser(services: Services, at: Situation, deadline: Deadline) -> Situation:
    """Return *at*, with a note if the last answer was a good ticket of another sign-in.

    Verify left the note; whoever takes it tells the client, so that a later wrong answer is told as one.
    """
    if not (at.step.powers.links and at.was_answered):
        return at
    note = other_browser_key(at.signin, at.step_name)
    return evolve(at, answered_elsewhere=bool(services.ledger.take(note, now=at.now, within=deadline.left())))


def with_enrolment(services: Services, at: Situation, deadline: Deadline) -> Situation:
    """Return *at*, with a note if the step is one that enrols and the user has no credential of its kind yet."""
    if not at.step.enrols:
        return at
    user = services.as_kinds_see(at.request.pool, at.request.user)
    return evolve(at, enrols=not services.credentials_of(at.request.pool, user, at.step.kind.kind, deadline))
