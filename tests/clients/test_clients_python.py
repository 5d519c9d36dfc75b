"""boto3 and pycognito against the served pool: nothing of theirs is changed but the endpoint, and how long they wait."""

import itertools

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import TokenVerificationException

from kit.served_pool import CLIENT_ID, PASSWORD, POOL_ID, other_than, served

pytestmark = pytest.mark.exhaustive

names = (f"py-{number}" for number in itertools.count())

# A session works once: a client that lost its patience on a busy machine would send an answer again.
UNHURRIED = Config(connect_timeout=3600, read_timeout=3600, retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def server():
    """One server for the module; each test signs up users of its own."""
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def cognito(server):
    """boto3's client, without credentials of any use."""
    return boto3.client(
        "cognito-idp",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=UNHURRIED,
    )


@pytest.fixture
def ann(cognito, server):
    """The name of a new user who has signed up and confirmed."""
    name = next(names)
    email = [{"Name": "email", "Value": f"{name}@example.com"}]
    reply = cognito.sign_up(ClientId=CLIENT_ID, Username=name, Password=PASSWORD, UserAttributes=email)
    assert not reply["UserConfirmed"]
    cognito.confirm_sign_up(ClientId=CLIENT_ID, Username=name, ConfirmationCode=server.code_for(name))
    return name


def begin(cognito, name):
    return cognito.initiate_auth(ClientId=CLIENT_ID, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": name})


def answer(cognito, reply, text, **said):
    return cognito.respond_to_auth_challenge(
        ClientId=CLIENT_ID,
        ChallengeName=reply["ChallengeName"],
        Session=reply["Session"],
        ChallengeResponses={"USERNAME": reply["ChallengeParameters"]["USERNAME"], "ANSWER": text},
        ClientMetadata=said,
    )


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_boto3_signs_in_without_a_password_after_two_wrong_answers(cognito, server, ann):
    """A wrong answer is a 200 with a new session and fewer tries; the right one brings tokens."""
    reply = begin(cognito, ann)
    code = server.code_for(ann)
    for left in ("3", "2"):
        assert reply["ChallengeParameters"]["attempts_left"] == left
        reply = answer(cognito, reply, other_than(code))
    assert reply["ChallengeParameters"]["error"] == "wrong"

    tokens = answer(cognito, reply, code)["AuthenticationResult"]

    assert tokens["TokenType"] == "Bearer"
    assert cognito.get_user(AccessToken=tokens["AccessToken"])["Username"] == ann


def test_boto3_is_refused_after_three_wrong_answers(cognito, server, ann):
    """The refusal is Cognito's, with its class; boto3 tries it once, not three times."""
    reply = begin(cognito, ann)
    code = server.code_for(ann)
    for _ in range(2):
        reply = answer(cognito, reply, other_than(code))

    with pytest.raises(cognito.exceptions.NotAuthorizedException) as error:
        answer(cognito, reply, other_than(code))

    assert error.value.response["Error"]["Message"] == "Incorrect username or password."
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_boto3_signs_in_with_the_password_first(cognito, server, ann):
    """SRP as pycognito computes it, then the code: the session goes through both."""
    srp = AWSSRP(ann, PASSWORD, POOL_ID, CLIENT_ID, client=cognito)
    parameters = {**srp.get_auth_params(), "CHALLENGE_NAME": "SRP_A"}
    reply = cognito.initiate_auth(ClientId=CLIENT_ID, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)
    assert reply["ChallengeName"] == "PASSWORD_VERIFIER"
    reply = cognito.respond_to_auth_challenge(
        ClientId=CLIENT_ID,
        ChallengeName="PASSWORD_VERIFIER",
        Session=reply["Session"],
        ChallengeResponses=srp.process_challenge(reply["ChallengeParameters"], parameters),
    )
    assert reply["ChallengeParameters"]["step"] == "short_code"

    assert "AuthenticationResult" in answer(cognito, reply, server.code_for(ann))


def test_boto3_signs_in_again_at_once(cognito, server, ann):
    """Each sign-in has a code of its own that works, however soon it follows on the last one; so it is after a sign-out."""
    codes = []
    for _ in range(3):
        reply = begin(cognito, ann)
        codes.append(server.code_for(ann))
        tokens = answer(cognito, reply, codes[-1])["AuthenticationResult"]
        cognito.get_user(AccessToken=tokens["AccessToken"])
        if len(codes) == 2:
            cognito.global_sign_out(AccessToken=tokens["AccessToken"])
    assert len(set(codes)) == 3


def test_boto3_loses_nothing_by_an_early_resend(cognito, server, ann):
    """Nothing is sent and no try is lost; the reply says when another message can be had, and the code still counts."""
    reply = begin(cognito, ann)
    for _ in range(2):
        before, mails = reply["ChallengeParameters"], server.mails_for(ann)
        reply = answer(cognito, reply, "-", watchword_action="resend")
        assert reply["ChallengeParameters"] == before
        assert server.mails_for(ann) == mails
    assert int(before["resend_after"]) > 0

    assert "AuthenticationResult" in answer(cognito, reply, server.code_for(ann))


@pytest.mark.parametrize("paste", ["{}\r\n", "\n{}", "\t{}\t", "\ufeff{}", "\u200b{}\u00a0"])
def test_boto3_passes_on_a_code_as_it_was_pasted(cognito, server, ann, paste):
    """A line end, or what else nobody sees, is on the clipboard and not in the code."""
    reply = begin(cognito, ann)

    assert "AuthenticationResult" in answer(cognito, reply, paste.format(server.code_for(ann)))


def test_boto3_is_shown_the_same_challenge_for_a_user_who_does_not_exist(cognito, ann):
    """Who exists is no business of a stranger's: the reply differs in values alone."""
    known, unknown = begin(cognito, ann), begin(cognito, "nobody-at-all")

    assert known["ChallengeParameters"].keys() == unknown["ChallengeParameters"].keys()
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        for _ in range(3):
            unknown = answer(cognito, unknown, "00000000")


def test_boto3_refreshes_and_signs_out(cognito, server, ann):
    """Both ways to refresh work until all tokens are revoked, and then neither does."""
    tokens = answer(cognito, begin(cognito, ann), server.code_for(ann))["AuthenticationResult"]
    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}

    def by_flow():
        return cognito.initiate_auth(ClientId=CLIENT_ID, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)

    def by_call():
        return cognito.get_tokens_from_refresh_token(ClientId=CLIENT_ID, RefreshToken=tokens["RefreshToken"])

    assert "IdToken" in by_flow()["AuthenticationResult"]
    assert "IdToken" in by_call()["AuthenticationResult"]
    cognito.global_sign_out(AccessToken=tokens["AccessToken"])
    for call in (by_flow, by_call, lambda: cognito.get_user(AccessToken=tokens["AccessToken"])):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "NotAuthorizedException"


def test_boto3_reads_an_administrator_s_times(cognito, ann):
    """Times are numbers on the wire; boto3 makes them what it always makes of them."""
    user = cognito.admin_get_user(UserPoolId=POOL_ID, Username=ann)

    assert user["UserStatus"] == "CONFIRMED"
    assert user["UserCreateDate"].year >= 2024


def test_boto3_is_told_what_is_not_played(cognito):
    """An operation that the pool lacks is named, with a list of those that it has."""
    with pytest.raises(ClientError) as error:
        cognito.list_users(UserPoolId=POOL_ID)

    assert code_of(error) == "UnknownOperationException"
    assert "ListUsers" in str(error.value)
    assert "InitiateAuth" in str(error.value)


def user_of(server, name):
    kwargs = {"endpoint_url": server.endpoint, "region_name": "us-east-1", "config": UNHURRIED}
    return Cognito(POOL_ID, CLIENT_ID, username=name, boto3_client_kwargs=kwargs)


def test_pycognito_signs_up_in_and_out(server):
    """Its SRP sends no session, its verification wants the local issuer and the keys: all of it holds."""
    name = next(names)
    user = user_of(server, name)
    user.set_base_attributes(email=f"{name}@example.com")
    user.register(name, PASSWORD)
    user.confirm_sign_up(server.code_for(name), username=name)

    user.authenticate(PASSWORD)  # verifies both tokens
    assert user.get_user().sub == user.id_claims["sub"]
    before = user.access_token
    user.renew_access_token()
    assert before != user.access_token
    user.logout()
    with pytest.raises(ClientError) as error:
        user_of_token = user.client.get_user(AccessToken=before)
        assert not user_of_token
    assert code_of(error) == "NotAuthorizedException"


def test_pycognito_signs_in_again_at_once(server, ann):
    """Twice in a row, and after a sign-out."""
    first, second = user_of(server, ann), user_of(server, ann)
    first.authenticate(PASSWORD)
    second.authenticate(PASSWORD)
    assert first.access_token != second.access_token
    second.logout()
    second.authenticate(PASSWORD)
    assert second.get_user().sub == first.id_claims["sub"]


def test_pycognito_is_refused_a_wrong_password(server, ann):
    """Cognito's name for it."""
    with pytest.raises(ClientError) as error:
        user_of(server, ann).authenticate("Wr0ng!word")

    assert code_of(error) == "NotAuthorizedException"


def test_pycognito_refuses_a_token_that_was_tampered_with(server, ann):
    """The test above verifies something: with another last character it fails."""
    user = user_of(server, ann)
    user.authenticate(PASSWORD)
    head, payload, signature = user.id_token.split(".")
    flipped = "A" if signature[10] != "A" else "B"
    with pytest.raises(TokenVerificationException):
        user.verify_token(f"{head}.{payload}.{signature[:10]}{flipped}{signature[11:]}", "id_token", "id")
