"""The API of credentials: who may call it, and what each call and each refusal looks like."""

import base64
import json

import pytest
from attrs import evolve

from kit.engine_host import ANN, DeadLedger, Riddle, world
from kit.fobs import Badge, Fob
from kit.pool_tokens import ISSUER, KEY, NOW, POOL, RefusedByPoolError, signed
from kit.user_pool import START
from watchword import ConfigurationError, Flow, ProtocolError, UnavailableError, one_of, sequence
from watchword.contract.credentials import Credential
from watchword.errors import TryLaterError
from watchword.testing.time import VirtualClock
from watchword_adapters.credentials import MemoryCredentials
from watchword_adapters.credentials_api import CredentialsApi
from watchword_adapters.rest.callers import Callers
from watchword_adapters.rest.exchange import HttpRequest
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key

ZOE = {"sub": "99999999-2222-4333-8444-555555555555"}
FLOW = Flow(sequence(Riddle(), one_of(Fob(), Badge())))
ORIGIN = "https://app.example"


class Pool:
    """A user pool that knows Ann and Zoe, or fails as told."""

    def __init__(self, *, failing=None, reply=None):
        self.failing, self.reply, self.asked = failing, reply, 0

    def get_user(self, token):
        self.asked += 1
        if self.failing:
            raise self.failing
        payload = token.split(".")[1]
        sub = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
        attributes = ANN if sub == ANN["sub"] else ZOE
        listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
        return (
            self.reply
            if self.reply is not None
            else {"Username": "ann" if attributes is ANN else "zoe", "UserAttributes": listed}
        )


class Place:
    """An API, and what it runs on."""

    def __init__(self, flow=FLOW, pool=None, **settings):
        self.pool = pool or Pool()
        self.world = world(
            flow, credentials=settings.pop("credentials", None) or MemoryCredentials(), clock=VirtualClock(START)
        )
        self.services = evolve(self.world.engine, **settings)
        tokens = PoolTokens(ISSUER, frozenset({"web"}), key_set({"keys": [KEY.jwk]}).get, self.world.clock)
        self.api = CredentialsApi(self.services, POOL, Callers(tokens, self.pool.get_user), frozenset({ORIGIN}))

    def raw(self, method, path="", body=b"", token_=None, **headers):
        given = {"authorization": f"Bearer {signed() if token_ is None else token_}", **headers}
        return self.api(HttpRequest(method, path, {}, given, body))

    def call(self, method, path="", given=None, **more):
        """The status and the JSON of a reply."""
        body = b"" if given is None else json.dumps(given).encode()
        reply = self.raw(method, path, body, **more)
        return reply.status, json.loads(reply.body) if reply.body else None

    def enrol(self, kind="fob", answer=None, **more):
        status, begun = self.call("POST", f"/{kind}/begin", {})
        assert 200 == status
        given = {"handle": begun["handle"], "answer": answer or begun["public"]["word"], **more}
        return given, self.call("POST", f"/{kind}/complete", given)


@pytest.fixture
def at():
    return Place()


def test_from_nothing_to_a_credential_and_back(at):
    """Begin, complete, list, rename, remove. Nothing of what the kind keeps is ever told."""
    assert (200, {"credentials": [], "kinds": ["badge", "fob"]}) == at.call("GET")
    status, begun = at.call("POST", "/fob/begin")
    assert (200, 600, {"word"}) == (status, begun["expires_in"], set(begun["public"]))
    given = {"handle": begun["handle"], "answer": begun["public"]["word"], "label": "Phone"}
    status, done = at.call("POST", "/fob/complete", given)
    assert (200, {"kind": "fob", "label": "Phone", "created": NOW, "used": None}) == (
        status,
        {name: value for name, value in done["credential"].items() if name != "id"},
    )
    assert (200, done) == at.call("POST", "/fob/complete", given)
    assert [done["credential"]] == at.call("GET")[1]["credentials"]
    badge = at.enrol("badge", "badge-a b/ü")[1][1]["credential"]
    status, renamed = at.call("PATCH", f"/badge/{badge['id']}", {"label": "Key"})
    assert (200, "Key") == (status, renamed["credential"]["label"])
    assert (204, None) == at.call("DELETE", f"/fob/{done['credential']['id']}")
    assert [(badge["id"], "Key")] == [(each["id"], each["label"]) for each in at.call("GET")[1]["credentials"]]
    assert 3 == len(at.world.post.sent)


@pytest.mark.parametrize("path", ["/badge/badge-a%20b", "/badge/badge-a b"])
def test_an_id_in_a_path_may_be_encoded(at, path):
    """Gateways hand on either form."""
    at.enrol("badge", "badge-a b")
    at.enrol()
    assert (204, None) == at.call("DELETE", path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fob"),
        ("GET", "/fob/x"),
        ("PUT", ""),
        ("POST", ""),
        ("POST", "/fob"),
        ("POST", "/fob/other"),
        ("POST", "/fob/begin/x"),
        ("POST", "fob/begin"),
        ("DELETE", "/fob"),
        ("DELETE", "/fob/"),
        ("PATCH", ""),
        ("GET", "/../x"),
    ],
)
def test_there_are_no_other_calls(at, method, path):
    """Nobody is asked who they are for them."""
    status, said = at.call(method, path, token_="")
    assert (404, "not_found") == (status, said["error"])
    assert 0 == at.pool.asked


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x.y.z",
        signed(iss="https://other"),
        signed(client_id="other"),
        signed(client_id=None),
        signed(exp=NOW),
        signed(sub=ZOE["sub"][:-1] + "9"),
        signed(sub=None),
        signed(token_use="refresh"),
        signing_key(new_private_key()).token({"sub": ANN["sub"]}),
    ],
    ids=range(10),
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/fob/begin"), ("POST", "/fob/complete"), ("PATCH", "/fob/x"), ("DELETE", "/fob/x")],
)
def test_who_has_no_good_token_does_nothing(at, method, path, wrong):
    """Whatever is wrong with it, the reply is the same."""
    reply = at.raw(method, path, b"{}", token_=wrong)
    assert (401, {"error": "unauthorized", "message": "Unauthorized"}) == (reply.status, json.loads(reply.body))
    assert "Bearer" == reply.headers["WWW-Authenticate"]


def test_an_id_token_is_none(at):
    """Only of an access token Cognito says whether it was revoked."""
    status, said = at.call("GET", token_=signed(token_use="id", aud="web"))
    assert (400, "bad_request") == (status, said["error"])
    assert "access token" in said["message"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NotAuthorizedException", 401),
        ("UserNotFoundException", 401),
        ("PasswordResetRequiredException", 401),
        ("UserNotConfirmedException", 401),
        ("TooManyRequestsException", 503),
        ("InternalErrorException", 503),
    ],
)
def test_the_pool_says_whether_a_token_still_counts(code, status):
    """One that was revoked, or whose user is disabled or gone, is refused; a pool that does not answer is an outage."""
    at = Place(pool=Pool(failing=RefusedByPoolError(code)))
    assert status == at.call("GET")[0]


@pytest.mark.parametrize("failing", [OSError("x"), ValueError("ann@example.com")])
def test_a_pool_that_cannot_be_asked_lets_nobody_in(failing):
    """Its words go nowhere."""
    status, said = Place(pool=Pool(failing=failing)).call("GET")
    assert (503, "unavailable") == (status, said["error"])
    assert "ann@" not in said["message"]


@pytest.mark.parametrize(
    "reply", [[], {"Username": 7}, {"Username": "ann"}, {"Username": "ann", "UserAttributes": [7, {"Name": "sub"}]}]
)
def test_a_pool_that_answers_oddly_lets_nobody_in(reply):
    """Whoever has no sub is nobody."""
    assert Place(pool=Pool(reply=reply)).call("GET")[0] in {401, 503}


def test_who_adds_or_removes_has_just_signed_in(at):
    """Five minutes ago at most, by the time of the sign-in: a refresh makes no token fresh. The audit hears of it."""
    given, _ = at.enrol()
    calls = [("POST", "/fob/begin"), ("POST", "/fob/complete"), ("DELETE", "/fob/x")]
    for old in (signed(auth_time=NOW - 301), signed(auth_time=None), signed(auth_time="x")):
        for method, path in calls:
            status, said = at.call(method, path, given, token_=old)
            assert (403, "sign_in_too_old") == (status, said["error"])
            event = at.world.events.events[-1]
            assert ("authz_fail", "sign_in_too_old") == (event.name, event.detail["reason"])
        assert 200 == at.call("GET", token_=old)[0]
    assert 200 == at.call("POST", "/fob/begin", token_=signed(auth_time=NOW - 300))[0]


