"""The example flows decide as an independent model says, over every short session list and many long ones."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from block_player import decision as played
from random_flows import FOREIGN
from reference_model import decision as expected
from speech import SIGNIN, judged, metadata, session
from watchword import Flow, derive, one_of, sequence
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

CUSTOM, SRP_A, VERIFIER, MFA = "CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", "SMS_MFA"
NAMES = (SRP_A, VERIFIER, CUSTOM, MFA, "unknown")
MISSING = object()

EXAMPLES = {
    "email code": (Flow(EmailOtp()), {"plain": [("email_otp", 3)]}),
    "srp then code": (Flow(sequence(Srp(), EmailOtp(length=6))), {"srp": [("email_otp", 3)]}),
    "captcha only": (Flow(Captcha(attempts=2)), {"plain": [("captcha", 2)]}),
    "password or code": (Flow(one_of(Srp(), EmailOtp())), {"srp": [], "plain": [("email_otp", 3)]}),
    "password and captcha, or code": (
        Flow(one_of(sequence(Srp(), Captcha()), EmailOtp())),
        {"srp": [("captcha", 3)], "plain": [("email_otp", 3)]},
    ),
    "acme": (
        Flow(sequence(Srp(), Captcha(attempts=2), EmailOtp(attempts=3)), name="acme"),
        {"srp": [("captcha", 2), ("email_otp", 3)]},
    ),
}
OTHER = Flow(sequence(Srp(), EmailOtp(length=12)))

PASSING = {
    "email code": ["email_otp+", "email_otp- email_otp~ email_otp- email_otp~ email_otp+"],
    "srp then code": [
        "srp_a+ password_verifier+ email_otp+",
        "srp_a+ password_verifier+ sms_mfa+ email_otp- email_otp~ email_otp+",
        "srp_a+ password_verifier+ new_password_required+ email_otp+",
    ],
    "captcha only": ["captcha+", "captcha- captcha+", "captcha~ captcha~ captcha- captcha+"],
    "password or code": ["srp_a+ password_verifier+", "email_otp+", "email_otp- email_otp- email_otp+"],
    "password and captcha, or code": ["srp_a+ password_verifier+ captcha- captcha+", "email_otp~ email_otp+"],
    "acme": [
        "srp_a+ password_verifier+ captcha+ email_otp+",
        "srp_a+ password_verifier+ software_token_mfa+ captcha- captcha~ captcha+ email_otp- email_otp- email_otp+",
    ],
}

all_examples = pytest.mark.parametrize("name", EXAMPLES)


def steps_of(flow):
    """Return the names of the steps."""
    return list(flow.steps)


def written(flow):
    """Return what Create could have written, as the model wants it."""
    return {
        metadata(flow, step, before): (step, before) for step in steps_of(flow) for before in ("-", "answer", "resend")
    }


def without_reason(decided):
    """Drop the operator's word from a decision."""
    return ("fail",) if decided[0] == "fail" else decided


def chained(flow, symbols):
    """Turn (name, result, step) into rounds with our metadata, each telling how the one before ended."""
    rounds = []
    for name, result, step in symbols:
        after_custom = rounds and rounds[-1][0] == CUSTOM
        rounds.append((name, result, metadata(flow, step, "answer" if after_custom else "-") if step else None))
    return rounds


def divergences(flow, plain, lists, interpreter=derive):
    """Yield the session lists on which *interpreter* and the model decide otherwise."""
    texts = written(flow)
    for rounds in lists:
        for action in (None, "resend"):
            decided = interpreter.judge(rounds, [flow.program], {}, "", True, action, None)[0]
            wanted = expected(plain, rounds, texts, resend=action == "resend")
            if without_reason(decided) != wanted:
                yield rounds, action, wanted, decided


def short_lists(flow, most):
    """Yield every session up to *most* rounds with true and false results and our own metadata of each step."""
    symbols = [(name, result, "") for name in NAMES if name != CUSTOM for result in (True, False)]
    symbols += [(CUSTOM, result, step) for step in steps_of(flow) for result in (True, False)]
    for length in range(most + 1):
        for chosen in product(symbols, repeat=length):
            yield chained(flow, chosen)


def odd_lists(flow):
    """Yield every session up to two rounds with odd results and metadata."""
    step = steps_of(flow)[-1]
    texts = [
        metadata(flow, step),
        metadata(flow, "other_step"),
        metadata(OTHER, step),
        None,
    ]
    later = [metadata(flow, step, "answer"), metadata(flow, step, "resend"), *texts[1:]]
    events = []
    for options in (texts, later):
        rounds = [
            {"challengeName": name, "challengeResult": result, "challengeMetadata": text}
            for name, result, text in product(NAMES, (True, False, None, MISSING, "true", 1), options)
        ]
        events.append([read_event(event) for event in rounds])
    yield from ([each] for each in events[0])
    yield from map(list, product(events[0], {*events[0], *events[1]}))


def read_event(event):
    """Return a round as the host's event tells it: a missing result reads as null."""
    event = {key: value for key, value in event.items() if value is not MISSING}
    return (event.get("challengeName"), event.get("challengeResult"), event.get("challengeMetadata"))


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


def test_the_passing_sessions_pass():
    """Each session that the tests below spoil gives tokens before it is spoilt."""
    for name, texts in PASSING.items():
        for words in texts:
            assert judged(words, EXAMPLES[name][0]) == ("tokens",), words


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


