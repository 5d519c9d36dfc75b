"""The doctor: each misconfiguration is planted and found, nothing is changed, and repairs keep every other setting."""

import base64
import copy
import functools
import hashlib
import itertools
import json
import re
import shlex
import zipfile

import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from kit.checked_flows import Letter
from kit.deployed_world import ARNS, CLIENT_ID, NAMED, POOL_ARN, POOL_ID, Aws, failed, healthy
from kit.doctor import COURIERS, CREDENTIALS, TOKENS
from kit.paths import DOCS, FLOWS
from watchword import ConfigurationError, Flow, attribute, load_flow, sequence, when
from watchword.algebra.attributes import may_change, who_can_change
from watchword.errors import UnavailableError
from watchword_adapters.cli import main
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.diagnosis.doctor_finding import SEVERITIES
from watchword_adapters.deploy.diagnosis.environments import schemes_of
from watchword_adapters.deploy.diagnosis.repair_commands import CLIENT_READ_ONLY, POOL_READ_ONLY, commands
from watchword_adapters.deploy.manifest import MANIFEST_NAME, FlowMark, Manifest
from watchword_adapters.deploy.reading import read_aws, template_text
from watchword_adapters.deploy.reading.deployment import DeployedFunction
from watchword_adapters.deploy.reading.read_aws import flows_of, read_deployment
from watchword_adapters.deploy.reading.read_template import read_template
from watchword_adapters.deploy.stack.template import Template
from watchword_adapters.deploy.target import Target
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

exceptions = pytest.importorskip("botocore.exceptions", reason="pip install boto3")

FLOW = Flow(sequence(Srp(), when(attribute("custom:tier", "gold"), Captcha(), EmailOtp(lifetime=300))), name="acme")
KEY = base64.b64encode(bytes(range(32))).decode()


def examined(world, flow=FLOW, denied=()):
    """Return the findings on *world*."""
    return diagnose(read_deployment(Aws(world, denied), POOL_ID, CLIENT_ID), flow)


def codes(findings):
    """Return their codes."""
    return [each.code for each in findings]


def test_a_healthy_deployment_has_no_finding():
    """What the template deploys, and what this page's other tests start from."""
    assert () == examined(healthy())


# --- each misconfiguration, planted -------------------------------------------------------------------------------


def put(*path):
    """Return a plant that sets what the path, but its last, names to the last."""

    def plant(world):
        *way, name, value = path
        for step in way:
            world = world[step]
        if value is DELETED:
            del world[name]
        else:
            world[name] = value

    return plant


DELETED = object()
COGNITO = {"Service": "cognito-idp.amazonaws.com"}
STATEMENT = {"Effect": "Allow", "Principal": COGNITO, "Action": "lambda:InvokeFunction"}
OURS = {"ArnLike": {"AWS:SourceArn": POOL_ARN}}
ELSEWHERE = {"ArnLike": {"AWS:SourceArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Other"}}
VERIFY = ("functions", "verify")
VARIABLES = (*VERIFY, "Environment", "Variables")
CREATE_VARIABLES = ("functions", "create", "Environment", "Variables")


def both(name, value):
    """Return a plant that sets a variable of Create and Verify."""

    def plant(world):
        put(*VARIABLES, name, value)(world)
        put(*CREATE_VARIABLES, name, value)(world)

    return plant


def srp_left_on(world):
    world["client"]["ExplicitAuthFlows"].append("ALLOW_USER_SRP_AUTH")


def detached(world):
    del world["pool"]["LambdaConfig"]["CreateAuthChallenge"]


