"""What a pool knows of a user, a group and a sign-in, as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from attrs import define, field, frozen

from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.api.schema import is_true

Status = Literal["UNCONFIRMED", "CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"]

Purpose = Literal["sign-up", "forgot-password", "verify-email"]
"""What a code is for."""

_CODE_TRIES = 15


@frozen
class Code:
    """A confirmation code that was sent *to* an address: good until *expires* (epoch seconds), for *tries_left* tries."""

    digits: str = field(repr=False)
    expires: float
    tries_left: int = _CODE_TRIES
    to: str = field(default="", repr=False)


@frozen
class PoolUser:
    """One user as the pool keeps it; there is no password, only what SRP leaves of it."""

    username: str = field(repr=False)
    sub: str
    attributes: Mapping[str, str] = field(repr=False)
    status: Status
    created: float
    modified: float
    verifier: srp6a.Verifier | None = field(default=None, repr=False)
    codes: Mapping[str, Code] = field(factory=dict[str, Code], repr=False)
    enabled: bool = True
    groups: tuple[str, ...] = field(default=(), converter=tuple[str, ...])

    @property
    def verified_email(self) -> str:
        """The address, if it is verified; empty if not."""
        return self.attributes.get("email", "") if is_true(self.attributes.get("email_verified", "")) else ""


@frozen
class Group:
    """One group. The lower its *precedence*, the more its *role* counts; None counts least."""

    name: str
    description: str | None
    role: str | None
    precedence: int | None
    created: float
    modified: float


@define
class Grant:
    """One sign-in: what its refresh token and all tokens from it hang on."""

    sub: str
    username: str
    origin_jti: str
    event_id: str
    auth_time: int
    expires: float
    revoked: bool = False


def attribute_list(user: PoolUser) -> list[dict[str, str]]:
    """Return a user's attributes as replies have them."""
    return [{"Name": name, "Value": value} for name, value in {"sub": user.sub, **user.attributes}.items()]


def user_description(user: PoolUser, *, attributes: str = "UserAttributes") -> dict[str, Any]:
    """Return what administrators are told of *user*; the list of *attributes* has two names in the service's model."""
    return {
        "Username": user.username,
        attributes: attribute_list(user),
        "UserCreateDate": datetime.fromtimestamp(user.created, UTC),
        "UserLastModifiedDate": datetime.fromtimestamp(user.modified, UTC),
        "Enabled": user.enabled,
        "UserStatus": user.status,
    }
