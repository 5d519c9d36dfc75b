"""The DynamoDB store of credentials against emulators: the contract, the same answers as memory, faults, and what it costs."""

import itertools
import json
import subprocess
import sys

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kit.aws import LONG, REGION, TRANSIENT, Aws, isolate, metered, patient_credentials, race
from kit.credential_calls import operations, outcome
from kit.emulator import emulator
from watchword.contract.credentials import Credential
from watchword.errors import ConfigurationError, UnavailableError
from watchword.loading.registry import Registry
from watchword.testing import CredentialsContract, VirtualClock
from watchword_adapters.credentials import DynamoDBCredentials, MemoryCredentials, create_credentials_table
from watchword_adapters.credentials import dynamodb as module
from watchword_adapters.ledgers import DynamoDbLedger, dynamodb_table

pytestmark = pytest.mark.exhaustive

PHONE = Credential("phone", "pool#ann", "totp", "Phone", 1, 2, state={"root": "k1", "step": "2"}, rounds=("r",))
KEY = Credential("key", "pool#ann", "passkey")
TABLE = "Credentials"


@pytest.fixture(scope="module")
def aws():
    """The emulator in this process: moto."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        server = Aws()
        server.admin = server.client("dynamodb")
        yield server
        server.admin.close()
        server.close()


@pytest.fixture(scope="module")
def one(aws):
    """The one store of these tests: making a client takes long."""
    return patient_credentials(aws, TABLE)


@pytest.fixture
def store(aws, one):
    """A store on an empty table."""
    yield one
    aws.empty(TABLE)


class TestDynamoDBCredentials(CredentialsContract):
    """The contract. The fixture `store` is the one above."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator")) as endpoint:
        yield endpoint


class TestDynamoDBCredentialsOnMinistack(CredentialsContract):
    """The contract once more, on an emulator that others wrote, and that answers many requests at once."""

    @pytest.fixture
    def store(self, endpoint, monkeypatch, request):
        isolate(monkeypatch)
        import boto3

        monkeypatch.setattr(dynamodb_table, "_READ", LONG)
        monkeypatch.setattr(dynamodb_table, "_CONNECT", LONG)
        name = request.node.name[:200]
        admin = boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint)
        create_credentials_table(admin, name)
        admin.close()
        return DynamoDBCredentials(name, region=REGION, endpoint=endpoint)


def add(store, *credentials, replace=False, most=20):
    return [store.add(each, replace=replace, most=most, within=3600.0) for each in credentials]


def listed(store, owner="pool#ann"):
    return store.list(owner, within=3600.0)


def items(aws):
    """Every item of the table, by its key."""
    return {item["pk"]["S"]: item for item in aws.admin.scan(TableName=TABLE)["Items"]}


# The same answers


@pytest.fixture(scope="module")
def pair(aws):
    return MemoryCredentials(), patient_credentials(aws, "same-credentials"), itertools.count()


@settings(max_examples=10, deadline=None)
@given(done=st.lists(operations, min_size=10, max_size=40))
def test_memory_and_dynamodb_give_the_same_answers(pair, done):
    """Whatever is asked in whatever order, both stores answer alike and hold the same."""
    one, other, examples = pair
    number = next(examples)
    for operation in done:
        assert outcome(one, number, operation) == outcome(other, number, operation), operation


@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(done=st.lists(st.tuples(operations, st.integers(0, 2), st.sampled_from(TRANSIENT)), min_size=10, max_size=30))
def test_a_fault_at_any_call_changes_no_answer(aws, pair, done):
    """A lost answer, a request that never came, a throttle, a fault or a race, at any call of any operation."""
    one, other, examples = pair
    number = next(examples)
    for operation, place, fault in done:
        aws.faults[:] = ["pass"] * place + [fault]
        answers = outcome(one, number, operation), outcome(other, number, operation)
        aws.faults.clear()
        assert answers[0] == answers[1], (operation, place, fault)


def test_everything_is_each_credential_once(aws, store, monkeypatch):
    """Of all owners, over more than one page; what makes ids unique is none."""
    monkeypatch.setattr(dynamodb_table, "_PAGE", 7)
    many = [evolve(PHONE, id=f"{n}", owner=f"pool#{n % 7}") for n in range(40)]
    assert [] == list(store.everything(within=3600.0))
    assert all(add(store, *many))
    with aws.counted() as made:
        assert sorted(many, key=str) == sorted(store.everything(within=3600.0), key=str)
    assert made["Scan"] > 5
    with pytest.raises(UnavailableError):
        next(store.everything(within=0.0))


# Faults


