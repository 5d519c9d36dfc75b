"""The courier that hands messages to Amazon SES, by its API version 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, cast

from watchword.contract.hookspecs import RegisterCourier, hookimpl
from watchword.contract.kinds import Email
from watchword.contract.ports import Clock, Courier, Permission, Receipt
from watchword.errors import ConfigurationError
from watchword_adapters.aws.aws_client import KeptClient
from watchword_adapters.clock import SystemClock
from watchword_adapters.couriers.aws_sending import send_once, sending_client
from watchword_adapters.couriers.envelope import Sender, refuse_unfit
from watchword_adapters.urls import PortURL

_REASONS: Mapping[str, str] = {
    "AccountSuspendedException": "paused",
    # What the operator wrote is the same for every message: what SES finds malformed is the recipient.
    "BadRequestException": "recipient_refused",
    "InternalServerError": "internal",
    "LimitExceededException": "throttled",
    "MailFromDomainNotVerifiedException": "sender_refused",
    "MessageRejected": "message_refused",
    "NotFoundException": "missing",
    "SendingPausedException": "paused",
}
"""The codes of SES, and the reason word for each."""


class SesClient(Protocol):
    """What this courier uses of ``boto3.client("sesv2")``."""

    def send_email(self, **request: Any) -> Mapping[str, Any]:
        """Send an e-mail."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens a new one."""
        ...


class SesCourier:
    """A `Courier` that sends e-mail through Amazon SES.

    *sender* is ``a@b.c`` or ``Name <a@b.c>``, of an identity that SES has verified. *region* and credentials are boto3's
    own unless given; *endpoint* is another URL for SES, for an emulator. *floor* is the seconds to which answers are
    padded (0.5): choose more than SES takes, as a rule. *clock* tells how long a message has taken.

    boto3 does not try again: SES has no way to tell a second try from a second message.
    """

    channel: ClassVar[str] = "email"

    def __init__(
        self,
        sender: str,
        *,
        region: str = "",
        configuration_set: str = "",
        endpoint: str = "",
        floor: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        self._sender = Sender.parse(sender)
        self._region = region
        self._configuration_set = configuration_set
        self._endpoint = endpoint
        self._floor = floor
        self._clock = clock or SystemClock()
        self._client = KeptClient(self._made, self._clock.monotonic)

    def __repr__(self) -> str:
        return f"SesCourier(region={self._region!r}, configuration_set={self._configuration_set!r})"

    @property
    def floor(self) -> float:
        """Seconds to which an answer is padded so that sending cannot be told from not sending."""
        return self._floor

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What a function that uses this courier must be allowed."""
        return ses_permissions(self._sender.address, self._region or "${AWS::Region}", self._configuration_set)

    def prepare(self) -> None:
        """Make the client, which takes boto3 a quarter of a second: otherwise the first message waits for it.

        Raises:
            ConfigurationError: if boto3 is missing, or if it can make no client of the region and endpoint.
        """
        self._client.ready()

    def send(self, message: Email, within: float) -> Receipt:
        """Send *message* within *within* seconds, once.

        Raises:
            UnavailableError: if SES did not say that it accepted it. ``undelivered=True`` if it certainly did not: SES
                could not be reached, or it refused the request (throttled, rejected, paused, not allowed). An answer
                that never came, or a fault inside SES, says nothing. ``refused=True`` where SES refuses the recipient or
                the message.
        """
        refuse_unfit(message, "email")
        body = {"Text": _content(message.text)} | ({"Html": _content(message.html)} if message.html else {})
        request: dict[str, Any] = {
            "FromEmailAddress": self._sender.header(),
            "Destination": {"ToAddresses": [message.to]},
            "Content": {"Simple": {"Subject": _content(message.subject), "Body": body}},
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        return send_once(
            self._clock,
            within,
            "Amazon SES",
            self._client,
            call=lambda client: client.send_email(**request),
            reason_of=lambda code, answer: self._reason(code, answer, request),
        )

    def _reason(self, code: str, answer: Mapping[str, Any], request: Mapping[str, Any]) -> str:
        said = str(answer.get("Error", {}).get("Message", ""))
        if code == "MessageRejected" and "not verified" in said:
            return self._unverified(said, request)
        return _REASONS.get(code, "")

    def _unverified(self, text: str, request: Mapping[str, Any]) -> str:
        """Return whose identity the *text* of SES says is not verified: it lists them at the end, behind a colon."""
        listed = set(text.lower().rpartition(":")[2].replace(",", " ").split())
        sender = self._sender.address.lower()
        if listed & {sender, sender.partition("@")[2]}:
            return "sender_refused"
        return "sandbox" if request["Destination"]["ToAddresses"][0].lower() in listed else "unverified"

    def _made(self) -> SesClient:
        client = sending_client("the SES courier", "sesv2", region=self._region, endpoint=self._endpoint)
        return cast("SesClient", client)


def ses_permissions(sender: str, region: str, configuration_set: str) -> tuple[Permission, ...]:
    """Return what sending from the address *sender* needs: one address, and the one configuration set, if any.

    SES asks for the identity and for the configuration set that applies, named in the request or the identity's default
    (Service Authorization Reference, Amazon SES v2, SendEmail). Which identity has verified the address, itself or one of
    its domains, is not known here.
    """
    prefix = f"arn:${{AWS::Partition}}:ses:{region}:${{AWS::AccountId}}"
    resources = [f"{prefix}:identity/*"]
    if configuration_set:
        resources.append(f"{prefix}:configuration-set/{configuration_set}")
    return (Permission(("ses:SendEmail",), tuple(resources), {"StringEquals": {"ses:FromAddress": sender}}),)


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


@hookimpl
def register_couriers(register: RegisterCourier) -> None:
    """Register ``ses://?from=a@b.c``, with the options region, configuration_set and endpoint."""
    register("ses", _from_url)


def _from_url(url: str) -> Courier:
    parts = PortURL.parse(url, options=("from", "region", "configuration_set", "endpoint"))
    parts.expect_options_alone("ses://?from=no-reply@example.com&region=eu-west-1")
    if "from" not in parts.options:
        raise ConfigurationError("the URL ses: needs the sender, as in ses://?from=no-reply@example.com")
    return SesCourier(
        parts.options["from"],
        region=parts.options.get("region", ""),
        configuration_set=parts.options.get("configuration_set", ""),
        endpoint=parts.options.get("endpoint", ""),
    )
