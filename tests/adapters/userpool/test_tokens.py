"""The local pool's tokens: what they say, who can check them, how long they live, and how they die."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from kit.user_pool import EMAIL, START, World, code_of, text_of
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_adapters.userpool.sign_in.signing_keys import signing_keys


def part(text):
    """Decode one part of a token."""
    return json.loads(base64.urlsafe_b64decode(text + "=="))


def verified(pool, token):
    """Check a token by the published keys alone, as any application would, and return its claims."""
    head, payload, signature = token.split(".")
    header = part(head)
    assert header["alg"] == "RS256"
    (jwk,) = (key for key in pool.jwks()["keys"] if key["kid"] == header["kid"])
    numbers = [int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big") for name in ("e", "n")]
    rsa.RSAPublicNumbers(*numbers).public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), f"{head}.{payload}".encode(), padding.PKCS1v15(), SHA256()
    )
    return part(payload)


@pytest.fixture
def world():
    """A pool whose user has an address and a custom attribute."""
    world = World(user=False)
    world.pool.add_user(
        "ann",
        attributes={**EMAIL, "custom:tier": "gold", "phone_number": "+15550100", "phone_number_verified": "False"},
    )
    return world


def refresh(world, token):
    """Refresh in the older of the two ways."""
    return world.pool.initiate_auth(
        ClientId=world.pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token}
    )


def test_the_access_token_has_cognitos_claims(world):
    """Verified by the JWKS; exactly these claims, and no aud."""
    tokens = world.tokens()
    claims = verified(world.pool, tokens["AccessToken"])
    assert set(claims) == {
        *("sub", "iss", "client_id", "origin_jti", "event_id", "token_use", "scope", "auth_time"),
        *("exp", "iat", "jti", "username"),
    }
    assert claims["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{world.pool.pool_id}"
    assert (claims["token_use"], claims["client_id"], claims["username"]) == ("access", world.pool.client_id, "ann")
    assert claims["scope"] == "aws.cognito.signin.user.admin"
    assert (claims["auth_time"], claims["iat"], claims["exp"]) == (START, START, START + 3600)


def test_the_id_token_has_cognitos_claims(world):
    """Attributes as text, verified flags as JSON booleans, and no at_hash."""
    tokens = world.tokens()
    claims = verified(world.pool, tokens["IdToken"])
    access = verified(world.pool, tokens["AccessToken"])
    assert (claims["token_use"], claims["aud"], claims["cognito:username"]) == ("id", world.pool.client_id, "ann")
    assert (claims["email"], claims["email_verified"], claims["custom:tier"]) == ("ann@example.com", True, "gold")
    assert claims["phone_number_verified"] is False
    assert (claims["sub"], claims["origin_jti"]) == (access["sub"], access["origin_jti"])
    assert claims["jti"] != access["jti"]
    assert "at_hash" not in claims


def test_an_attribute_cannot_pose_as_a_claim():
    """Only names of the schema are attributes, so none is called aud or token_use; the pool's claims win anyway."""
    world = World()
    with pytest.raises(ClientError) as error:
        world.pool.add_user("eve", attributes={"token_use": "access"})
    assert code_of(error) == "InvalidParameterException"


def test_the_pool_has_two_keys_and_keeps_them(world):
    """ID and access tokens carry different kids; the keys are made once in a process."""
    tokens = world.tokens()
    kids = {part(tokens[name].split(".")[0])["kid"] for name in ("IdToken", "AccessToken")}
    assert kids == {key["kid"] for key in world.pool.jwks()["keys"]}
    assert len(kids) == 2
    assert signing_keys() is signing_keys()
    assert all(
        set(key) == {"kid", "alg", "kty", "e", "n", "use"}
        and (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        for key in world.pool.jwks()["keys"]
    )


def test_a_token_of_another_pool_is_not_accepted(world):
    """Though the same key signed it, issuer and sign-in are another's."""
    other = World(pool_id="us-east-1_Other1")
    with pytest.raises(ClientError) as error:
        other.pool.get_user(AccessToken=world.tokens()["AccessToken"])
    assert text_of(error) == "Invalid Access Token"


def test_the_issuer_can_be_set():
    """For clients that demand the local address."""
    world = World(issuer="http://127.0.0.1:9229/us-east-1_AbCdEf123")
    assert verified(world.pool, world.tokens()["AccessToken"])["iss"] == world.pool.issuer
    assert world.pool.openid_configuration()["jwks_uri"] == f"{world.pool.issuer}/.well-known/jwks.json"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "x",
        lambda token: token[:-8],
        lambda token: token + ".x",
        lambda token: ".".join([token.split(".")[0], token.split(".")[1][:-4] + "AAAA", token.split(".")[2]]),
        lambda token: ".".join([base64.urlsafe_b64encode(b'{"alg":"none"}').decode(), token.split(".")[1], ""]),
        lambda token: token.split(".")[0] + "." + token.split(".")[1] + ".a",
    ],
)
def test_a_spoilt_access_token_is_invalid(world, spoil):
    """A changed claim, no signature, another algorithm, half of it: all the same."""
    token = world.tokens()["AccessToken"]
    assert world.pool.get_user(AccessToken=token)["Username"] == "ann"
    with pytest.raises(ClientError) as error:
        world.pool.get_user(AccessToken=spoil(token))
    assert (code_of(error), text_of(error)) == ("NotAuthorizedException", "Invalid Access Token")


