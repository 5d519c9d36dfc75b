"""Users for a served pool come from a file, TOML or JSON."""

import json

import pytest

from watchword.errors import ConfigurationError
from watchword_adapters.poolserver.users_file import NewUser, add_users, users_from
from watchword_adapters.userpool import LocalUserPool

TOML = """
[[users]]
name = "ann"
password = "Passw0rd!x"
email = "ann@example.com"
attributes = { "custom:tier" = "gold", email_verified = false }

[[users]]
name = "bob"
status = "FORCE_CHANGE_PASSWORD"
password = "secret"
"""

ANN = NewUser(
    "ann", "Passw0rd!x", {"email": "ann@example.com", "email_verified": "false", "custom:tier": "gold"}, "CONFIRMED"
)
BOB = NewUser("bob", "secret", {}, "FORCE_CHANGE_PASSWORD")


def file_of(tmp_path, text, name="users.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_users_are_read_from_toml(tmp_path):
    """An address is verified unless it is said not to be."""
    assert users_from(file_of(tmp_path, TOML)) == [ANN, BOB]


@pytest.mark.parametrize("wrap", [lambda users: {"users": users}, lambda users: users])
def test_users_are_read_from_json(tmp_path, wrap):
    """As an object with that list, or as the list itself."""
    users = [{"name": "cleo", "phone_number": "+15550100"}]
    path = file_of(tmp_path, json.dumps(wrap(users)), "users.json")
    assert users_from(path) == [NewUser("cleo", None, {"phone_number": "+15550100", "phone_number_verified": "true"})]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[users]", "is no TOML"),
        ("", "no list called users"),
        ("users = 7", "no list called users"),
        ("users = [7]", r"users\[0\] is no table"),
        ("[[users]]\nemail = 'a@b'", r"users\[0\].name is missing"),
        ("[[users]]\nname = 7", r"users\[0\].name is no text"),
        ("[[users]]\nname = 'a'\npassword = 7", r"users\[0\].password is no text"),
        ("[[users]]\nname = 'a'\nattributes = 7", r"users\[0\].attributes is no table"),
        ("[[users]]\nname = 'a'\nattributes = {a = 1}", r"users\[0\].a is no text"),
        ("[[users]]\nname = 'a'\nstatus = 'GONE'", "CONFIRMED, FORCE_CHANGE_PASSWORD, UNCONFIRMED"),
        ("[[users]]\nname = 'a'\n[[users]]\nname = 'b'\nemial = 'x'", r"users\[1\].emial is unknown: there is name"),
    ],
)
def test_a_file_that_is_wrong_is_refused_at_its_place(tmp_path, text, why):
    """The message names the file, the user's place and the key."""
    with pytest.raises(ConfigurationError, match=why) as error:
        users_from(file_of(tmp_path, text))
    assert "users.toml" in str(error.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "7"])
def test_json_that_is_wrong_is_refused(tmp_path, text):
    """However deep it is."""
    with pytest.raises(ConfigurationError, match=r"is no JSON|no list"):
        users_from(file_of(tmp_path, text, "users.json"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With what the system says of it."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml cannot be read: No such file"):
        users_from(tmp_path / "nowhere.toml")


def test_binary_is_refused(tmp_path):
    """It is no text at all."""
    path = tmp_path / "users.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is no TOML"):
        users_from(path)


def test_users_are_added_and_those_who_are_there_are_left_alone():
    """A database keeps what became of them since."""
    pool = LocalUserPool(None, None, None)
    add_users(pool, [ANN])
    pool.admin_set_user_password(UserPoolId=pool.pool_id, Username="ann", Password="An0ther!x", Permanent=True)

    add_users(pool, [ANN, BOB])

    assert pool.admin_get_user(UserPoolId=pool.pool_id, Username="bob")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    with pytest.raises(pool.exceptions.NotAuthorizedException):
        sign_in(pool, "ann", "Passw0rd!x")
    assert sign_in(pool, "ann", "An0ther!x")["AuthenticationResult"]


@pytest.mark.parametrize("given", [NewUser("ann"), NewUser("ann", place="--user ann")])
def test_a_name_that_is_no_address_is_refused_where_names_are_addresses(given):
    """The message names the option, and what to write; nobody is added."""
    pool = LocalUserPool(None, None, None, email_as_username=True)
    with pytest.raises(ConfigurationError, match=r"--email-as-username .* write ann@example\.com") as error:
        add_users(pool, [NewUser("bob@example.com"), given])
    assert given.place in str(error.value)


def sign_in(pool, name, password):
    parameters = {"USERNAME": name, "PASSWORD": password}
    return pool.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


@pytest.mark.parametrize(
    "user",
    [NewUser(""), NewUser("a b"), NewUser("a" * 129), NewUser("a", None, {"nosuch": "1"}), NewUser("a", "x" * 257)],
)
def test_users_that_the_pool_would_not_take_are_refused(user):
    """By the rules of the operations, and without quoting who it is."""
    with pytest.raises(ConfigurationError, match=r"refuses users\[1\]"):
        add_users(LocalUserPool(None, None, None), [BOB, user])


@pytest.mark.parametrize(
    ("name", "text"), [("users.toml", '[[users]]\nname = "ann"\n'), ("users.json", '[{"name": "ann"}]')]
)
def test_a_mark_at_the_beginning_of_the_file_is_no_text(tmp_path, name, text):
    """Windows writes one."""
    (tmp_path / name).write_text(text, "utf-8-sig")
    assert ["ann"] == [each.name for each in users_from(tmp_path / name)]
