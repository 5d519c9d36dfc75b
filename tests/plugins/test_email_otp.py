"""The code by e-mail: what it sends, to whom, what it shows, and which answers it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from watchword.contract.kinds import Challenge, User, VerifyRequest
from watchword.contract.typed_codes import typed_code
from watchword.errors import ConfigurationError
from watchword.runtime.wire import reference
from watchword.testing import ANN, NOBODY, create_request, recorded_codes, verify_request
from watchword.testing.hostile import HOSTILE_ADDRESSES
from watchword_plugins import email_otp
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.texts.codes import ALPHABETS
from watchword_plugins.texts.templates import read_shelf


def make(kind: EmailOtp, user: User = ANN, **how: Any) -> tuple[Challenge, str]:
    """Return the challenge and its code."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind, user=user, **how))
    return challenge, codes[-1].text


def right(kind: EmailOtp, challenge: Challenge, answer: Any) -> bool:
    """Return what the kind says of the answer."""
    return kind.verify(verify_request(kind, challenge, answer)).right


def somebody(**attributes: str) -> User:
    """Return Ann with other attributes."""
    return evolve(ANN, attributes={**ANN.attributes, **attributes})


# Codes and answers


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", range(6, 13))
def test_a_code_has_the_length_and_the_symbols_of_its_settings(alphabet: str, length: int) -> None:
    """The message carries a code of exactly the set length, of symbols of the set alphabet alone, and it is right."""
    kind = EmailOtp(length=length, alphabet=alphabet)
    challenge, code = make(kind)
    assert re.fullmatch(f"[{ALPHABETS[alphabet]}]{{{length}}}", code)
    assert code in challenge.messages[0].text.split()
    assert f">{code}<" in challenge.messages[0].html
    assert right(kind, challenge, code)
    assert kind.guess_probability() == pytest.approx(len(ALPHABETS[alphabet]) ** -length)


def test_every_setting_gives_twenty_bits() -> None:
    """The weakest code that can be set is one in 2^19.9 or better (NIST SP 800-63B-4 3.1.3)."""
    assert max(EmailOtp(length=6, alphabet=alphabet).guess_probability() for alphabet in ALPHABETS) <= 2**-19.9


def test_the_letters_are_those_of_rfc_8628() -> None:
    """The alphabet of letters is the twenty consonants of RFC 8628 6.1."""
    assert ALPHABETS["letters"] == "BCDFGHJKLMNPQRSTVWXZ"


@pytest.mark.parametrize(
    "spelling",
    [
        "{0}",
        " {0} ",
        "\t{1}\r\n{2}\n",
        "\ufeff{1}\u200b{2}\u00a0",
        "\u202d{0}\u202c",
        "{1}\u3000{2}",
        "{1}-{2}",
        "{1} {2}",
        "--{1} - {2}-",
        "  {1}    {2}" + " " * 900,
    ],
)
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_spaces_and_hyphens_do_not_count(spelling: str, alphabet: str) -> None:
    """Hyphens, spaces and whatever else is pasted unseen may be anywhere in an answer."""
    kind = EmailOtp(alphabet=alphabet)
    challenge, code = make(kind)
    assert right(kind, challenge, spelling.format(code, code[:4], code[4:]))


def test_letters_may_be_small() -> None:
    """Letters are taken in upper and lower case."""
    kind = EmailOtp(alphabet="letters")
    challenge, code = make(kind)
    assert right(kind, challenge, code.lower())
    assert right(kind, challenge, code.swapcase()[:3] + code[3:])


@pytest.mark.parametrize(
    "between", ["_", ",", ".", "+", "\u2010", "\u2011", "\u2013", "\u00b7", "\u0301", "\0", "\x1f", "\x7f", "/", "'"]
)
def test_other_signs_make_an_answer_wrong(between: str) -> None:
    """Nothing that is seen is left out of an answer, but for hyphens."""
    kind = EmailOtp()
    challenge, code = make(kind)
    for answer in (code[:4] + between + code[4:], between + code, code + between):
        assert not right(kind, challenge, answer)


