"""`watchword serve --dialect`: the client's sign-in and its API over HTTP, with a software authenticator."""

import json
import urllib.error
import urllib.request

import pytest
from attrs import evolve

from kit.authenticator import Authenticator, decode
from kit.served_pool import served
from watchword_adapters.cli import main
from watchword_adapters.cli.local.client_snippets import PoolAccess

pytestmark = pytest.mark.exhaustive

ORIGIN = "http://localhost:5173"
FLOW = f"""
[[steps]]
one_of = [{{ kind = "email_otp" }}, {{ kind = "passkey", rp_id = "localhost", origins = ["{ORIGIN}"] }}]
"""


@pytest.fixture
def flow(tmp_path):
    path = tmp_path / "flow.toml"
    path.write_text(FLOW)
    return path


def posted(address, body, **headers):
    """Status and body of the reply."""
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.loads(reply.read() or "null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def called(server, operation, **parameters):
    target = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
    return posted(server.endpoint, {"ClientId": server.client_id} | parameters, **target)[1]


def begun(server):
    return called(server, "InitiateAuth", AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})


def answered(server, asked, answer, **metadata):
    return called(
        server,
        "RespondToAuthChallenge",
        ChallengeName=asked["ChallengeName"],
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann", "ANSWER": answer},
        ClientMetadata=metadata,
    )


def with_code(server):
    """An ID token of ann, who has signed in by the code."""
    asked = answered(server, begun(server), "", watchword_choice="email_otp")
    return answered(server, asked, server.newest_code())["AuthenticationResult"]["IdToken"]


def with_passkey(server, device):
    asked = begun(server)
    device.count += 1
    challenge = decode(json.loads(asked["ChallengeParameters"]["fido2options"])["challenge"])
    return answered(server, asked, json.dumps(device.use(challenge)), signInMethod="FIDO2")


def registered(server, token):
    device, bearer = Authenticator(origin=ORIGIN, rp_id="localhost"), f"Bearer {token}"
    base = f"{server.fido2_base_url}/register-authenticator"
    _, options = posted(f"{base}/start?rpId=localhost", {}, Authorization=bearer)
    registration = device.register(decode(options["challenge"])) | {"friendlyName": "laptop"}
    status, said = posted(f"{base}/complete", registration, Authorization=bearer)
    assert (200, "laptop") == (status, said["friendlyName"])
    return device


def test_passkeys_outlive_a_restart_with_the_database(flow, tmp_path):
    """In a file beside it; the key that names users in the store is kept as well."""
    options = ("--user", "ann", "--dialect", "passwordless", "--database", str(tmp_path / "pool.db"))
    with served(*options, flow=flow) as server:
        device = registered(server, with_code(server))
        assert "AuthenticationResult" in with_passkey(server, device)
    with served(*options[2:], flow=flow) as server:
        assert "AuthenticationResult" in with_passkey(server, device)


def test_a_token_that_was_revoked_opens_the_api_no_more(flow):
    """The local pool knows, and of a user who is disabled too."""
    with served("--user", "ann", "--dialect", "passwordless", flow=flow) as server:
        token = with_code(server)
        address, bearer = f"{server.fido2_base_url}/authenticators/list?rpId=localhost", f"Bearer {token}"
        assert 200 == posted(address, {}, Authorization=bearer)[0]
        called(server, "AdminDisableUser", UserPoolId=server.pool_id, Username="ann")
        assert (401, {"message": "Unauthorized"}) == posted(address, {}, Authorization=bearer)


def test_the_client_is_told_where_everything_is():
    """Its own lines come first, to be pasted; without the dialect there are none."""
    access = PoolAccess("http://127.0.0.1:9229", "us-east-1_Abc123", "local")
    titles, texts = zip(*evolve(access, fido2_base_url="http://127.0.0.1:9229/fido2").snippets(), strict=True)

    assert "amazon-cognito-passwordless-auth" == titles[0]
    assert "baseUrl: 'http://127.0.0.1:9229/fido2'" in texts[0]
    assert titles[1:] == tuple(title for title, _ in access.snippets())


@pytest.mark.parametrize(
    ("toml", "options", "named"),
    [
        (
            '[[steps]]\nkind = "email_otp"\n',
            ["--dialect", "passwordless"],
            "no step that the passwordless client can sign in with",
        ),
        (FLOW, ["--triggers", "handlers.py", "--dialect", "passwordless"], "--dialect is for a FLOW"),
    ],
)
def test_what_cannot_be_spoken_is_said_at_the_start(tmp_path, capsys, toml, options, named):
    """With status 2, and nothing served."""
    (tmp_path / "flow.toml").write_text(toml)
    given = options if "--triggers" in options else [str(tmp_path / "flow.toml"), *options]

    assert 2 == main(["serve", "--port", "0", *given])
    assert named in capsys.readouterr().err
