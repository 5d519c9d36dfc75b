"""The doctor on every way to say a value in a template: known, absent, or not known before the deployment."""

import base64
from collections import Counter

import pytest

from kit.template_styles import BOTH, STYLES, TRIGGERS, another_client, codes, judge, said, variable
from watchword import ConfigurationError

pytestmark = pytest.mark.exhaustive

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A function that returns the findings on a document, without the command around."""
    return judge(tmp_path_factory.mktemp("judged"))


# --- how a value is said ------------------------------------------------------------------------------------------


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


PARAMETERS = {
    "Text": lambda value: {"Type": "String", "Default": as_text(value)},
    "Bare": lambda value: {"Type": "Number", "Default": value},
}
KNOWN = {
    "as text": as_text,
    "by a parameter": lambda value: {"Ref": "PlantedText"},
    "by a parameter's bare value": lambda value: {"Ref": "PlantedBare"},
    "in Sub": lambda value: {"Fn::Sub": "${PlantedText}"},
    "in Sub with a variable": lambda value: {"Fn::Sub": ["${It}", {"It": {"Ref": "PlantedText"}}]},
    "in Join": lambda value: {"Fn::Join": ["", [as_text(value)[:1], as_text(value)[1:], {"Ref": "AWS::NoValue"}]]},
    "in a mapping": lambda value: {"Fn::FindInMap": ["Planted", "by", "Stage"]},
    "by a condition": lambda value: {"Fn::If": ["PlantedTrue", value, "something else"]},
    "by another condition": lambda value: {"Fn::If": ["PlantedFalse", "something else", value]},
    "on both sides": lambda value: {"Fn::If": ["PlantedUnknown", value, value]},
    "selected": lambda value: {"Fn::Select": ["1", ["x", {"Ref": "PlantedText"}]]},
    "split": lambda value: {"Fn::Select": [1, {"Fn::Split": ["|", {"Fn::Sub": "x|${PlantedText}"}]}]},
}
NOT_KNOWN = {
    "a parameter without a default": {"Ref": "PlantedNone"},
    "a parameter from Parameter Store": {"Ref": "PlantedStored"},
    "in Sub": {"Fn::Sub": "${PlantedNone}"},
    "in Join": {"Fn::Join": ["", [{"Ref": "PlantedNone"}]]},
    "an import": {"Fn::ImportValue": "other-stack"},
    "an import by name": {"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-it"}},
    "a mapping by region": {"Fn::FindInMap": ["Planted", {"Ref": "AWS::Region"}, "Stage"]},
    "a mapping that is not there": {"Fn::FindInMap": ["A", "B", "C"]},
    "a condition": {"Fn::If": ["PlantedUnknown", "5", "6"]},
    "a dynamic reference": "{{resolve:ssm:/acme/it}}",
    "an attribute": {"Fn::GetAtt": ["PlantedResource", "Value"]},
    "an attribute in a nested stack": {"Fn::GetAtt": "PlantedResource.Outputs.It"},
    "a macro": {"Fn::Transform": {"Name": "Acme"}},
    "a choice": {"Fn::Select": [{"Ref": "PlantedNone"}, ["1", "2"]]},
    "a pseudo parameter": {"Ref": "AWS::StackName"},
    "a name of nothing": {"Ref": "Nowhere"},
}


def told(document, value):
    """Give *document* what the terms above name."""
    document.setdefault("Parameters", {}).update(
        {f"Planted{name}": made(value) for name, made in PARAMETERS.items()}
        | {
            "PlantedNone": {"Type": "String"},
            "PlantedStored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": as_text(value)},
        }
    )
    document.setdefault("Mappings", {})["Planted"] = {"by": {"Stage": value}, "eu-west-1": {"Stage": "x"}}
    yes = {"Fn::Equals": [{"Ref": "PlantedText"}, as_text(value)]}
    document.setdefault("Conditions", {}).update(
        {
            "PlantedTrue": {"Fn::And": [yes, {"Fn::Not": [{"Condition": "PlantedFalse"}]}]},
            "PlantedFalse": {"Fn::Or": [{"Fn::Not": [yes]}, {"Fn::Equals": ["a", "b"]}]},
            "PlantedUnknown": {"Fn::Equals": [{"Ref": "PlantedNone"}, "x"]},
        }
    )
    document["Resources"]["PlantedResource"] = {"Type": "Custom::Thing", "Properties": {}}


SCALARS = {
    "WD03": ("LEGACY", lambda value: said("client", "PreventUserExistenceErrors", value)),
    "WD07": (3, lambda value: said("client", "AuthSessionValidity", value)),
    "WD08": (False, lambda value: said("table", "TimeToLiveSpecification", "Enabled", value)),
    "WD09": ("id", lambda value: said("table", "KeySchema", [{"AttributeName": value, "KeyType": "HASH"}])),
    "WD11": (KEY, lambda value: variable("WATCHWORD_KEY", value, *BOTH)),
    "WD12": ("debug", lambda value: variable("LOG_LEVEL", value, "verify")),
    "WD13": (30, lambda value: said("verify", "Timeout", value)),
    "WD14": ("ON", lambda value: said("pool", "MfaConfiguration", value)),
    "WD16": (True, lambda value: said("pool", "UsernameConfiguration", "CaseSensitive", value)),
    "WD17": (True, lambda value: said("client", "AllowedOAuthFlowsUserPoolClient", value)),
    "WD19": ("process-only", lambda value: variable("WATCHWORD_LEDGER", value, *BOTH)),
    "WD22": (128, lambda value: said("create", "MemorySize", value)),
    "WD23": (False, lambda value: said("client", "EnableTokenRevocation", value)),
    "WD30": (True, lambda value: said("pool", "AdminCreateUserConfig", "AllowAdminCreateUserOnly", value)),
    "WD31": (
        "verified_email",
        lambda value: said("pool", "AccountRecoverySetting", {"RecoveryMechanisms": [{"Name": value}]}),
    ),
    "WD01": (
        "ALLOW_USER_SRP_AUTH",
        lambda value: said("client", "ExplicitAuthFlows", ["ALLOW_CUSTOM_AUTH", value]),
    ),
    "WD15": ("custom:tier", lambda value: said("client", "WriteAttributes", ["email", value])),
}


@pytest.mark.parametrize("code", SCALARS)
@pytest.mark.parametrize("form", KNOWN)
def test_a_value_is_judged_however_it_is_said(form, code, judged):
    """Numbers and booleans as text, parameters with a default, and every function whose arguments are known."""
    value, plant = SCALARS[code]
    for style in ("SAM with events", "CDK"):
        document = STYLES[style].document()
        told(document, value)
        plant(KNOWN[form](value))(STYLES[style], document)
        assert {code} == codes(judged(document))


@pytest.mark.parametrize("code", SCALARS)
@pytest.mark.parametrize("form", NOT_KNOWN)
def test_what_only_the_deployment_tells_is_said_once_and_is_no_fault(form, code, judged):
    """Neither an error nor silence."""
    value, plant = SCALARS[code]
    for style in ("SAM with events", "CDK"):
        document = STYLES[style].document()
        told(document, value)
        plant(NOT_KNOWN[form])(STYLES[style], document)
        found = judged(document)
        assert {"WD25"} == codes(found)
        assert [1] == list(Counter(each["message"] for each in found).values())
        assert "not known before the deployment" in found[0]["message"]


@pytest.mark.parametrize("form", ["a parameter without a default", "an import", "a condition", "a macro"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "place",
    [
        ("create", "Environment"),
        ("create", "Timeout"),
        ("pool", "LambdaConfig"),
        ("pool", "UsernameConfiguration"),
        ("client", "ExplicitAuthFlows"),
        ("table", "KeySchema"),
        ("log", "RetentionInDays"),
    ],
)
def test_whole_objects_may_be_unknown(place, form, style, judged):
    """The same: no error, and said."""
    what, name = place
    document = STYLES[style].document()
    told(document, "5")
    said(what, name, NOT_KNOWN[form])(STYLES[style], document)
    # SAM's events say who is called, whatever the pool says.
    if (style, name) != ("SAM with events", "LambdaConfig"):
        assert {"WD25"} == codes(judged(document))


# --- functions, and who may call them -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", NOT_KNOWN)
@pytest.mark.parametrize("style", ["CloudFormation in YAML", "CloudFormation in JSON", "CDK"])
def test_a_function_from_elsewhere_is_said_to_be_unread(style, form, judged):
    """An import, another stack's, an ARN: what it is was never checked."""
    document = STYLES[style].document()
    told(document, "5")
    said("pool", "LambdaConfig", TRIGGERS["verify"], NOT_KNOWN[form])(STYLES[style], document)
    [found] = judged(document)
    assert "WD25" == found["code"]
    assert "the function of verify" in found["message"]