@pytest.mark.parametrize("zero", [0xFF10, 0x660, 0x966, 0x1D7CE])
def test_digits_of_other_scripts_are_wrong(zero: int) -> None:
    """Full-width and other digits, which int() would take, are wrong answers."""
    kind = EmailOtp()
    challenge, code = make(kind)
    lookalike = "".join(chr(zero + int(digit)) for digit in code)
    assert int(lookalike) == int(code)
    assert not right(kind, challenge, lookalike)


def test_letters_that_fold_into_ascii_are_wrong() -> None:
    """Long s and KELVIN SIGN are not S and K."""
    assert "\u017f".upper() == "S"
    kind = EmailOtp(length=6, alphabet="letters")
    for number in range(200):
        challenge, code = make(kind, user := evolve(ANN, key=f"{number:064}"))
        if "S" in code:
            asked = verify_request(kind, challenge, code.replace("S", "s"), user=user)
            assert kind.verify(asked).right
            assert not kind.verify(evolve(asked, answer=code.replace("S", "\u017f"))).right
            break
    else:
        pytest.fail("no S in 200 codes")
    assert kind.verify(verify_request(kind, {"digest": "x"}, "\u212aBCDFG")).reason == "malformed"


def with_seal(request: VerifyRequest, seal: Callable[[str], str]) -> VerifyRequest:
    return evolve(request, methods=evolve(request.methods, seal=seal))


def test_long_answers_are_refused_before_any_work() -> None:
    """An answer of more than 1,024 characters, or of a wrong form, is never sealed or compared."""
    kind = EmailOtp()
    challenge, code = make(kind)
    sealed: list[str] = []

    def seal(answer: str) -> str:
        sealed.append(answer)
        return "x"

    for answer in (code + " " * 1100, "1" * 10_000_000, "1234567", "123456789", "1234567a", "é" * 8):
        assert not kind.verify(with_seal(verify_request(kind, challenge, answer), seal)).right
    assert sealed == []


@given(st.text(max_size=40))
def test_no_text_but_the_code_passes(answer: str) -> None:
    """Of all texts, only the code itself, with hyphens and what is not seen, passes, and none raises."""
    kind = EmailOtp()
    challenge, code = make(kind)
    assert right(kind, challenge, answer) == (typed_code(answer) == code)


# Who gets mail


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com",
        "a@b.co",
        "Ann.O'Neil+news@mail.example.co.uk",
        "ann_1@xn--exmple-cua.com",
        "#$&*=^`{|}~/@a-b.cd",
        *("a" * 64 + "@example.com", "1@2.3com", "ann@" + ".".join(["a" * 63] * 3) + ".com"),
    ],
)
def test_one_plain_address_gets_mail(address: str) -> None:
    """Exactly one plain address gets one message, unchanged."""
    challenge, _ = make(EmailOtp(), somebody(email=address))
    assert [message.to for message in challenge.messages] == [address]


@pytest.mark.parametrize("address", [*HOSTILE_ADDRESSES, "ann@localhost", "=?x?q?y?=@example.com", "ann@example.123"])
def test_anything_else_gets_none(address: str) -> None:
    """What is not exactly one plain ASCII address at a host name with a dot gets no message, in the same shape."""
    kind = EmailOtp()
    challenge, code = make(kind, somebody(email=address))
    assert challenge.messages == ()
    assert challenge.public == make(kind)[0].public
    assert re.fullmatch(r"\S\*\*\*@\S\*\*\*", shown(ALWAYS, somebody(email=address)))
    assert not right(kind, challenge, code)


@given(st.text(alphabet="ab@.-\r\n\0,;<>\"' %!()é\uff20", max_size=20))
def test_addresses_never_hold_what_ends_or_parts_a_header(text: str) -> None:
    """An address that gets mail has one @ and nothing that a mail header gives a meaning to."""
    for message in make(EmailOtp(), somebody(email=text))[0].messages:
        assert message.to.count("@") == 1
        assert not set(message.to) & set('\r\n\0,;<>"() %!é\uff20')


