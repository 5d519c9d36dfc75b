"""R: guessing and flooding, up to and beyond the limits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve

from watchword.algebra.flow import own_tries
from watchword.contract.ports import LEASE, Limit
from watchword.errors import UnavailableError
from watchword_adapters.attacks.arena.attacked_host import Arena, AttackedUser
from watchword_adapters.attacks.arena.client_sessions import DOORS, played, reached, visit
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.ledgers.sqlite import SqliteLedger

LOOKS_SENT = frozenset({"authn_code_sent", "authn_code_withheld", "sys_message_refused"})
"""The events that say what became of a message, where the client is told that it was sent."""


class _Count:
    """Counts what is compared and sent while a budget stands still; see `over`."""

    def __init__(self, arena: Arena, target: AttackTarget) -> None:
        self._arena = arena
        limits = arena.flow.limits.guesses_at(target.step)
        self._most = min((limit.count for limit in limits), default=1_000_000)  # nothing is charged
        self._step = target.step.name

    def over(self) -> bool:
        """Say whether more was compared than the budget and the own tries of each message allow.

        A message that is withheld or refused has its tries like one that is sent: nobody shall see a difference.
        """
        judged = [each for each in self._arena.notes.judged if each.step == self._step and not each.enrols]
        messages = [
            each for each in self._arena.audit.events if each.name in LOOKS_SENT and each.detail["step"] == self._step
        ]
        return len(judged) > self._most + own_tries(self._arena.flow) * len(messages)


def _guesses(arena: Arena, one: Any) -> None:
    if one.public and not one.host:
        one.answer(wrong_answer(one.right, arena.draw))


@family("R-01", "many sign-ins, one guess in each", share=3)
def many_sessions(arena: Arena) -> Cases:
    """The limit is across sign-ins (RFC 4226 7.3)."""
    while True:
        arena.renew()
        target = arena.target()
        count = _Count(arena, target)
        door = arena.draw.choice(DOORS if not target.srp else DOORS[:1])
        for _ in range(40):
            _guesses(arena, reached(arena, target, door=door))
            yield count.over()


@family("R-02", "many guesses at the same moment")
def guesses_at_once(arena: Arena) -> Cases:
    """Each is paid for before it is compared."""
    with ThreadPoolExecutor(8) as threads:
        while True:
            arena.renew()
            target = arena.target()
            count = _Count(arena, target)
            one = reached(arena, target)
            if not one.private:
                yield False
                continue
            rounds = [_round_again(arena, one) for _ in range(24)]
            guesses = [wrong_answer(one.right, arena.draw) for _ in rounds]

            def guessed(private: Any, guess: str, one: Any = one) -> bool:
                return arena.accepts(one.person, private, guess)

            for right in threads.map(guessed, rounds, guesses):
                yield right or count.over()


@family("R-03", "guesses spread over clients, doors, and spellings of the name")
def spread(arena: Arena) -> Cases:
    """One budget for one user of one pool."""
    while True:
        arena.renew()
        target = arena.target()
        count = _Count(arena, target)
        person = arena.person("ann", target.scene)
        for name in (
            "ann",
            "ANN",
            "Ann ",
            "ann+tag",
            "\uff41\uff4e\uff4e",
            "ann@example.com",
            str(person.attributes["sub"]),
        ):
            for client in range(3):
                other = evolve(person, name=name)
                one = played(arena, other, target.moves)
                if one.private:
                    # The same challenge from another client is not even looked at.
                    yield arena.accepts(other, one.private, "1", callerContext={"clientId": f"client{client}"})
                for _ in range(2):
                    _guesses(arena, one)
                    yield count.over()


@family("R-04", "ways to have an empty budget filled again", share=0.5)
def refilled(arena: Arena) -> Cases:
    """A resend, a new sign-in, another's success, the end of a challenge: none of them fills it."""
    while True:
        arena.renew()
        target = arena.target()
        count = _Count(arena, target)
        for _ in range(14):
            _guesses(arena, reached(arena, target))
        for way in ("resend", "other", "bob", "late", "unknown"):
            one = reached(arena, target, "bob" if way == "bob" else "ann")
            judged = len(arena.notes.judged)
            if way == "resend" and one.public:
                one.answer("", action="resend")
            elif way == "bob" and one.public:
                one.answer(one.right or "")
                del arena.notes.judged[judged:]
            elif way == "unknown":
                visit(arena, arena.person("nobody", target.scene, known=False), srp=target.srp)
            elif way == "late":
                arena.clock.advance(30)
            _guesses(arena, reached(arena, target))
            yield count.over()


