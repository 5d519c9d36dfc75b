"""QR codes: a text as a picture for a page, or as blocks for the terminal."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from watchword.errors import ConfigurationError
from watchword_adapters.extras import demand

if TYPE_CHECKING:
    from segno import QRCode

__all__ = ["qr_svg", "qr_terminal"]


def qr_svg(text: str) -> str:
    """Return the QR code of *text* as an SVG element, black on white. It takes the size of its place on the page.

    Raises:
        ConfigurationError: if segno is not installed, or if *text* is too long, or no Unicode.
    """
    written = BytesIO()
    _made(text).save(written, kind="svg", xmldecl=False, omitsize=True, dark="#000", light="#fff", nl=False)
    return written.getvalue().decode("ascii")


def qr_terminal(text: str) -> str:
    """Return the QR code of *text* as lines of block characters, for a dark terminal as for a light one.

    Raises:
        ConfigurationError: if segno is not installed, or if *text* is too long, or no Unicode.
    """
    written = StringIO()
    _made(text).terminal(out=written, compact=True)
    return written.getvalue()


def _made(text: str) -> QRCode:
    demand("a QR code", "segno")
    from segno import make_qr  # noqa: PLC0415 - only where a code is drawn

    try:
        return make_qr(text, error="m")
    except ValueError as error:  # too long, or half a surrogate pair
        # Not the text, which may be a secret.
        raise ConfigurationError(
            f"a text of {len(text)} characters has no QR code: give one of at most 2,331 ASCII characters"
        ) from error
