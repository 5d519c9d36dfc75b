"""The studio over HTTP: this machine alone, one origin, one token, and nothing of it is loaded from elsewhere."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys

import pytest

from kit.paths import FLOWS
from kit.studio import EVENT, TOKEN, studio
from watchword_adapters.cli import main
from watchword_adapters.cli.logs.captured_events import MAX_WHOLE
from watchword_adapters.cli.studio.api import MOST_ASKED, TOKEN_HEADER
from watchword_adapters.poolserver.http.application import MAX_BODY
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS

TEXT = (FLOWS / "email_code.toml").read_text()
OPERATION = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
}
BEGIN = json.dumps({"AuthFlow": "CUSTOM_AUTH", "ClientId": "studio", "AuthParameters": {"USERNAME": "ann"}})
PATHS = [
    ("POST", "/"),
    ("GET", "/"),
    ("OPTIONS", "/"),
    ("GET", "/_watchword/studio"),
    ("GET", "/_watchword/studio.js"),
    ("GET", "/us-east-1_Abc123/.well-known/jwks.json"),
    ("OPTIONS", "/_studio/flow"),
    ("POST", "/_studio/flow"),
    ("POST", "/_studio/save"),
    ("POST", "/credentials"),
    ("OPTIONS", "/credentials"),
    ("PUT", "/_watchword/studio"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with studio(tmp_path_factory.mktemp("studio") / "flow.toml", TEXT) as running:
        yield running


def asked(served, method, path, headers=None, body=None, *, host=None):
    """The status, the headers and the text of a reply."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    try:
        connection.putrequest(method, path, skip_host=True)
        sent = {"Host": host or f"127.0.0.1:{served.port}", **OPERATION, **(headers or {})}
        data = (body if body is not None else BEGIN).encode()
        for name, value in {**sent, "Content-Length": str(len(data))}.items():
            connection.putheader(name, value)
        connection.endheaders(data)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://localhost", "file://"]
)
def test_another_origin_gets_nothing(served, method, path, origin):
    """Not even what is public, on any path, with or without the token: a refusal that it may not read either."""
    status, headers, text = asked(served, method, path, {"Origin": origin, TOKEN_HEADER: TOKEN})
    assert status == 403
    assert not any(name.startswith("access-control-") for name in headers)
    assert "acme" not in text
    assert not served.workshop.inspector.mails


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
def test_a_name_that_was_made_to_lead_here_gets_nothing(served, method, path, host):
    """DNS rebinding: the page of another site asks under its own name, and says no Origin where it is the same one."""
    status, _, text = asked(served, method, path, {TOKEN_HEADER: TOKEN}, host=host or " ")
    assert status in {400, 403}
    assert "email" not in text


@pytest.mark.parametrize("path", ["flow", "edit", "money", "save", "events", "host", "replay", "diff", "no"])
@pytest.mark.parametrize("token", [None, "", "t", TOKEN + "t", TOKEN.upper()])
def test_each_question_needs_the_token(served, path, token):
    """Also from this machine."""
    headers = {} if token is None else {TOKEN_HEADER: token}
    assert asked(served, "POST", f"/_studio/{path}", headers, "{}")[0] == 403


def test_nobody_calls_what_the_form_does_not_need(served):
    """From whatever program of this machine: the user of the page remains, with her password, and the flow can be edited."""
    closed = set(OPERATIONS) - {"InitiateAuth", "RespondToAuthChallenge"}
    assert len(closed) > 20
    given = json.dumps({"UserPoolId": "us-east-1_Abc123", "Username": "ann"})
    for name in sorted(closed):
        target = {"x-amz-target": f"AWSCognitoIdentityProviderService.{name}"}
        status, _, text = asked(served, "POST", "/", target, given)
        assert (status, json.loads(text)["__type"]) == (403, "ForbiddenException")
    body = json.dumps({"text": 'name = "sms"\n[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\n'})
    assert asked(served, "POST", "/_studio/edit", {TOKEN_HEADER: TOKEN}, body)[0] == 200
    assert asked(served, "POST", "/")[0] == 200


