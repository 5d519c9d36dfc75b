"""Powers: what a kind, a courier or a ledger can do beyond what each must. Read here, once, and nowhere else.

A power is a protocol for type checkers. Whether something has it is read from the tables below: all members of the power, or
none. Half a power, or a member of the wrong type, is a ConfigurationError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast, get_args

import attrs

from watchword.contract.kinds import Factor, HostRun, Kind
from watchword.contract.members import (
    Member,
    are_permissions,
    are_texts,
    are_words,
    is_flag,
    is_text,
    whole_number_from,
)
from watchword.contract.ports import Permission, Reach
from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import TypeIs  # of type checkers; nothing is installed for it

ATTEMPTS = 3
MAX_ATTEMPTS = 10
LIFETIME = 180
MAX_LIFETIME = 600
"""NIST SP 800-63B-4 3.1.3: an out-of-band authentication is invalid if not completed within 10 minutes."""


_FACTORS: Final[frozenset[str]] = frozenset(get_args(Factor))


class Sends(Protocol):
    """A kind whose challenge goes out as a message: it is claimed, budgeted and can be sent again."""

    channel: ClassVar[str]

    @property
    def resend_after(self) -> int:
        """Seconds before a message may be sent again, 16 or more."""
        ...


class NeedsModules(Protocol):
    """A kind that needs modules which Watchword does not bring.

    *requires_create* and *requires_verify* are the importable modules that `create` and `verify` need. *extra* is what to
    install for them, such as ``watchword[captcha]``.
    """

    requires_create: ClassVar[tuple[str, ...]]
    requires_verify: ClassVar[tuple[str, ...]]
    extra: ClassVar[str]


class NeedsPermissions(Protocol):
    """A kind or a courier that calls a service of AWS: the template grants *permissions* to the functions that run it."""

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What must be allowed."""
        ...


class Prepares(Protocol):
    """A kind, a courier or a ledger with something to set up, such as fonts or connections, before the first call."""

    def prepare(self) -> None:
        """Set it up, or raise ConfigurationError."""
        ...


class Guessable(Protocol):
    """A kind that knows how likely a guess is right."""

    def guess_probability(self) -> float:
        """Return the chance of one attempt, above 0 and at most 1."""
        ...


def _nothing() -> None:
    """Set nothing up."""


def _certain() -> float:
    """Return 1: nothing is known of guesses."""
    return 1.0


@attrs.frozen
class Powers:
    """The powers and the facts of one kind. What it lacks has a default that does nothing.

    *channel* is how its messages travel; a kind sends if it has one. *cosmetic* are the settings that neither the flow
    nor `verify` reads. *cognitive* marks a test of reading or puzzling (WCAG 2.2 SC 3.3.8).
    """

    attempts: int = ATTEMPTS
    lifetime: int = LIFETIME
    cosmetic: frozenset[str] = frozenset()
    cognitive: bool = False
    channel: str = ""
    resend_after: int = 0
    requires_create: tuple[str, ...] = ()
    requires_verify: tuple[str, ...] = ()
    extra: str = ""
    permissions: tuple[Permission, ...] = ()
    prepare: Callable[[], object] = attrs.field(default=_nothing, eq=False)
    guess_probability: Callable[[], float] = attrs.field(default=_certain, eq=False)

    @property
    def sends(self) -> bool:
        """Whether a challenge goes out as a message."""
        return bool(self.channel)

    @property
    def prepares(self) -> bool:
        """Whether there is something to set up."""
        return self.prepare is not _nothing

    def remedy(self, *, verify: bool = True) -> str:
        """Return what to run so that the modules are there that Create requires, and *verify*; empty if they are."""
        from importlib.util import find_spec  # noqa: PLC0415 - only where something is required

        for module in (*self.requires_create, *(self.requires_verify if verify else ())):
            with suppress(ImportError, ValueError):  # a part of a package that is missing itself
                if find_spec(module) is not None:
                    continue
            return f"pip install '{self.extra}'"
        return ""


@attrs.frozen
class CourierPowers:
    """The optional powers of one courier."""

    permissions: tuple[Permission, ...] = ()
    prepare: Callable[[], object] = attrs.field(default=_nothing, eq=False)


@attrs.frozen
class LedgerPowers:
    """The optional powers of one ledger."""

    prepare: Callable[[], object] = attrs.field(default=_nothing, eq=False)


_PERMISSIONS = (Member("permissions", are_permissions, "a tuple of watchword.contract.Permission", setting=True),)
_PREPARE = (Member("prepare", callable, "a method prepare()"),)

KIND_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {
    Sends: (
        Member("channel", is_text, 'a text such as "email", as a ClassVar'),
        Member("resend_after", whole_number_from(0), "a whole number of seconds", setting=True),
    ),
    NeedsModules: (
        Member("requires_create", are_texts, "a tuple of module names, as a ClassVar"),
        Member("requires_verify", are_texts, "a tuple of module names, as a ClassVar"),
        Member("extra", is_text, 'a text such as "watchword[captcha]", as a ClassVar'),
    ),
    NeedsPermissions: _PERMISSIONS,
    Prepares: _PREPARE,
    Guessable: (Member("guess_probability", callable, "a method guess_probability()"),),
}
"""The powers of a kind. A member that the protocol has as a ClassVar or a method is never read from a setting of that name."""

