"""Which distributions a function needs, each at the version that is installed where it is built."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.target import ARCHITECTURES, Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

RUNTIME = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"})
"""What Lambda's Python runtimes bring: boto3 and what it needs."""

OWN = "watchword"


@frozen
class Pinned:
    """A distribution at one version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def pinned(packages: Collection[str], target: Target, *, without: Collection[str]) -> tuple[Pinned, ...]:
    """Return the distributions that bring *packages*, and those that they need on *target*, by name.

    Those of *without* are left out, and Watchword itself, whose files are followed.

    Raises:
        ConfigurationError: if one is missing, or was installed from elsewhere than an index, so that its version does not
            say what it is.
    """
    brought = packages_distributions()
    waiting: list[tuple[str, frozenset[str], str]] = []
    for package in sorted(packages):
        if package not in brought:
            raise ConfigurationError(
                f"the module {package} belongs to no distribution, so nothing says its version: install it with pip"
            )
        waiting += [(name, frozenset(), f"the module {package}") for name in set(brought[package])]
    found: dict[str, Pinned] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras, wanted_by = waiting.pop()
        name = _normal(name)
        if name in without or name == OWN or (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = _installed(name, wanted_by)
        found[name] = Pinned(name, installed.version)
        for requirement in _requirements(installed, extras, target):
            wanted = _normal(requirement.name)
            if wanted in without or wanted == OWN:
                continue
            needed = _installed(wanted, name)
            if requirement.url or not requirement.specifier.contains(needed.version, prereleases=True):
                raise ConfigurationError(
                    f"{name} needs {wanted}{requirement.specifier}, {needed.version} is installed: install one that fits"
                )
            waiting.append((wanted, frozenset(requirement.extras), name))
    return tuple(found[name] for name in sorted(found))


def _installed(name: str, wanted_by: str) -> Distribution:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise ConfigurationError(
            f"{wanted_by} needs {name}, which is not installed, so no version is fixed: install it where you build"
        ) from None
    origin = found.read_text("direct_url.json")
    if origin is not None:
        said = cast("dict[str, Any]", json.loads(origin))
        where = "a version control system" if "vcs_info" in said else "a file or folder"
        raise ConfigurationError(
            f"{name} was installed from {where}, so its version does not fix what it is: install it from an index, "
            "or put its wheel into a folder and give --wheels"
        )
    return found


def _requirements(installed: Distribution, extras: frozenset[str], target: Target) -> Iterable[Requirement]:
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 - only a build needs it
    except ImportError:
        raise ConfigurationError("a build needs the package packaging: pip install 'watchword[aws]'") from None
    environment = {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "os_name": "posix",
        "platform_machine": ARCHITECTURES[target.architecture],
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{target.python}.0",
        "python_version": target.python,
        "sys_platform": "linux",
    }
    for text in installed.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def _normal(name: str) -> str:
    """Return *name* as indexes compare it (PEP 503)."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
