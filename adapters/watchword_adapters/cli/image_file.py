"""The picture in a challenge, as a file that a person can look at."""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Mapping
from pathlib import Path

_SUFFIXES = {"image/webp": ".webp", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}


def decode_picture(public: Mapping[str, str]) -> tuple[str, bytes] | None:
    """Return the media type and the bytes of the picture in the parameters *public*, or None if there is none."""
    given = public.get("image", "")
    head, _, data = given.rpartition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64") or public.get("media_type", "")
    try:
        return (media_type, base64.b64decode(data, validate=True)) if data else None
    except (binascii.Error, ValueError):
        return None


def save_picture(public: Mapping[str, str]) -> Path | None:
    """Write the picture in *public* to a new temporary file and return its path; None if there is no picture."""
    decoded = decode_picture(public)
    if decoded is None:
        return None
    media_type, data = decoded
    with tempfile.NamedTemporaryFile(
        prefix="watchword-", suffix=_SUFFIXES.get(media_type, ".img"), delete=False
    ) as file:
        file.write(data)
    return Path(file.name)


def open_picture(path: Path) -> None:
    """Show the picture at *path* in whatever this machine opens pictures with, if anything."""
    import webbrowser  # noqa: PLC0415 - only on demand

    webbrowser.open(path.as_uri())
