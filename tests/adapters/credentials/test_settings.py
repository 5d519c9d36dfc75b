"""The store of credentials of a host: by object, by URL, by the environment; and what Lambda takes."""

from typing import ClassVar

import pytest

from kit.engine_host import KEY, Riddle
from watchword import ConfigurationError, Flow, enrolled, named, sequence, when
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.host_settings import HostSettings

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "f", "WATCHWORD_LEDGER": "process-only"}


class Memo(Riddle):
    """A kind that remembers."""

    kind: ClassVar[str] = "memo"
    remembers: ClassVar[str] = "one"


REMEMBERS, PLAIN = [Flow(Memo())], [Flow(Riddle())]
ASKS = [Flow(sequence(Riddle(), when(enrolled("memo"), named("more", Riddle()))))]


def settings(store=None, **environment):
    return HostSettings(key=KEY, credentials=store, environment=environment)


def test_a_store_is_named_as_a_ledger_is(tmp_path):
    """By an object, by its URL, or by the environment; what is passed comes first."""
    url, store = f"sqlite:///{tmp_path}/a.db", MemoryCredentials()
    assert store is settings(store, WATCHWORD_CREDENTIALS=url).credentials(REMEMBERS)
    for made in (settings(url), settings(WATCHWORD_CREDENTIALS=f" {url} ")):
        assert repr(SqliteCredentials(f"{tmp_path}/a.db")) == repr(made.credentials(REMEMBERS))
    for url in ("", " ", "memory:", "process-only"):
        assert isinstance(settings(WATCHWORD_CREDENTIALS=url).credentials(REMEMBERS), MemoryCredentials)


def test_all_functions_of_a_process_share_one_store():
    """What one enrols another knows."""
    made = settings()
    assert made.credentials(REMEMBERS) is made.credentials(ASKS) is made.named_credentials


def test_a_flow_that_needs_no_store_reads_none():
    """One environment serves all flows; what is passed as an object is there for whoever asks."""
    for made in (settings("nonsense:x"), settings(WATCHWORD_CREDENTIALS="nonsense:x")):
        assert made.credentials(PLAIN) is None
        with pytest.raises(ConfigurationError, match="no store of credentials 'nonsense' is installed"):
            made.credentials(REMEMBERS)
    store = MemoryCredentials()
    assert store is settings(store).credentials(PLAIN)


def test_a_flow_that_asks_what_is_enrolled_needs_a_store():
    """Though no kind of it remembers."""
    assert isinstance(settings().credentials(ASKS), MemoryCredentials)


@pytest.mark.parametrize("given", [None, "memory:", "sqlite:///a.db", MemoryCredentials()])
def test_lambda_takes_what_all_containers_share(given):
    """A store of one process, or of one machine, would lose what users enrol; the message says what to set."""
    with pytest.raises(
        ConfigurationError,
        match=r"the store of credentials must be shared by all containers, or what a user enrols is gone .*"
        r"set WATCHWORD_CREDENTIALS=dynamodb://table, or WATCHWORD_CREDENTIALS=process-only",
    ):
        settings(given, **LAMBDA).credentials(REMEMBERS)


def test_lambda_takes_one_that_says_so_and_one_for_trials(monkeypatch):
    """``process-only`` is written out."""
    assert isinstance(
        settings(**LAMBDA, WATCHWORD_CREDENTIALS="process-only").credentials(REMEMBERS), MemoryCredentials
    )
    assert isinstance(settings("process-only", **LAMBDA).credentials(REMEMBERS), MemoryCredentials)
    shared = type("Shared", (MemoryCredentials,), {"reach": "everywhere"})()
    assert shared is settings(shared, **LAMBDA).credentials(REMEMBERS)
    unsaid = type("Unsaid", (MemoryCredentials,), {"reach": "somewhere"})()
    with pytest.raises(
        ConfigurationError, match="the store of credentials Unsaid does not say which processes share it"
    ):
        settings(unsaid, **LAMBDA).credentials(REMEMBERS)


def test_a_store_is_prepared_before_the_first_call():
    """What it cannot set up is told at the start."""

    class Ready(MemoryCredentials):
        ready = False

        def prepare(self):
            self.ready = True

    class Broken(MemoryCredentials):
        def prepare(self):
            raise ValueError("canary")

    assert settings(Ready()).credentials(REMEMBERS).ready
    with pytest.raises(ConfigurationError, match=r"store of credentials Broken cannot be set up: .* raises ValueError"):
        settings(Broken()).credentials(REMEMBERS)


def test_triggers_take_a_url(tmp_path):
    """As of a ledger."""
    assert triggers(REMEMBERS[0], key=KEY, credentials=f"sqlite:///{tmp_path}/a.db", environment={})
    with pytest.raises(ConfigurationError, match="the credentials URL sqlite:"):
        triggers(REMEMBERS[0], key=KEY, credentials="sqlite:a.db", environment={}).create({}, None)


def test_settings_show_no_url():
    """It may hold a password."""
    assert "hunter2" not in repr(settings("acme://ann:hunter2@host"))
