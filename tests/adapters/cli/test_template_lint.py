"""`watchword preview --lint`: each thing that is wrong with a folder of templates is found, by file, and ours have none."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import watchword_plugins
from watchword.errors import ConfigurationError
from watchword_adapters.cli import main
from watchword_adapters.cli.messages.html_lint import html_problems
from watchword_plugins.email_otp import EmailOtp

TEMPLATES = Path(watchword_plugins.__file__).parent / "templates"
MAIL = {
    "subject.txt": "A code for $app",
    "txt": "$code, good for $minutes min. $ref $app",
    "html": '<html lang="LANG"><p>$code, good for $minutes min. $ref $app</p></html>',
}
SMS = "$code is your code, for $minutes min. $ref $app"


def linted(capsys, kind, folder, *options):
    """The exit status of the lint, and what it prints."""
    status = main(["preview", kind, "--lint", "--templates", str(folder), "--json", *options])
    printed = json.loads(capsys.readouterr().out)
    assert bool(printed["findings"]) == bool(status)
    return {(each["file"], each["code"]): each["message"] for each in printed["findings"]}, printed


def mails(folder, *languages, **files):
    """Write mails that are right in these languages, and then other *files*; None leaves one out."""
    right = {f"{each}.{part}": text.replace("LANG", each) for each in languages for part, text in MAIL.items()}
    return written(folder, right | files)


def written(folder, files):
    """Write *files*, texts or bytes."""
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


OURS = [
    ("email_otp", "."),
    ("magic_link", "link"),
    ("magic_link", "link_anywhere"),
    ("sms_otp", "sms"),
    ("captcha", "picture"),
]


def test_every_folder_of_ours_is_looked_through():
    """A new one is linted by being named here."""
    folders = [".", *(each.name for each in TEMPLATES.iterdir() if each.is_dir())]
    assert sorted(folders) == sorted(folder for _, folder in OURS)


@pytest.mark.parametrize(("kind", "folder"), OURS)
def test_nothing_is_wrong_with_ours(kind, folder, capsys):
    """In every language, with an application's name; an SMS with the longest code, and bound to a site."""
    options = [] if kind == "captcha" else ["--set", "app=Acme"]
    if kind == "sms_otp":
        options += ["--set", "length=10", "--set", "lifetime=600", "--set", "origin=https://login.example.com"]
    found, printed = linted(capsys, kind, TEMPLATES / folder, *options)
    assert {} == found
    assert len(printed["languages"]) >= 6
    assert set(printed["sms"]) == (set(printed["languages"]) if kind == "sms_otp" else set())


def test_each_of_our_texts_is_in_a_language_of_its_own():
    """No translation was begun by a copy and left."""
    texts = {(file.read_text("utf-8"), file.name.partition(".")[0]) for file in TEMPLATES.rglob("*.*")}
    assert len(texts) == len({text for text, _ in texts}) >= 6 * 7


