"""One HTTP exchange as values: what an API is asked, what it replies, and the refusals that it replies with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import evolve, field, frozen

MAX_JSON = 65_536
"""Bytes of a body. The longest that a browser sends, an attestation with a certificate chain, has about 8,000."""

COMMON = {
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of each reply (OWASP REST Security Cheat Sheet)."""


@frozen
class HttpRequest:
    """A request. *path* has no query and no stage; *headers* have small letters; of a query's parameter the last value counts."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict[str, str])
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)

    def json_object(self) -> Mapping[str, Any]:
        """Return the object in the body.

        Raises:
            RefusedRequest: if the body is too long, no JSON, or no object.
        """
        if len(self.body) > MAX_JSON:
            raise RefusedRequest(413, f"The body has more than {MAX_JSON} bytes")
        try:
            given: object = json.loads(self.body)
        except (ValueError, RecursionError):  # ValueError: no UTF-8, no JSON, or a number of 5000 digits
            raise RefusedRequest(400, "The body is not JSON") from None
        if not isinstance(given, dict):
            raise RefusedRequest(400, "The body is not a JSON object")
        return cast("Mapping[str, Any]", given)


@frozen
class HttpReply:
    """A reply. The body is text, and empty where there is nothing to say."""

    status: int
    body: str = field(default="", repr=False)
    headers: Mapping[str, str] = COMMON


class RefusedRequest(Exception):  # noqa: N818 - it is a reply, and no error of ours
    """Raised if a request is refused: with *status*, and a message that the caller may see; *error* is a word for programs."""

    def __init__(self, status: int, message: str, *, error: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = error


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return *value*, which a stranger wrote, if it is a mapping; else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


HttpApi = Callable[[HttpRequest], HttpReply]
"""An API: it replies to a request, and raises nothing."""


def json_reply(value: Mapping[str, Any], status: int = 200) -> HttpReply:
    """Return *value* as a reply."""
    return HttpReply(status, json.dumps(value, separators=(",", ":")))


def refusing_reply(status: int, message: str) -> HttpReply:
    """Return the reply that says *message*."""
    return json_reply({"message": message}, status)


def with_origin(request: HttpRequest, reply: HttpReply, origins: frozenset[str]) -> HttpReply:
    """Let the page that asks read *reply* if its origin is one of *origins*, exactly (WHATWG Fetch, 3.3 CORS protocol)."""
    origin = request.headers.get("origin", "")
    allowed = {"Access-Control-Allow-Origin": origin} if origin in origins else {}
    return evolve(reply, headers={**reply.headers, "Vary": "Origin", **allowed})


def preflight(request: HttpRequest, origins: frozenset[str], methods: str) -> HttpReply:
    """Return the reply to a page's question whether it may ask: for *methods*, with the headers that our APIs read."""
    allowed = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "authorization,content-type",
        "Access-Control-Max-Age": "7200",
    }
    known = request.headers.get("origin", "") in origins
    reply = HttpReply(204, headers={**COMMON, **(allowed if known else {})})
    return with_origin(request, reply, origins)
