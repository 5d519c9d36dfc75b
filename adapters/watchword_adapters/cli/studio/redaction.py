"""Take the secrets out of what triggers were told and said, before a page shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from watchword.algebra.derivative import read_metadata
from watchword.algebra.evaluation import ACTION, CHOICE, REDIRECT
from watchword.contract.kinds import RESERVED_PUBLIC
from watchword.runtime.wire import RESERVED_PRIVATE
from watchword_adapters.rest.exchange import as_mapping

HIDDEN = "•••"
"""What stands in place of a secret."""

_KEPT_PRIVATE = {"v", "flow", "kind", "step", "issued", "expires", "proven", "own", "enrols"} & RESERVED_PRIVATE
_KEPT_PUBLIC = RESERVED_PUBLIC - {"USERNAME", "signin"}
_KEPT_METADATA = ("v", "flow", "facts", "step", "asked", "before", "issued")
_ACTIONS = ("resend", "answer")
_KEPT_ROUND = ("challengeName", "challengeResult")
_KEPT_REQUEST = ("userNotFound", "challengeName")
_KEPT_RESPONSE = ("challengeName", "issueTokens", "failAuthentication", "answerCorrect")
_KEPT_ATTRIBUTES = ("email_verified", "phone_number_verified", "cognito:user_status")
_LONGEST = 200


def redacted_event(event: Mapping[str, Any], names: Collection[str] = ()) -> dict[str, Any]:
    """Return *event* of a trigger without secrets: answers, names, addresses, codes, claims and what kinds keep are hidden.

    What the engine says of a challenge remains: kind, step, times and counts. So do, of what the client said, requests for another
    message and what it chose among *names*.
    """
    return {
        "triggerSource": _told(event.get("triggerSource")),
        "request": _request(as_mapping(event.get("request")), names),
        "response": redacted_response(event.get("response")),
    }


def redacted_response(response: object) -> dict[str, Any]:
    """Return the *response* of a trigger without secrets."""
    found = as_mapping(response)
    shown = {str(name): _told(value) if name in _KEPT_RESPONSE else HIDDEN for name, value in found.items()}
    if "publicChallengeParameters" in found:
        shown["publicChallengeParameters"] = _kept(found["publicChallengeParameters"], _KEPT_PUBLIC)
    if "privateChallengeParameters" in found:
        shown["privateChallengeParameters"] = _kept(found["privateChallengeParameters"], _KEPT_PRIVATE)
    if "challengeMetadata" in found:
        shown["challengeMetadata"] = _metadata(found["challengeMetadata"])
    return shown


def _request(request: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        str(name): _told(value) if name in _KEPT_REQUEST else HIDDEN for name, value in request.items()
    }
    if "userAttributes" in shown:
        shown["userAttributes"] = _kept(request["userAttributes"], _KEPT_ATTRIBUTES)
    if "privateChallengeParameters" in shown:
        shown["privateChallengeParameters"] = _kept(request["privateChallengeParameters"], _KEPT_PRIVATE)
    if "clientMetadata" in shown:
        said = as_mapping(request["clientMetadata"])
        known = {ACTION: _ACTIONS, CHOICE: names, REDIRECT: names}
        shown["clientMetadata"] = {
            str(name): value if isinstance(value, str) and value in known.get(str(name), ()) else HIDDEN
            for name, value in said.items()
        }
    if isinstance(request.get("session"), list):
        rounds = cast("list[object]", request["session"])
        shown["session"] = [_round(as_mapping(each)) for each in rounds]
    return shown


def _round(found: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        str(name): _told(value) if name in _KEPT_ROUND else HIDDEN for name, value in found.items()
    }
    if "challengeMetadata" in found:
        shown["challengeMetadata"] = _metadata(found["challengeMetadata"])
    return shown


def _metadata(text: object) -> object:
    fields = read_metadata(text) if isinstance(text, str) else None
    return _kept(fields, _KEPT_METADATA) if fields else HIDDEN if text else None


def _kept(values: object, names: Collection[str]) -> dict[str, Any]:
    """Return *values* in which all but those of *names* are hidden."""
    return {str(name): _told(value) if name in names else HIDDEN for name, value in as_mapping(values).items()}


def _told(value: object) -> object:
    """Return *value* if it is one word or sign, as the engine writes; a long one is cut, and anything else hidden."""
    if isinstance(value, str):
        return value[:_LONGEST]
    return value if value is None or isinstance(value, bool) else HIDDEN
