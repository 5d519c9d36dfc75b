"""Ports that fail at a given call, before, during or after it; and a sign-in that meets them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial

from attrs import frozen

from watchword import Flow, ask_first, sequence
from watchword.contract.ports import Receipt
from watchword.errors import FAILURE_TEXTS, UnavailableError
from watchword.testing.time import VirtualClock
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import TriggersVisit, reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.ledgers.sqlite import SqliteLedger
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.sms_otp import SmsOtp

DEADLINE = 3.5
MOMENTS = ("before", "during", "after")
FLOWS = {
    "code": Flow(EmailOtp(), name="code"),
    "picture, code": Flow(sequence(Captcha(), EmailOtp()), name="both"),
    "SMS": Flow(SmsOtp(countries=("+49",)), name="texted"),
    "link": Flow(ask_first(MagicLink(redirects={"web": "https://app.example/"})), name="linked"),
}
LEDGER_FAULTS = {
    "throttled": lambda: UnavailableError("throttled"),
    "timed out": TimeoutError,
    "cancelled": lambda: UnavailableError("transaction cancelled"),
    "response lost": lambda: ConnectionResetError("reset"),
    "table missing": lambda: KeyError("no such table"),
}
COURIER_FAULTS = {
    "throttled": lambda: UnavailableError("rate exceeded", undelivered=True),
    "rejected": lambda: UnavailableError("not verified", undelivered=True),
    "spending limit reached": lambda: UnavailableError("limit", undelivered=True, reason="throttled"),
    "no answer": lambda: UnavailableError("read timeout"),
    "reset": lambda: ConnectionResetError("reset"),
    "no name": lambda: OSError("no such host"),
}

_REASONS = ("None", "TransactionConflict", "ThrottlingError")
_CANCELLED = (
    400,
    {
        "__type": "com.amazonaws#TransactionCanceledException",
        "message": "canary",
        "CancellationReasons": [{"Code": code} for code in _REASONS],
    },
)
"""What DynamoDB says of a transaction that met another one."""

SERVICE_FAULTS = {
    "throttled": (400, "ProvisionedThroughputExceededException"),
    "internal error": (500, "InternalServerError"),
    "access denied": (400, "AccessDeniedException"),
    "no table": (400, "ResourceNotFoundException"),
    "applied, answer lost": "lost",
    "cut": "cut",
    "cancelled, for mixed reasons": lambda operation, _: _CANCELLED if operation == "TransactWriteItems" else "pass",
}
"""What DynamoDB may answer instead; see `kit.aws.Aws`."""


def ledgers(folder):
    """Ways to make an empty ledger on this machine, by name; the one over the network has a file of its own."""
    number = iter(range(10**6))
    clock = VirtualClock()
    return {"memory": MemoryLedger, "sqlite": lambda: SqliteLedger(folder / f"ledger{next(number)}.db", clock=clock)}


def credential_stores(folder):
    """Ways to make an empty store of credentials on this machine, by name."""
    number = iter(range(10**6))
    clock = VirtualClock()
    make = lambda: SqliteCredentials(folder / f"credentials{next(number)}.db", clock=clock)  # noqa: E731
    return {"memory": MemoryCredentials, "sqlite": make}


@frozen
class Plan:
    """One injection: the *call*th call of *port* (from 0) fails at *moment* as *fault* says."""

    id: str
    port: str
    call: int
    moment: str
    fault: object


class Faulty:
    """A port like *inner*, one call of which fails. *calls* are the names of those that were made."""

    def __init__(self, inner, clock, plan=None):
        self.inner = inner
        self.clock = clock
        self.plan = plan
        self.calls = []

    def __getattr__(self, name):
        method = getattr(self.inner, name)

        def called(*given, **named):
            number = len(self.calls)
            self.calls.append(name)
            plan = self.plan
            if plan is None or number != plan.call:
                return method(*given, **named)
            if plan.moment == "before":
                raise plan.fault()
            if plan.moment == "hung":
                # Nothing is done, and that is told when the time is over.
                self.clock.advance(named.get("within", 1.0))
                raise UnavailableError("out of time")
            if plan.moment == "during":
                # As a port does that keeps to the time it is told: it waits, and gives up; what it had begun is done.
                method(*given, **named)
                self.clock.advance(named.get("within", given[-1] if given else 1.0))
                raise UnavailableError("out of time")
            method(*given, **named)
            raise plan.fault()

        return called


class Post:
    """A mail provider: what it *accepted* is sent. It fails at the first call, as *plan* says."""

    floor = 0.0

    def __init__(self, clock, plan=None):
        self.clock = clock
        self.plan = plan
        self.calls = 0
        self.accepted = []

    channel = "email"

    def send(self, message, within):
        number, self.calls = self.calls, self.calls + 1
        if self.plan is None or number != self.plan.call:
            self.accepted.append(message)
            return Receipt(message.id)
        if self.plan.moment == "before":
            raise self.plan.fault()
        self.accepted.append(message)
        if self.plan.moment == "during":
            self.clock.advance(within)
        raise UnavailableError("nobody knows") if self.plan.moment == "during" else self.plan.fault()


class JumpingClock(VirtualClock):
    """A clock whose time of day jumps by *seconds* at the *call*th reading."""

    def __init__(self, call=-1, seconds=0.0):
        super().__init__()
        self.readings = 0
        self._call = call
        self._seconds = seconds

    def over(self):
        """Jump no more."""
        self._call = -1

    def now(self):
        self.readings += 1
        if self.readings - 1 == self._call:
            self.set_by(self._seconds)
        return super().now()


class PoorRandom:
    """A source of randomness that fails at the *call*th drawing: raises, or gives too little."""

    def __init__(self, inner, call, how):
        self.inner, self._call, self._how, self.calls = inner, call, how, 0

    def over(self):
        """Be good from now on."""
        self._call = -1

    def bytes(self, count):
        number, self.calls = self.calls, self.calls + 1
        if number != self._call:
            return self.inner.bytes(count)
        if self._how == "raises":
            raise OSError("no entropy")
        return self.inner.bytes(count)[: count // 2] if self._how == "short" else None


class RaisingSink:
    """An audit that raises on every event."""

    def __init__(self):
        self.events = []

    def record(self, event):
        raise OSError("disk full")


class Report:
    """What the injections came to."""

    def __init__(self):
        self.counts = Counter()
        self.failures = []

    def expect(self, held, what, where):
        if not held:
            self.counts[what] += 1
            self.failures.append(f"{what}: {where}")

    def take(self):
        """Return the failures since this was last asked."""
        taken, self.failures = self.failures, []
        return taken

    def line(self):
        """The summary in a line."""
        names = ("injections", "lost", "sent twice", "fail-open", "other text", "late", "uncharged")
        return ", ".join(f"{name} {self.counts[name]:,}" for name in names)


class Trial:
    """A sign-in on which a fault is injected, and what is asked of it: during, and when the fault is over."""

    def __init__(self, report, where, flow, make_ledger, *, clock=None, random=None, audit=None, spoil=None):
        self.report = report
        self.where = where
        self.clock = clock or VirtualClock()
        self.post = Post(self.clock)
        self.arena = Arena(FLOWS[flow], where, courier=self.post, clock=self.clock, ledger=make_ledger, spoil=spoil)
        if random is not None:
            self.arena.random = random(self.arena.random)
        if audit is not None:
            self.arena.audit = audit
        self.ledger = Faulty(self.arena.books.inner, self.clock)
        self.arena.books.inner = self.ledger
        self.visit = None
        report.counts["injections"] += 1

    def expect(self, held, what):
        self.report.expect(held, what, self.where)

    def plan(self, plan):
        """Begin to fail, from here on."""
        if plan.port == "ledger":
            self.ledger.calls.clear()
            self.ledger.plan = plan
        else:
            self.post.calls = 0
            self.post.plan = plan

    def heal(self):
        """End the fault."""
        self.ledger.plan = self.post.plan = None
        for port in (self.arena.random, self.clock):
            if hasattr(port, "over"):
                port.over()

    def timed(self, act, *, late=DEADLINE):
        """Do something that calls triggers; each call must end in time."""
        began = self.clock.monotonic()
        with suppress(Exception):
            act()
        self.expect(self.clock.monotonic() - began <= late + 1e-6, "late")
        self.judged()

    def judged(self):
        """Look at what the judge of the arena saw, and at what was sent."""
        for breach in self.arena.breaches:
            self.expect(False, "other text" if "text" in breach else "fail-open")
        self.arena.breaches.clear()
        by_claim = Counter(message.id for message in self.post.accepted)
        self.expect(all(count == 1 for count in by_claim.values()), "sent twice")
        if self.visit is not None and self.visit.refused:
            self.expect(self.visit.refused in FAILURE_TEXTS, "other text")

    def begin(self):
        """Come to the code."""
        self.visit = reached(self.arena, self.target)
        return self.visit

    def shows(self, private, answer, into):
        """Show *answer* to Verify, and put down what it says."""
        into.append(self.arena.accepts(self.visit.person, private, answer))

    def ends_well(self, private, answer, *, right):
        """Have the host repeat Verify: an answer that a fault hit is judged now, once and for all; then the user signs in anew."""
        again, one = [], self.visit
        for _ in range(2):
            self.timed(partial(self.shows, private, answer, again))
        self.expect(again == [right, right], "lost" if right else "fail-open")
        wrong = wrong_answer(one.right, self.arena.draw)
        self.expect(not self.arena.accepts(one.person, private, wrong), "fail-open")
        # After a right answer at once: its code is used up, and another one is sent.
        self.recovers(wait=0 if right else 61)

    @property
    def target(self):
        return next(each for each in self.arena.targets if each.sends)

    def recovers(self, *, wait=20):
        """When the fault is over, the same person signs in: nothing is lost for good."""
        self.heal()
        self.clock.advance(wait)
        self.timed(self.begin)
        one = self.visit
        sent = [message for message in self.post.accepted if message.id == one.private.get("claim")]
        self.expect(bool(one.public), "lost")
        if not one.public:
            return
        self.expect(len(sent) == 1, "lost")
        self.timed(lambda: one.answer(wrong_answer(one.right, self.arena.draw)))
        self.expect(not one.tokens, "fail-open")
        self.timed(lambda: one.answer(one.right or ""))
        self.expect(one.tokens, "lost")


def host_repeats(visit: TriggersVisit):
    """Have the host call Create again with the same event; return the claim it gets, or nothing."""
    with suppress(Exception):
        made = visit.arena.call("create", visit.create_event())
        return made["privateChallengeParameters"]["claim"]
    return ""


def inject_into_create(report, make_ledger, plan, flow="code", resend=False):
    """A fault in Create: of the first code, or of another one."""
    where = f"{plan.id}, {'resend' if resend else 'create'}, {plan.port} {plan.call} {plan.moment}"
    trial = Trial(report, where, flow, make_ledger)
    if resend:
        trial.timed(trial.begin)
        trial.clock.advance(61)
    trial.plan(plan)
    before = len(trial.post.accepted)
    if resend:
        trial.timed(lambda: trial.visit.answer("", action="resend"))
    else:
        trial.timed(trial.begin)
    failed = not trial.visit.public
    trial.heal()
    if failed and trial.visit.refused is not None:
        # Cognito's repeats, inside the lease.
        for _ in range(2):
            host_repeats(trial.visit)
            trial.judged()
    trial.expect(len(trial.post.accepted) - before <= 1, "sent twice")
    trial.recovers(wait=61)
