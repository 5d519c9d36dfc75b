"""How many parts an SMS has (3GPP TS 23.038 and 23.040): carriers are paid for each."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

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
    """What a text takes as an SMS: its *alphabet*, its *units* (septets, or UTF-16's units) and its *parts*.

    *outside* are the characters that are not in the GSM 7-bit alphabet, in the order of the text, each once: one of them makes the
    whole text UCS-2.
    """

    alphabet: Alphabet
    units: int
    parts: int
    outside: str = field(default="", eq=False)

    @classmethod
    def of(cls, text: str) -> SmsSize:
        """Return what *text* takes.

        No character is cut in two: an escape and what follows it, and a surrogate pair, are in one part.
        """
        outside = "".join(each for each in dict.fromkeys(text) if each not in _BASIC | _EXTENDED)
        alphabet: Alphabet = "UCS-2" if outside else "GSM-7"
        widths = [_width(character, alphabet) for character in text]
        units = sum(widths)
        if units <= _ALONE[alphabet]:
            return cls(alphabet, units, 1, outside)
        parts, room = 1, _IN_PARTS[alphabet]
        for width in widths:
            if width > room:
                parts, room = parts + 1, _IN_PARTS[alphabet]
            room -= width
        return cls(alphabet, units, parts, outside)


def _width(character: str, alphabet: Alphabet) -> int:
    if alphabet == "GSM-7":
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1
