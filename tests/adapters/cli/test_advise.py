"""`watchword advise`: names that scripts rely on, text that fits a terminal, and wrong numbers that are refused."""

from __future__ import annotations

import json

import pytest

from kit.paths import FLOWS
from watchword_adapters.cli import main

EXAMPLES = sorted(FLOWS.glob("*.toml"))
MAIL = str(FLOWS / "email_code.toml")


def run(capsys, *words):
    """Return the status, what was printed and what was said on stderr."""
    status = main(["advise", *words])
    return (status, *capsys.readouterr())


def as_json(capsys, *words):
    """Return what was printed, read as JSON."""
    status, out, err = run(capsys, *words, "--json")
    assert (0, "") == (status, err)
    return json.loads(out)


def test_the_json_has_its_shape(capsys):
    """Scripts rely on `native`, `only_custom`, `tier`, `prices_as_of` and `monthly`."""
    read = as_json(capsys, MAIL, "--users", "100000")
    assert [
        *("flow", "covers", "native", "only_custom", "only_native", "ways", "tier"),
        *("prices_as_of", "monthly", "pool", "notes", "advice"),
    ] == list(read)
    assert ("email_code", "all", "Essentials", "2026-11-28") == tuple(
        read[each] for each in ("flow", "covers", "tier", "prices_as_of")
    )
    assert ["email_otp: a code by mail (EMAIL_OTP) (from Essentials)"] == read["native"]
    assert [{"steps": ["email_otp"], "challenges": ["EMAIL_OTP"], "tier": "Essentials", "whole": True}] == read["ways"]
    assert {
        "tier": "Essentials",
        "users": 1350.0,
        "mail": 40.0,
        "total": 1390.0,
        "complete": True,
    } == read["monthly"]["native"]
    custom = read["monthly"]["custom"]
    assert ["tier", "users", "mail", "lambda", "dynamodb", "logs", "fixed", "total", "complete"] == list(custom)
    assert ("Lite", 495.0, 40.0) == (custom["tier"], custom["users"], custom["mail"])
    assert f"{1390 - custom['total']:.2f} dollars less" in read["advice"]


@pytest.mark.parametrize("flow", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("users", ["0", "1", "1000000000"])
def test_text_fits_80_columns_and_says_what_the_json_says(flow, users, capsys):
    """Every sentence of the JSON is in the text, however many users there are."""
    status, out, err = run(capsys, str(flow), "--users", users)
    assert (0, "") == (status, err)
    assert 80 >= max(map(len, out.splitlines()))
    flat = " ".join(out.split())
    read = as_json(capsys, str(flow), "--users", users)
    for sentence in (*read["native"], *read["only_custom"], *read["only_native"], *read["notes"]):
        assert " ".join(sentence.split()) in flat
    assert f"{read['monthly']['custom']['total']:,.2f}" in flat
    assert (int(users) > 100_000) == ("upper bounds" in flat)


def test_nothing_native_has_no_tier_and_no_price(capsys):
    """A picture alone: null where there is nothing to say."""
    read = as_json(capsys, str(FLOWS / "captcha_only.toml"))
    assert ("nothing", [], [], None, None) == (
        read["covers"],
        read["native"],
        read["ways"],
        read["tier"],
        read["monthly"]["native"],
    )
    assert any(each.startswith("captcha: ") for each in read["only_custom"])


def test_options_change_what_is_reckoned(capsys):
    """Sign-ins, messages and the tier; a price for texts where there are some."""
    month = as_json(capsys, MAIL, "--users", "20000", "--sign-ins", "2.5", "--messages", "1.2", "--tier", "plus")[
        "monthly"
    ]
    assert ("Plus", "Plus", 400.0, 6.0) == (
        month["native"]["tier"],
        month["custom"]["tier"],
        month["custom"]["users"],
        month["custom"]["mail"],
    )


def test_what_tokens_tell_is_reckoned_when_it_is_asked_for(capsys):
    """Only custom authentication has it; on Lite in ID tokens alone. The native column is the same."""
    without, with_it = (as_json(capsys, MAIL, *words) for words in ((), ("--pre-token",)))
    assert (False, True) == (without["monthly"]["pre_token"], with_it["monthly"]["pre_token"])
    assert without["monthly"]["native"] == with_it["monthly"]["native"]
    assert without["monthly"]["custom"]["total"] < with_it["monthly"]["custom"]["total"]
    [told] = set(with_it["only_custom"]) - set(without["only_custom"])
    assert "sign_in_methods" in told
    assert ["ID tokens alone" in each for each in with_it["notes"]].count(True) == 1
    essentials = as_json(capsys, MAIL, "--pre-token", "--tier", "essentials")
    assert not any("ID tokens alone" in each for each in essentials["notes"])
    _, out, _ = run(capsys, MAIL, "--pre-token")
    assert 80 >= max(map(len, out.splitlines()))


def test_a_text_without_a_price_is_a_question_mark(capsys, tmp_path):
    """Prices differ a hundredfold by country: none is guessed, and the total says that it is not all."""
    flow = tmp_path / "text.toml"
    flow.write_text('[[steps]]\nkind = "sms_otp"\ncountries = ["+49"]\n', encoding="utf-8")
    _, out, _ = run(capsys, str(flow), "--users", "1000")
    assert "give --sms-price" in " ".join(out.split())
    assert any(line.split()[-2:] == ["?", "?"] for line in out.splitlines())
    month = as_json(capsys, str(flow), "--users", "1000", "--sms-price", "0.05")["monthly"]
    assert (200.0, 200.0, True) == (month["native"]["sms"], month["custom"]["sms"], month["custom"]["complete"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(
            ("--users", each)
            for each in (
                "-1",
                "1.5",
                "many",
                "",
                "1e9",
                "nan",
                "10000000001",
                "\N{ARABIC-INDIC DIGIT ONE}",
                "1_0",
                " 1",
            )
        ),
        *(("--sign-ins", each) for each in ("-1", "inf", "10001", "1e-300", "0x1")),
        *(("--messages", each) for each in ("-0.5", "two")),
        *(("--sms-price", each) for each in ("free", "$0.04", "-1")),
    ],
)
def test_what_is_no_number_is_refused(option, value, capsys):
    """Status 2, one line that names the option and what to give, and nothing on stdout."""
    status, out, err = run(capsys, MAIL, f"{option}={value}")
    assert (2, "") == (status, out)
    assert 1 == err.count("\n")
    assert option in err


@pytest.mark.parametrize("words", [(), ("no-such.toml",), (MAIL, "--tier", "gold"), (MAIL, "--user", "5")])
def test_what_is_given_wrongly_is_refused(words, capsys):
    """No flow, a file that is not there, a tier that there is not, an option that there is not."""
    status, out, err = run(capsys, *words)
    assert (2, "") == (status, out)
    assert 1 == err.count("\n")
