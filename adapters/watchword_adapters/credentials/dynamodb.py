"""The credentials in a DynamoDB table, for any number of containers in one region."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from attrs import evolve

from watchword.contract.credentials import Credential, Credentials
from watchword.contract.hookspecs import RegisterCredentials, hookimpl
from watchword.contract.ports import Clock, Reach
from watchword_adapters.clock import SystemClock
from watchword_adapters.credentials.credential_items import (
    ITEM_VERSION,
    OWNER_PREFIX,
    CredentialsItem,
    changing_attributes,
    credential_key,
    id_item,
    id_key,
    owner_key,
)
from watchword_adapters.ledgers.dynamodb_faults import ChangedError
from watchword_adapters.ledgers.dynamodb_items import Item, number_attribute, read_text, text_attribute
from watchword_adapters.ledgers.dynamodb_table import (
    Calls,
    DynamoDbTable,
    TableUse,
    Write,
    create_keyed_table,
    table_from_url,
)
from watchword_adapters.ledgers.dynamodb_writes import put, updated

READING_ACTIONS = ("GetItem",)
"""What Create calls of the table, of ``dynamodb:``: it lists."""
USING_ACTIONS = (*READING_ACTIONS, "UpdateItem")
"""What Verify calls of it: it swaps too."""
ACTIONS = (*USING_ACTIONS, "BatchGetItem", "PutItem", "DeleteItem")
"""What must be allowed where users enrol, rename and remove. `everything`, of the support desk, needs Scan too."""

_USE = TableUse("the DynamoDB store of credentials", ACTIONS)


class DynamoDBCredentials:
    """`Credentials` in the DynamoDB table *table*, safe for any number of processes that use the same region.

    *region* and credentials of AWS are boto3's own unless given; *endpoint* is another URL for DynamoDB, for an emulator. The
    table is one of its own, with the string ``pk`` as its one key, and **no time to live**: see `create_credentials_table`.
    The permissions needed are ``dynamodb:GetItem``, ``BatchGetItem``, ``PutItem``, ``UpdateItem`` and ``DeleteItem``, and
    for `everything` ``Scan``. *clock* tells how long a call has taken; the system's unless given.

    Each owner is one item, in clear, which holds up to 20 credentials; each id is another, so that nobody else gets it.
    Every read is strongly consistent, every write conditional. With an owner's item of up to 1 KB they cost, in calls,
    read units and write units::

        list    1 call   1 read   0 write
        add     2 calls  2 read   4 write  (2 more for each that is replaced; 1 call, no write if refused)
        swap    1 call   0 read   1 write
        remove  2 calls  1 read   4 write  (1 call, no write if there is none such)

    A swap changes its own credential alone, so those of one owner do not meet. A call that races with another begins anew;
    after a throttle or a lost answer it begins anew once, and knows its own writes again. Of two calls that remove the same
    credential while an answer is lost, both may say that they did.

    Raises:
        ConfigurationError: if *table* can be no table's name.
    """

    reach: Reach = "everywhere"

    def __init__(
        self, table: str, *, region: str | None = None, endpoint: str | None = None, clock: Clock | None = None
    ) -> None:
        self._table = DynamoDbTable(table, _USE, region=region, endpoint=endpoint, clock=clock or SystemClock())

    def __repr__(self) -> str:
        return f"DynamoDBCredentials({self._table.name!r}, region={self._table.region!r})"

    def prepare(self) -> None:
        """Make the client, which takes boto3 a quarter of a second: otherwise the first call waits for it.

        Raises:
            ConfigurationError: if boto3 is missing, or if it can make no client of the region and endpoint.
        """
        self._table.client()

    def list(self, owner: str, *, within: float) -> tuple[Credential, ...]:
        """Return the credentials of *owner*, oldest first."""

        def work(calls: Calls) -> tuple[Credential, ...]:
            return _owned(calls.get(owner_key(owner))).listed()

        return self._table.run(within, work)

    def add(self, credential: Credential, *, replace: bool, most: int, within: float) -> bool:
        """Add *credential*; return False, and change nothing, if its id is known for its kind or its owner has *most*."""

        def work(calls: Calls) -> bool:
            key = credential_key(credential.kind, credential.id)
            owner_item, known = calls.get_all(owner_key(credential.owner), id_key(key))
            if known is not None:
                return read_text(known, "write") == calls.id  # written before, and the answer lost
            owned = _owned(owner_item)
            replaced = {
                name: each
                for name, each in owned.credentials.items()
                if replace and each.credential.kind == credential.kind
            }
            kept = owned.without(replaced, calls.id)
            if len(kept.credentials) >= most:
                return False
            grown = kept.with_one_more(credential, calls.id)
            writes = [put(grown.item(credential.owner), owned.write), put(id_item(key, calls.id), None)]
            if calls.write(*writes, *map(_freed, replaced)):
                raise ChangedError
            return True

        return self._table.run(within, work)

    def swap(self, credential: Credential, *, version: int, within: float) -> bool:
        """Put *credential* in place of the stored one if that has *version*; return False if it has another, or is gone."""

        def work(calls: Calls) -> bool:
            key = credential_key(credential.kind, credential.id)
            written = changing_attributes(evolve(credential, version=version + 1), calls.id)
            names = {"#all": "credentials", "#key": key, "#v": "v"} | {f"#{name}": name for name in written}
            values = {f":{name}": value for name, value in written.items()}
            changes = ", ".join(f"#all.#key.#{name} = :{name}" for name in written)
            failed = calls.write(
                updated(
                    owner_key(credential.owner),
                    f"SET {changes}, #write = :write",
                    "#all.#key.#version = :seen AND #v = :v",
                    names,
                    values | {":seen": number_attribute(version), ":v": number_attribute(ITEM_VERSION)},
                )
            )
            if not failed:
                return True
            stored = _owned(failed[0] or None).credentials.get(key)
            return stored is not None and stored.write == calls.id  # written before, and the answer lost

        return self._table.run(within, work)

    def remove(self, owner: str, kind: str, id: str, *, within: float) -> bool:  # noqa: A002 - the field's word
        """Remove a credential; return False if there is none such."""
        unanswered = False

        def work(calls: Calls) -> bool:
            nonlocal unanswered
            key = credential_key(kind, id)
            owned = _owned(calls.get(owner_key(owner)))
            if key not in owned.credentials:
                return unanswered
            left = owned.without({key: None}, calls.id)
            write = put(left.item(owner), owned.write) if left.credentials else _deleted(owner, owned.write)
            unanswered = True
            try:
                failed = calls.write(write, _freed(key))
            except ChangedError:
                unanswered = False
                raise
            if failed:
                unanswered = False
                raise ChangedError
            return True

        return self._table.run(within, work)

    def everything(self, *, within: float) -> Iterator[Credential]:
        """Yield every credential of every owner; each page of them may take *within* seconds. It needs ``dynamodb:Scan``.

        What is added or removed meanwhile may be among them or not.
        """
        start: Item | None = None
        while True:
            page, start = self._table.run(within, partial(_page, start=start))
            yield from page
            if start is None:
                return


def _page(calls: Calls, start: Item | None) -> tuple[tuple[Credential, ...], Item | None]:
    items, following = calls.page(OWNER_PREFIX, start)
    return tuple(each for item in items for each in CredentialsItem.read(item).listed()), following


def _owned(item: Item | None) -> CredentialsItem:
    return CredentialsItem() if item is None else CredentialsItem.read(item)


def _freed(key: str) -> Write:
    """Return the write by which the id of the credential *key* is free again; it goes with that of the owner's item."""
    return Write("Delete", {"Key": id_key(key)})


