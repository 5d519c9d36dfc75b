"""The API of credentials as a Lambda function: events of API Gateway in, replies of a function out."""

import base64
import json

import boto3
import pytest
from botocore.stub import Stubber

from kit.engine_host import ANN, Riddle
from kit.fobs import Fob
from kit.hosts import ports
from kit.pool_tokens import KEY, POOL, signed
from kit.user_pool import START
from watchword import ConfigurationError, Flow, sequence
from watchword.testing.time import VirtualClock
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.credentials_api import credentials_handler
from watchword_adapters.rest import callers as module
from watchword_adapters.rest.pool_tokens import key_set

FLOW = Flow(sequence(Riddle(), Fob()))
TOKEN = signed()
USER = {"Username": "ann", "UserAttributes": [{"Name": name, "Value": value} for name, value in ANN.items()]}


def handler_of(**settings):
    given = ports(
        pool=POOL,
        clients=["web"],
        origins=["https://app.example"],
        public_keys=key_set({"keys": [KEY.jwk]}).get,
        get_user=lambda token: USER,
        credentials=MemoryCredentials(),
        clock=VirtualClock(START),
    )
    return credentials_handler(FLOW, **(given | settings))


def http_api(method, path, body=None, *, encoded=False):
    """An event of an HTTP API, payload format 2.0."""
    text = None if body is None else json.dumps(body)
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {TOKEN}", "origin": "https://app.example"},
        "requestContext": {"stage": "$default", "http": {"method": method, "path": path}},
        "body": base64.b64encode(text.encode()).decode() if encoded and text else text,
        "isBase64Encoded": encoded,
    }


def rest_api(method, path, body=None):
    """An event of a REST API, payload format 1.0."""
    return {
        "httpMethod": method,
        "path": path,
        "headers": {"Authorization": f"Bearer {TOKEN}", "Origin": "https://app.example"},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "requestContext": {"stage": "prod"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def called(handler, event):
    reply = handler(event, None)
    assert "https://app.example" == reply["headers"]["Access-Control-Allow-Origin"]
    return reply["statusCode"], json.loads(reply["body"]) if reply["body"] else None


@pytest.mark.parametrize("event", [http_api, rest_api], ids=["2.0", "1.0"])
def test_a_user_enrols_through_either_api(event):
    """Begin, complete, list."""
    handler = handler_of()
    _, begun = called(handler, event("POST", "/credentials/fob/begin"))
    given = {"handle": begun["handle"], "answer": begun["public"]["word"], "label": "Phone"}
    status, done = called(handler, event("POST", "/credentials/fob/complete", given))
    assert (200, "Phone") == (status, done["credential"]["label"])
    listed = {"credentials": [done["credential"]], "kinds": ["fob"]}
    assert (200, listed) == called(handler, event("GET", "/credentials"))
    assert (200, listed) == called(handler, event("GET", "/credentials/"))
    assert 409 == called(handler, event("DELETE", f"/credentials/fob/{done['credential']['id']}"))[0]
    assert 404 == called(handler, event("GET", "/other"))[0]


def test_a_body_may_be_in_base64():
    """As API Gateway writes it for some media types."""
    status, said = called(
        handler_of(), http_api("POST", "/credentials/fob/complete", {"handle": "x", "answer": "y"}, encoded=True)
    )
    assert (404, "expired") == (status, said["error"])


@pytest.mark.parametrize("event", [None, [], {}, {"httpMethod": 7}, http_api("GET", "/credentials") | {"body": 7}])
def test_what_is_no_request_is_a_400(event):
    """Never a traceback."""
    reply = handler_of()(event, None)
    assert (400, {"error": "bad_request", "message": "This is no request by HTTP"}) == (
        reply["statusCode"],
        json.loads(reply["body"]),
    )


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        ({"clients": []}, "clients="),
        ({"clients": "web"}, "clients="),
        ({"clients": None}, "clients="),
        ({"pool": ""}, "WATCHWORD_POOL"),
        ({"pool": None}, "WATCHWORD_POOL"),
        ({"pool": "nonsense"}, "no id of a user pool"),
        ({"origins": "https://app.example"}, "origins="),
        ({"origins": ["*"]}, "no origin"),
        ({"origins": ["https://app.example/"]}, "no origin"),
        ({"origins": ["https://*.example"]}, "no origin"),
        ({"origins": ["ftp://app.example"]}, "no origin"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(settings, culprit):
    """No client, and no page, is trusted unnamed."""
    with pytest.raises(ConfigurationError, match=culprit):
        handler_of(**settings)


def test_what_is_not_given_is_in_the_environment():
    """As in the functions that a template writes."""
    environment = {
        "WATCHWORD_POOL": POOL,
        "WATCHWORD_CLIENTS": "other web",
        "WATCHWORD_ORIGINS": "https://app.example http://localhost:3000",
    }
    handler = handler_of(pool=None, clients=None, origins=None, environment=environment)
    assert 200 == called(handler, http_api("GET", "/credentials"))[0]


def test_the_user_is_asked_for_by_the_token(monkeypatch):
    """GetUser takes the access token, and no credentials of AWS (Cognito API Reference, GetUser)."""
    client = boto3.client("cognito-idp", region_name="us-east-1", aws_access_key_id="", aws_secret_access_key="")
    monkeypatch.setattr(module, "aws_client", lambda *given, **named: client)
    handler = handler_of(get_user=None)
    with Stubber(client) as stub:
        stub.add_response("get_user", USER, {"AccessToken": TOKEN})
        stub.add_client_error("get_user", "NotAuthorizedException", "Access Token has been revoked")
        assert 200 == called(handler, http_api("GET", "/credentials"))[0]
        assert 401 == called(handler, http_api("GET", "/credentials"))[0]
