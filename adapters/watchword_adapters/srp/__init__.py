"""SRP-6a as Cognito speaks it: the arithmetic, a client, and the password round that a host checks itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.srp.client import SrpClient

__all__ = ["SrpClient"]


def __getattr__(name: str) -> Any:
    if name == "SrpClient":
        from watchword_adapters.srp.client import SrpClient  # noqa: PLC0415 - hosts need the arithmetic alone

        return SrpClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
