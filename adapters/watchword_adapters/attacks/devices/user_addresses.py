"""The attributes that the users whom attacks play are given, and those by which messages reach them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

ExtraAttributes = Mapping[str, str] | Callable[[str], Mapping[str, str]]

USER = "{user}"
"""What stands for the user's name in the value of an attribute."""

_ADDRESS = re.compile(r"[^@\s]{2,200}@[^@\s]{4,200}|\+[0-9]{7,15}")
_SHORTEST = 8
"""Characters of an address by a plugin's channel that is looked for: a shorter one is in many a text."""


def attributes_given(given: ExtraAttributes, name: str) -> dict[str, str]:
    """Return the attributes of user *name*: what *given* returns for them, or its own, with the name wherever a value says so."""
    if callable(given):
        return dict(given(name))
    return {attribute: value.replace(USER, name) for attribute, value in given.items()}


def address_names(given: ExtraAttributes) -> tuple[str, ...]:
    """Return the attributes by which a message may reach a user: the mailbox, the telephone, and those of *given* that differ."""
    return tuple(dict.fromkeys(("email", "phone_number", *_own(given))))


def _own(given: ExtraAttributes) -> list[str]:
    return [] if callable(given) else [attribute for attribute, value in given.items() if USER in value]


def addresses_of(given: ExtraAttributes, attributes: Mapping[str, str]) -> Iterator[str]:
    """Give the addresses among a user's *attributes* that are none by chance, and must be shown to nobody."""
    for name in address_names(given):
        address = attributes.get(name, "")
        if _ADDRESS.fullmatch(address) or (name in _own(given) and len(address) >= _SHORTEST):
            yield address
