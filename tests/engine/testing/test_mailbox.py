"""The mailbox: a courier for tests that reads the code from the last message."""

import pytest
from attrs import evolve

from watchword.errors import UnavailableError
from watchword.runtime.wire import reference
from watchword.testing import LETTER, CourierContract, Mailbox
from watchword_adapters.couriers import Outbox


class TestMailboxThroughTheOutbox(CourierContract):
    @pytest.fixture
    def courier(self):
        return Mailbox(through=Outbox())

    @pytest.fixture
    def delivered(self, courier):
        return lambda: courier.messages

    @pytest.fixture
    def hanging(self):
        return None  # It waits for nothing.


def code_of(text):
    mailbox = Mailbox()
    mailbox.send(evolve(LETTER, text=text), 1.0)
    return mailbox.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is 12345678.", "12345678"),
        ("From 2024 on:\n\n    12345678\n\nBye", "12345678"),
        ("BCDFGH", "BCDFGH"),
        (f"Reference: {reference(LETTER.id)}, code: BCDFGHJK", "BCDFGHJK"),
        (f"{reference(LETTER.id)}\n12345678", "12345678"),
    ],
)
def test_the_code_is_found(text, code):
    """On a line of its own first, else anywhere; the reference, which looks like one, is none."""
    assert code == code_of(text)


def test_the_last_message_counts():
    """An older code is that of an older message."""
    mailbox = Mailbox()
    for code in ("11111111", "22222222"):
        mailbox.send(evolve(LETTER, text=code), 1.0)
    assert "22222222" == mailbox.code


@pytest.mark.parametrize("text", ["", "no code here", "1", f"ref {reference(LETTER.id)}"])
def test_a_message_without_a_code_fails_the_test(text):
    """Better than a test that goes on with nothing."""
    with pytest.raises(AssertionError, match="holds no code"):
        code_of(text)


def test_an_empty_mailbox_fails_the_test():
    """Nobody was written to."""
    with pytest.raises(AssertionError, match="no message was sent"):
        _ = Mailbox().code


def test_a_mailbox_that_is_down_takes_nothing():
    """And says that nothing left."""
    mailbox = Mailbox()
    mailbox.down = True
    with pytest.raises(UnavailableError) as error:
        mailbox.send(LETTER, 1.0)
    assert error.value.undelivered
    assert [] == mailbox.messages


def test_a_mailbox_shows_no_message():
    """In a test's output either."""
    mailbox = Mailbox()
    mailbox.send(LETTER, 1.0)
    assert "Mailbox(1 messages)" == repr(mailbox)
