"""The page with the sign-in form: four files, made of what is given and of nothing else."""

import json
import re

import pytest

from watchword import ConfigurationError
from watchword_adapters.cli import main
from watchword_adapters.sign_in_page import COMPONENT, PageSettings, component, page, script, style
from watchword_adapters.sign_in_page.page import POLICY

FILES = {"index.html", "sign-in.css", "sign-in.js", COMPONENT}
HOSTILE = "\"><script>alert(1)</script><a x='"


def test_the_command_writes_four_files_and_never_over_others(tmp_path, capsys):
    """A second run says which files are there, and changes nothing; --force writes them anew."""
    folder = tmp_path / "deep" / "site"
    command = ["sign-in-page", str(folder), "--endpoint", "https://example.com/", "--client-id", "abc"]
    assert main([*command, "--json"]) == 0
    assert {str(folder / name) for name in FILES} == set(json.loads(capsys.readouterr().out)["files"])
    assert {each.name for each in folder.iterdir()} == FILES
    mine = folder / "sign-in.js"
    mine.write_text("// mine\n")
    assert main(command) == 2
    assert "sign-in.js" in capsys.readouterr().err
    assert mine.read_text() == "// mine\n"
    assert main([*command, "--force"]) == 0
    assert mine.read_text() == script()


def test_no_file_is_written_through_a_link(tmp_path, capsys):
    """A link in the folder counts as a file that is there, even to nothing; --force replaces the link alone."""
    folder, elsewhere = tmp_path / "site", tmp_path / "elsewhere.txt"
    folder.mkdir()
    elsewhere.write_text("precious")
    (folder / "index.html").symlink_to(elsewhere)
    (folder / "sign-in.js").symlink_to(tmp_path / "nothing")
    assert main(["sign-in-page", str(folder)]) == 2
    assert "has index.html, sign-in.js already" in capsys.readouterr().err
    assert main(["sign-in-page", str(folder), "--force"]) == 0
    assert elsewhere.read_text() == "precious"
    assert not (tmp_path / "nothing").exists()
    assert {each.name for each in folder.iterdir()} == FILES
    assert not any(each.is_symlink() for each in folder.iterdir())


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, capsys):
    """A file in its place, for one."""
    (tmp_path / "site").write_text("")
    assert main(["sign-in-page", str(tmp_path / "site")]) == 2
    assert "cannot be written to" in capsys.readouterr().err


def test_without_options_the_page_signs_in_to_a_local_pool(tmp_path):
    """As `watchword serve` has it without options."""
    assert main(["sign-in-page", str(tmp_path)]) == 0
    html = (tmp_path / "index.html").read_text()
    assert 'endpoint="http://127.0.0.1:9229/" client-id="local"' in html


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ([], "--client-id"),
        (["--flow", "custom-srp"], "--client-id"),
        (["--client-id", "abc", "--flow", "custom-srp"], "--user-pool-id"),
    ],
)
def test_another_endpoint_wants_to_know_who_signs_in_where(tmp_path, capsys, options, missing):
    """Nothing is written before."""
    folder = tmp_path / "site"
    assert main(["sign-in-page", str(folder), "--endpoint", "https://example.com/", *options]) == 2
    assert missing in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize("name", ["endpoint", "client_id", "pool_id"])
def test_no_setting_can_leave_its_attribute(name):
    """Whatever stands in it is shown as text."""
    made = page(PageSettings(**{name: HOSTILE[:35]}), title=HOSTILE)
    assert "<script>alert" not in made
    assert made.count("<script") == 2
    assert made.count("<watchword-sign-in") == 1


def test_settings_are_refused_by_name():
    """A flow that there is not, and what is no line."""
    with pytest.raises(ConfigurationError, match="flow"):
        PageSettings(flow="password")
    with pytest.raises(ConfigurationError, match="endpoint"):
        PageSettings(endpoint="a\nb")


@pytest.mark.parametrize("locale", ["xx", "xx-de", "d", "de_AT", "de-", "english", HOSTILE[:35]])
def test_a_language_that_the_form_does_not_speak_is_refused(tmp_path, capsys, locale):
    """The page would say that it is in that language. The error lists those that there are."""
    assert main(["sign-in-page", str(tmp_path / "site"), "--locale", locale]) == 2
    assert f"for the locale {locale!r}: write one of ar, de, en, es," in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("locale", ["de", "pt-BR", "DE", "ar-EG"])
def test_a_tag_that_begins_with_a_language_of_the_form_is_taken(locale):
    """The form takes the nearest; the page has the tag."""
    assert f'<html lang="{locale}">' in page(PageSettings(locale=locale))


def test_no_page_asks_for_an_icon():
    """A browser asks any site for one that its page does not have."""
    assert '<link rel="icon" href="data:,">' in page(PageSettings())
    assert "img-src data:" in POLICY


def test_nothing_is_loaded_from_elsewhere():
    """The files name no address of another site but those of namespaces."""
    texts = [page(PageSettings("/", "abc")), style(), script(), component()]
    found = {each for text in texts for each in re.findall(r"https?://[^\s'\"`]+", text)}
    assert found == {"http://www.w3.org/2000/svg"}
    assert not any("innerHTML" in text or "eval(" in text for text in texts)


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [
        ("https://cognito-idp.eu-west-1.amazonaws.com/", 0),
        ("http://localhost:9229", 0),
        ("/", 0),
        ("/cognito/", 0),
        ("cognito-idp.eu-west-1.amazonaws.com", 2),
        ("javascript:alert(1)", 2),
        ("//example.com/", 2),
        ("https://", 2),
        ("https://a b/", 2),
        ("", 2),
        ("/\\example.com/", 2),
        ("https://example.com\\@x/", 2),
        ("http://localhost:9229/@x", 0),
    ],
)
def test_an_endpoint_that_no_browser_would_find_is_refused(tmp_path, capsys, endpoint, status):
    """Such as a host alone: the form would post to a page beside itself."""
    folder = tmp_path / "site"
    assert main(["sign-in-page", str(folder), "--endpoint", endpoint, "--client-id", "abc"]) == status
    assert folder.exists() is (status == 0)
    assert ("is no address: write https:// and a host" in capsys.readouterr().err) is (status == 2)


@pytest.mark.parametrize("endpoint", ["https://ann:hush@x/", "HTTP://hush@x", "https://hush:p@x@y/?a"])
def test_an_endpoint_with_a_user_is_refused_and_not_shown(tmp_path, capsys, endpoint):
    """No browser posts to it, and a page that is public would tell the password."""
    assert main(["sign-in-page", str(tmp_path / "site"), "--endpoint", endpoint, "--client-id", "abc"]) == 2
    err = capsys.readouterr().err
    assert "--endpoint has a user" in err
    assert "hush" not in err
    assert not (tmp_path / "site").exists()
