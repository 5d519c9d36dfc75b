"""Passwords in the local pool: SRP inside CUSTOM_AUTH and alone, plain passwords, lockout, new passwords, secrets."""

import base64

import pytest

from kit.user_pool import EMAIL, PASSWORD, CountedRandom, PasswordThenCode, World, code_of, text_of
from watchword.errors import ProtocolError
from watchword_adapters.srp import srp6a
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.srp.timestamps import format_timestamp, parse_timestamp
from watchword_adapters.userpool import ClientError, secret_hash

INCORRECT = "Incorrect username or password."
SECRET = "s" * 32


@pytest.fixture
def world():
    """A pool whose flow asks for the password first."""
    return World(PasswordThenCode())


def wrong(world, times, name="ann"):
    """Try a wrong password so many times and return the last text."""
    for _ in range(times):
        with pytest.raises(ClientError) as error:
            world.begin(name, "USER_PASSWORD_AUTH", PASSWORD="wrong")
    return text_of(error)


# SRP inside CUSTOM_AUTH


def test_the_password_challenge_has_what_clients_need(world):
    """SALT and SRP_B in minimal lower-case hexadecimal, a base64 block, the internal name twice, and a Session."""
    reply = world.begin_srp(world.srp("ann@example.com"))
    parameters = reply["ChallengeParameters"]
    assert set(parameters) == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}
    assert parameters["USERNAME"] == parameters["USER_ID_FOR_SRP"] == "ann"
    for name in ("SALT", "SRP_B"):
        assert parameters[name] == f"{int(parameters[name], 16):x}"
    base64.b64decode(parameters["SECRET_BLOCK"], validate=True)
    assert len(reply["Session"]) >= 20


def test_an_alias_may_begin_and_answer(world):
    """The client signs over USER_ID_FOR_SRP and may send what was typed as USERNAME."""
    client = world.srp("ann@example.com")
    reply = world.prove(client, world.begin_srp(client), USERNAME="ann@example.com")
    assert reply["ChallengeName"] == "CUSTOM_CHALLENGE"


def test_a_password_needs_its_session_in_custom_auth(world):
    """There the secret block alone is not enough."""
    client = world.srp()
    reply = world.begin_srp(client)
    del reply["Session"]
    with pytest.raises(ClientError) as error:
        world.prove(client, reply)
    assert code_of(error) == "NotAuthorizedException"


def test_a_session_goes_with_its_own_secret_block(world):
    """A block of another sign-in does not fit, even though the signature over it would."""
    client = world.srp()
    first, second = world.begin_srp(client), world.begin_srp(client)
    mixed = {**second, "Session": first["Session"]}
    with pytest.raises(ClientError) as error:
        world.prove(client, mixed)
    assert text_of(error) == INCORRECT


def test_the_secret_block_comes_back_as_it_was_sent(world):
    """A right signature beside another block is refused."""
    client = world.srp()
    reply = world.begin_srp(client)
    with pytest.raises(ClientError) as error:
        world.prove(client, reply, PASSWORD_CLAIM_SECRET_BLOCK="AAAA")
    assert text_of(error) == INCORRECT


@pytest.mark.parametrize("late", [2, 3])
def test_a_password_is_asked_once_and_first(world, late):
    """Define may not ask for it after a custom challenge, nor twice."""
    plain = world.define.trigger
    client = world.srp()
    again = {"response": {"challengeName": "PASSWORD_VERIFIER"}}

    def define(event, context):
        return plain(event, context) if len(event["request"]["session"]) != late else {**event, **again}

    world.define.trigger = define
    with pytest.raises(ClientError) as error:
        world.answer(world.prove(client, world.begin_srp(client)), "wrong")
    assert text_of(error) == "Unrecognizable lambda output"


def test_a_password_claim_is_good_once(world):
    """Replaying it is refused."""
    client = world.srp()
    reply = world.begin_srp(client)
    world.prove(client, reply)
    with pytest.raises(ClientError) as error:
        world.prove(client, reply)
    assert "session can only be used once" in text_of(error)


