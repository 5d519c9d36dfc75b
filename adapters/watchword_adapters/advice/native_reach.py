"""How far Cognito's native sign-in reaches into a flow: which ways it could go, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Literal, TypeAlias, cast

from attrs import evolve, field, frozen

from watchword.algebra.blocks import (
    AskFirst,
    AtLeast,
    AttributeCondition,
    Block,
    ClientCondition,
    Enrol,
    EnrolledCondition,
    Fallback,
    InSequence,
    Named,
    OneOf,
    When,
)
from watchword.algebra.flow import Flow
from watchword.algebra.lowering import Step
from watchword.contract.kinds import Kind
from watchword.contract.members import settings_of
from watchword.contract.ports import Limit
from watchword.contract.powers import is_host_run
from watchword_adapters.advice.native_facts import (
    METHODS,
    NONE_NATIVE,
    PASSWORD,
    PLUGINS,
    SESSION_MINUTES,
    SETTINGS,
    NativeChallenge,
    NativeMethod,
    Tier,
    dearer,
)

Covers: TypeAlias = Literal["all", "part", "nothing"]

_UNITS = {86_400: "day", 3_600: "h", 60: "min", 1: "s"}


@frozen
class NativeStep:
    """A step of a flow, done by a native *challenge*; *channel* is how its message travels, if it sends one."""

    step: str
    challenge: NativeChallenge
    channel: str = ""


@frozen
class NativeWay:
    """What native sign-in could do of one way through a flow; *whole* if that is every step of the way."""

    steps: tuple[NativeStep, ...] = ()
    whole: bool = True

    @property
    def tier(self) -> Tier:
        """The cheapest tier that has all of its challenges."""
        tier: Tier = "Lite"
        for each in self.steps:
            tier = dearer(tier, each.challenge.tier)
        return tier

    @property
    def is_passkey(self) -> bool:
        """Whether a passkey alone signs in."""
        return tuple(each.challenge for each in self.steps) == (METHODS["passkey"].first,)

    @property
    def after_password(self) -> bool:
        """Whether the password was asked for, and nothing else."""
        return tuple(each.challenge for each in self.steps) == (PASSWORD,)


@frozen
class NativeReach:
    """How far native sign-in reaches.

    Attributes:
        ways: what it could do, one for each way through the flow that differs; none if it could do nothing.
        lacking: the steps and rules of the flow that it has not, in words.
        settings: what the flow sets and Cognito does not let you set, in words.
    """

    ways: tuple[NativeWay, ...]
    lacking: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def covers(self) -> Covers:
        """Whether it could do all steps and rules of the flow, some, or none."""
        return "nothing" if not self.ways else "part" if self.lacking else "all"

    @property
    def tier(self) -> Tier | None:
        """The cheapest tier that has all that native sign-in could do; None if that is nothing."""
        tier: Tier | None = None
        for way in self.ways:
            tier = way.tier if tier is None else dearer(tier, way.tier)
        return tier


def reach_into(flow: Flow) -> NativeReach:
    """Return how far native sign-in reaches into *flow*."""
    reader = _Reader(flow)
    found = reader.after(flow.body, NativeWay())
    ways = tuple(way for way in found if way.steps and (way.whole or not any(_is_part(way, each) for each in found)))
    if _mixes(flow, ways):
        reader.lacks(
            "a second factor behind the password beside a sign-in by one code alone: a pool demands a second factor of "
            "everybody, or leaves it to the user"
        )
    return NativeReach(ways, tuple(reader.lacking), tuple(_settings(flow, ways)))


def native_method(kind: Kind) -> NativeMethod | None:
    """Return what Cognito has of the sort of *kind*; None if nothing, as for every kind that is not Watchword's own."""
    return METHODS.get(kind.kind) if _is_own(kind) else None


def _is_part(way: NativeWay, other: NativeWay) -> bool:
    """Say whether *other* does all that *way* does, and more, or as the whole of a way."""
    return way != other and other.steps[: len(way.steps)] == way.steps


def _is_own(kind: Kind) -> bool:
    return type(kind).__module__.startswith(PLUGINS)


