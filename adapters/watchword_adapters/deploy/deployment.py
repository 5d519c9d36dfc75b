"""What the doctor looks at: a pool, its client and its functions, in the shapes of boto3, wherever they were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import field, frozen

Facts = Mapping[str, Any]


def within(facts: Facts | None, name: str) -> Facts:
    """Return the object *name* of *facts*; an empty one if it is missing or none."""
    value: object = (facts or {}).get(name)
    return cast("Facts", value) if isinstance(value, Mapping) else {}


def texts(value: object) -> list[str]:
    """Return *value*, a text or a list of texts, as a list."""
    return [str(each) for each in cast("list[object]", value)] if isinstance(value, list) else [str(value)]


@frozen
class DeployedFunction:
    """The function of one trigger.

    Attributes:
        name: its ARN, or its name in a template.
        facts: as ``get_function_configuration`` gives them; None if they could not be read.
        statements: who may call it; None if that could not be read.
        retention: days for which its log is kept; 0 for ever; None if that could not be read.
    """

    name: str
    facts: Facts | None = field(default=None, repr=False)
    statements: tuple[Facts, ...] | None = None
    retention: int | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """Its environment. It may hold secrets: never shown."""
        variables = within(within(self.facts, "Environment"), "Variables")
        return {name: text for name, text in variables.items() if isinstance(text, str)}


@frozen
class Table:
    """The ledger's table: the name of its key, and of its time to live (empty if there is none)."""

    name: str
    key: str
    ttl: str


@frozen
class Deployment:
    """What was deployed, or will be.

    *pool* and *client* are as boto3 describes them, None where there is none to read; *others* are the flows that each
    other client of the pool allows; *unread* says what could not be read, and why. *live* is whether it is deployed: a template has nothing to repair by a command.
    """

    pool: Facts | None = field(default=None, repr=False)
    client: Facts | None = field(default=None, repr=False)
    mfa: Facts | None = field(default=None, repr=False)
    others: Mapping[str, tuple[str, ...]] = field(factory=dict[str, "tuple[str, ...]"])
    functions: Mapping[str, DeployedFunction] = field(factory=dict[str, DeployedFunction])
    tables: tuple[Table, ...] = ()
    unread: tuple[str, ...] = ()
    live: bool = False
