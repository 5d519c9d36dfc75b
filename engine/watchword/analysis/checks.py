"""Check a flow: whether it can be cheated, where it can get stuck, what it costs and what it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from watchword.algebra import derivative
from watchword.algebra.flow import Flow, ReadRound, expect_flow, own_tries
from watchword.algebra.limits import MAX_GUESSES, PER_BUDGET
from watchword.algebra.lowering import Step
from watchword.algebra.session_notation import format_round
from watchword.analysis.assurance import (
    COUNTED,
    assurance,
    everywhere,
    given,
    on_bypass,
    on_proof,
    on_recovery,
    passing,
    required_by,
    shortest,
    steps_met,
    walk,
    ways_to_tokens,
)
from watchword.analysis.findings import (
    CODES,
    MAX_MESSAGES,
    MAX_SOLE_FACTOR,
    Finding,
    ProvenPath,
    Report,
    as_accepted,
    with_session,
    without_session,
)
from watchword.analysis.metrics import (
    Figures,
    chance_over,
    figures_of,
    guesses_per_day,
    has_password,
    per_day,
    probability,
)
from watchword.analysis.rules.enrolment import on_enrolment
from watchword.analysis.rules.user_enumeration import first_difference
from watchword.analysis.state_space import MAX_STATES, Exploration, collector_paused, explore
from watchword.contract.members import FACTORS
from watchword.contract.messages.channel_names import word_for
from watchword.errors import ConfigurationError

MAX_SESSION_METADATA = 4096
"""How many characters the metadata of a session may have in all without a finding."""

_METADATA = len("3.0123456789abcdef..0123456789abcdef0123456789abcdef;;1;answer:;") + 48 + 12
"""Characters of one round's metadata: without the name of the step that is asked and of the one before, and the digits of facts."""


