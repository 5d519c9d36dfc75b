"""In real time: with a dead mail server, a dead ledger, or a dead store of credentials, every call ends closed, in time, and with a fixed text."""

import re
import socket
import sqlite3
import time
from contextlib import contextmanager
from functools import partial

import pytest

from kit import hosts
from kit.aws import REGION, isolate
from kit.engine_host import ANN, KEY
from kit.remembering_kinds import Uses, enrolled
from watchword import Flow
from watchword.errors import FAILURE_TEXTS
from watchword_adapters.aws_lambda import TriggerError, triggers
from watchword_adapters.couriers import Outbox
from watchword_adapters.couriers.smtp import SmtpCourier
from watchword_adapters.credentials import DynamoDBCredentials, MemoryCredentials, SqliteCredentials
from watchword_adapters.ledgers import DynamoDbLedger
from watchword_adapters.ledgers.memory import MemoryLedger
from watchword_adapters.ledgers.sqlite import SqliteLedger
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

event = partial(hosts.event, response={"answerCorrect": True})
"""What stands in the response already means nothing."""

AT_MOST = 20.0
"""Real seconds after which a call that should have ended counts as hung, on however slow a machine; the deadline is 3.5."""


@contextmanager
def silent():
    """A server that takes connections and never says a word; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


def gone():
    """A port on which nobody listens."""
    with silent() as port:
        return port


def made(ledger, courier=None):
    """The triggers of a code by mail."""
    return triggers(Flow(EmailOtp()), key=KEY, ledger=ledger, courier=courier or Outbox(), environment={})


def timed(call):
    """What *call* comes to: the text with which it is refused, or the answer. It must be in time."""
    began = time.monotonic()
    try:
        answer = call()
    except TriggerError as error:
        found = re.fullmatch(r"([A-Z_]+) \(ref [B-Z]{8}\)", str(error))
        assert found, "a text that is not on the list"
        answer = found[1]
    assert time.monotonic() - began < AT_MOST
    return answer


def test_a_mail_server_that_says_nothing():
    """Nobody waits for it longer than there is time."""
    with silent() as port:
        t = made(MemoryLedger(), SmtpCourier("127.0.0.1", port=port, sender="us@example.com"))
        assert "UNAVAILABLE" == timed(lambda: t.create(event("create", session=[])))


def test_a_mail_server_that_is_gone():
    """Nobody listens."""
    t = made(MemoryLedger(), SmtpCourier("127.0.0.1", port=gone(), sender="us@example.com"))
    assert "UNAVAILABLE" == timed(lambda: t.create(event("create", session=[])))


@contextmanager
def locked(path):
    """Another connection that holds the SQLite file *path*."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def dead(sort, in_a_file, in_dynamodb):
    """A port that does not answer: that of *in_a_file* made by its path, which is warm, or of the class *in_dynamodb*."""
    if sort == "sqlite, locked":
        port, path = in_a_file
        with locked(path):
            yield port
        port.close()
        return
    with silent() as place, pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        far = in_dynamodb(
            "Table", region=REGION, endpoint=f"http://127.0.0.1:{gone() if sort == 'dynamodb, gone' else place}"
        )
        far.prepare()
        yield far


DEAD = pytest.mark.parametrize("sort", ["sqlite, locked", "dynamodb, silent", "dynamodb, gone"])


@DEAD
def test_a_ledger_that_is_dead(sort, tmp_path):
    """Create sends nothing; Verify lets nobody in, with the right answer neither."""
    outbox = Outbox()
    before = made(MemoryLedger(), outbox).create(event("create", session=[]))["response"]
    code = "".join(filter(str.isdigit, outbox.messages[-1].text))[:8]
    sent = len(outbox.messages)
    answered = event("verify", privateChallengeParameters=before["privateChallengeParameters"], challengeAnswer=code)
    file = SqliteLedger(tmp_path / "ledger.db")
    file.claim("warm", "up", now=time.time(), lease=1.0, within=5.0)
    with dead(sort, (file, tmp_path / "ledger.db"), DynamoDbLedger) as ledger:
        t = made(ledger, outbox)
        assert timed(lambda: t.create(event("create", session=[]))) in FAILURE_TEXTS
        said = timed(lambda: t.verify(answered))
        assert said in FAILURE_TEXTS or said["response"]["answerCorrect"] is False
    assert sent == len(outbox.messages)


@DEAD
def test_a_store_of_credentials_that_is_dead(sort, tmp_path):
    """Verify lets nobody in, with the right answer neither; nor does Create tell anything but a text of the list."""
    kind, ledger = Uses(), MemoryLedger()
    mine = enrolled(kind, f"us-east-1_Abc123#{ANN['sub']}", "id-1")
    file, alive = SqliteCredentials(tmp_path / "store.db"), MemoryCredentials()
    for store in (file, alive):
        assert store.add(mine, replace=False, most=1, within=5.0)

    def made_over(store):
        return triggers(Flow(kind), key=KEY, ledger=ledger, credentials=store, environment={})

    before = made_over(alive).create(event("create", session=[]))["response"]
    right = kind.answers(mine, time.time())[0]
    answered = event("verify", privateChallengeParameters=before["privateChallengeParameters"], challengeAnswer=right)
    with dead(sort, (file, tmp_path / "store.db"), DynamoDBCredentials) as store:
        t = made_over(store)
        created = timed(lambda: t.create(event("create", session=[])))
        assert created in FAILURE_TEXTS or created["response"]["publicChallengeParameters"]
        said = timed(lambda: t.verify(answered))
        assert said in FAILURE_TEXTS or said["response"]["answerCorrect"] is False
    assert made_over(alive).verify(answered)["response"]["answerCorrect"] is True
