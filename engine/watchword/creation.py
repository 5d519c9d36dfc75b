"""Create: one challenge for the step that comes next; at most one message, however often the host calls."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import NoReturn

from attrs import evolve, field, frozen

from watchword import derive
from watchword.blocks import MESSAGES, Step
from watchword.challenge import RESERVED_PUBLIC, Challenge, CreateRequest, Email, Sends, User
from watchword.engine import LEASE, Deadline, Engine, own_tries
from watchword.errors import ProtocolError, TryLaterError, UnavailableError, checked_word, reason_of
from watchword.flow import Present
from watchword.keyring import Key
from watchword.ports import Limit, Message
from watchword.travel import (
    MAX_CARRY,
    MAX_PRIVATE,
    MAX_PUBLIC,
    RESERVED_PRIVATE,
    Metadata,
    Slip,
    answer_seal,
    is_sharer,
    late,
    made_at,
    maker,
    new_claim,
    own_try,
    read_carry,
    reference,
    sharer,
)
from watchword.turn import Judgement, Turn, judge

OUTAGE = 60
"""Seconds for which a courier that failed is taken to be down for those whom nothing would be sent to, so that both see the same."""

MAX_MESSAGE = 1_000_000
"""Characters of a message in all: ten times what a template may have."""

SETTLING = 0.4
"""Seconds of the deadline that a courier is not given, so that what became of the message can still be written down."""


class _CourierDownError(UnavailableError):
    """Raised if the courier of a channel is down, or for those whom nothing is sent to is taken to be."""


@frozen
class Created:
    """A challenge, ready for the host."""

    public: Mapping[str, str]
    private: Mapping[str, str] = field(repr=False)
    metadata: str


@frozen
class _Claimed:
    """What the secret of the challenge at hand is made of.

    *issued* is when this sign-in came to it, never when another one did: all times that are shown are reckoned from it.
    *send* says whether this call must send it, *shared* whether the message that was sent was claimed by another call.
    """

    key: Key
    id: str
    issued: int
    send: bool = False
    slot: str = ""
    error: str = ""
    shared: bool = False


@frozen
class _Call:
    """One call of Create, as far as it is understood.

    *dead* says that no answer to the last challenge of the step at hand can be right any more: its code was used, or its
    time is over. *late* says that the client has just answered it all the same.
    """

    engine: Engine
    turn: Turn
    judgement: Judgement
    deadline: Deadline
    user: str
    signin: str
    round: str
    now: float
    dead: bool = False
    late: bool = False

    def owns(self, claim: str) -> bool:
        """Whether this sign-in has a try of its own of the message of *claim*; see `_sharing`.

        Only the claim of a first challenge can be shared. The call that made it had no sign-in to go by: it took the
        same random bits for the sign-in and for the claim. Nobody has one where the limits leave no room for it.
        """
        if not own_tries(self.judgement.flow):
            return False
        first = next((each[4] for each in self.judgement.rounds if each[4]), None)
        shared = first is None or first["claim"] == claim
        return not shared or maker(claim) == self.signin or is_sharer(self.engine.keyring.lasting, claim, self.signin)

    def answered_wrong(self, step: str) -> bool:
        """Whether the round just answered was *step*: if it is asked again, the answer cost a try."""
        last = self.last
        return last is not None and last[1] == step and last[2] == "answer"

    @property
    def last(self) -> derive.ReadRound | None:
        """The round just answered, if it was one of the flow's own."""
        rounds = self.judgement.rounds
        return rounds[-1] if rounds and rounds[-1][4] else None

    def last_of(self, step: str) -> dict[str, str] | None:
        """The metadata of the last challenge that was made for *step* in this sign-in."""
        return next((each[4] for each in reversed(self.judgement.rounds) if each[4] and each[1] == step), None)

    def issued(self, claim: str, noted: str | None = None) -> int:
        """Return when this sign-in came to *claim*: as *noted* in its metadata, or now if it has only just done so.

        Whatever is noted, that is at most the lease after the claim was made: no metadata puts off when a code ends.
        """
        try:
            at = int(self.now if noted is None else noted)
        except ValueError:
            at = 0
        return min(at, made_at(claim) + LEASE)

    def messages_of(self, step: str) -> frozenset[str]:
        """The claims of the challenges that were made for *step* in this sign-in: each claim is one message."""
        return frozenset(each[4]["claim"] for each in self.judgement.rounds if each[4] and each[1] == step)


