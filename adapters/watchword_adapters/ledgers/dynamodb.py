"""The ledger in a DynamoDB table, for any number of containers in one region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import evolve

from watchword.contract.hookspecs import RegisterLedger, hookimpl
from watchword.contract.ports import Charge, ChargeRequest, Claim, Clock, Ledger, Limit, Reach
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers.dynamodb_faults import ChangedError
from watchword_adapters.ledgers.dynamodb_items import (
    BudgetEntry,
    BudgetItem,
    HolderItem,
    OwnerItem,
    OwnTryItem,
    RoundItem,
    UsedClaimItem,
    ValueItem,
    item_key,
    number_attribute,
    text_attribute,
)
from watchword_adapters.ledgers.dynamodb_table import Calls, DynamoDbTable, TableUse, Write, table_from_url
from watchword_adapters.ledgers.dynamodb_writes import TELL, added, ended, put, updated
from watchword_adapters.ledgers.sliding_window import longest_window

_FORGOTTEN_AT_ONCE = 50
"""Budgets that one transaction of `forget` empties; DynamoDB takes 100 items in one."""


_USE = TableUse("the DynamoDB ledger", ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"))


class DynamoDbLedger:
    """A `Ledger` in the DynamoDB table *table*, safe for any number of processes that use the same region.

    *region* and credentials are boto3's own unless given; *endpoint* is another URL for DynamoDB, for an emulator. The
    table has the string ``pk`` as its one key, and the attribute ``ttl`` as its time to live (see `create_table`). The
    permissions needed are ``dynamodb:GetItem``, ``BatchGetItem``, ``PutItem`` and ``UpdateItem``. *clock* tells how long
    a call has taken; the system's unless given.

    Every read is strongly consistent, every write conditional on what was read. DynamoDB's removal of old items, which
    may come days late, decides nothing. Items of 1 KB (a budget of ten guesses is smaller) cost, in calls, read
    units and write units::

        claim     1 call   0 read   1 write        consume   2 calls  3 read   6 write  (2 less for each of: no guess to
        settle    1 call   0 read   4 write (sent)           refund, no key to free; 1 if neither)
                                    1 write        consumed  1 call   1 read   0 write
                                    (unsent)       put       1 call   0 read   1 write
        resume    1 call   0 read   1 write        peek      1 call   1 read   0 write
        count     2 calls  2 read   1 write        take      2 calls  1 read   1 write
                  (4 for the first in a window)
        charge    2 calls  4 read   4 write (6 for the first in a window; 1 if exhausted or repeated; 0 if refused or repeated again)
        forgive   2 calls  3 read   4 write
        forget    3 calls

    Every item is one user's, one claim's or one round's, so no key is used by all; but for the value by which the engine
    says that a courier is down, which is read where nothing is sent. A call that races with another on the same items
    begins anew; after a throttle or a lost answer it begins anew once, and knows its own writes again.
    boto3 itself does not try again.

    Raises:
        ConfigurationError: if *table* can be no table's name.
    """

    reach: Reach = "everywhere"

    def __init__(
        self, table: str, *, region: str | None = None, endpoint: str | None = None, clock: Clock | None = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._table = DynamoDbTable(table, _USE, region=region, endpoint=endpoint, clock=self._clock)

    def __repr__(self) -> str:
        return f"DynamoDbLedger({self._table.name!r}, region={self._table.region!r})"

    def prepare(self) -> None:
        """Make the client, which takes boto3 a quarter of a second: otherwise the first call waits for it.

        Raises:
            ConfigurationError: if boto3 is missing, or if it can make no client of the region and endpoint.
        """
        self._table.client()

    def claim(self, key: str, claim_id: str, *, lease: float, now: float, within: float) -> Claim:
        """Take *key* for *lease* seconds, or return the claim that holds it."""

        def work(calls: Calls) -> Claim:
            holder = HolderItem(claim_id, int(now), "sending", now + lease, calls.id)
            free = {
                "ConditionExpression": "attribute_not_exists(pk) OR #until <= :now",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":now": number_attribute(now)},
            }
            failed = calls.write(Write("Put", {"Item": holder.item(key), **free, **TELL}))
            if failed:
                if not failed[0]:
                    raise ChangedError
                holder = HolderItem.read(failed[0])
            return Claim(holder.claim_id, holder.issued, holder.state, fresh=holder.write == calls.id)

        return self._table.run(within, work)

    def settle(
        self, key: str, claim_id: str, state: Literal["sent", "unsent"], *, own_until: float, within: float
    ) -> None:
        """Say what became of the message of *claim_id*; ``sent`` is final and gives the claim its own try."""

        def work(calls: Calls) -> None:
            condition = "#claim = :claim AND #state <> :sent"
            values = {
                ":claim": text_attribute(claim_id),
                ":sent": text_attribute("sent"),
                ":state": text_attribute(state),
            }
            names = {"#claim": "claim", "#state": "state"}
            writes = [updated(item_key("claim", key), "SET #state = :state", condition, names, values)]
            if state == "sent":
                writes.append(put(OwnTryItem(used=False, until=own_until, write=calls.id).item(claim_id), None))
            # A condition that fails says that there is nothing to do: the rest is done without it.
            while writes and (failed := calls.write(*writes)):
                writes = [write for place, write in enumerate(writes) if place not in failed]

        self._table.run(within, work)

    def resume(self, key: str, claim_id: str, *, within: float) -> bool:
        """Turn the claim from ``unsent`` back to ``sending``; True for exactly one caller."""

        def work(calls: Calls) -> bool:
            condition = "#claim = :claim AND #state = :unsent"
            values = {
                ":claim": text_attribute(claim_id),
                ":unsent": text_attribute("unsent"),
                ":sending": text_attribute("sending"),
            }
            names = {"#claim": "claim", "#state": "state", "#write": "write"}
            change = "SET #state = :sending, #write = :id"
            values[":id"] = text_attribute(calls.id)
            failed = calls.write(updated(item_key("claim", key), change, condition, names, values))
            return not failed or (bool(failed[0]) and HolderItem.read(failed[0]).write == calls.id)

        return self._table.run(within, work)

    def charge(self, request: ChargeRequest, *, within: float) -> Charge:
        """Record the answer as the one to its round, and charge one guess for it."""
        round_id, key, claim_id, now = request.round_id, request.key, request.claim_id, request.now

        def work(calls: Calls) -> Charge:
            keys = (
                item_key("round", round_id),
                item_key("budget", key),
                item_key("owner", request.owner),
                item_key("try", claim_id),
            )
            round_item, budget_item, owner_item, try_item = calls.get_all(*keys)
            known = None if round_item is None else RoundItem.read(round_item)
            if known is not None and known.write == calls.id and not known.repeated:
                return Charge("charged" if known.paid else "exhausted", known.at)
            if known is not None and now < known.until:
                if not known.paid:
                    return Charge("exhausted", known.at)
                if known.answer != request.answer:
                    return Charge("refused", known.at)
                if not known.repeated:
                    again = evolve(known, repeated=True, write=calls.id)
                    if calls.write(put(again.item(round_id), known.write)):
                        raise ChangedError
                return Charge("repeated", known.at)
            entry = BudgetEntry(now, round_id, request.owner)
            payment = added(key, entry, request.limits, budget_item=budget_item, owner_item=owner_item, write=calls.id)
            own = OwnTryItem.read(try_item) if payment is None and try_item is not None else None
            if own is not None and not own.used and now < own.until:
                payment = [put(evolve(own, used=True, write=calls.id).item(claim_id), own.write)]
            record = RoundItem(
                request.answer,
                payment is not None,
                now,
                request.keep,
                calls.id,
                own is not None and payment is not None,
            )
            if calls.write(put(record.item(round_id), None if known is None else known.write), *(payment or ())):
                raise ChangedError
            return Charge("exhausted" if payment is None else "charged", now)

        return self._table.run(within, work)

    def forgive(self, round_id: str, *, key: str, claim_id: str, within: float) -> None:
        """Take back the record of *round_id* that was not repeated, and its guess in the budget *key* or the claim's own try."""

        def work(calls: Calls) -> None:
            keys = (item_key("round", round_id), item_key("budget", key), item_key("try", claim_id))
            round_item, budget_item, try_item = calls.get_all(*keys)
            known = None if round_item is None else RoundItem.read(round_item)
            if known is None or not known.paid or known.repeated or known.until == 0 or known.write == calls.id:
                return
            writes = [ended(item_key("round", round_id), known.write, calls.id)]
            budget = BudgetItem() if budget_item is None else BudgetItem.read(budget_item)
            refunded = budget.without_newest(round_id)
            if refunded is not None:
                writes.append(put(evolve(refunded, write=calls.id).item(key), budget.write))
            own = None if try_item is None else OwnTryItem.read(try_item)
            if known.own and own is not None:
                writes.append(put(evolve(own, used=False, write=calls.id).item(claim_id), own.write))
            if calls.write(*writes):
                raise ChangedError

        self._table.run(within, work)

    def count(self, key: str, *, event: str, owner: str, limits: Sequence[Limit], now: float, within: float) -> bool:
        """Count *event* in the budget *key* if there is room; the same event again is free."""

        def work(calls: Calls) -> bool:
            budget_item, owner_item = calls.get_all(item_key("budget", key), item_key("owner", owner))
            window = longest_window(limits)
            entries = () if budget_item is None else BudgetItem.read(budget_item).entries
            if any(entry.event == event and not now - entry.at >= window for entry in entries):
                return True
            entry = BudgetEntry(now, event, owner)
            writes = added(key, entry, limits, budget_item=budget_item, owner_item=owner_item, write=calls.id)
            if writes and calls.write(*writes):
                raise ChangedError
            return writes is not None

        return self._table.run(within, work)

    def consume(self, claim_id: str, *, by: str, refund: str, keep: float, within: float, slot: str = "") -> bool:
        """Use up *claim_id* in the name of round *by*; the win takes its guess back and frees the key *slot*."""

        def work(calls: Calls) -> bool:
            keys = (
                item_key("mark", claim_id),
                item_key("budget", refund),
                *([item_key("claim", slot)] if slot else ()),
            )
            mark_item, budget_item, *holder_items = calls.get_all(*keys)
            if mark_item is not None:
                return UsedClaimItem.read(mark_item).by == by
            writes = [put(UsedClaimItem(by, keep, calls.id).item(claim_id), None)]
            holders = [HolderItem.read(each) for each in holder_items if each is not None]
            held = [holder for holder in holders if holder.claim_id == claim_id]
            writes.extend(ended(item_key("claim", slot), holder.write, calls.id) for holder in held)
            budget = BudgetItem() if budget_item is None else BudgetItem.read(budget_item)
            refunded = budget.without_newest(by)
            if refunded is not None:
                writes.append(put(evolve(refunded, write=calls.id).item(refund), budget.write))
            if calls.write(*writes):
                raise ChangedError
            return True

        return self._table.run(within, work)

    def consumed(self, claim_id: str, *, by: str | None = None, within: float) -> bool:
        """Return whether a round, or the round *by*, has used up *claim_id*."""

        def work(calls: Calls) -> bool:
            item = calls.get(item_key("mark", claim_id))
            return item is not None and by in {None, UsedClaimItem.read(item).by}

        return self._table.run(within, work)

    def put(self, key: str, value: str, *, expires: float, within: float) -> None:
        """Keep *value* under *key* until *expires*."""

        def work(calls: Calls) -> None:
            # Not once more what was put before and may be taken by now.
            anew = {
                "ConditionExpression": "attribute_not_exists(pk) OR #write <> :id",
                "ExpressionAttributeNames": {"#write": "write"},
                "ExpressionAttributeValues": {":id": text_attribute(calls.id)},
            }
            calls.write(Write("Put", {"Item": ValueItem(value, expires, calls.id).item(key), **anew}))

        self._table.run(within, work)

    def peek(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key*, or None."""

        def work(calls: Calls) -> str | None:
            item = calls.get(item_key("value", key))
            value = None if item is None else ValueItem.read(item)
            return value.text if value is not None and not value.taken and now < value.until else None

        return self._table.run(within, work)

    def take(self, key: str, *, now: float, within: float) -> str | None:
        """Return what is kept under *key* and remove it, for exactly one caller."""
        found: list[str] = []

        def work(calls: Calls) -> str | None:
            item = calls.get(item_key("value", key))
            value = None if item is None else ValueItem.read(item)
            if value is None:
                return None
            if value.taken == calls.id:
                return found[-1]
            if value.taken or not now < value.until:
                return None
            found.append(value.text)
            # The item stays, without the text, so that a take whose answer was lost is known again.
            names = {"#taken": "taken", "#text": "text", "#write": "write"}
            values = {":id": text_attribute(calls.id), ":seen": text_attribute(value.write)}
            condition = "#write = :seen AND attribute_not_exists(#taken)"
            if calls.write(updated(item_key("value", key), "SET #taken = :id REMOVE #text", condition, names, values)):
                raise ChangedError
            return value.text

        return self._table.run(within, work)

    def forget(self, owner: str, *, within: float) -> int:
        """Empty every budget of *owner*; return how many had something in them.

        In one transaction up to 50 budgets, in several beyond.
        """
        deadline = self._clock.monotonic() + within
        forgotten, more = 0, True
        while more:
            emptied, more = self._forget_some(owner, deadline - self._clock.monotonic())
            forgotten += emptied
        return forgotten

    def _forget_some(self, owner: str, within: float) -> tuple[int, bool]:
        done: list[tuple[int, bool]] = []

        def work(calls: Calls) -> tuple[int, bool]:
            item = calls.get(item_key("owner", owner))
            known = OwnerItem() if item is None else OwnerItem.read(item)
            if done and known.write == calls.id:
                return done[-1]
            keys = sorted(known.budgets)[:_FORGOTTEN_AT_ONCE]
            if not keys:
                return 0, False
            left = {key: until for key, until in known.budgets.items() if key not in keys}
            writes = [put(evolve(known, budgets=left, write=calls.id).item(owner), known.write)]
            for key, found in zip(keys, calls.get_all(*(item_key("budget", key) for key in keys)), strict=True):
                budget = BudgetItem() if found is None else BudgetItem.read(found)
                emptied = budget.without(owner)
                if emptied is not None:
                    writes.append(put(evolve(emptied, write=calls.id).item(key), budget.write))
            done.append((len(writes) - 1, bool(left)))
            if calls.write(*writes):
                raise ChangedError
            return done[-1]

        return self._table.run(within, work)


@hookimpl
def register_ledgers(register: RegisterLedger) -> None:
    """Register ``dynamodb://table``, with the options region and endpoint."""
    register("dynamodb", _from_url)


def _from_url(url: str) -> Ledger:
    table, options = table_from_url(url, "ledger")
    return DynamoDbLedger(table, region=options.get("region"), endpoint=options.get("endpoint"))
