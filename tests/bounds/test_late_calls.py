"""What hangs is left behind: a trigger, a send, any call of the system's clock."""

import socket
import threading

import pytest

from watchword.contract.ports import Receipt
from watchword.errors import UnavailableError
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers.send_timeout import send_within
from watchword_adapters.userpool import ClientError, LocalUserPool

SOON = 0.05
"""Real seconds after which these tests count a call as late."""


def test_a_call_that_hangs_is_left_behind():
    """The caller goes on, and so does the next call, on another thread."""
    release = threading.Event()
    clock = SystemClock()
    try:
        with pytest.raises(UnavailableError, match=r"did not end within 0\.05 s: look for a kind, ledger or courier"):
            clock.call(release.wait, SOON)
        assert clock.call(lambda: "still here", 3600) == "still here"
    finally:
        release.set()


def test_a_trigger_that_hangs_is_left_behind():
    """The pool gives up after its deadline, three times, as Cognito does."""
    release = threading.Event()
    calls = []

    def hanging(event, context):
        calls.append(event)
        release.wait()
        return event

    pool = LocalUserPool(hanging, hanging, hanging, trigger_deadline=SOON)
    pool.add_user("ann", attributes={"email": "ann@example.com"})
    try:
        with pytest.raises(ClientError, match="UnexpectedLambdaException"):
            pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
        assert calls == [calls[0]] * 3
    finally:
        release.set()


def test_an_attempt_that_is_given_up_cannot_be_committed():
    """Once the caller was told that nothing left, nothing leaves, and the connection is cut."""
    release, ended, left = threading.Event(), threading.Event(), []
    ours, theirs = socket.socketpair()

    def work(attempt):
        try:
            attempt.watch(ours)
            release.wait()
            attempt.commit()
            left.append("the message")
        finally:
            ended.set()

    with ours, theirs, pytest.raises(UnavailableError, match=r"did not answer within 0\.05 seconds") as caught:
        try:
            send_within(SystemClock(), SOON, "the carrier", work)
        finally:
            assert theirs.recv(1) == b""
            release.set()
            ended.wait()
    assert caught.value.undelivered
    assert left == []


def test_an_attempt_that_hangs_once_committed_is_unknown():
    """If the carrier may have the message, the error does not say that it did not leave."""
    release = threading.Event()

    def work(attempt):
        attempt.commit()
        release.wait()
        return Receipt()

    with pytest.raises(UnavailableError) as caught:
        send_within(SystemClock(), SOON, "the carrier", work)
    release.set()
    assert not caught.value.undelivered
