"""Typed codes: what of an answer counts, for every kind that asks people to type or paste one."""

from __future__ import annotations

from typing import Literal

from watchword.errors import ConfigurationError

LONGEST = 1024
"""Characters of an answer that is looked at."""

_RANGES = (
    *(
        (0x09, 0x0D),
        (0x20, 0x20),
        (0x85, 0x85),
        (0xA0, 0xA0),
        (0x1680, 0x1680),
    ),  # tab, line ends, spaces, no-break space
    *((0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
    *((0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C), (0x180B, 0x180F)),  # soft hyphen, joiners, marks of direction
    *(
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
    ),  # and the byte order mark
)
# Written out: what Python takes for white space or for a format character differs between its versions.
_UNSEEN = {code: None for first, last in _RANGES for code in range(first, last + 1)}
_DROPPED = {**_UNSEEN, ord("-"): None}

Case = Literal["upper", "lower", "keep"]


def typed_code(answer: object, *, case: Case = "upper") -> str | None:
    """Return the code that somebody has typed or pasted as *answer*, or None if it can be none.

    What nobody sees does not count, wherever it is: spaces, tabs, line ends, no-break and zero-width characters, the byte
    order mark. Neither do hyphens. What is seen counts. Letters become *case*: "upper", "lower", or "keep" for as typed.

    The code has 1 to 1,024 characters of ASCII. Anything else is None: no text, a longer one, or a sign of another script.

    Raises:
        ConfigurationError: if *case* is none of the three.
    """
    if case not in {"upper", "lower", "keep"}:
        raise ConfigurationError('typed_code: case must be "upper", "lower" or "keep"')
    # Length first: no work for a huge text. ASCII before case: str.upper() makes S of a long s, K of the KELVIN SIGN.
    if not isinstance(answer, str) or len(answer) > LONGEST:
        return None
    code = visible_characters(answer)
    if not code or not code.isascii():
        return None
    match case:
        case "upper":
            return code.upper()
        case "lower":
            return code.lower()
        case _:
            return code


def visible_characters(text: str) -> str:
    """Return *text* without what does not count in a typed code."""
    # A subclass may say of itself what it likes; this is always a plain text.
    return str.translate(text, _DROPPED)
