"""`watchword diff`: what a changed flow changes, with sessions that can be pasted, and a status for scripts."""

from __future__ import annotations

import json
import shlex

import pytest

from kit.paths import FLOWS
from watchword import load_flow
from watchword.analysis.difference import difference
from watchword_adapters.cli import main
from watchword_adapters.cli.difference_json import WRITTEN_OTHERWISE

EXAMPLES = sorted(FLOWS.glob("*.toml"))


def example(name):
    """Return the path of an example flow."""
    return str(FLOWS / f"{name}.toml")


def run(capsys, *words):
    """Return the status, what was printed and what was said on stderr."""
    status = main(["diff", *words])
    return (status, *capsys.readouterr())


@pytest.mark.parametrize("old", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("new", EXAMPLES, ids=lambda path: path.stem)
def test_every_command_that_is_printed_explains_the_decision_above_it(old, new, capsys):
    """Each example with each: 0 and one line for a flow and itself, else 1; a pasted command decides as is said."""
    status, out, err = run(capsys, str(old), str(new))
    assert (int(old != new), "") == (status, err)
    if old == new:
        assert out == "no difference\n"
        return
    told, pasted = {}, 0
    for line in out.splitlines():
        if line.startswith("after "):
            old_told, _, new_told = line.partition(" OLD: ")[2].partition("; NEW: ")
            told = {str(old): old_told, str(new): new_told}
        elif line.startswith("        "):
            words = shlex.split(line)[1:]
            assert 0 == main([*words, "--json"])
            explained = json.loads(capsys.readouterr().out)["decision"]
            said = told[words[1]]
            expected = {"tokens": "issue tokens", "fail": "fail"}.get(explained)
            assert said == expected or (expected is None and explained.split()[-1] in f"{said} select")
            pasted += 1
    assert pasted


def test_the_json_has_its_shape(capsys):
    """Exactly these keys; the values are those of `difference`."""
    old, new = example("email_code"), example("srp_then_code")
    status, out, err = run(capsys, old, new, "--json")
    read = json.loads(out)
    assert (1, "") == (status, err)
    assert ["same", "old", "new", "survives", "sessions", "changes", "differences", "in_flight"] == list(read)
    found = difference(load_flow(old), load_flow(new))
    assert {"flow": "email_code", "fingerprint": found.old.fingerprint, "weakest": [["possession"]]} == read["old"]
    assert {
        "flow": "srp_then_code",
        "fingerprint": found.new.fingerprint,
        "weakest": [["knowledge", "possession"]],
    } == read["new"]
    assert (False, False) == (read["same"], read["survives"])
    assert [list(each.session) for each in found.divergences] == [each["session"] for each in read["sessions"]]
    assert all(["session", "attributes", "client", "enrolled", "old", "new"] == list(each) for each in read["sessions"])
    assert all(["what", "old", "new"] == list(each) for each in read["changes"])
    status, out, _ = run(capsys, old, old, "--json")
    assert (0, True) == (status, json.loads(out)["same"])


TIERS = """
[[steps]]
kind = "srp"
[[steps]]
when = { attribute = "custom:tier", equals = "gold" }
then = { kind = "captcha" }
otherwise = { kind = "email_otp" }
"""
TEXTS = {
    "a limit": ('[limits]\nguesses = "20/day"\n', "", ["limits.guesses: OLD: 20/day; NEW: 10/day", "sign-ins under way go on"]),
    "whose session": (
        "", TIERS,
        ["(where custom:tier = gold): OLD: ask for email_otp", "the weakest paths prove: ", "unless NEW is built with OLD: watchword build new.toml --previous old.toml"],
    ),
    "the beginning": ("", '[[steps]]\nkind = "email_otp"\n', ["after the beginning: OLD: fail; NEW: ask for email_otp"]),
    "nobody": ("", '[[steps]]\nkind = "captcha"\n', ["NEW: no factor"]),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("above", "new", "told"), TEXTS.values(), ids=TEXTS)
def test_what_is_told(above, new, told, folder, capsys):
    """Limits, whose session it is, what the weakest paths prove, and whether sign-ins under way go on."""
    both = '[[steps]]\nkind = "srp"\n[[steps]]\nkind = "email_otp"\n'
    (folder / "old.toml").write_text(above + both)
    (folder / "new.toml").write_text(new or both)
    status, out, _ = run(capsys, "old.toml", "new.toml")
    assert 1 == status
    for line in told:
        assert line in out


PASSED = '[[steps]]\nkind = "srp"\n'
GOLDEN = '[[steps]]\nwhen = { attribute = "custom:tier", equals = "gold" }\n'
UNTOLD = {
    "another order": (
        '[[steps]]\none_of = [{ kind = "captcha" }, { kind = "email_otp" }]\n',
        '[[steps]]\none_of = [{ kind = "email_otp" }, { kind = "captcha" }]\n',
        ("order", "after the beginning: choose one of captcha, email_otp before, choose one of email_otp, captcha now"),
    ),
    "written in another way": (
        PASSED + GOLDEN + 'then = { sequence = [{ kind = "captcha" }, { kind = "email_otp" }] }\n',
        PASSED + GOLDEN + 'then = { kind = "captcha" }\n' + GOLDEN + 'then = { kind = "email_otp" }\n',
        ("fingerprint", WRITTEN_OTHERWISE),
    ),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_whatever_is_not_the_same_is_said(case, folder, capsys):
    """Or a status of 1 has no reason: the order of a choice, and a fingerprint of which no session tells."""
    old, new, told = UNTOLD[case]
    (folder / "old.toml").write_text(old)
    (folder / "new.toml").write_text(new)
    status, out, _ = run(capsys, "old.toml", "new.toml", "--json")
    assert (1, False) == (status, json.loads(out)["same"])
    assert [told] == [(each["kind"], each["message"]) for each in json.loads(out)["differences"]]
    out = run(capsys, "old.toml", "new.toml")[1]
    assert {"order": "NEW: choose one of email_otp, captcha", "fingerprint": WRITTEN_OTHERWISE}[told[0]] in out


WRONG = [
    ("", "OLD"),
    ("{good}", "NEW"),
    ("'' {good}", "OLD is empty"),
    ("{good} ''", "NEW is empty"),
    ("{good} nowhere.toml", "nowhere.toml"),
    ("{good} {good} --limit 5", "more than 5 pairs of states"),
    ("{good} {good} --limit 0", "'0' is no whole number"),
]


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_what_cannot_be_read_is_one_line_and_status_two(words, told, capsys):
    """Nothing is printed but the error."""
    status, out, err = run(capsys, *shlex.split(words.format(good=shlex.quote(example("email_code")))))
    assert (2, "", 1) == (status, out, err.count("\n"))
    assert err.startswith("watchword: error: ")
    assert told in err
