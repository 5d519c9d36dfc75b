"""H: the store of credentials: concurrent calls, the same id for two users, more than there may be."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, frozen

from watchword.contract.credentials import Credential, Credentials
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.credentials.memory import MemoryCredentials
from watchword_adapters.credentials.sqlite import SqliteCredentials

_MOST = 3
_WITHIN = 3.0


@contextmanager
def _stores() -> Generator[tuple[tuple[Credentials, Credentials], ...]]:
    """Give each sort of store, twice opened where there is a file."""
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        path = Path(folder) / "credentials.db"
        memory, one, other = MemoryCredentials(), SqliteCredentials(path), SqliteCredentials(path)
        try:
            yield (memory, memory), (one, other)
        finally:
            one.close()
            other.close()


@frozen
class _Race:
    """Eight calls at once, through both openings of a store; each says whether it had what only some may have."""

    stores: tuple[Credentials, ...]
    name: str

    def new(self, place: int, *, owner: str = "", kind: str = "app", id_: str = "") -> Credential:
        return Credential(id_ or f"{self.name} {place}", owner or f"pool#{self.name}", kind)

    def adds(self, place: int) -> bool:
        new = self.new(place)
        return self.stores[place].add(new, replace=False, most=_MOST, within=_WITHIN)

    def takes_the_id(self, place: int) -> bool:
        new = self.new(place, owner=f"pool#{self.name} {place}", id_=f"{self.name} one")
        return self.stores[place].add(new, replace=False, most=_MOST, within=_WITHIN)

    def uses(self, place: int) -> bool:
        """Write a use of what somebody has in version 0."""
        used = evolve(self.new(0, owner=f"pool#{self.name} used", id_=f"{self.name} used"), used=place + 1)
        return self.stores[place].swap(used, version=0, within=_WITHIN)

    def removes(self, place: int) -> bool:
        return self.stores[place].remove(f"pool#{self.name} gone", "app", f"{self.name} gone", within=_WITHIN)

    def replaces(self, place: int) -> bool:
        new = self.new(place, owner=f"pool#{self.name} replaced", id_=f"{self.name} new {place}")
        self.stores[place].add(new, replace=True, most=_MOST, within=_WITHIN)
        return False


@family("H-18", "one credential, id or place by many at once", share=0.3)
def store_calls_at_once(arena: Arena) -> Cases:
    """Of eight at once as many have it as may: one id one user, one use of one version, `most` of one owner."""
    with _stores() as stores, ThreadPoolExecutor(8) as threads:
        for number in range(8):
            for one, other in stores:
                race = _Race((one, other) * 4, f"race {number}")
                for name in ("used", "gone"):
                    new = race.new(0, owner=f"pool#{race.name} {name}", id_=f"{race.name} {name}")
                    one.add(new, replace=False, most=_MOST, within=_WITHIN)
                for way, most in (
                    (race.adds, _MOST),
                    (race.takes_the_id, 1),
                    (race.uses, 1),
                    (race.removes, 1),
                    (race.replaces, 0),
                ):
                    yield sum(threads.map(way, range(8))) != most
                yield len(other.list(f"pool#{race.name} replaced", within=_WITHIN)) != 1
                yield len(other.list(f"pool#{race.name}", within=_WITHIN)) != _MOST
                # What was removed or replaced frees its id; a use of an older version is none.
                yield not one.add(
                    race.new(0, owner="pool#later", id_=f"{race.name} gone"), replace=False, most=20, within=_WITHIN
                )
                yield race.uses(0)


FAMILIES = families_in(globals())
