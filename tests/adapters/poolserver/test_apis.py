"""APIs beside the pool: the application hands them their requests, and adds nothing to what they reply."""

import json

import pytest

from kit.pool_server import application_of, asked, pool_with_ann
from watchword_adapters.poolserver.http.application import MAX_BODY
from watchword_adapters.rest.exchange import json_reply, refusing_reply


def echo(request):
    """Reply with what arrived."""
    if request.path == "/no":
        return refusing_reply(400, "No")
    said = {"method": request.method, "path": request.path, "query": dict(request.query), "body": request.body.decode()}
    return json_reply(said | {"authorization": request.headers.get("authorization", "")})


@pytest.fixture
def told():
    return []


@pytest.fixture
def application(told):
    return application_of(pool_with_ann(), apis={"/fido2": echo}, told=told.append)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_an_api_is_asked_below_its_path(application, method):
    """With the path that it knows, whatever the method: a page's question whether it may ask is for the API as well."""
    reply = asked(
        application,
        method,
        "/fido2/a/b",
        query=b"rpId=x&rpId=y",
        body=b"{}",
        headers={"Authorization": "Bearer t"}.items(),
    )

    said = {"method": method, "path": "/a/b", "query": {"rpId": "y"}, "body": "{}", "authorization": ""}
    assert said == json.loads(reply.body) | {"authorization": ""}
    assert 200 == reply.status


def test_only_the_api_says_which_pages_may_read_it(application):
    """The pool may be read by any page, and what users enrolled may not."""
    assert "access-control-allow-origin" not in asked(application, path="/fido2/x").headers
    assert "*" == asked(application, path="/").headers["access-control-allow-origin"]


@pytest.mark.parametrize("path", ["/fido2x", "/fido2x/a", "/x/fido2/a"])
def test_no_other_path_is_the_apis(application, path):
    """There is nothing else."""
    assert 404 == asked(application, "GET", path).status


@pytest.mark.parametrize(("method", "path"), [("POST", "/fido2/x"), ("GET", "/_watchword/outbox")])
def test_a_defect_of_an_api_or_a_page_is_told_as_json(method, path):
    """Whoever asked reads every reply as JSON; whoever serves hears what it was."""
    heard = []

    def fail(_):
        raise RuntimeError("secret")

    def defect(operation, error):
        heard.append((operation, str(error)))

    failing = application_of(pool_with_ann(), apis={"/fido2": fail}, pages={"outbox": fail}, defect=defect)
    reply = asked(failing, method, path)
    assert (500, "The local pool failed; its terminal says more") == (reply.status, reply.json["message"])
    assert [(f"{method} {path}", "secret")] == heard


def test_a_body_that_is_too_long_never_reaches_it(application):
    """The server's own limit comes first."""
    assert 413 == asked(application, path="/fido2/x", body=b" " * (MAX_BODY + 1)).status


def test_each_request_is_told(application, told):
    """Who watches sees what was asked and what became of it, and nothing of the body that was sent."""
    asked(application, path="/fido2/yes", body=b"secret")
    asked(application, path="/fido2/no")

    assert [("POST /fido2/yes", ""), ("POST /fido2/no", "400")] == [(each.operation, each.error) for each in told]
    assert {} == told[0].given
