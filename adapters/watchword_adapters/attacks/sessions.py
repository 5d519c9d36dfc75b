"""S: the session and the flow. Sessions that no honest sign-in leaves, and private parameters that Create never wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from attrs import evolve

from watchword import derive, sequence
from watchword.blocks import named
from watchword.ports import LEASE
from watchword.travel import write_metadata
from watchword_adapters.attacks.arena import Arena, wrong_answer
from watchword_adapters.attacks.families import Cases, family, listed
from watchword_adapters.attacks.pace import slow
from watchword_adapters.attacks.policy import may_issue
from watchword_adapters.attacks.stock import Question
from watchword_adapters.attacks.visits import DOORS, finished, played, reached, round_of, visit
from watchword_adapters.aws_lambda import TriggerError

_HOST_NAMES = (
    *(*derive.HOSTED, "NEW_PASSWORD_REQUIRED", "ADMIN_NO_SRP_AUTH", "WEB_AUTHN", "PASSWORD_SRP", "PASSWORD"),
    *("SMS_OTP", "SELECT_CHALLENGE", "MFA_SETUP", "SELECT_MFA_TYPE", "DEVICE_KEY", "custom_challenge", "", "tokens"),
)
_NO_RESULTS: tuple[Any, ...] = ("true", 1, "false", 0, None, [], {}, "True", 1.0, "yes", [True], {"result": True})
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
    for rounds, person in _whole(arena):
        for _ in range(12):
            session = [dict(each) for each in rounds]
            rights = [place for place, each in enumerate(session) if each["challengeResult"] is True]
            for place in arena.draw.sample(rights, arena.draw.randint(1, len(rights))):
                session[place]["challengeResult"] = False
            yield _unworthy(arena, person, session)


@family("S-04", "a right answer to another, weaker step")
def weaker_step(arena: Arena) -> Cases:
    """The step in the metadata of each round replaced."""
    names = (*arena.flow.steps, "select", "SRP_A", "PASSWORD_VERIFIER", "captcha", "other", "")
    for rounds, person in _whole(arena):
        for place, each in enumerate(rounds):
            for name in names:
                text = _with(each["challengeMetadata"], "step", name)
                if text != each["challengeMetadata"]:
                    yield _unworthy(arena, person, _replaced(rounds, place, {**each, "challengeMetadata": text}))


@family("S-05", "one passed step counted twice")
def counted_twice(arena: Arena) -> Cases:
    """A round repeated in place of another."""
    for rounds, person in _whole(arena):
        for place in range(len(rounds)):
            for other in range(len(rounds)):
                yield place != other and _unworthy(arena, person, _replaced(rounds, other, rounds[place]))
                yield _unworthy(arena, person, [*rounds[:other], rounds[place], *rounds[other:]])


@family("S-06", "rounds reordered, dropped, inserted, swapped", share=20)
def edited(arena: Arena) -> Cases:
    """Random edits: tokens only if the second reading of the flow finds that they are due."""
    for rounds, person in _whole(arena):
        for _ in range(60):
            session = [dict(each) for each in rounds]
            for _ in range(arena.draw.randint(1, 3)):
                _edit(arena, session, rounds)
            yield _unworthy(arena, person, session)


@family("S-07", "rounds of the host's own in place of steps", share=2)
def host_rounds(arena: Arena) -> Cases:
    """A true MFA or device round is no step of the flow."""
    for rounds, person in _whole(arena):
        for name in _HOST_NAMES:
            yield arena.issues(person, [round_of(name)])
            place = arena.draw.randrange(len(rounds))
            yield _unworthy(arena, person, _replaced(rounds, place, round_of(name)))
            yield _unworthy(arena, person, [*rounds[:-1], round_of(name)])


@family("S-08", "results that are true in some languages")
def nearly_true(arena: Arena) -> Cases:
    """Only `true` is true."""
    for rounds, person in _whole(arena):
        for result in _NO_RESULTS:
            for place, each in enumerate(rounds):
                yield arena.issues(person, _replaced(rounds, place, {**each, "challengeResult": result}))
        *before, last = rounds
        missing = {key: value for key, value in last.items() if key != "challengeResult"}
        yield arena.issues(person, [*before, missing])


@family("S-09", "sessions of a thousand rounds, metadata of a megabyte", share=0.2)
def giant_sessions(arena: Arena) -> Cases:
    """Refused, and quickly."""
    for rounds, person in _whole(arena):
        for count in (1001, 2000, 10_000):
            session = [rounds[arena.draw.randrange(len(rounds))]] * count
            yield _slow_or_taken(arena, person, session)
        *before, last = rounds
        for text in ("x" * 10**6, "v=1;" * 250_000, ";" * 10**6, str(last["challengeMetadata"]) + "=" * 10**6):
            yield _slow_or_taken(arena, person, [*before, round_of("CUSTOM_CHALLENGE", True, text)])


@family("S-10", "private parameters of another user, step or challenge", share=4)
def pasted(arena: Arena) -> Cases:
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
        for rounds, person in _whole(arena):
            for _ in range(20):
                # One round short of tokens, and whole: bent metadata adds nothing to either.
                session = [dict(each) for each in rounds[: len(rounds) - arena.draw.randint(0, 1)]]
                customs = [each for each in session if each["challengeMetadata"]]
                for each in customs[: arena.draw.randint(1, 2)]:
                    each["challengeMetadata"] = _bent(arena, each["challengeMetadata"])
                yield _unworthy(arena, person, session) or _more_tries(arena, person, session)


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
        for name in derive.METADATA_FIELDS:
            for field in (f"a;{name}=b", f"{name}=", ";", "a;step=tokens", "\n", "a=b"):
                session = [*one.rounds, round_of("CUSTOM_CHALLENGE", False, _with(text, name, field))]
                yield _unworthy(arena, one.person, session)


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
        for rounds, _ in _whole(arena):
            yield arena.issues(nobody, rounds)


@family("S-15", "triggers called out of turn")
def out_of_turn(arena: Arena) -> Cases:
    """The wrong trigger's event, Create with nothing to create, Verify without a challenge."""
    for rounds, person in _whole(arena):
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
    for rounds, someone in _whole(arena):
        odd: tuple[Any, ...] = (json.dumps(rounds), {"session": rounds}, [rounds], [*rounds, None], [None, *rounds])
        for each in odd:
            yield arena.issues(someone, each)


