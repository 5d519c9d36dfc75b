"""What Verify of a kind that remembers costs: calls of ledger and store, and how many requests to DynamoDB these are."""

import pytest

from kit.aws import metered
from kit.engine_host import Host, Riddle, world
from kit.enrolled_devices import enrolling
from kit.remembering_host import NAMED, STRANGER, Home, Spied
from kit.remembering_kinds import KINDS
from watchword import Flow, UnavailableError, enrol, sequence
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword_plugins.passkey import Passkey
from watchword_plugins.recovery_codes import RecoveryCodes
from watchword_plugins.totp import Totp

pytestmark = pytest.mark.exhaustive

PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
WRITES = [kind for kind in KINDS.values() if kind.kind != "keys"]
PRICES = {
    # what happens: (calls of the ports, requests to DynamoDB)
    "right": (["charge", "list", "swap", "consume"], 6),
    "right, nothing to write": (["charge", "list", "consume"], 5),
    "repeated": (["charge", "consumed", "consume"], 4),
    "repeated, not marked": (["charge", "consumed", "list", "consume"], 6),
    "wrong": (["charge", "list"], 3),
    "unknown": (["charge", "list"], 3),
    "race lost": (["charge", "list", "swap", "list", "swap", "consume"], 8),
}

SIGN_INS = {
    # kind: what Verify spends, in calls, read units and write units, and how many units more for the first guess in a window
    "totp": ((6, 8, 9), 2),
    "recovery_codes": ((6, 8, 3), 0),  # nobody guesses it, so that it has no budget
    "passkey": ((6, 8, 3), 0),
}


@pytest.fixture
def far(make_far_ports, aws):
    """A home whose ports are in DynamoDB, and the way to count what a call costs."""

    def home_of(kind):
        ledger, store = make_far_ports()
        return Home(kind, ledger=ledger, store=store)

    def cost(home, act):
        home.calls.clear()
        with aws.counted() as requests:
            act()
        return list(home.calls), sum(requests.values())

    return home_of, cost


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_right_answer_makes_six_requests_at_most(far, kind):
    """Four calls of ports, of which charge and consume read and then write; three where there is nothing to write."""
    home_of, cost = far
    home = home_of(kind)
    made, answer = home.ask(), home.answer
    what = "right" if kind in WRITES else "right, nothing to write"
    assert PRICES[what] == cost(home, lambda: home.verify(made, answer))
    # The first repeat is recorded; it marks nothing anew.
    calls, requests = PRICES["repeated"]
    assert (calls, requests) == cost(home, lambda: home.verify(made, answer))
    assert (calls, requests - 1) == cost(home, lambda: home.verify(made, answer))


@pytest.mark.parametrize("kind", WRITES, ids=lambda kind: kind.kind)
def test_a_repeat_that_finds_no_mark_looks_into_the_store(far, kind):
    """The process died before the mark was written."""
    home_of, cost = far
    home = home_of(kind)
    made, answer = home.ask(), home.answer

    def dies():
        raise UnavailableError("down")

    home.ledger.meanwhile["consume"] = dies
    with pytest.raises(UnavailableError):
        home.verify(made, answer)
    calls, requests = cost(home, lambda: home.verify(made, answer))
    assert PRICES["repeated, not marked"][0] == calls
    assert requests <= 2 + 1 + 1 + 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("user", [NAMED, STRANGER], ids=["known", "unknown"])
def test_a_wrong_answer_costs_the_same_for_somebody_unknown(far, kind, user):
    """Two calls: what is charged and what is read does not say who exists."""
    home_of, cost = far
    home = home_of(kind)
    made = home.ask(user)
    assert PRICES["wrong"] == PRICES["unknown"] == cost(home, lambda: home.verify(made, "wrong", user))


def test_a_race_that_is_lost_costs_two_more(far):
    """The store is read again, and written once more."""
    home_of, cost = far
    home = home_of(KINDS["uses"])
    made, answer = home.ask(), home.answer
    one, store = home.owned[0], home.inner[1]
    rival = iter([lambda: store.swap(one, version=one.version, within=3600.0)])
    home.store.meanwhile["swap"] = lambda: next(rival)()
    calls, requests = cost(home, lambda: home.verify(made, answer))
    assert (PRICES["race lost"][0], PRICES["race lost"][1] + 1) == (calls, requests)  # the rival's own


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_enrol_step_costs_one_more(make_far_ports, aws, kind):
    """The addition reads the owner's item before it writes: charge, list, add, consume."""
    ledger, store = make_far_ports()
    calls = []
    here = world(Flow(sequence(Riddle(), enrol(kind))), ledger=Spied(ledger, calls), credentials=Spied(store, calls))
    host = Host(here, NAMED)
    host.next()
    answer = f"enrol {host.answers('fish').public['id']}"
    calls.clear()
    with aws.counted() as requests:
        assert host.verify(answer).right
    assert ["charge", "list", "add", "consume"] == calls
    assert 7 == sum(requests.values())


@pytest.mark.parametrize("kind", [Totp(), RecoveryCodes(), PASSKEY], ids=lambda kind: kind.kind)
def test_a_sign_in_costs_what_the_how_to_says(make_far_ports, aws, monkeypatch, kind):
    """In calls, read units and write units, by the kinds that are shipped. Create spends nothing."""
    ledger, store = make_far_ports()
    here = world(Flow(kind), ledger=ledger, credentials=store)
    begun = begin_enrolment(here.engine, "pool_1", "client", NAMED, kind.kind)
    first, use = enrolling(kind.kind, dict(begun.public), here.clock.now(), 1)
    assert complete_enrolment(here.engine, "pool_1", "client", NAMED, begun.handle, first).credential
    Host(here, NAMED).next()  # the first of a process marks the table as used
    spent = metered(aws, monkeypatch)
    (calls, read, write), more = SIGN_INS[kind.kind]
    for first_units in (more, 0):
        here.clock.advance(60)
        host = Host(here, NAMED)
        assert (0, 0, 0) == spent(host.next)
        answer = use(dict(host.pending[0].public), here.clock.now())
        assert (calls, read, write + first_units) == spent(lambda host=host, answer=answer: host.verify(answer))
