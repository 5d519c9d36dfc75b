"""Deliberately broken twins of the interpreter: each is caught by one of the oracles that the engine's own passes."""

from pathlib import Path
from types import ModuleType

import pytest
from attrs import frozen

from kit.sessions import SIGNIN, session
from oracles import offer_oracles
from oracles.flow_oracles import (
    EXAMPLES,
    GOLD,
    ONE,
    PASSING,
    SMALL,
    THREE,
    TWO,
    difference,
    divergences,
    enrolled_divergences,
    odd_lists,
    player_divergences,
    short_lists,
    tokens_after_insertion,
)
from watchword import Flow, all_of, at_least, fallback, one_of, sequence
from watchword.algebra import derivative

pytestmark = pytest.mark.exhaustive

SOURCE = Path(derivative.__file__).read_text(encoding="utf-8")


@frozen
class Twin:
    """A change of the source that makes it wrong, and the oracle that must find it."""

    old: str
    new: str
    caught_by: str


TWINS = {
    "tokens on a bare SRP_A": Twin('body if unwanted == "ignore" and right else BROKEN', "PASSED", "lists"),
    "no password needed": Twin('return PASSED if body[1] else ("srp", 1)', "return PASSED", "lists"),
    "a false password passes": Twin('tag == "srp" and right and name ==', 'tag == "srp" and name ==', "lists"),
    "null metadata is matched by its position": Twin(
        "    first = next(",
        f"    own = [f'{{FORMAT}}.{{programs[0][0]}}..{SIGNIN}', heads(programs[0][2])[-1], '1', '-', '', '', '']\n"
        "    metadata = [parts or (own if round_[0] == CUSTOM and round_[2] is None else None)"
        " for parts, round_ in zip(metadata, session)]\n"
        "    first = next(",
        "odd lists",
    ),
    "two ends instead of three, in fallback": Twin(
        'PASSED if tag == "sequence" else FAILED', 'PASSED if tag == "sequence" or first == PASSED else first', "player"
    ),
    "two ends instead of three, in at_least": Twin(
        "    if current == FAILED:", "    if current in {FAILED, BROKEN}:", "long"
    ),
    "a true resend is accepted": Twin(
        'BROKEN if use in {"resend", UNASKED} else PASSED', "BROKEN if use == UNASKED else PASSED", "lists"
    ),
    "resend requests without end": Twin(
        '("step", own_name, tries, requests - 1)', '("step", own_name, tries, requests)', "long"
    ),
    "a resend request costs a try": Twin(
        '("step", own_name, tries, requests - 1) if', '("step", own_name, tries - 1, requests - 1) if', "player"
    ),
    "a resend request too many is a wrong answer": Twin(
        "requests - 1) if requests else FAILED",
        'requests - 1) if requests else _answered(body, name, "answer", False)',
        "long",
    ),
    "resend requests before a choice without end": Twin(
        "options, 0, name, requests - 1)", "options, 0, name, requests)", "long"
    ),
    "resend requests are given back when a choice is pinned": Twin(
        "step_body(_capped(options[place], requests), name, use, right)",
        "step_body(options[place], name, use, right)",
        "long",
    ),
    "resend requests are given back when a choice comes up again": Twin(
        '("choose", need, options, ASKS, None, requests)', '("choose", need, options, ASKS, None, REQUESTS)', "long"
    ),
    "a step that was not asked can be right": Twin(
        'BROKEN if use in {"resend", UNASKED} else PASSED', 'BROKEN if use == "resend" else PASSED', "player"
    ),
    "a step that was not asked costs a try": Twin("    if use == UNASKED:\n        return FAILED\n", "", "player"),
    "a step that was not asked breaks the sign-in": Twin(
        "    if use == UNASKED:\n        return FAILED\n", "    if use == UNASKED:\n        return BROKEN\n", "player"
    ),
    "a step that was not asked can be asked anew": Twin(
        "    if use == UNASKED:\n        return FAILED\n", "    if use == UNASKED:\n        return body\n", "player"
    ),
    "a step that was not asked pins the choice": Twin(
        "    if use == UNASKED and then != BROKEN:", "    if False:", "player"
    ),
    "an option that cannot be asked counts as passed": Twin(
        "_choice(need, rest, requests) if len(rest) >= max(need, 1)",
        "_choice(need - 1 or 0, rest, requests) if rest",
        "player",
    ),
    "options that are too few are asked all the same": Twin(
        "if len(rest) >= max(need, 1) else FAILED", "if rest else FAILED", "player"
    ),
    "what is left of an option is lost when it cannot be asked": Twin(
        "others if then == FAILED else (", "others if True else (", "long"
    ),
    "the client says whether a step was asked": Twin(
        '(UNASKED,) if parts[2] == "0" else', '(UNASKED,) if parts[2] == "0" and action != "resend" else', "player"
    ),
    "anything may follow what was not asked": Twin(
        "expected = (UNASKED,)", 'expected = (UNASKED, "answer", "resend")', "player"
    ),
    "neither asked nor unasked": Twin(' and parts[2] in {"0", "1"}', "", "foreign"),
    "a choice is asked without end": Twin(
        "options, left - 1, None, requests)", "options, left, None, requests)", "long"
    ),
    "a pinned choice can be left": Twin(
        'if current == BROKEN else ("chosen", need, current, rest, requests)',
        "if current == BROKEN else _choice(need, (current, *rest), requests)",
        "long",
    ),
    "a true choice is accepted": Twin(
        'if use == "choice" and not right and left', 'if use == "choice" and left', "player"
    ),
    "MFA before the password": Twin("name in HOSTED and phase not in BEFORE_PASSWORD", "name in HOSTED", "foreign"),
    "MFA more than once": Twin("if right and allowed and name not in hosts:", "if right and allowed:", "lists"),
    "false MFA": Twin("if right and allowed and name not in hosts:", "if allowed and name not in hosts:", "foreign"),
    "a new password at any time": Twin("    allowed = phase == PROVEN", "    allowed = phase != CLOSED", "player"),
    "a new password is not asked for": Twin("if must_change and known and", "if False and", "player"),
    "SRP_A later on": Twin(
        "    if name == SRP_A and phase == CLOSED:\n",
        "    if name == SRP_A and phase != CLOSED:\n        return state\n    if name == SRP_A:\n",
        "foreign",
    ),
    "truthy results count": Twin(
        "body == BROKEN or (right is not True and right is not False)", "body == BROKEN", "odd lists"
    ),
    "a wrong step is accepted": Twin('if name != own_name or use == "choice":', 'if use == "choice":', "foreign"),
    "a custom round stands for the password": Twin(
        "left = BROKEN if step in SRP_ROUNDS else step_body(body, step, use, right)",
        "left = step_body(body, step, use, right)",
        "player",
    ),
    "facts are not compared": Twin(" and first[2] == facts", "", "player"),
    "what is enrolled is compared with the store": Twin(
        'digit == "1" if each[0] == "enrolled" else outcome', "outcome", "enrolled"
    ),
    "attributes count as they were recorded": Twin(
        'digit == "1" if each[0] == "enrolled" else outcome', 'digit == "1"', "enrolled"
    ),
    "nothing that is enrolled counts": Twin(
        'digit == "1" if each[0] == "enrolled" else outcome', 'each[0] != "enrolled" and outcome', "enrolled"
    ),
    "sign-in ids are not compared": Twin(
        "parts[0] != sign_in", 'parts[0].split(".")[:3] != f"{sign_in}".split(".")[:3]', "foreign"
    ),
    "flows may be mixed": Twin(
        "parts[0] != sign_in", 'parts[0].split(".")[2:] != f"{sign_in}".split(".")[2:]', "foreign"
    ),
    "formats are not compared": Twin("values[0] == FORMAT and ", "", "player"),
    "how rounds ended is not compared": Twin(" or parts[3] not in expected", "", "player"),
    "the newest flow judges unknown sessions": Twin('None if named else "unknown_flow"', "None", "player"),
    "unknown users get tokens": Twin(
        'return ("tokens",) if known else ("fail", "unknown_user")', 'return ("tokens",)', "player"
    ),
    "attributes hold for unknown users": Twin("attributes if known else {}", "attributes", "player"),
    "the client's metadata of the last round counts for all": Twin(
        'parts[3] if parts else "answer" for parts',
        '"resend" if action == "resend" else "answer" for parts',
        "lists",
    ),
    "an answered choice is an answer, wherever it comes": Twin(
        '        body, use = step_body(body, SELECT, "choice", False), "answer"\n', '        use = "answer"\n', "offers"
    ),
    "an answered choice is a choice": Twin(
        'body, use = step_body(body, SELECT, "choice", False), "answer"', 'step, use = SELECT, "choice"', "offers"
    ),
    "any option can be answered, by metadata": Twin(' and use[7:] in program[4] else ""', ' else ""', "player"),
    "any option can be answered, by the client": Twin(
        "offered = program[4] if", "offered = heads(before[0]) if", "player"
    ),
    "an option that is not there can be answered": Twin(
        "choice in offered and choice in heads(before[0])", "choice in offered", "offers"
    ),
    "what is asked first is asked at once": Twin(
        ' if part[0] == "step" else shown(part)', " if len(names) == 1 else shown(part)", "player"
    ),
    "what is asked first is never chosen": Twin(
        "choice if choice in names else", "choice if choice in names and asks(part) != 1 else", "player"
    ),
    "what is asked first is asked again and again": Twin(
        'return ("step", own_name, tries, requests) if asked else', "return body if asked else", "player"
    ),
    "a true choice is accepted where a step is asked first": Twin(
        'use == "choice" and not right\n', 'use == "choice"\n', "player"
    ),
}


