"""Whatever a client says in the dialect, tokens come for what the flow wants, and for nothing else: all short sign-ins are tried."""

import pytest

from kit.broken_code import broken
from kit.passwordless_moves import FLOWS, MOVES, goes_on_after_an_end, is_deserved, moves_of, played
from watchword_adapters.dialects import passwordless, passwordless_words

pytestmark = pytest.mark.exhaustive


def is_wrong(name, moves):
    """Say whether what *moves* end with is not what they deserve, either way, or went on behind an end."""
    tokens, rounds = played(FLOWS[name][0], moves)
    return (bool(rounds) and is_deserved(rounds[-1])) != tokens or goes_on_after_an_end(rounds), tokens


@pytest.mark.parametrize("name", FLOWS)
def test_tokens_come_for_a_right_answer_to_what_is_asked(name):
    """Both ways: whoever deserves them gets them, and nobody else."""
    ends = {True: 0, False: 0}
    for moves in moves_of(name):
        wrong, tokens = is_wrong(name, moves)
        assert not wrong, moves
        ends[tokens] += 1

    assert min(ends.values()) > 0


@pytest.mark.parametrize("name", FLOWS)
def test_nobody_gets_tokens_for_a_name_that_nobody_has(name):
    """Also not for the answers that would be right."""
    for move in MOVES[::3]:
        flow, _ = FLOWS[name]
        assert (False, False) == (played(flow, (move,), {})[0], played(flow, (move, move), {})[0])


TWINS = {
    "a request is an answer": (passwordless_words.is_answer, 'metadata.get(HAS_LINK) == "yes"', "True", "all"),
    "a link is only chosen": (passwordless_words.is_answer, 'metadata.get(HAS_LINK) == "yes"', "False", "all"),
    "whatever was asked, the method is right": (
        passwordless.Passwordless.answer_request,
        'if step is None or asked["step"] not in {derivative.SELECT, step}:',
        "if step is None:",
        "all",
    ),
    "a method that is not there is another's": (
        passwordless.Passwordless.answer_request,
        'if step is None or asked["step"] not in {derivative.SELECT, step}:',
        "if False:",
        "alone",
    ),
    "the client's own words count beside its method": (
        passwordless.Passwordless.session_request,
        "if heard is None:",
        "if heard is None or request.client_metadata.get(ACTION):",
        "all",
    ),
    "a wrong answer is asked for again": (
        passwordless.Passwordless.decision,
        "return FailAuthentication(NO_SECOND_ROUND) if over else decision",
        "return decision",
        "all",
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_a_vulnerable_twin_is_caught(twin):
    """By one of those sign-ins at least."""
    function, old, new, name = TWINS[twin]
    with broken(function, old, new):
        assert any(is_wrong(name, moves)[0] for moves in moves_of(name)), twin
