"""Rules of the interpreter, each of which a small change to the source once broke without a test that noticed."""

import json

import pytest

from kit.random_flows import Quiz
from kit.sessions import metadata
from watchword import Flow, attribute, client, named, sequence, when
from watchword.algebra import derivative
from watchword.algebra.derivative import BROKEN, FAILED, PASSED
from watchword.runtime.wire import write_metadata
from watchword_plugins.srp import Srp

A, B, C, D = (("step", name, 3, 2) for name in ("aa", "bb", "cc", "dd"))
INNER = ("choose", 0, (A, B), 2, "bb", 1)
"""A choice in which bb was presented last, two select rounds are left, and one resend request is taken."""

CHOSEN = ("chosen", 2, INNER, (C, D), 1)
"""An option of `at_least` under way, which is itself a choice."""

NESTED = {
    "itself": INNER,
    "under way in at_least": CHOSEN,
    "first of a sequence": ("sequence", INNER, (C,)),
    "first of a fallback": ("fallback", INNER, (C,)),
    "all of them": ("sequence", ("fallback", CHOSEN, (C,)), (D,)),
}


@pytest.mark.parametrize("body", NESTED.values(), ids=NESTED)
def test_a_choice_is_asked_about_wherever_it_stands(body):
    """What is next, what was shown, how many select rounds are left, how a step stands: of the choice at the head."""
    assert ("aa", "bb") == derivative.heads(body)
    assert "bb" == derivative.shown(body)
    assert 2 == derivative.asks(body)
    assert ("step", "aa", 3, 1) == derivative.find(body, "aa"), "the requests are those of the choice"
    assert derivative.find(body, "cc") is None


@pytest.mark.parametrize(
    "body", [A, ("srp", 0), PASSED, FAILED, BROKEN, ("sequence", A, (INNER,)), ("chosen", 2, A, (INNER, B), 1)]
)
def test_where_no_choice_stands_nothing_was_shown_and_nothing_is_asked(body):
    """A choice that comes later, or that is another option, does not count."""
    assert derivative.shown(body) is None
    assert 0 == derivative.asks(body)


def test_an_option_under_way_is_answered_and_not_the_others():
    """The derivative of `chosen` is that of its current option; the rest stays as it is."""
    assert ("chosen", 2, ("step", "bb", 2, 1), (C, D), 1) == derivative.step_body(CHOSEN, "bb", "answer", right=False)
    assert BROKEN == derivative.step_body(CHOSEN, "cc", "answer", right=True)


@pytest.mark.parametrize(
    ("need", "current", "rest", "left"),
    [
        (1, PASSED, (A, B), PASSED),
        (2, PASSED, (A, B), ("choose", 1, (A, B), derivative.ASKS, None, 1)),
        (3, PASSED, (A, B), ("choose", 2, (A, B), derivative.ASKS, None, 1)),
        (2, PASSED, (A,), ("step", "aa", 3, 1)),
        (2, FAILED, (A, B), ("choose", 2, (A, B), derivative.ASKS, None, 1)),
        (2, FAILED, (A,), FAILED),
        (1, FAILED, (A,), ("step", "aa", 3, 1)),
        (1, FAILED, (), FAILED),
        (2, BROKEN, (A, B), BROKEN),
        (2, A, (B, C), ("chosen", 2, A, (B, C), 1)),
    ],
)
def test_at_least_counts_what_passed(need, current, rest, left):
    """One fewer is needed after one that passed, as many after one that failed, and there must be enough left."""
    assert left == derivative._settle(need, current, rest, 1)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (("choose", 0, (("srp", 0), A, B), 3, None, 2), ("choose", 0, (A, B), 3, None, 2)),
        (("choose", 0, (("srp", 0), A), 3, None, 2), A),
        (("choose", 0, (("srp", 0),), 3, None, 2), None),
        (("choose", 2, (("srp", 0), A, B), 3, None, 2), ("choose", 2, (A, B), 3, None, 2)),
        (("choose", 3, (("srp", 0), A, B), 3, None, 2), None),
        (("sequence", ("srp", 0), (A,)), None),
        (("fallback", A, (("srp", 0),)), ("fallback", A, (("srp", 0),))),
        (A, A),
    ],
)
def test_a_client_that_opened_without_srp_takes_what_is_left(body, left):
    """Options that begin with the password are gone; a single one that is left needs no choice."""
    assert left == derivative.without_srp(body)