def test_a_handle_of_another_user_is_useless(at):
    """And of another kind; both are as unknown as one that never was."""
    _, begun = at.call("POST", "/fob/begin")
    given = {"handle": begun["handle"], "answer": begun["public"]["word"]}
    replies = [
        at.call("POST", "/fob/complete", given, token_=signed(sub=ZOE["sub"])),
        at.call("POST", "/badge/complete", given),
        at.call("POST", "/fob/complete", given | {"handle": "never"}),
    ]
    assert {404} == {status for status, _ in replies}
    assert 1 == len({json.dumps(said) for _, said in replies})
    assert 200 == at.call("POST", "/fob/complete", given)[0]


def test_each_refusal_has_its_status(at):
    """And a word for programs beside the message for people."""
    _, begun = at.call("POST", "/fob/begin")
    for number in range(5):
        assert (400, "wrong") == refusal(
            at.call("POST", "/fob/complete", {"handle": begun["handle"], "answer": str(number)})
        )
    given = {"handle": begun["handle"], "answer": begun["public"]["word"]}
    assert (429, "guesses_used_up") == refusal(at.call("POST", "/fob/complete", given))
    used, _ = at.enrol()
    assert (409, "used_before") == refusal(at.call("POST", "/fob/complete", used | {"answer": "x"}))
    (fob,) = at.call("GET")[1]["credentials"]
    assert (409, "last_way") == refusal(at.call("DELETE", f"/fob/{fob['id']}"))
    assert (404, "unknown") == refusal(at.call("DELETE", f"/badge/{fob['id']}"))
    assert (404, "unknown") == refusal(at.call("PATCH", "/fob/x", {"label": "y"}))
    at.enrol("badge", "badge-1")
    assert (409, "known_credential") == refusal(at.enrol("badge", "badge-1")[1])
    for number in range(2, 20):
        one = Credential(f"badge-{number}", f"{POOL}#{ANN['sub']}", "badge")
        assert at.services.credentials.add(one, replace=False, most=20, within=1)
    assert (409, "too_many") == refusal(at.enrol("badge", "badge-20")[1])
    assert (404, "not_found") == refusal(at.call("POST", "/riddle/begin"))
    assert (404, "not_found") == refusal(at.call("POST", "/riddle/complete", given))


def refusal(reply):
    status, said = reply
    assert {"error", "message"} == set(said)
    return status, said["error"]


def test_too_many_begins_are_to_be_tried_later(at):
    """Twenty an hour."""
    for _ in range(20):
        assert 200 == at.call("POST", "/fob/begin")[0]
    assert (429, "try_later") == refusal(at.call("POST", "/fob/begin"))


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"handle":' * 5000,
    b"1" * 5000,
    b"{}",
    b'{"handle": 7, "answer": "x"}',
    b'{"handle": "h", "answer": null}',
    b'{"handle": "h", "answer": ["x"]}',
    b'{"handle": "h", "answer": "x", "label": 7}',
    b'{"handle": "h", "answer": "x", "label": "a\\nb"}',
    b'{"handle": "h", "answer": "x", "label": "\\ud800"}',
    b'{"handle": "h", "answer": "x", "label": "' + b"x" * 65 + b'"}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_is_malformed_is_a_clear_400(at, body):
    """Nothing is enrolled, and nothing of it comes back."""
    for method, path in (("POST", "/fob/complete"), ("PATCH", "/fob/x")):
        status, said = at.call(method, path) if body == b"" else json_of(at.raw(method, path, body))
        assert (400, "bad_request") == (status, said["error"])
    assert [] == at.call("GET")[1]["credentials"]


def test_what_is_no_handle_is_unknown(at):
    """Whatever text it is."""
    for handle in ("x" * 60_000, "\ud800", "\0"):
        assert (404, "expired") == refusal(at.call("POST", "/fob/complete", {"handle": handle, "answer": "x"}))


def json_of(reply):
    return reply.status, json.loads(reply.body)


def test_what_is_too_large_is_413(at):
    """More than 64 KB."""
    for method, path in (("POST", "/fob/begin"), ("POST", "/fob/complete"), ("PATCH", "/fob/x"), ("DELETE", "/fob/x")):
        assert (413, "too_large") == refusal(json_of(at.raw(method, path, b" " * 65_537)))


