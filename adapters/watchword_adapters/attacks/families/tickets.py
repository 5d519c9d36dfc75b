"""T: links: tickets in other sign-ins, used twice, forged, late, by many at once; and links that lead elsewhere (M-10)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from attrs import evolve

from watchword.contract.ports import LEASE
from watchword.testing.mailbox import LINK
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import TriggersVisit, played, reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.family import Cases, families_in, family

_EVIL = "evil.example"
_ELSEWHERE = (
    f"https://{_EVIL}/",
    f"//{_EVIL}",
    f"/\\{_EVIL}",
    f"https://app.example@{_EVIL}/",
    f"https://{_EVIL}/?https://app.example/",
    f"javascript:location='https://{_EVIL}'",
    f"web\r\nHost: {_EVIL}",
    f"web#https://{_EVIL}/",
    f"../{_EVIL}",
    f"web.{_EVIL}",
    f"\uff57eb{_EVIL}",
)
_KEYS = ("watchword_redirect", "redirect", "redirectUri", "redirect_uri", "redirects", "url", "link", "host", "origin")
_ATTRIBUTES = ("website", "profile", "picture", "custom:redirect", "locale", "name", "given_name", "zoneinfo")


def _linked(arena: Arena) -> list[AttackTarget]:
    return [target for target in arena.targets if target.step.powers.links]


def _anywhere(target: AttackTarget) -> bool:
    return target.step.powers.opens == "anywhere"


def _link(arena: Arena, since: int = 0) -> str:
    """Return the link of the newest message that has one, of those behind the first *since*; nothing if none has.

    A flow may send by another channel too, and by kinds without links.
    """
    found = (LINK.search("\n".join(each.texts())) for each in reversed(arena.mail.messages[since:]))
    return next((each[0] for each in found if each), "")


def _asked(arena: Arena, target: AttackTarget, name: str = "ann") -> tuple[TriggersVisit, str]:
    """Begin a sign-in of *name* with a message of its own; return it, and the ticket in the message."""
    sent = len(arena.mail.messages)
    one = reached(arena, target, name)
    return one, _link(arena, sent).partition("#")[2]


def _each_asked(arena: Arena) -> Iterator[tuple[AttackTarget, TriggersVisit, str]]:
    """Give each step with links, each time in a world of its own, with a sign-in that asked for it and the ticket in its message."""
    for target in _linked(arena):
        arena.renew()
        yield target, *_asked(arena, target)


def _right(one: TriggersVisit, answer: Any, **said: Any) -> bool:
    """Say whether *answer* counts as right in the sign-in *one*."""
    if not one.public:
        return False
    before = len(one.rounds)
    one.answer(answer, **said)
    return any(each["challengeResult"] is True for each in one.rounds[before:])


@family("M-10", "links that lead elsewhere", needs="link", share=2)
def open_redirects(arena: Arena) -> Cases:
    """A link leads to an address of the operator's list, whatever the client and the user's attributes say."""
    while True:
        for target in _linked(arena):
            allowed = tuple(f"{each}#" for each in target.step.powers.redirects.values())
            for text in arena.draw.sample(_ELSEWHERE, 4):
                arena.renew()
                person = arena.person("ann", target.scene)
                said = {arena.draw.choice(_KEYS): text, "watchword_redirect": text}
                mine = {**person.attributes, arena.draw.choice(_ATTRIBUTES): text}
                one = played(arena, evolve(person, attributes=mine), target.moves[:-1])
                move, what = target.moves[-1]
                choice = {"choice": what} if move == "choose" else {}
                one.answer(what if choice else one.right or "", **choice, **said)
                told = "\n".join(text for each in arena.mail.messages for text in each.texts())
                yield _EVIL in told or not (_link(arena) or allowed[0]).startswith(allowed)


@family("T-01", "the link of one sign-in in another of the same user", needs="link", share=2)
def another_browser(arena: Arena) -> Cases:
    """It is right only where the kind opens anywhere; and the sign-in that asked goes on as if nobody had opened it."""
    while True:
        for target, one, ticket in _each_asked(arena):
            for wait in arena.draw.sample((0, 1, 17, 61), 2):
                arena.clock.advance(wait)
                other = reached(arena, target)
                # Where it opens anywhere it may be right; it is then used up, which T-04 looks at.
                yield not _anywhere(target) and bool(ticket) and _right(other, ticket)
            if ticket and not _anywhere(target):
                yield not _right(one, ticket)


@family("T-02", "the link of another user, app client, pool or step", needs="link", share=2)
def someone_elses(arena: Arena) -> Cases:
    """It is wrong, in a challenge of one's own too."""
    while True:
        for target, _, ticket in _each_asked(arena):
            yield bool(ticket) and _right(reached(arena, target, "bob"), ticket)
            for other in (each for each in _linked(arena) if each.step != target.step):
                yield bool(ticket) and _right(reached(arena, other), ticket)
            one = reached(arena, target)
            for place in ({"userPoolId": "us-east-1_Other0001"}, {"callerContext": {"clientId": "other"}}):
                yield bool(one.private) and arena.accepts(one.person, one.private, ticket, **place)