@frozen
class _Reader:
    """Follows every way through a flow, and keeps of each only what native sign-in could do of it: at most two steps."""

    flow: Flow
    lacking: dict[str, None] = field(factory=dict[str, None])

    def lacks(self, what: str) -> None:
        """Note *what* native sign-in has not."""
        self.lacking[what] = None

    def after(self, block: Block, way: NativeWay) -> tuple[NativeWay, ...]:
        """Return the ways that lead on from *way* through *block*."""
        match block:
            case InSequence(parts):
                ways: tuple[NativeWay, ...] = (way,)
                for part in parts:
                    ways = _united(self.after(part, each) for each in ways)
                return ways
            case OneOf(options):
                return _united(self.after(option, way) for option in options)
            case AtLeast(count, options):
                return self._some_of(count, options, way)
            case Fallback(parts):
                if len(parts) > 1:
                    self.lacks(
                        f"{_joined(parts, ', then ')}: the next one when the one before fails or cannot be sent; "
                        "natively the user may choose another factor, if the pool allows it"
                    )
                return _united(self.after(part, way) for part in parts)
            case When():
                return self._when(block, way)
            case AskFirst(step):
                if way.steps:
                    self.lacks(f"{_word(step)}: asked first, so that nothing is sent unasked behind another step")
                return self.after(step, way)
            case Named(name, kind):
                return (self._enrolled(name, kind.kind, way) if isinstance(kind, Enrol) else self._step(name, way),)
            case Enrol(kind):
                return (self._enrolled(f"enrol_{kind.kind}", kind, way),)
            case _:
                if is_host_run(block):
                    return (evolve(way, steps=(NativeStep("srp", PASSWORD),)),)  # it comes before everything else
                return (self._step(block.kind, way),)

    def _step(self, name: str, way: NativeWay) -> NativeWay:
        step = self.flow.steps[name]
        method = native_method(step.kind)
        challenge = None if method is None or step.powers.with_token else _fitting(method, way)
        if challenge is not None:
            return evolve(way, steps=(*way.steps, NativeStep(name, challenge, step.powers.channel)))
        self.lacks(f"{name}: {_why(step, method, way)}")
        return evolve(way, whole=False)

    def _enrolled(self, name: str, kind: Kind, way: NativeWay) -> NativeWay:
        method = native_method(kind)
        if method is not None and method.enrolment is not None and way.after_password:
            return evolve(way, steps=(*way.steps, NativeStep(name, method.enrolment)))
        if method is None:
            self.lacks(f"{name}: {_unknown(kind)}")
        elif method.enrolment is not None:
            self.lacks(f"{name}: MFA_SETUP, the native enrolment of an app, comes right behind the password only")
        else:
            self.lacks(f"{name}: natively a user enrols this after a sign-in, never within it")
        return evolve(way, whole=False)

    def _some_of(self, count: int, options: tuple[Block, ...], way: NativeWay) -> tuple[NativeWay, ...]:
        if count == 1:
            return _united(self.after(option, way) for option in options)
        self.lacks(
            f"{count} of {_joined(options, ', ')}, in the order that the user chooses: native has no such choice"
        )
        # Whichever option comes first may be native; no two are.
        first = _united(self.after(option, way) for option in options)
        return tuple(evolve(each, whole=False) for each in first)

    def _when(self, block: When, way: NativeWay) -> tuple[NativeWay, ...]:
        match block.condition:
            case AttributeCondition(name, value):
                self.lacks(f"a rule by the attribute {name} = {value}: a pool treats all users alike")
            case ClientCondition(id_):
                self.lacks(f"a rule by the app client {id_}: first factors and MFA are settings of the whole pool")
            case EnrolledCondition(kind):
                if not self._is_optional_mfa(block, way):
                    self.lacks(f"a rule by whether {kind} is enrolled: native asks whoever has set up a second factor")
        taken = self.after(block.then, way)
        return _united((taken, (way,) if block.otherwise is None else self.after(block.otherwise, way)))

    def _is_optional_mfa(self, block: When, way: NativeWay) -> bool:
        """Say whether *block* asks for what the user has enrolled, or else has it enrolled, or goes on without it.

        That is what a pool does whose MfaConfiguration is OPTIONAL, or ON with MFA_SETUP.
        """
        then = block.then.kind if isinstance(block.then, Named) else block.then
        other = block.otherwise.kind if isinstance(block.otherwise, Named) else block.otherwise
        if isinstance(then, Enrol | InSequence | OneOf | AtLeast | Fallback | When | AskFirst) or is_host_run(then):
            return False
        if isinstance(other, Enrol):
            other = other.kind
        elif other is not None:
            return False
        method = native_method(then)
        same = isinstance(block.condition, EnrolledCondition) and block.condition.kind == then.kind
        alike = other is None or other.kind == then.kind
        return way.after_password and same and alike and method is not None and method.enrolment is not None


