"""What a success prints: the case, the seed, what was expected and seen, and a test that can be pasted."""

import importlib
import json
import re
import subprocess
import sys

import pytest

from watchword import Flow, sequence
from watchword.errors import ConfigurationError
from watchword_adapters.attacks import FAMILIES, attack, corpus, one_case
from watchword_adapters.attacks.family import family
from watchword_adapters.cli import main
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.proof_of_work import ProofOfWork
from watchword_plugins.srp import Srp

LOOSE = '''
from typing import ClassVar

from attrs import frozen
from watchword import Challenge, Flow, Verdict


@frozen
class Loose:
    """Takes whatever begins as the code does."""

    kind: ClassVar[str] = "loose"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    def create(self, request):
        return Challenge(private={"digest": request.seal(request.code("0123456789", 8))})

    def verify(self, request):
        return Verdict(request.matches(request.private.get("digest"), str(request.answer)[:CUT]))


flow = Flow(Loose())
'''
ASKS = '''
from typing import ClassVar

from attrs import frozen
from watchword import Challenge, Flow, Verdict


@frozen
class Number:
    """Asks for the number in an attribute."""

    kind: ClassVar[str] = "number"
    proves: ClassVar[frozenset[str]] = frozenset({"knowledge"})

    def create(self, request):
        number = request.user.attributes.get("custom:number", "")
        return Challenge(private={"digest": request.seal(number or "nothing")})

    def verify(self, request):
        answer = request.answer
        fits = isinstance(answer, str) and answer.isascii() and answer.isdigit()
        return Verdict(fits and request.matches(request.private.get("digest"), answer))


flow = Flow(Number())
'''


def some(*names):
    """These families."""
    return tuple(each for each in FAMILIES if each.id in names)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own, in which commands find modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("loose_flow", "number_flow"):
        sys.modules.pop(name, None)


def pytest_run(folder, text):
    """What pytest says of a test that was pasted into a file."""
    (folder / "test_pasted.py").write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "test_pasted.py"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_a_success_is_a_test_that_can_be_pasted(folder, monkeypatch, capsys):
    """It fails as long as the fault is there, and says what the command said; mended, it passes."""
    (folder / "loose_flow.py").write_text(LOOSE.replace("CUT", "8"))
    monkeypatch.setitem(attack.__kwdefaults__, "families", some("A-01"))

    assert 1 == main(["attack", "loose_flow:flow", "--cases", "120", "--seed", "5"])
    printed = capsys.readouterr().out
    tests = re.findall(r"^from watchword import find_flow$.*?^    assert .*?$", printed, re.MULTILINE | re.DOTALL)

    assert re.search(r"^A-01, hostile answers of every sort$", printed, re.MULTILINE)
    assert re.search(r"^seed 5, run 1, case [0-9]+$", printed, re.MULTILINE)
    assert "expected: Wrong, empty, huge, of other types and scripts" in printed
    assert re.search(r"^seen: verify .*'challengeAnswer': .* -> \{'answerCorrect': True\}$", printed, re.MULTILINE)
    assert tests
    failed = pytest_run(folder, tests[0])
    assert 1 == failed.returncode, failed.stdout
    assert "expected: Wrong, empty, huge" in failed.stdout
    (folder / "loose_flow.py").write_text(LOOSE.replace("CUT", "1024"))
    sys.modules.pop("loose_flow")
    importlib.invalidate_caches()
    pasted = {}
    exec(tests[0], pasted)
    pasted["test_a_01"]()


def test_the_same_case_is_told_again_in_the_same_words(folder):
    """Whatever ran before it in the first run; what did not succeed is none."""
    (folder / "loose_flow.py").write_text(LOOSE.replace("CUT", "8"))
    from loose_flow import flow

    told = attack(flow, cases=150, seed="5", families=some("A-01", "S-06")).told["A-01"]

    assert 1 <= len(told) <= 3
    for each in told:
        again = one_case(flow, each.family, seed=each.seed, run=each.run, case=each.case)
        assert str(each) == str(again)
    assert one_case(Flow(EmailOtp()), "A-01", seed="5", run=1, case=told[0].case) is None


def test_what_dies_is_told_with_its_error(monkeypatch):
    """The name of the exception and its words, and what the case was about."""

    @family("X-99", "a case that dies")
    def dying(arena):
        """Nothing dies."""
        for value in (3, 0):
            yield 1 / value > 1

    success = attack(Flow(EmailOtp()), seed="1", cases=4, families=(dying,)).told["X-99"][0]

    assert "died with ZeroDivisionError: division by zero" in success.seen
    assert (1, 2) == (success.run, success.case)
    assert "Nothing dies." == success.expected


