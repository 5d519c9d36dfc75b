"""The protocol by which a pool stores users, groups, grants and secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import frozen

from watchword_adapters.userpool.directory.records import Grant, Group, PoolUser


class Keeper(Protocol):
    """Keeps what a pool must find again when it is started anew. The pool calls it from many threads.

    Refresh tokens are known by their digests alone.
    """

    def users(self) -> Sequence[PoolUser]:
        """Return all users."""
        ...

    def keep_users(self, users: Sequence[PoolUser]) -> None:
        """Keep all *users*, or none, each in place of what was kept under that user name."""
        ...

    def drop_user(self, username: str) -> None:
        """Forget a user."""
        ...

    def grants(self) -> Sequence[tuple[str, Grant]]:
        """Return all grants with the digests of their refresh tokens, the first to expire first."""
        ...

    def keep_grant(self, digest: str, grant: Grant) -> None:
        """Keep *grant* in place of what was kept under *digest*."""
        ...

    def drop_grant(self, digest: str) -> None:
        """Forget a grant."""
        ...

    def groups(self) -> Sequence[Group]:
        """Return all groups."""
        ...

    def keep_group(self, group: Group) -> None:
        """Keep *group* in place of what was kept under its name."""
        ...

    def drop_group(self, name: str, users: Sequence[PoolUser]) -> None:
        """Forget a group, and keep all *users*, who were in it: both, or neither."""
        ...

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return the secret called *name*; have it made and kept if there is none."""
        ...


@frozen
class NothingKept:
    """A `Keeper` that keeps nothing: the pool lives as long as its process."""

    def users(self) -> Sequence[PoolUser]:
        """Return none."""
        return ()

    def keep_users(self, users: Sequence[PoolUser]) -> None:
        """Do nothing."""

    def drop_user(self, username: str) -> None:
        """Do nothing."""

    def grants(self) -> Sequence[tuple[str, Grant]]:
        """Return none."""
        return ()

    def keep_grant(self, digest: str, grant: Grant) -> None:
        """Do nothing."""

    def drop_grant(self, digest: str) -> None:
        """Do nothing."""

    def groups(self) -> Sequence[Group]:
        """Return none."""
        return ()

    def keep_group(self, group: Group) -> None:
        """Do nothing."""

    def drop_group(self, name: str, users: Sequence[PoolUser]) -> None:
        """Do nothing."""

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Have it made."""
        return make()
