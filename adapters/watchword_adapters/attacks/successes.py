"""Describe an attack that succeeded: what was expected, what was seen, and a test that repeats it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, cast

from attrs import field, frozen

from watchword_adapters.attacks.arena.attacked_host import Arena
from watchword_adapters.attacks.family import Cases, Family

_MOST = 120
_TEST = """\
from watchword import find_flow
from watchword_adapters.attacks import one_case


def test_{name}():
    \"\"\"{title}.\"\"\"
    flow = find_flow({flow!r})
    success = one_case(flow, {family!r}, seed={seed!r}, run={run}, case={case}{attributes})
    assert success is None, str(success)
"""


@frozen
class Success:
    """A case that succeeded: number *case* of the *run*-th run of *family*, for a *seed*.

    *expected* is the rule of the family, *seen* are lines: what broke it, what the case was about, the last calls.
    """

    family: str
    title: str
    seed: str
    run: int
    case: int
    expected: str
    seen: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        """Return all of it, as lines."""
        lines = (f"{self.family}, {self.title}", f"seed {self.seed}, run {self.run}, case {self.case}")
        return "\n".join((*lines, f"expected: {self.expected}", *(f"seen: {line}" for line in self.seen)))

    def as_test(self, flow: str, attributes: Mapping[str, str] | None = None) -> str:
        """Return a test that tries the case again on the flow that *flow* names: a TOML file, or ``module:attribute``."""
        return _TEST.format(
            name=self.family.lower().replace("-", "_"),
            title=self.title[:1].upper() + self.title[1:],
            flow=flow,
            family=self.family,
            seed=self.seed,
            run=self.run,
            case=self.case,
            attributes=f", attributes={dict(attributes)!r}" if attributes else "",
        )


def success_of(family: Family, arena: Arena, cases: Cases, *, seed: str, run: int, case: int) -> Success:
    """Return what there is to say of the case that *cases* has just given."""
    seen = [*arena.breaches] or ["it does not hold"]
    about = ", ".join(
        f"{name}={_brief(value)}" for name, value in inspect.getgeneratorlocals(cases).items() if _is_plain(value)
    )
    seen += [f"with {about}"] if about else []
    seen += [f"{name} {_brief(_asked(given))} -> {_brief(answer)}" for name, given, answer in list(arena.trail)]
    return Success(family.id, family.title, seed, run, case, family.rule, tuple(seen))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bytes | int | float | type(None))


def _asked(given: Any) -> object:
    """Return what is of interest in an event or in a call of the pool."""
    if not isinstance(given, dict):
        return given
    event = cast("dict[str, Any]", given)
    request: object = event.get("request")
    if not isinstance(request, dict):
        return {name: value for name, value in event.items() if name != "Session"}
    asked = cast("dict[str, Any]", request)
    return {"userName": event.get("userName"), **dict(_of_interest(asked))}


def _of_interest(request: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Give the answer, what the client said, and how long the session is."""
    for name in ("challengeAnswer", "clientMetadata"):
        if request.get(name):
            yield name, request[name]
    session: object = request.get("session")
    if isinstance(session, list):
        yield "rounds", len(cast("list[object]", session))


def _brief(value: object) -> str:
    try:
        text = str(value) if isinstance(value, BaseException) else repr(value)
    except Exception as error:  # noqa: BLE001 - what attacks hand in need not be printable
        return f"<{type(error).__name__}>"
    text = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[: _MOST + 1])
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
