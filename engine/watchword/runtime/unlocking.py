"""Empty the budgets of one user, for an operator."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from watchword.contract.kinds import User
from watchword.contract.ports import Audit, AuditEvent, Clock, Ledger
from watchword.runtime.keyring import Ring
from watchword.runtime.services import DEADLINE, fold_name, usage_marks, user_key


def unlock(
    user: User,
    *,
    pool: str,
    keyring: Ring,
    ledger: Ledger,
    clock: Clock,
    audit: Audit | None = None,
    fold: Callable[[str], str] = fold_name,
) -> int:
    """Empty every budget of *user* of *pool*, for guesses, messages and enrolments; return how many there were.

    *user* needs no more than the attribute ``sub``, or, ``known=False``, the name in any spelling. *keyring* is the one
    of the triggers: its oldest key names users. *fold* is the function that a `SignIn` was given to fold names by; without
    it names are folded as by the triggers. Recorded as one event, ``authz_admin`` of the OWASP logging vocabulary.
    Budgets that are counted by address (of messages) are those of *user* as well, and are emptied too.

    Raises:
        UnavailableError: if the ledger fails; nothing is then forgotten or recorded.
    """
    key = user_key(keyring, pool, user, fold)
    emptied = ledger.forget(key, within=DEADLINE)
    if audit is not None:
        detail = {"action": "unlock", "budgets": str(emptied)}
        with suppress(Exception):  # what is forgotten stays so, whatever the log does
            audit.record(AuditEvent("authz_admin", clock.now(), "", key, detail=detail))
    return emptied


def never_used(*, pool: str, keyring: Ring, ledger: Ledger, clock: Clock) -> Literal["key", "pool"] | None:
    """Return what no sign-in of the last 90 days used *ledger* with: ``key``, the oldest of *keyring*, or ``pool`` under it.

    None if both were used: a user of whom nothing is found has nothing counted, or is none.

    Raises:
        UnavailableError: if the ledger fails.
    """
    marked = usage_marks(keyring, pool)
    if ledger.peek(marked["key"], now=clock.now(), within=DEADLINE) is None:
        return "key"
    return "pool" if ledger.peek(marked["pool"], now=clock.now(), within=DEADLINE) is None else None
