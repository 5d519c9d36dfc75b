"""What AWS Lambda says of a function in its environment."""

from __future__ import annotations

from collections.abc import Mapping


def runs_in_lambda(environment: Mapping[str, str]) -> bool:
    """Return whether *environment* is that of a Lambda function."""
    return "AWS_LAMBDA_FUNCTION_NAME" in environment


def runs_handler(environment: Mapping[str, str], name: str) -> bool:
    """Return whether *environment* is that of a Lambda function whose handler is the attribute *name* of a module."""
    return runs_in_lambda(environment) and environment.get("_HANDLER", "").endswith(f".{name}")