@family("S-17", "a flow that changes while a sign-in is under way", share=0.5)
def changed_flow(arena: Arena) -> Cases:
    """A session of the old flow is judged by the old one if it is still known, else refused; no step is skipped."""
    extra = named("one_more", Question())
    changed = evolve(arena.flow, body=sequence(arena.flow.body, extra))
    alone = arena.made_with(flow=changed, previous=())
    for rounds, person in _whole(arena):
        event = arena.event("define", person, {"session": rounds})
        customs = any(each["challengeMetadata"] for each in rounds)
        yield customs and alone.define(event, None)["response"]["issueTokens"] is not False
        for fingerprint in (changed.fingerprint, "0" * 16, "", "x"):
            session = [
                {**each, "challengeMetadata": _with(each["challengeMetadata"], "flow", fingerprint)} for each in rounds
            ]
            yield (
                customs
                and alone.define(arena.event("define", person, {"session": session}), None)["response"]["issueTokens"]
                is not False
            )
            yield _unworthy(arena, person, session)


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
            yield _unworthy(arena, one.person, session)
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
    for rounds, person in _whole(arena):
        for _ in range(3):
            before = len(arena.mail.messages), len(arena.books.calls)
            answers = [arena.issues(person, rounds) for _ in range(3)]
            yield len(set(answers)) != 1 or before != (len(arena.mail.messages), len(arena.books.calls))


def _whole(arena: Arena) -> Iterator[tuple[list[dict[str, Any]], Any]]:
    """Give the rounds of a whole sign-in of each scene, with a wrong answer or a resend in some."""
    for scene in arena.scenes:
        for detour in (False, True):
            arena.renew()
            person = arena.person(arena.draw.choice(["ann", "bob"]), scene)
            one = played(arena, person, scene.moves[: len(scene.moves) - 1] if detour else scene.moves)
            if detour and one.public:
                one.answer(wrong_answer(one.right, arena.draw), action=arena.draw.choice([None, "resend"]))
                if one.public:
                    one.answer(one.right or "")
            if one.tokens:
                yield one.rounds, person
    arena.renew()


def _unworthy(arena: Arena, person: Any, session: list[Any]) -> bool:
    """Say whether *session* gives tokens that are not due."""
    return arena.issues(person, session) and not may_issue(arena.flows, session, person.attributes, person.scene.client)


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
    one.metadata = _with(one.metadata, "issued", str(int(arena.clock.now())))
    one.answer(wrong_answer(right, arena.draw))
    if not one.private or one.right != right:
        return False
    arena.clock.advance(max(0, began + target.step.lifetime + LEASE - arena.clock.now()))
    return arena.accepts(one.person, one.private, right) and target.sends


def _slow_or_taken(arena: Arena, person: Any, session: list[Any]) -> bool:
    return arena.issues(person, session) or slow(lambda: arena.issues(person, session))


def _with(text: str | None, name: str, value: str) -> str:
    """Return metadata with one field replaced."""
    fields = derive.read_metadata(text)
    return write_metadata({**fields, name: value}) if fields else str(text)


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
            own, odd = f"{derive.FORMAT}.", ("0.", "2.", ".", f"{derive.FORMAT}.0.", f"0{derive.FORMAT}.", "v=2;")
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


FAMILIES = listed(globals())
