"""Which part of a pool handles each operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from watchword_adapters.userpool.accounts import Accounts
from watchword_adapters.userpool.api.app_client import AppClient
from watchword_adapters.userpool.directory.groups import Groups
from watchword_adapters.userpool.directory.records import PoolUser
from watchword_adapters.userpool.directory.users import UserDirectory
from watchword_adapters.userpool.pool_mails import Mails
from watchword_adapters.userpool.settings import PoolSettings
from watchword_adapters.userpool.sign_in.account_triggers import AccountTriggers, Customized
from watchword_adapters.userpool.sign_in.challenges import SignIns
from watchword_adapters.userpool.sign_in.sessions import Sessions
from watchword_adapters.userpool.sign_in.tokens import Tokens
from watchword_adapters.userpool.sign_in.triggers import ClientMetadata, CustomAuthTriggers, TriggerCaller


def handlers_of(
    pool: PoolSettings, users: UserDirectory, tokens: Tokens
) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
    """Return what handles each operation of *pool*, by its name on the wire; *users* and *tokens* are the pool's."""
    legacy = not pool.prevent_user_existence_errors
    client = AppClient(pool.client_id, pool.client_secret, frozenset(pool.auth_flows))
    caller = TriggerCaller(
        pool_id=pool.pool_id,
        client_id=pool.client_id,
        deadline=pool.trigger_deadline,
        duplicates=pool.duplicate_triggers,
        clock=pool.clock,
        random=pool.random,
    )
    groups = Groups(pool.pool_id, users, pool.clock, pool.keeper)
    account_triggers = AccountTriggers(
        caller,
        pool.pre_sign_up,
        pool.post_confirmation,
        pool.pre_token_generation,
        pool.user_migration,
        pool.pre_token_version,
    )
    accounts = Accounts(
        client=client,
        users=users,
        tokens=tokens,
        triggers=account_triggers,
        mails=Mails(users, pool.clock, pool.outbox.append),
        random=pool.random,
        legacy=legacy,
        verify_before_update=pool.verify_before_update,
    )

    def customized(source: str, user: PoolUser, metadata: ClientMetadata) -> Customized:
        return account_triggers.customized(source, user, groups.claims_of(user), metadata)

    def migrate(name: str, password: str, metadata: ClientMetadata) -> None:
        accounts.migrate("UserMigration_Authentication", name, password, metadata, None)

    sign_ins = SignIns(
        pool_id=pool.pool_id,
        client=client,
        users=users,
        sessions=Sessions(pool.session_minutes * 60, clock=pool.clock, random=pool.random),
        tokens=tokens,
        triggers=CustomAuthTriggers(
            pool.define, pool.create, pool.verify, caller=caller, legacy=legacy, first_session=pool.first_session
        ),
        customized=customized,
        migrate=migrate,
        answer_invitation=accounts.answer_invitation,
        clock=pool.clock,
        random=pool.random,
        legacy=legacy,
    )
    return {
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
