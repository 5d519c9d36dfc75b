"""A flow: what a user must answer before tokens are issued, as an immutable value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from typing import Literal, TypeAlias, assert_never, cast

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import Block
from watchword.algebra.limits import Limits
from watchword.algebra.lowering import Lowered, Step, lower
from watchword.contract.members import settings_of
from watchword.contract.ports import LEASE
from watchword.errors import ConfigurationError

Use: TypeAlias = Literal["answer", "resend", "choice", "unasked", "offered"]


@frozen
class Round:
    """One entry of the host's session list: Cognito's ChallengeResult. *metadata* is None where there is none."""

    name: str
    result: object
    metadata: object = None


@frozen
class ReadRound:
    """A round and what it was: the *step* and its *use*. For a round of the host *step* is empty.

    *metadata* are the fields of what Create wrote for it, where that was read.
    """

    name: str
    step: str
    use: Use
    right: object
    metadata: Mapping[str, str] | None = field(default=None, eq=False, repr=False)

    @property
    def is_answer(self) -> bool:
        """Whether the client answered, in a round of the step's own or in a select round that offered it."""
        return self.use in derivative.ANSWERS

    @property
    def ending(self) -> str:
        """How the metadata of the next round says that this one ended."""
        return f"answer:{self.step}" if self.use == derivative.OFFERED else self.use

    @classmethod
    def custom(cls, step: str, *, right: bool, use: Use = "answer") -> ReadRound:
        """Return the round of one of the flow's own steps."""
        return cls(derivative.CUSTOM, step, "choice" if step == derivative.SELECT else use, right)

    @classmethod
    def host(cls, name: str, *, right: bool = True) -> ReadRound:
        """Return a round that the host ran."""
        return cls(name, "", "answer", right)


@frozen
class Present:
    """The decision to ask: for a step, for a choice (*step* is ``select``) or, with *host*, for a round of the host's own."""

    step: str
    host: bool = False
    choices: tuple[str, ...] = ()


@frozen
class IssueTokens:
    """The decision that the flow is passed."""


@frozen
class FailAuthentication:
    """The decision that the sign-in is over. *reason* is a word for the operator, never shown to the client."""

    reason: str


Decision: TypeAlias = Present | IssueTokens | FailAuthentication


