"""Decisions are cited by their number: each number is one decision's, and its heading says it."""

from collections import Counter

from kit.paths import DOCS

DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))


def test_no_number_is_given_twice():
    """Two decisions made on one day would otherwise share it."""
    numbers = Counter(path.name[:4] for path in DECISIONS)
    assert {} == {number: count for number, count in numbers.items() if count > 1}


def test_the_heading_says_the_number_of_the_file():
    """As whoever follows a link expects."""
    headings = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in DECISIONS}
    assert {} == {name: text for name, text in headings.items() if not text.startswith(f"# {int(name[:4])}. ")}
