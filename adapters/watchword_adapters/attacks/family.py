"""A family of attacks: many cases of one idea, and the arena that each needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Literal

from attrs import frozen

from watchword_adapters.attacks.arena.attacked_host import Arena

Cases = Generator[bool]
"""Whether each case succeeded: the attacker got what the flow does not allow."""

Need = Literal[
    "",
    "mail",
    "email",
    "sms",
    "link",
    "puzzle",
    "drawn",
    "work",
    "budget",
    "offer",
    "held",
    "app",
    "passkey",
    "enrols",
    "enrolling",
    "token",
]
"""What a flow must have for a family to be tried on it; on another flow it is tried on the corpus's own."""


@frozen
class Family:
    """One family. *id* is the one of the list that the documentation explains; *share* is how much of a run it gets."""

    id: str
    title: str
    cases: Callable[[Arena], Cases]
    needs: Need = ""
    share: float = 1.0

    @property
    def rule(self) -> str:
        """What must hold: the first paragraph that the function of the cases says of itself."""
        return " ".join((inspect.getdoc(self.cases) or self.title).partition("\n\n")[0].split())


def family(id: str, title: str, needs: Need = "", share: float = 1.0) -> Callable[[Callable[[Arena], Cases]], Family]:  # noqa: A002 - as it is called
    """Make a family of a function that tries its cases one after the other."""

    def made(cases: Callable[[Arena], Cases]) -> Family:
        return Family(id, title, cases, needs, share)

    return made


def families_in(module: dict[str, object]) -> tuple[Family, ...]:
    """Return the families of a module."""
    return tuple(each for each in module.values() if isinstance(each, Family))
