"""`watchword serve` as its users meet it: options, the ready line, the banner, the trace, and how it ends."""

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from queue import Queue

import pytest

from watchword_adapters import cli
from watchword_adapters.cli.local.client_snippets import PoolAccess
from watchword_adapters.cli.local.server_log import ServerLog, say_on_stderr
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.poolserver.http.application import Told
from watchword_adapters.poolserver.http.json_protocol import PREFIX
from watchword_adapters.poolserver.inspector import TriggerRun

pytestmark = pytest.mark.exhaustive

FLOW = 'name = "served"\n[[steps]]\nkind = "email_otp"\nlength = 8\n'
NAMES = ["--pool-id", "us-east-1_Abc123", "--client-id", "c1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a flow, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    (tmp_path / "flow.toml").write_text(FLOW)
    return tmp_path


class Server:
    """A `watchword serve` process, with its lines as they come."""

    def __init__(self, process):
        self.process = process
        self.lines = Queue()
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()
        self.ready = {}

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def until(self, wanted):
        """The lines up to the one that holds *wanted*."""
        seen = []
        while True:
            line = self.lines.get()
            assert line is not None, "\n".join([*seen, self.process.stderr.read()])
            seen.append(line)
            if wanted in line:
                return seen

    def call(self, operation, **parameters):
        request = urllib.request.Request(
            self.ready["endpoint"], json.dumps(parameters).encode(), {"X-Amz-Target": f"{PREFIX}{operation}"}
        )
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def begin(self, name="ann"):
        return self.call("InitiateAuth", ClientId="c1", AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})

    def answer(self, reply, text, name="ann", **metadata):
        responses = {"USERNAME": name, "ANSWER": text}
        return self.call(
            "RespondToAuthChallenge",
            ClientId="c1",
            ChallengeName="CUSTOM_CHALLENGE",
            Session=reply["Session"],
            ChallengeResponses=responses,
            ClientMetadata=metadata,
        )

    def get(self, path):
        with urllib.request.urlopen(f"{self.ready['endpoint']}{path}") as response:
            return json.load(response)

    def code(self):
        return re.search(r"\b\d{8}\b", self.get("/_watchword/outbox.json")[-1]["text"])[0]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait()


@contextlib.contextmanager
def serving(*options, ready=True):
    """Run `watchword serve` with *options* at a free port."""
    command = [sys.executable, "-m", "watchword_adapters", "serve", *options, "--port", "0", *NAMES]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, stdin=subprocess.DEVNULL
    )
    server = Server(process)
    try:
        if ready:
            server.ready = json.loads(server.until("endpoint")[-1])
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        server.reading.join()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One server for the tests that only ask it something."""
    folder = tmp_path_factory.mktemp("flow")
    (folder / "flow.toml").write_text(FLOW)
    with serving(str(folder / "flow.toml"), "--json", "--user", "ann", "--no-open") as server:
        yield server
        assert server.end() == 0
        assert server.process.stderr.read() == ""


def test_the_ready_line_says_what_a_client_needs(quick):
    """One line of JSON, printed when connections are accepted."""
    assert quick.ready.keys() == {"endpoint", "pool_id", "client_id", "credentials_url"}
    assert (quick.ready["pool_id"], quick.ready["client_id"]) == ("us-east-1_Abc123", "c1")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", quick.ready["endpoint"])


def test_what_users_enrol_has_an_api_beside_the_pool(quick):
    """At the address that the ready line says; who has no token is refused there."""
    assert f"{quick.ready['endpoint']}/credentials" == quick.ready["credentials_url"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(quick.ready["credentials_url"])
    with refused.value as reply:
        assert (401, "unauthorized") == (reply.status, json.load(reply)["error"])


def test_a_user_signs_up_and_in_with_codes_from_the_outbox(quick):
    """Nothing but the flow and two addresses: the endpoint and the outbox."""
    email = [{"Name": "email", "Value": "bob@example.com"}]
    signed_up = quick.call("SignUp", ClientId="c1", Username="bob", Password="Passw0rd!x", UserAttributes=email)
    assert not signed_up["UserConfirmed"]
    mail = quick.get("/_watchword/outbox.json")[-1]
    assert (mail["to"], mail["username"]) == ("bob@example.com", "bob")
    code = mail["text"].split()[-1]
    assert quick.call("ConfirmSignUp", ClientId="c1", Username="bob", ConfirmationCode=code) == {}

    reply = quick.begin("bob")
    assert "AuthenticationResult" in quick.answer(reply, quick.code(), "bob")


def test_tokens_are_of_the_local_issuer_unless_told_otherwise(quick, folder):
    """The endpoint and the pool, as pycognito wants it; or Cognito's own address."""
    path = "/us-east-1_Abc123/.well-known/openid-configuration"
    assert quick.get(path)["issuer"] == f"{quick.ready['endpoint']}/us-east-1_Abc123"
    with serving("flow.toml", "--json", "--issuer", "aws") as server:
        assert server.get(path)["issuer"] == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123"


