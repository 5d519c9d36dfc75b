"""The JavaScript clients against the served pool; `tests/clients/install` brings them."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from kit.programs import find_node
from kit.served_pool import CLIENT_ID, POOL_ID, served

pytestmark = pytest.mark.exhaustive

HERE = Path(__file__).parent
CLIENTS = (
    "@aws-sdk/client-cognito-identity-provider",
    "amazon-cognito-identity-js",
    "aws-jwt-verify",
    "cognito-srp-helper",
)


@pytest.fixture(scope="module", autouse=True)
def _clients():
    """Nothing here runs without them."""
    find_node(*CLIENTS)


@pytest.fixture(scope="module")
def server(_clients):
    """One server for the module, whose tokens name it as their issuer."""
    with served() as running:
        yield running


def run(script, server, *arguments):
    """What *script* reports."""
    command = ["node", HERE / script, server.endpoint, server.pool_id, server.client_id, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def identity_js(server):
    """What happened to amazon-cognito-identity-js."""
    return run("identity_js.mjs", server)


@pytest.fixture(scope="module")
def sdk_v3(server):
    """What happened to AWS SDK v3 with cognito-srp-helper."""
    return run("sdk_v3.mjs", server)


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


INCORRECT = {"name": "NotAuthorizedException", "message": "Incorrect username or password."}


def test_identity_js_signs_up_and_confirms(identity_js):
    """Signing in is refused before the code, and a wrong code is no code."""
    assert identity_js["signUp"]["confirmed"] is False
    assert identity_js["unconfirmed"]["name"] == "UserNotConfirmedException"
    assert identity_js["wrongCode"]["name"] == "CodeMismatchException"
    assert identity_js["confirm"] == "SUCCESS"


def test_identity_js_signs_in_without_a_password(identity_js):
    """Two wrong answers, then the right one; a third wrong one ends it."""
    rounds = identity_js["plain"]["rounds"]
    assert [each["left"] for each in rounds] == ["3", "2", "1"]
    assert [each["error"] for each in rounds] == [None, "wrong", "wrong"]
    assert claims(identity_js["plain"]["idToken"])["sub"] == identity_js["signUp"]["sub"]
    assert identity_js["wrongThrice"] == INCORRECT


def test_identity_js_signs_in_with_the_password_first(identity_js):
    """The password leads to the short code; a wrong one, or somebody unknown, to the same refusal."""
    assert [each["step"] for each in identity_js["srp"]["rounds"]] == ["short_code"]
    assert identity_js["wrongPassword"] == identity_js["unknownUser"] == INCORRECT


def test_identity_js_refreshes_reads_its_user_and_signs_out(identity_js):
    """A refresh keeps the sign-in and changes the token; after the sign-out nothing works any more."""
    assert identity_js["attributes"]["email_verified"] == "true"
    before, after = claims(identity_js["srp"]["accessToken"]), claims(identity_js["refresh"]["accessToken"])
    assert before["origin_jti"] == after["origin_jti"]
    assert before["jti"] != after["jti"]
    assert identity_js["signOut"] == "SUCCESS"
    assert identity_js["afterSignOut"]["name"] == "NotAuthorizedException"


def test_identity_js_signs_in_again_at_once(identity_js):
    """Each sign-in has a code that works at the first try: at once after the last one, and after a sign-out."""
    assert identity_js["again"] == [1, 1, 1]


def test_identity_js_loses_nothing_by_an_early_resend(identity_js):
    """Nothing is sent, no try is lost, and the code still counts."""
    pressed = identity_js["earlyResend"]
    assert [(each["left"], each["error"]) for each in pressed["rounds"]] == [("3", None)] * 3
    assert pressed["mails"] == [0, 0, 0]


def test_sdk_v3_signs_in_again_at_once(sdk_v3):
    """Each sign-in has a code that works at the first try: at once after the last one, and after a sign-out."""
    assert sdk_v3["again"] == [5, 5, 5]


def test_sdk_v3_loses_nothing_by_an_early_resend(sdk_v3):
    """Nothing is sent, no try is lost, and the code still counts."""
    assert sdk_v3["earlyResend"] == ["nothing changed"] * 2
    assert "AuthenticationResult" in sdk_v3["afterEarlyResend"]


def test_javascript_clients_pass_on_a_code_as_it_was_pasted(identity_js, sdk_v3):
    """A line end, or what else nobody sees, is on the clipboard and not in the code: no try is lost by it."""
    assert identity_js["pasted"] == 1
    assert "AuthenticationResult" in sdk_v3["pasted"]


def test_sdk_v3_signs_in_without_a_password(sdk_v3):
    """Two wrong answers, then the right one; a session works once."""
    assert sdk_v3["plain"] == ["3", "2", "1"]
    assert sdk_v3["plainTokens"] == ["AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"]
    assert sdk_v3["replayed"]["name"] == "NotAuthorizedException"


def test_sdk_v3_signs_in_with_the_password_first(sdk_v3):
    """cognito-srp-helper's arithmetic agrees; a wrong password and somebody unknown look alike."""
    assert sdk_v3["srp"]["step"] == "short_code"
    assert sdk_v3["wrongPassword"] == sdk_v3["unknownUser"] == INCORRECT


def test_sdk_v3_refreshes_reads_its_user_and_signs_out(sdk_v3):
    """The refresh gives no other refresh token; after the sign-out nothing works any more."""
    assert sdk_v3["user"] == claims(sdk_v3["srp"]["idToken"])["cognito:username"]
    assert sdk_v3["refresh"] == ["AccessToken", "ExpiresIn", "IdToken", "TokenType"]
    assert sdk_v3["afterSignOut"]["name"] == sdk_v3["refreshAfterSignOut"]["name"] == "NotAuthorizedException"


def test_sdk_v3_is_told_what_is_not_played(sdk_v3):
    """Unknown operations are an error with a name, not a crash."""
    assert sdk_v3["notPlayed"]["name"] == "UnknownOperationException"


def test_aws_jwt_verify_accepts_tokens_of_the_local_issuer(server, identity_js):
    """Its generic verifier, given the keys, takes any issuer; a changed signature is refused."""
    tokens = identity_js["srp"]
    verified = run(
        "verify_tokens.mjs", server, f"{server.endpoint}/{POOL_ID}", tokens["idToken"], tokens["accessToken"]
    )

    assert verified["id"] == "id"
    assert verified["access"] == claims(tokens["accessToken"])["username"]
    assert verified["forged"]["name"] == "JwtInvalidSignatureError"
    assert verified["told"]["id"]["sign_in_methods"] == "pwd otp email mfa"
    assert verified["told"]["access"] == {}  # an event of version 1 changes ID tokens alone


def test_aws_jwt_verify_for_cognito_accepts_tokens_of_the_public_issuer(_clients):
    """With --issuer aws the verifier that back ends use needs nothing but the keys. Both tokens tell what was passed."""
    with served("--issuer", "aws", "--pre-token-version", "V2_0") as server:
        tokens = run("identity_js.mjs", server)["srp"]
        issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
        verified = run("verify_tokens.mjs", server, issuer, tokens["idToken"], tokens["accessToken"])

    assert verified["id"] == "id"
    assert claims(tokens["idToken"])["aud"] == CLIENT_ID
    told = verified["told"]["access"]
    assert verified["told"]["id"] == told
    assert (told["sign_in_methods"], told["sign_in_flow"]) == ("pwd otp email mfa", "password_or_code")
    assert int(told["sign_in_at"]) <= claims(tokens["idToken"])["auth_time"]
    assert verified["forged"]["name"] == "JwtInvalidSignatureError"
