"""Keys: derive a secret for each kind and purpose. Some keys rotate, root keys never do."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from watchword.errors import ConfigurationError

MIN_KEY_BYTES = 32
"""NIST SP 800-107: an HMAC key of the hash's own length; ASVS 5.0 11.5.1 asks for 128 bits at least."""

_MIN_DISTINCT_BYTES = 11
_TAG_BYTES = 32
_REMEDY = "make one with: python -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"


def _expand(key: bytes, *info: str) -> bytes:
    """HKDF-Expand (RFC 5869 2.3), one block; the host's key is uniformly random, so Extract is not needed (3.3)."""
    return hmac.digest(key, length_prefixed("watchword/1", *info) + b"\x01", "sha256")


def length_prefixed(*parts: str) -> bytes:
    """Join *parts* so that no two different lists give the same bytes: each has its length in front."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in encoded)


@frozen
class Key:
    """One secret of the ring. *id* is eight hex digits that tell keys apart and tell nothing of the secret."""

    id: str
    _secret: bytes = field(repr=False)

    def digest(self, purpose: str, *parts: str) -> str:
        """Return the keyed digest of *parts* for *purpose*, 64 hex digits."""
        return hmac.digest(_expand(self._secret, purpose), length_prefixed(*parts), "sha256").hex()

    def choose(self, purpose: str, seed: str, alphabet: str, length: int) -> str:
        """Return *length* symbols of *alphabet*, each equally likely, always the same for *purpose* and *seed*.

        A stream of HMAC blocks is read byte by byte; bytes at or above the largest multiple of the alphabet's size are
        thrown away, so there is no modulo bias.
        """
        size = len(alphabet)
        if not 2 <= size <= 256:
            raise ConfigurationError(f"an alphabet has 2 to 256 symbols, this one has {size}")
        # A key of its own: a digest that travels must never be the stream that a code is read from.
        secret = _expand(self._secret, purpose, "choose")
        bound = 256 - 256 % size
        chosen: list[str] = []
        block = 0
        while len(chosen) < length:
            for byte in hmac.digest(secret, length_prefixed(seed, str(block)), "sha256"):
                if byte < bound and len(chosen) < length:
                    chosen.append(alphabet[byte % size])
            block += 1
        return "".join(chosen)

    def lock(self, purpose: str, context: str, text: str) -> str:
        """Return *text* encrypted and authenticated for *purpose*, bound to *context*: only `unlock` with both reads it.

        SIV (RFC 5297 2.6, Rogaway and Shrimpton 2006) over HMAC-SHA256: the tag of the text is what its stream of key bytes
        begins with. So it needs no nonce, and the same text locked twice tells no more than that.
        """
        plain = text.encode("utf-8", "surrogatepass")
        tag = self._tag(purpose, context, plain)
        return base64.urlsafe_b64encode(tag + self._streamed(purpose, tag, plain)).decode()

    def unlock(self, purpose: str, context: str, locked: str) -> str | None:
        """Return the text that *locked* holds, or None if this key did not lock it for *purpose* and *context*."""
        try:
            joined = base64.b64decode(locked.encode("ascii"), b"-_", validate=True)
        except ValueError:
            return None
        tag, hidden = joined[:_TAG_BYTES], joined[_TAG_BYTES:]
        plain = self._streamed(purpose, tag, hidden)
        if not hmac.compare_digest(tag, self._tag(purpose, context, plain)):
            return None
        return plain.decode("utf-8", "surrogatepass")

    def _tag(self, purpose: str, context: str, plain: bytes) -> bytes:
        return hmac.digest(_expand(self._secret, purpose, "tag"), length_prefixed(context) + plain, "sha256")

    def _streamed(self, purpose: str, tag: bytes, data: bytes) -> bytes:
        secret = _expand(self._secret, purpose, "stream")
        blocks = range(-(-len(data) // _TAG_BYTES))
        stream = b"".join(hmac.digest(secret, tag + block.to_bytes(8, "big"), "sha256") for block in blocks)
        number = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
        return number.to_bytes(len(data), "big")


@runtime_checkable
class Ring(Protocol):
    """The protocol of a keyring. `Keyring` is one; the keys of another one may change with time."""

    @property
    def current(self) -> Key:
        """The key that new challenges are made with."""
        ...

    @property
    def root_key(self) -> Key:
        """The key that never rotates: the oldest root key. It names users in budgets and derives made-up facts."""
        ...

    @property
    def newest_root_key(self) -> Key:
        """The root key that new credentials are derived from."""
        ...

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id, or None if it has left the ring."""
        ...