@pytest.mark.parametrize(
    ("flag", "sent"),
    [
        ("true", 1),
        ("True", 1),
        ("TRUE", 1),
        ("false", 0),
        ("", 0),
        ("1", 0),
        ("yes", 0),
        (" true", 0),
        ("\uff54rue", 0),
    ],
)
def test_only_verified_addresses_get_mail(flag: str, sent: int) -> None:
    """By default a message goes out only where email_verified is true, in any case."""
    assert len(make(EmailOtp(), somebody(email_verified=flag))[0].messages) == sent
    assert len(make(EmailOtp(verified_only=False), somebody(email_verified=flag))[0].messages) == 1


def test_without_the_attribute_nothing_is_verified() -> None:
    """A missing email_verified is not true."""
    assert make(EmailOtp(), evolve(ANN, attributes={"email": "ann@example.com"}))[0].messages == ()


def test_a_stranger_with_attributes_gets_no_mail() -> None:
    """A user who does not exist gets no message, whatever attributes came along."""
    assert make(EmailOtp(verified_only=False), evolve(ANN, known=False))[0].messages == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"email_verified": "false"}, "unverified_address"),
        ({"email_verified": ""}, "unverified_address"),
        ({"email": ""}, "no_address"),
        ({"email": "", "email_verified": "false"}, "no_address"),
        *(({"email": address}, "unusable_address") for address in HOSTILE_ADDRESSES if address),
    ],
)
def test_why_a_user_gets_no_mail_is_a_word_for_the_operator(changes: dict[str, str], reason: str) -> None:
    """The word names the cause that has to be mended first, and nothing of the address."""
    assert make(EmailOtp(), somebody(**changes))[0].reason == reason
    assert make(EmailOtp(), evolve(somebody(**changes), known=False))[0].reason == ""


def test_no_guess_is_right_where_nothing_was_sent() -> None:
    """Whoever gets no message is let in by no code at all, not even by the one that was derived."""
    kind = EmailOtp()
    for user in (somebody(email_verified="false"), evolve(NOBODY, key=ANN.key)):
        challenge, code = make(kind, user)
        assert not right(kind, challenge, code)
        assert not right(kind, challenge, f"unsent:{code}")


# What is shown


ALWAYS = EmailOtp(always_show_destination=True)
SHOWN_TO_STRANGERS = ("ann@example.com", "Zoe@Mail.example", "ann", "", "4b1f-sub", "jörg@example.com")


def shown(kind: EmailOtp, user: User, **request: Any) -> str:
    return make(kind, user, **request)[0].public["destination"]


@pytest.mark.parametrize("name", SHOWN_TO_STRANGERS)
@pytest.mark.parametrize("address", ["ann@example.com", "zoe@new.example", "ann..lee@example.com", ""])
@pytest.mark.parametrize("verified", ["true", "false"])
@pytest.mark.parametrize("again", [True, False])
def test_before_a_factor_is_proven_no_destination_is_shown(name: str, address: str, verified: str, again: bool) -> None:
    """Whoever signs in by whatever name, and whatever address they have: the client is shown the same, nothing."""
    kind = EmailOtp()
    user = evolve(somebody(email=address, email_verified=verified), name=name)
    for somebody_else in (user, evolve(NOBODY, name=name)):
        challenge = make(kind, somebody_else, again=again, carry={"destination": ""})[0]
        assert challenge.public == {"destination": ""}
        assert challenge.carry == {"destination": ""}


def test_the_destination_is_masked_as_cognito_does() -> None:
    """After a factor the client is shown the first letter of both sides, in lower case, and nothing of the length."""
    assert shown(EmailOtp(), ANN, proven=True) == "a***@e***"
    assert shown(EmailOtp(), somebody(email="Bob.Builder@Mail.Example.com"), proven=True) == "b***@m***"


def test_after_a_factor_nothing_is_made_up() -> None:
    """Who has proven who they are sees the address that they have, verified or not, and none if they have none."""
    assert shown(EmailOtp(), somebody(email_verified="false"), proven=True) == "a***@e***"
    for address in ("", "ann..lee@example.com"):
        assert shown(EmailOtp(), somebody(email=address), proven=True) == ""
        assert shown(ALWAYS, somebody(email=address), proven=True) == ""


