"""Record the calls between a client, a user pool and its triggers; write them as text or JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

from attrs import define, field, frozen

from watchword.algebra.derivative import CUSTOM, SELECT, read_metadata
from watchword.algebra.evaluation import ACTION, CHOICE
from watchword.runtime.wire import RESERVED_PRIVATE
from watchword_adapters.aws_lambda import Trigger
from watchword_adapters.cli.image_file import decode_picture

_LONGEST = 44
_SHORTENED = 12
_WIDTH = 104
LONGEST_READ = 400
"""Characters of one value that a person may want to read."""
_SHOWN_CLAIMS = ("cognito:username", "username", "email", "email_verified", "scope")


@frozen
class TriggerCall:
    """One call of a trigger: what it was given, and what it answered or raised."""

    trigger: str
    event: Mapping[str, Any]
    response: Mapping[str, Any]
    error: str = ""

    @property
    def request(self) -> Mapping[str, Any]:
        """The part of the event that differs from trigger to trigger."""
        return cast("Mapping[str, Any]", self.event.get("request") or {})


@frozen
class RecordedCall:
    """One call of the client: what it sent, which triggers were called for it, and the reply or the error.

    *code* is the error's name and *error* its text; both are empty if there was a reply.
    """

    operation: str
    sent: Mapping[str, Any]
    calls: tuple[TriggerCall, ...]
    reply: Mapping[str, Any]
    code: str = ""
    error: str = ""

    @property
    def tokens(self) -> Mapping[str, Any] | None:
        """The AuthenticationResult, if the sign-in ended well."""
        return self.reply.get("AuthenticationResult")

    @property
    def public(self) -> Mapping[str, str]:
        """The parameters of the challenge that the client is asked, if any."""
        return cast("Mapping[str, str]", self.reply.get("ChallengeParameters") or {})

    def call(self, trigger: str) -> TriggerCall | None:
        """Return the last call of *trigger* in this exchange, or None."""
        return next((each for each in reversed(self.calls) if each.trigger == trigger), None)


@define
class Recorder:
    """Stands before the triggers, and keeps what goes by."""

    _calls: list[TriggerCall] = field(factory=list[TriggerCall], init=False)

    def watch(self, name: str, trigger: Trigger) -> Trigger:
        """Return *trigger*, watched."""

        def watched(event: object, context: object) -> Any:
            given = cast("Mapping[str, Any]", event)
            try:
                answer = trigger(event, context)
            except Exception as error:
                self._calls.append(TriggerCall(name, given, {}, str(error)))
                raise
            self._calls.append(TriggerCall(name, given, answer["response"]))
            return answer

        return watched

    def take(self) -> tuple[TriggerCall, ...]:
        """Return the calls since the last time, oldest first."""
        calls = tuple(self._calls)
        self._calls.clear()
        return calls


def call_lines(exchange: RecordedCall) -> list[str]:
    """Return *exchange* in words: the client's call, each trigger, the reply."""
    lines = _wrapped(f"> {exchange.operation}  ", _pairs(_short_all(exchange.sent)))
    for call in exchange.calls:
        lines += [f"    {line}" for line in trigger_lines(call)]
    return [*lines, f"< {_reply(exchange)}"]


def trigger_lines(call: TriggerCall) -> list[str]:
    """Return one call of a trigger in words; what is secret is not there, long digests and pictures are shortened."""
    if call.error:
        return [f"{call.trigger:<7} raised {call.error}"]
    response = call.response
    match call.trigger:
        case "define":
            return [f"define  session [{_session(call.request)}]  ->  {_decision(response)}"]
        case "create":
            public = shortened(cast("Mapping[str, str]", response["publicChallengeParameters"]))
            private = cast("Mapping[str, str]", response["privateChallengeParameters"])
            own = {name: value for name, value in private.items() if name == "seal" or name not in RESERVED_PRIVATE}
            return [
                *_wrapped("create  public   ", _pairs(public)),
                *_wrapped("        private  ", _pairs(_digests(own))),
            ]
        case _:
            if _action(call.request) == "resend":
                return ["verify  a resend is asked for  ->  no answer"]
            answer = _short(str(call.request.get("challengeAnswer")))
            option = _said_last(call.request).partition("answer:")[2]
            if f"offer_{option}" in (call.request.get("privateChallengeParameters") or {}):
                answer += f" to {option}, which was offered"
            return [f"verify  answer {answer}  ->  {'right' if response['answerCorrect'] else 'wrong'}"]


def shortened(public: Mapping[str, str], longest: int = _LONGEST) -> dict[str, str]:
    """Return public parameters as a person wants to see them: without the picture's bytes and the user's own name.

    A value of more than *longest* characters is cut.
    """
    short = {name: _short(value, longest) for name, value in public.items() if name != "USERNAME"}
    decoded = decode_picture(public)
    if decoded is not None:
        short["image"] = f"({len(decoded[1])} bytes)"
    return short