def create(engine: Engine, turn: Turn, deadline: Deadline) -> Created:
    """Return the challenge for the step that the session of *turn* has come to, by *deadline*.

    Raises:
        ProtocolError: if the session has come to no step of the flow's own.
        TryLaterError: if the message budget is empty; nothing was sent.
        UnavailableError: if a port or the kind fails, or time runs out; the message, if any, is sent at most once.
    """
    judgement = judge(turn, engine.flows)
    decision = judgement.decision
    if not isinstance(decision, Present) or decision.host:
        raise ProtocolError("Create was called, but the flow has come to no challenge of its own")
    first = next((each[4] for each in judgement.rounds if each[4]), None)
    fresh = _fresh(engine)
    call = _Call(
        engine,
        turn,
        judgement,
        deadline,
        user=engine.user_key(turn.pool, turn.user),
        signin=first["signin"] if first else fresh,
        round=fresh,
        now=engine.clock.now(),
    )
    if decision.choices:
        return _select(call, decision.choices)
    step = judgement.flow.steps[decision.step]
    with _recorded(call, step, new_claim(engine.keyring.current, fresh, call.now)):
        call = _with_dead_code(call, step)
        return _sending(call, step) if isinstance(step.kind, Sends) else _drawing(call, step)


@contextmanager
def _recorded(call: _Call, step: Step, claim: str) -> Generator[None]:
    """Record an outage that ends the block, unless that is done, under the reference of *claim*."""
    try:
        yield
    except UnavailableError as error:
        if error.ref:
            raise
        raise call.engine.recorded(error, call.user, claim=claim, step=step.name) from None


def _fresh(engine: Engine) -> str:
    """Return a new id of 128 random bits (ASVS 5.0 11.5.1)."""
    drawn = engine.random.bytes(16)
    if not isinstance(drawn, bytes) or len(drawn) != 16:
        raise UnavailableError("the source of randomness gave too little", undelivered=True, reason="internal")
    return drawn.hex()


def _with_dead_code(call: _Call, step: Step) -> _Call:
    """Return *call* with what it must know if the code at hand is dead.

    Whoever answers a dead code wants another one, whether or not the client said so. So that round is read as a resend
    request from here on, which costs no try and sends at once: unless Verify may have compared the answer, or no resend
    is left.
    """
    before = call.last_of(step.name)
    if before is None:
        return call
    ledger, claim = call.engine.ledger, before["claim"]
    over = call.issued(claim, before["issued"]) + step.lifetime
    ended = call.now >= over
    # What sends nothing draws a secret for each call: nobody else can use it up.
    used = isinstance(step.kind, Sends) and ledger.consumed(claim, within=call.deadline.left())
    if not (ended or used):
        return call
    last = call.last
    call = evolve(call, dead=True, late=last is not None and last[1] == step.name and last[2] == "answer")
    # Verify compares nothing and calls no ledger when the lease after the end is over.
    if not call.late or not (
        used or call.now >= over + LEASE or ledger.consumed(late(claim, call.signin), within=call.deadline.left())
    ):
        return call
    excused = call.judgement.ended_by("resend")
    return evolve(call, judgement=excused) if derive.find(excused.state[0], step.name) else call


