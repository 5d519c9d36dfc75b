"""Captured Lambda events: read from a file, and stripped of every secret before anything else sees them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, AnswerRequest, SessionRequest
from watchword.algebra.flow import Flow, Round
from watchword.contract.kinds import User
from watchword.contract.powers import MAX_LONGEST_ANSWER
from watchword.errors import ConfigurationError, ProtocolError
from watchword.runtime.wire import PrivateParameters, read_private_parameters, write_metadata
from watchword_adapters.aws.cognito import answer_request_of, event_of, session_request_of, trigger_of
from watchword_adapters.cli.logs.log_events import REMEDY, UnreadableError, events_in, is_envelope, unwrapped
from watchword_adapters.dialects.dialect import Dialect
from watchword_adapters.rest.exchange import as_mapping

_SPACE = re.compile(r"\s+")
MAX_WHOLE = 4 * 1024 * 1024
"""The largest file of events, in bytes, that is read whole; a larger one holds one event a line."""
MAX_LINE = 1024 * 1024
"""The longest line, in bytes, of a larger one."""
_CHUNK = 65_536

RULES = {
    "answers": "what the user answered",
    "names": "the user's name",
    "attributes": "attributes and their values, but a value that a condition of the flow names, and a status that asks for a new password",
    "private parameters": "digests, ids and whatever the kind keeps; what the engine says of the challenge stays",
    "metadata": "claims and what kinds carry; of metadata in another form than Watchword's, everything",
    "client metadata": f"everything but {ACTION}=resend, {ACTION}=answer and {CHOICE} with a step of the flow",
    "responses": "the public and private parameters of an answer by Create",
}
"""What is taken out of an event, by rule."""

Answered: TypeAlias = Literal["text", "no text", "too long"]


@frozen
class CapturedAnswer:
    """What an event of Verify says without its secrets; *parameters* is None if Create never wrote it so.

    *offered* is the option of a choice that it answers, if it answers one.
    """

    parameters: PrivateParameters | None
    answered: Answered
    action: str
    known: bool
    offered: str = ""


@frozen
class CapturedEvent:
    """One event without its secrets: a *request* of Define or Create, or what was *tried* with Verify.

    *response* is what the trigger answered, if it was captured with the event: Define's response or Verify's. *rules*
    are those of `RULES` by which something was taken out.
    """

    trigger: str
    rules: tuple[str, ...]
    request: SessionRequest | None = None
    tried: CapturedAnswer | None = None
    response: Mapping[str, Any] = field(factory=dict[str, Any])


def read_events(path: Path, flows: Sequence[Flow], dialect: Dialect | None = None) -> Iterator[CapturedEvent]:
    """Give the events of the file at *path*: one, a JSON array, JSON values one after the other, or what a log holds.

    See `watchword_adapters.cli.logs.log_events` for the forms of logs. With a *dialect* the client's words are
    read as the triggers read them.

    A file, or a pipe, of more than `MAX_WHOLE` bytes is never in memory as a whole: it holds one event a line (JSON lines).

    What *flows* ask for is kept; what is secret is taken out by `RULES`.

    Raises:
        ConfigurationError: if the file or an event is malformed; the message says where, never what stands there.
    """
    for number, given in enumerate(_values(path), 1):
        try:
            yield _captured(event_of(given), flows, dialect)
        except ProtocolError as error:
            raise ConfigurationError(f"{path}, event {number}: {error}") from None


def _values(path: Path) -> Iterator[object]:
    try:
        with path.open("rb") as file:
            # Read, not asked for: a pipe has no size.
            head = file.read(MAX_WHOLE + 1)
            if len(head) <= MAX_WHOLE:
                yield from _all_values(path, _text(path, head))
            else:
                cut = (head[place : place + _CHUNK] for place in range(0, len(head), _CHUNK))
                yield from _lines(path, chain(cut, iter(partial(file.read, _CHUNK), b"")))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no UTF-8 text") from None


def _all_values(path: Path, text: str) -> list[object]:
    """Return the events of a *text* that is read whole, wherever its lines end."""
    try:
        values = _json_values(path, text)
    except ConfigurationError as error:
        # No JSON: lines of a log, or what Python or Node.js prints.
        return _events_of(path, list(_logged(path, text, 0, error)))
    if len(values) == 1 and isinstance(values[0], list):
        values = cast("list[object]", values[0])
    return _events_of(path, [event for value in values for event in _opened(path, value, 0)])


def _events_of(path: Path, values: list[object]) -> list[object]:
    if not values:
        raise ConfigurationError(f"{path} holds no event")
    return values


def _opened(path: Path, value: object, line: int) -> Iterator[object]:
    """Give the events in *value*; the value itself where it holds none and is nothing that a log writes."""
    try:
        inside = list(unwrapped(value))
    except UnreadableError as error:
        where = f"line {line}, in the message, " if line else "in the message, "
        raise ConfigurationError(f"{path}, {where}{error}") from None
    yield from inside if inside or is_envelope(value) else (value,)


def _logged(path: Path, text: str, line: int, refusal: ConfigurationError) -> Iterator[object]:
    """Give the events of a *text* that is no JSON; if there are none, raise *refusal*."""
    found = False
    try:
        for event in events_in(text):
            found = True
            yield event
    except UnreadableError as error:
        if str(error).startswith("line 1: no JSON") or line:
            raise refusal from None
        raise ConfigurationError(f"{path}, {error}") from None
    if not found and not line:
        raise refusal


def _json_values(path: Path, text: str) -> list[object]:
    values: list[object] = []
    decoder, place = json.JSONDecoder(), 0
    try:
        while place < len(text):
            if text[place].isspace():
                place = cast("re.Match[str]", _SPACE.match(text, place)).end()
                continue
            value, place = decoder.raw_decode(text, place)
            values.append(value)
    except JSONDecodeError as error:
        raise ConfigurationError(f"{path}, line {error.lineno}: no JSON: {error.msg}: {REMEDY}") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{path}: no JSON that can be read: a number or the nesting is too large") from None
    return values


def _lines(path: Path, chunks: Iterable[bytes]) -> Iterator[object]:
    """Give the value in each line of a large file, which comes in *chunks*."""
    number, found, rest = 1, False, b""
    for chunk in chunks:
        rest += chunk
        if not rest.strip():
            number, rest = number + rest.count(b"\n"), b""
            continue
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if line.strip():
                for event in _events_of_line(path, number, line):
                    yield event
                    found = True
            number += 1
        if len(rest) > MAX_LINE:
            raise ConfigurationError(f"{path}, line {number} has more than {MAX_LINE} bytes: {_remedy()}")
    if rest.strip():
        for event in _events_of_line(path, number, rest):
            yield event
            found = True
    if not found:
        raise ConfigurationError(f"{path} holds no event")


def _remedy() -> str:
    return f"a file of more than {MAX_WHOLE} bytes holds one event a line, as jq -c '.[]' writes an array"


def _events_of_line(path: Path, number: int, line: bytes) -> Iterator[object]:
    text = _text(path, line)
    refusal = ConfigurationError(f"{path}, line {number}: no JSON: {_remedy()}")
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        yield from _logged(path, text, number, refusal)
    else:
        yield from _opened(path, value, number)


def _captured(event: dict[str, Any], flows: Sequence[Flow], dialect: Dialect | None) -> CapturedEvent:
    trigger = _trigger(event)
    # What the host sends names all values of a response, as null: the trigger has not answered yet.
    response = {name: value for name, value in as_mapping(event.get("response")).items() if value is not None}
    rules: set[str] = set()
    if trigger == "verify":
        tried = _tried(_heard(event, dialect), rules)
        kept = {"answerCorrect": response.get("answerCorrect")} if response else {}
        return CapturedEvent(trigger, _named(rules), tried=tried, response=kept)
    asked = session_request_of(event)
    heard = asked if dialect is None else dialect.session_request(event, asked)
    request = _without_secrets(heard, flows, rules)
    if trigger == "create":
        rules |= {"responses"} if response else set()
        return CapturedEvent(trigger, _named(rules), request)
    names = ("challengeName", "issueTokens", "failAuthentication")
    kept = {name: response[name] for name in names if name in response}
    return CapturedEvent(trigger, _named(rules), request, response=kept)


def _trigger(event: dict[str, Any]) -> str:
    """Return which trigger *event* is for: one of those that decide about a sign-in."""
    trigger = trigger_of(event)
    if trigger == "pre_token":
        raise ProtocolError(
            "a TokenGeneration event asks for claims when tokens are issued already, and decides nothing: take it out, "
            "replay explains DefineAuthChallenge, CreateAuthChallenge and VerifyAuthChallengeResponse"
        )
    return trigger


def _heard(event: dict[str, Any], dialect: Dialect | None) -> AnswerRequest:
    """Return what an event of Verify says; as it is, where the client asks for what the flow does not have."""
    request = answer_request_of(event)
    with suppress(ProtocolError):
        return request if dialect is None else dialect.answer_request(event, request)
    return request


def _named(rules: set[str]) -> tuple[str, ...]:
    return tuple(rule for rule in RULES if rule in rules)


def _without_secrets(request: SessionRequest, flows: Sequence[Flow], rules: set[str]) -> SessionRequest:
    """Return *request* with all that its decision does not need taken out."""
    wanted = {tuple(each[1:]) for flow in flows for each in flow.conditions if each[0] == "attribute"}
    wanted |= {("cognito:user_status", status) for status in derivative.MUST_CHANGE}
    attributes = {name: value for name, value in request.user.attributes.items() if (name, value) in wanted}
    steps = {name for flow in flows for name in flow.steps}
    sent = {
        key: value
        for key, value in request.client_metadata.items()
        if (value in {"resend", "answer"} if key == ACTION else value in steps)
    }
    session = tuple(map(_round, request.session))
    rules |= {"names"} if request.user.name else set()
    rules |= {"attributes"} if attributes != request.user.attributes else set()
    rules |= {"client metadata"} if sent != request.client_metadata else set()
    rules |= {"metadata"} if session != request.session else set()
    return evolve(request, user=User("", attributes, request.user.known), session=session, client_metadata=sent)


def _round(given: Round) -> Round:
    result = given.result if given.result is True or given.result is False else None
    fields = derivative.read_metadata(given.metadata)
    if fields is None:
        # Another form: nobody knows what it holds. That there was something is all that is told.
        return Round(given.name, result, given.metadata and "taken out")
    fields |= {"claim": "", "carry": ""}
    return Round(given.name, result, write_metadata(fields))


def _tried(request: AnswerRequest, rules: set[str]) -> CapturedAnswer:
    read = read_private_parameters(request.private)
    rules |= {"answers"} if request.answer is not None else set()
    rules |= {"names"} if request.user.name else set()
    rules |= {"attributes"} if request.user.attributes else set()
    rules |= {"private parameters"} if request.private else set()
    answered: Answered = "no text"
    if isinstance(request.answer, str):
        answered = "text" if len(request.answer) <= MAX_LONGEST_ANSWER else "too long"
    parameters = evolve(read[0], round="", claim="") if read else None
    said = request.client_metadata
    action = "resend" if said.get(ACTION) == "resend" else ""
    chosen = said.get(CHOICE, "") if said.get(ACTION) == "answer" else ""
    offered = chosen if f"offer_{chosen}" in request.private else ""
    return CapturedAnswer(parameters, answered, action, request.user.known, offered)
