"""Notices: tell a user by mail that a way to sign in as them was added or removed (ASVS 5.0 6.3.7)."""

from __future__ import annotations

from collections.abc import Mapping

from watchword.contract.kinds import Email, User
from watchword.contract.messages.languages import nearest_language
from watchword.errors import UnavailableError, reason_of
from watchword.runtime.credentials.notice_texts import NOTICE_TEXTS, Noticed
from watchword.runtime.services import Deadline, Services
from watchword.runtime.wire import reference

NOTICE_RESERVE = 0.3
"""Seconds of the deadline that a notice leaves: a courier that hangs must not make a change look like an outage."""


def notice_of(user: User, change: Noticed, kind: str, ref: str, *, called: Mapping[str, str]) -> Email | None:
    """Return the notice to *user* that a credential of *kind* was added or removed; None without a verified address.

    *called* is what users call the kind, by language; without a word in the notice's language it is called by its name.
    """
    address = user.attributes.get("email", "")
    verified = user.attributes.get("email_verified", "").lower() == "true"
    if not (user.known and verified and address):
        return None
    language = nearest_language(user.attributes.get("locale", ""), NOTICE_TEXTS, "en")
    subject, text = NOTICE_TEXTS[language][change]
    return Email(address, subject, text.format(kind=called.get(language, kind.replace("_", " ")), ref=ref))


def send_notice(services: Services, user: User, change: Noticed, kind: str, *, claim: str, deadline: Deadline) -> None:
    """Tell *user* that a credential of *kind* was added or removed, in what is left of the time. Never raise.

    The notice goes to the address as *user* has it, from before the change. *claim* names what changed it: a repeat sends the
    notice once more, with the same id. Call this last: the change stands, whatever becomes of the notice.
    """
    steps = (step for flow in services.flows for step in flow.steps.values())
    called: Mapping[str, str] = next((step.powers.called for step in steps if step.kind.kind == kind), dict[str, str]())
    notice = notice_of(user, change, kind, reference(claim), called=called)
    courier = services.couriers.get(Email.channel)
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
