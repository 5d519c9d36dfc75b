"""Fuzz by coverage: `python tests/fuzz/run.py --seconds 600`. Needs atheris (pip install atheris).

What was found lies under tests/fuzz/found, and the line that repeats it is printed; the exit status is then 1. Inputs that
reached something new are kept under tests/fuzz/corpus, and the next run begins with them. Neither is in the repository.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long in all, shared among the targets (60)")
    parser.add_argument("--target", action="append", help="only this one; may be given again; `everything` mixes all")
    parser.add_argument("--corpus", type=Path, default=HERE / "corpus", help="where inputs are kept (%(default)s)")
    parser.add_argument("--found", type=Path, default=HERE / "found", help="where findings are kept (%(default)s)")
    parser.add_argument(
        "--repeat", nargs=2, metavar=("TARGET", "FILE"), help="run one input once more; needs no atheris"
    )
    parser.add_argument("--one", nargs=4, metavar=("TARGET", "SECONDS", "CORPUS", "FOUND"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.repeat:
        from targets import target_of

        target_of(given.repeat[0]).run(Path(given.repeat[1]).read_bytes())
        print("no finding")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    if given.one:
        fuzz(*given.one)
    from targets import TARGETS

    names = given.target or list(TARGETS)
    each = max(1, round(given.seconds / len(names)))
    return max(watch(name, each, given.corpus, given.found) for name in names)


def watch(name: str, seconds: int, corpus: Path, found: Path) -> int:
    """Fuzz the target *name* in a process of its own, which a finding ends, and tell what came of it."""
    from targets import target_of

    kept, prefix = corpus / name, found / name
    kept.mkdir(parents=True, exist_ok=True)
    prefix.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target_of(name).seeds):
        (kept / f"seed-{number}").write_bytes(seed)
    command = [sys.executable, __file__, "--one", name, str(seconds), str(kept), str(prefix)]
    ended = subprocess.run(command, capture_output=True, timeout=seconds + 120, check=False)
    said = (ended.stdout + ended.stderr).decode("utf-8", "replace")
    runs = re.search(r"number_of_executed_units: *(\d+)", said)
    reached = re.findall(r"cov: (\d+)", said)
    print(
        f"{name:12} {int(runs[1]) if runs else 0:9} inputs, {reached[-1] if reached else '?':>6} branches reached",
        flush=True,
    )
    if ended.returncode == 0:
        return 0
    print(said[-4000:])
    for artefact in re.findall(r"Test unit written to (\S+)", said):
        print(f"found by {name}; repeat it with: python tests/fuzz/run.py --repeat {name} {artefact}")
    return 1


def fuzz(name: str, seconds: str, corpus: str, found: str) -> None:
    """Fuzz; this never returns."""
    import atheris

    with atheris.instrument_imports(include=["watchword", "watchword_plugins", "watchword_adapters"]):
        from targets import target_of

        target = target_of(name)
    bounds = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-timeout=25",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *bounds, f"-artifact_prefix={found}/", corpus], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
