"""What Cognito's default schema and password policy accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchword_adapters.userpool import errors

_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale"),
        *("middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "updated_at", "website", "zoneinfo"),
    }
)
_NOT_WRITABLE = frozenset({"email_verified", "phone_number_verified"})  # by users themselves


def is_true(value: str) -> bool:
    """Say whether a boolean attribute is set; Cognito carries it as ``true`` or ``True``."""
    return value.lower() == "true"


def attributes_from(pairs: Sequence[Mapping[str, str]], *, by_user: bool) -> dict[str, str]:
    """Return ``[{"Name": …, "Value": …}]`` as a dictionary, each name checked (see `check_attribute`)."""
    attributes: dict[str, str] = {}
    for pair in pairs:
        check_attribute(pair["Name"], by_user=by_user)
        attributes[pair["Name"]] = pair.get("Value") or ""
    return attributes


def check_attribute(name: str, *, by_user: bool) -> None:
    """Accept an attribute's name.

    Raises:
        InvalidParameterException: if the schema has no such attribute.
        NotAuthorizedException: if a user may not write it.
    """
    if name not in _STANDARD and not name.startswith("custom:"):
        shown = ascii(name)[1:-1]
        raise errors.InvalidParameterException(
            f"Attributes did not conform to the schema: {shown}: Attribute does not exist in schema.\n"
        )
    if by_user and name in _NOT_WRITABLE:
        raise errors.NotAuthorizedException("A client attempted to write unauthorized attribute")


def check_password(password: str) -> None:
    """Refuse a new password that Cognito's default policy refuses.

    Raises:
        InvalidPasswordException: if it is short, or lacks a kind of character.
    """
    lacks = (
        (len(password) >= 8, "Password not long enough"),
        (any(c.islower() for c in password), "Password must have lowercase characters"),
        (any(c.isupper() for c in password), "Password must have uppercase characters"),
        (any(c.isdigit() for c in password), "Password must have numeric characters"),
        (any(not c.isalnum() for c in password), "Password must have symbol characters"),
    )
    for fine, text in lacks:
        if not fine:
            raise errors.InvalidPasswordException(f"Password did not conform with policy: {text}")
