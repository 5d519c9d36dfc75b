"""What the doctor looks at: a pool, its client and its functions, in the shapes of boto3, wherever they were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import field, frozen

from watchword_adapters.deploy.manifest import APIS, PRE_TOKEN, Manifest
from watchword_adapters.deploy.reading.values import TextValue, Unknown, get, members, text_value
from watchword_adapters.deploy.stack.user_pool import CALLED, TOLD

Facts = Mapping[str, Any]


def within(facts: Facts | None, name: str) -> Facts:
    """Return the object *name* of *facts*; an empty one if it is missing or none."""
    value: object = (facts or {}).get(name)
    return cast("Facts", value) if isinstance(value, Mapping) else {}


@frozen
class NotKnown:
    """Something that cannot be judged: *what* it is, and *why* it is not known."""

    what: str
    why: str


@frozen
class DeployedFunction:
    """The function of one trigger.

    Attributes:
        name: its ARN, or its name in a template.
        facts: as ``get_function_configuration`` gives them; None if they could not be read.
        statements: who may call it; None if that could not be read.
        retention: days for which its log is kept; 0 for ever; None if that could not be read.
        code: what is wrong with its code as such; empty if nothing is.
        other_code: in what it differs from what was built; empty if in nothing, or that was not asked.
        manifest: what its zip says of itself; None if it could not be read.
        rights: the statements of its role; None if they could not be read.
    """

    name: str
    facts: Facts | None = field(default=None, repr=False)
    statements: tuple[Facts, ...] | None = None
    retention: int | Unknown | None = None
    code: str = ""
    other_code: str = ""
    manifest: Manifest | None = None
    rights: tuple[Facts, ...] | Unknown | None = field(default=None, repr=False)

    def setting(self, name: str) -> TextValue | None:
        """Return a variable of its environment; None if it is not set. It may be a secret: never shown."""
        return text_value(get(self.facts, "Environment", "Variables", name))


@frozen
class Table:
    """The table of the ledger, or of credentials.

    Attributes:
        name: its name; in a template, its logical one.
        key: the name of its key; empty if it is not there.
        ttl: the name of its time to live; empty if there is none.
        restorable: whether it has point-in-time recovery; None if that was not asked.
        protected: whether it is protected from deletion; None if that was not asked.
    """

    name: str
    key: str | Unknown
    ttl: str | Unknown
    restorable: bool | Unknown | None = None
    protected: bool | Unknown | None = None


@frozen
class Deployment:
    """What was deployed, or will be. Any of its facts may be `Unknown`, or hold such.

    *pool* and *client* are as boto3 describes them, None where there is none to read; *others* are the flows that each
    other client of the pool allows; *unread* says what could not be read, and why; *unknown* what will be known when it
    is deployed. *apis* are the functions of the APIs by which users enrol, by name; *tables* those of ledgers, *stores* those of
    credentials. *spending* is the limit that the operator has set for what SMS may cost in a month, by the scheme of a courier, empty where there is none.
    *told_by* names what was made to tell in tokens what was passed, if something was: the pool should call it. *live* is whether it is: a template has nothing to repair by a command.
    """

    pool: Facts | None = field(default=None, repr=False)
    client: Facts | None = field(default=None, repr=False)
    mfa: Facts | None = field(default=None, repr=False)
    others: Mapping[str, tuple[str | Unknown, ...]] = field(factory=dict[str, "tuple[str | Unknown, ...]"])
    functions: Mapping[str, DeployedFunction] = field(factory=dict[str, DeployedFunction])
    apis: Mapping[str, DeployedFunction] = field(factory=dict[str, DeployedFunction])
    tables: tuple[Table, ...] = ()
    stores: tuple[Table, ...] = ()
    spending: Mapping[str, str] = field(factory=dict[str, str])
    told_by: str = ""
    unread: tuple[str, ...] = ()
    unknown: tuple[NotKnown, ...] = ()
    live: bool = False


def called_by(pool: Facts | None, trigger: str) -> TextValue | None:
    """Return the function that *pool* calls as *trigger*, as it names it; None if it calls none."""
    config = get(pool, "LambdaConfig")
    told = text_value(get(config, TOLD, "LambdaArn")) if trigger == PRE_TOKEN else None
    return told or text_value(get(config, CALLED[trigger])) or None


def of_ours(functions: Mapping[str, DeployedFunction]) -> dict[str, DeployedFunction]:
    """Return *functions*, by trigger, without one for Pre Token Generation that is not Watchword's: a pool may have its own."""
    return {trigger: each for trigger, each in functions.items() if trigger != PRE_TOKEN or _tells(each)}


def _tells(function: DeployedFunction) -> bool:
    variables = members(get(function.facts, "Environment", "Variables"))
    handler = text_value(get(function.facts, "Handler"))
    return (
        function.facts is None  # it may be
        or bool(not_for(PRE_TOKEN, function))
        or (isinstance(handler, str) and handler.rpartition(".")[2] == PRE_TOKEN)
        or any(name.startswith("WATCHWORD_") for name in variables)
    )


def not_for(trigger: str, function: DeployedFunction) -> str:
    """Return what tells that *function* is another trigger's than *trigger*; nothing if nothing does."""
    handler, description = text_value(get(function.facts, "Handler")), text_value(get(function.facts, "Description"))
    if isinstance(handler, str) and handler.rpartition(".")[2] in CALLED.keys() - {trigger}:
        return f"its handler is {handler[:80]}"
    described = description.partition(" of the flow ")[0] if isinstance(description, str) else ""
    # `watchword template` calls the function of Pre Token Generation by its logical name.
    begins = {**CALLED, PRE_TOKEN: "PreToken"}
    if described in {*begins.values()} - {begins[trigger]}:
        return f"its description begins with {described}"
    return ""


def api_of(function: DeployedFunction) -> str:
    """Return which API by which users enrol *function* is, as its handler says; nothing if it is none that is built."""
    handler = text_value(get(function.facts, "Handler"))
    name = handler.rpartition(".")[2] if isinstance(handler, str) else ""
    return name if name in APIS else ""
