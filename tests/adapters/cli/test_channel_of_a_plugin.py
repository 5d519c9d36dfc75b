"""Every command takes a flow that sends by a channel of which Watchword knows nothing, from the wheel of a scaffolded plugin."""

import io
import re
import subprocess
import sys
import time

import boto3
import pytest

from kit.served_pool import PASSWORD, served
from kit.wheel import made_wheel
from watchword import ConfigurationError, Registry, load_flow
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.cli import main
from watchword_adapters.cli.studio.workshop import Workshop
from watchword_adapters.clock import SystemRandom
from watchword_adapters.couriers import Outbox
from watchword_adapters.srp import SrpClient

pytestmark = pytest.mark.exhaustive

CHANNEL, SCHEME = "pager-9_x", "pager-9-x"
ATTRIBUTE = f"custom:{CHANNEL}=device-0123"
URL = f"{SCHEME}://:s3cret@127.0.0.1:9/send"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with nothing but the plugin, installed from its wheel."""
    folder = tmp_path_factory.mktemp("plugin")
    project = folder / "project"
    assert 0 == main(["new", "plugin", "beep", "--channel", CHANNEL, "--directory", str(project)])
    wheel, place = made_wheel(project, folder), folder / "site"
    subprocess.run([*PIP, "install", "--no-index", "--no-deps", "--target", place, wheel], check=True)
    (place / "flow.toml").write_text((project / "flow.toml").read_text())
    return place


@pytest.fixture
def told(site, tmp_path, monkeypatch, capsys):
    """A function that runs a command in an empty folder with the flow, and returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(site))
    (tmp_path / "flow.toml").write_text((site / "flow.toml").read_text())
    yield lambda *words, status=0: _told(words, status, capsys)
    for name in [name for name in sys.modules if name.startswith("watchword_beep")]:
        del sys.modules[name]


def _told(words, status, capsys):
    actual = main([str(word) for word in words])
    printed = capsys.readouterr()
    assert status == actual, printed.out + printed.err
    return printed.out + printed.err


def test_it_is_listed_and_looked_at(told):
    """By `kinds`, `check`, `explain`, `graph` and `diff`."""
    assert "beep" in told("kinds")
    report = told("check", "flow.toml")
    assert '"beep" is sound' in report
    assert f"a message by {CHANNEL}" in report
    assert "present beep" in told("explain", "flow.toml", "--session", "srp_a+ password_verifier+")
    assert "step_beep" in told("graph", "flow.toml")
    assert told("diff", "flow.toml", "flow.toml")


