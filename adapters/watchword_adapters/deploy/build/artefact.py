"""The three functions of a flow, built: what goes into each zip, and what the report says of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import field, frozen

from watchword.algebra.blocks import STEP_NAME, kinds_in
from watchword.algebra.flow import Flow, enrols_in_a_step
from watchword.contract.kinds import HostRun, Kind
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError
from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import COURIERS, KINDS_GROUP, LEDGERS, Registry
from watchword_adapters.deploy.archive import Archive, pack_zip
from watchword_adapters.deploy.build import define_zip
from watchword_adapters.deploy.build.bytecode import compiled
from watchword_adapters.deploy.build.generated_modules import written
from watchword_adapters.deploy.build.smoke_test import RUNTIME_MODULES, SmokeTestResult, smoke_test
from watchword_adapters.deploy.manifest import MANIFEST_NAME as MANIFEST
from watchword_adapters.deploy.manifest import FlowMark, Manifest
from watchword_adapters.deploy.packages.distributions import RUNTIME, Pinned, pinned
from watchword_adapters.deploy.packages.forbidden_files import refuse_secrets
from watchword_adapters.deploy.packages.imports import OWN_PACKAGES, follow
from watchword_adapters.deploy.packages.installed_packages import pack_installed
from watchword_adapters.deploy.packages.operator_files import cosmetic_files, shipped_files
from watchword_adapters.deploy.packages.wheels import Wheel, fetch
from watchword_adapters.deploy.stack.pool_needs import pool_needs
from watchword_adapters.deploy.target import Target
from watchword_adapters.dialects.dialect import find_dialect

TRIGGER_NAMES = ("define", "create", "verify")
MAX_UNPACKED = 250 * 1024 * 1024
"""Bytes that a function may have, unpacked (Lambda quotas)."""

_HANDLER = '''\
"""{title} of a flow, made by `watchword build`: the modules are written down, so nothing is searched."""

import os
from pathlib import Path

from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from watchword_adapters.aws_lambda import triggers

MODULES = ...
FLOWS = ...
DIALECT = ...

_registry = Registry(MODULES)
_here = Path(__file__).parent


def _flow(reference):
    return find_flow(str(_here / reference) if reference.endswith(".toml") else reference, _registry)


# Whatever the function's handler is called: it is set up for this trigger alone.
_environment = {{**os.environ, "_HANDLER": "{trigger}.{trigger}"}}
{trigger} = triggers(
    _flow(FLOWS[0]),
    previous=[_flow(each) for each in FLOWS[1:]],
    environment=_environment,
    registry=_registry,
    dialect=DIALECT,
).{trigger}
'''
_TITLES = {"create": "Create Auth Challenge", "verify": "Verify Auth Challenge Response"}


@frozen
class BuildOrder:
    """What is to be built.

    Attributes:
        flow: a TOML file or ``module:attribute``, as commands take it.
        previous: flows that were deployed before.
        target: what the functions run on.
        ledger: the scheme of the ledger's URL, such as ``dynamodb``.
        couriers: the schemes of the couriers', one for each channel; not looked at if no kind sends and no step enrols.
        include: files and folders to ship beside, below the current folder.
        wheels: a folder to take wheels from, and from nowhere else.
        with_boto3: whether to ship boto3 in place of the runtime's.
        dialect: the name of the client that is spoken to; empty for the engine's own language.
    """

    flow: str
    target: Target
    previous: tuple[str, ...] = ()
    ledger: str = "dynamodb"
    couriers: tuple[str, ...] = ("ses",)
    include: tuple[Path, ...] = ()
    wheels: Path | None = None
    with_boto3: bool = False
    dialect: str = ""


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
        """Which of the three it is."""
        return self.manifest.trigger

    @property
    def handler(self) -> str:
        """What Lambda is told to call."""
        return self.manifest.handler


@frozen
class BuiltFunctions:
    """The three functions of *flow*."""

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
        return tuple(final for _, final in moves)


def build(order: BuildOrder, progress: Callable[[str], None] | None = None) -> BuiltFunctions:
    """Build the three functions that *order* describes, in memory; *progress* is told what takes long.

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
    plans = [
        _planned("create", order, flows, registry, shipped),
        _planned("verify", order, flows, registry, judging),
    ]
    wanted = {each for plan in plans for each in plan.distributions}
    wheels = {each.pinned: each for each in _wheels(sorted(wanted, key=str), order, progress)}
    define = _Plan(_manifest("define", order, flows), define_zip.define_files(flows, order.dialect), (), ())
    functions = [_full(plan, [wheels[each] for each in plan.distributions], order.target) for plan in (define, *plans)]
    return BuiltFunctions(flows[0], order, tuple(functions))


@frozen
class _Plan:
    """What a function is made of."""

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    distributions: tuple[Pinned, ...]
    modules: tuple[str, ...]
    """What it loads when it starts, or may load later, beside its handler."""
    project: tuple[str, ...] = ()
    own: bool = True
    """Whether kinds, ledger and courier are Watchword's own."""


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


