"""The triggers beside the three: what they are told, and what may be made of their answers."""

import base64
import copy
import json

import pytest

from kit.user_pool import EMAIL, PASSWORD, World, code_of, text_of
from watchword_adapters.userpool import ClientError, LocalUserPool

SCOPE = "aws.cognito.signin.user.admin"
ADDRESS = [{"Name": "email", "Value": "bob@example.com"}]


class Scripted:
    """A trigger that keeps its events and answers as a test says."""

    def __init__(self, **response):
        self.response = response
        self.events = []

    def __call__(self, event, context):
        self.events.append(copy.deepcopy(event))
        if "raises" in self.response:
            raise ValueError(self.response["raises"])
        event["response"].update(self.response)
        return event

    @property
    def sources(self):
        return [event["triggerSource"] for event in self.events]

    @property
    def last(self):
        return self.events[-1]["request"]


def sign_up(world, name="bob", **more):
    """Register somebody."""
    given = {"ClientId": world.pool.client_id, "Username": name, "Password": PASSWORD, "UserAttributes": ADDRESS}
    return world.pool.sign_up(**{**given, **more})


def described(world, name="bob"):
    """Return a user's status and attributes."""
    user = world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username=name)
    attributes = {pair["Name"]: pair["Value"] for pair in user["UserAttributes"] if pair["Name"] != "sub"}
    return user["UserStatus"], attributes


