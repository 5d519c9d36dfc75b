"""Read typed answers: codes, in which spaces and hyphens do not count, and answers that come with an access token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast

from watchword.errors import ConfigurationError

LONGEST = 1024
"""The longest answer that is read, in characters."""

_UNSEEN = (
    "0009-000D 0020 0085 00A0 1680 2000-200A 2028-2029 202F 205F 3000 "  # tab, line ends, spaces, no-break space
    "00AD 034F 061C 180B-180F "  # soft hyphen, joiners, marks of direction
    "200B-200F 202A-202E 2060-206F FE00-FE0F FEFF"  # and the byte order mark
)
# Written out: what Python takes for white space or for a format character differs between its versions.
_RANGES = [[int(end, 16) for end in span.split("-")] for span in _UNSEEN.split()]
_DROPPED = {ord("-"): None, **{code: None for ends in _RANGES for code in range(ends[0], ends[-1] + 1)}}

Case = Literal["upper", "lower", "keep"]
_CASES: Mapping[Case, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "keep": str}


def typed_code(answer: object, *, case: Case = "upper") -> str | None:
    """Return the code that somebody has typed or pasted as *answer*, or None if it can be none.

    What nobody sees does not count, wherever it is: spaces, tabs, line ends, no-break and zero-width characters, the byte
    order mark. Neither do hyphens. What is seen counts. Letters become *case*: "upper", "lower", or "keep" for as typed.

    The code has 1 to 1,024 characters of ASCII. Anything else is None: no text, a longer one, or a sign of another script.

    Raises:
        ConfigurationError: if *case* is none of the three.
    """
    if case not in _CASES:
        raise ConfigurationError('typed_code: case must be "upper", "lower" or "keep"')
    # Length first: no work for a huge text. ASCII before case: str.upper() makes S of a long s, K of the KELVIN SIGN.
    if not isinstance(answer, str) or len(answer) > LONGEST:
        return None
    code = visible_characters(answer)
    if not code or not code.isascii():
        return None
    return _CASES[case](code)


def visible_characters(text: str) -> str:
    """Return *text* without the characters that nobody sees, and without hyphens."""
    # A subclass may say of itself what it likes; this is always a plain text.
    return str.translate(text, _DROPPED)


def write_token_answer(token: str, answer: str) -> str:
    """Return *answer* with the access *token* of whoever gives it, as a client sends both."""
    import json  # noqa: PLC0415 - who defines reads no answers

    return json.dumps({"jwt": token, "secretCode": answer})


def read_token_answer(text: object) -> tuple[str, str]:
    """Return the token and the answer in *text*; both empty if it is anything but what `write_token_answer` writes."""
    import json  # noqa: PLC0415 - who defines reads no answers

    try:
        said: object = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):  # ValueError: no JSON, or a number of 5000 digits
        return "", ""
    fields = cast("dict[str, object]", said) if isinstance(said, dict) else {}
    token, answer = fields.get("jwt"), fields.get("secretCode")
    return (token, answer) if isinstance(token, str) and isinstance(answer, str) else ("", "")
