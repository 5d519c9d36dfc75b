"""What a call of Define, Create or Verify is given, and the evaluation of its session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.flow import Decision, FailAuthentication, Flow, IssueTokens, ReadRound, Round, Use, decision_of
from watchword.contract.kinds import Factor, User
from watchword.contract.ports import read_only, read_only_values

CHOICE = "watchword_choice"
ACTION = "watchword_action"
REDIRECT = "watchword_redirect"
SAID_SIGN_IN = "watchword_signin"
"""The keys of client metadata that Watchword reads. ``watchword_redirect`` is the name of where a link is to lead,
``watchword_signin`` the sign-in whose tokens are to tell what was proven."""


@frozen
class SessionRequest:
    """A call of Define or Create: pool, app client, user, the rounds so far, and the client metadata."""

    pool: str
    client: str
    user: User
    session: tuple[Round, ...] = ()
    client_metadata: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)


@frozen(eq=False)
class AnswerRequest:
    """A call of Verify: an answer, and the private parameters of the challenge that it answers.

    *issued* are challenges that the host gave out before the sign-in began, as for a passkey whose user nobody knows yet. The host
    has used them up in the name of this round: nobody else can answer them.
    """

    pool: str
    client: str
    user: User
    answer: object = field(repr=False)
    private: Mapping[str, object] = field(factory=dict[str, object], converter=read_only_values, repr=False)
    client_metadata: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)
    issued: tuple[str, ...] = field(default=(), kw_only=True)


@frozen(eq=False)
class Evaluation:
    """The *decision* on a session, the *flow* that it belongs to, and how each round was read.

    *state* is the state after all rounds and *before* the one before the last.
    """

    decision: Decision
    flow: Flow
    state: derivative.State
    before: derivative.State
    facts: str
    _read: tuple[derivative.ReadRound, ...]

    @property
    def rounds(self) -> tuple[ReadRound, ...]:
        """The rounds as they were read."""
        return named_rounds(self._read)

    @property
    def begin(self) -> derivative.State:
        """The state before the first round."""
        return derivative.begin(self.flow.program, [outcome == "1" for outcome in self.facts])

    @property
    def passed(self) -> tuple[str, ...]:
        """The names of the steps that were passed, and PASSWORD_VERIFIER if it was."""
        right = [
            (name, step) for name, step, use, right, _ in self._read if right is True and use in derivative.ANSWERS
        ]
        return tuple(step or name for name, step in right if step or name == derivative.PASSWORD_VERIFIER)

    @property
    def factors(self) -> frozenset[Factor]:
        """The factors that the user has proven."""
        steps, passed = self.flow.steps, self.passed
        proven = [steps[name].proves for name in passed if name in steps]
        if derivative.PASSWORD_VERIFIER in passed:
            proven.append(frozenset({"knowledge"}))
        return frozenset[Factor]().union(*proven)

    @property
    def failed_before(self) -> bool:
        """Whether a wrong answer was given in this sign-in."""
        return any(right is not True and use in derivative.ANSWERS for _, _, use, right, _ in self._read)

    @property
    def claim(self) -> str:
        """The claim of the last challenge; empty if there was none."""
        return next((each.metadata["claim"] for each in reversed(self.rounds) if each.metadata), "")


def is_sign_in_name(said: object) -> bool:
    """Say whether *said* can be the public parameter ``signin`` of a sign-in: 32 hexadecimal digits in lower case."""
    return isinstance(said, str) and len(said) == 32 and not said.strip("0123456789abcdef")


def as_tuples(session: Sequence[Round]) -> list[tuple[str, object, object]]:
    """Return *session* as the tuples that `derivative` works on."""
    return [(each.name, each.result, each.metadata) for each in session]


def named_rounds(read: Sequence[derivative.ReadRound]) -> tuple[ReadRound, ...]:
    """Return the tuples that `derivative` has read as `ReadRound` values."""
    return tuple(
        ReadRound(name, step, cast("Use", use), right, derivative.read_metadata(text))
        for name, step, use, right, text in read
    )


def closing_event(request: SessionRequest, evaluation: Evaluation) -> tuple[str, dict[str, str]] | None:
    """Return the audit event for the end of a sign-in, as its name and its facts; None if the sign-in goes on."""
    match evaluation.decision:
        case IssueTokens():
            name = "authn_login_successafterfail" if evaluation.failed_before else "authn_login_success"
            return name, {"rounds": str(len(request.session))}
        case FailAuthentication(reason):
            name = "authn_login_fail_max" if reason == "tries_used_up" else "authn_login_fail"
            return name, {"reason": reason, "rounds": str(len(request.session))}
        case _:
            return None


def evaluate(request: SessionRequest, flows: tuple[Flow, ...], enrolled: Collection[str] = ()) -> Evaluation:
    """Return the evaluation of *request* by the one of *flows* (the current one first) that its session belongs to.

    *enrolled* are the kinds that the user has a credential of. It counts before the first challenge only, which records what
    comes of it; Define does without. Pure: no storage, no clock; the cost grows with the rounds. This is the whole of Define.
    """
    decided, state, program, outcomes, read, before = derivative.evaluate_session(
        as_tuples(request.session),
        [flow.program for flow in flows],
        request.user.attributes,
        request.client,
        request.user.known,
        request.client_metadata.get(ACTION),
        request.client_metadata.get(CHOICE),
        enrolled,
        named=is_sign_in_name(request.client_metadata.get(SAID_SIGN_IN)),
    )
    flow = next(each for each in flows if each.program is program)
    return Evaluation(decision_of(decided), flow, state, before, derivative.facts_of(outcomes), read)
