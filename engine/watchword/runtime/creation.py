"""Create: make one challenge for the step that comes next, and send at most one message, however often the host calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from attrs import evolve, field, frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import REDIRECT, SessionRequest
from watchword.algebra.lowering import MESSAGES, Step
from watchword.contract.kinds import (
    RESERVED_PUBLIC,
    Challenge,
    CreateRequest,
    User,
    why_no_message,
)
from watchword.errors import UnavailableError, reason_of
from watchword.runtime.delivery import (
    ChallengeClaim,
    NotSent,
    draw_claim,
    has_own_try,
    kept_claim,
    obtain_claim,
    outage_error,
    pad_duration,
    send_message,
    with_own_try,
)
from watchword.runtime.services import Deadline, Services
from watchword.runtime.sign_ins.tickets import Tickets
from watchword.runtime.situation import Situation, read_situation, with_dead_code, with_enrolment, with_other_browser
from watchword.runtime.wire import (
    BEGUN,
    MAX_CARRY,
    MAX_PRIVATE,
    MAX_PUBLIC,
    RESERVED_PRIVATE,
    Metadata,
    PrivateParameters,
    new_claim,
    public_sign_in,
    reference,
)

if TYPE_CHECKING:
    from watchword.contract.enrolments import BeginRequest


@frozen
class CreatedChallenge:
    """A challenge, ready for the host. In *public* may stand a secret that the user is to keep, where the step enrols."""

    public: Mapping[str, str] = field(repr=False)
    private: Mapping[str, str] = field(repr=False)
    metadata: str


@frozen(eq=False, repr=False)
class Flaw:
    """Why the challenge of a kind cannot be used: *what* the kind did, and *why*, for the operator."""

    what: str
    why: Mapping[str, str]


@frozen(eq=False, repr=False)
class _Asking:
    """What the client is to be asked; not *asked* if the step's message cannot go out, which is told instead."""

    claim: ChallengeClaim
    challenge: Challenge
    asked: bool = True


def create(services: Services, request: SessionRequest, deadline: Deadline) -> CreatedChallenge:
    """Return the challenge for the step that the session of *request* has come to, by *deadline*.

    Raises:
        ProtocolError: if the session has come to no step of the flow's own.
        TryLaterError: if the message budget is empty; nothing was sent.
        UnavailableError: if a port or the kind fails, or time runs out; the message, if any, is sent at most once.
    """
    at = read_situation(services, request, deadline)
    ref = new_claim(services.keyring.current, at.round, at.now)
    try:
        if at.choices:
            return _choice(services, at, deadline)
        at = with_enrolment(services, with_dead_code(services, at, deadline), deadline)
        at = with_other_browser(services, at, deadline)
        claim = obtain_claim(services, at, deadline)
        ref = claim.id
        challenge = make_challenge(services, at, claim, deadline)
        if isinstance(challenge, Flaw):
            raise _kind_failure(services, at, claim, challenge, deadline)
        asking = _Asking(claim, challenge)
        not_sent = send_message(services, at, claim, challenge, deadline)
        going_on = _go_on_without_message(services, at, asking, not_sent, deadline) if not_sent else asking
        pad_duration(services, at, claim, deadline)
        if isinstance(going_on, BaseException):
            raise going_on
        at = with_own_try(services, at, going_on.claim, deadline) if going_on.asked else at
        return _written(services, at, going_on, deadline)
    except UnavailableError as error:
        if error.ref:
            raise
        raise services.record_outage(error, at.user, claim=ref, step=at.step_name) from None


def make_challenge(
    services: Services, at: Situation, claim: ChallengeClaim, deadline: Deadline, *, offering: bool = False
) -> Challenge | Flaw:
    """Ask the kind for the challenge of *claim*, or for its *offering* in a select round. Return it, or what is wrong with it; never raise."""
    pool, kind = at.request.pool, at.step.kind
    user = services.as_kinds_see(pool, at.request.user)
    if at.enrols:
        return _begin_enrolment(services, at, claim, user, deadline)
    expires = claim.issued + at.step.lifetime
    methods = services.methods_of(pool, user, at.step, deadline, claim=claim.id, key=claim.key)
    if at.step.powers.links:
        tickets = Tickets(services.keyring.find, at.binding, at.step, at.signin)
        methods = evolve(
            methods, ticket=lambda: tickets.write(claim.key, claim.id, user.name, issued=claim.issued, expires=expires)
        )
    said = at.request.client_metadata.get(REDIRECT, "")
    request = CreateRequest(
        at.step_name,
        user,
        at.now,
        expires,
        reference(claim.id),
        # A new claim is a new message, whatever came before it: the key of the last one may have left the ring.
        again=at.was_answered and not claim.slot,
        carry=at.carry,
        proven=at.proven,
        round=at.round,
        within=deadline.left(),
        redirect=said if said in at.step.powers.redirects else "",
        methods=methods,
    )
    create = cast("Callable[[CreateRequest], object]", at.step.powers.offer if offering else kind.create)
    try:
        challenge = create(request)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, the sign-in ends here and nothing leaks
        return Flaw(f"raised {type(error).__name__}", reason_of(error))
    flaw = flaw_of(challenge, at.step.powers.channel, offering=offering)
    return challenge if isinstance(challenge, Challenge) and not flaw else Flaw(flaw, {"reason": "unusable"})


