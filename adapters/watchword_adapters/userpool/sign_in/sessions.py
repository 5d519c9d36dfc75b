"""Sessions: what the pool remembers between two calls of one sign-in, under a token that works once."""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from attrs import evolve, field, frozen

from watchword.contract.ports import Clock, Random
from watchword_adapters.srp.srp6a import PasswordExchange
from watchword_adapters.userpool.api import errors
from watchword_adapters.userpool.directory.users import TypedUser

_TOKEN_BYTES = 192  # 256 characters; clients take 20 to 4096


@frozen
class SessionRound:
    """A completed round; *metadata* is what Create said of it, or None."""

    name: str
    result: bool
    metadata: str | None = None


@frozen
class Session:
    """One sign-in that waits for an answer to *challenge*.

    *flow* is ``custom`` where the triggers decide; *admin* sessions cannot be answered from outside.
    """

    challenge: str
    flow: Literal["custom", "password"]
    person: TypedUser
    admin: bool = False
    rounds: tuple[SessionRound, ...] = ()
    private: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)
    metadata: str | None = None
    srp_a: int | None = None
    exchange: PasswordExchange | None = None
    block: str = field(default="", repr=False)
    expires: float = 0.0


class Sessions:
    """The open sessions. A token is opaque, bound to its session, and good for one answer."""

    def __init__(self, seconds: float, *, clock: Clock, random: Random) -> None:
        self._seconds = seconds
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._open: dict[str, Session | None] = {}  # None: spent
        self._by_age: deque[tuple[float, str]] = deque()  # all live equally long

    def new_token(self) -> str:
        """Return a token that nobody can guess."""
        return base64.urlsafe_b64encode(self._random.bytes(_TOKEN_BYTES)).decode()

    def open(self, session: Session, token: str | None = None) -> str:
        """Keep *session* under a new token, or under *token*, for its lifetime; return the token."""
        token = token or self.new_token()
        now = self._clock.now()
        with self._lock:
            self._forget_old(now)
            self._open[token] = evolve(session, expires=now + self._seconds)
            self._by_age.append((now + 2 * self._seconds, token))
        return token

    def take(self, token: str, *, challenge: str, names: frozenset[str], admin: bool) -> Session:
        """Return the session of *token* and spend it, for exactly one caller.

        A session is bound to its *challenge*, its user (one of *names*) and the side that began it; a call that does
        not fit leaves it as it was.

        Raises:
            NotAuthorizedException: if it is unknown, spent, expired or another's.
        """
        with self._lock:
            if token not in self._open:
                raise errors.NotAuthorizedException("Invalid session for the user.")
            session = self._open[token]
            if session is None:
                raise errors.NotAuthorizedException("Invalid session for the user, session can only be used once.")
            if self._clock.now() >= session.expires:
                raise errors.NotAuthorizedException("Invalid session for the user, session is expired.")
            fits = session.challenge == challenge and session.admin == admin
            if not fits or not {session.person.username, session.person.typed} & names:
                raise errors.NotAuthorizedException("Invalid session for the user.")
            self._open[token] = None
            return session

    def _forget_old(self, now: float) -> None:
        # Kept for as long again, so that a late client is told what is wrong.
        while self._by_age and now >= self._by_age[0][0]:
            self._open.pop(self._by_age.popleft()[1], None)
