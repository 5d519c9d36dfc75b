"""Accounts in the local pool: sign-up, codes, passwords, attributes, and the administrator."""

import pytest
from userpool_kit import EMAIL, PASSWORD, World, code_of, text_of

from watchword_adapters.userpool import ClientError

ADDRESS = [{"Name": "email", "Value": "bob@example.com"}]


@pytest.fixture
def world():
    """A pool with Ann."""
    return World()


def sign_up(world, name="bob", password=PASSWORD, attributes=ADDRESS):
    """Register somebody."""
    return world.pool.sign_up(
        ClientId=world.pool.client_id, Username=name, Password=password, UserAttributes=attributes
    )


def confirm(world, code, name="bob", **more):
    """Confirm the sign-up."""
    return world.pool.confirm_sign_up(ClientId=world.pool.client_id, Username=name, ConfirmationCode=code, **more)


def code_in(message):
    """Read the code out of a mail."""
    return message.text.split()[-1]


def other_code(code):
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def status(world, name="bob"):
    """Return a user's status."""
    return world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username=name)["UserStatus"]


def reset(world, code, password="N3w-password", name="ann"):
    """Set a new password by a code."""
    return world.pool.confirm_forgot_password(
        ClientId=world.pool.client_id, Username=name, ConfirmationCode=code, Password=password
    )


def forgot(world, name="ann"):
    """Ask for a code that sets a new password."""
    return world.pool.forgot_password(ClientId=world.pool.client_id, Username=name)


# Sign-up


def test_a_sign_up_is_confirmed_by_the_code_in_the_mail(world):
    """Unconfirmed, a mail, confirmed, a verified address that signs in."""
    reply = sign_up(world)
    (mail,) = world.pool.outbox
    assert reply["UserConfirmed"] is False
    assert reply["CodeDeliveryDetails"] == {
        "Destination": "b***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    assert (mail.to, mail.username, mail.at, mail.html) == ("bob@example.com", "bob", world.clock.now(), "")
    assert mail.subject
    assert status(world) == "UNCONFIRMED"
    confirm(world, code_in(mail))
    assert status(world) == "CONFIRMED"
    assert "AuthenticationResult" in world.begin("bob@example.com", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    assert reply["UserSub"] in str(world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username="bob"))


def test_a_mail_shows_nothing_in_its_representation(world):
    """Neither code nor address gets into a log by accident."""
    sign_up(world)
    shown = repr(world.pool.outbox[0])
    assert code_in(world.pool.outbox[0]) not in shown
    assert "bob" not in shown


def test_a_sign_up_without_an_address_sends_nothing(world):
    """There is nowhere to send it; an administrator may confirm."""
    reply = sign_up(world, attributes=[])
    assert "CodeDeliveryDetails" not in reply
    assert world.pool.outbox == []
    with pytest.raises(ClientError) as error:
        world.pool.resend_confirmation_code(ClientId=world.pool.client_id, Username="bob")
    assert code_of(error) == "InvalidParameterException"
    world.pool.admin_confirm_sign_up(UserPoolId=world.pool.pool_id, Username="bob")
    assert status(world) == "CONFIRMED"


@pytest.mark.parametrize("name", ["ann", "ANN", "ann@example.com"])
def test_a_taken_name_is_refused(world, name):
    """In any case of letters, and also if it is somebody's verified address."""
    with pytest.raises(ClientError) as error:
        sign_up(world, name)
    assert (code_of(error), text_of(error)) == ("UsernameExistsException", "User already exists")


@pytest.mark.parametrize(
    ("password", "lack"),
    [
        ("Sh0rt!", "long enough"),
        ("passw0rd!x", "uppercase"),
        ("PASSW0RD!X", "lowercase"),
        ("Password!x", "numeric"),
        ("Passw0rdxx", "symbol"),
    ],
)
def test_a_password_follows_cognitos_default_policy(world, password, lack):
    """InvalidPasswordException says what is lacking; nobody is added."""
    with pytest.raises(ClientError) as error:
        sign_up(world, password=password)
    assert code_of(error) == "InvalidPasswordException"
    assert lack in text_of(error)
    sign_up(world)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("email_verified", "NotAuthorizedException"),
        ("phone_number_verified", "NotAuthorizedException"),
        ("sub", "InvalidParameterException"),
        ("cognito:user_status", "InvalidParameterException"),
        ("shoe_size", "InvalidParameterException"),
    ],
)
def test_a_client_may_not_write_every_attribute(world, name, code):
    """Neither what only the pool may say, nor what the schema does not have."""
    with pytest.raises(ClientError) as error:
        sign_up(world, attributes=[*ADDRESS, {"Name": name, "Value": "true"}])
    assert code_of(error) == code
    with pytest.raises(ClientError) as error:
        world.pool.update_user_attributes(
            AccessToken=world.tokens()["AccessToken"], UserAttributes=[{"Name": name, "Value": "true"}]
        )
    assert code_of(error) == code


