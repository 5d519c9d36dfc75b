"""Powers are read once, by one table: all members or none, each of the right type, else an error that says what to do."""

import ast
import inspect
from itertools import combinations
from pathlib import Path

import attrs
import pytest

from kit.paths import ROOT
from watchword import ConfigurationError, Flow, ask_first
from watchword.contract.kinds import MAX_MESSAGE, why_no_message
from watchword.contract.members import channel_of, missing_members, reach_of
from watchword.contract.ports import Courier, Permission
from watchword.contract.powers import (
    KIND_POWERS,
    Enrols,
    Links,
    Powers,
    members_of,
    powers_of,
    powers_of_courier,
    powers_of_ledger,
    why_no_kind,
)

PERMISSION = Permission(("a:B",), ("*",))
GOOD = {
    "channel": "email",
    "resend_after": 60,
    "requires_create": ("json",),
    "requires_verify": (),
    "extra": "acme[x]",
    "permissions": (PERMISSION,),
    "prepare": lambda self: None,
    "guess_probability": lambda self: 0.5,
    "remembers": "one",
    "begin": lambda self, request: None,
    "complete": lambda self, request: None,
    "offer": lambda self, request: None,
    "redirects": {"web": "https://app.example/"},
    "opens": "same_browser",
}
"""A right value for each member of each power of a kind."""

DECIDED_BY_SETTINGS = ("resend_after", "permissions", "redirects", "opens")
"""Members that the protocols have as properties."""

WRONG = {
    "channel": ("", 7, None, b"email"),
    "resend_after": (-1, 1.5, True, "60", None),
    "requires_create": ("json", ["json"], (7,), ("",), None),
    "requires_verify": ("json", ["json"], (7,), None),
    "extra": ("", 7, None),
    "permissions": (PERMISSION, [PERMISSION], ("a:B",), None),
    "prepare": (True, "fonts", None),
    "guess_probability": (0.5, None),
    "remembers": ("", "some", 1, True, None, ["one"]),
    "begin": (True, "begin", None),
    "complete": (True, "complete", None),
    "offer": (True, "offer", None),
    "redirects": ({}, {"web": 7}, {"": "https://app.example/"}, ("web",), None),
    "opens": ("", "everywhere", True, None),
    "longest_answer": (0, 16_385, True, "1024", None),
    "attempts": (0, 11, True, "3", None),
    "lifetime": (0, 601, True, 60.0, None),
    "cosmetic": ({"app"}, ("app",), frozenset({7}), "app", None),
    "cognitive": (1, 0, "yes", None),
    "backup": (1, 0, "yes", None),
    "proves": (frozenset({"magic"}), {"knowledge"}, ("knowledge",), None),
}
"""Wrong values for each member and each fact."""


def kind(**members):
    """A kind whose class has *members*."""
    body = {"kind": "toy", "proves": frozenset(), "create": lambda s, r: None, "verify": lambda s, r: None}
    return type("Toy", (), {**body, **members})


def names(power):
    """The members of a protocol, as Python tells them."""
    return {name for name in (*vars(power), *inspect.get_annotations(power)) if not name.startswith("_")}


def test_the_table_has_every_member_of_every_power():
    """What the protocol says to a type checker, the table says at run time."""
    for power, members in KIND_POWERS.items():
        assert names(power) == {member.name for member in members}
    fields = {each.name for each in attrs.fields(Powers)}
    assert {member.name for members in KIND_POWERS.values() for member in members} <= fields


@pytest.mark.parametrize("power", KIND_POWERS, ids=lambda power: power.__name__)
def test_all_members_or_none(power):
    """Of each power, every part that is not the whole is refused; the error names the kind, the power, the part and the rest."""
    members = [member.name for member in KIND_POWERS[power]]
    for count in range(len(members) + 1):
        for some in combinations(members, count):
            beside = {"remembers": "one"} if power is Enrols else {}
            if power is Links:
                beside = {"channel": "email", "resend_after": 60}
            made = kind(**{name: GOOD[name] for name in some}, **beside)()
            if count in (0, len(members)):
                read = powers_of(made)
                assert Flow(ask_first(made)).steps["toy"].powers == read
                continue
            with pytest.raises(ConfigurationError) as error:
                Flow(ask_first(made))
            lacking = [name for name in members if name not in some]
            assert f"kind 'toy' has {' and '.join(some)} but no {' and '.join(lacking)}" in str(error.value)
            assert power.__name__ in str(error.value)
            assert f"or leave out {' and '.join(some)}" in str(error.value)