@family("R-05", "asking for mail a hundred times", needs="mail", share=2)
def flooded(arena: Arena) -> Cases:
    """In a second, and over a day: no window holds more than its limit."""
    # Behind a factor there is a budget of its own, and each channel has its own.
    budgets = {
        each.step.name: (each.step.powers.channel, _is_proven(arena, each)) for each in arena.targets if each.sends
    }
    while True:
        for pause in (0.01, 17, 61, 300, 1000):
            arena.renew()
            target = arena.target(lambda each: each.sends)
            sent: list[float] = []
            door = arena.draw.choice(DOORS if not target.srp else DOORS[:1])
            for _ in range(100 if pause < 1 else 30):
                before = len(arena.mail.messages)
                arena.audit.events.clear()
                one = reached(arena, target, door=door)
                if one.public and arena.draw.random() < 0.3:
                    one.answer("", action="resend")
                if len({*budgets.values()}) == 1:
                    sent += [arena.clock.now()] * (len(arena.mail.messages) - before)
                else:
                    steps = [each.detail["step"] for each in arena.audit.events if each.name == "authn_code_sent"]
                    sent += [arena.clock.now() for step in steps if budgets[step] == budgets[target.step.name]]
                yield any(_crowded(sent, limit) for limit in arena.flow.limits.messages)
                arena.clock.advance(pause)


def _is_proven(arena: Arena, target: AttackTarget) -> str:
    """Return what the challenge of *target* says of the factors before it."""
    arena.renew()
    return str(reached(arena, target).private.get("proven"))


def _crowded(times: list[float], limit: Limit) -> bool:
    return any(
        sum(start <= each < start + limit.seconds for each in times[place:]) > limit.count
        for place, start in enumerate(times)
    )


@family("R-06", "mail had by wrong answers", needs="mail")
def mailed_for_wrong(arena: Arena) -> Cases:
    """A wrong answer sends nothing."""
    while True:
        for door in DOORS:
            arena.renew()
            one = reached(arena, arena.target(lambda each: each.sends), door=door)
            step, sent = one.public.get("step"), len(arena.mail.messages)
            # An answer that comes too late is no wrong answer, and has a new code sent.
            left = arena.flow.steps[step].lifetime if step in arena.flow.steps else 0
            while one.public.get("step") == step and one.refused is None:
                one.answer(wrong_answer(one.right, arena.draw))
                # What comes after the last try may send a mail of its own.
                yield one.public.get("step") == step and len(arena.mail.messages) > sent
                pause = arena.draw.choice([0, 17, 61])
                left -= pause
                if left <= 0:
                    break
                arena.clock.advance(pause)


@family("R-07", "one's own success between guesses at another")
def own_success(arena: Arena) -> Cases:
    """It gives nothing back to anybody else's budget."""
    while True:
        arena.renew()
        target = arena.target()
        count = _Count(arena, target)
        for _ in range(40):
            judged, events = len(arena.notes.judged), len(arena.audit.events)
            mine = reached(arena, target, "bob")
            if mine.public:
                mine.answer(mine.right or "")
            del arena.notes.judged[judged:]
            del arena.audit.events[events:]
            _guesses(arena, reached(arena, target))
            yield count.over()


@family("R-08", "shutting a user out by burning the budget", needs="mail", share=0.5)
def shut_out(arena: Arena) -> Cases:
    """A code that was delivered for a sign-in stays good in it, whatever strangers do."""
    while True:
        arena.renew()
        target = arena.target(lambda each: each.sends)
        victim = reached(arena, target)
        if not victim.private:
            yield False  # the budget has no message for this step, so no code was delivered
            continue
        arena.clock.advance(LEASE + 1)
        stranger = reached(arena, target)
        for _ in range(15):
            private: Any = _round_again(arena, stranger) if stranger.private else {}
            arena.accepts(stranger.person, private, wrong_answer(stranger.right, arena.draw))
        accepted = len(arena.books.used_up)
        victim.answer(victim.right or "")
        yield len(arena.books.used_up) == accepted


@family("R-09", "guesses while the ledger is down")
def ledger_down(arena: Arena) -> Cases:
    """Nothing is compared, nothing is sent."""
    errors: tuple[Callable[[], BaseException], ...] = (
        lambda: UnavailableError("down"),
        lambda: OSError("down"),
        lambda: TypeError("down"),
        TimeoutError,
        lambda: SystemExit(1),
    )
    while True:
        for make in errors:
            for door in DOORS:
                arena.renew()
                target = arena.target()
                one = reached(arena, target, door=door)
                right, judged, sent = one.right, len(arena.notes.judged), len(arena.mail.messages)
                # What no port may raise, plain functions pass on to the program; the triggers keep it in.
                arena.books.inner = _Dead(errors[0] if door == "functions" else make)
                one.answer(arena.draw.choice([right or "", "1"]))
                other = reached(arena, target, "bob", door="triggers")
                yield one.tokens or other.tokens
                yield len(arena.notes.judged) > judged or len(arena.mail.messages) > sent


