"""The studio's API: only the page asks, a broken text harms nothing, nothing is overwritten, no secret is shown."""

import json

import pytest

from kit.paths import FLOWS
from watchword import ConfigurationError
from watchword_adapters.cli.studio.api import TOKEN_HEADER, StudioApi
from watchword_adapters.cli.studio.flow_view import step_lines, view_of
from watchword_adapters.cli.studio.workshop import PASSWORD, Workshop, mark_of
from watchword_adapters.poolserver.http.server import LOOPBACK
from watchword_adapters.rest.exchange import HttpRequest

TOKEN = "t" * 22
ORIGIN = f"http://{LOOPBACK}:9480"
TEXT = (FLOWS / "email_code.toml").read_text()


@pytest.fixture
def workshop(tmp_path):
    """A flow in a folder of its own."""
    file = tmp_path / "flow.toml"
    file.write_text(TEXT)
    return Workshop(file)


@pytest.fixture
def ask(workshop):
    """Ask the API as the page does."""
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))

    def asked(path, status=200, headers=None, method="POST", **given):
        sent = {TOKEN_HEADER: TOKEN, "origin": ORIGIN} if headers is None else headers
        reply = api(HttpRequest(method, f"/{path}", {}, sent, json.dumps(given).encode()))
        assert status == reply.status, reply.body
        return json.loads(reply.body)

    return asked


def signed_in(workshop):
    """Sign the user in at the studio's pool, and record what its triggers were told."""
    from watchword_adapters.poolserver.inspector import gathering

    pool = workshop.pool
    with gathering() as runs:
        reply = pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
        code = workshop.inspector.answers_for("ann")[-1].text
        responses = {"USERNAME": "ann", "ANSWER": code}
        given = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": responses, "Session": reply["Session"]}
        done = pool.respond_to_auth_challenge(ClientId=pool.client_id, **given)
    workshop.record(runs)
    return code, done


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({TOKEN_HEADER: "wrong", "origin": ORIGIN}, 403),
        ({TOKEN_HEADER: TOKEN, "origin": "https://evil.example"}, 403),
        ({TOKEN_HEADER: TOKEN, "origin": "null"}, 403),
        ({TOKEN_HEADER: TOKEN}, 200),
    ],
)
def test_only_who_has_the_address_asks(ask, headers, status):
    """A page of another origin gets nothing, whatever it knows."""
    ask("flow", status, headers=headers)


def test_a_broken_text_keeps_the_last_good_flow(ask, workshop):
    """The error has its line; the flow that is played is the one from before."""
    good = workshop.good
    view = ask("edit", text=TEXT.replace("email_otp", "email_opt"))
    assert view["line"] > 0
    assert "did you mean email_otp" in view["error"]
    assert good is workshop.good
    assert "svg" in ask("edit", text=TEXT)


@pytest.mark.parametrize("text", ["", "[", "name = 7", "steps = []", "[[steps]]\n" * 500, "\0", "x" * 200_000])
def test_no_text_ends_the_studio(ask, text):
    """Whatever somebody types: an error, and the page goes on."""
    assert ask("edit", text=text)["error"]
    assert "svg" in ask("edit", text=TEXT)


def test_an_edit_is_in_use_for_the_next_sign_in_and_the_last_goes_on(ask, workshop):
    """Under its own rules."""
    pool = workshop.pool
    begun = pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    ask("edit", text='name = "other"\n[[steps]]\nkind = "email_otp"\nlength = 10\n')
    code = workshop.inspector.answers_for("ann")[-1].text
    given = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeResponses": {"USERNAME": "ann", "ANSWER": code}}
    assert "AuthenticationResult" in pool.respond_to_auth_challenge(
        ClientId=pool.client_id, Session=begun["Session"], **given
    )
    workshop.clock.forward(600)
    pool.initiate_auth(AuthFlow="CUSTOM_AUTH", ClientId=pool.client_id, AuthParameters={"USERNAME": "ann"})
    assert len(workshop.inspector.answers_for("ann")[-1].text) == 10


def test_saving_never_overwrites_what_changed_meanwhile(ask, workshop):
    """The page says so, and nothing is written."""
    mark = ask("flow")["mark"]
    workshop.path.write_text(f"{TEXT}# by another editor\n")
    assert "has changed on disk" in ask("save", 400, text=TEXT, mark=mark)["message"]
    assert workshop.path.read_text().endswith("# by another editor\n")
    assert ask("events")["changed_on_disk"]
    mark = ask("flow")["mark"]
    assert mark_of("new") == ask("save", text="new", mark=mark)["mark"]
    assert workshop.path.read_text() == "new"
    assert [workshop.path] == list(workshop.path.parent.iterdir())


