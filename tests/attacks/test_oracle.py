"""No divergence from the reference model: every session of 270 symbols up to two rounds, and a hundred thousand longer ones.

A symbol is a name (the seven of Cognito's guide, one that came later, one that nobody knows), a result (true, false, null, a text, a
number, none at all) and metadata (ours, another step's, another flow's, forged, none): nine times six times five. The model has no
code in common with the engine.
"""

import random
from itertools import product

import pytest

from kit.sessions import metadata
from oracles.flow_oracles import CUSTOM, EXAMPLES, MISSING, OTHER, divergences, read_event, steps_of

pytestmark = pytest.mark.exhaustive

NAMES = (
    *("SRP_A", "PASSWORD_VERIFIER", CUSTOM, "SMS_MFA", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"),
    *("ADMIN_NO_SRP_AUTH", "EMAIL_OTP", "nothing that is known"),
)
RESULTS = (True, False, None, "true", 1, MISSING)
WHOSE = ("ours", "another step's", "another flow's", "forged", "none")
SYMBOLS = list(product(NAMES, RESULTS, WHOSE))
LIKELY = [("SRP_A", True, "none"), ("PASSWORD_VERIFIER", True, "none"), ("SMS_MFA", True, "none")]
LIKELY += [(CUSTOM, result, "ours") for result in (True, False)] * 3
LONGER = 100_000 // len(EXAMPLES) + 1


def told(flow, step, whose, before):
    """The metadata that *whose* says."""
    return {
        "ours": metadata(flow, step, before),
        "another step's": metadata(flow, "other_step", before),
        "another flow's": metadata(OTHER, step, before),
        "forged": "email_otp",
        "none": None,
    }[whose]


def session_of(flow, symbols, draw=None):
    """The session of some symbols; ours tells how the round before ended, and names the step that *draw* gives."""
    rounds = []
    for name, result, whose in symbols:
        before = "answer" if rounds and rounds[-1][0] == CUSTOM else "-"
        step = draw.choice(steps_of(flow)) if draw else steps_of(flow)[-1]
        if draw and before == "answer" and draw.random() < 0.2:
            before = "resend"
        event = {
            "challengeName": name,
            "challengeResult": result,
            "challengeMetadata": told(flow, step, whose, before),
        }
        rounds.append(read_event(event))
    return rounds


def test_there_are_as_many_as_are_promised():
    """270 symbols, 73,171 sessions."""
    assert 270 == len(SYMBOLS)
    assert 73_171 == 1 + 270 + 270**2
    assert 100_000 <= LONGER * len(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_session_up_to_two_rounds_is_decided_as_the_model_says(name):
    """All 73,171, each with and without a wish for a resend."""
    flow, plain = EXAMPLES[name]
    sessions = (session_of(flow, symbols) for length in range(3) for symbols in product(SYMBOLS, repeat=length))

    assert [] == list(divergences(flow, plain, sessions))


@pytest.mark.parametrize("name", EXAMPLES)
def test_longer_sessions_are_decided_as_the_model_says(name):
    """Three to nine rounds: nine in ten symbols drawn near what flows ask for, the rest from all of them."""
    flow, plain = EXAMPLES[name]
    draw = random.Random(f"oracle {name}")

    def one():
        symbols = [draw.choice(LIKELY if draw.random() < 0.9 else SYMBOLS) for _ in range(draw.randint(3, 9))]
        if draw.random() < 0.5:
            symbols[:2] = LIKELY[:2]
        return session_of(flow, symbols, draw)

    assert [] == list(divergences(flow, plain, (one() for _ in range(LONGER))))
