"""The error tree: one root, three ways to be at fault."""

from __future__ import annotations

from typing import ClassVar


class WatchwordError(Exception):
    """Base of everything that Watchword raises on purpose.

    The message is for the operator. *text* is the only thing that a client may be shown: one of the fixed failure
    texts. (Cognito hands the text of a raised error to the caller, so an adapter raises *text*, never the message.)
    """

    text: ClassVar[str] = "UNAVAILABLE"


class ConfigurationError(WatchwordError):
    """Raised if the host is set up wrong, when the flow, the engine or an adapter is built."""

    text: ClassVar[str] = "NOT_CONFIGURED"


class ProtocolError(WatchwordError):
    """Raised if the host calls out of turn, or if an event is malformed; per call."""

    text: ClassVar[str] = "BAD_REQUEST"


class UnavailableError(WatchwordError):
    """Raised if a port (ledger, courier, key source) fails or runs out of time.

    *undelivered* is for couriers: True where the message certainly did not leave, so that a later call may send it
    again. The default says "nobody knows", and then nothing is sent again inside the lease.
    """

    def __init__(self, message: str, *, undelivered: bool = False) -> None:
        super().__init__(message)
        self.undelivered = undelivered


class TryLaterError(UnavailableError):
    """Raised if a message budget is empty: nothing was sent, and the user may try again when the window has moved."""

    text: ClassVar[str] = "TRY_LATER"


class ExpiredError(ProtocolError):
    """Raised if a handle of the plain-function host is expired, spent or unknown."""

    text: ClassVar[str] = "EXPIRED"


FAILURE_TEXTS = ("TRY_LATER", "EXPIRED", "BAD_REQUEST", "UNAVAILABLE", "NOT_CONFIGURED")
"""Every failure text that a client can ever see."""
