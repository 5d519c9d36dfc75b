"""Record the codes that kinds draw, for tests, the local server, the demo and attacks. No event holds them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import astuple, field, frozen

from watchword.runtime.keyring import Key, Keyring

_DRAWING = "code "
"""What the purpose of a code begins with; the name of the kind follows."""


@frozen
class DrawnCode:
    """A code that was drawn for a *kind*, and the *alphabet* that it was drawn from."""

    kind: str
    text: str = field(repr=False)
    alphabet: str


_recorded: ContextVar[list[DrawnCode] | None] = ContextVar("recorded", default=None)


@contextmanager
def recorded_codes() -> Generator[list[DrawnCode]]:
    """Give a list of the codes that keys of a `recording_ring` draw in the block, in this thread or on its behalf."""
    codes: list[DrawnCode] = []
    token = _recorded.set(codes)
    try:
        yield codes
    finally:
        _recorded.reset(token)


def recording_ring(ring: Keyring) -> Keyring:
    """Return a ring like *ring*, whose codes are recorded by `recorded_codes`."""
    return Keyring(tuple(_TappedKey(*astuple(key)) for key in ring.keys))


class _TappedKey(Key):
    """A key that tells which codes it draws."""

    def choose(self, purpose: str, seed: str, alphabet: str, length: int) -> str:
        text = super().choose(purpose, seed, alphabet, length)
        codes = _recorded.get()
        if codes is not None and purpose.startswith(_DRAWING):
            codes.append(DrawnCode(purpose.removeprefix(_DRAWING), text, alphabet))
        return text
