"""The items of a DynamoDB ledger: what each is called, how it is written, and how strictly it is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

from attrs import evolve, field, frozen

from watchword.contract.ports import ClaimState, Limit
from watchword_adapters.ledgers.sliding_window import GRACE, has_room, largest_count, longest_window

Item: TypeAlias = dict[str, Any]
Sort: TypeAlias = Literal["claim", "try", "round", "budget", "owner", "mark", "value"]

PARTITION_KEY = "pk"
"""The table's partition key, a string; it has no sort key."""
TTL = "ttl"
"""The attribute by which DynamoDB removes items, some time after they are over. Nothing is decided by it."""

_FORMAT = 1


class ForeignItemError(Exception):
    """Raised if an item is not as Watchword writes it. Its text names attributes, never their values."""


@frozen
class HolderItem:
    """Who holds a claim's key. *write* is the operation that took or resumed it."""

    claim_id: str
    issued: int
    state: ClaimState
    until: float
    write: str

    def item(self, key: str) -> Item:
        """Return the item for the claim *key*."""
        facts = {
            "claim": text_attribute(self.claim_id),
            "issued": number_attribute(self.issued),
            "state": text_attribute(self.state),
        }
        return _item("claim", key, self.write, self.until, facts)

    @classmethod
    def read(cls, item: Item) -> HolderItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        return cls(
            read_text(item, "claim"), int(read_number(item, "issued")), _state(read_text(item, "state")), until, write
        )


@frozen
class OwnTryItem:
    """The own try of a claim."""

    used: bool
    until: float
    write: str

    def item(self, claim_id: str) -> Item:
        """Return the item for the claim *claim_id*."""
        return _item("try", claim_id, self.write, self.until, {"used": {"BOOL": self.used}})

    @classmethod
    def read(cls, item: Item) -> OwnTryItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        return cls(_flag(item, "used"), until, write)


@frozen
class RoundItem:
    """The record of a round: its one answer, and whether it was paid for; *own* if that was the claim's own try.

    *repeated* says that the same answer came again, so that the charge stays.
    """

    answer: str
    paid: bool
    at: float
    until: float
    write: str
    own: bool = False
    repeated: bool = False

    def item(self, round_id: str) -> Item:
        """Return the item for the round *round_id*."""
        facts = {"answer": text_attribute(self.answer), "paid": {"BOOL": self.paid}, "at": number_attribute(self.at)}
        facts |= {"own": {"BOOL": True}} if self.own else {}
        facts |= {"repeated": {"BOOL": True}} if self.repeated else {}
        return _item("round", round_id, self.write, self.until, facts)

    @classmethod
    def read(cls, item: Item) -> RoundItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        own = "own" in item and _flag(item, "own")
        repeated = "repeated" in item and _flag(item, "repeated")
        return cls(read_text(item, "answer"), _flag(item, "paid"), read_number(item, "at"), until, write, own, repeated)


@frozen
class BudgetEntry:
    """One guess or message in a budget."""

    at: float
    event: str
    owner: str


@frozen
class BudgetItem:
    """A budget: its entries, oldest first. *until* is when the last of them stops counting."""

    entries: tuple[BudgetEntry, ...] = ()
    until: float = 0.0
    write: str = ""

    def item(self, key: str) -> Item:
        """Return the item for the budget *key*; owners, who are mostly one, are written once."""
        owners = list(dict.fromkeys(entry.owner for entry in self.entries))
        entries = [[each.at, each.event, owners.index(each.owner)] for each in self.entries]
        # As one text: a list in DynamoDB's own types takes boto3 six times as long to read, and no condition looks inside.
        facts = {"owners": json_attribute(owners), "entries": json_attribute(entries)}
        return _item("budget", key, self.write, self.until, facts)

    @classmethod
    def read(cls, item: Item) -> BudgetItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        owners, entries = read_json(item, "owners", list), read_json(item, "entries", list)
        read: list[BudgetEntry] = []
        for each in entries:
            match each:
                case [int() | float() as at, str(event), int(place)] if place in range(len(owners)):
                    read.append(BudgetEntry(_time(at, "entries"), event, str(owners[place])))
                case _:
                    raise ForeignItemError("entries")
        return cls(tuple(read), until, write)

    def with_one_more(self, entry: BudgetEntry, limits: Sequence[Limit]) -> BudgetItem | None:
        """Return this budget with *entry*, or None if there is no room for it under *limits*."""
        if not has_room([each.at for each in self.entries], limits, entry.at):
            return None
        entries = sorted((*self.entries, entry), key=lambda each: each.at)[-largest_count(limits) :]
        return evolve(self, entries=tuple(entries), until=max(self.until, entry.at + longest_window(limits)))

    def without_newest(self, event: str) -> BudgetItem | None:
        """Return this budget without the newest entry of *event*, or None if it has none."""
        newest = max((each for each in self.entries if each.event == event), key=lambda each: each.at, default=None)
        if newest is None:
            return None
        place = self.entries.index(newest)
        return evolve(self, entries=(*self.entries[:place], *self.entries[place + 1 :]))

    def without(self, owner: str) -> BudgetItem | None:
        """Return this budget without the entries of *owner*, or None if it has none of them."""
        others = tuple(each for each in self.entries if each.owner != owner)
        return evolve(self, entries=others) if len(others) < len(self.entries) else None


