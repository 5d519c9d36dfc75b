"""The verdicts on a flow: whether it can be cheated, where it can get stuck, what it costs and what it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from watchword import derive
from watchword.attributes import changed_how, hands_of, is_custom
from watchword.blocks import Step
from watchword.decoy import first_difference
from watchword.errors import ConfigurationError
from watchword.exploration import MAX_STATES, Exploration, explore
from watchword.figures import Figures, figures_of, guesses_per_day, over, per_day, probability, sends
from watchword.flow import Flow, ReadRound, expect_flow
from watchword.recovery import recovery_channels
from watchword.requirement import FACTORS, Requirement, met, parse, terms
from watchword.speech import say

Severity: TypeAlias = Literal["error", "warning", "note"]

MAX_SOLE_FACTOR = 1e-6
"""The most likely a stranger may guess a sole factor of one user in one day; 8 digits at 20 guesses make 2e-7."""

CODES: dict[str, tuple[Severity, str]] = {
    "WW101": ("error", "tokens without proof of who signs in"),
    "WW102": ("error", "a path that does not meet `require`"),
    "WW103": ("error", "client metadata leads to tokens by fewer factors"),
    "WW104": ("error", "a condition on an attribute that users can change"),
    "WW105": ("error", "no way to tokens"),
    "WW106": ("error", "a resend that comes after the session is over"),
    "WW107": ("error", "a sole factor that is too easy to guess"),
    "WW201": ("warning", "a first message with nothing before it"),
    "WW202": ("warning", "unknown users are asked something else"),
    "WW203": ("warning", "no way around a cognitive test"),
    "WW204": ("warning", "a condition on a custom attribute"),
    "WW205": ("warning", "a lifetime longer than the session"),
    "WW206": ("warning", "what the host must not allow beside the flow"),
    "WW207": ("warning", "password recovery by the channel of a second factor"),
    "WW301": ("note", "what each path proves"),
    "WW302": ("note", "bounds"),
    "WW303": ("note", "what comes where a message cannot be sent"),
}
"""Every finding: its code, how serious it is, and what it is about."""

# What these mean is fixed: no kind proves one of them by its name.
_OWN_TERMS = frozenset({*FACTORS, "password", "srp"})
_NIST = {factor: f"nist {factor}" for factor in FACTORS}


@frozen
class Finding:
    """One verdict. *session* is the shortest session, in words, that shows it, or None where it is about no session."""

    code: str
    severity: Severity
    message: str
    session: tuple[str, ...] | None = None


@frozen
class Report:
    """What `check` found."""

    flow: Flow
    states: int
    transitions: int
    findings: tuple[Finding, ...]
    figures: Figures
    exploration: Exploration = field(repr=False, eq=False)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make a flow unsound."""
        return tuple(each for each in self.findings if each.severity == "error")


@frozen
class _Way:
    """One set of labels that a passing session can end with, and the shortest session that does."""

    labels: frozenset[str]
    session: tuple[str, ...]
    outcomes: tuple[bool, ...]


