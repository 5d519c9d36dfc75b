"""What the contract of kinds reads off a kind, a message or a user, and how it builds a kind anew."""

from __future__ import annotations

import re
from typing import Any

from attrs import evolve, frozen

from watchword.contract.kinds import Challenge, Email, Message, User
from watchword.contract.members import given_settings
from watchword.contract.powers import powers_of
from watchword.errors import checked_word
from watchword.testing.code_tap import DrawnCode
from watchword.testing.hostile import HOSTILE_ADDRESSES, HOSTILE_NUMBERS, HOSTILE_TEXTS
from watchword.testing.requests import NOBODY, create_request


def assert_word(reason: object) -> None:
    """Assert that *reason* is none or a word: the engine writes no other text into the audit."""
    assert reason == "" or checked_word(reason, "") == reason, "reason must be a word, such as no_address"


def subject_of(message: Message) -> str:
    """Return the subject of *message*; nothing if it has none."""
    return message.subject if isinstance(message, Email) else ""


def told_of(user: User) -> str:
    """Return *user* as a failure names them."""
    return f"{dict(user.attributes)!r:.80}" if user.known else f"unknown {user.name!r:.40}"


def modules_required_by(kind: Any) -> tuple[str, ...]:
    """Return the modules that *kind* needs, for making a challenge and for judging an answer."""
    powers = powers_of(kind)
    return (*powers.requires_create, *powers.requires_verify)


def sends(kind: Any) -> bool:
    """Say whether *kind* sends messages."""
    return powers_of(kind).sends


def built_anew(kind: Any, **changes: Any) -> Any:
    """Make *kind* again from its settings, some of them changed."""
    return type(kind)(**{**given_settings(kind), **changes})


def shape_of(value: str) -> str:
    """Return what *value* looks like: words and long runs of anything are alike, signs stand for themselves."""
    return "long" if len(value) > 300 else re.sub(r"\w+", "w", value)


DRAWS = 16
"""How many challenges tell whether something is drawn anew each time."""

HEAVY = ("PIL", "boto3", "botocore", "captcha", "cryptography", "numpy", "requests", "urllib3", "httpx", "aiohttp")


NOTHING = ("", " ", "-", "\t\r\n", "\u200b", "\ufeff", "0", "None", "null", "undefined", "[]", "{}")
"""Answers of somebody who has none to give."""


ODD_TEXTS = ("", " ", "-", "\u00a0", "\u200b", "\ufeff", "ä", "ein Flügel", "пианино", "١٢٣", "x" * 2000)
"""Settings of which nothing may be left when an answer is folded: they are blank, invisible, or not ASCII."""


@frozen
class SolvedChallenge:
    """A challenge, the right answer to it, and the codes that were asked for to make it."""

    challenge: Challenge
    right: str
    issued: tuple[DrawnCode, ...]


_HOSTILE = {"email": ("email", HOSTILE_ADDRESSES), "sms": ("phone_number", HOSTILE_NUMBERS)}
"""By channel, the attribute that the address is in, and what may stand there."""

_NO_LINE = ("", " ", "{}\r\n{}", "{}\n", "\n{}", "{}\r", "{}\0", "{}\x0b", "{}\x85", "{}\u2028")
"""What may stand there on a channel of a plugin: no recipient, or more than a line with *{}*, which is one."""


def hidden_users(kind: Any, user: User) -> list[User]:
    """Return users who do not exist, and for a kind that sends those who cannot receive."""
    hidden = [NOBODY, *(evolve(NOBODY, name=name) for name in ("zoe@example.com", "a" * 128, *HOSTILE_TEXTS))]
    hidden += [evolve(user, attributes={})]
    if sends(kind):
        hidden += [evolve(user, name="zoe@example.com", attributes={})]
    for name, hostile in _hostile_attributes(kind, user):
        hidden += [evolve(user, attributes={**user.attributes, name: bad}) for bad in hostile]
    return hidden


def _hostile_attributes(kind: Any, user: User) -> list[tuple[str, tuple[str, ...]]]:
    """Return each attribute that *kind* takes the recipient of a message from, with what may stand there and is none."""
    channel = powers_of(kind).channel
    if channel in _HOSTILE:
        return [_HOSTILE[channel]]
    return [
        (name, tuple(form.replace("{}", user.attributes[name]) for form in _NO_LINE))
        for name in recipient_attributes(kind, user)
    ]


def recipient_attributes(kind: Any, user: User) -> list[str]:
    """Return the names of the attributes of *user* that hold the recipient of the message of *kind*; none if it sends none."""
    messages = kind.create(create_request(kind, user=user)).messages if sends(kind) else ()
    return [name for name, value in user.attributes.items() if value in {message.to for message in messages}]
