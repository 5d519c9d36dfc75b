"""What a live pool lacks for native sign-in: read through boto3, in shapes that botocore checks."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.stub import Stubber

from kit.paths import FLOWS
from watchword import Flow, one_of, sequence
from watchword_adapters.advice import native_facts as facts
from watchword_adapters.advice.native_reach import reach_into
from watchword_adapters.advice.pool_gap import gap_of
from watchword_adapters.cli import main
from watchword_adapters.deploy.reading import read_aws
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.passkey import Passkey
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

ID = "us-east-1_Abc123"
MAIL = Flow(EmailOtp())
SMS = SmsOtp(countries=("+49",))
PASSKEY = Passkey(rp_id="example.com", origins=("https://example.com",))
ENOUGH = "so that a passkey is enough where a second factor is demanded"
APP = Flow(sequence(Srp(), Totp()))


def aws(pool, mfa=None):
    """Clients that answer once with *pool* and *mfa*; MFA may not be read if that is None."""
    client = boto3.client(
        "cognito-idp", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    stub = Stubber(client)
    stub.add_response("describe_user_pool", {"UserPool": {"Id": ID, **pool}}, {"UserPoolId": ID})
    if mfa is None:
        stub.add_client_error("get_user_pool_mfa_config", "AccessDeniedException", "canary")
    else:
        stub.add_response("get_user_pool_mfa_config", mfa, {"UserPoolId": ID})
    stub.activate()
    return lambda service: client


def gap(flow, pool, mfa=None):
    """What the pool lacks for *flow*."""
    return gap_of(read_aws.read_pool(aws(pool, mfa), ID), reach_into(flow))


def allows(*factors):
    """A pool on Essentials that allows these first factors."""
    return {"UserPoolTier": "ESSENTIALS", "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": list(factors)}}}


@pytest.mark.parametrize(
    ("flow", "pool", "mfa", "lacks"),
    [
        (MAIL, allows("PASSWORD", "EMAIL_OTP"), {"MfaConfiguration": "OFF"}, ()),
        (
            MAIL,
            {"UserPoolTier": "LITE"},
            {},
            ("UserPoolTier ESSENTIALS in place of LITE", "EMAIL_OTP among SignInPolicy.AllowedFirstAuthFactors"),
        ),
        (
            MAIL,
            allows("EMAIL_OTP"),
            {"MfaConfiguration": "ON"},
            ("MfaConfiguration OPTIONAL or OFF in place of ON, which lets nobody in by EMAIL_OTP alone",),
        ),
        (
            APP,
            {"UserPoolTier": "LITE"},
            {"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": {"Enabled": False}},
            (
                "MfaConfiguration ON, or OPTIONAL, in place of OFF",
                "SoftwareTokenMfaConfiguration for SOFTWARE_TOKEN_MFA",
            ),
        ),
        (APP, {}, {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}, ()),
        (
            Flow(sequence(Srp(), SMS)),
            {"UserPoolTier": "PLUS"},
            {"MfaConfiguration": "ON"},
            ("SmsMfaConfiguration for SMS_MFA",),
        ),
        (
            Flow(sequence(Srp(), EmailOtp())),
            {},
            {"MfaConfiguration": "ON"},
            ("EmailMfaConfiguration for EMAIL_OTP",),
        ),
        (
            Flow(one_of(PASSKEY, SMS)),
            allows("PASSWORD"),
            {"MfaConfiguration": "OPTIONAL"},
            (
                "WEB_AUTHN among SignInPolicy.AllowedFirstAuthFactors",
                "WebAuthnConfiguration with a RelyingPartyId",
                "SMS_OTP among SignInPolicy.AllowedFirstAuthFactors",
            ),
        ),
        (
            Flow(PASSKEY),
            allows("WEB_AUTHN"),
            {"MfaConfiguration": "ON", "WebAuthnConfiguration": {"RelyingPartyId": "example.com"}},
            (f"FactorConfiguration {facts.PASSKEY_FOR_BOTH}, {ENOUGH}",),
        ),
        (
            Flow(one_of(PASSKEY, sequence(Srp(), Totp()))),
            allows("WEB_AUTHN"),
            {
                "MfaConfiguration": "OPTIONAL",
                "SoftwareTokenMfaConfiguration": {"Enabled": True},
                "WebAuthnConfiguration": {"RelyingPartyId": "example.com", "FactorConfiguration": "SINGLE_FACTOR"},
            },
            (f"FactorConfiguration {facts.PASSKEY_FOR_BOTH}, {ENOUGH}",),
        ),
    ],
)
def test_what_a_pool_lacks_is_told_by_the_names_of_the_service(flow, pool, mfa, lacks):
    """Tier, first factors, second factors, passkeys; a pool whose tier is not said is on Essentials."""
    found = gap(flow, pool, mfa)
    assert (lacks, ()) == (found.lacks, found.unread)


def test_what_may_not_be_read_is_said():
    """Not in AWS's own words."""
    found = gap(MAIL, {**allows("EMAIL_OTP"), "EstimatedNumberOfUsers": 12})
    assert ((), ("the pool's MFA (AccessDeniedException)",), 12, "Essentials") == (
        found.lacks,
        found.unread,
        found.users,
        found.tier,
    )


def run(capsys, monkeypatch, pool, *words, flow="email_code"):
    """Advise on an example flow, with a pool."""
    monkeypatch.setattr(read_aws, "clients", lambda region, endpoint: aws(pool))
    assert 0 == main(["advise", str(FLOWS / f"{flow}.toml"), "--pool-id", ID, "--users", "20000", *words])
    return capsys.readouterr().out


def test_the_command_reckons_on_the_tier_of_the_pool(capsys, monkeypatch):
    """Unless --tier says what the pool will be on."""
    read = json.loads(run(capsys, monkeypatch, allows("PASSWORD"), "--json"))
    assert ("Essentials", "Essentials") == tuple(read["monthly"][each]["tier"] for each in ("native", "custom"))
    assert {
        "id": ID,
        "tier": "Essentials",
        "users": 0,
        "lacks": ["EMAIL_OTP among SignInPolicy.AllowedFirstAuthFactors"],
        "unread": ["the pool's MFA (AccessDeniedException)"],
    } == read["pool"]
    read = json.loads(run(capsys, monkeypatch, allows("PASSWORD"), "--json", "--tier", "lite"))
    assert "Lite" == read["monthly"]["custom"]["tier"]


@pytest.mark.parametrize("factor", ["PASSWORD", "EMAIL_OTP"])
@pytest.mark.parametrize("flow", ["email_code", "captcha_only"])
def test_the_text_says_what_the_pool_lacks(flow, factor, capsys, monkeypatch):
    """In 80 columns; where native sign-in can do nothing, there is nothing to lack."""
    out = run(capsys, monkeypatch, allows(factor), flow=flow)
    assert 80 >= max(map(len, out.splitlines()))
    assert "not read: the pool's MFA (AccessDeniedException)" in out
    assert ("For native sign-in it needs" in " ".join(out.split())) == (flow == "email_code" and factor == "PASSWORD")
    assert ("It has all that native sign-in needs" in " ".join(out.split())) == (
        flow == "email_code" and factor == "EMAIL_OTP"
    )


@pytest.mark.parametrize("option", ["--region", "--endpoint"])
def test_where_to_look_without_what_is_refused(option, capsys):
    """A region without a pool would be taken no notice of."""
    assert 2 == main(["advise", str(FLOWS / "email_code.toml"), option, "x"])
    assert option in capsys.readouterr().err
