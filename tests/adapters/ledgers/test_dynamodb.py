"""The DynamoDB ledger against an emulator: the contract, the same answers as memory, races, faults, and what it costs."""

import itertools
import json
import logging
import math
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kit.aws import REGION, TRANSIENT, Aws, isolate, metered, patient
from kit.ledger_calls import operations, outcome
from watchword import Flow
from watchword.contract.ports import Charge, ChargeRequest, Limit
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.ledgers import LedgerContract
from watchword.testing.time import VirtualClock
from watchword_adapters.aws import aws_client
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.ledgers import DynamoDbLedger, MemoryLedger, dynamodb, dynamodb_items, dynamodb_table
from watchword_adapters.ledgers.sliding_window import GRACE
from watchword_adapters.userpool import LocalUserPool
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

NOW = 1_800_000_000.0
TEN = (Limit(10, 86400),)


@pytest.fixture(scope="module")
def aws():
    """The emulator."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        server = Aws()
        server.admin = server.client("dynamodb")
        yield server
        server.admin.close()
        server.close()


@pytest.fixture(scope="module")
def one(aws):
    """The one ledger of these tests: making a client takes long."""
    return patient(aws, "Ledger")


@pytest.fixture
def ledger(aws, one):
    """A ledger on an empty table."""
    yield one
    aws.empty("Ledger")


@pytest.fixture
def table(ledger):
    """The name of its table."""
    return "Ledger"


def items(aws, table):
    """Every item of the table, by its key."""
    return {item["pk"]["S"]: item for item in aws.admin.scan(TableName=table)["Items"]}


def charge(ledger, round_id="r", *, now=NOW, key="budget", within=3600.0, **given):
    given = {"answer": "a", "owner": "ann", "claim_id": "c", "limits": TEN, "keep": now + 600} | given
    return ledger.charge(ChargeRequest(round_id, key=key, now=now, **given), within=within)


def count(ledger, event="m", *, key="mails", limits=TEN, now=NOW, within=3600.0):
    return ledger.count(key, event=event, owner="ann", limits=limits, now=now, within=within)


def consume(ledger, claim_id="c", by="r", *, refund="budget"):
    return ledger.consume(claim_id, by=by, refund=refund, keep=NOW + 600, within=3600.0)


def claim(ledger, claim_id="c", *, key="k", now=NOW, within=3600.0):
    return ledger.claim(key, claim_id, lease=16, now=now, within=within)


def settle(ledger, state="sent", *, key="k", claim_id="c"):
    ledger.settle(key, claim_id, state, own_until=NOW + 180, within=3600.0)


class TestDynamoDbLedger(LedgerContract):
    """The contract. The fixture `ledger` is the one above."""


# The same answers


@pytest.fixture(scope="module")
def pair(aws):
    return MemoryLedger(), patient(aws, "same-answers"), itertools.count()


@settings(max_examples=10, deadline=None)
@given(done=st.lists(operations, min_size=10, max_size=40))
def test_memory_and_dynamodb_give_the_same_answers(pair, done):
    """Whatever is asked in whatever order, at times that jump back and forth, both ledgers answer alike."""
    one, other, examples = pair
    number = next(examples)
    for operation in done:
        assert outcome(one, number, operation) == outcome(other, number, operation), operation


@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(done=st.lists(st.tuples(operations, st.integers(0, 3), st.sampled_from(TRANSIENT)), min_size=10, max_size=30))
def test_a_fault_at_any_call_changes_no_answer(aws, pair, done):
    """A lost answer, a request that never came, a throttle, a fault or a race, at any call of any operation."""
    one, other, examples = pair
    number = next(examples)
    for operation, place, fault in done:
        aws.faults[:] = ["pass"] * place + [fault]
        answers = outcome(one, number, operation), outcome(other, number, operation)
        aws.faults.clear()
        assert answers[0] == answers[1], (operation, place, fault)


# Faults


def calls(ledger):
    """Each operation once, each by a function."""
    return {
        "claim": lambda: claim(ledger, key="another"),
        "settle": lambda: settle(ledger),
        "resume": lambda: ledger.resume("k", "c", within=3600.0),
        "charge": lambda: charge(ledger, "r1"),
        "count": lambda: count(ledger),
        "consume": lambda: consume(ledger),
        "put": lambda: ledger.put("h", "other", expires=NOW + 60, within=3600.0),
        "peek": lambda: ledger.peek("h", now=NOW, within=3600.0),
        "take": lambda: ledger.take("h", now=NOW, within=3600.0),
        "forget": lambda: ledger.forget("ann", within=3600.0),
    }


OPERATIONS = tuple(calls(None))


def fill(ledger):
    """Write at least one item of each sort."""
    claim(ledger)
    settle(ledger, "unsent")
    charge(ledger, "r")
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)


FAULTS = [
    ("cut", r"answer was lost \(ConnectionClosedError\)", 2),
    ((500, "InternalServerError"), r"failed \(InternalServerError\)", 2),
    ((503, "ServiceUnavailable"), r"failed \(ServiceUnavailable\)", 2),
    ((400, "ProvisionedThroughputExceededException"), r"is throttled \(Prov", 2),
    ((400, "ThrottlingException"), r"is throttled \(Throttling", 2),
    ((400, "RequestLimitExceeded"), "is throttled", 2),
    ((400, "AccessDeniedException"), "refuses access .*allow dynamodb:GetItem, BatchGetItem, PutItem and Up", 1),
    ((400, "ResourceNotFoundException"), "does not exist in this region: create it, or name the region", 1),
    ((400, "ValidationException"), "its partition key must be the string 'pk', without a sort key", 1),
    ((400, "UnrecognizedClientException"), "refuses the credentials", 1),
    ((400, "ExpiredTokenException"), "refuses the credentials", 1),
    ((400, "KMSAccessDeniedException"), "cannot use its KMS key", 1),
    ((400, "SomethingNew"), r"failed \(SomethingNew\)", 1),
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_that_lasts_ends_closed(aws, ledger, table, operation):
    """What may pass is tried twice, what will not once; the error names table, cause and remedy, and quotes nothing."""
    fill(ledger)
    before = items(aws, table)
    for fault, said, tries in FAULTS:
        aws.faults[:] = [lambda *_, fault=fault: fault] * 9
        with aws.counted() as made, pytest.raises(UnavailableError, match=said) as caught:
            calls(ledger)[operation]()
        aws.faults.clear()
        assert sum(made.values()) == tries
        assert f"the DynamoDB table {table!r}" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert items(aws, table) == before


def cancelled(*codes):
    """What DynamoDB says of a transaction that it did not make, for these reasons."""
    reasons = [{"Code": code, "Message": "canary"} for code in codes]
    return 400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons, "message": "canary"}


@pytest.mark.parametrize(
    ("codes", "said", "writes"),
    [
        (("None", "ThrottlingError"), r"is throttled \(ThrottlingError\)", 2),
        (("ConditionalCheckFailed", "ProvisionedThroughputExceeded"), "is throttled", 2),
        (("ValidationError", "None"), "partition key must be", 1),
        (("None", "ItemCollectionSizeLimitExceeded"), "ItemCollectionSizeLimitExceeded", 1),
        ((), "TransactionCanceledException", 1),
    ],
)
def test_each_reason_of_a_cancelled_transaction_is_told(aws, ledger, codes, said, writes):
    """A mixture of reasons is judged by the worst of them."""
    aws.faults[:] = ["pass", cancelled(*codes)] * 5
    with aws.counted() as made, pytest.raises(UnavailableError, match=said):
        charge(ledger)
    assert made["TransactWriteItems"] == writes


def test_races_are_run_again_and_not_for_ever(aws, ledger, table, monkeypatch):
    """A call that meets others begins anew, up to a bound; what it says is written, and otherwise nothing is."""
    aws.faults[:] = ["pass", cancelled("TransactionConflict", "None")] * 5
    assert charge(ledger, "r1").outcome == "charged"
    assert aws.faults == []
    assert set(items(aws, table)) == {"round#r1", "budget#budget", "owner#ann"}
    monkeypatch.setattr(dynamodb_table, "RACES", 7)
    aws.faults[:] = ["pass", cancelled("ConditionalCheckFailed", "None")] * 50
    with pytest.raises(UnavailableError, match="was changed by others 7 times in a row"):
        charge(ledger, "r2")
    aws.faults.clear()
    assert "round#r2" not in items(aws, table)
    assert charge(ledger, "r2").outcome == "charged"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_lost_answer_is_found_by_reading_again(aws, ledger, table, operation):
    """A write that was made and never confirmed is known again: once done, once answered, nothing charged twice."""
    fill(ledger)
    twin = MemoryLedger()
    fill(twin)
    expected = calls(twin)[operation]()
    last = {"claim": 0, "settle": 0, "resume": 0, "put": 0, "peek": 0, "forget": 2}.get(operation, 1)
    aws.faults[:] = [*(["pass"] * last), "lost"]
    assert calls(ledger)[operation]() == expected
    assert aws.faults == []
    assert len(json.loads(items(aws, table)["budget#budget"]["entries"]["S"])) == len(twin._entries("budget"))


def test_a_take_whose_answer_was_lost_leaves_nothing_for_others(aws, ledger, table):
    """The value is given to the one who took it, and is gone from the table."""
    ledger.put("h", "canary", expires=NOW + 60, within=3600.0)
    aws.faults[:] = ["pass", "lost"]
    assert ledger.take("h", now=NOW, within=3600.0) == "canary"
    assert ledger.take("h", now=NOW, within=3600.0) is None
    assert "canary" not in str(items(aws, table))


def test_a_put_whose_answer_was_lost_is_not_put_again_behind_a_take(aws, ledger):
    """A value that was taken before the second try stays taken."""
    taken = []

    def lose_and_take(operation, parameters):
        with aws.meanwhile():
            aws.admin.put_item(TableName=parameters["TableName"], Item=parameters["Item"])
            taken.append(ledger.take("h", now=NOW, within=3600.0))
        return "cut"

    aws.faults[:] = [lose_and_take]
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)
    assert taken == ["value"]
    assert ledger.take("h", now=NOW, within=3600.0) is None


def test_what_was_not_read_is_a_throttle(aws, ledger, table):
    """A batch of which DynamoDB leaves some keys unread is no answer: an unread item is not an absent one."""
    charge(ledger, "r1", limits=(Limit(1, 60),))
    half = {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": [{"pk": {"S": "budget#budget"}}]}}}
    aws.faults[:] = [(200, half)] * 2
    with pytest.raises(UnavailableError, match="throttled"):
        charge(ledger, "r2", limits=(Limit(1, 60),))
    aws.faults[:] = [(200, half)]
    assert charge(ledger, "r2", limits=(Limit(1, 60),)).outcome == "exhausted"


class Hanging(VirtualClock):
    """A clock whose time for a call is over as soon as the service has been asked; the service answers after that."""

    def __init__(self, aws, answer):
        super().__init__()
        self._asked, self._given_up = threading.Event(), threading.Event()
        self._thread = None
        aws.faults[:] = [lambda *_: self._hang(answer)]

    def _hang(self, answer):
        self._asked.set()
        self._given_up.wait()
        return answer

    def call(self, work, within):
        self._thread = threading.Thread(target=work)
        self._thread.start()
        self._asked.wait()
        self.advance(within)
        raise UnavailableError("late", reason="timeout")

    def answer(self):
        """Have the service answer, and wait until the call that was given up is over."""
        self._given_up.set()
        self._thread.join()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_service_that_hangs_ends_the_call_in_time(aws, ledger, monkeypatch, operation):
    """Whatever it waits for, a call ends when its time is over."""
    clock = Hanging(aws, "cut")
    monkeypatch.setattr(ledger._table, "_clock", clock)
    with pytest.raises(UnavailableError, match=r"did not answer within 2\.5 seconds"):
        {
            "claim": lambda: claim(ledger, within=2.5),
            "settle": lambda: ledger.settle("k", "c", "sent", own_until=NOW, within=2.5),
            "resume": lambda: ledger.resume("k", "c", within=2.5),
            "charge": lambda: charge(ledger, within=2.5),
            "count": lambda: count(ledger, within=2.5),
            "consume": lambda: ledger.consume("c", by="r", refund="b", keep=NOW, within=2.5),
            "put": lambda: ledger.put("h", "v", expires=NOW, within=2.5),
            "peek": lambda: ledger.peek("h", now=NOW, within=2.5),
            "take": lambda: ledger.take("h", now=NOW, within=2.5),
            "forget": lambda: ledger.forget("ann", within=2.5),
        }[operation]()
    clock.answer()


def test_a_late_call_asks_nothing_more(aws, ledger, table, monkeypatch):
    """A call that was given up writes nothing after that, though the reading it waited for is answered."""
    clock = Hanging(aws, "pass")
    monkeypatch.setattr(ledger._table, "_clock", clock)
    with pytest.raises(UnavailableError, match="did not answer"):
        charge(ledger, within=2.5)
    clock.answer()
    assert items(aws, table) == {}


def test_the_client_waits_as_long_as_it_says(ledger, monkeypatch):
    """boto3 does not try again, and no single wait is longer than a second."""
    isolate(monkeypatch)
    config = DynamoDbLedger("table", region=REGION)._table.client().meta.config
    assert (config.connect_timeout, config.read_timeout) == (0.3, 0.7)
    assert config.retries["total_max_attempts"] == 1


def test_nothing_listens():
    """A service that cannot be reached is tried twice and then unavailable."""
    ledger = DynamoDbLedger("table", region=REGION, endpoint="http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="could not be reached"):
        ledger.peek("h", now=NOW, within=3600.0)


def test_a_connection_that_has_idled_is_not_trusted(aws, ledger, monkeypatch):
    """After the pause in which a container may have been frozen, a new connection is opened."""
    ledger.peek("h", now=NOW, within=3600.0)
    closed = []
    client = ledger._table.client()
    monkeypatch.setattr(client, "close", lambda: closed.append(True))
    ledger.peek("h", now=NOW, within=3600.0)
    assert closed == []
    ledger._table._client._used -= aws_client.IDLE + 1
    ledger.peek("h", now=NOW, within=3600.0)
    assert closed == [True]


def test_a_table_that_is_missing_is_named(aws):
    """A real refusal, of the emulator: no such table."""
    ledger = DynamoDbLedger("missing", region=REGION, endpoint=aws.endpoint)
    with pytest.raises(UnavailableError, match="'missing' does not exist in this region"):
        charge(ledger)


def test_a_table_with_another_key_is_refused(aws):
    """A real refusal, of the emulator: the key is called otherwise."""
    aws.admin.create_table(
        TableName="other-key",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    ledger = DynamoDbLedger("other-key", region=REGION, endpoint=aws.endpoint)
    for call in (claim, charge):
        with pytest.raises(UnavailableError, match="partition key must be the string 'pk'"):
            call(ledger)


def test_text_that_no_table_can_hold_is_unavailable(ledger):
    """A lone surrogate, or a time that is no number, is refused as every other fault, and nothing of it is written."""
    with pytest.raises(UnavailableError, match="could not be asked"):
        ledger.put("h", "\ud800", expires=NOW + 60, within=3600.0)
    with pytest.raises(UnavailableError, match="could not be asked"):
        claim(ledger, now=math.nan)
    assert ledger.peek("h", now=NOW, within=3600.0) is None


# What is in the table


def test_the_removal_of_old_items_decides_nothing(aws, ledger, table):
    """Items that are over are absent though DynamoDB has not removed them, and items it should keep say so themselves."""
    claim(ledger)
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)
    charge(ledger, "r", keep=NOW + 60)
    assert claim(ledger, "d", now=NOW + 16).fresh
    assert ledger.peek("h", now=NOW + 60, within=3600.0) is None
    assert charge(ledger, "r", now=NOW + 60).outcome == "charged"
    assert len(items(aws, table)) == 5


def test_every_item_says_when_it_may_go(aws, ledger, table):
    """The time to live is whole seconds, after the end of each item; for a budget and its owner after the last window."""
    fill(ledger)
    settle(ledger)
    consume(ledger)
    ttl = {key.partition("#")[0]: int(item["ttl"]["N"]) for key, item in items(aws, table).items()}
    assert ttl == {
        "claim": NOW + 16 + GRACE,
        "try": NOW + 180 + GRACE,
        "round": NOW + 600 + GRACE,
        "budget": NOW + 86400 + GRACE,
        "owner": NOW + 2 * 86400 + GRACE,
        "mark": NOW + 600 + GRACE,
        "value": NOW + 60,
    }
    described = aws.admin.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def change(aws, table, key, name, value):
    """Overwrite one attribute of one item, as somebody would who edits the table."""
    item = items(aws, table)[key]
    if value is None:
        del item[name]
    else:
        item[name] = value
    aws.admin.put_item(TableName=table, Item=item)


@pytest.mark.parametrize(
    ("key", "name", "value", "call"),
    [
        *(("claim#k", name, value, "claim") for name, value in (
            ("until", None), ("issued", {"N": "-5"}), ("issued", {"S": "5"}),
            ("state", {"S": "free"}), ("state", {"BOOL": True}), ("claim", {"N": "1"}), ("v", {"N": "2"}), ("v", None),
            ("write", None),
        )),
        *(("round#r", name, value, "charge") for name, value in (
            ("until", {"S": "1900000000"}), ("at", {"S": "1800000000"}), ("at", {"NULL": True}), ("paid", {"S": "true"}),
            ("paid", {"N": "1"}), ("answer", {"NULL": True}), ("answer", None), ("write", {"B": b"x"}),
        )),
        *(("budget#budget", name, value, "charge another") for name, value in (
            ("entries", {"S": "[]]"}), ("entries", {"S": "{}"}), ("entries", {"L": []}), ("entries", None),
            ("entries", {"S": '[["1800000000","r",0]]'}), ("entries", {"S": '[[-1,"r",0]]'}),
            ("entries", {"S": '[[NaN,"r",0]]'}), ("entries", {"S": '[[true,"r",0]]'}),
            ("entries", {"S": '[[1e999,"r",0]]'}), ("entries", {"S": '[[1,"r",1]]'}),
            ("entries", {"S": '[[1,"r",-1]]'}), ("entries", {"S": "[[1,2,0]]"}), ("entries", {"S": '[[1,"r"]]'}),
            ("until", {"S": "x"}), ("owners", {"S": "ann"}),
        )),
        *(("owner#ann", name, value, call) for name, value in (
            ("budgets", {"S": '{"budget":"x"}'}), ("budgets", {"SS": ["budget"]}), ("v", {"N": "9"}),
        ) for call in ("forget", "charge another")),
        *(("try#c", name, value, "charge the own try") for name, value in (
            ("used", {"N": "0"}), ("used", {"S": "false"}), ("until", {"S": "1900000000"}), ("until", {"N": "-1"}),
        )),
        *(("mark#c", name, value, "consume") for name, value in (
            ("by", {"N": "1"}), ("by", None), ("until", {"S": "x"}),
        )),
        *(("value#h", name, value, call) for name, value in (
            ("text", {"B": b"x"}), ("text", None), ("until", {"S": "1900000000"}), ("taken", {"BOOL": False}),
        ) for call in ("peek", "take")),
    ],
)  # fmt: skip
def test_an_item_that_was_tampered_with_fails_closed(aws, ledger, table, key, name, value, call):  # noqa: PLR0917
    """A number that is text or negative, a missing attribute, a later format: never an answer, always an error (N-05)."""
    fill(ledger)
    settle(ledger)
    consume(ledger, refund="")
    made = {
        "claim": lambda: claim(ledger, "d"),
        "charge": lambda: charge(ledger),
        "charge another": lambda: charge(ledger, "r9"),
        "charge the own try": lambda: charge(ledger, "r9", limits=(Limit(1, 60),)),
        "forget": lambda: ledger.forget("ann", within=3600.0),
        "consume": lambda: consume(ledger),
        "peek": lambda: ledger.peek("h", now=NOW, within=3600.0),
        "take": lambda: ledger.take("h", now=NOW, within=3600.0),
    }[call]
    change(aws, table, key, name, value)
    before = items(aws, table)
    with pytest.raises(UnavailableError, match=f"an item that Watchword did not write .its attribute {name}"):
        made()
    assert items(aws, table) == before


def test_a_number_that_is_text_is_refused_when_it_is_read():
    """DynamoDB finds no order between text and numbers, and gives the item back: that is then refused (N-05)."""
    item = dynamodb_items.HolderItem("c", 5, "sending", NOW, "w").item("k")
    assert dynamodb_items.HolderItem.read(item).until == NOW
    with pytest.raises(dynamodb_items.ForeignItemError):
        dynamodb_items.HolderItem.read(item | {"until": {"S": "1900000000"}})


def test_an_item_that_goes_in_between_is_no_way_out(aws, ledger, table):
    """If a budget is deleted between reading and writing, the call begins anew; a used code stays used (N-03)."""
    charge(ledger, "r1")

    def deleting(operation, parameters):
        with aws.meanwhile():
            aws.admin.delete_item(TableName=table, Key={"pk": {"S": "budget#budget"}})
        return "pass"

    aws.faults[:] = ["pass", deleting]
    assert charge(ledger, "r2").outcome == "charged"
    assert len(json.loads(items(aws, table)["budget#budget"]["entries"]["S"])) == 1


def test_a_budget_holds_no_more_entries_than_its_largest_limit(aws, ledger, table):
    """The list of a budget is bounded, however often it was charged; and the owner's, by what is not over."""
    for number in range(12):
        charge(ledger, f"r{number}", now=NOW + number * 70, limits=(Limit(2, 60), Limit(3, 100)))
        charge(ledger, f"s{number}", key=f"k{number}", now=NOW + number * 7200, limits=(Limit(2, 60),))
    found = items(aws, table)
    assert len(json.loads(found["budget#budget"]["entries"]["S"])) == 3
    assert set(json.loads(found["owner#ann"]["budgets"]["S"])) == {"k11"}


