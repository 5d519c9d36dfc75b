"""The password: Cognito's SRP prelude, two rounds that the host itself runs and checks."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from watchword import hookimpl
from watchword.contract import Factor, RegisterKind


@frozen
class Srp:
    """Ask for the password, by SRP. It has no settings and stands only at the head of a path.

    The rounds are ``SRP_A`` and then ``PASSWORD_VERIFIER``. Only a true ``PASSWORD_VERIFIER`` proves anything: Cognito
    writes ``SRP_A`` as true before it has checked a password. Nothing is created or verified for them, and nothing is
    reckoned upon a guess: how well users choose their passwords cannot be known.
    """

    kind: ClassVar[str] = "srp"
    proves = frozenset[Factor]({"knowledge"})
    host_rounds: ClassVar[tuple[str, ...]] = ("SRP_A", "PASSWORD_VERIFIER")


@hookimpl
def register_kinds(register: RegisterKind) -> None:
    """Register `Srp`."""
    register(Srp)
