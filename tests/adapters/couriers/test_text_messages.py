"""The couriers of text messages: boto3's own clients and service models, answered before anything leaves; moto for SNS."""

import json
import sys
from threading import Event
from urllib.parse import parse_qs

import pytest
from attrs import evolve
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber
from moto import mock_aws
from moto.sns.models import sns_backends

from kit.aws import isolate
from kit.messages import TEXT
from watchword import Registry, Sms
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.couriers import LETTER, TEXT_MESSAGE, CourierContract
from watchword.testing.time import VirtualClock
from watchword_adapters.couriers import SmsVoiceCourier, SnsCourier, aws_sending, sms_voice, sns

POOL = "pool-0123456789abcdef"
COURIERS = {
    "sms-voice": lambda **more: SmsVoiceCourier(POOL, max_price="0.10", region="eu-west-1", **more),
    "sns": lambda **more: SnsCourier(max_price="0.10", region="eu-west-1", **more),
}
CARRIERS = {"sms-voice": "AWS End User Messaging", "sns": "Amazon SNS"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    """Credentials that are none, and nothing of the machine's own settings."""
    isolate(monkeypatch)


class Body:
    """What urllib3 would stream."""

    def __init__(self, body):
        self.body = body

    def stream(self, **_):
        yield self.body

    def read(self, *_):
        return self.body


class Wire:
    """Where the requests of *courier* end: after boto3 has checked, written and signed them."""

    def __init__(self, scheme, courier):
        self.scheme, self.requests, self.answer, self.done = scheme, [], None, Event()
        courier.prepare()
        courier._client.ready().meta.events.register("before-send", self._answered)

    def _answered(self, request, **_):
        said = request.body.decode() if isinstance(request.body, bytes) else request.body
        if self.scheme == "sns":
            self.requests.append({name: value for name, (value,) in parse_qs(said).items()})
        else:
            self.requests.append(json.loads(said))
        if self.answer == "hang":
            self.done.wait()
        status, code, cause = self.answer if isinstance(self.answer, tuple) else (200, "", "")
        if self.scheme == "sns":
            ok = "<PublishResponse><PublishResult><MessageId>the-id</MessageId></PublishResult></PublishResponse>"
            text = f"<ErrorResponse><Error><Code>{code}</Code><Message>canary +1555</Message></Error></ErrorResponse>"
            text = text if code else ok
        else:
            told = (
                {"__type": code, "Message": "canary +15555550100", "Reason": cause} if code else {"MessageId": "the-id"}
            )
            text = json.dumps(told)
        return AWSResponse(request.url, status, {}, Body(text.encode()))

    def messages(self):
        names = ("PhoneNumber", "Message") if self.scheme == "sns" else ("DestinationPhoneNumber", "MessageBody")
        return [Sms(*(each[name] for name in names)) for each in self.requests]


@pytest.fixture(params=list(COURIERS))
def scheme(request):
    return request.param


@pytest.fixture
def courier(scheme, clock):
    return COURIERS[scheme](clock=clock)


@pytest.fixture
def clock():
    return None  # the system's: a courier that hangs is waited for


@pytest.fixture
def wire(scheme, courier):
    wire = Wire(scheme, courier)
    yield wire
    wire.done.set()


@pytest.mark.parametrize("scheme", list(COURIERS), indirect=True)
class TestTextMessages(CourierContract):
    letter = TEXT_MESSAGE
    within = 3600.0
    secrets = ("AKIACANARY", "canary-secret", "pool-0123456789abcdef")

    @pytest.fixture(autouse=True)
    def _unhurried(self, monkeypatch, wire):
        monkeypatch.setattr(aws_sending, "CONNECT", 3600.0)
        monkeypatch.setattr(aws_sending, "READ", 3600.0)

    @pytest.fixture
    def delivered(self, wire):
        return wire.messages

    @pytest.fixture
    def hanging(self, wire, courier):
        wire.answer = "hang"
        return courier


# What is sent


def test_the_service_is_told_the_price_the_time_and_the_message():
    """As its own model has it: Stubber checks each name and value."""
    clock = VirtualClock()
    courier = COURIERS["sms-voice"](clock=clock, configuration_set="codes", protect_configuration="protect-1")
    client = courier._client.ready()
    asked = {
        "DestinationPhoneNumber": "+15555550100",
        "MessageBody": "123456 is your code",
        "MessageType": "TRANSACTIONAL",
        "OriginationIdentity": POOL,
        "MaxPrice": "0.10",
        "ConfigurationSetName": "codes",
        "ProtectConfigurationId": "protect-1",
        "Context": {"watchword_message": "abc"},
        "TimeToLive": 170,
    }
    with Stubber(client) as stubber:
        stubber.add_response("send_text_message", {"MessageId": "the-id"}, asked)
        message = Sms("+15555550100", "123456 is your code", id="abc", expires=int(clock.now()) + 180)
        clock.advance(10)
        assert courier.send(message, 3.0).id == "the-id"
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(("expires", "told"), [(None, None), (-50, 5), (3, 5), (5, 5), (600, 600), (10**7, 259_200)])
def test_the_time_to_live_is_what_is_left_of_the_code(expires, told):
    """Within what the service takes; a message that does not say when it ends has none."""
    clock = VirtualClock()
    courier = COURIERS["sms-voice"](clock=clock)
    wire = Wire("sms-voice", courier)
    courier.send(evolve(TEXT_MESSAGE, expires=0 if expires is None else int(clock.now()) + expires), 3.0)
    assert told == wire.requests[-1].get("TimeToLive")


def test_moto_has_what_sns_was_told():
    """An emulator of SNS that others wrote takes the request, with its number and text."""
    with mock_aws():
        courier = SnsCourier(max_price="0.10", sender_id="Acme", region="eu-west-1", clock=VirtualClock())
        assert courier.send(TEXT_MESSAGE, 3.0).id
        (sent,) = sns_backends["123456789012"]["eu-west-1"].sms_messages.values()
    assert sent[:2] == (TEXT_MESSAGE.to, TEXT_MESSAGE.text)


def test_sns_is_told_price_and_sort():
    """In the attributes that it has for text messages."""
    courier = SnsCourier(
        max_price="1", sender_id="Acme", origination="+15555550199", region="eu-west-1", clock=VirtualClock()
    )
    wire = Wire("sns", courier)
    courier.send(TEXT_MESSAGE, 3.0)
    (asked,) = wire.requests
    told = {
        asked[f"MessageAttributes.entry.{n}.Name"]: (
            asked[f"MessageAttributes.entry.{n}.Value.DataType"],
            asked[f"MessageAttributes.entry.{n}.Value.StringValue"],
        )
        for n in range(1, 5)
    }
    assert told == {
        "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
        "AWS.SNS.SMS.MaxPrice": ("Number", "1.0"),
        "AWS.SNS.SMS.SenderID": ("String", "Acme"),
        "AWS.MM.SMS.OriginationNumber": ("String", "+15555550199"),
    }
    assert "TopicArn" not in asked


def test_a_message_of_a_plugin_by_sms_is_carried_too(courier, wire):
    """Its texts are one text."""
    courier.send(TEXT, 3600.0)
    assert [message.text for message in wire.messages()] == [TEXT.said]


@pytest.mark.parametrize("text", ["", " \n", "x" * 1601])
def test_a_text_that_is_empty_or_too_long_is_refused(courier, wire, text):
    """Before anything leaves: it is the message's fault, no outage."""
    with pytest.raises(UnavailableError, match="1 to 1600 are carried") as caught:
        courier.send(evolve(TEXT_MESSAGE, text=text), 3.0)
    assert (True, True, "message_refused") == (caught.value.undelivered, caught.value.refused, caught.value.reason)
    assert wire.requests == []


def test_an_email_is_not_carried(courier, wire):
    """A wrong set-up, not a wrong recipient."""
    with pytest.raises(UnavailableError, match="channel") as caught:
        courier.send(LETTER, 3.0)
    assert (caught.value.refused, caught.value.reason) == (False, "setup")
    assert wire.requests == []


# Failures


@pytest.mark.parametrize(
    ("scheme", "answer", "told"),
    [
        ("sms-voice", (400, "ThrottlingException", ""), (True, False, "throttled")),
        (
            "sms-voice",
            (400, "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            (True, False, "throttled"),
        ),
        ("sms-voice", (400, "AccessDeniedException", ""), (True, False, "permission")),
        ("sms-voice", (400, "AccessDeniedException", "ACCOUNT_DISABLED"), (True, False, "paused")),
        ("sms-voice", (400, "ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"), (True, True, "sandbox")),
        (
            "sms-voice",
            (400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            (True, True, "recipient_refused"),
        ),
        (
            "sms-voice",
            (400, "ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            (True, True, "recipient_refused"),
        ),
        ("sms-voice", (400, "ConflictException", "RESOURCE_NOT_ACTIVE"), (True, False, "sender_refused")),
        ("sms-voice", (400, "ConflictException", "NOTIFY_CONFIGURATION_NOT_ACTIVE"), (True, False, "setup")),
        ("sms-voice", (400, "ValidationException", "PRICE_OVER_THRESHOLD"), (True, True, "recipient_refused")),
        ("sms-voice", (400, "ValidationException", "DESTINATION_COUNTRY_BLOCKED"), (True, True, "recipient_refused")),
        ("sms-voice", (400, "ValidationException", "INVALID_ARN"), (True, False, "setup")),
        ("sms-voice", (400, "ResourceNotFoundException", ""), (True, False, "missing")),
        ("sms-voice", (400, "UnrecognizedClientException", ""), (True, False, "credentials")),
        ("sms-voice", (500, "InternalServerException", ""), (False, False, "internal")),
        ("sms-voice", (400, "SomethingNew", ""), (True, False, "unknown")),
        ("sns", (400, "Throttled", ""), (True, False, "throttled")),
        ("sns", (400, "InvalidParameter", ""), (True, True, "recipient_refused")),
        ("sns", (400, "ParameterValueInvalid", ""), (True, True, "recipient_refused")),
        ("sns", (403, "AuthorizationError", ""), (True, False, "permission")),
        ("sns", (403, "InvalidClientTokenId", ""), (True, False, "credentials")),
        ("sns", (500, "InternalError", ""), (False, False, "internal")),
    ],
    indirect=["scheme"],
)
@pytest.mark.parametrize("clock", [VirtualClock()])
def test_what_became_of_the_message_and_why_is_told(scheme, courier, wire, answer, told):
    """A refused recipient is told from a channel that is down: strangers choose their numbers. The service's words stay out."""
    wire.answer = answer
    with pytest.raises(UnavailableError, match=f"^{CARRIERS[scheme]} ") as caught:
        courier.send(TEXT_MESSAGE, 3600.0)
    assert told == (caught.value.undelivered, caught.value.refused, caught.value.reason)
    assert caught.value.code == answer[1]
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["DestinationPhoneNumber"], "recipient_refused"),
        (["OriginationIdentity"], "setup"),
        (["OriginationIdentity", "DestinationPhoneNumber"], "recipient_refused"),
        ([], "recipient_refused"),
    ],
)
def test_the_service_says_which_field_is_invalid(names, reason):
    """What the operator wrote wrongly is no fault of the recipient."""
    courier = COURIERS["sms-voice"](clock=VirtualClock())
    fields = [{"Name": name, "Message": "canary"} for name in names]
    with Stubber(courier._client.ready()) as stubber:
        stubber.add_client_error(
            "send_text_message",
            "ValidationException",
            http_status_code=400,
            modeled_fields={"Message": "canary", "Reason": "FIELD_VALIDATION_FAILED", "Fields": fields},
        )
        with pytest.raises(UnavailableError) as caught:
            courier.send(TEXT_MESSAGE, 3.0)
    assert reason == caught.value.reason


def test_every_word_of_the_service_is_in_its_model():
    """None is misspelt."""
    model = COURIERS["sms-voice"](clock=VirtualClock())._client.ready().meta.service_model
    errors = model.operation_model("SendTextMessage").error_shapes
    causes = {word for each in errors if "Reason" in each.members for word in each.members["Reason"].enum}
    assert set(sms_voice._REASONS_BY_CAUSE) <= causes
    assert set(sms_voice._REASONS) <= {each.name for each in errors}


# Set-up


PRICES = {
    "is no such number": ("", "-1", "1e3", ".", "canary", "\uff11", "0,10", "1."),
    "is nothing": ("0", "0.0", "00"),
    "more than 5 digits": ("0.123456",),
    "is 100 or more": ("100", "1000000"),
}


@pytest.mark.parametrize(("why", "price"), [(why, each) for why, prices in PRICES.items() for each in prices])
def test_a_price_is_written_out(why, price):
    """In dollars, above nothing, as the service reads it; what is wrong with it is said."""
    for make in (lambda: SmsVoiceCourier(POOL, max_price=price), lambda: SnsCourier(max_price=price)):
        with pytest.raises(ConfigurationError, match=rf"one text .*max_price.*{why}") as caught:
            make()
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "origination",
    [
        "",
        "*",
        "pool-*",
        "pool-",
        "phone-1/*",
        "ACME*",
        "A" * 12,
        "AC ME",
        "-_-",
        "+0",
        "+4915112345678a",
        "arn:aws:sms-voice:eu-west-1:1:pool/*",
        "arn:aws:sms-voice:*:1:pool/p",
        "arn:aws:sns:eu-west-1:1:topic",
        "ACME\n",
        "${AWS::AccountId}",
    ],
)
def test_an_origination_is_one_identity(origination):
    """The template allows what it names: with a star that would be every identity of the account."""
    with pytest.raises(ConfigurationError, match="origination") as caught:
        SmsVoiceCourier(origination, max_price="0.10")
    assert not origination or origination not in str(caught.value)


