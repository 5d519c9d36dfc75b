"""The code by SMS: what it sends, to whom, what it shows, and which answers it takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from watchword import Challenge, Flow, Sms, User, load_flow, sequence
from watchword.contract import SmsSize, is_telephone_number, powers_of, write_token_answer
from watchword.errors import ConfigurationError
from watchword.testing import ANN, NOBODY, FlowUser, access_token, create_request, recorded_codes, verify_request
from watchword.testing.hostile import HOSTILE_NUMBERS
from watchword_adapters.ledgers import MemoryLedger
from watchword_plugins import sms_otp
from watchword_plugins.sms_otp import _COUNTRY_CODES, _MOST_COUNTRIES, _SERVICES, SmsOtp, _why_no_country
from watchword_plugins.srp import Srp

OTHER_SCRIPTS = ("ar", "ja")
LANGUAGES = sorted(file.stem for file in (Path(sms_otp.__file__).parent / "templates/sms").iterdir())


def of(*countries: str, **settings: Any) -> SmsOtp:
    """Return the kind, for numbers of +1 unless others are given."""
    return SmsOtp(countries=countries or ("+1",), **settings)


def make(kind: SmsOtp, user: User = ANN, **how: Any) -> tuple[Challenge, str]:
    """Return the challenge and its code."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind, user=user, **how))
    return challenge, codes[-1].text


def somebody(**attributes: str) -> User:
    """Return Ann with other attributes."""
    return evolve(ANN, attributes={**ANN.attributes, **attributes})


# The message


@pytest.mark.parametrize("length", range(6, 11))
def test_the_text_begins_with_the_code_and_the_code_is_right(length: int) -> None:
    """Whoever sees but the beginning of the message sees the code."""
    kind = of(length=length)
    challenge, code = make(kind)
    (message,) = challenge.messages
    assert isinstance(message, Sms)
    assert re.match(rf"{code}\b", message.text)
    assert re.fullmatch(rf"[0-9]{{{length}}}", code)
    assert kind.verify(verify_request(kind, challenge, code)).right
    assert kind.guess_probability() == pytest.approx(10**-length)


def test_a_code_of_six_digits_has_twenty_bits() -> None:
    """NIST SP 800-63B-4 3.1.3."""
    assert of().guess_probability() <= 2**-19.9


def test_a_carrier_is_told_when_the_code_dies() -> None:
    """What arrives later is of no use, and costs all the same."""
    kind = of()
    request = create_request(kind)
    (message,) = kind.create(request).messages
    assert isinstance(message, Sms)
    assert message.expires == request.expires


@pytest.mark.parametrize("origin", ["https://login.example.com", "login.example.com"])
@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_last_line_binds_the_code_to_the_origin(origin: str, locale: str) -> None:
    """WICG, Origin-bound one-time codes: @, the host, a space, # and the code, with nothing behind it."""
    challenge, code = make(of(origin=origin, app="Acme"), somebody(locale=locale))
    *_, blank, last = challenge.messages[0].texts()[0].split("\n")
    assert (blank, last) == ("", f"@login.example.com #{code}")


def test_without_an_origin_there_is_no_such_line() -> None:
    """Nothing is bound to nothing."""
    challenge, _ = make(of())
    assert "@" not in challenge.messages[0].texts()[0]
    assert "#" not in challenge.messages[0].texts()[0]


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "http://example.com",
            "https://example.com/",
            "https://example.com:443",
            "https://example.com?x",
            "*.example.com",
        ),
        *(
            "https://user@example.com",
            "Example.com",
            "localhost",
            "127.0.0.1",
            "example.com #1",
            "example.com\n",
            "bücher.example",
        ),
        *("https://https://example.com", "example..com", "-a.example", f"{'a.' * 127}example", 7, None),
    ],
)
def test_an_origin_is_a_host_alone(origin: Any) -> None:
    """What a browser would not find in the line, or would read as more, is refused."""
    with pytest.raises(ConfigurationError, match="sms_otp: origin must be an origin such as"):
        of(origin=origin)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_texts_that_come_along_are_one_part_in_the_small_alphabet(locale: str) -> None:
    """The longest code, an application's name and an origin included, if the script allows it; all that is needed is said."""
    kind = of(length=10, app="Acme Bank", lifetime=600, origin="https://login.example.com", locale=locale)
    kind.prepare()
    challenge, code = make(kind, somebody(locale=locale))
    text = challenge.messages[0].texts()[0]
    size = SmsSize.of(text)
    assert (size.alphabet, size.parts) == (("UCS-2", 2) if locale in OTHER_SCRIPTS else ("GSM-7", 1))
    for part in (code, "10", "Acme Bank", create_request(kind).ref):
        assert part in text
    assert SmsSize.of(make(of(locale=locale), somebody(locale=locale))[0].messages[0].texts()[0]).parts == 1


