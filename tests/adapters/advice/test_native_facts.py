"""What Cognito's native sign-in can do, compared with the service's own model: a change of the service shows here."""

from __future__ import annotations

import re

import pytest
from botocore.session import get_session

from watchword.contract.members import settings_of
from watchword.loading.registry import Registry
from watchword_adapters.advice import native_facts as facts
from watchword_adapters.advice.native_facts import METHODS, NONE_NATIVE, SETTINGS, TIERS_BY_NAME
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.totp import Totp

SHIPPED = [
    EmailOtp(),
    SmsOtp(countries=("+49",)),
    Passkey(rp_id="example.com", origins=("https://example.com",)),
    Totp(),
]


@pytest.fixture(scope="module")
def model():
    """The service model of botocore."""
    return get_session().get_service_model("cognito-idp")


def enum(model, name):
    """The words of the enumeration *name*."""
    return set(model.shape_for(name).enum)


def told(model, shape, member):
    """What the model says of *member*, without its tags."""
    return " ".join(re.sub("<[^>]+>", " ", model.shape_for(shape).members[member].documentation).split())


def test_first_factors_are_those_that_we_know(model):
    """A factor more, or an app's code as a first one, changes what native sign-in can do."""
    assert {"PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN", "SOFTWARE_TOKEN"} == enum(model, "AuthFactorType")
    assert "SOFTWARE_TOKEN is not currently supported as a first auth factor" in told(
        model, "SignInPolicyType", "AllowedFirstAuthFactors"
    )
    ours = {method.first.name.removesuffix("_SRP") for method in METHODS.values() if method.first}
    assert enum(model, "AuthFactorType") - {"SOFTWARE_TOKEN"} == ours


def test_challenges_are_those_that_we_know(model):
    """Each of ours is one of the service's; the rest of the service's are not steps of a flow."""
    methods = METHODS.values()
    places = [place for each in methods for place in (each.first, each.second, each.enrolment) if place]
    ours = {each.name for each in (*places, facts.FACTOR_CHOICE, facts.MFA_CHOICE)}
    rest = {
        *("CUSTOM_CHALLENGE", "PASSWORD", "PASSWORD_VERIFIER", "ADMIN_NO_SRP_AUTH", "NEW_PASSWORD_REQUIRED"),
        *("DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"),
    }
    assert enum(model, "ChallengeNameType") == ours | rest


def test_flows_are_those_that_we_know(model):
    """A new flow may be another way to sign in; the choice-based one has no custom authentication in it."""
    assert {
        *("USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "CUSTOM_AUTH", "ADMIN_NO_SRP_AUTH"),
        *("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_AUTH"),
    } == enum(model, "AuthFlowType")
    assert "This flow doesn't include CUSTOM_AUTH" in told(model, "UserPoolClientType", "ExplicitAuthFlows")


def test_tiers_are_those_that_we_know(model):
    """Three, Essentials if nothing is said; what we say is from Essentials, the model says too."""
    assert enum(model, "UserPoolTierType") == {*TIERS_BY_NAME}
    assert "Defaults to ESSENTIALS" in told(model, "UserPoolType", "UserPoolTier")
    for shape, member in [
        ("InitiateAuthRequest", "AuthFlow"),
        ("SetUserPoolMfaConfigRequest", "EmailMfaConfiguration"),
        ("WebAuthnConfigurationType", "FactorConfiguration"),
    ]:
        assert "Essentials tier or higher" in told(model, shape, member)
    assert "requires the Essentials or Plus feature plan" in told(model, "InitiateAuthRequest", "AuthParameters")


def test_second_factors_are_those_that_we_know(model):
    """A pool sets up texts, apps, mails and passkeys, and demands them of everybody, of nobody, or of those who have one."""
    members = set(model.shape_for("SetUserPoolMfaConfigRequest").members)
    assert {
        *("UserPoolId", "MfaConfiguration", "WebAuthnConfiguration"),
        *("SmsMfaConfiguration", "SoftwareTokenMfaConfiguration", "EmailMfaConfiguration"),
    } == members
    assert {"OFF", "ON", "OPTIONAL"} == enum(model, "UserPoolMfaType")
    assert {"Message", "Subject"} == set(model.shape_for("EmailMfaConfigType").members)


def test_passkeys_are_set_up_as_we_know(model):
    """One RP id, two ways to verify the user, and one setting by which a passkey is enough for MFA."""
    assert {"RelyingPartyId", "UserVerification", "FactorConfiguration"} == set(
        model.shape_for("WebAuthnConfigurationType").members
    )
    assert set(facts.PASSKEY_VERIFICATION) == enum(model, "UserVerificationType")
    assert {"SINGLE_FACTOR", facts.PASSKEY_FOR_BOTH} == enum(model, "WebAuthnFactorConfigurationType")


def test_times_and_lengths_are_those_of_the_service(model):
    """A session of 3 to 15 minutes; an app's code of six digits."""
    session = model.shape_for("AuthSessionValidityType").metadata
    assert (session["min"], session["max"]) == facts.SESSION_MINUTES
    code = model.shape_for("SoftwareTokenMFAUserCodeType").metadata
    assert code["min"] == code["max"] == facts.APP_CODE_DIGITS


def test_every_kind_that_ships_is_decided_upon():
    """It has a native counterpart, or words that say there is none; never both."""
    shipped = {each.name for each in Registry().installed_kinds() if each.module.startswith(facts.PLUGINS)}
    assert "email_otp" in shipped
    assert shipped <= {*METHODS, *NONE_NATIVE}
    assert not {*METHODS} & {*NONE_NATIVE}


def test_each_setting_is_one_of_its_kind():
    """Whoever renames a setting, or adds a kind, sees it here."""
    for kind in SHIPPED:
        ours = {each.name for each in SETTINGS if each.kind == kind.kind}
        assert ours and ours <= set(settings_of(kind))
    assert {each.kind for each in SETTINGS} == {kind.kind for kind in SHIPPED}