def test_a_family_that_finds_no_case_is_named():
    """With the reason; none is left out without a word."""

    @family("X-99", "nothing to try")
    def nothing(arena):
        """Nothing."""
        yield from ()

    outcome = attack(Flow(EmailOtp()), seed="1", cases=4, families=(nothing, *some("S-06")))

    assert {"X-99": "it found no case"} == dict(outcome.untried)
    assert {"S-06"} == outcome.by_family.keys()


def test_puzzles_are_not_tried_where_their_extra_is_missing(monkeypatch):
    """And that is said."""
    monkeypatch.setattr(corpus, "own_flow", lambda _: Flow(sequence(Srp(), EmailOtp())))

    outcome = attack(Flow(EmailOtp()), seed="1", cases=4, families=some("K-05", "S-06"))

    assert {"K-05": "neither has the flow a puzzle, nor is the extra captcha installed"} == dict(outcome.untried)


def test_work_is_not_tried_where_its_extra_is_missing(monkeypatch):
    """And that is said; else it is tried on a flow of the corpus's own."""
    there = attack(Flow(EmailOtp()), seed="1", cases=4, families=some("K-11", "S-06"))
    monkeypatch.setattr(corpus, "working_flow", lambda _: Flow(EmailOtp()))
    gone = attack(Flow(EmailOtp()), seed="1", cases=4, families=some("K-11", "S-06"))

    assert ("K-11",) == there.elsewhere
    assert {"K-11": "neither asks the flow for work, nor is the extra proof-of-work installed"} == dict(gone.untried)


def test_users_have_what_a_kind_needs(folder, capsys):
    """By the option and by a function that enrols; without either, the step, the kind and the remedy are named."""
    (folder / "number_flow.py").write_text(ASKS)
    from number_flow import flow

    assert 2 == main(["attack", "number_flow:flow", "--seed", "1"])
    told = capsys.readouterr().err
    assert "step 'number'" in told
    assert "--attribute NAME=VALUE" in told
    enrolled = []

    def enrol(name):
        enrolled.append(name)
        return {"custom:number": f"{len(enrolled):08}"}

    families = some("A-01", "A-03", "R-11", "S-06")
    for attributes in (enrol, {"custom:number": "20384812"}):
        outcome = attack(flow, seed="1", cases=80, families=families, attributes=attributes)
        assert {} == dict(outcome.told)
    assert {"ann", "bob"} <= set(enrolled)
    with pytest.raises(ConfigurationError, match="no right answer"):
        attack(flow, seed="1", cases=20, families=families)


def test_a_kind_whose_extra_is_missing_is_named_with_it(monkeypatch):
    """Nobody has a right answer then, whatever attributes they are given."""
    monkeypatch.setitem(sys.modules, "altcha", None)
    with pytest.raises(ConfigurationError, match=r"'proof_of_work' needs .*: pip install 'watchword\[proof-of-work\]'"):
        attack(Flow(sequence(ProofOfWork(), EmailOtp())), seed="1", cases=20, families=some("A-01"))


@pytest.mark.parametrize("given", ["x", "=x", ""])
def test_an_attribute_is_a_name_and_a_value(given, capsys):
    """Anything else is given wrongly."""
    assert 2 == main(["attack", "flow.toml", "--attribute", given])
    assert "write NAME=VALUE" in capsys.readouterr().err


def test_a_family_that_is_not_there_is_said():
    """With the remedy."""
    with pytest.raises(ConfigurationError, match="there is no family 'Z-01'"):
        one_case(Flow(EmailOtp()), "Z-01", seed="1", run=1, case=1)


def test_json_tells_the_successes(folder, monkeypatch, capsys):
    """With the same test."""
    (folder / "loose_flow.py").write_text(LOOSE.replace("CUT", "8"))
    monkeypatch.setitem(attack.__kwdefaults__, "families", some("A-01"))

    assert 1 == main(["attack", "loose_flow:flow", "--cases", "120", "--seed", "5", "--json"])
    first = json.loads(capsys.readouterr().out)["successes"][0]

    assert {"family", "run", "case", "expected", "seen", "test"} == first.keys()
    compile(first["test"], "pasted", "exec")
