"""E: enumeration of users by challenges, times and errors, which must not differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from attrs import evolve

from watchword.algebra import derivative
from watchword.contract.kinds import Email
from watchword.contract.ports import Receipt
from watchword.testing.time import VirtualClock
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import DOORS, Visit, finished, played, visit
from watchword_adapters.attacks.arena.kind_probe import MadeChallenge, wrong_answer
from watchword_adapters.attacks.arena.sample_kinds import own_flow
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.devices.user_addresses import address_names
from watchword_adapters.attacks.family import Cases, families_in, family

FLOOR = 0.5
_SIGN_INS = 24
DRAWN = frozenset(
    {
        "ref",
        "signin",
        "image",
        "SALT",
        "SRP_B",
        "SECRET_BLOCK",
        "USERNAME",
        "USER_ID_FOR_SRP",
        "expires_at",
        "resend_after",
    }
)


def shape(public: Mapping[str, str], loose: frozenset[str] = frozenset()) -> object:
    """Return what does not differ by chance: which parameters there are, and their form unless they are *loose*."""
    free = DRAWN | loose
    return {
        name: "" if last_part(name) in free or len(text) > 300 else _form(text)
        for name, text in with_offers_apart(public).items()
    }


def with_offers_apart(public: Mapping[str, str]) -> Mapping[str, str]:
    """Return *public* with the parameters of each offer in it one by one, such as ``offer_card.expires_at``."""
    apart: dict[str, str] = {}
    offers = {f"offer_{step}" for step in public.get("offers", "").split(",")}
    for name, text in public.items():
        offer = json.loads(text) if name in offers else None
        apart |= {name: text} if offer is None else {f"{name}.{inner}": each for inner, each in offer.items()}
    return apart


def last_part(name: str) -> str:
    """Return the name of a parameter without that of the offer it is in."""
    return name.rpartition(".")[2]


def refusal(one: Visit) -> str | None:
    """Return the text with which a sign-in was refused, but for its reference, which is drawn; None if it was not."""
    return one.refused and re.sub("ref [A-Z]{8}", "ref", one.refused)


def drawn_of(arena: Arena) -> frozenset[str]:
    """Return the parameters whose text is drawn: it differs from one sign-in of the same user to the next."""
    return frozenset(name for name, texts in _shown_by(arena).items() if len(texts) > 1)


def loose_of(arena: Arena) -> frozenset[str]:
    """Return the parameters whose very form is drawn."""
    return frozenset(name for name, texts in _shown_by(arena).items() if len({*map(_form, texts)}) > 1)


def _shown_by(arena: Arena) -> Mapping[str, set[str]]:
    """Return what the kinds of the flow show one user under each name, sign-in after sign-in."""
    if arena.given.fingerprint not in arena.memory:
        # An arena of its own, so that what is known already changes nothing for who asks.
        own = Arena(arena.given, "what is shown", attributes=arena.attributes, registry=arena.registry)
        made = [each for _ in range(_SIGN_INS) for each in _made_in(own)]
        texts: dict[str, dict[str, set[str]]] = {}
        for each in made:
            for name, text in each.challenge.public.items():
                texts.setdefault(name, {}).setdefault(each.step, set()).add(text)
        arena.memory[arena.given.fingerprint] = {
            name: max(by_step.values(), key=lambda shown: (len({*map(_form, shown)}), len(shown)))
            for name, by_step in texts.items()
        }
    return arena.memory[arena.given.fingerprint]


def _made_in(arena: Arena) -> Iterator[MadeChallenge]:
    for scene in arena.scenes:
        arena.renew()
        finished(arena, scene)
        yield from arena.notes.made


def _form(text: str) -> str:
    # Digits behind a mask are the end of somebody's number: which ones, says nothing of whether there is somebody.
    masked = re.sub(r"(?<=\*)[0-9]+", lambda digits: "0" * len(digits[0]), text)
    return re.sub("[a-z]", "x", masked)


def tale_of(
    arena: Arena,
    person: AttackedUser,
    door: str,
    script: tuple[str, ...],
    *,
    srp: bool,
    loose: frozenset[str] = frozenset(),
    note: Callable[[Mapping[str, str]], None] | None = None,
) -> list[object]:
    """Play a sign-in in which nothing is answered rightly, and return what a client sees of it.

    *loose* parameters may have any form; *note* is given all of them to the letter, round by round.
    """
    one = visit(arena, person, srp=srp, door=door)
    seen: list[object] = []

    def see() -> None:
        seen.append((shape(one.public, loose), one.host, refusal(one), one.tokens))
        if note is not None:
            note(with_offers_apart(one.public))

    see()
    for act in script:
        if one.refused is not None or one.tokens or one.host:
            break
        match act:
            case "resend":
                one.answer("", action="resend")
            case "wait":
                arena.clock.advance(61)
                continue
            case "solve" if _is_puzzle(arena, one.public.get("step", "")):
                one.answer(one.right or "")
            case _:
                one.answer(wrong_answer(None, arena.draw))
        see()
    return seen


def _pairs(arena: Arena, door: str) -> list[AttackedUser]:
    scene = arena.scenes[0]
    people = [arena.person("ann", scene), arena.person("nobody", scene, known=False)]
    if door == "triggers":
        ann = people[0]
        addresses = address_names(arena.attributes)
        less = {name: value for name, value in ann.attributes.items() if name not in addresses}
        unverified = {"email_verified": "false", "phone_number_verified": "false"}
        people += [
            evolve(ann, name="carl", attributes={**less, "sub": "s1"}),
            evolve(ann, name="dora", attributes={**ann.attributes, **unverified, "sub": "s2"}),
            evolve(ann, name="eric", attributes={**less, "sub": "s3", **dict.fromkeys(addresses, "no address")}),
            evolve(ann, name="finn", attributes={**ann.attributes, "sub": "s4", "phone_number": "+99900012345"}),
        ]
    # Whoever is asked something else by the flow's conditions is asked something else: `watchword check` says so (WW202).
    outcomes = (
        derivative.outcomes_of(arena.flow.conditions, each.attributes, scene.client, each.known) for each in people
    )
    return [each for each, outcome in zip(people, outcomes, strict=True) if outcome == scene.outcomes]


def script_of(arena: Arena) -> tuple[str, ...]:
    """Draw what is done in a sign-in."""
    return tuple(arena.draw.choice(("wrong", "solve", "solve", "resend", "wait")) for _ in range(7))


def _is_puzzle(arena: Arena, step: str) -> bool:
    # Where puzzles alone give tokens, they show who exists: `watchword check` calls that an error (WW101).
    if not any(target.step.proves or target.srp for target in arena.targets):
        return False
    return any(target.step.name == step and target.puzzles and target.common for target in arena.targets)


def open_mail(arena: Arena, **settings: Any) -> tuple[Arena, AttackTarget]:
    """Return a step that sends and to which nobody unknown is barred: of the flow at hand, or of the corpus's own."""
    if settings or not any(each.sends and each.open for each in arena.targets):
        given = arena.given if any(each.sends and each.open for each in arena.targets) else own_flow(arena.registry)
        arena = Arena(
            given, arena.seed, attributes=arena.attributes, memory=arena.memory, registry=arena.registry, **settings
        )
    return arena, arena.target(lambda each: each.sends and each.open)


