"""S-01 to S-09: sessions that no honest sign-in leaves, shown to Define."""

from __future__ import annotations

from typing import Any

from watchword.algebra import derivative
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import (
    DOORS,
    finished,
    round_of,
    unworthy,
    visit,
    whole,
    with_field,
)
from watchword_adapters.attacks.arena.cpu_timing import slow
from watchword_adapters.attacks.family import Cases, families_in, family

_HOST_NAMES = (
    *(*derivative.HOSTED, "NEW_PASSWORD_REQUIRED", "ADMIN_NO_SRP_AUTH", "WEB_AUTHN", "PASSWORD_SRP", "PASSWORD"),
    *("SMS_OTP", "SELECT_CHALLENGE", "MFA_SETUP", "SELECT_MFA_TYPE", "DEVICE_KEY", "custom_challenge", "", "tokens"),
)
_NO_RESULTS: tuple[Any, ...] = ("true", 1, "false", 0, None, [], {}, "True", 1.0, "yes", [True], {"result": True})


@family("S-01", "tokens for a bare SRP_A, before any password is checked")
def bare_srp_a(arena: Arena) -> Cases:
    """Cognito writes SRP_A as a success by itself."""
    for name in ("ann", "bob"):
        for scene in arena.scenes:
            person = arena.person(name, scene)
            *_, last = finished(arena, scene, name).rounds
            for metadata in (None, "", "v=1", "x" * 100, last["challengeMetadata"]):
                for action in (None, {}, {"watchword_action": "resend"}, {"watchword_choice": "tokens"}):
                    yield arena.issues(person, [round_of("SRP_A", metadata=metadata)], action)
            for door in DOORS:
                arena.renew()
                opened = visit(arena, person, srp=True, door=door)
                yield opened.tokens
                if opened.door == "pool" and opened.session:
                    opened.responds("CUSTOM_CHALLENGE", {"USERNAME": person.name, "ANSWER": "1"}, {})
                    yield opened.tokens


@family("S-02", "opening without the password that the flow wants first")
def without_password(arena: Arena) -> Cases:
    """Whoever opens plainly and answers all else rightly gets what that way is worth, and no more."""
    for scene in arena.scenes:
        for door in DOORS:
            for srp in (False, True):
                arena.renew()
                opened = visit(arena, arena.person("ann", scene), srp=srp, door=door)
                for _ in range(12):
                    if opened.tokens or opened.refused is not None or opened.host:
                        break
                    opened.answer(opened.right or "", choice=opened.public.get("choices", "").partition(",")[0] or None)
                yield opened.tokens and ("srp", "") in _only_moves(arena, srp)


def _only_moves(arena: Arena, srp: bool) -> tuple[Any, ...]:
    return arena.scenes[0].moves if not srp and not _opens_plainly(arena) else ()


def _opens_plainly(arena: Arena) -> bool:
    return any(not target.srp for target in arena.targets)


@family("S-03", "a wrong password or answer, then right ones", share=2)
def wrong_then_right(arena: Arena) -> Cases:
    """Each right round of a whole sign-in made wrong, one or several at once."""
    for rounds, person in whole(arena):
        for _ in range(12):
            session = [dict(each) for each in rounds]
            rights = [place for place, each in enumerate(session) if each["challengeResult"] is True]
            for place in arena.draw.sample(rights, arena.draw.randint(1, len(rights))):
                session[place]["challengeResult"] = False
            yield unworthy(arena, person, session)


@family("S-04", "a right answer to another, weaker step")
def weaker_step(arena: Arena) -> Cases:
    """The step in the metadata of each round replaced."""
    names = (*arena.flow.steps, "select", "SRP_A", "PASSWORD_VERIFIER", "captcha", "other", "")
    for rounds, person in whole(arena):
        for place, each in enumerate(rounds):
            for name in names:
                text = with_field(each["challengeMetadata"], "step", name)
                if text != each["challengeMetadata"]:
                    yield unworthy(arena, person, _replaced(rounds, place, {**each, "challengeMetadata": text}))


