"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""

from typing import TYPE_CHECKING

from watchword.blocks import all_of, at_least, attribute, client, fallback, named, one_of, sequence, when
from watchword.budgets import Limits
from watchword.challenge import Challenge, CreateRequest, Email, Kind, User, Verdict, VerifyRequest
from watchword.errors import ConfigurationError, ProtocolError, UnavailableError, WatchwordError
from watchword.flow import FailAuthentication, Flow, IssueTokens, Present, ReadRound, Round
from watchword.hooks import hookimpl
from watchword.typed import typed_code

if TYPE_CHECKING:
    from watchword.exploration import explore
    from watchword.registry import Registry
    from watchword.verdicts import check

__all__ = [
    "Challenge",
    "ConfigurationError",
    "CreateRequest",
    "Email",
    "FailAuthentication",
    "Flow",
    "IssueTokens",
    "Kind",
    "Limits",
    "Present",
    "ProtocolError",
    "ReadRound",
    "Registry",
    "Round",
    "UnavailableError",
    "User",
    "Verdict",
    "VerifyRequest",
    "WatchwordError",
    "all_of",
    "at_least",
    "attribute",
    "check",
    "client",
    "explore",
    "fallback",
    "hookimpl",
    "named",
    "one_of",
    "sequence",
    "typed_code",
    "when",
]


def __getattr__(name: str) -> object:
    # A host that is built neither walks flows nor searches for plugins: these are loaded by those who ask for them.
    if name == "check":
        from watchword.verdicts import check  # noqa: PLC0415

        return check
    if name == "Registry":
        from watchword.registry import Registry  # noqa: PLC0415

        return Registry
    if name == "explore":
        from watchword.exploration import explore  # noqa: PLC0415

        return explore
    raise AttributeError(f"module 'watchword' has no attribute {name!r}")
