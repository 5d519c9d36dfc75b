"""What Cognito's native sign-in can do: one table, compared with botocore's service model in the tests.

Sources: botocore 1.44.8, the service model of ``cognito-idp``, and the developer guide as of 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, cast

from attrs import field, frozen

Tier: TypeAlias = Literal["Lite", "Essentials", "Plus"]
TIERS_BY_NAME: Final[Mapping[str, Tier]] = {"LITE": "Lite", "ESSENTIALS": "Essentials", "PLUS": "Plus"}
"""The tiers by the service's names (UserPoolTierType)."""
TIERS: Final[tuple[Tier, ...]] = tuple(TIERS_BY_NAME.values())
"""The tiers of a user pool, the cheapest first: what one of them has, the next have too."""

CUSTOM_FLOW = "CUSTOM_AUTH"
"""The flow of custom authentication. Every tier has it."""

PLUGINS = "watchword_plugins."
"""Where the kinds of this table are from. A kind of the same name from elsewhere is another one."""


@frozen
class NativeChallenge:
    """A native challenge: its *name*, the cheapest *tier* that has it, and what it does, in *words*."""

    name: str
    tier: Tier
    words: str


@frozen
class NativeMethod:
    """What Cognito has of a kind's sort.

    Attributes:
        first: the challenge by which a sign-in begins; None if it cannot.
        second: the challenge behind the password; None if there is none.
        enrolment: the challenge by which a user enrols behind the password; None if there is none.
        lacking: why it has no place where it cannot stand.
        limits: what else is other natively, whatever the settings.
    """

    first: NativeChallenge | None = None
    second: NativeChallenge | None = None
    enrolment: NativeChallenge | None = None
    lacking: str = ""
    limits: str = ""


PASSWORD = NativeChallenge("PASSWORD_SRP", "Lite", "the password")

METHODS: Final[Mapping[str, NativeMethod]] = {
    "srp": NativeMethod(first=PASSWORD),
    "email_otp": NativeMethod(
        first=NativeChallenge("EMAIL_OTP", "Essentials", "a code by mail"),
        second=NativeChallenge("EMAIL_OTP", "Essentials", "a code by mail"),
    ),
    "sms_otp": NativeMethod(
        first=NativeChallenge("SMS_OTP", "Essentials", "a code by SMS"),
        second=NativeChallenge("SMS_MFA", "Lite", "a code by SMS"),
    ),
    "passkey": NativeMethod(
        first=NativeChallenge("WEB_AUTHN", "Essentials", "a passkey"),
        lacking="a native passkey is a first factor, and never asked for behind another one",
        limits="natively one RP id for the whole pool, and users enrol after a sign-in only",
    ),
    "totp": NativeMethod(
        second=NativeChallenge("SOFTWARE_TOKEN_MFA", "Lite", "the code of an authenticator app"),
        enrolment=NativeChallenge("MFA_SETUP", "Lite", "an authenticator app, set up if there is none"),
        lacking="the native code of an app comes behind the password only",
    ),
}
"""The kinds of Watchword that have a native counterpart, by their names."""

NONE_NATIVE: Final[Mapping[str, str]] = {
    "captcha": "Cognito has no CAPTCHA in a sign-in",
    "magic_link": "Cognito has no sign-in by a link",
    "proof_of_work": "Cognito has no proof of work",
    "recovery_codes": "Cognito has no recovery codes",
}
"""The kinds of Watchword that have none, and what to say of that."""

FACTOR_CHOICE = NativeChallenge("SELECT_CHALLENGE", "Essentials", "the user chooses the first factor")
MFA_CHOICE = NativeChallenge("SELECT_MFA_TYPE", "Lite", "the user chooses the second factor")

CODE_DIGITS = 8
APP_CODE_DIGITS = 6
PASSKEY_ALGORITHMS: Final = frozenset({-7, -257})
"""ES256 and RS256, by their numbers in COSE."""
PASSKEY_VERIFICATION: Final = ("required", "preferred")
PASSKEY_FOR_BOTH = "MULTI_FACTOR_WITH_USER_VERIFICATION"
"""The FactorConfiguration with which a passkey is enough where the pool demands a second factor."""
SESSION_MINUTES: Final = (3, 15)


@frozen
class NativeSetting:
    """A setting of a kind: whether Cognito's own way *fits* its value, and if not, what to say of it."""

    kind: str
    name: str
    fits: Callable[[object], bool] = field(eq=False)
    otherwise: str


SETTINGS: Final[tuple[NativeSetting, ...]] = (
    NativeSetting(
        "email_otp", "length", lambda value: value == CODE_DIGITS, f"{{value}} symbols: native codes have {CODE_DIGITS}"
    ),
    NativeSetting("email_otp", "alphabet", lambda value: value == "digits", "{value}: native codes are digits"),
    NativeSetting(
        "email_otp",
        "templates",
        lambda value: value is None,
        "your own mails in each language: natively one text for all (EmailMfaConfiguration), or a CustomMessage trigger of yours",
    ),
    NativeSetting(
        "sms_otp",
        "length",
        lambda value: value == CODE_DIGITS,
        f"{{value}} digits: Cognito has no setting for it; its first factor has {CODE_DIGITS}",
    ),
    NativeSetting(
        "sms_otp",
        "countries",
        lambda value: not value,
        "only to numbers in {value}: a pool has no such setting",
    ),
    NativeSetting(
        "passkey",
        "algorithms",
        lambda value: set(cast("tuple[int, ...]", value)) <= PASSKEY_ALGORITHMS,
        "keys of other algorithms, such as EdDSA: native passkeys are ES256 and RS256",
    ),
    NativeSetting(
        "passkey",
        "user_verification",
        lambda value: value in PASSKEY_VERIFICATION,
        f"{{value}}: native passkeys know {' and '.join(PASSKEY_VERIFICATION)}",
    ),
    NativeSetting(
        "totp",
        "digits",
        lambda value: value == APP_CODE_DIGITS,
        f"{{value}}: the native code of an app has {APP_CODE_DIGITS}",
    ),
    NativeSetting("totp", "period", lambda value: value == 30, "{value} s: Cognito has no setting for it"),
)
"""Settings that mean something natively too. What a kind has beside them is told of all steps at once."""

ONLY_NATIVE: Final[tuple[str, ...]] = (
    "managed login, the pages that Cognito serves: custom authentication has none",
    "no function, table or key of yours to run",
    "a code that was answered verifies the address or the number",
    "step-up by TARGET_ACR_VALUES, with the claims acr and amr (from Essentials)",
)
"""What a flow on custom authentication cannot have."""

ONLY_CUSTOM_TOKENS: Final = (
    "tokens that tell which steps of the flow were passed (sign_in_methods, sign_in_flow, sign_in_at), by pre_token: native "
    "ones tell acr and amr, of a step-up"
)
"""What Pre Token Generation tells of a flow, and of nothing else: docs/explanation/evidence-in-tokens.md."""


def dearer(one: Tier, other: Tier) -> Tier:
    """Return the one of two tiers that has what both have."""
    return one if TIERS.index(one) >= TIERS.index(other) else other
