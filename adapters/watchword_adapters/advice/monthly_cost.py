"""What a month costs, natively and on custom authentication, for the same users and sign-ins. Pure reckoning, in decimals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import frozen

from watchword.algebra.blocks import AskFirst, AtLeast, Block, Enrol, Fallback, InSequence, Named, OneOf, When
from watchword.algebra.flow import Flow
from watchword.contract.powers import Powers, is_host_run, powers_of
from watchword_adapters.advice.native_facts import Tier, dearer
from watchword_adapters.advice.native_reach import NativeReach
from watchword_adapters.advice.price_list import (
    ALARM_METRIC,
    CALL,
    FETCH,
    GIGABYTE_SECOND,
    LOGGED_BYTE,
    MAIL,
    OWN_METRIC,
    READ_UNIT,
    SECRET,
    USER_PRICES,
    WRITE_UNIT,
)
from watchword_adapters.deploy.manifest import PRE_TOKEN

_SECONDS: Final[Mapping[str, Decimal]] = {
    "define": Decimal("0.01"),
    "create": Decimal("0.5"),
    "verify": Decimal("0.1"),
    PRE_TOKEN: Decimal("0.05"),
}
"""How long a call takes, on the safe side: Create is padded to half a second."""
_GIGABYTES: Final[Mapping[str, Decimal]] = {
    "define": Decimal("0.125"),
    "create": Decimal(1),
    "verify": Decimal("0.5"),
    PRE_TOKEN: Decimal("0.5"),
}
"""The memory of each function, as `watchword template` gives it."""
_ROUND_BYTES = 4_000
_UNITS_SENT, _UNITS_REMEMBERED, _UNITS_ELSE = (11, 25), (8, 11), (7, 12)
"""Read and write units of DynamoDB in a round, for a user's first in a day: docs/how-to/keep-the-ledger-in-dynamodb.md."""
_UNITS_TOLD = (2, 1)
"""Read and write units of a sign-in whose tokens tell what was passed: its record is written once, and looked up."""
_METRICS_TOLD = 2
"""What its alarm looks at, besides."""
FIXED_COUNTS: Final[Mapping[str, int]] = {"secrets": 2, "fetches": 20 * 12 * 24 * 30, "alarm": 17, "own": 7}
"""What a month has whether anybody signs in or not: 20 containers that fetch their keys every five minutes, and the template's alarms."""

_CENT = Decimal("0.01")


@frozen
class Usage:
    """How many *users* are active in a month, and how often each signs in.

    *messages* is how many messages a step that sends takes on average, resends included. *sms* is the price of a text in
    dollars; None if it is not known. *pre_token* says whether tokens tell what was passed.
    """

    users: int
    sign_ins: Decimal = Decimal(4)
    messages: Decimal = Decimal(1)
    sms: Decimal | None = None
    pre_token: bool = False

    @property
    def total(self) -> Decimal:
        """How many sign-ins a month has."""
        return self.users * self.sign_ins


@frozen
class Effort:
    """What one sign-in takes where each answer is right at once: rounds of the flow's own, password rounds, units.

    *senders* are the steps that send a message, each with its channel.
    """

    rounds: int = 0
    passwords: int = 0
    senders: tuple[tuple[str, str], ...] = ()
    reads: int = 0
    writes: int = 0

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            self.rounds + other.rounds,
            self.passwords + other.passwords,
            self.senders + other.senders,
            self.reads + other.reads,
            self.writes + other.writes,
        )

    @property
    def weight(self) -> tuple[int, ...]:
        """By what the dearer of two is told: texts, other messages, rounds."""
        texts = sum(channel == "sms" for _, channel in self.senders)
        return (texts, len(self.senders) - texts, self.rounds, self.writes, self.passwords)

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each function is called: Define once at the beginning, and each function in a round of the flow's own."""
        return {"define": 1 + self.passwords + self.rounds, "create": self.rounds, "verify": self.rounds}


_SELECT = Effort(rounds=1, reads=_UNITS_ELSE[0], writes=_UNITS_ELSE[1])


def effort_of(flow: Flow) -> Effort:
    """Return what the dearest way through *flow* takes, each answer right at once."""
    return _effort(flow.body)


