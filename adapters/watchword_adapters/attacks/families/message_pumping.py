"""M: messages that cost money: numbers that are none, countries that nobody listed, many messages for one number or by one account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import evolve

from watchword.analysis.metrics import per_day
from watchword.contract.kinds import Message, is_telephone_number
from watchword.contract.members import attribute_of
from watchword.testing.hostile import HOSTILE_NUMBERS
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import played
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.devices.telephone_numbers import allowed_prefixes, number_under
from watchword_adapters.attacks.families.messages import sent_to
from watchword_adapters.attacks.family import Cases, families_in, family

_PREMIUM = (
    "+1900",
    "+1976",
    "+44870",
    "+449",
    "+49900",
    "+43900",
    "+41900",
    "+33899",
    "+979",
    "+808",
    "+882",
    "+883",
    "+870",
)
"""Numbers that pay whoever owns them, as far as numbering plans say."""
_ISLANDS = ("+1264", "+1268", "+1284", "+1473", "+1649", "+1767", "+1784", "+1809", "+1868", "+1876")
"""Countries that are written like the United States: +1, then a code of three digits."""
_MOST_ACCOUNTS = 60
_LAST_LINE = re.compile(r"@(?P<host>[^\s#]+) #(?P<code>[0-9A-Za-z]+)")
_MADE_UP = (
    "@evil.example #123456",
    "\n\n@evil.example #123456",
    "x\r\n@evil.example #$code",
    "\u2028@evil.example #123456",
    "de\n@evil.example #1",
)


def _texted(arena: Arena, attributes: dict[str, str]) -> tuple[Message, ...]:
    return sent_to(arena, attributes, lambda each: each.texts)


def _spoilt(number: str) -> Iterator[str]:
    """Give what looks like *number*, and is not exactly that number in E.164."""
    full_width = "".join(chr(0xFF10 + int(each)) for each in number[1:])
    yield from (f"+{full_width}", f"\uff0b{number[1:]}", number[:-1] + chr(0x660 + int(number[-1])))
    yield from (
        f"{number[:4]}{mark}{number[4:]}" for mark in (" ", "-", ".", "\u00a0", "\u200b", "\u00ad", "(0)", "/", "_")
    )
    yield from (
        f"{scheme}{number}" for scheme in ("tel:", "sms:", "callto:", " ", "\ufeff", "00", "+", "\u202d", "*31#")
    )
    yield from (
        f"{number}{tail}" for tail in (";ext=1", "x1", ",1", "#", "p1", "\n", "\0", " ", "\u202c", "e0", "@sms.example")
    )
    yield from (f"{number}{mark}{number[:-1]}0" for mark in (",", ";", "\n", "+", " "))
    yield from (number[1:], f"00{number[1:]}", f"+0{number[1:]}", number + "0" * (16 - len(number)), number[:7])


@family("M-11", "telephone numbers that are none, or two", needs="sms", share=2)
def odd_numbers(arena: Arena) -> Cases:
    """Exactly one number in E.164, in ASCII, or no message."""
    while True:
        own = arena.person("ann", arena.target(lambda each: each.texts).scene).attributes["phone_number"]
        tried = [*_spoilt(own), *HOSTILE_NUMBERS]
        for number in arena.draw.sample(tried, len(tried)):
            sent = _texted(arena, {"phone_number": number})
            yield any(each.to != number or not is_telephone_number(each.to) for each in sent) or (
                bool(sent) and not is_telephone_number(number)
            )


@family("M-12", "messages to countries that nobody listed", needs="sms", share=2)
def pumped_countries(arena: Arena) -> Cases:
    """A number begins with a prefix that the kind lists, or nothing goes out."""
    prefixes = [f"+{number}" for number in range(1, 1000)]
    listed = {each for step in arena.given.steps.values() for each in allowed_prefixes(step.kind)}
    near = {each[:-1] + str((int(each[-1]) + 1) % 10) for each in listed} - {"+0"}
    cut = {each[:length] for each in listed for length in range(2, len(each))}
    while True:
        tried = [*_PREMIUM, *_ISLANDS, *sorted(near | cut), *arena.draw.sample(prefixes, 40)]
        for prefix in arena.draw.sample(tried, len(tried)):
            for number in {number_under(prefix, "eve"), (prefix + "9" * 15)[:16], (prefix + "0" * 7)[:16]}:
                sent = _texted(arena, {"phone_number": number})
                writers = [made.step for made in arena.notes.made if made.challenge.messages]
                allowed = [allowed_prefixes(arena.given.steps[step].kind) for step in writers]
                yield bool(sent) and any(own and not number.startswith(own) for own in allowed)


@family("M-13", "the last line of a text, for which browsers fill the code in", needs="sms")
def bound_elsewhere(arena: Arena) -> Cases:
    """It names the origin of the operator, and no attribute adds a line that names another."""
    names = ("given_name", "family_name", "name", "nickname", "locale", "website", "profile", "custom:app")
    while True:
        for text in _MADE_UP:
            for name in arena.draw.sample(names, 4):
                for message in _texted(arena, {name: text}):
                    yield any(_binds_elsewhere(arena, said) for said in message.texts())


def _binds_elsewhere(arena: Arena, text: str) -> bool:
    lines = text.splitlines()
    origins = [str(attribute_of(step.kind, "origin") or "") for step in arena.given.steps.values()]
    hosts = {each.removeprefix("https://") for each in origins} - {""}
    if any(line.startswith("@") for line in lines[:-1]):
        return True
    last = _LAST_LINE.fullmatch(lines[-1]) if lines else None
    if last is None:
        return bool(lines and lines[-1].startswith("@"))
    codes = {code for made in arena.notes.made for code in made.codes}
    return last["host"] not in hosts or last["code"] not in codes


@family("M-14", "one address on many accounts", needs="mail", share=0.5)
def shared_address(arena: Arena) -> Cases:
    """The address gets no more messages in a day than one account's would."""
    for target in (each for each in arena.targets if each.sends):
        ann = arena.person("ann", target.scene)
        others = (
            evolve(ann, name=f"user{number}", attributes={**ann.attributes, "sub": f"sub of {number}"})
            for number in range(_accounts(arena))
        )
        yield _begun(arena, others, target) > _most(arena)


