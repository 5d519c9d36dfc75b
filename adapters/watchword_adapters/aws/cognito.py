"""Cognito's trigger events, to and from the engine's values. Pure; lenient in what it reads, strict in what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never, cast

from watchword.algebra.derivative import CUSTOM, MAX_ROUNDS
from watchword.algebra.evaluation import ACTION, CHOICE, REDIRECT, SAID_SIGN_IN, AnswerRequest, SessionRequest
from watchword.algebra.flow import Decision, FailAuthentication, IssueTokens, Present, Round
from watchword.contract.kinds import User, Verdict
from watchword.errors import ProtocolError

if TYPE_CHECKING:
    from watchword.runtime.creation import CreatedChallenge

Event: TypeAlias = dict[str, Any]

SOURCES = {
    "define": "DefineAuthChallenge",
    "create": "CreateAuthChallenge",
    "verify": "VerifyAuthChallenge",
    "pre_token": "TokenGeneration",
}
"""What each trigger's ``triggerSource`` begins with. (One AWS table prints a shorter form, hence the prefix.)"""

MAX_TEXT = 131_072
"""Cognito's service model: no text in it is longer. Names and ids are far shorter; this keeps the work bounded."""


def event_of(given: object) -> Event:
    """Return the event as a plain dict; Powertools' event objects and its pydantic models are unwrapped.

    Raises:
        ProtocolError: if it is no event.
    """
    raw = _unwrapped(given)
    fields = _fields(raw)
    if fields is None:
        raise ProtocolError(f"the event is no object but {type(raw).__name__}")
    return {str(key): value for key, value in fields.items()}


def trigger_of(event: Event) -> str:
    """Return which trigger *event* is for: ``define``, ``create``, ``verify`` or ``pre_token``.

    Raises:
        ProtocolError: if its ``triggerSource`` is none of theirs.
    """
    source = _text(event, "triggerSource")
    for trigger, prefix in SOURCES.items():
        if source.startswith(prefix):
            return trigger
    raise ProtocolError(
        "triggerSource is none of DefineAuthChallenge, CreateAuthChallenge, VerifyAuthChallengeResponse, TokenGeneration"
    )


def expect(event: Event, trigger: str) -> None:
    """Check that *event*, where it says so, is meant for *trigger*.

    Raises:
        ProtocolError: if it is meant for another.
    """
    source = event.get("triggerSource")
    if source is not None and not (isinstance(source, str) and source.startswith(SOURCES[trigger])):
        raise ProtocolError(
            f"the event is not meant for {trigger}: check which function each trigger of the pool calls"
        )


def session_request_of(event: Event) -> SessionRequest:
    """Return what an event of Define or Create says.

    Raises:
        ProtocolError: if a field has a type that Cognito never sends.
    """
    request = _object(event, "request")
    name = request.get("challengeName")
    if name is not None and name != CUSTOM:
        raise ProtocolError("challengeName: Create is called for CUSTOM_CHALLENGE only")
    return SessionRequest(
        pool=_text(event, "userPoolId"),
        client=_client(event),
        user=_user(event, request),
        session=_session(request.get("session")),
        client_metadata=_client_metadata(request),
    )


def answer_request_of(event: Event) -> AnswerRequest:
    """Return what an event of Verify says.

    Raises:
        ProtocolError: if a field has a type that Cognito never sends.
    """
    request = _object(event, "request")
    return AnswerRequest(
        pool=_text(event, "userPoolId"),
        client=_client(event),
        user=_user(event, request),
        answer=request.get("challengeAnswer"),
        private=_object(request, "privateChallengeParameters"),
        client_metadata=_client_metadata(request),
    )


def token_request_of(event: Event) -> SessionRequest:
    """Return whose tokens an event of Pre Token Generation is for, and what the client said.

    Raises:
        ProtocolError: if a field has a type that Cognito never sends.
    """
    request = _object(event, "request")
    metadata = _client_metadata(request)
    return SessionRequest(_text(event, "userPoolId"), _client(event), _user(event, request), client_metadata=metadata)


def define_response(event: Event, decision: Decision) -> Event:
    """Return *event* with Define's response; nothing of an earlier response is kept."""
    match decision:
        case Present(step, host):
            response = {"challengeName": step if host else CUSTOM, "issueTokens": False, "failAuthentication": False}
        case IssueTokens():
            response = {"issueTokens": True, "failAuthentication": False}
        case FailAuthentication():
            response = {"issueTokens": False, "failAuthentication": True}
        case _:
            assert_never(decision)
    return {**event, "response": response}


def create_response(event: Event, challenge: CreatedChallenge) -> Event:
    """Return *event* with Create's response. The private map is never empty: Cognito would end the sign-in."""
    response = {
        "publicChallengeParameters": dict(challenge.public),
        "privateChallengeParameters": dict(challenge.private),
        "challengeMetadata": challenge.metadata,
    }
    return {**event, "response": response}


def verify_response(event: Event, verdict: Verdict) -> Event:
    """Return *event* with Verify's response."""
    return {**event, "response": {"answerCorrect": verdict.right is True}}


def _unwrapped(given: object) -> object:
    if type(given) is dict:
        return cast("dict[str, Any]", given)
    dump: object = getattr(given, "model_dump", None)
    if callable(dump):
        # A model fills in what an event leaves out; what is not there must not become null.
        return dump(by_alias=True, exclude_unset=True)
    return getattr(given, "raw_event", given)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolError(f"{name} is no text but {type(value).__name__}")
    return _bounded(value or "", name)


def _bounded(text: str, name: str) -> str:
    if len(text) > MAX_TEXT:
        raise ProtocolError(f"{name} has {len(text)} characters, and Cognito sends {MAX_TEXT} at most")
    return text


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    inner = _fields(value)
    if inner is None:
        raise ProtocolError(f"{name} is no object but {type(value).__name__}")
    return {str(key): each for key, each in inner.items()}


def _client(event: Event) -> str:
    return _text(_object(event, "callerContext"), "clientId")


def _user(event: Event, request: Mapping[str, Any]) -> User:
    given = _object(request, "userAttributes").items()
    attributes = {key: _bounded(value, "an attribute") for key, value in given if isinstance(value, str)}
    # Anything but a plain no counts as "not found": then there are no tokens. Whoever is there has a sub, always.
    known = not request.get("userNotFound") and bool(attributes.get("sub"))
    return User(_text(event, "userName"), attributes, known=known)


def _client_metadata(request: Mapping[str, Any]) -> dict[str, str]:
    given = _fields(request.get("clientMetadata"))
    if given is None:
        return {}
    read = {key: given.get(key) for key in (ACTION, CHOICE, REDIRECT, SAID_SIGN_IN)}
    return {key: value for key, value in read.items() if isinstance(value, str)}


def _session(rounds: object) -> tuple[Round, ...]:
    if rounds is None:
        return ()
    if not isinstance(rounds, list | tuple):
        return (Round("", None),)  # no session that Cognito writes: judged as a round that no flow knows
    # One more than the engine reads: it then says that there are too many.
    return tuple(_round(each) for each in rounds[: MAX_ROUNDS + 1])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _round(entry: object) -> Round:
    fields = _fields(entry)
    if fields is None:
        return Round("", None)
    name = fields.get("challengeName")
    named = name if isinstance(name, str) else ""
    return Round(named, fields.get("challengeResult"), fields.get("challengeMetadata"))


def _fields(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None
