"""The doctor on what users enrolled: each misconfiguration of store, table, rights and APIs is found, in a template and deployed."""

import json

import pytest

from kit.doctor import CREDENTIALS
from kit.template_flows import APP, KEYS, MAIL, REMEMBERING, SET_UP, TARGET
from watchword_adapters.cli import main
from watchword_adapters.deploy.diagnosis.doctor import diagnose
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API
from watchword_adapters.deploy.reading.read_aws import read_deployment
from watchword_adapters.deploy.reading.read_template import read_template
from watchword_adapters.deploy.stack.template import Template

# Codes that say something of another rule, in these flows: one factor by mail, an invitation that is not known, and the like.
OTHERS = {"WD21", "WD25"}


def template(flow, **settings):
    """The template of *flow* with its APIs, to be changed."""
    dialect = "passwordless" if flow is KEYS else ""
    made = Template(flow, TARGET, credentials_api=True, dialect=dialect, **settings).document()
    return json.loads(json.dumps(made))


@pytest.fixture
def examined(tmp_path):
    """A function that returns the findings on a template, as codes and as texts."""

    def found(document, flow, **settings):
        path = tmp_path / "template.json"
        path.write_text(json.dumps(document))
        findings = diagnose(read_template(path), flow, **settings)
        return [each for each in findings if each.code not in OTHERS]

    return found


def variables(document, name):
    return document["Resources"][f"{name}Function"]["Properties"]["Environment"]["Variables"]


def table(document):
    return document["Resources"]["Credentials"]["Properties"]


