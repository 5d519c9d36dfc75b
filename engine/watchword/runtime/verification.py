"""Verify: one answer to one challenge, charged before it is compared, accepted once."""

from __future__ import annotations

import hmac

from attrs import field, frozen

from watchword.algebra import derivative
from watchword.algebra.blocks import Step
from watchword.algebra.evaluation import ACTION, Answer
from watchword.algebra.flow import Flow
from watchword.contract.kinds import User, Verdict, VerifyRequest
from watchword.contract.ports import LEASE, Charge, ChargeRequest, Limit
from watchword.errors import UnavailableError, checked_word
from watchword.runtime.keyring import Key
from watchword.runtime.services import Deadline, Services
from watchword.runtime.wire import Slip, answer_seal, claim_of, late, own_try, read_slip, seal_of

SKEW = 5
"""Seconds by which two hosts' clocks may differ; a challenge issued later than that is not believed."""

MAX_ANSWER = 1024
WRONG = Verdict(right=False)


def guess_budget(user: str, slip: Slip) -> str:
    """Return the budget that a guess at *slip* is charged to: by user, kind, and whether a factor was proven before."""
    return f"guess:{user}:{slip.kind}:{'proven' if slip.proven else 'first'}"


def guess_limits(flow: Flow, step: Step) -> tuple[Limit, ...]:
    """Return the limits for guesses at *step*; none for a puzzle, and for what nobody can guess."""
    return flow.limits.guesses_at(step)


@frozen
class _Case:
    """An answer, and the challenge that it answers, as its private parameters tell it.

    *slip* is the engine's part of them and *own* the kind's; *key* made the claim. *budget* pays for the guess, or else
    *own_try*, if the sign-in has one. All that is written down is kept until *keep*.
    """

    answer: Answer
    user: str
    flow: Flow
    step: Step
    slip: Slip
    own: dict[str, str] = field(repr=False)
    key: Key = field(repr=False)
    own_try: str

    @property
    def budget(self) -> str:
        """The budget that the guess is charged to."""
        return guess_budget(self.user, self.slip)

    @property
    def keep(self) -> int:
        """Until when the answer is written down: who shares the claim may be asked up to a lease later, and answer then."""
        return self.slip.expires + 3 * LEASE

    @property
    def late(self) -> str:
        """The mark that tells Create that the answer came too late, and paid nothing."""
        return late(self.slip.claim, self.slip.signin)


def verify(services: Services, answer: Answer, deadline: Deadline) -> Verdict:
    """Return whether *answer* is right, by *deadline*. Anything odd about it is a wrong answer.

    Raises:
        UnavailableError: if the ledger fails: then nothing was compared, or the right answer was not accepted. If the
            kind says so: then nothing was compared, the charge is taken back, and the round may be answered again.
    """
    if answer.private.get("kind") in {derivative.SELECT, derivative.UNASKED}:
        # A choice is no answer: Define reads it from the client metadata, and the kinds never see it. Nor is there one to
        # what was not asked.
        return WRONG
    user = services.user_key(answer.pool, answer.user)
    case = _read(services, answer, user)
    if case is None:
        services.record("authn_login_fail", user, claim=claim_of(answer.private), reason="no_challenge")
        return WRONG
    if answer.client_metadata.get(ACTION) == "resend":
        # Wanting a new code is no guess: never shown to the kind, not charged.
        return WRONG
    text = answer.answer
    now = services.clock.now()
    slip = case.slip
    if not isinstance(text, str) or len(text) > MAX_ANSWER or now >= slip.expires + LEASE or slip.issued > now + SKEW:
        reason = "expired" if isinstance(text, str) and len(text) <= MAX_ANSWER else "malformed"
        return _wrong(services, case, reason)
    return _judged(services, case, text, deadline)


def _read(services: Services, answer: Answer, user: str) -> _Case | None:
    read = read_slip(answer.private)
    if read is None:
        return None
    slip, own = read
    flow = next((each for each in services.flows if each.fingerprint == slip.flow), None)
    key = services.key_of(slip.claim)
    step = flow.steps.get(slip.step) if flow else None
    if flow is None or key is None or step is None or step.kind.kind != slip.kind:
        return None
    expected = seal_of(key, (answer.pool, answer.client, user), answer.private)
    sealed = hmac.compare_digest(expected.encode(), str(answer.private["seal"]).encode("utf-8", "replace"))
    tried = own_try(services.keyring.lasting, slip.claim, slip.signin) if slip.own else ""
    return _Case(answer, user, flow, step, slip, own, key, tried) if sealed else None


