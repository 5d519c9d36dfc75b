"""Rules of the interpreter, each of which a small change to the source once broke without a test that noticed."""

import pytest

from random_flows import Quiz
from speech import metadata
from watchword import Flow, derive, named, sequence
from watchword.derive import BROKEN, FAILED, PASSED

A, B, C, D = (("step", name, 3, 2) for name in ("aa", "bb", "cc", "dd"))
INNER = ("choose", 0, (A, B), 2, "bb", 1)
"""A choice in which bb was presented last, two select rounds are left, and one resend is excused."""

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
    assert ("aa", "bb") == derive.heads(body)
    assert "bb" == derive.shown(body)
    assert 2 == derive.asks(body)
    assert A == derive.find(body, "aa")
    assert derive.find(body, "cc") is None


@pytest.mark.parametrize(
    "body", [A, ("srp", 0), PASSED, FAILED, BROKEN, ("sequence", A, (INNER,)), ("chosen", 2, A, (INNER, B), 1)]
)
def test_where_no_choice_stands_nothing_was_shown_and_nothing_is_asked(body):
    """A choice that comes later, or that is another option, does not count."""
    assert derive.shown(body) is None
    assert 0 == derive.asks(body)


def test_an_option_under_way_is_answered_and_not_the_others():
    """The derivative of `chosen` is that of its current option; the rest stays as it is."""
    assert ("chosen", 2, ("step", "bb", 2, 1), (C, D), 1) == derive.step_body(CHOSEN, "bb", "answer", right=False)
    assert BROKEN == derive.step_body(CHOSEN, "cc", "answer", right=True)


@pytest.mark.parametrize(
    ("need", "current", "rest", "left"),
    [
        (1, PASSED, (A, B), PASSED),
        (2, PASSED, (A, B), ("choose", 1, (A, B), derive.ASKS, None, 1)),
        (3, PASSED, (A, B), ("choose", 2, (A, B), derive.ASKS, None, 1)),
        (2, PASSED, (A,), ("step", "aa", 3, 1)),
        (2, FAILED, (A, B), ("choose", 2, (A, B), derive.ASKS, None, 1)),
        (2, FAILED, (A,), FAILED),
        (1, FAILED, (A,), ("step", "aa", 3, 1)),
        (1, FAILED, (), FAILED),
        (2, BROKEN, (A, B), BROKEN),
        (2, A, (B, C), ("chosen", 2, A, (B, C), 1)),
    ],
)
def test_at_least_counts_what_passed(need, current, rest, left):
    """One fewer is needed after one that passed, as many after one that failed, and there must be enough left."""
    assert left == derive._settle(need, current, rest, 1)


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
    assert left == derive.without_srp(body)


@pytest.mark.parametrize("options", [(("srp", 0), A), (("srp", 1), A)])
def test_the_password_is_asked_for_by_the_host_and_not_chosen(options):
    """Where a path begins with the password and the client opened with it, the host's round comes next."""
    state = (("choose", 0, options, 3, None, 2), "refuse", derive.OPEN, ())
    assert ("host", derive.heads(options[0])[0]) == derive.decide(state)


@pytest.mark.parametrize("name", ["aa", "totp", "zz"])
def test_a_step_is_no_choice_whatever_its_name(name):
    """Only the step called select is a choice, not one that merely stands behind it in the alphabet."""
    flow = Flow(sequence(named(name, Quiz()), named("last", Quiz())))
    told = [(derive.CUSTOM, True, metadata(flow, name))]
    *_, rounds, problem = derive.read(told, [flow.program], {}, "", True, None)
    assert (problem, "answer") == (None, rounds[0][2])


@pytest.mark.parametrize("use", ["answer", "other", "zz"])
def test_only_a_resend_is_excused(use):
    """Whatever else a round was used for costs a try."""
    assert ("step", "aa", 2, 2) == derive.step_body(A, "aa", use, right=False)
    assert ("step", "aa", 3, 1) == derive.step_body(A, "aa", "resend", right=False)