def check(
    flow: Flow,
    *,
    require: str = "",
    session_minutes: float = 3,
    limit: int = MAX_STATES,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Return the verdicts on *flow*, worst first.

    *require* is what every path must prove, beside what the flow itself says; *session_minutes* is the validity of the
    host's session (3 to 15; Cognito's default is 3); *limit* and *progress* are for `explore`.

    Raises:
        ConfigurationError: if *require* or the flow's `accept` cannot be read, or there are too many states.
    """
    expect_flow(flow)
    if not 3 <= session_minutes <= 15:
        raise ConfigurationError(
            f"session_minutes is {session_minutes}: Cognito's sessions are valid for 3 to 15 minutes"
        )
    for code, reason in flow.accept.items():
        if code not in CODES:
            raise ConfigurationError(f"accept: {code!r} is no finding; there are {', '.join(CODES)}")
        if not reason.strip():
            raise ConfigurationError(f"accept: {code} is accepted for no reason; write why")
    required = [parse(text) for text in (flow.require, require) if text.strip()]
    for requirement in required:
        _known_terms(flow, requirement)
    exploration = explore(flow, limit=limit, progress=progress)
    ways = _ways(exploration, required)
    figures = figures_of(exploration, session_minutes)
    findings = [
        *_proof(flow, ways, required),
        *_bypass(exploration, ways, required),
        *_ends(exploration, session_minutes),
        *_guessing(exploration),
        *_mail(exploration),
        *_unknown_user(exploration),
        *_access(exploration),
        *_host(exploration),
        *_failing_over(exploration),
        *_recovery(exploration),
        *_notes(ways, figures, session_minutes),
    ]
    accepted = [_accept(flow, finding) for finding in findings]
    order = ("error", "warning", "note")
    accepted.sort(key=lambda each: (order.index(each.severity), each.code))
    return Report(flow, len(exploration.states), exploration.transitions, tuple(accepted), figures, exploration)


def _accept(flow: Flow, finding: Finding) -> Finding:
    reason = flow.accept.get(finding.code)
    if reason is None:
        return finding
    return evolve(finding, severity="note", message=f"{finding.message} (accepted: {reason})")


def _finding(code: str, message: str, session: tuple[str, ...] | None = None) -> Finding:
    return Finding(code, CODES[code][0], message, session)


def _known_terms(flow: Flow, requirement: Requirement) -> None:
    known = {*_OWN_TERMS, *(step.kind.kind for step in flow.steps.values())}
    for term in terms(requirement):
        if term not in known:
            raise ConfigurationError(
                f"require: {term!r} is no factor and no kind of this flow: {', '.join(sorted(known))}"
            )


# --- labels: what a session has proven ----------------------------------------------------------------------------


def _labels(flow: Flow, read: ReadRound) -> frozenset[str]:
    """Return what a round proves: factors, its kind, and factors that NIST would count (marked ``nist``)."""
    if read.right is not True or read.use != "answer":
        return frozenset()
    if read.name == derive.PASSWORD_VERIFIER:
        return frozenset({"knowledge", "srp", "password", _NIST["knowledge"]})
    step = flow.steps.get(read.step)
    if step is None:
        return frozenset()
    # NIST SP 800-63B-4 3.1.3.1: e-mail shall not be used for out-of-band authentication.
    email = getattr(step.kind, "channel", "") == "email"
    counted = () if email else (_NIST[factor] for factor in step.kind.proves if factor in _NIST)
    return frozenset({*step.kind.proves, *({step.kind.kind} - _OWN_TERMS), *counted})


@frozen
class _Place:
    """A state with what was proven on the way there; *before* and *read* tell the way."""

    number: int
    labels: frozenset[str]
    before: _Place | None = None
    read: ReadRound | None = None

    @property
    def session(self) -> tuple[str, ...]:
        words: list[str] = []
        place = self
        while place.before is not None and place.read is not None:
            words.append(say(place.read))
            place = place.before
        return tuple(reversed(words))


def _walk(
    exploration: Exploration, beginning: int, gains: Callable[[ReadRound], frozenset[str] | None]
) -> Iterator[_Place]:
    """Give every state in every distinct company of labels, nearest first; *gains* says None of a round not to be taken."""
    start = _Place(beginning, frozenset())
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
                queue.append(_Place(target, labels, here, read))


def _ways(exploration: Exploration, required: Sequence[Requirement], *, resends: bool = True) -> tuple[_Way, ...]:
    """Return every set of labels that a passing session can end with."""
    relevant = {*FACTORS, *_NIST.values(), *(term for each in required for term in terms(each))}
    found: dict[tuple[frozenset[str], tuple[bool, ...]], _Way] = {}

    def gains(read: ReadRound) -> frozenset[str] | None:
        return _labels(exploration.flow, read) & relevant if resends or read.use != "resend" else None

    for outcomes, beginning in exploration.beginnings:
        for place in _walk(exploration, beginning, gains):
            if exploration.states[place.number][0] == derive.PASSED and (place.labels, outcomes) not in found:
                found[place.labels, outcomes] = _Way(place.labels, place.session, outcomes)
    return tuple(sorted(found.values(), key=lambda way: len(way.session)))


def _passing(
    exploration: Exploration, beginning: int, allowed: Callable[[ReadRound], bool], *, through: str = ""
) -> tuple[str, ...] | None:
    """Return the shortest session from *beginning* to tokens whose rounds are all *allowed*, or None.

    *through* is a step that must be passed on the way, if any.
    """
    wanted = frozenset({through} if through else ())

    def gains(read: ReadRound) -> frozenset[str] | None:
        if not allowed(read):
            return None
        return wanted if read.right is True and read.step == through else frozenset()

    for place in _walk(exploration, beginning, gains):
        if exploration.states[place.number][0] == derive.PASSED and wanted <= place.labels:
            return place.session
    return None


def _shortest(sessions: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    return min((each for each in sessions if each is not None), key=len, default=None)


# --- the verdicts -------------------------------------------------------------------------------------------------


def _proof(flow: Flow, ways: Sequence[_Way], required: Sequence[Requirement]) -> Iterator[Finding]:
    bare = next((way for way in ways if way.labels.isdisjoint(FACTORS)), None)
    if bare is not None:
        yield _finding(
            "WW101",
            f"tokens are issued although nothing proves who signs in{_given(flow, bare)}: "
            "a CAPTCHA or a proof of work is no factor; add a step that proves one",
            bare.session,
        )
    for requirement in required:
        weak = next((way for way in ways if not met(requirement, way.labels)), None)
        if weak is not None:
            proven = ", ".join(sorted(weak.labels.difference(_NIST.values()))) or "nothing"
            yield _finding(
                "WW102",
                f"a path does not meet {_spelt(requirement)!r}{_given(flow, weak)}: it proves {proven} only",
                weak.session,
            )


def _given(flow: Flow, way: _Way) -> str:
    held = [" ".join(condition) for condition, held in zip(flow.conditions, way.outcomes, strict=True) if held]
    return f" (where {' and '.join(held)})" if held else ""


def _spelt(requirement: Requirement, *, inner: bool = False) -> str:
    if isinstance(requirement, str):
        return requirement
    text = f" {requirement[0]} ".join(_spelt(part, inner=True) for part in requirement[1])
    return f"({text})" if inner else text


def _bypass(exploration: Exploration, ways: Sequence[_Way], required: Sequence[Requirement]) -> Iterator[Finding]:
    plain = _ways(exploration, required, resends=False)
    for way in ways:
        if not any(each.labels <= way.labels for each in plain if each.outcomes == way.outcomes):
            yield _finding("WW103", "a resend leads to tokens by fewer factors than without it", way.session)
            break
    flow = exploration.flow
    for place, condition in enumerate(flow.conditions):
        if condition[0] != "attribute":
            continue
        name = condition[1]
        if hands_of(name) == "administrator":
            continue
        if is_custom(name):
            yield _finding(
                "WW204",
                f"the flow asks by {name!r}: take it out of WriteAttributes of every app client, or users choose for themselves",
            )
        else:
            yield _finding(
                "WW104",
                f"the flow asks by {name!r}, which users can change {changed_how(name)}: "
                "ask by an attribute that only an administrator can set",
                _differing(ways, place),
            )


def _differing(ways: Sequence[_Way], place: int) -> tuple[str, ...] | None:
    return next((way.session for way in ways if way.outcomes[place]), None)


def _ends(exploration: Exploration, session_minutes: float) -> Iterator[Finding]:
    flow = exploration.flow
    for outcomes, beginning in exploration.beginnings:
        if _passing(exploration, beginning, lambda _: True) is None:
            yield _finding("WW105", f"no session leads to tokens{_given(flow, _Way(frozenset(), (), outcomes))}", ())
    for number, (state, onward) in enumerate(zip(exploration.states, exploration.onward, strict=True)):
        if not onward and state[0] not in {derive.PASSED, derive.FAILED}:
            yield _finding("WW105", "a sign-in gets stuck: nothing can follow", exploration.shortest(number))
            break
    validity = session_minutes * 60
    for step in flow.steps.values():
        resend_after: int = getattr(step.kind, "resend_after", 0)
        if sends(step) and resend_after >= validity:
            yield _finding(
                "WW106",
                f"step {step.name!r} sends again after {resend_after} s, but the session is over after "
                f"{validity:g} s: whoever waits is stuck; lower resend_after or raise the session's validity",
            )
        if step.lifetime > validity:
            yield _finding(
                "WW205",
                f"step {step.name!r} waits {step.lifetime} s for its answer, but the session is over after {validity:g} s: "
                "raise the session's validity, or lower the lifetime",
            )


def _identity(flow: Flow) -> tuple[Step, ...]:
    return tuple(step for step in flow.steps.values() if step.kind.proves)


def _guessing(exploration: Exploration) -> Iterator[Finding]:
    flow = exploration.flow
    for step in _identity(flow):
        daily = over(probability(step), guesses_per_day(flow, step))
        if daily <= MAX_SOLE_FACTOR:
            continue
        others = {each.name for each in _identity(flow)} - {step.name}

        def alone(read: ReadRound, others: set[str] = others) -> bool:
            return read.right is not True or (read.name != derive.PASSWORD_VERIFIER and read.step not in others)

        session = _shortest(
            _passing(exploration, beginning, alone, through=step.name) for _, beginning in exploration.beginnings
        )
        if session is not None:
            yield _finding(
                "WW107",
                f"step {step.name!r} is the only factor of a path and guessed with probability {daily:.1e} a user-day at "
                f"{guesses_per_day(flow, step)} guesses; at most {MAX_SOLE_FACTOR:g} is sound: make the answer longer, "
                "or put another factor before it",
                session,
            )


def _mail(exploration: Exploration) -> Iterator[Finding]:
    """Tell of a message that somebody gets sent who has given no right answer: at once, or after wrong ones."""
    flow = exploration.flow

    def gains(read: ReadRound) -> frozenset[str] | None:
        # Opening with SRP_A leads to no message that does not go out without it as well.
        return frozenset() if read.right is not True else None

    asked: list[tuple[tuple[str, ...], Step]] = []
    for _, beginning in exploration.beginnings:
        for place in _walk(exploration, beginning, gains):
            body, _, phase, _ = exploration.states[place.number]
            free = derive.without_srp(body) if phase == derive.CLOSED else body
            sending = [flow.steps[name] for name in derive.heads(free or derive.FAILED) if name in flow.steps]
            step = next(filter(sends, sending), None)
            if step is not None:
                asked.append((place.session, step))
                break
    if asked:
        session, step = min(asked, key=lambda each: len(each[0]))
        limits = flow.limits.messages
        yield _finding(
            "WW201",
            f"step {step.name!r} sends a message to whoever names a user: {min(each.count for each in limits)} sign-ins by a "
            f"stranger keep a user from further mail for a while, {per_day(limits)} for the day; put "
            "a password, a CAPTCHA or a proof of work before it",
            session,
        )


def _unknown_user(exploration: Exploration) -> Iterator[Finding]:
    difference = first_difference(exploration)
    if difference is not None:
        held = _given(exploration.flow, _Way(frozenset(), (), difference.outcomes))
        yield _finding(
            "WW202",
            f"a user{held} is asked otherwise than an unknown one, and strangers can see it: so it shows who exists; "
            "ask what depends on an attribute behind a factor",
            difference.session,
        )


def _access(exploration: Exploration) -> Iterator[Finding]:
    cognitive = {step.name for step in exploration.flow.steps.values() if getattr(step.kind, "cognitive", False)}
    if not cognitive:
        return
    trapped: list[tuple[str, ...] | None] = []
    for _, beginning in exploration.beginnings:
        if _passing(exploration, beginning, lambda read: read.right is not True or read.step not in cognitive) is None:
            trapped.append(_passing(exploration, beginning, lambda _: True))
    session = _shortest(trapped)
    if session is not None:
        yield _finding(
            "WW203",
            f"every path goes through a cognitive test ({', '.join(sorted(cognitive))}): fails WCAG 2.2 SC 3.3.8 "
            "(Accessible Authentication, AA); offer a way without one by one_of",
            session,
        )


def _host(exploration: Exploration) -> Iterator[Finding]:
    password = any(read.name == derive.PASSWORD_VERIFIER for onward in exploration.onward for read, _ in onward)
    yield _finding(
        "WW206",
        "the app client must allow ALLOW_CUSTOM_AUTH and ALLOW_REFRESH_TOKEN_AUTH and nothing else: USER_SRP_AUTH, "
        "USER_PASSWORD_AUTH or USER_AUTH would give tokens without this flow; all three triggers (define, create, verify) "
        "must be set" + (", and pool MFA left off" if password else ""),
    )


def _recovery(exploration: Exploration) -> Iterator[Finding]:
    """Tell of a mailbox (or any channel) that is two factors: the code is sent there, and so would be a new password."""
    flow = exploration.flow
    for channel in recovery_channels(flow):

        def gains(read: ReadRound, channel: str = channel) -> frozenset[str]:
            step = flow.steps.get(read.step)
            sent = step is not None and bool(step.kind.proves) and getattr(step.kind, "channel", "") == channel
            proven = "password" if read.name == derive.PASSWORD_VERIFIER else channel if sent else ""
            return frozenset({proven} if proven and read.right is True and read.use == "answer" else ())

        session = _shortest(
            place.session
            for _, beginning in exploration.beginnings
            for place in _walk(exploration, beginning, gains)
            if exploration.states[place.number][0] == derive.PASSED and place.labels == frozenset({"password", channel})
        )
        yield _finding(
            "WW207",
            f"a path asks for the password and for a message by {channel}: if the pool lets users recover passwords by "
            f"{channel}, whoever reads these messages needs nothing else; set the pool's AccountRecoverySetting to admin_only",
            session,
        )


def _failing_over(exploration: Exploration) -> Iterator[Finding]:
    """Tell of each step that makes way for another one where its message cannot be sent."""
    told: set[str] = set()
    for number, followers in enumerate(exploration.onward):
        for read, target in followers:
            left = exploration.states[target][0]
            if read.use != derive.UNASKED or read.step in told or derive.ending(left):
                continue
            told.add(read.step)
            others = ", ".join(derive.heads(left))
            yield _finding(
                "WW303",
                f"where step {read.step!r} cannot be asked (its courier is down, or the budget of messages is empty, which "
                f"strangers can bring about), the sign-in goes on with {others}: so whatever that proves is enough",
                (*exploration.shortest(number), say(read)),
            )


def _notes(ways: Sequence[_Way], figures: Figures, session_minutes: float) -> Iterator[Finding]:
    told: set[frozenset[str]] = set()
    for way in ways:
        factors = way.labels & set(FACTORS)
        counted = factors | way.labels.intersection(_NIST.values())
        if counted in told:
            continue
        told.add(counted)
        proven = " and ".join(sorted(factors)) or "nothing"
        yield _finding("WW301", f"a path proves {proven}: {assurance(way.labels)}", way.session)
    yield _finding(
        "WW302",
        f"at most {figures.longest_path} rounds, each with {session_minutes:g} minutes of its own "
        f"(so at most {figures.longest_path * session_minutes:g} minutes); at most {figures.messages_per_sign_in} messages",
    )


def assurance(labels: frozenset[str]) -> str:
    """Return the level of NIST SP 800-63B-4 that a session with *labels* may claim, with what is left out of it."""
    counted = {factor for factor, label in _NIST.items() if label in labels}
    left_out = sorted((labels & set(FACTORS)) - counted)
    if "possession" not in counted:
        # NIST SP 800-63B-4 3.2.3: a biometric counts with something that the user has, never without.
        counted.discard("inherence")
    level = "AAL2" if len(counted) > 1 else "AAL1" if counted else "no AAL"
    if left_out:
        return f"{level} (NIST SP 800-63B-4 does not count {' or '.join(left_out)} by e-mail)"
    return level
