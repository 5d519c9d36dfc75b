"""What the page on deployment prints builds, deploys and signs in, from a wheel, on an emulator of AWS."""

import json
import os
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from pyotp import TOTP

from conftest import CHECKOUT
from kit.cloud import Cloud
from kit.emulator import mails

PAGE = CHECKOUT / "docs" / "how-to" / "deploy-to-aws.md"


def code_of(cloud, digits, after=0):
    """Return the code in the last mail."""
    assert len(mails(cloud)) > after
    return re.findall(rf"(?<![0-9A-Za-z#])\d{{{digits}}}(?![0-9A-Za-z])", mails(cloud)[-1]["BodyText"])[0]


def signed_in(deployer, client, user, session, code):
    """Answer a mailed code by the command line of AWS; return the tokens."""
    printed = deployer.told(
        f"aws cognito-idp respond-to-auth-challenge --client-id {client} --challenge-name CUSTOM_CHALLENGE"
        f" --session {session} --challenge-responses USERNAME={user},ANSWER={code} --output json"
    )
    return json.loads(printed)["AuthenticationResult"]


def enrolled(deployer, pool, user):
    """Add a user to the pool, with a verified address and a password that nobody knows."""
    deployer.told(
        f"aws cognito-idp admin-create-user --user-pool-id {pool} --username {user} --message-action SUPPRESS"
        f" --user-attributes Name=email,Value={user} Name=email_verified,Value=true &&"
        f" aws cognito-idp admin-set-user-password --user-pool-id {pool} --username {user} --permanent"
        f" --password Aa1-{secrets.token_urlsafe(24)}"
    )


def begun(deployer, client, user="ann@example.com"):
    """Begin a sign-in; return its session."""
    return deployer.told(
        f"aws cognito-idp initiate-auth --client-id {client} --auth-flow CUSTOM_AUTH"
        f" --auth-parameters USERNAME={user} --query Session --output text"
    )


def test_the_page_deploys_and_deploys_a_changed_flow(deployer, cloud):
    """Build, template, upload, deploy; then again: the new flow runs, and a sign-in of the old one goes on to its end."""
    deployer.reads(PAGE, sections=["Before you begin", "Build", "Deploy", "Sign in"])
    pool, client, session = deployer.told('echo "$POOL $CLIENT $SESSION"').split()
    old = code_of(cloud, 8)
    deployer.reads(PAGE, sections=["Deploy a changed flow"])
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(
        signed_in(deployer, client, "ann@example.com", session, old)
    )
    before = len(mails(cloud))
    session = begun(deployer, client)
    assert signed_in(deployer, client, "ann@example.com", session, code_of(cloud, 10, before))
    begun(deployer, client)
    # Three times: a secret keeps two values, so the first key has left by then.
    for user in ("bob@example.com", "cat@example.com", "dan@example.com"):
        enrolled(deployer, pool, user)
        before = len(mails(cloud))
        session = begun(deployer, client, user)
        deployer.reads(PAGE, sections=["Rotate the key", "End warm containers"])
        assert signed_in(deployer, client, user, session, code_of(cloud, 10, before))
    # Ann's budget of messages, which three sign-ins used up, is still hers: by another root she would have another one.
    before = len(mails(cloud))
    begun(deployer, client)
    assert before == len(mails(cloud))
    deployer.reads(PAGE, sections=["Look for what is wrong"])
    assert pool


class Webhook(BaseHTTPRequestHandler):
    """What takes the messages of a plugin's channel."""

    taken: ClassVar[list[dict[str, str]]] = []

    def do_POST(self):
        """Keep the message of whoever has the secret."""
        allowed = self.headers["Authorization"] == "Bearer s3cret"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.extend([body] if allowed else [])
        self.send_response(204 if allowed else 401)
        self.end_headers()

    def log_message(self, *given):
        """Print nothing."""


@pytest.fixture
def webhook():
    """The port of a webhook on this machine, and the messages that it takes."""
    Webhook.taken.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, Webhook.taken
        finally:
            server.shutdown()
            thread.join()


