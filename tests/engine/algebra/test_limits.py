"""Budgets read as they are written, and a bad one is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.engine_host import Puzzle, Riddle
from watchword import ConfigurationError, Flow, Limits
from watchword.algebra.limits import format_limit, parse_limit
from watchword.contract.ports import Limit


def step_of(kind):
    """The step of a flow that asks for *kind* alone."""
    (step,) = Flow(kind).steps.values()
    return step


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10/day", Limit(10, 86400)),
        ("3/15min", Limit(3, 900)),
        ("5/h", Limit(5, 3600)),
        ("20/30s", Limit(20, 30)),
        ("1/s", Limit(1, 1)),
        ("999999/99999day", Limit(999999, 99999 * 86400)),
    ],
)
def test_a_limit_reads_as_it_is_written(text, limit):
    """A count, a slash, a span: seconds, minutes, hours or days."""
    assert parse_limit(text) == limit


@given(
    st.integers(1, 999_999),
    st.integers(1, 99_999),
    st.sampled_from([("s", 1), ("min", 60), ("h", 3600), ("day", 86400)]),
)
def test_every_limit_in_bounds_is_read(count, number, unit):
    """The product of number and unit, in seconds."""
    word, seconds = unit
    limit = Limit(count, number * seconds)
    assert parse_limit(f"{count}/{number}{word}") == limit
    assert parse_limit(format_limit(limit)) == limit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "10/",
        "/day",
        "0/day",
        "-1/day",
        "+1/day",
        "01/day",
        "10/0min",
        "10/day ",
        " 10/day",
        "10 /day",
        "10/days",
        "10/m",
        "10/DAY",
        "10/1.5h",
        "1e3/day",
        "10/day\n",
        "10/day,5/h",
        "\u0661\u0660/day",
        "10/\u0661day",
        10,
        None,
        True,
        b"10/day",
        ("10/day",),
    ],
    ids=repr,
)
def test_what_is_no_limit_is_refused(text):
    """Nothing is guessed: no spaces, no plurals, no digits beyond ASCII, no zero."""
    with pytest.raises(ConfigurationError, match=r"is no limit: write a count, a slash and a span, such as '10/day'"):
        parse_limit(text)


def test_a_budget_takes_a_text_a_limit_or_a_list_of_either():
    """The value is always a tuple of limits."""
    wanted = (Limit(5, 3600),)
    assert Limits(guesses="5/h").guesses == wanted
    assert Limits(guesses=Limit(5, 3600)).guesses == wanted
    assert Limits(guesses=["5/h"]).guesses == wanted
    assert Limits(messages=("5/h", Limit(1, 60))).messages == (*wanted, Limit(1, 60))
    assert Limits(messages=["5/h", "6/day"]).messages == (*wanted, Limit(6, 86400))


def test_the_defaults_are_those_of_the_documentation():
    """10 guesses a day; 3 messages in 15 minutes, 5 an hour, 10 a day."""
    assert Limits() == Limits(guesses="10/day", messages=["3/15min", "5/h", "10/day"])


@pytest.mark.parametrize("budget", ["guesses", "messages"])
def test_a_budget_needs_a_limit(budget):
    """An empty list would be no limit at all."""
    for empty in ([], ()):
        with pytest.raises(ConfigurationError, match=rf"limits\.{budget} is empty: a budget needs one limit"):
            Limits(**{budget: empty})


@pytest.mark.parametrize("budget", ["guesses", "messages"])
@pytest.mark.parametrize("value", [None, 10, True, {"day": 10}, {"10/day"}, object], ids=repr)
def test_a_budget_that_is_no_list_is_refused(budget, value):
    """A set has no order, a number no span."""
    with pytest.raises(ConfigurationError, match=r"is no limit: write text such as '10/day', or a list of such texts"):
        Limits(**{budget: value})


@pytest.mark.parametrize("value", [b"10/day", [10], [None], ["10/day", "often"]], ids=repr)
def test_every_entry_of_a_list_is_read(value):
    """One bad entry is enough."""
    with pytest.raises(ConfigurationError, match="is no limit: write a count"):
        Limits(guesses=value)


@pytest.mark.parametrize("value", ["101/day", "101/s", ["5/h", "1000/day"], Limit(101, 1)], ids=repr)
def test_no_setting_allows_more_than_a_hundred_guesses(value):
    """NIST SP 800-63B-4 3.2.2: not to be raised by configuration."""
    with pytest.raises(ConfigurationError, match=r"limits\.guesses allows (101|1000) guesses, at most 100 are allowed"):
        Limits(guesses=value)


def test_the_ceiling_itself_is_allowed_and_holds_for_guesses_only():
    """Messages have no such rule."""
    assert Limits(guesses="100/day").guesses == (Limit(100, 86400),)
    assert Limits(messages="1000/h").messages == (Limit(1000, 3600),)


def test_whatever_the_window_a_day_has_at_most_a_hundred_guesses():
    """NIST SP 800-63B-4 3.2.2: neither short windows nor the two budgets of a kind add up to more than the ceiling."""
    assert Limits(guesses="5/h").guesses_at(step_of(Riddle())) == (Limit(5, 3600), Limit(50, 86_400))
    assert Limits(guesses="100/day").guesses_at(step_of(Riddle())) == (Limit(100, 86_400), Limit(50, 86_400))


@pytest.mark.parametrize(
    ("bits", "charged"), [(None, True), (10, True), (63.9, True), (64, False), (128, False), (-1, True), (2000, False)]
)
def test_what_has_64_bits_or_proves_nothing_is_charged_nothing(bits, charged):
    """NIST SP 800-63B-4 3.1.3 asks for a limit below 64 bits; beyond, it would only let strangers lock somebody out."""

    class Drawn(Riddle):
        def guess_probability(self):
            return 1.0 if bits is None else 2.0**-bits

    assert charged == bool(Limits().guesses_at(step_of(Drawn())))
    assert () == Limits().guesses_at(step_of(Puzzle()))


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "3", None])
def test_a_limit_counts_whole_things_in_whole_seconds(wrong):
    """A limit of nothing, or of no time, is none."""
    with pytest.raises(ConfigurationError, match="count"):
        Limit(wrong, 60)
    with pytest.raises(ConfigurationError, match="seconds"):
        Limit(1, wrong)


@pytest.mark.parametrize(
    "text", ["1000000/day", "9999999999999999999999999/s", "1/100000s", "1/99999999999999999999day"]
)
def test_a_limit_that_is_too_large_says_which_part(text):
    """The form is right; the number is not."""
    with pytest.raises(ConfigurationError, match=r"allows \d+: at most 999999|is over \d+ \w+: at most 99999"):
        parse_limit(text)
