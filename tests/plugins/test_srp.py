"""The password's kind: rounds that the host runs, so it makes and judges nothing itself."""

from __future__ import annotations

import pytest
from attrs import fields

from watchword.contract.powers import is_host_run, powers_of, why_no_kind
from watchword.errors import ProtocolError
from watchword.testing import create_request, verify_request
from watchword_plugins.srp import Srp


def test_it_is_run_by_the_host() -> None:
    """The kind proves knowledge by two host rounds, in Cognito's order."""
    kind = Srp()
    assert is_host_run(kind)
    assert not why_no_kind(Srp)
    assert kind.host_rounds == ("SRP_A", "PASSWORD_VERIFIER")
    assert kind.proves == {"knowledge"}
    assert not powers_of(kind).sends


def test_it_has_no_settings() -> None:
    """There is nothing to set, and all of its instances are one value."""
    assert fields(Srp) == ()
    assert Srp() == Srp()
    with pytest.raises(TypeError):
        Srp(attempts=3)  # type: ignore[call-arg]


def test_nothing_is_created_or_verified_for_it() -> None:
    """Whoever asks it to create or to verify called out of turn."""
    kind = Srp()
    with pytest.raises(ProtocolError, match="the host runs these rounds"):
        kind.create(create_request(kind))
    with pytest.raises(ProtocolError, match="the host runs these rounds"):
        kind.verify(verify_request(kind, {}, "x"))


def test_nothing_is_reckoned_upon_a_password() -> None:
    """How well a password was chosen is unknown, so guessing it counts as certain."""
    assert Srp().guess_probability() == 1.0
