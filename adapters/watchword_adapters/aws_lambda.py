"""The Lambda triggers of Cognito's custom authentication, for one flow, and the one that tells in tokens what was passed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve, field, frozen

from watchword.algebra.evaluation import (
    SAID_SIGN_IN,
    AnswerRequest,
    Evaluation,
    SessionRequest,
    closing_event,
    evaluate,
)
from watchword.algebra.flow import Flow
from watchword.contract.ports import AccessTokens, Audit, AuditEvent, Clock, Ledger, Random
from watchword.errors import ProtocolError, WatchwordError
from watchword_adapters.aws import cognito, token_claims
from watchword_adapters.aws.cognito import Event
from watchword_adapters.host_settings import Couriers, HostSettings, Keys

if TYPE_CHECKING:
    from watchword.algebra.flow import Decision
    from watchword.contract.credentials import Credentials
    from watchword.loading.registry import Registry
    from watchword.runtime.engine import Engine
    from watchword_adapters.dialects.dialect import Dialect

Trigger = Callable[[object, object], Event]

_log = logging.getLogger("watchword")


class TriggerError(Exception):
    """Raised by a trigger that ends closed. Cognito shows its text to the client: one of the fixed ones, and a reference."""


@frozen(eq=False)
class Triggers:
    """The handlers of one flow: `define`, `create`, `verify`, `pre_token`, and one `handler` for all of them.

    Iterating gives the first three: ``define, create, verify = triggers("flow.toml")``.
    """

    flows: tuple[Flow, ...]
    _engine: Engine | None = field(repr=False, alias="engine")
    _tell: Callable[[SessionRequest, Evaluation], None] | None = field(default=None, repr=False, alias="tell")
    _dialect: Dialect | None = field(default=None, repr=False, alias="dialect")

    def __iter__(self) -> Iterator[Trigger]:
        """Give define, create and verify."""
        return iter((self.define, self.create, self.verify))

    @property
    def services(self) -> Engine | None:
        """What the triggers run on, for an API beside them; None in a function that only defines."""
        return self._engine

    def define(self, event: object, context: object = None) -> Event:
        """Answer Define Auth Challenge: what comes next, tokens, or the end."""
        return self._guarded("define", event, self._define)

    def create(self, event: object, context: object = None) -> Event:
        """Answer Create Auth Challenge: the challenge for the step that comes next."""
        return self._guarded("create", event, self._create)

    def verify(self, event: object, context: object = None) -> Event:
        """Answer Verify Auth Challenge Response: whether the answer is right."""
        return self._guarded("verify", event, self._verify)

    def pre_token(self, event: object, context: object = None) -> Event:
        """Answer Pre Token Generation: the claims of `evidence`, and no other claims of these names."""
        return self._guarded("pre_token", event, self._pre_token)

    def evidence(self, event: object) -> dict[str, str]:
        """Return the claims that tell what was passed in the sign-in whose tokens *event*, of Pre Token Generation, is for.

        For a trigger of your own. Empty where that is doubtful, at a refresh, and where the ledger fails, which is recorded: tokens are
        issued all the same. What the client says is no evidence; it only names the sign-in.
        """
        engine = self._full()
        try:
            given = cognito.event_of(event)
            if given.get("triggerSource") != token_claims.ISSUING:
                return {}
            found = engine.find_evidence(cognito.token_request_of(given))
        except ProtocolError as error:
            engine.record_failure(error, claim=os.urandom(16).hex(), step="pre_token")
            return {}
        return token_claims.token_claims_of(found) if found else {}

    def handler(self, event: object, context: object = None) -> Event:
        """Answer whichever of the four triggers *event* is for."""
        return self._guarded(None, event, self._any)

    def _any(self, event: Event) -> Event:
        works = {"define": self._define, "create": self._create, "verify": self._verify, "pre_token": self._pre_token}
        return works[cognito.trigger_of(event)](event)

    def _define(self, event: Event) -> Event:
        request = self._session_request(event)
        decision = self._decision(event, request)
        return cognito.define_response(event, decision)

    def _decision(self, event: Event, request: SessionRequest) -> Decision:
        evaluation = evaluate(request, self.flows)
        if self._dialect is not None:
            evaluation = evolve(evaluation, decision=self._dialect.decision(event, request, evaluation.decision))
        if self._engine is not None:
            self._engine.record_end(request, evaluation)
        elif self._tell is not None:
            self._tell(request, evaluation)
        return evaluation.decision

    def _create(self, event: Event) -> Event:
        engine, request = self._full(), self._session_request(event)
        created = engine.create(request)
        if self._dialect is not None:
            created = self._dialect.challenge(request, created)
        return cognito.create_response(event, created)

    def _verify(self, event: Event) -> Event:
        engine, request = self._full(), cognito.answer_request_of(event)
        if self._dialect is not None:
            heard = _naming_alike(request, self._dialect.answer_request(event, request))
            request = self._dialect.with_issued(heard, engine)
        return cognito.verify_response(event, engine.verify(request))

    def _pre_token(self, event: Event) -> Event:
        return token_claims.with_claims(event, self.evidence(event))

    def _session_request(self, event: Event) -> SessionRequest:
        request = cognito.session_request_of(event)
        if self._dialect is None:
            return request
        return _naming_alike(request, self._dialect.session_request(event, request))

    def _full(self) -> Engine:
        if self._engine is None:
            raise ProtocolError("this function was set up to define only, by the name of its handler")
        return self._engine

    def _guarded(self, trigger: str | None, given: object, work: Callable[[Event], Event]) -> Event:
        event: Event = {}
        try:
            event = cognito.event_of(given)
            if trigger is not None:
                cognito.expect(event, trigger)
            return work(event)
        except WatchwordError as error:
            raise self._refused(trigger, event, error, error.text, f"{type(error).__name__}: {error}") from None
        except BaseException as error:  # noqa: BLE001 - the text of anything else may hold what nobody should read
            raise self._refused(trigger, event, error, WatchwordError.text, type(error).__name__) from None

    def _refused(self, trigger: str | None, event: Event, error: BaseException, text: str, reason: str) -> TriggerError:
        drawn = os.urandom(16).hex()
        if self._engine is not None:
            ref = self._engine.record_failure(error, claim=drawn)
        else:
            from watchword.runtime.wire import reference  # noqa: PLC0415 - Define does without it

            ref = reference(drawn)
        _log.error("%s ended with %s (ref %s): %s", trigger or "handler", text, ref, reason)
        foreign = self._dialect.text(event, error) if self._dialect is not None else None
        return TriggerError(foreign or f"{text} (ref {ref})")


_Request = TypeVar("_Request", SessionRequest, AnswerRequest)


def _naming_alike(said: _Request, heard: _Request) -> _Request:
    """Return *heard*, in which a dialect has put other words, with the sign-in that the client *said*: `evidence` reads that of any client."""
    named = {key: value for key, value in said.client_metadata.items() if key == SAID_SIGN_IN}
    return evolve(heard, client_metadata={**heard.client_metadata, **named})


def _teller(settings: HostSettings) -> Callable[[SessionRequest, Evaluation], None]:
    """Return what tells the audit of the end of a sign-in where there is no engine: without a key nobody is named."""

    def tell(request: SessionRequest, evaluation: Evaluation) -> None:
        ended = closing_event(request, evaluation)
        if ended is None:
            return
        from watchword.runtime.wire import reference  # noqa: PLC0415 - most calls of Define end nothing

        ref = reference(evaluation.claim) if evaluation.claim else ""
        event = AuditEvent(ended[0], settings.clock.now(), evaluation.flow.name, "", ref, ended[1])
        with suppress(Exception):  # ASVS 5.0 16.5: the decision stands whatever the log does
            settings.audit.record(event)

    return tell


def triggers(
    flow: Flow | str | os.PathLike[str],
    *,
    previous: Sequence[Flow | str | os.PathLike[str]] = (),
    key: Keys | None = None,
    root_key: Keys | None = None,
    ledger: Ledger | str | None = None,
    courier: Couriers | None = None,
    credentials: Credentials | str | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    audit: Audit | None = None,
    pad_to: float | None = None,
    environment: Mapping[str, str] | None = None,
    registry: Registry | None = None,
    dialect: str | None = None,
    tokens: AccessTokens | None = None,
) -> Triggers:
    """Return the Lambda triggers of *flow*: a `Flow`, the path of a TOML file, or ``"module:attribute"``.

    Call it once, at the top of the module that Lambda loads. What is not given is read from the environment:
    ``WATCHWORD_KEY``, ``WATCHWORD_ROOT_KEY``, ``WATCHWORD_LEDGER``, ``WATCHWORD_CREDENTIALS``, ``WATCHWORD_COURIER``. *previous*
    are flows that were deployed before and whose sign-ins may still be under way; *key* is 32 random bytes or more, a list of such
    (newest first) or a `Keyring`, and *root_key* the same, which never rotates (the oldest key if absent); *courier* is
    one (for e-mail), or a mapping by channel, or URLs; *credentials* is the store of what
    users enrolled, or its URL; *pad_to* is the least number of seconds that a call takes in which a message could be sent (0.5 with a courier over the network), 3 at most. *registry* finds kinds, couriers
    and ledgers by name; without it a `Registry` of all that is installed. *dialect* names the client that is spoken to, such as
    ``passwordless``: the events of its sign-ins then have its words. *tokens* says whether a text is an access token of somebody who is
    signed in, for a flow whose answers come with one; the user pool is asked if it is None.

    One environment serves all functions: one whose handler is named ``….define`` (as Lambda's ``_HANDLER`` says) reads no
    key, ledger or courier, one that is named ``….verify`` no courier, and ``….pre_token`` neither courier nor store of credentials.

    Raises:
        ConfigurationError: if anything is missing or wrong; the message says what to set.
    """
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
    flows = settings.flows(flow, previous)
    spoken = None if dialect is None else _dialect(dialect, flows)
    if settings.defines_only:
        return Triggers(flows, None, _teller(settings), dialect=spoken)
    if spoken is not None:
        spoken.check()
    creates = not (settings.verifies_only or settings.tells_only)
    if tokens is None and any(step.powers.with_token for each in flows for step in each.steps.values()):
        tokens = _access_tokens(settings)
    engine = settings.engine(flows, creates=creates, tokens=tokens, keeps_evidence=True)
    engine.prepare(settings.schemes_of, creates=creates, verifies=settings.judges)
    return Triggers(flows, engine, dialect=spoken)


def _dialect(name: str, flows: tuple[Flow, ...]) -> Dialect:
    # Not by a statement, which a build would follow: most functions speak the engine's own language, and hold no other.
    module = import_module("watchword_adapters.dialects.dialect")
    spoken: Dialect = module.find_dialect(name, flows)
    return spoken


def _access_tokens(settings: HostSettings) -> AccessTokens | None:
    """Return what checks the access tokens of the user pool, where answers are judged."""
    if not settings.judges:
        return None
    module = import_module("watchword_adapters.rest.access_tokens")  # as above
    found: AccessTokens = module.access_tokens_of(settings.clock, settings.environment)
    return found