def test_a_wrong_code_does_not_confirm(world):
    """CodeMismatchException; the right one still works."""
    sign_up(world)
    code = code_in(world.pool.outbox[0])
    with pytest.raises(ClientError) as error:
        confirm(world, other_code(code))
    assert (code_of(error), text_of(error)) == (
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
    )
    confirm(world, code)


def test_a_code_cannot_be_guessed(world):
    """After fifteen wrong tries even the right one is refused, until a new code is sent."""
    sign_up(world)
    code = code_in(world.pool.outbox[0])
    for _ in range(15):
        with pytest.raises(ClientError):
            confirm(world, other_code(code))
    with pytest.raises(ClientError) as error:
        confirm(world, code)
    assert code_of(error) == "LimitExceededException"
    world.pool.resend_confirmation_code(ClientId=world.pool.client_id, Username="bob")
    confirm(world, code_in(world.pool.outbox[1]))


def test_a_sign_up_code_lives_a_day(world):
    """Then ExpiredCodeException; and a new one replaces the old."""
    sign_up(world)
    world.clock.time += 86_400
    with pytest.raises(ClientError) as error:
        confirm(world, code_in(world.pool.outbox[0]))
    assert text_of(error) == "Invalid code provided, please request a code again."
    reply = world.pool.resend_confirmation_code(ClientId=world.pool.client_id, Username="bob")
    assert reply["CodeDeliveryDetails"]["Destination"] == "b***@e***"
    first, second = map(code_in, world.pool.outbox)
    assert first != second
    with pytest.raises(ClientError):
        confirm(world, first)
    confirm(world, second)


def test_who_is_confirmed_cannot_be_confirmed_again(world):
    """NotAuthorizedException with the status; a resend is refused too."""
    with pytest.raises(ClientError) as error:
        confirm(world, "123456", name="ann")
    assert text_of(error) == "User cannot be confirmed. Current status is CONFIRMED"
    with pytest.raises(ClientError):
        world.pool.admin_confirm_sign_up(UserPoolId=world.pool.pool_id, Username="ann")
    with pytest.raises(ClientError) as error:
        world.pool.resend_confirmation_code(ClientId=world.pool.client_id, Username="ann")
    assert code_of(error) == "InvalidParameterException"


def test_somebody_elses_address_is_taken_over_by_force_only(world):
    """AliasExistsException, unless ForceAliasCreation says so; then the address signs in the new user."""
    sign_up(world, attributes=[{"Name": "email", "Value": "ann@example.com"}])
    code = code_in(world.pool.outbox[0])
    with pytest.raises(ClientError) as error:
        confirm(world, code)
    assert code_of(error) == "AliasExistsException"
    confirm(world, code, ForceAliasCreation=True)
    world.begin("ann@example.com")
    assert world.define.events[-1]["userName"] == "bob"


