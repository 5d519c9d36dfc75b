"""What `check` prints under a finding can be pasted: `explain` comes to the decision that the finding is about."""

import contextlib
import io
import json
import shlex
import sys
import types

import pytest
from hypothesis import given, settings

from kit.checked_flows import BROKEN, FACE, PASSKEY, PIN, WORK, Letter, Toy
from kit.dressed_flows import dressed_flows
from kit.random_flows import Password
from watchword import Flow, attribute, check, client, named, one_of, sequence, when
from watchword_adapters.cli import main
from watchword_adapters.cli.commands.check import as_command

KINDS = [WORK, PIN, PASSKEY, FACE, Toy("puzzle", cognitive=True), Letter("letter", frozenset({"possession"}), 2e-8)]
TOKENS = {"WW101", "WW102", "WW103", "WW104", "WW107", "WW203", "WW207", "WW301"}


def run(command):
    """Run *command* as a shell would; return what it prints."""
    program, *words = shlex.split(command)
    assert "watchword" == program
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert 0 == main(words)
    return out.getvalue()


def replayed(command):
    """Return what `explain` says to *command*."""
    return json.loads(run(f"{command} --json"))


@contextlib.contextmanager
def at_hand(flow):
    """Let `flow_at_hand:flow` name *flow* on the command line."""
    sys.modules["flow_at_hand"] = types.SimpleNamespace(flow=flow)
    try:
        yield "flow_at_hand:flow"
    finally:
        del sys.modules["flow_at_hand"]


def shows(flow, require=""):
    """Replay every session that `check` prints for *flow*; return the codes of the findings that had one."""
    codes = set()
    with at_hand(flow) as name:
        for finding in check(flow, require=require).findings:
            if finding.session is None:
                continue
            codes.add(finding.code)
            command = as_command(finding, name)
            told = replayed(command)
            if finding.code in TOKENS:
                assert "tokens" == told["decision"], command
            elif finding.code == "WW201":
                step = told["decision"].removeprefix("present ")
                assert repr(step) in finding.message
                assert hasattr(flow.steps[step].kind, "channel"), command
            elif finding.code == "WW202":
                unknown = replayed(f"{command} --unknown-user")
                assert (told["decision"], told["reason"]) != (unknown["decision"], unknown["reason"]), command
            else:
                assert "WW303" == finding.code
                assert told["decision"] not in {"fail", "tokens"}, command
                assert told["rounds"][-1]["word"].endswith("!")
    return codes


@settings(max_examples=40)
@given(flow=dressed_flows(KINDS, most_steps=4))
def test_every_session_that_is_printed_replays(flow):
    """With the attributes, the app client and the choice that are printed along: tokens, a message, a difference, a way on."""
    shows(flow, require="knowledge and possession")


@pytest.mark.parametrize("name", BROKEN)
def test_the_sessions_of_unsound_flows_replay(name):
    """Each of the flows that were made to be found wrong."""
    flow, asked, code, session = BROKEN[name]
    codes = shows(flow, asked.get("require", ""))
    assert session is None or code in codes


HOSTILE = ["gold", "it's", 'a "b"', "-x", "a=b", "$HOME `id` !x", "ä;|&", ""]


@pytest.mark.parametrize("value", HOSTILE)
def test_values_are_quoted_for_the_shell(value):
    """Whatever an attribute's value or a client's id is."""
    body = sequence(
        Password(),
        when(attribute("custom:tier", value), when(client(value or "x"), WORK, otherwise=PIN), otherwise=PASSKEY),
        Toy("puzzle", cognitive=True),
    )
    flow = Flow(body)
    (finding,) = (each for each in check(flow, require="pin").findings if each.code == "WW102")
    assert {"WW102", "WW301"} <= shows(flow, "proof_of_work")
    assert not finding.attributes


def test_the_choice_of_a_message_is_printed():
    """A message that goes out only to whoever chooses it is shown with the choice; where nobody has to choose, without."""
    body = one_of(named("puzzle", WORK), named("code", KINDS[-1]))
    with at_hand(Flow(body)) as name:
        (finding,) = (each for each in check(Flow(body)).findings if each.code == "WW201")
        assert as_command(finding, name).endswith("--session '' --choice code")
    (finding,) = (each for each in check(Flow(KINDS[-1])).findings if each.code == "WW201")
    assert "" == finding.choice


def test_what_is_printed_is_the_command(tmp_path, capsys):
    """In the lines for people, under the verdict; in JSON in its parts."""
    path = tmp_path / "my flow.toml"
    path.write_text(
        '[[steps]]\nwhen = { attribute = "custom:tier", equals = "gold" }\nthen = { kind = "captcha" }\n'
        'otherwise = { kind = "email_otp" }\n'
    )
    main(["check", str(path)])
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("error   WW101"))
    command = lines[place + 1].strip()
    assert f"watchword explain '{path}' --session captcha+ --attribute custom:tier=gold" == command
    assert "decision: tokens" in run(command)
    main(["check", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)["findings"][0]
    assert (["captcha+"], {"custom:tier": "gold"}, "", "") == tuple(
        found[name] for name in ("session", "attributes", "client", "choice")
    )
