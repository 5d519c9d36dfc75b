"""H: enrolments: who may begin one, who may complete it, what it shows, and what is left of the old."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from watchword.algebra.derivative import SELECT, read_metadata
from watchword.contract.credentials import Credential, Enrolment
from watchword.contract.kinds import User
from watchword.errors import WatchwordError
from watchword.runtime.credentials.enrolment import Completion, begin_enrolment, complete_enrolment
from watchword.runtime.services import Services
from watchword_adapters.attacks.arena.attacked_host import ATTACKED_POOL, Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.secret_search import listening
from watchword_adapters.attacks.arena.ways_to_steps import APP, AttackTarget
from watchword_adapters.attacks.devices.user_devices import AuthenticatorApp, Device, PasskeyDevice, ShownTexts
from watchword_adapters.attacks.families.held_credentials import device_at, held
from watchword_adapters.attacks.families.user_enumeration import loose_of, script_of, tale_of
from watchword_adapters.attacks.family import Cases, families_in, family

_TOO_LATE = 601
_SHORTEST = 6


def kinds_that_enrol(arena: Arena) -> list[str]:
    """Return the kinds of the flow for which users can enrol outside a sign-in."""
    return sorted({step.kind.kind for step in arena.flow.steps.values() if step.powers.enrols})


def services_of(arena: Arena) -> Services:
    """Return what the triggers run on."""
    services = arena.triggers.services
    assert services is not None
    return services


class Enrolling:
    """An enrolment of *person* (of ann, if nobody else) that has begun, with the device that it is for."""

    def __init__(self, arena: Arena, kind: str, person: AttackedUser | None = None) -> None:
        self.arena = arena
        self.person = person or arena.person("ann")
        self.other = arena.person("bob")
        self.before = arena.store.everything()
        held_before = {*arena.notes.devices.held(kind)}
        self.begun: Enrolment = begin_enrolment(services_of(arena), ATTACKED_POOL, APP, self.user(), kind)
        self.right = arena.notes.made[-1].right or ""
        self.device: Device | None = next(
            (device for id_, device in arena.notes.devices.held(kind).items() if id_ not in held_before), None
        )

    def user(self) -> User:
        """Return the user, as a host knows them."""
        return User(self.person.name, self.person.attributes, self.person.known)

    def completes(self, answer: str, handle: str = "", **other: Any) -> Completion:
        """Answer, as the user whose enrolment it is and where it was begun, unless *other* says otherwise."""
        said: dict[str, Any] = {"pool": ATTACKED_POOL, "client": APP, "user": self.user(), **other}
        who = (said.pop("pool"), said.pop("client"), said.pop("user"))
        return complete_enrolment(services_of(self.arena), *who, handle or self.begun.handle, answer, **said)

    @property
    def unchanged(self) -> bool:
        """Whether nothing was enrolled or removed since it began."""
        return self.arena.store.everything() == self.before

    def other_right(self) -> str:
        """Return another answer that would be as right."""
        now = self.arena.clock.now()
        match self.device:
            case AuthenticatorApp() as app:
                return app.code(int(now // app.period) + 1)
            case ShownTexts(texts):
                return next((text for text in texts if text != self.right and _alike(text, self.right)), self.right)
            case PasskeyDevice() as device:
                return evolve(device, id=b"another" + device.id).registration(device.registered)
            case _:
                return self.right


def _alike(text: str, other: str) -> bool:
    return re.sub(r"\w", "x", text) == re.sub(r"\w", "x", other)


@family("H-09", "enrolling without a proven factor, or as nobody", needs="enrols")
def without_a_factor(arena: Arena) -> Cases:
    """Nobody unknown enrols anything, and no session that lacks a factor comes to an enrolment."""
    while True:
        arena.renew()
        for kind in kinds_that_enrol(arena):
            before, nobody = arena.store.everything(), User("nobody", {}, known=False)
            yield _began(begin_enrolment, services_of(arena), ATTACKED_POOL, APP, nobody, kind)
            yield _began(arena.sign_in.begin_enrolment, "nobody", kind)
            yield arena.store.everything() != before
        for target in _enrolling(arena):
            arena.renew()
            one = reached(arena, target)
            if not one.private:
                continue
            before = arena.store.everything()
            for person in (arena.person("bob", target.scene), arena.person("nobody", target.scene, known=False)):
                arena.books.renew()
                yield arena.accepts(person, one.private, one.right)
            for place in _needed(one.rounds) if target.proven or target.srp else ():
                rounds = [*one.rounds[:place], *one.rounds[place + 1 :]]
                yield _enrols(arena, one.person, rounds)
                wrong = [
                    {**each, "challengeResult": each["challengeResult"] and at != place}
                    for at, each in enumerate(one.rounds)
                ]
                yield _enrols(arena, one.person, wrong)
            yield arena.store.everything() != before


def _needed(rounds: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the places of *rounds* without which no session comes as far: a choice is never right, and proves nothing."""
    read = [read_metadata(each.get("challengeMetadata")) or {} for each in rounds]
    return [place for place, said in enumerate(read) if said.get("step") != SELECT]