def test_the_existence_of_a_user_is_hidden_or_told():
    """ENABLED: made-up, stable answers; LEGACY: UserNotFoundException."""
    world = World()
    for operation in (world.pool.forgot_password, world.pool.resend_confirmation_code):
        details = [operation(ClientId=world.pool.client_id, Username="nobody")["CodeDeliveryDetails"] for _ in "ab"]
        assert details[0] == details[1]
        assert set(details[0]) == {"Destination", "DeliveryMedium", "AttributeName"}
    with pytest.raises(ClientError) as error:
        confirm(world, "123456", name="nobody")
    assert code_of(error) == "ExpiredCodeException"
    with pytest.raises(ClientError) as error:
        reset(world, "123456", name="nobody")
    assert code_of(error) == "CodeMismatchException"
    legacy = World(prevent_user_existence_errors=False)
    for call in (lambda: forgot(legacy, "nobody"), lambda: confirm(legacy, "1", name="nobody")):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "UserNotFoundException"


# Passwords


def test_a_forgotten_password_is_set_anew_by_the_code(world):
    """The old one is dead, the code works once, and a lockout is lifted."""
    for _ in range(6):
        with pytest.raises(ClientError):
            world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD="wrong")
    details = forgot(world)["CodeDeliveryDetails"]
    code = code_in(world.pool.outbox[0])
    assert details["Destination"] == "a***@e***"
    with pytest.raises(ClientError) as error:
        reset(world, other_code(code))
    assert code_of(error) == "CodeMismatchException"
    reset(world, code)
    assert "AuthenticationResult" in world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD="N3w-password")
    with pytest.raises(ClientError):
        world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    with pytest.raises(ClientError) as error:
        reset(world, code, "Oth3r-password")
    assert code_of(error) == "ExpiredCodeException"


def test_a_password_code_goes_to_verified_addresses_only(world):
    """And not to somebody who has a temporary password."""
    world.pool.add_user("bob", attributes={"email": "bob@example.com"})
    with pytest.raises(ClientError) as error:
        forgot(world, "bob")
    assert code_of(error) == "InvalidParameterException"
    world.pool.add_user("eve", attributes=EMAIL, status="FORCE_CHANGE_PASSWORD")
    with pytest.raises(ClientError) as error:
        forgot(world, "eve")
    assert code_of(error) == "NotAuthorizedException"
    assert world.pool.outbox == []


def test_codes_of_two_purposes_are_not_exchanged(world):
    """A sign-up code resets no password."""
    sign_up(world)
    with pytest.raises(ClientError) as error:
        reset(world, code_in(world.pool.outbox[0]), name="bob")
    assert code_of(error) == "ExpiredCodeException"


def test_a_password_is_changed_by_who_knows_it(world):
    """A wrong one is refused and counts towards the lockout."""
    token = world.tokens()["AccessToken"]

    def change(old, new="N3w-password"):
        return world.pool.change_password(AccessToken=token, PreviousPassword=old, ProposedPassword=new)

    with pytest.raises(ClientError) as error:
        change(PASSWORD, "weak-password")
    assert code_of(error) == "InvalidPasswordException"
    change(PASSWORD)
    for _ in range(5):
        with pytest.raises(ClientError) as error:
            change(PASSWORD, "Oth3r-password")
        assert text_of(error) == "Incorrect username or password."
    with pytest.raises(ClientError) as error:
        change("N3w-password", "Oth3r-password")
    assert text_of(error) == "Password attempts exceeded"
    world.clock.time += 1
    change("N3w-password", "Oth3r-password")


# Attributes


def test_get_user_shows_name_and_attributes_with_sub(world):
    """As a list of pairs, and no status among them."""
    user = world.pool.get_user(AccessToken=world.tokens()["AccessToken"])
    names = [pair["Name"] for pair in user["UserAttributes"]]
    assert user["Username"] == "ann"
    assert names == ["sub", "email", "email_verified"]


def test_a_new_address_has_to_be_verified(world):
    """A code goes to it, email_verified turns false, and neither address signs in meanwhile."""
    token = world.tokens()["AccessToken"]
    reply = world.pool.update_user_attributes(
        AccessToken=token,
        UserAttributes=[{"Name": "email", "Value": "new@example.org"}, {"Name": "name", "Value": "A"}],
    )
    assert reply["CodeDeliveryDetailsList"][0]["Destination"] == "n***@e***"
    assert world.pool.outbox[0].to == "new@example.org"
    pairs = world.pool.get_user(AccessToken=token)["UserAttributes"]
    assert {"Name": "email_verified", "Value": "false"} in pairs
    assert {"Name": "name", "Value": "A"} in pairs
    for address in ("ann@example.com", "new@example.org"):
        world.begin(address)
        assert world.define.requests[-1]["userNotFound"] is True


