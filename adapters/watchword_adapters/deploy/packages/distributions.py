"""Which distributions a function needs, each at the version that is installed where it is built."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.target import ARCHITECTURES, Target
from watchword_adapters.extras import missing_extra

if TYPE_CHECKING:
    from packaging.requirements import Requirement

RUNTIME = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"})
"""What Lambda's Python runtimes bring: boto3 and what it needs."""

_OWN = "watchword"


@frozen
class Pinned:
    """A distribution at one version. *portable* if it is installed as it would be everywhere: in Python alone, from a wheel."""

    name: str
    version: str
    portable: bool = field(default=False, eq=False)

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def pinned(
    packages: Collection[str], target: Target, *, without: Collection[str], from_folder: bool = False
) -> tuple[Pinned, ...]:
    """Return the distributions that bring *packages*, and those that they need on *target*, by name.

    Those of *without* are left out, and Watchword itself, whose files are followed. *from_folder* says that wheels are
    taken from a folder of the operator's, so that it does not matter where a distribution was installed from.

    Raises:
        ConfigurationError: if one is missing; or if it has to be fetched and was installed from elsewhere than an index,
            so that its version does not say what it is.
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
        if name in without or (name == _OWN and not extras) or (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = _installed(name, wanted_by)
        if name != _OWN:  # of Watchword, what its extras bring
            found[name] = _pin(name, installed, from_folder=from_folder)
        for requirement in _requirements(installed, extras, target):
            wanted = _normal(requirement.name)
            if wanted in without or (wanted == _OWN and not requirement.extras):
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
    return found


def _pin(name: str, installed: Distribution, *, from_folder: bool) -> Pinned:
    portable = _is_portable(installed)
    origin = installed.read_text("direct_url.json")
    if origin is None or portable or from_folder:
        return Pinned(name, installed.version, portable)
    said = cast("dict[str, Any]", json.loads(origin))
    where = "a version control system" if "vcs_info" in said else "a file or folder"
    if said.get("dir_info", {}).get("editable"):
        raise ConfigurationError(
            f"{name} was installed from a folder in editable mode, so what is there may change: "
            "install it without --editable, or put its wheel into a folder and give --wheels"
        )
    raise ConfigurationError(
        f"{name} was installed from {where} and is not in Python alone, so its version does not fix what to fetch for the "
        "target: install it from an index, or put its wheel for the target into a folder, with all others that are "
        "needed, and give --wheels FOLDER"
    )


def _is_portable(installed: Distribution) -> bool:
    """Say whether what is installed is what would be installed on every machine (PEP 427): ``py3-none-any``."""
    told = Parser().parsestr(installed.read_text("WHEEL") or "")
    tags = told.get_all("Tag") or []
    if told.get("Root-Is-Purelib") != "true" or not tags or not all(tag.endswith("-none-any") for tag in tags):
        return False
    listed = [str(each) for each in installed.files or ()]
    code = [
        each for each in listed if ".dist-info/" not in each and not each.startswith("..") and not each.endswith(".pth")
    ]
    return any("py3" in tag.partition("-")[0].split(".") for tag in tags) and bool(code)


def _requirements(installed: Distribution, extras: frozenset[str], target: Target) -> Iterable[Requirement]:
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 - only a build needs it
    except ImportError:
        raise missing_extra("a build", "packaging") from None
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
