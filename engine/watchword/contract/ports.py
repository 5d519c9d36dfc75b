"""The ports of the engine: protocols of ledger, courier, clock, randomness and audit, which adapters implement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from attrs import Attribute, field, frozen

from watchword.errors import ConfigurationError

T = TypeVar("T")

ClaimState = Literal["sending", "sent", "unsent"]
Reach = Literal["process", "machine", "everywhere"]
ChargeOutcome = Literal["charged", "repeated", "refused", "exhausted"]


LEASE = 16
"""For how many seconds a host may repeat a call: Cognito makes three calls of five seconds each; one is spare."""


def read_only(mapping: Mapping[str, str]) -> Mapping[str, str]:
    """Return a read-only copy of *mapping*; return anything else as it is."""
    return MappingProxyType(dict(mapping)) if isinstance(mapping, Mapping) else mapping  # pyright: ignore[reportUnnecessaryIsInstance]


def read_only_values(mapping: Mapping[str, object]) -> Mapping[str, object]:
    """Return the same for values of any kind."""
    return MappingProxyType(dict(mapping)) if isinstance(mapping, Mapping) else mapping  # pyright: ignore[reportUnnecessaryIsInstance]


@frozen
class Receipt:
    """What a courier says of an accepted message: the carrier's own *id* for it, if there is one."""

    id: str = ""


