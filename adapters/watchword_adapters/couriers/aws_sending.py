"""What the couriers share that hand messages to a service of AWS: one client, one attempt, and reasons by a fixed list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from watchword.contract.kinds import Message, Sms
from watchword.contract.ports import Clock, Receipt
from watchword.errors import ConfigurationError, UnavailableError, checked_code
from watchword_adapters.aws.aws_client import KeptClient, aws_client
from watchword_adapters.aws.botocore_logging import unlogged
from watchword_adapters.couriers.envelope import refuse_unfit
from watchword_adapters.couriers.send_timeout import Attempt, send_within

CONNECT = 1.0
"""Seconds for connecting."""
READ = 2.0
"""Seconds for the answer."""

_REASONS: Mapping[str, str] = {
    "AccessDenied": "permission",
    "AccessDeniedException": "permission",
    "ConnectTimeoutError": "unreachable",
    "ConnectionClosedError": "unreachable",
    "CredentialRetrievalError": "credentials",
    "EndpointConnectionError": "unreachable",
    "EndpointProviderError": "setup",
    "ExpiredToken": "credentials",
    "ExpiredTokenException": "credentials",
    "IncompleteSignature": "credentials",
    "InternalFailure": "internal",
    "InvalidClientTokenId": "credentials",
    "InvalidSignatureException": "credentials",
    "MissingAuthenticationToken": "credentials",
    "NoCredentialsError": "credentials",
    "NoRegionError": "setup",
    "ParamValidationError": "setup",
    "PartialCredentialsError": "credentials",
    "ProxyConnectionError": "unreachable",
    "ReadTimeoutError": "timeout",
    "RequestTimeout": "timeout",
    "SSLError": "unreachable",
    "ServiceUnavailable": "internal",
    "SignatureDoesNotMatch": "credentials",
    "UnrecognizedClientException": "credentials",
}
"""The codes of every service and botocore's errors, and the reason word for each."""

_UNSENT = (
    "ConnectTimeoutError",
    "CredentialRetrievalError",
    "EndpointConnectionError",
    "EndpointProviderError",
    "NoCredentialsError",
    "NoRegionError",
    "ParamValidationError",
    "PartialCredentialsError",
    "ProxyConnectionError",
)
"""botocore's errors that are raised before any byte of the request has left."""

_OF_THE_RECIPIENT = ("sandbox", "recipient_refused", "message_refused")
_MOST_CHARACTERS = 1_600  # of End User Messaging and of SNS
_MOST_WHOLE, _MOST_DECIMALS = 2, 5  # of End User Messaging, MaxPrice

NUMBER = r"\+?[1-9][0-9]{1,18}"
"""A telephone number, or a short code, as End User Messaging has them."""

ReasonOf = Callable[[str, Mapping[str, Any]], str]
"""Returns the reason word for an error's code and the whole answer that it came in; nothing if the service has no word of its own for it."""


def sending_client(who: str, service: str, *, region: str, endpoint: str) -> Any:
    """Return boto3's client of *service* for the courier *who*.

    Raises:
        ConfigurationError: as `aws_client`.
    """
    return aws_client(who, service, region=region, endpoint=endpoint, connect=CONNECT, read=READ)


def send_once(
    clock: Clock,
    within: float,
    service: str,
    client: KeptClient[Any],
    *,
    call: Callable[[Any], Mapping[str, Any]],
    reason_of: ReasonOf,
) -> Receipt:
    """Have *call* send by *client*, once, within *within* seconds, and return the receipt.

    Raises:
        UnavailableError: if *service* did not say that it accepted the message. ``undelivered=True`` if it certainly did not: it
            could not be reached, or it refused the request. An answer that never came, or a fault inside the service, says
            nothing. ``refused=True`` where the recipient or the message is refused.
    """

    def work(attempt: Attempt) -> Receipt:
        attempt.enter("making the client", CONNECT + READ)
        try:
            made = client.ready()
        except ConfigurationError as error:
            raise UnavailableError(f"is not set up: {error}", undelivered=True, reason="setup") from None
        attempt.enter("sending", READ)
        attempt.commit()
        try:
            with unlogged():
                reply = call(made)
        except Exception as error:  # noqa: BLE001 - told apart by what it says of the request
            raise _refusal(error, reason_of) from None
        if not reply.get("MessageId"):
            raise UnavailableError("answered without saying that it took the message", reason="internal")
        return Receipt(str(reply["MessageId"]))

    return send_within(clock, within, service, work)


def _refusal(error: Exception, reason_of: ReasonOf) -> UnavailableError:
    """Return what to raise for *error*. The service's own words may quote the address: only its code is passed on."""
    response: Any = getattr(error, "response", None)
    name = type(error).__name__
    if not isinstance(response, Mapping):
        reason = _REASONS.get(name, "unknown")
        return UnavailableError(
            f"did not take the message: {name}", undelivered=name in _UNSENT, reason=reason, code=name
        )
    answer = cast("Mapping[str, Any]", response)
    code = checked_code(answer.get("Error", {}).get("Code")) or "Unknown"
    status: object = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    throttled = "Throttl" in code or "TooManyRequests" in code
    reason = "throttled" if throttled else reason_of(code, answer) or _REASONS.get(code, "unknown")
    return UnavailableError(
        f"did not take the message: {code} ({status})",
        undelivered=throttled or (isinstance(status, int) and 400 <= status <= 499),
        refused=reason in _OF_THE_RECIPIENT,
        reason=reason,
        code=code,
    )


def text_of(letter: Message) -> str:
    """Return the text of the text message *letter*.

    Raises:
        UnavailableError: with ``undelivered=True``, if it is unfit to be sent: not by SMS, not to one number, without a text, or too long.
    """
    refuse_unfit(letter, Sms.channel)
    text = "\n".join(letter.texts())
    if not 0 < len(text.strip()) <= len(text) <= _MOST_CHARACTERS:
        raise UnavailableError(
            f"the message has a text of {len(text)} characters, and 1 to {_MOST_CHARACTERS} are carried; nothing was sent",
            undelivered=True,
            refused=True,
            reason="message_refused",
        )
    return text


def price_of(text: str) -> str:
    """Return the price *text* of a whole text message, in US dollars, as AWS wants it: with a point.

    Raises:
        ConfigurationError: if it is none; it says why, and does not show it.
    """
    whole, point, part = text.partition(".") if text.isascii() else ("", "", "")
    why = ""
    if not whole.isdigit() or not (part.isdigit() if point else not part):
        why = "is no such number"
    elif len(whole) > _MOST_WHOLE:
        why = "is 100 or more, which AWS does not take"
    elif len(part) > _MOST_DECIMALS:
        why = f"has more than {_MOST_DECIMALS} digits behind the point, which AWS does not take"
    elif not set(text) & set("123456789"):
        why = "is nothing, for which nothing would be sent"
    if why:
        raise ConfigurationError(
            f"a courier of text messages needs the most that one text may cost (max_price), in US dollars, such as 0.10: this {why}"
        )
    return text if point else f"{text}.0"


def checked_sender(value: str, name: str, form: re.Pattern[str], wanted: str) -> str:
    """Return *value*, the option *name* of a courier that says who sends; *wanted* are words for its *form*.

    Raises:
        ConfigurationError: if it has not that form; the value is not shown.
    """
    if not form.fullmatch(value):
        raise ConfigurationError(f"a courier of text messages takes as {name} {wanted}; this is none")
    return value
