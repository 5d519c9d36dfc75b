"""Obtain the claim that a challenge's secret is derived from; count its message, send it once, and record the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from attrs import evolve, field, frozen

from watchword.algebra.flow import own_tries
from watchword.algebra.lowering import MESSAGES
from watchword.contract.kinds import Challenge, Message
from watchword.contract.ports import LEASE, Limit
from watchword.errors import TryLaterError, UnavailableError, checked_word, reason_of
from watchword.runtime.keyring import Key
from watchword.runtime.services import Deadline, Services
from watchword.runtime.situation import Situation
from watchword.runtime.wire import is_sharing_sign_in, maker_of, new_claim, own_try_key, reference, sharing_sign_in

OUTAGE_SECONDS = 60
"""After a courier fails, how many seconds users without a message also get UNAVAILABLE. Otherwise an outage would show who exists."""

SETTLE_RESERVE = 0.4
"""Seconds of the deadline that are kept back from the courier, to record the outcome of the message."""


@frozen(eq=False, repr=False)
class ChallengeClaim:
    """The claim that the secret of a challenge is derived from, and how this call obtained it (*origin*).

    ``drawn``: for a step that sends nothing, anew in each call. ``kept``: from an earlier challenge of this sign-in.
    ``new``: this call made it, and sends. ``resumed``: a call before could not send, so this one does. ``held``: another
    call has sent it, or is about to.
    *issued* is when this sign-in came to it, never when another one did: all times that are shown are reckoned from it.
    *slot* is the ledger's key for it, if this call asked for one; *error* the word that the client is told with it;
    *shared* says whether the message that was sent was claimed by another call.
    """

    key: Key = field(repr=False)
    id: str
    issued: int
    origin: Literal["drawn", "kept", "new", "resumed", "held"]
    slot: str = ""
    error: str = ""
    shared: bool = False

    @property
    def sends(self) -> bool:
        """Whether this call must send the message."""
        return self.origin in {"new", "resumed"}


@frozen(eq=False, repr=False)
class NotSent:
    """Why a message did not go out: *error*, and the *word* that the client is told if the sign-in goes on all the same.

    Without a word it cannot go on.
    """

    error: BaseException
    word: Literal["", "try_later", "unavailable"] = ""


def obtain_claim(services: Services, at: Situation, deadline: Deadline) -> ChallengeClaim:
    """Return the claim that the challenge of *at* is made of.

    Raises:
        UnavailableError: if the ledger fails, or holds a claim of a key that is not in the ring.
    """
    if not at.step.powers.sends:
        return draw_claim(services, at)
    for error in (at.error if at.was_answered else None, _why_no_other_message(at)):
        older = kept_claim(services, at, error) if error is not None else None
        if older is not None:
            return older
    return _claim_in_ledger(services, at, deadline)


def draw_claim(services: Services, at: Situation) -> ChallengeClaim:
    """Return a claim of this call alone. A step that sends nothing has a new secret in every call."""
    key = services.keyring.current
    return ChallengeClaim(key, new_claim(key, at.round, at.now), int(at.now), "drawn", error=at.error)


def kept_claim(services: Services, at: Situation, error: str) -> ChallengeClaim | None:
    """Return the claim of the last challenge for the step in this sign-in, with *error* for the client; None if there is none."""
    earlier = at.earlier_challenge
    key = services.key_of(earlier.claim) if earlier else None
    return ChallengeClaim(key, earlier.claim, earlier.issued, "kept", error=error) if earlier and key else None


def _why_no_other_message(at: Situation) -> str | None:
    """Return why no other message goes out for the step now, as the client is told; None if one does."""
    earlier = at.earlier_challenge
    if earlier is None:
        return None
    if len(at.message_claims) >= MESSAGES:
        return at.error or "resends_used_up"
    cooling = at.step.powers.resend_after
    # Nothing is wrong then: the message is on its way, and `resend_after` says when another one may be asked for.
    return "" if not at.code_is_dead and at.now < earlier.issued + cooling else None


def _claim_in_ledger(services: Services, at: Situation, deadline: Deadline) -> ChallengeClaim:
    """Return the claim that the ledger has for the step: a new one of this call, or the one that another call made."""
    key = services.keyring.current
    sharing = at.signin if at.first_metadata else "first"
    slot = services.slot(at.request, at.user, at.step_name, sharing)
    fresh = new_claim(key, at.round, at.now)
    claim = services.ledger.claim(slot, fresh, lease=LEASE, now=at.now, within=deadline.left())
    holder = services.key_of(claim.id)
    if holder is None:
        raise UnavailableError(
            "the claim was made with a key that is not in the ring", undelivered=True, reason="missing"
        )
    held = ChallengeClaim(
        holder, claim.id, at.issued_to_sign_in(claim.id), "held", slot, error="expired" if at.answered_dead_code else ""
    )
    if claim.fresh:
        return evolve(held, origin="new")
    shared = sharing == "first"
    if claim.state == "unsent" and services.ledger.resume(slot, claim.id, within=deadline.left()):
        return evolve(held, origin="resumed", shared=shared)
    return evolve(held, shared=shared and claim.state == "sent")


def send_message(
    services: Services, at: Situation, claim: ChallengeClaim, challenge: Challenge, deadline: Deadline
) -> NotSent | None:
    """Send the message of *challenge*, if this call must. Return why it was not sent; None if it was, or must look so.

    It raises nothing: whatever happens here, the answer must take its time before anybody learns of it (see `pad_duration`).
    """
    if not claim.sends:
        return None
    try:
        return _count_and_send(services, at, claim, challenge, deadline)
    except BaseException as error:  # noqa: BLE001 - it is raised again, after the padding
        return NotSent(error)


def _count_and_send(
    services: Services, at: Situation, claim: ChallengeClaim, challenge: Challenge, deadline: Deadline
) -> NotSent | None:
    """Count the message in the budgets of its user and its destination, then send it."""
    # Nobody is written to who does not exist, whatever the kind made.
    message = challenge.messages[0] if challenge.messages and at.request.user.known else None
    if not _is_counted(services, at, claim, message, deadline):
        return _budget_is_empty(services, at, claim, deadline)
    if message is None:
        return _nobody_to_send_to(services, at, claim, challenge.reason, deadline)
    return _hand_to_courier(services, at, claim, message, deadline)


def _is_counted(
    services: Services, at: Situation, claim: ChallengeClaim, message: Message | None, deadline: Deadline
) -> bool:
    """Count *message* in the budget of the user, then in that of its destination; say whether there was room in both.

    Many accounts may have one address, and one account many addresses, one after the other. The user comes first: whoever
    changes the address of an account at will empties no budget but their own. Who gets no message costs the same calls.
    """
    key = services.keyring.root_key
    destination = key.digest("destination", at.request.pool, message.to.lower()) if message else at.user
    return all(
        services.ledger.count(
            f"message:{at.step.powers.channel}:{target}:{'proven' if at.proven else 'first'}",
            event=claim.id,
            owner=at.user,
            limits=at.flow.limits.messages,
            now=at.now,
            within=deadline.left(),
        )
        for target in (at.user, destination)
    )


def _budget_is_empty(services: Services, at: Situation, claim: ChallengeClaim, deadline: Deadline) -> NotSent | None:
    """The budget is empty: nothing goes out."""
    _settle(services, at, claim, deadline, "unsent")
    # Under the reference on the screen: that of the older code, where the sign-in goes on with one.
    seen = kept_claim(services, at, "try_later") or claim
    _record(services, at, seen, "excess_rate_limit_exceeded")
    refusal = TryLaterError("the message budget is empty", undelivered=True, reason="throttled")
    refusal.ref = reference(claim.id)
    return NotSent(refusal, "try_later")


def _nobody_to_send_to(
    services: Services, at: Situation, claim: ChallengeClaim, reason: str, deadline: Deadline
) -> NotSent | None:
    """There is nobody to send to: it looks sent, or like an outage where there is one."""
    if at.request.user.known:
        # Silence towards the client; the operator finds out why under the reference on the user's screen.
        _record(services, at, claim, "authn_code_withheld", reason=checked_word(reason, "no_message"))
    down = services.ledger.peek(_outage(services, at), now=at.now, within=deadline.left())
    if down is None:
        _settle(services, at, claim, deadline, "sent")
        return None
    if down == "undelivered":
        _settle(services, at, claim, deadline, "unsent")
    what = f"the courier for {at.step.powers.channel!r} is down"
    return NotSent(UnavailableError(what, undelivered=True, reason="unreachable"), "unavailable")


def _hand_to_courier(
    services: Services, at: Situation, claim: ChallengeClaim, message: Message, deadline: Deadline
) -> NotSent | None:
    """Hand *message* to the courier, and write down what became of it."""
    try:
        courier = services.couriers[at.step.powers.channel]
        within = deadline.left(but=SETTLE_RESERVE)
        courier.send(evolve(cast("Any", message), id=claim.id), within)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a courier's own errors may quote the message
        return _courier_failed(services, at, claim, error, deadline)
    _settle(services, at, claim, deadline, "sent")
    _record(services, at, claim, "authn_code_sent")
    return None


def _courier_failed(
    services: Services, at: Situation, claim: ChallengeClaim, error: BaseException, deadline: Deadline
) -> NotSent | None:
    """Write down that the courier failed with *error*; the recipient may be the cause, or the channel is down."""
    undelivered, why = isinstance(error, UnavailableError) and error.undelivered, reason_of(error)
    detail = {"undelivered": str(undelivered).lower(), **why}
    if isinstance(error, UnavailableError) and error.refused:
        # It looks sent: anybody can have an address that is refused, and who does not exist has none.
        _settle(services, at, claim, deadline, "sent")
        _record(services, at, claim, "sys_message_refused", **detail)
        return None
    _record(services, at, claim, "sys_courier_failed", **detail)
    how = "undelivered" if undelivered else "unknown"
    services.ledger.put(_outage(services, at), how, expires=at.now + OUTAGE_SECONDS, within=deadline.left())
    if undelivered:
        _settle(services, at, claim, deadline, "unsent")
    what = f"the courier for {at.step.powers.channel!r} failed: {' '.join(why.values())}"
    return NotSent(outage_error(claim, what, why), "unavailable")


def _record(services: Services, at: Situation, claim: ChallengeClaim, name: str, **detail: str) -> None:
    """Record what became of the message of *claim*."""
    services.record(name, at.user, claim=claim.id, step=at.step_name, channel=at.step.powers.channel, **detail)


def _outage(services: Services, at: Situation) -> str:
    """Return the ledger's key that says that a courier is down, in one pool: what fails in another says nothing here."""
    return f"outage:{services.keyring.root_key.digest('outage', at.request.pool, at.step.powers.channel)}"


