"""Watchword: the challenge engine for sign-in on Amazon Cognito's custom authentication."""