def cut(value: object) -> object:
    """Return *value*, JSON of any depth, with its longest texts (pictures) cut."""
    match value:
        case dict():
            return {name: cut(each) for name, each in cast("dict[str, object]", value).items()}
        case list():
            return [cut(each) for each in cast("list[object]", value)]
        case str() if len(value) > LONGEST_READ:
            return f"{value[:_LONGEST]}…({len(value)} characters)"
        case _:
            return value


def claims_of(exchange: RecordedCall) -> dict[str, dict[str, Any]]:
    """Return the claims of the ID and the access token, or nothing if there are no tokens. Their signature is not checked."""
    tokens = exchange.tokens or {}
    return {name: _claims(tokens[key]) for name, key in (("id", "IdToken"), ("access", "AccessToken")) if key in tokens}


def claims_lines(claims: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for each token: whose it is, and for how long."""
    return [
        f"{'ID' if name == 'id' else name} token: "
        + ", ".join(f"{claim}={token[claim]}" for claim in _SHOWN_CLAIMS if claim in token)
        + f", good for {(token['exp'] - token['iat']) // 60} minutes"
        for name, token in claims.items()
    ]


def call_as_json(exchange: RecordedCall) -> dict[str, Any]:
    """Return *exchange* for `json.dumps`."""
    return {
        "operation": exchange.operation,
        "sent": exchange.sent,
        "triggers": [
            {"trigger": call.trigger, "event": call.event, "response": call.response, "error": call.error}
            for call in exchange.calls
        ],
        "reply": exchange.reply,
        "error": {"code": exchange.code, "message": exchange.error} if exchange.code else None,
    }


def _session(request: Mapping[str, Any]) -> str:
    """Return the session's rounds, with the signs of `watchword.algebra.session_notation`."""
    rounds = cast("list[Mapping[str, Any]]", request.get("session") or [])
    read = [
        read_metadata(each.get("challengeMetadata")) if each["challengeName"] == CUSTOM else None for each in rounds
    ]
    told: list[str] = []
    for place, (entry, own, after) in enumerate(zip(rounds, read, [*read, None][1:], strict=True), start=1):
        # Metadata is written before the answer: how a round ended is in the next one's, and in the action for the last.
        use = after["before"] if after else _said_last(request) if place == len(rounds) else ""
        option = use.removeprefix("answer") if own and own["step"] == SELECT and use.startswith("answer:") else ""
        unasked = own is not None and own["asked"] == "0"
        sign = "!" if unasked else "~" if own and use == "resend" else "-"
        told.append(
            f"{own['step'] if own else entry['challengeName']}{option}{'+' if entry['challengeResult'] is True else sign}"
        )
    return " ".join(told)


def _action(request: Mapping[str, Any]) -> str:
    return _said(request, ACTION)


def _said(request: Mapping[str, Any], key: str) -> str:
    said: object = request.get("clientMetadata")
    return str(cast("Mapping[str, object]", said).get(key, "")) if isinstance(said, Mapping) else ""


def _said_last(request: Mapping[str, Any]) -> str:
    """Return what the client made of the last round, as the next metadata would say it: an answer in a choice names the option."""
    action, choice = _action(request), _said(request, CHOICE)
    return f"answer:{choice}" if action == "answer" and choice else action


def _decision(response: Mapping[str, Any]) -> str:
    if response["issueTokens"]:
        return "issue tokens"
    return "fail" if response["failAuthentication"] else f"present {response['challengeName']}"


def _short_all(sent: Mapping[str, Any]) -> dict[str, str]:
    return {name: _short(str(value)) for name, value in sent.items() if name != "USERNAME"}


def _reply(exchange: RecordedCall) -> str:
    if exchange.code:
        return f"{exchange.code}: {exchange.error}"
    return "tokens" if exchange.tokens else str(exchange.reply["ChallengeName"])


def _digests(private: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{value[:8]}…" if len(value) == 64 else _short(value) for name, value in private.items()}


def _short(value: str, longest: int = _LONGEST) -> str:
    return value if len(value) <= longest else f"{value[:_SHORTENED]}…({len(value)} characters)"


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _wrapped(head: str, words: list[str]) -> list[str]:
    """Return *head* and *words* in lines of a screen's width, the later ones indented as deep as *head* is long."""
    lines = [head]
    for word in words:
        if len(lines[-1]) > len(head) and len(lines[-1]) + len(word) > _WIDTH:
            lines.append(" " * len(head))
        lines[-1] += f"{word} "
    return [line.rstrip() for line in lines]


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return cast("dict[str, Any]", json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
