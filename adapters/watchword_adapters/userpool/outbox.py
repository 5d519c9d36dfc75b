"""The messages that the pool itself would have sent: sign-up, password and invitation codes."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class SentMessage:
    """A mail of the pool's own. *at* is epoch seconds, *username* whom it is about."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    at: float
    username: str = field(repr=False)


def masked(address: str) -> str:
    """Return an address as Cognito shows it: ``a***@e***``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***"
