"""Take the secrets out of what triggers were told and said, before a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from watchword.algebra.derivative import read_metadata
from watchword.algebra.evaluation import ACTION, CHOICE, REDIRECT
from watchword.contract.kinds import RESERVED_PUBLIC
from watchword.runtime.wire import RESERVED_PRIVATE
from watchword_adapters.rest.exchange import as_mapping

HIDDEN = "•••"
"""What stands in place of a secret."""

_KEPT_PRIVATE = {"v", "flow", "kind", "step", "issued", "expires", "proven", "own", "enrols"} & RESERVED_PRIVATE
_KEPT_METADATA = ("v", "flow", "facts", "step", "asked", "before", "issued")
_KEPT_SAID = (ACTION, CHOICE, REDIRECT)
_KEPT_ATTRIBUTES = ("email_verified", "phone_number_verified", "cognito:user_status")
_LONGEST = 200


def redacted_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return *event* of a trigger without secrets: answers, names, addresses, codes, claims and what kinds keep are hidden.

    What the engine says of a challenge stays: kind, step, times and counts.
    """
    shown = {name: value for name, value in event.items() if name in {"triggerSource", "request", "response"}}
    return {
        **shown,
        "request": _request(as_mapping(event.get("request"))),
        "response": redacted_response(event.get("response")),
    }


def redacted_response(response: object) -> dict[str, Any]:
    """Return the *response* of a trigger without secrets."""
    found = dict(as_mapping(response))
    if "publicChallengeParameters" in found:
        found["publicChallengeParameters"] = _kept(found["publicChallengeParameters"], RESERVED_PUBLIC)
    if "privateChallengeParameters" in found:
        found["privateChallengeParameters"] = _kept(found["privateChallengeParameters"], _KEPT_PRIVATE)
    if "challengeMetadata" in found:
        found["challengeMetadata"] = _metadata(found["challengeMetadata"])
    if "claimsOverrideDetails" in found or "claimsAndScopeOverrideDetails" in found:
        return dict.fromkeys(found, HIDDEN)
    return found


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(request)
    if "userAttributes" in shown:
        shown["userAttributes"] = _kept(shown["userAttributes"], _KEPT_ATTRIBUTES)
    if "challengeAnswer" in shown:
        shown["challengeAnswer"] = HIDDEN
    if "privateChallengeParameters" in shown:
        shown["privateChallengeParameters"] = _kept(shown["privateChallengeParameters"], _KEPT_PRIVATE)
    if "clientMetadata" in shown:
        shown["clientMetadata"] = _kept(shown["clientMetadata"], _KEPT_SAID)
    if isinstance(shown.get("session"), list):
        rounds = cast("list[object]", shown["session"])
        shown["session"] = [_round(as_mapping(each)) for each in rounds]
    return shown


def _round(found: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(found)
    if "challengeMetadata" in shown:
        shown["challengeMetadata"] = _metadata(shown["challengeMetadata"])
    return shown


def _metadata(text: object) -> object:
    fields = read_metadata(text) if isinstance(text, str) else None
    return _kept(fields, _KEPT_METADATA) if fields else HIDDEN if text else text


def _kept(values: object, names: Any) -> dict[str, Any]:
    """Return *values* in which all but those of *names* are hidden; a long one is cut."""
    return {
        str(name): (str(value)[:_LONGEST] if name in names else HIDDEN) for name, value in as_mapping(values).items()
    }
