"""Say which extra of the distribution installs a missing package."""

from __future__ import annotations

from importlib.util import find_spec

from watchword.errors import ConfigurationError

PACKAGES = {
    "boto3": ("boto3", "aws"),
    "cryptography": ("cryptography", "local"),
    "httptools": ("httptools", "local"),
    "jwt": ("PyJWT", "local"),
    "packaging": ("packaging", "aws"),
    "segno": ("segno", "qr"),
    "uvicorn": ("uvicorn", "local"),
    "yaml": ("PyYAML", "aws"),
}
"""For each module, the package that has it and the extra that brings the package."""


def demand(what: str, *modules: str, extra: str = "") -> None:
    """Look whether all *modules* are installed, without an import; *what* needs them, and *extra* has all of them.

    Raises:
        ConfigurationError: if one is not; the message says what to install.
    """
    for module in modules:
        if find_spec(module) is None:
            raise missing_extra(what, module, extra)


def missing_extra(what: str, module: str, extra: str = "") -> ConfigurationError:
    """Return the error that *what* needs *module*, and what to install: *extra*, or the one that brings it."""
    package, usual = PACKAGES[module]
    return ConfigurationError(f"{what} needs {package}: pip install 'watchword[{extra or usual}]'")
