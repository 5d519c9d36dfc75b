"""The ledgers: what remembers claims, budgets and single use across sessions. Each is loaded when it is first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword_adapters.ledgers.dynamodb import DynamoDbLedger
    from watchword_adapters.ledgers.dynamodb_table import create_table
    from watchword_adapters.ledgers.memory import MemoryLedger
    from watchword_adapters.ledgers.sqlite import SqliteLedger

__all__ = ["DynamoDbLedger", "MemoryLedger", "SqliteLedger", "create_table"]


def __getattr__(name: str) -> Any:
    # `if` rather than importlib: a build that follows imports must see them.
    if name == "DynamoDbLedger":
        from watchword_adapters.ledgers.dynamodb import DynamoDbLedger  # noqa: PLC0415

        return DynamoDbLedger
    if name == "MemoryLedger":
        from watchword_adapters.ledgers.memory import MemoryLedger  # noqa: PLC0415

        return MemoryLedger
    if name == "SqliteLedger":
        from watchword_adapters.ledgers.sqlite import SqliteLedger  # noqa: PLC0415

        return SqliteLedger
    if name == "create_table":
        from watchword_adapters.ledgers.dynamodb_table import create_table  # noqa: PLC0415

        return create_table
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
