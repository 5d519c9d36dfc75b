"""Which parameters each operation takes, and the checking of them.

Limits are those of the public service model; Cognito's own front end refuses the rest in these words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, assert_never, cast

from attrs import frozen

from watchword_adapters.userpool.api.errors import InvalidParameterException

_LONGEST = 131_072


@frozen
class TextParameter:
    """A string of *shortest* to *longest* characters; *one_of* or *pattern* narrows it further."""

    longest: int = _LONGEST
    shortest: int = 0
    pattern: str = ""
    one_of: tuple[str, ...] = ()


@frozen
class NumberParameter:
    """A whole number from 0 to *most*."""

    most: int = 2**31 - 1


@frozen
class BooleanParameter:
    """A boolean."""


@frozen
class MapParameter:
    """An object whose values are strings."""


@frozen
class AttributeList:
    """A list of ``{"Name": …, "Value": …}``."""


@frozen
class IgnoredParameter:
    """Accepted, whatever it is, and not looked at: analytics, risk data and the like."""


Parameter = TextParameter | NumberParameter | BooleanParameter | MapParameter | AttributeList | IgnoredParameter

_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]+"
# The public model says [\S]+. The service takes spaces inside: its refusals name ^[\S]+.*[\S]+$, which this says in linear time.
_SPACED = r"\S|\S.*\S"
_NAME = TextParameter(32, 1)
_VALUE = TextParameter(2048)
_CHALLENGES = (
    "SMS_MFA EMAIL_OTP SOFTWARE_TOKEN_MFA SELECT_MFA_TYPE MFA_SETUP PASSWORD_VERIFIER CUSTOM_CHALLENGE SELECT_CHALLENGE"
    " DEVICE_SRP_AUTH DEVICE_PASSWORD_VERIFIER ADMIN_NO_SRP_AUTH NEW_PASSWORD_REQUIRED SMS_OTP PASSWORD WEB_AUTHN"
    " PASSWORD_SRP"
)
_FLOWS = (
    "USER_SRP_AUTH REFRESH_TOKEN_AUTH REFRESH_TOKEN CUSTOM_AUTH ADMIN_NO_SRP_AUTH USER_PASSWORD_AUTH"
    " ADMIN_USER_PASSWORD_AUTH USER_AUTH"
)

_MEMBERS: Mapping[str, Parameter] = {
    "AccessToken": TextParameter(pattern=r"[A-Za-z0-9-_=.]+"),
    "AnalyticsMetadata": IgnoredParameter(),
    "AttributeName": _NAME,
    "AuthFlow": TextParameter(one_of=tuple(_FLOWS.split())),
    "AuthParameters": MapParameter(),
    "ChallengeName": TextParameter(one_of=tuple(_CHALLENGES.split())),
    "ChallengeResponses": MapParameter(),
    "ClientId": TextParameter(128, 1, r"[\w+]+"),
    "ClientMetadata": MapParameter(),
    "ClientSecret": TextParameter(64, 24, r"[\w+]+"),
    "Code": TextParameter(2048, 1, r"[\S]+"),
    "ConfirmationCode": TextParameter(2048, 1, r"[\S]+"),
    "ContextData": IgnoredParameter(),
    "Description": TextParameter(2048),
    "DesiredDeliveryMediums": IgnoredParameter(),
    "DeviceKey": IgnoredParameter(),
    "ForceAliasCreation": BooleanParameter(),
    "GroupName": TextParameter(128, 1, _VISIBLE),
    "Limit": NumberParameter(60),
    "MessageAction": TextParameter(one_of=("RESEND", "SUPPRESS")),
    "NextToken": TextParameter(shortest=1, pattern=r"[\S]+"),
    "Password": TextParameter(256, 0, _SPACED),
    "Permanent": BooleanParameter(),
    "Precedence": NumberParameter(),
    "PreviousPassword": TextParameter(256, 0, _SPACED),
    "ProposedPassword": TextParameter(256, 0, _SPACED),
    "RefreshToken": TextParameter(pattern=r"[A-Za-z0-9-_=.]+"),
    "RevokeAssociatedSessions": IgnoredParameter(),
    "RoleArn": TextParameter(
        2048, 20, r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+){0,2}"
    ),
    "SecretHash": TextParameter(128, 1, r"[\w+=/]+"),
    "Session": TextParameter(4096, 20),
    "TemporaryPassword": TextParameter(256, 0, _SPACED),
    "Token": TextParameter(pattern=r"[A-Za-z0-9-_=.]+"),
    "UserAttributes": AttributeList(),
    "UserContextData": IgnoredParameter(),
    "UserPoolId": TextParameter(55, 1, r"[\w-]+_[0-9a-zA-Z]+"),
    "Username": TextParameter(128, 1, _VISIBLE),
    "ValidationData": AttributeList(),
}

# An asterisk marks what must be there.
_OPERATIONS = {
    "SignUp": "ClientId* SecretHash Username* Password* UserAttributes ValidationData AnalyticsMetadata UserContextData"
    " ClientMetadata",
    "ConfirmSignUp": "ClientId* SecretHash Username* ConfirmationCode* ForceAliasCreation AnalyticsMetadata"
    " UserContextData ClientMetadata Session",
    "ResendConfirmationCode": "ClientId* SecretHash Username* UserContextData AnalyticsMetadata ClientMetadata",
    "InitiateAuth": "AuthFlow* AuthParameters ClientMetadata ClientId* AnalyticsMetadata UserContextData Session",
    "RespondToAuthChallenge": "ClientId* ChallengeName* Session ChallengeResponses AnalyticsMetadata UserContextData"
    " ClientMetadata",
    "GetTokensFromRefreshToken": "RefreshToken* ClientId* ClientSecret DeviceKey ClientMetadata",
    "GetUser": "AccessToken*",
    "UpdateUserAttributes": "UserAttributes* AccessToken* ClientMetadata",
    "GetUserAttributeVerificationCode": "AccessToken* AttributeName* ClientMetadata",
    "VerifyUserAttribute": "AccessToken* AttributeName* Code*",
    "RevokeToken": "Token* ClientId* ClientSecret RevokeAssociatedSessions",
    "GlobalSignOut": "AccessToken*",
    "ForgotPassword": "ClientId* SecretHash UserContextData Username* AnalyticsMetadata ClientMetadata",
    "ConfirmForgotPassword": "ClientId* SecretHash Username* ConfirmationCode* Password* AnalyticsMetadata"
    " UserContextData ClientMetadata",
    "ChangePassword": "PreviousPassword* ProposedPassword* AccessToken*",
    "AdminCreateUser": "UserPoolId* Username* UserAttributes ValidationData TemporaryPassword ForceAliasCreation"
    " MessageAction DesiredDeliveryMediums ClientMetadata",
    "AdminGetUser": "UserPoolId* Username*",
    "AdminDeleteUser": "UserPoolId* Username*",
    "AdminSetUserPassword": "UserPoolId* Username* Password* Permanent",
    "AdminConfirmSignUp": "UserPoolId* Username* ClientMetadata",
    "AdminUpdateUserAttributes": "UserPoolId* Username* UserAttributes* ClientMetadata",
    "AdminDisableUser": "UserPoolId* Username*",
    "AdminEnableUser": "UserPoolId* Username*",
    "AdminResetUserPassword": "UserPoolId* Username* ClientMetadata",
    "CreateGroup": "GroupName* UserPoolId* Description RoleArn Precedence",
    "GetGroup": "GroupName* UserPoolId*",
    "UpdateGroup": "GroupName* UserPoolId* Description RoleArn Precedence",
    "DeleteGroup": "GroupName* UserPoolId*",
    "ListGroups": "UserPoolId* Limit NextToken",
    "ListUsersInGroup": "UserPoolId* GroupName* Limit NextToken",
    "AdminAddUserToGroup": "UserPoolId* Username* GroupName*",
    "AdminRemoveUserFromGroup": "UserPoolId* Username* GroupName*",
    "AdminListGroupsForUser": "Username* UserPoolId* Limit NextToken",
    "AdminInitiateAuth": "UserPoolId* ClientId* AuthFlow* AuthParameters ClientMetadata AnalyticsMetadata ContextData"
    " Session",
    "AdminRespondToAuthChallenge": "UserPoolId* ClientId* ChallengeName* ChallengeResponses Session AnalyticsMetadata"
    " ContextData ClientMetadata",
}


def _read(row: str) -> tuple[frozenset[str], tuple[str, ...]]:
    words = row.split()
    return frozenset(word.rstrip("*") for word in words), tuple(word[:-1] for word in words if word.endswith("*"))


_TABLE = {operation: _read(row) for operation, row in _OPERATIONS.items()}
# The service's \s and \w are those of ASCII; what a user name may not have are Unicode's spaces too.
_COMPILED = {
    name: re.compile(shape.pattern, 0 if shape.pattern == _VISIBLE else re.ASCII)
    for name, shape in _MEMBERS.items()
    if isinstance(shape, TextParameter)
}

OPERATIONS = tuple(_OPERATIONS)
"""Every operation that the pool plays."""


def parameters_of(operation: str) -> frozenset[str]:
    """Return the names of the parameters that *operation* takes."""
    return _TABLE[operation][0]


def needs_credentials(operation: str) -> bool:
    """Say whether the service wants AWS credentials for *operation*: an administrator's one, which names the pool."""
    return "UserPoolId" in parameters_of(operation)


