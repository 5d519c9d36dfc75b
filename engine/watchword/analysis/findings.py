"""Findings on a flow, the report that holds them, and what may be said of the flow in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from watchword.algebra.flow import Flow
from watchword.analysis.metrics import Figures, has_password
from watchword.analysis.state_space import Exploration

Severity: TypeAlias = Literal["error", "warning", "note"]

MAX_SOLE_FACTOR = 1e-6
"""The highest chance of guessing a sole factor of one user in one day; 8 digits at 49 guesses make 4.9e-7."""


CODES: dict[str, tuple[Severity, str]] = {
    "WW101": ("error", "tokens without proof of who signs in"),
    "WW102": ("error", "a path that does not meet `require`"),
    "WW103": ("error", "client metadata leads to tokens by fewer factors"),
    "WW104": ("error", "a condition on an attribute that users can change"),
    "WW105": ("error", "no way to tokens"),
    "WW106": ("error", "a resend after the session is over"),
    "WW107": ("error", "a sole factor that is too easy to guess"),
    "WW108": ("error", "a condition on a kind that nobody enrols"),
    "WW109": ("error", "a lock-out of users who have not enrolled"),
    "WW110": ("error", "a backup that signs in alone"),
    "WW111": ("error", "a link that outlives the session"),
    "WW201": ("warning", "a message as the first step"),
    "WW202": ("warning", "unknown users are asked something else"),
    "WW203": ("warning", "no way around a cognitive test"),
    "WW204": ("warning", "a condition on a custom attribute"),
    "WW205": ("warning", "a lifetime longer than the session"),
    "WW206": ("warning", "what the host must not allow besides the flow"),
    "WW207": ("warning", "password recovery by the channel of a second factor"),
    "WW208": ("warning", "a resend after the code has expired"),
    "WW209": ("warning", "limits that leave messages no tries of their own, or that have no effect"),
    "WW210": ("warning", "a session that grows beyond 4 KB"),
    "WW211": ("warning", "a kind with state that has different settings in its steps"),
    "WW212": ("warning", "a link that signs in wherever it is opened"),
    "WW301": ("note", "what each path proves"),
    "WW302": ("note", "bounds"),
    "WW303": ("note", "what follows if a message cannot be sent"),
    "WW304": ("note", "who can enrol"),
}
"""Every finding: its code, how serious it is, and what it is about."""


@frozen
class Finding:
    """One finding of `check`. *session* is the shortest session that shows it, as text; None if no session does.

    It is the session of a user with these *attributes* and credentials of the kinds *enrolled*, through the app client
    *client*, who asks for the step *choice* last: what `explain` takes.
    """

    code: str
    severity: Severity
    message: str
    session: tuple[str, ...] | None = None
    attributes: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    client: str = ""
    choice: str = ""
    enrolled: tuple[str, ...] = ()


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
        """The findings that somebody must look at before the flow is deployed."""
        return tuple(each for each in self.findings if each.severity == "warning")

    @property
    def password(self) -> bool:
        """Whether the host checks a password on some path."""
        return has_password(self.exploration)


def without_session(code: str, message: str) -> Finding:
    """Return a finding that is about no session."""
    return Finding(code, CODES[code][0], message)


def with_session(flow: Flow, code: str, message: str, way: ProvenPath | None, *, choice: str = "") -> Finding:
    """Return a finding that *way* shows, with the user and the client whose session it is; none if *way* is None."""
    if way is None:
        return without_session(code, message)
    held = [each for each, holds in zip(flow.conditions, way.outcomes, strict=True) if holds]
    attributes, client, enrolled = example_of(held)
    return Finding(code, CODES[code][0], message, way.session, attributes, client, choice, enrolled)


def condition_text(condition: tuple[str, ...], *, holds: bool = True) -> str:
    """Return *condition*, or its contrary, as a person reads it."""
    if condition[0] == "enrolled":
        return f"{condition[1]} is {'' if holds else 'not '}enrolled"
    return f"{condition[-2]} {'=' if holds else 'is not'} {condition[-1]}"


def example_of(held: Collection[tuple[str, ...]]) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Return attributes, an app client and enrolled kinds for which the conditions *held* hold, and no other one."""
    attributes = {condition[1]: condition[2] for condition in held if condition[0] == "attribute"}
    client = next((condition[1] for condition in held if condition[0] == "client"), "")
    return attributes, client, tuple(condition[1] for condition in held if condition[0] == "enrolled")


# --- the verdicts -------------------------------------------------------------------------------------------------


def summary_of(report: Report, require: str = "") -> tuple[str, ...]:
    """Return what holds in every state of the flow, in clauses. No clause contradicts a finding, accepted or not.

    *require* is what `check` was asked for beside the flow's own.
    """
    return tuple(_claims(report, require))