def test_there_are_no_answers_to_be_had(quick):
    """Unless the server was started for that."""
    with pytest.raises(urllib.error.HTTPError) as error:
        quick.get("/_watchword/answers.json?username=ann")
    with error.value:
        assert error.value.code == 404


def test_other_hosts_are_not_answered(quick):
    """Over the network as in the application."""
    port = int(quick.ready["endpoint"].rpartition(":")[2])
    link = http.client.HTTPConnection("127.0.0.1", port)
    link.request("POST", "/", "{}", {"Host": "evil.example", "X-Amz-Target": f"{PREFIX}InitiateAuth"})
    response = link.getresponse()
    assert (response.status, json.loads(response.read())["__type"]) == (403, "ForbiddenException")
    link.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_by_signal(folder, number):
    """Status 0, no traceback, and the port is free, although a client keeps its connection."""
    with serving("flow.toml", "--json") as server:
        port = int(server.ready["endpoint"].rpartition(":")[2])
        link = http.client.HTTPConnection("127.0.0.1", port)
        link.request("OPTIONS", "/")
        link.getresponse().read()
        assert server.end(number) == 0
        assert server.process.stderr.read() == ""
        link.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_the_terminal_shows_how_to_connect_and_what_happens(folder):
    """A banner with a snippet for each client, a few lines for each call, and the trouble that triggers have."""
    with serving("flow.toml", "--user", "ann", "--dev-answers", ready=False) as server:
        banner = "\n".join(server.until("Ctrl-C"))
        endpoint = re.search(r"endpoint (http://127\.0\.0\.1:\d+)", banner)[1]
        for client in ("boto3", "Amplify v6", "amazon-cognito-identity-js", "pycognito"):
            assert client in banner
        assert banner.count(endpoint) == 8
        assert f"{endpoint}/_watchword/sign-in" in banner
        assert "WARNING: --dev-answers" in banner
        server.ready = {"endpoint": endpoint}
        reply = server.begin()
        told = "\n".join(server.until("-> CUSTOM_CHALLENGE"))
        assert re.search(r"\d\d:\d\d:\d\d  InitiateAuth CUSTOM_AUTH ann", told)
        assert "define  session []  ->  present CUSTOM_CHALLENGE" in told
        answer = server.get("/_watchword/answers.json?username=ann")["answer"]
        assert answer == server.code()
        assert answer not in told
        server.answer(reply, answer)
        assert "-> tokens" in server.until("-> tokens")[-1]
        server.answer(reply, answer)
        assert "session can only be used once" in server.until("NotAuthorizedException")[-1]
        assert server.end() == 0
        assert server.process.stderr.read() == ""