def interpreter(source):
    """Return *source* as a module."""
    module = ModuleType("derive")
    exec(compile(source, "derive", "exec"), module.__dict__)
    return module


def lists(derivative):
    """Every session list up to three or four rounds of three example flows, against the forty lines."""
    for name, most in (("srp_then_code", 3), ("password alone, or code", 3), ("captcha_only", 4)):
        yield from divergences(*EXAMPLES[name], short_lists(EXAMPLES[name][0], most), derivative)
    flow, plain = EXAMPLES["password alone, or code"]
    yield from divergences(flow, plain, [session("srp_a+ password_verifier+ sms_mfa+ sms_mfa+", flow)], derivative)


def odd_results_and_metadata(derivative):
    """Every session list up to two rounds with odd results and metadata, against the forty lines."""
    for name in ("email_code", "password alone, or code"):
        yield from divergences(*EXAMPLES[name], odd_lists(EXAMPLES[name][0]), derivative)


def foreign(derivative):
    """One foreign round in each passing session: no tokens."""
    for name in ("email_code", "acme", "password alone, or code"):
        for words in PASSING[name]:
            yield from tokens_after_insertion(EXAMPLES[name][0], words, derivative)


def player(derivative):
    """Every short walk of the small flows, and with one thing altered, against the coroutines."""
    for name in ("password", "step", "fallback", "sequence", "choice", "password, step", "all", *OFFERING):
        yield from player_divergences(SMALL[name], derivative)


