"""Cognito's errors, in the shape that boto3 gives them; this module stands in for ``client.exceptions``."""

# ruff: noqa: N818 - the names are Amazon's.

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Raised if the pool refuses a call; ``error.response["Error"]["Code"]`` says why, as with botocore.

    The class's name is the code. *operation_name* is filled in by the pool when the error leaves it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.operation_name = "Unknown"
        self.response: dict[str, Any] = {
            "Error": {"Code": type(self).__name__, "Message": message},
            "message": message,
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0},
        }

    def __str__(self) -> str:
        """Say it in botocore's words."""
        error = self.response["Error"]
        return (
            f"An error occurred ({error['Code']}) when calling the {self.operation_name} operation: {error['Message']}"
        )


class AliasExistsException(ClientError):
    """Raised if an address already signs somebody else in."""


class CodeMismatchException(ClientError):
    """Raised if a confirmation code is wrong."""


class ExpiredCodeException(ClientError):
    """Raised if a confirmation code is too old, or there is none."""


class GroupExistsException(ClientError):
    """Raised if a group's name is taken."""


class InvalidLambdaResponseException(ClientError):
    """Raised if what a trigger returned cannot be used."""


class InvalidParameterException(ClientError):
    """Raised if a parameter is unknown, missing, of the wrong type, too long or out of place."""


class InvalidPasswordException(ClientError):
    """Raised if a new password does not follow the policy."""


class LimitExceededException(ClientError):
    """Raised if codes were asked for, or tried, too often."""


class NotAuthorizedException(ClientError):
    """Raised if a password, an answer, a session or a token is not accepted."""


class PasswordResetRequiredException(ClientError):
    """Raised if an administrator has reset a user's password, and no new one is set."""


class ResourceNotFoundException(ClientError):
    """Raised if the pool or the app client is another one."""


class UnexpectedLambdaException(ClientError):
    """Raised if a trigger did not answer in time, three times over, or there is none."""


class UnknownOperationException(ClientError):
    """Raised if the pool does not play an operation."""


class UnsupportedTokenTypeException(ClientError):
    """Raised if something other than a refresh token is to be revoked."""


class UnsupportedUserStateException(ClientError):
    """Raised if an invitation is to be sent again to somebody who has answered it."""


class UserLambdaValidationException(ClientError):
    """Raised if a trigger raised; the text that it raised is in the message."""


class UserNotConfirmedException(ClientError):
    """Raised if a user has not confirmed the sign-up."""


class UserNotFoundException(ClientError):
    """Raised if there is no such user and the pool is told to say so."""


class UsernameExistsException(ClientError):
    """Raised if a user name is taken."""


INCORRECT = "Incorrect username or password."
"""What Cognito says to every refused sign-in."""

DISABLED = "User is disabled."
"""What Cognito says to somebody whose account an administrator has disabled."""

UNRECOGNIZABLE = "Unrecognizable lambda output"
"""What Cognito says of a trigger's answer that it cannot use."""
