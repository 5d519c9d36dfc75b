"""The outline of a TOML text: depth without a parser, and the line of every key."""

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.loading.toml_positions import lines_of, too_deep

TEXT = """\
# [not.a.table]
name = "a # b, [c] = {d}"   # steps = 1
"quoted key" = 'it''s'
text = \"\"\"
[limits]
x = "\"\\"
\"\"\"
literal = '''
[y]'''''
[limits]
messages = [
    "3/15min",  # one

    "5/h",
]
[a.b]
c.d = 1.5
[[steps]]
kind = "srp"
[[steps]]
one_of = [ { kind = "email_otp", of.x = [1, [2,
  3]] }, { kind = "totp" },
]
[[steps.inner]]
deep = 1979-05-27T07:32:00Z
[[steps.inner]]
[steps.inner.more]
"a\\u0062" = {}
[[steps]]
kind = "end" """.replace("'it''s'", "'it'")

LINES = {
    ("name",): 2,
    ("quoted key",): 3,
    ("text",): 4,
    ("literal",): 8,
    ("limits",): 10,
    ("limits", "messages"): 11,
    ("limits", "messages", 0): 12,
    ("limits", "messages", 1): 14,
    ("a",): 16,
    ("a", "b"): 16,
    ("a", "b", "c"): 17,
    ("a", "b", "c", "d"): 17,
    ("steps",): 18,
    ("steps", 0): 18,
    ("steps", 0, "kind"): 19,
    ("steps", 1): 20,
    ("steps", 1, "one_of"): 21,
    ("steps", 1, "one_of", 0): 21,
    ("steps", 1, "one_of", 0, "kind"): 21,
    ("steps", 1, "one_of", 0, "of"): 21,
    ("steps", 1, "one_of", 0, "of", "x"): 21,
    ("steps", 1, "one_of", 0, "of", "x", 0): 21,
    ("steps", 1, "one_of", 0, "of", "x", 1): 21,
    ("steps", 1, "one_of", 0, "of", "x", 1, 0): 21,
    ("steps", 1, "one_of", 0, "of", "x", 1, 1): 22,
    ("steps", 1, "one_of", 1): 22,
    ("steps", 1, "one_of", 1, "kind"): 22,
    ("steps", 1, "inner"): 24,
    ("steps", 1, "inner", 0): 24,
    ("steps", 1, "inner", 0, "deep"): 25,
    ("steps", 1, "inner", 1): 26,
    ("steps", 1, "inner", 1, "more"): 27,
    ("steps", 1, "inner", 1, "more", "ab"): 28,
    ("steps", 2): 29,
    ("steps", 2, "kind"): 30,
}


def paths(value, path=()):
    """Every path of a parsed document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield (*path, key)
        yield from paths(each, (*path, key))


def test_every_key_and_element_has_its_line():
    """Headers, arrays of tables, dotted and quoted keys, inline tables; text in strings and comments is none."""
    assert LINES == dict(lines_of(TEXT))


def test_the_example_is_toml_and_has_these_paths():
    """The table above is a parser's, not only the outline's."""
    assert set(paths(tomllib.loads(TEXT))) == set(LINES)


KEYS = st.one_of(
    st.text("ab", min_size=1, max_size=2),
    st.sampled_from(["'#x'", '"[y]"', '"a.b"', '"\\""', "1", "-", '""']),
)
SCALARS = st.sampled_from(
    [
        "1",
        "1.5",
        "true",
        '"]"',
        "'}'",
        '"""\n"""',
        "'''a''''",
        '"""a""""',
        '"""a"""""',
        '"\\\\"',
        "1979-05-27 07:32:00",
        "-inf",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: "[" + ", # ]\n".join([*values, ""]) + "]"),
        st.lists(inner, max_size=3).map(lambda values: "[" + ",".join(values) + "\n]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
        ),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, st.lists(KEYS, min_size=1, max_size=3).map(".".join), VALUES),
    st.builds("[{}]".format, st.lists(KEYS, min_size=1, max_size=3).map(" . ".join)),
    st.builds("[[{}]] # [x]".format, st.lists(KEYS, min_size=1, max_size=2).map(".".join)),
    st.sampled_from(["", "# x = 1", "\t"]),
)


@given(st.lists(STATEMENTS, max_size=8))
def test_the_outline_has_the_paths_that_the_parser_has(statements):
    """Whatever document a parser accepts, every one of its keys gets a line, and nothing else does."""
    text = "\n".join(statements)
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert set(paths(parsed)) == set(lines_of(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = [[[1]]]", None),
        ("a = 1\nb = [[[[1]]]]", 2),
        ("a = {b = {c = [{}]}}", 1),
        ("a.b.c.d = 1", None),
        ("\na.b . c.d.e = 1", 2),
        ("a.b.c = 1\na.b.c = 1", None),
        ('a = "[[[[[[["\nb = "a.b.c.d.e.f"  # [[[[[[[', None),
        ("]]]]]]]\n[[[[", 2),
        ("[a.b.c.d.e]", 1),
    ],
)
def test_depth_is_told_without_a_parser(text, line):
    """Brackets and dotted keys count; what stands in strings and comments does not."""
    assert line == too_deep(text, 3)


@pytest.mark.parametrize(
    "unit", ["[", "{a=", "a.", '"""', "'''", '"', "\\", '"""\\"', "=", "\n", "'", "#", "a", '"a".', "é", "\0"]
)
def test_any_text_is_scanned_in_linear_time(unit):
    """A hostile file costs no more than an ordinary one of its size."""
    text = unit * (100_000 // len(unit))
    began = time.process_time()
    too_deep(text, 10**9)

    assert time.process_time() - began < 1
