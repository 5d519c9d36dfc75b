"""What the interpreter reads of a session, and its questions about a body, each by itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.random_flows import Password, Quiz
from kit.sessions import metadata, results, session
from watchword import Flow, all_of, fallback, named, one_of, sequence
from watchword.algebra import derivative
from watchword.runtime.wire import Metadata

ONE, TWO, THREE = (named(f"s{number}", Quiz()) for number in (1, 2, 3))
FLOW = Flow(sequence(ONE, TWO))
GOOD = metadata(FLOW, "s1")


# --- metadata -----------------------------------------------------------------------------------------------------


def test_metadata_is_read_as_it_is_written():
    """The fields by name, in the order of METADATA_FIELDS."""
    fields = derivative.read_metadata(GOOD)
    assert tuple(fields) == derivative.METADATA_FIELDS
    assert fields["flow"] == FLOW.fingerprint
    assert fields["step"] == "s1"


def test_what_the_engine_writes_is_what_these_tests_speak():
    """One format: Create's own writer gives the texts of `kit.sessions.metadata`."""
    written = Metadata(FLOW.fingerprint, "", "s1", "answer", "0123456789abcdef", "c1a1", 1700000000).write()
    assert written == metadata(FLOW, "s1", "answer")


@given(
    carry=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    step=st.from_regex(r"[a-z]{2,9}", fullmatch=True),
)
def test_whatever_a_kind_carries_the_metadata_is_read(carry, step):
    """No text of a kind can put a field into the engine's own."""
    written = Metadata("f" * 16, "01", step, "-", "id", "claim", 7, carry).write()
    fields = derivative.read_metadata(written)
    assert (fields["step"], fields["signin"], fields["facts"]) == (step, "id", "01")


BAD = {
    "nothing": "",
    "no text": None,
    "bytes": GOOD.encode(),
    "a number": 1,
    "a list": [GOOD],
    "another format": metadata(FLOW, "s1", v="1"),
    "no format": metadata(FLOW, "s1", v=""),
    "no step": metadata(FLOW, ""),
    "no sign-in": metadata(FLOW, "s1", signin=""),
    "a field more": GOOD + ";more",
    "a field less": GOOD.rpartition(";")[0],
    "the format before": "v=2;flow=f;facts=;step=s1;asked=1;before=-;signin=a;claim=c;issued=1;carry=",
    "a field of the sign-in more": GOOD.replace(".", "..", 1),
    "a field of the sign-in less": GOOD.replace(".", "", 1),
    "neither asked nor unasked": metadata(FLOW, "s1", asked="2"),
    "a dot inside": metadata(FLOW, "s1", facts="0.1"),
    "another order": ";".join(reversed(GOOD.split(";"))),
    "a semicolon inside": metadata(FLOW, "s1", carry="a;b"),
    "a space in front": " " + GOOD,
    "too long": metadata(FLOW, "s1", carry="x" * derivative.MAX_METADATA),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_our_format_is_not_read(what):
    """None, never an exception and never half of it."""
    assert derivative.read_metadata(BAD[what]) is None


def test_the_longest_metadata_is_read():
    """4096 characters and not one more."""
    room = derivative.MAX_METADATA - len(GOOD)
    assert derivative.read_metadata(metadata(FLOW, "s1", carry="x" * room)) is not None
    assert derivative.read_metadata(metadata(FLOW, "s1", carry="x" * (room + 1))) is None


@given(st.one_of(st.text(), st.binary(), st.none(), st.integers(), st.lists(st.text())))
def test_no_metadata_raises(text):
    """Whatever stands there: it is read or it is not."""
    fields = derivative.read_metadata(text)
    assert fields is None or tuple(fields) == derivative.METADATA_FIELDS
    decided = derivative.evaluate_session([("CUSTOM_CHALLENGE", True, text)], [FLOW.program], {}, "", True, None, None)[
        0
    ]
    assert decided == ("fail", "foreign_metadata")


# --- sessions -----------------------------------------------------------------------------------------------------

ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=1))


@given(
    st.lists(
        st.tuples(st.one_of(st.sampled_from(["SRP_A", "CUSTOM_CHALLENGE"]), ANYTHING), ANYTHING, ANYTHING), max_size=4
    )
)
def test_no_session_raises(rounds):
    """Names, results and metadata of any type: a decision, and never tokens."""
    for flow in (FLOW, Flow(Password()), Flow(ONE, unwanted_srp="ignore")):
        assert derivative.evaluate_session(rounds, [flow.program], {}, "", True, None, None)[0][0] != "tokens"


@pytest.mark.parametrize("value", [[], {}, object(), 7, b"s2", True])
def test_no_choice_or_action_raises(value):
    """Client metadata of any type is no choice and no resend."""
    flow = Flow(one_of(ONE, TWO))
    assert derivative.evaluate_session([], [flow.program], {}, "", True, value, value)[0] == ("select", ("s1", "s2"))


def test_a_session_longer_than_any_sign_in_is_not_read():
    """1001 rounds end it whatever they are; 1000 are read, and judged."""
    rounds = session("s1~ " * (derivative.MAX_ROUNDS + 1), FLOW)
    decided, state, _, _, read, _ = derivative.evaluate_session(rounds, [FLOW.program], {}, "", True, "resend", None)
    assert decided == ("fail", "too_many_rounds")
    assert state[0] == derivative.BROKEN
    assert read == ()
    assert derivative.evaluate_session(rounds[:-1], [FLOW.program], {}, "", True, "resend", None)[0] == (
        "fail",
        "broken",
    )


