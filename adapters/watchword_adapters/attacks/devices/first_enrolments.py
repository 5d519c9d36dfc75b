"""Enrol people before an attack begins, by the engine itself, as they would have done a day ago."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchword.algebra.flow import Flow
from watchword.contract.credentials import Credential
from watchword.contract.kinds import User
from watchword.errors import ConfigurationError
from watchword.runtime.credentials.enrolment import begin_enrolment, complete_enrolment
from watchword.runtime.engine import Engine
from watchword.runtime.keyring import Keyring
from watchword.testing.code_tap import recording_ring
from watchword.testing.requests import NOW
from watchword.testing.time import SeededRandom, VirtualClock
from watchword_adapters.attacks.devices.held_devices import HeldDevices
from watchword_adapters.credentials.memory import MemoryCredentials
from watchword_adapters.ledgers.memory import MemoryLedger

_CLIENT = "first enrolments"
_BEFORE = 86_400
_WITHIN = 3.0


def enrol_at_first(
    flow: Flow, devices: HeldDevices, key: bytes, user: User, kinds: Iterable[str], *, right: Callable[[], str | None]
) -> None:
    """Enrol *user* for each of *kinds* of *flow*; *key* is that of the host, *right* returns what completes the enrolment just begun.

    Raises:
        ConfigurationError: if that completes nothing.
    """
    owner = devices.owner(user.attributes)
    store = MemoryCredentials()
    engine = Engine(
        flow,
        keyring=recording_ring(Keyring.of(key)),
        ledger=MemoryLedger(),
        clock=VirtualClock(NOW - _BEFORE),
        random=SeededRandom(f"{devices.seed} {owner}"),
        credentials=store,
    )
    enrolling = {step.kind.kind for step in flow.steps.values() if step.powers.enrols}
    for kind in kinds:
        if kind in enrolling:
            begun = begin_enrolment(engine, devices.pool, _CLIENT, user, kind)
            done = complete_enrolment(engine, devices.pool, _CLIENT, user, begun.handle, right())
            if not done:
                raise ConfigurationError(f"the users of the corpus cannot enrol for {kind!r}: {done.reason}")
        else:
            # Nobody knows how users come by it: they have something.
            new = Credential(f"{kind} of {owner}", owner, kind, created=int(NOW - _BEFORE))
            store.add(new, replace=False, most=20, within=_WITHIN)
    devices.store.hold_at_first(owner, store.list(owner, within=_WITHIN))
