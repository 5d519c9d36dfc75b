"""What a function is built for: a processor, and one of Lambda's Pythons."""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from attrs import frozen

from watchword.errors import ConfigurationError

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's names of processors, and the wheels'."""

# glibc's minor version: Amazon Linux 2 has 2.26, Amazon Linux 2023 has 2.34.
_AMAZON_LINUX_2, _AMAZON_LINUX_2023 = 26, 34
_OLDEST = 11
"""Python 3's minor version that Watchword needs at least."""
_KNOWN = ("3.11", "3.12", "3.13", "3.14")

_RUNTIME = re.compile(r"python3\.(\d+)")


def lambda_pythons() -> tuple[str, ...]:
    """Return the Pythons that Lambda has runtimes for, oldest first: those of botocore's model, or a fixed list without it.

    The file is read, and botocore itself, which is slow to import, is not.
    """
    try:
        spec = find_spec("botocore")
        files = sorted(Path(spec.origin or "").parent.glob("data/lambda/*/service-2.json*")) if spec else []
        data = files[-1].read_bytes()
        model = json.loads(gzip.decompress(data) if files[-1].suffix == ".gz" else data)
        runtimes = cast("list[str]", model["shapes"]["Runtime"]["enum"])
    except (ImportError, OSError, ValueError, LookupError, TypeError, EOFError, zlib.error):
        return _KNOWN
    found = [int(match[1]) for match in map(_RUNTIME.fullmatch, runtimes) if match]
    return tuple(f"3.{minor}" for minor in sorted(found) if minor >= _OLDEST) or _KNOWN


PYTHONS = lambda_pythons()
_OLDEST_GLIBC = 17  # manylinux2014 (PEP 599)


@frozen
class Target:
    """A processor as Lambda calls it (``x86_64``, ``arm64``), and a Python (``3.12``)."""

    architecture: str
    python: str

    def __attrs_post_init__(self) -> None:
        """Check both."""
        if self.architecture not in ARCHITECTURES:
            raise ConfigurationError(
                f"{self.architecture!r} is no architecture of Lambda's: {', '.join(ARCHITECTURES)}"
            )
        if self.python not in PYTHONS:
            raise ConfigurationError(
                f"{self.python!r} is no Python version of Lambda's: give one of {', '.join(PYTHONS)}"
            )

    @property
    def platforms(self) -> tuple[str, ...]:
        """The tags of wheels that run there, newest first (PEP 600)."""
        machine = ARCHITECTURES[self.architecture]
        perennial = [f"manylinux_2_{minor}_{machine}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        return (*perennial, f"manylinux2014_{machine}")

    @property
    def minor(self) -> int:
        """Its Python's minor version, such as 12."""
        return int(self.python.partition(".")[2])

    @property
    def glibc(self) -> int:
        """The minor version of the C library there, glibc 2."""
        return _AMAZON_LINUX_2 if self.python == "3.11" else _AMAZON_LINUX_2023

    @property
    def system(self) -> str:
        """What its runtime runs on."""
        return "Amazon Linux 2" if self.python == "3.11" else "Amazon Linux 2023"

    @property
    def abi(self) -> str:
        """The tag of its extension modules, such as ``cp312``."""
        return "cp" + self.python.replace(".", "")

    @property
    def runtime(self) -> str:
        """Lambda's name of the runtime, such as ``python3.12``."""
        return f"python{self.python}"

    @property
    def is_this_python(self) -> bool:
        """Whether this interpreter writes the bytecode that the target reads."""
        return sys.implementation.name == "cpython" and this_python() == self.python


def this_python() -> str:
    """Return this interpreter's version, such as ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def default_python() -> str:
    """Return the Python to build for if nobody says: this one if Lambda has it, else the newest."""
    return this_python() if this_python() in PYTHONS else PYTHONS[-1]