def test_nobody_looks_like_a_user_even_behind_a_factor() -> None:
    """A host that lets somebody unknown pass a password shows them a destination too: of the name, or made up."""
    assert shown(EmailOtp(), evolve(NOBODY, name="Zoe@Mail.example"), proven=True) == "z***@m***"
    assert re.fullmatch(r"[a-z]\*\*\*@[a-z]\*\*\*", shown(EmailOtp(), NOBODY, proven=True))


def test_a_typed_address_is_shown_to_whoever_typed_it() -> None:
    """Where destinations are always shown, a name that is an address is shown, whoever has it, and wherever mail goes."""
    for user in (evolve(NOBODY, name="Zoe@Mail.example"), evolve(ANN, name="Zoe@Mail.example")):
        assert shown(ALWAYS, user) == "z***@m***"


def test_an_unverified_address_looks_like_itself() -> None:
    """Where destinations are always shown, an address that is not verified looks like one that is."""
    user = evolve(somebody(email_verified="false"), name="4b1f-sub")
    assert shown(ALWAYS, user) == shown(ALWAYS, evolve(ANN, name="4b1f-sub")) == "a***@e***"


def test_made_up_destinations_are_stable_and_differ() -> None:
    """Each user has the same destination always, in whatever spelling, and another than most."""

    def made_up(key: str, name: str, claim: str) -> str:
        return shown(ALWAYS, evolve(NOBODY, name=name, key=key), claim=claim)

    keys = [f"key{number}" for number in range(60)]
    made = [made_up(key, "ann", "claim-1") for key in keys]
    assert made == [made_up(key, "ANN", "claim-2") for key in keys]
    assert len(set(made)) > 40
    assert len({each[5] for each in made}) > 10
    assert all(re.fullmatch(r"[a-z]\*\*\*@[a-z]\*\*\*", each) for each in made)


def test_the_destination_stays_through_a_retry() -> None:
    """After a wrong answer the destination is the one to which the message went, whatever the address is now."""
    kind = EmailOtp()
    first, _ = make(kind, proven=True)
    again, _ = make(kind, somebody(email="new@other.org"), again=True, carry=first.carry, proven=True)
    assert again.public == first.public
    assert again.messages == ()
    resent, _ = make(kind, somebody(email="new@other.org"), carry=first.carry, proven=True)
    assert resent.public == {"destination": "n***@o***"}
    assert make(kind, again=True, carry={}, proven=True)[0].public == first.public


# Texts


LANGUAGES = sorted(file.stem for file in Path(email_otp.__file__).with_name("templates").glob("*.html"))


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_templates_that_come_along_say_all_that_is_needed(locale: str) -> None:
    """Each language has a subject without the code, and text and HTML with code, minutes, reference and application."""
    challenge, code = make(EmailOtp(locale=locale, app="Acme & <Sons>", lifetime=300), somebody(locale=""))
    message = challenge.messages[0]
    assert "Acme & <Sons>" in message.subject
    assert code not in message.subject
    for body, app in ((message.text, "Acme & <Sons>"), (message.html, "Acme &amp; &lt;Sons&gt;")):
        assert code in body
        assert reference("claim-1") in body
        assert re.search(r"(?<![\d.])5(?!\d)", body.replace(code, ""))
        assert app in body
        assert "$" not in body
    assert "<Sons>" not in message.html
    assert "ann" not in message.subject + message.text.lower().split("code")[0]


def test_without_an_application_no_gap_is_left() -> None:
    """The subject reads well where no application is named."""
    assert make(EmailOtp())[0].messages[0].subject == "Your sign-in code"
    assert make(EmailOtp(locale="de"), somebody(locale=""))[0].messages[0].subject == "Ihr Anmeldecode"


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("de", "de"),
        ("de-DE", "de"),
        ("de_AT", "de"),
        ("DE", "de"),
        ("en-GB", "en"),
        ("fr", "fr"),
        ("pt", "pt-BR"),
        ("pt_PT", "pt-BR"),
        ("pt-br-x-rio", "pt-BR"),
        ("ja-Jpan-JP", "ja"),
        ("sv", "en"),
        ("f", "en"),
        ("-fr", "en"),
        ("", "en"),
        ("de\0", "en"),
        ("../de", "en"),
        ("de/../../etc/passwd", "en"),
        ("en.subject", "en"),
        ("x" * 10_000, "en"),
        ("de-" + "x" * 99, "de"),
    ],
)
def test_the_user_chooses_among_the_languages_that_are_there(wanted: str, got: str) -> None:
    """The attribute locale picks a shipped language by tag or by its first part; anything else gives the default."""
    challenge, _ = make(EmailOtp(), somebody(locale=wanted))
    assert f'lang="{got}"' in challenge.messages[0].html


