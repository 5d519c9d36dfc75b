"""Powers: the optional abilities of kinds, couriers, ledgers and stores. They are read here, once, and nowhere else.

A power is a protocol for type checkers. Whether something has it is read from the tables below: all members of the power, or
none. Half a power, or a member of the wrong type, is a ConfigurationError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, cast

import attrs

from watchword.contract.kinds import Factor, HostRun, Kind
from watchword.contract.members import (
    FACTORS,
    Member,
    are_factors,
    are_methods,
    are_named_texts,
    are_permissions,
    are_seconds_of_padding,
    are_texts,
    are_words,
    attribute_of,
    check_member,
    is_flag,
    is_of_instances,
    is_one_of,
    is_text,
    lacked_members,
    members_found,
    name_of,
    read_power,
    whole_number_from,
)
from watchword.contract.ports import Permission
from watchword.errors import ConfigurationError, WatchwordError

if TYPE_CHECKING:
    from typing_extensions import TypeIs  # of type checkers; nothing is installed for it

    from watchword.contract.credentials import Enrolment, NewCredential
    from watchword.contract.enrolments import BeginRequest, CompleteRequest
    from watchword.contract.kinds import Challenge, CreateRequest, Verdict

MAX_ATTEMPTS = 10
MAX_LONGEST_ANSWER = 16_384
MAX_LIFETIME = 600
"""NIST SP 800-63B-4 3.1.3: an out-of-band authentication is invalid if not completed within 10 minutes."""


class Sends(Protocol):
    """A kind whose challenge goes out as a message: it is claimed, budgeted and can be sent again."""

    channel: ClassVar[str]

    @property
    def resend_after(self) -> int:
        """Seconds before a message may be sent again, 16 or more."""
        ...


class Links(Protocol):
    """A kind whose message holds a link with a ticket, which its requests make and redeem.

    *redirects* says by name where a link leads; the client names one, and the first is taken if it names none. *opens* says
    where the link signs in: in the sign-in that asked for it, or ``"anywhere"``.
    """

    @property
    def redirects(self) -> Mapping[str, str]:
        """Where a link leads, by name."""
        ...

    @property
    def opens(self) -> Literal["same_browser", "anywhere"]:
        """Where a link signs in."""
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
        """The permissions that the functions need."""
        ...


class Prepares(Protocol):
    """A kind, a courier, a ledger or a store with something to set up, such as fonts or connections, before the first call."""

    def prepare(self) -> None:
        """Set it up, or raise ConfigurationError."""
        ...


class Guessable(Protocol):
    """A kind that knows how likely a guess is right."""

    def guess_probability(self) -> float:
        """Return the chance of one attempt, above 0 and at most 1."""
        ...


class Remembers(Protocol):
    """A kind with credentials: what users enrolled for it. Its requests give those of the user.

    ``"one"``: a new credential takes the place of the user's old one. ``"many"``: a user may have several.
    """

    remembers: ClassVar[Literal["one", "many"]]


class Enrols(Protocol):
    """A kind that remembers, and for which users enrol."""

    def begin(self, request: BeginRequest) -> Enrolment:
        """Begin an enrolment: values in, values out."""
        ...

    def complete(self, request: CompleteRequest) -> NewCredential | Verdict:
        """Judge the answer to what `begin` showed: return the new credential, or a wrong `Verdict`.

        Anything odd about the answer is a wrong answer, never an exception.
        """
        ...


class Offers(Protocol):
    """A kind that can be offered in a choice, to be answered in the same round: it takes no message, no store and no time."""

    def offer(self, request: CreateRequest) -> Challenge:
        """Make the challenge for a client that may answer it, or another option instead."""
        ...


def _nothing() -> None:
    """Set nothing up."""


@attrs.frozen
class Powers:
    """The powers and the facts of one kind, courier or ledger. What it lacks has a default that does nothing.

    *channel* is how its messages travel; a kind sends if it has one. *cosmetic* are the settings that neither the flow
    nor `verify` reads. *cognitive* marks a test of reading or puzzling (WCAG 2.2 SC 3.3.8), *backup* a kind that must not sign
    anybody in alone, *with_token* one whose answers come with an access token. *methods* are the words that tokens have for a right
    answer (RFC 8176), *called* is what users call the kind, by language. *longest_answer* is the number of characters up to which an answer reaches the kind. *floor* is a courier's alone.
    """

    attempts: int = 3
    lifetime: int = 180
    longest_answer: int = 1024
    cosmetic: frozenset[str] = frozenset()
    cognitive: bool = False
    backup: bool = False
    methods: tuple[str, ...] = ()
    with_token: bool = False
    called: Mapping[str, str] = attrs.field(factory=dict[str, str])
    channel: str = ""
    resend_after: int = 0
    requires_create: tuple[str, ...] = ()
    requires_verify: tuple[str, ...] = ()
    extra: str = ""
    permissions: tuple[Permission, ...] = ()
    prepare: Callable[[], object] = attrs.field(default=_nothing, eq=False)
    guess_probability: Callable[[], float] = attrs.field(default=lambda: 1.0, eq=False)
    remembers: Literal["", "one", "many"] = ""
    begin: Callable[[BeginRequest], Enrolment] | None = attrs.field(default=None, eq=False)
    complete: Callable[[CompleteRequest], NewCredential | Verdict] | None = attrs.field(default=None, eq=False)
    offer: Callable[[CreateRequest], Challenge] | None = attrs.field(default=None, eq=False)
    redirects: Mapping[str, str] = attrs.field(factory=dict[str, str])
    opens: Literal["", "same_browser", "anywhere"] = ""
    floor: float = 0.0

    @property
    def links(self) -> bool:
        """Whether its message holds a link."""
        return bool(self.opens)

    @property
    def enrols(self) -> bool:
        """Whether users enrol for it."""
        return self.begin is not None

    @property
    def offers(self) -> bool:
        """Whether it can be offered in a choice."""
        return self.offer is not None

    @property
    def sends(self) -> bool:
        """Whether a challenge goes out as a message."""
        return bool(self.channel)

    @property
    def prepares(self) -> bool:
        """Whether there is something to set up."""
        return self.prepare is not _nothing

    def set_up(self, who: str) -> None:
        """Call `prepare`; *who* has it.

        Raises:
            ConfigurationError: as `prepare` raises it, and for whatever else it raises.
        """
        try:
            self.prepare()
        except WatchwordError:
            raise
        except (Exception, SystemExit) as error:
            # Not the error's text, which may quote a setting.
            raise ConfigurationError(
                f"{who} cannot be set up: its prepare() raises {type(error).__name__}; mend it there"
            ) from error

    def remedy(self, modules: Sequence[str] | None = None) -> str:
        """Return what to run so that *modules* are there, or all that are required if it is None; empty if they are."""
        for module in (*self.requires_create, *self.requires_verify) if modules is None else modules:
            from importlib.util import find_spec  # noqa: PLC0415 - only where something is required

            with suppress(ImportError, ValueError):  # a part of a package that is missing itself
                if find_spec(module) is not None:
                    continue
            return f"pip install '{self.extra}'"
        return ""


_PERMISSIONS = (Member("permissions", are_permissions, "a tuple of watchword.contract.Permission", setting=True),)
_PREPARE = (Member("prepare", callable, "a method prepare()"),)

KIND_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {
    Sends: (
        Member("channel", is_text, 'a text such as "email", as a ClassVar'),
        Member("resend_after", whole_number_from(0), "a whole number of seconds", setting=True),
    ),
    Links: (
        Member("redirects", are_named_texts, "a mapping of names to addresses, one at least", setting=True),
        Member("opens", is_one_of("same_browser", "anywhere"), '"same_browser" or "anywhere"', setting=True),
    ),
    NeedsModules: (
        Member("requires_create", are_texts, "a tuple of module names, as a ClassVar"),
        Member("requires_verify", are_texts, "a tuple of module names, as a ClassVar"),
        Member("extra", is_text, 'a text such as "watchword[captcha]", as a ClassVar'),
    ),
    NeedsPermissions: _PERMISSIONS,
    Prepares: _PREPARE,
    Guessable: (Member("guess_probability", callable, "a method guess_probability()"),),
    Remembers: (Member("remembers", is_one_of("one", "many"), 'the text "one" or "many", as a ClassVar'),),
    Enrols: (
        Member("begin", callable, "a method begin(request)"),
        Member("complete", callable, "a method complete(request)"),
    ),
    Offers: (Member("offer", callable, "a method offer(request)"),),
}
"""The powers of a kind. A member that the protocol has as a ClassVar or a method is never read from a setting of that name."""

COURIER_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {NeedsPermissions: _PERMISSIONS, Prepares: _PREPARE}
LEDGER_POWERS: Final[Mapping[type, tuple[Member, ...]]] = {Prepares: _PREPARE}

_FACTS = (
    Member("attempts", whole_number_from(1, MAX_ATTEMPTS), f"a whole number from 1 to {MAX_ATTEMPTS}", setting=True),
    Member("lifetime", whole_number_from(1, MAX_LIFETIME), f"a whole number from 1 to {MAX_LIFETIME}", setting=True),
    Member(
        "longest_answer",
        whole_number_from(1, MAX_LONGEST_ANSWER),
        f"a whole number of characters from 1 to {MAX_LONGEST_ANSWER}",
        setting=True,
    ),
    Member("cosmetic", are_words, "a frozenset of names of settings, as a ClassVar"),
    Member("cognitive", is_flag, "True or False", setting=True),
    Member("backup", is_flag, "True or False, as a ClassVar"),
    Member("methods", are_methods, 'a tuple of words such as ("otp",), none of them "mfa" or "pwd", as a ClassVar'),
    Member("with_token", is_flag, "True or False", setting=True),
    Member("called", are_named_texts, "a mapping of languages to words, as a ClassVar"),
)
_PROVES = Member("proves", are_factors, f"a frozenset of {', '.join(sorted(FACTORS))}, or an empty one", setting=True)
_COURIER_FACTS = (Member("floor", are_seconds_of_padding, "a number of seconds from 0 to 3", setting=True),)


def powers_of(kind: object) -> Powers:
    """Return the powers and facts of *kind*. Of a class, only those that stand in the class are read.

    Raises:
        ConfigurationError: if it has half a power, or a member or a fact is of the wrong type.
    """
    who, proves = f"kind {name_of(kind)!r}", attribute_of(kind, "proves")
    if not (isinstance(kind, type) and is_of_instances(proves)):
        check_member(who, _PROVES, proves)
    powers = _read(kind, who, KIND_POWERS, _FACTS)
    if powers.enrols and not powers.remembers:
        raise ConfigurationError(
            f'{who} has begin and complete but no remembers: add remembers = "one" or "many", as a ClassVar'
        )
    if not isinstance(kind, type):
        _check_chance(who, powers)
    return powers


def powers_of_courier(courier: object) -> Powers:
    """Return the powers of *courier*.

    Raises:
        ConfigurationError: if it has half a power, or a member of the wrong type.
    """
    return _read(courier, f"courier {type(courier).__name__}", COURIER_POWERS, _COURIER_FACTS)


def powers_of_ledger(shared: object, port: str = "ledger") -> Powers:
    """Return the powers of the ledger or the store *shared*; *port* is the word for it.

    Raises:
        ConfigurationError: if it has half a power, or a member of the wrong type.
    """
    return _read(shared, f"{port} {type(shared).__name__}", LEDGER_POWERS)


def _read(thing: object, who: str, table: Mapping[type, tuple[Member, ...]], facts: tuple[Member, ...] = ()) -> Powers:
    """Return the powers of *thing* that are in *table*, and each of *facts* by itself."""
    rows = [("", (fact,)) for fact in facts] + [(power.__name__, members) for power, members in table.items()]
    return Powers(**{name: value for row in rows for name, value in read_power(thing, who, *row).items()})


def members_of(kind: object) -> Mapping[str, Any]:
    """Return what *kind* has of the members of all powers and facts: what a stand-in for it must have, and no more."""
    return {member.name: value for member, value in members_found(kind, chain(_FACTS, *KIND_POWERS.values())).items()}


def is_host_run(value: object) -> TypeIs[HostRun]:
    """Say whether the rounds of *value* are run by the host itself."""
    return not isinstance(value, type) and not lacked_members(value, _HOST_RUN)


def is_kind(value: object) -> TypeIs[Kind]:
    """Say whether *value* is a kind of challenge whose rounds the engine runs: an instance, not its class."""
    return not isinstance(value, type) and not is_host_run(value) and not lacked_members(value, _KIND)


_KIND = ("kind", "proves", "create", "verify")
_HOST_RUN = ("host_rounds",)


def lacked_by_kind(value: object) -> tuple[str, ...]:
    """Return which members *value* lacks that every kind has; nothing if it has none of them: then nobody meant a kind."""
    lacking = lacked_members(value, _KIND)
    return lacking if len(lacking) < len(_KIND) else ()


def why_no_kind(kind: object) -> str:
    """Return why *kind* cannot be registered as a kind; nothing if it can be."""
    if not isinstance(kind, type):
        shown = repr(kind[:40]) if isinstance(kind, str) else f"something of type {type(kind).__name__}"
        return f"{shown} is no class; register the class, not an instance of it"
    try:
        lacking = lacked_members(kind, _KIND if lacked_members(kind, _HOST_RUN) else _KIND[:2])
        if lacking:
            return f"{kind.__name__} has no {', '.join(lacking)}"
        powers_of(kind)
    except ConfigurationError as error:
        return str(error)
    return ""


def proves_of(kind: type) -> frozenset[Factor] | None:
    """Return which factors every kind of the class *kind* proves; None if a setting decides that."""
    proves = attribute_of(kind, "proves")
    return cast("frozenset[Factor]", proves) if isinstance(proves, frozenset) else None


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
