"""The URLs by which couriers and ledgers are named in the environment, read strictly and without showing a password."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NoReturn

from attrs import field, frozen

from watchword.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult


@frozen
class PortURL:
    """A URL in its parts, percent-decoded. *port* is None and the texts are empty where the URL has none."""

    scheme: str
    host: str = ""
    port: int | None = None
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    path: str = ""
    options: Mapping[str, str] = field(factory=dict[str, str], repr=False)

    @classmethod
    def parse(cls, url: str, *, options: Collection[str]) -> PortURL:
        """Return *url* in its parts; *options* are the names that may stand behind the question mark.

        A plus sign is a plus sign, as in addresses. No message shows a value.

        Raises:
            ConfigurationError: if it is malformed, or if an option is unknown or stands twice.
        """
        from urllib.parse import unquote  # noqa: PLC0415 - only where a URL is given

        scheme = url.partition(":")[0].lower()
        if not url.isprintable() or " " in url:
            _refuse(scheme, "holds a space or a control character: percent-encode it")
        if "#" in url:
            _refuse(scheme, "has a #: percent-encode it as %23")
        split = _split(url)
        if split is None:
            _refuse(scheme, "has a malformed host or port: percent-encode user and password")
        parts, port = split
        found: dict[str, str] = {}
        for pair in parts.query.split("&") if parts.query else ():
            name, equals, value = pair.partition("=")
            name = unquote(name)
            if name not in options:
                _refuse(scheme, f"has an option that it does not know{_near(name, options)}")
            if name in found or not equals or not value:
                _refuse(scheme, f"needs the option {name!r} once and with a value, as in {name}=…")
            found[name] = unquote(value)
        return cls(
            scheme=scheme,
            host=parts.hostname or "",
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            path=parts.path,
            options=found,
        )

    def expect_options_alone(self, example: str) -> None:
        """Refuse a URL with anything but options; *example* shows what is right.

        Raises:
            ConfigurationError: if it has a host, a port, a path, a user or a password.
        """
        if self.host or self.path or self.user or self.password or self.port is not None:
            _refuse(self.scheme, f"takes options alone, as in {example}")


def _split(url: str) -> tuple[SplitResult, int | None] | None:
    from urllib.parse import urlsplit  # noqa: PLC0415

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # Not passed on: it quotes what may be the password.
        return None
    return parts, port


def _refuse(scheme: str, what: str) -> NoReturn:
    raise ConfigurationError(f"the URL {scheme}: {what}")


def _near(name: str, options: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    # Shown only if it looks like an option: what follows a stray question mark may be half of a password.
    shown = f", {name!r}" if get_close_matches(name, options) else ""
    return f"{shown}: it knows {', '.join(sorted(options)) or 'none'}"
