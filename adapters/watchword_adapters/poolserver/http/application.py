"""The ASGI application: which request is for whom, who may ask, how much, and for how long."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from attrs import Factory, define, field, frozen

from watchword.errors import UnavailableError
from watchword_adapters.poolserver.http.json_protocol import (
    RefusedError,
    Response,
    failure_response,
    operation_of,
    parameters_in,
    refusal_response,
    refuse_closed,
    refuse_page,
    reply_response,
)
from watchword_adapters.poolserver.http.worker_threads import Workers
from watchword_adapters.poolserver.inspector import TriggerRun, gathering
from watchword_adapters.rest.exchange import HttpApi, HttpRequest, refusing_reply
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_BODY = 1024 * 1024
"""Bytes that a request's body may have; the largest that Cognito takes is far smaller."""

MAX_DRAINED = 16 * MAX_BODY
"""Bytes of a body that is too large which are read all the same: a client that is still sending might not hear the refusal."""

BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

_SEND_SECONDS = 30.0
_FIRST_ERROR = 400
_FAILED = "The local pool failed; its terminal says more"
_OWN = "/_watchword/"
"""Where the pages for the developer are; no other origin may read them."""

_PREFLIGHT_AGE = "172800"
_EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
_DEFAULT_HEADERS = "content-type,x-amz-target,x-amz-user-agent,cache-control,amz-sdk-invocation-id,amz-sdk-request"


@frozen
class Told:
    """One call of an operation, for whoever watches. *reply* is None if there was an *error*."""

    operation: str
    given: Mapping[str, Any] = field(repr=False)
    reply: Mapping[str, Any] | None = field(repr=False)
    error: str
    message: str = field(repr=False)
    seconds: float
    runs: Sequence[TriggerRun]


Page = Callable[[Mapping[str, str]], Response]
"""Makes a page of its query parameters."""


def _nobody(_: Told) -> None:
    """Watch nothing."""


