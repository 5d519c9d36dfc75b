"""The API for passkeys that the passwordless client calls beside its sign-ins: in AWS Lambda, and beside a local pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.fido2_api.api import Fido2Api
    from watchword_adapters.fido2_api.handler import fido2_handler

__all__ = ["Fido2Api", "fido2_handler"]


def __getattr__(name: str) -> Any:
    # Plain imports rather than importlib: a build that follows imports must see them.
    if name == "Fido2Api":
        from watchword_adapters.fido2_api.api import Fido2Api  # noqa: PLC0415

        return Fido2Api
    if name == "fido2_handler":
        from watchword_adapters.fido2_api.handler import fido2_handler  # noqa: PLC0415

        return fido2_handler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
