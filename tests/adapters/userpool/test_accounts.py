"""Accounts in the local pool: sign-up, codes, passwords, attributes, and the administrator."""

import pytest

from kit.user_pool import EMAIL, PASSWORD, World, code_of, text_of
from watchword.algebra.attributes import who_can_change
from watchword.errors import ConfigurationError
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
    world.clock.advance(86_400)
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
    eve = {"email": "eve@example.com", "email_verified": "true"}
    world.pool.add_user("eve", attributes=eve, status="FORCE_CHANGE_PASSWORD")
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
    world.clock.advance(1)
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
    world.clock.advance(60)
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


# The service is strict here: what works in this pool works there


def outcome(call, **given):
    """Return the code of the refusal, or nothing."""
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def attributes_of(world, name="bob"):
    """Return a user's attributes."""
    user = world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username=name)
    return {pair["Name"]: pair["Value"] for pair in user["UserAttributes"] if pair["Name"] != "sub"}


def pairs(**attributes):
    """Return attributes as the wire has them."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


@pytest.fixture
def admin(world):
    """Call an administrator's operation."""

    def call(operation, **given):
        return getattr(world.pool, f"admin_{operation}")(UserPoolId=world.pool.pool_id, **given)

    return call


PHONE = {"phone_number": "+15550100", "phone_number_verified": "true"}


def exists(world, name):
    """Say whether there is such a user."""
    return not outcome(world.pool.admin_get_user, UserPoolId=world.pool.pool_id, Username=name)


@pytest.mark.parametrize("alias", [EMAIL, PHONE])
@pytest.mark.parametrize("operation", ["create_user", "update_user_attributes"])
def test_an_administrator_takes_a_verified_address_from_nobody_unawares(world, admin, alias, operation):
    """AliasExistsException; an address that is not verified is no alias and may be anybody's."""
    name = next(iter(alias))
    admin("update_user_attributes", Username="ann", UserAttributes=pairs(**alias))
    if operation == "update_user_attributes":
        world.pool.add_user("bob")
    given = {"operation": operation, "Username": "bob"}

    assert outcome(admin, **given, UserAttributes=pairs(**alias)) == "AliasExistsException"
    assert outcome(admin, **given, UserAttributes=pairs(**{name: alias[name]})) == ""
    assert world.pool.username_of(alias[name]) == "ann"


def test_an_alias_is_moved_by_force(world, admin):
    """It signs the new user in, also after all users are read anew; the old one's address is no longer verified."""
    admin("create_user", Username="bob", UserAttributes=pairs(**EMAIL), ForceAliasCreation=True)
    assert world.pool.username_of("ann@example.com") == "bob"
    assert attributes_of(world, "ann") == {"email": "ann@example.com", "email_verified": "false"}
    assert attributes_of(world)["email_verified"] == "true"


def test_a_taken_name_moves_no_alias(world, admin):
    """A call that is refused changes nothing."""
    world.pool.add_user("bob")
    given = {"Username": "bob", "UserAttributes": pairs(**EMAIL), "ForceAliasCreation": True}
    assert outcome(admin, operation="create_user", **given) == "UsernameExistsException"
    assert attributes_of(world, "ann") == EMAIL


def test_a_wrong_code_moves_no_alias(world):
    """ForceAliasCreation is for whom the code came to."""
    sign_up(world, attributes=pairs(email="ann@example.com"))
    with pytest.raises(ClientError):
        confirm(world, other_code(code_in(world.pool.outbox[0])), ForceAliasCreation=True)
    assert attributes_of(world, "ann") == EMAIL


def test_an_invitation_is_sent_again_to_whom_it_was_sent(world, admin):
    """With another temporary password; nobody is created, and nobody who has answered is invited."""
    admin("create_user", Username="bob", UserAttributes=ADDRESS)
    admin("create_user", Username="bob", MessageAction="RESEND")
    first, second = (code_in(mail).rstrip(".") for mail in world.pool.outbox)
    assert [mail.to for mail in world.pool.outbox] == ["bob@example.com"] * 2
    with pytest.raises(ClientError):
        world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD=first)
    assert world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD=second)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    again = {"operation": "create_user", "MessageAction": "RESEND"}
    assert outcome(admin, **again, Username="nobody") == "UserNotFoundException"
    assert outcome(admin, **again, Username="ann") == "UnsupportedUserStateException"
    assert not exists(world, "nobody")