def _begin_enrolment(
    services: Services, at: Situation, claim: ChallengeClaim, user: User, deadline: Deadline
) -> Challenge | Flaw:
    """Have the kind begin an enrolment for *user*, as `begin_with_kind` does."""
    from watchword.contract.enrolments import BeginRequest  # noqa: PLC0415 - most flows enrol nothing

    request = BeginRequest(
        at.step_name,
        user,
        at.now,
        services.enrolment_id(at.signin, at.step_name, user.key),
        reference(claim.id),
        again=at.was_answered,
        carry=at.carry,
        round=at.round,
        within=deadline.left(),
        methods=services.methods_of(at.request.pool, user, at.step, deadline, claim=claim.id, key=claim.key),
    )
    return begin_with_kind(at.step, request)


def begin_with_kind(step: Step, request: BeginRequest) -> Challenge | Flaw:
    """Have the kind of *step* begin an enrolment. Return it as a challenge, or what is wrong with it; never raise."""
    from watchword.contract.credentials import Enrolment  # noqa: PLC0415 - most flows enrol nothing

    begin = cast("Callable[[BeginRequest], object]", step.powers.begin)
    try:
        begun = begin(request)
    except BaseException as error:  # noqa: BLE001 - as above
        return Flaw(f"raised {type(error).__name__}", reason_of(error))
    if not isinstance(begun, Enrolment):
        return Flaw("began no Enrolment", {"reason": "unusable"})
    challenge = Challenge(begun.public, begun.private, begun.carry)
    flaw = flaw_of(challenge, step.powers.channel)
    return Flaw(flaw, {"reason": "unusable"}) if flaw else challenge


def _kind_failure(
    services: Services, at: Situation, claim: ChallengeClaim, flaw: Flaw, deadline: Deadline
) -> UnavailableError:
    """Record that the kind made no challenge; return the error that says so."""
    services.record("sys_kind_failed", at.user, claim=claim.id, step=at.step_name, what=flaw.what, **flaw.why)
    if claim.sends:
        services.ledger.settle(claim.slot, claim.id, "unsent", own_until=at.now, within=deadline.left())
    return outage_error(claim, f"kind {at.step.kind.kind!r} {flaw.what}", flaw.why, undelivered=True)


def _go_on_without_message(
    services: Services, at: Situation, asking: _Asking, not_sent: NotSent, deadline: Deadline
) -> _Asking | BaseException:
    """Return how the sign-in goes on although no message went out, or the error that ends it.

    Nothing is lost while an older code may still be good: it is asked for once more. Else what cannot be asked gives way
    to what the flow has instead. If there is nothing, an empty budget leaves the older code, dead as it is.
    """
    if not not_sent.word:
        return not_sent.error
    older = kept_claim(services, at, not_sent.word)
    if older is not None and (not at.code_is_dead or (not_sent.word == "try_later" and not at.has_another_way)):
        challenge = make_challenge(services, at, older, deadline)
        if isinstance(challenge, Flaw):
            return _kind_failure(services, at, older, challenge, deadline)
        return _Asking(older, challenge)
    return evolve(asking, asked=False) if at.has_another_way else not_sent.error


def flaw_of(challenge: object, channel: str, *, offering: bool = False) -> str:
    """Return what is wrong with *challenge*, of a kind that sends by *channel*; empty if nothing is.

    What a select round is *offering* has neither message nor carry: the client may take another option, or none.
    """
    if not isinstance(challenge, Challenge):
        return "made no Challenge"
    nothing = frozenset[str]()
    for name, texts, reserved, most in (
        ("public", challenge.public, RESERVED_PUBLIC, MAX_PUBLIC),
        ("private", challenge.private, RESERVED_PRIVATE, MAX_PRIVATE),
        ("carry", challenge.carry, frozenset({BEGUN}), MAX_CARRY),
        ("reason", {"reason": challenge.reason}, nothing, MAX_CARRY),
    ):
        pairs = list(texts.items()) if isinstance(texts, Mapping) else [(0, 0)]
        if not all(isinstance(each, str) for pair in pairs for each in pair):
            return f"made {name} parameters that are not all text"
        if not reserved.isdisjoint(texts):
            return f"wrote {name} parameters that are the engine's own: {', '.join(sorted(reserved & texts.keys()))}"
        if sum(len(str(key)) + len(str(value)) for key, value in pairs) > most:
            return f"made {name} parameters of more than {most} characters"
    messages = challenge.messages
    if offering and (messages or challenge.carry):
        return "made an offer with a message or a carry"
    if not isinstance(messages, tuple) or len(messages) > 1:
        return "made messages that are no tuple of at most one"
    return why_no_message(messages[0], channel) if messages else ""


