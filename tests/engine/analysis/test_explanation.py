"""Explanations: the decision is the interpreter's, and the reason tells what made it so."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.random_flows import APP, FOREIGN, SETTINGS, TIER, Quiz, facts, flows, walks
from kit.random_flows import Password as Prelude
from kit.sessions import judged, metadata, session
from watchword import Flow, ReadRound, Round, User, all_of, at_least, attribute, fallback, named, one_of, sequence, when
from watchword.algebra import derivative
from watchword.algebra.evaluation import SessionRequest
from watchword.algebra.session_notation import parse_session
from watchword.analysis.explanation import (
    REASON_TEXTS,
    decided_text,
    explain,
    explain_request,
    remaining_text,
)
from watchword.analysis.state_space import explore, upcoming

LOGIN = "srp_a+ password_verifier+"


def quiz(name, **settings):
    """A step."""
    return named(name, Quiz(**settings))


CODE = Flow(sequence(Prelude(), quiz("code")), name="acme")
EITHER = Flow(one_of(quiz("aa"), quiz("bb")))


def told(flow, words, **who):
    """Return the explanation of the session that *words* tell: the same for the words and for the rounds."""
    by_words = explain(flow, words, **who)
    assert by_words == explain(flow, parse_session(words, flow.steps), **who)
    return by_words


def request(rounds, *, attributes=None, client="", known=True, **said):
    """Return the turn of Define for *rounds*: (name, result, metadata)."""
    user = User("ann", attributes or {}, known)
    return SessionRequest("pool", client, user, tuple(Round(*each) for each in rounds), said)


# --- the same decision as the interpreter's -----------------------------------------------------------------------


@settings(max_examples=150)
@given(data=st.data(), flow=flows(most_steps=4), who=SETTINGS, known=st.booleans())
def test_the_decision_is_the_interpreters(data, flow, who, known):
    """For walks that go where the flow leads, told in words and told by metadata; a failure's reason begins with its word."""
    given_facts = facts(flow, who["attributes"] if known else {}, who["client"])

    def decide(words):
        return judged(words, flow, **who, known=known, facts=given_facts)

    words = data.draw(walks(flow, decide))
    decided = decide(words)
    by_words = told(flow, words, **who, known=known)
    said = {"watchword_action": "resend"} if words.endswith("~") else {}
    by_turn = explain_request(request(session(words, flow, facts=given_facts), **who, known=known, **said), [flow])
    assert decided_text(decided) == by_words.decision
    assert by_words == by_turn
    assert len(words.split()) == len(by_words.rounds)
    if decided[0] == "fail":
        assert decided[1] == by_words.code
        assert by_words.reason.startswith(f"{decided[1]}: ")
    else:
        assert "" == by_words.code


@settings(max_examples=150)
@given(
    data=st.data(),
    flow=flows(most_steps=4, conditions=False),
    choice=st.sampled_from([None, "s1", "s2", "nobody"]),
)
def test_any_rounds_are_explained_as_they_are_judged(data, flow, choice):
    """Words drawn at random, most of them nonsense; with a choice and with a user who must change the password."""
    names = [*flow.steps, "select", "srp_a", "password_verifier", "new_password_required", "sms_mfa"]
    words = data.draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from("+-")).map("".join), max_size=6))
    status = data.draw(st.sampled_from([{}, {"cognito:user_status": "FORCE_CHANGE_PASSWORD"}]))
    state = derivative.begin(flow.program, ())
    for read in parse_session(" ".join(words), flow.steps):
        state = derivative.after(state, read.name, read.step, read.use, read.right)
    expected = derivative.decide(state, choice, bool(status), True)
    explanation = told(flow, " ".join(words), attributes=status, choice=choice)
    assert (decided_text(expected), expected[1] if expected[0] == "fail" else "") == (
        explanation.decision,
        explanation.code,
    )


@settings(max_examples=100)
@given(data=st.data(), flow=flows(most_steps=3, conditions=False), foreign=st.sampled_from(FOREIGN))
def test_a_foreign_round_is_explained_as_it_is_judged(data, flow, foreign):
    """Put anywhere into a session that the flow made, it is told with its number."""
    rounds = session(data.draw(walks(flow, lambda words: judged(words, flow), lucky=True)), flow)
    place = data.draw(st.integers(0, len(rounds)))
    rounds.insert(place, foreign[1])
    decided = derivative.evaluate_session(rounds, [flow.program], {}, "", True, None, None)[0]
    explanation = explain_request(request(rounds), [flow])
    assert (decided_text(decided), decided[1]) == (explanation.decision, explanation.code)


