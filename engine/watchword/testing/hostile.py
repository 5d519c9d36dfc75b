"""Hostile answers and attributes, for tests."""

from __future__ import annotations

import json
from typing import Any

from watchword.contract.typed_codes import visible_characters


class _Agreeable(str):
    """A text that says of itself that it equals everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


_PLAIN: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 10**100, 0.0, float("nan"), float("inf")),
    *(b"", b"12345678", [], {}, (), frozenset[str](), object(), [""], [None], {"$ne": ""}, {"answer": True}),
    *("", " ", "   ", "\t", "\r\n", "-", "--------", "\0", "\u200b", "\ufeff", "\u202e", "\ud800", "\U0001f600", "é"),
    *("0", "00000000", "-1", "+12345678", "1e8", "0x10", "1_000_000", "1,000,000", "12345678.0", "١٢٣٤٥٦٧٨"),
    *("null", "None", "undefined", "true", "false", "NaN", "[]", "{}", "__CORRECT__", "digest", "answer"),
    *(".*", "%", "*", "_", "^", "[0-9]+", "' OR '1'='1", '{"$ne": null}', "${code}", "$code", "{0}", "{code}"),
    *(
        "%s",
        "{{7*7}}",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "a\nb",
        "x" * 1025,
        "1" * 100_000,
        "[" * 100_000,
    ),
    " " * 2000,
)
"""Hostile answers that have nothing to do with the right one."""

_LOOK_ALIKE = {
    **{digit: chr(0xFF10 + value) for value, digit in enumerate("0123456789")},
    **dict(zip("AaBCcEeHIiKMOoPpSsTXxYy", "АаВСсЕеНІіКМОоРрЅѕТХхУу", strict=True)),  # noqa: RUF001 - that is the point
}


def hostile_answers(right: str) -> tuple[Any, ...]:
    """Return at least 60 wrong answers, of any type, to a challenge whose right answer is *right*.

    Among them are texts that come close: parts of the right answer, the right answer with something added, several
    answers in one, look-alikes from other scripts, and the right answer in another type. A text that differs from
    *right* in case, in hyphens or in what nobody sees alone is not among them: a kind may take it for right.
    """
    near: list[Any] = [
        right[:-1],
        right[1:],
        right[::-1],
        right + right,
        right * 1000,
        *(f"{right}{mark}" for mark in ("0", "\0", ".0", ",", ";", "e0", "\u2010", "\u0301", "=", "'", "\0junk")),
        *(f"{mark}{right}" for mark in ("0", "+", "=", "\u2013", "\u00b7", "\u0301")),
        *(f'"{right}"', f"[{right}]", f"{{{right}}}", f"{right}|.*", f"{right},00000000", f"00000000,{right}"),
        "_".join(right),
        ",".join(right),
        "\u2010".join(right) + "\u2010",
        "".join(chr(0xFF01 + ord(c) - 0x21) if "!" <= c <= "~" else c for c in right),
        "".join(_LOOK_ALIKE.get(c, c) for c in right),
        *("\u017f" + right[1:], "\u0131" + right[1:], "\u212a" + right[1:]),  # long s, dotless i, KELVIN SIGN
        json.dumps({"answer": right}),
        json.dumps([right]),
        ",".join(f"{number:08}" for number in range(1000)) + f",{right}",
        *([right], (right,), {right: True}, {"answer": right}, right.encode("utf-8", "replace"), ["x", right]),
        _Agreeable("agreeable"),
    ]
    if right.isascii() and right.isdigit():
        near += [int(right), float(right), str((int(right) + 1) % 10 ** len(right)).zfill(len(right))]
        near += [right.translate({48 + n: base + n for n in range(10)}) for base in (0x660, 0x966, 0xFF10, 0x1D7CE)]
    near += [
        right.replace(plain, odd)
        for plain, odd in (("S", "\u017f"), ("I", "\u0131"), ("K", "\u212a"), ("s", "\u017f"), ("k", "\u212a"))
    ]
    return tuple(one for one in (*_PLAIN, *near) if not (isinstance(one, str) and _folded(one) == _folded(right)))


def _folded(text: str) -> str:
    """Return *text* in the widest reading that a kind may take: only what is seen, no hyphens, one case."""
    kept = visible_characters("".join(text.split()))
    return "".join(c.upper() if c.isascii() else c for c in kept)


HOSTILE_ADDRESSES = (
    *("", " ", "@", "ann", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@example.com@evil.com"),
    *("ann@example.com\r\nBcc: eve@evil.com", "ann@example.com\n", "ann@example.com\r", "\nann@example.com"),
    *("ann@example.com\x85", "ann@example.com\u2028", "ann@example.com\x0b", "ann@example.com\0", "ann\0@example.com"),
    *("ann@example.com,eve@evil.com", "ann@example.com;eve@evil.com", "ann@example.com eve@evil.com"),
    *("Ann <ann@example.com>", "<ann@example.com>", "ann@example.com(comment)", "ann(x)@example.com"),
    *(
        '"eve@evil.com"@example.com',
        '"ann"@example.com',
        "friends:ann@example.com,eve@evil.com;",
        "=?utf-8?q?ann?=@example.com\n",
    ),
    *("victim＠evil.com", "ann@exämple.com", "änn@example.com", "ann@ex\u0430mple.com", "ann@example。com"),  # noqa: RUF001
    *(
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "ann@-example.com",
        "ann@example-.com",
        "ann@example..com",
        "ann@.example.com",
    ),
    *("ann@example.com.", ".ann@example.com", "ann.@example.com", "a..nn@example.com", "ann%evil.com@example.com"),
    *(
        "evil.com!ann@example.com",
        "ann%0d%0abcc@example.com",
        "ann @example.com",
        "ann@ example.com",
        "ann\\@example.com",
    ),
    *(
        "a" * 65 + "@example.com",
        "ann@" + "a" * 64 + ".com",
        "ann@" + "a." * 130 + "com",
        "a" * 100_000 + "@example.com",
    ),
    *("{{7*7}}@example.com\u202e", "mailto:ann@example.com", "ann@example.com?bcc=eve@evil.com", "/etc/passwd"),
)
"""Texts that are not exactly one plain address."""

HOSTILE_TEXTS = (
    *("", "\0", "\r\nBcc: eve@evil.com", "\u2028", "../../etc/passwd", "/etc/passwd", "..\\..\\win.ini", "en/../de"),
    *("${code}", "$code", "{user.__class__}", "{{7*7}}", "{% raw %}", "%(code)s", "<img src=x onerror=alert(1)>"),
    *("\u202etxt", "x" * 100_000, "\ud800", "de\0", "EN-\u0130", "http://evil.com/", "a" * 36, "-", "_", "__class__"),
)
"""Texts for attributes that end up in messages, names of files or logs."""

HOSTILE_NUMBERS = (
    *("", " ", "+", "0", "+0", "+1", "15555550100", "0015555550100", "+0155555501", "+155555", "+1555555501000000"),
    *("+15555550100\r\n+15555550199", "+15555550100\n", "\n+15555550100", "+15555550100\0", "+15555550100\u2028"),
    *(
        "+15555550100,+15555550199",
        "+15555550100;+15555550199",
        "+15555550100 +15555550199",
        "+15555550100+15555550199",
    ),
    *(
        "+1 555 555 0100",
        "+1-555-555-0100",
        "+1(555)5550100",
        "+1.555.555.0100",
        "+15555550100x1",
        "+15555550100;ext=1",
    ),
    *(
        "tel:+15555550100",
        "sms:+15555550100",
        "++15555550100",
        "\uff0b15555550100",
        "\u202d+15555550100",
        "+15555550100\u202c",
    ),
    *(
        "+1555555010\uff10",
        "+1555555010\u0660",
        "+1555555010\u00b2",
        "+1555555010O",
        "+1e10",
        "+1_555_555_0100",
        "-15555550100",
    ),
    *("ann@example.com", "arn:aws:sns:eu-west-1:123456789012:topic", "None", "null", "{{7*7}}", "+" + "1" * 100_000),
)
"""Telephone numbers that are none in E.164, or more than one, though something may read one there."""