def calls(store):
    """Each operation once, each by a function; with what is kept afterwards."""
    return {
        "list": lambda: listed(store),
        "add": lambda: add(store, evolve(PHONE, id="new")),
        "replace": lambda: add(store, evolve(PHONE, id="new"), replace=True),
        "refused": lambda: add(store, evolve(PHONE, owner="pool#bob")),
        "swap": lambda: store.swap(evolve(PHONE, used=9), version=0, within=3600.0),
        "remove": lambda: store.remove("pool#ann", "totp", "phone", within=3600.0),
        "last": lambda: store.remove("pool#zoe", "totp", "last", within=3600.0),
    }


OPERATIONS = tuple(calls(None))


def fill(store):
    add(store, PHONE, KEY, evolve(PHONE, id="last", owner="pool#zoe"))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_lost_answer_is_found_by_reading_again(aws, store, operation, place):
    """A write that was made and never confirmed is known again: once done, once answered, nothing doubled."""
    fill(store)
    twin = MemoryCredentials()
    fill(twin)
    aws.faults[:] = [*(["pass"] * place), "lost"]
    assert calls(twin)[operation]() == calls(store)[operation]()
    aws.faults.clear()
    for owner in ("pool#ann", "pool#zoe", "pool#bob"):
        assert listed(twin, owner) == listed(store, owner)
    ids = {key for key in items(aws) if key.startswith("id#")}
    assert len(list(twin.everything(within=1.0))) == len(ids)


def test_a_swap_whose_answer_was_lost_and_that_others_swapped_after_is_no_win_twice(aws, store):
    """It says False: whoever asks reads again, and finds the round among the rounds."""
    add(store, PHONE)

    def others(operation, parameters):
        with aws.meanwhile():
            assert store.swap(evolve(PHONE, used=3), version=0, within=3600.0)
        return "cut"

    aws.faults[:] = [others]
    assert not store.swap(evolve(PHONE, used=9), version=0, within=3600.0)
    assert (evolve(PHONE, used=3, version=1),) == listed(store)


def test_of_two_removals_that_race_one_removes(aws, store):
    """A transaction that was cancelled since another was faster has removed nothing, and says so."""
    fill(store)

    def others(operation, parameters):
        with aws.meanwhile():
            assert store.remove("pool#ann", "totp", "phone", within=3600.0)
        return race(operation, parameters)

    aws.faults[:] = ["pass", others]
    assert not store.remove("pool#ann", "totp", "phone", within=3600.0)
    assert (KEY,) == listed(store)


def test_an_id_that_another_gets_meanwhile_is_refused(aws, store):
    """Between the reading and the writing of an add."""

    def others(operation, parameters):
        with aws.meanwhile():
            assert [True] == add(store, evolve(PHONE, owner="pool#bob"))
        return "pass"

    aws.faults[:] = ["pass", others]
    assert [False] == add(store, PHONE)
    assert () == listed(store)


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
        ((), "TransactionCanceledException", 1),
    ],
)
def test_each_reason_of_a_cancelled_transaction_is_told(aws, store, codes, said, writes):
    """A mixture of reasons is judged by the worst of them, and nothing is half-written."""
    fill(store)
    before = items(aws)
    for operation in ("add", "replace", "remove"):
        aws.faults[:] = ["pass", cancelled(*codes)] * 5
        with aws.counted() as made, pytest.raises(UnavailableError, match=said):
            calls(store)[operation]()
        aws.faults.clear()
        assert writes == made["TransactWriteItems"]
    assert before == items(aws)