def claims(token):
    """Return a token's claims."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def refusal(call, **given):
    """Return the code and text of the refusal."""
    with pytest.raises(ClientError) as error:
        call(**given)
    return code_of(error), text_of(error)


# Pre sign-up


def test_pre_sign_up_is_told_who_wants_to_sign_up():
    """Attributes without a sub, validation data as a map or null, client metadata if there is any; the flags are false."""
    trigger = Scripted()
    world = World(pre_sign_up=trigger)
    assert sign_up(world)["UserConfirmed"] is False
    (event,) = trigger.events
    assert (event["triggerSource"], event["userName"], event["version"]) == ("PreSignUp_SignUp", "bob", "1")
    assert event["request"] == {"userAttributes": {"email": "bob@example.com"}, "validationData": None}
    assert event["response"] == {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    sign_up(world, "cleo", ValidationData=[{"Name": "captcha", "Value": "x"}], ClientMetadata={"a": "b"})
    assert trigger.last["validationData"] == {"captcha": "x"}
    assert trigger.last["clientMetadata"] == {"a": "b"}


def test_pre_sign_up_may_refuse():
    """The client reads what it raised; nobody is added and nothing is mailed."""
    world = World(pre_sign_up=Scripted(raises="not you"))
    assert refusal(lambda: sign_up(world)) == (
        "UserLambdaValidationException",
        "PreSignUp failed with error not you.",
    )
    assert world.pool.outbox == []
    assert world.pool.username_of("bob@example.com") != "bob"


@pytest.mark.parametrize("verify", [True, False])
def test_pre_sign_up_may_confirm_and_verify(verify):
    """Then there is no code, post confirmation hears of it, and the user signs in at once."""
    after = Scripted()
    world = World(pre_sign_up=Scripted(autoConfirmUser=True, autoVerifyEmail=verify), post_confirmation=after)
    reply = sign_up(world)
    assert (reply["UserConfirmed"], "CodeDeliveryDetails" in reply, world.pool.outbox) == (True, False, [])
    verified = str(verify).lower()
    assert described(world) == ("CONFIRMED", {"email": "bob@example.com", "email_verified": verified})
    assert after.sources == ["PostConfirmation_ConfirmSignUp"]
    assert "AuthenticationResult" in world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)


@pytest.mark.parametrize("flag", ["autoVerifyEmail", "autoVerifyPhone"])
def test_what_is_not_there_is_not_verified(flag):
    """InvalidLambdaResponseException, and nobody is added."""
    world = World(pre_sign_up=Scripted(**{flag: True, "autoConfirmUser": True}))
    assert refusal(lambda: sign_up(world, UserAttributes=[]))[0] == "InvalidLambdaResponseException"
    assert refusal(lambda: described(world))[0] == "UserNotFoundException"


def test_nobody_s_address_is_verified_away():
    """AliasExistsException: a trigger that verifies all addresses gives nobody the address of another."""
    world = World(pre_sign_up=Scripted(autoConfirmUser=True, autoVerifyEmail=True))
    attributes = [{"Name": "email", "Value": EMAIL["email"]}]
    assert refusal(lambda: sign_up(world, UserAttributes=attributes))[0] == "AliasExistsException"


def test_an_administrator_s_user_passes_pre_sign_up_too():
    """By a source of its own; its flags do nothing there, and an invitation that is sent again passes it not."""
    trigger = Scripted(autoConfirmUser=True)
    world = World(pre_sign_up=trigger)
    given = {"UserPoolId": world.pool.pool_id, "Username": "bob", "UserAttributes": ADDRESS}
    world.pool.admin_create_user(**given)
    world.pool.admin_create_user(**given, MessageAction="RESEND")
    assert trigger.sources == ["PreSignUp_AdminCreateUser"]
    assert described(world)[0] == "FORCE_CHANGE_PASSWORD"


def test_where_addresses_are_names_the_event_has_the_name_to_come():
    """A UUID, which the tokens will have."""
    trigger = Scripted(autoConfirmUser=True)
    world = World(user=False, email_as_username=True, pre_sign_up=trigger)
    reply = sign_up(world, "bob@example.com", UserAttributes=[])
    assert trigger.events[0]["userName"] == reply["UserSub"] == world.pool.username_of("bob@example.com")


# Post confirmation


def test_post_confirmation_hears_of_every_confirmation():
    """By code, by an administrator, and after a forgotten password; never of a failure."""
    trigger = Scripted()
    world = World(post_confirmation=trigger)
    client = {"ClientId": world.pool.client_id}
    sign_up(world)
    code = world.pool.outbox[-1].text.split()[-1]
    wrong = {**client, "Username": "bob", "ConfirmationCode": f"{(int(code) + 1) % 1_000_000:06d}"}
    refusal(world.pool.confirm_sign_up, **wrong)
    assert trigger.events == []
    world.pool.confirm_sign_up(**client, Username="bob", ConfirmationCode=code, ClientMetadata={"a": "b"})
    assert trigger.last["clientMetadata"] == {"a": "b"}
    assert trigger.last["userAttributes"]["cognito:user_status"] == "CONFIRMED"
    assert trigger.last["userAttributes"]["email_verified"] == "true"
    sign_up(world, "cleo", UserAttributes=[])
    world.pool.admin_confirm_sign_up(UserPoolId=world.pool.pool_id, Username="cleo")
    world.pool.forgot_password(**client, Username="ann")
    code = world.pool.outbox[-1].text.split()[-1]
    world.pool.confirm_forgot_password(**client, Username="ann", ConfirmationCode=code, Password="N3w-password")
    assert trigger.sources == [
        "PostConfirmation_ConfirmSignUp",
        "PostConfirmation_ConfirmSignUp",
        "PostConfirmation_ConfirmForgotPassword",
    ]


def test_a_failing_post_confirmation_undoes_nothing():
    """The client is told, and the user is confirmed."""
    world = World(post_confirmation=Scripted(raises="no database"))
    sign_up(world)
    code = world.pool.outbox[-1].text.split()[-1]
    given = {"ClientId": world.pool.client_id, "Username": "bob", "ConfirmationCode": code}
    assert refusal(world.pool.confirm_sign_up, **given)[1] == "PostConfirmation failed with error no database."
    assert described(world)[0] == "CONFIRMED"


# Pre token generation


def tokens_with(trigger, version="V1_0", *, groups=(), **settings):
    """Return the world, and the claims of the ID and the access token that *trigger* has shaped."""
    world = World(pre_token_generation=trigger, pre_token_version=version, **settings)
    for name in groups:
        world.pool.create_group(UserPoolId=world.pool.pool_id, GroupName=name)
        world.pool.admin_add_user_to_group(UserPoolId=world.pool.pool_id, GroupName=name, Username="ann")
    tokens = world.tokens()
    return world, tokens, claims(tokens["IdToken"]), claims(tokens["AccessToken"])


@pytest.mark.parametrize("version", ["V1_0", "V2_0"])
def test_pre_token_generation_is_told_whose_tokens_they_are(version):
    """User attributes with the status, groups, and scopes in the second version; the response is null."""
    trigger = Scripted()
    tokens_with(trigger, version, groups=["staff"])
    (event,) = trigger.events
    assert (event["triggerSource"], event["version"]) == ("TokenGeneration_Authentication", version[1])
    assert event["request"]["groupConfiguration"] == {
        "groupsToOverride": ["staff"],
        "iamRolesToOverride": [],
        "preferredRole": None,
    }
    assert event["request"]["userAttributes"]["cognito:user_status"] == "CONFIRMED"
    assert event["request"].get("scopes") == (None if version == "V1_0" else [SCOPE])
    assert list(event["response"].values()) == [None]


def test_each_way_to_tokens_has_its_source():
    """Sign-in, new password, both refreshes. Client metadata comes with an answer, not with the first call."""
    trigger = Scripted()
    world = World(pre_token_generation=trigger)
    client = {"ClientId": world.pool.client_id}
    world.pool.add_user("bob", password=PASSWORD, status="FORCE_CHANGE_PASSWORD")
    reply = world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    answer = {"USERNAME": "bob", "NEW_PASSWORD": "N3w-password"}
    said = {"ClientMetadata": {"a": "b"}, "Session": reply["Session"], "ChallengeName": "NEW_PASSWORD_REQUIRED"}
    world.pool.respond_to_auth_challenge(**client, **said, ChallengeResponses=answer)
    assert trigger.last["clientMetadata"] == {"a": "b"}
    given = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    begin = {**client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given, "ClientMetadata": {"a": "b"}}
    tokens = world.pool.initiate_auth(**begin)["AuthenticationResult"]
    assert "clientMetadata" not in trigger.last
    refresh = {"RefreshToken": tokens["RefreshToken"], "ClientMetadata": {"c": "d"}}
    world.pool.get_tokens_from_refresh_token(**client, **refresh)
    assert trigger.last["clientMetadata"] == {"c": "d"}
    by_flow = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    world.pool.initiate_auth(**client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=by_flow)
    assert [source.partition("_")[2] for source in trigger.sources] == [
        "NewPasswordChallenge",
        "Authentication",
        "RefreshTokens",
        "RefreshTokens",
    ]


def test_the_first_version_shapes_the_id_token_and_the_groups_of_both():
    """Claims are added, overridden and left out; groups are replaced in both tokens."""
    details = {
        "claimsToAddOrOverride": {"tier": "gold", "email": "shown@example.com"},
        "claimsToSuppress": ["email_verified"],
        "groupOverrideDetails": {"groupsToOverride": ["other"], "iamRolesToOverride": [], "preferredRole": None},
    }
    _, _, identity, access = tokens_with(Scripted(claimsOverrideDetails=details), groups=["staff"])
    assert (identity["tier"], identity["email"], "email_verified" in identity) == ("gold", "shown@example.com", False)
    assert "tier" not in access
    assert identity["cognito:groups"] == access["cognito:groups"] == ["other"]


def test_the_second_version_shapes_both_tokens_and_the_scopes():
    """Claims may be of any JSON type."""
    details = {
        "idTokenGeneration": {"claimsToAddOrOverride": {"tier": ["gold"]}, "claimsToSuppress": ["email"]},
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {"plan": {"seats": 3}},
            "scopesToAdd": ["orders/read", "aws.cognito.admin"],
            "scopesToSuppress": [],
        },
    }
    _, _, identity, access = tokens_with(Scripted(claimsAndScopeOverrideDetails=details), "V2_0")
    assert (identity["tier"], "email" in identity, "plan" in identity) == (["gold"], False, False)
    assert (access["plan"], access["scope"]) == ({"seats": 3}, f"{SCOPE} orders/read")


def test_a_token_without_the_scope_reads_no_user():
    """NotAuthorizedException, as at the service."""
    access = {"accessTokenGeneration": {"scopesToSuppress": [SCOPE], "scopesToAdd": ["a/b"]}}
    world, tokens, _, _ = tokens_with(Scripted(claimsAndScopeOverrideDetails=access), "V2_0")
    code, text = refusal(world.pool.get_user, AccessToken=tokens["AccessToken"])
    assert (code, text) == ("NotAuthorizedException", "Access Token does not have required scopes")


OWN = "acr amr at_hash auth_time azp exp iat iss jti nbf nonce origin_jti sub token_use event_id cognito:username aud dev:x"


@pytest.mark.parametrize("version", ["V1_0", "V2_0"])
@pytest.mark.parametrize("claim", [*OWN.split(), "client_id", "scope", "username"])
def test_nobody_forges_a_claim_of_the_service(version, claim):
    """It is neither changed nor left out."""
    for change in ({"claimsToAddOrOverride": {claim: "forged"}}, {"claimsToSuppress": [claim]}):
        both = {"idTokenGeneration": change, "accessTokenGeneration": change}
        first, second = {"claimsOverrideDetails": change}, {"claimsAndScopeOverrideDetails": both}
        _, _, identity, access = tokens_with(Scripted(**(first if version == "V1_0" else second)), version)
        _, _, plain_identity, plain_access = tokens_with(None)
        assert "forged" != access.get(claim)
        assert (claim in access) == (claim in plain_access)
        if claim not in {"client_id", "scope", "username"}:  # names like others in an ID token
            assert "forged" != identity.get(claim)
            assert (claim in identity) == (claim in plain_identity)


@pytest.mark.parametrize(
    ("said", "shown"), [({}, ["staff"]), ({"groupOverrideDetails": None}, None), ({"groupOverrideDetails": {}}, None)]
)
def test_groups_that_are_overridden_by_nothing_are_left_out(said, shown):
    """Null or an empty object suppresses them; leaving the key away leaves them."""
    _, _, identity, access = tokens_with(Scripted(claimsOverrideDetails=said), groups=["staff"])
    assert identity.get("cognito:groups") == access.get("cognito:groups") == shown


@pytest.mark.parametrize(
    ("version", "details"),
    [
        ("V1_0", 7),
        ("V1_0", {"claimsToAddOrOverride": {"a": 7}}),
        ("V1_0", {"claimsToAddOrOverride": []}),
        ("V1_0", {"claimsToSuppress": "email"}),
        ("V1_0", {"claimsToSuppress": [7]}),
        ("V1_0", {"groupOverrideDetails": []}),
        ("V1_0", {"groupOverrideDetails": {"preferredRole": 7}}),
        ("V2_0", {"idTokenGeneration": 7}),
        ("V2_0", {"accessTokenGeneration": {"scopesToAdd": [None]}}),
    ],
)
def test_what_has_another_type_is_refused(version, details):
    """InvalidLambdaResponseException, and no tokens."""
    name = "claimsOverrideDetails" if version == "V1_0" else "claimsAndScopeOverrideDetails"
    world = World(pre_token_generation=Scripted(**{name: details}), pre_token_version=version)
    assert refusal(world.tokens) == ("InvalidLambdaResponseException", "Unrecognizable lambda output")


def test_a_failing_pre_token_generation_gives_no_tokens():
    """The sign-in ends; nothing is kept that could be refreshed."""
    world = World(pre_token_generation=Scripted(raises="no"))
    assert refusal(world.tokens) == ("UserLambdaValidationException", "PreTokenGeneration failed with error no.")


# User migration


FOUND = {"userAttributes": {"email": "bob@example.com", "email_verified": "true"}, "finalUserStatus": "CONFIRMED"}


def by_password(world, name="bob", password=PASSWORD, **more):
    """Sign in by password."""
    given = {"USERNAME": name, "PASSWORD": password}
    begin = {"ClientId": world.pool.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given, **more}
    return world.pool.initiate_auth(**begin)


def test_somebody_unknown_is_moved_in_at_the_first_password():
    """The trigger sees the password and the client metadata as validation data; later it is not asked."""
    trigger = Scripted(**FOUND, messageAction="SUPPRESS")
    world = World(user_migration=trigger)
    assert "AuthenticationResult" in by_password(world, ClientMetadata={"a": "b"})
    (event,) = trigger.events
    assert (event["triggerSource"], event["userName"]) == ("UserMigration_Authentication", "bob")
    assert event["request"] == {"password": PASSWORD, "validationData": {"a": "b"}}
    assert set(event["response"].values()) == {None}
    assert described(world) == ("CONFIRMED", FOUND["userAttributes"])
    assert "AuthenticationResult" in by_password(world)
    assert refusal(by_password, world=world, password="wrong")[0] == "NotAuthorizedException"
    assert (len(trigger.events), world.pool.outbox) == (1, [])


def test_who_is_moved_in_without_a_status_has_to_set_a_password():
    """RESET_REQUIRED, and a welcome by mail unless it is suppressed."""
    world = World(user_migration=Scripted(userAttributes=FOUND["userAttributes"]))
    assert refusal(by_password, world=world)[0] == "PasswordResetRequiredException"
    assert [mail.to for mail in world.pool.outbox] == ["bob@example.com"]


def test_a_forgotten_password_moves_in_too():
    """Without a password; the code goes to the verified address."""
    trigger = Scripted(**FOUND, messageAction="SUPPRESS")
    world = World(user_migration=trigger)
    client = {"ClientId": world.pool.client_id, "Username": "bob"}
    world.pool.forgot_password(**client, ClientMetadata={"a": "b"})
    assert trigger.sources == ["UserMigration_ForgotPassword"]
    assert trigger.last == {"validationData": None, "clientMetadata": {"a": "b"}}
    code = world.pool.outbox[-1].text.split()[-1]
    world.pool.confirm_forgot_password(**client, ConfirmationCode=code, Password="N3w-password")
    assert "AuthenticationResult" in by_password(world, password="N3w-password")


@pytest.mark.parametrize("answer", [{}, {"userAttributes": {}}, {"raises": "unknown"}])
def test_somebody_unknown_everywhere_is_refused_as_ever(answer):
    """As without the trigger where existence is hidden; UserNotFoundException where it is told."""
    hidden, told = (
        World(user_migration=Scripted(**answer), prevent_user_existence_errors=each) for each in (True, False)
    )
    assert refusal(by_password, world=hidden) == ("NotAuthorizedException", "Incorrect username or password.")
    assert refusal(by_password, world=told)[0] == "UserNotFoundException"


@pytest.mark.parametrize(
    "answer",
    [
        {"userAttributes": 7},
        {"userAttributes": {"email": 7}},
        {"userAttributes": {"a": "b"}},
        {**FOUND, "finalUserStatus": "ARCHIVED"},
        {**FOUND, "messageAction": 7},
    ],
)
def test_what_cannot_be_moved_in_is_refused(answer):
    """Nobody is added."""
    world = World(user_migration=Scripted(**answer))
    assert refusal(by_password, world=world)[0] in {"InvalidLambdaResponseException", "InvalidParameterException"}
    assert refusal(lambda: described(world))[0] == "UserNotFoundException"


def test_an_alias_is_moved_in_by_force_only():
    """forceAliasCreation, as an administrator's; a user name may be said among the attributes."""
    found = {"userAttributes": {**EMAIL, "username": "bob"}, "finalUserStatus": "CONFIRMED"}
    world = World(user_migration=Scripted(**found))
    assert refusal(by_password, world=world, name="bobby")[0] == "AliasExistsException"
    world = World(user_migration=Scripted(**found, forceAliasCreation=True))
    assert refusal(by_password, world=world, name="bobby")[0] == "NotAuthorizedException"  # that is not his name
    assert world.pool.username_of(EMAIL["email"]) == "bob"


