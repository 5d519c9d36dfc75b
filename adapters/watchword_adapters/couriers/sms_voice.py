"""The courier that hands text messages to AWS End User Messaging, by its API ``pinpoint-sms-voice-v2``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, cast

from watchword.contract.hookspecs import RegisterCourier, hookimpl
from watchword.contract.kinds import Message, Sms
from watchword.contract.ports import Clock, Courier, Permission, Receipt
from watchword.errors import ConfigurationError
from watchword_adapters.aws.aws_client import KeptClient
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers.aws_sending import NUMBER, checked_sender, price_of, send_once, sending_client, text_of
from watchword_adapters.urls import PortURL

_ORIGINATION = re.compile(
    rf"{NUMBER}|(?:phone|pool)-[A-Za-z0-9]+|(?!phone-|pool-)(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{{1,11}}"
    r"|arn:[a-z0-9-]+:sms-voice:[a-z0-9-]+:[0-9]+:(?:phone-number|pool|sender-id)(?:/[A-Za-z0-9_-]+)+",
    re.ASCII,
)
"""Who sends (OriginationIdentity). A star would be one in what the function is allowed."""

_TIME_TO_LIVE = (5, 259_200)
"""The seconds that the service takes."""

_REASONS: Mapping[str, str] = {
    "ConflictException": "setup",
    "InternalServerException": "internal",
    "ResourceNotFoundException": "missing",
    "ServiceQuotaExceededException": "throttled",
    # What the operator wrote is the same for every message: what the service finds invalid, as a rule, is the recipient.
    "ValidationException": "recipient_refused",
}
"""The codes of the service, and the reason word for each."""

_REASONS_BY_CAUSE: Mapping[str, str] = {
    "ACCOUNT_DISABLED": "paused",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "recipient_refused",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "recipient_refused",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "sandbox",
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "recipient_refused",
    "INSUFFICIENT_ACCOUNT_REPUTATION": "paused",
    "INVALID_ARN": "setup",
    "MESSAGE_TYPE_MISMATCH": "sender_refused",
    # Which identities there are depends on the recipient's country.
    "NO_ORIGINATION_IDENTITIES_FOUND": "recipient_refused",
    "NUMBER_CAPABILITIES_MISMATCH": "sender_refused",
    "RESOURCE_NOT_ACTIVE": "sender_refused",
}
"""The words by which the service says why, where they say more than its code."""


class SmsVoiceClient(Protocol):
    """What this courier uses of ``boto3.client("pinpoint-sms-voice-v2")``."""

    def send_text_message(self, **request: Any) -> Mapping[str, Any]:
        """Send a text message."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens a new one."""
        ...