def test_who_enrols_remembers():
    """A credential that nobody is given at the next sign-in is of no use."""
    enrolling = {name: GOOD[name] for name in ("begin", "complete")}
    with pytest.raises(
        ConfigurationError, match="kind 'toy' has begin and complete but no remembers: add remembers = "
    ):
        powers_of(kind(**enrolling)())
    read = powers_of(kind(**enrolling, remembers="many", offer=GOOD["offer"])())
    assert (True, True, "many") == (read.enrols, read.offers, read.remembers)
    assert (False, False, "") == (Powers().enrols, Powers().offers, Powers().remembers)


FAULTS = [
    RuntimeError("secret"),
    AttributeError("secret"),
    KeyError("secret"),
    SystemExit("secret"),
    RecursionError("secret"),
]


def failing(error):
    """A property that raises *error*."""

    def read(self):
        raise error

    return property(read)


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", [*WRONG, "kind", "host_rounds"])
def test_a_member_that_cannot_be_read_is_refused(name, error):
    """A property that raises is neither absent nor a defect of the engine: the error names class, member and what it raises."""
    rest = next(
        (
            {each.name: GOOD[each.name] for each in some}
            for some in KIND_POWERS.values()
            if name in {e.name for e in some}
        ),
        {},
    )
    with pytest.raises(ConfigurationError, match=rf"^Toy\.{name} cannot be read: it raises {type(error).__name__};"):
        Flow(kind(**{**rest, name: failing(error)})())


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("read", "name"),
    [
        (channel_of, "channel"),
        (powers_of_courier, "permissions"),
        (powers_of_courier, "prepare"),
        (reach_of, "reach"),
        (powers_of_ledger, "prepare"),
        (lambda made: missing_members(made, Courier), "floor"),
    ],
)
def test_so_is_one_of_a_courier_or_a_ledger(read, name, error):
    """They are read by the same rule."""
    with pytest.raises(ConfigurationError, match=rf"^Odd\.{name} cannot be read: it raises {type(error).__name__};"):
        read(type("Odd", (), {"channel": "email", name: failing(error)})())


def test_a_class_that_cannot_be_read_is_no_kind():
    """The registry is told why, in a text."""

    class Unreadable(type):
        host_rounds = failing(OSError("secret"))

    assert "type.host_rounds" not in why_no_kind(kind())
    assert "Toy.host_rounds cannot be read: it raises OSError; mend it there" == why_no_kind(Unreadable("Toy", (), {}))


@pytest.mark.parametrize("chance", ["small", None, 1j, *FAULTS], ids=lambda chance: type(chance).__name__)
def test_a_chance_that_nobody_can_reckon_with_is_refused(chance):
    """When the flow is made: Verify would meet it only when somebody answers."""

    def guess_probability(self):
        if isinstance(chance, BaseException):
            raise chance
        return chance

    with pytest.raises(
        ConfigurationError, match=rf"^kind 'toy': guess_probability\(\) .*{type(chance).__name__}; it must return"
    ):
        Flow(kind(guess_probability=guess_probability)())


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_whatever_prepare_raises_is_a_fault_of_the_configuration(error):
    """Of the one who has it, who is named; what says itself that it is one stays as it is, and so does an interrupt."""

    def prepare(self):
        raise raised

    powers = powers_of(kind(prepare=prepare)())
    for raised in (ConfigurationError("no font"), KeyboardInterrupt()):
        with pytest.raises(type(raised)) as seen:
            powers.set_up("kind 'toy'")
        assert seen.value is raised
    raised = error
    said = rf"^kind 'toy' cannot be set up: its prepare\(\) raises {type(error).__name__}; mend it there$"
    with pytest.raises(ConfigurationError, match=said):
        powers.set_up("kind 'toy'")
    assert Powers().set_up("kind 'toy'") is None


