"""Select rounds that are answered, and steps that are asked for first."""

import pytest

from kit.random_flows import Card, Password, Quiz
from kit.sessions import judged, session
from oracles.offer_oracles import FLOWS, divergences, quiz
from watchword import (
    ConfigurationError,
    Flow,
    IssueTokens,
    Present,
    ReadRound,
    ask_first,
    difference,
    explain,
    explore,
    load_flow,
    named,
    one_of,
    recovery_channels,
    sequence,
)
from watchword.algebra import derivative
from watchword.algebra.blocks import kinds_in, map_kinds
from watchword.algebra.session_notation import format_round, parse_session
from watchword.analysis.diagram import collapsed, full
from watchword.testing import decision_after
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

FLOW = FLOWS["one_of"]


@pytest.mark.parametrize("name", FLOWS)
def test_an_answered_choice_is_worth_what_the_choice_and_then_the_answer_are_worth(name):
    """Over every list of up to three rounds: the same decision, and the same state."""
    assert [] == list(divergences(FLOWS[name], 3))[:1]


def test_what_is_offered_is_fixed_by_the_kind_alone():
    """So Define, Create and Verify agree without a word."""
    assert ("c1",) == FLOW.offered == FLOW.program[4]
    assert () == Flow(one_of(quiz(1), quiz(2))).offered


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("select-", "q1"),
        ("select-", "c2"),
        ("select-", "select"),
        ("select-", None),
        ("c1-", "c1"),
        ("q1- select-", "c1"),
    ],
)
def test_anything_else_is_what_it_was_without_offers(words, choice):
    """A step that is not offered, one that cannot be chosen here, a round of another step, a choice that is pinned."""
    plain = derivative.evaluate_session(session(words, FLOW), [FLOW.program], {}, "", True, None, choice)
    assert plain == derivative.evaluate_session(session(words, FLOW), [FLOW.program], {}, "", True, "answer", choice)


def test_an_answered_choice_is_read_by_the_validated_name():
    """The last round by the client's choice, the others by the next metadata."""
    rounds = session("select:c1-", FLOW)
    *_, read, _ = derivative.evaluate_session(rounds, [FLOW.program], {}, "", True, "answer", "c1")
    assert [("c1", "offered", False)] == [each[1:4] for each in read]
    assert "answer:c1" == derivative.read_metadata(session("select:c1- c1+", FLOW)[1][2])["before"]
    assert ("tokens",) == judged("select:c1- c1+", FLOW)
    assert ("fail", "foreign_metadata") == judged("select:q1- q1+", FLOW)


def test_a_select_round_that_is_right_needs_an_answer():
    """Verify never says right to a plain choice, so nobody gets past it by one."""
    for action in (None, "resend", "answer"):
        rounds = session("select+", FLOW)
        decided = derivative.evaluate_session(rounds, [FLOW.program], {}, "", True, action, None)[0]
        assert ("fail", "broken") == decided


def test_a_step_that_is_asked_first_needs_a_choice_or_any_answer():
    """Nothing is presented that nobody has asked for; the choice in the round before will do."""
    flow = Flow(sequence(quiz(1), ask_first(quiz(2))))
    assert ("select", ("q2",)) == judged("q1+", flow)
    assert ("present", "q2") == judged("q1+", flow, choice="q2")
    assert ("present", "q2") == judged("q1+ select-", flow)
    assert ("present", "q2") == judged("q1+ select-", flow, choice="q1")
    assert ("tokens",) == judged("q1+ select- q2+", flow) == judged("q1+ q2+", flow)
    assert ("present", "q2") == judged("q1+ q2~", flow) == judged("q1+ select- q2~", flow)
    assert ("fail", "broken") == judged("q1+ select- select-", flow) == judged("q1+ select+", flow)


def test_a_choice_that_names_the_step_asks_for_it_no_second_time():
    """An option that is chosen has been asked for; the one that is left over has not."""
    flow = FLOWS["asked first at last"]
    assert ("present", "q1") == judged("select-", flow, choice="q1")
    assert ("select", ("c2", "q1")) == judged("select:c1+", flow)
    assert ("tokens",) == judged("select:c1+ q1- q1+", flow)
    failed = "select:c1+ q1- q1-"
    assert ("select", ("c2",)) == judged(failed, flow)
    assert ("tokens",) == judged(f"{failed} select:c2+", flow)


@pytest.mark.parametrize("block", [one_of(quiz(1), quiz(2)), Password(), Quiz, "quiz", None])
def test_only_a_step_can_be_asked_first(block):
    """The message names the block."""
    with pytest.raises(ConfigurationError, match="ask_first"):
        ask_first(block)


def test_what_is_offered_sends_no_message():
    """An offer costs nothing, and its kind is answered where it was never presented."""

    class Sending(Card):
        channel = "email"
        resend_after = 30

    with pytest.raises(ConfigurationError, match="both offer and channel"):
        Flow(Sending())


@pytest.mark.parametrize("name", FLOWS)
def test_offers_reach_no_state_that_choices_do_not_reach(name):
    """They only make ways shorter."""
    found = explore(FLOWS[name])
    without = {state for state, *_ in _plain_walk(FLOWS[name])}
    assert without == set(found.states)
    offered = {read.step for followers in found.onward for read, _ in followers if read.use == "offered"}
    assert offered <= set(FLOWS[name].offered)


