"""Keys that are kept elsewhere: in AWS Secrets Manager or in SSM Parameter Store, fetched, cached and renewed."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import TIMEOUT_MAX, Condition, Lock
from typing import Any, ClassVar, Protocol, cast

from watchword.errors import ConfigurationError, UnavailableError, checked_code
from watchword.keyring import Key, Keyring, Ring, RootedRing
from watchword.ports import Clock
from watchword_adapters.discretion import unlogged
from watchword_adapters.extras import lacking
from watchword_adapters.urls import PortURL

KEY = "WATCHWORD_KEY"
ROOT_KEY = "WATCHWORD_ROOT_KEY"
CACHE = 300.0
"""Seconds for which keys are used before they are fetched again."""
SHORTEST_CACHE = 30.0
LONGEST_CACHE = 86400.0
RETRY = 30.0
"""Seconds after an attempt to fetch before the next, if it failed."""
MISSED = 5.0
"""Seconds after an attempt to fetch before a key that is not in the ring is a reason for the next."""
PATIENCE = 1.0
"""Seconds for which a call waits that cannot go on without a key that is not in the ring."""
CONNECT = 0.5
"""Seconds for connecting."""
READ = 1.0
"""Seconds for each answer."""

_NAME = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}", re.ASCII)
_log = logging.getLogger("watchword")


class KeySource(Protocol):
    """Where keys are kept. Its text names it, and is no secret."""

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first.

        Raises:
            ConfigurationError: if they cannot be had, naming the source, the cause and the remedy.
        """
        ...


