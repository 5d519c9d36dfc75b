"""The system's time and randomness."""

from __future__ import annotations

import secrets
import time

from watchword.errors import UnavailableError


class SystemClock:
    """The `Clock` of this machine."""

    def now(self) -> float:
        """Return the epoch time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep_until(self, moment: float) -> None:
        """Wait until `monotonic` reads *moment*; return at once if it does already."""
        while (left := moment - time.monotonic()) > 0:
            time.sleep(left)


class SystemRandom:
    """The `Random` of the operating system, fit for secrets (OWASP ASVS 5.0, 11.5.1)."""

    def bytes(self, count: int) -> bytes:
        """Return *count* random bytes.

        Raises:
            UnavailableError: if the operating system has none to give; nothing else takes their place.
        """
        try:
            drawn = secrets.token_bytes(count)
        except (OSError, NotImplementedError) as error:
            raise UnavailableError("the operating system gave no random bytes", reason="internal") from error
        if len(drawn) != count:
            raise UnavailableError("the operating system gave too few random bytes", reason="internal")
        return drawn