def test_a_folder_that_is_right_is_said_to_be(tmp_path, capsys):
    """For people too, with the languages."""
    assert 0 == main(["preview", "email_otp", "--lint", "--templates", str(mails(tmp_path, "en", "sv"))])
    assert ["languages: en, sv; nothing is wrong"] == capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("name", "content", "code", "told"),
    [
        ("sv.txt", None, "missing", "en.txt is there"),
        ("sv.txt", "$code $minutes $ref $app $name", "refused", "has $name; there is only $app, $code"),
        ("sv.txt", "$code $minutes $ref $app costs 5$", "refused", "lone $"),
        ("sv.txt", "$minutes $ref $app", "refused", "no $code"),
        ("sv.txt", "", "refused", "no $code"),
        ("sv.txt", b"$code $minutes $ref $app f\xf6r", "refused", "not UTF-8"),
        ("sv.txt", MAIL["txt"].encode("utf-16"), "refused", "not UTF-8"),
        ("sv.txt", MAIL["txt"].encode("utf-16-le"), "refused", ""),
        ("sv.txt", MAIL["txt"] + "x" * 100_000, "refused", "100000 bytes"),
        ("sv.txt", MAIL["txt"] + "\0", "control", "U+0000"),
        ("sv.txt", "$code $ref $app", "placeholder", "has no $minutes, which sv.html has"),
        ("sv.subject.txt", "A code", "placeholder", "has no $app, which en.subject.txt has"),
        ("sv.subject.txt", " \n", "empty", "empty"),
        ("sv.subject.txt", "$code", "refused", "has $code"),
        ("sv.html", "<p>$code $minutes $ref $app", "html-lang", '<html lang="sv">'),
        ("sv.html", MAIL["html"].replace("LANG", "en"), "html-lang", 'lang="en"'),
        ("sv.html", MAIL["html"].replace("LANG", "sv") + '<img src="//a.example">', "html-loads", "a.example"),
        ("sv.html", MAIL["html"].replace("LANG", "sv") + "<!-- ", "html-broken", "a comment of line 1"),
        ("sv.html", MAIL["html"].replace("LANG", "sv") + '<a onclick="x()">y</a>', "html-active", '<a onclick="x()">'),
        ("SV.subject.TXT", "A code for $app", "ignored", "sv.subject.txt"),
        ("sv.body.txt", "$code", "ignored", "is not read"),
        ("EN_us.txt", "$code $minutes $ref $app", "refused", "no language tag"),
        ("he.html", MAIL["html"].replace("LANG", "he"), "html-dir", 'dir="rtl"'),
    ],
)
def test_each_fault_is_found_in_its_file(name, content, code, told, *, tmp_path, capsys):
    """And, beside what follows from it, nothing else."""
    folder = mails(tmp_path, "en", "sv", *(["he"] if name[:2] == "he" else []), **{name: content})
    found, _ = linted(capsys, "email_otp", folder)
    assert told in found[name, code]
    assert {name[:2].lower()} >= {file[:2].lower() for file, _ in found} - {"he"}
    assert 1 == main(["preview", "email_otp", "--lint", "--templates", str(folder)])
    assert f"[{code}]" in capsys.readouterr().out


def test_all_faults_are_told_at_once(tmp_path, capsys):
    """One that the kind refuses hides none in another file or language."""
    wrong = {"sv.txt": "$code $x", "sv.html": "lone $", "nl.subject.txt": "$code", "fr.html": b"\xff"}
    found, printed = linted(
        capsys, "email_otp", mails(tmp_path, "en", "sv", "nl", "fr", **wrong, **{"fi.txt": "$code"})
    )
    assert {*wrong, "fi.txt", "fi.subject.txt", "fi.html"} == {file for file, _ in found}
    assert ["en"] == printed["languages"]


@pytest.mark.parametrize("spoilt", [None, "no code", b"\xff"], ids=["missing", "refused", "not UTF-8"])
def test_a_file_that_is_missing_or_refused_hides_nothing_in_the_others(spoilt, tmp_path, capsys):
    """They are looked at as if it were right."""
    html = MAIL["html"].replace("LANG", "sv") + "<script>"
    files = {"sv.txt": spoilt, "sv.subject.txt": "A code\x07", "sv.html": html.replace("$minutes", "3")}
    found, _ = linted(capsys, "email_otp", mails(tmp_path, "en", "sv", **files))
    assert {
        ("sv.txt", "missing" if spoilt is None else "refused"),
        ("sv.subject.txt", "control"),
        ("sv.subject.txt", "placeholder"),
        ("sv.html", "html-active"),
        ("sv.html", "html-broken"),
        ("sv.html", "placeholder"),
    } == set(found)


@pytest.mark.parametrize(
    ("origin", "last", "site"),
    [
        ("", "@evil.example #$code", "evil.example"),
        ("https://example.com", "@evil.example #$code", "evil.example"),
        ("https://example.com", "@evil.example #$code @example.com", "evil.example"),
        ("https://example.com", " @Example.com  #123456 ", "Example.com"),
        ("", "@example.com #$code\n\nBye", "example.com"),
        ("https://example.com", "@example.com #$code", None),
        ("https://example.com", "Ask @acme, #1 for codes", None),
        ("", "write to us@example.com #1", None),
    ],
)
def test_a_text_binds_the_code_to_the_site_of_the_setting_alone(origin, last, site, tmp_path, capsys):
    """Whatever line of the template does it: browsers offer the code where it says."""
    folder = written(tmp_path, {"en.txt": SMS, "sv.txt": f"{SMS}\n{last}"})
    options = ["--set", f"origin={origin}"] if origin else []
    found, _ = linted(capsys, "sms_otp", folder, *options)
    assert ({("sv.txt", "sms-origin")} if site else set()) == {each for each in found if each[1] == "sms-origin"}
    assert not site or f"binds the code to {site}," in found["sv.txt", "sms-origin"]