def own(folder: Path, **files: str | None) -> str:
    """Write templates into *folder*; None leaves one out; return its path."""
    parts = {"subject.txt": "Code for $app", "txt": "$code $ref", "html": "<b>$code</b> $app $minutes"}
    for name, text in {**{f"en.{part}": text for part, text in parts.items()}, **files}.items():
        if text is not None:
            (folder / name).write_text(text, "utf-8")
    return str(folder)


def test_own_templates_take_the_place_of_ours(tmp_path: Path) -> None:
    """A folder of templates is used instead, with its own languages, read once."""
    fr = {"fr-ca.subject.txt": "Votre\ncode", "fr-ca.txt": "Voilà $code à $$1", "fr-ca.html": "$code"}
    kind = EmailOtp(templates=own(tmp_path, **fr), app='A"B')
    kind.prepare()
    for file in tmp_path.iterdir():
        file.unlink()
    message = make(kind)[0].messages[0]
    assert message.subject == 'Code for A"B'
    assert message.html.endswith("</b> A&quot;B 3")
    challenge, code = make(kind, somebody(locale="fr_CA"))
    assert (challenge.messages[0].subject, challenge.messages[0].text) == ("Votre code", f"Voilà {code} à $1")
    assert make(kind, somebody(locale="de"))[0].messages[0].subject == 'Code for A"B'


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"en.html": None}, ["en.html", "missing"]),
        ({"de.txt": "$code"}, ["de.subject.txt", "missing"]),
        ({"en.txt": "$code $name"}, ["en.txt", "$name", "$minutes"]),
        ({"en.txt": "${code} ${user.name}"}, ["en.txt", "$$"]),
        ({"en.html": "$code costs 5$"}, ["en.html", "$$"]),
        ({"en.subject.txt": "$code"}, ["en.subject.txt", "$code"]),
        ({"en.txt": "hello"}, ["en.txt", "no $code"]),
        ({"en.html": "$code" + "x" * 100_000}, ["en.html", "bytes"]),
        ({"EN_us.txt": "$code"}, ["EN_us", "language tag"]),
        ({"en.subject.txt": None, "en.txt": None, "en.html": None}, ["no templates", "en.txt"]),
    ],
)
def test_bad_templates_are_refused_when_prepared(tmp_path: Path, files: dict[str, str | None], told: list[str]) -> None:
    """A template that is missing, too big, or has a wrong placeholder is refused; the error names file and placeholder."""
    kind = EmailOtp(templates=own(tmp_path, **files))
    with pytest.raises(ConfigurationError) as error:
        kind.prepare()
    assert all(word in str(error.value) for word in told), error.value


def test_templates_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    """A template in another encoding is refused by name."""
    folder = own(tmp_path)
    (tmp_path / "en.txt").write_bytes(b"$code f\xfcr Anna")
    with pytest.raises(ConfigurationError, match=r"en\.txt.*UTF-8"):
        EmailOtp(templates=folder).prepare()