def _planned(
    trigger: str, order: BuildOrder, flows: Sequence[Flow], registry: Registry, shipped: Mapping[str, bytes]
) -> _Plan:
    kinds = _kinds(flows)
    classes = {type(kind).__module__ for kind in kinds.values()}
    modules = {
        KINDS_GROUP: _kind_modules(registry, kinds),
        LEDGERS: {order.ledger: registry.module_of(LEDGERS, order.ledger)},
    }
    channels = sorted({powers_of(each).channel for each in kinds.values()} - {""})
    notices = trigger == "verify" and enrols_in_a_step(flows)
    if notices or (trigger == "create" and channels):
        modules[COURIERS] = {scheme: registry.module_of(COURIERS, scheme) for scheme in order.couriers}
        if not notices:
            _check_channels(channels, order.couriers, registry)
    roots = ["watchword_adapters.aws_lambda", "watchword.loading.flow_reference", *classes]
    roots += [module for table in modules.values() for module in table.values()]
    roots += ["watchword_adapters.dialects.dialect"] if order.dialect else []
    files = dict(shipped)
    names: list[str] = []
    project = set(shipped)
    for number, reference in enumerate((order.flow, *order.previous)):
        if _is_module(reference):
            names.append(reference)
            roots.append(reference.partition(":")[0])
        else:
            names.append(f"previous_{number}.toml" if number else "flow.toml")
            files[names[-1]] = Path(reference).read_bytes()
            project.add(names[-1])
    needed = follow(roots, data_of=classes)
    files |= {name: path.read_bytes() for name, path in needed.files.items()}
    project |= {name for name in needed.files if name.partition("/")[0] not in OWN_PACKAGES}
    files[f"{trigger}.py"] = written(
        _HANDLER.format(title=_TITLES[trigger], trigger=trigger),
        {"MODULES": modules, "FLOWS": tuple(names), "DIALECT": order.dialect or None},
    )
    refuse_secrets(files)
    required = {each: _required(kinds.values(), each) for each in ("create", "verify")}
    # What is for making challenges alone, Verify does without; and Create without what is for judging answers alone.
    others = required["create" if trigger == "verify" else "verify"] if trigger in required else frozenset[str]()
    spared = {_top(module) for module in others - required[trigger]}
    packages = (needed.packages - spared) | {_top(module) for module in required[trigger]}
    pinned_ones = _pinned(packages, order)
    manifest = _manifest(
        trigger,
        order,
        flows,
        ledgers=tuple(modules[LEDGERS]),
        couriers=tuple(modules.get(COURIERS, ())),
        distributions={each.name: each.version for each in pinned_ones},
    )
    loaded = {module for table in modules.values() for module in table.values()} | classes
    own = {_top(module) for module in loaded} <= OWN_PACKAGES
    return _Plan(manifest, files, pinned_ones, tuple(sorted(loaded | required[trigger])), tuple(sorted(project)), own)


def _check_channels(channels: Iterable[str], couriers: Sequence[str], registry: Registry) -> None:
    """Raise ConfigurationError unless each of *channels* has one of *couriers*: else Create would not start."""
    for channel in channels:
        installed = registry.schemes(channel)
        carrying = [scheme for scheme in couriers if scheme in installed]
        if len(carrying) > 1:
            raise ConfigurationError(
                f"--courier: {' and '.join(carrying)} carry one channel, {channel!r}: leave all but one out"
            )
        if not carrying:
            remedy = (
                f"add --courier {' or '.join(installed)}"
                if installed
                else "no courier that is installed does: install one"
            )
            raise ConfigurationError(
                f"the flow sends by {channel!r}, which {' and '.join(couriers)} cannot carry: {remedy}"
            )


def _required(kinds: Iterable[Kind | HostRun], trigger: str) -> frozenset[str]:
    needed = map(powers_of, kinds)
    return frozenset(
        module for each in needed for module in (each.requires_create if trigger == "create" else each.requires_verify)
    )


def _top(module: str) -> str:
    return module.partition(".")[0]


def _manifest(trigger: str, order: BuildOrder, flows: Sequence[Flow], **shipped: Any) -> Manifest:
    return Manifest(
        trigger,
        f"{trigger}.{trigger}",
        order.target.runtime,
        order.target.architecture,
        FlowMark(flows[0].name, flows[0].fingerprint),
        tuple(FlowMark(each.name, each.fingerprint) for each in flows[1:]),
        kinds=tuple(_kinds(flows)),
        **pool_needs(flows),
        **shipped,
    )


def _full(plan: _Plan, wheels: Sequence[Wheel], target: Target) -> BuiltFunction:
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


def _pinned(packages: frozenset[str] | set[str], order: BuildOrder) -> tuple[Pinned, ...]:
    if order.with_boto3:
        return pinned(packages, order.target, without=frozenset(), from_folder=order.wheels is not None)
    return pinned(packages - {*RUNTIME_MODULES}, order.target, without=RUNTIME, from_folder=order.wheels is not None)


def _kinds(flows: Sequence[Flow]) -> dict[str, Kind | HostRun]:
    """Return the kinds by name, those that the host runs too: the file of a flow names them, so its reader must find them."""
    return {kind.kind: kind for flow in flows for kind in kinds_in(flow.body)}


def _kind_modules(registry: Registry, kinds: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(kinds):
        # A flow in Python may use a class that nobody has registered: then nothing looks it up by name.
        with suppress(ConfigurationError):
            found[name] = registry.module_of(KINDS_GROUP, name)
    return found


def _is_module(reference: str) -> bool:
    module, colon, _ = reference.partition(":")
    return bool(colon) and not reference.endswith(".toml") and bool(re.fullmatch(r"[A-Za-z_][\w.]*", module))


def check_scheme(text: str) -> str:
    """Return *text* if it can be the scheme of a ledger's or courier's URL.

    Raises:
        ConfigurationError: if it cannot.
    """
    if not STEP_NAME.fullmatch(text):
        # What stands behind the colon may be a password.
        given = repr(text.partition(":")[0][:40]) + (" with a URL behind it" if ":" in text else "")
        raise ConfigurationError(f"{given} is no URL scheme: give the part before the colon, such as dynamodb")
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
