"""The order of the modules: what `programs/house.py` counts, and that it counts what it says."""

import ast
import re

import pytest

from kit.paths import ROOT
from programs.house import ALIKE, HOUSE, LONGEST_MODULE, MOST_MODULES, PUBLIC, House, circles_in, code_lines, indexed


def test_nothing_goes_round_in_a_circle():
    """Neither modules nor the parts of a room."""
    assert [] == HOUSE.circles()


def test_imports_lead_to_lower_rooms():
    """Each module of the engine is in a room; plugins and adapters import the engine, and never each other."""
    assert [] == HOUSE.arrows()


def test_a_room_can_be_taken_in_at_a_glance():
    """Nine modules at most, where a reader needs more than one of them at a time."""
    assert {} == {room: count for room, count in HOUSE.rooms().items() if count > MOST_MODULES and room not in ALIKE}


def test_what_is_left_out_is_there():
    """A room that is argued for, and a module that pages may import from, exists."""
    assert HOUSE.rooms().keys() >= ALIKE.keys()
    assert HOUSE.trees.keys() >= PUBLIC


def test_no_module_is_too_long():
    """400 lines at most."""
    assert {} == {name: lines for name, lines in HOUSE.lengths().items() if lines > LONGEST_MODULE}


def test_lines_of_code_are_neither_docstrings_nor_comments_nor_blank():
    """A statement over several lines counts each; a text that is a value is code."""
    text = '"""A page."""\n\nVALUE = (\n    1,  # one\n)\n"""What it is."""\n\n# alone\nTEXT = """a\nb"""\n'
    assert {3, 4, 5, 9, 10} == code_lines(text)
    assert all(0 < code < lines for lines, code in HOUSE.sizes().values())


def test_no_name_is_public_twice():
    """One word for one thing: no two modules define the same class, function, constant or alias."""
    assert {} == HOUSE.twice()


def test_pages_and_scaffolds_import_from_public_modules():
    """What a reader copies must not break when modules move."""
    assert [] == HOUSE.strangers()


def test_the_reference_lists_the_public_modules():
    """Each in a row of its own, with what it is for."""
    page = (ROOT / "docs/reference/public-modules.md").read_text(encoding="utf-8")
    assert sorted(PUBLIC) == sorted(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))


def test_no_round_is_indexed_by_a_number():
    """A stranger who reads `last.use` need not know the order of a tuple."""
    assert [] == HOUSE.indexes()


def checkout(folder, files):
    """A checkout that has *files* alone."""
    for name in ("engine/watchword", "plugins/watchword_plugins", "adapters/watchword_adapters"):
        (folder / name).mkdir(parents=True)
    (folder / "README.md").write_text("", encoding="utf-8")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return House(folder)


def test_a_circle_is_found():
    """Each once, with all that are in it."""
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a"), "e": frozenset("e")}
    assert [["a", "b", "c"], ["e"]] == circles_in(graph)


def test_a_circle_between_the_parts_of_a_room_is_found(tmp_path):
    """Although no module leads back to itself."""
    house = checkout(
        tmp_path,
        {
            "engine/watchword/algebra/__init__.py": "",
            "engine/watchword/algebra/low.py": "from watchword.runtime.low import x",
            "engine/watchword/algebra/high.py": "",
            "engine/watchword/runtime/low.py": "",
            "engine/watchword/runtime/high.py": "from watchword.algebra import high",
            "engine/watchword/__init__.py": "",
        },
    )
    assert [["watchword.algebra", "watchword.runtime"]] == house.circles()


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("engine/watchword/contract/kinds.py", "from watchword.algebra import flow"),
        ("engine/watchword/analysis/diagram.py", "def f():\n    import watchword.runtime.engine"),
        ("engine/watchword/algebra/flow.py", "from watchword_adapters.audit import a"),
        ("plugins/watchword_plugins/srp.py", "if TYPE_CHECKING:\n    from watchword_adapters import audit"),
        ("engine/watchword/loose.py", ""),
    ],
)
def test_an_import_that_leads_upwards_is_found(tmp_path, module, text):
    """In a function, for type checkers, and from a module that is in no room."""
    house = checkout(
        tmp_path,
        {
            "engine/watchword/algebra/flow.py": "",
            "engine/watchword/runtime/engine.py": "",
            "adapters/watchword_adapters/audit.py": "",
            module: text,
        },
    )
    assert 1 == len(house.arrows())


@pytest.mark.parametrize(
    ("page", "text", "found"),
    [
        ("docs/page.md", "from watchword.runtime.engine import Engine", ["watchword.runtime.engine"]),
        ("README.md", "import watchword.runtime.engine", ["watchword.runtime.engine"]),
        ("docs/examples/flow.py", "    from watchword_plugins.riddle import Riddle", ["watchword_plugins.riddle"]),
        ("docs/page.md", "Call `watchword.runtime.engine.Engine(flow)`.", ["watchword.runtime.engine"]),
        ("docs/page.md", "See `watchword.runtime`, `watchword.typed_code`, `watchword.yaml`.", ["watchword.runtime"]),
        ("docs/decisions/0001-rooms.md", "`watchword.runtime.engine` is a module.", []),
        ("docs/page.md", "from watchword import Flow\nfrom watchword_riddle import Riddle", []),
    ],
)
def test_a_way_past_the_public_modules_is_found(tmp_path, page, text, found):
    """In an import anywhere, and in the text of a page that is not about modules."""
    house = checkout(
        tmp_path,
        {
            "engine/watchword/__init__.py": "",
            "engine/watchword/runtime/__init__.py": "",
            "engine/watchword/runtime/engine.py": "",
            page: text,
        },
    )
    assert [f"{page}: {each}" for each in found] == house.strangers()


def test_a_name_that_two_modules_define_is_found(tmp_path):
    """A class, an alias, a function or a constant; not the type variables and what commands have in common."""
    house = checkout(
        tmp_path,
        {
            "engine/watchword/algebra/flow.py": "class Round: ...\nclass _Own: ...\nStep: TypeAlias = str\nT = 1",
            "adapters/watchword_adapters/ledgers.py": "class Round: ...\nclass _Own: ...\nclass Reply: ...\nT = run = KEY = 1",
            "adapters/watchword_adapters/pool.py": "def Reply(): ...\nStep = int\ndef run(): ...\nKEY: int = 1",
        },
    )
    assert ["KEY", "Reply", "Round", "Step"] == [*house.twice()]


@pytest.mark.parametrize(
    "line",
    [
        "rounds[-1]",
        "last[1]",
        "evaluation.rounds[0]",
        "any(each[4] for each in rounds)",
        "next(each[4] for each in reversed(self.evaluation.rounds) if each[1] == step)",
        "for each in request.session:\n    each[2]",
        "{round_[0]: 1}",
    ],
)
def test_an_index_is_found(line):
    """In each form in which one was written once."""
    assert list(indexed(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    ["rounds[:-1]", "rounds[place]", "last['claim']", "[each[1] for each in conditions], [each for each in rounds]"],
)
def test_what_is_no_index_of_a_round_by_a_number_is_left_alone(line):
    """Parts of a list, a place that was counted, a name, and other tuples."""
    assert not list(indexed(ast.parse(line)))