@pytest.mark.parametrize("sender_id", ["A" * 12, "123", "AC ME", "AC-ME", "*", "\u0410\u0421\u041c\u0415"])
def test_sns_takes_a_sender_id_of_at_most_11_letters_and_digits(sender_id):
    """With a letter among them, as its documentation has it: another one is refused for each message, after the deployment."""
    with pytest.raises(ConfigurationError, match="sender_id at most 11"):
        SnsCourier(sender_id=sender_id)
    assert SnsCourier(sender_id="1and1ACME24")._attributes["AWS.SNS.SMS.SenderID"]["StringValue"] == "1and1ACME24"


@pytest.mark.parametrize("number", ["ACME", "*", "+0155", "+", "+4915112345678x"])
def test_sns_takes_a_number_as_origination(number):
    """And nothing else."""
    with pytest.raises(ConfigurationError, match="as origination a number"):
        SnsCourier(origination=number)


def test_a_courier_is_made_of_its_url():
    """Each option stands in it; what is missing or too much is named."""
    registry = Registry()
    url = "sms-voice://?origination=%2B15555550199&max_price=0.05&region=eu-west-1&configuration_set=a&protect_configuration=b"
    courier = registry.find_courier(url)
    assert repr(courier) == "SmsVoiceCourier(region='eu-west-1', max_price='0.05')"
    assert {"OriginationIdentity": "+15555550199", "MaxPrice": "0.05", "ConfigurationSetName": "a", "ProtectConfigurationId": "b"} == courier._named  # fmt: skip
    assert repr(registry.find_courier("sns://")) == "SnsCourier(region='', max_price='0.50')"
    assert repr(registry.find_courier("sns://?max_price=2&region=x")) == "SnsCourier(region='x', max_price='2.0')"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sms-voice://", "needs the option origination"),
        ("sms-voice://?origination=pool-1", "needs the option max_price"),
        ("sms-voice://host?origination=pool-1&max_price=1", "options alone"),
        ("sms-voice://?origination=pool-1&max_price=canary", "max_price"),
        ("sns://host", "options alone"),
        ("sns://?origin=x", "option that it does not know"),
    ],
)
def test_a_bad_url_is_refused(url, what):
    """The part that is wrong is named; no value is."""
    with pytest.raises(ConfigurationError, match=what) as caught:
        Registry().find_courier(url)
    assert "canary" not in str(caught.value)


