"""The zips that `watchword build` made, as they describe themselves: whether they belong together, and to a flow."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from watchword.algebra.flow import Flow, enrols_in_a_step, needs_store
from watchword.errors import ConfigurationError
from watchword_adapters.deploy.manifest import CREDENTIALS_API, FIDO2_API, PRE_TOKEN, FlowMark, Manifest, read_manifest
from watchword_adapters.deploy.target import Target, default_python
from watchword_adapters.dialects.dialect import has_api

_TRIGGERS = ("define", "create", "verify")
DYNAMODB = "dynamodb"
"""The ledger, and the store of credentials, whose tables the template makes."""


@frozen
class Zips:
    """The zips of one build in *folder*, by function: their *manifests*, and their *names* in S3."""

    folder: Path
    manifests: Mapping[str, Manifest]
    names: Mapping[str, str]

    @property
    def target(self) -> Target:
        """What they were built for."""
        one = self.manifests["create"]
        return Target(one.architecture, one.runtime.removeprefix("python"))

    @property
    def couriers(self) -> tuple[str, ...]:
        """The schemes of the couriers that Create holds, or Verify and APIs for notices."""
        return next((each.couriers for each in self.manifests.values() if each.couriers), ())

    @property
    def dialect(self) -> str:
        """The client that they speak to, if others wrote it."""
        return self.manifests["create"].dialect

    @property
    def remember(self) -> bool:
        """Whether they hold a store of what users enrolled: a flow of before may need one although the own does not."""
        return bool(self.manifests["create"].credentials)


def zips_of(folder: Path, flow: Flow, *, credentials_api: bool = False, pre_token: bool = False) -> Zips:
    """Return the zips in *folder*, which must be of one build, of *flow*; with *credentials_api* the one of that API too, and with *pre_token* that.

    One that was built for a dialect has the API of its client with it, if the client calls one.

    Raises:
        ConfigurationError: if one is missing or of another build, or they are of another flow, or hold no ledger or store that
            the template makes, or no courier where the flow sends.
    """
    spoken = has_api(read_manifest(folder / "create.zip").dialect, flow)
    apis = ((CREDENTIALS_API,) if credentials_api else ()) + ((FIDO2_API,) if spoken else ())
    told = (PRE_TOKEN,) if pre_token else ()
    paths = {name: folder / f"{name}.zip" for name in (*_TRIGGERS, *told, *apis)}
    for name, asked in ((CREDENTIALS_API, credentials_api), (PRE_TOKEN, pre_token)):
        if asked and not paths[name].exists():
            option = name.replace("_", "-")
            raise ConfigurationError(f"{paths[name]} is not there: run watchword build with --{option}")
    manifests = {name: read_manifest(path) for name, path in paths.items()}
    again = f"run watchword build FLOW -o {folder} again"
    for trigger, manifest in manifests.items():
        path = paths[trigger]
        if manifest.trigger != trigger:
            raise ConfigurationError(f"{path} holds the function {manifest.trigger}: {again}")
        if manifest.flow != FlowMark(flow.name, flow.fingerprint):
            raise ConfigurationError(
                f"{path} was built of the flow {manifest.flow.name} ({manifest.flow.fingerprint}), "
                f"this is {flow.name} ({flow.fingerprint}): {again}, or name the flow that it was built of"
            )
        differing = _difference(manifests["define"], manifest)
        if differing:
            raise ConfigurationError(
                f"{path} and {paths['define']} are of two builds, their {differing} differ: {again}"
            )
    for name in manifests.keys() - {"define"}:
        _check_port(paths[name], "ledger", "ledger", manifests[name].ledgers)
        if needs_store((flow,)) and name != PRE_TOKEN:
            _check_port(paths[name], "store of credentials", "credentials", manifests[name].credentials)
    if flow_sends(flow) and not manifests["create"].couriers:
        raise ConfigurationError(f"the flow sends, and {paths['create']} holds no courier: {again}")
    if enrols_in_a_step((flow,)) and not manifests["verify"].couriers:
        raise ConfigurationError(
            f"a step enrols, of which users are told, and {paths['verify']} holds no courier: {again}"
        )
    # Another content, another name: else CloudFormation would see no change.
    names = {name: f"{name}-{sha256(path.read_bytes()).hexdigest()[:16]}.zip" for name, path in paths.items()}
    return Zips(folder, manifests, names)


def _check_port(path: Path, word: str, option: str, schemes: tuple[str, ...]) -> None:
    """Raise ConfigurationError unless the zip *path* holds, for a port, the one whose table the template makes."""
    if DYNAMODB not in schemes:
        held = ", ".join(schemes) or "none"
        raise ConfigurationError(
            f"the template makes a table of DynamoDB, {path} holds another {word} ({held}): "
            f"build with --{option} {DYNAMODB}, or write a template of your own"
        )


def flow_sends(flow: Flow) -> bool:
    """Say whether a kind of *flow* sends messages."""
    return any(step.powers.sends for step in flow.steps.values())


def target_of(asked: Target | None, zips: Zips | None) -> Target:
    """Return what the functions run on: as the *zips* say, which must be what was *asked* for, if anything was.

    Raises:
        ConfigurationError: if it is not.
    """
    if zips is None:
        return asked or Target("x86_64", default_python())
    if asked is not None and asked != zips.target:
        raise ConfigurationError(
            f"the zips in {zips.folder} were built for {zips.target.runtime} on {zips.target.architecture}, not for "
            f"{asked.runtime} on {asked.architecture}: build them again, or leave --arch and --python out"
        )
    return zips.target


def dialect_of(asked: str, zips: Zips | None) -> str:
    """Return the dialect of the functions: as the zips say, which must be what was *asked* for, if anything was.

    Raises:
        ConfigurationError: if it is not.
    """
    if zips is None or not asked or asked == zips.dialect:
        return asked if zips is None else zips.dialect
    built = f"for {zips.dialect}" if zips.dialect else "without a dialect"
    raise ConfigurationError(
        f"the zips in {zips.folder} were built {built}: build them with --dialect {asked}, or leave --dialect out"
    )


def _difference(one: Manifest, other: Manifest) -> str:
    for what in ("runtime", "architecture", "previous", "kinds", "watchword", "attributes", "dialect"):
        if getattr(one, what) != getattr(other, what):
            return {"previous": "flows of before", "watchword": "versions of Watchword"}.get(what, what)
    return ""
