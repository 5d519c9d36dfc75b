"""A table of Watchword's in DynamoDB: its client, its calls in the time there is, and every fault told in one way."""

from __future__ import annotations

import random
import re
import secrets
import weakref
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

from attrs import frozen

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.aws.aws_client import KeptClient, aws_client
from watchword_adapters.aws.botocore_logging import unlogged
from watchword_adapters.clock import SystemClock
from watchword_adapters.ledgers.dynamodb_faults import Cause, ChangedError, FailedError, cause_of, failed_conditions
from watchword_adapters.ledgers.dynamodb_items import PARTITION_KEY, TTL, Item
from watchword_adapters.urls import PortURL

_CONNECT = 0.3
"""Seconds for connecting."""
_READ = 0.7
"""Seconds for each answer."""
_TRIES = 2
"""How often a call is made whose fate is unknown, or which was throttled."""
RACES = 100
"""How often a call begins anew because another one has changed the same items."""

_PAGE = 200
"""Items that one call of `page` looks at."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)

_Result = TypeVar("_Result")


class DynamoDbClient(Protocol):
    """What ledgers and stores use of ``boto3.client("dynamodb")``."""

    def get_item(self, **request: Any) -> Mapping[str, Any]:
        """Read one item."""
        ...

    def batch_get_item(self, **request: Any) -> Mapping[str, Any]:
        """Read several items."""
        ...

    def put_item(self, **request: Any) -> Mapping[str, Any]:
        """Write one item."""
        ...

    def update_item(self, **request: Any) -> Mapping[str, Any]:
        """Change one item."""
        ...

    def transact_write_items(self, **request: Any) -> Mapping[str, Any]:
        """Write several items, all or none."""
        ...

    def scan(self, **request: Any) -> Mapping[str, Any]:
        """Read a part of all items."""
        ...

    def close(self) -> None:
        """Close the connections; the next call opens a new one."""
        ...


@frozen
class TableUse:
    """What a table is for: *word* is what keeps things in it, *actions* are those that must be allowed, of ``dynamodb:``."""

    word: str
    actions: tuple[str, ...]


@frozen
class Write:
    """One write: ``Put`` or ``Update`` with its parameters, under a condition; in a transaction also ``Delete``."""

    sort: str
    parameters: Mapping[str, Any]


class Calls:
    """The calls to the table that one operation makes, strongly consistent, until its *deadline* on *clock*.

    *id* names the operation in what it writes: so a write whose answer was lost is known again when it is read.
    """

    def __init__(self, client: DynamoDbClient, table: str, clock: Clock, deadline: float) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._deadline = deadline
        self.id = secrets.token_hex(8)

    def get(self, key: Item) -> Item | None:
        """Return the item of *key*, or None."""
        self._go_on()
        reply = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item: Item | None = reply.get("Item")
        return item

    def get_all(self, *keys: Item) -> tuple[Item | None, ...]:
        """Return the items of *keys* (100 at most), each or None, in one call."""
        self._go_on()
        request = {self._table: {"Keys": list(keys), "ConsistentRead": True}}
        reply = self._client.batch_get_item(RequestItems=request)
        if reply.get("UnprocessedKeys"):
            raise FailedError(Cause("is throttled (not all was read)", True, "throttled"))
        found = {item[PARTITION_KEY]["S"]: item for item in reply["Responses"].get(self._table, ())}
        return tuple(found.get(key[PARTITION_KEY]["S"]) for key in keys)

    def page(self, prefix: str, start: Item | None) -> tuple[Sequence[Item], Item | None]:
        """Return some of the items whose keys begin with *prefix*, from *start* on, and where the next page starts."""
        self._go_on()
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "Limit": _PAGE,
            "FilterExpression": "begins_with(pk, :prefix)",
            "ExpressionAttributeValues": {":prefix": {"S": prefix}},
        }
        reply = self._client.scan(**request | ({} if start is None else {"ExclusiveStartKey": start}))
        return reply["Items"], reply.get("LastEvaluatedKey")

    def write(self, *writes: Write) -> dict[int, Item]:
        """Make all of *writes* or none; return those whose condition failed, by place, with what was there instead.

        An empty answer means that all was written. What was there is empty if nothing was.

        Raises:
            ChangedError: if another transaction was at work on the same items; nothing was written.
        """
        self._go_on()
        try:
            self._send(*writes)
        except Exception as error:
            failed = failed_conditions(error)
            if failed is None:
                raise
            return failed
        return {}

    def _send(self, first: Write, *more: Write) -> None:
        if more:
            each = [{write.sort: {"TableName": self._table, **write.parameters}} for write in (first, *more)]
            self._client.transact_write_items(TransactItems=each)
        elif first.sort == "Put":
            self._client.put_item(TableName=self._table, **first.parameters)
        else:
            self._client.update_item(TableName=self._table, **first.parameters)

    def pause(self, races: int) -> None:
        """Wait a little, by chance and longer from time to time, so that calls which met do not meet again."""
        now = self._clock.monotonic()
        longest = min(0.002 * 2 ** min(races, 6), max(self._deadline - now, 0.0))
        self._clock.sleep_until(now + random.uniform(0.0, longest))  # noqa: S311 - no secret

    def _go_on(self) -> None:
        if self._clock.monotonic() >= self._deadline:
            raise FailedError(Cause("ran out of time", False, "timeout"))


_clients: weakref.WeakValueDictionary[object, KeptClient[DynamoDbClient]] = weakref.WeakValueDictionary()
_sharing = Lock()


class DynamoDbTable:
    """The table *name*, and the client for it, for all threads of this process: one for all tables of a region.

    Raises:
        ConfigurationError: if *name* can be no table's.
    """

    def __init__(self, name: str, use: TableUse, *, region: str | None, endpoint: str | None, clock: Clock) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{use.word} needs the name of a table: 3 to 255 letters, digits, dots, hyphens and underscores"
            )
        self.name = name
        self._use = use
        self.region = region
        self.endpoint = endpoint
        self._clock = clock
        self._client = self._shared_client()

    def client(self) -> DynamoDbClient:
        """Return the client; the first call makes it, which takes boto3 a quarter of a second.

        Raises:
            ConfigurationError: if boto3 is missing, or if it can make no client of the region and endpoint.
        """
        return self._client.ready()

    def run(self, within: float, operation: Callable[[Calls], _Result]) -> _Result:
        """Return what *operation* returns, if it does within *within* seconds.

        It begins anew after a race, and once after a fault; so it must be right to begin it anew. It runs on a thread
        of its own: looking up a name or fetching credentials has no time limit that could be set.

        Raises:
            UnavailableError: if it fails or is late, naming the table and the cause. What was written is then whole, or
                nothing.
        """
        if not within > 0:
            raise self._unavailable("was given no time", "timeout")
        deadline = self._clock.monotonic() + within

        def work() -> _Result | BaseException:
            try:
                with unlogged():
                    return self._tried(deadline, operation)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                return error

        try:
            outcome = self._clock.call(work, within)
        except UnavailableError as error:
            if error.undelivered:
                raise self._unavailable("found no thread to work on", "setup") from None
            raise self._unavailable(f"did not answer within {within:.3g} seconds", "timeout") from None
        if not isinstance(outcome, BaseException):
            return outcome
        if isinstance(outcome, UnavailableError):
            raise outcome
        if isinstance(outcome, ConfigurationError):
            raise self._unavailable(f"is not set up: {outcome}", "setup")
        # Not chained: what botocore says may quote a request.
        raise self._failed(cause_of(outcome, self._use.actions))

    def _tried(self, deadline: float, operation: Callable[[Calls], _Result]) -> _Result:
        calls = Calls(self.client(), self.name, self._clock, deadline)
        races, faults = 0, 0
        while True:
            try:
                return operation(calls)
            except ChangedError:
                races += 1
                if races == RACES:
                    raise self._unavailable(f"was changed by others {races} times in a row", "busy") from None
            except Exception as error:  # noqa: BLE001 - told apart by what it says of the call
                cause = cause_of(error, self._use.actions)
                faults += 1
                if not cause.again or faults == _TRIES:
                    raise self._failed(cause) from None
            calls.pause(races + faults)

    def _failed(self, cause: Cause) -> UnavailableError:
        return self._unavailable(cause.text, cause.reason, cause.code)

    def _unavailable(self, cause: str, reason: str, code: str = "") -> UnavailableError:
        return UnavailableError(f"the DynamoDB table {self.name!r} {cause}", reason=reason, code=code)

    def _shared_client(self) -> KeptClient[DynamoDbClient]:
        """Return the client that another table of this process has for the same region, endpoint and clock, or a new one.

        A ledger and a store of credentials start together in a function, and each client takes boto3 a tenth of a second.
        """
        clock = None if type(self._clock) is SystemClock else id(self._clock)  # which lives as long as the client
        key = (self.region, self.endpoint, clock, _CONNECT, _READ)
        with _sharing:
            kept = _clients.get(key)
            if kept is None:
                kept = _clients[key] = KeptClient(self._made, self._clock.monotonic)
        return kept

    def _made(self) -> DynamoDbClient:
        client = aws_client(
            self._use.word,
            "dynamodb",
            region=self.region,
            endpoint=self.endpoint,
            connect=_CONNECT,
            read=_READ,
            most=64,
        )
        return cast("DynamoDbClient", client)


def create_table(client: Any, name: str) -> None:
    """Create the table *name* for a ledger with *client*, boto3's of DynamoDB, and wait until it is there.

    On-demand billing, the string ``pk`` as its one key, and the attribute ``ttl`` as the time to live.
    """
    create_keyed_table(client, name)
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL})


def create_keyed_table(client: Any, name: str, **more: Any) -> None:
    """Create the table *name* with the string ``pk`` as its one key, *more* as boto3 takes it, and wait until it is there."""
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})


def table_from_url(url: str, word: str) -> tuple[str, Mapping[str, str]]:
    """Return the table in ``dynamodb://table``, and the options region and endpoint; *word* is whose URL it is.

    Raises:
        ConfigurationError: if *url* holds anything else.
    """
    rest = url.partition(":")[2]
    table, mark, query = rest.removeprefix("//").partition("?")
    if not rest.startswith("//") or not table or "/" in table:
        raise ConfigurationError(f"the {word} URL dynamodb: needs a table, as in dynamodb://watchword?region=eu-west-1")
    # The table is read here: hosts of URLs lose their capitals.
    return table, PortURL.parse(f"dynamodb:{mark}{query}", options=("region", "endpoint")).options
