"""The password round, as each host that checks passwords itself runs it: the local pool, and the plain functions."""

from __future__ import annotations

import base64

from attrs import field, frozen

from watchword.contract.ports import Random
from watchword_adapters.srp import srp6a


@frozen
class PasswordRound:
    """One round: the *exchange*, the secret *block*, and the *public* parameters that the client is shown."""

    exchange: srp6a.PasswordExchange
    block: str = field(repr=False)
    public: dict[str, str] = field(repr=False)


def draw_round(
    name: str, verifier: srp6a.Verifier, srp_a: int, random: Random, *, block_bytes: int = 32
) -> PasswordRound:
    """Return a round for the user *name*, whose client began with *srp_a*; *block_bytes* is the size of the secret block."""
    exchange = srp6a.draw_exchange(verifier, srp_a, random)
    block = base64.b64encode(random.bytes(block_bytes)).decode()
    public = {
        "SALT": verifier.salt,
        "SECRET_BLOCK": block,
        "SRP_B": srp6a.to_hex(exchange.public),
        "USERNAME": name,
        "USER_ID_FOR_SRP": name,
    }
    return PasswordRound(exchange, block, public)


def claim_is_right(key: bytes, realm: str, name: str, block: str, *, timestamp: str, claimed: str) -> bool:
    """Say whether the signature *claimed* is that of the server's *key* over the user, the *block* and the *timestamp*."""
    expected = srp6a.signature(key, realm, name, base64.b64decode(block), timestamp)
    return srp6a.same_signature(expected, claimed)