def test_without_an_application_no_gap_is_left() -> None:
    """No blank line at the end, and none but before the last line."""
    assert not re.search(r"\s\Z|\n\n", make(of())[0].messages[0].texts()[0])
    assert make(of(origin="a.example"))[0].messages[0].texts()[0].count("\n\n") == 1


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Your code: $code", "en.txt does not begin with [$]code"),
        ("$code $link", "[$]link; there is only [$]app, [$]code, [$]minutes, [$]ref"),
        ("no code", "has no [$]code"),
        ("$code " + "x" * 640, "makes a text of 5 parts, of which each is paid for; shorten it to 4"),
        ("$code " + "ş" * 263, "makes a text of 5 parts"),
    ],
)
def test_own_templates_are_checked(tmp_path: Path, text: str, match: str) -> None:
    """Each fault names the file, before anybody is written to."""
    (tmp_path / "en.txt").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=rf"sms_otp: template en.txt.*{match}|sms_otp: template {match}"):
        of(templates=str(tmp_path)).prepare()


def test_own_templates_take_the_place_of_ours(tmp_path: Path) -> None:
    """By language, as those of the code by e-mail."""
    (tmp_path / "en.txt").write_text("${code}\nfor $app", "utf-8")
    (tmp_path / "pt-br.txt").write_text("$code para entrar", "utf-8")
    kind = of(templates=str(tmp_path), app="Acme")
    kind.prepare()
    for locale, said in (("pt-BR", "{} para entrar"), ("pt_br", "{} para entrar"), ("fr", "{}\nfor Acme")):
        challenge, code = make(kind, somebody(locale=locale))
        assert challenge.messages[0].texts() == (said.format(code),)


def test_an_empty_folder_is_told() -> None:
    """With the file that is missing."""
    with pytest.raises(ConfigurationError, match=r"sms_otp: templates: .* holds no templates; add en\.txt$"):
        of(templates=str(Path(__file__).parent)).prepare()


# Numbers and countries


@pytest.mark.parametrize(
    ("countries", "number", "sent"),
    [
        (("+49",), "+4915112345678", True),
        (("+49",), "+4315112345678", False),
        (("+1",), "+12125550100", True),
        (("+1",), "+18765550100", True),  # Jamaica is in the North American Numbering Plan
        (("+1212",), "+12125550100", True),
        (("+1212",), "+18765550100", False),
        (("+49", "+43"), "+43664123456", True),
        (("+423",), "+4231234567", True),
        (("+423",), "+42012345678", False),
        (("+7",), "+77011234567", True),  # Kazakhstan
    ],
)
def test_only_the_countries_that_are_listed_are_written_to(countries: tuple[str, ...], number: str, sent: bool) -> None:
    """A number begins with one of the prefixes, or looks as if a message had been sent."""
    kind = of(*countries)
    challenge, code = make(kind, somebody(phone_number=number))
    assert [number] * sent == [message.to for message in challenge.messages]
    assert challenge.reason == ("" if sent else "country_not_allowed")
    assert kind.verify(verify_request(kind, challenge, code, user=somebody(phone_number=number))).right is sent


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["+1", "+49", "+423", "+1212", "+998"]))
def test_the_prefix_decides_alone(number: str, prefix: str) -> None:
    """Whatever comes behind it."""
    challenge, _ = make(of(prefix), somebody(phone_number=number))
    assert bool(challenge.messages) == (number[: len(prefix)] == prefix)


@pytest.mark.parametrize("prefix", ["+2", "+3", "+4", "+5", "+6", "+8", "+9", "+21", "+35", "+42", "+59", "+88", "+97"])
def test_a_prefix_of_several_countries_is_refused(prefix: str) -> None:
    """A digit that was forgotten would open countries that nobody thought of."""
    with pytest.raises(ConfigurationError, match="with which several countries begin"):
        of(prefix)


@pytest.mark.parametrize("prefix", ["+999", "+210", "+2101", "+83", "+89", "+388", "+9995551234567", "+671"])
def test_a_code_that_no_country_has_is_refused(prefix: str) -> None:
    """Nobody's telephone has such a number."""
    with pytest.raises(ConfigurationError, match="no country has as its code"):
        of(prefix)


@pytest.mark.parametrize(
    ("prefix", "service"),
    [("+979", "premium rate"), ("+9791", "premium rate"), ("+800", "freephone"), ("+808", "shared cost")],
)
def test_an_international_service_is_no_country(prefix: str, service: str) -> None:
    """Its numbers are no telephones, and those of premium rate pay whoever owns them."""
    with pytest.raises(ConfigurationError, match=f"{service}.*no country"):
        of(prefix)