@pytest.mark.parametrize("srp_a", ["0", f"{srp6a.N:x}", f"{2 * srp6a.N:x}", "", "xyz", "-1", "f" * 1025])
@pytest.mark.parametrize("flow", ["CUSTOM_AUTH", "USER_SRP_AUTH"])
def test_a_number_that_would_cheat_is_refused_before_anything_runs(world, flow, srp_a):
    """A = 0 mod N, and what is no number of bounded size."""
    with pytest.raises(ClientError) as error:
        world.begin("ann", flow, CHALLENGE_NAME="SRP_A", SRP_A=srp_a)
    assert code_of(error) == "InvalidParameterException"
    assert "SRP_A" in text_of(error)
    assert world.define.events == []


def test_a_missing_number_is_named(world):
    """SRP_A has to be there."""
    with pytest.raises(ClientError) as error:
        world.begin("ann", CHALLENGE_NAME="SRP_A")
    assert text_of(error) == "Missing required parameter SRP_A"


@pytest.mark.parametrize("claim", ["", "AAAA", "☃"])
def test_an_odd_signature_is_a_wrong_password(world, claim):
    """It is refused like one, never with another error."""
    client = world.srp()
    with pytest.raises(ClientError) as error:
        world.prove(client, world.begin_srp(client), PASSWORD_CLAIM_SIGNATURE=claim)
    assert (code_of(error), text_of(error)) == ("NotAuthorizedException", INCORRECT)


@pytest.mark.parametrize(
    "missing", ["PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP", "USERNAME"]
)
def test_a_missing_part_of_the_claim_is_named(world, missing):
    """And the session stays good."""
    client = world.srp()
    reply = world.begin_srp(client)
    with pytest.raises(ClientError) as error:
        world.prove(client, reply, **{missing: None})
    assert text_of(error) == f"Missing required parameter {missing}"
    assert world.prove(client, reply)["ChallengeName"] == "CUSTOM_CHALLENGE"


def test_an_unknown_user_is_asked_for_a_password_like_any_other():
    """The same parameters, a stable salt, and the text of a wrong password."""
    world = World(PasswordThenCode())
    client = world.srp("nobody")
    first, second = world.begin_srp(client), world.begin_srp(client)
    known = world.begin_srp(world.srp())
    assert first["ChallengeParameters"]["SALT"] == second["ChallengeParameters"]["SALT"]
    assert set(first["ChallengeParameters"]) == set(known["ChallengeParameters"])
    with pytest.raises(ClientError) as error:
        world.prove(client, first)
    assert (code_of(error), text_of(error)) == ("NotAuthorizedException", INCORRECT)


def test_a_user_without_a_password_cannot_prove_one(world):
    """Passwordless users are asked with a made-up salt and refused."""
    world.pool.add_user("bob", attributes={"email": "bob@example.com"})
    client = world.srp("bob", "")
    with pytest.raises(ClientError) as error:
        world.prove(client, world.begin_srp(client))
    assert text_of(error) == INCORRECT
    assert wrong(world, 1, "bob") == INCORRECT


def test_a_password_that_was_changed_meanwhile_does_not_count(world):
    """The claim was begun against the old one."""
    client = world.srp()
    reply = world.begin_srp(client)
    world.pool.admin_set_user_password(
        UserPoolId=world.pool.pool_id, Username="ann", Password="N3w-password", Permanent=True
    )
    with pytest.raises(ClientError) as error:
        world.prove(client, reply)
    assert text_of(error) == INCORRECT


# USER_SRP_AUTH and plain passwords, which run no trigger


def test_plain_srp_needs_no_session_and_runs_no_trigger(world):
    """The secret block stands for the session; no trigger is asked."""
    client = world.srp()
    reply = world.begin_srp(client, "USER_SRP_AUTH")
    assert "Session" not in reply
    assert "AuthenticationResult" in world.prove(client, reply)
    assert world.define.events == []
    with pytest.raises(ClientError) as error:
        world.prove(client, reply)
    assert "session can only be used once" in text_of(error)