def test_the_same_address_again_changes_nothing(world):
    """It stays verified and no mail goes out."""
    token = world.tokens()["AccessToken"]
    reply = world.pool.update_user_attributes(
        AccessToken=token, UserAttributes=[{"Name": "email", "Value": "ann@example.com"}]
    )
    assert reply["CodeDeliveryDetailsList"] == []
    assert world.pool.outbox == []
    world.begin("ann@example.com")
    assert world.define.requests[-1]["userNotFound"] is False


def test_a_pool_with_addresses_as_names_takes_nothing_else():
    """Username should be an email; and the address signs in as soon as it is confirmed."""
    world = World(user=False, email_as_username=True)
    with pytest.raises(ClientError) as error:
        sign_up(world, "bob", attributes=[])
    assert text_of(error) == "Username should be an email."
    sign_up(world, "bob@example.com", attributes=[])
    confirm(world, code_in(world.pool.outbox[0]), name="bob@example.com")
    assert "AuthenticationResult" in world.begin("bob@example.com", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)


# The administrator


def test_an_administrator_creates_a_user_who_is_invited(world):
    """Status, attributes, dates, and a mail with the temporary password."""
    reply = world.pool.admin_create_user(
        UserPoolId=world.pool.pool_id,
        Username="bob",
        UserAttributes=[*ADDRESS, {"Name": "email_verified", "Value": "true"}],
    )
    user = reply["User"]
    (mail,) = world.pool.outbox
    assert (user["Username"], user["UserStatus"], user["Enabled"]) == ("bob", "FORCE_CHANGE_PASSWORD", True)
    assert {"Name": "email_verified", "Value": "true"} in user["Attributes"]
    assert user["UserCreateDate"].timestamp() == user["UserLastModifiedDate"].timestamp() == world.clock.now()
    password = code_in(mail).rstrip(".")
    assert world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD=password)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_can_be_suppressed(world):
    """No mail then."""
    world.pool.admin_create_user(
        UserPoolId=world.pool.pool_id, Username="bob", UserAttributes=ADDRESS, MessageAction="SUPPRESS"
    )
    assert world.pool.outbox == []


def test_an_administrator_sets_a_password_for_good_or_for_now(world):
    """Permanent confirms; the default has to be changed."""
    sign_up(world)
    common = {"UserPoolId": world.pool.pool_id, "Username": "bob"}
    world.pool.admin_set_user_password(**common, Password="Temp0rary!")
    assert status(world) == "FORCE_CHANGE_PASSWORD"
    world.pool.admin_set_user_password(**common, Password="F0r-good!!", Permanent=True)
    assert status(world) == "CONFIRMED"
    assert "AuthenticationResult" in world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="F0r-good!!")


def test_an_administrator_sees_when_a_user_was_changed(world):
    """UserLastModifiedDate moves."""
    world.clock.time += 60
    world.pool.admin_set_user_password(
        UserPoolId=world.pool.pool_id, Username="ann", Password="F0r-good!!", Permanent=True
    )
    user = world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username="ann")
    assert (user["UserLastModifiedDate"] - user["UserCreateDate"]).total_seconds() == 60


def test_a_removed_user_is_gone(world):
    """Name and address are free again."""
    common = {"UserPoolId": world.pool.pool_id, "Username": "ann"}
    world.pool.admin_delete_user(**common)
    for operation in (world.pool.admin_get_user, world.pool.admin_delete_user):
        with pytest.raises(ClientError) as error:
            operation(**common)
        assert (code_of(error), text_of(error)) == ("UserNotFoundException", "User does not exist.")
    world.begin("ann@example.com")
    assert world.define.requests[-1]["userNotFound"] is True
    sign_up(world, "ann")
