"""The ledgers of memory and of SQLite: the contract, the same answers, and what each does when things go wrong."""

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.ledger_calls import NOW, operations, outcome
from watchword.contract.ports import ChargeRequest, Limit
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.ledgers import LedgerContract
from watchword.testing.time import VirtualClock
from watchword_adapters.ledgers import MemoryLedger, SqliteLedger, memory, sqlite
from watchword_adapters.ledgers.sliding_window import GRACE, has_room

LIMITS = (Limit(2, 60), Limit(3, 300))


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self):
        return MemoryLedger()


class TestSqliteLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path):
        ledger = SqliteLedger(tmp_path / "ledger.db")
        yield ledger
        ledger.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path):
    ledger = SqliteLedger(path)
    yield ledger
    ledger.close()


def charge(ledger, round_id="r", *, now=NOW, key="budget", within=3600.0, **given):
    given = {"answer": "a", "owner": "ann", "claim_id": "c", "limits": (Limit(10, 86400),), "keep": now + 600} | given
    return ledger.charge(ChargeRequest(round_id, key=key, now=now, **given), within=within)


# Rules that a small change once broke without a test that noticed


@pytest.fixture(params=["memory", "sqlite"])
def either(request, path):
    """Each of the two."""
    ledger = MemoryLedger() if request.param == "memory" else SqliteLedger(path)
    yield ledger
    if request.param == "sqlite":
        ledger.close()


@pytest.mark.parametrize("later", [60.0, 61.0, 100.0])
def test_an_event_that_left_its_window_is_counted_anew(either, later):
    """Inside the window it is free; from its end on it takes up the room that there is."""
    limits = (Limit(1, 60),)
    assert either.count("b", event="e", owner="ann", limits=limits, now=NOW, within=3600.0)
    assert either.count("b", event="e", owner="ann", limits=limits, now=NOW + 59.5, within=3600.0)
    assert either.count("b", event="e", owner="ann", limits=limits, now=NOW + later, within=3600.0)
    assert not either.count("b", event="f", owner="ann", limits=limits, now=NOW + later, within=3600.0)


@pytest.mark.parametrize(("gone", "stays"), [("ann", "bob"), ("bob", "ann")])
def test_forgetting_one_owner_leaves_the_others(either, gone, stays):
    """Of a budget that several fill, whatever their names."""
    limits = (Limit(2, 60),)
    for event, owner in (("e1", gone), ("e2", stays)):
        assert either.count("b", event=event, owner=owner, limits=limits, now=NOW, within=3600.0)
    assert 1 == either.forget(gone, within=3600.0)
    assert either.count("b", event="e3", owner=gone, limits=limits, now=NOW, within=3600.0)
    assert not either.count("b", event="e4", owner=gone, limits=limits, now=NOW, within=3600.0)


def test_texts_are_compared_by_value(either):
    """Those of a call are other objects than those of the call before."""

    def fresh(text):
        return "".join(list(text))

    assert either.claim(fresh("key"), fresh("claim"), lease=16, now=NOW, within=3600.0).fresh
    either.settle(fresh("key"), fresh("claim"), "unsent", own_until=NOW + 60, within=3600.0)
    assert either.resume(fresh("key"), fresh("claim"), within=3600.0)
    either.settle(fresh("key"), fresh("claim"), fresh("sent"), own_until=NOW + 60, within=3600.0)
    assert "sent" == either.claim(fresh("key"), "other", lease=16, now=NOW, within=3600.0).state
    assert "charged" == charge(either, fresh("r1"), answer=fresh("a1")).outcome
    assert "repeated" == charge(either, fresh("r1"), answer=fresh("a1")).outcome
    assert either.consume(fresh("claim"), by=fresh("r1"), refund="budget", keep=NOW + 60, within=3600.0)
    assert either.consume(fresh("claim"), by=fresh("r1"), refund="budget", keep=NOW + 60, within=3600.0)


