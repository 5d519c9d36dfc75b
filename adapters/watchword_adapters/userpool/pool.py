"""A Cognito user pool in this process: boto3's methods, Cognito's behaviour, any three trigger functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, MutableSequence
from functools import partial
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from attrs import Attribute, Factory, field, frozen

from watchword.ports import Clock, Random
from watchword.settings import Validator, choice, flag, refused, whole_number
from watchword_adapters.clock import SystemClock, SystemRandom
from watchword_adapters.userpool import errors
from watchword_adapters.userpool.account_triggers import AccountTriggers, Customized, TokenVersion
from watchword_adapters.userpool.accounts import Accounts
from watchword_adapters.userpool.client import ALL_FLOWS, AppClient
from watchword_adapters.userpool.groups import Groups
from watchword_adapters.userpool.keeping import Keeper
from watchword_adapters.userpool.outbox import SentMessage
from watchword_adapters.userpool.records import Status, User
from watchword_adapters.userpool.sessions import Sessions
from watchword_adapters.userpool.shapes import OPERATIONS, checked
from watchword_adapters.userpool.signin import SignIns
from watchword_adapters.userpool.tokens import Tokens
from watchword_adapters.userpool.triggers import Caller, FirstSession, Metadata, Trigger, Triggers
from watchword_adapters.userpool.users import ALIASES, DEFAULT_ALIASES, Users

Reply = dict[str, Any]
Operation = Callable[[Mapping[str, object]], Reply]


def _like(pattern: str, form: str) -> Validator:
    def validate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise refused(instance, attribute, f"must be {form}")

    return validate


def _seconds(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 900:
        raise refused(instance, attribute, "must be more than 0 and at most 900 seconds")


def _flows(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if isinstance(value, str) or not set(value) <= set(ALL_FLOWS):
        raise refused(instance, attribute, f"must be a list of some of {', '.join(ALL_FLOWS)}")


def _aliases(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if isinstance(value, str) or not set(value) <= set(ALIASES):
        raise refused(instance, attribute, f"must be a list of some of {', '.join(ALIASES)}")


def _issuer_of(pool: LocalUserPool) -> str:
    return f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.pool_id}"


def _users_of(pool: LocalUserPool) -> Users:
    return Users(
        pool.pool_id,
        clock=pool.clock,
        random=pool.random,
        email_as_username=pool.email_as_username,
        case_sensitive=pool.case_sensitive,
        aliases=pool.aliases,
        keeper=pool.keeper,
    )


def _tokens_of(pool: LocalUserPool) -> Tokens:
    return Tokens(
        client_id=pool.client_id,
        issuer=pool.issuer,
        access_seconds=pool.access_minutes * 60,
        refresh_seconds=pool.refresh_days * 86_400,
        clock=pool.clock,
        random=pool.random,
        keeper=pool.keeper,
    )


@frozen(eq=False, slots=False)
class LocalUserPool:
    """A user pool with one app client that plays Amazon Cognito, for tests and for development.

    Methods take boto3's keyword parameters and return boto3's replies; what they raise has
    ``error.response["Error"]["Code"]``, and its class is in `exceptions`. So one test runs against this or against
    ``boto3.client("cognito-idp")``. All methods may be called from many threads, also by the triggers themselves.

    *define*, *create* and *verify* are any ``f(event, context) -> event``; None where the pool has no such trigger.
    A setting that is out of bounds raises ConfigurationError.
    """

    exceptions: ClassVar[ModuleType] = errors

    define: Trigger | None = field(repr=False)
    create: Trigger | None = field(repr=False)
    verify: Trigger | None = field(repr=False)

    pre_sign_up: Trigger | None = field(default=None, kw_only=True, repr=False)
    """Called before a sign-up, and before an administrator creates a user; it may refuse, confirm and verify."""
    post_confirmation: Trigger | None = field(default=None, kw_only=True, repr=False)
    """Called after a sign-up is confirmed, and after a forgotten password is set anew."""
    pre_token_generation: Trigger | None = field(default=None, kw_only=True, repr=False)
    """Called before tokens are made, those of a refresh too; it may change claims, groups and scopes."""
    pre_token_version: TokenVersion = field(default="V1_0", kw_only=True, validator=choice("V1_0", "V2_0"))
    """The version of its event: V2_0 changes access tokens too."""
    user_migration: Trigger | None = field(default=None, kw_only=True, repr=False)
    """Called when somebody unknown signs in by password, or has forgotten it; whom it knows is added."""

    prevent_user_existence_errors: bool = field(default=True, kw_only=True, validator=flag())
    """Whether a sign-in of somebody unknown runs like any other (ENABLED) or says UserNotFoundException (LEGACY)."""
    pool_id: str = field(
        default="us-east-1_AbCdEf123",
        kw_only=True,
        validator=_like(r"(eusc-)?[a-z]{2}-(gov-)?[a-z]+-\d_[0-9a-zA-Z]{1,30}", "like us-east-1_AbCdEf123"),
    )
    """The pool's id; its part after the underscore goes into every SRP verifier."""
    client_id: str = field(
        default="4f8k2m9q1r7s3t5v6w0x2y4z8a",
        kw_only=True,
        validator=_like(r"[\w+]{1,128}", "1 to 128 letters, digits, _ or +"),
    )
    """The app client's id."""
    client_secret: str = field(
        default="",
        kw_only=True,
        repr=False,
        validator=_like(r"([\w+]{24,64})?", "24 to 64 letters, digits, _ or +"),
    )
    """The app client's secret, or empty; with one, every call needs its SECRET_HASH."""
    session_minutes: int = field(default=3, kw_only=True, validator=whole_number(3, 15))
    """How long a challenge may be answered; each has its own clock."""
    access_minutes: int = field(default=60, kw_only=True, validator=whole_number(5, 1440))
    """The lifetime of access and ID tokens."""
    refresh_days: int = field(default=30, kw_only=True, validator=whole_number(1, 3650))
    """The lifetime of refresh tokens."""
    auth_flows: Collection[str] = field(default=ALL_FLOWS, kw_only=True, validator=_flows)
    """The sign-in flows that the client allows."""
    email_as_username: bool = field(default=False, kw_only=True, validator=flag())
    """Whether users sign up with an e-mail address and get a UUID as their name."""
    aliases: Collection[str] = field(default=DEFAULT_ALIASES, kw_only=True, validator=_aliases)
    """The attributes that sign a user in beside the name, once verified; ``preferred_username`` if it is among them."""
    verify_before_update: bool = field(default=False, kw_only=True, validator=flag())
    """Whether a changed e-mail address waits for its code while the old one stays (AttributesRequireVerificationBeforeUpdate)."""
    case_sensitive: bool = field(default=False, kw_only=True, validator=flag())
    """Whether ``Ann`` and ``ann`` are two users."""
    trigger_deadline: float = field(default=5.0, kw_only=True, validator=_seconds)
    """Seconds that a trigger has to answer; after three late answers the call fails."""
    duplicate_triggers: int = field(default=1, kw_only=True, validator=whole_number(1, 10))
    """How often each trigger is called with one and the same event; the last answer counts."""
    first_session: FirstSession = field(default="empty", kw_only=True, validator=choice("empty", "null", "missing"))
    """What the first call sees as session: an empty list, null, or no such key."""
    issuer: str = field(default=Factory(_issuer_of, takes_self=True), kw_only=True)
    """The tokens' issuer: Cognito's address for this pool, or another."""
    clock: Clock = field(factory=SystemClock, kw_only=True, repr=False)
    """Where the time comes from, and what ends a trigger that is late."""
    random: Random = field(factory=SystemRandom, kw_only=True, repr=False)
    """Where randomness comes from."""

    outbox: MutableSequence[SentMessage] = field(factory=list[SentMessage], kw_only=True, repr=False)
    """Where the mails are kept that the pool itself would have sent, newest last; the triggers' mails are their business."""
    keeper: Keeper | None = field(default=None, kw_only=True, repr=False)
    """What keeps users, keys and refresh tokens beyond this process, such as `userpool.database.Database`; nothing does if None."""

    operations: Mapping[str, Operation] = field(init=False, repr=False)
    """Each operation by its name on the wire: takes a mapping of parameters, checks it, returns the bare reply."""
    _users: Users = field(default=Factory(_users_of, takes_self=True), init=False, repr=False)
    _tokens: Tokens = field(default=Factory(_tokens_of, takes_self=True), init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Wire the parts together."""
        legacy = not self.prevent_user_existence_errors
        client = AppClient(self.client_id, self.client_secret, frozenset(self.auth_flows))
        caller = Caller(
            pool_id=self.pool_id,
            client_id=self.client_id,
            deadline=self.trigger_deadline,
            duplicates=self.duplicate_triggers,
            clock=self.clock,
            random=self.random,
        )
        groups = Groups(self.pool_id, self._users, self.clock, self.keeper)
        account_triggers = AccountTriggers(
            caller,
            self.pre_sign_up,
            self.post_confirmation,
            self.pre_token_generation,
            self.user_migration,
            self.pre_token_version,
        )
        accounts = Accounts(
            client=client,
            users=self._users,
            tokens=self._tokens,
            triggers=account_triggers,
            clock=self.clock,
            random=self.random,
            legacy=legacy,
            verify_before_update=self.verify_before_update,
            deliver=self.outbox.append,
        )

        def customized(source: str, user: User, metadata: Metadata) -> Customized:
            return account_triggers.customized(source, user, groups.claims_of(user), metadata)

        def migrate(name: str, password: str, metadata: Metadata) -> None:
            accounts.migrate("UserMigration_Authentication", name, password, metadata, None)

        sign_ins = SignIns(
            pool_id=self.pool_id,
            client=client,
            users=self._users,
            sessions=Sessions(self.session_minutes * 60, clock=self.clock, random=self.random),
            tokens=self._tokens,
            triggers=Triggers(
                self.define, self.create, self.verify, caller=caller, legacy=legacy, first_session=self.first_session
            ),
            customized=customized,
            migrate=migrate,
            answer_invitation=accounts.answer_invitation,
            clock=self.clock,
            random=self.random,
            legacy=legacy,
        )
        handlers: dict[str, Callable[[Mapping[str, Any]], Reply]] = {
            "InitiateAuth": partial(sign_ins.initiate, admin=False),
            "RespondToAuthChallenge": partial(sign_ins.respond, admin=False),
            "AdminInitiateAuth": partial(sign_ins.initiate, admin=True),
            "AdminRespondToAuthChallenge": partial(sign_ins.respond, admin=True),
            "GetTokensFromRefreshToken": sign_ins.refresh,
            "SignUp": accounts.sign_up,
            "ConfirmSignUp": accounts.confirm_sign_up,
            "ResendConfirmationCode": accounts.resend_confirmation_code,
            "GetUser": accounts.get_user,
            "UpdateUserAttributes": accounts.update_user_attributes,
            "GetUserAttributeVerificationCode": accounts.get_user_attribute_verification_code,
            "VerifyUserAttribute": accounts.verify_user_attribute,
            "RevokeToken": accounts.revoke_token,
            "GlobalSignOut": accounts.global_sign_out,
            "ForgotPassword": accounts.forgot_password,
            "ConfirmForgotPassword": accounts.confirm_forgot_password,
            "ChangePassword": accounts.change_password,
            "AdminCreateUser": accounts.admin_create_user,
            "AdminGetUser": accounts.admin_get_user,
            "AdminDeleteUser": accounts.admin_delete_user,
            "AdminSetUserPassword": accounts.admin_set_user_password,
            "AdminConfirmSignUp": accounts.admin_confirm_sign_up,
            "AdminUpdateUserAttributes": accounts.admin_update_user_attributes,
            "AdminDisableUser": accounts.admin_disable_user,
            "AdminEnableUser": accounts.admin_enable_user,
            "AdminResetUserPassword": accounts.admin_reset_user_password,
            "CreateGroup": groups.create_group,
            "GetGroup": groups.get_group,
            "UpdateGroup": groups.update_group,
            "DeleteGroup": groups.delete_group,
            "ListGroups": groups.list_groups,
            "ListUsersInGroup": groups.list_users_in_group,
            "AdminAddUserToGroup": groups.admin_add_user_to_group,
            "AdminRemoveUserFromGroup": groups.admin_remove_user_from_group,
            "AdminListGroupsForUser": groups.admin_list_groups_for_user,
        }
        operations = {name: partial(self._run, name, handlers[name]) for name in OPERATIONS}
        object.__setattr__(self, "operations", MappingProxyType(operations))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Say of an operation that is not played that it is one: boto3 has a method of that name."""
            from watchword_adapters.userpool.service import not_played, service_operations  # noqa: PLC0415

            methods = {operation.lower(): operation for operation in service_operations()}
            operation = methods.get(name.replace("_", ""), "")
            why = f": {not_played(operation)}" if operation else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{why}")

    @property
    def region(self) -> str:
        """The pool's region."""
        return self.pool_id.partition("_")[0]

    def add_user(
        self,
        name: str,
        *,
        password: str | None = None,
        attributes: Mapping[str, str] | None = None,
        status: Status = "CONFIRMED",
    ) -> User:
        """Add a user without further ado; the password policy does not apply, nor the form of addresses.

        So a test can have a user like those of a pool that others filled, whose mail goes nowhere.

        Raises:
            UsernameExistsException: if the name is taken.
            AliasExistsException: if a verified address signs somebody else in.
            InvalidParameterException: if an attribute is not in the schema, or cannot have that value.
        """
        return self._users.add(name, attributes or {}, status=status, password=password, odd_addresses=True)

    def username_of(self, name: str) -> str:
        """Return the user name that *name* (a user name, a sub, or a verified address) stands for in triggers and tokens.

        A name that nobody has gives the one that is made up for it.
        """
        return self._users.find(name).username

    def jwks(self) -> Reply:
        """Return what ``/<pool id>/.well-known/jwks.json`` would: the public keys (RFC 7517)."""
        return self._tokens.jwks()

    def openid_configuration(self) -> Reply:
        """Return what ``/<pool id>/.well-known/openid-configuration`` would."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
        }

    def sign_up(self, /, **parameters: object) -> Reply:
        """Register an unconfirmed user; a code goes to `outbox`."""
        return self._reply("SignUp", parameters)

    def confirm_sign_up(self, /, **parameters: object) -> Reply:
        """Confirm a sign-up by its code."""
        return self._reply("ConfirmSignUp", parameters)

    def resend_confirmation_code(self, /, **parameters: object) -> Reply:
        """Send another sign-up code."""
        return self._reply("ResendConfirmationCode", parameters)

    def initiate_auth(self, /, **parameters: object) -> Reply:
        """Begin a sign-in, or refresh tokens."""
        return self._reply("InitiateAuth", parameters)

    def respond_to_auth_challenge(self, /, **parameters: object) -> Reply:
        """Answer a challenge."""
        return self._reply("RespondToAuthChallenge", parameters)

    def get_tokens_from_refresh_token(self, /, **parameters: object) -> Reply:
        """Trade a refresh token for new tokens."""
        return self._reply("GetTokensFromRefreshToken", parameters)

    def get_user(self, /, **parameters: object) -> Reply:
        """Return the user of an access token."""
        return self._reply("GetUser", parameters)

    def update_user_attributes(self, /, **parameters: object) -> Reply:
        """Change the attributes of an access token's user."""
        return self._reply("UpdateUserAttributes", parameters)

    def get_user_attribute_verification_code(self, /, **parameters: object) -> Reply:
        """Send another code that verifies an address."""
        return self._reply("GetUserAttributeVerificationCode", parameters)

    def verify_user_attribute(self, /, **parameters: object) -> Reply:
        """Verify a changed address by its code."""
        return self._reply("VerifyUserAttribute", parameters)

    def revoke_token(self, /, **parameters: object) -> Reply:
        """Revoke a refresh token and what came from it."""
        return self._reply("RevokeToken", parameters)

    def global_sign_out(self, /, **parameters: object) -> Reply:
        """Revoke every token of an access token's user."""
        return self._reply("GlobalSignOut", parameters)

    def forgot_password(self, /, **parameters: object) -> Reply:
        """Send a code that sets a new password."""
        return self._reply("ForgotPassword", parameters)

    def confirm_forgot_password(self, /, **parameters: object) -> Reply:
        """Set a new password by a code."""
        return self._reply("ConfirmForgotPassword", parameters)

    def change_password(self, /, **parameters: object) -> Reply:
        """Set a new password by the old one."""
        return self._reply("ChangePassword", parameters)

    def admin_create_user(self, /, **parameters: object) -> Reply:
        """Add a user who has to change a temporary password."""
        return self._reply("AdminCreateUser", parameters)

    def admin_get_user(self, /, **parameters: object) -> Reply:
        """Return a user."""
        return self._reply("AdminGetUser", parameters)

    def admin_delete_user(self, /, **parameters: object) -> Reply:
        """Remove a user."""
        return self._reply("AdminDeleteUser", parameters)

    def admin_set_user_password(self, /, **parameters: object) -> Reply:
        """Set a user's password."""
        return self._reply("AdminSetUserPassword", parameters)

    def admin_confirm_sign_up(self, /, **parameters: object) -> Reply:
        """Confirm a sign-up without a code."""
        return self._reply("AdminConfirmSignUp", parameters)

    def admin_update_user_attributes(self, /, **parameters: object) -> Reply:
        """Change a user's attributes."""
        return self._reply("AdminUpdateUserAttributes", parameters)

    def admin_disable_user(self, /, **parameters: object) -> Reply:
        """Refuse a user from now on."""
        return self._reply("AdminDisableUser", parameters)

    def admin_enable_user(self, /, **parameters: object) -> Reply:
        """Let a disabled user sign in again."""
        return self._reply("AdminEnableUser", parameters)

    def admin_reset_user_password(self, /, **parameters: object) -> Reply:
        """Make a user's password useless, and send a code that sets a new one."""
        return self._reply("AdminResetUserPassword", parameters)

    def create_group(self, /, **parameters: object) -> Reply:
        """Make a group."""
        return self._reply("CreateGroup", parameters)

    def get_group(self, /, **parameters: object) -> Reply:
        """Return a group."""
        return self._reply("GetGroup", parameters)

    def update_group(self, /, **parameters: object) -> Reply:
        """Change a group."""
        return self._reply("UpdateGroup", parameters)

    def delete_group(self, /, **parameters: object) -> Reply:
        """Remove a group."""
        return self._reply("DeleteGroup", parameters)

    def list_groups(self, /, **parameters: object) -> Reply:
        """Return the groups."""
        return self._reply("ListGroups", parameters)

    def list_users_in_group(self, /, **parameters: object) -> Reply:
        """Return who is in a group."""
        return self._reply("ListUsersInGroup", parameters)

    def admin_add_user_to_group(self, /, **parameters: object) -> Reply:
        """Put a user into a group."""
        return self._reply("AdminAddUserToGroup", parameters)

    def admin_remove_user_from_group(self, /, **parameters: object) -> Reply:
        """Take a user out of a group."""
        return self._reply("AdminRemoveUserFromGroup", parameters)

    def admin_list_groups_for_user(self, /, **parameters: object) -> Reply:
        """Return the groups that a user is in."""
        return self._reply("AdminListGroupsForUser", parameters)

    def admin_initiate_auth(self, /, **parameters: object) -> Reply:
        """Begin a sign-in from a server."""
        return self._reply("AdminInitiateAuth", parameters)

    def admin_respond_to_auth_challenge(self, /, **parameters: object) -> Reply:
        """Answer a challenge from a server."""
        return self._reply("AdminRespondToAuthChallenge", parameters)

    def _run(
        self, operation: str, handler: Callable[[Mapping[str, Any]], Reply], parameters: Mapping[str, object]
    ) -> Reply:
        try:
            given = checked(operation, parameters)
            if given.get("ClientId", self.client_id) != self.client_id:
                raise errors.ResourceNotFoundException("User pool client does not exist.")
            if given.get("UserPoolId", self.pool_id) != self.pool_id:
                raise errors.ResourceNotFoundException("User pool does not exist.")
            return handler(given)
        except errors.ClientError as error:
            error.operation_name = operation
            raise

    def _reply(self, operation: str, parameters: Mapping[str, object]) -> Reply:
        metadata: Reply = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
        return {**self.operations[operation](parameters), "ResponseMetadata": metadata}
