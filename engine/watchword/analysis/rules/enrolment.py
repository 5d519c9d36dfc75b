"""The findings on what users must have enrolled: who is locked out, who can enrol, and what signs in alone."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.algebra import derivative
from watchword.algebra.flow import ReadRound
from watchword.algebra.lowering import Step
from watchword.algebra.ways import can_pass
from watchword.analysis.assurance import everywhere, labels_of, passing, shortest, walk
from watchword.analysis.findings import Finding, ProvenPath, example_of, with_session, without_session
from watchword.analysis.state_space import Exploration
from watchword.contract.members import FACTORS, settings_of


def on_enrolment(exploration: Exploration) -> Iterator[Finding]:
    """Give the findings on the kinds of a flow that remember what users enrolled."""
    yield from _never_held(exploration)
    yield from _locked_out(exploration)
    yield from _backups(exploration)
    yield from _unlike_settings(exploration)
    yield from _who_can_enrol(exploration)


def _never_held(exploration: Exploration) -> Iterator[Finding]:
    """Tell of a condition on a kind that nobody can have enrolled: most likely a mistake in its name."""
    flow = exploration.flow
    remembered = {step.kind.kind for step in flow.steps.values() if step.powers.remembers}
    for condition in flow.conditions:
        if condition[0] == "enrolled" and condition[1] not in remembered:
            there = f"write one of {', '.join(sorted(remembered))}" if remembered else "no step is of such a kind"
            yield without_session(
                "WW108",
                f"the flow asks whether {condition[1]!r} is enrolled, and it has no step of a kind of that name that remembers "
                f"anything: so by this flow nobody enrols it, and the condition never holds; {there}",
            )


def _locked_out(exploration: Exploration) -> Iterator[Finding]:
    """Tell of users who have enrolled no more than a path asks for, and cannot take any path."""
    flow = exploration.flow
    for outcomes, number in exploration.beginnings:
        held = [each for each, holds in zip(flow.conditions, outcomes, strict=True) if holds]
        attributes, client, enrolled = example_of(held)
        if can_pass(flow, attributes, client, enrolled):
            continue
        asking = {step.name for step in flow.steps.values() if step.powers.remembers and not step.enrols}
        ways = (
            ProvenPath(place.session, outcomes)
            for place in walk(exploration, number, lambda _: frozenset[str]())
            if asking.intersection(derivative.heads(exploration.states[place.number][0]))
        )
        way = next(ways, ProvenPath((), outcomes))
        has = f"has enrolled {' and '.join(enrolled)} and nothing else" if enrolled else "has enrolled nothing"
        yield with_session(
            flow,
            "WW109",
            f"a user who {has} cannot pass{everywhere(flow, way)}: every way asks for a credential "
            f"({', '.join(sorted(asking))}) that nothing on it enrols; enrol it on the way by enrol(…), ask for it only "
            "when(enrolled(…), …), or give another way by one_of or fallback",
            way,
        )
        return


def _backups(exploration: Exploration) -> Iterator[Finding]:
    """Tell of a path to tokens on which a backup is all that proves who signs in."""
    flow = exploration.flow
    proving = {step.name for step in flow.steps.values() if step.proves and not step.powers.backup}

    def alone(read: ReadRound) -> bool:
        return read.right is not True or (read.name != derivative.PASSWORD_VERIFIER and read.step not in proving)

    for step in flow.steps.values():
        if not (step.powers.backup and step.proves):
            continue
        way = shortest(
            passing(exploration, beginning, alone, through=step.name) for beginning in exploration.beginnings
        )
        if way is not None:
            yield with_session(
                flow,
                "WW110",
                f"step {step.name!r} signs a user in alone{everywhere(flow, way)}, and its kind is a backup, for users who have lost "
                "something else: put another factor before it",
                way,
            )


def _unlike_settings(exploration: Exploration) -> Iterator[Finding]:
    """Tell of a kind that is enrolled by one step and asked for by another with other settings."""
    steps = [step for step in exploration.flow.steps.values() if step.powers.remembers]
    for kind in dict.fromkeys(step.kind.kind for step in steps):
        named = {step.name: _lasting_settings(step) for step in steps if step.kind.kind == kind}
        first, *others = named.values()
        unlike = sorted({name for each in others for name in first if first[name] != each.get(name)})
        if unlike:
            yield without_session(
                "WW211",
                f"the steps {', '.join(named)} are of the kind {kind!r} with different {', '.join(unlike)}: what a user enrols by "
                "one, another may refuse; give all of them the same",
            )


def _lasting_settings(step: Step) -> dict[str, object]:
    """Return the settings of *step* that may matter to a credential: not what only users see, nor how often and how long it is asked."""
    passing_by = {*step.powers.cosmetic, "attempts", "lifetime"}
    return {name: value for name, value in settings_of(step.kind).items() if name not in passing_by}


def _who_can_enrol(exploration: Exploration) -> Iterator[Finding]:
    """Tell for each step that enrols what somebody must prove to enrol for a user who has not done so yet."""
    flow = exploration.flow

    def gains(read: ReadRound) -> frozenset[str]:
        return labels_of(flow, read) & frozenset(FACTORS)

    for step in flow.steps.values():
        if not step.enrols:
            continue
        ways = [
            ProvenPath(place.session, outcomes, place.labels)
            for outcomes, number in exploration.beginnings
            for place in walk(exploration, number, gains)
            if step.name in derivative.heads(exploration.states[place.number][0])
        ]
        weakest = [way for way in ways if not any(other.labels < way.labels for other in ways)]
        told = dict.fromkeys(" and ".join(sorted(way.labels)) for way in weakest)
        yield with_session(
            flow,
            "WW304",
            f"until a user has enrolled {step.kind.kind!r}, whoever proves {' or '.join(told)} can enrol it in step "
            f"{step.name!r}, and has it from then on",
            shortest(weakest),
        )