def test_forget_needs_no_scan_and_takes_any_number(aws, ledger):
    """More budgets than one transaction takes are all emptied, by keys alone."""
    for number in range(60):
        count(ledger, key=f"k{number}")
    with aws.counted() as made:
        assert ledger.forget("ann", within=3600.0) == 60
    assert made == {"GetItem": 2, "BatchGetItem": 2, "TransactWriteItems": 2}
    assert ledger.forget("ann", within=3600.0) == 0


# What it costs


def size(item):
    """The bytes of *item* as DynamoDB counts them, roughly: names, and values (numbers by half their digits)."""
    lengths = {"S": lambda value: len(value.encode()), "N": lambda value: len(value) // 2 + 2, "BOOL": lambda _: 1}
    return sum(len(name) + lengths[sort](value) for name, typed in item.items() for sort, value in typed.items())


@pytest.fixture
def spent(aws, monkeypatch):
    """What is spent; each item is small, and each write conditional."""

    def look(operation, given):
        writes = [given, *(parameters for each in given.get("TransactItems", ()) for parameters in each.values())]
        assert all(size(each.get("Item", {})) <= 1024 for each in writes)
        assert all("ConditionExpression" in each for each in writes[1:])

    return metered(aws, monkeypatch, look)


def test_each_operation_costs_what_it_says(ledger, spent):
    """Calls, read units and write units are those of the docstring, with names as long as the engine's."""
    user, claim_id, flow = "f" * 64, "0123abcd" + "e" * 32, "d" * 32
    guesses, mails = f"guess:{user}:email_otp:first", f"message:email:{user}:first"
    limits = (Limit(3, 900), Limit(5, 3600), Limit(10, 86400))

    def charging(number, **given):
        given = {"key": guesses, "owner": user, "claim_id": claim_id, "answer": user} | given
        return lambda: charge(ledger, f"{number:032}", **given)

    def counting(number):
        event = f"{number:040}"
        now = NOW + number * 3600
        return lambda: ledger.count(mails, event=event, owner=user, limits=limits, now=now, within=3600.0)

    def consuming(of, by, slot=""):
        return lambda: ledger.consume(of, by=f"{by:032}", refund=guesses, keep=NOW, slot=slot, within=3600.0)

    def settling(state):
        return lambda: ledger.settle(user, claim_id, state, own_until=NOW + 180, within=3600.0)

    def taking():
        return ledger.take("handle:" + user, now=NOW, within=3600.0)

    costs = [
        (lambda: claim(ledger, claim_id, key=user), (1, 0, 1)),
        (lambda: claim(ledger, claim_id, key=user), (1, 0, 1)),
        (settling("unsent"), (1, 0, 1)),
        (lambda: ledger.resume(user, claim_id, within=3600.0), (1, 0, 1)),
        (counting(0), (2, 2, 4)),
        *((counting(number), (2, 2, 1)) for number in range(1, 10)),
        (settling("sent"), (1, 0, 4)),
        (charging(0), (2, 4, 6)),
        *((charging(number), (2, 4, 4)) for number in range(1, 10)),
        (charging(9), (2, 4, 1)),
        (charging(9), (1, 4, 0)),
        (charging(9, answer="other"), (1, 4, 0)),
        (charging(10), (2, 4, 4)),  # By the own try.
        (charging(11), (2, 4, 1)),
        (lambda: ledger.consumed(claim_id, within=3600.0), (1, 1, 0)),
        (consuming(claim_id, 9, user), (2, 3, 6)),
        (consuming(claim_id, 9, user), (1, 3, 0)),
        (consuming("third", 8), (2, 2, 4)),
        (consuming("another", 99), (2, 2, 1)),
        (lambda: ledger.put("handle:" + user, flow, expires=NOW + 60, within=3600.0), (1, 0, 1)),
        (lambda: ledger.peek("handle:" + user, now=NOW, within=3600.0), (1, 1, 0)),
        (taking, (2, 1, 1)),
        (taking, (1, 1, 0)),
        (lambda: ledger.forget(user, within=3600.0), (3, 3, 6)),
    ]
    assert [spent(call) for call, _ in costs] == [cost for _, cost in costs]
    written = " ".join(DynamoDbLedger.__doc__.split())
    assert (
        "charge 2 calls 4 read 4 write (6 for the first in a window; 1 if exhausted or repeated; 0 if refused or repeated again"
        in written
    )


def test_a_sign_in_costs_what_the_how_to_says(ledger, spent):
    """A code by mail, answered right: the first sign-in of a user in a day, and the next; and a wrong answer more."""
    outbox, clock = Outbox(), VirtualClock()
    made = triggers(Flow(EmailOtp()), key=bytes(range(32)), courier=outbox, ledger=ledger, clock=clock)
    pool = LocalUserPool(*made, clock=clock)
    for name in ("ann", "bob"):
        pool.add_user(name, attributes={"email": f"{name}@example.com", "email_verified": "true"})

    def sign_in(wrong=0, name="ann"):
        client = {"ClientId": pool.client_id}
        asked = pool.initiate_auth(**client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})
        code = next(line.strip() for line in outbox.messages[-1].text.splitlines() if line.strip().isdigit())
        for answer in ["00000000"] * wrong + [code]:
            answers = {"USERNAME": name, "ANSWER": answer}
            asked = pool.respond_to_auth_challenge(
                **client, ChallengeName="CUSTOM_CHALLENGE", Session=asked["Session"], ChallengeResponses=answers
            )
        assert "AuthenticationResult" in asked

    sign_in(name="bob")  # The first of a process marks the table as used, which the how-to tells apart.
    assert spent(sign_in) == (10, 11, 25)
    assert spent(sign_in) == (10, 11, 17)
    assert spent(lambda: sign_in(wrong=1)) == (13, 16, 21)


