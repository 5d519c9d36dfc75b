"""Make triggers slow, or make them fail, for tests of a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, assert_never, cast

from attrs import frozen

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger

FAULTY_TRIGGERS = ("define", "create", "verify")
"""The triggers, by the names that options use."""

Fault = Literal["raise", "late", "nothing", "malformed"]
FAULTS: tuple[Fault, ...] = ("raise", "late", "nothing", "malformed")
"""How a trigger may fail."""


class InjectedError(Exception):
    """Raised by a trigger that is told to fail."""


@frozen
class Failure:
    """*trigger* fails: it raises, does its work but answers too late, returns nothing, or something malformed."""

    trigger: str
    kind: Fault


def failure_of(text: str) -> Failure:
    """Read ``TRIGGER`` or ``TRIGGER:KIND``; without a kind it raises.

    Raises:
        ConfigurationError: if there is no such trigger or kind.
    """
    trigger, _, kind = text.partition(":")
    if trigger not in FAULTY_TRIGGERS or (kind or "raise") not in FAULTS:
        raise ConfigurationError(
            f"--fail {text[:60]!r}: write TRIGGER or TRIGGER:KIND, with one of {', '.join(FAULTY_TRIGGERS)} and of {', '.join(FAULTS)}"
        )
    return Failure(trigger, cast("Fault", kind or "raise"))


def with_fault(
    name: str,
    trigger: AnyTrigger,
    *,
    latency: float,
    failures: Sequence[Failure],
    deadline: float,
    clock: Clock,
) -> AnyTrigger:
    """Return *trigger*, called *name*, made *latency* seconds slower and to fail as *failures* say.

    *deadline* is how many seconds the pool waits for it, by *clock*.
    """

    def sleep(seconds: float) -> None:
        clock.sleep_until(clock.monotonic() + seconds)

    kind: Fault | None = next((each.kind for each in failures if each.trigger == name), None)
    if kind is None and not latency:
        return trigger

    def slowed(event: Any, context: Any) -> Any:
        sleep(latency)
        match kind:
            case None:
                return trigger(event, context)
            case "raise":
                raise InjectedError("this failure is rehearsed")
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
