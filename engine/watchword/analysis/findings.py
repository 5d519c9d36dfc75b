"""The verdicts on a flow: whether it can be cheated, where it can get stuck, what it costs and what it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.attributes import changed_how, hands_of, is_custom
from watchword.algebra.blocks import Step
from watchword.algebra.flow import Flow, ReadRound, expect_flow, own_tries
from watchword.algebra.limits import MAX_GUESSES, PER_BUDGET
from watchword.algebra.notation import say
from watchword.algebra.requirement import FACTORS, Requirement, met, parse, terms
from watchword.analysis.enumeration import first_difference
from watchword.analysis.metrics import Figures, figures_of, guesses_per_day, over, per_day, probability, sends
from watchword.analysis.recovery import recovery_channels
from watchword.analysis.state_space import MAX_STATES, Exploration, bring_about, collector_paused, explore
from watchword.errors import ConfigurationError

Severity: TypeAlias = Literal["error", "warning", "note"]

MAX_SOLE_FACTOR = 1e-6
"""The most likely a stranger may guess a sole factor of one user in one day; 8 digits at 49 guesses make 4.9e-7."""

MAX_MESSAGES = 100
"""The most messages in a day of one user of which nothing is said."""

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
    "WW208": ("warning", "a resend that comes after the code is dead"),
    "WW209": ("warning", "limits that leave messages no tries of their own, or allow more than holds"),
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
    """One verdict. *session* is the shortest session, in words, that shows it, or None where it is about no session.

    It is the session of a user with these *attributes*, through the app client *client*, who asks for the step *choice*
    last: what `explain` takes.
    """

    code: str
    severity: Severity
    message: str
    session: tuple[str, ...] | None = None
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    client: str = ""
    choice: str = ""


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

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that somebody must see to before the flow is deployed."""
        return tuple(each for each in self.findings if each.severity == "warning")

    @property
    def password(self) -> bool:
        """Whether the host checks a password on some path."""
        return _has_password(self.exploration)


@frozen
class _Way:
    """A session, for some outcomes of the conditions; *labels* are what was proven, where that matters."""

    session: tuple[str, ...]
    outcomes: tuple[bool, ...]
    labels: frozenset[str] = frozenset()


@collector_paused()
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
            raise ConfigurationError(
                f"{flow.place_of('accept', code)}accept: {code!r} is no finding; there are {', '.join(CODES)}"
            )
        if not reason.strip():
            raise ConfigurationError(
                f"{flow.place_of('accept', code)}accept: {code} is accepted for no reason; write why"
            )
    required = [*_required(flow, flow.require, flow.place_of("require")), *_required(flow, require, "")]
    exploration = explore(flow, limit=limit, progress=progress)
    ways = _ways(exploration, required)
    figures = figures_of(exploration, session_minutes)
    findings = [
        *_proof(flow, ways, required),
        *_bypass(exploration, ways, required),
        *_ends(exploration, session_minutes),
        *_guessing(exploration),
        *_budgets(flow),
        *_mail(exploration, figures.sign_ins_to_lock_mail),
        *_unknown_user(exploration),
        *_access(exploration),
        *_host(exploration),
        *_failing_over(exploration),
        *_recovery(exploration),
        *_notes(flow, ways, figures, session_minutes),
    ]
    accepted = [_accept(flow, finding) for finding in findings]
    order = ("error", "warning", "note")
    accepted.sort(key=lambda each: (order.index(each.severity), each.code))
    return Report(flow, len(exploration.states), exploration.transitions, tuple(accepted), figures, exploration)


def unproven(flow: Flow, *, limit: int = MAX_STATES) -> Finding | None:
    """Return the finding that tokens are issued without a proof of who signs in, or None; `check` asks the rest, too.

    Raises:
        ConfigurationError: if there are more states than *limit*.
    """
    return next(_proof(flow, _ways(explore(flow, limit=limit), ()), ()), None)


def _accept(flow: Flow, finding: Finding) -> Finding:
    reason = flow.accept.get(finding.code)
    if reason is None:
        return finding
    return evolve(finding, severity="note", message=f"{finding.message} (accepted: {reason})")


def _finding(code: str, message: str) -> Finding:
    return Finding(code, CODES[code][0], message)


def _shown(flow: Flow, code: str, message: str, way: _Way | None, *, choice: str = "") -> Finding:
    if way is None:
        return _finding(code, message)
    attributes, client = bring_about(flow, way.outcomes)
    return Finding(code, CODES[code][0], message, way.session, attributes, client, choice)