def _claims(report: Report, require: str) -> Iterator[str]:
    flow, found = report.flow, {each.code for each in report.findings}
    if "WW101" not in found:
        yield "tokens need proof of who signs in"
    required = " and ".join(f"({text})" for text in (flow.require, require) if text.strip())
    if required and "WW102" not in found:
        # Whoever has the mailbox has the password as well then.
        recovery = ", unless passwords are recovered by the same channel" if "WW207" in found else ""
        yield f"every path meets {required}{recovery}"
    if "WW103" not in found:
        yield "no resend and no choice weakens it"
    if found.isdisjoint({"WW104", "WW204"}):
        yield "no condition asks by what users can change"
    if "WW105" not in found:
        yield f"every state ends, after {report.figures.longest_path} rounds at most"
    if found.isdisjoint({"WW106", "WW208"}):
        yield "every resend comes in time"
    if found.isdisjoint({"WW101", "WW107"}) and any(step.proves for step in flow.steps.values()):
        but = " but the password" if report.password else ""
        yield f"no sole factor{but} is guessed above {MAX_SOLE_FACTOR:g} a user-day"
    accepted = [code for code in CODES if code in found and code in flow.accept]
    if accepted:
        yield f"accepted: {', '.join(accepted)}"


MAX_MESSAGES = 100
"""The most messages a day to one user without a finding."""


def as_accepted(flow: Flow, finding: Finding) -> Finding:
    """Return *finding* as it is reported: a note with the reason, if *flow* accepts it."""
    reason = flow.accept.get(finding.code)
    if reason is None:
        return finding
    return evolve(finding, severity="note", message=f"{finding.message} (accepted: {reason})")


@frozen
class ProvenPath:
    """A session for these outcomes of the conditions, and the *labels* that it proves."""

    session: tuple[str, ...]
    outcomes: tuple[bool, ...]
    labels: frozenset[str] = frozenset()


# --- conditions in words ------------------------------------------------------------------------------------------


OTHERWISE = "otherwise"
"""What is said of the outcomes that are left, where the others are told by their conditions."""


Outcomes: TypeAlias = int
"""A set of outcomes of all conditions together, as bits: bit n is for the nth beginning."""


def union(masks: Iterable[Outcomes]) -> Outcomes:
    """Return the outcomes that are in any of *masks*."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def beginnings_of(exploration: Exploration) -> Iterator[tuple[int, Outcomes, tuple[Outcomes, ...]]]:
    """Give each state to begin in, with the outcomes for which one does, and those of the other states."""
    begun: dict[int, Outcomes] = {}
    for bit, (_, number) in enumerate(exploration.beginnings):
        begun[number] = begun.get(number, 0) | 1 << bit
    for number, mask in begun.items():
        yield number, mask, tuple(other for another, other in begun.items() if another != number)


@frozen
class Conditions:
    """Tells sets of outcomes by the conditions of the flow."""

    exploration: Exploration

    def told(self, mask: Outcomes, others: Collection[Outcomes]) -> str:
        """Return for whom the way of *mask* is, where *others* are those of the other ways; nothing if it is for everybody."""
        among = union((mask, *others))
        if mask == among:
            return ""
        found = self.cubes(mask, among)
        rest = union(other for other in others if other != among)
        if mask == among & ~rest and not any(holds for cube in found for _, holds in cube):
            return OTHERWISE
        return self.spelt(found)

    def spelt(self, found: Iterable[Iterable[tuple[int, bool]]]) -> str:
        """Return groups of conditions in words."""
        return " or ".join(" and ".join(self._literal(*literal) for literal in cube) for cube in found)

    def cubes(self, mask: Outcomes, among: Outcomes) -> list[list[tuple[int, bool]]]:
        """Return groups of conditions, and whether each holds: one group or another is true exactly for *mask* of *among*."""
        found: list[list[tuple[int, bool]]] = []
        left = mask
        for bit, (outcomes, _) in enumerate(self.exploration.beginnings):
            if not left >> bit & 1:
                continue
            cube = list(enumerate(outcomes))
            # What does not hold is left out first: people ask by what does.
            for literal in sorted(cube, key=lambda each: each[1]):
                shorter = [each for each in cube if each != literal]
                if not self._meeting(shorter, among) & ~mask:
                    cube = shorter
            found.append(cube)
            left &= ~self._meeting(cube, among)
        return found

    def _meeting(self, cube: Collection[tuple[int, bool]], among: Outcomes) -> Outcomes:
        return sum(
            1 << bit
            for bit, (outcomes, _) in enumerate(self.exploration.beginnings)
            if among >> bit & 1 and all(outcomes[place] == holds for place, holds in cube)
        )

    def _literal(self, place: int, holds: bool) -> str:
        return condition_text(self.exploration.flow.conditions[place], holds=holds)