def test_what_happened_is_told_without_secrets(ask, workshop):
    """Each run of a trigger, and where the sign-in stands; no code, no address, no name, no claim."""
    code, done = signed_in(workshop)
    assert "AuthenticationResult" in done
    found = ask("events")["events"]
    assert [each["trigger"] for each in found] == ["define", "create", "verify", "define"]
    assert [each["node"] for each in found if each["trigger"] == "define"] == ["step_email_otp", "tokens"]
    told = json.dumps(found)
    claims = [run for run in (each["event"]["request"].get("privateChallengeParameters") for each in found) if run]
    assert claims
    for secret in (code, "ann@example.com", PASSWORD, '"ann"'):
        assert secret not in told
    assert not ask("events", since=found[-1]["number"])["events"]


def test_the_host_can_be_made_slow_and_stubborn(ask, workshop):
    """The mail is stopped, each trigger is called three times, the clock goes on."""
    before = workshop.clock.now()
    ask("host", forward=3600, mail_down=True, repeats=3)
    assert workshop.clock.now() - before >= 3600
    found = ask("events")
    assert found["mail_down"]
    assert found["repeats"] == 3
    ask("host", mail_down=False)
    assert "AuthenticationResult" in signed_in(workshop)[1]
    assert len(workshop.inspector.mails) == 1
    for wrong in ({"forward": -1}, {"forward": 1e9}, {"repeats": 7}, {"forward": "x"}, {"mail_down": 3}):
        ask("host", 400, **wrong)


def test_findings_stand_beside_their_lines(ask):
    """Each with the session that shows it, as a way through the diagram."""
    view = ask("edit", text=(FLOWS / "captcha_only.toml").read_text())
    found = {each["code"]: each for each in view["findings"]}["WW101"]
    assert [each["node"] for each in found["rounds"]] == ["step_captcha", "tokens"]
    assert found["line"] == step_lines((FLOWS / "captcha_only.toml").read_text())["captcha"]
    assert not view["sound"]


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_node_that_is_played_is_drawn(path):
    """Of each example, and of each session that a finding has."""
    from watchword.loading.registry import Registry

    view = view_of(path.read_text(), path, Registry()).shown()
    for finding in view["findings"]:
        for each in finding["rounds"] or ():
            assert f'data-node="{each["node"]}"' in view["svg"], (finding["code"], each)


def test_captured_events_are_explained(ask):
    """In any form; what cannot be read is told, and never what stands there."""
    event = {
        "version": "1",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_Abc123",
        "userName": "secret-name",
        "callerContext": {"awsSdkVersion": "1", "clientId": "abc"},
        "triggerSource": "DefineAuthChallenge_Authentication",
        "request": {"userAttributes": {"sub": "1"}, "session": []},
        "response": {},
    }
    told = ask("replay", events=json.dumps(event))
    assert told["events"][0]["decision"] == "present email_otp"
    assert "secret-name" not in json.dumps(told)
    assert "hush" not in ask("replay", 400, events="hush {")["message"]


def test_two_flows_are_compared(ask):
    """What changes, a session for each, and both pictures."""
    found = ask("diff", text=(FLOWS / "captcha_only.toml").read_text())
    assert not found["same"]
    assert len(found["svg"]) == 2
    assert {"refused"} <= {each["kind"] for each in found["differences"]}
    assert ask("diff", text=TEXT)["same"]
    assert "no flow" in ask("diff", 400, text="[")["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7", b"\xff", b"[" * 100_000])
def test_odd_bodies_are_refused(workshop, body):
    """With a 400, and no traceback."""
    api = StudioApi(workshop, TOKEN, frozenset({ORIGIN}))
    assert api(HttpRequest("POST", "/edit", {}, {TOKEN_HEADER: TOKEN}, body)).status == 400


def test_a_file_that_is_no_flow_is_refused_at_the_start(tmp_path):
    """By its name."""
    (tmp_path / "flow.toml").write_text("[")
    with pytest.raises(ConfigurationError, match=r"flow\.toml"):
        Workshop(tmp_path / "flow.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Workshop(tmp_path / "none.toml")