@pytest.mark.parametrize(
    "said_as",
    [
        "arn:aws:lambda:eu-west-1:123456789012:function:elsewhere",
        {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:elsewhere:live"},
        {"Fn::Join": [":", ["arn:aws:lambda:eu-west-1", {"Ref": "AWS::AccountId"}, "function", {"Ref": "Name"}]]},
    ],
)
def test_an_arn_of_no_function_of_the_template_is_said_to_be_unread(said_as, judged):
    """By its name."""
    style = STYLES["CDK"]
    document = style.document()
    document["Parameters"]["Name"] = {"Type": "String"}
    style.properties(document, "pool")["LambdaConfig"][TRIGGERS["create"]] = said_as
    assert {"WD25"} == codes(judged(document))


@pytest.mark.parametrize("form", NOT_KNOWN)
def test_a_permission_for_what_is_not_known_may_be_the_one(form, judged):
    """For a function, from a source, for an action."""
    style = STYLES["CDK"]
    for name in ("FunctionName", "SourceArn", "Action", "Principal"):
        document = style.document()
        told(document, "5")
        document["Resources"][style.names["create permission"]]["Properties"][name] = NOT_KNOWN[form]
        [found] = judged(document)
        assert "WD25" == found["code"]
        assert "whether the pool may call create" in found["message"]


def test_a_permission_for_a_function_is_none_for_its_alias(judged):
    """Lambda asks the policy of what is called; and the other way round."""
    style = STYLES["CDK"]
    document = style.document()
    lets = document["Resources"][style.names["verify permission"]]["Properties"]
    lets["FunctionName"] = {"Fn::GetAtt": [style.names["verify"], "Arn"]}
    assert {"WD05"} == codes(judged(document))
    document = style.document()
    document["Resources"][style.names["pool"]]["Properties"]["LambdaConfig"][TRIGGERS["verify"]] = {
        "Fn::GetAtt": [style.names["verify"], "Arn"]
    }
    assert {"WD05"} == codes(judged(document))


def test_a_permission_for_another_pool_is_none(judged):
    """Of the same template, by attribute and by a joined ARN."""
    style = STYLES["CDK"]
    for source in ({"Fn::GetAtt": ["Other", "Arn"]}, {"Fn::Sub": "arn:aws:cognito-idp:x:1:userpool/${Other}"}):
        document = style.document()
        document["Resources"]["Other"] = {"Type": "AWS::Cognito::UserPool"}
        document["Resources"][style.names["create permission"]]["Properties"]["SourceArn"] = source
        assert {"WD05"} == codes(judged(document, pool=style.names["pool"]))


@pytest.mark.parametrize(
    "source",
    [
        "*",
        "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/*",
        {"Fn::Sub": "arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/*"},
        {
            "Fn::Join": [
                "",
                ["arn:aws:cognito-idp:", {"Ref": "AWS::Region"}, ":*:userpool/", {"Ref": "LoginPool3F5C1A2B"}],
            ]
        },
    ],
)
def test_a_wide_permission_is_one_finding(source, judged):
    """It lets the pool call too."""
    style = STYLES["CDK"]
    document = style.document()
    document["Resources"][style.names["create permission"]]["Properties"]["SourceArn"] = source
    assert {"WD06"} == codes(judged(document))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Abc123", "WD25"),
        ("arn:aws:execute-api:eu-west-1:123456789012:abc", "WD05"),
    ],
)
def test_an_arn_that_was_written_out_may_be_the_pools(source, code, judged):
    """If it is one of a pool: which the pool gets is not known."""
    style = STYLES["CDK"]
    document = style.document()
    document["Resources"][style.names["create permission"]]["Properties"]["SourceArn"] = source
    assert {code} == codes(judged(document))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ({"Ref": "LogName"}, "WD25"),
        ({"Fn::Sub": "/aws/lambda/${LogName}"}, "WD25"),
        ({"Fn::Sub": "/aws/apigateway/${LogName}"}, "WD18"),
        ({"Fn::Sub": "/aws/lambda/${VerifyFn8C9D0E1F}"}, "WD18"),
        ("/aws/lambda/another", "WD18"),
    ],
)
def test_a_log_whose_name_is_not_known_may_be_any_functions(name, code, judged):
    """One that is another's for certain is not."""
    style = STYLES["CDK"]
    document = style.document()
    document["Parameters"]["LogName"] = {"Type": "String"}
    document["Resources"]["Some"] = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": name, "RetentionInDays": 7},
    }
    del style.properties(document, "create")["LoggingConfig"]
    assert {code} == codes(judged(document))