def test_no_key_is_shared_by_different_users(aws, ledger, table):
    """Two users' sign-ins touch not one item in common, so no partition is everybody's."""
    seen = []
    for user in ("ann", "bob"):
        claim(ledger, f"c-{user}", key=f"k-{user}")
        settle(ledger, key=f"k-{user}", claim_id=f"c-{user}")
        ledger.count(f"m-{user}", event="e", owner=user, limits=TEN, now=NOW, within=3600.0)
        charge(ledger, f"r-{user}", key=f"g-{user}", owner=user, claim_id=f"c-{user}")
        consume(ledger, f"c-{user}", f"r-{user}", refund=f"g-{user}")
        seen.append({key: item["write"] for key, item in items(aws, table).items()})
    assert {key: seen[1][key] for key in seen[0]} == seen[0]
    assert len(seen[1]) == 2 * len(seen[0])


# Names, and setting up


def registered():
    found = {}
    dynamodb.register_ledgers(lambda scheme, factory: found.update({scheme: factory}))
    return found["dynamodb"]


def test_ledgers_are_made_of_urls():
    """``dynamodb://Table`` keeps its capitals; region and endpoint may be named."""
    assert repr(registered()("dynamodb://Watch_Word.Table-1")) == "DynamoDbLedger('Watch_Word.Table-1', region=None)"
    ledger = registered()("dynamodb://table?region=eu-west-1&endpoint=http://127.0.0.1:8000")
    assert (ledger._table.region, ledger._table.endpoint) == ("eu-west-1", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb:",
        "dynamodb:table",
        "dynamodb://",
        "dynamodb:///table",
        "dynamodb://table/",
        "dynamodb://ta",
        "dynamodb://user:secret@table",
        "dynamodb://table?regoin=x",
        "dynamodb://table?region=",
        "dynamodb://table#x",
    ],
)
def test_a_bad_ledger_url_is_refused(url):
    """What is wrong with the URL is said, and nothing of a password."""
    with pytest.raises(ConfigurationError, match=r"dynamodb:|DynamoDB ledger needs the name of a table") as caught:
        registered()(url)
    assert "secret" not in str(caught.value)


