"""What each path of a flow proves: factors, the shortest paths to tokens, and the findings on that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.attributes import how_users_change, is_custom, who_can_change
from watchword.algebra.blocks import AskFirst, AtLeast, Block, Enrol, Fallback, InSequence, Named, OneOf, When
from watchword.algebra.flow import Flow, ReadRound
from watchword.algebra.lowering import Step
from watchword.algebra.session_notation import format_round
from watchword.analysis.findings import Finding, ProvenPath, condition_text, with_session, without_session
from watchword.analysis.requirement import Requirement, is_met, parse_requirement, spelt, terms
from watchword.analysis.state_space import Exploration
from watchword.contract.members import FACTORS
from watchword.contract.powers import is_host_run
from watchword.errors import ConfigurationError

# What these mean is fixed: no kind proves one of them by its name.
OWN_TERMS = frozenset({*FACTORS, "password", "srp"})


COUNTED = {factor: f"nist {factor}" for factor in FACTORS}


def required_by(flow: Flow, text: str, place: str) -> Iterator[Requirement]:
    """Give the requirement in *text*, if any; *place* is its place in the flow's file."""
    if not text.strip():
        return
    try:
        requirement = parse_requirement(text)
        check_terms(flow, requirement)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}{error}") from error
    yield requirement


def check_terms(flow: Flow, requirement: Requirement) -> None:
    """Raise ConfigurationError if a term of *requirement* is neither a factor nor a kind of *flow*."""
    known = {*OWN_TERMS, *(step.kind.kind for step in flow.steps.values())}
    for term in terms(requirement):
        if term not in known:
            raise ConfigurationError(
                f"require: {term!r} is no factor and no kind of this flow: {', '.join(sorted(known))}"
            )


def labels_of(flow: Flow, read: ReadRound) -> frozenset[str]:
    """Return what a round proves: factors, its kind, and factors that NIST would count (marked ``nist``)."""
    if read.right is not True or not read.is_answer:
        return frozenset()
    if read.name == derivative.PASSWORD_VERIFIER:
        return frozenset({"knowledge", "srp", "password", COUNTED["knowledge"]})
    step = flow.steps.get(read.step)
    if step is None:
        return frozenset()
    # NIST SP 800-63B-4 3.1.3.1: e-mail shall not be used for out-of-band authentication.
    email = step.powers.channel == "email"
    counted = () if email else (COUNTED[factor] for factor in step.proves if factor in COUNTED)
    own_name = set[str]() if step.enrols else {step.kind.kind} - OWN_TERMS
    return frozenset({*step.proves, *own_name, *counted})


@frozen
class ReachedState:
    """A state and what was proven on the path there: *before* is the state before it, *read* the round between."""

    number: int
    labels: frozenset[str]
    before: ReachedState | None = None
    read: ReadRound | None = None

    @property
    def session(self) -> tuple[str, ...]:
        """The rounds on the path, as text."""
        words: list[str] = []
        place = self
        while place.before is not None and place.read is not None:
            words.append(format_round(place.read))
            place = place.before
        return tuple(reversed(words))


def walk(
    exploration: Exploration, beginning: int, gains: Callable[[ReadRound], frozenset[str] | None]
) -> Iterator[ReachedState]:
    """Give every pair of state and labels, nearest first; *gains* returns None for a round that must not be taken."""
    start = ReachedState(beginning, frozenset())
    queue, seen = [start], {(beginning, start.labels)}
    gained: dict[int, frozenset[str] | None] = {}  # by identity: an exploration has few rounds, each in many places
    for here in queue:
        yield here
        for read, target in exploration.onward[here.number]:
            if id(read) not in gained:
                gained[id(read)] = gains(read)
            more = gained[id(read)]
            if more is None:
                continue
            labels = here.labels if more <= here.labels else here.labels | more
            if (target, labels) not in seen:
                seen.add((target, labels))
                queue.append(ReachedState(target, labels, here, read))


def ways_to_tokens(
    exploration: Exploration, required: Sequence[Requirement], *, resends: bool = True
) -> tuple[ProvenPath, ...]:
    """Return every set of labels that a passing session can end with."""
    relevant = {*FACTORS, *COUNTED.values(), *(term for each in required for term in terms(each))}
    found: dict[tuple[frozenset[str], tuple[bool, ...]], ProvenPath] = {}

    def gains(read: ReadRound) -> frozenset[str] | None:
        return labels_of(exploration.flow, read) & relevant if resends or read.use != "resend" else None

    for outcomes, beginning in exploration.beginnings:
        for place in walk(exploration, beginning, gains):
            if exploration.states[place.number][0] == derivative.PASSED and (place.labels, outcomes) not in found:
                found[place.labels, outcomes] = ProvenPath(place.session, outcomes, place.labels)
    return tuple(sorted(found.values(), key=lambda way: len(way.session)))


