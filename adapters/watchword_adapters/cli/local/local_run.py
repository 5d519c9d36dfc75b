"""Run a flow on this machine: watched triggers in a local user pool with one user; mail goes to an outbox."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from attrs import frozen

from watchword.algebra.flow import Flow
from watchword.contract.credentials import Enrolment
from watchword.contract.kinds import User
from watchword.contract.ports import Audit, Random
from watchword.errors import ConfigurationError
from watchword.loading.registry import Registry
from watchword.runtime.credentials.enrolment import Completion, begin_enrolment, complete_enrolment
from watchword.runtime.keyring import Keyring
from watchword.runtime.services import Services
from watchword.testing.code_tap import recording_ring
from watchword_adapters.aws_lambda import Triggers, triggers
from watchword_adapters.cli.local.call_recording import Recorder
from watchword_adapters.cli.local.forward_clock import ForwardClock
from watchword_adapters.cli.local.pool_client import PoolClient
from watchword_adapters.clock import SystemRandom
from watchword_adapters.couriers import Outbox
from watchword_adapters.extras import demand
from watchword_adapters.ledgers import MemoryLedger
from watchword_adapters.rest.local_tokens import LocalAccessTokens
from watchword_adapters.srp.client import SrpClient
from watchword_adapters.userpool import LocalUserPool
from watchword_adapters.userpool.api.errors import ClientError
from watchword_adapters.userpool.api.operation_parameters import check_parameters
from watchword_adapters.userpool.sign_in.signing_keys import SIGNING

DEFAULT_USER = "ann"
DEFAULT_PASSWORD = "Passw0rd!x"  # noqa: S105 - of a user who exists nowhere else
DEFAULT_EMAIL = "ann@example.com"


@frozen
class LocalRun:
    """Everything that a sign-in takes."""

    pool: LocalUserPool
    recorder: Recorder
    outbox: Outbox
    clock: ForwardClock
    random: Random
    triggers: Triggers

    def client(self, username: str, password: str | None) -> PoolClient:
        """Return a new client for *username*; with a *password* it opens by SRP."""
        srp = None if password is None else SrpClient(self.pool.pool_id, username, password, self.random)
        return PoolClient(self.pool, self.recorder, username, srp)

    def begin_enrolment(self, username: str, kind: str) -> Enrolment:
        """Begin to enrol *username* for *kind*, as somebody who is signed in."""
        return begin_enrolment(self._services, *self._signed_in(username), kind)

    def complete_enrolment(self, username: str, handle: str, answer: str) -> Completion:
        """Complete the enrolment of *handle*."""
        return complete_enrolment(self._services, *self._signed_in(username), handle, answer)

    @property
    def _services(self) -> Services:
        services = self.triggers.services
        assert services is not None
        return services

    def _signed_in(self, username: str) -> tuple[str, str, User]:
        """Return the pool, the app client and the user, as an API knows who calls."""
        found = self.pool.admin_get_user(UserPoolId=self.pool.pool_id, Username=username)
        attributes = {each["Name"]: each["Value"] for each in found["UserAttributes"]}
        return self.pool.pool_id, self.pool.client_id, User(found["Username"], attributes)


def start_local_run(
    flow: Flow,
    *,
    user: str | None,
    password: str,
    attributes: Mapping[str, str],
    audit: Audit,
    app_client: str | None = None,
    registry: Registry | None = None,
) -> LocalRun:
    """Return the stage for *flow*, with *user* in the pool (nobody, if None) and a key drawn for this one time.

    Raises:
        ConfigurationError: if an extra is missing, or the pool refuses the user; the message says what to do.
    """
    # The pool would find out only when it makes the tokens, after everything else was played.
    demand("the local user pool", *SIGNING)
    clock, random = ForwardClock(), SystemRandom()
    outbox = Outbox()
    tokens = LocalAccessTokens()
    made = triggers(
        flow,
        tokens=tokens,
        courier=outbox,
        key=recording_ring(Keyring.of(random.bytes(32))),
        ledger=MemoryLedger(),
        clock=clock,
        random=random,
        audit=audit,
        pad_to=0,
        environment={},
        registry=registry,
    )
    recorder = Recorder()
    define, create, verify = (
        recorder.watch(name, trigger) for name, trigger in zip(("define", "create", "verify"), made, strict=True)
    )
    if app_client is None:
        pool = LocalUserPool(define, create, verify, clock=clock)
    else:
        pool = LocalUserPool(define, create, verify, clock=clock, client_id=app_client)
    tokens.pool = pool
    if user is not None:
        add_user(pool, user, password, attributes)
    return LocalRun(pool, recorder, outbox, clock, random, made)


def reachable(flow: Flow | None, user: str, email: str) -> dict[str, str]:
    """Return the attributes of a *user* whom *flow* can write to: a verified address, and a number where it sends texts."""
    attributes = {"email": email, "email_verified": "true"}
    if flow is not None and any(step.powers.channel == "sms" for step in flow.steps.values()):
        from watchword_adapters.attacks.devices.telephone_numbers import telephone_of  # noqa: PLC0415 - slow to import

        attributes |= telephone_of(flow, user)
    return attributes


def add_user(pool: LocalUserPool, user: str, password: str, attributes: Mapping[str, str]) -> None:
    """Add *user* to *pool*.

    Raises:
        ConfigurationError: if the pool refuses them; the message says why.
    """
    listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
    given = {"UserPoolId": pool.pool_id, "Username": user, "TemporaryPassword": password, "UserAttributes": listed}
    try:
        check_parameters("AdminCreateUser", given)
        pool.add_user(user, password=password, attributes=dict(attributes))
    except ClientError as error:
        why = error.response["Error"]["Message"]
        raise ConfigurationError(
            f"the pool refuses the user (see --user, --password, --email, --attribute): {why}"
        ) from None


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def log_lines() -> Generator[list[str]]:
    """Collect what is logged as a warning or worse, in place of having it on the terminal."""
    logger, handler = logging.getLogger("watchword"), _Lines()
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