def _fitting(method: NativeMethod, way: NativeWay) -> NativeChallenge | None:
    if not way.steps:
        return method.first
    return method.second if way.after_password else None


def _why(step: Step, method: NativeMethod | None, way: NativeWay) -> str:
    if method is None:
        return _unknown(step.kind)
    if step.powers.with_token:
        return "an answer with an access token: natively that is a step-up, by TARGET_ACR_VALUES (from Essentials)"
    if method.lacking and (method.second is None or not way.steps):
        return method.lacking
    if len(way.steps) > 1:
        return "a third factor: native sign-in ends after the password and one more"
    return "a second factor that is not behind the password: native adds one to the password only"


def _unknown(kind: Kind) -> str:
    if _is_own(kind) and kind.kind in NONE_NATIVE:
        return NONE_NATIVE[kind.kind]
    return f"the kind {kind.kind} is of a plugin, and Cognito knows nothing like it"


def _mixes(flow: Flow, ways: Iterable[NativeWay]) -> bool:
    """Say whether some ways have a second factor and others a single one that a pool with MFA does not let in."""
    alone = {way.steps[0].step for way in ways if len(way.steps) == 1 and way.steps[0].challenge != PASSWORD}
    # With `native_facts.PASSKEY_FOR_BOTH` a passkey that verifies the user is enough for a pool that demands two factors.
    weak = {name for name in alone if not _verifies(flow.steps[name])}
    return bool(weak) and any(len(way.steps) > 1 for way in ways)


def _verifies(step: Step) -> bool:
    return settings_of(step.kind).get("user_verification") == "required"


def _settings(flow: Flow, ways: tuple[NativeWay, ...]) -> Iterable[str]:
    done = dict.fromkeys(each.step for way in ways for each in way.steps if each.step in flow.steps)
    steps = [flow.steps[name] for name in done]
    for step in steps:
        values = settings_of(step.kind)
        for setting in SETTINGS:
            if setting.kind == step.kind.kind and not setting.fits(values[setting.name]):
                yield f"{step.name}, {setting.name}: {setting.otherwise.format(value=_shown(values[setting.name]))}"
        method = native_method(step.kind)
        if method is not None and method.limits:
            yield f"{step.name}: {method.limits}"
    if any(step.powers.sends for step in steps):
        yield "another message within the sign-in, if the first is late: natively the user begins again"
    if steps:
        least, most = SESSION_MINUTES
        told = ", ".join(f"{step.name} {step.attempts} in {step.lifetime} s" for step in steps)
        yield f"tries and time for each step ({told}): a pool has no setting for tries, and one of {least} to {most} minutes for the time of each round"
    if flow.steps:
        limits = f"{_limits(flow.limits.guesses)} wrong answers"
        if any(step.powers.sends for step in flow.steps.values()):
            limits += f" and {_limits(flow.limits.messages)} messages"
        yield f"budgets for each user, over all sign-ins ({limits}): Cognito's limits are its own"


def _limits(limits: tuple[Limit, ...]) -> str:
    return ", ".join(f"{each.count}/{_span(each.seconds)}" for each in limits)


def _span(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS.items() if seconds % size == 0)
    return unit if seconds == size else f"{seconds // size}{unit}"


def _shown(value: object) -> str:
    return ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else str(value)


def _joined(blocks: tuple[Block, ...], between: str) -> str:
    return between.join(map(_word, blocks))


def _word(block: Block) -> str:
    """Return how a *block* is called in a message: by the names of its steps."""
    match block:
        case InSequence(parts):
            return _joined(parts, " and ")
        case OneOf(parts):
            return f"({_joined(parts, ' or ')})"
        case AtLeast(count, parts):
            return f"({count} of {_joined(parts, ', ')})"
        case Fallback(parts):
            return f"({_joined(parts, ', else ')})"
        case When(_, then, otherwise):
            return _word(then) if otherwise is None else f"({_word(then)} or {_word(otherwise)})"
        case Named(name, _):
            return name
        case AskFirst(step):
            return _word(step)
        case Enrol(kind):
            return f"enrol_{kind.kind}"
        case _:
            return "srp" if is_host_run(block) else block.kind


def _united(ways: Iterable[tuple[NativeWay, ...]]) -> tuple[NativeWay, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(ways)))
