"""Metadata is not sealed: whatever somebody writes into it, a mailed code is good for its own time and no longer."""

import pytest
from attrs import evolve

from engine_host import ANN, Host, Mail, world
from watchword import Flow, User

USER = User("ann", ANN)


def a_sign_in():
    """Somebody who has been mailed a code."""
    host = Host(world(Flow(Mail(lifetime=180))), USER)
    host.next()
    return host, host.world.post.code


@pytest.mark.parametrize("seconds", [1, 100, 179])
def test_a_code_lives_no_longer_for_metadata_that_says_it_was_made_later(seconds):
    """The time of issue is part of what the code is derived from, so another time is another code."""
    host, code = a_sign_in()
    host.world.clock.advance(seconds)
    made, now = host.pending[0], int(host.world.clock.now())
    host.pending[:] = [evolve(made, metadata=made.metadata.replace(f"issued={now - seconds}", f"issued={now}"))]
    host.answers("00000000")
    assert host.pending[0].public["error"] == "wrong"
    host.world.clock.advance(180 - seconds)

    assert not host.verify(code).right


def test_a_kept_code_stays_good_after_a_wrong_answer():
    """With metadata as Create wrote it, the mailed code is the one that counts."""
    host, code = a_sign_in()
    host.answers("00000000")

    assert host.verify(code).right
    assert 1 == len(host.world.post.sent)
