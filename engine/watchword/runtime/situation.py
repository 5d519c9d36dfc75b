"""The situation: what Create asks of a session, with a name for each fact; the session is read and folded once, here."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import Step
from watchword.algebra.evaluation import Judgement, Turn, judge
from watchword.algebra.flow import Flow, Present, ReadRound, Use
from watchword.contract.ports import LEASE
from watchword.errors import ProtocolError, UnavailableError
from watchword.runtime.services import Deadline, Services
from watchword.runtime.wire import late, made_at, read_carry


@frozen
class EarlierChallenge:
    """The last challenge that was made for a step in this sign-in: its *claim*, and when the sign-in came to it."""

    claim: str
    issued: int
    metadata: Mapping[str, str] = field(repr=False)

    @property
    def carry(self) -> dict[str, str]:
        """What the kind left in it for the next challenge."""
        return read_carry(self.metadata)


@frozen
class Situation:
    """One call of Create, as far as it is understood.

    *asked* names the step that comes next, or is ``select`` where the client must choose one of *choices*. *user* is the
    digest that stands for the user, *signin* the id of the sign-in, *round* a new id for this call and *now* its time;
    *proven* says whether a factor is proven.
    *rounds* are the session, *before* is the state before the last of them and *state* the one after it.
    *dead* says that no answer to the last challenge of the step can be right any more: its code was used, or its time is
    over. *late* says that the client has just answered it all the same.
    """

    turn: Turn
    judgement: Judgement
    asked: str
    choices: tuple[str, ...]
    rounds: tuple[ReadRound, ...]
    before: derivative.State
    state: derivative.State
    user: str
    signin: str
    round: str
    now: float
    proven: bool
    dead: bool = False
    late: bool = False

    @property
    def flow(self) -> Flow:
        """The flow that the session belongs to."""
        return self.judgement.flow

    @property
    def step(self) -> Step:
        """The step that comes next."""
        return self.flow.steps[self.asked]

    @property
    def binding(self) -> tuple[str, str, str]:
        """What the private parameters are sealed to: pool, app client and user."""
        return self.turn.pool, self.turn.client, self.user

    @property
    def first(self) -> Mapping[str, str] | None:
        """The metadata of the first challenge of this sign-in; None if there was none."""
        return next((each.metadata for each in self.rounds if each.metadata), None)

    @property
    def last(self) -> ReadRound | None:
        """The round just answered, if it was one of the flow's own."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].metadata else None

    @property
    def earlier(self) -> EarlierChallenge | None:
        """The last challenge of the step that comes next; None if this is its first."""
        written = [each.metadata for each in self.rounds if each.metadata and each.step == self.asked]
        if not written:
            return None
        claim = written[-1]["claim"]
        return EarlierChallenge(claim, self.issued(claim, written[-1]["issued"]), written[-1])

    @property
    def messages(self) -> frozenset[str]:
        """The claims of the challenges that were made for the step in this sign-in: each claim is one message."""
        return frozenset(each.metadata["claim"] for each in self.rounds if each.metadata and each.step == self.asked)

    @property
    def answered(self) -> bool:
        """Whether the step was just answered: since it is asked again, the answer was wrong and cost a try."""
        last = self.last
        return last is not None and last.step == self.asked and last.use == "answer"

    @property
    def error(self) -> str:
        """The word that tells the client why the step is asked again; nothing if the answer was not wrong."""
        return "expired" if self.late else "wrong" if self.answered else ""

    @property
    def attempts_left(self) -> int:
        """How many answers the step still takes."""
        standing = derivative.find(self.state[0], self.asked)
        return standing[2] if standing else 0

    @property
    def resends_open(self) -> bool:
        """Whether the step still takes a resend request."""
        standing = derivative.find(self.state[0], self.asked)
        return bool(standing and standing[3])

    @property
    def has_another_way(self) -> bool:
        """Whether the flow goes on if the step cannot be asked."""
        left = derivative.after(self.state, derivative.CUSTOM, self.asked, derivative.UNASKED, False)[0]
        return not derivative.is_end(left)

    def issued(self, claim: str, noted: str | None = None) -> int:
        """Return when this sign-in came to *claim*: as *noted* in its metadata, or now if it has only just done so.

        Whatever is noted, that is at most the lease after the claim was made: no metadata puts off when a code ends.
        """
        try:
            at = int(self.now if noted is None else noted)
        except ValueError:
            at = 0
        return min(at, made_at(claim) + LEASE)

    def ended_by(self, use: Use) -> Situation:
        """Return this situation with *use* for what the client did in the last round."""
        last = evolve(self.rounds[-1], use=use)
        state = derivative.after(self.before, last.name, last.step, last.use, last.right)
        return evolve(self, rounds=(*self.rounds[:-1], last), state=state)


def read_situation(services: Services, turn: Turn) -> Situation:
    """Return the situation that *turn* is in.

    Raises:
        ProtocolError: if its session has come to no step of the flow's own.
        UnavailableError: if there is no randomness.
    """
    judgement = judge(turn, services.flows)
    decision = judgement.decision
    if not isinstance(decision, Present) or decision.host:
        raise ProtocolError("Create was called, but the flow has come to no challenge of its own")
    fresh = _fresh(services)
    at = Situation(
        turn,
        judgement,
        asked=decision.step,
        choices=decision.choices,
        rounds=judgement.rounds,
        before=judgement.before,
        state=judgement.state,
        user=services.user_key(turn.pool, turn.user),
        signin=fresh,
        round=fresh,
        now=services.clock.now(),
        proven=bool(judgement.factors),
    )
    return evolve(at, signin=at.first["signin"]) if at.first else at


def _fresh(services: Services) -> str:
    """Return a new id of 128 random bits (ASVS 5.0 11.5.1)."""
    drawn = services.random.bytes(16)
    if not isinstance(drawn, bytes) or len(drawn) != 16:
        raise UnavailableError("the source of randomness gave too little", undelivered=True, reason="internal")
    return drawn.hex()


def with_dead_code(services: Services, at: Situation, deadline: Deadline) -> Situation:
    """Return *at* with what it must know if the code at hand is dead.

    Whoever answers a dead code wants another one, whether or not the client said so. So that round is read as a resend
    request from here on, which costs no try and sends at once: unless Verify may have compared the answer, or no resend
    is left.
    """
    earlier = at.earlier
    if earlier is None:
        return at
    over = earlier.issued + at.step.lifetime
    # What sends nothing draws a secret for each call: nobody else can use it up.
    used = at.step.powers.sends and services.ledger.consumed(earlier.claim, within=deadline.left())
    if at.now < over and not used:
        return at
    at = evolve(at, dead=True, late=at.answered)
    # Verify compares nothing and calls no ledger when the lease after the end is over.
    if not at.late or not (
        used
        or at.now >= over + LEASE
        or services.ledger.consumed(late(earlier.claim, at.signin), within=deadline.left())
    ):
        return at
    excused = at.ended_by("resend")
    return excused if derivative.find(excused.state[0], at.asked) else at
