"""Whether a way is left for a user: by attributes, app client and what is enrolled."""

from itertools import combinations

import pytest

from kit.engine_host import Mail, Riddle
from kit.fobs import Fob, Rings
from kit.random_flows import APP, TIER, Password
from watchword import Flow, all_of, ask_first, at_least, enrol, enrolled, fallback, named, one_of, sequence, when
from watchword.algebra.ways import can_pass

GOLD = {"custom:tier": "gold"}
EVERYBODY = [set(each) for count in range(3) for each in combinations(("fob", "rings"), count)]

NEEDS = {
    "a fob": (sequence(Riddle(), Fob()), {"fob"}),
    "a fob under another name": (sequence(Riddle(), named("mine", Fob())), {"fob"}),
    "both": (sequence(Riddle(), all_of(Fob(), Rings())), {"fob", "rings"}),
    "nothing": (sequence(Riddle(), enrol(Fob()), Fob()), set()),
    "nothing, under another name": (sequence(Riddle(), named("sets_up", enrol(Fob())), Fob()), set()),
    "nothing after a choice to enrol": (sequence(Riddle(), one_of(enrol(Fob()), enrol(Rings())), Fob()), set()),
    "nothing beside another way": (one_of(Fob(), Mail()), set()),
    "nothing after a fall-back": (fallback(Fob(), Mail()), set()),
    "nothing for two of three": (at_least(2, Riddle(), Fob(), Mail()), set()),
    "a fob for three of three": (at_least(3, Riddle(), Fob(), Mail()), {"fob"}),
    "nothing where it is asked first": (sequence(Riddle(), when(enrolled("fob"), Fob())), set()),
    "the fob, in another order than it is enrolled": (sequence(Riddle(), Fob(), enrol(Fob())), {"fob"}),
    "in doubt the fob": (sequence(Riddle(), all_of(enrol(Fob()), named("two", Fob()))), {"fob"}),
    "a password": (sequence(Password(), Fob()), {"fob"}),
    "a fob that is asked for first": (sequence(Riddle(), ask_first(Fob())), {"fob"}),
}


@pytest.mark.parametrize(("block", "needed"), NEEDS.values(), ids=NEEDS)
def test_a_step_of_a_kind_that_remembers_needs_a_credential(block, needed):
    """Which an earlier step may have enrolled; every other step can be passed."""
    for had in EVERYBODY:
        assert (needed <= had) == can_pass(Flow(block), {}, "app", had)


def test_conditions_are_decided_at_the_beginning():
    """What is enrolled on the way changes none of them."""
    flow = Flow(sequence(Riddle(), enrol(Rings()), when(enrolled("rings"), Fob(), Mail())))
    assert [True, True, False, True] == [can_pass(flow, {}, "", had) for had in EVERYBODY]


def test_attributes_and_the_client_decide_too():
    """The way that the flow leaves for this user counts, and no other."""
    flow = Flow(sequence(Riddle(), when(TIER, Fob()), when(APP, Rings())))
    assert can_pass(flow, {}, "other", ())
    assert not can_pass(flow, GOLD, "other", ())
    assert not can_pass(flow, {}, "app-1", ["fob"])
    assert can_pass(flow, GOLD, "app-1", ["fob", "rings"])