def _wrong(services: Services, case: _Case, reason: str, event: str = "authn_login_fail") -> Verdict:
    """Record why the answer counts as wrong."""
    services.record(event, case.user, claim=case.slip.claim, step=case.slip.step, reason=reason)
    return WRONG


def _judged(services: Services, case: _Case, text: str, deadline: Deadline) -> Verdict:
    """Charge the answer, compare it, and accept it if it is right: in this order."""
    charge = _charged(services, case, text, deadline)
    if charge.outcome == "refused":
        return _wrong(services, case, "second_answer", "authn_token_reuse")
    if charge.outcome == "exhausted":
        return _wrong(services, case, "guesses_used_up", "authn_login_lock")
    if charge.at >= case.slip.expires:
        # Nothing is compared, so nothing is paid; Create finds the mark, and the answer costs no try.
        _came_late(services, case, deadline)
        verdict = Verdict(right=False, reason="expired")
    else:
        verdict = _compared_or_forgiven(services, case, text, charge, deadline)
    # A puzzle says nothing of who exists: solved, it lets somebody unknown go on too (ASVS 5.0 6.3.8), never to tokens.
    if not (verdict.right and (case.answer.user.known or not case.step.kind.proves)):
        first = charge.outcome == "charged"
        return _wrong(services, case, checked_word(verdict.reason, "wrong")) if first else WRONG
    if not _accepted(services, case, deadline):
        # It is too late, but it is no guess: what it was charged goes back, once in a sign-in.
        _came_late(services, case, deadline)
        return _wrong(services, case, "used_before", "authn_token_reuse")
    return verdict


def _charged(services: Services, case: _Case, text: str, deadline: Deadline) -> Charge:
    """Record *text* as the one answer to this round, and charge a guess for it."""
    request = ChargeRequest(
        case.slip.round,
        case.key.digest("answer", case.slip.round, text),
        key=case.budget,
        owner=case.user,
        claim_id=case.own_try,
        limits=guess_limits(case.flow, case.step),
        keep=case.keep,
        now=services.clock.now(),
    )
    return services.ledger.charge(request, within=deadline.left())


def _accepted(services: Services, case: _Case, deadline: Deadline) -> bool:
    """Use up the claim, give the guess back and free the slot; False if another round has used the claim up."""
    slip = case.slip
    slot = services.slot(case.answer, case.user, slip.step)
    within = deadline.left()
    return services.ledger.consume(
        slip.claim, by=slip.round, refund=case.budget, keep=case.keep, slot=slot, within=within
    )


def _came_late(services: Services, case: _Case, deadline: Deadline) -> None:
    """Leave the mark that the answer came too late, and give its guess back."""
    by = case.slip.round
    services.ledger.consume(case.late, by=by, refund=case.budget, keep=case.keep, within=deadline.left())


def _compared_or_forgiven(services: Services, case: _Case, text: str, charge: Charge, deadline: Deadline) -> Verdict:
    """Have the kind compare *text*; take the charge back if it cannot."""
    try:
        return _compared(case, text, charge.at)
    except UnavailableError:
        # A repeat takes nothing back: the call before it may have compared. Nor does the ledger where there was a repeat.
        if charge.outcome == "charged":
            round_id, within = case.slip.round, deadline.left()
            services.ledger.forgive(round_id, key=case.budget, claim_id=case.own_try, within=within)
        raise


def _compared(case: _Case, text: str, at: float) -> Verdict:
    slip, kind, user = case.slip, case.step.kind, case.answer.user

    def seal(candidate: str) -> str:
        return answer_seal(case.key, case.step, slip.claim, case.user, candidate)

    request = VerifyRequest(
        slip.step,
        User(user.name, user.attributes, user.known, case.user),
        at,
        text,
        case.own,
        seal=seal,
        same=lambda one, other: hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace")),
    )
    try:
        verdict: object = kind.verify(request)
    except UnavailableError as error:
        # Its text is the plugin's own, and may quote the answer.
        what = f"kind {kind.kind!r} cannot judge answers now"
        raise UnavailableError(what, reason=error.reason, code=error.code) from None
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, nobody gets in
        return Verdict(right=False, reason=f"kind_failed_{type(error).__name__}")
    if isinstance(verdict, Verdict) and isinstance(verdict.right, bool) and isinstance(verdict.reason, str):
        return verdict
    return Verdict(right=False, reason="kind_failed")
