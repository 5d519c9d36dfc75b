"""`watchword credentials`: what users enrolled, for the support desk: list, remove, export, import and purge."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from watchword.contract.credentials import MAX_CREDENTIALS, Credential, Credentials
from watchword.contract.kinds import User
from watchword.contract.members import reach_of
from watchword.contract.ports import AuditEvent
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError, UnavailableError
from watchword.loading.registry import Registry
from watchword.runtime.services import user_key
from watchword_adapters.audit import as_line
from watchword_adapters.cli.commands.unlock import keyring_of_triggers, pool_of
from watchword_adapters.cli.desk_notice import DeskNotice, desk_notice
from watchword_adapters.cli.progress import Progress
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.clock import SystemClock
from watchword_adapters.credentials.export_file import export_lines, owner_named, pool_and_sub, read_export
from watchword_adapters.credentials.import_plan import ROOT, ImportPlan, moved, planned
from watchword_adapters.credentials.user_lists import checked_sub, listed_subs, new_subs, opened
from watchword_adapters.host_settings import HostSettings

WITHIN = 30.0
"""Seconds that one call to the store may take: nobody waits to sign in."""
LATELY = 86_400
"""Seconds for which a credential is not purged by a list of users to keep: the list may be older than the user."""

_SHOWN = 10
_SQLITE = "sqlite:///"
_EPILOG = """\
Every action that writes first says what it would do, and does it with --yes. No action shows what a kind keeps; an export
holds it, and is as personal as the store. The store is that of your triggers (WATCHWORD_CREDENTIALS), or --store URL.

