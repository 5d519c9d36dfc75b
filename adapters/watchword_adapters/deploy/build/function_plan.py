"""What one function is made of: its handler, the modules and files that it needs, and the distributions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from watchword.algebra.blocks import kinds_in
from watchword.algebra.flow import Flow, enrols_in_a_step, needs_store
from watchword.contract.kinds import HostRun, Kind
from watchword.contract.members import ANY_CHANNEL
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError
from watchword.loading.registry import COURIERS, CREDENTIALS, KINDS_GROUP, LEDGERS, Registry
from watchword_adapters.deploy.build.build_order import BuildOrder
from watchword_adapters.deploy.build.generated_modules import written
from watchword_adapters.deploy.build.smoke_test import RUNTIME_MODULES
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API, PRE_TOKEN, FlowMark, Manifest
from watchword_adapters.deploy.packages.distributions import RUNTIME, Pinned, pinned
from watchword_adapters.deploy.packages.forbidden_files import refuse_secrets
from watchword_adapters.deploy.packages.imports import OWN_PACKAGES, follow
from watchword_adapters.deploy.stack.pool_needs import pool_needs
from watchword_adapters.rest.pool_tokens import READING

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
_TITLES = {
    "create": "Create Auth Challenge",
    "verify": "Verify Auth Challenge Response",
    PRE_TOKEN: "Pre Token Generation",
}

_API_HANDLER = '''\
"""{title} of a flow, made by `watchword build`: the modules are written down, so nothing is searched."""

from pathlib import Path

from watchword.loading.flow_reference import find_flow
from watchword.loading.registry import Registry
from {package}.handler import {maker}

MODULES = ...
FLOW = ...

_registry = Registry(MODULES)
_reference = str(Path(__file__).parent / FLOW) if FLOW.endswith(".toml") else FLOW
{function} = {maker}(find_flow(_reference, _registry), registry=_registry, base_path="{base_path}")
'''
_APIS = {
    CREDENTIALS_API: {
        "title": "The API of credentials",
        "package": "watchword_adapters.credentials_api",
        "maker": "credentials_handler",
        "base_path": "/credentials",
    },
    FIDO2_API: {
        "title": "The passwordless client's API for passkeys",
        "package": "watchword_adapters.fido2_api",
        "maker": "fido2_handler",
        "base_path": "/fido2",
    },
}


@frozen
class FunctionPlan:
    """What a function is made of."""

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    distributions: tuple[Pinned, ...]
    modules: tuple[str, ...]
    """What it loads when it starts, or may load later, beside its handler."""
    project: tuple[str, ...] = ()
    own: bool = True
    """Whether kinds, ledger and courier are Watchword's own."""


def plan_function(
    function: str, order: BuildOrder, flows: Sequence[Flow], registry: Registry, shipped: Mapping[str, bytes]
) -> FunctionPlan:
    """Return what *function* of *order* is made of; *flows* are its flows, and *shipped* the operator's files in it.

    Raises:
        ConfigurationError: if something that it needs is missing, or a file holds a secret.
    """
    api = _APIS.get(function)
    kinds = _kinds(flows)
    required = _required(kinds.values(), function)
    classes = {type(kind).__module__ for kind in kinds.values()}
    modules = _modules(function, order, flows, registry)
    roots = ["watchword.loading.flow_reference", *classes]
    roots += [module for table in modules.values() for module in table.values()]
    roots += [f"{api['package']}.handler"] if api else ["watchword_adapters.aws_lambda"]
    roots += ["watchword_adapters.dialects.dialect"] if order.dialect and not api else []
    checks_tokens = function == "verify" and any(powers_of(each).with_token for each in kinds.values())
    roots += ["watchword_adapters.rest.access_tokens"] if checks_tokens else []
    files = dict(shipped)
    names: list[str] = []
    project = set(shipped)
    for number, reference in enumerate((order.flow, *(() if api else order.previous))):
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
    files[f"{function}.py"] = _handler(function, modules, names, order.dialect)
    refuse_secrets(files)
    # One module may make challenges and judge answers: what a kind requires for the other of both stays out.
    spared = {_top(each) for name in ("create", "verify") for each in _required(kinds.values(), name) - required}
    tops = {_top(module) for module in required}
    pinned_ones = _pinned((needed.packages - spared) | tops, order)
    manifest = manifest_of(
        function,
        order,
        flows,
        ledgers=tuple(modules[LEDGERS]),
        credentials=tuple(modules.get(CREDENTIALS, ())),
        couriers=tuple(modules.get(COURIERS, ())),
        distributions={each.name: each.version for each in pinned_ones},
    )
    loaded = {module for table in modules.values() for module in table.values()} | classes
    own = {_top(module) for module in loaded} <= OWN_PACKAGES
    return FunctionPlan(manifest, files, pinned_ones, tuple(sorted(loaded | required)), tuple(sorted(project)), own)


