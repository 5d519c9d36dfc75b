"""Fetches the wheels of pinned distributions for the target, by pip, and unpacks what of them runs there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, field, frozen

from watchword.errors import ConfigurationError, UnavailableError
from watchword_adapters.deploy.archive import check_path
from watchword_adapters.deploy.packages.distributions import Pinned
from watchword_adapters.deploy.target import PYTHONS, Target

PRUNED: Sequence[str] = (
    # The licence and METADATA stay: the one must travel with the code, the other tells a scanner what is there.
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/INSTALLER",
    "*.dist-info/entry_points.txt",
    "*.dist-info/top_level.txt",
    "*.dist-info/sboms/*",
    "*.pyi",
    "*/py.typed",
    "captcha/data/*.wav",  # voices of a CAPTCHA to be heard, which a program hears better than people
    "captcha/audio.py",
    "PIL/_avif.*",
    "PIL/_imagingcms.*",
    "PIL/_imagingtk.*",
    "pillow.libs/libavif-*",
    "pillow.libs/liblcms2-*",
)
"""What no function of Watchword's uses, by pattern."""

_SERVICES = (
    *("dynamodb", "pinpoint-sms-voice-v2", "secretsmanager", "ses", "sesv2", "sns", "ssm", "sso", "sso-oidc", "sts"),
)


@frozen
class Wheel:
    """A distribution, unpacked: *files* by path, without what was pruned.

    *sha256* is the wheel's as it was fetched; empty if the distribution was packed as it is installed.
    """

    pinned: Pinned
    sha256: str
    files: Mapping[str, bytes] = field(repr=False)
    pruned: int
    """Bytes that were left out."""


def fetch(
    wanted: Sequence[Pinned],
    target: Target,
    *,
    folder: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Wheel, ...]:
    """Return the wheels of *wanted* for *target*: from *folder* if given and from nowhere else, or as pip is configured.

    *progress* is told each one before it is fetched.

    Raises:
        ConfigurationError: if one of them has no wheel that runs there.
        UnavailableError: if pip is missing.
    """
    if not wanted:
        return ()
    if progress is not None:
        progress(f"fetching {', '.join(map(str, wanted))} for {target.runtime} on {target.architecture}")
    with TemporaryDirectory(prefix="watchword-wheels-") as work:
        if not _downloaded(wanted, target, Path(work), folder):
            # Once more, one by one, to say which it is.
            for each in wanted:
                if len(wanted) == 1 or not _downloaded([each], target, Path(work), folder):
                    raise ConfigurationError(_missing(each, target, folder))
        found = {_name_of(path): path for path in Path(work).glob("*.whl")}
        return tuple(_unpacked(each, found[each.name]) for each in wanted)


def _downloaded(wanted: Sequence[Pinned | str], target: Target, into: Path, folder: Path | None) -> bool:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-input", "--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python]
    for abi in (target.abi, "abi3", "none"):
        command += ["--abi", abi]
    for platform in target.platforms:
        command += ["--platform", platform]
    if folder is not None:
        command += ["--no-index", "--find-links", str(folder)]
    # The requirements stand behind a double hyphen: a name is never read as an option.
    ended = subprocess.run(  # noqa: S603
        [*command, "--dest", str(into), "--", *map(str, wanted)], capture_output=True, text=True, check=False
    )
    if ended.returncode and "No module named pip" in ended.stderr:
        raise UnavailableError("a build fetches wheels by pip, which this environment has not: python -m ensurepip")
    return ended.returncode == 0


def _missing(wanted: Pinned, target: Target, folder: Path | None) -> str:
    """Say what is missing, and what to do: the newest version that runs there, or a Python for which this one does."""
    where = f"in {folder}" if folder is not None else "where pip looks"
    newest = _newest(wanted.name, target, folder)
    if newest:
        remedy = f"the newest version that has one is {newest}: pip install '{wanted.name}=={newest}', and build again"
    else:
        remedy = f"no version of {wanted.name} has one there"
    near = [f"3.{minor}" for minor in (target.minor + 1, target.minor - 1)]
    with TemporaryDirectory(prefix="watchword-wheels-") as work:
        for python in near:
            if python in PYTHONS and _downloaded([wanted], evolve(target, python=python), Path(work), folder):
                remedy += f"; or build with --python {python}, for which {wanted.version} has one"
                break
    return f"{wanted} has no wheel {where} that runs on Python {target.python}, {target.architecture}, {target.system}; {remedy}"


def _newest(name: str, target: Target, folder: Path | None) -> str:
    """Return the newest version of *name* that has a wheel for *target*; nothing if none has."""
    with TemporaryDirectory(prefix="watchword-wheels-") as work:
        _downloaded([name], target, Path(work), folder)
        return next((path.name.split("-")[1] for path in Path(work).glob("*.whl")), "")


def _name_of(wheel: Path) -> str:
    return wheel.name.partition("-")[0].lower().replace("_", "-").replace(".", "-")


def _unpacked(wanted: Pinned, wheel: Path) -> Wheel:
    data = wheel.read_bytes()
    files: dict[str, bytes] = {}
    pruned = 0
    with zipfile.ZipFile(wheel) as opened:
        for info in opened.infolist():
            name = _placed(info.filename)
            if info.is_dir() or name is None:
                continue
            check_path(name)
            if is_pruned(name):
                pruned += info.file_size
            else:
                files[name] = opened.read(info)
    return Wheel(wanted, sha256(data).hexdigest(), files, pruned)


def _placed(name: str) -> str | None:
    """Return where a wheel's file goes (PEP 427): scripts and headers go nowhere."""
    top, slash, rest = name.partition("/")
    if not (slash and top.endswith(".data")):
        return name
    scheme, _, inner = rest.partition("/")
    return inner if scheme in {"purelib", "platlib"} else None


def is_pruned(name: str) -> bool:
    """Say whether the file *name* of a distribution is left out: no function of Watchword's uses it."""
    if name.startswith("botocore/data/") and name.count("/") > 2:
        return name.split("/")[2] not in _SERVICES
    return any(fnmatchcase(name, pattern) for pattern in PRUNED)
