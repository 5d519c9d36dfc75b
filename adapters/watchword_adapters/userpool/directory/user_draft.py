"""A user of the pool while an operation changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve

from watchword_adapters.srp import srp6a
from watchword_adapters.userpool.directory.records import Code, PoolUser, Purpose, Status


class Draft:
    """One user, changed step by step; `Users.changing` keeps the result."""

    def __init__(self, user: PoolUser, written: Callable[[PoolUser, Mapping[str, str]], PoolUser]) -> None:
        self.user = user
        self.move_aliases = False
        self._written = written

    def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """Change attributes by the rules of the directory. A code for an address that is no longer meant is void."""
        if attributes.get("email", "") != self.user.attributes.get("email", "") and "email" in attributes:
            self.set_code("verify-email", None)
        self.user = self._written(self.user, attributes)

    def set_enabled(self, enabled: bool) -> None:
        """Let the user sign in, or no more."""
        self.user = evolve(self.user, enabled=enabled)

    def set_groups(self, groups: tuple[str, ...]) -> None:
        """Change the groups."""
        self.user = evolve(self.user, groups=groups)

    def set_status(self, status: Status) -> None:
        """Change the status."""
        self.user = evolve(self.user, status=status)

    def set_verifier(self, verifier: srp6a.Verifier) -> None:
        """Change the password, of which there is but a verifier."""
        self.user = evolve(self.user, verifier=verifier)

    def set_code(self, purpose: Purpose, code: Code | None) -> None:
        """Set the code for *purpose*, or remove it."""
        codes = {name: kept for name, kept in self.user.codes.items() if name != purpose}
        if code is not None:
            codes[purpose] = code
        self.user = evolve(self.user, codes=codes)
