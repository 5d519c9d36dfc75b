"""Enrolments and removals over every store and ledger: killed anywhere, repeated, and many at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count

import pytest
from attrs import evolve

from kit.aws import Aws, isolate, patient, patient_credentials
from kit.engine_host import ANN, Riddle, world
from kit.fobs import Badge, Fob
from watchword import Flow, UnavailableError, User, one_of, sequence
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.runtime.credentials.own_credentials import list_credentials, remove_credential
from watchword.testing import VirtualClock
from watchword_adapters.credentials import MemoryCredentials, SqliteCredentials
from watchword_adapters.ledgers import SqliteLedger

pytestmark = pytest.mark.exhaustive

FLOW = Flow(sequence(Riddle(), one_of(Fob(), Badge())))
POOL, CLIENT = "pool_1", "client"
TABLES = count()


@pytest.fixture(scope="module")
def aws():
    """The emulator."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch)
        with closing(Aws()) as server:
            yield server


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def engine(request, tmp_path):
    """An engine whose calls have all the time that a busy machine takes."""
    clock, deadline = VirtualClock(), 3600.0
    if request.param == "memory":
        yield world(FLOW, clock=clock, credentials=MemoryCredentials(), deadline=deadline).engine
    elif request.param == "sqlite":
        with (
            closing(SqliteLedger(tmp_path / "ledger.db", clock=clock)) as ledger,
            closing(SqliteCredentials(tmp_path / "credentials.db", clock=clock)) as credentials,
        ):
            yield world(FLOW, clock=clock, ledger=ledger, credentials=credentials, deadline=deadline).engine
    else:
        server, number = request.getfixturevalue("aws"), next(TABLES)
        ledger = patient(server, f"ledger{number}", clock)
        credentials = patient_credentials(server, f"credentials{number}", clock)
        yield world(FLOW, clock=clock, ledger=ledger, credentials=credentials, deadline=deadline).engine


ann = User("ann", ANN)


def begun(engine, kind):
    """The handle of an enrolment, and a right answer to it."""
    enrolment = begin_enrolment(engine, POOL, CLIENT, ann, kind)
    return enrolment.handle, enrolment.public.get("word", "badge-1")


def complete(engine, handle, answer):
    return complete_enrolment(engine, POOL, CLIENT, ann, handle, answer)


def owned(engine):
    return list_credentials(engine, POOL, ann)


class KilledAt:
    """A port of which the call number *fatal* ends the process, as it were: before its work is done or after it."""

    def __init__(self, real, calls, fatal, *, after):
        self.real, self.calls, self.fatal, self.after = real, calls, fatal, after

    reach = "everywhere"

    def __getattr__(self, name):
        real = getattr(self.real, name)

        def call(*given, **named):
            number = next(self.calls)
            if number > self.fatal or (number == self.fatal and not self.after):
                raise UnavailableError("killed")
            done = real(*given, **named)
            if number == self.fatal:
                raise UnavailableError("killed")
            return done

        return call


def killed_at(engine, fatal, *, after):
    """The engine that is killed at a call of its ledger or its store; nothing is done after that."""
    calls = count()
    ports = {name: KilledAt(getattr(engine, name), calls, fatal, after=after) for name in ("ledger", "credentials")}
    return evolve(engine, **ports), calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["fob", "badge"])
def test_killed_at_any_call_the_same_answer_enrols_once(engine, kind, after):
    """Every call of ledger and store in turn. What follows reads right, and there is one credential; another answer is wrong."""
    for fatal in range(100):
        handle, answer = begun(engine, kind)
        killed, calls = killed_at(engine, fatal, after=after)
        with suppress(UnavailableError):
            complete(killed, handle, answer)
        done = [complete(engine, handle, answer) for _ in range(3)]
        assert 1 == len({each.credential.id for each in done})
        assert "used_before" == complete(engine, handle, "badge-2").reason
        (one,) = owned(engine)
        assert engine.credentials.remove(one.owner, one.kind, one.id, within=3600.0)
        if next(calls) <= fatal:  # it came to its end before
            assert fatal > 4
            return
    raise AssertionError("an enrolment never ends")


def test_of_many_right_answers_at_once_one_enrols(engine):
    """Each would bring another badge."""
    handle, _ = begun(engine, "badge")
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda number: complete(engine, handle, f"badge-{number}"), range(5)))
    (one,) = owned(engine)
    assert {one.id} == {each.credential.id for each in done if each}
    assert {"used_before"} == {each.reason for each in done if not each}


def test_many_calls_with_the_same_answer_enrol_once(engine):
    """A client that sends its request eight times reads one success."""
    handle, answer = begun(engine, "fob")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: complete(engine, handle, answer), range(8)))
    assert all(done)
    assert 1 == len(owned(engine)) == len({each.credential.id for each in done})


def test_of_two_removals_at_once_one_way_is_left(engine):
    """Each alone could be made."""
    for kind in ("fob", "badge"):
        assert complete(engine, *begun(engine, kind))

    def remove(id_):
        while True:
            try:
                return remove_credential(engine, POOL, CLIENT, ann, id_)
            except UnavailableError as error:
                assert "busy" == error.reason

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(remove, [each.id for each in owned(engine)]))
    assert [False, True] == sorted(map(bool, done))
    assert 1 == len(owned(engine))
