"""Unknown users: whether a stranger sees a difference, and where."""

from kit.engine_host import Mail, Puzzle, Riddle
from watchword import Flow, attribute, client, explore, named, one_of, sequence, when
from watchword.analysis.rules.user_enumeration import VisibleDifference, first_difference
from watchword_plugins.srp import Srp

TIER = attribute("custom:tier", "gold")
APP = client("app")


def difference(*blocks):
    """Return the first difference in a sequence of *blocks*."""
    return first_difference(explore(Flow(sequence(*blocks))))


def test_without_a_condition_on_an_attribute_all_are_asked_alike():
    """The app client is the same for known and unknown users."""
    assert difference(Riddle()) is None
    assert difference(when(APP, Puzzle(), Riddle()), Mail()) is None


def test_a_condition_at_the_beginning_shows_at_once():
    """Who has the attribute is asked something else before anything is answered."""
    assert VisibleDifference((True,), ()) == difference(when(TIER, Riddle(), Mail()))
    assert VisibleDifference((True,), ()) == difference(when(TIER, Riddle()), Mail())


def test_behind_a_factor_no_stranger_sees_a_difference():
    """Nobody comes behind a password or a riddle who does not know it; nobody unknown does at all."""
    assert difference(Srp(), when(TIER, Riddle(), Mail())) is None
    assert difference(Riddle(), when(TIER, Mail())) is None


def test_behind_a_puzzle_everybody_sees_it():
    """A CAPTCHA keeps nobody from looking."""
    assert VisibleDifference((True,), ("puzzle+",)) == difference(Puzzle(), when(TIER, Riddle(), Mail()))


def test_tries_choices_and_the_opening_are_seen():
    """`attempts_left`, the options, and whether SRP_A is taken are part of what a client sees."""
    fewer = when(TIER, Riddle(attempts=2), named("riddle2", Riddle(attempts=3)))
    assert difference(fewer) is not None
    assert VisibleDifference((True,), ()) == difference(one_of(Mail(), when(TIER, Riddle(), Puzzle())))
    assert VisibleDifference((True,), ()) == difference(when(TIER, sequence(Srp(), Riddle()), Mail()))


def test_the_shortest_of_several_is_told():
    """With two conditions the one that shows first is named."""
    other = attribute("custom:desk", "yes")
    found = difference(Puzzle(), when(TIER, named("one", Puzzle())), when(other, named("two", Riddle()), Mail()))
    assert 1 == len(found.session)