def test_a_plain_password_signs_in(world):
    """USER_PASSWORD_AUTH, by name or address."""
    assert "AuthenticationResult" in world.begin("ann@example.com", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    assert wrong(world, 1) == INCORRECT
    assert wrong(world, 1, "nobody") == INCORRECT


@pytest.mark.parametrize("flow", ["ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH"])
def test_an_administrators_flow_is_for_administrators(world, flow):
    """It works there and is not supported elsewhere; and a user's flow is not supported there."""
    parameters = {
        "ClientId": world.pool.client_id,
        "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
    }
    pool_id = world.pool.pool_id
    done = world.pool.admin_initiate_auth(UserPoolId=pool_id, AuthFlow=flow, **parameters)
    assert "AuthenticationResult" in done
    with pytest.raises(ClientError) as error:
        world.pool.initiate_auth(AuthFlow=flow, **parameters)
    assert text_of(error) == "Initiate Auth method not supported."
    with pytest.raises(ClientError):
        world.pool.admin_initiate_auth(UserPoolId=pool_id, AuthFlow="USER_PASSWORD_AUTH", **parameters)


def test_flows_that_the_client_does_not_allow_are_refused():
    """An app client for custom auth alone cannot be passed by with a password."""
    world = World(auth_flows=["ALLOW_CUSTOM_AUTH"])
    assert world.begin()["ChallengeName"] == "CUSTOM_CHALLENGE"
    for flow in ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "USER_AUTH"):
        with pytest.raises(ClientError) as error:
            world.begin("ann", flow, PASSWORD=PASSWORD)
        assert text_of(error) == f"{flow} flow not enabled for this client"
    with pytest.raises(ClientError):
        world.pool.get_tokens_from_refresh_token(ClientId=world.pool.client_id, RefreshToken="x")


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
@pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH"])
@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("UNCONFIRMED", ("UserNotConfirmedException", "User is not confirmed.")),
        ("RESET_REQUIRED", ("PasswordResetRequiredException", "Password reset required for the user")),
        ("disabled", ("NotAuthorizedException", "User is disabled.")),
    ],
)
def test_an_account_that_is_not_in_order_is_refused_before_any_challenge(world, status, refusal, flow, password):
    """In every flow, whatever the password, and before any trigger runs."""
    world.pool.add_user("bob", password=PASSWORD, status="CONFIRMED" if status == "disabled" else status)
    if status == "disabled":
        world.pool.admin_disable_user(UserPoolId=world.pool.pool_id, Username="bob")
    client = world.srp("bob", password)
    with pytest.raises(ClientError) as error:
        if flow == "USER_PASSWORD_AUTH":
            world.begin("bob", flow, PASSWORD=password)
        else:
            world.begin_srp(client, flow)
    assert (code_of(error), text_of(error)) == refusal
    assert world.define.events == []


# Lockout


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_the_sixth_wrong_password_is_locked_out(world, name):
    """Five are free; then a second, doubled each time; unknown names are treated alike."""
    assert wrong(world, 5, name) == INCORRECT
    assert wrong(world, 1, name) == "Password attempts exceeded"
    world.clock.advance(1)
    assert wrong(world, 1, name) == INCORRECT
    world.clock.advance(1)
    assert wrong(world, 1, name) == "Password attempts exceeded"
    world.clock.advance(1)
    assert wrong(world, 1, name) == INCORRECT


def test_a_lockout_holds_against_the_right_password_and_by_srp(world):
    """During it nothing is judged."""
    wrong(world, 5)
    client = world.srp()
    with pytest.raises(ClientError) as error:
        world.prove(client, world.begin_srp(client))
    assert text_of(error) == "Password attempts exceeded"
    world.clock.advance(1)
    assert world.prove(client, world.begin_srp(client))["ChallengeName"] == "CUSTOM_CHALLENGE"


def test_a_lockout_never_exceeds_a_quarter_of_an_hour(world):
    """However many failures there were, 900 seconds later one may try again."""
    for _ in range(30):
        wrong(world, 1)
        world.clock.advance(899)
    world.clock.advance(901)
    assert wrong(world, 1) == INCORRECT
    assert "AuthenticationResult" in world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)


def test_a_right_password_starts_the_count_over(world):
    """Four failures, a success, four more: no lockout."""
    wrong(world, 4)
    world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    assert wrong(world, 5) == INCORRECT


def test_failures_by_srp_count_too(world):
    """The same counter for both ways."""
    client = world.srp(password="wrong")
    for _ in range(5):
        with pytest.raises(ClientError):
            world.prove(client, world.begin_srp(client))
    assert wrong(world, 1) == "Password attempts exceeded"


