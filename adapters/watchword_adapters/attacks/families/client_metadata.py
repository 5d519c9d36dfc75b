"""C: client metadata. A few keys are read, and none may weaken a flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from watchword_adapters.attacks.arena.attacked_host import Arena, AttackEvent
from watchword_adapters.attacks.arena.client_sessions import (
    DOORS,
    played,
    reached,
    round_of,
    unworthy,
    visit,
    with_field,
)
from watchword_adapters.attacks.arena.cpu_timing import slow
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.families.user_enumeration import drawn_of, last_part, with_offers_apart
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.aws_lambda import TriggerError

_Made = Mapping[str, str] | str
"""What Create shows, or the text of its refusal."""

_NO_METADATA: tuple[Any, ...] = ("", "resend", [], [["watchword_action", "resend"]], 7, True)
_ITS_OWN = frozenset({"ref", "signin"})
"""Public parameters that differ from one Create to the next."""


@family("C-01", "a weaker method asked for by name")
def weaker_method(arena: Arena) -> Cases:
    """Only a choice that the flow offers is one."""
    for key in ("signInMethod", "challenge", "method", "kind", "step", "auth", "challengeName", "preferred", "factor"):
        for method in ("captcha", "none", "password", "email", *arena.flow.steps):
            yield from _unmoved(arena, {key: method})


@family("C-02", "Verify told of another kind than Create")
def other_kind(arena: Arena) -> Cases:
    """The kind is the one that was sealed."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        for name in ("captcha", "email_otp", "riddle", "select", "srp", "", *arena.flow.steps):
            said = {"kind": name, "challenge": name, "signInMethod": name}
            yield _accepted(arena, one, wrong_answer(one.right, arena.draw), said)
            for key in ("kind", "step"):
                if one.private.get(key) != name:
                    yield arena.accepts(one.person, {**one.private, key: name}, one.right)


@family("C-03", "flags that say a step is done")
def skip_flags(arena: Arena) -> Cases:
    """There is none."""
    for key in (
        "alreadyHaveMagicLink",
        "alreadyVerified",
        "skip",
        "mfa",
        "verified",
        "email_verified",
        "bypass",
        "admin",
    ):
        for value in ("yes", "true", "1", "no"):
            yield from _unmoved(arena, {key: value})


@family("C-04", "settings injected: attempts, lifetime, digits, locale")
def injected_settings(arena: Arena) -> Cases:
    """Settings are the flow's."""
    names = (
        "attempts",
        "attempts_left",
        "ttl",
        "lifetime",
        "digits",
        "length",
        "alphabet",
        "resend_after",
        "expires_at",
    )
    for name in names:
        for value in ("0", "1", "99", "-1", "999999999999"):
            yield from _unmoved(arena, {name: value})
    for value in ("../../x", "/etc/passwd", "de\0", "en-x", "x" * 5000):
        yield from _unmoved(arena, {"locale": value, "lang": value, "template": value})


@family("C-05", "another destination")
def other_destination(arena: Arena) -> Cases:
    """Mail goes to the user's own address."""
    for name in ("email", "phone", "phone_number", "destination", "to", "address", "userAttributes", "cc", "bcc"):
        for value in ("eve@evil.com", "ann@example.com,eve@evil.com", "+15550100"):
            yield from _unmoved(arena, {name: value})
            yield any(message.to.endswith("evil.com") for message in arena.mail.messages)


@family("C-06", "the client's own time, address and device")
def own_time(arena: Arena) -> Cases:
    """None of it is looked at."""
    for name in (
        "time",
        "now",
        "timestamp",
        "ip",
        "ipAddress",
        "X-Forwarded-For",
        "device",
        "deviceId",
        "issued",
        "expires",
    ):
        for value in ("0", "1800000000", "9999999999", "127.0.0.1", "-1"):
            yield from _unmoved(arena, {name: value})


