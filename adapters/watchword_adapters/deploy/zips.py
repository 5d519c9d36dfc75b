"""The zips that `watchword build` made, as they describe themselves: whether they belong together, and to a flow."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from watchword.algebra.flow import Flow, enrols_in_a_step
from watchword.errors import ConfigurationError
from watchword_adapters.deploy.manifest import FlowMark, Manifest, read_manifest
from watchword_adapters.deploy.target import Target

_TRIGGERS = ("define", "create", "verify")
LEDGER = "dynamodb"
"""The ledger whose table the template makes."""


@frozen
class Zips:
    """The three zips of one build in *folder*, by trigger: their *manifests*, and their *names* in S3."""

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
        """The schemes of the couriers that Create holds, or Verify for notices."""
        return self.manifests["create"].couriers or self.manifests["verify"].couriers


def zips_of(folder: Path, flow: Flow) -> Zips:
    """Return the zips in *folder*, which must be of one build, of *flow*.

    Raises:
        ConfigurationError: if one is missing or of another build, or they are of another flow, or hold no ledger that
            the template makes, or no courier where the flow sends.
    """
    paths = {trigger: folder / f"{trigger}.zip" for trigger in _TRIGGERS}
    manifests = {trigger: read_manifest(path) for trigger, path in paths.items()}
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
    for trigger in ("create", "verify"):
        if LEDGER not in manifests[trigger].ledgers:
            held = ", ".join(manifests[trigger].ledgers) or "none"
            raise ConfigurationError(
                f"the template makes a table of DynamoDB, {paths[trigger]} holds another ledger ({held}): "
                f"build with --ledger {LEDGER}, or write a template of your own"
            )
    if flow_sends(flow) and not manifests["create"].couriers:
        raise ConfigurationError(f"the flow sends, and {paths['create']} holds no courier: {again}")
    if enrols_in_a_step((flow,)) and not manifests["verify"].couriers:
        raise ConfigurationError(
            f"a step enrols, of which users are told, and {paths['verify']} holds no courier: {again}"
        )
    # Another content, another name: else CloudFormation would see no change.
    names = {trigger: f"{trigger}-{sha256(path.read_bytes()).hexdigest()[:16]}.zip" for trigger, path in paths.items()}
    return Zips(folder, manifests, names)


def flow_sends(flow: Flow) -> bool:
    """Say whether a kind of *flow* sends messages."""
    return any(step.powers.sends for step in flow.steps.values())


def _difference(one: Manifest, other: Manifest) -> str:
    for what in ("runtime", "architecture", "previous", "kinds", "watchword", "attributes"):
        if getattr(one, what) != getattr(other, what):
            return {"previous": "flows of before", "watchword": "versions of Watchword"}.get(what, what)
    return ""