PLANTED = {
    "SRP left on": (srp_left_on, ["WD01"]),
    "every way in by default": (put("client", "ExplicitAuthFlows", DELETED), ["WD01"]),
    "choice left on": (put("client", "ExplicitAuthFlows", ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH"]), ["WD01"]),
    "custom authentication off": (put("client", "ExplicitAuthFlows", ["ALLOW_REFRESH_TOKEN_AUTH"]), ["WD02"]),
    "existence told": (put("client", "PreventUserExistenceErrors", "LEGACY"), ["WD03"]),
    "existence told by default": (put("client", "PreventUserExistenceErrors", DELETED), ["WD03"]),
    "no Create": (detached, ["WD04"]),
    "no permission at all": (put("policies", "verify", None), ["WD05"]),
    "another pool's permission": (put("policies", "verify", [{**STATEMENT, "Condition": ELSEWHERE}]), ["WD05"]),
    "a denial": (put("policies", "verify", [{**STATEMENT, "Effect": "Deny", "Condition": OURS}]), ["WD05"]),
    "another action": (
        put("policies", "verify", [{**STATEMENT, "Action": "lambda:GetFunction", "Condition": OURS}]),
        ["WD05"],
    ),
    "any pool may call": (put("policies", "define", [STATEMENT]), ["WD06"]),
    "every pool of a region": (
        put(
            "policies", "define", [{**STATEMENT, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cognito-idp:*"}}}]
        ),
        ["WD06"],
    ),
    "everybody may call": (
        put("policies", "define", [{**STATEMENT, "Principal": "*"}, {**STATEMENT, "Condition": OURS}]),
        ["WD06"],
    ),
    "short sessions": (put("client", "AuthSessionValidity", 3), ["WD07"]),
    "short sessions by default": (put("client", "AuthSessionValidity", DELETED), ["WD07"]),
    "no time to live": (put("ttl", {"TimeToLiveStatus": "DISABLED"}), ["WD08"]),
    "another time to live": (put("ttl", "AttributeName", "expires"), ["WD08"]),
    "no table": (put("table", None), ["WD09"]),
    "a sort key": (put("table", {"KeySchema": [{"AttributeName": "pk"}, {"AttributeName": "sk"}]}), ["WD09"]),
    "weak key": (both("WATCHWORD_KEY", base64.b64encode(b"changeme").decode()), ["WD10", "WD10"]),
    "even key": (both("WATCHWORD_KEY", base64.b64encode(b"a" * 32).decode()), ["WD10", "WD10"]),
    "no key": (both("WATCHWORD_KEY", ""), ["WD10", "WD10"]),
    "key in the environment": (both("WATCHWORD_KEY", KEY), ["WD11", "WD11"]),
    "debug logging": (put(*VARIABLES, "POWERTOOLS_LOGGER_LOG_EVENT", "true"), ["WD12"]),
    "debug level": (put(*VERIFY, "LoggingConfig", "ApplicationLogLevel", "DEBUG"), ["WD12"]),
    "debug variable": (put(*VARIABLES, "LOG_LEVEL", "debug"), ["WD12"]),
    "tracebacks": (put(*VARIABLES, "WATCHWORD_DEBUG", "1"), ["WD12"]),
    "timeout over Cognito's": (put(*VERIFY, "Timeout", 30), ["WD13"]),
    "timeout under Cognito's": (put(*VERIFY, "Timeout", 3), ["WD13"]),
    "MFA beside the password": (put("mfa", "MfaConfiguration", "ON"), ["WD14"]),
    "optional MFA": (put("mfa", "MfaConfiguration", "OPTIONAL"), ["WD14"]),
    "tier writable": (put("client", "WriteAttributes", ["email", "custom:tier"]), ["WD15"]),
    "case sensitive": (put("pool", "UsernameConfiguration", "CaseSensitive", True), ["WD16"]),
    "case sensitive by default": (put("pool", "UsernameConfiguration", DELETED), ["WD16"]),
    "managed login": (put("client", "AllowedOAuthFlowsUserPoolClient", True), ["WD17"]),
    "log for ever": (put("retention", "/acme/define", 0), ["WD18"]),
    "process-only": (both("WATCHWORD_LEDGER", "process-only"), ["WD19", "WD19"]),
    "SQLite in Lambda": (both("WATCHWORD_LEDGER", "sqlite:///tmp/x"), ["WD19", "WD19"]),
    "another client": (
        put("others", "mobile", {"ClientId": "mobile", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}),
        ["WD20"],
    ),
    "128 MB": (put("functions", "create", "MemorySize", 128), ["WD22"]),
    "no revocation": (put("client", "EnableTokenRevocation", False), ["WD23"]),
    "no courier": (put(*CREATE_VARIABLES, "WATCHWORD_COURIER", DELETED), ["WD26"]),
    "empty courier": (put(*CREATE_VARIABLES, "WATCHWORD_COURIER", " "), ["WD26"]),
    "an empty zip": (put("functions", "verify", "CodeSize", 22), ["WD28"]),
    "a zip without the engine": (put("functions", "create", "CodeSize", 2154), ["WD28"]),
    "another flow": (
        put("functions", "define", "Description", "DefineAuthChallenge of the flow acme (0123456789abcdef)"),
        ["WD29"],
    ),
    "invitations": (put("pool", "AdminCreateUserConfig", "AllowAdminCreateUserOnly", True), ["WD30"]),
    "recovery by the same mailbox": (
        put("pool", "AccountRecoverySetting", {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]}),
        ["WD31"],
    ),
    "recovery as Cognito does it by default": (put("pool", "AccountRecoverySetting", DELETED), ["WD31"]),
    "two keys": (put(*VARIABLES, "WATCHWORD_KEY", "ssm:///other"), ["WD24"]),
    "two roots": (put(*VARIABLES, "WATCHWORD_ROOT_KEY", "ssm:///other"), ["WD24"]),
    "weak root": (both("WATCHWORD_ROOT_KEY", "changeme"), ["WD10", "WD10"]),
    "root in the environment": (both("WATCHWORD_ROOT_KEY", KEY), ["WD11", "WD11"]),
    "no root": (both("WATCHWORD_ROOT_KEY", DELETED), ["WD32", "WD32"]),
    "a root that rotates": (both("WATCHWORD_ROOT_KEY", "secretsmanager://acme"), ["WD32", "WD32"]),
    "Create as Define, by its handler": (put("functions", "define", "Handler", "app.create"), ["WD33"]),
    "Create as Define, by its description": (
        put("functions", "define", "Description", f"CreateAuthChallenge of the flow acme ({FLOW.fingerprint})"),
        ["WD33"],
    ),
    "Define as Create": (
        put("pool", "LambdaConfig", "CreateAuthChallenge", ARNS["define"]),
        ["WD33"],
    ),
    "an old runtime": (put("functions", "define", "Runtime", "python3.8"), ["WD34"]),
    "a courier's URL that cannot be read": (put(*CREATE_VARIABLES, "WATCHWORD_COURIER", "ses://?form=a@b.c"), ["WD48"]),
    "a courier that prints codes": (put(*CREATE_VARIABLES, "WATCHWORD_COURIER", "console:"), ["WD50"]),
    "a table's URL that cannot be read": (both("WATCHWORD_LEDGER", "dynamodb://acme?regoin=x"), ["WD48", "WD48"]),
    "an attribute that the pool lacks": (put("pool", "SchemaAttributes", [{"Name": "email"}]), ["WD49"]),
    "no attribute listed": (put("pool", "SchemaAttributes", DELETED), ["WD49"]),
    "two tables": (put(*VARIABLES, "WATCHWORD_LEDGER", "dynamodb://other"), ["WD24"]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name):
    """Each with its code; the message and the remedy hold no secret."""
    plant, expected = PLANTED[name]
    world = healthy()
    plant(world)
    found = examined(world)
    assert expected == codes(found)
    assert all(each.remedy and each.severity == SEVERITIES[each.code] for each in found)
    assert not any(secret in each.message + each.remedy for each in found for secret in (KEY, "changeme", "YWFhYWFh"))


def test_every_code_is_planted_here():
    """So that no rule is without a test; WD21 and WD25 have their own below, WD27 among the zips, those on credentials their own file."""
    planted = {code for _, expected in PLANTED.values() for code in expected}
    assert set(SEVERITIES) - {"WD21", "WD25", "WD27"} - CREDENTIALS - COURIERS - TOKENS == planted
    assert len(SEVERITIES) >= 12


def test_every_code_has_its_row_in_the_reference():
    """With its severity, in order."""
    page = (DOCS / "reference" / "doctor.md").read_text()
    assert list(SEVERITIES.items()) == re.findall(r"^\| `(WD\d\d)` \| (\w+) \|", page, re.MULTILINE)


def test_permissions_of_the_operators_own_are_left_alone():
    """A role that may call the function is no stranger."""
    world = healthy()
    world["policies"]["define"].append({**STATEMENT, "Principal": {"AWS": "arn:aws:iam::123456789012:role/ci"}})
    assert () == examined(world)


def test_managed_login_for_federated_users_alone_is_no_finding():
    """Without COGNITO among the providers there is no password to be asked."""
    world = healthy()
    world["client"] |= {"AllowedOAuthFlowsUserPoolClient": True, "SupportedIdentityProviders": ["Google"]}
    assert () == examined(world)


def test_standard_attributes_are_writable_where_no_list_is_given():
    """The developer guide: without WriteAttributes a client writes the standard ones, and no custom one."""
    world = healthy()
    del world["client"]["WriteAttributes"]
    by_locale = Flow(sequence(Srp(), when(attribute("locale", "de"), EmailOtp(lifetime=300))), name="l")
    assert ["WD15"] == codes(examined(world, by_locale))
    assert () == examined(world)


@pytest.mark.parametrize("written", [None, ["email"], ["name"]], ids=repr)
@pytest.mark.parametrize("name", ["email_verified", "cognito:user_status", "email", "custom:tier", "sub"])
def test_what_users_can_change_is_no_ground_to_decide_by(name, written):
    """Found exactly where `may_change` says so; a command is printed only where a list of the client mends it."""
    world = healthy()
    del world["client"]["WriteAttributes"]
    if written is not None:
        world["client"]["WriteAttributes"] = written
    flow = Flow(sequence(Srp(), when(attribute(name, "x"), EmailOtp(lifetime=300))), name="a")
    found = examined(world, flow)
    assert ["WD15"] * may_change(name, written or []) == codes(found)
    assert all(name in each.message for each in found)
    assert bool(found) is (bool(repairs(world, flow=flow)) or who_can_change(name) == "user")
    assert [] == repairs(world, flow=flow) or who_can_change(name) == "client"


def test_mail_as_the_only_factor_is_noted():
    """NIST SP 800-63B-4 3.1.3.1; behind a password it is another factor, and beside a code by post it is not the only one."""
    assert ["WD21"] == codes(examined(healthy(), Flow(EmailOtp(lifetime=300))))
    by_post = Letter("by_post", frozenset({"possession"}), lifetime=300)
    beside = codes(examined(healthy(), Flow(sequence(EmailOtp(lifetime=300), by_post))))
    assert ["WD26"] == beside  # nobody carries the post
    assert () == examined(healthy(), Flow(sequence(Srp(), EmailOtp(lifetime=300))))


def test_without_the_flow_what_depends_on_it_is_not_checked():
    """The session's time, MFA beside the password, attributes, factors."""
    world = healthy()
    for name in ("short sessions", "MFA beside the password", "tier writable"):
        PLANTED[name][0](world)
    assert () == examined(world, None)
    assert {"WD07", "WD14", "WD15"} == set(codes(examined(world)))


def test_worst_comes_first():
    """Errors, warnings, notes."""
    world = healthy()
    for name in ("log for ever", "SRP left on", "MFA beside the password", "existence told"):
        PLANTED[name][0](world)
    assert ["WD01", "WD03", "WD14", "WD18"] == codes(examined(world))


# --- reading ------------------------------------------------------------------------------------------------------


def test_reading_calls_nothing_that_could_change_anything():
    """Describe, get and list, of five services."""
    aws = Aws(healthy())
    read_deployment(aws, POOL_ID, CLIENT_ID)
    assert {"cognito-idp", "lambda", "logs", "dynamodb"} == {each.partition(".")[0] for each in aws.calls}
    assert all(re.match(r"[a-z-]+\.(describe|get|list)_", each) for each in aws.calls)


def test_what_may_not_be_read_is_said_and_is_no_finding_of_its_own():
    """Each by what it is and the code; the rest is checked all the same."""
    denied = dict.fromkeys(
        ["get_policy", "get_user_pool_mfa_config", "list_user_pool_clients", "describe_log_groups", "describe_table"],
        failed("AccessDeniedException"),
    )
    world = healthy()
    PLANTED["SRP left on"][0](world)
    found = examined(world, denied=denied.items())
    assert ["WD01", *["WD25"] * 9] == codes(found)
    assert all("AccessDeniedException" in each.message and "canary" not in each.message for each in found[1:])
    nothing = examined(healthy(), denied={"get_function_configuration": failed("AccessDeniedException")}.items())
    assert ["WD25"] * 3 == codes(nothing)


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (failed("ResourceNotFoundException"), ConfigurationError, "the pool is not there: see --pool-id"),
        (failed("InvalidParameterException"), ConfigurationError, "the pool is not there"),
        (failed("AccessDeniedException"), ConfigurationError, r"may not be read \(AccessDeniedException\)"),
        (exceptions.NoCredentialsError(), ConfigurationError, r"may not be read \(NoCredentialsError\)"),
        (exceptions.EndpointConnectionError(endpoint_url="x"), UnavailableError, "AWS is not reached"),
    ],
)
def test_a_pool_that_cannot_be_read_ends_it(error, kind, why):
    """With what to look at, and not with AWS's own words."""
    with pytest.raises(kind, match=why) as raised:
        examined(healthy(), denied={"describe_user_pool": error}.items())
    assert "canary" not in str(raised.value)


def test_without_a_region_the_remedy_is_said(monkeypatch):
    """boto3 has a class for every reason."""

    def client(service):
        raise exceptions.NoRegionError

    with pytest.raises(ConfigurationError, match=r"\(NoRegionError\): give --region"):
        read_deployment(client, POOL_ID, CLIENT_ID)
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'watchword\[aws\]'"):
        read_aws.clients("", "")


def test_old_names_of_flows_are_known():
    """CUSTOM_AUTH_FLOW_ONLY allows what it says."""
    world = healthy()
    world["client"]["ExplicitAuthFlows"] = ["CUSTOM_AUTH_FLOW_ONLY"]
    assert () == examined(world)
    assert ("CUSTOM_AUTH_FLOW_ONLY",) == flows_of(world["client"])


# --- repairs ------------------------------------------------------------------------------------------------------


def to_attach(arns, world=None):
    """Return the functions *arns*, with the permissions that they have in *world*."""
    policies = world["policies"] if world else {}
    return {
        trigger: DeployedFunction(arn, statements=tuple(policies.get(arn.rpartition(":")[2]) or ()))
        for trigger, arn in arns.items()
    }


def repairs(world, attach=None, flow=FLOW):
    """Return the commands for *world*, as operation and request."""
    deployment = read_deployment(Aws(world), POOL_ID, CLIENT_ID)
    said = commands(deployment, diagnose(deployment, flow), to_attach(attach or {}, world), flow)
    words = [shlex.split(each) for each in said]
    return [(each[2], json.loads(each[4]) if each[3] == "--cli-input-json" else each) for each in words]


def valid(operation, request):
    """Check *request* against the service model of boto3."""
    import boto3
    from botocore.validate import ParamValidator

    client = boto3.client("cognito-idp", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    report = ParamValidator().validate(request, client.meta.service_model.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()


def test_a_healthy_deployment_needs_no_command():
    """Nothing to attach, nothing to repair."""
    assert [] == repairs(healthy())


def test_attaching_keeps_every_other_setting_of_the_pool():
    """UpdateUserPool resets what is not sent: all that was read is sent back, and other triggers stay."""
    world = healthy()
    pool = world["pool"]
    for trigger, named in NAMED.items():
        del pool["LambdaConfig"][named]
        world["policies"][trigger] = None
    *permissions, (operation, request) = repairs(world, ARNS)
    assert ["add-permission"] * 3 == [name for name, _ in permissions]
    for words in (words for _, words in permissions):
        assert (POOL_ARN, "123456789012") == (words[-3], words[-1])
    assert "update-user-pool" == operation
    valid("UpdateUserPool", request)
    assert {"PreSignUp": pool["LambdaConfig"]["PreSignUp"]} | {
        NAMED[each]: arn for each, arn in ARNS.items()
    } == request["LambdaConfig"]
    kept = {name: each for name, each in pool.items() if name not in POOL_READ_ONLY and name != "LambdaConfig"}
    # Cognito refuses the old word beside the new one of the password policy, which says the same.
    kept["AdminCreateUserConfig"] = {"AllowAdminCreateUserOnly": False}
    assert kept == {
        name: each for name, each in request.items() if name not in {"UserPoolId", "PoolName", "LambdaConfig"}
    }
    assert (POOL_ID, "acme") == (request["UserPoolId"], request["PoolName"])


def test_mfa_without_sms_is_put_back_by_its_own_command():
    """UpdateUserPool takes MFA with SMS only."""
    world = healthy()
    world["pool"]["MfaConfiguration"] = "OPTIONAL"
    world["mfa"] = {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    detached(world)
    made = dict(repairs(world, {"create": ARNS["create"]}))
    assert "MfaConfiguration" not in made["update-user-pool"]
    assert {"UserPoolId": POOL_ID, **world["mfa"]} == made["set-user-pool-mfa-config"]
    valid("SetUserPoolMfaConfig", made["set-user-pool-mfa-config"])
    assert ARNS["create"] == made["update-user-pool"]["LambdaConfig"]["CreateAuthChallenge"]


MODEL = Version("1.44.8")
"""The newest botocore whose model of Cognito was read for the lists of what cannot be set."""


@pytest.mark.parametrize(
    ("resource", "read_only", "named", "kept_if_omitted"),
    [
        ("UserPool", POOL_READ_ONLY, {"UserPoolId", "PoolName"}, set()),
        # Cognito's model: omitted, this leaves the secret where it is.
        ("UserPoolClient", CLIENT_READ_ONLY, {"UserPoolId", "ClientId"}, {"PublishSecretsInAWSSecretsManager"}),
    ],
)
def test_every_setting_that_is_told_is_sent_back_or_cannot_be_set(resource, read_only, named, kept_if_omitted):
    """By the service's model: what is described and not read only is what an update takes."""
    import boto3
    import botocore

    client = boto3.client("cognito-idp", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    operation = client.meta.service_model.operation_model
    told = set(operation(f"Describe{resource}").output_shape.members[resource].members)
    taken = set(operation(f"Update{resource}").input_shape.members)
    expected = (told - read_only) | named
    assert not read_only & (taken - named)
    if Version(botocore.__version__) > MODEL and expected != taken - kept_if_omitted:
        pytest.skip(f"botocore {botocore.__version__} knows more: {expected ^ (taken - kept_if_omitted)}")
    assert expected == taken - kept_if_omitted


def test_a_client_secret_is_in_no_command():
    """It is told with the client, and cannot be set."""
    world = healthy()
    world["client"]["ClientSecret"] = "canary"
    PLANTED["SRP left on"][0](world)
    assert "canary" not in json.dumps(repairs(world))


def test_recovery_is_closed_by_one_command():
    """It keeps every other setting of the pool."""
    world = healthy()
    PLANTED["recovery by the same mailbox"][0](world)
    [(operation, request)] = repairs(world)
    assert "update-user-pool" == operation
    valid("UpdateUserPool", request)
    assert [{"Name": "admin_only", "Priority": 1}] == request["AccountRecoverySetting"]["RecoveryMechanisms"]
    assert NAMED.keys() == {name for name in NAMED if request["LambdaConfig"][NAMED[name]] == ARNS[name]}


def test_without_its_arn_no_function_is_attached():
    """A placeholder would be written into the pool by whoever runs what is printed."""
    world = healthy()
    detached(world)
    assert [] == repairs(world)
    assert ["update-user-pool"] == [name for name, _ in repairs(world, {"create": ARNS["create"]})]


@pytest.mark.parametrize("allowed", list(itertools.product([True, False], repeat=3)))
@pytest.mark.parametrize("attached", [True, False])
def test_a_permission_is_added_where_there_is_none_and_only_there(allowed, attached, monkeypatch, capsys):
    """Whether the functions are attached already, or by what is printed: a second permission would be refused by Lambda."""
    world = healthy()
    for may, (trigger, named) in zip(allowed, NAMED.items(), strict=True):
        if not may:
            world["policies"][trigger] = None
        if not attached:
            del world["pool"]["LambdaConfig"][named]
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    options = [word for trigger, arn in ARNS.items() for word in (f"--{trigger}", arn)]
    main(["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, *options, "--json"])
    made = [shlex.split(each) for each in json.loads(capsys.readouterr().out)["commands"]]
    lacking = [trigger for may, trigger in zip(allowed, NAMED, strict=True) if not may]
    assert [ARNS[each] for each in lacking] == [words[4] for words in made if words[2] == "add-permission"]
    assert ([] if attached else ["update-user-pool"]) == [words[2] for words in made if words[1] == "cognito-idp"]


@pytest.mark.parametrize("pair", list(itertools.permutations(ARNS, 2)), ids=" as ".join)
@pytest.mark.parametrize("told_by", ["Handler", "Description"])
@pytest.mark.parametrize("form", ["{}", ARNS["define"].removesuffix("define") + "{}"])
def test_another_triggers_function_is_not_attached(pair, told_by, form, monkeypatch, capsys):
    """By its name or its ARN, told by its handler or by its description: refused, and nothing is printed to run."""
    other, trigger = pair
    world = healthy()
    telling = {"Handler": f"app.{other}", "Description": f"{NAMED[other]} of the flow acme ({FLOW.fingerprint})"}
    world["functions"][other] |= {"Handler": "app.handler", told_by: telling[told_by]}
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    words = ["--pool-id", POOL_ID, "--client-id", CLIENT_ID, f"--{trigger}", form.format(other)]
    assert 2 == main(["doctor", *words])
    said = capsys.readouterr()
    assert f"--{trigger} {form.format(other)}: this is another trigger's function" in said.err
    assert f"give that of {trigger}" in said.err
    assert "" == said.out


def test_a_function_that_may_not_be_read_is_attached_by_its_arn_and_this_is_said(monkeypatch, capsys):
    """Nobody knows then whether it is the right one; one that is not there is refused."""
    world = healthy()
    detached(world)
    denied = {"get_function_configuration": failed("AccessDeniedException")}
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world, denied))
    words = ["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--create"]
    assert 1 == main([*words, ARNS["create"]])
    said = capsys.readouterr().out
    assert "not checked: the function of create (AccessDeniedException)" in said
    assert "update-user-pool" in said
    denied.clear()
    assert 2 == main([*words, ARNS["create"] + "-gone"])
    assert "no such function can be read" in capsys.readouterr().err


def test_tags_that_aws_keeps_are_not_sent_back():
    """A pool of a stack has them, and no request may hold one; a tag of one's own may be empty."""
    world = healthy()
    detached(world)
    world["pool"]["UserPoolTags"] |= {"aws:cloudformation:stack-name": "acme", "AWS:other": "x", "empty": ""}
    [(_, request)] = repairs(world, {"create": ARNS["create"]})
    assert {"team": "accounts", "empty": ""} == request["UserPoolTags"]
    world["pool"]["UserPoolTags"] = {"aws:cloudformation:stack-name": "acme"}
    [(_, request)] = repairs(world, {"create": ARNS["create"]})
    assert "UserPoolTags" not in request


def test_one_function_for_all_triggers_gets_one_permission():
    """The second of the same would be a wider policy at best."""
    world = healthy()
    one = "arn:aws:lambda:us-east-1:123456789012:function:all"
    made = repairs(world, dict.fromkeys(ARNS, one))
    assert ["add-permission", "update-user-pool"] == [name for name, _ in made]
    assert {one} == {made[1][1]["LambdaConfig"][named] for named in NAMED.values()}


def test_what_is_attached_and_may_be_called_needs_no_command():
    """The same ARNs again."""
    assert [] == repairs(healthy(), ARNS)


@pytest.mark.parametrize("option", ["--define", "--create", "--verify"])
@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("foo", "give its ARN"),
        ("a function", "neither a function's ARN nor its name"),
        ("arn:aws:s3:::bucket", "neither a function's ARN nor its name"),
        ("arn:aws:lambda:us-east-1:123456789012:function:", "neither a function's ARN nor its name"),
        ("$(id)", "neither a function's ARN nor its name"),
    ],
)
def test_what_is_no_function_is_not_attached(option, named, why, monkeypatch, capsys):
    """A name that is none of a function's, and what is neither name nor ARN; nothing is printed to run."""
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(healthy()))
    assert 2 == main(["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, option, named])
    said = capsys.readouterr()
    assert why in said.err
    assert option in said.err
    assert "" == said.out


def test_a_function_is_attached_by_its_name(monkeypatch, capsys):
    """Its ARN is read, since a pool takes nothing else."""
    world = healthy()
    detached(world)
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    assert 1 == main(["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--create", "create", "--json"])
    [update] = json.loads(capsys.readouterr().out)["commands"]
    assert ARNS["create"] == json.loads(shlex.split(update)[4])["LambdaConfig"]["CreateAuthChallenge"]


def test_a_template_takes_no_functions_to_attach(tmp_path, capsys):
    """There is nothing to run."""
    path = tmp_path / "stack.json"
    path.write_text(json.dumps(Template(FLOW, Target("arm64", "3.12")).document()))
    assert 2 == main(["doctor", "--template", str(path), "--define", ARNS["define"]])
    assert "a template has no commands" in capsys.readouterr().err


def shapes(shape, depth=0):
    """Return a strategy for what the service may tell of *shape*: anything in it may be empty."""
    match shape.type_name:
        case "structure":
            fields = {} if depth > 4 else {name: shapes(each, depth + 1) for name, each in shape.members.items()}
            return st.fixed_dictionaries({}, optional=fields)
        case "list":
            return st.lists(shapes(shape.member, depth + 1), max_size=2)
        case "map":
            return st.dictionaries(st.sampled_from(["a", "b"]), shapes(shape.value, depth + 1), max_size=2)
        case "string":
            least = int(shape.metadata.get("min", 1))
            return st.sampled_from(["", *(shape.enum or ["x" * max(least, 1)])])
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.just("2026-01-01")
        case _:
            least = int(shape.metadata.get("min", 0))
            return st.integers(least, least + 5)


@functools.cache
def service():
    """Return botocore's model of Cognito."""
    import botocore.session

    return botocore.session.get_session().get_service_model("cognito-idp")


def required(shape, value):
    """Return whether *value* has, at every level, what *shape* demands: the service tells no half of a structure."""
    if shape.type_name == "structure":
        return all(value.get(name) not in (None, "", {}, []) for name in shape.required_members) and all(
            required(shape.members[name], each) for name, each in value.items() if name in shape.members
        )
    if shape.type_name == "list":
        return all(required(shape.member, each) for each in value)
    return True


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_what_is_told_with_empty_texts_is_sent_back_without_them(data):
    """Whatever the service tells of a pool and a client: every command passes boto3's own validation."""
    told = {}
    for resource, name in (("UserPool", "pool"), ("UserPoolClient", "client")):
        shape = service().operation_model(f"Describe{resource}").output_shape.members[resource]
        update = service().operation_model(f"Update{resource}").input_shape
        fields = {
            each: shapes(inner).filter(functools.partial(required, update.members[each]))
            for each, inner in shape.members.items()
            if each in update.members and each not in {"UserPoolId", "ClientId", "LambdaConfig", "UserPoolTags"}
        }
        told[name] = data.draw(st.fixed_dictionaries({}, optional=fields))
    world = healthy()
    world["pool"] = {
        **told["pool"],
        **{name: world["pool"][name] for name in ("Id", "Name", "Arn")},
        "LambdaConfig": {"PreSignUp": "", **world["pool"]["LambdaConfig"]},
        "UserPoolTags": {"team": ""},
    }
    del world["pool"]["LambdaConfig"]["CreateAuthChallenge"]
    world["client"] = {"ExplicitAuthFlows": [], **told["client"], "UserPoolId": POOL_ID, "ClientId": CLIENT_ID}
    made = [each for each in repairs(world, ARNS) if each[0] != "add-permission"]
    assert "update-user-pool" in dict(made)
    for operation, request in made:
        shape = service().operation_model("".join(map(str.capitalize, operation.split("-")))).input_shape
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", ["SRP left on", "existence told", "short sessions", "tier writable", "no revocation"])
def test_repairing_the_client_keeps_its_other_settings_and_repairs(name):
    """UpdateUserPoolClient resets too; after it the doctor finds nothing."""
    world = healthy()
    PLANTED[name][0](world)
    before = copy.deepcopy(world["client"])
    [(operation, request)] = repairs(world)
    assert "update-user-pool-client" == operation
    valid("UpdateUserPoolClient", request)
    world["client"] = request
    assert () == examined(world)
    assert 1 == len({name for name in before if before[name] != request.get(name)})


def test_a_permission_that_is_missing_is_added_by_one_command():
    """With the pool's ARN and account."""
    world = healthy()
    PLANTED["no permission at all"][0](world)
    [(operation, words)] = repairs(world)
    assert "add-permission" == operation
    assert ARNS["verify"] in words
    assert POOL_ARN in words


@pytest.mark.parametrize(
    ("said", "schemes"),
    [("ses://?from=a@b.c", ("ses",)), ("pigeon:loft  SES://?from=a@b.c", ("pigeon", "ses")), ("", ()), (None, ("",))],
)
def test_every_courier_that_is_set_is_looked_at(said, schemes):
    """WATCHWORD_COURIER holds a URL for each channel."""
    assert schemes == schemes_of(said)


def test_the_zip_that_runs_is_the_one_that_was_built(monkeypatch, tmp_path, capsys):
    """By its digest: another one is found by --dist, and of the same one its manifest is read."""
    world = healthy()
    mark = FlowMark("acme", FLOW.fingerprint)
    for each in ARNS:
        manifest = Manifest(each, f"{each}.{each}", "python3.12", "x86_64", mark, ledgers=("dynamodb",))
        with zipfile.ZipFile(tmp_path / f"{each}.zip", "w") as opened:
            opened.writestr(MANIFEST_NAME, manifest.as_json())
        digest = hashlib.sha256((tmp_path / f"{each}.zip").read_bytes()).digest()
        world["functions"][each]["CodeSha256"] = base64.b64encode(digest).decode()
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    command = ["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--dist", str(tmp_path), "--json"]
    assert 1 == main(command)
    [found] = json.loads(capsys.readouterr().out)["findings"]
    assert ("WD27", True) == (found["code"], "WATCHWORD_COURIER=ses:" in found["message"])
    world["functions"]["create"]["CodeSha256"] = base64.b64encode(bytes(32)).decode()
    assert 1 == main(command)
    [found] = json.loads(capsys.readouterr().out)["findings"]
    assert ("WD29", True) == (found["code"], "create runs another zip" in found["message"])


@pytest.mark.parametrize(
    "facts", [{"PackageType": "Image", "CodeSize": 0}, {"Layers": [{"Arn": "x"}], "CodeSize": 300}]
)
def test_images_and_layers_are_left_alone(facts):
    """What they bring cannot be told by the size of the code."""
    world = healthy()
    world["functions"]["create"] |= facts
    assert () == examined(world)


# --- templates ----------------------------------------------------------------------------------------------------


def stack(tmp_path, change=lambda resources: None, flow=FLOW, name="stack.json", **settings):
    """Write our own template, changed; return what the doctor finds in it."""
    document = Template(flow, Target("arm64", "3.12"), **settings).document()
    change(document["Resources"])
    path = tmp_path / name
    path.write_text(json.dumps(document) if name.endswith("json") else template_text.template_as_yaml(document))
    return codes(diagnose(read_template(path), flow))


@pytest.mark.parametrize("existing_pool", [False, True])
@pytest.mark.parametrize("name", ["stack.json", "stack.yaml"])
def test_our_own_template_has_nothing_wrong(tmp_path, existing_pool, name):
    """With its own pool and for an existing one, which is not known, in both languages."""
    pytest.importorskip("yaml")
    assert (["WD25"] if existing_pool else []) == stack(tmp_path, name=name, existing_pool=existing_pool)


IN_TEMPLATES = {
    "other flows": (("Client", "ExplicitAuthFlows", ["ALLOW_CUSTOM_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"]), {"WD01"}),
    "existence told": (("Client", "PreventUserExistenceErrors", DELETED), {"WD03"}),
    "not attached": (("UserPool", "LambdaConfig", {}), {"WD04"}),
    "permission for another": (("VerifyPermission", "FunctionName", "somebody"), {"WD05"}),
    "wildcard": (("VerifyPermission", "SourceArn", DELETED), {"WD06"}),
    "short sessions": (("Client", "AuthSessionValidity", 3), {"WD07"}),
    "no time to live": (("Ledger", "TimeToLiveSpecification", DELETED), {"WD08"}),
    "another key": (("Ledger", "KeySchema", [{"AttributeName": "id", "KeyType": "HASH"}]), {"WD09"}),
    "key in plain": (
        ("VerifyFunction", "Environment", {"Variables": {"WATCHWORD_KEY": KEY}}),
        {"WD11", "WD19", "WD24"},
    ),
    "long timeout": (("VerifyFunction", "Timeout", 30), {"WD13"}),
    "timeout by default": (("VerifyFunction", "Timeout", DELETED), {"WD13"}),
    "MFA": (("UserPool", "MfaConfiguration", "ON"), {"WD14"}),
    "writable": (("Client", "WriteAttributes", ["email", "custom:tier"]), {"WD15"}),
    "case": (("UserPool", "UsernameConfiguration", DELETED), {"WD16"}),
    "log for ever": (("VerifyLogs", "RetentionInDays", DELETED), {"WD18"}),
    "memory": (("CreateFunction", "MemorySize", DELETED), {"WD22"}),
}


@pytest.mark.parametrize("name", IN_TEMPLATES)
def test_what_is_planted_in_a_template_is_found(name, tmp_path):
    """Before anything is deployed."""
    (logical, *rest), expected = IN_TEMPLATES[name]
    assert expected == set(stack(tmp_path, lambda resources: put(logical, "Properties", *rest)(resources)))


CLIENT_FAULTS = {
    "no flows said": ({"PreventUserExistenceErrors": "ENABLED"}, "WD01"),
    "SRP left on": (
        {"PreventUserExistenceErrors": "ENABLED", "ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH", "ALLOW_USER_SRP_AUTH"]},
        "WD01",
    ),
    "custom authentication off": (
        {"PreventUserExistenceErrors": "ENABLED", "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"]},
        "WD02",
    ),
    "existence told": ({"ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH"]}, "WD03"),
    "no revocation": (
        {
            "PreventUserExistenceErrors": "ENABLED",
            "ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH"],
            "EnableTokenRevocation": False,
        },
        "WD23",
    ),
}


@pytest.mark.parametrize("pool", [{"Ref": "Pool"}, "us-east-1_Abc123", {"Fn::ImportValue": "pool"}])
@pytest.mark.parametrize("name", CLIENT_FAULTS)
def test_a_finding_about_a_templates_client_is_printed_and_no_command(name, pool, tmp_path, capsys):
    """A template has nothing that a command could repair, however its client names the pool."""
    properties, code = CLIENT_FAULTS[name]
    path = tmp_path / "stack.json"
    client = {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": pool, **properties}}
    resources = {"Client": client, "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}}}
    path.write_text(json.dumps({"Resources": resources}))
    assert 1 == main(["doctor", "--template", str(path)])
    said = capsys.readouterr()
    assert code in said.out
    assert "" == said.err
    assert "aws " not in said.out


def test_a_template_of_sam_in_short_forms_is_read(tmp_path):
    """As people write them: tags, parameters, SAM's functions."""
    pytest.importorskip("yaml")
    path = tmp_path / "template.yaml"
    path.write_text(
        """
Parameters: {Key: {Type: String, Default: "secretsmanager://acme"}}
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      UsernameConfiguration: {CaseSensitive: false}
      LambdaConfig: {DefineAuthChallenge: !GetAtt Define.Arn, CreateAuthChallenge: !GetAtt Make.Arn, VerifyAuthChallengeResponse: !GetAtt Check.Arn}
  Web:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref Pool, ExplicitAuthFlows: [ALLOW_CUSTOM_AUTH], PreventUserExistenceErrors: !If [Yes, ENABLED, LEGACY]}
  Define: {Type: AWS::Serverless::Function, Properties: {Timeout: 5, LoggingConfig: {LogGroup: !Ref Log}, Events: {Login: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: DefineAuthChallenge}}}}}
  Make: &f
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      MemorySize: 512
      LoggingConfig: {LogGroup: !Ref Log}
      Events: {Login: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: [CreateAuthChallenge, VerifyAuthChallengeResponse]}}}
      Environment: {Variables: {WATCHWORD_ROOT_KEY: "ssm:///root", WATCHWORD_KEY: !Ref Key, WATCHWORD_LEDGER: !Sub "dynamodb://${Table}"}}
  Check: *f
  Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [{AttributeName: pk, KeyType: HASH}]}}
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
"""
    )
    assert ["WD08", "WD25"] == codes(diagnose(read_template(path)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1, 2]", "has no Resources"),
        ('{"Resources": []}', "has no Resources"),
        ("{}", "has no Resources"),
        ("a: [", "neither JSON nor YAML"),
        ("[" * 100_000, "neither JSON nor YAML|levels of values"),
        ("x" * (1024 * 1024 + 1), "bigger than a template may be"),
        (
            json.dumps({"Resources": {each: {"Type": "AWS::Cognito::UserPool"} for each in ("A", "B")}}),
            "2 user pools: say which by --pool-id A or B",
        ),
    ],
    ids=["a list", "no resources", "empty", "broken", "deep", "big", "two pools"],
)
def test_what_is_no_template_is_refused(text, why, tmp_path):
    """With the file's name, and what to say."""
    pytest.importorskip("yaml")
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        read_template(path)


def test_a_pool_is_chosen_by_its_logical_name(tmp_path):
    """If there are several; one that is not there is refused."""
    path = tmp_path / "stack.json"
    path.write_text(json.dumps({"Resources": {each: {"Type": "AWS::Cognito::UserPool"} for each in ("A", "B")}}))
    assert "B" == read_template(path, pool="B").pool["Id"]
    with pytest.raises(ConfigurationError, match="has no user pool C; there is A, B"):
        read_template(path, pool="C")


# --- the command, and an emulator ---------------------------------------------------------------------------------


def test_the_command_prints_findings_remedies_and_commands(monkeypatch, capsys):
    """As text and as JSON; the status is 1 for an error."""
    world = healthy()
    PLANTED["SRP left on"][0](world)
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: Aws(world))
    command = ["doctor", "--pool-id", POOL_ID, "--client-id", CLIENT_ID]
    assert 1 == main(command)
    said = capsys.readouterr().out
    assert "error   WD01" in said
    assert "aws cognito-idp update-user-pool-client --cli-input-json" in said
    assert "without FLOW" in said
    assert 1 == main([*command, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert {"code", "severity", "message", "remedy"} == set(told["findings"][0])
    assert 1 == len(told["commands"])
    world["client"]["ExplicitAuthFlows"].pop()
    assert 0 == main(command)
    assert "nothing is wrong, as far as can be read" in capsys.readouterr().out


def test_the_command_wants_to_know_what_to_read(capsys):
    """A pool and a client, or a template."""
    assert 2 == main(["doctor", "--pool-id", POOL_ID])
    assert "--pool-id and --client-id, or --template" in capsys.readouterr().err


def test_the_command_reads_a_template(tmp_path, capsys):
    """With the flow: what depends on it is checked."""
    flow = FLOWS / "srp_then_code.toml"
    path = tmp_path / "stack.json"
    document = Template(load_flow(flow), Target("arm64", "3.12")).document()
    document["Resources"]["UserPool"]["Properties"]["MfaConfiguration"] = "ON"
    path.write_text(json.dumps(document))
    assert 0 == main(["doctor", str(flow), "--template", str(path)])
    assert "warning WD14" in capsys.readouterr().out


def test_a_pool_of_an_emulator_is_read_repaired_and_found_well(monkeypatch):
    """moto: a pool as the API makes it by default has the classical mistakes; the printed commands mend them."""
    moto = pytest.importorskip("moto", reason="pip install moto")
    from kit.aws import isolate

    isolate(monkeypatch)
    with moto.mock_aws():
        clients = read_aws.clients("us-east-1", "")
        cognito = clients("cognito-idp")
        pool = cognito.create_user_pool(
            PoolName="acme", AutoVerifiedAttributes=["email"], UsernameConfiguration={"CaseSensitive": False}
        )["UserPool"]["Id"]
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web")["UserPoolClient"]["ClientId"]
        deployment = read_deployment(clients, pool, client)
        found = diagnose(deployment, Flow(sequence(Srp(), EmailOtp(lifetime=300))))
        assert ["WD01", "WD03", "WD04", "WD07", "WD31"] == codes(found)
        for command in commands(deployment, found, to_attach(ARNS), Flow(EmailOtp(lifetime=300))):
            words = shlex.split(command)
            if words[1] == "cognito-idp":
                getattr(cognito, words[2].replace("-", "_"))(**json.loads(words[4]))
        mended = read_deployment(clients, pool, client)
        assert ["email"] == mended.pool["AutoVerifiedAttributes"]
        assert ARNS == {trigger: each.name for trigger, each in mended.functions.items()}
        # moto has no such functions, and forgets with an update what an update does not take.
        assert {"WD05", "WD16", "WD25"} == set(codes(diagnose(mended)))
