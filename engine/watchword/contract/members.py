"""The attributes and methods of powers: which values fit each, and how they are read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast, get_args

import attrs

from watchword.contract.kinds import Factor
from watchword.contract.ports import Permission, Reach
from watchword.errors import ConfigurationError

FACTORS: Final[tuple[str, ...]] = get_args(Factor)
METHOD_WORD: Final = re.compile("[a-z][a-z0-9_]{0,31}")
"""The form of a word for a method, as in the claim ``amr`` (RFC 8176)."""
ABSENT: Final = object()
"""What is read in place of what is not there."""
_LATER: Final = object()
"""What is read of a class in place of what only its instances have."""


@attrs.frozen(eq=False)
class Member:
    """One member: which values *fit*, in words *wanted*, and whether it may be a *setting* (a field of the attrs class)."""

    name: str
    fits: Callable[[object], bool]
    wanted: str
    setting: bool = False


def is_text(value: object) -> bool:
    """Say whether *value* is text, and not empty."""
    return isinstance(value, str) and bool(value)


def are_texts(value: object) -> bool:
    """Say whether *value* is a tuple of texts."""
    return isinstance(value, tuple) and all(map(is_text, cast("tuple[object, ...]", value)))


def are_named_texts(value: object) -> bool:
    """Say whether *value* is a mapping of texts to texts, and not empty."""
    pairs = list(cast("Mapping[object, object]", value).items()) if isinstance(value, Mapping) else []
    return bool(pairs) and all(is_text(each) for pair in pairs for each in pair)


def are_words(value: object) -> bool:
    """Say whether *value* is a frozenset of texts."""
    return isinstance(value, frozenset) and all(map(is_text, cast("frozenset[object]", value)))


def are_methods(value: object) -> bool:
    """Say whether *value* is a tuple of words for what a kind proves; ``mfa`` and ``pwd`` are the engine's."""
    return are_texts(value) and all(
        METHOD_WORD.fullmatch(each) and each not in {"mfa", "pwd"} for each in cast("tuple[str, ...]", value)
    )


def are_factors(value: object) -> bool:
    """Say whether *value* is a frozenset of factors; it may be empty."""
    return isinstance(value, frozenset) and value <= {*FACTORS}


def are_permissions(value: object) -> bool:
    """Say whether *value* is a tuple of `Permission`."""
    return isinstance(value, tuple) and all(isinstance(each, Permission) for each in cast("tuple[object, ...]", value))


def is_one_of(*words: str) -> Callable[[object], bool]:
    """Return what says whether a value is one of *words*."""
    return lambda value: isinstance(value, str) and value in words


def is_flag(value: object) -> bool:
    """Say whether *value* is True or False."""
    return isinstance(value, bool)


