"""What `check` says of kinds that remember: lock-outs, backups, conditions that never hold, and who can enrol."""

from itertools import combinations
from typing import ClassVar

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.engine_host import Mail, Puzzle, Riddle
from kit.fobs import Fob, Rings, Spare
from kit.random_flows import TIER, Password
from watchword import (
    Flow,
    IssueTokens,
    Present,
    ReadRound,
    all_of,
    at_least,
    check,
    enrol,
    enrolled,
    explain,
    explore,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra.ways import can_pass
from watchword.analysis.state_space import every_outcome


def found(flow, code):
    """The findings of a code."""
    return [each for each in check(flow).findings if each.code == code]


# --- lock-outs ------------------------------------------------------------------------------------------------------

LOCKED = {
    "alone": (Fob(), "", ()),
    "behind a factor": (sequence(Riddle(), Fob()), "riddle+", ()),
    "behind a password": (sequence(Password(), Fob()), "srp_a+ password_verifier+", ()),
    "as each option": (one_of(Fob(), Rings()), "", ()),
    "as each part": (fallback(Fob(), Rings()), "", ()),
    "as one of all": (all_of(Riddle(), Fob()), "", ()),
    "as one too many": (at_least(2, Riddle(), Fob(), Rings()), "", ()),
    "for some": (sequence(Riddle(), when(TIER, Fob())), "riddle+", ()),
    "asked before it is enrolled": (sequence(Riddle(), Fob(), named("sets_up", enrol(Fob()))), "riddle+", ()),
    "another kind than is enrolled": (sequence(Riddle(), enrol(Rings()), Fob()), "riddle+ enrol_rings+", ()),
    "on the other branch": (sequence(Riddle(), when(enrolled("fob"), Mail(), Fob())), "riddle+", ()),
    "of another kind than was asked about": (
        sequence(Riddle(), when(enrolled("fob"), all_of(Fob(), Rings()), Mail())),
        "riddle+",
        ("fob",),
    ),
    "a spare one": (sequence(Riddle(), Spare()), "riddle+", ()),
}

OPEN = {
    "enrolled on the way": sequence(Riddle(), enrol(Fob())),
    "enrolled, then asked": sequence(Riddle(), enrol(Fob()), Fob()),
    "asked only if enrolled": sequence(Riddle(), when(enrolled("fob"), Fob())),
    "asked only if enrolled, else enrolled": sequence(Riddle(), when(enrolled("fob"), Fob(), enrol(Fob()))),
    "another option": one_of(Fob(), Mail()),
    "another part": fallback(Fob(), Mail()),
    "one of enough": at_least(2, Riddle(), Fob(), Mail()),
    "nothing that remembers": Mail(),
}


@pytest.mark.parametrize(("block", "session", "has"), LOCKED.values(), ids=LOCKED)
def test_who_has_enrolled_nothing_is_not_locked_out(block, session, has):
    """The error shows the session after which only those go on who have enrolled, and for whom."""
    (finding,) = found(Flow(block), "WW109")
    assert ("error", tuple(session.split()), has) == (finding.severity, finding.session, finding.enrolled)
    assert "enrol(…)" in finding.message
    assert ("(where fob is enrolled)" in finding.message) == bool(has)
    decided = explain(Flow(block), session, attributes=finding.attributes, enrolled=finding.enrolled).decision
    assert decided.split()[0] in {"present", "select"}


@pytest.mark.parametrize("block", OPEN.values(), ids=OPEN)
def test_a_way_for_everybody_is_no_lock_out(block):
    """Enrolled on the way, asked only where enrolled, or another way."""
    assert [] == found(Flow(block), "WW109")


KINDS = [Riddle, Fob, Rings]


@st.composite
def remembering(draw):
    """Flows of three kinds, two of which remember, behind a factor."""
    numbers = iter(range(99))

    def part(depth):
        word = draw(
            st.sampled_from(["ask", "ask", "enrol", *(["one_of", "fallback", "sequence", "when"] if depth else [])])
        )
        match word:
            case "ask":
                return named(f"s{next(numbers)}", draw(st.sampled_from(KINDS))())
            case "enrol":
                return named(f"s{next(numbers)}", enrol(draw(st.sampled_from(KINDS[1:]))()))
            case "when":
                return when(enrolled(draw(st.sampled_from(["fob", "rings"]))), part(depth - 1), part(depth - 1))
        build = {"one_of": one_of, "fallback": fallback, "sequence": sequence}[word]
        return build(part(depth - 1), part(depth - 1))

    return Flow(sequence(named("first", Riddle()), part(2), part(1)))


def passes(flow, had):
    """Play every session of a user who has enrolled *had* and can answer only what they have: an independent evaluator."""
    outcomes = tuple(condition[1] in had for condition in flow.conditions)
    waiting, seen = [(flow.given(*outcomes), frozenset(had))], set()
    while waiting:
        state, owned = waiting.pop()
        if (state.state, owned) in seen:
            continue
        seen.add((state.state, owned))
        for name in flow.steps:
            decided = state.decide(name)
            if isinstance(decided, IssueTokens):
                return True
            if not isinstance(decided, Present) or decided.step != name:
                continue
            step = flow.steps[name]
            kind = step.kind.kind
            if step.enrols or kind == "riddle" or kind in owned:
                gained = owned | {kind} if step.enrols else owned
                waiting.append((state.after(ReadRound.custom(name, right=True)), gained))
            waiting.append((state.after(ReadRound.custom(name, right=False)), owned))
    return False


@settings(max_examples=150)
@given(remembering())
def test_whether_a_way_is_left_is_as_playing_every_session_says(flow):
    """For users who have enrolled nothing, the one, the other, or both."""
    for count in range(3):
        for had in combinations(("fob", "rings"), count):
            assert passes(flow, had) == can_pass(flow, {}, "", had)


@settings(max_examples=100)
@given(remembering())
def test_a_lock_out_is_told_where_somebody_is_locked_out(flow):
    """Somebody who has enrolled no more than the conditions say."""
    places = [condition[1] for condition in flow.conditions]
    had = [[kind for kind, holds in zip(places, each, strict=True) if holds] for each in every_outcome(flow)]
    assert (not all(passes(flow, each) for each in had)) == bool(found(flow, "WW109"))


# --- the others -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["topt", "riddle", "fobs"])
def test_a_condition_that_never_holds_is_told(kind):
    """No step is of that kind, or its kind remembers nothing; what there is, is told."""
    (finding,) = found(Flow(sequence(Riddle(), when(enrolled(kind), enrol(Fob()), Mail()))), "WW108")
    assert repr(kind) in finding.message
    assert "write one of fob" in finding.message
    (finding,) = found(Flow(sequence(Riddle(), when(enrolled(kind), Mail()))), "WW108")
    assert "no step is of such a kind" in finding.message
    assert [] == found(Flow(sequence(Riddle(), when(enrolled("fob"), Fob()))), "WW108")


ALONE = {
    "alone": (one_of(Spare(), Mail()), "spare+"),
    "behind a puzzle": (sequence(Puzzle(), one_of(Spare(), Mail())), "puzzle+ spare+"),
    "after what failed": (fallback(Mail(attempts=1), Spare()), "mail- spare+"),
    "with another spare one": (one_of(all_of(Spare(), named("two", Spare())), Mail()), "spare+ two+"),
}


@pytest.mark.parametrize(("block", "session"), ALONE.values(), ids=ALONE)
def test_a_backup_does_not_sign_in_alone(block, session):
    """Where nothing else proves who signs in."""
    finding = found(Flow(block), "WW110")[0]
    assert ("error", session.split()[-1]) == (finding.severity, finding.session[-1])


@pytest.mark.parametrize(
    "block",
    [
        sequence(Riddle(), one_of(Spare(), Mail())),
        sequence(Password(), when(enrolled("spare"), Spare(), Mail())),
        sequence(Riddle(), enrol(Spare())),
        all_of(Mail(), Spare()),
    ],
    ids=["factor", "password", "enrolled", "both"],
)
def test_a_backup_beside_a_factor_is_sound(block):
    """It takes the place of the second one."""
    assert [] == found(Flow(block), "WW110")


def test_who_can_enrol_is_told():
    """With the weakest way there; enrolling itself proves nothing."""
    (finding,) = found(Flow(sequence(Riddle(), Mail(), enrol(Fob()))), "WW304")
    assert ("note", ("riddle+", "mail+")) == (finding.severity, finding.session)
    assert "whoever proves knowledge and possession can enrol it in step 'enrol_fob'" in finding.message
    (finding,) = found(
        Flow(sequence(one_of(Riddle(), sequence(Mail(), named("two", Riddle()))), enrol(Fob()))), "WW304"
    )
    assert "whoever proves knowledge can" in finding.message
    (finding,) = found(Flow(sequence(one_of(Riddle(), Mail()), enrol(Fob()))), "WW304")
    assert "whoever proves knowledge or possession can" in finding.message
    first, second = found(Flow(sequence(Password(), enrol(Fob()), enrol(Rings()))), "WW304")
    assert ("srp_a+", "password_verifier+") == first.session
    assert "whoever proves knowledge can enrol it in step 'enrol_rings'" in second.message


def test_what_is_enrolled_proves_nothing_to_a_requirement():
    """A step that enrols counts for nothing, the kind itself does."""
    flow = Flow(sequence(Riddle(), enrol(Fob())))
    both = Flow(sequence(Riddle(), enrol(Fob()), Fob()))
    for required in ("knowledge and possession", "fob"):
        assert "WW102" in {each.code for each in check(flow, require=required).errors}
        assert () == check(both, require=required).errors


def test_a_session_that_grows_is_told():
    """The client carries it; a flow of a page stays below."""
    long = Flow(sequence(*(named(f"step_number_{number}", Riddle(attempts=10)) for number in range(4))))
    (finding,) = found(long, "WW210")
    assert "warning" == finding.severity
    assert f"at most {explore(long).longest()} rounds" in finding.message
    assert [] == found(Flow(sequence(Password(), Mail())), "WW210")


# --- settings -------------------------------------------------------------------------------------------------------


@frozen
class Engraved(Fob):
    """A fob with settings that a credential depends on, and one that only users see."""

    cosmetic: ClassVar[frozenset[str]] = frozenset({"colour"})

    digits: int = 6
    form: tuple[str, ...] = ()
    colour: str = "red"


@pytest.mark.parametrize(
    ("others", "unlike"),
    [
        ({"digits": 8}, "digits"),
        ({"digits": 8, "form": ["round"], "colour": "blue"}, "digits, form"),
        ({"colour": "blue", "attempts": 1, "lifetime": 60}, ""),
        ({}, ""),
    ],
)
@pytest.mark.parametrize(
    "steps",
    [
        lambda one, other: (enrol(one), other),
        lambda one, other: (enrol(other), one),
        lambda one, other: (enrol(one), one_of(other, Spare())),
        lambda one, other: (enrol(one), named("like", one), named("unlike", other)),
    ],
)
def test_all_steps_of_a_kind_with_state_have_the_same_settings(steps, others, unlike):
    """Or what is enrolled by one, another refuses. What no credential depends on may differ."""
    warned = found(Flow(sequence(Riddle(), *steps(Engraved(), Engraved(**others)))), "WW211")
    assert int(bool(unlike)) == len(warned)
    for finding in warned:
        assert "warning" == finding.severity
        assert f"of the kind 'fob' with different {unlike}:" in finding.message


def test_steps_without_state_may_have_any_settings():
    """Each makes its own codes."""
    assert [] == found(Flow(sequence(Mail(resend_after=60), named("again", Mail(resend_after=90)))), "WW211")