def offers(derivative):
    """Every list of up to three rounds of two flows that offer, against the same with choice and answer apart."""
    for name in ("one_of of cards", "two of three"):
        yield from offer_oracles.divergences(offer_oracles.FLOWS[name], 3, derivative)


OFFERING = ("offer", "two offers", "asked first")
LONG = [
    (Flow(ONE), "s1~ s1~ s1~ s1~ s1~ s1~"),
    (SMALL["choice"], "s1~ s2~ s1~ s2~ s1~ s1~"),
    (SMALL["choice"], "s1~ s2~ s1- s1~ s1~ s1~ s1~"),
    (Flow(all_of(sequence(ONE, TWO), THREE)), "s1~ s1~ s1~ s1~ s1~ s3+ s1~"),
    (Flow(all_of(ONE, TWO, THREE)), "s1~ s1~ s1~ s1~ s1~ s2+ s1~"),
    (Flow(at_least(1, ONE, TWO)), "s1- nobody- s2+"),
    (Flow(at_least(1, ONE, TWO)), "s1- s2+"),
    (Flow(one_of(fallback(ONE, TWO), THREE)), "s1! s2+"),
    (Flow(one_of(fallback(ONE, TWO), THREE)), "s1~ s1! s2~ s2!"),
    (Flow(at_least(2, ONE, TWO, THREE)), "s1! s2+"),
    (SMALL["choice"], "select- select- select-"),
    (SMALL["choice"], "select- select- select- select-"),
]


def long(derivative):
    """A few longer walks, against the coroutines."""
    for flow, words in LONG:
        yield from difference(flow, session(words, flow), derivative, action="resend" if words[-1] == "~" else None)
    flow = SMALL["sequence"]
    yield from difference(flow, session("s1- s1+ s2+", flow, facts="1"), derivative, **GOLD)


def enrolled(derivative):
    """A flow that asks what is enrolled, for all that may have been recorded and may be so now."""
    yield from enrolled_divergences(derivative)


ORACLES = {
    "enrolled": enrolled,
    "lists": lists,
    "odd lists": odd_results_and_metadata,
    "foreign": foreign,
    "player": player,
    "long": long,
    "offers": offers,
}


@pytest.mark.parametrize("name", ["enrolled", "lists", "odd lists", "foreign", "long", "offers"])
def test_the_interpreter_itself_passes_the_oracles(name):
    """Loaded from its source in the same way as the twins. (The player's walks are a test of their own.)"""
    assert list(ORACLES[name](interpreter(SOURCE))) == []


@pytest.mark.parametrize("name", offer_oracles.FLOWS)
def test_an_answered_choice_is_worth_a_choice_and_an_answer_over_four_rounds(name):
    """All lists of them, of every sort of flow."""
    assert next(offer_oracles.divergences(offer_oracles.FLOWS[name], 4), None) is None


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_caught(name):
    """By the oracle that is named for it, with an example."""
    twin = TWINS[name]
    assert SOURCE.count(twin.old) == 1
    broken = interpreter(SOURCE.replace(twin.old, twin.new))
    assert next(ORACLES[twin.caught_by](broken), None) is not None