def weakest(exploration: Exploration) -> tuple[frozenset[str], ...]:
    """Return the sets of factors that passing sessions prove, without those that prove more than another one."""
    found = {way.labels & set(FACTORS) for way in ways_to_tokens(exploration, ())}
    return tuple(sorted((each for each in found if not any(other < each for other in found)), key=sorted))


def passing(
    exploration: Exploration,
    beginning: tuple[tuple[bool, ...], int],
    allowed: Callable[[ReadRound], bool],
    *,
    through: str = "",
) -> ProvenPath | None:
    """Return the shortest way from *beginning* to tokens whose rounds are all *allowed*, or None.

    *through* is a step that must be passed on the way, if any.
    """
    wanted = frozenset({through} if through else ())

    def gains(read: ReadRound) -> frozenset[str] | None:
        if not allowed(read):
            return None
        return wanted if read.right is True and read.step == through else frozenset()

    outcomes, number = beginning
    for place in walk(exploration, number, gains):
        if exploration.states[place.number][0] == derivative.PASSED and wanted <= place.labels:
            return ProvenPath(place.session, outcomes)
    return None


def shortest(ways: Iterable[ProvenPath | None]) -> ProvenPath | None:
    """Return the shortest of *ways*, or None."""
    return min((each for each in ways if each is not None), key=lambda way: len(way.session), default=None)


def given(flow: Flow, way: ProvenPath) -> str:
    """Return the conditions that hold on *way*, for a message; empty if none does."""
    held = [condition_text(condition) for condition, held in zip(flow.conditions, way.outcomes, strict=True) if held]
    return f" (where {' and '.join(held)})" if held else ""


def everywhere(flow: Flow, way: ProvenPath) -> str:
    """Return for which users something holds on every path, for a message."""
    return given(flow, way) or (" (where no condition holds)" if flow.conditions else "")


def steps_met(exploration: Exploration, beginning: int) -> set[str]:
    """Return the names of the steps that can be reached from *beginning*."""
    return {
        read.step
        for place in walk(exploration, beginning, lambda _: frozenset())
        for read, _ in exploration.onward[place.number]
    }


def assurance(labels: frozenset[str]) -> str:
    """Return the level of NIST SP 800-63B-4 that a session with *labels* may claim, with what is left out of it."""
    counted = {factor for factor, label in COUNTED.items() if label in labels}
    left_out = sorted((labels & set(FACTORS)) - counted)
    if "possession" not in counted:
        # NIST SP 800-63B-4 3.2.3: a biometric counts with something that the user has, never without.
        counted.discard("inherence")
    level = "AAL2" if len(counted) > 1 else "AAL1" if counted else "no AAL"
    if left_out:
        return f"{level} (NIST SP 800-63B-4 does not count {' or '.join(left_out)} by e-mail)"
    return level


_PASSWORD = ""  # no channel has this name


# What the ways through a block prove, one set for each way: the password, or possession by a channel.
_Ways = frozenset[frozenset[str]]


_NOTHING: _Ways = frozenset({frozenset[str]()})


def recovery_channels(flow: Flow) -> tuple[str, ...]:
    """Return the channels by which *flow*'s password must not be recovered, such as ``email``; none if any will do.

    On some path of the flow the user proves a password by `Srp` and possession by a message of that channel. Whoever
    reads these messages could have the password reset, and then needs nothing else.
    """
    ways = _ways(flow, flow.body)
    return tuple(sorted({channel for way in ways if _PASSWORD in way for channel in way - {_PASSWORD}}))


def _ways(flow: Flow, block: Block) -> _Ways:
    match block:
        case InSequence(parts):
            return _all_of(_ways(flow, part) for part in parts)
        case OneOf(parts) | Fallback(parts):
            return frozenset[frozenset[str]]().union(*(_ways(flow, part) for part in parts))
        case AtLeast(count, options):
            return _some_of(count, [_ways(flow, option) for option in options])
        case When(_, then, otherwise):
            return _ways(flow, then) | (_NOTHING if otherwise is None else _ways(flow, otherwise))
        case AskFirst(step):
            return _ways(flow, step)
        case Named(name, _):
            return _sent(flow.steps[name])
        case Enrol():
            return _NOTHING
        case _ if is_host_run(block):
            return frozenset({frozenset({_PASSWORD})})  # Srp is the only one that a flow may hold
        case _:
            return _sent(flow.steps[block.kind])


