"""`watchword who`: the digest by which audit and ledger name a user, and back; it changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator

from watchword.contract.kinds import User
from watchword.errors import ConfigurationError
from watchword.runtime.services import user_key
from watchword_adapters.cli.commands.unlock import keyring_of_triggers, pool_of, user_of
from watchword_adapters.credentials.user_lists import opened

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_EPILOG = """\
A digest cannot be inverted: to find its user, give all users that it may be, and --digest.

examples:
  watchword who 7c1f0a52-0000-4000-8000-93a1f1d7c1aa --pool us-east-1_AbCdEf123
  aws cognito-idp list-users --user-pool-id us-east-1_AbCdEf123 \\
    --query 'Users[].Attributes[?Name==`sub`].Value[]' --output text | tr '\\t' '\\n' |
    watchword who - --pool us-east-1_AbCdEf123 --digest 5f1c0d3e"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword who`."""
    parser.description = (
        "Print the digest that names a user in the audit, or find the user of a digest. Nothing is changed."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "users", metavar="USER", nargs="+", help="a sub, or with --name a name; - reads them from standard input"
    )
    parser.add_argument("--pool", required=True, metavar="POOL_ID", help="the user pool, such as us-east-1_AbCdEf123")
    parser.add_argument("--name", action="store_true", help="USER is the name of somebody who does not exist")
    parser.add_argument(
        "--digest", metavar="DIGEST", help="print only the users whose digest begins so: 8 to 64 hex digits"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print each user's digest; with --digest, 1 if it is nobody's."""
    pool = pool_of(arguments.pool)
    wanted = (arguments.digest or "").lower()
    if arguments.digest is not None and not _DIGEST.fullmatch(wanted):
        raise ConfigurationError("--digest is not 8 to 64 hexadecimal digits: copy it from `user` of an audit event")
    keyring = keyring_of_triggers(os.environ)
    found: dict[str, str] = {}
    for who in _users(arguments.users):
        user: User = user_of(who, name=arguments.name)
        digest = user_key(keyring, pool, user)
        if digest.startswith(wanted):
            found[who] = digest
    if arguments.json:
        print(json.dumps(found))
    else:
        for who, digest in found.items():
            print(f"{digest} {who if who.isprintable() else ascii(who)}")
    if not found:
        print(f"none of these users of {pool} has that digest with this key", file=sys.stderr)
    return 0 if found else 1


def _users(given: list[str]) -> Iterator[str]:
    for each in given:
        if each == "-":
            with opened(each) as lines:
                yield from filter(None, (line.strip("\r\n") for line in lines))
        else:
            yield each
