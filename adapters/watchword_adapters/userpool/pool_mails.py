"""The mails that the pool itself sends: codes, invitations and welcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from watchword.contract.ports import Clock
from watchword_adapters.userpool.directory.records import Code, PoolUser, Purpose
from watchword_adapters.userpool.directory.users import TypedUser, UserDirectory
from watchword_adapters.userpool.outbox import SentMessage, masked

_SUBJECTS: Mapping[Purpose, str] = {
    "sign-up": "Your verification code",
    "forgot-password": "Your password reset code",
    "verify-email": "Your verification code",
}


@frozen
class Mails:
    """Writes the pool's mails and hands them to *deliver*; returns where they went as replies say it."""

    users: UserDirectory
    clock: Clock
    deliver: Callable[[SentMessage], None]

    def new_code(self, user: PoolUser, purpose: Purpose, to: str = "") -> dict[str, Any]:
        """Give *user* a code and send it, to the user's own address if *to* is empty."""
        code = self.users.new_code(purpose, to or user.attributes["email"])
        with self.users.changing(user.username) as draft:
            draft.set_code(purpose, code)
        return self.code(user, purpose, code)

    def code(self, user: PoolUser, purpose: Purpose, code: Code) -> dict[str, Any]:
        """Send a *code* that *user* has."""
        self.send(user, code.to, _SUBJECTS[purpose], f"Your confirmation code is {code.digits}")
        return _delivery(masked(code.to))

    def send(self, user: PoolUser, to: str, subject: str, text: str) -> None:
        """Send a *text* about *user* to an address."""
        message = SentMessage(to=to, subject=subject, text=text, html="", at=self.clock.now(), username=user.username)
        self.deliver(message)

    def simulated(self, person: TypedUser) -> dict[str, Any]:
        """Return what somebody unknown is told in place of a mail."""
        return _delivery(self.users.made_up_address(person.typed))


def _delivery(destination: str) -> dict[str, Any]:
    return {"Destination": destination, "DeliveryMedium": "EMAIL", "AttributeName": "email"}