# The same answers


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    ledger = SqliteLedger(tmp_path_factory.mktemp("same") / "ledger.db")
    yield MemoryLedger(), ledger, count()
    ledger.close()


@settings(max_examples=100, deadline=None)
@given(done=st.lists(operations, min_size=10, max_size=50))
def test_memory_and_sqlite_give_the_same_answers(pair, done):
    """Whatever is asked in whatever order, at times that jump back and forth, both ledgers answer alike."""
    one, other, examples = pair
    number = next(examples)
    for operation in done:
        assert outcome(one, number, operation) == outcome(other, number, operation), operation


@given(
    st.lists(st.integers(0, 400), max_size=60),
    st.lists(st.builds(Limit, st.integers(1, 5), st.integers(1, 90)), min_size=1),
)
def test_no_window_ever_holds_more_than_its_limit(gaps, limits):
    """In any span of a limit's length there are never more charges than its count, counted by hand."""
    ledger, now, charged = MemoryLedger(), NOW, []
    for number, gap in enumerate(gaps):
        now += gap / 10
        room = all(sum(now - at < limit.seconds for at in charged) < limit.count for limit in limits)
        assert (charge(ledger, f"r{number}", now=now, limits=limits).outcome == "charged") == room
        if room:
            charged.append(now)


def test_a_broken_clock_makes_no_room():
    """If the time is not a number, every entry counts."""
    assert not has_room([NOW], [Limit(1, 60)], float("nan"))


# Memory stays flat


def life(ledger, number, now):
    """One whole sign-in."""
    claim = f"c{number}"
    ledger.claim(f"k{number}", claim, lease=16, now=now, within=3600.0)
    ledger.settle(f"k{number}", claim, "sent", own_until=now + 180, within=3600.0)
    ledger.count(f"m{number}", event=claim, owner=f"o{number}", limits=LIMITS, now=now, within=3600.0)
    ledger.put(f"h{number}", "value", expires=now + 180, within=3600.0)
    ledger.take(f"h{number}", now=now, within=3600.0)
    ledger.put(f"i{number}", "value", expires=now + 180, within=3600.0)
    for answer in range(3):
        charge(
            ledger, f"r{number}-{answer}", key=f"g{number}", owner=f"o{number}", now=now, limits=LIMITS, keep=now + 180
        )
    ledger.consume(claim, by=f"r{number}-1", refund=f"g{number}", keep=now + 180, within=3600.0)
    if number % 7 == 0:
        ledger.forget(f"o{number}", within=3600.0)


def held(ledger):
    """How many things a MemoryLedger holds, of all sorts."""
    shelves = [value for value in vars(ledger).values() if isinstance(value, memory._Shelf)]
    return sum(len(shelf.records) + len(shelf.due) for shelf in shelves) + len(ledger._owned)


def test_memory_stays_flat():
    """A ledger in memory holds no more after a day of sign-ins than after the first two hours."""
    ledger, sizes = MemoryLedger(), []
    for number in range(24 * 60):
        life(ledger, number, NOW + number * 60)
        if number >= 120:
            sizes.append(held(ledger))
    assert max(sizes) <= sizes[0] * 1.1
    for _ in range(1000):  # Nothing but looking, long after: all of it goes.
        ledger.peek("x", now=NOW + 10 * 86400, within=3600.0)
        ledger.claim("x", "x", lease=1, now=NOW + 10 * 86400, within=3600.0)
        charge(ledger, "x", key="x", owner="x", now=NOW + 10 * 86400)
    assert held(ledger) < 20


def test_a_value_put_again_and_again_is_kept_once():
    """Renewing one key many times takes no memory."""
    ledger = MemoryLedger()
    for number in range(1000):
        ledger.put("h", "value", expires=NOW + number, within=3600.0)
    assert held(ledger) == 2
    assert ledger.peek("h", now=NOW + 998, within=3600.0) == "value"
    assert ledger.peek("h", now=NOW + 999, within=3600.0) is None
    assert held(ledger) == 0


