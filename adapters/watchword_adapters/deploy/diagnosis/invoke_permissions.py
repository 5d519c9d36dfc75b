"""The doctor's findings on who may invoke a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from watchword_adapters.deploy.diagnosis.doctor_finding import DoctorFinding, Said
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, Facts, NotKnown
from watchword_adapters.deploy.reading.values import (
    OTHER_CALLERS,
    Partial,
    TextValue,
    Unknown,
    get,
    list_value,
    members,
    text_value,
    words,
)


def permissions(trigger: str, function: DeployedFunction, deployment: Deployment) -> Iterator[Said]:
    """Yield what is wrong with who may call the function of *trigger*."""
    if function.statements is None:
        return
    if any(_is_wide(each) for each in function.statements):
        yield DoctorFinding(
            "WD06",
            f"{trigger} may be called by others than the pool: a permission has no SourceArn, or one with a star",
            "replace it by one whose SourceArn is the pool's ARN",
        )
    allowed = may_call(deployment.pool, function)
    if isinstance(allowed, Unknown):
        yield NotKnown(f"whether the pool may call {trigger}", allowed.why)
    if allowed is not False:
        return
    yield DoctorFinding(
        "WD05",
        f"the pool may not call {trigger}: every sign-in ends",
        "add the permission; the command stands below"
        if deployment.live
        else "add a permission for what the pool names: one for a function is none for its alias",
    )


def may_call(pool: Facts | None, function: DeployedFunction) -> bool | Unknown | None:
    """Return whether *pool* may call *function*; None if there is no pool, or the permissions could not be read."""
    if pool is None or function.statements is None:
        return None
    return _any(_lets(each, str(pool.get("Arn", ""))) for each in function.statements)


def _invokes(statement: Facts) -> bool | Unknown:
    if get(statement, "Effect") != "Allow":
        return False
    return _any(
        each if isinstance(each, Unknown) else each.lower() in {"lambda:invokefunction", "lambda:*", "*"}
        for each in words(get(statement, "Action"))
    )


def _any(judged: Iterable[bool | Unknown]) -> bool | Unknown:
    """Return whether one of *judged* is true; what is not known if only that may be."""
    several = list(judged)
    return True in several or next((each for each in several if isinstance(each, Unknown)), False)


def _sources(statement: Facts) -> list[TextValue]:
    conditions = members(get(statement, "Condition"))
    return [
        said
        for test in conditions
        for name, value in members(get(conditions, test)).items()
        if name.lower() in {"aws:sourcearn", OTHER_CALLERS}
        for each in list_value(value)
        if (said := text_value(each)) is not None
    ]


def _principals(statement: Facts) -> list[str | Unknown]:
    named = get(statement, "Principal")
    if isinstance(named, Mapping):
        return [each for value in cast("Facts", named).values() for each in words(value)]
    return list(words(named))


def _is_wide(statement: Facts) -> bool:
    # The operator's own accounts and roles may call.
    if _invokes(statement) is not True or not {"cognito-idp.amazonaws.com", "*"} & set(_principals(statement)):
        return False
    sources = _sources(statement)
    return not sources or any(_has_star(each) for each in sources)


def _has_star(source: TextValue) -> bool:
    parts = source.parts if isinstance(source, Partial) else (source,)
    return any(isinstance(each, str) and bool({"*", "?"} & set(each)) for each in parts)


def _lets(statement: Facts, arn: str) -> bool | Unknown:
    sources = _sources(statement)
    asked = (
        _invokes(statement),
        _any(
            each if isinstance(each, Unknown) else each in {"cognito-idp.amazonaws.com", "*"}
            for each in _principals(statement)
        ),
        _any(_is_source(each, arn) for each in sources) if sources else True,
    )
    return False not in asked and next((each for each in asked if isinstance(each, Unknown)), True)


def _is_source(source: TextValue, arn: str) -> bool | Unknown:
    match source:
        case Unknown():
            return source
        case Partial():
            return _has_star(source) or source.unknown  # a wide one is found by itself
        case _:
            return source == arn or _covers(source, arn)


def _covers(pattern: str, arn: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only for patterns

    return fnmatchcase(arn, pattern.replace("[", "[[]"))
