"""Cognito's JSON 1.1 protocol: a target and a body come in, a status, headers and a body go out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Never, cast

from attrs import field, frozen

from watchword_adapters.userpool.api.errors import ClientError
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS, needs_credentials, parameters_of
from watchword_adapters.userpool.api.service_model import not_played

PREFIX = "AWSCognitoIdentityProviderService."
"""What stands before the operation in the header X-Amz-Target."""

CONTENT_TYPE = "application/x-amz-json-1.1"
_LONGEST_HEADER = 600

_Operation = Callable[[Mapping[str, object]], Mapping[str, Any]]


@frozen
class Response:
    """What goes back to the client. *error* is the error's name, or empty."""

    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = (("Content-Type", CONTENT_TYPE),)
    error: str = ""


class RefusedError(Exception):
    """Raised if a request cannot be made sense of, or must not be; *name* is the error's name on the wire."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


def operation_of(target: str) -> str:
    """Return the operation that the header X-Amz-Target names.

    Raises:
        RefusedError: if the pool does not play it; the message lists what it plays.
    """
    operation = target.removeprefix(PREFIX)
    if target.startswith(PREFIX) and operation in OPERATIONS:
        return operation
    why = not_played(operation) if target else "the header X-Amz-Target is missing"
    raise RefusedError("UnknownOperationException", f"{why}. This pool plays: {', '.join(OPERATIONS)}")


def refuse_page(operation: str, headers: Mapping[str, str]) -> None:
    """Refuse a call of an administrator's operation that comes from a web page: browsers send Origin, programs do not.

    Any page that a developer has open could otherwise read users, set passwords and delete accounts. The service wants
    such a call signed with AWS credentials, which no page has.

    Raises:
        RefusedError: if it comes from a page.
    """
    if "origin" in headers and needs_credentials(operation):
        raise RefusedError(
            "ForbiddenException",
            f"{operation} is an administrator's operation, and no web page may call it (the request has an Origin): "
            "call it from a server or a test",
            403,
        )


def refuse_closed(operation: str, opened: Collection[str]) -> None:
    """Refuse *operation* if it is none of those *opened*: whoever needs few of them leaves the others closed.

    Raises:
        RefusedError: if it is closed.
    """
    if operation not in opened:
        raise RefusedError("ForbiddenException", f"{operation} is closed here. Open are {', '.join(opened)}", 403)


def parameters_in(operation: str, body: bytes) -> dict[str, object]:
    """Return the parameters in *body* that *operation* takes; others are left out, as the service leaves them out.

    Raises:
        RefusedError: if *body* is no JSON object.
    """
    try:
        given: object = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):  # ValueError: no UTF-8, no JSON, or a number of 5000 digits
        raise RefusedError("SerializationException", "The body is not JSON") from None
    if not isinstance(given, dict):
        raise RefusedError("SerializationException", "The body is not a JSON object")
    known = parameters_of(operation)
    return {name: value for name, value in cast("dict[str, object]", given).items() if name in known}


def reply_response(reply: Mapping[str, Any]) -> Response:
    """Return *reply*, with its times as epoch seconds."""
    return Response(200, json.dumps(reply, default=_as_number, separators=(",", ":")).encode())


def failure_response(error: ClientError) -> Response:
    """Return *error* as the service would send it."""
    said = error.response["Error"]
    return refusal_response(said["Code"], said["Message"])


def refusal_response(name: str, message: str, status: int = 400) -> Response:
    """Return an error. Clients look for *name* in the body's ``__type`` or in a header, and for *message* in the body."""
    shown = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in message[:_LONGEST_HEADER])
    headers = (
        ("Content-Type", CONTENT_TYPE),
        ("x-amzn-ErrorType", f"{name}:"),
        ("x-amzn-ErrorMessage", shown.strip()),
    )
    return Response(status, json.dumps({"__type": name, "message": message}).encode(), headers, name)


def _no_constant(_: str) -> Never:
    raise ValueError


def _as_number(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError
