"""Mutation: `python tests/programs/mutation.py verification --sample 100`. Needs cosmic-ray (pip install cosmic-ray), and fork (not Windows).

Each mutant is one small change to the source; a test has to fail for it. cosmic-ray says which changes there are and makes them, in a
copy of the project for each process: `derivative.py` is shipped alone and may import nothing, so it cannot be mutated from within. The tests
run in a fork of a process that has loaded everything but Watchword. Survivors are printed with their lines; what is known of them
stands in docs/reference/mutation.md.
"""

import argparse
import ast
import difflib
import importlib
import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]
COPIED = ("engine", "plugins", "adapters", "tests", "docs", "conftest.py", "pyproject.toml", "README.md")


@frozen
class Module:
    """A module to mutate, the tests that should notice, and the functions that count (all of them if there are none)."""

    path: str
    tests: tuple[str, ...]
    functions: tuple[str, ...] = ()


_CREATE = (
    "tests/engine/runtime/test_creation.py",
    "tests/engine/runtime/test_calls_mutants.py",
    "tests/engine/runtime/test_verification.py",
    "tests/engine/runtime/test_altered_metadata.py",
    "tests/bounds/test_plugin_deadline.py",
)
_ENGINE = (
    "tests/engine/runtime/test_verification.py",
    "tests/engine/runtime/test_creation.py",
    "tests/engine/runtime/test_engine.py",
)
_BOUNDS = ("tests/plugins/test_setting_bounds.py",)
MODULES = {
    "derivative": Module(
        "engine/watchword/algebra/derivative.py",
        (
            *("tests/engine/algebra/test_derivative_mutants.py", "tests/engine/algebra/test_derivative.py"),
            *("tests/engine/runtime/test_engine.py", "tests/engine/algebra/test_derivative_twins.py"),
        ),
    ),
    "verification": Module(
        "engine/watchword/runtime/verification.py",
        (*_ENGINE, "tests/engine/runtime/test_calls_mutants.py", "tests/bounds/test_plugin_deadline.py"),
    ),
    "effects": Module(
        "engine/watchword/runtime/credentials/effects.py", ("tests/engine/runtime/credentials/test_effects.py",)
    ),
    "enrolment": Module(
        "engine/watchword/runtime/credentials/enrolment.py", ("tests/engine/runtime/credentials/test_enrolment.py",)
    ),
    "pending": Module(
        "engine/watchword/runtime/credentials/pending.py", ("tests/engine/runtime/credentials/test_enrolment.py",)
    ),
    "own_credentials": Module(
        "engine/watchword/runtime/credentials/own_credentials.py",
        ("tests/engine/runtime/credentials/test_own_credentials.py",),
    ),
    "credentials_api": Module(
        "adapters/watchword_adapters/credentials_api/api.py", ("tests/adapters/credentials_api/test_api.py",)
    ),
    "limits": Module(
        "engine/watchword/algebra/limits.py",
        ("tests/engine/algebra/test_limits.py", "tests/engine/runtime/test_wire_mutants.py", *_ENGINE),
    ),
    "wire": Module("engine/watchword/runtime/wire.py", ("tests/engine/runtime/test_wire_mutants.py", *_ENGINE)),
    "creation": Module("engine/watchword/runtime/creation.py", _CREATE),
    "delivery": Module("engine/watchword/runtime/delivery.py", _CREATE),
    "situation": Module(
        "engine/watchword/runtime/situation.py", (*_CREATE, "tests/engine/runtime/test_times_of_a_sign_in.py")
    ),
    "keyring": Module(
        "engine/watchword/runtime/keyring.py",
        ("tests/engine/runtime/test_keyring.py", "tests/engine/runtime/test_wire_mutants.py", *_ENGINE),
    ),
    "memory": Module(
        "adapters/watchword_adapters/ledgers/memory.py",
        ("tests/adapters/ledgers/test_ledgers.py", "-k", "memory"),
    ),
    "email_otp": Module(
        "plugins/watchword_plugins/email_otp.py",
        ("tests/plugins/test_email_otp.py", "tests/plugins/test_kinds_mutants.py"),
        ("verify", "create"),
    ),
    "codes": Module("plugins/watchword_plugins/texts/codes.py", ("tests/plugins/test_email_otp.py",)),
    "mail": Module("plugins/watchword_plugins/texts/mail.py", ("tests/plugins/test_email_otp.py",)),
    "redirects": Module("plugins/watchword_plugins/texts/redirects.py", ("tests/plugins/test_redirects.py",)),
    "magic_link": Module("plugins/watchword_plugins/magic_link.py", ("tests/plugins/test_magic_link.py", *_BOUNDS)),
    "sms_otp": Module("plugins/watchword_plugins/sms_otp.py", ("tests/plugins/test_sms_otp.py", *_BOUNDS)),
    "tickets": Module("engine/watchword/runtime/sign_ins/tickets.py", ("tests/engine/runtime/test_tickets.py",)),
    "evidence": Module("engine/watchword/runtime/sign_ins/evidence.py", ("tests/engine/runtime/test_evidence.py",)),
    "segments": Module("engine/watchword/contract/messages/segments.py", ("tests/engine/contract/test_segments.py",)),
    "proof_of_work": Module(
        "plugins/watchword_plugins/proof_of_work.py", ("tests/plugins/test_proof_of_work.py", *_BOUNDS)
    ),
    "captcha": Module(
        "plugins/watchword_plugins/captcha.py",
        ("tests/plugins/test_captcha.py", "tests/plugins/test_kinds_mutants.py"),
        ("verify", "_read"),
    ),
}

_PASSKEY = (
    "tests/plugins/webauthn/test_steps.py",
    "tests/plugins/webauthn/test_attestation.py",
    "tests/plugins/webauthn/test_reading.py",
    "tests/plugins/test_passkey.py",
)

_FAR_STORE = (
    *("tests/adapters/credentials/test_dynamodb_credentials.py", "--all"),
    *("-k", "not Ministack and not at_once"),
)

MODULES |= {
    "passkey": Module("plugins/watchword_plugins/passkey.py", ("tests/plugins/test_passkey.py",)),
    **{
        f"webauthn_{name}": Module(f"plugins/watchword_plugins/webauthn/{name}.py", _PASSKEY)
        for name in ("attestation", "ceremonies", "encoding", "public_keys", "steps")
    },
    "totp": Module("plugins/watchword_plugins/totp.py", ("tests/plugins/test_totp.py",)),
    "recovery_codes": Module("plugins/watchword_plugins/recovery_codes.py", ("tests/plugins/test_recovery_codes.py",)),
    **{
        f"credentials_{name}": Module(f"adapters/watchword_adapters/credentials/{name}.py", tests)
        for name, tests in (
            *((each, ("tests/adapters/credentials/test_stores.py",)) for each in ("memory", "sqlite")),
            *((each, _FAR_STORE) for each in ("dynamodb", "credential_items")),
            *(
                (each, ("tests/adapters/cli/test_credentials.py",))
                for each in ("export_file", "import_plan", "user_lists")
            ),
        )
    },
    "attributes": Module("engine/watchword/algebra/attributes.py", ("tests/engine/analysis/test_findings.py",)),
    "blocks": Module(
        "engine/watchword/algebra/blocks.py",
        (
            "tests/engine/algebra/test_blocks.py",
            "tests/engine/algebra/test_flow.py",
            "tests/engine/analysis/test_broken_flows.py",
        ),
    ),
    "lowering": Module(
        "engine/watchword/algebra/lowering.py",
        (
            "tests/engine/algebra/test_blocks.py",
            "tests/engine/algebra/test_enrolled.py",
            "tests/engine/algebra/test_flow.py",
            "tests/engine/analysis/test_broken_flows.py",
        ),
    ),
    "enrolment_rules": Module(
        "engine/watchword/analysis/rules/enrolment.py", ("tests/engine/analysis/test_enrolment_rules.py",)
    ),
    "ways": Module("engine/watchword/algebra/ways.py", ("tests/engine/algebra/test_ways.py",)),
    "kinds": Module(
        "engine/watchword/contract/kinds.py",
        (
            "tests/engine/runtime/test_creation.py",
            "tests/engine/runtime/test_verification.py",
            "tests/engine/analysis/test_user_enumeration.py",
            "tests/engine/runtime/test_wire_mutants.py",
        ),
    ),
    "enumeration": Module(
        "engine/watchword/analysis/rules/user_enumeration.py",
        ("tests/engine/analysis/test_user_enumeration.py", "tests/engine/runtime/test_puzzles_of_unknown_users.py"),
    ),
    "diagram": Module("engine/watchword/analysis/diagram.py", ("tests/engine/analysis/test_diagram.py",)),
    "flow_file": Module("engine/watchword/loading/flow_file.py", ("tests/engine/loading/test_flow_file.py",)),
    "engine": Module(
        "engine/watchword/runtime/engine.py",
        (
            "tests/engine/runtime/test_creation.py",
            "tests/engine/runtime/test_verification.py",
            "tests/engine/runtime/test_engine.py",
            "tests/engine/runtime/test_unlocking.py",
            "tests/engine/runtime/test_calls_mutants.py",
        ),
    ),
    "explanation": Module("engine/watchword/analysis/explanation.py", ("tests/engine/analysis/test_explanation.py",)),
    "state_space": Module(
        "engine/watchword/analysis/state_space.py",
        ("tests/engine/analysis/test_state_space.py", "tests/engine/analysis/test_findings.py"),
    ),
    "metrics": Module("engine/watchword/analysis/metrics.py", ("tests/engine/analysis/test_metrics.py",)),
    "flow": Module(
        "engine/watchword/algebra/flow.py",
        (
            "tests/engine/algebra/test_flow.py",
            "tests/engine/runtime/test_engine.py",
            "tests/engine/algebra/test_blocks.py",
        ),
    ),
    "registry": Module("engine/watchword/loading/registry.py", ("tests/engine/loading/test_registry.py",)),
    "toml_positions": Module(
        "engine/watchword/loading/toml_positions.py",
        ("tests/engine/loading/test_toml_positions.py", "tests/engine/loading/test_flow_file.py"),
    ),
    "requirement": Module("engine/watchword/analysis/requirement.py", ("tests/engine/analysis/test_requirement.py",)),
    "validators": Module("engine/watchword/contract/validators.py", ("tests/engine/contract/test_validators.py",)),
    "session_notation": Module(
        "engine/watchword/algebra/session_notation.py",
        ("tests/engine/algebra/test_session_notation.py", "tests/engine/analysis/test_explanation.py"),
    ),
    "srp6a": Module("adapters/watchword_adapters/srp/srp6a.py", ("tests/adapters/srp/test_srp6a.py",)),
    "evaluation": Module(
        "engine/watchword/algebra/evaluation.py",
        (
            "tests/engine/runtime/test_engine.py",
            "tests/engine/runtime/test_creation.py",
            "tests/engine/runtime/test_verification.py",
            "tests/engine/runtime/test_calls_mutants.py",
        ),
    ),
    "unlocking": Module("engine/watchword/runtime/unlocking.py", ("tests/engine/runtime/test_unlocking.py",)),
    "findings": Module(
        "engine/watchword/analysis/findings.py",
        ("tests/engine/analysis/test_findings.py", "tests/engine/analysis/test_summary.py"),
    ),
    "checks": Module(
        "engine/watchword/analysis/checks.py",
        ("tests/engine/analysis/test_findings.py", "tests/engine/analysis/test_broken_flows.py"),
    ),
    "assurance": Module(
        "engine/watchword/analysis/assurance.py",
        ("tests/engine/analysis/test_findings.py", "tests/engine/analysis/test_recovery.py"),
    ),
}
"""The rest of the engine, by the tests that should notice."""

