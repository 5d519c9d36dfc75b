"""`watchword preview`: the kind itself makes the message, whatever its channel is, and nothing is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from watchword_adapters.cli import main

PUSH = """
from typing import ClassVar

import attrs
from attrs import field, frozen

from watchword import Challenge, Flow, Verdict, sequence
from watchword_plugins.srp import Srp


@frozen
class Push:
    channel: ClassVar[str] = "push"
    to: str
    title: str
    body: str
    id: str = ""

    def texts(self):
        return self.title, self.body, "unnamed"


@frozen
class PushCode:
    kind: ClassVar[str] = "push_code"
    proves: ClassVar[frozenset] = frozenset({"possession"})
    channel: ClassVar[str] = "push"
    resend_after: int = 60
    app: str = ""
    fault: str = ""

    def create(self, request):
        if self.fault == "raises":
            raise KeyError("secret")
        if self.fault == "odd":
            return Challenge(messages=("no message",))
        device = request.user.attributes.get("custom:device", "")
        locale = request.user.attributes.get("locale", "")
        text = Push(device, f"{self.app} {locale}", f"{request.code('0123456789', 6)}\\x1b[31m")
        return Challenge(messages=(text,) if device else (), reason="" if device else "no_device")

    def verify(self, request):
        return Verdict(right=False)


flow = Flow(sequence(Srp(), PushCode(app="Acme")))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, and temporary files below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    return tmp_path


def previewed(capsys, *arguments):
    """What `preview --json` prints."""
    assert 0 == main(["preview", *arguments, "--json"])
    out = capsys.readouterr().out
    assert out.isascii()  # whatever the terminal's encoding is, it is JSON
    return json.loads(out)


def refused(capsys, *arguments):
    """The error of `preview`, which is about what was given."""
    assert 2 == main(["preview", *arguments])
    return capsys.readouterr().err


def test_a_mail_is_shown_in_a_language(capsys):
    """Subject and text in the terminal, the HTML in a file of its own."""
    assert 0 == main(["preview", "email_otp", "--locale", "fr", "--set", "app=Acme"])
    out = capsys.readouterr().out
    assert "|   Votre code de " in out
    assert re.search(r"\|       [0-9]{8}\n", out)
    (path,) = re.findall(r"^HTML in (\S+\.html)$", out, re.MULTILINE)
    assert '<html lang="fr">' in Path(path).read_bytes().decode("utf-8-sig")
    assert Path(path).read_bytes().startswith(b"\xef\xbb\xbf")  # no browser takes it for Latin-1
    assert "<html" not in out


def test_the_html_goes_where_it_is_wanted(folder, capsys, monkeypatch):
    """Into a named file, and into the browser."""
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert 0 == main(["preview", "email_otp", "-o", "mail.html", "--open"])
    assert [(folder / "mail.html").as_uri()] == opened
    assert "HTML in mail.html" in capsys.readouterr().out
    assert ["mail.html"] == [each.name for each in folder.iterdir()]


def test_what_an_application_is_called_is_no_html(capsys):
    """The name is a setting; in HTML it stays a text."""
    html = previewed(capsys, "email_otp", "--set", "app=<img src=x onerror=alert(1)>")["texts"]["html"]
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_the_same_message_each_time(capsys):
    """Made-up values, and no clock: what is printed can stand on a page."""
    assert previewed(capsys, "email_otp") == previewed(capsys, "email_otp")


def test_an_sms_is_shown_with_its_parts_and_what_it_binds(capsys):
    """By which its price is known, and where a browser offers the code."""
    assert 0 == main(["preview", "sms_otp", "--set", "origin=https://login.example.com", "--set", "length=8"])
    out = capsys.readouterr().out
    (code,) = set(re.findall(r"\b[0-9]{8}\b", out))
    assert re.search(r"^GSM-7, 1[0-9]{2} units, 1 part$", out, re.MULTILINE)
    assert f"the last line binds {code} to login.example.com" in out
    assert "countries is made up: ('+1',)" in out
    shown = previewed(capsys, "sms_otp", "--locale", "ja", "--set", "origin=https://login.example.com")
    assert ("UCS-2", 2, "login.example.com") == (
        *(shown["sms"][each] for each in ("alphabet", "parts")),
        shown["sms"]["binds"]["site"],
    )
    assert {"countries": ["+1"]} == shown["made_up"]
    assert previewed(capsys, "sms_otp")["sms"]["binds"] is None


