"""A Cognito user pool in this process: boto3's methods, Cognito's behaviour, any three trigger functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from attrs import Factory, field, frozen

from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.api.operation_parameters import OPERATIONS, check_parameters
from watchword_adapters.userpool.directory.records import PoolUser, Status
from watchword_adapters.userpool.directory.users import UserDirectory
from watchword_adapters.userpool.handlers import handlers_of
from watchword_adapters.userpool.settings import PoolSettings
from watchword_adapters.userpool.sign_in.tokens import Tokens

_Reply = dict[str, Any]
_Operation = Callable[[Mapping[str, object]], _Reply]


def _users_of(pool: PoolSettings) -> UserDirectory:
    return UserDirectory(
        pool.pool_id,
        clock=pool.clock,
        random=pool.random,
        email_as_username=pool.email_as_username,
        case_sensitive=pool.case_sensitive,
        aliases=pool.aliases,
        keeper=pool.keeper,
    )


def _tokens_of(pool: PoolSettings) -> Tokens:
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
class LocalUserPool(PoolSettings):
    """A user pool with one app client that plays Amazon Cognito, for tests and for development.

    Methods take boto3's keyword parameters and return boto3's replies; what they raise has
    ``error.response["Error"]["Code"]``, and its class is in `exceptions`. So one test runs against this or against
    ``boto3.client("cognito-idp")``. All methods may be called from many threads, also by the triggers themselves.

    *define*, *create* and *verify* are any ``f(event, context) -> event``; None where the pool has no such trigger.
    A setting that is out of bounds raises ConfigurationError.
    """

    exceptions: ClassVar[ModuleType] = errors

    operations: Mapping[str, _Operation] = field(init=False, repr=False)
    """Each operation by its name on the wire: takes a mapping of parameters, checks it, returns the bare reply."""
    _users: UserDirectory = field(default=Factory(_users_of, takes_self=True), init=False, repr=False)
    _tokens: Tokens = field(default=Factory(_tokens_of, takes_self=True), init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Make the operations."""
        handlers = handlers_of(self, self._users, self._tokens)
        operations = {name: partial(self._run, name, handlers[name]) for name in OPERATIONS}
        object.__setattr__(self, "operations", MappingProxyType(operations))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            """Say of an operation that is not played that it is one: boto3 has a method of that name."""
            from watchword_adapters.userpool.api.service_model import not_played, service_operations  # noqa: PLC0415

            methods = {operation.lower(): operation for operation in service_operations()}
            operation = methods.get(name.replace("_", ""), "")
            why = f": {not_played(operation)}" if operation else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{why}")

    def add_user(
        self,
        name: str,
        *,
        password: str | None = None,
        attributes: Mapping[str, str] | None = None,
        status: Status = "CONFIRMED",
    ) -> PoolUser:
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

    def has_ended(self, claims: Mapping[str, object]) -> bool:
        """Say whether a token of this pool with *claims* counts no more: it was revoked, or its user is gone or disabled.

        Of an ID token the service itself cannot say so: it knows its end by the clock only.
        """
        user = self._users.find(str(claims.get("sub"))).user
        gone = user is None or user.sub != claims.get("sub") or not user.enabled
        return gone or self._tokens.is_revoked(claims.get("origin_jti"))

    def jwks(self) -> _Reply:
        """Return what ``/<pool id>/.well-known/jwks.json`` would: the public keys (RFC 7517)."""
        return self._tokens.jwks()

    def openid_configuration(self) -> _Reply:
        """Return what ``/<pool id>/.well-known/openid-configuration`` would."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
        }

    def sign_up(self, /, **parameters: object) -> _Reply:
        """Register an unconfirmed user; a code goes to `outbox`."""
        return self._reply("SignUp", parameters)

    def confirm_sign_up(self, /, **parameters: object) -> _Reply:
        """Confirm a sign-up by its code."""
        return self._reply("ConfirmSignUp", parameters)

    def resend_confirmation_code(self, /, **parameters: object) -> _Reply:
        """Send another sign-up code."""
        return self._reply("ResendConfirmationCode", parameters)

    def initiate_auth(self, /, **parameters: object) -> _Reply:
        """Begin a sign-in, or refresh tokens."""
        return self._reply("InitiateAuth", parameters)

    def respond_to_auth_challenge(self, /, **parameters: object) -> _Reply:
        """Answer a challenge."""
        return self._reply("RespondToAuthChallenge", parameters)

    def get_tokens_from_refresh_token(self, /, **parameters: object) -> _Reply:
        """Trade a refresh token for new tokens."""
        return self._reply("GetTokensFromRefreshToken", parameters)

    def get_user(self, /, **parameters: object) -> _Reply:
        """Return the user of an access token."""
        return self._reply("GetUser", parameters)

    def update_user_attributes(self, /, **parameters: object) -> _Reply:
        """Change the attributes of an access token's user."""
        return self._reply("UpdateUserAttributes", parameters)

    def get_user_attribute_verification_code(self, /, **parameters: object) -> _Reply:
        """Send another code that verifies an address."""
        return self._reply("GetUserAttributeVerificationCode", parameters)

    def verify_user_attribute(self, /, **parameters: object) -> _Reply:
        """Verify a changed address by its code."""
        return self._reply("VerifyUserAttribute", parameters)

    def revoke_token(self, /, **parameters: object) -> _Reply:
        """Revoke a refresh token and what came from it."""
        return self._reply("RevokeToken", parameters)

    def global_sign_out(self, /, **parameters: object) -> _Reply:
        """Revoke every token of an access token's user."""
        return self._reply("GlobalSignOut", parameters)

    def forgot_password(self, /, **parameters: object) -> _Reply:
        """Send a code that sets a new password."""
        return self._reply("ForgotPassword", parameters)

    def confirm_forgot_password(self, /, **parameters: object) -> _Reply:
        """Set a new password by a code."""
        return self._reply("ConfirmForgotPassword", parameters)

    def change_password(self, /, **parameters: object) -> _Reply:
        """Set a new password by the old one."""
        return self._reply("ChangePassword", parameters)

    def admin_create_user(self, /, **parameters: object) -> _Reply:
        """Add a user who has to change a temporary password."""
        return self._reply("AdminCreateUser", parameters)

    def admin_get_user(self, /, **parameters: object) -> _Reply:
        """Return a user."""
        return self._reply("AdminGetUser", parameters)

    def admin_delete_user(self, /, **parameters: object) -> _Reply:
        """Remove a user."""
        return self._reply("AdminDeleteUser", parameters)

    def admin_set_user_password(self, /, **parameters: object) -> _Reply:
        """Set a user's password."""
        return self._reply("AdminSetUserPassword", parameters)

    def admin_confirm_sign_up(self, /, **parameters: object) -> _Reply:
        """Confirm a sign-up without a code."""
        return self._reply("AdminConfirmSignUp", parameters)

    def admin_update_user_attributes(self, /, **parameters: object) -> _Reply:
        """Change a user's attributes."""
        return self._reply("AdminUpdateUserAttributes", parameters)

    def admin_disable_user(self, /, **parameters: object) -> _Reply:
        """Refuse a user from now on."""
        return self._reply("AdminDisableUser", parameters)

    def admin_enable_user(self, /, **parameters: object) -> _Reply:
        """Let a disabled user sign in again."""
        return self._reply("AdminEnableUser", parameters)

    def admin_reset_user_password(self, /, **parameters: object) -> _Reply:
        """Make a user's password useless, and send a code that sets a new one."""
        return self._reply("AdminResetUserPassword", parameters)

    def create_group(self, /, **parameters: object) -> _Reply:
        """Make a group."""
        return self._reply("CreateGroup", parameters)

    def get_group(self, /, **parameters: object) -> _Reply:
        """Return a group."""
        return self._reply("GetGroup", parameters)

    def update_group(self, /, **parameters: object) -> _Reply:
        """Change a group."""
        return self._reply("UpdateGroup", parameters)

    def delete_group(self, /, **parameters: object) -> _Reply:
        """Remove a group."""
        return self._reply("DeleteGroup", parameters)

    def list_groups(self, /, **parameters: object) -> _Reply:
        """Return the groups."""
        return self._reply("ListGroups", parameters)

    def list_users_in_group(self, /, **parameters: object) -> _Reply:
        """Return who is in a group."""
        return self._reply("ListUsersInGroup", parameters)

    def admin_add_user_to_group(self, /, **parameters: object) -> _Reply:
        """Put a user into a group."""
        return self._reply("AdminAddUserToGroup", parameters)

    def admin_remove_user_from_group(self, /, **parameters: object) -> _Reply:
        """Take a user out of a group."""
        return self._reply("AdminRemoveUserFromGroup", parameters)

    def admin_list_groups_for_user(self, /, **parameters: object) -> _Reply:
        """Return the groups that a user is in."""
        return self._reply("AdminListGroupsForUser", parameters)

    def admin_initiate_auth(self, /, **parameters: object) -> _Reply:
        """Begin a sign-in from a server."""
        return self._reply("AdminInitiateAuth", parameters)

    def admin_respond_to_auth_challenge(self, /, **parameters: object) -> _Reply:
        """Answer a challenge from a server."""
        return self._reply("AdminRespondToAuthChallenge", parameters)

    def _run(
        self, operation: str, handler: Callable[[Mapping[str, Any]], _Reply], parameters: Mapping[str, object]
    ) -> _Reply:
        try:
            given = check_parameters(operation, parameters)
            if given.get("ClientId", self.client_id) != self.client_id:
                raise errors.ResourceNotFoundException("User pool client does not exist.")
            if given.get("UserPoolId", self.pool_id) != self.pool_id:
                raise errors.ResourceNotFoundException("User pool does not exist.")
            return handler(given)
        except errors.ClientError as error:
            error.operation_name = operation
            raise

    def _reply(self, operation: str, parameters: Mapping[str, object]) -> _Reply:
        metadata: _Reply = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
        return {**self.operations[operation](parameters), "ResponseMetadata": metadata}