def test_a_plugin_with_a_channel_of_its_own_is_built_deployed_and_signs_in(deployer, webhook):
    """The page on channels from an empty folder: scaffolded, tested, made a wheel, deployed. By boto3 the user signs in with what the webhook got."""
    port, taken = webhook
    deployer.told(f"export COURIER=push://:s3cret@127.0.0.1:{port}/send")
    deployer.reads(CHECKOUT / "docs" / "how-to" / "send-by-a-channel-of-your-own.md")
    deployer.reads(PAGE, sections=["Sign in"])
    pool, client = deployer.told('echo "$POOL $CLIENT"').split()
    deployer.told(
        f"aws cognito-idp admin-update-user-attributes --user-pool-id {pool} --username ann@example.com"
        " --user-attributes Name=custom:push,Value=device-0123 && aws cognito-idp admin-set-user-password"
        f" --user-pool-id {pool} --username ann@example.com --permanent --password Aa1-correct-horse"
    )
    (deployer.folder / "sign_in.py").write_text(SIGN_IN)
    (deployer.folder / "answer.py").write_text(ANSWER)
    session = deployer.told(f"python sign_in.py {pool} {client} ann@example.com")
    (message,) = taken
    assert "device-0123" == message["to"]
    code = re.findall(r"\d{8}", message["text"])[0]
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(
        json.loads(deployer.told(f"python answer.py {client} ann@example.com {code} {session}"))
    )
    assert 1 == len(taken)


def test_the_page_on_production_goes_back(deployer, cloud):
    """To the flow of before: a sign-in by the withdrawn one goes on to its end, and so does the quick way by the old template."""
    deployer.reads(PAGE, sections=["Before you begin", "Build", "Deploy", "Sign in", "Deploy a changed flow"])
    pool, client = deployer.told('echo "$POOL $CLIENT"').split()

    def begins(name):
        """Make a user and begin to sign in; return the session, and the digits of the code."""
        attributes = f"Name=email,Value={name} Name=email_verified,Value=true"
        deployer.told(
            f"aws cognito-idp admin-create-user --user-pool-id {pool} --username {name} --message-action SUPPRESS"
            f" --user-attributes {attributes} && aws cognito-idp admin-set-user-password --user-pool-id {pool}"
            f" --username {name} --permanent --password Aa1-correct-horse"
        )
        session = deployer.told(
            f"aws cognito-idp initiate-auth --client-id {client} --auth-flow CUSTOM_AUTH"
            f" --auth-parameters USERNAME={name} --query Session --output text"
        )
        mail = mails(cloud)[-1]["BodyText"]
        return session, re.findall(r"(?<![0-9A-Za-z#])\d{8,10}(?![0-9A-Za-z])", mail)[0]

    under_way = []
    deployer.meanwhile["begin"] = lambda: under_way.extend(begins("bob@example.com"))
    deployer.meanwhile["end"] = lambda: under_way.append(signed_in(deployer, client, "bob@example.com", *under_way))
    sections = ["Update and go back", "A user's mail does not arrive", "SES in production"]
    deployer.reads(CHECKOUT / "docs" / "how-to" / "run-it-in-production.md", sections=sections)
    _, code, tokens = under_way
    assert 10 == len(code)
    assert tokens
    session, code = begins("carol@example.com")
    assert 8 == len(code)
    assert signed_in(deployer, client, "carol@example.com", session, code)


def test_the_page_moves_users_from_srp_to_a_flow(deployer, cloud):
    """From a pool with one user and one client for SRP to a new client whose flow mails a code, and to the old one closed."""
    srp = "ALLOW_USER_SRP_AUTH ALLOW_REFRESH_TOKEN_AUTH"
    deployer.told(
        'aws s3 mb "s3://$BUCKET" && aws sesv2 create-email-identity --email-identity "$SENDER"'
        " && export POOL=$(aws cognito-idp create-user-pool --pool-name live --query UserPool.Id --output text)"
        f' && export OLD_CLIENT=$(aws cognito-idp create-user-pool-client --user-pool-id "$POOL" --client-name old'
        f" --explicit-auth-flows {srp} --query UserPoolClient.ClientId --output text)"
        ' && aws cognito-idp admin-create-user --user-pool-id "$POOL" --username ann --message-action SUPPRESS'
        " --user-attributes Name=email,Value=ann@example.com Name=email_verified,Value=true"
        ' && aws cognito-idp admin-create-user --user-pool-id "$POOL" --username bob --message-action SUPPRESS'
        ' && aws cognito-idp admin-set-user-password --user-pool-id "$POOL" --username ann --permanent --password Aa1-correct-horse'
    )
    seen = []

    def sign_in():
        """By the new client: the password by SRP, then the code."""
        pool, client = deployer.told('echo "$POOL $CLIENT"').split()
        program = deployer.folder / "sign_in.py"
        program.write_text(SIGN_IN)
        session = deployer.told(f"python sign_in.py {pool} {client} ann")
        seen.append(signed_in(deployer, client, "ann", session, code_of(cloud, 6)))

    deployer.meanwhile["sign_in"] = sign_in
    deployer.reads(CHECKOUT / "docs" / "how-to" / "move-users-to-a-flow.md")
    assert seen
    closed = deployer.told(
        'aws cognito-idp describe-user-pool-client --user-pool-id "$POOL" --client-id "$OLD_CLIENT"'
        " --query UserPoolClient.ExplicitAuthFlows --output text"
    )
    assert "ALLOW_REFRESH_TOKEN_AUTH" == closed
    assert "bob" in deployer.printed


