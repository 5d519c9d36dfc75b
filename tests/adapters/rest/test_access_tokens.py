"""Access tokens that come with an answer: of this pool, app client and user, good now, as signature and pool say."""

import base64
import json

import pytest

from kit.engine_host import ANN, Post
from kit.hosts import Book, sign_in_of, triggers_of
from kit.pool_tokens import ISSUER, KEY, NOW, POOL, RefusedByPoolError, signed
from kit.user_pool import START
from watchword import ConfigurationError, Flow, UnavailableError
from watchword.contract import write_token_answer
from watchword.testing import access_token
from watchword.testing.time import VirtualClock
from watchword_adapters.functions import SignedIn
from watchword_adapters.rest.access_tokens import AccessTokensOfPools, access_tokens_of
from watchword_adapters.rest.callers import Callers
from watchword_adapters.rest.local_tokens import LocalAccessTokens
from watchword_adapters.rest.pool_tokens import PoolTokens, key_set
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.sign_in.signing_keys import new_private_key, signing_key
from watchword_plugins.sms_otp import SmsOtp

WHOSE = {"pool": POOL, "client": "web", "sub": ANN["sub"], "within": 3.0}


def known(sub=ANN["sub"], keys=None, error=None):
    """The tokens of a pool on AWS, whose GetUser gives *sub* or raises."""

    def get_user(token):
        if error:
            raise error
        return {"Username": "ann", "UserAttributes": [{"Name": "sub", "Value": sub}]}

    keys = keys or key_set({"keys": [KEY.jwk]}).get
    tokens = PoolTokens(ISSUER, frozenset({"another"}), keys, VirtualClock(START))
    return AccessTokensOfPools(lambda pool, client: Callers(tokens, get_user))


def test_the_users_own_token_is_one():
    """Of the app client that signs in, whichever the pool's APIs trust."""
    assert known()(signed(), **WHOSE)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": f"{ISSUER}9"},
        {"client_id": "another"},
        {"client_id": None, "aud": "web", "token_use": "id"},
        {"token_use": "id"},
        {"sub": "22222222-2222-4333-8444-555555555555"},
        {"exp": NOW},
        {"key": signing_key(new_private_key())},
    ],
    ids=["issuer", "client", "ID token of the client", "ID token", "sub", "expired", "key"],
)
def test_no_other_token_is(changed):
    """Of another pool, client or user, for another use, expired, or forged."""
    assert not known()(signed(**changed), **WHOSE)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "x" * 9000, f"{base64.b64encode(b'{}').decode()}.e30.", "\n", "é"])
def test_nor_is_any_other_text(text):
    """It is a stranger's."""
    assert not known()(text, **WHOSE)


def test_a_good_token_of_somebody_else_is_none():
    """Whatever its client says: both the claims and the pool name the user."""
    other = "22222222-2222-4333-8444-555555555555"
    assert not known(sub=other)(signed(), **WHOSE)
    assert not known(sub=other)(signed(sub=other), **WHOSE)


@pytest.mark.parametrize("code", ["NotAuthorizedException", "UserNotFoundException"])
def test_a_token_that_was_revoked_is_none(code):
    """Its signature is good until it expires, so the pool is asked."""
    assert not known(error=RefusedByPoolError(code))(signed(), **WHOSE)


def _no_keys(kid):
    raise UnavailableError("the keys cannot be fetched", reason="unreachable")


@pytest.mark.parametrize("down", [{"keys": _no_keys}, {"error": RefusedByPoolError("TooManyRequestsException")}])
def test_an_outage_is_none_of_the_users_fault(down):
    """It is told as one; nothing was compared."""
    with pytest.raises(UnavailableError):
        known(**down)(signed(), **WHOSE)


def test_keys_and_connections_are_kept():
    """One look-up serves all app clients of a pool, at any time."""
    tokens = access_tokens_of(VirtualClock(START), {})
    assert tokens.find(POOL, "web") is tokens.find(POOL, "other")
    assert tokens.find("us-east-1_Other", "web").tokens.issuer.endswith("us-east-1_Other")


FLOW = Flow(SmsOtp(countries=("+1",), with_token=True))
PHONE = {"phone_number": "+15555550100", "phone_number_verified": "true"}


class Phone(Post):
    channel = "sms"

    @property
    def code(self):
        return self.sent[-1].text[:6]


