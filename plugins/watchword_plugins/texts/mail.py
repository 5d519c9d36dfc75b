"""Messages by e-mail: to whom, and what is shown of the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from watchword import Email, User

if TYPE_CHECKING:
    from string import Template

    from watchword import CreateRequest

# RFC 5321 4.1.2, narrowed: a dot-atom without "%", "!" and "?" (routes, encoded words), at a host name of two labels or more.
_ATOM = r"[A-Za-z0-9#$&'*+/=^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64


def is_plain_address(value: str) -> bool:
    """Say whether *value* is exactly one plain address (RFC 5321 4.5.3.1 for the lengths)."""
    # Length first: the pattern never runs over a long text.
    return (
        len(value) <= _LONGEST_ADDRESS
        and _ADDRESS.fullmatch(value) is not None
        and len(value.partition("@")[0]) <= _LONGEST_LOCAL_PART
    )


def address_of(user: User, *, verified_only: bool) -> str:
    """Return the address at which *user* may be written to, or nothing."""
    address = user.attributes.get("email", "")
    # Cognito writes "true", other hosts "True".
    verified = user.attributes.get("email_verified", "").lower() == "true"
    return address if user.known and (verified or not verified_only) and is_plain_address(address) else ""


def why_no_mail(user: User) -> str:
    """Return the word for the audit that says why *user*, to whom nothing is written, gets no mail."""
    if not user.known:
        return ""
    address = user.attributes.get("email", "")
    if not is_plain_address(address):
        return "unusable_address" if address else "no_address"
    return "unverified_address"


def shown_address(request: CreateRequest, address: str) -> str:
    """Return what the client may see of *address*, which is written to: nothing while strangers look on."""
    user = request.user
    if not request.proven:
        return ""
    if not user.known:
        # No host lets it come to this; if one does, it looks as it does for a user.
        return masked_address(user.name if is_plain_address(user.name) else made_up(request))
    known = address or user.attributes.get("email", "")
    return masked_address(known) if is_plain_address(known) else ""


def masked_address(address: str) -> str:
    """Return ``a***@e***`` for ann@example.com, as Cognito does."""
    local, _, domain = address.lower().partition("@")
    return f"{local[0]}***@{domain[0]}***"


def made_up(request: CreateRequest) -> str:
    """Return an address to be masked for a user who gets no message: stable, and as plausible as can be.

    Somebody whose address is not verified expects to see it all the same.
    """
    if is_plain_address(request.user.attributes.get("email", "")):
        return request.user.attributes["email"]
    # All spellings by which the host finds one user have one key, whether anybody has the name or not.
    number = int(request.pseudonym(request.user.key)[:12], 16)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"{letters[number % 26]}@{letters[number // 26 % 26]}"


def write_mail(to: str, templates: tuple[Template, ...], values: Mapping[str, str]) -> Email:
    """Return the mail *to* an address that *values* make of *templates*: of a subject, a text and HTML."""
    from html import escape  # noqa: PLC0415 - only Create needs it

    subject, text, html = templates
    return Email(
        to=to,
        subject=" ".join(subject.substitute(values).split()),  # one line, whatever the template is
        text=text.substitute(values),
        html=html.substitute({name: escape(value) for name, value in values.items()}),
    )
