"""Flows that remember, built, deployed by CloudFormation and used, on an emulator of AWS: the command `ministack`, where it is on the path."""

import json
import time

import pytest

from kit.artefact import shelf_of
from kit.authenticator import Authenticator, decode
from kit.cloud import Cloud, answer
from kit.emulator import emulator
from kit.programs import go_without
from watchword import load_flow
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.target import PYTHONS, this_python

pyotp = pytest.importorskip("pyotp", reason="pip install pyotp")
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python"),
]

APP = """
name = "app"

[[steps]]
kind = "email_otp"
length = 8

[[steps]]
when = { enrolled = "totp" }
then = { one_of = [{ kind = "totp" }, { kind = "recovery_codes" }] }
"""

KEYS = """
name = "keys"

[[steps]]
one_of = [
    { kind = "passkey", rp_id = "example.com", origins = ["https://app.example.com"] },
    { kind = "email_otp", length = 8 },
    { kind = "magic_link", redirects = { page = "https://app.example.com/" }, opens = "anywhere" },
]
"""
ORIGIN = "https://app.example.com"
FIDO2 = {"signInMethod": "FIDO2"}
LINK = {"signInMethod": "MAGIC_LINK", "redirectUri": f"{ORIGIN}/"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """An emulator on the loopback, gone afterwards."""
    with emulator(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield Cloud(endpoint)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of wheels of what is installed."""
    more = ("pyotp", "fido2", "pyjwt", "cryptography", "cffi", "pycparser")
    return shelf_of(tmp_path_factory.mktemp("wheels"), *more)


class User:
    """Ann, at the deployed stack."""

    def __init__(self, cloud, outputs, flow):
        self.flow = flow
        self.cloud, self.outputs, self.cognito = cloud, outputs, cloud.client("cognito-idp")

    def begins(self):
        parameters = {"USERNAME": "ann@example.com"}
        return self.cognito.initiate_auth(
            ClientId=self.outputs["ClientId"], AuthFlow="CUSTOM_AUTH", AuthParameters=parameters
        )

    def answers(self, asked, text, **metadata):
        return answer(self.cognito, self.outputs, asked, text, **metadata)

    def after_the_mail(self):
        """Sign in as far as the code of the mail brings."""
        return self.answers(self.begins(), self.cloud.code(8))

    def asks(self, method, path="", body=None):
        return self.cloud.asks(self.outputs["CredentialsUrl"] + path, method, self.token, body)

    def chooses(self, step):
        """Sign in as far as the question of *step*, which was chosen."""
        asked = self.after_the_mail()
        assert {"totp", "recovery_codes"} <= set(asked["ChallengeParameters"]["choices"].split(","))
        return self.answers(asked, "-", watchword_choice=step)


@pytest.fixture(scope="module")
def deployed(cloud, shelf, tmp_path_factory):
    """A function that builds and deploys a flow, and returns Ann there."""

    def done(name, text, **settings):
        folder = tmp_path_factory.mktemp(f"zips-{name}-")
        (folder / f"{name}.toml").write_text(text)
        outputs = cloud.deploy(folder / f"{name}.toml", folder, shelf, **settings)
        if not cloud.signs_tokens(outputs):
            go_without("ministack signs no tokens: pip install cryptography into its environment")
        return User(cloud, outputs, load_flow(folder / f"{name}.toml"))

    return done


def found(user, cloud, apis):
    """What the doctor finds on the deployed stack, with its API, but for what the emulator leaves out of tables."""
    deployed = read_aws.read_deployment(cloud.client, user.outputs["UserPoolId"], user.outputs["ClientId"], apis)
    return {each.code for each in diagnose(deployed, user.flow)} - {"WD08", "WD21", "WD37"}


def test_an_app_is_set_up_through_the_api_and_signs_in(cloud, deployed):
    """Enrolled by one function, asked for by the first Create, judged by Verify: three functions, one store."""
    ann = deployed("app", APP, credentials_api=True)
    ann.token = ann.after_the_mail()["AuthenticationResult"]["AccessToken"]
    assert (200, {"credentials": [], "kinds": ["recovery_codes", "totp"]}) == ann.asks("GET")
    status, begun = ann.asks("POST", "/totp/begin")
    assert 200 == status
    app = pyotp.TOTP(begun["public"]["secret"])
    given = {"handle": begun["handle"], "answer": app.now(), "label": "Phone"}
    status, done = ann.asks("POST", "/totp/complete", given)
    assert (200, "Phone") == (status, done["credential"]["label"])
    assert (200, done) == ann.asks("POST", "/totp/complete", given)  # the connection broke: the same again
    _, begun = ann.asks("POST", "/recovery_codes/begin")
    codes = begun["public"]["codes"].split()
    assert 200 == ann.asks("POST", "/recovery_codes/complete", {"handle": begun["handle"], "answer": codes[0]})[0]

    tokens = ann.answers(ann.chooses("totp"), app.at(int(time.time()) + app.interval))["AuthenticationResult"]
    assert {"AccessToken", "IdToken", "RefreshToken"} <= set(tokens)
    tokens = ann.answers(ann.chooses("recovery_codes"), codes[1])["AuthenticationResult"]
    assert "AccessToken" in tokens
    assert "used" in str(ann.asks("GET")[1])

    ann.token = "forged." + ann.token
    assert 401 == ann.asks("GET")[0]
    items = cloud.client("dynamodb").scan(TableName=ann.outputs["CredentialsTable"])["Items"]
    assert items
    assert app.secret not in str(items)
    assert not [code for code in codes if code in str(items)]
    assert set() == found(ann, cloud, {CREDENTIALS_API: ann.outputs["CredentialsApiFunctionArn"]})


def test_a_passkey_is_registered_and_signs_in_in_the_words_of_the_client(cloud, deployed):
    """After a code, through the client's API; then without a code, and for a challenge that was given out to nobody."""
    ann = deployed("keys", KEYS, dialect="passwordless")
    asked = ann.answers(ann.begins(), "__dummy__", watchword_choice="email_otp")
    tokens = ann.answers(asked, cloud.code(8))["AuthenticationResult"]

    def asks(path, body=None, token=tokens["IdToken"]):
        return cloud.asks(f"{ann.outputs['Fido2BaseUrl']}{path}", "POST", token, body)

    status, options = asks("/register-authenticator/start?rpId=example.com")
    assert 200 == status
    device = Authenticator(origin=ORIGIN, user_handle=options["user"]["id"].encode())
    registration = device.register(decode(options["challenge"])) | {"friendlyName": "Laptop"}
    assert 200 == asks("/register-authenticator/complete", registration)[0]
    assert 401 == asks("/authenticators/list?rpId=example.com", token=tokens["AccessToken"] + "x")[0]

    asked = ann.begins()
    device.count += 1
    used = json.dumps(device.use(decode(json.loads(asked["ChallengeParameters"]["fido2options"])["challenge"])))
    assert "AccessToken" in ann.answers(asked, used, **FIDO2)["AuthenticationResult"]
    with pytest.raises(ann.cognito.exceptions.NotAuthorizedException):
        ann.answers(ann.begins(), used, **FIDO2)  # another sign-in, another challenge

    _, given = asks("/sign-in-challenge", token="")
    device.count += 1
    used = json.dumps(device.use(decode(given["challenge"])))
    assert "AccessToken" in ann.answers(ann.begins(), used, **FIDO2)["AuthenticationResult"]
    assert set() == found(ann, cloud, {FIDO2_API: ann.outputs["Fido2ApiFunctionArn"]})
    status, listed = asks("/authenticators/list?rpId=example.com")
    assert (200, ["Laptop"]) == (status, [each["friendlyName"] for each in listed["authenticators"]])

    asked = ann.begins()
    ann.answers(asked, "__dummy__", **LINK, alreadyHaveMagicLink="no")
    ticket = cloud.link(f"{ORIGIN}/").partition("#")[2]
    assert (
        "AccessToken" in ann.answers(ann.begins(), ticket, **LINK, alreadyHaveMagicLink="yes")["AuthenticationResult"]
    )
    with pytest.raises(ann.cognito.exceptions.NotAuthorizedException):
        ann.answers(ann.begins(), ticket, **LINK, alreadyHaveMagicLink="yes")
    with pytest.raises(ann.cognito.exceptions.ClientError, match=r"Invalid redirectUri: https://evil\.example/"):
        ann.answers(
            ann.begins(), "__dummy__", **LINK | {"redirectUri": "https://evil.example/"}, alreadyHaveMagicLink="no"
        )
