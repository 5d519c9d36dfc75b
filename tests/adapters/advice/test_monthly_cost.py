"""What a month costs: by hand, by the figures of the how-to, and by rules that hold for every flow and every number."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kit.checked_flows import Letter
from watchword import Flow, all_of, ask_first, enrol, fallback, named, one_of, sequence, when
from watchword.algebra.blocks import client
from watchword_adapters.advice.monthly_cost import FIXED_COUNTS, Usage, custom_month, effort_of, native_month
from watchword_adapters.advice.native_facts import TIERS
from watchword_adapters.advice.native_reach import reach_into
from watchword_adapters.advice.price_list import USER_PRICES
from watchword_adapters.deploy import Target, Template
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp
from watchword_plugins.totp import Totp

MAIL = Flow(EmailOtp())
SMS = SmsOtp(countries=("+49",))


@pytest.mark.parametrize(
    ("users", "lite", "essentials", "plus"),
    [
        (0, "0", "0", "0"),
        (1, "0", "0", "0.020"),
        (10_000, "0", "0", "200"),
        (10_001, "0.0055", "0.015", "200.02"),
        (50_000, "220", "600", "1000"),
        (100_000, "495", "1350", "2000"),
        (100_001, "495.0046", "1350.015", "2000.02"),
        (1_000_000_000, "4600035", "14999850", "20000000"),
    ],
)
def test_users_cost_what_the_list_says(users, lite, essentials, plus):
    """Ten thousand are free on Lite and Essentials, none on Plus; beyond 100,000 Lite gets cheaper."""
    assert [Decimal(each) for each in (lite, essentials, plus)] == [USER_PRICES[tier].of(users) for tier in TIERS]


def test_a_million_sign_ins_cost_what_the_how_to_says():
    """docs/how-to/run-it-in-production.md reckons the same from the template: 129.01 dollars by a mailed code."""
    month = custom_month(MAIL, Usage(0))
    assert {"users", "fixed"} == {what for what, cost in month.lines.items() if cost or what == "users"}
    lines = custom_month(MAIL, Usage(1_000_000, Decimal(1))).lines
    assert ["100.00", "10.01", "17.00", "2.00"] == [str(lines[each]) for each in ("mail", "lambda", "dynamodb", "logs")]


@pytest.mark.parametrize("pre_token", [False, True])
def test_what_is_fixed_is_what_the_template_has(pre_token):
    """Two secrets, and the metrics that its alarms look at: two more if tokens tell what was passed."""
    made = Template(Flow(EmailOtp(), name="acme"), Target("arm64", "3.12"), pre_token=pre_token).document()["Resources"]
    alarms = [each["Properties"] for each in made.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(len([q for q in each.get("Metrics", [0]) if not q or "MetricStat" in q]) for each in alarms)
    assert (FIXED_COUNTS["alarm"] + 2 * pre_token, FIXED_COUNTS["own"], FIXED_COUNTS["secrets"]) == (
        watched,
        sum(each["Type"] == "AWS::Logs::MetricFilter" for each in made.values()),
        sum(each["Type"] == "AWS::SecretsManager::Secret" for each in made.values()),
    )


def test_tokens_that_tell_cost_a_call_and_a_record():
    """By hand: a million calls of half a gigabyte for 50 ms, two million read units and a million write units, an alarm."""
    plain, telling = (custom_month(MAIL, Usage(1_000_000, Decimal(1), pre_token=each)).lines for each in (False, True))
    more = {what: cost - plain[what] for what, cost in telling.items() if cost != plain[what]}
    assert {
        "lambda": Decimal("0.20") + Decimal("0.42"),
        "dynamodb": Decimal("0.25") + Decimal("0.63"),
        "fixed": Decimal("0.20"),
    } == {what: cost.quantize(Decimal("0.01")) for what, cost in more.items()}


def test_the_password_alone_leaves_no_record():
    """No Verify of ours comes after it."""
    plain, telling = (custom_month(Flow(Srp()), Usage(1_000_000, pre_token=each)).lines for each in (False, True))
    assert telling["dynamodb"] == plain["dynamodb"]
    assert telling["lambda"] > plain["lambda"]


@pytest.mark.parametrize(
    ("block", "calls", "messages"),
    [
        (EmailOtp(), (2, 1, 1), {"email": 1}),
        (Srp(), (2, 0, 0), {}),
        (sequence(Srp(), EmailOtp()), (3, 1, 1), {"email": 1}),
        (sequence(Captcha(), EmailOtp(), SMS), (4, 3, 3), {"email": 1, "sms": 1}),
        (one_of(EmailOtp(), SMS), (3, 2, 2), {"sms": 1}),
        (one_of(sequence(Srp(), Captcha()), EmailOtp()), (2, 1, 1), {"email": 1}),
        (all_of(EmailOtp(), SMS), (5, 4, 4), {"email": 1, "sms": 1}),
        (fallback(EmailOtp(), SMS), (2, 1, 1), {"email": 1}),
        (ask_first(EmailOtp()), (3, 2, 2), {"email": 1}),
        (when(client("app"), Captcha(), sequence(EmailOtp(), named("second", Captcha()))), (3, 2, 2), {"email": 1}),
        (sequence(EmailOtp(), enrol(Totp())), (3, 2, 2), {"email": 1}),
        (sequence(Captcha(), when(client("app"), EmailOtp())), (3, 2, 2), {"email": 1}),
    ],
    ids=range(12),
)
def test_a_sign_in_takes_the_dearest_way(block, calls, messages):
    """A round calls each function once, and Define is called once more; a choice is a round, the password calls Define."""
    effort = effort_of(Flow(block))
    assert calls == tuple(effort.calls[name] for name in ("define", "create", "verify"))
    assert messages == dict(Counter(channel for _, channel in effort.senders))


def test_a_price_that_is_not_known_is_not_guessed():
    """A text costs what the operator says, natively as on custom authentication; without that the total says so."""
    flow, usage = Flow(SMS), Usage(1_000, Decimal(2), Decimal("1.5"))
    custom, native = custom_month(flow, usage), native_month(flow, reach_into(flow), usage)
    assert (None, None, False, False) == (custom.lines["sms"], native.lines["sms"], custom.complete, native.complete)
    priced = Usage(1_000, Decimal(2), Decimal("1.5"), Decimal("0.04"))
    assert Decimal("120.00") == custom_month(flow, priced).lines["sms"]
    assert custom_month(flow, priced).complete
    assert custom_month(Flow(Letter("letter")), priced).lines["other_messages"] is None


def test_native_sign_in_is_paid_on_the_tier_that_it_needs():
    """Essentials for a code alone, Lite for the password and an app; more if the pool needs more, and nothing if it can nothing."""
    usage = Usage(100_000)
    assert "Essentials" == native_month(MAIL, reach_into(MAIL), usage).tier
    app = Flow(sequence(Srp(), Totp()))
    assert "Lite" == native_month(app, reach_into(app), usage).tier
    assert "Plus" == native_month(MAIL, reach_into(MAIL), usage, "Plus").tier
    assert native_month(Flow(Captcha()), reach_into(Flow(Captcha())), usage) is None


@pytest.mark.parametrize(
    ("block", "custom", "native"),
    [
        (fallback(EmailOtp(), SMS), {"mail": 2}, {"mail": 2}),
        (all_of(EmailOtp(), SMS), {"mail": 2, "sms": 200}, {"sms": 200}),
        (sequence(EmailOtp(), SMS), {"mail": 2, "sms": 200}, {"mail": 2}),
        (one_of(EmailOtp(), SMS), {"sms": 200}, {"sms": 200}),
        (sequence(Captcha(), EmailOtp()), {"mail": 2}, {"mail": 2}),
        (sequence(Srp(), named("letter", Letter("post"))), {"other_messages": None}, {}),
    ],
    ids=range(6),
)
def test_both_are_reckoned_on_the_same_messages(block, custom, native):
    """Native sign-in pays for no message that the dearest way does not send, and for none that it could not send."""
    flow, usage = Flow(block), Usage(10_000, Decimal(2), Decimal(1), Decimal("0.01"))
    for month, expected in [(custom_month(flow, usage), custom), (native_month(flow, reach_into(flow), usage), native)]:
        assert expected == {
            what: cost for what, cost in month.lines.items() if what in {"mail", "sms", "other_messages"}
        }


FLOWS = [
    MAIL,
    Flow(sequence(Srp(), Totp())),
    Flow(one_of(EmailOtp(), named("text", SMS))),
    Flow(sequence(Captcha(), all_of(EmailOtp(), Totp()))),
]


USAGES = st.builds(
    Usage,
    st.integers(0, 10**10),
    st.decimals(0, 10_000, places=6),
    st.decimals(0, 10_000, places=6),
    st.none() | st.decimals(0, 10_000, places=6),
)


@given(flow=st.sampled_from(FLOWS), usage=USAGES, tier=st.sampled_from(TIERS))
def test_every_month_adds_up_in_cents(flow, usage, tier):
    """Lines are whole cents and never below 0, the total is their sum, and a user more makes nothing cheaper."""
    reach, one_more = reach_into(flow), evolve(usage, users=usage.users + 1)
    for month, more in [
        (custom_month(flow, usage, tier), custom_month(flow, one_more, tier)),
        (native_month(flow, reach, usage, tier), native_month(flow, reach, one_more, tier)),
    ]:
        known = [each for each in month.lines.values() if each is not None]
        assert month.total == sum(known)
        assert all(each >= 0 and each == each.quantize(Decimal("0.01")) for each in known)
        assert month.total <= more.total
        assert TIERS.index(tier) <= TIERS.index(month.tier)
