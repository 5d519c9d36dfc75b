"""Reads the built zips of a deployment: what they hold, and whether they are what runs."""

from __future__ import annotations

import base64
import zipfile
from hashlib import sha256
from pathlib import Path

from attrs import evolve

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.manifest import MANIFEST_NAME as MANIFEST
from watchword_adapters.deploy.manifest import PRE_TOKEN, read_manifest
from watchword_adapters.deploy.reading.deployment import DeployedFunction, Deployment, api_of
from watchword_adapters.deploy.reading.values import get


def with_zips(deployment: Deployment, dist: Path) -> Deployment:
    """Return *deployment* with what the zips in *dist* say of its functions.

    Raises:
        ConfigurationError: if *dist* is no folder.
    """
    if not dist.is_dir():
        raise ConfigurationError(f"--dist {dist}: there is no such folder")
    functions = {trigger: with_zip(each, dist / f"{trigger}.zip") for trigger, each in deployment.functions.items()}
    apis = {
        name: with_zip(each, dist / f"{name}.zip") if api_of(each) else each for name, each in deployment.apis.items()
    }
    built = dist / f"{PRE_TOKEN}.zip"
    told_by = deployment.told_by or (str(built) if built.is_file() else "")
    return evolve(deployment, functions=functions, apis=apis, told_by=told_by)


def with_zip(function: DeployedFunction, path: Path) -> DeployedFunction:
    """Return *function* with what the zip *path* says of it, and whether the function that runs has that code."""
    if function.code:
        return function
    try:
        manifest = read_manifest(path)
        digest = base64.b64encode(sha256(path.read_bytes()).digest()).decode()
    except ConfigurationError as error:
        return evolve(function, code=str(error))
    except OSError as error:
        return evolve(function, code=f"{path}: {error.strerror or type(error).__name__}")
    runs = get(function.facts, "CodeSha256")
    if isinstance(runs, str) and runs != digest:
        return evolve(function, other_code=f"{path}, of the flow {manifest.flow.name}, is not what is deployed")
    return evolve(function, manifest=manifest)


def is_packed_otherwise(path: Path) -> bool:
    """Return whether the zip *path* brings Watchword without `watchword build`: with a handler of the user's own."""
    try:
        with zipfile.ZipFile(path) as opened:
            names = opened.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
    return MANIFEST not in names and "watchword/__init__.py" in names