def test_clients_of_another_pool_are_no_other_clients(judged):
    """Nor does one have to say which client is meant then."""
    style = STYLES["CDK"]
    document = style.document()
    document["Resources"]["Other"] = {"Type": "AWS::Cognito::UserPool"}
    another_client(style, document)
    document["Resources"]["OtherClient"] = document["Resources"].pop("Other")
    document["Resources"]["OtherPool"] = {"Type": "AWS::Cognito::UserPool"}
    document["Resources"]["OtherClient"]["Properties"] = {"UserPoolId": {"Ref": "OtherPool"}}
    document["Resources"]["OtherClient"]["Type"] = "AWS::Cognito::UserPoolClient"
    assert [] == judged(document, pool=style.names["pool"])


def test_a_resource_whose_condition_does_not_hold_is_not_there(judged):
    """Here a permission."""
    style = STYLES["CDK"]
    document = style.document()
    told(document, "5")
    document["Resources"][style.names["create permission"]]["Condition"] = "PlantedFalse"
    assert {"WD05"} == codes(judged(document))
    document["Resources"][style.names["create permission"]]["Condition"] = "PlantedTrue"
    assert [] == judged(document)


def test_a_table_from_elsewhere_is_said_to_be_unread(judged):
    """By its name, and by an import."""
    style = STYLES["CDK"]
    for ledger in ("dynamodb://elsewhere", {"Fn::Join": ["", ["dynamodb://", {"Fn::ImportValue": "ledger"}]]}):
        document = style.document()
        variable("WATCHWORD_LEDGER", ledger, *BOTH)(style, document)
        [found] = judged(document)
        assert "WD25" == found["code"]
        assert "the ledger's table" in found["message"]