@family("T-03", "a link after its time", needs="link")
def late_links(arena: Arena) -> Cases:
    """To the second; a message of a later round does not make it younger."""
    while True:
        for target in _linked(arena):
            for beyond in (0, 0.001, 1, 86_400):
                arena.renew()
                one, ticket = _asked(arena, target)
                arena.clock.advance(target.step.lifetime + beyond)
                yield bool(ticket) and _right(one, ticket)
            arena.renew()
            one, ticket = _asked(arena, target)
            arena.clock.advance(target.step.powers.resend_after)
            one.answer("", action="resend")
            arena.clock.advance(target.step.lifetime - target.step.powers.resend_after)
            yield bool(ticket) and _right(one, ticket)


@family("T-04", "a link that was used, or whose code was", needs="link", share=2)
def used_links(arena: Arena) -> Cases:
    """It is good once, wherever it may be opened; its code is used up with it, and it with its code."""
    while True:
        for target in _linked(arena):
            for first_by in ("link", "code"):
                arena.renew()
                one, ticket = _asked(arena, target)
                others = [reached(arena, target)]
                code, private = one.right or "", dict(one.private)
                yield bool(ticket) and not _right(one, ticket if first_by == "link" else code)
                # Inside the lease sign-ins share a message; after it each has one of its own.
                arena.clock.advance(LEASE + 1)
                for other in (*others, reached(arena, target)):
                    yield bool(ticket) and _right(other, ticket)
                    yield bool(ticket) and other.private.get("claim") == private["claim"] and _right(other, code)
                if private and ticket:
                    yield arena.accepts(one.person, private, f"{ticket} ")
                    yield arena.accepts(one.person, private, f"#{ticket}")


@family("T-05", "links that were forged or changed", needs="link", share=4)
def forged_links(arena: Arena) -> Cases:
    """Nothing but what was made here is a ticket: no other end, name, padding or half."""
    while True:
        for target, one, ticket in _each_asked(arena):
            bobs, other = _asked(arena, target, "bob")
            if not (ticket and other and bobs.private):
                yield False
                continue
            for forged in _forged(arena, ticket, other):
                arena.books.renew()
                yield arena.accepts(one.person, one.private, forged)


def _forged(arena: Arena, ticket: str, other: str) -> Iterator[str]:
    head, _, tail = ticket.partition(".")
    facts: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(head + "=="))
    for changes in ({"exp": facts["exp"] + 3600}, {"iat": 0}, {"userName": "bob"}, {"exp": "never"}, {}):
        said = json.dumps({**facts, **changes}, separators=(", ", ":") if not changes else (",", ":"))
        yield f"{base64.urlsafe_b64encode(said.encode()).decode().rstrip('=')}.{tail}"
    yield from (f"{head}.{other.partition('.')[2]}", f"{other.partition('.')[0]}.{tail}", f"{head}.", f".{tail}", ".")
    yield from (f"{ticket}=", f"{head}==.{tail}", f"{ticket}.", f"{ticket}.{tail}", f"{tail}.{head}", ticket.swapcase())
    yield from (
        ticket[:-1],
        f"{ticket}A",
        f"{head}.{'A' * len(tail)}",
        f"{head}.{tail[:22]}",
        f"{ticket}\0",
        f"{ticket},",
    )
    for _ in range(8):
        yield wrong_answer(ticket, arena.draw)


@family("T-06", "one link by many at once", needs="link", share=0.5)
def links_at_once(arena: Arena) -> Cases:
    """Sixty-four sign-ins answer with it: one is let in at most."""
    with ThreadPoolExecutor(16) as threads:
        while True:
            for _, one, ticket in _each_asked(arena):
                if not ticket:
                    yield False
                    continue
                # Other sign-ins of the moment share the message; each of their answers is a round of its own.
                event = one.create_event()
                mine = [dict(one.private)]
                mine += [arena.call("create", event)["privateChallengeParameters"] for _ in range(7)]
                answers = list(threads.map(partial(_verified, arena, one, ticket), mine * 8))
                rounds = {private["round"] for private, right in zip(mine * 8, answers, strict=True) if right}
                yield len(rounds) > 1


def _verified(arena: Arena, one: TriggersVisit, ticket: str, private: Mapping[str, Any]) -> bool:
    request = {"privateChallengeParameters": private, "challengeAnswer": ticket}
    response = arena.triggers.verify(arena.event("verify", one.person, request), None)["response"]
    return response["answerCorrect"] is True


@family("T-07", "shutting a user out by opening their links", needs="link", share=0.5)
def opened_by_scanners(arena: Arena) -> Cases:
    """A link that is opened elsewhere is told from a guess and not charged as one, and the sign-in that asked still takes it."""
    while True:
        for target in (each for each in _linked(arena) if not _anywhere(each)):
            arena.renew()
            one, ticket = _asked(arena, target)
            other = reached(arena, target)
            for _ in range(target.step.attempts - 1):
                yield bool(ticket) and _right(other, ticket)
                yield bool(ticket and other.public) and other.public.get("error") != "other_browser"
            yield bool(ticket) and not _right(one, ticket)
            yield any(event.name == "authn_login_lock" for event in arena.audit.events)
        if all(map(_anywhere, _linked(arena))):
            yield False


FAMILIES = families_in(globals())