def are_seconds_of_padding(value: object) -> bool:
    """Say whether *value* is a number of seconds that a call can be padded to, inside its deadline."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3


def whole_number_from(low: int, high: int | None = None) -> Callable[[object], bool]:
    """Return what says whether a value is a whole number from *low* to *high*, both included."""

    def fits(value: object) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and low <= cast("int", value) and (high is None or cast("int", value) <= high)

    return fits


def read_power(thing: object, who: str, power: str, members: tuple[Member, ...]) -> dict[str, Any]:
    """Return what *thing*, which is called *who*, has of the *members* of *power*, by name: all or none.

    Of a class, nothing is read of a power that only its instances have.

    Raises:
        ConfigurationError: if it has some of them, or one of the wrong type.
    """
    found = members_found(thing, members)
    if any(value is _LATER for value in found.values()):
        return {}
    if found and len(found) < len(members):
        raise _half(thing, who, power, found, [member for member in members if member not in found])
    for member, value in found.items():
        check_member(who, member, value, power)
    return {member.name: value for member, value in found.items()}


def members_found(thing: object, members: Iterable[Member]) -> dict[Member, object]:
    """Return those of *members* that *thing* has, with their values."""
    found = {member: _value(thing, member) for member in members}
    return {member: value for member, value in found.items() if value is not ABSENT}


def _value(thing: object, member: Member) -> object:
    if not member.setting and any(each.name == member.name for each in fields_of(thing)):
        return ABSENT
    value = attribute_of(thing, member.name) if _is_there(thing, member.name) else ABSENT
    if isinstance(thing, type) and (is_of_instances(value) or (value is ABSENT and member.setting)):
        return _LATER
    return value


def attribute_of(thing: object, name: str) -> object:
    """Return the attribute *name* of *thing*, or `ABSENT`.

    Raises:
        ConfigurationError: if *thing* has it and it cannot be read, such as a property that raises.
    """
    try:
        return getattr(thing, name)
    except (Exception, SystemExit) as error:
        if isinstance(error, AttributeError) and not _is_there(thing, name):
            return ABSENT
        # Not the error's text, which may quote a setting.
        raise ConfigurationError(
            f"{class_of(thing).__name__}.{name} cannot be read: it raises {type(error).__name__}; mend it there"
        ) from error


def _is_there(thing: object, name: str) -> bool:
    """Say whether *thing* or its class has *name*; what `__getattr__` makes up for any name does not count."""
    return inspect.getattr_static(thing, name, ABSENT) is not ABSENT


def is_of_instances(value: object) -> bool:
    """Say whether *value*, read from a class, is known of an instance only: a property, or the place of a field."""
    return hasattr(type(value), "__get__")


def class_of(thing: object) -> type:
    """Return the class of *thing*, which may be one itself."""
    return thing if isinstance(thing, type) else type(thing)


def fields_of(thing: object) -> tuple[attrs.Attribute[Any], ...]:
    """Return the fields of *thing*, an instance or a class; none if it is no attrs class."""
    made_by = class_of(thing)
    return attrs.fields(made_by) if attrs.has(made_by) else ()


def settings_of(of: object) -> Mapping[str, Any]:
    """Return the settings of a kind, the fields of its attrs class, by name; none if it is no such class."""
    return {each.name: getattr(of, each.name) for each in fields_of(of)}


def given_settings(of: object) -> Mapping[str, Any]:
    """Return the settings that a kind was made with, by the names under which they are given."""
    return {each.alias or each.name: getattr(of, each.name) for each in fields_of(of) if each.init}


def name_of(kind: object) -> str:
    """Return the name of *kind*, or of its class where it has none."""
    name = attribute_of(kind, "kind")
    return name if isinstance(name, str) and name else class_of(kind).__name__


def check_member(who: str, member: Member, value: object, power: str = "") -> None:
    """Raise ConfigurationError unless *value*, which *who* has as *member* of *power*, is of the right type."""
    if not member.fits(value):
        shown = repr(value) if type(value) in (int, float, bool) and abs(cast("int", value)) < 10**12 else ""
        raise ConfigurationError(
            f"{who}: {member.name} is {shown or 'of type ' + type(value).__name__}; it must be {member.wanted}"
            f"{f' ({power})' if power else ''}"
        )


def _half(
    thing: object, who: str, power: str, there: Mapping[Member, object], missing: list[Member]
) -> ConfigurationError:
    has, lacks = " and ".join(each.name for each in there), " and ".join(each.name for each in missing)
    adds = " and ".join(f"{each.name}, {each.wanted}" for each in missing)
    named = {each.name for each in fields_of(thing)}
    fields = " and ".join(each.name for each in missing if each.name in named)
    note = f" ({fields} is a setting here, which does not count)" if fields else ""
    return ConfigurationError(
        f"{who} has {has} but no {lacks}, and {power} has all of these or none: add {adds}{note}, or leave out {has}"
    )


ANY_CHANNEL = "*"
"""What a courier says that carries the messages of every channel, as one for tests does."""


def carries(courier: object, channel: str) -> bool:
    """Say whether *courier* carries the messages of *channel*."""
    return channel_of(courier) in (channel, ANY_CHANNEL)


def channel_of(courier: object) -> str:
    """Return the channel that *courier* carries, or `ANY_CHANNEL`.

    Raises:
        ConfigurationError: if it does not say so.
    """
    channel = attribute_of(courier, "channel")
    if not is_text(channel):
        raise ConfigurationError(
            f"the courier {type(courier).__name__} does not say which channel it carries: give it "
            'channel = "email", or the channel of the kind that sends by it'
        )
    return cast("str", channel)


def reach_of(shared: object, port: str = "ledger") -> Reach:
    """Return which processes share the ledger or the store *shared*; *port* is the word for it.

    Raises:
        ConfigurationError: if it does not say so.
    """
    reach = attribute_of(shared, "reach")
    if not isinstance(reach, str) or reach not in get_args(Reach):
        raise ConfigurationError(
            f"the {port} {type(shared).__name__} does not say which processes share it: give it "
            'reach = "everywhere" if all do, or "machine" or "process"'
        )
    return cast("Reach", reach)


def missing_members(made: object, port: type) -> tuple[str, ...]:
    """Return the members of the protocol *port* that *made* has not."""
    names = (*inspect.get_annotations(port), *vars(port))
    return lacked_members(made, tuple(name for name in names if not name.startswith("_")))


def lacked_members(value: object, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of *names* *value* has not."""
    return tuple(name for name in names if attribute_of(value, name) is ABSENT)
