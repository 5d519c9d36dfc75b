"""E: enumeration of users by name: spellings, aliases, and what happened before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from attrs import evolve

from watchword.contract.kinds import Message
from watchword.contract.ports import LEASE, Receipt
from watchword.errors import UnavailableError
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import DOORS, played
from watchword_adapters.attacks.families.user_enumeration import (
    DRAWN,
    drawn_of,
    last_part,
    loose_of,
    open_mail,
    opens,
    refusal,
    script_of,
    shape,
    tale_of,
)
from watchword_adapters.attacks.family import Cases, families_in, family

_TYPED = ("zoe.adams@mail.example", "y@b.example", "Max.Moe+x@sub.host.example", "w-1@example.com", "VERA@EXAMPLE.ORG")


@family("E-09", "an address that is typed in place of a name", share=0.5)
def typed_addresses(arena: Arena) -> Cases:
    """What is shown of nobody fits the address that was typed as well as what is shown of a user fits hers."""
    scene = arena.scenes[0]
    drawn = drawn_of(arena)
    while True:
        for address in arena.draw.sample(_TYPED, len(_TYPED)):
            script = script_of(arena)
            people = [_user_of(arena, f"user{number}", address) for number in range(2)]
            tales: list[list[Mapping[str, str]]] = []
            for person in (*people, AttackedUser(address, scene, {}, known=False)):
                arena.renew()
                tales.append(_shown(arena, person, script))
            yield _tells(tales[0], tales[1], tales[2], drawn)


def _user_of(arena: Arena, name: str, address: str) -> AttackedUser:
    """Return user *name* who has *address*: a host that is given the address tells the triggers this name."""
    scene = arena.scenes[0]
    own = {"sub": f"sub of {name}", "email": address, "email_verified": "true"}
    return arena.enrols(AttackedUser(name, scene, arena.attributes_for(name, scene, own)))


def _shown(arena: Arena, person: AttackedUser, script: tuple[str, ...]) -> list[Mapping[str, str]]:
    """Return what is shown in a sign-in, round by round, to the letter."""
    shown: list[Mapping[str, str]] = []
    tale_of(arena, person, "triggers", script, srp=opens(arena), note=shown.append)
    return shown


def _tells(
    one: list[Mapping[str, str]], other: list[Mapping[str, str]], nobody: list[Mapping[str, str]], drawn: frozenset[str]
) -> bool:
    """Say whether *nobody* is shown something else than two users of the same address, to whom the same is shown."""
    if [each.keys() for each in one] != [each.keys() for each in nobody]:
        return True
    return any(
        seen[name] == also[name] != never[name]
        for seen, also, never in zip(one, other, nobody, strict=False)
        for name in seen
        if last_part(name) not in drawn | DRAWN
    )


@family("E-10", "an alias, at the local user pool", share=0.5)
def aliases(arena: Arena) -> Cases:
    """Whoever types an address, in whatever case, is asked as somebody is who has none."""
    loose = loose_of(arena)
    scene = arena.scenes[0]
    ann = arena.person("ann", scene)
    address = str(ann.attributes["email"])
    while True:
        for spelt in (str, str.upper, str.title):
            script = script_of(arena)
            tales: list[list[object]] = []
            for typed, known in ((address, True), ("nob" + address[3:], False)):
                arena.renew()
                arena.clock.advance(4000 - arena.clock.now() % 1)
                person = evolve(ann, name=spelt(typed), attributes=ann.attributes if known else {}, known=known)
                tales.append(tale_of(arena, person, "pool", script, srp=opens(arena), loose=loose))
            yield tales[0] != tales[1]


@family("E-11", "one name in two spellings", share=0.5)
def spellings(arena: Arena) -> Cases:
    """Two spellings share what they share, whether anybody has the name or not: reference, times, budgets."""
    loose = loose_of(arena)
    scene = arena.scenes[0]
    ann = arena.person("ann", scene)
    while True:
        for first, second in (("xyz", "XYZ"), ("Xyz", "xyZ"), ("XYz", "xyz")):
            began = arena.clock.now()
            each_script = [script_of(arena) for _ in range(3)]
            tales: list[list[object]] = []
            for known in (True, False):
                arena.renew()
                arena.clock.set_by(began - arena.clock.now())
                told: list[object] = []
                for script in each_script:
                    shown: list[Mapping[str, str]] = []
                    for name in (first, second):
                        person = evolve(ann, name=name, attributes=ann.attributes if known else {}, known=known)
                        told += tale_of(
                            arena, person, "triggers", script, srp=opens(arena), loose=loose, note=shown.append
                        )
                        arena.clock.advance(1)
                    told.append([[one.get("ref") == other.get("ref") for one in shown] for other in shown])
                    told.append([one.get("expires_at") == shown[0].get("expires_at") for one in shown])
                    arena.clock.advance(LEASE)
                tales.append(told)
            yield tales[0] != tales[1]


@family("E-12", "keys that are rotated between two sign-ins", share=0.5)
def over_a_rotation(arena: Arena) -> Cases:
    """What stays the same of a user stays the same of nobody: what is shown, and what is left of the budgets."""
    scene = arena.scenes[0]
    drawn, loose = drawn_of(arena), loose_of(arena)
    before = arena.triggers
    while True:
        after = arena.made_with(key=[arena.random.bytes(32), arena.key])
        script = script_of(arena)
        began = arena.clock.now()
        tales: list[object] = []
        for person in (arena.person("ann", scene), arena.person("nobody", scene, known=False)):
            arena.renew()
            arena.clock.set_by(began - arena.clock.now())
            shown: list[list[Mapping[str, str]]] = []
            told: list[object] = []
            for triggers in (before, after):
                vars(arena)["triggers"] = triggers
                shown.append([])
                told.append(
                    tale_of(arena, person, "triggers", script, srp=opens(arena), loose=loose, note=shown[-1].append)
                )
                arena.clock.advance(LEASE + 1)
            vars(arena)["triggers"] = before
            tales.append((told, [_same(one, other, drawn) for one, other in zip(*shown, strict=False)]))
        yield tales[0] != tales[1]


def _same(one: Mapping[str, str], other: Mapping[str, str], drawn: frozenset[str]) -> dict[str, bool]:
    return {name: one[name] == other.get(name) for name in sorted(one.keys() - drawn - DRAWN)}


class _Refusing:
    """A courier that refuses *recipients*, as a mail server does at RCPT, and takes every other message."""

    channel: ClassVar[str] = "email"

    floor = 0.0

    def __init__(self) -> None:
        self.recipients: frozenset[str] = frozenset()

    def send(self, message: Message, within: float) -> Receipt:
        """Take it, or refuse it."""
        if message.to in self.recipients:
            raise UnavailableError("refused", undelivered=True, reason="recipient_refused", code="550", refused=True)
        return Receipt(message.id)


@family("E-13", "after a recipient was refused", needs="mail", share=0.5)
def refused_recipient(arena: Arena) -> Cases:
    """A refused recipient looks like any, and changes nothing for others: neither for users nor for nobody."""
    refusing = _Refusing()
    arena, target = open_mail(arena, courier=refusing)
    loose = loose_of(arena)
    while True:
        for door in DOORS:
            arena.renew()
            people = (
                arena.person("ann", target.scene),
                arena.person("carl", target.scene, email="refused@example.com"),
                arena.person("nobody", target.scene, known=False),
                arena.person("dora", target.scene),
            )
            refusing.recipients = frozenset(people[1].attributes.values())
            told: list[object] = []
            for person in people:
                one = played(arena, person, target.moves, "triggers" if target.srp else door)
                told.append((refusal(one), shape(one.public, loose)))
                arena.clock.advance(arena.draw.choice((0.0, 1.0, 5.0)))
            yield any(each != told[0] for each in told)
            arena.clock.advance(100)


FAMILIES = families_in(globals())
