"""A zip whose bytes depend on its content alone: fixed times, order, permissions and compression."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath

from attrs import field, frozen

from watchword.errors import ConfigurationError

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell
_READABLE, _EXECUTABLE = 0o100644, 0o100755
_UNIX = 3


@frozen
class Archive:
    """A finished zip: *data* are its bytes, *files* the size of each file in it."""

    data: bytes = field(repr=False)
    files: Mapping[str, int]

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, in hex."""
        return sha256(self.data).hexdigest()

    @property
    def unpacked(self) -> int:
        """The bytes of all files in it."""
        return sum(self.files.values())


def pack_zip(files: Mapping[str, bytes]) -> Archive:
    """Return the zip of *files*, by path with forward slashes.

    Raises:
        ConfigurationError: if a path is absolute, leaves the zip, or two differ only in case.
    """
    seen: dict[str, str] = {}
    for name in files:
        check_path(name)
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise ConfigurationError(f"{other} and {name} differ in case alone: rename one of them")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.create_system = _UNIX
            info.compress_type = zipfile.ZIP_DEFLATED
            library = name.endswith(".so") or ".so." in name
            info.external_attr = (_EXECUTABLE if library else _READABLE) << 16
            made.writestr(info, files[name], compresslevel=9)
    return Archive(out.getvalue(), {name: len(files[name]) for name in sorted(files)})


def check_path(name: str) -> None:
    """Refuse a path that leads out of the folder into which a zip is unpacked.

    Raises:
        ConfigurationError: if it does; the message names the path.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable():
        raise ConfigurationError(
            f"{name[:100]!r} is no path that may stand in a zip: it must be relative, inside the folder"
        )
