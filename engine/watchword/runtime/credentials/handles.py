"""Handles: what a caller holds between two calls, to a state that lies locked in the ledger."""

from __future__ import annotations

import base64
import hashlib

from watchword.contract.ports import Random

LONGEST_HANDLE = 128
"""Characters of a handle. A longer text is none, and finds nothing."""


def draw_handle(random: Random) -> str:
    """Return a new handle of 256 random bits, in base64url."""
    return base64.urlsafe_b64encode(random.bytes(32)).decode().rstrip("=")


def slot_of(handle: object, what: str = "handle") -> str:
    """Return the ledger's key for the state behind *handle*.

    The ledger holds a digest only: who reads it cannot go on with anybody's sign-in or enrolment.
    """
    text = handle if isinstance(handle, str) and len(handle) <= LONGEST_HANDLE else ""
    return f"{what}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
