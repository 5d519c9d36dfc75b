"""The functions of a flow, built: what goes into each zip, and what the report says of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen

from watchword.algebra.flow import Flow
from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import SCHEME, Registry
from watchword_adapters.deploy.archive import Archive, pack_zip
from watchword_adapters.deploy.build import define_zip
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.bytecode import compiled
from watchword_adapters.deploy.build.function_plan import FunctionPlan, manifest_of, plan_function
from watchword_adapters.deploy.build.smoke_test import SmokeTestResult, smoke_test
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FUNCTIONS, Manifest
from watchword_adapters.deploy.manifest import MANIFEST_NAME as MANIFEST
from watchword_adapters.deploy.packages.distributions import Pinned
from watchword_adapters.deploy.packages.installed_packages import pack_installed
from watchword_adapters.deploy.packages.operator_files import cosmetic_files, shipped_files
from watchword_adapters.deploy.packages.wheels import Wheel, fetch
from watchword_adapters.deploy.target import Target
from watchword_adapters.dialects.dialect import find_dialect

MAX_UNPACKED = 250 * 1024 * 1024
"""Bytes that a function may have, unpacked (Lambda quotas)."""


@frozen
class BuiltFunction:
    """One function, built. *wheels* are the distributions in it; *bytecode* says whether it brings its own."""

    manifest: Manifest
    archive: Archive
    wheels: tuple[Wheel, ...]
    own_files: int
    bytecode: bool
    tried: SmokeTestResult
    project: tuple[str, ...]
    """The operator's own files in it: the flow, modules of the project, what was included."""

    @property
    def trigger(self) -> str:
        """Which trigger it is, or which API."""
        return self.manifest.trigger

    @property
    def handler(self) -> str:
        """What Lambda is told to call."""
        return self.manifest.handler


@frozen
class BuiltFunctions:
    """The functions of *flow*."""

    flow: Flow
    order: BuildOrder
    functions: tuple[BuiltFunction, ...]

    def report(self) -> dict[str, Any]:
        """Return what was built, for `json.dumps`."""
        return {
            "flow": self.flow.name,
            "fingerprint": self.flow.fingerprint,
            "runtime": self.order.target.runtime,
            "architecture": self.order.target.architecture,
            "boto3": "shipped" if self.order.with_boto3 else "the runtime's",
            "functions": [_described(each) for each in self.functions],
        }

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write the zips into *folder*, each at once or not at all; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".watchword-", dir=folder) as work:
            moves: list[tuple[Path, Path]] = []
            for each in self.functions:
                path = Path(work) / f"{each.trigger}.zip"
                path.write_bytes(each.archive.data)
                moves.append((path, folder / path.name))
            for made, final in moves:
                os.replace(made, final)  # noqa: PTH105 - atomic, and says so
        # What an earlier build left, and this one does not make, would be deployed beside it.
        for left in {folder / f"{name}.zip" for name in FUNCTIONS} - {final for _, final in moves}:
            left.unlink(missing_ok=True)
        return tuple(final for _, final in moves)


def build(order: BuildOrder, progress: Callable[[str], None] | None = None) -> BuiltFunctions:
    """Build the functions that *order* describes, in memory; *progress* is told what takes long.

    Raises:
        ConfigurationError: if the flow is wrong, something is missing or unpinned, or would ship a secret.
        BuildError: if a function does not start from its zip alone.
    """
    references = (order.flow, *order.previous)
    registry = Registry()
    flows = tuple(find_flow(each, registry) for each in references)
    if order.dialect:
        find_dialect(order.dialect, flows).check()
    shipped = shipped_files(order.include, flows)
    judging = {name: data for name, data in shipped.items() if name not in cosmetic_files(flows, shipped)}
    if order.credentials_api and not any(step.powers.enrols for step in flows[0].steps.values()):
        raise ConfigurationError(
            f"{CREDENTIALS_API} is asked for, and users enrol for no kind of the flow: leave it out"
        )
    plans = [
        plan_function(name, order, flows, registry, judging if name == "verify" else shipped)
        for name in order.functions(flows[0])
    ]
    wanted = {each for plan in plans for each in plan.distributions}
    wheels = {each.pinned: each for each in _wheels(sorted(wanted, key=str), order, progress)}
    define = FunctionPlan(manifest_of("define", order, flows), define_zip.define_files(flows, order.dialect), (), ())
    functions = [_full(plan, [wheels[each] for each in plan.distributions], order.target) for plan in (define, *plans)]
    return BuiltFunctions(flows[0], order, tuple(functions))


