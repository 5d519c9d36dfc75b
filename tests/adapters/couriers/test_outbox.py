"""The outbox and the console courier."""

import io
import subprocess
import sys

import pytest
from attrs import evolve

from kit.messages import Text
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.couriers import LETTER, TEXT_MESSAGE, CourierContract
from watchword_adapters.couriers import ConsoleCourier, Outbox, outbox


class TestOutbox(CourierContract):
    @pytest.fixture
    def courier(self):
        return Outbox()

    @pytest.fixture
    def delivered(self, courier):
        return lambda: courier.messages

    @pytest.fixture
    def hanging(self):
        return None  # It waits for nothing.


class TestOutboxWithTextMessages(TestOutbox):
    letter = TEXT_MESSAGE


def printed(message):
    stream = io.StringIO()
    ConsoleCourier(stream).send(message, 1.0)
    return stream.getvalue()


def test_the_outbox_keeps_messages_in_order():
    """The last message sent is the last one kept, as it was, and the receipt has its id."""
    courier = Outbox()
    for number in range(3):
        assert courier.send(evolve(LETTER, id=f"m{number}"), 1.0).id == f"m{number}"
    assert [message.id for message in courier.messages] == ["m0", "m1", "m2"]
    last = courier.messages[-1]
    assert (last.to, last.subject, last.text, last.html) == (LETTER.to, LETTER.subject, LETTER.text, LETTER.html)


def test_the_outbox_carries_other_channels():
    """A telephone number is a recipient too, though no line end is."""
    courier = Outbox()
    courier.send(Text("+15555550100", "code"), 1.0)
    with pytest.raises(UnavailableError, match="recipient"):
        courier.send(Text("+1555\n5550100", "code"), 1.0)
    assert [message.to for message in courier.messages] == ["+15555550100"]


@pytest.mark.parametrize(
    "to", ["15555550100", "+1 555 555 0100", "+0155555501", "+1555555010\uff10", "ann@example.com"]
)
def test_a_number_that_is_not_in_e_164_is_refused(to):
    """Whoever made the message: a carrier could read it as another number."""
    with pytest.raises(UnavailableError, match=r"E\.164") as caught:
        Outbox().send(Text(to, "code"), 1.0)
    assert (caught.value.refused, caught.value.reason) == (True, "recipient_refused")


def test_the_console_shows_text_messages():
    """The number and the text; there is no subject."""
    shown = printed(TEXT_MESSAGE)
    assert shown.startswith("\n| To: +15555550100\n|\n| 12345678 is your code")
    assert "| @example.com #12345678\n" in shown


def test_sending_in_memory_needs_no_padding():
    """Both have a floor of 0."""
    assert (Outbox().floor, ConsoleCourier().floor) == (0.0, 0.0)


def test_the_console_shows_the_message():
    """Recipient, subject and text are printed, a line each; HTML is not."""
    assert printed(LETTER) == ("\n| To: ann@example.com\n| Subject: Your code\n|\n| Your code is 12345678.\n\n")


@pytest.mark.parametrize("trick", ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\x7f", "\x00"])
def test_the_console_plays_no_tricks(trick):
    """Escape sequences in a text are shown, not obeyed."""
    shown = printed(evolve(LETTER, text=f"a{trick}b"))
    assert trick not in shown
    assert f"| a{ascii(trick)[1:-1]}b\n" in shown


def test_the_console_prints_what_its_encoding_cannot():
    """Characters that the stream's encoding does not have are shown as escapes."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleCourier(stream).send(evolve(LETTER, text="ä €"), 1.0)
    assert b"| \\xe4 \\u20ac" in raw.getvalue()


def test_the_console_is_standard_output(capsys):
    """Without a stream it prints where the program prints at that moment."""
    ConsoleCourier().send(LETTER, 1.0)
    assert "12345678" in capsys.readouterr().out


def test_a_console_that_is_gone_is_unavailable():
    """A closed stream is an UnavailableError, without the message in it."""
    stream = io.StringIO()
    stream.close()
    with pytest.raises(UnavailableError, match="ValueError") as caught:
        ConsoleCourier(stream).send(LETTER, 1.0)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("message", "within"), [(evolve(LETTER, to="no address"), 1.0), (LETTER, 0.0)])
def test_the_console_refuses_what_every_courier_refuses(message, within):
    """An unfit message, and one without time, print nothing."""
    stream = io.StringIO()
    with pytest.raises(UnavailableError) as caught:
        ConsoleCourier(stream).send(message, within)
    assert caught.value.undelivered
    assert stream.getvalue() == ""


def test_the_console_is_named_by_its_url():
    """``console:`` and nothing more."""
    found = {}
    outbox.register_couriers(lambda scheme, factory, channel: found.update({scheme: factory, "carries": channel}))
    assert found.pop("carries") == "*"
    assert list(found) == ["console"]
    assert repr(found["console"]("console:")) == "ConsoleCourier()"
    with pytest.raises(ConfigurationError, match="takes nothing"):
        found["console"]("console://x")


def test_naming_the_outbox_loads_neither_smtplib_nor_boto3():
    """Each courier is loaded when it is named; a name that does not exist is an AttributeError."""
    code = (
        "import sys; from watchword_adapters.couriers import Outbox, ConsoleCourier\n"
        "assert not {'smtplib', 'ssl', 'boto3', 'botocore', 'email', 'socket'} & set(sys.modules)\n"
        "from watchword_adapters.couriers import SesCourier; SesCourier('a@b.c', region='eu-west-1')\n"
        "assert 'boto3' not in sys.modules\n"
        "from watchword_adapters.couriers import SmtpCourier; assert 'smtplib' in sys.modules\n"
        "import watchword_adapters.couriers as couriers\n"
        "try: couriers.Nothing\nexcept AttributeError as error: assert 'Nothing' in str(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
