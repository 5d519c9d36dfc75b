"""What a live pool lacks for the native sign-in that a flow could have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from attrs import frozen

from watchword_adapters.advice.native_facts import METHODS, PASSKEY_FOR_BOTH, TIERS, TIERS_BY_NAME, Tier
from watchword_adapters.advice.native_reach import NativeReach
from watchword_adapters.deploy.reading.deployment import Deployment, Facts, within

_SECONDS: Final[Mapping[str, str]] = {
    "EMAIL_OTP": "EmailMfaConfiguration",
    "SMS_MFA": "SmsMfaConfiguration",
    "SOFTWARE_TOKEN_MFA": "SoftwareTokenMfaConfiguration",
    "MFA_SETUP": "SoftwareTokenMfaConfiguration",
}
"""The part of the pool's MFA that each second factor needs."""

_PASSWORD_FACTOR = "PASSWORD"  # noqa: S105 - a name of the service's


@frozen
class PoolGap:
    """A pool: its *tier*, about how many *users* it has, and in words what native sign-in *lacks* there; *unread* is what could not be read."""

    id: str
    tier: Tier
    users: int
    lacks: tuple[str, ...]
    unread: tuple[str, ...]


def gap_of(deployment: Deployment, reach: NativeReach) -> PoolGap:
    """Return what the pool of *deployment*, as `read_pool` gives it, lacks for the ways of *reach*."""
    pool: Facts = deployment.pool or {}
    # The service model: Essentials, if nothing is said.
    tier = TIERS_BY_NAME.get(str(pool.get("UserPoolTier")), "Essentials")
    lacks = dict.fromkeys(_lacks(pool, deployment.mfa, reach, tier))
    estimated: object = pool.get("EstimatedNumberOfUsers")
    return PoolGap(
        id=str(pool.get("Id", "")),
        tier=tier,
        users=estimated if isinstance(estimated, int) else 0,
        lacks=tuple(lacks),
        unread=deployment.unread,
    )


def _lacks(pool: Facts, mfa: Facts | None, reach: NativeReach, tier: Tier) -> Iterator[str]:
    if reach.tier is not None and TIERS.index(reach.tier) > TIERS.index(tier):
        yield f"UserPoolTier {reach.tier.upper()} in place of {tier.upper()}"
    firsts = {method.first.name for method in METHODS.values() if method.first} - {"PASSWORD_SRP"}
    policy = within(within(pool, "Policies"), "SignInPolicy").get("AllowedFirstAuthFactors")
    allowed = cast("list[object]", policy) if isinstance(policy, list) else [_PASSWORD_FACTOR]
    two = any(len(way.steps) > 1 for way in reach.ways)
    for way in reach.ways:
        begins = way.steps[0].challenge.name
        if begins in firsts and begins not in allowed:
            yield f"{begins} among SignInPolicy.AllowedFirstAuthFactors"
        if mfa is not None:
            yield from _lacks_of_mfa(mfa, [each.challenge.name for each in way.steps], beside_two=two)


def _lacks_of_mfa(mfa: Facts, names: list[str], *, beside_two: bool) -> Iterator[str]:
    demanded = mfa.get("MfaConfiguration", "OFF")
    if len(names) > 1:
        if demanded == "OFF":
            yield "MfaConfiguration ON, or OPTIONAL, in place of OFF"
        part = within(mfa, _SECONDS[names[1]])
        if not part or part.get("Enabled") is False:
            yield f"{_SECONDS[names[1]]} for {names[1]}"
        return
    if names == ["WEB_AUTHN"]:
        passkeys = within(mfa, "WebAuthnConfiguration")
        if not passkeys.get("RelyingPartyId"):
            yield "WebAuthnConfiguration with a RelyingPartyId"
        if (demanded == "ON" or beside_two) and passkeys.get("FactorConfiguration") != PASSKEY_FOR_BOTH:
            yield f"FactorConfiguration {PASSKEY_FOR_BOTH}, so that a passkey is enough where a second factor is demanded"
    elif names[0] in {"EMAIL_OTP", "SMS_OTP"} and demanded == "ON":
        yield f"MfaConfiguration OPTIONAL or OFF in place of ON, which lets nobody in by {names[0]} alone"
