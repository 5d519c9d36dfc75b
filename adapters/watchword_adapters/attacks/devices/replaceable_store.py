"""A store of credentials for attacks: it can be put back as it was, and records its calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from watchword.contract.credentials import Credential
from watchword.contract.ports import Reach
from watchword_adapters.credentials.memory import MemoryCredentials

_WITHIN = 3.0


class ReplaceableStore:
    """A store in which people have enrolled before an attack begins.

    *calls* are the names of the calls since it was put back, *written* what was given to them. *inner* may be replaced, to fail.
    """

    def __init__(self) -> None:
        self.inner: Any = MemoryCredentials()
        self.calls: list[str] = []
        self.written: list[str] = []
        self._first: dict[str, tuple[Credential, ...]] = {}
        self._kept = self.inner

    @property
    def reach(self) -> Reach:
        """This process alone."""
        return "process"

    def renew(self) -> None:
        """Have in it again what people had enrolled at first, and nothing else."""
        self.inner = self._kept = MemoryCredentials()
        for owned in self._first.values():
            for each in owned:
                self._kept.add(each, replace=False, most=len(owned), within=_WITHIN)
        self.calls.clear()
        self.written.clear()

    def hold_at_first(self, owner: str, credentials: tuple[Credential, ...]) -> None:
        """Have *credentials* in it from now on, whenever it is put back."""
        self._first[owner] = credentials
        for each in credentials:
            self._kept.add(each, replace=False, most=len(credentials), within=_WITHIN)

    def of(self, owner: str) -> tuple[Credential, ...]:
        """Return the credentials of *owner*, without a call."""
        return self._kept.list(owner, within=_WITHIN)

    def everything(self) -> Mapping[str, tuple[Credential, ...]]:
        """Return the credentials of each owner, without a call."""
        held: dict[str, tuple[Credential, ...]] = {}
        for each in self._kept.everything(within=_WITHIN):
            held[each.owner] = (*held.get(each.owner, ()), each)
        return held

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.inner, name)

        def called(*given: Any, **named: Any) -> Any:
            self.calls.append(name)
            # What is written is looked through for secrets: states too, which a credential does not show.
            self.written.extend(f"{each} {dict(each.state)}" for each in given if isinstance(each, Credential))
            return method(*given, **named)

        return called


def unexpected_writes(
    before: Mapping[str, tuple[Credential, ...]], after: Mapping[str, tuple[Credential, ...]], owner: str
) -> list[str]:
    """Return what one answer must not have changed in the store; *owner* gave a right one, nobody if it was wrong."""
    changed = {each for each in {*before, *after} if before.get(each) != after.get(each)}
    told = ["an answer wrote into what another user has enrolled"] if changed - {owner} and owner else []
    told += ["a wrong answer wrote into the store"] if changed and not owner else []
    had, has = ({each.id for each in held.get(owner, ())} for held in (before, after))
    told += ["an answer took away what was enrolled"] if had - has else []
    told += ["one answer enrolled twice"] if len(has - had) > 1 else []
    return told
