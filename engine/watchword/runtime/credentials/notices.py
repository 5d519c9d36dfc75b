"""Notices: tell a user by mail that a way to sign in as them was added or removed (ASVS 5.0 6.3.7)."""

from __future__ import annotations

from watchword.contract.kinds import Email, User
from watchword.errors import UnavailableError, reason_of
from watchword.runtime.credentials.notice_texts import Noticed, texts_for
from watchword.runtime.services import Deadline, Services
from watchword.runtime.wire import reference

NOTICE_RESERVE = 0.3
"""Seconds of the deadline that a notice leaves: a courier that hangs must not make a change look like an outage."""


def notice_of(user: User, change: Noticed, kind: str, ref: str) -> Email | None:
    """Return the notice to *user* that a credential of *kind* was added or removed; None without a verified address."""
    address = user.attributes.get("email", "")
    verified = user.attributes.get("email_verified", "").lower() == "true"
    if not (user.known and verified and address):
        return None
    texts = texts_for(user.attributes.get("locale", ""))
    subject, text = texts.notices[change]
    return Email(address, subject, text.format(kind=texts.kinds.get(kind, kind.replace("_", " ")), ref=ref))


def send_notice(services: Services, user: User, change: Noticed, kind: str, *, claim: str, deadline: Deadline) -> None:
    """Tell *user* that a credential of *kind* was added or removed, in what is left of the time. Never raise.

    The notice goes to the address as *user* has it, from before the change. *claim* names what changed it: a repeat sends the
    notice once more, with the same id. Call this last: the change stands, whatever becomes of the notice.
    """
    notice, courier = notice_of(user, change, kind, reference(claim)), services.couriers.get(Email.channel)
    if notice is None or courier is None:
        return
    letter = Email(notice.to, notice.subject, notice.text, id=services.keyring.root_key.digest("notice", claim)[:32])
    try:
        within = deadline.left(but=NOTICE_RESERVE)
        services.clock.call(lambda: courier.send(letter, within), within)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a courier's own errors may quote the message
        refused = isinstance(error, UnavailableError) and error.refused
        detail = {"channel": Email.channel, **reason_of(error)}
        name = "sys_message_refused" if refused else "sys_courier_failed"
        key = user.key
        services.record(name, key, claim=claim, step=f"notice_{change}", **detail)
