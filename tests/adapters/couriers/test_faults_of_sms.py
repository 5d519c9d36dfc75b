"""A sign-in by SMS over botocore's own models of the services: a refused number looks sent, a channel that is down is down for all."""

import pytest
from botocore.stub import Stubber

from kit.aws import isolate
from watchword import Flow
from watchword.testing.time import VirtualClock
from watchword_adapters.audit import MemoryAudit
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.couriers import SmsVoiceCourier, SnsCourier
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_plugins.sms_otp import SmsOtp

NUMBER = "+4915112345678"
SERVICES = {
    "sms-voice": (
        lambda clock: SmsVoiceCourier("pool-0123", max_price="0.10", region="eu-west-1", floor=0.0, clock=clock),
        "send_text_message",
    ),
    "sns": (lambda clock: SnsCourier(region="eu-west-1", floor=0.0, clock=clock), "publish"),
}
REFUSED = [
    ("sms-voice", "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    ("sms-voice", "ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
    ("sms-voice", "ConflictException", "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"),
    ("sms-voice", "ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND"),
    ("sms-voice", "ValidationException", "INVALID_PARAMETER"),
    ("sms-voice", "ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
    ("sns", "OptedOut", ""),
    ("sns", "InvalidParameter", ""),
]
DOWN = [
    ("sms-voice", "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "throttled"),
    ("sms-voice", "ThrottlingException", "", "throttled"),
    ("sms-voice", "InternalServerException", "", "internal"),
    ("sms-voice", "AccessDeniedException", "ACCOUNT_DISABLED", "paused"),
    ("sns", "Throttling", "", "throttled"),
    ("sns", "InternalError", "", "internal"),
    ("sns", "AuthorizationError", "", "permission"),
]


class Place:
    """A flow by SMS, and a service that answers as it is told."""

    def __init__(self, scheme):
        make, self._operation = SERVICES[scheme]
        self.clock, self.audit = VirtualClock(), MemoryAudit()
        courier = make(self.clock)
        courier.prepare()
        self.service = Stubber(courier._client.ready())
        self.service.activate()
        self._made = triggers(
            Flow(SmsOtp(length=8, countries=("+49",))),
            key=bytes(range(32)),
            courier={"sms": courier},
            ledger=MemoryLedger(),
            clock=self.clock,
            audit=self.audit,
        )

    def refuses(self, code, cause):
        """Have the next call end with this error."""
        fields = {"Reason": cause} if cause else {}
        self.service.add_client_error(self._operation, code, "canary", modeled_fields=fields)

    def takes(self):
        """Have the next call succeed."""
        self.service.add_response(self._operation, {"MessageId": "1"})

    def begins(self, name, known=True):
        """What a client is told: the public parameters, or the word with which Create ends."""
        phone = {"sub": f"sub of {name}", "phone_number": NUMBER, "phone_number_verified": "true"}
        event = {
            "version": "1",
            "triggerSource": "CreateAuthChallenge_Authentication",
            "region": "eu-west-1",
            "userPoolId": "eu-west-1_AbCdEf123",
            "userName": name,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "4f8k2m9q1r7s3t5v6w0x2y4z8a"},
            "request": {
                "userAttributes": phone if known else {},
                "userNotFound": not known,
                "challengeName": "CUSTOM_CHALLENGE",
                "session": [],
            },
            "response": {},
        }
        try:
            public = self._made.create(event, None)["response"]["publicChallengeParameters"]
        except TriggerError as error:
            return str(error).partition(" ")[0]
        return {
            name: value
            for name, value in public.items()
            if name not in {"ref", "challenge", "expires_at", "resend_after", "signin"}
        }

    def told(self, name):
        """The reasons of the events *name*."""
        return [each.detail.get("reason", "") for each in self.audit.events if each.name == name]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    """Credentials that are none, and nothing of the machine's own settings."""
    isolate(monkeypatch)


@pytest.mark.parametrize(("scheme", "code", "cause"), REFUSED)
def test_a_number_that_the_service_refuses_looks_as_if_it_had_been_written_to(scheme, code, cause):
    """To its user, and to nobody; the next number is written to."""
    place = Place(scheme)
    place.refuses(code, cause)
    refused = place.begins("ann")
    assert refused == place.begins("nobody", known=False)
    assert isinstance(refused, dict)
    assert ["sandbox" if "NOT_VERIFIED" in cause else "recipient_refused"] == place.told("sys_message_refused")
    place.takes()
    assert refused == place.begins("bob")
    place.service.assert_no_pending_responses()


@pytest.mark.parametrize(("scheme", "code", "cause", "reason"), DOWN)
def test_a_channel_that_is_down_is_down_for_users_and_for_nobody(scheme, code, cause, reason):
    """The spending limit too: it is no matter of one number. A minute later it goes on."""
    place = Place(scheme)
    place.refuses(code, cause)
    assert "UNAVAILABLE" == place.begins("ann") == place.begins("nobody", known=False)
    assert [reason] == place.told("sys_courier_failed")
    assert [] == place.told("sys_message_refused")
    place.clock.advance(61)
    place.takes()
    assert place.begins("ann") == place.begins("nobody", known=False)
    place.service.assert_no_pending_responses()
