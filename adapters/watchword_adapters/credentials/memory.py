"""The credentials of one process: a dictionary behind a lock."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from attrs import evolve

from watchword.contract.credentials import Credential, Credentials
from watchword.contract.hookspecs import RegisterCredentials, hookimpl
from watchword.contract.ports import Reach
from watchword.errors import ConfigurationError, UnavailableError


class MemoryCredentials:
    """Credentials in this process: for tests and for trying things out. They are gone when the process ends."""

    reach: Reach = "process"

    def __init__(self) -> None:
        self._lock = Lock()
        self._owned: dict[str, tuple[Credential, ...]] = {}
        self._ids: set[tuple[str, str]] = set()

    def list(self, owner: str, *, within: float) -> tuple[Credential, ...]:
        """Return the credentials of *owner*, oldest first."""
        _demand_time(within)
        with self._lock:
            return self._owned.get(owner, ())

    def add(self, credential: Credential, *, replace: bool, most: int, within: float) -> bool:
        """Add *credential*; return False, and change nothing, if its id is known for its kind or its owner has *most*."""
        _demand_time(within)
        with self._lock:
            owned = self._owned.get(credential.owner, ())
            replaced = [each for each in owned if replace and each.kind == credential.kind]
            kept = tuple(each for each in owned if each not in replaced)
            if _key(credential) in self._ids or len(kept) >= most:
                return False
            self._ids.difference_update(map(_key, replaced))
            self._ids.add(_key(credential))
            self._owned[credential.owner] = (*kept, credential)
            return True

    def swap(self, credential: Credential, *, version: int, within: float) -> bool:
        """Put *credential* in place of the stored one if that has *version*; return False if it has another, or is gone."""
        _demand_time(within)
        with self._lock:
            owned = self._owned.get(credential.owner, ())
            places = [place for place, each in enumerate(owned) if _key(each) == _key(credential)]
            if not places or owned[places[0]].version != version:
                return False
            written = evolve(credential, version=version + 1)
            self._owned[credential.owner] = (*owned[: places[0]], written, *owned[places[0] + 1 :])
            return True

    def remove(self, owner: str, kind: str, id: str, *, within: float) -> bool:  # noqa: A002 - the field's word
        """Remove a credential; return False if there is none such."""
        _demand_time(within)
        with self._lock:
            owned = self._owned.get(owner, ())
            kept = tuple(each for each in owned if _key(each) != (kind, id))
            if len(kept) == len(owned):
                return False
            self._ids.discard((kind, id))
            self._owned[owner] = kept
            return True

    def everything(self, *, within: float) -> Iterator[Credential]:
        """Yield every credential of every owner, as it is now."""
        _demand_time(within)
        with self._lock:
            owned = tuple(self._owned.values())
        yield from (each for credentials in owned for each in credentials)


def _key(credential: Credential) -> tuple[str, str]:
    return credential.kind, credential.id


def _demand_time(within: float) -> None:
    if within <= 0:
        raise UnavailableError("no time is left for the credentials", undelivered=True, reason="timeout")


@hookimpl
def register_credentials(register: RegisterCredentials) -> None:
    """Register ``memory:``."""
    register("memory", _from_url)


def _from_url(url: str) -> Credentials:
    if url.partition(":")[2]:
        raise ConfigurationError("the credentials URL memory: takes nothing after the colon; write it as memory:")
    return MemoryCredentials()