@collector_paused()
def check(
    flow: Flow,
    *,
    require: str = "",
    session_minutes: float = 3,
    limit: int = MAX_STATES,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check *flow* and return the report, with the worst findings first.

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
    required = [*required_by(flow, flow.require, flow.place_of("require")), *required_by(flow, require, "")]
    exploration = explore(flow, limit=limit, progress=progress)
    ways = ways_to_tokens(exploration, required)
    figures = figures_of(exploration, session_minutes)
    findings = [
        *on_proof(flow, ways, required),
        *on_bypass(exploration, ways, required),
        *_ends(exploration, session_minutes),
        *_links(flow),
        *_guessing(exploration),
        *_budgets(flow),
        *_sent_at_once(exploration, figures.sign_ins_to_lock_mail),
        *_unknown_user(exploration),
        *_access(exploration),
        *_host(exploration),
        *_failing_over(exploration),
        *on_recovery(exploration),
        *on_enrolment(exploration),
        *_metadata(flow, figures),
        *_notes(flow, ways, figures, session_minutes),
    ]
    accepted = [as_accepted(flow, finding) for finding in findings]
    order = ("error", "warning", "note")
    accepted.sort(key=lambda each: (order.index(each.severity), each.code))
    return Report(flow, len(exploration.states), exploration.transitions, tuple(accepted), figures, exploration)


def unproven(flow: Flow, *, limit: int = MAX_STATES) -> Finding | None:
    """Return the finding that tokens are issued without a proof of who signs in, or None; `check` asks the rest, too.

    Raises:
        ConfigurationError: if there are more states than *limit*.
    """
    return next(on_proof(flow, ways_to_tokens(explore(flow, limit=limit), ()), ()), None)


def _ends(exploration: Exploration, session_minutes: float) -> Iterator[Finding]:
    flow = exploration.flow
    for beginning in exploration.beginnings:
        if passing(exploration, beginning, lambda _: True) is None:
            way = ProvenPath((), beginning[0])
            yield with_session(flow, "WW105", f"no session leads to tokens{everywhere(flow, way)}", way)
    for number, (state, onward) in enumerate(zip(exploration.states, exploration.onward, strict=True)):
        if not onward and state[0] not in {derivative.PASSED, derivative.FAILED}:
            stuck = ProvenPath(exploration.shortest(number), exploration.outcomes_at(number))
            yield with_session(flow, "WW105", "a sign-in gets stuck: nothing can follow", stuck)
            break
    validity = session_minutes * 60
    for step in flow.steps.values():
        resend_after = step.powers.resend_after
        if step.powers.sends and resend_after >= validity:
            yield without_session(
                "WW106",
                f"step {step.name!r} sends again after {resend_after} s, but the session is over after "
                f"{validity:g} s: whoever waits is stuck; lower resend_after or raise the session's validity",
            )
        if step.powers.sends and resend_after > step.lifetime:
            yield without_session(
                "WW208",
                f"the message of step {step.name!r} is dead after {step.lifetime} s, but `resend_after` tells the client to wait "
                f"{resend_after} s for another one: users wait with a code that is no good; lower resend_after to {step.lifetime} "
                "at most, or raise lifetime",
            )
        if step.lifetime > validity and step.powers.opens == "same_browser":
            yield without_session(
                "WW111",
                f"the link of step {step.name!r} is good for {step.lifetime} s, but the session that it signs in ends after "
                f"{validity:g} s: who opens it later is refused; raise the session's validity, or lower the lifetime",
            )
        elif step.lifetime > validity:
            yield without_session(
                "WW205",
                f"step {step.name!r} waits {step.lifetime} s for its answer, but the session is over after {validity:g} s: "
                "raise the session's validity, or lower the lifetime",
            )


def _links(flow: Flow) -> Iterator[Finding]:
    for step in flow.steps.values():
        if step.powers.opens == "anywhere":
            yield without_session(
                "WW212",
                f"whoever opens the link of step {step.name!r} is signed in, without the browser that asked: programs that look for "
                "malware in mail open links and run the page's scripts, so the page must wait for a click; or open in the same browser",
            )


def _identity(flow: Flow) -> tuple[Step, ...]:
    return tuple(step for step in flow.steps.values() if step.proves)


def _guessing(exploration: Exploration) -> Iterator[Finding]:
    flow = exploration.flow
    for step in _identity(flow):
        daily = chance_over(probability(step), guesses_per_day(flow, step))
        if daily <= MAX_SOLE_FACTOR:
            continue
        others = {each.name for each in _identity(flow)} - {step.name}

        def alone(read: ReadRound, others: set[str] = others) -> bool:
            return read.right is not True or (read.name != derivative.PASSWORD_VERIFIER and read.step not in others)

        way = shortest(
            passing(exploration, beginning, alone, through=step.name) for beginning in exploration.beginnings
        )
        if way is not None:
            yield with_session(
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
        if not step.powers.sends:
            if flow.limits.guesses_at(step) and guesses > PER_BUDGET:
                yield without_session(
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
            yield without_session(
                "WW209",
                f"limits.messages allows {messages:,} messages a day to one address and limits.guesses {guesses:,} guesses: no "
                f"message of step {step.name!r} can bring a try of its own, or a day would have more than {MAX_GUESSES} "
                "guesses (NIST SP 800-63B-4 3.2.2), so whoever guesses wrongly for a user makes that user's codes "
                "worthless; lower limits.messages or limits.guesses",
            )
            return
        if not charged and messages > MAX_MESSAGES:
            yield without_session(
                "WW209",
                f"limits.messages allows {messages:,} messages a day to one address: at most {MAX_MESSAGES} are sound; lower it",
            )
            return


def _sent_at_once(exploration: Exploration, sign_ins: int) -> Iterator[Finding]:
    """Tell of a message that somebody gets sent who has given no right answer: at once, or after wrong ones."""
    flow = exploration.flow

    def gains(read: ReadRound) -> frozenset[str] | None:
        # Opening with SRP_A leads to no message that does not go out without it as well.
        return frozenset() if read.right is not True else None

    asked: list[tuple[ProvenPath, Step, bool]] = []
    for outcomes, beginning in exploration.beginnings:
        for place in walk(exploration, beginning, gains):
            body, _, phase, _ = exploration.states[place.number]
            free = derivative.without_srp(body) if phase == derivative.CLOSED else body
            names = derivative.heads(free or derivative.FAILED)
            # Where the client is asked to choose, the message goes out to whoever chooses.
            chosen = len(names) > 1 or derivative.head(free or derivative.FAILED)[0] == "ask"
            step = next(
                (flow.steps[name] for name in names if name in flow.steps and flow.steps[name].powers.sends), None
            )
            if step is not None:
                asked.append((ProvenPath(place.session, outcomes), step, chosen))
                break
    if asked:
        way, step, chosen = min(asked, key=lambda each: len(each[0].session))
        day = per_day(flow.limits.messages)
        locked = f"{sign_ins} sign-ins by a stranger keep a user from further {word_for(step.powers.channel)} for a while, {day} for the day"
        yield with_session(
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
        way = ProvenPath(difference.session, difference.outcomes)
        yield with_session(
            exploration.flow,
            "WW202",
            f"a user{given(exploration.flow, way)} is asked otherwise than an unknown one (--unknown-user), and strangers can "
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
        if passing(exploration, beginning, lambda read: read.right is not True or read.step not in cognitive) is None
    ]
    way = shortest(passing(exploration, beginning, lambda _: True) for beginning in trapped)
    if way is not None:
        everybody = len(trapped) == len(exploration.beginnings)
        where = "" if everybody else everywhere(flow, way)
        beginnings = (number for outcomes, number in trapped if everybody or outcomes == way.outcomes)
        met = cognitive.intersection(set[str]().union(*(steps_met(exploration, number) for number in beginnings)))
        yield with_session(
            flow,
            "WW203",
            f"every path{where} goes through a cognitive test ({', '.join(sorted(met))}): fails WCAG 2.2 SC 3.3.8 "
            "(Accessible Authentication, AA); offer a way without one by one_of",
            way,
        )


def _host(exploration: Exploration) -> Iterator[Finding]:
    password = has_password(exploration)
    yield without_session(
        "WW206",
        "the app client must allow ALLOW_CUSTOM_AUTH and ALLOW_REFRESH_TOKEN_AUTH and nothing else: USER_SRP_AUTH, "
        "USER_PASSWORD_AUTH or USER_AUTH would give tokens without this flow; all three triggers (define, create, verify) "
        "must be set" + (", and pool MFA left off" if password else ""),
    )


def _failing_over(exploration: Exploration) -> Iterator[Finding]:
    """Tell of each step that makes way for another one where its message cannot be sent."""
    told: set[str] = set()
    for number, followers in enumerate(exploration.onward):
        for read, target in followers:
            left = exploration.states[target][0]
            if read.use != derivative.UNASKED or read.step in told or left in derivative.ENDS:
                continue
            told.add(read.step)
            others = ", ".join(derivative.heads(left))
            yield with_session(
                exploration.flow,
                "WW303",
                f"where step {read.step!r} cannot be asked (its courier is down, or the budget of messages is empty, which "
                f"strangers can bring about), the sign-in goes on with {others}: so whatever that proves is enough",
                ProvenPath((*exploration.shortest(number), format_round(read)), exploration.outcomes_at(number)),
            )


def _metadata(flow: Flow, figures: Figures) -> Iterator[Finding]:
    """Tell of a session whose metadata may grow large: the client carries it, and sends it with each answer."""
    step = max(len(name) for name in flow.steps) if flow.steps else 0
    written = _METADATA + len(flow.conditions) + 2 * step
    if figures.longest_path * written > MAX_SESSION_METADATA:
        yield without_session(
            "WW210",
            f"at most {figures.longest_path} rounds with about {written} characters of metadata each, without what kinds carry, "
            f"make a session of more than {MAX_SESSION_METADATA:,}, which the client sends with each answer: lower attempts, or let "
            "users choose among fewer",
        )


def _notes(flow: Flow, ways: Sequence[ProvenPath], figures: Figures, session_minutes: float) -> Iterator[Finding]:
    told: set[frozenset[str]] = set()
    for way in ways:
        factors = way.labels & set(FACTORS)
        counted = factors | way.labels.intersection(COUNTED.values())
        if counted in told:
            continue
        told.add(counted)
        proven = " and ".join(sorted(factors)) or "nothing"
        yield with_session(flow, "WW301", f"a path proves {proven}: {assurance(way.labels)}", way)
    yield without_session(
        "WW302",
        f"at most {figures.longest_path} rounds, each with {session_minutes:g} minutes of its own "
        f"(so at most {figures.longest_path * session_minutes:g} minutes); at most {figures.messages_per_sign_in} messages",
    )
