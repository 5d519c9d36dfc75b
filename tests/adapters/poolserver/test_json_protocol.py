"""The served pool speaks Cognito's JSON 1.1 protocol, and answers whatever it is sent in that shape."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.pool_server import HOST, application_of, asked, called, pool_with_ann
from kit.user_pool import PASSWORD, START, World
from watchword.testing.time import VirtualClock
from watchword_adapters.poolserver.http.application import MAX_BODY
from watchword_adapters.poolserver.http.json_protocol import PREFIX, reply_response
from watchword_adapters.userpool.api import service_model
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS, needs_credentials
from watchword_adapters.userpool.directory.database import Database


@pytest.fixture(scope="module")
def pool():
    """A pool with Ann."""
    return pool_with_ann()


@pytest.fixture(scope="module")
def application(pool):
    """Its application, with one page of the developer's."""
    return application_of(pool, pages={"outbox.json": lambda query: reply_response(query)})


def begin(name="ann", **more):
    return {
        "ClientId": "4f8k2m9q1r7s3t5v6w0x2y4z8a",
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": {"USERNAME": name},
        **more,
    }


def is_refusal(answered, name, status=400):
    """The error has Cognito's shape: a status below 500, the bare name and a message, and the same in headers."""
    assert answered.status == status
    assert answered.json.keys() == {"__type", "message"}
    assert answered.json["__type"] == name
    assert answered.headers["x-amzn-errortype"] == f"{name}:"
    assert answered.headers["content-type"] == "application/x-amz-json-1.1"
    assert "x-amzn-requestid" in answered.headers
    assert answered.headers["access-control-allow-origin"] == "*"
    assert "Traceback" not in answered.json["message"]
    return True


def test_a_sign_in_goes_through(application):
    """Challenge, session and tokens in the bodies that the clients know."""
    first = called(application, "InitiateAuth", begin())
    assert first.status == 200
    assert first.headers["content-type"] == "application/x-amz-json-1.1"
    assert first.json["ChallengeParameters"]["USERNAME"] == "ann"
    answer = {
        "ClientId": begin()["ClientId"],
        "ChallengeName": first.json["ChallengeName"],
        "Session": first.json["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "ANSWER": "271828"},
    }

    done = called(application, "RespondToAuthChallenge", answer)

    assert done.json["AuthenticationResult"]["ExpiresIn"] == 3600
    assert is_refusal(called(application, "RespondToAuthChallenge", answer), "NotAuthorizedException")


def test_each_answer_has_a_request_id_of_its_own(application):
    """Clients quote it to support."""
    ids = {called(application, "InitiateAuth", begin()).headers["x-amzn-requestid"] for _ in range(3)}
    assert len(ids) == 3


def test_unknown_parameters_are_ignored(application):
    """The service ignores what it does not know, and clients send such things."""
    assert called(application, "InitiateAuth", begin(Whatever=[1], SRP_A="x")).status == 200


def test_an_answer_without_a_word_is_an_empty_object(pool, application):
    """Clients parse the body of every 200."""
    tokens = pool.initiate_auth(
        ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD}
    )
    token = tokens["AuthenticationResult"]["AccessToken"]
    assert called(application, "GlobalSignOut", {"AccessToken": token}).body == b"{}"


def test_times_are_numbers():
    """JSON 1.1 has timestamps as epoch seconds."""
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    assert json.loads(reply_response({"UserCreateDate": moment}).body) == {"UserCreateDate": moment.timestamp()}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if needs_credentials(each)])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:5173", f"http://{HOST}", "null"])
def test_no_web_page_administers_the_pool(application, pool, operation, origin):
    """Whatever its origin: a page that a developer has open must not read users, set passwords or delete accounts."""
    given = {"UserPoolId": pool.pool_id, "Username": "ann", "Password": "Evil0000!x", "Permanent": True}
    answered = called(application, operation, given, origin=origin)

    assert is_refusal(answered, "ForbiddenException", 403)
    assert operation in answered.json["message"]
    assert pool.admin_get_user(UserPoolId=pool.pool_id, Username="ann")["UserStatus"] == "CONFIRMED"


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if not needs_credentials(each)])
def test_a_web_page_may_call_what_browsers_call(application, operation):
    """The operations that need no AWS credentials are for everybody, as at the service."""
    assert called(application, operation, {}, origin="http://localhost:5173").json["__type"] != "ForbiddenException"


