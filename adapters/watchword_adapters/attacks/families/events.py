"""S-10 to S-19: events that no honest host sends: with parameters that Create never wrote, out of turn, mixed, or again."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from attrs import evolve

from watchword import sequence
from watchword.algebra import derivative
from watchword.algebra.blocks import named
from watchword.contract.ports import LEASE
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import (
    DOORS,
    finished,
    reached,
    round_of,
    unworthy,
    whole,
    with_field,
)
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.sample_kinds import SampleQuestion
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.aws_lambda import TriggerError

_SOURCES: tuple[Any, ...] = ("", "x", 7, [], "PostAuthentication_Authentication", "PreSignUp_SignUp", "\0")
_NO_SESSIONS: tuple[Any, ...] = (
    *("", "[]", "null", 0, 1, True, {}, {"0": round_of("SRP_A")}, [None], [[]], [{}], ["SRP_A"], [True], [0]),
)
_OTHER_PLACES: tuple[dict[str, Any], ...] = (
    {"userPoolId": "us-east-1_other"},
    {"userPoolId": ""},
    {"userPoolId": None},
    {"callerContext": {"clientId": "other"}},
    {"callerContext": {}},
    {"callerContext": None},
)


@family("S-10", "private parameters of another user, step or challenge", share=4)
def pasted_parameters(arena: Arena) -> Cases:
    """The right answer to one challenge, shown to another; and one challenge's fields among another's."""
    while True:
        arena.renew()
        one, other = reached(arena, arena.target()), reached(arena, arena.target(), "bob")
        if not one.private or not other.private:
            yield False
            continue
        yield arena.accepts(one.person, other.private, other.right)
        yield arena.accepts(one.person, other.private, one.right)
        for key in one.private.keys() & other.private.keys():
            if one.private[key] != other.private[key]:
                mixed = {**one.private, key: other.private[key]}
                yield arena.accepts(one.person, mixed, arena.draw.choice([one.right, other.right]))


@family("S-11", "private parameters and metadata with bits turned, cut, of another version", share=14)
def altered(arena: Arena) -> Cases:
    """Private parameters are sealed: none is accepted. Metadata is not: none may be worth more than the truth."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        for _ in range(20):
            if one.private:
                key = arena.draw.choice(sorted(one.private))
                text = _bent(arena, one.private[key])
                yield text != one.private[key] and arena.accepts(one.person, {**one.private, key: text}, one.right)
                dropped = {name: value for name, value in one.private.items() if name != key}
                yield arena.accepts(one.person, dropped, one.right)
        yield _stretched(arena)
        for rounds, person in whole(arena):
            for _ in range(20):
                # One round short of tokens, and whole: bent metadata adds nothing to either.
                session = [dict(each) for each in rounds[: len(rounds) - arena.draw.randint(0, 1)]]
                customs = [each for each in session if each["challengeMetadata"]]
                for each in customs[: arena.draw.randint(1, 2)]:
                    each["challengeMetadata"] = _bent(arena, each["challengeMetadata"])
                yield unworthy(arena, person, session) or _more_tries(arena, person, session)