def _modules(function: str, order: BuildOrder, flows: Sequence[Flow], registry: Registry) -> dict[str, dict[str, str]]:
    """Return the modules that *function* looks up by name, as `Registry` takes them."""
    kinds = _kinds(flows)
    modules = {
        KINDS_GROUP: _kind_modules(registry, kinds),
        LEDGERS: {order.ledger: registry.module_of(LEDGERS, order.ledger)},
    }
    if needs_store(flows) and function != PRE_TOKEN:
        modules[CREDENTIALS] = {order.credentials: registry.module_of(CREDENTIALS, order.credentials)}
    channels = sorted({powers_of(each).channel for each in kinds.values()} - {""})
    notices = function in _APIS or (function == "verify" and enrols_in_a_step(flows))
    if notices or (function == "create" and channels):
        modules[COURIERS] = {scheme: registry.module_of(COURIERS, scheme) for scheme in order.couriers}
        if function != "verify":
            _check_channels(channels, order.couriers, registry)
    return modules


def _handler(function: str, modules: Mapping[str, object], flows: Sequence[str], dialect: str) -> bytes:
    api = _APIS.get(function)
    if api:
        return written(_API_HANDLER.format(function=function, **api), {"MODULES": modules, "FLOW": flows[0]})
    return written(
        _HANDLER.format(title=_TITLES[function], trigger=function),
        {"MODULES": modules, "FLOWS": tuple(flows), "DIALECT": dialect or None},
    )


def _check_channels(channels: Iterable[str], couriers: Sequence[str], registry: Registry) -> None:
    """Raise ConfigurationError unless each of *channels* has one of *couriers*: else Create would not start."""
    anything = registry.schemes(ANY_CHANNEL)  # nobody deploys one by advice
    for channel in channels:
        able = registry.schemes(channel)
        carrying = [scheme for scheme in couriers if scheme in able]
        installed = [scheme for scheme in able if scheme not in anything]
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


def _required(kinds: Iterable[Kind | HostRun], function: str) -> frozenset[str]:
    needed = {each.kind: powers_of(each) for each in kinds} if function != PRE_TOKEN else {}
    read: Iterable[str] = ()
    if function in _APIS:
        # An API begins and completes enrolments, and reads tokens; challenges and answers are no business of its.
        read = READING
        modules = {kind: (*each.requires_create, *each.requires_verify) for kind, each in needed.items() if each.enrols}
    elif function == "create":
        modules = {kind: each.requires_create for kind, each in needed.items()}
    else:
        read = READING if function == "verify" and any(each.with_token for each in needed.values()) else ()
        modules = {kind: each.requires_verify for kind, each in needed.items()}
    for kind, required in modules.items():
        if remedy := needed[kind].remedy(required):
            raise ConfigurationError(f"kind {kind!r} needs more than is installed where you build: {remedy}")
    return frozenset(read).union(*modules.values())


def _top(module: str) -> str:
    return module.partition(".")[0]


def manifest_of(function: str, order: BuildOrder, flows: Sequence[Flow], **shipped: Any) -> Manifest:
    """Return what the zip of *function* says of itself; *shipped* is what of ports and distributions is in it."""
    return Manifest(
        function,
        f"{function}.{function}",
        order.target.runtime,
        order.target.architecture,
        FlowMark(flows[0].name, flows[0].fingerprint),
        tuple(FlowMark(each.name, each.fingerprint) for each in flows[1:]),
        kinds=tuple(_kinds(flows)),
        dialect=order.dialect,
        **pool_needs(flows),
        **shipped,
    )


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
