"""The protocol of a dialect, and the dialects by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from watchword.algebra.evaluation import AnswerRequest, SessionRequest
    from watchword.algebra.flow import Decision, Flow
    from watchword.runtime.creation import CreatedChallenge
    from watchword.runtime.services import Services

DIALECTS = ("passwordless",)
"""The dialects by name."""


class Dialect(Protocol):
    """What stands between the events of one client's sign-ins and the engine. Its methods change values, and decide nothing."""

    def check(self) -> None:
        """Check that the client can sign in by the flow in use.

        Raises:
            ConfigurationError: if it cannot; the message names the step and the remedy.
        """
        ...

    @property
    def has_api(self) -> bool:
        """Whether the client calls an API beside its sign-ins, for the flow in use."""
        ...

    def session_request(self, event: Mapping[str, Any], request: SessionRequest) -> SessionRequest:
        """Return *request*, of Define or Create, with the engine's words in place of the client's."""
        ...

    def answer_request(self, event: Mapping[str, Any], request: AnswerRequest) -> AnswerRequest:
        """Return *request*, of Verify, with the engine's words in place of the client's.

        Raises:
            ProtocolError: if the client asks for what the flow does not have.
        """
        ...

    def with_issued(self, request: AnswerRequest, services: Services) -> AnswerRequest:
        """Return *request* with the challenges that were given out before the sign-in, used up for its round.

        Raises:
            UnavailableError: if a port of *services* fails.
        """
        ...

    def decision(self, event: Mapping[str, Any], request: SessionRequest, decision: Decision) -> Decision:
        """Return *decision*, or a failure where the client has no way to go on."""
        ...

    def challenge(self, request: SessionRequest, created: CreatedChallenge) -> CreatedChallenge:
        """Return *created* with what the client looks for."""
        ...

    def text(self, event: Mapping[str, Any], error: BaseException) -> str | None:
        """Return what the client is told of *error* in a call with *event*; None if it reads the engine's own texts."""
        ...


def find_dialect(name: str, flows: Sequence[Flow]) -> Dialect:
    """Return the dialect called *name* for *flows*, the first of which is the one in use.

    Raises:
        ConfigurationError: if there is none of that name.
    """
    if name != "passwordless":
        raise ConfigurationError(f"dialect is {name!r:.80}: there is {', '.join(DIALECTS)}")
    from watchword_adapters.dialects.passwordless import Passwordless  # noqa: PLC0415 - only who speaks it loads it

    return Passwordless(tuple(flows))


def has_api(name: str, flow: Flow) -> bool:
    """Say whether the client of the dialect called *name* calls an API beside its sign-ins by *flow*; none is called if there is no name."""
    return bool(name) and find_dialect(name, (flow,)).has_api