COURIER_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {NeedsPermissions: _PERMISSIONS, Prepares: _PREPARE}
LEDGER_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {Prepares: _PREPARE}

_FACTS = (
    Member("attempts", whole_number_from(1, MAX_ATTEMPTS), f"a whole number from 1 to {MAX_ATTEMPTS}", setting=True),
    Member("lifetime", whole_number_from(1, MAX_LIFETIME), f"a whole number from 1 to {MAX_LIFETIME}", setting=True),
    Member("cosmetic", are_words, "a frozenset of names of settings, as a ClassVar"),
    Member("cognitive", is_flag, "True or False", setting=True),
)

_ABSENT: Final = object()
_LATER: Final = object()


def powers_of(kind: object) -> Powers:
    """Return the powers and facts of *kind*. Of a class, only those that stand in the class are read.

    Raises:
        ConfigurationError: if it has half a power, or a member or a fact is of the wrong type.
    """
    who = f"kind {name_of(kind)!r}"
    _check_proves(kind)
    powers = Powers(**_facts(kind, who), **_read(kind, who, KIND_POWERS))
    if not isinstance(kind, type):
        _check_chance(who, powers)
    return powers


def powers_of_courier(courier: object) -> CourierPowers:
    """Return the powers of *courier*.

    Raises:
        ConfigurationError: if it has half a power, or a member of the wrong type.
    """
    return CourierPowers(**_read(courier, f"courier {type(courier).__name__}", COURIER_POWERS))


def powers_of_ledger(ledger: object) -> LedgerPowers:
    """Return the powers of *ledger*.

    Raises:
        ConfigurationError: if it has half a power, or a member of the wrong type.
    """
    return LedgerPowers(**_read(ledger, f"ledger {type(ledger).__name__}", LEDGER_POWERS))


def channel_of(courier: object) -> str:
    """Return the channel that *courier* carries.

    Raises:
        ConfigurationError: if it does not say so.
    """
    channel = _get(courier, "channel")
    if not is_text(channel):
        raise ConfigurationError(
            f"the courier {type(courier).__name__} does not say which channel it carries: give it "
            'channel = "email", or the channel of the kind that sends by it'
        )
    return cast("str", channel)


def reach_of(ledger: object) -> Reach:
    """Return which processes share *ledger*.

    Raises:
        ConfigurationError: if it does not say so.
    """
    reach = _get(ledger, "reach")
    if not isinstance(reach, str) or reach not in get_args(Reach):
        raise ConfigurationError(
            f"the ledger {type(ledger).__name__} does not say which processes share it: give it "
            'reach = "everywhere" if all do, or "machine" or "process"'
        )
    return cast("Reach", reach)


def members_of(kind: object) -> Mapping[str, Any]:
    """Return what *kind* has of the members of all powers and facts: what a stand-in for it must have, and no more."""
    members = (*_FACTS, *(member for power in KIND_POWERS.values() for member in power))
    found = {member.name: _value(kind, member) for member in members}
    return {name: value for name, value in found.items() if value is not _ABSENT}


def settings_of(kind: object) -> Mapping[str, Any]:
    """Return the settings of *kind*, the fields of its attrs class, by name; none if it is no such class."""
    return {name: getattr(kind, name) for name in _fields(type(kind))}


def name_of(kind: object) -> str:
    """Return the name of *kind*, or of its class where it has none."""
    name = _get(kind, "kind")
    return name if isinstance(name, str) and name else _class_of(kind).__name__


def is_host_run(value: object) -> TypeIs[HostRun]:
    """Say whether the rounds of *value* are run by the host itself."""
    return not isinstance(value, type) and not _lacking(value, _HOST_RUN)


def is_kind(value: object) -> TypeIs[Kind]:
    """Say whether *value* is a kind of challenge whose rounds the engine runs: an instance, not its class."""
    return not isinstance(value, type) and not is_host_run(value) and not _lacking(value, _KIND)


_KIND = ("kind", "proves", "create", "verify")
_HOST_RUN = ("host_rounds",)


def why_no_kind(kind: object) -> str:
    """Return why *kind* cannot be registered as a kind; nothing if it can be."""
    if not isinstance(kind, type):
        shown = repr(kind[:40]) if isinstance(kind, str) else f"something of type {type(kind).__name__}"
        return f"{shown} is no class; register the class, not an instance of it"
    try:
        lacking = _lacking(kind, _KIND if _lacking(kind, _HOST_RUN) else _KIND[:2])
        if lacking:
            return f"{kind.__name__} has no {', '.join(lacking)}"
        powers_of(kind)
    except ConfigurationError as error:
        return str(error)
    return ""