@settings(max_examples=40)
@given(flow=flows(most_steps=3, attempts=2))
def test_every_state_can_be_explained(flow):
    """What is left, tries and resend requests are those of the interpreter, in every state that there is."""
    found = explore(flow)
    for number, state in enumerate(found.states):
        assert remaining_text(state[0], ())
        explanation = _at(flow, found, number)
        if explanation is None:
            continue
        for name, tries in explanation.tries.items():
            assert derivative.find(state[0], name)[2] == tries
            after = state
            for _ in range(explanation.resends[name]):
                after = derivative.after(after, derivative.CUSTOM, name, "resend", False)
            assert derivative.find(after[0], name)[2] == tries
            assert derivative.find(derivative.after(after, derivative.CUSTOM, name, "resend", False)[0], name) is None


def _at(flow, found, number):
    """Return the last round of an explanation that ends in the state *number*."""
    rounds, place = [], number
    while found.came_from[place] is not None:
        place, read = found.came_from[place]
        rounds.insert(0, read)
    outcomes = next(held for held, beginning in found.beginnings if beginning == place)
    who = {}
    for condition, held in zip(flow.conditions, outcomes, strict=True):
        if held and condition[0] == "client":
            who["client"] = condition[1]
        elif held:
            who["attributes"] = {condition[1]: condition[2]}
    explanation = explain(flow, rounds, **who)
    return explanation.rounds[-1] if rounds else None


# --- reasons ------------------------------------------------------------------------------------------------------


