"""The picture CAPTCHA: what it draws, what it gives away, and which answers it takes."""

from __future__ import annotations

import base64
import os
import random
import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from watchword.contract.kinds import Challenge, User, VerifyRequest
from watchword.errors import ConfigurationError
from watchword.testing import create_request, recorded_codes, verify_request
from watchword_adapters.cli.messages.template_lint import lint_templates
from watchword_plugins import captcha
from watchword_plugins.captcha import ALPHABET, Captcha

Image = pytest.importorskip("PIL.Image")
OWN_FONT = str(Path(pytest.importorskip("captcha.image").__file__).with_name("data") / "DroidSansMono.ttf")
TEMPLATES = Path(captcha.__file__).with_name("templates")
LANGUAGES = sorted(file.stem for file in (TEMPLATES / "picture").iterdir())


def make(kind: Captcha, claim: str = "claim-1") -> tuple[Challenge, str]:
    """Return the challenge and its text."""
    with recorded_codes() as codes:
        challenge = kind.create(create_request(kind, claim=claim))
    return challenge, codes[-1].text


def right(kind: Captcha, challenge: Challenge, answer: Any) -> bool:
    """Return what the kind says of the answer."""
    return kind.verify(verify_request(kind, challenge, answer)).right


def bytes_of(challenge: Challenge) -> bytes:
    """Return the picture."""
    return base64.b64decode(challenge.public["image"].rpartition(",")[2], validate=True)


def chunks(png: bytes) -> list[bytes]:
    """Return the names of a PNG's chunks."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append(png[at + 4 : at + 8])
        at += 12 + length
    return found


# The picture


@pytest.mark.parametrize("format_", ["webp", "png"])
@pytest.mark.parametrize(("width", "height"), [(120, 40), (240, 80), (480, 160)])
def test_the_picture_is_as_set(format_: str, width: int, height: int) -> None:
    """The picture has the set format and size, and the media type says so."""
    challenge, _ = make(Captcha(format=format_, width=width, height=height))
    assert challenge.public["media_type"] == f"image/{format_}"
    assert challenge.public["image"].startswith(f"data:image/{format_};base64,")
    picture = Image.open(BytesIO(bytes_of(challenge)))
    assert (picture.format.lower(), picture.size) == (format_, (width, height))


def test_the_picture_may_come_bare() -> None:
    """With encoding base64 the head of the data URI is left out."""
    challenge, _ = make(Captcha(encoding="base64"))
    assert challenge.public["image"] == base64.b64encode(bytes_of(challenge)).decode()
    assert bytes_of(challenge)[:4] == b"RIFF"


def test_a_png_has_a_small_palette_and_nothing_else() -> None:
    """A PNG holds a header, at most sixteen colours, the picture and the end: no text, no time, no profile."""
    for claim in ("a", "b", "c"):
        png = bytes_of(make(Captcha(format="png"), claim)[0])
        assert sorted(set(chunks(png))) == [b"IDAT", b"IEND", b"IHDR", b"PLTE"]
        assert png[24:26] == b"\x04\x03", "four bits, palette"
        assert len(Image.open(BytesIO(png)).convert("RGB").getcolors()) <= 16


def test_a_webp_holds_nothing_but_the_picture() -> None:
    """A WebP is one plain lossy chunk: no EXIF, no XMP, no profile."""
    webp = bytes_of(make(Captcha())[0])
    assert webp[8:16] == b"WEBPVP8 "
    assert len(webp) == 20 + struct.unpack("<I", webp[16:20])[0] + struct.unpack("<I", webp[16:20])[0] % 2


@pytest.mark.parametrize("format_", ["webp", "png"])
def test_the_largest_picture_fits_cognito(format_: str) -> None:
    """The largest and noisiest picture that can be set is far below the 131,072 characters of a public parameter."""
    kind = Captcha(format=format_, width=480, height=160, dots=200, arcs=8, length=8)
    assert len(make(kind)[0].public["image"]) < 131_072 / 3


def test_the_usual_picture_is_small() -> None:
    """A picture by the defaults has some 2.6 kB as WebP and 3 kB as PNG."""
    for format_, most in (("webp", 3300), ("png", 3900)):
        kind = Captcha(format=format_)
        sizes = [len(bytes_of(make(kind, str(number))[0])) for number in range(20)]
        assert sum(sizes) / len(sizes) < most


def test_ink_stands_out_from_paper() -> None:
    """There is ink and there is paper, and they differ enough to be seen."""
    for claim in "abcdefgh":
        grey = Image.open(BytesIO(bytes_of(make(Captcha(format="png"), claim)[0]))).convert("L")
        low, high = grey.getextrema()
        assert high - low > 110
        assert high > 225


def test_a_new_challenge_has_a_new_text_and_a_new_picture() -> None:
    """No two challenges have one text, and one text is never drawn the same way twice."""
    kind = Captcha()
    made = [make(kind, str(number)) for number in range(12)]
    assert len({text for _, text in made}) == 12
    assert len({kind._paint("AAAAAA") for _ in range(12)}) == 12


def test_pictures_cannot_be_foretold_by_a_seed() -> None:
    """Setting the seed of Python's random numbers makes neither two pictures nor their colours alike."""
    kind = Captcha(format="png")
    state = random.getstate()
    try:
        drawn = []
        for _ in range(2):
            random.seed(0)
            drawn.append(kind._paint("ACDEFG"))
    finally:
        random.setstate(state)
    assert drawn[0] != drawn[1]
    palettes = [Image.open(BytesIO(png)).getpalette() for png in drawn]
    assert palettes[0] != palettes[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_draw_different_pictures() -> None:
    """Two processes forked from one that has drawn before do not draw the same."""
    kind = Captcha()
    kind._paint("ACDEFG")
    drawn = []
    for _ in range(2):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, kind._paint("ACDEFG"))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            drawn.append(pipe.read())
        os.waitpid(child, 0)
    assert drawn[0][:4] == drawn[1][:4] == b"RIFF"
    assert drawn[0] != drawn[1]


