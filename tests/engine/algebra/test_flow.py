"""A flow is an immutable value: its settings, fingerprint, walk by `after` and `decide`, and the words for decisions."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve, frozen
from attrs.exceptions import FrozenInstanceError

from kit.paths import TESTS
from kit.random_flows import APP, TIER, Password, Quiz
from watchword import (
    ConfigurationError,
    FailAuthentication,
    Flow,
    IssueTokens,
    Limits,
    Present,
    ReadRound,
    all_of,
    at_least,
    attribute,
    check,
    client,
    explore,
    fallback,
    load_flow,
    named,
    one_of,
    sequence,
    when,
)
from watchword.algebra import derivative
from watchword.algebra.flow import decision_of, decision_text, expect_flows
from watchword_plugins.email_otp import EmailOtp

ONE, TWO, THREE = (named(f"s{number}", Quiz()) for number in (1, 2, 3))


def right(step):
    """Return the round of a right answer."""
    return ReadRound.custom(step, right=True)


def wrong(step):
    """Return the round of a wrong answer."""
    return ReadRound.custom(step, right=False)


# --- settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["deny", "", None, True, ["ignore"], "Ignore"], ids=repr)
def test_unwanted_srp_is_refuse_or_ignore(value):
    """Anything else is refused when the flow is built."""
    with pytest.raises(ConfigurationError, match=r"unwanted_srp is .*'refuse' or 'ignore'"):
        Flow(ONE, unwanted_srp=value)


@pytest.mark.parametrize("value", ["", "x" * 65, "two\nlines", 7, None, "nul\0"], ids=repr)
def test_a_flows_name_is_short_and_printable(value):
    """It stands in audit events."""
    with pytest.raises(ConfigurationError, match=r"flow's name is .*1 to 64 printable"):
        Flow(ONE, name=value)


@pytest.mark.parametrize("value", ["10/day", None, {"guesses": "10/day"}], ids=repr)
def test_limits_are_limits(value):
    """A text is no budget of a flow."""
    with pytest.raises(ConfigurationError, match=r"limits is .*Limits\(guesses="):
        Flow(ONE, limits=value)


def test_a_flow_takes_any_block_and_names_what_is_none():
    """A flow of one step needs no sequence."""
    assert Flow(Quiz()).decide() == Present("quiz")
    with pytest.raises(ConfigurationError, match="Flow: Quiz is a class"):
        Flow(Quiz)
    with pytest.raises(ConfigurationError, match="Flow: 'captcha' is no block"):
        Flow("captcha")


def test_a_flow_cannot_be_changed():
    """A value, and no field of it can be set."""
    flow = Flow(ONE)
    with pytest.raises(FrozenInstanceError):
        flow.name = "other"


def test_a_missing_file_is_refused(tmp_path: Path):
    """`load` is the TOML reader's; what is no flow raises ConfigurationError."""
    with pytest.raises(ConfigurationError):
        load_flow(tmp_path / "missing.toml")


# --- the walk -----------------------------------------------------------------------------------------------------


def test_a_walk_leaves_the_flow_itself_as_it_was():
    """`after` returns another value."""
    flow = Flow(sequence(ONE, TWO))
    later = flow.after(right("s1"))
    assert later.decide() == Present("s2")
    assert flow.decide() == Present("s1")
    assert later != flow
    assert flow == Flow(sequence(ONE, TWO))
    assert later == flow.after(right("s1"))
    assert later.fingerprint == flow.fingerprint


def test_every_decision_has_its_value():
    """Present for a step, a choice or a host round; tokens; failure with a reason."""
    flow = Flow(one_of(ONE, TWO))
    assert flow.decide() == Present("select", choices=("s1", "s2"))
    assert flow.decide("s2") == Present("s2")
    assert flow.after(right("s1")).decide() == IssueTokens()
    assert flow.after(wrong("s3")).decide() == FailAuthentication("broken")
    tried = flow.after(wrong("s1")).after(wrong("s1")).after(wrong("s1"))
    assert tried.decide() == FailAuthentication("tries_used_up")
    password = Flow(Password())
    assert password.decide() == FailAuthentication("srp_required")
    verifying = password.after(ReadRound.host("SRP_A"))
    assert verifying.decide() == Present("PASSWORD_VERIFIER", host=True)
    assert verifying.after(ReadRound.host("PASSWORD_VERIFIER")).decide() == IssueTokens()
    assert verifying.after(ReadRound.host("PASSWORD_VERIFIER", right=False)).decide() == FailAuthentication("broken")


def test_a_read_round_knows_its_use():
    """A select round is a choice whatever is said; a host round is an answer."""
    assert ReadRound.custom("select", right=False, use="resend").use == "choice"
    assert ReadRound.custom("s1", right=False, use="resend").use == "resend"
    assert ReadRound.host("SMS_MFA") == ReadRound("SMS_MFA", "", "answer", True)