def test_both_are_found_for_the_channel():
    """Who asks what carries text messages is told both beside the console, which carries anything, and not those of e-mail."""
    assert Registry().schemes("sms") == ("console", "sms-voice", "sns")
    assert not {"sms-voice", "sns"} & set(Registry().schemes("email"))


@pytest.mark.parametrize(
    ("origination", "resource"),
    [
        ("pool-1", "arn:${AWS::Partition}:sms-voice:eu-west-1:${AWS::AccountId}:pool/pool-1"),
        ("phone-1", "arn:${AWS::Partition}:sms-voice:eu-west-1:${AWS::AccountId}:phone-number/phone-1"),
        ("+15555550199", "arn:${AWS::Partition}:sms-voice:eu-west-1:${AWS::AccountId}:phone-number/*"),
        ("72345", "arn:${AWS::Partition}:sms-voice:eu-west-1:${AWS::AccountId}:phone-number/*"),
        ("ACME", "arn:${AWS::Partition}:sms-voice:eu-west-1:${AWS::AccountId}:sender-id/ACME/*"),
        ("arn:aws:sms-voice:eu-west-1:1:pool/p", "arn:aws:sms-voice:eu-west-1:1:pool/p"),
    ],
)
def test_the_permission_is_for_one_origination_identity(origination, resource):
    """To send from it, and nothing else."""
    (permission,) = SmsVoiceCourier(origination, max_price="0.1", region="eu-west-1").permissions
    assert (permission.actions, permission.resources) == (("sms-voice:SendTextMessage",), (resource,))


def test_sns_may_publish():
    """A telephone number has no ARN."""
    (permission,) = SnsCourier().permissions
    assert (permission.actions, permission.resources) == (("sns:Publish",), ("*",))


def test_floors_are_half_a_second():
    """As of every courier over the network."""
    assert [make().floor for make in COURIERS.values()] == [0.5, 0.5]


def test_without_boto3_the_remedy_is_named(monkeypatch, scheme):
    """Making the courier loads nothing; preparing it says which extra is missing."""
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[aws\]'"):
        COURIERS[scheme]().prepare()


def test_the_schemes_register_for_text_messages():
    """Each module registers one."""
    for module, name in ((sms_voice, "sms-voice"), (sns, "sns")):
        found = []
        module.register_couriers(lambda *what, found=found: found.append(what))
        assert [(each[0], each[2]) for each in found] == [(name, "sms")]