@pytest.mark.parametrize(
    "lacking", [some for count in (1, 2, 3) for some in combinations(["kind", "proves", "create", "verify"], count)]
)
def test_who_forgets_a_member_of_every_kind_is_told_which(lacking):
    """Each part that is not the whole: the error names the class and what it lacks, not how a flow is written."""
    half = kind()
    for name in lacking:
        delattr(half, name)
    with pytest.raises(ConfigurationError, match=rf"^Flow: Toy has no {', '.join(lacking)}: a kind has kind, proves,"):
        Flow(half())


@pytest.mark.parametrize("floor", [0, 0.5, 3, -1, 3.1, 10**400, float("nan"), float("inf"), True, "0", None, []])
def test_a_courier_is_padded_for_seconds_inside_the_deadline(floor):
    """0 to 3; anything else would end every sign-in that sends."""
    courier = type("Slow", (), {"floor": floor})()
    if floor in (0, 0.5, 3) and floor is not False:
        assert floor == powers_of_courier(courier).floor
        return
    with pytest.raises(
        ConfigurationError, match=r"^courier Slow: floor is .*; it must be a number of seconds from 0 to 3"
    ):
        powers_of_courier(courier)


@pytest.mark.parametrize("name", WRONG)
def test_a_member_of_the_wrong_type_is_refused(name):
    """In the class as in the instance; the error names the kind, the member and what it must be."""
    whole = next((power for power, members in KIND_POWERS.items() if name in {each.name for each in members}), None)
    rest = {each.name: GOOD[each.name] for each in KIND_POWERS[whole]} if whole else {}
    for value in WRONG[name]:
        with pytest.raises(ConfigurationError, match=rf"[Tt]oy.*{name} (is .* it )?must be .*"):
            Flow(kind(**{**rest, name: value})())


def test_no_power_is_a_value_too():
    """What a kind lacks has a default, so that nobody has to ask whether it is there."""
    read = powers_of(kind()())
    assert Powers() == read
    assert (False, 3, 180, frozenset(), False, "", ()) == (
        read.sends,
        read.attempts,
        read.lifetime,
        read.cosmetic,
        read.cognitive,
        read.channel,
        read.permissions,
    )
    assert read.prepare() is None
    assert not read.prepares
    assert 1.0 == read.guess_probability()


def test_methods_are_those_of_the_kind():
    """They are called on the instance that was read."""
    read = powers_of(kind(prepare=lambda self: self.kind, guess_probability=lambda self: 0.25)())
    assert read.prepares
    assert ("toy", 0.25) == (read.prepare(), read.guess_probability())


@pytest.mark.parametrize("name", [name for name in GOOD if name not in DECIDED_BY_SETTINGS] + ["cosmetic"])
def test_a_setting_of_that_name_is_no_power(name):
    """A class fact or a method is never read from a setting: its author means something else by the word."""
    made = attrs.make_class("Toy", {name: attrs.field(default="general")}, bases=(kind(),), frozen=True)()
    assert Powers() == powers_of(made)
    assert Powers() == powers_of(type(made))
    assert {} == members_of(made)


def test_half_a_power_beside_a_setting_says_so():
    """Whoever writes the channel as a field is told that it does not count there."""
    fields = {"channel": attrs.field(default="email"), "resend_after": attrs.field(default=60)}
    made = attrs.make_class("Toy", fields, bases=(kind(),), frozen=True)()
    with pytest.raises(ConfigurationError, match=r"no channel.*as a ClassVar \(channel is a setting here"):
        Flow(made)


