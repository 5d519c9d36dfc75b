"""What never goes into an artefact: secrets, environments, version control. Files are judged by name and by content."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from watchword.errors import ConfigurationError

_NAMES = (
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".git",
    ".hg",
    ".svn",
    ".bzr",
    ".aws",
    ".ssh",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".htpasswd",
    "credentials",
    "credentials.json",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "*.sqlite",
    "*.sqlite3",
)
_CONTENTS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    "an AWS access key": re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "an AWS secret": re.compile(rb"aws_secret_access_key[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+=]{40}", re.IGNORECASE),
    "a Watchword key": re.compile(rb"WATCHWORD_KEY[\"'\s\]=:,]{1,12}[A-Za-z0-9+/]{40,}={0,2}"),
}
_SHORTEST_SECRET = 16
_SECRET_SETTINGS = ("WATCHWORD_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def refuse_secrets(files: Mapping[str, bytes], environment: Mapping[str, str] | None = None) -> None:
    """Refuse *files*, by path, if one is a secret or holds one: by its name, its content, or a secret of *environment*.

    Raises:
        ConfigurationError: if one does; the message names the file and never what is in it.
    """
    environment = os.environ if environment is None else environment
    secrets = [
        (name, text.strip().encode())
        for name in _SECRET_SETTINGS
        for text in environment.get(name, "").split(",")
        if len(text.strip()) >= _SHORTEST_SECRET and "://" not in text
    ]
    for path, data in files.items():
        named = forbidden_name(path)
        if named:
            raise ConfigurationError(
                f"{path} must not be shipped: {named} is a secret, an environment or version control"
            )
        for what, pattern in _CONTENTS.items():
            if pattern.search(data):
                raise ConfigurationError(f"{path} must not be shipped: it holds what looks like {what}")
        for name, secret in secrets:
            if secret in data:
                raise ConfigurationError(
                    f"{path} must not be shipped: it holds the value of {name} of this environment"
                )


def forbidden_name(path: str) -> str:
    """Return the part of *path* by which it must not be shipped, or nothing."""
    for part in PurePosixPath(path).parts:
        if any(fnmatchcase(part.lower(), pattern) for pattern in _NAMES):
            return part
    return ""


def included(path: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of *path*, a file or a folder below *root*, by their path from there.

    Raises:
        ConfigurationError: if it is not there, lies elsewhere, or a link leads out of *root*.
    """
    root = root.resolve()
    if not path.exists():
        raise ConfigurationError(f"--include {path}: there is no such file or folder")
    for each in sorted([path, *path.rglob("*")]) if path.is_dir() else [path]:
        real = each.resolve()
        if not real.is_relative_to(root):
            raise ConfigurationError(f"--include {each}: it lies outside of {root}, the folder that is built from")
        name = Path(os.path.normpath(root / each)).relative_to(root).as_posix()
        # A folder of secrets is refused by its name, before anything in it is read.
        refuse_secrets({name: b""})
        if each.is_file() and "__pycache__" not in each.parts:
            yield name, each.read_bytes()