def test_the_file_stays_flat(ledger, path):
    """A ledger in a file removes what is over as calls go by."""
    for number in range(150):
        life(ledger, number, NOW + number * 120)
    with sqlite3.connect(path) as raw:
        rows = {
            table: raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for (table,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }
    raw.close()
    assert sum(rows.values()) > 0
    assert max(rows.values()) < 150
    assert rows["vals"] < 40


def test_a_budget_holds_no_more_entries_than_its_largest_limit(ledger, path):
    """The list of a budget is bounded, however often it was charged."""
    one = MemoryLedger()
    for number in range(60):
        for each in (one, ledger):
            charge(each, f"r{number}", now=NOW + number * 70, limits=LIMITS)
    assert len(one._budgets.records["budget"].entries) == 3
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT COUNT(*) FROM entries").fetchone() == (3,)
    raw.close()


def test_what_is_over_is_remembered_for_the_grace(ledger):
    """A clock that ran ahead for almost an hour and is set back finds the code used and the round answered."""
    for each in (MemoryLedger(), ledger):
        charge(each, "r1", now=NOW)
        each.consume("c", by="r1", refund="budget", keep=NOW + 600, within=3600.0)
        for number in range(20):
            charge(each, f"ahead{number}", key="other", now=NOW + 600 + GRACE - 1)
        assert charge(each, "r1", now=NOW + 1).outcome == "repeated"
        assert not each.consume("c", by="r2", refund="budget", keep=NOW + 600, within=3600.0)


# Waiting


class Ticking(VirtualClock):
    """A clock of which *step* seconds pass each time it is read."""

    def __init__(self, step=1.0):
        super().__init__()
        self.step = step

    def monotonic(self):
        self.advance(self.step)
        return super().monotonic()


@contextmanager
def locked(path):
    """Another program that writes to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        yield
        raw.execute("COMMIT")


def test_a_locked_file_is_unavailable_and_recovers(ledger, path):
    """While another program holds the file, calls raise in time; afterwards they work and nothing was written."""
    charge(ledger, "r0")
    with closing(SqliteLedger(path, clock=Ticking())) as hasty:
        with locked(path):
            with pytest.raises(
                UnavailableError, match=r"locked by another process for longer than 5\.0 seconds"
            ) as caught:
                charge(hasty, "r1", within=5.0)
            assert "busy" == caught.value.reason
            assert hasty.peek("h", now=NOW, within=5.0) is None  # Readers do not wait for writers.
        assert "charged" == charge(hasty, "r1").outcome


def test_calls_of_one_process_wait_for_one_another_by_the_clock(path):
    """Of two threads one has the file; the other gets it when it is free, or an error when its time is over."""
    with (
        closing(SqliteLedger(path, clock=Ticking())) as ledger,
        ledger._file.writing(3600.0),
        pytest.raises(UnavailableError, match=r"did not answer within 5\.0 seconds"),
    ):
        charge(ledger, within=5.0)
    with closing(SqliteLedger(path, clock=VirtualClock())) as ledger, ThreadPoolExecutor() as threads:
        with ledger._file.writing(0.001):
            waiting = threads.submit(charge, ledger, within=0.001)
        assert "charged" == waiting.result().outcome


def test_a_locked_file_is_waited_for_as_long_as_the_clock_says(path):
    """How long another process takes by any other clock does not matter: several rounds of waiting, here."""
    rounds = iter(range(3))

    class Releasing(VirtualClock):
        def monotonic(self):
            if other.in_transaction and next(rounds, None) is None:
                other.execute("COMMIT")
            return super().monotonic()

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(SqliteLedger(path, clock=Releasing())) as ledger,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert "charged" == charge(ledger, within=0.001).outcome


def test_a_new_file_that_another_process_is_making_is_waited_for(path):
    """SQLite does not wait by itself when the journal's mode is changed under another's lock; the ledger does."""
    with closing(SqliteLedger(path, clock=Ticking())) as hasty:
        with locked(path), pytest.raises(UnavailableError, match="locked by another process"):
            charge(hasty, within=5.0)
        assert "charged" == charge(hasty).outcome


def test_a_transaction_that_is_late_is_rolled_back(path):
    """Work that was done too late is undone, not half kept."""
    clock = VirtualClock()
    with closing(SqliteLedger(path, clock=clock)) as ledger:
        with (
            pytest.raises(UnavailableError, match=r"did not answer within 1\.0 seconds"),
            ledger._file.writing(1.0) as file,
        ):
            file.execute("REPLACE INTO vals VALUES ('h', 'late', ?)", (NOW + 60,))
            clock.advance(1.1)
        assert ledger.peek("h", now=NOW, within=1.0) is None


# Files that are no ledger


def assert_unavailable(path, match):
    ledger = SqliteLedger(path)
    try:
        for _ in range(2):
            with pytest.raises(UnavailableError, match=match):
                charge(ledger, "canary-round", answer="canary-answer")
            with pytest.raises(UnavailableError, match=match):
                ledger.peek("h", now=NOW, within=3600.0)
    finally:
        ledger.close()


def test_the_file_is_for_its_owner_alone(ledger, path, tmp_path):
    """The file and its journals are made with mode 0600, whatever the umask."""
    old = os.umask(0)
    try:
        charge(ledger)
    finally:
        os.umask(old)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["ledger.db", "ledger.db-wal", "ledger.db-shm"], 0o600)


def test_nothing_is_opened_before_the_first_call(ledger, path):
    """Building a ledger touches no disk."""
    assert not path.exists()


def test_a_folder_that_is_missing_is_named(tmp_path):
    """A place where no file can be made is an UnavailableError that says so."""
    assert_unavailable(tmp_path / "missing" / "ledger.db", "cannot be made .No such file.*folder that exists")


def test_a_folder_is_no_ledger(tmp_path):
    """A folder in place of the file is an UnavailableError."""
    assert_unavailable(tmp_path, "unable to open database file")


def test_a_file_of_something_else_is_left_alone(path):
    """A database of another program is refused and not touched."""
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE precious (a)")
    raw.close()
    before = path.read_bytes()
    assert_unavailable(path, "database of something else")
    assert path.read_bytes() == before


def test_a_file_of_a_later_format_is_left_alone(ledger, path):
    """A ledger that a later Watchword made is refused."""
    charge(ledger)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 2")
    raw.close()
    ledger.close()
    assert_unavailable(path, "format 2, this Watchword reads format 1")


def test_a_file_that_is_no_database_is_left_alone(path):
    """Text in place of a database is refused and not touched."""
    path.write_text("precious " * 1000)
    assert_unavailable(path, "file is not a database")
    assert path.read_text() == "precious " * 1000


def test_a_damaged_file_is_unavailable(ledger, path):
    """Pages overwritten with rubbish end in UnavailableError, never in an answer."""
    for number in range(50):
        charge(ledger, f"r{number}", key=f"k{number}")
    ledger.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert_unavailable(path, "malformed|not a database")


@pytest.mark.parametrize(
    ("statement", "call"),
    [
        ("UPDATE entries SET at = 'text'", lambda ledger: charge(ledger, "new")),
        ("UPDATE entries SET at = -1", lambda ledger: charge(ledger, "new")),
        ("UPDATE entries SET at = 9e999", lambda ledger: charge(ledger, "new")),
        ("UPDATE entries SET at = NULL", lambda ledger: charge(ledger, "new")),
        (
            "UPDATE entries SET at = 'text'",
            lambda ledger: ledger.count("budget", event="r", owner="ann", limits=LIMITS, now=NOW, within=3600.0),
        ),
        ("UPDATE rounds SET until = 'text'", lambda ledger: charge(ledger)),
        ("UPDATE rounds SET at = 'text'", lambda ledger: charge(ledger)),
        ("UPDATE rounds SET paid = 'yes'", lambda ledger: charge(ledger)),
        ("UPDATE rounds SET paid = -1", lambda ledger: charge(ledger)),
        ("UPDATE rounds SET answer = NULL", lambda ledger: charge(ledger)),
        ("UPDATE tries SET used = -1", lambda ledger: charge(ledger, "new", limits=(Limit(1, 60),))),
        ("UPDATE tries SET until = 'text'", lambda ledger: charge(ledger, "new", limits=(Limit(1, 60),))),
        ("UPDATE claims SET until = 'text'", lambda ledger: ledger.claim("k", "d", lease=16, now=NOW, within=3600.0)),
        ("UPDATE claims SET issued = -5", lambda ledger: ledger.claim("k", "d", lease=16, now=NOW, within=3600.0)),
        ("UPDATE claims SET state = 'free'", lambda ledger: ledger.claim("k", "d", lease=16, now=NOW, within=3600.0)),
        ("UPDATE claims SET claim_id = x'00'", lambda ledger: ledger.claim("k", "d", lease=16, now=NOW, within=3600.0)),
        (
            "UPDATE marks SET round_id = x'72'",
            lambda ledger: ledger.consume("c", by="r", refund="", keep=NOW, within=3600.0),
        ),
        (
            "UPDATE marks SET until = 'x'",
            lambda ledger: ledger.consume("c", by="r", refund="", keep=NOW, within=3600.0),
        ),
        ("UPDATE vals SET value = x'ff'", lambda ledger: ledger.peek("h", now=NOW, within=3600.0)),
        ("UPDATE vals SET until = 'later'", lambda ledger: ledger.take("h", now=NOW, within=3600.0)),
        ("UPDATE vals SET value = CAST(x'ff' AS TEXT)", lambda ledger: ledger.take("h", now=NOW, within=3600.0)),
    ],
)
def test_a_row_that_was_tampered_with_fails_closed(ledger, path, statement, call):
    """A time that is text or negative, or any value of the wrong type, is never an answer (R-10)."""
    ledger.claim("k", "c", lease=16, now=NOW, within=3600.0)
    ledger.settle("k", "c", "sent", own_until=NOW + 180, within=3600.0)
    charge(ledger)
    ledger.consume("c", by="r", refund="", keep=NOW + 60, within=3600.0)
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)
    call(ledger)
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)
    with sqlite3.connect(path) as raw:
        assert raw.execute(statement).rowcount > 0
        if "tries" in statement:
            raw.execute("DELETE FROM rounds")
    raw.close()
    with pytest.raises(UnavailableError, match=r"row that Watchword did not write|decode"):
        call(ledger)


def test_text_that_no_database_can_hold_is_unavailable(ledger):
    """A lone surrogate is refused as every other fault, and nothing of it is written."""
    with pytest.raises(UnavailableError):
        ledger.put("h", "\ud800", expires=NOW + 60, within=3600.0)
    assert ledger.peek("h", now=NOW, within=3600.0) is None


IN_CHILD = """
import json, os, resource, sys
from watchword.errors import UnavailableError
from watchword.contract.ports import ChargeRequest, Limit
from watchword_adapters.ledgers import SqliteLedger
path, what = sys.argv[1:]
def charge(number):
    request = ChargeRequest(f"r{number}", "a", f"k{number}", "o", claim_id="", limits=[Limit(10, 60)], keep=9e9, now=1e9)
    return ledger.charge(request, within=3600.0).outcome
ledger = SqliteLedger(path)
if what == "full":
    charge(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
else:
    os.setuid(65534)
charged = 0
try:
    for number in range(1, 2000):
        charge(number)
        charged += 1
except UnavailableError as error:
    print(json.dumps([charged, str(error)]))
"""


def run_child(path, what):
    import json

    done = subprocess.run([sys.executable, "-c", IN_CHILD, str(path), what], capture_output=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files in Linux's way")
def test_a_full_disk_is_unavailable_and_nothing_is_half_written(path):
    """When the disk is full the call raises; every charge that was answered is there, and no other."""
    charged, message = run_child(path, "full")
    assert charged > 10
    assert "see that" in message
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rounds = raw.execute("SELECT COUNT(*) FROM rounds").fetchone()
    assert rounds == raw.execute("SELECT COUNT(*) FROM entries").fetchone() == (charged + 1,)
    raw.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_file_that_may_not_be_written_is_unavailable(ledger, path, tmp_path):
    """A ledger of somebody else is an UnavailableError that says what to see to."""
    charge(ledger)
    ledger.close()
    for folder in (tmp_path, *tmp_path.parents):
        # Those of pytest: one more where several processes share the tests.
        if folder.name.startswith(("test_", "popen-", "pytest-")):
            folder.chmod(0o755)
    path.chmod(0o644)
    charged, message = run_child(path, "foreign")
    assert charged == 0
    assert "may write to it" in message


# Names


def registered(module):
    found = {}
    module.register_ledgers(lambda scheme, factory: found.update({scheme: factory}))
    return found


def test_ledgers_are_made_of_urls(tmp_path):
    """``memory:`` and ``sqlite:///file`` name the two; a fourth slash makes the path absolute."""
    assert repr(registered(memory)["memory"]("memory:")) == "MemoryLedger()"
    assert repr(registered(memory)["memory"]("MEMORY:")) == "MemoryLedger()"
    assert repr(registered(sqlite)["sqlite"]("SQLite:///a.db")) == "SqliteLedger('a.db')"
    assert repr(registered(sqlite)["sqlite"]("sqlite:///a.db")) == "SqliteLedger('a.db')"
    assert repr(registered(sqlite)["sqlite"](f"sqlite:///{tmp_path}/a.db")) == f"SqliteLedger('{tmp_path}/a.db')"


@pytest.mark.parametrize(
    "url",
    [
        "memory:x",
        "memory://",
        "sqlite:",
        "sqlite://a.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:a.db",
        "sqlite:///a?b=c",
    ],
)
def test_a_bad_ledger_url_is_refused(url):
    """What is wrong with the URL is said, with the form that is right."""
    scheme = url.partition(":")[0]
    with pytest.raises(ConfigurationError, match=f"the ledger URL {scheme}:"):
        registered(memory if scheme == "memory" else sqlite)[scheme](url)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_sqlite_ledger_needs_a_file(path):
    """A database in memory would be another one for each process."""
    with pytest.raises(ConfigurationError, match="needs the path of a file"):
        SqliteLedger(path)


def test_naming_a_ledger_loads_that_one_only():
    """The ledger in memory needs no sqlite3, and a name that does not exist is an AttributeError."""
    code = (
        "import sys, watchword_adapters.ledgers as ledgers; ledgers.MemoryLedger\n"
        "assert 'sqlite3' not in sys.modules; ledgers.SqliteLedger; assert 'sqlite3' in sys.modules\n"
        "try: ledgers.Nothing\nexcept AttributeError as error: assert 'Nothing' in str(error)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_ledgers_of_one_file_in_one_process_share_it(path):
    """Threads that each have a ledger of their own on the same new file see one budget."""
    ledgers = [SqliteLedger(path) for _ in range(8)]
    outcomes = []
    threads = [
        Thread(
            target=lambda each=each, n=n: outcomes.append(
                charge(each, f"r{n}", limits=(Limit(3, 60),), within=3600.0).outcome
            )
        )
        for n, each in enumerate(ledgers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["charged"] * 3 + ["exhausted"] * 5
    for each in ledgers:
        each.close()