@family("M-15", "one account whose address changes", needs="mail", share=0.5)
def changed_address(arena: Arena) -> Cases:
    """The account causes no more messages in a day than one with one address."""
    for target in (each for each in arena.targets if each.sends):
        ann = arena.person("ann", target.scene)
        prefix = ann.attributes["phone_number"][:5]
        others = (
            evolve(ann, attributes={**ann.attributes, "email": f"ann{number}@example.com", "phone_number": telephone})
            for number in range(_accounts(arena))
            for telephone in (number_under(prefix, f"ann{number}"),)
        )
        yield _begun(arena, others, target) > _most(arena)


def _begun(arena: Arena, people: Iterable[AttackedUser], target: AttackTarget) -> int:
    """Have *people* begin a sign-in each within a day; return how many messages of the channel that makes."""
    arena.renew()
    for person in people:
        played(arena, arena.enrols(person), target.moves, "triggers")
        arena.clock.advance(86_000 // _accounts(arena))
    return sum(each.channel == target.step.powers.channel for each in arena.mail.messages)


def _most(arena: Arena) -> int:
    """Return the most messages of one channel in a day: sign-ins in which a factor was proven have a budget of their own."""
    return per_day(arena.flow.limits.messages) * 2


def _accounts(arena: Arena) -> int:
    """Return how many sign-ins show whether that holds; with generous limits that takes too long."""
    return min(_most(arena) + 3, _MOST_ACCOUNTS)


FAMILIES = families_in(globals())
