"""A: replayed answers, and answers to another challenge, user or sign-in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from watchword.contract.ports import LEASE
from watchword.contract.typed_codes import read_token_answer, write_token_answer
from watchword.testing.hostile import hostile_answers
from watchword.testing.requests import access_token
from watchword_adapters.attacks.arena.attacked_host import ATTACKED_POOL, Arena
from watchword_adapters.attacks.arena.client_sessions import DOORS, finished, reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.family import Cases, families_in, family

_OTHERS = (("bob", True), ("nobody", False))
_WITHOUT: tuple[Any, ...] = (None, "", " ", "None", "null", "undefined", 0, False, [], {}, "\0")


@family("A-01", "hostile answers of every sort", share=20)
def hostile(arena: Arena) -> Cases:
    """Wrong, empty, huge, of other types and scripts, and close to right: each to a challenge that is still open."""
    while True:
        arena.renew()
        for target in arena.targets:
            one = reached(arena, target)
            if not one.private:
                continue
            answers = list(hostile_answers(one.right or "12345678"))
            arena.draw.shuffle(answers)
            for answer in answers[:40]:
                arena.books.renew()  # so that each is compared: the round has no answer yet, the budget is full
                yield arena.accepts(one.person, one.private, answer)
        for door in ("pool", "functions"):
            one = reached(arena, arena.target(), door=door)
            answers = [
                each for each in hostile_answers(one.right or "1") if one.door != "pool" or isinstance(each, str)
            ]
            one.answer(arena.draw.choice(answers))
            yield one.tokens or (bool(one.public) and one.public.get("error") is None and _went_on(arena, one))


def _went_on(arena: Arena, one: Any) -> bool:
    """Say whether the answer just given was taken for right."""
    return bool(arena.notes.judged) and arena.notes.judged[-1].right and bool(arena.books.used_up)


@family("A-02", "an answer where no code was ever issued")
def never_issued(arena: Arena) -> Cases:
    """An expected value that is missing, empty or null matches nothing."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        texts = {key: value for key, value in one.private.items() if isinstance(value, str)}
        for answer in _WITHOUT:
            for private in (
                {},
                {"kind": texts.get("kind", ""), "step": texts.get("step", "")},
                dict.fromkeys(texts, ""),
                dict.fromkeys(texts, None),
                {key: value for key, value in texts.items() if key in {"v", "flow", "kind", "step", "round", "seal"}},
                {**texts, "seal": ""},
                {**texts, "seal": None},
                {**texts, "digest": ""},
                {**texts, "digest": None},
            ):
                yield arena.accepts(one.person, private, answer)


@family("A-03", "a right answer again", share=2)
def replayed(arena: Arena) -> Cases:
    """In the same session, another round, another sign-in, at another door."""
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target()
            one = reached(arena, target, door=door)
            right, private = one.right, dict(getattr(one, "private", {}))
            one.answer(right or "")
            for _ in range(4):
                other = reached(arena, target, door=arena.draw.choice(DOORS))
                # A riddle has the same answer every time; a code that two sign-ins share is good once.
                again = other.right == right and not target.sends
                accepted = len(arena.books.used_up)
                other.answer(right or "")
                yield len(arena.books.used_up) > accepted and not again
                if private:
                    yield arena.accepts(arena.person("bob", target.scene), private, right)
            arena.clock.advance(arena.draw.choice([0, LEASE + 1, 61]))


@family("A-04", "the old code after a new one was sent", needs="mail")
def superseded(arena: Arena) -> Cases:
    """The round in which it was asked for is spent, and the new round has a code of its own.

    Where the budget has no other message, none is sent, and the code that was delivered stays good.
    """
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target(lambda each: each.sends)
            one = reached(arena, target, door=door)
            old = one.right
            arena.clock.advance(target.step.powers.resend_after)
            judged, sent = len(arena.notes.judged), len(arena.mail.messages)
            one.answer(arena.draw.choice(["", old or ""]), action="resend")
            yield len(arena.notes.judged) > judged  # a wish for a new code is no guess
            fresh = one.right
            yield fresh == old and len(arena.mail.messages) > sent
            if one.public and fresh != old:
                one.answer(old or "")
                yield one.tokens
            if one.public and fresh:
                one.answer(fresh)
                yield one.refused is not None


