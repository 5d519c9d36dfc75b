"""One message of a kind, made by the kind itself with made-up values: it knows no channel but what an SMS takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import attrs
from attrs import frozen

from watchword.contract import Message, SmsSize, powers_of
from watchword.contract.kinds import why_no_message
from watchword.contract.members import fields_of
from watchword.errors import ConfigurationError, WatchwordError
from watchword.testing import ANN, create_request

_BINDING = re.compile(r"^[ \t]*@([^\s#]+)[ \t]+#(\S+)(?:[ \t]+@\S+)?[ \t]*$", re.MULTILINE)
"""WICG, Origin-bound one-time codes: the last line, as a program would read it that is not strict."""


@frozen
class MadeUpMessage:
    """A message that nobody gets: its *texts* by their names in the message; *size* and *binding* (site, code) of an SMS."""

    channel: str
    to: str
    texts: Mapping[str, str]
    size: SmsSize | None = None
    binding: tuple[str, str] | None = None

    def is_html(self, name: str) -> bool:
        """Say whether the text *name* is HTML."""
        return name == "html" or self.texts[name].lstrip()[:20].lower().startswith(("<!doctype html", "<html"))


def make_up_message(kind: Any, locale: str | None = None, attributes: Mapping[str, str] | None = None) -> MadeUpMessage:
    """Return the message that *kind* makes for a made-up user, in the language *locale* if it is given.

    *attributes* are the user's, besides those of `watchword.testing.ANN`.

    Raises:
        ConfigurationError: if the kind sends nothing, cannot be set up, or makes no message for this user.
        WatchwordError: if the kind raises, or makes something that is no message.
    """
    kind_name, powers = str(kind.kind), powers_of(kind)
    if not powers.sends:
        raise ConfigurationError(f"{kind_name} sends no message")
    if remedy := powers.remedy():
        raise ConfigurationError(f"{kind_name} needs more than is installed: {remedy}")
    if locale is not None:
        locale = locale.lower().replace("_", "-")
        kind = with_settings(kind, {"locale": locale}) if "locale" in setting_names(kind) else kind
    powers_of(kind).set_up(f"kind {kind_name!r}")
    known = {**ANN.attributes, **_number(kind), **({} if locale is None else {"locale": locale}), **(attributes or {})}
    if locale is None and "locale" not in (attributes or {}) and "locale" in setting_names(kind):
        del known["locale"]  # the setting decides
    message = _made_by(kind, powers.channel, known)
    texts = _named(message)
    if message.channel != "sms":
        return MadeUpMessage(message.channel, message.to, texts)
    text = "\n".join(texts.values())
    binding = next(bindings(text.rpartition("\n")[2]), None)
    return MadeUpMessage(message.channel, message.to, texts, SmsSize.of(text), binding)


def bindings(text: str) -> Iterator[tuple[str, str]]:
    """Give the site and the code of each line of *text* that binds one to the other."""
    return ((each[1], each[2]) for each in _BINDING.finditer(text))


def _number(kind: Any) -> Mapping[str, str]:
    """Return a telephone number for the user, if *kind* lists the prefixes of those that it writes to."""
    from watchword_adapters.attacks.devices.telephone_numbers import (  # noqa: PLC0415 - attacks are slow to import
        allowed_prefixes,
        number_under,
    )

    prefixes = allowed_prefixes(kind)
    fits = not prefixes or ANN.attributes["phone_number"].startswith(prefixes)
    return {} if fits else {"phone_number": number_under(prefixes[0], ANN.name)}


def _made_by(kind: Any, channel: str, attributes: Mapping[str, str]) -> Message:
    try:
        challenge = kind.create(create_request(kind, user=attrs.evolve(ANN, attributes=attributes)))
        messages, reason = tuple(challenge.messages), str(challenge.reason)
    except WatchwordError:
        raise
    except Exception as error:  # a kind of a stranger
        raise WatchwordError(f"{kind.kind} cannot make a message: create() raises {type(error).__name__}") from error
    if not messages:
        shown = ", ".join(f"{name}={value}" for name, value in attributes.items())
        raise ConfigurationError(
            f"{kind.kind} makes no message{f' ({reason})' if reason else ''} for a user with {shown}; "
            "give what it needs with --attribute NAME=VALUE"
        )
    if problem := why_no_message(messages[0], channel):
        raise WatchwordError(f"{kind.kind} {problem}")
    return cast("Message", messages[0])


def _named(message: Message) -> Mapping[str, str]:
    """Return the texts of *message* by the names of the fields that hold them; others are numbered."""
    fields = {name: value for name, value in _fields(message).items() if name not in {"to", "id"}}
    named: dict[str, str] = {}
    for number, text in enumerate(message.texts(), 1):
        name = next((name for name, value in fields.items() if value == text), f"text {number}")
        fields.pop(name, None)
        named[name] = text
    return named


def _fields(message: Message) -> dict[str, object]:
    return {each.name: getattr(message, each.name) for each in fields_of(message)}


def setting_names(kind: object) -> tuple[str, ...]:
    """Return the names by which the settings of *kind*, an instance or a class, are given."""
    return tuple(each.alias or each.name for each in fields_of(kind) if each.init)


def made_up_settings(kind: Any, given: Mapping[str, object]) -> Mapping[str, object]:
    """Return what has to be made up of the settings of the class *kind*, besides those *given*: an example of each.

    Raises:
        ConfigurationError: if the kind says no example of one.
    """
    needed = {
        (each.alias or each.name): each.metadata
        for each in fields_of(kind)
        if each.init and each.default is attrs.NOTHING and each.alias not in given
    }
    made_up = {name: metadata["example"] for name, metadata in needed.items() if "example" in metadata}
    if missing := [name for name in needed if name not in made_up]:
        raise ConfigurationError(f"{kind.kind} needs {', '.join(missing)}: give each with --set NAME=VALUE")
    return made_up


def with_settings(kind: Any, settings: Mapping[str, Any]) -> Any:
    """Return *kind* with these *settings* in place of its own; what it refuses is a ConfigurationError."""
    try:
        return attrs.evolve(kind, **settings)
    except WatchwordError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{kind.kind} refuses this: {' '.join(str(error).split())[:300]}") from error
