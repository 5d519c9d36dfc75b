"""Generated modules: text of a flow gets into them as a literal and in no other way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit.artefact import written as written_below
from watchword import ConfigurationError, Flow, attribute, client, load_flow, named, sequence, when
from watchword_adapters.cli import main
from watchword_adapters.deploy.build.define_zip import define_files
from watchword_adapters.deploy.build.generated_modules import written
from watchword_adapters.deploy.target import PYTHONS, this_python
from watchword_plugins.email_otp import EmailOtp
from watchword_plugins.srp import Srp

ODD = (
    '"""+str(open("ran","w"))+"""',
    "'''+str(open('ran','w'))+'''",
    "\\",
    'x\\"""',
    "{0}{name}{{}}",
    "%s%(name)s$name",
    "FLOWS = ...",
    "#",
    "é\u2028\u0085\u202e",
    "\N{FULLWIDTH QUOTATION MARK}",
)
LINES = ("\n", "\r\nFLOWS = ...\n", "a\n\nimport os\nos.abort()\n", "\x00", "\x0c", "\ud800")
TEXTS = st.sampled_from([*ODD, *LINES]) | st.text(st.sampled_from("\"'\\{}%$#\r\n\t\0abc\u2028\ud800"), max_size=30)
NAMES = TEXTS.filter(lambda text: text.isprintable() and 1 <= len(text) <= 64)


def tree(flow):
    """Return the syntax tree of the generated Define with its literal taken out, and the literal's value."""
    made = ast.parse(define_files([flow])["define.py"])
    (found,) = [each for each in made.body if isinstance(each, ast.Assign)]
    value = ast.literal_eval(found.value)
    found.value = ast.Constant(None)
    return ast.dump(made), value


@given(NAMES, TEXTS, TEXTS, TEXTS)
@settings(max_examples=150)
@example(ODD[0], "a", ODD[0], ODD[0])
def test_no_text_of_a_flow_changes_the_tree_of_the_built_define(name, fact, value, application):
    """Its name, and the names, values and clients of conditions, with quotes, backslashes, braces and ends of lines."""
    conditions = when(attribute(fact or "a", value), named("first", EmailOtp()))
    clients = when(client(application or "a"), named("second", EmailOtp()))
    flow = Flow(sequence(Srp(), conditions, clients, EmailOtp()), name=name)
    made, value = tree(flow)
    assert tree(Flow(EmailOtp()))[0] == made
    assert ((name, flow.program),) == value


@given(
    st.dictionaries(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2),
    st.lists(TEXTS, max_size=3).map(tuple),
)
@settings(max_examples=150)
def test_what_is_written_is_the_pattern_and_the_values(modules, flows):
    """Whatever the texts: every other node is the pattern's, and each value is read as it was given."""
    pattern = '"""Text."""\n\nMODULES = ...\nFLOWS = ...\n\nprint(MODULES, FLOWS)\n'
    made = ast.parse(written(pattern, {"MODULES": modules, "FLOWS": flows}))
    values = [ast.literal_eval(each.value) for each in made.body if isinstance(each, ast.Assign)]
    assert [modules, flows] == values
    expected = ast.parse(pattern)
    for each in (made, expected):
        each.body = [node for node in each.body if not isinstance(node, ast.Assign)]
    assert ast.dump(expected) == ast.dump(made)


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf"), [print], {1: b"x", 2: object()}])
def test_a_value_that_has_no_literal_is_refused(value):
    """It would be read as something else, or as nothing."""
    with pytest.raises(ConfigurationError, match="no plain values"):
        written("A = 1\nVALUE = ...\n", {"VALUE": value})


class Lying(str):
    """A text whose literal says something else."""

    __slots__ = ()

    def __repr__(self):
        return "1, print('ran')"


def test_what_was_not_meant_is_refused():
    """A text that gives itself out for code, or one whose place is not in the pattern."""
    with pytest.raises(ConfigurationError):
        written("A = 1\nVALUE = ...\n", {"VALUE": Lying("x")})
    with pytest.raises(ConfigurationError, match="not have the intended values"):
        written("A = 1\nVALUE = ... \n", {"VALUE": "x"})


@pytest.mark.skipif(this_python() not in PYTHONS, reason="Lambda has no such Python")
def test_odd_names_run_nothing_in_any_function(tmp_path, monkeypatch):
    """Built by the command from TOML, which starts all three functions: the code in the name and the settings never runs."""
    monkeypatch.chdir(tmp_path)
    name = ODD[0]
    app = "'''\\\"\\\"\\\"{x}\\\\"
    (tmp_path / "flow.toml").write_text(
        f'name = \'{name}\'\n[[steps]]\nkind = "srp"\n[[steps]]\nkind = "email_otp"\napp = "{app}"\n'
        f"[[steps]]\nwhen = {{ attribute = 'a', equals = '{name}' }}\nthen = {{ kind = \"email_otp\", name = \"again\" }}\n"
    )
    assert name == load_flow(tmp_path / "flow.toml").name
    assert 0 == main(["build", "flow.toml"])
    folder = written_below(define_files([load_flow(tmp_path / "flow.toml")]), tmp_path / "unpacked")
    subprocess.run([sys.executable, "-c", "import define"], cwd=folder, check=True)
    assert [] == list(Path(tmp_path).rglob("ran"))
