"""Every row of the standards on the security page names a test that is there, or the exception; numbers of attacks are not old."""

import ast
import re
from functools import cache

import pytest

from kit.paths import ROOT
from watchword_adapters.attacks import FAMILIES

PAGE = ROOT / "docs" / "explanation" / "security.md"
EXCEPTIONS = ROOT / "docs" / "explanation" / "what-watchword-does-not-promise.md"
TEST = re.compile(r"`((?:tests|engine)/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
EXCEPTION = re.compile(r"\(what-watchword-does-not-promise\.md#([a-z0-9-]+)\)")


def rows():
    """The rows of every table whose last column is *shown by*."""
    inside = False
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.endswith("| shown by |"):
            inside = True
        elif inside and not line.startswith("|---"):
            yield line


@cache
def functions(path):
    """The names of all functions in a file, methods among them; none if there is no such file."""
    if not path.exists():
        return set()
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def missing(row):
    """What is wrong with a row: a test that is not there, an exception that is not, or neither of both."""
    shown = row.rstrip("|").rpartition("|")[2]
    tests, exceptions = TEST.findall(shown), EXCEPTION.findall(shown)
    headings = re.findall(r"^## (.+)$", EXCEPTIONS.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wrong = [f"{path}::{name}" for path, name in tests if name not in functions(ROOT / path)]
    wrong += [anchor for anchor in exceptions if anchor not in anchors]
    return wrong if tests or exceptions else ["neither a test nor an exception"]


@pytest.mark.parametrize("row", list(rows()))
def test_every_row_is_shown(row):
    """By a test that exists, which the whole run then passes, or by an exception with its heading."""
    assert [] == missing(row)


def test_no_standard_is_forgotten():
    """The tables are there, whole."""
    text = "\n".join(rows())
    for requirement in (*(f"6.5.{n}" for n in range(1, 9)), *(f"6.6.{n}" for n in range(1, 5)), "3.1.3.1", "3.2.2"):
        assert f"| {requirement} " in text
    assert 30 <= len(list(rows()))


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "`tests/nowhere.py::test_x`",
        "`tests/docs/test_security.py::test_x`",
        "[why](what-watchword-does-not-promise.md#x)",
    ],
)
def test_a_row_that_shows_nothing_is_seen(shown):
    """The measure can fail."""
    assert missing(f"| 1.2.3 | so | {shown} |")


@pytest.mark.parametrize("name", ["README.md", "docs", "SECURITY.md"])
def test_phishing_resistant_is_said_of_nothing_that_there_is(name):
    """A code that is entered by hand never is (NIST SP 800-63B-4); the word stands only where that is said."""
    pages = [ROOT / name] if name.endswith(".md") else sorted((ROOT / name).rglob("*.md"))
    for page in pages:
        if "_build" in page.parts:
            continue
        for sentence in re.split(r"(?<=[.:])\s", page.read_text()):
            if re.search(r"phishing.resistant", sentence):
                assert re.search(r"\b(never|not|no|none|nothing|before passkeys)\b", sentence.lower()), (page, sentence)


ATTACKS = {
    "docs/how-to/attack-your-flow.md": (r"(\d+) families, [\d,]+ cases, 0 succeeded", r"over (\d+) families"),
    "docs/reference/command-line.md": (r'"families": (\d+)',),
    "docs/explanation/security.md": (r"over (\d+) families",),
    "README.md": (r"in over (\d+) ways",),
}


@pytest.mark.parametrize(("page", "pattern"), [(page, each) for page, several in ATTACKS.items() for each in several])
def test_pages_count_the_families_of_attacks_that_there_are(page, pattern):
    """What a run has printed may be ten families behind, and no more; so that a new one does not change four pages."""
    (printed,) = (int(each) for each in re.findall(pattern, (ROOT / page).read_text("utf-8")))
    assert printed <= len(FAMILIES) <= printed + 10
