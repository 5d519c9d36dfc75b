"""The SQLite ledger across processes: many at once, one that is killed in mid-write, one that forks."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest
from attrs import evolve

from watchword.contract.ports import ChargeRequest, Limit
from watchword_adapters.ledgers import SqliteLedger

pytestmark = pytest.mark.exhaustive

NOW = 1_800_000_000.0
PROCESSES = 4
THREADS = 16

# Every process makes its 16 calls from as many threads, once all processes are ready.
CALLER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from watchword.contract.ports import ChargeRequest, Limit
from watchword_adapters.ledgers import SqliteLedger

path, process, what, times = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ledger = SqliteLedger(path)
now = 1_800_000_000.0

def charge(number, answer="answer", round_id=None):
    request = ChargeRequest(round_id or f"r{number}", answer, key="budget", owner="ann", claim_id="own",
        limits=[Limit(10, 86400)], keep=now + 600, now=now)
    return ledger.charge(request, within=3600.0).outcome

calls = {
    "claim": lambda n: ledger.claim("key", f"c{n}", lease=16, now=now, within=3600.0).fresh,
    "resume": lambda n: ledger.resume("key", "c", within=3600.0),
    "repeat": lambda n: charge(n, round_id="r"),
    "differ": lambda n: charge(n, answer=f"a{n}", round_id="r"),
    "charge": charge,
    "count": lambda n: ledger.count("mails", event=f"m{n}", owner="ann", limits=[Limit(3, 900)], now=now, within=3600.0),
    "consume": lambda n: ledger.consume("c", by=f"r{n}", refund="", keep=now + 600, within=3600.0),
    "take": lambda n: ledger.take("h", now=now, within=3600.0),
}
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(16) as threads:
    print(json.dumps(list(threads.map(calls[what], range(process * times, process * times + times)))))
"""


def at_once(path, what, times=THREADS):
    """Call *what* 64 times, or *times* times four, from four processes that begin together; count the results."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALLER, str(path), str(process), what, str(times)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = Counter()
    for process in processes:
        said, complaint = process.communicate()
        assert complaint == ""
        results.update(json.loads(said))
    return results


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path):
    ledger = SqliteLedger(path)
    yield ledger
    ledger.close()


def test_processes_that_make_the_file_together_share_one_claim(path):
    """64 claims from four processes, on a file that does not exist yet: one is fresh."""
    assert at_once(path, "claim") == {True: 1, False: 63}


def test_500_rounds_of_four_processes_get_the_limit(path):
    """R-02: exactly the limit is charged, and every guess is accounted for."""
    assert at_once(path, "charge", 125) == {"charged": 10, "exhausted": 490}


def test_equal_and_different_answers_of_four_processes_cost_one_guess(ledger, path):
    """One answer is charged; its copies are repeats, others are refused."""
    assert at_once(path, "repeat") == {"charged": 1, "repeated": 63}
    assert at_once(path, "differ") == {"refused": 64}
    assert at_once(path, "charge") == {"charged": 9, "exhausted": 55}


def test_single_use_holds_across_processes(ledger, path):
    """A claim is resumed once, consumed once, a value taken once, and no more mails counted than the limit."""
    ledger.claim("key", "c", lease=16, now=NOW, within=3600.0)
    ledger.settle("key", "c", "unsent", own_until=NOW, within=3600.0)
    ledger.put("h", "value", expires=NOW + 60, within=3600.0)
    assert at_once(path, "resume") == {True: 1, False: 63}
    assert at_once(path, "consume") == {True: 1, False: 63}
    assert at_once(path, "take") == {"value": 1, None: 63}
    assert at_once(path, "count") == {True: 3, False: 61}


WRITER = """
import sys
from watchword.contract.ports import ChargeRequest, Limit
from watchword_adapters.ledgers import SqliteLedger

ledger, number = SqliteLedger(sys.argv[1]), 0
if sys.argv[2] == "inside":
    add = ledger._add
    def stop(*given, **named):
        add(*given, **named)
        print("in the middle", flush=True)
        sys.stdin.readline()
    ledger._add = stop
while True:
    number += 1
    request = ChargeRequest(f"r{number}", "a", key=f"k{number}", owner="o", claim_id="", limits=[Limit(10, 86400)],
        keep=9e9, now=1_800_000_000.0 + number)
    print(ledger.charge(request, within=3600.0).outcome, flush=True)
"""


def killed_writer(path, how, lines):
    """Start a process that writes without end, kill it after *lines* lines, and return all that it said."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        assert process.wait() == -signal.SIGKILL
    return said


def consistent(path):
    """Check the file, and return how many rounds it knows, each with the entry that paid for it."""
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rounds = raw.execute("SELECT round_id FROM rounds ORDER BY at").fetchall()
    entries = raw.execute("SELECT event FROM entries ORDER BY at").fetchall()
    raw.close()
    assert rounds == entries
    return len(rounds)


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_process_killed_while_it_writes_leaves_a_consistent_file(ledger, path, lines):
    """What was answered is kept, the write at hand is there wholly or not at all, and others go on."""
    said = killed_writer(path, "outside", lines)
    answered = said.count("charged\n")
    assert answered >= lines
    assert consistent(path) in (answered, answered + 1)
    again = ChargeRequest("r1", "a", "k1", "o", claim_id="", limits=[Limit(10, 60)], keep=9e9, now=NOW + 9999)
    assert ledger.charge(again, within=3600.0).outcome == "repeated"
    assert ledger.charge(evolve(again, round_id="new", key="k"), within=3600.0).outcome == "charged"


def test_a_process_killed_inside_a_transaction_leaves_nothing_of_it(ledger, path):
    """Killed between two of its writes, with the file locked: neither is there, and the lock is gone."""
    assert killed_writer(path, "inside", 1) == ["in the middle\n"]
    assert consistent(path) == 0
    request = ChargeRequest("r1", "a", "k1", "o", claim_id="", limits=[Limit(10, 60)], keep=9e9, now=NOW)
    assert ledger.charge(request, within=3600.0).outcome == "charged"


FORKER = """
import os, sys, threading
from watchword_adapters.ledgers import SqliteLedger

ledger = SqliteLedger(sys.argv[1])
ledger.put("h", "parent", expires=9e9, within=3600.0)
held, release = threading.Event(), threading.Event()
def hold():
    with ledger._file.reading(3600.0):
        held.set()
        release.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    # The parent's thread, which holds the connection, does not exist here.
    assert ledger.take("h", now=1e9, within=3600.0) == "parent"
    ledger.put("h", "child", expires=9e9, within=3600.0)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
release.set()
thread.join()
assert ledger.take("h", now=1e9, within=3600.0) == "child"
print("ok")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_the_file_anew(path):
    """A child that inherits the ledger uses a connection of its own, even if a thread was at work at the fork."""
    done = subprocess.run([sys.executable, "-c", FORKER, str(path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ok\n", "")
