"""The messages that the pool itself would have sent: sign-up, password and invitation codes."""

from __future__ import annotations

import re

from attrs import Factory, field, frozen

_REST = r"[^\s<>\"\\^`{|}]+"  # RFC 3986 appendix C: none of these is in a URL
# Of the web; or by the scheme of an app (RFC 8252 7.1: a domain turned about), with a ticket behind. Bounded: a text may be hostile.
_APP = r"(?<![a-z0-9.-])[a-z][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,8}:/[^\s<>\"\\^`{|}#]{0,2000}#"
_URL = re.compile(rf"\bhttps?://{_REST}|{_APP}{_REST}", re.IGNORECASE)
_BEHIND = ".,;:!?'\")]"
"""What ends a sentence behind a URL, and is taken for a part of it by nobody."""


def first_link(text: str) -> str:
    """Return the first URL of the web, or link into an app, that stands in *text*; nothing if there is none."""
    found = _URL.search(text)
    return found[0].rstrip(_BEHIND) if found else ""


@frozen
class SentMessage:
    """A message of the pool's own, or of a flow.

    *at* is epoch seconds, *username* whom it is about, *channel* how it goes, *link* the first URL in its *text*.
    """

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    at: float
    username: str = field(repr=False)
    channel: str = "email"
    link: str = field(default=Factory(lambda self: first_link(self.text), takes_self=True), repr=False)


def masked(address: str) -> str:
    """Return an address as Cognito shows it: ``a***@e***``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain[:1]}***"
