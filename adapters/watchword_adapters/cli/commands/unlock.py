"""`watchword unlock`: forget what the budgets of a user have counted."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from watchword.contract.kinds import User
from watchword.contract.members import reach_of
from watchword.contract.ports import Ledger
from watchword.errors import ConfigurationError, ProtocolError
from watchword.runtime.keyring import Ring
from watchword.runtime.unlocking import never_used, unlock
from watchword_adapters.audit import MemoryAudit, as_line
from watchword_adapters.clock import SystemClock
from watchword_adapters.host_settings import HostSettings
from watchword_adapters.keys import root_keyring_from
from watchword_adapters.srp.srp6a import pool_name

_LONGEST = 2048
_SUB = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
"""A sub as Cognito makes them: a UUID."""
_SQLITE = "sqlite:///"
_EPILOG = """\
It needs the ledger of your triggers (WATCHWORD_LEDGER) and their root key (WATCHWORD_ROOT_KEY; without one, the oldest
key of WATCHWORD_KEY). Another key, or a pool that nobody signs in to, is refused. The command writes an audit event to
stderr, which names the user by a keyed digest.

example:
  WATCHWORD_ROOT_KEY=… WATCHWORD_LEDGER=sqlite:////var/lib/acme/ledger.db \\
    watchword unlock 7c1f0a52-0000-4000-8000-93a1f1d7c1aa --pool us-east-1_AbCdEf123"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword unlock`."""
    parser.description = "Reset the budgets of a user over all sessions: guesses, messages, enrolments."
    parser.epilog = _EPILOG
    parser.add_argument("user", metavar="USER", help="the user's sub, or with --name a name")
    parser.add_argument("--pool", required=True, metavar="POOL_ID", help="the user pool, such as us-east-1_AbCdEf123")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sub", action="store_true", help="USER is the attribute sub (the default)")
    which.add_argument(
        "--name", action="store_true", help="USER is the name, in any spelling, of somebody who does not exist"
    )
    parser.add_argument("--ledger", metavar="URL", help="the ledger, if not the one of WATCHWORD_LEDGER")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Forget the budgets, and say how many there were."""
    user = user_of(arguments.user, name=arguments.name)
    pool = pool_of(arguments.pool)
    keyring = keyring_of_triggers(os.environ)
    ledger = _ledger(arguments.ledger or os.environ.get("WATCHWORD_LEDGER", "").strip())
    clock, audit = SystemClock(), MemoryAudit()
    emptied = unlock(user, pool=pool, keyring=keyring, ledger=ledger, clock=clock, audit=audit)
    if not emptied:
        _refuse_a_mistake(pool, keyring, never_used(pool=pool, keyring=keyring, ledger=ledger, clock=clock))
    for event in audit.events:
        print(as_line(event), file=sys.stderr)
    if arguments.json:
        print(json.dumps({"budgets": emptied}))
    elif emptied:
        print(f"budgets emptied: {emptied}")
    else:
        print(
            f"there was nothing to empty: no budget had counted anything{_doubt(arguments.user, name=arguments.name)}"
        )
    return 0


def _refuse_a_mistake(pool: str, keyring: Ring, never: Literal["key", "pool"] | None) -> None:
    if never == "key":
        raise ConfigurationError(
            f"no sign-in of the last 90 days used this ledger with the key {keyring.root_key.id} (the oldest of "
            "WATCHWORD_ROOT_KEY, or of WATCHWORD_KEY without it): give the keys and the ledger that your triggers have"
        )
    if never == "pool":
        raise ConfigurationError(
            f"--pool {pool}: this ledger and key are in use, but no sign-in of the last 90 days was in that pool: "
            "check the pool's id"
        )


def _doubt(who: str, *, name: bool) -> str:
    """Return what to add where *who* may be meant otherwise than it was said."""
    if name:
        return "; --name is for a name that nobody has: if somebody has it, give their sub"
    if _SUB.fullmatch(who):
        return ""
    return f"; {who[:60]!r} does not look like a sub: look the user's up, as in aws cognito-idp admin-get-user"


def user_of(who: str, *, name: bool) -> User:
    """Return the user that *who* stands for: a sub, or a name of somebody who does not exist."""
    if not 1 <= len(who) <= _LONGEST:
        raise ConfigurationError(f"USER has {len(who)} characters; give 1 to {_LONGEST}")
    return User(who, known=False) if name else User("", {"sub": who})


def pool_of(pool: str) -> str:
    """Return *pool* if it is the id of a user pool, or the realm of plain functions."""
    try:
        pool_name(pool)
    except ProtocolError as error:
        raise ConfigurationError(f"--pool {pool[:60]!r}: {error}") from None
    return pool


def keyring_of_triggers(environment: Mapping[str, str]) -> Ring:
    """Return the ring whose root names users in the ledger of the triggers: their root key, or else their keys."""
    root = environment.get("WATCHWORD_ROOT_KEY", "").strip()
    if root:
        return root_keyring_from(root)
    if not environment.get("WATCHWORD_KEY", "").strip():
        raise ConfigurationError(
            "neither WATCHWORD_ROOT_KEY nor WATCHWORD_KEY is set: users stand in the ledger under digests made with the "
            "root key, or with the oldest key where your triggers have no root key"
        )
    return HostSettings(environment=environment).keyring


def _ledger(url: str) -> Ledger:
    """Return the ledger at *url*; it must be there already and be shared, or there is nothing to forget in it."""
    if not url:
        raise ConfigurationError("no ledger is named: set WATCHWORD_LEDGER as for your triggers, or give --ledger URL")
    # SQLite would make the file of a mistyped path, and find nothing in it.
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        raise ConfigurationError(f"the ledger {url}: there is no such file; check the path")
    ledger = HostSettings(ledger=url, environment={}).ledger
    if reach_of(ledger) == "process":
        raise ConfigurationError(
            f"the ledger {url.partition(':')[0]} lives in the process of your triggers and cannot be reached from here; "
            "restart that process, or use a ledger that is shared"
        )
    return ledger