@pytest.mark.parametrize("flow", ["CUSTOM_AUTH", "USER_SRP_AUTH"])
def test_nobody_is_moved_in_without_a_password(flow):
    """These flows show the trigger none."""
    trigger = Scripted(**FOUND)
    world = World(user_migration=trigger)
    world.begin_srp(world.srp("bob"), flow)
    assert trigger.events == []


def test_a_late_trigger_is_called_three_times():
    """These triggers have the deadline of the others."""

    calls = []

    def late(event, context):
        calls.append(event)
        world.clock.advance(6)
        return event

    world = World(pre_sign_up=late)
    code, _ = refusal(lambda: sign_up(world))
    assert (code, len(calls)) == ("UnexpectedLambdaException", 3)


def test_a_trigger_may_call_the_pool_back():
    """On a thread of its own, as it will: post confirmation puts a new user into a group, and her tokens name it."""

    def post_confirmation(event, context):
        given = {"UserPoolId": event["userPoolId"], "Username": event["userName"], "GroupName": "new"}
        pool.admin_add_user_to_group(**given)
        return event

    def pre_sign_up(event, context):
        pool.list_groups(UserPoolId=event["userPoolId"])
        event["response"]["autoConfirmUser"] = True
        return event

    def pre_token_generation(event, context):
        pool.admin_get_user(UserPoolId=event["userPoolId"], Username=event["userName"])
        return event

    pool = LocalUserPool(
        None,
        None,
        None,
        pre_sign_up=pre_sign_up,
        post_confirmation=post_confirmation,
        pre_token_generation=pre_token_generation,
    )
    pool.create_group(UserPoolId=pool.pool_id, GroupName="new")
    pool.sign_up(ClientId=pool.client_id, Username="bob", Password=PASSWORD)
    given = {"USERNAME": "bob", "PASSWORD": PASSWORD}
    tokens = pool.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    assert claims(tokens["AuthenticationResult"]["AccessToken"])["cognito:groups"] == ["new"]
