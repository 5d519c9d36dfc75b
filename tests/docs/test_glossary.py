"""The glossary explains the names: whoever meets one in the code finds each of its nouns there."""

import ast
import re

import pytest

from kit.paths import DOCS
from programs.house import HOUSE, PUBLIC

PAGE = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")

# What is left of a name when its nouns are taken out: verbs, adjectives and prepositions in their everyday sense.
EVERYDAY = {
    *("at", "by", "in", "no", "not", "of", "on", "only", "out", "own", "to", "with"),
    *("asked", "created", "driven", "earlier", "guessable", "installed", "made", "need", "prepare", "rule", "run"),
    *(
        "public",
        "private",
        "reached",
        "read",
        "register",
        "send",
        "sent",
        "signed",
        "structured",
        "system",
        "watchword",
        "world",
    ),
    *("call", "file", "flow", "list", "module", "view"),
}


def words_of(name):
    """The words of *name*, each in the singular and in small letters."""
    return [singular(word) for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def singular(word):
    """The word without the s of the plural."""
    word = word.lower()
    if word.endswith(("ss", "us", "is", "ses", "aws", "sms")):
        return {"addresses": "address", "senses": "sense"}.get(word, word)
    return re.sub(r"ies$", "y", word) if word.endswith("ies") else word.removesuffix("s")


def heads(page):
    """The words that a row of *page* explains."""
    cells = re.findall(r"^\| ([^|]+) \| [^|]{10,} \|", page, re.MULTILINE)
    return {word for cell in cells for word in words_of(cell.replace("`", ""))}


def unexplained(names, page):
    """The words of *names* that *page* does not explain, with a name for each; a name that it quotes is explained."""
    known = heads(page) | EVERYDAY
    rest = {name for name in names if f"`{name}`" not in page}
    return {word: name for name in sorted(rest) for word in words_of(name) if word not in known}


def modules():
    """The modules of the engine, the rooms of the adapters, and the public modules."""
    chosen = {each for each in HOUSE.trees if each.startswith("watchword.") or HOUSE.is_package(each)}
    return {each.rpartition(".")[2] for each in chosen | PUBLIC} - {"watchword_adapters", "watchword_plugins"}


def classes():
    """The public classes of the engine, and those of the public modules."""
    return {
        node.name
        for module, tree in HOUSE.trees.items()
        if module.startswith("watchword.") or module in PUBLIC
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def test_the_glossary_explains_each_module():
    """Each word of its name has a row."""
    assert {} == unexplained(modules(), PAGE)


def test_the_glossary_explains_each_public_class():
    """Each noun of its name has a row."""
    assert {} == unexplained(classes(), PAGE)


@pytest.mark.parametrize(
    "word", sorted({word for name in classes() if f"`{name}`" not in PAGE for word in words_of(name)} - EVERYDAY)
)
def test_a_row_that_is_missing_is_missed(word):
    """The comparison finds each word of a class that no row explains."""
    rest = "\n".join(line for line in PAGE.splitlines() if word not in heads(line))
    assert word in unexplained(classes(), rest)


def test_a_word_is_explained_once():
    """Two rows for one word would be two meanings."""
    cells = re.findall(r"^\| ([^|]+) \| [^|]{10,} \|", PAGE, re.MULTILINE)
    words = [each.strip() for cell in cells for each in re.split("[,;]", cell)]
    assert [] == sorted({word for word in words if words.count(word) > 1})
