"""Values of a template: known, absent (None), or not known before the deployment (`Unknown`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from attrs import frozen

OTHER_CALLERS = "\0others"
"""The member of an object that says what all members are that it does not name."""
_LONGEST_NUMBER = 15


@frozen
class Unknown:
    """A value that only the deployment gives. Two that are equal will be the same value.

    Attributes:
        why: what it depends on, for people.
        resource: the logical name of what has it, or a pseudo parameter; empty if it is neither.
        attribute: which attribute of the resource it is; empty for what Ref gives.
        term: the whole term, where *why* does not tell two apart.
    """

    why: str
    resource: str = ""
    attribute: str = ""
    term: str = ""


@frozen
class Partial:
    """A text of which a part is not known."""

    parts: tuple[str | Unknown, ...]

    @property
    def unknown(self) -> Unknown:
        """The first part that is not known."""
        return next(each for each in self.parts if isinstance(each, Unknown))


TextValue: TypeAlias = str | Partial | Unknown


def joined(parts: Iterable[TextValue]) -> TextValue:
    """Return the text that *parts* make, one behind the other."""
    made: list[str | Unknown] = []
    for part in parts:
        for each in part.parts if isinstance(part, Partial) else (part,):
            if isinstance(each, str) and made and isinstance(made[-1], str):
                made[-1] += each
            elif each != "":
                made.append(each)
    if not made:
        return ""
    return made[0] if len(made) == 1 else Partial(tuple(made))


def get(facts: object, *path: str) -> Any:
    """Return what *path* leads to in *facts*: a value, None if it is absent, or `Unknown`."""
    value = facts
    for name in path:
        if value is None or isinstance(value, Unknown):
            return value
        if isinstance(value, Partial):
            return value.unknown
        if not isinstance(value, Mapping):
            return Unknown(f"what should hold {name} is no object")
        fields = cast("Mapping[str, object]", value)
        value = fields.get(name, fields.get(OTHER_CALLERS))
    return value


def members(value: object) -> Mapping[str, Any]:
    """Return the object *value*: an empty one if it is absent, one of unknown members if it is not known."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    return {OTHER_CALLERS: get(value, "its members")}


def elements(value: object) -> tuple[Any, ...]:
    """Return what is in the list *value*; nothing if it is none."""
    return tuple(cast("Any", value)) if isinstance(value, list) else ()


def list_value(value: object) -> tuple[Any, ...]:
    """Return the list *value*, or the one thing that stands for a list; an `Unknown` in it is one or more."""
    if value is None:
        return ()
    return tuple(cast("list[Any]", value)) if isinstance(value, list | tuple) else (value,)


def text_value(value: object) -> TextValue | None:
    """Return *value* as text, which may be known in part."""
    match value:
        case None | str() | Partial() | Unknown():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return Unknown("it is no text")


def word(value: object) -> str | Unknown | None:
    """Return *value* as text that is known as a whole, or not known."""
    said = text_value(value)
    return said.unknown if isinstance(said, Partial) else said


def words(value: object) -> tuple[str | Unknown, ...]:
    """Return the texts of the list *value*."""
    return tuple(said for each in list_value(value) if (said := word(each)) is not None)


def number_value(value: object) -> int | Unknown | None:
    """Return *value* as a whole number. CloudFormation takes numbers as text, and a parameter's value always is one."""
    said = word(value)
    if said is None or isinstance(said, Unknown):
        return said
    digits = said.strip().removesuffix(".0")
    if digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
        return int(digits)
    return Unknown("it is no number")


def boolean_value(value: object) -> bool | Unknown | None:
    """Return *value* as true or false, which CloudFormation takes as text too."""
    said = word(value)
    if said is None or isinstance(said, Unknown):
        return said
    known = {"true": True, "false": False}.get(said.strip().lower())
    return Unknown("it is neither true nor false") if known is None else known


def behind(parts: tuple[str | Unknown, ...], mark: str) -> tuple[str | Unknown, ...]:
    """Return what is behind *mark* in a text, or the text if it is not there."""
    for place, each in enumerate(parts):
        if isinstance(each, str) and mark in each:
            rest = each.partition(mark)[2]
            return (*([rest] if rest or place + 1 == len(parts) else []), *parts[place + 1 :])
    return parts


def behind_colon(tail: TextValue) -> TextValue:
    """Return *tail* without the colon that it begins with, if any."""
    first, *more = tail.parts if isinstance(tail, Partial) else (tail,)
    return joined((first.removeprefix(":") if isinstance(first, str) else first, *more))