def _effort(block: Block) -> Effort:
    match block:
        case InSequence(parts):
            return sum(map(_effort, parts), Effort())
        case OneOf(options):
            chosen = [option for option in options if not _effort(option).passwords]
            asked = _SELECT if len(chosen) > 1 else Effort()  # an option with the password is told by the opening
            return _dearest(
                [_effort(option) + (Effort() if _effort(option).passwords else asked) for option in options]
            )
        case AtLeast(count, options):
            efforts = sorted(map(_effort, options), key=lambda each: each.weight, reverse=True)
            return sum((each + _SELECT for each in efforts[:count]), Effort())
        case Fallback(parts):
            return _effort(parts[0])
        case When(_, then, otherwise):
            return _dearest([_effort(then), Effort() if otherwise is None else _effort(otherwise)])
        case Named(name, kind):
            return _enrolment() if isinstance(kind, Enrol) else _round(name, powers_of(kind))
        case AskFirst(step):
            return _SELECT + _effort(step)
        case Enrol():
            return _enrolment()
        case _:
            return Effort(passwords=1) if is_host_run(block) else _round(block.kind, powers_of(block))


def _round(name: str, powers: Powers) -> Effort:
    reads, writes = _UNITS_SENT if powers.sends else _UNITS_REMEMBERED if powers.remembers else _UNITS_ELSE
    return Effort(1, 0, ((name, powers.channel),) if powers.sends else (), reads, writes)


def _enrolment() -> Effort:
    return Effort(1, 0, (), *_UNITS_REMEMBERED)


def _dearest(efforts: Iterable[Effort]) -> Effort:
    return max(efforts, key=lambda each: each.weight)


@frozen
class Month:
    """What a month costs on a *tier*, in dollars: *lines* by what they are for. A line that is not known is None.

    *total* is the sum of the lines that are known, each rounded to cents: it adds up as printed.
    """

    tier: Tier
    lines: Mapping[str, Decimal | None]

    @property
    def total(self) -> Decimal:
        """The sum of what is known."""
        return sum((each for each in self.lines.values() if each is not None), Decimal(0))

    @property
    def complete(self) -> bool:
        """Whether each line is known."""
        return None not in self.lines.values()


def custom_month(flow: Flow, usage: Usage, tier: Tier = "Lite") -> Month:
    """Return what a month of *flow* costs on custom authentication, if all sign-ins take its dearest way."""
    effort, count = effort_of(flow), usage.total
    calls = {**effort.calls, PRE_TOKEN: int(usage.pre_token)}
    if usage.pre_token and effort.rounds:  # the password alone leaves no record
        effort += Effort(reads=_UNITS_TOLD[0], writes=_UNITS_TOLD[1])
    called = sum(CALL.of(number * count) for number in calls.values())
    seconds = sum((_SECONDS[name] * _GIGABYTES[name] * number for name, number in calls.items()), Decimal(0))
    fixed = (
        SECRET.of(Decimal(FIXED_COUNTS["secrets"]))
        + FETCH.of(Decimal(FIXED_COUNTS["fetches"]))
        + ALARM_METRIC.of(Decimal(FIXED_COUNTS["alarm"] + _METRICS_TOLD * usage.pre_token))
        + OWN_METRIC.of(Decimal(FIXED_COUNTS["own"]))
    )
    return _month(
        tier,
        usage,
        effort.senders,
        {
            "lambda": called + GIGABYTE_SECOND.of(seconds * count),
            "dynamodb": READ_UNIT.of(effort.reads * count) + WRITE_UNIT.of(effort.writes * count),
            "logs": LOGGED_BYTE.of(effort.rounds * _ROUND_BYTES * count),
            "fixed": fixed,
        },
    )


def native_month(flow: Flow, reach: NativeReach, usage: Usage, tier: Tier = "Lite") -> Month | None:
    """Return what a month of what native sign-in can do of *flow* costs, on *tier* at least; None if it can do nothing.

    The sign-ins are those of `custom_month`: so only messages that the dearest way sends are counted, as far as one native way
    sends them.
    """
    if reach.tier is None:
        return None
    sent = effort_of(flow).senders
    ways = [{each.step for each in way.steps} for way in reach.ways]
    efforts = [Effort(senders=tuple(each for each in sent if each[0] in way)) for way in ways]
    return _month(dearer(tier, reach.tier), usage, _dearest(efforts).senders, {})


def _month(tier: Tier, usage: Usage, senders: tuple[tuple[str, str], ...], more: Mapping[str, Decimal]) -> Month:
    messages = Counter(channel for _, channel in senders)
    sent = {channel: number * usage.messages * usage.total for channel, number in messages.items()}
    lines: dict[str, Decimal | None] = {"users": USER_PRICES[tier].of(usage.users)}
    if "email" in sent:
        lines["mail"] = MAIL.of(sent["email"])
    if "sms" in sent:
        lines["sms"] = None if usage.sms is None else usage.sms * sent["sms"]
    if set(sent) - {"email", "sms"}:
        lines["other_messages"] = None  # of a plugin's own channel
    lines.update(more)
    return Month(tier, {what: None if cost is None else _cents(cost) for what, cost in lines.items()})


def _cents(cost: Decimal) -> Decimal:
    return cost.quantize(_CENT, ROUND_HALF_UP)