@family("A-05", "an answer after its time")
def answered_late(arena: Arena) -> Cases:
    """By a thousandth, a second, a day, to the second."""
    while True:
        for late_by in (0, 0.001, 0.999, 1, 5, 16, 60, 3600, 86_400):
            arena.renew()
            target = arena.target()
            one = reached(arena, target)
            arena.clock.advance(target.step.lifetime - arena.clock.now() % 1 + late_by)
            yield arena.accepts(one.person, one.private, one.right)
        door = arena.draw.choice(["pool", "functions"])
        one = reached(arena, arena.target(), door=door)
        arena.clock.advance(600)
        one.answer(one.right or "")
        yield one.tokens


@family("A-06", "the right answer to something else", share=2)
def bound(arena: Arena) -> Cases:
    """Of another user, pool, client, step or purpose."""
    while True:
        arena.renew()
        target = arena.target()
        mine = reached(arena, target)
        theirs = reached(arena, arena.target(), "bob")
        if mine.right != theirs.right:
            yield arena.accepts(mine.person, mine.private, theirs.right)
        arena.books.renew()
        for value in (
            mine.private.get("digest"),
            mine.private.get("seal"),
            mine.private.get("claim"),
            mine.public.get("ref"),
        ):
            yield arena.accepts(mine.person, mine.private, value)
        arena.books.renew()
        yield arena.accepts(mine.person, mine.private, mine.right, userPoolId=f"{ATTACKED_POOL}x")
        yield arena.accepts(mine.person, mine.private, mine.right, callerContext={"clientId": "other"})
        yield arena.accepts(theirs.person, mine.private, mine.right)


@family("A-07", "the code of one sign-in in another of the same user", needs="mail")
def other_sign_in(arena: Arena) -> Cases:
    """After the lease every sign-in has a code of its own; inside it two may share one, which is good once."""
    while True:
        arena.renew()
        target = arena.target(lambda each: each.sends)
        one = reached(arena, target, door=arena.draw.choice(DOORS))
        arena.clock.advance(LEASE + 1)
        other = reached(arena, target, door=arena.draw.choice(DOORS))
        if one.right and other.right and one.right != other.right:
            other.answer(one.right)
            yield other.tokens
        elif other.public:
            yield one.right == other.right
        arena.renew()
        one, other = reached(arena, target), reached(arena, target)
        right = one.right
        taken = [each.private and arena.accepts(each.person, each.private, right) for each in (one, other)]
        yield one.private and other.private and one.private["claim"] == other.private["claim"] and all(taken)


@family("A-08", "right answers at the same moment", share=0.5)
def answers_at_once(arena: Arena) -> Cases:
    """Rounds of one challenge, answered rightly by several threads: one is accepted."""
    with ThreadPoolExecutor(8) as threads:
        while True:
            for count in (2, 4, 8):
                arena.renew()
                one = reached(arena, arena.target())
                if not one.private:
                    yield False
                    continue
                event = one.create_event()
                made: list[Any] = [one.private]
                made += [arena.call("create", event)["privateChallengeParameters"] for _ in range(count - 1)]
                shared = [private for private in made if private["claim"] == made[0]["claim"]]
                answers = list(threads.map(partial(_verified, arena, one), shared))
                yield sum(answers) > 1


def _verified(arena: Arena, one: Any, private: Any) -> bool:
    request = {"privateChallengeParameters": private, "challengeAnswer": one.right}
    response = arena.triggers.verify(arena.event("verify", one.person, request), None)["response"]
    return bool(response["answerCorrect"])


