"""Sign a user in within a test: ``user.signs_in().is_asked("srp").answers(password).gets_tokens()``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NoReturn, Self, assert_never

from attrs import define

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, AnswerRequest, SessionRequest
from watchword.algebra.flow import FailAuthentication, IssueTokens, Present, ReadRound, Round, Use
from watchword.algebra.session_notation import format_round
from watchword.contract.typed_codes import write_token_answer
from watchword.errors import WatchwordError
from watchword.testing.code_tap import DrawnCode, recorded_codes
from watchword.testing.flow_user import FlowWorld
from watchword.testing.requests import access_token

if TYPE_CHECKING:
    from watchword.runtime.creation import CreatedChallenge

_PASSWORD_NAMES = frozenset({"srp", "password", derivative.PASSWORD_VERIFIER})
_Outcome = Literal["asked", "signed in", "refused"]


class DrivenSignIn:
    """One sign-in, played against the engine in the host's order; every method but the last returns it.

    Expectations (`is_asked`, `gets_tokens`, `is_refused`) raise AssertionError with what happened so far.
    """

    def __init__(self, user: FlowWorld, *, srp: bool) -> None:
        self._user = user
        self._rounds: list[Round] = []
        self._words: list[str] = []
        self._trace: list[tuple[str, str]] = []
        self._outcome: _Outcome = "asked"
        self._why = ""
        self._host_round = ""
        self._created: CreatedChallenge | None = None
        self._code: DrawnCode | None = None
        self._presented = user.clock.now()
        self._request: SessionRequest | None = None
        self._verified: tuple[AnswerRequest, bool] | None = None
        self._events_before = len(user.events)
        if srp:
            # Cognito puts it on the list before any password was checked.
            self._went(ReadRound.host(derivative.SRP_A), None)
        self._goes_on({})

    def __repr__(self) -> str:
        return f"DrivenSignIn({' '.join(self._words)!r}, {self._where()})"

    @property
    def public(self) -> Mapping[str, str]:
        """The public parameters of the challenge at hand; empty for a round of the host's own and at the end."""
        return dict(self._created.public) if self._created else {}

    @property
    def session(self) -> str:
        """The rounds so far, in words: ``srp_a+ password_verifier+ email_otp-``."""
        return " ".join(self._words)

    # Expectations

    def is_asked(self, step: str, **public: object) -> Self:
        """Expect to be asked for *step*: a step's name, ``srp``, ``select`` for a choice, or a host round's name.

        *public* are public parameters that are expected, such as ``attempts_left=2``; None expects that there is none.
        """
        __tracebackhide__ = True
        if self._outcome != "asked":
            self._fail(f"expected to be asked for {step!r}, but {self._where()}")
        asked = self._host_round or self.public.get("step", "")
        if step != asked and not (self._host_round == derivative.PASSWORD_VERIFIER and step in _PASSWORD_NAMES):
            self._fail(f"expected to be asked for {step!r}, but {self._where()}")
        for name, value in public.items():
            expected, actual = None if value is None else str(value), self.public.get(name)
            if expected != actual:
                self._fail(f"expected {name}={expected!r} of {step!r}, but it is {actual!r:.200}")
        return self

    def gets_tokens(self) -> None:
        """Expect that the sign-in is over and tokens are issued."""
        __tracebackhide__ = True
        if self._outcome != "signed in":
            self._fail(f"expected tokens, but {self._where()}")

    def is_refused(self, why: str = "") -> None:
        """Expect that the sign-in is over without tokens.

        *why* may be the operator's reason (``tries_used_up``), the client's text (``TRY_LATER``), or what the host
        itself refuses: ``wrong_password``, ``session_over``.
        """
        __tracebackhide__ = True
        if self._outcome != "refused":
            self._fail(f"expected to be refused, but {self._where()}")
        if why and why != self._why:
            self._fail(f"expected to be refused for {why!r}, but it was for {self._why!r}")

    # What a user does

    def answers(self, answer: str, *, choice: str | None = None) -> Self:
        """Answer the challenge at hand; *choice* names the step that the user wants next, and must come next then."""
        __tracebackhide__ = True
        self._responds(answer, choice=choice)
        return self

    def answers_rightly(self, *, choice: str | None = None) -> Self:
        """Give the password, or the code that the step's kind asked for: also one that only a picture shows."""
        __tracebackhide__ = True
        if self._host_round == derivative.PASSWORD_VERIFIER:
            return self.answers(self._user.password, choice=choice)
        if self._code is None:
            self._fail(f"nothing tells what is right here, so say it: answers('…'); {self._where()}")
        return self.answers(self._with_token(self._code.text), choice=choice)

    def answers_wrongly(self, times: int = 1) -> Self:
        """Give an answer of the right form that is wrong, *times* times; a code has another last symbol then."""
        __tracebackhide__ = True
        self._at_least_once(times)
        for _ in range(times):
            if self._host_round:
                self._responds(f"not {self._user.password}")
                continue
            wrong = "a wrong answer"
            if self._code is not None:
                text, alphabet = self._code.text, self._code.alphabet
                wrong = self._with_token(text[:-1] + alphabet[(alphabet.index(text[-1]) + 1) % len(alphabet)])
            self._responds(wrong)
            if self._verified is None or self._verified[1]:
                self._fail(f"the wrong answer {wrong!r} was taken for right")
        return self

    def asks_for_resend(self, *, choice: str | None = None) -> Self:
        """Ask for a new message in place of answering; *choice* as in `answers`."""
        __tracebackhide__ = True
        if self._host_round:
            self._fail(f"a message can be asked for in a round of the flow's own only, but {self._where()}")
        self._responds("", choice=choice, action="resend")
        return self

    def chooses(self, step: str) -> Self:
        """Choose *step* where the flow asks for a choice; it must be one of those that are offered."""
        __tracebackhide__ = True
        if self.public.get("step") != derivative.SELECT:
            self._fail(f"there is no choice here (give choice={step!r} with an answer), {self._where()}")
        self._responds(step, choice=step)
        return self

    def answers_offer(self, step: str, answer: str) -> Self:
        """Answer the choice at hand for *step*, one of those that it offers, without choosing it first."""
        __tracebackhide__ = True
        if step not in self.public.get("offers", "").split(","):
            self._fail(f"{step!r} is not offered here, {self._where()}")
        self._sends(answer, step, "answer")
        return self

    def opens_link(self, link: str = "") -> Self:
        """Answer with the ticket of *link*, or of the last message, as the page does to which it leads.

        In a choice the step is answered that offers links. Another browser opens a link in a sign-in of its own:
        ``user.signs_in().opens_link(user.outbox.link)``.
        """
        __tracebackhide__ = True
        ticket = (link or self._user.outbox.link).partition("#")[2]
        if self.public.get("step") != derivative.SELECT:
            return self.answers(ticket)
        offered = self.public.get("offers", "").split(",")
        linked = (name for flow in self._user.engine.flows for name, step in flow.steps.items() if step.powers.links)
        step = next((name for name in linked if name in offered), "")
        if not step:
            self._fail(f"no step with links is offered here, {self._where()}")
        return self.answers_offer(step, ticket)

    def waits(self, seconds: float) -> Self:
        """Let *seconds* pass before anything else is done."""
        self._user.clock.advance(seconds)
        return self

    def host_retries(self, times: int = 3) -> Self:
        """Have the host call again, *times* times, with the very events of the last round.

        Expect the same verdict, the same decision, for a kind that sends the same challenge, and no other message. (Verify
        may send a notice once more, which has the same id then.) The challenge that was made last is the one at hand.
        """
        __tracebackhide__ = True
        self._at_least_once(times)
        engine, request, messages = self._user.engine, self._request, self._user.outbox.messages
        sent, expected = {letter.id for letter in messages}, len(messages)
        for _ in range(times):
            before_verify = len(messages)
            if self._verified is not None and engine.verify(self._verified[0]).right != self._verified[1]:
                self._fail(f"a host that calls Verify again gets another verdict than {self._verified[1]}")
            expected += sum(letter.id in sent for letter in messages[before_verify:])
            if request is None:
                continue
            before = (self._outcome, self._why, self._host_round, self._shown())
            self._decides(request)
            after = (self._outcome, self._why, self._host_round, self._shown())
            if before != after:
                self._fail(f"a host that calls again gets something else: {before}, then {after}")
        if len(messages) != expected:
            self._fail(f"a host that called again had {len(messages) - expected} more messages sent")
        return self

    # How it is played

    def _at_least_once(self, times: int) -> None:
        __tracebackhide__ = True
        if times < 1:
            self._fail(f"times={times!r} does nothing, so it tests nothing")

    def _responds(self, answer: str, *, choice: str | None = None, action: str | None = None) -> None:
        __tracebackhide__ = True
        before = self._where()
        steps = list(dict.fromkeys(name for flow in self._user.engine.flows for name in flow.steps))
        if choice is not None and choice not in steps:
            self._fail(f"choice={choice!r} names no step: {', '.join(steps)}")
        self._sends(answer, choice, action)
        if choice is not None and self._outcome != "refused" and self.public.get("step") != choice:
            # The engine takes no notice of a choice that is not offered: so a test must.
            self._fail(f"choice={choice!r} was of no use where {before}: now {self._where()}")

    def _sends(self, answer: str, choice: str | None, action: str | None) -> None:
        __tracebackhide__ = True
        if self._outcome != "asked":
            self._fail(f"there is nothing to answer: {self._where()}")
        if self._user.clock.now() - self._presented >= self._user.session_minutes * 60:
            # Cognito says "Invalid session for the user, session is expired." then, and asks no trigger.
            self._refused("session_over", "answers too late for the host")
            return
        said = {key: value for key, value in ((ACTION, action), (CHOICE, choice)) if value is not None}
        if self._host_round:
            self._verified = None
            if self._host_answers(answer):
                self._goes_on(said)
            return
        created = self._created
        assert created is not None  # whoever is asked has a challenge
        call = self._user.answer(answer, created.private, said)
        right = self._user.engine.verify(call).right
        self._verified = (call, right)
        step = created.public["step"]
        use: Use = "resend" if action == "resend" else "answer"
        if action == "answer" and step == derivative.SELECT:
            step, use = str(choice), "offered"
        if (derivative.read_metadata(created.metadata) or {}).get("asked") == "0":
            use = "unasked"
        self._went(ReadRound.custom(step, right=right, use=use), created.metadata)
        self._goes_on(said)

    def _host_answers(self, answer: str) -> bool:
        user, name = self._user, self._host_round
        if name == derivative.PASSWORD_VERIFIER and not (user.known and answer == user.password):
            self._refused("wrong_password", "gives a wrong password")  # and Define is not asked
            return False
        if name == derivative.NEW_PASSWORD:
            user.password = answer
            user.attributes["cognito:user_status"] = "CONFIRMED"
        self._went(ReadRound.host(name), None)
        return True

    def _with_token(self, text: str) -> str:
        """Return *text* as the step at hand takes it: with the user's access token, if it wants one."""
        steps = {name: step for flow in self._user.engine.flows for name, step in flow.steps.items()}
        step = steps.get(self.public.get("step", ""))
        wanted = step is not None and step.powers.with_token
        return write_token_answer(access_token(self._user.attributes["sub"]), text) if wanted else text

    def _went(self, read: ReadRound, metadata: str | None) -> None:
        self._rounds.append(Round(read.name, read.right, metadata))
        self._words.append(format_round(read))

    def _goes_on(self, said: Mapping[str, str]) -> None:
        self._request = self._user.request(self._rounds, said)
        self._presented = self._user.clock.now()
        self._decides(self._request)
        self._trace.append((self._words[-1] if self._words else "(begins)", self._where()))

    def _decides(self, request: SessionRequest) -> None:
        """Do as Define says, as the host would."""
        engine = self._user.engine
        self._host_round, self._created, self._code = "", None, None
        try:
            decision = engine.define(request)
            match decision:
                case IssueTokens():
                    self._outcome = "signed in"
                case FailAuthentication(reason):
                    self._outcome, self._why = "refused", reason
                case Present(step, True):
                    self._host_round = step
                case Present():
                    with recorded_codes() as codes:
                        self._created = engine.create(request)
                    # What is offered in a choice is no answer to the choice itself.
                    self._code = codes[-1] if codes and not decision.choices else None
                case _:
                    assert_never(decision)
        except WatchwordError as error:
            self._outcome, self._why = "refused", error.text

    def _refused(self, why: str, told: str) -> None:
        self._outcome, self._why = "refused", why
        self._host_round, self._created, self._code, self._request = "", None, None, None
        self._trace.append((f"({told})", self._where()))

    def _shown(self) -> dict[str, str]:
        """Return what a host's retry must not change in what the client is shown."""
        named = self.public.get("step", "")
        steps = (flow.steps[named] for flow in self._user.engine.flows if named in flow.steps)
        if any(step.powers.sends for step in steps):
            return dict(self.public)
        return {
            name: text for name, text in self.public.items() if name in {"step", "kind", "attempts_left", "choices"}
        }

    # How it is told

    def _where(self) -> str:
        if self._outcome == "signed in":
            return "tokens are issued"
        if self._outcome == "refused":
            return f"the sign-in is refused ({self._why})"
        if self._host_round:
            return f"the host asks for {self._host_round}"
        shown = self.public
        notes = [f"{name}={shown[name]}" for name in ("choices", "attempts_left", "error") if name in shown]
        return f"the flow asks for {shown.get('step', 'nothing')}" + (f" ({', '.join(notes)})" if notes else "")

    def _fail(self, what: str) -> NoReturn:
        __tracebackhide__ = True
        user = self._user
        widest = max(len(word) for word, _ in self._trace)
        recorded = [
            f"{event.name} ({event.detail['reason']})" if "reason" in event.detail else event.name
            for event in user.events[self._events_before :]
        ]
        why: tuple[str, ...] = ()
        if self._request is not None:
            from watchword.analysis.explanation import explain_request  # noqa: PLC0415 - only a failure is explained

            why = (f"  why: {explain_request(self._request, user.engine.flows).reason}",)
        opening = ("srp",) if any(word.startswith("srp_a") for word in self._words) else ()
        raise AssertionError(
            "\n".join(
                (
                    what,
                    f"  flow {user.flow.name!r}: {', '.join((*opening, *user.flow.steps))}",
                    f"  user {user.name!r}, {'known' if user.known else 'unknown'}, client {user.client!r}",
                    f"  session: {self.session or '(no round yet)'}",
                    *(f"    {word:{widest}}  {then}" for word, then in self._trace),
                    *why,
                    f"  recorded: {', '.join(recorded) or 'nothing'}",
                )
            )
        )


