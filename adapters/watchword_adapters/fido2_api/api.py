"""The API for passkeys that the passwordless client calls beside its sign-ins: register, list, rename, delete, and a challenge."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from watchword.contract.credentials import Credential
from watchword.contract.kinds import User
from watchword.contract.members import settings_of
from watchword.errors import ConfigurationError, ProtocolError, TryLaterError
from watchword.runtime.credentials.enrolment import (
    Completion,
    begin_enrolment,
    checked_label,
    complete_enrolment,
    store_of,
)
from watchword.runtime.credentials.handles import slot_of
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential, rename_credential
from watchword.runtime.credentials.pending import ENROLMENT_LIFETIME
from watchword.runtime.keyring import lock_state, unlock_state
from watchword.runtime.services import Services, owner_of
from watchword_adapters.dialects.passwordless import ANYTHING_ELSE, KIND, passkey_of
from watchword_adapters.dialects.sign_in_challenges import LIFETIME, new_challenge, signed_challenge
from watchword_adapters.rest.exchange import (
    HttpReply,
    HttpRequest,
    RefusedRequest,
    json_reply,
    preflight,
    refusing_reply,
    with_origin,
)
from watchword_adapters.rest.pool_tokens import PoolTokens

_METHODS = "POST"
_WITHIN = 1.0
_HANDLE = "handle of a registration"
_LAST_WAY = "This is your last way to sign in: add another one first"
_REFUSALS = {
    "expired": "Challenge not found",
    "used_before": "Challenge not found",
    "guesses_used_up": "Challenge not found",
    "known_credential": "Credential already registered",
    "too_many": "You have as many credentials as anybody may have: delete one first",
}


@frozen
class Fido2Api:
    """The API of one flow and user pool: calling it with a request gives the reply. It never raises.

    *tokens* says who calls. The pages that may are those of the passkey's ``origins``.

    Raises:
        ConfigurationError: when it is made, if the flow has no passkey, or there is no store of what users enrolled.
    """

    services: Services
    pool: str
    tokens: PoolTokens = field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Check that there is something to serve."""
        if passkey_of(self.services.flow) is None:
            raise ConfigurationError(
                f"the flow {self.services.flow.name!r} has no step of kind {KIND!r}, or more than one"
            )
        store_of(self.services)

    def __call__(self, request: HttpRequest) -> HttpReply:
        """Return the reply to *request*."""
        origins = frozenset(self._settings["origins"])
        if request.method == "OPTIONS":
            return preflight(request, origins, _METHODS)
        return with_origin(request, self._reply(request), origins)

    def _reply(self, request: HttpRequest) -> HttpReply:
        try:
            return self._answered(request)
        except RefusedRequest as refused:
            return refusing_reply(refused.status, str(refused))
        except TryLaterError:
            return refusing_reply(429, "Please try again later")
        except BaseException as error:  # noqa: BLE001 - the text of anything else may hold what nobody should read
            self.services.record_failure(error, claim=self.services.random.bytes(16).hex())
            bad = isinstance(error, ProtocolError)
            return refusing_reply(400 if bad else 500, "Bad request" if bad else ANYTHING_ELSE)

    def _answered(self, request: HttpRequest) -> HttpReply:
        if request.method != "POST":
            raise RefusedRequest(404, "Not found")
        if request.path == "/sign-in-challenge":
            return json_reply(self._sign_in_challenge())
        works: dict[str, Callable[[_Caller], HttpReply]] = {
            "/register-authenticator/start": self._start,
            "/register-authenticator/complete": self._complete,
            "/authenticators/list": self._list,
            "/authenticators/update": self._update,
            "/authenticators/delete": self._delete,
        }
        if request.path not in works:
            raise RefusedRequest(404, "Not found")
        claims = self.tokens.claims(request.headers.get("authorization", ""), "id")
        return works[request.path](_Caller(request, claims["aud"], _user_of(claims), self.tokens.is_fresh(claims)))

    def _sign_in_challenge(self) -> Mapping[str, Any]:
        return {
            "challenge": new_challenge(self.services, self.pool),
            "timeout": LIFETIME * 1000,
            "userVerification": self._settings["user_verification"],
        }

    def _start(self, caller: _Caller) -> HttpReply:
        self._demand_fresh(caller)
        self._demand_rp_id(caller.request)
        begun = begin_enrolment(self.services, self.pool, caller.client, caller.user, KIND)
        options: dict[str, Any] = json.loads(begun.public["options"])
        options["user"]["id"] = _octets(options["user"]["id"]).decode("utf-8", "replace")  # the client takes it as text
        challenge = _octets(options["challenge"]).hex()
        locked = lock_state(self.services.keyring, _HANDLE, self._owner(caller), begun.handle)
        expires = self.services.clock.now() + ENROLMENT_LIFETIME
        self.services.ledger.put(slot_of(challenge, _HANDLE), locked, expires=expires, within=_WITHIN)
        return json_reply(options)

    def _complete(self, caller: _Caller) -> HttpReply:
        given = caller.request.json_object()
        label = _label(given)
        sent = {
            name: given[name] for name in ("attestationObjectB64", "clientDataJSON_B64", "transports") if name in given
        }
        answer = json.dumps(sent)
        handle = self._handle(caller, signed_challenge(answer).hex())
        done = complete_enrolment(
            self.services, self.pool, caller.client, caller.user, handle, answer, label, kind=KIND
        )
        added = self._added(caller, done)
        if added is None:
            raise RefusedRequest(400, _REFUSALS.get(done.reason, "The passkey could not be verified"))
        return json_reply(_described(added))

    def _list(self, caller: _Caller) -> HttpReply:
        rp_id = self._demand_rp_id(caller.request)
        listed = [_described(each) for each in self._enrolled(caller) if each.state.get("rp_id") == rp_id]
        return json_reply({"authenticators": listed})

    def _update(self, caller: _Caller) -> HttpReply:
        given = caller.request.json_object()
        id_, label = _text(given, "credentialId"), _label(given)
        if not rename_credential(self.services, self.pool, caller.user, id_, label, kind=KIND):
            raise RefusedRequest(400, "Unknown credential")
        return HttpReply(200)

    def _delete(self, caller: _Caller) -> HttpReply:
        self._demand_fresh(caller)
        id_ = _text(caller.request.json_object(), "credentialId")
        done = remove_credential(self.services, self.pool, caller.client, caller.user, id_, kind=KIND)
        if done.reason == "last_way":
            raise RefusedRequest(400, _LAST_WAY)
        return HttpReply(204)  # an id that nobody has is deleted as well

    @property
    def _settings(self) -> Mapping[str, Any]:
        step = passkey_of(self.services.flow)
        assert step is not None
        return settings_of(self.services.flow.steps[step].kind)

    def _demand_fresh(self, caller: _Caller) -> None:
        """Demand a sign-in of the last five minutes: a token that was stolen must not bring a passkey that stays."""
        if caller.fresh:
            return
        user = self.services.user_key(self.pool, caller.user)
        self.services.record("authz_fail", user, call=caller.request.path.rpartition("/")[2], reason="sign_in_too_old")
        raise RefusedRequest(403, "Sign in again first: this needs a sign-in of the last five minutes")

    def _demand_rp_id(self, request: HttpRequest) -> str:
        rp_id = request.query.get("rpId")
        if not rp_id:
            raise RefusedRequest(400, "Missing RP ID")
        if rp_id != self._settings["rp_id"]:
            raise RefusedRequest(400, "Unrecognized RP ID")
        return rp_id

    def _owner(self, caller: _Caller) -> str:
        return owner_of(self.pool, self.services.as_kinds_see(self.pool, caller.user))

    def _handle(self, caller: _Caller, challenge: str) -> str:
        """Return the handle of the registration that *caller* began, and that has *challenge*."""
        now = self.services.clock.now()
        kept = self.services.ledger.peek(slot_of(challenge, _HANDLE), now=now, within=_WITHIN) or ""
        handle = unlock_state(self.services.keyring, _HANDLE, self._owner(caller), kept)
        if handle is None:
            raise RefusedRequest(400, "Challenge not found")
        return handle

    def _enrolled(self, caller: _Caller) -> tuple[Credential, ...]:
        owned = list_credentials(self.services, self.pool, caller.user)
        return tuple(each for each in owned if each.kind == KIND)

    def _added(self, caller: _Caller, done: Completion) -> Credential | None:
        """Return the credential that was added, as it is kept: a repeat is told of it without its state."""
        id_ = done.credential.id if done.credential else None
        return next((each for each in self._enrolled(caller) if each.id == id_), None) if id_ else None


