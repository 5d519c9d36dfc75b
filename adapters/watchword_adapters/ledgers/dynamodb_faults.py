"""Classify the errors of DynamoDB: a failed condition, a race, a passing fault, or a cause for the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from watchword.errors import checked_code
from watchword_adapters.ledgers.dynamodb_items import PARTITION_KEY, ForeignItemError, Item

_BUSY = frozenset({"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"})
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)
_CREDENTIALS = frozenset(
    {
        "CredentialRetrievalError",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NoCredentialsError",
        "PartialCredentialsError",
        "UnrecognizedClientException",
    }
)
_LOST = frozenset(
    {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "HTTPClientError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "ResponseParserError",
        "ResponseStreamingError",
        "SSLError",
    }
)
"""botocore's errors after which nobody knows what became of the call."""


class ChangedError(Exception):
    """Raised if another call changed what this one had read: it begins anew."""


@frozen
class Cause:
    """What to say of a call that failed, in the words of no service; *again* says whether a second may do better."""

    text: str
    again: bool
    reason: str
    code: str = ""


class FailedError(Exception):
    """Raised if a call failed, for *cause*."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.text)
        self.cause = cause


def _answer(error: BaseException) -> Mapping[str, Any] | None:
    response: object = getattr(error, "response", None)
    return cast("Mapping[str, Any]", response) if isinstance(response, Mapping) else None


def _code(answer: Mapping[str, Any]) -> str:
    return checked_code(answer.get("Error", {}).get("Code")) or "Unknown"


def failed_conditions(error: BaseException) -> dict[int, Item] | None:
    """Return which conditions failed, if that is all that *error* says; None if it says something else."""
    answer = _answer(error)
    if answer is None:
        return None
    code = _code(answer)
    if code == "ConditionalCheckFailedException":
        return {0: answer.get("Item") or {}}
    if code in _BUSY:
        raise ChangedError from None
    if code != "TransactionCanceledException":
        return None
    reasons: Sequence[Mapping[str, Any]] = answer.get("CancellationReasons", ())
    told = {str(reason.get("Code", "None")) for reason in reasons} - {"None"}
    if not told or not told <= {"ConditionalCheckFailed", *_BUSY}:
        return None
    if told & _BUSY:
        raise ChangedError from None
    return {
        place: reason.get("Item") or {}
        for place, reason in enumerate(reasons)
        if reason.get("Code") == "ConditionalCheckFailed"
    }


def cause_of(error: BaseException, actions: Sequence[str]) -> Cause:
    """Return what to say of *error*, of a table on which *actions* must be allowed. Its own words may quote a request."""
    if isinstance(error, FailedError):
        return error.cause
    if isinstance(error, ForeignItemError):
        return Cause(f"holds an item that Watchword did not write (its attribute {error!s})", False, "setup")
    answer = _answer(error)
    if answer is None:
        return _local_cause(type(error).__name__)
    code = _code(answer)
    if code == "TransactionCanceledException":
        reasons = [checked_code(each.get("Code")) or "None" for each in answer.get("CancellationReasons", ())]
        code = next((each for each in reasons if each in _THROTTLED), "") or next(
            (each for each in reasons if each not in ("None", "ConditionalCheckFailed")), code
        )
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _told_cause(code, status if isinstance(status, int) else 0, actions)


def _local_cause(name: str) -> Cause:
    if name in _LOST:
        reason = "timeout" if "Timeout" in name else "unreachable"
        return Cause(f"could not be reached, or its answer was lost ({name})", True, reason, name)
    if name in _CREDENTIALS:
        return Cause(f"cannot be called without credentials ({name})", False, "credentials", name)
    return Cause(f"could not be asked ({name})", False, "unknown", name)


def _told_cause(code: str, status: int, actions: Sequence[str]) -> Cause:
    if code in _THROTTLED or "Throttl" in code:
        return Cause(f"is throttled ({code})", True, "throttled", code)
    if code in _CREDENTIALS:
        text = f"refuses the credentials ({code}): see whose they are, and that the clock is right"
        return Cause(text, False, "credentials", code)
    if "KMS" in code:
        return Cause(f"cannot use its KMS key ({code}): allow the function to use it", False, "permission", code)
    if code == "ResourceNotFoundException":
        text = "does not exist in this region: create it, or name the region"
        return Cause(text, False, "missing", code)
    if "AccessDenied" in code:
        listed = f"{', '.join(actions[:-1])} and {actions[-1]}"
        allow = f"allow dynamodb:{listed} on it, and the use of its KMS key, if any"
        return Cause(f"refuses access ({code}): {allow}", False, "permission", code)
    if code in ("ValidationException", "ValidationError"):
        form = f"its partition key must be the string {PARTITION_KEY!r}, without a sort key, and an item has 400 KB at most"
        return Cause(f"does not take the request ({code}): {form}", False, "setup", code)
    failed = status >= 500 or code in ("InternalServerError", "ServiceUnavailable")
    return Cause(f"failed ({code})", failed, "internal" if failed else "unknown", code)
