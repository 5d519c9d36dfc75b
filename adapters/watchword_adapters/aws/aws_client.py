"""boto3's clients, made in one way: with time limits, and with errors that say what to give; one for all threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from watchword.errors import ConfigurationError
from watchword_adapters.extras import missing_extra

IDLE = 20.0
"""Seconds after which a connection is no longer trusted to be alive: a container may have been frozen meanwhile."""


class Closes(Protocol):
    """What is asked of every client."""

    def close(self) -> None:
        """Close the connections; the next call opens a new one."""
        ...


_Client = TypeVar("_Client", bound=Closes)


class KeptClient(Generic[_Client]):
    """The client that *make* makes at the first call, for any number of threads; *monotonic* is a clock's."""

    def __init__(self, make: Callable[[], _Client], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._monotonic = monotonic
        self._lock = Lock()
        self._made: _Client | None = None
        self._used = monotonic()

    def ready(self) -> _Client:
        """Return the client; its connections are new if they have idled.

        Raises:
            ConfigurationError: if boto3 is missing, or can make no client.
        """
        with self._lock:
            if self._made is None:
                self._made = self._make()
            elif self._monotonic() - self._used > IDLE:
                self._made.close()
            self._used = self._monotonic()
            return self._made


def aws_client(
    who: str,
    service: str,
    *,
    region: str | None,
    endpoint: str | None,
    connect: float,
    read: float,
    tries: int = 1,
    most: int = 10,
) -> Any:
    """Return boto3's client of *service* for *who*; *region* and *endpoint* are boto3's own if None or empty.

    *connect* and *read* are the seconds for connecting and for each answer, *tries* is how often boto3 sends a request,
    *most* how many connections are kept.

    Raises:
        ConfigurationError: if boto3 is missing, or can make no client.
    """
    try:
        # Loading boto3 takes a quarter of a second: only who calls AWS waits for it.
        import boto3.session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        raise missing_extra(who, "boto3") from None
    config = Config(
        retries={"total_max_attempts": tries}, connect_timeout=connect, read_timeout=read, max_pool_connections=most
    )
    try:
        # A session of its own: the one that boto3 shares is not safe for threads.
        session: Any = boto3.session.Session()
        return session.client(service, region_name=region or None, endpoint_url=endpoint or None, config=config)
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"{who} can make no client ({type(error).__name__}): give region=eu-west-1 or set AWS_DEFAULT_REGION, and see "
            "that the endpoint is a URL"
        ) from None
