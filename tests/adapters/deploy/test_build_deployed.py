"""Built, deployed by CloudFormation and signed in, on an emulator of AWS: the command `ministack`, where it is on the path.

The commands that the pages print run in `tests/installed`.
"""

import json
import os
import re
import shutil
from contextlib import suppress

import pytest

from kit.artefact import shelf_of
from kit.emulator import emulator, mails, waited
from kit.paths import FLOWS
from watchword import load_flow
from watchword_adapters.deploy.build.artefact import build
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS
from watchword_adapters.deploy.target import PYTHONS, Target, this_python

boto3 = pytest.importorskip("boto3", reason="pip install boto3")
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(
        shutil.which("ministack") is None and os.environ.get("WATCHWORD_REQUIRE_EMULATOR") != "1",
        reason="ministack is not on the path: give it a venv of its own",
    ),
    pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python"),
]

REGION = "us-east-1"
PASSWORD = "Correct-horse-9"


class Cloud:
    """The emulator: clients, stacks, and the mailbox."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def client(self, service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self, name, flow, folder, shelf):
        """Build the flow in *name*.toml, deploy it; return the stack's outputs."""
        target = Target("x86_64", this_python())
        build(BuildOrder(str(FLOWS / f"{name}.toml"), target, wheels=shelf)).write(folder)
        made = Template(flow, dist=folder)
        storage, stacks = self.client("s3"), self.client("cloudformation")
        storage.create_bucket(Bucket=folder.name)
        for trigger in POOL_TRIGGERS:
            storage.upload_file(str(folder / f"{trigger}.zip"), folder.name, made.uploads[trigger])
        with suppress(Exception):  # it is there from the stack before
            self.client("sesv2").create_email_identity(EmailIdentity="login+codes@example.com")
        stack = name.replace("_", "-")
        stacks.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(made.document()),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": "CodeBucket", "ParameterValue": folder.name},
                {"ParameterKey": "Sender", "ParameterValue": "login+codes@example.com"},
            ],
        )

        def done():
            told = stacks.describe_stacks(StackName=stack)["Stacks"][0]
            return None if told["StackStatus"].endswith("IN_PROGRESS") else told

        told = waited(done, f"the stack {stack}")
        assert "CREATE_COMPLETE" == told["StackStatus"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]}
        cognito = self.client("cognito-idp")
        pool = outputs["UserPoolId"]
        cognito.admin_create_user(
            UserPoolId=pool,
            Username="ann@example.com",
            UserAttributes=[
                {"Name": "email", "Value": "ann@example.com"},
                {"Name": "email_verified", "Value": "true"},
            ],
            MessageAction="SUPPRESS",
        )
        cognito.admin_set_user_password(UserPoolId=pool, Username="ann@example.com", Password=PASSWORD, Permanent=True)
        return outputs

    def code(self, digits):
        """Return the code of the last mail."""
        return re.findall(rf">(\d{{{digits}}})<", json.dumps(mails(self.endpoint)))[-1]

    def events(self, stack):
        """Return the names of the audit events in the logs of the three functions of *stack*."""
        logs = self.client("logs")
        groups = [f"/aws/lambda/{stack}-{trigger}" for trigger in POOL_TRIGGERS]
        lines = [each["message"] for group in groups for each in logs.filter_log_events(logGroupName=group)["events"]]
        return re.findall(r'{"event": "(\w+)"', "\n".join(lines))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """An emulator on the loopback, gone afterwards."""
    if shutil.which("ministack") is None:
        pytest.fail("WATCHWORD_REQUIRE_EMULATOR is set, and ministack is not on the path: give it a venv of its own")
    with emulator(tmp_path_factory.mktemp("cloud")) as endpoint:
        yield Cloud(endpoint)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of wheels of what is installed."""
    return shelf_of(tmp_path_factory.mktemp("wheels"))


def answer(cognito, outputs, asked, text):
    """Answer a challenge."""
    return cognito.respond_to_auth_challenge(
        ClientId=outputs["ClientId"],
        ChallengeName="CUSTOM_CHALLENGE",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann@example.com", "ANSWER": text},
    )


def test_a_code_signs_in_after_a_wrong_one(cloud, shelf, tmp_path_factory):
    """Template, zips, key, table, mail: tokens at the end, budgets in the table, and the doctor's opinion."""
    flow = load_flow(FLOWS / "email_code.toml")
    outputs = cloud.deploy("email_code", flow, tmp_path_factory.mktemp("code-a"), shelf)
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
    flow = load_flow(FLOWS / "srp_then_code.toml")
    outputs = cloud.deploy("srp_then_code", flow, tmp_path_factory.mktemp("code-b"), shelf)
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
