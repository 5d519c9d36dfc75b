"""A sign-in by SMS over an emulator of SNS that answers over HTTP, as the service does."""

import pytest

from kit.aws import isolate
from kit.emulator import emulator, text_messages
from watchword import Flow, Registry
from watchword.testing import FlowUser
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.sms_otp import SmsOtp

pytestmark = pytest.mark.exhaustive


def test_sns_takes_the_text_of_a_sign_in(tmp_path, monkeypatch):
    """The courier of the URL publishes to the number; what it took is the text that signs in."""
    isolate(monkeypatch)
    phone = {"sub": "ann", "phone_number": "+4915112345678", "phone_number_verified": "true"}
    user = FlowUser(Flow(SmsOtp(length=8, countries=("+49",))), ledger=MemoryLedger(), attributes=phone)
    with emulator(tmp_path) as endpoint:
        courier = Registry().find_courier(f"sns://?region=us-east-1&max_price=0.10&endpoint={endpoint}")
        courier.prepare()
        asked = user.signs_in()
        (letter,) = user.outbox.messages
        courier.send(letter, 30.0)
        assert [(letter.to, letter.text)] == text_messages(endpoint)
    asked.answers(letter.text[:8]).gets_tokens()