@define
class Application:
    """The ASGI 3 application of one pool.

    *hosts* are the Host headers that are answered, in lower case; None answers all. A page of another site whose name
    is made to lead to this machine (DNS rebinding) has another Host. *pages* are found below ``/_watchword/``, and each of *apis* below
    its path, such as ``/fido2``; which pages may read its replies it says itself.
    *max_body* is how many bytes a request to one of *apis* may have.
    *origins* are those of the pages that may use the pool, in full; None lets every page. *front* is the page that ``/`` leads to.
    *operations* are those of the pool that may be called. *told* hears of every call, and *defect* of errors that should not be.
    """

    pool: LocalUserPool
    hosts: frozenset[str] | None
    pages: Mapping[str, Page] = field(factory=dict[str, Page])
    apis: Mapping[str, HttpApi] = field(factory=dict[str, HttpApi])
    origins: frozenset[str] | None = None
    front: str = "outbox"
    operations: Collection[str] = OPERATIONS
    told: Callable[[Told], None] = _nobody
    defect: Callable[[str, Exception], None] = lambda operation, error: None
    body_seconds: float = BODY_SECONDS
    max_body: int = MAX_BODY
    _workers: Workers = field(factory=Workers, init=False)
    _known: Mapping[str, Page] = field(init=False, default=Factory(lambda self: self._routes(), takes_self=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        try:
            response = await self._response(scope, headers, receive)
        except asyncio.CancelledError:  # the server is ending, and a trigger still hangs
            response = _closing(refusal_response("InternalErrorException", "The local pool is ending", 500))
        sent = [*response.headers, ("x-amzn-RequestId", str(uuid.uuid4())), ("Content-Length", str(len(response.body)))]
        # By the pool's clock, which may be ahead: clients count from it.
        sent.append(("Date", formatdate(self.pool.clock.now(), usegmt=True)))
        ours = str(scope["path"]).startswith(_OWN) or self._api_at(str(scope["path"])) is not None
        if not ours and self.origins is None:
            sent += [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED)]
        start = {
            "type": "http.response.start",
            "status": response.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent],
        }
        async with asyncio.timeout(_SEND_SECONDS):
            await send(start)
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})

    async def _response(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Response:
        host, method, path = headers.get("host", ""), str(scope["method"]), str(scope["path"])
        if self.hosts is not None and host.lower() not in self.hosts:
            return refusal_response(
                "ForbiddenException", "This is a local user pool: the Host header is another machine's", 403
            )
        api = self._api_at(path)
        if api is not None:
            return await self._replied(api, scope, headers, receive)
        origin = headers.get("origin", "")
        if self.origins is not None and origin not in {"", *self.origins}:
            return refusal_response("ForbiddenException", "Another page may not use this pool", 403)
        match method:
            case "OPTIONS":
                return _preflight(headers)
            case "GET" | "HEAD" if path in self._known:
                return await self._workers.run(partial(self._shown, path, _query(scope)))
            case "POST" if path == "/":
                return await self._posted(headers, receive)
            case _:
                there = ", ".join(("POST /", *(f"GET {known}" for known in self._known)))
                return refusal_response("ResourceNotFoundException", f"There is nothing here. There is {there}", 404)

    def _api_at(self, path: str) -> tuple[HttpApi, str] | None:
        """Return the API that *path* belongs to, and the path below it."""
        found = next((below for below in self.apis if f"{path}/".startswith(f"{below}/")), None)
        return (self.apis[found], path.removeprefix(found)) if found else None

    async def _replied(
        self, api: tuple[HttpApi, str], scope: Scope, headers: Mapping[str, str], receive: Receive
    ) -> Response:
        reply, path = api
        body = await self._body_in_time(headers, receive, self.max_body)
        if isinstance(body, Response):
            return body
        request = HttpRequest(str(scope["method"]), path, _query(scope), headers, body)
        operation = f"{request.method} {scope['path']}"

        def work() -> Response:
            began = time.perf_counter()
            with gathering() as runs:
                try:
                    made = reply(request)
                except Exception as defect:  # noqa: BLE001 - one of ours; the page reads every reply as JSON
                    made = refusing_reply(500, _FAILED)
                    self.defect(operation, defect)
            error = str(made.status) if made.status >= _FIRST_ERROR else ""
            self.told(Told(operation, {}, {}, error, made.body, time.perf_counter() - began, runs))
            return Response(made.status, made.body.encode(), tuple(made.headers.items()), error)

        return await self._workers.run(work)

    def _shown(self, path: str, query: Mapping[str, str]) -> Response:
        try:
            return self._known[path](query)
        except Exception as error:  # noqa: BLE001 - a defect of ours
            self.defect(f"GET {path}", error)
            return refusal_response("InternalErrorException", _FAILED, 500)

    async def _body_in_time(
        self, headers: Mapping[str, str], receive: Receive, most: int = MAX_BODY
    ) -> bytes | Response:
        try:
            async with asyncio.timeout(self.body_seconds):
                body = await _body(headers, receive, most)
        except TimeoutError:
            return _closing(refusal_response("RequestTimeoutException", "The body took too long to arrive", 408))
        if body is None:
            message = f"The body has more than {most} bytes"
            return _closing(refusal_response("RequestEntityTooLargeException", message, 413))
        return body

    async def _posted(self, headers: Mapping[str, str], receive: Receive) -> Response:
        body = await self._body_in_time(headers, receive)
        if isinstance(body, Response):
            return body
        try:
            operation = operation_of(headers.get("x-amz-target", ""))
            refuse_page(operation, headers)
            refuse_closed(operation, self.operations)
            given = parameters_in(operation, body)
        except RefusedError as error:
            return refusal_response(error.name, str(error), error.status)
        return await self._workers.run(partial(self._called, operation, given))

    def _called(self, operation: str, given: Mapping[str, object]) -> Response:
        began = time.perf_counter()
        reply: Mapping[str, Any] | None = None
        code = message = ""
        with gathering() as runs:
            try:
                reply = self.pool.operations[operation](given)
                response = reply_response(reply)
            except ClientError as error:
                response = failure_response(error)
                code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            except UnavailableError as error:
                # An outage, which is no defect; where the database is, is for the terminal.
                code, message = "InternalErrorException", str(error)
                response = refusal_response(code, "The local pool cannot do this now; its terminal says more", 500)
            except Exception as error:  # noqa: BLE001 - a defect of ours; the client is told no more than that
                code, message = "InternalErrorException", _FAILED
                response = refusal_response(code, message, 500)
                self.defect(operation, error)
        self.told(Told(operation, given, reply, code, message, time.perf_counter() - began, runs))
        return response

    def _routes(self) -> dict[str, Page]:
        known = f"/{self.pool.pool_id}/.well-known/"
        return {
            f"{known}jwks.json": lambda _: _public(self.pool.jwks()),
            f"{known}openid-configuration": lambda _: _public(self.pool.openid_configuration()),
            **{f"{_OWN}{name}": page for name, page in self.pages.items()},
            "/": lambda _: Response(303, b"", (("Location", f"{_OWN}{self.front}"),)),
        }


def _query(scope: Scope) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}


async def _body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | None:
    """Return the body, or None if it has more than *most* bytes."""
    announced = headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > MAX_DRAINED:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        part: bytes = event.get("body", b"")
        size += len(part)
        if size > MAX_DRAINED or event["type"] == "http.disconnect":
            return None
        if size > most:
            parts.clear()
        else:
            parts.append(part)
        if not event.get("more_body", False):
            return None if size > most else b"".join(parts)


def _closing(response: Response) -> Response:
    return Response(response.status, response.body, (*response.headers, ("Connection", "close")), response.error)


def _public(value: Mapping[str, Any]) -> Response:
    return Response(200, reply_response(value).body, (("Content-Type", "application/json"),))


def _preflight(headers: Mapping[str, str]) -> Response:
    asked = headers.get("access-control-request-headers", _DEFAULT_HEADERS)
    allowed = [
        ("Access-Control-Allow-Methods", "POST, GET, OPTIONS"),
        ("Access-Control-Allow-Headers", "".join(sign for sign in asked if sign.isprintable())),
        ("Access-Control-Max-Age", _PREFLIGHT_AGE),
    ]
    if "access-control-request-private-network" in headers:
        allowed.append(("Access-Control-Allow-Private-Network", "true"))
    return Response(204, b"", tuple(allowed))