def _enrolling(arena: Arena) -> list[AttackTarget]:
    return [each for each in arena.targets if each.enrolling]


def _began(begin: Callable[..., object], *given: object) -> bool:
    try:
        begin(*given)
    except WatchwordError:
        return False
    return True


def _enrols(arena: Arena, person: AttackedUser, rounds: list[Any]) -> bool:
    """Say whether Create begins an enrolment after *rounds*."""
    event = arena.event("create", person, {"session": rounds})
    try:
        return "enrol" in arena.call("create", event)["publicChallengeParameters"]
    except Exception:  # noqa: BLE001 - it ends closed
        return False


@family("H-10", "an enrolment that is completed twice", needs="enrols", share=2)
def completed_twice(arena: Arena) -> Cases:
    """One answer enrols, once; five are compared at most; a repeat reads the same, and writes nothing."""
    while True:
        for kind in kinds_that_enrol(arena):
            arena.renew()
            one = Enrolling(arena, kind)
            other = one.other_right()
            first = one.completes(one.right)
            yield not first
            written = arena.store.everything()
            for answer in (one.right, other, wrong_answer(one.right, arena.draw), one.right):
                again = one.completes(answer)
                yield bool(again) and (answer != one.right or _id_of(again) != _id_of(first))
                yield arena.store.everything() != written
            arena.renew()
            one = Enrolling(arena, kind)
            wrong = {wrong_answer(one.right, arena.draw) for _ in range(200)} if not _is_key(one) else {"x", "y", "z"}
            tries = [*sorted(wrong)[:5], *("a", "b", "c", "d", "e")][:5]
            yield any(one.completes(each) for each in tries)
            yield bool(one.completes(one.right)) or not one.unchanged
        for target in _enrolling(arena):
            arena.renew()
            inside = reached(arena, target)
            if not inside.private:
                continue
            made = arena.call("create", inside.create_event())["privateChallengeParameters"]
            right = arena.right_of(made)
            yield not arena.accepts(inside.person, inside.private, inside.right)
            written = arena.store.everything()
            yield arena.accepts(inside.person, made, right)
            yield arena.store.everything() != written


def _id_of(done: Completion) -> str:
    return done.credential.id if done.credential else ""


def _is_key(one: Enrolling) -> bool:
    return isinstance(one.device, PasskeyDevice)


@family("H-11", "the handle of another user's enrolment", needs="enrols", share=2)
def stolen_handle(arena: Arena) -> Cases:
    """A handle is good for its user, pool, client and kind, for ten minutes, and for nothing else."""
    while True:
        for kind in kinds_that_enrol(arena):
            arena.renew()
            one = Enrolling(arena, kind)
            handle = one.begun.handle
            place = arena.draw.randrange(len(handle))
            mutated = handle[:place] + ("a" if handle[place] != "a" else "b") + handle[place + 1 :]
            thieves: tuple[Mapping[str, Any], ...] = (
                {"user": User(one.other.name, one.other.attributes)},
                {"user": User(one.person.name, {}, known=False)},
                {"user": User(one.person.name, one.other.attributes)},
                {"pool": f"{ATTACKED_POOL}x"},
                {"client": "other"},
                {"kind": "other"},
                {"handle": mutated},
                {"handle": handle[:-1]},
                {"handle": handle.upper() if handle != handle.upper() else handle + "="},
            )
            for thief in thieves:
                yield bool(one.completes(one.right, **thief)) or not one.unchanged
            token = getattr(arena.sign_in.begin(one.person.name), "token", "")
            yield bool(one.completes(one.right, handle=token or "-"))
            reply: Any = arena.sign_in.respond(handle, one.right)
            yield not getattr(reply, "text", "")
            arena.clock.advance(_TOO_LATE)
            yield bool(one.completes(one.right)) or not one.unchanged