CONFIGURATION = """
[cosmic-ray]
module-path = "{path}"
timeout = 1.0
excluded-modules = []
test-command = "false"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/ReplaceBinaryOperator_.*_BitOr"]
"""
"""Only to have the mutants listed. Without `|`: it stands in annotations, which nothing evaluates."""

LONGEST = 120
"""Seconds that the tests of a module may take. A mutant whose tests take four times as long as theirs, and some, is caught: they do not end."""

SOURCES = ("engine", "plugins", "adapters")
LOADED = ("pytest", "attrs", "pluggy", "hypothesis.strategies", "hypothesis.extra.pytestplugin", "sybil", "PIL.Image")
"""What the tests load besides Watchword."""

LOADED_BEFORE = "ignore::pytest.PytestAssertRewriteWarning"


def main() -> int:
    """Read the command line, mutate one module after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}; all if none is named")
    parser.add_argument("--sample", type=int, help="mutants of each module, drawn at random; all if not given")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once (%(default)s)")
    given = parser.parse_args()
    unknown = set(given.modules) - set(MODULES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(MODULES)}")
    if importlib.util.find_spec("cosmic_ray") is None:
        print("cosmic-ray is not installed: pip install cosmic-ray", file=sys.stderr)
        return 2
    for name in given.modules or MODULES:
        with tempfile.TemporaryDirectory(prefix="watchword-mutation-") as folder:
            mutate(name, MODULES[name], Path(folder), given)
    return 0


def copied(folder: Path) -> Path:
    """Copy what is needed into *folder*, and return it."""
    leave = shutil.ignore_patterns("__pycache__", "node_modules", "corpus", "_build", ".*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def mutate(name: str, module: Module, folder: Path, given: argparse.Namespace) -> None:
    """Mutate one module; print its score and its survivors."""
    from cosmic_ray.work_db import WorkDB, use_db

    plain = copied(folder / "plain")
    configuration, session = folder / "session.toml", folder / "session.sqlite"
    configuration.write_text(CONFIGURATION.format(path=module.path))
    for part, *rest in (
        ("cli", "init", configuration, session),
        ("tools.filters.operators_filter", session, configuration),
    ):
        program = f"import sys; from cosmic_ray.{part} import main; sys.exit(main(sys.argv[1:]))"
        subprocess.run([sys.executable, "-c", program, *map(str, rest)], cwd=plain, check=True)
    draw(plain / module.path, session, module.functions, given.sample, given.seed)
    with use_db(str(session), WorkDB.Mode.open) as database:
        mutations = [item.mutations[0] for item in database.pending_work_items]
    began, survivors = time.monotonic(), []
    work = partial(tried, str(folder), module.path, module.tests)
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as processes:
        for done, (mutation, change) in enumerate(zip(mutations, processes.map(work, mutations), strict=True), 1):
            if change:
                survivors.append((mutation, change))
            if sys.stderr.isatty() and time.monotonic() - began > 1:
                print(
                    f"\r{name}: {done} of {len(mutations)}, {len(survivors)} survived",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
    report(name, len(mutations), survivors, (ROOT / module.path).read_text("utf-8").splitlines())


@cache
def prepared(folder: str, path: str, tests: tuple[str, ...]) -> tuple[Path, float]:
    """Return a copy of the project for this process, which has loaded what the tests load, and how long they may take.

    The tests have run in it once, so that bytecode lies there; but none of the module at *path*, which will change.
    """
    for name in LOADED:
        importlib.import_module(name)
    home = copied(Path(folder) / f"process-{os.getpid()}")
    began = time.monotonic()
    if not passed(home, tests, LONGEST):
        raise SystemExit(f"{path}: the tests fail without a change: python -m pytest {' '.join(tests)}")
    for stale in (home / path).parent.glob(f"__pycache__/{Path(path).stem}.*"):
        stale.unlink()
    sys.dont_write_bytecode = True
    return home, 5 + 4 * (time.monotonic() - began)


def tried(folder: str, path: str, tests: tuple[str, ...], mutation: Any) -> str:
    """Make one change, run the tests, take it back. Return the changed lines if nothing noticed, else nothing."""
    from cosmic_ray.mutating import use_mutation
    from cosmic_ray.plugins import get_operator

    home, seconds = prepared(folder, path, tests)
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    with use_mutation(home / path, operator, mutation.occurrence) as (before, after):
        if after is None or not passed(home, tests, seconds):
            return ""
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    new = [line[2:].strip() for line in changed if line[0] == "+"]
    return " / ".join(new) or f"without {changed[0][2:].strip()}"


def passed(home: Path, tests: tuple[str, ...], seconds: float) -> bool:
    """Say whether the tests pass in the copy *home* within so many *seconds*, in a fork of this process."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = 1
        try:
            os.chdir(home)
            folders = [str(home / each) for each in SOURCES]
            sys.path[:0] = [*folders, str(home)]
            os.environ |= {"PYTHONPATH": os.pathsep.join(folders), "HYPOTHESIS_PROFILE": "mutants"}
            import pytest

            code = pytest.main(["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-W", LOADED_BEFORE, *tests])
        finally:
            os._exit(int(code))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


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


def report(name: str, done: int, survivors: list[tuple[Any, str]], lines: list[str]) -> None:
    """Print how many mutants were caught, and those that were not."""
    score = 100 * (done - len(survivors)) / done if done else 100.0
    print(f"{name}: {done - len(survivors)} of {done} mutants caught, {score:.1f} %", flush=True)
    for mutation, change in sorted(survivors, key=lambda each: each[0].start_pos):
        line = mutation.start_pos[0]
        print(f"  line {line}: {lines[line - 1].strip()}")
        print(f"    survived as: {change}  [{mutation.operator_name.removeprefix('core/')}]", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
