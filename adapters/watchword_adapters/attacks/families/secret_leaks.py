"""L: secrets in events, logs, errors and the ledger; keys."""

from __future__ import annotations

import json
import re
import traceback
from typing import Any

from watchword.contract.ports import LEASE, AuditEvent
from watchword.errors import ConfigurationError, UnavailableError
from watchword.runtime.keyring import Keyring
from watchword_adapters.attacks.arena.attacked_host import ATTACKED_PASSWORD, Arena
from watchword_adapters.attacks.arena.client_sessions import DOORS, reached
from watchword_adapters.attacks.arena.kind_probe import wrong_answer
from watchword_adapters.attacks.arena.secret_search import listening
from watchword_adapters.attacks.devices.user_addresses import address_names
from watchword_adapters.attacks.family import Cases, families_in, family
from watchword_adapters.audit import as_line
from watchword_adapters.aws_lambda import TriggerError

_BREAKS = ("\n", "\r\n", "\x1b[31m", "\x85", "\u2028", '"}', "\\", "\0", "\x7f", "\ud800", "%s", "{0}")


@family("L-01", "codes, keys and addresses in logs, reprs, tracebacks and the ledger", share=2)
def canaries(arena: Arena) -> Cases:
    """At DEBUG, at every door, in all that is written down."""
    while True:
        for door in DOORS:
            arena.renew()
            with listening(arena.lines):
                one = reached(arena, arena.target(), door=door)
                right = one.right or ""
                arena.lines.append(repr((one.arena.triggers, arena.sign_in, arena.triggers.flows, arena.notes.made)))
                one.answer(wrong_answer(one.right, arena.draw))
                if one.public:
                    right = one.right or ""
                    one.answer(right)
                arena.lines.append(_traceback(arena, one))
            codes = [code for made in arena.notes.made for code in made.secrets]
            before = len(arena.breaches)
            arena.watch_logs([*codes, *([right] if codes else []), ATTACKED_PASSWORD])
            yield len(arena.breaches) > before
            text = "\n".join([*arena.lines, *(repr(event) for event in arena.audit.events)])
            yield any(str(one.person.attributes.get(each)) in text for each in address_names(arena.attributes))


def _traceback(arena: Arena, one: Any) -> str:
    """Return the traceback of a trigger that fails, with the local variables of its frames."""
    event = arena.event("verify", one.person, {"privateChallengeParameters": 7, "challengeAnswer": "x"})
    try:
        arena.triggers.verify(event, None)
    except TriggerError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    return ""


@family("L-02", "line breaks and escapes in what is logged")
def one_record(arena: Arena) -> Cases:
    """One event is one line of JSON, whatever is in it."""
    for mark in _BREAKS:
        for text in (f"ann{mark}event: authn_login_success", mark * 20):
            line = as_line(AuditEvent("authn_login_fail", arena.clock.now(), text, text, text, {text: text}))
            yield len(line.splitlines()) != 1 or not line.isprintable()
            yield not isinstance(json.loads(line), dict)
        arena.renew()
        one = reached(arena, arena.target())
        one.answer(f"x{mark}")
        lines = [as_line(event) for event in arena.audit.events]
        yield any(len(line.splitlines()) != 1 for line in lines)


@family("L-03", "an answer that comes back in an error")
def echoed(arena: Arena) -> Cases:
    """The texts are fixed; nothing that was sent is in them."""
    marker = "MARKER-7f3a"
    while True:
        for error in (UnavailableError(marker), ValueError(marker), KeyError(marker), RuntimeError(marker)):
            arena.renew()
            one = reached(arena, arena.target())
            events = [
                arena.event(
                    "verify", one.person, {"privateChallengeParameters": one.private, "challengeAnswer": marker}
                ),
                arena.event("verify", one.person, {"privateChallengeParameters": marker, "challengeAnswer": marker}),
                arena.event("create", one.person, {"session": marker}),
                {**one.create_event(), "userName": {marker: marker}},
                {**one.create_event(), "triggerSource": marker},
            ]
            arena.books.inner = _Raising(error)
            for event in events:
                trigger = "verify" if "challengeAnswer" in event["request"] else "create"
                yield marker in _said(arena, trigger, event)
            arena.renew()


