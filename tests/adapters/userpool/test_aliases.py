"""Whatever is done to accounts, an address signs in the one user who has verified it, and nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.user_pool import PASSWORD, CodeByMail, CountedRandom, World
from watchword.testing.time import VirtualClock
from watchword_adapters.userpool import ClientError
from watchword_adapters.userpool.directory.database import Database

pytestmark = pytest.mark.exhaustive

POOL = "us-east-1_AbCdEf123"
NAMES = ("ann", "bob", "cleo")
ADDRESSES = ("x@example.com", "X@example.com", "ann@example.com", "bob@example.com")
PHONES = ("+15550100", "+15550101")
NO_ADDRESS = ("", "not an address", "@", "a@b@c", "x@example.com ", "\ud800@example.com", f"{'x' * 2048}@example.com")
FLAGS = ("true", "true", "True", "false", "", "yes")
ALIASES = ("email", "phone_number", "preferred_username")

name = st.sampled_from(NAMES)
flag = st.sampled_from(FLAGS)
address = st.sampled_from(ADDRESSES * 6 + NO_ADDRESS + ("",) * 3)
user_attributes = {
    "email": address,
    "phone_number": st.sampled_from((*PHONES, "", "5550100")),
    "preferred_username": st.sampled_from((*NAMES, "x@example.com", "")),
    "custom:tier": st.sampled_from(("gold", "")),
    "shoe_size": st.just("44"),
}
any_attributes = {**user_attributes, "email_verified": flag, "phone_number_verified": flag, "sub": st.just("me")}


def some(*needed, of):
    """Attributes: those *needed*, and perhaps one more of all that may be said."""
    more = st.one_of(st.just({}), *(st.fixed_dictionaries({key: value}) for key, value in of.items()))
    return st.builds(lambda first, second: {**second, **first}, st.fixed_dictionaries({k: of[k] for k in needed}), more)


said_by_user = st.one_of(some("email", of=user_attributes), some(of=any_attributes))
said = st.one_of(some("email", "email_verified", of=any_attributes), some("email", of=any_attributes), said_by_user)
ACTIONS = st.one_of(
    st.tuples(st.just("sign up"), name, said_by_user, st.booleans()),
    st.tuples(st.just("confirm"), name, st.booleans()),
    st.tuples(st.just("create"), name, said, st.booleans()),
    st.tuples(st.just("migrate"), name, said, st.booleans()),
    st.tuples(st.just("add"), name, said),
    st.tuples(st.just("administer"), name, said),
    st.tuples(st.just("update"), name, said_by_user),
    st.tuples(st.just("answer the invitation"), name, said_by_user),
    st.tuples(st.just("ask for a code"), name),
    st.tuples(st.just("verify"), name),
    st.tuples(st.just("delete"), name),
    st.tuples(st.just("disable"), name),
    st.tuples(st.just("enable"), name),
)


def pairs(attributes):
    return [{"Name": key, "Value": value} for key, value in attributes.items()]


class Accounts:
    """A pool on a database in which anything may be tried; what the pool refuses is left undone."""

    def __init__(self, keeper, **how):
        self.keeper = keeper
        self.settings = {"aliases": ALIASES, "clock": VirtualClock(), "random": CountedRandom(), "outbox": [], **how}
        self.typed = {each: f"{each}@example.com" if how.get("email_as_username") else each for each in NAMES}
        self.names = dict(self.typed)  # as they are found for ever, whatever becomes of the address
        self.odd = set()
        self.auto_verified = self.migrated = None
        self.restart()

    def restart(self):
        triggers = {"pre_sign_up": self.pre_sign_up, "user_migration": self.user_migration}
        self.pool = World(CodeByMail(), user=False, keeper=self.keeper, **triggers, **self.settings).pool
        self.client = {"ClientId": self.pool.client_id}
        self.admin = {"UserPoolId": self.pool.pool_id}

    def pre_sign_up(self, event, context):
        event["response"].update(autoVerifyEmail=self.auto_verified, autoVerifyPhone=False)
        return event

    def user_migration(self, event, context):
        event["response"].update(self.migrated or {})
        return event

    def mail(self, username):
        return next((mail for mail in reversed(self.pool.outbox) if mail.username == username), None)

    def code(self, username):
        mail = self.mail(username)
        return mail.text.split()[-1] if mail else "0"

    def signed_in(self, username, *, permanent):
        given = {"Password": PASSWORD, "Permanent": permanent}
        self.pool.admin_set_user_password(**self.admin, Username=username, **given)
        return self.by_password(username)

    def by_password(self, typed):
        parameters = {"USERNAME": typed, "PASSWORD": PASSWORD}
        return self.pool.initiate_auth(**self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)

    def token(self, username):
        return {"AccessToken": self.signed_in(username, permanent=True)["AuthenticationResult"]["AccessToken"]}

    def try_to(self, action, name, *more):
        """Do it; say whether the pool did. Whatever else than an error of the service is raised fails the test."""
        typed, username = self.typed[name], self.names[name]
        try:
            match action, more:
                case "sign up", (attributes, auto_verified):
                    self.auto_verified = auto_verified
                    given = {"Username": typed, "Password": PASSWORD, "UserAttributes": pairs(attributes)}
                    self.names[name] = self.pool.sign_up(**self.client, **given)["UserSub"]
                case "confirm", (force,):
                    given = {"ConfirmationCode": self.code(self.real(username)), "ForceAliasCreation": force}
                    self.pool.confirm_sign_up(**self.client, Username=username, **given)
                case "create", (attributes, force):
                    given = {"UserAttributes": pairs(attributes), "ForceAliasCreation": force}
                    reply = self.pool.admin_create_user(**self.admin, Username=typed, **given)
                    self.names[name] = reply["User"]["Username"]
                case "migrate", (attributes, force):
                    self.migrated = {"userAttributes": attributes, "forceAliasCreation": force}
                    self.migrated["finalUserStatus"] = "CONFIRMED"
                    self.by_password(typed)
                    self.names[name] = self.pool.username_of(typed)
                case "add", (attributes,):
                    self.names[name] = self.pool.add_user(typed, attributes=attributes).username
                    self.odd.add(attributes.get("email", ""))  # the form of an address is not looked at there
                case "administer", (attributes,):
                    given = {"UserAttributes": pairs(attributes)}
                    self.pool.admin_update_user_attributes(**self.admin, Username=username, **given)
                case "update", (attributes,):
                    self.pool.update_user_attributes(**self.token(username), UserAttributes=pairs(attributes))
                case "answer the invitation", (attributes,):
                    reply = self.signed_in(username, permanent=False)
                    responses = {f"userAttributes.{key}": value for key, value in attributes.items()}
                    responses |= {"USERNAME": username, "NEW_PASSWORD": PASSWORD}
                    given = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": reply["Session"]}
                    self.pool.respond_to_auth_challenge(**self.client, **given, ChallengeResponses=responses)
                case "ask for a code", _:
                    self.pool.get_user_attribute_verification_code(**self.token(username), AttributeName="email")
                case "verify", _:
                    given = {"AttributeName": "email", "Code": self.code(self.real(username))}
                    self.pool.verify_user_attribute(**self.token(username), **given)
                case _:
                    does = getattr(self.pool, f"admin_{action}_user")
                    does(**self.admin, Username=username)
        except ClientError as error:
            assert error.response["Error"]["Code"] != "InternalErrorException"
            return False
        finally:
            self.migrated = None
        return True

    def real(self, username):
        return self.pool.username_of(username)

    def granted(self, action, name, *more):
        """What an action may prove: who has which address, because an administrator, a trigger or a code says so."""
        username = self.real(self.names[name])
        if action in {"confirm", "verify"}:
            mail = self.mail(username)
            return {(username, mail.to)} if mail else set()
        attributes = more[0] if more and isinstance(more[0], dict) else {}
        has = self.kept().get(username, {})
        if action == "sign up":
            wanted = more[1]
        else:
            wanted = (
                action in {"create", "migrate", "add", "administer"}
                and "true" == attributes.get("email_verified", "").lower()
            )
        if not wanted:
            return set()
        if self.typed[name] != name and action != "administer":
            return {(None, self.typed[name])}
        return {(username, attributes.get("email") or has.get("email"))}

    def kept(self):
        """The attributes of each user, as the database has them."""
        return {user.username: dict(user.attributes) for user in self.keeper.users()}

    def shown(self):
        """The attributes of each user, as the pool in memory has them."""
        found = {}
        for username in self.kept():
            listed = self.pool.admin_get_user(**self.admin, Username=username)["UserAttributes"]
            found[username] = {each["Name"]: each["Value"] for each in listed if each["Name"] != "sub"}
        return found

    def signs_in(self):
        """Whom each name signs in that may be somebody's."""
        tried = (*ADDRESSES, *PHONES, *NAMES, "not an address", "@")
        users = self.kept()
        return {each: who for each in tried if (who := self.pool.username_of(each)) in users}

    def by_alias(self):
        """Whom each name ought to sign in, by the attributes alone."""
        found = {}
        for username, has in self.kept().items():
            found.setdefault(username.lower(), set()).add(username)
            for alias in ALIASES:
                must = alias == "preferred_username" or (alias == "email" and self.pool.email_as_username)
                if has.get(alias) and (must or has.get(f"{alias}_verified", "").lower() == "true"):
                    found.setdefault(has[alias].lower(), set()).add(username)
        return found


