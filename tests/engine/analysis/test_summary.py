"""The sentence that closes a check: made of the findings, and denied by none of them."""

import attrs
import pytest
from hypothesis import given, settings

from kit.checked_flows import BROKEN, FACE, PASSKEY, PIN, SOUND, WORK, Letter, Toy
from kit.dressed_flows import dressed_flows
from watchword import Flow, check
from watchword.analysis.findings import CODES, MAX_SOLE_FACTOR, Finding, summary_of
from watchword_plugins.srp import Srp

pytestmark = pytest.mark.exhaustive

KINDS = [
    Toy("puzzle", cognitive=True),
    WORK,
    PIN,
    PASSKEY,
    FACE,
    Letter("letter", frozenset({"possession"}), 1e-8),
    Letter("slow_letter", frozenset({"possession"}), 2e-8, resend_after=600),
    Letter("late_letter", frozenset({"possession"}), 1e-9, lifetime=30),
]
# What each clause denies, by its first words.
DENIES = {
    "tokens need": {"WW101"},
    "every path meets": {"WW102"},
    "no resend and no choice": {"WW103"},
    "no condition": {"WW104", "WW204"},
    "every state ends": {"WW105"},
    "every resend": {"WW106", "WW208"},
    "no sole factor": {"WW101", "WW107"},
}
SILENT = {
    "WW108",
    "WW109",
    "WW110",
    "WW111",
    "WW201",
    "WW202",
    "WW203",
    "WW205",
    "WW206",
    "WW209",
    "WW210",
    "WW211",
    "WW212",
}
"""Findings of which no clause speaks."""
REQUIRE = "knowledge and possession"


def contradictions(report, require):
    """Yield each clause with a finding that it denies."""
    for clause in summary_of(report, require):
        for start, denied in DENIES.items():
            if clause.startswith(start):
                yield from ((clause, each) for each in report.findings if each.code in denied)


def denied_by_figures(report, require):
    """Yield the clause on guessing where a stranger who knows no password guesses the one factor of the flow more easily."""
    factors = [step for step in report.flow.steps.values() if step.kind.proves]
    if len(factors) + report.password == 1 and report.figures.guess_per_user_day > MAX_SOLE_FACTOR * (1 + 1e-9):
        yield from (
            clause for clause in summary_of(report, require) if clause.startswith("no sole factor is guessed above")
        )


def judged(flow, require):
    """Return the report, with nothing that its summary would deny."""
    report = check(flow, require=require)
    assert [] == list(contradictions(report, require))
    assert [] == list(denied_by_figures(report, require))
    return report


def test_every_error_and_warning_is_thought_of():
    """A new finding has to say which clause it takes away, or that no clause speaks of it."""
    spoken = set().union(*DENIES.values()) | {"WW207"}
    assert {code for code, (severity, _) in CODES.items() if severity != "note"} == spoken | SILENT


@settings(max_examples=60)
@given(flow=dressed_flows(KINDS, most_steps=4))
def test_no_clause_denies_a_finding(flow):
    """Nor does it if every finding was accepted: then all are named, and nothing is claimed of them."""
    report = judged(flow, REQUIRE)
    accepting = attrs.evolve(flow, accept={each.code: "because" for each in report.findings})
    accepted = judged(accepting, REQUIRE)
    (last,) = (clause for clause in summary_of(accepted) if clause.startswith("accepted: "))
    assert sorted({each.code for each in report.findings}) == last.removeprefix("accepted: ").split(", ")
    assert summary_of(accepted, REQUIRE)[:-1] == summary_of(report, REQUIRE)


@pytest.mark.parametrize("name", [*BROKEN, *SOUND])
def test_no_clause_denies_what_is_found_in_a_known_flow(name):
    """Each of the flows that a check must tell apart."""
    flow, asked = {**BROKEN, **SOUND}[name][:2]
    judged(flow, asked.get("require", REQUIRE))


def test_every_clause_is_said_of_some_flow():
    """A clause that never comes would deny nothing."""
    said = summary_of(check(Flow(PASSKEY), require="possession"), "possession")
    assert len(DENIES) == len(said)
    assert all(clause.startswith(start) for clause, start in zip(said, DENIES, strict=True))


@pytest.mark.parametrize(
    ("start", "code"), [(start, code) for start, codes in DENIES.items() for code in sorted(codes)]
)
def test_each_finding_takes_its_clause_away(start, code):
    """Also those that no flow shows unless the interpreter is broken."""
    report = check(Flow(PASSKEY), require="possession")
    found = attrs.evolve(report, findings=(*report.findings, Finding(code, CODES[code][0], "planted")))
    assert any(clause.startswith(start) for clause in summary_of(report, "possession"))
    assert not any(clause.startswith(start) for clause in summary_of(found, "possession"))


def test_nothing_is_said_of_guesses_where_only_the_host_checks():
    """How good a password is nobody knows here; and where there are other factors, the password is left out."""
    assert not any("guessed" in clause for clause in summary_of(check(Flow(Srp()))))
    assert any(
        "no sole factor but the password" in clause for clause in summary_of(check(SOUND["password or code"][0]))
    )


def test_whoever_recovers_the_password_has_both_factors():
    """Where one mailbox can be both, the requirement is said to be met on a condition."""
    (met,) = (each for each in summary_of(check(SOUND["password, then code"][0]), REQUIRE) if "meets" in each)
    assert "every path meets (knowledge and possession), unless passwords are recovered by the same channel" == met
