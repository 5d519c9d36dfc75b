"""The stores of credentials: what users enrolled, for years. Each is loaded when it is first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.credentials.dynamodb import DynamoDBCredentials, create_credentials_table
    from watchword_adapters.credentials.memory import MemoryCredentials
    from watchword_adapters.credentials.sqlite import SqliteCredentials

__all__ = ["DynamoDBCredentials", "MemoryCredentials", "SqliteCredentials", "create_credentials_table"]


def __getattr__(name: str) -> Any:
    # `if` rather than importlib: a build that follows imports must see them.
    if name == "MemoryCredentials":
        from watchword_adapters.credentials.memory import MemoryCredentials  # noqa: PLC0415

        return MemoryCredentials
    if name == "SqliteCredentials":
        from watchword_adapters.credentials.sqlite import SqliteCredentials  # noqa: PLC0415

        return SqliteCredentials
    if name == "DynamoDBCredentials":
        from watchword_adapters.credentials.dynamodb import DynamoDBCredentials  # noqa: PLC0415

        return DynamoDBCredentials
    if name == "create_credentials_table":
        from watchword_adapters.credentials.dynamodb import create_credentials_table  # noqa: PLC0415

        return create_credentials_table
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
