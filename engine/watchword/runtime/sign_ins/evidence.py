"""Evidence: what was passed in a sign-in, kept for a minute so that its tokens can tell. What is doubtful is absent."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence

from attrs import frozen

from watchword.algebra import derivative
from watchword.algebra.evaluation import SAID_SIGN_IN, AnswerRequest, SessionRequest, is_sign_in_name
from watchword.algebra.flow import Flow
from watchword.contract.kinds import Factor
from watchword.errors import reason_of
from watchword.runtime.keyring import lock_state, unlock_state
from watchword.runtime.services import Deadline, Services, identity
from watchword.runtime.wire import PrivateParameters, public_sign_in

EVIDENCE_LIFETIME = 60
"""Seconds from the last right answer in which tokens can tell of it. Cognito issues them in the same call."""

EVIDENCE_RESERVE = 0.5
"""Seconds of the deadline that writing the evidence leaves."""

_EVIDENCE = "evidence"


@frozen
class Evidence:
    """What was passed in one sign-in.

    *methods* are words, in the order of passing, most of them of RFC 8176; *flow* is the flow's name and *fingerprint* its
    fingerprint; *at* is when the last answer was given, whole epoch seconds.
    """

    methods: tuple[str, ...]
    flow: str
    fingerprint: str
    at: int


def methods_of(flow: Flow, passed: Sequence[str]) -> tuple[str, ...]:
    """Return the words for the rounds of *flow* that were *passed*: each once, and ``mfa`` last if two factors were proven.

    A step that enrols, or proves nothing, gives no word.
    """
    words: list[str] = []
    factors: set[Factor] = set()
    for name in passed:
        step = flow.steps.get(name)
        if name == derivative.PASSWORD_VERIFIER:
            words.append("pwd")
            factors.add("knowledge")
        elif step is not None and step.proves:
            words.extend(step.powers.methods)
            factors |= step.proves
    return (*dict.fromkeys(words), *("mfa",) * (len(factors) > 1))


def keep_evidence(
    services: Services,
    flow: Flow,
    request: AnswerRequest,
    parameters: PrivateParameters,
    *,
    at: float,
    deadline: Deadline,
) -> None:
    """Note what was passed, if the right answer of *request*, first given *at*, passes *flow* and its client said the sign-in.

    Every repeat writes the same. If that fails, the sign-in goes on and its tokens tell nothing.

    A client that says *another* sign-in, with any right answer, gets no tokens that tell of that one: it is marked as doubtful.

    Raises:
        UnavailableError: if that mark cannot be left.
    """
    said = request.client_metadata.get(SAID_SIGN_IN, "")
    if not (request.user.known and is_sign_in_name(said)):
        return
    expires = services.clock.now() + EVIDENCE_LIFETIME
    if not hmac.compare_digest(said, public_sign_in(services.keyring.root_key, parameters.signin)):
        services.ledger.put(_void(services, said), "1", expires=expires, within=deadline.left())
        return
    if parameters.step not in parameters.ends:
        return
    methods = methods_of(flow, (*parameters.passed, parameters.step))
    text = json.dumps([methods, flow.name, flow.fingerprint, int(at)])
    kept = lock_state(services.keyring, _EVIDENCE, _context(request, said), text)
    try:
        within = deadline.left(but=EVIDENCE_RESERVE)
        services.clock.call(
            lambda: services.ledger.put(_slot(services, said), kept, expires=expires, within=within), within
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the answer was right, whatever becomes of its claims
        user = services.user_key(request.pool, request.user)
        services.record("sys_evidence_failed", user, claim=parameters.claim, step=parameters.step, **reason_of(error))


def find_evidence(services: Services, request: SessionRequest, deadline: Deadline) -> Evidence | None:
    """Return the evidence of the sign-in that the client of *request* said, within the minute; None if it said none.

    None as well, and that is recorded, if there is nothing such for this pool, client and user, or it is doubtful. It is not
    used up: the host may ask again.

    Raises:
        UnavailableError: if the ledger fails.
    """
    user, said = request.user, request.client_metadata.get(SAID_SIGN_IN, "")
    if not (user.known and is_sign_in_name(said)):
        return None
    kept = services.ledger.peek(_slot(services, said), now=services.clock.now(), within=deadline.left())
    text = kept and unlock_state(services.keyring, _EVIDENCE, _context(request, said), kept)
    # Asked last: who voids a sign-in does so before its own tokens are made.
    if text and services.ledger.peek(_void(services, said), now=services.clock.now(), within=deadline.left()) is None:
        methods, flow, fingerprint, at = json.loads(text)
        return Evidence(tuple(methods), flow, fingerprint, at)
    reason = "unknown" if kept is None else "doubtful" if text else "not_its_own"
    services.record("authn_evidence_refused", services.user_key(request.pool, user), reason=reason)
    return None


def _slot(services: Services, said: str) -> str:
    """Return the ledger's key for the evidence of the sign-in *said*; from that nobody learns what to say."""
    return f"evidence:{services.keyring.root_key.digest('evidence slot', said)}"


def _void(services: Services, said: str) -> str:
    """Return the ledger's key for the mark that *said* was said in another sign-in."""
    return f"{_slot(services, said)} void"


def _context(request: AnswerRequest | SessionRequest, said: str) -> str:
    return json.dumps([request.pool, request.client, identity(request.user.attributes), said])
