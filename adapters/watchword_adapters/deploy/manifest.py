"""The manifest of a built zip: a JSON file that `watchword template` and `watchword doctor` read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

from watchword.errors import ConfigurationError

MANIFEST_NAME = "watchword.json"
"""The file's name in each zip."""

CREDENTIALS_API, FIDO2_API = "credentials_api", "fido2_api"
APIS = (CREDENTIALS_API, FIDO2_API)
"""The APIs by which users enrol."""
PRE_TOKEN = "pre_token"  # noqa: S105 - the name of a function
FUNCTIONS = ("define", "create", "verify", PRE_TOKEN, *APIS)
"""The functions that there may be: the triggers of a sign-in, the one that tells in tokens what was passed, and the APIs."""

_FORMAT = 3
_MOST_BYTES = 1024 * 1024


@frozen
class FlowMark:
    """A flow, as the zip was built with it: its *name*, and the *fingerprint* of all that decides."""

    name: str
    fingerprint: str


def own_version() -> str:
    """Return Watchword's version; nothing if it is not installed."""
    try:
        return version("watchword")
    except PackageNotFoundError:
        return ""


@frozen
class Manifest:
    """What one zip was built of, and for.

    Attributes:
        trigger: ``define``, ``create``, ``verify`` or ``pre_token``; for an API its name in `FUNCTIONS`.
        handler: what Lambda is told to call.
        runtime: Lambda's name of the runtime, such as ``python3.12``.
        architecture: Lambda's name of the processor.
        flow: the own flow.
        previous: flows whose sign-ins may be under way.
        kinds: the kinds of these flows.
        ledgers: the schemes of the ledgers that are shipped; none in Define.
        credentials: the schemes of the stores of credentials that are shipped, if a flow needs one; none in Define.
        couriers: the schemes of the couriers that are shipped; in Create, if a kind sends; in Verify, if a step enrols; in APIs.
        distributions: the distributions in the zip, and their versions; boto3 is among them only if it is shipped.
        watchword: Watchword's version.
        attributes: what these flows decide by, and their kinds are told to read, of a user's attributes.
        session_minutes: the least validity of the client's sessions in which all steps of these flows fit.
        dialect: the name of the client that is spoken to, if others wrote it.
        recovery: the channels by which no password may be recovered, since these flows take them for possession.
    """

    trigger: str
    handler: str
    runtime: str
    architecture: str
    flow: FlowMark
    previous: tuple[FlowMark, ...] = ()
    kinds: tuple[str, ...] = ()
    ledgers: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    couriers: tuple[str, ...] = ()
    distributions: Mapping[str, str] = field(factory=dict[str, str])
    watchword: str = field(factory=own_version)
    attributes: tuple[str, ...] = ()
    session_minutes: int = 0
    dialect: str = ""
    recovery: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        """Return the file: the same bytes for the same manifest."""
        said = {
            "format": _FORMAT,
            "watchword": self.watchword,
            "trigger": self.trigger,
            "handler": self.handler,
            "runtime": self.runtime,
            "architecture": self.architecture,
            "flow": _marked(self.flow),
            "previous": [_marked(each) for each in self.previous],
            "kinds": sorted(self.kinds),
            "ledgers": sorted(self.ledgers),
            "credentials": sorted(self.credentials),
            "couriers": sorted(self.couriers),
            "distributions": dict(sorted(self.distributions.items())),
            "attributes": sorted(self.attributes),
            "session_minutes": self.session_minutes,
            "dialect": self.dialect,
            "recovery": sorted(self.recovery),
        }
        return (json.dumps(said, indent=2) + "\n").encode()


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of the zip *path*.

    Raises:
        ConfigurationError: if there is no such zip, or it was not made by this version of `watchword build`.
    """
    again = "run watchword build again"
    try:
        with zipfile.ZipFile(path) as opened:
            info = opened.getinfo(MANIFEST_NAME)
            if info.file_size > _MOST_BYTES:
                raise ConfigurationError(
                    f"{path}: its {MANIFEST_NAME} is too big to be one of watchword build's: {again}"
                )
            said = json.loads(opened.read(info))
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is not there: run watchword build first") from None
    except KeyError:
        raise ConfigurationError(
            f"{path} holds no {MANIFEST_NAME}, so it was not made by watchword build: {again}"
        ) from None
    except (OSError, ValueError, RecursionError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{path} is no zip of watchword build's ({type(error).__name__}): {again}") from None
    try:
        return _read(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigurationError(f"{path}: its {MANIFEST_NAME} is of another version of Watchword's: {again}") from None


def _marked(flow: FlowMark) -> dict[str, str]:
    return {"name": flow.name, "fingerprint": flow.fingerprint}


def _read(said: Any) -> Manifest:
    if said["format"] != _FORMAT:
        raise ValueError
    return Manifest(
        trigger=_text(said["trigger"]),
        handler=_text(said["handler"]),
        runtime=_text(said["runtime"]),
        architecture=_text(said["architecture"]),
        flow=_mark(said["flow"]),
        previous=tuple(_mark(each) for each in _list(said["previous"])),
        kinds=_texts(said["kinds"]),
        ledgers=_texts(said["ledgers"]),
        credentials=_texts(said["credentials"]),
        couriers=_texts(said["couriers"]),
        distributions={_text(name): _text(each) for name, each in said["distributions"].items()},
        watchword=_text(said["watchword"]),
        attributes=_texts(said["attributes"]),
        session_minutes=_number(said["session_minutes"]),
        dialect=_text(said["dialect"]),
        recovery=_texts(said["recovery"]),
    )


def _mark(said: Any) -> FlowMark:
    return FlowMark(_text(said["name"]), _text(said["fingerprint"]))


def _texts(said: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(said))


def _list(said: object) -> list[object]:
    if not isinstance(said, list):
        raise TypeError
    return cast("list[object]", said)


def _number(said: object) -> int:
    if type(said) is not int:
        raise TypeError
    return said


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError
    return said
