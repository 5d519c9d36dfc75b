"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""

from watchword.hooks import hookimpl

__all__ = ["hookimpl"]