def opens(arena: Arena) -> bool:
    """Say whether a password opens the flow in the first scene."""
    return arena.scenes[0].moves[:1] == (("srp", ""),)


@family("E-01", "what is asked of somebody, and of nobody", share=2)
def same_challenge(arena: Arena) -> Cases:
    """Unknown, without an address, unverified: the same parameters of the same form."""
    loose = loose_of(arena)
    while True:
        for door in DOORS:
            script = script_of(arena)
            tales: list[list[object]] = []
            for person in _pairs(arena, door):
                arena.renew()
                arena.clock.advance(4000 - arena.clock.now() % 1)
                tales.append(tale_of(arena, person, door, script, srp=opens(arena), loose=loose))
            for tale in tales[1:]:
                yield tale != tales[0]


@family("E-02", "the made-up destination of nobody", needs="mail")
def stable_destination(arena: Arena) -> Cases:
    """Always the same for a name, in any case; not the same for all names."""
    shown: set[str] = set()
    arena, target = open_mail(arena)
    for number in range(60):
        seen: set[str] = set()
        for name in (f"name{number}", f"NAME{number}", f"name{number}"):
            arena.renew()
            one = played(arena, AttackedUser(name, target.scene, {}, known=False), target.moves)
            seen.add(str(one.public.get("destination")))
        shown |= seen
        yield len(seen) > 1
    # A kind that shows none before a factor is proven tells nothing.
    yield len(shown) < 5 and shown not in ({"None"}, {""})


@family("E-03", "tries, cool-downs and lock-outs of nobody", share=0.2)
def same_limits(arena: Arena) -> Cases:
    """Budgets are charged for all alike, until they are empty and after."""
    loose = loose_of(arena)
    while True:
        for door in ("triggers", "functions"):
            tales: list[list[object]] = []
            scripts = [script_of(arena) for _ in range(9)]
            began = arena.clock.now()
            for person in _pairs(arena, "pool"):
                arena.renew()
                arena.clock.set_by(began - arena.clock.now())
                tales.append([])
                for script in scripts:
                    tales[-1] += tale_of(arena, person, door, script, srp=False, loose=loose)
                    arena.clock.advance(18)
            yield tales[0] != tales[1]


