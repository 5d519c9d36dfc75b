"""The SQLite store of credentials across processes: many at once, and one that is killed in mid-write."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest

from watchword.contract.credentials import Credential
from watchword_adapters.credentials import SqliteCredentials

pytestmark = pytest.mark.exhaustive

PHONE = Credential("phone", "pool#ann", "totp")

# Every process makes its 16 calls from as many threads, once all processes are ready.
CALLER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from attrs import evolve
from watchword.contract.credentials import Credential
from watchword_adapters.credentials import SqliteCredentials

path, process, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
store, phone = SqliteCredentials(path), Credential("phone", "pool#ann", "totp")

def add(credential, replace=False):
    return store.add(credential, replace=replace, most=20, within=3600.0)

def counted(number):
    while True:
        (read,) = store.list("pool#ann", within=3600.0)
        if store.swap(evolve(read, used=read.used + 1), version=read.version, within=3600.0):
            return True

calls = {
    "same": lambda n: add(evolve(phone, owner=f"pool#{n}")),
    "many": lambda n: add(evolve(phone, id=f"id-{n}")),
    "replace": lambda n: add(evolve(phone, id=f"id-{n}"), replace=True),
    "swap": lambda n: store.swap(evolve(phone, used=n), version=0, within=3600.0),
    "counted": counted,
    "remove": lambda n: store.remove("pool#ann", "totp", "phone", within=3600.0),
}
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(16) as threads:
    print(json.dumps(list(threads.map(calls[what], range(process * 16, process * 16 + 16)))))
"""


def at_once(path, what):
    """Call *what* 64 times from four processes that begin together; count the results."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALLER, str(path), str(process), what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(4)
    ]
    for process in processes:
        assert "ready\n" == process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = Counter()
    for process in processes:
        said, complaint = process.communicate()
        assert "" == complaint
        results.update(json.loads(said))
    return results


@pytest.fixture
def path(tmp_path):
    return tmp_path / "credentials.db"


@pytest.fixture
def store(path):
    with closing(SqliteCredentials(path)) as store:
        yield store


def test_processes_that_make_the_file_together_share_one_id(path):
    """64 adds of one id from four processes, on a file that does not exist yet: one has it."""
    assert {True: 1, False: 63} == at_once(path, "same")


def test_an_owner_has_no_more_than_allowed_across_processes(store, path):
    """20 of 64; and of 64 that replace one another, one is left."""
    assert {True: 20, False: 44} == at_once(path, "many")
    for each in store.list("pool#ann", within=3600.0):
        store.remove(each.owner, each.kind, each.id, within=3600.0)
    assert {True: 64} == at_once(path, "replace")
    assert 1 == len(store.list("pool#ann", within=3600.0))


def test_a_version_is_swapped_once_across_processes(store, path):
    """One of 64 wins; who lost reads again, and none is lost; one of 64 removes."""
    store.add(PHONE, replace=False, most=20, within=3600.0)
    assert {True: 1, False: 63} == at_once(path, "swap")
    (before,) = store.list("pool#ann", within=3600.0)
    assert {True: 64} == at_once(path, "counted")
    (after,) = store.list("pool#ann", within=3600.0)
    assert (before.used + 64, 65) == (after.used, after.version)
    assert {True: 1, False: 63} == at_once(path, "remove")


WRITER = """
import itertools, sys
from attrs import evolve
from watchword.contract.credentials import Credential
from watchword_adapters.credentials import SqliteCredentials

store, phone = SqliteCredentials(sys.argv[1]), Credential("0", "pool#ann", "totp")
for number in itertools.count():
    print(store.add(evolve(phone, id=f"{number}"), replace=True, most=20, within=3600.0), flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_process_killed_while_it_replaces_leaves_exactly_one(store, path, lines):
    """What was answered is kept; the write at hand is there wholly or not at all, and others go on."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        assert -signal.SIGKILL == process.wait()
    answered = said.count("True\n")
    (left,) = store.list("pool#ann", within=3600.0)
    assert int(left.id) in (answered - 1, answered)
    with closing(sqlite3.connect(path)) as raw:
        assert [("ok",)] == raw.execute("PRAGMA integrity_check").fetchall()
    assert store.add(PHONE, replace=True, most=20, within=3600.0)
