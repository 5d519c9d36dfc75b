"""The template of flows that remember: a table that is kept, rights for exactly what is called, and the HTTP API where asked."""

import json

import pytest
from attrs import evolve

from kit.template_flows import APP, KEYS, MAIL, REMEMBERING, SET_UP, TARGET, zips
from watchword import ConfigurationError
from watchword.contract.credentials import MAX_CREDENTIALS, Credential
from watchword_adapters.cli import main
from watchword_adapters.credentials.dynamodb import ACTIONS, READING_ACTIONS, USING_ACTIONS, DynamoDBCredentials
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API
from watchword_adapters.deploy.stack.template import Template

BOTH = {"credentials_api": True, "dialect": "passwordless"}


def resources(flow, **settings):
    """The resources of the template of *flow*."""
    return Template(flow, TARGET, **settings).document()["Resources"]


def rights(role, resource):
    """The actions that *role* allows on the resource with a logical name."""
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {
        action for each in statements if f'"{resource}"' in json.dumps(each["Resource"]) for action in each["Action"]
    }


def on_the_store(flow, **settings):
    """What each function may do with the table of credentials, by its role."""
    made = resources(flow, **settings)
    roles = {name: each for name, each in made.items() if name.endswith("Role")}
    return {
        name: {each.removeprefix("dynamodb:") for each in rights(role, "Credentials")} for name, role in roles.items()
    }


@pytest.mark.parametrize("name", REMEMBERING)
def test_the_table_of_credentials_lives_for_years(name):
    """It stays when the stack goes, cannot be deleted by mistake, can be restored, and nothing in it ends."""
    made = resources(REMEMBERING[name])
    table, ledger = made["Credentials"], made["Ledger"]
    assert ("Retain", "Retain") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] is True
    assert {"PointInTimeRecoveryEnabled": True} == properties["PointInTimeRecoverySpecification"]
    assert "TimeToLiveSpecification" not in properties
    assert [{"AttributeName": "pk", "KeyType": "HASH"}] == properties["KeySchema"]
    assert ledger["Properties"] != properties


@pytest.mark.parametrize("name", REMEMBERING)
def test_functions_find_the_store_and_define_does_not(name):
    """In WATCHWORD_CREDENTIALS, the same for all of them, and not the ledger's table."""
    made = resources(REMEMBERING[name], credentials_api=True)
    assert "Environment" not in made["DefineFunction"]["Properties"]
    for function in ("Create", "Verify", "CredentialsApi"):
        variables = made[f"{function}Function"]["Properties"]["Environment"]["Variables"]
        assert {"Fn::Sub": "dynamodb://${Credentials}"} == variables["WATCHWORD_CREDENTIALS"]
        assert {"Fn::Sub": "dynamodb://${Ledger}"} == variables["WATCHWORD_LEDGER"]


def test_a_flow_that_remembers_nothing_has_no_store():
    """No table, no variable, no right, no API."""
    said = json.dumps(Template(MAIL, TARGET).document())
    assert not [word for word in ("Credentials", "WATCHWORD_POOL", "ApiGateway", "ApiOrigins") if word in said]


def test_each_role_has_the_rights_to_the_store_that_its_function_needs():
    """Define none; Create reads; Verify writes what was used, and adds where a step enrols; the APIs do everything."""
    reading, using, all_of_them = map(set, (READING_ACTIONS, USING_ACTIONS, ACTIONS))
    roles = on_the_store(APP, credentials_api=True)
    assert {
        "DefineRole": set(),
        "CreateRole": reading,
        "VerifyRole": using,
        "CredentialsApiRole": all_of_them,
    } == roles
    assert all_of_them == on_the_store(SET_UP)["VerifyRole"]
    assert all_of_them == on_the_store(KEYS, dialect="passwordless")["Fido2ApiRole"]
    assert not {"Scan", "Query", "DeleteTable", "*"} & set(ACTIONS)


