"""What Pre Token Generation answers: the claims that tell what was passed in a sign-in, and nobody else's word for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from watchword.runtime.sign_ins.evidence import Evidence
    from watchword_adapters.aws.cognito import Event

METHODS, FLOW, AT = CLAIMS = ("sign_in_methods", "sign_in_flow", "sign_in_at")
"""The claims. Cognito lets no trigger write ``acr`` and ``amr``."""

ISSUING = "TokenGeneration_Authentication"
"""The one source that evidence is for: a sign-in has just ended. A refresh, a new device or a new password has another."""

_FIRST = "claimsOverrideDetails"
_SECOND = "claimsAndScopeOverrideDetails"
_TOKENS = ("idTokenGeneration", "accessTokenGeneration")


def token_claims_of(evidence: Evidence) -> dict[str, str]:
    """Return *evidence* as claims: all of them texts, since an event of version 1 takes no others."""
    said = {METHODS: " ".join(evidence.methods), FLOW: evidence.flow, AT: str(evidence.at)}
    return {name: value for name, value in said.items() if value}


def with_claims(event: Event, claims: Mapping[str, str]) -> Event:
    """Return *event* with *claims* in its response, in the tokens that its version can change.

    What else the response says is kept. A claim of ours that is not among *claims* is taken out, whoever put it there. An event of a
    version that is not known is returned as it is.
    """
    response, version = _object(event.get("response")), event.get("version") or "1"
    if version == "1":
        return {**event, "response": {**response, _FIRST: _changed(response.get(_FIRST), claims)}}
    if version not in ("2", "3"):
        return dict(event)
    said = _object(response.get(_SECOND))
    tokens = {name: _changed(said.get(name), claims) for name in _TOKENS}
    return {**event, "response": {**response, _SECOND: {**said, **tokens}}}


def _changed(said: object, claims: Mapping[str, str]) -> dict[str, Any]:
    change = _object(said)
    added, suppressed = _object(change.get("claimsToAddOrOverride")), change.get("claimsToSuppress")
    others = cast("list[object]", suppressed) if isinstance(suppressed, list) else []
    return {
        **change,
        "claimsToAddOrOverride": {**{name: added[name] for name in added if name not in CLAIMS}, **claims},
        # Cognito leaves out what is both added and suppressed.
        "claimsToSuppress": [
            *(each for each in others if each not in CLAIMS),
            *(name for name in CLAIMS if name not in claims),
        ],
    }


def _object(value: object) -> dict[str, Any]:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}
