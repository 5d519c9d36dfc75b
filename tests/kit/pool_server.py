"""What the tests of the served pool share: a pool with Ann, one request without a socket, and raw ones with."""

import asyncio
import json
import socket
from contextlib import contextmanager

from kit.threaded_clock import ThreadedClock
from kit.user_pool import EMAIL, PASSWORD, START, CodeByMail
from watchword_adapters.poolserver.http.application import Application
from watchword_adapters.poolserver.http.json_protocol import PREFIX
from watchword_adapters.poolserver.http.server import hosts_of, open_sockets, port_of, running
from watchword_adapters.userpool import LocalUserPool

HOST = "127.0.0.1:9229"


def pool_with_ann(handlers=None, **settings):
    """A pool whose triggers are written by hand, and run beside whoever calls."""
    handlers = handlers or CodeByMail()
    settings = {"clock": ThreadedClock(START), **settings}
    pool = LocalUserPool(handlers.define, handlers.create, handlers.verify, **settings)
    pool.add_user("ann", password=PASSWORD, attributes=EMAIL)
    return pool


class Answered:
    """One answer of the application."""

    def __init__(self, events):
        self.status = events[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in events[0]["headers"]}
        self.body = b"".join(event.get("body", b"") for event in events[1:])

    @property
    def json(self):
        return json.loads(self.body)


def asked(application, method="POST", path="/", *, body=b"", headers=(), query=b"", parts=None):
    """The answer to one request, without a socket. *parts* are what `receive` gives, in place of *body* whole."""
    given = {"host": HOST, **dict(headers)}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    pending = list(parts or [{"type": "http.request", "body": body, "more_body": False}])
    sent = []

    async def receive():
        return pending.pop(0) if pending else await asyncio.Event().wait()

    async def send(event):
        sent.append(event)

    asyncio.run(application(scope, receive, send))
    return Answered(sent)


def called(application, operation, parameters, **more):
    """The answer to a call of *operation*."""
    headers = {"x-amz-target": f"{PREFIX}{operation}", **more}
    return asked(application, body=json.dumps(parameters).encode(), headers=headers)


def application_of(pool, **settings):
    """The application of *pool* at the usual host."""
    return Application(pool, frozenset({HOST}), **settings)


@contextmanager
def listening(application_for):
    """Serve what *application_for* makes of the hosts; give the port."""
    sockets = open_sockets(None, 0)
    with running(application_for(hosts_of(sockets)), sockets):
        yield port_of(sockets)


def said_to(port, data, *, more=()):
    """All that the server says to raw *data* (and *more*, piece by piece) until it closes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        try:
            for piece in (data, *more):
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received = b""
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                return received
            if not piece:
                return received
            received += piece
