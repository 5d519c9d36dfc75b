"""The messages that the pool itself would have sent: sign-up, password and invitation codes."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class SentMessage:
    """A message of the pool's own, or of a flow. *at* is epoch seconds, *username* whom it is about, *channel* how it goes."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    at: float
    username: str = field(repr=False)
    channel: str = "email"


def masked(address: str) -> str:
    """Return an address as Cognito shows it: ``a***@e***``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***"