@pytest.mark.parametrize(
    ("given", "noted"),
    [
        ({"email": "bob@example.com"}, {"email_verified": "false"}),
        ({"phone_number": "+15550100"}, {"phone_number_verified": "false"}),
        ({"name": "Bob"}, {}),
    ],
)
def test_an_address_says_from_sign_up_on_that_it_is_not_verified(world, given, noted):
    """Front ends read email_verified, which is false and not missing; in the ID token it is a boolean."""
    sign_up(world, attributes=pairs(**given))
    assert attributes_of(world) == {**given, **noted}


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("Correct horse 7!", True),
        ("Correct horse 7 staple", True),
        (" Correct horse 7!", False),
        ("Correct horse 7! ", False),
        ("Correct7\tx", False),
        ("Correcthorse7€", False),
        ("cörrectÖ horse7", False),
    ],
)
@pytest.mark.parametrize("way", ["sign_up", "admin", "change", "challenge"])
def test_a_pass_phrase_may_have_spaces_inside(world, admin, password, fine, way):
    """A space inside is a symbol; not at the ends. Letters, digits and symbols are those of basic Latin."""
    match way:
        case "sign_up":
            refusal = outcome(sign_up, world=world, password=password)
        case "admin":
            given = {"Username": "ann", "Password": password, "Permanent": True}
            refusal = outcome(admin, operation="set_user_password", **given)
        case "change":
            token = world.tokens()["AccessToken"]
            given = {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": password}
            refusal = outcome(world.pool.change_password, **given)
        case _:
            world.pool.add_user("bob", password="Temp0rary!", status="FORCE_CHANGE_PASSWORD")
            reply = world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="Temp0rary!")
            responses = {"USERNAME": "bob", "NEW_PASSWORD": password}
            given = {"ClientId": world.pool.client_id, "ChallengeName": reply["ChallengeName"]}
            answer = {**given, "Session": reply["Session"], "ChallengeResponses": responses}
            refusal = outcome(world.pool.respond_to_auth_challenge, **answer)
    assert refusal == "" if fine else refusal in {"InvalidPasswordException", "InvalidParameterException"}


@pytest.mark.parametrize("value", ["ann", "@", "ann@", "@example.com", "ann@b@c", "ann @example.com"])
def test_what_is_no_address_is_refused(world, admin, value):
    """By everybody who may write it; so is a number that is not in the form of E.164."""
    assert outcome(sign_up, world=world, attributes=pairs(email=value)) == "InvalidParameterException"
    update = {"operation": "update_user_attributes", "Username": "ann"}
    assert outcome(admin, **update, UserAttributes=pairs(email=value)) == "InvalidParameterException"
    assert outcome(admin, **update, UserAttributes=pairs(phone_number=value)) == "InvalidParameterException"


# A changed address


def update(world, token, **attributes):
    """Change the attributes of the token's user."""
    given = {"AccessToken": token, "UserAttributes": pairs(**attributes)}
    return world.pool.update_user_attributes(**given)["CodeDeliveryDetailsList"]


def verify(world, token, code):
    """Verify the address by the code; return the refusal, if any."""
    return outcome(world.pool.verify_user_attribute, AccessToken=token, AttributeName="email", Code=code)


def test_a_changed_address_is_verified_by_its_code(world):
    """The code comes to the new address, works once, and then the address signs in and gets codes."""
    token = world.tokens()["AccessToken"]
    update(world, token, email="new@example.org")
    code = code_in(world.pool.outbox[-1])
    assert verify(world, token, other_code(code)) == "CodeMismatchException"
    assert verify(world, token, code) == ""
    assert verify(world, token, code) == "ExpiredCodeException"
    assert attributes_of(world, "ann") == {"email": "new@example.org", "email_verified": "true"}
    assert world.pool.username_of("new@example.org") == "ann"


