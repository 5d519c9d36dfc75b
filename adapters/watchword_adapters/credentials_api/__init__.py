"""The HTTP API by which users enrol, list, rename and remove what they sign in with: in AWS Lambda, and beside a local pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.credentials_api.api import CredentialsApi
    from watchword_adapters.credentials_api.handler import credentials_handler

__all__ = ["CredentialsApi", "credentials_handler"]


def __getattr__(name: str) -> Any:
    # Plain imports rather than importlib: a build that follows imports must see them.
    if name == "CredentialsApi":
        from watchword_adapters.credentials_api.api import CredentialsApi  # noqa: PLC0415

        return CredentialsApi
    if name == "credentials_handler":
        from watchword_adapters.credentials_api.handler import credentials_handler  # noqa: PLC0415

        return credentials_handler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
