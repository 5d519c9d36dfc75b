"""`watchword check` reckons the money that a stranger can burn in a day, and calls a message by its channel."""

import json
import re
from decimal import Decimal

import pytest
from attrs import frozen

from watchword import Flow, Limits, ask_first, fallback, named, one_of, sequence
from watchword.analysis.checks import check
from watchword.contract.messages.channel_names import word_for, word_for_one, words_for
from watchword.loading.registry import Registry
from watchword_adapters.cli import main
from watchword_adapters.cli.messages.message_costs import message_costs, read_prices
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.sms_otp import SmsOtp
from watchword_plugins.srp import Srp

SMS = SmsOtp(length=8, countries=("+49",))


@frozen
class Pushed(EmailOtp):
    """A kind on a channel that nothing in Watchword names."""

    kind = "pushed"
    channel = "push"


def figures(flow, channel="sms"):
    """What `check` says of *channel*."""
    return next(each for each in check(flow).figures.channels if each.channel == channel)


@pytest.mark.parametrize(
    ("flow", "by_strangers", "all_", "before"),
    [
        (Flow(SMS), 10, 10, ()),
        (Flow(ask_first(SMS)), 10, 10, ()),
        (Flow(sequence(Captcha(), SMS)), 10, 10, ("captcha",)),
        (Flow(sequence(Srp(), SMS)), 0, 10, ("password",)),
        (Flow(sequence(Srp(), Captcha(), SMS)), 0, 10, ("password", "captcha")),
        (Flow(sequence(EmailOtp(), SMS)), 0, 10, ("email_otp",)),
        (Flow(one_of(SMS, EmailOtp())), 10, 10, ()),
        (Flow(one_of(sequence(Captcha(), SMS), EmailOtp())), 10, 10, ("captcha",)),
        (Flow(fallback(EmailOtp(), SMS)), 10, 10, ()),
        (Flow(sequence(one_of(Captcha(), EmailOtp()), SMS)), 10, 20, ()),
        (Flow(sequence(SMS, named("second", SMS))), 10, 20, ()),
        (Flow(SMS, limits=Limits(messages="2/day")), 2, 2, ()),
    ],
)
def test_a_channel_has_a_budget_for_strangers_and_one_for_whoever_proved_a_factor(flow, by_strangers, all_, before):
    """And what every way to the first message asks for is named."""
    found = figures(flow)
    assert (by_strangers, all_, set(before)) == (found.by_strangers_per_day, found.per_day, set(found.before))


def test_each_channel_has_figures_of_its_own():
    """In the order of their names; a flow that sends nothing has none."""
    assert ["email", "push", "sms"] == [
        each.channel for each in check(Flow(sequence(EmailOtp(), Pushed(), SMS))).figures.channels
    ]
    assert () == check(Flow(Captcha())).figures.channels


def costs_of(flow, *prices):
    """What messages of *flow* cost at *prices*."""
    return message_costs(flow, check(flow).figures, read_prices(prices, Registry()))


@pytest.mark.parametrize(
    ("price", "usd"),
    [
        ("sms=0.08", "0.08"),
        ("sms=1", "1"),
    ],
)
def test_messages_times_parts_times_price(price, usd):
    """A price that is written is for one part."""
    (cost,) = costs_of(Flow(SMS), price)
    assert (Decimal(usd), 10 * cost.parts * Decimal(usd)) == (cost.price.usd, cost.of(10))


@pytest.mark.parametrize(
    ("price", "usd"),
    [
        ("sns://", "0.50"),
        ("sns://?max_price=0.12&region=eu-west-1", "0.12"),
        ("sms-voice://?origination=pool-0123&max_price=0.10", "0.10"),
        ("ses://?from=a@b.example sms-voice://?origination=pool-0123&max_price=0.10", "0.10"),
        (" sns://?max_price=0.12\n", "0.12"),
    ],
)
def test_what_a_courier_pays_at_most_is_for_a_whole_message(tmp_path, price, usd):
    """As the services have it: its parts make it no dearer. The URLs are those of WATCHWORD_COURIER; no courier is in the flow."""
    (tmp_path / "en.txt").write_text("$code " + "Q" * 200, encoding="utf-8")
    (cost,) = costs_of(Flow(SmsOtp(countries=("+49",), templates=str(tmp_path))), price)
    assert (2, 10 * Decimal(usd)) == (cost.parts, cost.of(10))


def test_a_price_of_couriers_is_of_those_that_have_one(capsys, flow_file):
    """Of several, those without a price are passed over; if none has one, each is named."""
    assert 2 == main(["check", flow_file, "--price", "ses://?from=a@b.example console:"])
    assert "none of the couriers of ses:, console: has a max_price" in capsys.readouterr().err
    assert 2 == main(["check", flow_file, "--price", "sns:// sms-voice://?origination=ACME&max_price=1"])
    assert "two prices are given for sms" in capsys.readouterr().err


def test_the_language_with_the_most_parts_counts(tmp_path):
    """A user's locale decides which it is, and strangers have users of their own."""
    (tmp_path / "en.txt").write_text("$code", encoding="utf-8")
    (tmp_path / "tlh.txt").write_text("$code " + "Q" * 200, encoding="utf-8")
    (tmp_path / "el.txt").write_text("$code " + "ж" * 70, encoding="utf-8")
    kind = SmsOtp(countries=("+49",), templates=str(tmp_path))
    assert 2 == costs_of(Flow(kind))[0].parts
    (tmp_path / "tlh.txt").write_text("$code " + "Q" * 400, encoding="utf-8")
    assert 3 == costs_of(Flow(SmsOtp(countries=("+49",), templates=str(tmp_path))))[0].parts