def test_conditions_are_decided_in_their_order():
    """`given` takes one outcome for each distinct condition, in the order in which they are written."""
    flow = Flow(sequence(when(TIER, ONE), when(APP, TWO), when(TIER, THREE), named("s4", Quiz())))
    assert flow.conditions == (("attribute", "custom:tier", "gold"), ("client", "app-1"))
    assert flow.given(True, False).after(right("s1")).decide() == Present("s3")
    assert flow.given(False, True).after(right("s2")).decide() == Present("s4")
    assert flow.decide() == Present("s4")
    for outcomes in ((), (True,), (True, True, True)):
        with pytest.raises(ConfigurationError, match=rf"2 conditions, {len(outcomes)} outcomes"):
            flow.given(*outcomes)


def test_steps_are_listed_as_written():
    """With tries and lifetime as the engine reads them."""
    flow = Flow(sequence(named("s9", Quiz(attempts=5, lifetime=60)), Quiz()))
    assert [(step.name, step.attempts, step.lifetime) for step in flow.steps.values()] == [
        ("s9", 5, 60),
        ("quiz", 3, 180),
    ]


# --- the longest path ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "rounds"),
    [
        (ONE, 8),
        (sequence(ONE, TWO), 16),
        (fallback(ONE, TWO, THREE), 24),
        (one_of(ONE, TWO), 3 + 8),
        (one_of(ONE, sequence(TWO, THREE)), 3 + 16),
        (one_of(one_of(ONE, TWO), THREE), 3 + 8),
        (all_of(ONE, TWO), 3 + 16),
        (all_of(ONE, TWO, THREE), 3 + 3 + 24),
        (at_least(1, ONE, TWO, THREE), 3 + 3 + 24),
        (all_of(ONE, one_of(TWO, THREE)), 3 + 8 + 3 + 8),
        (Password(), 3),
        (sequence(Password(), ONE), 3 + 8),
        (one_of(Password(), ONE), 8),
        (one_of(sequence(Password(), ONE), all_of(TWO, THREE)), 3 + 16),
        (when(TIER, ONE, otherwise=sequence(TWO, THREE)), 16),
        (sequence(when(TIER, ONE), when(APP, TWO), THREE), 24),
        (sequence(when(TIER, ONE), when(TIER, TWO, otherwise=THREE)), 16),
    ],
    ids=repr,
)
def test_the_longest_path_by_hand(body, rounds):
    """Three tries and two resends a step, three select rounds a choice, three rounds with a password."""
    assert explore(Flow(body)).longest() == rounds


# --- the fingerprint ----------------------------------------------------------------------------------------------