@pytest.mark.parametrize("options", [(("srp", 0), A), (("srp", 1), A)])
def test_the_password_is_asked_for_by_the_host_and_not_chosen(options):
    """Where a path begins with the password and the client opened with it, the host's round comes next."""
    state = (("choose", 0, options, 3, None, 2), "refuse", derivative.OPEN, ())
    assert ("host", derivative.heads(options[0])[0]) == derivative.decide(state)


@pytest.mark.parametrize("name", ["aa", "totp", "zz"])
def test_a_step_is_no_choice_whatever_its_name(name):
    """Only the step called select is a choice, not one that merely stands behind it in the alphabet."""
    flow = Flow(sequence(named(name, Quiz()), named("last", Quiz())))
    told = [(derivative.CUSTOM, True, metadata(flow, name))]
    *_, rounds, problem = derivative.read_session(told, [flow.program], {}, "", True, None)
    assert (problem, "answer") == (None, rounds[0][2])


@pytest.mark.parametrize("use", ["answer", "other", "zz"])
def test_only_a_resend_costs_no_try(use):
    """Whatever else a round was used for costs a try."""
    assert ("step", "aa", 2, 2) == derivative.step_body(A, "aa", use, right=False)
    assert ("step", "aa", 3, 1) == derivative.step_body(A, "aa", "resend", right=False)


def test_the_numbers_are_those_of_the_documents():
    """Five resend requests of a step, three select rounds; how much of a session is read."""
    assert (5, 3) == (derivative.REQUESTS, derivative.ASKS)
    assert (4096, 1000) == (derivative.MAX_METADATA, derivative.MAX_ROUNDS)


@pytest.mark.parametrize(
    ("name", "use", "right", "left"),
    [
        ("aa", "answer", True, PASSED),
        ("bb", "answer", True, BROKEN),
        ("aa", "answer", False, ("fallback", ("step", "aa", 2, 2), (B, C))),
    ],
)
def test_a_fallback_goes_on_where_its_first_part_is(name, use, right, left):
    """What the first part comes to is what the whole comes to, unless it failed."""
    assert left == derivative.step_body(("fallback", A, (B, C)), name, use, right)


def test_what_failed_makes_way_for_the_next_and_for_no_more():
    """One part after the other; the last stands alone."""
    last_try = ("step", "aa", 1, 0)
    assert ("fallback", B, (C, D)) == derivative.step_body(
        ("fallback", last_try, (B, C, D)), "aa", "answer", right=False
    )
    assert ("fallback", B, (C,)) == derivative.step_body(("fallback", last_try, (B, C)), "aa", "answer", right=False)
    assert B == derivative.step_body(("fallback", last_try, (B,)), "aa", "answer", right=False)


def test_nothing_is_chosen_where_there_is_one_way_only():
    """A select round was never presented there."""
    assert BROKEN == derivative.step_body(("choose", 0, (A,), 3, None, 2), derivative.SELECT, "choice", right=False)
    two = ("choose", 0, (A, B), 3, None, 2)
    assert ("choose", 0, (A, B), 2, None, 2) == derivative.step_body(two, derivative.SELECT, "choice", right=False)