def _deleted(owner: str, seen: str) -> Write:
    """Return the write by which the item of *owner* goes, if the write *seen* is still the last."""
    condition: Mapping[str, Any] = {
        "ConditionExpression": "#write = :seen",
        "ExpressionAttributeNames": {"#write": "write"},
        "ExpressionAttributeValues": {":seen": text_attribute(seen)},
    }
    return Write("Delete", {"Key": owner_key(owner), **condition})


def create_credentials_table(client: Any, name: str) -> None:
    """Create the table *name* for a store of credentials with *client*, boto3's of DynamoDB, and wait until it is there.

    On-demand billing, the string ``pk`` as its one key, no time to live, protected from deletion, and with point-in-time
    recovery, by which it can be restored to any second of the last 35 days.
    """
    create_keyed_table(client, name, DeletionProtectionEnabled=True)
    recovery = {"PointInTimeRecoveryEnabled": True}
    tries = 30
    while True:
        try:
            client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
        except client.exceptions.ContinuousBackupsUnavailableException:
            # DynamoDB enables backups some seconds after it made the table.
            tries -= 1
            if not tries:
                raise
            time.sleep(2)
        else:
            return


@hookimpl
def register_credentials(register: RegisterCredentials) -> None:
    """Register ``dynamodb://table``, with the options region and endpoint."""
    register("dynamodb", _from_url)


def _from_url(url: str) -> Credentials:
    table, options = table_from_url(url, "credentials")
    return DynamoDBCredentials(table, region=options.get("region"), endpoint=options.get("endpoint"))
