"""The items of a DynamoDB store of credentials: one for each owner, and one for each id, so that no id is used twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast

from attrs import evolve, field, frozen

from watchword.contract.credentials import Credential
from watchword.errors import ConfigurationError
from watchword_adapters.ledgers.dynamodb_items import (
    PARTITION_KEY,
    ForeignItemError,
    Item,
    json_attribute,
    number_attribute,
    read_json,
    read_number,
    read_text,
    read_typed,
    text_attribute,
)

OWNER_PREFIX = "user#"
"""What the keys of owners' items begin with."""

ITEM_VERSION = 1
"""The version of these items. An item of another version is neither read nor written."""


@frozen
class StoredCredential:
    """A credential in its owner's item. *place* is its number by age; *write* is the operation that wrote it last."""

    credential: Credential
    place: int
    write: str

    def attribute(self) -> Item:
        """Return the attribute that it is in the owner's item."""
        kept = self.credential
        names = {
            "id": text_attribute(kept.id),
            "kind": text_attribute(kept.kind),
            "place": number_attribute(self.place),
        }
        return {"M": names | changing_attributes(kept, self.write)}

    @classmethod
    def read(cls, owner: str, key: str, given: Item) -> StoredCredential:
        """Return what the attribute *key* of the item of *owner* says."""
        item: Item = read_typed(given, key, "M", dict)
        try:
            credential = Credential(
                read_text(item, "id"),
                owner,
                read_text(item, "kind"),
                read_text(item, "label"),
                _whole(item, "created"),
                _whole(item, "used"),
                state=read_json(item, "state", dict),
                version=_whole(item, "version"),
                rounds=_texts(item, "rounds"),
            )
        except ConfigurationError:
            raise ForeignItemError("state") from None
        if credential_key(credential.kind, credential.id) != key:
            raise ForeignItemError("id")
        return cls(credential, _whole(item, "place"), read_text(item, "write"))


@frozen
class CredentialsItem:
    """The credentials of one owner by their keys. *write* is the last operation that wrote to the item."""

    credentials: Mapping[str, StoredCredential] = field(factory=dict[str, StoredCredential])
    write: str = ""

    def item(self, owner: str) -> Item:
        """Return the item of *owner*."""
        frame = {"v": number_attribute(ITEM_VERSION), "write": text_attribute(self.write)}
        held = {key: stored.attribute() for key, stored in self.credentials.items()}
        return owner_key(owner) | frame | {"credentials": {"M": held}}

    @classmethod
    def read(cls, item: Item) -> CredentialsItem:
        """Return what *item* says."""
        if read_number(item, "v") != ITEM_VERSION:
            raise ForeignItemError("v")
        owner = read_text(item, PARTITION_KEY).removeprefix(OWNER_PREFIX)
        held: Item = read_typed(item, "credentials", "M", dict)
        return cls({key: StoredCredential.read(owner, key, held) for key in held}, read_text(item, "write"))

    def listed(self) -> tuple[Credential, ...]:
        """Return the credentials, oldest first."""
        return tuple(each.credential for each in sorted(self.credentials.values(), key=lambda each: each.place))

    def with_one_more(self, credential: Credential, write: str) -> CredentialsItem:
        """Return this item with *credential* as the newest."""
        place = max((each.place for each in self.credentials.values()), default=-1) + 1
        key = credential_key(credential.kind, credential.id)
        return evolve(
            self, credentials={**self.credentials, key: StoredCredential(credential, place, write)}, write=write
        )

    def without(self, keys: Mapping[str, object], write: str) -> CredentialsItem:
        """Return this item without the credentials of *keys*."""
        kept = {key: stored for key, stored in self.credentials.items() if key not in keys}
        return evolve(self, credentials=kept, write=write)


def changing_attributes(credential: Credential, write: str) -> dict[str, Item]:
    """Return the attributes of *credential* that a swap writes, by their names."""
    return {
        "label": text_attribute(credential.label),
        "created": number_attribute(credential.created),
        "used": number_attribute(credential.used),
        # As one text: no condition looks inside, and a name in it may be empty.
        "state": json_attribute(dict(credential.state)),
        "rounds": json_attribute(credential.rounds),
        "version": number_attribute(credential.version),
        "write": text_attribute(write),
    }


def owner_key(owner: str) -> Item:
    """Return the key of the item of *owner*, whose name is in clear: so an operator can find it."""
    return {PARTITION_KEY: text_attribute(OWNER_PREFIX + owner)}


def credential_key(kind: str, id: str) -> str:  # noqa: A002 - the field's word
    """Return what a credential is called inside its owner's item: keys of DynamoDB are short, ids may be long."""
    return f"{kind}#{hashlib.sha256(id.encode()).hexdigest()}"


def id_key(key: str) -> Item:
    """Return the key of the item that makes the id of the credential *key* unique."""
    return {PARTITION_KEY: text_attribute(f"id#{key}")}


def id_item(key: str, write: str) -> Item:
    """Return the item that makes the id of the credential *key* unique; *write* is the operation that added it."""
    return id_key(key) | {"v": number_attribute(ITEM_VERSION), "write": text_attribute(write)}


def _whole(item: Item, name: str) -> int:
    number = read_number(item, name)
    if not number.is_integer():
        raise ForeignItemError(name)
    return int(number)


def _texts(item: Item, name: str) -> tuple[str, ...]:
    listed = cast("list[Any]", read_json(item, name, list))
    if not all(isinstance(text, str) for text in listed):
        raise ForeignItemError(name)
    return tuple(listed)
