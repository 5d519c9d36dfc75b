"""`watchword demo`: it tells a whole sign-in, and its status is 0 only if everything went as it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from watchword import Challenge, Verdict
from watchword.contract.ports import Charge
from watchword_adapters.cli import image_file, main
from watchword_adapters.cli.local import local_run
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins.email_otp import EmailOtp


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """Pictures go to the test's own folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the demo prints, run as a program of its own that has no keyboard and no AWS."""
    folder = tmp_path_factory.mktemp("demo")
    program = [sys.executable, "-m", "watchword_adapters", "demo"]
    environment = {"TMPDIR": str(folder), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        program, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_it_ends_well_without_keyboard_settings_or_aws(told):
    """Status 0 and nothing on stderr."""
    assert (0, "") == (told.returncode, told.stderr)


def test_it_tells_every_part_of_the_sign_in(told):
    """Each call, each trigger with its session, the mail, the wrong answer, the tokens and three attacks."""
    out = told.stdout
    for told_of in (
        "> InitiateAuth",
        "define  session [SRP_A+]  ->  present PASSWORD_VERIFIER",
        "define  session [SRP_A+ PASSWORD_VERIFIER+ captcha+ email_otp- email_otp+]  ->  issue tokens",
        "private  digest=",
        "mail to ann@example.com",
        "error=wrong",
        "ID token: cognito:username=ann, email=ann@example.com",
        "The demo peeked",
        "1. Tokens for a bare SRP_A",
        "2. The code of the sign-in before",
        "3. Guessing the code",
    ):
        assert told_of in out


def test_it_fits_two_screens(told):
    """A reader sees all of it: at most 90 lines, of at most 130 signs, and no picture or token in full."""
    lines = told.stdout.splitlines()
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 130


def test_the_picture_is_where_it_says(told):
    """The path that is printed holds a WebP picture."""
    path = next(line for line in told.stdout.splitlines() if "saved as" in line).rpartition(" ")[2]
    assert Path(path).read_bytes()[8:12] == b"WEBP"


def test_json_holds_the_trace_of_every_call(capsys):
    """Scenes with exchanges, triggers' events and responses, mails, claims; the text of the picture only as an answer."""
    assert 0 == main(["demo", "--json"])
    out, err = capsys.readouterr()
    trace = json.loads(out)
    assert ("", True, "acme") == (err, trace["ok"], trace["flow"])
    scenes = trace["scenes"]
    assert [False] * 4 + [True] * 3 == [scene["attack"] for scene in scenes]
    exchanges = [exchange for scene in scenes[:4] for exchange in scene["exchanges"]]
    assert ["InitiateAuth"] + 4 * ["RespondToAuthChallenge"] == [exchange["operation"] for exchange in exchanges]
    assert [["define"], ["define", "create"], *2 * [["verify", "define", "create"]], ["verify", "define"]] == [
        [call["trigger"] for call in exchange["triggers"]] for exchange in exchanges
    ]
    assert exchanges[-1]["reply"]["AuthenticationResult"]["AccessToken"]
    assert "ann" == scenes[3]["claims"]["id"]["cognito:username"]
    code = exchanges[-1]["sent"]["ANSWER"]
    assert code in scenes[1]["mail"][0]["text"]
    assert code not in json.dumps(exchanges[:3])


def test_open_shows_the_picture(monkeypatch, capsys):
    """--open hands the file to whatever this machine opens pictures with."""
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert 0 == main(["demo", "--open"])
    (address,) = opened
    assert address.startswith("file:///")
    assert address.endswith(".webp")


# Broken twins: the demo must notice.


def failed(capsys) -> str:
    """Run the demo, which must fail, and return what it says."""
    assert 1 == main(["demo"])
    out, err = capsys.readouterr()
    assert "All went as it should" not in out
    assert err.startswith("watchword: error: the tour went otherwise")
    assert 1 == err.count("\n")
    return err


def test_tokens_for_a_bare_srp_a_fail_the_demo(monkeypatch, capsys):
    """A Define that looks at the last result alone gives tokens for a bare SRP_A: the demo ends with 1."""
    real = local_run.triggers

    def naive(*arguments, **settings):
        made = real(*arguments, **settings)

        def define(event, context=None):
            session = event["request"].get("session") or []
            if [True] == [entry["challengeResult"] for entry in session]:
                return {**event, "response": {"issueTokens": True, "failAuthentication": False}}
            return made.define(event, context)

        return define, made.create, made.verify

    monkeypatch.setattr(local_run, "triggers", naive)
    assert "SRP_A" in failed(capsys)


def test_a_code_that_is_always_the_same_fails_the_demo(monkeypatch, capsys):
    """With one code for everybody the replay succeeds: the demo ends with 1."""

    def create(self, request):
        made = EmailOtp.real_create(self, request)
        text = f"Your code is 12345678. Reference: {request.ref}"
        mails = tuple(type(mail)(mail.to, mail.subject, text) for mail in made.messages)
        return Challenge(made.public, {"digest": "x"}, made.carry, mails)

    monkeypatch.setattr(EmailOtp, "real_create", EmailOtp.create, raising=False)
    monkeypatch.setattr(EmailOtp, "create", create)
    monkeypatch.setattr(EmailOtp, "verify", lambda self, request: Verdict(right=request.answer == "12345678"))
    assert "in another sign-in" in failed(capsys)


def test_a_ledger_that_forgets_guesses_fails_the_demo(monkeypatch, capsys):
    """Without a budget every guess is compared: the demo ends with 1."""
    monkeypatch.setattr(MemoryLedger, "charge", lambda self, request, **_: Charge("charged", request.now))
    assert "than the budget allows" in failed(capsys)


def test_a_missing_extra_is_named_with_its_remedy(monkeypatch, capsys):
    """Without the modules for pictures or tokens: status 2 and the line that installs them."""
    monkeypatch.setitem(sys.modules, "jwt", None)
    assert 2 == main(["demo"])
    assert "pip install 'watchword[local]'" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 2 == main(["demo"])
    assert "pip install 'watchword[captcha]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("public", "decoded"),
    [
        ({}, None),
        ({"image": "data:image/png;base64,cGlj"}, ("image/png", b"pic")),
        ({"image": "cGlj", "media_type": "image/webp"}, ("image/webp", b"pic")),
        ({"image": "data:image/png;base64,?"}, None),
        ({"image": "no base64"}, None),
        ({"image": "data:image/png;base64,"}, None),
    ],
)
def test_a_picture_is_read_as_a_data_uri_or_bare(public, decoded):
    """Both encodings of the kind, and nothing for what is no picture."""
    assert decoded == image_file.decode_picture(public)
