"""The doctor on Pre Token Generation: who calls it, on which plan, what it may read, and sign-ins beside the flow."""

import copy
import json
import re
import shlex

import pytest

from kit.deployed_world import ARNS, CLIENT_ID, NAMED, POOL_ARN, POOL_ID, Aws, healthy
from kit.template_flows import APP, MAIL, TARGET, zips
from watchword_adapters.cli import main
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.diagnosis.repair_commands import commands
from watchword_adapters.deploy.manifest import PRE_TOKEN
from watchword_adapters.deploy.reading import read_aws
from watchword_adapters.deploy.reading.deployment import DeployedFunction
from watchword_adapters.deploy.reading.read_aws import read_deployment
from watchword_adapters.deploy.reading.read_template import read_template
from watchword_adapters.deploy.reading.read_zips import with_zips
from watchword_adapters.deploy.stack.template import Template

ARN = "arn:aws:lambda:us-east-1:123456789012:function:pre_token"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:own"
CONFIG, OLDER = "PreTokenGenerationConfig", "PreTokenGeneration"


def telling(version="V2_0"):
    """A healthy deployment whose pool calls the function."""
    world = healthy()
    world["functions"][PRE_TOKEN] = copy.deepcopy(world["functions"]["verify"]) | {
        "FunctionName": PRE_TOKEN,
        "FunctionArn": ARN,
        "Handler": "pre_token.pre_token",
        "LoggingConfig": {"LogGroup": "/acme/pre_token"},
    }
    world["policies"][PRE_TOKEN] = copy.deepcopy(world["policies"]["verify"])
    world["retention"] |= {"/acme/pre_token": 30, "/aws/lambda/own": 30}
    world["functions"]["own"] = {"FunctionName": "own", "FunctionArn": OTHER, "Handler": "app.change_claims"}
    world["policies"]["own"] = None
    world["pool"]["LambdaConfig"][CONFIG] = {"LambdaVersion": version, "LambdaArn": ARN}
    return world


def deployed(world):
    return read_deployment(Aws(world), POOL_ID, CLIENT_ID)


def codes(world, flow=None):
    return [each.code for each in diagnose(deployed(world), flow)]


@pytest.mark.parametrize("version", ["V1_0", "V2_0", "V3_0"])
def test_a_healthy_pool_that_tells_has_no_finding(version):
    """Whatever the version of its event."""
    assert [] == codes(telling(version))


def test_the_older_setting_is_known():
    """A pool has it from before there were versions."""
    world = telling()
    world["pool"]["LambdaConfig"] = {
        **{name: each for name, each in world["pool"]["LambdaConfig"].items() if name != CONFIG},
        OLDER: ARN,
    }
    assert {*ARNS, PRE_TOKEN} == deployed(world).functions.keys()
    assert [] == codes(world)


def uncalled(world):
    del world["pool"]["LambdaConfig"][CONFIG]


def change(world, **facts):
    world["functions"][PRE_TOKEN].update(facts)


def variables(world):
    return world["functions"][PRE_TOKEN]["Environment"]["Variables"]


def description(flow):
    return f"PreToken of the flow {flow.name} ({flow.fingerprint})"


