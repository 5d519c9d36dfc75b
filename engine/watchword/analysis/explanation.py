"""Explain the decision on a session: round by round, with the remedy where there is one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import CHOICE, SessionRequest, evaluate
from watchword.algebra.flow import FailAuthentication, Flow, ReadRound, Round
from watchword.algebra.session_notation import format_round, parse_session
from watchword.analysis.state_space import body_at, sending_steps, upcoming

REASON_TEXTS: Mapping[str, str] = {
    "tries_used_up": (
        f"the tries of a step are used up, or its {derivative.REQUESTS} resend requests, or it could not be asked, and no other "
        "way is left; "
        "the user begins a new sign-in"
    ),
    "broken": "a round that the flow had not come to breaks the sign-in for good; the user begins a new one",
    "srp_required": (
        "the client opened without SRP_A, but every way through this flow begins with the password; "
        "open CUSTOM_AUTH with CHALLENGE_NAME=SRP_A, or give the flow a way without Srp()"
    ),
    "no_choice": (
        f"the client was asked to choose {derivative.ASKS} times and named no step of those offered; "
        f"it must send client metadata {CHOICE}=STEP with its answer"
    ),
    "unknown_flow": (
        "the session began under a flow that is none of those given; after a deployment keep the old flow: "
        "triggers(flow, previous=[old]), here --previous OLD"
    ),
    "foreign_metadata": (
        "a custom round carries no metadata of this flow's own Create, so something else made it; "
        "check that the pool's Create trigger is this flow's and that no other code writes challengeMetadata"
    ),
    "mixed_sessions": "a round was made for another sign-in than the first one; the user begins a new sign-in",
    "facts_changed": (
        "a condition does not come out as when the sign-in began: an attribute or the app client has changed, "
        "or an attribute is missing from the event; the user begins a new sign-in"
    ),
    "too_many_rounds": f"the session has more than {derivative.MAX_ROUNDS} rounds, which no flow needs",
    "foreign_sign_in": (
        "the client says whose tokens these are (watchword_signin) with an answer that the host judged by itself, which no Verify "
        "hears: it may be another sign-in; send it with answers to challenges alone, and forget it when a sign-in ends"
    ),
    "unknown_user": "everything was answered right, but there is no such user: nobody unknown is ever issued tokens",
}
"""For each reason to fail, as `derivative` words it, a sentence with the remedy."""

_LONGEST_NAME = 64
_ANEW = ("request for another one", "requests for another one")


@frozen
class ExplainedRound:
    """One round: how it was read, what is left after it, and what the flow decides then.

    *tries* and *resends* are for the steps that may come next; *resends* is how often another message may be asked for.
    """

    word: str
    read: str
    left: str
    tries: Mapping[str, int]
    resends: Mapping[str, int]
    decision: str
    reason: str


@frozen
class Explanation:
    """A decision, why it is so, and how each round led to it.

    *decision* is ``present STEP``, ``host ROUND``, ``select``, ``tokens`` or ``fail``; the reason of a failure begins
    with its word, such as ``tries_used_up:``. *code* is that word, or nothing.
    """

    decision: str
    reason: str
    rounds: tuple[ExplainedRound, ...]
    code: str = ""


def explain(
    flow: Flow,
    session: str | Sequence[ReadRound],
    *,
    attributes: Mapping[str, str] | None = None,
    client: str = "",
    known: bool = True,
    choice: str | None = None,
    enrolled: Collection[str] = (),
) -> Explanation:
    """Tell why *flow* decides as it does after *session*: rounds, or words for them such as ``srp_a+ email_otp-``.

    *attributes*, *client* and *enrolled*, the kinds of which the user had a credential when the sign-in began, decide the
    conditions, for a user who is *known* or not; *choice* is the step that the client asks for now.

    Raises:
        ConfigurationError: for a word that is no round of *flow*.
    """
    rounds = parse_session(session, flow.steps, flow.offered) if isinstance(session, str) else session
    given = attributes or {}
    outcomes = derivative.outcomes_of(flow.conditions, given, client, known, enrolled if known else ())
    must_change = given.get("cognito:user_status") in derivative.MUST_CHANGE
    teller = _Teller(flow, must_change, known, derivative.begin(flow.program, outcomes))
    if len(rounds) > derivative.MAX_ROUNDS:
        return teller.failing("too_many_rounds", "")
    return teller.tell(rounds, choice)


def explain_request(request: SessionRequest, flows: Sequence[Flow]) -> Explanation:
    """Tell why the session of *request* gets its decision, judged by the one of *flows* that it belongs to.

    Its metadata is read as Define reads it, so a round that this flow did not make is told as such.
    """
    evaluation = evaluate(request, tuple(flows))
    flow, rounds, decision = evaluation.flow, evaluation.rounds, evaluation.decision
    reason = decision.reason if isinstance(decision, FailAuthentication) else ""
    must_change = request.user.attributes.get("cognito:user_status") in derivative.MUST_CHANGE
    teller = _Teller(flow, must_change, request.user.known, evaluation.begin)
    # Where something is wrong with the session itself, it is not read to its end.
    if len(rounds) == len(request.session):
        answered = any(read.use == derivative.OFFERED for read in rounds[-1:])
        explained = teller.tell(rounds, None if answered else request.client_metadata.get(CHOICE))
        return _refused(teller, explained) if reason == "foreign_sign_in" else explained
    told = teller.tell(rounds, None).rounds
    if reason in {"unknown_flow", "too_many_rounds"}:
        return teller.failing(reason, "")
    stranger = request.session[len(rounds)]
    failed = teller.failing(reason, _mismatch(stranger, len(rounds) + 1, reason, evaluation.facts))
    read_as = f"a custom round that this flow did not make: {'true' if stranger.result is True else 'not true'}"
    stopped = ExplainedRound("?", read_as, remaining_text(derivative.BROKEN, ()), {}, {}, "fail", failed.reason)
    return evolve(failed, rounds=(*told, stopped))


def _refused(teller: _Teller, explained: Explanation) -> Explanation:
    """Return *explained*, which ends with tokens, as it ends for a client that names a sign-in where it must not."""
    refused = teller.failing("foreign_sign_in", "")
    last = [evolve(each, decision="fail", reason=refused.reason) for each in explained.rounds[-1:]]
    return evolve(refused, rounds=(*explained.rounds[:-1], *last))


def decided_text(decided: derivative.Decided) -> str:
    """Return what `derivative` decided as a word or two: ``present STEP``, ``host ROUND``, ``select``, ``tokens``, ``fail``."""
    return f"{decided[0]} {decided[1]}" if decided[0] in {"present", "host"} else str(decided[0])


def remaining_text(body: derivative.Body, sending: Collection[str]) -> str:
    """Return in words what of a flow is left; *sending* are the steps that send a message."""
    tag = body[0]
    if body in derivative.ENDS:
        return {"passed": "nothing", "failed": "nothing: tries used up"}.get(tag, "nothing: it is broken")
    if tag == "step":
        wishes = ("resend request", "resend requests") if body[1] in sending else _ANEW
        return f"{body[1]} ({_count(body[2], 'try', 'tries')}, {_count(body[3], *wishes)})"
    if tag == "ask":
        return f"{remaining_text(('step', *body[1:]), sending)}, asked first"
    if tag == "srp":
        return "password_verifier" if body[1] else "srp_a, then password_verifier"
    if tag == "sequence":
        return ", then ".join(remaining_text(part, sending) for part in (body[1], *body[2]))
    if tag == "fallback":
        return " or, once its tries are used up, ".join(remaining_text(part, sending) for part in (body[1], *body[2]))
    if tag == "choose":
        return f"{body[1] or 1} of [{' | '.join(remaining_text(part, sending) for part in body[2])}]"
    rest = f"{body[1] - 1 or 1} of [{' | '.join(remaining_text(part, sending) for part in body[3])}]"
    return (
        f"{remaining_text(body[2], sending)}, {'then' if body[1] > 1 else 'or if that fails'} {rest}"
        if body[3]
        else remaining_text(body[2], sending)
    )


@frozen
class _Teller:
    """Tells of each round what it did to the flow. *begin* is the state before the first of them."""

    flow: Flow
    must_change: bool
    known: bool
    begin: derivative.State
    told: list[ExplainedRound] = field(factory=list[ExplainedRound])
    passed: list[str] = field(factory=list[str])
    turning: dict[str, str] = field(factory=dict[str, str])
    """What made the flow fail or break, by the end that it came to."""

    def tell(self, rounds: Sequence[ReadRound], choice: str | None) -> Explanation:
        sending = sending_steps(self.flow)
        states = derivative.fold(self.begin, [(each.name, each.step, each.use, each.right, None) for each in rounds])
        decided = derivative.decide(self.begin, choice, self.must_change, self.known)
        reason = self._reason(decided, self.begin, None, choice)
        # What was asked for in between shows in the round that came of it.
        offered = derivative.OFFERED
        wishes = [*(derivative.SELECT if each.use == offered else each.step for each in rounds[1:]), choice]
        for place, (read, before, state, wish) in enumerate(zip(rounds, states, states[1:], wishes, strict=False), 1):
            if read.right is True and read.is_answer and read.name != derivative.SRP_A:
                self.passed.append(_word(read)[:-1])
            if state[0] == derivative.BROKEN:
                self.turning.setdefault("broken", f"round {place} ({_word(read)}): {self._why(before, read)}")
            elif state[0] == derivative.FAILED:
                self.turning.setdefault("failed", f"{read.step} was not passed")
            decided = derivative.decide(state, wish, self.must_change, self.known)
            reason = self._reason(decided, state, read, wish)
            names = [name for name in upcoming(state) if name in self.flow.steps]
            self.told.append(
                ExplainedRound(
                    _word(read),
                    _read(before, state, read, sending),
                    remaining_text(state[0], sending),
                    {name: _tries(state, name) for name in names},
                    {name: _resends(state, name) for name in names},
                    decided_text(decided),
                    reason,
                )
            )
        if choice is not None and decided != ("present", choice):
            reason += f"; the choice of {_cut(choice)} changes nothing, since it is not offered here"
        code = str(decided[1]) if decided[0] == "fail" else ""
        return Explanation(decided_text(decided), reason, tuple(self.told), code)

    def failing(self, code: str, detail: str) -> Explanation:
        return Explanation("fail", _failure(code, detail), (), code)

    def _reason(
        self,
        decided: derivative.Decided,
        state: derivative.State,
        read: ReadRound | None,
        wish: str | None,
    ) -> str:
        match decided[0]:
            case "present":
                return self._presenting(str(decided[1]), state, read, wish)
            case "select":
                names = ", ".join(decided[1])
                asks = derivative.asks(body_at(state))
                if len(decided[1]) == 1:
                    return f"{names} is asked for only after a select round, or where the client has chosen it before"
                return (
                    f"{names} may come next and client metadata {CHOICE} names none of them, so the client is asked "
                    f"to choose, {_count(asks, 'time', 'times')} more at most"
                )
            case "host" if decided[1] == derivative.NEW_PASSWORD:
                return "the password is right, but the user's status asks for a new one before anything else"
            case "host":
                return "the client opened with SRP_A, which proves nothing yet; now the host checks the password"
            case "tokens":
                return f"every step that had to be passed is passed, in order: {', '.join(self.passed)}"
            case _:
                return _failure(str(decided[1]), self.turning.get(state[0][0], ""))

    def _presenting(self, step: str, state: derivative.State, read: ReadRound | None, wish: str | None) -> str:
        tries = f"{_count(_tries(state, step), 'try is', 'tries are')} left"
        names = upcoming(state)
        if read is not None and read.step == step and read.use == "resend":
            return f"the client asked for another {_what(read, sending_steps(self.flow))}, which costs no try; {tries}"
        if read is not None and read.step == step:
            return f"{step} was answered wrong; {tries}"
        if len(names) > 1:
            others = ", ".join(name for name in names if name != step)
            if wish == step:
                return f"the client chose it; it could have chosen {others}; {tries}"
            return f"it was shown last and is not answered yet, and the client did not choose {others}; {tries}"
        if read is not None and read.step and read.right is not True and read.use != "choice":
            if read.use == derivative.UNASKED:
                return f"{_cut(read.step)} could not be asked, and {step} may be passed instead; {tries}"
            return f"{_cut(read.step)} has failed, and {step} may still be passed instead; {tries}"
        return f"it comes next{f' after {self.passed[-1]}' if self.passed else ''}; {tries}"

    def _why(self, before: derivative.State, read: ReadRound) -> str:
        """Return why *read* breaks the flow in the state *before* it."""
        body, _, phase, hosts = before
        names = ", ".join(name.lower() for name in upcoming(before))
        awaited = f"the flow had come to {names}" if names else "the flow was over before it"
        if read.right is not True and read.right is not False:
            return "its result is neither true nor false"
        if read.name == derivative.SRP_A:
            if phase != derivative.CLOSED:
                return "SRP_A comes only once, before everything else"
            if derivative.SRP_A in derivative.heads(body):
                return "the host never writes a false SRP_A"
            return (
                "the client opened with SRP_A, but this flow asks for no password: "
                "open without it, or set unwanted_srp = 'ignore'"
            )
        if read.name == derivative.CUSTOM:
            return _why_custom(self.flow, before, read, awaited)
        if read.name == derivative.PASSWORD_VERIFIER:
            return "a wrong password never comes so far" if read.name in derivative.heads(body) else awaited
        if read.name not in (*derivative.HOSTED, derivative.NEW_PASSWORD):
            return "the host adds no round of this name"
        if read.name in hosts:
            return "the host adds this round once only"
        if not read.right:
            return "a round of the host's counts only if it is true"
        return "the host adds it behind the password only" + (
            " and before any step" * (read.name == derivative.NEW_PASSWORD)
        )


def _why_custom(flow: Flow, before: derivative.State, read: ReadRound, awaited: str) -> str:
    if before[2] == derivative.CLOSED and derivative.without_srp(before[0]) is None:
        return "the client opened without SRP_A, but every way begins with the password"
    if read.step == derivative.SELECT:
        return "a choice is never right" if read.right else f"no choice was to be made: {awaited}"
    if read.use == derivative.OFFERED:
        return f"no select round with {_cut(read.step)} was to be answered: {awaited}"
    if read.step not in flow.steps:
        return f"the flow has no step {_cut(read.step)!r}"
    if read.right and not read.is_answer and read.step in upcoming(before):
        return "it is true although the client gave no answer"
    return awaited


def _mismatch(stranger: Round, place: int, problem: str, facts: str) -> str:
    """Return what is wrong with the metadata of *stranger*, the round at *place*, where conditions come out as *facts*."""
    fields = derivative.read_metadata(stranger.metadata)
    number = f"round {place}"
    if fields is None:
        what = (
            "no metadata"
            if stranger.metadata is None or stranger.metadata == ""
            else "metadata in another form than Watchword's"
        )
        return f"{number} carries {what}"
    recorded, now = _cut(fields["facts"]) or "none", facts or "none"
    if not derivative.are_facts(fields["facts"], facts):
        return f"{number} was made for conditions that came out as {recorded}, which is no outcome of this flow's"
    if problem == "facts_changed":
        return f"{number} was made where the conditions came out as {recorded}, now they come out as {now}"
    if problem == "mixed_sessions":
        return f"{number} names another flow or sign-in than the first"
    return f"{number} says that the round before it was {_cut(fields['before'])!r}, which that round was not"


def _failure(code: str, detail: str) -> str:
    return f"{code}: {detail}; {REASON_TEXTS[code]}" if detail else f"{code}: {REASON_TEXTS[code]}"


def _read(before: derivative.State, state: derivative.State, read: ReadRound, sending: Collection[str]) -> str:
    """Return how *read* was read."""
    if read.name == derivative.SRP_A:
        return "the client opened with SRP_A, which proves nothing"
    if read.name == derivative.PASSWORD_VERIFIER:
        return f"the host checked the password: {'right' if read.right is True else 'not right'}"
    if read.name != derivative.CUSTOM:
        return f"{_cut(read.name)}, a round of the host's own: {'true' if read.right is True else 'not true'}"
    step = _cut(read.step)
    if read.use == "choice":
        return "the client was asked to choose"
    if read.use == derivative.OFFERED:
        return (
            f"the client was asked to choose, and answered {step} at once: {'right' if read.right is True else 'wrong'}"
        )
    if read.use == "resend":
        asked = derivative.find(before[0], read.step)
        ended = " once more than a step takes, so it failed" if asked and not asked[3] else ""
        return f"{step}: the client asked for another {_what(read, sending)}{ended}"
    if read.use == derivative.UNASKED:
        return f"{step} could not be asked: its courier was down, or the budget of messages was empty"
    return f"{step}, answered {'right' if read.right is True else 'wrong'}"


def _what(read: ReadRound, sending: Collection[str]) -> str:
    """Return what a client that asks for another one gets: a kind that sends nothing asks anew."""
    return "message" if read.step in sending else "challenge"


def _tries(state: derivative.State, step: str) -> int:
    found = derivative.find(state[0], step)
    return int(found[2]) if found else 0


def _resends(state: derivative.State, step: str) -> int:
    found = derivative.find(state[0], step)
    return int(found[3]) if found else 0


def _word(read: ReadRound) -> str:
    return format_round(evolve(read, name=_cut(read.name), step=_cut(read.step)))


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
