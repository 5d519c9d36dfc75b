"""Print for the developer why no message went out. The client is never told."""

from __future__ import annotations

from collections.abc import Callable

from watchword.contract.ports import AuditEvent

EVENTS = frozenset({"authn_code_withheld", "excess_rate_limit_exceeded", "sys_courier_failed", "sys_message_refused"})


class UnsentMessages:
    """An `Audit` that hands a sentence to *say* for each message that was not sent, and forgets all else."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def record(self, event: AuditEvent) -> None:
        """Tell of *event* if it is one of `EVENTS`."""
        if event.name in EVENTS:
            step, reason = event.detail.get("step", ""), event.detail.get("reason", "")
            why = ", ".join(
                filter(None, (f"reason {reason}" if reason else "", f"ref {event.ref}" if event.ref else ""))
            )
            self._say(f"no message was sent for {step}: {event.name}{f' ({why})' if why else ''}")
