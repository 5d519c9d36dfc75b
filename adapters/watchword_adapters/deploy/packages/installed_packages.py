"""Packs a distribution as it is installed here, if it is pure Python: then what was tested is what is shipped."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import Distribution, FileHash, PackagePath, distribution

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.packages.distributions import Pinned
from watchword_adapters.deploy.packages.wheels import Wheel, is_pruned
from watchword_adapters.deploy.target import Target

# They tell how it came here, which depends on the machine.
_OF_THIS_MACHINE = frozenset({"direct_url.json", "REQUESTED", "uv_cache.json", "uv_build.json"})


def pack_installed(wanted: Pinned, target: Target) -> Wheel | None:
    """Return *wanted* as it is installed here; None if it must be fetched, since it is not the same for every machine.

    Its files are those that its RECORD lists, and must be as they are listed there.

    Raises:
        ConfigurationError: if one of them was changed or is gone since it was installed.
    """
    found = distribution(wanted.name)
    if not wanted.portable or not _runs_on(found, target):
        return None
    files: dict[str, bytes] = {}
    pruned = 0
    for each in found.files or ():
        # Scripts lie outside of site-packages, bytecode is made anew, and RECORD is not in itself.
        if each.hash is None or each.suffix == ".pyc" or ".." in each.parts or each.is_absolute():
            continue
        name = each.as_posix()
        if name.rpartition("/")[2] in _OF_THIS_MACHINE and ".dist-info/" in name:
            continue
        data = _read(each)
        if data is None or not _is_as_recorded(data, each.hash):
            raise ConfigurationError(
                f"{name} is not as it was installed with {wanted}: pip install --force-reinstall {wanted.name}"
            )
        if is_pruned(name):
            pruned += len(data)
        else:
            files[name] = data
    return Wheel(wanted, "", files, pruned)


def _read(path: PackagePath) -> bytes | None:
    try:
        return path.read_binary()
    except OSError:
        return None


def _is_as_recorded(data: bytes, recorded: FileHash) -> bool:
    digest = hashlib.new(recorded.mode, data).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=") == recorded.value.rstrip("=")


def _runs_on(found: Distribution, target: Target) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - only a build needs it

    needed = found.metadata.json.get("requires_python") or ""
    return SpecifierSet(str(needed)).contains(f"{target.python}.99")
