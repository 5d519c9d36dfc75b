"""The corpus of attacks, on the example flows and the example plugin, and what is said of a run."""

import json
import random
import re
import subprocess
import sys
from typing import ClassVar

import pytest
from attrs import frozen

from kit.paths import EXAMPLES
from watchword import (
    Challenge,
    CreateRequest,
    Flow,
    Verdict,
    VerifyRequest,
    ask_first,
    at_least,
    attribute,
    client,
    enrol,
    enrolled,
    fallback,
    load_flow,
    named,
    one_of,
    sequence,
    when,
)
from watchword.contract import Factor
from watchword_adapters.attacks import FAMILIES, attack, upper_bound
from watchword_adapters.cli import main
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

pytestmark = pytest.mark.exhaustive

FILES = ("captcha_only", "email_code", "password_and_app", "password_or_code", "srp_then_code")
FEW = 120
LONG = "srp_then_code"
SEED = "20260101"


def riddle():
    """The kind of the example plugin."""
    sys.path.insert(0, str(EXAMPLES / "plugin"))
    try:
        from watchword_riddle import Riddle
    finally:
        sys.path.remove(str(EXAMPLES / "plugin"))
    return Riddle("What has keys and opens no lock?", "a piano")


def flows():
    """The example flows, the example plugin's, and one with every sort of block."""
    given = {name: load_flow(EXAMPLES / "flows" / f"{name}.toml") for name in FILES}
    given["riddle"] = Flow(sequence(Srp(), riddle()), name="riddle")
    given["mixed"] = Flow(
        sequence(
            when(attribute("custom:tier", "gold"), EmailOtp(length=6), otherwise=Captcha()),
            at_least(
                2, riddle(), named("second", riddle()), one_of(named("third", riddle()), named("code", EmailOtp()))
            ),
            when(client("kiosk"), named("last", riddle())),
        ),
        name="mixed",
    )
    return given


FLOWS = flows()


@pytest.mark.parametrize("name", [each for each in FLOWS if each != LONG])
def test_no_attack_succeeds(name):
    """Every family is tried, at every door; what succeeds is told by name."""
    outcome = attack(FLOWS[name], cases=FEW, seed=SEED)

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes
    assert {each.id for each in FAMILIES} == outcome.by_family.keys()


@frozen
class PostedCode:
    """A code that goes out to an address of its own, which the users of the attacks do not have."""

    kind: ClassVar[str] = "posted_code"
    channel: ClassVar[str] = "email"
    proves = frozenset[Factor]({"possession"})
    resend_after: int = 30

    def create(self, request: CreateRequest) -> Challenge:
        """Make a code, and no message."""
        return Challenge(private={"sealed_code": request.seal(request.code("0123456789", 6))}, reason="no_address")

    def verify(self, request: VerifyRequest) -> Verdict:
        """Compare the code."""
        return Verdict(right=request.matches(request.private["sealed_code"], request.answer))


def test_users_without_an_address_make_no_guess_succeed():
    """A message that is withheld has its tries like one that is sent, so that nobody sees a difference."""
    families = tuple(each for each in FAMILIES if each.id in {"R-01", "R-02", "R-03", "R-04"})
    outcome = attack(Flow(PostedCode()), cases=400, seed=SEED, families=families)

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes


def test_each_channel_has_a_budget_of_its_own():
    """What goes out by two of them is counted apart."""
    flow = Flow(one_of(EmailOtp(), SmsOtp(length=8, countries=("+1",))))
    families = tuple(each for each in FAMILIES if each.id == "R-05")
    outcome = attack(flow, cases=150, seed=SEED, families=families)

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes


def test_links_are_found_among_messages_of_other_channels():
    """The last message may be a text without one."""
    link = MagicLink(redirects={"web": "https://app.example/s"})
    flow = Flow(sequence(Srp(), fallback(SmsOtp(countries=("+1",)), link)))
    families = tuple(each for each in FAMILIES if each.needs == "link")
    outcome = attack(flow, cases=150, seed=SEED, families=families)

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes


WORK = ProofOfWork(cost=1000, work=10)
SMS = SmsOtp(length=8, countries=("+1",))


