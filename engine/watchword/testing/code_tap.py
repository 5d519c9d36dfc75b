"""Record the codes that kinds draw, for tests, the local server, the demo and attacks. No event holds them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import astuple, field, frozen

from watchword.runtime.keyring import Key, Keyring

_DRAWING = "code "
"""What the purpose of a code begins with; the name of the kind follows."""

_SEALING = "seal "
"""What the purpose of a sealed answer begins with; the name of the kind follows."""


@frozen
class DrawnCode:
    """A code that was drawn for a *kind*, and the *alphabet* that it was drawn from.

    For a kind whose right answer is made of a code, and is another text, that answer follows the code: it was not drawn, but *sealed*.
    """

    kind: str
    text: str = field(repr=False)
    alphabet: str
    sealed: bool = False


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
    """A key that tells which codes it draws, and what is sealed that is made of one."""

    def digest(self, purpose: str, *parts: str) -> str:
        codes = _recorded.get()
        if codes and purpose == f"{_SEALING}{codes[-1].kind}" and codes[-1].text not in parts[-1]:
            # As a hash or a proof of work is. Its last symbol may become any other one of it.
            codes.append(DrawnCode(codes[-1].kind, parts[-1], "".join(sorted(set(parts[-1]))), sealed=True))
        return super().digest(purpose, *parts)

    def choose(self, purpose: str, seed: str, alphabet: str, length: int) -> str:
        text = super().choose(purpose, seed, alphabet, length)
        codes = _recorded.get()
        if codes is not None and purpose.startswith(_DRAWING):
            codes.append(DrawnCode(purpose.removeprefix(_DRAWING), text, alphabet))
        return text