def proves_of(kind: type) -> frozenset[Factor] | None:
    """Return which factors every kind of the class *kind* proves; None if a setting decides that."""
    proves = _get(kind, "proves")
    return cast("frozenset[Factor]", proves) if isinstance(proves, frozenset) else None


def missing_members(made: object, port: type) -> tuple[str, ...]:
    """Return the members of the protocol *port* that *made* has not."""
    names = (*inspect.get_annotations(port), *vars(port))
    return _lacking(made, tuple(name for name in names if not name.startswith("_")))


def _lacking(value: object, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if _get(value, name) is _ABSENT)


def _get(thing: object, name: str) -> object:
    """Return the attribute *name* of *thing*, or `_ABSENT`.

    Raises:
        ConfigurationError: if *thing* has it and it cannot be read, such as a property that raises.
    """
    try:
        return getattr(thing, name)
    except (Exception, SystemExit) as error:
        if isinstance(error, AttributeError) and not _is_there(thing, name):
            return _ABSENT
        # Not the error's text, which may quote a setting.
        raise ConfigurationError(
            f"{_class_of(thing).__name__}.{name} cannot be read: it raises {type(error).__name__}; mend it there"
        ) from error


def _is_there(thing: object, name: str) -> bool:
    """Say whether *thing* or its class has *name*; what `__getattr__` makes up for any name does not count."""
    return inspect.getattr_static(thing, name, _ABSENT) is not _ABSENT


def _check_proves(kind: object) -> None:
    """Raise ConfigurationError unless *kind*, an instance or a class, says which factors it proves."""
    proves = _get(kind, "proves")
    if isinstance(kind, type) and _is_later(proves):
        return
    if not isinstance(proves, frozenset) or not proves <= _FACTORS:
        raise ConfigurationError(
            f"{_class_of(kind).__name__}.proves must be a frozenset of {', '.join(sorted(_FACTORS))}, or an empty one"
        )


def _is_later(value: object) -> bool:
    """Say whether *value*, read from a class, is known of an instance only: a property, or the place of a field."""
    return hasattr(type(value), "__get__")


def _class_of(thing: object) -> type:
    return thing if isinstance(thing, type) else type(thing)


def _fields(made_by: type) -> tuple[str, ...]:
    return tuple(each.name for each in attrs.fields(made_by)) if attrs.has(made_by) else ()


def _value(thing: object, member: Member) -> object:
    """Return *member* of *thing*, absent or to be known later if it cannot be read."""
    if member.name in _fields(_class_of(thing)) and not member.setting:
        return _ABSENT
    value = _get(thing, member.name) if _is_there(thing, member.name) else _ABSENT
    if isinstance(thing, type) and (_is_later(value) or (value is _ABSENT and member.setting)):
        return _LATER
    return value


def _facts(kind: object, who: str) -> dict[str, Any]:
    found = {member: _value(kind, member) for member in _FACTS}
    known = {member: value for member, value in found.items() if value is not _ABSENT and value is not _LATER}
    for member, value in known.items():
        _check(who, member, value, "")
    return {member.name: value for member, value in known.items()}


def _read(thing: object, who: str, table: Mapping[type, tuple[Member, ...]]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for power, members in table.items():
        found = {member: _value(thing, member) for member in members}
        there = {member: value for member, value in found.items() if value is not _ABSENT}
        if any(value is _LATER for value in there.values()):
            continue
        if there and len(there) < len(members):
            raise _half(thing, who, power, there, [member for member in members if member not in there])
        for member, value in there.items():
            _check(who, member, value, f" ({power.__name__})")
        read.update({member.name: value for member, value in there.items()})
    return read


def _check(who: str, member: Member, value: object, of: str) -> None:
    if not member.fits(value):
        shown = repr(value) if type(value) in (int, float, bool) and abs(cast("int", value)) < 10**12 else ""
        raise ConfigurationError(
            f"{who}: {member.name} is {shown or 'of type ' + type(value).__name__}; it must be {member.wanted}{of}"
        )


def _check_chance(who: str, powers: Powers) -> None:
    """Raise ConfigurationError unless the chance of a guess can be reckoned with: when somebody answers it is too late."""
    wanted = "it must return a number above 0 and at most 1"
    try:
        chance: object = powers.guess_probability()
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"{who}: guess_probability() raises {type(error).__name__}; {wanted}") from error
    if not isinstance(chance, int | float):
        raise ConfigurationError(
            f"{who}: guess_probability() returns something of type {type(chance).__name__}; {wanted}"
        )


def _half(
    thing: object, who: str, power: type, there: Mapping[Member, object], missing: list[Member]
) -> ConfigurationError:
    has = " and ".join(member.name for member in there)
    lacks = " and ".join(member.name for member in missing)
    adds = " and ".join(f"{member.name}, {member.wanted}" for member in missing)
    fields = [member.name for member in missing if member.name in _fields(_class_of(thing))]
    note = f" ({' and '.join(fields)} is a setting here, which does not count)" if fields else ""
    return ConfigurationError(
        f"{who} has {has} but no {lacks}, and {power.__name__} has all of these or none: add {adds}{note}, or leave out {has}"
    )