FAULTS = [
    ("cut", r"answer was lost \(ConnectionClosedError\)", 2),
    ((500, "InternalServerError"), r"failed \(InternalServerError\)", 2),
    ((400, "ThrottlingException"), r"is throttled \(Throttling", 2),
    (
        (400, "AccessDeniedException"),
        "allow dynamodb:GetItem, UpdateItem, BatchGetItem, PutItem and DeleteItem on it",
        1,
    ),
    ((400, "ResourceNotFoundException"), "does not exist in this region: create it, or name the region", 1),
    ((400, "UnrecognizedClientException"), "refuses the credentials", 1),
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_that_lasts_ends_closed(aws, store, operation):
    """What may pass is tried twice, what will not once; the error names table, cause and remedy, and quotes nothing."""
    fill(store)
    before = items(aws)
    for fault, said, tries in FAULTS:
        aws.faults[:] = [lambda *_, fault=fault: fault] * 9
        with aws.counted() as made, pytest.raises(UnavailableError, match=said) as caught:
            calls(store)[operation]()
        aws.faults.clear()
        assert tries == sum(made.values())
        assert f"the DynamoDB table {TABLE!r}" in str(caught.value)
        assert "canary" not in str(caught.value)
    assert before == items(aws)


def test_races_are_run_again_and_not_for_ever(aws, store, monkeypatch):
    """A call that meets others begins anew, up to a bound; what it says is written, and otherwise nothing is."""
    monkeypatch.setattr(dynamodb_table, "RACES", 7)
    aws.faults[:] = ["pass", cancelled("ConditionalCheckFailed", "None")] * 50
    with pytest.raises(UnavailableError, match="was changed by others 7 times in a row"):
        add(store, PHONE)
    aws.faults.clear()
    assert {} == items(aws)
    assert [True] == add(store, PHONE)


# What is in the table


def test_an_owner_is_in_clear_and_nothing_ends(aws, store):
    """An operator finds a user by the sub; an id is a digest; no item has a time to live, nor does the table."""
    fill(store)
    found = items(aws)
    assert {"user#pool#ann", "user#pool#zoe"} == {key for key in found if not key.startswith("id#")}
    assert {"pk", "v", "write"} == set(found[next(key for key in found if key.startswith("id#totp#"))])
    assert not [item for item in found.values() if "ttl" in item]
    assert all({"N": "1"} == item["v"] for item in found.values()), "a version that is not told apart from the next"
    described = aws.admin.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert "DISABLED" == described["TimeToLiveStatus"]


def test_the_table_is_protected_and_can_be_restored(aws, store):
    """It cannot be deleted by mistake, and goes back to any second."""
    assert aws.admin.describe_table(TableName=TABLE)["Table"]["DeletionProtectionEnabled"]
    told = aws.admin.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    assert "ENABLED" == told["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


class Admin:
    """boto3's client of a service that says *late* times that it cannot back up yet."""

    class exceptions:  # noqa: N801 - boto3's name
        class ContinuousBackupsUnavailableException(Exception):  # noqa: N818
            pass

    def __init__(self, late):
        self.late, self.asked = late, 0

    def create_table(self, **_):
        pass

    def get_waiter(self, name):
        return self

    def wait(self, **_):
        pass

    def update_continuous_backups(self, **_):
        self.asked += 1
        if self.asked <= self.late:
            raise self.exceptions.ContinuousBackupsUnavailableException


def test_recovery_is_asked_for_again_while_the_table_is_new(monkeypatch):
    """DynamoDB enables backups some seconds after the table is there; it is asked for a minute, and then not again."""
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    admin = Admin(3)
    create_credentials_table(admin, "table")
    assert 4 == admin.asked
    with pytest.raises(Admin.exceptions.ContinuousBackupsUnavailableException):
        create_credentials_table(Admin(30), "table")


def test_what_is_gone_leaves_nothing(aws, store):
    """A user whose last credential was removed is no longer in the table."""
    fill(store)
    for owner, credentials in {owner: listed(store, owner) for owner in ("pool#ann", "pool#zoe")}.items():
        for each in credentials:
            assert store.remove(owner, each.kind, each.id, within=3600.0)
    assert {} == items(aws)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("item", "v", {"N": "2"}),
        ("item", "v", {"N": "0"}),
        ("item", "v", None),
        ("item", "write", {"N": "1"}),
        ("item", "credentials", {"L": []}),
        ("item", "credentials", None),
        *(("credential", "state", {"S": text}) for text in ("[]", "no JSON", '{"a":1}', "[" * 100_000)),
        ("credential", "state", {"M": {}}),
        ("credential", "state", {"S": json.dumps({"a": "x" * 3000})}),
        ("credential", "rounds", {"S": "[1]"}),
        ("credential", "rounds", None),
        ("credential", "version", {"S": "0"}),
        ("credential", "version", {"N": "0.5"}),
        ("credential", "version", {"N": "-1"}),
        ("credential", "created", {"S": "1"}),
        ("credential", "used", None),
        ("credential", "place", {"S": "first"}),
        ("credential", "label", {"BOOL": True}),
        ("credential", "id", {"S": "another"}),
        ("credential", "kind", {"S": "passkey"}),
        ("credential", "write", None),
    ],
)
def test_an_item_that_was_tampered_with_fails_closed(aws, store, where, name, value):
    """A missing attribute, one of another type, a later format: never an answer, always an error; nothing is written."""
    fill(store)
    item = items(aws)["user#pool#ann"]
    target = item if where == "item" else item["credentials"]["M"][next(iter(item["credentials"]["M"]))]["M"]
    if value is None:
        del target[name]
    else:
        target[name] = value
    aws.admin.put_item(TableName=TABLE, Item=item)
    before = items(aws)
    for operation in ("list", "add", "replace", "remove"):
        with pytest.raises(UnavailableError, match="an item that Watchword did not write"):
            calls(store)[operation]()
    with pytest.raises(UnavailableError, match="an item that Watchword did not write"):
        list(store.everything(within=3600.0))
    if name == "v":
        with pytest.raises(UnavailableError, match="an item that Watchword did not write"):
            calls(store)["swap"]()
    assert before == items(aws)