def _select(call: _Call, choices: tuple[str, ...]) -> Created:
    key = call.engine.keyring.current
    claimed = _Claimed(key, new_claim(key, call.round, call.now), int(call.now))
    public = {"kind": derive.SELECT, "step": derive.SELECT, "choices": ",".join(choices), "ref": reference(claimed.id)}
    slip = _slip(call, claimed, derive.SELECT, derive.SELECT, int(call.now) + 1)
    private = slip.write(key, (call.turn.pool, call.turn.client, call.user), {})
    return Created(public, private, _metadata(call, derive.SELECT, claimed, {}))


def _drawing(call: _Call, step: Step) -> Created:
    """Make a challenge that sends nothing: a new secret on every call."""
    key = call.engine.keyring.current
    claimed = _Claimed(key, new_claim(key, call.round, call.now), int(call.now), error=_error(call, step))
    return _finish(call, step, claimed, _made(call, step, claimed))


def _error(call: _Call, step: Step) -> str:
    """Return the word that tells the client why *step* is asked again; nothing if the answer was not wrong."""
    return "expired" if call.late else "wrong" if call.answered_wrong(step.name) else ""


def _sending(call: _Call, step: Step) -> Created:
    """Make a challenge that goes out as a message: claimed first, sent once, and the same again for a host's retry."""
    claimed = _claim(call, step)
    with _recorded(call, step, claimed.id):
        return _sent(call, step, claimed)


def _sent(call: _Call, step: Step, claimed: _Claimed) -> Created:
    challenge = _made(call, step, claimed)
    channel: str = getattr(step.kind, "channel", "")
    try:
        if claimed.send:
            _send(call, step, claimed, challenge, channel)
    except (TryLaterError, _CourierDownError) as error:
        empty = isinstance(error, TryLaterError)
        old = _kept(call, step, "try_later" if empty else "unavailable")
        if old is not None and not call.dead:
            # Nothing is lost while an older code may still be good: the sign-in goes on with it.
            return _finish(call, step, old, _made(call, step, old))
        if _has_another_way(call, step):
            return _unasked(call, step, claimed, challenge)
        if old is None or not empty:
            raise
        return _finish(call, step, old, _made(call, step, old))
    finally:
        # Answers take the same time whether or not there is anybody to send to (ASVS 5.0 6.3.8), and whether or not
        # another sign-in has sent already. What keeps its claim never sends, for anybody.
        if claimed.slot:
            floor = call.engine.pad_to
            if floor is None:
                courier = call.engine.couriers.get(channel)
                floor = courier.floor if courier else 0.0
            call.engine.clock.sleep_until(call.deadline.started + floor)
    return _finish(_sharing(call, step, claimed), step, claimed, challenge)


def _sharing(call: _Call, step: Step, claimed: _Claimed) -> _Call:
    """Return *call* as a sign-in that has a try of its own of a message that another call claimed, if one is left.

    Create cannot tell a repeat by the host from a sign-in that a stranger began. So whoever comes first, up to a number
    that keeps a day of guesses under the ceiling, has one try; who comes later cannot take it away.
    """
    if not claimed.shared:
        return call
    engine = call.engine
    others = own_tries(call.judgement.flow) - 1
    until = claimed.issued + step.lifetime + LEASE
    window = (Limit(others, step.lifetime + LEASE),) if others > 0 else ()
    if not window or not engine.ledger.count(
        f"share:{claimed.id}",
        event=call.round,
        owner=claimed.id,
        limits=window,
        now=call.now,
        within=call.deadline.left(),
    ):
        return call
    key = engine.keyring.lasting
    signin = sharer(key, claimed.id, call.round)
    own = own_try(key, claimed.id, signin)
    engine.ledger.settle(claimed.slot, own, "sent", own_until=until, within=call.deadline.left())
    return evolve(call, signin=signin)


def _has_another_way(call: _Call, step: Step) -> bool:
    """Say whether the flow goes on if *step* cannot be asked."""
    left = derive.after(call.judgement.state, derive.CUSTOM, step.name, derive.UNASKED, False)[0]
    return not derive.ending(left)