def test_a_prefix_is_of_exactly_one_country_code() -> None:
    """Whichever three digits it begins with: no code begins another, and whatever is taken begins with one."""
    taken = [f"+{digits}" for digits in range(100, 1000) if not _why_no_country(str(digits))]
    assert [1] * len(taken) == [sum(each[1:].startswith(code) for code in _COUNTRY_CODES) for each in taken]
    assert 100 + 100 <= len(taken) < 900
    assert {each for each in _COUNTRY_CODES if not _why_no_country(each)} == _COUNTRY_CODES - set(_SERVICES)


@pytest.mark.parametrize(
    "prefix", ["+1", "+7", "+20", "+27", "+44", "+49", "+98", "+211", "+352", "+423", "+599", "+971", "+998"]
)
def test_a_whole_country_code_is_taken(prefix: str) -> None:
    """With one, two and three digits."""
    assert of(prefix).countries == (prefix,)


@pytest.mark.parametrize(
    "countries", [(49,), ("49",), ("+",), ("+0",), ("+49 ",), (None,), (), [], "+49", ("+49",) * (_MOST_COUNTRIES + 1)]
)
def test_what_is_no_list_of_prefixes_is_refused(countries: Any) -> None:
    """A plus sign and digits each, and not without end."""
    with pytest.raises(ConfigurationError, match="sms_otp: countries "):
        SmsOtp(countries=countries)
    assert of(*("+49",) * _MOST_COUNTRIES)


def test_countries_have_no_default() -> None:
    """Who writes none has thought of none."""
    with pytest.raises(ConfigurationError, match=r"^sms_otp needs countries$"):
        SmsOtp()  # type: ignore[call-arg]


@pytest.mark.parametrize("number", HOSTILE_NUMBERS)
def test_nothing_but_one_number_gets_a_message(number: str) -> None:
    """Neither message nor difference; the operator reads why."""
    assert not is_telephone_number(number)
    challenge, _ = make(of(), somebody(phone_number=number))
    assert challenge.messages == ()
    assert challenge.reason == ("unusable_number" if number else "no_number")
    assert challenge.public == make(of())[0].public


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phone_number": ""}, "no_number"),
        ({"phone_number_verified": "false"}, "unverified_number"),
        ({"phone_number_verified": ""}, "unverified_number"),
        ({"phone_number": "+4915112345678"}, "country_not_allowed"),
        ({"phone_number_verified": "True"}, ""),
    ],
)
def test_why_a_user_gets_no_message_is_a_word_for_the_operator(changes: dict[str, str], reason: str) -> None:
    """The client sees none of it."""
    challenge, _ = make(of(), somebody(**changes))
    assert (challenge.reason, bool(challenge.messages)) == (reason, not reason)


def test_a_number_that_nobody_verified_is_written_to_where_that_is_set() -> None:
    """For pools that keep the numbers of their users themselves."""
    user = somebody(phone_number_verified="false")
    assert make(of(verified_only=False), user)[0].messages
    assert not make(of(), user)[0].messages


# What is shown


@pytest.mark.parametrize("user", [ANN, NOBODY, somebody(phone_number=""), somebody(phone_number="+4915112345678")])
def test_before_a_factor_no_destination_is_shown(user: User) -> None:
    """A stranger may be looking on."""
    assert make(of(), user)[0].public == {"destination": ""}


def test_behind_a_factor_the_number_is_masked_in_one_shape() -> None:
    """The last four digits, whatever the number's length, and whether its country is written to."""
    for number, shown in (("+15555550100", "0100"), ("+4915112345678", "5678"), ("+2901234", "1234")):
        public = make(of(), somebody(phone_number=number), proven=True)[0].public
        assert public == {"destination": f"+*******{shown}"}
    assert make(of(), somebody(phone_number="0151"), proven=True)[0].public == {"destination": ""}
    made_up = make(of(), NOBODY, proven=True)[0].public["destination"]
    assert re.fullmatch(r"\+\*{7}[0-9]{4}", made_up)
    assert made_up == make(of(), NOBODY, proven=True, claim="claim-2")[0].public["destination"]


# Answers


def test_a_code_may_have_every_digit() -> None:
    """One of ten symbols, each once."""
    kind = of(length=10)
    challenge = Challenge(private={"digest": create_request(kind).seal("0123456789")})
    assert kind.verify(verify_request(kind, challenge, "0123456789")).right


@pytest.mark.parametrize("spelling", ["{0}", " {0}\n", "{1}-{2}", "{1} {2}", "\ufeff{1}\u00a0{2}"])
def test_spaces_and_hyphens_do_not_count(spelling: str) -> None:
    """As people type and paste codes."""
    kind = of()
    challenge, code = make(kind)
    assert kind.verify(verify_request(kind, challenge, spelling.format(code, code[:3], code[3:]))).right


