"""A host of one kind that remembers, with a user who has enrolled: its ports can be watched, broken, and outlive its process."""

from kit.engine_host import ANN, KEY
from kit.remembering_kinds import enrolled
from watchword import Flow, sequence
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.contract.credentials import MAX_CREDENTIALS
from watchword.contract.kinds import User
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.ledgers.memory import MemoryLedger

POOL = "pool_1"
OWNER = f"{POOL}#{ANN['sub']}"
NAMED = User("ann", ANN)
STRANGER = User("zoe", {}, known=False)


class Spied:
    """A port that notes each call, and does what *meanwhile* says before a call of a name, and *after* says after it, once."""

    reach = "everywhere"

    def __init__(self, inner, calls):
        self.inner, self.calls, self.meanwhile, self.after = inner, calls, {}, {}

    def __getattr__(self, name):
        def called(*given, **named):
            self.calls.append(name)
            self.meanwhile.pop(name, lambda: None)()
            answer = getattr(self.inner, name)(*given, **named)
            self.after.pop(name, lambda: None)()
            return answer

        return called


class Home:
    """An engine of one *kind*, its ports, and what ann has enrolled: a credential for each of *ids*."""

    def __init__(self, kind, *ids, ledger=None, store=None):
        self.kind, self.clock, self.events, self.calls = kind, VirtualClock(), MemoryAudit(), []
        self.flow, self.random = Flow(sequence(kind)), SeededRandom("remembering")
        self.inner = (MemoryLedger() if ledger is None else ledger, MemoryCredentials() if store is None else store)
        for each in ids or ("id-1",):
            assert self.add(enrolled(kind, OWNER, each))
        self.start()

    def start(self, wrap=Spied, noted=None):
        """Begin a process, whose ports are wrapped by *wrap*."""
        self.ledger, self.store = (wrap(port, self.calls if noted is None else noted) for port in self.inner)
        self.engine = Engine(
            self.flow,
            keyring=Keyring.of(KEY),
            ledger=self.ledger,
            credentials=self.store,
            clock=self.clock,
            random=self.random,
            audit=self.events,
        )

    def add(self, credential):
        return self.inner[1].add(credential, replace=False, most=MAX_CREDENTIALS, within=3600.0)

    @property
    def owned(self):
        return self.inner[1].list(OWNER, within=3600.0)

    @property
    def answers(self):
        """The answers that are right as long as none was given."""
        return self.kind.answers(self.owned[0], self.clock.now())

    @property
    def answer(self):
        """The first of them."""
        return self.answers[0]

    def ask(self, user=NAMED):
        """Make a challenge, which is a round of its own."""
        return self.engine.create(SessionRequest(POOL, "app", user))

    def verify(self, made, answer, user=NAMED):
        """Whether *answer* is right; *calls* are those of this call alone."""
        self.calls.clear()
        return self.engine.verify(AnswerRequest(POOL, "app", user, answer, made.private)).right

    @property
    def reason(self):
        """Why the last event was recorded."""
        return self.events.events[-1].detail["reason"]