def test_a_custom_challenge_is_not_locked():
    """Wrong answers to it are Define's business."""
    world = World()
    for _ in range(10):
        world.answer(world.begin(), "wrong")
    assert "AuthenticationResult" in world.answer(world.begin(), "271828")


# New passwords


def temporary(world):
    """Have an administrator create bob with a temporary password."""
    world.pool.admin_create_user(
        UserPoolId=world.pool.pool_id,
        Username="bob",
        TemporaryPassword="Temp0rary!",
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": "bob@example.com"}],
    )


def change(world, reply, password="N3w-password", **more):
    """Answer NEW_PASSWORD_REQUIRED."""
    return world.pool.respond_to_auth_challenge(
        ClientId=world.pool.client_id,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=reply["Session"],
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": password, **more},
    )


@pytest.mark.parametrize("by_srp", [False, True])
def test_a_temporary_password_has_to_be_changed(world, by_srp):
    """Only then are there tokens, and the new password is the password."""
    temporary(world)
    client = world.srp("bob", "Temp0rary!")
    reply = (
        world.prove(client, world.begin_srp(client, "USER_SRP_AUTH"))
        if by_srp
        else world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="Temp0rary!")
    )
    assert reply["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    done = change(world, reply, **{"userAttributes.name": "Bob"})
    assert "AuthenticationResult" in done
    assert "AuthenticationResult" in world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="N3w-password")
    user = world.pool.get_user(AccessToken=done["AuthenticationResult"]["AccessToken"])
    assert {"Name": "name", "Value": "Bob"} in user["UserAttributes"]


def test_define_may_ask_for_a_new_password_after_the_old_one(world):
    """The round NEW_PASSWORD_REQUIRED follows PASSWORD_VERIFIER on the list, and the flow goes on."""
    temporary(world)
    plain = world.define.trigger

    def define(event, context):
        names = [entry["challengeName"] for entry in event["request"]["session"]]
        if names == ["SRP_A", "PASSWORD_VERIFIER"]:
            assert event["request"]["userAttributes"]["cognito:user_status"] == "FORCE_CHANGE_PASSWORD"
            return {**event, "response": {"challengeName": "NEW_PASSWORD_REQUIRED"}}
        event["request"]["session"] = [e for e in event["request"]["session"] if e["challengeName"][0] != "N"]
        return plain(event, context)

    world.define.trigger = define
    client = world.srp("bob", "Temp0rary!")
    reply = world.prove(client, world.begin_srp(client))
    assert reply["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    asked = change(world, reply)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert "AuthenticationResult" in world.answer(asked, "271828", name="bob")
    names = [entry["challengeName"] for entry in world.define.events[2]["request"]["session"]]
    assert names == ["SRP_A", "PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED"]


def test_a_weak_new_password_is_refused_and_may_be_bettered(world):
    """InvalidPasswordException spends no session."""
    temporary(world)
    reply = world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="Temp0rary!")
    with pytest.raises(ClientError) as error:
        change(world, reply, "short")
    assert code_of(error) == "InvalidPasswordException"
    assert "AuthenticationResult" in change(world, reply)


def test_a_user_may_not_write_what_is_not_his(world):
    """Nor verify his own address on the way."""
    temporary(world)
    reply = world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="Temp0rary!")
    with pytest.raises(ClientError) as error:
        change(world, reply, **{"userAttributes.email_verified": "true"})
    assert code_of(error) == "NotAuthorizedException"


# Secret hashes


