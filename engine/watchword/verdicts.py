"""The verdicts on a flow: whether it can be cheated, where it can get stuck, what it costs and what it proves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from watchword import derive
from watchword.blocks import Step
from watchword.challenge import Sends
from watchword.errors import ConfigurationError
from watchword.exploration import MAX_STATES, Exploration, explore
from watchword.flow import Flow, ReadRound
from watchword.ports import Limit
from watchword.requirement import FACTORS, Requirement, met, parse, terms
from watchword.speech import say

Severity: TypeAlias = Literal["error", "warning", "note"]

DAY = 86_400
MAX_SOLE_FACTOR = 1e-6
"""The most likely a stranger may guess a sole factor of one user in one day; 8 digits at 20 guesses make 2e-7."""

CODES: dict[str, tuple[Severity, str]] = {
    "WW101": ("error", "tokens without proof of who signs in"),
    "WW102": ("error", "a path that does not meet `require`"),
    "WW103": ("error", "client metadata leads to tokens by fewer factors"),
    "WW104": ("error", "a condition on an attribute that users write themselves"),
    "WW105": ("error", "no way to tokens"),
    "WW106": ("error", "a resend that comes after the session is over"),
    "WW107": ("error", "a sole factor that is too easy to guess"),
    "WW201": ("warning", "a first message with nothing before it"),
    "WW202": ("warning", "unknown users are asked something else"),
    "WW203": ("warning", "no way around a cognitive test"),
    "WW204": ("warning", "a condition on a custom attribute"),
    "WW205": ("warning", "a lifetime longer than the session"),
    "WW206": ("warning", "what the host must not allow beside the flow"),
    "WW301": ("note", "what each path proves"),
    "WW302": ("note", "bounds"),
}
"""Every finding: its code, how serious it is, and what it is about."""

# The attributes that no app client can write (Cognito developer guide, user pool attributes).
_NOT_WRITABLE = frozenset({"sub", "email_verified", "phone_number_verified", "identities"})


@frozen
class Finding:
    """One verdict. *session* is the shortest session, in words, that shows it, or None where it is about no session."""

    code: str
    severity: Severity
    message: str
    session: tuple[str, ...] | None = None


@frozen
class Figures:
    """What a flow costs, in numbers.

    Probabilities are those of a stranger who knows every password and guesses everything else, within the budgets.
    """

    longest_path: int
    guess_per_sign_in: float
    guess_per_user_day: float
    guess_per_user_year: float
    messages_per_sign_in: int
    messages_per_user_day: int
    sign_ins_to_lock_mail: int


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
    if not 3 <= session_minutes <= 15:
        raise ConfigurationError(
            f"session_minutes is {session_minutes}: Cognito's sessions are valid for 3 to 15 minutes"
        )
    unknown = sorted(flow.accept.keys() - CODES.keys())
    if unknown:
        raise ConfigurationError(f"accept: {unknown[0]!r} is no finding; there are {', '.join(CODES)}")
    required = [parse(text) for text in (flow.require, require) if text.strip()]
    for requirement in required:
        _known_terms(flow, requirement)
    exploration = explore(flow, limit=limit, progress=progress)
    ways = _ways(exploration, required)
    figures = _figures(exploration, session_minutes)
    findings = [
        *_proof(flow, ways, required),
        *_bypass(exploration, ways, required),
        *_ends(exploration, session_minutes),
        *_guessing(exploration),
        *_mail(exploration, figures),
        *_unknown_user(flow),
        *_access(exploration),
        *_host(flow),
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
    kinds = {step.kind.kind for step in flow.steps.values()}
    known = {*FACTORS, "password", "srp", *kinds}
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
        return frozenset({"knowledge", "srp", "password", "nist knowledge"})
    step = flow.steps.get(read.step)
    if step is None:
        return frozenset()
    # NIST SP 800-63B-4 3.1.3.1: e-mail shall not be used for out-of-band authentication.
    counted = () if _channel(step) == "email" else (f"nist {factor}" for factor in step.kind.proves)
    return frozenset({*step.kind.proves, step.kind.kind, *counted})


def _channel(step: Step) -> str:
    return str(getattr(step.kind, "channel", ""))


def _ways(exploration: Exploration, required: Sequence[Requirement], *, resends: bool = True) -> tuple[_Way, ...]:
    """Return every set of labels that a passing session can end with."""
    relevant = {
        *FACTORS,
        *(f"nist {factor}" for factor in FACTORS),
        *(term for each in required for term in terms(each)),
    }
    flow = exploration.flow
    proven = {read: _labels(flow, read) & relevant for followers in exploration.onward for read, _ in followers}
    found: dict[tuple[frozenset[str], tuple[bool, ...]], _Way] = {}
    nothing = frozenset[str]()
    for outcomes, beginning in exploration.beginnings:
        start = (beginning, nothing)
        came: dict[tuple[int, frozenset[str]], tuple[tuple[int, frozenset[str]], ReadRound] | None] = {start: None}
        queue = [start]
        for here in queue:
            number, labels = here
            if exploration.states[number][0] == derive.PASSED:
                found.setdefault((labels, outcomes), _Way(labels, _told(came, here), outcomes))
            for read, target in exploration.onward[number]:
                there = (target, labels | proven[read])
                if there not in came and (resends or read.use != "resend"):
                    came[there] = (here, read)
                    queue.append(there)
    return tuple(sorted(found.values(), key=lambda way: len(way.session)))


def _told(
    came: dict[tuple[int, frozenset[str]], tuple[tuple[int, frozenset[str]], ReadRound] | None],
    place: tuple[int, frozenset[str]],
) -> tuple[str, ...]:
    words: list[str] = []
    step = came[place]
    while step is not None:
        words.append(say(step[1]))
        step = came[step[0]]
    return tuple(reversed(words))


def _passing(exploration: Exploration, allowed: Callable[[ReadRound], bool], beginning: int) -> tuple[str, ...] | None:
    """Return the shortest session from *beginning* to tokens in which every round is *allowed*, or None."""
    came: dict[int, tuple[int, ReadRound] | None] = {beginning: None}
    queue = [beginning]
    for here in queue:
        if exploration.states[here][0] == derive.PASSED:
            words: list[str] = []
            step = came[here]
            while step is not None:
                words.append(say(step[1]))
                step = came[step[0]]
            return tuple(reversed(words))
        for read, target in exploration.onward[here]:
            if target not in came and allowed(read):
                came[target] = (here, read)
                queue.append(target)
    return None


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
            proven = ", ".join(sorted(weak.labels - {f"nist {factor}" for factor in FACTORS})) or "nothing"
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
    plain = [way.labels for way in _ways(exploration, required, resends=False)]
    for way in ways:
        if not any(labels <= way.labels for labels in plain):
            yield _finding("WW103", "a resend leads to tokens by fewer factors than without it", way.session)
            break
    flow = exploration.flow
    for place, condition in enumerate(flow.conditions):
        if condition[0] != "attribute":
            continue
        name = condition[1]
        if name.startswith(("custom:", "dev:custom:")):
            yield _finding(
                "WW204",
                f"the flow asks by {name!r}: take it out of WriteAttributes of every app client, or users choose for themselves",
            )
        elif name not in _NOT_WRITABLE and not name.startswith("cognito:"):
            yield _finding(
                "WW104",
                f"the flow asks by {name!r}, which users may write themselves: "
                "ask by an attribute that only an administrator can set",
                _differing(ways, place),
            )


def _differing(ways: Sequence[_Way], place: int) -> tuple[str, ...] | None:
    return next((way.session for way in ways if way.outcomes[place]), None)


def _ends(exploration: Exploration, session_minutes: float) -> Iterator[Finding]:
    flow = exploration.flow
    for outcomes, beginning in exploration.beginnings:
        if _passing(exploration, lambda _: True, beginning) is None:
            yield _finding("WW105", f"no session leads to tokens{_given(flow, _Way(frozenset(), (), outcomes))}", ())
    validity = session_minutes * 60
    for step in flow.steps.values():
        if isinstance(step.kind, Sends) and step.kind.resend_after >= validity:
            yield _finding(
                "WW106",
                f"step {step.name!r} sends again after {step.kind.resend_after} s, but the session is over after "
                f"{validity:g} s: whoever waits is stuck; lower resend_after or raise the session's validity",
            )
        if step.lifetime > validity:
            yield _finding(
                "WW205",
                f"step {step.name!r} waits {step.lifetime} s for its answer, but the session is over after {validity:g} s: "
                "raise the session's validity, or lower the lifetime",
            )


def guesses_per_day(flow: Flow, step: Step) -> int:
    """Return how many answers to *step* a stranger can have evaluated in one day, over all sessions.

    The budget of guesses, and for a kind that sends one own try of every message.
    """
    limits = flow.limits.guesses if step.kind.proves else flow.limits.puzzles
    own = per_day(flow.limits.messages) if _channel(step) else 0
    return per_day(limits) + own


def per_day(limits: Sequence[Limit]) -> int:
    """Return the most that *limits* allow in one day."""
    return min(limit.count * max(1, math.ceil(DAY / limit.seconds)) for limit in limits)


def probability(step: Step) -> float:
    """Return how likely one guess at *step* is right; 1 where its kind does not say."""
    guess = getattr(step.kind, "guess_probability", None)
    value = float(guess()) if guess is not None else 1.0
    return value if 0 <= value <= 1 else 1.0


def over(single: float, tries: int) -> float:
    """Return how likely one of *tries* independent guesses is right, each by *single*."""
    return -math.expm1(tries * math.log1p(-single)) if single < 1 else 1.0


def _identity(flow: Flow) -> tuple[Step, ...]:
    return tuple(step for step in flow.steps.values() if step.kind.proves)


def _best(exploration: Exploration, chance: Callable[[str], float]) -> float:
    """Return the probability of the likeliest way to tokens, *chance* being that of passing a step at all."""
    weights = {step.name: chance(step.name) for step in _identity(exploration.flow)}
    best = [0.0] * len(exploration.states)
    for number in _backwards(exploration):
        if exploration.states[number][0] == derive.PASSED:
            best[number] = 1.0
        for read, target in exploration.onward[number]:
            weight = weights.get(read.step, 1.0) if read.right is True else 1.0
            best[number] = max(best[number], weight * best[target])
    return max(best[beginning] for _, beginning in exploration.beginnings)


def _backwards(exploration: Exploration) -> Sequence[int]:
    return tuple(reversed(exploration.forwards()))


def _guessing(exploration: Exploration) -> Iterator[Finding]:
    flow = exploration.flow
    for step in _identity(flow):
        daily = over(probability(step), guesses_per_day(flow, step))
        if daily <= MAX_SOLE_FACTOR:
            continue
        others = {each.name for each in _identity(flow)} - {step.name}

        def alone(read: ReadRound, others: set[str] = others) -> bool:
            return read.right is not True or (read.name != derive.PASSWORD_VERIFIER and read.step not in others)

        sessions = (_passing(exploration, alone, beginning) for _, beginning in exploration.beginnings)
        session = next((each for each in sessions if each is not None and step.name + "+" in each), None)
        if session is not None:
            yield _finding(
                "WW107",
                f"step {step.name!r} is the only factor of a path and guessed with probability {daily:.1e} a user-day at "
                f"{guesses_per_day(flow, step)} guesses; at most {MAX_SOLE_FACTOR:g} is sound: make the answer longer, "
                "or put another factor before it",
                session,
            )


def _figures(exploration: Exploration, session_minutes: float) -> Figures:
    flow = exploration.flow
    steps = flow.steps
    daily = _best(exploration, lambda name: over(probability(steps[name]), guesses_per_day(flow, steps[name])))
    sends = any(_channel(step) for step in steps.values())
    longest = exploration.longest()
    most = _messages(exploration)
    for limit in flow.limits.messages:
        most = min(most, limit.count * max(1, math.ceil(longest * session_minutes * 60 / limit.seconds)))
    return Figures(
        longest_path=longest,
        guess_per_sign_in=_best(exploration, lambda name: over(probability(steps[name]), steps[name].attempts)),
        guess_per_user_day=daily,
        guess_per_user_year=over(daily, 365),
        messages_per_sign_in=most,
        messages_per_user_day=per_day(flow.limits.messages) if sends else 0,
        sign_ins_to_lock_mail=min(limit.count for limit in flow.limits.messages) if sends else 0,
    )


def _messages(exploration: Exploration) -> int:
    """Return the most messages of one sign-in: one for each step that ends, one for each resend before."""
    flow = exploration.flow
    sending = {step.name for step in flow.steps.values() if _channel(step)}
    most = [0] * len(exploration.states)
    for number in _backwards(exploration):
        body = exploration.states[number][0]
        for read, target in exploration.onward[number]:
            ends = derive.find(exploration.states[target][0], read.step) is None
            counts = read.step in sending and (ends or read.use == "resend")
            most[number] = max(most[number], counts + most[target])
        if not exploration.onward[number] and body not in {derive.PASSED, derive.FAILED}:
            most[number] = 0
    return max(most[beginning] for _, beginning in exploration.beginnings)


def _mail(exploration: Exploration, figures: Figures) -> Iterator[Finding]:
    flow = exploration.flow
    for _, beginning in exploration.beginnings:
        state = exploration.states[beginning]
        free = derive.without_srp(state[0])
        for name in derive.heads(free) if free else ():
            if _channel(flow.steps[name]):
                yield _finding(
                    "WW201",
                    f"step {name!r} sends a message to whoever names a user: {figures.sign_ins_to_lock_mail} sign-ins by a "
                    f"stranger keep a user from further mail for a while, {figures.messages_per_user_day} for the day; put "
                    "a password, a CAPTCHA or a proof of work before it",
                    (),
                )
                return


def _unknown_user(flow: Flow) -> Iterator[Finding]:
    for condition in flow.conditions:
        if condition[0] == "attribute":
            yield _finding(
                "WW202",
                f"who has {condition[1]}={condition[2]!r} is asked otherwise than an unknown user, so it shows that they exist",
            )


def _access(exploration: Exploration) -> Iterator[Finding]:
    cognitive = {step.name for step in exploration.flow.steps.values() if getattr(step.kind, "cognitive", False)}
    if not cognitive:
        return
    for _, beginning in exploration.beginnings:
        plain = _passing(exploration, lambda read: not (read.right is True and read.step in cognitive), beginning)
        any_way = _passing(exploration, lambda _: True, beginning)
        if plain is None and any_way is not None:
            yield _finding(
                "WW203",
                f"every path goes through a cognitive test ({', '.join(sorted(cognitive))}): fails WCAG 2.2 SC 3.3.8 "
                "(Accessible Authentication, AA); offer a way without one by one_of",
                any_way,
            )
            return


def _host(flow: Flow) -> Iterator[Finding]:
    yield _finding(
        "WW206",
        "the app client must allow ALLOW_CUSTOM_AUTH and ALLOW_REFRESH_TOKEN_AUTH and nothing else: USER_SRP_AUTH, "
        "USER_PASSWORD_AUTH or USER_AUTH would give tokens without this flow; all three triggers (define, create, verify) "
        "must be set" + (", and pool MFA left off" if _has_password(flow) else ""),
    )


def _has_password(flow: Flow) -> bool:
    return derive.SRP_A in repr(derive.heads(flow.program[2])) or "'srp'" in repr(flow.program[2])


def _notes(ways: Sequence[_Way], figures: Figures, session_minutes: float) -> Iterator[Finding]:
    told: set[frozenset[str]] = set()
    for way in ways:
        factors = way.labels & set(FACTORS)
        if factors in told:
            continue
        told.add(factors)
        proven = " and ".join(sorted(factors)) or "nothing"
        yield _finding("WW301", f"a path proves {proven}: {assurance(way.labels)}", way.session)
    yield _finding(
        "WW302",
        f"at most {figures.longest_path} rounds, each with {session_minutes:g} minutes of its own "
        f"(so at most {figures.longest_path * session_minutes:g} minutes); at most {figures.messages_per_sign_in} messages",
    )


def assurance(labels: frozenset[str]) -> str:
    """Return the level of NIST SP 800-63B-4 that a session with *labels* may claim, with what is left out of it."""
    counted = {label.removeprefix("nist ") for label in labels if label.startswith("nist ")}
    left_out = sorted((labels & set(FACTORS)) - counted)
    level = "AAL2" if len(counted) > 1 else "AAL1" if counted else "no AAL"
    if left_out:
        return f"{level} (NIST SP 800-63B-4 does not count {' or '.join(left_out)} by e-mail)"
    return level
