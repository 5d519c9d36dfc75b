"""Call the three triggers of custom authentication: the event that each gets, and the checks of its response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from attrs import field, frozen

from watchword.contract.ports import Clock, Random
from watchword.errors import UnavailableError
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.directory.records import PoolUser
from watchword_adapters.userpool.directory.users import TypedUser, new_uuid
from watchword_adapters.userpool.sign_in.sessions import SessionRound

AnyTrigger = Callable[[Any, Any], Any]
FirstSession = Literal["empty", "null", "missing"]
ClientMetadata = Mapping[str, str] | None

_TRIES = 3
"""How often a trigger that does not answer in time is called in all."""

_LONGEST_PARAMETER = 131_072
_PRESENTABLE = {"CUSTOM_CHALLENGE", "PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED"}


@frozen
class LambdaContext:
    """The part of AWS Lambda's context object that handlers read."""

    function_name: str
    aws_request_id: str
    _remaining: Callable[[], float] = field(repr=False, eq=False)
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"

    @property
    def invoked_function_arn(self) -> str:
        """Return a name in the form of Lambda's."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds this call may still take."""
        return max(0, int(self._remaining() * 1000))


@frozen
class DefineReply:
    """What Define said: tokens, or *challenge*, the next one's name."""

    issue_tokens: bool
    challenge: str = ""


@frozen
class CreateReply:
    """What Create made."""

    public: Mapping[str, str] = field(repr=False)
    private: Mapping[str, str] = field(repr=False)
    metadata: str | None


@frozen
class TriggerCaller:
    """Calls a trigger as Cognito does: a copy of the event, a deadline, three tries."""

    pool_id: str
    client_id: str
    deadline: float
    duplicates: int
    clock: Clock
    random: Random

    def called(
        self,
        source: str,
        trigger: AnyTrigger,
        username: str,
        request: Mapping[str, Any],
        empty: Mapping[str, Any],
        *,
        version: str = "1",
    ) -> Mapping[str, Any]:
        """Call *trigger*, again with the same event if it is late, and return its response. *empty* is what it is given as one.

        Raises:
            UserLambdaValidationException: if it raises.
            UnexpectedLambdaException: if it is late each time.
            InvalidLambdaResponseException: if what it returns is no event with a response.
        """
        prefix = source.partition("_")[0]
        name = "PreTokenGeneration" if prefix == "TokenGeneration" else prefix
        event = json.dumps(
            {
                "version": version,
                "triggerSource": source,
                "region": self.pool_id.partition("_")[0],
                "userPoolId": self.pool_id,
                "userName": username,
                "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": self.client_id},
                "request": request,
                "response": empty,
            }
        )
        for _ in range(_TRIES):
            try:
                outcome = self._once(name, trigger, event)
                for _ in range(self.duplicates - 1):
                    outcome = self._once(name, trigger, event)
            except UnavailableError:
                continue
            answer, error = outcome
            if error is not None:
                # Cognito shows the text of a raised error to the client.
                raise errors.UserLambdaValidationException(f"{name} failed with error {error}.") from error
            return _response(answer)
        raise errors.UnexpectedLambdaException(
            f"{name} invocation failed due to error Socket timeout while invoking Lambda function."
        )

    def _once(self, name: str, trigger: AnyTrigger, event: str) -> tuple[Any, BaseException | None]:
        until = self.clock.monotonic() + self.deadline
        context = LambdaContext(name, new_uuid(self.random), lambda: until - self.clock.monotonic())

        def call() -> tuple[Any, BaseException | None]:
            try:
                return trigger(json.loads(event), context), None
            except (Exception, SystemExit) as error:  # noqa: BLE001 - any trigger may raise anything
                return None, error

        return self.clock.call(call, self.deadline)