def test_a_client_with_a_secret_needs_its_hash_on_every_call():
    """Over the USERNAME of that very call; missing or wrong, it is refused."""
    world = World(client_secret=SECRET)
    with pytest.raises(ClientError) as error:
        world.begin()
    assert "SECRET_HASH was not received" in text_of(error)
    with pytest.raises(ClientError) as error:
        world.begin("ann", SECRET_HASH=secret_hash(world.pool.client_id, SECRET, "bob"))
    assert text_of(error) == f"Unable to verify secret hash for client {world.pool.client_id}"
    reply = world.begin("ann@example.com", SECRET_HASH=secret_hash(world.pool.client_id, SECRET, "ann@example.com"))

    def respond(**more):
        return world.pool.respond_to_auth_challenge(
            ClientId=world.pool.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=reply["Session"],
            ChallengeResponses={"USERNAME": "ann", "ANSWER": "271828", **more},
        )

    with pytest.raises(ClientError):
        respond()
    with pytest.raises(ClientError):
        respond(SECRET_HASH=secret_hash(world.pool.client_id, SECRET, "ann@example.com"))
    tokens = respond(SECRET_HASH=secret_hash(world.pool.client_id, SECRET, "ann"))["AuthenticationResult"]

    refresh = {"REFRESH_TOKEN": tokens["RefreshToken"]}
    for name in ("ann", "ann@example.com"):
        parameters = {**refresh, "SECRET_HASH": secret_hash(world.pool.client_id, SECRET, name)}
        world.pool.initiate_auth(
            ClientId=world.pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters
        )
    with pytest.raises(ClientError):
        world.pool.initiate_auth(ClientId=world.pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)
    direct = {"ClientId": world.pool.client_id, "RefreshToken": tokens["RefreshToken"]}
    with pytest.raises(ClientError):
        world.pool.get_tokens_from_refresh_token(**direct)
    world.pool.get_tokens_from_refresh_token(**direct, ClientSecret=SECRET)


def test_the_published_secret_hash_is_reproduced():
    """The hash of cognito-srp-helper's mock credentials, made over the sub."""
    assert (
        secret_hash(
            "18u8119jgbpr464n28s1itk2mq",
            "ps50nb7hd1umdnmlt1xa9nwiscqvdvzy5ijw63vcacd09yihc2b",
            "a2c2e290-6d0f-4a08-a5ca-f0162935f3a6",
        )
        == "QW3YkSgjkc9VNMtbTkuQflK54A6+9GS8ZiRDj0mSvPI="
    )


def test_a_hash_sent_to_a_client_without_a_secret_is_refused(world):
    """Somebody has mixed up two clients."""
    with pytest.raises(ClientError) as error:
        world.begin("ann", SECRET_HASH="abc=")
    assert "Unable to verify secret hash" in text_of(error)


# Time stamps and the client


@pytest.mark.parametrize(
    ("moment", "timestamp"),
    [
        (1_640_995_200, "Sat Jan 1 00:00:00 UTC 2022"),
        (1_641_200_400, "Mon Jan 3 09:00:00 UTC 2022"),
        (949_374_245, "Tue Feb 1 03:04:05 UTC 2000"),
        (1_709_251_199, "Thu Feb 29 23:59:59 UTC 2024"),
    ],
)
def test_timestamps_are_written_in_the_one_form_that_cognito_reads(moment, timestamp):
    """No zero before the day, two digits elsewhere; and they read back."""
    assert format_timestamp(moment + 0.9) == timestamp
    assert parse_timestamp(timestamp) == moment


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "2022-01-01T00:00:00Z",
        "Sam Jan 1 00:00:00 UTC 2022",
        "Sat Foo 1 00:00:00 UTC 2022",
        "Sat Jan 32 00:00:00 UTC 2022",
        "Sat Jan 1 24:00:00 UTC 2022",
        "Sat Jan 1 00:00:00 CET 2022",
        "Sat Jan 1 00:00:00 UTC 2022 ",
        "Sat Jan \u0661 00:00:00 UTC 2022",
    ],
)
def test_a_malformed_timestamp_is_refused_and_spends_nothing(world, timestamp):
    """InvalidParameterException with the form that is wanted."""
    client = world.srp()
    reply = world.begin_srp(client)
    with pytest.raises(ClientError) as error:
        world.prove(client, reply, TIMESTAMP=timestamp)
    assert text_of(error) == "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
    assert world.prove(client, reply)["ChallengeName"] == "CUSTOM_CHALLENGE"


@pytest.mark.parametrize(("offset", "accepted"), [(-900, True), (900, True), (-902, False), (902, False)])
def test_a_timestamp_may_be_some_minutes_off(world, offset, accepted):
    """One client library stamps before its first call, and clocks differ; but not by more than 15 minutes."""
    client = world.srp()
    reply = world.begin_srp(client)
    claim = client.answer(reply["ChallengeParameters"], world.clock.now() + offset)
    if accepted:
        assert world.prove(client, reply, **claim)["ChallengeName"] == "CUSTOM_CHALLENGE"
    else:
        with pytest.raises(ClientError) as error:
            world.prove(client, reply, **claim)
        assert text_of(error) == INCORRECT


