"""Who calls an API: the tokens of the user pool, checked by signature and claims."""

import base64
import json
import socket
import threading

import pytest

from kit.pool_server import pool_with_ann
from kit.user_pool import START
from watchword.errors import ConfigurationError, UnavailableError
from watchword.testing.time import VirtualClock
from watchword_adapters.poolserver import serving
from watchword_adapters.rest.exchange import RefusedRequest
from watchword_adapters.rest.lambda_function import tokens_of
from watchword_adapters.rest.pool_tokens import FetchedKeys, PoolTokens, issuer_of, key_set
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123"
NOW = int(START)
KEY = signing_key(new_private_key())
OTHER = signing_key(new_private_key())
ID = {
    "iss": ISSUER,
    "aud": "client1",
    "token_use": "id",
    "sub": "11111111-2222-4333-8444-555555555555",
    "iat": NOW,
    "exp": NOW + 3600,
    "auth_time": NOW,
}
ACCESS = {name: value for name, value in ID.items() if name != "aud"} | {"token_use": "access", "client_id": "client1"}


def tokens(**settings):
    keys = key_set({"keys": [KEY.jwk]})
    given = {"issuer": ISSUER, "clients": frozenset({"client1"}), "keys": keys.get, "clock": VirtualClock(START)}
    return PoolTokens(**(given | settings))


def bearer(claims, key=KEY):
    return f"Bearer {key.token(claims)}"


@pytest.mark.parametrize(("use", "claims"), [("id", ID), ("access", ACCESS)])
def test_a_good_token_gives_its_claims(use, claims):
    """Both sorts name the app client, in another claim each (Cognito, "Verifying JSON web tokens")."""
    assert claims == tokens().claims(bearer(claims), use)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"},
        {"aud": "client2"},
        {"aud": ["client1"]},
        {"aud": None},
        {"exp": NOW},
        {"exp": None},
        {"exp": "x"},
        {"exp": True},
        {"iat": NOW + 6},
        {"iat": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"token_use": None},
        {"token_use": "refresh"},
    ],
    ids=str,
)
def test_each_claim_counts(changed):
    """One that is missing or another's is refused, and the caller is not told which."""
    claims = {name: value for name, value in (ID | changed).items() if value is not None}

    with pytest.raises(RefusedRequest, match=r"^Unauthorized$") as refused:
        tokens().claims(bearer(claims), "id")
    assert 401 == refused.value.status


def test_the_other_token_is_named():
    """The sample's client has both, and its users are told which to take."""
    with pytest.raises(RefusedRequest, match="Use your ID token to access this API") as refused:
        tokens().claims(bearer(ACCESS), "id")
    assert 400 == refused.value.status
    with pytest.raises(RefusedRequest, match="Use your access token to access this API"):
        tokens().claims(bearer(ID), "access")


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


UNSIGNED = f"{part({'alg': 'none', 'kid': KEY.jwk['kid']})}.{part(ID)}."
HMAC = f"{part({'alg': 'HS256', 'kid': KEY.jwk['kid']})}.{part(ID)}.{part('x')}"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer é.é.é",
        f"Basic {KEY.token(ID)}",
        KEY.token(ID),
        bearer(ID, OTHER),
        f"Bearer {UNSIGNED}",
        f"Bearer {HMAC}",
        f"Bearer {part([])}.{part(ID)}.x",
        f"Bearer {part({'alg': 'RS256', 'kid': 7})}.{part(ID)}.x",
        bearer(ID)[:-4] + "AAAA",
        bearer(["no", "object"]),
        "Bearer " + "a" * 20_000,
    ],
    ids=range(16),
)
def test_what_no_key_of_the_pool_has_signed_is_no_token(header):
    """The key says the algorithm, never the token (RFC 8725, 3.1)."""
    with pytest.raises(RefusedRequest, match=r"^Unauthorized$"):
        tokens().claims(header, "id")


def test_a_revoked_token_is_refused_where_that_is_known():
    """A local pool knows; Cognito says it of access tokens only."""
    with pytest.raises(RefusedRequest, match=r"^Unauthorized$"):
        tokens(revoked=lambda claims: claims["sub"] == ID["sub"]).claims(bearer(ID), "id")


@pytest.mark.parametrize(
    ("at", "fresh"),
    [
        *((NOW, True), (NOW - 300, True), (NOW - 301, False), (NOW + 5, True), (NOW + 6, False)),
        *((None, False), ("x", False), (str(NOW), False), (True, False), (float(NOW), False)),
    ],
)
def test_a_sign_in_is_fresh_for_five_minutes(at, fresh):
    """By the time of the sign-in: a refreshed token is new, and its sign-in is not. One that is yet to come is not fresh either."""
    assert fresh is tokens().is_fresh(ID | {"auth_time": at})


def served_keys(clock, documents, monkeypatch):
    """Keys that are fetched from *documents*, one after the other; the number of times is the length of what is left."""
    keys = FetchedKeys(ISSUER, clock)
    monkeypatch.setattr(keys, "_fetched", lambda: documents.pop(0))
    return keys


