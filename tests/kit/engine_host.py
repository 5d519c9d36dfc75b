"""A host for tests of the engine: it keeps the session, calls define, create and verify in Cognito's order, and counts."""

from itertools import count
from typing import ClassVar

from attrs import field, frozen

from watchword import Challenge, Email, UnavailableError, Verdict
from watchword.algebra.derivative import CUSTOM
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Present, Round
from watchword.contract.ports import Receipt
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.ledgers.memory import MemoryLedger

KEY = bytes(range(32))
OLD_KEY = bytes(range(100, 132))
_WORLDS = count()
ANN = {"sub": "11111111-2222-4333-8444-555555555555", "email": "ann@example.com", "email_verified": "true"}


@frozen
class Riddle:
    """A kind that sends nothing and proves knowledge; the answer is what was sealed."""

    kind: ClassVar[str] = "riddle"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    attempts: int = 3
    lifetime: int = 180
    answer: str = "fish"

    def create(self, request):
        return Challenge(public={"question": "?"}, private={"digest": request.seal(self.answer)})

    def verify(self, request):
        return Verdict(request.matches(request.private.get("digest"), request.answer))


@frozen
class Puzzle(Riddle):
    """The same, proving nothing."""

    kind: ClassVar[str] = "puzzle"
    proves: ClassVar[frozenset[str]] = frozenset()


@frozen
class Mail:
    """A kind that sends; as small as can be, so that the code is easy to find in the message."""

    kind: ClassVar[str] = "mail"
    proves: ClassVar[frozenset[str]] = frozenset({"possession"})
    channel: ClassVar[str] = "email"

    attempts: int = 3
    lifetime: int = 180
    resend_after: int = 60

    def create(self, request):
        code = request.code("0123456789", 8)
        to = request.user.attributes.get("email", "")
        return Challenge(
            public={"destination": "a***@e***"},
            private={"digest": request.seal(code)},
            carry={"sent": "yes"},
            messages=(Email(to, "Your code", code),) if to else (),
        )

    def verify(self, request):
        return Verdict(request.matches(request.private.get("digest"), request.answer))


class Post:
    """A courier that keeps what it is given, or fails as told."""

    floor = 0.5

    def __init__(self, failing=None):
        self.sent = []
        self.failing = failing

    channel = "email"

    def send(self, message, within):
        if self.failing:
            raise self.failing
        assert within > 0
        self.sent.append(message)
        return Receipt("1")

    @property
    def code(self):
        return self.sent[-1].text


class DeadLedger:
    """A ledger of which every call fails."""

    reach = "everywhere"

    def __getattr__(self, name):
        def fail(*_, **__):
            raise UnavailableError("the ledger is down")

        return fail


@frozen
class World:
    """An engine with everything that a test may want to look at."""

    engine: Engine
    post: Post
    events: MemoryAudit
    clock: VirtualClock
    ledger: object


def world(flow, *, key=KEY, post=None, ledger=None, **settings):
    """Return a world around *flow*."""
    post, events, clock = post or Post(), MemoryAudit(), settings.pop("clock", None) or VirtualClock()
    ledger = ledger or MemoryLedger()
    engine = Engine(
        flow,
        keyring=Keyring.of(key),
        ledger=ledger,
        couriers={"email": post},
        clock=clock,
        random=settings.pop("random", None) or SeededRandom(f"world {next(_WORLDS)}"),
        audit=events,
        **settings,
    )
    return World(engine, post, events, clock, ledger)


@frozen
class Host:
    """One sign-in of one user."""

    world: World
    user: object
    session: list = field(factory=list)
    pending: list = field(factory=list)
    client: str = "client"
    says: dict = field(factory=dict)

    def request(self, action=None, choice=None):
        said = {"watchword_action": action, "watchword_choice": choice, **self.says}
        said = {key: value for key, value in said.items() if value}
        return SessionRequest("pool_1", self.client, self.user, tuple(self.session), said)

    def next(self, action=None, choice=None):
        """Ask what comes next and make it; return the challenge, or the decision that ends it."""
        request = self.request(action, choice)
        decision = self.world.engine.define(request)
        if not isinstance(decision, Present) or decision.host:
            return decision
        created = self.world.engine.create(request)
        self.pending[:] = [created]
        return created

    def verify(self, answer, action=None, choice=None):
        """Show *answer* to Verify without ending the round."""
        said = {"watchword_action": action, "watchword_choice": choice, **self.says}
        said = {key: value for key, value in said.items() if value}
        call = AnswerRequest("pool_1", self.client, self.user, answer, self.pending[0].private, said)
        return self.world.engine.verify(call)

    def answers(self, answer, action=None, choice=None):
        """Answer the challenge at hand; return what comes next."""
        verdict = self.verify(answer, action, choice)
        self.session.append(Round(CUSTOM, verdict.right, self.pending[0].metadata))
        return self.next(action, choice)

    def host_round(self, name, result=True):
        """Add a round that the host ran; return what comes next."""
        self.session.append(Round(name, result))
        return self.next()