def test_another_code_can_be_asked_for(world):
    """The older one is dead then; it goes to the address that waits."""
    token = world.tokens()["AccessToken"]
    update(world, token, email="new@example.org")
    ask = {"AccessToken": token, "AttributeName": "email"}
    details = world.pool.get_user_attribute_verification_code(**ask)["CodeDeliveryDetails"]
    assert details == {"Destination": "n***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    first, second = world.pool.outbox
    assert (second.to, verify(world, token, code_in(first))) == ("new@example.org", "CodeMismatchException")
    assert verify(world, token, code_in(second)) == ""


@pytest.mark.parametrize("name", ["phone_number", "name", "shoe_size"])
def test_nothing_but_the_address_is_verified_by_a_code(world, name):
    """The pool sends mails alone, as one whose AutoVerifiedAttributes are [email]."""
    given = {"AccessToken": world.tokens()["AccessToken"], "AttributeName": name}
    assert outcome(world.pool.get_user_attribute_verification_code, **given) == "InvalidParameterException"
    assert outcome(world.pool.verify_user_attribute, **given, Code="123456") == "InvalidParameterException"


def test_a_code_verifies_the_address_that_it_was_sent_to_and_no_other(world, admin):
    """Neither one that an administrator has set since, nor the next one that the user types."""
    token = world.tokens()["AccessToken"]
    update(world, token, email="new@example.org")
    code = code_in(world.pool.outbox[-1])
    admin("update_user_attributes", Username="ann", UserAttributes=pairs(email="other@example.org"))
    assert verify(world, token, code) in {"CodeMismatchException", "ExpiredCodeException"}
    update(world, token, email="third@example.org")
    assert verify(world, token, code) in {"CodeMismatchException", "ExpiredCodeException"}
    assert attributes_of(world, "ann")["email_verified"] == "false"


def test_somebody_elses_address_is_not_verified(world):
    """AliasExistsException, and the code is not used up: the other one may give the address up."""
    world.pool.add_user("bob", attributes={"email": "bob@example.com", "email_verified": "true"})
    token = world.tokens()["AccessToken"]
    update(world, token, email="bob@example.com")
    code = code_in(world.pool.outbox[-1])
    assert verify(world, token, code) == "AliasExistsException"
    world.pool.admin_delete_user(UserPoolId=world.pool.pool_id, Username="bob")
    assert verify(world, token, code) == ""


def test_a_pool_may_keep_the_old_address_until_the_new_one_is_verified():
    """As one with AttributesRequireVerificationBeforeUpdate: whoever mistypes an address is not locked out."""
    world = World(verify_before_update=True)
    token = world.tokens()["AccessToken"]
    (sent,) = update(world, token, email="new@example.org", name="Ann")
    assert sent["Destination"] == "n***@e***"
    assert attributes_of(world, "ann") == {**EMAIL, "name": "Ann"}
    assert world.pool.username_of("ann@example.com") == "ann"
    world.pool.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")
    assert world.pool.outbox[-1].to == "new@example.org"
    assert verify(world, token, code_in(world.pool.outbox[-1])) == ""
    assert attributes_of(world, "ann") == {"email": "new@example.org", "email_verified": "true", "name": "Ann"}
    assert world.pool.username_of("new@example.org") == "ann"


def test_a_name_that_is_an_address_is_not_changed_to_somebody_elses():
    """AliasExistsException at once: there the address signs in before it is verified."""
    world = World(user=False, email_as_username=True)
    for name in ("ann@example.com", "bob@example.com"):
        world.pool.add_user(name, password=PASSWORD)
    token = world.begin("ann@example.com", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)["AuthenticationResult"]
    taken = {"AccessToken": token["AccessToken"], "UserAttributes": pairs(email="BOB@example.com")}
    assert outcome(world.pool.update_user_attributes, **taken) == "AliasExistsException"
    update(world, token["AccessToken"], email="new@example.org")
    assert "AuthenticationResult" in world.begin("new@example.org", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)


def test_a_blank_value_removes_an_attribute(world):
    """With an address goes the note that it is verified, and it signs in no more."""
    update(world, world.tokens()["AccessToken"], email="", name="")
    assert attributes_of(world, "ann") == {}
    assert world.pool.username_of("ann@example.com") != "ann"


# What an administrator may do


def test_an_administrator_changes_attributes(world, admin):
    """A changed address is not verified, and gets a code, unless the administrator says that it is verified."""
    given = {"Username": "ann", "UserAttributes": pairs(email="new@example.org", **{"custom:tier": "gold"})}
    assert {} == {name: value for name, value in admin("update_user_attributes", **given).items() if name[0] != "R"}
    assert attributes_of(world, "ann")["email_verified"] == "false"
    assert world.pool.outbox[-1].to == "new@example.org"
    verified = pairs(email="newer@example.org", email_verified="true")
    admin("update_user_attributes", Username="ann", UserAttributes=verified)
    assert len(world.pool.outbox) == 1
    assert attributes_of(world, "ann")["email_verified"] == "true"
    assert outcome(admin, operation="update_user_attributes", **{**given, "Username": "x"}) == "UserNotFoundException"


def test_nobody_has_a_verified_address_without_the_address(world, admin):
    """InvalidParameterException; nothing is changed."""
    world.pool.add_user("bob")
    given = {"Username": "bob", "UserAttributes": pairs(email_verified="true", name="Bob")}
    assert outcome(admin, operation="update_user_attributes", **given) == "InvalidParameterException"
    assert outcome(admin, operation="create_user", **{**given, "Username": "cleo"}) == "InvalidParameterException"
    assert attributes_of(world) == {}


def test_a_disabled_user_is_out_until_enabled(world, admin):
    """Tokens die, also for good; a sign-in under way ends; and then everything works again."""
    tokens, under_way = world.tokens(), world.begin()
    admin("disable_user", Username="ann")
    assert admin("get_user", Username="ann")["Enabled"] is False
    with pytest.raises(ClientError) as error:
        world.answer(under_way, "271828")
    assert (code_of(error), text_of(error)) == ("NotAuthorizedException", "User is disabled.")
    assert outcome(forgot, world=world) == "NotAuthorizedException"
    refresh = {"ClientId": world.pool.client_id, "RefreshToken": tokens["RefreshToken"]}
    assert outcome(world.pool.get_tokens_from_refresh_token, **refresh) == "NotAuthorizedException"
    admin("enable_user", Username="ann")
    assert admin("get_user", Username="ann")["Enabled"] is True
    assert outcome(world.pool.get_user, AccessToken=tokens["AccessToken"]) == "NotAuthorizedException"
    assert "AccessToken" in world.tokens()


def test_a_reset_password_is_set_anew_by_the_code(world, admin):
    """The status says so, a refresh token is refused, the code that was sent sets another password and confirms."""
    tokens = world.tokens()
    admin("reset_user_password", Username="ann")
    assert status(world, "ann") == "RESET_REQUIRED"
    refresh = {"ClientId": world.pool.client_id, "RefreshToken": tokens["RefreshToken"]}
    assert outcome(world.pool.get_tokens_from_refresh_token, **refresh) == "PasswordResetRequiredException"
    assert outcome(world.pool.get_user, AccessToken=tokens["AccessToken"]) == "PasswordResetRequiredException"
    reset(world, code_in(world.pool.outbox[-1]))
    assert status(world, "ann") == "CONFIRMED"
    assert "AuthenticationResult" in world.begin("ann", "USER_PASSWORD_AUTH", PASSWORD="N3w-password")


def test_a_password_is_reset_only_where_a_code_can_be_sent(world, admin):
    """As ForgotPassword: to a verified address, and not to somebody who is invited."""
    world.pool.add_user("bob", attributes={"email": "bob@example.com"})
    world.pool.add_user("cleo", attributes={"email": "c@example.com"}, status="FORCE_CHANGE_PASSWORD")
    reset_by = {"operation": "reset_user_password"}
    assert outcome(admin, **reset_by, Username="bob") == "InvalidParameterException"
    assert outcome(admin, **reset_by, Username="cleo") == "NotAuthorizedException"
    assert outcome(admin, **reset_by, Username="nobody") == "UserNotFoundException"


# A preferred user name


def test_a_preferred_user_name_signs_in_where_the_pool_says_so():
    """It may be changed, and then the old one is free; it is refused to a second user."""
    world = World(aliases=("email", "preferred_username"))
    world.pool.add_user("bob", password=PASSWORD)
    token = world.tokens()["AccessToken"]
    update(world, token, preferred_username="annie")
    assert world.pool.username_of("Annie") == "ann"
    other = {"UserPoolId": world.pool.pool_id, "Username": "bob"}
    taken = {**other, "UserAttributes": pairs(preferred_username="annie")}
    assert outcome(world.pool.admin_update_user_attributes, **taken) == "AliasExistsException"
    update(world, token, preferred_username="anna")
    assert outcome(world.pool.admin_update_user_attributes, **taken) == ""
    assert [world.pool.username_of(name) for name in ("anna", "annie")] == ["ann", "bob"]


def test_nobody_signs_up_with_a_preferred_user_name_that_would_sign_in():
    """It has to wait for the confirmation, or anybody could take it; where it is no alias it is an attribute like others."""
    attributes = pairs(preferred_username="annie")
    assert outcome(sign_up, world=World(aliases=["preferred_username"]), attributes=attributes) != ""
    world = World()
    sign_up(world, attributes=attributes)
    assert world.pool.username_of("annie") == "annie"


@pytest.mark.parametrize("aliases", ["email", ["emial"], ["name"]])
def test_aliases_are_among_those_of_the_service(aliases):
    """Anything else is a ConfigurationError with the list."""
    with pytest.raises(ConfigurationError, match="email, phone_number, preferred_username"):
        World(aliases=aliases)


# What users change by themselves


def test_whatever_users_change_by_themselves_is_not_an_administrators(world):
    """Confirming, changing an address, a new password: each attribute that comes out otherwise is one that users can change."""

    def attributes():
        found = world.pool.admin_get_user(UserPoolId=world.pool.pool_id, Username="bob")
        told = {each["Name"]: each["Value"] for each in found["UserAttributes"]}
        return told | {"cognito:user_status": found["UserStatus"]}

    sign_up(world)
    seen = [attributes()]
    confirm(world, code_in(world.pool.outbox[-1]))
    seen.append(attributes())
    forgot(world, "bob")
    reset(world, code_in(world.pool.outbox[-1]), name="bob")
    token = world.begin("bob", "USER_PASSWORD_AUTH", PASSWORD="N3w-password")["AuthenticationResult"]["AccessToken"]
    changed = [{"Name": "email", "Value": "rob@example.com"}, {"Name": "locale", "Value": "de"}]
    world.pool.update_user_attributes(AccessToken=token, UserAttributes=changed)
    seen.append(attributes())

    moved = {name for now in seen for name in seen[0] | now if now.get(name) != seen[0].get(name)}
    assert {"email", "email_verified", "locale", "cognito:user_status"} == moved
    assert "administrator" not in {who_can_change(name) for name in moved}


def test_an_address_by_which_everybody_signs_in_is_not_removed():
    """Neither by the user nor by an administrator."""
    world = World(user=False, email_as_username=True)
    sub = world.pool.add_user("ann@example.com", password=PASSWORD).sub
    reply = world.begin("ann@example.com", "USER_PASSWORD_AUTH", PASSWORD=PASSWORD)
    calls = {
        "update_user_attributes": {"AccessToken": reply["AuthenticationResult"]["AccessToken"]},
        "admin_update_user_attributes": {"UserPoolId": world.pool.pool_id, "Username": sub},
    }
    for operation, given in calls.items():
        with pytest.raises(ClientError) as error:
            getattr(world.pool, operation)(**given, UserAttributes=pairs(email=""))
        assert "email: The attribute is required" in text_of(error)
    assert world.pool.username_of("ann@example.com") == sub


def test_an_administrator_gives_a_verified_address_for_a_verified_one(world, admin):
    """What is said of an address is said of the new one."""
    new = pairs(email="new@example.com", email_verified="true")
    admin("update_user_attributes", Username="ann", UserAttributes=new)
    assert attributes_of(world, "ann")["email_verified"] == "true"
    assert world.pool.username_of("new@example.com") == "ann"


@pytest.mark.parametrize("value", ["yes", "1", " true"])
def test_an_address_is_verified_or_not(world, value):
    """A flag is true or false, and nothing else is taken for false."""
    attributes = {"email": "bob@example.com", "email_verified": value}
    assert outcome(lambda: world.pool.add_user("bob", attributes=attributes)) == "InvalidParameterException"


@pytest.mark.parametrize("name", ["", "x" * 129, "\ud800"])
def test_a_name_is_one_that_a_call_can_name(world, name):
    """Whoever adds the user."""
    assert outcome(lambda: world.pool.add_user(name)) == "InvalidParameterException"


@pytest.mark.parametrize("name", ["@", "ann@", "ann example@example.com"])
def test_a_name_that_has_to_be_an_address_is_one(name):
    """By the rule for every address."""
    world = World(user=False, email_as_username=True)
    assert outcome(lambda: world.pool.add_user(name)) == "InvalidParameterException"


def test_aliases_are_moved_together_or_not_at_all(world):
    """One that is somebody's name never moves, and then nobody loses another one."""
    world.pool.add_user("bob@example.com")
    attributes = {"email": "bob@example.com", "email_verified": "true"}
    moved = {"phone_number": "+15550100", "phone_number_verified": "true"}
    world.pool.add_user("cleo", attributes=moved)
    before = attributes_of(world, "cleo")
    given = {"Username": "dan", "ForceAliasCreation": True, "UserAttributes": pairs(**moved, **attributes)}
    assert outcome(world.pool.admin_create_user, UserPoolId=world.pool.pool_id, **given) == "AliasExistsException"
    assert attributes_of(world, "cleo") == before
    assert world.pool.username_of("+15550100") == "cleo"


def test_an_alias_is_moved_from_whichever_attribute_has_it():
    """One's preferred user name may be the other's verified address."""
    world = World(aliases=["email", "preferred_username"])
    name = pairs(preferred_username="ann@example.com")
    given = {"Username": "bob", "ForceAliasCreation": True, "UserAttributes": name}
    world.pool.admin_create_user(UserPoolId=world.pool.pool_id, **given)
    assert world.pool.username_of("ann@example.com") == "bob"
    assert attributes_of(world, "ann")["email_verified"] == "false"
