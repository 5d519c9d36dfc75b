"""Limits on guesses and messages of one user, over all sessions and app clients."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import Attribute, field, frozen

from watchword.contract.ports import Limit
from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from watchword.algebra.lowering import Step
    from watchword.contract.powers import Powers

MAX_GUESSES = 100
"""The most guesses that any configuration allows: 100 consecutive failed attempts (NIST SP 800-63B-4 3.2.2)."""

PER_BUDGET = MAX_GUESSES // 2
"""The most guesses in one budget: each kind has two, one before a factor was proven and one after."""

_SHARERS = 6

UNGUESSABLE = 2.0**-64
"""Guesses with at most this chance are not charged. NIST SP 800-63B-4 3.1.2 and 3.1.3 ask for a limit below 64 bits."""

_FORM = re.compile(r"([1-9][0-9]{0,30})/([1-9][0-9]{0,30})?(s|min|h|day)", re.ASCII)
_MOST, _LONGEST = 999_999, 99_999
_UNITS = {"s": 1, "min": 60, "h": 3600, "day": 86400}


def parse_limit(text: str) -> Limit:
    """Return the limit that *text* says: ``"10/day"``, ``"3/15min"``, ``"5/h"``, ``"20/30s"``.

    Raises:
        ConfigurationError: if it says none.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ConfigurationError(
            f"{_shown(text)} is no limit: write a count, a slash and a span, such as '10/day' or '3/15min'"
        )
    count, spans = int(match[1]), int(match[2] or 1)
    if count > _MOST:
        raise ConfigurationError(
            f"{_shown(text)} allows {count}: at most {_MOST} can be counted; write a smaller count"
        )
    if spans > _LONGEST:
        raise ConfigurationError(
            f"{_shown(text)} is over {spans} {match[3]}: at most {_LONGEST} are; write a larger unit"
        )
    return Limit(count, spans * _UNITS[match[3]])


def format_limit(limit: Limit) -> str:
    """Return *limit* as text that `parse_limit` reads, in the largest unit that fits."""
    unit, seconds = next(each for each in reversed(_UNITS.items()) if limit.seconds % each[1] == 0)
    spans = limit.seconds // seconds
    return f"{limit.count}/{spans if spans > 1 else ''}{unit}"


def _shown(value: object) -> str:
    return repr(value[:40]) if isinstance(value, str) else f"a value of type {type(value).__name__}"


def _limits(value: str | Limit | Sequence[str | Limit]) -> tuple[Limit, ...]:
    listed = (value,) if isinstance(value, str | Limit) else value
    if not isinstance(listed, Sequence):
        raise ConfigurationError(f"{_shown(value)} is no limit: write text such as '10/day', or a list of such texts")
    return tuple(one if isinstance(one, Limit) else parse_limit(one) for one in listed)


def _some(_: Limits, attribute: Attribute[tuple[Limit, ...]], value: tuple[Limit, ...]) -> None:
    if not value:
        raise ConfigurationError(f"limits.{attribute.name} is empty: a budget needs one limit at least")


def _under_ceiling(_: Limits, __: Attribute[tuple[Limit, ...]], value: tuple[Limit, ...]) -> None:
    for limit in value:
        if limit.count > MAX_GUESSES:
            raise ConfigurationError(
                f"limits.guesses allows {limit.count} guesses, at most {MAX_GUESSES} are allowed (NIST SP 800-63B-4 3.2.2)"
            )


@frozen
class Limits:
    """The budgets of one user.

    *guesses*: wrong answers to one kind that proves a factor (default 10 a day). *messages*: messages on one channel to one
    user, and to one destination (default 3 in 15 minutes, 5 an hour, 10 a day). Each is text or a list of texts like ``"3/15min"``.

    Source of the defaults: RFC 4226 7.3 (the limit must be across login sessions), NIST SP 800-63B-4 3.2.2.
    """

    guesses: tuple[Limit, ...] = field(
        default=(Limit(10, 86400),), converter=_limits, validator=[_some, _under_ceiling]
    )
    messages: tuple[Limit, ...] = field(
        default=(Limit(3, 900), Limit(5, 3600), Limit(10, 86400)), converter=_limits, validator=_some
    )

    def own_tries(self, seconds: float) -> int:
        """In how many sign-ins a code, good for *seconds*, may be tried although the budget of guesses is empty.

        A first message is shared by the sign-ins that begin with it, and nobody can tell whose it is. So the first have a
        try each. Six are enough: two sign-ins, for each of which the host may call Create three times. Fewer where a day
        of guesses and messages would come to more than the ceiling; none where not one fits under it.
        """
        guesses = min(PER_BUDGET, most_within(self.guesses, _UNITS["day"]))
        return min(_SHARERS, (PER_BUDGET - guesses) // self.answerable(seconds))

    def answerable(self, seconds: float) -> int:
        """Return how many messages can be answered in one day, each good for *seconds*: some were sent before it began."""
        return most_within(self.messages, _UNITS["day"]) + most_within(self.messages, seconds)

    def guesses_at(self, step: Step) -> tuple[Limit, ...]:
        """Return the limits for guesses at *step*, with half the ceiling of 100 a day; none where strangers could only do harm.

        A kind that proves nothing is no way to tokens, and what has 64 bits is guessed by nobody. A budget for either
        would let strangers use it up, so that a right answer is refused. A step that enrols may ask for what a user has
        enrolled, whose guesses count like any.
        """
        charged = step.kind.proves and chance_of(step.powers) > UNGUESSABLE
        return (*self.guesses, Limit(PER_BUDGET, _UNITS["day"])) if charged else ()


def most_within(limits: Sequence[Limit], seconds: float) -> int:
    """Return how many events *limits* allow in less than *seconds*."""
    return min(limit.count * max(1, math.ceil(seconds / limit.seconds)) for limit in limits)


def chance_of(powers: Powers) -> float:
    """Return the chance of one guess at a kind of these *powers*; 1 if the kind does not say."""
    value = float(powers.guess_probability())
    return value if 0 <= value <= 1 else 1.0