@frozen
class Flow:
    """A flow: *body* is its block, *name* stands in audit events.

    *limits* are the budgets of a user; *require* is what `check` must find proved on every path; *accept* maps the
    codes of findings to the reason why they are accepted; *unwanted_srp* says what a bare SRP_A means to a flow
    without `Srp`: ``refuse``, or ``ignore`` for old mobile clients that always send it.

    A flow is also every state of itself: `after` gives what is left of it, `decide` what comes next.

    Raises:
        ConfigurationError: if the blocks do not make a flow; the message names the block and the remedy.
    """

    body: Block
    name: str = field(default="flow", kw_only=True)
    limits: Limits = field(factory=Limits, kw_only=True)
    require: str = field(default="", kw_only=True)
    accept: Mapping[str, str] = field(factory=dict[str, str], kw_only=True)
    unwanted_srp: Literal["refuse", "ignore"] = field(default="refuse", kw_only=True)
    program: derivative.Program = field(init=False, repr=False, eq=False)
    _lowered: Lowered = field(init=False, repr=False, eq=False)
    _state: derivative.State | None = field(init=False, default=None, repr=False)
    _places: Callable[[tuple[str, ...]], str] | None = field(init=False, default=None, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Lower the body and check the settings."""
        if self.unwanted_srp not in ("refuse", "ignore"):
            raise ConfigurationError(f"unwanted_srp is {self.unwanted_srp!r}: write 'refuse' or 'ignore'")
        if not isinstance(self.name, str) or not 1 <= len(self.name) <= 64 or not self.name.isprintable():
            raise ConfigurationError(f"the flow's name is {self.name!r}: write 1 to 64 printable characters")
        if not isinstance(self.limits, Limits):
            raise ConfigurationError(f"limits is {self.limits!r}: write limits=Limits(guesses='10/day', …)")
        lowered = lower(self.body)
        object.__setattr__(self, "_lowered", lowered)
        object.__setattr__(self, "program", self._program(lowered))

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name, in the order in which they are written."""
        return self._lowered.steps

    @property
    def conditions(self) -> tuple[tuple[str, ...], ...]:
        """The distinct conditions: ``("attribute", name, value)``, ``("client", id)`` or ``("enrolled", kind)``."""
        return self._lowered.conditions

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the steps that a client may answer in a select round."""
        return self.program[4]

    @property
    def state(self) -> derivative.State:
        """The state of this flow; before the first round, nothing is known of the user."""
        return self._state or derivative.begin(self.program, (False,) * len(self.conditions))

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over structure, step names and what Define and Verify read; not over texts."""
        return self.program[0]

    def place_of(self, *key: str) -> str:
        """Return the place of *key* in the flow's file, such as ``flow.toml, line 3: ``; empty if it has no file."""
        return self._places(key) if self._places else ""

    def _program(self, lowered: Lowered) -> derivative.Program:
        settings = tuple(
            (step.name, step.kind.kind, step.lifetime, _settings(step), *("enrols",) * step.enrols)
            for step in lowered.steps.values()
        )
        offered = tuple(step.name for step in lowered.steps.values() if step.offered)
        described = repr((derivative.FORMAT, lowered.conditions, lowered.body, self.unwanted_srp, offered, settings))
        fingerprint = hashlib.sha256(described.encode()).hexdigest()[:16]
        return (fingerprint, lowered.conditions, lowered.body, self.unwanted_srp, offered)

    def _at(self, state: derivative.State) -> Flow:
        flow = copy(self)  # the blocks are the same, so nothing is lowered again
        object.__setattr__(flow, "_state", state)
        return flow

    def given(self, *outcomes: bool) -> Flow:
        """Return the flow at its beginning for these *outcomes* of its conditions, in the order of `conditions`."""
        if len(outcomes) != len(self.conditions):
            raise ConfigurationError(
                f"the flow has {len(self.conditions)} conditions, {len(outcomes)} outcomes were given"
            )
        return self._at(derivative.begin(self.program, outcomes))

    def after(self, read: ReadRound) -> Flow:
        """Return what is left of the flow after one round: its derivative."""
        return self._at(derivative.after(self.state, read.name, read.step, read.use, read.right))

    def decide(self, choice: str | None = None) -> Decision:
        """Return what comes next; *choice* is the step that the client asks for, if any."""
        return decision_of(derivative.decide(self.state, choice))


def answer_time(flow: Flow) -> int:
    """Return for how many seconds after its claim a message of *flow* may be answered; 0 if the flow sends none."""
    times = [step.lifetime + LEASE for step in flow.steps.values() if step.powers.sends]
    return max(times, default=0)


def own_tries(flow: Flow) -> int:
    """Return how many sign-ins have one try at a message of *flow* that the budget of guesses does not count."""
    return flow.limits.own_tries(answer_time(flow))


def expect_flow(flow: object) -> Flow:
    """Return *flow*, if it is a flow.

    Raises:
        ConfigurationError: if it is not; a path is no flow yet.
    """
    if isinstance(flow, Flow):
        return flow
    remedy = f"read it first, by load_flow({flow[:200]!r})" if isinstance(flow, str) else "pass a watchword.Flow"
    raise ConfigurationError(f"this is no flow but {type(flow).__name__}: {remedy}")


def expect_flows(flows: object) -> tuple[Flow, ...]:
    """Return *flows*, if it is a list of flows; the remedy for a single one is a list.

    Raises:
        ConfigurationError: if it is not.
    """
    if isinstance(flows, str | Flow) or not isinstance(flows, Iterable):
        raise ConfigurationError(f"previous is {type(flows).__name__}: pass a list of the flows deployed before, [old]")
    return tuple(map(expect_flow, cast("Iterable[object]", flows)))


def decision_of(decided: derivative.Decided) -> Decision:
    """Return the decision for the tuple *decided* of `derivative`."""
    match decided[0]:
        case "present":
            return Present(decided[1])
        case "select":
            return Present(derivative.SELECT, choices=decided[1])
        case "host":
            return Present(decided[1], host=True)
        case "tokens":
            return IssueTokens()
        case _:
            return FailAuthentication(decided[1])


def _settings(step: Step) -> tuple[tuple[str, str], ...]:
    settings = settings_of(step.kind)
    return tuple(
        (name, _fixed(f"{type(step.kind).__name__}.{name}", value))
        for name, value in settings.items()
        if name not in step.powers.cosmetic
    )


def _fixed(setting: str, value: object) -> str:
    """Return a setting as it is written in every process: one container reads what another one wrote."""
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, cast("set[object]", value))))
    written = repr(value)
    if " at 0x" in written:
        raise ConfigurationError(
            f"{setting} is {written}, which is another in every process: use plain values, or list "
            "the setting in `cosmetic` if neither the flow nor verify reads it"
        )
    return written


def decision_text(decision: Decision) -> str:
    """Return *decision* as a person reads it."""
    match decision:
        case Present(step, host, choices):
            return f"choose one of {', '.join(choices)}" if choices else f"ask for {step}" + (" (host)" if host else "")
        case IssueTokens():
            return "issue tokens"
        case FailAuthentication(reason):
            return f"fail ({reason})"
        case _:
            assert_never(decision)


def enrols_in_a_step(flows: Iterable[Flow]) -> bool:
    """Say whether a step of one of *flows* enrols: then Verify adds credentials, and tells their users."""
    return any(step.enrols for flow in flows for step in flow.steps.values())


def needs_store(flows: Collection[Flow]) -> bool:
    """Say whether one of *flows* needs a store of credentials: a kind remembers, or the flow asks what is enrolled."""
    return any(step.powers.remembers for flow in flows for step in flow.steps.values()) or any(
        condition[0] == "enrolled" for flow in flows for condition in flow.conditions
    )
