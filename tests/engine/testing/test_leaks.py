"""A secret is found in every spelling that is as good as the secret itself, and not where it is by chance."""

from __future__ import annotations

import base64
import hashlib

import pytest

from watchword.testing.leaks import reveals

SECRET = "GXKQ7A"


@pytest.mark.parametrize(
    "text",
    [
        "the code is GXKQ7A.",
        "gxkq7a",
        SECRET[::-1],
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        *(hashlib.new(way, SECRET.encode()).hexdigest() for way in ("md5", "sha1", "sha256", "sha512")),
        hashlib.sha256(SECRET.lower().encode()).hexdigest().upper(),
        base64.b64encode(hashlib.sha256(SECRET.encode()).digest()).decode(),
        "data:image/png;base64," + base64.b64encode(b"\x89PNG tEXt GXKQ7A").decode(),
        base64.b64encode(b"\x89PNG" + bytes(300) + b"GXKQ7A").decode(),
    ],
)
def test_a_secret_is_found(text: str) -> None:
    """Plain, turned about, encoded, hashed without a key, or inside a picture."""
    assert reveals(text, SECRET)


@pytest.mark.parametrize(
    "text", ["", "GXKQ7", "G X K", "data:image/png;base64,!!", "data:image/png;base64,AAAA", "x" * 301]
)
def test_what_is_not_there_is_not_found(text: str) -> None:
    """Parts of a secret, and pictures without it, give nothing away."""
    assert not reveals(text, SECRET)


def test_a_short_secret_counts_as_a_word_alone() -> None:
    """Four characters are in many a digest by chance: they count where they stand alone."""
    assert reveals("answer: 4711", "4711")
    assert not reveals("0047110a", "4711")
