"""Corners of the two hosts that no ordinary sign-in comes to."""

from typing import ClassVar

import pytest

from kit.engine_host import ANN, Riddle
from kit.hosts import Book, sign_in_of
from watchword import Challenge, Flow
from watchword_adapters.aws_lambda import TriggerError, Triggers
from watchword_adapters.functions import MAX_STATE, Asked, Refused


def test_triggers_without_an_engine_and_without_an_audit_define():
    """A value made by hand of a flow alone answers Define and nothing else."""
    bare = Triggers((Flow(Riddle()),), None)
    assert "CUSTOM_CHALLENGE" == bare.define({"request": {}})["response"]["challengeName"]
    assert bare.define({"request": {"session": "x"}})["response"]["failAuthentication"]
    with pytest.raises(TriggerError, match=r"^BAD_REQUEST"):
        bare.verify({"request": {}})


@pytest.mark.parametrize(("size", "reply"), [(MAX_STATE, Asked), (MAX_STATE + 1, Refused)])
def test_an_attribute_has_a_longest_length(size, reply):
    """65,536 characters are taken, one more is UNAVAILABLE: the program's own data are at fault, not the client."""
    made = sign_in_of(Flow(Riddle()), Book({**ANN, "custom:note": "x" * size})).begin("ann")
    assert isinstance(made, reply)
    assert reply is Asked or Refused("UNAVAILABLE") == made


def test_a_sign_in_that_has_grown_too_large_ends(monkeypatch):
    """What is kept between two calls has a limit; beyond it the sign-in is UNAVAILABLE and nothing is kept."""
    monkeypatch.setattr("watchword_adapters.functions.sign_in.MAX_STATE", 1500)

    class Wordy(Riddle):
        kind: ClassVar[str] = "wordy"

        def create(self, request):
            return Challenge(private={"digest": request.seal("fish"), "more": "x" * 1500})

    assert isinstance(sign_in_of(Flow(Riddle()), Book({"sub": "u-1"})).begin("ann"), Asked)
    assert Refused("UNAVAILABLE") == sign_in_of(Flow(Wordy()), Book({"sub": "u-1"})).begin("ann")