examples:
  watchword credentials list --pool us-east-1_AbCdEf123 --user 7c1f0a52-0000-4000-8000-93a1f1d7c1aa
  watchword credentials remove --pool us-east-1_AbCdEf123 --user 7c1f0a52-0000-4000-8000-93a1f1d7c1aa --kind totp --yes"""


@runtime_checkable
class Everything(Protocol):
    """A store that can be read as a whole."""

    def everything(self, *, within: float) -> Iterator[Credential]:
        """Yield every credential of every owner; each part of them may take *within* seconds."""
        ...


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword credentials`."""
    parser.description = "Look after what users enrolled."
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(metavar="ACTION", title="actions", dest="action", required=True)
    listing = _action(actions.add_parser, "list", "list the credentials of a user, or of all users of a pool")
    _add_pool(listing)
    listing.add_argument("--user", metavar="SUB", help="the user's sub; without it, all users of the pool")
    listing.add_argument("--root-key", metavar="ID", help="only those whose secret is derived from this root key")
    removing = _action(actions.add_parser, "remove", "remove credentials of a user")
    _add_pool(removing)
    removing.add_argument("--user", metavar="SUB", required=True, help="the user's sub")
    removing.add_argument("--kind", metavar="KIND", help="only those of this kind")
    removing.add_argument("--id", metavar="ID", help="only the one with this id")
    removing.add_argument("--all", action="store_true", help="all that the user has")
    removing.add_argument("--notify", metavar="ADDRESS", help="tell the user by e-mail, through WATCHWORD_COURIER")
    removing.add_argument("--locale", metavar="LOCALE", default="en", help="the language of that e-mail (en)")
    exporting = _action(actions.add_parser, "export", "write all credentials as JSON lines")
    _add_pool(exporting, required=False)
    exporting.add_argument("-o", "--output", metavar="FILE", type=Path, help="a new file, readable by you alone")
    importing = _action(actions.add_parser, "import", "add the credentials of an export; nothing is overwritten")
    importing.add_argument("file", metavar="FILE", help="the export; - is standard input")
    importing.add_argument("--pool", metavar="POOL_ID", help="put them into this user pool")
    importing.add_argument(
        "--subs",
        metavar="OLD=NEW",
        action="append",
        help="the new sub of a user, or a file with one such pair a line; may be given again",
    )
    purging = _action(actions.add_parser, "purge", "remove what belongs to users who are gone")
    _add_pool(purging)
    which = purging.add_mutually_exclusive_group(required=True)
    which.add_argument("--keep", metavar="FILE", help="the subs of all users that there are, one a line; others go")
    which.add_argument("--gone", metavar="FILE", help="the subs of the users who go, one a line")
    for each in (removing, importing, purging):
        each.add_argument("--yes", action="store_true", help="do it; without this, say what would be done")


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says; the status is 1 if something was refused that the file or the store is in the way of."""
    actions: Mapping[str, Callable[[argparse.Namespace, Credentials], int]] = {
        "list": _list,
        "remove": _remove,
        "export": _export,
        "import": _import,
        "purge": _purge,
    }
    store = _store(_url(arguments), makes=arguments.action == "import")
    return actions[arguments.action](arguments, store)


def _url(arguments: argparse.Namespace) -> str:
    return arguments.store or os.environ.get("WATCHWORD_CREDENTIALS", "").strip()


def _action(add: Callable[..., argparse.ArgumentParser], name: str, summary: str) -> argparse.ArgumentParser:
    action = add(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False)
    action.add_argument("--store", metavar="URL", help="the store, if not the one of WATCHWORD_CREDENTIALS")
    action.add_argument("--json", action="store_true", help="print JSON")
    return action


def _add_pool(action: argparse.ArgumentParser, *, required: bool = True) -> None:
    text = "the user pool, such as us-east-1_AbCdEf123" + ("" if required else "; without it, all")
    action.add_argument("--pool", required=required, metavar="POOL_ID", help=text)


def _list(arguments: argparse.Namespace, store: Credentials) -> int:
    pool = pool_of(arguments.pool)
    if arguments.user is None:
        found = _of_pool(store, pool)
    else:
        found = iter(store.list(owner_named(pool, checked_sub(arguments.user)), within=WITHIN))
    root = arguments.root_key
    listed = [each for each in found if root is None or each.state.get(ROOT) == root]
    if arguments.json:
        print(json.dumps([_as_json(each) for each in listed], indent=2))
        return 0
    screen = Terminal()
    if not listed:
        screen.line("there are no such credentials; check the pool's id and the user's sub")
        return 0
    rows = [("USER", "KIND", "ID", "LABEL", "CREATED", "USED", "ROOT KEY")]
    rows += [
        (
            pool_and_sub(each.owner)[1],
            each.kind,
            each.id,
            each.label,
            _day(each.created),
            _day(each.used),
            each.state.get(ROOT, ""),
        )
        for each in listed
    ]
    screen.table(rows)
    return 0


def _remove(arguments: argparse.Namespace, store: Credentials) -> int:
    if not arguments.all and arguments.kind is None and arguments.id is None:
        raise ConfigurationError(
            "say which credentials: --id ID, --kind KIND, or --all; see watchword credentials list"
        )
    if arguments.all and (arguments.kind is not None or arguments.id is not None):
        raise ConfigurationError("--all is every credential of the user: leave out --kind and --id")
    notice = None
    if arguments.notify is not None:
        notice = desk_notice(arguments.notify, arguments.locale, os.environ, os.urandom(16).hex())
    owned = store.list(owner_named(pool_of(arguments.pool), checked_sub(arguments.user)), within=WITHIN)
    chosen = [each for each in owned if arguments.kind in {None, each.kind} and arguments.id in {None, each.id}]
    if not chosen:
        raise ConfigurationError(
            f"the user has no such credential, of {len(owned)} in all; see watchword credentials list"
        )
    return _removed(arguments, store, chosen, notice)


def _purge(arguments: argparse.Namespace, store: Credentials) -> int:
    pool = pool_of(arguments.pool)
    keeps = arguments.keep is not None
    subs = listed_subs(arguments.keep if keeps else arguments.gone)
    latest = SystemClock().now() - LATELY
    seen: set[str] = set()
    chosen: list[Credential] = []
    for each in _of_pool(store, pool):
        sub = pool_and_sub(each.owner)[1]
        seen.add(sub)
        goes = sub not in subs and each.created < latest if keeps else sub in subs
        if goes:
            chosen.append(each)
    if keeps and seen and not seen & subs:
        raise ConfigurationError(
            f"--keep {arguments.keep}: none of its {len(subs)} subs has a credential in this pool, and all that there is would go: "
            "check the file and the pool's id"
        )
    return _removed(arguments, store, chosen)


def _removed(
    arguments: argparse.Namespace, store: Credentials, chosen: Sequence[Credential], notice: DeskNotice | None = None
) -> int:
    """Remove *chosen* with ``--yes``, and send the *notice*; say how many there are, and of how many users."""
    users = len({each.owner for each in chosen})
    removed, unsent = 0, tuple[str, ...]()
    if arguments.yes:
        progress, user = Progress("credentials removed"), _digest(chosen)
        for each in chosen:
            removed += store.remove(each.owner, each.kind, each.id, within=WITHIN)
            progress(removed)
        # After the change, which stands whatever becomes of the notice.
        unsent = notice.send(each.kind for each in chosen) if notice and removed else ()
        _record("credentials_removed", removed, user, notice.ref if notice else "")
    if arguments.json:
        said = {"done": arguments.yes, "credentials": len(chosen), "users": users, "removed": removed}
        print(json.dumps(said if notice is None else {**said, "unsent": list(unsent)}))
    elif not arguments.yes:
        screen = Terminal()
        for each in chosen[:_SHOWN]:
            screen.line(f"{pool_and_sub(each.owner)[1]}  {each.kind}  {each.id}  {each.label}")
        if len(chosen) > _SHOWN:
            screen.line(f"and {len(chosen) - _SHOWN} more")
        screen.line(f"would be removed: {len(chosen)}, of users: {users}; nothing was: say --yes to do it")
    else:
        print(f"removed: {removed}, of users: {users}")
    if unsent:
        print(f"the user was not told: the courier failed ({', '.join(unsent)})", file=sys.stderr)
    return 1 if unsent else 0


def _export(arguments: argparse.Namespace, store: Credentials) -> int:
    found = _everything(store) if arguments.pool is None else _of_pool(store, pool_of(arguments.pool))
    number = -2  # the head and the end are no credentials
    with _new_file(arguments.output) as file:
        progress = Progress("lines written")
        for number, line in enumerate(export_lines(found), -1):
            print(line, file=file)
            progress(number + 2)
    if arguments.output is not None:
        print(json.dumps({"exported": number}) if arguments.json else f"exported: {number}")
    return 0


def _import(arguments: argparse.Namespace, store: Credentials) -> int:
    pool = None if arguments.pool is None else pool_of(arguments.pool)
    subs = None if arguments.subs is None else new_subs(arguments.subs)
    with opened(arguments.file) as lines:
        credentials = read_export(lines)
    wanted, derived, left_out = moved(credentials, subs, pool)
    # Looking into a file of SQLite that is not there would make it.
    existing = iter(()) if _is_missing(_url(arguments)) and not arguments.yes else _everything(store)
    plan = planned(wanted, existing, is_one=_is_one(Registry()))
    refused: list[str] = list(plan.conflicts)
    added = 0
    if arguments.yes and not refused:
        progress, user = Progress("credentials imported"), _digest(plan.new)
        for each in plan.new:
            if store.add(each, replace=False, most=MAX_CREDENTIALS, within=WITHIN):
                added += 1
            else:
                refused.append(f"{each.kind} {each.id[:40]!r}: something else was added meanwhile; import again")
            progress(added)
        _record("credentials_imported", added, user)
    _tell_import(arguments, plan, added=added, derived=derived, left_out=left_out, refused=refused)
    return 1 if refused else 0


def _tell_import(
    arguments: argparse.Namespace, plan: ImportPlan, *, added: int, derived: int, left_out: int, refused: Sequence[str]
) -> None:
    done = arguments.yes and not plan.conflicts
    counts = {"new": len(plan.new), "there": plan.there, "derived": derived, "left_out": left_out, "added": added}
    if arguments.json:
        print(json.dumps({"done": done, **counts, "refused": list(refused)}))
        return
    screen = Terminal()
    for text in refused[:_SHOWN]:
        screen.line(f"refused: {text}", "bad")
    if len(refused) > _SHOWN:
        screen.line(f"and {len(refused) - _SHOWN} more")
    screen.line(f"there already, and left as they are: {plan.there}")
    if left_out:
        screen.line(f"left out by --subs: {left_out}")
    if derived:
        screen.line(
            f"not moved: {derived}; their secrets are derived from the user's sub and pool, so these users enrol again",
            "warning",
        )
    if done:
        screen.line(f"imported: {added}")
    elif plan.conflicts:
        screen.line(f"new: {len(plan.new)}; nothing was imported, since {len(plan.conflicts)} were refused")
    else:
        screen.line(f"would be imported: {len(plan.new)}; nothing was: say --yes to do it")


def _digest(credentials: Sequence[Credential]) -> str:
    """Return the digest that names the user of *credentials* in the audit, if there is one user, and the keys are at hand."""
    owners = {each.owner for each in credentials}
    if len(owners) != 1 or not any(
        os.environ.get(name, "").strip() for name in ("WATCHWORD_KEY", "WATCHWORD_ROOT_KEY")
    ):
        return ""
    pool, sub = pool_and_sub(owners.pop())
    return user_key(keyring_of_triggers(os.environ), pool, User("", {"sub": sub}))


def _record(action: str, number: int, user: str, ref: str = "") -> None:
    """Write an audit event to stderr."""
    detail = {"action": action, "credentials": str(number)}
    print(as_line(AuditEvent("authz_admin", SystemClock().now(), "", user, ref, detail)), file=sys.stderr)


def _is_one(registry: Registry) -> Callable[[str], bool]:
    """Return what says of a kind that a user has one credential of it: also of one that is not installed."""
    known: dict[str, bool] = {}

    def is_one(kind: str) -> bool:
        if kind not in known:
            try:
                known[kind] = powers_of(registry.find_kind(kind)).remembers != "many"
            except ConfigurationError:
                known[kind] = True
        return known[kind]

    return is_one


def _store(url: str, *, makes: bool) -> Credentials:
    """Return the store at *url*; it must be shared, and be there unless the action *makes* it."""
    if not url:
        raise ConfigurationError(
            "no store is named: set WATCHWORD_CREDENTIALS as for your triggers, or give --store URL"
        )
    # SQLite would make the file of a mistyped path, and find nothing in it.
    if not makes and _is_missing(url):
        raise ConfigurationError(f"the store {url}: there is no such file; check the path")
    store = HostSettings(credentials=url, environment={}).named_credentials
    if reach_of(store, "store of credentials") == "process":
        raise ConfigurationError(
            f"the store {url.partition(':')[0]} lives in the process of your triggers and cannot be reached from here"
        )
    return store


def _is_missing(url: str) -> bool:
    return url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file()


def _everything(store: Credentials) -> Iterator[Credential]:
    if not isinstance(store, Everything):
        raise ConfigurationError(
            f"the store {type(store).__name__} cannot be read as a whole: it has no everything(within=); name a --user"
        )
    progress = Progress("credentials read")
    for number, each in enumerate(store.everything(within=WITHIN), 1):
        progress(number)
        yield each


def _of_pool(store: Credentials, pool: str) -> Iterator[Credential]:
    return (each for each in _everything(store) if pool_and_sub(each.owner)[0] == pool)


def _as_json(credential: Credential) -> dict[str, object]:
    pool, sub = pool_and_sub(credential.owner)
    return {
        "pool": pool,
        "sub": sub,
        "kind": credential.kind,
        "id": credential.id,
        "label": credential.label,
        "created": credential.created,
        "used": credential.used,
        "root_key": credential.state.get(ROOT, ""),
    }


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") if moment else "never"


@contextmanager
def _new_file(path: Path | None) -> Generator[TextIO]:
    """Open a new file, readable by its owner alone; a part of an export is not left there."""
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        said = "it is there already" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigurationError(f"{path} cannot be made: {said}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UnavailableError(f"{path} cannot be written: {error.strerror}") from None
        raise