@pytest.mark.parametrize(
    ("family", "flow"),
    [
        ("H-09", sequence(ask_first(EmailOtp()), enrol(Totp()))),
        ("C-03", fallback(one_of(EmailOtp(), SMS), sequence(WORK, named("last", EmailOtp())))),
        (
            "E-13",
            sequence(
                Srp(),
                when(enrolled("totp"), one_of(Totp(), SMS), sequence(named("two", SMS), named("new", enrol(Totp())))),
            ),
        ),
    ],
    ids=["a choice is no factor", "a challenge of work is drawn", "nobody unknown has enrolled anything"],
)
def test_no_attack_takes_what_is_sound_for_a_success(family, flow):
    """Where a flow asks first, goes on with work, or with what was enrolled."""
    outcome = attack(Flow(flow), cases=60, seed=SEED, families=tuple(each for each in FAMILIES if each.id == family))

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes


@pytest.mark.parametrize("part", range(4))
def test_no_attack_of_ten_thousand_succeeds(part):
    """The run that the documents speak of, in four parts: a password and a code, ten thousand cases."""
    outcome = attack(FLOWS[LONG], cases=2550, seed=SEED, families=FAMILIES[part::4])
    print(f"\nattacks: {len(outcome.by_family)} families, {outcome.cases:,} cases, {outcome.successes} succeeded")

    assert {} == dict(outcome.told)
    assert 0 == outcome.successes
    assert outcome.cases >= 2500


def test_there_are_as_many_families_as_are_promised():
    """Ninety-five at least, each under a name of its own and with a line that says what it is."""
    names = [each.id for each in FAMILIES]

    assert len(names) >= 95
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[SCAREMKPLXNHTV]-[0-9]{2}", name) for name in names)
    assert len({each.title for each in FAMILIES}) == len(names)


def test_a_run_can_be_repeated():
    """The same seed gives the same cases; Python's own randomness plays no part."""
    some = tuple(each for each in FAMILIES if each.id in {"S-06", "S-11", "A-01", "R-01"})
    runs = []
    for number in (1, 2):
        random.seed(number)
        runs.append(attack(FLOWS["email_code"], cases=80, seed="7", families=some))

    assert runs[0] == runs[1]


def test_no_more_cases_than_were_asked_for_are_tried_where_each_family_has_few():
    """The number is kept to within the least that every family gets."""
    outcome = attack(FLOWS["email_code"], cases=2000, seed=SEED, families=FAMILIES[:30])

    assert 1900 <= outcome.cases <= 2100


@pytest.mark.parametrize(
    ("succeeded", "cases", "expected"),
    [(0, 100, 0.0295), (0, 10_000, 2.995e-4), (1, 100, 0.0466), (5, 50, 0.1998), (3, 3, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(succeeded, cases, expected):
    """Against tabled values; three by n where none succeeded."""
    assert upper_bound(succeeded, cases) == pytest.approx(expected, rel=0.01)


def test_the_command_prints_what_it_promises(capsys):
    """JSON with these keys and no others; progress goes to the other stream."""
    status = main(["attack", str(EXAMPLES / "flows" / "email_code.toml"), "--cases", "1", "--seed", "9", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert 0 == status
    keys = ["families", "cases", "succeeded", "bound_95", "by_family", "seed", "untried", "successes"]
    assert keys == list(told)
    assert told["cases"] == sum(told["by_family"].values())
    assert len(FAMILIES) == told["families"]
    assert "9" == told["seed"]


@pytest.mark.parametrize("words", [["attack"], ["attack", "no_such.toml"], ["attack", "x", "--cases", "0"]])
def test_what_cannot_be_read_is_told_apart_from_a_success(words, capsys):
    """Status 2 and one line."""
    assert 2 == main(words)
    assert capsys.readouterr().err.startswith("watchword: error: ")


def test_a_flow_without_a_step_is_no_flow_to_attack(tmp_path, capsys):
    """A password alone is the host's business."""
    (tmp_path / "flow.toml").write_text('[[steps]]\nkind = "srp"\n')

    assert 2 == main(["attack", str(tmp_path / "flow.toml")])
    assert "no challenge of its own" in capsys.readouterr().err


def test_the_command_needs_nothing_that_only_tests_need():
    """Where a flow is attacked nobody need have pytest or hypothesis."""
    code = "import sys; import watchword_adapters.attacks; print(sorted({'pytest', 'hypothesis', '_pytest'} & sys.modules.keys()))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "[]" == printed.strip()
