"""The local pool checks its parameters as Cognito's front end does."""

import gzip
import json
import re
from pathlib import Path

import pytest

from kit.user_pool import World, code_of, text_of
from watchword_adapters.userpool import ClientError
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS, parameters_of


@pytest.fixture
def world():
    """A pool with Ann."""
    return World()


def refused(world, operation, **parameters):
    """Return the text of the refusal, which must be for the parameters."""
    with pytest.raises(ClientError) as error:
        world.pool.operations[operation](parameters)
    assert code_of(error) == "InvalidParameterException"
    return text_of(error)


def test_every_operation_has_a_method_and_every_method_an_operation(world):
    """The table that an HTTP front uses is complete."""
    assert tuple(world.pool.operations) == OPERATIONS
    for operation in OPERATIONS:
        method = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
        with pytest.raises(ClientError) as error:
            getattr(world.pool, method)()
        assert error.value.operation_name == operation


def test_the_table_agrees_with_the_public_service_model():
    """Every operation takes what botocore's model says, and needs what it needs; limits are the model's."""
    import botocore

    from watchword_adapters.userpool.api import operation_parameters

    root = Path(botocore.__file__).parent / "data" / "cognito-idp"
    (path,) = root.glob("*/service-2.json.gz")
    model = json.loads(gzip.decompress(path.read_bytes()))
    # The model has Password optional for passwordless sign-up, which the pool does not play.
    exceptions = {("SignUp", "Password"), ("ChangePassword", "PreviousPassword")}
    for operation in OPERATIONS:
        shape = model["shapes"][model["operations"][operation]["input"]["shape"]]
        assert parameters_of(operation) == set(shape["members"]), operation
        required = set(operation_parameters._TABLE[operation][1])
        assert {(operation, name) for name in required ^ set(shape.get("required", ()))} <= exceptions
        for name, member in shape["members"].items():
            ours, theirs = operation_parameters._MEMBERS[name], model["shapes"][member["shape"]]
            if isinstance(ours, operation_parameters.TextParameter):
                assert theirs["type"] == "string"
                assert ours.shortest == theirs.get("min", 0), name
                assert ours.longest == theirs.get("max", operation_parameters._LONGEST), name
                assert set(ours.one_of) <= set(theirs.get("enum", ())), name
            if isinstance(ours, operation_parameters.NumberParameter):
                assert (theirs["type"], theirs["min"]) == ("integer", 0)
                assert ours.most == theirs.get("max", operation_parameters.NumberParameter().most), name


def test_an_unknown_parameter_is_named_with_the_known_ones(world):
    """As boto3 does."""
    text = refused(world, "GetUser", AccessToken="x", Colour="red")
    assert text == 'Unknown parameter in input: "Colour", must be one of: AccessToken'


