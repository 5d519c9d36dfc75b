"""Effects: have a kind judge an answer, and carry out the one write that a right answer asks for, in the name of its round."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, TypeAlias

from attrs import evolve, frozen

from watchword.contract.credentials import (
    KEPT_ROUNDS,
    MAX_CREDENTIALS,
    Credential,
    Credentials,
    NewCredential,
    is_kept_state,
    is_usable,
)
from watchword.contract.kinds import RequestMethods, User, Verdict
from watchword.errors import UnavailableError
from watchword.runtime.services import Deadline, Services, owner_of

Owned: TypeAlias = Callable[[], tuple[Credential, ...]]
"""Returns what the user has enrolled, of whatever kind, read once."""


def _keep_charge() -> None:
    """Give nothing back."""


def _always(_: Credential) -> bool:
    return True


@frozen
class RoundAnswer:
    """An answer that a kind is to judge, in a sign-in or in an enrolment.

    *user* is as kinds see them. *round* is the id in whose name the write is carried out, the same for every repeat of the
    answer. *methods* returns what is behind a request, by what the user owns; each time the store is read anew. *ask* makes the request with them,
    calls the kind, and returns what that returns. *enrols*: a right answer gives a `NewCredential`, else a right `Verdict`;
    *label* is how the user calls a new credential, if not as the kind does; *replaces*: where a user has one of the kind, it takes its
    place, else nothing may have been added since *ask* looked. *give_back* takes back what the answer was charged; it is
    called if the kind could not compare. *may_write* says, before the write of a right answer, whether that may be done.
    """

    pool: str
    user: User
    kind: str
    remembers: Literal["", "one", "many"]
    round: str
    methods: Callable[[Owned], RequestMethods]
    ask: Callable[[RequestMethods], object]
    enrols: bool = False
    label: str = ""
    replaces: bool = False
    give_back: Callable[[], object] = _keep_charge
    may_write: Callable[[Credential], bool] = _always

    @property
    def owner(self) -> str:
        """Who owns the credential that is written."""
        return owner_of(self.pool, self.user)


def judge(services: Services, answer: RoundAnswer, deadline: Deadline) -> Verdict:
    """Return whether *answer* is right, by *deadline*. What a right one writes is written then; ``use`` is that credential.

    The store is read first. If this round has written into it, the answer is right, and the kind is not asked: that may have
    been a call before this one, or one that began later and was quicker. Somebody unknown gets no write, and is wrong where
    the kind wants one. Who loses a race is judged again by what is in the store then.

    Raises:
        UnavailableError: if the kind or the store says so, or time runs out. Before the kind has compared, the charge is
            given back. After that nothing is lost: the same answer in the same round is judged again, or is right.
    """
    compared, lost = False, ("", -1)
    while True:
        owned = cache(lambda: services.owned_by(answer.pool, answer.user, deadline))
        try:
            methods = answer.methods(owned)
            given = methods.credentials() if answer.remembers else ()
            done = _done(answer, given)
            said = None if done else _said(answer, methods)
        except Exception:
            if not compared:
                answer.give_back()
            raise
        if done:
            return Verdict(right=True, use=done)
        compared = True
        verdict = _verdict_of(services, answer, said, given)
        wanted = verdict.use
        if wanted is not None and not answer.may_write(wanted):
            return Verdict(right=False, reason="used_before")
        if wanted is None or _is_written(services, answer, wanted, owned, deadline):
            return verdict
        if answer.enrols:
            why = _why_not_added(services, answer, owned, deadline)
            if why is None:
                continue
            return why
        if lost == (wanted.id, wanted.version):
            raise UnavailableError("the store of credentials refuses a write without a cause", reason="internal")
        lost = (wanted.id, wanted.version)


def _done(answer: RoundAnswer, owned: tuple[Credential, ...]) -> Credential | None:
    """Return the credential of *owned* that the round of *answer* has used or added."""
    return next((each for each in owned if each.kind == answer.kind and answer.round in each.rounds), None)


def _said(answer: RoundAnswer, methods: RequestMethods) -> object:
    """Return what the kind says of *answer*; a wrong verdict if it raises."""
    try:
        return answer.ask(methods)
    except UnavailableError as error:
        # Its text is the plugin's own, and may quote the answer.
        what = f"kind {answer.kind!r} cannot judge answers now"
        raise UnavailableError(what, reason=error.reason, code=error.code) from None
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, nobody gets in
        return Verdict(right=False, reason=f"kind_failed_{type(error).__name__}")


def _verdict_of(services: Services, answer: RoundAnswer, said: object, given: tuple[Credential, ...]) -> Verdict:
    """Return what the kind *said* as a verdict; its ``use`` is the credential as it is to be written."""
    wanted, reason = None, ""
    if answer.enrols and isinstance(said, NewCredential):
        wanted = _new_credential(services, answer, said) if is_usable(said) else None
    elif not (isinstance(said, Verdict) and isinstance(said.right, bool) and isinstance(said.reason, str)):
        return Verdict(right=False, reason="kind_failed")
    elif said.use is None:
        # Right, and nothing enrolled: the kind is wrong.
        return Verdict(right=False, reason="kind_failed") if said.right and answer.enrols else said
    elif said.right and not answer.enrols:
        wanted, reason = _used_credential(services, answer, said.use, given), said.reason
    if wanted is None:
        return Verdict(right=False, reason="write_refused")
    return Verdict(right=True, reason=reason, use=wanted) if answer.user.known else Verdict(right=False)


def _new_credential(services: Services, answer: RoundAnswer, new: NewCredential) -> Credential:
    """Return the credential that *new* becomes."""
    now, label = int(services.clock.now()), answer.label or new.label
    return Credential(new.id, answer.owner, answer.kind, label, now, state=new.state, rounds=(answer.round,))


def _used_credential(
    services: Services, answer: RoundAnswer, use: object, given: tuple[Credential, ...]
) -> Credential | None:
    """Return the credential of *given* with the state that *use* gives it, or None if *use* is no such one."""
    if type(use) is not Credential or not is_kept_state(use.state):
        return None
    meant = next((each for each in given if each == evolve(use, state=each.state)), None)
    if meant is None:
        return None
    # Of what the kind gives, the state alone is written: a text may say of itself that it equals another.
    rounds = (*meant.rounds, answer.round)[-KEPT_ROUNDS:]
    return evolve(meant, state=use.state, used=int(services.clock.now()), rounds=rounds)


def _is_written(services: Services, answer: RoundAnswer, wanted: Credential, owned: Owned, deadline: Deadline) -> bool:
    """Carry out the write; return whether it was done: not if the store has something else by now."""
    store, within = _store(services), deadline.left()
    if answer.enrols and answer.replaces:
        return store.add(wanted, replace=answer.remembers == "one", most=MAX_CREDENTIALS, within=within)
    if answer.enrols:
        # Of two sign-ins that enrol at once, both have read that the user has none of the kind.
        return store.add(wanted, replace=False, most=min(len(owned()) + 1, MAX_CREDENTIALS), within=within)
    return store.swap(wanted, version=wanted.version, within=within)


def _why_not_added(services: Services, answer: RoundAnswer, before: Owned, deadline: Deadline) -> Verdict | None:
    """Return why there is no room for the new credential; right if this round has added it before.

    Return None if it may be judged again, since something was added that the user did not have *before*.
    """
    owned = services.owned_by(answer.pool, answer.user, deadline)
    done = _done(answer, owned)
    if done:
        return Verdict(right=True, use=done)
    if not answer.replaces and len(before()) < len(owned):
        return None
    staying = [
        each for each in owned if not (answer.replaces and answer.remembers == "one" and each.kind == answer.kind)
    ]
    return Verdict(right=False, reason="too_many" if len(staying) >= MAX_CREDENTIALS else "known_credential")


def _store(services: Services) -> Credentials:
    if services.credentials is None:
        raise UnavailableError("there is no store of credentials: pass credentials=", reason="internal")
    return services.credentials