def test_fonts_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pictures are drawn, each font file is opened once for each of three sizes."""
    import PIL.ImageFont

    loaded: list[Any] = []
    real = PIL.ImageFont.truetype

    def truetype(*given: Any, **named: Any) -> Any:
        loaded.append(given)
        return real(*given, **named)

    monkeypatch.setattr(PIL.ImageFont, "truetype", truetype)
    kind = Captcha(fonts=(OWN_FONT,))
    for number in range(5):
        make(kind, str(number))
    assert len(loaded) == 3


def test_gaps_are_what_the_library_takes_them_for() -> None:
    """A gap, which is not drawn in the library's way, is as wide as its own is and just as empty."""
    from captcha.image import ImageCaptcha
    from PIL.ImageDraw import Draw

    kind = Captcha()
    kind._paint("ACDEFG")
    cells = dict(zip(kind._paint.__code__.co_freevars, kind._paint.__closure__, strict=True))
    draw = cells["draw"].cell_contents
    painter = dict(zip(draw.__code__.co_freevars, draw.__closure__, strict=True))["painter"].cell_contents
    canvas = Draw(Image.new("RGB", (240, 80)))

    def widths(one: Any) -> set[int]:
        gaps = [one._draw_character(" ", canvas, (99, 99, 99)) for _ in range(40)]
        assert not any(gap.getbbox() for gap in gaps)
        return {gap.width for gap in gaps}

    assert max(widths(painter)) <= max(widths(ImageCaptcha(240, 80))) <= max(widths(painter)) + 1


# What is said of it


def test_the_alternative_text_gives_nothing_away() -> None:
    """The text says what the picture is for, and is the same for every picture, in each language that comes along."""
    said = set[str]()
    for locale in LANGUAGES:
        kind = Captcha(locale=locale)
        kind.prepare()
        (text,) = {str(make(kind, str(number))[0].public["alt"]) for number in range(3)}
        assert "6" in text
        assert text.isprintable()
        assert not set(re.findall(r"\d", text)) - {"6"}
        said.add(text)
    assert len(said) == len(LANGUAGES)
    assert make(Captcha(alt="Type it in"))[0].public["alt"] == "Type it in"