@given(st.text(st.characters() | st.sampled_from(".=-_")) | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_raises_when_it_is_taken_for_a_token(text):
    """Nor does a text after one part of a token, or in its place: it has no claims."""
    _, key = signing_keys()
    parts = key.token({"sub": "x"}).split(".")
    spoilt = (".".join([*parts[:place], text, *parts[place + 1 :]]) for place in range(3))
    assert all(key.claims(each) in (None, {"sub": "x"}) for each in (text, *spoilt))
    assert key.claims(text) is None


def test_a_token_says_its_key_and_its_algorithm(world):
    """And nothing else, as Cognito's."""
    for token in (world.tokens()[name] for name in ("IdToken", "AccessToken")):
        assert {"kid", "alg"} == set(part(token.split(".")[0]))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS384", "PS256"])
def test_only_rs256_is_read(algorithm):
    """Whoever knows the public key cannot sign with it, and the private key is used in one way alone."""
    _, key = signing_keys()
    made_with = {"none": None, "HS256": key.jwk["n"]}.get(algorithm, key.private)
    assert key.claims(jwt.encode({"sub": "x"}, made_with, algorithm, {"kid": key.jwk["kid"]})) is None


def test_an_id_token_is_no_access_token(world):
    """It opens nothing."""
    with pytest.raises(ClientError) as error:
        world.pool.get_user(AccessToken=world.tokens()["IdToken"])
    assert text_of(error) == "Invalid Access Token"


def test_an_access_token_expires():
    """At exp, not a second later."""
    world = World(access_minutes=5)
    token = world.tokens()["AccessToken"]
    world.clock.advance(299)
    world.pool.get_user(AccessToken=token)
    world.clock.advance(1)
    with pytest.raises(ClientError) as error:
        world.pool.get_user(AccessToken=token)
    assert text_of(error) == "Access Token has expired"


@pytest.mark.parametrize("way", ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "GetTokensFromRefreshToken"])
def test_a_refresh_keeps_the_sign_in_and_renews_the_rest(world, way):
    """auth_time, origin_jti and sub stay; jti, iat and exp are new; there is no new refresh token."""
    tokens = world.tokens()
    world.clock.advance(600)
    if way == "GetTokensFromRefreshToken":
        reply = world.pool.get_tokens_from_refresh_token(
            ClientId=world.pool.client_id, RefreshToken=tokens["RefreshToken"]
        )
    else:
        reply = world.pool.initiate_auth(
            ClientId=world.pool.client_id,
            AuthFlow=way,
            AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"], "DEVICE_KEY": None},
        )
        assert reply["ChallengeParameters"] == {}
    new = reply["AuthenticationResult"]
    before, after = (verified(world.pool, t["AccessToken"]) for t in (tokens, new))
    assert set(new) == {"AccessToken", "IdToken", "ExpiresIn", "TokenType"}
    assert [after[name] - before[name] for name in ("auth_time", "iat", "exp")] == [0, 600, 600]
    assert after["origin_jti"] == before["origin_jti"]
    assert after["jti"] != before["jti"]


def test_a_refresh_shows_attributes_as_they_are_now(world):
    """The new ID token follows a change."""
    tokens = world.tokens()
    world.pool.update_user_attributes(
        AccessToken=tokens["AccessToken"], UserAttributes=[{"Name": "custom:tier", "Value": "silver"}]
    )
    new = refresh(world, tokens["RefreshToken"])["AuthenticationResult"]
    assert verified(world.pool, new["IdToken"])["custom:tier"] == "silver"


