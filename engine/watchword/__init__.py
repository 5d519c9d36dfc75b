"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""

from watchword.blocks import all_of, at_least, attribute, client, fallback, named, one_of, sequence, when
from watchword.budgets import Limits
from watchword.challenge import Challenge, CreateRequest, Email, Kind, User, Verdict, VerifyRequest
from watchword.errors import ConfigurationError, ProtocolError, UnavailableError, WatchwordError
from watchword.flow import FailAuthentication, Flow, IssueTokens, Present, ReadRound, Round
from watchword.hooks import hookimpl

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
    "Round",
    "UnavailableError",
    "User",
    "Verdict",
    "VerifyRequest",
    "WatchwordError",
    "all_of",
    "at_least",
    "attribute",
    "client",
    "fallback",
    "hookimpl",
    "named",
    "one_of",
    "sequence",
    "when",
]
