"""Metadata is not sealed: whatever somebody writes into it, a mailed code is good for its own time and a lease, no longer."""

import pytest
from attrs import evolve

from kit.engine_host import ANN, Host, Mail, world
from watchword import Flow, User
from watchword.contract.ports import LEASE

USER = User("ann", ANN)


def a_sign_in():
    """Somebody who has been mailed a code."""
    host = Host(world(Flow(Mail(lifetime=180))), USER)
    host.next()
    return host, host.world.post.code


@pytest.mark.parametrize("said", ["+1", "+16", "+100", "+179", "+1000000", "9" * 3000])
@pytest.mark.parametrize("seconds", [1, 100, 179])
def test_a_code_lives_no_longer_for_metadata_that_says_it_was_made_later(seconds, said):
    """The code is derived from the claim, whose id says when it was made: no time in the metadata counts beyond its lease."""
    host, code = a_sign_in()
    host.world.clock.advance(seconds)
    made, began = host.pending[0], int(host.pending[0].private["issued"])
    later = str(began + int(said)) if said.startswith("+") else said
    host.pending[:] = [evolve(made, metadata=made.metadata.replace(f";{began};", f";{later};"))]
    host.answers("00000000")
    assert host.pending[0].public["error"] == "wrong"
    assert int(host.pending[0].public["expires_at"]) <= began + 180 + LEASE
    host.world.clock.advance(180 + LEASE - seconds)

    assert not host.verify(code).right


@pytest.mark.parametrize("later", [1, 100, 10**6, 10**3000])
def test_a_claim_that_says_another_time_is_another_claim(later):
    """The code that was mailed is not good for it, now or later."""
    host, code = a_sign_in()
    made = host.pending[0]
    claim, began = made.private["claim"], int(made.private["issued"])
    other = f"{claim[:40]}{began + later:x}"
    metadata = made.metadata.replace(claim, other).replace(f";{began};", f";{began + 1};")
    host.pending[:] = [evolve(made, metadata=metadata)]
    host.answers("00000000")

    assert other == host.pending[0].private["claim"]
    assert not host.verify(code).right


@pytest.mark.parametrize("said", ["", "soon", "-5", "0", "1_0"])
@pytest.mark.parametrize("field", ["issued", "claim"])
def test_a_time_that_cannot_be_read_is_over(field, said):
    """Neither the claim's own time nor the one beside it: the code reads expired, and another one is sent."""
    host, _ = a_sign_in()
    made = host.pending[0]
    old = made.private["claim"][40:] if field == "claim" else made.private["issued"]
    host.pending[:] = [evolve(made, metadata=made.metadata.replace(f"{old};", f"{said};"))]
    now = int(host.world.clock.now())
    shown = host.answers("", action="resend").public

    assert shown["expires_at"] == str(now + 180)
    assert 2 == len(host.world.post.sent)


def test_a_kept_code_stays_good_after_a_wrong_answer():
    """With metadata as Create wrote it, the mailed code is the one that counts."""
    host, code = a_sign_in()
    host.answers("00000000")

    assert host.verify(code).right
    assert 1 == len(host.world.post.sent)
