"""The stores of credentials of memory and of SQLite: the contract, the same answers, and what each does when things go wrong."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from itertools import count

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.credential_calls import operations, outcome
from watchword.contract.credentials import Credential
from watchword.errors import ConfigurationError, UnavailableError
from watchword.loading.registry import Registry
from watchword.testing import CredentialsContract, VirtualClock
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.ledgers import SqliteLedger

PHONE = Credential("phone", "pool#ann", "totp", "Phone", 1, state={"root": "k1", "step": "2"}, rounds=("r",))
KEY = Credential("key", "pool#ann", "passkey")


class TestMemoryCredentials(CredentialsContract):
    @pytest.fixture
    def store(self):
        return MemoryCredentials()


class TestSqliteCredentials(CredentialsContract):
    @pytest.fixture
    def store(self, tmp_path):
        with closing(SqliteCredentials(tmp_path / "credentials.db")) as store:
            yield store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "credentials.db"


@pytest.fixture
def store(path):
    with closing(SqliteCredentials(path)) as store:
        yield store


def add(store, *credentials):
    return [store.add(each, replace=False, most=1000, within=3600.0) for each in credentials]


def listed(store, owner="pool#ann"):
    return store.list(owner, within=3600.0)


# The same answers


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with closing(SqliteCredentials(tmp_path_factory.mktemp("same") / "credentials.db")) as store:
        yield MemoryCredentials(), store, count()


@settings(max_examples=100, deadline=None)
@given(done=st.lists(operations, min_size=10, max_size=50))
def test_memory_and_sqlite_give_the_same_answers(pair, done):
    """Whatever is asked in whatever order, both stores answer alike and hold the same."""
    one, other, examples = pair
    number = next(examples)
    for operation in done:
        assert outcome(one, number, operation) == outcome(other, number, operation), operation
    assert sorted(one.everything(within=3600.0), key=str) == sorted(other.everything(within=3600.0), key=str)


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_everything_is_each_credential_once(name, path):
    """Of all owners, over more than one page."""
    store = MemoryCredentials() if name == "memory" else SqliteCredentials(path)
    many = [evolve(PHONE, id=f"{n}", owner=f"pool#{n % 7}") for n in range(450)]
    assert [] == list(store.everything(within=3600.0))
    assert all(add(store, *many))
    assert sorted(many, key=str) == sorted(store.everything(within=3600.0), key=str)
    with pytest.raises(UnavailableError):
        next(store.everything(within=0.0))
    if name == "sqlite":
        store.close()


def test_what_is_removed_while_all_is_read_disturbs_nobody(store):
    """Neither the reader nor the others that are still to come."""
    assert all(add(store, *(evolve(PHONE, id=f"{n}") for n in range(300))))
    seen = []
    for each in store.everything(within=3600.0):
        seen.append(each.id)
        store.remove(each.owner, each.kind, each.id, within=3600.0)
    assert [f"{n}" for n in range(300)] == seen
    assert () == listed(store)


# The file


def test_a_file_holds_a_ledger_and_credentials(path):
    """Whichever is first; each has tables of its own, and emptying the ledger leaves the credentials alone."""
    for number, first in enumerate((SqliteLedger, SqliteCredentials)):
        file = path.with_name(f"both-{number}.db")
        second = SqliteCredentials if first is SqliteLedger else SqliteLedger
        with closing(first(file)) as one, closing(second(file)) as other:
            ledger, store = (one, other) if first is SqliteLedger else (other, one)
            for _ in range(2):
                for each in (one, other):
                    if each is store:
                        store.add(PHONE, replace=True, most=9, within=3600.0)
                    else:
                        ledger.put("h", "value", expires=2e10, within=3600.0)
            for moment in range(20):  # sweeps
                ledger.claim("k", "c", lease=1, now=1e10 + moment, within=3600.0)
            ledger.forget("pool#ann", within=3600.0)
            assert (PHONE,) == listed(store)
        with closing(SqliteLedger(file)) as ledger:
            assert "value" == ledger.peek("h", now=1.0, within=3600.0)


def test_what_was_written_is_there_for_the_next_process(store, path):
    """It lives for years."""
    add(store, PHONE, KEY)
    store.swap(evolve(PHONE, used=5), version=0, within=3600.0)
    store.close()
    with closing(SqliteCredentials(path)) as later:
        assert (evolve(PHONE, used=5, version=1), KEY) == listed(later)


def test_nothing_is_opened_before_the_first_call_and_then_for_the_owner_alone(store, path):
    """Building a store touches no disk."""
    assert not path.exists()
    add(store, PHONE)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_file_of_something_else_is_left_alone(path):
    """A database of another program is refused and not touched."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE credentials (a)")
    before = path.read_bytes()
    with closing(SqliteCredentials(path)) as store, pytest.raises(UnavailableError, match="database of something else"):
        listed(store)
    assert before == path.read_bytes()