class _Dead:
    def __init__(self, make: Callable[[], BaseException]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        def fails(*_: object, **__: object) -> Any:
            raise self._make()

        return fails


@family("R-10", "counters that hold text, negative or huge numbers", needs="budget", share=0.1)
def poisoned(arena: Arena) -> Cases:
    """A ledger file with rows that nobody wrote makes no room."""
    for value in arena.draw.sample(["x", "", None, -1, -(10**18), 10**18, b"\0", 1e308, "1800000000"], 9):
        with _on_disk(arena) as path:
            target = arena.target(lambda each: each.charged)
            if not _emptied(arena, target):
                yield False
                continue
            with closing(sqlite3.connect(path)) as connection, connection:
                for table, column in (("entries", "at"), ("tries", "used"), ("rounds", "paid")):
                    with_null = f"UPDATE OR IGNORE {table} SET {column} = ?"  # noqa: S608 - names from above
                    connection.execute(with_null, (value,))
            sent = len(arena.mail.messages)
            one = reached(arena, target)
            # A mail brings one try of its own.
            yield _compared(arena, one) and len(arena.mail.messages) == sent


def _emptied(arena: Arena, target: AttackTarget) -> bool:
    """Guess until neither the budget nor a mail's own tries have any left; say whether that came about."""
    limits = arena.flow.limits
    one = reached(arena, target)
    for _ in range(min(limit.count for limit in limits.guesses_at(target.step)) if one.private else 0):
        arena.accepts(one.person, _round_again(arena, one), wrong_answer(one.right, arena.draw))
    tries = [_compared(arena, reached(arena, target)) for _ in range(own_tries(arena.flow) + 2)]
    return not tries[-1] and bool(one.private)


def _compared(arena: Arena, one: Any) -> bool:
    """Guess, and say whether the guess was compared."""
    judged = len(arena.notes.judged)
    _guesses(arena, one)
    return len(arena.notes.judged) > judged


@contextmanager
def _on_disk(arena: Arena) -> Generator[Path]:
    """Have the arena use a ledger in a file, in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        path = Path(folder) / "ledger.db"
        arena.renew()
        ledger = SqliteLedger(path, clock=arena.clock)
        arena.books.inner = ledger
        try:
            yield path
        finally:
            ledger.close()
            arena.renew()


@family("R-11", "one guess at each of many users")
def sprayed(arena: Arena) -> Cases:
    """Each leaves one event behind, so that an alarm can count them; nobody is signed in."""
    for number in range(400):
        target = arena.target()
        attributes = {"sub": f"sub{number}", "email": f"u{number}@example.com", "email_verified": "true"}
        name = f"user{number}"
        person = arena.enrols(AttackedUser(name, target.scene, arena.attributes_for(name, target.scene, attributes)))
        one = visit(arena, person, srp=target.srp)
        if target.srp and one.host:
            one.prove()
        arena.audit.events.clear()
        if one.private and one.public.get("kind") != "select":
            one.answer(wrong_answer(one.right, arena.draw))
            failures = [
                event for event in arena.audit.events if event.detail.get("reason") in {"wrong", "malformed", ""}
            ]
            yield one.tokens or len(failures) > 1 or not arena.audit.events
        else:
            yield one.tokens


@family("R-12", "the clock set back and forward")
def wrong_clock(arena: Arena) -> Cases:
    """No window grows."""
    while True:
        arena.renew()
        target = arena.target()
        count = _Count(arena, target)
        limits = arena.flow.limits.guesses_at(target.step)
        jump = min([3600, *(limit.seconds for limit in limits)]) // 4
        for place in range(24):
            if place % 6 == 5:
                arena.clock.set_by(jump if place % 12 == 5 else -jump)
            _guesses(arena, reached(arena, target))
            yield count.over()


def _round_again(arena: Arena, one: Any) -> Any:
    """Return the private parameters of another round of the challenge at hand, as a host's repeat would make them."""
    made: dict[str, Any] = arena.call("create", one.create_event())
    return made["privateChallengeParameters"]


FAMILIES = families_in(globals())
