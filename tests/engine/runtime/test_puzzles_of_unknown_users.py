"""A puzzle asks who is a person, not who exists: somebody unknown who solves it goes on like anybody else."""

import pytest

from kit.engine_host import ANN, Host, Mail, Puzzle, Riddle, world
from watchword import FailAuthentication, Flow, User, named, sequence
from watchword.runtime.creation import CreatedChallenge

KNOWN, NOBODY = User("ann", ANN), User("nobody", {}, known=False)


@pytest.mark.parametrize("user", [KNOWN, NOBODY])
def test_a_solved_puzzle_leads_to_the_next_step_for_all(user):
    """Otherwise whoever solves one puzzle for a name is told whether it exists."""
    host = Host(world(Flow(sequence(Puzzle(), Mail()))), user)
    host.next()
    asked = host.answers("fish")

    assert isinstance(asked, CreatedChallenge)
    assert "mail" == asked.public["step"]


def test_nobody_unknown_passes_a_factor():
    """What proves something is never right for somebody who does not exist."""
    host = Host(world(Flow(sequence(Riddle(), named("later", Riddle())))), NOBODY)
    host.next()

    assert not host.verify("fish").right


def test_nobody_unknown_is_issued_tokens_for_puzzles():
    """However many are solved."""
    host = Host(world(Flow(sequence(Puzzle(), named("another", Puzzle())))), NOBODY)
    host.next()
    host.answers("fish")

    assert FailAuthentication("unknown_user") == host.answers("fish")


def test_a_puzzle_of_nobody_is_solved_once():
    """In one round, as anybody's."""
    host = Host(world(Flow(sequence(Puzzle(), Mail()))), NOBODY)
    host.next()

    assert host.verify("fish").right
    assert not host.verify("bird").right


def test_nobody_is_mailed_behind_a_puzzle():
    """The way is the same, the message is not sent."""
    host = Host(world(Flow(sequence(Puzzle(), Mail()))), NOBODY)
    host.next()
    host.answers("fish")

    assert [] == host.world.post.sent
