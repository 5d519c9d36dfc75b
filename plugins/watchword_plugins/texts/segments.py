"""How many parts an SMS has (3GPP TS 23.038 and 23.040): carriers are paid for each."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

# 3GPP TS 23.038 6.2.1, the default alphabet, without the escape.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 6.2.1.1, the extension table: an escape and another septet.
_EXTENDED = frozenset("\f^{}\\[~]|€")

# 140 octets a part; a part of several has a header of six (3GPP TS 23.040 9.2.3.24.1).
_ALONE = {"GSM-7": 160, "UCS-2": 70}
_IN_PARTS = {"GSM-7": 153, "UCS-2": 67}

Alphabet = Literal["GSM-7", "UCS-2"]


@frozen
class SmsSize:
    """What a text takes: its *alphabet*, its *units* (septets, or UTF-16's units) and its *parts*."""

    alphabet: Alphabet
    units: int
    parts: int


def size_of(text: str) -> SmsSize:
    """Return what *text* takes as an SMS.

    One character outside the default alphabet makes the whole text UCS-2. No character is cut in two: an escape and what follows it,
    and a surrogate pair, are in one part.
    """
    alphabet: Alphabet = "GSM-7" if set(text) <= _BASIC | _EXTENDED else "UCS-2"
    widths = [_width(character, alphabet) for character in text]
    units = sum(widths)
    if units <= _ALONE[alphabet]:
        return SmsSize(alphabet, units, 1)
    parts, room = 1, _IN_PARTS[alphabet]
    for width in widths:
        if width > room:
            parts, room = parts + 1, _IN_PARTS[alphabet]
        room -= width
    return SmsSize(alphabet, units, parts)


def _width(character: str, alphabet: Alphabet) -> int:
    if alphabet == "GSM-7":
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1