def _choice(services: Services, at: Situation, deadline: Deadline) -> CreatedChallenge:
    """Ask the client which of the steps it wants; what can be offered may be answered at once."""
    claim = draw_claim(services, at)
    names = [name for name in at.choices if name in at.flow.offered]
    offers = Challenge()
    for name in names:
        option = evolve(at, step_name=name)
        offer = make_challenge(services, option, claim, deadline, offering=True)
        both = offer if isinstance(offer, Flaw) else _with_offer(offers, option, claim, offer)
        if isinstance(both, Flaw):
            raise _kind_failure(services, option, claim, both, deadline)
        offers = both
    expires = max((claim.issued + at.flow.steps[name].lifetime for name in names), default=int(at.now) + 1)
    told = {"choices": ",".join(at.choices), **({"offers": ",".join(names)} if names else {})}
    return _response(services, at, claim, offers, told, kind=derivative.SELECT, expires=expires)


def _with_offer(offers: Challenge, option: Situation, claim: ChallengeClaim, offer: Challenge) -> Challenge | Flaw:
    """Return *offers* with the *offer* of one *option*, or what is wrong with them together."""
    shown = {**offer.public, "kind": option.step.kind.kind, "step": option.step_name, **_told(option, claim)}
    name = f"offer_{option.step_name}"
    offers = Challenge(
        {**offers.public, name: json.dumps(shown)}, {**offers.private, name: json.dumps(dict(offer.private))}
    )
    flaw = flaw_of(offers, "")
    return Flaw(flaw, {"reason": "unusable"}) if flaw else offers


def _told(at: Situation, claim: ChallengeClaim) -> dict[str, str]:
    """Return what the client is told of every step: how many answers it takes, and until when."""
    return {"attempts_left": str(at.attempts_left), "expires_at": str(claim.issued + at.step.lifetime)}


def _written(services: Services, at: Situation, asking: _Asking, deadline: Deadline) -> CreatedChallenge:
    """Return the challenge as the host gets it, or that the step cannot be asked."""
    deadline.left()
    claim, challenge, powers = asking.claim, asking.challenge, at.step.powers
    if not asking.asked:
        # No answer to it is right, and any brings what the flow has instead.
        told = {"attempts_left": "0", "expires_at": str(claim.issued), "error": "unavailable"}
        shown = Challenge(challenge.public)
        return _response(services, at, claim, shown, told, kind=derivative.UNASKED, expires=claim.issued)
    told = _told(at, claim)
    if powers.sends and at.resends_open and len(at.message_claims | {claim.id}) < MESSAGES:
        told["resend_after"] = str(claim.issued + powers.resend_after)
    if claim.error:
        told["error"] = claim.error
    if at.enrols:
        told["enrol"] = "1"
    expires = claim.issued + at.step.lifetime
    return _response(services, at, claim, challenge, told, kind=at.step.kind.kind, expires=expires)


def _response(
    services: Services,
    at: Situation,
    claim: ChallengeClaim,
    challenge: Challenge,
    told: Mapping[str, str],
    *,
    kind: str,
    expires: int,
) -> CreatedChallenge:
    """Return what the host gets: what the client is shown, what Verify needs, and what the next call reads."""
    shown_kind = derivative.SELECT if at.choices else at.step.kind.kind
    public = {**challenge.public, "kind": shown_kind, "step": at.step_name, **told, "ref": reference(claim.id)}
    passed: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    if services.keeps_evidence:
        public["signin"] = public_sign_in(services.keyring.root_key, at.signin)
        passed, ends = at.evaluation.passed, at.passing_steps(kind)
    private = PrivateParameters(
        flow=at.flow.fingerprint,
        kind=kind,
        step=at.step_name,
        signin=at.signin,
        round=at.round,
        claim=claim.id,
        issued=claim.issued,
        expires=expires,
        proven=at.proven,
        has_own_try=has_own_try(services, at, claim),
        enrols=at.enrols,
        passed=passed,
        ends=ends,
    )
    metadata = Metadata(
        flow=at.flow.fingerprint,
        facts=at.evaluation.facts,
        step=at.step_name,
        before=at.last_round.ending if at.last_round else "-",
        signin=at.signin,
        claim=claim.id,
        issued=claim.issued,
        carry={BEGUN: "1", **challenge.carry} if at.enrols and challenge.carry else challenge.carry,
        asked=kind != derivative.UNASKED,
    )
    return CreatedChallenge(public, private.write(claim.key, at.binding, challenge.private), metadata.write())