@given(st.text(max_size=12))
def test_no_text_but_the_code_passes(answer: str) -> None:
    """Whatever is drawn."""
    kind = of()
    challenge, code = make(kind)
    verdict = kind.verify(verify_request(kind, challenge, answer))
    assert not verdict.right or re.sub(r"[^0-9]", "", answer) == code
    assert verdict.right or verdict.reason in ("wrong", "malformed")


# Whole sign-ins


def test_the_code_by_sms_signs_in_behind_a_password() -> None:
    """The message goes by the channel of text messages, and the flow shows where it went."""
    ann = FlowUser(
        Flow(sequence(Srp(), of(origin="https://example.com"))),
        attributes={"phone_number": "+15555550100", "phone_number_verified": "true"},
        ledger=MemoryLedger(),
    )
    sign_in = ann.signs_in().is_asked("srp").answers(ann.password)
    sign_in.is_asked("sms_otp", destination="+*******0100")
    assert ann.outbox.messages[-1].channel == "sms"
    sign_in.answers(ann.outbox.code).gets_tokens()


def test_a_number_counts_its_messages_whoever_has_it() -> None:
    """The budget is the destination's: users who share a number share it."""
    ledger = MemoryLedger()
    flow = Flow(of())
    sent = 0
    for number in range(12):
        attributes = {"phone_number": "+15555550100", "phone_number_verified": "true"}
        user = FlowUser(flow, name=f"user{number}", attributes=attributes, ledger=ledger)
        user.signs_in()
        sent += len(user.outbox.messages)
    assert 0 < sent < 12


def test_a_flow_file_names_it(tmp_path: Path) -> None:
    """In TOML as in Python."""
    (tmp_path / "flow.toml").write_text(
        '[[steps]]\nkind = "sms_otp"\ncountries = ["+49", "+43"]\nlength = 8\n', "utf-8"
    )
    assert load_flow(tmp_path / "flow.toml") == Flow(SmsOtp(length=8, countries=("+49", "+43")))


# With an access token


WITH_TOKEN = of(with_token=True)


def test_a_client_is_told_that_an_answer_goes_with_a_token() -> None:
    """Everybody alike, whether or not there is such a user."""
    assert [make(WITH_TOKEN, user)[0].public["with_token"] for user in (somebody(), NOBODY)] == ["1", "1"]
    assert "with_token" not in make(of())[0].public


def test_a_code_with_the_users_access_token_is_right() -> None:
    """Of 8,192 characters at most: whoever is in many groups has a long token."""
    challenge, code = make(WITH_TOKEN)
    right = write_token_answer(access_token(ANN.id), code)
    assert WITH_TOKEN.verify(verify_request(WITH_TOKEN, challenge, right)).right
    assert powers_of(WITH_TOKEN).longest_answer == 8192
    assert powers_of(of()).longest_answer == 1024


@pytest.mark.parametrize("token", ["", access_token(NOBODY.id), "access.token", "x" * 5000, None, 7, [], {}])
def test_a_right_code_with_anything_but_a_good_token_is_wrong(token: object) -> None:
    """Whoever holds the telephone alone does not step up."""
    challenge, code = make(WITH_TOKEN)
    answers = [json.dumps({"jwt": token, "secretCode": code}), json.dumps({"secretCode": code}), code, f'"{code}"']
    for answer in answers:
        assert not WITH_TOKEN.verify(verify_request(WITH_TOKEN, challenge, answer)).right


@pytest.mark.parametrize("code", ["", "000000", None, 7, ["1"], {}])
def test_a_good_token_with_a_wrong_code_is_wrong(code: object) -> None:
    """Whoever holds the token alone does not step up."""
    challenge, right = make(WITH_TOKEN)
    assert right != code
    answer = json.dumps({"jwt": access_token(), "secretCode": code})
    assert not WITH_TOKEN.verify(verify_request(WITH_TOKEN, challenge, answer)).right


def test_a_code_alone_wants_no_token() -> None:
    """And takes none: its answers are codes."""
    challenge, code = make(of())
    assert not of().verify(verify_request(of(), challenge, write_token_answer(access_token(), code))).right


def test_a_user_steps_up_by_telephone() -> None:
    """In a whole sign-in, which takes three wrong answers."""
    user = FlowUser(Flow(WITH_TOKEN), ledger=MemoryLedger(), attributes=dict(ANN.attributes))
    user.signs_in().answers_rightly().gets_tokens()
    user.clock.advance(3600)
    user.signs_in().answers_wrongly(3).is_refused("tries_used_up")
