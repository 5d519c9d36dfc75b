"""Envelopes, URLs and attempts: what the couriers share."""

import socket

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.messages import TEXT
from watchword.contract.ports import Receipt
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.couriers import LETTER
from watchword.testing.time import VirtualClock
from watchword_adapters.couriers.envelope import Sender, is_address, refuse_unfit
from watchword_adapters.couriers.send_timeout import Attempt, GivenUpError, send_within
from watchword_adapters.urls import PortURL


@pytest.mark.parametrize(
    "address",
    ["a@b", "ann@example.com", "ann.lee+codes@mail.example.co.uk", "o'neil@example.com", "a_b=c~d@xn--exmple-cua.com"],
)
def test_plain_addresses_pass(address):
    """What mail providers give out as addresses is accepted."""
    assert is_address(address)
    refuse_unfit(evolve(LETTER, to=address))


@given(st.text(max_size=40))
def test_an_address_is_never_more_than_one(text):
    """Whatever passes is ASCII, has one @, and nothing that any mail program takes for a separator or a comment."""
    for candidate in (text, text + "@example.com", "ann@" + text):
        if is_address(candidate):
            assert candidate.isascii()
            assert candidate.count("@") == 1
            assert not set(candidate) & set(' ,;:<>()[]"\\\r\n\t')


def test_a_message_of_another_channel_is_refused():
    """A courier of e-mail does not take a text message for one."""
    with pytest.raises(UnavailableError, match="is for the channel 'sms'") as caught:
        refuse_unfit(TEXT, "email")
    assert caught.value.undelivered


def test_a_sender_has_an_address_and_perhaps_a_name():
    """Both forms are read, and written as a header that is one line of ASCII."""
    assert Sender.parse("no-reply@example.com") == Sender("no-reply@example.com")
    assert Sender.parse('"Acme" <no-reply@example.com>') == Sender("no-reply@example.com", "Acme")
    assert Sender.parse("no-reply@example.com").header() == "no-reply@example.com"
    assert Sender.parse("Ácme <a@b.c>").header() == "=?utf-8?b?w4FjbWU=?= <a@b.c>"


@pytest.mark.parametrize("text", ["", "Acme", "a@b.c, d@e.f", "Acme <a@b.c> <d@e.f>", "A\nB <a@b.c>", "<>", "ä@b.c"])
def test_a_bad_sender_is_refused(text):
    """Anything but one sender is a ConfigurationError that shows the form."""
    with pytest.raises(ConfigurationError, match=r"Acme <no-reply@example\.com>"):
        Sender.parse(text)


def test_a_url_is_read_in_parts():
    """User, password and options are percent-decoded; a plus sign stays one; nothing secret is in the repr."""
    url = PortURL.parse("SMTP://me%40x:p%3Aw%2F@Mail.Example.com:587/?from=a+b@c.d&tls=none", options=("from", "tls"))
    assert (url.scheme, url.host, url.port) == ("smtp", "mail.example.com", 587)
    assert (url.user, url.password, url.path) == ("me@x", "p:w/", "/")
    assert url.options == {"from": "a+b@c.d", "tls": "none"}
    assert "p:w/" not in repr(url)
    assert PortURL.parse("smtp://[::1]:25", options=()).host == "::1"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("smtp://u:canary@h:port?from=a@b.c", "malformed host or port"),
        ("smtp://u:canary@h:99999?from=a@b.c", "malformed host or port"),
        ("smtp://u:canary@[h", "malformed host or port"),
        ("smtp://u:canary#x@h?from=a@b.c", "has a #"),
        ("smtp://u:can ary@h", "percent-encode"),
        ("smtp://u:canary@h\n", "percent-encode"),
        ("smtp://u:canary@h?form=a@b.c", "option that it does not know, 'form': it knows from, tls"),
        ("smtp://u:12?canary=x@h", "option that it does not know: it knows from, tls"),
        ("smtp://u:canary?x@h", "malformed host or port"),
        ("smtp://u:canary@h?from=a@b.c&from=d@e.f", "'from' once"),
        ("smtp://u:canary@h?from=", "'from' once and with a value"),
        ("smtp://u:canary@h?from", "'from' once and with a value"),
    ],
)
def test_a_bad_url_is_refused_without_showing_it(url, what):
    """The part and the remedy are named; the password never is, nor in the chain of causes."""
    with pytest.raises(ConfigurationError, match=what) as caught:
        PortURL.parse(url, options=("from", "tls"))
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
    assert "URL smtp:" in str(caught.value)


# Attempts


def test_an_attempt_returns_its_receipt():
    """What the work returns in time is the answer."""
    assert send_within(VirtualClock(), 5.0, "the carrier", lambda attempt: Receipt("id")) == Receipt("id")


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("error", [OSError("canary"), SystemExit("canary"), RecursionError("canary")])
def test_a_failure_says_whether_the_message_may_have_left(committed, error):
    """Before the attempt is committed it certainly did not; afterwards nobody knows. What was raised is not shown."""

    def work(attempt):
        attempt.enter("the stage", 1.0)
        if committed:
            attempt.commit()
        raise error

    with pytest.raises(UnavailableError, match=f"^the carrier failed at the stage: {type(error).__name__}$") as caught:
        send_within(VirtualClock(), 5.0, "the carrier", work)
    assert caught.value.undelivered is not committed
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("committed", [True, False])
def test_an_attempt_that_is_late_says_whether_the_message_may_have_left(committed):
    """Also if the carrier said yes in the end: nobody waited for it."""
    clock = VirtualClock()

    def work(attempt):
        attempt.enter("the stage", 1.0)
        if committed:
            attempt.commit()
        clock.advance(3.001)
        return Receipt("id")

    said = r"^the carrier failed at the stage: did not answer within 3 seconds$"
    with pytest.raises(UnavailableError, match=said) as caught:
        send_within(clock, 3.0, "the carrier", work)
    assert caught.value.undelivered is not committed


def test_a_stage_never_waits_longer_than_what_is_left():
    """A stage has its own limit or what is left of the whole, and none if nothing is left."""
    assert Attempt(VirtualClock(), 10).enter("s", 1.0) == 1.0
    assert Attempt(VirtualClock(), 0.5).enter("s", 1.0) == 0.5
    with pytest.raises(GivenUpError):
        Attempt(VirtualClock(), 0).enter("s", 1.0)


def test_a_connection_made_too_late_is_not_used():
    """A connection that comes after the attempt was given up is refused."""
    attempt = Attempt(VirtualClock(), 1.0)
    attempt.give_up()
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(GivenUpError):
        attempt.watch(ours)


def test_without_a_thread_nothing_leaves():
    """If the system gives no more threads, the message certainly did not leave."""

    class Full(VirtualClock):
        def call(self, work, within):
            raise UnavailableError("there was no thread for the call", undelivered=True)

    with pytest.raises(UnavailableError, match="no thread") as caught:
        send_within(Full(), 1.0, "the carrier", lambda attempt: Receipt())
    assert caught.value.undelivered
