"""The courier that hands text messages to Amazon SNS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, cast

from watchword.contract.hookspecs import RegisterCourier, hookimpl
from watchword.contract.kinds import Message
from watchword.contract.ports import Clock, Courier, Permission, Receipt
from watchword_adapters.aws.aws_client import KeptClient
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers.aws_sending import NUMBER, checked_sender, price_of, send_once, sending_client, text_of
from watchword_adapters.urls import PortURL

_REASONS: Mapping[str, str] = {
    "AuthorizationError": "permission",
    "InternalError": "internal",
    # What the operator wrote is the same for every message: what SNS finds invalid is the recipient.
    "InvalidParameter": "recipient_refused",
    "InvalidSecurity": "credentials",
    "NotFound": "missing",
    "OptedOut": "recipient_refused",
    "ParameterValueInvalid": "recipient_refused",
    "ValidationException": "recipient_refused",
}
"""The codes of the service, and the reason word for each."""


_NUMBER = re.compile(NUMBER, re.ASCII)
_SENDER_ID = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,11}", re.ASCII)


class SnsClient(Protocol):
    """What this courier uses of ``boto3.client("sns")``."""

    def publish(self, **request: Any) -> Mapping[str, Any]:
        """Publish a message, here to a telephone number."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens a new one."""
        ...


class SnsCourier:
    """A `Courier` that sends text messages through Amazon SNS, as transactional ones.

    *max_price* is the most that one text, with all of its parts, may cost, in US dollars, 0.50 unless given: SNS does not send what
    costs more. *sender_id* and *origination* are who sends; the account's own unless given. *region* and credentials are boto3's own unless given;
    *endpoint* is another URL for SNS, for an emulator. *floor* is the seconds to which answers are padded (0.5). *clock*
    tells how long a message has taken.

    SNS cannot be told when a text is of no use any more. boto3 does not try again.
    """

    channel: ClassVar[str] = "sms"

    def __init__(
        self,
        *,
        max_price: str = "0.50",
        sender_id: str = "",
        origination: str = "",
        region: str = "",
        endpoint: str = "",
        floor: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        self._attributes = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.MaxPrice": {"DataType": "Number", "StringValue": price_of(max_price)},
        }
        if sender_id:
            named = checked_sender(
                sender_id, "sender_id", _SENDER_ID, "at most 11 letters and digits, of which one is a letter"
            )
            self._attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": named}
        if origination:
            number = checked_sender(origination, "origination", _NUMBER, "a number, such as %2B15555550199")
            self._attributes["AWS.MM.SMS.OriginationNumber"] = {"DataType": "String", "StringValue": number}
        self._region = region
        self._endpoint = endpoint
        self._floor = floor
        self._clock = clock or SystemClock()
        self._client = KeptClient(self._made, self._clock.monotonic)

    def __repr__(self) -> str:
        price = self._attributes["AWS.SNS.SMS.MaxPrice"]["StringValue"]
        return f"SnsCourier(region={self._region!r}, max_price={price!r})"

    @property
    def floor(self) -> float:
        """Seconds to which an answer is padded so that sending cannot be told from not sending."""
        return self._floor

    @property
    def max_price(self) -> str:
        """The most that one text, with all of its parts, may cost, in US dollars; the service does not send what costs more."""
        return str(self._attributes["AWS.SNS.SMS.MaxPrice"]["StringValue"])

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What a function that uses this courier must be allowed. A telephone number has no ARN: it is all of SNS or none."""
        return (Permission(("sns:Publish",), ("*",)),)

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
        request = {"PhoneNumber": message.to, "Message": text_of(message), "MessageAttributes": self._attributes}
        return send_once(
            self._clock,
            within,
            "Amazon SNS",
            self._client,
            call=lambda client: client.publish(**request),
            reason_of=lambda code, _: _REASONS.get(code, ""),
        )

    def _made(self) -> SnsClient:
        client = sending_client("the SNS courier", "sns", region=self._region, endpoint=self._endpoint)
        return cast("SnsClient", client)


@hookimpl
def register_couriers(register: RegisterCourier) -> None:
    """Register ``sns://``, with the options max_price, sender_id, origination, region and endpoint."""
    register("sns", _from_url, "sms")


def _from_url(url: str) -> Courier:
    parts = PortURL.parse(url, options=("max_price", "sender_id", "origination", "region", "endpoint"))
    parts.expect_options_alone("sns://?max_price=0.10&region=eu-west-1")
    return SnsCourier(**cast("Any", parts.options))