FLOW = '[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\nlength = 8\n'


@pytest.fixture
def flow_file(tmp_path):
    """A flow with one code by SMS."""
    path = tmp_path / "flow.toml"
    path.write_text(FLOW, encoding="utf-8")
    return str(path)


def test_the_json_has_figures_with_units(capsys, flow_file):
    """A count a day, and US dollars; null for what nothing bounds."""
    assert 0 == main(["check", flow_file, "--json", "--price", "sms=0.07"])
    (sms,) = json.loads(capsys.readouterr().out)["figures"]["channels"]
    assert {
        "channel": "sms",
        "before": [],
        "messages_by_strangers_per_user_day": 10,
        "usd_per_part": 0.07,
        "usd_per_message": 0.07 * sms["parts_per_message"],
    }.items() <= sms.items()
    assert (sms["messages_over_all_users_per_day"], sms["usd_over_all_users_per_day"]) == (None, None)
    assert sms["usd_by_strangers_per_address_day"] == pytest.approx(10 * sms["parts_per_message"] * 0.07)


def test_the_table_says_what_is_bounded_and_what_is_not(capsys, flow_file):
    """Per user and per number there is a bound; over all users there is none, and what to do instead is said."""
    assert 0 == main(["check", flow_file, "--price", "sms=0.07"])
    out = capsys.readouterr().out
    assert re.search(r"SMS by strangers +10 a day to one user, and to one address or number", out)
    assert re.search(r"cost of SMS a day +\d+\.\d\d USD for one user", out)
    assert re.search(r"SMS to all users +not bounded: .*alarm.*limit", out)


def test_the_price_of_a_courier_is_told_as_that_of_a_message(capsys, flow_file, tmp_path):
    """Not as that of a part."""
    assert 0 == main(["check", flow_file, "--price", "sns://?max_price=0.5"])
    assert re.search(
        r"cost of SMS a day +5\.00 USD for one user.*; 0\.50? USD for one SMS with all of its parts",
        capsys.readouterr().out,
    )
    behind = tmp_path / "behind.toml"
    behind.write_text(f"[[steps]]\nkind = 'srp'\n{FLOW}", encoding="utf-8")
    assert 0 == main(["check", str(behind), "--price", "sns://?max_price=0.5"])
    assert (
        "0.00 USD for one user, and for one address or number, by strangers, 5.00 USD with" in capsys.readouterr().out
    )
    assert 0 == main(["check", flow_file, "--json", "--price", "sns://?max_price=0.5"])
    (sms,) = json.loads(capsys.readouterr().out)["figures"]["channels"]
    assert (None, 0.5, 5.0) == (sms["usd_per_part"], sms["usd_per_message"], sms["usd_per_user_day"])


def test_without_a_price_the_command_says_how_to_give_one(capsys, flow_file):
    """The number of messages and of parts is known all the same."""
    main(["check", flow_file])
    assert re.search(r"cost of SMS a day +not known: .*--price sms=0\.08", capsys.readouterr().out)


@pytest.mark.parametrize(
    "price",
    [
        "sms",
        "sms=",
        "sms=-1",
        "sms=1e3",
        "sms=0,08",
        "sms=\u0660",
        "=1",
        "SMS=1",
        "email=0.1",
        "console://",
        "sns://?max_price=x",
        "nothing://",
        "sms=1=2",
    ],
)
def test_a_price_that_cannot_be_read_or_is_for_nothing_is_refused(capsys, flow_file, price):
    """With status 2, and the option that is meant."""
    assert 2 == main(["check", flow_file, "--price", price])
    assert "" == capsys.readouterr().out


def test_two_prices_for_one_channel_are_refused(capsys, flow_file):
    """Nobody knows which one is meant."""
    assert 2 == main(["check", flow_file, "--price", "sms=1", "--price", "sns://"])
    assert "two prices are given for sms" in capsys.readouterr().err


CHANNELS = {"sms": SMS, "push": Pushed()}


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_finding_says_mail_of_another_channel(channel):
    """At once, behind a puzzle, as a way out: a message is called by its channel."""
    kind = CHANNELS[channel]
    flows = [
        Flow(kind),
        Flow(sequence(Captcha(), kind)),
        Flow(sequence(Srp(), fallback(kind, Captcha()))),
        Flow(one_of(kind, named("other", kind))),
        Flow(kind, limits=Limits(messages="999/day", guesses="50/day")),
    ]
    said = [finding.message for flow in flows for finding in check(flow).findings]
    assert [] == [each for each in said if re.search(r"\bmails?\b", each)]
    assert any(word_for(channel) in each for each in said)


@pytest.mark.parametrize("command", ["check", "explain", "graph"])
def test_no_command_says_mail_of_an_sms(capsys, flow_file, command):
    """Neither in a figure nor in an explanation."""
    main([command, flow_file])
    assert not re.search(r"\bmails?\b", capsys.readouterr().out)


def test_channels_are_called_by_one_word():
    """Of a channel that nobody knows its name is said; of none, that they are messages."""
    assert ("mail", "SMS", "messages by 'push'") == (word_for("email"), word_for("sms"), word_for("push"))
    assert ("mail", "SMS", "message by 'push'") == tuple(map(word_for_one, ("email", "sms", "push")))
    assert "mail and SMS" == words_for(["sms", "email", "sms"])
    assert "messages" == words_for([])