@pytest.mark.parametrize("slots", [True, False])
def test_a_setting_may_decide_what_a_protocol_has_as_a_property(slots):
    """The cool-down and the permissions; and the facts that are numbers."""
    fields = {name: attrs.field(default=GOOD[name]) for name in ("resend_after", "permissions")}
    fields |= {"attempts": attrs.field(default=5), "lifetime": attrs.field(default=60)}
    made = attrs.make_class("Toy", fields, bases=(kind(channel="sms"),), frozen=True, slots=slots)(lifetime=90)
    read = powers_of(made)
    assert (True, "sms", 60, (PERMISSION,), 5, 90) == (
        read.sends,
        read.channel,
        read.resend_after,
        read.permissions,
        read.attempts,
        read.lifetime,
    )


def test_of_a_class_only_what_stands_in_it_is_read():
    """A property, a field and a method are of an instance; half a power that is known already is refused."""
    whole = {name: GOOD[name] for name in ("requires_create", "requires_verify", "extra", "permissions")}
    assert ("acme[x]", (PERMISSION,)) == (powers_of(kind(**whole)).extra, powers_of(kind(**whole)).permissions)
    assert Powers() == powers_of(kind(permissions=property(lambda self: (PERMISSION,)), channel="email"))
    with pytest.raises(ConfigurationError, match="but no requires_verify"):
        powers_of(kind(requires_create=(), extra="acme[x]"))


@pytest.mark.parametrize("factors", [frozenset(), frozenset({"knowledge"}), frozenset({"possession", "inherence"})])
def test_what_a_kind_proves_may_be_a_property(factors):
    """Then an instance says it."""
    made = kind(proves=property(lambda self: factors))
    assert Powers() == powers_of(made)
    assert Powers() == powers_of(made())
    with pytest.raises(ConfigurationError, match=r"proves is .* must be a frozenset"):
        powers_of(kind(proves=property(lambda self: {"knowledge"}))())


@pytest.mark.parametrize("read", [powers_of_courier, powers_of_ledger])
def test_couriers_and_ledgers_are_read_by_the_same_rule(read):
    """All or none, of the right type; what they lack does nothing."""
    assert read(object()).prepare() is None
    assert "ready" == read(type("Ready", (), {"prepare": lambda self: "ready"})()).prepare()
    with pytest.raises(ConfigurationError, match=r"(courier|ledger) Odd: prepare is True; it must be a method"):
        read(type("Odd", (), {"prepare": True})())


def test_a_courier_says_what_it_must_be_allowed():
    """A tuple of permissions, or none."""
    assert (PERMISSION,) == powers_of_courier(type("Ses", (), {"permissions": (PERMISSION,)})()).permissions
    with pytest.raises(ConfigurationError, match="courier Ses: permissions is of type str"):
        powers_of_courier(type("Ses", (), {"permissions": "*"})())


@pytest.mark.parametrize("channel", ["email", "sms", "", None, 7, ["email"]])
def test_a_courier_says_which_channel_it_carries(channel):
    """A text; without it nobody knows which messages are for it."""
    courier = type("Pigeon", (), {"channel": channel})()
    if channel in ("email", "sms"):
        assert channel == channel_of(courier)
        return
    with pytest.raises(ConfigurationError, match="the courier Pigeon does not say which channel it carries: give it"):
        channel_of(courier)


@attrs.frozen
class Note:
    """A message of a plugin's own."""

    channel = "sms"
    to: object = "+15555550100"
    said: object = ("hello",)
    id: str = ""

    def texts(self):
        """Return what was said; or fail."""
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said


@attrs.frozen
class Numbered(Note):
    """One that takes no id of the engine's."""

    id: str = attrs.field(default="", init=False)


