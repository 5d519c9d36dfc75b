"""The host of one flow in a program: `SignIn`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, REDIRECT, AnswerRequest, SessionRequest, evaluate
from watchword.algebra.flow import FailAuthentication, Flow, IssueTokens, Present, Round, expect_flows
from watchword.contract.credentials import Credential, Credentials, Enrolment
from watchword.contract.kinds import User
from watchword.contract.ports import AccessTokens, Audit, ChargeRequest, Clock, Ledger, Limit, Random
from watchword.errors import ConfigurationError, ExpiredError, ProtocolError, UnavailableError, WatchwordError
from watchword.loading.registry import Registry
from watchword.runtime.credentials.enrolment import Completion, begin_enrolment, complete_enrolment, name_behind
from watchword.runtime.credentials.handles import draw_handle, slot_of
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential, rename_credential
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import lock_state, unlock_state
from watchword.runtime.services import identity
from watchword.runtime.sign_ins.evidence import methods_of
from watchword_adapters.functions.values import Asked, Refused, Reply, SignedIn, Users
from watchword_adapters.host_settings import Couriers, HostSettings, Keys
from watchword_adapters.srp import srp6a
from watchword_adapters.srp.password_round import claim_is_right, draw_round

CLIENT = "functions"

PASSWORD_LIMITS = (Limit(5, 900), Limit(100, 86_400))
"""Wrong passwords of one user: as Cognito locks out after five for up to 15 minutes; 100 by NIST SP 800-63B-4 3.2.2."""

MAX_STATE = 65_536
_STATE = "sign-in of plain functions"

_log = logging.getLogger("watchword")


@frozen
class _State:
    """A sign-in between two calls. It lies in the ledger, locked; the client holds a handle to it."""

    name: str
    rounds: tuple[tuple[str, bool, str | None], ...] = ()
    step: str = ""
    private: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    metadata: str | None = None
    expires: float = 0.0

    def write(self) -> str:
        return json.dumps([self.name, self.rounds, self.step, dict(self.private), self.metadata, self.expires])

    @classmethod
    def read(cls, text: str) -> _State:
        name, rounds, step, private, metadata, expires = json.loads(text)
        return cls(
            name, tuple((round_, right, told) for round_, right, told in rounds), step, private, metadata, expires
        )


def exact(name: str) -> str:
    """Return *name* as it is: for a store in which every spelling is another name."""
    return name


class SignIn:
    """The host of one flow in a program of your own.

    *users* finds users; *realm* stands for the user pool (its part after the ``_`` is hashed into SRP verifiers);
    *minutes* (1 to 15) is how long each challenge waits for its answer. *fold* is the function by which *users* folds
    names, such as `str.lower`: two spellings that it makes one are one name, whether anybody has it or not. Without it
    every spelling is a name of its own. If it does not fit the store, two spellings show who exists. *tokens* says whether a text is an access token of yours,
    for a flow whose answers come with one; *pool* is then *realm*. The rest as for
    `watchword_adapters.aws_lambda.triggers`. Make one and keep it; it may be used by many threads.

    The audit goes to the logger ``watchword.audit``, at ``INFO``. Python drops it unless the program configures
    logging, as by ``logging.basicConfig()``; or give *audit*.
    """

    def __init__(
        self,
        flow: Flow,
        *,
        users: Users,
        key: Keys | None = None,
        root_key: Keys | None = None,
        courier: Couriers | None = None,
        credentials: Credentials | str | None = None,
        ledger: Ledger | str | None = None,
        previous: Sequence[Flow] = (),
        clock: Clock | None = None,
        random: Random | None = None,
        audit: Audit | None = None,
        pad_to: float | None = None,
        realm: str = "local_watchword",
        minutes: float = 3,
        environment: Mapping[str, str] | None = None,
        fold: Callable[[str], str] = exact,
        registry: Registry | None = None,
        tokens: AccessTokens | None = None,
    ) -> None:
        if not 1 <= minutes <= 15:
            raise ConfigurationError(f"minutes is {minutes}: a challenge waits from 1 to 15 minutes for its answer")
        try:
            srp6a.pool_name(realm)
        except ProtocolError:
            raise ConfigurationError(
                f"realm is {realm!r}: it has the form place_name, such as local_watchword"
            ) from None
        if "#" in realm:  # an owner of credentials is realm#sub, and no two users may be one
            raise ConfigurationError(f"realm is {realm!r}: it must have no #, such as local_watchword")
        self.realm = realm
        self.minutes = minutes
        self._users = users
        settings = HostSettings(
            key=key,
            root_key=root_key,
            ledger=ledger,
            courier=courier,
            credentials=credentials,
            clock=clock,
            random=random,
            audit=audit,
            pad_to=pad_to,
            environment=environment,
            registry=registry,
        )
        self._engine: Engine = settings.engine((flow, *expect_flows(previous)), fold=fold, tokens=tokens)
        self._engine.prepare(settings.schemes_of)

    def verifier(self, name: str, password: str) -> tuple[str, str]:
        """Return the salt and the verifier (both hexadecimal) to keep for the user *name* in place of *password*."""
        salt = srp6a.draw_salt(self._engine.random)
        return salt, srp6a.to_hex(srp6a.make_verifier(self.realm, name, password, salt).value)

    def begin(self, name: str, srp_a: str | None = None) -> Reply:
        """Begin a sign-in of *name*; with *srp_a* (hexadecimal) if the client opens with a password, by SRP."""
        try:
            state = _State(_checked_name(name))
            if srp_a is None:
                return self._next(state, {}, None)
            public = srp6a.public_from_hex(srp_a, "srp_a")
            return self._next(evolve(state, rounds=((derivative.SRP_A, True, None),)), {}, public)
        except WatchwordError as error:
            return self._refused(error)

    def respond(
        self,
        token: str,
        answer: str | Mapping[str, str] = "",
        action: str | None = None,
        choice: str | None = None,
        redirect: str | None = None,
    ) -> Reply:
        """Answer the challenge that *token* was given with.

        For the password *answer* is what an SRP client makes (PASSWORD_CLAIM_SIGNATURE, TIMESTAMP, …); *action* may be
        ``"resend"``; *choice* names the step that the user wants next, or with *action* ``"answer"`` the option of a choice
        that *answer* is for; *redirect* names where the link of the next message is to lead. A token works once: a second use, or one that
        came too late, is `Refused` with ``EXPIRED`` and costs and yields nothing.

        An outage spends no token. After ``UNAVAILABLE`` or ``TRY_LATER`` the same answer may be sent with it again, for
        as long as the challenge waits; another answer is not compared if the first was. If the ledger itself is away,
        the token may be lost: then it is ``EXPIRED``.
        """
        said = {ACTION: action, CHOICE: choice, REDIRECT: redirect}
        try:
            return self._respond(token, answer, {key: value for key, value in said.items() if isinstance(value, str)})
        except WatchwordError as error:
            return self._refused(error)

    def begin_enrolment(self, name: str, kind: str) -> Enrolment:
        """Begin to enrol the user *name* for *kind*: show ``public``, and keep ``handle`` for `complete_enrolment`.

        Your program says who is signed in, and lets only somebody enrol who has just signed in: see `SignedIn`. The handle is good
        for ten minutes.

        Raises:
            ProtocolError: if there is no such user, or nobody enrols for such a kind in the flow.
            TryLaterError: if the user has begun too many enrolments.
            UnavailableError: if a port or the kind fails; nothing is then begun.
        """
        return begin_enrolment(self._engine, self.realm, CLIENT, self._user(_checked_name(name)), kind)

    def complete_enrolment(self, handle: str, answer: str, label: str = "", *, name: str | None = None) -> Completion:
        """Complete the enrolment of *handle* with *answer*; the user calls the new credential *label*.

        With *name* it must be that user's: pass it where the handle comes from a browser. The same answer again reads the same
        success. A handle that is old or nobody's is no error, but ``expired``.

        Raises:
            ProtocolError: if *label* is no line of at most 64 characters.
            UnavailableError: if a port or the kind fails; then the same answer may be sent again, and nothing is half-enrolled.
        """
        engine = self._engine
        owner = name_behind(engine, self.realm, CLIENT, handle) if name is None else _checked_name(name)
        if owner is None:
            return Completion(reason="expired")
        return complete_enrolment(engine, self.realm, CLIENT, self._user(owner), handle, answer, label)

    def credentials(self, name: str) -> tuple[Credential, ...]:
        """Return what the user *name* has enrolled, oldest first; nothing for somebody unknown.

        Raises:
            UnavailableError: if the store fails.
        """
        return list_credentials(self._engine, self.realm, self._user(_checked_name(name)))

    def remove_credential(self, name: str, id: str) -> Completion:  # noqa: A002 - the field's word
        """Remove a credential of the user *name*, unless it is ``unknown``, or no way to sign in would be left (``last_way``).

        Raises:
            UnavailableError: if a port fails, or another removal is under way.
        """
        return remove_credential(self._engine, self.realm, CLIENT, self._user(_checked_name(name)), id)

    def rename_credential(self, name: str, id: str, label: str) -> Completion:  # noqa: A002 - the field's word
        """Give a credential of the user *name* another label, unless it is ``unknown``.

        Raises:
            ProtocolError: if *label* is no line of at most 64 characters.
            UnavailableError: if the store fails.
        """
        return rename_credential(self._engine, self.realm, self._user(_checked_name(name)), id, label)

    def _refused(self, error: WatchwordError) -> Refused:
        ref = self._engine.record_failure(error, claim=os.urandom(16).hex())
        if isinstance(error, ConfigurationError):  # The program's own fault: its author is told what to do.
            _log.error("a sign-in ended with %s (ref %s): %s", error.text, ref, error)
        return Refused(error.text, ref)

    def _respond(self, token: str, answer: object, said: Mapping[str, str]) -> Reply:
        engine, slot = self._engine, slot_of(token)
        now = engine.clock.now()
        kept = engine.ledger.take(slot, now=now, within=1.0)
        if kept is None:
            raise ExpiredError("the token was used, is too old, or is none")
        try:
            return self._judged(token, kept, answer, said)
        except ExpiredError:
            raise
        except Exception:
            # Nobody else has the token while it is gone, and its round keeps the one answer that was compared.
            with suppress(Exception):
                engine.ledger.put(slot, kept, expires=now + self.minutes * 60, within=1.0)
            raise

    def _judged(self, token: str, kept: str, answer: object, said: Mapping[str, str]) -> Reply:
        engine = self._engine
        state = self._unlocked(token, kept)
        if state is None or engine.clock.now() >= state.expires:
            raise ExpiredError("the token is too old, or its sign-in cannot be read")
        if state.step == derivative.PASSWORD_VERIFIER:
            if not self._password_accepted(state, answer):
                return Refused()
            done: tuple[str, bool, str | None] = (derivative.PASSWORD_VERIFIER, True, None)
        else:
            given = AnswerRequest(self.realm, CLIENT, self._user(state.name), answer, state.private, said)
            verdict = engine.verify(given)
            done = (derivative.CUSTOM, verdict.right, state.metadata)
        return self._next(evolve(state, rounds=(*state.rounds, done)), said, None)

    def _user(self, name: str) -> User:
        record = self._users.find(name)
        if record is not None and max(map(len, record.attributes.values()), default=0) > MAX_STATE:
            raise UnavailableError(f"an attribute of a user has more than {MAX_STATE} characters")
        if record is None:
            return User(name, {}, known=False)
        identity(record.attributes)  # Any object may stand for a record, and a password is asked for before Create.
        return User(name, record.attributes)

    def _next(self, state: _State, metadata: Mapping[str, str], srp_a: int | None) -> Reply:
        user = self._user(state.name)
        request = SessionRequest(self.realm, CLIENT, user, tuple(Round(*each) for each in state.rounds), metadata)
        match self._engine.define(request):
            case IssueTokens():
                evaluation = evaluate(request, self._engine.flows)
                passed = evaluation.passed
                methods = methods_of(evaluation.flow, passed)
                return SignedIn(state.name, dict(user.attributes), passed, evaluation.factors, methods)
            case FailAuthentication():
                return Refused()
            case Present(step, True):
                if step != derivative.PASSWORD_VERIFIER or srp_a is None:
                    raise ConfigurationError(f"the flow asks for {step}, a round of Cognito that SignIn does not have")
                return self._ask_password(state, srp_a)
            case Present(step):
                challenge = self._engine.create(request)
                kept = evolve(state, step=step, private=challenge.private, metadata=challenge.metadata)
                return self._asked(kept, challenge.public)

    def _asked(self, state: _State, public: Mapping[str, str]) -> Asked:
        engine = self._engine
        token = draw_handle(engine.random)
        expires = engine.clock.now() + self.minutes * 60
        text = evolve(state, expires=expires).write()
        if len(text) > MAX_STATE:
            raise UnavailableError("the state of the sign-in is too large for the ledger")
        locked = lock_state(engine.keyring, _STATE, token, text)
        engine.ledger.put(slot_of(token), locked, expires=expires, within=1.0)
        return Asked(public.get("step", state.step), dict(public), token)

    def _unlocked(self, token: str, kept: str) -> _State | None:
        """Return the state that *kept* holds; None if it is none that was put there for *token*."""
        text = unlock_state(self._engine.keyring, _STATE, token, kept)
        return None if text is None else _State.read(text)

    def _verifier(self, name: str) -> srp6a.Verifier:
        record = self._users.find(name)
        if record is None or not (record.salt and record.verifier):
            key = self._engine.keyring.root_key.digest("made-up verifier", self.realm)
            return srp6a.made_up_verifier(bytes.fromhex(key), self.realm, self._engine.fold(name))
        return srp6a.Verifier(record.salt, srp6a.from_hex(record.verifier, "verifier"))

    def _ask_password(self, state: _State, srp_a: int) -> Asked:
        drawn = draw_round(state.name, self._verifier(state.name), srp_a, self._engine.random)
        private = {"key": srp6a.server_key(drawn.exchange).hex(), "block": drawn.block}
        public = {"step": derivative.PASSWORD_VERIFIER, **drawn.public}
        return self._asked(evolve(state, step=derivative.PASSWORD_VERIFIER, private=private), public)

    def _password_accepted(self, state: _State, answer: object) -> bool:
        """Charge a guess, then compare; a right password takes its charge back."""
        engine = self._engine
        user = engine.user_key(self.realm, self._user(state.name))
        proof = _proof(answer)
        budget, guess = f"guess:{user}:password", "password:" + state.private["block"]
        request = ChargeRequest(
            guess,
            engine.keyring.root_key.digest("password answer", guess, *proof),
            key=budget,
            owner=user,
            claim_id="",
            limits=PASSWORD_LIMITS,
            keep=state.expires,
            now=engine.clock.now(),
        )
        charge = engine.ledger.charge(request, within=1.0)
        if charge.outcome == "refused":
            engine.record("authn_token_reuse", user, reason="second_answer")
            return False
        if charge.outcome == "exhausted":
            engine.record("authn_login_lock", user, reason="passwords_used_up")
            return False
        if not self._password_right(state, *proof):
            if charge.outcome == "charged":
                engine.record("authn_login_fail", user, reason="password")
            return False
        return engine.ledger.consume(guess, by=guess, refund=budget, keep=state.expires, within=1.0)

    def _password_right(self, state: _State, claimed: str, timestamp: str) -> bool:
        key, block = bytes.fromhex(state.private["key"]), state.private["block"]
        return claim_is_right(key, self.realm, state.name, block, timestamp=timestamp, claimed=claimed)


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= 128:
        raise ProtocolError("a user name has 1 to 128 characters")
    return name


def _proof(answer: object) -> tuple[str, str]:
    """Return the signature and the timestamp of *answer*; both empty, which no signature is, if it has none."""
    given: dict[str, Any] = dict(answer) if isinstance(answer, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    claimed, timestamp = given.get("PASSWORD_CLAIM_SIGNATURE"), given.get("TIMESTAMP")
    if not isinstance(claimed, str) or not isinstance(timestamp, str) or len(timestamp) > 64 or len(claimed) > 128:
        return "", ""
    return claimed, timestamp
