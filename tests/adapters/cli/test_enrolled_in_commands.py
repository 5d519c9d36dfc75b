"""What is enrolled, in the commands: given to `explain`, printed by `check` and `diff`, drawn by `graph`."""

import json
import shlex

import pytest

from kit.paths import FLOWS
from watchword_adapters.cli import main

EXAMPLE = str(FLOWS / "password_and_app.toml")
PASSWORD = "srp_a+ password_verifier+"


@pytest.fixture
def written(tmp_path):
    """A function that writes a flow whose second step *asks* in the example's place, and returns its path."""

    def write(name, asks):
        path = tmp_path / name
        path.write_text(f'[[steps]]\nkind = "srp"\n[[steps]]\n{asks}\n', encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("options", "decision"),
    [
        ([], "present email_otp"),
        (["--enrolled", "totp"], "present totp"),
        (["--enrolled", "totp", "--unknown-user"], "present email_otp"),
    ],
)
def test_a_session_is_explained_for_what_was_enrolled(options, decision, capsys):
    """Somebody unknown has enrolled nothing."""
    assert 0 == main(["explain", EXAMPLE, "--session", PASSWORD, "--json", *options])
    assert decision == json.loads(capsys.readouterr().out)["decision"]


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        ("password_and_app", "this flow asks for totp only"),
        ("email_code", "this flow asks for nothing that is enrolled"),
    ],
)
def test_a_kind_that_the_flow_does_not_ask_for_is_a_mistake(flow, told, capsys):
    """Most likely in its name."""
    assert 2 == main(["explain", str(FLOWS / f"{flow}.toml"), "--session", "", "--enrolled", "topt"])
    assert f"--enrolled topt: {told}" in capsys.readouterr().err


def test_what_check_prints_can_be_pasted(written, capsys):
    """The command under a finding says what its user has enrolled."""
    main(["check", EXAMPLE])
    commands = [line.strip() for line in capsys.readouterr().out.splitlines() if "--enrolled" in line]
    assert commands
    for command in commands:
        assert 0 == main(shlex.split(command)[1:])
        assert "decision: tokens" in capsys.readouterr().out
    path = written(
        "locked.toml", 'when = { enrolled = "totp" }\nthen = { kind = "email_otp" }\notherwise = { kind = "totp" }'
    )
    assert 1 == main(["check", path, "--json"])
    (finding,) = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["code"] == "WW109"]
    assert ([], PASSWORD.split()) == (finding["enrolled"], finding["session"])


def test_diff_tells_for_whom_two_flows_differ(written, capsys):
    """With commands that explain it, each for its own flow."""
    old = written(
        "old.toml", 'when = { enrolled = "totp" }\nthen = { kind = "totp" }\notherwise = { kind = "email_otp" }'
    )
    new = written("new.toml", 'kind = "email_otp"')
    main(["diff", old, new, "--json"])
    sessions = json.loads(capsys.readouterr().out)["sessions"]
    assert ["totp"] in [each["enrolled"] for each in sessions]
    main(["diff", old, new])
    printed = capsys.readouterr().out
    assert "(where totp is enrolled)" in printed
    commands = [line.strip() for line in printed.splitlines() if line.strip().startswith("watchword explain")]
    assert any("--enrolled totp" in command and "old.toml" in command for command in commands)
    assert not any("--enrolled" in command and "new.toml" in command for command in commands)
    for command in commands:
        assert 0 == main(shlex.split(command)[1:])


def test_diff_tells_that_a_step_enrols(written, capsys):
    """As a change of the step's kind."""
    asks = written("asks.toml", 'kind = "totp"\nname = "app"')
    enrols = written("enrols.toml", 'enrol = { kind = "totp" }\nname = "app"')
    main(["diff", asks, enrols])
    assert "app.kind: OLD: totp; NEW: enrol(totp)" in capsys.readouterr().out


def test_a_diagram_says_for_whom_the_ways_part(capsys):
    """At the fork."""
    assert 0 == main(["graph", EXAMPLE])
    printed = capsys.readouterr().out
    assert "step_totp: totp is enrolled" in printed
    assert "step_email_otp: otherwise" in printed
