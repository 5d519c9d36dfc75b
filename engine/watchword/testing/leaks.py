"""Find out whether a text gives a secret away."""

from __future__ import annotations

import base64
import hashlib
import re

_SHORT_SECRET = 6


def reveals(text: str, secret: str) -> bool:
    """Say whether *secret* can be read from *text*: plain, reversed, encoded, hashed without a key, or inside a picture."""
    inside = _decoded(text)
    if inside:
        return secret.encode() in inside  # by chance once in 10^9 pictures
    raw = secret.encode()
    spellings = {secret, secret[::-1], base64.b64encode(raw).decode().rstrip("="), raw.hex()}
    for way in ("md5", "sha1", "sha256", "sha512"):
        for plain in {raw, secret.upper().encode(), secret.lower().encode()}:
            digest = hashlib.new(way, plain, usedforsecurity=False).digest()
            spellings |= {digest.hex(), base64.b64encode(digest).decode().rstrip("=")}
    return any(_holds(text, spelling) for spelling in spellings)


def _holds(text: str, secret: str) -> bool:
    """Say whether *text* holds *secret*, in any case; a short one as a word of its own, since it is in many by chance."""
    pattern = re.escape(secret) if len(secret) >= _SHORT_SECRET else rf"(?<!\w){re.escape(secret)}(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _decoded(text: str) -> bytes:
    """Return the bytes of a picture in *text* (a data URI, or a long base64), or nothing."""
    head, comma, tail = text.partition(";base64,")
    body = tail if comma and head.startswith("data:") else text
    if not comma and len(text) < 300:
        return b""
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return b""