@pytest.mark.parametrize(
    ("message", "channel", "flaw"),
    [
        (Note(), "sms", ""),
        (Note(said=()), "sms", ""),
        (Note(said=("x" * (MAX_MESSAGE - 12),)), "sms", ""),
        (Note(said=("x" * MAX_MESSAGE, "y")), "sms", f"made a message of more than {MAX_MESSAGE} characters"),
        (Note(), "email", "made a message of the channel 'sms', although it sends by 'email'"),
        (Note(), "", "made a message of the channel 'sms', although it sends by ''"),
        (Note(to=7), "sms", "made a message that is not all text"),
        (type("Loud", (Note,), {"channel": 7})(), "sms", "made a message that is not all text"),
        (Note(said=["hello"]), "sms", "made a message that is not all text"),
        (Note(said=("hello", 7)), "sms", "made a message that is not all text"),
        (Note(said=ValueError("secret")), "sms", "made a message that cannot be read or given an id: ValueError"),
        (Note(said=SystemExit()), "sms", "made a message that cannot be read or given an id: SystemExit"),
        (Numbered(), "sms", "made a message that cannot be read or given an id: TypeError"),
        ("hello", "sms", "made a message that is no attrs class with a field id"),
        (None, "sms", "made a message that is no attrs class with a field id"),
        (PERMISSION, "sms", "made a message that is no attrs class with a field id"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_message_is_whatever_has_the_members(message, channel, flaw):
    """A value with an id, a recipient and texts, of the channel by which its kind sends."""
    assert flaw == why_no_message(message, channel)


@pytest.mark.parametrize("reach", ["process", "machine", "everywhere", True, None, [], "galaxy"])
def test_a_ledger_says_which_processes_share_it(reach):
    """In one of three words."""
    ledger = type("Redis", (), {"reach": reach})()
    if reach in ("process", "machine", "everywhere"):
        assert reach == reach_of(ledger)
        return
    with pytest.raises(ConfigurationError, match="the ledger Redis does not say which processes share it"):
        reach_of(ledger)


SOURCES = [
    path
    for part in ("engine", "plugins", "adapters")
    for path in sorted((ROOT / part).rglob("*.py"))
    if path.resolve() != Path(inspect.getsourcefile(powers_of)).resolve()
]
THINGS = {"kind", "kinds", "courier", "couriers", "ledger", "real"}
"""What kinds, couriers and ledgers are called where they are handled."""

FACTS = {
    "attempts",
    "lifetime",
    "cosmetic",
    "cognitive",
    "backup",
    "proves",
    "host_rounds",
    "reach",
    "floor",
    "called",
    "methods",
    "with_token",
}
MEMBERS = FACTS | {member.name for members in KIND_POWERS.values() for member in members}
PROTOCOLS = {power.__name__ for power in KIND_POWERS} | {"Kind", "HostRun", "Courier", "Ledger"}


def last_name(node):
    """The last word of ``a.b.c``, or of ``type(a.b.c)``."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="type"), args=[inner]):
            return last_name(inner)
        case ast.Constant(value=str(text)):
            return text
    return ""


def looked_at(source):
    """The places where *source* asks at run time what a kind, a courier or a ledger has."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[thing, name, *_]):
                if last_name(thing) in THINGS or last_name(name) in MEMBERS:
                    yield ast.unparse(node)
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, types]):
                if PROTOCOLS & {last_name(each) for each in ast.walk(types)}:
                    yield ast.unparse(node)
            case ast.MatchClass(cls=cls) if last_name(cls) in PROTOCOLS:
                yield ast.unparse(node)


@pytest.mark.parametrize(
    "line",
    [
        'getattr(step.kind, "channel", "")',
        'hasattr(type(ledger), "prepare")',
        'getattr(block, "cosmetic", ())',
        "getattr(self.real, name)",
        "isinstance(each, Sends)",
        "isinstance(part, InSequence | Kind)",
        "match block:\n    case HostRun():\n        pass",
    ],
)
def test_each_way_to_look_is_seen(line):
    """The walk below finds them all."""
    assert 1 == len(list(looked_at(line)))


def test_no_other_module_looks_at_what_a_kind_a_courier_or_a_ledger_has():
    """It reads their powers: two places that look for themselves come to disagree."""
    assert len(SOURCES) > 100
    assert [] == [
        f"{path.relative_to(ROOT)}: {found}" for path in SOURCES for found in looked_at(path.read_text("utf-8"))
    ]


def test_no_power_is_checked_at_run_time():
    """``isinstance`` takes any member of that name for a power, and Python's versions differ in what they look at."""
    for power in KIND_POWERS:
        with pytest.raises(TypeError, match="runtime_checkable"):
            isinstance(object(), power)