BASE = sequence(when(TIER, ONE, otherwise=TWO), one_of(Quiz(), THREE))
CHANGES = {
    "a step more": sequence(BASE, named("s4", Quiz())),
    "another order": sequence(one_of(Quiz(), THREE), when(TIER, ONE, otherwise=TWO)),
    "another order of options": sequence(when(TIER, ONE, otherwise=TWO), one_of(THREE, Quiz())),
    "all_of for one_of": sequence(when(TIER, ONE, otherwise=TWO), all_of(Quiz(), THREE)),
    "at_least for one_of": sequence(when(TIER, ONE, otherwise=TWO), at_least(1, Quiz(), THREE)),
    "fallback for one_of": sequence(when(TIER, ONE, otherwise=TWO), fallback(Quiz(), THREE)),
    "another step name": sequence(when(TIER, named("t1", Quiz()), otherwise=TWO), one_of(Quiz(), THREE)),
    "another condition": sequence(when(APP, ONE, otherwise=TWO), one_of(Quiz(), THREE)),
    "another value": sequence(when(attribute("custom:tier", "tin"), ONE, otherwise=TWO), one_of(Quiz(), THREE)),
    "branches swapped": sequence(when(TIER, TWO, otherwise=ONE), one_of(Quiz(), THREE)),
    "no otherwise": sequence(when(TIER, ONE), one_of(Quiz(), THREE)),
    "attempts": sequence(when(TIER, ONE, otherwise=TWO), one_of(Quiz(attempts=2), THREE)),
    "lifetime": sequence(when(TIER, ONE, otherwise=TWO), one_of(Quiz(lifetime=60), THREE)),
    "a setting that verify reads": sequence(when(TIER, ONE, otherwise=TWO), one_of(Quiz(level="hard"), THREE)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_changes_with_what_define_and_verify_read(change):
    """Structure, step names, tries, lifetimes, conditions and settings."""
    assert Flow(CHANGES[change]).fingerprint != Flow(BASE).fingerprint


def test_no_two_changes_share_a_fingerprint():
    """Each of them is told from each other."""
    bodies = [BASE, *CHANGES.values()]
    prints = {Flow(body, unwanted_srp=unwanted).fingerprint for body in bodies for unwanted in ("refuse", "ignore")}
    assert len(prints) == 2 * len(bodies)


def test_the_fingerprint_is_the_same_for_what_only_shows():
    """Cosmetic settings, the flow's name, its budgets, its requirements and accepted findings."""
    base = Flow(BASE).fingerprint
    blue = sequence(when(TIER, ONE, otherwise=TWO), one_of(Quiz(colour="blue"), THREE))
    assert Flow(blue).fingerprint == base
    assert Flow(BASE, name="other", limits=Limits(guesses="5/day")).fingerprint == base
    assert Flow(BASE, require="possession", accept={"W1": "why"}).fingerprint == base


def test_the_fingerprint_is_sixteen_hex_digits_and_the_same_for_equal_flows():
    """It stands in metadata, whose fields are cut at semicolons."""
    flow = Flow(sequence(Password(), Quiz(attempts=2)), name="acme")
    assert flow.fingerprint == Flow(sequence(Password(), Quiz(attempts=2))).fingerprint
    assert len(flow.fingerprint) == 16
    assert set(flow.fingerprint) <= set("0123456789abcdef")


def test_the_fingerprint_is_the_same_in_every_process():
    """Hashes of texts differ from process to process; the fingerprint does not."""
    program = (
        "from kit.random_flows import Quiz; from watchword import Flow, fallback, named;"
        "print(Flow(fallback(Quiz(), named('other', Quiz(level='hard')))).fingerprint)"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(TESTS), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert prints == [Flow(fallback(Quiz(), named("other", Quiz(level="hard")))).fingerprint] * 2


def test_kinds_of_other_names_and_kinds_without_settings_are_told_apart():
    """The kind's name is in the fingerprint, also where the kind is no attrs class."""

    class Plain:
        kind: ClassVar[str] = "plain"
        proves: ClassVar[frozenset[str]] = frozenset()
        create = verify = Quiz.create

    class Other(Plain):
        kind: ClassVar[str] = "other"

    assert Flow(named("step", Plain())).fingerprint != Flow(named("step", Other())).fingerprint
    assert Flow(named("step", Plain())).fingerprint == Flow(named("step", Plain())).fingerprint


@frozen
class Settled(Quiz):
    """A kind with a setting of any type."""

    kind: ClassVar[str] = "settled"

    allowed: object = None


def test_the_order_of_a_set_is_not_in_the_fingerprint():
    """Sets are written in another order in every process, and a container reads what another one wrote."""
    one, other = frozenset([0, 8]), frozenset([8, 0])
    assert repr(one) != repr(other)
    assert Flow(Settled(allowed=one)).fingerprint == Flow(Settled(allowed=other)).fingerprint
    assert Flow(Settled(allowed=one)).fingerprint != Flow(Settled(allowed=frozenset([0, 9]))).fingerprint


@pytest.mark.parametrize("value", [object(), lambda: None, (object(),)], ids=["object", "function", "nested"])
def test_a_setting_without_a_fixed_form_is_refused(value):
    """Its address would be in the fingerprint, so that no container could read another one's metadata."""
    with pytest.raises(ConfigurationError, match=r"Settled\.allowed is .* another in every process: use plain values"):
        Flow(Settled(allowed=value))


def test_a_changed_copy_is_lowered_again():
    """`attrs.evolve` gives another flow, not the old program under a new name."""
    assert evolve(Flow(ONE), body=TWO).decide() == Present("s2")
    assert evolve(Flow(ONE), body=TWO).fingerprint == Flow(TWO).fingerprint


# --- words --------------------------------------------------------------------------------------------------------


def test_decisions_are_announced_in_words():
    """As a person reads them."""
    assert decision_text(Present("email_otp")) == "ask for email_otp"
    assert decision_text(Present("PASSWORD_VERIFIER", host=True)) == "ask for PASSWORD_VERIFIER (host)"
    assert decision_text(Present("select", choices=("a1", "b1"))) == "choose one of a1, b1"
    assert decision_text(IssueTokens()) == "issue tokens"
    assert decision_text(FailAuthentication("broken")) == "fail (broken)"
    assert decision_of(("tokens",)) == IssueTokens()
    assert client("x") != attribute("x", "x")
    assert derivative.FAILED in derivative.ENDS


@pytest.mark.parametrize("ask", [check, explore])
@pytest.mark.parametrize("given", ["flow.toml", None, EmailOtp()])
def test_what_is_asked_of_a_flow_is_asked_of_nothing_else(ask, given):
    """A path is no flow yet, and a kind is none."""
    with pytest.raises(ConfigurationError, match="this is no flow but"):
        ask(given)


@pytest.mark.parametrize("given", ["flow.toml", Flow(EmailOtp()), 3, ["flow.toml"]])
def test_previous_flows_are_a_list_of_flows(given):
    """A text is a list of letters otherwise."""
    with pytest.raises(ConfigurationError, match=r"previous is|this is no flow but str: read it first, by load_flow"):
        expect_flows(given)
