"""Sign-in operations of the pool: which call leads to which trigger, challenge or token."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Never, assert_never

from attrs import evolve, frozen

from watchword.contract.ports import Clock, Random
from watchword.errors import ProtocolError
from watchword_adapters.srp import srp6a
from watchword_adapters.srp.password_round import claim_is_right, draw_round
from watchword_adapters.srp.timestamps import parse_timestamp
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.api.app_client import AppClient
from watchword_adapters.userpool.api.schema import attributes_from, check_password, check_writable
from watchword_adapters.userpool.directory.records import PoolUser
from watchword_adapters.userpool.directory.users import TypedUser, UserDirectory, check_may_sign_in
from watchword_adapters.userpool.sign_in.account_triggers import Customized
from watchword_adapters.userpool.sign_in.sessions import Session, SessionRound, Sessions
from watchword_adapters.userpool.sign_in.tokens import Tokens
from watchword_adapters.userpool.sign_in.triggers import ClientMetadata, CustomAuthTriggers

_Reply = dict[str, Any]

_SKEW_SECONDS = 900.0  # one client library stamps before its first call, so an old stamp is no sin
_LONGEST_NAME = 128
_PUBLIC_ONLY = frozenset({"USER_PASSWORD_AUTH"})
_ADMIN_ONLY = frozenset({"ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH"})
_BY_PASSWORD = _PUBLIC_ONLY | _ADMIN_ONLY
_BLOCK_BYTES = 192
_NEW_ATTRIBUTE = "userAttributes."


@frozen
class SignIns:
    """InitiateAuth, RespondToAuthChallenge and their Admin twins."""

    pool_id: str
    client: AppClient
    users: UserDirectory
    sessions: Sessions
    tokens: Tokens
    triggers: CustomAuthTriggers
    customized: Callable[[str, PoolUser, ClientMetadata], Customized]
    migrate: Callable[[str, str, ClientMetadata], None]
    answer_invitation: Callable[[str, str, Mapping[str, str]], None]
    clock: Clock
    random: Random
    legacy: bool

    def initiate(self, given: Mapping[str, Any], *, admin: bool) -> _Reply:
        """Begin a sign-in. Its ClientMetadata reaches no trigger but user migration, as validationData."""
        flow: str = given["AuthFlow"]
        if flow in (_PUBLIC_ONLY if admin else _ADMIN_ONLY):
            raise errors.InvalidParameterException("Initiate Auth method not supported.")
        self.client.check_flow(flow)
        parameters: Mapping[str, str] = given.get("AuthParameters", {})
        if flow.startswith("REFRESH_TOKEN"):
            return self._refresh_with_hash(parameters)
        name = _username(parameters)
        self.client.check_hash(parameters.get("SECRET_HASH"), name)
        if flow in _BY_PASSWORD:
            self.migrate(name, _required(parameters, "PASSWORD"), given.get("ClientMetadata"))
        begin = {
            "CUSTOM_AUTH": self._begin_custom,
            "USER_SRP_AUTH": self._begin_srp,
        }.get(flow, self._sign_in_by_password)
        return begin(name, parameters, admin)

    def respond(self, given: Mapping[str, Any], *, admin: bool) -> _Reply:
        """Take the answer to a challenge."""
        challenge: str = given["ChallengeName"]
        responses: Mapping[str, str] = given.get("ChallengeResponses", {})
        metadata: ClientMetadata = given.get("ClientMetadata")
        name = _username(responses)
        self.client.check_hash(responses.get("SECRET_HASH"), name)
        for needed in _NEEDED.get(challenge, ()):
            _required(responses, needed)
        token: str | None = given.get("Session")
        if challenge == "PASSWORD_VERIFIER" and token is None:
            # USER_SRP_AUTH gives no session: there the secret block stands for it.
            token = f"block:{responses['PASSWORD_CLAIM_SECRET_BLOCK']}"
        if token is None:
            raise errors.InvalidParameterException("Missing required parameter Session")
        match challenge:
            case "PASSWORD_VERIFIER" if parse_timestamp(responses["TIMESTAMP"]) is None:
                raise errors.InvalidParameterException(
                    "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
                )
            case "NEW_PASSWORD_REQUIRED":
                check_password(responses["NEW_PASSWORD"])
                _new_attributes(responses)
            case _:
                pass
        names = frozenset({name, self.users.find(name).username})
        session = self._current(self.sessions.take(token, challenge=challenge, names=names, admin=admin))
        if challenge == "CUSTOM_CHALLENGE":
            return self._answered_custom(session, responses["ANSWER"], metadata)
        if challenge == "PASSWORD_VERIFIER":
            return self._answered_password(session, responses, metadata)
        return self._answered_new_password(session, responses, metadata)

    def refresh(self, given: Mapping[str, Any]) -> _Reply:
        """Trade a refresh token for new tokens."""
        self.client.check_flow("REFRESH_TOKEN")
        self.client.check_secret(given.get("ClientSecret"))
        return {"AuthenticationResult": self._refreshed(given["RefreshToken"], given.get("ClientMetadata"))}

    # The first call of each flow

    def _begin_custom(self, name: str, parameters: Mapping[str, str], admin: bool) -> _Reply:
        srp_a = None
        match parameters.get("CHALLENGE_NAME", "CUSTOM_CHALLENGE"):
            case "SRP_A":
                srp_a = _srp_a(parameters)
            case "CUSTOM_CHALLENGE":
                pass
            case _:
                raise errors.InvalidParameterException("CHALLENGE_NAME must be SRP_A or CUSTOM_CHALLENGE")
        person = self._person(name)
        # Cognito puts {SRP_A, true} on the list before any password was checked.
        rounds = () if srp_a is None else (SessionRound("SRP_A", result=True),)
        session = Session("", "custom", person, admin=admin, rounds=rounds, srp_a=srp_a)
        return self._next(session, None)

    def _begin_srp(self, name: str, parameters: Mapping[str, str], admin: bool) -> _Reply:
        srp_a = _srp_a(parameters)
        return self._present_password(Session("", "password", self._person(name), admin=admin, srp_a=srp_a))

    def _sign_in_by_password(self, name: str, parameters: Mapping[str, str], admin: bool) -> _Reply:
        password = _required(parameters, "PASSWORD")
        person = self._person(name)
        self._refuse_locked(person)
        if not self.users.has_password(person, password):
            self._wrong_password(person)
        self.users.lockouts.forget(person.username)
        return self._after_password(Session("", "password", person, admin=admin), None)

    def _refresh_with_hash(self, parameters: Mapping[str, str]) -> _Reply:
        token = _required(parameters, "REFRESH_TOKEN")
        user = self.users.get(self.tokens.username_of_refresh(token) or "")
        if user is not None:  # pools in the field differ in which of his names they want hashed
            names = (user.username, user.sub, user.attributes.get("email", ""), user.attributes.get("phone_number", ""))
            self.client.check_hash(parameters.get("SECRET_HASH"), *names)
        return {"ChallengeParameters": {}, "AuthenticationResult": self._refreshed(token, None)}

    def _refreshed(self, token: str, metadata: ClientMetadata) -> _Reply:
        def customized(user: PoolUser) -> Customized:
            return self.customized("TokenGeneration_RefreshTokens", user, metadata)

        return self.tokens.refresh(token, self._holder, customized)

    # Answers

    def _answered_custom(self, session: Session, answer: str, metadata: ClientMetadata) -> _Reply:
        correct = self.triggers.verify(session.person, session.private, answer, metadata)
        entry = SessionRound("CUSTOM_CHALLENGE", correct, session.metadata)
        return self._next(evolve(session, rounds=(*session.rounds, entry)), metadata)

    def _answered_password(self, session: Session, responses: Mapping[str, str], metadata: ClientMetadata) -> _Reply:
        person = session.person
        self._refuse_locked(person)
        if not self._claim_is_right(session, responses):
            self._wrong_password(person)  # and Define is not asked
        self.users.lockouts.forget(person.username)
        if session.flow == "password":
            return self._after_password(session, metadata)
        entry = SessionRound("PASSWORD_VERIFIER", result=True)
        return self._next(evolve(session, rounds=(*session.rounds, entry)), metadata)

    def _answered_new_password(
        self, session: Session, responses: Mapping[str, str], metadata: ClientMetadata
    ) -> _Reply:
        self.answer_invitation(session.person.username, responses["NEW_PASSWORD"], _new_attributes(responses))
        session = self._current(session)
        if session.flow == "password":
            return self._issue(session.person, metadata, "TokenGeneration_NewPasswordChallenge")
        entry = SessionRound("NEW_PASSWORD_REQUIRED", result=True)
        return self._next(evolve(session, rounds=(*session.rounds, entry)), metadata)

    # What comes next

    def _next(self, session: Session, metadata: ClientMetadata) -> _Reply:
        """Ask Define, and do as it says."""
        decided = self.triggers.define(session.person, session.rounds, metadata)
        if decided.issue_tokens:
            return self._issue(session.person, metadata)
        last = next(reversed(session.rounds), None)
        match decided.challenge:
            case "CUSTOM_CHALLENGE":
                return self._present_custom(session, metadata)
            case "PASSWORD_VERIFIER" if last == SessionRound("SRP_A", result=True):
                return self._present_password(session)
            case "NEW_PASSWORD_REQUIRED" if last == SessionRound("PASSWORD_VERIFIER", result=True):
                return self._present_new_password(session)
            case _:  # a challenge that has no place here
                raise errors.InvalidLambdaResponseException(errors.UNRECOGNIZABLE)

    def _present_custom(self, session: Session, metadata: ClientMetadata) -> _Reply:
        created = self.triggers.create(session.person, session.rounds, metadata)
        name = "CUSTOM_CHALLENGE"
        token = self.sessions.open(evolve(session, challenge=name, private=created.private, metadata=created.metadata))
        # The pool's USERNAME goes last: a trigger cannot overwrite it.
        return _challenge(name, token, {**created.public, "USERNAME": session.person.username})

    def _present_password(self, session: Session) -> _Reply:
        srp_a = session.srp_a
        if srp_a is None:
            raise errors.InvalidLambdaResponseException(errors.UNRECOGNIZABLE)
        person = session.person
        verifier = self.users.verifier_of(person)
        drawn = draw_round(person.username, verifier, srp_a, self.random, block_bytes=_BLOCK_BYTES)
        name = "PASSWORD_VERIFIER"
        waiting = evolve(session, challenge=name, exchange=drawn.exchange, block=drawn.block)
        match session.flow:
            case "custom":
                return _challenge(name, self.sessions.open(waiting), drawn.public)
            case "password":
                self.sessions.open(waiting, f"block:{drawn.block}")
                return {"ChallengeName": name, "ChallengeParameters": drawn.public}
            case _:
                assert_never(session.flow)

    def _present_new_password(self, session: Session) -> _Reply:
        user = session.person.user
        if user is None:
            raise errors.NotAuthorizedException(errors.INCORRECT)
        name = "NEW_PASSWORD_REQUIRED"
        parameters = {
            "USERNAME": user.username,
            "USER_ID_FOR_SRP": user.username,
            "requiredAttributes": "[]",
            "userAttributes": json.dumps(dict(user.attributes)),
        }
        return _challenge(name, self.sessions.open(evolve(session, challenge=name)), parameters)

    def _after_password(self, session: Session, metadata: ClientMetadata) -> _Reply:
        """Go on where a right password is all that it takes."""
        user = session.person.user
        if user is not None and user.status == "FORCE_CHANGE_PASSWORD":
            return self._present_new_password(session)
        return self._issue(session.person, metadata)

    def _issue(
        self, person: TypedUser, metadata: ClientMetadata, source: str = "TokenGeneration_Authentication"
    ) -> _Reply:
        user = self.users.get(person.username)
        # Whatever Define says, there are no tokens for somebody who does not exist.
        if person.user is None or user is None or user.sub != person.user.sub:
            raise errors.NotAuthorizedException(errors.INCORRECT)
        check_may_sign_in(user)
        return {
            "ChallengeParameters": {},
            "AuthenticationResult": self.tokens.issue(user, self.customized(source, user, metadata)),
        }

    # The people and their passwords

    def _person(self, name: str) -> TypedUser:
        person = self.users.find(name)
        if person.user is None and self.legacy:
            raise errors.UserNotFoundException("User does not exist.")
        if person.user is not None:
            check_may_sign_in(person.user)
        return person

    def _holder(self, username: str) -> PoolUser | None:
        """Return the user whose refresh token is used, if he is there and may sign in."""
        user = self.users.get(username)
        if user is not None:
            check_may_sign_in(user)
        return user

    def _current(self, session: Session) -> Session:
        """Return *session* with the user as he is now; one who was removed meanwhile does not sign in."""
        before = session.person.user
        if before is None:
            return session
        user = self.users.get(session.person.username)
        if user is None or user.sub != before.sub:
            raise errors.NotAuthorizedException(errors.INCORRECT)
        check_may_sign_in(user)
        return evolve(session, person=evolve(session.person, user=user))

    def _claim_is_right(self, session: Session, responses: Mapping[str, str]) -> bool:
        person, exchange = session.person, session.exchange
        stamp = responses["TIMESTAMP"]
        moment = parse_timestamp(stamp)
        if exchange is None or moment is None:
            return False
        key = srp6a.server_key(exchange)
        claimed = responses["PASSWORD_CLAIM_SIGNATURE"]
        # All of it is reckoned before any of it counts, so that a refusal takes the same time for everybody.
        facts = (
            claim_is_right(key, self.pool_id, person.username, session.block, timestamp=stamp, claimed=claimed),
            responses["PASSWORD_CLAIM_SECRET_BLOCK"] == session.block,
            abs(self.clock.now() - moment) <= _SKEW_SECONDS,
            person.user is not None and person.user.verifier == exchange.verifier,
        )
        return all(facts)

    def _refuse_locked(self, person: TypedUser) -> None:
        if self.users.lockouts.is_locked(person.username):
            raise errors.NotAuthorizedException("Password attempts exceeded")

    def _wrong_password(self, person: TypedUser) -> Never:
        self.users.lockouts.count_failure(person.username)
        raise errors.NotAuthorizedException(errors.INCORRECT)


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "CUSTOM_CHALLENGE": ("ANSWER",),
    "NEW_PASSWORD_REQUIRED": ("NEW_PASSWORD",),
    "PASSWORD_VERIFIER": ("PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP"),
}


def _challenge(name: str, token: str, parameters: Mapping[str, str]) -> _Reply:
    return {"ChallengeName": name, "Session": token, "ChallengeParameters": dict(parameters)}


def _new_attributes(responses: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that come with a new password; whoever is invited writes what any user may write."""
    prefix = _NEW_ATTRIBUTE
    attributes = attributes_from(
        [
            {"Name": key.removeprefix(prefix), "Value": value}
            for key, value in responses.items()
            if key.startswith(prefix)
        ]
    )
    check_writable(attributes)
    return attributes


def _required(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name)
    if value is None:
        raise errors.InvalidParameterException(f"Missing required parameter {name}")
    return value


def _username(parameters: Mapping[str, str]) -> str:
    name = _required(parameters, "USERNAME")
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise errors.InvalidParameterException("USERNAME must have 1 to 128 characters")
    return name


def _srp_a(parameters: Mapping[str, str]) -> int:
    try:
        return srp6a.public_from_hex(_required(parameters, "SRP_A"), "SRP_A")
    except ProtocolError as error:
        raise errors.InvalidParameterException(str(error)) from None
