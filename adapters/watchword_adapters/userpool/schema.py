"""What Cognito's default schema and password policy accept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase, digits, punctuation

from watchword_adapters.userpool import errors

_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale"),
        *("middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "updated_at", "website", "zoneinfo"),
    }
)
_NOT_WRITABLE = frozenset({"email_verified", "phone_number_verified"})  # by users themselves
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE = re.compile(r"\+[0-9]{1,15}")  # E.164
_SYMBOLS = f"{punctuation} "


def is_true(value: str) -> bool:
    """Say whether a boolean attribute is set; Cognito carries it as ``true`` or ``True``."""
    return value.lower() == "true"


def attributes_from(pairs: Sequence[Mapping[str, str]], *, by_user: bool) -> dict[str, str]:
    """Return ``[{"Name": …, "Value": …}]`` as a dictionary, each name checked (see `check_attribute`).

    Raises:
        InvalidParameterException: if an address or a number cannot be one.
    """
    attributes: dict[str, str] = {}
    for pair in pairs:
        check_attribute(pair["Name"], by_user=by_user)
        attributes[pair["Name"]] = pair.get("Value") or ""
    if attributes.get("email") and not _EMAIL.fullmatch(attributes["email"]):
        raise errors.InvalidParameterException("Invalid email address format.")
    if attributes.get("phone_number") and not _PHONE.fullmatch(attributes["phone_number"]):
        raise errors.InvalidParameterException("Invalid phone number format.")
    return attributes


def unverified(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return *attributes* with the note that each address among them is not verified, unless they say whether it is."""
    addresses = (name for name in ("email", "phone_number") if attributes.get(name))
    return {**{f"{name}_verified": "false" for name in addresses}, **attributes}


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

    Its letters and digits are those of basic Latin, and a space inside counts as a symbol:
    https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html

    Raises:
        InvalidPasswordException: if it is short, lacks a kind of character, or begins or ends with a space.
    """
    lacks = (
        (len(password) >= 8, "Password not long enough"),
        (any(c in ascii_lowercase for c in password), "Password must have lowercase characters"),
        (any(c in ascii_uppercase for c in password), "Password must have uppercase characters"),
        (any(c in digits for c in password), "Password must have numeric characters"),
        (any(c in _SYMBOLS for c in password), "Password must have symbol characters"),
        (password == password.strip(" \t\n\v\f\r"), "Password must not begin or end with a space"),
    )
    for fine, text in lacks:
        if not fine:
            raise errors.InvalidPasswordException(f"Password did not conform with policy: {text}")