def foreign_rounds(flow, rounds, place):
    """Yield rounds that do not belong at *place* of a session of *flow*, each with a name for it."""
    yield from FOREIGN
    before = "answer" if place and rounds[place - 1][0] == CUSTOM else "-"
    verified = any(name == VERIFIER for name, _, _ in rounds[:place])
    for name in (SRP_A, VERIFIER):
        yield f"another {name}", (name, True, None)
    for name in (*derive.HOSTED, "NEW_PASSWORD_REQUIRED"):
        yield f"{name} false", (name, False, None)
        if not verified or any(each == name for each, _, _ in rounds):
            yield f"{name} where it cannot stand", (name, True, None)
    expected_step = judged(rounds[:place], flow)[1:]
    for step in (*steps_of(flow), "other_step", "select", SRP_A, VERIFIER):
        if step not in expected_step:
            yield f"{step} out of turn", (CUSTOM, True, metadata(flow, step, before))
    for step in steps_of(flow):
        good = metadata(flow, step, before)
        yield "another flow's", (CUSTOM, True, metadata(OTHER, step, before))
        yield "another sign-in's", (CUSTOM, True, metadata(flow, step, before, signin="f" * 16))
        yield "changed facts", (CUSTOM, True, metadata(flow, step, before, facts="1"))
        yield "another format's", (CUSTOM, True, metadata(flow, step, before, v="2"))
        yield "cut short", (CUSTOM, True, good.rpartition(";")[0])
        yield "too long", (CUSTOM, True, good + ";x=1")
        yield "in another order", (CUSTOM, True, ";".join(reversed(good.split(";"))))
        yield "in capitals", (CUSTOM, True, good.upper())
        yield "result in words", (CUSTOM, "true", good)
        yield "result a number", (CUSTOM, 1, good)
        yield "result null", (CUSTOM, None, good)


def insertions(flow, rounds):
    """Yield *rounds* with one foreign round put in: as it is, and with the next round's metadata made to fit."""
    for place in range(len(rounds) + 1):
        for what, foreign in foreign_rounds(flow, rounds, place):
            yield f"{what} at {place}", [*rounds[:place], foreign, *rounds[place:]]
            if place < len(rounds) and rounds[place][0] == CUSTOM:
                step = derive.read_metadata(rounds[place][2])["step"]
                before = "answer" if foreign[0] == CUSTOM else "-"
                fitted = (*rounds[place][:2], metadata(flow, step, before))
                yield f"{what} at {place}, fitted", [*rounds[:place], foreign, fitted, *rounds[place + 1 :]]


def tokens_after_insertion(flow, words, interpreter=derive):
    """Yield the foreign rounds after which *interpreter* still issues tokens."""
    for what, rounds in insertions(flow, session(words, flow)):
        for action in (None, "resend"):
            if interpreter.judge(rounds, [flow.program], {}, "", True, action, None)[0] == ("tokens",):
                yield what


@all_examples
def test_one_foreign_round_anywhere_never_gives_tokens(name):
    """A round that the flow did not ask for, put anywhere into any passing session, ends the sign-in."""
    flow, _ = EXAMPLES[name]
    for words in PASSING[name]:
        assert list(tokens_after_insertion(flow, words)) == [], words


@pytest.mark.parametrize("mfa", derive.HOSTED)
def test_each_mfa_round_is_allowed_once_after_a_true_password(mfa):
    """Cognito puts MFA in by itself after PASSWORD_VERIFIER: once each, true, anywhere behind it, and never before."""
    flow, _ = EXAMPLES["acme"]
    rounds = session("srp_a+ password_verifier+ captcha- captcha+ email_otp+", flow)
    for place in range(len(rounds) + 1):
        changed = [*rounds[:place], (mfa, True, None), *rounds[place:]]
        if 2 <= place < len(rounds):
            step = derive.read_metadata(rounds[place][2])["step"]
            changed[place + 1] = (*rounds[place][:2], metadata(flow, step, "-"))
        decided = judged(changed, flow)
        assert (decided == ("tokens",)) == (place >= 2), place
        again = [*changed, (mfa, True, None)]
        assert judged(again, flow)[0] == "fail"


def test_every_mfa_round_may_follow_the_same_password():
    """Once each, not once in all."""
    flow, _ = EXAMPLES["password or code"]
    words = (
        "srp_a+ password_verifier+ sms_mfa+ software_token_mfa+ email_mfa+ device_srp_auth+ device_password_verifier+"
    )
    assert judged(words, flow) == ("tokens",)


def test_a_new_password_is_allowed_once_and_before_the_flows_own_steps_only():
    """NEW_PASSWORD_REQUIRED stands between the password and the first custom round, once."""
    flow, _ = EXAMPLES["srp then code"]
    prelude = "srp_a+ password_verifier+ "
    assert judged(prelude + "new_password_required+ email_otp+", flow) == ("tokens",)
    assert judged(prelude + "sms_mfa+ new_password_required+ email_otp+", flow) == ("tokens",)
    assert judged(prelude + "new_password_required+ new_password_required+ email_otp+", flow)[0] == "fail"
    assert judged(prelude + "new_password_required- email_otp+", flow)[0] == "fail"
    assert judged(prelude + "email_otp- new_password_required+ email_otp+", flow)[0] == "fail"
    assert judged(prelude + "email_otp+ new_password_required+", flow)[0] == "fail"


def test_the_sign_in_id_stands_for_one_sign_in():
    """A whole session of another sign-in is as good as ours; a mixture of two never is."""
    flow, _ = EXAMPLES["email code"]
    mine, yours = SIGNIN, "e" * 16
    assert judged(session("email_otp- email_otp+", flow, signin=yours), flow) == ("tokens",)
    first, second = session("email_otp- email_otp+", flow, signin=mine)
    other = session("email_otp- email_otp+", flow, signin=yours)
    assert judged([other[0], second], flow) == ("fail", "mixed_sessions")
    assert judged([first, other[1]], flow) == ("fail", "mixed_sessions")