def test_who_needs_credentials_is_what_the_service_says():
    """Its public model marks the operations that are not signed."""
    model = botocore.session.get_session().get_service_model("cognito-idp")
    for operation in OPERATIONS:
        assert needs_credentials(operation) == (model.operation_model(operation).auth_type != "none")


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("ListUsers", "ListUsers is an operation of Amazon Cognito that is not played by this pool"),
        ("CompleteWebAuthnRegistration", "is an operation of Amazon Cognito that is not played by this pool"),
        ("ListUsersByMood", "ListUsersByMood is no operation of Amazon Cognito"),
    ],
)
def test_a_refusal_tells_what_the_service_has_from_what_nobody_has(application, pool, operation, why, monkeypatch):
    """By botocore's model; without it the pool says only that it does not play it."""
    target = {"x-amz-target": f"{PREFIX}{operation}"}
    assert why in asked(application, headers=target).json["message"]
    method = "list_users" if operation == "ListUsers" else "nothing_of_the_sort"
    with pytest.raises(AttributeError, match="not played by this pool" if method == "list_users" else method):
        getattr(pool, method)
    monkeypatch.setattr(service_model, "find_spec", lambda name: None)
    service_model.service_operations.cache_clear()
    assert f"{operation} is not played by this pool. " in asked(application, headers=target).json["message"]
    service_model.service_operations.cache_clear()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"operations": 7}'])
