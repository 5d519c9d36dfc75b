"""The function that tells in tokens what was passed: what it may do, who may call it, and what the pool is told."""

import pytest

from kit.template_flows import APP, MAIL, TARGET, zips
from watchword import ConfigurationError
from watchword_adapters.deploy import Template
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.stack.user_pool import POOL_TRIGGERS


def resources(flow=MAIL, **settings):
    """Return the resources of the template of *flow* with the function."""
    return Template(flow, TARGET, pre_token=True, **settings).document()["Resources"]


@pytest.mark.parametrize("flow", [MAIL, APP], ids=["mail", "app"])
def test_the_function_reads_the_ledger_and_the_keys_alone(flow):
    """No store of credentials, no courier; it writes its log and nothing else."""
    made = resources(flow)
    (policy,) = made["PreTokenRole"]["Properties"]["Policies"]
    allowed = [action for each in policy["PolicyDocument"]["Statement"] for action in each["Action"]]
    assert ["logs:CreateLogStream", "logs:PutLogEvents", "dynamodb:GetItem", "secretsmanager:GetSecretValue"] == allowed
    function = made["PreTokenFunction"]["Properties"]
    assert "pre_token.pre_token" == function["Handler"]
    assert {"WATCHWORD_KEY", "WATCHWORD_ROOT_KEY", "WATCHWORD_LEDGER", "WATCHWORD_RESTART"} == function["Environment"][
        "Variables"
    ].keys()


def test_the_pool_calls_it_with_the_second_version_of_the_event():
    """So that access tokens tell it too; the other triggers stay."""
    made = resources()
    config = made["UserPool"]["Properties"]["LambdaConfig"]
    told = {"LambdaArn": {"Fn::GetAtt": ["PreTokenFunction", "Arn"]}, "LambdaVersion": "V2_0"}
    assert told == config["PreTokenGenerationConfig"]
    assert {*POOL_TRIGGERS.values(), "PreTokenGenerationConfig"} == config.keys()
    assert made["PreTokenPermission"]["Properties"]["Principal"] == "cognito-idp.amazonaws.com"
    assert "PreTokenErrors" in made


def test_a_template_without_it_has_nothing_of_it():
    """Neither resource nor output."""
    document = Template(MAIL, TARGET).document()
    assert not [
        name for part in ("Resources", "Outputs", "Parameters") for name in document[part] if "PreToken" in name
    ]


def test_its_zip_is_asked_for(tmp_path):
    """It must be of the same build; it holds no courier and no store."""
    folder = zips(tmp_path, APP)
    with pytest.raises(ConfigurationError, match="--pre-token"):
        Template(APP, dist=folder, pre_token=True)
    zips(tmp_path, APP, of=(PRE_TOKEN,), credentials=())
    made = Template(APP, dist=folder, pre_token=True)
    assert made.uploads[PRE_TOKEN].startswith("pre_token-")
    assert made.uploads[PRE_TOKEN] == made.document()["Resources"]["PreTokenFunction"]["Properties"]["Code"]["S3Key"]