@family("E-04", "errors while the mail provider refuses", needs="mail")
def same_errors(arena: Arena) -> Cases:
    """As long as the courier is down, nobody gets another answer than somebody."""
    arena, target = open_mail(arena)
    loose = loose_of(arena)
    while True:
        for door in ("triggers", "pool", "functions"):
            arena.renew()
            arena.mail.down = True
            told: list[object] = []
            for person in (arena.person("ann", target.scene), arena.person("nobody", target.scene, known=False)):
                one = played(arena, person, target.moves, "triggers" if target.srp else door)
                told.append((refusal(one), shape(one.public, loose)))
            yield told[0] != told[1]
            arena.mail.down = False
            arena.clock.advance(100)


class SlowMail:
    """A courier whose mails take time by the virtual clock, as long as *draw* says."""

    channel: ClassVar[str] = "email"

    floor = FLOOR

    def __init__(self, clock: VirtualClock, draw: Callable[[], float]) -> None:
        self._clock = clock
        self._draw = draw
        self.sent = 0

    def send(self, message: Email, within: float) -> Receipt:
        """Take some time."""
        self._clock.advance(self._draw())
        self.sent += 1
        return Receipt(message.id)


@family("E-05", "the time that a challenge takes, with and without a mail", needs="mail", share=2)
def same_time(arena: Arena) -> Cases:
    """Sends that are done before the floor cannot be told from none."""
    clock = VirtualClock()
    slow = SlowMail(clock, lambda: min(FLOOR, arena.draw.lognormvariate(-1.9, 0.35)))
    timed, target = open_mail(arena, courier=slow, clock=clock, pad_to=FLOOR)
    for number in range(300):
        taken: list[float] = []
        for known in (True, False):
            person = _passer_by(timed, number, target, known=known)
            began = clock.monotonic()
            played(timed, person, target.moves)
            taken.append(clock.monotonic() - began)
        timed.clock.advance(20)
        yield abs(taken[0] - taken[1]) > 1e-9


def _passer_by(arena: Arena, number: int, target: Any, *, known: bool) -> AttackedUser:
    attributes = {"sub": f"sub{number}", "email": f"u{number}@example.com", "email_verified": "true"}
    name = f"{'u' if known else 'x'}{number}"
    own = arena.attributes_for(name, target.scene, attributes) if known else {}
    return arena.enrols(AttackedUser(name, target.scene, own, known))


@family("E-06", "what an answer takes, of somebody and of nobody")
def same_work(arena: Arena) -> Cases:
    """The same calls of the ledger, the same time, and the kind is asked in both cases."""
    while True:
        work: list[object] = []
        for person in _pairs(arena, "triggers")[:2]:
            arena.renew()
            one = visit(arena, person, srp=opens(arena))
            if one.host:
                one.prove()
            arena.books.calls.clear()
            arena.notes.judged.clear()
            began = arena.clock.monotonic()
            # Nobody unknown comes to an enrolment: a factor is proven before it.
            if one.private and one.private.get("enrols") != "1":
                arena.accepts(person, one.private, wrong_answer(None, arena.draw))
            work.append((tuple(arena.books.calls), arena.clock.monotonic() - began, len(arena.notes.judged)))
        yield work[0] != work[1]


@family("E-07", "mail to somebody who does not exist", needs="mail")
def no_mail_to_nobody(arena: Arena) -> Cases:
    """None, at any door."""
    while True:
        for door in DOORS:
            arena.renew()
            target = arena.target(lambda each: each.sends)  # behind a factor too: nobody gets so far
            name = f"{arena.draw.choice(['nobody', 'nobody@example.com', 'ann@example.com'])}"
            person = arena.person(name, target.scene, known=False)
            tale_of(arena, person, "triggers" if target.srp else door, script_of(arena), srp=target.srp)
            yield bool(arena.mail.messages)


@family("E-08", "names and addresses in the audit")
def hashed_users(arena: Arena) -> Cases:
    """Users stand in it as keyed digests."""
    while True:
        for person in _pairs(arena, "triggers"):
            arena.renew()
            tale_of(arena, person, "triggers", script_of(arena), srp=opens(arena))
            text = repr(arena.audit.events)
            found = [value for value in (person.name, *person.attributes.values()) if len(value) > 5 and value in text]
            yield bool(found)


FAMILIES = families_in(globals())
