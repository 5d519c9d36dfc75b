"""The events by which API Gateway and function URLs call a function over HTTP, both payload formats, and the reply to them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from watchword_adapters.rest.exchange import MAX_JSON, HttpReply, HttpRequest, RefusedRequest, as_mapping

_LONGEST_METHOD = 16
_LONGEST_TEXT = 20_000  # characters of a path, a query or a header; API Gateway takes 10,240 bytes of all headers


def request_of(event: object, base_path: str = "") -> HttpRequest:
    """Return the request of a Lambda proxy *event*, payload format 1.0 or 2.0, with the path below *base_path*.

    Raises:
        RefusedRequest: if it is no such event.
    """
    fields = as_mapping(event)
    context = as_mapping(fields.get("requestContext"))
    http = as_mapping(context.get("http"))
    method, path = fields.get("httpMethod") or http.get("method"), fields.get("path") or fields.get("rawPath")
    if not _is_text(method, _LONGEST_METHOD) or not _is_text(path, _LONGEST_TEXT):
        raise RefusedRequest(400, "This is no request by HTTP")
    stage = context.get("stage")
    if http and isinstance(stage, str) and path.startswith(f"/{stage}/"):  # format 2.0 has the stage in the path
        path = path.removeprefix(f"/{stage}")
    path = path.removeprefix(base_path)
    raw = fields.get("rawQueryString")
    query = dict(parse_qsl(raw)) if _is_text(raw, _LONGEST_TEXT) else _texts(fields.get("queryStringParameters"))
    headers = {name.lower(): value for name, value in _texts(fields.get("headers")).items()}
    return HttpRequest(method.upper(), path, query, headers, _body(fields))


def event_of_reply(reply: HttpReply) -> dict[str, Any]:
    """Return *reply* as a function returns it, in both formats."""
    return {
        "statusCode": reply.status,
        "headers": dict(reply.headers),
        "body": reply.body,
        "isBase64Encoded": False,
    }


def _body(fields: Mapping[str, Any]) -> bytes:
    body: object = fields.get("body") or ""
    if not isinstance(body, str):
        raise RefusedRequest(400, "This is no request by HTTP")
    if len(body) > 2 * MAX_JSON:  # base64 is a third longer
        raise RefusedRequest(413, f"The body has more than {MAX_JSON} bytes")
    if not fields.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedRequest(400, "The body is not base64") from None


def _texts(value: object) -> dict[str, str]:
    return {str(name): text for name, text in as_mapping(value).items() if _is_text(text, _LONGEST_TEXT)}


def _is_text(value: object, most: int) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= most
