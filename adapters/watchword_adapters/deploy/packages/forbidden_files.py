"""Refuse files that must never be shipped: secrets, databases, hidden files, links. Name and content count."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from watchword.errors import ConfigurationError
from watchword_adapters.deploy.packages.secret_content import secret_content

_NAMES = (
    "*.env",
    "*.env.*",
    "credentials",
    "env",
    "env.dev*",
    "env.local",
    "env.prod*",
    "env.stag*",
    "credentials.json",
    "service-account*.json",
    "service_account*.json",
    "secret*.json",
    "secret*.toml",
    "secret*.y*ml",
    "kubeconfig*",
    "htpasswd*",
    "npmrc",
    "id_rsa*",
    "id_dsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "*.pem",
    "*.key",
    "*.der",
    "*.ppk",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "*.db",
    "*.db-*",
    "*.sqlite",
    "*.sqlite3",
    "*.sqlite-*",
    "*.sqlite3-*",
    "*.dump",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "*.tfvars.json",
    "*.rdb",
)
_MODULES = frozenset({".py", ".pyc"})
_SHORTEST_SECRET = 16
_SECRET_SETTINGS = ("WATCHWORD_KEY", "WATCHWORD_ROOT_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


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
            what = "is hidden" if named.startswith(".") else "is a name of secrets, environments or databases"
            raise ConfigurationError(f"{path} must not be shipped: {named} {what}")
        looks = secret_content(data)
        if looks:
            raise ConfigurationError(f"{path} must not be shipped: it holds what looks like {looks}")
        for name, secret in secrets:
            if secret in data:
                raise ConfigurationError(
                    f"{path} must not be shipped: it holds the value of {name} of this environment"
                )


def forbidden_name(path: str) -> str:
    """Return the part of *path* by which it must not be shipped, or nothing. No hidden file is.

    A package of modules may be called ``credentials``, as a file of secrets is.
    """
    *folders, name = PurePosixPath(path).parts or ("",)
    is_module = PurePosixPath(name).suffix in _MODULES
    for part in (*(folder for folder in folders if not (is_module and folder == "credentials")), name):
        if part.startswith(".") or any(fnmatchcase(part.lower(), pattern) for pattern in _NAMES):
            return part
    return ""


def included(path: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of *path*, a file or a folder below *root*, by their path from there.

    Raises:
        ConfigurationError: if it is not there, lies elsewhere, or is or holds a link, or a file that must not be shipped.
    """
    root = root.resolve()
    if not path.exists():
        raise ConfigurationError(f"--include {path}: there is no such file or folder")
    for each in sorted([path, *path.rglob("*")]) if path.is_dir() else [path]:
        real = each.resolve()
        if not real.is_relative_to(root):
            raise ConfigurationError(f"--include {each}: it lies outside of {root}, the folder that is built from")
        name = Path(os.path.normpath(root / each)).relative_to(root).as_posix()
        if real != root / name:
            raise ConfigurationError(
                f"--include {each}: it is a link, or in a folder that is one: include what it leads to"
            )
        # A folder of secrets is refused by its name, before anything in it is read.
        refuse_secrets({name: b""})
        if each.is_file() and "__pycache__" not in each.parts:
            yield name, each.read_bytes()