def test_pictures_are_described_in_the_languages_of_the_mails() -> None:
    """One text each, which the lint of templates takes."""
    assert {file.name.partition(".")[0] for file in TEMPLATES.glob("*.html")} == set(LANGUAGES)
    found = lint_templates(Captcha(templates=str(TEMPLATES / "picture")))
    assert ((), tuple(LANGUAGES)) == (found.findings, found.languages)


def test_nobodys_own_language_counts() -> None:
    """It would tell a stranger who exists, and what they speak."""
    kind = Captcha()
    texts = {
        kind.create(create_request(kind, user=User("ann", {"locale": locale}, known=known))).public["alt"]
        for locale, known in (("de", True), ("", True), ("de", False))
    }
    assert len(texts) == 1


def test_alternative_texts_may_be_your_own(tmp_path: Path) -> None:
    """By files, which must be there, be short, and name nothing but the length; one of all steps is refused at the start."""
    kind = Captcha(templates=str(tmp_path), length=4, locale="sv")
    (tmp_path / "sv.txt").write_text("Skriv\n  $length tecken", "utf-8")
    kind.prepare()
    assert make(kind)[0].public["alt"] == "Skriv 4 tecken"
    for text, why in (
        (" \n", "1 to 300 characters"),
        ("x" * 301, "1 to 300 characters"),
        ("$code", "there is only \\$length"),
    ):
        (tmp_path / "sv.txt").write_text(text, "utf-8")
        with pytest.raises(ConfigurationError, match=why):
            Captcha(templates=str(tmp_path), locale="sv").prepare()
    with pytest.raises(ConfigurationError, match='locale is "xx"'):
        Captcha(locale="xx").prepare()


def test_it_proves_nothing() -> None:
    """A CAPTCHA proves no factor, and says that it is a cognitive test."""
    assert Captcha.proves == frozenset()
    assert Captcha.cognitive is True
    assert Captcha.requires_create == ("captcha", "PIL")
    assert not hasattr(Captcha, "channel")


# Answers


def test_the_alphabet_has_no_look_alikes() -> None:
    """There are 28 symbols, and of each pair that is easily confused at most one."""
    assert len(ALPHABET) == len(set(ALPHABET)) == 28
    for pair in ("0O", "1I", "2Z", "5S", "8B"):
        assert len(set(pair) & set(ALPHABET)) <= 1


@pytest.mark.parametrize("length", [4, 6, 8])
def test_a_guess_is_one_in_all_texts(length: int) -> None:
    """The text has the set length, and a blind guess is right once in 28^length."""
    kind = Captcha(length=length)
    challenge, text = make(kind)
    assert len(text) == length
    assert set(text) <= set(ALPHABET)
    assert right(kind, challenge, text)
    assert kind.guess_probability() == pytest.approx(28**-length)


def test_case_spaces_and_hyphens_do_not_count() -> None:
    """Small letters, spaces and hyphens are taken."""
    kind = Captcha()
    challenge, text = make(kind)
    for answer in (text.lower(), f" {text[:3]} - {text[3:].lower()} ", "-".join(text), f"\ufeff{text}\r\n"):
        assert right(kind, challenge, answer)


@pytest.mark.parametrize(
    ("sign", "letter"), [("\u017f", "S"), ("\u0131", "I"), ("\u212a", "K"), ("\uff2b", "K"), ("\u0410", "A")]
)
def test_letters_outside_ascii_are_wrong(sign: str, letter: str) -> None:
    """Long s, dotless i, KELVIN SIGN, full-width and Cyrillic letters are not the letters that they look or fold like."""
    kind = Captcha()
    text = (letter if letter in ALPHABET else "K") + "ACDEF"
    digest = create_request(kind).seal(text)
    assert kind.verify(verify_request(kind, {"digest": digest}, text)).right
    verdict = kind.verify(verify_request(kind, {"digest": digest}, sign + text[1:]))
    assert (verdict.right, verdict.reason) == (False, "malformed")


def with_seal(request: VerifyRequest, seal: Callable[[str], str]) -> VerifyRequest:
    return evolve(request, methods=evolve(request.methods, seal=seal))