def test_a_defect_is_told_in_words_that_the_page_can_read(served, monkeypatch, capsys):
    """As JSON, on the page and in the terminal, without the text of what was raised."""

    def fail(*_):
        raise RuntimeError("hush")

    monkeypatch.setattr(served.workshop, "edit", fail)
    status, _, text = asked(served, "POST", "/_studio/edit", {TOKEN_HEADER: TOKEN}, json.dumps({"text": TEXT}))
    assert status == 500
    assert "its terminal says more" in json.loads(text)["message"]
    told = capsys.readouterr().err
    assert "POST /_studio/edit: RuntimeError" in told
    assert "hush" not in text + told


def test_the_page_has_no_secret_and_loads_nothing_from_elsewhere(served):
    """What anybody on this machine may fetch: its files. Nobody frames them, and no other site embeds them."""
    for name in ("studio", "studio.js", "studio.css", "watchword-sign-in.js"):
        status, headers, text = asked(served, "GET", f"/_watchword/{name}")
        assert status == 200
        assert TOKEN not in text
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        outside = set(re.findall(r"(?:src|href|from|import|url)\s*[=(]?\s*[\"']?(https?:[^\"' )]+)", text))
        assert not outside


def test_the_bare_address_leads_to_the_page(served):
    """Which says that the token is missing."""
    status, headers, _ = asked(served, "GET", "/")
    assert (status, headers["location"]) == (303, "/_watchword/studio")


def test_a_log_that_replay_reads_is_explained_and_a_longer_question_refused_with_its_bound(served):
    """Also one that is too large to be read whole, in lines. And the studio goes on."""
    line = json.dumps({**EVENT, "request": {**EVENT["request"], "userAttributes": {"sub": "1" * 100_000}}})
    log = "\n".join([line] * 52)
    assert len(log) > MAX_WHOLE
    status, _, text = asked(served, "POST", "/_studio/replay", {TOKEN_HEADER: TOKEN}, json.dumps({"events": log}))
    assert (status, len(json.loads(text)["events"])) == (200, 50)
    status, _, text = asked(served, "POST", "/_studio/replay", {TOKEN_HEADER: TOKEN}, " " * (MOST_ASKED + 1))
    assert status == 413
    assert str(MOST_ASKED) in text
    assert asked(served, "POST", "/_studio/flow", {TOKEN_HEADER: TOKEN}, "{}")[0] == 200
    assert asked(served, "POST", "/", {}, " " * (MAX_BODY + 1))[0] == 413


def command(folder, *options):
    arguments = [sys.executable, "-m", "watchword_adapters", "studio", "flow.toml", "--no-open", *options]
    return subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_address_is_printed_and_ctrl_c_ends_it(tmp_path):
    """With the token, as one line of JSON; nothing else is printed, and nothing is left behind."""
    (tmp_path / "flow.toml").write_text(TEXT)
    process = command(tmp_path, "--json", "--price", "email=0.001")
    url = json.loads(process.stdout.readline())["url"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/_watchword/studio\?token=[\w-]{22}", url)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
    assert [tmp_path / "flow.toml"] == list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_told(tmp_path, capsys):
    """Status 2, and what to do."""
    (tmp_path / "flow.toml").write_text(TEXT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["studio", str(tmp_path / "flow.toml"), "--no-open", "--port", port]) == 2
    assert "give another --port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--previous", "missing.toml"], "missing.toml"),
        (["--session-minutes", "2"], "--session-minutes: '2' is no whole number from 3 to 15"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(tmp_path, capsys, options, told):
    """Status 2, and which one."""
    (tmp_path / "flow.toml").write_text(TEXT)
    assert main(["studio", str(tmp_path / "flow.toml"), "--no-open", *options]) == 2
    assert told in capsys.readouterr().err


def test_a_price_is_for_a_channel_that_there_is(tmp_path, capsys):
    """That of another kind than the flow has may be given, since the flow will be edited; a wrong word is refused, as by `check`."""
    (tmp_path / "flow.toml").write_text(TEXT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["studio", str(tmp_path / "flow.toml"), "--port", str(taken.getsockname()[1]), "--price"]
        assert main([*command, "fax=1"]) == 2
        assert "sends anything by fax; they send by email, sms" in capsys.readouterr().err
        assert main([*command, "sms=1"]) == 2
        assert "cannot be had" in capsys.readouterr().err


@pytest.mark.parametrize("flow", ["module:flow", "flow.py", "missing.toml"])
def test_what_is_no_toml_file_is_refused(flow, capsys):
    """A flow in Python cannot be edited as a text."""
    assert main(["studio", flow, "--no-open"]) == 2
    assert flow in capsys.readouterr().err