def test_it_is_played(told, monkeypatch):
    """`try` shows the message with its channel and its recipient."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n\n:quit\n"))
    assert f"{CHANNEL} to device-0123" in told("try", "flow.toml", "--attribute", ATTRIBUTE, status=1)


def test_it_is_built_and_described(told, tmp_path):
    """`build` and `template` take its courier, and say which one is missing; `doctor` finds nothing wrong with the template."""
    assert f"the flow sends by {CHANNEL!r}, which ses cannot carry: add --courier {SCHEME}" in told(
        "build", "flow.toml", status=2
    )
    assert "watchword_beep_courier.py" in told("build", "flow.toml", "-o", "dist", "--courier", SCHEME)
    dist = ("--dist", "dist", "--attribute", f"custom:{CHANNEL}", "-o", "stack.yaml")
    told("template", "flow.toml", *dist)
    text = (tmp_path / "stack.yaml").read_text()
    assert "CourierUrl" in text
    assert f"Name: {CHANNEL}" in text
    assert "Sender" not in text
    refused = told("template", "flow.toml", *dist, "--courier", URL, status=2)
    assert "give it as the parameter CourierUrl" in refused
    assert "s3cret" not in refused
    told("doctor", "flow.toml", "--template", "stack.yaml", "--dist", "dist")


def test_what_is_missing_is_named_by_its_channel(told):
    """With the schemes that are installed for it, whatever else is set."""
    for url in ("", "ses://?from=a%40example.com"):
        remedy = (
            "add to WATCHWORD_COURIER, with a space between, a URL of" if url else "set WATCHWORD_COURIER to a URL of"
        )
        wanted = f"sends by {CHANNEL!r} and no courier does: {remedy} console:, {SCHEME}:"
        with pytest.raises(ConfigurationError, match=re.escape(wanted)):
            triggers(load_flow("flow.toml"), key=bytes(range(32)), environment={"WATCHWORD_COURIER": url})
    for url in (URL, "console:"):
        assert triggers(load_flow("flow.toml"), key=bytes(range(32)), environment={"WATCHWORD_COURIER": url})


def test_whatever_sends_nothing_takes_its_messages(told, capsys):
    """The outbox and the console carry any channel."""
    registry = Registry()
    assert ("console", SCHEME) == registry.schemes(CHANNEL)
    load_flow("flow.toml")
    message = sys.modules["watchword_beep"].Pager9XMessage("device-0123", "12345678 is your code.\n", id="1")
    outbox = Outbox()
    outbox.send(message, 1)
    assert [message] == outbox.messages
    registry.find_courier("console:").send(message, 1)
    printed = capsys.readouterr().out
    assert "To: device-0123" in printed
    assert "12345678 is your code." in printed


def test_it_is_previewed(told):
    """`preview` makes the message for a made-up user, and says what it needs."""
    assert "no_recipient" in told("preview", "beep", status=2)
    shown = told("preview", "beep", "--attribute", ATTRIBUTE)
    assert f"beep: a message by {CHANNEL} to device-0123" in shown
    assert "is your code to sign in." in shown


def test_it_is_served(site, tmp_path, monkeypatch):
    """`serve` keeps the message in its outbox, with its channel, and the user signs in."""
    monkeypatch.setenv("PYTHONPATH", str(site))
    users = tmp_path / "users.toml"
    users.write_text(
        f'[[users]]\nname = "ann"\npassword = "{PASSWORD}"\nemail = "ann@example.com"\n'
        f'attributes = {{ "custom:{CHANNEL}" = "device-0123" }}\n'
    )
    with served("--users", str(users), flow=site / "flow.toml") as pool:
        cognito = boto3.client(
            "cognito-idp",
            endpoint_url=pool.endpoint,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",
        )
        srp = SrpClient(pool.pool_id, "ann", PASSWORD, random=SystemRandom())
        reply = cognito.initiate_auth(
            ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=srp.auth_parameters()
        )
        answer = srp.answer(reply["ChallengeParameters"], now=time.time())
        reply = _answered(cognito, pool, reply, **answer)
        (message,) = pool.get("/_watchword/outbox.json")
        assert (CHANNEL, "device-0123", "", "ann") == tuple(
            message[name] for name in ("channel", "to", "link", "username")
        )
        reply = _answered(cognito, pool, reply, USERNAME="ann", ANSWER=pool.newest_code())
        assert "AccessToken" in reply["AuthenticationResult"]


def test_it_is_played_in_the_studio(told, tmp_path):
    """Its user has the attributes that are given, and the message is shown."""
    workshop = Workshop(tmp_path / "flow.toml", {f"custom:{CHANNEL}": "device-0123"})
    pool, srp = workshop.pool, SrpClient(workshop.pool.pool_id, "ann", PASSWORD, random=SystemRandom())
    reply = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters=srp.auth_parameters())
    answer = srp.answer(reply["ChallengeParameters"], now=workshop.clock.now())
    reply = _answered(pool, pool, reply, **answer)
    assert "beep" == reply["ChallengeParameters"]["step"]
    assert [(CHANNEL, "device-0123")] == [(mail.channel, mail.to) for mail in workshop.inspector.mails]
    with pytest.raises(ConfigurationError, match="the pool refuses the user"):
        Workshop(tmp_path / "flow.toml", {f"custom:{CHANNEL}": "x" * 3000})


def _answered(cognito, pool, reply, **answer):
    return cognito.respond_to_auth_challenge(
        ClientId=pool.client_id,
        ChallengeName=reply["ChallengeName"],
        Session=reply["Session"],
        ChallengeResponses=answer,
    )


def test_it_is_attacked(told):
    """Each user has a recipient of their own, and no attack succeeds."""
    own = f"custom:{CHANNEL}={{user}}-device-0123"
    assert " 0 succeeded." in told("attack", "flow.toml", "--cases", "600", "--seed", "1", "--attribute", own)
