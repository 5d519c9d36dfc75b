"""Serve a pool: sockets on loopback, uvicorn, and a clean end."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.errors import ConfigurationError
from watchword_adapters.extras import demand
from watchword_adapters.poolserver.http.application import Application, Page
from watchword_adapters.userpool import LocalUserPool

if TYPE_CHECKING:
    import uvicorn

SERVING = ("uvicorn", "httptools")
"""What `serve` needs beyond the pool."""
LOOPBACK = "127.0.0.1"
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_ANY = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104 - to tell them, not to bind them
_KEEP_ALIVE_SECONDS = 75  # longer than clients keep an idle connection
_GRACE_SECONDS = 1


def open_sockets(host: str | None, port: int) -> list[socket.socket]:
    """Return listening sockets at *port* (0: a free one) of *host*; of both loopback addresses if that is None.

    Raises:
        ConfigurationError: if it cannot be had.
    """
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"--port {port}: a port is a number from 1 to 65535, or 0 for a free one")
    address = host or LOOPBACK
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
        sockets = [socket.create_server((address, port), family=family, backlog=512)]
    except (OSError, UnicodeError, ValueError) as error:
        raise _not_had(port, address, error) from None
    if host is None:
        # `localhost` is ::1 to some clients. Without IPv6 it goes without; but another program there would be sent what is for us.
        try:
            sockets.append(socket.create_server(("::1", port_of(sockets)), family=socket.AF_INET6, backlog=512))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sockets[0].close()
                if port == 0:
                    return open_sockets(host, port)  # another free one
                raise _not_had(port, "::1, to which localhost leads,", error) from None
    return sockets


def _not_had(port: int, address: str, error: Exception) -> ConfigurationError:
    why = getattr(error, "strerror", None) or str(error)
    return ConfigurationError(
        f"port {port} of {address} cannot be had: {why}; give another --port, or 0 for a free one"
    )


def port_of(sockets: list[socket.socket]) -> int:
    """Return the port of what `open_sockets` returned."""
    port: int = sockets[0].getsockname()[1]
    return port


def endpoint_of(sockets: list[socket.socket], host: str | None = None, *, tls: bool = False) -> str:
    """Return the address that clients are given."""
    name = LOOPBACK if host is None or host in _ANY else host
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port_of(sockets)}"


def hosts_of(sockets: list[socket.socket], host: str | None = None, *, tls: bool = False) -> frozenset[str] | None:
    """Return the Host headers to answer: the names of loopback, and *host*; all of them if it stands for any address."""
    if host in _ANY:
        return None
    names = {*_NAMES, *([host.lower(), f"[{host.lower()}]"] if host else ())}
    port = port_of(sockets)
    bare = names if port == (443 if tls else 80) else set[str]()
    return frozenset({f"{name}:{port}" for name in names} | bare)


def serve(
    application: Application,
    sockets: list[socket.socket],
    *,
    certificate: tuple[Path, Path] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then return. *certificate* are the files of a certificate and its key, in PEM.

    *ready* is called when connections are accepted.

    Raises:
        ConfigurationError: if the extra ``local`` is not installed.
    """
    server = _server(application, certificate, ready)
    handled = (signal.SIGINT, signal.SIGTERM)

    def end(*_: object) -> None:
        server.should_exit = True

    # uvicorn passes the signal on once it has shut down; an end that was asked for is no failure.
    before = {number: signal.signal(number, end) for number in handled}
    try:
        server.run(sockets)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def serving(
    pool: LocalUserPool | Callable[[str], LocalUserPool], *, port: int = 0, pages: Mapping[str, Page] | None = None
) -> Generator[str]:
    """Serve *pool* on loopback in a thread while the block runs; give the endpoint, such as ``http://127.0.0.1:49152``.

    *pool* may be a function that makes the pool of its endpoint, for an issuer that depends on it. Port 0 is a free one.

    Raises:
        ConfigurationError: if the port is taken, or the extra ``local`` is not installed.
    """
    sockets = open_sockets(None, port)
    endpoint = endpoint_of(sockets)
    try:
        made = pool if isinstance(pool, LocalUserPool) else pool(endpoint)
        with running(Application(made, hosts_of(sockets), pages or {}), sockets):
            yield endpoint
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running(
    application: Application, sockets: list[socket.socket], *, certificate: tuple[Path, Path] | None = None
) -> Generator[None]:
    """Serve in a thread while the block runs."""
    accepting = threading.Event()
    server = _server(application, certificate, accepting.set)

    def work() -> None:
        try:
            server.run(sockets)
        finally:
            accepting.set()

    thread = threading.Thread(target=work, name="pool-server", daemon=True)
    thread.start()
    accepting.wait()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _server(
    application: Application, certificate: tuple[Path, Path] | None, ready: Callable[[], None]
) -> uvicorn.Server:
    demand("serving", *SERVING)
    import uvicorn  # noqa: PLC0415 - only who serves needs it

    from watchword_adapters.poolserver.http.connection import BoundedConnection  # noqa: PLC0415

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    # Its words go to nobody: what matters of a request is told by `Application`.
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    config = uvicorn.Config(
        application,
        # uvloop has ended a test run with a segmentation fault: many servers, begun and stopped in threads (ADR 0009).
        loop="asyncio",
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=False,  # `Application` writes it, by the pool's clock
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    return Server(config)
