"""The text of a template is read within bounds: no bomb, no loop, no odd YAML ends the command in any other way."""

import json
import sys
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError
from watchword_adapters.cli import main
from watchword_adapters.deploy.reading.template_text import (
    MOST_BYTES,
    MOST_LEVELS,
    MOST_VALUES,
    parse_template_text,
    read_template_text,
)

pytest.importorskip("yaml")


def bomb(levels, merged=False):
    """Return YAML whose aliases stand for ten to the *levels* values."""
    first = "a0: &a0 {x: 1}" if merged else "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
    lines = ["Resources:", f"  {first}"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"  a{level}: &a{level} " + (f"{{<<: [{aliases}]}}" if merged else f"[{aliases}]"))
    return "\n".join(lines)


REFUSED = {
    "a bomb": (bomb(10), "values, each alias written out"),
    "a bomb of merges": (bomb(10, merged=True), "values, each alias written out"),
    "a value inside of itself": ("Resources:\n  Pool: &a\n    again: *a", r"line 3: \*a contains itself"),
    "a list inside of itself": ("Resources: &a [[*a]]", "contains itself"),
    "an alias of nothing": ("Resources: *a", "neither JSON nor YAML"),
    "levels of YAML": ("Resources: " + "[" * 300 + "]" * 300, "levels of values in values"),
    "levels of blocks": ("- " * 1000 + "a", "levels of values in values"),
    "levels of JSON": ('{"a":' * 900 + "1" + "}" * 900, "levels of values in values"),
    "levels beyond any stack": ("[" * 100_000, "levels of values in values|neither JSON nor YAML"),
    "values": (json.dumps({"Resources": [0] * MOST_VALUES}), "values, each alias written out"),
    "values of YAML": ("Resources:\n" + "- a\n" * MOST_VALUES, "values, each alias written out"),
    "an object of Python": ("a: !!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
    "an odd boolean": ("a: !!bool maybe", "neither JSON nor YAML"),
    "an odd date": ("a: !!timestamp 2010-99-99", "neither JSON nor YAML"),
    "odd bytes": ("a: !!binary é", "neither JSON nor YAML"),
    "a list as a key": ("[1, 2]: 3", "neither JSON nor YAML"),
    "two documents": ("a: 1\n---\nb: 2", "neither JSON nor YAML"),
    "a control sign": ("a: \x07", "neither JSON nor YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_template_is_like_is_refused_with_the_files_name(name, tmp_path, capsys):
    """By the command, with status 2 and a line that says why."""
    text, why = REFUSED[name]
    with pytest.raises(ConfigurationError, match=why):
        parse_template_text(text, "stack.yaml")
    path = tmp_path / "stack.yaml"
    path.write_text(text, encoding="utf-8")
    assert 2 == main(["doctor", "--template", str(path)])
    said = capsys.readouterr()
    assert "" == said.out
    assert f"watchword: error: {path}" in said.err


def test_aliases_and_merges_within_bounds_are_read():
    """People share the settings of their functions so."""
    text = "a: &f {x: 1, y: [2]}\nb: *f\nc: {<<: *f, x: 3}\nd: &g 4\ne: *g\n"
    assert {
        "a": {"x": 1, "y": [2]},
        "b": {"x": 1, "y": [2]},
        "c": {"x": 3, "y": [2]},
        "d": 4,
        "e": 4,
    } == parse_template_text(text, "it")


def test_levels_and_values_up_to_the_bounds_are_read():
    """As JSON and as YAML."""
    deep: object = 1
    for _ in range(MOST_LEVELS - 2):
        deep = [deep]
    assert (
        {"a": deep}
        == parse_template_text(json.dumps({"a": deep}), "it")
        == parse_template_text("a: " + json.dumps(deep), "it")
    )
    wide = [0] * (MOST_VALUES - 3)
    assert {"a": wide} == parse_template_text(json.dumps({"a": wide}), "it")


def test_dates_are_texts():
    """CloudFormation has no dates: its version is a text."""
    assert {"a": "2010-09-09", "b": "2010-99-99"} == parse_template_text("a: 2010-09-09\nb: 2010-99-99", "it")
    assert not isinstance(parse_template_text("a: 2010-09-09 10:00:00", "it")["a"], datetime)


@pytest.mark.parametrize("what", ["missing", "folder", "big"])
def test_a_file_that_cannot_be_read_is_given_wrongly(what, tmp_path, capsys):
    """Status 2, by its name: it is for the user to mend."""
    path = tmp_path / "stack.yaml"
    if what == "folder":
        path.mkdir()
    elif what == "big":
        path.write_bytes(b" " * (MOST_BYTES + 1))
    assert 2 == main(["doctor", "--template", str(path)])
    assert f"watchword: error: {path}" in capsys.readouterr().err


def test_an_endless_file_ends(tmp_path):
    """What has no size is read up to the bound."""
    path = tmp_path / "zero"
    try:
        path.symlink_to("/dev/zero")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(ConfigurationError, match="bigger than a template may be"):
        read_template_text(path)


def test_yaml_is_read_by_the_reader_in_python_too(monkeypatch):
    """PyYAML is built without libyaml where there is none."""
    import yaml

    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert {"A": {"Ref": "Pool"}, "B": {"Fn::GetAtt": ["Pool", "Arn"]}} == parse_template_text(
        "A: !Ref Pool\nB: !GetAtt Pool.Arn", "it"
    )
    for name in ("a bomb", "a value inside of itself", "an odd boolean", "levels beyond any stack"):
        text, why = REFUSED[name]
        with pytest.raises(ConfigurationError, match=why):
            parse_template_text(text, "it")


@given(st.text(alphabet="ab*&!<>:-?[]{},|'\"#%@\n 0.~=", max_size=60))
def test_no_text_raises_anything_else(text):
    """Whatever signs of YAML it is made of."""
    try:
        parse_template_text(text, "it")
    except ConfigurationError:
        assert "yaml" in sys.modules


NUMBERS = {
    "5": 5,
    "-12": -12,
    "0": 0,
    "0.25": 0.25,
    "012345678901": "012345678901",  # an account's id, in no base eight
    "1:30": "1:30",
    "1" + ":1" * 300_000: "1" + ":1" * 300_000,
    "1" + ":1" * 300_000 + ".5": "1" + ":1" * 300_000 + ".5",
    "0x" + "f" * 5000: "0x" + "f" * 5000,
    "9" * 5000: "9" * 5000,
    "1e5": "1e5",
    ".inf": ".inf",
    "!!int ''": "",
    "!!int 0x1f": "0x1f",
    "!!float 1:2.5": "1:2.5",
}


@pytest.mark.parametrize("written", NUMBERS, ids=lambda written: written[:12])
def test_a_number_is_a_decimal_of_some_digits(written):
    """Every other number of YAML 1.1 is the text that it is: base 60 takes quadratic time, and hex has no end."""
    expected = NUMBERS[written]
    assert {"a": expected} == parse_template_text(f"a: {written}", "t.yaml")
    assert type(expected) is type(parse_template_text(f"a: {written}", "t.yaml")["a"])
