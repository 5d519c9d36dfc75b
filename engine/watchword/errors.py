"""The errors: one root, and a class for each party that can be at fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

OUTAGE_REASONS: Mapping[str, str] = {
    "busy": "another call holds what is needed",
    "credentials": "the service does not accept the credentials, or there are none",
    "internal": "the service has failed",
    "key_gone": "the root key that a credential is derived from is no longer in the ring",
    "message_refused": "the message is refused for what it holds",
    "missing": "what is named does not exist there: a table, a key, a configuration set",
    "paused": "the account may not send at present",
    "permission": "the credentials do not allow the call",
    "recipient_refused": "the address of this recipient is refused",
    "sandbox": "this recipient is not verified, and the account is in the sandbox",
    "sender_refused": "the sender is not verified, or is refused",
    "setup": "something is set up wrong here",
    "throttled": "there were too many calls, or a quota is used up",
    "timeout": "there was no answer in time",
    "unknown": "none of the others; the code says more",
    "unreachable": "there is no connection",
    "unusable": "a kind made what cannot be used",
    "unverified": "an identity is not verified: the sender's, or in the sandbox the recipient's",
}
"""Every reason word of a port that fails, and what it means. No word depends on what a service writes of its own accord."""

_WORD = re.compile(r"[a-z][A-Za-z0-9_]{0,63}", re.ASCII)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}|[2-5][0-9]{2}(?: [245]\.[0-9]{1,3}\.[0-9]{1,3})?", re.ASCII)


def checked_code(code: object) -> str:
    """Return *code* if it has the form of a service's code: a word in ASCII, or an SMTP reply code; else nothing.

    A reply code may have an enhanced code (RFC 3463) behind it. Anything else may quote an address or a message.
    """
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def checked_word(word: object, otherwise: str) -> str:
    """Return *word*, which a plugin gave for the audit, if it is one; else *otherwise*: it may quote an answer."""
    return word if isinstance(word, str) and _WORD.fullmatch(word) else otherwise


class WatchwordError(Exception):
    """Base of everything that Watchword raises on purpose.

    The message is for the operator. *text* is the only thing that a client may be shown: one of the fixed failure
    texts. (Cognito hands the text of a raised error to the caller, so an adapter raises *text*, never the message.)
    """

    text: ClassVar[str] = "UNAVAILABLE"

    ref: str = ""
    """The reference under which the failure was recorded, which the client may see; empty until it is recorded."""


class ConfigurationError(WatchwordError):
    """Raised if the host is set up wrong, when the flow, the engine or an adapter is built."""

    text: ClassVar[str] = "NOT_CONFIGURED"


class ProtocolError(WatchwordError):
    """Raised if the host calls out of turn, or if an event is malformed; per call."""

    text: ClassVar[str] = "BAD_REQUEST"


class UnavailableError(WatchwordError):
    """Raised if a port (ledger, courier, key source) fails or runs out of time.

    *reason* is a word of `OUTAGE_REASONS`, *code* the service's own code: both reach the audit, while the message reaches the
    log only. What does not fit is dropped. *undelivered* is True where the message certainly did not leave, or the call
    was never begun, so that a later call may send it again. The default says "nobody knows", and then nothing is sent
    again inside the lease. *refused* is for couriers: True where the recipient or the message may be the cause, so that
    the failure says nothing of the channel.
    """

    def __init__(
        self, message: str, *, undelivered: bool = False, refused: bool = False, reason: str = "unknown", code: str = ""
    ) -> None:
        super().__init__(message)
        self.undelivered = undelivered
        self.refused = refused
        self.reason = reason if reason in OUTAGE_REASONS else "unknown"
        self.code = checked_code(code)


def reason_of(error: BaseException) -> dict[str, str]:
    """Return what may be said of *error* in an audit: ``reason``, and ``code`` if there is one; never its own words.

    Of an error that gives no reason the code is the name of its type.
    """
    if isinstance(error, UnavailableError) and (error.reason != "unknown" or error.code):
        return {"reason": error.reason, "code": error.code} if error.code else {"reason": error.reason}
    return {"reason": "unknown", "code": checked_code(type(error).__name__) or "Exception"}


class TryLaterError(UnavailableError):
    """Raised if a budget of messages or enrolments is empty: nothing was done, and the user may try again when the window has moved."""

    text: ClassVar[str] = "TRY_LATER"


class ExpiredError(ProtocolError):
    """Raised if a handle of the plain-function host is expired, spent or unknown."""

    text: ClassVar[str] = "EXPIRED"


FAILURE_TEXTS = ("TRY_LATER", "EXPIRED", "BAD_REQUEST", "UNAVAILABLE", "NOT_CONFIGURED")
"""Every failure text that a client can ever see."""
