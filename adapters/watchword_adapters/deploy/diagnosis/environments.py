"""What the environment of a function says: findings on keys, ledgers and logging."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import partial

from watchword.errors import ConfigurationError
from watchword.runtime.keyring import Keyring
from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said, findings_on
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, NotKnown
from watchword_adapters.deploy.reading.values import (
    Partial,
    TextValue,
    Unknown,
    get,
    word,
)
from watchword_adapters.ledgers.dynamodb_table import table_from_url

_DEBUG = {"DEBUG", "TRACE"}
_LEVELS = ("AWS_LAMBDA_LOG_LEVEL", "LOG_LEVEL", "LOGLEVEL", "POWERTOOLS_LOG_LEVEL")
_SWITCHES = ("WATCHWORD_DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT", "POWERTOOLS_DEV")


def environments(deployment: Deployment) -> Iterator[Said]:
    """Yield what is wrong with the variables of the functions, each by itself and together."""
    every = {**deployment.functions, **deployment.apis}
    functions = {name: each for name, each in every.items() if each.facts is not None}
    stateful = {name: each for name, each in functions.items() if name != "define"}
    for trigger, function in stateful.items():
        key, root = function.setting("WATCHWORD_KEY"), function.setting("WATCHWORD_ROOT_KEY")
        yield from _key(trigger, key)
        yield from _root(trigger, key, root)
        yield from findings_on(
            scheme_of(function.setting("WATCHWORD_LEDGER")),
            f"the ledger of {trigger}",
            lambda scheme: scheme in {"", "process-only", "memory", "sqlite"},
            partial(_own_ledger, trigger),
        )
        for variable, what in (("WATCHWORD_LEDGER", "ledger"), ("WATCHWORD_CREDENTIALS", "credentials")):
            yield from _table(trigger, variable, what, function.setting(variable))
    for trigger, function in functions.items():
        yield from _loud(trigger, function)
    # All are compared with one: what it shares with each, they share.
    first, *others = stateful or ("",)
    for other in others:
        for variable in ("WATCHWORD_KEY", "WATCHWORD_ROOT_KEY", "WATCHWORD_LEDGER", "WATCHWORD_CREDENTIALS"):
            both = stateful[first].setting(variable), stateful[other].setting(variable)
            if both[0] != both[1] and (variable != "WATCHWORD_CREDENTIALS" or all(both)):
                yield from _differing(f"{first} and {other}", variable, *both)


def _table(trigger: str, variable: str, what: str, said: TextValue | None) -> Iterator[Said]:
    """Tell why the function cannot read the URL of a table of DynamoDB; another URL may be of something that is not installed here."""
    if not isinstance(said, str) or scheme_of(said) != "dynamodb":
        return
    try:
        table_from_url(said, what)
    except ConfigurationError as error:
        yield DoctorFinding(
            "WD48",
            f"{trigger} cannot read {variable}: {error}: it does not start",
            f"set {variable} to what the finding asks for",
        )


def _own_ledger(trigger: str, _: object) -> DoctorFinding:
    return DoctorFinding(
        "WD19",
        f"{trigger} has no ledger that all containers share: each has budgets of its own, and a code works once in each",
        "set WATCHWORD_LEDGER=dynamodb://TABLE",
    )


def _differing(who: str, name: str, one: TextValue | None, other: TextValue | None) -> Iterator[Said]:
    if _must_differ(_parts(one), _parts(other)):
        yield DoctorFinding(
            "WD24",
            f"{who} differ in {name}: "
            + ("tokens tell nothing" if who.endswith(PRE_TOKEN) else "right answers are judged wrong"),
            f"give both the same {name}",
        )
    else:
        unknown = next(each for each in (*_parts(one), *_parts(other)) if isinstance(each, Unknown))
        yield NotKnown(f"whether {who} have the same {name}", unknown.why)


def _parts(said: TextValue | None) -> tuple[str | Unknown, ...]:
    return said.parts if isinstance(said, Partial) else (said or "",)


def _must_differ(one: tuple[str | Unknown, ...], other: tuple[str | Unknown, ...]) -> bool:
    """Return whether two texts that are not equal cannot become so by what is not known of them."""
    for whole, parts in ((one, other), (other, one)):
        if len(whole) == 1 and isinstance(whole[0], str):
            first, last = (each if isinstance(each, str) else "" for each in (parts[0], parts[-1]))
            return parts == (first,) or not (whole[0].startswith(first) and whole[0].endswith(last))
    if isinstance(one[0], str) and isinstance(other[0], str) and not _one_begins(one[0], other[0]):
        return True
    shapes = [tuple("" if isinstance(each, Unknown) else each for each in parts) for parts in (one, other)]
    # Two resources of the template are not the same.
    return shapes[0] == shapes[1] and all(
        each.resource for parts in (one, other) for each in parts if isinstance(each, Unknown)
    )


def _one_begins(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def scheme_of(said: TextValue | None) -> str | Unknown:
    """Return what is before the colon of a URL; the whole if there is none."""
    first = said.parts[0] if isinstance(said, Partial) else said
    if isinstance(first, Unknown):
        return first
    scheme, colon, _ = (first or "").partition(":")
    return said.unknown if isinstance(said, Partial) and not colon else scheme.strip().lower()


def schemes_of(said: TextValue | None) -> tuple[str | Unknown, ...]:
    """Return what is before the colons of URLs with spaces between, as far as they are known."""
    return tuple(map(scheme_of, said.split())) if isinstance(said, str) else (scheme_of(said),)


def _root(trigger: str, key: TextValue | None, root: TextValue | None) -> Iterator[Said]:
    if root and root == key and not isinstance(root, Unknown):
        yield DoctorFinding(
            "WD32",
            f"{trigger} has one secret for WATCHWORD_ROOT_KEY and WATCHWORD_KEY: the root key rotates with the other one",
            "keep the root key in a secret of its own",
        )
    elif root:
        yield from _key(trigger, root, "WATCHWORD_ROOT_KEY")
    elif scheme_of(key) == "secretsmanager":
        yield DoctorFinding(
            "WD32",
            f"{trigger} has no root key: from the second rotation on, budgets begin anew and sign-ins break",
            "keep the oldest key of today in a secret of its own, and set WATCHWORD_ROOT_KEY=secretsmanager://NAME",
        )


def _key(trigger: str, key: TextValue | None, variable: str = "WATCHWORD_KEY") -> Iterator[Said]:
    match key:
        case Partial((str() as before, *_)) if "://" in before:
            return
        case Unknown() | Partial():
            unknown = key.unknown if isinstance(key, Partial) else key
            if unknown.term.startswith("{{resolve:secretsmanager:"):
                yield _in_environment(trigger, variable)
            else:
                yield NotKnown(f"the key of {trigger}: {variable}", unknown.why)
            return
        case None | str():
            key = key or ""
    if "://" in key:
        return
    try:
        Keyring.of([base64.b64decode(each.strip(), validate=True) for each in key.split(",") if each.strip()])
    except (ConfigurationError, ValueError):
        what = "has a weak or unreadable key" if key.strip() else "has no key"
        yield DoctorFinding(
            "WD10", f"{trigger} {what}: {variable}", "keep a random key in Secrets Manager: secretsmanager://NAME"
        )
    else:
        yield _in_environment(trigger, variable)


def _in_environment(trigger: str, variable: str) -> DoctorFinding:
    return DoctorFinding(
        "WD11",
        f"{trigger} has the key itself in {variable}, for all who may see its configuration",
        f"move it into Secrets Manager, set {variable}=secretsmanager://NAME, and change it",
    )


def _loud(trigger: str, function: DeployedFunction) -> Iterator[Said]:
    levels = {"ApplicationLogLevel": word(get(function.facts, "LoggingConfig", "ApplicationLogLevel"))} | {
        name: word(function.setting(name)) for name in _LEVELS
    }
    switches = {name: word(function.setting(name)) for name in _SWITCHES}
    loud = [name for name, said in levels.items() if isinstance(said, str) and said.upper() in _DEBUG]
    loud += [name for name, said in switches.items() if isinstance(said, str) and said.lower() in {"1", "true"}]
    if loud:
        yield DoctorFinding(
            "WD12",
            f"{trigger} logs for debugging ({loud[0]}): events and addresses may get into the log",
            f"unset {loud[0]}",
        )
        return
    for said in (*levels.values(), *switches.values()):
        if isinstance(said, Unknown):
            yield NotKnown(f"whether {trigger} logs for debugging", said.why)