def test_the_terminal_tells_a_resend_and_a_mail_that_did_not_go_out(folder):
    """A request for a resend is no wrong answer; that a user has no verified address is told to the developer alone."""
    (folder / "users.toml").write_text(
        '[[users]]\nname = "bob"\npassword = "Passw0rd!x"\nattributes = {email = "bob@example.com", email_verified = "false"}\n'
    )
    with serving("flow.toml", "--users", "users.toml", ready=False) as server:
        server.ready = {"endpoint": re.search(r"http://127\.0\.0\.1:\d+", server.until("endpoint")[-1])[0]}
        reply = server.begin("bob")
        ref = reply["ChallengeParameters"]["ref"]
        why = f"no message was sent for email_otp: authn_code_withheld (reason unverified_address, ref {ref})"
        told = server.until("-> CUSTOM_CHALLENGE")
        assert any(line.endswith(why) for line in told), told
        server.answer(reply, "-", "bob", watchword_action="resend")
        told = "\n".join(server.until("-> CUSTOM_CHALLENGE"))
        assert "verify  a resend is asked for  ->  no answer" in told
        assert "session [email_otp~]" in told
        assert "wrong" not in told.partition("create")[0]
        assert server.end() == 0


def test_quiet_tells_no_calls(folder):
    """The banner is short, and then there is nothing."""
    with serving("flow.toml", "--quiet", ready=False) as server:
        banner = "\n".join(server.until("Ctrl-C"))
        assert "boto3" not in banner
        server.ready = {"endpoint": re.search(r"http://[\d.:]+", banner)[0]}
        server.begin()
        server.end()
        assert server.until("stopped") == ["stopped"]


def test_a_broken_flow_file_leaves_the_last_good_one_and_says_so(folder):
    """Under way, with a sign-in that began before and ends after; then the mended file is in use."""
    path = folder / "flow.toml"
    with serving("flow.toml", "--reload", "--quiet", "--user", "ann", ready=False) as server:
        banner = "\n".join(server.until("Ctrl-C"))
        server.ready = {"endpoint": re.search(r"http://[\d.:]+", banner)[0]}
        reply = server.begin()
        path.write_text("[[steps]\n")
        assert "the last good one goes on" in server.until("flow.toml has changed")[-1]
        assert "ChallengeName" in server.begin()
        path.write_text(FLOW + "attempts = 1\n")
        server.until("is in use")
        assert server.begin()["ChallengeParameters"]["attempts_left"] == "1"
        assert server.answer(reply, "00000000")["ChallengeParameters"]["attempts_left"] == "2"


def test_a_database_keeps_users_and_sign_ins(folder):
    """A front end under development stays signed in over a restart."""
    options = ("flow.toml", "--json", "--database", "pool.db", "--users", "users.json")
    (folder / "users.json").write_text('[{"name": "ann", "email": "ann@example.com"}]')
    with serving(*options) as server:
        tokens = server.answer(server.begin(), server.code())["AuthenticationResult"]
        assert server.end() == 0
    with serving(*options) as server:
        refreshed = server.call("GetTokensFromRefreshToken", ClientId="c1", RefreshToken=tokens["RefreshToken"])
        assert "AuthenticationResult" in refreshed


HANDLERS = """
def define(event, context):
    done = [each["challengeResult"] for each in event["request"]["session"]]
    event["response"] = {"issueTokens": True in done, "failAuthentication": len(done) > 2 and True not in done,
                         "challengeName": "CUSTOM_CHALLENGE"}
    return event

def create(event, context):
    event["response"] = {"publicChallengeParameters": {"hint": "the usual"}, "privateChallengeParameters": {"answer": "42"}}
    return event

def verify(event, context):
    right = event["request"]["privateChallengeParameters"]["answer"]
    event["response"]["answerCorrect"] = event["request"]["challengeAnswer"] == right
    return event
"""


def test_any_three_triggers_can_be_served(folder):
    """Somebody debugs handlers that were there before Watchword, and sees each of their runs."""
    (folder / "handlers.py").write_text(HANDLERS)
    with serving("--triggers", "handlers.py", "--user", "ann", ready=False) as server:
        banner = "\n".join(server.until("Ctrl-C"))
        server.ready = {"endpoint": re.search(r"http://[\d.:]+", banner)[0]}
        reply = server.begin()
        assert reply["ChallengeParameters"] == {"hint": "the usual", "USERNAME": "ann"}
        assert any("hint=the usual" in line for line in server.until("-> CUSTOM_CHALLENGE"))
        assert "AuthenticationResult" in server.answer(reply, "42")
        assert any("verify  answer 42  ->  right" in line for line in server.until("-> tokens"))


