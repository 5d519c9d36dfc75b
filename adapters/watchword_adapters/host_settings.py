"""The settings of a host, from its program and the environment, and the ports that they make."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from attrs import field, frozen

from watchword.algebra.flow import Flow, enrols_in_a_step, expect_flow, needs_store
from watchword.contract import hookspecs
from watchword.contract.members import ANY_CHANNEL, channel_of, missing_members, reach_of
from watchword.contract.ports import AccessTokens, Audit, AuditEvent, Clock, Courier, Ledger, Random
from watchword.contract.powers import powers_of_ledger
from watchword.errors import ConfigurationError
from watchword_adapters.aws.in_lambda import runs_handler, runs_in_lambda

# A function that only defines loads this module too: what it does not need is imported where it is used.
if TYPE_CHECKING:
    from watchword.contract.credentials import Credentials
    from watchword.loading.registry import Registry
    from watchword.runtime.engine import Engine
    from watchword.runtime.keyring import Ring

Keys: TypeAlias = "bytes | str | Sequence[bytes] | Ring"
Couriers: TypeAlias = Courier | str | Sequence[Courier | str] | Mapping[str, Courier | str]

_Given = TypeVar("_Given")

PROCESS_ONLY = "process-only"

_WORDS = {"credentials": "store of credentials"}


@frozen(slots=False, kw_only=True, eq=False)
class HostSettings:
    """What a host runs on. What is None is read from *environment* (`os.environ` if that is None), or has a default.

    *key* and *root_key* are ``WATCHWORD_KEY`` and ``WATCHWORD_ROOT_KEY``; *ledger* is ``WATCHWORD_LEDGER``, *courier*
    ``WATCHWORD_COURIER``, *credentials* ``WATCHWORD_CREDENTIALS``. *registry* finds what is named by a URL or in a flow's file: one of all that is installed.
    Each is read when it is needed, so that a function which does without says nothing of it.
    """

    key: Keys | None = field(default=None, repr=False)
    root_key: Keys | None = field(default=None, repr=False)
    given_ledger: Ledger | str | None = field(default=None, repr=False, alias="ledger")
    courier: Couriers | None = field(default=None, repr=False)
    given_credentials: Credentials | str | None = field(default=None, repr=False, alias="credentials")
    given_clock: Clock | None = field(default=None, alias="clock")
    given_random: Random | None = field(default=None, alias="random")
    given_audit: Audit | None = field(default=None, alias="audit")
    pad_to: float | None = None
    given_environment: Mapping[str, str] | None = field(default=None, repr=False, alias="environment")
    given_registry: Registry | None = field(default=None, alias="registry")

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Where what is not given is read."""
        return os.environ if self.given_environment is None else self.given_environment

    @cached_property
    def registry(self) -> Registry:
        """What finds plugins."""
        from watchword.loading.registry import Registry, expect_registry  # noqa: PLC0415

        return Registry() if self.given_registry is None else expect_registry(self.given_registry)

    def schemes_of(self, channel: str) -> Sequence[str]:
        """Return the schemes of the URLs for which a courier of *channel* is installed."""
        return self.registry.schemes(channel)

    @cached_property
    def clock(self) -> Clock:
        """The clock."""
        from watchword_adapters.clock import SystemClock  # noqa: PLC0415

        return SystemClock() if self.given_clock is None else _port("clock", Clock, self.given_clock)

    @cached_property
    def audit(self) -> Audit:
        """Where audit events go, before any plugin observes them."""
        from watchword_adapters.audit import StructuredLog  # noqa: PLC0415

        return StructuredLog() if self.given_audit is None else _port("audit", Audit, self.given_audit)

    @property
    def defines_only(self) -> bool:
        """Whether this is a Lambda function whose handler is Define's."""
        return runs_handler(self.environment, "define")

    @property
    def verifies_only(self) -> bool:
        """Whether this is a Lambda function whose handler is Verify's."""
        return runs_handler(self.environment, "verify")

    @property
    def creates_only(self) -> bool:
        """Whether this is a Lambda function whose handler is Create's."""
        return runs_handler(self.environment, "create")

    @property
    def tells_only(self) -> bool:
        """Whether this is a Lambda function whose handler is that of Pre Token Generation."""
        return runs_handler(self.environment, "pre_token")

    @property
    def judges(self) -> bool:
        """Whether answers may be judged here."""
        return not (self.creates_only or self.tells_only)

    @cached_property
    def keyring(self) -> Ring:
        """The ring of *key*, with *root_key* kept apart in it if there is one; else the oldest key is the root.

        Both are base64, newest first, with commas between; or where the keys are kept (see `watchword_adapters.keys`): then
        they are fetched now, and those that rotate again by the clock when they are old.

        Raises:
            ConfigurationError: if there is no key, or one is weak or cannot be read.
        """
        key = self._said("WATCHWORD_KEY") if self.key is None else self.key
        root_key = (self._said("WATCHWORD_ROOT_KEY").strip() or None) if self.root_key is None else self.root_key
        if isinstance(key, str) and isinstance(root_key, str):
            from watchword_adapters.keys import keyring_from  # noqa: PLC0415

            return keyring_from(key, self.clock, root_key)
        rotating = _ring(key, self.clock)
        return rotating if root_key is None else _rooted(root_key, rotating)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, prepared; one in memory outside Lambda, if none is named.

        A ledger's `prepare`, if it has one, makes what the first call would have to wait for.

        Raises:
            ConfigurationError: if it cannot be set up; in Lambda, for a ledger that other containers cannot see, unless
                written ``process-only``.
        """

        def made(url: str | None) -> Ledger:
            if url is not None:
                return self.registry.find_ledger(url)
            from watchword_adapters.ledgers.memory import MemoryLedger  # noqa: PLC0415

            return MemoryLedger()

        return self._shared("ledger", Ledger, self.given_ledger, made, "or every container has budgets of its own")

    def credentials(self, flows: Sequence[Flow]) -> Credentials | None:
        """Return the store of credentials, prepared; None if none is passed as an object, and *flows* need none.

        They do if a kind remembers, or if they ask what is enrolled. Outside Lambda it is in memory, if none is named.

        Raises:
            ConfigurationError: as of `ledger`.
        """
        if isinstance(self.given_credentials, str | None) and not needs_store(flows):
            return None
        return self.named_credentials

    @cached_property
    def named_credentials(self) -> Credentials:
        """The store of credentials, whether or not a flow needs one: as `credentials` returns it."""
        from watchword.contract.credentials import Credentials  # noqa: PLC0415

        def made(url: str | None) -> Credentials:
            if url is not None:
                return self.registry.find_credentials(url)
            from watchword_adapters.credentials.memory import MemoryCredentials  # noqa: PLC0415

            return MemoryCredentials()

        why = "or what a user enrols is gone with the container"
        return self._shared("credentials", Credentials, self.given_credentials, made, why)

    def _shared(
        self,
        parameter: str,
        port: type,
        given: _Given | str | None,
        made: Callable[[str | None], _Given],
        why: str,
    ) -> _Given:
        """Return what is *given* for *parameter*, or else named in the environment, prepared; *why* Lambda wants it shared."""
        variable, word = f"WATCHWORD_{parameter.upper()}", _WORDS.get(parameter, parameter)
        named = self._said(variable).strip() or None if given is None else given
        alone = named == PROCESS_ONLY
        if alone or named is None or isinstance(named, str):
            named = made(None if alone or not isinstance(named, str) else named)
        _port(parameter, port, named)
        if runs_in_lambda(self.environment) and not alone and (reach := reach_of(named, word)) != "everywhere":
            raise ConfigurationError(
                f"in Lambda the {word} must be shared by all containers, {why}: "
                f"{type(named).__name__} is shared within one {reach} only; "
                f"set {variable}=dynamodb://table, or {variable}=process-only if one container is all there is"
            )
        powers_of_ledger(named, word).set_up(f"{word} {type(named).__name__}")
        return named

    def couriers(self, flows: Sequence[Flow]) -> dict[str, Courier]:
        """Return the couriers by the channel that each says; the environment's only where one of *flows* sends, or enrols.

        One that says `ANY_CHANNEL` carries what no other one does; among URLs it stands alone. A mapping puts each on a channel whatever it says.

        Raises:
            ConfigurationError: if one cannot be made, does not say its channel, or says that of another.
        """
        powers = [step.powers for flow in flows for step in flow.steps.values()]
        # A notice goes out where something is enrolled: never by Create.
        notices = not self.creates_only
        if not self.courier and not any(each.sends or (each.enrols and notices) for each in powers):
            return {}
        given: Couriers = self._said("WATCHWORD_COURIER") if self.courier is None else self.courier
        if isinstance(given, Mapping):
            return {channel: self._courier(each) for channel, each in given.items()}
        listed = given.split() if isinstance(given, str) else given if isinstance(given, Sequence) else (given,)
        by_channel: dict[str, Courier] = {}
        for courier in map(self._courier, listed):
            channel = channel_of(courier)
            if channel in by_channel:
                names = f"{type(by_channel[channel]).__name__} and {type(courier).__name__}"
                raise ConfigurationError(f"two couriers carry the channel {channel!r}, {names}: leave one out")
            by_channel[channel] = courier
        anything = by_channel.pop(ANY_CHANNEL, None)
        if anything and by_channel and isinstance(given, str):
            # Beside a real one it would print the codes of whatever channel a flow gets later.
            names = ", ".join(each.partition(":")[0][:20] for each in listed if isinstance(each, str))
            raise ConfigurationError(
                f"WATCHWORD_COURIER names {names}, one of which carries every channel: leave it or the others out"
            )
        # Notices go out by e-mail.
        channels = {"email"} | {each.channel for each in powers if each.sends} if anything else ()
        return dict.fromkeys(channels, cast("Courier", anything)) | by_channel

    def _courier(self, given: Courier | str) -> Courier:
        if isinstance(given, str):
            return self.registry.find_courier(given)
        return _port("courier", Courier, given, asked_later="channel")

    def flow(self, flow: Flow | str | os.PathLike[str]) -> Flow:
        """Return *flow*, read from its file if that is what was given.

        Raises:
            ConfigurationError: if it is no flow.
        """
        if isinstance(flow, Flow):
            return flow
        if isinstance(flow, str | os.PathLike):
            from watchword.loading.flow_reference import find_flow  # noqa: PLC0415 - a flow written in Python needs no reader

            return find_flow(os.fspath(flow), self.registry)
        raise ConfigurationError(f"{flow!r} is no flow: pass a Flow, a TOML file's path, or 'module:attribute'")

    def flows(
        self, flow: Flow | str | os.PathLike[str], previous: Sequence[Flow | str | os.PathLike[str]]
    ) -> tuple[Flow, ...]:
        """Return *flow* and the *previous* ones, read from their files where that is what was given.

        Raises:
            ConfigurationError: if one is no flow, or *previous* is no list.
        """
        if isinstance(previous, str | os.PathLike | Flow):
            raise ConfigurationError(f"previous is {type(previous).__name__}: pass a list, previous=[…]")
        return tuple(map(self.flow, (flow, *previous)))

    def engine(
        self,
        flows: Sequence[Flow],
        *,
        creates: bool = True,
        fold: Callable[[str], str] | None = None,
        tokens: AccessTokens | None = None,
        keeps_evidence: bool = False,
    ) -> Engine:
        """Return an engine for *flows*, the first of which is the one in use.

        One environment serves all functions: without *creates* (in Verify) no courier is looked at, unless a step enrols, of which
        its user gets a notice; nor any, nor a store of credentials, where only tokens are told. Names are folded by *fold*, or else as in
        a user pool. The plugins that are in use may observe. *tokens* knows the access tokens of those who are signed in.
        *keeps_evidence* is for a host whose tokens tell what was passed.

        Raises:
            ConfigurationError: if a setting is missing or wrong; the message says what to set.
        """
        from watchword.runtime.engine import Engine  # noqa: PLC0415
        from watchword.runtime.services import fold_name  # noqa: PLC0415
        from watchword_adapters.clock import SystemRandom  # noqa: PLC0415

        flows = tuple(map(expect_flow, flows))
        if self.pad_to is not None and not 0 <= self.pad_to <= 3:
            raise ConfigurationError(f"pad_to is {self.pad_to}: it must be from 0 to 3 seconds, inside the deadline")
        return Engine(
            flows[0],
            previous=flows[1:],
            keyring=self.keyring,
            ledger=self.ledger,
            couriers=self.couriers(flows) if creates or (enrols_in_a_step(flows) and not self.tells_only) else {},
            credentials=None if self.tells_only else self.credentials(flows),
            tokens=tokens,
            clock=self.clock,
            random=SystemRandom() if self.given_random is None else _port("random", Random, self.given_random),
            audit=self._observed(flows),  # after all that is found by a URL
            pad_to=self.pad_to,
            fold=fold or fold_name,
            keeps_evidence=keeps_evidence,
        )

    def _said(self, name: str) -> str:
        return self.environment.get(name, "")

    def _observed(self, flows: Sequence[Flow]) -> Audit:
        """Return the audit with the `observe` hooks of the plugins that are in use behind it."""
        from watchword.algebra.blocks import kinds_in  # noqa: PLC0415
        from watchword_adapters.audit import AuditFanOut  # noqa: PLC0415

        kinds = [kind for flow in flows for kind in kinds_in(flow.body)]
        nothing_looked_up = self.given_registry is None and "watchword.loading.registry" not in sys.modules
        if nothing_looked_up and all(map(_brings_no_observer, kinds)):
            return self.audit  # no other plugin is in use, and a cold start is shorter without the registry
        behind = [_Observer(observe) for observe in self.registry.observers(kinds)]
        return AuditFanOut((self.audit, *behind)) if behind else self.audit


def _brings_no_observer(kind: object) -> bool:
    plugin = hookspecs.own_plugin(kind)
    return plugin is not None and not hookspecs.observes(plugin)


@frozen(eq=False)
class _Observer:
    observe: Callable[[AuditEvent], None]

    def record(self, event: AuditEvent) -> None:
        self.observe(event)


def _port(parameter: str, port: type, given: _Given, asked_later: str = "") -> _Given:
    """Return what was *given* for *parameter* if it has every member of *port*, but for one that is *asked_later*.

    Raises:
        ConfigurationError: if it has not: the first sign-in would end by it.
    """
    if isinstance(given, type):
        raise ConfigurationError(f"{parameter}= is the class {given.__name__}: make one, {given.__name__}(…)")
    missing = [name for name in missing_members(given, port) if name != asked_later]
    if missing:
        raise ConfigurationError(
            f"{parameter}= is no {port.__name__}: {type(given).__name__} has no {', '.join(missing)}"
        )
    return given


def _rooted(root_key: Keys, rotating: Ring) -> Ring:
    from watchword.runtime.keyring import Keyring, KeyringWithRootKeys, Ring  # noqa: PLC0415

    if isinstance(root_key, Ring):
        return KeyringWithRootKeys(root_key, rotating)
    if isinstance(root_key, str):
        from watchword_adapters.keys import root_keyring_from  # noqa: PLC0415

        return KeyringWithRootKeys(root_keyring_from(root_key), rotating)
    try:
        return KeyringWithRootKeys(Keyring.of(root_key), rotating)
    except ConfigurationError as error:
        raise ConfigurationError(f"root_key: {error}") from None


def _ring(key: Keys, clock: Clock) -> Ring:
    if not isinstance(key, str):
        from watchword.runtime.keyring import Keyring, Ring  # noqa: PLC0415

        return key if isinstance(key, Ring) else Keyring.of(key)
    from watchword_adapters.keys import keyring_from  # noqa: PLC0415

    return keyring_from(key, clock)