def _unasked(call: _Call, step: Step, claimed: _Claimed, challenge: Challenge) -> Created:
    """Tell the client that *step* cannot be asked: no answer to it is right, and any brings what the flow has instead."""
    call.deadline.left()
    public = {
        **challenge.public,
        "kind": step.kind.kind,
        "step": step.name,
        "attempts_left": "0",
        "expires_at": str(claimed.issued),
        "ref": reference(claimed.id),
        "error": "unavailable",
    }
    slip = _slip(call, claimed, derive.UNASKED, step.name, claimed.issued)
    private = slip.write(claimed.key, (call.turn.pool, call.turn.client, call.user), {})
    return Created(public, private, _metadata(call, step.name, claimed, {}, asked=False))


def _claim(call: _Call, step: Step) -> _Claimed:
    if call.answered_wrong(step.name):
        kept = _kept(call, step, _error(call, step))
        if kept is not None:
            return kept
    error = _not_sent(call, step)
    if error is not None:
        kept = _kept(call, step, error)
        if kept is not None:
            return kept
    engine = call.engine
    key = engine.keyring.current
    sharing = call.signin if any(each[4] for each in call.judgement.rounds) else "first"
    slot = engine.slot(call.turn, call.user, step.name, sharing)
    fresh = new_claim(key, call.round, call.now)
    claim = engine.ledger.claim(slot, fresh, lease=LEASE, now=call.now, within=call.deadline.left())
    holder = engine.key_of(claim.id)
    if holder is None:
        raise UnavailableError(
            "the claim was made with a key that is not in the ring", undelivered=True, reason="missing"
        )
    send = claim.fresh
    shared = sharing == "first" and not claim.fresh
    if not send and claim.state == "unsent":
        send = engine.ledger.resume(slot, claim.id, within=call.deadline.left())
    shared = shared and (send or claim.state == "sent")
    error = "expired" if call.late else ""
    return _Claimed(holder, claim.id, call.issued(claim.id), send, slot, error=error, shared=shared)


def _not_sent(call: _Call, step: Step) -> str | None:
    """Return why no other message goes out for *step* now, as the client is told; None if one does."""
    before = call.last_of(step.name)
    if before is None:
        return None
    if len(call.messages_of(step.name)) >= MESSAGES:
        return _error(call, step) or "resends_used_up"
    cooling: int = getattr(step.kind, "resend_after", 0)
    # Nothing is wrong then: the message is on its way, and `resend_after` says when another one may be asked for.
    due = call.issued(before["claim"], before["issued"]) + cooling
    return "" if not call.dead and call.now < due else None


def _kept(call: _Call, step: Step, error: str) -> _Claimed | None:
    """Return the claim of this sign-in's last challenge for *step*, with nothing to send; None if there is none."""
    before = call.last_of(step.name)
    key = call.engine.key_of(before["claim"]) if before else None
    if before is None or key is None:
        return None
    return _Claimed(key, before["claim"], call.issued(before["claim"], before["issued"]), error=error)


def _made(call: _Call, step: Step, claimed: _Claimed) -> Challenge:
    before = call.last_of(step.name)
    user = call.turn.user
    key, kind = claimed.key, step.kind
    secret_of = f"{claimed.id} {call.user}"
    request = CreateRequest(
        step.name,
        User(user.name, user.attributes if user.known else {}, user.known, call.user),
        call.now,
        claimed.issued + step.lifetime,
        reference(claimed.id),
        # A new claim is a new message, whatever came before it: the key of the last one may have left the ring.
        again=call.answered_wrong(step.name) and not claimed.slot,
        carry=read_carry(before) if before else {},
        proven=bool(call.judgement.factors),
        code=lambda alphabet, length: key.choose(f"code {kind.kind}", secret_of, alphabet, length),
        seal=lambda answer: answer_seal(key, step, claimed.id, call.user, answer),
        mark=lambda value: call.engine.keyring.lasting.digest(f"mark {kind.kind}", value),
    )
    try:
        challenge: object = kind.create(request)
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, the sign-in ends here and nothing leaks
        _refuse(call, claimed, step, f"raised {type(error).__name__}", **reason_of(error))
    flaw = flaw_of(challenge, getattr(kind, "channel", None))
    if flaw or not isinstance(challenge, Challenge):
        _refuse(call, claimed, step, flaw or "made no Challenge", reason="unusable")
    return challenge


