"""X: plugins: kinds that misbehave, dangerous settings, huge inputs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from attrs import fields

from watchword import load_flow
from watchword.algebra.blocks import named
from watchword.algebra.flow import Flow
from watchword.contract.kinds import Challenge, CreateRequest, Email, Kind, Verdict
from watchword.contract.powers import members_of
from watchword.errors import ConfigurationError
from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.arena.client_sessions import reached, round_of
from watchword_adapters.attacks.arena.cpu_timing import slow
from watchword_adapters.attacks.arena.sample_kinds import SampleQuestion
from watchword_adapters.attacks.arena.ways_to_steps import AttackTarget
from watchword_adapters.attacks.family import Cases, families_in, family

_ONE_MEGABYTE = 10**6


class Spoilt:
    """A kind like the *real* one, whose create or verify does something else."""

    def __init__(self, real: Kind, create: Callable[[Any], Any] | None, verify: Callable[[Any], Any] | None) -> None:
        vars(self).update(members_of(real))
        self.kind = real.kind
        self.proves = real.proves
        self._real = real
        self._create = create
        self._verify = verify

    def create(self, request: Any) -> Any:
        """Do it, or have the real one make a challenge."""
        return self._create(request) if self._create else self._real.create(request)

    def verify(self, request: Any) -> Any:
        """Do it, or have the real one judge."""
        return self._verify(request) if self._verify else self._real.verify(request)


def _spoilt(arena: Arena, create: Any = None, verify: Any = None) -> Arena:
    def spoil(kind: Kind) -> Spoilt:
        return Spoilt(kind, create, verify)

    return Arena(arena.given, arena.seed, attributes=arena.attributes, spoil=spoil)


def _asking(arena: Arena) -> list[AttackTarget]:
    """Return the steps at which the spoilt kinds are asked to create and to verify: an enrolment calls neither."""
    return [target for target in arena.targets if not target.enrolling]


def _raising(error: type[BaseException]) -> Callable[[Any], Any]:
    def fails(_: Any) -> Any:
        raise error("secret words")

    return fails


class _Truthy:
    right = True
    reason = ""


_VERDICTS: tuple[Any, ...] = (
    *(None, True, 1, "true", {"right": True}, {"answerCorrect": True}, [], _Truthy(), object(), Verdict),
    *(cast("Any", Verdict)("yes"), cast("Any", Verdict)(1), cast("Any", Verdict)(True, 7), cast("Any", Verdict)(None)),
)
_CHALLENGES: tuple[Any, ...] = (
    *(None, {}, "challenge", Challenge, (), object(), {"public": {}, "private": {}}),
    *(cast("Any", Challenge)(public=7), cast("Any", Challenge)(private={"a": 1}), cast("Any", Challenge)(carry=None)),
    Challenge(public={"USERNAME": "eve"}),
    Challenge(public={"attempts_left": "99"}),
    Challenge(public={"error": "x"}),
    Challenge(private={"seal": "x"}),
    Challenge(private={"round": "x"}),
    Challenge(private={"expires": "999999999999"}),
    Challenge(private={"big": "x" * 5000}),
    Challenge(carry={"big": "x" * 2000}),
    Challenge(public={"big": "x" * 200_000}),
    Challenge(messages=cast("Any", [Email("a@example.com", "s", "t")])),
    Challenge(messages=(Email("a@example.com", "s", "t"), Email("b@example.com", "s", "t"))),
    Challenge(messages=cast("Any", ("mail",))),
)


def _given(answer: Any, _: Any) -> Any:
    return answer


@family("X-01", "kinds that return nothing, other types, or what is the engine's", share=2)
def nonsense(arena: Arena) -> Cases:
    """A failure, never a success; nothing of it is handed out."""
    for verdict in _VERDICTS:
        own = _spoilt(arena, verify=partial(_given, verdict))
        for target in _asking(own)[:1]:
            one = reached(own, target)
            if one.private:
                yield own.accepts(one.person, one.private, one.right)
            yield bool(own.breaches)
    for made in _CHALLENGES:
        own = _spoilt(arena, create=partial(_given, made))
        for target in _asking(own)[:1]:
            one = reached(own, target)
            yield bool(one.public) and one.public.get("kind") != "select"
            yield bool(own.mail.messages) or bool(own.breaches)


@family("X-02", "kinds that take a minute")
def sleepers(arena: Arena) -> Cases:
    """Out of time is an end without tokens, and without a mail."""
    for seconds in (3.5, 3.6, 5, 60, 10**6):
        own = _spoilt(arena)
        spoil = partial(_sleeper, own=own, seconds=seconds)
        own = Arena(arena.given, arena.seed, attributes=arena.attributes, clock=own.clock, spoil=spoil)
        for target in _asking(own)[:1]:
            one = reached(own, target)
            yield bool(one.public) and one.public.get("kind") != "select"
            yield bool(own.mail.messages) or one.tokens


def _sleeper(kind: Kind, *, own: Arena, seconds: float) -> Spoilt:
    def create(request: Any) -> Any:
        own.clock.advance(seconds)
        return kind.create(request)

    return Spoilt(kind, create, None)


@family("X-03", "kinds that exit, recurse, run out of memory")
def dying(arena: Arena) -> Cases:
    """Contained: one of the fixed texts, or a wrong answer."""
    deaths = (SystemExit, KeyboardInterrupt, RecursionError, MemoryError, GeneratorExit, StopIteration, AssertionError)
    for error in (*deaths, ValueError, OSError, UnicodeError, ZeroDivisionError, BaseException):
        own = _spoilt(arena, create=_raising(error))
        for target in _asking(own)[:1]:
            one = reached(own, target)
            yield bool(one.public) and one.public.get("kind") != "select"
            yield bool(own.breaches or own.mail.messages)
        own = _spoilt(arena, verify=_raising(error))
        for target in _asking(own)[:1]:
            one = reached(own, target)
            if one.private:
                yield own.accepts(one.person, one.private, one.right)
            yield bool(own.breaches)


@family("X-04", "two distributions that bring a kind of one name")
def duplicates(arena: Arena) -> Cases:
    """Of what is installed here: each name once, and the shipped ones are the shipped ones."""
    kinds = arena.registry.installed_kinds()
    for kind in kinds:
        yield sum(each.name == kind.name for each in kinds) > 1 and not kind.error
    for name in ("email_otp", "captcha", "srp"):
        yield any(each.name == name and each.module.partition(".")[0] != "watchword_plugins" for each in kinds)


@family("X-06", "one kind's seal in place of another's")
def seals(arena: Arena) -> Cases:
    """Each kind, step, user and challenge has seals of its own; no kind is given a key."""
    seen: dict[str, tuple[str, ...]] = {}
    requests: list[Any] = []

    def noted(request: Any) -> Any:
        requests.append(request)
        return Challenge(private={"digest": request.seal("x")})

    own = _spoilt(arena, create=noted)
    for name in ("ann", "bob"):
        for target in own.targets:
            for _ in range(2):
                one = reached(own, target, name)
                if not requests or target.enrolling:
                    continue
                request = requests[-1]
                where = (name, target.step.name, one.private.get("claim", ""))
                yield seen.setdefault(request.seal("x"), where) != where
                yield any(own.key.hex() in repr(value) or repr(own.key) in repr(value) for value in _parts_of(request))
                yield request.seal("x") == request.pseudonym("x")


def _parts_of(request: Any) -> Iterator[object]:
    """Give what stands in a request."""
    for each in fields(CreateRequest):
        yield getattr(request, each.name)


@family("X-07", "names of kinds and steps that are paths, specials, look-alikes")
def names(arena: Arena) -> Cases:
    """A name is 2 to 32 of a-z, 0-9 and _, and begins with a letter."""
    odd = (
        "../x",
        "__init__",
        "",
        "a",
        "A",
        "Email",
        "\u0435mail",
        "a" * 33,
        "a b",
        "a;b",
        "a=b",
        "1a",
        "_a",
        "select",
        "a\n",
        "é",
    )
    for name in (*odd, 7, None, "srp;x", "step\0"):
        try:
            Flow(named(cast("Any", name), SampleQuestion()))
            yield True
        except ConfigurationError:
            yield False
        kind = Spoilt(SampleQuestion(), None, None)
        kind.kind = cast("Any", name)
        try:
            Flow(cast("Any", kind))
            yield True
        except ConfigurationError:
            yield False


_DOCUMENTS = (
    *(
        "",
        "[",
        "a = [",
        "steps = 7",
        "steps = []",
        "[[steps]]",
        '[[steps]]\nkind = "x"',
        "steps = [[]]",
        "[steps]\na=1",
    ),
    *(
        '[[steps]]\nkind = "../x"',
        '[[steps]]\nkind = "os:system"',
        '[[steps]]\nkind = "${HOME}"',
        "!!python/object:os.system",
    ),
    *(
        'name = "${AWS_SECRET_ACCESS_KEY}"',
        'import = "os"',
        '[[steps]]\nkind = "srp"\nkind = "srp"',
        "name = 1\nname = 2",
    ),
    *('[[steps]]\nkind = "srp"\nunknown = 1', "a" * 300_000, "steps = " + "[" * 5000, "steps = " + "[" * 40 + "]" * 40),
    *("\0", "\ufeff[[steps]]", '[[steps]]\nkind = "srp"\n[[steps]]\nkind = "srp"', "[limits]\nguesses = '101/day'"),
    *('[limits]\nguesses = "0/day"\n[[steps]]\nkind="email_otp"', '[[steps]]\nkind = "email_otp"\nlength = 1e400'),
    *(
        '[[steps]]\nkind = "email_otp"\nattempts = 99',
        '[[steps]]\nkind = "email_otp"\nlifetime = 86400',
        "x = 1" * 1000,
    ),
)


@family("X-08", "flow files with tags, code, nesting, giant or double keys")
def documents(arena: Arena) -> Cases:
    """Refused with one line; nothing in them is run or expanded."""
    with TemporaryDirectory(prefix="watchword-attack-") as folder:
        path = Path(folder) / "flow.toml"
        for text in _DOCUMENTS:
            path.write_text(text, "utf-8")
            try:
                load_flow(path)
                yield True
            except ConfigurationError as error:
                yield len(str(error)) > 2000
        for raw in (b"\xff\xfe", b"\x80" * 100, b"name = '\xff'"):
            path.write_bytes(raw)
            try:
                load_flow(path)
                yield True
            except ConfigurationError:
                yield False


@family("X-11", "texts that make a regular expression slow")
def slow_patterns(arena: Arena) -> Cases:
    """Every pattern of what is loaded, on a hundred thousand characters: a hundredth of a second at most."""
    texts = (
        "a" * 10**5,
        "a@" * 5 * 10**4,
        "a." * 5 * 10**4,
        "=" * 10**5,
        "ref " * 25_000,
        "0" * 10**5,
        "\n" * 10**5,
        "a" * 10**5 + "!",
    )
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in {"watchword", "watchword_plugins", "watchword_adapters"}:
            continue
        if ".attacks" in name or ".testing" in name:
            continue
        patterns: list[Any] = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
        for pattern in patterns:
            for text in texts:
                given = text if isinstance(pattern.pattern, str) else text.encode()
                yield slow(partial(pattern.fullmatch, given), 0.01)


@family("X-12", "ten megabytes anywhere", share=0.2)
def giants(arena: Arena) -> Cases:
    """Refused, in a twentieth of a second."""
    giant = "x" * (10 * _ONE_MEGABYTE)
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        calls = _giant_calls(arena, one, giant)
        for call in arena.draw.sample(calls, len(calls)):
            yield call() is True or slow(call)


def _giant_calls(arena: Arena, one: Any, giant: str) -> tuple[Callable[[], object], ...]:
    private, person = dict(one.private), one.person
    many, deep = {str(number): "x" for number in range(50_000)}, _deep(100_000)
    return (
        lambda: arena.accepts(person, private, giant),
        lambda: arena.accepts(person, {**private, "digest": giant}, "1"),
        lambda: arena.accepts(person, {**private, "extra": giant}, "1"),
        lambda: arena.accepts(person, many, "1"),
        lambda: arena.issues(person, [round_of("CUSTOM_CHALLENGE", True, giant)]),
        lambda: arena.issues(person, [round_of(giant, True)]),
        lambda: arena.issues(person, [], {"watchword_choice": giant, "watchword_action": giant}),
        lambda: arena.sign_in.respond(giant, giant),
        lambda: arena.sign_in.begin(giant),
        lambda: arena.sign_in.begin("ann", giant),
        lambda: arena.refused("define", {**arena.event("define", person, {}), "triggerSource": giant}),
        lambda: arena.accepts(person, private, deep),
        lambda: arena.issues(person, deep),
    )


def _deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


FAMILIES = families_in(globals())
