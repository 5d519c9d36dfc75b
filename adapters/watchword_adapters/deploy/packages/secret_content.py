"""Recognise databases, private keys and credentials by their content."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_PATTERNS = {
    "a private key": re.compile(
        rb"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY( BLOCK)?-----|PuTTY-User-Key-File-|AGE-SECRET-KEY-1"
        rb"|\"[dk]\"\s{0,9}:\s{0,9}\"[A-Za-z0-9_-]{22,}\""  # JWK (RFC 7517), private and symmetric
    ),
    "an AWS access key": re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "an AWS secret": re.compile(
        rb"(?:aws_?)?secret_?(?:access_?)?key[\"']?\s{0,9}[=:]\s{0,9}[\"']?[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])",
        re.IGNORECASE,
    ),
    "a Watchword key": re.compile(rb"WATCHWORD_(?:ROOT_)?KEY[\"'\s\]=:,]{1,12}[A-Za-z0-9+/]{40,}={0,2}"),
    "a client's secret": re.compile(rb"[\"']client_secret[\"']\s{0,9}:\s{0,9}[\"'][^\"']{8}"),
    "an access token": re.compile(
        rb"(?<![A-Za-z0-9_])(?:gh[oprsu]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}|npm_[A-Za-z0-9]{36}"
        rb"|[rs]k_live_[A-Za-z0-9]{16}|xox[a-z]-[A-Za-z0-9-]{20}|hvs\.[A-Za-z0-9_-]{20})"
    ),
    "a dump of a database": re.compile(
        rb"\APGDMP|\AREDIS[0-9]{4}|^-- (?:MySQL|MariaDB|PostgreSQL database(?: cluster)?) dump", re.MULTILINE
    ),
}
_DATABASES = (
    *(
        (0, magic)
        for magic in (
            b"SQLite format 3\0",
            b"\x37\x7f\x06\x82",
            b"\x37\x7f\x06\x83",
            b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",
        )
    ),
    *(
        (0, magic) for magic in (b"\xce\x9a\x57\x13", b"\xcf\x9a\x57\x13", b"\x13\x57\x9a\xce", b"\x13\x57\x9a\xcf")
    ),  # GDBM
    *((4, magic) for magic in (b"Standard Jet DB", b"Standard ACE DB")),
    (8, b"DUCK"),
    *(
        (12, magic) for magic in (b"\x61\x15\x06\x00", b"\x00\x06\x15\x61", b"\x62\x31\x05\x00", b"\x00\x05\x31\x62")
    ),  # Berkeley DB
    (16, b"\xde\xc0\xef\xbe"),  # LMDB
)
_ARCHIVES = (b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"Rar!\x1a\x07")
"""zip, gzip, bzip2, xz, 7z, zstd and RAR: what is in them is not looked at, so it is not shipped either."""
_KEYSTORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x03\xd9\xa2\x9a")  # Java's two, KeePass
_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PKCS = bytes.fromhex("2a864886f70d01")


def secret_content(data: bytes) -> str:
    """Return what secret *data* looks like, such as ``a private key``; nothing if it looks like none."""
    plain = data
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        plain = data.decode("utf-16", "replace").encode("utf-8", "replace")
    for what, pattern in _PATTERNS.items():
        if pattern.search(plain):
            return what
    if data.startswith(_ARCHIVES) or data[257:262] == b"ustar":
        return "an archive, which may hold any of them: unpack it"
    if any(data[offset : offset + len(magic)] == magic for offset, magic in _DATABASES):
        return "a database"
    if data.startswith(_KEYSTORES) or _is_key(data):
        return "a private key"
    return ""


def _is_key(data: bytes) -> bool:
    """Say whether *data* is a private key in DER: of RFC 5208 (plain or encrypted), 8017, 5915 or 7292."""
    outer = list(_elements(data))
    if len(outer) != 1 or outer[0][0] != _SEQUENCE:
        return False
    inner = list(_elements(outer[0][1]))
    tags = [tag for tag, _ in inner]
    if tags[:2] == [_SEQUENCE, _OCTETS]:  # encrypted: an algorithm of PKCS #5 or #12 first
        return _identifier(inner[0][1]).startswith(_PKCS)
    if tags[:1] != [_INTEGER] or len(inner[0][1]) != 1:
        return False
    if tags[1:3] == [_SEQUENCE, _OCTETS]:
        return bool(_identifier(inner[1][1]))
    if tags[1:2] == [_SEQUENCE]:  # PKCS #12: version 3, then what it holds
        return inner[0][1] == b"\x03" and _identifier(inner[1][1]).startswith(_PKCS)
    return tags[1:2] == [_OCTETS] or (len(tags) >= 6 and set(tags[:6]) == {_INTEGER})


def _identifier(data: bytes) -> bytes:
    """Return the object identifier with which *data* begins; nothing if it begins otherwise."""
    tag, content = next(_elements(data), (0, b""))
    return content if tag == _OID else b""


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of DER (X.690) in *data*, by tag and content; it ends where *data* is no DER."""
    place = 0
    while place + 2 <= len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4 or place + size > len(data):
                return
            length = int.from_bytes(data[place : place + size], "big")
            place += size
        if place + length > len(data):
            return
        yield tag, data[place : place + length]
        place += length
