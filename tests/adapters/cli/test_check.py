"""`watchword check`: verdicts for people and for programs, and an exit status for scripts."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import frozen

from kit.paths import FLOWS
from watchword import ConfigurationError, Flow, check, load_flow, named, one_of
from watchword.analysis.findings import CODES
from watchword_adapters.cli import main
from watchword_adapters.cli.progress import Progress
from watchword_plugins.email_otp import EmailOtp

FIGURES = {
    "longest_path": int,
    "guess_per_sign_in": float,
    "guess_per_user_day": float,
    "guess_per_user_year": float,
    "messages_per_sign_in": int,
    "messages_per_user_day": int,
    "sign_ins_to_lock_mail": int,
}


def example(name):
    """Return the path of an example flow."""
    return str(FLOWS / f"{name}.toml")


def run(capsys, *words):
    """Return the status, what was printed and what was said on stderr."""
    status = main(["check", *words])
    return (status, *capsys.readouterr())


# Example flow, options, status, codes of errors and warnings.
TABLE = [
    ("email_code", "", 0, "WW201 WW206"),
    ("srp_then_code", "", 0, "WW206 WW207"),
    ("password_or_code", "", 0, "WW201 WW206 WW207"),
    ("captcha_only", "", 1, "WW101 WW203 WW206"),
    ("srp_then_code", "--require 'knowledge and possession'", 0, "WW206 WW207"),
    ("srp_then_code", "--require 'password and (email_otp or inherence)'", 0, "WW206 WW207"),
    ("password_or_code", "--require knowledge", 1, "WW102 WW201 WW206 WW207"),
    ("email_code", "--require possession --session-minutes 15", 0, "WW201 WW206"),
]


@pytest.mark.parametrize(("name", "options", "status", "codes"), TABLE)
def test_the_examples_are_judged(name, options, status, codes, capsys):
    """In lines and in JSON alike: the same findings, and status 1 exactly if one is an error."""
    words = [example(name), *shlex.split(options)]
    code, out, err = run(capsys, *words)
    assert (status, "") == (code, err)
    told = [line.split()[:2] for line in out.splitlines() if line.startswith(("error", "warning", "note"))]
    assert codes.split() == [found for severity, found in told if severity != "note"]
    code, out, err = run(capsys, *words, "--json")
    assert (status, "") == (code, err)
    assert told == [[each["severity"], each["code"]] for each in json.loads(out)["findings"]]


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_json_has_its_shape(path, capsys):
    """Exactly these keys, of these types; the values are those of `watchword.check`."""
    _, out, _ = run(capsys, str(path), "--json")
    read = json.loads(out)
    assert ["flow", "states", "transitions", "findings", "figures", "unseen"] == list(read)
    assert (path.stem, int, int) == (read["flow"], type(read["states"]), type(read["transitions"]))
    assert FIGURES.keys() <= read["figures"].keys()
    assert {} == read["unseen"]
    assert all(isinstance(read["figures"][name], type_ | int) for name, type_ in FIGURES.items())
    report = check(load_flow(path))
    assert (report.states, report.transitions) == (read["states"], read["transitions"])
    assert len(report.findings) == len(read["findings"]) > 0
    for each, found in zip(read["findings"], report.findings, strict=True):
        assert ["code", "severity", "message", "session", "attributes", "client", "enrolled", "choice"] == list(each)
        assert (found.code, found.severity, found.message) == (each["code"], each["severity"], each["message"])
        assert each["code"] in CODES
        assert (None if found.session is None else list(found.session)) == each["session"]


def test_a_violation_is_shown_with_the_session_that_shows_it(capsys):
    """In the words of `explain`, under the verdict; and `explain` tells that it ends in tokens."""
    _, out, _ = run(capsys, example("password_or_code"), "--require", "knowledge")
    lines = out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("error   WW102"))
    command = shlex.split(lines[place + 1])
    assert ["watchword", "explain", example("password_or_code"), "--session", "email_otp+"] == command
    assert 0 == main(command[1:])
    assert "decision: tokens" in capsys.readouterr().out


def test_a_sound_flow_ends_with_what_was_proved(capsys):
    """The last line names the flow, the states and each property; what was required is quoted."""
    _, out, _ = run(capsys, example("srp_then_code"), "--require", "knowledge and possession")
    last = out.splitlines()[-1]
    for part in (
        '"srp_then_code" is sound. Proved over 42 states and 147 transitions: ',
        "tokens need proof",
        "every path meets (knowledge and possession)",
        "after 11 rounds at most",
        "1e-06",
    ):
        assert part in last
    _, out, _ = run(capsys, example("srp_then_code"))
    assert "every path meets" not in out


STRICT = [
    ("errors", "captcha_only", "", 1),
    ("warnings", "srp_then_code", "", 1),
    ("warnings accepted", "srp_then_code", '[accept]\nWW206 = "seen to"\nWW207 = "admin_only"\n', 0),
    ("one of two accepted", "srp_then_code", '[accept]\nWW206 = "seen to"\n', 1),
]


@pytest.mark.parametrize(("name", "accept", "status"), [case[1:] for case in STRICT], ids=[case[0] for case in STRICT])
def test_strict_takes_warnings_for_errors(name, accept, status, tmp_path, capsys):
    """The status is 1 until each is mended or accepted; what is printed is the same but for the last line."""
    path = tmp_path / "flow.toml"
    text = Path(example(name)).read_text()
    path.write_text(text.replace("[[steps]]", f"{accept}\n[[steps]]", 1))
    _, plain, _ = run(capsys, str(path))
    code, out, err = run(capsys, str(path), "--strict")
    assert (status, "") == (code, err)
    assert plain.splitlines()[:-1] == out.splitlines()[:-1]
    told = [line for line in out.splitlines() if line.startswith(("error", "warning"))]
    assert (status == 1) is bool(told)
    warned = sum(line.startswith("warning") for line in told)
    refused = f"is sound, but --strict refuses {warned} warning{'s' * (warned > 1)}. Proved over"
    assert (refused in out.splitlines()[-1]) is (status == 1 and name != "captcha_only")
    assert run(capsys, str(path), "--strict", "--json")[0] == status


def test_a_flow_with_errors_ends_with_their_number(capsys):
    """Nothing is claimed to be proved."""
    _, out, _ = run(capsys, example("captcha_only"))
    assert '"captcha_only" is not sound: 1 error in 20 states and 54 transitions' == out.splitlines()[-1]
    assert "Proved" not in out


def test_nothing_is_claimed_of_what_was_accepted(tmp_path, capsys):
    """An accepted error is a note with its reason, the status is 0, and the last line names it instead of a claim."""
    path = tmp_path / "guests.toml"
    path.write_text('[accept]\nWW101 = "a guest book"\n[[steps]]\nkind = "captcha"\n')
    status, out, _ = run(capsys, str(path))
    assert 0 == status
    assert "(accepted: a guest book)" in out
    assert "tokens need proof" not in out.splitlines()[-1]
    assert out.splitlines()[-1].endswith("accepted: WW101")


def test_figures_are_printed_under_the_verdicts(capsys):
    """Rounds, guesses and messages; a flow that sends nothing cannot be locked out of mail."""
    _, out, _ = run(capsys, example("email_code"))
    assert "longest path             8 rounds" in out
    assert "guessed in a user-day    4.9e-07" in out
    _, out, _ = run(capsys, example("captcha_only"))
    assert "sign-ins that lock messages  none" in out


WRONG = [
    ("nowhere.toml", "nowhere.toml"),
    ("{good} --require 'knowledge and'", "require: a term is missing"),
    ("{good} --require ''", "--require is empty"),
    ("{good} --require ' '", "--require is empty"),
    ("{good} --require nosuch", "'nosuch' is no factor and no kind"),
    ("{good} --session-minutes 2", "--session-minutes: '2' is no whole number from 3 to 15"),
    ("{good} --session-minutes nan", "3 to 15"),
    ("{good} --session-minutes soon", "--session-minutes"),
    ("templates.toml", "step 'email_otp': email_otp: templates: 'nope' is no folder"),
    ("fonts.toml", "step 'captcha': captcha: "),
    ("{good} --limit 5", "more than 5 states"),
    ("{good} --limit 0", "'0' is no whole number"),
    ("{good} --limit 1e3", "'1e3' is no whole number"),
]


@frozen
class Looking:
    """A kind that has something to look at; *raises* is what comes of it."""

    raises: Exception | None = None

    kind: ClassVar[str] = "looking"
    proves: ClassVar[frozenset[str]] = frozenset({"inherence"})

    def create(self, request):
        """Ask nothing."""

    def verify(self, request):
        """Judge nothing."""

    def guess_probability(self):
        """Be guessed by nobody."""
        return 0.0

    def prepare(self):
        """Look."""
        if self.raises:
            raise self.raises


@frozen
class LookingWithAModule(Looking):
    """One that needs a module that is not here."""

    requires_create: ClassVar[tuple[str, ...]] = ("no_such_module",)
    requires_verify: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = "looking[module]"


UNSEEN = {
    "nothing to refuse": (Looking(), 0, ""),
    "refused": (
        Looking(ConfigurationError("looking: 'nope' is no folder")),
        2,
        "step 'look': looking: 'nope' is no folder",
    ),
    "no machine": (
        Looking(OSError("a secret")),
        0,
        "step 'look': what its settings name was not looked at: that ended with OSError here",
    ),
    "no module": (
        LookingWithAModule(OSError("x")),
        0,
        "step 'look': what its settings name was not looked at: a module is missing",
    ),
}


@pytest.mark.parametrize(("looking", "status", "told"), UNSEEN.values(), ids=UNSEEN)
def test_settings_are_looked_at_or_said_to_be_unseen(looking, status, told, capsys, monkeypatch):
    """Whatever can be looked at on this machine is: what a build would refuse, a check refuses; the rest it says."""
    module = type(sys)("flow_that_looks")
    module.flow = Flow(one_of(named("look", looking), EmailOtp()))
    monkeypatch.setitem(sys.modules, "flow_that_looks", module)
    code, out, err = run(capsys, "flow_that_looks:flow")
    assert status == code
    assert told in err + out
    assert ("unseen  " in out) is (bool(told) and not status)
    assert "secret" not in err + out
    if not status:
        _, out, _ = run(capsys, "flow_that_looks:flow", "--json")
        assert (["look"] if told else []) == list(json.loads(out)["unseen"])


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_what_cannot_be_read_is_one_line_and_status_two(words, told, capsys, tmp_path, monkeypatch):
    """Flows, requirements and numbers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "templates.toml").write_text('[[steps]]\nkind = "email_otp"\ntemplates = "nope"\n')
    (tmp_path / "fonts.toml").write_text('[[steps]]\nkind = "captcha"\nfonts = ["nope.ttf"]\n')
    status, out, err = run(capsys, *shlex.split(words.format(good=shlex.quote(example("email_code")))))
    assert (2, "", 1) == (status, out, err.count("\n"))
    assert err.startswith("watchword: error: ")
    assert told in err


def test_progress_is_told_after_a_second_and_once_a_second(capsys):
    """Quick work says nothing; slow work says how far it is, on stderr."""
    now = [100.0]
    progress = Progress("states walked", now=lambda: now[0])
    for later, number in ((0.9, 10), (1.1, 20000), (1.2, 30000), (2.2, 1234567)):
        now[0] = 100.0 + later
        progress(number)
    out, err = capsys.readouterr()
    assert ("", "20,000 states walked …\n1,234,567 states walked …\n") == (out, err)


def test_a_large_flow_tells_its_progress(tmp_path, capsys, monkeypatch):
    """Every state of it is walked under the eyes of the user; standard output stays pure JSON."""
    monkeypatch.setattr("watchword_adapters.cli.progress._EVERY", 0.0)
    monkeypatch.setattr("watchword.analysis.state_space._PROGRESS_EVERY", 5)
    status, out, err = run(capsys, example("srp_then_code"), "--json")
    assert (0, 42) == (status, json.loads(out)["states"])
    assert "5 states walked …" == err.splitlines()[0]
