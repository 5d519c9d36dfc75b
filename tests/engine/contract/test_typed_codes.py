"""Typed codes: what nobody sees does not count, what is seen does, and nothing raises."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, typed_code
from watchword.contract.typed_codes import LONGEST, visible_characters

UNSEEN = [
    *(
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x85",
        "\u00a0",
        "\u2028",
        "\u2029",
        "\u2007",
        "\u202f",
        "\u3000",
    ),
    *(
        "\u200b",
        "\u200c",
        "\u200d",
        "\u200e",
        "\u200f",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u202a",
        "\u202c",
        "\u2066",
        "\u2069",
    ),
    *("-", "--", " - "),
]
SEEN = [
    *"_.,+/'0Z=",
    "\0",
    "\x1f",
    "\x7f",
    "\u2010",
    "\u2011",
    "\u2013",
    "\u2212",
    "\u00b7",
    "\u0301",
    "\uff11",
    "\u0661",
    "\u017f",
    "\u212a",
]


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_is_not_seen_does_not_count(unseen):
    """Before, behind, inside, between all symbols, and many times over."""
    for text in (f"{unseen}AB12", f"AB12{unseen}", f"AB{unseen}12", unseen.join("AB12"), unseen * 99 + "AB12"):
        assert "AB12" == typed_code(text)


@pytest.mark.parametrize("sign", SEEN)
def test_what_is_seen_counts(sign):
    """A visible sign makes another code of it, or none."""
    for text in (f"{sign}AB12", f"AB12{sign}", f"AB{sign}12"):
        assert "AB12" != typed_code(text)


def test_of_all_characters_only_the_unseen_are_left_out():
    """Each of Unicode: what is left out is a hyphen, white space, or has no glyph; digits and letters never are."""
    left_out = {chr(code) for code in range(0x110000) if visible_characters(chr(code)) == ""}
    assert all(c == "-" or c.isspace() or unicodedata.category(c) in {"Cf", "Mn", "Cn"} for c in left_out)
    assert {c for c in map(chr, range(0x110000)) if c.isspace()} - left_out == set("\x1c\x1d\x1e\x1f")
    assert not any(c.isalnum() for c in left_out)


def test_letters_become_the_case_that_is_asked_for():
    """Upper by default; as typed if so wished. ASCII alone, so no other sign becomes a letter."""
    assert ["AB1", "AB1", "ab1", "aB1"] == [
        *(
            typed_code("aB-1"),
            typed_code("aB-1", case="upper"),
            typed_code("aB-1", case="lower"),
            typed_code("aB-1", case="keep"),
        )
    ]
    with pytest.raises(ConfigurationError, match="case must be"):
        typed_code("a", case="title")


@pytest.mark.parametrize(
    "answer", [None, 1, 1.5, True, b"12", ["1"], {"a": "1"}, "", " - ", "\u200b", "1" * (LONGEST + 1), "é", "\ud800"]
)
def test_what_can_be_no_code_is_none(answer):
    """No text, nothing seen, too long, or another script."""
    assert typed_code(answer) is None


@given(st.text(max_size=60), st.sampled_from(["upper", "lower", "keep"]))
def test_folding_twice_is_folding_once(text, case):
    """Whatever is typed: the outcome is ASCII without white space and hyphens, and stays as it is."""
    code = typed_code(text, case=case)
    if code is not None:
        assert code.isascii()
        assert not set(code) & set(" -\t\r\n")
        assert code == typed_code(code, case=case)