@frozen
class _Caller:
    """Whoever calls: the app *client* and the *user* of the ID token, *fresh* if the sign-in was just now."""

    request: HttpRequest = field(repr=False)
    client: str
    user: User
    fresh: bool


def _user_of(claims: Mapping[str, Any]) -> User:
    """Return the user whom the *claims* of an ID token name, with the attributes that it has."""
    name: object = claims.get("cognito:username")
    if not isinstance(name, str) or not name:
        raise RefusedRequest(401, "Unauthorized")
    told = {key: str(value).lower() if isinstance(value, bool) else value for key, value in claims.items()}
    return User(name, {key: value for key, value in told.items() if isinstance(value, str)})


def _described(credential: Credential) -> Mapping[str, Any]:
    """Return *credential* as the client reads it. What is absent is left out."""
    state = credential.state
    transports = [each for each in state.get("transports", "").split(",") if each]
    shown = {
        "friendlyName": credential.label,
        "credentialId": credential.id,
        "createdAt": _time(credential.created),
        "lastSignIn": _time(credential.used) if credential.used else None,
        "signCount": int(state.get("sign_count", "0")),
        "flagUserVerified": int(state.get("user_verified") == "true"),
        "flagBackupEligibility": int(state.get("backup_eligible") == "true"),
        "flagBackupState": int(state.get("backed_up") == "true"),
        "aaguid": state.get("aaguid"),
        "transports": transports or None,
        "rpId": state.get("rp_id"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedRequest(400, f"Expected {name} to be a string")
    return value


def _label(given: Mapping[str, Any]) -> str:
    try:
        return checked_label(_text(given, "friendlyName"))
    except ProtocolError as error:
        raise RefusedRequest(400, f"friendlyName: {error}") from None


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
