"""The example flows decide as an independent model says, over every short session list and many long ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.paths import FLOWS
from kit.sessions import SIGNIN, judged, metadata, session
from oracles.block_player import decision as played
from oracles.flow_oracles import (
    CUSTOM,
    EXAMPLES,
    MFA,
    PASSING,
    SMALL,
    SRP_A,
    VERIFIER,
    divergences,
    everywhere,
    odd_lists,
    player_divergences,
    short_lists,
    steps_of,
    tokens_after_insertion,
    written,
)
from oracles.reference_model import decision as expected
from watchword import Flow, load_flow, sequence
from watchword.algebra import derivative
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

all_examples = pytest.mark.parametrize("name", EXAMPLES)


@all_examples
def test_every_session_list_up_to_four_rounds_is_decided_as_the_model_says(name):
    """No divergence: every list up to length 4 over five names and both results, each last round answered or resent."""
    flow, plain = EXAMPLES[name]
    assert list(divergences(flow, plain, short_lists(flow, 4))) == []


@all_examples
def test_every_odd_session_list_up_to_two_rounds_is_decided_as_the_model_says(name):
    """No divergence: six results, true ones only in form among them, and metadata of ours, another step, a forger, none."""
    flow, plain = EXAMPLES[name]
    assert list(divergences(flow, plain, odd_lists(flow))) == []


LONGER = st.lists(
    st.tuples(
        st.sampled_from([CUSTOM] * 6 + [MFA, VERIFIER, SRP_A, "NEW_PASSWORD_REQUIRED", "EMAIL_OTP", "unknown"]),
        st.sampled_from([True] * 4 + [False] * 4 + [None, "true", 1]),
        st.integers(0, 3),
        st.sampled_from(["answer"] * 6 + ["resend", "resend", "-", "choice", ""]),
    ),
    max_size=12,
)


@all_examples
@given(symbols=LONGER, opened=st.booleans())
@settings(max_examples=150)
def test_longer_session_lists_are_decided_as_the_model_says(name, symbols, opened):
    """No divergence on longer lists, drawn near what the flows ask for."""
    flow, plain = EXAMPLES[name]
    rounds = [(SRP_A, True, None), (VERIFIER, True, None)] if opened else []
    for place, (round_name, result, number, before) in enumerate(symbols):
        step = ["other_step", *steps_of(flow)][number and 1 + (number - 1) % len(steps_of(flow))]
        first = not rounds or rounds[-1][0] != CUSTOM
        told = "-" if first and place % 7 else before
        rounds.append((round_name, result, metadata(flow, step, told) if round_name == CUSTOM else None))
    assert list(divergences(flow, plain, [rounds])) == []


@all_examples
def test_both_models_agree_with_each_other(name):
    """The forty lines and the player of blocks say the same, so a mistake would have to be made three times."""
    flow, plain = EXAMPLES[name]
    texts = written(flow)
    for rounds in short_lists(flow, 3):
        assert expected(plain, rounds, texts) == played(flow, rounds), rounds


def test_every_example_file_is_among_the_examples():
    """A flow that is added to the documentation gets a description for the model, and is tested.

    The model knows no conditions; the player does.
    """
    loaded = {file.stem: load_flow(file) for file in FLOWS.glob("*.toml")}
    assert {name for name, flow in loaded.items() if not flow.conditions} <= EXAMPLES.keys()
    assert PASSING.keys() == EXAMPLES.keys()


def test_the_passing_sessions_pass():
    """Each session that the tests below spoil gives tokens before it is spoilt."""
    for name, texts in PASSING.items():
        for words in texts:
            assert judged(words, EXAMPLES[name][0]) == ("tokens",), words


@pytest.mark.parametrize("name", SMALL)
def test_every_short_walk_of_the_small_flows_is_decided_as_by_the_player(name):
    """No divergence: every walk of up to three or four rounds, for anybody, with any action, and with any one thing altered."""
    assert len(list(everywhere(SMALL[name], 3))) > 4
    assert list(player_divergences(SMALL[name])) == []


# --- the guide's hand-written handlers ----------------------------------------------------------------------------

# What the handlers of the Amplify guide answer wherever their own flow can lead, read off the guide by hand.
ASK, PASSWORD, TOKENS, FAIL = "ask", "password", "tokens", "fail"
GUIDE = {
    "passwordless": (
        Flow(EmailOtp(attempts=1)),
        {"": ASK, "email_otp+": TOKENS, "email_otp-": FAIL},
    ),
    "srp first": (
        Flow(sequence(Srp(), EmailOtp(attempts=1))),
        {
            "": FAIL,
            "srp_a+": PASSWORD,
            "srp_a+ password_verifier+": ASK,
            "srp_a+ password_verifier-": FAIL,
            "srp_a+ password_verifier+ email_otp+": TOKENS,
            "srp_a+ password_verifier+ email_otp-": FAIL,
        },
    ),
    "captcha": (
        Flow(Captcha(attempts=1)),
        {"": ASK, "captcha+": TOKENS, "captcha-": FAIL},
    ),
}
# For which lists the handlers issue tokens; each entry of a list is a name and result, None is anything.
GUIDE_TOKENS = {
    "passwordless": [(CUSTOM, True)],
    "srp first": [None, None, (CUSTOM, True)],
    "captcha": [(None, True)],  # any name: this is how a bare SRP_A gets tokens there
}


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_handlers_are_matched_wherever_their_flow_leads(name):
    """With one try a step, the same decision as the hand-written handler on each list that its own flow can produce."""
    flow, table = GUIDE[name]
    step = steps_of(flow)[0]
    words = {("present", step): ASK, ("host", VERIFIER): PASSWORD, ("tokens",): TOKENS}
    for said, wanted in table.items():
        assert words.get(judged(said, flow), FAIL) == wanted, said


@pytest.mark.parametrize("name", GUIDE)
def test_nothing_is_permitted_that_the_guides_handlers_refuse(name):
    """On every list up to four rounds: tokens only where the hand-written handler issues them, too.

    The one exception is ours on purpose: an MFA round that Cognito puts in after a true password, once, is passed over.
    """
    flow, _ = GUIDE[name]
    granted = GUIDE_TOKENS[name]
    seen = []
    for rounds in short_lists(flow, 4):
        if judged(rounds, flow) != ("tokens",):
            continue
        seen.append([each[0] for each in rounds])
        names = [each[0] for each in rounds]
        if MFA in names:
            place = names.index(MFA)
            assert (VERIFIER, True, None) in rounds[:place]
            assert rounds[place][1] is True
            rounds = [*rounds[:place], *rounds[place + 1 :]]
        assert len(rounds) == len(granted)
        for (round_name, result, _), wanted in zip(rounds, granted, strict=True):
            assert wanted is None or (wanted[0] in {None, round_name} and result is wanted[1])
    prelude = [SRP_A, VERIFIER]
    with_mfa = [[*prelude, CUSTOM], [*prelude, MFA, CUSTOM], [*prelude, CUSTOM, MFA]]
    assert seen == (with_mfa if name == "srp first" else [[CUSTOM]])


def test_a_bare_srp_a_gets_no_tokens_where_the_guides_captcha_handler_gives_them():
    """`[{SRP_A, true}]` proves nothing: Cognito writes it before any password is checked."""
    flow, _ = GUIDE["captcha"]
    assert judged("srp_a+", flow) == ("fail", "broken")


# --- one foreign round --------------------------------------------------------------------------------------------


@all_examples
def test_one_foreign_round_anywhere_never_gives_tokens(name):
    """A round that the flow did not ask for, put anywhere into any passing session, ends the sign-in."""
    flow, _ = EXAMPLES[name]
    for words in PASSING[name]:
        assert list(tokens_after_insertion(flow, words)) == [], words


@pytest.mark.parametrize("mfa", derivative.HOSTED)
def test_each_mfa_round_is_allowed_once_after_a_true_password(mfa):
    """Cognito puts MFA in by itself after PASSWORD_VERIFIER: once each, true, anywhere behind it, and never before."""
    flow, _ = EXAMPLES["acme"]
    rounds = session("srp_a+ password_verifier+ captcha- captcha+ email_otp+", flow)
    for place in range(len(rounds) + 1):
        changed = [*rounds[:place], (mfa, True, None), *rounds[place:]]
        if 2 <= place < len(rounds):
            step = derivative.read_metadata(rounds[place][2])["step"]
            changed[place + 1] = (*rounds[place][:2], metadata(flow, step, "-"))
        decided = judged(changed, flow)
        assert (decided == ("tokens",)) == (place >= 2), place
        again = [*changed, (mfa, True, None)]
        assert judged(again, flow)[0] == "fail"


def test_every_mfa_round_may_follow_the_same_password():
    """Once each, not once in all."""
    flow, _ = EXAMPLES["password alone, or code"]
    words = "srp_a+ password_verifier+ sms_mfa+ software_token_mfa+ host_email_otp+ device_srp_auth+ device_password_verifier+"
    assert judged(words, flow) == ("tokens",)


def test_a_new_password_is_allowed_once_and_before_the_flows_own_steps_only():
    """NEW_PASSWORD_REQUIRED stands between the password and the first custom round, once."""
    flow, _ = EXAMPLES["srp_then_code"]
    prelude = "srp_a+ password_verifier+ "
    assert judged(prelude + "new_password_required+ email_otp+", flow) == ("tokens",)
    assert judged(prelude + "sms_mfa+ new_password_required+ email_otp+", flow) == ("tokens",)
    assert judged(prelude + "new_password_required+ new_password_required+ email_otp+", flow)[0] == "fail"
    assert judged(prelude + "new_password_required- email_otp+", flow)[0] == "fail"
    assert judged(prelude + "email_otp- new_password_required+ email_otp+", flow)[0] == "fail"
    assert judged(prelude + "email_otp+ new_password_required+", flow)[0] == "fail"


def test_the_sign_in_id_stands_for_one_sign_in():
    """A whole session of another sign-in is as good as ours; a mixture of two never is."""
    flow, _ = EXAMPLES["email_code"]
    mine, yours = SIGNIN, "e" * 16
    assert judged(session("email_otp- email_otp+", flow, signin=yours), flow) == ("tokens",)
    first, second = session("email_otp- email_otp+", flow, signin=mine)
    other = session("email_otp- email_otp+", flow, signin=yours)
    assert judged([other[0], second], flow) == ("fail", "mixed_sessions")
    assert judged([first, other[1]], flow) == ("fail", "mixed_sessions")
