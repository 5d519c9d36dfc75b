"""Which device each user holds for which credential, and what they would answer with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import define, field

from watchword.contract.credentials import Credential
from watchword.contract.kinds import User
from watchword_adapters.attacks.devices.replaceable_store import ReplaceableStore
from watchword_adapters.attacks.devices.user_devices import Device, new_device


@define(eq=False)
class HeldDevices:
    """The devices of all users, by kind and credential. *store* says what is enrolled; who asks it here is not counted as a call."""

    seed: str = ""
    pool: str = ""
    store: ReplaceableStore = field(factory=ReplaceableStore)
    _devices: dict[tuple[str, str], Device] = field(factory=dict[tuple[str, str], Device], repr=False, init=False)
    _made: int = field(default=0, init=False)

    def owner(self, attributes: Mapping[str, str]) -> str:
        """Return who the store says owns what the user of *attributes* has enrolled."""
        return f"{self.pool}#{attributes.get('sub', '')}"

    def kinds_of(self, attributes: Mapping[str, str]) -> frozenset[str]:
        """Return the kinds for which the user of *attributes* has enrolled by now."""
        return frozenset(each.kind for each in self.store.of(self.owner(attributes)))

    def owned(self, user: User, kind: str) -> tuple[Credential, ...]:
        """Return what *user*, as kinds see them, has enrolled for *kind*."""
        return tuple(each for each in self.store.of(f"{self.pool}#{user.id}") if each.kind == kind)

    def held(self, kind: str) -> dict[str, Device]:
        """Return all devices of *kind*, by their credentials, the newest last."""
        return {each: device for (made_for, each), device in self._devices.items() if made_for == kind}

    def device(self, kind: str, id_: str) -> Device | None:
        """Return the device of a credential, if anybody holds one."""
        return self._devices.get((kind, id_))

    def enrolling(
        self, kind: str, id_: str, public: Mapping[str, str], now: float, origins: Sequence[str]
    ) -> Sequence[str]:
        """Give a user who enrols for *kind* and is shown *public* a device; return what may complete the enrolment."""
        self._made += 1
        seed = hashlib.sha256(f"{self.seed} device {self._made}".encode()).digest()
        made = new_device(id_, public, now, origins, seed)
        if made is None:
            return ()
        credential_id, device, answers = made
        self._devices[kind, credential_id] = device
        return answers

    def answers(self, owned: Iterable[Credential], public: Mapping[str, str], now: float) -> Iterator[str]:
        """Give what may be the right answer of whoever has the credentials *owned* to a challenge that shows *public*."""
        for each in owned:
            device = self.device(each.kind, each.id)
            if device is not None:
                yield from device.answers(public, now)