@frozen
class CustomAuthTriggers:
    """The pool's triggers, called as Cognito calls them."""

    _define: AnyTrigger | None
    _create: AnyTrigger | None
    _verify: AnyTrigger | None
    caller: TriggerCaller
    legacy: bool
    first_session: FirstSession

    def define(self, person: TypedUser, rounds: tuple[SessionRound, ...], metadata: ClientMetadata) -> DefineReply:
        """Ask Define what comes next.

        Raises:
            NotAuthorizedException: if it fails the sign-in, whatever else it says.
            InvalidLambdaResponseException: if it says nothing, or what Cognito does not know.
        """
        if self._define is None:
            raise errors.InvalidParameterException("Custom auth lambda trigger is not configured for the user pool.")
        response = self._called(
            "DefineAuthChallenge",
            self._define,
            person,
            {**self._session(rounds), **self._shared(person, metadata)},
            ("challengeName", "issueTokens", "failAuthentication"),
        )
        fail = boolean_in(response, "failAuthentication")
        issue = boolean_in(response, "issueTokens")
        challenge = text_in(response, "challengeName")
        if fail:
            raise errors.NotAuthorizedException(errors.INCORRECT)
        if issue:
            return DefineReply(issue_tokens=True)
        if challenge not in _PRESENTABLE:
            raise _unrecognizable()
        return DefineReply(issue_tokens=False, challenge=challenge)

    def create(self, person: TypedUser, rounds: tuple[SessionRound, ...], metadata: ClientMetadata) -> CreateReply:
        """Have Create make a custom challenge.

        Raises:
            NotAuthorizedException: if it made no private parameters; Cognito says no more than that.
            InvalidLambdaResponseException: if what it made are not maps of strings.
        """
        if self._create is None:
            raise errors.UnexpectedLambdaException("null invocation failed due to configuration.")
        response = self._called(
            "CreateAuthChallenge",
            self._create,
            person,
            {
                **self._session(rounds),
                "challengeName": "CUSTOM_CHALLENGE",
                **self._shared(person, metadata),
            },
            ("publicChallengeParameters", "privateChallengeParameters", "challengeMetadata"),
        )
        public = _text_map(response, "publicChallengeParameters")
        private = _text_map(response, "privateChallengeParameters")
        said = text_in(response, "challengeMetadata")
        if not private:
            raise errors.NotAuthorizedException(errors.INCORRECT)
        return CreateReply(public, private, said)

    def verify(self, person: TypedUser, private: Mapping[str, str], answer: str, metadata: ClientMetadata) -> bool:
        """Have Verify judge *answer*. It sees no session.

        Raises:
            InvalidLambdaResponseException: if it says neither true nor false.
        """
        if self._verify is None:
            raise errors.UnexpectedLambdaException("null invocation failed due to configuration.")
        request = {"privateChallengeParameters": private, "challengeAnswer": answer, **self._shared(person, metadata)}
        response = self._called("VerifyAuthChallengeResponse", self._verify, person, request, ("answerCorrect",))
        correct = boolean_in(response, "answerCorrect")
        if correct is None:
            raise _unrecognizable()
        return correct

    def _session(self, rounds: tuple[SessionRound, ...]) -> dict[str, Any]:
        if not rounds and self.first_session != "empty":
            return {"session": None} if self.first_session == "null" else {}
        entries = [
            {"challengeName": entry.name, "challengeResult": entry.result, "challengeMetadata": entry.metadata}
            for entry in rounds
        ]
        return {"session": entries}

    def _shared(self, person: TypedUser, metadata: ClientMetadata) -> dict[str, Any]:
        shared: dict[str, Any] = {"userAttributes": {}}
        if person.user is not None:
            user = person.user
            shared["userAttributes"] = event_attributes(user)
        if metadata is not None:
            shared["clientMetadata"] = metadata
        if not self.legacy:
            shared["userNotFound"] = person.user is None
        return shared

    def _called(
        self, name: str, trigger: AnyTrigger, person: TypedUser, request: Mapping[str, Any], empty: tuple[str, ...]
    ) -> Mapping[str, Any]:
        source = f"{name}_Authentication"
        return self.caller.called(source, trigger, person.username, request, dict.fromkeys(empty))


def event_attributes(user: PoolUser) -> dict[str, str]:
    """Return a user's attributes as events have them: texts, with the status among them."""
    return {"sub": user.sub, "cognito:user_status": user.status, **user.attributes}


def _unrecognizable() -> errors.InvalidLambdaResponseException:
    return errors.InvalidLambdaResponseException(errors.UNRECOGNIZABLE)


def _response(answer: object) -> Mapping[str, Any]:
    """Return the response in a trigger's answer, copied as if it had come over the wire."""
    if not isinstance(answer, dict):
        raise _unrecognizable()
    response = cast("dict[str, object]", answer).get("response")
    if not isinstance(response, dict):
        raise _unrecognizable()
    try:
        return cast("dict[str, Any]", json.loads(json.dumps(response)))
    except (TypeError, ValueError, RecursionError):
        raise errors.InvalidLambdaResponseException("Invalid lambda function output : Invalid JSON") from None


def boolean_in(response: Mapping[str, Any], name: str) -> bool | None:
    """Return a flag of a response, or None; anything else raises InvalidLambdaResponseException."""
    value = response.get(name)
    if value is not None and not isinstance(value, bool):
        raise _unrecognizable()
    return value


def text_in(response: Mapping[str, Any], name: str) -> str | None:
    """Return a text of a response, or None; anything else raises InvalidLambdaResponseException."""
    value = response.get(name)
    if value is not None and not isinstance(value, str):
        raise _unrecognizable()
    return value


def _text_map(response: Mapping[str, Any], name: str) -> dict[str, str]:
    value = response.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unrecognizable()
    for item in cast("dict[str, object]", value).values():
        if not isinstance(item, str) or len(item) > _LONGEST_PARAMETER:
            raise _unrecognizable()
    return cast("dict[str, str]", value)