def _wheels(wanted: Sequence[Pinned], order: BuildOrder, progress: Callable[[str], None] | None) -> list[Wheel]:
    packed: list[Wheel] = []
    fetched: list[Pinned] = []
    for each in wanted:
        found = pack_installed(each, order.target) if order.wheels is None else None
        if found is None:
            fetched.append(each)
        else:
            packed.append(found)
    return [*packed, *fetch(fetched, order.target, folder=order.wheels, progress=progress)]


def _full(plan: FunctionPlan, wheels: Sequence[Wheel], target: Target) -> BuiltFunction:
    trigger = plan.manifest.trigger
    files = dict(plan.files)
    if files.setdefault(MANIFEST, plan.manifest.as_json()) != plan.manifest.as_json():
        raise ConfigurationError(f"{MANIFEST} is written by the build: give your file another name")
    for wheel in wheels:
        for name, data in wheel.files.items():
            if files.setdefault(name, data) != data:
                raise ConfigurationError(
                    f"{name} is in {wheel.pinned} and elsewhere in {trigger}: one would hide the other"
                )
    own = sum(map(len, files.values())) - sum(len(data) for wheel in wheels for data in wheel.files.values())
    bytecode = compiled(files) if target.is_this_python else {}
    archive = pack_zip({**files, **bytecode})
    if archive.unpacked > MAX_UNPACKED:
        raise ConfigurationError(
            f"{trigger} has {archive.unpacked:,} bytes unpacked, Lambda takes {MAX_UNPACKED:,}: leave out what was included"
        )
    tried = smoke_test(archive, plan.manifest, plan.modules, target, own=plan.own)
    return BuiltFunction(plan.manifest, archive, tuple(wheels), own, bool(bytecode), tried, plan.project)


def check_scheme(text: str) -> str:
    """Return *text* if it can be the scheme of a ledger's or courier's URL.

    Raises:
        ConfigurationError: if it cannot.
    """
    if not SCHEME.fullmatch(text):
        # What stands behind the colon may be a password.
        scheme, colon, _ = text.partition(":")
        given, remedy = repr(scheme[:40]), "give the part before the colon, such as dynamodb"
        if colon:
            given += " with a URL behind it"
            remedy = f"give {scheme!r} alone: the zips hold no URL" if SCHEME.fullmatch(scheme) else remedy
        raise ConfigurationError(f"{given} is no URL scheme: {remedy}")
    return text


def _described(function: BuiltFunction) -> dict[str, Any]:
    return {
        "trigger": function.trigger,
        "handler": function.handler,
        "zip_bytes": len(function.archive.data),
        "unpacked_bytes": function.archive.unpacked,
        "files": len(function.archive.files),
        "sha256": function.archive.sha256,
        "own_bytes": function.own_files,
        "bytecode": function.bytecode,
        "untried": function.tried.untried,
        "project": list(function.project),
        "distributions": [
            {
                "name": wheel.pinned.name,
                "version": wheel.pinned.version,
                "sha256": wheel.sha256 or None,
                "bytes": sum(map(len, wheel.files.values())),
                "pruned_bytes": wheel.pruned,
            }
            for wheel in function.wheels
        ],
        "contents": dict(function.archive.files),
    }