def test_a_missing_parameter_is_named(world):
    """In Cognito's words."""
    assert refused(world, "GetUser") == (
        "1 validation error detected: Value null at 'accessToken' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("operation", "parameters", "where"),
    [
        ("InitiateAuth", {"ClientId": 3, "AuthFlow": "CUSTOM_AUTH"}, "clientId"),
        ("InitiateAuth", {"ClientId": "", "AuthFlow": "CUSTOM_AUTH"}, "clientId"),
        ("InitiateAuth", {"ClientId": "a b", "AuthFlow": "CUSTOM_AUTH"}, "clientId"),
        ("InitiateAuth", {"ClientId": "x" * 129, "AuthFlow": "CUSTOM_AUTH"}, "clientId"),
        ("InitiateAuth", {"ClientId": "x", "AuthFlow": "NO_AUTH"}, "authFlow"),
        ("InitiateAuth", {"ClientId": "x", "AuthFlow": "CUSTOM_AUTH", "AuthParameters": []}, "authParameters"),
        (
            "InitiateAuth",
            {"ClientId": "x", "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": 3}},
            "authParameters.member",
        ),
        (
            "InitiateAuth",
            {"ClientId": "x", "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": "\ud800"}},
            "authParameters.member",
        ),
        (
            "InitiateAuth",
            {"ClientId": "x", "AuthFlow": "CUSTOM_AUTH", "ClientMetadata": {3: "a"}},
            "clientMetadata.key",
        ),
        (
            "InitiateAuth",
            {"ClientId": "x", "AuthFlow": "CUSTOM_AUTH", "ClientMetadata": {"a": "x" * 131_073}},
            "clientMetadata.member",
        ),
        ("RespondToAuthChallenge", {"ClientId": "x", "ChallengeName": "RIDDLE"}, "challengeName"),
        (
            "RespondToAuthChallenge",
            {"ClientId": "x", "ChallengeName": "CUSTOM_CHALLENGE", "Session": "short"},
            "session",
        ),
        ("SignUp", {"ClientId": "x", "Username": "a b", "Password": "p"}, "username"),
        ("SignUp", {"ClientId": "x", "Username": "a\x00", "Password": "p"}, "username"),
        ("SignUp", {"ClientId": "x", "Username": "ann", "Password": " spaced"}, "password"),
        ("SignUp", {"ClientId": "x", "Username": "ann", "Password": "x" * 257}, "password"),
        ("SignUp", {"ClientId": "x", "Username": "a", "Password": "p", "UserAttributes": {}}, "userAttributes"),
        (
            "SignUp",
            {"ClientId": "x", "Username": "a", "Password": "p", "UserAttributes": ["email"]},
            "userAttributes.1.member",
        ),
        (
            "SignUp",
            {"ClientId": "x", "Username": "a", "Password": "p", "UserAttributes": [{"Value": "v"}]},
            "userAttributes.1.member.name",
        ),
        (
            "SignUp",
            {"ClientId": "x", "Username": "a", "Password": "p", "UserAttributes": [{"Name": "a", "Colour": "v"}]},
            "userAttributes.1.member",
        ),
        (
            "SignUp",
            {
                "ClientId": "x",
                "Username": "a",
                "Password": "p",
                "UserAttributes": [{"Name": "email", "Value": "x" * 2049}],
            },
            "userAttributes.1.member.value",
        ),
        (
            "AdminSetUserPassword",
            {"UserPoolId": "us-east-1_A", "Username": "a", "Password": "p", "Permanent": "yes"},
            "permanent",
        ),
        ("AdminGetUser", {"UserPoolId": "nonsense", "Username": "a"}, "userPoolId"),
        ("GetUser", {"AccessToken": ""}, "accessToken"),
        ("GetUser", {"AccessToken": "a b"}, "accessToken"),
    ],
)
def test_what_has_the_wrong_type_or_size_is_refused_by_its_place(world, operation, parameters, where):
    """The text says where, and what would do."""
    text = refused(world, operation, **parameters)
    assert text.startswith("1 validation error detected: Value ")
    assert f"at '{where}' failed to satisfy constraint: Member must " in text


def test_a_refusal_repeats_no_secret(world):
    """A password that does not fit is not in the text."""
    text = refused(world, "SignUp", ClientId="x", Username="ann", Password="hunter2 hunter2 ")
    assert "hunter2" not in text


def test_an_unknown_word_is_shown_with_the_known_ones(world):
    """Short, and in ASCII, whatever was sent."""
    text = refused(world, "InitiateAuth", ClientId="x", AuthFlow="☃" * 500)
    assert "Member must satisfy enum value set: [USER_SRP_AUTH, " in text
    assert text.isascii()
    assert len(text) < 500


def test_null_is_the_same_as_nothing(world):
    """Client libraries send nulls: for a parameter, and inside AuthParameters."""
    reply = world.pool.initiate_auth(
        ClientId=world.pool.client_id,
        AuthFlow="CUSTOM_AUTH",
        AuthParameters={"USERNAME": "ann", "DEVICE_KEY": None},
        ClientMetadata=None,
        UserContextData=None,
        Session=None,
    )
    assert reply["ChallengeName"] == "CUSTOM_CHALLENGE"


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_a_user_name_inside_auth_parameters_is_bounded_too(world, name):
    """1 to 128 characters."""
    with pytest.raises(ClientError) as error:
        world.begin(name)
    assert code_of(error) == "InvalidParameterException"


def test_another_pool_or_client_does_not_exist(world):
    """ResourceNotFoundException, before anything is looked up."""
    with pytest.raises(ClientError) as error:
        world.pool.initiate_auth(ClientId="other", AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})
    assert code_of(error) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as error:
        world.pool.admin_get_user(UserPoolId="us-east-1_Other", Username="ann")
    assert code_of(error) == "ResourceNotFoundException"


def test_a_parameter_called_self_is_only_an_unknown_parameter(world):
    """Names from outside cannot collide with the method's own."""
    with pytest.raises(ClientError) as error:
        world.pool.get_user(self="x", AccessToken="y")
    assert code_of(error) == "InvalidParameterException"