def test_aliases_of_aliases_have_an_end(judged):
    """A ring of them, and a long chain."""
    style = STYLES["CDK"]
    for last in ("A0", "A399"):
        document = style.document()
        names = [f"A{place}" for place in range(400)]
        for one, other in zip(names, [*names[1:], last], strict=True):
            document["Resources"][one] = {
                "Type": "AWS::Lambda::Alias",
                "Properties": {"FunctionName": {"Ref": other}, "Name": "live"},
            }
        style.properties(document, "pool")["LambdaConfig"][TRIGGERS["create"]] = {"Ref": "A0"}
        assert {"WD25"} == codes(judged(document))


def test_more_resources_than_a_stack_may_have_are_refused(judged):
    """CloudFormation's quota: what is searched for in what stays small."""
    document = STYLES["CDK"].document()
    document["Resources"] |= {f"T{place}": {"Type": "AWS::SNS::Topic"} for place in range(500)}
    with pytest.raises(ConfigurationError, match="a stack may have 500"):
        judged(document)


def test_a_macro_may_change_all(judged):
    """Of the template, and of one resource."""
    document = STYLES["CDK"].document()
    document["Transform"] = ["Acme", "AWS::LanguageExtensions"]
    [found] = judged(document)
    assert "the macro Acme may change it" in found["message"]
    document = STYLES["CDK"].document()
    document["Resources"]["Fn::ForEach::Topics"] = ["It", ["a", "b"], {"T${It}": {"Type": "AWS::SNS::Topic"}}]
    assert {"WD25"} == codes(judged(document))
