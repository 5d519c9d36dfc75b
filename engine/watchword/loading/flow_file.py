"""Load a flow from a TOML file: the same value as the Python form."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import attrs
from attrs import field, frozen

from watchword.algebra.blocks import (
    STEP_NAME,
    Block,
    Condition,
    all_of,
    ask_first,
    at_least,
    attribute,
    client,
    enrol,
    enrolled,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra.flow import Flow
from watchword.algebra.limits import Limits
from watchword.algebra.lowering import check_name
from watchword.errors import ConfigurationError
from watchword.loading import toml_positions
from watchword.loading.flow_text import decode_flow, expect_short, read_flow_bytes
from watchword.loading.registry import Registry, expect_registry

_MAX_DEPTH = 32
"""How deep brackets may nest: a block in a block takes two."""

_TOP = ("name", "require", "unwanted_srp", "limits", "accept", "steps")
_LISTED: Mapping[str, Callable[..., Block]] = {
    "sequence": sequence,
    "one_of": one_of,
    "all_of": all_of,
    "fallback": fallback,
}
_SINGLE: Mapping[str, Callable[..., Block]] = {"ask_first": ask_first}
_COMPANIONS: Mapping[str, tuple[str, ...]] = {"at_least": ("of",), "when": ("then", "otherwise")}
_WHEN = '{ when = { attribute = "custom:tier", equals = "gold" }, then = { … } }'
_ABOVE = "in TOML what belongs to the flow is written above the first [[steps]]"
_BLOCK_WORDS = ("kind", *_LISTED, *_COMPANIONS, *_SINGLE, "enrol")

P = ParamSpec("P")
T = TypeVar("T")


def load_flow(path: str | Path, registry: Registry | None = None) -> Flow:
    """Return the flow of the TOML file at *path*, at most 256 KiB of UTF-8; kinds are found by *registry*.

    The steps are a sequence. A single step is the flow's body itself: ``steps = [{ kind = "email_otp" }]`` is
    ``Flow(EmailOtp())``. A step with a ``name`` is ``named(name, kind)``. Lists in settings become tuples.

    Raises:
        ConfigurationError: if it is no flow; the message gives the line and the key's path.
    """
    path = Path(path)
    return flow_from_text(decode_flow(read_flow_bytes(path), path), path, registry)


def flow_from_text(text: str, path: Path, registry: Registry | None = None) -> Flow:
    """Return the flow that *text* is in TOML, as `load_flow` does; errors name it *path*.

    Raises:
        ConfigurationError: as `load_flow`.
    """
    expect_short(text.encode("utf-8", "replace"), path)
    deep = toml_positions.too_deep(text, _MAX_DEPTH)
    if deep:
        raise ConfigurationError(
            f"{path}, line {deep}: nested more than {_MAX_DEPTH} deep; write a flow that is flatter"
        )
    try:
        top = tomllib.loads(text + "\n")  # else it says "at end of document" for the last line
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError is one, a number of 5000 digits another
        raise ConfigurationError(f"{path} is no TOML: {str(error)[:200]}") from error
    try:
        flow = _Reader(Registry() if registry is None else expect_registry(registry)).flow(top)
    except _WrongError as wrong:
        key, why = _shown(wrong.path), wrong.why
        named_already = not key or why.startswith(f"{key} ")
        place = _place(path, text, wrong.path)
        raise ConfigurationError(f"{place}{'' if named_already else f'{key}: '}{why}") from wrong.__cause__
    # What only `check` reads, it refuses; looked up then alone.
    object.__setattr__(flow, "_places", partial(_place, path, text))
    return flow


def make_kind(kind: type[Any], settings: Mapping[str, Any]) -> object:
    """Return the *kind* with *settings*, as the table of a step in a flow's file gives them.

    Raises:
        ConfigurationError: if one is unknown, wrong or missing.
    """
    try:
        return _made(kind, kind.kind, settings, ())
    except _WrongError as wrong:
        raise ConfigurationError(wrong.why) from wrong.__cause__


class _WrongError(Exception):
    """What is wrong at *path*; `load_flow` adds file and line."""

    def __init__(self, path: toml_positions.Path, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


@frozen
class _Reader:
    """Reads one document."""

    registry: Registry
    names: dict[str, toml_positions.Path] = field(factory=dict[str, toml_positions.Path])
    kinds: list[tuple[str, toml_positions.Path]] = field(factory=list[tuple[str, toml_positions.Path]])

    def flow(self, top: Mapping[str, Any]) -> Flow:
        _refuse_unknown(top, _TOP, (), "a flow")
        given: dict[str, Any] = {
            key: _text_of(top[key], (key,)) for key in ("name", "require", "unwanted_srp") if key in top
        }
        if "limits" in top:
            given["limits"] = _limits(_table(top["limits"], ("limits",)))
        if "accept" in top:
            accepted = _table(top["accept"], ("accept",))
            given["accept"] = {code: _text_of(reason, ("accept", code)) for code, reason in accepted.items()}
        if "steps" not in top:
            raise _WrongError((), 'there are no steps: write [[steps]] and, below it, kind = "email_otp"')
        steps = self.blocks(top["steps"], ("steps",))
        body = steps[0] if len(steps) == 1 else sequence(*steps)
        try:
            return Flow(body, **given)
        except ConfigurationError as error:
            said = str(error)
            blamed = next((key for key in given if re.match(rf"(the flow's )?{key} is ", said)), None)
            raise _WrongError((blamed,) if blamed else self.blamed(said), said) from error

    def blamed(self, said: str) -> toml_positions.Path:
        """Return where the kind stands that *said* names first, such as ``Srp()``; nothing if it names none, or one of several."""
        named = [(at.start(), path) for made_by, path in self.kinds if (at := re.search(rf"\b{made_by}\(", said))]
        first = [path for at, path in named if at == min(named)[0]]
        return first[0] if len(first) == 1 else ()

    def blocks(self, value: object, path: toml_positions.Path) -> list[Block]:
        if not isinstance(value, list):
            raise _WrongError(path, f'is {_type(value)}; write a list of blocks, such as [{{ kind = "email_otp" }}]')
        listed = cast("list[object]", value)
        if not listed:
            raise _WrongError(path, 'is empty; write a block at least, such as { kind = "email_otp" }')
        return [self.block(one, (*path, place)) for place, one in enumerate(listed)]

    def block(self, value: object, path: toml_positions.Path) -> Block:
        if not isinstance(value, dict):
            raise _WrongError(path, f'is {_type(value)}; a block is a table, such as {{ kind = "email_otp" }}')
        table = cast("dict[str, Any]", value)
        words = [key for key in table if key in _BLOCK_WORDS]
        if not words:
            if "if" in table or not table.keys().isdisjoint(_COMPANIONS["when"]):
                key = next(key for key in table if key in {"if", *_COMPANIONS["when"]})
                raise _WrongError((*path, key), f"{key!r} says no condition; write {_WHEN}")
            for key in table:
                if _close(key, _BLOCK_WORDS):
                    raise _WrongError((*path, key), f"there is no {key!r}{did_you_mean(key, _BLOCK_WORDS)}")
            raise _WrongError(path, f"says no kind and is no other block; give it one of {', '.join(_BLOCK_WORDS)}")
        if len(words) > 1:
            raise _WrongError(
                (*path, words[1]), f"{words[0]} and {words[1]} are two blocks; put each in a table of its own"
            )
        (word,) = words
        if word == "kind":
            return self.step(table, path)
        if word == "enrol":
            return self.enrol(table, path)
        _refuse_unknown(table, (word, *_COMPANIONS.get(word, ())), path, word)
        if word == "at_least":
            return self.at_least(table, path)
        if word == "when":
            return self.when(table, path)
        if word in _SINGLE:
            return _built((*path, word), _SINGLE[word], self.block(table[word], (*path, word)))
        return _built((*path, word), _LISTED[word], *self.blocks(table[word], (*path, word)))

    def at_least(self, table: Mapping[str, Any], path: toml_positions.Path) -> Block:
        if "of" not in table:
            raise _WrongError(path, "at_least has no of; write { at_least = 2, of = [ … ] }")
        return _built((*path, "at_least"), at_least, table["at_least"], *self.blocks(table["of"], (*path, "of")))

    def when(self, table: Mapping[str, Any], path: toml_positions.Path) -> Block:
        condition = _condition(table["when"], (*path, "when"))
        if "then" not in table:
            raise _WrongError(path, f"when has no then; write {_WHEN}")
        then = self.block(table["then"], (*path, "then"))
        otherwise = self.block(table["otherwise"], (*path, "otherwise")) if "otherwise" in table else None
        return _built(path, when, condition, then, otherwise)

    def step(self, table: Mapping[str, Any], path: toml_positions.Path) -> Block:
        kind_name, made = self.kind(table, path, own=("name",))
        return self.named(table, path, kind_name, made)

    def enrol(self, table: Mapping[str, Any], path: toml_positions.Path) -> Block:
        _refuse_unknown(table, ("enrol", "name"), path, "enrol")
        inner = (*path, "enrol")
        given = table["enrol"]
        if not isinstance(given, dict):
            raise _WrongError(inner, f'is {_type(given)}; write the kind as a table, such as {{ kind = "totp" }}')
        settings = cast("dict[str, Any]", given)
        if "kind" not in settings:
            raise _WrongError(inner, 'says no kind; write { enrol = { kind = "totp" } }')
        if "name" in settings:
            raise _WrongError((*inner, "name"), "belongs to the step: write it beside enrol")
        kind_name, made = self.kind(settings, inner)
        return self.named(table, path, f"enrol_{kind_name}", _built(inner, enrol, made))

    def kind(self, table: Mapping[str, Any], path: toml_positions.Path, own: tuple[str, ...] = ()) -> tuple[str, Any]:
        """Return the kind that *table* says, with its name; *own* are keys that are not its settings."""
        kind_name = _text_of(table["kind"], (*path, "kind"))
        kind = _built((*path, "kind"), self.registry.find_kind, kind_name)
        given = {key: value for key, value in table.items() if key not in {"kind", *own}}
        made = _made(kind, kind_name, given, path)
        self.kinds.append((type(made).__name__, path))
        return kind_name, made

    def named(self, table: Mapping[str, Any], path: toml_positions.Path, usual: str, made: Any) -> Block:
        """Return the step *made* under the name that *table* gives it, else under its *usual* one."""
        name = _text_of(table["name"], (*path, "name")) if "name" in table else usual
        if not STEP_NAME.fullmatch(name):
            why = f"{name[:40]!r} is no name of a step: 2 to 32 of a-z, 0-9 and _, beginning with a letter"
            # In a table of [[steps]] itself, it may be meant for the flow.
            raise _WrongError((*path, "name"), f"{why} ({_ABOVE})" if len(path) == 2 else why)
        if name in self.names:
            raise _WrongError(
                (*path, "name") if "name" in table else path,
                f'{_shown(self.names[name])} is named "{name}" too; give one of them another name with name = "…"',
            )
        _built((*path, "name" if "name" in table else "kind"), check_name, "step", name)
        self.names[name] = path
        return _built((*path, "name"), named, name, made) if "name" in table else cast("Block", made)


def _made(kind: type[Any], name: str, given: Mapping[str, Any], path: toml_positions.Path) -> object:
    """Return the *kind* with the settings *given*."""
    fields = [each for each in attrs.fields(kind) if each.init] if attrs.has(kind) else []
    settings = {str(each.alias): each for each in fields if not each.name.startswith("_")}
    _refuse_unknown(given, tuple(settings), path, name)
    required = [setting for setting, each in settings.items() if each.default is attrs.NOTHING and setting not in given]
    if required:
        raise _WrongError(path, f"{name} needs {', '.join(required)}")
    try:
        return kind(**{setting: _tupled(value) for setting, value in given.items()})
    except (Exception, SystemExit) as error:  # attrs' own validators raise TypeError and ValueError
        why = str(error.args[0] if error.args else error)[:300]
        blamed = next((setting for setting in given if re.match(rf"\W*({re.escape(name)}\W+)?{setting}\b", why)), None)
        why = why if isinstance(error, ConfigurationError) else f"{name} refuses this: {why}"
        raise _WrongError((*path, blamed) if blamed else path, why) from error


def _limits(table: Mapping[str, Any]) -> Limits:
    _refuse_unknown(table, tuple(each.name for each in attrs.fields(Limits)), ("limits",), "limits")
    for key, value in table.items():
        _check_limit(value, ("limits", key))
        _built(("limits", key), Limits, **{key: value})
    return Limits(**table)


def _check_limit(value: object, path: toml_positions.Path) -> None:
    if isinstance(value, list):
        for place, one in enumerate(cast("list[object]", value)):
            _text_of(one, (*path, place))
    elif not isinstance(value, str):
        raise _WrongError(path, f'is {_type(value)}; write text such as "10/day", or a list of such texts')


def _condition(value: object, path: toml_positions.Path) -> Condition:
    table = _table(value, path)
    _refuse_unknown(table, ("attribute", "equals", "client", "enrolled"), path, "when")
    texts = {key: _text_of(each, (*path, key)) for key, each in table.items()}
    match texts:
        case {"client": id_, **others} if not others:
            return _built(path, client, id_)
        case {"attribute": name, "equals": wanted, **others} if not others:
            return _built(path, attribute, name, wanted)
        case {"enrolled": kind, **others} if not others:
            return _built(path, enrolled, kind)
        case _:
            raise _WrongError(
                path,
                'is no condition; write { attribute = "custom:tier", equals = "gold" }, { client = "an app client\'s id" } or '
                '{ enrolled = "totp" }',
            )


def _place(file: Path, text: str, path: toml_positions.Path) -> str:
    """Return the *file*, and the line of *path* or of the nearest thing around it that has one."""
    lines = toml_positions.lines_of(text)
    line = next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)
    return f"{file}, line {line}: " if line else f"{file}: "


def _shown(path: toml_positions.Path) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:40]}" for part in path)
    return "".join(parts).removeprefix(".")


def _built(path: toml_positions.Path, make: Callable[P, T], *values: P.args, **named_values: P.kwargs) -> T:
    """Return what *make* makes of the values; what it refuses is wrong at *path*."""
    try:
        return make(*values, **named_values)
    except ConfigurationError as error:
        # The path names the block already.
        raise _WrongError(path, str(error).removeprefix(f"{path[-1]}: " if path else "")) from error


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], path: toml_positions.Path, owner: str) -> None:
    for key in table:
        if key in _TOP and key not in {*known, "name"}:
            raise _WrongError((*path, key), f"{owner} has no {key!r}: it belongs to the flow; {_ABOVE}")
        if key not in known:
            others = [each for each in known if each != owner]
            there = (
                f"there is {', '.join(others)}"
                if others
                else "it takes nothing else"
                if known
                else "it takes no settings"
            )
            raise _WrongError((*path, key), f"{owner} has no {key[:40]!r}{did_you_mean(key, known) or f'; {there}'}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return which of *known* may be meant by *name*, as the end of a message; empty if none comes close."""
    close = _close(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _close(name: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    return get_close_matches(name[:40], list(known), n=2)


def _table(value: object, path: toml_positions.Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError(path, f"is {_type(value)}; write a table, {{ … }}")
    return cast("dict[str, Any]", value)


def _text_of(value: object, path: toml_positions.Path) -> str:
    if not isinstance(value, str):
        raise _WrongError(path, f'is {_type(value)}; write a text, "…"')
    return value


def _tupled(value: object) -> object:
    if isinstance(value, list):
        return tuple(map(_tupled, cast("list[object]", value)))
    if isinstance(value, dict):
        return {key: _tupled(each) for key, each in cast("dict[str, object]", value).items()}
    return value


def _type(value: object) -> str:
    match value:
        case str():
            return "a text"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
