"""The file of `watchword credentials export`: JSON lines, with a head that says its version and an end that says how many."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from watchword.algebra.blocks import STEP_NAME
from watchword.contract.credentials import (
    KEPT_ROUNDS,
    LONGEST_CREDENTIAL_ID,
    LONGEST_LABEL,
    Credential,
    is_usable,
)
from watchword.errors import ConfigurationError
from watchword_adapters.credentials.user_lists import checked_sub

VERSION = 1
_HEAD = "watchword_credentials"
_END = "credentials"
_LONGEST_LINE = 65_536
_LONGEST_ROUND = 64
_END_OF_TIMES = 253_402_300_800  # the year 10000, which no date of Python's has
_TEXTS = ("pool", "sub", "kind", "id", "label")
_NUMBERS = ("created", "used", "version")


def owner_named(pool: str, sub: str) -> str:
    """Return the owner that the user *sub* of *pool* is."""
    return f"{pool}#{sub}"


def pool_and_sub(owner: str) -> tuple[str, str]:
    """Return the pool and the sub of *owner*."""
    pool, _, sub = owner.partition("#")
    return pool, sub


def export_lines(credentials: Iterable[Credential]) -> Iterator[str]:
    """Yield the lines of the file for *credentials*, as they come."""
    yield json.dumps({_HEAD: VERSION})
    number = 0
    for each in credentials:
        pool, sub = pool_and_sub(each.owner)
        yield json.dumps(
            {
                "pool": pool,
                "sub": sub,
                "kind": each.kind,
                "id": each.id,
                "label": each.label,
                "created": each.created,
                "used": each.used,
                "state": dict(each.state),
                "version": each.version,
                "rounds": each.rounds,
            }
        )
        number += 1
    yield json.dumps({_END: number})


def read_export(lines: Iterable[str]) -> tuple[Credential, ...]:
    """Return the credentials in the *lines* of a file.

    Raises:
        ConfigurationError: if it is no such file, is of another version, is cut off, or holds an id twice; it names the line,
            and quotes nothing but ids.
    """
    found: dict[tuple[str, str], Credential] = {}
    begun, ended = False, False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        said = _object(line, number)
        if not begun:
            _check_head(said)
            begun = True
        elif ended:
            raise _wrong(number, "stands behind the end of the export")
        elif _END in said:
            ended = True
            if said != {_END: len(found)}:
                raise _wrong(number, f"says another number of credentials than the {len(found)} above it")
        else:
            credential = _credential(said, number)
            key = credential.kind, credential.id
            if key in found:
                raise _wrong(number, f"has the id {credential.id[:60]!r} of {credential.kind[:40]!r} a second time")
            found[key] = credential
    if not ended:
        raise ConfigurationError(
            "the export is cut off, or is none: its last line must say how many credentials it has"
        )
    return tuple(found.values())


def _object(line: str, number: int) -> Mapping[str, Any]:
    try:
        said: object = json.loads(line) if len(line) <= _LONGEST_LINE else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _wrong(number, "is no JSON object")
    return cast("Mapping[str, Any]", said)


def _check_head(said: Mapping[str, Any]) -> None:
    version: object = said.get(_HEAD)
    if version == VERSION and not isinstance(version, bool):
        return
    if isinstance(version, int) and not isinstance(version, bool):
        raise ConfigurationError(f"the export is of version {version}, this Watchword reads version {VERSION}")
    raise ConfigurationError(
        f'the file is no export of credentials: its first line must be {{"{_HEAD}": {VERSION}}}, as watchword credentials export writes it'
    )


def _credential(said: Mapping[str, Any], number: int) -> Credential:
    if set(said) != {*_TEXTS, *_NUMBERS, "state", "rounds"}:
        raise _wrong(number, "has other members than a credential")
    for name in _TEXTS:
        if not isinstance(said[name], str):
            raise _wrong(number, f"has no text as its {name}")
    for name in _NUMBERS:
        if type(said[name]) is not int or not 0 <= said[name] < 2**53:
            raise _wrong(number, f"has no whole number as its {name}")
        if name != "version" and said[name] >= _END_OF_TIMES:
            raise _wrong(number, f"has a time after the year 9999 as its {name}")
    state, rounds = _state(said["state"]), _rounds(said["rounds"])
    if state is None:
        raise _wrong(number, "has a state that is not all text")
    if rounds is None:
        raise _wrong(number, "has rounds that are no texts")
    texts = "".join((*(said[name] for name in _TEXTS), *state, *state.values(), *rounds))
    if any("\ud800" <= sign <= "\udfff" for sign in texts):
        raise _wrong(number, "has half of a character, which no store can hold")
    if not said["pool"] or "#" in said["pool"] or not said["sub"] or not STEP_NAME.fullmatch(said["kind"]):
        raise _wrong(number, "names no pool, user or kind")
    times = said["created"], said["used"]
    try:
        owner = owner_named(said["pool"], checked_sub(said["sub"]))
        credential = Credential(
            said["id"], owner, said["kind"], said["label"], *times, state=state, version=said["version"], rounds=rounds
        )
    except ConfigurationError as error:
        raise _wrong(number, f"is refused: {error}") from None
    # What no enrolment writes, the APIs, the stores and the other actions need not cope with.
    if not is_usable(credential) or len(rounds) > KEPT_ROUNDS or any(len(each) > _LONGEST_ROUND for each in rounds):
        raise _wrong(
            number,
            f"is refused: an id has 1 to {LONGEST_CREDENTIAL_ID} characters, a label at most {LONGEST_LABEL}, and at most "
            f"{KEPT_ROUNDS} rounds are kept, each of at most {_LONGEST_ROUND}",
        )
    return credential


def _state(said: object) -> Mapping[str, str] | None:
    if not isinstance(said, dict) or not all(
        isinstance(text, str) for text in cast("Mapping[str, object]", said).values()
    ):
        return None
    return cast("Mapping[str, str]", said)


def _rounds(said: object) -> tuple[str, ...] | None:
    if not isinstance(said, list) or not all(isinstance(text, str) for text in cast("list[object]", said)):
        return None
    return tuple(cast("list[str]", said))


def _wrong(number: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"line {number} of the export {what}; nothing was imported")
