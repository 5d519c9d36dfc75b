"""`watchword serve`: a flow, or any three triggers, in a local user pool over HTTP, for real sign-in clients."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from watchword.algebra.flow import Flow
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword_adapters.aws_lambda import triggers
from watchword_adapters.cli.commands.check import warn_of_bare_tokens
from watchword_adapters.cli.flow_argument import minutes_given
from watchword_adapters.cli.local.client_snippets import PoolAccess
from watchword_adapters.cli.local.local_apis import CREDENTIALS_PATH, FIDO2_PATH, LocalServices, local_credentials
from watchword_adapters.cli.local.local_run import DEFAULT_PASSWORD, reachable
from watchword_adapters.cli.local.server_log import LogLines, ServerLog, defect_on_stderr, say_on_stderr
from watchword_adapters.cli.local.unsent_messages import UnsentMessages
from watchword_adapters.cli.terminal import Terminal
from watchword_adapters.clock import SystemClock, SystemRandom
from watchword_adapters.dialects.dialect import DIALECTS
from watchword_adapters.extras import demand
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.poolserver.fault_injection import FAULTS, FAULTY_TRIGGERS, failure_of, with_fault
from watchword_adapters.poolserver.http.application import Application, Told
from watchword_adapters.poolserver.http.server import LOOPBACK, SERVING, endpoint_of, hosts_of, open_sockets, serve
from watchword_adapters.poolserver.inspector import Inspector
from watchword_adapters.poolserver.pages import pages_of
from watchword_adapters.poolserver.trigger_sources import (
    OTHER_TRIGGERS,
    FlowSource,
    HandlerSource,
    Reloading,
    Three,
    other_triggers,
)
from watchword_adapters.poolserver.users_file import NewUser, add_users, users_from
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.directory.database import Database
from watchword_adapters.userpool.directory.users import ALIASES, DEFAULT_ALIASES
from watchword_adapters.userpool.sign_in.signing_keys import SIGNING

_PORT = 9229
_LOOK_SECONDS = 0.3
_LONGEST_LATENCY = 60.0
_DEADLINE = 5.0  # Cognito's
_EPILOG = """\
The pool speaks Cognito's protocol: point your client's endpoint at it. It begins empty; sign up, or give users with
--users or --user. No mail leaves this machine: codes and pictures are at /_watchword/outbox, and as JSON at
/_watchword/outbox.json. Ctrl-C ends it.

examples:
  watchword serve docs/examples/flows/srp_then_code.toml --user ann
  watchword serve flow.toml --port 9229 --pool-id us-east-1_Abc123 --client-id myclient --users users.toml --reload
  watchword serve --triggers handlers.py --fail create:late