def test_a_model_that_cannot_be_read_is_as_good_as_none(tmp_path, monkeypatch, content):
    """The refusal is what matters."""
    folder = tmp_path / "data" / "cognito-idp" / "2016"
    folder.mkdir(parents=True)
    for name in ("service-2.json", "service-2.json.gz"):
        (folder / name).write_bytes(content)
    monkeypatch.setattr(
        service_model, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    service_model.service_operations.cache_clear()
    assert service_model.not_played("ListUsers") == "ListUsers is not played by this pool"
    service_model.service_operations.cache_clear()


@pytest.mark.parametrize(
    "target", ["", "InitiateAuth", PREFIX, f"{PREFIX}ListUsers", f"X{PREFIX}GetUser", "\u00e9" * 99]
)
def test_an_unknown_operation_is_told_what_there_is(application, target):
    """Whoever calls something else finds out at once what the pool plays."""
    answered = asked(application, headers={"x-amz-target": target.encode("latin-1").decode("latin-1")})

    assert is_refusal(answered, "UnknownOperationException")
    assert all(operation in answered.json["message"] for operation in OPERATIONS)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b'{"ClientId": NaN}',
        b'{"ClientId": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(application, body):
    """However deep or strange it is, it is the client's fault and is called so."""
    answered = asked(application, body=body, headers={"x-amz-target": f"{PREFIX}InitiateAuth"})
    assert is_refusal(answered, "SerializationException")


def test_an_empty_body_is_an_empty_object(application):
    """The parameters that are missing are named."""
    answered = asked(application, headers={"x-amz-target": f"{PREFIX}InitiateAuth"})
    assert is_refusal(answered, "InvalidParameterException")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(operation=st.sampled_from(OPERATIONS), data=st.data())
def test_values_of_any_type_are_an_answer_below_500(operation, data):
    """No parameter of any operation, whatever JSON it holds, gets the pool out of step."""
    from watchword_adapters.userpool.api.operation_parameters import parameters_of

    names = sorted(parameters_of(operation))
    parameters = data.draw(st.dictionaries(st.sampled_from(names), json_values, max_size=5))

    answered = called(application_of(LONE), operation, parameters)

    assert is_refusal(answered, answered.json["__type"])


LONE = pool_with_ann()


@pytest.mark.parametrize("text", ["\ud800", "line\r\nX-Evil: 1", "\u2603", "a" * 5000])
def test_what_is_quoted_cannot_break_the_headers(application, text):
    """A message may hold what the client sent, or a trigger raised; a header holds printable ASCII."""
    answered = called(application, "InitiateAuth", begin(AuthFlow=text))

    assert is_refusal(answered, "InvalidParameterException")
    assert answered.headers["x-amzn-errormessage"].isprintable()
    assert answered.headers["x-amzn-errormessage"].isascii()


def test_what_a_trigger_raises_cannot_break_the_headers():
    """Its text reaches the client, as with Cognito, but only the body's message may have lines."""

    class Loud:
        def define(self, event, context):
            raise ValueError("one\r\nSet-Cookie: two \u2603")

        create = verify = define

    answered = called(application_of(pool_with_ann(Loud())), "InitiateAuth", begin())

    assert is_refusal(answered, "UserLambdaValidationException")
    assert "\r\n" in answered.json["message"]
    assert "?Set-Cookie" in answered.headers["x-amzn-errormessage"]


def test_an_outage_of_the_database_is_an_internal_error_and_no_defect(tmp_path):
    """The client may try again; the terminal hears why, and nothing is called a defect."""
    told, defects = [], []
    database = Database(tmp_path / "pool.db", "us-east-1_AbCdEf123")
    pool = World(keeper=database).pool
    application = application_of(pool, told=told.append, defect=lambda *defect: defects.append(defect))
    database.close()
    answered = called(application, "AdminDisableUser", {"UserPoolId": pool.pool_id, "Username": "ann"})
    assert is_refusal(answered, "InternalErrorException", 500)
    assert "pool.db" not in answered.body.decode()
    assert [("InternalErrorException", True)] == [(each.error, "pool.db failed" in each.message) for each in told]
    assert [] == defects


def test_a_defect_is_an_internal_error_that_tells_the_client_nothing(pool, monkeypatch):
    """Whoever serves the pool hears of it; the client does not."""
    heard = []
    application = application_of(pool, defect=lambda operation, error: heard.append((operation, str(error))))

    class Operations(dict):
        def __getitem__(self, name):
            raise RuntimeError("secret")

    monkeypatch.setitem(pool.__dict__, "operations", Operations())
    answered = called(application, "GetUser", {})

    assert is_refusal(answered, "InternalErrorException", 500)
    assert "secret" not in answered.body.decode()
    assert heard == [("GetUser", "secret")]


# Who may ask, and where


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:9229", "127.0.0.1", "127.0.0.1:80", "localhost.evil:9229"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("OPTIONS", "/"), ("GET", "/_watchword/outbox.json")])
def test_a_foreign_host_header_is_refused(application, host, method, path):
    """A page whose name was made to lead to this machine (DNS rebinding) gets nothing, by no method."""
    answered = asked(application, method, path, headers={"host": host})

    assert answered.status == 403
    assert answered.json["__type"] == "ForbiddenException"


def test_any_host_is_answered_where_that_was_asked_for(pool):
    """Who listens at all addresses cannot know their names."""
    from watchword_adapters.poolserver.http.application import Application

    assert asked(Application(pool, None), "OPTIONS", headers={"host": "box.example:1"}).status == 204


def test_the_host_is_compared_without_regard_to_case(pool):
    """Host names have no case (RFC 9110 4.2.3)."""
    from watchword_adapters.poolserver.http.application import Application

    application = Application(pool, frozenset({"localhost:1"}))
    assert asked(application, "OPTIONS", headers={"host": "LocalHost:1"}).status == 204


def test_preflights_are_granted_what_they_ask_for(application):
    """Every browser client sends one: its headers, whichever they are, are allowed."""
    answered = asked(
        application,
        "OPTIONS",
        headers={
            "origin": "http://localhost:5173",
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-amz-target,amz-sdk-request",
            "access-control-request-private-network": "true",
        },
    )

    assert answered.status == 204
    assert answered.headers["access-control-allow-origin"] == "*"
    assert "POST" in answered.headers["access-control-allow-methods"]
    assert answered.headers["access-control-allow-headers"] == "x-amz-target,amz-sdk-request"
    assert answered.headers["access-control-allow-private-network"] == "true"
    assert int(answered.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answered.headers


def test_a_preflight_that_asks_for_nothing_is_told_what_clients_need(application):
    """The list of the contract."""
    allowed = asked(application, "OPTIONS").headers["access-control-allow-headers"]
    assert {"x-amz-target", "content-type", "x-amz-user-agent"} <= set(allowed.split(","))


def test_answers_show_their_headers_to_pages_of_other_origins(application):
    """Errors too, or every refusal is a network error to a browser."""
    for answered in (called(application, "InitiateAuth", begin()), called(application, "GetUser", {})):
        assert answered.headers["access-control-allow-origin"] == "*"
        assert "x-amzn-ErrorType" in answered.headers["access-control-expose-headers"]


def test_no_other_origin_reads_the_developer_s_pages(application):
    """They hold codes: a page that happens to be open in the same browser must not get them."""
    answered = asked(application, "GET", "/_watchword/outbox.json", headers={"origin": "https://evil.example"})

    assert answered.status == 200
    assert "access-control-allow-origin" not in answered.headers


def test_keys_and_configuration_are_where_verifiers_look(pool, application):
    """Below the pool's id; from any origin."""
    keys = asked(application, "GET", f"/{pool.pool_id}/.well-known/jwks.json")
    configuration = asked(application, "GET", f"/{pool.pool_id}/.well-known/openid-configuration")

    assert [key["kty"] for key in keys.json["keys"]] == ["RSA", "RSA"]
    assert keys.headers["content-type"] == "application/json"
    assert keys.headers["access-control-allow-origin"] == "*"
    assert configuration.json["issuer"] == pool.issuer


def test_head_is_get_without_a_body(pool, application):
    """As HTTP has it (RFC 9110 9.3.2)."""
    answered = asked(application, "HEAD", f"/{pool.pool_id}/.well-known/jwks.json")
    assert (answered.status, answered.body) == (200, b"")


def test_the_root_leads_a_person_to_the_outbox(application):
    """Who opens the endpoint in a browser sees something of use."""
    answered = asked(application, "GET", "/")
    assert (answered.status, answered.headers["location"]) == (303, "/_watchword/outbox")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/other/.well-known/jwks.json"),
        ("POST", "/elsewhere"),
        ("DELETE", "/"),
        ("GET", "/_watchword/answers.json"),
    ],
)
def test_there_is_nothing_elsewhere(application, method, path):
    """The answers are not even there unless they were asked for."""
    assert asked(application, method, path).status == 404


