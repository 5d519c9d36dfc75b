"""Answers that come with an access token: who is asked about it, with what, and when."""

import json
from typing import ClassVar

import pytest
from attrs import frozen

from kit.engine_host import ANN, Host, Riddle, world
from watchword import ConfigurationError, Flow, UnavailableError, User, Verdict
from watchword.algebra.flow import IssueTokens
from watchword.contract import write_token_answer
from watchword.testing import access_token, verify_request


@frozen
class Guarded(Riddle):
    """A riddle that wants a token too."""

    with_token: ClassVar[bool] = True

    def verify(self, request):
        answer = request.answer_with_token()
        return Verdict(answer is not None and request.matches(request.private.get("digest"), answer))


def begun(flow, **settings):
    here = Host(world(flow, **settings), User("ann", ANN))
    here.next()
    return here


def test_the_host_is_asked_about_this_user_in_this_pool_and_client():
    """It is the host who knows its tokens; the kind knows neither pool nor app client."""
    asked = []

    def tokens(token, *, pool, client, sub, within):
        asked.append((token, pool, client, sub))
        return 0 < within <= 3.5

    here = begun(Flow(Guarded()), tokens=tokens)
    assert here.answers(write_token_answer("T", "fish")) == IssueTokens()
    assert asked == [("T", "pool_1", "client", ANN["sub"])]


@pytest.mark.parametrize("said", [False, None, 0, "yes", 1])
def test_only_true_is_yes(said):
    """A function that answers anything else has not said that the token is good."""
    here = begun(Flow(Guarded()), tokens=lambda token, **whose: said)
    assert here.answers(write_token_answer("T", "fish")) != IssueTokens()


def test_no_token_is_asked_about_where_none_is_wanted():
    """The host learns nothing of other answers."""
    asked = []
    here = begun(Flow(Riddle()), tokens=lambda token, **whose: asked.append(token))
    here.answers(write_token_answer("T", "fish"))
    assert asked == []


def test_an_outage_costs_no_guess_and_the_same_answer_may_come_again():
    """The keys are fetched before anything is compared."""
    state = {"down": True}

    def tokens(token, **whose):
        if state["down"]:
            raise UnavailableError("the keys cannot be fetched")
        return True

    here = begun(Flow(Guarded()), tokens=tokens)
    for _ in range(10):
        with pytest.raises(UnavailableError):
            here.answers(write_token_answer("T", "fish"))
    state["down"] = False
    assert here.answers(write_token_answer("T", "fish")) == IssueTokens()


def test_a_host_without_tokens_refuses_the_flow_at_the_start():
    """Else every answer would be wrong, and nobody would know why."""
    engine = world(Flow(Guarded())).engine
    with pytest.raises(ConfigurationError, match=r"step 'riddle' come with an access token.* pass tokens="):
        engine.prepare()
    engine.prepare(verifies=False)
    engine.prepare(signs_in=False)


def test_a_host_that_knows_no_tokens_takes_no_answer():
    """One that was not prepared, and so did not refuse the flow."""
    here = begun(Flow(Guarded()))
    assert here.answers(write_token_answer("T", "fish")) != IssueTokens()


@pytest.mark.parametrize(
    "answer",
    [
        *("", "fish", "null", "[]", "{}", '"x"', "{", "[" * 5000, '{"jwt": 7, "secretCode": "fish"}'),
        *('{"jwt": "T"}', '{"secretCode": "fish"}', '{"jwt": "", "secretCode": "fish"}', "9" * 5000),
    ],
)
def test_what_is_no_such_answer_is_wrong(answer):
    """And never an exception."""
    assert verify_request(Guarded(), {}, answer).answer_with_token() is None


def test_the_kit_knows_a_token_of_each_user():
    """So that the author of a kind can test it."""
    said = write_token_answer(access_token(), "fish")
    assert verify_request(Guarded(), {}, said).answer_with_token() == "fish"
    assert json.loads(said) == {"jwt": access_token(), "secretCode": "fish"}
    assert verify_request(Riddle(), {}, said).answer_with_token() is None
