"""What every test run shares: the inner loop, hypothesis profiles, and documents whose code blocks run.

A bare `pytest` is the inner loop: about two minutes on two cores. It leaves out the files with the line
`pytestmark = pytest.mark.exhaustive` (or a list that begins with that mark) and the pages with the line
`<!-- pytest: exhaustive -->`, and does not even import them, and it draws a quarter of the examples of each property.
`pytest --rest` runs what that left out: those files, and the properties in full; `pytest --all` runs everything. A file
that is named runs in any case. All of them go over all cores; under `coverage run`, which sees one process only, they
stay in one, and every example is drawn.

README.md and every page under docs/ are tests. Each document has its own namespace and starts in its own empty
directory, which is also on `sys.path`; both are gone afterwards, as are the environment variables that it set.

* A `python` block runs. A `toml` block is parsed.
* A `python` or `toml` block whose first line is `# file: NAME` is written to that file instead of being run, so that
  later blocks can load or import it. A file named `test_*.py` is run by pytest in a process of its own.
* An `output` block holds what the blocks since the last `output` block have printed.
* `sh` blocks, and `console` blocks with what they print, are for `tests/installed`, which runs them from a wheel.
* Everything else (`text`, `json`, …) is only shown.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Example

# These checks judge by the clock and by luck: neither is a reason for a test to fail.
LUCK = (HealthCheck.too_slow, HealthCheck.filter_too_much)
settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, print_blob=True, suppress_health_check=LUCK
)
# For mutation: a failure is all that is asked for, not the smallest one.
settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.register_profile("dev", derandomize=False, deadline=None, suppress_health_check=LUCK)
INNER_LOOP = "PYTEST_INNER_LOOP"
"""The variable of the environment that says that this is the inner loop."""
DRAWN = 4
"""The inner loop draws one example of so many that a property asks for."""
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

# docs/examples/plugin is a distribution of its own with its own tests; it has to be installed before they can run.
# tests/installed runs from a wheel, in an environment that `.ci/wheel` makes.
collect_ignore_glob = ["docs/_build/*", "docs/examples/*", "tests/installed"]

EXHAUSTIVE = {
    ".py": re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.exhaustive\b", re.MULTILINE),
    ".md": re.compile(r"^<!-- pytest: exhaustive -->$", re.MULTILINE),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption("--all", action="store_true", help="run the exhaustive files too")
    parser.addoption(
        "--rest", action="store_true", help="run what a bare run leaves out: exhaustive files, and properties in full"
    )
    parser.addoption("--shrink", type=float, metavar="N", help="divide every real limit outside tests/bounds by N")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker."""
    config.addinivalue_line("markers", "exhaustive: of a whole file, which runs with --all or if it is named")
    if config.getoption("shrink"):
        from kit.shrink import Shrink  # noqa: PLC0415 - it loads Watchword, which most runs do later

        config.pluginmanager.register(Shrink(config.getoption("shrink")), "shrink")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Have a run that names no file go over all cores, unless it says otherwise."""
    # Workers get this call as well: one that started workers of its own would never end.
    bare = config.args_source is pytest.Config.ArgsSource.TESTPATHS and "PYTEST_XDIST_WORKER" not in os.environ
    if bare and config.pluginmanager.has_plugin("xdist") and "COVERAGE_RUN" not in os.environ:
        config.option.numprocesses = "auto" if config.option.numprocesses is None else config.option.numprocesses
    config.option.all = config.option.all or config.option.rest
    if bare and not config.option.all and "COVERAGE_RUN" not in os.environ:
        os.environ[INNER_LOOP] = "1"  # Workers inherit it.


@cache
def is_exhaustive(path: Path) -> bool:
    """Say whether the tests of a file take long, by reading it: importing it would take long too."""
    mark = EXHAUSTIVE.get(path.suffix)
    return mark is not None and mark.search(path.read_text(encoding="utf-8")) is not None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the exhaustive files out of the inner loop. pytest does not ask for files that are named."""
    return True if not config.getoption("all") and is_exhaustive(collection_path) else None


def drawn_by(test: object) -> settings | None:
    """Return the settings by which Hypothesis draws the examples of a test's function; None if it is no property."""
    found: settings | None = getattr(test, "_hypothesis_internal_use_settings", None)
    return found


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage among what is collected: it all stays, and looking through it took a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.unfreeze()  # All that was made is old now, and is looked through rarely.
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the rest what a bare run does in full, and have that draw fewer examples.

    Those also where a test says how many: a profile would not reach it.
    """
    if config.getoption("rest"):
        rest = {item for item in items if is_exhaustive(item.path) or drawn_by(getattr(item, "obj", None))}
        config.hook.pytest_deselected(items=[item for item in items if item not in rest])
        items[:] = [item for item in items if item in rest]
    if INNER_LOOP not in os.environ:
        return
    tests = {getattr(item.obj, "__func__", item.obj) for item in items if isinstance(item, pytest.Function)}
    for test in tests:
        given = drawn_by(test)
        if given is not None:
            fewer = settings(given, max_examples=-(-given.max_examples // DRAWN))
            test._hypothesis_internal_use_settings = fewer  # noqa: SLF001 - there is no other way once a test is made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that files may have been left out."""
    if not config.getoption("all") and any(Path(argument).is_dir() for argument in config.args):
        terminalreporter.write_line("the exhaustive files were left out: pytest --all runs them too")


