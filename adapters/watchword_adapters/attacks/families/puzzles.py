"""K: puzzles such as a CAPTCHA: read from the challenge, replayed, or kept for later."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import struct
from collections.abc import Iterator, Mapping
from typing import Any, cast

from watchword.algebra.flow import Flow
from watchword.analysis.checks import check
from watchword.errors import ConfigurationError
from watchword.testing.leaks import reveals
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import DOORS, reached
from watchword_adapters.attacks.arena.kind_probe import Spy, read_work, wrong_answer
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.family import Cases, families_in, family

_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"VP8 ", b"VP8L", b"VP8X"}

_LOOK_ALIKES = (
    *(("S", "\u017f"), ("I", "\u0131"), ("K", "\u212a"), ("A", "\u0410"), ("E", "\uff25"), ("3", "\uff13")),
    *(("C", "\u0421"), ("T", "\u0422"), ("a", "\uff41"), ("4", "\u0664")),
)
"""Signs that become, or look like, others: long s, dotless i, KELVIN SIGN, Cyrillic and full-width letters."""

_NOTHING: tuple[Any, ...] = (None, "", " ", "-", "\0", [], {}, False, 0, "None", "null", "\u200b")
_ODD_NUMBERS: tuple[Any, ...] = (-1, 10**9, 10**100, "6", None, True, 1.5, float("nan"), [], b"6")
_ODD_FONTS: tuple[Any, ...] = (
    *(["/etc/passwd"], ["/dev/null"], ["x"] * 17, [""], "x", [7], ["\0"], ["/proc/self/mem"]),
)


def _puzzle(each: AttackTarget) -> bool:
    return each.puzzles and each.draws


def _picture(text: str) -> bytes:
    """Return the bytes of a picture in base64, or nothing."""
    try:
        return base64.b64decode(text, validate=True) if len(text) > 300 else b""
    except ValueError:
        return b""


def _chunks(data: bytes) -> Iterator[bytes]:
    """Give the names of the chunks of a PNG or WebP picture."""
    if data.startswith(b"\x89PNG"):
        at = 8
        while at + 8 <= len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            yield data[at + 4 : at + 8]
            at += 12 + length
    elif data[:4] == b"RIFF":
        at = 12
        while at + 8 <= len(data):
            (length,) = struct.unpack("<I", data[at + 4 : at + 8])
            yield data[at : at + 4]
            at += 8 + length + length % 2


@family("K-01", "the answer in the parameters, in the chunks or text of the picture", needs="drawn")
def answer_in_sight(arena: Arena) -> Cases:
    """It is in the picture alone, as a picture."""
    while True:
        arena.renew()
        one = reached(arena, arena.target(_puzzle))
        for text in one.public.values():
            yield bool(one.right) and reveals(text, one.right)
            body = text.rpartition(",")[2]
            data = _picture(body)
            if data:
                yield not set(_chunks(data)) <= _CHUNKS
                yield one.right.encode() in data or one.right.lower().encode() in data


@family("K-02", "a digest of the answer that needs no key", needs="drawn")
def unkeyed_digest(arena: Arena) -> Cases:
    """28^6 of them are tried in minutes."""
    while True:
        arena.renew()
        one = reached(arena, arena.target(_puzzle))
        for text in (*one.private.values(), one.metadata):
            yield bool(one.right) and reveals(text, one.right)


@family("K-03", "the same answer drawn again and again, to vote over the pictures", needs="drawn")
def drawn_again(arena: Arena) -> Cases:
    """Every Create makes a new answer, also for the same event."""
    while True:
        arena.renew()
        one = reached(arena, arena.target(_puzzle))
        seen = {one.right}
        for _ in range(4):
            arena.call("create", one.create_event())
            yield arena.notes.made[-1].right in seen
            seen.add(arena.notes.made[-1].right)


@family("K-04", "the same picture after a wrong answer", needs="drawn")
def same_picture(arena: Arena) -> Cases:
    """A new one, with a new text."""
    while True:
        for door in DOORS:
            arena.renew()
            one = reached(arena, arena.target(_puzzle), door=door)
            before, right = dict(one.public), one.right
            one.answer(wrong_answer(one.right, arena.draw))
            if one.public.get("step") == before.get("step"):
                yield one.right == right
                yield any(len(text) > 300 and text == one.public.get(name) for name, text in before.items())


@family("K-05", "a solved puzzle in another sign-in, of another user, at another step", needs="drawn", share=2)
def solved_elsewhere(arena: Arena) -> Cases:
    """Solved once, for one sign-in."""
    while True:
        arena.renew()
        target = arena.target(_puzzle)
        one, other = reached(arena, target), reached(arena, target, "bob")
        yield arena.accepts(other.person, other.private, one.right)
        yield arena.accepts(other.person, one.private, one.right)
        mixed = {**other.private, "digest": one.private.get("digest", "")}
        yield arena.accepts(other.person, mixed, one.right)
        one.answer(one.right or "")
        again = reached(arena, target)
        yield arena.accepts(again.person, again.private, one.right) if one.right else False


@family("K-06", "no answer at all", needs="drawn")
def no_answer(arena: Arena) -> Cases:
    """None, empty, blank."""
    while True:
        for answer in _NOTHING:
            for door in ("triggers", "pool", "functions"):
                arena.renew()
                one = reached(arena, arena.target(_puzzle), door=door)
                if one.door == "triggers":
                    yield arena.accepts(one.person, one.private, answer)
                elif isinstance(answer, str):
                    before = len(arena.books.used_up)
                    one.answer(answer)
                    yield len(arena.books.used_up) > before


@family("K-07", "randomness that can be set", needs="drawn")
def seeded(arena: Arena) -> Cases:
    """`random.seed` changes nothing in what is drawn."""
    state = random.getstate()
    try:
        for number in range(40):
            pictures: list[object] = []
            for _ in range(2):
                random.seed(number)
                arena.renew()
                one = reached(arena, arena.target(_puzzle))
                pictures.append((one.right, sorted(text for text in one.public.values() if len(text) > 300)))
            yield pictures[0] == pictures[1]
    finally:
        random.setstate(state)


@family("K-08", "giant, empty and hostile settings", needs="drawn")
def giant_settings(arena: Arena) -> Cases:
    """Refused when the kind is made or prepared."""
    kind = cast("Any", arena.registry.find_kind("captcha"))
    for name in ("width", "height", "length", "attempts", "lifetime", "dots", "arcs"):
        for value in _ODD_NUMBERS:
            yield _makes(kind, {name: value})
    for value in _ODD_FONTS:
        yield _makes(kind, {"fonts": value})
    for name in ("format", "encoding", "locale"):
        for value in ("", "exe", "../x", None, 7):
            yield _makes(kind, {name: value})


def _makes(kind: Any, settings: dict[str, object]) -> bool:
    try:
        kind(**settings).prepare()
    except ConfigurationError:
        return False
    return True


@family("K-09", "letters that become others when folded", needs="drawn")
def folded_answers(arena: Arena) -> Cases:
    """An answer is ASCII before anything is folded."""
    while True:
        arena.renew()
        one = reached(arena, arena.target(_puzzle))
        right = one.right or "ABCDEF"
        for plain, odd in _LOOK_ALIKES:
            place = right.upper().find(plain)
            answer = right.upper().replace(plain, odd) if place >= 0 else odd + right[1:]
            arena.books.renew()
            yield arena.accepts(one.person, one.private, answer)


def _key_of(parameters: Mapping[str, Any], counter: int) -> str:
    """Return the key that *counter* gives, as a client computes it."""
    password, salt = bytes.fromhex(parameters["nonce"]) + counter.to_bytes(4, "big"), bytes.fromhex(parameters["salt"])
    if parameters["algorithm"] == "SCRYPT":
        n, r, p = (int(parameters[name]) for name in ("cost", "memoryCost", "parallelism"))
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=256 * n * r * p).hex()
    digest = parameters["algorithm"].rpartition("/")[2].lower().replace("-", "")
    return hashlib.pbkdf2_hmac(digest, password, salt, parameters["cost"], 32).hex()


def _without_work(work: Mapping[str, dict[str, Any]]) -> Iterator[Mapping[str, object]]:
    """Give payloads for which nobody has done the work that *work* is the proof of."""
    challenge, solution = work["challenge"], work["solution"]
    asked, counter, key = challenge["parameters"], int(solution["counter"]), str(solution["derivedKey"])
    for other in {0, 1, 2**32 - 1} - {counter}:
        yield {**work, "solution": {"counter": other, "derivedKey": _key_of(asked, other)}}
    for odd in (-1, 2**32 + counter, 10**400, float(counter), str(counter), True, None, [counter]):
        yield {**work, "solution": {"counter": odd, "derivedKey": key}}
    for empty in ("", key[:32], key[:-2], "0" * 64, key.upper() if key.upper() != key else "", None):
        yield {**work, "solution": {"counter": counter, "derivedKey": empty}}
    easier = {"cost": asked["cost"] // 2}
    nonce, salt = asked["nonce"], asked["salt"]
    forged: tuple[Mapping[str, object], ...] = (
        *(
            {"keyPrefix": ""},
            {"keyPrefix": "00"},
            {"keyLength": 1},
            {"expiresAt": 2**53},
            {"data": {"round": "1"}},
            easier,
        ),
        *({"nonce": nonce[:-2], "salt": nonce[-2:] + salt}, {"nonce": "00" * 16}, {"salt": "00" * 16}),
        *({"algorithm": "SHA-256", "cost": 1}, {"algorithm": "none"}, {"keySignature": ""}, {"counterMode": "string"}),
    )
    for changes in forged:
        own = {**asked, **changes}
        known = own["algorithm"] == asked["algorithm"]
        solved = {"counter": 0, "derivedKey": _key_of(own, 0) if known else "00" * 32}
        yield {"challenge": {**challenge, "parameters": own}, "solution": solved}
        yield {"challenge": {**challenge, "parameters": own}, "solution": solution}
    for signature in ("", "0" * 64, None):
        yield {**work, "challenge": {**challenge, "signature": signature}}


@family("K-11", "work that nobody has done, or somebody for another round", needs="work", share=2)
def no_work(arena: Arena) -> Cases:
    """Only the one solution of the round's own challenge counts: of other numbers, other rounds and other challenges, none."""
    while True:
        arena.renew()
        target = arena.target(lambda each: each.works)
        one, other = reached(arena, target), reached(arena, target, "bob")
        works = {whose: read_work(whose.right) for whose in (one, other)}
        for payload in _without_work(works[one]):
            arena.books.renew()  # each is the first answer to its round
            yield arena.accepts(one.person, one.private, base64.b64encode(json.dumps(payload).encode()).decode())
        for challenge, solution in ((one, other), (other, one)):
            mixed = {"challenge": works[challenge]["challenge"], "solution": works[solution]["solution"]}
            arena.books.renew()
            yield arena.accepts(one.person, one.private, base64.b64encode(json.dumps(mixed).encode()).decode())
        for whose, private in ((other, one.private), (one, other.private)):
            arena.books.renew()
            yield arena.accepts(one.person, private, whose.right)
        before = one.right
        one.answer("")
        yield bool(one.private) and arena.accepts(one.person, one.private, before)


@family("K-12", "a puzzle taken for a factor", needs="puzzle")
def no_factor(arena: Arena) -> Cases:
    """A flow of puzzles alone is an error to `watchword check`."""
    for target in arena.targets:
        if target.puzzles:
            kind = cast("Spy", target.step.kind)
            yield kind.proves != frozenset()
            yield not check(Flow(kind.real)).errors


FAMILIES = families_in(globals())
