"""Corners of the two hosts that no ordinary sign-in comes to."""

from typing import ClassVar

import pytest

from kit.engine_host import ANN, KEY, Events, Post, Riddle
from watchword import Challenge, Flow
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.aws_lambda import TriggerError, Triggers
from watchword_adapters.functions import MAX_STATE, Asked, Refused, SignIn, UserRecord
from watchword_adapters.ledgers.memory import MemoryLedger


def test_triggers_without_an_engine_and_without_an_audit_define():
    """A value made by hand of a flow alone answers Define and nothing else."""
    bare = Triggers((Flow(Riddle()),), None)
    assert "CUSTOM_CHALLENGE" == bare.define({"request": {}})["response"]["challengeName"]
    assert bare.define({"request": {"session": "x"}})["response"]["failAuthentication"]
    with pytest.raises(TriggerError, match=r"^BAD_REQUEST"):
        bare.verify({"request": {}})


class Book:
    """One user, ann."""

    def __init__(self, attributes):
        self.attributes = attributes

    def find(self, name):
        return UserRecord(self.attributes) if name == "ann" else None


def host(flow, attributes=ANN):
    """Return a host of *flow* for ann with *attributes*."""
    return SignIn(
        flow,
        users=Book(attributes),
        key=KEY,
        courier=Post(),
        ledger=MemoryLedger(),
        clock=VirtualClock(),
        random=SeededRandom(),
        audit=Events(),
        environment={},
    )


@pytest.mark.parametrize(("size", "reply"), [(MAX_STATE, Asked), (MAX_STATE + 1, Refused)])
def test_an_attribute_has_a_longest_length(size, reply):
    """65,536 characters are taken, one more is UNAVAILABLE: the program's own data are at fault, not the client."""
    made = host(Flow(Riddle()), {**ANN, "custom:note": "x" * size}).begin("ann")
    assert isinstance(made, reply)
    assert reply is Asked or Refused("UNAVAILABLE") == made


def test_a_sign_in_that_has_grown_too_large_ends(monkeypatch):
    """What is kept between two calls has a limit; beyond it the sign-in is UNAVAILABLE and nothing is kept."""
    monkeypatch.setattr("watchword_adapters.functions.MAX_STATE", 1500)

    class Wordy(Riddle):
        kind: ClassVar[str] = "wordy"

        def create(self, request):
            return Challenge(private={"digest": request.seal("fish"), "more": "x" * 1500})

    assert isinstance(host(Flow(Riddle()), {"sub": "u-1"}).begin("ann"), Asked)
    assert Refused("UNAVAILABLE") == host(Flow(Wordy()), {"sub": "u-1"}).begin("ann")