def test_long_answers_are_refused_before_any_work() -> None:
    """An answer of more than 1,024 characters, or of a wrong form, is never sealed or compared."""
    kind = Captcha()
    challenge, text = make(kind)
    sealed: list[str] = []

    def seal(answer: str) -> str:
        sealed.append(answer)
        return "x"

    for answer in (text + " " * 1100, "A" * 10_000_000, text[:5], text + "A", "SSSSSS", "0O1I25", None, 7):
        assert not kind.verify(with_seal(verify_request(kind, challenge, answer), seal)).right
    assert sealed == []


# Settings


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        *(("length", value, "from 4 to 8") for value in (0, 3, 9, True, "6")),
        *(("attempts", value, "from 1 to 5") for value in (0, 6)),
        *(("lifetime", value, "from 30 to 600") for value in (29, 601)),
        *(("width", value, "from 120 to 480") for value in (0, 119, 481, 10**6)),
        *(("height", value, "from 40 to 160") for value in (0, 39, 161, 10**6)),
        *(("dots", value, "from 0 to 200") for value in (-1, 201)),
        *(("arcs", value, "from 0 to 8") for value in (-1, 9)),
        *(("format", value, '"webp" or "png"') for value in ("gif", "PNG", None)),
        *(("encoding", value, '"data_uri" or "base64"') for value in ("hex", None)),
        *(("locale", value, "language tag") for value in ("../en", "", None)),
        *(("templates", value, "folder") for value in ("", 7)),
        *(("alt", value, "one line") for value in ("a\nb", "x" * 301, None)),
        *(("fonts", value, "list of at most 16 paths") for value in ("a.ttf", ("",), (1,), None, ("a.ttf",) * 17)),
    ],
)
def test_bad_settings_are_refused(setting: str, value: Any, remedy: str) -> None:
    """A bad setting is refused when the kind is built; the error names the kind, the setting and what it may be."""
    with pytest.raises(ConfigurationError, match=f"captcha: {setting} ") as error:
        Captcha(**{setting: value})
    assert remedy in str(error.value)


def test_fonts_may_be_a_list() -> None:
    """A list of fonts, as a TOML file gives it, is the same as a tuple."""
    assert Captcha(fonts=[OWN_FONT]) == Captcha(fonts=(OWN_FONT,))
    assert hash(Captcha(fonts=[OWN_FONT])) == hash(Captcha(fonts=(OWN_FONT,)))


def test_good_fonts_are_taken() -> None:
    """Fonts that are there and have every symbol pass, and are drawn with."""
    kind = Captcha(fonts=(OWN_FONT, OWN_FONT))
    kind.prepare()
    assert bytes_of(make(kind)[0])[:4] == b"RIFF"
    Captcha().prepare()


def test_bad_fonts_are_refused_when_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font that is missing, a folder, empty, no font, or too big is refused; the error names the file."""
    (tmp_path / "empty.ttf").touch()
    (tmp_path / "text.ttf").write_text("no font" * 100)
    cut = tmp_path / "cut.ttf"
    cut.write_bytes(Path(OWN_FONT).read_bytes()[:2000])
    for bad in (tmp_path / "none.ttf", tmp_path, tmp_path / "empty.ttf", tmp_path / "text.ttf", cut, "a\0b"):
        with pytest.raises(ConfigurationError) as error:
            Captcha(fonts=(OWN_FONT, str(bad))).prepare()
        assert repr(str(bad)) in str(error.value)
    monkeypatch.setattr(captcha, "_MOST_FONT_BYTES", 1000)
    with pytest.raises(ConfigurationError, match="at most 1000"):
        Captcha(fonts=(OWN_FONT,)).prepare()


def test_a_font_without_the_symbols_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A font that draws two symbols alike, as the box for what it has not, is refused."""
    monkeypatch.setattr(captcha, "ALPHABET", "ACDEFG\u4e00\u4e01")  # the library's font has no Chinese
    with pytest.raises(ConfigurationError, match="not every symbol"):
        Captcha(fonts=(OWN_FONT,)).prepare()
