"""The text of a flow file: so many bytes at most, in UTF-8, with or without a byte order mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchword.errors import ConfigurationError

MAX_BYTES = 256 * 1024
ANY_FLOW = "a flow is the path of a TOML file, or module:attribute"


def read_flow_bytes(path: Path, opener: Callable[[str, int], int] | None = None) -> bytes:
    """Return what is in the file at *path*, at most 256 KiB of it. *opener* opens it, as that of `open` does.

    Raises:
        ConfigurationError: if it cannot be read, or has more.
    """
    try:
        with open(path, "rb", opener=opener) as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file ({ANY_FLOW})") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigurationError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return expect_short(data, path)


def expect_short(data: bytes, path: Path) -> bytes:
    """Return *data*, which is in the file at *path*, or is to be.

    Raises:
        ConfigurationError: if it has more than 256 KiB.
    """
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path} has more than {MAX_BYTES // 1024} KiB; a flow is a page or two")
    return data


def decode_flow(data: bytes, path: Path) -> str:
    """Return the text in *data*, which is in the file at *path*, without its byte order mark.

    Raises:
        ConfigurationError: if it is no UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from error
