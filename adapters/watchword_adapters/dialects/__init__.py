"""Dialects: how a foreign client speaks, turned into the engine's values and back, so that neither engine nor kinds learn its words.

`watchword_adapters.aws_lambda.triggers` takes a dialect by its name. What a client calls beside its sign-ins is here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.dialects.fido2_lambda import fido2_handler

__all__ = ["fido2_handler"]


def __getattr__(name: str) -> Any:
    # By importlib: a build that follows imports must not see it. Every trigger has this package, and none of them checks tokens.
    if name in __all__:
        return getattr(import_module("watchword_adapters.dialects.fido2_lambda"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