@frozen
class Keyring:
    """The host's keys, newest first: the first makes, all of them read.

    Raises:
        ConfigurationError: if there is no key, or one is weak: under 32 bytes, or visibly not random.
    """

    keys: tuple[Key, ...]

    @classmethod
    def of(cls, secrets: bytes | Sequence[bytes] | Keyring) -> Keyring:
        """Make a ring of one secret or of several, newest first."""
        if isinstance(secrets, Keyring):
            return secrets
        listed = [secrets] if isinstance(secrets, bytes) else list(secrets)
        if not listed:
            raise ConfigurationError(f"the key is missing: set WATCHWORD_KEY or pass key=; {_REMEDY}")
        return cls(tuple(_key(secret, place) for place, secret in enumerate(listed, start=1)))

    @property
    def current(self) -> Key:
        """The key that new challenges are made with."""
        return self.keys[0]

    @property
    def root_key(self) -> Key:
        """The oldest key, which is the root where no root key is kept apart."""
        return self.keys[-1]

    @property
    def newest_root_key(self) -> Key:
        """The oldest key too: the others rotate."""
        return self.keys[-1]

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id, or None if it has left the ring."""
        return next((key for key in self.keys if key.id == key_id), None)


@frozen
class KeyringWithRootKeys:
    """A ring (`Ring`) of *rotating* keys, with the *root* keys kept apart from them.

    The oldest root key is the one that lasts, whatever becomes of the others. A challenge that a root key made is read
    as well: so a host whose oldest key becomes its root breaks no sign-in.
    """

    root: Ring
    rotating: Ring

    @property
    def current(self) -> Key:
        """The key that new challenges are made with: never a root key."""
        return self.rotating.current

    @property
    def root_key(self) -> Key:
        """The oldest root key."""
        return self.root.root_key

    @property
    def newest_root_key(self) -> Key:
        """The newest root key."""
        return self.root.current

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id, or None if no ring has it."""
        return self.root.find(key_id) or self.rotating.find(key_id)


def lock_state(ring: Ring, purpose: str, context: str, text: str) -> str:
    """Return *text* locked with the current key of *ring*; see `Key.lock`.

    Who reads the ledger has no key, and who writes there cannot write a state: it would be a step that was passed.
    """
    key = ring.current
    return key.id + key.lock(purpose, context, text)


def unlock_state(ring: Ring, purpose: str, context: str, kept: str) -> str | None:
    """Return the text that *kept* holds; None if no key of *ring* locked it for *purpose* and *context*."""
    key = ring.find(kept[:8])
    return key.unlock(purpose, context, kept[8:]) if key else None


def _key(secret: object, place: int) -> Key:
    if not isinstance(secret, bytes | bytearray):
        raise ConfigurationError(f"key {place} is no bytes but {type(secret).__name__}; {_REMEDY}")
    if len(secret) < MIN_KEY_BYTES:
        raise ConfigurationError(
            f"key {place} is too short: {len(secret)} bytes, {MIN_KEY_BYTES} are needed; {_REMEDY}"
        )
    if len(set(secret)) < _MIN_DISTINCT_BYTES:
        raise ConfigurationError(f"key {place} is not random: it repeats {len(set(secret))} different bytes; {_REMEDY}")
    secret = bytes(secret)
    return Key(hashlib.sha256(_expand(secret, "key id")).hexdigest()[:8], secret)
