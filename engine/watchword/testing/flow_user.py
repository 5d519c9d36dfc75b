"""The engine, ports, client and clock with which a test signs a user in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

from attrs import define, field

from watchword.algebra.evaluation import AnswerRequest, SessionRequest
from watchword.algebra.flow import Flow, Round, expect_flow, expect_flows
from watchword.contract.credentials import Credentials
from watchword.contract.kinds import User
from watchword.contract.ports import AuditEvent, Ledger, Random
from watchword.errors import ConfigurationError
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing.code_tap import recording_ring
from watchword.testing.mailbox import Mailbox
from watchword.testing.requests import knows_access_token
from watchword.testing.time import SeededRandom, VirtualClock

TEST_POOL = "local_watchword"
TEST_PASSWORD = "Passw0rd!x"  # noqa: S105 - of a user who exists nowhere else
ATTRIBUTES: Mapping[str, str] = {
    "sub": "11111111-2222-4333-8444-555555555555",
    "email": "ann@example.com",
    "email_verified": "true",
}
"""What `FlowUser` has unless it is told otherwise."""

_SECRET = bytes(range(32))


class _Events:
    """An audit that keeps its events."""

    def __init__(self) -> None:
        self.kept: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        self.kept.append(event)


def _with_address(attributes: Mapping[str, str]) -> dict[str, str]:
    return {**ATTRIBUTES, **attributes}


@define(eq=False)
class FlowWorld:
    """What one user of *flow* meets; `FlowUser` says what each attribute is."""

    flow: Flow
    ledger: Ledger = field(kw_only=True, repr=False)
    name: str = field(default="ann", kw_only=True)
    password: str = field(default=TEST_PASSWORD, kw_only=True, repr=False)
    attributes: dict[str, str] = field(factory=dict[str, str], kw_only=True, repr=False, converter=_with_address)
    known: bool = field(default=True, kw_only=True)
    client: str = field(default="app-client", kw_only=True)
    outbox: Mailbox = field(factory=Mailbox, kw_only=True, repr=False)
    clock: VirtualClock = field(factory=VirtualClock, kw_only=True, repr=False)
    random: Random = field(factory=SeededRandom, kw_only=True, repr=False)
    session_minutes: float = field(default=3, kw_only=True)
    previous: Sequence[Flow] = field(default=(), kw_only=True, repr=False)
    credentials: Credentials | None = field(default=None, kw_only=True, repr=False)
    engine: Engine = field(init=False, repr=False)
    _events: _Events = field(factory=_Events, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Build the engine."""
        if not 3 <= self.session_minutes <= 15:
            raise ConfigurationError(f"session_minutes is {self.session_minutes}: Cognito's are 3 to 15")
        self._build()

    def deploys(self, flow: Flow, *, previous: Sequence[Flow] = ()) -> Self:
        """Put *flow* in the place of the one that runs, also in the middle of a sign-in; return this user.

        *previous* are the flows whose sessions go on under their own rules, as in ``triggers(flow, previous=[old])``;
        other sessions under way end with ``unknown_flow``. Ledger, clock and outbox stay as they are.
        """
        self.flow, self.previous = flow, previous
        self._build()
        return self

    def enrol(
        self, kind: str, answer: str | Callable[[Mapping[str, str]], str], *, label: str = ""
    ) -> Mapping[str, str]:
        """Enrol this user for *kind* of the flow, as somebody who is signed in; return the public parameters that they were shown.

        *answer* completes the enrolment: a text, or a function of those parameters. The credential is called *label*.
        """
        __tracebackhide__ = True
        who = (TEST_POOL, self.client, self.user())
        begun = begin_enrolment(self.engine, *who, kind)
        text = answer(begun.public) if callable(answer) else answer
        done = complete_enrolment(self.engine, *who, begun.handle, text, label)
        assert done, f"{self.name!r} is not enrolled for {kind!r}: {done.reason}"
        return begun.public

    def _build(self) -> None:
        channels = {
            step.powers.channel
            for flow in (expect_flow(self.flow), *expect_flows(self.previous))
            for step in flow.steps.values()
            if step.powers.sends
        }
        self.engine = Engine(
            self.flow,
            previous=tuple(self.previous),
            keyring=recording_ring(Keyring.of(_SECRET)),
            ledger=self.ledger,
            couriers=dict.fromkeys(channels, self.outbox),
            clock=self.clock,
            random=self.random,
            audit=self._events,
            credentials=self.credentials,
            tokens=knows_access_token,
        )
        self.engine.prepare()

    @property
    def events(self) -> tuple[AuditEvent, ...]:
        """What the engine recorded, oldest first."""
        return tuple(self._events.kept)

    def user(self) -> User:
        """Return the user as the host knows them now."""
        return User(self.name, dict(self.attributes) if self.known else {}, self.known)

    def request(self, session: Sequence[Round], said: Mapping[str, str]) -> SessionRequest:
        """Return the call of Define or Create for *session*, with what the client *said* along."""
        return SessionRequest(TEST_POOL, self.client, self.user(), tuple(session), said)

    def answer(self, answer: str, private: Mapping[str, str], said: Mapping[str, str]) -> AnswerRequest:
        """Return the call of Verify for *answer* to the challenge of *private*."""
        return AnswerRequest(TEST_POOL, self.client, self.user(), answer, private, said)
