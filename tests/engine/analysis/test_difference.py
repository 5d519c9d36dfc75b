"""The difference of two flows: none of a flow to itself, the same from both sides, and every session shows what is said."""

import pytest
from hypothesis import given, settings

from kit.random_flows import Password, Quiz, flows
from watchword import (
    ConfigurationError,
    Flow,
    Limits,
    all_of,
    attribute,
    client,
    fallback,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra.flow import FailAuthentication, Present, decision_text
from watchword.algebra.session_notation import parse_session
from watchword.analysis.difference import FAIL, TOKENS, Change, difference
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

SMALL = flows(most_steps=3, attempts=2)


def outcomes(flow, told):
    """Return how the conditions of *flow* come out for the user and the app client of a divergence."""
    return [
        told.client == each[1] if each[0] == "client" else told.attributes.get(each[1]) == each[2]
        for each in flow.conditions
    ]


def decision(flow, told, steps):
    """Return what *flow* decides after the session of a divergence, as the client sees it."""
    state = flow.given(*outcomes(flow, told))
    for read in parse_session(" ".join(told.session), steps):
        state = state.after(read)
    match state.decide():
        case FailAuthentication():
            return FAIL
        case Present(step, host, choices):
            return decision_text(Present(step, host, choices if told.reordered else tuple(sorted(choices))))
        case tokens:
            return decision_text(tokens)


@given(flow=SMALL)
def test_a_flow_differs_from_itself_in_nothing(flow):
    """Whatever its blocks."""
    found = difference(flow, flow)
    assert found.nothing
    assert ((), (), True) == (found.divergences, found.changes, found.survives)


@given(old=SMALL, new=SMALL)
@settings(max_examples=80)
def test_every_session_that_is_told_is_decided_so(old, new):
    """By the flows' own decisions, and otherwise by one than by the other; shorter ones come first, none is told twice."""
    found = difference(old, new).divergences
    steps = {*old.steps, *new.steps}
    for told in found:
        assert told.old != told.new
        assert (told.old, told.new) == (decision(old, told, steps), decision(new, told, steps))
    assert [len(each.session) for each in found] == sorted(len(each.session) for each in found)
    assert len({(each.old, each.new) for each in found}) == len(found)


@given(old=SMALL, new=SMALL)
@settings(max_examples=80)
def test_the_difference_is_the_same_from_the_other_side(old, new):
    """With old and new changed over."""
    one, other = difference(old, new), difference(new, old)
    assert sorted((each.session, each.old, each.new) for each in one.divergences) == sorted(
        (each.session, each.new, each.old) for each in other.divergences
    )
    assert [(each.what, each.old, each.new) for each in one.changes] == [
        (each.what, each.new, each.old) for each in other.changes
    ]
    assert one.weakest == other.weakest[::-1]
    assert (one.survives, one.nothing) == (other.survives, other.nothing)
    assert [each.session for each in one.admitted] == [each.session for each in other.refused]


@given(old=SMALL, new=SMALL)
@settings(max_examples=40)
def test_flows_that_differ_in_no_session_decide_alike(old, new):
    """Where nothing is told, each session that the old flow lets in is let in by the new one; random sessions agree."""
    if difference(old, new).divergences:
        return
    for outcome in ([True] * len(old.conditions), [False] * len(old.conditions)):
        held = dict(zip(old.conditions, outcome, strict=True))
        one, other = old.given(*outcome), new.given(*(held.get(each, False) for each in new.conditions))
        for _ in range(6):
            assert decision_text(one.decide()).partition(" (")[0] == decision_text(other.decide()).partition(" (")[0]
            decided = one.decide()
            if not isinstance(decided, Present) or decided.host:
                break
            (read,) = parse_session(f"{decided.step}{'-' if decided.choices else '+'}", old.steps)
            one, other = one.after(read), other.after(read)


def aa(**given):
    """Return a step."""
    return named("aa", Quiz(**given))


def bb(**given):
    """Return another step."""
    return named("bb", Quiz(**given))


def cc(**given):
    """Return a third."""
    return named("cc", Quiz(**given))


GOLD, TIN = attribute("custom:tier", "gold"), attribute("custom:tier", "tin")
SESSIONS = {
    "a step behind": (aa(), sequence(aa(), bb()), {("aa+", TOKENS, "ask for bb")}),
    "a step before": (
        aa(),
        sequence(bb(), aa()),
        {("", "ask for aa", "ask for bb"), ("aa+", TOKENS, FAIL), ("bb+ aa+", FAIL, TOKENS)},
    ),
    "another order": (
        sequence(aa(), bb()),
        sequence(bb(), aa()),
        {("", "ask for aa", "ask for bb"), ("aa+ bb+", TOKENS, FAIL), ("bb+ aa+", FAIL, TOKENS)},
    ),
    "a choice": (
        aa(),
        one_of(bb(), aa()),
        {("", "ask for aa", "choose one of aa, bb"), ("bb+", FAIL, TOKENS)},
    ),
    "the order of a choice": (
        one_of(aa(), bb()),
        one_of(bb(), aa()),
        {("", "choose one of aa, bb", "choose one of bb, aa")},
    ),
    "the order of many, once": (
        sequence(named("first", Quiz()), all_of(aa(), bb(), cc())),
        sequence(named("first", Quiz()), all_of(cc(), bb(), aa())),
        {("first+", "choose one of aa, bb, cc", "choose one of cc, bb, aa")},
    ),
    "two other orders": (
        sequence(one_of(aa(), bb()), one_of(cc(), named("dd", Quiz()))),
        sequence(one_of(bb(), aa()), one_of(named("dd", Quiz()), cc())),
        {("", "choose one of aa, bb", "choose one of bb, aa"), ("aa+", "choose one of cc, dd", "choose one of dd, cc")},
    ),
    "fewer tries": (aa(attempts=2), aa(attempts=1), {("aa-", "ask for aa", FAIL), ("aa- aa+", TOKENS, FAIL)}),
    "a way around": (aa(attempts=1), fallback(aa(attempts=1), bb()), {("aa-", FAIL, "ask for bb"), ("aa- bb+", FAIL, TOKENS)}),
    "a password before": (
        aa(),
        sequence(Password(), aa()),
        {("", "ask for aa", FAIL), ("aa+", TOKENS, FAIL), ("srp_a+", FAIL, "ask for PASSWORD_VERIFIER (host)"),
         ("srp_a+ password_verifier+ aa+", FAIL, TOKENS)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), SESSIONS.values(), ids=SESSIONS)
def test_for_each_pair_of_decisions_the_shortest_session_is_told(old, new, told):
    """What is asked in place of what, who is let in that was not, and who is refused."""
    assert told == {
        (" ".join(each.session), each.old, each.new) for each in difference(Flow(old), Flow(new)).divergences
    }


@pytest.mark.parametrize(
    ("old", "new", "attributes", "app"),
    [
        (aa(), when(GOLD, bb(), aa()), {"custom:tier": "gold"}, ""),
        (when(TIN, bb(), aa()), when(GOLD, bb(), aa()), {"custom:tier": "gold"}, ""),
        (aa(), when(client("app-1"), bb(), aa()), {}, "app-1"),
    ],
)
def test_it_is_said_whose_session_it_is(old, new, attributes, app):
    """The attributes, and the app client: of both flows' conditions together, of which no two hold of one attribute."""
    found = difference(Flow(old), Flow(new)).divergences[0]
    assert ((), attributes, app) == (found.session, found.attributes, found.client)


def test_factors_that_are_gained_and_lost_are_those_of_the_weakest_paths():
    """A password before a code, and a code alone as the other way."""
    code, both = Flow(EmailOtp()), Flow(sequence(Srp(), EmailOtp(length=6)))
    possession, two = frozenset({"possession"}), frozenset({"knowledge", "possession"})
    assert ((possession,), (two,)) == difference(code, both).weakest
    either = Flow(one_of(sequence(Srp(), named("second", EmailOtp())), EmailOtp()))
    assert ((possession,), (possession,)) == difference(code, either).weakest
    assert ((frozenset(),), (two,)) == difference(Flow(Captcha()), both).weakest


CHANGES = {
    "a limit": ({}, {"limits": Limits(guesses=["5/90s", "20/2h", "3/min"])}, [("limits.guesses", "10/day", "5/90s, 20/2h, 3/min")]),
    "what is required": ({"require": "possession"}, {}, [("require", "possession", "")]),
    "what is accepted": ({}, {"accept": {"WW206": "seen to"}}, [("accept.WW206", "", "seen to")]),
    "a bare SRP_A": ({}, {"unwanted_srp": "ignore"}, [("unwanted_srp", "refuse", "ignore")]),
    "the name": ({"name": "one"}, {"name": "two"}, [("name", "one", "two")]),
    "nothing": ({"name": "one"}, {"name": "one"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CHANGES.values(), ids=CHANGES)
def test_what_is_written_otherwise_is_told(old, new, told):
    """Limits as a flow says them; a difference that no session shows is one all the same."""
    found = difference(Flow(aa(), **old), Flow(aa(), **new))
    assert [Change(*each) for each in told] == list(found.changes)
    assert found.nothing is (not told)


def test_steps_are_compared_by_their_names():
    """One that is new, one that is gone, a setting, another kind; a long setting is cut."""
    old = Flow(all_of(aa(), bb(colour="x" * 100), named("cc", Quiz())))
    new = Flow(all_of(aa(level="hard"), bb(), named("cc", EmailOtp()), named("dd", Quiz())))
    assert [
        Change("aa.level", "'easy'", "'hard'"),
        Change("bb.colour", f"'{'x' * 78}…", "'red'"),
        Change("cc.kind", "quiz", "email_otp"),
        Change("dd.kind", "", "quiz"),
    ] == list(difference(old, new).changes)


@pytest.mark.parametrize(
    ("new", "survives"),
    [(aa(), True), (aa(colour="blue"), True), (aa(level="hard"), False), (aa(lifetime=60), False), (bb(), False)],
)
def test_sign_ins_under_way_go_on_where_the_fingerprint_is_the_same(new, survives):
    """Texts are no part of it; what Define and Verify read is."""
    assert survives is difference(Flow(aa()), Flow(new)).survives


def test_flows_that_decide_alike_may_be_written_in_another_way():
    """Then the fingerprint is what differs, and that is said; it is not said where something else is told."""
    one = Flow(sequence(aa(), when(GOLD, sequence(bb(), cc()))))
    other = Flow(sequence(aa(), when(GOLD, sequence(bb(), when(GOLD, cc())))))
    found = difference(one, other)
    assert (True, False, ()) == (found.written_otherwise, found.nothing, found.divergences)
    assert not difference(one, Flow(bb())).written_otherwise
    assert not difference(one, one).written_otherwise
    assert not difference(Flow(one_of(aa(), bb())), Flow(one_of(bb(), aa()))).written_otherwise


def test_more_pairs_than_the_limit_are_refused(monkeypatch):
    """With both flows named, and the remedy; progress is told meanwhile."""
    monkeypatch.setattr("watchword.analysis.difference._PROGRESS_EVERY", 10)
    many = [named(f"s{number}", Quiz()) for number in range(5)]
    told = []
    with pytest.raises(
        ConfigurationError, match=r"'one' and 'two' have more than 50 pairs of states: .*raise the limit"
    ):
        difference(Flow(all_of(*many[:3]), name="one"), Flow(all_of(*many[1:]), name="two"), limit=50)
    difference(Flow(all_of(*many[:4])), Flow(all_of(*many[:4])), progress=told.append)
    assert [10, 20, 30] == told[:3]
    with pytest.raises(ConfigurationError, match=r"load_flow"):
        difference("old.toml", Flow(aa()))
