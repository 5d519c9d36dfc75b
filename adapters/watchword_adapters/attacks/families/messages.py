"""M: messages: more than one recipient, injected headers and texts, addresses that look alike; most of it on any channel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from attrs import evolve

from watchword.algebra.lowering import Step
from watchword.contract.kinds import Email, Message, User
from watchword.contract.members import settings_of
from watchword.errors import ConfigurationError
from watchword.testing.hostile import HOSTILE_ADDRESSES, HOSTILE_TEXTS
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import TriggersVisit, played, reached
from watchword_adapters.attacks.arena.kind_probe import probed, wrong_answer
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.devices.telephone_numbers import number_under
from watchword_adapters.attacks.devices.user_addresses import attributes_given
from watchword_adapters.attacks.family import Cases, families_in, family

_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\+[0-9]{5,15}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NAMES = ("given_name", "family_name", "name", "nickname", "locale", "preferred_username", "profile", "website")
_BREAKS = ("\r", "\n", "\r\n", "%0d%0a", "\x85", "\u2028", "\x0b", "\x0c", "\0", "\t", "=0A", "\\r\\n")


def _mailed(arena: Arena, attributes: dict[str, str]) -> Iterator[Email]:
    """Begin a sign-in of somebody with *attributes*, and give the e-mails that went out."""
    yield from (each for each in sent_to(arena, attributes, lambda each: each.emails) if isinstance(each, Email))


def sent_to(arena: Arena, attributes: dict[str, str], wanted: Callable[[AttackTarget], bool]) -> tuple[Message, ...]:
    """Begin a sign-in of somebody with *attributes* at a step that is *wanted*; return the messages that went out on its channel."""
    arena.renew()
    target = arena.target(wanted)
    ann = arena.person("ann", target.scene)
    played(arena, evolve(ann, attributes={**ann.attributes, **attributes}), target.moves)
    return tuple(each for each in arena.mail.messages if each.channel == target.step.powers.channel)


def _told(arena: Arena, attributes: dict[str, str]) -> tuple[str, ...]:
    """Return all that each message says to somebody with *attributes*, wherever it says it."""
    return tuple("\n".join(each.texts()) for each in sent_to(arena, attributes, lambda each: each.sends))


def _own_address(arena: Arena, message: Email) -> str:
    """Return the address that *message* goes to if it is a user's own, else nothing."""
    return message.to if any(message.to == each.attributes.get("email") for each in arena.people.values()) else ""


def _unsafe(message: Email, address: str) -> bool:
    """Say whether *message* could go elsewhere than to *address*, or has more than one line of subject."""
    return (
        message.to != address
        or len(message.to) > 254
        or _PLAIN.fullmatch(message.to) is None
        or _CONTROL.search(message.subject + message.to) is not None
        or len(message.subject) > 200
    )


@family("M-01", "line breaks in addresses and attributes", needs="email")
def line_breaks(arena: Arena) -> Cases:
    """No header can be added."""
    while True:
        for mark in _BREAKS:
            for text in (f"ann@example.com{mark}Bcc: eve@evil.com", f"{mark}ann@example.com", f"ann{mark}@example.com"):
                yield any(_unsafe(message, text) for message in _mailed(arena, {"email": text}))
            name = arena.draw.choice(_NAMES)
            text = f"Ann{mark}Bcc: eve@evil.com"
            yield any(_unsafe(each, _own_address(arena, each)) for each in _mailed(arena, {name: text}))


@family("M-02", "addresses that name two", needs="email")
def two_recipients(arena: Arena) -> Cases:
    """Lists, groups, comments, quoted parts: one recipient, or no mail."""
    while True:
        for address in arena.draw.sample(HOSTILE_ADDRESSES, len(HOSTILE_ADDRESSES)):
            messages = list(_mailed(arena, {"email": address}))
            yield len(messages) > 1 or any(_unsafe(message, address) for message in messages)


@family("M-03", "addresses in other scripts, with look-alikes, too long", needs="email")
def look_alikes(arena: Arena) -> Cases:
    """Plain ASCII only, before anything is normalised."""
    while True:
        for sign in ("\uff20", "﹫", "\u0430", "\u200b", "\u202e", "é", "\ud800", "\U0001f600", "\u0130", "。"):
            for text in (
                f"ann{sign}@example.com",
                f"ann@ex{sign}ample.com",
                f"victim{sign}evil.com",
                f"{sign}ann@example.com",
            ):
                yield bool(list(_mailed(arena, {"email": text})))
        for length in (255, 1000, 100_000):
            yield bool(list(_mailed(arena, {"email": "a" * length + "@example.com"})))