def test_every_reason_of_the_interpreter_has_its_sentence():
    """Read from its source: none is missing, and none is made up."""
    tree = ast.parse(Path(derivative.__file__).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and getattr(node.elts[0], "value", None) == "fail":
            found.add(getattr(node.elts[1], "value", None))
        elif isinstance(node, ast.FunctionDef) and node.name in {"read_session", "_mismatch"}:
            constants = {getattr(each, "value", None) for each in ast.walk(node)}
            found |= {each for each in constants if isinstance(each, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", each)}
    assert found - {None} == REASON_TEXTS.keys()


OTHER = Flow(quiz("code", level="hard"))
GOLD = Flow(sequence(when(TIER, quiz("aa")), quiz("code")))
SAID = {"watchword_action": "resend"}

# For each reason: the turn, and what must stand in its sentence.
FAILURES = {
    "tries_used_up": (CODE, request(session(f"{LOGIN} code- code- code-", CODE)), "code was not passed"),
    "broken": (CODE, request(session(f"{LOGIN} code+ code+", CODE)), "round 4 (code+): the flow was over before it"),
    "srp_required": (CODE, request([]), "without SRP_A"),
    "no_choice": (EITHER, request(session("select- select- select-", EITHER)), "watchword_choice=STEP"),
    "unknown_flow": (CODE, request(session("code-", OTHER)), "--previous"),
    "foreign_metadata": (CODE, request([("SRP_A", True, None), (derivative.CUSTOM, True, "MINE")]), "round 2 carries metadata in another form"),
    "mixed_sessions": (
        OTHER,
        request([*session("code-", OTHER), (derivative.CUSTOM, False, metadata(OTHER, "code", "answer", signin="f" * 32))]),
        "round 2 names another flow or sign-in",
    ),
    "facts_changed": (GOLD, request(session("aa+", GOLD, facts="1")), "came out as 1, now they come out as 0"),
    "too_many_rounds": (CODE, request([("SRP_A", True, None)] * 1001), "more than 1000 rounds"),
    "foreign_sign_in": (Flow(Prelude()), request(session(LOGIN, Flow(Prelude())), watchword_signin="0" * 32), "with an answer that the host judged"),
    "unknown_user": (OTHER, request(session("code+", OTHER), known=False), "no such user"),
}  # fmt: skip


@pytest.mark.parametrize("code", FAILURES)
def test_each_reason_is_told_with_what_made_it_so(code):
    """The word first, then what happened in this session."""
    flow, given_turn, words = FAILURES[code]
    explanation = explain_request(given_turn, [flow])
    assert ("fail", code) == (explanation.decision, explanation.code)
    assert explanation.reason.startswith(f"{code}: ")
    assert words in explanation.reason
    assert REASON_TEXTS[code] in explanation.reason


def test_no_reason_is_left_out_of_the_examples():
    """Each has its example above."""
    assert REASON_TEXTS.keys() == FAILURES.keys()


# Sessions that break, and why.
BREAKS = [
    (CODE, "code+", "opened without SRP_A, but every way begins with the password"),
    (CODE, "srp_a-", "never writes a false SRP_A"),
    (CODE, "srp_a+ srp_a+", "SRP_A comes only once"),
    (CODE, "srp_a+ code+", "had come to password_verifier"),
    (CODE, "srp_a+ password_verifier-", "a wrong password never comes so far"),
    (CODE, f"{LOGIN} password_verifier+", "had come to code"),
    (CODE, f"{LOGIN} select-", "no choice was to be made: the flow had come to code"),
    (CODE, f"{LOGIN} select+", "a choice is never right"),
    (CODE, f"{LOGIN} sms_mfa-", "counts only if it is true"),
    (CODE, f"{LOGIN} sms_mfa+ sms_mfa+", "adds this round once only"),
    (CODE, "srp_a+ sms_mfa+", "behind the password only"),
    (CODE, f"{LOGIN} code- new_password_required+", "behind the password only and before any step"),
    (CODE, f"{LOGIN} code+ code-", "over before it"),
    (OTHER, "srp_a+", "asks for no password: open without it, or set unwanted_srp"),
    (EITHER, "aa- bb+", "had come to aa"),
]


@pytest.mark.parametrize(("flow", "words", "why"), BREAKS, ids=[words for _, words, _ in BREAKS])
def test_a_break_is_told_by_the_round_that_broke(flow, words, why):
    """Its number, its word, and what the flow had come to; whatever comes after does not change the story."""
    number = len(words.split())
    for more in ("", f" {next(iter(flow.steps))}+"):
        explanation = told(flow, words + more)
        assert f"broken: round {number} ({words.split()[-1]}): " in explanation.reason
        assert why in explanation.reason.partition("; a round")[0]
    assert "nothing: it is broken" == explanation.rounds[-1].left


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (ReadRound("PASSKEY", "", "answer", True), "adds no round of this name"),
        (ReadRound(derivative.CUSTOM, "nosuch", "answer", True), "the flow has no step 'nosuch'"),
        (ReadRound(derivative.CUSTOM, "code", "resend", True), "it is true although the client gave no answer"),
        (ReadRound(derivative.CUSTOM, "code", "answer", None), "neither true nor false"),
        (ReadRound("SMS_MFA", "", "answer", "true"), "neither true nor false"),
    ],
)
def test_what_cannot_be_said_in_words_is_explained_too(read, why):
    """Rounds as a defect or an attacker may write them."""
    assert f"{why}; " in explain(OTHER, [read]).reason


def test_metadata_is_told_as_it_mismatches():
    """Nothing there, another form, a round before that was none: each in its own words, and the round itself is in the list."""
    none = explain_request(request([(derivative.CUSTOM, True, None)]), [OTHER])
    assert "round 1 carries no metadata" in none.reason
    lying = request([*session("code-", OTHER), (derivative.CUSTOM, False, metadata(OTHER, "code", "choice"))])
    explanation = explain_request(lying, [OTHER])
    assert "round 2 says that the round before it was 'choice'" in explanation.reason
    assert ["code-", "?"] == [each.word for each in explanation.rounds]
    assert "a custom round that this flow did not make: not true" == explanation.rounds[-1].read
    assert explanation.reason == explanation.rounds[-1].reason
    begun = explain_request(
        request([(derivative.CUSTOM, True, metadata(Flow(quiz("code")), "code", facts="1"))]), [Flow(quiz("code"))]
    )
    assert "conditions that came out as 1, which is no outcome of this flow's" in begun.reason


def test_a_session_is_explained_by_the_flow_that_it_began_under():
    """An old flow, given as previous, tells it; unknown to all, it is told to keep the old one."""
    began = request(session("code-", OTHER))
    assert "present code" == explain_request(began, [CODE, OTHER]).decision
    assert "unknown_flow" == explain_request(began, [CODE]).code


# --- why a step is presented --------------------------------------------------------------------------------------

SHORT = Flow(sequence(Prelude(), fallback(quiz("aa", attempts=1), quiz("bb"))))
PRESENTED = [
    (CODE, LOGIN, None, "it comes next after password_verifier; 3 tries are left"),
    (Flow(quiz("code", attempts=1)), "", None, "it comes next; 1 try is left"),
    (CODE, f"{LOGIN} code-", None, "code was answered wrong; 2 tries are left"),
    (CODE, f"{LOGIN} code~", None, "which costs no try; 3 tries are left"),
    (CODE, f"{LOGIN} code~ code~ code~ code-", None, "code was answered wrong; 2 tries are left"),
    (CODE, f"{LOGIN}{' code~' * 6}", None, "the tries of a step are used up, or its 5 resend requests"),
    (SHORT, f"{LOGIN} aa-", None, "aa has failed, and bb may still be passed instead; 3 tries are left"),
    (EITHER, "", "bb", "the client chose it; it could have chosen aa; 3 tries are left"),
    (EITHER, "aa~", None, "the client asked for another challenge, which costs no try; 3 tries are left"),
    (EITHER, "aa~", "bb", "the client chose it; it could have chosen aa"),
    (EITHER, "select-", None, "aa, bb may come next and client metadata watchword_choice names none of them"),
    (EITHER, "select-", None, "2 times more at most"),
    (EITHER, "select- select-", None, "1 time more at most"),
    (Flow(one_of(sequence(Prelude(), quiz("cc")), quiz("aa"), quiz("bb"))), "", None, "3 times more at most"),
    (Flow(all_of(quiz("aa"), quiz("bb"))), "aa+", None, "it comes next after aa"),
    (CODE, "srp_a+", None, "now the host checks the password"),
    (SHORT, f"{LOGIN} aa!", None, "aa could not be asked, and bb may be passed instead; 3 tries are left"),
    (CODE, f"{LOGIN} code!", None, "or it could not be asked, and no other way is left"),
    (EITHER, "aa!", None, "aa could not be asked, and bb may be passed instead; 3 tries are left"),
    (CODE, f"{LOGIN} code+", None, "in order: password_verifier, code"),
]  # fmt: skip


@pytest.mark.parametrize(("flow", "words", "choice", "why"), PRESENTED)
def test_a_decision_is_told_with_what_led_to_it(flow, words, choice, why):
    """The round before, the client's choice, the tries."""
    assert why in told(flow, words, choice=choice).reason


def test_a_choice_that_came_is_told_by_the_round_that_came_of_it():
    """In the middle of a session the next round shows what was chosen."""
    first, second = told(EITHER, "select- bb+").rounds
    assert ("present bb", "tokens") == (first.decision, second.decision)
    assert "the client chose it" in first.reason


def test_a_step_shown_last_stays_when_the_host_puts_a_round_in():
    """Between a resend and its answer the step is still the one shown."""
    flow = Flow(sequence(Prelude(), one_of(quiz("aa"), quiz("bb"))))
    explanation = told(flow, f"{LOGIN} aa~ sms_mfa+")
    assert "it was shown last and is not answered yet, and the client did not choose bb" in explanation.reason


def test_a_new_password_is_asked_for_by_the_users_status():
    """Where the status says so, and no more once it is there."""
    must = {"cognito:user_status": "RESET_REQUIRED"}
    assert "host NEW_PASSWORD_REQUIRED" == told(CODE, LOGIN, attributes=must).decision
    assert "the user's status asks for a new one" in told(CODE, LOGIN, attributes=must).reason
    assert "present code" == told(CODE, f"{LOGIN} new_password_required+", attributes=must).decision


def test_conditions_are_decided_by_who_signs_in():
    """By attribute and app client for a known user; an unknown one has no attributes."""
    flow = Flow(sequence(when(TIER, quiz("aa")), when(APP, quiz("bb")), quiz("cc")))
    gold = {"custom:tier": "gold"}
    assert "present aa" == told(flow, "", attributes=gold).decision
    assert "present bb" == told(flow, "", client="app-1").decision
    assert "present cc" == told(flow, "", attributes=gold, known=False).decision
    assert "present cc" == told(flow, "", attributes={"custom:tier": "tin"}).decision


# --- what was read and what is left -------------------------------------------------------------------------------


def test_each_round_tells_what_was_read_and_what_is_left():
    """Round by round, with the tries and the resend requests that are left."""
    rounds = told(CODE, f"{LOGIN} device_srp_auth+ code- code~ code+").rounds
    assert [
        (
            "the client opened with SRP_A, which proves nothing",
            "password_verifier, then code (3 tries, 5 requests for another one)",
        ),
        ("the host checked the password: right", "code (3 tries, 5 requests for another one)"),
        ("DEVICE_SRP_AUTH, a round of the host's own: true", "code (3 tries, 5 requests for another one)"),
        ("code, answered wrong", "code (2 tries, 5 requests for another one)"),
        ("code: the client asked for another challenge", "code (2 tries, 4 requests for another one)"),
        ("code, answered right", "nothing"),
    ] == [(each.read, each.left) for each in rounds]
    assert [{}, {"code": 3}, {"code": 3}, {"code": 2}, {"code": 2}, {}] == [each.tries for each in rounds]
    assert [{}, {"code": 5}, {"code": 5}, {"code": 5}, {"code": 4}, {}] == [each.resends for each in rounds]
    assert "the client was asked to choose" == told(EITHER, "select-").rounds[0].read
    assert "once more than a step takes" in told(CODE, f"{LOGIN}{' code~' * 6}").rounds[-1].read
    assert "not right" in told(CODE, "srp_a+ password_verifier-").rounds[-1].read
    assert "code could not be asked: its courier was down" in told(CODE, f"{LOGIN} code!").rounds[-1].read


@pytest.mark.parametrize(
    ("body", "words", "expected"),
    [
        (quiz("aa", attempts=1), "", "aa (1 try, 5 requests for another one)"),
        (quiz("aa", attempts=1), "aa-", "nothing: tries used up"),
        (sequence(quiz("aa"), quiz("bb")), "", "aa (3 tries, 5 requests for another one), then bb (3 tries, 5 requests for another one)"),
        (fallback(quiz("aa"), quiz("bb")), "", "aa (3 tries, 5 requests for another one) or, once its tries are used up, bb (3 tries, 5 requests for another one)"),
        (at_least(2, *map(quiz, ("aa", "bb", "cc"))), "", "2 of [aa (3 tries, 5 requests for another one) | bb (3 tries, 5 requests for another one) | cc (3 tries, 5 requests for another one)]"),
        (at_least(2, *map(quiz, ("aa", "bb", "cc"))), "aa-", "aa (2 tries, 5 requests for another one), then 1 of [bb (3 tries, 5 requests for another one) | cc (3 tries, 5 requests for another one)]"),
        (at_least(1, *map(quiz, ("aa", "bb"))), "aa-", "aa (2 tries, 5 requests for another one), or if that fails 1 of [bb (3 tries, 5 requests for another one)]"),
        (at_least(1, quiz("aa", attempts=1), quiz("bb")), "aa- bb-", "bb (2 tries, 5 requests for another one)"),
        (sequence(Prelude(), quiz("aa")), "", "srp_a, then password_verifier, then aa (3 tries, 5 requests for another one)"),
    ],
)  # fmt: skip
def test_what_is_left_is_told_in_words(body, words, expected):
    """Every block, at its beginning and under way."""
    flow = Flow(body)
    for read in parse_session(words, flow.steps):
        flow = flow.after(read)
    assert expected == remaining_text(flow.state[0], ())


def test_what_is_upcoming_depends_on_the_opening():
    """Before anything came, a way that begins with the password is none for a client without SRP_A."""
    flow = Flow(one_of(sequence(Prelude(), quiz("aa")), quiz("bb")))
    assert ("bb",) == upcoming(flow.state)
    assert () == upcoming(CODE.state)
    assert ("PASSWORD_VERIFIER",) == upcoming(flow.after(ReadRound.host("SRP_A")).state)


def test_long_names_are_cut():
    """Metadata and events may name anything; what is told of them is short."""
    long = "x" * 3000
    for rounds in ([(long, True, None)], session("code-", OTHER), [(derivative.CUSTOM, True, metadata(OTHER, long))]):
        explanation = explain_request(request(rounds), [OTHER])
        assert max(map(len, (explanation.reason, *(each.word for each in explanation.rounds)))) < 500


def test_too_many_rounds_in_words_are_refused_as_in_a_session():
    """The same bound, the same word."""
    rounds = [ReadRound.custom("code", right=False)] * (derivative.MAX_ROUNDS + 1)
    assert ("too_many_rounds", ()) == (explain(OTHER, rounds).code, explain(OTHER, rounds).rounds)
    assert derivative.MAX_ROUNDS == len(explain(OTHER, rounds[:-1]).rounds)


def test_an_attribute_that_no_condition_names_changes_nothing():
    """Attributes are for conditions and the status alone."""
    flow = Flow(when(attribute("custom:tier", "gold"), quiz("aa"), quiz("bb")))
    assert told(flow, "") == told(flow, "", attributes={"custom:other": "gold", "email": "x"})
