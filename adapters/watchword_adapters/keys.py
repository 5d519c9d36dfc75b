"""Keyrings from settings: keys in the environment, or fetched from elsewhere, cached and renewed."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from threading import TIMEOUT_MAX, Condition

from watchword.contract.ports import Clock
from watchword.errors import ConfigurationError, UnavailableError
from watchword.runtime.keyring import Key, Keyring, KeyringWithRootKeys, Ring
from watchword_adapters.aws.keys_in_aws import KeptInAws, KeySource, ParameterStoreKeys, SecretsManagerKeys, decoded
from watchword_adapters.urls import PortURL

_KEY = "WATCHWORD_KEY"
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

_NAME = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}", re.ASCII)
_log = logging.getLogger("watchword")


class FetchedKeyring:
    """A ring (`watchword.runtime.keyring.Ring`) of the keys of *source*, for any number of threads.

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
    def root_key(self) -> Key:
        """The oldest key, which is the root where no root key is kept apart."""
        return self._renewed().root_key

    @property
    def newest_root_key(self) -> Key:
        """The oldest key too: the others rotate."""
        return self._renewed().newest_root_key

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


def keyring_from(text: str, clock: Clock, root: str = "") -> Ring:
    """Return the ring that *text* says: keys in base64, newest first, with commas between; or where they are kept.

    ``secretsmanager://name-or-arn`` and ``ssm:///path/parameter``, both with the options region, cache (seconds, 300)
    and endpoint. *root* says in the same way, but for cache, which root keys are kept apart: they never rotate, so they
    are fetched now and never again.

    Raises:
        ConfigurationError: if it says none, or they cannot be had, or one is weak; the message shows no secret.
    """
    said, options = _read(text, _KEY, ("region", "endpoint", "cache"))
    if not root:
        return _ring(said, options, clock)
    kept, _ = _read(root, ROOT_KEY, ("region", "endpoint"))
    if not isinstance(said, Keyring) and not isinstance(kept, Keyring):
        if str(said) == str(kept):
            raise ConfigurationError(
                f"{ROOT_KEY} and {_KEY} name the same place, {kept}: keep the root key, which never rotates, in another one"
            )
        if said.client.where == kept.client.where:  # Making a client takes a fifth of a second.
            said.client = kept.client
    return KeyringWithRootKeys(kept if isinstance(kept, Keyring) else _fetched(kept), _ring(said, options, clock))


def root_keyring_from(text: str) -> Keyring:
    """Return the root keys that *text* says, as `keyring_from` takes them.

    Raises:
        ConfigurationError: if they cannot be had, or one is weak; the message shows no secret.
    """
    said, _ = _read(text, ROOT_KEY, ("region", "endpoint"))
    return said if isinstance(said, Keyring) else _fetched(said)


def _ring(said: Keyring | KeptInAws, options: Mapping[str, str], clock: Clock) -> Keyring | FetchedKeyring:
    if isinstance(said, Keyring):
        return said
    return FetchedKeyring(said, clock=clock, cache=_seconds(options.get("cache", ""), said))


def _read(text: str, variable: str, allowed: tuple[str, ...]) -> tuple[Keyring | KeptInAws, Mapping[str, str]]:
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
        return Keyring.of(decoded(text, variable) if text.strip() else ())
    except ConfigurationError as error:
        if variable == _KEY or str(error).startswith(variable):
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