@family("S-05", "one passed step counted twice")
def counted_twice(arena: Arena) -> Cases:
    """A round repeated in place of another."""
    for rounds, person in whole(arena):
        for place in range(len(rounds)):
            for other in range(len(rounds)):
                yield place != other and unworthy(arena, person, _replaced(rounds, other, rounds[place]))
                yield unworthy(arena, person, [*rounds[:other], rounds[place], *rounds[other:]])


@family("S-06", "rounds reordered, dropped, inserted, swapped", share=20)
def edited(arena: Arena) -> Cases:
    """Random edits: tokens only if the second reading of the flow finds that they are due."""
    for rounds, person in whole(arena):
        for _ in range(60):
            session = [dict(each) for each in rounds]
            for _ in range(arena.draw.randint(1, 3)):
                _edit(arena, session, rounds)
            yield unworthy(arena, person, session)


@family("S-07", "rounds of the host's own in place of steps", share=2)
def host_rounds(arena: Arena) -> Cases:
    """A true MFA or device round is no step of the flow."""
    for rounds, person in whole(arena):
        for name in _HOST_NAMES:
            yield arena.issues(person, [round_of(name)])
            place = arena.draw.randrange(len(rounds))
            yield unworthy(arena, person, _replaced(rounds, place, round_of(name)))
            yield unworthy(arena, person, [*rounds[:-1], round_of(name)])


@family("S-08", "results that are true in some languages")
def nearly_true(arena: Arena) -> Cases:
    """Only `true` is true."""
    for rounds, person in whole(arena):
        for result in _NO_RESULTS:
            for place, each in enumerate(rounds):
                yield arena.issues(person, _replaced(rounds, place, {**each, "challengeResult": result}))
        *before, last = rounds
        missing = {key: value for key, value in last.items() if key != "challengeResult"}
        yield arena.issues(person, [*before, missing])


@family("S-09", "sessions of a thousand rounds, metadata of a megabyte", share=0.2)
def giant_sessions(arena: Arena) -> Cases:
    """Refused, and quickly."""
    for rounds, person in whole(arena):
        for count in (1001, 2000, 10_000):
            session = [rounds[arena.draw.randrange(len(rounds))]] * count
            yield _slow_or_taken(arena, person, session)
        *before, last = rounds
        for text in ("x" * 10**6, "v=1;" * 250_000, ";" * 10**6, str(last["challengeMetadata"]) + "=" * 10**6):
            yield _slow_or_taken(arena, person, [*before, round_of("CUSTOM_CHALLENGE", True, text)])


def _slow_or_taken(arena: Arena, person: Any, session: list[Any]) -> bool:
    return arena.issues(person, session) or slow(lambda: arena.issues(person, session))


def _replaced(rounds: list[Any], place: int, other: Any) -> list[Any]:
    return [*rounds[:place], other, *rounds[place + 1 :]]


def _edit(arena: Arena, session: list[Any], rounds: list[Any]) -> None:
    draw = arena.draw
    place = draw.randrange(len(session) + 1)
    match draw.choice(["drop", "swap", "insert", "repeat", "result", "metadata", "name"]):
        case "insert":
            session.insert(place, round_of(draw.choice(["SRP_A", "PASSWORD_VERIFIER", *_HOST_NAMES])))
        case "repeat":
            session.insert(place, dict(draw.choice(rounds)))
        case _ if place >= len(session):
            *_, last = rounds
            session.append(round_of("CUSTOM_CHALLENGE", True, draw.choice([None, "", last["challengeMetadata"]])))
        case "drop":
            del session[place]
        case "swap":
            other = draw.randrange(len(session))
            session[place], session[other] = session[other], session[place]
        case "result":
            session[place] = {**session[place], "challengeResult": draw.choice([True, False, None, "true", 1])}
        case "metadata":
            session[place] = {**session[place], "challengeMetadata": draw.choice(rounds)["challengeMetadata"]}
        case _:
            names = ["CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", *_HOST_NAMES]
            session[place] = {**session[place], "challengeName": draw.choice(names)}


FAMILIES = families_in(globals())
