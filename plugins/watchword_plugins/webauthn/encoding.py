"""The encodings of Web Authentication, read strictly: base64url, JSON and CBOR that strangers send."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, cast

MOST_DEPTH = 8
"""Levels of CBOR. CTAP2 allows four; a compound attestation statement has two more, inside an attestation object."""

MOST_ITEMS = 1000
"""Items of CBOR. The longest attestation object of the W3C's vectors has 25."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_INTEGER, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7
_FALSE_TRUE_NULL = (20, 21, 22)
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def to_base64url(data: bytes) -> str:
    """Return *data* as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: object) -> bytes | None:
    """Return the bytes that *text* stands for, in either alphabet, padded or not; None if it is no such text.

    Clients differ: React Native pads, and some libraries write ``+`` and ``/``.
    """
    if not isinstance(text, str):
        return None
    bare = text.removesuffix("=").removesuffix("=").replace("+", "-").replace("/", "_")
    if not _BASE64URL.fullmatch(bare) or len(bare) % 4 == 1:
        return None
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def read_json_object(text: str | bytes) -> Mapping[str, Any] | None:
    """Return the JSON object of *text*; None if it is no JSON, no object, not UTF-8, too deep, or names a member twice."""
    try:
        read = cast(
            "object",
            json.loads(
                text.decode("utf-8-sig") if isinstance(text, bytes) else text,
                object_pairs_hook=_members,
                parse_constant=_refuse_constant,
            ),
        )
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        return None
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def end_of_cbor(data: bytes, start: int = 0) -> int | None:
    """Return where the item of CBOR that begins at *start* ends; None if it is none that Web Authentication may hold.

    The parser recurses, and takes text that is cut off, keys that come twice and kinds of items that it does not know. So
    this looks first: no item of indefinite length, no tag, no float, and keys are whole numbers or texts, each once.
    """
    scan = _Scan(data, start)
    try:
        scan.item(1)
    except (ValueError, IndexError):
        return None
    return scan.at


class _Scan:
    """A look through CBOR, which stops at the first thing that is wrong with a ValueError or an IndexError."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at
        self.items = 0

    def item(self, depth: int) -> None:
        """Pass one item and all that it holds."""
        self.items += 1
        if depth > MOST_DEPTH or self.items > MOST_ITEMS:
            raise ValueError("too deep, or too many items")
        first = self.data[self.at]
        self.at += 1
        major, more = first >> 5, first & 0b11111
        if major == _SIMPLE:
            if more not in _FALSE_TRUE_NULL:
                raise ValueError("a float, or an unknown simple value")
            return
        size = self._number(more)
        if major in {_BYTES, _TEXT}:
            self._text(size, decoded=major == _TEXT)
        elif major == _ARRAY:
            for _ in range(size):
                self.item(depth + 1)
        elif major == _MAP:
            self._pairs(size, depth + 1)
        elif major not in {_INTEGER, _NEGATIVE}:
            raise ValueError("a tag")

    def _number(self, more: int) -> int:
        if more < min(_LENGTHS):
            return more
        length = _LENGTHS.get(more)
        if length is None or self.at + length > len(self.data):
            raise ValueError("of indefinite length, or cut off")
        self.at += length
        return int.from_bytes(self.data[self.at - length : self.at], "big")

    def _text(self, size: int, *, decoded: bool) -> None:
        if self.at + size > len(self.data):
            raise ValueError("cut off")
        self.at += size
        if decoded:
            self.data[self.at - size : self.at].decode("utf-8")

    def _pairs(self, size: int, depth: int) -> None:
        keys = set[tuple[int, int | bytes]]()
        for _ in range(size):
            start = self.at
            if self.data[start] >> 5 not in {_INTEGER, _NEGATIVE, _TEXT}:
                raise ValueError("a key that is neither a whole number nor a text")
            self.item(depth)
            key = _key_in(self.data[start : self.at])
            if key in keys:
                raise ValueError("a key comes twice")
            keys.add(key)
            self.item(depth)


def _key_in(item: bytes) -> tuple[int, int | bytes]:
    """Return what the CBOR *item* of a key says, the same for all its encodings: a small number may be written in nine bytes too."""
    major, more = item[0] >> 5, item[0] & 0b11111
    end = 1 + _LENGTHS.get(more, 0)
    return major, item[end:] if major == _TEXT else int.from_bytes(item[1:end], "big") if more in _LENGTHS else more
