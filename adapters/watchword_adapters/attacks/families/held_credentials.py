"""H: what users have enrolled: credentials of others, used ones, copied ones, and those that are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from watchword.contract.credentials import Credential
from watchword.contract.members import attribute_of
from watchword.testing.hostile import hostile_answers
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import reached, visit
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget, steps_in
from watchword_adapters.attacks.devices.user_devices import AuthenticatorApp, Device, PasskeyDevice
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.ledgers.memory import MemoryLedger

_MANY = 64
_DEEP = 5_000


def credential_at(arena: Arena, target: AttackTarget, name: str = "ann") -> Credential | None:
    """Return what *name* has enrolled for the kind of *target*, by now."""
    person = arena.person(name, target.scene)
    owned = arena.store.of(arena.notes.devices.owner(person.attributes))
    return next((each for each in owned if each.kind == target.step.kind.kind), None)


def device_at(arena: Arena, target: AttackTarget, name: str = "ann") -> Device | None:
    """Return the device by which *name* answers *target*, if the corpus knows how."""
    credential = credential_at(arena, target, name)
    return arena.notes.devices.device(credential.kind, credential.id) if credential else None


def held(arena: Arena, sort: type = object) -> list[AttackTarget]:
    """Return the steps that ask for what the user has enrolled, and is answered by a device of *sort*."""
    return [each for each in arena.targets if each.held and isinstance(device_at(arena, each) or object(), sort)]


def _reached(arena: Arena, targets: list[AttackTarget], name: str = "ann") -> tuple[AttackTarget, Any]:
    """Return one of *targets*, and a sign-in that has come to it."""
    arena.renew()
    target = arena.draw.choice(targets)
    return target, reached(arena, target, name)


def _again(arena: Arena, one: Any) -> Any:
    """Return the private parameters of another round of the challenge at hand."""
    return arena.call("create", one.create_event())["privateChallengeParameters"]


def _is_used_up(arena: Arena) -> bool:
    """Say whether the kind wants a right answer of this case written down as used: others may be given again."""
    return any(each.right and each.uses for each in arena.notes.judged)


@family("H-01", "what another user has enrolled", needs="held", share=2)
def of_another_user(arena: Arena) -> Cases:
    """A code, a key, an id or a user handle of somebody else answers for nobody but them."""
    targets = held(arena)
    while True:
        target, mine = _reached(arena, targets)
        theirs = reached(arena, target, "bob")
        device, other = device_at(arena, target), device_at(arena, target, "bob")
        if not mine.private or not theirs.private or device is None or other is None:
            yield False
            continue
        now = arena.clock.now()
        own = {*device.answers(mine.public, now), mine.right}
        for answer in (theirs.right, *other.answers(theirs.public, now), *other.answers(mine.public, now)):
            arena.books.renew()
            yield answer not in own and arena.accepts(mine.person, mine.private, answer)
        if isinstance(device, PasskeyDevice) and isinstance(other, PasskeyDevice):
            for answer in _disguised(other, device, _challenge_of(mine)):
                arena.books.renew()
                yield arena.accepts(mine.person, mine.private, answer)
        arena.books.renew()
        yield arena.accepts(theirs.person, mine.private, mine.right)


def _disguised(device: PasskeyDevice, other: PasskeyDevice, challenge: str) -> Iterator[str]:
    """Give assertions of *device* that name *other*, and the other way round."""
    count = max(device.count, other.count) + 9
    named = json.loads(other.assertion(challenge, count))
    own = json.loads(device.assertion(challenge, count))
    for names in (("credentialIdB64",), ("credentialIdB64", "userHandleB64"), ("signatureB64",), ("userHandleB64",)):
        yield json.dumps({**own, **{name: named[name] for name in names}})


def _challenge_of(one: Any) -> str:
    return str(json.loads(one.public["options"])["challenge"])


@family("H-02", "what was used to sign in, used again", needs="held", share=2)
def used_again(arena: Arena) -> Cases:
    """What a kind writes down as used is used, in other rounds and sign-ins, and where the ledger has lost all that it knew."""
    targets = held(arena)
    while True:
        target, one = _reached(arena, targets)
        right = one.right
        if not one.private or not arena.accepts(one.person, one.private, right):
            yield bool(one.private)
            continue
        if not _is_used_up(arena):
            yield False  # a kind that takes the same answer again
            continue
        other = reached(arena, target)
        yield bool(other.private) and arena.accepts(other.person, other.private, right)
        arena.books.renew()
        lost = reached(arena, target)
        yield bool(lost.private) and arena.accepts(lost.person, lost.private, right)
        arena.books.renew()
        yield arena.accepts(one.person, _again(arena, one), right)


@family("H-03", "a copy of an authenticator", needs="passkey")
def cloned(arena: Arena) -> Cases:
    """A sign count that has not grown is refused, or at least told to the audit."""
    targets = held(arena, PasskeyDevice)
    while True:
        target, one = _reached(arena, targets)
        device = cast("PasskeyDevice", device_at(arena, target))
        if not one.private or not arena.accepts(one.person, one.private, one.right):
            yield bool(one.private)
            continue
        for count in (device.count, device.count - 1, 1, 0):
            other = reached(arena, target)
            arena.audit.events.clear()
            taken = bool(other.private) and arena.accepts(
                other.person, other.private, device.assertion(_challenge_of(other), min(count, device.count))
            )
            told = [each for each in arena.audit.events if each.detail.get("reason") == "possible_clone"]
            yield taken and not told


@family("H-04", "one code at two hosts", needs="held")
def at_two_hosts(arena: Arena) -> Cases:
    """Hosts with ledgers of their own share the store: what was used at one is used at the other."""
    targets = held(arena)
    with ThreadPoolExecutor(2) as threads:
        while True:
            _, one = _reached(arena, targets)
            other = arena.made_with(ledger=MemoryLedger())
            if not one.private:
                yield False
                continue
            event = arena.event("create", one.person, {"session": one.rounds})
            there = arena.call("create", event, other)["privateChallengeParameters"]
            asked = ((arena.triggers, one.private), (other, there))
            if arena.draw.random() < 0.5:
                taken = list(threads.map(partial(_taken, arena, one), asked))
            else:
                taken = [_taken(arena, one, each) for each in asked]
            yield sum(taken) > 1 and _is_used_up(arena)


def _taken(arena: Arena, one: Any, asked: tuple[Any, Any]) -> bool:
    host, private = asked
    request = {"privateChallengeParameters": private, "challengeAnswer": one.right}
    response = host.verify(arena.event("verify", one.person, request), None)["response"]
    return bool(response["answerCorrect"])


@family("H-05", "one code by sixty-four at once", needs="held", share=0.1)
def by_many_at_once(arena: Arena) -> Cases:
    """Of all that use one code or assertion at the same moment, one is accepted."""
    targets = held(arena)
    with ThreadPoolExecutor(8) as threads:
        while True:
            _, one = _reached(arena, targets)
            if not one.private:
                yield False
                continue
            rounds = [
                (arena.triggers, private) for private in (one.private, *(_again(arena, one) for _ in range(_MANY)))
            ]
            taken = sum(threads.map(partial(_taken, arena, one), rounds))
            yield taken > 1 and _is_used_up(arena)


@family("A-13", "time steps of an app: the same, an older one, one too far away", needs="app")
def time_steps(arena: Arena) -> Cases:
    """Each counts once, none before one that was used, none outside the drift; no other number of digits."""
    targets = held(arena, AuthenticatorApp)
    while True:
        target, one = _reached(arena, targets)
        app, now = cast("AuthenticatorApp", device_at(arena, target)), int(arena.clock.now())
        drift = attribute_of(arena.given.steps[target.step.name].kind, "drift")
        most = drift if isinstance(drift, int) else 1
        step = now // app.period
        if not one.private:
            yield False
            continue
        near = {app.code(step + each) for each in range(-most, most + 1)}
        far = [app.code(step + sign * (most + each)) for sign in (-1, 1) for each in (1, 2, 100)]
        for answer in (*far, app.code(step) + "000", "000" + app.code(step), "0" * 9, app.code(step)[1:]):
            arena.books.renew()
            yield answer not in near and arena.accepts(one.person, one.private, answer)
        for later in range(most, -most - 1, -1):
            arena.books.renew()
            accepted = arena.accepts(one.person, _again(arena, one), app.code(step + later))
            # The newest comes first: only that one counts.
            yield accepted and later != most and app.code(step + later) != app.code(step + most)


@family("H-06", "another option of a flow than the user's own", needs="held")
def downgraded(arena: Arena) -> Cases:
    """Whatever a client names, it is asked for what the flow has for whoever has enrolled what this user has."""
    scenes = {target.scene.number: target.scene for target in held(arena)}
    while True:
        for scene in scenes.values():
            arena.renew()
            allowed = {*steps_in(arena.flow, scene), "select", ""}
            one = visit(arena, arena.person("ann", scene), srp=scene.moves[:1] == (("srp", ""),))
            for _ in range(8):
                if one.host:
                    one.prove()
                if not one.public:
                    break
                right = arena.draw.random() < 0.7 and one.public.get("kind") != "select"
                action = arena.draw.choice([None, "answer", "resend", "enrol"])
                one.answer(
                    one.right or "" if right else wrong_answer(one.right, arena.draw),
                    action=action,
                    choice=arena.draw.choice([*arena.flow.steps]),
                )
                yield one.public.get("step", "") not in allowed


@family("H-07", "what was removed in the middle of a sign-in", needs="held")
def removed_meanwhile(arena: Arena) -> Cases:
    """It answers nothing any more, and the sign-in takes no other way for it."""
    targets = held(arena)
    while True:
        target, one = _reached(arena, targets)
        credential = credential_at(arena, target)
        if not one.private or credential is None:
            yield False
            continue
        arena.store.inner.remove(credential.owner, credential.kind, credential.id, within=3)
        one.answer(one.right or "")
        # A step that enrols goes on with an enrolment: the user has none by now.
        yield one.tokens and not target.step.enrols
        yield one.public.get("step", "") not in {*steps_in(arena.flow, target.scene), "select", ""}


@family("H-08", "answers that are malformed, huge, deep, or of other types", needs="held", share=3)
def malformed(arena: Arena) -> Cases:
    """Each is a wrong answer, and no kind dies of it."""
    while True:
        for target in [each for each in arena.targets if each.step.powers.remembers]:
            arena.renew()
            one = reached(arena, target)
            if not one.private:
                continue
            answers = [*hostile_answers(one.right or "123456"), *_odd(one.right or "", arena)]
            for answer in arena.draw.sample(answers, min(len(answers), 60)):
                arena.books.renew()
                arena.audit.events.clear()
                taken = arena.accepts(one.person, one.private, answer)
                died = [each for each in arena.audit.events if each.detail.get("reason", "").startswith("kind_failed")]
                yield (taken and answer != one.right) or bool(died)


def _odd(right: str, arena: Arena) -> Iterator[str]:
    """Give texts of JSON that are *right* in form, and odd in one member."""
    yield from ("[" * _DEEP, '{"a":' * _DEEP, "{" + '"a":1,' * 3000 + '"b":1}', "x" * 20_000, '{"id":NaN}', "\ud800{}")
    try:
        members: object = json.loads(right)
    except ValueError:
        return
    if not isinstance(members, dict):
        return
    given = cast("dict[str, Any]", members)
    for name in given:
        if name in {"transports", "userHandleB64"}:
            continue  # they may be left out
        odd: tuple[Any, ...] = (
            None,
            7,
            1e308,
            True,
            [],
            {},
            [given[name]],
            "",
            "=",
            "A",
            "\u0000",
            "A" * 9000,
            "-_" * 700,
        )
        for value in odd:
            yield json.dumps({**given, name: value})
        yield json.dumps({key: value for key, value in given.items() if key != name})
        yield json.dumps({**given, name: str(given[name]) + "==="})
        yield json.dumps({**given, name: arena.draw.randbytes(40).hex()})


FAMILIES = families_in(globals())
