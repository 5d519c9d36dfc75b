"""The triggers beside the three: pre sign-up, post confirmation, pre token generation and user migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from attrs import field, frozen

from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.directory.groups import GroupClaims
from watchword_adapters.userpool.directory.records import PoolUser, Status
from watchword_adapters.userpool.sign_in.triggers import (
    AnyTrigger,
    ClientMetadata,
    TriggerCaller,
    boolean_in,
    event_attributes,
    text_in,
)

TokenVersion = Literal["V1_0", "V2_0", "V3_0"]

SCOPE = "aws.cognito.signin.user.admin"
"""The scope of tokens from a sign-in by the API."""

# https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html lists them.
_NOBODYS = frozenset(
    [
        "acr",
        "amr",
        "at_hash",
        "auth_time",
        "azp",
        "exp",
        "iat",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "sub",
        "token_use",
        "event_id",
    ]
)
_NOT_IN_ID = frozenset({"aud", "identities"})
_NOT_IN_ACCESS = frozenset({"aud", "client_id", "device_key", "scope", "username", "version"})
_NOBODYS_PREFIXES = ("cognito:", "dev:")


@frozen
class PreSigned:
    """What pre sign-up says of a new user."""

    confirm: bool = False
    verify_email: bool = False
    verify_phone: bool = False


@frozen
class Claims:
    """What is added to the claims of one token, and what is left out."""

    added: Mapping[str, Any] = field(factory=dict[str, Any])
    suppressed: frozenset[str] = frozenset()


@frozen
class Customized:
    """What tokens get beside what the pool puts into them."""

    groups: GroupClaims
    id: Claims = Claims()
    access: Claims = Claims()
    scopes: tuple[str, ...] = (SCOPE,)


@frozen
class Migrated:
    """A user whom the user migration trigger knows."""

    name: str
    attributes: Mapping[str, str] = field(repr=False)
    status: Status
    welcome: bool
    move_aliases: bool


@frozen
class AccountTriggers:
    """The triggers around accounts and tokens, called as Cognito calls them; each may be None."""

    caller: TriggerCaller
    _pre_sign_up: AnyTrigger | None
    _post_confirmation: AnyTrigger | None
    _pre_token_generation: AnyTrigger | None
    _user_migration: AnyTrigger | None
    token_version: TokenVersion

    @property
    def migrates(self) -> bool:
        """Whether somebody unknown may be known elsewhere."""
        return self._user_migration is not None

    def pre_sign_up(
        self,
        source: str,
        username: str,
        attributes: Mapping[str, str],
        validation: ClientMetadata,
        metadata: ClientMetadata,
    ) -> PreSigned:
        """Ask whether somebody may sign up, and whether a code is needed. Whatever it raises ends the sign-up."""
        if self._pre_sign_up is None:
            return PreSigned()
        response = self.caller.called(
            source,
            self._pre_sign_up,
            username,
            {"userAttributes": attributes, "validationData": validation, **_given("clientMetadata", metadata)},
            {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
        )
        flags = [
            boolean_in(response, name) is True for name in ("autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone")
        ]
        for wanted, name in zip(flags[1:], ("email", "phone_number"), strict=True):
            if wanted and not attributes.get(name):
                raise errors.InvalidLambdaResponseException(f"Cannot auto verify {name}: the user has none.")
        return PreSigned(*flags)

    def post_confirmation(self, source: str, user: PoolUser, metadata: ClientMetadata) -> None:
        """Tell that a user is confirmed, or has set a forgotten password. If it raises, that is so all the same."""
        if self._post_confirmation is not None:
            request = {"userAttributes": event_attributes(user), **_given("clientMetadata", metadata)}
            self.caller.called(source, self._post_confirmation, user.username, request, {})

    def customized(self, source: str, user: PoolUser, groups: GroupClaims, metadata: ClientMetadata) -> Customized:
        """Ask what is to stand in a user's tokens.

        Raises:
            InvalidLambdaResponseException: if a claim, a group or a scope has a type that it cannot have.
        """
        if self._pre_token_generation is None:
            return Customized(groups)
        second = self.token_version != "V1_0"  # noqa: S105 - a version
        details = "claimsAndScopeOverrideDetails" if second else "claimsOverrideDetails"
        request = {
            "userAttributes": event_attributes(user),
            "groupConfiguration": {
                "groupsToOverride": groups.names,
                "iamRolesToOverride": groups.roles,
                "preferredRole": groups.preferred_role,
            },
            **({"scopes": [SCOPE]} if second else {}),
            **_given("clientMetadata", metadata),
        }
        response = self.caller.called(
            source,
            self._pre_token_generation,
            user.username,
            request,
            {details: None},
            version=self.token_version[1],
        )
        said = _object(response, details)
        overridden = _groups(said, groups)
        if not second:
            return Customized(overridden, _claims(said, _NOT_IN_ID, texts_only=True))
        access = _object(said, "accessTokenGeneration")
        dropped = _names(access, "scopesToSuppress")
        # The service's own scopes cannot be given away, but for the one that a sign-in has anyway.
        more = [each for each in _names(access, "scopesToAdd") if not each.startswith("aws.cognito.") or each == SCOPE]
        scopes = dict.fromkeys(each for each in (SCOPE, *more) if each not in dropped)
        return Customized(
            overridden,
            _claims(_object(said, "idTokenGeneration"), _NOT_IN_ID),
            _claims(access, _NOT_IN_ACCESS),
            tuple(scopes),
        )

    def migrate(
        self, source: str, name: str, password: str | None, validation: ClientMetadata, metadata: ClientMetadata
    ) -> Migrated | None:
        """Ask for somebody who is not in the pool; return None if the trigger does not know him either.

        Raises:
            InvalidLambdaResponseException: if the attributes are not texts, or the status is none.
        """
        if self._user_migration is None:
            return None
        empty = ("userAttributes", "finalUserStatus", "messageAction", "desiredDeliveryMediums", "forceAliasCreation")
        try:
            response = self.caller.called(
                source,
                self._user_migration,
                name,
                {
                    **_given("password", password),
                    "validationData": validation,
                    **_given("clientMetadata", metadata),
                },
                {**dict.fromkeys(empty), "enableSMSMFA": None},
            )
        except errors.UserLambdaValidationException:
            return None
        found = response.get("userAttributes")
        if not found:
            return None
        if not isinstance(found, dict):
            raise _unrecognizable()
        attributes = cast("dict[str, object]", found)
        if not all(isinstance(value, str) for value in attributes.values()):
            raise _unrecognizable()
        status = text_in(response, "finalUserStatus") or "RESET_REQUIRED"
        if status not in {"CONFIRMED", "RESET_REQUIRED"}:
            raise _unrecognizable()
        given = {key: str(value) for key, value in attributes.items() if key != "sub"}
        return Migrated(
            given.pop("username", name),
            given,
            cast("Status", status),
            text_in(response, "messageAction") != "SUPPRESS",
            boolean_in(response, "forceAliasCreation") is True,
        )


def _given(name: str, value: object) -> dict[str, object]:
    return {} if value is None else {name: value}


def _unrecognizable() -> errors.InvalidLambdaResponseException:
    return errors.InvalidLambdaResponseException(errors.UNRECOGNIZABLE)


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unrecognizable()
    return cast("dict[str, Any]", value)


def _names(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in cast("list[object]", value)):
        raise _unrecognizable()
    return tuple(cast("list[str]", value))


def _claims(said: Mapping[str, Any], kept: frozenset[str], *, texts_only: bool = False) -> Claims:
    """Return what may be changed of what the trigger *said*; the service ignores what touches claims of its own."""

    def changeable(name: str) -> bool:
        return name not in _NOBODYS | kept and not name.startswith(_NOBODYS_PREFIXES)

    added = _object(said, "claimsToAddOrOverride")
    if texts_only and not all(isinstance(value, str) for value in added.values()):
        raise _unrecognizable()
    return Claims(
        {name: value for name, value in added.items() if changeable(name)},
        frozenset(filter(changeable, _names(said, "claimsToSuppress"))),
    )


def _groups(said: Mapping[str, Any], groups: GroupClaims) -> GroupClaims:
    """Return the groups to show: those in place of them; none if the trigger says null or an empty object."""
    if "groupOverrideDetails" not in said:
        return groups
    instead = _object(said, "groupOverrideDetails")
    return GroupClaims(
        _names(instead, "groupsToOverride"), _names(instead, "iamRolesToOverride"), text_in(instead, "preferredRole")
    )
