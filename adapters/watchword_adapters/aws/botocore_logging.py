"""Keep requests to AWS and their replies out of botocore's debug log."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_secret: ContextVar[bool] = ContextVar("watchword_secret", default=False)

_WRITERS = ("botocore.endpoint", "botocore.parsers", "botocore.retryhandler")
"""The loggers of botocore that write what a request or an answer holds."""


class _Discreet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not _secret.get()


_discreet = _Discreet()


@contextmanager
def unlogged() -> Generator[None]:
    """Have the calls to AWS that this thread makes inside the block leave no trace in the debug log."""
    for name in _WRITERS:
        logging.getLogger(name).addFilter(_discreet)  # Once, however often it is called.
    token = _secret.set(True)
    try:
        yield
    finally:
        _secret.reset(token)
