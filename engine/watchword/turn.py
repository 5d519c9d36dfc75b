"""One call of the host, in the engine's words."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from watchword import derive
from watchword.borders import read_only, read_only_values
from watchword.challenge import Factor, User
from watchword.flow import Decision, FailAuthentication, Flow, IssueTokens, Round, decision_of

CHOICE = "watchword_choice"
ACTION = "watchword_action"
"""The two keys of client metadata that are read; nothing else in it is."""


@frozen
class Turn:
    """A call of Define or Create: who signs in where, the rounds so far, and what the client sent along."""

    pool: str
    client: str
    user: User
    session: tuple[Round, ...] = ()
    client_metadata: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)


@frozen
class Answer:
    """A call of Verify: an answer, and the private parameters of the challenge that it answers."""

    pool: str
    client: str
    user: User
    answer: object = field(repr=False)
    private: Mapping[str, object] = field(factory=dict[str, object], converter=read_only_values, repr=False)
    client_metadata: Mapping[str, str] = field(factory=dict[str, str], converter=read_only, repr=False)


@frozen
class Judgement:
    """What a session comes to: the *decision*, which of the flows judged it, and how each round was read."""

    decision: Decision
    flow: Flow
    state: derive.State
    facts: str
    rounds: tuple[derive.ReadRound, ...]

    @property
    def passed(self) -> tuple[str, ...]:
        """The names of the steps that were passed, and PASSWORD_VERIFIER if it was."""
        right = [each for each in self.rounds if each[3] is True and each[2] == "answer"]
        return tuple(each[1] or each[0] for each in right if each[1] or each[0] == derive.PASSWORD_VERIFIER)

    def ended_by(self, use: str) -> Judgement:
        """Return this judgement with *use* for what the client did in the last round."""
        last = self.rounds[-1]
        state = derive.begin(self.flow.program, tuple(fact == "1" for fact in self.facts))
        rounds = (*self.rounds[:-1], (*last[:2], use, *last[3:]))
        for each in rounds:
            state = derive.after(state, *each[:4])
        return evolve(self, state=state, rounds=rounds)

    @property
    def factors(self) -> frozenset[Factor]:
        """The factors of who signs in that are proven."""
        steps = self.flow.steps
        proven = [steps[name].kind.proves for name in self.passed if name in steps]
        if derive.PASSWORD_VERIFIER in self.passed:
            proven.append(frozenset({"knowledge"}))
        return frozenset[Factor]().union(*proven)

    @property
    def failed_before(self) -> bool:
        """Whether a wrong answer was given in this sign-in."""
        return any(right is not True and use == "answer" for _, _, use, right, _ in self.rounds)

    @property
    def claim(self) -> str:
        """The claim of the last challenge, or nothing."""
        return next((fields["claim"] for *_, fields in reversed(self.rounds) if fields), "")


def ending(turn: Turn, judgement: Judgement) -> tuple[str, dict[str, str]] | None:
    """Return the name of the audit event for the end of a sign-in, and its facts; None if it goes on."""
    match judgement.decision:
        case IssueTokens():
            name = "authn_login_successafterfail" if judgement.failed_before else "authn_login_success"
            return name, {"rounds": str(len(judgement.rounds))}
        case FailAuthentication(reason):
            name = "authn_login_fail_max" if reason == "tries_used_up" else "authn_login_fail"
            return name, {"reason": reason, "rounds": str(len(turn.session))}
        case _:
            return None


def judge(turn: Turn, flows: tuple[Flow, ...]) -> Judgement:
    """Return what *turn* comes to, judged by the one of *flows* (the own one first) that its session belongs to.

    Pure: no storage, no clock; the cost grows with the rounds. This is the whole of Define.
    """
    decided, state, program, outcomes, rounds = derive.judge(
        [(each.name, each.result, each.metadata) for each in turn.session],
        [flow.program for flow in flows],
        turn.user.attributes,
        turn.client,
        turn.user.known,
        turn.client_metadata.get(ACTION),
        turn.client_metadata.get(CHOICE),
    )
    flow = next(each for each in flows if each.program is program)
    return Judgement(decision_of(decided), flow, state, derive.facts_of(outcomes), rounds)
