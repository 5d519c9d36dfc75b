"""The API for passkeys as a Lambda function: an event of API Gateway in, a reply of a function out."""

import json

import pytest

from kit.engine_host import ANN
from kit.hosts import ports
from watchword import ConfigurationError, Flow
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.fido2_api import fido2_handler
from watchword_adapters.rest.pool_tokens import key_set
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key
from watchword_plugins.passkey import Passkey

POOL = "us-east-1_Abc123"
KEY = signing_key(new_private_key())
FLOW = Flow(Passkey(rp_id="example.com", origins=("https://app.example.com",)))


def handler_of(**settings):
    given = ports(
        pool=POOL, clients=["c1"], public_keys=key_set({"keys": [KEY.jwk]}).get, credentials=MemoryCredentials()
    )
    return fido2_handler(FLOW, **(given | settings))


def called(handler, path, **event):
    reply = handler(
        {"httpMethod": "POST", "path": path, "queryStringParameters": {"rpId": "example.com"}} | event, None
    )
    return reply["statusCode"], json.loads(reply["body"])


def test_a_challenge_is_given_to_anybody():
    """It is the one path without a token."""
    status, said = called(handler_of(), "/sign-in-challenge")

    assert (200, "required") == (status, said["userVerification"])


def test_the_users_own_credentials_are_listed():
    """By the ID token of an app client that the function was told."""
    claims = {"iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}", "aud": "c1", "token_use": "id"}
    times = {"iat": 0, "exp": 10**11, "auth_time": 0}
    token = KEY.token(claims | times | ANN | {"cognito:username": "ann"})
    handler = handler_of()

    assert (200, {"authenticators": []}) == called(
        handler, "/authenticators/list", headers={"Authorization": f"Bearer {token}"}
    )
    assert (401, {"message": "Unauthorized"}) == called(handler, "/authenticators/list")


def test_the_api_may_be_below_a_path():
    """As where other functions share the domain."""
    assert 200 == called(handler_of(base_path="/fido2"), "/fido2/sign-in-challenge")[0]
    assert 404 == called(handler_of(base_path="/fido2"), "/other/sign-in-challenge")[0]


def test_pool_and_app_clients_may_stand_in_the_environment():
    """As a built function has them; without a pool it does not start."""
    said = {"WATCHWORD_POOL": POOL, "WATCHWORD_CLIENTS": "c0 c1"}
    handler = handler_of(pool=None, clients=None, environment=said)

    assert 200 == called(handler, "/sign-in-challenge")[0]
    for missing, remedy in (("WATCHWORD_POOL", "set WATCHWORD_POOL"), ("WATCHWORD_CLIENTS", "no client is trusted")):
        with pytest.raises(ConfigurationError, match=remedy):
            handler_of(pool=None, clients=None, environment={**said, missing: ""})


def test_what_is_no_request_is_refused():
    """A test event of the console, say."""
    assert 400 == handler_of()({"key1": "value1"}, None)["statusCode"]


@pytest.mark.parametrize("clients", [[], "c1"])
def test_the_app_clients_are_named(clients):
    """There is no "any": a pool may have an app client whose sign-ins prove less."""
    with pytest.raises(ConfigurationError, match="a list of the ids of app clients"):
        handler_of(clients=clients)
