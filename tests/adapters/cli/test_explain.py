"""`watchword explain`: a session in words, explained for people and for programs."""

from __future__ import annotations

import json
import shlex

import pytest

from kit.paths import FLOWS
from watchword_adapters.cli import main

LOGIN = "srp_a+ password_verifier+"
TIERS = """
[[steps]]
when = { attribute = "custom:tier", equals = "gold" }
then = { kind = "captcha" }
otherwise = { when = { client = "app-1" }, then = { kind = "email_otp", name = "app_code" }, otherwise = { kind = "email_otp" } }
"""
CHOICE = '[[steps]]\none_of = [{ kind = "email_otp" }, { kind = "captcha" }]\n'


def explained(capsys, flow, session, *options):
    """Return what `explain --json` prints."""
    path = flow if "/" in str(flow) else FLOWS / f"{flow}.toml"
    assert 0 == main(["explain", str(path), "--session", session, "--json", *options])
    out, err = capsys.readouterr()
    assert "" == err
    return json.loads(out)


# Flow, session, decision, what stands in the reason.
TABLE = [
    ("srp_then_code", "", "fail", "srp_required: "),
    ("srp_then_code", "srp_a+", "host PASSWORD_VERIFIER", "proves nothing yet"),
    ("srp_then_code", LOGIN, "present email_otp", "comes next"),
    ("srp_then_code", f"{LOGIN} email_otp-", "present email_otp", "2 tries are left"),
    ("srp_then_code", f"{LOGIN} email_otp~ email_otp+", "tokens", "every step"),
    ("srp_then_code", f"{LOGIN} email_otp- email_otp- email_otp-", "fail", "tries_used_up: "),
    ("srp_then_code", "srp_a+ email_otp+", "fail", "broken: round 2 (email_otp+): "),
    ("email_code", "", "present email_otp", "3 tries are left"),
    ("email_code", "srp_a+", "fail", "unwanted_srp"),
    ("captcha_only", "captcha+", "tokens", "captcha"),
    ("password_or_code", "", "present email_otp", "comes next"),
    ("password_or_code", f"{LOGIN}", "present short_code", "comes next"),
]


@pytest.mark.parametrize(("flow", "session", "decision", "reason"), TABLE)
def test_the_examples_are_explained(flow, session, decision, reason, capsys):
    """In JSON and in lines alike."""
    read = explained(capsys, flow, session)
    assert decision == read["decision"]
    assert reason in read["reason"]
    assert session.split() == [each["word"] for each in read["rounds"]]
    assert 0 == main(["explain", str(FLOWS / f"{flow}.toml"), "--session", session])
    assert [f"decision: {decision}", f"because:  {read['reason']}"] == capsys.readouterr().out.splitlines()[-2:]


def test_the_json_has_its_shape(capsys):
    """Three keys, and seven for each round."""
    read = explained(capsys, "srp_then_code", f"{LOGIN} email_otp-")
    assert ["decision", "reason", "rounds"] == list(read)
    assert [["word", "read", "left", "tries", "resends", "decision", "reason"]] * 3 == [*map(list, read["rounds"])]
    last = read["rounds"][-1]
    assert ({"email_otp": 2}, {"email_otp": 5}) == (last["tries"], last["resends"])
    assert (read["decision"], read["reason"]) == (last["decision"], last["reason"])


def test_a_person_reads_each_round(capsys):
    """Its number and word, how it was read, what is left, the budget and the decision."""
    assert 0 == main(["explain", str(FLOWS / "srp_then_code.toml"), "--session", f"{LOGIN} email_otp~"])
    lines = capsys.readouterr().out.splitlines()
    assert " 3. email_otp~  email_otp: the client asked for another message" in lines
    assert "    left      email_otp (3 tries, 4 resend requests)" in lines
    assert "    budget    email_otp: tries 3, requests for another one 4" in lines
    assert lines[-3].startswith("    decision  present email_otp: ")


def test_conditions_are_decided_by_options(tmp_path, capsys):
    """By attribute, by app client, and by neither for somebody unknown; a value may hold an equals sign."""
    path = tmp_path / "tiers.toml"
    path.write_text(TIERS)
    gold = ("--attribute", "custom:tier=gold", "--attribute", "cognito:user_status=CONFIRMED")
    odd = tmp_path / "odd.toml"
    odd.write_text(TIERS.replace("gold", "a=b"))
    assert "present captcha" == explained(capsys, odd, "", "--attribute", "custom:tier=a=b")["decision"]
    assert "present captcha" == explained(capsys, path, "", *gold)["decision"]
    assert "present app_code" == explained(capsys, path, "", "--client", "app-1")["decision"]
    assert "present email_otp" == explained(capsys, path, "")["decision"]
    assert "present email_otp" == explained(capsys, path, "", *gold, "--unknown-user")["decision"]
    assert "unknown_user: " in explained(capsys, path, "email_otp+", "--unknown-user")["reason"]


def test_a_choice_is_taken_into_account(tmp_path, capsys):
    """What the client asks for now."""
    path = tmp_path / "choice.toml"
    path.write_text(CHOICE)
    assert "select" == explained(capsys, path, "")["decision"]
    assert "present captcha" == explained(capsys, path, "", "--choice", "captcha")["decision"]
    assert "changes nothing" not in explained(capsys, path, "", "--choice", "captcha")["reason"]
    pinned = explained(capsys, path, "captcha-", "--choice", "email_otp")
    assert "present captcha" == pinned["decision"]
    assert pinned["reason"].endswith("; the choice of email_otp changes nothing, since it is not offered here")
    assert "no_choice: " in explained(capsys, path, "select- select- select-")["reason"]


WRONG = [
    ("--session", "--session"),
    ("", "--session"),
    ("--session email_otp", "'email_otp' is no round"),
    ("--session 'nosuch+'", "'nosuch+' is no round"),
    ("--session '' --choice nosuch", "--choice 'nosuch': the flow's steps are captcha"),
    ("--session '' --attribute tier", "NAME=VALUE"),
    ("--session '' --attribute =gold", "NAME=VALUE"),
    (
        "--session '' --attribute custom:teir=gold",
        "--attribute custom:teir: this flow looks at cognito:user_status only",
    ),
    ("--session '' --attribute cognito:user_status=a --attribute cognito:user_status=b", "is given twice"),
]


@pytest.mark.parametrize(("words", "told"), WRONG)
def test_what_cannot_be_read_is_one_line_and_status_two(words, told, capsys):
    """Sessions, choices and attributes."""
    assert 2 == main(["explain", str(FLOWS / "captcha_only.toml"), *shlex.split(words)])
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert told in err
