"""The validators of settings: they take what they say, and name what they refuse."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from attrs import field, frozen

from watchword.contract.validators import choice, flag, line, refused, whole_number
from watchword.errors import ConfigurationError


@frozen
class Sample:
    kind: ClassVar[str] = "sample"

    count: int = field(default=2, validator=whole_number(1, 3))
    shape: str = field(default="round", validator=choice("round", "square"))
    open: bool = field(default=True, validator=flag())
    title: str = field(default="", validator=line(5))


@frozen
class Nameless:
    count: int = field(default=2, validator=whole_number(1, 3))


@pytest.mark.parametrize(
    "given", [{"count": 1}, {"count": 3}, {"shape": "square"}, {"open": False}, {"title": "äbcde"}]
)
def test_good_settings_pass(given: dict[str, Any]) -> None:
    """Bounds are good themselves, and so is every word of a choice."""
    Sample(**given)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("count", (0, 4, -1, True, 2.0, "2", None, float("nan"), 10**100), "must be a whole number from 1 to 3"),
        ("shape", ("", "ROUND", None, 1, "x" * 1000, ["round"]), 'must be "round" or "square"'),
        ("open", (0, 1, "true", None), "must be true or false"),
        ("title", ("123456", "a\nb", "a\0", "\u202e", "\u2028", None, 5, b"a"), "must be one line of at most 5"),
    ],
)
def test_bad_settings_are_named(name: str, values: tuple[Any, ...], told: str) -> None:
    """The error names owner, setting and remedy, on one line of bounded length."""
    for value in values:
        with pytest.raises(ConfigurationError) as error:
            Sample(**{name: value})
        assert str(error.value).startswith(f"sample: {name} {told}")
        assert len(str(error.value)) < 120


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"count": "2"}, "'2'"),
        ({"count": 2.5}, "2.5"),
        ({"count": float("nan")}, "nan"),
        ({"count": 10**5000}, "int"),
        ({"count": None}, "None"),
        ({"count": ["a"]}, "list"),
        ({"shape": "circle"}, "'circle'"),
        ({"shape": "x" * 1000}, f"'{'x' * 39}"),
        ({"open": "yes"}, "'yes'"),
        ({"open": 1}, "1"),
    ],
)
def test_what_was_written_is_shown(given: dict[str, Any], shown: str) -> None:
    """A text in place of a number is told as such, to people who know no types of Python."""
    with pytest.raises(ConfigurationError) as error:
        Sample(**given)
    assert str(error.value).endswith(f", not {shown}")


def test_a_class_without_a_kind_is_named_itself() -> None:
    """Where there is no name of a kind, the class is named."""
    with pytest.raises(ConfigurationError, match="Nameless: count must"):
        Nameless(count=0)


def test_numbers_that_are_refused_are_shown() -> None:
    """The error shows the number that was given, but nothing long."""
    with pytest.raises(ConfigurationError, match=r"not 7$"):
        Sample(count=7)
    with pytest.raises(ConfigurationError, match=r"not int$"):
        Sample(count=10**100)


def test_plugins_refuse_in_the_same_words() -> None:
    """A validator of one's own makes its error with `refused`."""
    assert str(refused(Sample(), type("A", (), {"name": "count"})(), "is odd")) == "sample: count is odd"