# How much, and for how long


def test_a_body_of_the_greatest_size_is_read(application):
    """What is too large begins at one byte more."""
    body = b'{"ClientId":"%s"}' % (b"a" * (MAX_BODY - 15))
    answered = asked(application, body=body, headers={"x-amz-target": f"{PREFIX}InitiateAuth"})
    assert len(body) == MAX_BODY
    assert is_refusal(answered, "InvalidParameterException")


def parts_of(size, *, piece=65536):
    whole, rest = divmod(size, piece)
    return [
        *({"type": "http.request", "body": b"a" * piece, "more_body": True} for _ in range(whole)),
        {"type": "http.request", "body": b"a" * rest, "more_body": False},
    ]


def test_a_larger_body_is_read_to_its_end_and_refused(application):
    """A client that is still sending would not read the refusal."""
    answered = asked(application, parts=parts_of(MAX_BODY + 1), headers={"x-amz-target": f"{PREFIX}InitiateAuth"})

    assert is_refusal(answered, "RequestEntityTooLargeException", 413)
    assert answered.headers["connection"] == "close"


@pytest.mark.parametrize("length", [str(2**40), "-1", "many"])
def test_a_body_that_is_announced_as_giant_is_not_read(application, length):
    """Nothing is received at all, or this would wait for ever."""
    answered = asked(application, headers={"content-length": length}, parts=parts_of(0)[:0] or [{}])
    assert is_refusal(answered, "RequestEntityTooLargeException", 413)


def test_a_body_without_end_is_cut_off(application):
    """One that announces no length is drained only so far."""
    parts = parts_of(17 * MAX_BODY)
    assert is_refusal(asked(application, parts=parts), "RequestEntityTooLargeException", 413)


def test_a_body_that_does_not_arrive_is_not_waited_for(pool):
    """A slow client is told so, and its connection closed."""
    application = application_of(pool, body_seconds=0.01)
    answered = asked(application, parts=[{"type": "http.request", "body": b"{", "more_body": True}])

    assert is_refusal(answered, "RequestTimeoutException", 408)
    assert answered.headers["connection"] == "close"


def test_other_users_sessions_are_refused(application):
    """A session is its user's: with another name it leads nowhere, and stays good for its own."""
    first = called(application, "InitiateAuth", begin()).json
    answer = {
        "ClientId": begin()["ClientId"],
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": first["Session"],
        "ChallengeResponses": {"USERNAME": "mallory", "ANSWER": "271828"},
    }

    assert is_refusal(called(application, "RespondToAuthChallenge", answer), "NotAuthorizedException")
    answer["ChallengeResponses"]["USERNAME"] = "ann"
    assert "AuthenticationResult" in called(application, "RespondToAuthChallenge", answer).json


def test_expired_sessions_are_refused():
    """Each challenge has three minutes unless the pool is told otherwise."""
    clock = VirtualClock(START)
    application = application_of(pool_with_ann(clock=clock))
    first = called(application, "InitiateAuth", begin()).json
    clock.advance(181)
    answer = {
        "ClientId": begin()["ClientId"],
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": first["Session"],
        "ChallengeResponses": {"USERNAME": "ann", "ANSWER": "271828"},
    }
    answered = called(application, "RespondToAuthChallenge", answer)
    assert is_refusal(answered, "NotAuthorizedException")
    assert "session is expired" in answered.json["message"]


def test_the_host_of_these_tests_is_one_that_is_answered():
    """Or every test above would pass for the wrong reason."""
    assert HOST == "127.0.0.1:9229"