@family("M-04", "template code in attributes", needs="mail")
def template_code(arena: Arena) -> Cases:
    """It is text, if it is anything."""
    while True:
        for text in (
            "{{7*7}}",
            "{% raw %}",
            "{user.__class__}",
            "%(code)s",
            "${code}",
            "$code",
            "#{7*7}",
            "<%= 7*7 %>",
        ):
            for name in _NAMES:
                wholes = _told(arena, {name: text})
                yield any(">49<" in whole or " 49 " in whole or "class '" in whole for whole in wholes)
                codes = arena.notes.made[-1].codes if arena.notes.made else ()
                yield any(whole.count(code) > 4 for whole in wholes for code in codes)


@family("M-05", "markup and turned text in attributes", needs="mail")
def markup(arena: Arena) -> Cases:
    """Escaped, or not there."""
    while True:
        for text in (
            "<img src=x onerror=alert(1)>",
            "</style><script>alert(1)</script>",
            "\u202etxt.exe",
            '"><a href="x">',
        ):
            for name in _NAMES:
                messages = sent_to(arena, {name: text}, lambda each: each.sends)
                markup_kept = any(text in each.html for each in messages if isinstance(each, Email))
                yield markup_kept or any("\u202e" in said for each in messages for said in each.texts())


@family("M-06", "phishing text in attributes", needs="mail")
def phishing_text(arena: Arena) -> Cases:
    """A message says nothing that a user has made up."""
    while True:
        for text in ("Your account is locked, visit https://evil.example", "evil.example", "Call +15550100 now"):
            for name in _NAMES:
                wholes = _told(arena, {name: text})
                yield any("evil.example" in whole or "15550100" in whole for whole in wholes)


@family("M-07", "templates from anywhere", needs="email")
def foreign_templates(arena: Arena) -> Cases:
    """No attribute names a file; no setting leads out of its folder."""
    kind = arena.registry.find_kind("email_otp")
    folders = (
        "../../etc",
        "/etc/passwd",
        "\\\\host\\share",
        "http://evil.example/",
        "/proc/self",
        "x" * 5000,
        "/dev/null",
    )
    for folder in (*folders, "", "\0", 7, b"x"):
        try:
            made = kind(templates=folder)  # type: ignore[call-arg]
            made.prepare()  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        except ConfigurationError:
            yield False
        else:
            yield True
    for text in (*HOSTILE_TEXTS, "../en", "en/../../x", "/etc/passwd", "de\0", "EN", "x-klingon"):
        yield any("root:" in each.text or not each.text.strip() for each in _mailed(arena, {"locale": text}))


@family("M-08", "addresses that are not verified, or changed meanwhile", needs="mail")
def unverified(arena: Arena) -> Cases:
    """Nothing goes to them, but from a kind whose setting allows addresses that are not verified, or that a pool verifies none of."""
    strict = {name for name, step in arena.given.steps.items() if _expects_verified(arena, step)}
    while True:
        for value in ("false", "False", "", "0", "no", "null", "1", "yes", "TRUE ", "true\0"):
            unverified = {"email_verified": value, "phone_number_verified": value}
            messages = sent_to(arena, unverified, lambda each: each.sends)
            writers = {made.step for made in arena.notes.made if made.challenge.messages}
            yield bool(messages) and not strict.isdisjoint(writers)
        arena.renew()
        target = arena.target(lambda each: each.sends)
        one: TriggersVisit = reached(arena, target)
        step, sent = one.public.get("step"), len(arena.mail.messages)
        if one.public:
            number = number_under(one.person.attributes["phone_number"][:5], "eve")
            changed = {"email": "eve@evil.example", "phone_number": number, **attributes_given(arena.attributes, "eve")}
            one.person = evolve(one.person, attributes={**one.person.attributes, **changed})
            one.answer(wrong_answer(one.right, arena.draw))
            # What comes after the last try may send a mail of its own.
            yield one.public.get("step") == step and len(arena.mail.messages) > sent


def _expects_verified(arena: Arena, step: Step) -> bool:
    """Say whether *step* sends to an address of which a pool knows if it is verified, and no setting lets it send to others."""
    ann = arena.person("ann")
    recipient = probed(step.kind, User(ann.name, ann.attributes, key="1" * 64)).recipient
    known = recipient in {"", *(ann.attributes[name] for name in ("email", "phone_number"))}
    return known and bool(settings_of(step.kind).get("verified_only", True))


@family("M-09", "the code where a locked screen shows it", needs="email")
def visible_codes(arena: Arena) -> Cases:
    """Not in the subject, and not in what names the message."""
    while True:
        messages = list(_mailed(arena, {}))
        codes = arena.notes.made[-1].secrets if arena.notes.made else ()
        yield any(code in each.subject + each.id + repr(each) for each in messages for code in codes)


FAMILIES = families_in(globals())
