"""The API of credentials beside a local pool: the pool's own tokens, and what the pool knows of them."""

import json

import pytest

from kit.engine_host import Riddle
from kit.fobs import Fob
from kit.hosts import triggers_of
from kit.pool_server import application_of, asked
from kit.user_pool import EMAIL, PASSWORD
from watchword import Flow, enrolled, sequence, when
from watchword.testing.time import VirtualClock
from watchword_adapters.cli.local.local_apis import CREDENTIALS_PATH, LocalServices
from watchword_adapters.userpool import LocalUserPool


class Place:
    """A pool of one flow, with its API."""

    def __init__(self):
        self.clock = VirtualClock()
        made = triggers_of(Flow(sequence(Riddle(), when(enrolled("fob"), Fob()))), clock=self.clock)
        define, create, verify = made
        self.pool = LocalUserPool(define, create, verify, clock=self.clock)
        self.pool.add_user("ann", password=PASSWORD, attributes=EMAIL)
        running = LocalServices()
        running.services = made.services
        self.application = application_of(self.pool, apis={CREDENTIALS_PATH: running.credentials_api(self.pool)})

    def sign_in(self, *more):
        """The tokens of Ann, who answers the riddle and then *more*."""
        step = self.pool.initiate_auth(
            AuthFlow="CUSTOM_AUTH", ClientId=self.pool.client_id, AuthParameters={"USERNAME": "ann"}
        )
        for answer in ("fish", *more):
            step = self.pool.respond_to_auth_challenge(
                ChallengeName="CUSTOM_CHALLENGE",
                ClientId=self.pool.client_id,
                Session=step["Session"],
                ChallengeResponses={"USERNAME": "ann", "ANSWER": answer},
            )
        return step["AuthenticationResult"]

    def call(self, tokens, method, path="", given=None, **headers):
        given = b"" if given is None else json.dumps(given).encode()
        headers = {"authorization": f"Bearer {tokens['AccessToken']}", **headers}
        reply = asked(self.application, method, f"/credentials{path}", body=given, headers=headers.items())
        return reply.status, json.loads(reply.body) if reply.body else None


@pytest.fixture
def at():
    return Place()


def enrol(at, tokens):
    _, begun = at.call(tokens, "POST", "/fob/begin", {})
    word = begun["public"]["word"]
    status, done = at.call(tokens, "POST", "/fob/complete", {"handle": begun["handle"], "answer": word})
    assert 200 == status
    return word, done["credential"]


def test_what_is_enrolled_is_asked_for_at_the_next_sign_in(at):
    """From a sign-in to the next, with the pool's tokens."""
    tokens = at.sign_in()
    word, credential = enrol(at, tokens)
    assert (200, {"credentials": [credential], "kinds": ["fob"]}) == at.call(tokens, "GET")
    assert at.sign_in(word)["AccessToken"]
    assert (204, None) == at.call(tokens, "DELETE", f"/fob/{credential['id']}")
    assert at.sign_in()["AccessToken"]


def test_a_token_that_counts_no_more_adds_nothing(at):
    """Signed out, disabled, gone, or too old."""
    tokens = at.sign_in()
    assert 200 == at.call(tokens, "GET")[0]
    at.pool.global_sign_out(AccessToken=tokens["AccessToken"])
    assert 401 == at.call(tokens, "POST", "/fob/begin", {})[0]
    tokens = at.sign_in()
    at.clock.advance(301)
    assert 403 == at.call(tokens, "POST", "/fob/begin", {})[0]
    refreshed = at.pool.initiate_auth(
        AuthFlow="REFRESH_TOKEN_AUTH",
        ClientId=at.pool.client_id,
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )["AuthenticationResult"]
    assert 200 == at.call(refreshed, "GET")[0]
    assert 403 == at.call(refreshed, "POST", "/fob/begin", {})[0]
    tokens = at.sign_in()
    at.pool.admin_disable_user(UserPoolId=at.pool.pool_id, Username="ann")
    assert 401 == at.call(tokens, "GET")[0]


def test_an_id_token_is_refused(at):
    """It says less: an access token it must be."""
    tokens = at.sign_in()
    assert 400 == at.call({"AccessToken": tokens["IdToken"]}, "GET")[0]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("https://localhost.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_pages_of_this_machine_may_call(at, origin, allowed):
    """And no others."""
    reply = asked(at.application, "OPTIONS", "/credentials/fob/begin", headers={"origin": origin}.items())
    assert allowed is ("access-control-allow-origin" in reply.headers)