def test_templates_do_not_lead_out_of_their_folder(tmp_path: Path) -> None:
    """A link to a file outside the folder is refused; one inside is followed."""
    (tmp_path / "secret").write_text("$code")
    inside = tmp_path / "inside"
    inside.mkdir()
    folder = own(inside, **{"en.txt": None})
    (inside / "body").write_text("$code")
    (inside / "en.txt").symlink_to(inside / "body")
    EmailOtp(templates=folder).prepare()
    (inside / "en.txt").unlink()
    (inside / "en.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigurationError, match=r"en\.txt is a link out"):
        EmailOtp(templates=folder).prepare()
    (inside / "en.txt").unlink()
    (inside / "en.txt").symlink_to(inside / "en.txt")
    with pytest.raises(ConfigurationError, match=r"en\.txt (cannot be read: it is a link|is missing)"):
        EmailOtp(templates=folder).prepare()


def test_what_is_beside_templates_is_left_alone(tmp_path: Path) -> None:
    """Folders, whatever their names; a byte order mark is no part of a text."""
    (tmp_path / "old.txt").mkdir()
    kind = EmailOtp(templates=own(tmp_path, **{"en.subject.txt": "\ufeffCode"}))
    kind.prepare()
    assert make(kind)[0].messages[0].subject == "Code"


def test_the_default_language_must_be_there(tmp_path: Path) -> None:
    """A locale without templates is refused, with what there is and what to add."""
    with pytest.raises(ConfigurationError, match=r"de, en.*sv\.subject\.txt"):
        EmailOtp(locale="sv").prepare()
    with pytest.raises(ConfigurationError, match="is no folder"):
        EmailOtp(templates=str(tmp_path / "none")).prepare()
    kind = EmailOtp(locale="fr", templates=own(tmp_path))
    assert make(kind, somebody(locale=""))[0].messages[0].subject == "Code for", (
        "unprepared it still falls back to a language that is there"
    )


def test_a_link_is_needed_as_a_code_is(tmp_path: Path) -> None:
    """Where a part may hold a link, it must: the room of texts serves kinds whose message has both."""
    (tmp_path / "en.txt").write_text("$code")
    with pytest.raises(ConfigurationError, match=r"template en\.txt has no \$link; nobody could sign in"):
        read_shelf("letter", str(tmp_path), "", {"txt": frozenset({"code", "link"})})


def test_shipped_templates_are_read_once() -> None:
    """They belong to the installation: a second kind costs no second reading."""
    assert EmailOtp()._shelf is EmailOtp(app="Acme")._shelf


def test_the_shipped_templates_pass_their_own_checks() -> None:
    """What comes along is whole: three files for each language, and six languages at least, each for SMS and for links too."""
    EmailOtp().prepare()
    assert len(LANGUAGES) >= 6
    names = sorted(file.name for file in Path(email_otp.__file__).with_name("templates").iterdir() if file.is_file())
    assert names == sorted(f"{language}.{part}" for language in LANGUAGES for part in ("html", "subject.txt", "txt"))
    for others in ("sms/*", "link/*.html"):
        assert LANGUAGES == sorted(file.stem for file in Path(email_otp.__file__).with_name("templates").glob(others))


# Settings


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        *(("length", value, "from 6 to 12") for value in (5, 13, True, 8.0, "8", None)),
        *(("alphabet", value, '"digits" or "letters"') for value in ("hex", "", None, "0123456789")),
        *(("attempts", value, "from 1 to 10") for value in (0, 11)),
        *(("lifetime", value, "from 60 to 600") for value in (59, 601, 3600)),
        *(("resend_after", value, "from 16 to 600") for value in (15, 0, 601)),
        *(("locale", value, "language tag") for value in ("", "../en", "EN", "en/x", "e" * 40, None, 5, "en\0")),
        *(("app", value, "one line") for value in ("a\nb", "a\u2028b", "x" * 65, None, "a\u202eb", "\x85")),
        *(("verified_only", value, "true or false") for value in ("no", 0, None)),
        *(("templates", value, "path of a folder") for value in ("", "a\0b", 5, True)),
    ],
)
def test_bad_settings_are_refused(setting: str, value: Any, remedy: str) -> None:
    """A bad setting is refused when the kind is built; the error names the kind, the setting and what it may be."""
    with pytest.raises(ConfigurationError, match=f"email_otp: {setting} ") as error:
        EmailOtp(**{setting: value})
    assert remedy in str(error.value)


def test_misspelt_settings_are_refused() -> None:
    """A setting that there is not is a TypeError of Python's own."""
    with pytest.raises(TypeError, match="digits"):
        EmailOtp(digits=6)  # type: ignore[call-arg]


def test_the_defaults_are_those_of_the_security_numbers() -> None:
    """Eight digits, three tries, three minutes, one minute between messages, verified addresses only."""
    kind = EmailOtp()
    assert (kind.length, kind.alphabet, kind.attempts) == (8, "digits", 3)
    assert (kind.lifetime, kind.resend_after, kind.verified_only) == (180, 60, True)