@family("S-12", "text moved between neighbouring fields", share=4)
def spliced(arena: Arena) -> Cases:
    """What is sealed has lengths in front, so no two splits seal alike."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        keys = sorted(one.private)
        for first, second in pairwise(keys):
            left, right = one.private[first], one.private[second]
            for moved in (1, arena.draw.randint(1, max(1, len(left)))):
                if left:
                    mixed = {**one.private, first: left[:-moved], second: left[-moved:] + right}
                    yield arena.accepts(one.person, mixed, one.right)
                    yield arena.accepts(
                        one.person, {**one.private, first: left[:-moved], left[-moved:] + second: right}, one.right
                    )
        text = one.metadata
        for name in derivative.METADATA_FIELDS:
            for field in (f"a;{name}=b", f"{name}=", ";", "a;step=tokens", "\n", "a=b"):
                session = [*one.rounds, round_of("CUSTOM_CHALLENGE", False, with_field(text, name, field))]
                yield unworthy(arena, one.person, session)


@family("S-13", "going back to an older state to win tries back", share=2)
def rolled_back(arena: Arena) -> Cases:
    """An older round, session or handle is spent."""
    while True:
        for door in DOORS:
            arena.renew()
            one = reached(arena, arena.target(), door=door)
            if one.door == "triggers":
                private, right = dict(one.private), one.right
                one.answer(wrong_answer(right, arena.draw))
                yield arena.accepts(one.person, private, right)
            else:
                attribute = "session" if one.door == "pool" else "token"
                old, right = getattr(one, attribute), one.right
                one.answer(wrong_answer(right, arena.draw))
                setattr(one, attribute, old)
                one.answer(right or "")
                yield one.tokens or bool(one.public)


@family("S-14", "events of another pool, client or user name", share=2)
def other_pool(arena: Arena) -> Cases:
    """A challenge is bound to all three."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        for other in _OTHER_PLACES:
            yield arena.accepts(one.person, one.private, one.right, **other)
        yield arena.accepts(arena.person("bob", one.person.scene), one.private, one.right)
        nobody = arena.person("nobody", one.person.scene, known=False)
        yield arena.accepts(nobody, one.private, one.right)
        for rounds, _ in whole(arena):
            yield arena.issues(nobody, rounds)


@family("S-15", "triggers called out of turn")
def out_of_turn(arena: Arena) -> Cases:
    """The wrong trigger's event, Create with nothing to create, Verify without a challenge."""
    for rounds, person in whole(arena):
        request = {"session": rounds}
        for trigger in ("define", "create", "verify"):
            for other in ("define", "create", "verify"):
                if trigger != other:
                    yield not arena.refused(trigger, arena.event(other, person, request))
            for source in _SOURCES:
                event = {**arena.event(trigger, person, request), "triggerSource": source}
                yield not arena.refused(trigger, event)
        yield not arena.refused("create", arena.event("create", person, request))
        yield not arena.refused("create", arena.event("create", person, {"session": [round_of("SRP_A")] * 2}))
        for private in (None, {}, {"kind": "select"}, {"a": "b"}):
            yield arena.accepts(person, private, "")


@family("S-16", "sessions that are no list of rounds")
def no_session(arena: Arena) -> Cases:
    """Null and missing are an empty session; everything else belongs to no flow."""
    person = arena.person()
    for count in (1, 2, 3):
        for metadata in (None, "", "null", "{}"):
            yield arena.issues(person, [round_of("CUSTOM_CHALLENGE", True, metadata)] * count)
    for session in _NO_SESSIONS:
        yield arena.issues(person, session)
        yield arena.issues(person, [session, round_of("PASSWORD_VERIFIER")])
    for rounds, someone in whole(arena):
        odd: tuple[Any, ...] = (json.dumps(rounds), {"session": rounds}, [rounds], [*rounds, None], [None, *rounds])
        for each in odd:
            yield arena.issues(someone, each)


@family("S-17", "a flow that changes while a sign-in is under way", share=0.5)
def changed_flow(arena: Arena) -> Cases:
    """A session of the old flow is judged by the old one if it is still known, else refused; no step is skipped."""
    extra = named("one_more", SampleQuestion())
    changed = evolve(arena.flow, body=sequence(arena.flow.body, extra))
    alone = arena.made_with(flow=changed, previous=())
    for rounds, person in whole(arena):
        event = arena.event("define", person, {"session": rounds})
        customs = any(each["challengeMetadata"] for each in rounds)
        yield customs and alone.define(event, None)["response"]["issueTokens"] is not False
        for fingerprint in (changed.fingerprint, "0" * 16, "", "x"):
            session = [
                {**each, "challengeMetadata": with_field(each["challengeMetadata"], "flow", fingerprint)}
                for each in rounds
            ]
            yield (
                customs
                and alone.define(arena.event("define", person, {"session": session}), None)["response"]["issueTokens"]
                is not False
            )
            yield unworthy(arena, person, session)


