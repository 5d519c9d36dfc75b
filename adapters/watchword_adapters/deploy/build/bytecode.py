"""Compile modules to bytecode that does not depend on file times (PEP 552, unchecked hash)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from watchword.errors import ConfigurationError

# In a process of its own, with fixed hashes and nothing else loaded: what marshal writes depends a little on which strings
# the process has in common with the code, so that two builds would otherwise differ.
_COMPILER = """
import sys, py_compile
root = sys.argv[1]
for name in sys.stdin.buffer.read().decode().split("\\0"):
    folder, _, file = name.rpartition("/")
    cached = f"{root}/{folder}/__pycache__/{file[:-3]}.{sys.implementation.cache_tag}.pyc"
    py_compile.compile(f"{root}/{name}", cached, dfile="/var/task/" + name, doraise=True, optimize=0,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def compiled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bytecode of every module in *files*, by the path where Python looks for it. It is for this Python.

    Raises:
        ConfigurationError: if a module is no Python.
    """
    sources = sorted(name for name in files if name.endswith(".py"))
    if not sources:
        return {}
    with TemporaryDirectory(prefix="watchword-bytecode-") as folder:
        root = Path(folder)
        for name in sources:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
        ended = subprocess.run(  # noqa: S603 - this interpreter, and a program that stands above
            [sys.executable, "-I", "-S", "-c", _COMPILER, folder],
            input="\0".join(sources).encode(),
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            check=False,
        )
        if ended.returncode:
            said = ended.stderr.decode(errors="replace").strip().splitlines()
            raise ConfigurationError(f"a module cannot be compiled: {said[-1] if said else 'no reason given'}")
        return {
            str(PurePosixPath(path.relative_to(root))): path.read_bytes()
            for path in sorted(root.rglob("__pycache__/*.pyc"))
        }
