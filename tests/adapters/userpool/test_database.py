"""Users, keys and refresh tokens outlive the process in a database; everything else is as without one."""

import json
import sqlite3
import stat
import subprocess
import sys

import pytest
from attrs import evolve

from kit.user_pool import EMAIL, PASSWORD, World, code_of
from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.clock import SystemRandom
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_adapters.userpool.directory.database import Database

POOL = "us-east-1_AbCdEf123"


@pytest.fixture
def path(tmp_path):
    """Where the database is."""
    return tmp_path / "pool.db"


class Restarting:
    """A pool that is started again and again on the same file."""

    def __init__(self, path):
        self.path = path
        self.database = None
        self.start(user=True)

    def start(self, *, user=False, clock=None):
        if self.database is not None:
            self.database.close()
        self.database = Database(self.path, POOL)
        settings = {"clock": clock} if clock else {}
        self.world = World(user=user, keeper=self.database, **settings)
        return self.world


@pytest.fixture
def restarting(path):
    """A pool with Ann on a database."""
    made = Restarting(path)
    yield made
    made.database.close()


def refresh(world, tokens):
    return world.begin(flow="REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])


def test_a_user_is_there_after_a_restart(restarting):
    """With the name, the address, the status, and the password as a verifier."""
    before = restarting.world.pool.admin_get_user(UserPoolId=POOL, Username="ann")
    world = restarting.start()
    after = world.pool.admin_get_user(UserPoolId=POOL, Username="ann")

    assert {**before, "ResponseMetadata": 0} == {**after, "ResponseMetadata": 0}
    assert world.pool.username_of("ann@example.com") == "ann"
    client = world.srp()
    proven = world.prove(client, world.begin_srp(client, "USER_SRP_AUTH"))
    assert "AuthenticationResult" in proven


def test_a_pending_sign_up_is_confirmed_after_a_restart(restarting):
    """The code is kept with the user."""
    pool = restarting.world.pool
    email = [{"Name": "email", "Value": "bob@example.com"}]
    pool.sign_up(ClientId=pool.client_id, Username="bob", Password=PASSWORD, UserAttributes=email)
    code = pool.outbox[-1].text.split()[-1]

    pool = restarting.start().pool
    pool.confirm_sign_up(ClientId=pool.client_id, Username="bob", ConfirmationCode=code)

    assert restarting.start().pool.admin_get_user(UserPoolId=POOL, Username="bob")["UserStatus"] == "CONFIRMED"


def test_a_user_who_is_removed_stays_removed(restarting):
    """Under every name."""
    restarting.world.pool.admin_delete_user(UserPoolId=POOL, Username="ann")
    world = restarting.start()
    with pytest.raises(ClientError) as error:
        world.pool.admin_get_user(UserPoolId=POOL, Username="ann")
    assert code_of(error) == "UserNotFoundException"
    world.pool.add_user("ann", attributes=EMAIL)


def test_tokens_are_good_after_a_restart(restarting):
    """The keys are the same: access tokens still name their user, and refresh tokens refresh the same sign-in."""
    tokens, keys = restarting.world.tokens(), restarting.world.pool.jwks()
    clock = restarting.world.clock
    world = restarting.start(clock=clock)

    assert world.pool.jwks() == keys
    assert world.pool.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ann"
    assert "AccessToken" in refresh(world, tokens)["AuthenticationResult"]


def test_what_is_revoked_stays_revoked(restarting):
    """One token alone, or all of a user's."""
    world = restarting.world
    first, second, third = world.tokens(), world.tokens(), world.tokens()
    world.pool.revoke_token(ClientId=world.pool.client_id, Token=first["RefreshToken"])
    world = restarting.start()
    with pytest.raises(ClientError) as error:
        refresh(world, first)
    assert code_of(error) == "NotAuthorizedException"
    assert refresh(world, second)

    world.pool.global_sign_out(AccessToken=third["AccessToken"])
    world = restarting.start()
    for tokens in (second, third):
        with pytest.raises(ClientError) as error:
            refresh(world, tokens)
        assert code_of(error) == "NotAuthorizedException"


def test_expired_grants_leave_the_file(restarting):
    """It does not grow for ever."""
    world = restarting.world
    world.tokens()
    world.clock.advance(31 * 86_400)
    world.tokens()
    assert len(restarting.database.grants()) == 1


def test_grants_come_back_oldest_first(restarting):
    """The pool forgets the expired from that end."""
    world = restarting.world
    for _ in range(3):
        world.tokens()
        world.clock.advance(100)
    expiries = [grant.expires for _, grant in restarting.database.grants()]
    assert expiries == sorted(expiries)
    assert len(set(expiries)) == 3


def test_somebody_unknown_is_made_up_alike_after_a_restart(restarting):
    """The same salt and the same stand-in for an address, or a restart would tell who exists."""

    def stand_ins(world):
        client = world.srp("nobody@example.com")
        parameters = world.begin_srp(client)["ChallengeParameters"]
        return parameters["SALT"], parameters["USERNAME"]

    from kit.user_pool import PasswordThenCode

    def world():
        return World(PasswordThenCode(), user=False, keeper=restarting.database, random=SystemRandom())

    assert stand_ins(world()) == stand_ins(world())
    assert stand_ins(world()) != stand_ins(World(PasswordThenCode(), random=SystemRandom()))


def test_neither_passwords_nor_refresh_tokens_are_in_the_file(restarting, path):
    """A refresh token is known by its digest alone, a password by what SRP leaves of it."""
    tokens = restarting.world.tokens()
    restarting.database.close()
    stored = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert tokens["RefreshToken"].encode() not in stored
    assert PASSWORD.encode() not in stored


def test_the_file_is_its_owner_s(restarting, path):
    """It holds private keys."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_of_another_pool_is_refused(restarting, path):
    """Passwords are bound to the pool's id: nobody could sign in."""
    restarting.database.close()
    with pytest.raises(ConfigurationError, match=f"is that of the pool {POOL}"):
        Database(path, "us-east-1_Other1")
    Database(path, POOL).close()


def test_a_file_that_is_in_use_is_refused(restarting, path):
    """Two processes would overwrite each other's users."""
    program = (
        "from watchword_adapters.userpool.directory.database import Database\n"
        "from watchword.errors import ConfigurationError\n"
        f"try: Database({str(path)!r}, {POOL!r})\n"
        "except ConfigurationError as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "is in use: end the process that has it" in ended.stdout


def test_a_file_from_before_there_were_groups_is_read(path):
    """Its users are there, and may join groups from now on."""
    database = Database(path, POOL)
    World(keeper=database)
    database.close()
    with sqlite3.connect(path) as connection:
        (body,) = connection.execute("SELECT body FROM users").fetchone()
        user = {name: value for name, value in json.loads(body).items() if name not in {"enabled", "groups"}}
        connection.execute("UPDATE users SET body = ?", (json.dumps(user),))
        connection.execute("DROP TABLE groups")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    for _ in range(2):
        database = Database(path, POOL)
        world = World(user=False, keeper=database)
        assert world.pool.username_of("ann@example.com") == "ann"
        database.close()
    database = Database(path, POOL)
    World(user=False, keeper=database).pool.create_group(UserPoolId=POOL, GroupName="staff")
    database.close()


def other_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE things (name)")
    connection.close()


def newer_database(path):
    Database(path, POOL).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    "make", [lambda path: path.write_text("no database at all" * 99), other_database, newer_database]
)
def test_a_foreign_file_is_refused_and_left_alone(path, make):
    """Somebody named the wrong file; nothing is written into it."""
    make(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="is no database of a local pool"):
        Database(path, POOL)
    assert path.read_bytes()[:100] == before[:100] or before[:6] == b"SQLite"


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    """With what the system says."""
    with pytest.raises(ConfigurationError, match="cannot be opened: No such file"):
        Database(tmp_path / "nowhere" / "pool.db", POOL)
    with pytest.raises(ConfigurationError, match="cannot be opened: Is a directory"):
        Database(tmp_path, POOL)


def test_a_database_that_fails_changes_nothing(restarting):
    """What could not be kept has not happened: the user in memory is the user in the file."""
    pool = restarting.world.pool
    restarting.database.close()
    with pytest.raises(UnavailableError, match="failed"):
        pool.admin_set_user_password(UserPoolId=POOL, Username="ann", Password="An0ther!x", Permanent=True)
    with pytest.raises(UnavailableError):
        pool.add_user("bob")
    assert pool.username_of("ann@example.com") == "ann"
    parameters = {"USERNAME": "bob", "PASSWORD": PASSWORD}
    with pytest.raises(ClientError):
        pool.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


def test_a_damaged_key_is_said_to_be_damaged(path):
    """In place of a crash in the cryptography."""
    database = Database(path, POOL)
    database.secret("id key", lambda: b"no key")
    with pytest.raises(ConfigurationError, match="damaged"):
        LocalUserPool(None, None, None, keeper=database).jwks()
    database.close()


class Failing(Database):
    """A database that may fail to keep users."""

    fails = False

    def keep_users(self, users):
        if self.fails:
            raise UnavailableError("no space left")
        super().keep_users(users)

    def drop_group(self, name, users):
        super().drop_group(name, Cut(users) if self.fails else users)


class Cut(list):
    """Users of whom the last cannot be kept."""

    def __iter__(self):
        yield from super().__iter__()
        raise sqlite3.OperationalError("disk I/O error")


CHANGES = {
    "AdminUpdateUserAttributes": {"Username": "ann", "UserAttributes": [{"Name": "email", "Value": "new@example.com"}]},
    "AdminSetUserPassword": {"Username": "ann", "Password": "An0ther!x", "Permanent": False},
    "AdminResetUserPassword": {"Username": "ann"},
    "AdminDisableUser": {"Username": "ann"},
    "AdminCreateUser": {
        "Username": "bob",
        "UserAttributes": [{"Name": name, "Value": value} for name, value in EMAIL.items()],
        "ForceAliasCreation": True,
    },
}


def test_a_group_is_removed_with_all_its_members_or_not_at_all(path):
    """In memory and in the file: where the removal is cut off, the group is there and everybody is still in it."""
    database = Failing(path, POOL)
    pool = World(keeper=database).pool
    pool.add_user("bob")
    pool.create_group(UserPoolId=POOL, GroupName="staff")
    pool.create_group(UserPoolId=POOL, GroupName="others")
    for name, group in (("ann", "staff"), ("bob", "staff"), ("bob", "others")):
        pool.admin_add_user_to_group(UserPoolId=POOL, Username=name, GroupName=group)

    def told(pool):
        listed = [each["GroupName"] for each in pool.list_groups(UserPoolId=POOL)["Groups"]]
        return {
            group: [each["Username"] for each in pool.list_users_in_group(UserPoolId=POOL, GroupName=group)["Users"]]
            for group in listed
        }

    before = {"others": ["bob"], "staff": ["ann", "bob"]}
    database.fails = True
    with pytest.raises(UnavailableError):
        pool.delete_group(UserPoolId=POOL, GroupName="staff")
    assert before == told(pool) == told(World(user=False, keeper=database).pool)
    database.fails = False
    pool.delete_group(UserPoolId=POOL, GroupName="staff")
    assert {"others": ["bob"]} == told(pool) == told(World(user=False, keeper=database).pool)
    database.close()


@pytest.mark.parametrize(("operation", "given"), CHANGES.items(), ids=CHANGES)
def test_a_change_that_is_not_kept_is_no_change(path, operation, given):
    """Of nobody, in memory and in the file, and no mail tells of it."""
    database = Failing(path, POOL)
    world = World(keeper=database)
    before = world.pool.admin_get_user(UserPoolId=POOL, Username="ann")
    database.fails = True
    with pytest.raises(UnavailableError):
        world.pool.operations[operation]({"UserPoolId": POOL, **given})
    for pool in (world.pool, World(user=False, keeper=database).pool):
        assert pool.admin_get_user(UserPoolId=POOL, Username="ann") == before
        assert pool.username_of("ann@example.com") == "ann"
        assert not pool.outbox
    database.fails = False
    world.pool.operations[operation]({"UserPoolId": POOL, **given})
    database.close()


def test_of_two_who_have_an_address_the_older_one_signs_in(path):
    """A file of before, or of a pool with other settings, may have both. The other's is not verified any more."""
    database = Database(path, POOL)
    pool = World(keeper=database).pool
    ann = database.users()[0]
    eve = evolve(ann, username="aaa", sub="2", created=ann.created + 1)
    phones = {"phone_number": "+15550100", "preferred_username": "ann"}
    database.keep_users([eve, evolve(ann, username="zoe", sub="3", attributes=phones)])

    pool = World(user=False, keeper=database, aliases=["email", "preferred_username"]).pool

    assert pool.username_of("ann@example.com") == "ann"
    shown = {
        name: {
            pair["Name"]: pair["Value"]
            for pair in pool.admin_get_user(UserPoolId=POOL, Username=name)["UserAttributes"]
            if pair["Name"] != "sub"
        }
        for name in ("ann", "aaa", "zoe")
    }
    assert shown == {
        "ann": EMAIL,
        "aaa": {**EMAIL, "email_verified": "false"},
        "zoe": {"phone_number": "+15550100"},
    }
    pool.admin_delete_user(UserPoolId=POOL, Username="ann")
    pool = World(user=False, keeper=database).pool
    assert pool.username_of("ann@example.com") not in {"ann", "aaa"}
    database.close()


def test_a_user_without_the_address_that_all_sign_in_by_is_still_there(path):
    """Found by name, and given one by an administrator; of two with one address, the older one has it."""
    database = Database(path, POOL)
    World(keeper=database)
    ann = database.users()[0]
    database.keep_users([evolve(ann, username="bob", sub="2", attributes={}), evolve(ann, username="cleo", sub="3")])

    pool = World(user=False, keeper=database, email_as_username=True).pool

    assert pool.username_of("ann@example.com") == "ann"
    for name in ("bob", "cleo"):
        pool.admin_set_user_password(UserPoolId=POOL, Username=name, Password=PASSWORD, Permanent=True)
        email = [{"Name": "email", "Value": f"{name}@example.com"}]
        pool.admin_update_user_attributes(UserPoolId=POOL, Username=name, UserAttributes=email)
        assert pool.username_of(f"{name}@example.com") == name
    database.close()


def test_names_that_differ_in_case_only_need_a_pool_that_tells_them_apart(path):
    """Else one of the two users could not be found."""
    database = Database(path, POOL)
    World(keeper=database, case_sensitive=True).pool.add_user("ANN")
    with pytest.raises(ConfigurationError, match="'ANN' and 'ann', differ in case only: set case_sensitive"):
        World(user=False, keeper=database)
    database.close()
