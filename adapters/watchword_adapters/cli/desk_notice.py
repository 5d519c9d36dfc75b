"""The notice to a user whose credentials the support desk removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

from watchword.contract.kinds import Email, User
from watchword.contract.ports import Courier
from watchword.contract.powers import powers_of
from watchword.errors import ConfigurationError, UnavailableError
from watchword.loading.registry import Registry
from watchword.runtime.credentials.notices import notice_of
from watchword.runtime.wire import reference
from watchword_adapters.host_settings import HostSettings

_WITHIN = 10.0
"""Seconds that one notice may take."""


@frozen
class DeskNotice:
    """Tells the user at *address*, in the language of *locale*, what was removed. *change* is random, and names the change."""

    address: str = field(repr=False)
    locale: str
    courier: Courier = field(repr=False)
    change: str

    @property
    def ref(self) -> str:
        """The reference in the notice, for the audit."""
        return reference(self.change)

    def send(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Send a notice for each of *kinds*. Return why those failed that did, as reasons of the courier."""
        attributes = {"email": self.address, "email_verified": "true", "locale": self.locale}
        failures: list[str] = []
        for kind in sorted({*kinds}):
            notice = notice_of(User("", attributes), "removed", kind, self.ref, called=_called(kind))
            if notice is None:
                continue
            named = hashlib.sha256(f"{self.change} {kind}".encode()).hexdigest()[:32]
            try:
                self.courier.send(evolve(notice, id=named), _WITHIN)
            except UnavailableError as error:
                failures.append(error.reason)
        return tuple(failures)


def desk_notice(address: str, locale: str, environment: Mapping[str, str], change: str) -> DeskNotice:
    """Return the notice to *address* by the courier for e-mail of ``WATCHWORD_COURIER`` in *environment*.

    Raises:
        ConfigurationError: if there is no such courier, or *address* is none.
    """
    if "@" not in address or not address.isprintable() or set(address) & set(" ,;<>"):
        raise ConfigurationError(f"--notify {address[:80]!r}: this is no e-mail address")
    urls = environment.get("WATCHWORD_COURIER", "").strip()
    couriers = HostSettings(courier=urls, environment=environment).couriers(()) if urls else {}
    if Email.channel not in couriers:
        raise ConfigurationError("--notify needs a courier for e-mail: set WATCHWORD_COURIER as for your triggers")
    return DeskNotice(address, locale, couriers[Email.channel], change)


def _called(kind: str) -> Mapping[str, str]:
    """Return what users call *kind*, by language; nothing if it is not installed here any more."""
    try:
        return powers_of(Registry().find_kind(kind)).called
    except ConfigurationError:
        return {}