@family("H-12", "an enrolment in a step, of somebody who has enrolled meanwhile", needs="enrolling")
def enrolled_meanwhile(arena: Arena) -> Cases:
    """Whoever began it: a user who has a credential by now is asked for that, and keeps it."""
    while True:
        for target in _enrolling(arena):
            arena.renew()
            one = reached(arena, target)
            if not one.private:
                yield False
                continue
            owner = arena.notes.devices.owner(one.person.attributes)
            has = Credential("of another sign-in", owner, target.step.kind.kind, state={"step": "0"})
            arena.store.inner.add(has, replace=False, most=20, within=3)
            yield arena.accepts(one.person, one.private, one.right)
            yield arena.store.of(owner) != (has,)


@family("H-13", "what was enrolled before, after something new took its place", needs="enrols")
def replaced(arena: Arena) -> Cases:
    """Of what a user has only one of, the new one voids the old, at once and also in sign-ins under way."""
    while True:
        targets = [each for each in held(arena) if each.step.powers.remembers == "one" and each.step.powers.enrols]
        if not targets:
            yield False
            continue
        arena.renew()
        target = arena.draw.choice(targets)
        old = device_at(arena, target)
        one = reached(arena, target)
        new = Enrolling(arena, target.step.kind.kind, one.person)
        if not one.private or old is None or not new.completes(new.right):
            yield bool(one.private) and old is not None
            continue
        fresh = set(new.device.answers({}, arena.clock.now()) if new.device else ())
        for answer in {one.right or "", *old.answers(one.public, arena.clock.now())} - fresh:
            arena.books.renew()
            yield not answer.startswith("what only") and arena.accepts(one.person, one.private, answer)


@family("H-14", "who has enrolled, told before a factor is proven", needs="held")
def told_who_has_enrolled(arena: Arena) -> Cases:
    """Who has, who has not, and who does not exist see the same, at the same cost."""
    loose = loose_of(arena)
    scenes = [each.scene for each in held(arena) if not each.scene.attributes]
    while True:
        for scene in scenes:
            script = script_of(arena)
            own = {"sub": "sub of cleo", "email": "cleo@example.com", "email_verified": "true"}
            people = (
                arena.person("ann", scene),
                AttackedUser("cleo", scene, arena.attributes_for("cleo", scene, own)),
                arena.person("nobody", scene, known=False),
            )
            tales: list[object] = []
            costs: list[object] = []
            for person in people:
                arena.renew()
                arena.clock.advance(4000 - arena.clock.now() % 1)
                began = arena.clock.monotonic()
                srp = scene.moves[:1] == (("srp", ""),)
                tales.append(tale_of(arena, person, "triggers", script, srp=srp, loose=loose))
                costs.append((tuple(arena.store.calls), arena.clock.monotonic() - began))
            yield tales[0] != tales[1] or tales[0] != tales[2]
            yield costs[0] != costs[1] or costs[0] != costs[2]
        if not scenes:
            yield False


@family("H-15", "secrets of what is enrolled, in stores, logs, mails and reprs", needs="enrols")
def secrets_kept(arena: Arena) -> Cases:
    """A secret is shown once, to whom it belongs; it is derived again when it is needed, and stands nowhere."""
    while True:
        for kind in kinds_that_enrol(arena):
            arena.renew()
            with listening(arena.lines):
                one = Enrolling(arena, kind)
                one.completes("x")
                done = one.completes(one.right)
                arena.lines.append(repr((one.begun, done, arena.sign_in.credentials(one.person.name))))
                for target in [each for each in held(arena) if each.step.kind.kind == kind]:
                    reached(arena, target).answer(one.right)
            arena.lines += [*arena.store.written, *(text for mail in arena.mail.messages for text in mail.texts())]
            before = len(arena.breaches)
            arena.watch_logs([*secrets_of(one), one.begun.handle])
            yield len(arena.breaches) > before
        for target in _enrolling(arena):
            arena.renew()
            inside = reached(arena, target)
            device = next(reversed([*arena.notes.devices.held(target.step.kind.kind).values()]), None)
            for secret in _secrets(device, inside.right or ""):
                yield any(secret in text for text in (*getattr(inside, "private", {}).values(), inside.metadata))


def secrets_of(one: Enrolling) -> Iterator[str]:
    """Give what only the user may have of what is enrolled."""
    return _secrets(one.device, one.right)


def _secrets(device: Device | None, right: str) -> Iterator[str]:
    """Give what only the user may have of a device."""
    match device:
        case AuthenticatorApp(secret):
            yield secret
        case ShownTexts(texts):
            for text in texts:
                if len(text) >= _SHORTEST and _alike(text, right):
                    yield from (text, text.replace("-", ""))
        case _:
            pass


FAMILIES = families_in(globals())
