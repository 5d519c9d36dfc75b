"""A mail server on loopback that says what a test has it say, and what becomes of a message that is sent to it."""

import contextlib
import socket
import ssl
from threading import Event, Thread

import pytest

from kit.threaded_clock import ThreadedClock
from watchword.errors import UnavailableError
from watchword.testing.couriers import LETTER
from watchword_adapters.couriers import SmtpCourier


@contextlib.contextmanager
def answering(*script, certificate=None):
    """A server that says the lines of *script*: the first as its greeting, the others to a line that it hears.

    ``body`` hears all up to the final dot, and what follows answers that; ``close``, ``reset`` and ``hang`` do so;
    ``drip`` says one byte after another until the connection is cut; ``tls`` goes over to TLS. Yields the port and the lines that were heard.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    done, cut, heard = Event(), Event(), []

    def talk():
        connection, _ = listener.accept()
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(stack.enter_context(connection).makefile("rb"))
            hear = False
            for line in script:
                if line == "tls":
                    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                    context.load_cert_chain(certificate)
                    connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
                    file = stack.enter_context(connection.makefile("rb"))
                    continue
                if line == "body":
                    while file.readline() not in (b".\r\n", b""):
                        pass
                    hear = False
                    continue
                if hear:
                    heard.append(file.readline().decode(errors="replace").strip())
                hear = True
                if line == "hang":
                    done.wait()
                elif line == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                elif line == "drip":
                    try:
                        while not done.wait(0.01):
                            connection.sendall(b"2")
                    except OSError:
                        cut.set()
                elif line != "close":
                    connection.sendall(line.encode() + b"\r\n")

    def run():
        with contextlib.suppress(OSError):
            talk()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        if "drip" in script:
            assert cut.wait(), "the connection was not cut"
        done.set()
        listener.close()
        thread.join()
        assert not thread.is_alive()


def failure(port, within=3600.0, message=LETTER, clock=None, **options):
    """Send to *port* and return the error."""
    courier = SmtpCourier(
        "127.0.0.1", port=port, sender="no-reply@acme.example", clock=clock or ThreadedClock(), **options
    )
    with pytest.raises(UnavailableError) as caught:
        courier.send(message, within)
    assert "ann@example.com" not in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value
