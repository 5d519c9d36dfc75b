"""A flow as plain functions, for any Python program without Cognito: `SignIn.begin` and `SignIn.respond`."""

from watchword.runtime.credentials.enrolment import Completion
from watchword_adapters.functions.sign_in import CLIENT, MAX_STATE, PASSWORD_LIMITS, SignIn, exact
from watchword_adapters.functions.values import Asked, Refused, Reply, SignedIn, UserRecord, Users

__all__ = [
    "CLIENT",
    "MAX_STATE",
    "PASSWORD_LIMITS",
    "Asked",
    "Completion",
    "Refused",
    "Reply",
    "SignIn",
    "SignedIn",
    "UserRecord",
    "Users",
    "exact",
]
