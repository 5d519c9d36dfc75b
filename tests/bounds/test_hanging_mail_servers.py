"""A mail server or name server that hangs: the send ends in time, and says whether the message may have left."""

import re
import socket
import ssl
from threading import Event

import pytest

from kit.aws import isolate
from kit.mail_server import answering, failure
from watchword.errors import UnavailableError
from watchword.testing.couriers import LETTER
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers import SesCourier, SmtpCourier

pytestmark = pytest.mark.exhaustive

SOON = 0.3
"""Real seconds that these sends are given."""
OK = "250 OK"


def test_a_name_server_that_hangs_ends_in_time(monkeypatch):
    """Looking up a name has no time limit of its own; the courier's holds."""
    release = Event()

    def getaddrinfo(*given, **named):
        release.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    courier = SmtpCourier("mail.example", sender="no-reply@acme.example")
    with pytest.raises(UnavailableError, match=r"failed at connecting: did not answer within 0\.3 seconds") as caught:
        courier.send(LETTER, SOON)
    release.set()
    assert caught.value.undelivered


@pytest.mark.parametrize(
    ("script", "undelivered"),
    [
        (("hang",), True),
        (("220 hello", "hang"), True),
        (("220 hello", OK, "hang"), True),
        (("220 hello", OK, OK, "hang"), True),
        (("220 hello", OK, OK, OK, "hang"), True),
        (("220 hello", OK, OK, OK, "354 go on", "body", "hang"), False),
    ],
)
def test_undelivered_is_said_exactly_when_it_is_certain(script, undelivered):
    """Before the final dot the server cannot have the message; after it nobody knows. On a slow machine it may not come so far."""
    with answering(*script) as (port, _):
        assert failure(port, within=SOON, clock=SystemClock()).undelivered in {undelivered, True}


def test_a_server_that_hangs_before_tls_ends_in_time():
    """Nothing was encrypted, so nothing left."""
    context = ssl.create_default_context()
    with answering("hang") as (port, _):
        assert failure(port, within=SOON, tls="implicit", context=context, clock=SystemClock()).undelivered


def test_a_server_that_drips_ends_in_time():
    """A byte now and then meets every time limit of a socket; the courier's own holds, and it cuts the connection."""
    with answering("drip") as (port, _):
        error = failure(port, within=SOON, clock=SystemClock())
    assert error.undelivered
    # Cut off, the reading end may see what had dripped so far before the waiting end tells the time.
    assert re.search(r"did not answer within 0\.3 seconds|refused greeting with 2+$", str(error))


def test_nothing_is_sent_once_the_caller_was_told_so():
    """A server that wakes up after the courier has given up gets no message."""
    with answering("220 hello", OK, OK, OK, "hang") as (port, heard):
        assert failure(port, within=SOON, clock=SystemClock()).undelivered
    assert [] == [line for line in heard if "Your code" in line]
    assert heard[1:] == ["MAIL FROM:<no-reply@acme.example>", "RCPT TO:<ann@example.com>", "DATA"][: len(heard[1:])]


def test_amazon_ses_that_hangs_may_have_the_message(monkeypatch):
    """What was sent may have been taken: nobody knows."""
    isolate(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        courier = SesCourier("a@b.c", region="eu-west-1", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        courier.prepare()
        with pytest.raises(UnavailableError, match=r"^Amazon SES failed at ") as caught:
            courier.send(LETTER, SOON)
    assert "timeout" == caught.value.reason