class _Raising:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fails(*_: object, **__: object) -> Any:
            raise self._error

        return fails


def _said(arena: Arena, trigger: str, event: Any) -> str:
    try:
        return json.dumps(arena.call(trigger, event))
    except TriggerError as error:
        return str(error)


@family("L-04", "the code in private parameters or metadata, in clear")
def in_clear(arena: Arena) -> Cases:
    """A keyed digest stands there; the judge reads all that Create hands out."""
    while True:
        for door in DOORS:
            arena.renew()
            one = reached(arena, arena.target(), door=door)
            before = len(arena.breaches)
            texts = [*one.public.values(), *getattr(one, "private", {}).values(), getattr(one, "metadata", "")]
            for code in arena.notes.made[-1].secrets if arena.notes.made else ():
                arena.watch_for(code, texts)
            yield len(arena.breaches) > before


@family("L-05", "weak keys")
def weak_keys(arena: Arena) -> Cases:
    """Refused: none, short, repeated, words, no bytes."""
    weak: tuple[Any, ...] = (
        *(b"", b"x", b"changeme", b"\0" * 32, b"a" * 64, b"secret" * 10, b"0123456789" * 4, bytes(31), "", [], [b""]),
        *([bytes(range(32)), b""], [b"\0" * 32, bytes(range(32))], [None], ["x" * 32], [bytearray(8)], "Y2hhbmdlbWU="),
    )
    for key in weak:
        try:
            Keyring.of(key)
            yield True
        except ConfigurationError:
            yield False
        try:
            arena.made_with(key=key)
            yield True
        except ConfigurationError as error:
            yield "changeme" in str(error)


@family("L-06", "keys changed while sign-ins are under way")
def rotated(arena: Arena) -> Cases:
    """What was begun with the old key ends with it, as long as it is in the ring; and not when it has left."""
    new = arena.random.bytes(32)
    both, alone = arena.made_with(key=[new, arena.key]), arena.made_with(key=new)
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        if not one.private or one.right is None:
            yield bool(one.private)
            continue
        request = {"privateChallengeParameters": dict(one.private), "challengeAnswer": one.right}
        event = arena.event("verify", one.person, request)
        yield arena.call("verify", event, alone)["answerCorrect"]
        yield not arena.call("verify", event, both)["answerCorrect"]


@family("L-07", "security events that are missing, double, or name somebody")
def secrets_in_events(arena: Arena) -> Cases:
    """One for each cause."""
    while True:
        arena.renew()
        one = reached(arena, arena.target())
        if not one.private:
            yield False
            continue
        arena.audit.events.clear()
        arena.accepts(one.person, one.private, wrong_answer(one.right, arena.draw))
        yield arena.audit.names() != ["authn_login_fail"]
        arena.audit.events.clear()
        arena.accepts(one.person, one.private, "another answer to the same round")
        yield arena.audit.names() != ["authn_token_reuse"]
        arena.audit.events.clear()
        arena.accepts(one.person, {**one.private, "seal": "x"}, one.right)
        yield arena.audit.names() != ["authn_login_fail"]
        yield one.person.name in re.findall(r"\w+", repr(arena.audit.events))


@family("L-08", "codes that leave symbols out, or come again")
def poor_codes(arena: Arena) -> Cases:
    """Every symbol is drawn; no two challenges have the same long code."""
    drawn: dict[str, set[str]] = {}
    count: dict[str, int] = {}
    seen: set[str] = set()
    for _ in range(60):
        arena.renew()
        arena.clock.advance(LEASE + 1)
        for target in arena.targets:
            reached(arena, target)
            for made in arena.notes.made[-1:]:
                for code, alphabet in zip(made.codes, made.alphabets, strict=True):
                    drawn.setdefault(alphabet, set()).update(code)
                    count[alphabet] = count.get(alphabet, 0) + len(code)
                    yield len(alphabet) ** len(code) > 10**10 and code in seen
                    seen.add(code)
                    # Forty times as many symbols as there are: one that is left out by chance is one in 10^16.
                    yield count[alphabet] > 40 * len(alphabet) and drawn[alphabet] != set(alphabet)
    yield False


FAMILIES = families_in(globals())