@family("S-18", "two sign-ins at once, their rounds mixed", share=3)
def mixed(arena: Arena) -> Cases:
    """One step passed here and another there is no sign-in."""
    while True:
        arena.renew()
        scene = arena.draw.choice(arena.scenes)
        one = finished(arena, scene)
        arena.clock.advance(arena.draw.choice([0, 1, 20, 61]))
        other = finished(arena, scene)
        for _ in range(8):
            mask = [arena.draw.random() < 0.5 for _ in one.rounds]
            session = [
                (mine if ours else theirs) for mine, theirs, ours in zip(one.rounds, other.rounds, mask, strict=False)
            ]
            yield unworthy(arena, one.person, session)
        parts = reached(arena, arena.target()), reached(arena, arena.target())
        yield arena.accepts(
            parts[0].person, {**parts[0].private, "round": parts[1].private.get("round")}, parts[0].right
        )


@family("S-19", "the host's repeats: Define after the end, Create and Verify with the same event")
def called_again(arena: Arena) -> Cases:
    """The same answer, and nothing happens: no other code, no other mail, no other guess."""
    for target in arena.targets:
        arena.renew()
        one = reached(arena, target)
        sent, right = len(arena.mail.messages), one.right
        for _ in range(3):
            again = arena.call("create", one.create_event())["privateChallengeParameters"]
            yield len(arena.mail.messages) > sent
            yield target.sends and arena.right_of(again) != right
        answers = [arena.accepts(one.person, one.private, right) for _ in range(3)]
        yield len(set(answers)) != 1
    for rounds, person in whole(arena):
        for _ in range(3):
            before = len(arena.mail.messages), len(arena.books.calls)
            answers = [arena.issues(person, rounds) for _ in range(3)]
            yield len(set(answers)) != 1 or before != (len(arena.mail.messages), len(arena.books.calls))


def _more_tries(arena: Arena, person: Any, session: list[Any]) -> bool:
    """Say whether Create offers more tries for *session* than its step has."""
    try:
        made = arena.call("create", arena.event("create", person, {"session": session}))
    except TriggerError:
        return False
    public = made["publicChallengeParameters"]
    step = arena.flow.steps.get(public["step"])
    return step is not None and int(public["attempts_left"]) > step.attempts


def _stretched(arena: Arena) -> bool:
    """Say whether an answer can be had to count after its time, by metadata that says it was asked for later.

    A lease is added to the time: a sign-in may come to a message so long after another one, and its own time counts.
    """
    arena.renew()
    target = arena.target()
    one = reached(arena, target)
    if not one.private:
        return False
    right, began = one.right, int(one.private["issued"])
    arena.clock.advance(arena.draw.randint(1, target.step.lifetime - 1))
    one.metadata = with_field(one.metadata, "issued", str(int(arena.clock.now())))
    one.answer(wrong_answer(right, arena.draw))
    if not one.private or one.right != right:
        return False
    arena.clock.advance(max(0, began + target.step.lifetime + LEASE - arena.clock.now()))
    return arena.accepts(one.person, one.private, right) and target.sends


def _bent(arena: Arena, text: str) -> str:
    """Return *text* with something wrong: a bit turned, cut short, made longer, with another version or key."""
    draw = arena.draw
    raw = bytearray(text.encode())
    match draw.choice(["bit", "bit", "bit", "cut", "longer", "version", "digit", "upper"]):
        case "bit" if raw:
            raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(7)
            return raw.decode("utf-8", "replace")
        case "cut" if raw:
            return text[: draw.randrange(len(text))]
        case "version":
            own, odd = (
                f"{derivative.FORMAT}.",
                ("0.", "2.", ".", f"{derivative.FORMAT}.0.", f"0{derivative.FORMAT}.", "v=2;"),
            )
            return draw.choice(odd) + text.removeprefix(own) if text.startswith(own) else "0"
        case "digit":
            places = [place for place, sign in enumerate(text) if sign.isdigit()]
            if places:
                place = draw.choice(places)
                return text[:place] + str((int(text[place]) + draw.randint(1, 9)) % 10) + text[place + 1 :]
        case "upper" if text.upper() != text:
            return text.upper()
        case _:
            pass
    return text + draw.choice(["0", "=", "\0", " ", "\n", "é"])


FAMILIES = families_in(globals())