def test_nonsense_is_refused_where_no_body_is_needed_too(at):
    """Nothing is begun or removed."""
    _, (_, done) = at.enrol()
    for method, path in (("POST", "/fob/begin"), ("DELETE", f"/fob/{done['credential']['id']}")):
        for body in (b"{", b"[]", b"[" * 60_000):
            assert (400, "bad_request") == refusal(json_of(at.raw(method, path, body)))
    assert 1 == len(at.call("GET")[1]["credentials"])


@pytest.mark.parametrize("port", ["ledger", "credentials"])
def test_an_outage_is_told_with_a_reference(port):
    """The audit has it too; the same request may be sent again."""
    at = Place()
    given, _ = at.enrol()
    down = Place(**{port: DeadLedger(), "audit": at.world.events})
    calls = [("POST", "/fob/complete", given), ("DELETE", "/fob/x", None)]
    if port == "credentials":
        calls.append(("GET", "", None))
    else:
        calls.append(("POST", "/fob/begin", None))
    for method, path, body in calls:
        reply = down.raw(method, path, json.dumps(body).encode() if body else b"")
        status, said = json_of(reply)
        if (port, path) == ("credentials", "/fob/complete"):
            assert 404 == status  # nothing of it is in this ledger, so the store is not asked
            continue
        assert (503, "unavailable", "1") == (status, said["error"], reply.headers["Retry-After"])
        assert at.world.events.events[-1].ref in said["message"]


def test_a_defect_is_a_500_that_says_nothing():
    """Whatever it is."""

    class Broken(MemoryCredentials):
        def list(self, owner, *, within):
            raise KeyError(owner)

    status, said = Place(credentials=Broken()).call("GET")
    assert (500, "failed") == (status, said["error"])
    assert ANN["sub"] not in said["message"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TryLaterError("secret"), (429, "try_later")),
        (UnavailableError("secret"), (503, "unavailable")),
        (ProtocolError("secret"), (400, "bad_request")),
        (ConfigurationError("secret"), (500, "failed")),
        (SystemExit("secret"), (500, "failed")),
    ],
    ids=repr,
)
def test_each_error_has_its_status(error, told):
    """Its own text goes to the operator alone."""

    class Raising(MemoryCredentials):
        def list(self, owner, *, within):
            raise error

    at = Place(credentials=Raising())
    status, said = at.call("GET")
    assert told == (status, said["error"])
    assert "secret" not in said["message"]
    assert at.world.events.events[-1].ref in said["message"] or 429 == status


def test_an_api_shows_no_keys():
    """In a log or a traceback."""
    assert f"CredentialsApi(pool='{POOL}', origins=frozenset({{'{ORIGIN}'}}))" == repr(Place().api)


def test_only_pages_of_the_application_may_call(at):
    """Each reply and each preflight says for whom it is; none is kept by a cache."""
    for reply in (at.raw("GET", origin=ORIGIN), at.raw("GET", token_="", origin=ORIGIN)):
        assert ORIGIN == reply.headers["Access-Control-Allow-Origin"]
        assert "no-store" == reply.headers["Cache-Control"]
        assert "Strict-Transport-Security" in reply.headers
    asked = at.raw("OPTIONS", "/fob/begin", token_="", origin=ORIGIN)
    assert (204, "GET, POST, PATCH, DELETE") == (asked.status, asked.headers["Access-Control-Allow-Methods"])
    for method in ("GET", "OPTIONS"):
        assert "Access-Control-Allow-Origin" not in at.raw(method, origin="https://evil.example").headers


def test_an_api_without_a_store_is_not_made():
    """The operator is told what to set."""
    at = world(FLOW)
    with pytest.raises(ConfigurationError, match="credentials="):
        CredentialsApi(at.engine, POOL, None)


def test_an_outage_of_the_keys_lets_nobody_in(at):
    """They are fetched."""

    def down(kid):
        raise UnavailableError("no keys")

    tokens = evolve(at.api.callers.tokens, keys=down)
    api = evolve(at.api, callers=Callers(tokens, at.pool.get_user))
    assert 503 == api(HttpRequest("GET", "", {}, {"authorization": f"Bearer {signed()}"})).status
