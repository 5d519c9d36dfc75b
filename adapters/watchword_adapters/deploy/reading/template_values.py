"""Resolves the values of a template: parameters, intrinsic functions, conditions and dynamic references."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from attrs import field, frozen

from watchword_adapters.deploy.reading.values import (
    OTHER_CALLERS,
    Partial,
    TextValue,
    Unknown,
    elements,
    get,
    joined,
    list_value,
    members,
    text_value,
    word,
)

_LONGEST_TEXT = 4096  # CloudFormation's limit for a parameter's value
_LONGEST_NAME = 80
_MOST_CONDITIONS = 50  # each on the next
_DYNAMIC = re.compile(r"(\{\{resolve:[^{}]{1,2048}\}\})")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_INDEX = re.compile(r"[0-9]{1,3}")
_NOTHING = object()


@frozen
class TemplateValues:
    """The values of a template. What only the deployment gives is `Unknown`.

    A parameter stands for its default.
    """

    document: Mapping[str, Any]
    _conditions: dict[str, bool | None] = field(factory=dict[str, "bool | None"])
    _open: list[str] = field(factory=list[str])

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources as they were written, by logical name."""
        found = self.document.get("Resources")
        return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}

    def value(self, term: object) -> Any:
        """Return what *term* stands for; None for what AWS::NoValue takes away."""
        found = self._value(term)
        return None if found is _NOTHING else found

    def holds(self, condition: object) -> bool | None:
        """Return whether the condition of that name holds; None if that is not known."""
        if not isinstance(condition, str):
            return None
        if condition not in self._conditions:
            if len(self._open) >= _MOST_CONDITIONS:
                return None
            self._conditions[condition] = None  # what it is while it is worked out: a condition on itself is not known
            self._open.append(condition)
            self._conditions[condition] = self._holds(get(members(self.document.get("Conditions")), condition))
            self._open.pop()
        return self._conditions[condition]

    def _holds(self, term: object) -> bool | None:
        if not isinstance(term, Mapping) or len(cast("Any", term)) != 1:
            return None
        name, inner = next(iter(cast("Mapping[str, Any]", term).items()))
        match name:
            case "Condition":
                return self.holds(inner)
            case "Fn::Not":
                [held] = [self._holds(each) for each in list_value(inner)] if len(list_value(inner)) == 1 else [None]
                return None if held is None else not held
            case "Fn::And" | "Fn::Or":
                settles = name == "Fn::Or"
                held_all = [self._holds(each) for each in list_value(inner)]
                if settles in held_all:
                    return settles
                return None if None in held_all or not held_all else not settles
            case "Fn::Equals":
                if len(list_value(inner)) != 2:
                    return None
                one, other = (text_value(self.value(each)) for each in list_value(inner))
                if one == other:
                    return True
                return False if isinstance(one, str) and isinstance(other, str) else None
            case _:
                return None

    def _value(self, term: object) -> Any:
        match term:
            case str():
                return self._text(term)
            case list():
                found = [self._value(each) for each in cast("list[object]", term)]
                return [each for each in found if each is not _NOTHING]
            case dict():
                return self._object({str(name): each for name, each in cast("dict[Any, object]", term).items()})
            case _:
                return term

    def _object(self, fields: Mapping[str, object]) -> Any:
        if len(fields) == 1:
            [(name, inner)] = fields.items()
            if name == "Ref":
                return self._ref(inner)
            if name.startswith("Fn::"):
                return self._function(name, inner)
        found: dict[str, object] = {}
        for name, inner in fields.items():
            if name.startswith("Fn::"):
                # A macro's: it may add anything.
                found[OTHER_CALLERS] = Unknown(f"{_short(name)} may say it")
            elif (value := self._value(inner)) is not _NOTHING:
                found[name] = value
        return found

    def _text(self, said: str) -> TextValue:
        if "{{resolve:" not in said:
            return said
        return joined(
            Unknown(f"the dynamic reference {_short(each)}", term=each) if place % 2 else each
            for place, each in enumerate(_DYNAMIC.split(said))
        )

    def _ref(self, name: object) -> Any:
        if not isinstance(name, str):
            return Unknown("a Ref of no name")
        if name == "AWS::NoValue":
            return _NOTHING
        if name.startswith("AWS::"):
            return Unknown(f"the pseudo parameter {_short(name)}", resource=name)
        if name in members(self.document.get("Parameters")):
            return self._parameter(name)
        return Unknown(f"the name of the resource {_short(name)}", resource=name)

    def _parameter(self, name: str) -> Any:
        described = get(self.document, "Parameters", name)
        typed, default = get(described, "Type"), get(described, "Default")
        if isinstance(typed, str) and typed.startswith("AWS::SSM::"):
            return Unknown(f"the parameter {_short(name)} is read from Parameter Store", term=name)
        if default is None or isinstance(default, Unknown):
            return Unknown(f"the parameter {_short(name)} has no default", term=name)
        said = text_value(default)
        if not isinstance(said, str) or len(said) > _LONGEST_TEXT:
            return Unknown(f"the default of the parameter {_short(name)} is none", term=name)
        if isinstance(typed, str) and (typed == "CommaDelimitedList" or typed.startswith("List<")):
            return [self._text(each.strip()) for each in said.split(",")]
        return self._text(said)

    def _function(self, name: str, inner: object) -> Any:
        term = {name: inner}
        match name:
            case "Fn::GetAtt":
                return self._attribute(inner)
            case "Fn::Sub":
                return self._substituted(inner)
            case "Fn::Join":
                return self._joined(inner)
            case "Fn::If":
                return self._chosen(inner)
            case "Fn::FindInMap":
                return self._mapped(inner)
            case "Fn::Select":
                return self._selected(inner)
            case "Fn::Split":
                given = list_value(inner)
                separator, said = (self._value(each) for each in given) if len(given) == 2 else (None, None)
                if isinstance(separator, str) and separator and isinstance(said, str):
                    return said.split(separator)
                return _unresolved(term, _cause(said) or name)
            case "Fn::ImportValue":
                return _unresolved(term, f"the import {_told(text_value(self._value(inner)))}")
            case _:
                return _unresolved(term, _short(name))

    def _attribute(self, inner: object) -> Unknown:
        parts = [each for each in list_value(inner) if isinstance(each, str)]
        if not parts or len(parts) < len(list_value(inner)):
            return _unresolved({"Fn::GetAtt": inner}, "Fn::GetAtt")
        resource, _, attribute = ".".join(parts).partition(".")
        if attribute in {"Alias", "Version"}:  # SAM: what it makes beside a function
            resource, attribute = f"{resource}.{attribute}", ""
        return Unknown(
            f"the attribute {_short(attribute)} of {_short(resource)}", resource=resource, attribute=attribute
        )

    def _substituted(self, inner: Any) -> TextValue:
        pattern, own = (*list_value(inner), None, None)[:2]
        if not isinstance(pattern, str) or len(list_value(inner)) > 2:
            return _unresolved({"Fn::Sub": inner}, "Fn::Sub")
        variables = members(own)
        parts: list[TextValue] = []
        for place, each in enumerate(_VARIABLE.split(pattern)):
            name = each.strip()
            if place % 2 == 0:
                parts.append(self._text(each))
            elif each.startswith("!"):
                parts.append("${" + each[1:] + "}")
            elif name in variables:
                parts.append(_as_text(self._value(variables[name])))
            elif "." in name:
                parts.append(self._attribute(name))
            else:
                parts.append(_as_text(self._ref(name)))
        return _bounded(joined(parts), {"Fn::Sub": inner})

    def _joined(self, inner: Any) -> TextValue:
        separator, given = (*list_value(inner), None, None)[:2]
        found = self._value(given)
        if not isinstance(separator, str) or not isinstance(found, list):
            return _unresolved({"Fn::Join": inner}, _cause(found) or "Fn::Join")
        parts: list[TextValue] = []
        for each in cast("list[object]", found):
            parts += [*([separator] if parts else []), _as_text(each)]
        return _bounded(joined(parts), {"Fn::Join": inner})

    def _chosen(self, inner: object) -> Any:
        given = list_value(inner)
        if len(given) != 3:
            return _unresolved({"Fn::If": inner}, "Fn::If")
        held = self.holds(given[0])
        if held is not None:
            return self._value(given[1 if held else 2])
        one, other = self._value(given[1]), self._value(given[2])
        return one if one == other else _unresolved({"Fn::If": inner}, f"the condition {_told(given[0])}")

    def _mapped(self, inner: object) -> Any:
        given = [self._value(each) for each in list_value(inner)]
        keys = [word(each) for each in given[:3]]
        unknown = [each.why for each in keys if isinstance(each, Unknown)]
        if len(keys) == 3 and not unknown:
            found = get(self.document, "Mappings", *map(str, keys))
            if found is None:
                found = get(given[3], "DefaultValue") if len(given) > 3 else None
            # A mapping holds texts and lists of texts, and no functions.
            several: tuple[object, ...] = elements(found) or (found,)
            if all(isinstance(each, str | int | float) for each in several):
                return found
        by = f" by {unknown[0]}" if unknown else ""
        return _unresolved({"Fn::FindInMap": inner}, f"the mapping {_told(keys[0] if keys else '')}{by}")

    def _selected(self, inner: object) -> Any:
        place, given = (*list_value(inner), None, None)[:2]
        index, found = word(self._value(place)), self._value(given)
        several = elements(found)
        if isinstance(index, str) and _INDEX.fullmatch(index) and int(index) < len(several):
            return several[int(index)]
        return _unresolved({"Fn::Select": inner}, _cause(index) or _cause(found) or "Fn::Select")


def _as_text(value: object) -> TextValue:
    if value is _NOTHING or value is None:
        return ""
    said = text_value(value)
    return "" if said is None else said


def _bounded(said: TextValue, term: object) -> TextValue:
    length = sum(len(each) for each in (said.parts if isinstance(said, Partial) else (said,)) if isinstance(each, str))
    return _unresolved(term, "a text that is longer than any of these") if length > _LONGEST_TEXT else said


def _unresolved(term: object, why: str) -> Unknown:
    return Unknown(why, term=json.dumps(term, default=str)[:_LONGEST_TEXT])


def _cause(value: object) -> str:
    if isinstance(value, Partial):
        return value.unknown.why
    return value.why if isinstance(value, Unknown) else ""


def _told(value: object) -> str:
    return _cause(value) or _short(str(value))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
