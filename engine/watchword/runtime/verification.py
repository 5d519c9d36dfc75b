"""Verify: charge one answer to one challenge, compare it, and accept it once."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import cast

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import ACTION, CHOICE, AnswerRequest
from watchword.algebra.flow import Flow
from watchword.algebra.lowering import Step
from watchword.contract.enrolments import CompleteRequest
from watchword.contract.kinds import RequestMethods, User, Verdict, VerifyRequest
from watchword.contract.ports import LEASE, Charge, ChargeRequest
from watchword.errors import checked_word
from watchword.runtime.credentials.effects import RoundAnswer, judge
from watchword.runtime.credentials.notices import send_notice
from watchword.runtime.keyring import Key
from watchword.runtime.services import Deadline, Services
from watchword.runtime.sign_ins.evidence import keep_evidence
from watchword.runtime.sign_ins.tickets import Ticket, Tickets
from watchword.runtime.wire import (
    PrivateParameters,
    claim_of,
    late_answer_key,
    other_browser_key,
    own_try_key,
    read_private_parameters,
    seal_of,
)

MAX_CLOCK_SKEW = 5
"""How many seconds the clocks of two hosts may differ. A challenge from further in the future is refused."""

WRONG = Verdict(right=False)


@frozen
class _Case:
    """An answer, and the challenge that it answers, as its private parameters tell it.

    *parameters* are the engine's and *kind_parameters* the kind's own; *key* made the claim. *budget* pays for the guess, or else
    *own_try*, if the sign-in has one. All that is written down is kept until *keep*.
    """

    request: AnswerRequest
    user: str
    flow: Flow
    step: Step
    parameters: PrivateParameters
    kind_parameters: dict[str, str] = field(repr=False)
    key: Key = field(repr=False)
    own_try: str

    @property
    def budget(self) -> str:
        """The budget that the guess is charged to: by user, kind, and whether a factor was proven before."""
        return f"guess:{self.user}:{self.parameters.kind}:{'proven' if self.parameters.proven else 'first'}"

    @property
    def takes_tickets_alone(self) -> bool:
        """Whether no code is right: a select round has sent none. Nobody guesses a ticket."""
        return self.step.powers.links and self.request.private["kind"] == derivative.SELECT

    @property
    def keep(self) -> int:
        """Until when the answer is written down: who shares the claim may be asked up to a lease later, and answer then."""
        return self.parameters.expires + 3 * LEASE

    @property
    def late_answer_key(self) -> str:
        """The mark that tells Create that the answer came too late, and paid nothing."""
        return late_answer_key(self.parameters.claim, self.parameters.signin)


def verify(services: Services, request: AnswerRequest, deadline: Deadline) -> Verdict:
    """Return whether the answer of *request* is right, by *deadline*. Anything odd about it is a wrong answer.

    Raises:
        UnavailableError: if the ledger fails: then nothing was compared, or the right answer was not accepted. If the
            kind or the store of credentials fails before the kind has compared: then the charge is taken back, and the round
            may be answered again. If the store fails after that: the same answer may be given again.
    """
    kind = request.private.get("kind")
    if kind == derivative.UNASKED or (kind == derivative.SELECT and _answered_offer(request) is None):
        # A choice is no answer: Define reads it from the client metadata, and the kinds never see it. Nor is there one to
        # what was not asked.
        return WRONG
    user = services.user_key(request.pool, request.user)
    case = _read(services, request, user)
    if case is None:
        services.record("authn_login_fail", user, claim=claim_of(request.private), reason="no_challenge")
        return WRONG
    if request.client_metadata.get(ACTION) == "resend":
        # Wanting a new code is no guess: never shown to the kind, not charged.
        return WRONG
    text, now = request.answer, services.clock.now()
    if not isinstance(text, str) or len(text) > case.step.powers.longest_answer:
        return _wrong(services, case, "malformed")
    if now >= case.parameters.expires + LEASE or case.parameters.issued > now + MAX_CLOCK_SKEW:
        return _wrong(services, case, "expired")
    return _charge_and_compare(services, case, text, deadline)


def _answered_offer(request: AnswerRequest) -> str | None:
    """Return the option of a select round that *request* answers; None if it was not offered there, or is only chosen."""
    said = request.client_metadata
    chosen = said.get(CHOICE, "") if said.get(ACTION) == "answer" else ""
    return chosen if f"offer_{chosen}" in request.private else None


def _of_offer(case: _Case) -> _Case:
    """Return *case*, a select round that is sealed, as the round of the step that it was answered for: with what its offer kept."""
    step, parameters = case.step, case.parameters
    # Only Create writes what is sealed.
    kept = cast("dict[str, str]", json.loads(case.kind_parameters[f"offer_{step.name}"]))
    expires = parameters.issued + step.lifetime
    parameters = evolve(parameters, step=step.name, kind=step.kind.kind, expires=expires)
    return evolve(case, parameters=parameters, kind_parameters=kept)


def _read(services: Services, request: AnswerRequest, user: str) -> _Case | None:
    read = read_private_parameters(request.private)
    if read is None:
        return None
    parameters, kind_parameters = read
    flow = next((each for each in services.flows if each.fingerprint == parameters.flow), None)
    key = services.key_of(parameters.claim)
    answered = _answered_offer(request) if parameters.kind == derivative.SELECT else None
    step = flow.steps.get(answered or parameters.step) if flow else None
    if flow is None or key is None or step is None or not (answered or step.kind.kind == parameters.kind):
        return None
    expected = seal_of(key, (request.pool, request.client, user), request.private)
    sealed = hmac.compare_digest(expected.encode(), str(request.private["seal"]).encode("utf-8", "replace"))
    tried = (
        own_try_key(services.keyring.root_key, parameters.claim, parameters.signin) if parameters.has_own_try else ""
    )
    if not sealed:
        return None
    case = _Case(request, user, flow, step, parameters, kind_parameters, key, tried)
    return _of_offer(case) if answered else case


def _wrong(services: Services, case: _Case, reason: str, event: str = "authn_login_fail") -> Verdict:
    """Record why the answer counts as wrong."""
    services.record(event, case.user, claim=case.parameters.claim, step=case.parameters.step, reason=reason)
    return WRONG


def _charge_and_compare(services: Services, case: _Case, text: str, deadline: Deadline) -> Verdict:
    """Charge the answer, compare it, and accept it if it is right: in this order."""
    charge = _charge(services, case, text, deadline)
    if charge.outcome == "refused":
        return _wrong(services, case, "second_answer", "authn_token_reuse")
    if charge.outcome == "exhausted":
        return _wrong(services, case, "guesses_used_up", "authn_login_lock")
    if charge.at >= case.parameters.expires:
        # Nothing is compared, so nothing is paid; Create finds the mark, and the answer costs no try.
        _mark_as_late(services, case, deadline)
        verdict = Verdict(right=False, reason="expired")
    else:
        verdict = _compare(services, case, text, charge, deadline)
    verdict, ticket = _with_ticket(services, case, verdict, charge.at)
    if ticket and not verdict.right:
        # It is no guess, so it was not charged; Create finds the note.
        note = other_browser_key(case.parameters.signin, case.parameters.step)
        services.ledger.put(note, "1", expires=case.keep, within=deadline.left())
    # A puzzle says nothing of who exists: solved, it lets somebody unknown go on too (ASVS 5.0 6.3.8), never to tokens.
    if not (verdict.right and (case.request.user.known or not case.step.kind.proves)):
        first = charge.outcome == "charged"
        return _wrong(services, case, checked_word(verdict.reason, "wrong")) if first else WRONG
    if not _accept(services, case, ticket, deadline):
        # It is too late, but it is no guess: what it was charged goes back, once in a sign-in.
        _mark_as_late(services, case, deadline)
        return _wrong(services, case, "used_before", "authn_token_reuse")
    if verdict.reason and charge.outcome == "charged":
        reason = checked_word(verdict.reason, "right")
        services.record(
            "authn_login_notice", case.user, claim=case.parameters.claim, step=case.parameters.step, reason=reason
        )
    if services.keeps_evidence:
        keep_evidence(services, case.flow, case.request, case.parameters, at=charge.at, deadline=deadline)
    if case.parameters.enrols:
        _tell_of_enrolment(services, case, deadline, first=charge.outcome == "charged")
    return verdict


def _tell_of_enrolment(services: Services, case: _Case, deadline: Deadline, *, first: bool) -> None:
    """Record, if this is the *first* such call, that a credential was added, and tell its user."""
    parameters, user = case.parameters, services.as_kinds_see(case.request.pool, case.request.user)
    if first:
        detail = {"action": "credential_added", "kind": parameters.kind}
        services.record("user_updated", case.user, claim=parameters.claim, **detail)
    send_notice(services, user, "added", parameters.kind, claim=parameters.claim, deadline=deadline)


def _charge(services: Services, case: _Case, text: str, deadline: Deadline) -> Charge:
    """Record *text* as the one answer to this round, and charge a guess for it."""
    request = ChargeRequest(
        case.parameters.round,
        # The same text for another option of the choice is another answer.
        case.key.digest("answer", case.parameters.round, case.parameters.step, text),
        key=case.budget,
        owner=case.user,
        claim_id=case.own_try,
        limits=() if _is_no_guess(services, case, text) else case.flow.limits.guesses_at(case.step),
        keep=case.keep,
        now=services.clock.now(),
    )
    return services.ledger.charge(request, within=deadline.left())


def _is_no_guess(services: Services, case: _Case, text: str) -> bool:
    """Say whether *text* needs no budget: what an enrolment asks for, the user was just shown; and nobody guesses a ticket.

    A budget for tickets would let strangers lock people out of links.
    """
    if case.parameters.enrols or case.takes_tickets_alone:
        return True
    return case.step.powers.links and _tickets_of(services, case).read(text) is not None


def _tickets_of(services: Services, case: _Case) -> Tickets:
    binding = (case.request.pool, case.request.client, case.user)
    return Tickets(services.keyring.find, binding, case.step, case.parameters.signin)


def _with_ticket(services: Services, case: _Case, verdict: Verdict, at: float) -> tuple[Verdict, Ticket | None]:
    """Return *verdict*, and the ticket that it redeems: the engine reads that itself, and takes none that is not good here at *at*."""
    if not (case.step.powers.links and verdict.redeems):
        return verdict, None
    tickets = _tickets_of(services, case)
    told = tickets.verdict(verdict.redeems, at)
    if verdict.right and not told.right:
        verdict = told
    return verdict, tickets.read(verdict.redeems) if told.right == verdict.right else None


def _accept(services: Services, case: _Case, ticket: Ticket | None, deadline: Deadline) -> bool:
    """Use up the claim, give the guess back and free the slot; False if another round has used the claim up.

    The claim of a *ticket* may be another one: of a message before the last, or of another sign-in. It is used up as well, first,
    so that whoever dies in between is read as right again.
    """
    parameters = case.parameters
    slot = services.slot(case.request, case.user, parameters.step)
    claims = {parameters.claim: case.keep}
    if ticket:
        claims = {ticket.claim: max(case.keep, ticket.expires + 3 * LEASE)} | claims
    return all(
        services.ledger.consume(
            claim, by=parameters.round, refund=case.budget, keep=keep, slot=slot, within=deadline.left()
        )
        for claim, keep in claims.items()
    )


def _mark_as_late(services: Services, case: _Case, deadline: Deadline) -> None:
    """Leave the mark that the answer came too late, and give its guess back."""
    by = case.parameters.round
    services.ledger.consume(case.late_answer_key, by=by, refund=case.budget, keep=case.keep, within=deadline.left())


def _compare(services: Services, case: _Case, text: str, charge: Charge, deadline: Deadline) -> Verdict:
    """Have the kind compare *text*, and carry out what it asks for. A repeat of a round that used its claim up is right."""
    parameters, repeated = case.parameters, charge.outcome == "repeated"
    if repeated and services.ledger.consumed(parameters.claim, by=parameters.round, within=deadline.left()):
        return Verdict(right=True)
    pool, user = case.request.pool, services.as_kinds_see(case.request.pool, case.request.user)
    asked = _complete if parameters.enrols else _verify

    def give_back() -> None:
        # A repeat takes nothing back: the call before it may have compared. Nor does the ledger where there was a repeat.
        if not repeated:
            services.ledger.forgive(parameters.round, key=case.budget, claim_id=case.own_try, within=deadline.left())

    answer = RoundAnswer(
        pool,
        user,
        parameters.kind,
        case.step.powers.remembers,
        parameters.round,
        lambda owned: services.methods_of(
            pool, user, case.step, deadline, claim=parameters.claim, key=case.key, owned=owned
        ),
        lambda methods: asked(services, case, user, text, charge.at, methods=methods, deadline=deadline),
        enrols=parameters.enrols,
        give_back=give_back,
    )
    verdict = judge(services, answer, deadline)
    return evolve(verdict, right=False) if case.takes_tickets_alone and not verdict.redeems else verdict


def _verify(
    services: Services, case: _Case, user: User, text: str, at: float, *, methods: RequestMethods, deadline: Deadline
) -> Verdict:
    """Have the kind judge an answer of *user*, as kinds see them, to its challenge."""
    if case.step.powers.links:
        tickets = _tickets_of(services, case)
        methods = evolve(methods, redeem=partial(tickets.verdict, now=at))
    known = services.tokens
    if case.step.powers.with_token and known is not None:
        pool, client = case.request.pool, case.request.client

        def is_access_token(token: str) -> bool:
            return known(token, pool=pool, client=client, sub=user.id, within=deadline.left()) is True

        methods = evolve(methods, is_access_token=is_access_token)
    request = VerifyRequest(
        case.parameters.step,
        user,
        at,
        text,
        case.kind_parameters,
        round=case.parameters.round,
        within=deadline.left(),
        issued=case.request.issued,
        methods=methods,
    )
    return case.step.kind.verify(request)


def _complete(
    services: Services, case: _Case, user: User, text: str, at: float, *, methods: RequestMethods, deadline: Deadline
) -> object:
    """Have the kind judge the answer of *user*, as kinds see them, that ends an enrolment.

    Nobody unknown enrols anything. A user who has a credential of the kind by now is asked for that, whoever began this.
    """
    parameters = case.parameters
    if not user.known:
        return Verdict(right=False, reason="unknown_user")
    if methods.credentials():
        return Verdict(right=False, reason="enrolled_before")
    request = CompleteRequest(
        parameters.step,
        user,
        at,
        services.enrolment_id(parameters.signin, parameters.step, user.key),
        text,
        case.kind_parameters,
        round=parameters.round,
        within=deadline.left(),
        methods=methods,
    )
    return cast("Callable[[CompleteRequest], object]", case.step.powers.complete)(request)
