"""A plugin may bring a message of its own, with a courier for its channel."""

import pytest
from attrs import evolve, frozen

from kit.messages import Text
from watchword import Challenge, Flow, Sms, Verdict
from watchword.contract import is_telephone_number
from watchword.testing import FlowUser
from watchword_adapters.ledgers import MemoryLedger


@frozen
class TextOtp:
    """A code by text message."""

    kind = "text_otp"
    proves = frozenset({"possession"})
    channel = "sms"
    resend_after: int = 60

    def create(self, request):
        """Send it, but not again after a wrong answer."""
        code = request.code("0123456789", 8)
        to = request.user.attributes.get("phone_number", "")
        messages = (Text(to, code),) if to and not request.again else ()
        return Challenge(private={"digest": request.seal(code)}, messages=messages)

    def verify(self, request):
        """Judge it."""
        return Verdict(request.matches(request.private.get("digest"), request.answer))


def test_a_message_of_another_channel_goes_the_way_of_an_email():
    """It is given its id, is sent once, and its code signs the user in."""
    ann = FlowUser(Flow(TextOtp()), attributes={"phone_number": "+15555550100"}, ledger=MemoryLedger())
    sign_in = ann.signs_in()
    (message,) = ann.outbox.messages
    assert isinstance(message, Text)
    assert message.id
    assert Text("+15555550100", ann.outbox.code) == evolve(message, id="")
    sign_in.answers(ann.outbox.code)
    sign_in.gets_tokens()


def test_a_text_message_has_one_text_and_shows_none_of_it():
    """Neither number nor text is in its repr: it holds the code."""
    message = Sms("+15555550100", "12345678 is your code", id="1", expires=7)
    assert ("sms", ("12345678 is your code",)) == (message.channel, message.texts())
    assert "12345678" not in repr(message)
    assert "+1" not in repr(message)


@pytest.mark.parametrize("text", ["+1555555", "+15555550100", "+491511234567890", "+999999999999999"])
def test_a_number_in_e_164_has_7_to_15_digits(text):
    """Behind a plus sign, the first not 0: a prefix of a country never begins with it."""
    assert is_telephone_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "+",
            "+0",
            "+155555",
            "+1555555501000000",
            "15555550100",
            "++5555550100",
            "+05555550100",
            "+1 5555550100",
        ),
        *(
            "+1555555010\uff10",
            "+1555555010\u0660",
            "+1555555010\u00b2",
            "+15555550100\n",
            "\n+15555550100",
            "+1555555010a",
        ),
    ],
)
def test_nothing_else_is_a_number(text):
    """No spaces, no letters, no digits of other scripts, no line end."""
    assert not is_telephone_number(text)