@frozen
class OwnerItem:
    """Which budgets may hold entries of one owner, each with the time until which it is remembered here."""

    budgets: Mapping[str, float] = field(factory=dict[str, float])
    until: float = 0.0
    write: str = ""

    def item(self, owner: str) -> Item:
        """Return the item for *owner*."""
        return _item("owner", owner, self.write, self.until, {"budgets": json_attribute(dict(self.budgets))})

    @classmethod
    def read(cls, item: Item) -> OwnerItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        listed = read_json(item, "budgets", dict)
        return cls({key: _time(listed[key], "budgets") for key in listed}, until, write)

    def with_budget(self, key: str, until: float, slack: float, now: float) -> OwnerItem | None:
        """Return this owner with the budget *key* noted until *until* and *slack* seconds more; None if it is already.

        Budgets that are over by more than the grace at *now* are dropped, so the item stays small.
        """
        if self.budgets.get(key, 0.0) >= until:
            return None
        kept = {each: last for each, last in self.budgets.items() if last + GRACE > now}
        return evolve(self, budgets=kept | {key: until + slack}, until=max(self.until, until + slack))


@frozen
class UsedClaimItem:
    """By which round a claim was used up."""

    by: str
    until: float
    write: str

    def item(self, claim_id: str) -> Item:
        """Return the item for the claim *claim_id*."""
        return _item("mark", claim_id, self.write, self.until, {"by": text_attribute(self.by)})

    @classmethod
    def read(cls, item: Item) -> UsedClaimItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        return cls(read_text(item, "by"), until, write)


@frozen
class ValueItem:
    """A value that was put; *taken* is the operation that took it, and then *text* is gone."""

    text: str
    until: float
    write: str
    taken: str = ""

    def item(self, key: str) -> Item:
        """Return the item for the value of *key*. Values may be sensitive: they go as soon as they are over."""
        return _item("value", key, self.write, self.until, {"text": text_attribute(self.text)}, grace=0.0)

    @classmethod
    def read(cls, item: Item) -> ValueItem:
        """Return what *item* says."""
        write, until = _read_frame(item)
        taken = read_text(item, "taken") if "taken" in item else ""
        return cls("" if taken else read_text(item, "text"), until, write, taken)


def item_key(sort: Sort, name: str) -> Item:
    """Return the key of the item of that *sort* and *name*."""
    return {PARTITION_KEY: text_attribute(f"{sort}#{name}")}


def text_attribute(value: str) -> Item:
    """Return *value* as DynamoDB takes a string.

    Raises:
        UnicodeEncodeError: if it holds half of a character, which DynamoDB does not take.
    """
    value.encode()
    return {"S": value}


def number_attribute(value: float) -> Item:
    """Return *value* as DynamoDB takes a number: the shortest decimal that reads as the same float."""
    if not math.isfinite(value):
        raise ValueError("a time is no number")
    return {"N": repr(value)}


def _item(sort: Sort, name: str, write: str, until: float, facts: Item, *, grace: float = GRACE) -> Item:
    frame = {"v": number_attribute(_FORMAT), "write": text_attribute(write), "until": number_attribute(until)}
    return item_key(sort, name) | frame | {TTL: number_attribute(math.ceil(until + grace))} | facts


def _read_frame(item: Item) -> tuple[str, float]:
    if read_number(item, "v") != _FORMAT:
        raise ForeignItemError("v")
    return read_text(item, "write"), read_number(item, "until")


def read_typed(item: Item, name: str, sort: str, python: type[Any]) -> Any:
    """Return the attribute *name* of *item*, of DynamoDB's type *sort*, which is *python*.

    Raises:
        ForeignItemError: if it is absent, or of another type.
    """
    given: object = item.get(name)
    if isinstance(given, dict):
        value: object = cast("Item", given).get(sort)
        if type(value) is python:
            return value
    raise ForeignItemError(name)


def read_text(item: Item, name: str) -> str:
    """Return the text *name* of *item*, or raise ForeignItemError."""
    value: str = read_typed(item, name, "S", str)
    return value


def _state(value: str) -> ClaimState:
    match value:
        case "sending" | "sent" | "unsent":
            return value
        case _:
            raise ForeignItemError("state")


def _flag(item: Item, name: str) -> bool:
    value: bool = read_typed(item, name, "BOOL", bool)
    return value


def json_attribute(value: object) -> Item:
    """Return *value* as DynamoDB takes a string, in JSON."""
    return text_attribute(json.dumps(value, separators=(",", ":"), allow_nan=False))


def read_json(item: Item, name: str, python: type[Any]) -> Any:
    """Return what the text *name* of *item* is in JSON, of the type *python*, or raise ForeignItemError."""
    try:
        value: object = json.loads(read_text(item, name))
    except (ValueError, RecursionError):
        raise ForeignItemError(name) from None
    if type(value) is not python:
        raise ForeignItemError(name)
    return value


def _time(value: object, name: str) -> float:
    if type(value) not in (int, float):
        raise ForeignItemError(name)
    moment = float(cast("float", value))
    if not math.isfinite(moment) or moment < 0:
        raise ForeignItemError(name)
    return moment


def read_number(item: Item, name: str) -> float:
    """Return the number *name* of *item*, 0 or more, or raise ForeignItemError."""
    try:
        value = float(read_typed(item, name, "N", str))
    except ValueError:
        raise ForeignItemError(name) from None
    return _time(value, name)