@frozen
class Permission:
    """What a function must be allowed on AWS: *actions* on *resources*, where the *conditions* of the policy hold.

    A kind or a courier may have a tuple of them as ``permissions``: the template then grants them to the functions that
    run it. Texts may hold ``${AWS::Partition}``, ``${AWS::Region}`` and ``${AWS::AccountId}``.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(factory=dict[str, Mapping[str, str]])


class Courier(Protocol):
    """Carries messages of one channel to users."""

    channel: ClassVar[str]

    @property
    def floor(self) -> float:
        """Minimum duration of a call, in seconds, which hides whether a message was sent; 0 if sending takes no time."""
        ...

    def send(self, letter: Any, within: float, /) -> Receipt:
        """Send *letter*, a message of the channel with its id, within *within* seconds, once: no retries of its own.

        Raises:
            UnavailableError: if it was not accepted; with ``undelivered=True`` only if it certainly did not leave. With
                ``refused=True`` wherever the recipient or the message may be the cause, such as any failure from the
                moment on at which the carrier was told the recipient: anybody can have an address that is refused, so
                this looks as if the message was sent. Any other failure marks the channel as down.
        """
        ...


def _positive(_: Limit, attribute: Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        got = str(value) if isinstance(value, int) and -(10**12) < value < 10**12 else type(value).__name__
        raise ConfigurationError(f"a limit's {attribute.name} is {got}: it must be a whole number, 1 or more")


@frozen
class Limit:
    """At most *count* (1 or more) in any *seconds* (1 or more) that follow one another."""

    count: int = field(validator=_positive)
    seconds: int = field(validator=_positive)


@frozen
class Claim:
    """The right to send one message: who shares it shares its code.

    *fresh* is True for the one caller who made it. *issued* is when, in whole epoch seconds: for whoever looks into the
    store. The engine reads the time from the id, and reckons what is shown from the sign-in's own begin.
    """

    id: str
    issued: int
    state: ClaimState
    fresh: bool


@frozen(eq=False)
class ChargeRequest:
    """An answer that is to be recorded, and what pays for it.

    *answer* (a digest) is the one answer to *round_id*. The guess is charged to the budget *key*, which has *limits*;
    *owner* is whose budget it is, for `Ledger.forget`. *claim_id* names the claim whose own try pays where the budget is
    empty, or nothing. The record of the round is kept until *keep*; *now* is the time of the charge.
    """

    round_id: str
    answer: str = field(repr=False)
    key: str
    owner: str
    claim_id: str
    limits: Sequence[Limit]
    keep: float
    now: float


@frozen
class Charge:
    """What became of an answer when it was recorded.

    ``charged``: recorded now and paid for. ``repeated``: the same answer to this round again (a host's retry), paid
    for before. ``refused``: another answer to a round that has one. ``exhausted``: nothing left to pay with.
    *at* is the time (epoch seconds) at which this round's answer was first recorded.
    """

    outcome: ChargeOutcome
    at: float


class Ledger(Protocol):
    """The shared memory across sessions. Every call is atomic, also between processes.

    Times are epoch seconds by the engine's clock, never the store's own. An entry whose time is over counts as
    absent, whether or not the store has removed it. *within* is how many seconds the call may take.
    Every call raises UnavailableError if the store fails or is late; nothing is then half-written. At exactly its end
    an entry is over.
    """

    @property
    def reach(self) -> Reach:
        """Which processes share this ledger: this one alone, those of this machine, or all, wherever they run.

        A budget holds across those. Where processes come and go on many machines, as in Lambda, hosts demand ``"everywhere"``.
        """
        ...

    def claim(self, key: str, claim_id: str, *, lease: float, now: float, within: float) -> Claim:
        """Take *key* for *lease* seconds under *claim_id*, in state ``sending``; or return the claim that holds it."""
        ...

    def settle(
        self, key: str, claim_id: str, state: Literal["sent", "unsent"], *, own_until: float, within: float
    ) -> None:
        """Say what became of the message of *claim_id*.

        ``sent`` gives the claim one try of its own, good until *own_until* (see `charge`); saying it twice gives one.
        ``sent`` is final: a late ``unsent`` changes nothing.
        If *key* is held by another claim by now, the holder is left alone (the own try is still given).
        """
        ...

    def resume(self, key: str, claim_id: str, *, within: float) -> bool:
        """Turn the claim from ``unsent`` back to ``sending``; True for exactly one caller, who may then send again."""
        ...

    def charge(self, request: ChargeRequest, *, within: float) -> Charge:
        """Record the answer of *request* as the one answer to its round and charge one guess to its budget.

        In one write. If the budget has no room under its limits, the claim's own try is used up instead; if that is
        gone too, the outcome is ``exhausted`` (and stays so for this round, whatever the answer).
        Entries of the budget that lie in the future count as well: a clock set back never makes room.
        The first repeat is recorded as well, in the same write: what it was charged stays (see `forgive`).
        """
        ...

    def forgive(self, round_id: str, *, key: str, claim_id: str, within: float) -> None:
        """Take back what `charge` wrote for *round_id*, given the same *key* and *claim_id*: nothing was compared.

        In one write the record of the round goes, and so does its guess in the budget, or the claim's own try is there
        again. What was never charged, or found the budget empty, is left as it is. So is a round whose answer was
        repeated: the repeat may have compared it.
        """
        ...

    def count(self, key: str, *, event: str, owner: str, limits: Sequence[Limit], now: float, within: float) -> bool:
        """Count *event* in the budget *key* if there is room under *limits*; the same event again is free. True if counted."""
        ...

    def consume(self, claim_id: str, *, by: str, refund: str, keep: float, within: float, slot: str = "") -> bool:
        """Use up *claim_id* in the name of round *by*: the first round wins, and only that one reads True again.

        The win takes the guess that round *by* was charged back out of the budget *refund* (a right answer is no
        guess); once. In the same write it frees the key *slot* (see `claim`) if this claim still holds it, so that the
        next caller makes a new claim. The mark is kept until *keep*.
        """
        ...

    def consumed(self, claim_id: str, *, by: str | None = None, within: float) -> bool:
        """Return whether a round has used up *claim_id*, for as long as the mark is kept; with *by*, whether that round has."""
        ...

    def put(self, key: str, value: str, *, expires: float, within: float) -> None:
        """Keep *value* under *key* until *expires*, in place of what was there."""
        ...

    def peek(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key*, or None."""
        ...

    def take(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key* and remove it, for exactly one caller; None if there is nothing."""
        ...

    def forget(self, owner: str, *, within: float) -> int:
        """Empty every budget of *owner*; return how many had something in them."""
        ...


class AccessTokens(Protocol):
    """Knows the access tokens that the host issues to users who have signed in: a function, or what can be called as one."""

    def __call__(self, token: str, *, pool: str, client: str, sub: str, within: float) -> bool:
        """Say whether *token* is an access token of the user *sub* in the app *client* of *pool*, and good now.

        Whatever else it is, such as a token of somebody else, an old one or an ID token, is none, and never an exception.

        Raises:
            UnavailableError: if it cannot be known within *within* seconds.
        """
        ...


class Clock(Protocol):
    """Time, and every wait. Tests use a virtual clock, so that no test sleeps."""

    def now(self) -> float:
        """Return the epoch time in seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def sleep_until(self, moment: float) -> None:
        """Wait until `monotonic` reads *moment*; return at once if it does already."""
        ...

    def call(self, work: Callable[[], T], within: float) -> T:
        """Return what *work* returns, or raise what it raises, if it ends within *within* seconds by this clock.

        All that may hang (a kind, a courier, a fetch, a trigger) is called this way. The system's clock runs *work* on
        a thread and leaves it there if it is late. A virtual clock runs it at once, on the thread that calls, and
        looks at its own time afterwards. Either way *work* sees the caller's context variables, what it sets in them
        stays with it, and what it returns or raises when it is late is thrown away.

        Raises:
            UnavailableError: if *work* is late; with ``undelivered=True`` if it was never begun.
        """
        ...


class Random(Protocol):
    """Randomness fit for secrets."""

    def bytes(self, count: int) -> bytes:
        """Return *count* random bytes."""
        ...


@frozen
class AuditEvent:
    """An event for the operator, without personal data.

    *name* is of the OWASP logging vocabulary where it has a word (``authn_login_fail``). *user* is a keyed digest;
    *ref* is the eight characters that the user saw; *detail* holds short facts (step, reason, counts), no secrets.
    """

    name: str
    at: float
    flow: str
    user: str = ""
    ref: str = ""
    detail: Mapping[str, str] = field(factory=dict[str, str], converter=read_only)


class Audit(Protocol):
    """Takes audit events. What it raises never changes a decision."""

    def record(self, event: AuditEvent) -> None:
        """Record *event*."""
        ...