@define(eq=False)
class FlowUser(FlowWorld):
    """Somebody who signs in through *flow*, as often as wanted; budgets and messages are those of one world.

    Attributes:
        flow: what must be answered.
        ledger: an empty ledger. (The fixture ``flow_user`` brings one that lives in memory.)
        name: the user's name.
        password: what ``srp`` takes for right.
        attributes: added to a ``sub`` and a verified ``email``; it may be changed between sign-ins.
        known: False for somebody who does not exist.
        client: the id of the app client.
        outbox: where messages go.
        clock: stands still until it is moved.
        random: gives other bytes on every call. Users who share a ledger share it, or their ids would be the same.
        session_minutes: how long the host waits for an answer, 3 to 15; Cognito's default is 3.
        previous: flows whose sessions may still be under way.
        credentials: the store of what users enrolled, for a flow whose kinds remember. (The fixture brings one in memory.)
        engine: what plays the flow.
        codes: those that kinds asked for in the last challenge that was made.
    """

    def signs_in(self, *, srp: bool | None = None) -> DrivenSignIn:
        """Begin a sign-in.

        *srp* says whether the client opens with SRP_A; if None, it does where the flow has a place for that.
        """
        __tracebackhide__ = True
        if srp is None:
            outcomes = derivative.outcomes_of(self.flow.conditions, self.user().attributes, self.client, self.known)
            srp = derivative.SRP_A in derivative.heads(derivative.begin(self.flow.program, outcomes)[0])
        return DrivenSignIn(self, srp=srp)