def test_where_no_language_is_right_each_has_a_finding(tmp_path, capsys):
    """There is nothing to compare with; the kind's own words are left."""
    found, printed = linted(capsys, "email_otp", written(tmp_path, {"en.txt": "$code", "sv.html": "$code"}))
    assert {"en.txt", "sv.html"} == {file for file, _ in found}
    assert [] == printed["languages"]


def test_what_editors_leave_behind_does_no_harm(tmp_path, capsys):
    """A byte order mark, carriage returns, hidden files, a page for readers, folders."""
    files = {"sv.txt": b"\xef\xbb\xbf" + MAIL["txt"].encode(), "sv.subject.txt": b"A code for\r\n$app\r\n"}
    folder = mails(tmp_path, "en", "sv", **files, **{".en.txt.swp": b"\xff", "README.md": "read", "LICENSE": "free"})
    (folder / "old.txt").mkdir()
    assert {} == linted(capsys, "email_otp", folder)[0]
    assert 0 == main(["preview", "email_otp", "--locale", "sv", "--templates", str(folder), "--json"])
    texts = json.loads(capsys.readouterr().out)["texts"]
    assert texts["subject"] == "A code for"
    assert texts["text"][:8].isdigit()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, capsys):
    """The lint reads nothing that the kind would not."""
    (tmp_path / "secret").write_text("$code hunter2")
    inside = tmp_path / "inside"
    inside.mkdir()
    mails(inside, "en")
    (inside / "sv.txt").symlink_to(tmp_path / "secret")
    (inside / "nl.txt").symlink_to(inside / "nowhere")
    (inside / "pl.txt").symlink_to(inside / "pl.txt")
    os.mkfifo(inside / "fi.txt")
    found, printed = linted(capsys, "email_otp", inside)
    assert "link out of its folder" in found["sv.txt", "refused"]
    assert all("a link that leads" in found[f"{language}.txt", "refused"] for language in ("pl", "nl", "fi"))
    assert "hunter2" not in json.dumps(printed)


def test_an_sms_is_measured(tmp_path, capsys):
    """One letter outside the alphabet costs half the room, and a part is paid for each; another script is no fault."""
    found, printed = linted(
        capsys,
        "sms_otp",
        written(
            tmp_path,
            {
                "en.txt": SMS,
                "fr.txt": f"{SMS} Ça marche, être",
                "sv.txt": f"{SMS} {'x' * 120}",
                "ja.txt": "$code はログイン用コードです。$minutes $ref $app",
                "el.txt": "$code " + "κωδικός " * 20 + "$minutes $ref $app",
            },
        ),
    )
    assert "ê (U+00EA)" in found["fr.txt", "sms-alphabet"]
    assert "Ç" not in found["fr.txt", "sms-alphabet"]
    assert "2 parts" in found["sv.txt", "sms-parts"]
    assert "3 parts" in found["el.txt", "sms-parts"]
    assert {"fr.txt", "sv.txt", "el.txt"} == {file for file, _ in found}
    assert ("UCS-2", 1) == tuple(printed["sms"]["ja"][key] for key in ("alphabet", "parts"))


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_templates_is_given_wrongly(there, tmp_path, capsys):
    """Status 2, as for a folder that is not there."""
    folder = tmp_path / "texts"
    if there:
        folder.mkdir()
    assert 2 == main(["preview", "email_otp", "--lint", "--templates", str(folder)])
    err = capsys.readouterr().err
    assert ("holds no templates; add en.subject.txt" if there else "no folder") in err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(
            (text, "html-loads")
            for text in (
                '<img src="https://a.example/x.gif">',
                "<IMG SRC=x.gif>",
                '<img srcset="x.png 2x">',
                '<img src="$app">',
                '<link rel=stylesheet href="//a.example/x.css">',
                '<table background="x.png">',
                "<p style=\"background: url('x.png')\">",
                '<p style="background: URL( https://a.example )">',
                r'<p style="background: u\72l(x.png)">',
                '<style>@import "x.css"; p { color: red }</style>',
                "<style>p { background: url(x.png) }</style>",
                '<video poster="x.png">',
                '<svg><image href="x.png"/></svg>',
                '<base href="https://a.example/">',
                '<meta http-equiv="Refresh" content="0; url=https://a.example">',
            )
        ),
        *((f"<{tag} x>", "html-active") for tag in ("script", "iframe", "form", "object")),
        *(
            (f"<{tag}>", "html-active")
            for tag in (
                'a ONCLICK="x()"',
                "body onload=x()",
                'img src="cid:logo" onerror=x',
                'a href="javascript:x()"',
                'a href=" java&#10;script:x()"',
                'a href="VBScript:x"',
                'a href="data:text/html,x"',
                'img src="javascript:x"',
            )
        ),
    ],
)
def test_what_is_loaded_without_a_click_is_found(text, code):
    """However it is written."""
    assert code in {found for found, _ in html_problems(f'<html lang="en">{text}</html>', "en")}


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://app.example/#$ticket">sign in</a>',
        '<img src="data:image/png;base64,AAAA"><img src="cid:logo">',
        "<style>p { color: red }</style> url(x.png)",
        '<p style="color: #595959; background: url(data:image/gif;base64,AA)">src=x',
        "<!-- <img src=x> -->",
        '<svg><use href="#sign"/></svg>',
        '<svg><image href="data:image/png;base64,AAAA"/></svg>',
        '<a href="$link" title="javascript in our mail">one = on</a>',
    ],
)
def test_what_waits_for_a_click_or_comes_along_is_no_fault(text):
    """A link, an image in the mail itself, a comment."""
    assert [] == list(html_problems(f'<html lang="en">{text}</html>', "en"))


