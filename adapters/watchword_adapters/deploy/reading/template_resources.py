"""What a template says of tables of DynamoDB and of the roles of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from watchword_adapters.deploy.reading.deployment import Facts, Table
from watchword_adapters.deploy.reading.read_aws import LOGS_ALONE, table_of
from watchword_adapters.deploy.reading.values import (
    Partial,
    TextValue,
    Unknown,
    boolean_value,
    get,
    list_value,
    text_value,
    word,
)


def tables_in(
    resources: Mapping[str, Facts], urls: Iterable[TextValue | None], elsewhere: Callable[[TextValue], None]
) -> Iterator[Table]:
    """Yield the tables of *resources* that *urls* of ledgers or stores name; *elsewhere* is told the names of others."""
    for name in dict.fromkeys(each for each in map(table_of, urls) if each is not None):
        for logical, facts in resources.items():
            if name == text_value(facts.get("TableName")) or (isinstance(name, Unknown) and name.resource == logical):
                yield _table(logical, facts)
                break
        else:
            elsewhere(name)


def _table(name: str, facts: Facts) -> Table:
    keys = [word(get(each, "AttributeName")) or "" for each in list_value(get(facts, "KeySchema"))]
    unknown = next((each for each in keys if isinstance(each, Unknown)), None)
    alive = get(facts, "TimeToLiveSpecification")
    enabled = boolean_value(get(alive, "Enabled"))
    ttl = word(get(alive, "AttributeName")) or ""
    # A global table says both of each of its replicas.
    replica = next(iter(list_value(get(facts, "Replicas"))), facts)
    restorable = boolean_value(get(replica, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"))
    protected = boolean_value(get(replica, "DeletionProtectionEnabled"))
    return Table(
        name,
        unknown or ",".join(each for each in keys if isinstance(each, str)),
        enabled if isinstance(enabled, Unknown) else ttl if enabled else "",
        False if restorable is None else restorable,
        False if protected is None else protected,
    )


def rights_in(
    roles: Mapping[str, Facts], policies: Iterable[Facts], function: Facts
) -> tuple[Facts, ...] | Unknown | None:
    """Return the statements of the role of *function*, if it is one of *roles*; *policies* are those beside roles."""
    named = text_value(get(function, "Role"))
    name = named.resource if isinstance(named, Unknown) else ""
    if name not in roles:
        return None
    for each in list_value(get(roles[name], "ManagedPolicyArns")):
        said = text_value(each)
        last = said.parts[-1] if isinstance(said, Partial) else said
        if not (isinstance(last, str) and last.endswith(LOGS_ALONE)):
            return Unknown(f"the role {name} has policies that are not in the template")
    attached = [each for each in policies if any(_is(role, name) for role in list_value(get(each, "Roles")))]
    documents = [get(each, "PolicyDocument") for each in (*list_value(get(roles[name], "Policies")), *attached)]
    found = [statement for document in documents for statement in list_value(get(document, "Statement"))]
    unknown = next((each for each in (*documents, *found) if not isinstance(each, Mapping)), None)
    if unknown is not None:
        return unknown if isinstance(unknown, Unknown) else Unknown(f"a policy of the role {name} is no object")
    return tuple(cast("list[Facts]", found))


def _is(role: object, name: str) -> bool:
    return isinstance(role, Unknown) and role.resource == name


def merged(shared: Facts, own: Facts) -> Facts:
    """Return SAM's globals with what a function says itself: objects are merged, lists joined, all else is replaced."""
    made: dict[str, Any] = {**shared, **own}
    for name in shared.keys() & own.keys():
        one, other = shared[name], own[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            made[name] = merged(cast("Facts", one), cast("Facts", other))
        elif isinstance(one, list) and isinstance(other, list):
            made[name] = [*one, *other]
    return made