class Recording:
    """DynamoDB's client as far as the store calls it: tells what rights its calls need, and answers that nothing is there."""

    def __init__(self, items):
        self.items, self.needed = items, set()

    def get_item(self, **request):
        self.needed.add("GetItem")
        return {"Item": self.items[request["Key"]["pk"]["S"]]} if request["Key"]["pk"]["S"] in self.items else {}

    def batch_get_item(self, **request):
        self.needed.add("BatchGetItem")
        ((table, asked),) = request["RequestItems"].items()
        return {"Responses": {table: [self.items[k["pk"]["S"]] for k in asked["Keys"] if k["pk"]["S"] in self.items]}}

    def put_item(self, **request):
        self.needed.add("PutItem")

    def update_item(self, **request):
        self.needed.add("UpdateItem")

    def transact_write_items(self, **request):
        for each in request["TransactItems"]:
            ((sort, written),) = each.items()
            self.needed.add(f"{sort}Item")
            if sort == "Put":
                self.items[written["Item"]["pk"]["S"]] = written["Item"]


def test_the_rights_are_exactly_what_the_stores_calls_need(monkeypatch):
    """A transaction needs the right of each of its writes. Create lists, Verify swaps too, enrolling adds, replaces and removes."""
    store = DynamoDBCredentials("credentials")
    client = Recording({})
    monkeypatch.setattr(store._table, "_client", type("Kept", (), {"ready": lambda self: client})())
    one = Credential(id="a", owner="pool#ann", kind="totp", created=1, state={"root": "x"})

    def needed(call):
        client.needed.clear()
        call()
        return set(client.needed)

    reading = needed(lambda: store.list("pool#ann", within=1))
    added = needed(lambda: store.add(one, replace=True, most=MAX_CREDENTIALS, within=1))
    replaced = needed(lambda: store.add(evolve(one, id="b"), replace=True, most=MAX_CREDENTIALS, within=1))
    using = reading | needed(lambda: store.swap(evolve(one, id="b"), version=0, within=1))
    removed = needed(lambda: store.remove("pool#ann", "totp", "b", within=1))
    assert set(READING_ACTIONS) == reading
    assert set(USING_ACTIONS) == using
    assert set(ACTIONS) == using | added | replaced | removed


def test_an_api_is_an_http_api_with_its_function_and_its_role():
    """Each path goes to the function; only this API may call it; what comes in is throttled."""
    made = resources(KEYS, **BOTH)
    kinds = [each["Type"] for each in made.values() if each["Type"].startswith("AWS::ApiGatewayV2::")]
    assert ["Api", "Stage", "Integration", "Route", "Route", "Integration", "Route"] == [
        each.rpartition("::")[2] for each in kinds
    ]
    routes = {made[name]["Properties"]["RouteKey"] for name in made if "ApiRoute" in name}
    assert {"ANY /credentials", "ANY /credentials/{proxy+}", "ANY /fido2/{proxy+}"} == routes
    limits = made["HttpApiStage"]["Properties"]["DefaultRouteSettings"]
    assert {"Ref": "ApiRequestsPerSecond"} == limits["ThrottlingRateLimit"] == limits["ThrottlingBurstLimit"]
    for name, handler in (("CredentialsApi", CREDENTIALS_API), ("Fido2Api", FIDO2_API)):
        function, permission = made[f"{name}Function"]["Properties"], made[f"{name}Permission"]["Properties"]
        assert f"{handler}.{handler}" == function["Handler"]
        assert ("apigateway.amazonaws.com", [f"{name}Function", "Arn"]) == (
            permission["Principal"],
            permission["FunctionName"]["Fn::GetAtt"],
        )
        assert permission["SourceArn"]["Fn::Sub"].endswith(":${HttpApi}/*")
        assert {"Fn::GetAtt": [f"{name}Function", "Arn"]} == made[f"{name}Integration"]["Properties"]["IntegrationUri"]
        assert {"Ref": f"{name}Logs"} == function["LoggingConfig"]["LogGroup"]
        allowed = json.dumps(made[f"{name}Role"])
        assert "cognito-idp" not in allowed  # GetUser asks for the token alone
        assert "ses:SendEmail" in allowed  # users are told of changes
        assert {f"{name}Errors", f"{name}Throttles"} <= made.keys()


