"""Crash points: the process dies at each call of each port, and the host calls again as Cognito would."""

from collections import Counter

import pytest

from kit.deaths import Deaths, Killed, Mortal
from kit.engine_host import ANN, KEY
from kit.faults import FLOWS, Post
from watchword import User
from watchword.algebra import derivative
from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Round
from watchword.contract.ports import LEASE
from watchword.errors import UnavailableError
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.attacks.arena.kind_probe import Notes, spied_on
from watchword_adapters.attacks.families.plugins import Spoilt
from watchword_adapters.audit import MemoryAudit

pytestmark = pytest.mark.exhaustive

USER = User("ann", ANN)
COUNTS = Counter()


class Process:
    """A host whose process may die and be started again; ledger, provider and clock outlive it."""

    def __init__(self, make_ledger, spoil=None):
        self.clock, self.notes = VirtualClock(), Notes()
        self.flow = spied_on(FLOWS["code"], self.notes, spoil)
        self.ledger, self.post = make_ledger(), Post(self.clock)
        self.random = SeededRandom("crash")
        self.start()

    def start(self, step=None):
        """Start anew; die at point *step*."""
        self.deaths = Deaths(step)
        self.engine = Engine(
            self.flow,
            keyring=Keyring.of(KEY),
            ledger=Mortal(self.ledger, self.deaths),
            couriers={"email": Mortal(self.post, self.deaths)},
            clock=self.clock,
            random=self.random,
            audit=MemoryAudit(),
        )

    def create(self, session=(), action=None):
        return self.engine.create(
            SessionRequest("pool_1", "client", USER, tuple(session), {"watchword_action": action} if action else {})
        )

    def verify(self, made, answer):
        return self.engine.verify(AnswerRequest("pool_1", "client", USER, answer, made.private)).right

    @property
    def right(self):
        return self.notes.made[-1].right

    def decision(self, session):
        return self.engine.define(SessionRequest("pool_1", "client", USER, tuple(session)))


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Print what all of it came to."""
    yield
    names = ("crashes", "lost", "sent twice", "accepted twice", "charged twice")
    print(f"\ncrash points: {', '.join(f'{name} {COUNTS[name]:,}' for name in names)}")


def points(make_ledger, act):
    """The points that *act* passes when nothing happens."""
    process = Process(make_ledger)
    before = act(process, prepare=True)
    process.start()
    act(process, before=before)
    return process.deaths.points


def creating(process, *, prepare=False, before=None):
    """Make the first code."""
    return None if prepare else process.create()


def resending(process, *, prepare=False, before=None):
    """Make another code."""
    if prepare:
        made = process.create()
        process.clock.advance(61)
        return [Round(derivative.CUSTOM, False, made.metadata)]
    return process.create(before, action="resend")


@pytest.mark.parametrize("act", [creating, resending])
def test_a_death_at_any_step_of_create_sends_once_at_most_and_loses_nothing_for_good(make_any_ledger, act):
    """The host calls twice more in the lease; then, or after the cool-down, the user gets a code that works."""
    for step, point in enumerate(points(make_any_ledger, act)):
        process = Process(make_any_ledger)
        before = act(process, prepare=True)
        sent = len(process.post.accepted)
        process.start(step)
        with pytest.raises(Killed):
            act(process, before=before)
        COUNTS["crashes"] += 1
        process.start()
        made = [act(process, before=before) for _ in range(2)]
        COUNTS["sent twice"] += len(process.post.accepted) - sent > 1

        assert len({each.private["claim"] for each in made}) == 1, point
        assert len(process.post.accepted) - sent <= 1, point
        if len(process.post.accepted) - sent == 1:
            assert process.post.accepted[-1].id == made[-1].private["claim"], point
            COUNTS["lost"] += not process.verify(made[-1], process.right)
        else:
            # Nobody knows whether it left: another one can be asked for when the lease and the cool-down are over.
            process.clock.advance(61)
            session = [Round(derivative.CUSTOM, False, made[-1].metadata)]
            another = process.create([*(before or ()), *session], action="resend")
            assert len(process.post.accepted) - sent == 1, point
            COUNTS["lost"] += not process.verify(another, process.right)

    assert (0, 0) == (COUNTS["lost"], COUNTS["sent twice"])


@pytest.mark.parametrize("right", [True, False])
def test_a_death_at_any_step_of_verify_charges_once_and_accepts_once(make_any_ledger, right):
    """The host calls twice more: a right answer is right then, once; a wrong one stays wrong; one guess is charged at most."""
    for step in range(4 if right else 2):
        process = Process(make_any_ledger)
        made, other = process.create(), process.create()
        answer = process.right if right else "00000000"
        process.start(step)
        with pytest.raises(Killed):
            process.verify(made, answer)
        COUNTS["crashes"] += 1
        process.start()
        verdicts = [process.verify(made, answer) for _ in range(2)]

        assert verdicts == [right, right]
        # Another round of the same code has nothing left of it.
        COUNTS["accepted twice"] += right and process.verify(other, answer)
        if right:
            # Who signs out and in again at once gets another code, whenever the process died.
            COUNTS["lost"] += not process.verify(process.create(), process.right)
            assert 2 == len(process.post.accepted)
        else:
            limits = FLOWS["code"].limits.guesses_at(FLOWS["code"].steps["email_otp"])
            compared = 0
            for _ in range(20):
                judged = len(process.notes.judged)
                process.verify(process.create(), "11111111")
                compared += len(process.notes.judged) > judged
            # Ten a day, less the one answer that was given, however often it was sent.
            COUNTS["charged twice"] += compared != min(limit.count for limit in limits) - 1

    assert (0, 0, 0) == (COUNTS["lost"], COUNTS["accepted twice"], COUNTS["charged twice"])


def test_a_death_at_any_step_of_an_outage_in_a_kind_loses_nothing(make_any_ledger):
    """The kind was down, and the process died while the charge was taken back: the host's repeat is judged as it should be."""
    for step in range(4):
        down = []

        def fails(kind, down=down):
            def verify(request):
                if down:
                    raise UnavailableError("down")
                return kind.verify(request)

            return Spoilt(kind, None, verify)

        process = Process(make_any_ledger, fails)
        made = process.create()
        right = process.right
        down.append(True)
        process.start(step)
        with pytest.raises((Killed, UnavailableError)):
            process.verify(made, right)
        COUNTS["crashes"] += 1
        down.clear()
        process.start()

        assert [True, True] == [process.verify(made, right) for _ in range(2)]


def test_a_death_between_two_mails_of_two_sign_ins_is_no_concern_of_the_other(make_any_ledger):
    """The claim of a process that died ends with its lease; whoever signs in then gets a code of their own."""
    process = Process(make_any_ledger)
    process.start(2)  # after the claim, before anything was sent
    with pytest.raises(Killed):
        process.create()
    COUNTS["crashes"] += 1
    process.start()
    process.clock.advance(LEASE)
    made = process.create()

    assert 1 == len(process.post.accepted)
    assert process.verify(made, process.right)