@pytest.mark.parametrize("use", ["answer", "other", "zz"])
def test_in_a_choice_too_only_a_resend_costs_no_try(use):
    """Anything else pins the choice and costs a try."""
    assert ("step", "aa", 2, 1) == derivative.step_body(INNER, "aa", use, right=False)
    assert ("choose", 0, (A, B), 0, "aa", 0) == derivative.step_body(INNER, "aa", "resend", right=False)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (("choose", 0, (A, B), 3, None, 2), ("choose", 0, (A, B), 3, None, 1)),
        (("choose", 0, (A, B), 3, "bb", 0), ("choose", 0, (A, B), 3, "bb", 0)),
        (("sequence", A, (B,)), ("sequence", ("step", "aa", 3, 1), (B,))),
        (("fallback", A, (B,)), ("fallback", ("step", "aa", 3, 1), (B,))),
        (("step", "aa", 5, 0), ("step", "aa", 5, 0)),
        (("step", "aa", 0, 2), ("step", "aa", 0, 1)),
        (("srp", 1), ("srp", 1)),
        (CHOSEN, CHOSEN),
        (BROKEN, BROKEN),
    ],
)
def test_resends_before_a_choice_was_pinned_count_behind_it(body, left):
    """At the head of what was chosen there are no more requests than the choice had left."""
    assert left == derivative._capped(body, 1)


def other(end):
    """Return a tuple that equals *end* and is another."""
    return (*"-", *end)[1:]


def test_an_end_is_known_by_its_value():
    """In a function that was built, the tuples of a flow are not those of the interpreter."""
    assert PASSED == derivative._settle(1, other(PASSED), (A,), 1)
    assert FAILED == derivative._settle(1, other(FAILED), (), 1)
    assert BROKEN == derivative._settle(1, other(BROKEN), (A, B), 1)
    assert B == derivative._in_turn("sequence", other(PASSED), (B,))
    assert FAILED == derivative._in_turn("sequence", other(FAILED), (B,))
    assert B == derivative._in_turn("fallback", other(FAILED), (B,))
    assert PASSED == derivative._in_turn("fallback", other(PASSED), (B,))
    assert derivative.resolve(("sequence", ("when", 0, A, other(PASSED)), (B,)), (False,)) == B
    assert derivative.resolve(("sequence", ("when", 0, other(PASSED), A), (other(PASSED),)), (True,)) == PASSED
    for end, decision in ((PASSED, ("tokens",)), (FAILED, ("fail", "tries_used_up")), (BROKEN, ("fail", "broken"))):
        assert decision == derivative.decide((other(end), "refuse", derivative.OPEN, ()))
    assert (
        derivative.after((other(BROKEN), "refuse", derivative.OPEN, ()), derivative.CUSTOM, "aa", "answer", True)[0]
        == BROKEN
    )


def test_of_three_that_are_left_two_may_still_pass():
    """More than enough is enough."""
    assert ("choose", 2, (A, B, C), derivative.ASKS, None, 1) == derivative._settle(2, FAILED, (A, B, C), 1)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (("choose", 2, (("when", 0, A, B), C), 3, "cc", 1), ("choose", 2, (A, C), 3, "cc", 1)),
        (("choose", 1, (C, ("when", 1, A, B)), 2, None, 0), ("choose", 1, (C, B), 2, None, 0)),
        (("when", 1, A, ("when", 0, B, C)), B),
        (("fallback", ("when", 0, A, B), (C, D)), ("fallback", A, (C, D))),
        (("sequence", A, (("when", 1, C, PASSED), D)), ("sequence", A, (D,))),
        (("sequence", INNER, (("when", 1, C, PASSED),)), INNER),
        (("sequence", ("fallback", A, (B,)), (CHOSEN, D)), ("sequence", ("fallback", A, (B,)), (CHOSEN, D))),
        (BROKEN, BROKEN),
        (PASSED, PASSED),
        (("srp", 0), ("srp", 0)),
    ],
)
def test_conditions_are_decided_wherever_they_stand(body, left):
    """The first holds, the second does not; all else stays."""
    assert left == derivative.resolve(body, (True, False))


@pytest.mark.parametrize("phase", [derivative.CLOSED, derivative.OPEN, derivative.PROVEN, derivative.CUSTOMISED])
def test_a_new_password_is_asked_for_right_after_the_old_one_only(phase):
    """Not before it is proven, and not behind a challenge of our own."""
    due = derivative.decide((A, "refuse", phase, ()), None, True)
    assert due == (("host", derivative.NEW_PASSWORD) if phase == derivative.PROVEN else ("present", "aa"))
    assert derivative.decide((A, "refuse", phase, ()), None, False) == ("present", "aa")
    assert derivative.decide((A, "refuse", phase, ()), None, True, False) == ("present", "aa")


