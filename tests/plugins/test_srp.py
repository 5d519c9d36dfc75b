"""The password's kind: rounds that the host runs, so it makes and judges nothing itself."""

from __future__ import annotations

import pytest
from attrs import fields

from watchword.contract.powers import is_host_run, is_kind, powers_of, why_no_kind
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
    """The host runs its rounds, so it has no method that the engine could call."""
    assert not is_kind(Srp())
    assert set() == {"create", "verify", "prepare"} & set(dir(Srp))


def test_nothing_is_reckoned_upon_a_password() -> None:
    """How well a password was chosen is unknown, so guessing it counts as certain."""
    assert powers_of(Srp()).guess_probability() == 1.0