def statement(document, name, resource):
    """The statement of a role that is on *resource*."""
    policy = document["Resources"][f"{name}Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    (found,) = [each for each in policy["Statement"] if f'"{resource}"' in json.dumps(each["Resource"])]
    return found


@pytest.mark.parametrize("name", REMEMBERING)
@pytest.mark.parametrize("existing", [False, True])
def test_what_is_written_has_no_finding(name, existing, examined):
    """By `watchword template`, with every API; ids that only the deployment gives are no fault."""
    assert [] == examined(template(REMEMBERING[name], existing_pool=existing), REMEMBERING[name])


def no_store(document):
    for name in ("Create", "Verify", "CredentialsApi"):
        del variables(document, name)["WATCHWORD_CREDENTIALS"]


def own_store(document):
    variables(document, "Verify")["WATCHWORD_CREDENTIALS"] = "process-only"


def another_store(document):
    variables(document, "CredentialsApi")["WATCHWORD_CREDENTIALS"] = {"Fn::Sub": "dynamodb://${Ledger}"}


def another_key(document):
    variables(document, "CredentialsApi")["WATCHWORD_ROOT_KEY"] = {"Fn::Sub": "secretsmanager://${RotatingKey}"}


def ends(document):
    table(document)["TimeToLiveSpecification"] = {"AttributeName": "ttl", "Enabled": True}


def keyed(document):
    table(document)["KeySchema"][0]["AttributeName"] = "id"


def not_restorable(document):
    del table(document)["PointInTimeRecoverySpecification"]


def not_protected(document):
    table(document)["DeletionProtectionEnabled"] = False


def ledgers_table(document):
    for name in ("Create", "Verify", "CredentialsApi"):
        variables(document, name)["WATCHWORD_CREDENTIALS"] = {"Fn::Sub": "dynamodb://${Ledger}"}


def nobody(document):
    variables(document, "CredentialsApi")["WATCHWORD_CLIENTS"] = " "


def no_pool(document):
    del variables(document, "CredentialsApi")["WATCHWORD_POOL"]


def reads_not(document):
    statement(document, "Create", "Credentials")["Action"] = ["dynamodb:PutItem"]


def elsewhere(document):
    statement(document, "Verify", "Credentials")["Resource"] = {"Fn::GetAtt": ["Ledger", "Arn"]}


def no_ledger(document):
    statement(document, "CredentialsApi", "Ledger")["Action"] = ["dynamodb:GetItem"]


PLANTED = {
    "no store": (no_store, ["WD35"] * 3),
    "a store of its own": (own_store, ["WD24", "WD35"]),
    "another store": (another_store, ["WD24", "WD38"]),
    "another root key": (another_key, ["WD24", "WD32"]),
    "a time to live": (ends, ["WD36"]),
    "another key": (keyed, ["WD09"]),
    "no recovery": (not_restorable, ["WD37"]),
    "no protection": (not_protected, ["WD37"]),
    "the ledger's table": (ledgers_table, ["WD38"] * 3),
    "nobody trusted": (nobody, ["WD39"]),
    "no pool": (no_pool, ["WD39"]),
    "may not read": (reads_not, ["WD41"]),
    "may do it elsewhere": (elsewhere, ["WD41"]),
    "may not use the ledger": (no_ledger, ["WD41"]),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name, examined):
    """In a template; each finding names its culprit and a remedy."""
    plant, expected = PLANTED[name]
    document = template(APP)
    plant(document)
    found = examined(document, APP)
    assert expected == sorted(each.code for each in found)
    assert all(each.remedy for each in found)


def test_rights_are_told_by_function_and_action(examined):
    """What is missing, where, and nothing that is there."""
    document = template(SET_UP)
    statement(document, "Verify", "Credentials")["Action"] = ["dynamodb:Get*", "dynamodb:UpdateItem"]
    (found,) = examined(document, SET_UP)
    assert "verify may not do what it needs on the table Credentials" in found.message
    assert "dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:DeleteItem" in found.message


@pytest.mark.parametrize("wide", ["*", "dynamodb:*", "dynamodb:?etItem"])
def test_wide_rights_are_rights(wide, examined):
    """A star, or a pattern: what they cover is allowed."""
    document = template(APP)
    statement(document, "Create", "Credentials").update({"Action": wide, "Resource": "*"})
    assert [] == examined(document, APP)


def test_rights_of_managed_policies_are_not_judged(tmp_path):
    """They are not in the template: it is said that they are not known."""
    document = template(APP)
    for name in ("Create", "Verify", "CredentialsApi"):
        role = document["Resources"][f"{name}Role"]["Properties"]
        role["Policies"], role["ManagedPolicyArns"] = [], ["arn:aws:iam::aws:policy/PowerUserAccess"]
    path = tmp_path / "template.json"
    path.write_text(json.dumps(document))
    findings = diagnose(read_template(path), APP)
    assert not [each for each in findings if each.code == "WD41"]
    assert 3 == str([each.message for each in findings if each.code == "WD25"]).count("may do")


def test_devices_are_no_matter_but_for_the_dialect(examined):
    """Cognito asks for a device in rounds of its own, in which the client takes part."""
    document = template(KEYS)
    document["Resources"]["UserPool"]["Properties"]["DeviceConfiguration"] = {"DeviceOnlyRememberedOnUserPrompt": True}
    assert ["WD40"] == [each.code for each in examined(document, KEYS)]
    document = template(APP)
    document["Resources"]["UserPool"]["Properties"]["DeviceConfiguration"] = {"ChallengeRequiredOnNewDevice": False}
    assert [] == examined(document, APP)
    assert ["WD40"] == [each.code for each in examined(document, APP, dialect="passwordless")]


def test_without_a_flow_a_store_is_judged_and_none_is_demanded(examined):
    """What the flow needs is not known then."""
    document = template(APP)
    no_store(document)
    assert [] == examined(document, None)
    document = template(APP)
    ends(document)
    assert ["WD36"] == [each.code for each in examined(document, None)]


def test_sessions_outlive_a_passkey_and_the_setting_up_of_an_app(examined):
    """By the same rule as every other step: WD07 tells a session that ends before its step."""
    for flow in (KEYS, SET_UP):
        document = template(flow)
        client = document["Resources"]["Client"]["Properties"]
        assert max(each.lifetime for each in flow.steps.values()) <= 60 * client["AuthSessionValidity"]
    document = template(KEYS)
    document["Resources"]["Client"]["Properties"]["AuthSessionValidity"] = 3
    assert ["WD07"] == [each.code for each in examined(document, KEYS)]


def test_a_flow_that_remembers_nothing_is_asked_for_nothing(examined):
    """No store, no rights to one."""
    document = json.loads(json.dumps(Template(MAIL, TARGET).document()))
    assert not CREDENTIALS & {each.code for each in examined(document, MAIL)}


# --- deployed ---------------------------------------------------------------------------------------------------

POOL, CLIENT = "us-east-1_Abc123", "1example23456789"
ROLE = "arn:aws:iam::123456789012:role/service/acme"
TABLES = "arn:aws:dynamodb:us-east-1:123456789012:table"


class Aws:
    """boto3's clients, of every service: what is deployed and remembers."""

    def __init__(self):
        settings = {
            "WATCHWORD_ROOT_KEY": "secretsmanager://root",
            "WATCHWORD_KEY": "secretsmanager://acme",
            "WATCHWORD_LEDGER": "dynamodb://ledger",
            "WATCHWORD_CREDENTIALS": "dynamodb://credentials",
            "WATCHWORD_COURIER": "ses://?from=login@example.com",
            "WATCHWORD_POOL": POOL,
            "WATCHWORD_CLIENTS": CLIENT,
        }
        self.variables = {each: dict(settings) for each in ("create", "verify", "api")}
        self.table = {"KeySchema": [{"AttributeName": "pk"}], "DeletionProtectionEnabled": True}
        self.ttl = {"ledger": "ENABLED", "credentials": "DISABLED"}
        self.recovery = "ENABLED"
        self.attached = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
        self.statements = [
            {
                "Effect": "Allow",
                "Action": "dynamodb:*",
                "Resource": [f"{TABLES}/ledger", f"{TABLES}/credentials"],
            }
        ]
        self.calls = []

    def __call__(self, service):
        return self

    def __getattr__(self, name):
        assert name.startswith(("describe_", "get_", "list_")), f"{name} may change something"
        self.calls.append(name)
        return getattr(self, f"_{name}")

    def _describe_user_pool(self, **asked):
        return {"UserPool": {"Id": POOL, "Arn": "arn:pool", "UsernameConfiguration": {"CaseSensitive": False},
            "LambdaConfig": {"CreateAuthChallenge": "create", "VerifyAuthChallengeResponse": "verify"}}}  # fmt: skip

    def _describe_user_pool_client(self, **asked):
        return {"UserPoolClient": {"AuthSessionValidity": 15}}

    def _get_user_pool_mfa_config(self, **asked):
        return {}

    def _list_user_pool_clients(self, **asked):
        return {}

    def _get_function_configuration(self, **asked):
        return {"Role": ROLE, "Environment": {"Variables": self.variables[asked["FunctionName"]]}}

    def _get_policy(self, **asked):
        return {"Policy": "{}"}

    def _describe_log_groups(self, **asked):
        return {"logGroups": []}

    def _describe_table(self, **asked):
        return {"Table": self.table}

    def _describe_time_to_live(self, **asked):
        return {"TimeToLiveDescription": {"TimeToLiveStatus": self.ttl[asked["TableName"]], "AttributeName": "ttl"}}

    def _describe_continuous_backups(self, **asked):
        recovery = {"PointInTimeRecoveryStatus": self.recovery}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}

    def _list_attached_role_policies(self, **asked):
        assert "acme" == asked["RoleName"]
        return {"AttachedPolicies": [{"PolicyArn": each} for each in self.attached]}

    def _list_role_policies(self, **asked):
        return {"PolicyNames": ["acme"]}

    def _get_role_policy(self, **asked):
        return {"PolicyDocument": {"Statement": self.statements}}