class SmsVoiceCourier:
    """A `Courier` that sends text messages through AWS End User Messaging.

    *origination* is who sends: a number, a sender ID, a pool, or the ARN of one. *max_price* is the most that one text, with all
    of its parts, may cost, in US dollars, such as ``0.10``: the service does not send what costs more. *configuration_set* and
    *protect_configuration* are names or ARNs. *region* and credentials are boto3's own unless given; *endpoint* is another
    URL for the service. *floor* is the seconds to which answers are padded (0.5). *clock* tells how long a message has taken,
    and how long its code is still good: the service delivers nothing after that.

    boto3 does not try again: the service has no way to tell a second try from a second message.
    """

    channel: ClassVar[str] = "sms"

    def __init__(
        self,
        origination: str,
        *,
        max_price: str,
        configuration_set: str = "",
        protect_configuration: str = "",
        region: str = "",
        endpoint: str = "",
        floor: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        who = (
            "a number, the id of a number or of a pool, a sender ID of at most 11 letters and digits, or the ARN of one"
        )
        self._named = {
            "OriginationIdentity": checked_sender(origination, "origination", _ORIGINATION, who),
            "MaxPrice": price_of(max_price),
        }
        self._named |= {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._named |= {"ProtectConfigurationId": protect_configuration} if protect_configuration else {}
        self._region = region
        self._endpoint = endpoint
        self._floor = floor
        self._clock = clock or SystemClock()
        self._client = KeptClient(self._made, self._clock.monotonic)

    def __repr__(self) -> str:
        return f"SmsVoiceCourier(region={self._region!r}, max_price={self._named['MaxPrice']!r})"

    @property
    def floor(self) -> float:
        """Seconds to which an answer is padded so that sending cannot be told from not sending."""
        return self._floor

    @property
    def max_price(self) -> str:
        """The most that one text, with all of its parts, may cost, in US dollars; the service does not send what costs more."""
        return str(self._named["MaxPrice"])

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What a function that uses this courier must be allowed: to send from its one origination identity."""
        origination = self._named["OriginationIdentity"]
        if origination.startswith("arn:"):
            return (Permission(("sms-voice:SendTextMessage",), (origination,)),)
        prefix = f"arn:${{AWS::Partition}}:sms-voice:{self._region or '${AWS::Region}'}:${{AWS::AccountId}}"
        for start, sort in (("phone-", "phone-number"), ("pool-", "pool")):
            if origination.startswith(start):
                return (Permission(("sms-voice:SendTextMessage",), (f"{prefix}:{sort}/{origination}",)),)
        # A number goes by an id that is not known here.
        sort = "phone-number/*" if origination.lstrip("+").isdigit() else f"sender-id/{origination}/*"
        return (Permission(("sms-voice:SendTextMessage",), (f"{prefix}:{sort}",)),)

    def prepare(self) -> None:
        """Make the client: otherwise the first message waits for it.

        Raises:
            ConfigurationError: if boto3 is missing, or if it can make no client of the region and endpoint.
        """
        self._client.ready()

    def send(self, message: Message, within: float) -> Receipt:
        """Send *message* within *within* seconds, once.

        Raises:
            UnavailableError: as `send_once`.
        """
        request: dict[str, Any] = {
            "DestinationPhoneNumber": message.to,
            "MessageBody": text_of(message),
            "MessageType": "TRANSACTIONAL",
            **self._named,
        }
        if message.id:
            request["Context"] = {"watchword_message": message.id}  # in the service's own events
        if isinstance(message, Sms) and message.expires:
            least, most = _TIME_TO_LIVE
            request["TimeToLive"] = max(least, min(most, int(message.expires - self._clock.now())))
        return send_once(
            self._clock,
            within,
            "AWS End User Messaging",
            self._client,
            call=lambda client: client.send_text_message(**request),
            reason_of=_reason,
        )

    def _made(self) -> SmsVoiceClient:
        client = sending_client(
            "the courier sms-voice", "pinpoint-sms-voice-v2", region=self._region, endpoint=self._endpoint
        )
        return cast("SmsVoiceClient", client)


def _reason(code: str, answer: Mapping[str, Any]) -> str:
    fields: object = answer.get("Fields")
    if code == "ValidationException" and isinstance(fields, list):
        names = {str(each.get("Name")) for each in cast("list[Mapping[str, Any]]", fields)}
        if names and not names & {"DestinationPhoneNumber", "MessageBody"}:
            return "setup"
    return _REASONS_BY_CAUSE.get(str(answer.get("Reason")), "") or _REASONS.get(code, "")


@hookimpl
def register_couriers(register: RegisterCourier) -> None:
    """Register ``sms-voice://?origination=…&max_price=…``."""
    register("sms-voice", _from_url, "sms")


def _from_url(url: str) -> Courier:
    names = ("origination", "max_price", "configuration_set", "protect_configuration", "region", "endpoint")
    parts = PortURL.parse(url, options=names)
    example = "sms-voice://?origination=pool-0123&max_price=0.10"
    parts.expect_options_alone(example)
    for needed in names[:2]:
        if needed not in parts.options:
            raise ConfigurationError(f"the URL sms-voice: needs the option {needed}, as in {example}")
    return SmsVoiceCourier(**cast("Any", parts.options))
