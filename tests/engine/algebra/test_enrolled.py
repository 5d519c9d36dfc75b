"""What the user has enrolled, as a condition: where it may be asked, and that it counts as the first Create found it."""

from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.fobs import Fob
from kit.random_flows import TIER, Password, Quiz
from kit.sessions import judged, session
from watchword import (
    ConfigurationError,
    Flow,
    all_of,
    at_least,
    attribute,
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
from watchword.algebra import derivative
from watchword.algebra.blocks import EnrolledCondition
from watchword.algebra.evaluation import SessionRequest, evaluate
from watchword.algebra.flow import Present, needs_store
from watchword.analysis.state_space import every_outcome
from watchword.contract.kinds import User
from watchword.testing.session_lists import session_from_text

QUIZ = enrolled("quiz")
PUZZLE = EnrolledCondition("puzzle")
ONE, TWO, THREE, FOUR = (named(f"s{number}", Quiz(attempts=2)) for number in (1, 2, 3, 4))


def puzzle(name):
    """A step that proves nothing."""

    class Puzzle(Quiz):
        proves = frozenset()

    return named(name, Puzzle())


@pytest.mark.parametrize("kind", ["", "Quiz", "a b", None, 3, Quiz(), Quiz], ids=repr)
def test_the_condition_takes_the_name_of_a_kind(kind):
    """A text, as it stands in TOML."""
    with pytest.raises(
        ConfigurationError, match=r"enrolled\(.*\) takes the name of a kind, such as enrolled\('totp'\)"
    ):
        enrolled(kind)


FORK = when(QUIZ, named("yes", Quiz()), named("no", Quiz()))
VANISHING = when(QUIZ, named("yes", Quiz()))

SOUND = {
    "after a step": sequence(ONE, FORK),
    "after a step, and may vanish": sequence(ONE, VANISHING),
    "after a step that enrols": sequence(Password(), named("sets_up", enrol(Fob())), VANISHING),
    "after the password": sequence(Password(), FORK),
    "after the password, with a step behind": sequence(Password(), VANISHING, ONE),
    "with a step on each way behind": sequence(Password(), VANISHING, one_of(ONE, sequence(TWO, THREE))),
    "by an attribute": sequence(Password(), when(TIER, FORK, ONE)),
    "in an option, after its first step": one_of(sequence(ONE, FORK), TWO),
    "behind a choice in which each option proves": sequence(one_of(ONE, sequence(puzzle("p1"), TWO)), VANISHING),
    "behind a fallback in which each part proves": sequence(fallback(ONE, TWO), VANISHING),
    "behind two of three, one of which proves nothing": sequence(at_least(2, ONE, TWO, puzzle("p1")), VANISHING),
    "behind all": sequence(all_of(puzzle("p1"), ONE), VANISHING),
    "in a part of a fallback, since the one before was asked": sequence(
        Password(), fallback(ONE, sequence(VANISHING, TWO))
    ),
    "behind a condition that proves either way": sequence(when(TIER, ONE, TWO), VANISHING),
}

UNPROVEN = {
    "at the beginning": FORK,
    "after a puzzle": sequence(puzzle("p1"), FORK),
    "in an option": one_of(FORK, ONE),
    "behind a choice that may prove nothing": sequence(one_of(ONE, puzzle("p1")), FORK),
    "behind a fallback that may prove nothing": sequence(fallback(ONE, puzzle("p1")), FORK),
    "in the second part of a fallback": fallback(ONE, FORK),
    "behind one of two, one of which proves nothing": sequence(at_least(1, ONE, puzzle("p1")), FORK),
    "as one of two": at_least(2, ONE, sequence(FORK, TWO)),
    "behind a condition that may prove nothing": sequence(when(TIER, ONE), FORK),
    "around the password": when(QUIZ, Password(), ONE),
}

UNDECIDED = {
    "last": sequence(Password(), VANISHING),
    "with a step behind on some ways": sequence(Password(), VANISHING, when(TIER, ONE)),
    "twice": sequence(Password(), VANISHING, when(PUZZLE, ONE)),
    "in one option": one_of(sequence(Password(), VANISHING), ONE),
}


@pytest.mark.parametrize("block", SOUND.values(), ids=SOUND)
def test_a_condition_stands_behind_a_factor(block):
    """And whatever comes of it, a step of the flow's own comes next."""
    assert ("enrolled", "quiz") in Flow(block).conditions


@pytest.mark.parametrize("block", UNPROVEN.values(), ids=UNPROVEN)
def test_strangers_do_not_learn_what_is_enrolled(block):
    """Where one path comes to it without a factor, the flow is refused."""
    with pytest.raises(ConfigurationError, match=r"enrolled\('quiz'\).*strangers would learn.*put a step that proves"):
        Flow(block)


@pytest.mark.parametrize("block", UNDECIDED.values(), ids=UNDECIDED)
def test_no_flow_is_passed_before_the_store_was_read(block):
    """Define keeps no storage: nobody has asked yet, and whoever has enrolled the kind would be let past it."""
    with pytest.raises(ConfigurationError, match=r"enrolled\('(quiz|puzzle)'\).*passed before.*give it an otherwise="):
        Flow(block)


@pytest.mark.parametrize("block", SOUND.values(), ids=SOUND)
def test_before_the_first_challenge_a_step_of_the_flows_own_comes_next_either_way(block):
    """Which one, the first Create finds out; until then Define says that something is asked, and nothing else."""
    flow = Flow(block)
    for tier, opening in product(({}, {"custom:tier": "gold"}), ("", "srp_a+", "srp_a+ password_verifier+")):
        rounds = session_from_text(flow, opening)
        request = SessionRequest("pool", "app", User("ann", {"sub": "1", **tier}), rounds)
        without, having = (evaluate(request, (flow,), had).decision for had in ((), ("quiz",)))
        if isinstance(without, Present) and not without.host:
            assert isinstance(having, Present)
            assert not having.host
        else:
            assert without == having


FLOW = Flow(sequence(ONE, FORK, when(TIER, TWO), when(enrolled("other"), THREE, FOUR)))


def test_users_may_have_enrolled_any_kinds():
    """Unlike the values of one attribute, of which one holds at most."""
    flow = Flow(sequence(ONE, FORK, when(enrolled("other"), THREE, FOUR)))
    assert set(product((False, True), repeat=2)) == set(every_outcome(flow))
    assert 4 == len(explore(flow).beginnings)


words = st.lists(
    st.sampled_from(["s1+", "s1-", "yes+", "yes-", "no+", "no-", "s2+", "s3+", "s4+", "s1~"]), min_size=1, max_size=5
)
facts = st.text("01", min_size=3, max_size=3)
kinds = st.sets(st.sampled_from(["quiz", "other"]))


@given(words, facts, kinds, kinds)
def test_what_was_recorded_counts_and_is_never_compared(said, recorded, before, later):
    """Whatever is enrolled by now, every call decides alike, by the digit in the metadata."""
    flow, gold = FLOW, recorded[1] == "1"
    attributes = {"custom:tier": "gold"} if gold else {}
    rounds = session(" ".join(said), flow, facts=recorded)
    decided = [
        derivative.evaluate_session(rounds, [flow.program], attributes, "", True, None, None, had)
        for had in ((), before, later)
    ]
    assert decided[0] == decided[1] == decided[2]
    assert tuple(digit == "1" for digit in recorded) == decided[0][3]
    started = derivative.begin(flow.program, decided[0][3])
    assert decided[0][1] == derivative.fold(started, decided[0][4])[-1]


@given(words, facts, st.sampled_from([{}, {"custom:tier": "gold"}, {"custom:tier": "tin"}]))
def test_an_attribute_is_compared_as_before(said, recorded, attributes):
    """A digit of an attribute that has changed breaks the sign-in, whatever is enrolled."""
    rounds = session(" ".join(said), FLOW, facts=recorded)
    decided = derivative.evaluate_session(rounds, [FLOW.program], attributes, "", True, None, None)[0]
    changed = (recorded[1] == "1") != (attributes.get("custom:tier") == "gold")
    assert changed == (decided == ("fail", "facts_changed"))


@pytest.mark.parametrize("recorded", ["", "0", "00", "0000", "0 0", "0x0", "2", "00\uff12", "-00", "\x00\x00\x00"])
def test_facts_of_another_form_are_foreign(recorded):
    """Too short, too long, or other signs: no Create of this flow wrote them."""
    for program, length in ((FLOW, 3), (Flow(sequence(ONE, when(TIER, TWO))), 1), (Flow(ONE), 0)):
        if len(recorded) == length and not recorded.strip("01"):
            continue
        assert ("fail", "foreign_metadata") == judged("s1+", program, facts=recorded)


def test_all_rounds_say_the_same_of_what_is_enrolled():
    """The first one's digits count; another one that says otherwise breaks the sign-in."""
    first, second = session("s1+ yes+", FLOW, facts="100")
    other = session("s1+ yes+", FLOW, facts="101")[1]
    assert ("present", "s4") == judged([first, second], FLOW)
    assert ("fail", "facts_changed") == judged([first, other], FLOW)


def test_the_first_create_decides_by_what_is_enrolled():
    """And says so in the facts that it will write."""
    flow = Flow(sequence(Password(), FORK))
    request = SessionRequest(
        "pool", "app", User("ann", {"sub": "1"}), session_from_text(flow, "srp_a+ password_verifier+")
    )
    for had, step, digits in (((), "no", "0"), (("quiz",), "yes", "1"), (("other",), "no", "0")):
        read = evaluate(request, (flow,), had)
        assert (Present(step), digits) == (read.decision, read.facts)
    resumed = evolve(request, session=session_from_text(flow, "srp_a+ password_verifier+ yes-", enrolled=["quiz"]))
    assert (Present("yes"), "1") == (evaluate(resumed, (flow,)).decision, evaluate(resumed, (flow,)).facts)


def test_a_session_is_explained_for_what_was_enrolled():
    """As for attributes; somebody unknown has enrolled nothing."""
    flow = Flow(sequence(ONE, FORK))
    assert "present yes" == explain(flow, "s1+", enrolled=["quiz"]).decision
    assert (
        "present no" == explain(flow, "s1+").decision == explain(flow, "s1+", enrolled=["quiz"], known=False).decision
    )


def test_a_condition_changes_the_fingerprint():
    """Sessions of the one flow are none of the other's."""
    other = Flow(sequence(ONE, when(enrolled("other"), named("yes", Quiz()), named("no", Quiz()))))
    by_attribute = Flow(sequence(ONE, when(attribute("enrolled", "quiz"), named("yes", Quiz()), named("no", Quiz()))))
    assert 3 == len({each.fingerprint for each in (Flow(sequence(ONE, FORK)), other, by_attribute)})


@pytest.mark.parametrize(
    ("block", "needed"),
    [
        (Quiz(), False),
        (sequence(Password(), Quiz()), False),
        (Fob(), True),
        (sequence(Password(), enrol(Fob())), True),
        (sequence(Quiz(), when(enrolled("fob"), named("s1", Quiz()))), True),
        (sequence(Quiz(), when(TIER, named("s1", Quiz()))), False),
    ],
)
def test_a_flow_that_remembers_or_asks_what_is_enrolled_needs_a_store(block, needed):
    """And so do several, if one of them does: what runs them all has one store."""
    flow, other = Flow(block), Flow(Quiz())
    assert needed is needs_store([flow]) is needs_store([other, flow])
    assert not needs_store([])
