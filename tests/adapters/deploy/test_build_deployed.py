"""Built, deployed by CloudFormation and signed in, on an emulator of AWS: the command `ministack`, where it is on the path.

The commands that the pages print run in `tests/installed`.
"""

import base64
import json

import pytest

from kit.artefact import shelf_of
from kit.cloud import PASSWORD, Cloud, answer
from kit.emulator import emulator, waited
from kit.paths import FLOWS
from watchword import load_flow
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.target import PYTHONS, this_python

boto3 = pytest.importorskip("boto3", reason="pip install boto3")
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python"),
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """An emulator on the loopback, gone afterwards."""
    with emulator(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield Cloud(endpoint)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of wheels of what is installed."""
    return shelf_of(tmp_path_factory.mktemp("wheels"))


def test_a_code_signs_in_after_a_wrong_one(cloud, shelf, tmp_path_factory):
    """Template, zips, key, table, mail: tokens at the end, budgets in the table, and the doctor's opinion."""
    flow = load_flow(FLOWS / "email_code.toml")
    outputs = cloud.deploy(FLOWS / "email_code.toml", tmp_path_factory.mktemp("code-a"), shelf)
    cognito = cloud.client("cognito-idp")
    asked = cognito.initiate_auth(
        ClientId=outputs["ClientId"], AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann@example.com"}
    )
    assert ("CUSTOM_CHALLENGE", "email_otp") == (asked["ChallengeName"], asked["ChallengeParameters"]["kind"])
    code = cloud.code(8)
    asked = answer(cognito, outputs, asked, "00000000" if code != "00000000" else "11111111")
    assert ("CUSTOM_CHALLENGE", "2") == (asked["ChallengeName"], asked["ChallengeParameters"]["attempts_left"])
    done = answer(cognito, outputs, asked, code)
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(done["AuthenticationResult"])
    assert cloud.client("dynamodb").scan(TableName=outputs["LedgerTable"])["Items"]
    told = waited(lambda: len(each := cloud.events("email-code")) > 2 and each, "the log")
    assert ["authn_code_sent", "authn_login_fail", "authn_login_successafterfail"] == sorted(told)
    found = diagnose(read_aws.read_deployment(cloud.client, outputs["UserPoolId"], outputs["ClientId"]), flow)
    # The emulator's CloudFormation leaves out a table's time to live.
    assert {"WD08", "WD21"} == {each.code for each in found}


def test_a_password_and_a_code_sign_in(cloud, shelf, tmp_path_factory):
    """SRP inside custom authentication, by pycognito's arithmetic; the password alone gives no tokens."""
    pycognito = pytest.importorskip("pycognito.aws_srp", reason="pip install pycognito")
    outputs = cloud.deploy(FLOWS / "srp_then_code.toml", tmp_path_factory.mktemp("code-b"), shelf)
    cognito = cloud.client("cognito-idp")
    srp = pycognito.AWSSRP(
        username="ann@example.com",
        password=PASSWORD,
        pool_id=outputs["UserPoolId"],
        client_id=outputs["ClientId"],
        client=cognito,
    )
    asked = cognito.initiate_auth(
        ClientId=outputs["ClientId"],
        AuthFlow="CUSTOM_AUTH",
        AuthParameters={**srp.get_auth_params(), "CHALLENGE_NAME": "SRP_A"},
    )
    assert "PASSWORD_VERIFIER" == asked["ChallengeName"]
    parameters = {"USERNAME": "ann@example.com", **asked["ChallengeParameters"]}
    asked = cognito.respond_to_auth_challenge(
        ClientId=outputs["ClientId"],
        ChallengeName="PASSWORD_VERIFIER",
        Session=asked["Session"],
        ChallengeResponses=srp.process_challenge(parameters, {"USERNAME": "ann@example.com"}),
    )
    assert "CUSTOM_CHALLENGE" == asked["ChallengeName"]
    assert "AuthenticationResult" not in asked
    done = answer(cognito, outputs, asked, cloud.code(6))
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(done["AuthenticationResult"])


def test_tokens_tell_what_was_passed(cloud, shelf, tmp_path_factory):
    """By the function of its own, with the template's permissions; the emulator calls it for both tokens."""
    folder = tmp_path_factory.mktemp("code-c")
    outputs = cloud.deploy(FLOWS / "email_code.toml", folder, shelf, stack="tokens-tell", pre_token=True)
    cognito = cloud.client("cognito-idp")
    asked = cognito.initiate_auth(
        ClientId=outputs["ClientId"], AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann@example.com"}
    )
    said = {"watchword_signin": asked["ChallengeParameters"]["signin"]}
    tokens = answer(cognito, outputs, asked, cloud.code(8), **said)["AuthenticationResult"]
    for token in (tokens["IdToken"], tokens["AccessToken"]):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert ("otp email", "email_code") == (claims["sign_in_methods"], claims["sign_in_flow"])