class FetchedKeyring:
    """A ring (`watchword.keyring.Ring`) of the keys of *source*, for any number of threads.

    The keys are fetched when it is made, and again by the first call after *cache* seconds (30 to 86,400), which goes
    on with those it has while another thread fetches. If that fails they stay in use; the log of ``watchword`` tells
    it once. A key that is asked for and not in the ring, as another container makes while a rotation is under way, is
    waited for: at most a second.

    Raises:
        ConfigurationError: if the keys cannot be had, or one is weak; the message names the source, and no secret.
    """

    def __init__(
        self,
        source: KeySource,
        *,
        clock: Clock,
        cache: float = CACHE,
    ) -> None:
        if not SHORTEST_CACHE <= cache <= LONGEST_CACHE:
            raise ConfigurationError(f"the key source {source}: cache is {cache:g}; it is from 30 to 86400 seconds")
        self._source = source
        self._clock = clock
        self._cache = cache
        self._turn = Condition()
        self._busy = False
        self._failing = False
        self._keyring = _fetched(self._source)
        self._fetched_at = self._tried_at = clock.now()

    def __repr__(self) -> str:
        return f"FetchedKeyring({str(self._source)!r})"

    @property
    def current(self) -> Key:
        """The key that new challenges are made with."""
        return self._renewed().current

    @property
    def lasting(self) -> Key:
        """The oldest key, which is the root where no root key is kept apart."""
        return self._renewed().lasting

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id, or None if it is not in the ring, and not at its source either."""
        found = self._renewed().find(key_id)
        if found is None:
            self._renew(MISSED)
            with suppress(UnavailableError):
                self._clock.call(self._settled, PATIENCE)
            found = self._keyring.find(key_id)
        return found

    def _renewed(self) -> Keyring:
        # A clock that was set back makes the keys old as well.
        if not 0 <= self._clock.now() - self._fetched_at < self._cache:
            self._renew(RETRY)
        return self._keyring

    def _renew(self, pause: float) -> None:
        now = self._clock.now()
        with self._turn:
            if self._busy or 0 <= now - self._tried_at < pause:
                return
            self._busy, self._tried_at = True, now
        try:
            self._clock.call(self._fetch_again, 0.0)  # Begun, and not waited for.
        except UnavailableError as error:
            if error.undelivered:
                self._end(None, str(error))

    def _settled(self) -> None:
        """Return when nobody fetches."""
        with self._turn:
            # Nobody waits for longer: leave no thread behind.
            self._turn.wait_for(lambda: not self._busy, min(PATIENCE, TIMEOUT_MAX))

    def _fetch_again(self) -> None:
        try:
            self._end(_fetched(self._source), "")
        except ConfigurationError as error:
            self._end(None, str(error))
        except BaseException as error:  # noqa: BLE001 - whatever a source raises, the keys stay in use
            self._end(None, f"the key source {self._source} failed ({type(error).__name__})")

    def _end(self, fetched: Keyring | None, reason: str) -> None:
        with self._turn:
            before, failing = self._keyring, self._failing
            if fetched is not None:
                self._keyring, self._fetched_at = fetched, self._clock.now()
            self._failing = fetched is None
            self._busy = False
            self._turn.notify_all()
        if fetched is None and not failing:
            _log.error("%s; the keys that were fetched before stay in use", reason)
        elif fetched is not None and failing:
            _log.warning("the key source %s can be read again", self._source)
        if fetched is not None and fetched != before:
            _log.warning("the key source %s has new keys: %s", self._source, " ".join(key.id for key in fetched.keys))


class _KeptInAws:
    """What the sources in AWS have in common: a name, and a client."""

    service: ClassVar[str]

    def __init__(self, name: str, *, region: str = "", endpoint: str = "") -> None:
        self._name = name
        self.client = _Client(self.service, region or _region_of(name), endpoint)

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        raise NotImplementedError


class SecretsManagerKeys(_KeptInAws):
    """The keys of the secret *name* (or its ARN): those of the stage AWSCURRENT, then those of AWSPREVIOUS.

    A stage holds one key, in base64 or as 32 bytes or more, or a list of keys in base64, newest first, with commas
    between. So the oldest key, which names users in budgets, can stay at the end of the list for as long as it should.
    *region* and credentials are boto3's own unless given; *endpoint* is for an emulator.
    """

    service = "secretsmanager"

    def __str__(self) -> str:
        return f"secretsmanager://{self._name}"

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        # Both at once: a function has ten seconds to start, and may have another secret to fetch.
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(self._stage, "AWSPREVIOUS")
            current = self._stage("AWSCURRENT")
        first, *rest = *current, *asked.result()
        # A key that stands in both lists has the later place: the last one names users.
        return (first, *(key for place, key in enumerate(rest) if key != first and key not in rest[place + 1 :]))

    def _stage(self, stage: str) -> list[bytes]:
        try:
            with unlogged():
                reply = self.client.call("get_secret_value", SecretId=self._name, VersionStage=stage)
        except ConfigurationError as error:
            raise ConfigurationError(f"the key source {self}: {error}") from None
        except Exception as error:  # noqa: BLE001 - told apart by its code; its own words may hold anything
            code = _code(error)
            if stage == "AWSPREVIOUS" and code == "ResourceNotFoundException":
                return []
            raise _unreadable(self, code, "secretsmanager:GetSecretValue") from None
        binary: object = reply.get("SecretBinary")
        if isinstance(binary, bytes):
            return [binary]
        return _decoded(reply.get("SecretString"), f"the key source {self} ({stage})")


class ParameterStoreKeys(_KeptInAws):
    """The keys of the SecureString *name* of SSM Parameter Store: in base64, newest first, with commas between.

    *region* and credentials are boto3's own unless given; *endpoint* is for an emulator.
    """

    service = "ssm"

    def __str__(self) -> str:
        return f"ssm://{self._name}"

    def fetch(self) -> tuple[bytes, ...]:
        """Return the keys, newest first."""
        try:
            with unlogged():
                reply = self.client.call("get_parameter", Name=self._name, WithDecryption=True)
        except ConfigurationError as error:
            raise ConfigurationError(f"the key source {self}: {error}") from None
        except Exception as error:  # noqa: BLE001 - told apart by its code; its own words may hold anything
            raise _unreadable(self, _code(error), "ssm:GetParameter") from None
        parameter: Mapping[str, Any] = reply["Parameter"]
        if parameter.get("Type") != "SecureString":
            raise ConfigurationError(
                f"the key source {self}: it is a {parameter.get('Type')}, which is kept in clear text: "
                "make it a SecureString, with a new key"
            )
        return tuple(_decoded(parameter.get("Value"), f"the key source {self}"))


def keyring_from(text: str, clock: Clock, root: str = "") -> Ring:
    """Return the ring that *text* says: keys in base64, newest first, with commas between; or where they are kept.

    ``secretsmanager://name-or-arn`` and ``ssm:///path/parameter``, both with the options region, cache (seconds, 300)
    and endpoint. *root* says in the same way, but for cache, which root keys are kept apart: they never rotate, so they
    are fetched now and never again.

    Raises:
        ConfigurationError: if it says none, or they cannot be had, or one is weak; the message shows no secret.
    """
    said, options = _read(text, KEY, ("region", "endpoint", "cache"))
    if not root:
        return _ring(said, options, clock)
    kept, _ = _read(root, ROOT_KEY, ("region", "endpoint"))
    if not isinstance(said, Keyring) and not isinstance(kept, Keyring):
        if str(said) == str(kept):
            raise ConfigurationError(
                f"{ROOT_KEY} and {KEY} name the same place, {kept}: keep the root key, which never rotates, in another one"
            )
        if said.client.where == kept.client.where:  # Making a client takes a fifth of a second.
            said.client = kept.client
    return RootedRing(kept if isinstance(kept, Keyring) else _fetched(kept), _ring(said, options, clock))


def root_keyring_from(text: str) -> Keyring:
    """Return the root keys that *text* says, as `keyring_from` takes them.

    Raises:
        ConfigurationError: if they cannot be had, or one is weak; the message shows no secret.
    """
    said, _ = _read(text, ROOT_KEY, ("region", "endpoint"))
    return said if isinstance(said, Keyring) else _fetched(said)


def _ring(said: Keyring | _KeptInAws, options: Mapping[str, str], clock: Clock) -> Keyring | FetchedKeyring:
    if isinstance(said, Keyring):
        return said
    return FetchedKeyring(said, clock=clock, cache=_seconds(options.get("cache", ""), said))


def _read(text: str, variable: str, allowed: tuple[str, ...]) -> tuple[Keyring | _KeptInAws, Mapping[str, str]]:
    """Return the ring that *text* holds, or the source that it names with its options."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        return _held(text, variable), {}
    sources: dict[str, type[SecretsManagerKeys | ParameterStoreKeys]] = {
        "secretsmanager": SecretsManagerKeys,
        "ssm": ParameterStoreKeys,
    }
    make = sources.get(scheme.lower())
    if make is None:
        # The scheme is not shown: what stands there may be half of a secret.
        raise ConfigurationError(
            f"{variable}: it is a URL that Watchword does not know: there is secretsmanager://name and ssm:///path"
        )
    name, mark, query = rest.partition("?")
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{variable}: {scheme.lower()}:// needs a name or an ARN, as in secretsmanager://acme/watchword or "
            "ssm:///acme/watchword, and then ?region=eu-west-1"
        )
    options = PortURL.parse(f"{scheme}:{mark}{query}", options=allowed).options
    return make(name, region=options.get("region", ""), endpoint=options.get("endpoint", "")), options


