"""What an import of credentials would do: what is new, what is there already, and what is in its way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import evolve, frozen

from watchword.contract.credentials import MAX_CREDENTIALS, Credential
from watchword.errors import ConfigurationError
from watchword_adapters.credentials.export_file import owner_named, pool_and_sub

ROOT = "root"
"""Under this name the state of a credential says which root key its secret is derived from."""


@frozen
class ImportPlan:
    """What an import would do, before it does anything.

    *new* are to be added. *there* counts those that their owners have already: they are left as they are. *conflicts* are
    those that would overwrite something, in words.
    """

    new: tuple[Credential, ...]
    there: int = 0
    conflicts: tuple[str, ...] = ()


def moved(
    credentials: Iterable[Credential], subs: Mapping[str, str] | None, pool: str | None
) -> tuple[tuple[Credential, ...], int, int]:
    """Return *credentials* under their new owners, how many of them cannot move, and how many are left out.

    What cannot move is a secret that is derived from the owner. *subs* are the new subs by the old ones, empty for a user who is left out; None keeps them. *pool* is the new one, or None.

    Raises:
        ConfigurationError: if a user is not in *subs*.
    """
    found: list[Credential] = []
    derived, left_out = 0, 0
    unknown: set[str] = set()
    for each in credentials:
        old_pool, old = pool_and_sub(each.owner)
        if subs is not None and old not in subs:
            unknown.add(old)
            continue
        sub = old if subs is None else subs[old]
        owner = owner_named(old_pool if pool is None else pool, sub)
        if not sub:
            left_out += 1
        elif owner != each.owner and ROOT in each.state:
            derived += 1
        else:
            found.append(evolve(each, owner=owner))
    if unknown:
        raise ConfigurationError(
            f"--subs has no new sub for {len(unknown)} of the users of the export, such as {min(unknown)[:60]!r}; "
            "write OLD= for one who is left out. Nothing was imported"
        )
    return tuple(found), derived, left_out


def planned(
    wanted: Sequence[Credential], existing: Iterable[Credential], *, is_one: Callable[[str], bool]
) -> ImportPlan:
    """Return what adding *wanted* to *existing* would do; *is_one* says of a kind that a user has one credential of it."""
    by_key = {(each.kind, each.id): each for each in wanted}
    owners = {each.owner for each in wanted}
    there: set[tuple[str, str]] = set()
    conflicts: list[str] = []
    owned: dict[str, Counter[str]] = defaultdict(Counter)
    for each in existing:
        key = each.kind, each.id
        if each.owner in owners:
            owned[each.owner][each.kind] += 1
        if key in by_key:
            there.add(key)
            if by_key[key].owner != each.owner:
                conflicts.append(f"{_named(by_key[key])}: another user has this id")
    new: list[Credential] = []
    for key, each in by_key.items():
        if key in there:
            continue
        kinds = owned[each.owner]
        if is_one(each.kind) and kinds[each.kind]:
            conflicts.append(f"{_named(each)}: the user has another one of this kind")
        elif kinds.total() >= MAX_CREDENTIALS:
            conflicts.append(f"{_named(each)}: the user would have more than {MAX_CREDENTIALS}")
        else:
            kinds[each.kind] += 1
            new.append(each)
    return ImportPlan(tuple(new), there=len(by_key) - len(new) - len(conflicts), conflicts=tuple(conflicts))


def _named(credential: Credential) -> str:
    return f"{credential.kind} {credential.id[:40]!r} of {pool_and_sub(credential.owner)[1][:60]!r}"