def proven(users):
    return {
        (username, has["email"]) for username, has in users.items() if has.get("email_verified", "").lower() == "true"
    }


SETTINGS = {
    "at once": {},
    "before update": {"verify_before_update": True},
    "address as name": {"email_as_username": True},
    "address as name, before update": {"email_as_username": True, "verify_before_update": True},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One for all examples, which empty it: new keys take long."""
    made = Database(tmp_path_factory.mktemp("aliases") / "pool.db", POOL)
    yield made
    made.close()


@pytest.mark.parametrize("how", SETTINGS.values(), ids=SETTINGS)
@given(actions=st.lists(ACTIONS, max_size=12))
@settings(max_examples=100, deadline=None)
def test_an_address_signs_in_whoever_has_verified_it_and_nobody_else(database, how, actions):
    """After every action, and after a restart, which changes nothing. A refused action changes no attribute."""
    for user in database.users():
        database.drop_user(user.username)
    for digest, _ in database.grants():
        database.drop_grant(digest)
    accounts = Accounts(database, **how)
    verified = {"email_verified": "true", "phone_number": PHONES[0], "phone_number_verified": "true"}
    accounts.try_to("add", "ann", {"email": "ann@example.com", **verified})
    accounts.try_to("add", "bob", {"email": "x@example.com", "email_verified": "true"})
    for action in actions:
        step(accounts, action)


def step(accounts, action):
    before = accounts.kept()
    granted = accounts.granted(*action)
    done = accounts.try_to(*action)
    after = accounts.kept()

    assert after == accounts.shown()
    assert done or after == before or action[0] == "migrate"  # then she is there, and may not sign in
    for has in after.values():
        assert "" not in has.values()
        assert "email" in has or "email_verified" not in has
        assert "email" in has or not accounts.pool.email_as_username
        assert has.get("email", ADDRESSES[0]) in {*ADDRESSES, *accounts.typed.values(), *accounts.odd}

    # Each name signs in one user at most, and she is the one who has it.
    owners = accounts.by_alias()
    assert all(len(users) == 1 for users in owners.values())
    signs_in = accounts.signs_in()
    assert all({who} == owners[each.lower()] for each, who in signs_in.items())
    assert all(each.lower() not in owners for each in (*ADDRESSES, *PHONES) if each not in signs_in)

    # Nobody has an address verified but by an administrator, a trigger, or a code that went to it.
    fresh = proven(after) - proven(before)
    assert {to for _, to in fresh} <= {to for _, to in granted}
    assert {who for who, _ in fresh if who in before} <= {who for who, _ in granted}

    if accounts.pool.verify_before_update and action[0] in {"update", "answer the invitation"}:
        moved = {who: to for who, to in proven(before) if after[who].get("email", to) != to}
        assert not moved

    # Nobody loses an address to another, unless by force.
    lost = {(who, to) for who, to in proven(before) - proven(after) if who in after and after[who].get("email") == to}
    forced = action[0] in {"confirm", "create", "migrate"} and action[-1]
    assert not lost or forced or action[0] == "administer"

    accounts.restart()
    assert (accounts.shown(), accounts.signs_in()) == (after, signs_in)