def test_failing_triggers_are_rehearsed(folder):
    """The client sees what it would see of Cognito."""
    with serving("flow.toml", "--json", "--user", "ann", "--fail", "create:nothing", "--latency", "0.01") as server:
        assert server.begin()["__type"] == "InvalidLambdaResponseException"


def test_https_is_served_on_request(folder):
    """The certificate to trust is named; its key is nobody's business, and both are gone at the end."""
    with serving("flow.toml", "--json", "--tls", "--user", "ann") as server:
        certificate = Path(server.ready["certificate"])
        assert server.ready["endpoint"].startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=certificate)
        address = f"{server.ready['endpoint']}/us-east-1_Abc123/.well-known/jwks.json"
        with urllib.request.urlopen(address, context=trusting) as response:
            assert json.load(response)["keys"]
        assert (certificate.parent / "key.pem").stat().st_mode & 0o077 == 0
        assert server.end() == 0
        assert not certificate.exists()


def test_a_client_secret_is_demanded_of_every_call(folder):
    """As with an app client that has one."""
    with serving("flow.toml", "--json", "--user", "ann", "--client-secret", "s" * 24) as server:
        assert "SECRET_HASH" in server.begin()["message"]


def test_unknown_users_are_said_to_be_unknown_on_request(folder):
    """LEGACY, as old pools have it."""
    with serving("flow.toml", "--json", "--no-prevent-user-existence-errors") as server:
        assert server.begin("nobody")["__type"] == "UserNotFoundException"


WRONG = [
    ([], "give a FLOW"),
    (["flow.toml", "--triggers", "x.py"], "not both"),
    (["nowhere.toml"], "nowhere.toml"),
    (["flow.toml", "--port", "70000"], "--port 70000"),
    (["flow.toml", "--port", "x"], "--port"),
    (["flow.toml", "--pool-id", "nonsense"], "pool_id"),
    (["flow.toml", "--client-id", "a!"], "client_id"),
    (["flow.toml", "--client-secret", "short"], "client_secret"),
    (["flow.toml", "--session-minutes", "2"], "--session-minutes: '2' is no whole number from 3 to 15"),
    (["flow.toml", "--issuer", "me"], "--issuer"),
    (["flow.toml", "--latency", "-1"], "--latency"),
    (["flow.toml", "--latency", "nan"], "--latency"),
    (["flow.toml", "--fail", "create:never"], "--fail"),
    (["flow.toml", "--users", "nowhere.toml"], "nowhere.toml"),
    (["flow.toml", "--user", ""], "users[0] (--user )"),
    (["flow.toml", "--email-as-username", "--user", "ann"], "--user ann): with --email-as-username"),
    (["flow.toml", "--database", "."], "directory"),
    (["flow.toml", "--database", "flow.toml"], "no database"),
    (["--triggers", "nowhere.py"], "nowhere.py"),
    (["flow.toml", "--other-triggers", "nowhere.py"], "--other-triggers nowhere.py"),
    (["flow.toml", "--other-triggers", "json"], "no function called pre_sign_up, post_confirmation"),
    (["flow.toml", "--pre-token-version", "V9"], "--pre-token-version"),
    (["flow.toml", "--alias", "name"], "--alias"),
    (["--triggers", "a,b"], "three"),
]