def _refuse(call: _Call, claimed: _Claimed, step: Step, what: str, **why: str) -> NoReturn:
    call.engine.record("sys_kind_failed", call.user, claim=claimed.id, step=step.name, what=what, **why)
    if claimed.send:
        call.engine.ledger.settle(claimed.slot, claimed.id, "unsent", own_until=call.now, within=call.deadline.left())
    raise _failure(claimed, f"kind {step.kind.kind!r} {what}", why, undelivered=True) from None


def _failure(
    claimed: _Claimed,
    what: str,
    why: Mapping[str, str],
    *,
    undelivered: bool = False,
    of: type[UnavailableError] = UnavailableError,
) -> UnavailableError:
    """Return the error that says *what* failed and *why*, which was recorded under the reference of *claimed*."""
    failure = of(what, undelivered=undelivered, reason=why["reason"], code=why.get("code", ""))
    failure.ref = reference(claimed.id)
    return failure


def flaw_of(challenge: object, channel: str | None) -> str:
    """Return what is wrong with what a kind made that sends by *channel*, or nothing."""
    if not isinstance(challenge, Challenge):
        return "made no Challenge"
    nothing = frozenset[str]()
    for name, texts, reserved, most in (
        ("public", challenge.public, RESERVED_PUBLIC, MAX_PUBLIC),
        ("private", challenge.private, RESERVED_PRIVATE, MAX_PRIVATE),
        ("carry", challenge.carry, nothing, MAX_CARRY),
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
    if not isinstance(messages, tuple) or len(messages) > 1 or not all(isinstance(each, Email) for each in messages):
        return "made messages that are no tuple of at most one Email"
    if messages and not all(isinstance(each, str) for each in _parts(messages[0])):
        return "made a message that is not all text"
    if messages and sum(map(len, _parts(messages[0]))) > MAX_MESSAGE:
        return f"made a message of more than {MAX_MESSAGE} characters"
    if messages and channel != messages[0].channel:
        return f"made a message although its channel is {channel!r}"
    return ""


def _parts(message: Email) -> tuple[str, ...]:
    return message.to, message.subject, message.text, message.html


def _send(call: _Call, step: Step, claimed: _Claimed, challenge: Challenge, channel: str) -> None:
    engine, turn, deadline = call.engine, call.turn, call.deadline
    # Nobody is written to who does not exist, whatever the kind made.
    message = challenge.messages[0] if challenge.messages and turn.user.known else None
    lasting = engine.keyring.lasting
    target = lasting.digest("destination", turn.pool, message.to.lower()) if message else call.user
    budget = f"message:{channel}:{target}:{'proven' if call.judgement.factors else 'first'}"
    limits = call.judgement.flow.limits.messages
    counted = engine.ledger.count(
        budget, event=claimed.id, owner=call.user, limits=limits, now=call.now, within=deadline.left()
    )
    if not counted:
        _settle(call, claimed, step, sent=False)
        # Under the reference on the screen: that of the older code, where the sign-in goes on with one.
        seen = _kept(call, step, "try_later") or claimed
        engine.record("excess_rate_limit_exceeded", call.user, claim=seen.id, step=step.name, channel=channel)
        refusal = TryLaterError("the message budget is empty", undelivered=True, reason="throttled")
        refusal.ref = reference(claimed.id)
        raise refusal
    # Of one pool: what fails in another says nothing here.
    outage = f"outage:{lasting.digest('outage', turn.pool, channel)}"
    if message is None:
        if turn.user.known:
            # Silence towards the client; the operator finds out why under the reference on the user's screen.
            reason = checked_word(challenge.reason, "no_message")
            detail = {"step": step.name, "channel": channel, "reason": reason}
            engine.record("authn_code_withheld", call.user, claim=claimed.id, **detail)
        down = engine.ledger.peek(outage, now=call.now, within=deadline.left())
        if down is not None:
            if down == "undelivered":
                _settle(call, claimed, step, sent=False)
            raise _CourierDownError(f"the courier for {channel!r} is down", undelivered=True, reason="unreachable")
        _settle(call, claimed, step, sent=True)
        return
    try:
        courier = engine.couriers[channel]
        within = deadline.left(but=SETTLING)
        courier.send(Message(claimed.id, channel, message.to, message.subject, message.text, message.html), within)
    except Exception as error:  # noqa: BLE001 - a courier's own errors may quote the message
        undelivered, why = isinstance(error, UnavailableError) and error.undelivered, reason_of(error)
        detail = {"step": step.name, "channel": channel, "undelivered": str(undelivered).lower(), **why}
        if isinstance(error, UnavailableError) and error.refused:
            # It looks sent: anybody can have an address that is refused, and who does not exist has none.
            _settle(call, claimed, step, sent=True)
            engine.record("sys_message_refused", call.user, claim=claimed.id, **detail)
            return
        engine.record("sys_courier_failed", call.user, claim=claimed.id, **detail)
        how = "undelivered" if undelivered else "unknown"
        engine.ledger.put(outage, how, expires=call.now + OUTAGE, within=deadline.left())
        if undelivered:
            _settle(call, claimed, step, sent=False)
        what = f"the courier for {channel!r} failed: {' '.join(why.values())}"
        raise _failure(claimed, what, why, of=_CourierDownError) from None
    _settle(call, claimed, step, sent=True)
    engine.record("authn_code_sent", call.user, claim=claimed.id, step=step.name, channel=channel)


def _settle(call: _Call, claimed: _Claimed, step: Step, *, sent: bool) -> None:
    call.engine.ledger.settle(
        claimed.slot,
        claimed.id,
        "sent" if sent else "unsent",
        own_until=claimed.issued + step.lifetime + LEASE,
        within=call.deadline.left(),
    )


def _slip(call: _Call, claimed: _Claimed, kind: str, step: str, expires: int) -> Slip:
    judgement = call.judgement
    return Slip(
        flow=judgement.flow.fingerprint,
        kind=kind,
        step=step,
        signin=call.signin,
        round=call.round,
        claim=claimed.id,
        issued=claimed.issued,
        expires=expires,
        proven=bool(judgement.factors),
        own=call.owns(claimed.id),
    )


def _metadata(call: _Call, step: str, claimed: _Claimed, carry: Mapping[str, str], *, asked: bool = True) -> str:
    last = call.last
    return Metadata(
        flow=call.judgement.flow.fingerprint,
        facts=call.judgement.facts,
        step=step,
        before=last[2] if last else "-",
        signin=call.signin,
        claim=claimed.id,
        issued=claimed.issued,
        carry=carry,
        asked=asked,
    ).write()


def _finish(call: _Call, step: Step, claimed: _Claimed, challenge: Challenge) -> Created:
    call.deadline.left()
    expires = claimed.issued + step.lifetime
    left = derive.find(call.judgement.state[0], step.name)
    public = {
        **challenge.public,
        "kind": step.kind.kind,
        "step": step.name,
        "attempts_left": str(left[2] if left else 0),
        "expires_at": str(expires),
        "ref": reference(claimed.id),
    }
    if isinstance(step.kind, Sends) and left and left[3] and len(call.messages_of(step.name) | {claimed.id}) < MESSAGES:
        public["resend_after"] = str(claimed.issued + step.kind.resend_after)
    if claimed.error:
        public["error"] = claimed.error
    slip = _slip(call, claimed, step.kind.kind, step.name, expires)
    binding = (call.turn.pool, call.turn.client, call.user)
    return Created(
        public,
        slip.write(claimed.key, binding, challenge.private),
        _metadata(call, step.name, claimed, challenge.carry),
    )
