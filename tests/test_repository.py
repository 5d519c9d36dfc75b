"""What must not be in any file of the repository."""

import re
import subprocess
from fnmatch import fnmatch

import pytest

from kit.paths import ROOT
from programs.mutation import MODULES
from watchword_adapters.attacks import FAMILIES

# Written in pieces, so that this file does not match itself.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.\-])/(work|root)" + "/",
            "/tmp/" + "venv",
            "pypi" + r"\.org/simple",
            "files" + r"\.pythonhosted",
            "registry" + r"\.npmjs",
            "extra-" + "index-url",
        ]
    )
)


def tracked_files():
    """Every file that a clone would have."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a clone knows which files are the repository's")
    # A continuous-integration checkout may belong to another user; listing its files is safe all the same.
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_registry_host():
    """A clone works anywhere: no path of one machine, no address of one package registry or mirror."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        for match in FOREIGN.finditer(path.read_bytes().decode("utf-8", errors="replace"))
    ]

    assert [] == found


@pytest.mark.parametrize(
    "text", ["cd /work" + "/main", "/tmp/" + "venv/bin/pytest", '"resolved": "https://registry' + ".npmjs.org/a.tgz"]
)
def test_the_pattern_finds_what_it_is_for(text):
    """A pattern that matches nothing would pass every repository."""
    assert FOREIGN.search(text)


@pytest.mark.parametrize("text", ["docs/work/flow.md", "https://example.com/root", "the framework/engine"])
def test_the_pattern_leaves_ordinary_text_alone(text):
    """Relative paths and addresses of other sites are nobody's machine."""
    assert not FOREIGN.search(text)


ATTACK = re.compile(r"\b[ACEFKLMNPRSX]-[0-9]{2}\b")
MADE_UP = {"X-99"}


def test_whoever_names_an_attack_names_one_of_the_corpus():
    """A number that no file of the repository explains tells a reader nothing."""
    named = {
        (path.name, number)
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts
        for number in ATTACK.findall(path.read_text("utf-8"))
    }

    assert named
    assert set() == {each for each in named if each[1] not in {family.id for family in FAMILIES} | MADE_UP}


def test_what_tests_share_has_a_room():
    """A module of `tests` is a test, what pytest demands, a helper, an oracle, or a program that is run by its path."""
    rooms = {"kit", "oracles", "programs", "typing", "benchmarks", "fuzz", "installed"}
    strays = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts and path.relative_to(ROOT / "tests").parts[0] not in rooms
        if not path.name.startswith("test_") and path.name != "conftest.py"
    ]

    assert [] == strays


def test_mutation_names_files_that_are_there():
    """A module that moved away would be left out, and a test that moved would fail for every mutant."""
    paths = [path for module in MODULES.values() for path in (module.path, *module.tests) if "/" in path]

    assert [] == [path for path in paths if not (ROOT / path).is_file()]


def test_pytest_goes_into_every_folder_with_tests(pytestconfig):
    """It passes over folders of some names in silence, `build` among them unless it is told otherwise."""
    passed_over = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "node_modules" not in path.parts
        for folder in path.relative_to(ROOT).parent.parts
        if any(fnmatch(folder, pattern) for pattern in pytestconfig.getini("norecursedirs"))
    ]

    assert [] == passed_over


def test_no_test_counts_the_folders_above_itself():
    """`kit.paths` has the folders; a test that moves to another depth would look elsewhere."""
    own = {"kit/paths.py", "test_repository.py"}  # what runs without pytest finds the kit by its own place
    counting = {
        path.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if "node_modules" not in path.parts
        if path.relative_to(ROOT / "tests").parts[0] not in {"programs", "benchmarks", "installed"}
        if re.search(r"\b__file__\)(\.resolve\(\))?\.parents\[", path.read_text("utf-8"))
    }

    assert set() == counting - own
