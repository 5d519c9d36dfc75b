"""Challenges for a sign-in that has no user name yet: keyed, so that nothing is stored until one is used."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from watchword.runtime.keyring import Key
from watchword.runtime.services import Services

LIFETIME = 300
"""Seconds for which a challenge may be used: what WebAuthn Level 3 recommends for a ceremony (15.1)."""

_NONCE, _EXPIRY, _MAC = 16, 4, 12
_PURPOSE = "challenge before a sign-in"
_WITHIN = 1.0
_LONGEST_ANSWER = 16_384  # characters, as for any kind


def new_challenge(services: Services, pool: str) -> str:
    """Return a challenge for somebody who signs in to *pool*: 16 random bytes, its end, and a MAC of 12 bytes.

    Nothing is written: whoever asks for a million costs nothing but the time.
    """
    expires = int(services.clock.now()) + LIFETIME
    body = services.random.bytes(_NONCE) + expires.to_bytes(_EXPIRY, "big")
    return _text(body + _mac(services.keyring.root_key, pool, body))


def spent_challenge(services: Services, pool: str, answer: object, by: object) -> str:
    """Return the challenge of this sort that *answer* was signed for, used up in the name of round *by*.

    Return nothing if it was signed for another sort, is over, or was used up by another round. A host's repeat of Verify has
    the same round, and reads the same.

    Raises:
        UnavailableError: if the ledger fails.
    """
    signed = signed_challenge(answer)
    body, mac = signed[:-_MAC], signed[-_MAC:]
    if len(signed) != _NONCE + _EXPIRY + _MAC or not isinstance(by, str) or not by:
        return ""
    if not hmac.compare_digest(mac, _mac(services.keyring.root_key, pool, body)):
        return ""
    expires = int.from_bytes(body[_NONCE:], "big")
    if services.clock.now() >= expires:
        return ""
    text = _text(signed)
    # No guess was charged for it, so there is nothing to give back.
    first = services.ledger.consume(f"challenge:{text}", by=by, refund="", keep=expires, within=_WITHIN)
    return text if first else ""


def _mac(key: Key, pool: str, body: bytes) -> bytes:
    return bytes.fromhex(key.digest(_PURPOSE, pool, body.hex()))[:_MAC]


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def signed_challenge(answer: object) -> bytes:
    """Return the bytes of the challenge that the client data of *answer* name; nothing if they cannot be read."""
    if not isinstance(answer, str) or len(answer) > _LONGEST_ANSWER:
        return b""
    try:
        given: Any = json.loads(answer)
        data: Any = json.loads(_octets(given["clientDataJSON_B64"]))
        return _octets(data["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""


def _octets(text: object) -> bytes:
    """Return the bytes of *text* in base64; React Native writes the padding and the other alphabet."""
    if not isinstance(text, str):
        raise TypeError("this is no text")
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