def _settle(
    services: Services, at: Situation, claim: ChallengeClaim, deadline: Deadline, state: Literal["sent", "unsent"]
) -> None:
    until = claim.issued + at.step.lifetime + LEASE
    services.ledger.settle(claim.slot, claim.id, state, own_until=until, within=deadline.left())


def outage_error(
    claim: ChallengeClaim, what: str, why: Mapping[str, str], *, undelivered: bool = False
) -> UnavailableError:
    """Return the error that says *what* failed and *why*, which was recorded under the reference of *claim*."""
    error = UnavailableError(what, undelivered=undelivered, reason=why["reason"], code=why.get("code", ""))
    error.ref = reference(claim.id)
    return error


def pad_duration(services: Services, at: Situation, claim: ChallengeClaim, deadline: Deadline) -> None:
    """Wait until the call has taken as long as one that sends.

    Answers take the same time whether or not there is anybody to send to (ASVS 5.0 6.3.8), and whether or not another
    sign-in has sent already. What keeps its claim never sends, for anybody.
    """
    if not claim.slot:
        return
    floor = services.pad_to
    if floor is None:
        courier = services.couriers.get(at.step.powers.channel)
        floor = courier.floor if courier else 0.0
    services.clock.sleep_until(deadline.started + floor)


def with_own_try(services: Services, at: Situation, claim: ChallengeClaim, deadline: Deadline) -> Situation:
    """Return *at* as a sign-in that has a try of its own of a message that another call claimed, if one is left.

    Create cannot tell a repeat by the host from a sign-in that a stranger began. So whoever comes first, up to a number
    that keeps a day of guesses under the ceiling, has one try; who comes later cannot take it away.
    """
    if not claim.shared:
        return at
    others = own_tries(at.flow) - 1
    keep = at.step.lifetime + LEASE
    if others < 1 or not services.ledger.count(
        f"share:{claim.id}",
        event=at.round,
        owner=claim.id,
        limits=(Limit(others, keep),),
        now=at.now,
        within=deadline.left(),
    ):
        return at
    key = services.keyring.root_key
    signin = sharing_sign_in(key, claim.id, at.round)
    own = own_try_key(key, claim.id, signin)
    services.ledger.settle(claim.slot, own, "sent", own_until=claim.issued + keep, within=deadline.left())
    return evolve(at, signin=signin)


def has_own_try(services: Services, at: Situation, claim: ChallengeClaim) -> bool:
    """Say whether this sign-in has a try of its own of the message of *claim*; see `with_own_try`.

    Only the claim of a first challenge can be shared. The call that made it had no sign-in to go by: it took the
    same random bits for the sign-in and for the claim. Nobody has one where the limits leave no room for it.
    """
    if not own_tries(at.flow):
        return False
    shared = at.first_metadata is None or at.first_metadata["claim"] == claim.id
    return (
        not shared
        or maker_of(claim.id) == at.signin
        or is_sharing_sign_in(services.keyring.root_key, claim.id, at.signin)
    )