a file of users:
  [[users]]
  name = "ann"
  password = "Passw0rd!x"
  email = "ann@example.com"
  attributes = { "custom:tier" = "gold" }"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword serve`."""
    parser.description = "Serve a flow in a local user pool over HTTP, for boto3, Amplify and other real clients."
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("flow", metavar="FLOW", nargs="?", help="a TOML file, or module:attribute of a Flow in Python")
    add("--triggers", metavar="MODULE", help="in place of FLOW: the module, or file, of three triggers")
    add("--other-triggers", metavar="MODULE", help=f"a module, or file, with any of {', '.join(OTHER_TRIGGERS)}")
    add(
        "--pre-token-version",
        choices=("V1_0", "V2_0", "V3_0"),
        default="V1_0",
        help="the event version of pre token generation (%(default)s)",
    )
    add("--port", type=int, default=_PORT, metavar="N", help="the port; 0 is a free one (%(default)s)")
    add("--host", metavar="ADDRESS", help="the address to listen at (loopback only, if not given)")
    add("--pool-id", default="us-east-1_Abc123", metavar="ID", help="the pool's id (%(default)s)")
    add("--client-id", default="local", metavar="ID", help="the app client's id (%(default)s)")
    add("--client-secret", default="", metavar="SECRET", help="the app client's secret (none)")
    add(
        "--issuer",
        choices=("local", "aws"),
        default="local",
        help="the issuer in the tokens: the endpoint, or Cognito's address (%(default)s)",
    )
    add("--users", metavar="FILE", help="users to begin with, TOML or JSON (see below)")
    add("--user", action="append", default=[], metavar="NAME", help=f"a user, with the password {DEFAULT_PASSWORD}")
    add("--email-as-username", action="store_true", help="users sign up with an address and get a UUID as name")
    add(
        "--alias",
        action="append",
        choices=ALIASES,
        help=f"an attribute by which users sign in too (without a value: {', '.join(DEFAULT_ALIASES)})",
    )
    add("--no-verify-before-update", action="store_true", help="change an address at once, unverified")
    add("--no-prevent-user-existence-errors", action="store_true", help="say so when a user does not exist")
    add(
        "--session-minutes",
        type=minutes_given,
        default=3,
        metavar="N",
        help="how long a challenge may be answered, 3 to 15 minutes",
    )
    add(
        "--database",
        metavar="FILE",
        help="keep users, keys, refresh tokens and what users enrol in this SQLite file, and one beside it",
    )
    add("--latency", type=float, default=0.0, metavar="SECONDS", help="delay every trigger")
    add(
        "--fail",
        action="append",
        default=[],
        metavar="TRIGGER[:KIND]",
        help=f"make {', '.join(FAULTY_TRIGGERS)} fail: {', '.join(FAULTS)}",
    )
    add("--tls", action="store_true", help="serve https, with a certificate made for it")
    add("--reload", action="store_true", help="read FLOW anew when it changes")
    add("--dev-answers", action="store_true", help="give the right answers at /_watchword/answers.json?username=NAME")
    add("--dialect", choices=DIALECTS, help="speak to a client that others wrote; its API for passkeys is at /fido2")
    add("--json", action="store_true", help="print one line of JSON when connections are accepted, and nothing else")
    add("--quiet", action="store_true", help="do not print each call")
    add("--no-open", action="store_true", help="do not open the outbox in a browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return 0."""
    screen = Terminal()
    with ExitStack() as cleaning:
        served = cleaning.enter_context(_prepared(arguments, screen))

        def ready() -> None:
            if arguments.json:
                print(json.dumps(served.ready_line()), flush=True)
                return
            _banner(screen, arguments, served)
            if sys.stdout.isatty() and not arguments.no_open:
                outbox = f"{served.access.endpoint}/_watchword/outbox"
                threading.Thread(target=webbrowser.open, args=(outbox,), daemon=True).start()

        serve(served.application, served.sockets, certificate=served.certificate, ready=ready)
    if not arguments.json:
        screen.line("stopped", "quiet")
    return 0


@frozen
class _Served:
    """Everything that is served."""

    application: Application
    sockets: list[Any]
    access: PoolAccess
    certificate: tuple[Path, Path] | None
    flow: Flow | None
    urls: Mapping[str, str]

    def ready_line(self) -> dict[str, str]:
        access = self.access
        line = {"endpoint": access.endpoint, "pool_id": access.pool_id, "client_id": access.client_id}
        trusted = {"certificate": access.certificate} if access.certificate else {}
        return {**line, **trusted, **{name: f"{access.endpoint}{path}" for name, path in self.urls.items()}}


@contextmanager
def _prepared(arguments: argparse.Namespace, screen: Terminal) -> Generator[_Served]:
    """Make everything that is served, and clear it away behind the block."""
    _check(arguments)
    failures = [failure_of(text) for text in arguments.fail]
    narrator = ServerLog(screen)
    loud = not (arguments.json or arguments.quiet)
    say: Callable[[str, bool], None] = narrator.say if loud else lambda sentence, well: None
    with ExitStack() as cleaning:
        sockets = open_sockets(arguments.host, arguments.port)
        for each in sockets:
            cleaning.callback(each.close)
        endpoint = endpoint_of(sockets, arguments.host, tls=arguments.tls)
        database = Database(arguments.database, arguments.pool_id) if arguments.database else None
        if database is not None:
            cleaning.callback(database.close)
        clock = SystemClock()
        backstage = Inspector(clock, peeking=arguments.dev_answers)
        running = LocalServices()
        source = _source(arguments, backstage, database, say, running)
        cleaning.enter_context(_logging(say))
        # Only what was asked to be reloaded speaks up by itself: a broken flow must be heard even where it is quiet.
        reloading = Reloading(source, narrator.say if not arguments.json else say_on_stderr)
        if arguments.reload:
            cleaning.enter_context(_watching(reloading))
        define, create, verify = (
            backstage.watch(
                name,
                with_fault(name, each, latency=arguments.latency, failures=failures, deadline=_DEADLINE, clock=clock),
            )
            for name, each in zip(FAULTY_TRIGGERS, reloading.triggers(), strict=True)
        )
        found = other_triggers(arguments.other_triggers) if arguments.other_triggers else {}
        others = {name: backstage.watch(name, each) for name, each in (running.token_trigger() | found).items()}
        region = arguments.pool_id.partition("_")[0]
        issuer = endpoint if arguments.issuer == "local" else f"https://cognito-idp.{region}.amazonaws.com"
        pool = LocalUserPool(
            define,
            create,
            verify,
            pre_sign_up=others.get("pre_sign_up"),
            post_confirmation=others.get("post_confirmation"),
            pre_token_generation=others.get("pre_token_generation"),
            user_migration=others.get("user_migration"),
            pre_token_version=arguments.pre_token_version,
            aliases=arguments.alias or DEFAULT_ALIASES,
            verify_before_update=not arguments.no_verify_before_update,
            pool_id=arguments.pool_id,
            client_id=arguments.client_id,
            client_secret=arguments.client_secret,
            session_minutes=arguments.session_minutes,
            prevent_user_existence_errors=not arguments.no_prevent_user_existence_errors,
            email_as_username=arguments.email_as_username,
            trigger_deadline=_DEADLINE,
            outbox=backstage.mails,
            keeper=database,
            issuer=f"{issuer}/{arguments.pool_id}",
        )
        running.tokens.pool = pool
        add_users(pool, _people(arguments, source.flow))
        apis = {} if arguments.triggers else {CREDENTIALS_PATH: running.credentials_api(pool)}
        urls = {} if arguments.triggers else {"credentials_url": CREDENTIALS_PATH}
        if arguments.dialect:
            apis[FIDO2_PATH], urls["fido2_base_url"] = running.fido2_api(pool), FIDO2_PATH
        application = Application(
            pool,
            hosts_of(sockets, arguments.host, tls=arguments.tls),
            pages_of(pool, backstage, lambda: source.flow),
            apis,
            told=narrator.told if loud else _nothing,
            defect=narrator.defect if not arguments.json else defect_on_stderr,
        )
        certificate = cleaning.enter_context(_certificate(arguments.host)) if arguments.tls else None
        access = PoolAccess(
            endpoint,
            pool.pool_id,
            pool.client_id,
            pool.client_secret,
            str(certificate[0]) if certificate else "",
            f"{endpoint}{FIDO2_PATH}" if arguments.dialect else "",
        )
        yield _Served(application, sockets, access, certificate, source.flow, urls)


def _check(arguments: argparse.Namespace) -> None:
    if bool(arguments.flow) == bool(arguments.triggers):
        raise ConfigurationError("give a FLOW, or three triggers with --triggers, and not both")
    if arguments.dialect and arguments.triggers:
        raise ConfigurationError("--dialect is for a FLOW: your own triggers speak to the client themselves")
    if not 0 <= arguments.latency <= _LONGEST_LATENCY:
        raise ConfigurationError(f"--latency must be from 0 to {_LONGEST_LATENCY:.0f} seconds")
    demand("the local user pool", *SIGNING, *SERVING)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def _people(arguments: argparse.Namespace, flow: Flow | None) -> list[NewUser]:
    people = users_from(Path(arguments.users)) if arguments.users else []
    for name in arguments.user:
        attributes = reachable(flow, name, name if "@" in name else f"{name}@example.com")
        people.append(NewUser(name, DEFAULT_PASSWORD, attributes, place=f"--user {name[:60]}"))
    return people


def _source(
    arguments: argparse.Namespace,
    backstage: Inspector,
    database: Database | None,
    say: Callable[[str, bool], None],
    running: LocalServices,
) -> FlowSource | HandlerSource:
    if arguments.triggers:
        return HandlerSource(str(arguments.triggers).split(","))
    random, ledger, courier = SystemRandom(), MemoryLedger(), backstage.courier()
    credentials = local_credentials(arguments.database)
    # Kept, so that a challenge which is answered after a restart is not wrong for a reason that nobody sees.
    secret = random.bytes(32) if database is None else database.secret("watchword key", lambda: random.bytes(32))
    keyring = backstage.keyring(secret)

    def make(flow: Flow, before: Sequence[Flow], registry: Registry) -> Three:
        channels = {step.powers.channel for each in (flow, *before) for step in each.steps.values()}
        made = triggers(
            flow,
            previous=before,
            courier=dict.fromkeys(channels - {""} | {"email"}, courier),  # by e-mail notices go out, whatever else does
            key=keyring,
            ledger=ledger,
            credentials=credentials,
            audit=UnsentMessages(lambda sentence: say(sentence, False)),
            pad_to=0,
            environment={},
            registry=registry,
            dialect=arguments.dialect,
            tokens=running.tokens,
        )
        running.services, running.pre_token = made.services, made.pre_token
        return cast("Three", tuple(made))

    return FlowSource(str(arguments.flow), make)


@contextmanager
def _logging(say: Callable[[str, bool], None]) -> Generator[None]:
    """Tell what is logged, in place of having it on the terminal unbidden."""
    logger, handler = logging.getLogger("watchword"), LogLines(say)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


@contextmanager
def _watching(reloading: Reloading) -> Generator[None]:
    """Look after the files while the block runs."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            reloading.look()

    thread = threading.Thread(target=look, name="reloading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _certificate(host: str | None) -> Generator[tuple[Path, Path]]:
    """Give the files of a new certificate and its key; they are gone behind the block."""
    from watchword_adapters.poolserver.http.certificate import make_certificate  # noqa: PLC0415 - only for --tls

    names = ["localhost", LOOPBACK, "::1"]
    if host is not None and host not in names:
        names.append(host)
    with tempfile.TemporaryDirectory(prefix="watchword-tls-") as folder:
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        made = make_certificate(names)
        certificate.write_bytes(made[0])
        key.touch(0o600)
        key.write_bytes(made[1])
        yield certificate, key


def _banner(screen: Terminal, arguments: argparse.Namespace, served: _Served) -> None:
    access = served.access
    if served.flow is not None:
        warn_of_bare_tokens(served.flow, screen)
    if arguments.host:
        screen.line(f"warning: others may reach this pool at {arguments.host}; it is made for this machine", "warning")
    if arguments.dev_answers:
        screen.line("WARNING: --dev-answers is on: whoever reaches this port is told the right answers", "bad")
    screen.line(f"endpoint {access.endpoint}  pool {access.pool_id}  client {access.client_id}", "title")
    screen.line(f"sign-in  {access.endpoint}/_watchword/sign-in")
    screen.line(f"outbox   {access.endpoint}/_watchword/outbox")
    for name, path in served.urls.items():
        screen.line(f"{name}  {access.endpoint}{path}")
    if access.certificate:
        screen.line(f"trust    {access.certificate}  (NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE)")
    if not arguments.quiet:
        for title, lines in access.snippets():
            screen.line()
            screen.line(title, "quiet")
            screen.lines(lines)
    screen.line()
    screen.line("Ctrl-C ends it.", "quiet")


def _nothing(_: Told) -> None:
    """Tell nothing."""
