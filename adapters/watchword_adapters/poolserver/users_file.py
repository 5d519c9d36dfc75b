"""Load users from a TOML or JSON file into a pool."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

from watchword.errors import ConfigurationError
from watchword_adapters.userpool import ClientError, LocalUserPool
from watchword_adapters.userpool.api.operation_parameters import check_parameters
from watchword_adapters.userpool.directory.records import Status

_KEYS = ("name", "password", "email", "phone_number", "attributes", "status")
_STATUSES: tuple[Status, ...] = ("CONFIRMED", "FORCE_CHANGE_PASSWORD", "UNCONFIRMED", "RESET_REQUIRED")


@frozen
class NewUser:
    """A user to add. *password* is None for one who has none."""

    name: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    attributes: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    status: Status = "CONFIRMED"
    place: str = field(default="", eq=False)
    """Where the user was given: an option, or a place in a file."""


def users_from(path: Path) -> list[NewUser]:
    """Return the users in the file *path*: a list called ``users`` of tables with name, password, email and so on.

    ``email`` and ``phone_number`` are verified addresses; any other attribute stands under ``attributes``.

    Raises:
        ConfigurationError: if the file cannot be read or is wrong; the message gives the place.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        top: object = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from None
    listed = cast("dict[str, object]", top).get("users") if isinstance(top, dict) else top
    if not isinstance(listed, list):
        raise ConfigurationError(f"{path}: there is no list called users; write [[users]] before each of them")
    return [_user(f"{path}: users[{place}]", item) for place, item in enumerate(cast("list[object]", listed))]


def add_users(pool: LocalUserPool, users: list[NewUser]) -> None:
    """Add *users* to *pool*; who is there already is left as he is.

    Raises:
        ConfigurationError: if the pool refuses one.
    """
    for place, user in enumerate(users):
        where = f"users[{place}] ({user.place})" if user.place else f"users[{place}]"
        if pool.email_as_username and "@" not in user.name:
            raise ConfigurationError(
                f"{where}: with --email-as-username a user's name is an address: write {user.name}@example.com"
            )
        listed = [{"Name": name, "Value": value} for name, value in user.attributes.items()]
        given = {"UserPoolId": pool.pool_id, "Username": user.name, "UserAttributes": listed}
        try:
            check_parameters("AdminCreateUser", {**given, "TemporaryPassword": user.password})
            pool.add_user(user.name, password=user.password, attributes=user.attributes, status=user.status)
        except pool.exceptions.UsernameExistsException:
            continue
        except ClientError as error:
            why = error.response["Error"]["Message"].strip()
            raise ConfigurationError(f"the pool refuses {where}: {why}") from None


def _user(place: str, item: object) -> NewUser:
    if not isinstance(item, dict):
        raise ConfigurationError(f"{place} is no table")
    given = cast("dict[str, Any]", item)
    for key in given:
        if key not in _KEYS:
            raise ConfigurationError(f"{place}.{key[:40]} is unknown: there is {', '.join(_KEYS)}")
    attributes = given.get("attributes", {})
    if not isinstance(attributes, dict):
        raise ConfigurationError(f"{place}.attributes is no table")
    named: dict[str, object] = {}
    for name in ("email", "phone_number"):
        if name in given:
            named |= {name: given[name], f"{name}_verified": "true"}
    named |= {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in cast("dict[str, object]", attributes).items()
    }
    texts = {"name": given.get("name"), "password": given.get("password", ""), **named}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise ConfigurationError(f"{place}.{key} is {'missing' if value is None else 'no text'}")
    status = given.get("status", _STATUSES[0])
    if status not in _STATUSES:
        raise ConfigurationError(f"{place}.status must be one of {', '.join(_STATUSES)}")
    return NewUser(given["name"], given.get("password"), cast("dict[str, str]", named), status, place)