def test_refresh_tokens_are_opaque_and_expire():
    """Pattern and lifetime; the memory of expired ones is given back."""
    world = World(refresh_days=1)
    token = world.tokens()["RefreshToken"]
    assert token.count(".") == 0
    world.clock.advance(86_399)
    refresh(world, token)
    world.clock.advance(1)
    with pytest.raises(ClientError) as error:
        refresh(world, token)
    assert text_of(error) == "Refresh Token has expired"
    world.clock.advance(3600)
    latest = world.tokens()
    with pytest.raises(ClientError) as error:
        refresh(world, token)
    assert text_of(error) == "Invalid Refresh Token"
    assert len(world.pool._tokens._by_origin) == len(world.pool._tokens._by_refresh) == 1
    refresh(world, latest["RefreshToken"])


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_an_unknown_refresh_token_is_invalid(world, token):
    """NotAuthorizedException, in both ways."""
    with pytest.raises(ClientError) as first:
        refresh(world, token)
    with pytest.raises(ClientError) as second:
        world.pool.get_tokens_from_refresh_token(ClientId=world.pool.client_id, RefreshToken=token)
    assert text_of(first) == text_of(second) == "Invalid Refresh Token"
    assert code_of(first) == code_of(second) == "NotAuthorizedException"


def test_a_missing_refresh_token_is_named(world):
    """REFRESH_TOKEN has to be there."""
    with pytest.raises(ClientError) as error:
        world.begin("ann", "REFRESH_TOKEN_AUTH")
    assert text_of(error) == "Missing required parameter REFRESH_TOKEN"


def test_revoking_kills_one_sign_in(world):
    """The refresh token and its access token are dead; those of another sign-in live. Twice is no error."""
    mine, other = world.tokens(), world.tokens()
    for _ in range(2):
        world.pool.revoke_token(ClientId=world.pool.client_id, Token=mine["RefreshToken"])
    with pytest.raises(ClientError) as error:
        refresh(world, mine["RefreshToken"])
    assert text_of(error) == "Refresh Token has been revoked"
    with pytest.raises(ClientError) as error:
        world.pool.get_user(AccessToken=mine["AccessToken"])
    assert text_of(error) == "Access Token has been revoked"
    refresh(world, other["RefreshToken"])
    world.pool.get_user(AccessToken=other["AccessToken"])


def test_only_refresh_tokens_can_be_revoked(world):
    """An access token is of an unsupported type; an unknown token is no error."""
    with pytest.raises(ClientError) as error:
        world.pool.revoke_token(ClientId=world.pool.client_id, Token=world.tokens()["AccessToken"])
    assert code_of(error) == "UnsupportedTokenTypeException"
    world.pool.revoke_token(ClientId=world.pool.client_id, Token="unknown")


def test_a_global_sign_out_kills_every_sign_in_of_one_user(world):
    """All of Ann's tokens, none of Bob's, and Ann may sign in again."""
    world.pool.add_user("bob", attributes={"email": "bob@example.com"})
    first, second = world.tokens(), world.tokens()
    bobs = world.answer(world.begin("bob"), "271828", name="bob")["AuthenticationResult"]
    world.pool.global_sign_out(AccessToken=first["AccessToken"])
    for tokens in (first, second):
        with pytest.raises(ClientError) as error:
            world.pool.get_user(AccessToken=tokens["AccessToken"])
        assert code_of(error) == "NotAuthorizedException"
        with pytest.raises(ClientError):
            refresh(world, tokens["RefreshToken"])
    world.pool.get_user(AccessToken=bobs["AccessToken"])
    refresh(world, bobs["RefreshToken"])
    assert world.pool.get_user(AccessToken=world.tokens()["AccessToken"])["Username"] == "ann"


def test_tokens_of_a_removed_user_are_dead(world):
    """Also if the name is taken again."""
    tokens = world.tokens()
    world.pool.admin_delete_user(UserPoolId=world.pool.pool_id, Username="ann")
    world.pool.add_user("ann", attributes=EMAIL)
    with pytest.raises(ClientError) as error:
        refresh(world, tokens["RefreshToken"])
    assert text_of(error) == "Invalid Refresh Token"
    with pytest.raises(ClientError):
        world.pool.get_user(AccessToken=tokens["AccessToken"])


def test_no_key_is_made_before_a_token_is_needed():
    """Starting a pool costs no RSA key and no cryptography."""
    import subprocess
    import sys

    program = (
        "import sys; from watchword_adapters.userpool import LocalUserPool\n"
        "pool = LocalUserPool(None, None, None); pool.add_user('ann', password='Passw0rd!x')\n"
        "print('cryptography' in sys.modules, 'boto3' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


def test_the_same_program_runs_against_two_pools_at_once():
    """Pools share nothing but the process's keys."""
    one, other = World(), World(pool_id="eu-west-2_Zz9")
    token = one.tokens()["RefreshToken"]
    with pytest.raises(ClientError):
        refresh(other, token)
    assert isinstance(one.pool, LocalUserPool)
    assert one.pool.jwks() == other.pool.jwks()