PLANTED = {
    "may not be called": (lambda world: world["policies"].update(pre_token=None), ["WD05"]),
    "anybody may call": (lambda world: world["policies"]["pre_token"][0].pop("Condition"), ["WD06"]),
    "no key": (lambda world: variables(world).update(WATCHWORD_KEY=""), ["WD10", "WD24"]),
    "a ledger of its own": (lambda world: variables(world).update(WATCHWORD_LEDGER="process-only"), ["WD19", "WD24"]),
    "another timeout": (lambda world: change(world, Timeout=30), ["WD13"]),
    "little memory": (lambda world: change(world, MemorySize=128), ["WD22"]),
    "an empty zip": (lambda world: change(world, CodeSize=22), ["WD28"]),
    "another flow": (lambda world: change(world, Description=description(APP)), ["WD29"]),
    "Create's": (lambda world: change(world, Handler="create.create"), ["WD33"]),
    "on Lite": (lambda world: world["pool"].update(UserPoolTier="LITE"), ["WD45"]),
    "SRP beside": (lambda world: world["client"]["ExplicitAuthFlows"].append("ALLOW_USER_SRP_AUTH"), ["WD01", "WD46"]),
    "native beside": (lambda world: world["client"]["ExplicitAuthFlows"].append("ALLOW_USER_AUTH"), ["WD01", "WD46"]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name):
    """As of the other functions; it needs no courier and no store of what users enrolled."""
    world = telling()
    PLANTED[name][0](world)
    flow = MAIL if name == "another flow" else None
    found = [each for each in codes(world, flow) if each not in {"WD07", "WD21"}]
    assert PLANTED[name][1] == found


def test_it_needs_no_store_of_what_users_enrolled():
    """Create and Verify do."""
    found = [each for each in diagnose(deployed(telling()), APP) if each.code == "WD35"]
    assert ["create", "verify"] == sorted(each.message.split()[0] for each in found)


def test_it_is_told_apart_that_keys_differ_from_the_others():
    """No answer is judged wrong by that."""
    world = telling()
    variables(world)["WATCHWORD_ROOT_KEY"] = "ssm:///other"
    [found] = diagnose(deployed(world))
    assert "create and pre_token differ in WATCHWORD_ROOT_KEY: tokens tell nothing" == found.message


@pytest.mark.parametrize("trigger", ARNS)
def test_no_other_trigger_calls_it(trigger):
    """Every sign-in would end."""
    world = telling()
    world["pool"]["LambdaConfig"][NAMED[trigger]] = ARN
    assert "WD33" in codes(world)


def test_a_pool_may_have_a_trigger_of_its_own():
    """Of its key, its memory and its permission nothing is asked; it has none of Watchword's variables."""
    world = telling()
    world["pool"]["LambdaConfig"][CONFIG]["LambdaArn"] = OTHER
    world["client"]["ExplicitAuthFlows"] = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    world["pool"]["UserPoolTier"] = "LITE"
    assert [] == codes(world)
    world["functions"]["own"]["Environment"] = {"Variables": {"WATCHWORD_KEY": "secretsmanager://acme"}}
    assert {"WD05", "WD45"} <= {*codes(world)}, "one that asks Watchword for the claims is looked at"


@pytest.mark.parametrize(("called", "what"), [(None, "no function"), (OTHER, "another function")])
def test_what_was_built_and_is_not_called_is_found(called, what, tmp_path):
    """Tokens tell nothing then, and nobody notices but who needs the claims."""
    world = telling()
    world["pool"]["LambdaConfig"][CONFIG] = {"LambdaVersion": "V2_0", "LambdaArn": called}
    folder = zips(tmp_path, MAIL, of=(*ARNS, PRE_TOKEN))
    [found] = [each for each in diagnose(with_zips(deployed(world), folder)) if each.code == "WD44"]
    assert found.message.startswith(f"the pool calls {what} for Pre Token Generation, and {folder}/pre_token.zip")
    assert "--pre-token" in found.remedy
    (folder / "pre_token.zip").unlink()
    assert "WD44" not in [each.code for each in diagnose(with_zips(deployed(world), folder))]


def test_a_pool_that_calls_what_was_not_built_is_found(tmp_path):
    """The zips of a build without it are another build's."""
    found = diagnose(with_zips(deployed(telling()), zips(tmp_path, MAIL)))
    assert [each.message for each in found if each.code == "WD28" and "pre_token.zip is not there" in each.message]


def ask(world, monkeypatch, capsys, *more):
    """The codes and the commands of the doctor, asked to attach the function."""
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    main(["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--json", *more])
    said = json.loads(capsys.readouterr().out)
    return [each["code"] for each in said["findings"]], [shlex.split(each) for each in said["commands"]]


def test_another_version_than_the_one_that_is_named_is_found(monkeypatch, capsys):
    """As one that was never published, where an alias was meant."""
    world = telling()
    world["functions"]["live"] = {**world["functions"][PRE_TOKEN], "FunctionArn": f"{ARN}:live"}
    world["policies"]["live"] = world["policies"][PRE_TOKEN]
    found, [update] = ask(world, monkeypatch, capsys, "--pre-token", f"{ARN}:live")
    assert ["WD44"] == found
    assert f"{ARN}:live" == json.loads(update[4])["LambdaConfig"][CONFIG]["LambdaArn"]
    assert ([], []) == ask(world, monkeypatch, capsys, "--pre-token", ARN)


@pytest.mark.parametrize(
    ("tier", "before", "version"),
    [
        ("ESSENTIALS", {}, "V2_0"),
        ("PLUS", {CONFIG: {"LambdaVersion": "V3_0", "LambdaArn": OTHER}, OLDER: OTHER}, "V3_0"),
        ("ESSENTIALS", {OLDER: OTHER}, "V2_0"),
        ("LITE", {}, "V1_0"),
    ],
)
def test_the_commands_attach_it_and_the_service_takes_them(tier, before, version, monkeypatch, capsys):
    """By botocore's validator. Both settings of a pool, where it has both, name one function; the rest is kept."""
    boto3 = pytest.importorskip("boto3", reason="pip install boto3")
    validate = pytest.importorskip("botocore.validate", reason="pip install boto3")
    world = telling()
    others = {name: each for name, each in world["pool"]["LambdaConfig"].items() if name != CONFIG}
    world["pool"] |= {"LambdaConfig": others | before, "UserPoolTier": tier}
    world["policies"][PRE_TOKEN] = None
    found, [permission, update] = ask(world, monkeypatch, capsys, "--pre-token", PRE_TOKEN)
    assert ["WD44"] == found
    assert (ARN, POOL_ARN) == (permission[4], permission[permission.index("--source-arn") + 1])
    assert re.fullmatch(r"[A-Za-z0-9_-]+", permission[permission.index("--statement-id") + 1])
    request = json.loads(update[4])
    told = {CONFIG: {"LambdaVersion": version, "LambdaArn": ARN}} | ({OLDER: ARN} if OLDER in before else {})
    assert others | told == request["LambdaConfig"]
    client = boto3.client("cognito-idp", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    shape = client.meta.service_model.operation_model("UpdateUserPool").input_shape
    assert not validate.ParamValidator().validate(request, shape).has_errors()


def test_attaching_another_function_leaves_it_as_it_is():
    """An update resets what is not sent."""
    world = telling()
    del world["pool"]["LambdaConfig"][NAMED["create"]]
    deployment = deployed(world)
    said = commands(deployment, diagnose(deployment), {"create": DeployedFunction(ARNS["create"])})
    config = json.loads(shlex.split(said[-1])[4])["LambdaConfig"]
    assert {"LambdaVersion": "V2_0", "LambdaArn": ARN} == config[CONFIG]
    assert OLDER not in config


def test_a_function_that_may_not_be_read_is_no_finding():
    """It may be Watchword's; what could not be read is said."""
    world = telling()
    del world["functions"][PRE_TOKEN]
    found = diagnose(deployed(world))
    assert ["WD25"] == [each.code for each in found]
    assert "the function of pre_token" in found[0].message


# --- in a template ------------------------------------------------------------------------------------------------


def template(tmp_path, plant=lambda resources: None, *, flow=MAIL, **settings):
    """The findings on the template of *flow* with the function, changed by *plant*."""
    document = json.loads(json.dumps(Template(flow, TARGET, pre_token=True, **settings).document()))
    plant(document["Resources"])
    document["Parameters"]["Tier"] = {"Type": "String"}
    path = tmp_path / "template.json"
    path.write_text(json.dumps(document))
    return [each for each in diagnose(read_template(path), flow) if each.code != "WD21"]


@pytest.mark.parametrize("flow", [MAIL, APP], ids=["mail", "app"])
def test_the_template_has_no_finding(flow, tmp_path):
    """It calls the function, may do so, and grants it what it needs."""
    assert [] == [each for each in template(tmp_path, flow=flow) if each.code != "WD25"]
    assert "WD44" not in [each.code for each in template(tmp_path, flow=flow, existing_pool=True)]


def config(resources):
    return resources["UserPool"]["Properties"]["LambdaConfig"]


def grants(resources, *, but):
    """Take an action out of the function's role."""
    (policy,) = resources["PreTokenRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    statements[:] = [each for each in statements if but not in each["Action"]]


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lambda made: config(made).pop(CONFIG), ["WD44"]),
        (lambda made: config(made).update({CONFIG: {"LambdaArn": OTHER, "LambdaVersion": "V1_0"}}), ["WD25"]),
        (lambda made: config(made)[CONFIG].update(LambdaArn={"Fn::GetAtt": ["VerifyFunction", "Arn"]}), ["WD33"]),
        (lambda made: made.pop("PreTokenPermission"), ["WD05"]),
        (lambda made: made["UserPool"]["Properties"].update(UserPoolTier="LITE"), ["WD45"]),
        (lambda made: made["UserPool"]["Properties"].update(UserPoolTier={"Ref": "Tier"}), ["WD25"]),
        (lambda made: config(made)[CONFIG].update(LambdaVersion={"Ref": "Tier"}), ["WD25"]),
        (lambda made: grants(made, but="dynamodb:GetItem"), ["WD41"]),
        (lambda made: grants(made, but="secretsmanager:GetSecretValue"), ["WD47"]),
        (lambda made: made["Client"]["Properties"]["ExplicitAuthFlows"].append("ALLOW_USER_AUTH"), ["WD01", "WD46"]),
        (lambda made: made["Client"]["Properties"].update(ExplicitAuthFlows=[{"Ref": "Tier"}]), ["WD25"]),
    ],
)
def test_what_is_planted_in_a_template_is_found(plant, expected, tmp_path):
    """What only the deployment gives is not known, and no fault."""
    known = {each.message for each in template(tmp_path)}
    found = [each for each in template(tmp_path, plant) if each.message not in known]
    assert expected == [each.code for each in found]


@pytest.mark.parametrize("name", ["Create", "Verify", "PreToken"])
def test_a_role_that_may_not_read_the_keys_is_found(name, tmp_path):
    """Of every function that has keys; a key in the environment needs no right."""

    def plant(resources):
        (policy,) = resources[f"{name}Role"]["Properties"]["Policies"]
        statements = policy["PolicyDocument"]["Statement"]
        statements[:] = [each for each in statements if "secretsmanager:GetSecretValue" not in each["Action"]]

    [found] = [each for each in template(tmp_path, plant) if each.code != "WD25"]
    assert ("WD47", "error") == (found.code, found.severity)
    assert "secretsmanager:GetSecretValue" in found.message
