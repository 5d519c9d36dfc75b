"""Rehearsals: triggers that are slow, or fail, as they may in the field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, assert_never, cast

from attrs import frozen

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError
from watchword_adapters.userpool.sign_in.triggers import Trigger

TRIGGERS = ("define", "create", "verify")
"""The triggers, by the names that options use."""

Kind = Literal["raise", "late", "nothing", "malformed"]
KINDS: tuple[Kind, ...] = ("raise", "late", "nothing", "malformed")
"""How a trigger may fail."""


class RehearsedError(Exception):
    """Raised by a trigger that is told to fail."""


@frozen
class Failure:
    """*trigger* fails: it raises, does its work but answers too late, returns nothing, or something malformed."""

    trigger: str
    kind: Kind


def failure_of(text: str) -> Failure:
    """Read ``TRIGGER`` or ``TRIGGER:KIND``; without a kind it raises.

    Raises:
        ConfigurationError: if there is no such trigger or kind.
    """
    trigger, _, kind = text.partition(":")
    if trigger not in TRIGGERS or (kind or "raise") not in KINDS:
        raise ConfigurationError(
            f"--fail {text[:60]!r}: write TRIGGER or TRIGGER:KIND, with one of {', '.join(TRIGGERS)} and of {', '.join(KINDS)}"
        )
    return Failure(trigger, cast("Kind", kind or "raise"))


def rehearsed(
    name: str,
    trigger: Trigger,
    *,
    latency: float,
    failures: Sequence[Failure],
    deadline: float,
    clock: Clock,
) -> Trigger:
    """Return *trigger*, called *name*, made *latency* seconds slower and to fail as *failures* say.

    *deadline* is how many seconds the pool waits for it, by *clock*.
    """

    def sleep(seconds: float) -> None:
        clock.sleep_until(clock.monotonic() + seconds)

    kind: Kind | None = next((each.kind for each in failures if each.trigger == name), None)
    if kind is None and not latency:
        return trigger

    def slowed(event: Any, context: Any) -> Any:
        sleep(latency)
        match kind:
            case None:
                return trigger(event, context)
            case "raise":
                raise RehearsedError("this failure is rehearsed")
            case "late":
                answer = trigger(event, context)
                sleep(deadline + 1)
                return answer
            case "nothing":
                return None
            case "malformed":
                return {"response": {"challengeName": 7, "privateChallengeParameters": [], "answerCorrect": "yes"}}
            case _:
                assert_never(kind)

    return slowed
