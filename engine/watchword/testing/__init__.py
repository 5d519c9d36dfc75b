"""The test kit: what the author of a plugin or of a flow needs to test it, without AWS, network or sleep."""

from typing import TYPE_CHECKING

from watchword.testing.assertions import assert_flow, decision_after
from watchword.testing.code_tap import recorded_codes
from watchword.testing.couriers import LETTER, TEXT_MESSAGE, CourierContract
from watchword.testing.credential_stores import CredentialsContract
from watchword.testing.driver import DrivenSignIn, FlowUser
from watchword.testing.hostile import hostile_answers
from watchword.testing.ledgers import LedgerContract
from watchword.testing.mailbox import Mailbox
from watchword.testing.requests import (
    ANN,
    NOBODY,
    NOW,
    access_token,
    begin_request,
    complete_request,
    create_request,
    enrolled_credential,
    verify_request,
)
from watchword.testing.session_lists import events, session_from_text, sessions
from watchword.testing.time import SeededRandom, VirtualClock

if TYPE_CHECKING:
    from watchword.testing.kinds import KindContract

__all__ = [
    "ANN",
    "LETTER",
    "NOBODY",
    "NOW",
    "TEXT_MESSAGE",
    "CourierContract",
    "CredentialsContract",
    "DrivenSignIn",
    "FlowUser",
    "KindContract",
    "LedgerContract",
    "Mailbox",
    "SeededRandom",
    "VirtualClock",
    "access_token",
    "assert_flow",
    "begin_request",
    "complete_request",
    "create_request",
    "decision_after",
    "enrolled_credential",
    "events",
    "hostile_answers",
    "recorded_codes",
    "session_from_text",
    "sessions",
    "verify_request",
]


def __getattr__(name: str) -> object:
    # The one part that needs pytest: `watchword attack` uses the others, where nobody tests anything.
    if name == "KindContract":
        from watchword.testing.kinds import KindContract  # noqa: PLC0415

        return KindContract
    raise AttributeError(f"module 'watchword.testing' has no attribute {name!r}")