def live(aws):
    """The codes on credentials that are found, worst first."""
    deployed = read_deployment(aws, POOL, CLIENT, {CREDENTIALS_API: "api"})
    return [each.code for each in diagnose(deployed, APP) if each.code in CREDENTIALS | {"WD24"}]


def without_clients(aws):
    del aws.variables["api"]["WATCHWORD_CLIENTS"]


def without_store(aws):
    del aws.variables["create"]["WATCHWORD_CREDENTIALS"]


def with_another_ledger(aws):
    aws.variables["api"]["WATCHWORD_LEDGER"] = "dynamodb://other"
    aws.ttl["other"] = "ENABLED"


def with_ttl(aws):
    aws.ttl["credentials"] = "ENABLED"


def without_recovery(aws):
    aws.recovery = "DISABLED"


def unprotected(aws):
    aws.table["DeletionProtectionEnabled"] = False


def without_rights(aws):
    aws.statements[0]["Resource"] = f"{TABLES}/ledger"


def with_rights_to_all(aws):
    aws.statements[0]["Resource"] = f"{TABLES}/*"


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lambda aws: None, []),
        (without_store, ["WD35"]),
        (with_ttl, ["WD36"]),
        (without_recovery, ["WD37"]),
        (unprotected, ["WD37"]),
        (without_clients, ["WD39"]),
        (without_rights, ["WD41"] * 3),
        (with_rights_to_all, []),
        (lambda aws: aws.attached.append("arn:aws:iam::aws:policy/PowerUserAccess"), []),
    ],
)
def test_what_is_deployed_is_judged_alike(plant, expected):
    """Through boto3, with the API of credentials named; nothing is changed."""
    aws = Aws()
    plant(aws)
    assert expected == live(aws)
    assert {"get_role_policy", "describe_continuous_backups"} <= {*aws.calls} or "PowerUserAccess" in str(aws.attached)


def test_an_api_with_another_ledger_is_found():
    """What is begun there is never found again."""
    aws = Aws()
    with_another_ledger(aws)
    assert "WD24" in live(aws)


def test_the_apis_of_a_template_are_not_named(tmp_path, capsys):
    """They are found in it: a name is refused, with status 2."""
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template(KEYS)))
    for option in (CREDENTIALS_API, FIDO2_API):
        option = f"--{option.replace('_', '-')}"
        assert 2 == main(["doctor", "--template", str(path), option, "api"])
        assert f"{option}: the APIs of a template are found in it" in capsys.readouterr().err
    assert {CREDENTIALS_API, FIDO2_API} == read_template(path).apis.keys()
