"""Decide whether a session may lead to tokens: a second interpreter of flows, which shares no code with the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from watchword.algebra.blocks import (
    AskFirst,
    AtLeast,
    AttributeCondition,
    Block,
    Enrol,
    EnrolledCondition,
    Fallback,
    InSequence,
    Named,
    OneOf,
    When,
)
from watchword.algebra.flow import Flow
from watchword.contract.powers import is_host_run

_CUSTOM, _SRP_A, _VERIFIER, _SELECT = "CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", "select"
_AROUND = frozenset(
    {
        "SMS_MFA",
        "SOFTWARE_TOKEN_MFA",
        "EMAIL_OTP",
        "DEVICE_SRP_AUTH",
        "DEVICE_PASSWORD_VERIFIER",
        "NEW_PASSWORD_REQUIRED",
    }
)
_WRITTEN = re.compile(
    r"3\.([^.;]*)\.([01]*)\.([^.;]+);(?P<step>[^;]+);(?P<asked>[01]);"
    r"(?:-|answer(?::(?P<offered>[^;]+))?|resend|choice|unasked);[^;]*;[^;]*;[^;]*"
)

Ends = frozenset[int]


def may_issue(
    flows: Iterable[Flow],
    session: object,
    attributes: Mapping[str, str],
    client: str,
    began: Mapping[str, frozenset[str]] | None = None,
) -> bool:
    """Say whether *session*, as it stands in an event, can be worth tokens to somebody who exists.

    It asks for what is necessary: results that are true or false, metadata of one sign-in of one of *flows*, and right
    answers that pass the flow's blocks one after the other. Tries and resends it does not count. A select round is right
    where it was answered for a step that it offers: the next metadata names that step, and after the last round any may be.
    *began* says what the user had enrolled when a sign-in began, by its id; else its metadata is believed.
    """
    if not isinstance(session, list):
        return False
    entries: list[Any] = session  # pyright: ignore[reportUnknownVariableType]
    rights: list[str] = []
    marks: set[tuple[str, ...]] = set()
    steps: set[str] = set()
    answered: set[str] = set()
    for entry, following in zip(entries, (*entries[1:], None), strict=True):
        step = _read(entry, marks, steps)
        if step == _SELECT and following is not None:
            step = _answered(following)
            answered.add(step or "")
        if step is None or (step in _AROUND and _VERIFIER not in rights):
            return False
        if step and step not in _AROUND:
            rights.append(step)
    if len(marks) > 1:
        return False
    judging = [flow for flow in flows if not marks or next(iter(marks))[0] == flow.fingerprint]
    if not all(steps <= {*flow.steps, _SELECT} and answered <= {*flow.offered} for flow in judging[:1]):
        return False
    facts = "".join(mark[1] for mark in marks)
    known = (began or {}).get("".join(mark[2] for mark in marks))
    ends = rights[-1:] == [_SELECT]
    return any(
        passes(flow, each, attributes, client, _enrolled(flow, facts) if known is None else known)
        for flow in judging[:1]
        for each in ([[*rights[:-1], last] for last in flow.offered] if ends else [rights])
    )


def sign_in_of(metadata: object) -> str:
    """Return the id of the sign-in that *metadata* belongs to; nothing if they cannot be read."""
    found = _WRITTEN.fullmatch(metadata) if isinstance(metadata, str) else None
    return found[3] if found else ""


def _enrolled(flow: Flow, facts: str) -> frozenset[str]:
    """Return the kinds that the user had enrolled when the sign-in began, as its metadata tells."""
    both = zip(flow.conditions, facts, strict=False)
    return frozenset(condition[1] for condition, digit in both if condition[0] == "enrolled" and digit == "1")


def _answered(following: Any) -> str | None:
    """Return for which step a select round was answered, as the round *following* it says; None if it does not say so."""
    text: object = cast("dict[str, Any]", following).get("challengeMetadata") if isinstance(following, dict) else None
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    return found["offered"] if found else None


def _read(entry: Any, marks: set[tuple[str, ...]], steps: set[str]) -> str | None:
    """Return the name of what *entry* passed, nothing for a wrong answer, None where it cannot belong to a sign-in."""
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, Any]", entry)
    name, result, text = (fields.get(each) for each in ("challengeName", "challengeResult", "challengeMetadata"))
    if result is not True and result is not False:
        return None
    if name != _CUSTOM:
        return name if result and (name in {_SRP_A, _VERIFIER} or name in _AROUND) else None
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    marks.add((found[1], found[2], found[3]))
    step = found["step"]
    steps.add(step)
    # What was not asked is never right, and no step has the name of a round of the host's.
    if result and (step in {_SRP_A, _VERIFIER} or found["asked"] == "0"):
        return None
    return step if result else ""


def passes(
    flow: Flow,
    rights: Sequence[str],
    attributes: Mapping[str, str],
    client: str,
    enrolled: frozenset[str] = frozenset(),
) -> bool:
    """Say whether right answers to *rights* (steps, SRP_A, PASSWORD_VERIFIER), in this order, pass *flow*."""
    reading = _Reading(tuple(rights), attributes, client, enrolled)
    if len(rights) in reading.passed(flow.body, 0):
        return True
    ignored = flow.unwanted_srp == "ignore" and rights[:1] == [_SRP_A]
    return ignored and len(rights) in reading.passed(flow.body, 1)


@frozen
class _Reading:
    """Where in *rights* a block may end that begins at a place: passed, or failed."""

    rights: tuple[str, ...]
    attributes: Mapping[str, str]
    client: str
    enrolled: frozenset[str]

    def passed(self, block: Block, start: int) -> Ends:
        match block:
            case InSequence(parts):
                return self._chain(parts, start)
            case OneOf(options):
                return _union(self.passed(option, start) for option in options)
            case AtLeast(count, options):
                return self._some(options, count, start)
            case Fallback(parts):
                ends, begins = frozenset[int](), frozenset({start})
                for part in parts:
                    ends |= _union(self.passed(part, each) for each in begins)
                    begins = _union(self.failed(part, each) for each in begins)
                return ends
            case When():
                taken = self._taken(block)
                return frozenset({start}) if taken is None else self.passed(taken, start)
            case AskFirst(step):
                return self.passed(step, start)
            case Named(name, _):
                return self._one(name, start)
            case Enrol(kind):
                return self._one(f"enrol_{kind.kind}", start)
            case _ if is_host_run(block):
                return frozenset({start + 2} if self.rights[start : start + 2] == (_SRP_A, _VERIFIER) else ())
            case _:
                return self._one(block.kind, start)

    def failed(self, block: Block, start: int) -> Ends:
        match block:
            case InSequence(parts):
                reached = (self._chain(parts[:place], start) for place in range(len(parts)))
                return _union(
                    self.failed(part, each) for part, begins in zip(parts, reached, strict=True) for each in begins
                )
            case OneOf(options):
                return _union(self.failed(option, start) for option in options)
            case AtLeast(_, options):
                return self._some(options, 0, start)
            case Fallback(parts):
                begins = frozenset({start})
                for part in parts:
                    begins = _union(self.failed(part, each) for each in begins)
                return begins
            case When():
                taken = self._taken(block)
                return frozenset() if taken is None else self.failed(taken, start)
            case _ if is_host_run(block):
                return frozenset()
            case _:
                return frozenset({start})

    def _one(self, name: str, start: int) -> Ends:
        return frozenset({start + 1} if self.rights[start : start + 1] == (name,) else ())

    def _chain(self, parts: Sequence[Block], start: int) -> Ends:
        begins = frozenset({start})
        for part in parts:
            begins = _union(self.passed(part, each) for each in begins)
        return begins

    def _some(self, options: tuple[Block, ...], need: int, start: int) -> Ends:
        """Where *need* of *options* may have passed; with 0, wherever some of them may have been tried."""
        seen: set[tuple[frozenset[int], int, int]] = set()
        ends: set[int] = set()

        def go(left: frozenset[int], passed: int, at: int) -> None:
            if (left, passed, at) in seen:
                return
            seen.add((left, passed, at))
            if need in {0, passed}:
                ends.add(at)
            if need and passed == need:
                return
            for place in left:
                for after in self.passed(options[place], at):
                    go(left - {place}, passed + 1, after)
                for after in self.failed(options[place], at):
                    go(left - {place}, passed, after)

        go(frozenset(range(len(options))), 0, start)
        return frozenset(ends)

    def _taken(self, block: When) -> Block | None:
        match block.condition:
            case AttributeCondition(name, value):
                holds = self.attributes.get(name) == value
            case EnrolledCondition(kind):
                holds = kind in self.enrolled
            case condition:
                holds = self.client == condition.id
        return block.then if holds else block.otherwise


def _union(sets: Iterable[Ends]) -> Ends:
    return frozenset[int]().union(*sets)