def _required(flow: Flow, text: str, place: str) -> Iterator[Requirement]:
    """Give what *text* requires, if anything; *place* is where it stands."""
    if not text.strip():
        return
    try:
        requirement = parse(text)
        _known_terms(flow, requirement)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}{error}") from error
    yield requirement


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
    if read.name == derivative.PASSWORD_VERIFIER:
        return frozenset({"knowledge", "srp", "password", _NIST["knowledge"]})
    step = flow.steps.get(read.step)
    if step is None:
        return frozenset()
    # NIST SP 800-63B-4 3.1.3.1: e-mail shall not be used for out-of-band authentication.
    email = step.powers.channel == "email"
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
            if exploration.states[place.number][0] == derivative.PASSED and (place.labels, outcomes) not in found:
                found[place.labels, outcomes] = _Way(place.session, outcomes, place.labels)
    return tuple(sorted(found.values(), key=lambda way: len(way.session)))


def weakest(exploration: Exploration) -> tuple[frozenset[str], ...]:
    """Return the sets of factors that passing sessions prove, without those that prove more than another one."""
    found = {way.labels & set(FACTORS) for way in _ways(exploration, ())}
    return tuple(sorted((each for each in found if not any(other < each for other in found)), key=sorted))


def _passing(
    exploration: Exploration,
    beginning: tuple[tuple[bool, ...], int],
    allowed: Callable[[ReadRound], bool],
    *,
    through: str = "",
) -> _Way | None:
    """Return the shortest way from *beginning* to tokens whose rounds are all *allowed*, or None.

    *through* is a step that must be passed on the way, if any.
    """
    wanted = frozenset({through} if through else ())

    def gains(read: ReadRound) -> frozenset[str] | None:
        if not allowed(read):
            return None
        return wanted if read.right is True and read.step == through else frozenset()

    outcomes, number = beginning
    for place in _walk(exploration, number, gains):
        if exploration.states[place.number][0] == derivative.PASSED and wanted <= place.labels:
            return _Way(place.session, outcomes)
    return None


def _shortest(ways: Iterable[_Way | None]) -> _Way | None:
    return min((each for each in ways if each is not None), key=lambda way: len(way.session), default=None)


# --- the verdicts -------------------------------------------------------------------------------------------------


def _proof(flow: Flow, ways: Sequence[_Way], required: Sequence[Requirement]) -> Iterator[Finding]:
    bare = next((way for way in ways if way.labels.isdisjoint(FACTORS)), None)
    if bare is not None:
        yield _shown(
            flow,
            "WW101",
            f"tokens are issued although nothing proves who signs in{_given(flow, bare)}: "
            "a CAPTCHA or a proof of work is no factor; add a step that proves one",
            bare,
        )
    for requirement in required:
        weak = next((way for way in ways if not met(requirement, way.labels)), None)
        if weak is not None:
            proven = ", ".join(sorted(weak.labels.difference(_NIST.values()))) or "nothing"
            yield _shown(
                flow,
                "WW102",
                f"a path does not meet {_spelt(requirement)!r}{_given(flow, weak)}: it proves {proven} only",
                weak,
            )


def _given(flow: Flow, way: _Way) -> str:
    held = [" ".join(condition) for condition, held in zip(flow.conditions, way.outcomes, strict=True) if held]
    return f" (where {' and '.join(held)})" if held else ""


def _everywhere(flow: Flow, way: _Way) -> str:
    """Return for whom something holds on every path."""
    return _given(flow, way) or (" (where no condition holds)" if flow.conditions else "")


def _spelt(requirement: Requirement, *, inner: bool = False) -> str:
    if isinstance(requirement, str):
        return requirement
    text = f" {requirement[0]} ".join(_spelt(part, inner=True) for part in requirement[1])
    return f"({text})" if inner else text


def _bypass(exploration: Exploration, ways: Sequence[_Way], required: Sequence[Requirement]) -> Iterator[Finding]:
    flow = exploration.flow
    plain = _ways(exploration, required, resends=False)
    for way in ways:
        if not any(each.labels <= way.labels for each in plain if each.outcomes == way.outcomes):
            yield _shown(flow, "WW103", "a resend leads to tokens by fewer factors than without it", way)
            break
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
            yield _shown(
                flow,
                "WW104",
                f"the flow asks by {name!r}, which users can change {changed_how(name)}: "
                "ask by an attribute that only an administrator can set",
                next((way for way in ways if way.outcomes[place]), None),
            )


