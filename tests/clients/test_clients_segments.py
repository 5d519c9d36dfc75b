"""Twilio's sms-segments-calculator as a second opinion on parts; `tests/clients/install` brings it. Each difference has its reason."""

from __future__ import annotations

import json
import random
import subprocess
import unicodedata
from pathlib import Path

import pytest

from kit.programs import find_node
from watchword.contract import SmsSize

pytestmark = pytest.mark.exhaustive

HERE = Path(__file__).parent
BITS = {"GSM-7": 7, "UCS-2": 16}
PLAIN = ("abcdefé \n", "abc€{}~^", "abcЖ世ש", "ab€\U0001f600", "\U0001f600", "€", "à\u00e7")
"""Characters that are each a character for a reader too."""
JOINED = (
    "ab\u0301",
    "a\U0001f468\u200d\U0001f469",
    "b\U0001f1e9\U0001f1ea",
    "x\u0308\U0001f600\ufe0f",
    "a\r\n\U0001f600",
)
"""Characters of which several are one for a reader: accents, families, flags, ends of lines."""


@pytest.fixture(scope="module")
def opinions():
    """What it says of many texts: one process for all."""
    find_node("sms-segments-calculator")
    draw = random.Random(20261129)
    texts = [chr(number) for number in range(0x11000) if not 0xD800 <= number < 0xE000]
    for symbols in PLAIN:
        texts += ["".join(draw.choices(symbols, k=draw.randrange(700))) for _ in range(150)]
        texts += [symbols[0] * length for length in (69, 70, 71, 134, 135, 152, 153, 154, 159, 160, 161, 306, 307)]
    joined = ["".join(draw.choices(symbols, k=draw.randrange(400))) for symbols in JOINED for _ in range(100)]
    ended = subprocess.run(
        ["node", HERE / "segments.mjs"],
        input=json.dumps([*texts, *joined]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    return tuple(zip(texts, told[: len(texts)], strict=True)), tuple(zip(joined, told[len(texts) :], strict=True))


def test_of_texts_without_joined_characters_it_says_the_same(opinions):
    """The alphabet, the bits and the parts; of each character alone, too."""
    plain, _ = opinions
    differing = []
    for text, told in plain:
        size = SmsSize.of(text)
        if [size.alphabet, size.units * BITS[size.alphabet], size.parts] != told:
            differing.append((text[:20], size, told))
    assert [] == differing


def test_of_joined_characters_it_cuts_none_in_two(opinions):
    """That may take more parts. A telephone puts parts together, so ours are cut by the units that the standard counts; the size is the same."""
    _, joined = opinions
    more = 0
    for text, (alphabet, bits, parts) in joined:
        size = SmsSize.of(text)
        assert (alphabet, bits) == (size.alphabet, size.units * BITS[size.alphabet]), text
        assert size.parts <= parts <= size.parts + 1, text
        more += parts > size.parts
        if parts > size.parts:
            assert any(unicodedata.combining(each) or ord(each) > 0xFFFF or each in "\u200d\ufe0f\r" for each in text)
    assert 0 < more < len(joined) / 2