def test_keys_are_fetched_once(monkeypatch):
    """And a key that is new in the pool is found."""
    clock = VirtualClock(START)
    documents = [{"keys": [KEY.jwk]}, {"keys": [KEY.jwk, OTHER.jwk]}]
    keys = served_keys(clock, documents, monkeypatch)

    assert KEY.jwk == keys(KEY.jwk["kid"]) == keys(KEY.jwk["kid"])
    assert 1 == len(documents)
    assert keys(OTHER.jwk["kid"]) is None
    clock.advance(60)
    assert OTHER.jwk == keys(OTHER.jwk["kid"])


def test_a_stranger_cannot_have_them_fetched_again_and_again(monkeypatch):
    """Whoever names a key that nobody has waits for the next minute."""
    documents = [{"keys": [KEY.jwk]}] * 3
    keys = served_keys(VirtualClock(START), documents, monkeypatch)
    for number in range(100):
        assert keys(f"none {number}") is None

    assert 2 == len(documents)


def test_a_key_that_the_pool_took_away_counts_no_more(monkeypatch):
    """After an hour the keys are fetched anew; when the pool is away then, what is known goes on for another hour."""
    clock = VirtualClock(START)
    documents = [{"keys": [KEY.jwk, OTHER.jwk]}, None, {"keys": [KEY.jwk]}]
    keys = served_keys(clock, documents, monkeypatch)

    assert OTHER.jwk == keys(OTHER.jwk["kid"])
    clock.advance(3599)
    assert OTHER.jwk == keys(OTHER.jwk["kid"])
    assert 2 == len(documents)
    clock.advance(1)
    assert OTHER.jwk == keys(OTHER.jwk["kid"])
    assert 1 == len(documents)
    clock.advance(3600)
    assert keys(OTHER.jwk["kid"]) is None
    assert KEY.jwk == keys(KEY.jwk["kid"])


def test_keys_are_those_that_the_pool_publishes():
    """Below its issuer. When it is away, what is known goes on."""
    clock = VirtualClock(START)
    pool = pool_with_ann()
    with serving(pool) as endpoint:
        keys = FetchedKeys(f"{endpoint}/{pool.pool_id}", clock)
        known = pool.jwks()["keys"]
        assert known == [keys(each["kid"]) for each in known]
    clock.advance(60)

    assert keys("another") is None
    assert known == [keys(each["kid"]) for each in known]


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", b"nonsense\r\n\r\n", b"", b"HTTP/1.1 500 No\r\n\r\n"]
)
def test_a_server_that_is_none_is_an_outage(said):
    """Whatever it says, and wherever it stops."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        keys = FetchedKeys(f"http://127.0.0.1:{listening.getsockname()[1]}/p", VirtualClock(START))
        with pytest.raises(UnavailableError, match="cannot be fetched"):
            keys("any")
        thread.join()


def test_keys_that_cannot_be_fetched_are_an_outage():
    """Nobody gets in by it. (The port is one at which nothing listens.)"""
    keys = FetchedKeys("http://127.0.0.1:1", VirtualClock(START))

    with pytest.raises(UnavailableError, match="cannot be fetched"):
        keys("any")


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": [None, {}, {"kid": 7}]}])
def test_a_document_without_keys_has_none(document):
    """Whatever it is."""
    assert {} == key_set(document)


def test_the_issuer_follows_from_the_pool():
    """As the service writes it."""
    assert ISSUER == issuer_of("us-east-1_Abc123")


@pytest.mark.parametrize("pool", ["", "us-east-1", "us-east-1_", "_Abc", "a/b_Abc", "us-east-1_A/b"])
def test_an_id_that_is_none_is_refused(pool):
    """It would become an address."""
    with pytest.raises(ConfigurationError, match="no id of a user pool"):
        issuer_of(pool)


def test_keys_come_by_https():
    """Whoever answers in the pool's place could sign anything."""
    with pytest.raises(ConfigurationError, match="begins with https"):
        FetchedKeys("http://example.com", VirtualClock(START))


@pytest.mark.parametrize(
    ("endpoint", "home"),
    [
        ({}, ISSUER),
        ({"AWS_ENDPOINT_URL": ""}, ISSUER),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566/us-east-1_Abc123"),
        ({"AWS_ENDPOINT_URL": "http://example.com:4566"}, ISSUER),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"}, ISSUER),
        ({"AWS_ENDPOINT_URL": "https://vpce-1.cognito-idp.us-east-1.vpce.amazonaws.com"}, ISSUER),
    ],
)
def test_keys_are_the_emulators_where_boto3_asks_an_emulator_on_this_machine(endpoint, home):
    """Of AWS, whatever else the endpoint is: it is no place of a pool's keys. The issuer of tokens stays the pool's."""
    tokens = tokens_of(VirtualClock(START), "us-east-1_Abc123", ["client"], None, endpoint)

    assert (ISSUER, f"{home}/.well-known/jwks.json") == (tokens.issuer, tokens.keys._address)