def fresh(value):
    """Return an equal value of which no text is the same object, as a parser gives it."""
    return json.loads(json.dumps(value))


def test_texts_are_compared_by_value():
    """Those of an event are not those of the interpreter."""
    flow = Flow(
        sequence(
            Srp(), when(attribute("custom:tier", "gold"), named("aa", Quiz())), when(client("app"), named("bb", Quiz()))
        )
    )
    user = {"custom:tier": "gold"}
    session = [[derivative.SRP_A, True, None], [derivative.PASSWORD_VERIFIER, True, None], ["SMS_MFA", True, None]]
    session += [
        [derivative.CUSTOM, True, metadata(flow, name, facts="11", before=before)]
        for name, before in (("aa", "-"), ("bb", "answer"))
    ]
    for length in range(len(session) + 1):
        given = [tuple(fresh(each)) for each in session[:length]]
        judged = derivative.evaluate_session(given, [flow.program], fresh(user), fresh("app"), True, None, None)
        assert (
            judged[0]
            == (
                ("fail", "srp_required"),
                ("host", derivative.PASSWORD_VERIFIER),
                ("present", "aa"),
                ("present", "aa"),
                ("present", "bb"),
                ("tokens",),
            )[length]
        )


def test_of_an_unknown_flow_is_told_what_one_s_own_would_be():
    """The flow itself, not one that was deployed before; the state is broken, and what the host did stays told."""
    own, before, stranger = (Flow(named(name, Quiz())) for name in ("aa", "bb", "cc"))
    told = [(derivative.CUSTOM, True, metadata(stranger, "cc"))]
    decision, state, program, _, rounds, _ = derivative.evaluate_session(
        told, [own.program, before.program], {}, "", True, None, None
    )
    assert (("fail", "unknown_flow"), own.program, ()) == (decision, program, rounds)
    assert (BROKEN, "refuse", derivative.CLOSED, ()) == state
    ignoring = Flow(sequence(Srp(), named("aa", Quiz())))
    told = [
        (derivative.SRP_A, True, None),
        (derivative.PASSWORD_VERIFIER, True, None),
        ("SMS_MFA", True, None),
        (derivative.CUSTOM, True, "?"),
    ]
    decision, state, *_ = derivative.evaluate_session(told, [ignoring.program], {}, "", True, None, None)
    assert ("fail", "foreign_metadata") == decision
    assert (BROKEN, "refuse", derivative.PROVEN, ("SMS_MFA",)) == state


def test_a_thousand_rounds_are_read_and_no_more():
    """As long as they are this flow's, whatever comes of them."""
    flow = Flow(named("aa", Quiz()))
    rounds = [
        (derivative.CUSTOM, False, metadata(flow, "aa", before="answer" if number else "-")) for number in range(1001)
    ]
    assert ("fail", "too_many_rounds") == derivative.evaluate_session(rounds, [flow.program], {}, "", True, None, None)[
        0
    ]
    assert ("fail", "tries_used_up") != derivative.evaluate_session(rounds, [flow.program], {}, "", True, None, None)[0]
    told = derivative.evaluate_session(rounds[:1000], [flow.program], {}, "", True, None, None)
    assert 1000 == len(told[4])


def test_a_step_of_any_name_may_be_chosen():
    """Also one that stands behind `select` in the alphabet."""
    late = ("step", "totp", 3, 2)
    assert PASSED == derivative.step_body(("choose", 0, (A, late), 3, None, 2), "totp", "answer", right=True)
    flow = Flow(sequence(named("totp", Quiz()), named("zz", Quiz())))
    told = [
        (derivative.CUSTOM, True, metadata(flow, "totp")),
        (derivative.CUSTOM, True, metadata(flow, "zz", before="answer")),
    ]
    assert ("tokens",) == derivative.evaluate_session(told, [flow.program], {}, "", True, None, None)[0]


def test_a_round_that_is_called_like_a_step_is_no_answer_to_it():
    """What is asked by a kind comes as a CUSTOM_CHALLENGE, and under no other name."""
    for phase in (derivative.CLOSED, derivative.OPEN, derivative.PROVEN):
        assert BROKEN == derivative.after((A, "refuse", phase, ()), "aa", "", "answer", True)[0]


