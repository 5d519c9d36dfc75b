"""HTTP APIs as values: events of both formats in, replies out, and which pages may read them."""

import base64

import pytest

from watchword_adapters.rest.exchange import (
    HttpReply,
    HttpRequest,
    RefusedRequest,
    json_reply,
    preflight,
    refusing_reply,
    with_origin,
)
from watchword_adapters.rest.proxy_events import event_of_reply, request_of

REST = {
    "resource": "/{proxy+}",
    "path": "/authenticators/list",
    "httpMethod": "POST",
    "headers": {"Authorization": "Bearer x", "Origin": "https://app.example"},
    "queryStringParameters": {"rpId": "app.example"},
    "requestContext": {"stage": "prod"},
    "body": '{"a":1}',
    "isBase64Encoded": False,
}
HTTP = {
    "version": "2.0",
    "rawPath": "/prod/authenticators/list",
    "rawQueryString": "rpId=app.example",
    "headers": {"authorization": "Bearer x", "origin": "https://app.example"},
    "requestContext": {"stage": "prod", "http": {"method": "POST", "path": "/prod/authenticators/list"}},
    "body": base64.b64encode(b'{"a":1}').decode(),
    "isBase64Encoded": True,
}
REQUEST = HttpRequest(
    "POST",
    "/authenticators/list",
    {"rpId": "app.example"},
    {"authorization": "Bearer x", "origin": "https://app.example"},
    b'{"a":1}',
)


@pytest.mark.parametrize("event", [REST, HTTP], ids=["1.0", "2.0"])
def test_both_formats_of_events_are_one_request(event):
    """API Gateway's REST and HTTP APIs, and function URLs."""
    assert REQUEST == request_of(event)
    assert {"a": 1} == request_of(event).json_object()


@pytest.mark.parametrize(
    "event", [{"httpMethod": "GET", "path": "/x", "body": None}, {"httpMethod": "get", "path": "/x"}]
)
def test_what_an_event_leaves_out_is_empty(event):
    """API Gateway writes null for it."""
    assert HttpRequest("GET", "/x") == request_of(event)


@pytest.mark.parametrize(
    "event",
    [None, [], {}, {"httpMethod": 7, "path": "/x"}, REST | {"body": 7}, HTTP | {"body": "é"}, HTTP | {"body": "x"}],
)
def test_what_is_no_request_is_refused(event):
    """With 400, whatever it is."""
    with pytest.raises(RefusedRequest) as refused:
        request_of(event)
    assert 400 == refused.value.status


def test_what_is_too_long_is_not_read():
    """A header that no browser sends is left out; a body is refused before it is decoded."""
    assert {} == request_of(REST | {"headers": {"Authorization": "x" * 20_001}}).headers
    for event in (REST, HTTP):
        with pytest.raises(RefusedRequest) as refused:
            request_of(event | {"body": "A" * 131_073})
        assert 413 == refused.value.status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        (b" " * 65_537, 413),
        (b"1" * 5000, 400),
    ],
    ids=range(7),
)
def test_a_body_that_is_no_object_is_refused(body, status):
    """It is a stranger's."""
    with pytest.raises(RefusedRequest) as refused:
        HttpRequest("POST", "/x", body=body).json_object()
    assert status == refused.value.status


def test_a_reply_is_kept_by_nobody():
    """It may hold what is the user's alone."""
    reply = event_of_reply(json_reply({"a": 1}))

    assert (200, '{"a":1}', False) == (reply["statusCode"], reply["body"], reply["isBase64Encoded"])
    assert "no-store" == reply["headers"]["Cache-Control"]
    assert "max-age=31536000" in reply["headers"]["Strict-Transport-Security"]
    assert '{"message":"No"}' == refusing_reply(400, "No").body


ORIGINS = frozenset({"https://app.example"})


def asked_from(origin):
    return HttpRequest("OPTIONS", "/x", headers={"origin": origin} if origin else {})


@pytest.mark.parametrize(
    "origin", ["https://app.example.evil", "http://app.example", "https://APP.example", "null", ""]
)
def test_a_page_of_another_origin_reads_nothing(origin):
    """Origins are compared exactly."""
    request = asked_from(origin)

    assert "Access-Control-Allow-Origin" not in with_origin(request, HttpReply(200), ORIGINS).headers
    assert [] == [name for name in preflight(request, ORIGINS, "POST").headers if name.startswith("Access-Control")]


def test_a_page_of_the_application_may_ask():
    """With the methods and the headers that the API has; a cache must not give the reply to another page."""
    reply = preflight(asked_from("https://app.example"), ORIGINS, "POST")

    assert (204, "") == (reply.status, reply.body)
    assert "https://app.example" == reply.headers["Access-Control-Allow-Origin"]
    assert "POST" == reply.headers["Access-Control-Allow-Methods"]
    assert "authorization,content-type" == reply.headers["Access-Control-Allow-Headers"]
    assert "Origin" == reply.headers["Vary"]
