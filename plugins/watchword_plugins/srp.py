"""The password: Cognito's SRP prelude, two rounds that the host itself runs and checks."""

from __future__ import annotations

from typing import ClassVar, Never

from attrs import frozen

from watchword import CreateRequest, ProtocolError, VerifyRequest, hookimpl
from watchword.contract import Factor, RegisterKind


@frozen
class Srp:
    """Ask for the password, by SRP. It has no settings and stands only at the head of a path.

    The rounds are ``SRP_A`` and then ``PASSWORD_VERIFIER``. Only a true ``PASSWORD_VERIFIER`` proves anything: Cognito
    writes ``SRP_A`` as true before it has checked a password.
    """

    kind: ClassVar[str] = "srp"
    proves = frozenset[Factor]({"knowledge"})
    host_rounds: ClassVar[tuple[str, ...]] = ("SRP_A", "PASSWORD_VERIFIER")

    def create(self, request: CreateRequest) -> Never:
        """Refuse: there is nothing to create.

        Raises:
            ProtocolError: always.
        """
        raise ProtocolError("srp: the host runs these rounds itself; nothing is created for them")

    def verify(self, request: VerifyRequest) -> Never:
        """Refuse: there is nothing to verify.

        Raises:
            ProtocolError: always.
        """
        raise ProtocolError("srp: the host runs these rounds itself; there is no answer to verify")

    def guess_probability(self) -> float:
        """Return 1: how well users choose their passwords cannot be known, so nothing is reckoned upon."""
        return 1.0


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Srp`."""
    register(Srp)
