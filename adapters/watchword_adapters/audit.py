"""Where audit events go: to the log, to memory, to several places, or nowhere."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from threading import Lock

from watchword.contract.ports import Audit, AuditEvent
from watchword_adapters.aws.in_lambda import runs_in_lambda


class StructuredLog:
    """An `Audit` that logs each event as one line of JSON.

    Control characters and everything beyond ASCII are escaped, so that one record is one line whatever it holds
    (OWASP ASVS 5.0, 16.4.1). *name* is the logger's name; the level is ``INFO``, and the logger is set to let it
    through unless it has a level of its own.

    In AWS Lambda an event that no handler would write goes to standard output, which is the function's log. Any other
    program must configure logging (``logging.basicConfig()``): without a handler Python drops what is at ``INFO``.
    """

    def __init__(self, name: str = "watchword.audit") -> None:
        self._logger = logging.getLogger(name)
        if self._logger.level == logging.NOTSET:
            self._logger.setLevel(logging.INFO)

    def record(self, event: AuditEvent) -> None:
        """Log *event*."""
        line = as_line(event)
        self._logger.info("%s", line)
        if runs_in_lambda(os.environ) and self._logger.isEnabledFor(logging.INFO):
            _print_unless_written(self._logger, line)


def _print_unless_written(logger: logging.Logger, line: str) -> None:
    """Print *line* if no handler of *logger*, or of one above it, writes at ``INFO``; `define_handler` does the same."""
    above: logging.Logger | None = logger
    while above is not None:
        if any(each.level <= logging.INFO and not isinstance(each, logging.NullHandler) for each in above.handlers):
            return
        above = above.parent if above.propagate else None
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def as_line(event: AuditEvent) -> str:
    """Return *event* as one line of JSON: ``event``, ``at``, ``flow``, then ``user``, ``ref`` and ``detail`` if not empty."""
    facts = {"user": event.user, "ref": event.ref, "detail": dict(event.detail)}
    said = {"event": event.name, "at": event.at, "flow": event.flow} | {
        key: fact for key, fact in facts.items() if fact
    }
    # JSON lets DEL stand as it is.
    return json.dumps(said, default=str).replace("\x7f", "\\u007f")


class NoAudit:
    """An `Audit` that forgets every event."""

    def record(self, event: AuditEvent) -> None:
        """Do nothing with *event*."""


class MemoryAudit:
    """An `Audit` for tests: `events` holds every event, oldest first."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        """Keep *event*."""
        self.events.append(event)

    def names(self) -> list[str]:
        """Return the names of the events so far, oldest first."""
        return [event.name for event in self.events]


class AuditFanOut:
    """An `Audit` that hands each event to every one of *sinks*.

    One that raises keeps the others from nothing, and nothing of it reaches the caller: `failures` counts how often.
    """

    def __init__(self, sinks: Sequence[Audit]) -> None:
        self._sinks = tuple(sinks)
        self._lock = Lock()
        self.failures = 0

    def record(self, event: AuditEvent) -> None:
        """Record *event* in every sink."""
        for sink in self._sinks:
            try:
                sink.record(event)
            except (Exception, SystemExit):  # noqa: BLE001 - whatever a sink does wrong changes no decision
                with self._lock:
                    self.failures += 1
