"""Mutation: `python tests/mutation.py verification --sample 100`. Needs cosmic-ray (pip install cosmic-ray).

Each mutant is one small change to the source; a test has to fail for it. It works on a copy, since cosmic-ray changes files where
they lie: `derive.py` is shipped alone and may import nothing, so it cannot be mutated from within. Survivors are printed with
their lines; what is known of them stands in docs/reference/mutation.md.
"""

import argparse
import ast
import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[1]
COPIED = ("engine", "plugins", "adapters", "tests", "docs", "conftest.py", "pyproject.toml", "README.md")


@frozen
class Module:
    """A module to mutate, the tests that should notice, and the functions that count (all of them if there are none)."""

    path: str
    tests: tuple[str, ...]
    functions: tuple[str, ...] = ()


_ENGINE = tuple(f"tests/engine/test_engine_{name}.py" for name in ("verify", "create", "define"))
MODULES = {
    "derive": Module(
        "engine/watchword/derive.py",
        (
            *("tests/engine/test_derive_reading.py", "tests/engine/test_engine_define.py"),
            *("tests/engine/test_mutants_derive.py", "tests/engine/test_derive_twins.py"),
        ),
    ),
    "verification": Module(
        "engine/watchword/verification.py",
        (*_ENGINE, "tests/engine/test_mutants_calls.py", "tests/bounds/test_plugin_deadline.py"),
    ),
    "budgets": Module(
        "engine/watchword/budgets.py", ("tests/engine/test_budgets.py", "tests/engine/test_mutants_values.py", *_ENGINE)
    ),
    "travel": Module("engine/watchword/travel.py", ("tests/engine/test_mutants_values.py", *_ENGINE)),
    "creation": Module(
        "engine/watchword/creation.py",
        (
            *(
                "tests/engine/test_engine_create.py",
                "tests/engine/test_mutants_calls.py",
                "tests/engine/test_engine_verify.py",
            ),
            *("tests/engine/test_altered_metadata.py", "tests/bounds/test_plugin_deadline.py"),
        ),
    ),
    "keyring": Module(
        "engine/watchword/keyring.py", ("tests/engine/test_keyring.py", "tests/engine/test_mutants_values.py", *_ENGINE)
    ),
    "memory": Module(
        "adapters/watchword_adapters/ledgers/memory.py",
        ("tests/adapters/test_ledgers.py",),
    ),
    "email_otp": Module(
        "plugins/watchword_plugins/email_otp.py",
        ("tests/plugins/test_email_otp.py", "tests/plugins/test_mutants_kinds.py"),
        ("verify", "_read", "_address", "_is_address", "create"),
    ),
    "captcha": Module(
        "plugins/watchword_plugins/captcha.py",
        ("tests/plugins/test_captcha.py", "tests/plugins/test_mutants_kinds.py"),
        ("verify", "_read"),
    ),
}

CONFIGURATION = """
[cosmic-ray]
module-path = "{path}"
timeout = 120.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider {tests}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/ReplaceBinaryOperator_.*_BitOr"]
"""
"""Without `|`: it stands in annotations, which nothing evaluates."""


def main() -> int:
    """Read the command line, mutate one module after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}; all if none is named")
    parser.add_argument("--sample", type=int, help="mutants of each module, drawn at random; all if not given")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (%(default)s)")
    given = parser.parse_args()
    unknown = set(given.modules) - set(MODULES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(MODULES)}")
    if importlib.util.find_spec("cosmic_ray") is None:
        print("cosmic-ray is not installed: pip install cosmic-ray", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="watchword-mutation-") as folder:
        copy = Path(folder)
        leave = shutil.ignore_patterns("__pycache__", "node_modules", "corpus", "_build", ".*")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=leave)
            else:
                shutil.copy(ROOT / name, copy / name)
        for name in given.modules or MODULES:
            mutate(name, MODULES[name], copy, given.sample, given.seed)
    return 0


def mutate(name: str, module: Module, copy: Path, sample: int | None, seed: int) -> None:
    """Mutate one module in *copy*; print its score and its survivors."""
    configuration, session = copy / f"{name}.toml", copy / f"{name}.sqlite"
    configuration.write_text(
        CONFIGURATION.format(path=module.path, python=sys.executable, tests=" ".join(module.tests))
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(copy / each) for each in ("engine", "plugins", "adapters")),
        "HYPOTHESIS_PROFILE": "ci",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*command: str) -> None:
        subprocess.run([sys.executable, "-c", f"import sys; from cosmic_ray.{command[0]} import main; sys.exit(main(sys.argv[1:]))", *command[1:]], cwd=copy, env=environment, check=True)  # fmt: skip

    run("cli", "baseline", str(configuration))
    run("cli", "init", str(configuration), str(session))
    run("tools.filters.operators_filter", str(session), str(configuration))
    draw(copy / module.path, session, module.functions, sample, seed)
    run("cli", "exec", str(configuration), str(session))
    report(name, session, (ROOT / module.path).read_text("utf-8").splitlines())


def draw(source: Path, session: Path, functions: tuple[str, ...], sample: int | None, seed: int) -> None:
    """Skip what does not count, and all but *sample* of the rest."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    tree = ast.parse(source.read_text("utf-8"))
    inside = [
        range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in functions
    ]
    with use_db(str(session), WorkDB.Mode.open) as database:
        items = [
            item
            for item in database.pending_work_items
            if not functions or any(item.mutations[0].start_pos[0] in lines for lines in inside)
        ]
        items.sort(key=lambda item: str(item.mutations[0]))
        kept = items if sample is None else random.Random(seed).sample(items, min(sample, len(items)))
        wanted = {item.job_id for item in kept}
        for item in list(database.pending_work_items):
            if item.job_id not in wanted:
                database.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED, output="not drawn"))


def report(name: str, session: Path, lines: list[str]) -> None:
    """Print how many mutants were caught, and those that were not."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome

    survivors, done = [], 0
    with use_db(str(session), WorkDB.Mode.open) as database:
        mutations = {item.job_id: item.mutations[0] for item in database.work_items}
        for job, result in database.results:
            if result.worker_outcome == WorkerOutcome.SKIPPED:
                continue
            done += 1
            if result.test_outcome == TestOutcome.SURVIVED:
                survivors.append((mutations[job], result.diff or ""))
    score = 100 * (done - len(survivors)) / done if done else 100.0
    print(f"{name}: {done - len(survivors)} of {done} mutants caught, {score:.1f} %", flush=True)
    for mutation, diff in sorted(survivors, key=lambda each: each[0].start_pos):
        changed = re.findall(r"^\+(?!\+\+)(.*)$", diff, re.MULTILINE)
        print(f"  line {mutation.start_pos[0]}: {lines[mutation.start_pos[0] - 1].strip()}")
        print(
            f"    survived as: {' / '.join(line.strip() for line in changed)}  [{mutation.operator_name.removeprefix('core/')}]"
        )


if __name__ == "__main__":
    raise SystemExit(main())
