"""The writes of a DynamoDB ledger: each is conditional on what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from watchword.contract.ports import Limit
from watchword_adapters.ledgers.dynamodb_items import (
    BudgetEntry,
    BudgetItem,
    Item,
    OwnerItem,
    number_attribute,
    text_attribute,
)
from watchword_adapters.ledgers.dynamodb_table import Write
from watchword_adapters.ledgers.sliding_window import longest_window

TELL: Mapping[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
"""Has DynamoDB return the item whose condition fails."""


def added(
    key: str,
    entry: BudgetEntry,
    limits: Sequence[Limit],
    *,
    budget_item: Item | None,
    owner_item: Item | None,
    write: str,
) -> list[Write] | None:
    """Return the writes that add *entry* to the budget *key*, or None if it has no room.

    The owner's list of budgets is written in the same transaction, ahead for a whole window: so once in each.
    """
    if not limits:
        return []
    budget = BudgetItem() if budget_item is None else BudgetItem.read(budget_item)
    grown = budget.with_one_more(entry, limits)
    if grown is None:
        return None
    writes = [put(evolve(grown, write=write).item(key), budget.write)]
    owner = OwnerItem() if owner_item is None else OwnerItem.read(owner_item)
    noted = owner.with_budget(key, grown.until, longest_window(limits), entry.at)
    if noted is not None:
        writes.append(put(evolve(noted, write=write).item(entry.owner), owner.write))
    return writes


def put(item: Item, seen: str | None) -> Write:
    """Return the write of *item*, if the write *seen* is still the last; None or nothing where there was no item."""
    if not seen:
        return Write("Put", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"})
    condition = {
        "ConditionExpression": "#write = :seen",
        "ExpressionAttributeNames": {"#write": "write"},
        "ExpressionAttributeValues": {":seen": text_attribute(seen)},
    }
    return Write("Put", {"Item": item, **condition})


def updated(key: Item, change: str, condition: str, names: Mapping[str, str], values: Mapping[str, Item]) -> Write:
    """Return the write that makes *change* to the item of *key* where *condition* holds."""
    parameters = {
        "Key": key,
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **TELL,
    }
    return Write("Update", parameters)


def ended(key: Item, seen: str, write: str) -> Write:
    """Return the write that ends the item of *key*, if the write *seen* is still the last.

    It is not deleted: that is one permission less. The item goes with its time to live.
    """
    values = {":seen": text_attribute(seen), ":over": number_attribute(0), ":id": text_attribute(write)}
    names = {"#until": "until", "#write": "write"}
    return updated(key, "SET #until = :over, #write = :id", "#write = :seen", names, values)
