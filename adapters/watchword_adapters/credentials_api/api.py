"""The HTTP API of credentials, as a function from a request to a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from attrs import evolve, field, frozen

from watchword.contract.credentials import Credential
from watchword.errors import ProtocolError, TryLaterError, UnavailableError
from watchword.runtime.credentials.enrolment import (
    Completion,
    begin_enrolment,
    checked_label,
    complete_enrolment,
    enrolling_kinds,
    store_of,
)
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential, rename_credential
from watchword.runtime.credentials.pending import ENROLMENT_LIFETIME
from watchword.runtime.services import Services
from watchword_adapters.rest.callers import Caller, Callers
from watchword_adapters.rest.exchange import (
    HttpReply,
    HttpRequest,
    RefusedRequest,
    json_reply,
    preflight,
    with_origin,
)

_METHODS = "GET, POST, PATCH, DELETE"

_ERRORS: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    429: "try_later",
    500: "failed",
    503: "unavailable",
}
"""The word for each status, where no other says more."""

_REFUSALS: Mapping[str, tuple[int, str]] = {
    "wrong": (400, "The answer is wrong"),
    "expired": (404, "There is no such enrolment, or its ten minutes are over: begin again"),
    "guesses_used_up": (429, "There were five different answers: begin again"),
    "used_before": (409, "Another answer has completed this enrolment"),
    "known_credential": (409, "This is enrolled already"),
    "too_many": (409, "You have as many as one may have: remove one first"),
    "unknown": (404, "You have no such credential"),
    "last_way": (409, "Without this one you could not sign in any more: add another one first"),
}
"""Status and message for each reason of a `Completion`."""


@frozen
class CredentialsApi:
    """The API of one flow and user pool: calling it with a request gives the reply. It never raises.

    *callers* says who calls. Pages of *origins* (such as ``https://app.example``) may call, and of no others.

    Raises:
        ConfigurationError: when it is made, if there is no store of what users enrolled.
    """

    services: Services = field(repr=False)
    pool: str
    callers: Callers = field(repr=False)
    origins: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        """Check that there is a store."""
        store_of(self.services)

    def __call__(self, request: HttpRequest) -> HttpReply:
        """Return the reply to *request*, whose path is what comes after ``/credentials``."""
        if request.method == "OPTIONS":
            return preflight(request, self.origins, _METHODS)
        return with_origin(request, self._reply(request), self.origins)

    def _reply(self, request: HttpRequest) -> HttpReply:
        try:
            return self._answered(request)
        except RefusedRequest as refused:
            return error_reply(refused)
        except BaseException as error:  # noqa: BLE001 - the text of anything else may hold what nobody should read
            ref = self.services.record_failure(error, claim=self.services.random.bytes(16).hex())
            return error_reply(_refusal_of(error, ref))

    def _answered(self, request: HttpRequest) -> HttpReply:
        work = self._work(request)
        if work is None:
            raise RefusedRequest(404, "There is nothing here")
        caller = self.callers.caller_of(request)
        if request.body:
            request.json_object()  # also where nothing of it is needed: whoever sends nonsense is told so
        return work(caller)

    def _work(self, request: HttpRequest) -> Callable[[Caller], HttpReply] | None:
        """Return what *request* asks for: the paths are known before anybody is asked who they are."""
        match (request.method, *request.path.rstrip("/").split("/", 2)):
            case ("GET" | "HEAD", ""):
                return self._list
            case ("POST", "", kind, "begin"):
                return lambda caller: self._begin(caller, kind)
            case ("POST", "", kind, "complete"):
                return lambda caller: self._complete(caller, kind, request)
            case ("PATCH", "", kind, id_):
                return lambda caller: self._rename(caller, kind, id_, request)
            case ("DELETE", "", kind, id_):
                return lambda caller: self._remove(caller, kind, id_)
            case _:
                return None

    def _list(self, caller: Caller) -> HttpReply:
        owned = list_credentials(self.services, self.pool, caller.user)
        kinds = enrolling_kinds(self.services)
        return json_reply({"credentials": [_described(each) for each in owned], "kinds": kinds})

    def _begin(self, caller: Caller, kind: str) -> HttpReply:
        self._demand_kind(kind)
        self._demand_fresh(caller, "begin")
        begun = begin_enrolment(self.services, self.pool, caller.client, caller.user, kind)
        return json_reply({"handle": begun.handle, "public": dict(begun.public), "expires_in": ENROLMENT_LIFETIME})

    def _complete(self, caller: Caller, kind: str, request: HttpRequest) -> HttpReply:
        self._demand_kind(kind)
        self._demand_fresh(caller, "complete")
        given = request.json_object()
        handle, answer = _text(given, "handle"), _text(given, "answer")
        label = _label(given.get("label", ""))
        done = complete_enrolment(
            self.services, self.pool, caller.client, caller.user, handle, answer, label, kind=kind
        )
        return _reply_of(done)

    def _rename(self, caller: Caller, kind: str, id_: str, request: HttpRequest) -> HttpReply:
        label = _label(request.json_object().get("label"))
        found = self._found(caller, kind, id_)
        return _reply_of(rename_credential(self.services, self.pool, caller.user, found, label, kind=kind))

    def _remove(self, caller: Caller, kind: str, id_: str) -> HttpReply:
        self._demand_fresh(caller, "remove")
        found = self._found(caller, kind, id_)
        done = remove_credential(self.services, self.pool, caller.client, caller.user, found, kind=kind)
        return evolve(_reply_of(done), status=204, body="") if done else _reply_of(done)

    def _found(self, caller: Caller, kind: str, id_: str) -> str:
        """Return the id that the path names: API Gateway hands some paths on as they were written, and some decoded."""
        owned = {each.id for each in list_credentials(self.services, self.pool, caller.user) if each.kind == kind}
        return next((each for each in (id_, unquote(id_)) if each in owned), id_)

    def _demand_kind(self, kind: str) -> None:
        if kind not in enrolling_kinds(self.services):
            raise RefusedRequest(404, "Nobody enrols for such a kind here")

    def _demand_fresh(self, caller: Caller, call: str) -> None:
        """Demand a sign-in of the last five minutes: a token that was stolen must not bring a way in that stays."""
        if caller.fresh:
            return
        key = self.services.user_key(self.pool, caller.user)
        self.services.record("authz_fail", key, call=call, reason="sign_in_too_old")
        raise RefusedRequest(
            403, "Sign in again first: this needs a sign-in of the last five minutes", error="sign_in_too_old"
        )


def _refusal_of(error: BaseException, ref: str) -> RefusedRequest:
    """Return what the caller is told of *error*, which the audit has under *ref*."""
    match error:
        case TryLaterError():
            return RefusedRequest(429, "There were too many enrolments: try later")
        case UnavailableError():
            return RefusedRequest(503, f"This cannot be done now: send the same once more (ref {ref})")
        case ProtocolError():
            return RefusedRequest(400, f"The request cannot be understood (ref {ref})")
        case _:
            return RefusedRequest(500, f"This has failed (ref {ref})")


def error_reply(refused: RefusedRequest) -> HttpReply:
    """Return the reply to a request that is *refused*: ``error``, a word for programs, and ``message``, for people."""
    word = refused.error or _ERRORS.get(refused.status, "failed")
    reply = json_reply({"error": word, "message": str(refused)}, refused.status)
    extra = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(refused.status, {})
    return evolve(reply, headers={**reply.headers, **extra})


def _reply_of(done: Completion) -> HttpReply:
    if done.credential is not None:
        return json_reply({"credential": _described(done.credential)})
    status, message = _REFUSALS[done.reason]
    raise RefusedRequest(status, message, error=done.reason)


def _described(credential: Credential) -> Mapping[str, Any]:
    """Return what a user may read of *credential*: nothing of its state."""
    return {
        "id": credential.id,
        "kind": credential.kind,
        "label": credential.label,
        "created": credential.created,
        "used": credential.used or None,
    }


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedRequest(400, f"{name} must be a text")
    return value


def _label(value: object) -> str:
    try:
        return checked_label(value)
    except ProtocolError as error:
        raise RefusedRequest(400, f"label: {error}") from None
