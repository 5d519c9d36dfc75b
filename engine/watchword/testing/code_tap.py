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


_heard: ContextVar[list[DrawnCode] | None] = ContextVar("heard", default=None)


@contextmanager
def hearing() -> Generator[list[DrawnCode]]:
    """Give a list of the codes that keys of a ring which is `tapped` draw in the block, in this thread or on its behalf."""
    codes: list[DrawnCode] = []
    token = _heard.set(codes)
    try:
        yield codes
    finally:
        _heard.reset(token)


def tapped(ring: Keyring) -> Keyring:
    """Return a ring like *ring*, whose codes are heard by `hearing`."""
    return Keyring(tuple(_TappedKey(*astuple(key)) for key in ring.keys))


class _TappedKey(Key):
    """A key that tells which codes it draws."""

    def choose(self, purpose: str, seed: str, alphabet: str, length: int) -> str:
        text = super().choose(purpose, seed, alphabet, length)
        codes = _heard.get()
        if codes is not None and purpose.startswith(_DRAWING):
            codes.append(DrawnCode(purpose.removeprefix(_DRAWING), text, alphabet))
        return text