class Place:
    """A local pool whose users sign in by a code first, or step up; and what they get."""

    def __init__(self):
        tokens, self.phone, self.clock = LocalAccessTokens(), Phone(), VirtualClock(START)
        plain = triggers_of(Flow(SmsOtp(countries=("+1",))), courier=self.phone, clock=self.clock)
        self.triggers = {
            "up": triggers_of(FLOW, courier=self.phone, clock=self.clock, tokens=tokens),
            "in": plain,
        }
        self.now = "in"
        handlers = [
            lambda event, context, name=name: getattr(self.triggers[self.now], name)(event, context)
            for name in ("define", "create", "verify")
        ]
        self.pool = tokens.pool = LocalUserPool(*handlers, clock=self.clock)
        for name, number in (("ann", "+15555550100"), ("bob", "+15555550101")):
            self.pool.add_user(name, attributes={**PHONE, "phone_number": number})

    def signed_in(self, name="ann", answer=lambda code: code):
        """What a sign-in of *name* comes to."""
        who = {"ClientId": self.pool.client_id}
        begun = self.pool.initiate_auth(AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name}, **who)
        said = {"USERNAME": name, "ANSWER": answer(self.phone.code)}
        self.clock.advance(120)
        session = {"ChallengeName": "CUSTOM_CHALLENGE", "Session": begun["Session"], "ChallengeResponses": said}
        return self.pool.respond_to_auth_challenge(**session, **who).get("AuthenticationResult")

    def stepped_up(self, token, name="ann"):
        self.now = "up"
        return self.signed_in(name, lambda code: write_token_answer(token, code)) is not None


def test_somebody_signed_in_steps_up_at_the_local_pool():
    """With their own access token, and with nothing else that the pool has signed."""
    place = Place()
    ann, bob = place.signed_in(), place.signed_in("bob")
    assert place.stepped_up(ann["AccessToken"])
    assert not place.stepped_up(ann["IdToken"])
    assert not place.stepped_up(bob["AccessToken"])
    assert place.stepped_up(bob["AccessToken"], "bob")


def test_a_token_of_the_local_pool_ends():
    """By the clock, by being revoked, and with its user."""
    place = Place()
    first, second = place.signed_in(), place.signed_in()
    place.pool.revoke_token(Token=first["RefreshToken"], ClientId=place.pool.client_id)
    assert not place.stepped_up(first["AccessToken"])
    assert place.stepped_up(second["AccessToken"])
    place.clock.advance(3600)
    assert not place.stepped_up(second["AccessToken"])


def test_a_local_pool_that_is_not_there_yet_is_an_outage():
    """And another pool's tokens are none."""
    with pytest.raises(UnavailableError):
        LocalAccessTokens()("T", **WHOSE)
    place = Place()
    token = place.signed_in()["AccessToken"]
    listed = place.pool.admin_get_user(UserPoolId=place.pool.pool_id, Username="ann")["UserAttributes"]
    sub = next(each["Value"] for each in listed if each["Name"] == "sub")
    here = {"client": place.pool.client_id, "sub": sub, "within": 3.0}
    assert LocalAccessTokens(place.pool)(token, pool=place.pool.pool_id, **here)
    assert not LocalAccessTokens(place.pool)(token, pool="us-east-1_Other", **here)


def test_plain_functions_are_given_what_knows_their_tokens():
    """A program of one's own issues its own; without a function that knows them the flow is refused."""
    with pytest.raises(ConfigurationError, match="pass tokens="):
        sign_in_of(FLOW, courier=Phone())
    phone, asked = Phone(), []

    def tokens(token, *, pool, client, sub, within):
        asked.append((pool, client))
        return token == access_token(sub)

    here = sign_in_of(FLOW, Book(ANN | PHONE), courier=phone, tokens=tokens)
    begun = here.begin("ann")
    done = here.respond(begun.token, json.dumps({"jwt": access_token(ANN["sub"]), "secretCode": phone.code}))
    assert isinstance(done, SignedIn)
    assert asked == [("local_watchword", "functions")]


def test_triggers_ask_the_user_pool_unless_they_are_told_whom(monkeypatch):
    """A function that only creates needs nothing that reads tokens; one that verifies is refused without it."""
    assert triggers_of(FLOW, courier=Phone()).services.tokens is not None
    created = {"AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "app.create"}
    only = triggers_of(FLOW, courier=Phone(), environment=created, ledger="process-only")
    assert only.services.tokens is None
    monkeypatch.setattr("watchword_adapters.extras.find_spec", lambda module: None)
    with pytest.raises(
        ConfigurationError, match=r"the check of access tokens needs cryptography: pip install 'watchword\[api\]'"
    ):
        triggers_of(FLOW, courier=Phone())
