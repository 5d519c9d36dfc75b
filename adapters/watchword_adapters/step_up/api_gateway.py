"""The answer of a function behind API Gateway whose caller has not proved enough."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchword_adapters.aws.token_claims import CLAIMS
from watchword_adapters.rest.exchange import COMMON, as_mapping
from watchword_adapters.step_up.requirements import StepUpRequirement, step_up_challenge

_REMAPPED = "x-amzn-Remapped-WWW-Authenticate"
"""What REST APIs and function URLs make of the header's name, so that no browser asks for a password. The body says the same."""


def step_up_reply(event: object, requirement: StepUpRequirement, now: float | None = None) -> dict[str, Any] | None:
    """Return None if the token behind the proxy *event* proves what *requirement* asks for; else the function's reply.

    The token was verified by an authorizer of API Gateway, in whose words the claims come: a JWT authorizer of an HTTP API, a Cognito
    authorizer of a REST API, or a Lambda authorizer of either, if that puts the claims into its context. A token in a header is never read.
    """
    challenge = step_up_challenge(_claims_in(event), requirement, now)
    if challenge is None:
        return None
    return {
        "statusCode": 401,
        # Fetch shows a page of another origin only the headers that are named.
        "headers": {
            **COMMON,
            "WWW-Authenticate": challenge.header,
            "Access-Control-Expose-Headers": f"WWW-Authenticate, {_REMAPPED}",
        },
        "body": json.dumps({**challenge.parameters, "message": challenge.description}),
        "isBase64Encoded": False,
    }


def _claims_in(event: object) -> Mapping[str, Any]:
    """Return the claims of ours that the authorizer of *event* has put there; of one place alone."""
    authorizer = as_mapping(as_mapping(as_mapping(event).get("requestContext")).get("authorizer"))
    places = (as_mapping(authorizer.get("jwt")).get("claims"), authorizer.get("claims"), authorizer.get("lambda"))
    found = next((as_mapping(each) for each in places if each is not None), authorizer)
    return {name: found[name] for name in CLAIMS if name in found}
