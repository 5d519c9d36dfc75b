"""Dialects: how a foreign client speaks, turned into the engine's values and back, so that neither engine nor kinds learn its words.

`watchword_adapters.aws_lambda.triggers` takes a dialect by its name. What a client calls beside its sign-ins is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.dialects.fido2_lambda import fido2_handler

__all__ = ["fido2_handler"]


def __getattr__(name: str) -> Any:
    # `if` rather than importlib: a build that follows imports must see them.
    if name == "fido2_handler":
        from watchword_adapters.dialects.fido2_lambda import fido2_handler  # noqa: PLC0415

        return fido2_handler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