def test_faults_are_told_of_the_credentials_and_not_of_a_ledger(tmp_path):
    """The message names the file and the remedy."""
    with (
        closing(SqliteCredentials(tmp_path / "missing" / "file.db")) as store,
        pytest.raises(UnavailableError, match=r"the credentials file \S+ cannot be made .*folder that exists"),
    ):
        listed(store)


def test_a_transaction_that_is_late_is_rolled_back(path):
    """Work that was done too late is undone, not half kept."""
    clock = VirtualClock()
    with closing(SqliteCredentials(path, clock=clock)) as store:
        with pytest.raises(UnavailableError, match=r"did not answer within"), store._file.writing(1.0) as file:
            file.execute("INSERT INTO credentials (owner, kind, id) VALUES ('pool#ann', 'totp', 'late')")
            clock.advance(1.1)
        assert () == listed(store)


@pytest.mark.parametrize(
    "change",
    [
        *("label = NULL", "label = x'00'", "created = 'text'", "created = -1", "used = 1.5", "version = -1"),
        *("state = 'no JSON'", "state = '[]'", """state = '{"a": 1}'""", "state = NULL", "rounds = '{}'"),
        *("rounds = '[1]'", "rounds = ''", "state = '{\"a\": \"' || hex(zeroblob(2000)) || '\"}'"),
        *("state = '" + "[" * 100_000 + "'",),
    ],
)
def test_a_row_that_was_tampered_with_fails_closed(store, path, change):
    """A value of the wrong type is never an answer; nor is the owner taken to have one credential less."""
    add(store, PHONE, KEY)
    with sqlite3.connect(path) as raw:
        assert 1 == raw.execute(f"UPDATE credentials SET {change} WHERE id = 'phone'").rowcount
    raw.close()
    for _ in range(2):
        with pytest.raises(UnavailableError, match="row that Watchword did not write"):
            listed(store)
        with pytest.raises(UnavailableError, match="row that Watchword did not write"):
            list(store.everything(within=3600.0))


def test_text_that_no_database_can_hold_is_unavailable(store):
    """A lone surrogate in an id is refused as every other fault, and nothing of it is written."""
    with pytest.raises(UnavailableError):
        add(store, evolve(PHONE, id="\ud800"))
    assert () == listed(store)


# Names


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("memory:", "MemoryCredentials"),
        ("sqlite:///a.db", "SqliteCredentials('a.db')"),
        ("SQLite:////tmp/a.db", "SqliteCredentials('/tmp/a.db')"),
    ],
)
def test_stores_are_made_of_urls(url, made):
    """As ledgers are."""
    assert made in repr(Registry().find_credentials(url))


@pytest.mark.parametrize(
    "url", ["memory:x", "memory://", "sqlite:", "sqlite://a.db", "sqlite:///", "sqlite:///:memory:", "sqlite:///a?b=c"]
)
def test_a_bad_url_is_refused(url):
    """What is wrong with the URL is said, with the form that is right."""
    with pytest.raises(ConfigurationError, match=f"the credentials URL {url.partition(':')[0]}:"):
        Registry().find_credentials(url)


def test_an_unknown_scheme_is_told_of_those_that_there_are():
    """The same help as for ledgers."""
    with pytest.raises(
        ConfigurationError, match=r"no store of credentials 'sqlight' is installed; did you mean sqlite"
    ):
        Registry().find_credentials("sqlight:///a")
    with pytest.raises(ConfigurationError, match="the store of credentials is given by a URL"):
        Registry().find_credentials("nothing")


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_sqlite_store_needs_a_file(path):
    """A database in memory would be another one for each process."""
    with pytest.raises(ConfigurationError, match="needs the path of a file for the credentials"):
        SqliteCredentials(path)


def test_naming_a_store_loads_that_one_only():
    """The store in memory needs no sqlite3, that of SQLite nothing of the ledger but its file."""
    code = (
        "import sys, watchword_adapters.credentials as credentials; credentials.MemoryCredentials\n"
        "assert 'sqlite3' not in sys.modules; credentials.SqliteCredentials; assert 'sqlite3' in sys.modules\n"
        "assert 'watchword_adapters.ledgers.sqlite' not in sys.modules; assert 'boto3' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
