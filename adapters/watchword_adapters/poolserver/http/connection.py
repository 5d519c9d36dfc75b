"""One HTTP connection, bounded: a client that is slow, or sends a part of a request without end, is cut off."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watchword_adapters.poolserver.http.application import BODY_SECONDS, MAX_BODY, MAX_DRAINED

HEAD_SECONDS = 10.0
"""How long a request's line and headers may take to arrive."""

REST_SECONDS = BODY_SECONDS + 5
"""How long what follows may take, trailers included: longer than `Application` waits for a body, since it can say why."""

MAX_BESIDE = 64 * 1024
"""How many bytes of a request may be other than its body: line, headers, the sizes and extensions of chunks, trailers."""

_LONGEST_BODY = MAX_DRAINED + MAX_BODY  # more than `Application` reads before it says no
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's connection with a limit on time and size of every part of a request, which it does not have itself.

    Trailers are not read: what they say must not count as a header (RFC 9110, section 6.5.1).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late: TimerHandle | None = None
        self._in_head = True
        self._beside = 0
        self._body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a request that are not its body."""
        if self._late is not None:
            self._beside += len(data)
        super().data_received(data)
        if (self._beside > MAX_BESIDE or self._body > _LONGEST_BODY) and not self.transport.is_closing():
            if self._in_head or not self.cycle.response_started:
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head, on a connection that was used before."""
        super().on_message_begin()
        if self._late is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header, and no trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to wait for the rest: the head is there."""
        self._stop_waiting()
        self._in_head = False
        self._late = self.loop.call_later(REST_SECONDS, self.transport.close)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Tell the bytes of the body from the others."""
        self._beside = max(0, self._beside - len(body))
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: the request is there, and may be answered in any time."""
        self._stop_waiting()
        self._beside = self._body = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._in_head = True
        self._beside = self._body = 0
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
