"""Whatever a client says in the dialect, tokens come for what the flow wants, and for nothing else: all short sign-ins are tried."""

from itertools import product

import pytest

from kit.engine_host import ANN, Mail, Post
from kit.hosts import triggers_of
from kit.passkeys import StandIn, assertion
from kit.passwordless_client import Client, challenge_in
from watchword import Flow, one_of
from watchword.testing.time import VirtualClock

pytestmark = pytest.mark.exhaustive

FLOWS = {"alone": Flow(StandIn()), "choice": Flow(one_of(Mail(), StandIn()))}
METHODS = ("FIDO2", "MAGIC_LINK", "SMS_OTP_STEPUP", "ANOTHER", None)
CHOICES = ("passkey", "mail", None)
ACTIONS = ("answer", "resend", None)
ANSWERS = ("right passkey", "another's passkey", "right code", "nothing")
MOVES = tuple(product(METHODS, CHOICES, ACTIONS, ANSWERS))


def played(flow, moves, user=ANN):
    """Whether *moves* end with tokens, and the rounds: what was asked, what was answered, and what Verify said."""
    post = Post()
    client = Client(triggers_of(flow, dialect="passwordless", courier=post, clock=VirtualClock()), user)
    public = client.begin()
    challenge, rounds = challenge_in(public), []
    for method, choice, action, answer in moves:
        said = {"signInMethod": method, "watchword_choice": choice, "watchword_action": action}
        texts = {
            "right passkey": assertion(challenge),
            "another's passkey": assertion(challenge, signed_by="bob"),
            "right code": post.sent[-1].text if post.sent else "00000000",
            "nothing": "",
        }
        asked = client.created["publicChallengeParameters"]
        try:
            public = client.answer(texts[answer], {name: value for name, value in said.items() if value})
        except Exception:  # noqa: BLE001 - the sign-in ends by an error, in whatever words
            return False, rounds
        rounds.append((asked["step"], method, choice, action, answer, client.session[-1]["challengeResult"]))
        if not isinstance(public, dict):
            return public == "tokens", rounds
    return False, rounds


def is_deserved(asked_round):
    """Say whether this round, as the last one, is what the flow wants: a right answer to what was asked, not taken back."""
    step, method, choice, action, answer, right = asked_round
    if not right:
        return False
    if answer == "right code":
        return step == "mail" and (method == "FIDO2" or (method is None and action != "resend"))
    offered = method == "FIDO2" or (method is None and action == "answer" and choice == "passkey")
    asked = step == "passkey" and (method == "FIDO2" or (method is None and action != "resend"))
    return answer == "right passkey" and (asked or (step == "select" and offered))


@pytest.mark.parametrize("name", FLOWS)
def test_tokens_come_for_a_right_answer_to_what_is_asked(name):
    """Of all sign-ins of one round, and each seventh of two. Both ways: whoever deserves them gets them, and nobody else."""
    ends = {True: 0, False: 0}
    for moves in (*((move,) for move in MOVES), *product(MOVES[::7], MOVES)):
        tokens, rounds = played(FLOWS[name], moves)
        deserved = bool(rounds) and is_deserved(rounds[-1])
        assert deserved == tokens, rounds
        ends[tokens] += 1

    assert min(ends.values()) > 0


@pytest.mark.parametrize("name", FLOWS)
def test_nobody_gets_tokens_for_a_name_that_nobody_has(name):
    """Also not for the answers that would be right."""
    for move in MOVES:
        assert (False, False) == (played(FLOWS[name], (move,), {})[0], played(FLOWS[name], (move, move), {})[0])
