"""The fault matrix of enrolments and of changes to what is enrolled: each fault at each call of ledger, store and courier, in each of them.

Nothing is half-enrolled, half-removed or let in; whoever calls again ends where they wanted to; and each call has its answer in time.
"""

import pytest
from attrs import evolve

from kit.engine_host import ANN, Post, Riddle, world
from kit.faults import COURIER_FAULTS, DEADLINE, LEDGER_FAULTS, MOMENTS, Faulty, Plan, credential_stores, ledgers
from kit.fobs import Badge, Fob
from watchword import Flow, User, enrolled, named, one_of, sequence, when
from watchword.algebra.evaluation import SessionRequest
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.runtime.credentials.own_credentials import (
    REMOVAL_LEASE,
    list_credentials,
    remove_credential,
    rename_credential,
)
from watchword.testing import VirtualClock
from watchword_adapters.ledgers import MemoryLedger

pytestmark = pytest.mark.exhaustive

FLOW = Flow(sequence(Riddle(), when(enrolled("badge"), one_of(Fob(), Badge()), otherwise=named("only", Fob()))))
WHO = ("pool_1", "client", User("ann", ANN))
PORTS = {"ledger": LEDGER_FAULTS, "credentials": LEDGER_FAULTS, "courier": COURIER_FAULTS}
MOST_CALLS = 10


class Place:
    """Ann, who has two badges and has begun to enrol a fob; *engine* is sound, and `broken` one whose port fails as planned."""

    def __init__(self, make_ledger, make_store):
        self.clock = VirtualClock()
        made = world(FLOW, clock=self.clock, ledger=make_ledger(), credentials=make_store(), post=Post())
        self.engine = made.engine
        for id_ in ("badge-1", "badge-2"):
            badge = begin_enrolment(self.engine, *WHO, "badge")
            assert complete_enrolment(self.engine, *WHO, badge.handle, id_, "old")
        self.begun = begin_enrolment(self.engine, *WHO, "fob")
        self.before = self.owned()

    def owned(self):
        return [(each.kind, each.id if each.kind == "badge" else "", each.label) for each in self.all()]

    def all(self):
        return list_credentials(self.engine, WHO[0], WHO[2])

    def broken(self, plan):
        """The engine with one port that fails; and that port."""
        real = self.engine.couriers["email"] if plan.port == "courier" else getattr(self.engine, plan.port)
        port = Faulty(real, self.clock, plan)
        changed = {"couriers": {"email": port}} if plan.port == "courier" else {plan.port: port}
        return evolve(self.engine, **changed), port


def begins(engine, place):
    return begin_enrolment(engine, *WHO, "fob")


def completes(engine, place):
    return complete_enrolment(engine, *WHO, place.begun.handle, place.begun.public["word"], "new")


def answers_wrong(engine, place):
    return complete_enrolment(engine, *WHO, place.begun.handle, "wrong", "new")


def removes(engine, place):
    return remove_credential(engine, *WHO, "badge-1")


def renames(engine, place):
    return rename_credential(engine, WHO[0], WHO[2], "badge-1", "other")


def signs_in(engine, place):
    return engine.create(SessionRequest(*WHO, (), {}))


ONE, OTHER, FOB = ("badge", "badge-1", "old"), ("badge", "badge-2", "old"), ("fob", "", "new")
CALLS = {
    # what is called, and what Ann has in the end
    "begin": (begins, [ONE, OTHER]),
    "complete": (completes, [ONE, OTHER, FOB]),
    "answer wrongly": (answers_wrong, [ONE, OTHER]),
    "remove": (removes, [OTHER]),
    "rename": (renames, [("badge", "badge-1", "other"), OTHER]),
    "the first Create": (signs_in, [ONE, OTHER]),
}


@pytest.fixture(params=["memory", "sqlite"])
def make_ports(request, tmp_path):
    """A ledger and a store on this machine, new for each injection."""
    return ledgers(tmp_path)[request.param], credential_stores(tmp_path)[request.param]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("moment", (*MOMENTS, "hung"))
def test_a_fault_at_each_call(make_ports, name, port, moment):
    """What was there, or what was wanted: nothing between; and the same call again ends where it should."""
    faults = PORTS[port] if isinstance(make_ports[0](), MemoryLedger) else dict([*PORTS[port].items()][:1])
    for fault in faults.values():
        for number in range(MOST_CALLS):
            plan = Plan("", port, number, moment, fault)
            if not _came_to_it(Place(*make_ports), plan, name):
                break


def _came_to_it(place, plan, name):
    """Try one fault; say whether its call was made."""
    act, wanted = CALLS[name]
    engine, faulty = place.broken(plan)
    began = place.clock.monotonic()
    try:
        first = act(engine, place)
    except Exception:  # noqa: BLE001 - a fault of a port
        first = None
    if len(faulty.calls) <= plan.call:
        return False
    assert place.clock.monotonic() - began <= DEADLINE + 1e-6
    assert place.owned() in (place.before, wanted)
    if plan.port == "courier":
        assert first is not None, "a notice that fails is no failure of the change"
    if name == "the first Create" and first is not None:
        assert "1" == first.metadata.split(";")[0].split(".")[2], "who has enrolled passes as one who has not"
    place.clock.advance(REMOVAL_LEASE + 1)
    again = act(place.engine, place)
    assert wanted == place.owned()
    assert name == "remove" or bool(again) is (name != "answer wrongly")
    if name in {"begin", "answer wrongly"}:
        assert completes(place.engine, place)
    return True


def test_each_port_is_called_where_it_should_be():
    """So that no fault is planned at a call that is never made."""
    seen = {}
    for name, (act, _) in CALLS.items():
        for port in PORTS:
            place = Place(*(next(iter(made)) for made in (ledgers(None).values(), credential_stores(None).values())))
            engine, faulty = place.broken(Plan("", port, MOST_CALLS, "before", None))
            act(engine, place)
            seen[name, port] = faulty.calls

    assert all(len(each) < MOST_CALLS for each in seen.values())
    assert {"remove"} <= {*seen["remove", "credentials"]} and {"claim", "consume"} <= {*seen["remove", "ledger"]}
    assert {"put", "count"} <= {*seen["begin", "ledger"]}
    assert {"peek", "count", "consume", "put"} <= {*seen["complete", "ledger"]}
    assert {"list", "add"} == {*seen["complete", "credentials"]}
    assert {"list", "swap"} == {*seen["rename", "credentials"]}
    assert ["list"] == seen["the first Create", "credentials"]
    assert ["send"] == seen["complete", "courier"] == seen["remove", "courier"]
    assert [] == seen["begin", "courier"] == seen["answer wrongly", "courier"] == seen["rename", "courier"]
