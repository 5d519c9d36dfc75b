"""Who can change a user's attribute: users themselves, users of some app clients, or administrators only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

Hands: TypeAlias = Literal["user", "client", "administrator"]
"""Who can change an attribute. ``client``: users, if the app client lists the attribute in WriteAttributes."""

# Cognito gives every user a `sub` once and for all; `identities` it writes when an administrator links a provider.
_ADMINISTRATORS = frozenset({"sub", "identities"})

# No client writes these, and users change them all the same. (Cognito developer guide, user pool attributes: a changed
# address is not verified; UpdateUserAttributes, VerifyUserAttribute, ConfirmSignUp and ForgotPassword do it.)
_INDIRECTLY = {
    "email_verified": "by changing or verifying their address",
    "phone_number_verified": "by changing or verifying their telephone number",
    "cognito:email_alias": "by changing or verifying their address",
    "cognito:phone_number_alias": "by changing or verifying their telephone number",
    "cognito:mfa_enabled": "by turning MFA on or off",
    "cognito:user_status": "by confirming themselves or setting a new password",
}


def who_can_change(name: str) -> Hands:
    """Return who can change the attribute *name*, directly or not."""
    if name in _ADMINISTRATORS:
        return "administrator"
    return "user" if name in _INDIRECTLY or name.startswith("cognito:") else "client"


def how_users_change(name: str) -> str:
    """Return how users can change the attribute *name*, for a message."""
    return _INDIRECTLY.get(name, "through Cognito" if name.startswith("cognito:") else "by writing it")


def is_custom(name: str) -> bool:
    """Say whether *name* is a custom attribute of the pool."""
    return name.startswith(("custom:", "dev:custom:"))


def may_change(name: str, written: Collection[object]) -> bool:
    """Say whether users of an app client whose WriteAttributes are *written* can change the attribute *name*.

    Without a list a client writes the standard attributes, and no custom one.
    """
    if who_can_change(name) != "client":
        return who_can_change(name) == "user"
    return name in written if written else not is_custom(name)
