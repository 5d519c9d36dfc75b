"""What Cognito's default schema and password policy accept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase, digits, punctuation

from watchword_adapters.userpool.api import errors

_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale"),
        *("middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "updated_at", "website", "zoneinfo"),
    }
)
_NOT_WRITABLE = frozenset({"email_verified", "phone_number_verified"})  # by users themselves
_LONGEST_NAME = 128
_LONGEST_VALUE = 2048
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE = re.compile(r"\+[0-9]{1,15}")  # E.164
_SYMBOLS = f"{punctuation} "


def is_true(value: str) -> bool:
    """Say whether a boolean attribute is set; Cognito carries it as ``true`` or ``True``."""
    return value.lower() == "true"


def attributes_from(pairs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return ``[{"Name": …, "Value": …}]`` as a dictionary that `check_attributes` accepts."""
    attributes = {pair["Name"]: pair.get("Value") or "" for pair in pairs}
    check_attributes(attributes)
    return attributes


def check_writable(names: Iterable[str]) -> None:
    """Refuse attributes that users may not write themselves.

    Raises:
        NotAuthorizedException: if there is one among *names*.
    """
    if not _NOT_WRITABLE.isdisjoint(names):
        raise errors.NotAuthorizedException("A client attempted to write unauthorized attribute")


def check_attributes(attributes: Mapping[str, str], *, odd_addresses: bool = False) -> None:
    """Refuse attributes that the schema does not have, and values that they cannot have. A blank value is none.

    With *odd_addresses* an address may have any form, as in a pool that others filled.

    Raises:
        InvalidParameterException: if there is one.
    """
    for name, value in attributes.items():
        shown = ascii(name)[1:-1]
        if name not in _STANDARD and not name.startswith("custom:"):
            raise _no_conformity(shown, "Attribute does not exist in schema.")
        if len(value) > _LONGEST_VALUE or not _is_text(value):
            raise _no_conformity(shown, f"The value must be a text of at most {_LONGEST_VALUE} characters.")
        if name.endswith("_verified") and name in _STANDARD and value.lower() not in {"", "true", "false"}:
            raise _no_conformity(shown, "The value must be true or false.")
    if odd_addresses:
        return
    if attributes.get("email") and not is_email(attributes["email"]):
        raise errors.InvalidParameterException("Invalid email address format.")
    if attributes.get("phone_number") and not _PHONE.fullmatch(attributes["phone_number"]):
        raise errors.InvalidParameterException("Invalid phone number format.")


def check_username(name: str) -> None:
    """Refuse a user name that no call could name.

    Raises:
        InvalidParameterException: if it is empty, too long, or no text.
    """
    if not 1 <= len(name) <= _LONGEST_NAME or not _is_text(name):
        raise errors.InvalidParameterException(f"Username must be a text of 1 to {_LONGEST_NAME} characters.")


def is_email(value: str) -> bool:
    """Say whether this may be an e-mail address."""
    return bool(_EMAIL.fullmatch(value))


def required(name: str) -> errors.InvalidParameterException:
    """Return the refusal to remove an attribute that every user has to have."""
    return _no_conformity(name, "The attribute is required")


def _no_conformity(name: str, why: str) -> errors.InvalidParameterException:
    return errors.InvalidParameterException(f"Attributes did not conform to the schema: {name}: {why}\n")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


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
