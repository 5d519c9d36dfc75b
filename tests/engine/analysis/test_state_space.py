"""An exploration finds what a walk by the flow's own decisions finds: no state, round or rule more or less."""

import gc
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.checked_flows import Letter
from kit.dressed_flows import dressed_flows
from kit.random_flows import APP, TIER, Password, Quiz, flows
from kit.sessions import session
from oracles.block_player import decision as played
from oracles.flow_oracles import FORCED, SMALL
from oracles.flow_walks import WHO, deepest, outcomes, plainly_explored, walked
from watchword import (
    ConfigurationError,
    Flow,
    IssueTokens,
    Present,
    ReadRound,
    all_of,
    at_least,
    attribute,
    check,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.session_notation import format_round
from watchword.analysis import state_space
from watchword.analysis.state_space import every_outcome, explore

SMALL_FLOWS = flows(most_steps=4, attempts=2)


@given(flow=SMALL_FLOWS)
@settings(max_examples=60)
def test_an_exploration_is_the_walk_by_the_flows_own_decisions(flow):
    """The same states, the same rounds between them, the same longest way, for random flows of every block."""
    found, distances = walked(flow)
    explored = explore(flow)
    assert set(explored.states) == found.keys()
    assert len(explored.states) == len(found)
    assert explored.transitions == sum(map(len, found.values()))
    for state, onward in zip(explored.states, explored.onward, strict=True):
        assert found[state] == {read: explored.states[target] for read, target in onward}
        assert len(found[state]) == len(onward)
    assert deepest(found) == explored.longest()
    assert [distances[state] for state in explored.states] == sorted(distances.values())
    assert {state for state in found if state[0] == derivative.PASSED} == {
        explored.states[number] for number in explored.passed()
    }


@given(flow=st.one_of(SMALL_FLOWS, dressed_flows([Quiz(), Letter("letter")])))
@settings(max_examples=60)
def test_what_the_walk_remembers_changes_nothing(flow):
    """The same states, rounds, ways back and beginnings, in the same order, as when each state is derived anew."""
    states, onward, beginnings, came_from = plainly_explored(flow)
    explored = explore(flow)
    assert states == list(explored.states)
    assert onward == list(explored.onward)
    assert beginnings == list(explored.beginnings)
    assert came_from == list(explored.came_from)


NESTED = {
    "a choice within a choice": lambda one, two, three: at_least(
        2, one_of(one, two), three, named("s4", Letter("letter"))
    ),
    "orders of a sequence and a choice": lambda one, two, three: all_of(
        sequence(one, at_least(1, two, three)), named("s4", Letter("letter"))
    ),
    "a choice to fall back on": lambda one, two, three: fallback(all_of(one, two), one_of(three, named("s4", Quiz()))),
    "a choice after a password": lambda one, two, three: sequence(one_of(Password(), one), all_of(two, three)),
    "a password among others": lambda one, two, three: one_of(sequence(Password(), one), all_of(two, three)),
}


@pytest.mark.parametrize("unwanted", ["refuse", "ignore"])
@pytest.mark.parametrize("name", NESTED)
def test_what_the_walk_remembers_changes_nothing_in_nested_choices(name, unwanted):
    """Choices within choices, whose answers share most."""
    one, two, three = (
        named("s1", Quiz(attempts=2)),
        named("s2", Letter("letter", attempts=2)),
        named("s3", Quiz(attempts=1)),
    )
    flow = Flow(NESTED[name](one, two, three), unwanted_srp=unwanted)
    explored = explore(flow)
    found = plainly_explored(flow)
    assert found == tuple(map(list, (explored.states, explored.onward, explored.beginnings, explored.came_from)))


@given(flow=SMALL_FLOWS, data=st.data())
@settings(max_examples=60)
def test_the_shortest_session_is_judged_to_lead_to_its_state(flow, data):
    """As short as any, and the interpreter that Define uses comes to this very state, for somebody whom it may concern."""
    _, distances = walked(flow)
    explored = explore(flow)
    for _ in range(20):
        number = data.draw(st.integers(0, len(explored.states) - 1))
        words = explored.shortest(number)
        assert distances[explored.states[number]] == len(words)
        assert explored.states[number] in {judged_state(flow, words, who) for who in WHO}


def judged_state(flow, words, who):
    """Return the state that the session of *words* comes to for *who*."""
    facts = derivative.facts_of(outcomes(flow, who))
    rounds = session(" ".join(words), flow, facts=facts)
    action = "resend" if words and words[-1].endswith("~") else None
    return derivative.evaluate_session(
        rounds, [flow.program], who["attributes"], who["client"], who["known"], action, None
    )[1]


@given(flow=SMALL_FLOWS)
@settings(max_examples=60)
def test_states_are_ordered_forwards(flow):
    """Each once, and after all that lead to it: no state comes back."""
    explored = explore(flow)
    order = explored.forwards()
    assert sorted(order) == list(range(len(explored.states)))
    places = {number: place for place, number in enumerate(order)}
    for number, followers in enumerate(explored.onward):
        assert all(places[number] < places[target] for _, target in followers)


@given(flow=SMALL_FLOWS)
@settings(max_examples=40)
def test_nothing_that_a_truthful_host_adds_is_broken_and_nothing_else_is_taken(flow):
    """Of every round that there could be, exactly those that the exploration follows are understood by the interpreter."""
    explored = explore(flow)
    names = [*flow.steps, derivative.SELECT, "other_step"]
    uses = [("answer", True), ("answer", False), ("resend", False), ("choice", False)]
    custom = [ReadRound(derivative.CUSTOM, step, use, right) for step, (use, right) in product(names, uses)]
    custom += [ReadRound.custom(step, right=right, use="offered") for step in flow.offered for right in (True, False)]
    hosts = [ReadRound.host(name) for name in (derivative.SRP_A, derivative.PASSWORD_VERIFIER, derivative.NEW_PASSWORD)]
    for state, onward in zip(explored.states, explored.onward, strict=True):
        if state[0] in {derivative.PASSED, derivative.FAILED}:
            continue
        here = flow._at(state)
        taken = {read for read in (*custom, *hosts) if here.after(read).state[0] != derivative.BROKEN}
        taken = {read for read in taken if read.step != derivative.SELECT or read.use == "choice"}
        # A select round says "choice" whatever else a session says of it.
        assert taken == {read for read, _ in onward}


# --- by hand ------------------------------------------------------------------------------------------------------


def test_one_step_of_one_try_by_hand():
    """Eight states: fresh, after one to five resend requests, passed, failed; from each of the first six, three rounds."""
    explored = explore(Flow(named("quiz", Quiz(attempts=1))))
    words = [" ".join(explored.shortest(number)) for number in range(8)]
    assert ["", "quiz+", "quiz-", *(" ".join(["quiz~"] * number) for number in range(1, 6))] == words
    assert (8, 18, 6) == (len(explored.states), explored.transitions, explored.longest())
    assert [1] == list(explored.passed())
    assert (((), 0),) == explored.beginnings


def test_a_password_alone_by_hand():
    """Before, opened, passed, and passed with a new password."""
    explored = explore(Flow(Password()))
    assert [("srp_a+",), ("srp_a+", "password_verifier+")] == [explored.shortest(number) for number in (1, 2)]
    assert ("srp_a+", "password_verifier+", "new_password_required+") == explored.shortest(3)
    assert (4, 3, 3) == (len(explored.states), explored.transitions, explored.longest())


def test_orders_that_leave_the_same_to_do_are_one_state():
    """Passing one and then the other of three leaves the same as the other way round."""
    one, two, three = (named(f"s{number}", Quiz(attempts=1)) for number in (1, 2, 3))
    explored = explore(Flow(all_of(one, two, three)))
    flow = explored.flow
    first, second = (ReadRound.custom(name, right=True) for name in ("s1", "s2"))
    left = flow.after(first).after(second).state
    assert left == flow.after(second).after(first).state
    assert 1 == explored.states.count(left)
    assert len(set(explored.states)) == len(explored.states)
    assert explored.transitions == sum(len(each) for each in explored.onward)


LONGEST = {
    "step": {},
    "sequence": {"attributes": {"custom:tier": "gold"}},
    "fallback": {},
    "password": FORCED,
    "password, step": {**FORCED, "client": "app-1"},
    "srp ignored": {},
}


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_way_is_the_longest_that_the_player_can_be_led(name):
    """A second interpreter, which knows no states, walked everywhere until it stops asking."""
    flow, who = SMALL[name], LONGEST[name]
    longest, waiting = 0, [[], ["srp_a+"]]
    while waiting:
        words = waiting.pop()
        action = "resend" if words and words[-1].endswith("~") else None
        facts = derivative.facts_of(
            derivative.outcomes_of(flow.conditions, who.get("attributes", {}), who.get("client"), True)
        )
        rounds = session(" ".join(words), flow, facts=facts)
        match played(flow, rounds, action=action, **who):
            case ("present", step):
                waiting += [[*words, step + sign] for sign in "+-~"]
            case ("host", host):
                waiting.append([*words, f"{host.lower()}+"])
            case ("fail",) if words == ["srp_a+"]:
                continue  # this flow does not take it
        longest = max(longest, len(words))
    assert longest == explore(flow).longest()


# --- conditions ---------------------------------------------------------------------------------------------------


def test_each_condition_is_walked_both_ways():
    """The beginnings are all that somebody can come with, none of the conditions holding first."""
    gold, silver = attribute("custom:tier", "gold"), attribute("custom:tier", "silver")
    parts = [named(f"s{number}", Quiz()) for number in range(4)]
    flow = Flow(sequence(parts[0], when(gold, parts[1]), when(silver, parts[2]), when(client("app"), parts[3])))
    both_ways = {held for held, _ in explore(flow).beginnings}
    possible = {
        derivative.outcomes_of(flow.conditions, {"custom:tier": tier}, app, True)
        for tier, app in product(["gold", "silver", "tin"], ["app", "other"])
    }
    assert possible == both_ways
    assert (False, False, False) == explore(flow).beginnings[0][0]


def test_conditions_that_exclude_each_other_never_hold_together():
    """Nobody is gold and silver at once, nor comes through two app clients; that would be a path that nobody can go."""
    tiers = [attribute("custom:tier", str(number)) for number in range(3)]
    apps = [client(str(number)) for number in range(2)]
    parts = [when(each, named(f"s{number}", Quiz())) for number, each in enumerate([*tiers, *apps])]
    flow = Flow(sequence(named("quiz", Quiz()), *parts))
    found = list(every_outcome(flow))
    assert (1 + 3) * (1 + 2) == len(found) == len(set(found))
    assert all(sum(held[:3]) <= 1 and sum(held[3:]) <= 1 for held in found)


def test_what_comes_after_a_condition_is_walked_once():
    """Both outcomes begin apart and share every state after the step in which they differ."""
    quiz = named("quiz", Quiz())
    apart = Flow(sequence(when(APP, named("a1", Quiz()), otherwise=named("a2", Quiz())), quiz))
    alone = Flow(sequence(named("a1", Quiz()), quiz))
    first, second = explore(apart).beginnings
    assert first[1] != second[1]
    own = {state for state in explore(alone).states if "a1" in derivative.heads(state[0])}
    assert len(explore(apart).states) == len(explore(alone).states) + len(own)


@pytest.mark.parametrize("conditions", [64, 300])
def test_very_many_conditions_are_refused_in_time(conditions):
    """Two to the power of 64 outcomes are not begun with."""
    parts = [when(attribute(f"custom:{number}", "1"), named(f"s{number}", Quiz())) for number in range(conditions)]
    with pytest.raises(ConfigurationError, match="flow 'flow' has more than 500 outcomes of its conditions"):
        explore(
            Flow(
                sequence(named("quiz", Quiz()), when(TIER, one_of(*(named(f"t{n}", Quiz()) for n in range(2)))), *parts)
            ),
            limit=500,
        )


# --- limits and progress ------------------------------------------------------------------------------------------


def test_a_flow_of_more_states_than_the_limit_is_refused():
    """Exactly at the limit it is walked; the message names the flow, the limit and the remedy."""
    flow = Flow(at_least(2, *(named(f"s{number}", Quiz()) for number in range(4))), name="big")
    count = len(explore(flow).states)
    assert count == len(explore(flow, limit=count).states)
    with pytest.raises(ConfigurationError, match=rf"flow 'big' has more than {count - 1} states: .*among fewer"):
        explore(flow, limit=count - 1)


def test_progress_is_told_now_and_then(monkeypatch):
    """With the number of states walked so far, rising, and not for every one."""
    monkeypatch.setattr(state_space, "_PROGRESS_EVERY", 50)
    told = []
    found = explore(Flow(all_of(*(named(f"s{number}", Quiz()) for number in range(4)))), progress=told.append)
    assert list(range(50, len(found.states) + 1, 50)) == told
    assert len(told) > 2


def test_a_flow_of_many_states_is_walked_whole():
    """Some thousand states: each reachable, and its shortest session comes to it."""
    flow = Flow(at_least(3, *(named(f"s{number}", Quiz(attempts=2)) for number in range(6))))
    found = explore(flow)
    assert len(found.states) > 1_000
    for number in range(0, len(found.states), 97):
        words = found.shortest(number)
        assert found.states[number] == judged_state(flow, words, WHO[0])


def test_rounds_in_words_are_those_that_are_walked():
    """What `shortest` tells are the words of the rounds on the way."""
    found = explore(Flow(fallback(named("s1", Quiz(attempts=1)), named("s2", Quiz()))))
    (read, target), *_ = [each for each in found.onward[0] if each[0].right is False and each[0].use == "answer"]
    assert (format_round(read),) == found.shortest(target) == ("s1-",)
    assert Present("s2") == found.flow._at(found.states[target]).decide()
    assert {IssueTokens()} == {found.flow._at(found.states[number]).decide() for number in found.passed()}


@pytest.fixture(params=[True, False], ids=["collecting", "not collecting"])
def collecting(request):
    """Whether Python's garbage collector is on before the test; afterwards it is as it was."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("walk", [explore, check])
def test_the_collector_is_paused_and_left_as_it_was(walk, collecting, monkeypatch):
    """It is off while states are walked, and afterwards on or off as before: with a result, and with an error."""
    seen = []
    monkeypatch.setattr(state_space, "_PROGRESS_EVERY", 1)
    walk(Flow(named("quiz", Quiz())), progress=lambda _: seen.append(gc.isenabled()))
    assert {False} == set(seen)
    assert collecting == gc.isenabled()
    with pytest.raises(ConfigurationError, match="states"):
        walk(Flow(named("quiz", Quiz())), limit=1)
    assert collecting == gc.isenabled()


def test_what_a_program_has_frozen_stays_frozen(collecting):
    """A server that forks may have frozen all it loaded; exploring does not give that back to the collector."""
    loaded = []
    gc.freeze()
    try:
        explore(Flow(named("quiz", Quiz())))
        # The collector lists what is not frozen. (The count may fall: what is frozen dies when nothing refers to it.)
        assert not any(each is loaded for each in gc.get_objects())
    finally:
        gc.unfreeze()
    explore(Flow(named("quiz", Quiz())))
    assert 0 == gc.get_freeze_count()