def _sent(step: Step) -> _Ways:
    return frozenset({frozenset({step.powers.channel})}) if step.proves and step.powers.sends else _NOTHING


def _all_of(parts: Iterable[_Ways]) -> _Ways:
    ways: _Ways = _NOTHING
    for part in parts:
        ways = frozenset({way | more for way in ways for more in part})
    return ways


def _some_of(count: int, options: list[_Ways]) -> _Ways:
    # After each option: the ways in which so many of those before it are passed.
    passed: list[_Ways] = [_NOTHING, *(frozenset[frozenset[str]]() for _ in range(count))]
    for option in options:
        for number in range(count, 0, -1):
            passed[number] |= _all_of((passed[number - 1], option))
    return passed[count]


def on_proof(flow: Flow, ways: Sequence[ProvenPath], required: Sequence[Requirement]) -> Iterator[Finding]:
    """Give the findings on paths that prove nothing, or less than is required."""
    bare = next((way for way in ways if way.labels.isdisjoint(FACTORS)), None)
    if bare is not None:
        yield with_session(
            flow,
            "WW101",
            f"tokens are issued although nothing proves who signs in{given(flow, bare)}: "
            "a CAPTCHA or a proof of work is no factor; add a step that proves one",
            bare,
        )
    for requirement in required:
        weak = next((way for way in ways if not is_met(requirement, way.labels)), None)
        if weak is not None:
            proven = ", ".join(sorted(weak.labels.difference(COUNTED.values()))) or "nothing"
            yield with_session(
                flow,
                "WW102",
                f"a path does not meet {spelt(requirement)!r}{given(flow, weak)}: it proves {proven} only",
                weak,
            )


def on_bypass(
    exploration: Exploration, ways: Sequence[ProvenPath], required: Sequence[Requirement]
) -> Iterator[Finding]:
    """Give the findings on ways to tokens by fewer factors: by a resend, or by an attribute that users change."""
    flow = exploration.flow
    plain = ways_to_tokens(exploration, required, resends=False)
    for way in ways:
        if not any(each.labels <= way.labels for each in plain if each.outcomes == way.outcomes):
            yield with_session(flow, "WW103", "a resend leads to tokens by fewer factors than without it", way)
            break
    for place, condition in enumerate(flow.conditions):
        if condition[0] != "attribute":
            continue  # the app client is checked by the host, and nobody enrols or removes anything unproven
        name = condition[1]
        if who_can_change(name) == "administrator":
            continue
        if is_custom(name):
            yield without_session(
                "WW204",
                f"the flow asks by {name!r}: take it out of WriteAttributes of every app client, or users choose for themselves",
            )
        else:
            yield with_session(
                flow,
                "WW104",
                f"the flow asks by {name!r}, which users can change {how_users_change(name)}: "
                "ask by an attribute that only an administrator can set",
                next((way for way in ways if way.outcomes[place]), None),
            )


def on_recovery(exploration: Exploration) -> Iterator[Finding]:
    """Give the finding that one channel stands for two factors: it gets the code, and a new password too."""
    flow = exploration.flow
    for channel in recovery_channels(flow):

        def gains(read: ReadRound, channel: str = channel) -> frozenset[str]:
            step = flow.steps.get(read.step)
            sent = step is not None and bool(step.proves) and step.powers.channel == channel
            proven = "password" if read.name == derivative.PASSWORD_VERIFIER else channel if sent else ""
            return frozenset({proven} if proven and read.right is True and read.is_answer else ())

        way = shortest(
            ProvenPath(place.session, outcomes)
            for outcomes, beginning in exploration.beginnings
            for place in walk(exploration, beginning, gains)
            if exploration.states[place.number][0] == derivative.PASSED
            and place.labels == frozenset({"password", channel})
        )
        yield with_session(
            flow,
            "WW207",
            f"a path asks for the password and for a message by {channel}: if who reads these messages can recover the password "
            "too, they need nothing else; set the pool's AccountRecoverySetting to admin_only",
            way,
        )