def test_rounds_are_read_with_their_use():
    """A select round is a choice; what became of a round stands in the next; the last is told by this call."""
    flow = Flow(sequence(Password(), one_of(ONE, TWO)))
    words = "srp_a+ password_verifier+ select- s1~ s1- s1-"
    program, outcomes, rounds, problem = derivative.read_session(
        session(words, flow), [flow.program], {}, "", True, "resend"
    )
    assert (program, outcomes, problem) == (flow.program, (), None)
    assert [(name, step, use) for name, step, use, *_ in rounds] == [
        ("SRP_A", "", "answer"),
        ("PASSWORD_VERIFIER", "", "answer"),
        ("CUSTOM_CHALLENGE", "select", "choice"),
        ("CUSTOM_CHALLENGE", "s1", "resend"),
        ("CUSTOM_CHALLENGE", "s1", "answer"),
        ("CUSTOM_CHALLENGE", "s1", "resend"),
    ]
    assert rounds[0][4] is None
    assert derivative.read_metadata(rounds[2][4])["step"] == "select"


def test_a_round_before_one_of_the_hosts_was_answered():
    """Nobody wrote down how it ended, so it counts as a try."""
    flow = Flow(sequence(Password(), ONE))
    words = "srp_a+ password_verifier+ s1~ sms_mfa+ s1-"
    assert [
        use for _, _, use, *_ in derivative.read_session(session(words, flow), [flow.program], {}, "", True, None)[2]
    ] == ["answer"] * 5


def test_reading_stops_where_it_goes_wrong():
    """The rounds before are kept, for the audit."""
    rounds = [*session("s1-", FLOW), ("CUSTOM_CHALLENGE", True, None)]
    decided, state, _, _, read, _ = derivative.evaluate_session(rounds, [FLOW.program], {}, "", True, None, None)
    assert decided == ("fail", "foreign_metadata")
    assert state[0] == derivative.BROKEN
    assert [step for _, step, *_ in read] == ["s1"]


def test_a_session_is_told_in_the_hosts_words():
    """`kit.sessions.results` is Cognito's ChallengeResult."""
    assert results(session("srp_a+ s1-", FLOW)) == [
        {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None},
        {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": GOOD},
    ]


# --- conditions ---------------------------------------------------------------------------------------------------


def test_conditions_come_out_in_their_order():
    """And stand so in the metadata; an attribute is never that of somebody unknown."""
    conditions = (("attribute", "a", "b"), ("client", "x"), ("attribute", "a", "c"))
    assert derivative.outcomes_of(conditions, {"a": "b"}, "x", True) == (True, True, False)
    assert derivative.outcomes_of(conditions, {"a": "b"}, "x", False) == (False, True, False)
    assert derivative.outcomes_of(conditions, {}, "y", True) == (False, False, False)
    assert derivative.facts_of((True, False, True)) == "101"
    assert derivative.facts_of(()) == ""


# --- bodies -------------------------------------------------------------------------------------------------------


def after(flow, *names):
    """Return the body after wrong answers to *names*."""
    state = flow.state
    for name in names:
        state = derivative.after(state, "CUSTOM_CHALLENGE", name, "answer", False)
    return state[0]


@pytest.mark.parametrize(
    "flow",
    [
        Flow(ONE),
        FLOW,
        Flow(fallback(ONE, TWO)),
        Flow(one_of(ONE, TWO)),
        Flow(one_of(TWO, sequence(ONE, THREE))),
        Flow(all_of(TWO, ONE)),
    ],
)
def test_a_step_is_found_at_the_head(flow):
    """With the tries that are left, chosen or not; nothing else is found."""
    assert derivative.find(flow.state[0], "s1") == ("step", "s1", 3, 5)
    assert derivative.find(after(flow, "s1"), "s1") == ("step", "s1", 2, 5)
    for name in ("s9", "select", ""):
        assert derivative.find(flow.state[0], name) is None
    for end in (derivative.PASSED, derivative.FAILED, derivative.BROKEN, ("srp", 0)):
        assert derivative.find(end, "s1") is None


def test_only_the_three_ends_are_endings():
    """Passed, failed, broken."""
    assert {derivative.PASSED, derivative.FAILED, derivative.BROKEN} == set(derivative.ENDS)
    assert FLOW.state[0] not in derivative.ENDS


def test_nothing_is_left_of_a_choice_without_srp_if_every_option_needs_it():
    """No flow of blocks lowers to this; a program from elsewhere fails closed."""
    both = ("choose", 0, (("srp", 0), ("sequence", ("srp", 0), (("step", "s1", 3, 5),))), 3, None, 2)
    assert derivative.without_srp(both) is None
    assert derivative.decide((both, "refuse", derivative.CLOSED, ())) == ("fail", "srp_required")


@pytest.mark.parametrize(
    "body", [derivative.PASSED, derivative.FAILED, derivative.BROKEN, ("when", 0, ("srp", 0), ("srp", 0))]
)
def test_no_round_may_follow_an_end(body):
    """Nor come before conditions are decided."""
    for name in ("s1", "select", "SRP_A", "PASSWORD_VERIFIER"):
        for use in ("answer", "resend", "choice"):
            for right in (True, False):
                assert derivative.step_body(body, name, use, right) == derivative.BROKEN


def test_the_interpreter_imports_nothing():
    """It is shipped alone to the Lambda that only defines."""
    lines = Path(derivative.__file__).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("import ", "from "))]
