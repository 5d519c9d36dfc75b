# The types of `derivative`, and what its values are made of.
#
# A lowered flow is a *program*: ``(fingerprint, conditions, body, unwanted_srp, offered)``; offered are the names of the
# steps that a client may answer in a select round. A body is a nested tuple:
#
#     ("passed",) ("failed",) ("broken",)            the three ends
#     ("step", name, tries, requests)                one challenge; requests are the resend requests left, which cost no try
#     ("ask", name, tries, requests)                 a step that must be chosen, or a select round goes before it
#     ("srp", phase)                                 the SRP prelude: 0 waits for SRP_A, 1 for PASSWORD_VERIFIER
#     ("sequence", first, rest)                      rest is a tuple of bodies
#     ("fallback", first, rest)                      rest is entered when first has failed
#     ("choose", need, options, asks, shown, requests): need 0 is one_of, else that many of options must pass; asks are
#                                                    the select rounds left, shown the step last presented and not answered
#     ("chosen", need, current, rest, requests)      an option of at_least under way
#     ("when", index, then, otherwise)               by the outcome of condition *index*; gone once resolved
#
# The state of a sign-in is ``(body, unwanted_srp, phase, hosts)``: what is left of the body, and what the host's own
# rounds have shown so far.

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

Body: TypeAlias = tuple[Any, ...]
State: TypeAlias = tuple[Body, str, str, tuple[str, ...]]
Program: TypeAlias = tuple[str, tuple[tuple[str, ...], ...], Body, str, tuple[str, ...]]
Decided: TypeAlias = tuple[Any, ...]
ReadRound: TypeAlias = tuple[str, str, str, object, str | None]

PASSED: Body
FAILED: Body
BROKEN: Body
ENDS: tuple[Body, ...]
REQUESTS: int
ASKS: int
SELECT: str
UNASKED: str
OFFERED: str
ANSWERS: tuple[str, str]
CUSTOM: str
SRP_A: str
PASSWORD_VERIFIER: str
SRP_ROUNDS: tuple[str, str]
NEW_PASSWORD: str
HOSTED: tuple[str, ...]
MUST_CHANGE: tuple[str, ...]
CLOSED: str
OPEN: str
PROVEN: str
CUSTOMISED: str
BEFORE_PASSWORD: tuple[str, ...]
FORMAT: str
SIGN_IN_FIELDS: tuple[str, ...]
ROUND_FIELDS: tuple[str, ...]
METADATA_FIELDS: tuple[str, ...]
MAX_METADATA: int
MAX_ROUNDS: int

def head(body: Body) -> Body: ...
def heads(body: Body) -> tuple[str, ...]: ...
def find(body: Body, name: str) -> Body | None: ...
def shown(body: Body) -> str | None: ...
def asks(body: Body) -> int: ...
def step_body(body: Body, name: str, use: str, right: bool) -> Body: ...
def without_srp(body: Body) -> Body | None: ...
def resolve(body: Body, outcomes: Sequence[bool]) -> Body: ...
def begin(program: Program, outcomes: Sequence[bool]) -> State: ...
def after(state: State, name: str, step: str, use: str, right: object) -> State: ...
def fold(state: State, rounds: Sequence[ReadRound]) -> list[State]: ...
def decide(state: State, choice: str | None = ..., must_change: bool = ..., known: bool = ...) -> Decided: ...
def read_metadata(text: object) -> dict[str, str] | None: ...
def outcomes_of(
    conditions: Sequence[tuple[str, ...]],
    attributes: Mapping[str, str],
    client: str,
    known: bool,
    enrolled: Collection[str] = ...,
    recorded: str = ...,
) -> tuple[bool, ...]: ...
def are_facts(text: str, conditions: Sequence[object]) -> bool: ...
def facts_of(outcomes: Sequence[bool]) -> str: ...
def read_session(
    session: Sequence[tuple[str, object, object]],
    programs: Sequence[Program],
    attributes: Mapping[str, str],
    client: str,
    known: bool,
    action: str | None,
    enrolled: Collection[str] = ...,
) -> tuple[Program, tuple[bool, ...], tuple[ReadRound, ...], str | None]: ...
def evaluate_session(
    session: Sequence[tuple[str, object, object]],
    programs: Sequence[Program],
    attributes: Mapping[str, str],
    client: str,
    known: bool,
    action: str | None,
    choice: str | None,
    enrolled: Collection[str] = ...,
    named: bool = ...,
) -> tuple[Decided, State, Program, tuple[bool, ...], tuple[ReadRound, ...], State]: ...
