"""The settings of a local user pool: triggers, ids, rules, lifetimes, and where it stores users."""

from __future__ import annotations

import re
from collections.abc import Collection, MutableSequence
from typing import Any

from attrs import Attribute, Factory, field, frozen

from watchword.contract.ports import Clock, Random
from watchword.contract.validators import Validator, choice, flag, refused, whole_number
from watchword_adapters.clock import SystemClock, SystemRandom
from watchword_adapters.userpool.api.app_client import ALL_FLOWS
from watchword_adapters.userpool.directory.user_store import Keeper
from watchword_adapters.userpool.directory.users import ALIASES, DEFAULT_ALIASES
from watchword_adapters.userpool.outbox import SentMessage
from watchword_adapters.userpool.sign_in.account_triggers import TokenVersion
from watchword_adapters.userpool.sign_in.triggers import AnyTrigger, FirstSession


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


def _issuer_of(pool: PoolSettings) -> str:
    return f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.pool_id}"


@frozen(eq=False, slots=False)
class PoolSettings:
    """The settings of a `LocalUserPool`; one that is out of bounds raises ConfigurationError."""

    define: AnyTrigger | None = field(repr=False)
    create: AnyTrigger | None = field(repr=False)
    verify: AnyTrigger | None = field(repr=False)

    pre_sign_up: AnyTrigger | None = field(default=None, kw_only=True, repr=False)
    """Called before a sign-up, and before an administrator creates a user; it may refuse, confirm and verify."""
    post_confirmation: AnyTrigger | None = field(default=None, kw_only=True, repr=False)
    """Called after a sign-up is confirmed, and after a forgotten password is set anew."""
    pre_token_generation: AnyTrigger | None = field(default=None, kw_only=True, repr=False)
    """Called before tokens are made, those of a refresh too; it may change claims, groups and scopes."""
    pre_token_version: TokenVersion = field(default="V1_0", kw_only=True, validator=choice("V1_0", "V2_0", "V3_0"))
    """The version of its event: V2_0 and V3_0 change access tokens too."""
    user_migration: AnyTrigger | None = field(default=None, kw_only=True, repr=False)
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

    @property
    def region(self) -> str:
        """The pool's region."""
        return self.pool_id.partition("_")[0]
