"""Verify: one answer to one challenge, charged before it is compared, accepted once."""

from __future__ import annotations

import hmac

from attrs import frozen

from watchword import derive
from watchword.blocks import Step
from watchword.challenge import User, Verdict, VerifyRequest
from watchword.engine import LEASE, Deadline, Engine
from watchword.errors import UnavailableError, checked_word
from watchword.flow import Flow
from watchword.keyring import Key
from watchword.ports import Limit
from watchword.travel import Slip, answer_seal, claim_of, late, own_try, read_slip, seal_of
from watchword.turn import ACTION, Answer

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
    flow: Flow
    step: Step
    slip: Slip
    own: dict[str, str]
    key: Key


def verify(engine: Engine, answer: Answer, deadline: Deadline) -> Verdict:
    """Return whether *answer* is right, by *deadline*. Anything odd about it is a wrong answer.

    Raises:
        UnavailableError: if the ledger fails: then nothing was compared, or the right answer was not accepted. If the
            kind says so: then nothing was compared, the charge is taken back, and the round may be answered again.
    """
    if answer.private.get("kind") in {derive.SELECT, derive.UNASKED}:
        # A choice is no answer: Define reads it from the client metadata, and the kinds never see it. Nor is there one to
        # what was not asked.
        return WRONG
    user = engine.user_key(answer.pool, answer.user)
    case = _read(engine, answer, user)
    if case is None:
        engine.record("authn_login_fail", user, claim=claim_of(answer.private), reason="no_challenge")
        return WRONG
    if answer.client_metadata.get(ACTION) == "resend":
        # Wanting a new code is no guess: never shown to the kind, not charged.
        return WRONG
    text = answer.answer
    now = engine.clock.now()
    slip = case.slip
    if not isinstance(text, str) or len(text) > MAX_ANSWER or now >= slip.expires + LEASE or slip.issued > now + SKEW:
        reason = "expired" if isinstance(text, str) and len(text) <= MAX_ANSWER else "malformed"
        engine.record("authn_login_fail", user, claim=slip.claim, step=slip.step, reason=reason)
        return WRONG
    return _charged(engine, answer, case, text, deadline)


def _read(engine: Engine, answer: Answer, user: str) -> _Case | None:
    read = read_slip(answer.private)
    if read is None:
        return None
    slip, own = read
    flow = next((each for each in engine.flows if each.fingerprint == slip.flow), None)
    key = engine.key_of(slip.claim)
    step = flow.steps.get(slip.step) if flow else None
    if flow is None or key is None or step is None or step.kind.kind != slip.kind:
        return None
    expected = seal_of(key, (answer.pool, answer.client, user), answer.private)
    sealed = hmac.compare_digest(expected.encode(), str(answer.private["seal"]).encode("utf-8", "replace"))
    return _Case(flow, step, slip, own, key) if sealed else None


def _charged(engine: Engine, answer: Answer, case: _Case, text: str, deadline: Deadline) -> Verdict:
    user = engine.user_key(answer.pool, answer.user)
    slip = case.slip
    budget = guess_budget(user, slip)
    # Who shares the claim may have been asked up to a lease later, and all that is kept outlives their answers too.
    keep = slip.expires + 3 * LEASE
    own = own_try(engine.keyring.lasting, slip.claim, slip.signin) if slip.own else ""
    charge = engine.ledger.charge(
        slip.round,
        case.key.digest("answer", slip.round, text),
        key=budget,
        owner=user,
        claim_id=own,
        limits=guess_limits(case.flow, case.step),
        keep=keep,
        now=engine.clock.now(),
        within=deadline.left(),
    )
    if charge.outcome == "refused":
        engine.record("authn_token_reuse", user, claim=slip.claim, step=slip.step, reason="second_answer")
        return WRONG
    if charge.outcome == "exhausted":
        engine.record("authn_login_lock", user, claim=slip.claim, step=slip.step, reason="guesses_used_up")
        return WRONG
    first = charge.outcome == "charged"
    mark = late(slip.claim, slip.signin)
    if charge.at >= slip.expires:
        # Nothing is compared, so nothing is paid; Create finds the mark, and the answer costs no try.
        engine.ledger.consume(mark, by=slip.round, refund=budget, keep=keep, within=deadline.left())
        verdict = Verdict(right=False, reason="expired")
    else:
        try:
            verdict = _compared(case, answer.user, user, text, charge.at)
        except UnavailableError:
            # A repeat takes nothing back: the call before it may have compared. Nor does the ledger where there was a repeat.
            if first:
                engine.ledger.forgive(slip.round, key=budget, claim_id=own, within=deadline.left())
            raise
    # A puzzle says nothing of who exists: solved, it lets somebody unknown go on too (ASVS 5.0 6.3.8), never to tokens.
    if not (verdict.right and (answer.user.known or not case.step.kind.proves)):
        if first:
            reason = checked_word(verdict.reason, "wrong")
            engine.record("authn_login_fail", user, claim=slip.claim, step=slip.step, reason=reason)
        return WRONG
    slot = engine.slot(answer, user, slip.step)
    within = deadline.left()
    if not engine.ledger.consume(slip.claim, by=slip.round, refund=budget, keep=keep, slot=slot, within=within):
        # It is too late, but it is no guess: what it was charged goes back, once in a sign-in.
        engine.ledger.consume(mark, by=slip.round, refund=budget, keep=keep, within=deadline.left())
        engine.record("authn_token_reuse", user, claim=slip.claim, step=slip.step, reason="used_before")
        return WRONG
    return verdict


def _compared(case: _Case, user: User, user_key: str, text: str, at: float) -> Verdict:
    slip, kind = case.slip, case.step.kind

    def seal(candidate: str) -> str:
        return answer_seal(case.key, case.step, slip.claim, user_key, candidate)

    request = VerifyRequest(
        slip.step,
        User(user.name, user.attributes, user.known, user_key),
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