FILE_LINE = re.compile(r"\A# file: (?P<name>\S+)\n")
DEFINES_TESTS = re.compile(r"^(async )?def test_|^class Test", re.MULTILINE)
# Spellings that Markdown renderers accept and the parsers below would silently pass over.
MISSPELT = ("py", "python3", "py3", "Python", "pycon", "TOML", "{code-block} py", "{code} py")

run_python_block = PythonEvaluator()


class DocumentRun:
    """The directory, environment and printed text of one document while its blocks run."""

    def __init__(self) -> None:
        self.printed = io.StringIO()
        self._exit = contextlib.ExitStack()

    def enter(self) -> None:
        """Move into an empty directory and remember what has to be put back."""
        self._exit.enter_context(patient_system_clock())
        directory = self._exit.enter_context(tempfile.TemporaryDirectory(prefix="watchword-docs-"))
        self._exit.callback(sys.path.__setitem__, slice(None), list(sys.path))
        self._exit.callback(forget_modules_under, Path(directory).resolve())
        self._exit.callback(restore_environment, dict(os.environ))
        self._exit.enter_context(contextlib.chdir(directory))
        sys.path.insert(0, str(Path(directory).resolve()))

    def leave(self) -> None:
        """Put everything back."""
        self._exit.close()


PATIENCE = 1000
"""Limits of real time are so many times as long in documents: these show the system's clock, and the machine may be slow."""


@contextlib.contextmanager
def patient_system_clock() -> Iterator[None]:
    """Make every limit by the system's clock longer: of calls, and of what is reckoned by its `monotonic`."""
    from watchword_adapters.clock import SystemClock  # noqa: PLC0415 - a run that names a test file needs no page

    call, start = SystemClock.call, time.monotonic()
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(SystemClock, "call", lambda clock, work, within: call(clock, work, within * PATIENCE))
        patches.setattr(SystemClock, "monotonic", lambda _: start + (time.monotonic() - start) / PATIENCE)
        yield


def restore_environment(before: dict[str, str]) -> None:
    """Make the environment what it was."""
    os.environ.clear()
    os.environ.update(before)


def forget_modules_under(directory: Path) -> None:
    """Unload the modules that a document imported from its own directory, so that the next document gets its own."""
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if origin and Path(origin).is_relative_to(directory):
            del sys.modules[name]


def set_up(namespace: dict[str, Any]) -> None:
    """Begin a document."""
    namespace["__name__"] = "__document__"
    namespace["__run__"] = DocumentRun()
    namespace["__run__"].enter()


def tear_down(namespace: dict[str, Any]) -> None:
    """End a document."""
    namespace["__run__"].leave()


def write_named_file(source: str) -> Path | None:
    """Write a block that begins with `# file: NAME` to that file below the current directory; None for other blocks."""
    match = FILE_LINE.match(source)
    if match is None:
        return None
    name = PurePosixPath(match["name"])
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"# file: {name} leaves the document's directory; give a relative path")
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    importlib.invalidate_caches()
    return path


def evaluate_python(example: Example) -> str | None:
    """Run a block, or write it to the file that it names."""
    source = str(example.parsed)
    path = write_named_file(source)
    if path is not None:
        return run_test_file(path) if path.name.startswith("test_") else None
    if DEFINES_TESTS.search(source):
        return "this block defines tests that nothing runs; begin it with `# file: test_NAME.py`"
    with contextlib.redirect_stdout(example.namespace["__run__"].printed):
        run_python_block(example)
    return None


def run_test_file(path: Path) -> str | None:
    """Run a test file as a reader would; return pytest's report if it fails."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "error",
        str(path),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(Path.cwd())
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else run.stdout + run.stderr


def evaluate_toml(example: Example) -> None:
    """Parse a block, and write it to the file that it names."""
    source = str(example.parsed)
    tomllib.loads(source)
    write_named_file(source)


def evaluate_output(example: Example) -> str | None:
    """Compare a block with what has been printed since the last one."""
    printed = example.namespace["__run__"].printed
    actual, expected = printed.getvalue().rstrip(), str(example.parsed).rstrip()
    printed.seek(0)
    printed.truncate()
    return None if expected == actual else f"expected output:\n{expected}\nprinted:\n{actual}"


def refuse_misspelt(example: Example) -> str:
    """Fail a block that looks like code and would never run."""
    return "no block in this language is run; write `python`, `toml` or `output`, or `text` for what cannot run"


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", evaluate_python),
        CodeBlockParser("toml", evaluate_toml),
        CodeBlockParser("output", evaluate_output),
        *(CodeBlockParser(language, refuse_misspelt) for language in MISSPELT),
    ],
    pattern="*.md",
    setup=set_up,
    teardown=tear_down,
).pytest()