@family("C-07", "thousands of keys, a megabyte, odd types and names", share=0.3)
def odd_metadata(arena: Arena) -> Cases:
    """Ignored, and quickly."""
    while True:
        for each in (
            {f"key{number}": "x" for number in range(10_000)},
            {"watchword_choice": "x" * 10**6, "watchword_action": "y" * 10**6},
            {"watchword_choice": None, "watchword_action": None},
            {"watchword_choice": ["email_otp"], "watchword_action": {"resend": True}},
            {"watchword_action": True, "watchword_choice": 0},
            {"__class__": "x", "constructor": "y", "__proto__": {"issueTokens": True}},
            {"\0": "\ud800", "": ""},
        ):
            yield from _unmoved(arena, each)
            one = reached(arena, arena.target())
            yield slow(partial(_accepted, arena, one, "x", each))
        for said in _NO_METADATA:
            one = reached(arena, arena.target())
            event = one.create_event()
            event["request"]["clientMetadata"] = said
            yield _decided(arena, event) != _decided(arena, one.create_event())


@family("C-08", "a choice that is not offered, or not any more")
def forbidden_choice(arena: Arena) -> Cases:
    """A choice only chooses among what the flow offers now."""
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target()
            one = reached(arena, target, door=door)
            offered = one.public.get("choices", "").split(",")
            names = [
                name for name in (*arena.flow.steps, "select", "PASSWORD_VERIFIER", "tokens", "") if name not in offered
            ]
            one.answer(wrong_answer(one.right, arena.draw), choice=arena.draw.choice(names))
            allowed = {target.step.name, "select", *_neighbours(arena, target.step.name)}
            yield one.tokens or one.public.get("step", target.step.name) not in allowed
            fresh = visit(arena, arena.person("bob", target.scene), srp=target.srp, door=door)
            if fresh.public and not fresh.host:
                fresh.answer(wrong_answer(fresh.right, arena.draw), choice="select")
                yield fresh.tokens


@family("C-09", "the answer to one option of a choice given to another", needs="offer")
def answer_to_another_option(arena: Arena) -> Cases:
    """An answer in a choice counts for the option that it names, if that is offered, and for no other."""
    while True:
        arena.renew()
        target = arena.target(lambda each: each.offered)
        one = played(arena, arena.person("ann", target.scene), target.moves[:-1])
        rights = arena.offered_in(one.private)
        names = [*one.public.get("choices", "").split(","), *arena.flow.steps, "select", ""]
        for step, right in rights.items():
            for name in names:
                arena.books.renew()
                if right is not None and rights.get(name, "") != right:
                    yield _accepted(arena, one, right, _answering(name))
            for action in ("", "resend", "answer ", "ANSWER", "answer:" + step):
                arena.books.renew()
                yield _accepted(arena, one, right or "", {**_answering(step), "watchword_action": action})
            arena.books.renew()
            yield _accepted(arena, one, wrong_answer(right, arena.draw), _answering(step))
            arena.books.renew()
            private = {
                **one.private,
                f"offer_{step}": one.private.get(f"offer_{arena.draw.choice(list(rights))}", "{}"),
            }
            yield private != dict(one.private) and arena.accepts(one.person, private, right)
        yield from _told_of_another(arena, one, rights)


def _told_of_another(arena: Arena, one: Any, rights: Mapping[str, object]) -> Iterator[bool]:
    """Have Define told of an answer to what was not offered, by the client and by the metadata of a next round."""
    passed = [*one.rounds, round_of("CUSTOM_CHALLENGE", True, one.metadata)]
    for name in (*arena.flow.steps, "select", "", "tokens"):
        if name not in rights:
            yield arena.issues(one.person, passed, _answering(name))
            for step in arena.flow.steps:
                forged = with_field(with_field(one.metadata, "step", step), "before", f"answer:{name}")
                yield unworthy(arena, one.person, [*passed, round_of("CUSTOM_CHALLENGE", True, forged)])