@pytest.mark.parametrize(("options", "named"), WRONG, ids=[" ".join(options) or "nothing" for options, _ in WRONG])
def test_what_is_wrong_is_said_in_one_line(folder, capsys, options, named):
    """Before anything is served: status 2, and the option or the file is named."""
    port = [] if "--port" in options else ["--port", "0"]
    assert cli.main(["serve", *options, *port]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("watchword: error: ")
    assert printed.err.count("\n") == 1
    assert named in printed.err


@pytest.mark.parametrize(
    ("options", "kept"), [((), "ann@example.com"), (("--no-verify-before-update",), "new@example.com")]
)
def test_a_changed_address_waits_for_its_code_as_in_the_templates_pool(folder, options, kept):
    """Whoever mistypes it still gets codes; without that setting the new one counts at once, unverified."""
    with serving("flow.toml", "--json", "--user", "ann", *options) as server:
        parameters = {"USERNAME": "ann", "PASSWORD": "Passw0rd!x"}
        begin = {"ClientId": "c1", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        token = server.call("InitiateAuth", **begin)["AuthenticationResult"]["AccessToken"]
        changed = [{"Name": "email", "Value": "new@example.com"}]
        sent = server.call("UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
        assert sent["CodeDeliveryDetailsList"][0]["Destination"] == "n***@e***"
        now = {each["Name"]: each["Value"] for each in server.call("GetUser", AccessToken=token)["UserAttributes"]}
        assert (now["email"], now["email_verified"]) == (kept, str(kept == "ann@example.com").lower())


def test_the_other_triggers_run_too(folder):
    """Those that the module has; the trace names their source and what they said."""
    (folder / "others.py").write_text(
        "def pre_sign_up(event, context):\n"
        "    event['response']['autoConfirmUser'] = True\n"
        "    return event\n"
        "def pre_token(event, context):\n"
        "    added = {'idTokenGeneration': {'claimsToAddOrOverride': {'tier': 'gold'}}}\n"
        "    event['response']['claimsAndScopeOverrideDetails'] = added\n"
        "    return event\n"
    )
    options = ("flow.toml", "--other-triggers", "others.py", "--pre-token-version", "V2_0", "--no-open")
    with serving(*options, ready=False) as server:
        banner = "\n".join(server.until("Ctrl-C"))
        server.ready = {"endpoint": re.search(r"endpoint (\S+)", banner)[1]}
        given = {"ClientId": "c1", "Username": "bob", "Password": "Passw0rd!x"}
        assert server.call("SignUp", **given)["UserConfirmed"] is True
        assert "PreSignUp_SignUp" in server.until("pre_sign_up")[-1]
        parameters = {"USERNAME": "bob", "PASSWORD": "Passw0rd!x"}
        begin = {"ClientId": "c1", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
        token = server.call("InitiateAuth", **begin)["AuthenticationResult"]["IdToken"].split(".")[1]
        assert json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["tier"] == "gold"
        assert "gold" in server.until("pre_token_generation")[-1]


def test_a_missing_extra_is_named(folder, capsys, monkeypatch):
    """With the line that installs it."""
    for module in ("jwt", "cryptography", "uvicorn", "httptools"):
        monkeypatch.setitem(sys.modules, module, None)
        assert cli.main(["serve", "flow.toml"]) == 2
        assert "pip install 'watchword[local]'" in capsys.readouterr().err
        monkeypatch.undo()


def run_of(returned, trigger="define", error=""):
    event = {"userName": "ann", "request": {"session": [], "challengeAnswer": "x"}}
    return TriggerRun(trigger, event, returned, error)


def told_of(*runs, given=None):
    return Told("InitiateAuth", given or {}, {"ChallengeName": "CUSTOM_CHALLENGE"}, "", "", 0.001, runs)


@pytest.mark.parametrize("trigger", ["define", "create", "verify"])
@pytest.mark.parametrize(
    "returned",
    [None, 7, [], {}, {"response": None}, {"response": {}}, {"response": {"publicChallengeParameters": [7]}}],
)
def test_whatever_a_trigger_returns_can_be_told(capsys, trigger, returned):
    """The trace is for those whose triggers are wrong; it must not be what falls over."""
    ServerLog(Terminal(None)).told(told_of(run_of(returned, trigger)))
    assert trigger in capsys.readouterr().out


@pytest.mark.parametrize(
    "given", [{"AuthParameters": 7}, {"Username": ["x"]}, {"AuthFlow": {"a": 1}}, {"ChallengeResponses": [1]}]
)
def test_whatever_a_client_sends_can_be_told(capsys, given):
    """Parameters are told before anybody has checked them."""
    ServerLog(Terminal(None)).told(told_of(given=given))
    assert "InitiateAuth" in capsys.readouterr().out


def test_the_trace_plays_no_tricks_on_the_terminal(capsys):
    """Names and texts come from strangers."""
    ServerLog(Terminal(None)).told(told_of(run_of(None, error="\x1b[2J"), given={"Username": "\x1b]0;x\x07"}))
    assert "\x1b" not in capsys.readouterr().out


FORGED = "x\n12:00:00  SignUp mallory\r\n\x85\u2028> tokens"


@pytest.mark.parametrize(
    "given",
    [
        {"Username": FORGED},
        {"AuthParameters": {"USERNAME": FORGED}},
        {"AuthFlow": FORGED},
        {"ChallengeName": FORGED},
    ],
)
@pytest.mark.parametrize(
    "run",
    [
        run_of(None, error=FORGED),
        run_of({"response": {"challengeName": FORGED, "issueTokens": False, "failAuthentication": False}}),
        run_of({"response": {"publicChallengeParameters": {"a": FORGED, FORGED: "b"}}}, "create"),
        TriggerRun("verify", {"request": {"challengeAnswer": FORGED}}, {"response": {"answerCorrect": False}}),
        TriggerRun(
            "define",
            {"request": {"session": [{"challengeName": FORGED, "challengeResult": True}]}},
            {"response": {"challengeName": FORGED, "issueTokens": False, "failAuthentication": False}},
        ),
    ],
)
@pytest.mark.parametrize("outcome", [("", ""), ("UserLambdaValidationException", FORGED)])
def test_nobody_writes_a_line_of_the_trace_but_the_trace(capsys, given, run, outcome):
    """Whatever a client or a trigger says stays on the line that it belongs to."""

    def lines(given, run, outcome):
        reply = {"ChallengeName": "CUSTOM_CHALLENGE", "ChallengeParameters": {"step": FORGED}}
        ServerLog(Terminal(None)).told(Told("InitiateAuth", given, reply, *outcome, 0.001, (run,)))
        return capsys.readouterr().out

    printed = lines(given, run, outcome)
    head, *rest = printed.splitlines()
    assert "InitiateAuth" in head
    assert rest
    assert all(line.startswith(" " * 11) for line in rest)


@pytest.mark.parametrize(
    "say", [lambda text: ServerLog(Terminal(None)).say(text, True), lambda text: say_on_stderr(text, True)]
)
def test_nobody_writes_a_line_beside_the_trace(capsys, say):
    """Neither what is logged nor what is wrong with a file begins a line of its own."""
    say(FORGED)
    printed = capsys.readouterr()
    assert len((printed.out + printed.err).splitlines()) == 1


def test_a_terminal_that_is_gone_fails_no_sign_in(monkeypatch):
    """Whoever closed it is not asking the pool."""

    class Gone:
        def line(self, text="", style=""):
            raise BrokenPipeError

    ServerLog(Gone()).told(told_of())


def test_a_secret_is_not_given_to_browsers():
    """The snippets of browser clients say so; pycognito's has it."""
    access = PoolAccess("https://127.0.0.1:1", "us-east-1_Abc123", "c1", "s" * 24, "/c.pem")
    snippets = dict(access.snippets())
    assert "s" * 24 in snippets["pycognito"]
    browsers = {title: lines for title, lines in snippets.items() if "browser" in title}
    assert len(browsers) == 2
    assert not any("s" * 24 in lines for lines in browsers.values())
    assert "/c.pem" in snippets["boto3"]
    compile(snippets["boto3"], "boto3", "exec")
    compile(snippets["pycognito"], "pycognito", "exec")
