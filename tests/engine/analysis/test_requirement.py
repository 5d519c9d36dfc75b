"""A requirement is read as Python reads the same words, and met as a truth table says."""

import ast
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError
from watchword.analysis.requirement import MAX_NESTING, MAX_REQUIREMENT, is_met, parse_requirement, terms

TERMS = ("knowledge", "possession", "inherence", "password", "email_otp", "totp2")
TREES = st.recursive(
    st.sampled_from(TERMS),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4).map(tuple)),
    max_leaves=12,
)


def spelt(tree, gap=" ", within=""):
    """Write *tree* with no more brackets than it needs."""
    if isinstance(tree, str):
        return tree
    text = f"{gap}{tree[0]}{gap}".join(spelt(part, gap, tree[0]) for part in tree[1])
    return f"({text})" if within in {"and", tree[0]} else text


def python(text):
    """Return how Python itself reads *text*, or None if it is more or less than names, and, or, brackets."""

    def read(node):
        match node:
            case ast.Name(id=name):
                return name
            case ast.BoolOp(op=ast.And(), values=values):
                return ("and", tuple(map(read, values)))
            case ast.BoolOp(op=ast.Or(), values=values):
                return ("or", tuple(map(read, values)))
        raise SyntaxError

    try:
        return read(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return None


def ours(text):
    """Return how `parse_requirement` reads *text*, or None if it refuses."""
    try:
        return parse_requirement(text)
    except ConfigurationError as error:
        assert str(error).startswith("require: ")
        return None


@given(tree=TREES, gap=st.sampled_from([" ", "  ", "\t", " \n "]))
def test_what_is_written_is_read_back(tree, gap):
    """Every expression, written with no bracket too many and any blanks, gives the same tree again."""
    text = spelt(tree, gap)
    if len(text) <= MAX_REQUIREMENT:
        assert tree == parse_requirement(text)
        assert tree == parse_requirement(f" {text} ")


def test_every_short_row_of_words_is_read_or_refused_as_python_does():
    """All rows of up to six words: `and` binds closer than `or`, brackets pair, nothing is missing and nothing too much."""
    readable = 0
    for length in range(1, 7):
        for words in product(("aa", "and", "or", "(", ")"), repeat=length):
            text = " ".join(words)
            assert python(text) == ours(text), text
            readable += ours(text) is not None
    assert 1 + 3 + 11 == readable  # counted by hand, of one, three and five words


@given(st.lists(st.sampled_from(["aa", "bb", "and", "and", "or", "or", "(", ")"]), max_size=24).map(" ".join))
def test_longer_rows_of_words_are_read_or_refused_as_python_does(text):
    """The same for longer ones."""
    assert python(text) == ours(text)


@given(tree=TREES)
def test_a_requirement_is_met_as_its_truth_table_says(tree):
    """Every subset of the terms, against Python's own `and` and `or`."""
    for held in product((True, False), repeat=len(TERMS)):
        values = dict(zip(TERMS, held, strict=True))
        expected = eval(spelt(tree), {"__builtins__": {}}, values)
        assert expected is is_met(tree, {term for term in TERMS if values[term]})


@given(tree=TREES, proven=st.sets(st.sampled_from(TERMS)), more=st.sets(st.sampled_from(TERMS)))
def test_proving_more_never_breaks_a_requirement(tree, proven, more):
    """There is no `not`, so what is met stays met."""
    assert not is_met(tree, proven) or is_met(tree, proven | more)


@given(tree=TREES)
def test_terms_are_told_once_in_the_order_of_writing(tree):
    """Those that stand in the text."""
    words = spelt(tree).replace("(", " ").replace(")", " ").split()
    assert tuple(dict.fromkeys(word for word in words if word not in {"and", "or"})) == terms(tree)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a term is missing"),
        ("knowledge and", "a term is missing"),
        ("or knowledge", "a term is missing"),
        ("knowledge possession", "'possession' comes unexpectedly"),
        ("(knowledge", "a ) is missing"),
        ("knowledge)", "')' comes unexpectedly"),
        ("()", "a term is missing"),
        ("Knowledge", "'Knowledge' cannot be read"),
        ("knowledge & possession", "'& possession' cannot be read"),
        ("knowledge and 2fa", "'2fa' cannot be read"),
        ("knowledge or possédé", "'édé' cannot be read"),
        ("knowledge\u00a0and possession", "cannot be read"),
        ("a" * (MAX_REQUIREMENT + 1), f"longer than {MAX_REQUIREMENT}"),
    ],
)
def test_what_cannot_be_read_is_named(text, what):
    """The message shows where the reading ended, and how it is written."""
    with pytest.raises(ConfigurationError) as refused:
        parse_requirement(text)
    assert what in str(refused.value)


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, MAX_REQUIREMENT // 2 - 10, 100_000])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_brackets_are_a_configuration_error(depth, closed):
    """However deep: never a RecursionError, also below the limit of length."""
    with pytest.raises(ConfigurationError, match=r"brackets|longer"):
        parse_requirement("(" * depth + "knowledge" + ")" * depth * closed)


def test_brackets_up_to_the_limit_are_read():
    """The deepest that is allowed, and any number side by side."""
    assert "knowledge" == parse_requirement("(" * MAX_NESTING + "knowledge" + ")" * MAX_NESTING)
    assert ("or", ("aa",) * 60) == parse_requirement(" or ".join(["(aa)"] * 60)[:MAX_REQUIREMENT])