def test_text_that_no_table_can_hold_is_unavailable(store):
    """A lone surrogate in a label is refused as every other fault, and nothing of it is written."""
    with pytest.raises(UnavailableError, match="could not be asked"):
        add(store, evolve(PHONE, label="\ud800"))
    assert () == listed(store)


# What it costs


@pytest.fixture
def spent(aws, monkeypatch):
    """What is spent, in calls, and in read and write units of items of up to 1 KB."""
    return metered(aws, monkeypatch)


def test_each_operation_costs_what_it_says(store, spent):
    """Calls, read units and write units are those of the docstring."""
    assert [
        (1, 1, 0),
        (2, 2, 4),
        (1, 2, 0),
        (2, 2, 4),
        (1, 1, 0),
        (1, 0, 1),
        (1, 0, 1),
        (2, 2, 6),
        (1, 1, 0),
        (2, 1, 4),
        (2, 1, 4),
    ] == [
        spent(call)
        for call in (
            lambda: listed(store),
            lambda: add(store, PHONE),
            lambda: add(store, PHONE),
            lambda: add(store, KEY),
            lambda: listed(store),
            lambda: store.swap(PHONE, version=0, within=3600.0),
            lambda: store.swap(PHONE, version=0, within=3600.0),
            lambda: add(store, evolve(PHONE, id="new"), replace=True),
            lambda: store.remove("pool#ann", "totp", "phone", within=3600.0),
            lambda: store.remove("pool#ann", "totp", "new", within=3600.0),
            lambda: store.remove("pool#ann", "passkey", "key", within=3600.0),
        )
    ]


# Names, and setting up


def test_stores_are_made_of_urls():
    """``dynamodb://Table`` keeps its capitals; region and endpoint may be named."""
    made = Registry().find_credentials("dynamodb://Watch_Word.Table-1?region=eu-west-1&endpoint=http://127.0.0.1:8000")
    assert "DynamoDBCredentials('Watch_Word.Table-1', region='eu-west-1')" == repr(made)
    assert "http://127.0.0.1:8000" == made._table.endpoint


@pytest.mark.parametrize(
    "url",
    ["dynamodb:", "dynamodb:table", "dynamodb://", "dynamodb://table/", "dynamodb://ta", "dynamodb://table?regoin=x"],
)
def test_a_bad_url_is_refused(url):
    """What is wrong with the URL is said."""
    with pytest.raises(ConfigurationError, match=r"dynamodb:|DynamoDB store of credentials needs the name of a table"):
        Registry().find_credentials(url)


def test_a_call_without_an_answer_ends_in_time(aws, store, monkeypatch):
    """Whatever it waits for."""

    class Late(VirtualClock):
        def call(self, work, within):
            raise UnavailableError("late", reason="timeout")

    monkeypatch.setattr(store._table, "_clock", Late())
    with pytest.raises(UnavailableError, match=r"did not answer within 2\.5 seconds"):
        store.list("pool#ann", within=2.5)


def test_a_ledger_and_a_store_share_a_client(monkeypatch):
    """Where region, endpoint and clock are the same: a function that has both makes one, and waits for it once."""
    isolate(monkeypatch)
    one, other = DynamoDbLedger("ledger", region=REGION), DynamoDBCredentials("store", region=REGION)
    assert one._table.client() is other._table.client()
    apart = (
        DynamoDBCredentials("store", region="us-east-1"),
        DynamoDBCredentials("store", region=REGION, endpoint="http://127.0.0.1:1"),
        DynamoDBCredentials("store", region=REGION, clock=VirtualClock()),
        DynamoDBCredentials("store", region=REGION, clock=VirtualClock()),
    )
    assert 5 == len({id(each._table.client()) for each in (one, *apart)})


def test_naming_the_store_loads_no_boto3():
    """boto3 is loaded when the client is made, and says how to install it if it is missing."""
    code = (
        "import sys\n"
        "from watchword_adapters.credentials import DynamoDBCredentials\n"
        "store = DynamoDBCredentials('table')\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)\n"
        "sys.modules['boto3'] = None\n"
        "try: store.prepare()\nexcept Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the DynamoDB store of credentials needs boto3: pip install 'watchword[aws]'\n" == done.stdout