def test_settings_are_written_as_in_a_flow(capsys):
    """TOML where it is TOML, else a text."""
    arguments = ("sms_otp", "--set", 'countries=["+49", "+43"]')
    assert previewed(capsys, *arguments)["to"].startswith("+49")
    shown = previewed(
        capsys, *arguments, "--attribute", "phone_number=+4915112345678", "--set", "length=10", "--set", 'app="2024"'
    )
    assert ("+4915112345678", {}) == (shown["to"], shown["made_up"])
    assert re.match(r"[0-9]{10} ", shown["texts"]["text"])
    assert shown["texts"]["text"].endswith("\n2024")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("emial_otp", "did you mean email_otp"),
        ("totp", "totp sends no message"),
        ("srp", "srp sends no message"),
        ("email_otp --locale xx", "there are templates for ar, de, en"),
        ("email_otp --locale ../en", "language tag"),
        ("email_otp --set length=4", "length must be"),
        ("email_otp --set attempt=4", "did you mean attempts"),
        ("email_otp --set length", "NAME=VALUE"),
        ("email_otp --set =4", "NAME=VALUE"),
        ("email_otp --set length=8 --set length=8", "given twice"),
        ("email_otp --templates a --set templates=b", "given twice"),
        ("email_otp --templates nowhere", "no folder"),
        ("totp --templates nowhere", "--templates: totp has no setting of this name"),
        ("email_otp --attribute email=nobody", "makes no message (unusable_address)"),
        ("sms_otp --attribute phone_number=+4915112345678", "country_not_allowed"),
        ("passkey", "passkey needs rp_id, origins: give each with --set NAME=VALUE"),
        ("passkey --set rp_id=localhost --set origins=[", "origins"),
        ("sms_otp --open", "sms_otp makes no HTML"),
        ("email_otp --json --open", "leave out --open"),
        ("email_otp --flow nowhere.toml", "nowhere.toml"),
        ("email_otp --lint", "--templates FOLDER"),
        ("email_otp --lint --templates x --locale fr", "leave out --locale"),
        ("totp --lint", "totp has no templates"),
        ("", "KIND"),
    ],
)
def test_what_is_given_wrongly_is_told(arguments, told, capsys):
    """In one line, with status 2."""
    assert told in refused(capsys, *arguments.split())


def test_a_step_of_a_flow_has_its_settings(folder, capsys):
    """And more of them on the command line."""
    (folder / "flow.toml").write_text(
        '[[steps]]\nkind = "srp"\n[[steps]]\nkind = "email_otp"\nname = "mail"\napp = "Acme"\nlength = 10\n'
    )
    shown = previewed(capsys, "mail", "--flow", "flow.toml", "--set", "locale=de")
    assert "Ihr Anmeldecode Acme" == shown["texts"]["subject"].strip()
    assert re.search(r"\b[0-9]{10}\b", shown["texts"]["text"])
    assert "no step 'email_otp'" in refused(capsys, "email_otp", "--flow", "flow.toml")
    assert "length must be" in refused(capsys, "mail", "--flow", "flow.toml", "--set", "length=1")
    assert "no such setting" in refused(capsys, "mail", "--flow", "flow.toml", "--set", "colour=red")
    assert "overwritten" in refused(capsys, "mail", "--flow", "flow.toml", "-o", "flow.toml")


def test_a_link_is_shown_in_its_mail(capsys):
    """To a made-up place, which the output tells."""
    shown = previewed(capsys, "magic_link", "--locale", "ar")
    assert "https://app.example/sign-in#" in shown["texts"]["text"]
    assert 'dir="rtl"' in shown["texts"]["html"]
    assert {"web": "https://app.example/sign-in"} == shown["made_up"]["redirects"]
    given = ("--set", 'redirects={web = "https://acme.example/in"}')
    assert "https://acme.example/in#" in previewed(capsys, "magic_link", *given)["texts"]["html"]


def test_a_kind_of_a_channel_of_its_own_is_shown(folder, capsys):
    """By the texts of its message, under the names that they have there; no sign in them moves the terminal."""
    (folder / "pushing.py").write_text(PUSH)
    arguments = ["push_code", "--flow", "pushing:flow", "--attribute", "custom:device=d-1"]
    shown = previewed(capsys, *arguments, "--locale", "nl")
    assert ("push", "d-1", None) == tuple(shown[key] for key in ("channel", "to", "sms"))
    assert {"title": "Acme nl", "text 3": "unnamed"} == {key: shown["texts"][key] for key in ("title", "text 3")}
    assert 0 == main(["preview", *arguments])
    out = capsys.readouterr().out
    assert "push_code: a message by push to d-1" in out
    assert "\x1b" not in out
    assert "no_device" in refused(capsys, *arguments[:3])
    for fault, told in (("raises", "create() raises KeyError"), ("odd", "no attrs class")):
        assert 1 == main(["preview", *arguments, "--set", f"fault={fault}"])
        err = capsys.readouterr().err
        assert told in err
        assert "secret" not in err