@pytest.mark.parametrize(
    ("language", "head", "code"),
    [
        ("ar", '<html lang="ar">', "html-dir"),
        ("he-il", '<html lang="he-IL">', "html-dir"),
        ("en", '<html lang="en" dir="rtl">', "html-dir"),
        ("ar", '<html lang="ar" dir="RTL">', ""),
        ("uz-arab", '<html lang="uz-Arab" dir="rtl">', ""),
        ("pt-br", '<html lang="pt-BR">', ""),
        ("pt-br", '<html lang="pt">', "html-lang"),
        ("en", '<html lang="">', "html-lang"),
        ("en", "<p lang=en>", "html-lang"),
    ],
)
def test_language_and_direction_are_those_of_the_file(language, head, code):
    """A screen reader chooses its voice by them."""
    assert ([code] if code else []) == [found for found, _ in html_problems(head, language)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a<!-- ", "html-broken"),
        ('<a href="$link>b</a>', "html-broken"),
        ("<style>p { color: red }", "html-broken"),
        ("</p", "html-broken"),
        ("a < b", ""),
        ("a <", ""),
        ("<!-- a --><p>b &am", ""),
    ],
)
def test_html_that_is_never_closed_is_found(text, code):
    """A reader sees nothing of what follows. A sign that is only a sign is none."""
    assert ([code] if code else []) == [found for found, _ in html_problems(f'<html lang="en">{text}', "en")]


@given(st.text("<!-[]>/aA =\"'?$pstyle\0&#;", max_size=40) | st.text(max_size=40))
@example("<![foo[")
@example("<![if")
@example("<!x[")
def test_no_html_raises(text):
    """Whatever somebody's editor made: a page that no browser takes is one more text."""
    for _, message in html_problems(text, "en"):
        assert message


CONTENTS = ("$code", "$code $x", "$", "", "$app", "\ufeff${code}", b"\xff", "$code\0", None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.sampled_from(["en", "sv", "EN", "pt-br", "x1", "README"]).flatmap(
            lambda language: st.sampled_from([f"{language}.{part}" for part in (*MAIL, "TXT", "md")])
        ),
        st.sampled_from(CONTENTS),
        max_size=8,
    )
)
def test_the_lint_refuses_what_the_kind_refuses(files, capsys):
    """No more and no less: it asks the kind, about each file alone."""
    with tempfile.TemporaryDirectory() as made:
        folder = written(Path(made), files)
        try:
            EmailOtp(templates=made, locale="en").prepare()
            refused = False
        except ConfigurationError as error:
            refused = '"en", but there are' not in str(error)
        status = main(["preview", "email_otp", "--lint", "--templates", str(folder), "--json"])
        printed = capsys.readouterr().out
    codes = {each["code"] for each in json.loads(printed)["findings"]} if status < 2 else {"refused"}
    assert refused == bool(codes & {"refused", "missing"})
