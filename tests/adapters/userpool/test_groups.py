"""Groups in the local pool: who is in them, and what tokens say of it."""

import json

import pytest

from kit.user_pool import World, code_of
from watchword_adapters.userpool import ClientError
from watchword_adapters.userpool.directory.database import Database

ROLE = "arn:aws:iam::123456789012:role/{}"


@pytest.fixture
def world():
    """A pool with Ann."""
    return World()


@pytest.fixture
def call(world):
    """Call an operation on groups."""
    return lambda operation, **given: getattr(world.pool, operation)(UserPoolId=world.pool.pool_id, **given)


def refusal(call, operation, **given):
    """Return the code of the refusal."""
    with pytest.raises(ClientError) as error:
        call(operation, **given)
    return code_of(error)


def claims(token):
    """Return a token's claims."""
    import base64

    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def tokens_of(world):
    """Return the claims of new ID and access tokens."""
    tokens = world.tokens()
    return claims(tokens["IdToken"]), claims(tokens["AccessToken"])


def names(reply):
    """Return the names of the groups, or of the users, in a reply."""
    return [each.get("GroupName") or each["Username"] for each in reply.get("Groups") or reply.get("Users") or ()]


def test_a_group_is_made_changed_and_removed(world, call):
    """With the fields of the service, and only those that were given."""
    made = call("create_group", GroupName="staff", Description="All", Precedence=3)["Group"]
    assert made["GroupName"] == "staff"
    assert (made["Description"], made["Precedence"], "RoleArn" in made) == ("All", 3, False)
    assert made["CreationDate"] == made["LastModifiedDate"]
    world.clock.advance(60)
    changed = call("update_group", GroupName="staff", RoleArn=ROLE.format("staff"))["Group"]
    assert (changed["Description"], changed["RoleArn"]) == ("All", ROLE.format("staff"))
    assert (changed["LastModifiedDate"] - changed["CreationDate"]).total_seconds() == 60
    assert call("get_group", GroupName="staff")["Group"] == changed
    call("delete_group", GroupName="staff")
    assert refusal(call, "get_group", GroupName="staff") == "ResourceNotFoundException"


def test_what_is_there_or_not_there_is_said(call):
    """GroupExistsException, ResourceNotFoundException, UserNotFoundException."""
    call("create_group", GroupName="staff")
    assert refusal(call, "create_group", GroupName="staff") == "GroupExistsException"
    for operation in ("get_group", "update_group", "delete_group", "list_users_in_group"):
        assert refusal(call, operation, GroupName="other") == "ResourceNotFoundException"
    for operation in ("admin_add_user_to_group", "admin_remove_user_from_group"):
        assert refusal(call, operation, GroupName="other", Username="ann") == "ResourceNotFoundException"
        assert refusal(call, operation, GroupName="staff", Username="nobody") == "UserNotFoundException"


@pytest.mark.parametrize(
    "wrong",
    [{"Precedence": -1}, {"Precedence": True}, {"Precedence": "1"}, {"RoleArn": "admin"}, {"GroupName": "a b"}],
)
def test_a_group_has_the_bounds_of_the_service(call, wrong):
    """InvalidParameterException."""
    assert refusal(call, "create_group", **{"GroupName": "staff", **wrong}) == "InvalidParameterException"


def test_groups_are_listed_a_page_at_a_time(world, call):
    """Groups by name, a user's groups by precedence, users by name; the token leads on and ends."""
    world.pool.add_user("bob")
    for number in range(5):
        call("create_group", GroupName=f"g{number}", Precedence=9 - number)
        for user in ("bob", "ann"):
            call("admin_add_user_to_group", GroupName=f"g{number}", Username=user)
    seen, more = [], {}
    while True:
        reply = call("list_groups", Limit=2, **more)
        seen += names(reply)
        if "NextToken" not in reply:
            break
        more = {"NextToken": reply["NextToken"]}
    assert seen == ["g0", "g1", "g2", "g3", "g4"]
    assert names(call("admin_list_groups_for_user", Username="ann", Limit=2)) == ["g4", "g3"]
    assert names(call("list_users_in_group", GroupName="g0")) == ["ann", "bob"]
    assert refusal(call, "list_groups", NextToken="x") == "InvalidParameterException"
    assert refusal(call, "list_groups", Limit=61) == "InvalidParameterException"


def test_tokens_name_the_groups(world, call):
    """Both tokens; the most preferred first. Nobody in no group has an empty claim."""
    assert not any("cognito:groups" in each for each in tokens_of(world))
    for name, precedence in (("third", None), ("second", 7), ("first", 0)):
        call("create_group", GroupName=name, **({} if precedence is None else {"Precedence": precedence}))
        call("admin_add_user_to_group", GroupName=name, Username="ann@example.com")
        call("admin_add_user_to_group", GroupName=name, Username="ann")
    assert [each["cognito:groups"] for each in tokens_of(world)] == [["first", "second", "third"]] * 2
    call("admin_remove_user_from_group", GroupName="second", Username="ann")
    call("delete_group", GroupName="first")
    assert [each["cognito:groups"] for each in tokens_of(world)] == [["third"]] * 2
    call("create_group", GroupName="first")
    assert [each["cognito:groups"] for each in tokens_of(world)] == [["third"]] * 2


@pytest.mark.parametrize(
    ("groups", "roles", "preferred"),
    [
        ([("a", 1, "one"), ("b", 2, "two")], ["one", "two"], "one"),
        ([("a", 1, None), ("b", 2, "two")], ["two"], "two"),
        ([("a", 1, "one"), ("b", 1, "two")], ["one", "two"], None),
        ([("a", 1, "one"), ("b", 1, "one")], ["one"], "one"),
        ([("a", None, "one"), ("b", 9, "two")], ["two", "one"], "two"),
        ([("a", 1, None)], None, None),
    ],
)
def test_the_id_token_names_the_roles(world, call, groups, roles, preferred):
    """The role of the most preferred group that has one is preferred, unless two different ones are as good."""
    for name, precedence, role in groups:
        given = {"Precedence": precedence, "RoleArn": role and ROLE.format(role)}
        call("create_group", GroupName=name, **given)
        call("admin_add_user_to_group", GroupName=name, Username="ann")
    identity, access = tokens_of(world)
    assert identity.get("cognito:roles") == (roles and [ROLE.format(role) for role in roles])
    assert identity.get("cognito:preferred_role") == (preferred and ROLE.format(preferred))
    assert not {"cognito:roles", "cognito:preferred_role"} & set(access)


def test_groups_outlive_a_restart(tmp_path):
    """Those who are in them too."""

    def world():
        database = Database(tmp_path / "pool.db", "us-east-1_AbCdEf123")
        return database, World(user=not (tmp_path / "seen").exists(), keeper=database)

    database, first = world()
    common = {"UserPoolId": first.pool.pool_id}
    for name in ("staff", "gone"):
        first.pool.create_group(**common, GroupName=name, Precedence=1)
        first.pool.admin_add_user_to_group(**common, GroupName=name, Username="ann")
    first.pool.delete_group(**common, GroupName="gone")
    first.pool.admin_disable_user(**common, Username="ann")
    database.close()
    (tmp_path / "seen").touch()
    database, second = world()
    assert second.pool.admin_get_user(**common, Username="ann")["Enabled"] is False
    assert names(second.pool.list_groups(**common)) == ["staff"]
    assert names(second.pool.admin_list_groups_for_user(**common, Username="ann")) == ["staff"]
    database.close()
