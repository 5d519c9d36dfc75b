"""Cautions: a flow that may issue tokens without a factor is called so, and no other is."""

from __future__ import annotations

import pytest

from watchword import Flow, all_of, at_least, attribute, fallback, named, one_of, sequence, when
from watchword_adapters.cli.cautions import cautions
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

GOLD = attribute("custom:tier", "gold")

SOUND = [
    EmailOtp(),
    Srp(),
    named("code", EmailOtp()),
    sequence(Captcha(), EmailOtp()),
    sequence(Srp(), when(GOLD, Captcha())),
    one_of(Srp(), EmailOtp()),
    all_of(Captcha(), EmailOtp()),
    at_least(2, Captcha(), EmailOtp()),
    fallback(EmailOtp(), named("other", EmailOtp())),
    when(GOLD, EmailOtp(), named("other", EmailOtp())),
]
UNSOUND = [
    Captcha(),
    named("puzzle", Captcha()),
    sequence(Captcha(), when(GOLD, EmailOtp())),
    one_of(EmailOtp(), Captcha()),
    at_least(1, Captcha(), EmailOtp()),
    at_least(2, Captcha(), named("second", Captcha()), EmailOtp()),
    fallback(EmailOtp(), Captcha()),
    when(GOLD, EmailOtp(), Captcha()),
]


@pytest.mark.parametrize("body", SOUND, ids=lambda body: repr(body)[:60])
def test_a_flow_that_proves_a_factor_on_every_path_has_no_caution(body):
    """Whatever the user chooses, and however the conditions fall, somebody is proven to be somebody."""
    assert () == cautions(Flow(body))


@pytest.mark.parametrize("body", UNSOUND, ids=lambda body: repr(body)[:60])
def test_a_flow_that_can_be_passed_without_a_factor_has_one(body):
    """One path without a factor is enough; the caution names the flow and the remedy."""
    (caution,) = cautions(Flow(body, name="acme"))
    assert '"acme" proves nothing about who signs in' in caution
    assert "put a step" in caution