@pytest.mark.parametrize("existing", [False, True])
def test_an_api_knows_its_pool_and_trusts_named_clients_alone(existing):
    """The stack's own; with a pool that is there already, those that the deployment names: no list means any."""
    document = Template(KEYS, TARGET, existing_pool=existing, **BOTH).document()
    for name in ("CredentialsApi", "Fido2Api"):
        variables = document["Resources"][f"{name}Function"]["Properties"]["Environment"]["Variables"]
        if existing:
            assert {"Ref": "UserPoolId"} == variables["WATCHWORD_POOL"]
            assert {"Fn::Join": [" ", {"Ref": "ApiClients"}]} == variables["WATCHWORD_CLIENTS"]
        else:
            assert ({"Ref": "UserPool"}, {"Ref": "Client"}) == (
                variables["WATCHWORD_POOL"],
                variables["WATCHWORD_CLIENTS"],
            )
        assert ("WATCHWORD_ORIGINS" in variables) is (name == "CredentialsApi")
    parameters = document["Parameters"]
    assert ("ApiClients" in parameters) is existing
    assert "Default" not in parameters.get("ApiClients", {})
    assert {"CredentialsUrl", "Fido2BaseUrl", "CredentialsTable"} <= document["Outputs"].keys()


def test_an_api_for_which_nobody_enrols_is_refused(tmp_path, capsys):
    """On the command line with status 2; and the client's API for a flow that the client cannot pass."""
    with pytest.raises(ConfigurationError, match="users enrol for no kind of the flow"):
        Template(MAIL, TARGET, credentials_api=True)
    with pytest.raises(ConfigurationError, match="no step that the passwordless client can sign in with"):
        Template(APP, TARGET, dialect="passwordless")
    (tmp_path / "flow.toml").write_text('[[steps]]\nkind = "email_otp"\n')
    assert 2 == main(["template", str(tmp_path / "flow.toml"), "--credentials-api"])
    assert "users enrol for no kind" in capsys.readouterr().err


def test_the_zips_say_what_is_built_and_must_hold_what_is_asked(tmp_path):
    """The API of credentials is asked for; the dialect's is made where the zips speak it."""
    zips(tmp_path, KEYS)
    with pytest.raises(ConfigurationError, match="run watchword build with --credentials-api"):
        Template(KEYS, dist=tmp_path, credentials_api=True)
    with pytest.raises(ConfigurationError, match="built without a dialect: build them with --dialect passwordless"):
        Template(KEYS, dist=tmp_path, dialect="passwordless")
    everything = ("define", "create", "verify", CREDENTIALS_API, FIDO2_API)
    zips(tmp_path, KEYS, of=everything, dialect="passwordless")
    zips(tmp_path, KEYS, of=everything[1:2] + everything[3:], dialect="passwordless", couriers=("ses",))
    made = Template(KEYS, dist=tmp_path, credentials_api=True)
    assert "passwordless" == made.dialect
    assert {*everything} == made.uploads.keys()
    assert made.document() == Template(KEYS, dist=tmp_path, **BOTH).document()
    assert "Fido2ApiFunction" in made.document()["Resources"]
    zips(tmp_path, KEYS, of=[FIDO2_API], dialect="passwordless", credentials=("sqlite",))
    with pytest.raises(ConfigurationError, match=r"fido2_api\.zip holds another store of credentials \(sqlite\)"):
        Template(KEYS, dist=tmp_path)


def test_a_flow_before_that_remembers_keeps_its_table(tmp_path):
    """Its sign-ins are under way: the zips hold the store, so the functions find and may use it."""
    zips(tmp_path, MAIL)
    zips(tmp_path, MAIL, of=["create"], credentials=("dynamodb",), couriers=("ses",))
    zips(tmp_path, MAIL, of=["verify"], credentials=("dynamodb",))
    made = Template(MAIL, dist=tmp_path).document()["Resources"]
    assert "Credentials" in made
    assert {"dynamodb:GetItem", "dynamodb:UpdateItem"} == rights(made["VerifyRole"], "Credentials")