def test_the_page_deploys_a_flow_that_remembers(deployer, cloud):
    """An app is set up through the deployed API, and asked for at the next sign-in; the sign-in of the flow before goes on."""
    sections = ["Before you begin", "Build", "Deploy", "Sign in"]
    deployer.reads(PAGE, sections=sections)
    client, session = deployer.told('echo "$CLIENT $SESSION"').split()
    code = code_of(cloud, 8)
    deployer.reads(PAGE, sections=["A flow that remembers"])
    token = signed_in(deployer, client, "ann@example.com", session, code)["AccessToken"]
    aws, api = Cloud(cloud), deployer.told('echo "$API"')
    if not aws.signs_tokens({"UserPoolId": deployer.told('echo "$POOL"')}):
        message = "ministack signs no tokens: pip install cryptography into its environment"
        pytest.fail(message) if os.environ.get("WATCHWORD_REQUIRE_EMULATOR") == "1" else pytest.skip(message)
    status, shown = aws.asks(f"{api}/totp/begin", "POST", token)
    assert 200 == status
    app = TOTP(shown["public"]["secret"])
    given = {"handle": shown["handle"], "answer": app.now(), "label": "Phone"}
    assert 200 == aws.asks(f"{api}/totp/complete", "POST", token, given)[0]
    before = len(mails(cloud))
    session = begun(deployer, client)
    asked = json.loads(
        deployer.told(
            f"aws cognito-idp respond-to-auth-challenge --client-id {client} --challenge-name CUSTOM_CHALLENGE"
            f" --session {session} --challenge-responses USERNAME=ann@example.com,ANSWER={code_of(cloud, 8, before)}"
            " --output json"
        )
    )
    assert "totp" == asked["ChallengeParameters"]["kind"]
    code = app.at(int(time.time()) + app.interval)
    assert signed_in(deployer, client, "ann@example.com", asked["Session"], code)
    listed = deployer.told('watchword credentials list --pool "$POOL" --store "dynamodb://$CREDENTIALS"')
    assert "Phone" in listed
    deployer.reads(PAGE, sections=["Look for what is wrong"])


def test_the_pages_on_keys_and_the_ledger_make_what_the_command_line_reads(deployer):
    """A key in each of the two places, and the table: by them a user's digest is told, and what is counted is looked for."""
    deployer.reads(CHECKOUT / "docs" / "how-to" / "keep-keys.md", sections=["Make a key"])
    deployer.reads(CHECKOUT / "docs" / "how-to" / "keep-the-ledger-in-dynamodb.md", sections=["Make the table"])
    deployer.reads(CHECKOUT / "docs" / "how-to" / "keep-credentials.md", sections=["Make the table"])
    listed = "watchword credentials list --pool us-east-1_AbCdEf123 --store dynamodb://watchword-credentials"
    assert "there are no such credentials" in deployer.told(listed)
    of_ann = "7c1f0a52-0000-4000-8000-93a1f1d7c1aa --pool us-east-1_AbCdEf123"
    told = {
        deployer.told(f"WATCHWORD_KEY={place} watchword who {of_ann}")
        for place in ("secretsmanager://acme/watchword", "ssm:///acme/watchword")
    }
    (one,) = told
    assert one
    keys = "WATCHWORD_KEY=secretsmanager://acme/watchword WATCHWORD_LEDGER=dynamodb://watchword"
    assert "used this ledger" in deployer.told(f"{keys} watchword unlock {of_ann} 2>&1 || true")


SIGN_IN = """\
import sys, time
import boto3
from watchword_adapters.clock import SystemRandom
from watchword_adapters.srp.client import SrpClient

pool, client, user = sys.argv[1:]
cognito = boto3.client("cognito-idp")
srp = SrpClient(pool, user, "Aa1-correct-horse", random=SystemRandom())
reply = cognito.initiate_auth(ClientId=client, AuthFlow="CUSTOM_AUTH", AuthParameters=srp.auth_parameters())
reply = cognito.respond_to_auth_challenge(
    ClientId=client, ChallengeName=reply["ChallengeName"], Session=reply["Session"],
    ChallengeResponses=srp.answer(reply["ChallengeParameters"], now=time.time()),
)
print(reply["Session"])
"""

ANSWER = """\
import json, sys
import boto3

client, user, code, session = sys.argv[1:]
reply = boto3.client("cognito-idp").respond_to_auth_challenge(
    ClientId=client, ChallengeName="CUSTOM_CHALLENGE", Session=session,
    ChallengeResponses={"USERNAME": user, "ANSWER": code},
)
print(json.dumps(reply["AuthenticationResult"]))
"""