def _held(text: str, variable: str) -> Keyring:
    try:
        return Keyring.of(_decoded(text, variable) if text.strip() else ())
    except ConfigurationError as error:
        if variable == KEY or str(error).startswith(variable):
            raise
        raise ConfigurationError(f"{variable}: {error}") from None


def _fetched(source: KeySource) -> Keyring:
    secrets = source.fetch()
    try:
        return Keyring.of(secrets)
    except ConfigurationError as error:
        raise ConfigurationError(f"the key source {source}: {error}") from None


def _seconds(text: str, source: KeySource) -> float:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise ConfigurationError(f"the key source {source}: cache is in whole seconds, as in cache=300")
    return float(text) if text else CACHE


def _decoded(text: object, where: str) -> list[bytes]:
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"{where}: it is empty")
    if text.lstrip().startswith("{"):
        raise ConfigurationError(f"{where}: it is JSON; keep the key alone, in base64 (in the console: Plaintext)")
    keys: list[bytes] = []
    for place, part in enumerate(text.split(","), 1):
        if not part.strip():
            continue
        try:
            keys.append(base64.b64decode(part.strip(), validate=True))
        except ValueError:
            raise ConfigurationError(f"{where}: key {place} is no base64") from None
    return keys


class _Client:
    """The client of an AWS service, made at the first call, for any number of threads."""

    def __init__(self, service: str, region: str, endpoint: str) -> None:
        self.where = (service, region, endpoint)
        self._lock = Lock()
        self._made: Any = None

    def call(self, operation: str, **request: Any) -> Mapping[str, Any]:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        reply: Mapping[str, Any] = getattr(self._made, operation)(**request)
        return reply

    def _make(self) -> Any:
        service, region, endpoint = self.where
        try:
            # Loading boto3 takes a quarter of a second: only who keeps keys in AWS waits for it.
            import boto3.session  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        except ImportError:
            raise lacking("it", "boto3") from None
        # Reading twice does no harm, and the first connection after a pause may be dead.
        config = Config(retries={"total_max_attempts": 2}, connect_timeout=CONNECT, read_timeout=READ)
        try:
            session: Any = boto3.session.Session()
            return session.client(service, region_name=region or None, endpoint_url=endpoint or None, config=config)
        except (BotoCoreError, ValueError) as error:
            raise ConfigurationError(
                f"no client can be made ({type(error).__name__}): give region=eu-west-1 or set AWS_DEFAULT_REGION, and see that "
                "the endpoint is a URL"
            ) from None


def _region_of(name: str) -> str:
    parts: Sequence[str] = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 5 else ""


def _code(error: Exception) -> str:
    response: object = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return type(error).__name__
    return checked_code(cast("Mapping[str, Any]", response).get("Error", {}).get("Code")) or "Unknown"


def _unreadable(source: KeySource, code: str, permission: str) -> ConfigurationError:
    if code in ("ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"):
        remedy = "it does not exist in this region: create it, or name the region"
    elif "AccessDenied" in code:
        remedy = f"allow {permission} on it, and kms:Decrypt with its key if that is one of your own"
    elif "Decrypt" in code or "KMS" in code or "InvalidKeyId" in code:
        remedy = "allow kms:Decrypt with its key, and see that the key is enabled"
    elif code in ("NoCredentialsError", "ExpiredTokenException", "UnrecognizedClientException"):
        remedy = "see that there are credentials, and whose they are"
    else:
        remedy = "see that the service can be reached from here, in this region"
    return ConfigurationError(f"the key source {source} cannot be read ({code}): {remedy}")