def check_parameters(operation: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Return *parameters* without those that are None, all of the right type and size.

    Raises:
        InvalidParameterException: if one is unknown, missing, of the wrong type, or out of bounds.
    """
    known, required = _TABLE[operation]
    given: dict[str, Any] = {}
    for name, value in parameters.items():
        if name not in known:
            raise InvalidParameterException(
                f'Unknown parameter in input: "{_quoted(name)}", must be one of: {", ".join(sorted(known))}'
            )
        if value is not None:
            shape = _MEMBERS[name]
            _check(name, _path(name), shape, value)
            given[name] = _without_nulls(value) if isinstance(shape, MapParameter) else value
    for name in required:
        if name not in given:
            raise _violation(f"Value null at '{_path(name)}'", "Member must not be null")
    return given


def _check(name: str, path: str, shape: Parameter, value: object) -> None:
    match shape:
        case TextParameter():
            _check_text(name, path, shape, value)
        case NumberParameter():
            if isinstance(value, bool) or not isinstance(value, int):
                raise _wrong_type(path, "a whole number")
            if not 0 <= value <= shape.most:
                raise _violation(f"Value at '{path}'", f"Member must have value from 0 to {shape.most}")
        case BooleanParameter():
            if not isinstance(value, bool):
                raise _wrong_type(path, "a boolean")
        case MapParameter():
            if not isinstance(value, Mapping):
                raise _wrong_type(path, "an object")
            for key, item in cast("Mapping[object, object]", value).items():
                _check_text(name, f"{path}.key", _ANY_TEXT, key)
                if item is not None:  # amazon-cognito-identity-js sends DEVICE_KEY: null
                    _check_text(name, f"{path}.member", _ANY_TEXT, item)
        case AttributeList():
            if not isinstance(value, list | tuple):
                raise _wrong_type(path, "a list")
            for index, item in enumerate(cast("list[object]", value), start=1):
                _check_attribute(f"{path}.{index}.member", item)
        case IgnoredParameter():
            pass
        case _:
            assert_never(shape)


_ANY_TEXT = TextParameter()


def _check_text(name: str, path: str, shape: TextParameter, value: object) -> None:
    if not isinstance(value, str):
        raise _wrong_type(path, "a string")
    if len(value) > shape.longest:
        raise _violation(f"Value at '{path}'", f"Member must have length less than or equal to {shape.longest}")
    if len(value) < shape.shortest:
        raise _violation(f"Value at '{path}'", f"Member must have length greater than or equal to {shape.shortest}")
    if not value.isascii():
        _check_encodable(path, value)
    if shape.one_of and value not in shape.one_of:
        allowed = f"Member must satisfy enum value set: [{', '.join(shape.one_of)}]"
        raise _violation(f"Value '{_quoted(value)}' at '{path}'", allowed)
    if shape.pattern and not _COMPILED[name].fullmatch(value):
        raise _violation(f"Value at '{path}'", f"Member must satisfy regular expression pattern: {shape.pattern}")


def _check_encodable(path: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _wrong_type(path, "a string of Unicode characters") from None


def _check_attribute(path: str, item: object) -> None:
    if not isinstance(item, Mapping):
        raise _wrong_type(path, "an object with Name and Value")
    pair = cast("Mapping[object, object]", item)
    if not set(pair) <= {"Name", "Value"}:
        raise _wrong_type(path, "an object with Name and Value")
    _check_text("Name", f"{path}.name", _NAME, pair.get("Name"))
    if pair.get("Value") is not None:
        _check_text("Value", f"{path}.value", _VALUE, pair["Value"])


def _without_nulls(value: object) -> dict[str, str]:
    return {key: item for key, item in cast("Mapping[str, str]", value).items() if cast("object", item) is not None}


def _path(name: str) -> str:
    return name[0].lower() + name[1:]


def _quoted(value: object) -> str:
    return ascii(value)[1:60].rstrip("'\"")


def _wrong_type(path: str, wanted: str) -> InvalidParameterException:
    return _violation(f"Value at '{path}'", f"Member must be {wanted}")


def _violation(what: str, constraint: str) -> InvalidParameterException:
    return InvalidParameterException(f"1 validation error detected: {what} failed to satisfy constraint: {constraint}")