def test_setting_up_makes_the_client_and_asks_nothing(aws, monkeypatch):
    """What boto3 takes a quarter of a second for happens before the first call; the network is left alone."""
    isolate(monkeypatch)
    with aws.counted() as made:
        ledger = HostSettings(
            ledger=f"dynamodb://table?region=eu-west-1&endpoint={aws.endpoint}", environment={}
        ).ledger
        assert ledger._table._client._made is not None
        assert HostSettings(ledger=ledger, environment={"AWS_LAMBDA_FUNCTION_NAME": "f"}).ledger is ledger
    assert made == {}


def test_a_region_that_is_missing_is_told_when_it_is_set_up(monkeypatch):
    """Without a region nothing starts."""
    isolate(monkeypatch)
    with pytest.raises(ConfigurationError, match="give region=eu-west-1 or set AWS_DEFAULT_REGION"):
        HostSettings(ledger="dynamodb://table", environment={}).ledger  # noqa: B018
    with pytest.raises(UnavailableError, match=r"is not set up: .*AWS_DEFAULT_REGION"):
        DynamoDbLedger("table").peek("h", now=NOW, within=3600.0)


def test_nothing_kept_is_in_the_log(aws, ledger, caplog):
    """With debug logging on, botocore's log holds neither what was put nor what was read."""
    with caplog.at_level(logging.DEBUG):
        ledger.put("h", "canary-value", expires=NOW + 60, within=3600.0)
        assert ledger.take("h", now=NOW, within=3600.0) == "canary-value"
    assert "canary-value" not in caplog.text
    assert "canary-value" not in repr(vars(ledger))


def test_naming_the_ledger_loads_no_boto3():
    """boto3 is loaded when the client is made, and says how to install it if it is missing."""
    code = (
        "import sys\n"
        "from watchword_adapters.ledgers import DynamoDbLedger\n"
        "ledger = DynamoDbLedger('table')\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)\n"
        "sys.modules['boto3'] = None\n"
        "try: ledger.prepare()\nexcept Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "the DynamoDB ledger needs boto3: pip install 'watchword[aws]'\n"


def test_an_answer_given_late_is_told_by_its_first_time(ledger):
    """A repeat reads the very time of the first answer, to the last digit of a float."""
    now = 1_800_000_000.123_456_7
    charge(ledger, now=now)
    assert charge(ledger, now=now + 1) == Charge("repeated", now)
