"""A plugin may bring a message of its own, with a courier for its channel."""

from attrs import evolve, frozen

from kit.messages import Text
from watchword import Challenge, Flow, Verdict
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
