"""Whatever is done to accounts, an address signs in the one user who has verified it, and nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from userpool_kit import PASSWORD, World

from watchword_adapters.userpool import ClientError

USERS = ("ann", "bob", "cleo")
ADDRESSES = ("x@example.com", "X@example.com", "y@example.com")

user = st.sampled_from(USERS)
address = st.sampled_from(ADDRESSES)
ACTIONS = st.one_of(
    st.tuples(st.just("sign up"), user, address),
    st.tuples(st.just("confirm"), user, st.booleans()),
    st.tuples(st.just("create"), user, address, st.booleans(), st.booleans()),
    st.tuples(st.just("administer"), user, address, st.booleans()),
    st.tuples(st.just("verify by hand"), user, st.booleans()),
    st.tuples(st.just("update"), user, address),
    st.tuples(st.just("verify"), user),
    st.tuples(st.just("remove address"), user),
    st.tuples(st.just("delete"), user),
    st.tuples(st.just("disable"), user),
)


class Accounts:
    """A pool in which anything may be tried; what the pool refuses is left undone."""

    def __init__(self, **settings):
        self.world = World(user=False, **settings)
        self.pool = self.world.pool
        self.client = {"ClientId": self.pool.client_id}
        self.admin = {"UserPoolId": self.pool.pool_id}

    def code(self, name):
        return next((mail.text.split()[-1] for mail in reversed(self.pool.outbox) if mail.username == name), "0")

    def token(self, name):
        self.pool.admin_set_user_password(**self.admin, Username=name, Password=PASSWORD, Permanent=True)
        parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
        reply = self.pool.initiate_auth(**self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
        return {"AccessToken": reply["AuthenticationResult"]["AccessToken"]}

    def try_to(self, action, name, *more):
        verified = {True: "true", False: "false"}
        try:
            match action, more:
                case "sign up", (email,):
                    attributes = [{"Name": "email", "Value": email}]
                    given = {"Username": name, "Password": PASSWORD, "UserAttributes": attributes}
                    self.pool.sign_up(**self.client, **given)
                case "confirm", (force,):
                    given = {"ConfirmationCode": self.code(name), "ForceAliasCreation": force}
                    self.pool.confirm_sign_up(**self.client, Username=name, **given)
                case "create", (email, proven, force):
                    attributes = [
                        {"Name": "email", "Value": email},
                        {"Name": "email_verified", "Value": verified[proven]},
                    ]
                    given = {"UserAttributes": attributes, "ForceAliasCreation": force}
                    self.pool.admin_create_user(**self.admin, Username=name, **given)
                case "administer", (email, proven):
                    attributes = [{"Name": "email", "Value": email}]
                    attributes += [{"Name": "email_verified", "Value": "true"}] if proven else []
                    self.pool.admin_update_user_attributes(**self.admin, Username=name, UserAttributes=attributes)
                case "verify by hand", (proven,):
                    attributes = [{"Name": "email_verified", "Value": verified[proven]}]
                    self.pool.admin_update_user_attributes(**self.admin, Username=name, UserAttributes=attributes)
                case "update", (email,):
                    attributes = [{"Name": "email", "Value": email}]
                    self.pool.update_user_attributes(**self.token(name), UserAttributes=attributes)
                case "verify", _:
                    given = {"AttributeName": "email", "Code": self.code(name)}
                    self.pool.verify_user_attribute(**self.token(name), **given)
                case "remove address", _:
                    attributes = [{"Name": "email", "Value": ""}]
                    self.pool.update_user_attributes(**self.token(name), UserAttributes=attributes)
                case "delete", _:
                    self.pool.admin_delete_user(**self.admin, Username=name)
                case _:
                    self.pool.admin_disable_user(**self.admin, Username=name)
        except ClientError as error:
            assert error.response["Error"]["Code"] != "InternalErrorException"

    def proven(self):
        """Whose each verified address is, in lower case."""
        found = {}
        for name in USERS:
            try:
                listed = self.pool.admin_get_user(**self.admin, Username=name)["UserAttributes"]
            except ClientError:
                continue
            has = {each["Name"]: each["Value"] for each in listed}
            assert "email" in has or "email_verified" not in has
            if has.get("email_verified") == "true":
                found.setdefault(has["email"].lower(), []).append(name)
        return found


@pytest.mark.parametrize("wait", [False, True], ids=["at once", "before update"])
@given(actions=st.lists(ACTIONS, max_size=14))
@settings(max_examples=150, deadline=None)
def test_an_address_signs_in_whoever_has_verified_it_and_nobody_else(wait, actions):
    """After every step: at most one user has an address verified, and it is she whom it signs in."""
    accounts = Accounts(verify_before_update=wait)
    for action in actions:
        before = accounts.proven()
        accounts.try_to(*action)
        after = accounts.proven()
        assert all(len(owners) == 1 for owners in after.values())
        for each in ADDRESSES:
            owner = accounts.pool.username_of(each)
            assert [owner] == after.get(each.lower(), [owner])
            assert each.lower() in after or owner not in USERS
        # Nobody loses an address to another, unless by force.
        moved = {each for each, owners in before.items() if after.get(each, owners) != owners}
        assert not moved or (action[0] in {"confirm", "create"} and action[-1])