def _ends(exploration: Exploration, session_minutes: float) -> Iterator[Finding]:
    flow = exploration.flow
    for beginning in exploration.beginnings:
        if _passing(exploration, beginning, lambda _: True) is None:
            way = _Way((), beginning[0])
            yield _shown(flow, "WW105", f"no session leads to tokens{_everywhere(flow, way)}", way)
    for number, (state, onward) in enumerate(zip(exploration.states, exploration.onward, strict=True)):
        if not onward and state[0] not in {derivative.PASSED, derivative.FAILED}:
            stuck = _Way(exploration.shortest(number), exploration.outcomes_at(number))
            yield _shown(flow, "WW105", "a sign-in gets stuck: nothing can follow", stuck)
            break
    validity = session_minutes * 60
    for step in flow.steps.values():
        resend_after = step.powers.resend_after
        if step.powers.sends and resend_after >= validity:
            yield _finding(
                "WW106",
                f"step {step.name!r} sends again after {resend_after} s, but the session is over after "
                f"{validity:g} s: whoever waits is stuck; lower resend_after or raise the session's validity",
            )
        if sends(step) and resend_after > step.lifetime:
            yield _finding(
                "WW208",
                f"the message of step {step.name!r} is dead after {step.lifetime} s, but `resend_after` tells the client to wait "
                f"{resend_after} s for another one: users wait with a code that is no good; lower resend_after to {step.lifetime} "
                "at most, or raise lifetime",
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
            return read.right is not True or (read.name != derivative.PASSWORD_VERIFIER and read.step not in others)

        way = _shortest(
            _passing(exploration, beginning, alone, through=step.name) for beginning in exploration.beginnings
        )
        if way is not None:
            yield _shown(
                flow,
                "WW107",
                f"step {step.name!r} is the only factor of a path and guessed with probability {daily:.1e} a user-day at "
                f"{guesses_per_day(flow, step)} guesses; at most {MAX_SOLE_FACTOR:g} is sound: make the answer longer, "
                "or put another factor before it",
                way,
            )


def _budgets(flow: Flow) -> Iterator[Finding]:
    """Tell of limits that allow more than holds, and of those under which a message brings no try of its own."""
    messages, guesses = per_day(flow.limits.messages), per_day(flow.limits.guesses)
    for step in flow.steps.values():
        if not sends(step):
            if flow.limits.guesses_at(step) and guesses > PER_BUDGET:
                yield _finding(
                    "WW209",
                    f"limits.guesses allows {guesses:,} guesses a day, but step {step.name!r} takes {PER_BUDGET}: there is a "
                    "budget before a factor is proven and one behind it, and both together are "
                    f"{MAX_GUESSES} at most (NIST SP 800-63B-4 3.2.2); write {PER_BUDGET} a day or fewer, so that the flow says "
                    "what holds",
                )
                return
            continue
        charged = bool(flow.limits.guesses_at(step))
        if charged and own_tries(flow) == 0:
            yield _finding(
                "WW209",
                f"limits.messages allows {messages:,} messages a day to one address and limits.guesses {guesses:,} guesses: no "
                f"message of step {step.name!r} can bring a try of its own, or a day would have more than {MAX_GUESSES} "
                "guesses (NIST SP 800-63B-4 3.2.2), so whoever guesses wrongly for a user makes that user's codes "
                "worthless; lower limits.messages or limits.guesses",
            )
            return
        if not charged and messages > MAX_MESSAGES:
            yield _finding(
                "WW209",
                f"limits.messages allows {messages:,} messages a day to one address: at most {MAX_MESSAGES} are sound; lower it",
            )
            return


def _mail(exploration: Exploration, sign_ins: int) -> Iterator[Finding]:
    """Tell of a message that somebody gets sent who has given no right answer: at once, or after wrong ones."""
    flow = exploration.flow

    def gains(read: ReadRound) -> frozenset[str] | None:
        # Opening with SRP_A leads to no message that does not go out without it as well.
        return frozenset() if read.right is not True else None

    asked: list[tuple[_Way, Step, bool]] = []
    for outcomes, beginning in exploration.beginnings:
        for place in _walk(exploration, beginning, gains):
            body, _, phase, _ = exploration.states[place.number]
            free = derivative.without_srp(body) if phase == derivative.CLOSED else body
            names = derivative.heads(free or derivative.FAILED)
            step = next((flow.steps[name] for name in names if name in flow.steps and sends(flow.steps[name])), None)
            if step is not None:
                asked.append((_Way(place.session, outcomes), step, len(names) > 1))
                break
    if asked:
        way, step, chosen = min(asked, key=lambda each: len(each[0].session))
        day = per_day(flow.limits.messages)
        locked = f"{sign_ins} sign-ins by a stranger keep a user from further mail for a while, {day} for the day"
        yield _shown(
            flow,
            "WW201",
            f"step {step.name!r} sends a message to whoever names a user: "
            f"{locked if sign_ins else f'strangers can have a user sent {day:,} a day'}; put a password, a CAPTCHA or a proof of "
            "work before it",
            way,
            choice=step.name if chosen else "",
        )


def _unknown_user(exploration: Exploration) -> Iterator[Finding]:
    difference = first_difference(exploration)
    if difference is not None:
        way = _Way(difference.session, difference.outcomes)
        yield _shown(
            exploration.flow,
            "WW202",
            f"a user{_given(exploration.flow, way)} is asked otherwise than an unknown one (--unknown-user), and strangers can "
            "see it: so it shows who exists; ask what depends on an attribute behind a factor",
            way,
        )


def _access(exploration: Exploration) -> Iterator[Finding]:
    flow = exploration.flow
    cognitive = {step.name for step in flow.steps.values() if step.powers.cognitive}
    if not cognitive:
        return
    trapped = [
        beginning
        for beginning in exploration.beginnings
        if _passing(exploration, beginning, lambda read: read.right is not True or read.step not in cognitive) is None
    ]
    way = _shortest(_passing(exploration, beginning, lambda _: True) for beginning in trapped)
    if way is not None:
        everybody = len(trapped) == len(exploration.beginnings)
        where = "" if everybody else _everywhere(flow, way)
        beginnings = (number for outcomes, number in trapped if everybody or outcomes == way.outcomes)
        met = cognitive.intersection(set[str]().union(*(_steps_met(exploration, number) for number in beginnings)))
        yield _shown(
            flow,
            "WW203",
            f"every path{where} goes through a cognitive test ({', '.join(sorted(met))}): fails WCAG 2.2 SC 3.3.8 "
            "(Accessible Authentication, AA); offer a way without one by one_of",
            way,
        )


def _steps_met(exploration: Exploration, beginning: int) -> set[str]:
    return {
        read.step
        for place in _walk(exploration, beginning, lambda _: frozenset())
        for read, _ in exploration.onward[place.number]
    }


def _has_password(exploration: Exploration) -> bool:
    return any(read.name == derivative.PASSWORD_VERIFIER for onward in exploration.onward for read, _ in onward)


def _host(exploration: Exploration) -> Iterator[Finding]:
    password = _has_password(exploration)
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
            sent = step is not None and bool(step.kind.proves) and step.powers.channel == channel
            proven = "password" if read.name == derivative.PASSWORD_VERIFIER else channel if sent else ""
            return frozenset({proven} if proven and read.right is True and read.use == "answer" else ())

        way = _shortest(
            _Way(place.session, outcomes)
            for outcomes, beginning in exploration.beginnings
            for place in _walk(exploration, beginning, gains)
            if exploration.states[place.number][0] == derivative.PASSED
            and place.labels == frozenset({"password", channel})
        )
        yield _shown(
            flow,
            "WW207",
            f"a path asks for the password and for a message by {channel}: if the pool lets users recover passwords by "
            f"{channel}, whoever reads these messages needs nothing else; set the pool's AccountRecoverySetting to admin_only",
            way,
        )


def _failing_over(exploration: Exploration) -> Iterator[Finding]:
    """Tell of each step that makes way for another one where its message cannot be sent."""
    told: set[str] = set()
    for number, followers in enumerate(exploration.onward):
        for read, target in followers:
            left = exploration.states[target][0]
            if read.use != derivative.UNASKED or read.step in told or derivative.ending(left):
                continue
            told.add(read.step)
            others = ", ".join(derivative.heads(left))
            yield _shown(
                exploration.flow,
                "WW303",
                f"where step {read.step!r} cannot be asked (its courier is down, or the budget of messages is empty, which "
                f"strangers can bring about), the sign-in goes on with {others}: so whatever that proves is enough",
                _Way((*exploration.shortest(number), say(read)), exploration.outcomes_at(number)),
            )


def _notes(flow: Flow, ways: Sequence[_Way], figures: Figures, session_minutes: float) -> Iterator[Finding]:
    told: set[frozenset[str]] = set()
    for way in ways:
        factors = way.labels & set(FACTORS)
        counted = factors | way.labels.intersection(_NIST.values())
        if counted in told:
            continue
        told.add(counted)
        proven = " and ".join(sorted(factors)) or "nothing"
        yield _shown(flow, "WW301", f"a path proves {proven}: {assurance(way.labels)}", way)
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