def test_the_client_keeps_its_secrets_to_itself():
    """Neither password nor private number is in its representation."""
    client = SrpClient("us-east-1_Abc", "ann", PASSWORD, CountedRandom())
    assert PASSWORD not in repr(client)
    assert str(client._private) not in repr(client)


def test_the_client_refuses_a_servers_zero(world):
    """B = 0 mod N is never sent by an honest server."""
    client = world.srp()
    parameters = world.begin_srp(client)["ChallengeParameters"]
    with pytest.raises(ProtocolError):
        client.answer({**parameters, "SRP_B": f"{srp6a.N:x}"}, world.clock.now())


def test_the_pool_keeps_no_password(world):
    """Only salt and verifier are kept, and a representation shows neither them nor the attributes."""
    user = world.pool.add_user("carol", password="Very-s3cret", attributes={"email": "carol@example.com"})
    assert "Very-s3cret" not in str(vars(world.pool))
    assert "carol" not in repr(user)
    assert str(user.verifier.value) not in repr(user)
    assert EMAIL["email"] not in repr(world.pool)


@pytest.fixture
def invited():
    """A pool with Ann, whose address is verified, and the answer of Bob, who is invited."""

    def made(**settings):
        world = World(user=False, **settings)
        as_name = settings.get("email_as_username")
        world.pool.add_user("ann@example.com" if as_name else "ann", attributes=EMAIL)
        bob = world.pool.add_user(
            "bob@example.com" if as_name else "bob",
            password=PASSWORD,
            attributes={"email": "bob@example.com", "email_verified": "true"},
            status="FORCE_CHANGE_PASSWORD",
        )

        def answer(**attributes):
            reply = world.begin(bob.username, "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
            given = {f"userAttributes.{name}": value for name, value in attributes.items()}
            change(world, reply, USERNAME=bob.username, **given)

        def shown():
            user = world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username=bob.username)
            return {pair["Name"]: pair["Value"] for pair in user["UserAttributes"]}, user["UserStatus"]

        return world, answer, shown

    return made


def test_whoever_answers_an_invitation_has_no_new_address_verified(invited):
    """It may be anybody's. A code goes there, as after any change by the user; the address signs in whom it did."""
    world, answer, shown = invited()
    answer(email="ann@example.com")
    attributes, status = shown()
    assert status == "CONFIRMED"
    assert (attributes["email"], attributes["email_verified"]) == ("ann@example.com", "false")
    assert world.pool.username_of("ann@example.com") == "ann"
    assert world.pool.outbox[-1].to == "ann@example.com"


def test_whoever_answers_an_invitation_keeps_the_old_address_where_the_pool_says_so(invited):
    """Until the code comes back."""
    world, answer, shown = invited(verify_before_update=True)
    answer(email="new@example.com")
    attributes, _ = shown()
    assert (attributes["email"], attributes["email_verified"]) == ("bob@example.com", "true")
    assert world.pool.outbox[-1].to == "new@example.com"


@pytest.mark.parametrize(
    ("settings", "attributes", "code"),
    [
        ({}, {"email": "not an address"}, "InvalidParameterException"),
        ({}, {"phone_number": "5550100"}, "InvalidParameterException"),
        ({}, {"custom:note": "x" * 2049}, "InvalidParameterException"),
        ({"aliases": ["preferred_username"]}, {"preferred_username": "ann"}, "AliasExistsException"),
        ({"email_as_username": True}, {"email": ""}, "NotAuthorizedException"),
        ({"email_as_username": True}, {"email": "ann@example.com"}, "NotAuthorizedException"),
        ({"email_as_username": True}, {"email": "new@example.com"}, "NotAuthorizedException"),
    ],
)
def test_an_answer_to_an_invitation_that_is_refused_changes_nothing(invited, settings, attributes, code):
    """Neither the password nor an attribute; the invitation may be answered again."""
    _, answer, shown = invited(**settings)
    before = shown()
    with pytest.raises(ClientError) as error:
        answer(**attributes)
    assert code_of(error) == code
    assert shown() == before
    answer()
    assert shown() == (before[0], "CONFIRMED")