@family("C-10", "a choice answered twice, or too late", needs="offer")
def second_answer_to_a_choice(arena: Arena) -> Cases:
    """A choice takes one answer, for one option, in time."""
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target(lambda each: each.offered)
            first = played(arena, arena.person("ann", target.scene), target.moves[:-1])
            rights = {step: right for step, right in arena.offered_in(first.private).items() if right is not None}
            step = arena.draw.choice(sorted(rights))
            for name in sorted(rights, key=lambda each: each == step):
                _accepted(arena, first, wrong_answer(rights[name], arena.draw), _answering(name))
                yield _accepted(arena, first, rights[name], _answering(name))
            late = played(arena, arena.person("ann", target.scene), target.moves[:-1])
            right = arena.offered_in(late.private).get(step) or ""
            arena.clock.advance(arena.flow.steps[step].lifetime + arena.draw.choice((0, 1, 20)))
            yield _accepted(arena, late, right, _answering(step))
            once = played(arena, arena.person("bob", target.scene), target.moves[:-1], door)
            once.answer("-", action="answer", choice=step)
            yield once.tokens


def _answering(step: str) -> dict[str, str]:
    """Return the client metadata of an answer to *step* in a choice."""
    return {"watchword_action": "answer", "watchword_choice": step}


def _neighbours(arena: Arena, step: str) -> set[str]:
    """Return the steps that may follow *step* by its failing or by another choice."""
    return set(arena.flow.steps) if len(arena.flow.steps) > 1 else {step}


def _unmoved(arena: Arena, said: Mapping[str, Any]) -> Iterator[bool]:
    """Try *said* with Define, Create and Verify: what they answer must be what they answer without."""
    arena.renew()
    one = reached(arena, arena.target())
    if not one.private:
        return
    answered = round_of("CUSTOM_CHALLENGE", arena.draw.random() < 0.3, one.metadata)
    rounds = [*one.rounds, answered]
    plain = arena.event("define", one.person, {"session": rounds})
    told = arena.event("define", one.person, {"session": rounds}, said)
    yield _decided(arena, plain) != _decided(arena, told)
    answered["challengeResult"] = False
    event = arena.event("create", one.person, {"session": rounds})
    # The last try may bring a step that sends a mail of its own.
    made, again, mails = _made(arena, event), _made(arena, event), len(arena.mail.messages)
    yield _is_moved(made, again, _made(arena, arena.event("create", one.person, {"session": rounds}, said)))
    yield _accepted(arena, one, wrong_answer(one.right, arena.draw), said)
    yield len(arena.mail.messages) > mails


def _is_moved(made: _Made, again: _Made, told: _Made) -> bool:
    """Say whether *told* differs from *made* in anything that was the same *again*: the rest is drawn in each call."""
    if isinstance(made, str) or isinstance(again, str) or isinstance(told, str):
        return made != told
    same = (name for name in made.keys() | told.keys() if made.get(name) == again.get(name))
    return any(made.get(name) != told.get(name) for name in same)


def _decided(arena: Arena, event: AttackEvent) -> object:
    try:
        return arena.call("define", {**event, "triggerSource": "DefineAuthChallenge_Authentication"})
    except TriggerError as error:
        return str(error).partition(" ")[0]


def _made(arena: Arena, event: AttackEvent) -> _Made:
    try:
        made = arena.call("create", event)
    except TriggerError as error:
        return str(error).partition(" ")[0]
    drawn = _ITS_OWN | drawn_of(arena)
    shown = with_offers_apart(made["publicChallengeParameters"])
    public = {name: value for name, value in shown.items() if last_part(name) not in drawn}
    # A picture is drawn anew each time; all else is the same.
    return {name: value if len(value) < 300 else "" for name, value in public.items()}


def _accepted(arena: Arena, one: Any, answer: str, said: Mapping[str, Any]) -> bool:
    request = {"privateChallengeParameters": dict(one.private), "challengeAnswer": answer}
    try:
        return bool(arena.call("verify", arena.event("verify", one.person, request, said))["answerCorrect"])
    except TriggerError:
        return False


FAMILIES = families_in(globals())