@pytest.mark.parametrize(
    ("body", "unwanted", "phase", "name", "left"),
    [
        (A, "refuse", derivative.CLOSED, "SRP_A", BROKEN),
        (A, "ignore", derivative.CLOSED, "SRP_A", A),
        (A, "ignore", derivative.OPEN, "SRP_A", BROKEN),
        (A, "refuse", derivative.PROVEN, "NEW_PASSWORD_REQUIRED", A),
        (A, "refuse", derivative.CUSTOMISED, "NEW_PASSWORD_REQUIRED", BROKEN),
        (A, "refuse", derivative.CUSTOMISED, "SMS_MFA", A),
    ],
)
def test_a_round_of_the_host_is_known_by_its_name_as_a_text(body, unwanted, phase, name, left):
    """Whichever object holds it."""
    assert left == derivative.after((body, unwanted, phase, ()), fresh(name), "", "answer", True)[0]


def test_nothing_is_presumed_of_a_user():
    """Known, and with a password that stays, unless it is said otherwise."""
    assert ("present", "aa") == derivative.decide((A, "refuse", derivative.PROVEN, ()))
    assert ("tokens",) == derivative.decide((PASSED, "refuse", derivative.OPEN, ()))


def test_every_field_of_metadata_stands_there_once():
    """One too few or too many, in the sign-in's part or the round's, is not of our making."""
    text = metadata(Flow(named("aa", Quiz())), "aa")
    assert derivative.read_metadata(text) is not None
    assert text.startswith(f"{derivative.FORMAT}.")
    assert text.endswith(";")
    for odd in (
        text[:-1],
        f"{text};",
        text.removeprefix(f"{derivative.FORMAT}."),
        f"{derivative.FORMAT}.{text}",
        f";{text}",
    ):
        assert derivative.read_metadata(odd) is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"v": "2"}, "foreign_metadata"),
        ({"signin": ""}, "foreign_metadata"),
        ({"facts": "0.1"}, "foreign_metadata"),
        ({"step": ""}, "foreign_metadata"),
        ({"asked": "2"}, "foreign_metadata"),
        ({"before": "-"}, "foreign_metadata"),
        ({"flow": "0" * 16}, "mixed_sessions"),
        ({"signin": "b" * 16}, "mixed_sessions"),
        ({"facts": "1"}, "facts_changed"),
    ],
)
def test_a_later_round_is_compared_with_the_first(fields, problem):
    """Form, flow, sign-in, conditions and how the round before ended: each has its own word, and nothing comes after it."""
    flow = Flow(sequence(named("aa", Quiz()), when(attribute("custom:tier", "gold"), named("bb", Quiz()))))
    parts = derivative.read_metadata(metadata(flow, "aa", "answer", facts="0"))
    told = [(derivative.CUSTOM, False, metadata(flow, "aa", facts="0"))]
    told += [(derivative.CUSTOM, True, write_metadata({**parts, **fields}))]
    decision, state, _, _, rounds, _ = derivative.evaluate_session(told, [flow.program], {}, "", True, None, None)
    assert (("fail", problem), BROKEN, 1) == (decision, state[0], len(rounds))


@pytest.mark.parametrize("name", ["ap", "app", "apq", ""])
def test_a_client_is_the_one_that_was_named_and_no_other(name):
    """Neither before it in the alphabet nor behind it."""
    assert (name == "app",) == derivative.outcomes_of((("client", "app"),), {}, name, True)


def test_a_sign_in_begins_by_the_flow_itself():
    """Not by one that was deployed before."""
    own, before = (Flow(named(name, Quiz())) for name in ("aa", "bb"))
    for session in ([], [(derivative.SRP_A, True, None)]):
        judged = derivative.evaluate_session(session, [own.program, before.program], {}, "", True, None, None)
        assert judged[2] == own.program
    assert ("present", "aa") == derivative.evaluate_session(
        [], [own.program, before.program], {}, "", True, None, None
    )[0]
