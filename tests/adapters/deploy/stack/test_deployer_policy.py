"""The policy of a deployer: its actions exist, and it covers the template's resources and the commands of the pages."""

import json
import re

import pytest

from kit.paths import DOCS
from kit.template_flows import KEYS
from watchword import Flow
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.target import Target
from watchword_plugins.email_otp import EmailOtp

botocore = pytest.importorskip("botocore.session", reason="pip install boto3")
from botocore import xform_name  # noqa: E402 - after the question whether it is there

HOW_TO = DOCS / "how-to"
PAGES = ("deploy-to-aws.md", "run-it-in-production.md", "move-users-to-a-flow.md")
SESSION = botocore.get_session()
SERVICES = {"ses": "sesv2"}
"""The model of a service, where it is not named as the actions are."""
BY_METHOD = {f"apigateway:{method}" for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "TagResource")}
NO_OPERATION = {"iam:PassRole", "s3:ListBucket"} | BY_METHOD
"""Actions that stand for no operation of the same name: handing a role on; ListObjects; API Gateway's are methods of HTTP."""

# What makes a resource of each type, and what changes it.
MADE_BY = {
    **dict.fromkeys(
        (f"AWS::ApiGatewayV2::{each}" for each in ("Api", "Stage", "Integration", "Route")),
        BY_METHOD - {"apigateway:PUT"},
    ),
    "AWS::CloudWatch::Alarm": {"cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"},
    "AWS::Cognito::UserPool": {
        "cognito-idp:CreateUserPool",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:DescribeUserPool",
    },
    "AWS::Cognito::UserPoolClient": {
        "cognito-idp:CreateUserPoolClient",
        "cognito-idp:UpdateUserPoolClient",
        "cognito-idp:DescribeUserPoolClient",
        "cognito-idp:DeleteUserPoolClient",
    },
    "AWS::DynamoDB::Table": {
        "dynamodb:CreateTable",
        "dynamodb:UpdateTable",
        "dynamodb:DescribeTable",
        "dynamodb:UpdateTimeToLive",
    },
    "AWS::IAM::Role": {"iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole", "iam:DeleteRole", "iam:PassRole"},
    "AWS::Lambda::Function": {
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:GetFunction",
        "lambda:DeleteFunction",
        "iam:PassRole",
        "s3:GetObject",
    },
    "AWS::Lambda::Permission": {"lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"},
    "AWS::Logs::LogGroup": {"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteLogGroup"},
    "AWS::Logs::MetricFilter": {"logs:PutMetricFilter", "logs:DeleteMetricFilter"},
    "AWS::SecretsManager::Secret": {"secretsmanager:CreateSecret", "secretsmanager:GetRandomPassword"},
}
COMPOSED = {
    ("s3", "mb"): {"s3:CreateBucket"},
    ("s3", "cp"): {"s3:PutObject"},
    ("cloudformation", "deploy"): {
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:DescribeStacks",
    },
}
"""Commands of the AWS CLI that are none of one operation each."""


def model(prefix):
    """The model of the service whose actions have this prefix."""
    return SESSION.get_service_model(SERVICES.get(prefix, prefix))


def policy():
    """The document on the page."""
    (block,) = re.findall(
        r"^```json\n(.*?)^```$",
        (HOW_TO / "give-a-deployer-permissions.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return json.loads(block)


def allowed():
    """All actions of the policy."""
    return {action for each in policy()["Statement"] for action in each["Action"]}


def commands():
    """The commands of the AWS CLI that the pages have, with those that `upload.sh` runs: service and command."""
    text = "".join((HOW_TO / page).read_text("utf-8") for page in PAGES)
    blocks = "".join(re.findall(r"^```(?:sh|text)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    return {("s3", "cp"), *re.findall(r"\baws ([\w-]+) ([\w-]+)", blocks)}


def needed(service, command):
    """The actions that a command needs; none for operations that need no credentials."""
    if (service, command) in COMPOSED:
        return COMPOSED[service, command]
    prefix = {"sesv2": "ses"}.get(service, service)
    (name,) = [each for each in model(prefix).operation_names if xform_name(each, "-") == command]
    return set() if model(prefix).operation_model(name).auth_type == "none" else {f"{prefix}:{name}"}


@pytest.mark.parametrize("action", sorted(allowed() - NO_OPERATION))
def test_each_action_is_an_operation_of_its_service(action):
    """As botocore's models have them: an action that is misspelt allows nothing."""
    prefix, _, name = action.partition(":")
    assert name in model(prefix).operation_names


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("settings", [{}, {"credentials_api": True, "dialect": "passwordless"}])
def test_each_resource_of_the_template_can_be_made(existing, settings):
    """Of every type that there is in it, and a table that can be restored."""
    made = Template(KEYS if settings else Flow(EmailOtp()), Target("arm64", "3.12"), existing_pool=existing, **settings)
    for each in made.document()["Resources"].values():
        assert MADE_BY[each["Type"]] <= allowed(), each["Type"]
        if "PointInTimeRecoverySpecification" in each["Properties"]:
            assert {"dynamodb:UpdateContinuousBackups", "dynamodb:DescribeContinuousBackups"} <= allowed()


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_each_command_of_the_pages_is_allowed(command):
    """Of the guides that the page names."""
    assert needed(*command) <= allowed()


def test_what_the_doctor_needs_is_allowed():
    """As the page on deployment lists it."""
    text = (HOW_TO / "deploy-to-aws.md").read_text("utf-8").split("It changes nothing. It needs ")[1].split(";")[0]
    prefix, listed = "", re.findall(r"`(?:([\w-]+):)?(\w+)`", text)
    assert len(listed) > 5
    for given, name in listed:
        prefix = given or prefix
        assert f"{prefix}:{name}" in allowed()


def test_who_deploys_reads_no_key_and_passes_roles_to_lambda_alone():
    """The two that matter most."""
    assert "secretsmanager:GetSecretValue" not in allowed()
    assert not [action for action in allowed() if "*" in action]
    (passing,) = [each for each in policy()["Statement"] if "iam:PassRole" in each["Action"]]
    assert {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}} == passing["Condition"]
