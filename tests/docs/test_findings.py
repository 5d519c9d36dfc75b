"""Every finding has its heading in the reference, under the word for how serious it is."""

import re

from kit.paths import DOCS
from watchword.analysis.findings import CODES

PAGE = DOCS / "reference" / "findings.md"


def listed(text):
    """Return the headings of *text* that are codes, each with the heading above it."""
    above, found = "", {}
    for line in text.splitlines():
        if line.startswith("## "):
            above = line.removeprefix("## ")
        elif match := re.fullmatch(r"### `(WW\d{3})`", line):
            found[match[1]] = above
    return found


def test_every_code_has_its_heading():
    """In the order of the codes, and nothing is described that is never found."""
    assert {code: f"{severity.capitalize()}s" for code, (severity, _) in CODES.items()} == listed(PAGE.read_text())
    assert list(CODES) == list(listed(PAGE.read_text()))


def test_every_code_is_about_what_the_reference_says():
    """The first sentence under each heading is the table's."""
    text = PAGE.read_text()
    for code, (_, about) in CODES.items():
        said = re.search(rf"### `{code}`\n\n\*\*(.+?)\.\*\*", text)[1]
        assert about.casefold() == said.casefold()


def test_every_code_is_shown():
    """By a block that runs, under its own heading."""
    parts = re.split(r"^### `", PAGE.read_text(), flags=re.MULTILINE)[1:]
    assert all(f'"{part[:5]}"' in part for part in parts)
    assert len(CODES) == len(parts)
