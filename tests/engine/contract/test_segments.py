"""How many parts an SMS has, compared with another implementation of the alphabet and with parts that are really cut."""

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from watchword.contract import SmsSize

CODEC = Codec()


def septets(text):
    """What the library packs *text* into; None if it cannot."""
    try:
        return len(CODEC.encode(text)[0])
    except UnicodeError:
        return None


def test_each_character_takes_what_the_library_says():
    """All scripts of the alphabet and far beyond: who is in it, who needs an escape, and who makes the text UCS-2."""
    differing = []
    for number in range(0x3000):
        character = chr(number)
        size, theirs = SmsSize.of(character), septets(character)
        ours = size.units if size.alphabet == "GSM-7" else None
        if ours != theirs:
            differing.append((hex(number), ours, theirs))
    assert [("0x1b", None, 1)] == differing  # the escape alone: no character of a text


@given(st.characters(min_codepoint=0x3000, exclude_categories=()))
def test_no_character_beyond_is_in_the_alphabet(character):
    """Nor does the library think so."""
    assert (SmsSize.of(character).alphabet, septets(character)) == ("UCS-2", None)


@given(st.text("abcé€{~\u05e9\u4e16\U0001f600", max_size=700))
def test_parts_are_those_into_which_the_text_is_cut(text):
    """Greedily, no character in two: each part is full but for what the next character did not fit into."""
    size = SmsSize.of(text)
    theirs = septets(text)
    assert (size.alphabet == "GSM-7") == (theirs is not None)
    assert size.units == (len(text.encode("utf-16-be")) // 2 if theirs is None else theirs)
    alone, several = (160, 153) if theirs is not None else (70, 67)
    if size.units <= alone:
        assert size.parts == 1
        return
    parts, rest = 0, text
    while rest:
        taken = next(
            count
            for count in range(len(rest), 0, -1)
            if (septets(rest[:count]) if theirs is not None else len(rest[:count].encode("utf-16-be")) // 2) <= several
        )
        parts, rest = parts + 1, rest[taken:]
    assert size.parts == parts


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize("GSM-7", 0, 1)),
        ("a" * 160, SmsSize("GSM-7", 160, 1)),
        ("a" * 161, SmsSize("GSM-7", 161, 2)),
        ("a" * 306, SmsSize("GSM-7", 306, 2)),
        ("a" * 307, SmsSize("GSM-7", 307, 3)),
        ("€" * 80, SmsSize("GSM-7", 160, 1)),
        ("€" * 153, SmsSize("GSM-7", 306, 3)),
        ("ş" * 70, SmsSize("UCS-2", 70, 1)),
        ("ş" * 71, SmsSize("UCS-2", 71, 2)),
        ("ş" * 134, SmsSize("UCS-2", 134, 2)),
        ("ş" * 135, SmsSize("UCS-2", 135, 3)),
        ("\U0001f600" * 35, SmsSize("UCS-2", 70, 1)),
        ("\U0001f600" * 67, SmsSize("UCS-2", 134, 3)),
    ],
)
def test_the_numbers_of_the_standard(text, size):
    """160 and 153, 70 and 67; 67 is odd, so a pair of surrogates leaves a unit of each part empty."""
    assert size == SmsSize.of(text)


def test_the_characters_that_make_a_text_dear_are_told():
    """Each once, in the order of the text: who shortens it looks for them."""
    assert ("ęł", "") == (SmsSize.of("cię, ale nie łał, ę").outside, SmsSize.of("né à l'ö€").outside)