@family("A-09", "the right answer when the tries are used up")
def one_too_many(arena: Arena) -> Cases:
    """Neither in the session that is over nor in the round that was."""
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target()
            one = reached(arena, target, door=door)
            right, private = one.right, dict(getattr(one, "private", {}))
            for _ in range(target.step.attempts):
                private = dict(getattr(one, "private", {})) or private
                right = one.right or right
                if one.public.get("step") == target.step.name:
                    one.answer(wrong_answer(one.right, arena.draw))
            yield one.tokens or one.public.get("step") == target.step.name
            if one.door == "triggers" and private:
                yield arena.accepts(one.person, private, right)


@family("A-10", "the right answer among other text")
def among_others(arena: Arena) -> Cases:
    """As a part of a longer text, in a list, many answers in one."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        right = one.right or "12345678"
        other = wrong_answer(right, arena.draw)
        for answer in (
            *(f"{right}{other}", f"{other}{right}", f"{right},{other}", f"{other},{right}", f"{other}|{right}"),
            *(f"{right}\n{other}", f"{right};{other}", f"{right}/{other}", f"[{right}]", f"{right}\0", f"{{{right}}}"),
            *([right], [other, right], {"0": right}, {"answer": right}, (right,), f"{other} OR {right}"),
        ):
            arena.books.renew()
            yield arena.accepts(one.person, one.private, answer)


@family("A-11", "a response that came with the event")
def prefilled(arena: Arena) -> Cases:
    """Whatever stands in it is written over."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        if not one.private:
            yield False  # the budget has no message for this step
            continue
        for response in (
            {"answerCorrect": True},
            {"issueTokens": True, "failAuthentication": False},
            {"challengeName": "x"},
        ):
            request = {
                "privateChallengeParameters": dict(one.private),
                "challengeAnswer": wrong_answer(one.right, arena.draw),
            }
            event = {**arena.event("verify", one.person, request), "response": response}
            yield arena.call("verify", event) != {"answerCorrect": False}
            event = {**arena.event("define", one.person, {"session": one.rounds}), "response": response}
            yield arena.call("define", event)["issueTokens"] is not False
            made = arena.call("create", {**one.create_event(), "response": {**response, "challengeMetadata": "x"}})
            yield not made.keys() <= {"publicChallengeParameters", "privateChallengeParameters", "challengeMetadata"}
            yield made["challengeMetadata"] == "x"


@family("A-12", "a whole sign-in at each door, and what is left of it")
def left_over(arena: Arena) -> Cases:
    """What was used to sign in is worth nothing afterwards: session, handle, round."""
    for door in DOORS:
        for scene in arena.scenes:
            arena.renew()
            one = finished(arena, scene, door=door)
            yield not one.tokens and bool(one.refused)
            one.tokens = False
            if one.door == "triggers":
                yield not one.rounds
            else:
                one.answer("")
                yield one.tokens or bool(one.public)


@family("A-14", "a right code without a good access token", needs="token", share=2)
def without_token(arena: Arena) -> Cases:
    """Without a token, with somebody else's, with anything but text, in another form: the code alone is worth nothing."""
    while True:
        arena.renew()
        one = reached(arena, arena.target(lambda each: each.wants_token))
        if not one.right:
            continue
        token, code = read_token_answer(one.right)
        others = [access_token(str(arena.person(name, known=known).attributes.get("sub"))) for name, known in _OTHERS]
        tried = [
            code,
            f'"{code}"',
            *(write_token_answer(each, code) for each in (*others, "", " ", token[:-1], f"{token} ")),
        ]
        tried += [json.dumps({"jwt": each, "secretCode": code}) for each in (*_WITHOUT, [token], {token: token})]
        tried += [json.dumps({name: token, "secretCode": code}) for name in ("JWT", "token", "accessToken", "jwt ")]
        tried += [json.dumps([{"jwt": token, "secretCode": code}]), json.dumps([token, code]), f"{token}{code}"]
        tried += [write_token_answer(token, each) for each in ("", wrong_answer(code, arena.draw), f"{code}{code}")]
        for answer in arena.draw.sample(tried, len(tried)):
            arena.books.renew()
            yield arena.accepts(one.person, one.private, answer)
        arena.books.renew()
        yield not arena.accepts(one.person, one.private, one.right)


FAMILIES = families_in(globals())