def _plain_walk(flow):
    found = explore(flow)
    waiting = [number for _, number in found.beginnings]
    seen = set(waiting)
    while waiting:
        number = waiting.pop()
        yield (found.states[number],)
        for read, target in found.onward[number]:
            if read.use != "offered" and target not in seen:
                seen.add(target)
                waiting.append(target)


def test_explain_tells_of_an_answered_choice():
    """How the round was read, and what it led to."""
    told = explain(FLOW, "select:c1- c1+")
    assert "tokens" == told.decision
    assert ["select:c1-", "c1+"] == [each.word for each in told.rounds]
    assert "the client was asked to choose, and answered c1 at once: wrong" == told.rounds[0].read
    assert "present c1" == told.rounds[0].decision
    assert "no select round with c1 was to be answered" in explain(FLOW, "q1- select:c1+").reason
    asked = explain(Flow(ask_first(quiz(1))), "")
    assert "select" == asked.decision
    assert "q1 is asked for only after a select round" in asked.reason


@pytest.mark.parametrize("words", ["select:q1+", "select:q1-", "select:c1- select:q1+"])
def test_explain_takes_no_answer_to_an_option_that_is_not_offered(words):
    """Define takes none either: the error says which there are."""
    with pytest.raises(ConfigurationError, match=r"'select:q1[+-]' is no round.* select, select:c1, .*srp_a"):
        explain(FLOW, words)


def test_a_flow_says_what_is_asked_first():
    """In what is left of it, as in the rounds that come."""
    flow = Flow(sequence(quiz(1), ask_first(named("code", Quiz(attempts=2)))))
    assert "code (2 tries, 5 requests for another one), asked first" in explain(flow, "q1-").rounds[0].left
    assert ReadRound.custom("select", right=False) in {read for each in explore(flow).onward for read, _ in each}


def test_the_kind_of_a_step_that_is_asked_first_is_found_and_replaced():
    """In a block as in any other."""
    kind = Quiz()
    assert (kind, kind) == kinds_in(sequence(ask_first(kind), ask_first(named("second", kind))))
    other = Quiz(attempts=1)
    changed = map_kinds(sequence(ask_first(kind), ask_first(named("second", kind))), lambda _: other)
    assert sequence(ask_first(other), ask_first(named("second", other))) == changed


def test_a_message_that_is_asked_first_is_a_channel_of_recovery_too():
    """Beside the password."""
    assert ("email",) == recovery_channels(Flow(sequence(Srp(), ask_first(EmailOtp()))))


def test_a_file_says_what_is_asked_first(tmp_path):
    """The same value as in Python."""
    file = tmp_path / "flow.toml"
    file.write_text('steps = [{ ask_first = { kind = "email_otp", name = "code" } }]')
    assert Flow(ask_first(named("code", EmailOtp()))) == load_flow(file)
    file.write_text("steps = [{ ask_first = { sequence = [{ kind = 'email_otp' }] } }]")
    with pytest.raises(ConfigurationError, match=r"line 1: steps\[0\].ask_first: .* is no step"):
        load_flow(file)


def test_the_diagram_shows_what_can_be_answered_in_a_choice():
    """On the node of the choice; an answer there leads where the choice and then the answer lead."""
    drawn = collapsed(explore(FLOW))
    assert "choose c1, q1; or answer c1" in {node.label for node in drawn.nodes}
    assert {("choose_c1", "step_c1"), ("choose_c1", "step_q1")} <= {(edge.source, edge.target) for edge in drawn.edges}
    assert any("select:c1+" in edge.label for edge in full(explore(FLOW)).edges)
    asked = collapsed(explore(Flow(ask_first(quiz(1)))))
    assert ["chosen"] == [edge.label for edge in asked.edges if edge.source == "choose_q1" and edge.target == "step_q1"]


def test_the_kit_decides_after_an_answered_choice():
    """The last word says what the client says."""
    assert IssueTokens() == decision_after(FLOW, "select:c1+")
    assert Present("c1") == decision_after(FLOW, "select:c1-")


def test_two_flows_that_offer_otherwise_differ():
    """No session leads elsewhere, but the client sees it."""
    found = difference(Flow(one_of(named("s1", Quiz()), quiz(1))), Flow(one_of(named("s1", Card()), quiz(1))))
    assert ("offered", "", "s1") in {(each.what, each.old, each.new) for each in found.changes}


@pytest.mark.parametrize("word", ["select:c1~", "select:c1!", "select:nosuch+", "select:select+", "select:srp_a+"])
def test_a_word_for_an_answered_choice_names_a_step_and_a_result(word):
    """Nothing else is one."""
    with pytest.raises(ConfigurationError, match="is no round"):
        parse_session(word, FLOW.steps)
    (read,) = parse_session("select:srp_a+", ["srp_a"])
    assert ReadRound("CUSTOM_CHALLENGE", "srp_a", "offered", right=True) == read
    assert "select:srp_a+" == format_round(read)
